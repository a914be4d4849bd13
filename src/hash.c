/* SPDX-License-Identifier: ISC */
/* SHA-256 by libcrypto, which knows the processor's instructions for it. */
#include "crlpress/hash.h"

#include <openssl/evp.h>

enum status
hash_bytes(const uint8_t *data, size_t len, struct hash *hash)
{
	unsigned int hash_len = 0;

	/* libcrypto wants a pointer even where there is nothing to read. */
	if (len == 0)
		data = (const uint8_t *)"";
	if (EVP_Digest(data, len, hash->octet, &hash_len, EVP_sha256(), NULL) !=
	    1)
		return STATUS_FAILED;
	return hash_len == HASH_BYTES ? STATUS_OK : STATUS_FAILED;
}
