/* SPDX-License-Identifier: ISC */
/*
 * The URLs that a configuration stands for. They are expanded by the very
 * function that publishing and judging use.
 */
#include "crlpress/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum status
no_memory(const struct config *config, struct report *report)
{
	return report_fault(report, STATUS_NO_MEMORY, config->name, NULL, NULL,
	    "out of memory");
}

enum status
plan_make(const struct config *config, struct report *report, struct plan *plan)
{
	const struct shard_scheme_config *shards = &config->shards;
	char url[SHARD_NAME_BYTES];
	const char *why = NULL;

	plan->config = config;
	plan->url = calloc(shards->count, sizeof(*plan->url));
	if (plan->url == NULL)
		return no_memory(config, report);
	for (uint32_t n = 0; n < shards->count; n++) {
		if (shard_expand(config->url_pattern, shards->count,
			shards->first + n, url, sizeof(url), &why) != STATUS_OK)
			return report_fault(report, STATUS_CONFIG, config->name,
			    "config", NULL, "url of shard %" PRIu32 ": %s",
			    shards->first + n, why);
		plan->url[n] = strdup(url);
		if (plan->url[n] == NULL)
			return no_memory(config, report);
		plan->count++;
	}
	return STATUS_OK;
}

void
plan_print(const struct plan *plan, FILE *stream)
{
	const struct shard_scheme_config *shards = &plan->config->shards;

	fprintf(stream,
	    "%s: %" PRIu32 " shards, %" PRIu32 " to %" PRIu32
	    "\n  first %s\n  last  %s\n",
	    plan->config->name, shards->count, shards->first,
	    shards->first + (shards->count - 1), plan->url[0],
	    plan->url[plan->count - 1]);
}

void
plan_print_urls(const struct plan *plan, FILE *stream)
{
	for (size_t i = 0; i < plan->count; i++)
		fprintf(stream, "%s\n", plan->url[i]);
}

static void
print_array(const struct plan *plan, const char *name, struct json *json)
{
	json_open(json, name, '[');
	for (size_t i = 0; i < plan->count; i++)
		json_string(json, NULL, plan->url[i]);
	json_close(json, ']');
}

/* CCADB Policy 6.2. */
void
plan_print_ccadb(const struct plan *plan, FILE *stream)
{
	struct json json = {.stream = stream};

	print_array(plan, NULL, &json);
	json_end(&json);
}

void
plan_print_json(const struct plan *plan, struct json *json)
{
	json_open(json, NULL, '{');
	json_string(json, "issuer", plan->config->name);
	json_uint(json, "first", plan->config->shards.first);
	json_uint(json, "count", plan->config->shards.count);
	print_array(plan, "urls", json);
	json_close(json, '}');
}

void
plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->url[i]);
	free(plan->url);
	*plan = (struct plan){0};
}
