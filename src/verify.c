/* SPDX-License-Identifier: ISC */
/* The order of a verification. */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "crlpress/pool.h"
#include "verify_impl.h"

static void
judge_file(void *context, unsigned worker, size_t i)
{
	struct verify *verify = context;

	verify_file_judge(verify, worker, &verify->file[i]);
	progress_add(verify->progress, 1);
}

/* Sizes as of now; a bitmap of a wrong size is only slower. */
static enum status
prepare_disjoint(struct verify *verify)
{
	uint64_t bytes = 0;
	struct stat info;

	for (size_t i = 0; i < verify->file_count; i++)
		if (stat(verify->file[i].path, &info) == 0)
			bytes += (uint64_t)info.st_size;
	if (verify_disjoint_new(verify, bytes) == STATUS_OK)
		return STATUS_OK;
	return report_fault(verify->report, STATUS_FAILED, "set",
	    "set-disjoint", "house rule", "out of memory");
}

/* Findings of files in the order of files, whatever order threads had. */
static void
pass_on(struct report *report, const struct finding *finding)
{
	if (finding->severity == SEVERITY_FAULT)
		(void)report_fault(report, STATUS_FAULTY, finding->object,
		    finding->rule, finding->clause, "%s", finding->text);
	else
		report_warn(report, finding->object, finding->rule,
		    finding->clause, "%s", finding->text);
}

static enum status
collect_findings(struct verify *verify)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < verify->file_count; i++) {
		struct verify_file *file = &verify->file[i];

		for (size_t k = 0; k < file->finding_count; k++)
			pass_on(verify->report, &file->finding[k]);
		if (file->parsed && file->issuer == NULL)
			report_hint(verify->report,
			    "--issuer-cert takes the certificate of the CA "
			    "that has this name");
		/* Of each rule it kept the first and counted the others. */
		if (file->found > file->finding_count)
			report_note(verify->report, file->path,
			    "%" PRIu64 " more findings of the same rules",
			    file->found - file->finding_count);
		worst = status_graver(worst, file->status);
	}
	return worst;
}

static enum status
prepare(struct verify *verify)
{
	enum status status = verify_list_close(verify);

	verify->bytes = calloc(VERIFY_BUFFERS, sizeof(*verify->bytes));
	if (status == STATUS_OK && verify->bytes == NULL)
		status = report_fault(verify->report, STATUS_NO_MEMORY, "set",
		    NULL, NULL, "out of memory");
	if (status == STATUS_OK)
		status = prepare_disjoint(verify);
	return status;
}

enum status
verify_run(struct verify *verify)
{
	enum status status = STATUS_OK;

	if (verify->rows_path != NULL)
		status = verify_rows_load(verify);
	if (status == STATUS_USAGE)
		return status;
	if (prepare(verify) != STATUS_OK)
		return STATUS_FAILED;
	progress_phase(verify->progress, "verifying", verify->file_count);
	pool_run(verify->workers, verify->file_count, judge_file, verify);
	progress_clear(verify->progress);
	status = status_graver(status, collect_findings(verify));
	status = status_graver(status, verify_set_judge(verify));
	status = status_graver(status, verify_disjoint_judge(verify));
	status = status_graver(status, verify_rows_judge(verify));
	status = status_graver(status, verify_ccadb_judge(verify));
	return status_graver(status, verify_previous_judge(verify));
}

void
verify_free(struct verify *verify)
{
	for (size_t i = 0; i < verify->file_count; i++)
		verify_file_free(&verify->file[i]);
	free(verify->file);
	free(verify->by_path);
	for (size_t i = 0; verify->bytes != NULL && i < VERIFY_BUFFERS; i++)
		verify_bytes_free(&verify->bytes[i]);
	free(verify->bytes);
	for (size_t i = 0; i < verify->manifest_count; i++) {
		free(verify->manifest[i].path);
		free(verify->manifest[i].root);
		manifest_free(&verify->manifest[i].manifest);
	}
	free(verify->manifest);
	for (size_t i = 0; i < verify->rows_count; i++)
		free(verify->rows[i].set);
	free(verify->rows);
	verify_disjoint_free(verify->disjoint);
	row_arena_free(verify->arena);
}
