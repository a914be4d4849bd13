/* SPDX-License-Identifier: ISC */
/*
 * No serial of an issuer in two shards: their hashes are gathered while lint
 * walks over the entries; another walk gathers the entries of suspects, and
 * serials are compared in full.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/disjoint.h"
#include "crlpress/pool.h"
#include "verify_impl.h"

/* Bytes of an entry whose serial has 16 octets, some with a reason. Where they
 * are fewer all is looked at once more. */
#define ENTRY_BYTES 38

/* Entries gathered for comparison at the most: 640 MB of them. */
#define GATHERED_MOST (1U << 24)

struct verify_disjoint {
	struct verify *verify;
	struct disjoint *hashes;
	unsigned workers;
	pthread_mutex_t mutex; /* of all that follows */
	struct row *row;       /* entries of suspects; see rows_add */
	size_t row_count;
	size_t row_room;
	bool no_memory;
	bool is_unread; /* a file that was judged could not be read again */
};

/* Issuers are told apart by where they are kept. */
static uint64_t
issuer_number(const struct issuer *issuer)
{
	return (uintptr_t)issuer;
}

void
verify_disjoint_entry(struct verify_disjoint *disjoint, unsigned worker,
    const struct issuer *issuer, const struct crl_entry *entry)
{
	if (entry->serial_in_range && issuer != NULL)
		disjoint_add(disjoint->hashes, worker, issuer_number(issuer),
		    &entry->serial);
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

	(void)worker;
	/* A CRL without a URL is no shard; it may list what shards list. */
	if (!entry->serial_in_range || disjoint->verify->file[file].url == NULL)
		return;
	if (!disjoint_suspects(
		disjoint->hashes, issuer_number(issuer), &entry->serial))
		return;
	pthread_mutex_lock(&disjoint->mutex);
	rows_add(disjoint, &entry->serial, file);
	pthread_mutex_unlock(&disjoint->mutex);
}

/*
 * What cannot be read has been said when the file was judged; what cannot be
 * read any more is said now, since its serials go uncompared.
 */
static void
walk_file(struct verify_disjoint *disjoint, unsigned worker, size_t i,
    entry_visit *visit)
{
	struct verify *verify = disjoint->verify;
	struct verify_file *file = &verify->file[i];
	struct crl_fault fault = {0};
	struct crl_entry entry;
	size_t position = 0;
	struct crl crl;

	if (file->issuer == NULL || !file->parsed)
		return;
	if (verify_crl_again(file, verify->report, &verify->bytes[worker],
		&crl) != STATUS_OK) {
		pthread_mutex_lock(&disjoint->mutex);
		disjoint->is_unread = true;
		pthread_mutex_unlock(&disjoint->mutex);
		return;
	}
	while (crl_entry_read(&crl, &position, &entry, &fault) == STATUS_OK)
		visit(disjoint, worker, i, &entry);
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
static enum status
judge_rounds(struct verify_disjoint *disjoint)
{
	struct verify *verify = disjoint->verify;
	size_t suspects = 0;
	enum status status;

	while (disjoint_next(disjoint->hashes))
		pool_run(disjoint->workers, verify->file_count, walk_round,
		    disjoint);
	status = disjoint_count(disjoint->hashes, &suspects);
	if (status != STATUS_OK || suspects == 0)
		return status;
	pool_run(
	    disjoint->workers, verify->file_count, walk_suspects, disjoint);
	return compare_rows(disjoint);
}

enum status
verify_disjoint_judge(struct verify *verify)
{
	struct verify_disjoint *disjoint = verify->disjoint;
	enum status status = judge_rounds(disjoint);

	if (disjoint->is_unread)
		status = status_graver(status, STATUS_FAULTY);
	/* Unjudged is not judged right. */
	if (disjoint->no_memory || status == STATUS_NO_MEMORY)
		status = report_fault(verify->report, STATUS_FAULTY, "set",
		    "set-disjoint", "house rule",
		    "cannot be judged: out of memory");
	return status;
}

enum status
verify_disjoint_new(struct verify *verify, uint64_t bytes)
{
	struct verify_disjoint *disjoint = calloc(1, sizeof(*disjoint));
	enum status status;

	if (disjoint == NULL)
		return STATUS_NO_MEMORY;
	disjoint->verify = verify;
	disjoint->workers = verify->workers;
	status = disjoint_new(verify->workers, bytes / ENTRY_BYTES,
	    DISJOINT_MEMORY_MOST, &disjoint->hashes);
	if (status == STATUS_OK &&
	    pthread_mutex_init(&disjoint->mutex, NULL) != 0) {
		disjoint_free(disjoint->hashes);
		status = STATUS_NO_MEMORY;
	}
	if (status != STATUS_OK) {
		free(disjoint);
		return status;
	}
	verify->disjoint = disjoint;
	return STATUS_OK;
}

void
verify_disjoint_free(struct verify_disjoint *disjoint)
{
	if (disjoint == NULL)
		return;
	disjoint_free(disjoint->hashes);
	pthread_mutex_destroy(&disjoint->mutex);
	free(disjoint->row);
	free(disjoint);
}
