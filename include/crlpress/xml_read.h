/* SPDX-License-Identifier: ISC */
/*
 * Takes the text of an element out of XML that a store or a token service
 * sent, from bytes that anybody may have written. No tree is built, nothing
 * is expanded but the five entities of XML and numbers, and a document type
 * is refused, so that no input makes more of itself. Pure; no library.
 */
#ifndef CRLPRESS_XML_READ_H
#define CRLPRESS_XML_READ_H

#include <stddef.h>

#include "crlpress/status.h"

/* A longer text is none of the replies that are read here. */
#define XML_READ_BYTES_MOST ((size_t)256 * 1024)

/* Elements within elements; those replies have five. */
#define XML_READ_DEPTH_MOST 32

/*
 * The text of the first element of this name, a prefix before the name not
 * counted, whatever it stands in: STATUS_NOT_FOUND when there is none,
 * STATUS_MALFORMED when what stands up to its end is not XML as above, when
 * it has elements in it or a NUL, or when `size` bytes are too few for it and
 * a NUL. `out` is empty unless STATUS_OK.
 */
enum status xml_element(const char *text, size_t len, const char *name,
    char *out, size_t size) MUST_CHECK;

/* A page of a listing: a thousand keys of 1 KiB, each with what S3 tells. */
#define XML_LIST_BYTES_MOST ((size_t)4 * 1024 * 1024)

/*
 * The text of every element of this name, in order, one after the other in
 * `out`, each handed to `take`, until that fails: its status is then that of
 * the call. STATUS_MALFORMED as above, of the whole text; what was handed out
 * before is then worth nothing.
 */
enum status xml_elements(const char *text, size_t len, const char *name,
    char *out, size_t size, enum status (*take)(void *context, const char *),
    void *context) MUST_CHECK;

#endif
