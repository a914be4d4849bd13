/* SPDX-License-Identifier: ISC */
/*
 * Engines and providers are loaded in the signer's process alone, after the
 * fork. OpenSSL 3 calls engines deprecated; Debian 12 has no provider for
 * PKCS#11, so that the engine is what there is.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "signer_token.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

struct signer_token {
	EVP_PKEY *pkey;
	ENGINE *engine;
	bool initialized;
	OSSL_PROVIDER *standard; /* loading another one takes it away */
	OSSL_PROVIDER *provider;
};

/* CKR_PIN_INCORRECT to CKR_PIN_LOCKED of PKCS#11, as reasons of errors. */
#define CKR_PIN_FIRST 0xa0
#define CKR_PIN_LAST 0xa4

/* Where engines and providers have their errors; below are libcrypto's. */
#define ERR_LIB_OTHERS 128

struct failure {
	bool pin; /* the token would not have it */
	const char *text;
};

/*
 * What went wrong, by the first error, which the others follow from; but one
 * about the PIN goes before. Static text.
 */
static struct failure
failure_take(void)
{
	struct failure failure = {.text = NULL};
	unsigned long code;

	while ((code = ERR_get_error()) != 0) {
		int reason = ERR_GET_REASON(code);
		bool pin = ERR_GET_LIB(code) >= ERR_LIB_OTHERS &&
			   reason >= CKR_PIN_FIRST && reason <= CKR_PIN_LAST;
		const char *text = ERR_reason_error_string(code);

		if (failure.pin || (failure.text != NULL && !pin))
			continue;
		failure.pin = pin;
		if (text != NULL)
			failure.text = text;
	}
	if (failure.text == NULL)
		failure.text = "no reason given";
	return failure;
}

/* `code` says what to try, where it is a PKCS#11 token. */
static enum status
token_refuse(struct signer_notices *notices, enum signer_notice_code code,
    const struct key_uri *uri, const char *doing,
    const struct signer_passphrase *pin)
{
	struct failure failure = failure_take();

	/* The engine's word for a token or a key that is not there; all else
	 * is said of the module, which it loads as late as this. */
	if (code == SIGNER_NOTICE_KEY_ABSENT &&
	    strstr(failure.text, "not found") == NULL)
		code = SIGNER_NOTICE_KEY_MODULE;
	if (strcmp(uri->engine, "pkcs11") != 0)
		code = SIGNER_NOTICE_KEY_UNREADABLE;

	if (failure.pin && pin->given)
		signer_notice_add(notices, SIGNER_NOTICE_KEY_PIN,
		    "the token refused the PIN: %s", failure.text);
	else if (failure.pin || (pin->asked && !pin->given))
		signer_notice_add(notices, SIGNER_NOTICE_KEY_ENCRYPTED,
		    "wants a PIN, have none");
	else
		signer_notice_add(notices, code, "%s: %s", doing, failure.text);
	return STATUS_CONFIG;
}

/*
 * Answers what OpenSSL would ask at a terminal, the first time: a second
 * question is about a PIN that was wrong, and the next wrong one may lock.
 */
static int
prompt_read(UI *ui, UI_STRING *question)
{
	struct signer_passphrase *pin = UI_get0_user_data(ui);
	enum UI_string_types type = UI_get_string_type(question);
	bool first = !pin->asked;

	if (type != UIT_PROMPT && type != UIT_VERIFY)
		return 1;
	pin->asked = true;
	if (!pin->given || !first)
		return 0;
	return UI_set_result_ex(ui, question, pin->text, (int)pin->len) == 0;
}

static UI_METHOD *
prompt_new(void)
{
	UI_METHOD *prompt = UI_create_method("crlpress");

	if (prompt != NULL && UI_method_set_reader(prompt, prompt_read) != 0) {
		UI_destroy_method(prompt);
		prompt = NULL;
	}
	return prompt;
}

/* Without an effect where the engine knows no such command. */
static bool
engine_tell(ENGINE *engine, const char *command, const char *value)
{
	return ENGINE_ctrl_cmd_string(engine, command, value, 1) == 1;
}

/* Whether the token's library can be had: it stays, for who loads it next. */
static enum status
module_check(const struct signer_config *config, struct signer_notices *notices)
{
	if (config->module_path == NULL ||
	    dlopen(config->module_path, RTLD_NOW | RTLD_LOCAL) != NULL)
		return STATUS_OK;
	signer_notice_add(notices, SIGNER_NOTICE_KEY_UNREADABLE,
	    "cannot load the module: %s", dlerror());
	return STATUS_CONFIG;
}

static enum status
engine_open(struct signer_token *token, const struct signer_config *config,
    const struct key_uri *uri, struct signer_passphrase *pin, UI_METHOD *prompt,
    struct signer_notices *notices)
{
	enum status status;

	ENGINE_load_dynamic();
	token->engine = ENGINE_by_id(uri->engine);
	if (token->engine == NULL) {
		struct failure failure = failure_take();

		signer_notice_add(notices, SIGNER_NOTICE_KEY_UNREADABLE,
		    "OpenSSL has no engine %s: %s", uri->engine, failure.text);
		return STATUS_CONFIG;
	}
	/* Both would print what is reported here. */
	(void)engine_tell(token->engine, "QUIET", NULL);
	status = module_check(config, notices);
	if (status != STATUS_OK)
		return status;
	if (config->module_path != NULL &&
	    !engine_tell(token->engine, "MODULE_PATH", config->module_path))
		return token_refuse(notices, SIGNER_NOTICE_KEY_MODULE, uri,
		    "cannot load the module", pin);
	if (ENGINE_init(token->engine) != 1)
		return token_refuse(notices, SIGNER_NOTICE_KEY_MODULE, uri,
		    "cannot start the engine", pin);
	token->initialized = true;
	token->pkey =
	    ENGINE_load_private_key(token->engine, uri->id, prompt, pin);
	if (token->pkey == NULL)
		return token_refuse(notices, SIGNER_NOTICE_KEY_ABSENT, uri,
		    "cannot be found", pin);
	return STATUS_OK;
}

/* Takes the one private key that the URI leads to. */
static EVP_PKEY *
store_load(const char *uri, UI_METHOD *prompt, void *data)
{
	OSSL_STORE_CTX *store = OSSL_STORE_open(uri, prompt, data, NULL, NULL);
	EVP_PKEY *pkey = NULL;
	bool twice = false;

	if (store == NULL)
		return NULL;
	if (OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) != 1) {
		(void)OSSL_STORE_close(store);
		return NULL;
	}
	while (!OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);
		EVP_PKEY *found;

		if (info == NULL)
			break;
		found = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
		twice = twice || (found != NULL && pkey != NULL);
		if (pkey == NULL)
			pkey = found;
		else
			EVP_PKEY_free(found);
	}
	(void)OSSL_STORE_close(store);
	if (twice) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}

static enum status
provider_open(struct signer_token *token, const struct signer_config *config,
    const struct key_uri *uri, struct signer_passphrase *pin, UI_METHOD *prompt,
    struct signer_notices *notices)
{
	/* Where pkcs11-provider looks for what OpenSSL has no name for. */
	if (config->module_path != NULL &&
	    setenv("PKCS11_PROVIDER_MODULE", config->module_path, 1) != 0) {
		signer_notice_add(
		    notices, SIGNER_NOTICE_PROCESS, "out of memory");
		return STATUS_NO_MEMORY;
	}
	token->standard = OSSL_PROVIDER_load(NULL, "default");
	token->provider = OSSL_PROVIDER_load(NULL, config->provider);
	if (token->standard == NULL || token->provider == NULL) {
		struct failure failure = failure_take();

		signer_notice_add(notices, SIGNER_NOTICE_KEY_UNREADABLE,
		    "OpenSSL has no provider %s: %s", config->provider,
		    failure.text);
		return STATUS_CONFIG;
	}
	token->pkey = store_load(uri->id, prompt, pin);
	if (token->pkey == NULL)
		return token_refuse(notices, SIGNER_NOTICE_KEY_ABSENT, uri,
		    "does not lead to one key", pin);
	return STATUS_OK;
}

enum status
signer_token_open(const struct signer_config *config, const struct key_uri *uri,
    struct signer_passphrase *pin, struct signer_notices *notices,
    struct signer_token **token)
{
	struct signer_token *new = OPENSSL_zalloc(sizeof(*new));
	UI_METHOD *prompt = prompt_new();
	enum status status;

	*token = NULL;
	ERR_clear_error();
	if (new == NULL || prompt == NULL) {
		signer_notice_add(
		    notices, SIGNER_NOTICE_PROCESS, "out of memory");
		status = STATUS_NO_MEMORY;
	} else if (config->provider != NULL) {
		status = provider_open(new, config, uri, pin, prompt, notices);
	} else {
		status = engine_open(new, config, uri, pin, prompt, notices);
	}
	UI_destroy_method(prompt);
	if (status != STATUS_OK) {
		signer_token_close(new);
		return status;
	}
	*token = new;
	return STATUS_OK;
}

EVP_PKEY *
signer_token_key(struct signer_token *token)
{
	return token->pkey;
}

void
signer_token_close(struct signer_token *token)
{
	if (token == NULL)
		return;
	EVP_PKEY_free(token->pkey);
	if (token->initialized)
		(void)ENGINE_finish(token->engine);
	(void)ENGINE_free(token->engine);
	(void)OSSL_PROVIDER_unload(token->provider);
	(void)OSSL_PROVIDER_unload(token->standard);
	OPENSSL_free(token);
}
