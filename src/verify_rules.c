/* SPDX-License-Identifier: ISC */
/*
 * The rules that are not of one CRL by itself: for the list of them, in the
 * form that lint.h has for its own. Each is judged in a file of verify.
 */
#include "verify_impl.h"

/* Whatever the profile, a set that is not whole is not whole. */
#define ALWAYS                                                             \
	{                                                                  \
		LINT_FAULT, LINT_FAULT, LINT_FAULT, LINT_FAULT, LINT_FAULT \
	}

/* clang-format off */
static const struct lint_rule_facts rules[] = {
    {"file", "house rule",
	"what is given or found is a file that can be read", ALWAYS},
    /* Of the set. */
    {"set-complete", "CCADB 6.2, BR 4.9.7",
	"every configured shard is there once, none that was published is gone",
	ALWAYS},
    {"set-disjoint", "house rule",
	"no serial of an issuer stands in two shards", ALWAYS},
    {"set-manifest", "house rule, RFC 5280 5.2.3",
	"URL, number, size, hash, times, counts and issuer are the manifest's",
	ALWAYS},
    {"set-cover", "BR 4.9.7",
	"--rows: every row is listed in its shard, and nothing else is",
	ALWAYS},
    {"duplicate", "house rule",
	"--rows: rows of one serial say the same", ALWAYS},
    {"ccadb", "CCADB 6.2",
	"--ccadb: the URLs are those of the CRLs, byte for byte, each once",
	ALWAYS},
    /* Against the set before. */
    {"previous-readable", "house rule",
	"--previous: what was published can be read and is a CRL", ALWAYS},
    {"number-up", "RFC 5280 5.2.3",
	"--previous: the CRL number rises", ALWAYS},
    {"time-up", "RFC 5280 5.1.2.4",
	"--previous: thisUpdate is later", ALWAYS},
    {"next-update-up", "RFC 5280 5.1.2.5",
	"--previous: nextUpdate is not earlier", ALWAYS},
    {"same-scope", "house rule",
	"--previous: the same issuer, with its signature, and URL", ALWAYS},
    {"no-early-removal", "RFC 5280 3.3",
	"--previous: entries leave past their expiry (a warning without "
	"--rows), no more than its manifest foresaw", ALWAYS},
    {"change", "BR 7.2.2",
	"--previous: a listed entry changes only to keyCompromise", ALWAYS},
};
/* clang-format on */

size_t
verify_rule_count(void)
{
	return sizeof(rules) / sizeof(rules[0]);
}

struct lint_rule_facts
verify_rule(size_t i)
{
	return rules[i];
}
