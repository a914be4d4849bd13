/* SPDX-License-Identifier: ISC */
/*
 * `ocsp-sunset report`: its options, the files it reads, and what its three
 * forms share. The exit status is the verdict.
 */
#include "sunset_report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/option.h"
#include "crlpress/quantity.h"

#include "counts_read.h"
#include "sunset_config.h"
#include "sunset_report_impl.h"

/* The rule when nothing is said. */
#define BELOW_STANDARD 100
#define DAYS_STANDARD 30

#define DAYS_SHOWN_STANDARD 14

/* More is no number of requests a day to wait for. */
#define BELOW_MOST 1000000000000ULL

#define WEEK 7

static const char per_day[] = "/day";

struct report_options {
	const char *config;
	const char *html;
	const char *threshold;
	const char *during;
	struct option_time now;
	uint32_t days;
	bool json;
	bool ocsp_only;
	bool assume_complete;
};

#define ROW(name, letter, kind, field, argument, help)                      \
	{                                                                   \
		name, letter, kind, offsetof(struct report_options, field), \
		    argument, help                                          \
	}

static const struct option_row option_rows[] = {
    ROW("config", 'c', OPTION_TEXT, config, "FILE",
	"take the counts file and the threshold from there"),
    ROW("threshold", 0, OPTION_TEXT, threshold, "N/day",
	"retire when every day has fewer requests (100/day)"),
    ROW("for", 0, OPTION_TEXT, during, "DURATION",
	"for that many whole days (30d)"),
    ROW("ocsp-only", 0, OPTION_FLAG, ocsp_only, NULL,
	"judge only what holds an OCSP request that can be read"),
    ROW("assume-complete", 0, OPTION_FLAG, assume_complete, NULL,
	"take days that were not counted for silent ones"),
    ROW("days", 0, OPTION_COUNT, days, "N", "days in the table (14)"),
    ROW("html", 0, OPTION_TEXT, html, "FILE", "write a page, too"),
    ROW("json", 0, OPTION_FLAG, json, NULL, "report on stdout as JSON"),
    ROW("now", 0, OPTION_TIME, now, "TIME",
	"the time of the report, as 2026-12-01T06:00:00Z"),
};

static const struct option_table option_table = {
    option_rows, sizeof(option_rows) / sizeof(option_rows[0])};

/* One report being made. */
struct making {
	struct report_options options;
	struct verdict_rule rule;
	struct sunset_config *config; /* or NULL */
	struct trend *trend;
	struct report *report;
};

static enum status
usage_fault(struct report *report, const char *option, const char *text,
    const char *why)
{
	return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
	    "--%s %s: %s", option, text, why);
}

/* "100/day" */
static enum status
threshold_read(struct making *making, const char *text)
{
	size_t len = strlen(text);
	size_t suffix = sizeof(per_day) - 1;
	char number[24] = "";
	const char *why = "not a number a day, like 100/day";

	if (len <= suffix || strcmp(text + len - suffix, per_day) != 0 ||
	    len - suffix >= sizeof(number))
		return usage_fault(making->report, "threshold", text, why);
	memcpy(number, text, len - suffix);
	if (quantity_count(number, 1, BELOW_MOST, &making->rule.below, &why) !=
	    STATUS_OK)
		return usage_fault(making->report, "threshold", text, why);
	return STATUS_OK;
}

static enum status
during_read(struct making *making, const char *text)
{
	const char *why = NULL;
	int64_t sec = 0;

	if (quantity_duration(text, &sec, &why) != STATUS_OK)
		return usage_fault(making->report, "for", text, why);
	if (sec % TREND_DAY_SEC != 0 || sec < TREND_DAY_SEC ||
	    sec / TREND_DAY_SEC > VERDICT_DAYS_MOST)
		return usage_fault(making->report, "for", text,
		    "not a number of whole days, from 1 to 3650");
	making->rule.days = (uint32_t)(sec / TREND_DAY_SEC);
	return STATUS_OK;
}

static enum status
config_read(struct making *making)
{
	enum status status;

	if (making->options.config == NULL)
		return STATUS_OK;
	status = sunset_config_load(making->options.config, making->report,
	    &making->config, NULL, NULL);
	if (status != STATUS_OK)
		return status;
	making->rule.below = making->config->retire_below;
	making->rule.days = making->config->retire_days;
	return STATUS_OK;
}

/* The command line goes before the configuration. */
static enum status
rule_make(struct making *making)
{
	const struct report_options *options = &making->options;
	enum status status;

	making->rule = (struct verdict_rule){.below = BELOW_STANDARD,
	    .days = DAYS_STANDARD,
	    .ocsp_only = options->ocsp_only,
	    .assume_complete = options->assume_complete};
	status = config_read(making);
	if (status == STATUS_OK && options->threshold != NULL)
		status = threshold_read(making, options->threshold);
	if (status == STATUS_OK && options->during != NULL)
		status = during_read(making, options->during);
	return status;
}

static const char *
record_take(void *context, const struct count_record *record)
{
	return trend_add(context, record);
}

static enum status
files_read(struct making *making, int count, char **paths)
{
	const struct counts_taker taker = {record_take, making->trend};
	enum status status = STATUS_OK;

	for (int i = 0; i < count; i++) {
		enum status read =
		    counts_read(paths[i], &taker, making->report);
		uint64_t strays = trend_file_end(making->trend);

		if (read != STATUS_OK)
			status = read;
		if (strays > 0)
			report_warn(making->report, paths[i], "counts", NULL,
			    "lines of hours to come, or of 20 years ago, "
			    "passed over: %" PRIu64 "; a clock was wrong",
			    strays);
	}
	return status;
}

/* Those of the command line, or that of the configuration. */
static enum status
counts_gather(struct making *making, int count, char **paths)
{
	char *configured =
	    making->config != NULL ? making->config->counts : NULL;

	if (count > 0)
		return files_read(making, count, paths);
	if (configured != NULL)
		return files_read(making, 1, &configured);
	return report_fault(making->report, STATUS_USAGE, "usage", NULL, NULL,
	    "no counts file: name one, or a configuration that does");
}

static enum status
html_fault(struct making *making, const char *path)
{
	return report_fault(making->report, STATUS_IO, path, "html", NULL,
	    "cannot be written: %s", strerror(errno));
}

/* Beside the file first, so that a page is always whole. */
static enum status
html_write(struct making *making, const struct sunset_findings *findings)
{
	const char *path = making->options.html;
	enum status status = STATUS_OK;
	char *partial = NULL;
	FILE *stream = NULL;
	int fd;

	if (asprintf(&partial, "%s.XXXXXX", path) == -1)
		return STATUS_NO_MEMORY;
	fd = mkostemp(partial, O_CLOEXEC);
	if (fd != -1)
		stream = fdopen(fd, "w");
	if (stream == NULL) {
		status = html_fault(making, path);
		if (fd != -1)
			(void)close(fd);
		goto out;
	}
	sunset_report_html(findings, stream);
	/* mkostemp gives nobody else a right; a page is to be shown. */
	if (fflush(stream) != 0 || ferror(stream) || fchmod(fd, 0644) == -1)
		status = html_fault(making, path);
	if (fclose(stream) != 0 && status == STATUS_OK)
		status = html_fault(making, path);
	if (status == STATUS_OK && rename(partial, path) == -1)
		status = html_fault(making, path);
	if (status != STATUS_OK)
		(void)unlink(partial);
out:
	free(partial);
	return status;
}

static enum status
making_tell(struct making *making, FILE *out, int64_t now_sec)
{
	struct verdict verdict = verdict_make(making->trend, &making->rule);
	struct sunset_findings findings = {making->trend, &making->rule,
	    &verdict, making->options.days, now_sec};
	enum status status = STATUS_OK;

	if (findings.days_shown == 0)
		findings.days_shown = DAYS_SHOWN_STANDARD;
	trend_sort(making->trend, making->rule.days);
	if (making->options.html != NULL)
		status = html_write(making, &findings);
	if (status != STATUS_OK)
		return status;
	if (making->options.json)
		sunset_report_json(&findings, out);
	else
		sunset_report_text(&findings, out);
	return verdict.may_retire ? STATUS_OK : STATUS_REFUSED;
}

static void
help_print(FILE *out)
{
	fprintf(out,
	    "usage: ocsp-sunset report [OPTION...] [COUNTS-FILE...]\n\n"
	    "How the requests die away, and whether the name can go.\n\n");
	option_help(&option_table, out);
	fprintf(out,
	    "\nExit status: 0 the name may go; 3 not yet; 1 failed; 2 usage "
	    "or configuration.\n");
}

enum status
sunset_report(
    int argc, char **argv, FILE *out, int64_t now_sec, struct report *report)
{
	struct making making = {.report = report};
	int operands = 0;
	enum status status = option_parse(
	    &option_table, argc, argv, &making.options, report, &operands);

	if (status == STATUS_DONE) {
		help_print(out);
		return STATUS_OK;
	}
	if (making.options.now.given)
		now_sec = making.options.now.sec;
	if (status == STATUS_OK)
		status = rule_make(&making);
	if (status == STATUS_OK) {
		making.trend = trend_new(now_sec);
		if (making.trend == NULL)
			status = STATUS_NO_MEMORY;
	}
	if (status == STATUS_OK)
		status =
		    counts_gather(&making, argc - operands, argv + operands);
	if (status == STATUS_OK)
		status = making_tell(&making, out, now_sec);
	if (status == STATUS_USAGE)
		report_hint(report, "`ocsp-sunset report --help` lists the "
				    "options");
	trend_free(making.trend);
	sunset_config_free(making.config);
	return status;
}

struct sunset_sums
sunset_sums_of(
    const struct sunset_findings *findings, const uint64_t day[TREND_DAYS])
{
	size_t today = findings->trend->today;
	struct sunset_sums sums = {0};

	sums.period =
	    trend_sum(day, trend_before(today, findings->rule->days), today);
	sums.week = trend_sum(day, today - WEEK, today);
	sums.week_before =
	    trend_sum(day, today - 2 * (size_t)WEEK, today - WEEK);
	for (size_t i = TREND_DAYS; i > 0 && !sums.ever; i--) {
		sums.ever = day[i - 1] > 0;
		sums.last = i - 1;
	}
	return sums;
}

size_t
sunset_first_day(const struct sunset_findings *findings)
{
	const struct trend *trend = findings->trend;

	return trend->has_first ? trend->first : trend->today;
}

char *
sunset_change(
    uint64_t week, uint64_t week_before, char out[SUNSET_CHANGE_BYTES])
{
	double percent;

	if (week == 0 || week_before == 0) {
		snprintf(out, SUNSET_CHANGE_BYTES, "%s",
		    week > 0          ? "new"
		    : week_before > 0 ? "gone"
				      : "");
		return out;
	}
	percent = 100 * ((double)week / (double)week_before - 1);
	if (percent > 9999)
		snprintf(out, SUNSET_CHANGE_BYTES, "> +9999 %%");
	else
		snprintf(out, SUNSET_CHANGE_BYTES, "%+.0f %%", percent);
	return out;
}

char *
sunset_share(uint64_t part, uint64_t whole, char out[SUNSET_SHARE_BYTES])
{
	double percent = whole > 0 ? 100 * ((double)part / (double)whole) : 0;

	snprintf(
	    out, SUNSET_SHARE_BYTES, "%.1f", percent > 100 ? 100 : percent);
	return out;
}
