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

#endif
