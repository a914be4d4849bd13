/* SPDX-License-Identifier: ISC */
/*
 * Locked in for real, in children: what may not be done cannot be, and what
 * a role needs can. Where the kernel has no landlock or forbids seccomp,
 * the test says so and is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "../lib/scratch.h"
#include "crlpress/sandbox.h"

/* The child could not be locked in. */
#define NOT_HERE SCRATCH_NOT_PERMITTED
#define DONE 0
#define REFUSED 3
#define NO_MEMORY 4

/* Memory that is there before the lock. */
#define MEMORY_FD 90

/* A role's filter, or the other lock. */
enum lock {
	LOCK_ANSWER = SANDBOX_ANSWER,
	LOCK_SIGN = SANDBOX_SIGN,
	LOCK_TOKEN = SANDBOX_TOKEN,
	LOCK_LANDLOCK
};

static bool
lock_in(enum lock lock)
{
	const char *why = NULL;

	if (lock == LOCK_LANDLOCK)
		return sandbox_landlock(&why) == STATUS_OK;
	return sandbox_seccomp((enum sandbox_role)lock, &why) == STATUS_OK;
}

/* What a child does once it is locked in: DONE or REFUSED. */
struct deed {
	const char *name;
	int (*run)(int fd);
};

static int
outcome(long result)
{
	return result >= 0 ? DONE : REFUSED;
}

static int
do_open(int fd)
{
	(void)fd;
	return outcome(open("/etc/passwd", O_RDONLY));
}

static int
do_create(int fd)
{
	(void)fd;
	return outcome(open("/dev/null", O_WRONLY | O_CREAT, 0600));
}

static int
do_openat2(int fd)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = {0, 0, 0};

	(void)fd;
	return outcome(
	    syscall(437, AT_FDCWD, "/etc/passwd", &how, sizeof(how)));
}

static int
do_exec(int fd)
{
	char *const argv[] = {"true", NULL};

	(void)fd;
	(void)execv("/bin/true", argv);
	return REFUSED;
}

/* The descriptor is of a socket made before; it need not connect. */
static int
do_connect(int fd)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET,
	    .sin_port = htons(9),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	if (connect(fd, (void *)&to, sizeof(to)) == 0)
		return DONE;
	/* A kernel that let it through says that nobody is there. */
	return errno == EACCES || errno == EPERM ? REFUSED : DONE;
}

/* A connection by another name: the first bytes and the address at once. */
static int
do_fast_open(int fd)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET,
	    .sin_port = htons(9),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	if (sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&to,
		sizeof(to)) >= 0)
		return DONE;
	return errno == EACCES || errno == EPERM ? REFUSED : DONE;
}

static int
do_socket(int fd)
{
	(void)fd;
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}

static int
do_fork(int fd)
{
	(void)fd;
	return outcome(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int
do_ptrace(int fd)
{
	(void)fd;
	return outcome(ptrace(PTRACE_TRACEME, 0, 0, 0));
}

static int
do_map_exec(int fd)
{
	(void)fd;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		   ? REFUSED
		   : DONE;
}

static int
do_protect_exec(int fd)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)fd;
	return outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int
do_unlink(int fd)
{
	(void)fd;
	return outcome(unlink("/nonexistent/x")) == DONE || errno == ENOENT
		   ? DONE
		   : REFUSED;
}

static int
do_setuid(int fd)
{
	(void)fd;
	return outcome(syscall(SYS_setuid, 0));
}

static int
do_bind(int fd)
{
	struct sockaddr_in to = {.sin_family = AF_INET};

	return outcome(bind(fd, (void *)&to, sizeof(to)));
}

static void *
thread_nothing(void *argument)
{
	return argument;
}

/* The exit status of a child, or minus the signal that ended it. */
static int
child(enum lock lock, int (*run)(int fd))
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		int memory = memfd_create("test", 0);

		if (write(memory, "list", 4) != 4 ||
		    dup2(memory, MEMORY_FD) == -1)
			_exit(NO_MEMORY);
		if (fd < 0 || !lock_in(lock))
			_exit(NOT_HERE);
		_exit(run(fd));
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void
check_all(enum lock lock, const struct deed *deed, size_t count, int want)
{
	for (size_t i = 0; i < count; i++) {
		int got = child(lock, deed[i].run);

		if (got == NOT_HERE)
			skip();
		if (got != want)
			print_error("%s: %d\n", deed[i].name, got);
		assert_int_equal(got, want);
	}
}

#define CHECK(lock, deeds, want) \
	check_all(lock, deeds, sizeof(deeds) / sizeof((deeds)[0]), want)

/* Whoever tries these is not our code: the process ends. */
static const struct deed deadly[] = {
    {"open", do_open},
    {"create", do_create},
    {"openat2", do_openat2},
    {"exec", do_exec},
    {"connect", do_connect},
    {"fast open", do_fast_open},
    {"socket", do_socket},
    {"fork", do_fork},
    {"ptrace", do_ptrace},
    {"mmap executable", do_map_exec},
    {"mprotect executable", do_protect_exec},
};

static const struct deed refused[] = {
    {"unlink", do_unlink},
    {"setuid", do_setuid},
    {"bind", do_bind},
};

static void
test_answer(void **state)
{
	(void)state;
	CHECK(LOCK_ANSWER, deadly, -SIGSYS);
	CHECK(LOCK_ANSWER, refused, REFUSED);
}

static int
do_thread_start(int fd)
{
	pthread_t thread;

	(void)fd;
	if (pthread_create(&thread, NULL, thread_nothing, NULL) != 0)
		return REFUSED;
	return pthread_join(thread, NULL) == 0 ? DONE : REFUSED;
}

static int
do_write(int fd)
{
	return write(fd, "x", 1) == 1 || errno != EPERM ? DONE : REFUSED;
}

static int
do_write_stderr(int fd)
{
	(void)fd;
	return write(STDERR_FILENO, "", 0) == 0 ? DONE : REFUSED;
}

/* What came with a message. */
static int
do_pread(int fd)
{
	char octet[4];

	(void)fd;
	return pread(MEMORY_FD, octet, sizeof(octet), 1) == 3 ? DONE : REFUSED;
}

/* It may be a file that was opened to be read, too. */
static int
do_pread_stderr(int fd)
{
	char octet;

	(void)fd;
	return outcome(pread(STDERR_FILENO, &octet, 1, 0));
}

static int
do_read(int fd)
{
	char octet;

	(void)fd;
	return outcome(read(MEMORY_FD, &octet, 1));
}

static int
do_fcntl_flags(int fd)
{
	return outcome(fcntl(fd, F_SETFL, O_ASYNC));
}

/* A socket has none, and says so. */
static int
do_fcntl_seals(int fd)
{
	(void)fcntl(fd, F_GET_SEALS);
	return errno == EINVAL ? DONE : REFUSED;
}

static int
do_kill(int fd)
{
	(void)fd;
	return outcome(kill(getppid(), 0));
}

static int
do_time(int fd)
{
	struct timespec now;
	struct rusage usage;
	char octet[16];

	(void)fd;
#ifdef SYS_time
	if (syscall(SYS_time, NULL) <= 0)
		return REFUSED;
#endif
	return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
		       getrusage(RUSAGE_SELF, &usage) == 0 &&
		       getrandom(octet, sizeof(octet), 0) == sizeof(octet)
		   ? DONE
		   : REFUSED;
}

/* Memory may be had and given back, large and small. */
static int
do_memory(int fd)
{
	void *large = malloc((size_t)1 << 22);
	void *small = malloc(100);

	(void)fd;
	if (large == NULL || small == NULL)
		return REFUSED;
	memset(large, 1, (size_t)1 << 22);
	free(large);
	free(small);
	return DONE;
}

/* What the signer does with a message. */
static int
do_receive(int fd)
{
	char octet;
	struct iovec iov = {&octet, 1};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	struct stat st;

	/* Not connected, so there is nothing; but it was asked. */
	if (recvmsg(fd, &message, 0) >= 0 || errno == EPERM)
		return REFUSED;
	if (send(fd, "x", 1, MSG_NOSIGNAL) >= 0 || errno == EPERM)
		return REFUSED;
	return fstat(fd, &st) == 0 && close(fd) == 0 ? DONE : REFUSED;
}

/* A key from a file: neither files nor programs nor anybody else. */
static void
test_sign(void **state)
{
	static const struct deed ended[] = {
	    {"write", do_write},
	    {"fcntl", do_fcntl_flags},
	    {"pread stderr", do_pread_stderr},
	    {"thread", do_thread_start},
	};
	static const struct deed more[] = {
	    {"kill", do_kill},
	    {"read", do_read},
	};
	static const struct deed done[] = {
	    {"stderr", do_write_stderr},
	    {"seals", do_fcntl_seals},
	    {"pread", do_pread},
	    {"time", do_time},
	    {"memory", do_memory},
	    {"receive", do_receive},
	};

	(void)state;
	CHECK(LOCK_SIGN, deadly, -SIGSYS);
	CHECK(LOCK_SIGN, ended, -SIGSYS);
	CHECK(LOCK_SIGN, refused, REFUSED);
	CHECK(LOCK_SIGN, more, REFUSED);
	CHECK(LOCK_SIGN, done, DONE);
}

static int
do_read_other(int fd)
{
	char octet;
	struct iovec here = {&octet, 1}, there = {&octet, 1};

	(void)fd;
	return outcome(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static int
do_mount(int fd)
{
	(void)fd;
	return outcome(mount("none", "/nonexistent", "tmpfs", 0, NULL));
}

static int
do_unshare(int fd)
{
	(void)fd;
	return outcome(unshare(CLONE_NEWUSER));
}

static int
do_spawn(int fd)
{
	char *const argv[] = {"true", NULL};
	pid_t pid;

	(void)fd;
	return posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL) == 0
		   ? DONE
		   : REFUSED;
}

/* What libraries ask for to see whether it is there. */
static int
do_io_uring(int fd)
{
	(void)fd;
#ifdef SYS_io_uring_setup
	return syscall(SYS_io_uring_setup, 0, NULL) == -1 && errno == ENOSYS
		   ? DONE
		   : REFUSED;
#else
	return DONE;
#endif
}

/* A token's module: files, connections and threads, but nothing of others'. */
static void
test_token(void **state)
{
	static const struct deed ended[] = {
	    {"exec", do_exec},
	    {"fork", do_fork},
	    {"spawn", do_spawn},
	    {"ptrace", do_ptrace},
	    {"setuid", do_setuid},
	    {"other memory", do_read_other},
	    {"mount", do_mount},
	    {"unshare", do_unshare},
	};
	static const struct deed done[] = {
	    {"open", do_open},
	    {"create", do_create},
	    {"socket", do_socket},
	    {"connect", do_connect},
	    {"bind", do_bind},
	    {"unlink", do_unlink},
	    {"thread", do_thread_start},
	    {"io_uring", do_io_uring},
	    {"mmap executable", do_map_exec},
	    {"write", do_write_stderr},
	    {"time", do_time},
	    {"memory", do_memory},
	};

	(void)state;
	CHECK(LOCK_TOKEN, ended, -SIGSYS);
	CHECK(LOCK_TOKEN, done, DONE);
}

/* By itself it keeps files and programs away, though calls are permitted. */
static void
test_landlock(void **state)
{
	static const struct deed deeds[] = {
	    {"open", do_open},
	    {"create", do_create},
	    {"exec", do_exec},
	};

	(void)state;
	CHECK(LOCK_LANDLOCK, deeds, REFUSED);
}

/* Without a lock these deeds are done: the tests above can fail. */
static void
test_unlocked(void **state)
{
	(void)state;
	assert_int_equal(do_open(-1), DONE);
	assert_int_equal(do_unlink(-1), DONE);
	assert_int_equal(do_protect_exec(-1), DONE);
}

static void *
other_thread(void *argument)
{
	int *fd = argument;
	uint64_t count = 1;

	/* It has begun; until the first one is locked in. */
	if (write(fd[1], &count, sizeof(count)) != (ssize_t)sizeof(count) ||
	    read(fd[0], &count, sizeof(count)) != (ssize_t)sizeof(count))
		_exit(4);
	(void)do_open(-1);
	_exit(DONE);
	return NULL;
}

static int
threads_run(void)
{
	int fd[2] = {eventfd(0, 0), eventfd(0, 0)};
	uint64_t one = 1, begun;
	pthread_t thread;

	if (pthread_create(&thread, NULL, other_thread, fd) != 0 ||
	    read(fd[1], &begun, sizeof(begun)) != (ssize_t)sizeof(begun))
		return 4;
	if (!lock_in(LOCK_ANSWER))
		return NOT_HERE;
	if (write(fd[0], &one, sizeof(one)) != (ssize_t)sizeof(one))
		return 4;
	(void)pthread_join(thread, NULL);
	return DONE;
}

/* A thread that was there before is locked in as well. */
static void
test_seccomp_threads(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(threads_run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_HERE)
		skip();
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* More than libc has separate memory for without counting the processors. */
#define MANY 24

static void *
thread_memory(void *argument)
{
	pthread_barrier_t *barrier = argument;
	void *volatile own;

	/* It has begun; then it is locked in. */
	(void)pthread_barrier_wait(barrier);
	(void)pthread_barrier_wait(barrier);
	own = malloc(100);
	/* All have some at the same time. */
	(void)pthread_barrier_wait(barrier);
	if (own == NULL)
		_exit(4);
	free(own);
	return NULL;
}

static int
many_run(enum lock lock)
{
	pthread_barrier_t barrier;
	pthread_t thread[MANY];

	if (pthread_barrier_init(&barrier, NULL, MANY + 1) != 0)
		return 4;
	for (size_t i = 0; i < MANY; i++)
		if (pthread_create(&thread[i], NULL, thread_memory, &barrier) !=
		    0)
			return 4;
	(void)pthread_barrier_wait(&barrier);
	if (!lock_in(lock))
		return NOT_HERE;
	(void)pthread_barrier_wait(&barrier);
	(void)pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < MANY; i++)
		(void)pthread_join(thread[i], NULL);
	return DONE;
}

/* Many threads that want their first memory behind the lock. */
static void
test_many_threads(void **state)
{
	static const enum lock locks[] = {LOCK_ANSWER, LOCK_SIGN, LOCK_TOKEN};

	(void)state;
	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(many_run(locks[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_HERE)
			skip();
		assert_int_equal(status, 0);
	}
}

/* Everything that answering does, behind both locks. */
static int
do_serve(int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct timespec now;
	char octet[4];
	int pair[2];
	int peer;
	int epoll;

	/* Made before the lock, by our caller's caller: see below. */
	pair[0] = fd;
	pair[1] = fd + 1;
	epoll = fd + 2;
	peer = accept4(pair[0], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &event) != 0 ||
	    send(pair[1], "ping", 4, MSG_NOSIGNAL) != 4 ||
	    epoll_wait(epoll, &event, 1, 1000) != 1 ||
	    recv(peer, octet, 4, 0) != 4 ||
	    send(peer, octet, 4, MSG_NOSIGNAL) != 4 ||
	    shutdown(peer, SHUT_WR) != 0 || close(peer) != 0 ||
	    clock_gettime(CLOCK_REALTIME, &now) != 0)
		return REFUSED;
	/* Memory may be had and given back. */
	free(malloc(100));
	free(malloc((size_t)1 << 22));
	return write(STDERR_FILENO, "", 0) == 0 ? DONE : REFUSED;
}

static int
serve_run(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	/* In a row: 100, 101, 102. */
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (void *)&address, len) != 0 ||
	    listen(listener, 1) != 0 ||
	    getsockname(listener, (void *)&address, &len) != 0 ||
	    connect(client, (void *)&address, len) != 0 ||
	    dup2(listener, 100) != 100 || dup2(client, 101) != 101 ||
	    dup2(epoll_create1(0), 102) != 102)
		return 4;
	if (!lock_in(LOCK_LANDLOCK) || !lock_in(LOCK_ANSWER))
		return NOT_HERE;
	return do_serve(100);
}

static void
test_serve(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(serve_run());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_HERE)
		skip();
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unlocked),
	    cmocka_unit_test(test_answer),
	    cmocka_unit_test(test_sign),
	    cmocka_unit_test(test_token),
	    cmocka_unit_test(test_seccomp_threads),
	    cmocka_unit_test(test_many_threads),
	    cmocka_unit_test(test_landlock),
	    cmocka_unit_test(test_serve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
