/* SPDX-License-Identifier: ISC */
/*
 * The files: the configuration, and copies of the preset's statements beside
 * it, so that an update of the preset changes nobody's CRLs. Nothing that is
 * there is written over, and after a fault nothing new is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/config_text.h"
#include "crlpress/config_value.h"
#include "crlpress/fd_io.h"
#include "init_impl.h"

#define SUFFIX ".cnf"
#define SUFFIX_LEN (sizeof(SUFFIX) - 1)
#define NAME INIT_OFFSET(name)

/* Where the statements are, and what their copies are called: NAME.sql. */
static const struct statement {
	size_t offset;
	const char *suffix;
} statements[] = {
    {INIT_OFFSET(query_file), ".sql"},
    {INIT_OFFSET(shard_query_file), ".shard.sql"},
    {INIT_OFFSET(serial_query_file), ".serial.sql"},
    {INIT_OFFSET(certificate_query_file), ".certificate.sql"},
    {INIT_OFFSET(ocsp_query_file), ".ocsp.sql"},
};

#define STATEMENTS (sizeof(statements) / sizeof(statements[0]))

static enum status
file_fault(struct init *init, const char *path, const char *what)
{
	return report_fault(init->report, STATUS_FAILED, path, INIT_RULE, NULL,
	    "cannot %s: %s", what, strerror(errno));
}

/* Nothing may be there, not even a link that leads nowhere. */
static enum status
path_free(struct init *init, const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0) {
		errno = EEXIST;
		return file_fault(init, path, "be written");
	}
	return errno == ENOENT ? STATUS_OK
			       : file_fault(init, path, "be looked for");
}

static const char *
place_read(const struct init *init, size_t offset)
{
	const char *path;

	memcpy(&path, (const char *)init->config + offset, sizeof(path));
	return path;
}

/* The copy of a statement, malloc'd. */
static char *
copy_path(const struct init *init, const struct statement *statement)
{
	char *path;

	if (asprintf(&path, "%s/%s%s", init->directory, init->config->name,
		statement->suffix) < 0)
		return NULL;
	return path;
}

/* The name: what was given, or that of the file. */
static enum status
name_take(struct init *init, const char *base)
{
	const char *name = init->options->name;
	size_t len = strlen(base);
	char *own = NULL;
	enum status status;

	if (name == NULL && len > SUFFIX_LEN &&
	    strcmp(base + len - SUFFIX_LEN, SUFFIX) == 0)
		len -= SUFFIX_LEN;
	if (name == NULL)
		name = own = strndup(base, len);
	if (name == NULL)
		return STATUS_NO_MEMORY;
	status = init_set(
	    init, NAME, own != NULL ? "name of the file" : "--name", name);
	if (status == STATUS_USAGE && own != NULL)
		report_hint(init->report, "--name gives the issuer another");
	if (status == STATUS_OK)
		init_why(init, NAME,
		    "It stays, whatever the file is called: the state and the "
		    "manifest are known by it.");
	free(own);
	return status;
}

enum status
init_file_find(struct init *init)
{
	const char *out = init->options->out, *base;
	char *parent;

	if (out == NULL && init->options->name != NULL)
		return init_set(init, NAME, "--name", init->options->name);
	if (out == NULL) {
		init_value_at(init, NAME)->kind = INIT_DROP;
		init_why(init, NAME,
		    "The name of the issuer is that of this file without "
		    ".cnf: name = NAME would give it another.");
		return STATUS_OK;
	}
	base = strrchr(out, '/');
	base = base != NULL ? base + 1 : out;
	parent = base > out ? strndup(out, (size_t)(base - out)) : strdup(".");
	if (parent == NULL)
		return STATUS_NO_MEMORY;
	init->directory = realpath(parent, NULL);
	free(parent);
	if (init->directory == NULL)
		return file_fault(init, out, "find its directory");
	if (path_free(init, out) != STATUS_OK)
		return STATUS_FAILED;
	return name_take(init, base);
}

enum status
init_statements(struct init *init)
{
	for (size_t i = 0; i < STATEMENTS; i++) {
		struct init_value *value =
		    init_value_at(init, statements[i].offset);
		enum status status;
		char *path;

		if (place_read(init, statements[i].offset) == NULL)
			continue;
		value->kind = INIT_SET;
		if (init->directory == NULL) {
			init_why(init, statements[i].offset,
			    "Where the preset has it: to be copied, for an "
			    "update may change it.");
			continue;
		}
		path = copy_path(init, &statements[i]);
		if (path == NULL ||
		    asprintf(&value->text, "%s%s", init->config->name,
			statements[i].suffix) < 0) {
			free(path);
			return STATUS_NO_MEMORY;
		}
		status = path_free(init, path);
		free(path);
		if (status != STATUS_OK)
			return status;
		init_why(init, statements[i].offset, "A copy of the preset's.");
	}
	return STATUS_OK;
}

/* All of it, on disk, or no file. */
static enum status
file_make(struct init *init, const char *path, const char *text, size_t len)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	enum status status = STATUS_OK;

	if (fd < 0)
		return file_fault(init, path, "be written");
	if (!fd_write(fd, text, len) || fsync(fd) != 0)
		status = file_fault(init, path, "be written");
	if (close(fd) != 0 && status == STATUS_OK)
		status = file_fault(init, path, "be written");
	if (status != STATUS_OK)
		(void)unlink(path);
	return status;
}

static enum status
statement_copy(
    struct init *init, const struct statement *statement, const char *to)
{
	const char *from = place_read(init, statement->offset);
	char why[CONFIG_WHY_BYTES];
	enum status status;
	char *text = NULL;
	size_t len = 0;

	status =
	    config_text_read(from, CONFIG_FILE_BYTES_MOST, &text, &len, why);
	if (status == STATUS_IO)
		return report_fault(init->report, STATUS_FAILED, from,
		    INIT_RULE, NULL, "%s", why);
	if (status == STATUS_OK)
		status = file_make(init, to, text, len);
	free(text);
	return status;
}

/* What was written is what a run would read, if nothing is left to set. */
static enum status
file_check(struct init *init)
{
	struct config *config = NULL;
	enum status status;

	for (size_t i = 0; config_key(i) != NULL; i++)
		if (init->value[i].kind == INIT_ASK)
			return STATUS_OK;
	status = config_load(init->options->out, init->report, &config);
	config_free(config);
	return status;
}

enum status
init_file_write(struct init *init, const char *text, size_t len)
{
	char *made[STATEMENTS] = {NULL};
	enum status status = STATUS_OK;
	bool written = false;

	for (size_t i = 0; status == STATUS_OK && i < STATEMENTS; i++) {
		if (place_read(init, statements[i].offset) == NULL)
			continue;
		made[i] = copy_path(init, &statements[i]);
		if (made[i] == NULL)
			status = STATUS_NO_MEMORY;
		else
			status = statement_copy(init, &statements[i], made[i]);
		if (status == STATUS_OK)
			continue;
		free(made[i]);
		made[i] = NULL;
	}
	if (status == STATUS_OK) {
		status = file_make(init, init->options->out, text, len);
		written = status == STATUS_OK;
	}
	if (status == STATUS_OK)
		status = file_check(init);
	if (status != STATUS_OK && written)
		(void)unlink(init->options->out);
	for (size_t i = 0; i < STATEMENTS; i++) {
		if (status != STATUS_OK && made[i] != NULL)
			(void)unlink(made[i]);
		free(made[i]);
	}
	return status;
}
