/* SPDX-License-Identifier: ISC */
/* PEM as libcrypto writes it, of every length, and what is not PEM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "crlpress/base64.h"

#define LABEL "CERTIFICATE"
#define OCTETS_MOST 400

static char *
pem_write(const uint8_t *octets, size_t len, size_t *text_len)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long n;

	assert_non_null(bio);
	assert_true(
	    PEM_write_bio(bio, LABEL, "", octets, (long)len) > 0 || len == 0);
	n = BIO_get_mem_data(bio, &text);
	/* Exactly as long as it is, for the sanitizers. */
	copy = malloc((size_t)n + 1);
	assert_non_null(copy);
	memcpy(copy, text, (size_t)n);
	*text_len = (size_t)n;
	(void)BIO_free(bio);
	return copy;
}

static void
every_length_is_read(void **state)
{
	uint8_t octets[OCTETS_MOST], *have;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 167 + 13);
	for (size_t len = 1; len <= sizeof(octets); len++) {
		size_t text_len, have_len = 0;
		char *text = pem_write(octets, len, &text_len);

		have = malloc(len);
		assert_non_null(have);
		assert_int_equal(base64_from_pem(text, text_len, LABEL, have,
				     len, &have_len, &why),
		    STATUS_OK);
		assert_int_equal(have_len, len);
		assert_memory_equal(have, octets, len);
		/* One octet less room is too little. */
		assert_int_equal(base64_from_pem(text, text_len, LABEL, have,
				     len - 1, &have_len, &why),
		    STATUS_MALFORMED);
		assert_int_equal(base64_from_pem(text, text_len, "X509 CRL",
				     have, len, &have_len, &why),
		    STATUS_MALFORMED);
		/* No piece of it is one, but for the last line's end. */
		for (size_t cut = 0; cut + 1 < text_len; cut++)
			assert_int_equal(base64_from_pem(text, cut, LABEL, have,
					     len, &have_len, &why),
			    STATUS_MALFORMED);
		free(have);
		free(text);
	}
}

struct text {
	const char *text;
	enum status status;
};

#define PEM(body) "-----BEGIN " LABEL "-----\n" body "-----END " LABEL "-----\n"

static const struct text texts[] = {
    {PEM("AAAA\n"), STATUS_OK},
    {PEM("AAAA"), STATUS_OK},
    {" \r\n\t" PEM("AAAA\r\n") "\r\n \t", STATUS_OK},
    {PEM("A\nA\nA\nA\n"), STATUS_OK},
    {PEM("AA==\n"), STATUS_OK},
    {PEM("AAA=\n"), STATUS_OK},
    {PEM("AAAAAA=\n=\n"), STATUS_OK},
    {"x" PEM("AAAA\n"), STATUS_MALFORMED},
    {PEM("AAAA\n") "x", STATUS_MALFORMED},
    {PEM("AAAA\n") PEM("AAAA\n"), STATUS_MALFORMED},
    {PEM("AAAA AAAA\n"), STATUS_MALFORMED},
    {PEM("AAA\n"), STATUS_MALFORMED},
    {PEM("AAAAA\n"), STATUS_MALFORMED},
    {PEM("AA=A\n"), STATUS_MALFORMED},
    {PEM("=AAA\n"), STATUS_MALFORMED},
    {PEM("A===\n"), STATUS_MALFORMED},
    {PEM("====\n"), STATUS_MALFORMED},
    {PEM("AA==AAAA\n"), STATUS_MALFORMED},
    {PEM("AA==\nAAAA\n"), STATUS_MALFORMED},
    {PEM("AAA=A"), STATUS_MALFORMED},
    {PEM("AB==\n"), STATUS_MALFORMED},
    {PEM("AAB=\n"), STATUS_MALFORMED},
    {PEM("AA\xc3\xa9\n"), STATUS_MALFORMED},
    {PEM("AA_-\n"), STATUS_MALFORMED},
    {PEM("Proc-Type: 4,ENCRYPTED\n\nAAAA\n"), STATUS_MALFORMED},
    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END X509 CRL-----\n",
	STATUS_MALFORMED},
    {"-----BEGIN CERTIFICATE----\nAAAA\n-----END CERTIFICATE-----\n",
	STATUS_MALFORMED},
    {"", STATUS_MALFORMED},
};

static void
texts_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *why = NULL;
		uint8_t octets[64];
		size_t len = 0;
		enum status have =
		    base64_from_pem(texts[i].text, strlen(texts[i].text), LABEL,
			octets, sizeof(octets), &len, &why);

		if (have != texts[i].status)
			fail_msg("%s", texts[i].text);
		assert_int_equal(have == STATUS_OK, why == NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_length_is_read),
	    cmocka_unit_test(texts_are_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
