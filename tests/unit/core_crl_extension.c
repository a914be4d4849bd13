/* SPDX-License-Identifier: ISC */
/*
 * The strict reader: crlNumber, authorityKeyIdentifier and
 * issuingDistributionPoint.
 */
#include "../lib/der_vector.h"

static void
test_number(void **state)
{
	static const struct bad bad[] = {
	    {"^", "number"},
	    {"^0a0101", "number"},
	    {"^0200", "number"},
	    {"^0201ff", "number"},
	    {"^02020001", "number"},
	    {"^021500ffffffffffffffffffffffffffffffffffffffff", "number"},
	    {"0201 01^00", "number"},
	    {"^020201", "der"},
	};
	struct crl_fault fault;
	struct uint160 number;
	struct vector v;
	struct crl crl;
	char list[1024];

	(void)state;
	parse_good(LIST(TBS("", EXTS(AKI))), &v, &crl);
	assert_int_equal(crl_number(&crl, &number, &fault), STATUS_NOT_FOUND);
	parse_good(
	    LIST(TBS("", EXTS(AKI EXT("551d14", "0202 0102")))), &v, &crl);
	assert_int_equal(crl_number(&crl, &number, &fault), STATUS_OK);
	assert_memory_equal(
	    number.octet, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2", 20);
	parse_good(LIST(TBS("", EXTS(EXT("551d14", "020100")))), &v, &crl);
	assert_int_equal(crl_number(&crl, &number, &fault), STATUS_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(list, sizeof(list),
		    LIST(TBS("", EXTS(EXT("551d14", "%s")))), bad[i].text);
		parse_good(list, &v, &crl);
		fault_expect(bad[i].text, &v, crl_number(&crl, &number, &fault),
		    &fault, bad[i].rule);
	}
}

static void
test_aki(void **state)
{
	static const struct bad bad[] = {
	    {"^", "aki"},
	    {"^0400", "aki"},
	    {"30{}^00", "aki"},
	    {"30{^81{}}", "aki"},
	    {"30{80{01}^80{01}}", "aki"},
	    {"30{^8005}", "der"},
	    {"30{a1{^050100}}", "der"},
	    {"30{^82{}}", "aki"},
	    {"30{^82{0001}}", "aki"},
	};
	struct crl_fault fault;
	struct crl_aki aki;
	struct vector v;
	struct crl crl;
	char list[1024];

	(void)state;
	parse_good(LIST(TBS("", EXTS(NUMBER))), &v, &crl);
	assert_int_equal(crl_aki(&crl, &aki, &fault), STATUS_NOT_FOUND);
	parse_good(WHOLE, &v, &crl);
	assert_int_equal(crl_aki(&crl, &aki, &fault), STATUS_OK);
	view_expect(&crl, aki.key_id, "0102030405");
	assert_false(aki.critical || aki.has_issuer_or_serial);
	parse_good(LIST(TBS("", EXTS(CRITICAL("551d23", "30{}")))), &v, &crl);
	assert_int_equal(crl_aki(&crl, &aki, &fault), STATUS_OK);
	assert_null(aki.key_id.data);
	assert_true(aki.critical);
	parse_good(
	    LIST(TBS("", EXTS(EXT("551d23", "30{a1{a4{" NAME "}}82{05}}")))),
	    &v, &crl);
	assert_int_equal(crl_aki(&crl, &aki, &fault), STATUS_OK);
	assert_true(aki.has_issuer_or_serial);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(list, sizeof(list),
		    LIST(TBS("", EXTS(EXT("551d23", "%s")))), bad[i].text);
		parse_good(list, &v, &crl);
		fault_expect(bad[i].text, &v, crl_aki(&crl, &aki, &fault),
		    &fault, bad[i].rule);
	}
}

static void
idp_good(
    const char *value, struct vector *v, struct crl *crl, struct crl_idp *idp)
{
	struct crl_fault fault = {.text = "none"};
	char list[2048];

	snprintf(list, sizeof(list), LIST(TBS("", EXTS(EXT("551d1c", "%s")))),
	    value);
	parse_good(list, v, crl);
	if (crl_idp(crl, idp, &fault) != STATUS_OK)
		fail_msg("%s: at %zu: %s", value, fault.offset, fault.text);
}

static void
test_idp(void **state)
{
	struct crl_fault fault;
	struct crl_idp idp;
	struct vector v;
	struct crl crl;

	(void)state;
	parse_good(LIST(TBS("", EXTS(NUMBER))), &v, &crl);
	assert_int_equal(crl_idp(&crl, &idp, &fault), STATUS_NOT_FOUND);
	parse_good(WHOLE, &v, &crl);
	assert_int_equal(crl_idp(&crl, &idp, &fault), STATUS_OK);
	assert_true(idp.critical && idp.has_full_name && idp.only_users);
	assert_int_equal(idp.url_count, 1);
	view_expect(&crl, idp.url[0], "'http://c/0.crl'");
	assert_int_equal(idp.other_name_count, 0);
	assert_false(idp.has_relative_name || idp.only_cas || idp.indirect ||
		     idp.only_attributes || idp.has_some_reasons ||
		     idp.has_encoded_default);
	idp_good("30{}", &v, &crl, &idp);
	assert_false(idp.critical || idp.has_full_name);
	idp_good("30{a0{a0{}}}", &v, &crl, &idp);
	assert_true(idp.has_full_name);
	assert_int_equal(idp.url_count, 0);
	idp_good("30{a0{a1{30{06{2a03}0c{}}}}}", &v, &crl, &idp);
	assert_true(idp.has_relative_name);
	assert_false(idp.has_full_name);
	idp_good("30{a0{a0{86{'a'}82{'b'}86{'c'}a4{" NAME "}}}8201ff8302"
		 "06408401ff8501ff}",
	    &v, &crl, &idp);
	assert_int_equal(idp.url_count, 2);
	view_expect(&crl, idp.url[1], "'c'");
	assert_int_equal(idp.other_name_count, 2);
	assert_true(idp.only_cas && idp.has_some_reasons && idp.indirect &&
		    idp.only_attributes);
	assert_false(idp.only_users || idp.has_encoded_default);
	idp_good("30{810100}", &v, &crl, &idp);
	assert_true(idp.has_encoded_default);
	assert_false(idp.only_users);
}

#define URLS_4 "86{'a'}86{'a'}86{'a'}86{'a'}"
#define URLS_16 URLS_4 URLS_4 URLS_4 URLS_4

static void
test_bad_idp(void **state)
{
	static const struct bad bad[] = {
	    {"^", "idp"},
	    {"^0400", "idp"},
	    {"30{}^0500", "idp"},
	    {"30{^0101ff}", "idp"},
	    {"30{^8001ff}", "idp"},
	    {"30{8201ff^8101ff}", "idp"},
	    {"30{8101ff^8101ff}", "idp"},
	    {"30{^810101}", "der"},
	    {"30{^8100}", "der"},
	    {"30{^a10301 01ff}", "idp"},
	    {"30{^83020701}", "der"},
	    {"30{^83020700}", "der"},
	    {"30{^83020600}", "der"},
	    {"30{^830108}", "der"},
	    {"30{^8300}", "der"},
	    {"30{^a005}", "der"},
	    {"30{a0{^}}", "idp"},
	    {"30{a0{^86{'a'}}}", "idp"},
	    {"30{a0{a0{}^a0{}}}", "idp"},
	    {"30{a0{a0{86{'a'}}^a1{}}}", "idp"},
	    {"30{a0{a0{^16{'a'}}}}", "idp"},
	    {"30{a0{a0{^a6{160161}}}}", "idp"},
	    {"30{a0{a0{^8605 61}}}", "der"},
	    {"30{a0{a0{^86{ff}}}}", "idp"},
	    {"30{a0{a0{a4{^050100}}}}", "der"},
	    {"30{a0{a1{^0601}}}", "der"},
	    {"30{a0{a0{" URLS_16 "^86{'a'}}}}", "idp"},
	};
	struct crl_fault fault;
	struct crl_idp idp;
	struct vector v;
	struct crl crl;
	char list[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(list, sizeof(list),
		    LIST(TBS("", EXTS(EXT("551d1c", "%s")))), bad[i].text);
		parse_good(list, &v, &crl);
		fault_expect(bad[i].text, &v, crl_idp(&crl, &idp, &fault),
		    &fault, bad[i].rule);
	}
	idp_good("30{a0{a0{" URLS_16 "}}}", &v, &crl, &idp);
	assert_int_equal(idp.url_count, CRL_IDP_URLS_MOST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_number),
	    cmocka_unit_test(test_aki),
	    cmocka_unit_test(test_idp),
	    cmocka_unit_test(test_bad_idp),
	};

	return cmocka_run_group_tests(tests, guard_setup, NULL);
}
