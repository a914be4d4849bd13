/* SPDX-License-Identifier: ISC */
/*
 * The options that several commands have, so that each --help says them in the
 * same words: rows of struct option_row, `at` the offset of the value in the
 * command's struct.
 */
#ifndef CRLPRESS_COMMAND_OPTION_H
#define CRLPRESS_COMMAND_OPTION_H

#include "crlpress/option.h"

#define COMMAND_OPTION_CONFIG(at)                                   \
	{                                                           \
		"config", 'c', OPTION_TEXT, at, "PATH",             \
		    "a configuration file, or a directory of *.cnf" \
	}
#define COMMAND_OPTION_ISSUER(at)                         \
	{                                                 \
		"issuer", 'i', OPTION_TEXT, at, "NAME",   \
		    "the issuer, where there are several" \
	}
#define COMMAND_OPTION_ISSUERS(at)                                 \
	{                                                          \
		"issuer", 'i', OPTION_TEXTS, at, "NAME",           \
		    "only this issuer; may be given several times" \
	}
#define COMMAND_OPTION_PASS(at)                                         \
	{                                                               \
		"pass", 0, OPTION_TEXTS, at, "GATE[:SHARD]",            \
		    "let one gate pass, once; recorded in the manifest" \
	}
#define COMMAND_OPTION_JOBS(at)                                           \
	{                                                                 \
		"jobs", 'j', OPTION_COUNT, at, "N",                       \
		    "threads that make shards (default: one a processor)" \
	}
#define COMMAND_OPTION_WAIT(at)                                             \
	{                                                                   \
		"wait-public", 0, OPTION_DURATION_MAYBE, at, "[=DURATION]", \
		    "wait until the public URLs serve it (default: 10m)"    \
	}
#define COMMAND_OPTION_NOW(at)                                      \
	{                                                           \
		"now", 0, OPTION_TIME, at, "TIME",                  \
		    "the time of this run, as 2026-12-01T06:00:00Z" \
	}
#define COMMAND_OPTION_PASSPHRASE_FD(at)                             \
	{                                                            \
		"passphrase-fd", 0, OPTION_TEXT, at, "N",            \
		    "read the key's passphrase from this descriptor" \
	}
#define COMMAND_OPTION_JSON(at)                                              \
	{                                                                    \
		"json", 0, OPTION_FLAG, at, NULL, "report on stdout as JSON" \
	}
#define COMMAND_OPTION_QUIET(at)                     \
	{                                            \
		"quiet", 'q', OPTION_FLAG, at, NULL, \
		    "print nothing when all is well" \
	}

#endif
