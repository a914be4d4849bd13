/* SPDX-License-Identifier: ISC */
/*
 * Copies of published objects on local disk, so that a run fetches only what
 * somebody else put there. A copy is two files named by the hash of its key:
 * HASH.obj with the bytes, HASH.tag with one line `ETAG SIZE SHA256`. The tag
 * is written last, and bytes that do not hash to what it says are no copy;
 * so nothing need be synced here, and a crash costs a download.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/fd_io.h"
#include "crlpress/quantity.h"

#include "store_s3_impl.h"

#define CACHE_NAME "cache"
#define CACHE_MODE 0700
#define OBJECT_SUFFIX "obj"
#define TAG_SUFFIX "tag"
#define TEMP_SUFFIX "tmp"

/* "12345.tmp"; the hash of a key, a dot, a suffix. */
#define SUFFIX_BYTES 32
#define NAME_BYTES (HASH_HEX_BYTES + SUFFIX_BYTES)

/* An ETag, a size, a hash, their blanks. */
#define TAG_BYTES (STORE_VERSION_BYTES + 24 + HASH_HEX_BYTES)

static bool
name_make(const char *key, const char *suffix, char name[NAME_BYTES])
{
	char hex[HASH_HEX_BYTES];
	struct hash hash;

	if (hash_bytes((const uint8_t *)key, strlen(key), &hash) != STATUS_OK)
		return false;
	(void)snprintf(
	    name, NAME_BYTES, "%s.%s", hash_to_hex(&hash, hex), suffix);
	return true;
}

/* Several processes may be at it: each has temporary names of its own. */
static bool
temp_make(const char *key, char name[NAME_BYTES])
{
	char suffix[SUFFIX_BYTES];

	(void)snprintf(
	    suffix, sizeof(suffix), "%ld." TEMP_SUFFIX, (long)getpid());
	return name_make(key, suffix, name);
}

void
s3_file_own(int dir, int fd)
{
	struct stat st;

	/* What root leaves in somebody's state is theirs. */
	if (geteuid() == 0 && fstat(dir, &st) == 0 && st.st_uid != 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
}

static uint64_t
file_bytes(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return 0;
	return (uint64_t)st.st_size;
}

/* What is there; the leftovers of killed runs go. */
static uint64_t
cache_measure(int dir)
{
	const struct dirent *entry;
	uint64_t bytes = 0;
	DIR *stream;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	stream = fdopendir(fd);
	if (stream == NULL) {
		(void)close(fd);
		return 0;
	}
	while ((entry = readdir(stream)) != NULL) {
		const char *dot = strrchr(entry->d_name, '.');

		if (dot != NULL && strcmp(dot + 1, TEMP_SUFFIX) == 0)
			(void)unlinkat(dir, entry->d_name, 0);
		else
			bytes += file_bytes(dir, entry->d_name);
	}
	(void)closedir(stream);
	return bytes;
}

/* Empties it: it is larger than it may be, and fills up again. */
static void
cache_clear(int dir)
{
	const struct dirent *entry;
	DIR *stream;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	stream = fdopendir(fd);
	if (stream == NULL) {
		(void)close(fd);
		return;
	}
	while ((entry = readdir(stream)) != NULL)
		if (entry->d_name[0] != '.')
			(void)unlinkat(dir, entry->d_name, 0);
	(void)closedir(stream);
}

void
s3_cache_open(
    struct s3_cache *cache, const char *state_dir, uint64_t bytes_most)
{
	int state;

	cache->dir = -1;
	cache->bytes_most = bytes_most;
	cache->bytes = 0;
	if (state_dir == NULL || bytes_most == 0)
		return;
	state = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state < 0)
		return;
	if (mkdirat(state, CACHE_NAME, CACHE_MODE) == 0 || errno == EEXIST)
		cache->dir = openat(state, CACHE_NAME,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (cache->dir >= 0)
		s3_file_own(state, cache->dir);
	(void)close(state);
	if (cache->dir < 0)
		return;
	if (pthread_mutex_init(&cache->mutex, NULL) != 0) {
		(void)close(cache->dir);
		cache->dir = -1;
		return;
	}
	cache->bytes = cache_measure(cache->dir);
	if (cache->bytes > bytes_most) {
		cache_clear(cache->dir);
		cache->bytes = cache_measure(cache->dir);
	}
}

void
s3_cache_close(struct s3_cache *cache)
{
	if (cache->dir < 0)
		return;
	(void)pthread_mutex_destroy(&cache->mutex);
	(void)close(cache->dir);
	cache->dir = -1;
}

/* "ETAG SIZE SHA256\n" */
static bool
tag_parse(char *text, struct s3_copy *copy)
{
	char *size = strchr(text, ' ');
	char *sha256 = size == NULL ? NULL : strchr(size + 1, ' ');
	char *end = sha256 == NULL ? NULL : strchr(sha256 + 1, '\n');
	const char *why;

	if (end == NULL || size == text ||
	    (size_t)(size - text) >= sizeof(copy->version.text))
		return false;
	*size++ = *sha256++ = *end = '\0';
	memcpy(copy->version.text, text, strlen(text) + 1);
	return quantity_count(size, 0, STORE_OBJECT_BYTES_MOST, &copy->size,
		   &why) == STATUS_OK &&
	       hash_from_hex(sha256, strlen(sha256), &copy->sha256) ==
		   STATUS_OK;
}

bool
s3_cache_find(struct s3_cache *cache, const char *key, struct s3_copy *copy)
{
	char name[NAME_BYTES];
	char text[TAG_BYTES];
	uint64_t len;
	bool ok;
	int fd;

	if (cache->dir < 0 || !name_make(key, TAG_SUFFIX, name))
		return false;
	fd = openat(cache->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = file_bytes(cache->dir, name);
	ok = len > 0 && len < sizeof(text) &&
	     fd_read(fd, text, (size_t)len) == (ssize_t)len;
	(void)close(fd);
	if (!ok)
		return false;
	text[len] = '\0';
	return tag_parse(text, copy);
}

bool
s3_cache_read(struct s3_cache *cache, const char *key,
    const struct s3_copy *copy, struct store_object *object)
{
	char name[NAME_BYTES];
	uint8_t *data = NULL;
	struct hash hash;
	bool ok = false;
	int fd = -1;

	if (cache->dir >= 0 && name_make(key, OBJECT_SUFFIX, name))
		fd =
		    openat(cache->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && file_bytes(cache->dir, name) == copy->size)
		data = malloc((size_t)copy->size + 1);
	if (data != NULL)
		ok = fd_read(fd, data, (size_t)copy->size) ==
			 (ssize_t)copy->size &&
		     hash_bytes(data, (size_t)copy->size, &hash) == STATUS_OK &&
		     memcmp(&hash, &copy->sha256, sizeof(hash)) == 0;
	if (fd >= 0)
		(void)close(fd);
	if (!ok || copy->size == 0) {
		free(data);
		data = NULL;
	}
	if (!ok)
		return false;
	object->data = data;
	object->len = (size_t)copy->size;
	object->version = copy->version;
	return true;
}

/* Room for a new copy; what it replaces is given back. */
static bool
room_take(struct s3_cache *cache, const char *name, uint64_t size)
{
	uint64_t before = file_bytes(cache->dir, name);
	bool ok = false;

	(void)pthread_mutex_lock(&cache->mutex);
	cache->bytes -= before < cache->bytes ? before : cache->bytes;
	if (size <= cache->bytes_most &&
	    cache->bytes <= cache->bytes_most - size) {
		cache->bytes += size;
		ok = true;
	}
	(void)pthread_mutex_unlock(&cache->mutex);
	return ok;
}

/* A file by way of a temporary one. */
static bool
file_place(
    int dir, const char *temp, const char *name, const void *data, size_t len)
{
	int fd;
	bool ok;

	(void)unlinkat(dir, temp, 0);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	s3_file_own(dir, fd);
	ok = fd_write(fd, data, len);
	ok = close(fd) == 0 && ok && renameat(dir, temp, dir, name) == 0;
	if (!ok)
		(void)unlinkat(dir, temp, 0);
	return ok;
}

static bool
link_place(int dir, const char *temp, const char *name, const char *path)
{
	bool ok;

	(void)unlinkat(dir, temp, 0);
	ok = linkat(AT_FDCWD, path, dir, temp, 0) == 0 &&
	     renameat(dir, temp, dir, name) == 0;
	/* rename(2) leaves it when both are one file. */
	(void)unlinkat(dir, temp, 0);
	return ok;
}

/* Both files; `path` or the bytes. Without room there is no copy. */
static void
copy_make(struct s3_cache *cache, const char *key, const struct s3_copy *copy,
    const char *path, const uint8_t *data)
{
	char object[NAME_BYTES];
	char tag[NAME_BYTES];
	char temp[NAME_BYTES];
	char hex[HASH_HEX_BYTES];
	char text[TAG_BYTES];
	int len;
	bool ok;

	s3_cache_drop(cache, key);
	if (cache->dir < 0 || !name_make(key, OBJECT_SUFFIX, object) ||
	    !name_make(key, TAG_SUFFIX, tag) || !temp_make(key, temp) ||
	    !room_take(cache, object, copy->size))
		return;
	len = snprintf(text, sizeof(text), "%s %llu %s\n", copy->version.text,
	    (unsigned long long)copy->size, hash_to_hex(&copy->sha256, hex));
	if (path != NULL)
		ok = link_place(cache->dir, temp, object, path);
	else
		ok = file_place(
		    cache->dir, temp, object, data, (size_t)copy->size);
	if (ok && len > 0 && (size_t)len < sizeof(text))
		(void)file_place(cache->dir, temp, tag, text, (size_t)len);
}

void
s3_cache_keep(
    struct s3_cache *cache, const char *key, const struct store_object *object)
{
	struct s3_copy copy = {.version = object->version, .size = object->len};

	if (cache->dir < 0 ||
	    hash_bytes(object->data, object->len, &copy.sha256) != STATUS_OK)
		return;
	copy_make(cache, key, &copy, NULL, object->data);
}

void
s3_cache_link(struct s3_cache *cache, const char *key,
    const struct s3_copy *copy, const char *path)
{
	copy_make(cache, key, copy, path, NULL);
}

/* The tag: without it the bytes are nothing, and are replaced in time. */
void
s3_cache_drop(struct s3_cache *cache, const char *key)
{
	char name[NAME_BYTES];

	if (cache->dir >= 0 && name_make(key, TAG_SUFFIX, name))
		(void)unlinkat(cache->dir, name, 0);
}
