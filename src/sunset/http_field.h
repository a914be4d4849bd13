/* SPDX-License-Identifier: ISC */
/*
 * The lines of an HTTP head (RFC 9112, 3 and 5; RFC 9110, 5). Internal to
 * http_request.c and http_field.c.
 */
#ifndef CRLPRESS_HTTP_FIELD_H
#define CRLPRESS_HTTP_FIELD_H

#include "http_request.h"

/*
 * Each takes a line without its CR LF, `len` bytes from `at`, and returns
 * false with request->status set when it is refused.
 */
bool http_line_read(struct http_request *request, const char *buffer,
    uint32_t at, uint32_t len);
bool http_field_read(struct http_request *request, const char *buffer,
    uint32_t at, uint32_t len);
/* A field of the trailer: well-formed, and else ignored. */
bool http_trailer_read(struct http_request *request, const char *buffer,
    uint32_t at, uint32_t len);

/* Whether all are VCHAR, obs-text, SP or HTAB: RFC 9110, 5.5. */
bool http_is_text(const char *text, size_t len);

#endif
