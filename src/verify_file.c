/* SPDX-License-Identifier: ISC */
/* One file: what it is, whose it is, and whether it is right. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify_impl.h"

/* Whose entries lint is walking over, for the test of disjointness. */
struct asker {
	struct verify_disjoint *disjoint;
	unsigned worker;
	const struct issuer *issuer;
};

/*
 * The issuer by name, and by key where both sides tell it. A CA that changed
 * its key and whose CRLs tell none is found by trying.
 */
static const struct issuer *
find_issuer(const struct verify *verify, const struct crl *crl)
{
	const struct issuer *found = NULL, *signer = NULL;
	struct crl_fault fault = {0};
	struct crl_aki aki = {0};
	bool has_aki =
	    crl_aki(crl, &aki, &fault) == STATUS_OK && aki.key_id.data != NULL;
	const char *why = NULL;

	for (size_t i = 0; i < verify->issuer_count; i++) {
		const struct issuer *issuer = verify->issuer[i];
		const struct issuer_facts *facts = issuer_facts(issuer);

		if (!crl_view_equal(&facts->subject, &crl->issuer))
			continue;
		if (has_aki && facts->key_id.data != NULL &&
		    crl_view_equal(&facts->key_id, &aki.key_id))
			return issuer;
		if (found == NULL)
			found = issuer;
		else if (signer == NULL &&
			 issuer_verify(issuer, crl, &why) == STATUS_OK)
			signer = issuer;
	}
	if (signer != NULL && issuer_verify(found, crl, &why) != STATUS_OK)
		return signer;
	return found;
}

/* The configured shard whose URL this is. */
static bool
find_shard(const struct verify *verify, struct verify_file *file)
{
	for (size_t i = 0; i < verify->config_count && file->url; i++) {
		const struct config *config = verify->config[i];

		if (shard_find(config->url_pattern, config->shards.count,
			config->shards.first, file->url,
			&file->shard) != STATUS_OK)
			continue;
		file->config = config;
		file->shard_issuer = verify->config_issuer[i];
		return true;
	}
	return false;
}

static enum status
read_facts(struct verify_file *file, const struct crl *crl)
{
	struct crl_fault fault = {0};
	struct crl_idp idp = {0};

	file->parsed = true;
	file->size = crl->bytes.len;
	file->this_update_sec = crl->this_update.sec;
	file->has_next_update = crl->has_next_update;
	file->next_update_sec =
	    crl->has_next_update ? crl->next_update.sec : crl->this_update.sec;
	file->has_number = crl_number(crl, &file->number, &fault) == STATUS_OK;
	if (crl_idp(crl, &idp, &fault) == STATUS_OK && idp.url_count > 0) {
		file->url =
		    strndup((const char *)idp.url[0].data, idp.url[0].len);
		if (file->url == NULL)
			return STATUS_NO_MEMORY;
	}
	return hash_bytes(crl->bytes.data, crl->bytes.len, &file->sha256);
}

/*
 * Two certificates of one CA may have the same name and key; a CA that was
 * re-keyed has two keys under one name, each with CRLs of its own.
 */
bool
verify_is_same_ca(const struct issuer *a, const struct issuer *b)
{
	const struct issuer_facts *x = issuer_facts(a), *y = issuer_facts(b);

	return a == b ||
	       (crl_view_equal(&x->subject, &y->subject) &&
		   issuer_has_same_key(a, b) &&
		   (x->key_id.data == NULL || y->key_id.data == NULL ||
		       crl_view_equal(&x->key_id, &y->key_id)));
}

/* BR 7.2 and 7.2.2.1: whose it is, and which shard of whose. */
static enum status
judge_names(struct verify *verify, struct verify_file *file,
    const struct crl *crl, struct report *report)
{
	bool has_shard = find_shard(verify, file);
	char name[ISSUER_NAME_BYTES];

	file->issuer = find_issuer(verify, crl);
	if (file->issuer == NULL)
		return report_fault(report, STATUS_FAULTY, file->path,
		    "issuer-bytes", "RFC 5280, 5.1.2.3",
		    "no issuer certificate that was given has this name, "
		    "have %s",
		    issuer_name_text(&crl->issuer, name, sizeof(name)));
	if (has_shard && !verify_is_same_ca(file->issuer, file->shard_issuer))
		return report_fault(report, STATUS_FAULTY, file->path,
		    "issuer-bytes", "BR 7.2",
		    "another issuer than that of the shard with its URL, have "
		    "%s, want %s",
		    issuer_name_text(&crl->issuer, name, sizeof(name)),
		    file->config->name);
	if (!has_shard && verify->config_count > 0 && verify->url == NULL)
		return report_fault(report, STATUS_FAULTY, file->path,
		    "idp-url", "BR 7.2.2.1",
		    "no configured shard has this URL, have %s",
		    file->url != NULL ? file->url : "none");
	return STATUS_OK;
}

static void
ask_entry(void *asker, const struct crl_entry *entry)
{
	const struct asker *file = asker;

	verify_disjoint_entry(
	    file->disjoint, file->worker, file->issuer, entry);
}

/* What lint is to judge by, of a CRL whose names are known. */
static struct lint_context
lint_context_of(const struct verify *verify, const struct verify_file *file)
{
	const struct config *config = file->config;
	struct lint_context context = {
	    .profile = verify->profile,
	    .issuer = file->issuer,
	    .url = verify->url,
	    .now_sec = verify->now_sec,
	    .skew_sec = verify->skew_sec,
	};

	if (config == NULL)
		return context;
	if (!verify->has_profile)
		context.profile = config->profile;
	if (context.url == NULL)
		context.url = file->url;
	context.has_ocsp = config->has_ocsp;
	context.bytes_most = config->size_most;
	return context;
}

/*
 * Whoever gave another issuer's certificate wants to hear that, and not what a
 * profile that is not meant for it thinks of the CRL: then nothing is told but
 * how many entries there are.
 */
static enum status
judge_stranger(struct verify_file *file, const struct lint_context *context,
    const struct crl *crl)
{
	struct report *silent = report_new(NULL, SEVERITY_FAULT);
	struct lint_result result = {0};

	if (silent == NULL)
		return STATUS_NO_MEMORY;
	(void)!lint_crl(crl, context, file->path, silent, &result);
	file->entries = result.entries;
	report_free(silent);
	return STATUS_FAULTY;
}

static enum status
judge_crl(struct verify *verify, unsigned worker, struct verify_file *file,
    const struct crl *crl, struct report *report)
{
	struct asker asker = {.disjoint = verify->disjoint, .worker = worker};
	struct lint_result result = {0};
	struct lint_context context;
	enum status status = read_facts(file, crl);

	if (status != STATUS_OK)
		return status;
	status = judge_names(verify, file, crl, report);
	context = lint_context_of(verify, file);
	if (file->issuer == NULL)
		return judge_stranger(file, &context, crl);
	asker.issuer = file->issuer;
	if (verify->disjoint != NULL) {
		context.on_entry = ask_entry;
		context.asker = &asker;
	}
	status = status_graver(
	    status, lint_crl(crl, &context, file->path, report, &result));
	file->entries = result.entries;
	return status;
}

/*
 * A report has room for all rules there are; a file keeps what was found, and
 * mostly nothing was. What cannot be kept is still a fault.
 */
static void
keep_findings(struct verify_file *file, const struct report *report)
{
	size_t count = report_kept(report);

	file->found = report_count(report, SEVERITY_FAULT) +
		      report_count(report, SEVERITY_WARNING);
	if (count > 0)
		file->finding = calloc(count, sizeof(*file->finding));
	for (size_t i = 0; file->finding != NULL && i < count; i++) {
		struct finding *kept = &file->finding[file->finding_count];

		*kept = *report_finding(report, i);
		kept->object = file->path;
		kept->text = strdup(kept->text);
		if (kept->text == NULL)
			return;
		file->finding_count++;
	}
}

void
verify_file_judge(
    struct verify *verify, unsigned worker, struct verify_file *file)
{
	struct verify_bytes *bytes = &verify->bytes[worker];
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	enum status status;
	struct crl crl;

	file->status = STATUS_FAULTY;
	if (report == NULL)
		return;
	status = verify_crl_read(file->path, report, bytes, &crl);
	if (status == STATUS_OK)
		status = judge_crl(verify, worker, file, &crl, report);
	file->pem = bytes->decoded != NULL;
	if (status == STATUS_NO_MEMORY || status == STATUS_FAILED)
		status = report_fault(report, STATUS_FAULTY, file->path, NULL,
		    NULL, "out of memory");
	file->status = status;
	keep_findings(file, report);
	report_free(report);
}

void
verify_file_free(struct verify_file *file)
{
	for (size_t i = 0; i < file->finding_count; i++)
		free(file->finding[i].text);
	free(file->finding);
	free(file->url);
	free(file->path);
}
