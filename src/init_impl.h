/* SPDX-License-Identifier: ISC */
/*
 * What the files of `init` share. A configuration is made of a preset's: each
 * key stays as it is there, or gets another value, or is left for a person to
 * set; and what the database, or a certificate, said of it stands above it.
 */
#ifndef CRLPRESS_INIT_IMPL_H
#define CRLPRESS_INIT_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crlpress/config.h"
#include "crlpress/config_key.h"
#include "crlpress/context.h"
#include "crlpress/issuer.h"
#include "crlpress/preset.h"
#include "crlpress/report.h"
#include "crlpress/source_issuers.h"
#include "crlpress/survey.h"
#include "push_impl.h"

/* The rule of what is left to set, and of rows that would be refused. */
#define INIT_RULE "init"

/* What is said of a value; more is cut off. */
#define INIT_WHY_BYTES 4096

struct init_options {
	const char *preset;
	const char *preset_dir;
	bool list;
	const char *out; /* NULL: standard output */
	const char *name;
	const char *conninfo;
	const char *issuer_id;
	const char *issuer_cert;
	const char *certificate;
	const char *key;
	const char *profile;
	const char *shards;
	const char *url;
	const char *store;
	const char *state_dir;
};

enum init_kind {
	INIT_KEEP, /* as the preset has it */
	INIT_SET,  /* as the configuration now has it */
	INIT_ASK,  /* without a value, which check-config refuses */
	INIT_DROP, /* not at all */
};

struct init_value {
	enum init_kind kind;
	char *text;       /* instead of the configuration's, or NULL */
	const char *with; /* INIT_ASK: the option that would say it */
	char why[INIT_WHY_BYTES];
};

struct init {
	const struct context *context;
	const struct init_options *options;
	struct report *report;
	int64_t now_sec;
	const char *object; /* in messages: the file that is made */
	char *here;         /* where relative paths begin */
	char *directory;    /* of the file that is made; NULL: none */
	struct preset *preset;
	struct config *config; /* the preset's, as far as it is known */
	struct issuer *issuer; /* NULL: not given */
	struct issuer_description description;
	struct push_certificate certificate; /* path NULL: not given */
	bool has_issuer_id;
	bool has_url;
	bool was_asked; /* the survey is made */
	struct source_issuers *issuers;
	struct survey *survey;
	struct init_value *value; /* by the index of the key */
};

#define INIT_OFFSET(member) offsetof(struct config, member)

/* init_value.c: what is said of a key by its place in the configuration. */
struct init_value *init_value_at(struct init *init, size_t offset);
/* Adds to what stands above it. */
void init_why(struct init *init, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Gives it a value; `option` is where that is from, for faults. */
enum status init_set(struct init *init, size_t offset, const char *option,
    const char *text) MUST_CHECK;
/* Leaves it to be set by whoever uses this option. */
void init_ask(struct init *init, size_t offset, const char *option);
/* All that options say. */
enum status init_values(struct init *init) MUST_CHECK;

/* init_certificate.c: what the issuer's certificate and an issued one say. */
enum status init_certificates(struct init *init) MUST_CHECK;
void init_certificates_free(struct init *init);

/* init_ask.c: what the database says. */
enum status init_database(struct init *init) MUST_CHECK;

/* init_text.c: the file, malloc'd; NULL: reported. */
char *init_text(struct init *init, size_t *len);

/*
 * init_file.c: where the file is to be, and that nothing is there yet; the
 * file and the statements beside it, all or none of them.
 */
enum status init_file_find(struct init *init) MUST_CHECK;
enum status init_statements(struct init *init) MUST_CHECK;
enum status init_file_write(
    struct init *init, const char *text, size_t len) MUST_CHECK;

#endif
