/* SPDX-License-Identifier: ISC */
/*
 * What the process that answers may still do: nothing with files, no other
 * program, no connection of its own, no new thread. Twice over where the
 * kernel has both: by landlock, which denies objects, and by seccomp, which
 * denies system calls.
 */
#ifndef CRLPRESS_SANDBOX_H
#define CRLPRESS_SANDBOX_H

#include <stdbool.h>

#include "crlpress/report.h"

/*
 * Before threads are started, which inherit it. A kernel that has no landlock
 * is told of by a warning; false then.
 */
bool sandbox_landlock(struct report *report);

/*
 * For all threads of the process; the last thing before the first
 * connection. As above, false with a warning where it cannot be.
 */
bool sandbox_seccomp(struct report *report);

#endif
