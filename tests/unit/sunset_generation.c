/* SPDX-License-Identifier: ISC */
/*
 * Counters of a configuration in force: what goes to the parent, once and as
 * lines it can read, and what a new configuration takes over. And the wire.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/socket.h>

#include "../../src/sunset/generation.h"
#include "../../src/sunset/wire.h"
#include "../lib/scratch.h"

/* 2026-12-01 00:00:00 */
#define DECEMBER INT64_C(1796083200)

static struct generation *
generation_of(struct scratch *scratch, const char *text, uint64_t number)
{
	struct sunset_config *config = NULL;
	struct generation *generation;

	assert_int_equal(sunset_config_parse("c.cnf", text, strlen(text),
			     scratch->report, &config),
	    STATUS_OK);
	generation = generation_new(config, number, 3);
	assert_non_null(generation);
	return generation;
}

static void
count(struct generation *generation, unsigned thread, uint16_t host,
    uint16_t issuer, uint8_t mode, uint64_t more)
{
	const struct count_names *names = &generation->config->names;
	struct count_key key = {.host = host, .issuer = issuer, .mode = mode};
	uint32_t cell = count_cell(&key, names->hosts, names->issuers);

	assert_true(cell < generation->cells);
	generation->cell[(size_t)thread * generation->cells + cell] += more;
}

/* Everything that waits in the socket, as one text. */
static void
receive_kind(int fd, enum wire_kind want, char *out, size_t size)
{
	char *buffer = malloc(WIRE_BYTES_MOST + 1);
	size_t n = 0;
	char octet;

	assert_non_null(buffer);
	while (recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
		enum wire_kind kind;
		const char *text;
		size_t len;

		assert_int_equal(
		    wire_receive(fd, buffer, &kind, &text, &len), STATUS_OK);
		assert_int_equal(kind, want);
		assert_true(n + len < size);
		memcpy(out + n, text, len);
		n += len;
	}
	out[n] = '\0';
	free(buffer);
}

static void
receive_all(int fd, char *out, size_t size)
{
	receive_kind(fd, WIRE_COUNTS, out, size);
}

static const char two_hosts[] = "[server]\n[host a]\n[host b]\n";

static void
test_flush(void **state)
{
	struct generation *generation = generation_of(*state, two_hosts, 1);
	char text[4096];
	int end[2];

	assert_int_equal(wire_open(end), STATUS_OK);
	count(generation, 0, 0, 0, ANSWER_UNAUTHORIZED, 5);
	count(generation, 2, 0, 0, ANSWER_UNAUTHORIZED, 2);
	count(generation, 1, 2, 0, ANSWER_CLOSE, 1);
	assert_int_equal(generation_flush(generation, end[1], DECEMBER + 100,
			     DECEMBER + 160),
	    STATUS_OK);
	receive_all(end[0], text, sizeof(text));
	assert_string_equal(text,
	    "2026-12-01T00Z host=a issuer=other method=get mode=unauthorized "
	    "nonce=no hash=none count=7\n"
	    "2026-12-01T00Z host=other issuer=other method=get mode=close "
	    "nonce=no hash=none count=1\n"
	    "2026-12-01T00Z up=60\n");
	/* Only what came since. */
	count(generation, 1, 0, 0, ANSWER_UNAUTHORIZED, 1);
	assert_int_equal(generation_flush(generation, end[1], DECEMBER + 3600,
			     DECEMBER + 3600),
	    STATUS_OK);
	receive_all(end[0], text, sizeof(text));
	assert_string_equal(text,
	    "2026-12-01T01Z host=a issuer=other method=get mode=unauthorized "
	    "nonce=no hash=none count=1\n");
	assert_int_equal(generation_flush(generation, end[1], DECEMBER + 3600,
			     DECEMBER + 3600),
	    STATUS_OK);
	receive_all(end[0], text, sizeof(text));
	assert_string_equal(text, "");
	close(end[0]);
	assert_int_equal(
	    generation_flush(generation, end[1], DECEMBER, DECEMBER + 1),
	    STATUS_IO);
	close(end[1]);
	generation_free(generation);
}

/* The same as often as is wished, until it is sent for good. */
static void
test_save(void **state)
{
	struct generation *generation = generation_of(*state, two_hosts, 1);
	static const char want[] = "2026-12-01T00Z host=a issuer=other "
				   "method=get mode=404 nonce=no hash=none "
				   "count=5\n2026-12-01T00Z up=60\n";
	static char buffer[WIRE_BYTES_MOST + 1];
	char have[4096];
	int end[2];

	assert_int_equal(wire_open(end), STATUS_OK);
	count(generation, 0, 0, 1, ANSWER_NOT_FOUND, 5);
	for (unsigned i = 0; i < 2; i++) {
		enum wire_kind kind;
		const char *text;
		size_t len;

		assert_int_equal(generation_save(generation, end[1], DECEMBER,
				     DECEMBER + 60),
		    STATUS_OK);
		assert_int_equal(
		    wire_receive(end[0], buffer, &kind, &text, &len),
		    STATUS_OK);
		assert_int_equal(kind, WIRE_HOUR);
		assert_int_equal(len, sizeof(want) - 1);
		assert_memory_equal(text, want, len);
		receive_kind(end[0], WIRE_SAVE, have, sizeof(have));
	}
	assert_int_equal(
	    generation_flush(generation, end[1], DECEMBER, DECEMBER + 60),
	    STATUS_OK);
	receive_all(end[0], have, sizeof(have));
	assert_string_equal(have, want);
	close(end[0]);
	assert_int_equal(
	    generation_save(generation, end[1], DECEMBER, DECEMBER + 60),
	    STATUS_IO);
	close(end[1]);
	generation_free(generation);
}

/* More lines than a message holds: each message has whole lines. */
static void
test_flush_many(void **state)
{
	char *config = malloc(65536);
	char *text = malloc(1 << 20);
	struct generation *generation;
	size_t lines = 0;
	size_t len;
	int end[2];

	assert_non_null(config);
	assert_non_null(text);
	len = (size_t)sprintf(config, "[server]\n");
	for (unsigned i = 0; i < COUNT_HOSTS_MOST; i++)
		len += (size_t)sprintf(config + len, "[host %0250u]\n", i);
	generation = generation_of(*state, config, 1);
	assert_int_equal(wire_open(end), STATUS_OK);
	for (uint16_t i = 0; i <= COUNT_HOSTS_MOST; i++)
		for (uint8_t mode = 0; mode < ANSWER_MODES; mode++)
			count(generation, i % 3, i, 0, mode, 1);
	assert_int_equal(
	    generation_flush(generation, end[1], DECEMBER, DECEMBER),
	    STATUS_OK);
	receive_all(end[0], text, 1 << 20);
	for (char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, (COUNT_HOSTS_MOST + 1) * ANSWER_MODES);
	close(end[0]);
	close(end[1]);
	generation_free(generation);
	free(config);
	free(text);
}

/* By name, wherever it now stands; what has gone is "other". */
static void
test_carry(void **state)
{
	struct generation *old = generation_of(*state,
	    "[server]\n[host a]\n[host b]\n[issuer x]\n"
	    "key_hash = 0101010101010101010101010101010101010101\n",
	    1);
	struct generation *new = generation_of(*state,
	    "[server]\n[host c]\n[host b]\n[issuer y]\n"
	    "key_hash = 0202020202020202020202020202020202020202\n"
	    "[issuer x]\n"
	    "key_hash = 0101010101010101010101010101010101010101\n",
	    2);
	const struct count_names *names = &new->config->names;
	struct count_key key = {0};

	count(old, 0, 0, 0, ANSWER_GONE, 3);  /* a, x: gone */
	count(old, 1, 1, 0, ANSWER_GONE, 10); /* b, x */
	count(old, 2, 1, 0, ANSWER_GONE, 20);
	count(old, 2, 2, 1, ANSWER_GONE, 100); /* other, other */
	old->before[0] = 7;                    /* the first cell: a, x */
	generation_carry(new, old);
	key = (struct count_key){.host = 1, .issuer = 1, .mode = ANSWER_GONE};
	assert_int_equal(
	    new->before[count_cell(&key, names->hosts, names->issuers)], 30);
	key = (struct count_key){.host = 2, .issuer = 1, .mode = ANSWER_GONE};
	assert_int_equal(
	    new->before[count_cell(&key, names->hosts, names->issuers)], 3);
	key = (struct count_key){.host = 2, .issuer = 2, .mode = ANSWER_GONE};
	assert_int_equal(
	    new->before[count_cell(&key, names->hosts, names->issuers)], 100);
	key = count_key_of(0, 2, 1);
	key.host = 2;
	key.issuer = 1;
	assert_int_equal(
	    new->before[count_cell(&key, names->hosts, names->issuers)], 7);
	/* The file has them already. */
	for (uint32_t i = 0; i < new->cells; i++)
		assert_int_equal(generation_sum(new, i), new->sent[i]);
	generation_free(old);
	generation_free(new);
}

static void
test_wire(void **state)
{
	char *buffer = malloc(WIRE_BYTES_MOST + 1);
	char *text = malloc(WIRE_BYTES_MOST);
	const char *got;
	enum wire_kind kind;
	size_t len;
	int end[2];

	(void)state;
	assert_non_null(buffer);
	assert_non_null(text);
	memset(text, 'x', WIRE_BYTES_MOST);
	assert_int_equal(wire_open(end), STATUS_OK);
	/* The longest configuration, and two messages stay two. */
	assert_int_equal(
	    wire_send(end[0], WIRE_CONFIG, text, SUNSET_CONFIG_BYTES_MOST),
	    STATUS_OK);
	assert_int_equal(wire_send(end[0], WIRE_DRAIN, "", 0), STATUS_OK);
	assert_int_equal(
	    wire_receive(end[1], buffer, &kind, &got, &len), STATUS_OK);
	assert_int_equal(kind, WIRE_CONFIG);
	assert_int_equal(len, SUNSET_CONFIG_BYTES_MOST);
	assert_memory_equal(got, text, len);
	assert_int_equal(got[len], '\0');
	assert_int_equal(
	    wire_receive(end[1], buffer, &kind, &got, &len), STATUS_OK);
	assert_int_equal(kind, WIRE_DRAIN);
	assert_int_equal(len, 0);
	assert_int_equal(wire_send(end[0], WIRE_CONFIG, text, WIRE_BYTES_MOST),
	    STATUS_MALFORMED);
	close(end[0]);
	assert_int_equal(
	    wire_receive(end[1], buffer, &kind, &got, &len), STATUS_DONE);
	assert_int_equal(wire_send(end[1], WIRE_READY, "", 0), STATUS_IO);
	close(end[1]);
	free(buffer);
	free(text);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_flush),
	    TEST(test_save),
	    TEST(test_flush_many),
	    TEST(test_carry),
	    cmocka_unit_test(test_wire),
	};

	/* As main does. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
