/* SPDX-License-Identifier: ISC */
/*
 * What enters ocsp-sunset at main and nowhere else: clocks, streams, what the
 * environment says.
 */
#ifndef CRLPRESS_SUNSET_CONTEXT_H
#define CRLPRESS_SUNSET_CONTEXT_H

#include <stdint.h>
#include <stdio.h>

struct sunset_context {
	FILE *out;
	FILE *err;
	int64_t (*clock_sec)(void); /* since 1970; as fine as a timer tick */
	int64_t (*mono_ms)(void);   /* never goes back */
	unsigned cpus;              /* that this process may use */
	/* sd_listen_fds(3), sd_notify(3); NULL: not set. */
	const char *listen_pid;
	const char *listen_fds;
	const char *listen_names;
	const char *notify_socket;
};

#endif
