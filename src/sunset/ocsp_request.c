/* SPDX-License-Identifier: ISC */
/*
 * RFC 6960, 4.1.1, with the strict DER reader of the core, and the base64 of
 * RFC 6960, A.1.
 */
#include "ocsp_request.h"

#include <string.h>

#include "crlpress/der_read.h"

#define CONTEXT(number) ((uint8_t)(0xa0 | (number)))

struct hash_row {
	enum count_hash hash;
	size_t len;
	uint8_t oid[9];
};

/* RFC 3279, 2.2.3 and RFC 5754, 2: algorithms that clients use. */
static const struct hash_row hashes[] = {
    {COUNT_HASH_SHA1, 5, {0x2b, 0x0e, 0x03, 0x02, 0x1a}},
    {COUNT_HASH_SHA256, 9,
	{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}},
};

/* RFC 9654, 2.1: id-pkix-ocsp 2. */
static const uint8_t nonce_oid[] = {
    0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};

/* The next value if it has this tag; skips nothing else. */
static enum status
take(struct der_reader *reader, uint8_t tag, struct der_value *value)
{
	struct crl_fault fault;

	return der_take(reader, tag, DER_RULE_DER, "", value, &fault);
}

/* A value that may be absent: STATUS_NOT_FOUND then. */
static enum status
take_optional(struct der_reader *reader, uint8_t tag, struct der_value *value)
{
	if (der_peek(reader) != tag)
		return STATUS_NOT_FOUND;
	return take(reader, tag, value);
}

static bool
at_end(const struct der_reader *reader)
{
	return reader->position == reader->end;
}

static enum count_hash
hash_find(const struct crl_view *oid)
{
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (oid->len == hashes[i].len &&
		    memcmp(oid->data, hashes[i].oid, oid->len) == 0)
			return hashes[i].hash;
	return COUNT_HASH_OTHER;
}

/* CertID: algorithm, hash of the name, hash of the key, serial number. */
static enum status
cert_id_read(const uint8_t *der, const struct der_value *cert_id,
    struct ocsp_request *request)
{
	struct der_reader reader = der_reader_in(der, cert_id);
	struct der_value algorithm, oid, name, key, serial;
	struct der_reader inner;

	if (take(&reader, DER_SEQUENCE, &algorithm) != STATUS_OK ||
	    take(&reader, DER_OCTET_STRING, &name) != STATUS_OK ||
	    take(&reader, DER_OCTET_STRING, &key) != STATUS_OK ||
	    take(&reader, DER_INTEGER, &serial) != STATUS_OK ||
	    !at_end(&reader))
		return STATUS_MALFORMED;
	inner = der_reader_in(der, &algorithm);
	if (take(&inner, DER_OID, &oid) != STATUS_OK)
		return STATUS_MALFORMED;
	request->hash = hash_find(&oid.content);
	request->key_hash = key.content.data;
	request->key_hash_len = key.content.len;
	return STATUS_OK;
}

/* requestList: at least one Request; of the first, its CertID. */
static enum status
list_read(const uint8_t *der, const struct der_value *list,
    struct ocsp_request *request)
{
	struct der_reader reader = der_reader_in(der, list);
	struct der_value one, cert_id;
	struct der_reader inner;

	if (take(&reader, DER_SEQUENCE, &one) != STATUS_OK)
		return STATUS_MALFORMED;
	inner = der_reader_in(der, &one);
	if (take(&inner, DER_SEQUENCE, &cert_id) != STATUS_OK)
		return STATUS_MALFORMED;
	while (!at_end(&reader))
		if (take(&reader, DER_SEQUENCE, &one) != STATUS_OK)
			return STATUS_MALFORMED;
	return cert_id_read(der, &cert_id, request);
}

/* [2] EXPLICIT Extensions */
static enum status
extensions_read(const uint8_t *der, const struct der_value *explicit,
    struct ocsp_request *request)
{
	struct der_reader reader = der_reader_in(der, explicit);
	struct crl_extension extension;
	struct crl_fault fault;
	struct der_value list;
	struct der_reader inner;

	if (take(&reader, DER_SEQUENCE, &list) != STATUS_OK || !at_end(&reader))
		return STATUS_MALFORMED;
	inner = der_reader_in(der, &list);
	while (!at_end(&inner)) {
		if (der_take_extension(&inner, &extension, &fault) != STATUS_OK)
			return STATUS_MALFORMED;
		if (extension.oid.len == sizeof(nonce_oid) &&
		    memcmp(extension.oid.data, nonce_oid, sizeof(nonce_oid)) ==
			0)
			request->nonce = true;
	}
	return STATUS_OK;
}

/* TBSRequest: version, requestorName, requestList, requestExtensions. */
static enum status
tbs_read(const uint8_t *der, const struct der_value *tbs,
    struct ocsp_request *request)
{
	struct der_reader reader = der_reader_in(der, tbs);
	struct der_value skipped, list, extensions;
	enum status status;

	for (unsigned number = 0; number < 2; number++)
		if (take_optional(&reader, CONTEXT(number), &skipped) ==
		    STATUS_MALFORMED)
			return STATUS_MALFORMED;
	if (take(&reader, DER_SEQUENCE, &list) != STATUS_OK)
		return STATUS_MALFORMED;
	status = list_read(der, &list, request);
	if (status != STATUS_OK)
		return status;
	status = take_optional(&reader, CONTEXT(2), &extensions);
	if (status == STATUS_OK)
		status = extensions_read(der, &extensions, request);
	if (status == STATUS_MALFORMED || !at_end(&reader))
		return STATUS_MALFORMED;
	return STATUS_OK;
}

enum status
ocsp_request_parse(const uint8_t *der, size_t len, struct ocsp_request *request)
{
	struct der_reader reader =
	    der_reader_of(der, (struct crl_view){der, len});
	struct ocsp_request found = {0};
	struct der_value whole, tbs, signature;
	struct der_reader inner;

	*request = found;
	if (take(&reader, DER_SEQUENCE, &whole) != STATUS_OK ||
	    !at_end(&reader))
		return STATUS_MALFORMED;
	inner = der_reader_in(der, &whole);
	if (take(&inner, DER_SEQUENCE, &tbs) != STATUS_OK ||
	    take_optional(&inner, CONTEXT(0), &signature) == STATUS_MALFORMED ||
	    !at_end(&inner) || tbs_read(der, &tbs, &found) != STATUS_OK)
		return STATUS_MALFORMED;
	*request = found;
	return STATUS_OK;
}

/* The next character of the path with its escape undone; -1: a bad escape. */
static int
path_next(const char *path, size_t len, size_t *at)
{
	static const char digits[] = "0123456789abcdef";
	int value = 0;
	char c = path[(*at)++];

	if (c != '%')
		return (unsigned char)c;
	if (len - *at < 2)
		return -1;
	for (unsigned i = 0; i < 2; i++) {
		const char *digit;

		c = path[(*at)++];
		if (c >= 'A' && c <= 'F')
			c = (char)(c | 0x20);
		digit = c == '\0' ? NULL : strchr(digits, c);
		if (digit == NULL)
			return -1;
		value = value << 4 | (int)(digit - digits);
	}
	return value;
}

/* RFC 4648, 4; -1: not of the alphabet. */
static int
base64_value(int c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == ' ')
		return 62;
	return c == '/' ? 63 : -1;
}

/*
 * Decodes all of it; false when it is not base64. What fills up the last
 * digit must be 0 (RFC 4648, 3.5), and padding, if there is any, right.
 */
static bool
base64_decode(const char *path, size_t len, uint8_t *der, size_t *der_len)
{
	uint32_t bits = 0;
	size_t digits = 0;
	size_t pads = 0;
	size_t n = 0;
	size_t at = 0;

	while (at < len) {
		int c = path_next(path, len, &at);
		int value = c < 0 ? -1 : base64_value(c);

		if (c == '=' && ++pads <= 2)
			continue;
		if (value < 0 || pads > 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		/* The first digit of four completes no octet. */
		if (digits++ % 4 != 0)
			der[n++] =
			    (uint8_t)(bits >> (6 - 2 * ((digits - 1) % 4)));
	}
	if (digits % 4 == 1 || (pads > 0 && (digits + pads) % 4 != 0))
		return false;
	if ((digits % 4 == 2 && (bits & 15) != 0) ||
	    (digits % 4 == 3 && (bits & 3) != 0))
		return false;
	*der_len = n;
	return true;
}

enum status
ocsp_path_parse(
    const char *path, size_t len, uint8_t *der, struct ocsp_request *request)
{
	unsigned tries = 0;

	for (size_t at = 0; at + 1 < len && tries < OCSP_PATH_TRIES; at++) {
		size_t der_len = 0;

		if (path[at] != '/' || path[at + 1] != 'M')
			continue;
		tries++;
		if (base64_decode(path + at + 1, len - at - 1, der, &der_len) &&
		    ocsp_request_parse(der, der_len, request) == STATUS_OK)
			return STATUS_OK;
	}
	*request = (struct ocsp_request){0};
	return STATUS_MALFORMED;
}
