/* SPDX-License-Identifier: ISC */
/*
 * aws_profile_read over files as AWS tools write and read them, and over
 * those that are refused.
 */
#include "crlpress/aws_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define C AWS_CREDENTIALS_FILE
#define F AWS_CONFIG_FILE

/* A file, a profile, and one setting of it; NULL: not set. */
struct reading {
	enum aws_file file;
	const char *text;
	const char *profile;
	bool found;
	enum aws_setting setting;
	const char *want;
};

static const struct reading readings[] = {
    {C, "[default]\naws_access_key_id = AK\naws_secret_access_key=s/+=\n",
	"default", true, AWS_ACCESS_KEY_ID, "AK"},
    {C, "[default]\naws_access_key_id = AK\naws_secret_access_key=s/+=\n",
	"default", true, AWS_SECRET_ACCESS_KEY, "s/+="},
    {C, "[default]\naws_access_key_id = AK\n[b]\naws_access_key_id = BK", "b",
	true, AWS_ACCESS_KEY_ID, "BK"},
    {C, "[ b ] # mine\r\n\r\nAWS_Access_Key_ID\t=\tBK \r\n", "b", true,
	AWS_ACCESS_KEY_ID, "BK"},
    {C, "# x\n; y\n  # z\n[b]\n#aws_access_key_id = no\n", "b", true,
	AWS_ACCESS_KEY_ID, NULL},
    {C, "[b]\nregion = eu-west-1 # not us\n", "b", true, AWS_REGION,
	"eu-west-1"},
    {C, "[b]\nregion = eu-west-1 ; not us\n", "b", true, AWS_REGION,
	"eu-west-1"},
    /* Not behind a blank: part of the value. */
    {C, "[b]\naws_secret_access_key = a#b;c\n", "b", true,
	AWS_SECRET_ACCESS_KEY, "a#b;c"},
    {C, "[b]\naws_security_token = t\n", "b", true, AWS_SESSION_TOKEN, "t"},
    {C, "[b]\nweb_identity_token_file = /a b/c\n", "b", true,
	AWS_WEB_IDENTITY_TOKEN_FILE, "/a b/c"},
    /* In the credentials file the section is the name as it is. */
    {C, "[profile b]\nregion = x\n", "b", false, AWS_REGION, NULL},
    {C, "[profile b]\nregion = x\n", "profile b", true, AWS_REGION, "x"},
    {C, "[B]\nregion = x\n", "b", false, AWS_REGION, NULL},
    {C, "", "default", false, AWS_REGION, NULL},
    /* An indented line right below the section is a setting. */
    {C, "[b]\n  region = x\n", "b", true, AWS_REGION, "x"},
    /* Lines that belong to a setting which means nothing here. */
    {F, "[profile b]\ns3 =\n  region = no\n  max_queue_size = 10\nregion = x\n",
	"b", true, AWS_REGION, "x"},
    {F, "[profile b]\nregion = x\n", "b", true, AWS_REGION, "x"},
    {F, "[profile\t \"b c\"]\nregion = x\n", "b c", true, AWS_REGION, "x"},
    {F, "[profile 'b']\nregion = x\n", "b", true, AWS_REGION, "x"},
    {F, "[b]\nregion = x\n", "b", false, AWS_REGION, NULL},
    {F, "[default]\nregion = x\n", "default", true, AWS_REGION, "x"},
    {F, "[profile default]\nregion = x\n", "default", true, AWS_REGION, "x"},
    {F, "[profiles b]\nregion = x\n", "b", false, AWS_REGION, NULL},
    {F, "[sso-session b]\nregion = x\n[profile b]\nsso_session = b\n", "b",
	true, AWS_REGION, NULL},
    {F, "[sso-session b]\nregion = x\n[profile b]\nsso_session = b\n", "b",
	true, AWS_SSO_SESSION, "b"},
    /* What other profiles have is their business. */
    {C, "[a]\nregion = x\nregion = y\nregion =\n[b]\nregion = z\n[a]\n", "b",
	true, AWS_REGION, "z"},
};

struct refusal {
	enum aws_file file;
	const char *text;
	size_t line;
	const char *why;
};

static const struct refusal refusals[] = {
    {C, "[default]\nregion\n", 2, "neither [section] nor name = value"},
    {C, "[default]\nregion : x\n", 2, "neither [section] nor name = value"},
    {C, "\xef\xbb\xbf[default]\n", 1, "neither [section] nor name = value"},
    {C, "[default]\n= x\n", 2, "a value without a name"},
    {C, "region = x\n[default]\n", 1, "a setting before the first section"},
    {C, "[default\nregion = x\n", 1, "a section without its bracket"},
    {C, "[default] x\n", 1, "something behind a section's name"},
    {C, "[default]\n[a]\n[default]\n", 3, "the profile stands there twice"},
    {F, "[default]\n[profile default]\n", 2, "the profile stands there twice"},
    {C, "[default]\nregion = x\nRegion = x\n", 3,
	"a setting that stands there twice"},
    {C, "[default]\naws_session_token = x\naws_security_token = x\n", 3,
	"a setting that stands there twice"},
    {C, "[default]\nregion =\n", 2, "a setting without a value"},
    {C, "[default]\nregion = # x\n", 2, "a setting without a value"},
    {C, "[default]\naws_secret_access_key = a b\n", 2,
	"a blank or control character in a value"},
    {C,
	"[default]\naws_secret_access_key = a\x01"
	"b\n",
	2, "a blank or control character in a value"},
    {C, "[default]\naws_secret_access_key = a\rb\n", 2,
	"a blank or control character in a value"},
    {C, "[default]\naws_secret_access_key = a\n  b\n", 3,
	"a value of more than one line"},
};

static void
reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(*readings); i++) {
		const struct reading *r = &readings[i];
		struct aws_profile profile;
		const char *why;
		const char *have;
		size_t line;

		if (aws_profile_read(r->text, strlen(r->text), r->file,
			r->profile, &profile, &line, &why) != STATUS_OK)
			fail_msg("%s: line %zu: %s", r->text, line, why);
		have = profile.value[r->setting];
		if (profile.found != r->found ||
		    (have == NULL) != (r->want == NULL) ||
		    (have != NULL && strcmp(have, r->want) != 0))
			fail_msg("%s: have %s", r->text, have);
		aws_profile_free(&profile);
		assert_null(profile.value[r->setting]);
	}
}

static void
refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct aws_profile profile;
		const char *why = NULL;
		size_t line = 0;

		if (aws_profile_read(r->text, strlen(r->text), r->file,
			"default", &profile, &line, &why) != STATUS_MALFORMED ||
		    line != r->line || why == NULL || strcmp(why, r->why) != 0)
			fail_msg("%s: line %zu: %s", r->text, line, why);
		assert_false(profile.found);
		for (size_t j = 0; j < AWS_SETTING_COUNT; j++)
			assert_null(profile.value[j]);
	}
}

static void
refuses_nul(void **state)
{
	static const char text[] = "[default]\nregion = x\0y\n";
	struct aws_profile profile;
	const char *why;
	size_t line;

	(void)state;
	assert_int_equal(aws_profile_read(text, sizeof(text) - 1, C, "default",
			     &profile, &line, &why),
	    STATUS_MALFORMED);
	assert_int_equal(line, 2);
	assert_string_equal(why, "a NUL");
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(
	    aws_setting_name(AWS_SESSION_TOKEN), "aws_session_token");
	for (enum aws_setting i = 0; i < AWS_SETTING_COUNT; i++)
		assert_string_not_equal(aws_setting_name(i), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads),
	    cmocka_unit_test(refuses),
	    cmocka_unit_test(refuses_nul),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
