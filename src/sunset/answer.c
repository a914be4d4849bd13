/* SPDX-License-Identifier: ISC */
/* The table of answers, and their bytes. */
#include "answer.h"

#include <stdio.h>
#include <string.h>

#include "crlpress/utc.h"

enum {
	WITH_CACHE = 1, /* the configured Cache-Control */
	WITH_RETRY = 2,
	WITH_ALLOW = 4, /* RFC 9110, 9.3.7 and 15.5.6 */
	WITH_NO_STORE = 8
};

struct answer_row {
	const char *status;
	const char *type; /* Content-Type; NULL: no body */
	const char *body; /* NULL: the mode's DER */
	size_t body_len;
	unsigned with;
};

#define OCSP_TYPE "application/ocsp-response"
#define OCSP_ROW                                                        \
	{                                                               \
		"200 OK", OCSP_TYPE, NULL, ANSWER_DER_BYTES, WITH_CACHE \
	}
#define ERROR_ROW(status)                            \
	{                                            \
		status, NULL, NULL, 0, WITH_NO_STORE \
	}

static const char health_body[] = "ok\n";

/* RFC 6960, A.2: the media type, and status 200 for any OCSP response. */
static const struct answer_row rows[ANSWER_TEXTS] = {
    [ANSWER_TEXT_UNAUTHORIZED] = OCSP_ROW,
    [ANSWER_TEXT_TRYLATER] = OCSP_ROW,
    [ANSWER_TEXT_INTERNAL] = OCSP_ROW,
    [ANSWER_TEXT_GONE] = {"410 Gone", NULL, NULL, 0, WITH_CACHE},
    [ANSWER_TEXT_NOT_FOUND] = {"404 Not Found", NULL, NULL, 0, WITH_CACHE},
    [ANSWER_TEXT_UNAVAILABLE] = {"503 Service Unavailable", NULL, NULL, 0,
	WITH_CACHE | WITH_RETRY},
    [ANSWER_TEXT_HEALTH] = {"200 OK", "text/plain", health_body,
	sizeof(health_body) - 1, WITH_NO_STORE},
    [ANSWER_TEXT_OPTIONS] = {"200 OK", NULL, NULL, 0, WITH_ALLOW},
    [ANSWER_TEXT_400] = ERROR_ROW("400 Bad Request"),
    [ANSWER_TEXT_405] = {"405 Method Not Allowed", NULL, NULL, 0,
	WITH_NO_STORE | WITH_ALLOW},
    [ANSWER_TEXT_408] = ERROR_ROW("408 Request Timeout"),
    [ANSWER_TEXT_411] = ERROR_ROW("411 Length Required"),
    [ANSWER_TEXT_413] = ERROR_ROW("413 Content Too Large"),
    [ANSWER_TEXT_414] = ERROR_ROW("414 URI Too Long"),
    [ANSWER_TEXT_417] = ERROR_ROW("417 Expectation Failed"),
    [ANSWER_TEXT_431] = ERROR_ROW("431 Request Header Fields Too Large"),
    [ANSWER_TEXT_501] = ERROR_ROW("501 Not Implemented"),
    [ANSWER_TEXT_505] = ERROR_ROW("505 HTTP Version Not Supported"),
};

static const char *const connections[ANSWER_CONNECTIONS] = {
    [ANSWER_SILENT] = "",
    [ANSWER_KEEP_ALIVE] = "Connection: keep-alive\r\n",
    [ANSWER_CLOSING] = "Connection: close\r\n",
};

/* Type, cache, Retry-After, Allow. */
static size_t
fields_format(const struct answer_row *row, int64_t max_age_sec,
    int64_t retry_after_sec, char *out, size_t size)
{
	char cache[64] = "";
	char retry[48] = "";
	int len;

	if ((row->with & WITH_NO_STORE) != 0)
		(void)snprintf(
		    cache, sizeof(cache), "Cache-Control: no-store\r\n");
	else if ((row->with & WITH_CACHE) != 0 && max_age_sec == 0)
		(void)snprintf(
		    cache, sizeof(cache), "Cache-Control: no-cache\r\n");
	else if ((row->with & WITH_CACHE) != 0)
		(void)snprintf(cache, sizeof(cache),
		    "Cache-Control: max-age=%lld\r\n", (long long)max_age_sec);
	if ((row->with & WITH_RETRY) != 0)
		(void)snprintf(retry, sizeof(retry), "Retry-After: %lld\r\n",
		    (long long)retry_after_sec);
	len = snprintf(out, size, "%s%s%s%s%s%s",
	    row->type != NULL ? "Content-Type: " : "",
	    row->type != NULL ? row->type : "", row->type != NULL ? "\r\n" : "",
	    cache, retry,
	    (row->with & WITH_ALLOW) != 0
		? "Allow: GET, HEAD, POST, OPTIONS\r\n"
		: "");
	return len < 0 ? 0 : (size_t)len;
}

void
answer_date_format(int64_t now_sec, char out[32])
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct utc_civil civil;

	/* Nobody's clock is outside, but the calendar ends somewhere. */
	if (now_sec < 0 || now_sec > UTC_MAX_SEC)
		now_sec = 0;
	civil = utc_to_civil(now_sec);
	(void)snprintf(out, 32, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
	    days + 3 * (now_sec / 86400 % 7), (unsigned)civil.day % 100,
	    months + 3 * (civil.month - 1), (unsigned)civil.year % 10000,
	    (unsigned)civil.hour % 100, (unsigned)civil.minute % 100,
	    (unsigned)civil.second % 100);
}

static void
answer_init(struct answer *answer, enum answer_text text,
    enum answer_connection connection, int64_t max_age_sec,
    int64_t retry_after_sec)
{
	const struct answer_row *row = &rows[text];
	const void *body = row->body;
	char fields[192];
	int len;

	if (body == NULL && row->body_len > 0)
		body = answer_mode_der((enum answer_mode)text);
	(void)fields_format(
	    row, max_age_sec, retry_after_sec, fields, sizeof(fields));
	len = snprintf(answer->octet, sizeof(answer->octet),
	    "HTTP/1.1 %s\r\nDate: %*s\r\n%sContent-Length: %zu\r\n%s\r\n",
	    row->status, ANSWER_DATE_LEN, "", fields, row->body_len,
	    connections[connection]);
	answer->head_len = (uint16_t)len;
	answer->len = (uint16_t)((size_t)len + row->body_len);
	answer->date_at = (uint16_t)(strlen("HTTP/1.1 ") + strlen(row->status) +
				     strlen("\r\nDate: "));
	answer->date_sec = INT64_MIN;
	if (row->body_len > 0)
		memcpy(answer->octet + len, body, row->body_len);
}

void
answer_set_init(
    struct answer_set *set, int64_t max_age_sec, int64_t retry_after_sec)
{
	memset(set, 0, sizeof(*set));
	set->date_sec = INT64_MIN;
	for (unsigned text = 0; text < ANSWER_TEXTS; text++)
		for (unsigned i = 0; i < ANSWER_CONNECTIONS; i++)
			answer_init(&set->answer[text][i],
			    (enum answer_text)text, (enum answer_connection)i,
			    max_age_sec, retry_after_sec);
}

const struct answer *
answer_get(struct answer_set *set, enum answer_text text,
    enum answer_connection connection, int64_t now_sec)
{
	struct answer *answer = &set->answer[text][connection];

	if (answer->date_sec == now_sec)
		return answer;
	if (set->date_sec != now_sec) {
		answer_date_format(now_sec, set->date);
		set->date_sec = now_sec;
	}
	memcpy(answer->octet + answer->date_at, set->date, ANSWER_DATE_LEN);
	answer->date_sec = now_sec;
	return answer;
}

enum answer_text
answer_text_of(unsigned status)
{
	static const struct {
		unsigned status;
		enum answer_text text;
	} statuses[] = {
	    {400, ANSWER_TEXT_400},
	    {405, ANSWER_TEXT_405},
	    {408, ANSWER_TEXT_408},
	    {411, ANSWER_TEXT_411},
	    {413, ANSWER_TEXT_413},
	    {414, ANSWER_TEXT_414},
	    {417, ANSWER_TEXT_417},
	    {431, ANSWER_TEXT_431},
	    {501, ANSWER_TEXT_501},
	    {505, ANSWER_TEXT_505},
	};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return ANSWER_TEXT_400;
}
