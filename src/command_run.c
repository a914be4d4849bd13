/* SPDX-License-Identifier: ISC */
/* The options that commands have in common. */
#include <fcntl.h>
#include <string.h>

#include "crlpress/command.h"
#include "crlpress/quantity.h"

void
command_names_add(struct command_names *names, const char *name)
{
	size_t len = strlen(names->text);
	const char *comma = len > 0 ? ", " : "";

	names->count++;
	if (names->left > 0 ||
	    strlen(comma) + strlen(name) >= sizeof(names->text) - len)
		names->left++;
	else
		(void)snprintf(names->text + len, sizeof(names->text) - len,
		    "%s%s", comma, name);
}

void
command_names_hint(const struct command_names *names, struct report *report)
{
	if (names->left == names->count)
		return;
	if (names->left > 0)
		report_hint(report, "configured: %s and %zu more", names->text,
		    names->left);
	else
		report_hint(report, "configured: %s", names->text);
}

enum status
command_not_configured(const char *issuer, const struct command_names *names,
    struct report *report)
{
	report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
	    "--issuer %s: not configured", issuer);
	command_names_hint(names, report);
	return STATUS_USAGE;
}

bool
command_is_asked_for(struct command_issuers *issuers, const char *name)
{
	bool found = issuers->named->count == 0;

	command_names_add(&issuers->names, name);
	for (size_t i = 0; i < issuers->named->count; i++)
		if (strcmp(issuers->named->text[i], name) == 0)
			found = issuers->found[i] = true;
	return found;
}

enum status
command_issuers_missing(
    const struct command_issuers *issuers, struct report *report)
{
	enum status worst = STATUS_OK;

	for (size_t i = 0; !issuers->is_one_unread && i < issuers->named->count;
	     i++)
		if (!issuers->found[i])
			worst = command_not_configured(
			    issuers->named->text[i], &issuers->names, report);
	return worst;
}

enum status
command_passphrase_fd(const char *text, struct report *report, int *out)
{
	const char *why = NULL;
	uint64_t fd = 0;

	*out = -1;
	if (text == NULL)
		return STATUS_OK;
	if (quantity_count(text, 0, 1024, &fd, &why) != STATUS_OK)
		return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "--passphrase-fd: %s", why);
	/* Before any descriptor of our own could have its number. */
	if (fcntl((int)fd, F_GETFD) == -1)
		return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "--passphrase-fd %d: not open", (int)fd);
	*out = (int)fd;
	return STATUS_OK;
}

static enum status
take_passes(const struct option_texts *texts, struct report *report,
    struct gate_passes *passes)
{
	const char *why = NULL;

	for (size_t i = 0; i < texts->count; i++) {
		if (gate_passes_add(passes, texts->text[i], &why) == STATUS_OK)
			continue;
		return report_fault(report, STATUS_USAGE, "usage", NULL, NULL,
		    "--pass %s: %s", texts->text[i], why);
	}
	return STATUS_OK;
}

enum status
command_run_options(const struct command_call *call, const char *passphrase_fd,
    const struct option_texts *passes, struct run_options *run)
{
	enum status status = command_passphrase_fd(
	    passphrase_fd, call->report, &run->passphrase_fd);

	return status == STATUS_OK
		   ? take_passes(passes, call->report, &run->passes)
		   : status;
}

void
command_passes_unused(const struct option_texts *texts, struct report *report,
    const struct gate_passes *passes)
{
	for (size_t i = 0; i < passes->count; i++)
		if (!passes->pass[i].used)
			report_warn(report, "usage", NULL, NULL,
			    "--pass %s: this gate did not close",
			    texts->text[i]);
}

void
command_print_gates(FILE *stream)
{
	char name[64];

	fprintf(stream, "\nGates:\n");
	for (int i = 0; i < GATE_COUNT; i++) {
		enum gate gate = (enum gate)i;

		snprintf(name, sizeof(name), "%s%s%s", gate_name(gate),
		    gate_is_of_shard(gate) ? ":SHARD" : "",
		    gate_takes_all(gate) ? "|all" : "");
		fprintf(stream, "  %-26s%s\n", name, gate_summary(gate));
	}
}

void
command_tell_run(const struct command_call *call,
    const struct run_options *options, const struct run *run)
{
	bool well = options->quiet && !options->dry_run && !options->diff &&
		    report_count(call->report, SEVERITY_WARNING) == 0 &&
		    report_count(call->report, SEVERITY_FAULT) == 0;

	if (call->json != NULL)
		run_print_json(run, call->json);
	else if (!well)
		run_print(run, call->context->out);
}
