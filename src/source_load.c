/* SPDX-License-Identifier: ISC */
/* The bytes of a source: of a regular file, or what a web server has. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/http.h"
#include "source_file.h"

#define RULE "source"

static enum status
refuse_size(const struct source_config *config, struct report *report)
{
	report_fault(report, STATUS_REFUSED, config->place, RULE, "house rule",
	    "larger than it may be, want at most %" PRIu64 " octets",
	    config->size_most);
	report_hint(report, "[source] size_most");
	return STATUS_REFUSED;
}

static enum status
file_fault(
    const struct source_config *config, struct report *report, const char *what)
{
	return report_fault(report, STATUS_FAILED, config->place, RULE, NULL,
	    "cannot be %s: %s", what, strerror(errno));
}

/* Without waiting for the other end of a FIFO; NULL: it is reported. */
static FILE *
file_open(const struct source_config *config, struct report *report,
    struct stat *st, enum status *status)
{
	int fd =
	    open(config->place, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	FILE *file = fd == -1 ? NULL : fdopen(fd, "r");

	if (file == NULL) {
		*status = file_fault(config, report, "opened");
		if (fd != -1)
			close(fd);
		return NULL;
	}
	if (fstat(fd, st) == -1)
		*status = file_fault(config, report, "examined");
	else if (!S_ISREG(st->st_mode))
		*status = report_fault(report, STATUS_REFUSED, config->place,
		    RULE, "house rule", "not a regular file");
	else if ((uintmax_t)st->st_size > config->size_most)
		*status = refuse_size(config, report);
	else
		return file;
	fclose(file);
	return NULL;
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Whoever writes into it was not done, or is not done now. */
static enum status
file_judge(const struct source_config *config, struct report *report,
    FILE *file, const struct stat *before, size_t len)
{
	struct stat after;

	if (ferror(file) != 0)
		return file_fault(config, report, "read");
	if (fstat(fileno(file), &after) == -1)
		return file_fault(config, report, "examined");
	if (after.st_size == before->st_size &&
	    (uintmax_t)after.st_size == len &&
	    is_same_time(&after.st_mtim, &before->st_mtim))
		return STATUS_OK;
	report_fault(report, STATUS_REFUSED, config->place, RULE, "house rule",
	    "it changed while it was read, have %zu octets, want the %" PRIu64
	    " that it began with",
	    len, (uint64_t)before->st_size);
	report_hint(report, "run again when whoever writes it is done");
	return STATUS_REFUSED;
}

static enum status
file_load(const struct source_config *config, struct report *report,
    uint8_t **bytes, size_t *len)
{
	enum status status = STATUS_OK;
	struct stat st;
	size_t room, n;
	FILE *file = file_open(config, report, &st, &status);

	if (file == NULL)
		return status;
	/* One octet more shows a file that grew meanwhile. */
	room = (size_t)st.st_size + 1;
	*bytes = malloc(room);
	if (*bytes == NULL) {
		status = report_fault(report, STATUS_NO_MEMORY, config->place,
		    RULE, NULL, "out of memory");
	} else {
		n = fread(*bytes, 1, room, file);
		status = file_judge(config, report, file, &st, n);
		*len = status == STATUS_OK ? n : 0;
	}
	fclose(file);
	return status;
}

/* A reply that is not the one asked for, if it is one at all. */
static enum status
refuse_reply(const struct source_config *config, struct report *report,
    const struct http_reply *reply)
{
	if (reply->outcome == HTTP_TOO_LARGE)
		return refuse_size(config, report);
	if (reply->outcome != HTTP_ANSWERED)
		return report_fault(report, STATUS_FAILED, config->place, RULE,
		    NULL, "cannot be fetched: %s", reply->why);
	report_fault(report, STATUS_FAILED, config->place, RULE, NULL,
	    "cannot be fetched: have HTTP status %d, want 200", reply->code);
	if (reply->code >= 300 && reply->code < 400)
		report_hint(report,
		    "redirects are not followed: write down where it leads");
	return STATUS_FAILED;
}

static enum status
url_load(const struct source_config *config, struct report *report,
    uint8_t **bytes, size_t *len)
{
	const struct http_config client = {
	    .ca_file = config->ca_file,
	    .connections = 1,
	    .connect_timeout_sec = config->connect_timeout_sec,
	    .stall_timeout_sec = config->fetch_timeout_sec,
	    .request_timeout_sec = config->fetch_timeout_sec,
	    .http2 = true,
	    .cancelled = config->cancelled,
	};
	const struct http_request request = {
	    .method = HTTP_GET,
	    .url = config->place,
	    .reply_most = config->size_most,
	};
	struct http_reply reply = {.code = 0};
	struct http *http = NULL;
	enum status status = http_open(&client, report, &http);

	if (status != STATUS_OK)
		return status;
	status = http_call(http, &request, &reply);
	if (status == STATUS_NO_MEMORY) {
		status = report_fault(
		    report, status, config->place, RULE, NULL, "out of memory");
	} else if (status != STATUS_OK || reply.code != 200) {
		status = refuse_reply(config, report, &reply);
	} else {
		*bytes = reply.body;
		*len = reply.body_len;
		reply.body = NULL;
	}
	http_reply_free(&reply);
	http_close(http);
	return status;
}

enum status
source_load(const struct source_config *config, struct report *report,
    uint8_t **bytes, size_t *len)
{
	*bytes = NULL;
	*len = 0;
	return config->kind == SOURCE_CRL && source_place_is_url(config->place)
		   ? url_load(config, report, bytes, len)
		   : file_load(config, report, bytes, len);
}
