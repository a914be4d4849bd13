/* SPDX-License-Identifier: ISC */
/*
 * A PIN that a token refused is not tried again: tokens lock after a few, and
 * cron would see to that within a day. What is kept of it is when the file it
 * came from was last changed, never the PIN.
 */
#ifndef CRLPRESS_SIGNER_PIN_H
#define CRLPRESS_SIGNER_PIN_H

#include "crlpress/report.h"
#include "crlpress/signer.h"

/* STATUS_CONFIG, reported, when what would be tried was refused before. */
enum status signer_pin_check(
    const struct signer_config *config, struct report *report) MUST_CHECK;

/* Keeps that it was; a warning when that cannot be kept. */
void signer_pin_refused(
    const struct signer_config *config, struct report *report);

#endif
