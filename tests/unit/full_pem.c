/* SPDX-License-Identifier: ISC */
/* PEM to DER: what stands around it is judged for CRLs, and left out of
 * certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/pem.h"

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"
#define BASE64 "MAMCAQU=\n"

static const uint8_t bytes[] = {0x30, 0x03, 0x02, 0x01, 0x05};

static void
test_certificates(void **state)
{
	static const struct {
		const char *text;
		const char *why; /* NULL: it is one */
	} cases[] = {
	    {BEGIN BASE64 END, NULL},
	    {"Certificate:\n    Data:\n" BEGIN BASE64 END "the end\n", NULL},
	    {"Bag Attributes\r\n" BEGIN BASE64 END, NULL},
	    {"", "no -----BEGIN CERTIFICATE----- in it"},
	    {"-----BEGIN X509 CRL-----\n" BASE64 "-----END X509 CRL-----\n",
		"no -----BEGIN CERTIFICATE----- in it"},
	    {BEGIN BASE64 END BEGIN BASE64 END,
		"more than one certificate in it"},
	    {BEGIN BASE64 BEGIN BASE64 END, "more than one certificate in it"},
	    {BEGIN BASE64, "not base64 as PEM has it"},
	    {BEGIN "M!MCAQU=\n" END, "not base64 as PEM has it"},
	    {BEGIN END, "not base64 as PEM has it"},
	    {BEGIN "Proc-Type: 4,ENCRYPTED\n\n" BASE64 END,
		"not base64 as PEM has it"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = NULL;
		uint8_t *der = NULL;
		size_t len = 0;
		enum status status =
		    pem_read_certificate((const uint8_t *)cases[i].text,
			strlen(cases[i].text), &der, &len, &why);

		if (cases[i].why != NULL) {
			assert_int_equal(status, STATUS_MALFORMED);
			assert_string_equal(why, cases[i].why);
			continue;
		}
		assert_int_equal(status, STATUS_OK);
		assert_int_equal(len, sizeof(bytes));
		assert_memory_equal(der, bytes, sizeof(bytes));
		free(der);
	}
}

/* Of a CRL nothing may stand around, as before. */
static void
test_crls(void **state)
{
	static const char crl[] =
	    "-----BEGIN X509 CRL-----\n" BASE64 "-----END X509 CRL-----\n";
	static const char around[] =
	    "x\n-----BEGIN X509 CRL-----\n" BASE64 "-----END X509 CRL-----\n";
	const char *why = NULL;
	uint8_t *der = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(pem_read_crl((const uint8_t *)crl, sizeof(crl) - 1,
			     &der, &len, &why),
	    STATUS_OK);
	assert_int_equal(len, sizeof(bytes));
	assert_memory_equal(der, bytes, sizeof(bytes));
	free(der);
	assert_int_equal(pem_read_crl((const uint8_t *)around,
			     sizeof(around) - 1, &der, &len, &why),
	    STATUS_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_certificates),
	    cmocka_unit_test(test_crls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
