/* SPDX-License-Identifier: ISC */
/* PEM by libcrypto, and stricter than it about what stands around. */
#include "crlpress/pem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#define BEGIN "-----BEGIN X509 CRL-----"
#define END "-----END X509 CRL-----"
#define BEGIN_CERTIFICATE "-----BEGIN CERTIFICATE-----"

bool
pem_is_likely(const uint8_t *data, size_t len)
{
	return memmem(data, len < 4096 ? len : 4096, "-----BEGIN ", 11) != NULL;
}

/* Both ends first: a file may be large and have nothing between them. */
static const char *
surroundings_fault(const uint8_t *data, size_t len)
{
	const size_t end_len = sizeof(END) - 1;

	if (len < sizeof(BEGIN) - 1 ||
	    memcmp(data, BEGIN, sizeof(BEGIN) - 1) != 0)
		return "PEM text does not begin with " BEGIN;
	while (data[len - 1] == '\n' || data[len - 1] == '\r')
		len--;
	if (len < end_len || memcmp(data + len - end_len, END, end_len) != 0)
		return "PEM text does not end with " END;
	if (memmem(data, len, END, end_len) != data + len - end_len)
		return "more than one PEM text";
	return NULL;
}

/* The first PEM text in these bytes. */
static enum status
text_read(const uint8_t *data, size_t len, uint8_t **der, size_t *der_len,
    const char **why)
{
	char *name = NULL, *header = NULL;
	enum status status = STATUS_MALFORMED;
	unsigned char *bytes = NULL;
	BIO *bio = NULL;
	long size = 0;

	*why = "not base64 as PEM has it";
	if (len <= INT_MAX)
		bio = BIO_new_mem_buf(data, (int)len);
	if (bio == NULL ||
	    PEM_read_bio(bio, &name, &header, &bytes, &size) != 1 ||
	    header[0] != '\0' || size <= 0)
		goto out;
	*der = malloc((size_t)size);
	if (*der == NULL) {
		status = STATUS_NO_MEMORY;
		goto out;
	}
	memcpy(*der, bytes, (size_t)size);
	*der_len = (size_t)size;
	status = STATUS_OK;
out:
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(bytes);
	BIO_free(bio);
	ERR_clear_error();
	return status;
}

enum status
pem_read_crl(const uint8_t *data, size_t len, uint8_t **der, size_t *der_len,
    const char **why)
{
	*why = surroundings_fault(data, len);
	if (*why != NULL)
		return STATUS_MALFORMED;
	return text_read(data, len, der, der_len, why);
}

enum status
pem_read_certificate(const uint8_t *data, size_t len, uint8_t **der,
    size_t *der_len, const char **why)
{
	const size_t begin_len = sizeof(BEGIN_CERTIFICATE) - 1;
	const uint8_t *begin = memmem(data, len, BEGIN_CERTIFICATE, begin_len);
	const uint8_t *rest;

	if (begin == NULL) {
		*why = "no " BEGIN_CERTIFICATE " in it";
		return STATUS_MALFORMED;
	}
	rest = begin + begin_len;
	if (memmem(rest, (size_t)(data + len - rest), BEGIN_CERTIFICATE,
		begin_len) != NULL) {
		*why = "more than one certificate in it";
		return STATUS_MALFORMED;
	}
	return text_read(
	    begin, (size_t)(data + len - begin), der, der_len, why);
}
