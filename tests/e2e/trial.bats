# SPDX-License-Identifier: ISC
#
# check-config --online: what a database would do to a run, told before cron
# runs one.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

setup_file()
{
	publish_setup
	# Certificates, of which few are revoked, as CAs keep them.
	pg_psql -c "CREATE TABLE certificate (serial bytea, revoked_at
	    timestamptz, reason smallint, not_after timestamptz, shard int);
	    INSERT INTO certificate SELECT int8send(i + 4611686018427387904),
	    CASE WHEN i % 1000 = 0 THEN now() - interval '1 day' END, 1,
	    now() + interval '30 days', i % 2 FROM generate_series(1, 30000) i;
	    ANALYZE certificate"
}

setup()
{
	publish_env
	publish_new t1
}

teardown_file()
{
	pg_stop
}

online()
{
	run --separate-stderr "$CRLPRESS" check-config --config "$conf" \
	    --online "$@"
}

# query SQL [SETTING...]
query()
{
	printf '%s\n' "$1" >query.sql
	publish_configure "source.query_file=$PWD/query.sql" "${@:2}"
}

@test "the native table: rows, plans, and the store" {
	make_rows 20000 --shards 2
	pg_psql -c 'ANALYZE crlpress.revocation'
	online
	ended 0
	same "$stderr" '' stderr
	has "$output" '# t1: 20000 rows, 0 to be refused'
	has "$output" "# $store: tried and found fit"
	has "$output" '# native statement, of one shard'
	has "$output" '# native statement, of one serial'
	has "$output" 'Index'
	# Nothing came of it.
	[ ! -e "$state" ]
	[ -z "$(find "$store" -name '*.crl')" ]
	online --quiet
	ended 0
	same "$output$stderr" '' 'what was said'
	# Without --online the database is not asked.
	publish_configure source.conninfo=host=/nonexistent
	run -0 "$CRLPRESS" check-config --config "$conf"
}

@test "a large table that is read whole for little" {
	local rows="SELECT serial, revoked_at, reason, not_after, shard
	    FROM certificate WHERE revoked_at IS NOT NULL"
	query "$rows"
	online
	ended 0
	has "$stderr" 'reads all of public.certificate, which has about 30000'
	has "$stderr" 'query.sql'
	has "$output" 'Seq Scan on public.certificate'
	has "$output" '# t1: 30 rows, 0 to be refused'
	# All of it is wanted here, but not for one shard.
	printf '%s\n' "$rows AND shard = :'shard'::int" >shard.sql
	query "SELECT serial, not_after - interval '60 days' AS revoked_at,
	    reason, not_after, shard FROM certificate" \
	    "source.shard_query_file=$PWD/shard.sql"
	online
	ended 0
	same "$(grep -c 'reads all of' <<<"$stderr")" 1 warnings
	has "$stderr" 'shard.sql'
	# With an index it does not.
	pg_psql -c 'CREATE INDEX few ON certificate (shard)
	    WHERE revoked_at IS NOT NULL; ANALYZE certificate'
	online
	ended 0
	same "$stderr" '' stderr
	pg_psql -c 'DROP INDEX few'
}

@test "a table behind a view, which the role has no right to" {
	pg_psql -c 'CREATE SCHEMA "the CA"; CREATE TABLE "the CA"."its rows" AS
	    TABLE certificate; ANALYZE "the CA"."its rows";
	    CREATE VIEW revoked AS SELECT * FROM "the CA"."its rows"
	    WHERE revoked_at IS NOT NULL'
	query "SELECT serial, revoked_at, reason, not_after, shard FROM revoked"
	online
	ended 0
	has "$output" 'Seq Scan on "the CA"."its rows"'
	has "$output" '# t1: 30 rows, 0 to be refused'
	has "$stderr" 'reads all of "the CA"."its rows", which has about 30000'
}

@test "rows that a run would refuse are counted, with one of them" {
	query "SELECT serial, revoked_at,
	    CASE WHEN i < 3 THEN 7 ELSE 1 END AS reason, not_after,
	    CASE WHEN i = 9 THEN 2 ELSE shard END AS shard
	    FROM (SELECT *, row_number() OVER (ORDER BY serial) AS i
	    FROM certificate WHERE revoked_at IS NOT NULL) AS revoked"
	online
	ended 3
	has "$stderr" '2 rows would be refused: '
	has "$stderr" '1 row would be refused: '
	has "$stderr" ', as with 4000000000002328'
	has "$output" '# t1: 30 rows, 3 to be refused'
	# The run says the same.
	publish
	ended 3
	[ "$(grep -c '/row ' <<<"$stderr")" -eq 3 ]
	# A reason that the profile has not: as the run says when it is made.
	query "SELECT serial, revoked_at, 6 AS reason, not_after, shard
	    FROM certificate WHERE revoked_at IS NOT NULL"
	online
	ended 3
	has "$stderr" '30 rows would be refused: the profile has no such reason'
	query "SELECT serial, revoked_at, 6 AS reason, not_after, shard
	    FROM certificate WHERE revoked_at IS NOT NULL" \
	    issuer.profile=private
	online
	ended 0
	# One dated ahead.
	query "SELECT serial, revoked_at + interval '3 days' AS revoked_at,
	    reason, not_after, shard FROM certificate
	    WHERE revoked_at IS NOT NULL"
	online
	ended 3
	has "$stderr" '30 rows would be refused: revoked_at lies in the future'
}

@test "an issuer that the table has not" {
	publish_configure source.issuer_id=T1
	online
	ended 3
	has "$stderr" "t1: db-scope, house rule: the source has not one row of \
issuer_id T1"
	has "$output" '# t1: 0 rows, 0 to be refused'
	publish
	ended 3
	has "$stderr" 't1: db-scope, house rule: the source has not one row'
	publish_configure source.issuer_id=T1 gates.allow_empty=yes
	online
	ended 0
}

@test "a right that is missing, and a database that is not there" {
	pg_psql -c 'REVOKE SELECT ON certificate FROM cron'
	query 'SELECT serial, revoked_at, reason, not_after, shard
	    FROM certificate'
	online
	ended 1
	has "$stderr" 'permission denied'
	# The store is tried all the same.
	has "$output" "# $store: tried and found fit"
	pg_psql -c 'GRANT SELECT ON certificate TO cron'
	publish_configure source.conninfo=host=/nonexistent
	online
	ended 1
	has "$stderr" /nonexistent
}
