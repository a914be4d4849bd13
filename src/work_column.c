/* SPDX-License-Identifier: ISC */
/* Arrays as parameters of statements, one a column: "{1,2,3}". */
#include "work_column.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool
work_columns_open(struct work_column *columns, size_t count)
{
	memset(columns, 0, count * sizeof(*columns));
	for (size_t i = 0; i < count; i++) {
		columns[i].stream =
		    open_memstream(&columns[i].text, &columns[i].len);
		if (columns[i].stream == NULL)
			return false;
		fputc('{', columns[i].stream);
	}
	return true;
}

void
work_column_text(struct work_column *column, size_t row, const char *text)
{
	fprintf(column->stream, "%s%s", row == 0 ? "" : ",", text);
}

void
work_column_integer(struct work_column *column, size_t row, int64_t value)
{
	fprintf(column->stream, "%s%" PRId64, row == 0 ? "" : ",", value);
}

void
work_column_count(struct work_column *column, size_t row, uint64_t value)
{
	work_column_integer(column, row, (int64_t)value);
}

bool
work_columns_close(struct work_column *columns, size_t count)
{
	bool ok = true;

	for (size_t i = 0; i < count; i++) {
		fputc('}', columns[i].stream);
		ok = ferror(columns[i].stream) == 0 && ok;
		ok = fclose(columns[i].stream) == 0 && ok;
		columns[i].stream = NULL;
	}
	return ok;
}

void
work_columns_free(struct work_column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (columns[i].stream != NULL)
			(void)fclose(columns[i].stream);
		free(columns[i].text);
	}
}
