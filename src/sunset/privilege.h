/* SPDX-License-Identifier: ISC */
/* Whom the process that answers becomes. */
#ifndef CRLPRESS_PRIVILEGE_H
#define CRLPRESS_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "crlpress/report.h"
#include "crlpress/status.h"

struct privilege {
	bool drop;
	uid_t uid;
	gid_t gid;
};

/*
 * Looks the user up. Root must become somebody; anybody else can become
 * nobody, and is told when `user` is another. `user` may be NULL.
 */
enum status privilege_find(const char *user, struct report *report,
    struct privilege *privilege) MUST_CHECK;

/* Gives up everything for good, capabilities too. */
enum status privilege_drop(
    const struct privilege *privilege, struct report *report) MUST_CHECK;

#endif
