/* SPDX-License-Identifier: ISC */
/*
 * From a file to a configuration and back to text. The table of keys
 * (config_key.c) says what there is, config_file.c what the file has,
 * config_check.c whether it fits together.
 */
#include "crlpress/config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crlpress/config_check.h"
#include "crlpress/config_file.h"
#include "crlpress/config_key.h"
#include "crlpress/config_text.h"
#include "crlpress/config_value.h"
#include "crlpress/key_uri.h"
#include "crlpress/url_text.h"

/* More issuers in one directory than any CA has. */
#define CONFIG_PATHS_MOST 4096

#define SUFFIX ".cnf"
#define SUFFIX_LEN (sizeof(SUFFIX) - 1)

#define OFFSET(member) offsetof(struct config, member)

#define NATIVE_SELECT                                                       \
	"SELECT serial, revoked_at, reason, not_after, shard, recorded_at " \
	"FROM crlpress.revocation "

static const char native_sql[] =
    NATIVE_SELECT "WHERE issuer = :'issuer' AND not_after >= :'lookback'";

/* Only where the column decides: with other schemes it may be NULL. */
static const char native_shard_sql[] =
    NATIVE_SELECT "WHERE issuer = :'issuer' AND shard = :'shard' "
		  "AND not_after >= :'lookback'";

/* What readers of one snapshot share: source_part.h. */
static const char native_table[] = "crlpress.revocation";

static const char native_block_sql[] =
    NATIVE_SELECT "WHERE issuer = :'issuer' AND not_after >= :'lookback' "
		  "AND ctid >= :'from' AND ctid < :'to'";

/* Rows without a shard are faults, which somebody has to find. */
static const char native_range_sql[] =
    NATIVE_SELECT "WHERE issuer = :'issuer' AND not_after >= :'lookback' "
		  "AND ((shard >= CAST(:'from' AS bigint) "
		  "AND shard < CAST(:'to' AS bigint)) "
		  "OR (shard IS NULL AND :'part' = '0'))";

static const char native_serial_sql[] = NATIVE_SELECT
    "WHERE issuer = :'issuer' AND serial = pg_catalog.decode(:'serial', 'hex')";

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/*
 * The directory of the file, absolute, so that what the configuration says
 * holds wherever the process goes. `*directory` is malloc'd.
 */
static enum status
directory_of(const char *path, struct report *report, char **directory)
{
	size_t len = (size_t)(base_name(path) - path);
	char *parent = len > 0 ? strndup(path, len) : strdup(".");

	if (parent == NULL)
		return STATUS_NO_MEMORY;
	*directory = realpath(parent, NULL);
	free(parent);
	if (*directory != NULL)
		return STATUS_OK;
	return config_file_fault(report, path, 1, NULL,
	    "its directory cannot be found: %s", strerror(errno));
}

/* A path without the word before it; what may have a secret in it stays
 * unsaid. */
static void
source_hint(struct report *report, const char *value)
{
	static const char index[] = ".txt";
	size_t len = strlen(value);
	bool is_index = len >= strlen(index) &&
			strcmp(value + len - strlen(index), index) == 0;
	char text[CONFIG_VALUE_BYTES_MOST + sizeof("index:")];

	if (strpbrk(value, "@?=") != NULL || len > CONFIG_VALUE_BYTES_MOST)
		return;
	snprintf(
	    text, sizeof(text), "%s:%s", is_index ? "index" : "crl", value);
	if (config_source_fault(text) == NULL)
		report_hint(report, "did you mean `%s`?", text);
}

/* One entry of the file into its place. */
static enum status
entry_set(struct config_draft *draft, const char *directory,
    const struct config_entry *entry, const struct config_key *key)
{
	struct config_place *place;
	char why[CONFIG_KEY_WHY_BYTES], shown[URL_TEXT_BYTES];
	enum status status;

	place = &draft->place[config_key_index(key->offset)];
	place->line = entry->line;
	place->bad = true;
	if (entry->value == NULL)
		return STATUS_CONFIG;
	status =
	    config_key_set(key, draft->config, directory, entry->value, why);
	place->bad = status != STATUS_OK;
	if (status != STATUS_MALFORMED)
		return status;
	if (!key->hidden)
		return config_draft_fault(draft, key->offset, NULL,
		    "%s, have \"%s\"", why,
		    url_text_shown(entry->value, shown));
	status = config_draft_fault(draft, key->offset, NULL, "%s", why);
	if (key->offset == OFFSET(source))
		source_hint(draft->report, entry->value);
	return status;
}

/* A key that the table has not: says what may have been meant. */
static enum status
entry_unknown(
    const struct config_draft *draft, const struct config_entry *entry)
{
	const char *near = config_key_nearest(entry->section, entry->key);
	const char *section = config_key_elsewhere(entry->key);
	const char *name = draft->file->name;

	if (section != NULL)
		return config_file_fault(draft->report, name, entry->line, NULL,
		    "unknown key `%s` in [%s]; it belongs to [%s]", entry->key,
		    entry->section, section);
	if (near != NULL)
		return config_file_fault(draft->report, name, entry->line, NULL,
		    "unknown key `%s` in [%s]; did you mean `%s`?", entry->key,
		    entry->section, near);
	return config_file_fault(draft->report, name, entry->line, NULL,
	    "unknown key `%s` in [%s]", entry->key, entry->section);
}

static bool
section_is_known(const char *name)
{
	const struct config_key *key;
	size_t i;

	for (i = 0; (key = config_key(i)) != NULL; i++) {
		if (strcmp(key->section, name) == 0)
			return true;
	}
	return false;
}

static enum status
sections_check(const struct config_draft *draft)
{
	const struct config_file *file = draft->file;
	enum status status = STATUS_OK;
	size_t i;

	for (i = 0; i < file->section_count; i++) {
		const char *name = file->section[i].name;
		const char *near = config_section_nearest(name);

		if (section_is_known(name))
			continue;
		status = config_file_fault(draft->report, file->name,
		    file->section[i].line, NULL, "unknown section [%s]%s%s%s",
		    name, near != NULL ? "; did you mean [" : "",
		    near != NULL ? near : "", near != NULL ? "]?" : "");
	}
	return status;
}

/* The entries, in the order of the file, so that faults come in it too. */
static enum status
entries_set(struct config_draft *draft, const char *directory)
{
	const struct config_file *file = draft->file;
	enum status status = sections_check(draft);
	size_t n;

	for (n = 0; n < file->entry_count; n++) {
		const struct config_entry *entry = &file->entry[n];
		const struct config_key *key;
		enum status set = STATUS_CONFIG;

		key = config_key_find(entry->section, entry->key);
		if (key != NULL)
			set = entry_set(draft, directory, entry, key);
		else if (section_is_known(entry->section))
			set = entry_unknown(draft, entry);
		if (set != STATUS_OK && set != STATUS_CONFIG)
			return set;
		if (set != STATUS_OK)
			status = STATUS_CONFIG;
	}
	return status;
}

/* The defaults that are values; the table's own text is well formed. */
static enum status
defaults_set(struct config *config, const char *directory)
{
	char why[CONFIG_KEY_WHY_BYTES];
	const struct config_key *key;
	enum status status;
	size_t i;

	for (i = 0; (key = config_key(i)) != NULL; i++) {
		if (key->standard == NULL)
			continue;
		status =
		    config_key_set(key, config, directory, key->standard, why);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

/* [issuer] name: the file's, without .cnf. */
static enum status
name_derive(struct config_draft *draft)
{
	struct config *config = draft->config;
	const char *base = base_name(config->path);
	size_t len = strlen(base);
	const char *fault;

	if (config_place(draft, OFFSET(name))->line != 0)
		return STATUS_OK;
	if (len > SUFFIX_LEN && strcmp(base + len - SUFFIX_LEN, SUFFIX) == 0)
		len -= SUFFIX_LEN;
	config->name = strndup(base, len);
	if (config->name == NULL)
		return STATUS_NO_MEMORY;
	fault = config_name_fault(config->name);
	if (fault == NULL)
		return STATUS_OK;
	return config_draft_fault(draft, OFFSET(name), NULL,
	    "the file's name is %s, have \"%.128s\", want name = NAME", fault,
	    config->name);
}

/* [shards] object: the path of the URL. */
static enum status
object_derive(struct config_draft *draft)
{
	struct config *config = draft->config;
	const char *object;

	if (config_place(draft, OFFSET(object_pattern))->line != 0 ||
	    config->url_pattern == NULL)
		return STATUS_OK;
	object = config_url_object(config->url_pattern);
	if (object == NULL)
		return config_draft_fault(draft, OFFSET(object_pattern), NULL,
		    "missing: the path of url is no plain object key");
	config->object_pattern = strdup(object);
	return config->object_pattern != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* What defaults to something that depends on other keys. */
/* Where the URI of a key says that its PIN is. */
static enum status
pin_source_derive(struct config *config)
{
	struct key_uri uri;
	const char *why;

	if (config->key == NULL ||
	    key_uri_parse(config->key, &uri, &why) != STATUS_OK ||
	    uri.pin_path[0] == '\0')
		return STATUS_OK;
	config->pin_source = strdup(uri.pin_path);
	return config->pin_source != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status
rest_derive(struct config_draft *draft)
{
	struct config *config = draft->config;
	enum status status, object;

	if (config_place(draft, OFFSET(scope))->line == 0)
		config->scope = config_profile_scope(config->profile);
	status = pin_source_derive(config);
	if (status == STATUS_OK)
		status = name_derive(draft);
	if (status == STATUS_NO_MEMORY)
		return status;
	object = object_derive(draft);
	if (object != STATUS_OK)
		status = object;
	if (config->manifest_key == NULL && config->name != NULL &&
	    !config_place(draft, OFFSET(manifest_key))->bad &&
	    asprintf(&config->manifest_key, CONFIG_MANIFEST_KEY,
		config->name) == -1) {
		config->manifest_key = NULL;
		status = STATUS_NO_MEMORY;
	}
	return status;
}

/* A statement: what is in the file of a key, or the native one, or none. */
static enum status
statement_load(struct config_draft *draft, size_t offset, const char *path,
    const char *native, char **sql)
{
	struct config_place *place = &draft->place[config_key_index(offset)];
	char why[CONFIG_WHY_BYTES];
	const char *text;
	enum status status;
	size_t line, len;

	if (path == NULL) {
		*sql = native != NULL ? strdup(native) : NULL;
		return *sql != NULL || native == NULL ? STATUS_OK
						      : STATUS_NO_MEMORY;
	}
	status = config_text_read(path, CONFIG_FILE_BYTES_MOST, sql, &len, why);
	if (status == STATUS_IO)
		status = config_draft_fault(
		    draft, offset, NULL, "%s: %s", path, why);
	else if (status == STATUS_OK &&
		 (config_text_check(*sql, len, &line, &text) != STATUS_OK ||
		     config_text_statement(*sql, &line, &text) != STATUS_OK))
		status = config_draft_fault(
		    draft, offset, NULL, "%s:%zu: %s", path, line, text);
	place->bad = place->bad || status != STATUS_OK;
	return status;
}

/* The native table is read where there is no query_file. */
static enum status
sql_load(struct config_draft *draft)
{
	struct config *config = draft->config;
	bool native = config->query_file == NULL;
	bool by_column = config->shards.scheme == SHARD_COLUMN;
	enum status status, step;

	/* What is not a database is asked nothing. */
	if (config_source_kind(config) != SOURCE_DATABASE)
		return STATUS_OK;
	if (native)
		config->split = (struct source_split){
		    .table = native_table,
		    .block_sql = native_block_sql,
		    .range_sql = by_column ? native_range_sql : NULL,
		    .shard_first = config->shards.first,
		    .shard_count = config->shards.count,
		};
	status = statement_load(draft, OFFSET(query_file), config->query_file,
	    native_sql, &config->sql);
	if (status != STATUS_OK && status != STATUS_CONFIG)
		return status;
	step = statement_load(draft, OFFSET(shard_query_file),
	    config->shard_query_file,
	    native && by_column ? native_shard_sql : NULL, &config->shard_sql);
	if (step != STATUS_OK)
		status = step;
	if (step != STATUS_OK && step != STATUS_CONFIG)
		return step;
	step = statement_load(draft, OFFSET(serial_query_file),
	    config->serial_query_file, native ? native_serial_sql : NULL,
	    &config->serial_sql);
	if (step != STATUS_OK)
		status = step;
	if (step != STATUS_OK && step != STATUS_CONFIG)
		return step;
	step = statement_load(draft, OFFSET(certificate_query_file),
	    config->certificate_query_file, NULL, &config->certificate_sql);
	return step != STATUS_OK ? step : status;
}

/* Runs the steps one after the other; only what is no fault of the file,
 * such as memory that ran out, ends them early. */
static enum status
draft_make(struct config_draft *draft, const char *directory)
{
	enum status status, step;

	status = defaults_set(draft->config, directory);
	if (status != STATUS_OK)
		return status;
	status = entries_set(draft, directory);
	if (status != STATUS_OK && status != STATUS_CONFIG)
		return status;
	step = config_source_derive(draft->config, directory);
	if (step != STATUS_OK)
		return step;
	step = rest_derive(draft);
	if (step != STATUS_OK)
		status = step;
	if (step != STATUS_OK && step != STATUS_CONFIG)
		return step;
	/* What the other machine has beside its file is not here. */
	if (draft->of_signer) {
		step = config_check_signer(draft);
		return step != STATUS_OK ? step : status;
	}
	step = sql_load(draft);
	if (step != STATUS_OK)
		status = step;
	if (step != STATUS_OK && step != STATUS_CONFIG)
		return step;
	step = config_check(draft);
	return step != STATUS_OK ? step : status;
}

static enum status
load(const char *path, bool of_signer, struct report *report,
    struct config **config)
{
	struct config_draft draft = {.report = report, .of_signer = of_signer};
	struct config_file *file = NULL;
	char *directory = NULL;
	enum status status, made;

	*config = NULL;
	status = config_file_read(path, report, &file);
	if (file == NULL)
		return status;
	draft.file = file;
	made = directory_of(path, report, &directory);
	if (made != STATUS_OK)
		goto out;
	made = STATUS_NO_MEMORY;
	draft.config = calloc(1, sizeof(*draft.config));
	if (draft.config == NULL)
		goto out;
	draft.config->path = strdup(path);
	if (draft.config->path == NULL)
		goto out;
	made = draft_make(&draft, directory);
	if (made == STATUS_OK && status == STATUS_OK) {
		*config = draft.config;
		draft.config = NULL;
	}
out:
	config_free(draft.config);
	config_file_free(file);
	free(directory);
	return made != STATUS_OK ? made : status;
}

enum status
config_load(const char *path, struct report *report, struct config **config)
{
	return load(path, false, report, config);
}

bool
config_has_key(const struct config *config)
{
	return strcmp(config->key, CONFIG_KEY_NONE) != 0;
}

enum status
config_load_signer(
    const char *path, struct report *report, struct config **config)
{
	return load(path, true, report, config);
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	config_key_free_all(config);
	free(config->sql);
	free(config->shard_sql);
	free(config->serial_sql);
	free(config->certificate_sql);
	free(config->pin_source);
	free(config->path);
	free(config);
}

static bool
is_config_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > SUFFIX_LEN &&
	       strcmp(name + len - SUFFIX_LEN, SUFFIX) == 0;
}

static int
path_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends the *.cnf of an open directory to `paths`. */
static enum status
paths_collect(const char *path, DIR *dir, struct report *report, char **paths,
    size_t *count)
{
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (!is_config_name(entry->d_name))
			continue;
		if (*count == CONFIG_PATHS_MOST)
			return report_fault(report, STATUS_CONFIG, path,
			    "config", NULL, "more than %d files",
			    CONFIG_PATHS_MOST);
		if (asprintf(&paths[*count], "%s%s%s", path,
			path[strlen(path) - 1] == '/' ? "" : "/",
			entry->d_name) == -1)
			return STATUS_NO_MEMORY;
		(*count)++;
	}
	if (errno != 0)
		return report_fault(report, STATUS_CONFIG, path, "config", NULL,
		    "cannot be read: %s", strerror(errno));
	if (*count == 0)
		return report_fault(report, STATUS_CONFIG, path, "config", NULL,
		    "a directory without any file *.cnf");
	qsort(paths, *count, sizeof(*paths), path_compare);
	return STATUS_OK;
}

enum status
config_paths(
    const char *path, struct report *report, char ***paths, size_t *count)
{
	enum status status = STATUS_NO_MEMORY;
	char **list = NULL;
	DIR *dir = NULL;
	struct stat st;

	*paths = NULL;
	*count = 0;
	if (stat(path, &st) == -1)
		return report_fault(report, STATUS_CONFIG, path, "config", NULL,
		    "cannot be opened: %s", strerror(errno));
	list = calloc(CONFIG_PATHS_MOST, sizeof(*list));
	if (list == NULL)
		goto out;
	if (!S_ISDIR(st.st_mode)) {
		list[0] = strdup(path);
		if (list[0] != NULL) {
			*count = 1;
			status = STATUS_OK;
		}
		goto out;
	}
	dir = opendir(path);
	if (dir != NULL)
		status = paths_collect(path, dir, report, list, count);
	else
		status = report_fault(report, STATUS_CONFIG, path, "config",
		    NULL, "cannot be opened: %s", strerror(errno));
out:
	if (status == STATUS_OK) {
		*paths = list;
	} else {
		config_paths_free(list, *count);
		*count = 0;
	}
	if (dir != NULL)
		closedir(dir);
	return status;
}

void
config_paths_free(char **paths, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
}

void
config_print(const struct config *config, FILE *stream)
{
	const struct config_key *key;
	const char *section = "";
	size_t i;

	for (i = 0; (key = config_key(i)) != NULL; i++) {
		if (!config_key_has(key, config))
			continue;
		if (strcmp(section, key->section) != 0)
			fprintf(stream, "%s[%s]\n", i > 0 ? "\n" : "",
			    key->section);
		section = key->section;
		fprintf(stream, "%s = ", key->name);
		config_key_print(key, config, stream);
		fputc('\n', stream);
	}
}

void
config_print_keys(FILE *stream)
{
	static const char *const kinds[] = {
	    [CONFIG_TEXT] = "text",
	    [CONFIG_PATH] = "path",
	    [CONFIG_PLACE] = "place",
	    [CONFIG_CHOICE] = "choice",
	    [CONFIG_BOOL] = "bool",
	    [CONFIG_COUNT] = "count",
	    [CONFIG_PERCENT] = "percent",
	    [CONFIG_DURATION] = "duration",
	    [CONFIG_TIME] = "time",
	    [CONFIG_SIZE] = "size",
	};
	const struct config_key *key;
	size_t i;

	for (i = 0; (key = config_key(i)) != NULL; i++)
		fprintf(stream, "%s\t%s\t%s\t%s\t%s\n", key->section, key->name,
		    kinds[key->kind], key->note, key->help);
}
