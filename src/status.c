/* SPDX-License-Identifier: ISC */
/*
 * The table of statuses. The order of `gravity` decides which exit status
 * speaks for a run over several issuers: what needs a person first wins.
 */
#include "crlpress/status.h"

struct status_row {
	const char *name;
	const char *text;
	int exit;
	int gravity;
};

static const struct status_row rows[STATUS_COUNT] = {
    [STATUS_OK] = {"ok", "done", 0, 0},
    [STATUS_FAILED] = {"failed", "failed, nothing changed", 1, 5},
    [STATUS_USAGE] = {"usage", "wrong command line", 2, 6},
    [STATUS_CONFIG] = {"config", "wrong configuration", 2, 6},
    [STATUS_REFUSED] = {"refused",
	"a gate refused something, the old shards stand", 3, 2},
    [STATUS_PARTIAL] = {"partial", "partly uploaded, safe to run again", 4, 4},
    [STATUS_FAULTY] = {"faulty", "verify found faults", 5, 3},
    [STATUS_LOCKED] = {"locked", "another run holds the lock", 75, 1},
    [STATUS_NO_MEMORY] = {"no-memory", "out of memory", 1, 5},
    [STATUS_IO] = {"io", "input or output failed", 1, 5},
    [STATUS_MALFORMED] = {"malformed", "malformed input", 1, 5},
    [STATUS_NOT_FOUND] = {"not-found", "not found", 1, 5},
    [STATUS_CONFLICT] = {"conflict", "changed by somebody else", 1, 5},
    [STATUS_DONE] = {"done", "nothing more", 0, 0},
    [STATUS_UNREADABLE] = {"unreadable", "cannot be read", 1, 5},
};

static const struct status_row *
status_row(enum status status)
{
	if ((unsigned)status >= STATUS_COUNT)
		return &rows[STATUS_FAILED];
	return &rows[status];
}

const char *
status_name(enum status status)
{
	return status_row(status)->name;
}

const char *
status_text(enum status status)
{
	return status_row(status)->text;
}

int
status_exit(enum status status)
{
	return status_row(status)->exit;
}

enum status
status_public(enum status status)
{
	return status_exit(status) == 1 ? STATUS_FAILED : status;
}

enum status
status_graver(enum status a, enum status b)
{
	return status_row(b)->gravity > status_row(a)->gravity ? b : a;
}
