/* SPDX-License-Identifier: ISC */
/*
 * What a function that can fail returns, and what the process exits with.
 * One table in status.c gives each status its name, exit status and text;
 * the exit statuses are part of the interface (crlpress(1), EXIT STATUS).
 */
#ifndef CRLPRESS_STATUS_H
#define CRLPRESS_STATUS_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
	STATUS_OK,
	/* Exits of their own. */
	STATUS_FAILED,  /* could not be done; nothing was changed */
	STATUS_USAGE,   /* the command line is wrong */
	STATUS_CONFIG,  /* a configuration file is wrong */
	STATUS_REFUSED, /* a gate refused; the old shards stand */
	STATUS_PARTIAL, /* partly uploaded; safe to run again */
	STATUS_FAULTY,  /* verify found faults */
	STATUS_LOCKED,  /* another run holds the lock */
	/* For callers inside the program; as an exit each means "failed". */
	STATUS_NO_MEMORY,
	STATUS_IO,
	STATUS_MALFORMED, /* input that is not what its format asks for */
	STATUS_NOT_FOUND,
	STATUS_CONFLICT,   /* a compare-and-swap found something else */
	STATUS_DONE,       /* an iteration has no more to give; not a failure */
	STATUS_UNREADABLE, /* one object of a store, not the store */
	STATUS_COUNT
};

/* "refused", for --json. Never NULL. */
const char *status_name(enum status status);

/* A sentence for a person. Never NULL. */
const char *status_text(enum status status);

/* The exit status of the process: 0, 1, 2, 3, 4, 5 or 75. */
int status_exit(enum status status);

/* The status itself where it has an exit of its own, else STATUS_FAILED. */
enum status status_public(enum status status);

/*
 * The graver of two, where one exit status must stand for several issuers:
 * usage and configuration, failed, partial, faulty, refused, locked, ok.
 */
enum status status_graver(enum status a, enum status b);

#endif
