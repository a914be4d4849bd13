/* SPDX-License-Identifier: ISC */
/*
 * Two manifests that were made from one: of whoever put theirs first, and
 * ours. Nothing that either says anew may be lost, and nothing newer may be
 * followed by something older.
 */
#include <stdlib.h>
#include <string.h>

#include "crlpress/manifest.h"

/* One line as each of the three has it; NULL: not at all. */
struct lines {
	const struct manifest_shard *before;
	const struct manifest_shard *theirs;
	const struct manifest_shard *ours;
};

/* With strings of its own; nothing to free when it fails. */
static enum status
shard_copy(const struct manifest_shard *from, struct manifest_shard *to)
{
	*to = *from;
	to->url = strdup(from->url);
	to->key = strdup(from->key);
	if (to->url != NULL && to->key != NULL)
		return STATUS_OK;
	free(to->url);
	free(to->key);
	*to = (struct manifest_shard){0};
	return STATUS_NO_MEMORY;
}

static bool
is_same(const struct manifest_shard *a, const struct manifest_shard *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return uint160_compare(&a->number, &b->number) == 0 &&
	       memcmp(&a->sha256, &b->sha256, sizeof(a->sha256)) == 0 &&
	       a->withheld == b->withheld && a->has_leaving == b->has_leaving &&
	       a->has_expiring == b->has_expiring &&
	       a->has_settled == b->has_settled;
}

/*
 * Who changed it has it; of two who did, the higher number, for each put its
 * CRL where the other's stood or was made again. One number is one CRL: who
 * was there first knows how it came to stand.
 */
static const struct manifest_shard *
choose_line(const struct lines *lines)
{
	if (is_same(lines->ours, lines->before))
		return lines->theirs;
	if (is_same(lines->theirs, lines->before))
		return lines->ours;
	if (lines->ours == NULL || lines->theirs == NULL)
		return lines->ours != NULL ? lines->ours : lines->theirs;
	return uint160_compare(&lines->ours->number, &lines->theirs->number) > 0
		   ? lines->ours
		   : lines->theirs;
}

/* The next index that one of the two has; false after the last. */
static bool
next_lines(const struct manifest *before, const struct manifest *theirs,
    const struct manifest *ours, size_t at[2], struct lines *lines)
{
	uint32_t index = UINT32_MAX;

	*lines = (struct lines){0};
	if (at[0] < theirs->shard_count)
		lines->theirs = &theirs->shard[at[0]];
	if (at[1] < ours->shard_count)
		lines->ours = &ours->shard[at[1]];
	if (lines->theirs == NULL && lines->ours == NULL)
		return false;
	if (lines->theirs != NULL)
		index = lines->theirs->index;
	if (lines->ours != NULL && lines->ours->index < index)
		index = lines->ours->index;
	if (lines->theirs != NULL && lines->theirs->index != index)
		lines->theirs = NULL;
	if (lines->ours != NULL && lines->ours->index != index)
		lines->ours = NULL;
	at[0] += lines->theirs != NULL;
	at[1] += lines->ours != NULL;
	lines->before = manifest_find(before, index);
	return true;
}

static enum status
join_shards(const struct manifest *before, const struct manifest *theirs,
    const struct manifest *ours, struct manifest *joined)
{
	size_t at[2] = {0, 0};
	struct lines lines;

	joined->shard = calloc(theirs->shard_count + ours->shard_count + 1,
	    sizeof(*joined->shard));
	if (joined->shard == NULL)
		return STATUS_NO_MEMORY;
	while (next_lines(before, theirs, ours, at, &lines)) {
		const struct manifest_shard *line = choose_line(&lines);

		if (line == NULL)
			continue;
		if (shard_copy(line, &joined->shard[joined->shard_count]) !=
		    STATUS_OK)
			return STATUS_NO_MEMORY;
		joined->shard_count++;
	}
	return STATUS_OK;
}

static bool
has_passed(const struct manifest *manifest, const char *text)
{
	for (size_t i = 0; i < manifest->passed_count; i++)
		if (strcmp(manifest->passed[i], text) == 0)
			return true;
	return false;
}

/* Those of `from` that `without` has not, where they do not stand already. */
static enum status
add_passed(const struct manifest *from, const struct manifest *without,
    struct manifest *joined)
{
	for (size_t i = 0; i < from->passed_count; i++) {
		const char *text = from->passed[i];

		if ((without != NULL && has_passed(without, text)) ||
		    has_passed(joined, text))
			continue;
		joined->passed[joined->passed_count] = strdup(text);
		if (joined->passed[joined->passed_count] == NULL)
			return STATUS_NO_MEMORY;
		joined->passed_count++;
	}
	return STATUS_OK;
}

/*
 * The header is of one run that published every shard: the one that put it, or
 * the later of two. What an operator let pass in the other is said as well.
 */
static enum status
join_header(const struct manifest *before, const struct manifest *theirs,
    const struct manifest *ours, struct manifest *joined)
{
	bool is_ours =
	    uint160_compare(&ours->number, &before->number) != 0 &&
	    (uint160_compare(&theirs->number, &before->number) == 0 ||
		uint160_compare(&ours->number, &theirs->number) > 0);
	const struct manifest *head = is_ours ? ours : theirs;
	const struct manifest *other = is_ours ? theirs : ours;
	enum status status;

	*joined = *head;
	joined->shard = NULL;
	joined->shard_count = joined->passed_count = 0;
	joined->issuer = strdup(head->issuer);
	joined->passed = calloc(
	    head->passed_count + other->passed_count + 1, sizeof(char *));
	if (joined->issuer == NULL || joined->passed == NULL)
		return STATUS_NO_MEMORY;
	status = add_passed(head, NULL, joined);
	if (status == STATUS_OK)
		status = add_passed(other, before, joined);
	/* The older one asks for more proofs, and is right for both. */
	if (other->has_replaced &&
	    (!joined->has_replaced ||
		other->replaced_sec < joined->replaced_sec)) {
		joined->has_replaced = true;
		joined->replaced_sec = other->replaced_sec;
	}
	return status;
}

enum status
manifest_join(const struct manifest *before, const struct manifest *theirs,
    const struct manifest *ours, struct manifest *joined)
{
	enum status status = join_header(before, theirs, ours, joined);

	if (status == STATUS_OK)
		status = join_shards(before, theirs, ours, joined);
	if (status != STATUS_OK)
		manifest_free(joined);
	return status;
}
