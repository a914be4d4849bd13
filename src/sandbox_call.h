/* SPDX-License-Identifier: ISC */
/* The system calls of each role; private to sandbox.c. */
#ifndef CRLPRESS_SANDBOX_CALL_H
#define CRLPRESS_SANDBOX_CALL_H

#include <stddef.h>

#include "crlpress/sandbox.h"

enum sandbox_verdict {
	SANDBOX_CALL_ALLOW,
	SANDBOX_CALL_REFUSE, /* EPERM */
	SANDBOX_CALL_ABSENT, /* ENOSYS: libc then asks in an older way */
	SANDBOX_CALL_END,
	/* Allowed with such arguments, else the end. */
	SANDBOX_CALL_NO_EXEC,    /* memory, but none that can be executed */
	SANDBOX_CALL_NO_ADDRESS, /* send(2), which has none */
	SANDBOX_CALL_STDERR,     /* standard error, and nothing else */
	SANDBOX_CALL_NO_STDERR,  /* any descriptor but standard error */
	SANDBOX_CALL_SEALS,      /* fcntl(2) that asks for seals */
	SANDBOX_CALL_THREAD,     /* a thread, no process */
	SANDBOX_CALL_COUNT
};

struct sandbox_call {
	int number;
	enum sandbox_verdict verdict;
};

/* More than any role has; sandbox_call.c asserts it. */
#define SANDBOX_CALLS_MOST 128

struct sandbox_calls {
	const struct sandbox_call *call;
	size_t count;
	enum sandbox_verdict others; /* ALLOW, REFUSE or END */
};

const struct sandbox_calls *sandbox_calls(enum sandbox_role role);

#endif
