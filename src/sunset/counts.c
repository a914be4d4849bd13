/* SPDX-License-Identifier: ISC */
/*
 * Cells and records of counts, and the line of the counts file. What is read
 * here may come from the process that talks to the network: nothing in a line
 * is taken that this file would not have written.
 */
#include "counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crlpress/utc.h"

#define HOUR_SEC 3600

/* "2026-12-01T13Z" */
#define HOUR_LEN 14
/* What stands between the hour and the end of an ISO time. */
#define HOUR_REST ":00:00"

static const char *const method_names[COUNT_METHODS] = {
    [COUNT_GET] = "get",
    [COUNT_POST] = "post",
    [COUNT_OTHER] = "other",
};

static const char *const hash_names[COUNT_HASHES] = {
    [COUNT_HASH_NONE] = "none",
    [COUNT_HASH_SHA1] = "sha1",
    [COUNT_HASH_SHA256] = "sha256",
    [COUNT_HASH_OTHER] = "other",
};

static const char *const nonce_names[] = {"no", "yes"};

static const char up_name[] = " up=";

enum status
count_cells(size_t hosts, size_t issuers, uint32_t *cells, const char **why)
{
	size_t sum;

	if (hosts > COUNT_HOSTS_MOST) {
		*why = "too many hosts, at most 64";
		return STATUS_CONFIG;
	}
	if (issuers > COUNT_ISSUERS_MOST) {
		*why = "too many issuers, at most 64";
		return STATUS_CONFIG;
	}
	sum = (hosts + 1) * (issuers + 1) * ANSWER_MODES * COUNT_METHODS *
	      COUNT_KINDS;
	if (sum > COUNT_CELLS_MOST) {
		*why = "too many pairs of host and issuer to count, at most "
		       "303 with one more of each";
		return STATUS_CONFIG;
	}
	*cells = (uint32_t)sum;
	return STATUS_OK;
}

static uint32_t
at_most(uint32_t value, uint32_t most)
{
	return value <= most ? value : most;
}

uint32_t
count_cell(const struct count_key *key, uint16_t hosts, uint16_t issuers)
{
	uint32_t mode =
	    key->mode < ANSWER_MODES ? key->mode : (uint32_t)ANSWER_MALFORMED;
	uint32_t cell = at_most(key->host, hosts);

	cell = cell * (issuers + 1U) + at_most(key->issuer, issuers);
	cell = cell * ANSWER_MODES + mode;
	cell = cell * COUNT_METHODS + at_most(key->method, COUNT_OTHER);
	return cell * COUNT_KINDS + (key->kind & (COUNT_KINDS - 1U));
}

struct count_key
count_key_of(uint32_t cell, uint16_t hosts, uint16_t issuers)
{
	struct count_key key;

	key.kind = (uint8_t)(cell % COUNT_KINDS);
	cell /= COUNT_KINDS;
	key.method = (uint8_t)(cell % COUNT_METHODS);
	cell /= COUNT_METHODS;
	key.mode = (uint8_t)(cell % ANSWER_MODES);
	cell /= ANSWER_MODES;
	key.issuer = (uint16_t)(cell % (issuers + 1U));
	cell /= issuers + 1U;
	key.host = (uint16_t)at_most(cell, hosts);
	return key;
}

static int64_t
hour_of(int64_t sec)
{
	int64_t past = sec % HOUR_SEC;

	return sec - (past < 0 ? past + HOUR_SEC : past);
}

void
count_record_fill(struct count_record *record, const struct count_names *names,
    const struct count_key *key, int64_t now_sec, uint64_t count)
{
	const char *host = key->host < names->hosts ? names->host[key->host]
						    : COUNT_OTHER_NAME;
	const char *issuer = key->issuer < names->issuers
				 ? names->issuer[key->issuer]
				 : COUNT_OTHER_NAME;

	record->hour_sec = hour_of(now_sec);
	record->up_sec = 0;
	snprintf(record->host, sizeof(record->host), "%s", host);
	snprintf(record->issuer, sizeof(record->issuer), "%s", issuer);
	record->mode = (enum answer_mode)key->mode;
	record->method = (enum count_method)key->method;
	record->kind = key->kind;
	record->count = count;
}

bool
count_record_up(struct count_record *record, int64_t from_sec, int64_t to_sec)
{
	int64_t end_sec;

	*record = (struct count_record){.hour_sec = hour_of(from_sec)};
	end_sec = record->hour_sec + HOUR_SEC;
	if (to_sec < end_sec)
		end_sec = to_sec;
	if (end_sec <= from_sec)
		return false;
	record->up_sec = (uint32_t)(end_sec - from_sec);
	return true;
}

size_t
count_record_format(
    const struct count_record *record, char line[COUNT_LINE_BYTES])
{
	char hour[UTC_ISO_BYTES];
	int n;

	utc_to_iso(record->hour_sec, hour);
	if (record->up_sec > 0)
		n = snprintf(line, COUNT_LINE_BYTES, "%.13sZ up=%" PRIu32 "\n",
		    hour, record->up_sec);
	else
		n = snprintf(line, COUNT_LINE_BYTES,
		    "%.13sZ host=%s issuer=%s method=%s mode=%s nonce=%s "
		    "hash=%s count=%" PRIu64 "\n",
		    hour, record->host, record->issuer,
		    count_method_name(record->method),
		    answer_mode_name(record->mode),
		    nonce_names[COUNT_KIND_NONCE(record->kind)],
		    count_hash_name(COUNT_KIND_HASH(record->kind)),
		    record->count);
	return n < 0 ? 0 : (size_t)n;
}

/* A line as it is taken apart. */
struct reader {
	const char *at;
	const char *end;
	const char **why;
};

static bool
refuse(struct reader *reader, const char *why)
{
	*reader->why = why;
	return false;
}

/* "2026-12-01T13Z" */
static bool
take_hour(struct reader *reader, int64_t *sec)
{
	char iso[UTC_ISO_BYTES];

	if (reader->end - reader->at < HOUR_LEN ||
	    reader->at[HOUR_LEN - 1] != 'Z')
		return refuse(reader, "no hour like 2026-12-01T13Z");
	memcpy(iso, reader->at, HOUR_LEN - 1);
	memcpy(iso + HOUR_LEN - 1, HOUR_REST "Z", sizeof(HOUR_REST "Z"));
	if (memchr(iso, '\0', HOUR_LEN - 1) != NULL ||
	    utc_from_iso(iso, sec) != STATUS_OK)
		return refuse(reader, "no hour like 2026-12-01T13Z");
	reader->at += HOUR_LEN;
	return true;
}

static bool
starts_with(const struct reader *reader, const char *name)
{
	size_t len = strlen(name);

	return (size_t)(reader->end - reader->at) >= len &&
	       memcmp(reader->at, name, len) == 0;
}

/* " NAME=" and the value up to the next blank. */
static bool
take_value(
    struct reader *reader, const char *name, const char **value, size_t *len)
{
	const char *blank;

	if (!starts_with(reader, name))
		return refuse(reader, "a field is missing or not in order");
	reader->at += strlen(name);
	*value = reader->at;
	blank = memchr(reader->at, ' ', (size_t)(reader->end - reader->at));
	reader->at = blank != NULL ? blank : reader->end;
	*len = (size_t)(reader->at - *value);
	if (*len == 0)
		return refuse(reader, "a value is missing");
	return true;
}

/* A value that is copied and judged. */
static bool
take_text(struct reader *reader, const char *name, char *out, size_t size,
    const char *(*fault)(const char *text))
{
	const char *value;
	const char *why;
	size_t len;

	if (!take_value(reader, name, &value, &len))
		return false;
	if (len >= size)
		return refuse(reader, "a name too long");
	if (memchr(value, '\0', len) != NULL)
		return refuse(reader, "a NUL");
	memcpy(out, value, len);
	out[len] = '\0';
	if (strcmp(out, COUNT_OTHER_NAME) == 0)
		return true;
	why = fault(out);
	return why == NULL || refuse(reader, why);
}

/* A value that is one of `count` names. */
static bool
take_choice(struct reader *reader, const char *name, const char *const *names,
    unsigned count, unsigned *choice)
{
	const char *value;
	size_t len;

	if (!take_value(reader, name, &value, &len))
		return false;
	for (*choice = 0; *choice < count; (*choice)++)
		if (strlen(names[*choice]) == len &&
		    memcmp(names[*choice], value, len) == 0)
			return true;
	return refuse(reader, "an unknown method, nonce or hash");
}

static bool
take_mode(struct reader *reader, enum answer_mode *mode)
{
	const char *value;
	size_t len;

	if (!take_value(reader, " mode=", &value, &len))
		return false;
	if (answer_mode_from_name(value, len, mode) != STATUS_OK)
		return refuse(reader, "an unknown mode");
	return true;
}

static bool
take_number(struct reader *reader, const char *name, uint64_t *count)
{
	const char *value;
	size_t len;

	if (!take_value(reader, name, &value, &len))
		return false;
	if (value[0] == '0')
		return refuse(reader, "a count with a zero in front");
	*count = 0;
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return refuse(reader, "a count that is no number");
		if (__builtin_mul_overflow(*count, 10U, count) ||
		    __builtin_add_overflow(
			*count, (unsigned)(value[i] - '0'), count))
			return refuse(reader, "a count too large");
	}
	return true;
}

static bool
take_up(struct reader *reader, struct count_record *record)
{
	uint64_t sec = 0;

	if (!take_number(reader, up_name, &sec))
		return false;
	if (sec > HOUR_SEC)
		return refuse(reader, "more seconds than an hour has");
	record->up_sec = (uint32_t)sec;
	return true;
}

static bool
take_fields(struct reader *reader, struct count_record *record)
{
	unsigned method = 0, nonce = 0, hash = 0;

	if (!take_text(reader, " host=", record->host, sizeof(record->host),
		count_host_fault) ||
	    !take_text(reader, " issuer=", record->issuer,
		sizeof(record->issuer), count_issuer_fault) ||
	    !take_choice(
		reader, " method=", method_names, COUNT_METHODS, &method) ||
	    !take_mode(reader, &record->mode) ||
	    !take_choice(reader, " nonce=", nonce_names, 2, &nonce) ||
	    !take_choice(reader, " hash=", hash_names, COUNT_HASHES, &hash) ||
	    !take_number(reader, " count=", &record->count))
		return false;
	record->method = (enum count_method)method;
	record->kind = COUNT_KIND(nonce != 0, hash);
	return true;
}

enum status
count_record_parse(
    const char *line, size_t len, struct count_record *record, const char **why)
{
	struct reader reader = {line, line + len, why};
	bool taken;

	*why = NULL;
	*record = (struct count_record){0};
	taken = len < COUNT_LINE_BYTES - 1 || refuse(&reader, "a long line");
	taken = taken && take_hour(&reader, &record->hour_sec);
	if (taken && starts_with(&reader, up_name))
		taken = take_up(&reader, record);
	else
		taken = taken && take_fields(&reader, record);
	if (taken && reader.at != reader.end)
		taken = refuse(&reader, "something behind the last field");
	return taken ? STATUS_OK : STATUS_MALFORMED;
}

/* Letters of either case (`upper`), digits, and those of `others`. */
static bool
is_name(const char *text, bool upper, const char *others)
{
	for (; *text != '\0'; text++) {
		bool good = (*text >= 'a' && *text <= 'z') ||
			    (*text >= '0' && *text <= '9') ||
			    (upper && *text >= 'A' && *text <= 'Z') ||
			    strchr(others, *text) != NULL;

		if (!good)
			return false;
	}
	return true;
}

const char *
count_host_fault(const char *host)
{
	if (host[0] == '\0')
		return "an empty host";
	if (strlen(host) >= COUNT_HOST_BYTES)
		return "a host of more than 253 characters";
	if (!is_name(host, false, "-._:[]"))
		return "a host has lower-case letters, digits, - . _ : [ ] "
		       "only";
	if (strcmp(host, COUNT_OTHER_NAME) == 0)
		return "\"other\" stands for all other hosts";
	return NULL;
}

const char *
count_issuer_fault(const char *issuer)
{
	if (issuer[0] == '\0')
		return "an empty name of an issuer";
	if (strlen(issuer) >= COUNT_ISSUER_BYTES)
		return "a name of an issuer of more than 64 characters";
	if (!is_name(issuer, true, "-._"))
		return "the name of an issuer has letters, digits, - . _ only";
	if (strcmp(issuer, COUNT_OTHER_NAME) == 0)
		return "\"other\" stands for all other issuers";
	return NULL;
}

const char *
count_method_name(enum count_method method)
{
	return (unsigned)method < COUNT_METHODS ? method_names[method]
						: method_names[COUNT_OTHER];
}

const char *
count_hash_name(enum count_hash hash)
{
	return (unsigned)hash < COUNT_HASHES ? hash_names[hash]
					     : hash_names[COUNT_HASH_OTHER];
}
