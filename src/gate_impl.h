/* SPDX-License-Identifier: ISC */
/* What the merge (gate_merge.c) knows of the reading of published entries. */
#ifndef CRLPRESS_GATE_IMPL_H
#define CRLPRESS_GATE_IMPL_H

#include "crlpress/gate.h"

/*
 * What is published, in order of serial. Zero-initialise but for `crl` and
 * `as_it_comes`: to be read once, for what most CRLs are: entries in order,
 * and nothing to say of one. Where it is not that, `is_odd` is set and nothing
 * is said; what was read is then to be forgotten, and read the long way.
 */
struct gate_listed {
	const struct crl *crl;
	bool as_it_comes;
	bool is_odd;
	size_t position;
	size_t read;        /* entries of the CRL */
	struct row *sorted; /* NULL: read from the CRL as it comes */
	size_t sorted_count;
	size_t sorted_next;
	struct row entry; /* the present one; not_after means nothing */
	bool has_entry;
	bool is_partial; /* let pass: nobody knows what else it lists */
};

/*
 * Begins with the first entry. What cannot be read closes GATE_PREVIOUS, here
 * or later; let pass, it is left out. STATUS_NO_MEMORY is reported.
 */
enum status gate_listed_open(
    struct gate_listed *listed, const struct gate_place *place) MUST_CHECK;

/* Goes to the next entry, if there is one; one that stands twice counts once.
 */
enum status gate_listed_next(
    struct gate_listed *listed, const struct gate_place *place) MUST_CHECK;

void gate_listed_free(struct gate_listed *listed);

#endif
