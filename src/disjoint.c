/* SPDX-License-Identifier: ISC */
/* Hashes of serials that come twice; see disjoint.h. */
#include "crlpress/disjoint.h"

#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crlpress/pool.h"

/*
 * As many parts as give one some thousand hashes, whose table fits the cache.
 * More parts than these would be more places to write to than fit it.
 */
#define PART_ENTRIES 16384
#define PART_BITS_LEAST 4
#define PART_BITS_MOST 10

#define ROUND_BITS_MOST 16

/*
 * What is kept of a hash, its last bits: the first ones are known from part and
 * round. That any two of forty million serials are alike in the 58 bits that
 * count then has a chance of some thousandths, and costs a walk.
 */
#define KEPT_BYTES 6
#define KEPT_MASK ((UINT64_C(1) << 8 * KEPT_BYTES) - 1)

/*
 * Hashes of one part, the last ones first: a list of chunks, each as large as
 * its address is aligned, so that where the next hash goes is all that has to
 * be known: an aligned address is the end of a chunk.
 */
#define CHUNK_BYTES 4096
#define CHUNK_HASHES ((CHUNK_BYTES - sizeof(struct chunk *)) / KEPT_BYTES)
#define CHUNK_PAD \
	(CHUNK_BYTES - sizeof(struct chunk *) - CHUNK_HASHES * KEPT_BYTES)

struct chunk {
	struct chunk *next;
	uint8_t pad[CHUNK_PAD]; /* kept_read reads from it, and forgets it */
	uint8_t hash[CHUNK_HASHES][KEPT_BYTES];
};

_Static_assert(sizeof(struct chunk) == CHUNK_BYTES, "a chunk is 4 KiB");
_Static_assert(CHUNK_PAD == sizeof(uint64_t) - KEPT_BYTES, "see kept_read");

/*
 * What chunks are cut from: large pages where the kernel has such and a worker
 * will fill them, since scattered writes to small ones take longer.
 */
#define BLOCK_BYTES ((size_t)2 * 1024 * 1024)
#define BLOCK_CHUNKS (BLOCK_BYTES / CHUNK_BYTES)

/* The first chunk of a block keeps the list of all. */
struct block {
	struct block *next;
};

/* What one thread collected; no other touches it meanwhile. */
struct collector {
	uint8_t *part[1U << PART_BITS_MOST]; /* where the next hash goes */
	struct block *block;                 /* chunks are cut from it now */
	size_t used;                         /* chunks of it */
	bool is_large;                       /* blocks will be filled */
	uint64_t missed; /* hashes that there was no room for */
	uint64_t *table; /* of what is kept of hashes, 0: free */
	size_t table_room;
	bool no_memory;
};

/* Hashes that came twice. */
struct suspects {
	uint64_t *hash;
	size_t count;
	size_t room;
};

struct disjoint {
	unsigned round_bits; /* log2 of the number of rounds */
	unsigned part_bits;
	uint64_t round;
	uint64_t memory_most;
	size_t blocks_most;
	unsigned workers;
	struct collector *collector;
	pthread_mutex_t mutex; /* of what follows, while there are workers */
	struct block *blocks;
	size_t block_count;
	struct chunk *free;       /* of earlier rounds */
	struct suspects suspects; /* sorted when the last round has ended */
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
	return (high & KEPT_MASK) == 0 ? high | 1 : high;
}

static void
kept_write(uint8_t *at, uint64_t hash)
{
	uint64_t octets = htole64(hash);

	memcpy(at, &octets, KEPT_BYTES);
}

/* In one load, which begins before it. */
static uint64_t
kept_read(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at - CHUNK_PAD, sizeof(value));
	return le64toh(value) >> 8 * CHUNK_PAD;
}

static struct block *
block_make(bool is_large)
{
	const int prot = PROT_READ | PROT_WRITE;
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	uint8_t *map = mmap(NULL, BLOCK_BYTES * 2, prot, flags, -1, 0);
	size_t skip;

	if (map == MAP_FAILED)
		return NULL;
	/* All but what is aligned goes back. */
	skip = -(uintptr_t)map & (BLOCK_BYTES - 1);
	if (skip > 0)
		(void)munmap(map, skip);
	(void)munmap(map + skip + BLOCK_BYTES, BLOCK_BYTES - skip);
	if (is_large)
		(void)madvise(map + skip, BLOCK_BYTES, MADV_HUGEPAGE);
	return (struct block *)(void *)(map + skip);
}

/* A chunk of an earlier round, or of a block more, as far as there may be one.
 */
static struct chunk *
chunk_find(struct disjoint *disjoint, struct collector *collector)
{
	struct chunk *chunk = disjoint->free;
	struct block *block;

	if (chunk != NULL) {
		disjoint->free = chunk->next;
		return chunk;
	}
	if (disjoint->block_count == disjoint->blocks_most)
		return NULL;
	block = block_make(collector->is_large);
	if (block == NULL) {
		disjoint->no_memory = true;
		return NULL;
	}
	block->next = disjoint->blocks;
	disjoint->blocks = block;
	disjoint->block_count++;
	collector->block = block;
	collector->used = 2;
	return (struct chunk *)(void *)block + 1;
}

static struct chunk *
chunk_take(struct disjoint *disjoint, struct collector *collector)
{
	struct chunk *chunk;

	if (collector->block != NULL && collector->used < BLOCK_CHUNKS)
		return (struct chunk *)(void *)collector->block +
		       collector->used++;
	pthread_mutex_lock(&disjoint->mutex);
	chunk = chunk_find(disjoint, collector);
	pthread_mutex_unlock(&disjoint->mutex);
	return chunk;
}

/*
 * A chunk that has just been begun; NULL where there is no room. Inlined it
 * would cost every hash the registers that it needs once in 681.
 */
static __attribute__((noinline)) uint8_t *
chunk_begin(
    struct disjoint *disjoint, struct collector *collector, uint8_t *end)
{
	struct chunk *chunk = chunk_take(disjoint, collector);

	if (chunk == NULL) {
		collector->missed++;
		return NULL;
	}
	chunk->next = end == NULL ? NULL : (struct chunk *)(void *)end - 1;
	return chunk->hash[0];
}

static unsigned
bits_of(uint64_t entries, uint64_t each, unsigned least, unsigned most)
{
	while (least < most && entries >> least > each)
		least++;
	return least;
}

/*
 * Rounds and parts for so many entries, and how much memory a round may take:
 * each part of each worker has a chunk that is not full, and each worker such a
 * block.
 */
static void
disjoint_plan(struct disjoint *disjoint, uint64_t entries, unsigned least)
{
	uint64_t chunks;

	disjoint->round_bits = bits_of(entries,
	    disjoint->memory_most / KEPT_BYTES, least, ROUND_BITS_MOST);
	disjoint->part_bits = bits_of(entries >> disjoint->round_bits,
	    PART_ENTRIES, PART_BITS_LEAST, PART_BITS_MOST);
	chunks = disjoint->memory_most / KEPT_BYTES / CHUNK_HASHES +
		 ((uint64_t)disjoint->workers << disjoint->part_bits);
	disjoint->blocks_most =
	    (size_t)(chunks / (BLOCK_CHUNKS - 1)) + 1 + disjoint->workers;
	for (unsigned i = 0; i < disjoint->workers; i++)
		disjoint->collector[i].is_large =
		    (entries >> disjoint->round_bits) / disjoint->workers >=
		    BLOCK_BYTES / KEPT_BYTES;
}

enum status
disjoint_new(unsigned workers, uint64_t entries, uint64_t memory_most,
    struct disjoint **out)
{
	struct disjoint *disjoint = calloc(1, sizeof(*disjoint));

	*out = NULL;
	if (disjoint == NULL)
		return STATUS_NO_MEMORY;
	disjoint->workers = workers == 0                  ? 1
			    : workers > POOL_WORKERS_MOST ? POOL_WORKERS_MOST
							  : workers;
	disjoint->memory_most = memory_most;
	disjoint->collector =
	    calloc(disjoint->workers, sizeof(*disjoint->collector));
	if (disjoint->collector == NULL ||
	    pthread_mutex_init(&disjoint->mutex, NULL) != 0) {
		free(disjoint->collector);
		free(disjoint);
		return STATUS_NO_MEMORY;
	}
	disjoint_plan(disjoint, entries, 0);
	*out = disjoint;
	return STATUS_OK;
}

/*
 * The first bits tell the round, the next ones the part. The next line of the
 * part's chunk is asked for now: when it is written to, it is there.
 */
void
disjoint_add(struct disjoint *disjoint, unsigned worker, uint64_t issuer,
    const struct uint160 *serial)
{
	struct collector *collector = &disjoint->collector[worker];
	uint64_t hash = serial_hash(issuer, serial);
	uint8_t *at, **part;

	if (disjoint->round_bits > 0 &&
	    hash >> (64 - disjoint->round_bits) != disjoint->round)
		return;
	part = &collector->part[hash << disjoint->round_bits >>
				(64 - disjoint->part_bits)];
	at = *part;
	if (((uintptr_t)at & (CHUNK_BYTES - 1)) == 0) {
		at = chunk_begin(disjoint, collector, at);
		if (at == NULL)
			return;
	}
	__builtin_prefetch(at + 64, 1);
	kept_write(at, hash);
	*part = at + KEPT_BYTES;
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

static bool
suspects_add(struct suspects *suspects, uint64_t hash)
{
	uint64_t *list = suspects->hash;
	size_t room = suspects->room;

	if (suspects->count == room) {
		room = room == 0 ? 512 : room * 2;
		list = reallocarray(list, room, sizeof(*list));
		if (list == NULL)
			return false;
		suspects->hash = list;
		suspects->room = room;
	}
	suspects->hash[suspects->count++] = hash;
	return true;
}

static void
suspect(struct disjoint *disjoint, uint64_t hash)
{
	pthread_mutex_lock(&disjoint->mutex);
	if (!suspects_add(&disjoint->suspects, hash))
		disjoint->no_memory = true;
	pthread_mutex_unlock(&disjoint->mutex);
}

/* How many first bits of a hash round and part tell. */
static unsigned
known_bits(const struct disjoint *disjoint)
{
	return disjoint->round_bits + disjoint->part_bits;
}

/* All that is known of a hash; the rest of it is 0. */
static uint64_t
known_mask(const struct disjoint *disjoint)
{
	return KEPT_MASK | ~(UINT64_MAX >> known_bits(disjoint));
}

static uint64_t
known_of(const struct disjoint *disjoint, size_t part, uint64_t kept)
{
	uint64_t first = disjoint->round << disjoint->part_bits | part;

	return first << (64 - known_bits(disjoint)) | kept;
}

/* Adds hashes of a part to the table; those it has already are suspects. */
static void
table_fill(struct disjoint *disjoint, uint64_t *table, size_t mask, size_t part,
    uint8_t (*hashes)[KEPT_BYTES], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t kept = kept_read(hashes[i]);
		size_t at = (size_t)kept & mask;

		while (table[at] != 0 && table[at] != kept)
			at = (at + 1) & mask;
		if (table[at] == kept)
			suspect(disjoint, known_of(disjoint, part, kept));
		table[at] = kept;
	}
}

/* The chunk that a part is at, and how many hashes it has; NULL: none. */
static struct chunk *
part_chunk(uint8_t *at, size_t *count)
{
	struct chunk *chunk;

	if (at == NULL)
		return NULL;
	/* Behind a hash always, so that the one before is of the chunk. */
	chunk = (struct chunk *)(void *)((uintptr_t)(at - 1) &
					 ~(uintptr_t)(CHUNK_BYTES - 1));
	*count = (size_t)(at - chunk->hash[0]) / KEPT_BYTES;
	return chunk;
}

static size_t
part_count(uint8_t *at)
{
	size_t sum = 0, count = 0;

	for (struct chunk *chunk = part_chunk(at, &count); chunk != NULL;
	     chunk = chunk->next) {
		sum += count;
		count = CHUNK_HASHES;
	}
	return sum;
}

/* Its chunks are then anybody's. */
static void
part_free(struct disjoint *disjoint, uint8_t **part)
{
	size_t count;
	struct chunk *first = part_chunk(*part, &count);
	struct chunk *last = first;

	*part = NULL;
	if (first == NULL)
		return;
	while (last->next != NULL)
		last = last->next;
	pthread_mutex_lock(&disjoint->mutex);
	last->next = disjoint->free;
	disjoint->free = first;
	pthread_mutex_unlock(&disjoint->mutex);
}

static void
part_fill(struct disjoint *disjoint, uint64_t *table, size_t mask, size_t part,
    uint8_t *at)
{
	size_t count = 0;

	for (struct chunk *chunk = part_chunk(at, &count); chunk != NULL;
	     chunk = chunk->next) {
		table_fill(disjoint, table, mask, part, chunk->hash, count);
		count = CHUNK_HASHES;
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
		count += part_count(disjoint->collector[i].part[part]);
	if (!table_make(own, count, &mask)) {
		own->no_memory = true;
		return;
	}
	for (unsigned i = 0; i < disjoint->workers; i++) {
		uint8_t **from = &disjoint->collector[i].part[part];

		part_fill(disjoint, own->table, mask, part, *from);
		part_free(disjoint, from);
	}
}

static int
compare_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Nothing was judged yet: all parts are empty again. */
static uint64_t
forget_round(struct disjoint *disjoint)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < disjoint->workers; i++) {
		struct collector *collector = &disjoint->collector[i];

		for (size_t k = 0; k < (size_t)1 << disjoint->part_bits; k++) {
			count += part_count(collector->part[k]);
			part_free(disjoint, &collector->part[k]);
		}
		count += collector->missed;
		collector->missed = 0;
	}
	return count;
}

/*
 * There are more entries than was guessed: from the start, in more rounds.
 * False: there cannot be more.
 */
static bool
begin_again(struct disjoint *disjoint)
{
	unsigned least = disjoint->round_bits + 1;
	uint64_t count = forget_round(disjoint);

	if (least > ROUND_BITS_MOST)
		return false;
	if (count > UINT64_MAX >> disjoint->round_bits)
		return false;
	disjoint_plan(disjoint, count << disjoint->round_bits, least);
	disjoint->round = 0;
	disjoint->suspects.count = 0;
	return true;
}

static bool
has_missed(const struct disjoint *disjoint)
{
	for (unsigned i = 0; i < disjoint->workers; i++)
		if (disjoint->collector[i].missed > 0)
			return true;
	return false;
}

bool
disjoint_next(struct disjoint *disjoint)
{
	if (!disjoint->no_memory && has_missed(disjoint)) {
		if (begin_again(disjoint))
			return true;
		disjoint->no_memory = true;
	}
	pool_run(disjoint->workers, (size_t)1 << disjoint->part_bits,
	    judge_part, disjoint);
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
	uint64_t hash = serial_hash(issuer, serial) & known_mask(disjoint);

	return disjoint->suspects.count > 0 &&
	       bsearch(&hash, disjoint->suspects.hash, disjoint->suspects.count,
		   sizeof(hash), compare_hash) != NULL;
}

void
disjoint_free(struct disjoint *disjoint)
{
	if (disjoint == NULL)
		return;
	for (struct block *next, *block = disjoint->blocks; block != NULL;
	     block = next) {
		next = block->next;
		(void)munmap(block, BLOCK_BYTES);
	}
	for (unsigned i = 0; i < disjoint->workers; i++)
		free(disjoint->collector[i].table);
	pthread_mutex_destroy(&disjoint->mutex);
	free(disjoint->collector);
	free(disjoint->suspects.hash);
	free(disjoint);
}
