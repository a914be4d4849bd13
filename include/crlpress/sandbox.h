/* SPDX-License-Identifier: ISC */
/*
 * What a process that handles others' bytes, or a key, may still do: by
 * landlock, which denies objects, and by seccomp, which denies system calls.
 * A call that only somebody else's code would make ends the process (SIGSYS);
 * others that its role has no use for fail with EPERM.
 */
#ifndef CRLPRESS_SANDBOX_H
#define CRLPRESS_SANDBOX_H

#include "crlpress/status.h"

enum sandbox_role {
	/* ocsp-sunset's process that answers: no file, no program, no thread,
	 * no connection of its own. */
	SANDBOX_ANSWER,
	/* The signer with a key from a file: nothing but messages, memory,
	 * time and random numbers. */
	SANDBOX_SIGN,
	/* The signer with a token: whatever its module does with files,
	 * sockets, devices and threads; no program, no other process, no other
	 * identity and nothing of the kernel's own. */
	SANDBOX_TOKEN,
	SANDBOX_ROLE_COUNT
};

/*
 * No file, TCP connection or foreign process, for this thread and those that
 * it starts. STATUS_FAILED with static `*why` where the kernel does without.
 */
enum status sandbox_landlock(const char **why) MUST_CHECK;

/*
 * For all threads of the process. As above; no_new_privs is set by both.
 * STATUS_NOT_FOUND where there is no filter for this machine.
 */
enum status sandbox_seccomp(
    enum sandbox_role role, const char **why) MUST_CHECK;

#endif
