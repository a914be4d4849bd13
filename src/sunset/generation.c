/* SPDX-License-Identifier: ISC */
/* The counters of a configuration in force: summed, sent, carried over. */
#include "generation.h"

#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "wire.h"

/* Lines in one message. */
#define MESSAGE_BYTES 16384

struct message {
	int fd;
	enum wire_kind kind;
	size_t len;
	char text[MESSAGE_BYTES];
};

static enum status
message_send(struct message *message)
{
	size_t len = message->len;

	message->len = 0;
	if (len == 0)
		return STATUS_OK;
	return wire_send(message->fd, message->kind, message->text, len);
}

static enum status
message_add(struct message *message, const struct count_record *record)
{
	enum status status = STATUS_OK;

	if (message->len + COUNT_LINE_BYTES > MESSAGE_BYTES)
		status = message_send(message);
	message->len +=
	    count_record_format(record, message->text + message->len);
	return status;
}

struct generation *
generation_new(struct sunset_config *config, uint64_t number, uint32_t threads)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	size_t cells = (size_t)config->cells * threads;

	if (generation == NULL)
		return NULL;
	generation->number = number;
	generation->cells = config->cells;
	generation->threads = threads;
	generation->cell = calloc(cells, sizeof(*generation->cell));
	generation->sent = calloc(config->cells, sizeof(*generation->sent));
	generation->before = calloc(config->cells, sizeof(*generation->before));
	if (generation->cell == NULL || generation->sent == NULL ||
	    generation->before == NULL) {
		generation_free(generation);
		return NULL;
	}
	generation->config = config;
	return generation;
}

uint64_t
generation_sum(const struct generation *generation, uint32_t cell)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < generation->threads; i++)
		sum += atomic_load_explicit(
		    &generation->cell[(size_t)i * generation->cells + cell],
		    memory_order_relaxed);
	return sum;
}

/* Everything since the last flush, and the time it took; sent as messages. */
static enum status
counts_tell(struct generation *generation, struct message *message,
    int64_t from_sec, int64_t to_sec)
{
	const struct count_names *names = &generation->config->names;
	struct count_record record;
	enum status status = STATUS_OK;

	for (uint32_t i = 0; status == STATUS_OK && i < generation->cells;
	     i++) {
		struct count_key key =
		    count_key_of(i, names->hosts, names->issuers);
		uint64_t sum = generation_sum(generation, i);

		if (sum == generation->sent[i])
			continue;
		count_record_fill(
		    &record, names, &key, from_sec, sum - generation->sent[i]);
		if (message->kind == WIRE_COUNTS)
			generation->sent[i] = sum;
		status = message_add(message, &record);
	}
	/* Last: what is lost before it was not counted. */
	if (status == STATUS_OK && count_record_up(&record, from_sec, to_sec))
		status = message_add(message, &record);
	return status == STATUS_OK ? message_send(message) : status;
}

enum status
generation_flush(
    struct generation *generation, int fd, int64_t from_sec, int64_t to_sec)
{
	struct message message = {.fd = fd, .kind = WIRE_COUNTS};

	return counts_tell(generation, &message, from_sec, to_sec);
}

enum status
generation_save(
    struct generation *generation, int fd, int64_t from_sec, int64_t to_sec)
{
	struct message message = {.fd = fd, .kind = WIRE_HOUR};
	enum status status =
	    counts_tell(generation, &message, from_sec, to_sec);

	return status == STATUS_OK ? wire_send(fd, WIRE_SAVE, "", 0) : status;
}

/* The place of a name in another list; its end when it is not there. */
static uint16_t
name_find(const char *const *name, uint16_t count, const char *wanted)
{
	uint16_t i = 0;

	while (i < count && strcmp(name[i], wanted) != 0)
		i++;
	return i;
}

void
generation_carry(struct generation *generation, const struct generation *old)
{
	const struct count_names *to = &generation->config->names;
	const struct count_names *from = &old->config->names;

	for (uint32_t i = 0; i < old->cells; i++) {
		struct count_key key =
		    count_key_of(i, from->hosts, from->issuers);
		uint64_t sum = old->before[i] + generation_sum(old, i);

		if (sum == 0)
			continue;
		/* What has left the configuration goes on as "other". */
		key.host =
		    key.host < from->hosts
			? name_find(to->host, to->hosts, from->host[key.host])
			: to->hosts;
		key.issuer = key.issuer < from->issuers
				 ? name_find(to->issuer, to->issuers,
				       from->issuer[key.issuer])
				 : to->issuers;
		generation->before[count_cell(&key, to->hosts, to->issuers)] +=
		    sum;
	}
}

void
generation_free(struct generation *generation)
{
	if (generation == NULL)
		return;
	free((void *)generation->cell);
	free(generation->sent);
	free(generation->before);
	sunset_config_free(generation->config);
	free(generation);
}
