/* SPDX-License-Identifier: ISC */
/*
 * Request line and fields of an HTTP head: RFC 9112, 3 and 5, RFC 9110, 5 to
 * 10. Of the fields only those count that say where the request ends, whom it
 * is for and what becomes of the connection; all are checked for their form.
 */
#include "http_field.h"

#include <string.h>

/* The kinds of octets that grammar rules ask for. */
enum {
	OCTET_TOKEN = 1,  /* tchar: RFC 9110, 5.6.2 */
	OCTET_TEXT = 2,   /* in a field's value: RFC 9110, 5.5 */
	OCTET_TARGET = 4, /* in a request target: RFC 9112, 3.2 */
	OCTET_HOST = 8,   /* in a reg-name: RFC 3986, 3.2.2 */
	OCTET_BASE64 = 16 /* in the path of an OCSP request, encoded or not */
};

#define TXT OCTET_TEXT
#define TGT (OCTET_TEXT | OCTET_TARGET)
#define TOK (OCTET_TOKEN | TGT)
#define HST (OCTET_HOST | TOK)
#define HTG (OCTET_HOST | TGT)
#define B64 (OCTET_BASE64 | HST)

/* '#' ends a target and cannot stand in one; '"<>\^`{|} are let through. */
static const uint8_t octets[256] = {
    ['\t'] = TXT,
    [' '] = TXT,
    ['!'] = HST,
    ['"'] = TGT,
    ['#'] = OCTET_TOKEN | TXT,
    ['$'] = HST,
    ['%'] = B64,
    ['&'] = HST,
    ['\''] = HST,
    ['('] = HTG,
    [')'] = HTG,
    ['*'] = HST,
    ['+'] = B64,
    [','] = HTG,
    ['-'] = HST,
    ['.'] = HST,
    ['/'] = OCTET_BASE64 | TGT,
    ['0' ... '9'] = B64,
    [':'] = TGT,
    [';'] = HTG,
    ['<'] = TGT,
    ['='] = OCTET_BASE64 | HTG,
    ['>'] = TGT,
    ['?'] = TGT,
    ['@'] = TGT,
    ['A' ... 'Z'] = B64,
    ['['] = TGT,
    ['\\'] = TGT,
    [']'] = TGT,
    ['^'] = TOK,
    ['_'] = HST,
    ['`'] = TOK,
    ['a' ... 'z'] = B64,
    ['{'] = TGT,
    ['|'] = TOK,
    ['}'] = TGT,
    ['~'] = HST,
    [0x80 ... 0xff] = TXT,
};

struct method_row {
	const char *name;
	uint32_t len;
	enum http_method method;
};

static const struct method_row methods[] = {
    {"GET", 3, HTTP_GET},
    {"POST", 4, HTTP_POST},
    {"HEAD", 4, HTTP_HEAD},
    {"OPTIONS", 7, HTTP_OPTIONS},
};

/* "HTTP/1.1" */
#define VERSION_LEN 8

static bool
refuse(struct http_request *request, uint16_t status)
{
	request->status = status;
	return false;
}

static bool
are(const char *text, size_t len, uint8_t kind)
{
	unsigned all = kind;

	for (size_t i = 0; i < len; i++)
		all &= octets[(unsigned char)text[i]];
	return all != 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* `name` is in lower case and as long as the text. */
static bool
same(const char *text, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (lower(text[i]) != name[i])
			return false;
	return true;
}

/* RFC 9110, 4.2: uri-host [ ":" port ]; RFC 9112, 3.2: it may be empty. */
static bool
host_read(
    struct http_request *request, const char *buffer, uint32_t at, uint32_t len)
{
	const char *host = buffer + at;
	uint32_t end = 0;

	if (len > 0 && host[0] == '[') {
		for (end = 1; end < len && host[end] != ']'; end++)
			if (host[end] != ':' && host[end] != '.' &&
			    !is_digit(host[end]) &&
			    (lower(host[end]) < 'a' || lower(host[end]) > 'f'))
				return refuse(request, 400);
		if (end == len || end < 3)
			return refuse(request, 400);
		end++;
	} else {
		while (end < len && host[end] != ':')
			end++;
		if (!are(host, end, OCTET_HOST))
			return refuse(request, 400);
	}
	request->host = (struct http_span){at, end};
	if (end == len)
		return true;
	if (host[end] != ':' || len - end > 6)
		return refuse(request, 400);
	for (uint32_t i = end + 1; i < len; i++)
		if (!is_digit(host[i]))
			return refuse(request, 400);
	return true;
}

/* RFC 9112, 3.2.2: the host of the target goes before the field Host. */
static bool
absolute_read(
    struct http_request *request, const char *buffer, uint32_t at, uint32_t len)
{
	static const char *const schemes[] = {"http://", "https://"};
	uint32_t skip = 0;
	uint32_t end;

	for (size_t i = 0; i < 2 && skip == 0; i++) {
		uint32_t n = (uint32_t)strlen(schemes[i]);

		if (len > n && same(buffer + at, schemes[i], n))
			skip = n;
	}
	if (skip == 0)
		return refuse(request, 400);
	end = skip;
	while (end < len && buffer[at + end] != '/' && buffer[at + end] != '?')
		end++;
	/* RFC 9110, 4.2.1: an http URI without a host is invalid. */
	if (end == skip || buffer[at + skip] == ':' ||
	    !host_read(request, buffer, at + skip, end - skip))
		return refuse(request, 400);
	request->has_target_host = true;
	request->path = (struct http_span){at + end, len - end};
	return true;
}

static void
query_cut(struct http_span *path, const char *buffer)
{
	const char *query;

	if (path->len == 0)
		return;
	query = memchr(buffer + path->at, '?', path->len);
	if (query != NULL)
		path->len = (uint32_t)(query - buffer) - path->at;
}

/*
 * RFC 9112, 3.2. A blank in a target is refused, as 3 would have it, but in
 * what can only be an OCSP request whose '+' somebody turned into a blank: a
 * path that ends in base64 of a SEQUENCE, without a query.
 */
static bool
is_blanked_request(const char *target, uint32_t len)
{
	const char *blank = memchr(target, ' ', len);
	uint32_t first = (uint32_t)(blank - target);
	uint32_t at = first;

	if (target[0] != '/' || target[len - 1] == ' ')
		return false;
	for (uint32_t i = first; i < len; i++)
		if (target[i] != ' ' && !are(target + i, 1, OCTET_BASE64))
			return false;
	/* Base64 may have begun before it, in which slashes stand too. */
	while (at > 0 && are(target + at - 1, 1, OCTET_BASE64))
		at--;
	return memmem(target + at, first - at, "/M", 2) != NULL &&
	       are(target, at, OCTET_TARGET) && memchr(target, '?', at) == NULL;
}

static bool
target_read(
    struct http_request *request, const char *buffer, uint32_t at, uint32_t len)
{
	const char *target = buffer + at;

	if (len == 0)
		return refuse(request, 400);
	if (request->method == HTTP_OTHER)
		return refuse(request, 405);
	if (!are(target, len, OCTET_TARGET)) {
		if (memchr(target, ' ', len) == NULL ||
		    !is_blanked_request(target, len))
			return refuse(request, 400);
		request->blank = true;
	}
	if (target[0] == '/')
		request->path = (struct http_span){at, len};
	else if (len == 1 && target[0] == '*' &&
		 request->method == HTTP_OPTIONS)
		request->asterisk = true;
	else if (!absolute_read(request, buffer, at, len))
		return false;
	query_cut(&request->path, buffer);
	return true;
}

/* RFC 9112, 2.3: case-sensitive, one digit each. */
static bool
version_read(struct http_request *request, const char *text)
{
	if (memcmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) ||
	    text[6] != '.' || !is_digit(text[7]))
		return refuse(request, 400);
	if (text[5] != '1')
		return refuse(request, 505);
	/* RFC 9110, 6.2: a higher minor version is read as the known one. */
	request->minor = text[7] == '0' ? 0 : 1;
	return true;
}

/* RFC 9112, 3: method SP request-target SP HTTP-version */
bool
http_line_read(
    struct http_request *request, const char *buffer, uint32_t at, uint32_t len)
{
	const char *line = buffer + at;
	const char *blank = memchr(line, ' ', len);
	uint32_t method;

	if (blank == NULL || blank == line)
		return refuse(request, 400);
	method = (uint32_t)(blank - line);
	if (!are(line, method, OCTET_TOKEN) || len - method < VERSION_LEN + 3 ||
	    line[len - VERSION_LEN - 1] != ' ' ||
	    !version_read(request, line + len - VERSION_LEN))
		return refuse(
		    request, request->status != 0 ? request->status : 400);
	request->method = HTTP_OTHER;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (method == methods[i].len &&
		    memcmp(line, methods[i].name, method) == 0)
			request->method = methods[i].method;
	return target_read(request, buffer, at + method + 1,
	    len - method - 1 - VERSION_LEN - 1);
}

/* RFC 9110, 8.6, RFC 9112, 6.3: digits, once. */
static bool
length_read(struct http_request *request, const char *value, uint32_t len)
{
	uint32_t length = 0;

	if (request->has_length || len == 0)
		return refuse(request, 400);
	for (uint32_t i = 0; i < len; i++)
		if (!is_digit(value[i]))
			return refuse(request, 400);
	for (uint32_t i = 0; i < len; i++) {
		length = length * 10 + (uint32_t)(value[i] - '0');
		if (length > HTTP_BODY_MOST)
			return refuse(request, 413);
	}
	request->has_length = true;
	request->left = length;
	return true;
}

/*
 * RFC 9112, 6.1 and 7: "chunked", once. What is not known is 501; a second
 * one, and one in HTTP/1.0, is faulty framing.
 */
static bool
coding_read(struct http_request *request, const char *value, uint32_t len)
{
	if (request->chunked || request->minor == 0)
		return refuse(request, 400);
	if (len < 7 || !same(value, "chunked", 7))
		return refuse(request, len == 0 ? 400 : 501);
	if (len > 7)
		return refuse(request, are(value, 8, OCTET_TOKEN) ? 501 : 400);
	request->chunked = true;
	return true;
}

/* RFC 9110, 7.6.1: a list of tokens. */
static void
connection_read(struct http_request *request, const char *value, uint32_t len)
{
	uint32_t at = 0;

	while (at < len) {
		uint32_t end = at;
		uint32_t last;

		while (end < len && value[end] != ',')
			end++;
		last = end;
		while (at < last && (value[at] == ' ' || value[at] == '\t'))
			at++;
		while (last > at &&
		       (value[last - 1] == ' ' || value[last - 1] == '\t'))
			last--;
		if (last - at == 5 && same(value + at, "close", 5))
			request->says_close = true;
		if (last - at == 10 && same(value + at, "keep-alive", 10))
			request->says_keep_alive = true;
		at = end + 1;
	}
}

/* RFC 9110, 10.1.1; an HTTP/1.0 client's is ignored. */
static bool
expect_read(struct http_request *request, const char *value, uint32_t len)
{
	if (request->minor == 0)
		return true;
	if (len != 12 || !same(value, "100-continue", 12))
		return refuse(request, 417);
	request->expects = true;
	return true;
}

/* RFC 9112, 3.2: one, and it is ignored when the target names a host. */
static bool
host_field_read(
    struct http_request *request, const char *buffer, uint32_t at, uint32_t len)
{
	struct http_span host = request->host;

	if (request->has_host || !host_read(request, buffer, at, len))
		return refuse(request, 400);
	request->has_host = true;
	if (request->has_target_host)
		request->host = host;
	return true;
}

/*
 * RFC 9112, 5: field-name ":" OWS field-value OWS. No blank before the colon
 * (5.1), no folded line (5.2). Returns the length of the name, 0 when it is
 * refused, and cuts the value.
 */
static uint32_t
field_split(const char *line, uint32_t len, uint32_t *at, uint32_t *end)
{
	const char *colon = memchr(line, ':', len);
	uint32_t name;

	if (colon == NULL || colon == line)
		return 0;
	name = (uint32_t)(colon - line);
	if (!are(line, name, OCTET_TOKEN) ||
	    !are(colon + 1, len - name - 1, OCTET_TEXT))
		return 0;
	*at = name + 1;
	*end = len;
	while (*at < *end && (line[*at] == ' ' || line[*at] == '\t'))
		(*at)++;
	while (*end > *at && (line[*end - 1] == ' ' || line[*end - 1] == '\t'))
		(*end)--;
	return name;
}

bool
http_field_read(
    struct http_request *request, const char *buffer, uint32_t at, uint32_t len)
{
	const char *line = buffer + at;
	uint32_t value = 0;
	uint32_t end = 0;
	uint32_t name = field_split(line, len, &value, &end);

	if (name == 0)
		return refuse(request, 400);
	if (request->fields++ == HTTP_FIELDS_MOST)
		return refuse(request, 431);
	if (name == 4 && same(line, "host", 4))
		return host_field_read(
		    request, buffer, at + value, end - value);
	if (name == 14 && same(line, "content-length", 14))
		return length_read(request, line + value, end - value);
	if (name == 17 && same(line, "transfer-encoding", 17))
		return coding_read(request, line + value, end - value);
	if (name == 6 && same(line, "expect", 6))
		return expect_read(request, line + value, end - value);
	if (name == 10 && same(line, "connection", 10))
		connection_read(request, line + value, end - value);
	return true;
}

bool
http_trailer_read(
    struct http_request *request, const char *buffer, uint32_t at, uint32_t len)
{
	uint32_t value;
	uint32_t end;

	if (field_split(buffer + at, len, &value, &end) == 0)
		return refuse(request, 400);
	if (request->fields++ == HTTP_FIELDS_MOST)
		return refuse(request, 431);
	return true;
}

bool
http_is_text(const char *text, size_t len)
{
	return are(text, len, OCTET_TEXT);
}
