/* SPDX-License-Identifier: ISC */
/*
 * Lines of index.txt: those that OpenSSL writes, those that it could be talked
 * into, and those that are none, each for one reason; and texts of them.
 */
#include "crlpress/index_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/utc.h"

#define NOT_AFTER "271122050949Z"
#define REVOKED "261122050949Z"
#define REST "\t2000\tunknown\t/CN=a"

struct good {
	const char *line;
	char state;
	const char *serial;
	const char *not_after;
	const char *revoked_at; /* NULL: it is not */
	int reason;
	bool has_invalidity_date;
};

static const struct good goods[] = {
    {"V\t" NOT_AFTER "\t" REST, 'V', "2000", "2027-11-22T05:09:49Z", NULL, 0,
	false},
    {"E\t" NOT_AFTER "\t" REST, 'E', "2000", "2027-11-22T05:09:49Z", NULL, 0,
	false},
    {"R\t" NOT_AFTER "\t" REVOKED REST, 'R', "2000", "2027-11-22T05:09:49Z",
	"2026-11-22T05:09:49Z", 0, false},
    {"E\t" NOT_AFTER "\t" REVOKED REST, 'E', "2000", "2027-11-22T05:09:49Z",
	"2026-11-22T05:09:49Z", 0, false},
    {"R\t" NOT_AFTER "\t" REVOKED ",keyCompromise" REST, 'R', "2000",
	"2027-11-22T05:09:49Z", "2026-11-22T05:09:49Z", 1, false},
    {"R\t" NOT_AFTER "\t" REVOKED ",CACompromise" REST, 'R', "2000",
	"2027-11-22T05:09:49Z", "2026-11-22T05:09:49Z", 2, false},
    {"R\t" NOT_AFTER "\t" REVOKED ",certificatehold" REST, 'R', "2000",
	"2027-11-22T05:09:49Z", "2026-11-22T05:09:49Z", 6, false},
    {"R\t" NOT_AFTER "\t" REVOKED ",removeFromCRL" REST, 'R', "2000",
	"2027-11-22T05:09:49Z", "2026-11-22T05:09:49Z", 8, false},
    {"R\t" NOT_AFTER "\t" REVOKED ",holdInstruction,1.2.840.10040.2.1" REST,
	'R', "2000", "2027-11-22T05:09:49Z", "2026-11-22T05:09:49Z", 6, false},
    {"R\t" NOT_AFTER "\t" REVOKED ",holdInstruction,holdInstructionNone" REST,
	'R', "2000", "2027-11-22T05:09:49Z", "2026-11-22T05:09:49Z", 6, false},
    {"R\t" NOT_AFTER "\t" REVOKED ",keyTime,20260101000000Z" REST, 'R', "2000",
	"2027-11-22T05:09:49Z", "2026-11-22T05:09:49Z", 1, true},
    {"R\t" NOT_AFTER "\t" REVOKED ",CAkeyTime,260101000000Z" REST, 'R', "2000",
	"2027-11-22T05:09:49Z", "2026-11-22T05:09:49Z", 2, true},
    /* Either form of a time; RFC 5280, 4.1.2.5.1: 50 to 99 are of 19. */
    {"R\t99991231235959Z\t500101000000Z" REST, 'R', "2000",
	"9999-12-31T23:59:59Z", "1950-01-01T00:00:00Z", 0, false},
    {"R\t20500101000000Z\t491231235959Z" REST, 'R', "2000",
	"2050-01-01T00:00:00Z", "2049-12-31T23:59:59Z", 0, false},
    /* Serials of any length, in either case. */
    {"V\t" NOT_AFTER "\t\tf\tunknown\t/CN=a", 'V', "0f", "2027-11-22T05:09:49Z",
	NULL, 0, false},
    {"V\t" NOT_AFTER "\t\t00\tunknown\t/CN=a", 'V', "00",
	"2027-11-22T05:09:49Z", NULL, 0, false},
    {"V\t" NOT_AFTER
     "\t\t7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\tunknown\t/CN=a",
	'V', "7fffffffffffffffffffffffffffffffffffffff", "2027-11-22T05:09:49Z",
	NULL, 0, false},
    /* A name with a tab, a backslash, UTF-8; none at all; files. */
    {"V\t" NOT_AFTER "\t\t2000\tunknown\t/CN=a\\\tb\\\\c\xc3\xa4", 'V', "2000",
	"2027-11-22T05:09:49Z", NULL, 0, false},
    {"V\t" NOT_AFTER "\t\t2000\t\t2000", 'V', "2000", "2027-11-22T05:09:49Z",
	NULL, 0, false},
    {"V\t" NOT_AFTER "\t\t2000\tcerts/2000.pem\t/CN=a", 'V', "2000",
	"2027-11-22T05:09:49Z", NULL, 0, false},
};

struct bad {
	const char *line;
	const char *why;
};

static const struct bad bads[] = {
    {"", "fewer than six fields"},
    {"V", "fewer than six fields"},
    {"V\t" NOT_AFTER "\t\t2000\tunknown", "fewer than six fields"},
    {"V\t" NOT_AFTER "\t\t2000\tunknown\\\t/CN=a", "fewer than six fields"},
    {"V\t" NOT_AFTER "\t" REST "\t", "more than six fields"},
    {"V " NOT_AFTER "\t\t" REST, "a state that is not V, R or E"},
    {"\t" NOT_AFTER "\t" REST, "a state that is not V, R or E"},
    {"v\t" NOT_AFTER "\t" REST, "a state that is not V, R or E"},
    {"VV\t" NOT_AFTER "\t" REST, "a state that is not V, R or E"},
    {"V\t" NOT_AFTER "\t" REST "\r", "a control character"},
    {"V\t" NOT_AFTER "\t" REST "\x7f", "a control character"},
    {"V\t\t" REST, "a notAfter that is no time"},
    {"V\t2711220509Z\t" REST, "a notAfter that is no time"},
    {"V\t271122050949\t" REST, "a notAfter that is no time"},
    {"V\t2711220509490\t" REST, "a notAfter that is no time"},
    {"V\t271122050949z\t" REST, "a notAfter that is no time"},
    {"V\t271122050949+0000\t" REST, "a notAfter that is no time"},
    {"V\t 71122050949Z\t" REST, "a notAfter that is no time"},
    {"V\t27112205094:Z\t" REST, "a notAfter that is no time"},
    {"V\t271322050949Z\t" REST, "a notAfter that is no time"},
    {"V\t270229050949Z\t" REST, "a notAfter that is no time"},
    {"V\t271122240000Z\t" REST, "a notAfter that is no time"},
    {"V\t19491231235959Z\t" REST, "a notAfter that is no time"},
    {"V\t" NOT_AFTER "\t\t\tunknown\t/CN=a",
	"a serial that is not hex below 2^159"},
    {"V\t" NOT_AFTER "\t\t-1\tunknown\t/CN=a",
	"a serial that is not hex below 2^159"},
    {"V\t" NOT_AFTER "\t\t0x1\tunknown\t/CN=a",
	"a serial that is not hex below 2^159"},
    {"V\t" NOT_AFTER
     "\t\t8000000000000000000000000000000000000000\tunknown\t/CN=a",
	"a serial that is not hex below 2^159"},
    {"V\t" NOT_AFTER "\t\t2000\tunknown\t",
	"a subject that does not begin with /"},
    {"V\t" NOT_AFTER "\t\t2000\tunknown\t2001",
	"a subject that does not begin with /"},
    {"V\t" NOT_AFTER "\t" REVOKED REST, "valid with a revocation date"},
    {"R\t" NOT_AFTER "\t" REST, "revoked without a revocation date"},
    {"R\t" NOT_AFTER "\t261122" REST, "a revocation date that is no time"},
    {"R\t" NOT_AFTER "\t,superseded" REST, "a revocation date that is no time"},
    {"E\t" NOT_AFTER "\tx" REST, "a revocation date that is no time"},
    {"R\t" NOT_AFTER "\t" REVOKED "," REST, "a reason that is none"},
    {"R\t" NOT_AFTER "\t" REVOKED ",1" REST, "a reason that is none"},
    {"R\t" NOT_AFTER "\t" REVOKED ",key Compromise" REST,
	"a reason that is none"},
    {"R\t" NOT_AFTER "\t" REVOKED ",aVeryLongReasonThatIsNoneAtAll" REST,
	"a reason that is none"},
    {"R\t" NOT_AFTER "\t" REVOKED ",superseded," REST,
	"more behind the reason than belongs there"},
    {"R\t" NOT_AFTER "\t" REVOKED ",keyTime" REST,
	"a reason without what follows it"},
    {"R\t" NOT_AFTER "\t" REVOKED ",keyTime," REST,
	"an invalidity date that is no time"},
    {"R\t" NOT_AFTER "\t" REVOKED ",keyTime,20260101000000Z,1" REST,
	"more behind the reason than belongs there"},
    {"R\t" NOT_AFTER "\t" REVOKED ",holdInstruction" REST,
	"a reason without what follows it"},
    {"R\t" NOT_AFTER "\t" REVOKED ",holdInstruction," REST,
	"a hold instruction that is no OID"},
    {"R\t" NOT_AFTER "\t" REVOKED ",holdInstruction,1.2x" REST,
	"a hold instruction that is no OID"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int64_t
sec_of(const char *iso)
{
	int64_t sec;

	assert_int_equal(utc_from_iso(iso, &sec), STATUS_OK);
	return sec;
}

static void
test_good(void **state)
{
	char hex[UINT160_HEX_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		const struct good *good = &goods[i];
		struct index_entry entry;
		const char *why = "no reason";

		if (index_line_read(good->line, strlen(good->line), &entry,
			&why) != STATUS_OK)
			fail_msg("%s: %s", good->line, why);
		assert_int_equal(entry.state, good->state);
		assert_string_equal(
		    uint160_to_hex(&entry.serial, hex), good->serial);
		assert_true(entry.not_after_sec == sec_of(good->not_after));
		assert_int_equal(entry.is_revoked, good->revoked_at != NULL);
		assert_int_equal(entry.reason, good->reason);
		assert_int_equal(
		    entry.has_invalidity_date, good->has_invalidity_date);
		if (good->revoked_at != NULL)
			assert_true(
			    entry.revoked_at_sec == sec_of(good->revoked_at));
	}
}

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		struct index_entry entry;
		const char *why = NULL;

		assert_int_equal(index_line_read(bads[i].line,
				     strlen(bads[i].line), &entry, &why),
		    STATUS_MALFORMED);
		assert_string_equal(why, bads[i].why);
	}
}

/* Good lines cut anywhere are bad, but where a shorter name is one. */
static void
test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goods); i++) {
		size_t len = strlen(goods[i].line);

		for (size_t cut = 0; cut < len; cut++) {
			const char *subject = memrchr(goods[i].line, '/', len);
			struct index_entry entry;
			const char *why = NULL;
			enum status status =
			    index_line_read(goods[i].line, cut, &entry, &why);

			if (subject == NULL || goods[i].line + cut <= subject)
				assert_int_equal(status, STATUS_MALFORMED);
		}
	}
}

static void
test_nul(void **state)
{
	static const char line[] =
	    "V\t" NOT_AFTER "\t\t2000\tunknown\t/CN=a\0b";
	struct index_entry entry;
	const char *why = NULL;

	(void)state;
	assert_int_equal(index_line_read(line, sizeof(line) - 1, &entry, &why),
	    STATUS_MALFORMED);
	assert_string_equal(why, "a NUL");
}

static void
test_long(void **state)
{
	static const char begin[] = "V\t" NOT_AFTER "\t\t2000\tunknown\t/";
	size_t most = INDEX_LINE_BYTES_MOST;
	char *line = malloc(most + 1);
	struct index_entry entry;
	const char *why = NULL;

	(void)state;
	assert_non_null(line);
	memset(line, 'a', most + 1);
	memcpy(line, begin, sizeof(begin) - 1);
	assert_int_equal(index_line_read(line, most, &entry, &why), STATUS_OK);
	assert_int_equal(
	    index_line_read(line, most + 1, &entry, &why), STATUS_MALFORMED);
	assert_string_equal(why, "a line above 64 KiB");
	free(line);
}

/* How many entries a text has; `*line` is where it ended, `*why` why. */
static size_t
count(const char *text, enum status *status, size_t *line, const char **why)
{
	struct index_reader reader = {.text = text, .len = strlen(text)};
	struct index_entry entry;
	size_t n = 0;

	*why = NULL;
	while ((*status = index_next(&reader, &entry, why)) == STATUS_OK)
		n++;
	*line = reader.line;
	return n;
}

static void
test_text(void **state)
{
	enum status status;
	const char *why;
	size_t line;

	(void)state;
	assert_int_equal(count("", &status, &line, &why), 0);
	assert_int_equal(status, STATUS_DONE);
	assert_int_equal(count("# only\n", &status, &line, &why), 0);
	assert_int_equal(status, STATUS_DONE);
	assert_int_equal(count("#\n"
			       "V\t" NOT_AFTER "\t" REST "\n"
			       "# V\n"
			       "R\t" NOT_AFTER "\t" REVOKED REST "\n",
			     &status, &line, &why),
	    2);
	assert_int_equal(status, STATUS_DONE);
	assert_int_equal(line, 4);
	assert_int_equal(count("V\t" NOT_AFTER "\t" REST "\n"
			       "R\t" NOT_AFTER "\t" REVOKED REST,
			     &status, &line, &why),
	    1);
	assert_int_equal(status, STATUS_MALFORMED);
	assert_int_equal(line, 2);
	assert_non_null(strstr(why, "the last line has no end"));
	assert_int_equal(count("# cut off", &status, &line, &why), 0);
	assert_int_equal(status, STATUS_MALFORMED);
	assert_int_equal(
	    count("V\t" NOT_AFTER "\t" REST "\n\n", &status, &line, &why), 1);
	assert_int_equal(status, STATUS_MALFORMED);
	assert_int_equal(line, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_nul),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
