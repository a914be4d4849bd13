/* SPDX-License-Identifier: ISC */
/*
 * What goes between crlpress and its signer over a SOCK_SEQPACKET pair. Both
 * ends are the same program before and after a fork, so structs travel as
 * they are. Private to signer.c, signer_proc.c and their tests.
 *
 *   signer: NOTICE*, then READY with the AlgorithmIdentifier, or its end
 *   parent: a request with one descriptor, the sealed memfd
 *   signer: SIGNED with the signature, or REFUSED with code and text
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

/* The seals without which a buffer could change while it is read. */
#define SIGNER_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

struct signer_request {
	uint32_t magic;
	struct uint160 floor;
	uint64_t size; /* of the TBSCertList */
};

/* Why a request was refused; rule and clause of each: signer.c. */
enum signer_refusal_code {
	SIGNER_REFUSAL_REQUEST, /* not a request with one descriptor */
	SIGNER_REFUSAL_SEALS,
	SIGNER_REFUSAL_SIZE,
	SIGNER_REFUSAL_MAP,
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

/*
 * Seals a buffer and maps it again to be read; nothing to do when it is
 * sealed already. On failure `data` may be NULL.
 */
enum status signer_buffer_seal(struct signer_buffer *buffer, const char *object,
    struct report *report) MUST_CHECK;

/*
 * The signer's process, from just after the fork to its end. `socks` are its
 * ends of `count` pairs, 1 to SIGNER_SESSIONS_MOST, each for one signature at a
 * time; `parent` is the process id of the one it dies with.
 */
_Noreturn void signer_proc_run(const int *socks, unsigned count, pid_t parent,
    const struct signer_config *config);

#endif
