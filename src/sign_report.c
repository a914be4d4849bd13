/* SPDX-License-Identifier: ISC */
/* What a person sees before anything is signed, and a program after it. */
#include <inttypes.h>
#include <stdio.h>

#include "crlpress/utc.h"
#include "sign_impl.h"

static void
show_shard(const struct sign_shard *shard, FILE *stream)
{
	const struct request_shard *asked = shard->asked;
	char previous[UINT160_DECIMAL_BYTES] = "-";

	if (asked->has_previous)
		uint160_to_decimal(&asked->previous, previous);
	fprintf(
	    stream, "%8" PRIu32 " %10" PRIu64, asked->index, asked->entries);
	if (shard->is_compared)
		fprintf(stream, " %8" PRIu64 " %8" PRIu64 " %8" PRIu64,
		    shard->added, shard->removed, shard->changed);
	else
		fprintf(stream, " %8s %8s %8s", "?", "?", "?");
	fprintf(stream, "  %-14s %s\n", previous, asked->url);
}

/* Where the CRLs before are not here, the request's counts are hearsay. */
static void
show_uncompared(const struct sign *sign)
{
	size_t count = 0;

	for (size_t i = 0; i < sign->request.shard_count; i++)
		count += !sign->shard[i].is_compared;
	if (count > 0)
		fprintf(sign->shown,
		    "of %zu shards the CRL before is not here: what they add "
		    "and remove is not known\n",
		    count);
}

void
sign_show(const struct sign *sign)
{
	const struct request *request = &sign->request;
	const struct issuer_facts *facts = issuer_facts(sign->issuer);
	char name[ISSUER_NAME_BYTES], hex[HASH_HEX_BYTES], iso[UTC_ISO_BYTES];
	char number[UINT160_DECIMAL_BYTES], last[UINT160_DECIMAL_BYTES];
	FILE *stream = sign->shown;

	fprintf(stream, "%s: %zu CRLs to be signed\n", request->issuer,
	    request->shard_count);
	fprintf(stream, "  issuer       %s\n",
	    issuer_name_text(&facts->subject, name, sizeof(name)));
	fprintf(stream, "  certificate  %s\n",
	    hash_to_hex(&request->issuer_sha256, hex));
	fprintf(stream, "  request      %s%s\n",
	    hash_to_hex(&sign->request_sha256, hex),
	    sign->is_again ? " (begun before)" : "");
	fprintf(stream, "  number       %s, after %s\n",
	    uint160_to_decimal(&request->number, number),
	    uint160_is_zero(&sign->last)
		? "none that was signed here"
		: uint160_to_decimal(&sign->last, last));
	fprintf(stream, "  thisUpdate   %s\n",
	    utc_to_iso(request->this_update_sec, iso));
	fprintf(stream, "  nextUpdate   %s\n",
	    utc_to_iso(request->next_update_sec, iso));
	for (size_t i = 0; i < request->passed_count; i++)
		fprintf(stream, "  let pass     %s\n", request->passed[i]);
	fprintf(stream, "%8s %10s %8s %8s %8s  %-14s %s\n", "shard", "entries",
	    "added", "removed", "changed", "before", "url");
	for (size_t i = 0; i < request->shard_count; i++)
		show_shard(&sign->shard[i], stream);
	show_uncompared(sign);
	(void)fflush(stream);
}

static void
print_json_shard(const struct sign_shard *shard, struct json *json)
{
	const struct request_shard *asked = shard->asked;
	char hex[HASH_HEX_BYTES];

	json_open(json, NULL, '{');
	json_uint(json, "index", asked->index);
	json_string(json, "url", asked->url);
	json_uint(json, "entries", asked->entries);
	if (shard->is_compared) {
		json_uint(json, "added", shard->added);
		json_uint(json, "removed", shard->removed);
		json_uint(json, "changed", shard->changed);
	} else {
		json_null(json, "added");
		json_null(json, "removed");
		json_null(json, "changed");
	}
	json_string(json, "tbs_sha256", hash_to_hex(&asked->sha256, hex));
	json_string(json, "sha256",
	    shard->is_signed ? hash_to_hex(&shard->made.sha256, hex) : NULL);
	json_close(json, '}');
}

void
sign_print_json(const struct sign *sign, enum status status, struct json *json)
{
	const struct request *request = &sign->request;
	char hex[HASH_HEX_BYTES], iso[UTC_ISO_BYTES];
	char number[UINT160_DECIMAL_BYTES];

	json_open(json, NULL, '{');
	json_string(json, "issuer", sign->config->name);
	json_string(json, "status", status_name(status));
	json_string(
	    json, "number", uint160_to_decimal(&request->number, number));
	json_string(
	    json, "request_sha256", hash_to_hex(&sign->request_sha256, hex));
	json_string(
	    json, "this_update", utc_to_iso(request->this_update_sec, iso));
	json_string(
	    json, "next_update", utc_to_iso(request->next_update_sec, iso));
	json_open(json, "shards", '[');
	for (size_t i = 0; sign->shard != NULL && i < request->shard_count; i++)
		print_json_shard(&sign->shard[i], json);
	json_close(json, ']');
	json_close(json, '}');
}
