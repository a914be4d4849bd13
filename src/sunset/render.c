/* SPDX-License-Identifier: ISC */
/*
 * `ocsp-sunset render`: its options and its files. All of them are looked at
 * before the first is written, and none is replaced without being told to.
 */
#include "render.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/option.h"
#include "crlpress/quantity.h"

#include "counts.h"
#include "render_impl.h"

#define PORT_STANDARD 80
#define RETRY_AFTER_STANDARD 86400

/* A year: HTTP caches may take more for "never". */
#define SEC_MOST 31536000

struct render_options {
	const char *mode;
	struct option_texts hosts;
	const char *port;
	const char *max_age;
	const char *retry_after;
	bool force;
};

#define ROW(name, letter, kind, field, argument, help)                      \
	{                                                                   \
		name, letter, kind, offsetof(struct render_options, field), \
		    argument, help                                          \
	}

static const struct option_row option_rows[] = {
    ROW("mode", 'm', OPTION_TEXT, mode, "MODE",
	"what to answer (unauthorized)"),
    ROW("host", 0, OPTION_TEXTS, hosts, "NAME",
	"only this host; may be given several times"),
    ROW("port", 0, OPTION_TEXT, port, "N", "where to listen (80)"),
    ROW("max-age", 0, OPTION_TEXT, max_age, "DURATION",
	"let caches keep the answer (no-cache)"),
    ROW("retry-after", 0, OPTION_TEXT, retry_after, "DURATION",
	"of the mode 503 (1d)"),
    ROW("force", 'f', OPTION_FLAG, force, NULL, "replace files that are there"),
};

static const struct option_table option_table = {
    option_rows, sizeof(option_rows) / sizeof(option_rows[0])};

/* A file of the directory: the bytes of a mode, or a text. */
struct render_file {
	const char *name;
	void (*print)(const struct render *render, FILE *out);
	bool can_close; /* whether the server can close without an answer */
};

static void
print_health(const struct render *render, FILE *out)
{
	(void)render;
	fputs(RENDER_HEALTH_TEXT, out);
}

static const struct render_file text_files[] = {
    {RENDER_HEALTH_NAME, print_health, true},
    {"nginx.conf", render_nginx, true},
    {"apache.conf", render_apache, false},
    {"haproxy.cfg", render_haproxy, true},
    {"varnish.vcl", render_varnish, false},
    {"cdn.txt", render_cdn, true},
};
#define TEXT_FILES (sizeof(text_files) / sizeof(text_files[0]))

/* One rendering under way. */
struct rendering {
	struct render render;
	struct render_options options;
	int directory_fd;
	struct report *report;
};

char *
render_body_name(enum answer_mode mode, char out[RENDER_BODY_NAME_BYTES])
{
	snprintf(out, RENDER_BODY_NAME_BYTES, "%s.der", answer_mode_name(mode));
	return out;
}

unsigned
render_http_status(enum answer_mode mode)
{
	switch (mode) {
	case ANSWER_GONE:
		return 410;
	case ANSWER_NOT_FOUND:
		return 404;
	case ANSWER_UNAVAILABLE:
		return 503;
	default:
		return 200;
	}
}

char *
render_cache_control(const struct render *render, char out[RENDER_CACHE_BYTES])
{
	if (render->max_age_sec > 0)
		snprintf(out, RENDER_CACHE_BYTES, "max-age=%" PRId64,
		    render->max_age_sec);
	else
		snprintf(out, RENDER_CACHE_BYTES, "no-cache");
	return out;
}

static enum status
usage_fault(struct rendering *rendering, const char *option, const char *text,
    const char *why)
{
	return report_fault(rendering->report, STATUS_USAGE, "usage", NULL,
	    NULL, "--%s %s: %s", option, text, why);
}

static enum status
mode_read(struct rendering *rendering)
{
	const char *text = rendering->options.mode;

	rendering->render.mode = ANSWER_UNAUTHORIZED;
	if (text == NULL)
		return STATUS_OK;
	if (answer_mode_from_name(
		text, strlen(text), &rendering->render.mode) == STATUS_OK &&
	    answer_mode_configurable(rendering->render.mode))
		return STATUS_OK;
	return usage_fault(rendering, "mode", text,
	    "not one of unauthorized, trylater, internalerror, 410, 404, 503, "
	    "close");
}

static enum status
duration_read(struct rendering *rendering, const char *option, const char *text,
    int64_t *sec)
{
	const char *why = NULL;

	if (text == NULL)
		return STATUS_OK;
	if (quantity_duration(text, sec, &why) != STATUS_OK)
		return usage_fault(rendering, option, text, why);
	if (*sec > SEC_MOST)
		return usage_fault(
		    rendering, option, text, "longer than a year");
	return STATUS_OK;
}

static enum status
hosts_check(struct rendering *rendering)
{
	const struct option_texts *hosts = &rendering->options.hosts;

	for (size_t i = 0; i < hosts->count; i++) {
		const char *why = count_host_fault(hosts->text[i]);

		if (why == NULL && strpbrk(hosts->text[i], ":[]") != NULL)
			why = "a name without a port";
		if (why != NULL)
			return usage_fault(
			    rendering, "host", hosts->text[i], why);
	}
	return STATUS_OK;
}

static enum status
options_read(struct rendering *rendering)
{
	const struct render_options *options = &rendering->options;
	struct render *render = &rendering->render;
	enum status status = mode_read(rendering);
	const char *why = NULL;
	uint64_t port = PORT_STANDARD;

	render->hosts = &options->hosts;
	render->retry_after_sec = RETRY_AFTER_STANDARD;
	if (status == STATUS_OK)
		status = duration_read(rendering, "max-age", options->max_age,
		    &render->max_age_sec);
	if (status == STATUS_OK)
		status = duration_read(rendering, "retry-after",
		    options->retry_after, &render->retry_after_sec);
	if (status == STATUS_OK)
		status = hosts_check(rendering);
	if (status == STATUS_OK && options->port != NULL &&
	    quantity_count(options->port, 1, 65535, &port, &why) != STATUS_OK)
		status = usage_fault(rendering, "port", options->port, why);
	render->port = (uint32_t)port;
	return status;
}

/* The configuration names the directory, and quotes it nowhere. */
static bool
path_is_plain(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+";

	return path[strspn(path, plain)] == '\0';
}

/* Made when it is not there. `*path` is the caller's to free. */
static enum status
directory_open(struct rendering *rendering, const char *name, char **path)
{
	*path = NULL;
	if (mkdir(name, 0755) == -1 && errno != EEXIST)
		return report_fault(rendering->report, STATUS_IO, name,
		    "render", NULL, "cannot be made: %s", strerror(errno));
	rendering->directory_fd =
	    open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rendering->directory_fd != -1)
		*path = realpath(name, NULL);
	if (*path == NULL)
		return report_fault(rendering->report, STATUS_IO, name,
		    "render", NULL, "cannot be opened: %s", strerror(errno));
	if (!path_is_plain(*path))
		return report_fault(rendering->report, STATUS_USAGE, *path,
		    "render", NULL,
		    "a path that would need quoting; letters, digits and "
		    "/ . _ - + need none");
	rendering->render.directory = *path;
	return STATUS_OK;
}

/* Whether this file is one for the mode asked for. */
static bool
file_is_due(const struct render *render, const struct render_file *file)
{
	return file->can_close || render->mode != ANSWER_CLOSE;
}

/* Whether a file may be written: it is not there, or --force. */
static enum status
place_check(struct rendering *rendering, const char *name)
{
	struct stat st;

	if (rendering->options.force || fstatat(rendering->directory_fd, name,
					    &st, AT_SYMLINK_NOFOLLOW) == -1)
		return STATUS_OK;
	return report_fault(rendering->report, STATUS_CONFLICT, name, "render",
	    NULL, "is there already");
}

static enum status
places_check(struct rendering *rendering)
{
	enum status status = STATUS_OK;
	char name[RENDER_BODY_NAME_BYTES];

	for (unsigned i = 0; i < ANSWER_MODES; i++) {
		enum answer_mode mode = (enum answer_mode)i;

		if (answer_mode_der(mode) != NULL &&
		    place_check(rendering, render_body_name(mode, name)) !=
			STATUS_OK)
			status = STATUS_CONFLICT;
	}
	for (size_t i = 0; i < TEXT_FILES; i++)
		if (file_is_due(&rendering->render, &text_files[i]) &&
		    place_check(rendering, text_files[i].name) != STATUS_OK)
			status = STATUS_CONFLICT;
	if (status != STATUS_OK)
		report_hint(rendering->report,
		    "nothing was written; --force replaces files");
	return status;
}

static enum status
write_fault(struct rendering *rendering, const char *name)
{
	return report_fault(rendering->report, STATUS_IO, name, "render", NULL,
	    "cannot be written: %s", strerror(errno));
}

/*
 * A new file: with --force beside the old one, which it then replaces; else
 * one that was not there a moment ago either.
 */
static enum status
file_write(
    struct rendering *rendering, const char *name, const void *data, size_t len)
{
	int at = rendering->directory_fd;
	char partial[RENDER_BODY_NAME_BYTES + 8];
	enum status status = STATUS_OK;
	ssize_t n;
	int fd;

	snprintf(partial, sizeof(partial), "%s%s", name,
	    rendering->options.force ? ".new" : "");
	if (rendering->options.force)
		(void)unlinkat(at, partial, 0);
	fd = openat(at, partial,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd == -1)
		return write_fault(rendering, name);
	n = write(fd, data, len);
	if (n >= 0 && (size_t)n != len)
		errno = ENOSPC;
	if (n != (ssize_t)len || fsync(fd) == -1)
		status = write_fault(rendering, name);
	if (close(fd) == -1 && status == STATUS_OK)
		status = write_fault(rendering, name);
	if (status == STATUS_OK && rendering->options.force &&
	    renameat(at, partial, at, name) == -1)
		status = write_fault(rendering, name);
	if (status != STATUS_OK)
		(void)unlinkat(at, partial, 0);
	return status;
}

static enum status
text_write(struct rendering *rendering, const struct render_file *file)
{
	enum status status = STATUS_NO_MEMORY;
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	if (stream == NULL)
		return STATUS_NO_MEMORY;
	file->print(&rendering->render, stream);
	if (fclose(stream) == 0)
		status = file_write(rendering, file->name, text, len);
	free(text);
	return status;
}

static enum status
files_write(struct rendering *rendering, FILE *out)
{
	const struct render *render = &rendering->render;
	enum status status = STATUS_OK;
	char name[RENDER_BODY_NAME_BYTES];

	for (unsigned i = 0; i < ANSWER_MODES && status == STATUS_OK; i++) {
		const uint8_t *der = answer_mode_der((enum answer_mode)i);

		if (der == NULL)
			continue;
		render_body_name((enum answer_mode)i, name);
		status = file_write(rendering, name, der, ANSWER_DER_BYTES);
		if (status == STATUS_OK)
			fprintf(out, "%s/%s\n", render->directory, name);
	}
	for (size_t i = 0; i < TEXT_FILES && status == STATUS_OK; i++) {
		const struct render_file *file = &text_files[i];

		if (!file_is_due(render, file)) {
			report_note(rendering->report, file->name,
			    "not written: this server cannot close a "
			    "connection without an answer");
			continue;
		}
		status = text_write(rendering, file);
		if (status == STATUS_OK)
			fprintf(out, "%s/%s\n", render->directory, file->name);
	}
	return status;
}

static void
help_print(FILE *out)
{
	fprintf(out,
	    "usage: ocsp-sunset render [OPTION...] DIR\n\n"
	    "Write the fixed bodies, and configuration for nginx, Apache, "
	    "HAProxy, Varnish\nand a CDN.\n\n");
	option_help(&option_table, out);
	fprintf(out,
	    "\nExit status: 0 written; 1 failed, or a file was there; 2 "
	    "usage.\n");
}

enum status
sunset_render(int argc, char **argv, FILE *out, struct report *report)
{
	struct rendering rendering = {.report = report, .directory_fd = -1};
	char *path = NULL;
	int operands = 0;
	enum status status = option_parse(
	    &option_table, argc, argv, &rendering.options, report, &operands);

	if (status == STATUS_DONE) {
		help_print(out);
		return STATUS_OK;
	}
	if (status == STATUS_OK)
		status = options_read(&rendering);
	if (status == STATUS_OK && argc - operands != 1)
		status = report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "operands, have %d, want one directory", argc - operands);
	if (status == STATUS_OK)
		status = directory_open(&rendering, argv[operands], &path);
	if (status == STATUS_OK)
		status = places_check(&rendering);
	if (status == STATUS_OK)
		status = files_write(&rendering, out);
	if (status == STATUS_USAGE)
		report_hint(report, "`ocsp-sunset render --help` lists the "
				    "options");
	if (rendering.directory_fd != -1)
		(void)close(rendering.directory_fd);
	free(path);
	return status;
}
