/* SPDX-License-Identifier: ISC */
/*
 * The signer as a process: what it gave up, how it lives through signals, how
 * it dies with its parent, and how the parent lives with its death. Also
 * threads that take turns, and a lack of memory.
 */
#include "../lib/signer_group.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define NAME "crlpress-signer"
#define WAIT_MSEC 60000

static int64_t
clock_now_msec(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
pause_msec(long msec)
{
	const struct timespec pause = {msec / 1000, msec % 1000 * 1000000};

	(void)nanosleep(&pause, NULL);
}

/* The value of a line of /proc/PID/status, or false. */
static bool
proc_status(pid_t pid, const char *key, char out[128])
{
	char path[64];
	char line[256];
	bool found = false;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		size_t n = strlen(key);

		if (strncmp(line, key, n) != 0 || line[n] != ':')
			continue;
		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(out, 128, "%.100s",
		    line + n + 1 + strspn(line + n + 1, " \t"));
		found = true;
	}
	(void)fclose(file);
	return found;
}

/* Octets of its address space. */
static rlim_t
proc_size(pid_t pid)
{
	unsigned long kib = 0;
	char value[128];

	assert_true(proc_status(pid, "VmSize", value));
	assert_int_equal(sscanf(value, "%lu kB", &kib), 1);
	return (rlim_t)kib << 10;
}

/* The signer among the children of a process; 0 when there is none. */
static pid_t
signer_find(pid_t parent)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	pid_t found = 0;

	assert_non_null(proc);
	while (found == 0 && (entry = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		char value[128];

		if (pid > 0 && proc_status(pid, "PPid", value) &&
		    strtol(value, NULL, 10) == parent &&
		    proc_status(pid, "Name", value) &&
		    strcmp(value, NAME) == 0 &&
		    proc_status(pid, "State", value) && value[0] != 'Z')
			found = pid;
	}
	(void)closedir(proc);
	return found;
}

static pid_t
signer_await(pid_t parent)
{
	int64_t end_msec = clock_now_msec() + WAIT_MSEC;
	pid_t pid;

	while ((pid = signer_find(parent)) == 0) {
		assert_true(clock_now_msec() < end_msec);
		pause_msec(2);
	}
	return pid;
}

static void
state_await(pid_t pid, char state)
{
	int64_t end_msec = clock_now_msec() + WAIT_MSEC;
	char value[128];

	while (!proc_status(pid, "State", value) || value[0] != state) {
		assert_true(clock_now_msec() < end_msec);
		pause_msec(2);
	}
}

static enum status
number_sign(struct signer *signer, unsigned shard, uint64_t number,
    struct report *report)
{
	struct uint160 floor = uint160_from_u64(0);
	struct signer_signature signature;
	struct signer_buffer buffer;
	struct crl_header header;
	enum status status;
	char object[32];
	char url[64];

	(void)snprintf(url, sizeof(url), "http://crl.example/%03u.crl", shard);
	(void)snprintf(object, sizeof(object), "shard %u", shard);
	header = ca_header(&p256, signer, url, number);
	buffer = tbs_make(&header, 10);
	status =
	    signer_sign(signer, &buffer, &floor, object, report, &signature);
	if (status == STATUS_OK)
		X509_CRL_free(crl_verify(&p256, signer, &buffer, &signature));
	signer_buffer_free(&buffer);
	return status;
}

/* Standard input, output and error, and the socket. */
#define DESCRIPTORS 4

/* But for root the descriptors cannot be listed: DESCRIPTORS, then. */
static int
descriptors_count(pid_t pid)
{
	char path[64];
	int count = 0;
	DIR *fds;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	if (geteuid() != 0) {
		assert_null(fds);
		assert_int_equal(errno, EACCES);
		return DESCRIPTORS;
	}
	assert_non_null(fds);
	while (readdir(fds) != NULL)
		count++;
	(void)closedir(fds);
	return count - 2; /* without . and .. */
}

/* How many of standard input and output are /dev/null; for root only. */
static int
standard_null(pid_t pid)
{
	char path[64];
	char target[64];
	int count = 0;

	for (int fd = 0; fd < 2; fd++) {
		ssize_t n;

		(void)snprintf(
		    path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		n = readlink(path, target, sizeof(target) - 1);
		assert_true(n > 0);
		target[n] = '\0';
		count += strcmp(target, "/dev/null") == 0;
	}
	return count;
}

static void
process_has_given_up_all(void **state)
{
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	int extra = open("/dev/null", O_RDONLY); /* not close-on-exec */
	struct signer *signer = ca_start(&p256);
	pid_t pid = signer_find(getpid());
	char path[64];
	char value[512];
	FILE *limits;
	bool core = false;

	(void)state;
	assert_true(pid > 0);
	assert_true(proc_status(pid, "NoNewPrivs", value));
	assert_string_equal(value, "1");
	(void)snprintf(path, sizeof(path), "/proc/%d/limits", (int)pid);
	limits = fopen(path, "r");
	assert_non_null(limits);
	while (fgets(value, sizeof(value), limits) != NULL)
		if (strncmp(value, "Max core file size", 18) == 0) {
			unsigned long soft = 1;
			unsigned long hard = 1;

			assert_int_equal(
			    sscanf(value + 18, "%lu %lu", &soft, &hard), 2);
			core = soft == 0 && hard == 0;
		}
	assert_int_equal(fclose(limits), 0);
	assert_true(core);
	assert_int_equal(descriptors_count(pid), DESCRIPTORS);
	if (geteuid() == 0)
		assert_int_equal(standard_null(pid), 2);
	assert_true(signer_peak_kib(signer) > 100);
	signer_stop(signer);
	assert_int_equal(signer_find(getpid()), 0);
	(void)close(extra);
	report_free(report);
}

/* In a process of its own, which is nobody's when this one is root's. */
static void
dumpable_check(void)
{
	const uid_t nobody = 65534;
	struct signer *signer;
	char path[64];
	struct stat st;

	if (geteuid() == 0 &&
	    (chown(p256.dir, nobody, nobody) != 0 ||
		chown(p256.key_path, nobody, nobody) != 0 ||
		chown(p256.certificate_path, nobody, nobody) != 0 ||
		setgid(nobody) != 0 || setuid(nobody) != 0 ||
		prctl(PR_SET_DUMPABLE, 1) != 0))
		_exit(2);
	/* Its own memory can be read by its user: the test can fail. */
	if (stat("/proc/self/mem", &st) != 0 || st.st_uid != geteuid())
		_exit(3);
	signer = ca_start(&p256);
	(void)snprintf(
	    path, sizeof(path), "/proc/%d/mem", (int)signer_find(getpid()));
	if (stat(path, &st) != 0 || st.st_uid != 0)
		_exit(4);
	signer_stop(signer);
	_exit(0);
}

/* /proc/PID/mem is root's: the user's other processes cannot read it. */
static void
process_is_not_dumpable(void **state)
{
	int how;
	pid_t pid = fork();

	(void)state;
	assert_true(pid != -1);
	if (pid == 0)
		dumpable_check();
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
}

/* A terminal's Ctrl-C and a manager's TERM are for the parent. */
static void
signals_are_the_parents(void **state)
{
	static const int signals[] = {
	    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	struct signer *signer = ca_start(&p256);
	pid_t pid = signer_find(getpid());

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		assert_int_equal(kill(pid, signals[i]), 0);
	pause_msec(20);
	assert_int_equal(number_sign(signer, 5, 1, report), STATUS_OK);
	signer_stop(signer);
	report_free(report);
}

static void
assert_dead(const struct report *report, const char *text)
{
	const struct finding *finding = report_last(report);

	assert_string_equal(finding->object, "signer");
	assert_string_equal(finding->text, text);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 1);
}

static void
death_before_a_request(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer *signer = ca_start(&p256);
	pid_t pid = signer_find(getpid());

	(void)state;
	assert_int_equal(number_sign(signer, 5, 1, report), STATUS_OK);
	assert_int_equal(kill(pid, SIGKILL), 0);
	state_await(pid, 'Z');
	assert_int_equal(number_sign(signer, 5, 2, report), STATUS_FAILED);
	assert_dead(report, "died (signal 9) while signing shard 5");
	/* It was waited for, and nobody waits for it again. */
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(number_sign(signer, 6, 3, report), STATUS_FAILED);
	assert_string_equal(report_last(report)->object, "shard 6");
	assert_contains(report_last(report)->text, "the signer is gone");
	signer_stop(signer);
	report_free(report);
}

struct signing {
	struct signer *signer;
	struct report *report;
	unsigned shard;
	unsigned count;
	enum status status;
	uint64_t before; /* the first number, less one */
};

static void *
signing_run(void *context)
{
	struct signing *signing = context;

	signing->status = STATUS_OK;
	for (unsigned i = 1; i <= signing->count; i++)
		if (signing->status == STATUS_OK)
			signing->status =
			    number_sign(signing->signer, signing->shard,
				signing->before + i, signing->report);
	return NULL;
}

static void
death_in_a_request(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer *signer = ca_start(&p256);
	struct signing signing = {signer, report, 7, 1, STATUS_OK, 0};
	pid_t pid = signer_find(getpid());
	pthread_t thread;

	(void)state;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	state_await(pid, 'T');
	assert_int_equal(
	    pthread_create(&thread, NULL, signing_run, &signing), 0);
	pause_msec(100);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(signing.status, STATUS_FAILED);
	assert_dead(report, "died (signal 9) while signing shard 7");
	signer_stop(signer);
	report_free(report);
}

static void
death_after_the_last_request(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer *signer = ca_start(&p256);

	(void)state;
	assert_int_equal(number_sign(signer, 5, 1, report), STATUS_OK);
	assert_int_equal(kill(signer_find(getpid()), SIGKILL), 0);
	signer_stop(signer);
	assert_int_equal(report_kept(report), 0);
	report_free(report);
}

/* Kills the signer that `parent` is about to start, or stops it. */
static pid_t
assassin_start(int signal)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	assert_true(pid != -1);
	if (pid == 0) {
		pid_t victim;

		while ((victim = signer_find(parent)) == 0)
			pause_msec(1);
		_exit(kill(victim, signal) == 0 ? 0 : 1);
	}
	return pid;
}

/* While it waits for a passphrase that does not come. */
static void
start_fail(int signal, uint32_t timeout_sec, const char *text)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_config config = ca_config(&p256);
	struct signer *signer = NULL;
	pid_t assassin = signal != 0 ? assassin_start(signal) : 0;
	int pair[2];

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	config.passphrase_fd = pair[0];
	config.timeout_sec = timeout_sec;
	assert_int_equal(signer_start(&config, report, &signer), STATUS_FAILED);
	assert_null(signer);
	assert_dead(report, text);
	assert_int_equal(signer_find(getpid()), 0);
	assert_int_equal(close(pair[1]), 0);
	if (assassin != 0)
		assert_int_equal(waitpid(assassin, NULL, 0), assassin);
	report_free(report);
}

static void
death_in_the_start(void **state)
{
	(void)state;
	start_fail(SIGKILL, 0, "died (signal 9) while loading the key");
}

static void
silence_in_the_start(void **state)
{
	(void)state;
	start_fail(0, 1,
	    "no answer while loading the key, want one within 1 s; it was "
	    "killed");
}

static void
silence_in_a_request(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_config config = ca_config(&p256);
	struct signer *signer = NULL;
	int64_t begin_msec;
	pid_t pid;

	(void)state;
	config.timeout_sec = 3;
	assert_int_equal(signer_start(&config, report, &signer), STATUS_OK);
	pid = signer_find(getpid());
	assert_int_equal(kill(pid, SIGSTOP), 0);
	state_await(pid, 'T');
	begin_msec = clock_now_msec();
	assert_int_equal(number_sign(signer, 5, 1, report), STATUS_FAILED);
	assert_true(clock_now_msec() - begin_msec >= 2900);
	assert_dead(report,
	    "no answer while signing shard 5, want one within 3 s; it was "
	    "killed");
	assert_int_equal(kill(pid, 0), -1);
	signer_stop(signer);
	report_free(report);
}

static void
stop_of_a_stopped_one(void **state)
{
	struct signer *signer = ca_start(&p256);
	pid_t pid = signer_find(getpid());

	(void)state;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	state_await(pid, 'T');
	signer_stop(signer);
	assert_int_equal(kill(pid, 0), -1);
	signer_stop(NULL);
}

/*
 * Forks a process that starts a signer, and kills it. A signer that is
 * stopped cannot notice its closed socket: only the kernel ends it.
 */
static void
orphan_dies(bool stopped)
{
	int64_t end_msec;
	pid_t middle;
	pid_t pid;
	int how = 0;

	/* So that the orphan is waited for here. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	middle = fork();
	assert_true(middle != -1);
	if (middle == 0) {
		(void)ca_start(&p256);
		for (;;)
			(void)pause();
	}
	pid = signer_await(middle);
	if (stopped) {
		assert_int_equal(kill(pid, SIGSTOP), 0);
		state_await(pid, 'T');
	}
	assert_int_equal(kill(middle, SIGKILL), 0);
	assert_int_equal(waitpid(middle, NULL, 0), middle);
	end_msec = clock_now_msec() + WAIT_MSEC;
	while (waitpid(pid, &how, WNOHANG) != pid) {
		assert_true(clock_now_msec() < end_msec);
		pause_msec(2);
	}
	if (stopped) {
		assert_true(WIFSIGNALED(how));
		assert_int_equal(WTERMSIG(how), SIGKILL);
	}
}

static void
dies_with_its_parent(void **state)
{
	(void)state;
	orphan_dies(false);
	orphan_dies(true);
}

/* More threads than sessions, as many, and fewer. */
static void
threads_sign(unsigned sessions)
{
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	struct signer *signer = ca_start_sessions(&p256, sessions);
	struct signing signing[4];
	pthread_t thread[4];

	for (unsigned i = 0; i < 4; i++) {
		signing[i] =
		    (struct signing){signer, report, 5 + i, 100, STATUS_OK, 0};
		assert_int_equal(
		    pthread_create(&thread[i], NULL, signing_run, &signing[i]),
		    0);
	}
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_int_equal(signing[i].status, STATUS_OK);
	}
	assert_int_equal(report_kept(report), 0);
	signer_stop(signer);
	report_free(report);
}

static void
threads_take_turns(void **state)
{
	(void)state;
	threads_sign(1);
	threads_sign(3);
	threads_sign(4);
	threads_sign(16);
}

/* Two lists of one shard under one number: whoever asks, one is signed. */
static void
a_number_is_signed_once(void **state)
{
	struct signer *signer = ca_start_sessions(&p256, 4);

	(void)state;
	for (uint64_t number = 1; number <= 50; number++) {
		struct report *report = report_new(NULL, SEVERITY_FAULT);
		struct signing signing[4];
		pthread_t thread[4];
		unsigned signed_count = 0;

		for (unsigned i = 0; i < 4; i++) {
			signing[i] = (struct signing){
			    signer, report, 5, 1, STATUS_OK, number - 1};
			assert_int_equal(pthread_create(&thread[i], NULL,
					     signing_run, &signing[i]),
			    0);
		}
		for (unsigned i = 0; i < 4; i++) {
			assert_int_equal(pthread_join(thread[i], NULL), 0);
			signed_count += signing[i].status == STATUS_OK;
		}
		assert_int_equal(signed_count, 1);
		report_free(report);
	}
	signer_stop(signer);
}

/* One that dies is seen by all who wait for it, and told once. */
static void
death_is_seen_by_all(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_FAULT);
	struct signer *signer = ca_start_sessions(&p256, 4);
	struct signing signing[4];
	pthread_t thread[4];
	pid_t pid = signer_find(getpid());

	(void)state;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	state_await(pid, 'T');
	for (unsigned i = 0; i < 4; i++) {
		signing[i] =
		    (struct signing){signer, report, 5 + i, 1, STATUS_OK, 0};
		assert_int_equal(
		    pthread_create(&thread[i], NULL, signing_run, &signing[i]),
		    0);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_int_equal(signing[i].status, STATUS_FAILED);
	}
	assert_int_equal(signer_find(getpid()), 0);
	signer_stop(signer);
	report_free(report);
}

/* A passphrase on standard input, which the signer then has not. */
static void
passphrase_on_standard_input(void **state)
{
	int how;
	pid_t pid = fork();

	(void)state;
	assert_true(pid != -1);
	if (pid == 0) {
		struct report *report = report_new(stderr, SEVERITY_NOTE);
		struct signer_config config = ca_config(&p256);
		struct signer *signer = NULL;
		char path[PATH_BYTES];
		int pair[2];
		FILE *file;

		(void)snprintf(path, sizeof(path), "%s/locked", p256.dir);
		file = file_create(path);
		if (PEM_write_PKCS8PrivateKey(file, p256.pkey,
			EVP_aes_256_cbc(), NULL, 0, NULL, PASSPHRASE) != 1 ||
		    fclose(file) != 0 || pipe(pair) != 0 ||
		    dup2(pair[0], 0) != 0 ||
		    write(pair[1], PASSPHRASE "\n", sizeof(PASSPHRASE)) !=
			(ssize_t)sizeof(PASSPHRASE))
			_exit(2);
		/* The other end stays open: the line's end is enough. */
		config.key_path = path;
		config.passphrase_fd = 0;
		if (signer_start(&config, report, &signer) != STATUS_OK)
			_exit(3);
		/* Nor has it the descriptor after it was read. */
		if (descriptors_count(signer_find(getpid())) != DESCRIPTORS)
			_exit(5);
		if (number_sign(signer, 5, 1, report) != STATUS_OK)
			_exit(4);
		signer_stop(signer);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
}

/*
 * A signer that has no memory for its copy says so, and goes on: it is given
 * no more of it than it has already, and then as much as it wants.
 */
static void
copy_wants_memory(void **state)
{
	const size_t size = (size_t)64 << 20;
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct uint160 floor = uint160_from_u64(0);
	struct signer *signer = ca_start(&p256);
	pid_t pid = signer_find(getpid());
	struct signer_signature signature;
	struct signer_buffer buffer;
	struct rlimit before;
	struct rlimit little;

	(void)state;
	assert_int_equal(number_sign(signer, 5, 1, report), STATUS_OK);
	assert_int_equal(signer_buffer_new(&buffer, size, report), STATUS_OK);
	assert_int_equal(prlimit(pid, RLIMIT_AS, NULL, &before), 0);
	little = before;
	little.rlim_cur = proc_size(pid) + size / 2;
	assert_int_equal(prlimit(pid, RLIMIT_AS, &little, NULL), 0);
	assert_int_equal(
	    signer_sign(signer, &buffer, &floor, "shard 6", report, &signature),
	    STATUS_FAILED);
	assert_string_equal(report_last(report)->object, "shard 6");
	assert_contains(report_last(report)->text,
	    "the signer refused: no memory to copy 67108864 bytes");
	assert_int_equal(number_sign(signer, 5, 2, report), STATUS_OK);
	assert_int_equal(prlimit(pid, RLIMIT_AS, &before, NULL), 0);
	/* It is copied now, and is no list. */
	assert_int_equal(
	    signer_sign(signer, &buffer, &floor, "shard 6", report, &signature),
	    STATUS_REFUSED);
	assert_string_equal(report_last(report)->rule, "der");
	signer_buffer_free(&buffer);
	signer_stop(signer);
	report_free(report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(process_has_given_up_all),
	    cmocka_unit_test(process_is_not_dumpable),
	    cmocka_unit_test(signals_are_the_parents),
	    cmocka_unit_test(death_before_a_request),
	    cmocka_unit_test(death_in_a_request),
	    cmocka_unit_test(death_after_the_last_request),
	    cmocka_unit_test(death_in_the_start),
	    cmocka_unit_test(silence_in_the_start),
	    cmocka_unit_test(silence_in_a_request),
	    cmocka_unit_test(stop_of_a_stopped_one),
	    cmocka_unit_test(dies_with_its_parent),
	    cmocka_unit_test(threads_take_turns),
	    cmocka_unit_test(a_number_is_signed_once),
	    cmocka_unit_test(death_is_seen_by_all),
	    cmocka_unit_test(passphrase_on_standard_input),
	    cmocka_unit_test(copy_wants_memory),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
