/* SPDX-License-Identifier: ISC */
/*
 * The strict reader: CertificateList and TBSCertList, whole, odd and broken.
 */
#include "../lib/der_vector.h"

static void
test_fields(void **state)
{
	struct vector v;
	struct crl crl;

	(void)state;
	parse_good(WHOLE, &v, &crl);
	assert_int_equal(crl.bytes.len, v.len);
	view_expect(
	    &crl, crl.tbs, TBS("30{" PLAIN USUAL "}", EXTS(NUMBER AKI IDP)));
	assert_true(crl.has_version);
	assert_int_equal(crl.version, 1);
	view_expect(&crl, crl.inner_algorithm, ALG);
	view_expect(&crl, crl.outer_algorithm, ALG);
	assert_true(crl.inner_algorithm.data < crl.outer_algorithm.data);
	view_expect(&crl, crl.signature, "3006020101020101");
	view_expect(&crl, crl.issuer, NAME);
	assert_int_equal(crl.this_update.sec, 1795305600);
	assert_int_equal(crl.this_update.form, CRL_TIME_UTC);
	assert_true(crl.has_next_update);
	assert_int_equal(crl.next_update.sec, 1796083200);
	assert_true(crl.has_entries);
	view_expect(&crl, crl.entries, PLAIN USUAL);
	assert_true(crl.has_extensions);
	assert_int_equal(crl.extension_count, 3);
	view_expect(&crl, crl.extension[0].oid, "551d14");
	view_expect(&crl, crl.extension[0].value, "020107");
	assert_false(crl.extension[0].critical);
	assert_false(crl.extension[0].critical_encoded);
	view_expect(&crl, crl.extension[2].oid, "551d1c");
	assert_true(crl.extension[2].critical);
	assert_true(crl.extension[2].critical_encoded);
}

/* What RFC 5280 forbids or leaves out, and DER can say, is read. */
static void
test_unusual_lists(void **state)
{
	struct vector v;
	struct crl crl;

	(void)state;
	parse_good(LIST("30{" ALG "30{}" FROM "}"), &v, &crl);
	assert_false(crl.has_version);
	assert_false(crl.has_next_update);
	assert_false(crl.has_entries);
	assert_null(crl.entries.data);
	assert_false(crl.has_extensions);
	view_expect(&crl, crl.issuer, "30{}");

	parse_good(LIST("30{0205 00ffffffff" ALG NAME
			"18{'20261122000000Z'}18{'00000229000000Z'}30{}a0{30{}}"
			"}"),
	    &v, &crl);
	assert_int_equal(crl.version, 0xffffffff);
	assert_int_equal(crl.this_update.sec, 1795305600);
	assert_int_equal(crl.this_update.form, CRL_TIME_GENERALIZED);
	assert_int_equal(crl.next_update.form, CRL_TIME_GENERALIZED);
	assert_int_equal(crl.next_update.sec, -62162121600);
	assert_true(crl.has_entries);
	assert_int_equal(crl.entries.len, 0);
	assert_true(crl.has_extensions);
	assert_int_equal(crl.extension_count, 0);

	parse_good(
	    LIST(TBS("", EXTS(NUMBER "30{06{551d14}0101000400}" NUMBER))), &v,
	    &crl);
	assert_int_equal(crl.extension_count, 3);
	assert_false(crl.extension[1].critical);
	assert_true(crl.extension[1].critical_encoded);
	assert_int_equal(crl.extension[1].value.len, 0);
	assert_ptr_equal(
	    crl_extension_find(&crl, (const uint8_t *)"\x55\x1d\x14", 3),
	    &crl.extension[0]);
	assert_null(
	    crl_extension_find(&crl, (const uint8_t *)"\x55\x1d\x15", 3));
}

/* Parameters and names of any shape, several attributes in one RDN. */
static void
test_unusual_names(void **state)
{
	struct vector v;
	struct crl crl;

	(void)state;
	parse_good("30{30{30{06{2a03}30{a0{30{06{2a03}0500}}}}"
		   "30{31{30{06{2a03}0500}30{06{2a03}0c{'a'}}}" /* sorted */
		   "31{30{06{2a03}0c{'b'}}}}" FROM "}"
		   "30{06{2b6570}}03{00}}",
	    &v, &crl);
	view_expect(&crl, crl.outer_algorithm, "30{06{2b6570}}");
	assert_non_null(crl.signature.data);
	assert_int_equal(crl.signature.len, 0);
}

static const struct bad bad_lists[] = {
    {"^", "der"},
    {"^30", "der"},
    {"^31{}", "der"},
    {"^3080" TBS("", "") ALG SIG "0000", "der"}, /* indefinite */
    {"^3002", "der"},                            /* passes the end */
    {"^30820102", "der"},
    {"^3083", "der"},
    {"^3089010000000000000000", "der"}, /* of 9 octets */
    {"^30ff", "der"},
    {"^3088ffffffffffffffff00", "der"},
    {"30{^30810103" ALG SIG "}", "der"},   /* 81 for below 80 */
    {"30{^3082000103" ALG SIG "}", "der"}, /* 82 for below 100 */
    {LIST(TBS("", "")) "^00", "der"},      /* after the end */
    {"30{" TBS("", "") ALG SIG "^0500}", "der"},
    {"30{" TBS("", "") ALG "^}", "der"}, /* no signature */
    {"30{" TBS("", "") "^}", "der"},
    {"30{^}", "der"},
    {"30{" TBS("", "") ALG "^03{}}", "der"},
    {"30{" TBS("", "") ALG "^03{0180}}", "der"},     /* unused bits */
    {"30{" TBS("", "") ALG "^23{03{0000}}}", "der"}, /* constructed */
    {"30{" TBS("", "") ALG "^1f03{00}}", "der"},
    /* version */
    {LIST("30{^020200 01" ALG NAME FROM TO "}"), "der"},
    {LIST("30{^0200" ALG NAME FROM TO "}"), "der"},
    {LIST("30{^0201ff" ALG NAME FROM TO "}"), "version"},
    {LIST("30{^02050100000000" ALG NAME FROM TO "}"), "version"},
    {LIST("30{^0209008000000000000000" ALG NAME FROM TO "}"), "version"},
    {LIST("30{020101^020101" ALG NAME FROM TO "}"), "der"},
    {LIST("30{^1f8101" ALG NAME FROM TO "}"), "der"}, /* wrong tag */
    /* AlgorithmIdentifier */
    {LIST("30{020101 30{^}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{^06{}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{^06{2a80}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{^06{2a81}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}^1f00}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}30{^9f00}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}^03020800}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{^06{2a8001}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}^050100}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}0500^0500}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}30{^24{040101}}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}30{^10{0500}}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}30{020101^0000}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}30{^010101}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}30{^03020801}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}30{^03020701}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}30{^030101}}" NAME FROM TO "}"), "der"},
    {LIST("30{020101 30{06{2a03}a0{a0{^0a02ff80}}}" NAME FROM TO "}"), "der"},
    /* issuer */
    {LIST("30{020101" ALG "^" FROM TO "}"), "der"},
    {LIST("30{020101" ALG "30{^30{}}" FROM TO "}"), "der"},
    {LIST("30{020101" ALG "30{31{^}}" FROM TO "}"), "der"},
    {LIST("30{020101" ALG "30{31{30{^}}}" FROM TO "}"), "der"},
    {LIST("30{020101" ALG "30{31{30{06{2a03}^}}}" FROM TO "}"), "der"},
    {LIST("30{020101" ALG "30{31{30{06{2a03}0500^0500}}}" FROM TO "}"), "der"},
    {LIST("30{020101" ALG "30{31{30{06{2a03}^050100}}}" FROM TO "}"), "der"},
    {LIST("30{020101" ALG
	  "30{31{30{06{2a03}0c{'b'}}^30{06{2a03}0c{'a'}}}}" FROM TO "}"),
	"der"},
    /* times */
    {LIST("30{020101" ALG NAME "^}"), "der"},
    {LIST("30{020101" ALG NAME "^30{}}"), "der"},
    {LIST("30{020101" ALG NAME FROM "^17{'2611220000Z'}}"), "time-form"},
    {LIST("30{020101" ALG NAME FROM TO "^" TO "}"), "der"},
    /* the rest */
    {LIST("30{020101" ALG NAME FROM TO "30{}^30{}}"), "der"},
    {LIST("30{020101" ALG NAME FROM TO "a0{30{}}^a0{30{}}}"), "der"},
    {LIST("30{020101" ALG NAME FROM TO "a0{30{}}^30{}}"), "der"},
    {LIST("30{020101" ALG NAME FROM TO "^a1{30{}}}"), "der"},
    {LIST(TBS("", "^3082")), "der"},
    /* crlExtensions */
    {LIST(TBS("", "a0{^}")), "der"},
    {LIST(TBS("", "a0{30{}^30{}}")), "der"},
    {LIST(TBS("", EXTS("^0500"))), "der"},
    {LIST(TBS("", EXTS("30{^}"))), "der"},
    {LIST(TBS("", EXTS("30{06{2a03}^}"))), "der"},
    {LIST(TBS("", EXTS("30{^06{}0400}"))), "der"},
    {LIST(TBS("", EXTS("30{06{2a03}^0101010400}"))), "der"},
    {LIST(TBS("", EXTS("30{06{2a03}^01000400}"))), "der"},
    {LIST(TBS("", EXTS("30{06{2a03}^0102ffff0400}"))), "der"},
    {LIST(TBS("", EXTS("30{06{2a03}0101ff^0101ff0400}"))), "der"},
    {LIST(TBS("", EXTS("30{06{2a03}0400^0500}"))), "der"},
    {LIST(TBS("", EXTS("30{06{2a03}^2400}"))), "der"},
};

static void
test_bad_lists(void **state)
{
	struct crl_fault fault;
	struct vector v;
	struct crl crl;
	enum status status;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_lists) / sizeof(bad_lists[0]); i++) {
		const struct bad *bad = &bad_lists[i];

		assemble(bad->text, &v);
		status =
		    crl_parse(guard_put(v.octet, v.len), v.len, &crl, &fault);
		fault_expect(bad->text, &v, status, &fault, bad->rule);
	}
}

static void
test_limits(void **state)
{
	char text[8192], extensions[4096] = "";
	struct crl_fault fault;
	struct vector v;
	struct crl crl;

	(void)state;
	for (int i = 0; i < CRL_EXTENSIONS_MOST; i++)
		strcat(extensions, NUMBER);
	snprintf(text, sizeof(text), LIST(TBS("", EXTS("%s"))), extensions);
	parse_good(text, &v, &crl);
	assert_int_equal(crl.extension_count, CRL_EXTENSIONS_MOST);
	snprintf(
	    text, sizeof(text), LIST(TBS("", EXTS("%s^" NUMBER))), extensions);
	assemble(text, &v);
	fault_expect(text, &v,
	    crl_parse(guard_put(v.octet, v.len), v.len, &crl, &fault), &fault,
	    "extensions");
}

/* Seventeen SEQUENCEs in each other are one too many. */
static void
test_depth(void **state)
{
	struct crl_fault fault;
	struct crl crl;
	uint8_t der[64] = {0x30, 0, 0x30, 0, 0x30, 0, 0x06, 0x01, 0x2a};

	(void)state;
	for (size_t depth = 16; depth <= 17; depth++) {
		size_t len = 9 + 2 * depth;

		der[1] = (uint8_t)(len - 2);
		der[3] = (uint8_t)(len - 4);
		der[5] = (uint8_t)(len - 6);
		for (size_t i = 0; i < depth; i++) {
			der[9 + 2 * i] = 0x30;
			der[10 + 2 * i] = (uint8_t)(2 * (depth - 1 - i));
		}
		assert_int_equal(
		    crl_parse(guard_put(der, len), len, &crl, &fault),
		    STATUS_MALFORMED);
		/* After 16 of them it is the issuer that is missing. */
		assert_int_equal(fault.offset, depth == 16 ? len : 9 + 2 * 16);
	}
}

static void
test_tbs(void **state)
{
	struct crl_fault fault;
	struct vector v;
	struct crl crl;

	(void)state;
	assemble(TBS("30{" PLAIN "}", EXTS(NUMBER)), &v);
	assert_int_equal(
	    crl_parse_tbs(guard_put(v.octet, v.len), v.len, &crl, &fault),
	    STATUS_OK);
	assert_int_equal(crl.tbs.len, v.len);
	assert_int_equal(crl.bytes.len, v.len);
	assert_null(crl.outer_algorithm.data);
	assert_null(crl.signature.data);
	view_expect(&crl, crl.entries, PLAIN);
	assemble(TBS("30{" PLAIN "}", EXTS(NUMBER)) "^00", &v);
	fault_expect("after the TBSCertList", &v,
	    crl_parse_tbs(guard_put(v.octet, v.len), v.len, &crl, &fault),
	    &fault, "der");
	assemble("^" WHOLE, &v);
	assert_int_equal(
	    crl_parse_tbs(guard_put(v.octet, v.len), v.len, &crl, &fault),
	    STATUS_MALFORMED);
}

/* A CRL cut off anywhere is none. */
static void
test_truncated(void **state)
{
	struct crl_fault fault;
	struct vector v;
	struct crl crl;

	(void)state;
	parse_good(WHOLE, &v, &crl);
	for (size_t len = 0; len < v.len; len++) {
		assert_int_equal(
		    crl_parse(guard_put(v.octet, len), len, &crl, &fault),
		    STATUS_MALFORMED);
		assert_int_equal(fault.offset, 0);
		assert_string_equal(fault.rule, "der");
		assert_int_equal(
		    crl_parse_tbs(guard_put(v.octet, len), len, &crl, &fault),
		    STATUS_MALFORMED);
	}
}

/* Each bit turned over and each octet as each other one: nothing breaks. */
static void
test_mutated(void **state)
{
	struct crl_fault fault;
	struct vector v;
	struct crl crl;

	(void)state;
	parse_good(WHOLE, &v, &crl);
	for (size_t i = 0; i < v.len * 256; i++) {
		uint8_t was = v.octet[i / 256];
		enum status status;

		v.octet[i / 256] = (uint8_t)i;
		status =
		    crl_parse(guard_put(v.octet, v.len), v.len, &crl, &fault);
		if (status == STATUS_OK)
			read_all(&crl);
		else
			assert_true(fault.offset <= v.len);
		v.octet[i / 256] = was;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_unusual_lists),
	    cmocka_unit_test(test_unusual_names),
	    cmocka_unit_test(test_bad_lists),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_tbs),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_mutated),
	};

	return cmocka_run_group_tests(tests, guard_setup, NULL);
}
