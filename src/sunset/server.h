/* SPDX-License-Identifier: ISC */
/*
 * The process that answers: opens the listeners, gives up what it may do,
 * starts the threads that answer, and then does as the parent says.
 */
#ifndef CRLPRESS_SERVER_H
#define CRLPRESS_SERVER_H

#include "crlpress/report.h"
#include "crlpress/status.h"

#include "listener.h"
#include "privilege.h"
#include "sunset_config.h"
#include "sunset_context.h"

struct server_start {
	const struct sunset_context *context;
	const char *config_name;
	struct sunset_config *config; /* the server takes it over */
	struct listener_given given;
	struct privilege privilege;
	int parent_fd; /* wire.h */
};

/* Returns when all is answered after WIRE_DRAIN, or when it cannot begin. */
enum status server_run(
    const struct server_start *start, struct report *report) MUST_CHECK;

#endif
