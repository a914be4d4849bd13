/* SPDX-License-Identifier: ISC */
/* crlpress archive: what was published, listed, fetched, pruned. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/archive.h"
#include "crlpress/command.h"
#include "crlpress/command_option.h"
#include "crlpress/quantity.h"
#include "crlpress/utc.h"

/* CRLs of a run under way have no set yet; none takes as long as this. */
#define PRUNE_LEAST_SEC INT64_C(86400)

struct archive_options {
	const char *config;
	const char *issuer;
	const char *older_than;
	struct option_time at;
	uint32_t jobs;
	bool dry_run;
	bool json;
	bool quiet;
};

#define OFFSET(member) offsetof(struct archive_options, member)

static const struct option_row option_rows[] = {
    COMMAND_OPTION_CONFIG(OFFSET(config)),
    {"issuer", 'i', OPTION_TEXT, OFFSET(issuer), "NAME", "only this issuer"},
    {"at", 0, OPTION_TIME, OFFSET(at), "TIME",
	"the set that was public then, as 2026-12-01T06:00:00Z"},
    {"older-than", 0, OPTION_TEXT, OFFSET(older_than), "AGE",
	"what to prune, as 400d"},
    {"dry-run", 'n', OPTION_FLAG, OFFSET(dry_run), NULL,
	"prune nothing, count"},
    {"jobs", 'j', OPTION_COUNT, OFFSET(jobs), "N",
	"objects at a time (default: as many as the store takes)"},
    COMMAND_OPTION_JSON(OFFSET(json)),
    {"quiet", 'q', OPTION_FLAG, OFFSET(quiet), NULL,
	"fetch or prune without a word when all is well"},
};

struct archiving;

/* What there is to do, and with how many words after it. */
struct action {
	const char *name;
	int least;
	int most;
	bool one_issuer;
	enum status (*run)(struct archiving *archiving);
};

struct archiving {
	const struct context *context;
	struct report *report;
	struct json *json; /* NULL: text */
	const struct archive_options *options;
	const struct action *action;
	char **words; /* after that of the action */
	int word_count;
	int64_t older_than_sec;
	struct command_names names; /* of all configurations */
	/* Of the issuer under way. */
	struct archive archive;
	unsigned workers;
};

static void
print_facts(struct archiving *archiving, const struct archive_set *set)
{
	char number[UINT160_DECIMAL_BYTES];
	char iso[UTC_ISO_BYTES];
	struct json *json = archiving->json;

	(void)uint160_to_decimal(&set->number, number);
	(void)utc_to_iso(set->published_sec, iso);
	if (archiving->json == NULL) {
		fprintf(archiving->context->out, "%s  %s  published %s\n",
		    archiving->archive.config->name, set->name, iso);
		return;
	}
	json_string(json, "issuer", archiving->archive.config->name);
	json_string(json, "run", set->name);
	json_string(json, "published", iso);
	json_string(json, "number", number);
}

static void
print_line(struct archiving *archiving, const struct manifest_shard *line)
{
	struct json *json = archiving->json;
	char number[UINT160_DECIMAL_BYTES];
	char key[ARCHIVE_KEY_BYTES] = "";
	char sha256[HASH_HEX_BYTES];
	char iso[UTC_ISO_BYTES];

	(void)uint160_to_decimal(&line->number, number);
	(void)utc_to_iso(line->this_update_sec, iso);
	(void)hash_to_hex(&line->sha256, sha256);
	(void)!archive_crl_key(archiving->archive.config->name,
	    line->this_update_sec, &line->number, line->key, key);
	if (archiving->json == NULL) {
		fprintf(archiving->context->out,
		    "  shard %" PRIu32 "  number %s  thisUpdate %s  %" PRIu64
		    " entries  %s\n",
		    line->index, number, iso, line->entries, key);
		return;
	}
	json_open(json, NULL, '{');
	json_uint(json, "shard", line->index);
	json_string(json, "url", line->url);
	json_string(json, "key", line->key);
	json_string(json, "number", number);
	json_string(json, "this_update", iso);
	json_uint(json, "entries", line->entries);
	json_uint(json, "size", line->size);
	json_string(json, "sha256", sha256);
	json_string(json, "archived", key);
	json_close(json, '}');
}

/* A word names a run by its number, or by as much of its name as is enough. */
static bool
is_named(const struct archive_set *set, const char *word)
{
	char number[UINT160_DECIMAL_BYTES];

	return strncmp(set->name, word, strlen(word)) == 0 ||
	       strcmp(uint160_to_decimal(&set->number, number), word) == 0;
}

static enum status
choose_named(struct archiving *archiving, const struct archive_sets *sets,
    const char *word, struct archive_set *set)
{
	size_t found = 0;

	for (size_t i = 0; i < sets->count; i++) {
		if (!is_named(&sets->set[i], word))
			continue;
		*set = sets->set[i];
		found++;
	}
	if (found == 1)
		return STATUS_OK;
	return report_fault(archiving->report, STATUS_FAILED,
	    archiving->archive.config->name, "archive", NULL,
	    "%zu sets are named %s, want one", found, word);
}

/* Numbers of shards rise from one manifest to the next. */
static bool
follows(const struct manifest *manifest, const struct manifest *other)
{
	for (size_t i = 0; i < manifest->shard_count; i++) {
		const struct manifest_shard *line = &manifest->shard[i];
		const struct manifest_shard *there =
		    manifest_find(other, line->index);

		if (there == NULL ||
		    uint160_compare(&line->number, &there->number) > 0)
			return true;
	}
	return false;
}

/* Of several sets of one second, whose names do not tell, the last. */
static enum status
choose_last(struct archiving *archiving, const struct archive_set *sets,
    size_t count, struct archive_set *set)
{
	struct archive_manifest last;
	enum status status;

	*set = sets[0];
	if (count == 1)
		return STATUS_OK;
	status = archive_manifest_get(&archiving->archive, set, &last);
	for (size_t i = 1; status == STATUS_OK && i < count; i++) {
		struct archive_manifest next;

		status =
		    archive_manifest_get(&archiving->archive, &sets[i], &next);
		if (status != STATUS_OK)
			break;
		if (follows(&next.manifest, &last.manifest)) {
			archive_manifest_free(&last);
			last = next;
			*set = sets[i];
		} else {
			archive_manifest_free(&next);
		}
	}
	archive_manifest_free(&last);
	return status;
}

/* The newest one at a time: the newest of all without one. */
static enum status
choose_at(struct archiving *archiving, const struct archive_sets *sets,
    struct archive_set *set)
{
	const struct option_time *at = &archiving->options->at;
	size_t i = sets->count;
	char iso[UTC_ISO_BYTES];

	while (i > 0 && at->given && sets->set[i - 1].published_sec > at->sec)
		i--;
	if (i > 0) {
		size_t first = i - 1;

		while (first > 0 && sets->set[first - 1].published_sec ==
					sets->set[i - 1].published_sec)
			first--;
		return choose_last(
		    archiving, &sets->set[first], i - first, set);
	}
	return report_fault(archiving->report, STATUS_FAILED,
	    archiving->archive.config->name, "archive", NULL,
	    "no set in the archive%s%s", at->given ? " is as old as " : "",
	    at->given ? utc_to_iso(at->sec, iso) : "");
}

static enum status
choose(struct archiving *archiving, const char *word, struct archive_set *set)
{
	struct archive_sets sets;
	enum status status;

	status = archive_sets_list(&archiving->archive, &sets);
	if (status == STATUS_OK)
		status = word != NULL
			     ? choose_named(archiving, &sets, word, set)
			     : choose_at(archiving, &sets, set);
	archive_sets_free(&sets);
	return status;
}

static enum status
list_sets(struct archiving *archiving)
{
	struct archive_sets sets;
	enum status status;

	status = archive_sets_list(&archiving->archive, &sets);
	for (size_t i = 0; status == STATUS_OK && i < sets.count; i++) {
		if (archiving->json != NULL)
			json_open(archiving->json, NULL, '{');
		print_facts(archiving, &sets.set[i]);
		if (archiving->json != NULL)
			json_close(archiving->json, '}');
	}
	archive_sets_free(&sets);
	return status;
}

static enum status
list_set(struct archiving *archiving)
{
	const char *word =
	    archiving->word_count > 0 ? archiving->words[0] : NULL;
	struct archive_manifest manifest;
	struct archive_set set;
	enum status status = choose(archiving, word, &set);

	if (status == STATUS_OK)
		status =
		    archive_manifest_get(&archiving->archive, &set, &manifest);
	if (status != STATUS_OK)
		return status;
	if (archiving->json != NULL)
		json_open(archiving->json, NULL, '{');
	print_facts(archiving, &set);
	if (archiving->json != NULL)
		json_open(archiving->json, "shards", '[');
	for (size_t i = 0; i < manifest.manifest.shard_count; i++)
		print_line(archiving, &manifest.manifest.shard[i]);
	if (archiving->json != NULL) {
		json_close(archiving->json, ']');
		json_close(archiving->json, '}');
	}
	archive_manifest_free(&manifest);
	return STATUS_OK;
}

static enum status
action_list(struct archiving *archiving)
{
	return archiving->word_count > 0 || archiving->options->at.given
		   ? list_set(archiving)
		   : list_sets(archiving);
}

/* A report as JSON is asked for more plainly. */
static bool
is_silent(const struct archiving *archiving)
{
	return archiving->options->quiet && archiving->json == NULL;
}

static enum status
action_fetch(struct archiving *archiving)
{
	const char *directory = archiving->words[archiving->word_count - 1];
	const char *word =
	    archiving->word_count > 1 ? archiving->words[0] : NULL;
	struct archive_set set;
	enum status status;

	if (word != NULL && archiving->options->at.given)
		return command_usage(
		    archiving->report, "want a run or --at, not both");
	status = choose(archiving, word, &set);
	if (status == STATUS_OK)
		status = archive_fetch(
		    &archiving->archive, &set, directory, archiving->workers);
	if (status != STATUS_OK || is_silent(archiving))
		return status;
	if (archiving->json != NULL)
		json_open(archiving->json, NULL, '{');
	print_facts(archiving, &set);
	if (archiving->json != NULL) {
		json_string(archiving->json, "directory", directory);
		json_close(archiving->json, '}');
	}
	return STATUS_OK;
}

static enum status
action_prune(struct archiving *archiving)
{
	const bool dry_run = archiving->options->dry_run;
	int64_t before_sec =
	    archiving->context->clock_sec() - archiving->older_than_sec;
	struct json *json = archiving->json;
	struct archive_pruned pruned;
	enum status status;

	status = archive_prune(&archiving->archive, before_sec, dry_run,
	    archiving->workers, &pruned);
	if (is_silent(archiving) && !dry_run)
		return status;
	if (archiving->json == NULL) {
		fprintf(archiving->context->out,
		    "%s: %zu sets and %zu CRLs %s, %zu and %zu left\n",
		    archiving->archive.config->name, pruned.sets, pruned.crls,
		    dry_run ? "would go" : "gone", pruned.sets_left,
		    pruned.crls_left);
		return status;
	}
	json_open(json, NULL, '{');
	json_string(json, "issuer", archiving->archive.config->name);
	json_bool(json, "dry_run", dry_run);
	json_uint(json, "sets", pruned.sets);
	json_uint(json, "sets_left", pruned.sets_left);
	json_uint(json, "crls", pruned.crls);
	json_uint(json, "crls_left", pruned.crls_left);
	json_close(json, '}');
	return status;
}

static const struct action actions[] = {
    {"list", 0, 1, false, action_list},
    {"fetch", 1, 2, true, action_fetch},
    {"prune", 0, 0, false, action_prune},
};

static enum status
choose_action(struct archiving *archiving, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		const struct action *action = &actions[i];

		if (argc == 0 || strcmp(argv[0], action->name) != 0)
			continue;
		archiving->action = action;
		archiving->words = argv + 1;
		archiving->word_count = argc - 1;
		if (argc - 1 >= action->least && argc - 1 <= action->most)
			return STATUS_OK;
		break;
	}
	return command_usage(archiving->report,
	    "want list [RUN], fetch [RUN] DIRECTORY, or prune --older-than "
	    "DURATION");
}

static enum status
read_age(struct archiving *archiving)
{
	const char *text = archiving->options->older_than;
	const char *why = NULL;

	if ((archiving->action->run == action_prune) != (text != NULL))
		return command_usage(archiving->report,
		    "prune wants --older-than, and nothing else does");
	if (text == NULL)
		return STATUS_OK;
	if (quantity_duration(text, &archiving->older_than_sec, &why) !=
	    STATUS_OK)
		return report_fault(archiving->report, STATUS_USAGE, "usage",
		    NULL, NULL, "--older-than %s: %s", text, why);
	if (archiving->older_than_sec >= PRUNE_LEAST_SEC)
		return STATUS_OK;
	return command_usage(
	    archiving->report, "--older-than: want at least 1d");
}

static enum status
act(struct archiving *archiving, const struct config *config)
{
	enum status status = archive_open(
	    config, archiving->context, archiving->report, &archiving->archive);
	unsigned connections;

	if (status == STATUS_OK) {
		connections = store_connections(archiving->archive.store);
		archiving->workers = archiving->options->jobs;
		if (archiving->workers == 0)
			archiving->workers = connections != 0
						 ? connections
						 : archiving->context->cpus;
		status = archiving->action->run(archiving);
	}
	archive_close(&archiving->archive);
	return status;
}

/* Without --issuer all that have an archive. */
static enum status
act_path(struct archiving *archiving, const char *path, size_t *acted)
{
	const char *issuer = archiving->options->issuer;
	struct config *config = NULL;
	enum status status;

	status = config_load(path, archiving->report, &config);
	if (status == STATUS_OK)
		command_names_add(&archiving->names, config->name);
	if (status == STATUS_OK &&
	    (issuer != NULL ? strcmp(config->name, issuer) == 0
			    : config->archive_url != NULL)) {
		(*acted)++;
		status = act(archiving, config);
	}
	config_free(config);
	return status;
}

static enum status
act_paths(struct archiving *archiving)
{
	const char *path =
	    command_config(archiving->context, archiving->options->config);
	char **paths = NULL;
	enum status worst;
	size_t acted = 0;
	size_t count = 0;

	worst = config_paths(path, archiving->report, &paths, &count);
	if (count > 1 && archiving->action->one_issuer &&
	    archiving->options->issuer == NULL) {
		config_paths_free(paths, count);
		return command_usage(
		    archiving->report, "of several issuers, want --issuer");
	}
	for (size_t i = 0; i < count; i++)
		worst =
		    status_graver(worst, act_path(archiving, paths[i], &acted));
	config_paths_free(paths, count);
	if (worst != STATUS_OK || acted > 0)
		return worst;
	if (archiving->options->issuer != NULL)
		return command_not_configured(archiving->options->issuer,
		    &archiving->names, archiving->report);
	return report_fault(archiving->report, STATUS_CONFIG, path, "archive",
	    NULL, "no issuer here has an archive");
}

static enum status
command_run(struct command_call *call, const void *given)
{
	const struct archive_options *options = given;
	struct archiving archiving = {
	    .context = call->context,
	    .report = call->report,
	    .options = options,
	};
	enum status status =
	    choose_action(&archiving, call->operand_count, call->operands);

	if (status == STATUS_OK)
		status = read_age(&archiving);
	if (status != STATUS_OK)
		return status;
	command_json(call, options->json, "archives");
	archiving.json = call->json;
	return status_public(act_paths(&archiving));
}

const struct command command_archive = {
    .name = "archive",
    .operands = "list [RUN] | fetch [RUN] DIRECTORY | prune",
    .summary = "List, fetch or prune what was published",
    .help = "Exit status: 0 done; 1 failed; 2 usage or configuration.\n",
    .json_array = "archives",
    .options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])},
    .options_size = sizeof(struct archive_options),
    .run = command_run,
};
