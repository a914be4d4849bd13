/* SPDX-License-Identifier: ISC */
/*
 * What somebody configured as a URL, made fit to be shown: users paste
 * credentials into URLs, as other programs take them there. Every message
 * that repeats a configured value goes through url_text_shown. Pure; no
 * library.
 */
#ifndef CRLPRESS_URL_TEXT_H
#define CRLPRESS_URL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Room for what messages show of a value, with its NUL; longer is cut off. */
#define URL_TEXT_BYTES 132

/*
 * Whether there are credentials where the host of a URL is, with its scheme or
 * without: an '@', or a colon after which no port stands.
 */
bool url_text_has_user(const char *text);

/*
 * The text, with "***" for what stands before its last '@' and for what stands
 * after the colon of a host and is no port. The scheme stays. Returns `out`.
 */
const char *url_text_shown(const char *text, char out[URL_TEXT_BYTES]);

#endif
