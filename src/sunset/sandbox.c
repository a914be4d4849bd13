/* SPDX-License-Identifier: ISC */
/* landlock(7) and seccomp(2), by the system calls themselves. */
#include "sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* bind and connect of TCP; abstract sockets and signals to others. */
#define NET_ABI 4
#define NET_ALL 3
#define SCOPED_ABI 6
#define SCOPED_ALL 3

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

bool
sandbox_landlock(struct report *report)
{
	long abi;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		report_warn(report, "sandbox", "landlock", NULL,
		    "no_new_privs: %s", strerror(errno));
		return false;
	}
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1 || !landlock_restrict(abi)) {
		report_warn(report, "sandbox", "landlock", NULL,
		    "the kernel does without it: %s", strerror(errno));
		return false;
	}
	return true;
}

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

/* x32 calls have this bit; there are none on other machines. */
#define X32_BIT 0x40000000U

/*
 * What answering needs, the most frequent first; then what libc needs for
 * memory, locks, time and the end.
 */
static const int allowed[] = {
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
    SYS_epoll_pwait,
    SYS_recvfrom,
    SYS_accept4,
    SYS_close,
    SYS_epoll_ctl,
    SYS_shutdown,
    SYS_read,
    SYS_write,
    SYS_writev,
    SYS_futex,
    SYS_clock_gettime,
    SYS_gettimeofday,
    SYS_restart_syscall,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sched_yield,
    SYS_getpid,
    SYS_gettid,
    SYS_getrandom,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_sigaltstack,
    SYS_set_robust_list,
#ifdef SYS_rseq
    SYS_rseq,
#endif
    SYS_exit,
    SYS_exit_group,
};

/* Memory may be had, but none that can be executed. */
static const int allowed_no_exec[] = {SYS_mmap, SYS_mprotect};

/*
 * What only somebody else's code would call: the end. All that is in no list
 * fails with EPERM.
 */
static const int deadly[] = {
    SYS_execve,
    SYS_execveat,
#ifdef SYS_open
    SYS_open,
    SYS_creat,
#endif
    SYS_openat,
#ifdef SYS_openat2
    SYS_openat2,
#endif
    SYS_socket,
    SYS_connect,
    SYS_ptrace,
    SYS_clone,
#ifdef SYS_clone3
    SYS_clone3,
#endif
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FILTER_MOST \
	(16 + 2 * (COUNT(allowed) + COUNT(deadly)) + 4 * COUNT(allowed_no_exec))

struct filter {
	struct sock_filter row[FILTER_MOST];
	unsigned short len;
};

static void
filter_add(struct filter *filter, struct sock_filter row)
{
	filter->row[filter->len++] = row;
}

static void
filter_load(struct filter *filter, uint32_t offset)
{
	filter_add(filter,
	    (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

static void
filter_return(struct filter *filter, uint32_t action)
{
	filter_add(
	    filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* When the number is this, `action`. */
static void
filter_match(struct filter *filter, int number, uint32_t action)
{
	filter_add(
	    filter, (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1));
	filter_return(filter, action);
}

/*
 * A listening socket that was shut down is a new one: with an address and
 * MSG_FASTOPEN, sendto would connect it. send(2) has no address.
 */
static void
filter_send(struct filter *filter)
{
	uint32_t address = offsetof(struct seccomp_data, args[4]);

	filter_add(filter, (struct sock_filter)BPF_JUMP(
			       BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 6));
	filter_load(filter, address);
	filter_add(filter,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3));
	filter_load(filter, address + (uint32_t)sizeof(uint32_t));
	filter_add(filter,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1));
	filter_return(filter, SECCOMP_RET_ALLOW);
	filter_return(filter, SECCOMP_RET_KILL_PROCESS);
}

static void
filter_build(struct filter *filter)
{
	/* Both machines have the low half of an argument first. */
	uint32_t prot = offsetof(struct seccomp_data, args[2]);

	filter_load(filter, offsetof(struct seccomp_data, arch));
	filter_add(filter, (struct sock_filter)BPF_JUMP(
			       BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	filter_return(filter, SECCOMP_RET_KILL_PROCESS);
	filter_load(filter, offsetof(struct seccomp_data, nr));
	filter_add(filter, (struct sock_filter)BPF_JUMP(
			       BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
	filter_return(filter, SECCOMP_RET_KILL_PROCESS);
	filter_send(filter);
	for (size_t i = 0; i < COUNT(allowed); i++)
		filter_match(filter, allowed[i], SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < COUNT(deadly); i++)
		filter_match(filter, deadly[i], SECCOMP_RET_KILL_PROCESS);
	/* The last of these loads another word: nothing may follow. */
	for (size_t i = 0; i < COUNT(allowed_no_exec); i++)
		filter_add(filter,
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			(uint32_t)allowed_no_exec[i],
			(uint8_t)(COUNT(allowed_no_exec) - i), 0));
	filter_return(filter, SECCOMP_RET_ERRNO | EPERM);
	filter_load(filter, prot);
	filter_add(filter, (struct sock_filter)BPF_JUMP(
			       BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
	filter_return(filter, SECCOMP_RET_KILL_PROCESS);
	filter_return(filter, SECCOMP_RET_ALLOW);
}

bool
sandbox_seccomp(struct report *report)
{
	struct filter filter = {.len = 0};
	struct sock_fprog program;

	filter_build(&filter);
	program = (struct sock_fprog){.len = filter.len, .filter = filter.row};
	/* TSYNC: all threads, or none; a positive result is a thread's id. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_TSYNC, &program) == 0)
		return true;
	report_warn(report, "sandbox", "seccomp", NULL,
	    "the kernel does without it: %s", strerror(errno));
	return false;
}

#else

bool
sandbox_seccomp(struct report *report)
{
	report_warn(report, "sandbox", "seccomp", NULL,
	    "there is no filter for this machine");
	return false;
}

#endif
