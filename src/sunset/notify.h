/* SPDX-License-Identifier: ISC */
/* Tells whoever started the program how it is: sd_notify(3). */
#ifndef CRLPRESS_NOTIFY_H
#define CRLPRESS_NOTIFY_H

#include <stdint.h>

#include "sunset_context.h"

#define NOTIFY_READY "READY=1\nSTATUS=answering"
#define NOTIFY_STOPPING "STOPPING=1\nSTATUS=draining"

/* Nothing when nobody wants to know; a failure changes nothing. */
void notify_send(const struct sunset_context *context, const char *state);

/* "RELOADING=1" and the time of it, as Type=notify-reload wants. */
void notify_reloading(const struct sunset_context *context);

#endif
