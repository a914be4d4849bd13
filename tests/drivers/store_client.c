/* SPDX-License-Identifier: ISC */
/*
 * A store from outside, for the end-to-end tests:
 *   store_client CONFIG get KEY            bytes on stdout, version on stderr
 *   store_client CONFIG put KEY FILE [OLD] OLD: the version it replaces
 *   store_client CONFIG gets KEY...        one after the other, all of them
 *   store_client CONFIG list PREFIX [AFTER]
 *   store_client CONFIG remove KEY
 *   store_client CONFIG probe
 *   store_client CONFIG sweep
 *   store_client CONFIG sweep-put KEY FILE [OLD]
 * CONFIG is a configuration of crlpress(1); its issuer and source are not
 * looked at. URL=... in the environment is the object's public URL. Exit: 0;
 * 1 failed; 2 usage; 4 the public URL serves something else; 6 a conflict; 7
 * nothing there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crlpress/config.h"
#include "crlpress/store.h"

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

static enum status
get(struct store *store, const char *key)
{
	struct store_object object;
	enum status status = store_get(store, key, &object);

	if (status != STATUS_OK)
		return status;
	if (object.len > 0 &&
	    fwrite(object.data, 1, object.len, stdout) != object.len)
		status = STATUS_FAILED;
	fprintf(stderr, "version %s\n", object.version.text);
	store_object_free(&object);
	return status;
}

/* The status of the last that failed. */
static enum status
gets(struct store *store, char **keys)
{
	enum status worst = STATUS_OK;

	for (; *keys != NULL; keys++) {
		enum status status = get(store, *keys);

		if (status != STATUS_OK)
			worst = status;
	}
	return worst;
}

static enum status
upload_fill(struct store_upload *upload, const char *path)
{
	FILE *file = fopen(path, "rb");
	enum status status = STATUS_FAILED;
	uint8_t *data = NULL;
	struct stat st;

	if (file == NULL || fstat(fileno(file), &st) != 0)
		goto out;
	upload->size = (uint64_t)st.st_size;
	data = malloc((size_t)upload->size + 1);
	if (data == NULL ||
	    fread(data, 1, (size_t)upload->size, file) != upload->size)
		goto out;
	status = hash_bytes(data, (size_t)upload->size, &upload->sha256);
out:
	free(data);
	if (file != NULL)
		(void)fclose(file);
	return status;
}

static enum status
put(struct store *store, char **argv)
{
	static const struct uint160 number = {.octet = {[19] = 7}};
	struct store_upload upload = {
	    .key = argv[0],
	    .path = argv[1],
	    .content_type = "application/pkix-crl",
	    .number = &number,
	    .this_update_sec = 1790000000,
	    .expires_sec = 1790003600,
	    .cache_control = "public, no-transform",
	    .public_url = getenv("URL"),
	};
	struct store_version now = {.text = ""};
	enum status status = upload_fill(&upload, argv[1]);

	if (status != STATUS_OK) {
		perror(argv[1]);
		return status;
	}
	if (argv[2] != NULL)
		(void)snprintf(upload.replaces.text,
		    sizeof(upload.replaces.text), "%s", argv[2]);
	status = store_put(store, &upload, &now);
	if (status == STATUS_OK || status == STATUS_PARTIAL)
		fprintf(stderr, "version %s\n", now.text);
	return status;
}

/* One key a line. */
static enum status
list(struct store *store, const char *prefix, const char *after)
{
	struct store_keys keys;
	enum status status = store_list(store, prefix, after, &keys);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < keys.count; i++)
		puts(keys.key[i]);
	store_keys_free(&keys);
	return STATUS_OK;
}

static enum status
command(struct store *store, char **argv)
{
	enum status status = STATUS_OK;

	if (strcmp(argv[0], "probe") == 0)
		return store_probe(store);
	if (strcmp(argv[0], "sweep") == 0)
		return store_sweep(store);
	if (argv[1] == NULL)
		return STATUS_USAGE;
	if (strcmp(argv[0], "get") == 0)
		return get(store, argv[1]);
	if (strcmp(argv[0], "gets") == 0)
		return gets(store, argv + 1);
	if (strcmp(argv[0], "list") == 0)
		return list(store, argv[1], argv[2]);
	if (strcmp(argv[0], "remove") == 0)
		return store_remove(store, argv[1]);
	if (argv[2] == NULL)
		return STATUS_USAGE;
	if (strcmp(argv[0], "sweep-put") == 0)
		status = store_sweep(store);
	else if (strcmp(argv[0], "put") != 0)
		return STATUS_USAGE;
	return status == STATUS_OK ? put(store, argv + 1) : status;
}

static enum status
run(const char *path, char **argv, struct report *report)
{
	const struct context context = {
	    .out = stdout,
	    .err = stderr,
	    .clock_sec = clock_sec,
	    .monotonic_ms = monotonic_ms,
	    .environment = environment,
	    .random_bytes = random_bytes,
	};
	struct store_config config = {.context = &context};
	struct config *file = NULL;
	struct store *store = NULL;
	enum status status = config_load(path, report, &file);

	if (status != STATUS_OK)
		return status;
	(void)mkdir(file->state_dir, 0700);
	config.url = file->store_url;
	config.remote = &file->remote;
	config.state_dir = file->state_dir;
	config.public_ca_file = file->public_ca_file;
	status = store_open(&config, report, &store);
	if (status == STATUS_OK)
		status = command(store, argv);
	store_close(store);
	config_free(file);
	return status;
}

int
main(int argc, char **argv)
{
	struct report *report = report_new(stderr, SEVERITY_NOTE);
	enum status status = STATUS_USAGE;

	if (argc > 2)
		status = run(argv[1], argv + 2, report);
	report_close(report);
	report_free(report);
	if (status == STATUS_CONFLICT)
		return 6;
	if (status == STATUS_NOT_FOUND)
		return 7;
	return status_exit(status);
}
