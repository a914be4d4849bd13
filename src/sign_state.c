/* SPDX-License-Identifier: ISC */
/*
 * What the signing machine remembers of an issuer. RFC 5280, 5.2.3: a number
 * rises and never stands for two byte strings; so the request is on disk
 * before its number is, and both are before anything is signed, and a CRL is
 * on disk here before anybody else sees it. A request that comes again yields
 * the CRLs that it yielded before.
 */
#include <errno.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sign_impl.h"
#include "state_impl.h"

#define SIGNED_NAME "signed"

/* Directories below signed/ are three at most; a walk of them is flat. */
#define WALK_FDS 8

char *
sign_state_path(
    const struct sign *sign, const struct uint160 *number, const char *name)
{
	char decimal[UINT160_DECIMAL_BYTES];
	char *path = NULL;

	if (asprintf(&path, "%s/" SIGNED_NAME "/%s%s%s", sign->state->path,
		uint160_to_decimal(number, decimal), *name != '\0' ? "/" : "",
		name) >= 0)
		return path;
	(void)sign_no_memory(sign);
	return NULL;
}

/* Whether this very request is the one that was begun under its number. */
static enum status
remembered(struct sign *sign, bool *is_same)
{
	struct sign_bytes text = {NULL, 0};
	char *path = sign_state_path(sign, &sign->request.number, REQUEST_NAME);
	enum status status;

	*is_same = false;
	if (path == NULL)
		return STATUS_NO_MEMORY;
	status = sign_file_read(sign, path, REQUEST_BYTES_MOST, &text);
	if (status == STATUS_OK)
		*is_same = text.len == sign->request_len &&
			   memcmp(text.data, sign->request_text, text.len) == 0;
	free(text.data);
	free(path);
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status
sign_state_open(struct sign *sign)
{
	char last[UINT160_DECIMAL_BYTES], number[UINT160_DECIMAL_BYTES];
	enum status status = state_open(sign->config->state_dir,
	    sign->config->name, STATE_EXCLUSIVE, sign->report, &sign->state);
	int order;

	if (status == STATUS_OK)
		status = state_number(sign->state, STATE_SIGNED, &sign->last);
	if (status != STATUS_OK)
		return status;
	stage_sweep(sign->state);
	order = uint160_compare(&sign->request.number, &sign->last);
	if (order == 0)
		status = remembered(sign, &sign->is_again);
	if (status != STATUS_OK || order > 0 || sign->is_again)
		return status;
	report_fault(sign->report, STATUS_REFUSED, sign->config->name, "number",
	    "RFC 5280, 5.2.3",
	    order == 0
		? "another request was signed under this number, have %s, want "
		  "above %s"
		: "the number does not rise, have %s, want above %s, which was "
		  "signed here",
	    uint160_to_decimal(&sign->request.number, number),
	    uint160_to_decimal(&sign->last, last));
	report_hint(sign->report,
	    "stage again: publish --stage-tbs takes a new number");
	return STATUS_REFUSED;
}

/* Makes STATE/signed and the directory of the number. */
static enum status
directories_make(const struct sign *sign)
{
	char decimal[UINT160_DECIMAL_BYTES];
	enum status status = STATUS_OK;
	int outer = state_dir_make(sign->state, sign->state->dir, SIGNED_NAME);
	int inner = -1;

	if (outer >= 0)
		inner = state_dir_make(sign->state, outer,
		    uint160_to_decimal(&sign->request.number, decimal));
	if (inner < 0)
		status = state_fault(sign->state, SIGNED_NAME,
		    "open or make the directory", errno);
	if (inner >= 0)
		(void)close(inner);
	if (outer >= 0)
		(void)close(outer);
	return status;
}

enum status
sign_state_begin(struct sign *sign)
{
	enum status status;
	char *path;

	if (sign->is_again)
		return STATUS_OK;
	status = directories_make(sign);
	if (status != STATUS_OK)
		return status;
	path = sign_state_path(sign, &sign->request.number, REQUEST_NAME);
	if (path == NULL)
		return STATUS_NO_MEMORY;
	status =
	    sign_file_write(sign, path, sign->request_text, sign->request_len);
	free(path);
	if (status == STATUS_OK)
		status = state_signed_set(sign->state, &sign->request.number);
	return status;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void
sign_state_sweep(const struct sign *sign)
{
	char now[UINT160_DECIMAL_BYTES], last[UINT160_DECIMAL_BYTES];
	char *path = NULL;
	struct dirent **names = NULL;
	int count;

	uint160_to_decimal(&sign->request.number, now);
	uint160_to_decimal(&sign->last, last);
	if (asprintf(&path, "%s/" SIGNED_NAME, sign->state->path) < 0)
		return;
	count = scandir(path, &names, NULL, NULL);
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		char *old = NULL;

		if (name[0] != '.' && strcmp(name, now) != 0 &&
		    strcmp(name, last) != 0 &&
		    asprintf(&old, "%s/%s", path, name) >= 0 &&
		    nftw(old, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS) != 0)
			state_warn(sign->state, SIGNED_NAME, "clear it", errno);
		free(old);
		free(names[i]);
	}
	free(names);
	free(path);
}
