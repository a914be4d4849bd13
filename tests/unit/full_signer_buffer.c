/* SPDX-License-Identifier: ISC */
/*
 * The memory that is handed to the signer: what may be done with it, lists of
 * all sizes in it one after another, somebody who changes it while it is
 * signed, and a real lack of memory.
 */
#include "../lib/signer_group.h"
#include "../../src/signer_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define URL5 "http://crl.example/005.crl"

/* Whether the signature is over these bytes. */
static bool
is_signed(
    const uint8_t *data, size_t size, const struct signer_signature *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int result;

	assert_int_equal(
	    EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, p256.pkey),
	    1);
	result = EVP_DigestVerify(
	    context, signature->octet, signature->len, data, size);
	EVP_MD_CTX_free(context);
	return result == 1;
}

/* Whoever gets the descriptor may read, and nothing more. */
static void
buffer_is_sealed(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct uint160 floor = uint160_from_u64(0);
	struct signer *signer = ca_start(&p256);
	struct crl_header header = ca_header(&p256, signer, URL5, 1);
	struct signer_buffer buffer = tbs_make(&header, 100);
	struct signer_signature signature;
	struct stat st;
	uint8_t *copy = malloc(buffer.size);

	(void)state;
	assert_non_null(copy);
	assert_int_equal(fcntl(buffer.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(pwrite(buffer.fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(buffer.fd, 1), -1);
	assert_int_equal(
	    ftruncate(buffer.fd, (off_t)signer_room(buffer.size) + 1), -1);
	assert_int_equal(fallocate(buffer.fd,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1),
	    -1);
	assert_true((fcntl(buffer.fd, F_GET_SEALS) & F_SEAL_SEAL) != 0);
	assert_ptr_equal(mmap(NULL, buffer.size, PROT_READ | PROT_WRITE,
			     MAP_SHARED, buffer.fd, 0),
	    MAP_FAILED);
	/* It is what was built, and all of it is there. */
	assert_int_equal(pread(buffer.fd, copy, buffer.size, 0), buffer.size);
	assert_memory_equal(buffer.data, copy, buffer.size);
	assert_int_equal(fstat(buffer.fd, &st), 0);
	assert_int_equal(st.st_size, buffer.room);
	assert_true(st.st_blocks * 512 >= st.st_size);

	assert_int_equal(
	    signer_sign(signer, &buffer, &floor, "shard 5", report, &signature),
	    STATUS_OK);
	assert_memory_equal(buffer.data, copy, buffer.size);
	/* Again: the same memory, and its number is used up. */
	assert_int_equal(
	    signer_sign(signer, &buffer, &floor, "shard 5", report, &signature),
	    STATUS_REFUSED);
	free(copy);
	signer_buffer_free(&buffer);
	signer_stop(signer);
	report_free(report);
}

static void
buffer_has_bounds(void **state)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_buffer buffer;
	struct signer_buffer empty = {0};
	const uint8_t *data;
	int fd;

	(void)state;
	assert_int_equal(signer_buffer_new(&buffer, 0, report), STATUS_FAILED);
	assert_null(buffer.data);
	signer_buffer_free(&buffer);
	assert_int_equal(
	    signer_buffer_new(&buffer, SIGNER_TBS_BYTES_MOST + 1, report),
	    STATUS_FAILED);
	signer_buffer_free(&buffer);
	assert_int_equal(report_count(report, SEVERITY_FAULT), 2);
	assert_int_equal(signer_buffer_new(&buffer, 5000, report), STATUS_OK);
	/* Smaller, and a little larger: the same memory. */
	data = buffer.data;
	fd = buffer.fd;
	assert_int_equal(
	    signer_buffer_resize(&buffer, 4000, report), STATUS_OK);
	assert_int_equal(buffer.size, 4000);
	assert_int_equal(
	    signer_buffer_resize(&buffer, 5625, report), STATUS_OK);
	assert_ptr_equal(buffer.data, data);
	assert_int_equal(buffer.fd, fd);
	assert_int_equal(buffer.size, 5625);
	/* Larger: other memory, and the old one is given back. */
	assert_int_equal(
	    signer_buffer_resize(&buffer, 50000, report), STATUS_OK);
	memset(buffer.data, 1, 50000);
	assert_int_equal(buffer.size, 50000);
	assert_int_equal(
	    signer_buffer_resize(&buffer, 0, report), STATUS_FAILED);
	assert_int_equal(buffer.size, 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	signer_buffer_free(&buffer);
	signer_buffer_free(&buffer);
	/* Descriptor 0 is not the empty buffer's to close. */
	signer_buffer_free(&empty);
	assert_true(fcntl(0, F_GETFD) != -1);
	report_free(report);
}

/* Large and small ones in turn: each is signed as it is, and no more of it. */
static void
buffer_is_used_again(void **state)
{
	static const uint64_t rows[] = {10, 20000, 0, 19999, 1, 40000, 20000};
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	struct uint160 floor = uint160_from_u64(0);
	struct signer *signer = ca_start(&p256);
	struct signer_buffer buffer = {0};
	unsigned grown = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct crl_header header =
		    ca_header(&p256, signer, URL5, i + 1);
		struct signer_buffer list = tbs_make(&header, rows[i]);
		struct signer_signature signature;
		size_t room = buffer.room;
		X509_CRL *crl;

		assert_int_equal(
		    signer_buffer_resize(&buffer, list.size, report),
		    STATUS_OK);
		grown += buffer.room != room;
		memcpy(buffer.data, list.data, list.size);
		assert_int_equal(signer_sign(signer, &buffer, &floor, "shard 5",
				     report, &signature),
		    STATUS_OK);
		crl = crl_verify(&p256, signer, &list, &signature);
		X509_CRL_free(crl);
		signer_buffer_free(&list);
	}
	assert_int_equal(grown, 3);
	assert_int_equal(report_kept(report), 0);
	signer_buffer_free(&buffer);
	signer_stop(signer);
	report_free(report);
}

/* An octet that goes to and fro between what may be signed and what may not. */
struct flip {
	uint8_t *at;
	uint8_t allowed;
	uint8_t forbidden;
	atomic_bool end;
};

static void *
flip_run(void *context)
{
	struct flip *flip = context;

	while (!atomic_load_explicit(&flip->end, memory_order_relaxed)) {
		__atomic_store_n(flip->at, flip->forbidden, __ATOMIC_RELAXED);
		__atomic_store_n(flip->at, flip->allowed, __ATOMIC_RELAXED);
	}
	return NULL;
}

struct outcome {
	unsigned given;   /* and over what is allowed */
	unsigned refused; /* by its content */
	unsigned wrong;   /* signatures over anything else */
	unsigned failed;
};

#define FLIP_TRIES 300
#define FLIP_TRIES_MOST 60000

/*
 * Each time under a new number, whose last two octets end at `number`, here and
 * in what may be signed.
 */
static struct outcome
flip_sign(struct signer *signer, struct signer_buffer *buffer, uint8_t *allowed,
    size_t number)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct uint160 floor = uint160_from_u64(0);
	struct outcome outcome = {0};

	for (unsigned i = 1; i <= FLIP_TRIES_MOST; i++) {
		struct signer_signature signature;
		enum status status;

		buffer->data[number - 1] = allowed[number - 1] =
		    (uint8_t)(i >> 8);
		buffer->data[number] = allowed[number] = (uint8_t)i;
		status = signer_sign(
		    signer, buffer, &floor, "shard 5", report, &signature);
		if (status == STATUS_REFUSED)
			outcome.refused++;
		else if (status != STATUS_OK)
			outcome.failed++;
		else if (is_signed(allowed, buffer->size, &signature))
			outcome.given++;
		else
			outcome.wrong++;
		/* Both were seen, unless somebody is very unlucky. */
		if (i >= FLIP_TRIES && outcome.given > 0 && outcome.refused > 0)
			break;
	}
	report_free(report);
	return outcome;
}

/* Where two lists differ, in one octet only. */
static size_t
difference(struct crl_header *one, struct crl_header *other, uint64_t rows)
{
	struct signer_buffer a = tbs_make(one, rows);
	struct signer_buffer b = tbs_make(other, rows);
	size_t count = 0;
	size_t at = 0;

	assert_int_equal(a.size, b.size);
	for (size_t i = 0; i < a.size; i++)
		if (a.data[i] != b.data[i]) {
			at = i;
			count++;
		}
	assert_int_equal(count, 1);
	signer_buffer_free(&a);
	signer_buffer_free(&b);
	return at;
}

#define FLIP_NUMBER 0x010000
#define FLIP_ROWS 2000

/* A digit of the URL, or the first octet of the number. */
static void
flip_check(bool in_url, uint8_t forbidden)
{
	struct signer *signer = ca_start(&p256);
	struct crl_header header = ca_header(&p256, signer, URL5, FLIP_NUMBER);
	struct crl_header next =
	    ca_header(&p256, signer, URL5, FLIP_NUMBER + 1);
	struct crl_header elsewhere =
	    ca_header(&p256, signer, "http://crl.example/905.crl", FLIP_NUMBER);
	size_t number = difference(&header, &next, FLIP_ROWS);
	size_t digit = difference(&header, &elsewhere, FLIP_ROWS);
	struct signer_buffer buffer = tbs_make(&header, FLIP_ROWS);
	struct flip flip = {.forbidden = forbidden};
	uint8_t *allowed = malloc(buffer.size);
	struct outcome outcome;
	pthread_t thread;

	assert_non_null(allowed);
	memcpy(allowed, buffer.data, buffer.size);
	flip.at = buffer.data + (in_url ? digit : number - 2);
	flip.allowed = *flip.at;
	assert_int_equal(pthread_create(&thread, NULL, flip_run, &flip), 0);
	outcome = flip_sign(signer, &buffer, allowed, number);
	atomic_store(&flip.end, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(outcome.wrong, 0);
	assert_int_equal(outcome.failed, 0);
	assert_true(outcome.given > 0);
	assert_true(outcome.refused > 0);
	free(allowed);
	signer_buffer_free(&buffer);
	signer_stop(signer);
}

/*
 * What was checked is what is signed, whatever becomes of the buffer meanwhile:
 * no shard of this issuer's, a negative number.
 */
static void
changes_are_not_signed(void **state)
{
	(void)state;
	flip_check(true, '9');
	flip_check(false, 0x81);
}

/* A limit of the process, and what is said of it. */
struct limit {
	int resource;
	rlim_t most; /* or, more than it has */
	const char *text;
};

#define LIMIT_BYTES ((size_t)64 << 20)

static const struct limit limits[] = {
    {RLIMIT_FSIZE, LIMIT_BYTES, "File too large"},
    {RLIMIT_AS, LIMIT_BYTES, "Cannot allocate memory"},
    {RLIMIT_NOFILE, 0, "Too many open files"},
};

static rlim_t
address_space(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL || fscanf(file, "%lu", &pages) != 1)
		_exit(3);
	(void)fclose(file);
	return pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* In a child: exit status 0 when all is as it should be. */
static int
limit_run(const struct limit *limit)
{
	struct report *report = report_new(NULL, SEVERITY_NOTE);
	struct signer_buffer buffer = {0};
	rlim_t most =
	    limit->most + (limit->resource == RLIMIT_AS ? address_space() : 0);
	const struct rlimit now = {most, most};
	const struct finding *finding;

	/* As the programs do. */
	(void)signal(SIGXFSZ, SIG_IGN);
	if (signer_buffer_resize(&buffer, 1000, report) != STATUS_OK)
		return 1;
	if (setrlimit((__rlimit_resource_t)limit->resource, &now) != 0)
		return 2;
	if (signer_buffer_resize(&buffer, LIMIT_BYTES, report) !=
		STATUS_NO_MEMORY ||
	    buffer.data != NULL || buffer.room != 0)
		return 4;
	if (report_kept(report) != 1)
		return 5;
	finding = report_finding(report, 0);
	if (strstr(finding->text, "no memory for a buffer of 67108864") ==
		NULL ||
	    strstr(finding->text, limit->text) == NULL)
		return 6;
	signer_buffer_free(&buffer);
	/* What still fits is had. */
	if (limit->most > 0 &&
	    signer_buffer_new(&buffer, LIMIT_BYTES / 64, report) != STATUS_OK)
		return 7;
	signer_buffer_free(&buffer);
	report_free(report);
	return 0;
}

static void
lack_of_memory_is_a_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		int how;
		pid_t pid = fork();

		assert_true(pid != -1);
		if (pid == 0)
			_exit(limit_run(&limits[i]));
		assert_int_equal(waitpid(pid, &how, 0), pid);
		if (how != 0)
			print_error("%s\n", limits[i].text);
		assert_int_equal(how, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buffer_is_sealed),
	    cmocka_unit_test(buffer_has_bounds),
	    cmocka_unit_test(buffer_is_used_again),
	    cmocka_unit_test(changes_are_not_signed),
	    cmocka_unit_test(lack_of_memory_is_a_fault),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
