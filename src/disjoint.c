/* SPDX-License-Identifier: ISC */
/* Hashes of serials that come twice; see disjoint.h. */
#include "crlpress/disjoint.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/pool.h"

#define PART_BITS 9
#define PARTS (1U << PART_BITS)

/* Entries of one round: 256 MiB of hashes. */
#define ROUND_ENTRIES ((uint64_t)1 << 25)
#define ROUND_BITS_MOST 16

struct hashes {
	uint64_t *hash;
	size_t count;
	size_t room;
};

/* What one thread collected; no other touches it meanwhile. */
struct collector {
	struct hashes part[PARTS];
	uint64_t *table; /* of hashes, 0: free */
	size_t table_room;
	bool no_memory;
};

struct disjoint {
	unsigned round_bits; /* log2 of the number of rounds */
	uint64_t round;
	unsigned workers;
	struct collector *collector;
	pthread_mutex_t mutex;  /* of what follows, while a round ends */
	struct hashes suspects; /* sorted when the last round has ended */
	bool no_memory;
};

/*
 * The serials of a CRL are chosen by others. That many of them hash alike
 * costs time and memory, never a wrong verdict.
 */
static uint64_t
serial_hash(uint64_t issuer, const struct uint160 *serial)
{
	uint64_t high, low;
	uint32_t top;

	memcpy(&top, serial->octet, sizeof(top));
	memcpy(&high, serial->octet + 4, sizeof(high));
	memcpy(&low, serial->octet + 12, sizeof(low));
	high = (high ^ top ^ issuer) * 0x9e3779b97f4a7c15ULL;
	high ^= high >> 29;
	high = (high + low) * 0xbf58476d1ce4e5b9ULL;
	high ^= high >> 32;
	high *= 0x94d049bb133111ebULL;
	high ^= high >> 31;
	/* 0 is a free place in a table. */
	return high == 0 ? 1 : high;
}

static bool
hashes_add(struct hashes *hashes, uint64_t hash)
{
	size_t room = hashes->room;
	uint64_t *list;

	if (hashes->count == room) {
		room = room == 0 ? 512 : room * 2;
		list = reallocarray(hashes->hash, room, sizeof(*list));
		if (list == NULL)
			return false;
		hashes->hash = list;
		hashes->room = room;
	}
	hashes->hash[hashes->count++] = hash;
	return true;
}

enum status
disjoint_new(unsigned workers, uint64_t entries, struct disjoint **out)
{
	struct disjoint *disjoint = calloc(1, sizeof(*disjoint));

	*out = NULL;
	if (disjoint == NULL)
		return STATUS_NO_MEMORY;
	disjoint->workers =
	    workers > POOL_WORKERS_MOST ? POOL_WORKERS_MOST : workers;
	while (disjoint->round_bits < ROUND_BITS_MOST &&
	       entries >> disjoint->round_bits > ROUND_ENTRIES)
		disjoint->round_bits++;
	disjoint->collector =
	    calloc(disjoint->workers, sizeof(*disjoint->collector));
	if (disjoint->collector == NULL ||
	    pthread_mutex_init(&disjoint->mutex, NULL) != 0) {
		free(disjoint->collector);
		free(disjoint);
		return STATUS_NO_MEMORY;
	}
	*out = disjoint;
	return STATUS_OK;
}

/* The first bits tell the round, the next ones the part. */
void
disjoint_add(struct disjoint *disjoint, unsigned worker, uint64_t issuer,
    const struct uint160 *serial)
{
	struct collector *collector = &disjoint->collector[worker];
	uint64_t hash = serial_hash(issuer, serial);
	size_t part;

	if (disjoint->round_bits > 0 &&
	    hash >> (64 - disjoint->round_bits) != disjoint->round)
		return;
	part = (size_t)(hash << disjoint->round_bits >> (64 - PART_BITS));
	if (!hashes_add(&collector->part[part], hash))
		collector->no_memory = true;
}

static bool
table_make(struct collector *collector, size_t count, size_t *mask)
{
	size_t room = 1024;

	while (room < count * 2)
		room *= 2;
	if (room > collector->table_room) {
		free(collector->table);
		collector->table = calloc(room, sizeof(uint64_t));
		collector->table_room = collector->table == NULL ? 0 : room;
		if (collector->table == NULL)
			return false;
	} else {
		memset(collector->table, 0, room * sizeof(uint64_t));
	}
	*mask = room - 1;
	return true;
}

static void
suspect(struct disjoint *disjoint, uint64_t hash)
{
	pthread_mutex_lock(&disjoint->mutex);
	if (!hashes_add(&disjoint->suspects, hash))
		disjoint->no_memory = true;
	pthread_mutex_unlock(&disjoint->mutex);
}

/* Adds hashes to the table; those it has already are suspects. */
static void
table_fill(struct disjoint *disjoint, uint64_t *table, size_t mask,
    const struct hashes *hashes)
{
	for (size_t i = 0; i < hashes->count; i++) {
		uint64_t hash = hashes->hash[i];
		size_t at = (size_t)hash & mask;

		while (table[at] != 0 && table[at] != hash)
			at = (at + 1) & mask;
		if (table[at] == hash)
			suspect(disjoint, hash);
		table[at] = hash;
	}
}

/* One part, of all collectors. */
static void
judge_part(void *context, unsigned worker, size_t part)
{
	struct disjoint *disjoint = context;
	struct collector *own = &disjoint->collector[worker];
	size_t count = 0, mask = 0;

	for (unsigned i = 0; i < disjoint->workers; i++)
		count += disjoint->collector[i].part[part].count;
	if (!table_make(own, count, &mask)) {
		own->no_memory = true;
		return;
	}
	for (unsigned i = 0; i < disjoint->workers; i++) {
		struct hashes *hashes = &disjoint->collector[i].part[part];

		table_fill(disjoint, own->table, mask, hashes);
		hashes->count = 0;
	}
}

static int
compare_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

bool
disjoint_next(struct disjoint *disjoint)
{
	pool_run(disjoint->workers, PARTS, judge_part, disjoint);
	for (unsigned i = 0; i < disjoint->workers; i++)
		disjoint->no_memory |= disjoint->collector[i].no_memory;
	disjoint->round++;
	if (disjoint->round >> disjoint->round_bits == 0)
		return true;
	if (disjoint->suspects.count > 0)
		qsort(disjoint->suspects.hash, disjoint->suspects.count,
		    sizeof(uint64_t), compare_hash);
	return false;
}

enum status
disjoint_count(const struct disjoint *disjoint, size_t *count)
{
	*count = disjoint->suspects.count;
	return disjoint->no_memory ? STATUS_NO_MEMORY : STATUS_OK;
}

bool
disjoint_suspects(const struct disjoint *disjoint, uint64_t issuer,
    const struct uint160 *serial)
{
	uint64_t hash = serial_hash(issuer, serial);

	return disjoint->suspects.count > 0 &&
	       bsearch(&hash, disjoint->suspects.hash, disjoint->suspects.count,
		   sizeof(hash), compare_hash) != NULL;
}

void
disjoint_free(struct disjoint *disjoint)
{
	if (disjoint == NULL)
		return;
	for (unsigned i = 0; i < disjoint->workers; i++) {
		for (size_t k = 0; k < PARTS; k++)
			free(disjoint->collector[i].part[k].hash);
		free(disjoint->collector[i].table);
	}
	pthread_mutex_destroy(&disjoint->mutex);
	free(disjoint->collector);
	free(disjoint->suspects.hash);
	free(disjoint);
}
