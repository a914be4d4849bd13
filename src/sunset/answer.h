/* SPDX-License-Identifier: ISC */
/*
 * The bytes of every answer, made once for a configuration; at a request only
 * the date in them changes, and that once a second. One set for each thread.
 */
#ifndef CRLPRESS_ANSWER_H
#define CRLPRESS_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "answer_mode.h"

#define ANSWER_BYTES_MOST 320

/* Those that a mode names come first, by its number. */
enum answer_text {
	ANSWER_TEXT_UNAUTHORIZED = ANSWER_UNAUTHORIZED,
	ANSWER_TEXT_TRYLATER = ANSWER_TRYLATER,
	ANSWER_TEXT_INTERNAL = ANSWER_INTERNAL,
	ANSWER_TEXT_GONE = ANSWER_GONE,
	ANSWER_TEXT_NOT_FOUND = ANSWER_NOT_FOUND,
	ANSWER_TEXT_UNAVAILABLE = ANSWER_UNAVAILABLE,
	ANSWER_TEXT_HEALTH,
	ANSWER_TEXT_OPTIONS,
	ANSWER_TEXT_400, /* what http_request.h refuses with */
	ANSWER_TEXT_405,
	ANSWER_TEXT_408,
	ANSWER_TEXT_411,
	ANSWER_TEXT_413,
	ANSWER_TEXT_414,
	ANSWER_TEXT_417,
	ANSWER_TEXT_431,
	ANSWER_TEXT_501,
	ANSWER_TEXT_505,
	ANSWER_TEXTS
};

/* What an answer says of the connection. */
enum answer_connection {
	ANSWER_SILENT,     /* HTTP/1.1, which goes on */
	ANSWER_KEEP_ALIVE, /* HTTP/1.0, which goes on */
	ANSWER_CLOSING,
	ANSWER_CONNECTIONS
};

struct answer {
	uint16_t len;
	uint16_t head_len; /* what HEAD gets */
	uint16_t date_at;
	int64_t date_sec; /* that stands there */
	char octet[ANSWER_BYTES_MOST];
};

struct answer_set {
	struct answer answer[ANSWER_TEXTS][ANSWER_CONNECTIONS];
	int64_t date_sec;
	char date[32];
};

/* RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", without NUL. */
#define ANSWER_DATE_LEN 29

#define ANSWER_CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

/* `max_age_sec` 0: no-cache. Both below ten million. */
void answer_set_init(
    struct answer_set *set, int64_t max_age_sec, int64_t retry_after_sec);

/* The answer with the date in it: valid until the next call. */
const struct answer *answer_get(struct answer_set *set, enum answer_text text,
    enum answer_connection connection, int64_t now_sec);

/* The text for a status of http_request.h; ANSWER_TEXT_400 for others. */
enum answer_text answer_text_of(unsigned status);

void answer_date_format(int64_t now_sec, char out[32]);

#endif
