/* SPDX-License-Identifier: ISC */
/*
 * No serial of an issuer in two shards. Serials are not kept, only 64 bits of
 * each, thrown into parts by their first bits while lint walks over the
 * entries; each part is then small enough for a hash table that fits a
 * processor's cache. Hashes that come twice are suspects: another walk gathers
 * their entries and compares serials in full.
 *
 * Memory is 8 bytes an entry, at most 256 MiB: where there are more entries,
 * they are taken in rounds, by the first bits of their hashes, and each round
 * but the first walks over all files again.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/pool.h"
#include "verify_impl.h"

#define PART_BITS 9
#define PARTS (1U << PART_BITS)

/* Entries of one round: 256 MiB of hashes. */
#define ROUND_ENTRIES ((uint64_t)1 << 25)
#define ROUND_BITS_MOST 16

/* Bytes of an entry that are hardly ever undercut: a serial of 8 octets. */
#define ENTRY_BYTES 25

/* Entries gathered for comparison at the most: 640 MB of them. */
#define GATHERED_MOST (1U << 24)

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

struct verify_disjoint {
	struct verify *verify;
	unsigned round_bits; /* log2 of the number of rounds */
	uint64_t round;
	unsigned workers;
	struct collector *collector;
	pthread_mutex_t mutex; /* of all that follows */
	struct hashes suspects;
	struct row *row; /* entries of suspects; see rows_add */
	size_t row_count;
	size_t row_room;
	bool no_memory;
};

/*
 * The serials of a file are chosen by others. That many of them hash alike
 * costs time and memory, never a wrong verdict.
 */
static uint64_t
serial_hash(const struct issuer *issuer, const struct uint160 *serial)
{
	uint64_t high, low;
	uint32_t top;

	memcpy(&top, serial->octet, sizeof(top));
	memcpy(&high, serial->octet + 4, sizeof(high));
	memcpy(&low, serial->octet + 12, sizeof(low));
	high = (high ^ top ^ (uintptr_t)issuer) * 0x9e3779b97f4a7c15ULL;
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

/* The first bits tell the round, the next ones the part. */
void
verify_disjoint_entry(struct verify_disjoint *disjoint, unsigned worker,
    const struct issuer *issuer, const struct crl_entry *entry)
{
	struct collector *collector = &disjoint->collector[worker];
	uint64_t hash;

	if (!entry->serial_in_range || issuer == NULL)
		return;
	hash = serial_hash(issuer, &entry->serial);
	if (disjoint->round_bits > 0 &&
	    hash >> (64 - disjoint->round_bits) != disjoint->round)
		return;
	if (!hashes_add(&collector->part[hash << disjoint->round_bits >>
					 (64 - PART_BITS)],
		hash))
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
suspect(struct verify_disjoint *disjoint, uint64_t hash)
{
	pthread_mutex_lock(&disjoint->mutex);
	if (!hashes_add(&disjoint->suspects, hash))
		disjoint->no_memory = true;
	pthread_mutex_unlock(&disjoint->mutex);
}

/* Adds hashes to the table; those it has already are suspects. */
static void
table_fill(struct verify_disjoint *disjoint, uint64_t *table, size_t mask,
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
	struct verify_disjoint *disjoint = context;
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

/* A row lends its revoked_at to the file's index. */
static void
rows_add(
    struct verify_disjoint *disjoint, const struct uint160 *serial, size_t file)
{
	struct row *list = disjoint->row;
	size_t room = disjoint->row_room;

	if (disjoint->row_count == room) {
		room = room == 0 ? 1024 : room * 2;
		if (room <= GATHERED_MOST)
			list = reallocarray(list, room, sizeof(*list));
		if (room > GATHERED_MOST || list == NULL) {
			disjoint->no_memory = true;
			return;
		}
		disjoint->row = list;
		disjoint->row_room = room;
	}
	list[disjoint->row_count] = (struct row){.serial = *serial};
	list[disjoint->row_count++].revoked_low = (uint32_t)file;
}

/* What a further walk does with each entry of a file. */
typedef void entry_visit(struct verify_disjoint *disjoint, unsigned worker,
    size_t file, const struct crl_entry *entry);

static void
visit_round(struct verify_disjoint *disjoint, unsigned worker, size_t file,
    const struct crl_entry *entry)
{
	verify_disjoint_entry(
	    disjoint, worker, disjoint->verify->file[file].issuer, entry);
}

static void
visit_suspect(struct verify_disjoint *disjoint, unsigned worker, size_t file,
    const struct crl_entry *entry)
{
	const struct issuer *issuer = disjoint->verify->file[file].issuer;
	uint64_t hash;

	(void)worker;
	/* A CRL without a URL is no shard; it may list what shards list. */
	if (!entry->serial_in_range || disjoint->verify->file[file].url == NULL)
		return;
	hash = serial_hash(issuer, &entry->serial);
	if (bsearch(&hash, disjoint->suspects.hash, disjoint->suspects.count,
		sizeof(hash), compare_hash) == NULL)
		return;
	pthread_mutex_lock(&disjoint->mutex);
	rows_add(disjoint, &entry->serial, file);
	pthread_mutex_unlock(&disjoint->mutex);
}

static void
walk_file(struct verify_disjoint *disjoint, unsigned worker, size_t i,
    entry_visit *visit)
{
	struct verify_file *file = &disjoint->verify->file[i];
	struct verify_bytes bytes = {0};
	struct crl_fault fault = {0};
	struct crl_entry entry;
	size_t position = 0;
	struct crl crl;

	/* What cannot be read has been said when the file was judged. */
	if (file->issuer != NULL && file->parsed &&
	    verify_bytes_open(file->path, file->findings, &bytes) ==
		STATUS_OK &&
	    crl_parse(bytes.data, bytes.len, &crl, &fault) == STATUS_OK)
		while (crl_entry_read(&crl, &position, &entry, &fault) ==
		       STATUS_OK)
			visit(disjoint, worker, i, &entry);
	verify_bytes_close(&bytes);
}

static void
walk_round(void *context, unsigned worker, size_t i)
{
	walk_file(context, worker, i, visit_round);
}

static void
walk_suspects(void *context, unsigned worker, size_t i)
{
	walk_file(context, worker, i, visit_suspect);
}

/* By issuer, those of one in the order of files: threads had another. */
static int
compare_owners(const void *a, const void *b, void *context)
{
	const struct verify_file *file = context;
	uint32_t x = ((const struct row *)a)->revoked_low;
	uint32_t y = ((const struct row *)b)->revoked_low;
	uintptr_t issuer_x = (uintptr_t)file[x].issuer;
	uintptr_t issuer_y = (uintptr_t)file[y].issuer;

	if (issuer_x != issuer_y)
		return issuer_x < issuer_y ? -1 : 1;
	return (x > y) - (x < y);
}

/*
 * CRLs that name one URL are not two shards but one at two times; twice in one
 * file is that file's own fault.
 */
static bool
are_two_shards(const struct verify_file *a, const struct verify_file *b)
{
	return a->issuer == b->issuer && strcmp(a->url, b->url) != 0;
}

/* Rows of one serial; any two of an issuer's shards make two neighbours. */
static enum status
compare_group(struct verify_disjoint *disjoint, struct row *row, size_t n)
{
	struct verify_file *file = disjoint->verify->file;
	enum status status = STATUS_OK;
	char serial[UINT160_HEX_BYTES];

	qsort_r(row, n, sizeof(*row), compare_owners, file);
	for (size_t i = 1; i < n; i++) {
		const struct verify_file *a = &file[row[i - 1].revoked_low];
		const struct verify_file *b = &file[row[i].revoked_low];

		if (!are_two_shards(a, b))
			continue;
		status = report_fault(disjoint->verify->report, STATUS_FAULTY,
		    b->path, "set-disjoint", "house rule",
		    "serial %s stands in %s too",
		    uint160_to_hex(&row->serial, serial), a->path);
	}
	return status;
}

static enum status
compare_rows(struct verify_disjoint *disjoint)
{
	struct row *row = disjoint->row;
	struct row *scratch = calloc(disjoint->row_count + 1, sizeof(*scratch));
	enum status worst = STATUS_OK;
	size_t n;

	if (scratch == NULL) {
		disjoint->no_memory = true;
		return STATUS_OK;
	}
	row_sort(row, scratch, disjoint->row_count);
	free(scratch);
	for (size_t i = 0; i < disjoint->row_count; i += n) {
		n = 1;
		while (i + n < disjoint->row_count &&
		       uint160_compare(&row[i].serial, &row[i + n].serial) == 0)
			n++;
		worst =
		    status_graver(worst, compare_group(disjoint, &row[i], n));
	}
	return worst;
}

/* Lint's walk was the first round. */
static void
judge_rounds(struct verify_disjoint *disjoint)
{
	struct verify *verify = disjoint->verify;

	for (;;) {
		pool_run(disjoint->workers, PARTS, judge_part, disjoint);
		disjoint->round++;
		if (disjoint->round >> disjoint->round_bits != 0)
			break;
		pool_run(disjoint->workers, verify->file_count, walk_round,
		    disjoint);
	}
	for (unsigned i = 0; i < disjoint->workers; i++)
		disjoint->no_memory |= disjoint->collector[i].no_memory;
}

enum status
verify_disjoint_judge(struct verify *verify)
{
	struct verify_disjoint *disjoint = verify->disjoint;
	enum status status = STATUS_OK;

	judge_rounds(disjoint);
	if (disjoint->suspects.count > 0 && !disjoint->no_memory) {
		qsort(disjoint->suspects.hash, disjoint->suspects.count,
		    sizeof(uint64_t), compare_hash);
		pool_run(disjoint->workers, verify->file_count, walk_suspects,
		    disjoint);
		status = compare_rows(disjoint);
	}
	/* Unjudged is not judged right. */
	if (disjoint->no_memory)
		status = report_fault(verify->report, STATUS_FAULTY, "set",
		    "set-disjoint", "house rule",
		    "cannot be judged: out of memory");
	return status;
}

enum status
verify_disjoint_new(struct verify *verify, uint64_t bytes)
{
	struct verify_disjoint *disjoint = calloc(1, sizeof(*disjoint));
	unsigned workers = verify->workers;

	if (disjoint == NULL)
		return STATUS_NO_MEMORY;
	disjoint->verify = verify;
	disjoint->workers =
	    workers > POOL_WORKERS_MOST ? POOL_WORKERS_MOST : workers;
	while (disjoint->round_bits < ROUND_BITS_MOST &&
	       bytes / ENTRY_BYTES >> disjoint->round_bits > ROUND_ENTRIES)
		disjoint->round_bits++;
	disjoint->collector =
	    calloc(disjoint->workers, sizeof(*disjoint->collector));
	if (disjoint->collector == NULL ||
	    pthread_mutex_init(&disjoint->mutex, NULL) != 0) {
		free(disjoint->collector);
		free(disjoint);
		return STATUS_NO_MEMORY;
	}
	verify->disjoint = disjoint;
	return STATUS_OK;
}

void
verify_disjoint_free(struct verify_disjoint *disjoint)
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
	free(disjoint->row);
	free(disjoint);
}
