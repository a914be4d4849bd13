/* SPDX-License-Identifier: ISC */
/*
 * What `push` and `revoke` share: which issuer is meant, which certificates,
 * and the run of their shards.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/public_wait.h"
#include "crlpress/quantity.h"
#include "push_impl.h"

enum status
push_read_certificates(struct push *push, const struct option_texts *paths)
{
	enum status status = STATUS_OK;

	push->certificate =
	    calloc(paths->count + 1, sizeof(*push->certificate));
	if (push->certificate == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; status == STATUS_OK && i < paths->count; i++)
		status = push_certificate_read(paths->text[i], push->report,
		    &push->certificate[push->certificate_count++]);
	return status;
}

/* Whether all certificates are of this configuration's issuer. */
static bool
has_issued_all(struct push *push, const struct config *config)
{
	struct issuer *issuer = NULL;
	bool all = true;

	if (issuer_load(config->certificate, push->report, &issuer) !=
	    STATUS_OK)
		return false;
	for (size_t i = 0; i < push->certificate_count; i++)
		all = all && push_certificate_is_of(
				 &push->certificate[i], issuer_facts(issuer));
	issuer_free(issuer);
	return all;
}

static enum status
wrong_issuer(struct push *push, const struct config *config)
{
	struct issuer *issuer = NULL;
	char have[ISSUER_NAME_BYTES], want[ISSUER_NAME_BYTES];
	enum status status;

	status = issuer_load(config->certificate, push->report, &issuer);
	for (size_t i = 0; status == STATUS_OK && i < push->certificate_count;
	     i++) {
		const struct push_certificate *its = &push->certificate[i];

		if (push_certificate_is_of(its, issuer_facts(issuer)))
			continue;
		status = report_fault(push->report, STATUS_USAGE, its->path,
		    "certificate", "RFC 5280, 4.1.2.4",
		    "it is not of issuer %s, have %s, want %s and its key "
		    "identifier",
		    config->name,
		    issuer_name_text(
			&its->certificate.issuer, have, sizeof(have)),
		    issuer_name_text(
			&issuer_facts(issuer)->subject, want, sizeof(want)));
	}
	issuer_free(issuer);
	return status;
}

/* The one that was named, or there is, or that issued the certificates. */
static bool
is_meant(struct push *push, const struct config *config, size_t count)
{
	if (push->settings->issuer != NULL)
		return strcmp(config->name, push->settings->issuer) == 0;
	return count == 1 ||
	       (push->certificate_count > 0 && has_issued_all(push, config));
}

static enum status
none_meant(struct push *push, const struct command_names *names)
{
	if (push->settings->issuer != NULL)
		return command_not_configured(
		    push->settings->issuer, names, push->report);
	(void)command_usage(push->report,
	    push->certificate_count > 0
		? "no configured issuer has issued the certificates given"
		: "there are several issuers; name one with --issuer");
	command_names_hint(names, push->report);
	return STATUS_USAGE;
}

/*
 * The configuration of the issuer. One that is broken does not stop a push for
 * another issuer, and shows in the exit status.
 */
static enum status
choose_config(struct push *push, char **paths, size_t count,
    struct config **chosen, enum status *broken)
{
	struct command_names names = {.count = 0};

	for (size_t i = 0; i < count; i++) {
		struct config *config = NULL;
		enum status status =
		    config_load(paths[i], push->report, &config);

		if (status == STATUS_OK)
			command_names_add(&names, config->name);
		if (status != STATUS_OK) {
			*broken = status_graver(*broken, status);
		} else if (!is_meant(push, config, count)) {
			config_free(config);
		} else if (*chosen != NULL) {
			report_fault(push->report, STATUS_CONFIG, config->path,
			    "config", NULL,
			    "of the issuer that %s is of too; name one with "
			    "--issuer",
			    (*chosen)->path);
			config_free(config);
			return STATUS_CONFIG;
		} else {
			*chosen = config;
		}
	}
	if (*chosen != NULL)
		return STATUS_OK;
	return *broken != STATUS_OK ? *broken : none_meant(push, &names);
}

enum status
push_choose(struct push *push, struct config **config, enum status *broken)
{
	char **paths = NULL;
	enum status status;
	size_t count = 0;

	status =
	    config_paths(command_config(push->context, push->settings->config),
		push->report, &paths, &count);
	if (status == STATUS_OK)
		status = choose_config(push, paths, count, config, broken);
	if (status == STATUS_OK && push->certificate_count > 0)
		status = wrong_issuer(push, *config);
	config_paths_free(paths, count);
	return status;
}

enum status
push_read_shard(struct push *push, const struct config *config,
    const char *text, uint32_t *shard)
{
	uint64_t first = config->shards.first;
	const char *why = NULL;
	uint64_t index = 0;

	if (quantity_count(text, first, first + config->shards.count - 1,
		&index, &why) != STATUS_OK)
		return report_fault(push->report, STATUS_USAGE, "usage", NULL,
		    NULL,
		    "--shard %s: %s; %s has %" PRIu32 " shards from %" PRIu32,
		    text, why, config->name, config->shards.count,
		    config->shards.first);
	*shard = (uint32_t)index;
	return STATUS_OK;
}

static int
asked_compare(const void *a, const void *b)
{
	const struct run_asked *x = a;
	const struct run_asked *y = b;
	int order = uint160_compare(&x->serial, &y->serial);

	/* What a certificate says of its shard comes first. */
	return order != 0 ? order : (int)y->has_shard - (int)x->has_shard;
}

/* Each serial once. */
enum status
push_sort_asked(struct push *push, size_t n)
{
	struct run_asked *asked = push->asked;
	char hex[UINT160_HEX_BYTES];
	size_t count = 0;

	qsort(asked, n, sizeof(*asked), asked_compare);
	for (size_t i = 0; i < n; i++) {
		const struct run_asked *last = &asked[count - (count > 0)];

		if (count == 0 ||
		    uint160_compare(&last->serial, &asked[i].serial) != 0)
			asked[count++] = asked[i];
		else if (asked[i].has_shard && asked[i].shard != last->shard)
			return report_fault(push->report, STATUS_USAGE, "usage",
			    NULL, NULL,
			    "two certificates of serial %s name two shards",
			    uint160_to_hex(&last->serial, hex));
	}
	push->run.asked = asked;
	push->run.asked_count = count;
	return STATUS_OK;
}

enum status
push_make_asked(struct push *push, const struct config *config)
{
	size_t n = push->list.count + push->certificate_count;
	enum status status = STATUS_OK;

	push->asked = calloc(n + 1, sizeof(*push->asked));
	if (push->asked == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < push->list.count; i++)
		push->asked[i].serial = push->list.serial[i];
	for (size_t i = 0; status == STATUS_OK && i < push->certificate_count;
	     i++) {
		const struct push_certificate *its = &push->certificate[i];
		struct run_asked *asked = &push->asked[push->list.count + i];

		asked->serial = its->certificate.serial;
		asked->has_shard = true;
		status = push_certificate_shard(
		    its, config, push->report, &asked->shard);
	}
	return status == STATUS_OK ? push_sort_asked(push, n) : status;
}

static enum status
push_wait(struct push *push, const struct config *config, const struct run *run)
{
	const struct public_wait wait = {
	    .config = config,
	    .context = push->context,
	    .report = push->report,
	    .asked = push->run.asked,
	    .asked_count = push->run.asked_count,
	    .deadline_sec = push->settings->wait.sec,
	    .quiet = push->run.quiet,
	};

	return push->settings->wait.given && !push->run.dry_run
		   ? public_wait(&wait, run)
		   : STATUS_OK;
}

enum status
push_publish(struct push *push, const struct config *config)
{
	struct run *run = NULL;
	enum status status;

	push->has_runs = true;
	if (push->json != NULL)
		json_open(push->json, "runs", '[');
	status = run_publish(config, &push->run, push->context, push->report,
	    push->progress, &run);
	if (run != NULL)
		command_tell_run(push->call, &push->run, run);
	command_passes_unused(
	    &push->settings->passes, push->report, &push->run.passes);
	push->published = status == STATUS_OK;
	if (run != NULL)
		status = status_graver(status, push_wait(push, config, run));
	run_free(run);
	return status;
}

static void
push_free(struct push *push)
{
	for (size_t i = 0; i < push->certificate_count; i++)
		push_certificate_free(&push->certificate[i]);
	free(push->certificate);
	free(push->asked);
	free(push->only);
	serial_list_free(&push->list);
}

enum status
push_command(struct command_call *call, const struct push_settings *settings,
    const void *options,
    enum status (*body)(struct push *push, const void *options))
{
	struct push push = {
	    .call = call,
	    .context = call->context,
	    .report = call->report,
	    .settings = settings,
	    .run.push = true,
	    .run.quiet = settings->quiet,
	    .run.workers =
		settings->jobs != 0 ? settings->jobs : call->context->cpus,
	};
	enum status status;

	command_progress(call, settings->quiet);
	command_json(call, settings->json, NULL);
	push.progress = call->progress;
	push.json = call->json;
	status = command_run_options(
	    call, settings->passphrase_fd, &settings->passes, &push.run);
	if (status == STATUS_OK)
		status = body(&push, options);
	if (call->json != NULL && !push.has_runs)
		json_open(call->json, "runs", '[');
	push_free(&push);
	return status;
}
