/* SPDX-License-Identifier: ISC */
/*
 * The parent's side of the signer: starts the process, hands it one buffer at
 * a time on each of its sockets, and notices when it is gone or does not
 * answer. Every wait has an end, and the process is killed rather than waited
 * for.
 */
#include "signer_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "crlpress/key_uri.h"
#include "signer_pin.h"

/* What a process may take to end once its socket is closed, or it is killed. */
#define END_MSEC 2000

/* How its end reads: "ended (exit status 255)". */
#define END_TEXT_BYTES 64

#define MSEC_PER_SEC 1000
#define NSEC_PER_MSEC 1000000

/* One request at a time. */
struct lane {
	pthread_mutex_t mutex;
	int sock; /* -1: gone */
};

struct signer {
	unsigned lane_count;
	struct lane lane[SIGNER_SESSIONS_MOST];
	atomic_uint turn;    /* whose queue to join when all are busy */
	pthread_mutex_t end; /* of pid */
	pid_t pid;           /* -1: waited for */
	bool is_token;       /* the key is one's, and its module in there */
	bool forbidden;      /* it ended by a call that its sandbox forbids */
	int64_t timeout_msec;
	_Atomic uint64_t peak_kib;
	size_t algorithm_len;
	uint8_t algorithm[SIGNER_SIGNATURE_BYTES_MOST];
};

enum notice_object {
	NOTICE_KEY,
	NOTICE_CERTIFICATE,
	NOTICE_PASSPHRASE,
	NOTICE_SANDBOX
};

struct notice_row {
	enum notice_object object;
	enum severity severity;
	const char *clause;
	const char *hint;
};

#define HOUSE "house rule"

static const struct notice_row notice_rows[SIGNER_NOTICE_COUNT] = {
    [SIGNER_NOTICE_KEY_UNREADABLE] = {NOTICE_KEY, SEVERITY_FAULT, HOUSE, NULL},
    [SIGNER_NOTICE_KEY_ABSENT] = {NOTICE_KEY, SEVERITY_FAULT, HOUSE,
	"`pkcs11-tool --module MODULE -L` lists the tokens that this user "
	"sees, and `--module MODULE -O --login` the objects of one: the URI "
	"has to name one of each, with type=private or without"},
    [SIGNER_NOTICE_KEY_MODULE] = {NOTICE_KEY, SEVERITY_FAULT, HOUSE,
	"`pkcs11-tool --module MODULE -L`, as this user, tells whether the "
	"module finds its tokens: its configuration (of SoftHSM "
	"SOFTHSM2_CONF) and what that names must be readable"},
    [SIGNER_NOTICE_KEY_EXPOSED] = {NOTICE_KEY, SEVERITY_WARNING, HOUSE,
	"chmod 600 the file, and consider the key seen"},
    [SIGNER_NOTICE_KEY_MALFORMED] = {NOTICE_KEY, SEVERITY_FAULT, HOUSE, NULL},
    [SIGNER_NOTICE_KEY_ENCRYPTED] = {NOTICE_KEY, SEVERITY_FAULT, HOUSE,
	"[issuer] passphrase_file names a file that has it, or "
	"--passphrase-fd hands it in by a descriptor"},
    [SIGNER_NOTICE_KEY_PASSPHRASE] = {NOTICE_KEY, SEVERITY_FAULT, HOUSE, NULL},
    [SIGNER_NOTICE_KEY_PIN] = {NOTICE_KEY, SEVERITY_FAULT, HOUSE,
	"tokens lock after a few wrong PINs: this one is not tried again "
	"until its file changes"},
    [SIGNER_NOTICE_KEY_KIND] = {NOTICE_KEY, SEVERITY_FAULT, "BR 6.1.5", NULL},
    [SIGNER_NOTICE_KEY_PADDING] = {NOTICE_KEY, SEVERITY_FAULT, "BR 7.1.3.2",
	NULL},
    [SIGNER_NOTICE_KEY_DIGEST] = {NOTICE_KEY, SEVERITY_FAULT, "BR 7.1.3.2",
	NULL},
    [SIGNER_NOTICE_KEY_MISMATCH] = {NOTICE_KEY, SEVERITY_FAULT, HOUSE, NULL},
    [SIGNER_NOTICE_CERTIFICATE_UNREADABLE] = {NOTICE_CERTIFICATE,
	SEVERITY_FAULT, HOUSE, NULL},
    [SIGNER_NOTICE_CERTIFICATE_MALFORMED] = {NOTICE_CERTIFICATE, SEVERITY_FAULT,
	HOUSE, NULL},
    [SIGNER_NOTICE_CERTIFICATE_USAGE] = {NOTICE_CERTIFICATE, SEVERITY_FAULT,
	"RFC 5280, 4.2.1.3", NULL},
    [SIGNER_NOTICE_CERTIFICATE_NO_CA] = {NOTICE_CERTIFICATE, SEVERITY_NOTE,
	NULL, NULL},
    [SIGNER_NOTICE_PASSPHRASE_UNREADABLE] = {NOTICE_PASSPHRASE, SEVERITY_FAULT,
	HOUSE, NULL},
    [SIGNER_NOTICE_PASSPHRASE_EXPOSED] = {NOTICE_PASSPHRASE, SEVERITY_WARNING,
	HOUSE, "chmod 600 the file, and consider the passphrase seen"},
    [SIGNER_NOTICE_PASSPHRASE_LENGTH] = {NOTICE_PASSPHRASE, SEVERITY_FAULT,
	HOUSE, NULL},
    [SIGNER_NOTICE_PROCESS] = {NOTICE_KEY, SEVERITY_FAULT, NULL, NULL},
    [SIGNER_NOTICE_NO_SANDBOX] = {NOTICE_SANDBOX, SEVERITY_WARNING, NULL, NULL},
    [SIGNER_NOTICE_UNCONFINED] = {NOTICE_SANDBOX, SEVERITY_NOTE, NULL, NULL},
};

/* The rules a refusal is reported under; STATUS_FAILED is no refusal. */
struct refusal_row {
	const char *rule;
	const char *clause;
	enum status status;
};

static const struct refusal_row refusal_rows[SIGNER_REFUSAL_COUNT] = {
    [SIGNER_REFUSAL_REQUEST] = {"signer", HOUSE, STATUS_REFUSED},
    [SIGNER_REFUSAL_SEALS] = {"signer", HOUSE, STATUS_REFUSED},
    [SIGNER_REFUSAL_SIZE] = {"signer", HOUSE, STATUS_REFUSED},
    [SIGNER_REFUSAL_COPY] = {"signer", HOUSE, STATUS_FAILED},
    [SIGNER_REFUSAL_DER] = {"der", "RFC 5280, 5.1", STATUS_REFUSED},
    [SIGNER_REFUSAL_ISSUER] = {"issuer-bytes", "RFC 5280, 5.1.2.3",
	STATUS_REFUSED},
    [SIGNER_REFUSAL_ALGORITHM] = {"sigalg-match", "RFC 5280, 5.1.1.2",
	STATUS_REFUSED},
    [SIGNER_REFUSAL_AKI] = {"aki", "RFC 5280, 5.2.1", STATUS_REFUSED},
    [SIGNER_REFUSAL_IDP] = {"idp", "RFC 5280, 5.2.5", STATUS_REFUSED},
    [SIGNER_REFUSAL_URL] = {"idp-url", "BR 7.2.2.1", STATUS_REFUSED},
    [SIGNER_REFUSAL_NUMBER] = {"number", "RFC 5280, 5.2.3", STATUS_REFUSED},
    [SIGNER_REFUSAL_NUMBER_LAST] = {"number-up", "RFC 5280, 5.2.3",
	STATUS_REFUSED},
    [SIGNER_REFUSAL_NUMBER_FLOOR] = {"number-up", "RFC 5280, 5.2.3",
	STATUS_REFUSED},
    [SIGNER_REFUSAL_TIMES] = {"next-update", "RFC 5280, 5.1.2.5",
	STATUS_REFUSED},
    [SIGNER_REFUSAL_FUTURE] = {"not-future", HOUSE, STATUS_REFUSED},
    [SIGNER_REFUSAL_CRYPTO] = {"signer", NULL, STATUS_FAILED},
};

static int64_t
clock_msec(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		return 0;
	return (int64_t)now.tv_sec * MSEC_PER_SEC + now.tv_nsec / NSEC_PER_MSEC;
}

/* Waits up to END_MSEC for the process to end; true when it has. */
static bool
process_wait(pid_t pid, int *how)
{
	const struct timespec pause = {.tv_nsec = NSEC_PER_MSEC};
	int64_t end_msec = clock_msec() + END_MSEC;

	for (;;) {
		pid_t ended = waitpid(pid, how, WNOHANG);

		/* Where children are not waited for it is only known gone. */
		if (ended == -1 && errno != EINTR)
			*how = 0;
		if (ended == pid || (ended == -1 && errno != EINTR))
			return true;
		if (clock_msec() >= end_msec)
			return false;
		(void)nanosleep(&pause, NULL);
	}
}

static void
lane_close(struct lane *lane)
{
	if (lane->sock != -1)
		(void)close(lane->sock);
	lane->sock = -1;
}

/* Ends it, by force if need be, and says how it ended; only one thread. */
static void
process_bury(struct signer *signer, char text[END_TEXT_BYTES])
{
	int how = 0;

	(void)snprintf(text, END_TEXT_BYTES, "was killed");
	if (signer->pid == -1)
		return;
	if (!process_wait(signer->pid, &how)) {
		(void)kill(signer->pid, SIGKILL);
		/* What even this does not end is left to init. */
		(void)process_wait(signer->pid, &how);
	} else if (WIFSIGNALED(how) && WTERMSIG(how) == SIGSYS) {
		signer->forbidden = true;
		(void)snprintf(text, END_TEXT_BYTES,
		    "died of a system call that its sandbox forbids");
	} else if (WIFSIGNALED(how)) {
		(void)snprintf(
		    text, END_TEXT_BYTES, "died (signal %d)", WTERMSIG(how));
	} else {
		(void)snprintf(text, END_TEXT_BYTES, "ended (exit status %d)",
		    WEXITSTATUS(how));
	}
	signer->pid = -1;
}

/* The lane is the caller's. True for the first to see that it is gone. */
static bool
process_end(struct signer *signer, struct lane *lane, bool by_force,
    char text[END_TEXT_BYTES])
{
	bool first;

	lane_close(lane);
	(void)pthread_mutex_lock(&signer->end);
	first = signer->pid != -1;
	/* The other lanes keep it from ending by itself. */
	if (first && (by_force || signer->lane_count > 1))
		(void)kill(signer->pid, SIGKILL);
	process_bury(signer, text);
	(void)pthread_mutex_unlock(&signer->end);
	return first;
}

/* What every shard is told after the first one. */
static enum status
signer_gone(const char *doing, struct report *report)
{
	return report_fault(report, STATUS_FAILED, "signer", NULL, NULL,
	    "not done, the signer is gone: %s", doing);
}

static enum status
signer_lost(struct signer *signer, struct lane *lane, const char *doing,
    struct report *report)
{
	char text[END_TEXT_BYTES];

	enum status status;

	if (!process_end(signer, lane, false, text))
		return signer_gone(doing, report);
	status = report_fault(report, STATUS_FAILED, "signer",
	    signer->forbidden ? "sandbox" : NULL, NULL, "%s while %s", text,
	    doing);
	if (signer->forbidden)
		report_hint(report,
		    signer->is_token
			? "the kernel's log has its number; what a token's "
			  "module cannot do without wants [issuer] "
			  "key_sandbox = no"
			: "the kernel's log has its number; with a key in a "
			  "file nothing needs it: please report this");
	return status;
}

static enum status
signer_silent(struct signer *signer, struct lane *lane, const char *doing,
    struct report *report)
{
	char text[END_TEXT_BYTES];

	/* It may be stopped, and would not notice that its socket closed. */
	if (!process_end(signer, lane, true, text))
		return signer_gone(doing, report);
	return report_fault(report, STATUS_FAILED, "signer", NULL, NULL,
	    "no answer while %s, want one within %lld s; it was killed", doing,
	    (long long)(signer->timeout_msec / MSEC_PER_SEC));
}

/* Whether `n` octets are a reply: the bounds hold and the text ends. */
static bool
reply_is_sane(const struct signer_reply *reply, ssize_t n)
{
	if (n != sizeof(*reply) || reply->len > sizeof(reply->octet) ||
	    memchr(reply->text, '\0', sizeof(reply->text)) == NULL)
		return false;
	switch (reply->kind) {
	case SIGNER_REPLY_NOTICE:
		return reply->code < SIGNER_NOTICE_COUNT &&
		       reply->status < STATUS_COUNT;
	case SIGNER_REPLY_READY:
	case SIGNER_REPLY_SIGNED:
		return reply->len > 0;
	case SIGNER_REPLY_REFUSED:
		return reply->code < SIGNER_REFUSAL_COUNT;
	default:
		return false;
	}
}

/* The next reply; without one the signer is buried and a fault reported. */
static enum status
reply_receive(struct signer *signer, struct lane *lane,
    struct signer_reply *reply, const char *doing, struct report *report)
{
	struct pollfd waiting = {.fd = lane->sock, .events = POLLIN};
	int64_t end_msec = clock_msec() + signer->timeout_msec;
	ssize_t n;
	int ready;

	do {
		int64_t left_msec = end_msec - clock_msec();

		ready = poll(&waiting, 1, left_msec > 0 ? (int)left_msec : 0);
	} while (ready == -1 && errno == EINTR);
	if (ready == 0)
		return signer_silent(signer, lane, doing, report);
	n = recv(lane->sock, reply, sizeof(*reply), MSG_DONTWAIT);
	if (!reply_is_sane(reply, n))
		return signer_lost(signer, lane, doing, report);
	atomic_store(&signer->peak_kib, reply->peak_kib);
	return STATUS_OK;
}

/* Says a notice; STATUS_OK unless it is the fault that ends the start. */
static enum status
notice_report(const struct signer_config *config,
    const struct signer_reply *reply, struct report *report)
{
	const struct notice_row *row = &notice_rows[reply->code];
	const char *const objects[] = {
	    [NOTICE_KEY] = config->key_path,
	    [NOTICE_CERTIFICATE] = config->certificate_path,
	    [NOTICE_PASSPHRASE] = config->passphrase_fd != -1
				      ? "passphrase"
				      : config->passphrase_path,
	    [NOTICE_SANDBOX] = "signer",
	};
	const char *object = objects[row->object];
	const char *rule = row->object == NOTICE_SANDBOX ? "sandbox" : "key";

	if (row->severity == SEVERITY_FAULT)
		(void)report_fault(report, (enum status)reply->status, object,
		    rule, row->clause, "%s", reply->text);
	else if (row->severity == SEVERITY_WARNING)
		report_warn(
		    report, object, rule, row->clause, "%s", reply->text);
	else
		report_note(report, object, "%s", reply->text);
	if (row->hint != NULL)
		report_hint(report, "%s", row->hint);
	if (reply->code == SIGNER_NOTICE_KEY_PIN)
		signer_pin_refused(config, report);
	return (enum status)reply->status;
}

/* Hears it out until it is ready or has said why it cannot be. */
static enum status
signer_greet(struct signer *signer, const struct signer_config *config,
    struct report *report)
{
	static const char doing[] = "loading the key";
	struct signer_reply reply;
	enum status status;

	do {
		status = reply_receive(
		    signer, &signer->lane[0], &reply, doing, report);
		if (status == STATUS_OK && reply.kind == SIGNER_REPLY_NOTICE)
			status = notice_report(config, &reply, report);
	} while (status == STATUS_OK && reply.kind == SIGNER_REPLY_NOTICE);
	if (status != STATUS_OK)
		return status == STATUS_CONFIG ? status : STATUS_FAILED;
	if (reply.kind != SIGNER_REPLY_READY)
		return signer_lost(signer, &signer->lane[0], doing, report);
	signer->algorithm_len = reply.len;
	memcpy(signer->algorithm, reply.octet, reply.len);
	return STATUS_OK;
}

/* Forks; only the parent returns. */
static enum status
signer_fork(struct signer *signer, const struct signer_config *config,
    struct report *report)
{
	pid_t parent = getpid();
	int theirs[SIGNER_SESSIONS_MOST];
	unsigned pairs;
	int pair[2];
	int error = 0;

	for (pairs = 0; pairs < signer->lane_count; pairs++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			pair) == -1) {
			error = errno;
			break;
		}
		signer->lane[pairs].sock = pair[0];
		theirs[pairs] = pair[1];
	}
	if (error == 0) {
		signer->pid = fork();
		if (signer->pid == 0)
			signer_proc_run(theirs, pairs, parent, config);
		if (signer->pid == -1)
			error = errno;
	}
	for (unsigned i = 0; i < pairs; i++)
		(void)close(theirs[i]);
	if (error != 0)
		return report_fault(report, STATUS_FAILED, "signer", NULL, NULL,
		    "no process: %s", strerror(error));
	return STATUS_OK;
}

static struct signer *
signer_alloc(const struct signer_config *config)
{
	struct signer *signer = calloc(1, sizeof(*signer));
	uint32_t timeout_sec = config->timeout_sec;
	uint32_t sessions = config->sessions;

	if (signer == NULL)
		return NULL;
	/* glibc's never fail. */
	(void)pthread_mutex_init(&signer->end, NULL);
	for (unsigned i = 0; i < SIGNER_SESSIONS_MOST; i++) {
		(void)pthread_mutex_init(&signer->lane[i].mutex, NULL);
		signer->lane[i].sock = -1;
	}
	if (sessions == 0)
		sessions = 1;
	if (sessions > SIGNER_SESSIONS_MOST)
		sessions = SIGNER_SESSIONS_MOST;
	signer->lane_count = sessions;
	if (timeout_sec == 0)
		timeout_sec = SIGNER_TIMEOUT_SEC;
	if (timeout_sec > SIGNER_TIMEOUT_SEC_MOST)
		timeout_sec = SIGNER_TIMEOUT_SEC_MOST;
	signer->timeout_msec = (int64_t)timeout_sec * MSEC_PER_SEC;
	signer->pid = -1;
	signer->is_token = key_uri_is(config->key_path);
	return signer;
}

enum status
signer_start(const struct signer_config *config, struct report *report,
    struct signer **signer)
{
	struct signer *new = signer_alloc(config);
	enum status status;

	*signer = NULL;
	if (new == NULL)
		status = report_fault(report, STATUS_FAILED, "signer", NULL,
		    NULL, "out of memory");
	else
		status = signer_pin_check(config, report);
	if (status == STATUS_OK)
		status = signer_fork(new, config, report);
	if (config->passphrase_fd != -1)
		(void)close(config->passphrase_fd);
	if (status == STATUS_OK)
		status = signer_greet(new, config, report);
	if (status != STATUS_OK) {
		signer_stop(new);
		return status;
	}
	*signer = new;
	return STATUS_OK;
}

void
signer_stop(struct signer *signer)
{
	char text[END_TEXT_BYTES];

	if (signer == NULL)
		return;
	for (unsigned i = 0; i < signer->lane_count; i++)
		lane_close(&signer->lane[i]);
	process_bury(signer, text);
	for (unsigned i = 0; i < SIGNER_SESSIONS_MOST; i++)
		(void)pthread_mutex_destroy(&signer->lane[i].mutex);
	(void)pthread_mutex_destroy(&signer->end);
	free(signer);
}

struct crl_view
signer_algorithm(const struct signer *signer)
{
	return (struct crl_view){signer->algorithm, signer->algorithm_len};
}

/* Sends a request with its buffer; 0 or -1 with errno. */
static int
request_send(
    const struct lane *lane, const struct signer_request *request, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {
	    .iov_base = (void *)(uintptr_t)request,
	    .iov_len = sizeof(*request),
	};
	struct msghdr message = {
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header;
	ssize_t n;

	memset(&control, 0, sizeof(control));
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	/* There is room for one request, or the signer has a fault. */
	do
		n = sendmsg(lane->sock, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	return n == sizeof(*request) ? 0 : -1;
}

/* The first lane that is free, or one to wait for; the caller's to unlock. */
static struct lane *
lane_take(struct signer *signer)
{
	struct lane *lane;

	for (unsigned i = 0; i < signer->lane_count; i++)
		if (pthread_mutex_trylock(&signer->lane[i].mutex) == 0)
			return &signer->lane[i];
	lane = &signer->lane[atomic_fetch_add(&signer->turn, 1) %
			     signer->lane_count];
	(void)pthread_mutex_lock(&lane->mutex);
	return lane;
}

/* One request and its reply; the lane is the caller's. */
static enum status
signer_exchange(struct signer *signer, struct lane *lane,
    const struct signer_request *request, int fd, const char *object,
    struct report *report, struct signer_reply *reply)
{
	char doing[SIGNER_TEXT_BYTES];
	enum status status;

	if (lane->sock == -1)
		return report_fault(report, STATUS_FAILED, object, "signer",
		    NULL, "not signed: the signer is gone");
	(void)snprintf(doing, sizeof(doing), "signing %s", object);
	if (request_send(lane, request, fd) == -1)
		return signer_lost(signer, lane, doing, report);
	status = reply_receive(signer, lane, reply, doing, report);
	if (status == STATUS_OK && reply->kind != SIGNER_REPLY_SIGNED &&
	    reply->kind != SIGNER_REPLY_REFUSED)
		status = signer_lost(signer, lane, doing, report);
	return status;
}

enum status
signer_sign(struct signer *signer, const struct signer_buffer *buffer,
    const struct uint160 *floor, const char *object, struct report *report,
    struct signer_signature *signature)
{
	const struct refusal_row *row;
	struct signer_request request;
	struct signer_reply reply;
	struct lane *lane;
	enum status status;

	signature->len = 0;
	memset(&request, 0, sizeof(request));
	request.magic = SIGNER_REQUEST_MAGIC;
	request.floor = *floor;
	request.size = buffer->size;
	lane = lane_take(signer);
	status = signer_exchange(
	    signer, lane, &request, buffer->fd, object, report, &reply);
	(void)pthread_mutex_unlock(&lane->mutex);
	if (status != STATUS_OK)
		return status;
	if (reply.kind == SIGNER_REPLY_REFUSED) {
		row = &refusal_rows[reply.code];
		return report_fault(report, row->status, object, row->rule,
		    row->clause, "the signer refused: %s", reply.text);
	}
	memcpy(signature->octet, reply.octet, reply.len);
	signature->len = reply.len;
	return STATUS_OK;
}

uint64_t
signer_peak_kib(const struct signer *signer)
{
	return atomic_load(&signer->peak_kib);
}

enum status
signer_describe(const struct signer_config *config, struct report *report,
    uint8_t algorithm[SIGNER_ALGORITHM_BYTES_MOST], size_t *len)
{
	struct signer_notices notices = {0};
	struct signer_key *key = NULL;
	enum status status = signer_key_open_public(config, &notices, &key);

	*len = 0;
	for (size_t i = 0; i < notices.count; i++) {
		struct signer_reply reply = {
		    .code = notices.notice[i].code,
		    .status =
			i + 1 == notices.count ? (uint32_t)status : STATUS_OK,
		};

		snprintf(reply.text, sizeof(reply.text), "%s",
		    notices.notice[i].text);
		(void)notice_report(config, &reply, report);
	}
	if (status != STATUS_OK)
		return status;
	*len = signer_key_facts(key)->algorithm.len;
	if (*len > SIGNER_ALGORITHM_BYTES_MOST)
		status = report_fault(report, STATUS_CONFIG,
		    config->certificate_path, "key", NULL,
		    "an algorithm of too many octets, have %zu", *len);
	else
		memcpy(algorithm, signer_key_facts(key)->algorithm.data, *len);
	signer_key_close(key);
	return status;
}
