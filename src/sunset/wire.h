/* SPDX-License-Identifier: ISC */
/*
 * Messages between the two processes, over a pair of sockets that keeps them
 * apart (SOCK_SEQPACKET): one octet that says what it is, and text.
 */
#ifndef CRLPRESS_WIRE_H
#define CRLPRESS_WIRE_H

#include <stddef.h>

#include "crlpress/status.h"

#include "sunset_config.h"

enum wire_kind {
	/* To the process that answers. */
	WIRE_CONFIG = 'C', /* read this, in place of what you have */
	WIRE_DRAIN = 'D',  /* answer what is there, then end */
	/* From it. */
	WIRE_READY = 'R',
	WIRE_TAKEN = 'T',  /* the new configuration is in force */
	WIRE_KEPT = 'K',   /* it is not; the old one goes on */
	WIRE_COUNTS = 'L', /* lines of the counts file */
	WIRE_HOUR = 'H',   /* lines of an hour that is not over */
	WIRE_SAVE = 'S',   /* these were all of them */
	WIRE_END = 'E'     /* all is answered and counted */
};

#define WIRE_BYTES_MOST (SUNSET_CONFIG_BYTES_MOST + 1)

/* Two ends, closed on exec. STATUS_IO. */
enum status wire_open(int end[2]) MUST_CHECK;

/* STATUS_IO when the other end is gone, or STATUS_MALFORMED: too long. */
enum status wire_send(
    int fd, enum wire_kind kind, const char *text, size_t len) MUST_CHECK;

/*
 * The next message, into `buffer` of WIRE_BYTES_MOST + 1 bytes, with a NUL
 * behind it; waits for it. STATUS_DONE when the other end is gone.
 */
enum status wire_receive(int fd, char *buffer, enum wire_kind *kind,
    const char **text, size_t *len) MUST_CHECK;

#endif
