/* SPDX-License-Identifier: ISC */
/*
 * No serial of an issuer in two shards. Serials are not kept: a first walk
 * over all entries sets a bit for each in a bitmap of one bit a byte of CRL,
 * some 40 bits an entry; the few that find their bit set already are
 * suspects. A second walk, only when there are any, gathers every entry that
 * hashes like a suspect and compares those in full.
 *
 * Memory: an eighth of the size of the CRLs, and 40 bytes a suspect.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/row.h"
#include "verify_impl.h"

/* 2^36 bits are 8 GiB: fewer bits an entry then mean more suspects. */
#define BITMAP_BITS_LEAST 16
#define BITMAP_BITS_MOST 36

struct suspects {
	uint64_t *hash;
	size_t count;
	size_t room;
};

struct disjoint {
	struct verify *verify;
	const struct issuer *issuer;
	uint64_t *bitmap;
	unsigned bits; /* log2 of the bits in the bitmap */
	struct suspects suspects;
	struct row *row; /* entries that hash like a suspect */
	size_t row_count;
	size_t row_room;
	bool second_walk;
};

/*
 * The serials of a file are chosen by others. That many of them hash alike
 * costs memory, never a wrong verdict.
 */
static uint64_t
serial_hash(const struct uint160 *serial)
{
	uint64_t high, low;
	uint32_t top;

	memcpy(&top, serial->octet, sizeof(top));
	memcpy(&high, serial->octet + 4, sizeof(high));
	memcpy(&low, serial->octet + 12, sizeof(low));
	high = (high ^ top) * 0x9e3779b97f4a7c15ULL;
	high ^= high >> 29;
	high = (high + low) * 0xbf58476d1ce4e5b9ULL;
	high ^= high >> 32;
	high *= 0x94d049bb133111ebULL;
	return high ^ high >> 31;
}

static bool
bitmap_set(struct disjoint *disjoint, uint64_t hash)
{
	uint64_t bit = hash >> (64 - disjoint->bits);
	uint64_t mask = 1ULL << (bit & 63);
	bool was = (disjoint->bitmap[bit >> 6] & mask) != 0;

	disjoint->bitmap[bit >> 6] |= mask;
	return was;
}

static enum status
suspects_add(struct suspects *suspects, uint64_t hash)
{
	uint64_t *list = suspects->hash;
	size_t room = suspects->room;

	if (suspects->count == room) {
		room = room == 0 ? 1024 : room * 2;
		list = reallocarray(list, room, sizeof(*list));
		if (list == NULL)
			return STATUS_NO_MEMORY;
		suspects->hash = list;
		suspects->room = room;
	}
	list[suspects->count++] = hash;
	return STATUS_OK;
}

static int
compare_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Suspects share a bit, not yet a hash: compare the bits that were set. */
static bool
is_suspect(const struct disjoint *disjoint, uint64_t hash)
{
	uint64_t bit = hash >> (64 - disjoint->bits);

	return bsearch(&bit, disjoint->suspects.hash, disjoint->suspects.count,
		   sizeof(bit), compare_hash) != NULL;
}

/* A row lends its not_after to the file's index. */
static enum status
rows_add(struct disjoint *disjoint, const struct uint160 *serial, size_t file)
{
	struct row *list = disjoint->row;
	size_t room = disjoint->row_room;

	if (disjoint->row_count == room) {
		room = room == 0 ? 1024 : room * 2;
		list = reallocarray(list, room, sizeof(*list));
		if (list == NULL)
			return STATUS_NO_MEMORY;
		disjoint->row = list;
		disjoint->row_room = room;
	}
	list[disjoint->row_count] = (struct row){.serial = *serial};
	list[disjoint->row_count++].not_after_low = (uint32_t)file;
	return STATUS_OK;
}

static enum status
visit(struct disjoint *disjoint, const struct uint160 *serial, size_t file)
{
	uint64_t hash = serial_hash(serial);

	if (disjoint->second_walk)
		return is_suspect(disjoint, hash)
			   ? rows_add(disjoint, serial, file)
			   : STATUS_OK;
	if (!bitmap_set(disjoint, hash))
		return STATUS_OK;
	return suspects_add(&disjoint->suspects, hash >> (64 - disjoint->bits));
}

static enum status
walk_file(struct disjoint *disjoint, size_t i)
{
	struct verify_bytes bytes = {0};
	struct crl_fault fault = {0};
	struct crl_entry entry;
	enum status status;
	size_t position = 0;
	struct crl crl;

	status = verify_bytes_open(
	    disjoint->verify->file[i].path, disjoint->verify->report, &bytes);
	if (status == STATUS_OK)
		status = crl_parse(bytes.data, bytes.len, &crl, &fault);
	while (status == STATUS_OK) {
		status = crl_entry_read(&crl, &position, &entry, &fault);
		if (status == STATUS_OK && entry.serial_in_range)
			status = visit(disjoint, &entry.serial, i);
	}
	verify_bytes_close(&bytes);
	/* What is malformed has been said when the file was judged. */
	return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

static enum status
walk(struct disjoint *disjoint)
{
	struct verify *verify = disjoint->verify;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < verify->file_count; i++)
		if (verify->file[i].parsed &&
		    verify->file[i].issuer == disjoint->issuer)
			status = walk_file(disjoint, i);
	return status;
}

static enum status
compare_rows(struct disjoint *disjoint)
{
	const struct verify_file *file = disjoint->verify->file;
	struct row *scratch = calloc(disjoint->row_count + 1, sizeof(*scratch));
	enum status status = STATUS_OK;
	char serial[UINT160_HEX_BYTES];

	if (scratch == NULL)
		return STATUS_NO_MEMORY;
	row_sort(disjoint->row, scratch, disjoint->row_count);
	free(scratch);
	for (size_t i = 1; i < disjoint->row_count; i++) {
		const struct row *a = &disjoint->row[i - 1];
		const struct row *b = &disjoint->row[i];

		/* Twice in one file is that file's own fault. */
		if (uint160_compare(&a->serial, &b->serial) != 0 ||
		    a->not_after_low == b->not_after_low)
			continue;
		status = report_fault(disjoint->verify->report, STATUS_FAULTY,
		    file[b->not_after_low].path, "set-disjoint", "house rule",
		    "serial %s stands in %s too",
		    uint160_to_hex(&b->serial, serial),
		    file[a->not_after_low].path);
	}
	return status;
}

static enum status
judge_issuer(struct disjoint *disjoint, uint64_t bytes)
{
	enum status status;

	disjoint->bits = BITMAP_BITS_LEAST;
	while (
	    disjoint->bits < BITMAP_BITS_MOST && 1ULL << disjoint->bits < bytes)
		disjoint->bits++;
	disjoint->bitmap = calloc(1ULL << (disjoint->bits - 6), 8);
	if (disjoint->bitmap == NULL)
		return STATUS_NO_MEMORY;
	status = walk(disjoint);
	free(disjoint->bitmap);
	if (status != STATUS_OK || disjoint->suspects.count == 0)
		return status;
	qsort(disjoint->suspects.hash, disjoint->suspects.count,
	    sizeof(uint64_t), compare_hash);
	disjoint->second_walk = true;
	status = walk(disjoint);
	return status == STATUS_OK ? compare_rows(disjoint) : status;
}

enum status
verify_disjoint_judge(struct verify *verify)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < verify->issuer_count; i++) {
		struct disjoint disjoint = {
		    .verify = verify,
		    .issuer = verify->issuer[i],
		};
		uint64_t bytes = 0;
		enum status status;

		for (size_t k = 0; k < verify->file_count; k++)
			if (verify->file[k].issuer == verify->issuer[i])
				bytes += verify->file[k].size;
		status = judge_issuer(&disjoint, bytes);
		if (status == STATUS_NO_MEMORY)
			report_fault(verify->report, status, "set",
			    "set-disjoint", "house rule", "out of memory");
		free(disjoint.suspects.hash);
		free(disjoint.row);
		worst = status_graver(worst, status);
	}
	return worst;
}
