/* SPDX-License-Identifier: ISC */
/*
 * Which answer a request gets: by the host it names, the issuer it asks about
 * and the time. One for each thread, of fixed size; nothing is allocated
 * after choice_init.
 */
#ifndef CRLPRESS_CHOICE_H
#define CRLPRESS_CHOICE_H

#include <stddef.h>
#include <stdint.h>

#include "counts.h"
#include "ocsp_request.h"
#include "schedule.h"
#include "sunset_config.h"

#define CHOICE_RULES (1 + COUNT_HOSTS_MOST + COUNT_ISSUERS_MOST)

struct choice {
	const struct sunset_config *config;
	int64_t now_sec; /* of `now` */
	/* The server's rule, the hosts', the issuers'. */
	struct schedule_now now[CHOICE_RULES];
	uint32_t sum[CHOICE_RULES];
};

/* `config` stays the caller's, and must live on. */
void choice_init(struct choice *choice, const struct sunset_config *config);

/*
 * The mode for a request, and key->host, key->issuer, key->mode filled in.
 * `host` is as the client spelt it, without port.
 */
enum answer_mode choice_make(struct choice *choice, int64_t now_sec,
    const char *host, size_t host_len, const struct ocsp_request *ocsp,
    struct count_key *key);

/* The index of a host, or config->hosts: "other". */
uint16_t choice_host(
    const struct sunset_config *config, const char *host, size_t len);

#endif
