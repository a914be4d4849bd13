/* SPDX-License-Identifier: ISC */
/*
 * What was put into the store from here: the file `shards` of the state has
 * the number of the last CRL of each, one line for neighbours with the same,
 *   FIRST-LAST NUMBER
 * which after a run of all shards is one line in all. The hash of what was put
 * would say no more: a number never stands for two byte strings.
 *
 * It is read whole and replaced whole, under the lock of the numbers; a push
 * reads and replaces the manifest, which is larger by far.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/decimal.h"
#include "crlpress/fd_io.h"
#include "crlpress/shard.h"
#include "list_read.h"
#include "state_impl.h"

#define PUTS_NAME "shards"
#define PUTS_TEMP_NAME "shards.tmp"

/* All that can be configured, and as many that were before. */
#define PUTS_MOST (2 * (size_t)SHARD_COUNT_MOST)

/* "4294967295-4294967295 ", a number, a newline. */
#define PUTS_LINE_BYTES (24 + UINT160_DECIMAL_BYTES)
#define PUTS_BYTES_MOST (PUTS_MOST * PUTS_LINE_BYTES)

const struct uint160 *
state_puts_find(const struct state_puts *puts, uint32_t shard)
{
	const struct state_put *put;

	_Static_assert(offsetof(struct state_put, shard) == 0, "list_find");
	put = list_find(puts->put, puts->count, sizeof(*puts->put), shard);
	return put == NULL ? NULL : &put->number;
}

static void
puts_print(const struct state_puts *puts, FILE *stream)
{
	char number[UINT160_DECIMAL_BYTES];
	size_t i = 0;

	while (i < puts->count) {
		const struct state_put *first = &puts->put[i];
		const struct state_put *last = first;

		for (i++;
		     i < puts->count && puts->put[i].shard == last->shard + 1 &&
		     uint160_compare(&puts->put[i].number, &first->number) == 0;
		     i++)
			last = &puts->put[i];
		fprintf(stream, "%" PRIu32 "-%" PRIu32 " %s\n", first->shard,
		    last->shard, uint160_to_decimal(&first->number, number));
	}
}

char *
state_puts_text(const struct state_puts *puts)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);
	bool ok;

	if (stream == NULL)
		return NULL;
	puts_print(puts, stream);
	ok = ferror(stream) == 0;
	if (fclose(stream) == 0 && ok)
		return text;
	free(text);
	return NULL;
}

/* A number and the octet behind it; false: that is not what is there. */
static bool
index_read(const char **text, const char *limit, char end, uint32_t *index)
{
	uint64_t n;

	if (decimal_take(text, limit, UINT32_MAX, &n, NULL) != STATUS_OK ||
	    *text == limit || *(*text)++ != end)
		return false;
	*index = (uint32_t)n;
	return true;
}

static bool
line_read(const char **text, const char *limit, struct state_puts *puts)
{
	struct state_put put = {0};
	size_t digits;
	const char *why;
	uint32_t last;

	if (!index_read(text, limit, '-', &put.shard) ||
	    !index_read(text, limit, ' ', &last) || last < put.shard ||
	    last - put.shard >= PUTS_MOST - puts->count ||
	    (puts->count > 0 && put.shard <= puts->put[puts->count - 1].shard))
		return false;
	digits = strcspn(*text, "\n");
	if ((*text)[digits] != '\n' ||
	    uint160_from_decimal(&put.number, *text, digits, &why) != STATUS_OK)
		return false;
	*text += digits + 1;
	for (uint64_t shard = put.shard; shard <= last; shard++) {
		put.shard = (uint32_t)shard;
		puts->put[puts->count++] = put;
	}
	return true;
}

enum status
state_puts_parse(const char *text, size_t len, struct state_puts *puts)
{
	const char *at = text;
	char *again;
	bool same;

	puts->put = calloc(PUTS_MOST, sizeof(*puts->put));
	if (puts->put == NULL)
		return STATUS_NO_MEMORY;
	while (at < text + len)
		if (!line_read(&at, text + len, puts))
			return STATUS_MALFORMED;
	again = state_puts_text(puts);
	if (again == NULL)
		return STATUS_NO_MEMORY;
	same = strlen(again) == len && memcmp(again, text, len) == 0;
	free(again);
	return same ? STATUS_OK : STATUS_MALFORMED;
}

static enum status
damaged(const struct state *state)
{
	char place[PATH_MAX];

	(void)snprintf(place, sizeof(place), "%s/" PUTS_NAME, state->path);
	report_fault(state->report, STATUS_FAILED, place, "state", NULL,
	    "damaged, want lines of FIRST-LAST NUMBER, rising");
	report_hint(state->report,
	    "remove it: that a shard in the store is older than what was put "
	    "there is seen by the manifest alone then, until the next run");
	return STATUS_FAILED;
}

/* The text of what is open; false with errno. */
static bool
text_read(int fd, char **text, size_t *len)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return false;
	errno = EFBIG;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > PUTS_BYTES_MOST)
		return false;
	*text = calloc((size_t)st.st_size + 1, 1);
	if (*text == NULL)
		return false;
	n = fd_read(fd, *text, (size_t)st.st_size);
	*len = n < 0 ? 0 : (size_t)n;
	return n >= 0;
}

enum status
state_puts_read(const struct state *state, struct state_puts *puts)
{
	enum status status = STATUS_OK;
	char *text = NULL;
	size_t len = 0;
	int fd = openat(state->dir, PUTS_NAME,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	*puts = (struct state_puts){.count = 0};
	if (fd < 0 && errno == ENOENT)
		return STATUS_OK;
	if (fd < 0)
		return state_fault(state, PUTS_NAME, "open it", errno);
	if (!text_read(fd, &text, &len))
		status = state_fault(state, PUTS_NAME, "read it", errno);
	(void)close(fd);
	if (status == STATUS_OK) {
		status = state_puts_parse(text, len, puts);
		if (status == STATUS_MALFORMED)
			status = damaged(state);
		else if (status != STATUS_OK)
			status =
			    state_fault(state, PUTS_NAME, "read it", ENOMEM);
	}
	free(text);
	if (status != STATUS_OK)
		state_puts_free(puts);
	return status;
}

/* Of each shard the higher of both numbers; false: there are too many. */
static bool
puts_join(const struct state_puts *a, const struct state_put *b, size_t b_count,
    struct state_puts *out)
{
	size_t i = 0, j = 0;

	while (i < a->count || j < b_count) {
		const struct state_put *old =
		    i < a->count &&
			    (j == b_count || a->put[i].shard <= b[j].shard)
			? &a->put[i]
			: NULL;
		const struct state_put *new =
		    j < b_count && (old == NULL || b[j].shard == old->shard)
			? &b[j]
			: NULL;

		if (out->count == PUTS_MOST)
			return false;
		out->put[out->count++] =
		    new == NULL || (old != NULL && uint160_compare(&old->number,
						       &new->number) > 0)
			? *old
			: *new;
		i += old != NULL;
		j += new != NULL;
	}
	return true;
}

/* Under the lock. */
static enum status
puts_raise(struct state *state, const struct state_put *put, size_t count)
{
	struct state_puts before, after = {.count = 0};
	enum status status = state_puts_read(state, &before);
	char *text = NULL;

	if (status != STATUS_OK)
		return status;
	after.put = calloc(PUTS_MOST, sizeof(*after.put));
	if (after.put == NULL)
		status = state_fault(state, PUTS_NAME, "write it", ENOMEM);
	else if (!puts_join(&before, put, count, &after))
		status = damaged(state);
	if (status == STATUS_OK) {
		text = state_puts_text(&after);
		status =
		    text == NULL
			? state_fault(state, PUTS_NAME, "write it", ENOMEM)
			: state_replace(state, PUTS_NAME, PUTS_TEMP_NAME, text);
	}
	free(text);
	state_puts_free(&before);
	state_puts_free(&after);
	return status;
}

enum status
state_puts_raise(struct state *state, const struct state_put *put, size_t count)
{
	int lock = -1;
	enum status status;

	if (count == 0)
		return STATUS_OK;
	status = state_number_lock(state, &lock);
	if (status == STATUS_OK)
		status = puts_raise(state, put, count);
	state_unlock(&lock);
	return status;
}

void
state_puts_free(struct state_puts *puts)
{
	free(puts->put);
	*puts = (struct state_puts){.count = 0};
}
