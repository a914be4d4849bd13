/* SPDX-License-Identifier: ISC */
/*
 * One snapshot for several connections, of this process or of others:
 * PostgreSQL manual, 9.28.5 "Snapshot Synchronization Functions". The first
 * source exports its snapshot as a text, which others give when they open; it
 * can be taken over as long as the source that exported it is open.
 *
 * The text says more than the id that the server gave out, since another
 * server may know the same id: whoever takes it over compares the server, its
 * start, and what the snapshot sees. The values of struct source_snapshot are
 * those of the first.
 */
#ifndef CRLPRESS_SOURCE_SHARE_H
#define CRLPRESS_SOURCE_SHARE_H

#include <stdbool.h>

#include "crlpress/report.h"
#include "crlpress/source.h"
#include "crlpress/status.h"

/* Printable ASCII without quotes, with its NUL. */
#define SOURCE_SHARE_BYTES 256

struct source_share {
	char text[SOURCE_SHARE_BYTES];
};

/* Whether there is one to be shared; the server may have refused. */
bool source_is_shared(struct source *source);

/*
 * The snapshot of a source that was opened with source_config.share.
 * STATUS_FAILED, reported, where the server did not let it be exported (and a
 * note said so when the source was opened).
 */
enum status source_share_export(
    struct source *source, struct source_share *share) MUST_CHECK;

/*
 * Connects, and reads in that snapshot instead of one of its own.
 * STATUS_REFUSED, reported, when what answered is not where it was exported,
 * or its source is gone; STATUS_MALFORMED when the text is none of ours.
 */
enum status source_open_shared(const struct source_config *config,
    const struct source_share *share, struct report *report,
    struct source **source) MUST_CHECK;

#endif
