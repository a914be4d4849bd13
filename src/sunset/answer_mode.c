/* SPDX-License-Identifier: ISC */
/* The table of answer modes. */
#include "answer_mode.h"

#include <string.h>

struct answer_mode_row {
	const char *name;
	bool configurable;
	uint8_t der[ANSWER_DER_BYTES]; /* all 0: none */
};

/*
 * RFC 6960, 4.2.1: OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED },
 * without responseBytes where the status is an error.
 */
#define OCSP_ERROR(code)                       \
	{                                      \
		0x30, 0x03, 0x0a, 0x01, (code) \
	}

static const struct answer_mode_row rows[ANSWER_MODES] = {
    [ANSWER_UNAUTHORIZED] = {"unauthorized", true, OCSP_ERROR(6)},
    [ANSWER_TRYLATER] = {"trylater", true, OCSP_ERROR(3)},
    [ANSWER_INTERNAL] = {"internalerror", true, OCSP_ERROR(2)},
    [ANSWER_GONE] = {"410", true, {0}},
    [ANSWER_NOT_FOUND] = {"404", true, {0}},
    [ANSWER_UNAVAILABLE] = {"503", true, {0}},
    [ANSWER_CLOSE] = {"close", true, {0}},
    [ANSWER_MALFORMED] = {"malformed", false, {0}},
    [ANSWER_HEALTH] = {"health", false, {0}},
};

static const struct answer_mode_row *
answer_mode_row(enum answer_mode mode)
{
	if ((unsigned)mode >= ANSWER_MODES)
		return &rows[ANSWER_MALFORMED];
	return &rows[mode];
}

const char *
answer_mode_name(enum answer_mode mode)
{
	return answer_mode_row(mode)->name;
}

enum status
answer_mode_from_name(const char *name, size_t len, enum answer_mode *mode)
{
	for (unsigned i = 0; i < ANSWER_MODES; i++) {
		if (strlen(rows[i].name) == len &&
		    memcmp(rows[i].name, name, len) == 0) {
			*mode = (enum answer_mode)i;
			return STATUS_OK;
		}
	}
	return STATUS_NOT_FOUND;
}

bool
answer_mode_configurable(enum answer_mode mode)
{
	return answer_mode_row(mode)->configurable;
}

const uint8_t *
answer_mode_der(enum answer_mode mode)
{
	const struct answer_mode_row *row = answer_mode_row(mode);

	return row->der[0] != 0 ? row->der : NULL;
}
