/* SPDX-License-Identifier: ISC */
/*
 * What enters at main and nowhere else: the clock, the streams, what the
 * environment says. Commands get it as a parameter.
 */
#ifndef CRLPRESS_CONTEXT_H
#define CRLPRESS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct context {
	FILE *in;
	FILE *out;
	FILE *err;
	bool err_is_terminal;
	int64_t (*clock_sec)(void); /* seconds since 1970 */
	const char *config_path;    /* CRLPRESS_CONFIG, or the default */
	unsigned cpus;              /* that this process may use */
	int64_t (*monotonic_ms)(void);
	/* A variable of the environment; NULL when it is not set. */
	const char *(*environment)(const char *name);
	/* False when the system has no randomness to give. */
	bool (*random_bytes)(void *data, size_t len);
	/*
	 * SIGINT and SIGTERM end the process, except between
	 * interrupt_catch(true) and interrupt_catch(false): then they are
	 * remembered, for what is under way to end in order, and the second
	 * one ends the process. Threads may ask.
	 */
	void (*interrupt_catch)(bool on);
	bool (*interrupted)(void);
};

#endif
