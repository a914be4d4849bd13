/* SPDX-License-Identifier: ISC */
/*
 * What the database is asked: which issuers it knows, where that has to be
 * said, and all rows of the one, each of which is judged as a run would.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/forecast.h"
#include "crlpress/json.h"
#include "crlpress/reason.h"
#include "crlpress/utc.h"
#include "init_impl.h"

#define ISSUER_ID INIT_OFFSET(issuer_id)
#define COUNT INIT_OFFSET(shards.count)
#define FIRST INIT_OFFSET(shards.first)
#define ROWS INIT_OFFSET(query_file)

/* Consumers of CRLs give up at tens of megabytes, and fetch one for each
 * certificate they look at: a shard of this size is kind to them. */
#define SHARD_BYTES_KIND UINT64_C(1000000)

/* Other issuers that are named where one was found. */
#define OTHERS_MOST 4

static enum status
no_memory(struct init *init)
{
	return report_fault(init->report, STATUS_NO_MEMORY, init->object,
	    INIT_RULE, NULL, "out of memory");
}

/* What a statement can know an issuer by, as JSON, to be freed. */
static char *
facts_text(const struct init *init)
{
	const struct issuer_description *described = &init->description;
	const struct issuer_facts *facts;
	char name[ISSUER_NAME_BYTES], *text = NULL;
	struct json json = {.stream = NULL};
	char key_id[2 * 64 + 1] = "";
	size_t len = 0;

	json.stream = open_memstream(&text, &len);
	if (json.stream == NULL)
		return NULL;
	json_open(&json, NULL, '{');
	if (init->issuer != NULL) {
		facts = issuer_facts(init->issuer);
		for (size_t i = 0; i < facts->key_id.len && i < 64; i++)
			snprintf(
			    key_id + 2 * i, 3, "%02x", facts->key_id.data[i]);
		json_string(&json, "subject",
		    issuer_name_text(&facts->subject, name, sizeof(name)));
		json_string(&json, "serial", described->serial);
		json_string(&json, "sha1", described->sha1);
		json_string(&json, "subject_sha1", described->subject_sha1);
		if (key_id[0] != '\0')
			json_string(&json, "key_id", key_id);
	}
	json_close(&json, '}');
	if (fclose(json.stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* The one that it is; NULL: that cannot be told. */
static const struct source_issuer *
issuer_choose(const struct source_issuers *issuers)
{
	const struct source_issuer *first = &issuers->issuer[0];

	if (issuers->count == 0)
		return NULL;
	if (first->is_it && (issuers->count == 1 || !first[1].is_it))
		return first;
	return issuers->count == 1 && !first->is_told ? first : NULL;
}

/* The others, or all of them. */
static void
issuers_tell(struct init *init, const struct source_issuer *chosen, size_t most)
{
	const struct source_issuers *issuers = init->issuers;
	const char *before =
	    chosen != NULL ? "The database also has" : "The database has";
	size_t said = 0;

	for (size_t i = 0; i < issuers->count && said < most; i++) {
		const struct source_issuer *issuer = &issuers->issuer[i];

		if (issuer == chosen)
			continue;
		init_why(init, ISSUER_ID, "%s \"%s\" with %" PRIu64 " rows",
		    before, issuer->id, issuer->rows);
		before = "and";
		said++;
	}
	if (said > 0)
		init_why(init, ISSUER_ID,
		    issuers->has_more ||
			    issuers->count > said + (chosen != NULL)
			? "and more."
			: "and no other.");
}

/*
 * A CA whose certificate was renewed may be known by several, of which the
 * certificate tells but one: what the others have revoked would be on no CRL.
 */
static void
untold_warn(struct init *init, const struct source_issuer *chosen)
{
	const struct source_issuers *issuers = init->issuers;
	size_t said = 0;

	for (size_t i = 0; i < issuers->count && said < OTHERS_MOST; i++) {
		const struct source_issuer *issuer = &issuers->issuer[i];

		if (issuer == chosen || issuer->is_told || issuer->rows == 0)
			continue;
		report_warn(init->report, init->object, INIT_RULE, "BR 4.9.7",
		    "%" PRIu64 " revoked rows of \"%.128s\" are left out: it "
		    "may be this issuer, by an older certificate",
		    issuer->rows, issuer->id);
		said++;
	}
	if (said > 0)
		report_hint(init->report,
		    "all that have its name and its key belong into [source] "
		    "issuer_id");
}

/* From what the database knows to [source] issuer_id, or to a question. */
static enum status
issuer_take(struct init *init)
{
	const struct source_issuer *chosen = issuer_choose(init->issuers);

	if (init->issuers->count == 0)
		init_why(init, ISSUER_ID, "The database has no issuer at all.");
	if (chosen == NULL) {
		if (init->issuer != NULL && init->issuers->count > 0)
			init_why(init, ISSUER_ID,
			    "None of them is known to be %s.",
			    init->config->certificate);
		issuers_tell(init, NULL, SOURCE_ISSUERS_MOST);
		init_ask(init, ISSUER_ID, "--issuer-id");
		return STATUS_OK;
	}
	if (chosen->is_it)
		init_why(init, ISSUER_ID,
		    "That of %s; %" PRIu64 " revoked rows are of it.",
		    init->config->certificate, chosen->rows);
	else
		init_why(init, ISSUER_ID,
		    "The only one that the database has, with %" PRIu64
		    " revoked rows.",
		    chosen->rows);
	issuers_tell(init, chosen, OTHERS_MOST);
	if (chosen->is_it)
		untold_warn(init, chosen);
	init->has_issuer_id = true;
	return init_set(
	    init, ISSUER_ID, init->preset->issuers_path, chosen->id);
}

static enum status
issuers_ask(struct init *init, struct source *source)
{
	enum status status = STATUS_OK;
	char *facts = facts_text(init);

	init->issuers = malloc(sizeof(*init->issuers));
	if (init->issuers == NULL || facts == NULL)
		status = no_memory(init);
	if (status == STATUS_OK)
		status = source_issuers(source, init->preset->issuers_path,
		    init->preset->issuers_sql, facts, init->issuers);
	if (status == STATUS_OK)
		status = issuer_take(init);
	free(facts);
	return status;
}

/* Which numbers rows bring along, and what that says of their range. */
static void
shards_tell(struct init *init)
{
	const struct survey *survey = init->survey;
	const struct config *config = init->config;

	if (survey->shard_rows == 0)
		return;
	init_why(init, COUNT,
	    "The rows have %" PRIu32 " numbers of shards, from %" PRId64
	    " to %" PRId64 ".",
	    survey->shard_count, survey->shard_first, survey->shard_last);
	if (init->options->shards == NULL)
		init_why(init, COUNT,
		    "There are as many as the CA writes into certificates, "
		    "with revoked ones among them or not.");
	else if (survey->shard_last >=
		 (int64_t)config->shards.first + config->shards.count)
		init_why(init, COUNT, "That is more than there are to be.");
}

/* How large the CRLs are, and how many would be kind to those who read them. */
static void
size_tell(struct init *init)
{
	const struct survey *survey = init->survey;
	uint64_t entry_bytes;
	uint32_t count;

	if (survey->readable == 0)
		return;
	entry_bytes =
	    (survey->entry_bytes + survey->readable - 1) / survey->readable;
	count = forecast_shard_count(survey->readable, (size_t)entry_bytes,
	    FORECAST_HEADER_BYTES, SHARD_BYTES_KIND);
	init_why(init, COUNT,
	    "%" PRIu64 " entries of %" PRIu64 " octets each are %" PRIu64
	    " kB; %" PRIu32
	    " would keep each CRL below 1000 kB, which is kind to those who "
	    "fetch it. `crlpress plan --sizes` tells what is to come.",
	    survey->readable, entry_bytes, (survey->entry_bytes + 999) / 1000,
	    count);
	if (count > 1 && init->options->shards == NULL &&
	    init->config->shards.count == 1)
		init_why(init, COUNT,
		    "Certificates that name this one CRL stay on it: others "
		    "can only be for those to come.");
}

static void
reasons_tell(struct init *init)
{
	const struct survey *survey = init->survey;
	size_t offset = INIT_OFFSET(profile);
	const char *want, *before = "Reasons of the rows:";

	for (unsigned i = 0; i < SURVEY_REASONS; i++) {
		if (survey->reason[i] == 0)
			continue;
		init_why(init, offset, "%s %" PRIu64 " %s%s", before,
		    survey->reason[i], reason_name((int)i),
		    lint_reason_allowed(init->config->profile, i, &want)
			? ""
			: " (refused)");
		before = "and";
	}
	if (before[0] == 'a')
		init_why(init, offset, "in all.");
}

/* What the rows are like goes where the statement is named, and what follows
 * from it where that is decided. */
static void
survey_tell(struct init *init)
{
	const struct survey *survey = init->survey;
	char first[UTC_ISO_BYTES], last[UTC_ISO_BYTES];

	init_why(init, ROWS,
	    "%" PRIu64 " revoked rows, of which %" PRIu64 " would be refused%s",
	    survey->rows, survey->refused, survey->refused > 0 ? ":" : ".");
	for (size_t i = 0; i < survey->cause_count; i++)
		init_why(init, ROWS, "%" PRIu64 ": %s, as with %s%s",
		    survey->cause[i].count, survey->cause[i].why,
		    survey->cause[i].serial,
		    i + 1 < survey->cause_count ? ";" : ".");
	if (survey->readable > 0) {
		init_why(init, INIT_OFFSET(encoding),
		    "Serials of %zu to %zu octets.", survey->serial_least_len,
		    survey->serial_most_len);
		init_why(init, INIT_OFFSET(lookback_sec),
		    "Expiries from %s to %s; %" PRIu64
		    " rows have expired, and are read as the proof of that.",
		    utc_to_iso(survey->not_after_first_sec, first),
		    utc_to_iso(survey->not_after_last_sec, last),
		    survey->expired);
		reasons_tell(init);
	}
	shards_tell(init);
	size_tell(init);
}

/* The first warns of what a run will say: the file is right nevertheless. */
static void
survey_warn(struct init *init)
{
	const struct survey *survey = init->survey;

	for (size_t i = 0; i < survey->cause_count; i++)
		report_warn(init->report, init->object, INIT_RULE, "BR 4.9.7",
		    "%" PRIu64 " %s would be refused: %s, as with %s",
		    survey->cause[i].count,
		    survey->cause[i].count == 1 ? "row" : "rows",
		    survey->cause[i].why, survey->cause[i].serial);
	if (survey->rows > 0)
		return;
	report_warn(init->report, init->object, INIT_RULE, NULL,
	    "no row is revoked, and `publish` will refuse that");
	report_hint(init->report,
	    "[source] issuer_id has to be right; an issuer that has revoked "
	    "nothing yet needs [gates] allow_empty");
}

/*
 * Rows that all have one number below the first one: a CA that does not number
 * its CRL. True: the range is that number now, and the rows fit.
 */
static bool
first_moves(struct init *init)
{
	const struct survey *survey = init->survey;
	struct shard_scheme_config *shards = &init->config->shards;

	if (shards->scheme != SHARD_COLUMN || survey->shard_rows == 0 ||
	    survey->shard_first != survey->shard_last ||
	    survey->shard_first < 0 || survey->shard_first >= shards->first ||
	    init->options->shards == NULL || shards->count != 1)
		return false;
	shards->first = (uint32_t)survey->shard_first;
	init_value_at(init, FIRST)->kind = INIT_SET;
	init_why(init, FIRST, "All rows have the number %" PRIu32 ".",
	    shards->first);
	return true;
}

/* The rows, and once more where the first look changed what they are to be. */
static enum status
survey_ask(struct init *init, struct source *source)
{
	enum status status;

	init->survey = malloc(sizeof(*init->survey));
	if (init->survey == NULL)
		return no_memory(init);
	status = survey_rows(
	    source, init->config, init->now_sec, init->report, init->survey);
	if (status == STATUS_OK && first_moves(init))
		status = survey_rows(source, init->config, init->now_sec,
		    init->report, init->survey);
	if (status != STATUS_OK)
		return status;
	init->was_asked = true;
	survey_tell(init);
	survey_warn(init);
	return STATUS_OK;
}

/* A connection of its own: a source has one issuer, from its beginning. */
static enum status
source_ask(
    struct init *init, enum status (*ask)(struct init *, struct source *))
{
	struct crl_view subject = {0};
	struct source_points points;
	struct source_config config;
	struct source *source = NULL;
	enum status status;

	if (init->issuer != NULL)
		subject = issuer_facts(init->issuer)->subject;
	points = config_points(init->config, subject);
	config = config_source(init->config, &points);
	/* It is not the preset's. */
	if (init->options->conninfo != NULL)
		config.file = NULL;
	status = source_open(&config, init->report, &source);
	if (status == STATUS_OK)
		status = ask(init, source);
	source_close(source);
	return status;
}

enum status
init_database(struct init *init)
{
	struct config *config = init->config;
	const char *given = init->options->issuer_id;
	enum status status = STATUS_OK;

	if (config->shards.scheme == SHARD_CDP && !init->has_url)
		return report_fault(init->report, STATUS_USAGE, init->object,
		    INIT_RULE, NULL,
		    "the scheme cdp compares the certificates of the rows "
		    "with the URL, want --url");
	if (given != NULL) {
		status = init_set(init, ISSUER_ID, "--issuer-id", given);
		init->has_issuer_id = true;
	} else if (config->issuer_id == NULL) {
		init->has_issuer_id = true; /* none is asked for */
	} else if (init->preset->issuers_sql != NULL &&
		   config_source_kind(config) == SOURCE_DATABASE) {
		status = source_ask(init, issuers_ask);
	} else {
		init_ask(init, ISSUER_ID, "--issuer-id");
	}
	if (status == STATUS_OK && init->has_issuer_id)
		status = source_ask(init, survey_ask);
	else if (status == STATUS_OK)
		init_why(init, ROWS,
		    "The rows were not looked at: whose they are is not "
		    "known.");
	return status;
}
