/* SPDX-License-Identifier: ISC */
/*
 * The files that a configuration names, as whoever runs this sees them. The
 * certificate is read; a private key is not, so that neither a passphrase nor a
 * token is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crlpress/gate_now.h"
#include "crlpress/issuer.h"
#include "crlpress/key_uri.h"
#include "crlpress/trial.h"

static const char rule[] = "file";

/* A key of the configuration whose value is a path. */
struct named {
	const char *section;
	const char *key;
	size_t offset;
	bool is_secret;
};

#define NAMED(section, member) section, #member, offsetof(struct config, member)
#define NAMED_AS(section, key, member) \
	section, key, offsetof(struct config, member)

static const struct named names[] = {
    {NAMED("issuer", certificate), false},
    {NAMED("issuer", key), true},
    {NAMED("issuer", passphrase_file), true},
    {NAMED_AS("issuer", "key", pin_source), true},
    {NAMED("issuer", key_module), false},
    {NAMED("source", crl_issuer), false},
    {NAMED("source", crl_ca_file), false},
    {NAMED_AS("store", "ca_file", remote.ca_file), false},
    {NAMED("store", public_ca_file), false},
    {NAMED_AS("archive", "ca_file", archive_ca_file), false},
};

struct files {
	const struct config *config;
	struct report *report;
	bool strict;
};

/* What is not here may be where the publisher runs. */
static enum status
missing(const struct files *files, const struct named *named, const char *path,
    const char *what, const char *why)
{
	if (files->strict)
		return report_fault(files->report, STATUS_CONFIG,
		    files->config->path, rule, NULL, "[%s] %s: %s: %s%s",
		    named->section, named->key, path, what, why);
	report_warn(files->report, files->config->path, rule, NULL,
	    "[%s] %s: %s: %s%s", named->section, named->key, path, what, why);
	return STATUS_OK;
}

/* As the signer warns of what holds a secret. */
static void
warn_exposed(
    const struct files *files, const struct named *named, const char *path)
{
	report_warn(files->report, files->config->path, rule, NULL,
	    "[%s] %s: %s: may be read or written by others", named->section,
	    named->key, path);
}

/* A secret may come out of a pipe, which is not ours to open. */
static enum status
look_at(const struct files *files, const struct named *named, const char *path,
    bool *there)
{
	struct stat st;
	int fd;

	*there = false;
	if (stat(path, &st) != 0)
		return missing(
		    files, named, path, "cannot be opened: ", strerror(errno));
	if (S_ISDIR(st.st_mode) || (!S_ISREG(st.st_mode) && !named->is_secret))
		return report_fault(files->report, STATUS_CONFIG,
		    files->config->path, rule, NULL,
		    "[%s] %s: %s: not a regular file", named->section,
		    named->key, path);
	if (!S_ISREG(st.st_mode))
		return STATUS_OK;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return missing(
		    files, named, path, "cannot be opened: ", strerror(errno));
	(void)close(fd);
	if (named->is_secret && (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)))
		warn_exposed(files, named, path);
	*there = true;
	return STATUS_OK;
}

/* NULL where the value is no path: no file, or a URI. */
static const char *
path_of(const struct config *config, const struct named *named)
{
	const char *path =
	    *(char *const *)((const char *)config + named->offset);

	if (named->offset == offsetof(struct config, key) &&
	    (!config_has_key(config) || key_uri_is(path)))
		return NULL;
	return path;
}

/* The gate issuer-valid; of a publisher elsewhere, only a warning. */
static enum status
judge_validity(
    const struct files *files, const struct issuer *issuer, int64_t now_sec)
{
	const struct gate_place place = {
	    .object = files->config->name, .report = files->report};
	char text[GATE_NOW_WHY_BYTES];
	const char *why = gate_now_issuer(
	    issuer_facts(issuer), files->config->certificate, now_sec, text);

	if (why != NULL && files->strict)
		return gate_refuse(&place, GATE_ISSUER, "%s", why);
	if (why != NULL)
		report_warn(files->report, files->config->name,
		    gate_name(GATE_ISSUER), "RFC 5280, 6.3.3", "%s", why);
	return STATUS_OK;
}

/* As the judge will load it, and what the signer will say of it. */
static enum status
judge_certificate(const struct files *files, int64_t now_sec)
{
	const struct signer_config signer = config_signer(files->config);
	uint8_t algorithm[SIGNER_ALGORITHM_BYTES_MOST];
	struct issuer *issuer = NULL;
	enum status status;
	size_t len;

	status =
	    issuer_load(files->config->certificate, files->report, &issuer);
	if (status == STATUS_OK)
		status =
		    signer_describe(&signer, files->report, algorithm, &len);
	if (status == STATUS_OK)
		status = judge_validity(files, issuer, now_sec);
	issuer_free(issuer);
	return status;
}

/* Whether what is made below the state directory can be made. */
static enum status
judge_state(const struct files *files)
{
	const struct config *config = files->config;
	char *path = NULL;
	enum status status = STATUS_OK;

	if (asprintf(&path, "%s/%s", config->state_dir, config->name) < 0)
		return STATUS_NO_MEMORY;
	/* Two directories are made where they are not, and no more. */
	for (int i = 0; i < 2 && access(path, F_OK) != 0 && errno == ENOENT;
	     i++) {
		char *slash = strrchr(path, '/');

		if (slash == NULL)
			break;
		slash[slash == path] = '\0';
	}
	if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) != 0)
		status = report_fault(files->report, STATUS_FAILED,
		    config->path, rule, NULL,
		    "[state] dir: nothing can be made in %s: %s", path,
		    strerror(errno));
	free(path);
	return status;
}

enum status
trial_files(const struct config *config, const struct context *context,
    bool strict, struct report *report)
{
	const struct files files = {config, report, strict};
	enum status worst = STATUS_OK;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *path = path_of(config, &names[i]);
		bool there = false;

		if (path == NULL)
			continue;
		worst = status_graver(
		    worst, look_at(&files, &names[i], path, &there));
		if (there && path == config->certificate)
			worst = status_graver(worst,
			    judge_certificate(&files, context->clock_sec()));
	}
	return strict ? status_graver(worst, judge_state(&files)) : worst;
}
