/* SPDX-License-Identifier: ISC */
/*
 * libFuzzer: the strict reader on any bytes. Everything that can be asked of a
 * CRL is asked; what comes back must lie inside the input and be the same when
 * asked again, by either way of reading an entry. Where libcrypto reads the
 * same CRL, it must see as many entries; where it does not, nothing is said.
 * And lint must find the same with its short cuts and without.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "crlpress/crl_read.h"
#include "crlpress/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* A view is absent or inside another one. */
static void
view_check(struct crl_view outer, struct crl_view view)
{
	size_t start;

	if (view.data == NULL) {
		require(view.len == 0);
		return;
	}
	require(view.data >= outer.data);
	start = (size_t)(view.data - outer.data);
	require(start <= outer.len && view.len <= outer.len - start);
}

static void
fault_check(
    const struct crl *crl, enum status status, const struct crl_fault *fault)
{
	if (status != STATUS_MALFORMED)
		return;
	require(fault->offset <= crl->bytes.len);
	require(fault->rule != NULL && fault->clause != NULL);
	require(fault->text != NULL);
}

static bool
view_equal(struct crl_view a, struct crl_view b)
{
	return a.data == b.data && a.len == b.len;
}

static void
entry_compare(const struct crl_entry *a, const struct crl_entry *b)
{
	require(a->offset == b->offset);
	require(view_equal(a->encoded, b->encoded));
	require(view_equal(a->integer, b->integer));
	require(a->serial_in_range == b->serial_in_range);
	require(memcmp(&a->serial, &b->serial, sizeof(a->serial)) == 0);
	require(a->revoked_at.sec == b->revoked_at.sec);
	require(a->revoked_at.form == b->revoked_at.form);
	require(a->reason == b->reason);
	require(a->reason_critical == b->reason_critical);
	require(a->has_invalidity_date == b->has_invalidity_date);
	require(a->has_certificate_issuer == b->has_certificate_issuer);
	require(a->has_hold_instruction == b->has_hold_instruction);
	require(a->has_unknown == b->has_unknown);
	require(a->has_unknown_critical == b->has_unknown_critical);
	require(a->has_duplicate_extension == b->has_duplicate_extension);
	require(a->has_empty_extensions == b->has_empty_extensions);
	require(a->has_encoded_default == b->has_encoded_default);
	require(!a->is_usual ||
		(b->serial_in_range && b->revoked_at.form == CRL_TIME_UTC &&
		    b->reason < 32 && !b->reason_critical));
	require(!a->is_usual ||
		!(b->has_invalidity_date || b->has_certificate_issuer ||
		    b->has_hold_instruction || b->has_unknown ||
		    b->has_unknown_critical || b->has_duplicate_extension ||
		    b->has_empty_extensions || b->has_encoded_default));
}

/* Walks the entries by both ways at once; how many, or -1 after a fault. */
static long
entries_walk(const struct crl *crl)
{
	struct crl_entry entry, other;
	struct crl_fault fault, other_fault;
	size_t position = 0, there = 0, before;
	enum status status;
	long n = 0;

	for (;;) {
		before = position;
		status = crl_entry_read(crl, &position, &entry, &fault);
		require(status == crl_entry_read_general(
				      crl, &there, &other, &other_fault));
		require(position == there);
		if (status != STATUS_OK)
			break;
		require(position - before == entry.encoded.len);
		require(crl->bytes.data + entry.offset == entry.encoded.data);
		view_check(crl->entries, entry.encoded);
		view_check(entry.encoded, entry.integer);
		entry_compare(&entry, &other);
		n++;
	}
	if (status == STATUS_DONE) {
		require(position == crl->entries.len);
		return n;
	}
	fault_check(crl, status, &fault);
	require(fault.offset == other_fault.offset);
	require(fault.rule == other_fault.rule);
	require(fault.text == other_fault.text);
	return -1;
}

static void
extensions_check(const struct crl *crl)
{
	struct crl_fault fault;
	struct uint160 number;
	struct crl_aki aki;
	struct crl_idp idp;
	enum status status;

	require(crl->extension_count <= CRL_EXTENSIONS_MOST);
	for (size_t i = 0; i < crl->extension_count; i++) {
		view_check(crl->tbs, crl->extension[i].oid);
		view_check(crl->tbs, crl->extension[i].value);
	}
	status = crl_number(crl, &number, &fault);
	fault_check(crl, status, &fault);
	if (status == STATUS_OK)
		require(number.octet[0] < 0x80);
	status = crl_aki(crl, &aki, &fault);
	fault_check(crl, status, &fault);
	if (status == STATUS_OK)
		view_check(crl->tbs, aki.key_id);
	status = crl_idp(crl, &idp, &fault);
	fault_check(crl, status, &fault);
	if (status != STATUS_OK)
		return;
	require(idp.url_count <= CRL_IDP_URLS_MOST);
	require(!idp.has_full_name || !idp.has_relative_name);
	for (size_t i = 0; i < idp.url_count; i++)
		view_check(crl->tbs, idp.url[i]);
}

/* What both kinds of parsing find; the number of entries or -1. */
static long
crl_check(const struct crl *crl)
{
	view_check(crl->bytes, crl->tbs);
	view_check(crl->tbs, crl->inner_algorithm);
	view_check(crl->bytes, crl->outer_algorithm);
	view_check(crl->bytes, crl->signature);
	view_check(crl->tbs, crl->issuer);
	view_check(crl->tbs, crl->entries);
	require(crl->has_entries == (crl->entries.data != NULL));
	extensions_check(crl);
	return entries_walk(crl);
}

/* The TBSCertList by itself is what it is inside. */
static void
tbs_compare(const struct crl *crl)
{
	struct crl_fault fault;
	struct crl tbs;

	require(crl_parse_tbs(crl->tbs.data, crl->tbs.len, &tbs, &fault) ==
		STATUS_OK);
	require(view_equal(tbs.tbs, crl->tbs));
	require(view_equal(tbs.issuer, crl->issuer));
	require(view_equal(tbs.entries, crl->entries));
	require(tbs.this_update.sec == crl->this_update.sec);
	require(tbs.extension_count == crl->extension_count);
	require(tbs.signature.data == NULL);
	require(tbs.outer_algorithm.data == NULL);
}

static void
libcrypto_compare(const uint8_t *data, size_t len, long entries)
{
	STACK_OF(X509_REVOKED) * all;
	const uint8_t *end = data;
	X509_CRL *crl;

	crl = d2i_X509_CRL(NULL, &end, (long)len);
	if (crl == NULL)
		return;
	all = X509_CRL_get_REVOKED(crl);
	if (entries >= 0)
		require(
		    (all == NULL ? 0 : sk_X509_REVOKED_num(all)) == entries);
	X509_CRL_free(crl);
}

static void
lint_compare(const struct crl *crl)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct report *general = report_new(NULL, SEVERITY_NOTE);
	struct lint_context context = {.now_sec = crl->this_update.sec};
	struct lint_result result, other;

	require(report != NULL && general != NULL);
	/* Any of them: the number is of the fuzzer's choice. */
	context.profile = (enum profile)(crl->bytes.len % PROFILE_COUNT);
	require(lint_crl(crl, &context, "CRL", report, &result) ==
		lint_crl_general(crl, &context, "CRL", general, &other));
	require(result.entries == other.entries);
	require(result.faults == other.faults);
	require(result.warnings == other.warnings);
	require(report_kept(report) == report_kept(general));
	for (size_t i = 0; i < report_kept(report); i++)
		require(strcmp(report_finding(report, i)->text,
			    report_finding(general, i)->text) == 0);
	report_free(report);
	report_free(general);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct crl_fault fault;
	struct crl crl;
	enum status status;
	long entries;

	status = crl_parse_tbs(data, len, &crl, &fault);
	fault_check(&crl, status, &fault);
	if (status == STATUS_OK)
		(void)crl_check(&crl);
	status = crl_parse(data, len, &crl, &fault);
	fault_check(&crl, status, &fault);
	if (status != STATUS_OK)
		return 0;
	require(crl.bytes.data == data && crl.bytes.len == len);
	entries = crl_check(&crl);
	tbs_compare(&crl);
	lint_compare(&crl);
	libcrypto_compare(data, len, entries);
	require(crl_parse(data, len - 1, &crl, &fault) == STATUS_MALFORMED);
	return 0;
}
