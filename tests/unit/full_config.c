/* SPDX-License-Identifier: ISC */
/*
 * The configuration: defaults, every key, statements and paths, and that what
 * is printed reads back the same.
 */
#include "../lib/config_case.h"

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
	    "SELECT serial, revoked_at, reason, not_after, shard, recorded_at "
	    "FROM crlpress.revocation WHERE issuer = :'issuer' AND not_after "
	    ">= :'lookback'");
	/* With other schemes the column may be NULL. */
	assert_non_null(strstr(c->shard_sql, "shard = :'shard'"));
	assert_non_null(strstr(c->serial_sql, "decode(:'serial', 'hex')"));
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
	assert_int_equal(c->ledger_size, 64 * 1024 * 1024);
	assert_int_equal(c->floor_percent, 90);
	assert_int_equal(c->shard_floor_percent, 50);
	assert_int_equal(c->skew_sec, 300);
	assert_int_equal(c->replay_lag_sec, 300);
	assert_int_equal(c->size_most, 32 * 1024 * 1024);
	assert_int_equal(c->size_warning, 10 * 1024 * 1024);
	assert_null(c->certificate_query_file);
	assert_null(c->certificate_sql);
	assert_false(c->allow_empty);
	config_free(c);
	config_free(NULL);
}

/* The keys of a network have defaults, and go with a network only. */
static void
test_remote(void **state)
{
	struct config *c;

	(void)state;
	base_write("r1.cnf", 10, "url = s3://crl/pre\nca_file = own.pem");
	c = load_good("r1.cnf");
	assert_string_equal(c->store_url, "s3://crl/pre");
	assert_null(c->remote.endpoint);
	assert_null(c->remote.region);
	assert_null(c->remote.profile);
	assert_int_equal(c->remote.path_style, STORE_PATH_STYLE_AUTO);
	assert_non_null(strstr(c->remote.ca_file, "/own.pem"));
	assert_int_equal(c->remote.connections, 8);
	assert_int_equal(c->remote.connect_timeout_sec, 10);
	assert_int_equal(c->remote.stall_timeout_sec, 30);
	assert_int_equal(c->remote.request_timeout_sec, 600);
	assert_int_equal(c->remote.retry_deadline_sec, 600);
	assert_true(c->remote.http2);
	assert_int_equal(c->remote.cache_bytes_most, 1 << 30);
	assert_int_equal(c->remote.read_back, STORE_READ_BACK_HEAD);
	assert_int_equal(c->remote.public_age_most_sec, 3600);
	assert_string_equal(c->remote.cache_control, "public, no-transform");
	assert_int_equal(c->remote.cache_margin_sec, 900);
	assert_false(c->remote.unconditional);
	config_free(c);
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
    "size_most = 1536k\n"
    "size_warning = 512k\n"
    "allow_empty = true";

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
	assert_int_equal(c->size_warning, 512 * 1024);
	assert_true(c->allow_empty);
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
	assert_non_null(strstr(text, "issuer\tkey\tplace\trequired\t"));
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
	    {"SELECT a$b$c;", "SELECT a$b$c", 0, NULL},
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
	    {5,
		"query_file = none-asked.sql\n"
		"shard_query_file = none-asked.sql",
		6, "the statement has no :'shard'"},
	    {5,
		"query_file = none-asked.sql\n"
		"serial_query_file = none-asked.sql",
		6, "the statement has no :'serial'"},
	    {5, "query_file = none-asked.sql\nserial_query_file = both.sql", 4,
		"issuer_id: missing"},
	    {5, "query_file = none-asked.sql\nshard_query_file = none.sql", 6,
		"none.sql: cannot be opened"},
	    {5, "query_file = none-asked.sql\nserial_query_file = two.sql", 6,
		"two.sql:2: more than one"},
	    {5, "query_file = none-asked.sql\ncertificate_query_file = two.sql",
		6, "two.sql:2: more than one"},
	    {5,
		"query_file = none-asked.sql\n"
		"certificate_query_file = issuer.sql",
		4, "issuer_id: missing"},
	};
	struct config *config;

	(void)state;
	file_write("two.sql", "SELECT 1;\nSELECT 2", 18);
	file_write("nul.sql", "SEL\0ECT", 7);
	file_write("issuer.sql", "SELECT :'issuer'", 16);
	file_write("none-asked.sql", "SELECT 5;", 9);
	file_write("both.sql", "SELECT :'issuer', :'serial'", 27);
	file_write("shard.sql", "SELECT :'shard';", 16);
	bad_expect(bad, COUNT(bad));
	base_write("good.cnf", 5, "query_file = none-asked.sql");
	config = load_good("good.cnf");
	assert_string_equal(config->sql, "SELECT 5");
	assert_null(config->issuer_id);
	/* All rows are read where nothing is said. */
	assert_null(config->shard_sql);
	assert_null(config->serial_sql);
	config_free(config);
	base_write("own.cnf", 5,
	    "query_file = none-asked.sql\nshard_query_file = shard.sql");
	config = load_good("own.cnf");
	assert_string_equal(config->shard_sql, "SELECT :'shard'");
	assert_null(config->serial_sql);
	config_free(config);
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

static void
test_paths(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	char path[PATH_BYTES], want[PATH_BYTES];
	char name[16];
	char **paths;
	size_t count, i;

	(void)state;
	assert_int_equal(mkdir(path_of("set", path), 0700), 0);
	assert_int_equal(
	    config_paths(path, report, &paths, &count), STATUS_CONFIG);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 1);
	assert_non_null(
	    strstr(report_finding(report, 0)->text, "without any file *.cnf"));
	file_write("set/d.cnf", "", 0);
	file_write("set/b.cnf", "", 0);
	file_write("set/e.cnf", "", 0);
	file_write("set/c.cnf", "", 0);
	file_write("set/.hidden.cnf", "", 0);
	file_write("set/.cnf", "", 0);
	file_write("set/c.cnf~", "", 0);
	assert_int_equal(symlink("b.cnf", path_of("set/a.cnf", want)), 0);
	assert_int_equal(config_paths(path, report, &paths, &count), STATUS_OK);
	assert_int_equal(count, 5);
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "set/%c.cnf", "abcde"[i]);
		assert_string_equal(paths[i], path_of(name, want));
	}
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

/* What NCONF finds and the scan did not, or the other way round, is refused,
 * whichever of the two is wrong. */
static void
test_disagreement(void **state)
{
	static const char text[] = "[a]\nx = 1\ny = 2\n[b]\nx = 3\n";
	size_t way;

	(void)state;
	for (way = 0; way < 4; way++) {
		struct report *report = report_new(NULL, SEVERITY_NOTE);
		struct config_file *file;
		size_t i;

		assert_int_equal(config_file_parse("t", text, sizeof(text) - 1,
				     report, &file),
		    STATUS_OK);
		assert_int_equal(file->entry_count, 3);
		assert_string_equal(file->entry[2].value, "3");
		assert_int_equal(file->entry[2].line, 5);
		for (i = 0; i < 3; i++) {
			free(file->entry[i].value);
			file->entry[i].value = NULL;
		}
		if (way == 0) /* one that the scan missed */
			file->entry_count = 2;
		else if (way == 1) /* one that NCONF did not see */
			config_file_blank(file, 2, 2);
		else if (way == 2) /* one that the scan put elsewhere */
			file->entry[1].section[0] = 'b';
		assert_int_equal(config_file_values(file, report),
		    way < 3 ? STATUS_CONFIG : STATUS_OK);
		if (way < 3)
			assert_non_null(strstr(report_finding(report, 0)->text,
			    "reads other keys"));
		config_file_free(file);
		report_free(report);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_remote),
	    cmocka_unit_test(test_everything),
	    cmocka_unit_test(test_print),
	    cmocka_unit_test(test_print_keys),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_scope_by_profile),
	    cmocka_unit_test(test_statement),
	    cmocka_unit_test(test_query_file),
	    cmocka_unit_test(test_file_name),
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_disagreement),
	};

	return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
