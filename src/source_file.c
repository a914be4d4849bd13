/* SPDX-License-Identifier: ISC */
/*
 * A file as a source: read whole and checked to its end, then its rows. So
 * nothing is taken from one that turns out to be bad further on, and nothing
 * that another program does to it meanwhile is seen.
 */
#include <stdlib.h>

#include "crlpress/utc.h"
#include "source_file.h"

#define REASON_MOST 10
#define REASON_UNUSED 7
#define REASON_REMOVE_FROM_CRL 8

static struct source_file *
file_of(struct source *source)
{
	return (struct source_file *)source;
}

/* RFC 5280, 5.3.1, in the words for rows of databases: source_row.c. */
static const char *
row_fault(const struct uint160 *serial, int64_t revoked_at_sec, int reason)
{
	if (uint160_is_zero(serial))
		return "serial is zero";
	if (revoked_at_sec < UTC_MIN_SEC)
		return "revoked_at is before 1950";
	if (revoked_at_sec > UTC_MAX_SEC)
		return "revoked_at is after 9999";
	if (reason > REASON_MOST)
		return "reason is not 0 to 10";
	if (reason == REASON_UNUSED)
		return "reason is 7, which means nothing";
	if (reason == REASON_REMOVE_FROM_CRL)
		return "reason is 8 (removeFromCRL), for delta CRLs";
	return NULL;
}

struct source_row
source_file_row(const struct uint160 *serial, int64_t revoked_at_sec,
    int reason, int64_t not_after_sec)
{
	struct source_row row = {
	    .fault = row_fault(serial, revoked_at_sec, reason),
	    .serial = *serial,
	    .revoked_at_sec = revoked_at_sec,
	    .not_after_sec = not_after_sec,
	    .has_serial = !uint160_is_zero(serial),
	    .has_hint = true,
	    .has_not_after = true,
	};

	if (row.fault == NULL)
		/* No reason means 0. */
		row.reason = reason < 0 ? 0 : (uint8_t)reason;
	return row;
}

static enum status
file_load(struct source_file *file)
{
	struct source *source = &file->source;
	enum status status;

	free(file->bytes);
	file->bytes = NULL;
	source->snapshot = (struct source_snapshot){
	    .kind = source->config.kind,
	    .edition = {.sec = UTC_MIN_SEC},
	};
	status = source_load(
	    &source->config, file->report, &file->bytes, &file->len);
	if (status == STATUS_OK)
		status = file->format->check(file);
	file->phase = status == STATUS_OK ? FILE_READ : FILE_COMPLETE;
	return status;
}

static enum status
file_renew(struct source *source)
{
	return file_load(file_of(source));
}

static enum status
file_start(struct source *source, const struct source_statement *statement,
    int64_t lookback_sec)
{
	struct source_file *file = file_of(source);

	(void)statement;
	if (file->phase == FILE_STARTED)
		return report_fault(file->report, STATUS_FAILED, file->place,
		    "source", NULL, "its rows are not all read");
	file->lookback_sec = lookback_sec;
	file->format->rewind(file);
	file->phase = FILE_STARTED;
	return STATUS_OK;
}

static bool
file_tells_recorded(const struct source *source)
{
	(void)source;
	return false;
}

static enum status
file_read(
    struct source *source, struct source_row *rows, size_t room, size_t *count)
{
	struct source_file *file = file_of(source);
	enum status status = STATUS_OK;

	if (file->phase != FILE_STARTED)
		return file->phase == FILE_COMPLETE ? STATUS_DONE
						    : STATUS_FAILED;
	while (status == STATUS_OK && *count < room) {
		status = file->format->next(file, &rows[*count]);
		*count += status == STATUS_OK;
	}
	if (status == STATUS_DONE) {
		file->phase = FILE_COMPLETE;
		return *count == 0 ? STATUS_DONE : STATUS_OK;
	}
	if (status != STATUS_OK)
		return report_fault(file->report, STATUS_FAILED, file->place,
		    "source", NULL,
		    "it was right when it was checked; this is "
		    "a bug");
	return STATUS_OK;
}

static void
file_report_to(struct source *source, struct report *report)
{
	file_of(source)->report = report;
}

/* Its rows are in memory: nothing waits. */
static void
file_cancel(struct source *source)
{
	(void)source;
}

static void
file_close(struct source *source)
{
	struct source_file *file = file_of(source);

	issuer_free(file->issuer);
	free(file->bytes);
	free(file);
}

static const struct source_ops file_ops = {
    .renew = file_renew,
    .start = file_start,
    .tells_recorded = file_tells_recorded,
    .read = file_read,
    .report_to = file_report_to,
    .cancel = file_cancel,
    .close = file_close,
};

enum status
source_file_open(const struct source_config *config, struct report *report,
    struct source **source)
{
	struct source_file *file = calloc(1, sizeof(*file));
	enum status status;

	*source = NULL;
	if (file == NULL)
		return report_fault(report, STATUS_NO_MEMORY, config->place,
		    "source", NULL, "out of memory");
	file->source.ops = &file_ops;
	file->source.config = *config;
	file->report = report;
	file->place = config->place;
	file->format = config->kind == SOURCE_CRL ? &source_crl : &source_index;
	status = file_load(file);
	if (status == STATUS_OK)
		*source = &file->source;
	else
		file_close(&file->source);
	return status;
}
