/* SPDX-License-Identifier: ISC */
/*
 * OCSP requests as openssl makes them, in DER and in paths: what they reveal,
 * and that nothing but them is taken for one. Against a page that is not
 * there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../src/sunset/ocsp_request.h"
#include "../lib/guard_page.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DER_MOST 512

struct request_row {
	const char *hex;
	const char *key; /* hex of the issuerKeyHash */
	int nonce;
	enum count_hash hash;
};

#define SHA1_KEY "14330414293e8236a439da788561333168cabcfe"
#define SHA1_ID                                                  \
	"303d303b300906052b0e03021a050004148018e1c49e99b24e372e" \
	"528773fbfdf82c90" SHA1_KEY "065c549a02021234"
#define SHA1_KEY_HASH "293e8236a439da788561333168cabcfe065c549a"
#define NONCE_EXTENSION                    \
	"301f06092b0601050507300102041204" \
	"10d323a7673277d0c4d9fc23c946af89a8"
#define SHA256_KEY_HASH                    \
	"a94e0e7503570b897ddf033b4035c04e" \
	"ab35ed48b89c18b9fd4f0e9e6b56538a"

static const struct request_row requests[] = {
    /* openssl ocsp -serial 0x1234, with -no_nonce, -sha256 and so on. */
    {"30683066303f" SHA1_ID "a2233021" NONCE_EXTENSION, SHA1_KEY_HASH, 1,
	COUNT_HASH_SHA1},
    {"30433041303f" SHA1_ID, SHA1_KEY_HASH, 0, COUNT_HASH_SHA1},
    {"305f305d305b30593057300d060960864801650304020105000420f3bef2bb5c72e69c"
     "685c5d9d56a5b8b5a649503d2f100bed9a398171ea4c45a80420" SHA256_KEY_HASH
     "02021234",
	SHA256_KEY_HASH, 0, COUNT_HASH_SHA256},
    {"3081c83081c530819d30819a308197300d060960864801650304020305000440b26bd2"
     "d45e10fa9bc9545fd1dc9a11e6f1c4e500f8803401b538eb5e60d0e22e87681795fb60"
     "71f3b210c5618d9812cdc7fd8dce4affdd9027e8d5831fca372d044086e8cd2c64bfda"
     "8e73bf5e9b8ae7ae507b7514c021fcb592d32c3fbf3274a4db757744c41204bc2e8305"
     "d97944ece996de6d4ec9c982b0190eafb189562b9ca102021234a2233021301f06092b"
     "0601050507300102041204104bd066a34ba4807fc41bb735811786bf",
	"86e8cd2c64bfda8e73bf5e9b8ae7ae507b7514c021fcb592d32c3fbf3274a4db757744"
	"c41204bc2e8305d97944ece996de6d4ec9c982b0190eafb189562b9ca1",
	1, COUNT_HASH_OTHER},
    /* A version, a requestor's name, another request, a signature. */
    {"304c"
     "304a"
     "a003020100"
     "a1020500"
     "303f" SHA1_ID,
	SHA1_KEY_HASH, 0, COUNT_HASH_SHA1},
    {"30453041303f" SHA1_ID "a000", SHA1_KEY_HASH, 0, COUNT_HASH_SHA1},
    /* An extension that is no nonce. */
    {"3056"
     "3054"
     "303f" SHA1_ID "a211300f300d06092b0601050507300104"
     "0400",
	SHA1_KEY_HASH, 0, COUNT_HASH_SHA1},
};

static size_t
from_hex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; hex[0] != '\0'; hex += 2) {
		char pair[3] = {hex[0], hex[1], '\0'};

		out[n++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

static int
setup(void **state)
{
	struct guard_page *guard = malloc(sizeof(*guard));

	if (guard == NULL)
		return -1;
	guard_page_make(guard, 16384);
	*state = guard;
	return 0;
}

static int
teardown(void **state)
{
	guard_page_free(*state);
	free(*state);
	return 0;
}

static void
check_request(const struct request_row *row, const struct ocsp_request *request)
{
	uint8_t key[64];
	size_t key_len = from_hex(row->key, key);

	assert_int_equal(request->nonce, row->nonce);
	assert_int_equal(request->hash, row->hash);
	assert_int_equal(request->key_hash_len, key_len);
	assert_memory_equal(request->key_hash, key, key_len);
}

static void
check_nothing(const struct ocsp_request *request)
{
	assert_false(request->nonce);
	assert_int_equal(request->hash, COUNT_HASH_NONE);
	assert_int_equal(request->key_hash_len, 0);
}

static void
test_parse(void **state)
{
	struct ocsp_request request;
	uint8_t der[DER_MOST];

	for (size_t i = 0; i < COUNT(requests); i++) {
		size_t len = from_hex(requests[i].hex, der);
		char *at = guard_page_put(*state, der, len);

		assert_int_equal(
		    ocsp_request_parse((uint8_t *)at, len, &request),
		    STATUS_OK);
		check_request(&requests[i], &request);
	}
}

/* Cut off anywhere, or with an octet more, it is none. */
static void
test_cut(void **state)
{
	struct ocsp_request request;
	uint8_t der[DER_MOST];

	for (size_t i = 0; i < COUNT(requests); i++) {
		size_t len = from_hex(requests[i].hex, der);

		for (size_t cut = 0; cut < len; cut++) {
			char *at = guard_page_put(*state, der, cut);

			memset(&request, 0xff, sizeof(request));
			assert_int_equal(
			    ocsp_request_parse((uint8_t *)at, cut, &request),
			    STATUS_MALFORMED);
			check_nothing(&request);
		}
		der[len] = 0;
		assert_int_equal(ocsp_request_parse(der, len + 1, &request),
		    STATUS_MALFORMED);
	}
}

/* Any octet changed: it is read or refused, and nothing behind it is. */
static void
test_changed(void **state)
{
	struct ocsp_request request;
	uint8_t der[DER_MOST];
	size_t len = from_hex(requests[0].hex, der);

	for (size_t i = 0; i < len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			char *at = guard_page_put(*state, der, len);

			at[i] = (char)(at[i] ^ (1 << bit));
			if (ocsp_request_parse((uint8_t *)at, len, &request) !=
			    STATUS_OK)
				check_nothing(&request);
		}
}

static void
test_refused(void **state)
{
	static const char *const hex[] = {
	    "",
	    "3000",
	    "30023000",
	    "300430023000",
	    "3006300430023000",
	    "30083006300430023000",
	    /* Indefinite, and a length in too many octets. */
	    "3080304130"
	    "3f" SHA1_ID "0000",
	    "3081433041303f" SHA1_ID,
	    /* No INTEGER at the end; one too many; a list of nothing. */
	    "3041303f303d303b3039300906052b0e03021a050004148018e1c49e99b24e372e"
	    "528773fbfdf82c90" SHA1_KEY "065c549a"
	    "0400",
	    "3007300530030201"
	    "01",
	    /* The parts in another order. */
	    "30683066"
	    "a2233021" NONCE_EXTENSION "303f" SHA1_ID,
	    /* Nothing may follow the extensions. */
	    "306a3068303f" SHA1_ID "a2233021" NONCE_EXTENSION "0500",
	};
	struct ocsp_request request;
	uint8_t der[DER_MOST];

	for (size_t i = 0; i < COUNT(hex); i++) {
		size_t len = from_hex(hex[i], der);
		char *at = guard_page_put(*state, der, len);

		assert_int_equal(
		    ocsp_request_parse((uint8_t *)at, len, &request),
		    STATUS_MALFORMED);
		check_nothing(&request);
	}
}

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648, 4, with padding. */
static size_t
to_base64(const uint8_t *data, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16;

		bits |= i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0;
		bits |= i + 2 < len ? data[i + 2] : 0;
		for (unsigned k = 0; k < 4; k++)
			out[n++] = alphabet[bits >> (18 - 6 * k) & 63];
		for (size_t k = len - i; k < 3; k++)
			out[n - (3 - k)] = '=';
	}
	out[n] = '\0';
	return n;
}

static enum status
path_parse(struct guard_page *guard, const char *path,
    struct ocsp_request *request, uint8_t *der)
{
	size_t len = strlen(path);

	return ocsp_path_parse(
	    guard_page_put(guard, path, len), len, der, request);
}

/* Each path as it is, and with some characters written otherwise. */
static void
path_rewrite(const char *path, const char *from, const char *to, char *out)
{
	for (; *path != '\0'; path++) {
		const char *at = strchr(from, *path);

		if (at == NULL) {
			*out++ = *path;
			continue;
		}
		/* Three characters for each of `from`. */
		for (unsigned k = 0; k < 3; k++) {
			char c = to[3 * (at - from) + k];

			if (c != '.')
				*out++ = c;
		}
	}
	*out = '\0';
}

static void
test_path(void **state)
{
	static const char *const rewrites[][2] = {
	    {"", ""},
	    {"+/=", "%2B%2F%3D"},
	    {"+/=", "%2b%2f%3d"},
	    {"+", " .."},
	    {"+", "%20"},
	    {"=", "..."},
	};
	static const char *const prefixes[] = {
	    "/", "//", "/ocsp/", "/M/", "/MAIN/r10//"};
	struct ocsp_request request;
	uint8_t der[DER_MOST];
	uint8_t decoded[OCSP_PATH_DER_BYTES(4096)];
	char base64[1024];
	char path[4096];

	for (size_t i = 0; i < COUNT(requests); i++)
		for (size_t r = 0; r < COUNT(rewrites); r++)
			for (size_t p = 0; p < COUNT(prefixes); p++) {
				size_t len = from_hex(requests[i].hex, der);

				(void)to_base64(der, len, base64);
				strcpy(path, prefixes[p]);
				path_rewrite(base64, rewrites[r][0],
				    rewrites[r][1], path + strlen(path));
				assert_int_equal(
				    path_parse(*state, path, &request, decoded),
				    STATUS_OK);
				check_request(&requests[i], &request);
			}
}

/* A '+' and two slashes in a row are in this one, and all are needed. */
static void
test_path_exact(void **state)
{
	/* issuerNameHash is fb ff fb ff ...: "+//7//" and so on. */
	static const char hex[] =
	    "30433041303f303d303b300906052b0e03021a05000414fbfffbfffbfffbfffbff"
	    "fbfffbfffbfffbfffbff0414293e8236a439da788561333168cabcfe065c549a02"
	    "021234";
	struct ocsp_request request;
	uint8_t der[DER_MOST];
	uint8_t decoded[DER_MOST];
	char path[512] = "/";
	char *slashes;

	(void)to_base64(der, from_hex(hex, der), path + 1);
	slashes = strstr(path, "//");
	assert_non_null(slashes);
	assert_int_equal(
	    path_parse(*state, path, &request, decoded), STATUS_OK);
	assert_int_equal(request.hash, COUNT_HASH_SHA1);
	memmove(slashes, slashes + 1, strlen(slashes));
	assert_int_equal(
	    path_parse(*state, path, &request, decoded), STATUS_MALFORMED);
}

static void
test_path_refused(void **state)
{
	static const char *const paths[] = {"", "/", "/M", "/MA",
	    "/MAA=", "/MA==", "/MA=", "/MB==", "/M%", "/M%4", "/M%4x", "/M%zz",
	    "/MA===", "/M=A=", "/MEAA=A", "MEMwQTA/MD0wOw==", "/M-_A",
	    "/M?\x01", "/favicon.ico", "/M/M/M/M/M/M/M/M/M/M/M"};
	struct ocsp_request request;
	uint8_t decoded[DER_MOST];

	for (size_t i = 0; i < COUNT(paths); i++) {
		memset(&request, 0xff, sizeof(request));
		assert_int_equal(
		    path_parse(*state, paths[i], &request, decoded),
		    STATUS_MALFORMED);
		check_nothing(&request);
	}
}

/* The padding must fit, and what fills up the last digit must be 0. */
static void
test_path_padding(void **state)
{
	struct ocsp_request request;
	uint8_t der[DER_MOST];
	uint8_t decoded[DER_MOST];
	char path[512] = "/";
	size_t len = from_hex(requests[1].hex, der);
	size_t n;

	/* 69 octets: no padding. Then with two '='. */
	assert_int_equal(len % 3, 0);
	n = to_base64(der, len, path + 1) + 1;
	assert_int_equal(
	    path_parse(*state, path, &request, decoded), STATUS_OK);
	strcpy(path + n, "=");
	assert_int_equal(
	    path_parse(*state, path, &request, decoded), STATUS_MALFORMED);
	len = from_hex(requests[0].hex, der);
	n = to_base64(der, len, path + 1) + 1;
	assert_int_equal(len % 3, 1);
	assert_int_equal(
	    path_parse(*state, path, &request, decoded), STATUS_OK);
	path[n - 1] = '\0';
	assert_int_equal(
	    path_parse(*state, path, &request, decoded), STATUS_MALFORMED);
	path[n - 2] = '\0';
	assert_int_equal(
	    path_parse(*state, path, &request, decoded), STATUS_OK);
	path[n - 3]++;
	assert_int_equal(
	    path_parse(*state, path, &request, decoded), STATUS_MALFORMED);
	/* And with one '='. */
	len = from_hex(requests[3].hex, der);
	n = to_base64(der, len, path + 1) + 1;
	assert_int_equal(len % 3, 2);
	path[n - 1] = '\0';
	assert_int_equal(
	    path_parse(*state, path, &request, decoded), STATUS_OK);
	path[n - 2]++;
	assert_int_equal(
	    path_parse(*state, path, &request, decoded), STATUS_MALFORMED);
}

/* How many slashes are tried is bounded. */
static void
test_path_tries(void **state)
{
	struct ocsp_request request;
	uint8_t der[DER_MOST];
	uint8_t decoded[DER_MOST];
	char path[512] = "";
	size_t len = from_hex(requests[1].hex, der);

	for (unsigned more = 0; more < 2; more++) {
		path[0] = '\0';
		for (unsigned i = 0; i < OCSP_PATH_TRIES - 1 + more; i++)
			strcat(path, "/M.");
		strcat(path, "/");
		(void)to_base64(der, len, path + strlen(path));
		assert_int_equal(path_parse(*state, path, &request, decoded),
		    more ? STATUS_MALFORMED : STATUS_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_changed),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_path),
	    cmocka_unit_test(test_path_exact),
	    cmocka_unit_test(test_path_refused),
	    cmocka_unit_test(test_path_padding),
	    cmocka_unit_test(test_path_tries),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
