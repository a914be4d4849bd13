/* SPDX-License-Identifier: ISC */
/* The chart. Coordinates are those of its viewBox. */
#include "chart.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 960
#define HEIGHT 320
#define LEFT 64
#define RIGHT 944
#define TOP 16
#define BOTTOM 276

/* Labels of days: as many as do not overlap. */
#define TICKS_MOST 10

/* So many days have a text of their own to point at; more would make the
 * page heavy, and each too thin to be met. */
#define POINTED_MOST 800

/* At least up to here: one request a day is not a mountain. */
#define SCALE_LEAST 10

#define FRACTION_BITS 16

struct chart {
	const struct sunset_findings *findings;
	FILE *out;
	size_t first;
	size_t days; /* with today, at least 2 */
	double scale_log2;
};

/* The binary logarithm of a value above 0, by squaring. No libm: this program
 * has the C library alone. */
static double
log2_of(uint64_t value)
{
	unsigned whole = 63 - (unsigned)__builtin_clzll(value);
	/* 1.0 to below 2.0, with 31 bits behind the point. */
	uint64_t mantissa =
	    whole > 31 ? value >> (whole - 31) : value << (31 - whole);
	double log = whole, part = 0.5;

	for (int i = 0; i < FRACTION_BITS; i++, part /= 2) {
		mantissa = mantissa * mantissa >> 31;
		if (mantissa >= UINT64_C(1) << 32) {
			mantissa >>= 1;
			log += part;
		}
	}
	return log;
}

static double
scale_x(const struct chart *chart, size_t day)
{
	return LEFT + (double)(day - chart->first) * (RIGHT - LEFT) /
			  (double)(chart->days - 1);
}

/* 0 stands on the axis: it is the logarithm of one more that is drawn. */
static double
scale_y(const struct chart *chart, uint64_t count)
{
	uint64_t more = count < UINT64_MAX ? count + 1 : count;

	return BOTTOM - log2_of(more) / chart->scale_log2 * (BOTTOM - TOP);
}

/* Whether anything is known of the day. */
static bool
day_is_drawn(const struct chart *chart, size_t day)
{
	const struct trend *trend = chart->findings->trend;

	return trend->requests[day] > 0 || trend->up_sec[day] > 0 ||
	       chart->findings->rule->assume_complete;
}

static struct chart
chart_measure(const struct sunset_findings *findings, FILE *out)
{
	const struct trend *trend = findings->trend;
	uint64_t most = SCALE_LEAST;
	struct chart chart = {.findings = findings,
	    .out = out,
	    .first = sunset_first_day(findings)};

	/* Two points make a line. */
	if (chart.first == trend->today)
		chart.first--;
	chart.days = trend->today - chart.first + 1;
	for (size_t day = chart.first; day <= trend->today; day++)
		if (trend->requests[day] > most)
			most = trend->requests[day];
	if (findings->rule->below > most)
		most = findings->rule->below;
	chart.scale_log2 = log2_of(most < UINT64_MAX ? most + 1 : most);
	return chart;
}

/* "1", "10", "100", "1k", "10k", "1M" */
static void
print_power(FILE *out, unsigned power)
{
	static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};
	static const char *const digits[] = {"1", "10", "100"};

	fprintf(out, "%s%s", digits[power % 3], units[power / 3]);
}

static void
draw_grid(const struct chart *chart)
{
	uint64_t count = 1;

	fputs("<g class=\"grid\">\n", chart->out);
	for (unsigned power = 0; power < 20; power++, count *= 10) {
		double y = scale_y(chart, count);

		if (y < TOP - 1)
			break;
		fprintf(chart->out,
		    "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
		    "<text x=\"%d\" y=\"%.1f\" class=\"y\">",
		    LEFT, RIGHT, y, y, LEFT - 8, y + 4);
		print_power(chart->out, power);
		fputs("</text>\n", chart->out);
		if (power == 19)
			break; /* 10^20 is no uint64_t */
	}
	fputs("</g>\n", chart->out);
}

/* Days without a word, as one grey field for each row of them. */
static void
draw_gaps(const struct chart *chart)
{
	size_t today = chart->findings->trend->today;
	double half = (double)(RIGHT - LEFT) / (double)(chart->days - 1) / 2;

	for (size_t day = chart->first; day < today; day++) {
		size_t from = day;
		double x;

		while (day < today && !day_is_drawn(chart, day))
			day++;
		if (day == from)
			continue;
		x = scale_x(chart, from) - half;
		if (x < LEFT)
			x = LEFT;
		fprintf(chart->out,
		    "<rect class=\"gap\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
		    "height=\"%d\"><title>not counted</title></rect>\n",
		    x, TOP, scale_x(chart, day) - half - x, BOTTOM - TOP);
	}
}

static void
draw_tick(const struct chart *chart, size_t day, const char *text, int len)
{
	double x = scale_x(chart, day);

	fprintf(chart->out,
	    "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
	    "<text x=\"%.1f\" y=\"%d\" class=\"x\">%.*s</text>\n",
	    x, x, BOTTOM, BOTTOM + 5, x, BOTTOM + 20, len, text);
}

/* Days where there are few, else the first of some months. */
static void
draw_ticks(const struct chart *chart)
{
	static const unsigned steps[] = {1, 2, 3, 6, 12, 24, 36};
	size_t each_days = (chart->days + TICKS_MOST - 1) / TICKS_MOST;
	size_t step = 0;

	while (step + 1 < sizeof(steps) / sizeof(steps[0]) &&
	       chart->days / 30 / steps[step] > TICKS_MOST)
		step++;
	fputs("<g class=\"axis\">\n", chart->out);
	fprintf(chart->out, "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n",
	    LEFT, RIGHT, BOTTOM, BOTTOM);
	for (size_t day = chart->first; day <= chart->findings->trend->today;
	     day++) {
		char text[TREND_DAY_BYTES];
		unsigned long months;

		trend_day_text(chart->findings->trend, day, text);
		months = strtoul(text, NULL, 10) * 12 +
			 strtoul(text + 5, NULL, 10) - 1;
		if (chart->days <= 62 && (day - chart->first) % each_days == 0)
			draw_tick(chart, day, text, TREND_DAY_BYTES);
		else if (chart->days > 62 && strcmp(text + 8, "01") == 0 &&
			 months % steps[step] == 0)
			draw_tick(chart, day, text, 7);
	}
	fputs("</g>\n", chart->out);
}

/* A line through the days that are known; one alone is a dot. */
static void
draw_line(const struct chart *chart, const uint64_t *counts, const char *class)
{
	bool pen = false;

	fprintf(chart->out, "<path class=\"%s\" d=\"", class);
	for (size_t day = chart->first; day <= chart->findings->trend->today;
	     day++) {
		if (!day_is_drawn(chart, day)) {
			pen = false;
			continue;
		}
		fprintf(chart->out, "%c%.1f %.1f%s", pen ? 'L' : 'M',
		    scale_x(chart, day), scale_y(chart, counts[day]),
		    pen ? "" : "h0");
		pen = true;
	}
	fputs("\"/>\n", chart->out);
}

static void
draw_threshold(const struct chart *chart)
{
	uint64_t below = chart->findings->rule->below;
	double y = scale_y(chart, below);

	fprintf(chart->out,
	    "<line class=\"threshold\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
	    "y2=\"%.1f\"/>\n<text class=\"threshold\" x=\"%d\" y=\"%.1f\">"
	    "retire below %" PRIu64 " a day</text>\n",
	    LEFT, RIGHT, y, y, RIGHT, y - 5, below);
}

/* What a day says when it is pointed at. */
static void
draw_points(const struct chart *chart)
{
	const struct trend *trend = chart->findings->trend;
	double step = (double)(RIGHT - LEFT) / (double)(chart->days - 1);
	char text[TREND_DAY_BYTES];

	if (chart->days > POINTED_MOST)
		return;
	fputs("<g class=\"point\">\n", chart->out);
	for (size_t day = chart->first; day <= trend->today; day++) {
		if (!day_is_drawn(chart, day))
			continue;
		fprintf(chart->out,
		    "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\">"
		    "<title>%s: %" PRIu64 " requests, %" PRIu64
		    " of them OCSP</title></rect>\n",
		    scale_x(chart, day) - step / 2, TOP, step, BOTTOM - TOP,
		    trend_day_text(trend, day, text), trend->requests[day],
		    trend->ocsp[day]);
	}
	fputs("</g>\n", chart->out);
}

void
chart_svg(const struct sunset_findings *findings, FILE *out)
{
	struct chart chart = chart_measure(findings, out);
	const struct trend *trend = findings->trend;
	char from[TREND_DAY_BYTES], to[TREND_DAY_BYTES];

	fprintf(out,
	    "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\""
	    "Requests a day from %s to %s, on a logarithmic scale\">\n",
	    WIDTH, HEIGHT, trend_day_text(trend, chart.first, from),
	    trend_day_text(trend, trend->today, to));
	draw_gaps(&chart);
	draw_grid(&chart);
	draw_ticks(&chart);
	draw_line(&chart, trend->ocsp, "line ocsp");
	draw_line(&chart, trend->requests, "line requests");
	draw_threshold(&chart);
	draw_points(&chart);
	fputs("</svg>\n", out);
}
