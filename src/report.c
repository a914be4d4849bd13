/* SPDX-License-Identifier: ISC */
/*
 * Counts, prints and keeps findings. Objects and texts carry bytes of
 * databases and files: whatever could move a cursor, hide or reorder what a
 * terminal shows is turned into \xNN before it is printed or kept.
 *
 * Counting needs no memory but the report's own, so that a fault is never
 * lost; a finding that cannot be kept has at least been printed.
 */
#include "crlpress/report.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "crlpress/utf8.h"

/* A text before it is escaped. URLs and keys have 1024 bytes at most. */
#define TEXT_BYTES 4096

/*
 * A line: object, rule, clause and text. An object ends in "..." at half a
 * line, so that none can push the fault itself out of sight.
 */
#define LINE_BYTES 16384
#define OBJECT_LINE_BYTES (LINE_BYTES / 2)
#define TEXT_LINE_BYTES (LINE_BYTES - 8)

/* More rules than lint, gates and commands have together, times severity. */
#define GROUPS_MOST 512

#define SEVERITY_COUNT (SEVERITY_FAULT + 1U)

/* Pseudo-severity under which hints are bounded. */
#define GROUP_HINT SEVERITY_COUNT

/* The first groups take, by severity, what finds the table full. */
#define GROUPS_SPARE (GROUP_HINT + 1U)

/*
 * The findings of one rule and severity. Those without a rule go by their
 * format, which stands for the kind of finding then.
 */
struct group {
	unsigned severity; /* or GROUP_HINT */
	const char *rule;
	const char *format; /* NULL when there is a rule */
	uint64_t count;
	uint64_t printed;
};

/* A line while it is put together; always with its NUL. */
struct line {
	char text[LINE_BYTES];
	size_t len;
};

struct report {
	pthread_mutex_t mutex;
	FILE *stream;
	enum severity least;
	uint64_t count[SEVERITY_COUNT];
	struct group group[GROUPS_MOST];
	size_t group_count;
	struct finding **kept;
	size_t kept_count;
	size_t kept_room;
	/* Whether the last finding was printed, and whose it was: a hint to a
	 * finding that was not printed is not printed either. */
	bool last_printed;
	pthread_t last_thread;
	struct finding *last_kept; /* NULL: it was not kept */
	struct line line;
	char text[TEXT_BYTES];
};

/* Code points that act on a display instead of being shown. */
struct code_range {
	uint32_t first;
	uint32_t last;
};

static const struct code_range unprintable[] = {
    {0x0000, 0x001f},   /* C0 */
    {0x007f, 0x009f},   /* DEL, C1 */
    {0x061c, 0x061c},   /* bidirectional marks, ... */
    {0x200b, 0x200f},   /* ... and zero-width characters */
    {0x2028, 0x202e},   /* line separators, bidirectional embeddings */
    {0x2060, 0x206f},   /* word joiner, bidirectional isolates */
    {0xfeff, 0xfeff},   /* byte order mark */
    {0xfff9, 0xfffb},   /* interlinear annotation */
    {0xe0000, 0xe007f}, /* tags */
};

static bool
code_is_printable(uint32_t code)
{
	for (size_t i = 0; i < sizeof(unprintable) / sizeof(*unprintable); i++)
		if (code >= unprintable[i].first && code <= unprintable[i].last)
			return false;
	return true;
}

/*
 * How many octets the character at `p` has when it may be shown as it is; 0
 * when its first octet is to be escaped.
 */
static size_t
printable_len(const char *p)
{
	uint32_t code;
	size_t len = utf8_read(p, UTF8_MOST, &code);

	return len > 0 && code_is_printable(code) ? len : 0;
}

static void
line_start(struct line *line)
{
	line->len = 0;
	line->text[0] = '\0';
}

/* Appends all of it or, when there is no room, nothing. */
static void
line_add(struct line *line, const char *text, size_t len)
{
	if (LINE_BYTES - line->len <= len)
		return;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	line->text[line->len] = '\0';
}

static void
line_add_text(struct line *line, const char *text)
{
	line_add(line, text, strlen(text));
}

/*
 * Appends text from anywhere so that it can only be read; "..." and no more
 * when the line would get longer than `most`.
 */
static void
line_add_escaped(struct line *line, const char *text, size_t most)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)text;

	while (*p != '\0') {
		char escape[4] = {'\\', 'x', digits[*p >> 4], digits[*p & 0xf]};
		size_t len = printable_len((const char *)p);
		size_t width = len > 0 ? len : sizeof(escape);

		if (line->len + width > most) {
			line_add_text(line, "...");
			return;
		}
		line_add(line, len > 0 ? (const char *)p : escape, width);
		p += len > 0 ? len : 1;
	}
}

/* Prints the line, in one piece also when others write to the stream. */
static void
line_print(struct line *line, FILE *stream)
{
	line_add_text(line, "\n");
	fputs(line->text, stream);
}

/* A const report is locked too: only its mutex changes. */
static void
report_lock(const struct report *report)
{
	pthread_mutex_lock((pthread_mutex_t *)&report->mutex);
}

static void
report_unlock(const struct report *report)
{
	pthread_mutex_unlock((pthread_mutex_t *)&report->mutex);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The group of a finding, made when it is the first one of it. */
static struct group *
group_find(struct report *report, unsigned severity, const char *rule,
    const char *format)
{
	struct group *group;

	if (rule != NULL)
		format = NULL;
	for (size_t i = GROUPS_SPARE; i < report->group_count; i++) {
		group = &report->group[i];
		if (group->severity == severity &&
		    same_text(group->rule, rule) &&
		    same_text(group->format, format))
			return group;
	}
	if (report->group_count == GROUPS_MOST)
		return &report->group[severity];
	group = &report->group[report->group_count++];
	*group = (struct group){
	    .severity = severity,
	    .rule = rule,
	    .format = format,
	};
	return group;
}

/* Formats into report->text; what does not fit ends in "...". */
static void __attribute__((format(printf, 2, 0)))
text_format(struct report *report, const char *format, va_list args)
{
	int len = vsnprintf(report->text, TEXT_BYTES, format, args);

	if (len < 0)
		memcpy(report->text, "(no text)", sizeof("(no text)"));
	else if (len >= TEXT_BYTES)
		memcpy(report->text + TEXT_BYTES - 4, "...", 4);
}

/* A copy with everything escaped; NULL when memory ran out. */
static char *
text_keep(struct line *line, const char *text, size_t most)
{
	line_start(line);
	line_add_escaped(line, text, most);
	return strdup(line->text);
}

/* Makes room for one more finding. */
static bool
kept_grow(struct report *report)
{
	struct finding **kept;
	size_t room;

	if (report->kept_count < report->kept_room)
		return true;
	/* Bounded: REPORT_RULE_MOST in each of GROUPS_MOST groups. */
	room = report->kept_room == 0 ? 16 : 2 * report->kept_room;
	kept = realloc(report->kept, room * sizeof(struct finding *));
	if (kept == NULL)
		return false;
	report->kept = kept;
	report->kept_room = room;
	return true;
}

static void
finding_free(struct finding *finding)
{
	if (finding == NULL)
		return;
	free(finding->object);
	free(finding->text);
	free(finding->hint);
	free(finding);
}

static void
finding_keep(struct report *report, enum severity severity, const char *object,
    const char *rule, const char *clause)
{
	struct finding *finding = NULL;

	if (!kept_grow(report))
		return;
	finding = calloc(1, sizeof(*finding));
	if (finding == NULL)
		return;
	finding->severity = severity;
	finding->rule = rule;
	finding->clause = clause;
	finding->object = text_keep(&report->line, object, OBJECT_LINE_BYTES);
	finding->text = text_keep(&report->line, report->text, TEXT_LINE_BYTES);
	if (finding->object == NULL || finding->text == NULL) {
		finding_free(finding);
		return;
	}
	report->kept[report->kept_count++] = finding;
	report->last_kept = finding;
}

/* Starts a line with what tells warnings and notes from faults. */
static void
line_start_severity(struct line *line, unsigned severity)
{
	line_start(line);
	if (severity != SEVERITY_FAULT) {
		line_add_text(line, severity_name((enum severity)severity));
		line_add_text(line, ": ");
	}
}

static void
finding_print(struct report *report, enum severity severity, const char *object,
    const char *rule, const char *clause)
{
	struct line *line = &report->line;

	line_start_severity(line, severity);
	line_add_escaped(line, object, OBJECT_LINE_BYTES);
	line_add_text(line, ": ");
	if (rule != NULL)
		line_add_text(line, rule);
	if (rule != NULL && clause != NULL)
		line_add_text(line, ", ");
	if (clause != NULL)
		line_add_text(line, clause);
	if (rule != NULL || clause != NULL)
		line_add_text(line, ": ");
	line_add_escaped(line, report->text, TEXT_LINE_BYTES);
	line_print(line, report->stream);
}

static bool
report_prints(const struct report *report, unsigned severity)
{
	return report->stream != NULL && severity >= report->least;
}

static void __attribute__((format(printf, 6, 0)))
report_add(struct report *report, enum severity severity, const char *object,
    const char *rule, const char *clause, const char *format, va_list args)
{
	struct group *group;

	report_lock(report);
	report->count[severity]++;
	group = group_find(report, severity, rule, format);
	report->last_printed = false;
	report->last_kept = NULL;
	report->last_thread = pthread_self();
	if (group->count++ < REPORT_RULE_MOST) {
		text_format(report, format, args);
		if (report_prints(report, severity)) {
			finding_print(report, severity, object, rule, clause);
			group->printed++;
			report->last_printed = true;
		}
		finding_keep(report, severity, object, rule, clause);
	}
	report_unlock(report);
}

struct report *
report_new(FILE *stream, enum severity least)
{
	struct report *report = calloc(1, sizeof(*report));

	if (report == NULL)
		return NULL;
	if (pthread_mutex_init(&report->mutex, NULL) != 0) {
		free(report);
		return NULL;
	}
	report->stream = stream;
	report->least = least;
	report->last_thread = pthread_self();
	for (unsigned i = 0; i < GROUPS_SPARE; i++) {
		report->group[i].severity = i;
		report->group[i].rule = "(others)";
	}
	report->group_count = GROUPS_SPARE;
	return report;
}

enum status
report_fault(struct report *report, enum status status, const char *object,
    const char *rule, const char *clause, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_add(report, SEVERITY_FAULT, object, rule, clause, format, args);
	va_end(args);
	return status;
}

void
report_warn(struct report *report, const char *object, const char *rule,
    const char *clause, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_add(
	    report, SEVERITY_WARNING, object, rule, clause, format, args);
	va_end(args);
}

void
report_note(struct report *report, const char *object, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report_add(report, SEVERITY_NOTE, object, NULL, NULL, format, args);
	va_end(args);
}

/* What to do about the finding that this thread has just made. */
static void __attribute__((format(printf, 2, 0)))
hint_keep(struct report *report, const char *format, va_list args)
{
	struct finding *finding = report->last_kept;

	if (finding == NULL || finding->hint != NULL ||
	    pthread_equal(report->last_thread, pthread_self()) == 0)
		return;
	text_format(report, format, args);
	finding->hint = text_keep(&report->line, report->text, TEXT_LINE_BYTES);
}

void
report_hint(struct report *report, const char *format, ...)
{
	struct group *group;
	va_list args;
	bool suppressed;

	report_lock(report);
	va_start(args, format);
	hint_keep(report, format, args);
	va_end(args);
	/* Between a fault and its hint another thread may have come. */
	suppressed = !report->last_printed &&
		     pthread_equal(report->last_thread, pthread_self()) != 0;
	group = group_find(report, GROUP_HINT, NULL, format);
	if (report->stream != NULL && !suppressed &&
	    group->count++ < REPORT_RULE_MOST) {
		va_start(args, format);
		text_format(report, format, args);
		va_end(args);
		line_start(&report->line);
		line_add_text(&report->line, "  hint: ");
		line_add_escaped(&report->line, report->text, TEXT_LINE_BYTES);
		line_print(&report->line, report->stream);
	}
	report_unlock(report);
}

void
report_replay(const struct report *from, struct report *to)
{
	for (size_t i = 0; i < report_kept(from); i++) {
		const struct finding *finding = report_finding(from, i);

		switch (finding->severity) {
		case SEVERITY_NOTE:
			report_note(to, finding->object, "%s", finding->text);
			break;
		case SEVERITY_WARNING:
			report_warn(to, finding->object, finding->rule,
			    finding->clause, "%s", finding->text);
			break;
		case SEVERITY_FAULT:
			report_fault(to, STATUS_FAILED, finding->object,
			    finding->rule, finding->clause, "%s",
			    finding->text);
			break;
		}
		if (finding->hint != NULL)
			report_hint(to, "%s", finding->hint);
	}
}

void
report_close(struct report *report)
{
	report_lock(report);
	for (size_t i = 0; i < report->group_count; i++) {
		const struct group *group = &report->group[i];
		struct line *line = &report->line;
		char number[48];

		if (group->severity == GROUP_HINT ||
		    !report_prints(report, group->severity) ||
		    group->count == group->printed)
			continue;
		snprintf(number, sizeof(number), "... and %llu more ",
		    (unsigned long long)(group->count - group->printed));
		line_start_severity(line, group->severity);
		line_add_text(line, number);
		if (group->rule != NULL) {
			line_add_text(line, "findings of rule ");
			line_add_text(line, group->rule);
		} else {
			line_add_text(line, "findings like \"");
			line_add_escaped(line, group->format, TEXT_LINE_BYTES);
			line_add_text(line, "\"");
		}
		line_print(line, report->stream);
	}
	report_unlock(report);
}

uint64_t
report_count(const struct report *report, enum severity severity)
{
	uint64_t count;

	report_lock(report);
	count = report->count[severity];
	report_unlock(report);
	return count;
}

size_t
report_kept(const struct report *report)
{
	size_t count;

	report_lock(report);
	count = report->kept_count;
	report_unlock(report);
	return count;
}

const struct finding *
report_finding(const struct report *report, size_t i)
{
	const struct finding *finding;

	report_lock(report);
	finding = report->kept[i];
	report_unlock(report);
	return finding;
}

const char *
severity_name(enum severity severity)
{
	static const char *const names[SEVERITY_COUNT] = {
	    [SEVERITY_NOTE] = "note",
	    [SEVERITY_WARNING] = "warning",
	    [SEVERITY_FAULT] = "fault",
	};

	if ((unsigned)severity >= SEVERITY_COUNT)
		return names[SEVERITY_FAULT];
	return names[severity];
}

void
report_free(struct report *report)
{
	if (report == NULL)
		return;
	for (size_t i = 0; i < report->kept_count; i++)
		finding_free(report->kept[i]);
	free(report->kept);
	pthread_mutex_destroy(&report->mutex);
	free(report);
}
