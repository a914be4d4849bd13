/* SPDX-License-Identifier: ISC */
/* URLs of buckets and objects: what is refused, encoding, styles. */
#include "crlpress/s3_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_url_fault(void **state)
{
	static const char *const good[] = {"s3://abc", "s3://abc/",
	    "s3://my.bucket-1/a/b", "s3://my_Bucket/a/b/", "s3://123"};
	static const struct {
		const char *url;
		const char *why;
	} bad[] = {
	    {"s3:/abc", "not a store"},
	    {"S3://abc", "not a store"},
	    {"s3://", "name of a bucket"},
	    {"s3:///key", "name of a bucket"},
	    {"s3://ab", "name of a bucket"},
	    {"s3://-abc", "name of a bucket"},
	    {"s3://.abc", "name of a bucket"},
	    {"s3://user@abc", "AWS_SECRET_ACCESS_KEY"},
	    {"s3://AKIAX:geheim@abc/x", "AWS_SECRET_ACCESS_KEY"},
	    {"s3://AKIAX:geheim/abc/x", "AWS_SECRET_ACCESS_KEY"},
	    {"s3://abc:80/", "name of a bucket"},
	    {"s3://a b c", "name of a bucket"},
	    {"s3://xn--abc", "name of a bucket"},
	    {"s3://abc//x", "empty part"},
	    {"s3://abc/x//", "empty part"},
	    {"s3://abc/../x", "empty part"},
	    {"s3://abc/x/.", "empty part"},
	    {"s3://abc/x y", "visible ASCII"},
	    {"s3://abc/x\\y", "visible ASCII"},
	    {"s3://abc/x\x7f", "visible ASCII"},
	    {"s3://abc/\xc3\xa4", "visible ASCII"},
	};
	char longest[700] = "s3://abc/";

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(s3_url_fault(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *why = s3_url_fault(bad[i].url);

		assert_non_null(why);
		assert_non_null(strstr(why, bad[i].why));
	}
	memset(longest + 9, 'p', 512);
	assert_null(s3_url_fault(longest));
	longest[9 + 512] = 'p';
	assert_non_null(s3_url_fault(longest));
	memset(longest + 5, 'b', 255);
	longest[5 + 255] = '\0';
	assert_null(s3_url_fault(longest));
	memcpy(longest + 5 + 255, "b", 2);
	assert_non_null(s3_url_fault(longest));
}

static void
test_endpoint_fault(void **state)
{
	static const char *const good[] = {"http://localhost:9000",
	    "https://s3.example.com", "https://s3.example.com:443",
	    "http://127.0.0.1", "http://[::1]:8490", "https://[2001:db8::1]"};
	static const char *const bad[] = {"s3.example.com", "ftp://x",
	    "HTTPS://x", "https://", "https://user@x", "https://u:p@x",
	    "https://x/", "https://x/path", "https://x?q", "https://x#f",
	    "https://x:", "https://x:123456", "https://x:80/", "https://x y",
	    "http://[::1", "http://[::1]x", "http://[]x", "http://x\\y"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_null(s3_endpoint_fault(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(s3_endpoint_fault(bad[i]));
}

static void
test_region_fault(void **state)
{
	char longest[80];

	(void)state;
	assert_null(s3_region_fault("eu-central-1"));
	assert_null(s3_region_fault("RegionOne"));
	assert_non_null(s3_region_fault(""));
	assert_non_null(s3_region_fault("eu central"));
	assert_non_null(s3_region_fault("eu/1"));
	assert_non_null(s3_region_fault("eu:1"));
	memset(longest, 'r', sizeof(longest));
	longest[S3_REGION_BYTES - 1] = '\0';
	assert_null(s3_region_fault(longest));
	longest[S3_REGION_BYTES - 1] = 'r';
	longest[S3_REGION_BYTES] = '\0';
	assert_non_null(s3_region_fault(longest));
}

static void
assert_url(const char *store, const char *endpoint, const char *region,
    enum store_path_style style, const char *key, const char *want)
{
	struct s3_place place;
	char url[S3_URL_BYTES];
	const char *why = NULL;

	assert_int_equal(
	    s3_place_make(store, endpoint, region, style, &place, &why),
	    STATUS_OK);
	assert_int_equal(s3_object_url(&place, key, url), STATUS_OK);
	assert_string_equal(url, want);
}

static void
test_styles(void **state)
{
	(void)state;
	assert_url("s3://crl", NULL, "eu-west-1", STORE_PATH_STYLE_AUTO,
	    "0.crl", "https://crl.s3.eu-west-1.amazonaws.com/0.crl");
	assert_url("s3://crl/pre", NULL, "cn-north-1", STORE_PATH_STYLE_AUTO,
	    "0.crl", "https://crl.s3.cn-north-1.amazonaws.com.cn/pre/0.crl");
	assert_url("s3://crl/", NULL, "eu-west-1", STORE_PATH_STYLE_YES,
	    "0.crl", "https://s3.eu-west-1.amazonaws.com/crl/0.crl");
	/* A dot in the name is under no wildcard of a certificate. */
	assert_url("s3://crl.example.com", NULL, "eu-west-1",
	    STORE_PATH_STYLE_AUTO, "0.crl",
	    "https://s3.eu-west-1.amazonaws.com/crl.example.com/0.crl");
	assert_url("s3://crl/a/b/", "http://[::1]:8490", "x",
	    STORE_PATH_STYLE_AUTO, "c/0.crl",
	    "http://[::1]:8490/crl/a/b/c/0.crl");
	assert_url("s3://crl/a", "http://localhost:8490", "x",
	    STORE_PATH_STYLE_NO, "0.crl", "http://crl.localhost:8490/a/0.crl");
	assert_url("s3://my_Crl", "https://s3.example.com", "x",
	    STORE_PATH_STYLE_AUTO, "0", "https://s3.example.com/my_Crl/0");
}

static void
test_style_fault(void **state)
{
	static const char *const stores[] = {"s3://my.bucket", "s3://my_bucket",
	    "s3://Bucket", "s3://bucket-",
	    ("s3://b1234567890123456789012345678901234567890123456789012345678"
	     "90123")};
	struct s3_place place;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		why = NULL;
		assert_int_equal(s3_place_make(stores[i], "http://localhost",
				     "x", STORE_PATH_STYLE_NO, &place, &why),
		    STATUS_MALFORMED);
		assert_non_null(why);
		assert_int_equal(s3_place_make(stores[i], "http://localhost",
				     "x", STORE_PATH_STYLE_YES, &place, &why),
		    STATUS_OK);
	}
}

/* The form that a signature covers: RFC 3986's unreserved and the slash. */
static void
test_encoding(void **state)
{
	(void)state;
	assert_url("s3://crl/p+q", "http://h", "x", STORE_PATH_STYLE_YES,
	    "a!b\"c#$%&'()*+,;=:?@[]<>^`{|}-._~/Z9",
	    "http://h/crl/p%2Bq/a%21b%22c%23%24%25%26%27%28%29%2A%2B%2C%3B%3D"
	    "%3A%3F%40%5B%5D%3C%3E%5E%60%7B%7C%7D-._~/Z9");
	assert_url("s3://crl", "http://h", "x", STORE_PATH_STYLE_YES,
	    "\xc3\xa4 \x01", "http://h/crl/%C3%A4%20%01");
}

static void
test_longest(void **state)
{
	struct s3_place place;
	char key[S3_KEY_BYTES_MOST + 1];
	char url[S3_URL_BYTES];
	const char *why = NULL;

	(void)state;
	assert_int_equal(s3_place_make("s3://crl/pre", "http://h", "x",
			     STORE_PATH_STYLE_YES, &place, &why),
	    STATUS_OK);
	memset(key, '%', sizeof(key));
	key[S3_KEY_BYTES_MOST - 4] = '\0';
	assert_int_equal(s3_object_url(&place, key, url), STATUS_OK);
	assert_int_equal(strlen(url),
	    strlen("http://h/crl/pre/") + 3 * (S3_KEY_BYTES_MOST - 4));
	key[S3_KEY_BYTES_MOST - 4] = '%';
	key[S3_KEY_BYTES_MOST - 3] = '\0';
	assert_int_equal(s3_object_url(&place, key, url), STATUS_MALFORMED);
}

static void
lists(const struct s3_place *place, const char *prefix, const char *token,
    const char *after, const char *want)
{
	char url[S3_LIST_URL_BYTES];

	assert_int_equal(
	    s3_list_url(place, prefix, token, after, url), STATUS_OK);
	assert_string_equal(url, want);
}

/* The query sorted, and each value as it is signed. */
static void
test_list(void **state)
{
	struct s3_place place;
	const char *why = NULL;
	char longest[S3_KEY_BYTES_MOST + 2];
	char url[S3_LIST_URL_BYTES];

	(void)state;
	assert_int_equal(s3_place_make("s3://crl/a b", "http://h:1", "r",
			     STORE_PATH_STYLE_YES, &place, &why),
	    STATUS_OK);
	lists(&place, "", NULL, NULL,
	    "http://h:1/crl?list-type=2&prefix=a%20b%2F");
	lists(&place, "x/", NULL, "x/&=+",
	    "http://h:1/crl?list-type=2&prefix=a%20b%2Fx%2F&start-after="
	    "a%20b%2Fx%2F%26%3D%2B");
	lists(&place, "x/", "1/+=", NULL,
	    "http://h:1/crl?continuation-token=1%2F%2B%3D&list-type=2&prefix="
	    "a%20b%2Fx%2F");
	assert_int_equal(s3_place_make("s3://crl", "http://h:1", "r",
			     STORE_PATH_STYLE_NO, &place, &why),
	    STATUS_OK);
	lists(&place, "x/", NULL, NULL,
	    "http://crl.h:1/?list-type=2&prefix=x%2F");
	memset(longest, '/', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(
	    s3_list_url(&place, longest, NULL, NULL, url), STATUS_MALFORMED);
	assert_int_equal(
	    s3_list_url(&place, "", NULL, longest, url), STATUS_MALFORMED);
	assert_int_equal(
	    s3_list_url(&place, longest + 1, longest + 1, longest + 1, url),
	    STATUS_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_url_fault),
	    cmocka_unit_test(test_endpoint_fault),
	    cmocka_unit_test(test_region_fault),
	    cmocka_unit_test(test_styles),
	    cmocka_unit_test(test_style_fault),
	    cmocka_unit_test(test_encoding),
	    cmocka_unit_test(test_longest),
	    cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests_name("s3_url", tests, NULL, NULL);
}
