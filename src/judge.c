/* SPDX-License-Identifier: ISC */
/*
 * The judge of our own CRLs. Lint asks whether they are what RFC 5280 and the
 * policies allow; what is asked here is whether they say what was meant: these
 * times, this number, and exactly these rows.
 */
#include "crlpress/judge.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/utc.h"

static enum status
judge_fault(struct report *report, const char *object, const char *text)
{
	return report_fault(
	    report, STATUS_REFUSED, object, "judge", "house rule", "%s", text);
}

static enum status
judge_time(const char *name, int64_t have_sec, int64_t want_sec,
    const char *object, struct report *report)
{
	char have[UTC_ISO_BYTES], want[UTC_ISO_BYTES];

	if (have_sec == want_sec)
		return STATUS_OK;
	return report_fault(report, STATUS_REFUSED, object, "judge",
	    "RFC 5280, 5.1.2.4", "%s, have %s, want %s", name,
	    utc_to_iso(have_sec, have), utc_to_iso(want_sec, want));
}

static enum status
judge_header(const struct crl *crl, const struct judge_meant *meant,
    const char *object, struct report *report)
{
	struct crl_fault fault = {0};
	struct uint160 number;
	enum status status;

	status = judge_time("thisUpdate", crl->this_update.sec,
	    meant->this_update_sec, object, report);
	if (status == STATUS_OK)
		status = judge_time("nextUpdate", crl->next_update.sec,
		    meant->next_update_sec, object, report);
	if (status != STATUS_OK)
		return status;
	if (crl_number(crl, &number, &fault) != STATUS_OK ||
	    uint160_compare(&number, &meant->number) != 0)
		return judge_fault(
		    report, object, "crlNumber is not the one that was meant");
	return STATUS_OK;
}

/* RFC 5280, 5.2.5: a profile may allow a scope that was not meant. */
static enum status
judge_scope(const struct crl *crl, const struct judge_meant *meant,
    const char *object, struct report *report)
{
	struct crl_fault fault = {0};
	struct crl_idp idp = {0};

	if (crl_idp(crl, &idp, &fault) == STATUS_MALFORMED)
		return report_fault(report, STATUS_REFUSED, object, fault.rule,
		    fault.clause, "offset %zu: %s", fault.offset, fault.text);
	if (idp.only_users == (meant->scope == CRL_SCOPE_USERS) &&
	    idp.only_cas == (meant->scope == CRL_SCOPE_CAS))
		return STATUS_OK;
	return judge_fault(report, object,
	    "the distribution point has not the scope that was meant");
}

static bool
entry_is_row(const struct crl_entry *entry, const struct row *row)
{
	uint8_t reason = (uint8_t)(entry->reason < 0 ? 0 : entry->reason);

	return entry->serial_in_range &&
	       uint160_compare(&entry->serial, &row->serial) == 0 &&
	       entry->revoked_at.sec == row_revoked_at(row) &&
	       reason == row->reason;
}

/* The entries of the CRL as they are read, held against the rows. */
struct comparison {
	const struct judge_meant *meant;
	size_t same;   /* entries that are their rows, up to the first other */
	size_t beyond; /* entries from there on */
};

static void
compare_entry(void *asker, const struct crl_entry *entry)
{
	struct comparison *comparison = asker;
	const struct judge_meant *meant = comparison->meant;
	size_t i = comparison->same;

	if (comparison->beyond == 0 && i < meant->row_count &&
	    entry_is_row(entry, &meant->rows[i]))
		comparison->same++;
	else
		comparison->beyond++;
}

/* BR 4.9.7 and the law of this program: every row, and nothing else. */
static enum status
judge_entries(const struct comparison *comparison, const char *object,
    struct report *report)
{
	const struct judge_meant *meant = comparison->meant;
	char serial[UINT160_HEX_BYTES];

	if (comparison->same < meant->row_count)
		return report_fault(report, STATUS_REFUSED, object, "judge",
		    "BR 4.9.7", "entry %zu is not the row with serial %s",
		    comparison->same,
		    uint160_to_hex(
			&meant->rows[comparison->same].serial, serial));
	if (comparison->beyond > 0)
		return report_fault(report, STATUS_REFUSED, object, "judge",
		    "BR 4.9.7",
		    "entries beyond the rows that were meant, have %zu, want "
		    "%zu",
		    comparison->same + comparison->beyond, meant->row_count);
	return STATUS_OK;
}

static enum status
judge_bytes(const uint8_t *data, size_t len, const struct judge_meant *meant,
    const char *object, struct report *report, struct hash *sha256)
{
	struct comparison comparison = {.meant = meant};
	struct lint_context lint = meant->lint;
	struct lint_result result = {0};
	struct crl_fault fault = {0};
	struct crl crl;
	enum status status;

	lint.on_entry = compare_entry;
	lint.asker = &comparison;
	if (crl_parse(data, len, &crl, &fault) != STATUS_OK)
		return report_fault(report, STATUS_REFUSED, object, fault.rule,
		    fault.clause, "offset %zu: %s", fault.offset, fault.text);
	status = lint_crl(&crl, &lint, object, report, &result);
	if (status != STATUS_OK)
		return STATUS_REFUSED;
	status = judge_header(&crl, meant, object, report);
	if (status == STATUS_OK)
		status = judge_scope(&crl, meant, object, report);
	if (status == STATUS_OK)
		status = judge_entries(&comparison, object, report);
	if (status == STATUS_OK && hash_bytes(data, len, sha256) != STATUS_OK)
		status = judge_fault(report, object, "cannot be hashed");
	return status;
}

static enum status
judge_unread(const char *path, const char *object, struct report *report)
{
	return report_fault(report, STATUS_IO, object, "judge", NULL,
	    "%s cannot be read back: %m", path);
}

enum status
judge_file(const char *path, const struct judge_meant *meant,
    const char *object, struct report *report, struct hash *sha256)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum status status = STATUS_IO;
	struct stat info = {0};
	void *map = MAP_FAILED;

	if (fd < 0 || fstat(fd, &info) != 0) {
		status = judge_unread(path, object, report);
		goto out;
	}
	if (info.st_size == 0) {
		status = judge_fault(report, object, "the file is empty");
		goto out;
	}
	map = mmap(NULL, (size_t)info.st_size, PROT_READ,
	    MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED) {
		status = judge_unread(path, object, report);
		goto out;
	}
	status = judge_bytes(
	    map, (size_t)info.st_size, meant, object, report, sha256);
	munmap(map, (size_t)info.st_size);
out:
	if (fd >= 0)
		close(fd);
	return status;
}
