/* SPDX-License-Identifier: ISC */
/*
 * The signer's process: a fork that drops all but its socket, loads the key
 * and answers requests until the other end is closed. It trusts nothing it is
 * sent, tells nothing but signatures, refusals and notices, can do little else
 * once it has the key, and leaves neither core files nor itself behind.
 */
#include "signer_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crlpress/sandbox.h"
#include "signer_check.h"

/* 15 characters is all that the kernel keeps. */
#define PROC_NAME "crlpress-signer"

/*
 * Where the descriptors that are kept end up, a socket for each signature at
 * a time; all above are closed.
 */
#define PASSPHRASE_FD 3
#define SOCK_FD 4

/* Out of the way of those. */
#define SPARE_FD 32
_Static_assert(SOCK_FD + SIGNER_SESSIONS_MOST <= SPARE_FD, "in the way");

/* Descriptors that one message may bring before the kernel drops them. */
#define MESSAGE_FDS 4

struct proc {
	const struct signer_config *config;
	struct signer_key *key;
	struct signer_check *check;
	pthread_barrier_t begun; /* all threads are there */
};

/* One signature at a time. */
struct session {
	struct proc *proc;
	int sock;
	pthread_t thread;
	uint8_t *copy; /* of what is to be signed; used again */
	size_t room;
};

/*
 * What a terminal or a service manager sends to all processes of a run is for
 * the parent to act on. This one ends when the parent does.
 */
static const int ignored_signals[] = {
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};

static void
reply_send(int sock, struct signer_reply *reply)
{
	struct rusage usage;
	ssize_t n;

	if (getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss > 0)
		reply->peak_kib = (uint64_t)usage.ru_maxrss;
	do
		n = send(sock, reply, sizeof(*reply), MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n != sizeof(*reply))
		_exit(EXIT_FAILURE);
}

/* Sends what there is to say; the last notice is the fault, if any. */
static void
notices_send(const struct signer_notices *notices, enum status status)
{
	struct signer_reply reply;

	for (size_t i = 0; i < notices->count; i++) {
		memset(&reply, 0, sizeof(reply));
		reply.kind = SIGNER_REPLY_NOTICE;
		reply.code = notices->notice[i].code;
		if (i + 1 == notices->count)
			reply.status = status;
		(void)snprintf(reply.text, sizeof(reply.text), "%s",
		    notices->notice[i].text);
		reply_send(SOCK_FD, &reply);
	}
}

static _Noreturn void
notice_exit(const char *text)
{
	struct signer_notices notices = {0};

	signer_notice_add(&notices, SIGNER_NOTICE_PROCESS, "%s", text);
	notices_send(&notices, STATUS_FAILED);
	_exit(EXIT_FAILURE);
}

/*
 * Keeps the standard descriptors, the sockets and the passphrase, in fixed
 * places. An error of the latter shows when it is read.
 */
static void
descriptors_settle(const int *socks, unsigned count, int passphrase)
{
	int spare[SIGNER_SESSIONS_MOST];
	int null;

	for (unsigned i = 0; i < count; i++)
		spare[i] = fcntl(socks[i], F_DUPFD_CLOEXEC, SPARE_FD);
	if (passphrase != -1)
		passphrase = fcntl(passphrase, F_DUPFD_CLOEXEC, SPARE_FD);
	for (unsigned i = 0; i < count; i++)
		if (spare[i] == -1 || dup2(spare[i], SOCK_FD + (int)i) == -1)
			_exit(EXIT_FAILURE);
	(void)close(PASSPHRASE_FD);
	if (passphrase != -1 && dup2(passphrase, PASSPHRASE_FD) == -1)
		_exit(EXIT_FAILURE);
	closefrom(SOCK_FD + (int)count);
	/* Standard input and output are the parent's alone. */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1)
		notice_exit("cannot open /dev/null");
	(void)close(null);
}

/* No core file, no tracer, no new rights, and no life without the parent. */
static void
process_harden(pid_t parent)
{
	const struct rlimit none = {0, 0};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		notice_exit("cannot be tied to its parent");
	/* It may have died before that. */
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	if (prctl(PR_SET_DUMPABLE, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		notice_exit("cannot give up its privileges");
	(void)prctl(PR_SET_NAME, PROC_NAME);
	for (size_t i = 0;
	     i < sizeof(ignored_signals) / sizeof(*ignored_signals); i++)
		if (sigaction(ignored_signals[i], &ignore, NULL) == -1)
			notice_exit("cannot ignore signals");
}

/*
 * The descriptors of a message: the one that should come, or -1, and all
 * others closed, when there are none or several.
 */
static int
message_fd(struct msghdr *message)
{
	int fd = -1;
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL;
	     c = CMSG_NXTHDR(message, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int next;

			memcpy(&next, CMSG_DATA(c) + i * sizeof(next),
			    sizeof(next));
			if (count++ > 0)
				(void)close(fd);
			fd = next;
		}
	}
	if (count > 1) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * Waits for a message. STATUS_DONE when the other end is closed,
 * STATUS_MALFORMED when it is not a request; `*fd` is the caller's to close.
 */
static enum status
request_receive(int sock, struct signer_request *request, int *fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_FDS)];
	} control;
	struct iovec iov = {.iov_base = request, .iov_len = sizeof(*request)};
	struct msghdr message = {
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == 0)
		return STATUS_DONE;
	if (n == -1)
		_exit(EXIT_FAILURE);
	*fd = message_fd(&message);
	if (n != sizeof(*request) || request->magic != SIGNER_REQUEST_MAGIC ||
	    (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || *fd == -1)
		return STATUS_MALFORMED;
	return STATUS_OK;
}

static enum status
refuse(struct signer_refusal *refusal, enum signer_refusal_code code,
    const char *text)
{
	refusal->code = code;
	(void)snprintf(refusal->text, sizeof(refusal->text), "%s", text);
	return STATUS_REFUSED;
}

static void
copy_free(struct session *session)
{
	if (session->room > 0)
		(void)munmap(session->copy, session->room);
	session->copy = NULL;
	session->room = 0;
}

/*
 * Memory for the copy, at most that of SIGNER_TBS_BYTES_MOST; or false. Pages
 * of its own: the heap has the key.
 */
static bool
copy_reserve(struct session *session, size_t size)
{
	size_t room = signer_room(size);
	void *map;

	if (size <= session->room)
		return true;
	copy_free(session);
	map = mmap(NULL, room, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return false;
	session->copy = map;
	session->room = room;
	return true;
}

/* One call reads less than 2 GiB. */
static bool
copy_read(struct session *session, int fd, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n =
		    pread(fd, session->copy + done, size - done, (off_t)done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/*
 * Reads the buffer into memory of this process: the other end may change what
 * is in it at any time.
 */
static enum status
buffer_copy(struct session *session, int fd, uint64_t size,
    struct signer_refusal *refusal)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals == -1 || (seals & SIGNER_SEALS) != SIGNER_SEALS)
		return refuse(refusal, SIGNER_REFUSAL_SEALS,
		    "the buffer is not memory whose size is sealed");
	if (size == 0 || size > SIGNER_TBS_BYTES_MOST || fstat(fd, &st) == -1 ||
	    st.st_size < 0 || (uint64_t)st.st_size < size)
		return refuse(refusal, SIGNER_REFUSAL_SIZE,
		    "the buffer has not the size it should have");
	if (!copy_reserve(session, (size_t)size)) {
		refusal->code = SIGNER_REFUSAL_COPY;
		(void)snprintf(refusal->text, sizeof(refusal->text),
		    "no memory to copy %" PRIu64 " bytes", size);
		return STATUS_REFUSED;
	}
	if (!copy_read(session, fd, (size_t)size))
		return refuse(
		    refusal, SIGNER_REFUSAL_COPY, "the buffer cannot be read");
	return STATUS_OK;
}

/* Checks and signs, from the first to the last octet its own copy. */
static enum status
request_sign(struct session *session, const struct signer_request *request,
    int fd, struct signer_signature *signature, struct signer_refusal *refusal)
{
	const struct proc *proc = session->proc;
	const char *why = NULL;
	int64_t now_sec;
	enum status status;

	status = buffer_copy(session, fd, request->size, refusal);
	if (status != STATUS_OK)
		return status;
	now_sec =
	    proc->config->has_now ? proc->config->now_sec : (int64_t)time(NULL);
	status = signer_check_tbs(proc->check, session->copy,
	    (size_t)request->size, &request->floor, now_sec, refusal);
	if (status != STATUS_OK)
		return status;
	status = signer_key_sign(
	    proc->key, session->copy, (size_t)request->size, signature, &why);
	if (status != STATUS_OK)
		return refuse(refusal, SIGNER_REFUSAL_CRYPTO, why);
	return STATUS_OK;
}

static void
requests_serve(struct session *session)
{
	for (;;) {
		struct signer_signature signature = {0};
		struct signer_refusal refusal = {0};
		struct signer_request request;
		struct signer_reply reply;
		enum status status;
		int fd;

		status = request_receive(session->sock, &request, &fd);
		if (status == STATUS_DONE)
			return;
		if (status == STATUS_OK)
			status = request_sign(
			    session, &request, fd, &signature, &refusal);
		else
			status = refuse(&refusal, SIGNER_REFUSAL_REQUEST,
			    "not a request to sign one buffer");
		if (fd != -1)
			(void)close(fd);
		memset(&reply, 0, sizeof(reply));
		if (status == STATUS_OK) {
			reply.kind = SIGNER_REPLY_SIGNED;
			reply.len = (uint32_t)signature.len;
			memcpy(reply.octet, signature.octet, signature.len);
		} else {
			reply.kind = SIGNER_REPLY_REFUSED;
			reply.code = refusal.code;
			memcpy(reply.text, refusal.text, sizeof(reply.text));
		}
		reply_send(session->sock, &reply);
	}
}

static void *
session_run(void *argument)
{
	struct session *session = argument;

	(void)pthread_barrier_wait(&session->proc->begun);
	requests_serve(session);
	return NULL;
}

/*
 * A thread for each socket but the first, while threads can be started. A
 * thread that begins makes system calls of its own, and is waited for.
 */
static void
sessions_begin(struct proc *proc, struct session *session, unsigned count)
{
	/* glibc's never fails. */
	(void)pthread_barrier_init(&proc->begun, NULL, count);
	for (unsigned i = 0; i < count; i++) {
		session[i] = (struct session){
		    .proc = proc,
		    .sock = SOCK_FD + (int)i,
		};
		if (i > 0 && pthread_create(&session[i].thread, NULL,
				 session_run, &session[i]) != 0)
			notice_exit("cannot start a thread for each session");
	}
	(void)pthread_barrier_wait(&proc->begun);
}

static void
sessions_end(struct session *session, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		(void)pthread_join(session[i].thread, NULL);
	for (unsigned i = 0; i < count; i++)
		copy_free(&session[i]);
}

/*
 * From here on it does what signing takes and no more, all of its threads.
 * What landlock denies seccomp denies as well where the key is a file: it is
 * the second lock of one door, and not missed where the kernel has none.
 */
static void
proc_confine(const struct proc *proc, struct signer_notices *notices)
{
	bool is_file = !signer_key_facts(proc->key)->is_elsewhere;
	const char *why = NULL;

	if (proc->config->unconfined) {
		signer_notice_add(notices, SIGNER_NOTICE_UNCONFINED,
		    "the signer has no sandbox: key_sandbox = no");
		return;
	}
	if (is_file)
		(void)!sandbox_landlock(&why);
	if (sandbox_seccomp(is_file ? SANDBOX_SIGN : SANDBOX_TOKEN, &why) !=
	    STATUS_OK)
		signer_notice_add(notices, SIGNER_NOTICE_NO_SANDBOX,
		    "seccomp: the kernel does without it: %s", why);
}

static enum status
proc_open(struct proc *proc, struct signer_notices *notices)
{
	const char *why = NULL;
	enum status status;

	status = signer_key_open(proc->config, notices, &proc->key);
	if (status != STATUS_OK)
		return status;
	status = signer_check_new(
	    proc->config, signer_key_facts(proc->key), &proc->check, &why);
	if (status != STATUS_OK)
		signer_notice_add(notices, SIGNER_NOTICE_PROCESS,
		    "cannot tell its shards: %s", why);
	return status;
}

_Noreturn void
signer_proc_run(const int *socks, unsigned count, pid_t parent,
    const struct signer_config *config)
{
	struct signer_config own = *config;
	struct signer_notices notices = {0};
	struct proc proc = {.config = &own};
	const struct signer_key_facts *facts;
	struct session session[SIGNER_SESSIONS_MOST];
	struct signer_reply reply;
	enum status status;

	descriptors_settle(socks, count, own.passphrase_fd);
	process_harden(parent);
	if (own.passphrase_fd != -1)
		own.passphrase_fd = PASSPHRASE_FD;
	status = proc_open(&proc, &notices);
	(void)close(PASSPHRASE_FD);
	if (status == STATUS_OK) {
		sessions_begin(&proc, session, count);
		proc_confine(&proc, &notices);
	}
	notices_send(&notices, status);
	if (status == STATUS_OK) {
		facts = signer_key_facts(proc.key);
		memset(&reply, 0, sizeof(reply));
		reply.kind = SIGNER_REPLY_READY;
		reply.len = (uint32_t)facts->algorithm.len;
		memcpy(
		    reply.octet, facts->algorithm.data, facts->algorithm.len);
		reply_send(SOCK_FD, &reply);
		requests_serve(&session[0]);
		sessions_end(session, count);
	}
	signer_check_free(proc.check);
	signer_key_close(proc.key);
	_exit(status == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE);
}
