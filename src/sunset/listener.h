/* SPDX-License-Identifier: ISC */
/*
 * The sockets that connections come in by: opened here, one for each thread
 * and address, or handed over by whoever started the program
 * (sd_listen_fds(3)), and then shared by the threads.
 */
#ifndef CRLPRESS_LISTENER_H
#define CRLPRESS_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

#include "sunset_config.h"
#include "sunset_context.h"

/* What was handed over. */
struct listener_given {
	int fd[SUNSET_LISTEN_MOST];
	uint32_t count;
	int metrics; /* that with the name "metrics"; -1: none */
};

/*
 * Takes over the descriptors that LISTEN_PID and LISTEN_FDS name, if they are
 * for this process; none otherwise. STATUS_CONFIG when one of them is no
 * listening stream socket.
 */
enum status listener_take(const struct sunset_context *context,
    struct report *report, struct listener_given *given) MUST_CHECK;

/*
 * Opens a listening socket, not blocking, closed on exec. With `shared` other
 * sockets may listen on the address too (SO_REUSEPORT). A port of 0 in
 * `address` becomes the one that the system chose.
 */
enum status listener_open(struct sunset_address *address, uint32_t backlog,
    bool shared, struct report *report, int *fd) MUST_CHECK;

/*
 * Of `count` sockets that share an address, opened in this order, the one of
 * a processor's number, modulo `count`, takes what that processor receives.
 * False when the system cannot.
 */
bool listener_steer(int fd, uint32_t count);

#endif
