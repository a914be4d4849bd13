/* SPDX-License-Identifier: ISC */
/*
 * The process that was started: reads files, holds the counts file, hears
 * signals, and knows no network.
 */
#ifndef CRLPRESS_PARENT_H
#define CRLPRESS_PARENT_H

#include <stdbool.h>
#include <stdint.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

#include "sunset_config.h"
#include "sunset_context.h"

/* What the command line says, which goes before the configuration. */
struct parent_options {
	const char *config_path;
	uint32_t threads; /* 0: as configured */
	bool has_last_expiry;
	int64_t last_expiry_sec;
};

/* Serves until SIGTERM or SIGINT. */
enum status parent_run(const struct sunset_context *context,
    const struct parent_options *options, struct report *report) MUST_CHECK;

#endif
