/* SPDX-License-Identifier: ISC */
/*
 * What the signer demands of a TBSCertList before it signs. Pure: what it
 * knows is what it was started with and what it let pass before. Private to
 * the signer's process.
 */
#ifndef CRLPRESS_SIGNER_CHECK_H
#define CRLPRESS_SIGNER_CHECK_H

#include "signer_wire.h"

struct signer_check;

/*
 * Checks for CRLs of the issuer that `facts` describes; both arguments are
 * borrowed until the end. STATUS_CONFIG with static `*why` when the
 * pattern or the range of shards makes no sense, STATUS_NO_MEMORY.
 */
enum status signer_check_new(const struct signer_config *config,
    const struct signer_key_facts *facts, struct signer_check **check,
    const char **why) MUST_CHECK;
void signer_check_free(struct signer_check *check);

/*
 * STATUS_OK when the bytes may be signed at `now_sec`; their number is used up
 * then, whatever becomes of them. STATUS_REFUSED with `*refusal` otherwise.
 * Threads may call it.
 */
enum status signer_check_tbs(struct signer_check *check, const uint8_t *data,
    size_t len, const struct uint160 *floor, int64_t now_sec,
    struct signer_refusal *refusal) MUST_CHECK;

#endif
