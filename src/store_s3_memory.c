/* SPDX-License-Identifier: ISC */
/*
 * What the state directory keeps of a store in S3: what a probe showed, in the
 * file `store`, and the key of its scratch object, in the file `scratch`. Both
 * name the place that they are of, and say nothing of any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store_s3_impl.h"

#define MEMORY_NAME "store"
#define MEMORY_TEMP "store.tmp"
#define SCRATCH_NAME "scratch"

/* What is remembered: a form and a place. */
#define MEMORY_BYTES (S3_URL_BYTES + 128)

static const char *const form_names[S3_FORM_COUNT] = {
    [S3_FORM_UNKNOWN] = "unknown",
    [S3_FORM_QUOTED] = "quoted",
    [S3_FORM_PLAIN] = "plain",
};

static size_t
place_text(const struct s3 *s3, char text[MEMORY_BYTES])
{
	int len = snprintf(text, MEMORY_BYTES, "place %s %s/%s %s %s\n",
	    s3->place.origin, s3->place.bucket, s3->place.prefix, s3->region,
	    s3->place.bucket_in_path ? "path" : "host");

	return len < 0 ? 0 : (size_t)len;
}

/* What is remembered of this place when the form is this. */
static size_t
memory_text(const struct s3 *s3, enum s3_form form, char text[MEMORY_BYTES])
{
	char place[MEMORY_BYTES];
	int len;

	(void)place_text(s3, place);
	len = snprintf(text, MEMORY_BYTES, "probed 1\n%sconditions %s\n", place,
	    s3->unconditional ? "none" : form_names[form]);
	return len < 0 ? 0 : (size_t)len;
}

void
s3_memory_recall(struct s3 *s3)
{
	char want[MEMORY_BYTES];
	char have[MEMORY_BYTES];
	ssize_t len = -1;
	int dir;
	int fd = -1;

	if (s3->state_dir == NULL)
		return;
	dir = open(s3->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		fd =
		    openat(dir, MEMORY_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		(void)close(dir);
	}
	if (fd >= 0) {
		len = read(fd, have, sizeof(have));
		(void)close(fd);
	}
	for (int form = S3_FORM_QUOTED; len > 0 && form < S3_FORM_COUNT; form++)
		if (memory_text(s3, (enum s3_form)form, want) == (size_t)len &&
		    memcmp(want, have, (size_t)len) == 0) {
			atomic_store(&s3->form, form);
			return;
		}
}

/* Without it the next run shows it again; so a failure is not one. */
void
s3_memory_write(const struct s3 *s3, enum s3_form form)
{
	char text[MEMORY_BYTES];
	size_t len = memory_text(s3, form, text);
	int dir;
	int fd;

	if (s3->state_dir == NULL || len >= sizeof(text))
		return;
	dir = open(s3->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	(void)unlinkat(dir, MEMORY_TEMP, 0);
	fd = openat(
	    dir, MEMORY_TEMP, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		bool ok = write(fd, text, len) == (ssize_t)len;

		s3_file_own(dir, fd);
		if (close(fd) == 0 && ok)
			(void)renameat(dir, MEMORY_TEMP, dir, MEMORY_NAME);
	}
	(void)close(dir);
}

void
s3_memory_forget(const struct s3 *s3)
{
	int dir;

	if (s3->state_dir == NULL)
		return;
	dir = open(s3->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	(void)unlinkat(dir, MEMORY_NAME, 0);
	(void)close(dir);
}

int
s3_scratch_open(const struct s3 *s3)
{
	int dir;
	int fd;

	if (s3->state_dir == NULL)
		return -1;
	dir = open(s3->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	fd = openat(
	    dir, SCRATCH_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		s3_file_own(dir, fd);
	(void)close(dir);
	while (fd >= 0 && flock(fd, LOCK_EX) != 0) {
		if (errno == EINTR)
			continue;
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

bool
s3_scratch_left(const struct s3 *s3, int fd, char key[S3_SCRATCH_KEY_BYTES])
{
	char want[MEMORY_BYTES];
	char have[MEMORY_BYTES + S3_SCRATCH_KEY_BYTES];
	size_t len = place_text(s3, want);
	ssize_t n = fd < 0 ? -1 : pread(fd, have, sizeof(have) - 1, 0);
	size_t key_len;

	if (n <= 0 || (size_t)n <= len || memcmp(have, want, len) != 0)
		return false;
	have[n] = '\0';
	key_len = strcspn(have + len, "\n");
	if (key_len >= S3_SCRATCH_KEY_BYTES ||
	    strncmp(have + len, S3_SCRATCH_PREFIX,
		sizeof(S3_SCRATCH_PREFIX) - 1) != 0)
		return false;
	memcpy(key, have + len, key_len);
	key[key_len] = '\0';
	return true;
}

void
s3_scratch_note(const struct s3 *s3, int fd, const char *key)
{
	char text[MEMORY_BYTES + S3_SCRATCH_KEY_BYTES];
	size_t len = place_text(s3, text);

	if (fd < 0 || ftruncate(fd, 0) != 0 || key == NULL ||
	    len >= MEMORY_BYTES)
		return;
	len += (size_t)snprintf(text + len, S3_SCRATCH_KEY_BYTES, "%.*s\n",
	    S3_SCRATCH_KEY_BYTES - 2, key);
	(void)!pwrite(fd, text, len, 0);
}
