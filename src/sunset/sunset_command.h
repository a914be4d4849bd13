/* SPDX-License-Identifier: ISC */
/* The commands of ocsp-sunset: one row each in sunset_command.c. */
#ifndef CRLPRESS_SUNSET_COMMAND_H
#define CRLPRESS_SUNSET_COMMAND_H

#include "crlpress/status.h"

#include "sunset_context.h"

/* Finds and runs argv[1]; --help and --version too. */
enum status sunset_command_dispatch(
    const struct sunset_context *context, int argc, char **argv) MUST_CHECK;

#endif
