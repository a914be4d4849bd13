/* SPDX-License-Identifier: ISC */
/*
 * For the tests of the signer that want one issuer, made once for all of them:
 * a key is dear, and which one it is makes no difference to these.
 */
#ifndef CRLPRESS_SIGNER_GROUP_H
#define CRLPRESS_SIGNER_GROUP_H

#include "signer_ca.h"

static struct ca p256;

static int
group_setup(void **state)
{
	(void)state;
	ca_make(&p256, key_ec("P-256"));
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	ca_free(&p256);
	return 0;
}

#endif
