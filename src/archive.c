/* SPDX-License-Identifier: ISC */
/* The archive's store; the sets in it; what one of them names. */
#include "crlpress/archive.h"

#include <stdlib.h>
#include <string.h>

#define SUFFIX ".txt.gz"

/* What the archive does not say of itself is as with the store. */
static struct store_remote
remote_make(const struct config *config)
{
	struct store_remote remote = config->remote;

	if (config->archive_endpoint != NULL)
		remote.endpoint = config->archive_endpoint;
	if (config->archive_region != NULL)
		remote.region = config->archive_region;
	if (config->archive_profile != NULL)
		remote.profile = config->archive_profile;
	if (config->archive_ca_file != NULL)
		remote.ca_file = config->archive_ca_file;
	remote.path_style = config->archive_path_style;
	remote.unconditional = config->archive_unconditional;
	/* Nobody reads it in public, or twice. */
	remote.read_back = STORE_READ_BACK_HEAD;
	remote.cache_bytes_most = 0;
	return remote;
}

enum status
archive_open(const struct config *config, const struct context *context,
    struct report *report, struct archive *archive)
{
	struct store_remote remote = remote_make(config);
	/* It is not probed, so that one may be used in which nothing can be
	 * replaced or removed; its puts rest on nothing but that each makes a
	 * new object, and is read back. So there is nothing to remember. */
	const struct store_config store = {
	    .url = config->archive_url,
	    .remote = &remote,
	    .context = context,
	};

	*archive = (struct archive){.config = config, .report = report};
	if (config->archive_url == NULL)
		return report_fault(report, STATUS_CONFIG, config->name,
		    "archive", NULL, "there is none: no [archive] url");
	return store_open(&store, report, &archive->store);
}

void
archive_close(struct archive *archive)
{
	if (archive == NULL)
		return;
	store_close(archive->store);
	archive->store = NULL;
}

static enum status
archive_fault(struct archive *archive, const char *key, const char *what)
{
	return report_fault(archive->report, STATUS_FAILED, key, "archive",
	    "house rule", "%s", what);
}

static int
set_compare(const void *a, const void *b)
{
	return archive_set_compare(a, b);
}

/* The name of a set is its key without the place and the suffix. */
static bool
key_is_set(const char *key, size_t place_len, struct archive_set *set)
{
	char name[ARCHIVE_SET_BYTES];
	size_t len = strlen(key + place_len);

	if (len < sizeof(SUFFIX) || len - (sizeof(SUFFIX) - 1) >= sizeof(name))
		return false;
	len -= sizeof(SUFFIX) - 1;
	if (strcmp(key + place_len + len, SUFFIX) != 0)
		return false;
	memcpy(name, key + place_len, len);
	name[len] = '\0';
	return archive_set_read(name, set) == STATUS_OK;
}

enum status
archive_sets_list(struct archive *archive, struct archive_sets *sets)
{
	char place[ARCHIVE_KEY_BYTES];
	struct archive_set set;
	struct store_keys keys;
	enum status status;
	size_t place_len;

	*sets = (struct archive_sets){.set = NULL};
	archive_sets_place(archive->config->name, place);
	place_len = strlen(place);
	status = store_list(archive->store, place, NULL, &keys);
	if (status != STATUS_OK)
		return status;
	sets->set = calloc(keys.count + 1, sizeof(*sets->set));
	if (sets->set == NULL)
		status = archive_fault(archive, place, "out of memory");
	for (size_t i = 0; status == STATUS_OK && i < keys.count; i++)
		if (key_is_set(keys.key[i], place_len, &set))
			sets->set[sets->count++] = set;
	if (sets->count > 0)
		qsort(sets->set, sets->count, sizeof(*sets->set), set_compare);
	store_keys_free(&keys);
	return status;
}

void
archive_sets_free(struct archive_sets *sets)
{
	if (sets == NULL)
		return;
	free(sets->set);
	*sets = (struct archive_sets){.set = NULL};
}

/* What stands under a key, unpacked, `most` bytes of it. */
static enum status
object_get(struct archive *archive, const char *key, uint64_t most,
    struct gzip_bytes *bytes)
{
	struct store_object object;
	const char *why = NULL;
	enum status status;

	memset(bytes, 0, sizeof(*bytes));
	status = store_get(archive->store, key, &object);
	if (status != STATUS_OK)
		return status;
	status = gzip_unpack(object.data, object.len, most, bytes, &why);
	store_object_free(&object);
	if (status == STATUS_OK)
		return STATUS_OK;
	return archive_fault(archive, key, why != NULL ? why : "out of memory");
}

static enum status
manifest_judge(struct archive *archive, const struct archive_set *set,
    const char *key, struct archive_manifest *out)
{
	const char *why = NULL;
	struct hash hash;
	size_t line = 0;

	if (hash_bytes(out->text.data, out->text.len, &hash) != STATUS_OK ||
	    memcmp(hash.octet, set->hash, sizeof(set->hash)) != 0)
		return archive_fault(archive, key,
		    "is not the manifest that its name says, by the hash");
	if (manifest_parse((const char *)out->text.data, out->text.len,
		&out->manifest, &line, &why) != STATUS_OK)
		return report_fault(archive->report, STATUS_FAILED, key,
		    "archive", "house rule", "line %zu: %s", line, why);
	if (strcmp(out->manifest.issuer, archive->config->name) != 0)
		return archive_fault(
		    archive, key, "is the manifest of another issuer");
	return STATUS_OK;
}

enum status
archive_manifest_get(struct archive *archive, const struct archive_set *set,
    struct archive_manifest *out)
{
	char key[ARCHIVE_KEY_BYTES];
	enum status status;

	memset(out, 0, sizeof(*out));
	archive_set_key(archive->config->name, set, key);
	status = object_get(archive, key, MANIFEST_BYTES_MOST, &out->text);
	if (status == STATUS_NOT_FOUND)
		return archive_fault(archive, key, "is not there");
	if (status == STATUS_OK)
		status = manifest_judge(archive, set, key, out);
	if (status != STATUS_OK)
		archive_manifest_free(out);
	return status;
}

void
archive_manifest_free(struct archive_manifest *manifest)
{
	if (manifest == NULL)
		return;
	gzip_bytes_free(&manifest->text);
	manifest_free(&manifest->manifest);
	memset(manifest, 0, sizeof(*manifest));
}

enum status
archive_crl_get(struct archive *archive, const struct manifest_shard *line,
    struct gzip_bytes *crl)
{
	char key[ARCHIVE_KEY_BYTES];
	struct hash hash;
	enum status status;

	memset(crl, 0, sizeof(*crl));
	if (archive_crl_key(archive->config->name, line->this_update_sec,
		&line->number, line->key, key) != STATUS_OK)
		return archive_fault(archive, line->key, "too long a key");
	if (line->size > STORE_OBJECT_BYTES_MOST)
		return archive_fault(archive, key,
		    "larger than any CRL that was published, by its manifest");
	status = object_get(archive, key, line->size, crl);
	if (status != STATUS_OK)
		return status;
	if (crl->len == line->size &&
	    hash_bytes(crl->data, crl->len, &hash) == STATUS_OK &&
	    memcmp(&hash, &line->sha256, sizeof(hash)) == 0)
		return STATUS_OK;
	gzip_bytes_free(crl);
	return archive_fault(archive, key,
	    "has not the bytes that its manifest names, by size and hash");
}
