/* SPDX-License-Identifier: ISC */
/*
 * The configuration file, read strictly. UTF-8 lines: blank, a comment that
 * begins with '#', a section's header in brackets, or `key = value`. Blanks
 * around all of these are nothing; a '#' behind a blank begins a comment too.
 * There are no quotes, no escapes and no continued lines. What is unknown or
 * stands there twice is a fault; every fault is reported with its line.
 */
#include "sunset_config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/config_text.h"

#include "sunset_key.h"

#define LINE_MOST 1024

#define OBJECT_BYTES 512

/* While a file is read. */
struct reading {
	const char *name;
	struct report *report;
	struct sunset_config *config;
	size_t line;
	struct sunset_place place;
	bool has_section; /* a header was read, even a wrong one */
	bool known_section;
	/* Where each key of this section stands; 0: not yet. */
	size_t seen[SUNSET_KEYS_MOST];
	bool seen_server;
	bool seen_report;
};

static enum status __attribute__((format(printf, 2, 3)))
fault(const struct reading *reading, const char *format, ...)
{
	char object[OBJECT_BYTES];
	char text[LINE_MOST + 512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)snprintf(
	    object, sizeof(object), "%s:%zu", reading->name, reading->line);
	return report_fault(
	    reading->report, STATUS_CONFIG, object, "config", NULL, "%s", text);
}

/* Without blanks around; in place. */
static char *
trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	return text;
}

static void
comment_cut(char *line)
{
	for (char *p = line; *p != '\0'; p++)
		if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
			*p = '\0';
			return;
		}
}

/* [host NAME]: names are what counts.h permits, once each. */
static enum status
host_begin(struct reading *reading, const char *name)
{
	struct sunset_config *config = reading->config;
	const char *why = count_host_fault(name);
	struct sunset_host *host;

	if (why != NULL)
		return fault(reading, "host `%s`: %s", name, why);
	for (uint32_t i = 0; i < config->hosts; i++)
		if (strcmp(config->host[i].name, name) == 0)
			return fault(
			    reading, "[host %s] stands there twice", name);
	if (config->hosts == COUNT_HOSTS_MOST)
		return fault(reading, "more hosts than %d", COUNT_HOSTS_MOST);
	host = &config->host[config->hosts++];
	(void)snprintf(host->name, sizeof(host->name), "%s", name);
	reading->place.rule = &host->rule;
	return STATUS_OK;
}

static enum status
issuer_begin(struct reading *reading, const char *name)
{
	struct sunset_config *config = reading->config;
	const char *why = count_issuer_fault(name);
	struct sunset_issuer *issuer;

	if (why != NULL)
		return fault(reading, "issuer `%s`: %s", name, why);
	for (uint32_t i = 0; i < config->issuers; i++)
		if (strcmp(config->issuer[i].name, name) == 0)
			return fault(
			    reading, "[issuer %s] stands there twice", name);
	if (config->issuers == COUNT_ISSUERS_MOST)
		return fault(
		    reading, "more issuers than %d", COUNT_ISSUERS_MOST);
	issuer = &config->issuer[config->issuers++];
	(void)snprintf(issuer->name, sizeof(issuer->name), "%s", name);
	reading->place.issuer = issuer;
	reading->place.rule = &issuer->rule;
	return STATUS_OK;
}

/* [server] and [report], which have no name. */
static enum status
plain_begin(struct reading *reading, const char *name, bool *seen)
{
	const char *section = sunset_section_name(reading->place.section);

	if (name[0] != '\0')
		return fault(reading, "[%s] has no name", section);
	if (*seen)
		return fault(reading, "[%s] stands there twice", section);
	*seen = true;
	reading->place.rule = &reading->config->rule;
	return STATUS_OK;
}

/* An issuer that no request could be told by is a mistake. */
static enum status
section_end(struct reading *reading)
{
	const struct sunset_issuer *issuer = reading->place.issuer;

	if (issuer != NULL && issuer->key_hashes == 0)
		return fault(
		    reading, "[issuer %s] has no key_hash", issuer->name);
	return STATUS_OK;
}

static enum status
section_begin(
    struct reading *reading, enum sunset_section section, const char *name)
{
	memset(reading->seen, 0, sizeof(reading->seen));
	reading->place = (struct sunset_place){
	    .section = section, .config = reading->config};
	switch (section) {
	case SUNSET_HOST:
		return host_begin(reading, name);
	case SUNSET_ISSUER:
		return issuer_begin(reading, name);
	case SUNSET_SERVER:
		return plain_begin(reading, name, &reading->seen_server);
	case SUNSET_REPORT:
		return plain_begin(reading, name, &reading->seen_report);
	}
	return STATUS_FAILED;
}

static enum status
header_read(struct reading *reading, char *line)
{
	static const enum sunset_section sections[] = {
	    SUNSET_SERVER, SUNSET_HOST, SUNSET_ISSUER, SUNSET_REPORT};
	enum status before = section_end(reading);
	enum status status = STATUS_CONFIG;
	size_t len = strlen(line);
	char *name;

	reading->has_section = true;
	reading->known_section = false;
	reading->place.issuer = NULL;
	if (line[len - 1] != ']')
		return fault(reading, "a header without its `]`");
	line[len - 1] = '\0';
	line = trim(line + 1);
	name = line + strcspn(line, " \t");
	if (*name != '\0')
		*name++ = '\0';
	name = trim(name);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (strcmp(line, sunset_section_name(sections[i])) != 0)
			continue;
		reading->known_section = true;
		status = section_begin(reading, sections[i], name);
	}
	if (!reading->known_section)
		return fault(reading,
		    "unknown section [%s], want [server], [host NAME], "
		    "[issuer NAME] or [report]",
		    line);
	/* One fault is enough: what stands below a wrong header is skipped. */
	if (status != STATUS_OK)
		reading->known_section = false;
	return status != STATUS_OK ? status : before;
}

static enum status
unknown_key(const struct reading *reading, const char *name)
{
	const char *section = sunset_section_name(reading->place.section);
	const char *nearest = sunset_key_nearest(reading->place.section, name);

	if (nearest == NULL)
		return fault(
		    reading, "unknown key `%s` in [%s]", name, section);
	return fault(reading, "unknown key `%s` in [%s]; did you mean `%s`?",
	    name, section, nearest);
}

static enum status
key_read(struct reading *reading, char *line)
{
	char *equals = strchr(line, '=');
	char why[SUNSET_WHY_BYTES] = "";
	const struct sunset_key *key;
	enum status status;
	const char *name;
	int i;

	if (equals == NULL)
		return fault(reading, "neither [section] nor key = value");
	*equals = '\0';
	name = trim(line);
	if (!reading->has_section)
		return fault(reading, "`%s` before any [section]", name);
	if (!reading->known_section)
		return STATUS_CONFIG;
	i = sunset_key_find(reading->place.section, name);
	if (i < 0)
		return unknown_key(reading, name);
	key = sunset_key((size_t)i);
	if (reading->seen[i] != 0 && !sunset_key_repeats(key))
		return fault(reading, "`%s` stands in line %zu too", name,
		    reading->seen[i]);
	reading->seen[i] = reading->line;
	status = sunset_key_set(key, &reading->place, trim(equals + 1), why);
	if (status != STATUS_MALFORMED)
		return status;
	return fault(reading, "%s = %s: %s", name, trim(equals + 1), why);
}

static enum status
line_read(struct reading *reading, const char *text, size_t len)
{
	char line[LINE_MOST + 1];
	char *trimmed;

	if (len > LINE_MOST)
		return fault(
		    reading, "a line of more than %d bytes", LINE_MOST);
	memcpy(line, text, len);
	line[len] = '\0';
	comment_cut(line);
	trimmed = trim(line);
	if (trimmed[0] == '\0')
		return STATUS_OK;
	if (trimmed[0] == '[')
		return header_read(reading, trimmed);
	return key_read(reading, trimmed);
}

static enum status
defaults_set(struct sunset_config *config)
{
	struct sunset_place place = {
	    .section = SUNSET_SERVER, .config = config, .rule = &config->rule};
	char why[SUNSET_WHY_BYTES];
	const struct sunset_key *key;
	enum status status = STATUS_OK;

	for (size_t i = 0; status == STATUS_OK && (key = sunset_key(i)) != NULL;
	     i++)
		if (key->standard != NULL)
			status =
			    sunset_key_set(key, &place, key->standard, why);
	return status;
}

static enum status
names_set(const struct reading *reading)
{
	struct sunset_config *config = reading->config;
	const char *why = "";

	for (uint32_t i = 0; i < config->hosts; i++)
		config->host_name[i] = config->host[i].name;
	for (uint32_t i = 0; i < config->issuers; i++)
		config->issuer_name[i] = config->issuer[i].name;
	config->names = (struct count_names){
	    .host = config->host_name,
	    .issuer = config->issuer_name,
	    .hosts = (uint16_t)config->hosts,
	    .issuers = (uint16_t)config->issuers,
	};
	if (count_cells(config->hosts, config->issuers, &config->cells, &why) !=
	    STATUS_OK)
		return fault(reading, "%s", why);
	return STATUS_OK;
}

/* Line by line; goes on after a fault, to report the others too. */
static enum status
lines_read(struct reading *reading, const char *text, size_t len)
{
	enum status worst = STATUS_OK;

	for (size_t at = 0; at < len;) {
		const char *lf = memchr(text + at, '\n', len - at);
		size_t end = lf == NULL ? len : (size_t)(lf - text);
		enum status status;

		reading->line++;
		status = line_read(reading, text + at, end - at);
		if (status == STATUS_NO_MEMORY)
			return status;
		if (status != STATUS_OK)
			worst = STATUS_CONFIG;
		at = end + 1;
	}
	if (section_end(reading) != STATUS_OK)
		worst = STATUS_CONFIG;
	return worst;
}

static struct sunset_config *
config_new(void)
{
	struct sunset_config *config = calloc(1, sizeof(*config));

	if (config == NULL)
		return NULL;
	config->host = calloc(COUNT_HOSTS_MOST, sizeof(*config->host));
	config->issuer = calloc(COUNT_ISSUERS_MOST, sizeof(*config->issuer));
	if (config->host != NULL && config->issuer != NULL)
		return config;
	sunset_config_free(config);
	return NULL;
}

enum status
sunset_config_parse(const char *name, const char *text, size_t len,
    struct report *report, struct sunset_config **config)
{
	struct reading reading = {.name = name, .report = report};
	enum status status = STATUS_OK;
	const char *why = NULL;

	*config = NULL;
	if (config_text_check(text, len, &reading.line, &why) != STATUS_OK)
		return fault(&reading, "%s", why);
	reading.line = 0;
	reading.config = config_new();
	if (reading.config == NULL)
		return STATUS_NO_MEMORY;
	status = defaults_set(reading.config);
	if (status == STATUS_OK)
		status = lines_read(&reading, text, len);
	if (status == STATUS_OK && !reading.seen_server)
		status = fault(&reading, "no [server]");
	if (status == STATUS_OK)
		status = names_set(&reading);
	if (status == STATUS_OK)
		*config = reading.config;
	else
		sunset_config_free(reading.config);
	return status;
}

enum status
sunset_config_load(const char *path, struct report *report,
    struct sunset_config **config, char **text, size_t *len)
{
	char why[CONFIG_WHY_BYTES];
	enum status status;
	char *read = NULL;
	size_t read_len = 0;

	*config = NULL;
	status = config_text_read(
	    path, SUNSET_CONFIG_BYTES_MOST, &read, &read_len, why);
	if (status == STATUS_NO_MEMORY)
		return status;
	if (status != STATUS_OK)
		return report_fault(
		    report, STATUS_CONFIG, path, "config", NULL, "%s", why);
	status = sunset_config_parse(path, read, read_len, report, config);
	if (status != STATUS_OK || text == NULL) {
		free(read);
		return status;
	}
	*text = read;
	*len = read_len;
	return STATUS_OK;
}

static bool
address_equal(const struct sunset_address *a, const struct sunset_address *b)
{
	return a->len == b->len &&
	       memcmp(&a->storage, &b->storage, sizeof(a->storage)) == 0;
}

static bool
listens_equal(const struct sunset_config *a, const struct sunset_config *b)
{
	if (a->listens != b->listens)
		return false;
	for (uint32_t i = 0; i < a->listens; i++)
		if (!address_equal(&a->listen[i], &b->listen[i]))
			return false;
	return true;
}

static bool
text_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

void
sunset_config_compare(const char *name, const struct sunset_config *old,
    const struct sunset_config *new, struct report *report)
{
	const struct {
		const char *key;
		bool same;
	} rows[] = {
	    {"listen", listens_equal(old, new)},
	    {"metrics", address_equal(&old->metrics, &new->metrics)},
	    {"threads", old->threads == new->threads},
	    {"pin_threads", old->pin_threads == new->pin_threads},
	    {"connections", old->connections == new->connections},
	    {"backlog", old->backlog == new->backlog},
	    {"user", text_equal(old->user, new->user)},
	    {"counts", text_equal(old->counts, new->counts)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!rows[i].same)
			report_warn(report, name, "reload", NULL,
			    "`%s` changes only when the server is started "
			    "again",
			    rows[i].key);
}

void
sunset_config_free(struct sunset_config *config)
{
	if (config == NULL)
		return;
	free(config->user);
	free(config->counts);
	free(config->expiry_file);
	free(config->host);
	free(config->issuer);
	free(config);
}
