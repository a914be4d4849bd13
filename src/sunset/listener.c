/* SPDX-License-Identifier: ISC */
/* Listening sockets: opened, or taken over. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crlpress/quantity.h"

#include "sunset_key.h"

/* sd_listen_fds(3): SD_LISTEN_FDS_START. */
#define GIVEN_FIRST 3

#define METRICS_NAME "metrics"

/* The kernel takes twice as much, for what it keeps beside the bytes. */
#define BUFFER_BYTES 32768

static bool
is_listening(int fd)
{
	int listens = 0;
	int type = 0;
	socklen_t len = sizeof(listens);
	socklen_t type_len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	       listens != 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 &&
	       type == SOCK_STREAM;
}

static bool
descriptor_prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/*
 * What connections inherit. Answers are one segment: they need not wait for an
 * acknowledgement, nor for a congestion control that would pace them. The
 * kernel's buffers hold the largest request and a few hundred answers: they
 * would grow to megabytes for a client that does not read, times the
 * connections.
 */
static void
options_inherit(int fd)
{
	int on = 1;
	int bytes = BUFFER_BYTES;
	static const char plain[] = "reno";

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_CONGESTION, plain, sizeof(plain) - 1);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

/* The next of names with colons between them is `name`. */
static bool
name_next(const char **names, const char *name)
{
	size_t len;
	bool same;

	if (*names == NULL)
		return false;
	len = strcspn(*names, ":");
	same = len == strlen(name) && strncmp(*names, name, len) == 0;
	*names += len;
	if (**names == ':')
		(*names)++;
	return same;
}

static enum status
descriptor_take(
    struct report *report, int fd, bool metrics, struct listener_given *given)
{
	char object[32];

	(void)snprintf(object, sizeof(object), "descriptor %d", fd);
	if (!is_listening(fd) || !descriptor_prepare(fd))
		return report_fault(report, STATUS_CONFIG, object, "listen",
		    "sd_listen_fds(3)", "not a listening stream socket");
	options_inherit(fd);
	if (metrics && given->metrics < 0) {
		given->metrics = fd;
		return STATUS_OK;
	}
	if (given->count == SUNSET_LISTEN_MOST)
		return report_fault(report, STATUS_CONFIG, object, "listen",
		    "house rule", "more sockets than %d were handed over",
		    SUNSET_LISTEN_MOST);
	given->fd[given->count++] = fd;
	return STATUS_OK;
}

enum status
listener_take(const struct sunset_context *context, struct report *report,
    struct listener_given *given)
{
	const char *names = context->listen_names;
	const char *why = "";
	uint64_t count = 0;
	uint64_t pid = 0;

	*given = (struct listener_given){.metrics = -1};
	if (context->listen_pid == NULL || context->listen_fds == NULL)
		return STATUS_OK;
	if (quantity_count(context->listen_pid, 1, INT32_MAX, &pid, &why) !=
		STATUS_OK ||
	    (pid_t)pid != getpid())
		return STATUS_OK;
	if (quantity_count(context->listen_fds, 0, SUNSET_LISTEN_MOST + 1,
		&count, &why) != STATUS_OK)
		return report_fault(report, STATUS_CONFIG, "LISTEN_FDS",
		    "listen", "sd_listen_fds(3)", "%s: %s", context->listen_fds,
		    why);
	for (int i = 0; i < (int)count; i++) {
		enum status status = descriptor_take(report, GIVEN_FIRST + i,
		    name_next(&names, METRICS_NAME), given);

		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

/* The options that must be set before the address is bound. */
static bool
options_set(int fd, const struct sunset_address *address, bool shared)
{
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return false;
	if (shared &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
		return false;
	/* So that [::] leaves 0.0.0.0 to whoever is configured to have it. */
	if (address->storage.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return false;
	options_inherit(fd);
	return true;
}

enum status
listener_open(struct sunset_address *address, uint32_t backlog, bool shared,
    struct report *report, int *fd)
{
	const struct sockaddr *to = (const void *)&address->storage;
	char text[SUNSET_ADDRESS_BYTES];
	socklen_t len = sizeof(address->storage);
	int s;

	*fd = -1;
	s = socket(address->storage.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0 || !options_set(s, address, shared) ||
	    bind(s, to, address->len) != 0 || listen(s, (int)backlog) != 0 ||
	    getsockname(s, (void *)&address->storage, &len) != 0) {
		int error = errno;

		if (s >= 0)
			(void)close(s);
		return report_fault(report, STATUS_FAILED,
		    sunset_address_text(address, text), "listen", NULL, "%s",
		    strerror(error));
	}
	*fd = s;
	return STATUS_OK;
}

bool
listener_steer(int fd, uint32_t count)
{
	uint32_t processor = (uint32_t)(SKF_AD_OFF + SKF_AD_CPU);
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, processor),
	    BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count),
	    BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = {
	    sizeof(code) / sizeof(code[0]),
	    code,
	};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
		   sizeof(program)) == 0;
}
