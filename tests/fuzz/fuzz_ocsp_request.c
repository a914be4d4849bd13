/* SPDX-License-Identifier: ISC */
/*
 * OCSP requests out of any bytes, and out of any path: nothing is read behind
 * them, and what is found points into them. A request that is read must also
 * be read out of a path that holds it in base64.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/sunset/ocsp_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int held)
{
	if (!held)
		abort();
}

static size_t
to_base64(const uint8_t *data, size_t len, char *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)data[i] << 16;

		bits |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
		bits |= left > 2 ? data[i + 2] : 0;
		for (size_t k = 0; k < 4; k++)
			out[n++] = k > left
				       ? '='
				       : alphabet[bits >> (18 - 6 * k) & 63];
	}
	return n;
}

static void
path_check(const uint8_t *data, size_t size, const struct ocsp_request *want)
{
	char *path = malloc(size / 3 * 4 + 8);
	uint8_t *der;
	struct ocsp_request have;
	size_t len;

	require(path != NULL);
	path[0] = '/';
	len = to_base64(data, size, path + 1) + 1;
	der = malloc(OCSP_PATH_DER_BYTES(len));
	require(der != NULL);
	require(ocsp_path_parse(path, len, der, &have) == STATUS_OK);
	require(have.nonce == want->nonce && have.hash == want->hash &&
		have.key_hash_len == want->key_hash_len &&
		memcmp(have.key_hash, want->key_hash, have.key_hash_len) == 0);
	free(der);
	free(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *der = malloc(OCSP_PATH_DER_BYTES(size));
	struct ocsp_request request;

	require(der != NULL);
	if (ocsp_request_parse(data, size, &request) == STATUS_OK) {
		require(request.key_hash >= data &&
			request.key_hash + request.key_hash_len <= data + size);
		path_check(data, size, &request);
	} else {
		require(request.hash == COUNT_HASH_NONE && !request.nonce &&
			request.key_hash_len == 0);
	}
	if (ocsp_path_parse((const char *)data, size, der, &request) ==
	    STATUS_OK)
		require(request.hash != COUNT_HASH_NONE);
	free(der);
	return 0;
}
