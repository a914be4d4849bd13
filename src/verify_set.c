/* SPDX-License-Identifier: ISC */
/*
 * The shards of an issuer as a set: every configured one there exactly once
 * (CCADB 6.2, BR 4.9.7), and each as the manifest has it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/utc.h"
#include "verify_impl.h"

static enum status
set_fault(struct verify *verify, const char *object, const char *rule,
    const char *clause, const char *text)
{
	return report_fault(
	    verify->report, STATUS_FAULTY, object, rule, clause, "%s", text);
}

/* Marks in `seen` the shards of one configuration; two of one are a fault. */
static enum status
mark_seen(struct verify *verify, const struct config *config, bool *seen)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < verify->file_count; i++) {
		const struct verify_file *file = &verify->file[i];
		uint32_t at;

		if (!file->parsed || file->config != config)
			continue;
		at = file->shard - config->shards.first;
		if (seen[at])
			status = report_fault(verify->report, STATUS_FAULTY,
			    file->path, "set-complete", "CCADB 6.2",
			    "shard %" PRIu32 " is there twice", file->shard);
		seen[at] = true;
	}
	return status;
}

static enum status
judge_complete(struct verify *verify, const struct config *config)
{
	bool *seen = calloc(config->shards.count, sizeof(*seen));
	char url[SHARD_NAME_BYTES];
	const char *why = NULL;
	enum status status;

	if (seen == NULL)
		return report_fault(verify->report, STATUS_NO_MEMORY,
		    config->name, NULL, NULL, "out of memory");
	status = mark_seen(verify, config, seen);
	for (uint32_t n = 0; n < config->shards.count; n++) {
		uint32_t index = config->shards.first + n;

		if (seen[n] ||
		    shard_expand(config->url_pattern, config->shards.count,
			index, url, sizeof(url), &why) != STATUS_OK)
			continue;
		status = report_fault(verify->report, STATUS_FAULTY,
		    config->name, "set-complete", "CCADB 6.2",
		    "shard %" PRIu32 " is missing, want %s", index, url);
	}
	free(seen);
	return status;
}

struct verify_file *
verify_set_find(const struct verify *verify,
    const struct verify_manifest *manifest, const char *key)
{
	struct verify_file *file;
	char *path = NULL;

	if (asprintf(&path, "%s/%s", manifest->root, key) < 0)
		return NULL;
	file = verify_list_find(verify, path);
	free(path);
	return file;
}

static enum status
judge_text(struct verify *verify, const struct verify_file *file,
    const char *what, const char *have, const char *want)
{
	if (strcmp(have, want) == 0)
		return STATUS_OK;
	return report_fault(verify->report, STATUS_FAULTY, file->path,
	    "set-manifest", "house rule",
	    "its %s is not as the manifest says, have %s, want %s", what, have,
	    want);
}

static enum status
judge_count(struct verify *verify, const struct verify_file *file,
    const char *what, uint64_t have, uint64_t want)
{
	char here[24], there[24];

	snprintf(here, sizeof(here), "%" PRIu64, have);
	snprintf(there, sizeof(there), "%" PRIu64, want);
	return judge_text(verify, file, what, here, there);
}

static enum status
judge_time(struct verify *verify, const struct verify_file *file,
    const char *what, int64_t have_sec, int64_t want_sec)
{
	char here[UTC_ISO_BYTES], there[UTC_ISO_BYTES];

	return judge_text(verify, file, what, utc_to_iso(have_sec, here),
	    utc_to_iso(want_sec, there));
}

/* What the manifest says of the very bytes that stand there. */
static enum status
judge_facts(struct verify *verify, const struct verify_file *file,
    const struct manifest_shard *line)
{
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];
	enum status worst;

	worst = judge_text(verify, file, "number",
	    uint160_to_decimal(&file->number, have),
	    uint160_to_decimal(&line->number, want));
	worst = status_graver(
	    worst, judge_count(verify, file, "size", file->size, line->size));
	worst = status_graver(worst, judge_count(verify, file, "entry count",
					 file->entries, line->entries));
	worst = status_graver(
	    worst, judge_time(verify, file, "thisUpdate", file->this_update_sec,
		       line->this_update_sec));
	return status_graver(
	    worst, judge_time(verify, file, "nextUpdate", file->next_update_sec,
		       line->next_update_sec));
}

/* Other bytes: a push publishes a shard between two runs, and so later. */
static enum status
judge_push(struct verify *verify, const struct verify_file *file,
    const struct manifest_shard *line)
{
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];
	int order = uint160_compare(&file->number, &line->number);

	uint160_to_decimal(&file->number, have);
	uint160_to_decimal(&line->number, want);
	if (order == 0)
		return set_fault(verify, file->path, "set-manifest",
		    "RFC 5280, 5.2.3",
		    "has the number the manifest has, but other bytes");
	if (order < 0)
		return report_fault(verify->report, STATUS_FAULTY, file->path,
		    "set-manifest", "RFC 5280, 5.2.3",
		    "older than the manifest, have number %s, want %s", have,
		    want);
	if (file->this_update_sec < line->this_update_sec)
		return set_fault(verify, file->path, "set-manifest",
		    "RFC 5280, 5.1.2.4",
		    "has a higher number than the manifest has, but an earlier "
		    "thisUpdate");
	report_note(verify->report, file->path,
	    "newer than the manifest: pushed since, number %s", have);
	return STATUS_OK;
}

/* With a configuration that was judged by the shard's URL. */
static enum status
judge_line_issuer(struct verify *verify, const struct verify_file *file,
    const struct issuer *issuer)
{
	if (issuer == NULL || file->issuer == NULL || file->config != NULL ||
	    verify_is_same_ca(file->issuer, issuer))
		return STATUS_OK;
	return set_fault(verify, file->path, "set-manifest", "house rule",
	    "is of another issuer than its manifest");
}

static enum status
judge_line(struct verify *verify, const struct verify_file *file,
    const struct manifest_shard *line, const struct issuer *issuer)
{
	enum status status;

	/* One that cannot be read has been said. */
	if (file == NULL || !file->parsed)
		return STATUS_OK;
	status = judge_line_issuer(verify, file, issuer);
	if (status != STATUS_OK)
		return status;
	status = judge_text(verify, file, "URL",
	    file->url != NULL ? file->url : "none", line->url);
	if (status != STATUS_OK)
		return status;
	if (file->pem)
		return set_fault(verify, file->path, "set-manifest",
		    "RFC 5280, 4.2.1.13", "is PEM, want DER");
	if (memcmp(&file->sha256, &line->sha256, sizeof(file->sha256)) == 0)
		return judge_facts(verify, file, line);
	return judge_push(verify, file, line);
}

/*
 * A shard that the manifest does not know was published since, or somebody
 * put it there.
 */
static enum status
judge_unlisted(struct verify *verify, const struct verify_manifest *manifest)
{
	char have[UINT160_DECIMAL_BYTES], want[UINT160_DECIMAL_BYTES];
	const struct uint160 *number = &manifest->manifest.number;
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < verify->file_count; i++) {
		const struct verify_file *file = &verify->file[i];

		if (!file->parsed || file->config == NULL ||
		    strcmp(file->config->name, manifest->manifest.issuer) !=
			0 ||
		    manifest_find(&manifest->manifest, file->shard) != NULL)
			continue;
		uint160_to_decimal(&file->number, have);
		if (uint160_compare(&file->number, number) > 0)
			report_note(verify->report, file->path,
			    "newer than the manifest: pushed since, number %s",
			    have);
		else
			worst = report_fault(verify->report, STATUS_FAULTY,
			    file->path, "set-manifest", "house rule",
			    "the manifest does not have it, have number %s, "
			    "want above %s",
			    have, uint160_to_decimal(number, want));
	}
	return worst;
}

/* The certificate of the configuration with the manifest's name, or NULL. */
static const struct issuer *
configured_issuer(
    const struct verify *verify, const struct verify_manifest *manifest)
{
	for (size_t i = 0; i < verify->config_count; i++)
		if (strcmp(verify->config[i]->name,
			manifest->manifest.issuer) == 0)
			return verify->config_issuer[i];
	return NULL;
}

/*
 * The manifest names the certificate of its issuer by hash. A CA may have had
 * others, which can be given too.
 */
static enum status
judge_manifest_issuer(struct verify *verify,
    const struct verify_manifest *manifest, const struct issuer **issuer)
{
	const struct hash *hash = &manifest->manifest.issuer_sha256;
	const struct issuer *meant = configured_issuer(verify, manifest);
	const struct issuer *given = meant != NULL ? meant : verify->issuer[0];
	char have[HASH_HEX_BYTES], want[HASH_HEX_BYTES];
	struct hash wanted;

	*issuer = NULL;
	for (size_t i = 0; i < verify->issuer_count; i++) {
		const struct issuer *one = verify->issuer[i];

		if (memcmp(issuer_facts(one)->sha256, hash->octet,
			sizeof(hash->octet)) != 0 ||
		    (meant != NULL && !verify_is_same_ca(one, meant)))
			continue;
		*issuer = one;
		return STATUS_OK;
	}
	memcpy(wanted.octet, issuer_facts(given)->sha256, sizeof(wanted.octet));
	report_fault(verify->report, STATUS_FAULTY, manifest->path,
	    "set-manifest", "house rule",
	    "its issuer-sha256 is of no certificate that was given%s%s, have "
	    "%s, want %s",
	    meant != NULL ? " of issuer " : "",
	    meant != NULL ? manifest->manifest.issuer : "",
	    hash_to_hex(hash, have), hash_to_hex(&wanted, want));
	report_hint(verify->report,
	    "--issuer-cert takes an older certificate of the CA as well");
	return STATUS_FAULTY;
}

static enum status
judge_manifest(struct verify *verify, const struct verify_manifest *manifest)
{
	const struct issuer *issuer = NULL;
	enum status worst = judge_manifest_issuer(verify, manifest, &issuer);

	for (size_t i = 0; i < manifest->manifest.shard_count; i++) {
		const struct manifest_shard *line =
		    &manifest->manifest.shard[i];
		const struct verify_file *file =
		    verify_set_find(verify, manifest, line->key);

		if (line->withheld)
			report_warn(verify->report, manifest->path,
			    "set-manifest", "house rule",
			    "shard %" PRIu32
			    " was withheld in the last run: an older one %s",
			    line->index,
			    file != NULL && file->parsed ? "stands"
							 : "is to stand there");
		worst = status_graver(
		    worst, judge_line(verify, file, line, issuer));
	}
	return status_graver(worst, judge_unlisted(verify, manifest));
}

const struct verify_manifest *
verify_set_manifest(const struct verify *verify, const struct config *config)
{
	for (size_t i = 0; i < verify->manifest_count; i++)
		if (strcmp(verify->manifest[i].manifest.issuer, config->name) ==
		    0)
			return &verify->manifest[i];
	return NULL;
}

/*
 * A store without its manifest cannot be held against one. Where single
 * manifests were given only theirs are of interest.
 */
static void
look_for_manifest(struct verify *verify, const struct config *config)
{
	if (!verify->whole || verify->has_bad_manifest ||
	    verify_set_manifest(verify, config) != NULL)
		return;
	report_warn(verify->report, config->name, "set-manifest", "house rule",
	    "its manifest is not there, want %s", config->manifest_key);
}

enum status
verify_set_judge(struct verify *verify)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < verify->config_count; i++) {
		if (!verify_is_whole(verify, verify->config[i]))
			continue;
		look_for_manifest(verify, verify->config[i]);
		worst = status_graver(
		    worst, judge_complete(verify, verify->config[i]));
	}
	for (size_t i = 0; i < verify->manifest_count; i++)
		worst = status_graver(
		    worst, judge_manifest(verify, &verify->manifest[i]));
	return status_graver(worst, verify_place_judge(verify));
}
