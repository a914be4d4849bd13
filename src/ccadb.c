/* SPDX-License-Identifier: ISC */
/*
 * A reader of what one field of the CCADB holds: RFC 8259's array of strings
 * and nothing else.
 */
#include "crlpress/ccadb.h"

#include <stdlib.h>

#include "crlpress/json_text.h"

struct parse {
	struct json_text json;
	struct ccadb_urls *urls;
	size_t room;
};

static enum status
string_read(struct parse *parse)
{
	struct ccadb_urls *urls = parse->urls;
	char **list = urls->url;
	enum status status;
	size_t room;
	char *url;

	if (json_text_peek(&parse->json) != '"')
		return json_text_fault(&parse->json, "not a string");
	if (urls->count == CCADB_URLS_MOST)
		return json_text_fault(
		    &parse->json, "more URLs than an issuer has shards");
	if (urls->count == parse->room) {
		parse->room = parse->room == 0 ? 64 : parse->room * 2;
		list = reallocarray(list, parse->room, sizeof(*list));
		if (list == NULL)
			return STATUS_NO_MEMORY;
		urls->url = list;
	}
	room = json_text_room(&parse->json);
	url = malloc(room);
	if (url == NULL)
		return STATUS_NO_MEMORY;
	status = json_text_string(&parse->json, url, room);
	if (status != STATUS_OK) {
		free(url);
		return status;
	}
	urls->url[urls->count++] = url;
	return STATUS_OK;
}

static enum status
array_read(struct parse *parse)
{
	enum status status;

	json_text_skip_blanks(&parse->json);
	if (json_text_peek(&parse->json) != '[')
		return json_text_fault(&parse->json, "not a JSON array");
	parse->json.at++;
	json_text_skip_blanks(&parse->json);
	if (json_text_peek(&parse->json) == ']') {
		parse->json.at++;
		return STATUS_OK;
	}
	for (;;) {
		json_text_skip_blanks(&parse->json);
		status = string_read(parse);
		if (status != STATUS_OK)
			return status;
		json_text_skip_blanks(&parse->json);
		if (json_text_peek(&parse->json) == ']') {
			parse->json.at++;
			return STATUS_OK;
		}
		if (json_text_peek(&parse->json) != ',')
			return json_text_fault(&parse->json,
			    "neither a comma nor the array's end");
		parse->json.at++;
	}
}

enum status
ccadb_parse(const char *text, size_t len, struct ccadb_urls *urls,
    size_t *offset, const char **why)
{
	struct parse parse = {.json = {.text = text, .len = len}, .urls = urls};
	enum status status;

	*urls = (struct ccadb_urls){0};
	if (len > CCADB_BYTES_MOST)
		status = json_text_fault(
		    &parse.json, "larger than all URLs together");
	else
		status = array_read(&parse);
	if (status == STATUS_OK) {
		json_text_skip_blanks(&parse.json);
		if (parse.json.at < len)
			status = json_text_fault(
			    &parse.json, "more behind the array");
	}
	*offset = parse.json.at;
	*why = parse.json.why;
	if (status != STATUS_OK)
		ccadb_free(urls);
	return status;
}

void
ccadb_free(struct ccadb_urls *urls)
{
	for (size_t i = 0; i < urls->count; i++)
		free(urls->url[i]);
	free(urls->url);
	*urls = (struct ccadb_urls){0};
}
