/* SPDX-License-Identifier: ISC */
/*
 * The report as one page: no script, nothing from elsewhere, which a policy
 * in its head holds browsers to, too. It is readable in light and in dark.
 */
#include <inttypes.h>

#include "crlpress/utc.h"

#include "chart.h"
#include "sunset_report_impl.h"

static const char page_head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" "
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<title>OCSP requests</title>\n"
    "<style>\n"
    ":root { color-scheme: light dark; --page: #fcfcfb; --ink: #1c1b19;\n"
    "  --soft: #5e5c57; --rule: #dddbd5; --gap: #efede8;\n"
    "  --requests: #2a6fc9; --ocsp: #b0620a; --limit: #b3261e;\n"
    "  --good: #1b6e3c; --bar: #c9dcf4; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  :root { --page: #191918; --ink: #edece8; --soft: #aaa7a0;\n"
    "    --rule: #3a3936; --gap: #262524; --requests: #74aef5;\n"
    "    --ocsp: #e6a04f; --limit: #ff8a80; --good: #7fd1a0;\n"
    "    --bar: #2c4566; } }\n"
    "body { background: var(--page); color: var(--ink);\n"
    "  font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto;\n"
    "  max-width: 62rem; padding: 0 1rem; }\n"
    "h1 { font-size: 1.4rem; margin: 0; }\n"
    "h2 { font-size: 1.05rem; margin: 2rem 0 .4rem; }\n"
    "p { margin: .4rem 0; }\n"
    ".soft { color: var(--soft); }\n"
    ".verdict { border-left: .3rem solid var(--limit);\n"
    "  padding: .4rem .8rem; margin: 1rem 0; font-weight: 600; }\n"
    ".verdict.may { border-color: var(--good); }\n"
    "svg { width: 100%; height: auto; display: block; }\n"
    "svg text { fill: var(--soft); font-size: 12px; }\n"
    "svg .y { text-anchor: end; }\n"
    "svg .x { text-anchor: middle; }\n"
    "svg .grid line { stroke: var(--rule); }\n"
    "svg .axis line { stroke: var(--soft); }\n"
    "svg .gap { fill: var(--gap); }\n"
    "svg .line { fill: none; stroke-width: 2; stroke-linecap: round;\n"
    "  stroke-linejoin: round; }\n"
    "svg .requests { stroke: var(--requests); }\n"
    "svg .ocsp { stroke: var(--ocsp); stroke-dasharray: 5 4; }\n"
    "svg line.threshold { stroke: var(--limit); stroke-dasharray: 2 4; }\n"
    "svg text.threshold { fill: var(--limit); text-anchor: end; }\n"
    "svg .point rect { fill: transparent; }\n"
    "svg .point rect:hover { fill: var(--soft); fill-opacity: .15; }\n"
    ".key { display: inline-block; width: 1.6rem; margin: 0 .3rem .25rem\n"
    "  1rem; border-top: 2px solid var(--requests); }\n"
    ".key.ocsp { border-top: 2px dashed var(--ocsp); }\n"
    ".key.gap { border: 0; height: .7rem; background: var(--gap);\n"
    "  vertical-align: middle; }\n"
    ".wide { overflow-x: auto; }\n"
    "table { border-collapse: collapse; width: 100%;\n"
    "  font-variant-numeric: tabular-nums; }\n"
    "th, td { text-align: right; padding: .2rem .6rem;\n"
    "  border-bottom: 1px solid var(--rule); white-space: nowrap; }\n"
    "th { color: var(--soft); font-weight: 500; }\n"
    "th:first-child, td:first-child { text-align: left; width: 40%; }\n"
    ".bar { background: var(--bar); height: .5rem; min-width: 1px; }\n"
    "</style>\n"
    "</head>\n"
    "<body>\n";

/* What a page may not hold as it is. */
static void
put_escaped(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void
put_summary(const struct sunset_findings *findings, FILE *out)
{
	const struct trend *trend = findings->trend;
	size_t first = sunset_first_day(findings);
	char from[TREND_DAY_BYTES], to[TREND_DAY_BYTES];
	char text[VERDICT_TEXT_BYTES];
	char made[UTC_ISO_BYTES];

	fprintf(out,
	    "<h1>OCSP requests</h1>\n<p class=\"soft\">%s to %s, made %s"
	    "</p>\n<p class=\"verdict%s\">",
	    trend_day_text(trend, first, from),
	    trend_day_text(trend, trend->today, to),
	    utc_to_iso(findings->now_sec, made),
	    findings->verdict->may_retire ? " may" : "");
	put_escaped(
	    out, verdict_text(trend, findings->rule, findings->verdict, text));
	fprintf(out,
	    "</p>\n<p>%" PRIu64 " requests, %" PRIu64
	    " of them with an OCSP request that could be read. Beside them "
	    "%" PRIu64 " malformed ones and %" PRIu64 " health checks.</p>\n",
	    trend_sum(trend->requests, first, TREND_DAYS),
	    trend_sum(trend->ocsp, first, TREND_DAYS),
	    trend_sum(trend->malformed, first, TREND_DAYS),
	    trend_sum(trend->health, first, TREND_DAYS));
}

static void
put_chart(const struct sunset_findings *findings, FILE *out)
{
	fputs("<h2>Requests a day</h2>\n", out);
	chart_svg(findings, out);
	fputs("<p class=\"soft\"><span class=\"key\"></span>all"
	      "<span class=\"key ocsp\"></span>with an OCSP request"
	      "<span class=\"key gap\"></span>not counted</p>\n",
	    out);
}

static void
put_series(const struct sunset_findings *findings,
    const struct trend_series *series, uint64_t all, FILE *out)
{
	struct sunset_sums sums = sunset_sums_of(findings, series->day);
	char share[SUNSET_SHARE_BYTES], change[SUNSET_CHANGE_BYTES];
	char last[TREND_DAY_BYTES];

	sunset_share(sums.period, all, share);
	fputs("<tr><td>", out);
	put_escaped(out, series->name);
	fprintf(
	    out, "<div class=\"bar\" style=\"width: %s%%\"></div></td>", share);
	fprintf(out,
	    "<td>%" PRIu64 "</td><td>%s %%</td><td>%" PRIu64
	    "</td><td>%s</td><td>%s</td></tr>\n",
	    sums.period, share, sums.week,
	    sunset_change(sums.week, sums.week_before, change),
	    trend_day_text(findings->trend, sums.last, last));
}

static void
put_by(const struct sunset_findings *findings, enum trend_by by, FILE *out)
{
	const struct trend *trend = findings->trend;
	struct sunset_sums all = sunset_sums_of(findings, trend->requests);

	fprintf(out,
	    "<h2>By %s</h2>\n<div class=\"wide\"><table>\n<tr><th>%s</th>"
	    "<th>%" PRIu32 " days</th><th>share</th><th>7 days</th>"
	    "<th>change</th><th>last seen</th></tr>\n",
	    trend_by_name(by), trend_by_name(by), findings->rule->days);
	for (size_t i = 0; i < trend->by[by].count; i++)
		put_series(findings, trend->by[by].series[i], all.period, out);
	fputs("</table></div>\n", out);
}

/* The numbers of the chart, for who cannot see it. */
static void
put_days(const struct sunset_findings *findings, FILE *out)
{
	const struct trend *trend = findings->trend;
	size_t first = sunset_first_day(findings);
	char text[TREND_DAY_BYTES];

	fputs("<details><summary>Every day</summary>\n"
	      "<div class=\"wide\"><table>\n<tr><th>day</th><th>requests</th>"
	      "<th>of OCSP</th><th>malformed</th><th>health</th>"
	      "<th>counted</th></tr>\n",
	    out);
	for (size_t day = trend->today + 1; day-- > first;) {
		uint32_t minutes = trend->up_sec[day] / 60;

		fprintf(out,
		    "<tr><td>%s</td><td>%" PRIu64 "</td><td>%" PRIu64
		    "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu32
		    ":%02" PRIu32 "</td></tr>\n",
		    trend_day_text(trend, day, text), trend->requests[day],
		    trend->ocsp[day], trend->malformed[day], trend->health[day],
		    minutes / 60, minutes % 60);
	}
	fputs("</table></div></details>\n", out);
}

void
sunset_report_html(const struct sunset_findings *findings, FILE *out)
{
	fputs(page_head, out);
	put_summary(findings, out);
	put_chart(findings, out);
	for (unsigned by = 0; by < TREND_BYS; by++)
		put_by(findings, (enum trend_by)by, out);
	fputs("<h2>Days</h2>\n", out);
	put_days(findings, out);
	fputs("</body>\n</html>\n", out);
}
