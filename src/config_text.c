/* SPDX-License-Identifier: ISC */
/*
 * Reading and judging the text files of a configuration. SQL is not parsed
 * here, only told apart into quotes, comments and the rest, as PostgreSQL's
 * manual has it (4.1, Lexical Structure); the server has the last word.
 */
#include "crlpress/config_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/fd_io.h"
#include "crlpress/utf8.h"

static enum status
text_refuse(char why[CONFIG_WHY_BYTES], const char *what, int error)
{
	if (error != 0)
		snprintf(
		    why, CONFIG_WHY_BYTES, "%s: %s", what, strerror(error));
	else
		snprintf(why, CONFIG_WHY_BYTES, "%s", what);
	return STATUS_IO;
}

/* Opens without waiting for the other end of a FIFO; -1: `why` is filled. */
static int
text_open(const char *path, size_t most, char why[CONFIG_WHY_BYTES])
{
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1) {
		(void)text_refuse(why, "cannot be opened", errno);
		return -1;
	}
	if (fstat(fd, &st) == -1)
		(void)text_refuse(why, "cannot be examined", errno);
	else if (!S_ISREG(st.st_mode))
		(void)text_refuse(why, "not a regular file", 0);
	else if ((uintmax_t)st.st_size > most)
		(void)text_refuse(why, "the file is too large", 0);
	else
		return fd;
	close(fd);
	return -1;
}

enum status
config_text_read(const char *path, size_t most, char **text, size_t *len,
    char why[CONFIG_WHY_BYTES])
{
	enum status status = STATUS_OK;
	char *data = NULL;
	ssize_t used;
	int fd;

	fd = text_open(path, most, why);
	if (fd == -1)
		return STATUS_IO;
	/* One byte more than allowed shows a file that grew meanwhile. */
	data = malloc(most + 2);
	if (data == NULL) {
		status = STATUS_NO_MEMORY;
		goto out;
	}
	used = fd_read(fd, data, most + 1);
	if (used == -1) {
		status = text_refuse(why, "cannot be read", errno);
		goto out;
	}
	if ((size_t)used > most) {
		status = text_refuse(why, "the file is too large", 0);
		goto out;
	}
	data[used] = '\0';
	*text = data;
	*len = (size_t)used;
	data = NULL;
out:
	free(data);
	close(fd);
	return status;
}

enum status
config_text_check(const char *text, size_t len, size_t *line, const char **why)
{
	size_t at = 0;
	uint32_t code;
	size_t n;

	*line = 1;
	*why = NULL;
	for (at = 0; at < len; at += n) {
		unsigned char c = (unsigned char)text[at];

		n = utf8_read(text + at, len - at, &code);
		if (n == 0)
			*why = "not UTF-8 text";
		else if (c == '\0')
			*why = "a NUL byte in the text";
		else if (c == '\r' && (at + 1 == len || text[at + 1] != '\n'))
			*why = "a carriage return without a line feed";
		else if ((c < ' ' && strchr("\t\r\n", c) == NULL) || c == 0x7f)
			*why = "a control character in the text";
		else if (n == 3 && memcmp(text + at, "\xef\xbb\xbf", 3) == 0)
			*why = "a byte order mark in the text";
		if (*why != NULL)
			return STATUS_MALFORMED;
		if (c == '\n')
			(*line)++;
	}
	return STATUS_OK;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

/* Behind the comment that begins at `p`; NULL: it is not closed. */
static char *
sql_comment_end(char *p)
{
	unsigned depth = 0;

	if (p[0] == '-')
		return p + strcspn(p, "\n");
	do {
		if (p[0] == '/' && p[1] == '*') {
			depth++;
			p += 2;
		} else if (p[0] == '*' && p[1] == '/') {
			depth--;
			p += 2;
		} else if (*p++ == '\0') {
			return NULL;
		}
	} while (depth > 0);
	return p;
}

/* Behind the quoted text that begins at `p`; NULL: it is not closed. */
static char *
sql_quote_end(char *p, bool escapes)
{
	char quote = *p++;

	for (; *p != '\0'; p++) {
		if (escapes && *p == '\\' && p[1] != '\0')
			p++;
		else if (*p == quote)
			return p + 1;
	}
	return NULL;
}

/*
 * Behind the dollar-quoted text that begins at `p`; `p` + 1 when the dollar
 * begins none; NULL: it is not closed.
 */
static char *
sql_dollar_end(char *p)
{
	size_t tag = 1;
	char *end;

	if (p[1] >= '0' && p[1] <= '9')
		return p + 1;
	while (is_word(p[tag]))
		tag++;
	if (p[tag] != '$')
		return p + 1;
	tag++;
	for (end = p + tag; *end != '\0'; end++) {
		if (strncmp(end, p, tag) == 0)
			return end + tag;
	}
	return NULL;
}

/* E'...' knows backslashes; the E must not end a longer word. */
static bool
sql_has_escapes(const char *sql, const char *quote)
{
	if (quote == sql || (quote[-1] != 'E' && quote[-1] != 'e'))
		return false;
	return quote - sql < 2 || !is_word(quote[-2]);
}

/* Behind the token at `p`; NULL: it is not closed. */
static char *
sql_token_end(const char *sql, char *p)
{
	if (*p == '\'' || *p == '"')
		return sql_quote_end(p, sql_has_escapes(sql, p));
	/* A dollar within a name begins no quote. */
	if (*p == '$' && (p == sql || !is_word(p[-1])))
		return sql_dollar_end(p);
	return p + 1;
}

static size_t
line_of(const char *text, const char *at)
{
	size_t line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

enum status
config_text_statement(char *sql, size_t *line, const char **why)
{
	char *end = sql; /* behind the last token of the statement */
	char *p = sql;
	char *next;
	bool closed = false;

	for (; *p != '\0'; p = next) {
		bool comment = (p[0] == '-' && p[1] == '-') ||
			       (p[0] == '/' && p[1] == '*');

		next = comment ? sql_comment_end(p) : sql_token_end(sql, p);
		*why = "a quote or comment that is not closed";
		if (next == NULL)
			goto refuse;
		if (comment || is_blank(*p))
			continue;
		if (*p == ';') {
			closed = true;
			continue;
		}
		*why = "more than one SQL statement";
		if (closed)
			goto refuse;
		end = next;
	}
	*why = "no SQL statement";
	p = sql;
	if (end == sql)
		goto refuse;
	*end = '\0';
	return STATUS_OK;
refuse:
	*line = line_of(sql, p);
	return STATUS_MALFORMED;
}
