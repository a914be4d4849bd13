/* SPDX-License-Identifier: ISC */
/* Values from the command line, each read as the file's own would be. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/url_text.h"
#include "init_impl.h"

/* Which key an option is the value of, and what there is without it. */
struct init_row {
	const char *option;
	size_t option_offset; /* in struct init_options */
	size_t key_offset;    /* in struct config */
	enum init_kind without;
};

#define ROW(option, field, member, without)                   \
	{                                                     \
		option, offsetof(struct init_options, field), \
		    INIT_OFFSET(member), without              \
	}

/* What a preset says of the places of one CA is an example: nobody's key lies
 * there. What it says of the database may be right. */
static const struct init_row rows[] = {
    ROW("--issuer-cert", issuer_cert, certificate, INIT_ASK),
    ROW("--key", key, key, INIT_ASK),
    ROW("--profile", profile, profile, INIT_KEEP),
    ROW("--conninfo", conninfo, conninfo, INIT_KEEP),
    ROW("--shards", shards, shards.count, INIT_KEEP),
    ROW("--url", url, url_pattern, INIT_ASK),
    ROW("--store", store, store_url, INIT_ASK),
    ROW("--state-dir", state_dir, state_dir, INIT_KEEP),
};

struct init_value *
init_value_at(struct init *init, size_t offset)
{
	return &init->value[config_key_index(offset)];
}

void
init_why(struct init *init, size_t offset, const char *format, ...)
{
	struct init_value *value = init_value_at(init, offset);
	size_t used = strlen(value->why);
	va_list args;

	if (used > 0 && used + 1 < INIT_WHY_BYTES)
		value->why[used++] = ' ';
	va_start(args, format);
	vsnprintf(value->why + used, INIT_WHY_BYTES - used, format, args);
	va_end(args);
}

void
init_ask(struct init *init, size_t offset, const char *option)
{
	struct init_value *value = init_value_at(init, offset);

	value->kind = INIT_ASK;
	value->with = option;
}

enum status
init_set(struct init *init, size_t offset, const char *option, const char *text)
{
	const struct config_key *key = config_key(config_key_index(offset));
	char why[CONFIG_KEY_WHY_BYTES], shown[URL_TEXT_BYTES];
	enum status status =
	    config_key_set(key, init->config, init->here, text, why);

	init_value_at(init, offset)->kind = INIT_SET;
	if (status == STATUS_NO_MEMORY)
		return report_fault(init->report, status, init->object,
		    INIT_RULE, NULL, "out of memory");
	if (status == STATUS_OK)
		return STATUS_OK;
	/* What is refused may have a secret in it. */
	if (key->hidden)
		report_fault(init->report, STATUS_USAGE, option, INIT_RULE,
		    NULL, "%s", why);
	else
		report_fault(init->report, STATUS_USAGE, option, INIT_RULE,
		    NULL, "%s, have \"%s\"", why, url_text_shown(text, shown));
	if (offset == INIT_OFFSET(conninfo))
		report_hint(init->report,
		    "a passfile (~/.pgpass) or the variable PGPASSWORD has it "
		    "for libpq; pg_service.conf may name both");
	return STATUS_USAGE;
}

/* A directory is given as people give one: from where they are. */
static enum status
store_set(struct init *init, const char *text)
{
	enum status status;
	char *path = NULL;

	if (text[0] == '/' || strstr(text, "://") != NULL)
		return init_set(init, INIT_OFFSET(store_url), "--store", text);
	if (asprintf(&path, "%s/%s", init->here, text) < 0)
		return STATUS_NO_MEMORY;
	status = init_set(init, INIT_OFFSET(store_url), "--store", path);
	free(path);
	return status;
}

enum status
init_values(struct init *init)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct init_row *row = &rows[i];
		const char *text;
		enum status set = STATUS_OK;

		memcpy(&text, (const char *)init->options + row->option_offset,
		    sizeof(text));
		if (text == NULL && row->without == INIT_ASK)
			init_ask(init, row->key_offset, row->option);
		else if (text != NULL &&
			 row->key_offset == INIT_OFFSET(store_url))
			set = store_set(init, text);
		else if (text != NULL)
			set =
			    init_set(init, row->key_offset, row->option, text);
		if (set != STATUS_OK)
			status = set;
	}
	init->has_url = init->options->url != NULL;
	return status;
}
