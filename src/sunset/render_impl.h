/* SPDX-License-Identifier: ISC */
/* What is rendered, and the texts for each server. */
#ifndef CRLPRESS_RENDER_IMPL_H
#define CRLPRESS_RENDER_IMPL_H

#include <stdint.h>
#include <stdio.h>

#include "crlpress/option.h"

#include "answer_mode.h"

/* A request is a few hundred bytes; more than this is none (RULES: 413). */
#define RENDER_BODY_BYTES_MOST 10240

struct render {
	enum answer_mode mode;
	const struct option_texts *hosts; /* none: all */
	uint32_t port;
	int64_t max_age_sec; /* 0: no-cache */
	int64_t retry_after_sec;
	const char *directory; /* absolute, needs no quoting */
};

/* The name of the file with the bytes of a mode that has some. */
#define RENDER_BODY_NAME_BYTES 32
char *render_body_name(enum answer_mode mode, char out[RENDER_BODY_NAME_BYTES]);

/* The file of the answer to a health check. */
/* RFC 9110, 10.2.1: in the answers 405 and to OPTIONS. */
#define RENDER_ALLOW "GET, HEAD, POST, OPTIONS"

#define RENDER_HEALTH_NAME "health.txt"
#define RENDER_HEALTH_TEXT "ok\n"

/* 410, 404, 503, or 200 for what has bytes. */
unsigned render_http_status(enum answer_mode mode);

/* The value of Cache-Control. */
#define RENDER_CACHE_BYTES 48
char *render_cache_control(
    const struct render *render, char out[RENDER_CACHE_BYTES]);

void render_nginx(const struct render *render, FILE *out);
void render_apache(const struct render *render, FILE *out);
void render_haproxy(const struct render *render, FILE *out);
void render_varnish(const struct render *render, FILE *out);
void render_cdn(const struct render *render, FILE *out);

#endif
