/* SPDX-License-Identifier: ISC */
/*
 * The order of things in signing a request: all of it is looked at and shown
 * before the key is touched, and what is signed is judged by the rules' table
 * before it is written anywhere.
 */
#include "crlpress/sign.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/crl_build.h"
#include "crlpress/lint.h"
#include "crlpress/utc.h"
#include "sign_impl.h"

/* What the person types, and more than that is another answer. */
#define ANSWER "yes"
#define ANSWER_BYTES 16

__attribute__((format(printf, 2, 3))) static enum status
refuse(const struct sign *sign, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return report_fault(sign->report, STATUS_REFUSED, sign->options->dir,
	    SIGN_RULE, "house rule", "%s", text);
}

/* Who is to sign is who is asked, for the URLs that are the issuer's. */
static enum status
check_issuer(const struct sign *sign)
{
	const struct request *request = &sign->request;
	const struct config *config = sign->config;
	const struct issuer_facts *facts = issuer_facts(sign->issuer);
	char have[HASH_HEX_BYTES], want[HASH_HEX_BYTES];
	struct hash mine;

	memcpy(mine.octet, facts->sha256, HASH_BYTES);
	if (strcmp(request->issuer, config->name) != 0)
		return refuse(sign,
		    "for another issuer, have %s, want %s, the name in %s",
		    request->issuer, config->name, config->path);
	if (memcmp(mine.octet, request->issuer_sha256.octet, HASH_BYTES) != 0)
		return refuse(sign,
		    "for another issuer certificate, have %s, want %s",
		    hash_to_hex(&request->issuer_sha256, have),
		    hash_to_hex(&mine, want));
	if (config->url_pattern != NULL &&
	    strcmp(config->url_pattern, request->url_pattern) != 0)
		return refuse(sign, "for other URLs, have %s, want %s",
		    request->url_pattern, config->url_pattern);
	if (config->shards.count != 0 &&
	    (config->shards.count != request->shards_configured ||
		config->shards.first != request->shard_first))
		return refuse(sign,
		    "for other shards, have %" PRIu32 " from %" PRIu32
		    ", want %" PRIu32 " from %" PRIu32,
		    request->shards_configured, request->shard_first,
		    config->shards.count, config->shards.first);
	return STATUS_OK;
}

static enum status
check_times(const struct sign *sign)
{
	const struct request *request = &sign->request;
	const struct issuer_facts *facts = issuer_facts(sign->issuer);
	char have[UTC_ISO_BYTES], want[UTC_ISO_BYTES];
	int64_t ahead_sec = request->this_update_sec - sign->now_sec;

	if (ahead_sec > sign->config->skew_sec) {
		refuse(sign, "thisUpdate %s is after the clock here, %s",
		    utc_to_iso(request->this_update_sec, have),
		    utc_to_iso(sign->now_sec, want));
		report_hint(sign->report, "set this machine's clock");
		return STATUS_REFUSED;
	}
	if (request->next_update_sec <= sign->now_sec) {
		refuse(sign,
		    "expired: nextUpdate %s is not after the clock "
		    "here, %s",
		    utc_to_iso(request->next_update_sec, have),
		    utc_to_iso(sign->now_sec, want));
		report_hint(
		    sign->report, "stage again, or set this machine's clock");
		return STATUS_REFUSED;
	}
	if (request->this_update_sec >= facts->not_before_sec &&
	    request->this_update_sec <= facts->not_after_sec)
		return STATUS_OK;
	/* A gate of the run that staged it; its pass stands in the request. */
	report_warn(sign->report, sign->options->dir, "issuer", "house rule",
	    "thisUpdate %s is not within the validity of the issuer "
	    "certificate",
	    utc_to_iso(request->this_update_sec, have));
	return STATUS_OK;
}

static enum status
shards_init(struct sign *sign)
{
	const struct request *request = &sign->request;

	sign->shard = calloc(request->shard_count, sizeof(*sign->shard));
	if (sign->shard == NULL)
		return sign_no_memory(sign);
	for (size_t i = 0; i < request->shard_count; i++) {
		struct sign_shard *shard = &sign->shard[i];

		shard->asked = &request->shard[i];
		shard->made.index = shard->asked->index;
		(void)snprintf(shard->object, sizeof(shard->object),
		    "%s/shard %" PRIu32, sign->config->name,
		    shard->asked->index);
	}
	return STATUS_OK;
}

/* By rules that no code of the encoder or the signer had a part in. */
static enum status
judge(const struct sign *sign, struct sign_shard *shard,
    const struct sign_bytes *tbs, const struct sign_bytes *bytes)
{
	const struct lint_context lint = {
	    .profile = sign->config->profile,
	    .issuer = sign->issuer,
	    .url = shard->asked->url,
	    .ours = true,
	    .has_ocsp = sign->config->has_ocsp,
	    .now_sec = sign->now_sec,
	    .skew_sec = sign->config->skew_sec,
	    .bytes_most = sign->config->size_most,
	};
	const struct crl_view want = {tbs->data, tbs->len};
	struct lint_result result = {0};
	struct crl_fault fault = {0};
	struct crl crl;

	if (crl_parse(bytes->data, bytes->len, &crl, &fault) != STATUS_OK)
		return report_fault(sign->report, STATUS_REFUSED, shard->object,
		    fault.rule, fault.clause, "offset %zu: %s", fault.offset,
		    fault.text);
	if (!crl_view_equal(&crl.tbs, &want))
		return report_fault(sign->report, STATUS_REFUSED, shard->object,
		    SIGN_RULE, "house rule",
		    "the signed bytes are not those that were asked for");
	if (lint_crl(&crl, &lint, shard->object, sign->report, &result) !=
	    STATUS_OK)
		return STATUS_REFUSED;
	shard->made.size = bytes->len;
	if (hash_bytes(bytes->data, bytes->len, &shard->made.sha256) !=
	    STATUS_OK)
		return sign_no_memory(sign);
	return STATUS_OK;
}

static enum status
start_signer(struct sign *sign)
{
	const struct request *request = &sign->request;
	struct signer_config signer = config_signer(sign->config);
	struct crl_view want = {request->algorithm, request->algorithm_len};
	struct crl_view have;
	enum status status;

	if (sign->signer != NULL)
		return STATUS_OK;
	signer.passphrase_fd = sign->options->passphrase_fd;
	/* What was looked at, whether the configuration has it or not. */
	signer.url_pattern = request->url_pattern;
	signer.shard_first = request->shard_first;
	signer.shard_count = request->shards_configured;
	signer.now_sec = sign->now_sec;
	signer.has_now = sign->options->has_now;
	status = signer_start(&signer, sign->report, &sign->signer);
	if (status != STATUS_OK)
		return status;
	have = signer_algorithm(sign->signer);
	if (crl_view_equal(&have, &want))
		return STATUS_OK;
	refuse(sign, "for another signature algorithm than this key's");
	report_hint(sign->report,
	    "[issuer] digest and padding must be the same on both machines");
	return STATUS_REFUSED;
}

/* SEQUENCE header, TBS, algorithm and signature. */
static enum status
assemble(const struct sign *sign, const struct sign_bytes *tbs,
    const struct signer_signature *signature, struct sign_bytes *bytes)
{
	const struct request *request = &sign->request;
	uint8_t prefix[CRL_PREFIX_BYTES], suffix[CRL_SUFFIX_BYTES_MOST];
	size_t suffix_len = crl_suffix_write(request->algorithm,
	    request->algorithm_len, signature->octet, signature->len, suffix);
	size_t prefix_len;

	if (suffix_len == 0)
		return refuse(sign, "signature too long");
	prefix_len = crl_prefix_write(tbs->len, suffix_len, prefix);
	bytes->len = prefix_len + tbs->len + suffix_len;
	bytes->data = malloc(bytes->len);
	if (bytes->data == NULL)
		return sign_no_memory(sign);
	memcpy(bytes->data, prefix, prefix_len);
	memcpy(bytes->data + prefix_len, tbs->data, tbs->len);
	memcpy(bytes->data + prefix_len + tbs->len, suffix, suffix_len);
	return STATUS_OK;
}

static enum status
ask_signer(struct sign *sign, struct sign_shard *shard,
    const struct sign_bytes *tbs, struct signer_signature *signature)
{
	const struct uint160 none = {{0}};
	struct signer_buffer buffer = {.data = NULL};
	enum status status = start_signer(sign);

	if (status == STATUS_OK)
		status = signer_buffer_new(&buffer, tbs->len, sign->report);
	if (status != STATUS_OK)
		return status;
	memcpy(buffer.data, tbs->data, tbs->len);
	status = signer_sign(sign->signer, &buffer,
	    shard->asked->has_previous ? &shard->asked->previous : &none,
	    shard->object, sign->report, signature);
	signer_buffer_free(&buffer);
	return status;
}

/* Remembered before it is given away: nobody has another one. */
static enum status
make(struct sign *sign, struct sign_shard *shard, const struct sign_bytes *tbs,
    const char *path, struct sign_bytes *bytes)
{
	struct signer_signature signature;
	enum status status = ask_signer(sign, shard, tbs, &signature);

	if (status == STATUS_OK)
		status = assemble(sign, tbs, &signature, bytes);
	if (status == STATUS_OK)
		status = judge(sign, shard, tbs, bytes);
	if (status == STATUS_OK)
		status = sign_file_write(sign, path, bytes->data, bytes->len);
	return status;
}

/* What was signed of it before, or made now, into the directory. */
static enum status
sign_shard(struct sign *sign, struct sign_shard *shard)
{
	struct sign_bytes tbs = {NULL, 0}, bytes = {NULL, 0};
	char name[REQUEST_FILE_NAME_BYTES];
	enum status status = sign_look_read(sign, shard, &tbs);
	char *kept = NULL, *path = NULL;

	if (status != STATUS_OK)
		goto out;
	request_crl_name(shard->asked->index, name);
	status = STATUS_NO_MEMORY;
	kept = sign_state_path(sign, &sign->request.number, name);
	path = sign_path(sign, name);
	if (kept == NULL || path == NULL)
		goto out;
	status = sign_file_read(sign, kept,
	    tbs.len + CRL_PREFIX_BYTES + CRL_SUFFIX_BYTES_MOST, &bytes);
	if (status == STATUS_OK)
		status = judge(sign, shard, &tbs, &bytes);
	else if (status == STATUS_NOT_FOUND)
		status = make(sign, shard, &tbs, kept, &bytes);
	shard->is_kept = status == STATUS_OK;
	if (status == STATUS_OK)
		status = sign_file_write(sign, path, bytes.data, bytes.len);
	shard->is_signed = status == STATUS_OK;
out:
	free(tbs.data);
	free(bytes.data);
	free(kept);
	free(path);
	return status;
}

/* The last file: who finds it finds all that it names. */
static enum status
close_list(const struct sign *sign)
{
	size_t count = sign->request.shard_count;
	struct closing closing = {
	    .issuer = sign->request.issuer,
	    .issuer_sha256 = sign->request.issuer_sha256,
	    .number = sign->request.number,
	    .request_sha256 = sign->request_sha256,
	    .shard = calloc(count, sizeof(*closing.shard)),
	    .shard_count = count,
	};
	char *path = sign_path(sign, REQUEST_CLOSING_NAME);
	enum status status = STATUS_NO_MEMORY;
	const char *why = NULL;
	char *text = NULL;
	size_t len = 0;

	for (size_t i = 0; closing.shard != NULL && i < count; i++)
		closing.shard[i] = sign->shard[i].made;
	if (closing.shard != NULL && path != NULL)
		status = closing_format(&closing, &text, &len, &why);
	if (status != STATUS_OK)
		status = report_fault(sign->report, STATUS_FAILED,
		    sign->options->dir, SIGN_RULE, NULL, "no closing list: %s",
		    why != NULL ? why : "out of memory");
	else
		status = sign_file_write(sign, path, text, len);
	free(closing.shard);
	free(text);
	free(path);
	return status;
}

/* One word, on a line of its own. */
static enum status
confirm(const struct sign *sign)
{
	char answer[ANSWER_BYTES] = "";

	if (sign->options->yes)
		return STATUS_OK;
	fprintf(sign->shown, "Sign? Type %s: ", ANSWER);
	(void)fflush(sign->shown);
	if (fgets(answer, sizeof(answer), sign->context->in) != NULL &&
	    strcmp(answer, ANSWER "\n") == 0)
		return STATUS_OK;
	fputc('\n', sign->shown);
	return report_fault(sign->report, STATUS_REFUSED, sign->config->name,
	    NULL, NULL, "not confirmed: nothing was signed");
}

static enum status
sign_all(struct sign *sign)
{
	enum status status = sign_state_begin(sign);
	size_t done = 0;

	for (size_t i = 0; status == STATUS_OK && i < sign->request.shard_count;
	     i++) {
		status = sign_shard(sign, &sign->shard[i]);
		done += sign->shard[i].is_kept;
	}
	if (status == STATUS_OK)
		status = close_list(sign);
	if (status == STATUS_OK)
		sign_state_sweep(sign);
	else if (done > 0)
		status = STATUS_PARTIAL;
	return status;
}

static enum status
prepare(struct sign *sign)
{
	const struct config *config = sign->config;
	enum status status;

	status = issuer_load(config->certificate, sign->report, &sign->issuer);
	if (status == STATUS_OK)
		status = sign_dir_request(sign);
	if (status == STATUS_OK)
		status = check_issuer(sign);
	if (status == STATUS_OK)
		status = check_times(sign);
	if (status == STATUS_OK)
		status = sign_dir_check(sign);
	if (status == STATUS_OK)
		status = sign_state_open(sign);
	if (status == STATUS_OK)
		status = shards_init(sign);
	return status == STATUS_OK ? sign_look(sign) : status;
}

enum status
sign_directory(const struct config *config, const struct sign_options *options,
    const struct context *context, struct report *report, FILE *shown,
    struct json *json)
{
	struct sign sign = {
	    .config = config,
	    .options = options,
	    .context = context,
	    .report = report,
	    .shown = shown,
	    .now_sec =
		options->has_now ? options->now_sec : context->clock_sec(),
	};
	enum status status = prepare(&sign);

	/* Nobody says yes to what was not shown. */
	if (status == STATUS_OK &&
	    (!options->quiet || options->dry_run || !options->yes))
		sign_show(&sign);
	if (status == STATUS_OK && !options->dry_run)
		status = confirm(&sign);
	if (status == STATUS_OK && !options->dry_run)
		status = sign_all(&sign);
	if (status == STATUS_OK && !options->dry_run && !options->quiet)
		fprintf(shown, "%s: signed, see %s/%s\n", config->name,
		    options->dir, REQUEST_CLOSING_NAME);
	status = status_public(status);
	if (json != NULL && sign.request.issuer != NULL)
		sign_print_json(&sign, status, json);
	signer_stop(sign.signer);
	state_close(sign.state);
	issuer_free(sign.issuer);
	request_free(&sign.request);
	free(sign.request_text);
	free(sign.shard);
	return status;
}
