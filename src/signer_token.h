/* SPDX-License-Identifier: ISC */
/*
 * The issuer's key where it never leaves what holds it: a token behind
 * PKCS#11, or whatever an engine or a provider of OpenSSL leads to.
 */
#ifndef CRLPRESS_SIGNER_TOKEN_H
#define CRLPRESS_SIGNER_TOKEN_H

#include "crlpress/key_uri.h"
#include "crlpress/signer.h"
#include "crlpress/signer_key.h"
#include "signer_secret.h"

struct signer_token;
struct evp_pkey_st; /* EVP_PKEY, which only libcrypto's files know */

/*
 * Finds the key, and logs in with the PIN when it has one, once. On failure
 * the last notice is the fault, SIGNER_NOTICE_KEY_PIN when the PIN was
 * refused. The key belongs to the token, and threads may sign with it.
 */
enum status signer_token_open(const struct signer_config *config,
    const struct key_uri *uri, struct signer_passphrase *pin,
    struct signer_notices *notices, struct signer_token **token) MUST_CHECK;
struct evp_pkey_st *signer_token_key(struct signer_token *token);

/* Logs out. signer_token_close(NULL) is fine. */
void signer_token_close(struct signer_token *token);

#endif
