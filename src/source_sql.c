/* SPDX-License-Identifier: ISC */
/*
 * A scanner of SQL that knows just enough to leave alone what is not a
 * placeholder: PostgreSQL manual, 4.1 "Lexical Structure", and psql's
 * variable interpolation, whose form of placeholder it takes.
 */
#include "crlpress/source_sql.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Where the scanner is, and what came out so far. */
struct scan {
	const char *at;
	const struct source_sql_literals *literals;
	struct source_sql_fault *fault;
	unsigned line;
	bool ended;         /* a semicolon was read */
	const char *wanted; /* a placeholder that is looked for, or NULL */
	bool found;
	char *out;
	size_t len;
};

struct placeholder {
	const char *name;
	size_t offset; /* of its literal in struct source_sql_literals */
};

static const struct placeholder placeholders[] = {
    {"issuer", offsetof(struct source_sql_literals, issuer)},
    {"lookback", offsetof(struct source_sql_literals, lookback)},
    {"shard", offsetof(struct source_sql_literals, shard)},
    {"serial", offsetof(struct source_sql_literals, serial)},
    {"part", offsetof(struct source_sql_literals, part)},
    {"parts", offsetof(struct source_sql_literals, parts)},
    {"from", offsetof(struct source_sql_literals, from)},
    {"to", offsetof(struct source_sql_literals, to)},
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' ||
	       c == '\v';
}

/* An identifier starts with a letter, _ or an octet above ASCII. */
static bool
is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       ((unsigned char)c & 0x80) != 0;
}

static bool
is_word(char c)
{
	return is_word_start(c) || (c >= '0' && c <= '9');
}

static enum status
scan_fault(struct scan *scan, const char *what, const char *hint)
{
	scan->fault->what = what;
	scan->fault->hint = hint;
	scan->fault->line = scan->line;
	return STATUS_CONFIG;
}

static enum status
scan_emit(struct scan *scan, const char *text, size_t len)
{
	if (len >= SOURCE_SQL_BYTES_MOST - scan->len)
		return scan_fault(scan, "the statement is too long", NULL);
	memcpy(scan->out + scan->len, text, len);
	scan->len += len;
	return STATUS_OK;
}

/* Copies `len` octets of the statement as they are. */
static enum status
scan_copy(struct scan *scan, size_t len)
{
	enum status status = scan_emit(scan, scan->at, len);

	for (size_t i = 0; i < len; i++)
		scan->line += scan->at[i] == '\n';
	scan->at += len;
	return status;
}

/* Quoted text from its opening quote; a doubled quote is one octet of it. */
static enum status
scan_quoted(struct scan *scan, bool escapes)
{
	char quote = *scan->at;
	const char *p = scan->at + 1;

	for (; *p != '\0'; p++) {
		if (escapes && *p == '\\' && p[1] != '\0')
			p++;
		else if (*p == quote && p[1] == quote)
			p++;
		else if (*p == quote)
			return scan_copy(scan, (size_t)(p + 1 - scan->at));
	}
	return scan_fault(scan, "a quote that does not end", NULL);
}

/* E'...' alone has escapes; e is a word of its own then. */
static enum status
scan_word(struct scan *scan)
{
	size_t len = 1;
	bool escapes = *scan->at == 'e' || *scan->at == 'E';
	enum status status;

	/* A dollar sign may stand within an identifier, not start one. */
	while (is_word(scan->at[len]) || scan->at[len] == '$')
		len++;
	escapes = escapes && len == 1 && scan->at[1] == '\'';
	status = scan_copy(scan, len);
	if (status == STATUS_OK && escapes)
		status = scan_quoted(scan, true);
	return status;
}

/* $tag$...$tag$; a dollar sign that opens none is an octet like others. */
static enum status
scan_dollar(struct scan *scan)
{
	const char *p = scan->at + 1;
	size_t tag_len;

	if (is_word_start(*p)) {
		while (is_word(*p))
			p++;
	}
	if (*p != '$')
		return scan_copy(scan, 1);
	tag_len = (size_t)(p + 1 - scan->at);
	for (p++; *p != '\0'; p++) {
		if (strncmp(p, scan->at, tag_len) == 0)
			return scan_copy(
			    scan, (size_t)(p - scan->at) + tag_len);
	}
	return scan_fault(scan, "a dollar quote that does not end", NULL);
}

/* From -- to the end of the line; comments of the other kind nest. */
static enum status
scan_comment(struct scan *scan)
{
	const char *p = scan->at + 2;
	unsigned depth = 1;

	if (*scan->at == '-')
		return scan_copy(scan, strcspn(scan->at, "\r\n"));
	while (*p != '\0') {
		if (p[0] == '/' && p[1] == '*') {
			depth++;
			p += 2;
		} else if (p[0] == '*' && p[1] == '/') {
			p += 2;
			if (--depth == 0)
				return scan_copy(scan, (size_t)(p - scan->at));
		} else {
			p++;
		}
	}
	return scan_fault(scan, "a comment that does not end", NULL);
}

static const char *
literal_find(const struct scan *scan, const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]);
	     i++) {
		const struct placeholder *p = &placeholders[i];
		const char *literal;

		if (strlen(p->name) != len || memcmp(p->name, name, len) != 0)
			continue;
		memcpy(&literal, (const char *)scan->literals + p->offset,
		    sizeof(literal));
		return literal;
	}
	return NULL;
}

/* Which there are in this statement. */
static const char *
placeholders_hint(const struct source_sql_literals *literals)
{
	if (literals->shard != NULL)
		return "the placeholders are :'issuer', :'lookback' and "
		       ":'shard'";
	if (literals->serial != NULL)
		return "the placeholders are :'issuer', :'lookback' and "
		       ":'serial'";
	if (literals->part != NULL)
		return "the placeholders are :'issuer', :'lookback', :'part' "
		       "and :'parts'";
	return "the placeholders are :'issuer' and :'lookback'";
}

static enum status
scan_unknown(struct scan *scan, const char *name, size_t len, const char *hint)
{
	if (len >= SOURCE_SQL_NAME_BYTES)
		len = SOURCE_SQL_NAME_BYTES - 1;
	memcpy(scan->fault->name, name, len);
	scan->fault->name[len] = '\0';
	return scan_fault(scan, "an unknown placeholder", hint);
}

/*
 * A colon. The literal gets blanks around it, so that it runs into nothing:
 * B'...' and 'a''b' mean something else.
 */
static enum status
scan_colon(struct scan *scan)
{
	const char *name = scan->at + 1;
	const char *literal;
	size_t len = 0;
	enum status status;

	if (*name == ':' || *name == '=')
		return scan_copy(scan, 2);
	if (is_word_start(*name)) {
		while (is_word(name[len]))
			len++;
		return scan_unknown(scan, name, len,
		    "the placeholders are :'issuer' and :'lookback'; in an "
		    "array slice put a blank after the colon");
	}
	if (*name != '\'' && *name != '"')
		return scan_copy(scan, 1);
	name++;
	len = strcspn(name, name[-1] == '"' ? "\"" : "'");
	literal = name[-1] == '\'' && name[len] == '\''
		      ? literal_find(scan, name, len)
		      : NULL;
	if (literal == NULL)
		return scan_unknown(
		    scan, name, len, placeholders_hint(scan->literals));
	if (scan->wanted != NULL && strlen(scan->wanted) == len &&
	    memcmp(scan->wanted, name, len) == 0)
		scan->found = true;
	status = scan_emit(scan, " ", 1);
	if (status == STATUS_OK)
		status = scan_emit(scan, literal, strlen(literal));
	if (status == STATUS_OK)
		status = scan_emit(scan, " ", 1);
	scan->at = name + len + 1;
	return status;
}

/* The next piece of the statement. */
static enum status
scan_step(struct scan *scan)
{
	char c = *scan->at;

	if (is_blank(c))
		return scan_copy(scan, 1);
	if ((c == '-' && scan->at[1] == '-') ||
	    (c == '/' && scan->at[1] == '*'))
		return scan_comment(scan);
	if (scan->ended)
		return scan_fault(scan, "more than one statement",
		    "only a SELECT, VALUES or TABLE can be read from");
	if (c == ';') {
		scan->ended = true;
		scan->at++;
		return scan_emit(scan, " ", 1);
	}
	if (is_word(c))
		return scan_word(scan);
	if (c == '\'' || c == '"')
		return scan_quoted(scan, false);
	if (c == '$')
		return scan_dollar(scan);
	if (c == ':')
		return scan_colon(scan);
	return scan_copy(scan, 1);
}

/* The whole statement; scan->out is for the caller to free. */
static enum status
scan_run(struct scan *scan)
{
	enum status status = STATUS_OK;

	*scan->fault = (struct source_sql_fault){0};
	scan->line = 1;
	scan->out = malloc(SOURCE_SQL_BYTES_MOST);
	if (scan->out == NULL)
		return STATUS_NO_MEMORY;
	while (status == STATUS_OK && *scan->at != '\0')
		status = scan_step(scan);
	scan->out[scan->len] = '\0';
	return status;
}

enum status
source_sql_expand(const char *sql, const struct source_sql_literals *literals,
    char **expanded, struct source_sql_fault *fault)
{
	struct scan scan = {.at = sql, .literals = literals, .fault = fault};
	enum status status = scan_run(&scan);
	char *fitting;

	if (status != STATUS_OK) {
		free(scan.out);
		return status;
	}
	fitting = realloc(scan.out, scan.len + 1);
	*expanded = fitting != NULL ? fitting : scan.out;
	return STATUS_OK;
}

bool
source_sql_has(const char *sql, const char *name)
{
	static const struct source_sql_literals any = {
	    "''", "''", "''", "''", "''", "''", "''", "''"};
	struct source_sql_fault fault;
	struct scan scan = {
	    .at = sql, .literals = &any, .fault = &fault, .wanted = name};
	bool found = scan_run(&scan) == STATUS_OK && scan.found;

	free(scan.out);
	return found;
}
