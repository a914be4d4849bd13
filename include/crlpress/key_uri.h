/* SPDX-License-Identifier: ISC */
/*
 * Where a private key is, as [issuer] key says it: a file, or a URI that
 * leads into a token (RFC 7512), an engine or a provider of OpenSSL. Pure; no
 * library.
 */
#ifndef CRLPRESS_KEY_URI_H
#define CRLPRESS_KEY_URI_H

#include "crlpress/status.h"

#include <stdbool.h>

/* RFC 7512 sets no limit; tokens' labels have 32 octets. */
#define KEY_URI_BYTES 1024

#define KEY_ENGINE_BYTES 64

enum key_home {
	KEY_IN_FILE,
	KEY_IN_TOKEN,  /* pkcs11:... */
	KEY_IN_ENGINE, /* org.openssl.engine:ENGINE:ID, as openssl(1) has it */
	KEY_IN_PROVIDER, /* any other URI */
};

struct key_uri {
	enum key_home home;
	/* What the engine or provider is asked for: the PIN is not in it. */
	char id[KEY_URI_BYTES];
	char engine[KEY_ENGINE_BYTES];
	char pin_path[KEY_URI_BYTES]; /* of pin-source; "": none */
};

/* Whether `text` begins as a URI does (RFC 3986, 3.1). */
bool key_uri_is(const char *text);

/* STATUS_MALFORMED with static `*why`, which never repeats `text`. */
enum status key_uri_parse(
    const char *text, struct key_uri *uri, const char **why) MUST_CHECK;

#endif
