/* SPDX-License-Identifier: ISC */
/*
 * Seconds to dates and back in the proleptic Gregorian calendar, and the one
 * ISO 8601 form the program reads and writes. Days are counted in years that
 * begin in March, so that the leap day is the last of its year.
 */
#include "crlpress/utc.h"

#include <stdbool.h>
#include <string.h>

#define DAY_SEC 86400

#define ERA_YEARS 400
#define ERA_DAYS 146097

/* From 0000-03-01, the first day of era 0, to 1970-01-01. */
#define EPOCH_DAYS 719468

#define YEAR_MIN 1950
#define YEAR_MAX 9999

/* Days since 1970-01-01; the date is a real one of YEAR_MIN and later. */
static int64_t
days_from_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / ERA_YEARS;
	int64_t year_of_era = y % ERA_YEARS;
	int64_t month_from_march = (month + 9) % 12;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 -
			     year_of_era / 100 + day_of_year;

	return era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

/* Fills in year, month and day. */
static void
date_from_days(int64_t days, struct utc_civil *civil)
{
	int64_t z = days + EPOCH_DAYS;
	int64_t era = z / ERA_DAYS;
	int64_t day_of_era = z % ERA_DAYS;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 +
				  day_of_era / 36524 - day_of_era / 146096) /
			      365;
	int64_t day_of_year =
	    day_of_era -
	    (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;

	civil->day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
	civil->month = (int)((month_from_march + 2) % 12 + 1);
	civil->year = (int)(era * ERA_YEARS + year_of_era);
	if (civil->month <= 2)
		civil->year++;
}

static int
days_of_month(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Reads `width` digits; false when there is anything else. */
static bool
digits_read(const char *text, int width, int *value)
{
	int v = 0;

	for (int i = 0; i < width; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (text[i] - '0');
	}
	*value = v;
	return true;
}

static void
digits_write(char *text, int width, int value)
{
	for (int i = width - 1; i >= 0; i--) {
		text[i] = (char)('0' + value % 10);
		value /= 10;
	}
}

/* Where the fields stand in "YYYY-MM-DDThh:mm:ssZ". */
static const char iso_form[UTC_ISO_BYTES] = "0000-00-00T00:00:00Z";

enum {
	ISO_YEAR = 0,
	ISO_MONTH = 5,
	ISO_DAY = 8,
	ISO_HOUR = 11,
	ISO_MINUTE = 14,
	ISO_SECOND = 17
};

struct utc_civil
utc_to_civil(int64_t sec)
{
	int64_t days = sec / DAY_SEC;
	int rest = (int)(sec % DAY_SEC);
	struct utc_civil civil = {0};

	if (rest < 0) {
		rest += DAY_SEC;
		days--;
	}
	date_from_days(days, &civil);
	civil.hour = rest / 3600;
	civil.minute = rest / 60 % 60;
	civil.second = rest % 60;
	return civil;
}

enum status
utc_from_civil(const struct utc_civil *civil, int64_t *sec)
{
	if (civil->year < YEAR_MIN || civil->year > YEAR_MAX ||
	    civil->month < 1 || civil->month > 12 || civil->day < 1 ||
	    civil->day > days_of_month(civil->year, civil->month) ||
	    civil->hour < 0 || civil->hour > 23 || civil->minute < 0 ||
	    civil->minute > 59 || civil->second < 0 || civil->second > 59)
		return STATUS_MALFORMED;
	*sec = days_from_date(civil->year, civil->month, civil->day) * DAY_SEC +
	       civil->hour * 3600 + civil->minute * 60 + civil->second;
	return STATUS_OK;
}

enum status
utc_from_iso(const char *text, int64_t *sec)
{
	struct utc_civil civil = {0};

	if (strnlen(text, UTC_ISO_BYTES) != UTC_ISO_BYTES - 1)
		return STATUS_MALFORMED;
	for (size_t i = 0; i < UTC_ISO_BYTES - 1; i++)
		if (iso_form[i] != '0' && text[i] != iso_form[i])
			return STATUS_MALFORMED;
	if (!digits_read(text + ISO_YEAR, 4, &civil.year) ||
	    !digits_read(text + ISO_MONTH, 2, &civil.month) ||
	    !digits_read(text + ISO_DAY, 2, &civil.day) ||
	    !digits_read(text + ISO_HOUR, 2, &civil.hour) ||
	    !digits_read(text + ISO_MINUTE, 2, &civil.minute) ||
	    !digits_read(text + ISO_SECOND, 2, &civil.second))
		return STATUS_MALFORMED;
	return utc_from_civil(&civil, sec);
}

char *
utc_to_iso(int64_t sec, char out[UTC_ISO_BYTES])
{
	struct utc_civil civil;

	if (sec < UTC_MIN_SEC || sec > UTC_MAX_SEC) {
		memcpy(out, "(no date)", sizeof("(no date)"));
		return out;
	}
	civil = utc_to_civil(sec);
	memcpy(out, iso_form, UTC_ISO_BYTES);
	digits_write(out + ISO_YEAR, 4, civil.year);
	digits_write(out + ISO_MONTH, 2, civil.month);
	digits_write(out + ISO_DAY, 2, civil.day);
	digits_write(out + ISO_HOUR, 2, civil.hour);
	digits_write(out + ISO_MINUTE, 2, civil.minute);
	digits_write(out + ISO_SECOND, 2, civil.second);
	return out;
}
