/* SPDX-License-Identifier: ISC */
/*
 * What is about to be signed, read from the bytes themselves: the request only
 * says what they must be. RFC 5280, 5.1 and 5.2; the signer's own judgement
 * (signer_check.c) comes on top.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/utc.h"
#include "sign_impl.h"

/* A TBSCertList and what is asked for it. */
struct look {
	struct sign *sign;
	const struct sign_shard *shard;
	struct crl crl;
};

__attribute__((format(printf, 2, 3))) static enum status
refuse(const struct look *look, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return report_fault(look->sign->report, STATUS_REFUSED,
	    look->shard->object, SIGN_RULE, "house rule", "%s", text);
}

/* RFC 5280, 5.1.2.3. */
static enum status
look_issuer(const struct look *look)
{
	const struct issuer_facts *facts = issuer_facts(look->sign->issuer);

	if (crl_view_equal(&look->crl.issuer, &facts->subject))
		return STATUS_OK;
	return refuse(look, "the issuer is not that of the certificate");
}

/* RFC 5280, 5.1.2.2. */
static enum status
look_algorithm(const struct look *look)
{
	const struct request *request = &look->sign->request;
	const struct crl_view want = {
	    request->algorithm, request->algorithm_len};

	if (crl_view_equal(&look->crl.inner_algorithm, &want))
		return STATUS_OK;
	return refuse(look, "another signature algorithm than the request has");
}

/* RFC 5280, 5.2.3. */
static enum status
look_number(const struct look *look)
{
	struct crl_fault fault = {0};
	struct uint160 number;

	if (crl_number(&look->crl, &number, &fault) == STATUS_OK &&
	    uint160_compare(&number, &look->sign->request.number) == 0)
		return STATUS_OK;
	return refuse(look, "another crlNumber than the request has");
}

/* RFC 5280, 5.1.2.4 and 5.1.2.5. */
static enum status
look_times(const struct look *look)
{
	const struct request *request = &look->sign->request;

	if (look->crl.this_update.sec == request->this_update_sec &&
	    look->crl.has_next_update &&
	    look->crl.next_update.sec == request->next_update_sec)
		return STATUS_OK;
	return refuse(
	    look, "another thisUpdate or nextUpdate than the request has");
}

/* RFC 5280, 5.2.5. */
static enum status
look_url(const struct look *look)
{
	const char *url = look->shard->asked->url;
	const struct crl_view want = {(const uint8_t *)url, strlen(url)};
	struct crl_fault fault = {0};
	struct crl_idp idp = {0};

	if (crl_idp(&look->crl, &idp, &fault) == STATUS_OK &&
	    idp.url_count == 1 && crl_view_equal(&idp.url[0], &want))
		return STATUS_OK;
	return refuse(look, "another distribution point than %s", url);
}

/* Entries that rise, in number as the request has it. */
static enum status
look_entries(const struct look *look)
{
	struct crl_fault fault = {0};
	struct uint160 last = {{0}};
	struct crl_entry entry;
	enum status status;
	size_t position = 0;
	uint64_t count = 0;

	while ((status = crl_entry_read(
		    &look->crl, &position, &entry, &fault)) == STATUS_OK) {
		if (!entry.serial_in_range ||
		    uint160_compare(&entry.serial, &last) <= 0)
			return refuse(look,
			    "entry %" PRIu64 " is not above the one before",
			    count);
		last = entry.serial;
		count++;
	}
	if (status != STATUS_DONE)
		return refuse(look, "offset %zu: %s", fault.offset, fault.text);
	if (count == look->shard->asked->entries)
		return STATUS_OK;
	return refuse(look, "entries, have %" PRIu64 ", want %" PRIu64, count,
	    look->shard->asked->entries);
}

static enum status (*const looks[])(const struct look *) = {look_issuer,
    look_algorithm, look_number, look_times, look_url, look_entries};

enum status
sign_look_read(const struct sign *sign, const struct sign_shard *shard,
    struct sign_bytes *tbs)
{
	const struct request_shard *asked = shard->asked;
	char name[REQUEST_FILE_NAME_BYTES];
	enum status status = STATUS_REFUSED;
	char *path = NULL;
	struct hash hash;

	*tbs = (struct sign_bytes){NULL, 0};
	path = sign_path(sign, request_tbs_name(asked->index, name));
	if (path == NULL)
		return STATUS_NO_MEMORY;
	if (asked->size > SIGNER_TBS_BYTES_MOST)
		report_fault(sign->report, status, path, SIGN_RULE,
		    "house rule", "too large to be signed, have %" PRIu64,
		    asked->size);
	else
		status = sign_file_read(sign, path, (size_t)asked->size, tbs);
	if (status == STATUS_NOT_FOUND)
		status =
		    report_fault(sign->report, STATUS_REFUSED, path, SIGN_RULE,
			"house rule", "not there, and the request names it");
	if (status == STATUS_OK)
		status = hash_bytes(tbs->data, tbs->len, &hash);
	if (status == STATUS_OK &&
	    (tbs->len != asked->size ||
		memcmp(hash.octet, asked->sha256.octet, HASH_BYTES) != 0))
		status = report_fault(sign->report, STATUS_REFUSED, path,
		    SIGN_RULE, "house rule",
		    "not the bytes that were staged: size or SHA-256 differs "
		    "from the request's");
	free(path);
	return status;
}

/* What was signed here of this shard under that number. */
static enum status
signed_read(const struct look *look, const struct uint160 *number,
    struct sign_bytes *bytes)
{
	char name[REQUEST_FILE_NAME_BYTES];
	enum status status;
	char *path = sign_state_path(look->sign, number,
	    request_crl_name(look->shard->asked->index, name));

	if (path == NULL)
		return STATUS_NO_MEMORY;
	status = sign_file_read(look->sign, path, STAGE_BYTES_MOST / 2, bytes);
	free(path);
	return status;
}

static bool
is_previous(const struct look *look, const struct sign_bytes *bytes)
{
	struct hash hash;

	return look->shard->asked->has_previous &&
	       hash_bytes(bytes->data, bytes->len, &hash) == STATUS_OK &&
	       memcmp(hash.octet, look->shard->asked->previous_sha256.octet,
		   HASH_BYTES) == 0;
}

/*
 * The published CRL that this one is to follow, as far as it is here: the one
 * that was signed here, but for one of the same number that was not.
 */
static enum status
previous_read(const struct look *look, struct sign_bytes *bytes)
{
	const struct sign *sign = look->sign;
	const struct request_shard *asked = look->shard->asked;
	char name[REQUEST_FILE_NAME_BYTES];
	enum status status;
	char *path;

	if (!asked->has_previous)
		return STATUS_NOT_FOUND;
	status = signed_read(look, &asked->previous, bytes);
	if (status == STATUS_OK && !is_previous(look, bytes)) {
		free(bytes->data);
		*bytes = (struct sign_bytes){NULL, 0};
		status = STATUS_NOT_FOUND;
	}
	if (status != STATUS_NOT_FOUND)
		return status;
	path = sign_path(sign, request_previous_name(asked->index, name));
	if (path == NULL)
		return STATUS_NO_MEMORY;
	status = sign_file_read(sign, path, STAGE_BYTES_MOST / 2, bytes);
	free(path);
	return status;
}

/* An entry of one of two CRLs that are walked together. */
struct walk {
	const struct crl *crl;
	size_t position;
	struct crl_entry entry;
	bool has_entry;
	bool is_sorted;
};

static void
walk_next(struct walk *walk)
{
	struct crl_fault fault = {0};
	struct uint160 last = walk->entry.serial;
	bool had = walk->has_entry;

	walk->has_entry = crl_entry_read(walk->crl, &walk->position,
			      &walk->entry, &fault) == STATUS_OK;
	if (walk->has_entry &&
	    (!walk->entry.serial_in_range ||
		(had && uint160_compare(&walk->entry.serial, &last) <= 0)))
		walk->is_sorted = false;
}

/* What is added, gone and changed; unknown where the one before is no CRL of
 * ours that could be walked. */
static void
compare(
    const struct crl *now, const struct crl *before, struct sign_shard *shard)
{
	struct walk a = {.crl = now, .is_sorted = true};
	struct walk b = {.crl = before, .is_sorted = true};

	walk_next(&a);
	walk_next(&b);
	while ((a.has_entry || b.has_entry) && b.is_sorted) {
		int order = !a.has_entry   ? 1
			    : !b.has_entry ? -1
					   : uint160_compare(&a.entry.serial,
						 &b.entry.serial);

		shard->added += order < 0;
		shard->removed += order > 0;
		shard->changed +=
		    order == 0 &&
		    (a.entry.reason != b.entry.reason ||
			a.entry.revoked_at.sec != b.entry.revoked_at.sec);
		if (order <= 0)
			walk_next(&a);
		if (order >= 0)
			walk_next(&b);
	}
	shard->is_compared = b.is_sorted;
}

/* Whether these bytes are the very CRL that the request speaks of. */
static enum status
previous_check(
    const struct look *look, const struct sign_bytes *bytes, struct crl *crl)
{
	struct crl_fault fault = {0};
	const char *why = NULL;

	if (!is_previous(look, bytes))
		return refuse(look,
		    "the CRL before is not the one of the request: its "
		    "SHA-256 differs");
	if (crl_parse(bytes->data, bytes->len, crl, &fault) != STATUS_OK)
		return refuse(look, "the CRL before, offset %zu: %s",
		    fault.offset, fault.text);
	if (issuer_verify(look->sign->issuer, crl, &why) != STATUS_OK)
		return refuse(look, "the CRL before: %s", why);
	return STATUS_OK;
}

/* What the request counts must be so; a person would rely on it. */
static enum status
look_previous(struct look *look, struct sign_shard *shard)
{
	const struct request_shard *asked = shard->asked;
	struct sign_bytes bytes = {NULL, 0};
	enum status status;
	struct crl crl;

	if (!asked->has_previous) {
		shard->added = asked->entries;
		shard->is_compared = true;
	}
	status = previous_read(look, &bytes);
	if (status == STATUS_OK)
		status = previous_check(look, &bytes, &crl);
	if (status == STATUS_OK)
		compare(&look->crl, &crl, shard);
	free(bytes.data);
	if (status == STATUS_NOT_FOUND)
		status = STATUS_OK;
	if (status == STATUS_OK && shard->is_compared &&
	    (shard->added != asked->added || shard->removed != asked->removed))
		return refuse(look,
		    "against the CRL before, have +%" PRIu64 " -%" PRIu64
		    ", want +%" PRIu64 " -%" PRIu64 " as the request says",
		    shard->added, shard->removed, asked->added, asked->removed);
	return status;
}

/*
 * A request that does not follow what was signed here last, or says that there
 * was nothing before, could leave out what that had: anybody may have had it in
 * hand. That set may also have come to nothing, or another machine signs too;
 * so it is said, and a person judges.
 */
static enum status
look_last(const struct look *look)
{
	const struct sign *sign = look->sign;
	struct sign_shard against = {.asked = look->shard->asked};
	char number[UINT160_DECIMAL_BYTES];
	struct sign_bytes bytes = {NULL, 0};
	struct crl_fault fault = {0};
	enum status status = signed_read(look, &sign->last, &bytes);
	struct crl crl;

	if (status != STATUS_OK || is_previous(look, &bytes))
		goto out;
	if (crl_parse(bytes.data, bytes.len, &crl, &fault) != STATUS_OK) {
		status =
		    refuse(look, "what was signed here last, offset %zu: %s",
			fault.offset, fault.text);
		goto out;
	}
	compare(&look->crl, &crl, &against);
	if (against.removed > 0) {
		report_warn(sign->report, look->shard->object, SIGN_RULE,
		    "house rule",
		    "%" PRIu64 " serials are missing that were signed here "
		    "last, under number %s, and that is not the CRL before",
		    against.removed, uint160_to_decimal(&sign->last, number));
		report_hint(sign->report,
		    "compare the request's SHA-256 with the one where it was "
		    "staged");
	}
out:
	free(bytes.data);
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status
look_shard(struct sign *sign, struct sign_shard *shard)
{
	struct look look = {.sign = sign, .shard = shard};
	struct sign_bytes tbs = {NULL, 0};
	struct crl_fault fault = {0};
	enum status status = sign_look_read(sign, shard, &tbs);

	if (status == STATUS_OK &&
	    crl_parse_tbs(tbs.data, tbs.len, &look.crl, &fault) != STATUS_OK)
		status =
		    refuse(&look, "offset %zu: %s", fault.offset, fault.text);
	for (size_t i = 0;
	     status == STATUS_OK && i < sizeof(looks) / sizeof(*looks); i++)
		status = looks[i](&look);
	if (status == STATUS_OK)
		status = look_previous(&look, shard);
	if (status == STATUS_OK)
		status = look_last(&look);
	free(tbs.data);
	return status;
}

enum status
sign_look(struct sign *sign)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && i < sign->request.shard_count;
	     i++)
		status = look_shard(sign, &sign->shard[i]);
	return status;
}
