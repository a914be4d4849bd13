/* SPDX-License-Identifier: ISC */
/* What every source does, whatever its rows come from. */
#include "crlpress/source.h"

#include "source_impl.h"

enum status
source_open(const struct source_config *config, struct report *report,
    struct source **source)
{
	return config->kind == SOURCE_DATABASE
		   ? source_table_open(config, report, source)
		   : source_file_open(config, report, source);
}

void
source_report_to(struct source *source, struct report *report)
{
	source->ops->report_to(source, report);
}

enum status
source_renew(struct source *source, bool share)
{
	source->config.share = share;
	return source->ops->renew(source);
}

const struct source_config *
source_config(const struct source *source)
{
	return &source->config;
}

const struct source_snapshot *
source_snapshot(const struct source *source)
{
	return &source->snapshot;
}

enum status
source_start(struct source *source, int64_t lookback_sec)
{
	const struct source_statement statement = {.sql = source->config.sql,
	    .name = source->config.sql_name,
	    .has_parts = true};

	return source_start_statement(source, &statement, lookback_sec);
}

enum status
source_start_statement(struct source *source,
    const struct source_statement *statement, int64_t lookback_sec)
{
	return source->ops->start(source, statement, lookback_sec);
}

bool
source_tells_recorded(const struct source *source)
{
	return source->ops->tells_recorded(source);
}

enum status
source_read(
    struct source *source, struct source_row *rows, size_t room, size_t *count)
{
	*count = 0;
	return source->ops->read(source, rows, room, count);
}

void
source_cancel(struct source *source)
{
	source->ops->cancel(source);
}

void
source_close(struct source *source)
{
	if (source != NULL)
		source->ops->close(source);
}
