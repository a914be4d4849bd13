/* SPDX-License-Identifier: ISC */
/*
 * A PKCS#11 module that is another one, named by TOKEN_MODULE, but for what a
 * real token cannot be asked to do. It writes a line to TOKEN_LOG for each
 * login and each signature, and TOKEN_FAULT says what goes wrong:
 *   lie        signatures are of something else
 *   gone:N     the token is removed before signature N, counted from 1
 *   lost:N     the session is closed before that one
 *   slow:SEC   signatures take so long
 *   meet:N     none is given before N were asked for at a time
 *   exec:N     a program is started before that one
 *   connect:N  a connection is made before that one, and a thread
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <dlfcn.h>

#include <p11-kit/pkcs11.h>

#define MEET_SEC 60

static CK_FUNCTION_LIST own, *real;
static atomic_ulong signatures;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t met = PTHREAD_COND_INITIALIZER;
static unsigned long waiting;

static void
log_line(const char *line)
{
	const char *path = getenv("TOKEN_LOG");
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1 || write(fd, line, strlen(line)) == -1)
		abort();
	(void)close(fd);
}

/* The number behind `name` in TOKEN_FAULT, or 0. */
static unsigned long
fault_number(const char *name)
{
	const char *fault = getenv("TOKEN_FAULT");

	if (fault == NULL || strncmp(fault, name, strlen(name)) != 0)
		return 0;
	return strtoul(fault + strlen(name), NULL, 10);
}

static CK_RV
login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin,
    CK_ULONG len)
{
	log_line("login\n");
	return real->C_Login(session, user, pin, len);
}

/* Waits for the others; false when they do not come. */
static bool
meet(unsigned long wanted)
{
	struct timespec end;
	int error = 0;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += MEET_SEC;
	(void)pthread_mutex_lock(&mutex);
	if (++waiting >= wanted)
		(void)pthread_cond_broadcast(&met);
	while (waiting < wanted && error == 0)
		error = pthread_cond_timedwait(&met, &mutex, &end);
	(void)pthread_mutex_unlock(&mutex);
	return error == 0;
}

/* As modules do that have a daemon. */
static CK_RV
start_program(void)
{
	char *const argv[] = {"true", NULL};
	pid_t pid;

	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL) != 0 ||
	    waitpid(pid, NULL, 0) != pid)
		return CKR_FUNCTION_FAILED;
	return CKR_OK;
}

static void *
make_connection(void *argument)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1)
		return NULL;
	(void)connect(fd, (void *)&to, sizeof(to));
	(void)close(fd);
	return argument;
}

/* As those do whose token is elsewhere. */
static CK_RV
connect_aside(void)
{
	void *done = NULL;
	pthread_t thread;

	if (pthread_create(&thread, NULL, make_connection, &own) != 0 ||
	    pthread_join(thread, &done) != 0 || done == NULL)
		return CKR_FUNCTION_FAILED;
	return CKR_OK;
}

static CK_RV
sign_init(
    CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	unsigned long count = atomic_fetch_add(&signatures, 1) + 1;

	if (fault_number("gone:") != 0 && count >= fault_number("gone:"))
		return CKR_DEVICE_REMOVED;
	if (fault_number("lost:") != 0 && count >= fault_number("lost:"))
		return CKR_SESSION_HANDLE_INVALID;
	if (fault_number("exec:") == count && start_program() != CKR_OK)
		return CKR_FUNCTION_FAILED;
	if (fault_number("connect:") == count && connect_aside() != CKR_OK)
		return CKR_FUNCTION_FAILED;
	return real->C_SignInit(session, mechanism, key);
}

static CK_RV
sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len,
    CK_BYTE *signature, CK_ULONG *len)
{
	const char *fault = getenv("TOKEN_FAULT");
	CK_RV rv;

	/* Only its length is asked for. */
	if (signature == NULL)
		return real->C_Sign(session, data, data_len, signature, len);
	log_line("sign\n");
	if (fault_number("slow:") != 0)
		(void)sleep((unsigned)fault_number("slow:"));
	if (fault_number("meet:") != 0 && !meet(fault_number("meet:")))
		return CKR_FUNCTION_FAILED;
	rv = real->C_Sign(session, data, data_len, signature, len);
	if (rv == CKR_OK && fault != NULL && strcmp(fault, "lie") == 0)
		signature[*len - 1] ^= 1;
	return rv;
}

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	const char *path = getenv("TOKEN_MODULE");
	CK_RV (*get)(CK_FUNCTION_LIST **);
	void *library;
	CK_RV rv;

	library = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	if (library == NULL)
		return CKR_GENERAL_ERROR;
	*(void **)&get = dlsym(library, "C_GetFunctionList");
	rv = get(&real);
	if (rv != CKR_OK)
		return rv;
	own = *real;
	own.C_Login = login;
	own.C_SignInit = sign_init;
	own.C_Sign = sign;
	*list = &own;
	return CKR_OK;
}
