/* SPDX-License-Identifier: ISC */
/*
 * The bytes of a file, read and not mapped: a file that is cut off in place
 * while it is mapped ends the program by a signal, one that is read is at
 * worst a CRL that is cut off. Each worker keeps its buffer from file to file,
 * so that memory is the largest shard a worker.
 *
 * A large file is looked at first: only one whose head and end are those of a
 * CRL is worth the memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/der_read.h"
#include "crlpress/pem.h"
#include "crlpress/store.h"
#include "verify_impl.h"

/* What is looked at before the rest is read, and the step of buffers. */
#define HEAD_BYTES ((size_t)65536)

/* Room for blank lines behind a PEM text. */
#define TAIL_BYTES 1024

/* A file while it is read. */
struct reading {
	const char *path;
	struct report *report;
	int fd;
	struct stat info;
	size_t size;
};

static enum status
file_fault(const struct reading *reading, const char *what)
{
	return report_fault(reading->report, STATUS_FAULTY, reading->path,
	    "file", "house rule", "%s", what);
}

static enum status
crl_fault(const struct reading *reading, const char *what)
{
	return report_fault(reading->report, STATUS_FAULTY, reading->path,
	    "der", "MRSP 5.2", "%s", what);
}

static enum status
parse_fault(const struct reading *reading, const struct crl_fault *fault)
{
	return report_fault(reading->report, STATUS_FAULTY, reading->path,
	    fault->rule, fault->clause, "offset %zu: %s", fault->offset,
	    fault->text);
}

static enum status
no_memory(const struct reading *reading)
{
	return report_fault(reading->report, STATUS_FAULTY, reading->path, NULL,
	    NULL, "out of memory");
}

/* O_NONBLOCK: opening a FIFO or a device must not hang. */
static enum status
reading_open(struct reading *reading, const char *path, struct report *report)
{
	reading->path = path;
	reading->report = report;
	reading->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (reading->fd < 0 || fstat(reading->fd, &reading->info) != 0)
		return file_fault(reading, strerror(errno));
	if (!S_ISREG(reading->info.st_mode))
		return file_fault(reading, "not a regular file");
	reading->size = (size_t)reading->info.st_size;
	return STATUS_OK;
}

static void
reading_close(struct reading *reading)
{
	if (reading->fd >= 0)
		(void)close(reading->fd);
}

/* Octets from `at` to `at + len`; fewer of them are a fault. */
static enum status
read_at(const struct reading *reading, uint8_t *to, size_t at, size_t len)
{
	while (len > 0) {
		ssize_t n = pread(reading->fd, to, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_fault(reading, strerror(errno));
		if (n == 0)
			return file_fault(
			    reading, "was cut off while it was read");
		to += n;
		at += (size_t)n;
		len -= (size_t)n;
	}
	return STATUS_OK;
}

/* The old content is of no use: a larger buffer is a new one. */
static bool
buffer_grow(struct verify_bytes *bytes, size_t len)
{
	size_t room = (len + HEAD_BYTES - 1) / HEAD_BYTES * HEAD_BYTES;

	if (room <= bytes->room)
		return true;
	free(bytes->buffer);
	bytes->buffer = malloc(room);
	bytes->room = bytes->buffer == NULL ? 0 : room;
	return bytes->buffer != NULL;
}

/*
 * RFC 7468, 2: whether a text ends as one. What it is, is judged when it has
 * been read.
 */
static enum status
tail_check(const struct reading *reading)
{
	uint8_t tail[TAIL_BYTES];
	size_t len = sizeof(tail);
	enum status status;

	status = read_at(reading, tail, reading->size - len, len);
	if (status != STATUS_OK)
		return status;
	while (len > 0 && (tail[len - 1] == '\n' || tail[len - 1] == '\r'))
		len--;
	if (len == 0 || tail[len - 1] != '-')
		return crl_fault(reading, "PEM text does not end with "
					  "-----END X509 CRL-----");
	return STATUS_OK;
}

/*
 * RFC 5280, 5.1: what crl_parse would say of the first two headers of all the
 * bytes, of which only these stand at `head`.
 */
static enum status
head_check(const struct reading *reading, const uint8_t *head)
{
	struct der_reader reader = {head, 0, reading->size};
	struct crl_fault fault = {0};
	struct der_value value;
	enum status status;

	if (head[0] != DER_SEQUENCE && pem_is_likely(head, HEAD_BYTES))
		return tail_check(reading);
	status = der_take(&reader, DER_SEQUENCE, DER_RULE_DER,
	    "CertificateList is not a SEQUENCE", &value, &fault);
	if (status == STATUS_OK)
		status = der_end(&reader, DER_RULE_DER,
		    "octets after the CertificateList", &fault);
	if (status == STATUS_OK) {
		reader = der_reader_in(head, &value);
		status = der_take(&reader, DER_SEQUENCE, DER_RULE_DER,
		    "TBSCertList is not a SEQUENCE", &value, &fault);
	}
	return status == STATUS_OK ? STATUS_OK : parse_fault(reading, &fault);
}

/*
 * A file that was replaced by rename is the old one to the end; one that is
 * written in place may be half of either.
 */
static enum status
unchanged_check(const struct reading *reading)
{
	struct stat now;

	if (fstat(reading->fd, &now) != 0)
		return file_fault(reading, strerror(errno));
	if (now.st_size != reading->info.st_size ||
	    now.st_mtim.tv_sec != reading->info.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != reading->info.st_mtim.tv_nsec)
		return file_fault(reading, "was changed while it was read");
	return STATUS_OK;
}

/* What follows the head is read only where it is that of a CRL, if asked. */
static enum status
read_whole(
    const struct reading *reading, bool is_crl, struct verify_bytes *bytes)
{
	size_t size = reading->size;
	size_t done = size < HEAD_BYTES ? size : HEAD_BYTES;
	enum status status;

	if (!buffer_grow(bytes, done))
		return no_memory(reading);
	status = read_at(reading, bytes->buffer, 0, done);
	if (status == STATUS_OK && is_crl && size > done)
		status = head_check(reading, bytes->buffer);
	if (status != STATUS_OK)
		return status;
	if (size > bytes->room)
		done = 0;
	if (!buffer_grow(bytes, size))
		return no_memory(reading);
	status = read_at(reading, bytes->buffer + done, done, size - done);
	if (status == STATUS_OK)
		status = unchanged_check(reading);
	if (status == STATUS_OK) {
		bytes->data = bytes->buffer;
		bytes->len = size;
	}
	return status;
}

static enum status
pem_decode(const struct reading *reading, struct verify_bytes *bytes)
{
	const char *why = NULL;
	enum status status;

	if (bytes->data[0] == DER_SEQUENCE ||
	    !pem_is_likely(bytes->data, bytes->len))
		return STATUS_OK;
	status = pem_read_crl(
	    bytes->buffer, bytes->len, &bytes->decoded, &bytes->len, &why);
	bytes->data = bytes->decoded;
	if (status == STATUS_MALFORMED)
		return crl_fault(reading, why);
	return status == STATUS_OK ? STATUS_OK : no_memory(reading);
}

static enum status
size_check(const struct reading *reading)
{
	if (reading->size == 0)
		return crl_fault(reading, "offset 0: empty file");
	if (reading->size > STORE_OBJECT_BYTES_MOST)
		return crl_fault(reading, "larger than 2 GiB");
	return STATUS_OK;
}

/* What was there of the file before; its buffer stays. */
static void
bytes_empty(struct verify_bytes *bytes)
{
	free(bytes->decoded);
	bytes->decoded = NULL;
	bytes->data = NULL;
	bytes->len = 0;
}

enum status
verify_crl_read(const char *path, struct report *report,
    struct verify_bytes *bytes, struct crl *crl)
{
	struct reading reading = {0};
	struct crl_fault fault = {0};
	enum status status;

	bytes_empty(bytes);
	status = reading_open(&reading, path, report);
	if (status == STATUS_OK)
		status = size_check(&reading);
	if (status == STATUS_OK)
		status = read_whole(&reading, true, bytes);
	reading_close(&reading);
	if (status == STATUS_OK)
		status = pem_decode(&reading, bytes);
	if (status == STATUS_OK &&
	    crl_parse(bytes->data, bytes->len, crl, &fault) != STATUS_OK)
		status = parse_fault(&reading, &fault);
	return status;
}

/*
 * A publisher may replace a file between two looks at it. What the second one
 * finds was never judged, and is not what the first one counted.
 */
enum status
verify_crl_again(const struct verify_file *file, struct report *report,
    struct verify_bytes *bytes, struct crl *crl)
{
	enum status status = verify_crl_read(file->path, report, bytes, crl);
	struct hash sha256;

	if (status == STATUS_OK)
		status = hash_bytes(crl->bytes.data, crl->bytes.len, &sha256);
	if (status != STATUS_OK ||
	    memcmp(&sha256, &file->sha256, sizeof(sha256)) == 0)
		return status;
	status = report_fault(report, STATUS_FAULTY, file->path, "file",
	    "house rule", "was replaced while it was verified");
	report_hint(report, "somebody publishes there: verify once more");
	return status;
}

bool
verify_begins_with(const char *path, const char *text)
{
	size_t len = strlen(text), got = 0;
	char start[64];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat info;
	ssize_t n = 1;

	if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
		while (got < len && n > 0) {
			n = pread(fd, start + got, len - got, (off_t)got);
			got += n > 0 ? (size_t)n : 0;
		}
	if (fd >= 0)
		(void)close(fd);
	return got == len && memcmp(start, text, len) == 0;
}

enum status
verify_text_read(const char *path, size_t most, struct report *report,
    struct verify_bytes *bytes)
{
	struct reading reading = {0};
	enum status status;

	bytes_empty(bytes);
	status = reading_open(&reading, path, report);
	if (status == STATUS_OK && reading.size > most)
		status = file_fault(&reading, "larger than it may be");
	if (status == STATUS_OK)
		status = read_whole(&reading, false, bytes);
	reading_close(&reading);
	return status;
}

void
verify_bytes_free(struct verify_bytes *bytes)
{
	bytes_empty(bytes);
	free(bytes->buffer);
	memset(bytes, 0, sizeof(*bytes));
}
