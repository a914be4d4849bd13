/* SPDX-License-Identifier: ISC */
/*
 * BR 4.9.9: as long as a certificate names the responder, it owes signed
 * answers. What the operator says and what the database said must both be in
 * the past.
 */
#include "expiry_gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/expiry.h"
#include "crlpress/fd_io.h"
#include "crlpress/quantity.h"
#include "crlpress/utc.h"

static const char rule[] = "ocsp-expiry";
static const char clause[] = "BR 4.9.9";

/* Longest text of a fault. */
#define FAULT_BYTES 512

/*
 * A fault, or with the override a warning and STATUS_OK. Whoever cannot say
 * that the last one has expired may not start either: it is one status.
 */
static enum status __attribute__((format(printf, 4, 5)))
gate_fault(const struct expiry_gate *gate, const char *object,
    struct report *report, const char *format, ...)
{
	char text[FAULT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!gate->override)
		return report_fault(
		    report, STATUS_REFUSED, object, rule, clause, "%s", text);
	report_warn(report, object, rule, clause, "%s", text);
	return STATUS_OK;
}

/* At most `size` bytes of a regular file; `*len` is `size` for a longer one. */
static enum status
file_read(int fd, char *text, size_t size, size_t *len)
{
	struct stat st;
	ssize_t n;

	*len = 0;
	if (fstat(fd, &st) == -1)
		return STATUS_IO;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return STATUS_IO;
	}
	n = fd_read(fd, text, size);
	if (n == -1)
		return STATUS_IO;
	*len = (size_t)n;
	return STATUS_OK;
}

static enum status
file_parse(const struct expiry_gate *gate, struct report *report,
    struct expiry *expiry, bool *read)
{
	char text[EXPIRY_BYTES_MOST];
	const char *why = NULL;
	enum status status;
	size_t len = 0, line = 0;
	/* Not to wait for the other end where it is a pipe. */
	int fd = open(gate->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*read = false;
	if (fd == -1)
		return gate_fault(gate, gate->path, report,
		    "cannot be opened: %s", strerror(errno));
	status = file_read(fd, text, sizeof(text), &len);
	if (status != STATUS_OK)
		status = gate_fault(gate, gate->path, report,
		    "cannot be read: %s", strerror(errno));
	else if (expiry_parse(text, len, expiry, &line, &why) != STATUS_OK)
		status = gate_fault(
		    gate, gate->path, report, "line %zu: %s", line, why);
	else
		*read = true;
	(void)close(fd);
	return status;
}

static enum status
file_check(
    const struct expiry_gate *gate, int64_t now_sec, struct report *report)
{
	char last[UTC_ISO_BYTES] = "none";
	char made[UTC_ISO_BYTES];
	char now[UTC_ISO_BYTES];
	char age[QUANTITY_DURATION_BYTES];
	struct expiry expiry;
	const char *why = NULL;
	bool read = false;
	enum status status = file_parse(gate, report, &expiry, &read);

	if (!read)
		return status;
	if (expiry.has_last)
		utc_to_iso(expiry.last_sec, last);
	utc_to_iso(expiry.made_sec, made);
	if (expiry_judge(&expiry, now_sec, &why) != STATUS_OK)
		return gate_fault(gate, gate->path, report,
		    "%s, have last-expiry %s made %s, now %s", why, last, made,
		    utc_to_iso(now_sec, now));
	if (expiry.made_sec < now_sec - gate->max_age_sec) {
		status = gate_fault(gate, gate->path, report,
		    "too old: others may have been issued since, have made "
		    "%s, now %s, want at most %s",
		    made, utc_to_iso(now_sec, now),
		    quantity_duration_text(gate->max_age_sec, age));
		if (status != STATUS_OK)
			report_hint(report,
			    "run `crlpress ocsp-gate` again, best of all "
			    "before each start; `expiry_max_age` says how old "
			    "it may be");
		return status;
	}
	report_note(report, gate->path,
	    "last certificate that may name a responder: %s (asked %s)", last,
	    made);
	return STATUS_OK;
}

/* What the operator says. */
static enum status
date_check(
    const struct expiry_gate *gate, int64_t now_sec, struct report *report)
{
	char last[UTC_ISO_BYTES];
	char now[UTC_ISO_BYTES];

	utc_to_iso(gate->last_sec, last);
	if (gate->last_sec >= now_sec)
		return gate_fault(gate, "last-expiry", report,
		    "a certificate that may name the responder has not "
		    "expired yet, have last-expiry %s, now %s",
		    last, utc_to_iso(now_sec, now));
	report_note(report, "last-expiry",
	    "last certificate that may name a responder, as configured: %s",
	    last);
	return STATUS_OK;
}

enum status
expiry_gate_check(
    const struct expiry_gate *gate, int64_t now_sec, struct report *report)
{
	enum status status = STATUS_OK;

	if (gate->override)
		report_warn(report, "ocsp-sunset", rule, clause,
		    "the gate is overridden: answers are unsigned whether or "
		    "not a certificate names this responder");
	if (gate->path == NULL && !gate->has_last) {
		status = gate_fault(gate, "ocsp-sunset", report,
		    "nothing says until when certificates name a responder");
		if (status != STATUS_OK)
			report_hint(report,
			    "give the file of `crlpress ocsp-gate`, or the "
			    "date of the last expiry");
		return status;
	}
	if (gate->path != NULL)
		status = file_check(gate, now_sec, report);
	if (status == STATUS_OK && gate->has_last)
		status = date_check(gate, now_sec, report);
	return status;
}
