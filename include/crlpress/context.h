/* SPDX-License-Identifier: ISC */
/*
 * What enters at main and nowhere else: the clock, the streams, what the
 * environment says. Commands get it as a parameter.
 */
#ifndef CRLPRESS_CONTEXT_H
#define CRLPRESS_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct context {
	FILE *out;
	FILE *err;
	bool err_is_terminal;
	int64_t (*clock_sec)(void); /* seconds since 1970 */
	const char *config_path;    /* CRLPRESS_CONFIG, or the default */
	unsigned cpus;              /* that this process may use */
};

#endif
