/* SPDX-License-Identifier: ISC */
/* crlpress: what comes from outside the program comes in here. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crlpress/command.h"

#define DEFAULT_CONFIG "/etc/crlpress"

static int64_t
clock_sec(void)
{
	return (int64_t)time(NULL);
}

static int64_t
monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static const char *
environment(const char *name)
{
	return getenv(name);
}

static bool
random_bytes(void *data, size_t len)
{
	return getentropy(data, len) == 0;
}

/* What a signal handler can reach is a global, or nothing. */
static volatile sig_atomic_t interrupt_seen;

/* The handler is reset as it is called: the next signal ends the process. */
static void
interrupt_note(int number)
{
	(void)number;
	interrupt_seen = 1;
}

static void
interrupt_catch(bool on)
{
	struct sigaction action = {
	    .sa_handler = on ? interrupt_note : SIG_DFL,
	    .sa_flags = on ? (int)SA_RESETHAND : 0,
	};
	struct sigaction before;

	(void)sigemptyset(&action.sa_mask);
	/* What whoever started us ignores (nohup) stays ignored. */
	if (sigaction(SIGINT, NULL, &before) == 0 &&
	    before.sa_handler != SIG_IGN)
		(void)sigaction(SIGINT, &action, NULL);
	if (sigaction(SIGTERM, NULL, &before) == 0 &&
	    before.sa_handler != SIG_IGN)
		(void)sigaction(SIGTERM, &action, NULL);
}

static bool
interrupted(void)
{
	return interrupt_seen != 0;
}

static unsigned
count_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

/* Else the lock, a socket or a CRL would become standard error. */
static void
open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

/* A pipe that nobody reads any more, whichever write it was that failed. */
static bool
reader_is_gone(int fd)
{
	struct pollfd pipe = {.fd = fd};

	return poll(&pipe, 1, 0) == 1 && (pipe.revents & POLLERR) != 0;
}

/*
 * Output that was lost, on a full disk say, is said and is a failure too. Who
 * closes a pipe has read enough: as little is said as by programs that end by
 * SIGPIPE, but nothing is left half done, and the exit status is the verdict.
 */
static enum status
close_output(enum status status)
{
	bool written;
	int why;

	errno = 0;
	written = fflush(stdout) == 0 && !ferror(stdout);
	why = errno;
	if (written || why == EPIPE || reader_is_gone(STDOUT_FILENO))
		return status;
	fprintf(stderr, "standard output: cannot be written%s%s%s\n",
	    why != 0 ? ": " : "", why != 0 ? strerror(why) : "",
	    status == STATUS_OK ? "; all else was done" : "");
	return status == STATUS_OK ? STATUS_PARTIAL : status;
}

int
main(int argc, char **argv)
{
	const char *config = getenv("CRLPRESS_CONFIG");
	struct context context = {
	    .in = stdin,
	    .out = stdout,
	    .err = stderr,
	    .err_is_terminal = isatty(STDERR_FILENO) == 1,
	    .clock_sec = clock_sec,
	    .config_path =
		config != NULL && *config != '\0' ? config : DEFAULT_CONFIG,
	    .cpus = count_cpus(),
	    .monotonic_ms = monotonic_ms,
	    .environment = environment,
	    .random_bytes = random_bytes,
	    .interrupt_catch = interrupt_catch,
	    .interrupted = interrupted,
	};
	open_standard_descriptors();
	/* What is published must be readable whoever runs this, and how. */
	umask(022);
	/* A closed pipe, a limit on files: an error code, not the end. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return status_exit(
	    close_output(command_dispatch(&context, argc, argv)));
}
