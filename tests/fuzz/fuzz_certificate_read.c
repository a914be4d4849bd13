/* SPDX-License-Identifier: ISC */
/* The walk over a certificate: what it hands out lies within the bytes. */
#include <stdlib.h>
#include <string.h>

#include "crlpress/certificate_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check_view(const struct certificate *certificate, const struct crl_view *view)
{
	const uint8_t *end = certificate->bytes.data + certificate->bytes.len;

	if (view->data != NULL && (view->data < certificate->bytes.data ||
				      view->data + view->len > end))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct certificate certificate;
	struct crl_fault fault = {0};

	if (certificate_parse(data, len, &certificate, &fault) != STATUS_OK) {
		if (fault.text == NULL || fault.rule == NULL ||
		    fault.offset > len)
			abort();
		return 0;
	}
	check_view(&certificate, &certificate.integer);
	check_view(&certificate, &certificate.issuer);
	check_view(&certificate, &certificate.subject);
	check_view(&certificate, &certificate.key_id);
	for (size_t i = 0; i < certificate.url_count; i++)
		check_view(&certificate, &certificate.url[i]);
	return 0;
}
