/* SPDX-License-Identifier: ISC */
/*
 * The rules that hold for the writer (request.c) and the reader
 * (request_parse.c) of requests. docs/airgap.md has them.
 */
#ifndef CRLPRESS_REQUEST_IMPL_H
#define CRLPRESS_REQUEST_IMPL_H

#include "crlpress/request.h"

/* What is wrong, as static text; NULL: nothing. */
const char *request_range_fault(const struct request *request);
const char *request_shard_fault(
    const struct request *request, const struct request_shard *shard);

#endif
