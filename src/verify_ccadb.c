/* SPDX-License-Identifier: ISC */
/*
 * CCADB Policy 6.2: the URLs that the CCADB's field holds are those in the
 * shards, byte for byte, each once. What a consumer of the field fetches and
 * what a certificate names are compared as strings by everybody else too.
 */
#include <stdlib.h>
#include <string.h>

#include "crlpress/ccadb.h"
#include "verify_impl.h"

#define RULE "ccadb"
#define CLAUSE "CCADB 6.2"

/* A URL of one side; of those that the other has not, its normal form too. */
struct side {
	const char *url;
	const char *path; /* of the CRL; NULL: of the array */
	char *normal;
};

struct sides {
	struct side *side;
	size_t count;
};

static enum status
no_memory(struct verify *verify)
{
	return report_fault(verify->report, STATUS_NO_MEMORY,
	    verify->ccadb_path, NULL, NULL, "out of memory");
}

static int
compare_url(const void *a, const void *b)
{
	const struct side *x = a, *y = b;

	return strcmp(x->url, y->url);
}

static int
compare_normal(const void *a, const void *b)
{
	const struct side *x = a, *y = b;
	int order = strcmp(x->normal, y->normal);

	return order != 0 ? order : strcmp(x->url, y->url);
}

static enum status
sides_make(struct verify *verify, struct sides *sides, size_t room)
{
	sides->side = calloc(room + 1, sizeof(*sides->side));
	return sides->side == NULL ? no_memory(verify) : STATUS_OK;
}

static void
sides_free(struct sides *sides)
{
	for (size_t i = 0; i < sides->count; i++)
		free(sides->side[i].normal);
	free(sides->side);
}

/* The array's URLs, sorted, each once. */
static enum status
take_array(
    struct verify *verify, const struct ccadb_urls *urls, struct sides *array)
{
	enum status status = sides_make(verify, array, urls->count);
	size_t n = 0;

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < urls->count; i++)
		array->side[i].url = urls->url[i];
	qsort(array->side, urls->count, sizeof(*array->side), compare_url);
	for (size_t i = 0; i < urls->count; i++)
		if (n > 0 &&
		    compare_url(&array->side[n - 1], &array->side[i]) == 0)
			status = report_fault(verify->report, STATUS_FAULTY,
			    verify->ccadb_path, RULE, CLAUSE,
			    "a URL stands there twice, have %s",
			    array->side[i].url);
		else
			array->side[n++] = array->side[i];
	array->count = n;
	return status;
}

/* The URLs of the CRLs, sorted, each once. */
static enum status
take_files(struct verify *verify, struct sides *files)
{
	enum status status = sides_make(verify, files, verify->file_count);
	size_t n = 0;

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < verify->file_count; i++) {
		const struct verify_file *file = &verify->file[i];

		if (file->parsed && file->url == NULL)
			status = report_fault(verify->report, STATUS_FAULTY,
			    file->path, RULE, CLAUSE,
			    "names no URL that could stand in %s",
			    verify->ccadb_path);
		else if (file->parsed)
			files->side[n++] =
			    (struct side){.url = file->url, .path = file->path};
	}
	qsort(files->side, n, sizeof(*files->side), compare_url);
	for (size_t i = 0; i < n; i++)
		if (files->count == 0 ||
		    compare_url(
			&files->side[files->count - 1], &files->side[i]) != 0)
			files->side[files->count++] = files->side[i];
	return status;
}

/* Keeps of both sides what the other has not. */
static void
drop_common(struct sides *a, struct sides *b)
{
	size_t i = 0, k = 0, n = 0, m = 0;

	while (i < a->count || k < b->count) {
		int order = i == a->count ? 1
			    : k == b->count
				? -1
				: compare_url(&a->side[i], &b->side[k]);

		if (order < 0) {
			a->side[n++] = a->side[i++];
		} else if (order > 0) {
			b->side[m++] = b->side[k++];
		} else {
			i++;
			k++;
		}
	}
	a->count = n;
	b->count = m;
}

static enum status
normalise(struct verify *verify, struct sides *sides)
{
	for (size_t i = 0; i < sides->count; i++) {
		sides->side[i].normal = ccadb_url_normal(sides->side[i].url);
		if (sides->side[i].normal == NULL)
			return no_memory(verify);
	}
	qsort(sides->side, sides->count, sizeof(*sides->side), compare_normal);
	return STATUS_OK;
}

static enum status
tell_missing(struct verify *verify, const struct side *file)
{
	return report_fault(verify->report, STATUS_FAULTY, verify->ccadb_path,
	    RULE, CLAUSE, "a URL is missing, want %s of %s", file->url,
	    file->path);
}

/* The CCADB's own word for a CA that has not issued yet is [""]. */
static enum status
tell_superfluous(struct verify *verify, const struct side *array)
{
	if (array->url[0] == '\0')
		return report_fault(verify->report, STATUS_FAULTY,
		    verify->ccadb_path, RULE, CLAUSE,
		    "an empty URL, which says that nothing was issued yet");
	return report_fault(verify->report, STATUS_FAULTY, verify->ccadb_path,
	    RULE, CLAUSE, "no CRL here has this URL, have %s", array->url);
}

/* Both sorted by their normal form. */
static enum status
tell_differences(
    struct verify *verify, const struct sides *array, const struct sides *files)
{
	enum status worst = STATUS_OK;
	size_t i = 0, k = 0;

	while (i < array->count || k < files->count) {
		const struct side *a = &array->side[i], *b = &files->side[k];
		int order = i == array->count   ? 1
			    : k == files->count ? -1
						: strcmp(a->normal, b->normal);

		if (order < 0) {
			worst = tell_superfluous(verify, a);
			i++;
		} else if (order > 0) {
			worst = tell_missing(verify, b);
			k++;
		} else {
			worst = report_fault(verify->report, STATUS_FAULTY,
			    verify->ccadb_path, RULE, CLAUSE,
			    "a URL is written otherwise than in %s, have %s, "
			    "want %s",
			    b->path, a->url, b->url);
			i++;
			k++;
		}
	}
	return worst;
}

/* The field is one CA certificate's. */
static enum status
judge_issuers(struct verify *verify)
{
	const struct issuer *first = NULL;

	for (size_t i = 0; i < verify->file_count; i++) {
		const struct issuer *issuer = verify->file[i].issuer;

		if (first != NULL && issuer != NULL && issuer != first)
			return report_fault(verify->report, STATUS_FAULTY,
			    verify->file[i].path, RULE, CLAUSE,
			    "another issuer's CRL, want those of the one whose "
			    "field is %s",
			    verify->ccadb_path);
		if (first == NULL)
			first = issuer;
	}
	return STATUS_OK;
}

static enum status
compare_all(struct verify *verify, const struct ccadb_urls *urls)
{
	struct sides array = {0}, files = {0};
	enum status status = judge_issuers(verify);

	status = status_graver(status, take_array(verify, urls, &array));
	status = status_graver(status, take_files(verify, &files));
	if (array.side != NULL && files.side != NULL) {
		drop_common(&array, &files);
		status = status_graver(status, normalise(verify, &array));
		status = status_graver(status, normalise(verify, &files));
	}
	if (status == STATUS_OK || status == STATUS_FAULTY)
		status = status_graver(
		    status, tell_differences(verify, &array, &files));
	sides_free(&array);
	sides_free(&files);
	return status;
}

enum status
verify_ccadb_judge(struct verify *verify)
{
	struct ccadb_urls urls = {0};
	const char *why = NULL;
	enum status status;
	size_t offset = 0;

	if (verify->ccadb_path == NULL)
		return STATUS_OK;
	status = verify_text_read(verify->ccadb_path, CCADB_BYTES_MOST,
	    verify->report, verify->bytes);
	if (status != STATUS_OK)
		return status;
	status = ccadb_parse((const char *)verify->bytes->data,
	    verify->bytes->len, &urls, &offset, &why);
	if (status == STATUS_MALFORMED)
		status = report_fault(verify->report, STATUS_FAULTY,
		    verify->ccadb_path, RULE, CLAUSE, "offset %zu: %s", offset,
		    why);
	else if (status == STATUS_OK)
		status = compare_all(verify, &urls);
	else
		status = no_memory(verify);
	ccadb_free(&urls);
	return status;
}
