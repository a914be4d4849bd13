/* SPDX-License-Identifier: ISC */
/* A configuration as text, in the form that is read. */
#include <string.h>

#include "crlpress/quantity.h"
#include "crlpress/utc.h"

#include "sunset_key.h"

static void
time_print(const char *name, int64_t sec, FILE *stream)
{
	char text[UTC_ISO_BYTES];

	fprintf(stream, "%s = %s\n", name, utc_to_iso(sec, text));
}

static void
listen_print(
    const char *name, const struct sunset_address *address, FILE *stream)
{
	char text[SUNSET_ADDRESS_BYTES];

	if (address->len > 0)
		fprintf(stream, "%s = %s\n", name,
		    sunset_address_text(address, text));
}

static void
text_print(const char *name, const char *text, FILE *stream)
{
	if (text != NULL)
		fprintf(stream, "%s = %s\n", name, text);
}

/* "name = value" lines, as many as there are values. */
static void
key_print(const struct sunset_key *key, const struct sunset_config *config,
    FILE *stream)
{
	const char *base = (const char *)config;
	const void *place = base + key->offset;
	char text[QUANTITY_DURATION_BYTES];

	switch (key->kind) {
	case SUNSET_COUNT:
		fprintf(
		    stream, "%s = %u\n", key->name, *(const uint32_t *)place);
		break;
	case SUNSET_DURATION:
		fprintf(stream, "%s = %s\n", key->name,
		    quantity_duration_text(*(const int64_t *)place, text));
		break;
	case SUNSET_TIME:
		if (*(const bool *)place)
			time_print(key->name,
			    *(const int64_t *)(const void *)(base +
							     key->offset_value),
			    stream);
		break;
	case SUNSET_TEXT:
		text_print(key->name, *(char *const *)place, stream);
		break;
	case SUNSET_ADDRESS:
		listen_print(key->name, place, stream);
		break;
	case SUNSET_LISTEN:
		for (uint32_t i = 0; i < config->listens; i++)
			listen_print(key->name, &config->listen[i], stream);
		break;
	case SUNSET_OVERRIDDEN:
		if (*(const bool *)place)
			fprintf(
			    stream, "%s = %s\n", key->name, SUNSET_OVERRIDE);
		break;
	case SUNSET_FLAG:
		fprintf(stream, "%s = %s\n", key->name,
		    *(const bool *)place ? "yes" : "no");
		break;
	case SUNSET_MODE:
	case SUNSET_PHASE:
	case SUNSET_KEY_HASH:
		break;
	}
}

static void
rule_print(const struct sunset_rule *rule, FILE *stream)
{
	if (rule->has_mode)
		fprintf(stream, "mode = %s\n", answer_mode_name(rule->mode));
	for (uint32_t i = 0; i < rule->phases; i++)
		sunset_phase_print(&rule->phase[i], stream);
}

static void
section_print(const struct sunset_config *config, enum sunset_section section,
    FILE *stream)
{
	const struct sunset_key *key;

	fprintf(stream, "[%s]\n", sunset_section_name(section));
	for (size_t i = 0; (key = sunset_key(i)) != NULL; i++)
		if ((key->sections & section) != 0)
			key_print(key, config, stream);
}

static void
issuer_print(const struct sunset_issuer *issuer, FILE *stream)
{
	fprintf(stream, "\n[issuer %s]\n", issuer->name);
	for (uint32_t i = 0; i < issuer->key_hashes; i++) {
		const struct sunset_key_hash *hash = &issuer->key_hash[i];

		fputs("key_hash = ", stream);
		for (size_t k = 0; k < hash->len; k++)
			fprintf(stream, "%02x", hash->octet[k]);
		fputc('\n', stream);
	}
	rule_print(&issuer->rule, stream);
}

void
sunset_config_print(const struct sunset_config *config, FILE *stream)
{
	section_print(config, SUNSET_SERVER, stream);
	rule_print(&config->rule, stream);
	for (uint32_t i = 0; i < config->hosts; i++) {
		fprintf(stream, "\n[host %s]\n", config->host[i].name);
		rule_print(&config->host[i].rule, stream);
	}
	for (uint32_t i = 0; i < config->issuers; i++)
		issuer_print(&config->issuer[i], stream);
	fputc('\n', stream);
	section_print(config, SUNSET_REPORT, stream);
}

void
sunset_config_print_keys(FILE *stream)
{
	static const enum sunset_section sections[] = {
	    SUNSET_SERVER, SUNSET_HOST, SUNSET_ISSUER, SUNSET_REPORT};
	const struct sunset_key *key;

	for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
		fprintf(stream, "[%s%s]\n", sunset_section_name(sections[s]),
		    sections[s] == SUNSET_HOST || sections[s] == SUNSET_ISSUER
			? " NAME"
			: "");
		for (size_t i = 0; (key = sunset_key(i)) != NULL; i++) {
			bool wide = sections[s] == SUNSET_SERVER;

			if ((key->sections & (unsigned)sections[s]) == 0)
				continue;
			fprintf(stream, "%s = %s\n\t%s\n", key->name,
			    key->standard == NULL
				? "(none)"
				: (key->kind == SUNSET_MODE && !wide
					  ? "(the server's)"
					  : key->standard),
			    key->help);
		}
	}
}
