/* SPDX-License-Identifier: ISC */
/* One file: what it is, whose it is, and whether it is right. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/pem.h"
#include "verify_impl.h"

/* No shard is larger; crl_build.h makes none. */
#define FILE_BYTES_MOST 0x7fffffffLL

/* Whose entries lint is walking over, for the test of disjointness. */
struct asker {
	struct verify_disjoint *disjoint;
	unsigned worker;
	const struct issuer *issuer;
};

static enum status
file_fault(struct report *report, const char *path, const char *what)
{
	return report_fault(
	    report, STATUS_FAULTY, path, "der", "MRSP 5.2", "%s", what);
}

/* O_NONBLOCK: opening a FIFO or a device must not hang. */
static enum status
bytes_map(
    const char *path, int fd, struct report *report, struct verify_bytes *bytes)
{
	struct stat info;

	if (fd < 0 || fstat(fd, &info) != 0)
		return file_fault(report, path, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return file_fault(report, path, "not a regular file");
	if (info.st_size == 0)
		return file_fault(report, path, "offset 0: empty file");
	if (info.st_size > FILE_BYTES_MOST)
		return file_fault(report, path, "larger than 2 GiB");
	bytes->map_len = (size_t)info.st_size;
	bytes->map = mmap(NULL, bytes->map_len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes->map == MAP_FAILED) {
		bytes->map = NULL;
		return file_fault(report, path, strerror(errno));
	}
	bytes->data = bytes->map;
	bytes->len = bytes->map_len;
	return STATUS_OK;
}

enum status
verify_bytes_open(
    const char *path, struct report *report, struct verify_bytes *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum status status = bytes_map(path, fd, report, bytes);
	const char *why = NULL;

	if (fd >= 0)
		close(fd);
	if (status != STATUS_OK || bytes->data[0] == 0x30 ||
	    !pem_is_likely(bytes->data, bytes->len))
		return status;
	status = pem_read_crl(
	    bytes->map, bytes->map_len, &bytes->decoded, &bytes->len, &why);
	bytes->data = bytes->decoded;
	if (status == STATUS_MALFORMED)
		status = file_fault(report, path, why);
	return status;
}

void
verify_bytes_close(struct verify_bytes *bytes)
{
	if (bytes->map != NULL)
		munmap(bytes->map, bytes->map_len);
	free(bytes->decoded);
	memset(bytes, 0, sizeof(*bytes));
}

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
	char url[SHARD_NAME_BYTES];
	const char *why = NULL;

	for (size_t i = 0; i < verify->config_count && file->url; i++) {
		const struct config *config = verify->config[i];

		for (uint32_t n = 0; n < config->shards.count; n++) {
			uint32_t index = config->shards.first + n;

			if (shard_expand(config->url_pattern,
				config->shards.count, index, url, sizeof(url),
				&why) != STATUS_OK ||
			    strcmp(url, file->url) != 0)
				continue;
			file->config = config;
			file->shard = index;
			return true;
		}
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

static enum status
judge_names(
    struct verify *verify, struct verify_file *file, const struct crl *crl)
{
	enum status status = STATUS_OK;

	file->issuer = find_issuer(verify, crl);
	if (file->issuer == NULL)
		status = report_fault(file->findings, STATUS_FAULTY, file->path,
		    "issuer-bytes", "RFC 5280, 5.1.2.3",
		    "no issuer certificate that was given has this name");
	if (!find_shard(verify, file) && verify->config_count > 0 &&
	    verify->url == NULL)
		status = report_fault(file->findings, STATUS_FAULTY, file->path,
		    "idp-url", "BR 7.2.2.1",
		    "no configured shard has this URL, have %s",
		    file->url != NULL ? file->url : "none");
	return status;
}

static void
ask_entry(void *asker, const struct crl_entry *entry)
{
	const struct asker *file = asker;

	verify_disjoint_entry(
	    file->disjoint, file->worker, file->issuer, entry);
}

static enum status
judge_crl(struct verify *verify, unsigned worker, struct verify_file *file,
    const struct crl *crl)
{
	const struct config *config;
	struct lint_context context = {
	    .profile = verify->profile,
	    .url = verify->url,
	    .now_sec = verify->now_sec,
	    .skew_sec = verify->skew_sec,
	};
	struct asker asker = {.disjoint = verify->disjoint, .worker = worker};
	struct lint_result result = {0};
	enum status status = read_facts(file, crl);

	if (status != STATUS_OK)
		return status;
	status = judge_names(verify, file, crl);
	config = file->config;
	context.issuer = file->issuer;
	asker.issuer = file->issuer;
	if (verify->disjoint != NULL) {
		context.on_entry = ask_entry;
		context.asker = &asker;
	}
	if (config != NULL) {
		if (!verify->has_profile)
			context.profile = config->profile;
		if (context.url == NULL)
			context.url = file->url;
		context.has_ocsp = config->has_ocsp;
		context.bytes_most = config->size_most;
	}
	status = status_graver(status,
	    lint_crl(crl, &context, file->path, file->findings, &result));
	file->entries = result.entries;
	return status;
}

void
verify_file_judge(
    struct verify *verify, unsigned worker, struct verify_file *file)
{
	struct verify_bytes bytes = {0};
	struct crl_fault fault = {0};
	enum status status;
	struct crl crl;

	status = verify_bytes_open(file->path, file->findings, &bytes);
	if (status == STATUS_OK &&
	    crl_parse(bytes.data, bytes.len, &crl, &fault) != STATUS_OK)
		status = report_fault(file->findings, STATUS_FAULTY, file->path,
		    fault.rule, fault.clause, "offset %zu: %s", fault.offset,
		    fault.text);
	else if (status == STATUS_OK)
		status = judge_crl(verify, worker, file, &crl);
	file->pem = bytes.decoded != NULL;
	if (status == STATUS_NO_MEMORY || status == STATUS_FAILED)
		status = report_fault(file->findings, STATUS_FAULTY, file->path,
		    NULL, NULL, "out of memory");
	file->status = status;
	verify_bytes_close(&bytes);
}
