/* SPDX-License-Identifier: ISC */
/*
 * What goes between crlpress and its signer over a SOCK_SEQPACKET pair. Both
 * ends are the same program before and after a fork, so structs travel as
 * they are. Private to signer.c, signer_proc.c and their tests.
 *
 *   signer: NOTICE*, then READY with the AlgorithmIdentifier, or its end
 *   parent: a request with one descriptor, a memfd whose first octets are
 *           the TBSCertList; the same one comes with one request after another
 *   signer: SIGNED with the signature, or REFUSED with code and text
 *
 * The seals of the memfd settle how large it is, not what is in it. The signer
 * copies the octets before it looks at them, and checks and signs its copy.
 *
 * The signer ends when its end of the pair says so.
 */
#ifndef CRLPRESS_SIGNER_WIRE_H
#define CRLPRESS_SIGNER_WIRE_H

#include <stdint.h>
#include <sys/types.h>

#include "crlpress/signer.h"
#include "crlpress/signer_key.h"
#include "crlpress/uint160.h"

/* Tells a request from whatever else might come. */
#define SIGNER_REQUEST_MAGIC 0x43524c31U

/*
 * What a buffer must have, and nothing but a memfd can: it is memory, which
 * nobody waits for, and as large as it was when it was looked at.
 */
#define SIGNER_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

struct signer_request {
	uint32_t magic;
	struct uint160 floor;
	uint64_t size; /* of the TBSCertList; at most that of the memfd */
};

/* Why a request was refused; rule and clause of each: signer.c. */
enum signer_refusal_code {
	SIGNER_REFUSAL_REQUEST, /* not a request with one descriptor */
	SIGNER_REFUSAL_SEALS,
	SIGNER_REFUSAL_SIZE,
	SIGNER_REFUSAL_COPY, /* no memory: no fault of the request */
	SIGNER_REFUSAL_DER,
	SIGNER_REFUSAL_ISSUER,
	SIGNER_REFUSAL_ALGORITHM,
	SIGNER_REFUSAL_AKI,
	SIGNER_REFUSAL_IDP,
	SIGNER_REFUSAL_URL,
	SIGNER_REFUSAL_NUMBER,
	SIGNER_REFUSAL_NUMBER_LAST,
	SIGNER_REFUSAL_NUMBER_FLOOR,
	SIGNER_REFUSAL_TIMES,
	SIGNER_REFUSAL_FUTURE,
	SIGNER_REFUSAL_CRYPTO, /* libcrypto failed: no fault of the request */
	SIGNER_REFUSAL_COUNT
};

struct signer_refusal {
	enum signer_refusal_code code;
	char text[SIGNER_TEXT_BYTES];
};

enum signer_reply_kind {
	SIGNER_REPLY_NOTICE = 1,
	SIGNER_REPLY_READY,
	SIGNER_REPLY_SIGNED,
	SIGNER_REPLY_REFUSED
};

/* Zeroed whole before it is filled: it leaves a process with secrets. */
struct signer_reply {
	uint32_t kind;
	uint32_t code; /* of a notice or a refusal */
	uint64_t peak_kib;
	uint32_t len;    /* of octet */
	uint32_t status; /* of a notice that is a fault */
	uint8_t octet[SIGNER_SIGNATURE_BYTES_MOST]; /* READY, SIGNED */
	char text[SIGNER_TEXT_BYTES];               /* NOTICE, REFUSED */
};

/* Of the memory for a TBSCertList: the next one may be a little larger. */
static inline size_t
signer_room(size_t size)
{
	return size + size / 8;
}

/*
 * The signer's process, from just after the fork to its end. `socks` are its
 * ends of `count` pairs, 1 to SIGNER_SESSIONS_MOST, each for one signature at a
 * time; `parent` is the process id of the one it dies with.
 */
_Noreturn void signer_proc_run(const int *socks, unsigned count, pid_t parent,
    const struct signer_config *config);

#endif
