/* SPDX-License-Identifier: ISC */
/* crlpress: what comes from outside the program comes in here. */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "crlpress/command.h"

#define DEFAULT_CONFIG "/etc/crlpress"

static int64_t
clock_sec(void)
{
	return (int64_t)time(NULL);
}

static unsigned
count_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

int
main(int argc, char **argv)
{
	const char *config = getenv("CRLPRESS_CONFIG");
	struct context context = {
	    .out = stdout,
	    .err = stderr,
	    .err_is_terminal = isatty(STDERR_FILENO) == 1,
	    .clock_sec = clock_sec,
	    .config_path = config != NULL ? config : DEFAULT_CONFIG,
	    .cpus = count_cpus(),
	};
	enum status status;

	/* A closed pipe or socket is an error code here, not the end. */
	signal(SIGPIPE, SIG_IGN);
	status = command_dispatch(&context, argc, argv);
	/* Output that was lost, on a full disk say, is a failure too. */
	if (fflush(stdout) != 0 && status == STATUS_OK)
		status = STATUS_IO;
	return status_exit(status);
}
