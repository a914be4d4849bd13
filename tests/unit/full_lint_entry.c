/* SPDX-License-Identifier: ISC */
/*
 * The short cuts of lint, through entries of every shape: what they find is
 * what is found without them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/lint_both.h"

/* The CRL whose entries are replaced, and its thisUpdate. */
#define GOOD "tests/bad/good-three.der"
#define THIS_SEC 1772344800

#define ROOM 16384

/* The good CRL's bytes, and after them the entries that replace its own. */
static uint8_t list[ROOM];
static size_t good_len;
static size_t list_len;

static struct crl crl;
static struct lint_context context;
static struct lint_result result;

static int
setup(void **state)
{
	FILE *file = fopen(GOOD, "rb");
	struct crl_fault fault;

	(void)state;
	if (file == NULL)
		return -1;
	good_len = list_len = fread(list, 1, sizeof(list), file);
	fclose(file);
	context = (struct lint_context){.now_sec = THIS_SEC + 3600};
	return crl_parse(list, good_len, &crl, &fault) == STATUS_OK ? 0 : -1;
}

static enum status
lint(void)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	enum status status;

	assert_non_null(report);
	status = lint_both(&crl, &context, "the CRL", report, &result);
	report_free(report);
	return status;
}

static void
list_use(void)
{
	crl.bytes = (struct crl_view){list, list_len};
	crl.entries = (struct crl_view){list + good_len, list_len - good_len};
}

/* An entry with a serial of so many octets, and a reason unless it is 0xff. */
static void
entry_add(size_t serial_len, uint8_t first, uint8_t reason)
{
	static const uint8_t extension[] = {0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03,
	    0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01};
	size_t len = 2 + serial_len + 15;
	uint8_t *p = list + list_len;

	p[0] = 0x30;
	p[2] = 0x02;
	p[3] = (uint8_t)serial_len;
	for (size_t i = 0; i < serial_len; i++)
		p[4 + i] = (uint8_t)(0x80 | 0x11 * (i + serial_len));
	p[4] = first;
	memcpy(p + 4 + serial_len,
	    "\x17\x0d"
	    "260227101112Z",
	    15);
	if (reason != 0xff) {
		memcpy(p + 2 + len, extension, sizeof(extension));
		p[2 + len + sizeof(extension)] = reason;
		len += sizeof(extension) + 1;
	}
	p[1] = (uint8_t)len;
	list_len += 2 + len;
}

/*
 * Entries of every serial length and reason, one octet after another turned
 * into every other one: lint() holds the short cuts
 * against none.
 */
static void
test_short_cuts(void **state)
{
	static const uint8_t entry_reasons[] = {
	    0xff, 0, 1, 2, 6, 7, 8, 9, 10, 11, 31, 32, 62, 63, 64, 127, 128};
	static const uint8_t firsts[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	size_t usual_len;

	(void)state;
	for (size_t len = 1; len <= 21; len++)
		for (size_t i = 0; i < sizeof(firsts); i++)
			entry_add(len, firsts[i], 0xff);
	for (size_t i = 0; i < sizeof(entry_reasons); i++)
		entry_add(16, (uint8_t)(0x30 + i), entry_reasons[i]);
	list_use();
	for (unsigned profile = 0; profile < PROFILE_COUNT; profile++) {
		context.profile = (enum profile)profile;
		(void)!lint();
	}
	list_len = good_len;
	entry_add(16, 0x01, 3);
	entry_add(17, 0x00, 1);
	usual_len = list_len - good_len;
	entry_add(20, 0x11, 0xff);
	entry_add(20, 0x12, 0xff);
	list_use();
	context.profile = PROFILE_TLS;
	for (size_t i = 0; i < usual_len * 256; i++) {
		uint8_t was = list[good_len + i / 256];

		list[good_len + i / 256] = (uint8_t)i;
		(void)!lint();
		list[good_len + i / 256] = was;
	}
	assert_int_equal(lint(), STATUS_OK);
	assert_int_equal(result.entries, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_short_cuts),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
