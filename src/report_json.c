/* SPDX-License-Identifier: ISC */
/* Findings as JSON. */
#include "crlpress/report_json.h"

static void
print_finding(const struct finding *finding, struct json *json)
{
	json_open(json, NULL, '{');
	json_string(json, "severity", severity_name(finding->severity));
	json_string(json, "object", finding->object);
	json_string(json, "rule", finding->rule);
	json_string(json, "clause", finding->clause);
	json_string(json, "text", finding->text);
	json_close(json, '}');
}

static void
print_report(const struct report *report, enum status status, struct json *json)
{
	json_open(json, "findings", '[');
	for (size_t i = 0; i < report_kept(report); i++)
		print_finding(report_finding(report, i), json);
	json_close(json, ']');
	json_uint(json, "faults", report_count(report, SEVERITY_FAULT));
	json_uint(json, "warnings", report_count(report, SEVERITY_WARNING));
	json_string(json, "status", status_name(status));
	json_uint(json, "exit", (uint64_t)status_exit(status));
}

void
report_json_begin(struct json *json, FILE *stream, const char *name)
{
	json->stream = stream;
	json_open(json, NULL, '{');
	if (name != NULL)
		json_open(json, name, '[');
}

void
report_json_end(
    const struct report *report, enum status status, struct json *json)
{
	json_close(json, ']');
	print_report(report, status, json);
	json_close(json, '}');
	json_end(json);
}
