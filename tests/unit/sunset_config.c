/* SPDX-License-Identifier: ISC */
/* The configuration of ocsp-sunset: what is read, what is refused, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../src/sunset/sunset_config.h"
#include "../../src/sunset/sunset_key.h"
#include "../lib/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum status
parse(struct scratch *scratch, const char *text, struct sunset_config **config)
{
	return sunset_config_parse(
	    "c.cnf", text, strlen(text), scratch->report, config);
}

static void
test_defaults(void **state)
{
	struct sunset_config *config;

	assert_int_equal(parse(*state, "[server]\n", &config), STATUS_OK);
	assert_int_equal(config->listens, 0);
	assert_int_equal(config->metrics.len, 0);
	assert_int_equal(config->threads, 0);
	assert_int_equal(config->connections, 16384);
	assert_null(config->user);
	assert_null(config->counts);
	assert_int_equal(config->idle_sec, 30);
	assert_int_equal(config->request_sec, 10);
	assert_int_equal(config->write_sec, 10);
	assert_int_equal(config->drain_sec, 10);
	assert_int_equal(config->max_age_sec, 0);
	assert_int_equal(config->retry_after_sec, 86400);
	assert_false(config->has_last_expiry);
	assert_null(config->expiry_file);
	assert_false(config->override);
	assert_true(config->rule.has_mode);
	assert_int_equal(config->rule.mode, ANSWER_UNAUTHORIZED);
	assert_int_equal(config->rule.phases, 0);
	assert_int_equal(config->retire_below, 100);
	assert_int_equal(config->retire_days, 30);
	assert_int_equal(config->names.hosts, 0);
	assert_true(config->cells > 0);
	sunset_config_free(config);
	assert_true(scratch_silent(*state));
}

static const char full[] =
    "# A comment, with [brackets] and = signs.\r\n"
    "\t[ server ]  # and another\n"
    "listen = 192.0.2.1:80\n"
    "listen=[2001:db8::1]:8080   # a second one\n"
    "metrics = 127.0.0.1:9402\nthreads = 3\nconnections = 1000\n"
    "backlog = 128\nuser = nobody\ncounts = /var/lib/x y#z\n"
    "idle_timeout = 1m\nrequest_timeout = 5s\nwrite_timeout = 7s\n"
    "drain_timeout = 1h\nmode = 410\nfrom = 2026-12-01 mode = 503\n"
    "from = 2027-01-01T12:00:00Z mode=close share=5% window=23:59-24:00\n"
    "max_age = 5m\nretry_after = 2h\nlast_expiry = 2026-05-01\n"
    "expiry_file = e\n"
    "override = certificates-may-still-name-this-responder\n"
    "[host ocsp.example.net]\nmode = trylater\n"
    "[host  [2001:db8::1] ]\n"
    "[issuer R-1.x]\nmode = internalerror\n"
    "key_hash = 00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13\n"
    "key_hash = 000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e"
    "1f\n"
    "[report]\nretire_below = 5\nretire_days = 90";

static void
check_full(const struct sunset_config *config)
{
	const struct sunset_phase *phase = config->rule.phase;
	char text[SUNSET_ADDRESS_BYTES];

	assert_int_equal(config->listens, 2);
	assert_string_equal(
	    sunset_address_text(&config->listen[0], text), "192.0.2.1:80");
	assert_string_equal(sunset_address_text(&config->listen[1], text),
	    "[2001:db8::1]:8080");
	assert_string_equal(
	    sunset_address_text(&config->metrics, text), "127.0.0.1:9402");
	assert_string_equal(config->counts, "/var/lib/x y#z");
	assert_int_equal(config->drain_sec, 3600);
	assert_int_equal(config->rule.mode, ANSWER_GONE);
	assert_int_equal(config->rule.phases, 2);
	assert_int_equal(phase[0].from_sec, 1796083200);
	assert_int_equal(phase[0].mode, ANSWER_UNAVAILABLE);
	assert_int_equal(phase[0].share_percent, 100);
	assert_false(phase[0].has_window);
	assert_int_equal(phase[1].from_sec, 1798804800);
	assert_int_equal(phase[1].mode, ANSWER_CLOSE);
	assert_int_equal(phase[1].share_percent, 5);
	assert_int_equal(phase[1].window_first_sec, 86340);
	assert_int_equal(phase[1].window_end_sec, 86400);
	assert_true(config->override);
	assert_int_equal(config->hosts, 2);
	assert_string_equal(config->names.host[1], "[2001:db8::1]");
	assert_false(config->host[1].rule.given);
	assert_int_equal(config->issuers, 1);
	assert_string_equal(config->names.issuer[0], "R-1.x");
	assert_int_equal(config->issuer[0].key_hashes, 2);
	assert_int_equal(config->issuer[0].key_hash[0].len, 20);
	assert_int_equal(config->issuer[0].key_hash[0].octet[19], 0x13);
	assert_int_equal(config->issuer[0].key_hash[1].len, 32);
	assert_int_equal(config->retire_days, 90);
}

/* All of it, and what is printed is read as the same. */
static void
test_full(void **state)
{
	struct sunset_config *config;
	char *printed = NULL;
	char *again = NULL;
	size_t len = 0;
	FILE *stream;

	assert_int_equal(parse(*state, full, &config), STATUS_OK);
	check_full(config);
	stream = open_memstream(&printed, &len);
	sunset_config_print(config, stream);
	(void)fclose(stream);
	sunset_config_free(config);
	assert_int_equal(parse(*state, printed, &config), STATUS_OK);
	check_full(config);
	stream = open_memstream(&again, &len);
	sunset_config_print(config, stream);
	(void)fclose(stream);
	assert_string_equal(printed, again);
	sunset_config_free(config);
	free(printed);
	free(again);
	assert_true(scratch_silent(*state));
}

#define SERVER "[server]\n"
#define SHA1 "key_hash = 0101010101010101010101010101010101010101\n"

struct refused_row {
	const char *text;
	const char *said;
};

static const struct refused_row refused[] = {
    {"", "no [server]"},
    {"[report]\n", "no [server]"},
    {"threads = 1\n", "c.cnf:1: config: `threads` before any"},
    {SERVER "thread = 1\n",
	"c.cnf:2: config: unknown key `thread` in [server]; did you "
	"mean `threads`?"},
    {SERVER "frobnicate = 1\n", "unknown key `frobnicate` in [server]"},
    {SERVER "key_hash = 00\n", "unknown key `key_hash` in [server]"},
    {SERVER "[host a]\nthreads = 1\n", "unknown key `threads` in [host"},
    {SERVER "[report]\nmode = 410\n", "unknown key `mode` in [report]"},
    {SERVER "threads\n", "neither [section] nor key = value"},
    {SERVER "threads = 1\nuser = x\nthreads = 2\n",
	"c.cnf:4: config: `threads` stands in line 2 too"},
    {SERVER "mode = 410\nmode = 410\n", "`mode` stands in line 2 too"},
    {SERVER "[server]\n", "[server] stands there twice"},
    {SERVER "[server x]\n", "[server] has no name"},
    {SERVER "[serve]\n", "unknown section [serve]"},
    {SERVER "[host\n", "without its `]`"},
    {SERVER "[host]\n", "host ``"},
    {SERVER "[host A]\n", "host `A`"},
    {SERVER "[host other]\n", "host `other`"},
    {SERVER "[host a]\n[host a]\n", "[host a] stands there twice"},
    {SERVER "[issuer a b]\n", "issuer `a b`"},
    {SERVER "[issuer a]\n" SHA1 "[issuer a]\n" SHA1,
	"[issuer a] stands there twice"},
    {SERVER "[issuer a]\n[host b]\n", "[issuer a] has no key_hash"},
    {SERVER "[issuer a]\nmode = 410\n", "[issuer a] has no key_hash"},
    {SERVER "[issuer a]\n" SHA1 SHA1, "a hash that stands there"},
    {SERVER "[issuer a]\n" SHA1 "[issuer b]\n" SHA1,
	"a hash that stands there"},
    {SERVER "[issuer a]\nkey_hash = 0101\n", "20, 32, 48 or 64"},
    {SERVER "[issuer a]\nkey_hash =\n", "20, 32, 48 or 64"},
    {SERVER "[issuer a]\nkey_hash = 0\n", "not a hash in hex"},
    {SERVER "[issuer a]\nkey_hash = 00::01\n", "not a hash in hex"},
    {SERVER "[issuer a]\nkey_hash = :0001\n", "not a hash in hex"},
    {SERVER "[issuer a]\nkey_hash = 0g\n", "not a hash in hex"},
    {SERVER "threads = 65\n", "(0 to 64)"},
    {SERVER "threads = 01\n", "threads = 01:"},
    {SERVER "threads =\n", "threads = :"},
    {SERVER "connections = 15\n", "(16 to 1048576)"},
    {SERVER "idle_timeout = 0s\n", "not from 1s to 1h"},
    {SERVER "idle_timeout = 61m\n", "not from 1s to 1h"},
    {SERVER "idle_timeout = 30\n", "not a duration"},
    {SERVER "user =\n", "user = : empty"},
    {SERVER "user = # none\n", "user = : empty"},
    {SERVER "listen = 80\n", "not an address and port"},
    {SERVER "listen = localhost:80\n", "not an address and port"},
    {SERVER "listen = 1.2.3.4\n", "not an address and port"},
    {SERVER "listen = 1.2.3.4:65536\n", "listen = 1.2.3.4:65536:"},
    {SERVER "listen = 2001:db8::1:80\n", "not an address and port"},
    {SERVER "listen = [1.2.3.4]:80\n", "not an address and port"},
    {SERVER "listen = [::1]80\n", "not an address and port"},
    {SERVER "last_expiry = soon\n", "not a time"},
    {SERVER "last_expiry = 2026-02-30\n", "not a time"},
    {SERVER "override = yes\n",
	"not certificates-may-still-name-this-responder"},
    {SERVER "mode = 200\n", "not unauthorized, trylater"},
    {SERVER "mode = malformed\n", "not unauthorized, trylater"},
    {SERVER "mode = health\n", "not unauthorized, trylater"},
    {SERVER "from = 2026-12-01\n", "a phase without a mode"},
    {SERVER "from = mode = 410\n", "not a phase"},
    {SERVER "from = 2026-12-01 mode 410\n", "not a phase"},
    {SERVER "from = 2026-12-01 mode = 410 mode = 410\n", "not a phase"},
    {SERVER "from = 2026-12-01 mode = 411\n", "not a mode"},
    {SERVER "from = 2026-12-01 mode = health\n", "not a mode"},
    {SERVER "from = 2026-12-01 mode = 410 share = 0%\n", "of 0%"},
    {SERVER "from = 2026-12-01 mode = 410 share = 101%\n", "percentage"},
    {SERVER "from = 2026-12-01 mode = 410 window = 02:00-02:00\n", "empty"},
    {SERVER "from = 2026-12-01 mode = 410 window = 24:00-02:00\n",
	"not a window"},
    {SERVER "from = 2026-12-01 mode = 410 window = 02:00-24:01\n",
	"not a window"},
    {SERVER "from = 2026-12-01 mode = 410 window = 2:00-4:00\n",
	"not a window"},
    {SERVER "from = 2026-12-01 mode = 410 until = x\n", "not a phase"},
    {SERVER "from = 2026-12-01 mode = 410\nfrom = 2026-12-01 mode = "
	    "404\n",
	"c.cnf:3: config: from = 2026-12-01 mode = 404: not after"},
    {SERVER "user = \x01\n", "c.cnf:2: config: a control character"},
    {SERVER "user = \xff\n", "c.cnf:2: config: not UTF-8"},
};

static void
test_refused(void **state)
{
	struct sunset_config *config;

	for (size_t i = 0; i < COUNT(refused); i++) {
		/* A report of its own: one bounds what it says. */
		struct scratch *scratch = scratch_make();

		assert_int_equal(
		    parse(scratch, refused[i].text, &config), STATUS_CONFIG);
		assert_null(config);
		if (!scratch_said(scratch, refused[i].said)) {
			print_error("%s\n", refused[i].text);
			fail();
		}
		(void)scratch_free(scratch);
	}
	(void)state;
}

/* Every fault is said, not only the first. */
static void
test_all_faults(void **state)
{
	struct scratch *scratch = *state;
	struct sunset_config *config;

	assert_int_equal(parse(scratch,
			     "[server]\nx = 1\nthreads = y\n[z]\nq = 1\n"
			     "[report]\nw = 1\n",
			     &config),
	    STATUS_CONFIG);
	assert_int_equal(report_count(scratch->report, SEVERITY_FAULT), 4);
}

static void
test_bounds(void **state)
{
	struct scratch *scratch = *state;
	struct sunset_config *config;
	char *text = malloc(65536);
	size_t len;

	assert_non_null(text);
	len = (size_t)sprintf(text, "[server]\n");
	for (unsigned i = 0; i < COUNT_HOSTS_MOST; i++)
		len += (size_t)sprintf(text + len, "[host h%u]\n", i);
	assert_int_equal(parse(scratch, text, &config), STATUS_OK);
	assert_int_equal(config->hosts, COUNT_HOSTS_MOST);
	sunset_config_free(config);
	(void)sprintf(text + len, "[host more]\n");
	assert_int_equal(parse(scratch, text, &config), STATUS_CONFIG);
	assert_true(scratch_said(scratch, "more hosts than 64"));
	len = (size_t)sprintf(text, "[server]\n");
	for (unsigned i = 0; i <= SUNSET_PHASES_MOST; i++)
		len += (size_t)sprintf(
		    text + len, "from = %u-01-01 mode = 410\n", 2030 + i);
	assert_int_equal(parse(scratch, text, &config), STATUS_CONFIG);
	assert_true(scratch_said(scratch, "more phases than 32"));
	len = (size_t)sprintf(text, "[server]\n");
	for (unsigned i = 0; i <= SUNSET_LISTEN_MOST; i++)
		len += (size_t)sprintf(
		    text + len, "listen = 127.0.0.1:%u\n", 1000 + i);
	assert_int_equal(parse(scratch, text, &config), STATUS_CONFIG);
	assert_true(scratch_said(scratch, "more addresses than 16"));
	(void)sprintf(text, "[server]\nuser = %01100d\n", 0);
	assert_int_equal(parse(scratch, text, &config), STATUS_CONFIG);
	assert_true(scratch_said(scratch, "more than 1024 bytes"));
	free(text);
}

static void
test_load(void **state)
{
	struct scratch *scratch = *state;
	char path[SCRATCH_BYTES + 64];
	struct sunset_config *config;
	char *text = NULL;
	size_t len = 0;

	(void)scratch_path(scratch, "c.cnf", path);
	assert_int_equal(
	    sunset_config_load(path, scratch->report, &config, NULL, NULL),
	    STATUS_CONFIG);
	assert_true(scratch_said(scratch, "c.cnf: config: "));
	assert_true(file_make(path, full, sizeof(full) - 1, 0600));
	assert_int_equal(
	    sunset_config_load(path, scratch->report, &config, &text, &len),
	    STATUS_OK);
	check_full(config);
	assert_int_equal(len, sizeof(full) - 1);
	assert_string_equal(text, full);
	free(text);
	sunset_config_free(config);
}

/* What takes a restart is said, and nothing else. */
static void
test_compare(void **state)
{
	struct scratch *scratch = *state;
	struct sunset_config *old;
	struct sunset_config *new;

	assert_int_equal(parse(scratch, full, &old), STATUS_OK);
	assert_int_equal(parse(scratch, full, &new), STATUS_OK);
	new->rule.mode = ANSWER_CLOSE;
	new->idle_sec = 1;
	sunset_config_compare("c.cnf", old, new, scratch->report);
	assert_true(scratch_silent(scratch));
	sunset_config_free(new);
	assert_int_equal(
	    parse(scratch, "[server]\nconnections = 1000\n", &new), STATUS_OK);
	sunset_config_compare("c.cnf", old, new, scratch->report);
	assert_int_equal(report_count(scratch->report, SEVERITY_WARNING), 6);
	assert_true(scratch_said(scratch, "`listen` changes only when"));
	sunset_config_free(old);
	sunset_config_free(new);
}

/* Every key has its help, and is found by its name and near it. */
static void
test_keys(void **state)
{
	char *printed = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&printed, &len);

	(void)state;
	sunset_config_print_keys(stream);
	(void)fclose(stream);
	for (size_t i = 0; sunset_key(i) != NULL; i++) {
		const struct sunset_key *key = sunset_key(i);
		enum sunset_section section =
		    (enum sunset_section)(key->sections & -key->sections);

		assert_int_equal(sunset_key_find(section, key->name), i);
		assert_non_null(strstr(printed, key->name));
		assert_non_null(strstr(printed, key->help));
	}
	assert_string_equal(
	    sunset_key_nearest(SUNSET_SERVER, "conections"), "connections");
	assert_null(sunset_key_nearest(SUNSET_REPORT, "conections"));
	free(printed);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_defaults),
	    TEST(test_full),
	    TEST(test_refused),
	    TEST(test_all_faults),
	    TEST(test_bounds),
	    TEST(test_load),
	    TEST(test_compare),
	    TEST(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
