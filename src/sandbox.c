/* SPDX-License-Identifier: ISC */
/*
 * landlock(7) and seccomp(2), by the system calls themselves: which calls a
 * role may make is a table, sandbox_call.c.
 */
#include "crlpress/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_call.h"

/*
 * struct landlock_ruleset_attr as of its sixth version; older headers know
 * less of it, and the size says to the kernel how much is meant.
 */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* Version of landlock, and the file system rights it can deny. */
struct landlock_row {
	long abi;
	uint64_t fs;
};

static const struct landlock_row landlock_rows[] = {
    {5, (1ULL << 16) - 1},
    {3, (1ULL << 15) - 1},
    {2, (1ULL << 14) - 1},
    {1, (1ULL << 13) - 1},
};

/* What threads have their memory from, each from one of these. */
#define ARENAS_MOST 16

/* bind and connect of TCP; abstract sockets and signals to others. */
#define NET_ABI 4
#define NET_ALL 3
#define SCOPED_ABI 6
#define SCOPED_ALL 3

static enum status
kernel_refused(const char **why)
{
	*why = strerror(errno);
	return STATUS_FAILED;
}

static bool
landlock_restrict(long abi)
{
	struct ruleset ruleset = {0};
	size_t size = offsetof(struct ruleset, net);
	long fd;
	bool done;

	for (size_t i = 0; ruleset.fs == 0; i++)
		if (abi >= landlock_rows[i].abi)
			ruleset.fs = landlock_rows[i].fs;
	if (abi >= NET_ABI) {
		ruleset.net = NET_ALL;
		size = offsetof(struct ruleset, scoped);
	}
	if (abi >= SCOPED_ABI) {
		ruleset.scoped = SCOPED_ALL;
		size = sizeof(ruleset);
	}
	/* No rule is added: nothing is permitted. */
	fd = syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	if (fd < 0)
		return false;
	done = syscall(SYS_landlock_restrict_self, (int)fd, 0) == 0;
	(void)close((int)fd);
	return done;
}

enum status
sandbox_landlock(const char **why)
{
	long abi;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return kernel_refused(why);
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1 || !landlock_restrict(abi))
		return kernel_refused(why);
	return STATUS_OK;
}

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

/* x32 calls have this bit; there are none on other machines. */
#define X32_BIT 0x40000000U

/* What an argument must be; both machines have its low half first. */
struct condition {
	unsigned argument;
	uint16_t test; /* BPF_JEQ or BPF_JSET */
	uint32_t value;
	bool wanted;
	bool high; /* the high half is looked at, too: it must be 0 */
};

static const struct condition conditions[SANDBOX_CALL_COUNT] = {
    [SANDBOX_CALL_NO_EXEC] = {2, BPF_JSET, PROT_EXEC, false, false},
    [SANDBOX_CALL_NO_ADDRESS] = {4, BPF_JEQ, 0, true, true},
    [SANDBOX_CALL_STDERR] = {0, BPF_JEQ, STDERR_FILENO, true, false},
    [SANDBOX_CALL_NO_STDERR] = {0, BPF_JEQ, STDERR_FILENO, false, false},
    [SANDBOX_CALL_SEALS] = {1, BPF_JEQ, F_GET_SEALS, true, false},
    [SANDBOX_CALL_THREAD] = {0, BPF_JSET, CLONE_THREAD, true, false},
};

static const uint32_t actions[SANDBOX_CALL_COUNT] = {
    [SANDBOX_CALL_ALLOW] = SECCOMP_RET_ALLOW,
    [SANDBOX_CALL_REFUSE] = SECCOMP_RET_ERRNO | EPERM,
    [SANDBOX_CALL_ABSENT] = SECCOMP_RET_ERRNO | ENOSYS,
    [SANDBOX_CALL_END] = SECCOMP_RET_KILL_PROCESS,
};

/* What precedes the rows, and what one of them takes at most. */
#define HEAD_LEN 6
#define ROW_LEN 7
#define FILTER_MOST (HEAD_LEN + ROW_LEN * SANDBOX_CALLS_MOST + 1)
_Static_assert(FILTER_MOST <= BPF_MAXINSNS, "more than the kernel takes");

struct filter {
	struct sock_filter row[FILTER_MOST];
	unsigned short len;
};

static void
filter_load(struct filter *filter, size_t offset)
{
	filter->row[filter->len++] = (struct sock_filter)BPF_STMT(
	    BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

/* How many rows are passed over when it holds, and when not. */
static void
filter_test(struct filter *filter, uint16_t test, uint32_t value,
    uint8_t when_true, uint8_t when_false)
{
	filter->row[filter->len++] = (struct sock_filter)BPF_JUMP(
	    (uint16_t)(BPF_JMP | test | BPF_K), value, when_true, when_false);
}

static void
filter_return(struct filter *filter, uint32_t action)
{
	filter->row[filter->len++] =
	    (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
}

/* Allowed if the argument is as it must be, else the end. */
static void
filter_condition(struct filter *filter, int number, const struct condition *c)
{
	size_t offset = offsetof(struct seccomp_data, args) +
			c->argument * sizeof(uint64_t);
	uint8_t more = c->high ? 2 : 0;

	filter_test(filter, BPF_JEQ, (uint32_t)number, 0, (uint8_t)(4 + more));
	filter_load(filter, offset);
	filter_test(filter, c->test, c->value,
	    c->wanted ? 0 : (uint8_t)(1 + more),
	    c->wanted ? (uint8_t)(1 + more) : 0);
	if (c->high) {
		filter_load(filter, offset + sizeof(uint32_t));
		filter_test(filter, BPF_JEQ, 0, 0, 1);
	}
	filter_return(filter, SECCOMP_RET_ALLOW);
	filter_return(filter, SECCOMP_RET_KILL_PROCESS);
}

static void
filter_call(struct filter *filter, const struct sandbox_call *call)
{
	if (conditions[call->verdict].test != 0) {
		filter_condition(
		    filter, call->number, &conditions[call->verdict]);
		return;
	}
	filter_test(filter, BPF_JEQ, (uint32_t)call->number, 0, 1);
	filter_return(filter, actions[call->verdict]);
}

static void
filter_build(struct filter *filter, const struct sandbox_calls *calls)
{
	filter_load(filter, offsetof(struct seccomp_data, arch));
	filter_test(filter, BPF_JEQ, ARCH, 1, 0);
	filter_return(filter, SECCOMP_RET_KILL_PROCESS);
	filter_load(filter, offsetof(struct seccomp_data, nr));
	filter_test(filter, BPF_JGE, X32_BIT, 0, 1);
	filter_return(filter, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < calls->count; i++)
		filter_call(filter, &calls->call[i]);
	filter_return(filter, actions[calls->others]);
}

enum status
sandbox_seccomp(enum sandbox_role role, const char **why)
{
	struct filter filter = {.len = 0};
	struct sock_fprog program;

#ifdef M_ARENA_MAX
	/*
	 * Unless it is told how many, libc counts the processors, in a file,
	 * once a ninth thread wants memory of its own.
	 */
	(void)mallopt(M_ARENA_MAX, ARENAS_MOST);
#endif
	filter_build(&filter, sandbox_calls(role));
	program = (struct sock_fprog){.len = filter.len, .filter = filter.row};
	/* TSYNC: all threads, or none; a positive result is a thread's id. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_TSYNC, &program) == 0)
		return STATUS_OK;
	return kernel_refused(why);
}

#else

enum status
sandbox_seccomp(enum sandbox_role role, const char **why)
{
	(void)role;
	*why = "there is no filter for this machine";
	return STATUS_NOT_FOUND;
}

#endif
