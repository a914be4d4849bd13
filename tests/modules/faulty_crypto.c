/* SPDX-License-Identifier: ISC */
/*
 * A libcrypto that has been broken into, for LD_PRELOAD: before it signs it
 * does what SIGN_DEED says, as somebody would who had found a way to run code
 * where the key is.
 *   open      reads a file
 *   connect   makes a connection
 *   exec      becomes another program
 *   fork      starts another process
 *   thread    starts another thread
 *   write     writes to a descriptor that it found open
 *   kill      sends a signal to the parent, which is refused and no more
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>

typedef int digest_sign(EVP_MD_CTX *context, unsigned char *signature,
    size_t *signature_len, const unsigned char *tbs, size_t tbs_len);

/* Nothing that goes wrong by itself may look like what is forbidden. */
static void
expect(int done, const char *what)
{
	if (!done) {
		perror(what);
		_exit(99);
	}
}

static void *
thread_run(void *argument)
{
	return argument;
}

static void
do_connect(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	expect(fd != -1, "socket");
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)connect(fd, (void *)&to, sizeof(to));
	(void)close(fd);
}

static void
do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	expect(pid > 0 && waitpid(pid, NULL, 0) == pid, "fork");
}

static void
deed(const char *name)
{
	pthread_t thread;
	int fd;

	if (strcmp(name, "open") == 0) {
		fd = open("/etc/passwd", O_RDONLY);
		expect(fd != -1 && close(fd) == 0, "open");
	} else if (strcmp(name, "connect") == 0) {
		do_connect();
	} else if (strcmp(name, "exec") == 0) {
		execl("/bin/true", "true", (char *)NULL);
		expect(0, "exec");
	} else if (strcmp(name, "fork") == 0) {
		do_fork();
	} else if (strcmp(name, "thread") == 0) {
		expect(pthread_create(&thread, NULL, thread_run, NULL) == 0 &&
			   pthread_join(thread, NULL) == 0,
		    "thread");
	} else if (strcmp(name, "write") == 0) {
		expect(write(STDOUT_FILENO, "x", 1) == 1, "write");
	} else if (strcmp(name, "kill") == 0) {
		expect(
		    kill(getppid(), SIGTERM) == -1 && errno == EPERM, "kill");
	} else {
		abort();
	}
}

int
EVP_DigestSign(EVP_MD_CTX *context, unsigned char *signature,
    size_t *signature_len, const unsigned char *tbs, size_t tbs_len)
{
	const char *name = getenv("SIGN_DEED");
	digest_sign *real;

	*(void **)&real = dlsym(RTLD_NEXT, "EVP_DigestSign");
	if (name != NULL)
		deed(name);
	return real(context, signature, signature_len, tbs, tbs_len);
}
