/* SPDX-License-Identifier: ISC */
/* ocsp-sunset: what comes from outside the program comes in here. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sunset_command.h"

/* Both clocks are read once for a batch of requests: coarse ones will do. */
static int64_t
clock_sec(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)now.tv_sec;
}

static int64_t
mono_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static unsigned
count_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

/* Else a socket would become standard error. */
static void
open_standard_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", O_RDWR);
}

static enum status
close_output(enum status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "standard output: cannot be written\n");
	return status == STATUS_OK ? STATUS_FAILED : status;
}

int
main(int argc, char **argv)
{
	struct sunset_context context = {
	    .out = stdout,
	    .err = stderr,
	    .clock_sec = clock_sec,
	    .mono_ms = mono_ms,
	    .cpus = count_cpus(),
	    .listen_pid = getenv("LISTEN_PID"),
	    .listen_fds = getenv("LISTEN_FDS"),
	    .listen_names = getenv("LISTEN_FDNAMES"),
	    .notify_socket = getenv("NOTIFY_SOCKET"),
	};
	open_standard_descriptors();
	umask(022);
	/* A closed pipe, a limit on files: an error code, not the end. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return status_exit(
	    close_output(sunset_command_dispatch(&context, argc, argv)));
}
