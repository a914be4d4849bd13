/* SPDX-License-Identifier: ISC */
/*
 * Configurations for databases that CAs have, to start from: files in a
 * directory, NAME.cnf with its statements, and beside them NAME.issuers.sql,
 * which tells the issuers of such a database (source_issuers.h), or not. What a
 * preset says of keys, names and places are examples.
 */
#ifndef CRLPRESS_PRESET_H
#define CRLPRESS_PRESET_H

#include <stdio.h>

#include "crlpress/config.h"
#include "crlpress/config_file.h"
#include "crlpress/report.h"
#include "crlpress/status.h"

struct preset {
	char *path;               /* of NAME.cnf */
	char *name;               /* NAME */
	struct config_file *file; /* as it was read */
	struct config *config;
	char *issuers_path; /* of NAME.issuers.sql, there or not */
	char *issuers_sql;  /* NULL: there is none */
};

/*
 * Reads a preset of the directory by its name; what has a slash in it, or ends
 * in .cnf, is the path of one elsewhere. Faults are reported: STATUS_USAGE when
 * there is none of this name. preset_free(NULL) is fine.
 */
enum status preset_load(const char *directory, const char *name,
    struct report *report, struct preset **preset) MUST_CHECK;
void preset_free(struct preset *preset);

/* One line a preset: its name, and what its first comment begins with. */
enum status preset_list(
    const char *directory, struct report *report, FILE *out) MUST_CHECK;

#endif
