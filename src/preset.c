/* SPDX-License-Identifier: ISC */
#include "crlpress/preset.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crlpress/config_text.h"

#define SUFFIX ".cnf"
#define SUFFIX_LEN (sizeof(SUFFIX) - 1)
#define ISSUERS ".issuers.sql"

/* Columns before what a preset is for, in a list. */
#define NAME_COLUMN 16

/* Of a first comment no more is shown. */
#define TITLE_BYTES 80

static bool
is_path(const char *name)
{
	size_t len = strlen(name);

	return strchr(name, '/') != NULL ||
	       (len > SUFFIX_LEN &&
		   strcmp(name + len - SUFFIX_LEN, SUFFIX) == 0);
}

/* Where it is, and what it is called. */
static enum status
preset_find(const char *directory, const char *name, struct preset *preset)
{
	const char *base;
	size_t len;

	if (is_path(name))
		preset->path = strdup(name);
	else if (asprintf(&preset->path, "%s/%s" SUFFIX, directory, name) < 0)
		preset->path = NULL;
	if (preset->path == NULL)
		return STATUS_NO_MEMORY;
	base = strrchr(preset->path, '/');
	base = base != NULL ? base + 1 : preset->path;
	len = strlen(base);
	if (len > SUFFIX_LEN && strcmp(base + len - SUFFIX_LEN, SUFFIX) == 0)
		len -= SUFFIX_LEN;
	preset->name = strndup(base, len);
	if (asprintf(&preset->issuers_path, "%.*s%s" ISSUERS,
		(int)(base - preset->path), preset->path,
		preset->name != NULL ? preset->name : "") < 0)
		preset->issuers_path = NULL;
	return preset->name != NULL && preset->issuers_path != NULL
		   ? STATUS_OK
		   : STATUS_NO_MEMORY;
}

/* The statement that tells the issuers; that there is none is no fault. */
static enum status
issuers_load(struct preset *preset, struct report *report)
{
	char why[CONFIG_WHY_BYTES];
	const char *text = NULL;
	enum status status;
	size_t line = 1, len = 0;

	if (access(preset->issuers_path, F_OK) != 0 && errno == ENOENT)
		return STATUS_OK;
	status = config_text_read(preset->issuers_path, CONFIG_FILE_BYTES_MOST,
	    &preset->issuers_sql, &len, why);
	if (status == STATUS_NO_MEMORY)
		return status;
	if (status != STATUS_OK)
		return config_file_fault(
		    report, preset->issuers_path, 1, NULL, "%s", why);
	if (config_text_check(preset->issuers_sql, len, &line, &text) ==
		STATUS_OK &&
	    config_text_statement(preset->issuers_sql, &line, &text) ==
		STATUS_OK)
		return STATUS_OK;
	return config_file_fault(
	    report, preset->issuers_path, line, NULL, "%s", text);
}

enum status
preset_load(const char *directory, const char *name, struct report *report,
    struct preset **preset)
{
	struct preset *new = calloc(1, sizeof(*new));
	enum status status = STATUS_NO_MEMORY;

	*preset = NULL;
	if (new != NULL)
		status = preset_find(directory, name, new);
	if (status == STATUS_OK && access(new->path, F_OK) != 0) {
		status = report_fault(report, STATUS_USAGE, new->path, "preset",
		    NULL, "cannot be opened: %s", strerror(errno));
		report_hint(report,
		    "`crlpress init --list` lists the presets; --preset-dir "
		    "names another directory, --preset also the path of a "
		    "file");
	}
	if (status == STATUS_OK)
		status = config_file_read(new->path, report, &new->file);
	if (status == STATUS_OK)
		status = config_load(new->path, report, &new->config);
	if (status == STATUS_OK)
		status = issuers_load(new, report);
	if (status == STATUS_NO_MEMORY)
		report_fault(
		    report, status, name, "preset", NULL, "out of memory");
	if (status == STATUS_OK)
		*preset = new;
	else
		preset_free(new);
	return status;
}

void
preset_free(struct preset *preset)
{
	if (preset == NULL)
		return;
	config_free(preset->config);
	config_file_free(preset->file);
	free(preset->issuers_sql);
	free(preset->issuers_path);
	free(preset->name);
	free(preset->path);
	free(preset);
}

/* The first sentence of a comment at the head of a file. */
static void
title_read(const char *path, char title[TITLE_BYTES])
{
	char why[CONFIG_WHY_BYTES];
	const char *begin, *end;
	char *text = NULL;
	size_t len;

	title[0] = '\0';
	if (config_text_read(path, CONFIG_FILE_BYTES_MOST, &text, &len, why) !=
	    STATUS_OK)
		return;
	begin = text + strspn(text, "# ");
	end = strstr(begin, ". ");
	len = strcspn(begin, "\r\n");
	if (end != NULL && (size_t)(end - begin) < len)
		len = (size_t)(end - begin);
	if (text[0] == '#')
		snprintf(title, TITLE_BYTES, "%.*s", (int)len, begin);
	free(text);
}

enum status
preset_list(const char *directory, struct report *report, FILE *out)
{
	char title[TITLE_BYTES];
	char **paths = NULL;
	size_t count = 0;
	enum status status = config_paths(directory, report, &paths, &count);

	if (status != STATUS_OK)
		report_hint(report, "--preset-dir names the directory of the "
				    "presets");
	for (size_t i = 0; status == STATUS_OK && i < count; i++) {
		const char *slash = strrchr(paths[i], '/');
		const char *base = slash != NULL ? slash + 1 : paths[i];
		size_t len = strlen(base);

		if (len > SUFFIX_LEN)
			len -= SUFFIX_LEN;
		title_read(paths[i], title);
		fprintf(out, "%-*.*s%s\n", NAME_COLUMN, (int)len, base, title);
	}
	config_paths_free(paths, count);
	return status;
}
