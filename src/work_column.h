/* SPDX-License-Identifier: ISC */
/* work_column.c: arrays as parameters of statements. */
#ifndef CRLPRESS_WORK_COLUMN_H
#define CRLPRESS_WORK_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct work_column {
	FILE *stream;
	char *text;
	size_t len;
};

/* False when memory ran out. work_columns_free in any case. */
bool work_columns_open(struct work_column *columns, size_t count);
/* `text` is a word, or "NULL". */
void work_column_text(struct work_column *column, size_t row, const char *text);
void work_column_integer(struct work_column *column, size_t row, int64_t value);
/* What has to fit a bigint. */
void work_column_count(struct work_column *column, size_t row, uint64_t value);
/* `text` is whole then; false when memory ran out. */
bool work_columns_close(struct work_column *columns, size_t count);
void work_columns_free(struct work_column *columns, size_t count);

#endif
