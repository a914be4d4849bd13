/* SPDX-License-Identifier: ISC */
/*
 * Which system calls a role may make, the most frequent first: the kernel
 * walks over the table at each call.
 */
#include "sandbox_call.h"

#include <sys/syscall.h>

#define ALLOW(name)                            \
	{                                      \
		SYS_##name, SANDBOX_CALL_ALLOW \
	}
#define END(name)                            \
	{                                    \
		SYS_##name, SANDBOX_CALL_END \
	}

/* What libc needs for memory, locks, time and the end. */
#ifdef SYS_rseq
#define RSEQ ALLOW(rseq),
#else
#define RSEQ
#endif
/* What time(3) is where the kernel shows no clock (vdso(7)) to processes. */
#ifdef SYS_time
#define TIME ALLOW(time),
#else
#define TIME
#endif
#define LIBC                                                                  \
	ALLOW(futex), ALLOW(clock_gettime), ALLOW(gettimeofday),              \
	    ALLOW(restart_syscall), ALLOW(munmap), ALLOW(mremap),             \
	    {SYS_mmap, SANDBOX_CALL_NO_EXEC},                                 \
	    {SYS_mprotect, SANDBOX_CALL_NO_EXEC}, ALLOW(madvise), ALLOW(brk), \
	    ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn), ALLOW(sched_yield),   \
	    ALLOW(getpid), ALLOW(gettid), ALLOW(getrandom),                   \
	    ALLOW(clock_nanosleep), ALLOW(nanosleep), ALLOW(sigaltstack),     \
	    ALLOW(set_robust_list), RSEQ TIME ALLOW(exit), ALLOW(exit_group)

/*
 * What only somebody else's code would call, where there are no files, no new
 * threads and no new connections.
 */
#ifdef SYS_open
#define OPEN_OLD END(open), END(creat), END(fork), END(vfork),
#else
#define OPEN_OLD
#endif
#ifdef SYS_openat2
#define OPENAT2 END(openat2),
#else
#define OPENAT2
#endif
#ifdef SYS_clone3
#define CLONE3 END(clone3),
#define CLONE3_ABSENT {SYS_clone3, SANDBOX_CALL_ABSENT},
#else
#define CLONE3
#define CLONE3_ABSENT
#endif
#define FOREIGN                                                          \
	END(execve), END(execveat), OPEN_OLD OPENAT2 CLONE3 END(openat), \
	    END(socket), END(connect), END(ptrace), END(clone)

static const struct sandbox_call answer_calls[] = {
#ifdef SYS_epoll_wait
    ALLOW(epoll_wait),
#endif
    ALLOW(epoll_pwait),
    ALLOW(recvfrom),
    /*
     * A listening socket that was shut down is a new one: with an address and
     * MSG_FASTOPEN, sendto would connect it.
     */
    {SYS_sendto, SANDBOX_CALL_NO_ADDRESS},
    ALLOW(accept4),
    ALLOW(close),
    ALLOW(epoll_ctl),
    ALLOW(shutdown),
    ALLOW(read),
    ALLOW(write),
    ALLOW(writev),
    LIBC,
    FOREIGN,
};

/*
 * Requests come with a descriptor, whose seals and size are looked at before
 * it is read. There is nothing else to read so: sockets have no offset and
 * /dev/null has no octets; standard error may be a file that was opened for
 * both, and is left out.
 */
static const struct sandbox_call sign_calls[] = {
    ALLOW(recvmsg),
    {SYS_sendto, SANDBOX_CALL_NO_ADDRESS},
    {SYS_fcntl, SANDBOX_CALL_SEALS},
    {SYS_pread64, SANDBOX_CALL_NO_STDERR},
    ALLOW(newfstatat),
    ALLOW(fstat),
    ALLOW(close),
    ALLOW(getrusage),
    /* The last words of a libc that found its memory spoilt. */
    {SYS_write, SANDBOX_CALL_STDERR},
    {SYS_writev, SANDBOX_CALL_STDERR},
    LIBC,
    FOREIGN,
};

/*
 * A token's module is a program of its own: it locks files, talks to daemons,
 * devices and other machines, and starts threads. What no key needs to sign
 * is the end of the process.
 */
static const struct sandbox_call token_calls[] = {
    {SYS_clone, SANDBOX_CALL_THREAD},
    CLONE3_ABSENT
#ifdef SYS_fork
	END(fork),
    END(vfork),
#endif
    /* Other programs, other processes. */
    END(execve),
    END(execveat),
    END(ptrace),
    END(process_vm_readv),
    END(process_vm_writev),
    END(kcmp),
#ifdef SYS_pidfd_getfd
    END(pidfd_getfd),
#endif
    /* Another identity. */
    END(setuid),
    END(setgid),
    END(setreuid),
    END(setregid),
    END(setresuid),
    END(setresgid),
    END(setgroups),
    END(setfsuid),
    END(setfsgid),
    END(capset),
    /* Another view of the file system. */
    END(chroot),
    END(pivot_root),
    END(mount),
    END(umount2),
    END(unshare),
    END(setns),
    END(open_by_handle_at),
#ifdef SYS_fsopen
    END(open_tree),
    END(move_mount),
    END(fsopen),
    END(fsmount),
#endif
#ifdef SYS_mount_setattr
    END(mount_setattr),
#endif
    /* The kernel and the machine. */
    END(bpf),
    END(perf_event_open),
    END(userfaultfd),
#ifdef SYS_io_uring_setup
    /* Calls that no filter sees; libraries ask for it, and do without. */
    {SYS_io_uring_setup, SANDBOX_CALL_ABSENT},
#endif
    END(init_module),
    END(finit_module),
    END(delete_module),
    END(kexec_load),
#ifdef SYS_kexec_file_load
    END(kexec_file_load),
#endif
    END(reboot),
    END(swapon),
    END(swapoff),
    END(acct),
    END(quotactl),
    END(settimeofday),
    END(clock_settime),
    END(clock_adjtime),
    END(adjtimex),
    END(sethostname),
    END(setdomainname),
#ifdef SYS_iopl
    END(iopl),
    END(ioperm),
#endif
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(COUNT(answer_calls) <= SANDBOX_CALLS_MOST, "too many");
_Static_assert(COUNT(sign_calls) <= SANDBOX_CALLS_MOST, "too many");
_Static_assert(COUNT(token_calls) <= SANDBOX_CALLS_MOST, "too many");

static const struct sandbox_calls roles[SANDBOX_ROLE_COUNT] = {
    [SANDBOX_ANSWER] = {answer_calls, COUNT(answer_calls), SANDBOX_CALL_REFUSE},
    [SANDBOX_SIGN] = {sign_calls, COUNT(sign_calls), SANDBOX_CALL_REFUSE},
    [SANDBOX_TOKEN] = {token_calls, COUNT(token_calls), SANDBOX_CALL_ALLOW},
};

const struct sandbox_calls *
sandbox_calls(enum sandbox_role role)
{
	return &roles[role];
}
