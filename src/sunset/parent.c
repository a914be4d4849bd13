/* SPDX-License-Identifier: ISC */
/*
 * Starts the process that answers and stays behind it: SIGHUP reads the
 * configuration again and passes it on when it is good; SIGTERM and SIGINT
 * let it drain; its counts go to the file. When it ends of itself, so does
 * this one, with a failure: whoever started it starts it again.
 */
#include "parent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counts.h"
#include "counts_hour.h"
#include "expiry_gate.h"
#include "notify.h"
#include "server.h"
#include "wire.h"

/* After its drain_timeout the other process has this long to end. */
#define END_MS 5000

/* Of a message there are not more, since a line has 40 bytes at the least. */
#define RECORDS_MOST 512

struct parent {
	const struct sunset_context *context;
	const struct parent_options *options;
	struct sunset_config *config; /* in force */
	struct sunset_config *next;   /* sent, not yet in force */
	struct counts_file *counts;
	struct counts_hour *hour;
	sigset_t signals;
	int signal_fd;
	int wire[2]; /* ours, the child's */
	pid_t pid;
	bool draining;
	bool reload_again; /* SIGHUP came while a reload was under way */
	bool ended;        /* it said that it has ended */
	bool lost;         /* counts, since the last time that was counted */
	int64_t kill_ms;   /* when draining */
	struct privilege privilege;
	char *message; /* of WIRE_BYTES_MOST + 1 */
	struct count_record record[RECORDS_MOST];
};

static enum status
config_read(struct parent *parent, struct report *report,
    struct sunset_config **config, char **text, size_t *len)
{
	const struct parent_options *options = parent->options;
	enum status status =
	    sunset_config_load(options->config_path, report, config, text, len);

	if (status == STATUS_OK && options->threads > 0)
		(*config)->threads = options->threads;
	return status;
}

/* BR 4.9.9: at the start, and for each new configuration. */
static enum status
gate_check(const struct parent *parent, const struct sunset_config *config,
    struct report *report)
{
	const struct parent_options *options = parent->options;
	struct expiry_gate gate = {
	    .path = config->expiry_file,
	    .max_age_sec = config->expiry_max_age_sec,
	    .has_last = config->has_last_expiry,
	    .last_sec = config->last_expiry_sec,
	    .override = config->override,
	};

	/* The later one: only `override` opens a gate that is shut. */
	if (options->has_last_expiry &&
	    (!gate.has_last || options->last_expiry_sec > gate.last_sec)) {
		gate.has_last = true;
		gate.last_sec = options->last_expiry_sec;
	}
	return expiry_gate_check(&gate, parent->context->clock_sec(), report);
}

static bool
is_given(const struct server_start *start, int fd)
{
	for (uint32_t i = 0; i < start->given.count; i++)
		if (start->given.fd[i] == fd)
			return true;
	return start->given.metrics == fd;
}

/* The parent's own, and whatever whoever started us forgot to close. */
static void
descriptors_close(const struct server_start *start)
{
	int last = start->parent_fd;

	for (uint32_t i = 0; i < start->given.count; i++)
		if (start->given.fd[i] > last)
			last = start->given.fd[i];
	if (start->given.metrics > last)
		last = start->given.metrics;
	for (int fd = STDERR_FILENO + 1; fd < last; fd++)
		if (fd != start->parent_fd && !is_given(start, fd))
			(void)close(fd);
	(void)close_range((unsigned)last + 1, ~0U, 0);
}

/* The child: never returns. */
static void
child_run(
    struct parent *parent, struct server_start *start, struct report *report)
{
	enum status status;

	start->parent_fd = parent->wire[1];
	descriptors_close(start);
	status = server_run(start, report);
	report_close(report);
	_exit(status_exit(status_public(status)));
}

static enum status
signals_open(struct parent *parent, struct report *report)
{
	sigemptyset(&parent->signals);
	sigaddset(&parent->signals, SIGHUP);
	sigaddset(&parent->signals, SIGTERM);
	sigaddset(&parent->signals, SIGINT);
	sigaddset(&parent->signals, SIGCHLD);
	/* Blocked in the child too, which hears of them from here. */
	if (sigprocmask(SIG_BLOCK, &parent->signals, NULL) == 0)
		parent->signal_fd =
		    signalfd(-1, &parent->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (parent->signal_fd >= 0)
		return STATUS_OK;
	return report_fault(
	    report, STATUS_IO, "signals", "start", NULL, "%s", strerror(errno));
}

static enum status
child_start(struct parent *parent, struct report *report)
{
	struct server_start start = {
	    .context = parent->context,
	    .config_name = parent->options->config_path,
	    .config = parent->config,
	};
	enum status status;

	status = listener_take(parent->context, report, &start.given);
	if (status == STATUS_OK && start.given.count == 0 &&
	    parent->config->listens == 0)
		status = report_fault(report, STATUS_CONFIG,
		    parent->options->config_path, "listen", NULL,
		    "neither `listen` nor a socket handed over");
	if (status == STATUS_OK)
		status = privilege_find(
		    parent->config->user, report, &start.privilege);
	if (status != STATUS_OK)
		return status;
	if (wire_open(parent->wire) != STATUS_OK)
		return report_fault(report, STATUS_IO, "server", "start", NULL,
		    "socketpair: %s", strerror(errno));
	parent->privilege = start.privilege;
	/* What is buffered would be written twice. */
	(void)fflush(NULL);
	parent->pid = fork();
	if (parent->pid == 0)
		child_run(parent, &start, report);
	(void)close(parent->wire[1]);
	for (uint32_t i = 0; i < start.given.count; i++)
		(void)close(start.given.fd[i]);
	if (start.given.metrics >= 0)
		(void)close(start.given.metrics);
	if (parent->pid > 0)
		return STATUS_OK;
	return report_fault(report, STATUS_IO, "server", "start", NULL,
	    "fork: %s", strerror(errno));
}

/* SIGHUP would find out too late. */
static void
reload_foresee(const char *path, struct report *report)
{
	if (path == NULL || access(path, R_OK) == 0)
		return;
	report_warn(report, path, "user", NULL,
	    "SIGHUP will not be able to read it: %s", strerror(errno));
}

/*
 * What root was needed for is done: the sockets are the child's, the counts
 * file is open. What SIGHUP reads, `user` must be able to read.
 */
static enum status
root_drop(struct parent *parent, struct report *report)
{
	enum status status = privilege_drop(&parent->privilege, report);

	if (status != STATUS_OK)
		return status;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	reload_foresee(parent->options->config_path, report);
	reload_foresee(parent->config->expiry_file, report);
	return STATUS_OK;
}

/* A new configuration goes to the child when nothing is wrong with it. */
static void
reload(struct parent *parent, struct report *report)
{
	const char *name = parent->options->config_path;
	struct sunset_config *next = NULL;
	char *text = NULL;
	size_t len = 0;

	if (parent->next != NULL) {
		parent->reload_again = true;
		return;
	}
	notify_reloading(parent->context);
	if (config_read(parent, report, &next, &text, &len) == STATUS_OK &&
	    gate_check(parent, next, report) == STATUS_OK &&
	    wire_send(parent->wire[0], WIRE_CONFIG, text, len) == STATUS_OK) {
		sunset_config_compare(name, parent->config, next, report);
		parent->next = next;
	} else {
		report_warn(report, name, "reload", NULL,
		    "the configuration in force stays");
		sunset_config_free(next);
		notify_send(parent->context, NOTIFY_READY);
	}
	free(text);
}

static void
reload_done(struct parent *parent, bool taken, struct report *report)
{
	const char *name = parent->options->config_path;

	if (parent->next == NULL)
		return;
	if (taken) {
		report_note(report, name, "in force");
		sunset_config_free(parent->config);
		parent->config = parent->next;
	} else {
		report_warn(report, name, "reload", NULL,
		    "the configuration in force stays: no memory for another");
		sunset_config_free(parent->next);
	}
	parent->next = NULL;
	notify_send(parent->context, NOTIFY_READY);
	if (!parent->reload_again)
		return;
	parent->reload_again = false;
	reload(parent, report);
}

static void
drain(struct parent *parent)
{
	if (parent->draining)
		return;
	parent->draining = true;
	parent->kill_ms = parent->context->mono_ms() +
			  parent->config->drain_sec * 1000 + END_MS;
	notify_send(parent->context, NOTIFY_STOPPING);
	(void)!wire_send(parent->wire[0], WIRE_DRAIN, "", 0);
}

/*
 * What was lost was not counted: the time it belongs to, which comes after
 * it, is left out, since nobody may take it for silence.
 */
static void
counts_append(struct parent *parent, size_t records, struct report *report)
{
	size_t kept = 0;

	if (parent->counts == NULL)
		return;
	for (size_t i = 0; i < records; i++) {
		bool up = parent->record[i].up_sec > 0;

		if (!up || !parent->lost)
			parent->record[kept++] = parent->record[i];
		if (up)
			parent->lost = false;
	}
	/* A time that is the last of these is lost with them. */
	if (counts_file_append(parent->counts, parent->record, kept, report) !=
	    STATUS_OK)
		parent->lost = parent->record[kept - 1].up_sec == 0;
}

/* Lines from the process that reads the network: believed only as records. */
static void
counts_take(
    struct parent *parent, const char *text, size_t len, struct report *report)
{
	const char *why = "";
	size_t records = 0;
	size_t at = 0;

	while (at < len && records < RECORDS_MOST) {
		const char *lf = memchr(text + at, '\n', len - at);
		size_t line = lf == NULL ? 0 : (size_t)(lf - text) - at;

		if (lf == NULL ||
		    count_record_parse(text + at, line,
			&parent->record[records], &why) != STATUS_OK) {
			(void)report_fault(report, STATUS_MALFORMED, "counts",
			    "wire", NULL, "a line is dropped: %s", why);
			parent->lost = true;
			break;
		}
		records++;
		at += line + 1;
	}
	counts_append(parent, records, report);
}

/* false when the other end is gone. */
static bool
message_take(struct parent *parent, struct report *report)
{
	enum wire_kind kind = WIRE_END;
	const char *text = "";
	size_t len = 0;

	if (wire_receive(parent->wire[0], parent->message, &kind, &text,
		&len) != STATUS_OK)
		return false;
	switch (kind) {
	case WIRE_READY:
		report_note(report, "server", "ready");
		notify_send(parent->context, NOTIFY_READY);
		break;
	case WIRE_TAKEN:
	case WIRE_KEPT:
		reload_done(parent, kind == WIRE_TAKEN, report);
		break;
	case WIRE_COUNTS:
		counts_take(parent, text, len, report);
		break;
	case WIRE_HOUR:
		counts_hour_add(parent->hour, text, len);
		break;
	case WIRE_SAVE:
		counts_hour_save(parent->hour, parent->counts, report);
		break;
	case WIRE_END:
		/* All was appended; what could not be is known to be lost. */
		counts_hour_clear(parent->hour);
		parent->ended = true;
		break;
	default:
		(void)report_fault(report, STATUS_MALFORMED, "server", "wire",
		    NULL, "unknown message");
		break;
	}
	return true;
}

static void
signal_take(struct parent *parent, struct report *report)
{
	struct signalfd_siginfo info;

	while (read(parent->signal_fd, &info, sizeof(info)) ==
	       (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			if (!parent->draining)
				reload(parent, report);
			break;
		case SIGTERM:
		case SIGINT:
			drain(parent);
			break;
		default:
			/* SIGCHLD: its end of the wire says the same. */
			break;
		}
	}
}

/* Each event has a report of its own: a report bounds what it repeats. */
static bool
event_take(struct parent *parent, const struct pollfd *from)
{
	struct report *report = report_new(parent->context->err, SEVERITY_NOTE);
	bool goes_on = true;

	if (report == NULL)
		return true;
	if (from[0].revents != 0)
		signal_take(parent, report);
	if (from[1].revents != 0)
		goes_on = message_take(parent, report);
	report_close(report);
	report_free(report);
	return goes_on;
}

static int
wait_ms(const struct parent *parent)
{
	int64_t left;

	if (!parent->draining)
		return -1;
	left = parent->kill_ms - parent->context->mono_ms();
	return left < 0 ? 0 : (int)left + 1;
}

/* Until the child is gone. */
static void
parent_loop(struct parent *parent)
{
	struct pollfd from[2] = {
	    {.fd = parent->signal_fd, .events = POLLIN},
	    {.fd = parent->wire[0], .events = POLLIN},
	};

	for (;;) {
		int n = poll(from, 2, wait_ms(parent));

		if (parent->draining &&
		    parent->context->mono_ms() >= parent->kill_ms)
			(void)kill(parent->pid, SIGKILL);
		if (n > 0 && !event_take(parent, from))
			return;
	}
}

/* How it ended; what it reported itself is not said again. */
static enum status
child_end(struct parent *parent, struct report *report)
{
	int result = 0;

	while (waitpid(parent->pid, &result, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(result) && WEXITSTATUS(result) == 0 && parent->ended)
		return STATUS_OK;
	if (WIFSIGNALED(result))
		return report_fault(report, STATUS_FAILED, "server", "end",
		    NULL, "the process that answers was ended by signal %d",
		    WTERMSIG(result));
	return WIFEXITED(result) &&
		       WEXITSTATUS(result) == status_exit(STATUS_CONFIG)
		   ? STATUS_CONFIG
		   : STATUS_FAILED;
}

/* The counts file, and what an earlier process could not append to it. */
static enum status
counts_open(struct parent *parent, struct report *report)
{
	const char *path = parent->config->counts;
	enum status status = counts_file_open(path, report, &parent->counts);

	if (status == STATUS_OK)
		status = counts_hour_open(path, report, &parent->hour);
	if (status == STATUS_OK)
		status =
		    counts_hour_recover(parent->hour, parent->counts, report);
	return status;
}

enum status
parent_run(const struct sunset_context *context,
    const struct parent_options *options, struct report *report)
{
	struct parent *parent = calloc(1, sizeof(*parent));
	enum status status;

	if (parent == NULL)
		return STATUS_NO_MEMORY;
	parent->context = context;
	parent->options = options;
	parent->signal_fd = -1;
	parent->message = malloc(WIRE_BYTES_MOST + 1);
	status = parent->message == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	if (status == STATUS_OK)
		status =
		    config_read(parent, report, &parent->config, NULL, NULL);
	if (status == STATUS_OK)
		status = gate_check(parent, parent->config, report);
	if (status == STATUS_OK && parent->config->counts != NULL)
		status = counts_open(parent, report);
	if (status == STATUS_OK)
		status = signals_open(parent, report);
	if (status == STATUS_OK)
		status = child_start(parent, report);
	if (status == STATUS_OK)
		status = root_drop(parent, report);
	if (status == STATUS_OK) {
		parent_loop(parent);
		status = child_end(parent, report);
		/* What it had counted when it was ended. */
		if (!parent->ended && parent->counts != NULL)
			(void)!counts_hour_recover(
			    parent->hour, parent->counts, report);
	}
	counts_hour_close(parent->hour);
	counts_file_close(parent->counts);
	sunset_config_free(parent->next);
	sunset_config_free(parent->config);
	free(parent->message);
	free(parent);
	return status;
}
