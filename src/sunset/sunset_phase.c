/* SPDX-License-Identifier: ISC */
/* Times and phases of a schedule, as text and back. */
#include <string.h>

#include "crlpress/quantity.h"
#include "crlpress/utc.h"

#include "sunset_key.h"

#define DAY_SEC 86400

/* "2026-12-01" */
#define DATE_LEN 10

/* More than any phase that is right has. */
#define PHASE_BYTES 160

static const char phase_why[] =
    "not a phase like 2026-12-01 mode = trylater share = 10% "
    "window = 02:00-04:00";

enum status
sunset_time_parse(const char *text, int64_t *sec)
{
	char full[UTC_ISO_BYTES] = "0000-00-00T00:00:00Z";

	if (strnlen(text, UTC_ISO_BYTES) != DATE_LEN)
		return utc_from_iso(text, sec);
	memcpy(full, text, DATE_LEN);
	return utc_from_iso(full, sec);
}

static bool
two_digits(const char *text, uint32_t most, uint32_t *value)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*value = (uint32_t)(text[0] - '0') * 10 + (uint32_t)(text[1] - '0');
	return *value <= most;
}

/* "hh:mm", and 24:00 for an end. */
static bool
clock_parse(const char *text, bool end, uint32_t *sec)
{
	uint32_t hour = 0;
	uint32_t minute = 0;

	if (!two_digits(text, end ? 24 : 23, &hour) || text[2] != ':' ||
	    !two_digits(text + 3, 59, &minute) || (hour == 24 && minute > 0))
		return false;
	*sec = hour * 3600 + minute * 60;
	return true;
}

static enum status
window_parse(const char *text, struct sunset_phase *phase, const char **why)
{
	*why = "not a window like 02:00-04:00";
	if (strlen(text) != 11 || text[5] != '-' ||
	    !clock_parse(text, false, &phase->window_first_sec) ||
	    !clock_parse(text + 6, true, &phase->window_end_sec))
		return STATUS_MALFORMED;
	*why = "a window that is empty";
	if (phase->window_first_sec == phase->window_end_sec)
		return STATUS_MALFORMED;
	phase->has_window = true;
	return STATUS_OK;
}

static enum status
share_parse(const char *text, struct sunset_phase *phase, const char **why)
{
	if (quantity_percent(text, &phase->share_percent, why) != STATUS_OK)
		return STATUS_MALFORMED;
	*why = "a share of 0%";
	return phase->share_percent > 0 ? STATUS_OK : STATUS_MALFORMED;
}

static enum status
mode_parse(const char *text, struct sunset_phase *phase, const char **why)
{
	*why = "not a mode: unauthorized, trylater, internalerror, 410, 404, "
	       "503 or close";
	if (answer_mode_from_name(text, strlen(text), &phase->mode) !=
		STATUS_OK ||
	    !answer_mode_configurable(phase->mode))
		return STATUS_MALFORMED;
	return STATUS_OK;
}

struct word_row {
	const char *name;
	enum status (*parse)(
	    const char *text, struct sunset_phase *phase, const char **why);
};

static const struct word_row words[] = {
    {"mode", mode_parse},
    {"share", share_parse},
    {"window", window_parse},
};
#define WORDS (sizeof(words) / sizeof(words[0]))

/* The next word of a text that is cut up; "=" is one by itself. */
static char *
word_next(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	size_t len = strcspn(word, " \t");

	if (len == 0)
		return NULL;
	*rest = word + len;
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return word;
}

/* A copy with blanks around each '=', so that there may be none. */
static bool
phase_copy(const char *text, char out[PHASE_BYTES])
{
	size_t at = 0;

	for (; *text != '\0'; text++) {
		if (at + 4 > PHASE_BYTES)
			return false;
		if (*text == '=')
			out[at++] = ' ';
		out[at++] = *text;
		if (*text == '=')
			out[at++] = ' ';
	}
	out[at] = '\0';
	return true;
}

enum status
sunset_phase_parse(
    const char *text, struct sunset_phase *phase, const char **why)
{
	struct sunset_phase read = {.share_percent = 100};
	bool seen[WORDS] = {false};
	char copy[PHASE_BYTES];
	char *rest = copy;
	const char *word;

	*why = phase_why;
	if (!phase_copy(text, copy))
		return STATUS_MALFORMED;
	word = word_next(&rest);
	if (word == NULL ||
	    sunset_time_parse(word, &read.from_sec) != STATUS_OK)
		return STATUS_MALFORMED;
	while ((word = word_next(&rest)) != NULL) {
		const char *equals = word_next(&rest);
		const char *value = word_next(&rest);
		size_t i = 0;

		while (i < WORDS && strcmp(words[i].name, word) != 0)
			i++;
		*why = phase_why;
		if (i == WORDS || seen[i] || equals == NULL ||
		    strcmp(equals, "=") != 0 || value == NULL)
			return STATUS_MALFORMED;
		seen[i] = true;
		if (words[i].parse(value, &read, why) != STATUS_OK)
			return STATUS_MALFORMED;
	}
	*why = "a phase without a mode";
	if (!seen[0])
		return STATUS_MALFORMED;
	*phase = read;
	return STATUS_OK;
}

void
sunset_phase_print(const struct sunset_phase *phase, FILE *stream)
{
	char from[UTC_ISO_BYTES];

	fprintf(stream, "from = %s mode = %s",
	    utc_to_iso(phase->from_sec, from), answer_mode_name(phase->mode));
	if (phase->share_percent != 100)
		fprintf(stream, " share = %u%%", phase->share_percent);
	if (phase->has_window)
		fprintf(stream, " window = %02u:%02u-%02u:%02u",
		    phase->window_first_sec / 3600,
		    phase->window_first_sec / 60 % 60,
		    phase->window_end_sec / 3600,
		    phase->window_end_sec / 60 % 60);
	fputc('\n', stream);
}
