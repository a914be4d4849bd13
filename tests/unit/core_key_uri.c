/* SPDX-License-Identifier: ISC */
/* URIs of keys, by the grammar of RFC 7512, 2.3 and its examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crlpress/key_uri.h"

struct good {
	const char *text;
	enum key_home home;
	const char *engine;
	const char *id;
	const char *pin_path;
};

static const struct good goods[] = {
    {"issuer.key", KEY_IN_FILE, "", "", ""},
    {"/etc/pki/a:b", KEY_IN_FILE, "", "", ""},
    {"keys/a:b", KEY_IN_FILE, "", "", ""},
    {"c:key", KEY_IN_FILE, "", "", ""},
    {"pkcs11:token=a;object=b", KEY_IN_TOKEN, "pkcs11",
	"pkcs11:token=a;object=b", ""},
    {"pkcs11:slot-id=1;id=%69%95%3E;type=private", KEY_IN_TOKEN, "pkcs11",
	"pkcs11:slot-id=1;id=%69%95%3E;type=private", ""},
    {"pkcs11:serial=1;id=%01?pin-source=file:/etc/token_pin", KEY_IN_TOKEN,
	"pkcs11", "pkcs11:serial=1;id=%01", "/etc/token_pin"},
    {"pkcs11:token=a;id=%01?module-name=m&pin-source=/run/a%20b&x-muppet=k",
	KEY_IN_TOKEN, "pkcs11",
	"pkcs11:token=a;id=%01?module-name=m&x-muppet=k", "/run/a b"},
    {"pkcs11:token=a;id=%01?pin-source=file:///run/p", KEY_IN_TOKEN, "pkcs11",
	"pkcs11:token=a;id=%01", "/run/p"},
    {"pkcs11:token=a;object=b;x-vend=1", KEY_IN_TOKEN, "pkcs11",
	"pkcs11:token=a;object=b;x-vend=1", ""},
    {"org.openssl.engine:tpm2tss:0x81000001", KEY_IN_ENGINE, "tpm2tss",
	"0x81000001", ""},
    {"org.openssl.engine:pkcs11:pkcs11:id=%01", KEY_IN_ENGINE, "pkcs11",
	"pkcs11:id=%01", ""},
    {"handle:0x81000001", KEY_IN_PROVIDER, "", "handle:0x81000001", ""},
};

static void
uris_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goods) / sizeof(*goods); i++) {
		const struct good *want = &goods[i];
		const char *why = "set";
		struct key_uri have;

		print_message("%s\n", want->text);
		assert_int_equal(
		    key_uri_parse(want->text, &have, &why), STATUS_OK);
		assert_null(why);
		assert_int_equal(have.home, want->home);
		assert_string_equal(have.engine, want->engine);
		assert_string_equal(have.id, want->id);
		assert_string_equal(have.pin_path, want->pin_path);
		assert_int_equal(
		    key_uri_is(want->text), want->home != KEY_IN_FILE);
	}
}

struct bad {
	const char *text;
	const char *why;
};

static const struct bad bads[] = {
    {"pkcs11:", "no token is named"},
    {"pkcs11:object=b", "no token is named"},
    {"pkcs11:manufacturer=x;object=b", "no token is named"},
    {"pkcs11:token=a", "no key is named"},
    {"pkcs11:token=a;object", "without a value"},
    {"pkcs11:token=a;objekt=b", "RFC 7512 does not have"},
    {"pkcs11:token=a;x-=b", "RFC 7512 does not have"},
    {"pkcs11:token=a;object=b;object=c", "twice"},
    {"pkcs11:token=a b;object=c", "must be written %XX"},
    {"pkcs11:token=a%2;object=c", "must be written %XX"},
    {"pkcs11:token=a%zz;object=c", "must be written %XX"},
    {"pkcs11:token=a%", "must be written %XX"},
    {"pkcs11:token=a;object=c;type=cert", "not private"},
    {"pkcs11:token=a;object=c;type=privat", "not private"},
    {"pkcs11:token=a;object=c;pin-source=/p", "RFC 7512 does not have"},
    {"pkcs11:token=a;object=c?pin-value=1234", "a PIN in the text"},
    {"pkcs11:token=a;object=c;PIN-Value=1234", "a PIN in the text"},
    {"PKCS11:token=a;object=c?pin-value=1234", "a PIN in the text"},
    {"org.openssl.engine:pkcs11:pkcs11:id=%01;pin-value=1234",
	"a PIN in the text"},
    {"org.openssl.engine:pkcs11:pkcs11:id=%01?pin-source=/p",
	"goes with pkcs11: alone"},
    {"PKCS11:token=a;object=c?pin-source=/p", "goes with pkcs11: alone"},
    {"pkcs11:token=a;object=c?pin-source=|/bin/pin", "names a program"},
    {"pkcs11:token=a;object=c?pin-source=file:pin", "absolute path"},
    {"pkcs11:token=a;object=c?pin-source=file://host/pin", "absolute path"},
    {"pkcs11:token=a;object=c?pin-source=", "absolute path"},
    {"pkcs11:token=a;object=c?pin-source=/a%00b", "NUL"},
    {"pkcs11:token=a;object=c?token=b", "RFC 7512 does not have"},
    {"org.openssl.engine:", "ENGINE:KEY"},
    {"org.openssl.engine:pkcs11", "ENGINE:KEY"},
    {"org.openssl.engine::key", "ENGINE:KEY"},
    {"org.openssl.engine:pkcs11:", "ENGINE:KEY"},
    {"org.openssl.engine:../x:key", "letters, digits"},
};

static void
what_is_wrong_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bads) / sizeof(*bads); i++) {
		const char *why = NULL;
		struct key_uri have;

		print_message("%s\n", bads[i].text);
		assert_int_equal(
		    key_uri_parse(bads[i].text, &have, &why), STATUS_MALFORMED);
		assert_non_null(why);
		if (strstr(why, bads[i].why) == NULL)
			fail_msg("have %s, want %s", why, bads[i].why);
	}
}

/* As long as there is room, and one longer; every octet of it counts. */
static void
lengths_are_bounded(void **state)
{
	static const char head[] = "pkcs11:token=a;object=";
	char text[KEY_URI_BYTES + 1];
	const char *why = NULL;
	struct key_uri have;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, head, strlen(head));
	text[KEY_URI_BYTES - 1] = '\0';
	assert_int_equal(key_uri_parse(text, &have, &why), STATUS_OK);
	assert_string_equal(have.id, text);
	text[KEY_URI_BYTES - 1] = 'x';
	text[KEY_URI_BYTES] = '\0';
	assert_int_equal(key_uri_parse(text, &have, &why), STATUS_MALFORMED);
}

/* More attributes than a URI can have in reason. */
static void
attributes_are_bounded(void **state)
{
	char text[KEY_URI_BYTES] = "pkcs11:token=a;object=b";
	const char *why = NULL;
	struct key_uri have;
	size_t len = strlen(text);

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, ";x-%u=1", i);
	assert_int_equal(key_uri_parse(text, &have, &why), STATUS_MALFORMED);
	assert_non_null(strstr(why, "too many"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(uris_are_read),
	    cmocka_unit_test(what_is_wrong_is_told),
	    cmocka_unit_test(lengths_are_bounded),
	    cmocka_unit_test(attributes_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
