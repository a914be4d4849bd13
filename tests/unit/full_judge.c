/* SPDX-License-Identifier: ISC */
/*
 * The judge of our own CRLs: one that is as it was meant to be, and each way
 * of being something else. All are signed with the issuer's key after they
 * were changed, so that only the judge can tell, but where the signature or
 * the file itself is what is wrong.
 */
#include "crlpress/judge.h"

#include "../lib/scratch.h"
#include "../lib/signer_ca.h"

#define URL "http://crl.example/005.crl"
#define OBJECT "letters/shard 5"
#define ROWS 40

static struct ca ca;
static struct issuer *issuer;

/* A CRL in a file, what it was meant to be, and what it became. */
struct desk {
	struct judge_meant meant;
	struct crl_header header;
	struct row want[ROWS + 1]; /* what was meant */
	struct row row[ROWS + 1];  /* what is listed */
	size_t count;
	char path[PATH_BYTES];
	uint8_t *bytes;
	size_t len;
	size_t signature_len;
	struct report *report;
	struct hash sha256;
};

static int
group_setup(void **state)
{
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	enum status status;

	(void)state;
	ca_make(&ca, key_ec("P-256"));
	status = issuer_load(ca.certificate_path, report, &issuer);
	report_free(report);
	return status == STATUS_OK ? 0 : -1;
}

static int
group_teardown(void **state)
{
	(void)state;
	issuer_free(issuer);
	ca_free(&ca);
	return 0;
}

static struct crl_header
header_make(void)
{
	static const uint8_t ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a,
	    0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
	const struct issuer_facts *facts = issuer_facts(issuer);

	return (struct crl_header){
	    .algorithm = ecdsa_sha256,
	    .algorithm_len = sizeof(ecdsa_sha256),
	    .issuer = facts->subject.data,
	    .issuer_len = facts->subject.len,
	    .key_id = facts->key_id.data,
	    .key_id_len = facts->key_id.len,
	    .this_update_sec = NOW_SEC,
	    .next_update_sec = NOW_SEC + 9 * DAY_SEC - 1,
	    .number = uint160_from_u64(42),
	    .url = URL,
	    .scope = CRL_SCOPE_USERS,
	};
}

static int
desk_setup(void **state)
{
	static const uint8_t reason[] = {0, 1, 3, 4, 5, 9};
	struct desk *desk = calloc(1, sizeof(*desk));

	if (desk == NULL)
		return -1;
	desk->header = header_make();
	for (size_t i = 0; i < ROWS + 1; i++) {
		struct uint160 serial = uint160_from_u64(0xdeadbeef + 9 * i);

		desk->row[i] =
		    row_make(&serial, NOW_SEC - (int64_t)i * 7001 - 5,
			reason[i % 6], NOW_SEC + DAY_SEC);
	}
	memcpy(desk->want, desk->row, sizeof(desk->want));
	desk->count = ROWS;
	desk->meant = (struct judge_meant){
	    .lint = {.profile = PROFILE_TLS,
		.issuer = issuer,
		.url = URL,
		.ours = true,
		.now_sec = NOW_SEC,
		.skew_sec = 60},
	    .this_update_sec = desk->header.this_update_sec,
	    .next_update_sec = desk->header.next_update_sec,
	    .number = desk->header.number,
	    .scope = desk->header.scope,
	    .rows = desk->want,
	    .row_count = ROWS,
	};
	(void)snprintf(desk->path, sizeof(desk->path), "%s/5.crl", ca.dir);
	desk->report = report_new(NULL, SEVERITY_NOTE);
	*state = desk;
	return desk->report == NULL ? -1 : 0;
}

static int
desk_teardown(void **state)
{
	struct desk *desk = *state;

	report_free(desk->report);
	free(desk->bytes);
	(void)unlink(desk->path);
	free(desk);
	return 0;
}

static size_t
sign(const uint8_t *tbs, size_t size, uint8_t *signature, size_t room)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	assert_non_null(context);
	assert_int_equal(
	    EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, ca.pkey), 1);
	assert_int_equal(
	    EVP_DigestSign(context, signature, &room, tbs, size), 1);
	EVP_MD_CTX_free(context);
	return room;
}

/* Encodes and signs what lies on the desk. */
static void
desk_sign(struct desk *desk)
{
	uint8_t prefix[CRL_PREFIX_BYTES], suffix[CRL_SUFFIX_BYTES_MOST];
	uint8_t signature[256];
	size_t size = 0, before, after;
	const char *why = NULL;
	uint8_t *tbs;

	assert_int_equal(
	    crl_tbs_size(&desk->header, desk->row, desk->count, &size, &why),
	    STATUS_OK);
	tbs = malloc(size);
	assert_non_null(tbs);
	crl_tbs_write(&desk->header, desk->row, desk->count, tbs, size);
	desk->signature_len = sign(tbs, size, signature, sizeof(signature));
	after = crl_suffix_write(desk->header.algorithm,
	    desk->header.algorithm_len, signature, desk->signature_len, suffix);
	before = crl_prefix_write(size, after, prefix);
	desk->len = before + size + after;
	desk->bytes = malloc(desk->len + 1);
	assert_non_null(desk->bytes);
	memcpy(desk->bytes, prefix, before);
	memcpy(desk->bytes + before, tbs, size);
	memcpy(desk->bytes + before + size, suffix, after);
	free(tbs);
}

static enum status
desk_judge(struct desk *desk)
{
	assert_true(file_make(desk->path, desk->bytes, desk->len, 0644));
	return judge_file(
	    desk->path, &desk->meant, OBJECT, desk->report, &desk->sha256);
}

/* Refused, and the first finding says so. */
static void
desk_refused(struct desk *desk, const char *rule, const char *text)
{
	const struct finding *finding;

	if (desk->bytes == NULL)
		desk_sign(desk);
	assert_int_equal(desk_judge(desk), STATUS_REFUSED);
	assert_true(report_count(desk->report, SEVERITY_FAULT) > 0);
	finding = report_finding(desk->report, 0);
	assert_int_equal(finding->severity, SEVERITY_FAULT);
	assert_string_equal(finding->object, OBJECT);
	assert_string_equal(finding->rule, rule);
	assert_contains(finding->text, text);
}

static void
test_good(void **state)
{
	struct desk *desk = *state;
	struct hash want;

	desk_sign(desk);
	assert_int_equal(desk_judge(desk), STATUS_OK);
	assert_int_equal(report_kept(desk->report), 0);
	assert_int_equal(hash_bytes(desk->bytes, desk->len, &want), STATUS_OK);
	assert_memory_equal(&desk->sha256, &want, sizeof(want));
}

static void
test_good_empty(void **state)
{
	struct desk *desk = *state;

	desk->count = 0;
	desk->meant.row_count = 0;
	desk->meant.rows = NULL;
	desk_sign(desk);
	assert_int_equal(desk_judge(desk), STATUS_OK);
	assert_int_equal(report_kept(desk->report), 0);
}

static void
leave_out(struct desk *desk, size_t at)
{
	desk->count--;
	memmove(&desk->row[at], &desk->row[at + 1],
	    (desk->count - at) * sizeof(*desk->row));
}

static void
test_first_missing(void **state)
{
	struct desk *desk = *state;

	leave_out(desk, 0);
	desk_refused(
	    desk, "judge", "entry 0 is not the row with serial deadbeef");
}

static void
test_one_missing(void **state)
{
	struct desk *desk = *state;

	leave_out(desk, 17);
	desk_refused(
	    desk, "judge", "entry 17 is not the row with serial deadbf88");
}

static void
test_last_missing(void **state)
{
	struct desk *desk = *state;

	leave_out(desk, ROWS - 1);
	desk_refused(
	    desk, "judge", "entry 39 is not the row with serial deadc04e");
}

static void
test_all_missing(void **state)
{
	struct desk *desk = *state;

	desk->count = 0;
	desk_refused(desk, "judge", "entry 0 is not the row");
}

static void
test_one_more(void **state)
{
	struct desk *desk = *state;

	desk->count++;
	desk_refused(
	    desk, "judge", "beyond the rows that were meant, have 41, want 40");
}

static void
test_one_more_of_none(void **state)
{
	struct desk *desk = *state;

	desk->count = 1;
	desk->meant.row_count = 0;
	desk_refused(
	    desk, "judge", "beyond the rows that were meant, have 1, want 0");
}

static void
test_one_inserted(void **state)
{
	struct desk *desk = *state;

	memmove(&desk->row[1], &desk->row[0], ROWS * sizeof(*desk->row));
	desk->row[0].serial = uint160_from_u64(1);
	desk->count++;
	desk_refused(desk, "judge", "entry 0 is not the row");
}

static void
test_other_serial(void **state)
{
	struct desk *desk = *state;

	desk->row[20].serial.octet[UINT160_OCTETS - 1] ^= 1;
	desk_refused(desk, "judge", "entry 20 is not the row");
}

static void
test_other_date(void **state)
{
	struct desk *desk = *state;
	const struct row *row = &desk->row[20];

	desk->row[20] = row_make(&row->serial, row_revoked_at(row) + 1,
	    row->reason, row_not_after(row));
	desk_refused(desk, "judge", "entry 20 is not the row");
}

static void
test_other_reason(void **state)
{
	struct desk *desk = *state;

	desk->row[21].reason = desk->row[21].reason == 4 ? 5 : 4;
	desk_refused(desk, "judge", "entry 21 is not the row");
}

static void
test_lost_reason(void **state)
{
	struct desk *desk = *state;

	assert_int_not_equal(desk->row[1].reason, 0);
	desk->row[1].reason = 0;
	desk_refused(desk, "judge", "entry 1 is not the row");
}

static void
test_gained_reason(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(desk->row[6].reason, 0);
	desk->row[6].reason = 1;
	desk_refused(desk, "judge", "entry 6 is not the row");
}

static void
test_swapped(void **state)
{
	struct desk *desk = *state;
	struct row row = desk->row[3];

	desk->row[3] = desk->row[4];
	desk->row[4] = row;
	desk_refused(desk, "order", "");
}

static void
test_other_number(void **state)
{
	struct desk *desk = *state;

	desk->header.number = uint160_from_u64(43);
	desk_refused(desk, "judge", "crlNumber is not the one");
}

static void
test_other_this_update(void **state)
{
	struct desk *desk = *state;

	desk->header.this_update_sec++;
	desk_refused(desk, "judge",
	    "thisUpdate, have 2026-11-22T05:00:01Z, want "
	    "2026-11-22T05:00:00Z");
}

static void
test_other_next_update(void **state)
{
	struct desk *desk = *state;

	desk->header.next_update_sec--;
	desk_refused(desk, "judge",
	    "nextUpdate, have 2026-12-01T04:59:58Z, want "
	    "2026-12-01T04:59:59Z");
}

static void
test_other_url(void **state)
{
	struct desk *desk = *state;

	desk->header.url = "http://crl.example/006.crl";
	desk_refused(desk, "idp-url", "");
}

static void
test_other_issuer(void **state)
{
	static const uint8_t name[] = {0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06,
	    0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, 'C', 'A'};
	struct desk *desk = *state;

	desk->header.issuer = name;
	desk->header.issuer_len = sizeof(name);
	desk_refused(desk, "issuer-bytes", "");
}

static void
test_no_key_id(void **state)
{
	struct desk *desk = *state;

	desk->header.key_id = NULL;
	desk_refused(desk, "aki", "");
}

static void
test_cas_for_users(void **state)
{
	struct desk *desk = *state;

	desk->header.scope = CRL_SCOPE_CAS;
	desk_refused(desk, "idp", "");
}

/* A private CA's shard may have any scope, but the one that was meant. */
static void
test_other_scope(void **state)
{
	struct desk *desk = *state;

	desk->meant.lint.profile = PROFILE_PRIVATE;
	desk->header.scope = CRL_SCOPE_ALL;
	desk_refused(desk, "judge", "scope that was meant");
}

/* One bit within s, the last number of the signature. */
static void
test_signature(void **state)
{
	struct desk *desk = *state;

	desk_sign(desk);
	desk->bytes[desk->len - 1] ^= 0x01;
	desk_refused(desk, "signature", "");
}

/* One bit of a serial, after it was signed. */
static void
test_signed_bytes(void **state)
{
	struct desk *desk = *state;
	uint8_t *at;

	desk_sign(desk);
	at = memmem(desk->bytes, desk->len, "\x02\x05\x00\xde\xad", 5);
	assert_non_null(at);
	at[4] ^= 0x01;
	desk_refused(desk, "signature", "");
}

/* Every prefix of the file, and one octet too many. */
static void
test_truncated(void **state)
{
	struct desk *desk = *state;
	size_t whole;

	desk_sign(desk);
	whole = desk->len;
	for (desk->len = 1; desk->len < whole;
	     desk->len += desk->len < 100 || desk->len > whole - 100 ? 1 : 50)
		desk_refused(desk, "der", "");
	desk->bytes[whole] = 0;
	desk->len = whole + 1;
	desk_refused(desk, "der", "");
	/* It was good but for that. */
	desk->len = whole;
	assert_int_equal(desk_judge(desk), STATUS_OK);
}

static void
test_empty_file(void **state)
{
	struct desk *desk = *state;

	desk_sign(desk);
	desk->len = 0;
	desk_refused(desk, "judge", "the file is empty");
}

static void
test_no_file(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(judge_file(desk->path, &desk->meant, OBJECT,
			     desk->report, &desk->sha256),
	    STATUS_IO);
	assert_int_equal(report_count(desk->report, SEVERITY_FAULT), 1);
	assert_contains(report_finding(desk->report, 0)->text,
	    "5.crl cannot be read back: No such file or directory");
	assert_int_equal(judge_file(ca.dir, &desk->meant, OBJECT, desk->report,
			     &desk->sha256),
	    STATUS_IO);
}

#define desk_test(test) \
	cmocka_unit_test_setup_teardown(test, desk_setup, desk_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    desk_test(test_good),
	    desk_test(test_good_empty),
	    desk_test(test_first_missing),
	    desk_test(test_one_missing),
	    desk_test(test_last_missing),
	    desk_test(test_all_missing),
	    desk_test(test_one_more),
	    desk_test(test_one_more_of_none),
	    desk_test(test_one_inserted),
	    desk_test(test_other_serial),
	    desk_test(test_other_date),
	    desk_test(test_other_reason),
	    desk_test(test_lost_reason),
	    desk_test(test_gained_reason),
	    desk_test(test_swapped),
	    desk_test(test_other_number),
	    desk_test(test_other_this_update),
	    desk_test(test_other_next_update),
	    desk_test(test_other_url),
	    desk_test(test_other_issuer),
	    desk_test(test_no_key_id),
	    desk_test(test_cas_for_users),
	    desk_test(test_other_scope),
	    desk_test(test_signature),
	    desk_test(test_signed_bytes),
	    desk_test(test_truncated),
	    desk_test(test_empty_file),
	    desk_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
