/* SPDX-License-Identifier: ISC */
/*
 * Mistakes in a configuration file: each is one fault, at its line, in words
 * that name it.
 */
#include "../lib/config_case.h"

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
	    {3, "key = pkcs11:token=x", 3, "no key is named"},
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
	    {10, "url = s3://b/x", 10, "not the name of a bucket"},
	    {10, "url = s3://abc/x\nendpoint = s3.example.com", 11,
		"not an endpoint"},
	    {10, "url = s3://abc/x\nregion = eu/1", 11, "not a region"},
	    {10, "url = s3://abc\npath_style = maybe", 11, "not one of auto"},
	    {10, "url = s3://a.b.c\npath_style = no", 11, "no host name"},
	    {10, "url = s3://abc\nconnections = 65", 11, "number too large"},
	    {10, "url = s3://abc\nread_back = all", 11, "not one of head"},
	    {10, "url = s3://abc\ncache_control = a  b", 11,
		"a blank too many"},
	    {10, "url = s3://abc\nprofile = a]b", 11, "name of a profile"},
	    {10, "url = s3://abc\nretry_deadline = 0s", 11, "want 1s to"},
	    {11, "region = eu-1", 11, "only a store s3://"},
	    {11, "unconditional = no", 11, "only a store s3://"},
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
	    {11, "[gates]\nallow_empty = 1", 12, "not yes, no"},
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
	int n;
	struct bad longest = {8, line, 9, "longer than its room"};

	(void)state;
	bad_expect(bad, COUNT(bad));
	/* 1024 bytes with the last index, 10, which is longer than the first;
	 * then one more. */
	n = snprintf(line, sizeof(line), "first = 7\nurl = http://x.example/");
	snprintf(line + n, sizeof(line) - (size_t)n, "%0*d{shard}",
	    SHARD_NAME_BYTES - 1 - 17 - 2, 0);
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
	    {1, "[crl]\nvalidity = 365d1s\n[issuer]\nprofile = tls-ca", 2,
		"want at most 365d"},
	    {1, "[crl]\nvalidity = 400d\n[issuer]\nprofile = smime", 4,
		"not one of tls"},
	    {1, "[crl]\nperiod = 0\nvalidity = 10s\n[issuer]", 2, "duration"},
	    {1, "[crl]\nscope = users\n[issuer]\nprofile = tls-ca", 2,
		"the profile tls-ca wants cas"},
	};
	static const char *const good[] = {
	    "[crl]\nvalidity = 10d\nperiod = 4d\n[issuer]",
	    "[crl]\nvalidity = 10d\nperiod = 5d\n[issuer]\nocsp = yes",
	    "[crl]\nvalidity = 12h\nperiod = 6h\n[issuer]",
	    "[crl]\nvalidity = 365d\n[issuer]\nprofile = tls-ca",
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

/* What other programs take in a URL is refused, in words of its own, and not
 * repeated. */
static void
test_url_secrets(void **state)
{
	static const struct bad bad[] = {
	    {10, "url = s3://AKIAX:hunter2@my-bucket/x", 10,
		"profile` names, have \"s3://***@my-bucket/x\""},
	    {10, "url = https://u:hunter2@h/x", 10, "AWS_SECRET_ACCESS_KEY"},
	    {10, "url = s3://AKIAX:hunter2/my-bucket", 10,
		"AWS_SECRET_ACCESS_KEY"},
	    {10, "url = u:hunter2@h", 10, "AWS_SECRET_ACCESS_KEY"},
	    {10, "url = s3://abc\nendpoint = https://u:hunter2@h:9000", 11,
		"AWS_SECRET_ACCESS_KEY"},
	    {10, "url = s3://abc\nendpoint = u:hunter2@h:9000", 11,
		"AWS_SECRET_ACCESS_KEY"},
	    {11, "[archive]\nurl = s3://AKIAX:hunter2@abc", 12,
		"AWS_SECRET_ACCESS_KEY"},
	    {11, "[archive]\nurl = s3://abc\nendpoint = http://u:hunter2@h", 13,
		"AWS_SECRET_ACCESS_KEY"},
	    {8, "url = http://u:hunter2@h/{shard}.crl", 8,
		"which everybody would read"},
	    {8, "url = http://u:hun/ter2@h/{shard}.crl", 8,
		"which everybody would read"},
	    {5, "issuer_id = r1\nsource = crl:https://u:hunter2@h/x", 6,
		"which everybody would read"},
	    {5, "issuer_id = r1\nsource = crl:https://u:hun/ter2@h/x", 6,
		"which everybody would read"},
	    {5, "issuer_id = r1\nsource = https://u:hunter2@h/x", 6,
		"not crl:PATH"},
	    {11, "manifest = u:hunter2@//h", 11, "an empty part"},
	    {3, "key = pkcs11:token=x;object=y?pin-value=hunter2", 3,
		"a PIN in the text"},
	    {3, "key = pkcs11:token=x;object=y;pin-vlaue=hunter2", 3,
		"RFC 7512"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct report *report;
		struct config *config;

		bad_expect(&bad[i], 1);
		base_write("bad.cnf", bad[i].line, bad[i].text);
		(void)load("bad.cnf", &report, &config);
		assert_null(strstr(report_finding(report, 0)->text, "ter2"));
		if (report_finding(report, 0)->hint != NULL)
			assert_null(
			    strstr(report_finding(report, 0)->hint, "ter2"));
		report_free(report);
	}
}

/* What libpq would refuse at midnight, without its message on it. */
static void
test_conninfo(void **state)
{
	static const struct bad bad[] = {
	    {5, "issuer_id = r1\nconninfo = host=x passwrd=hunter2", 6,
		"option \"passwrd\", is it to be \"password\"?"},
	    {5, "issuer_id = r1\nrevoke_conninfo = host=x passwrd=hunter2", 6,
		"revoke_conninfo: invalid connection option \"passwrd\""},
	    {11, "[share]\nconninfo = hots=x", 12,
		"option \"hots\", is it to be \"host\"?"},
	    {5, "issuer_id = r1\nconninfo = host=x password hunter2", 6,
		"cannot be parsed"},
	    {5, "issuer_id = r1\nconninfo = host=x pasword hunter2", 6,
		"cannot be parsed"},
	    {5, "issuer_id = r1\nconninfo = host=x hunter2", 6,
		"cannot be parsed"},
	    {5, "issuer_id = r1\nconninfo = host=\\'hunter2", 6,
		"cannot be parsed"},
	    {5, "issuer_id = r1\nconninfo = postgresql://h/d?passwrd=hunter2",
		6, "invalid connection option \"passwrd\""},
	    {5, "issuer_id = r1\nconninfo = postgresql://h/d?x=hunter2", 6,
		"cannot be parsed"},
	    {5, "issuer_id = r1\nconninfo = postgresql://h/d?hunter2", 6,
		"cannot be parsed"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const struct finding *finding;
		struct report *report;
		struct config *config;
		bool password;

		bad_expect(&bad[i], 1);
		base_write("bad.cnf", bad[i].line, bad[i].text);
		(void)load("bad.cnf", &report, &config);
		finding = report_finding(report, 0);
		assert_null(strstr(finding->text, "hunter2"));
		password = strstr(bad[i].words, "\"passwrd\"") != NULL;
		assert_int_equal(finding->hint != NULL, password);
		if (password)
			assert_non_null(strstr(finding->hint, "passfile"));
		report_free(report);
	}
}

/* The word before the path is easily forgotten; nothing follows from it. */
static void
test_source_word(void **state)
{
	static const struct {
		const char *value;
		const char *hint; /* NULL: none */
	} cases[] = {
	    {"issuer.crl", "did you mean `crl:issuer.crl`?"},
	    {"/etc/ca/index.txt", "did you mean `index:/etc/ca/index.txt`?"},
	    {"https://ca.example/x.crl",
		"did you mean `crl:https://ca.example/x.crl`?"},
	    {"https://ca.example/x.crl?token=hunter2", NULL},
	    {"https://u:hunter2@h/x.crl", NULL},
	    {"ftp://ca.example/x.crl", NULL},
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct report *report;
		struct config *config;

		/* In place of issuer_id, which the native statement wants. */
		snprintf(line, sizeof(line), "source = %s", cases[i].value);
		base_write("bad.cnf", 5, line);
		assert_int_equal(
		    load("bad.cnf", &report, &config), STATUS_CONFIG);
		assert_true(has_fault(report, "bad.cnf", 5, "not crl:PATH"));
		assert_int_equal(report_count(report, SEVERITY_FAULT), 1);
		if (cases[i].hint == NULL)
			assert_null(report_finding(report, 0)->hint);
		else
			assert_string_equal(
			    report_finding(report, 0)->hint, cases[i].hint);
		report_free(report);
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
	    "postgresql://ca:hunter 2@db/ca",
	    "postgresql://ca:hun?ter2@db/ca",
	    "postgresql://db/ca?password=hunter2",
	    "postgresql://db/ca?sslmode=require&pass%77ord=hunter2",
	    "dbname=postgresql://ca:hunter2@db/ca",
	    "postgresql://ca:hun://ter2@db/ca",
	    "ca:hunter2@db/ca",
	    "host=ca:hunter2@db dbname=ca",
	};
	static const char *const good[] = {
	    "service=ca",
	    "host=db passfile=/etc/crlpress/pgpass",
	    "postgresql://ca@db.example.org:5432/ca?sslmode=verify-full",
	    "host=db channel_binding=require",
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_syntax),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_urls),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_url_secrets),
	    cmocka_unit_test(test_conninfo),
	    cmocka_unit_test(test_source_word),
	    cmocka_unit_test(test_secrets),
	    cmocka_unit_test(test_all_at_once),
	    cmocka_unit_test(test_not_a_file),
	    cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
