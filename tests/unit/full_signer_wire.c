/* SPDX-License-Identifier: ISC */
/*
 * The signer's protocol, spoken by hand: every way to hand over something else
 * than one buffer of sealed size.
 */
#include "../lib/signer_group.h"
#include "../../src/signer_wire.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct raw {
	int sock;
	pid_t pid;
	size_t algorithm_len;
	uint8_t algorithm[SIGNER_ALGORITHM_BYTES_MOST];
};

static struct raw
raw_start(void)
{
	struct signer_config config = ca_config(&p256);
	pid_t parent = getpid();
	struct signer_reply reply;
	struct raw raw;
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	raw.pid = fork();
	assert_true(raw.pid != -1);
	if (raw.pid == 0)
		signer_proc_run(&pair[1], 1, parent, &config);
	assert_int_equal(close(pair[1]), 0);
	raw.sock = pair[0];
	assert_int_equal(
	    recv(raw.sock, &reply, sizeof(reply), 0), sizeof(reply));
	assert_int_equal(reply.kind, SIGNER_REPLY_READY);
	assert_true(reply.len <= sizeof(raw.algorithm));
	raw.algorithm_len = reply.len;
	memcpy(raw.algorithm, reply.octet, reply.len);
	return raw;
}

/* A list that it should sign. */
static struct signer_buffer
raw_list(const struct raw *raw)
{
	struct crl_view algorithm = {raw->algorithm, raw->algorithm_len};
	struct crl_header header =
	    ca_header_of(&p256, algorithm, "http://crl.example/005.crl", 100);

	return tbs_make(&header, 10);
}

/* Its end is a good one: closed socket, exit status 0. */
static void
raw_stop(const struct raw *raw)
{
	int how;

	assert_int_equal(close(raw->sock), 0);
	assert_int_equal(waitpid(raw->pid, &how, 0), raw->pid);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 0);
}

static struct signer_reply
raw_ask(const struct raw *raw, const void *data, size_t len, const int *fds,
    size_t fd_count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 8)];
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t)data, len};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	struct signer_reply reply;

	if (fd_count > 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * fd_count);
	}
	assert_int_equal(sendmsg(raw->sock, &message, MSG_NOSIGNAL), len);
	assert_int_equal(
	    recv(raw->sock, &reply, sizeof(reply), 0), sizeof(reply));
	return reply;
}

static void
assert_reply(const struct signer_reply *reply, enum signer_refusal_code code,
    const char *text)
{
	assert_int_equal(reply->kind, SIGNER_REPLY_REFUSED);
	assert_int_equal(reply->code, code);
	assert_contains(reply->text, text);
}

static size_t
descriptors_count(pid_t pid)
{
	char command[64];
	FILE *pipe;
	int count = -1;

	(void)snprintf(
	    command, sizeof(command), "ls /proc/%d/fd | wc -l", (int)pid);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%d", &count), 1);
	assert_int_equal(pclose(pipe), 0);
	return (size_t)count;
}

static struct signer_request
raw_request(uint64_t size)
{
	struct signer_request request;

	memset(&request, 0, sizeof(request));
	request.magic = SIGNER_REQUEST_MAGIC;
	request.size = size;
	return request;
}

static void
other_messages_are_refused(void **state)
{
	struct raw raw = raw_start();
	struct signer_buffer buffer = raw_list(&raw);
	struct signer_request request = raw_request(buffer.size);
	int fds[8];
	char long_message[sizeof(request) + 1] = {0};
	struct signer_reply reply;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		fds[i] = buffer.fd;
	for (size_t n = 0; n <= 8; n++) {
		if (n == 1)
			continue;
		reply = raw_ask(&raw, &request, sizeof(request), fds, n);
		assert_reply(&reply, SIGNER_REFUSAL_REQUEST, "not a request");
	}
	reply = raw_ask(&raw, &request, sizeof(request) - 1, fds, 1);
	assert_reply(&reply, SIGNER_REFUSAL_REQUEST, "not a request");
	memcpy(long_message, &request, sizeof(request));
	reply = raw_ask(&raw, long_message, sizeof(long_message), fds, 1);
	assert_reply(&reply, SIGNER_REFUSAL_REQUEST, "not a request");
	request.magic++;
	reply = raw_ask(&raw, &request, sizeof(request), fds, 1);
	assert_reply(&reply, SIGNER_REFUSAL_REQUEST, "not a request");
	request.magic--;
	/* No descriptor stayed behind: 0, 1, 2 and the socket. */
	if (geteuid() == 0)
		assert_int_equal(descriptors_count(raw.pid), 4);
	reply = raw_ask(&raw, &request, sizeof(request), fds, 1);
	assert_int_equal(reply.kind, SIGNER_REPLY_SIGNED);
	raw_stop(&raw);
	signer_buffer_free(&buffer);
}

/* Memory with the good list in it and such seals. */
static int
memfd_sealed(const struct signer_buffer *list, int seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	assert_int_equal(
	    write(fd, list->data, list->size), (ssize_t)list->size);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* Asks with a descriptor that is closed then. */
static struct signer_reply
raw_ask_once(const struct raw *raw, uint64_t size, int fd)
{
	struct signer_request request = raw_request(size);
	struct signer_reply reply;

	assert_true(fd != -1);
	reply = raw_ask(raw, &request, sizeof(request), &fd, 1);
	assert_int_equal(close(fd), 0);
	return reply;
}

/* What is not memory, or may shrink: it could keep the signer waiting. */
static void
unsealed_buffers_are_refused(void **state)
{
	static const int incomplete[] = {0, F_SEAL_SHRINK, F_SEAL_GROW,
	    F_SEAL_WRITE, F_SEAL_WRITE | F_SEAL_SHRINK,
	    F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SEAL,
	    F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_SEAL};
	char path[PATH_BYTES];
	struct raw raw = raw_start();
	struct signer_buffer buffer = raw_list(&raw);
	struct signer_reply reply;
	int fds[8];
	int pair[2];

	(void)state;
	for (size_t i = 0; i < sizeof(incomplete) / sizeof(*incomplete); i++) {
		reply = raw_ask_once(
		    &raw, buffer.size, memfd_sealed(&buffer, incomplete[i]));
		assert_reply(&reply, SIGNER_REFUSAL_SEALS, "sealed");
	}
	/* Files know no seals, on disk or in memory, nor do pipes. */
	(void)snprintf(path, sizeof(path), "%s/list", p256.dir);
	fds[0] = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	fds[1] = open("/dev/shm", O_RDWR | O_TMPFILE, 0600);
	fds[2] = dup(raw.sock);
	fds[3] = open("/dev/zero", O_RDONLY);
	fds[4] = open("/", O_RDONLY | O_DIRECTORY);
	fds[5] = open(p256.key_path, O_RDONLY);
	assert_int_equal(pipe(pair), 0);
	fds[6] = pair[0];
	fds[7] = open("/", O_PATH);
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		/* Where there is no /dev/shm. */
		if (i == 1 && fds[i] == -1)
			continue;
		if (i < 2)
			assert_int_equal(
			    write(fds[i], buffer.data, buffer.size),
			    (ssize_t)buffer.size);
		reply = raw_ask_once(&raw, buffer.size, fds[i]);
		assert_reply(&reply, SIGNER_REFUSAL_SEALS, "sealed");
	}
	assert_int_equal(close(pair[1]), 0);
	reply = raw_ask_once(&raw, buffer.size,
	    memfd_sealed(&buffer, F_SEAL_SHRINK | F_SEAL_GROW));
	assert_int_equal(reply.kind, SIGNER_REPLY_SIGNED);
	raw_stop(&raw);
	signer_buffer_free(&buffer);
}

/* The size that is told is held against the buffer's, and the list's. */
static void
other_sizes_are_refused(void **state)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW;
	struct raw raw = raw_start();
	struct signer_buffer buffer = raw_list(&raw);
	const uint64_t sizes[] = {0, buffer.room + 1, SIGNER_TBS_BYTES_MOST,
	    SIGNER_TBS_BYTES_MOST + 1, UINT64_MAX};
	struct signer_request request;
	struct signer_reply reply;
	int empty = memfd_create("test", MFD_ALLOW_SEALING);
	int large;

	(void)state;
	assert_int_equal(fcntl(empty, F_ADD_SEALS, seals), 0);
	reply = raw_ask_once(&raw, 1, empty);
	assert_reply(&reply, SIGNER_REFUSAL_SIZE, "size");
	reply =
	    raw_ask_once(&raw, buffer.size + 1, memfd_sealed(&buffer, seals));
	assert_reply(&reply, SIGNER_REFUSAL_SIZE, "size");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		request = raw_request(sizes[i]);
		reply = raw_ask(&raw, &request, sizeof(request), &buffer.fd, 1);
		assert_reply(&reply, SIGNER_REFUSAL_SIZE, "size");
	}
	/* More than a list may have, though the buffer has it: of holes. */
	large = memfd_create("test", MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(large, SIGNER_TBS_BYTES_MOST + 1), 0);
	assert_int_equal(fcntl(large, F_ADD_SEALS, seals), 0);
	reply = raw_ask_once(&raw, SIGNER_TBS_BYTES_MOST + 1, large);
	assert_reply(&reply, SIGNER_REFUSAL_SIZE, "size");
	/* Less than the list, and more: there is room behind it. */
	request = raw_request(buffer.size - 1);
	reply = raw_ask(&raw, &request, sizeof(request), &buffer.fd, 1);
	assert_reply(&reply, SIGNER_REFUSAL_DER, "");
	request = raw_request(buffer.room);
	reply = raw_ask(&raw, &request, sizeof(request), &buffer.fd, 1);
	assert_reply(&reply, SIGNER_REFUSAL_DER, "");
	request = raw_request(buffer.size);
	reply = raw_ask(&raw, &request, sizeof(request), &buffer.fd, 1);
	assert_int_equal(reply.kind, SIGNER_REPLY_SIGNED);
	raw_stop(&raw);
	signer_buffer_free(&buffer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(other_messages_are_refused),
	    cmocka_unit_test(unsealed_buffers_are_refused),
	    cmocka_unit_test(other_sizes_are_refused),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
