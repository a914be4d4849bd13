/* SPDX-License-Identifier: ISC */
/*
 * The configuration file: what is read, where every mistake is said to be,
 * and that what is printed reads back the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "crlpress/config.h"
#include "crlpress/config_file.h"
#include "crlpress/config_key.h"
#include "crlpress/config_text.h"
#include "crlpress/config_value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PATH_BYTES 512

/* The least that is a configuration; bad cases replace one line of it. */
static const char *const base[] = {
    "[issuer]",                                    /* 1 */
    "certificate = ca.pem",                        /* 2 */
    "key = ca.key",                                /* 3 */
    "[source]",                                    /* 4 */
    "issuer_id = r1",                              /* 5 */
    "[shards]",                                    /* 6 */
    "count = 4",                                   /* 7 */
    "url = http://crl.example.com/r1/{shard}.crl", /* 8 */
    "[store]",                                     /* 9 */
    "url = /srv/crl",                              /* 10 */
};

static char directory[64];

static int
directory_make(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/crlpress-config-XXXXXX");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int
entry_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
directory_remove(void **state)
{
	(void)state;
	return nftw(directory, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *
path_of(const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", directory, name);
	return path;
}

static void
file_write(const char *name, const void *data, size_t len)
{
	char path[PATH_BYTES];
	FILE *stream = fopen(path_of(name, path), "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(data, 1, len, stream), len);
	assert_int_equal(fclose(stream), 0);
}

/* The base, its line `line` replaced (0: none; 11: appended) by `text`. */
static void
base_write(const char *name, size_t line, const char *text)
{
	char path[PATH_BYTES];
	FILE *stream = fopen(path_of(name, path), "w");
	size_t i;

	assert_non_null(stream);
	for (i = 0; i <= COUNT(base); i++) {
		if (i + 1 == line)
			fprintf(stream, "%s\n", text);
		else if (i < COUNT(base))
			fprintf(stream, "%s\n", base[i]);
	}
	assert_int_equal(fclose(stream), 0);
}

static enum status
load(const char *name, struct report **report, struct config **config)
{
	char path[PATH_BYTES];

	*report = report_new(NULL, SEVERITY_NOTE);
	assert_non_null(*report);
	return config_load(path_of(name, path), *report, config);
}

static void
findings_print(const struct report *report)
{
	size_t i;

	for (i = 0; i < report_kept(report); i++)
		print_message("  %s: %s\n", report_finding(report, i)->object,
		    report_finding(report, i)->text);
}

static struct config *
load_good(const char *name)
{
	struct report *report;
	struct config *config = NULL;
	enum status status = load(name, &report, &config);

	if (status != STATUS_OK)
		findings_print(report);
	assert_int_equal(status, STATUS_OK);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 0);
	report_free(report);
	return config;
}

/* Whether there is a fault at NAME:line whose text has these words. */
static bool
has_fault(const struct report *report, const char *name, size_t line,
    const char *words)
{
	char object[PATH_BYTES + 32];
	size_t i;

	snprintf(object, sizeof(object), "%s/%s:%zu", directory, name, line);
	for (i = 0; i < report_kept(report); i++) {
		const struct finding *finding = report_finding(report, i);

		if (strcmp(finding->object, object) == 0 &&
		    strcmp(finding->rule, "config") == 0 &&
		    strstr(finding->text, words) != NULL)
			return true;
	}
	return false;
}

/* One mistake, and the one fault that is to be reported of it. */
struct bad {
	size_t line; /* of the base, replaced by */
	const char *text;
	size_t fault_line;
	const char *words;
};

static void
bad_expect(const struct bad *bad, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct report *report;
		struct config *config = NULL;
		enum status status;
		bool found;

		base_write("bad.cnf", bad[i].line, bad[i].text);
		status = load("bad.cnf", &report, &config);
		found = has_fault(
		    report, "bad.cnf", bad[i].fault_line, bad[i].words);
		if (status != STATUS_CONFIG || !found ||
		    report_count(report, SEVERITY_FAULT) != 1) {
			print_message("case %zu: %s\n  wanted %zu: %s\n", i,
			    bad[i].text, bad[i].fault_line, bad[i].words);
			findings_print(report);
		}
		assert_int_equal(status, STATUS_CONFIG);
		assert_null(config);
		assert_true(found);
		assert_int_equal(report_count(report, SEVERITY_FAULT), 1);
		report_free(report);
	}
}

static void
test_defaults(void **state)
{
	struct config *c;
	char want[PATH_BYTES];

	(void)state;
	base_write("r1.cnf", 0, NULL);
	c = load_good("r1.cnf");
	assert_string_equal(c->path, path_of("r1.cnf", want));
	assert_string_equal(c->name, "r1");
	assert_string_equal(c->certificate, path_of("ca.pem", want));
	assert_string_equal(c->key, path_of("ca.key", want));
	assert_null(c->passphrase_file);
	assert_int_equal(c->digest, SIGNER_DIGEST_DEFAULT);
	assert_int_equal(c->padding, SIGNER_PADDING_PKCS1);
	assert_int_equal(c->profile, PROFILE_TLS);
	assert_false(c->has_ocsp);
	assert_null(c->conninfo);
	assert_null(c->query_file);
	assert_string_equal(c->sql,
	    "SELECT serial, revoked_at, reason, not_after, shard FROM "
	    "crlpress.revocation WHERE issuer = :'issuer' AND not_after >= "
	    ":'lookback'");
	assert_string_equal(c->issuer_id, "r1");
	assert_int_equal(c->encoding, SERIAL_BYTEA);
	assert_int_equal(c->connect_timeout_sec, 10);
	assert_int_equal(c->statement_timeout_sec, 3600);
	assert_int_equal(c->lookback_sec, 30 * 86400);
	assert_int_equal(c->shards.scheme, SHARD_COLUMN);
	assert_int_equal(c->shards.count, 4);
	assert_int_equal(c->shards.first, 0);
	assert_string_equal(
	    c->url_pattern, "http://crl.example.com/r1/{shard}.crl");
	assert_string_equal(c->object_pattern, "r1/{shard}.crl");
	assert_int_equal(c->validity_sec, 9 * 86400);
	assert_int_equal(c->period_sec, 6 * 3600);
	assert_int_equal(c->scope, CRL_SCOPE_USERS);
	assert_string_equal(c->store_url, "/srv/crl");
	assert_string_equal(c->manifest_key, "crlpress-manifest-r1.txt");
	assert_string_equal(c->state_dir, "/var/lib/crlpress");
	assert_int_equal(c->floor_percent, 90);
	assert_int_equal(c->shard_floor_percent, 50);
	assert_int_equal(c->skew_sec, 300);
	assert_int_equal(c->replay_lag_sec, 300);
	assert_int_equal(c->size_most, 32 * 1024 * 1024);
	config_free(c);
	config_free(NULL);
}

static const char everything[] =
    "# a comment with an apostrophe: it's fine\r\n"
    "[ issuer ]   # another\r\n"
    "name = ee-2026.a\n"
    "\tcertificate = /etc/ssl/ca.pem\n"
    "key=\"keys/ca \\\"1\\\" #.key\" # a quoted hash is no comment\n"
    "passphrase_file = pass\\\n"
    "phrase.txt\n"
    "digest = sha384\n"
    "padding = pss\n"
    "profile = private\n"
    "ocsp = on\n"
    "[source]\n"
    "conninfo = \"host=/run/postgresql dbname='ca db' service=x\"\n"
    "query_file = q.sql\n"
    "issuer_id = 'a $b\\\\c'\n"
    "serial_encoding = hex\n"
    "connect_timeout = 3s\n"
    "statement_timeout = 1h30m\n"
    "lookback = 60d\n"
    "[shards]\n"
    "scheme = expiry\n"
    "count = 3\n"
    "first = 7\n"
    "url = ldap://dir.example.org/cn={shard:03}?crl\n"
    "object = ${issuer::name}/{shard:03}.crl\n"
    "anchor = 2026-01-01T00:00:00Z\n"
    "chunk = 1d\n"
    "[crl]\n"
    "validity = 400d\n"
    "period = 30d\n"
    "scope = cas\n"
    "[store]\n"
    "url = file:///srv/crl\n"
    "manifest = m/manifest.txt\n"
    "[state]\n"
    "dir = state\n"
    "[gates]\n"
    "floor = 0%\n"
    "shard_floor = 100%\n"
    "clock_skew = 0s\n"
    "replay_lag = 1m30s\n"
    "size_most = 1536k";

static void
everything_write(const char *name)
{
	file_write("q.sql", "SELECT 1 -- one\n;\n", 18);
	file_write(name, everything, sizeof(everything) - 1);
}

static void
test_everything(void **state)
{
	struct config *c;
	char want[PATH_BYTES];

	(void)state;
	everything_write("all.cnf");
	c = load_good("all.cnf");
	assert_string_equal(c->name, "ee-2026.a");
	assert_string_equal(c->certificate, "/etc/ssl/ca.pem");
	assert_string_equal(c->key, path_of("keys/ca \"1\" #.key", want));
	assert_string_equal(
	    c->passphrase_file, path_of("passphrase.txt", want));
	assert_int_equal(c->digest, SIGNER_DIGEST_SHA384);
	assert_int_equal(c->padding, SIGNER_PADDING_PSS);
	assert_int_equal(c->profile, PROFILE_PRIVATE);
	assert_true(c->has_ocsp);
	assert_string_equal(
	    c->conninfo, "host=/run/postgresql dbname='ca db' service=x");
	assert_string_equal(c->query_file, path_of("q.sql", want));
	assert_string_equal(c->sql, "SELECT 1");
	assert_string_equal(c->issuer_id, "a $b\\c");
	assert_int_equal(c->encoding, SERIAL_HEX);
	assert_int_equal(c->connect_timeout_sec, 3);
	assert_int_equal(c->statement_timeout_sec, 5400);
	assert_int_equal(c->lookback_sec, 60 * 86400);
	assert_int_equal(c->shards.scheme, SHARD_EXPIRY);
	assert_int_equal(c->shards.count, 3);
	assert_int_equal(c->shards.first, 7);
	assert_int_equal(c->shards.anchor_sec, 1767225600);
	assert_int_equal(c->shards.chunk_sec, 86400);
	assert_string_equal(
	    c->url_pattern, "ldap://dir.example.org/cn={shard:03}?crl");
	assert_string_equal(c->object_pattern, "ee-2026.a/{shard:03}.crl");
	assert_int_equal(c->validity_sec, 400 * 86400);
	assert_int_equal(c->period_sec, 30 * 86400);
	assert_int_equal(c->scope, CRL_SCOPE_CAS);
	assert_string_equal(c->store_url, "file:///srv/crl");
	assert_string_equal(c->manifest_key, "m/manifest.txt");
	assert_string_equal(c->state_dir, path_of("state", want));
	assert_int_equal(c->floor_percent, 0);
	assert_int_equal(c->shard_floor_percent, 100);
	assert_int_equal(c->skew_sec, 0);
	assert_int_equal(c->replay_lag_sec, 90);
	assert_int_equal(c->size_most, 1536 * 1024);
	config_free(c);
}

/* Prints `name` to a file elsewhere, and reads that to the same values. */
static void
print_expect(const char *name)
{
	struct config *one = load_good(name);
	struct config *two;
	const struct config_key *key;
	char path[PATH_BYTES];
	FILE *stream;
	size_t i;

	assert_int_equal(
	    mkdir(path_of("printed", path), 0700) == 0 || errno == EEXIST, 1);
	stream = fopen(path_of("printed/other.cnf", path), "w");
	assert_non_null(stream);
	config_print(one, stream);
	assert_int_equal(fclose(stream), 0);
	two = load_good("printed/other.cnf");
	for (i = 0; (key = config_key(i)) != NULL; i++) {
		char *text[2];
		size_t len[2];
		FILE *memory;

		assert_int_equal(
		    config_key_has(key, one), config_key_has(key, two));
		if (!config_key_has(key, one))
			continue;
		memory = open_memstream(&text[0], &len[0]);
		config_key_print(key, one, memory);
		fclose(memory);
		memory = open_memstream(&text[1], &len[1]);
		config_key_print(key, two, memory);
		fclose(memory);
		assert_string_equal(text[0], text[1]);
		free(text[0]);
		free(text[1]);
	}
	/* By the struct too, without what the printing goes through. */
	assert_string_equal(one->sql, two->sql);
	assert_string_equal(one->key, two->key);
	assert_string_equal(one->name, two->name);
	assert_memory_equal(&one->shards, &two->shards, sizeof(one->shards));
	assert_int_equal(one->validity_sec, two->validity_sec);
	assert_int_equal(one->scope, two->scope);
	assert_int_equal(one->size_most, two->size_most);
	assert_int_equal(one->has_ocsp, two->has_ocsp);
	assert_int_equal(one->floor_percent, two->floor_percent);
	config_free(one);
	config_free(two);
}

static void
test_print(void **state)
{
	static const char *const odd[] = {
	    "passphrase_file = \" blank # both \\\\ends' \"\nkey = k",
	    "key = \"tab`\\\"\\\\\"",
	    "key = a\\#b\\$c\\\\",
	    "key = caf\xc3\xa9.pem",
	};
	size_t i;

	(void)state;
	base_write("r1.cnf", 0, NULL);
	print_expect("r1.cnf");
	everything_write("all.cnf");
	print_expect("all.cnf");
	for (i = 0; i < COUNT(odd); i++) {
		base_write("odd.cnf", 3, odd[i]);
		print_expect("odd.cnf");
	}
}

static void
test_print_keys(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	(void)state;
	config_print_keys(stream);
	fclose(stream);
	assert_non_null(strstr(text, "crl\tvalidity\tduration\t9d\t"));
	assert_non_null(strstr(text, "issuer\tkey\tpath\trequired\t"));
	assert_non_null(strstr(text, "crl\tscope\tchoice\tby profile\t"));
	free(text);
}

/* No two keys have one name or one place, and every row says what it is. */
static void
test_table(void **state)
{
	const struct config_key *a, *b;
	size_t i, k;

	(void)state;
	for (i = 0; (a = config_key(i)) != NULL; i++) {
		assert_non_null(a->note);
		assert_non_null(a->help);
		assert_int_equal(a->kind == CONFIG_CHOICE, a->choice != NULL);
		assert_int_equal(config_key_index(a->offset), i);
		assert_ptr_equal(config_key_find(a->section, a->name), a);
		for (k = 0; k < i; k++) {
			b = config_key(k);
			assert_int_not_equal(a->offset, b->offset);
		}
	}
	assert_true(i > 30);
}

static void
test_syntax(void **state)
{
	static const struct bad bad[] = {
	    {11, "stray", 11, "no `=`"},
	    {11, "a b = c", 11, "no `=`"},
	    {11, "= c", 11, "not a line like"},
	    {11, "\"dir\" = x", 11, "not a line like"},
	    {11, "[gates", 11, "not a section header"},
	    {11, "[gates] floor = 1%", 11, "not a section header"},
	    {11, "[]", 11, "not a section header"},
	    {11, "[ga tes]", 11, "not a section header"},
	    {11, "[$x]", 11, "not a section header"},
	    {11, ".include other.cnf", 11, ".include"},
	    {11, "\n  .include = other.cnf", 12, ".include"},
	    {11, ".pragma dollarid:on", 11, ".pragma"},
	    {11, "gates::floor = 1%", 11, "section::key"},
	    {11, "[crl]\nperiod = \"6h", 12, "quote that is not closed"},
	    {11, "[crl]\nperiod = 6h'", 12, "quote that is not closed"},
	    {11, "[crl]\nperiod = 6h\\\\\\", 12, "nothing to escape"},
	    {11, "# comment \\\nkey = x", 11, "takes the next line"},
	    {11, "[crl]\nperiod = 6h # all \\\nvalidity = 10d", 12,
		"takes the next line"},
	    {10, "url = /srv\\\n/crl\n[gates]\nfloor = x", 13, "percentage"},
	    {11, "[state]\ndir = $ENV::HOME", 12, "$ENV::"},
	    {11, "[state]\ndir = ${ENV::HOME}", 12, "$ENV::"},
	    {11, "[state]\ndir = $(ENV::HOME)", 12, "$ENV::"},
	    {11, "[state]\ndir = '$ENV::HOME'", 12, "$ENV::"},
	    {11, "[state]\ndir = $EN\\\nV::HOME", 12, "$ENV::"},
	    {11, "[state]\ndir = \"$\\ENV::HOME\"", 12, "ENV::"},
	    {11, "[state]\ndir = $HOME", 12, "no value"},
	    {11, "[state]\ndir = ${nowhere", 12, "close brace"},
	    {11, "[state]\ndir =", 12, "no value"},
	    {11, "[state]\ndir = ''", 12, "no value"},
	    {11, "[state]\ndir = a\\nb", 12, "control character"},
	    {11, "[state]\n\ndir = a\tb", 13, "control character"},
	    {11, "[issuer]", 11, "[issuer] twice, first in line 1"},
	    {11, "url = /other", 11,
		"`url` twice in [store], first in "
		"line 10"},
	    {1, "key = x\n[issuer]", 1, "before the first section"},
	    {11, "[state]\nd\x01ir = x", 12, "control character"},
	    {11, "[state]\ndir = \xff", 12, "UTF-8"},
	    {11, "[state]\ndir = \xc0\xaf", 12, "UTF-8"},
	    {11, "[state]\rdir = x", 11, "carriage return"},
	    {1, "\xef\xbb\xbf[issuer]", 1, "byte order mark"},
	};

	(void)state;
	bad_expect(bad, COUNT(bad));
}

static void
test_names(void **state)
{
	static const struct bad bad[] = {
	    {11, "[crl]\nvalidty = 9d", 12,
		"unknown key `validty` in [crl]; did you mean `validity`?"},
	    {11, "[crl]\nPeriod = 6h", 12, "did you mean `period`?"},
	    {11, "[crl]\nxyzzy = 6h", 12, "unknown key `xyzzy` in [crl]"},
	    {11, "[crl]\nfloor = 6%", 12, "it belongs to [gates]"},
	    {11, "[gate]\nfloor = 6%", 11,
		"unknown section [gate]; did you mean [gates]?"},
	    {11, "[default]", 11, "unknown section [default]"},
	    {11, "[ENV]\nHOME = /", 11, "unknown section [ENV]"},
	    {2, "", 1, "[issuer] certificate: missing"},
	    {3, "", 1, "[issuer] key: missing"},
	    {5, "", 4, "issuer_id: missing: the statement has :'issuer'"},
	    {7, "", 6, "[shards] count: missing"},
	    {8, "", 6, "[shards] url: missing"},
	    {10, "", 9, "[store] url: missing"},
	};

	(void)state;
	bad_expect(bad, COUNT(bad));
}

static void
test_values(void **state)
{
	static const struct bad bad[] = {
	    {1, "[issuer]\nname = Upper", 2, "not a name"},
	    {1, "[issuer]\nname = ..", 2, "not a name"},
	    {1, "[issuer]\nname = .hidden", 2, "not a name"},
	    {1, "[issuer]\nname = a/b", 2, "not a name"},
	    {1, "[issuer]\ndigest = sha1", 2,
		"not one of default, sha256, sha384, sha512, have \"sha1\""},
	    {1, "[issuer]\npadding = PSS", 2, "not one of pkcs1, pss"},
	    {1, "[issuer]\nprofile = smime", 2,
		"tls, tls-ca, smime-strict, smime-legacy, private"},
	    {1, "[issuer]\nocsp = Yes", 2, "not yes, no"},
	    {3, "key = pkcs11:token=x", 3, "pkcs11:"},
	    {5, "issuer_id = r1\nserial_encoding = base64", 6, "not one of"},
	    {5, "issuer_id = r1\nserial_encoding = hex", 6, "native table"},
	    {5, "issuer_id = r1\nconnect_timeout = 10", 6, "duration"},
	    {5, "issuer_id = r1\nconnect_timeout = 1s", 6, "want 2s to 1h"},
	    {5, "issuer_id = r1\nstatement_timeout = 25d", 6, "want 1s to"},
	    {5, "issuer_id = r1\nlookback = 11h59m", 6, "twice the period"},
	    {5, "issuer_id = r1\nlookback = 1e3", 6, "duration"},
	    {7, "count = 0", 7, "number too small, want 1 to 65536"},
	    {7, "count = 65537", 7, "number too large, want 1 to 65536"},
	    {7, "count = 04", 7, "not a decimal number"},
	    {7, "count = -1", 7, "not a decimal number"},
	    {7, "count = 4\nfirst = 2147483649", 8, "number too large"},
	    {7, "count = 4\nscheme = modulo", 8, "not one of column"},
	    {7, "count = 4\nscheme = expiry\nchunk = 1d", 6,
		"anchor: missing: the scheme expiry requires it"},
	    {7, "count = 4\nscheme = expiry\nanchor = 2026-01-01T00:00:00Z", 6,
		"chunk: missing: the scheme expiry requires it"},
	    {7, "count = 4\nanchor = 2026-01-01T00:00:00Z", 8,
		"only the scheme expiry has it"},
	    {7, "count = 4\nscheme = serial-mod\nchunk = 1d", 9,
		"only the scheme expiry has it"},
	    {7,
		"count = 4\nscheme = expiry\nchunk = 1d\nanchor = 2026-02-30"
		"T00:00:00Z",
		10, "not a time like"},
	    {7,
		"count = 4\nscheme = expiry\nchunk = 0s\nanchor = 2026-02-20"
		"T00:00:00Z",
		9, "out of range"},
	    {10, "url = s3://bucket/x", 10, "S3 is not supported"},
	    {10, "url = srv/crl", 10, "not a store like"},
	    {10, "url = file://host/srv", 10, "not a store like"},
	    {11, "manifest = /m.txt", 11, "begins with a slash"},
	    {11, "manifest = a/../m.txt", 11, "`.` or `..`"},
	    {11, "manifest = a//m.txt", 11, "an empty part"},
	    {11, "manifest = a b", 11, "blanks"},
	    {11, "manifest = r1/3.crl", 11, "the object key of shard 3"},
	    {11, "[gates]\nfloor = 90", 12, "percentage"},
	    {11, "[gates]\nshard_floor = 101%", 12, "percentage"},
	    {11, "[gates]\nclock_skew = 2d", 12, "out of range"},
	    {11, "[gates]\nreplay_lag = soon", 12, "duration"},
	    {11, "[gates]\nsize_most = 32", 12, "size out of range"},
	    {11, "[gates]\nsize_most = 2G", 12, "size out of range"},
	    {11, "[gates]\nsize_most = 32m", 12, "not a size"},
	};

	(void)state;
	bad_expect(bad, COUNT(bad));
}

static void
test_urls(void **state)
{
	static const struct bad bad[] = {
	    {8, "url = https://crl.example.com/{shard}.crl", 8, "http://"},
	    {8, "url = HTTP://crl.example.com/{shard}.crl", 8, "not a URL"},
	    {8, "url = crl.example.com/{shard}.crl", 8, "not a URL"},
	    {8, "url = http:///{shard}.crl", 8, "host"},
	    {8, "url = http://u@crl.example.com/{shard}.crl", 8, "host"},
	    {8, "url = http://{shard}.example.com/x.crl", 8, "host"},
	    {8, "url = http://crl.example.com", 8, "without a path"},
	    {8, "url = http://crl.example.com/", 8, "without a path"},
	    {8, "url = http://crl.example.com/{shard}\\#x", 8, "fragment"},
	    {8, "url = http://crl.example.com/a {shard}", 8, "character"},
	    {8, "url = http://crl.example.com/<{shard}>", 8, "character"},
	    {8, "url = http://crl.example.com/\xc3\xa9{shard}", 8, "character"},
	    {8, "url = http://crl.example.com/%2{shard}", 8, "character"},
	    {8, "url = http://crl.example.com/a.crl", 8, "exactly once"},
	    {8, "url = http://crl.example.com/{shard}/{shard}", 8,
		"exactly once"},
	    {8, "url = http://crl.example.com/{index}.crl", 8, "brace"},
	    {8, "url = http://crl.example.com/{shard:00}.crl", 8, "{shard"},
	    {8, "url = http://crl.example.com/%7e{shard}.crl", 6,
		"object: missing: the path of url"},
	    {8, "url = http://crl.example.com/{shard}.crl?x", 6,
		"object: missing: the path of url"},
	    {8, "url = http://crl.example.com/a//{shard}.crl", 6,
		"object: missing: the path of url"},
	    {8, "url = http://crl.example.com/{shard}.crl\nobject = x", 9,
		"object: {shard} must stand there exactly once"},
	    {8, "url = http://crl.example.com/{shard}.crl\nobject = /{shard}",
		9, "begins with a slash"},
	};
	char line[SHARD_NAME_BYTES + 64];
	struct bad longest = {8, line, 8, "longer than its room"};

	(void)state;
	bad_expect(bad, COUNT(bad));
	/* 1024 bytes with the largest index, then one more. */
	snprintf(line, sizeof(line), "url = http://crl.example.com/%0*d{shard}",
	    SHARD_NAME_BYTES - 1 - 23 - 1, 0);
	base_write("bad.cnf", 8, line);
	config_free(load_good("bad.cnf"));
	strcat(line, "x");
	bad_expect(&longest, 1);
}

static void
test_times(void **state)
{
	static const struct bad bad[] = {
	    {11, "[crl]\nvalidity = 10d1s", 12,
		"too long for the profile tls, have 10d1s, want at most 10d"},
	    {11, "[crl]\nvalidity = 11h59m59s", 12, "twice the period of 6h"},
	    {11, "[crl]\nperiod = 4d1s", 12, "want at most 4d"},
	    {11, "[crl]\nperiod = 0s", 12, "out of range"},
	    {11, "[crl]\nscope = cas", 12, "the profile tls wants users"},
	    {11, "[crl]\nscope = all", 12, "the profile tls wants users"},
	    {1, "[crl]\nvalidity = 10d1s\n[issuer]\nprofile = smime-strict", 2,
		"profile smime-strict"},
	    {1, "[crl]\nvalidity = 366d1s\n[issuer]\nprofile = tls-ca", 2,
		"want at most 366d"},
	    {1, "[crl]\nscope = users\n[issuer]\nprofile = tls-ca", 2,
		"the profile tls-ca wants cas"},
	};
	static const char *const good[] = {
	    "[crl]\nvalidity = 10d\nperiod = 4d\n[issuer]",
	    "[crl]\nvalidity = 10d\nperiod = 5d\n[issuer]\nocsp = yes",
	    "[crl]\nvalidity = 12h\nperiod = 6h\n[issuer]",
	    "[crl]\nvalidity = 366d\n[issuer]\nprofile = tls-ca",
	    "[crl]\nvalidity = 3660d\n[issuer]\nprofile = private",
	    "[crl]\nscope = users\n[issuer]\nprofile = private",
	};
	size_t i;

	(void)state;
	bad_expect(bad, COUNT(bad));
	for (i = 0; i < COUNT(good); i++) {
		base_write("good.cnf", 1, good[i]);
		config_free(load_good("good.cnf"));
	}
}

static void
test_scope_by_profile(void **state)
{
	static const struct {
		const char *line;
		enum crl_scope scope;
	} rows[] = {{"[issuer]\nprofile = tls", CRL_SCOPE_USERS},
	    {"[issuer]\nprofile = tls-ca", CRL_SCOPE_CAS},
	    {"[issuer]\nprofile = smime-strict", CRL_SCOPE_USERS},
	    {"[issuer]\nprofile = smime-legacy", CRL_SCOPE_USERS},
	    {"[issuer]\nprofile = private", CRL_SCOPE_ALL}};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		struct config *config;

		base_write("scope.cnf", 1, rows[i].line);
		config = load_good("scope.cnf");
		assert_int_equal(config->scope, rows[i].scope);
		config_free(config);
	}
}

/* Never a secret in the file, and never one in a message. */
static void
test_secrets(void **state)
{
	static const char *const bad[] = {
	    "host=db password=hunter2",
	    "host=db password = hunter2",
	    "password=hunter2",
	    "sslkey=x sslpassword=hunter2",
	    "postgresql://ca:hunter2@db.example.org/ca",
	    "postgres://ca:hunter2@/ca",
	    "postgresql://ca:hun?ter2@db/ca",
	    "postgresql://db/ca?password=hunter2",
	    "postgresql://db/ca?sslmode=require&pass%77ord=hunter2",
	    "dbname=postgresql://ca:hunter2@db/ca",
	};
	static const char *const good[] = {
	    "service=ca",
	    "host=db passfile=/etc/crlpress/pgpass",
	    "postgresql://ca@db.example.org:5432/ca?sslmode=verify-full",
	    "host=db require_auth=scram-sha-256",
	    "postgresql://[2001:db8::1]:5432/ca",
	};
	char line[256];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		struct report *report;
		struct config *config;

		snprintf(line, sizeof(line), "issuer_id = r1\nconninfo = %s",
		    bad[i]);
		base_write("bad.cnf", 5, line);
		assert_int_equal(
		    load("bad.cnf", &report, &config), STATUS_CONFIG);
		assert_true(has_fault(report, "bad.cnf", 6, "secret"));
		assert_int_equal(report_count(report, SEVERITY_FAULT), 1);
		assert_null(strstr(report_finding(report, 0)->text, "hun"));
		report_free(report);
	}
	for (i = 0; i < COUNT(good); i++) {
		struct config *config;

		snprintf(line, sizeof(line), "issuer_id = r1\nconninfo = %s",
		    good[i]);
		base_write("good.cnf", 5, line);
		config = load_good("good.cnf");
		assert_string_equal(config->conninfo, good[i]);
		config_free(config);
	}
}

static void
test_statement(void **state)
{
	static const struct {
		const char *text;
		const char *statement; /* NULL: refused */
		size_t line;
		const char *words;
	} rows[] = {
	    {"SELECT 1", "SELECT 1", 0, NULL},
	    {"SELECT 1;", "SELECT 1", 0, NULL},
	    {"SELECT 1 ;\n ; \n", "SELECT 1", 0, NULL},
	    {"SELECT 1 -- the end; really", "SELECT 1", 0, NULL},
	    {"SELECT 1; -- SELECT 2", "SELECT 1", 0, NULL},
	    {"/* a; /* b */ ; */ SELECT ';'", "/* a; /* b */ ; */ SELECT ';'",
		0, NULL},
	    {"SELECT ';;', \"a;b\";", "SELECT ';;', \"a;b\"", 0, NULL},
	    {"SELECT 'it''s;'", "SELECT 'it''s;'", 0, NULL},
	    {"SELECT E'\\';' ;", "SELECT E'\\';'", 0, NULL},
	    {"SELECT type'\\' ;", "SELECT type'\\'", 0, NULL},
	    {"SELECT $$;$$;", "SELECT $$;$$", 0, NULL},
	    {"SELECT $a$ ; $$ ; $a$", "SELECT $a$ ; $$ ; $a$", 0, NULL},
	    {"SELECT a$b, c$d", "SELECT a$b, c$d", 0, NULL},
	    {"SELECT 1 FROM t WHERE a = :'issuer' AND b->>'x' = '--'",
		"SELECT 1 FROM t WHERE a = :'issuer' AND b->>'x' = '--'", 0,
		NULL},
	    {"SELECT 1;\nSELECT 2", NULL, 2, "more than one"},
	    {"SELECT 1; DROP TABLE t", NULL, 1, "more than one"},
	    {"SELECT '\n\nx", NULL, 1, "not closed"},
	    {"SELECT\n\"x", NULL, 2, "not closed"},
	    {"SELECT\n/* /* */", NULL, 2, "not closed"},
	    {"SELECT\n\n$x$ $$ ", NULL, 3, "not closed"},
	    {"", NULL, 1, "no SQL statement"},
	    {" ;;\n-- nothing", NULL, 1, "no SQL statement"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		char *sql = strdup(rows[i].text);
		const char *why = NULL;
		size_t line = 0;
		enum status status;

		assert_non_null(sql);
		status = config_text_statement(sql, &line, &why);
		if (rows[i].statement != NULL) {
			assert_int_equal(status, STATUS_OK);
			assert_string_equal(sql, rows[i].statement);
		} else {
			assert_int_equal(status, STATUS_MALFORMED);
			assert_int_equal(line, rows[i].line);
			assert_non_null(strstr(why, rows[i].words));
		}
		free(sql);
	}
}

/* Faults of the query_file stand at its key's line and name the file. */
static void
test_query_file(void **state)
{
	static const struct bad bad[] = {
	    {5, "query_file = none.sql", 5, "none.sql: cannot be opened"},
	    {5, "query_file = .", 5, "not a regular file"},
	    {5, "query_file = two.sql", 5, "two.sql:2: more than one"},
	    {5, "query_file = nul.sql", 5, "nul.sql:1: a NUL byte"},
	    {5, "query_file = issuer.sql", 4, "issuer_id: missing"},
	};
	struct config *config;

	(void)state;
	file_write("two.sql", "SELECT 1;\nSELECT 2", 18);
	file_write("nul.sql", "SEL\0ECT", 7);
	file_write("issuer.sql", "SELECT :'issuer'", 16);
	file_write("none-asked.sql", "SELECT 5;", 9);
	bad_expect(bad, COUNT(bad));
	base_write("good.cnf", 5, "query_file = none-asked.sql");
	config = load_good("good.cnf");
	assert_string_equal(config->sql, "SELECT 5");
	assert_null(config->issuer_id);
	config_free(config);
}

static void
test_all_at_once(void **state)
{
	static const char text[] = "[issuer]\n"
				   "certificate = \n"
				   "ky = x\n"
				   "[shards]\n"
				   "count = many\n"
				   "count = 3\n"
				   "url = $nowhere\n"
				   ".include /etc/passwd\n"
				   "[stor]\n"
				   "url = x\n"
				   "[crl]\n"
				   "validity = 11d\n";
	struct report *report;
	struct config *config;

	(void)state;
	file_write("many.cnf", text, sizeof(text) - 1);
	assert_int_equal(load("many.cnf", &report, &config), STATUS_CONFIG);
	assert_null(config);
	assert_true(has_fault(report, "many.cnf", 6, "twice"));
	assert_true(has_fault(report, "many.cnf", 8, ".include"));
	assert_true(has_fault(report, "many.cnf", 7, "no value"));
	assert_true(has_fault(report, "many.cnf", 2, "no value"));
	assert_true(has_fault(report, "many.cnf", 9, "[store]"));
	assert_true(has_fault(report, "many.cnf", 3, "`key`"));
	assert_true(has_fault(report, "many.cnf", 5, "decimal"));
	assert_true(has_fault(report, "many.cnf", 1, "key: missing"));
	/* And store url, issuer_id, validity. */
	assert_int_equal(report_count(report, SEVERITY_FAULT), 11);
	report_free(report);
}

static void
test_file_name(void **state)
{
	struct report *report;
	struct config *config;

	(void)state;
	base_write("Upper Case.cnf", 0, NULL);
	assert_int_equal(
	    load("Upper Case.cnf", &report, &config), STATUS_CONFIG);
	assert_true(has_fault(report, "Upper Case.cnf", 1,
	    "have \"Upper Case\", want name = NAME"));
	report_free(report);
	base_write("plain", 0, NULL);
	config = load_good("plain");
	assert_string_equal(config->name, "plain");
	config_free(config);
}

/* Not a file: said at once, and a FIFO does not hold the program up. */
static void
test_not_a_file(void **state)
{
	static const struct {
		const char *name;
		const char *words;
	} rows[] = {{"none.cnf", "No such file"},
	    {"dir.cnf", "not a regular file"},
	    {"fifo.cnf", "not a regular file"}, {"big.cnf", "too large"},
	    {"nul.cnf", "a NUL byte"}, {"none/x.cnf", "No such file"}};
	char path[PATH_BYTES];
	size_t i;

	(void)state;
	assert_int_equal(mkdir(path_of("dir.cnf", path), 0700), 0);
	assert_int_equal(mkfifo(path_of("fifo.cnf", path), 0600), 0);
	file_write("big.cnf", "", 0);
	assert_int_equal(
	    truncate(path_of("big.cnf", path), CONFIG_FILE_BYTES_MOST + 1), 0);
	file_write("nul.cnf", "[issuer]\n\0", 10);
	for (i = 0; i < COUNT(rows); i++) {
		struct report *report;
		struct config *config;
		size_t line = strcmp(rows[i].name, "nul.cnf") == 0 ? 2 : 1;

		assert_int_equal(
		    load(rows[i].name, &report, &config), STATUS_CONFIG);
		assert_null(config);
		assert_true(
		    has_fault(report, rows[i].name, line, rows[i].words));
		report_free(report);
	}
}

/* Long lines and many keys: NCONF reads in pieces of 511 bytes. */
static void
test_sizes(void **state)
{
	struct report *report;
	struct config *config;
	char path[PATH_BYTES];
	char line[1200];
	FILE *stream;
	size_t pad;
	int i;

	(void)state;
	for (pad = 480; pad < 560; pad++) {
		snprintf(line, sizeof(line), "%s\r\n%*s\\\r\nkey = %*s\\\r\nx#",
		    "# long", (int)pad, "", (int)pad, "");
		base_write("long.cnf", 3, line);
		config = load_good("long.cnf");
		assert_string_equal(strrchr(config->key, '/'), "/x");
		config_free(config);
	}
	stream = fopen(path_of("many.cnf", path), "w");
	assert_non_null(stream);
	fprintf(stream, "[gates]\n");
	for (i = 0; i < CONFIG_ENTRIES_MOST + 1; i++)
		fprintf(stream, "k%d = 1\n", i);
	fclose(stream);
	assert_int_equal(load("many.cnf", &report, &config), STATUS_CONFIG);
	assert_true(has_fault(
	    report, "many.cnf", CONFIG_ENTRIES_MOST + 2, "too many keys"));
	report_free(report);
}

static void
test_paths(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	char path[PATH_BYTES], want[PATH_BYTES];
	char **paths;
	size_t count;

	(void)state;
	assert_int_equal(mkdir(path_of("set", path), 0700), 0);
	assert_int_equal(
	    config_paths(path, report, &paths, &count), STATUS_CONFIG);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 1);
	assert_non_null(
	    strstr(report_finding(report, 0)->text, "without any file *.cnf"));
	file_write("set/b.cnf", "", 0);
	file_write("set/.hidden.cnf", "", 0);
	file_write("set/.cnf", "", 0);
	file_write("set/c.cnf~", "", 0);
	assert_int_equal(symlink("b.cnf", path_of("set/a.cnf", want)), 0);
	assert_int_equal(config_paths(path, report, &paths, &count), STATUS_OK);
	assert_int_equal(count, 2);
	assert_string_equal(paths[0], path_of("set/a.cnf", want));
	assert_string_equal(paths[1], path_of("set/b.cnf", want));
	config_paths_free(paths, count);
	assert_int_equal(config_paths(want, report, &paths, &count), STATUS_OK);
	assert_int_equal(count, 1);
	assert_string_equal(paths[0], want);
	config_paths_free(paths, count);
	assert_int_equal(
	    config_paths(path_of("none", path), report, &paths, &count),
	    STATUS_CONFIG);
	assert_null(paths);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 2);
	report_free(report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_everything),
	    cmocka_unit_test(test_print),
	    cmocka_unit_test(test_print_keys),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_syntax),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_urls),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_scope_by_profile),
	    cmocka_unit_test(test_secrets),
	    cmocka_unit_test(test_statement),
	    cmocka_unit_test(test_query_file),
	    cmocka_unit_test(test_all_at_once),
	    cmocka_unit_test(test_file_name),
	    cmocka_unit_test(test_not_a_file),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
