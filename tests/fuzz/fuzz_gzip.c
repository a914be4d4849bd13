/* SPDX-License-Identifier: ISC */
/*
 * gzip_unpack on any bytes, of which the first says how much is allowed: never
 * more than that, and nothing to free when it is refused.
 */
#include <stdint.h>
#include <stdlib.h>

#include "crlpress/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gzip_bytes unpacked, packed, again;
	const char *why = NULL;
	uint64_t most;

	if (size < 2)
		return 0;
	most = (uint64_t)data[0] * data[1];
	if (gzip_unpack(data + 2, size - 2, most, &unpacked, &why) !=
	    STATUS_OK) {
		if (unpacked.data != NULL || why == NULL)
			abort();
		return 0;
	}
	if (unpacked.len > most)
		abort();
	if (gzip_pack(unpacked.data, unpacked.len, &packed) != STATUS_OK ||
	    gzip_unpack(packed.data, packed.len, unpacked.len, &again, &why) !=
		STATUS_OK ||
	    again.len != unpacked.len)
		abort();
	gzip_bytes_free(&again);
	gzip_bytes_free(&packed);
	gzip_bytes_free(&unpacked);
	return 0;
}
