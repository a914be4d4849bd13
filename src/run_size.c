/* SPDX-License-Identifier: ISC */
/*
 * Shards that have become large: a warning, in time, before `size_most` refuses
 * them. `crlpress plan --sizes` says more.
 */
#include <inttypes.h>

#include "run_impl.h"

/* A shard that was overtaken and is made again was told of already. */
void
run_warn_size(const struct run *run)
{
	uint64_t most = run->config->size_warning;
	const struct run_shard *largest = NULL;
	size_t count = 0;

	for (size_t i = 0; !run->is_again && i < run->shard_count; i++) {
		const struct run_shard *shard = &run->shard[i];

		if (!run_shard_is_made(shard) || shard->staged.size <= most)
			continue;
		count++;
		if (largest == NULL ||
		    shard->staged.size > largest->staged.size)
			largest = shard;
	}
	if (largest == NULL)
		return;
	report_warn(run->report, run->config->name, "size", "house rule",
	    "%zu of %zu shards are larger than size_warning; the largest is "
	    "shard %" PRIu32 ", have %" PRIu64 " bytes, want at most %" PRIu64,
	    count, run->shard_count, largest->index,
	    (uint64_t)largest->staged.size, most);
	report_hint(run->report,
	    "crlpress plan --sizes says when which will be how large");
}
