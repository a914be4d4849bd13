/* SPDX-License-Identifier: ISC */
/*
 * What configurations that are used together may not share: a name, and with
 * it a lock, numbers and a manifest; an object of a store; a URL, which stands
 * in the certificates of one of them. Of two that do nobody knows which is
 * meant, so that neither is used.
 */
#ifndef CRLPRESS_CONFIG_PEER_H
#define CRLPRESS_CONFIG_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "crlpress/config.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

/* A configuration among others. */
struct config_peer {
	struct config *config; /* NULL: could not be read */
	bool idle;             /* not to be used now */
	bool refused;          /* shares something with another */
};

/*
 * Sets `refused` of all that share something with one that is not idle, each
 * told with both files. STATUS_CONFIG when there are any.
 */
enum status config_peers_check(
    struct config_peer *peers, size_t count, struct report *report) MUST_CHECK;

/*
 * The same for those that would write one expiry file, each in place of what
 * the other found. STATUS_NO_MEMORY: not known, and `refused` is not set.
 */
enum status config_peers_check_expiry(
    struct config_peer *peers, size_t count, struct report *report) MUST_CHECK;

/*
 * Reads the files of a list, which the caller frees with config_peers_free.
 * The worst that reading one came to; STATUS_NO_MEMORY with no list.
 */
enum status config_peers_load(char **paths, size_t count, struct report *report,
    struct config_peer **peers) MUST_CHECK;
void config_peers_free(struct config_peer *peers, size_t count);

#endif
