# SPDX-License-Identifier: ISC
#
# The source against a real server: what it reads, what it refuses, and what
# it says when the server or the network does not play along.

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash

setup_file()
{
	pg_start
	export DUMP=${CRLPRESS:-$PWD/build/crlpress}
	DUMP=${DUMP%/*}/drivers/source_dump
	[ -x "$DUMP" ] || {
		echo "$DUMP: no such program; run make drivers" >&2
		return 1
	}
	pg_psql -f sharding-config/native.sql
	pg_psql -c 'CREATE ROLE reader LOGIN IN ROLE crlpress_reader;
	    CREATE ROLE locked LOGIN PASSWORD '\''right-one'\'';'
	# Times of day mean something else where the server stands.
	pg_psql -c 'CREATE DATABASE other'
	sed -i '1i local all locked scram-sha-256' \
	    "$PG_ROOT/main/data/pg_hba.conf"
	pg_psql -c 'SELECT pg_reload_conf()' >/dev/null
}

teardown_file()
{
	pg_stop
}

setup()
{
	pg_env main
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown()
{
	# A driver that a failed test left behind.
	[ -z "${driver:-}" ] || kill "$driver" 2>/dev/null || true
}

# The driver, its exit status not judged.
dump()
{
	run "$DUMP" "$@"
}

# The output has this text, or shows itself.
has()
{
	[[ $output == *"$1"* ]] || {
		printf 'no "%s" in:\n%s\n' "$1" "$output"
		return 1
	}
}

has_not()
{
	[[ $output != *"$1"* ]] || {
		printf '"%s" in:\n%s\n' "$1" "$output"
		return 1
	}
}

# What a column is of one good row; the others are as they should be.
column()
{
	local serial="'\\x0a'::bytea" revoked=now reason=1 not_after=now shard=1
	revoked="'2026-01-01 00:00:00Z'::timestamptz"
	not_after="'2027-01-01 00:00:00Z'::timestamptz"
	local "$1=$2"
	echo "SELECT $serial, $revoked, $reason, $not_after, $shard"
}

# A good row for each number of a series; $1 is its SQL, $2 a condition.
series()
{
	echo "SELECT decode(lpad(to_hex(i), 32, '7f'), 'hex'),
	    '2026-01-01 00:00:00Z'::timestamptz, 1::smallint,
	    '2027-01-01 00:00:00Z'::timestamptz, (i % 128)::integer
	    FROM $1 AS i WHERE ${2:-true}"
}

# The lines of a table of cases, whose first says what they are.
vectors()
{
	tail -n +2 "$BATS_TEST_DIRNAME/../vectors/source_$1.txt"
}

# Starts the driver in the background and waits until it says $1.
dump_until()
{
	local want=$1 i
	shift
	# Named, or bash would give it /dev/null.
	"$DUMP" "$@" <&0 >out 2>err 3>&- &
	driver=$!
	for ((i = 0; i < 600; i++)); do
		if grep -q "^$want" out; then
			return 0
		fi
		kill -0 "$driver" 2>/dev/null || break
		sleep 0.05
	done
	cat out err
	return 1
}

# Waits for the driver of dump_until; sets status and output as run does.
dump_end()
{
	status=0
	wait "$driver" || status=$?
	driver=
	output=$(cat out err)
}

@test "the native table: its rows, exactly, in batches of any size" {
	"$BATS_TEST_DIRNAME/../../tools/make-revocations" --count 5000 \
	    --issuer native --quiet
	pg_psql -c "INSERT INTO crlpress.revocation VALUES
	    ('native', '\x7fff', '1999-12-31 23:59:59.999999Z', 10,
	     '9999-12-31 23:59:59Z', NULL),
	    ('other', '\x7fff', now(), 10, '9999-12-31 23:59:59Z', NULL)"
	pg_psql >want <<-'SQL'
	SET timezone = 'UTC';
	SELECT concat_ws(' ', 'row', encode(serial, 'hex'),
	    to_char(date_trunc('second', revoked_at),
	        'YYYY-MM-DD"T"HH24:MI:SS"Z"'), reason,
	    to_char(not_after, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
	    coalesce(shard::text, '-'))
	FROM crlpress.revocation WHERE issuer = 'native';
	SQL
	[ "$(wc -l <want)" -eq 5001 ]
	for n in 1 7 5001 65536; do
		"$DUMP" -c 'user=reader' -n $n -i native -s "SELECT serial,
		    revoked_at, reason, not_after, shard
		    FROM crlpress.revocation WHERE issuer = :'issuer'
		    AND not_after >= :'lookback'" >out
		grep '^row ' out | sort | diff - <(sort want)
		grep -x 'rows 5001' out
		tail -n 1 out | grep -x 'status ok'
	done
}

@test "the native schema: again without change, reader reads, recorder adds" {
	pg_psql -f "$BATS_TEST_DIRNAME/../../sharding-config/native.sql"
	pg_psql -d other \
	    -f "$BATS_TEST_DIRNAME/../../sharding-config/native.sql"
	pg_psql -c 'CREATE ROLE recorder LOGIN IN ROLE crlpress_recorder'
	pg_psql -U recorder -c "INSERT INTO crlpress.revocation
	    VALUES ('roles', '\x01', now(), 0, now(), 3)"
	run -1 pg_psql -U recorder -c 'SELECT 1 FROM crlpress.revocation'
	run -1 pg_psql -U recorder \
	    -c 'UPDATE crlpress.revocation SET reason = 1'
	run -1 pg_psql -U reader -c 'DELETE FROM crlpress.revocation'
	run -1 pg_psql -U reader -c "INSERT INTO crlpress.revocation
	    VALUES ('roles', '\x02', now(), 0, now(), 3)"
	[ "$(pg_psql -U reader -c "SELECT count(*), bool_and(recorded_at
	    BETWEEN now() - interval '1 hour' AND now())
	    FROM crlpress.revocation WHERE issuer = 'roles'")" = '1|t' ]
}

@test "the native schema refuses what no CRL could say" {
	good="'bad', '\x01', now(), 0, now(), 3"
	pg_psql -c "BEGIN; INSERT INTO crlpress.revocation VALUES ($good);
	    ROLLBACK"
	vectors native >cases
	while IFS='#' read -r values constraint; do
		run pg_psql -c "INSERT INTO crlpress.revocation
		    VALUES ($values)"
		[ "$status" -ne 0 ]
		has "$constraint"
	done <cases
	[ "$(pg_psql -c "SELECT count(*) FROM crlpress.revocation
	    WHERE issuer IN ('bad', '')")" = 0 ]
}

@test "the native schema has a comment on everything" {
	run pg_psql <<-'SQL'
	SELECT 'schema' FROM pg_namespace WHERE nspname = 'crlpress'
	    AND obj_description(oid, 'pg_namespace') IS NULL
	UNION ALL SELECT relname FROM pg_class
	    WHERE relnamespace = 'crlpress'::regnamespace
	    AND relname <> 'revocation_pkey'
	    AND obj_description(oid, 'pg_class') IS NULL
	UNION ALL SELECT attname FROM pg_attribute
	    WHERE attrelid = 'crlpress.revocation'::regclass AND attnum > 0
	    AND col_description(attrelid, attnum) IS NULL
	UNION ALL SELECT conname FROM pg_constraint
	    WHERE conrelid = 'crlpress.revocation'::regclass
	    AND obj_description(oid, 'pg_constraint') IS NULL
	UNION ALL SELECT rolname FROM pg_roles WHERE rolname ~ '^crlpress'
	    AND shobj_description(oid, 'pg_authid') IS NULL
	SQL
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "serials: every encoding and type that can hold them" {
	vectors serial >cases
	while IFS='#' read -r encoding value want; do
		dump -e "$encoding" -s "$(column serial "$value")"
		[ "$status" -eq 0 ]
		has "row $want 2026-01-01T00:00:00Z 1 2027-01-01T00:00:00Z 1"
	done <cases
	pg_psql -c "CREATE DOMAIN serial_text AS varchar(40)"
	dump -e hex -s "$(column serial "'abc'::serial_text")"
	has 'row 0abc 2026-01-01'
}

@test "times, reasons and shards: every type that can hold them" {
	vectors time >cases
	while IFS='#' read -r name value want; do
		dump -s "$(column "$name" "$value")"
		[ "$status" -eq 0 ]
		has "$want"
	done <cases
}

@test "each fault of a row, with what else is known of it" {
	vectors fault >cases
	while IFS='#' read -r encoding name value want; do
		dump -e "$encoding" -s "$(column "$name" "$value")"
		[ "$status" -eq 0 ]
		has "$want"
		has 'rows 1'
	done <cases
}

@test "a faulty row among good ones does not touch its neighbours" {
	dump -n 3 -s "VALUES ('\x01'::bytea, 0::bigint, 1, 1::bigint, 5),
	    (NULL, NULL, NULL, NULL, NULL), ('\x02', 2, 3, 4, NULL)"
	[ "$status" -eq 0 ]
	has 'row 01 1970-01-01T00:00:00Z 1 1970-01-01T00:00:01Z 5
row - - 0 - - fault: serial is NULL []
row 02 1970-01-01T00:00:02Z 3 1970-01-01T00:00:04Z -
'
	has 'rows 3'
}

@test "types that do not fit are named, with what to write instead" {
	vectors type >cases
	while IFS='#' read -r name value have hint; do
		dump -s "$(column "$name" "$value")"
		[ "$status" -eq 2 ]
		has "test.sql: columns: type of $have, want"
		has "hint: $hint"
		has 'status config'
		has 'rows 0'
	done <cases
	dump -s "$(column shard true)"
	has 'test.sql: columns: type of shard, have boolean, want smallint, '
	dump -s "SELECT 1, 2.0, 'x', now()::date, true"
	[ "$(grep -c 'columns: type of' <<<"$output")" -eq 5 ]
}

@test "a sixth column: when the row was written, or that it is not known" {
	dump -s "VALUES ('\x01'::bytea, 0::bigint, 1, 1::bigint, 5,
	    '2026-03-01 12:00:00.9+05:45'::timestamptz),
	    ('\x02', 0, 1, 1, NULL, NULL), ('\x03', 0, 1, 1, 5, 'infinity'),
	    ('\x04', 0, 1, 1, 5, '-infinity'),
	    ('\x05', 0, 1, 1, 5, '1949-12-31 23:59:59Z')"
	[ "$status" -eq 0 ]
	has 'row 01 1970-01-01T00:00:00Z 1 1970-01-01T00:00:01Z 5'\
' recorded 2026-03-01T06:15:00Z
row 02 1970-01-01T00:00:00Z 1 1970-01-01T00:00:01Z -
row 03 1970-01-01T00:00:00Z 1 1970-01-01T00:00:01Z 5'\
' but: recorded_at is infinity
row 04 1970-01-01T00:00:00Z 1 1970-01-01T00:00:01Z 5'\
' but: recorded_at is -infinity
row 05 1970-01-01T00:00:00Z 1 1970-01-01T00:00:01Z 5'\
' but: recorded_at is before 1950
'
	has_not fault
	dump -s "SELECT '\x01'::bytea, 0, 1, 1, NULL::int, 1700000000::bigint"
	has 'recorded 2023-11-14T22:13:20Z'
	dump -s "SELECT '\x01'::bytea, 0, 1, 1, NULL::int, 1700000000000"
	has 'but: recorded_at is after 9999: are these seconds?'
}

@test "the columns: five or six, in their order, no parameters" {
	dump -s "SELECT '\x01'::bytea, now(), 1, now()"
	[ "$status" -eq 2 ]
	has 'test.sql: columns: have 4, want 5: serial, revoked_at, reason, '
	dump -s "SELECT '\x01'::bytea, now(), 1, now(), 1, now(), 1"
	has 'columns: have 7, want 5: serial, revoked_at, reason, not_after, '
	has 'shard, or 6 with recorded_at'
	dump -s "SELECT '\x01'::bytea, now(), 1, now(), 1, 1::smallint"
	[ "$status" -eq 2 ]
	has 'type of recorded_at, have smallint, want timestamp with time zone'
	dump -s "SELECT '\x01'::bytea, now(), 1, now(), now() AS recorded_at, 1"
	[ "$status" -eq 2 ]
	has 'column 5, have recorded_at, want shard'
	dump -s "SELECT '\x01'::bytea, now(), 1, now(), 1, now() AS reason"
	[ "$status" -eq 2 ]
	has 'column 6, have reason, want recorded_at'
	dump -s "SELECT '\x01'::bytea, now() AS not_after, 1,
	    now() AS revoked_at, 1"
	[ "$status" -eq 2 ]
	has 'test.sql: columns: column 2, have not_after, want revoked_at'
	has 'test.sql: columns: column 4, have revoked_at, want not_after'
	dump -s "SELECT '\x01'::bytea AS a, now() AS b, 1 AS c, now() AS d,
	    \$1::int"
	[ "$status" -eq 2 ]
	has "test.sql: statement: parameters like \$1, have 1, want none"
}

@test "placeholders: replaced, quoted, left alone, or refused by name" {
	sql="SELECT '\x0a'::bytea, now(), 1, :'lookback'::timestamptz,
	    (:'issuer' = E'O''Brien \\\\ \"x\" :\\'lookback\\'')::int
	    -- :unknown"
	dump -l 1700000000 -i "O'Brien \\ \"x\" :'lookback'" -s "$sql"
	[ "$status" -eq 0 ]
	has ' 2023-11-14T22:13:20Z 1'
	# Bounds that no timestamp has are those of certificates.
	dump -l -9223372036854775808 -i x -s "$sql"
	has ' 1950-01-01T00:00:00Z 0'
	dump -l 9223372036854775807 -i x -s "$sql"
	has ' 9999-12-31T23:59:59Z 0'
	dump -s "SELECT 1,
	    :'Issuer'"
	[ "$status" -eq 2 ]
	has 'test.sql: statement: line 2: an unknown placeholder Issuer'
	has "hint: the placeholders are :'issuer', :'lookback', :'part' and"
	dump -s 'SELECT :lookback'
	[ "$status" -eq 2 ]
	has 'an unknown placeholder lookback'
	dump -i $'\xff' -s "SELECT :'issuer'"
	[ "$status" -eq 2 ]
	has 'status config'
}

@test "a statement may be any that yields rows, and only that" {
	dump -s "WITH r AS (VALUES ('\x0a'::bytea, now(), 1, now(), 1))
	    SELECT * FROM r; -- the end"
	[ "$status" -eq 0 ]
	has 'rows 1'
	pg_psql -c "CREATE TABLE readable (serial bytea, revoked_at timestamptz,
	    reason int2, not_after timestamptz, shard int8)"
	dump -s 'TABLE readable'
	[ "$status" -eq 0 ]
	has 'rows 0'
	dump -s "INSERT INTO readable VALUES ('\x0a', now(), 1, now(), 1)
	    RETURNING *"
	[ "$status" -eq 1 ]
	has 'cannot execute INSERT in a read-only transaction'
	[ "$(pg_psql -c 'SELECT count(*) FROM readable')" = 0 ]
	dump -s "SELECT 1; DROP TABLE readable"
	[ "$status" -eq 2 ]
	has 'more than one statement'
	dump -s "SELECT * FROM readable) TO STDOUT; DROP TABLE readable --"
	[ "$status" -eq 2 ]
	dump -s "SELECT * FROM readable) TO '/tmp/x' --"
	[ "$status" -eq 1 ]
	has 'syntax error at or near ")"'
	dump -s ''
	[ "$status" -ne 0 ]
	has 'rows 0'
	dump -s 'SHOW server_version'
	[ "$status" -eq 2 ]
	pg_psql -c 'SELECT 1 FROM readable'
}

@test "zero rows are complete, too" {
	dump -s "$(series 'generate_series(1, 0)')"
	[ "$status" -eq 0 ]
	has 'rows 0'
	has 'status ok'
	has_not 'no longer done'
}

@test "missing table, column, schema, right: the line and what to do" {
	dump -s 'SELECT *
	    FROM ä,
	    nowhere'
	[ "$status" -eq 1 ]
	has 'test.sql: statement: line 2: relation "ä" does not exist'
	has '(SQLSTATE 42P01)'
	has 'hint: is it the right database'
	dump -s 'SELECT serial, when_revoked FROM crlpress.revocation'
	[ "$status" -eq 1 ]
	has 'line 1: column "when_revoked" does not exist (SQLSTATE 42703)'
	has 'hint:'
	pg_psql -c 'CREATE TABLE secret (a int)'
	dump -c user=reader -s "SELECT '\x01'::bytea, 0, 0, 0, a FROM secret"
	[ "$status" -ne 0 ]
	has 'permission denied for table secret'
	dump -s 'SELEC'
	has 'line 1: syntax error at or near "SELEC"'
	# The server's own hint is passed on.
	dump -s 'SELECT seria FROM crlpress.revocation'
	has 'hint: Perhaps you meant to reference the column'
	has '"revocation.serial"'
}

@test "an error in the middle of the rows ends the run" {
	dump -q -s "$(series 'generate_series(1, 200000)' \
	    '1 / (150000 - i) IS NOT NULL')"
	[ "$status" -eq 1 ]
	has 'test.sql: copy: division by zero (SQLSTATE 22012)'
	has 'status failed'
}

@test "wrong password: said, and never repeated" {
	dump -c 'user=locked password=wrong-one' -N
	[ "$status" -eq 1 ]
	has 'password authentication failed for user "locked"'
	has 'hint: the password belongs in'
	has_not wrong-one
	dump -c "postgresql://locked:wrong-one@/postgres" -N
	has 'password authentication failed'
	has_not wrong-one
	dump -c user=locked -N
	[ "$status" -eq 1 ]
	has 'no password supplied'
	has 'hint: the password belongs in'
	dump -c 'user=locked password=right-one' -N
	[ "$status" -eq 0 ]
	echo '*:*:*:locked:right-one' >pgpass
	chmod 600 pgpass
	PGPASSFILE=$PWD/pgpass dump -c user=locked -N
	[ "$status" -eq 0 ]
}

@test "connection strings: conninfo, URI, service, a name; wrong ones" {
	unset PGHOST PGPORT PGUSER PGDATABASE
	dump -c "host=$PG_ROOT/main port=5432 user=tester dbname=other" -N
	[ "$status" -eq 0 ]
	dump -c "postgresql://tester@/other?host=$PG_ROOT/main" -N
	[ "$status" -eq 0 ]
	printf '[crl]\nhost=%s\nuser=tester\ndbname=other\n' \
	    "$PG_ROOT/main" >service
	PGSERVICEFILE=$PWD/service dump -c service=crl -N
	[ "$status" -eq 0 ]
	pg_env main
	dump -c other -N
	[ "$status" -eq 0 ]
	dump -c nosuch -N
	[ "$status" -eq 1 ]
	has "database nosuch at $PG_ROOT/main:5432: connect:"
	has 'database "nosuch" does not exist'
	dump -c 'host=x por=1' -N
	[ "$status" -eq 2 ]
	has 'invalid connection option "por"'
	dump -c 'host=x password=one two-secret' -N
	[ "$status" -eq 2 ]
	has 'database: connect: the connection string cannot be parsed'
	has_not secret
	dump -c 'host=x passwrd=two-secret' -N
	[ "$status" -eq 2 ]
	has 'invalid connection option "passwrd"'
	has 'hint: the password belongs in libpq'
	has_not secret
	dump -c 'postgresql://u:two-secret@[host/x' -N
	[ "$status" -eq 2 ]
	has_not secret
}

@test "no server, no answer, no such host" {
	dump -c "host=$BATS_TEST_TMPDIR" -N
	[ "$status" -eq 1 ]
	has "database postgres at $BATS_TEST_TMPDIR:5432: connect:"
	has 'No such file or directory'
	has 'status io'
	dump -c 'host=127.0.0.1 port=1' -N
	[ "$status" -eq 1 ]
	has 'Connection refused'
	dump -c 'host=nowhere.invalid' -N
	[ "$status" -eq 1 ]
	has 'could not translate host name "nowhere.invalid"'
	# Somebody listens and says nothing.
	kill -STOP "$(pg_pid)"
	dump -T 2 -N
	kill -CONT "$(pg_pid)"
	[ "$status" -eq 1 ]
	has 'timeout expired'
}

@test "the session: its name, isolation and settings; the role's path" {
	dump -s "SELECT '\x01'::bytea, 0, 0, 0, (
	    current_setting('application_name') = 'crlpress'
	    AND current_setting('transaction_isolation') = 'repeatable read'
	    AND current_setting('transaction_read_only') = 'on'
	    AND current_setting('TimeZone') = 'UTC'
	    AND current_setting('statement_timeout') = '1min'
	    AND current_setting('lock_timeout') = '1ms'
	    AND current_setting('row_security') = 'off'
	    AND current_setting('idle_in_transaction_session_timeout') = '0'
	    AND current_setting('standard_conforming_strings') = 'on'
	    AND current_setting('client_encoding') = 'UTF8')::int"
	has '1970-01-01T00:00:00Z 1'
	dump -c "application_name=mine client_encoding=LATIN1" -s "SELECT
	    '\x01'::bytea, 0, 0, 0, (
	    current_setting('application_name') = 'mine'
	    AND current_setting('client_encoding') = 'UTF8')::int"
	has '1970-01-01T00:00:00Z 1'
	# Functions of the role's own must not speak for the server.
	pg_psql <<-'SQL'
	CREATE ROLE trapped LOGIN;
	CREATE SCHEMA trap AUTHORIZATION trapped;
	CREATE FUNCTION trap.pg_is_in_recovery() RETURNS bool
	    LANGUAGE sql AS 'SELECT true';
	CREATE FUNCTION trap.clock_timestamp() RETURNS timestamptz
	    LANGUAGE sql AS $$SELECT 'infinity'::timestamptz$$;
	CREATE TABLE trap.mine AS SELECT 77 AS shard;
	GRANT SELECT ON trap.mine TO trapped;
	ALTER ROLE trapped SET search_path = trap, pg_catalog;
	SQL
	before=$(date +%s%6N)
	dump -c user=trapped -s "SELECT '\x01'::bytea, 0, 0, 0, shard FROM mine"
	[ "$status" -eq 0 ]
	has 'standby=0'
	[[ $output =~ now_usec=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ge "$before" ]
	[ "${BASH_REMATCH[1]}" -le "$(date +%s%6N)" ]
	has '1970-01-01T00:00:00Z 77'
}

@test "a policy that hides rows is an error, not fewer rows" {
	pg_psql -c "CREATE TABLE guarded (serial bytea, revoked_at timestamptz,
	    reason int2, not_after timestamptz, shard int8)" \
	    -c 'ALTER TABLE guarded ENABLE ROW LEVEL SECURITY' \
	    -c 'CREATE POLICY few ON guarded USING (shard = 1)' \
	    -c 'CREATE ROLE blinkered LOGIN' \
	    -c 'GRANT SELECT ON guarded TO blinkered'
	dump -c user=blinkered -s 'TABLE guarded'
	[ "$status" -eq 1 ]
	has '(SQLSTATE 42501)'
	has 'row-level security'
}

@test "rows committed after the opening are not seen" {
	pg_psql -c "CREATE TABLE isolated AS SELECT '\x01'::bytea AS serial,
	    now() AS revoked_at, 1 AS reason, now() AS not_after, 1 AS shard"
	mkfifo go
	exec 4<>go
	dump_until snapshot -w -s 'TABLE isolated' <&4
	pg_psql -c "INSERT INTO isolated VALUES ('\x02', now(), 1, now(), 1)"
	echo >&4
	dump_end
	exec 4>&-
	[ "$status" -eq 0 ]
	has 'rows 1'
	dump -s 'TABLE isolated'
	has 'rows 2'
}

@test "statement timeout and lock: the reason and the remedy" {
	dump -q -t 1 -s "$(series 'generate_series(1, 200000)' \
	    'i <> 150000 OR pg_sleep(20) IS NULL')"
	[ "$status" -eq 1 ]
	has 'test.sql: copy: canceling statement due to statement timeout'
	has '(SQLSTATE 57014)'
	has 'hint: raise statement_timeout'
	pg_psql -c "CREATE TABLE held (serial bytea, revoked_at timestamptz,
	    reason int2, not_after timestamptz, shard int8)"
	pg_psql -c 'BEGIN; LOCK held; SELECT pg_sleep(600)' >/dev/null 3>&- &
	locker=$!
	pg_wait "SELECT count(*) = 1 FROM pg_locks
	    WHERE relation = 'held'::regclass AND granted"
	dump -t 1 -s 'TABLE held'
	[ "$status" -eq 1 ]
	# Not waited for: what a rewrite leaves looks empty to the snapshot.
	has '(SQLSTATE 55P03)'
	has 'hint: something holds the table'
	pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_locks
	    WHERE relation = 'held'::regclass" >/dev/null
	wait $locker || true
}

@test "the backend is terminated, cancelled, silent in the middle of COPY" {
	slow=$(series 'generate_series(1, 200000)' \
	    'i <> 150000 OR pg_sleep(60) IS NULL')
	them="FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
	dump_until reading -q -s "$slow"
	# A backend that is ended while it sends cannot say so.
	pg_wait "SELECT count(*) = 1 $them"
	pg_psql -c "SELECT pg_terminate_backend(pid) $them" >/dev/null
	dump_end
	[ "$status" -eq 1 ]
	has 'terminating connection due to administrator command'
	has '(SQLSTATE 57P01)'
	dump_until reading -q -s "$slow"
	pg_wait "SELECT count(*) = 1 $them"
	pg_psql -c "SELECT pg_cancel_backend(pid) $them" >/dev/null
	dump_end
	[ "$status" -eq 1 ]
	has 'canceling statement due to user request'
	dump_until reading -q -t 8 -s "$slow"
	pg_wait "SELECT count(*) = 1 $them"
	backend=$(pg_psql -c "SELECT pid $them")
	kill -STOP "$backend"
	dump_end
	kill -CONT "$backend"
	[ "$status" -eq 1 ]
	has "database postgres at $PGHOST:5432: copy:"
	has 'the server has been silent for 18 s'
	has 'status io'
}

@test "notices of the server are notes, and no rows" {
	pg_psql <<-'SQL'
	CREATE FUNCTION noisy(i int) RETURNS int LANGUAGE plpgsql AS $$
	BEGIN RAISE NOTICE 'quiet %', i; RAISE WARNING E'loud\n%', i; RETURN i;
	END $$;
	SQL
	dump -s "SELECT '\x01'::bytea, 0, 0, 0, noisy(i)
	    FROM generate_series(1, 3) AS i"
	[ "$status" -eq 0 ]
	has 'WARNING:  loud 3'
	has_not quiet
	has 'rows 3'
}

@test "rows of any size up to a limit, with TLS's kind of partial reads" {
	dump -q -s "SELECT decode(repeat('7f', 60000 + i % 5000), 'hex'), 0, 0,
	    0, 0 FROM generate_series(1, 500) AS i"
	[ "$status" -eq 0 ]
	has 'rows 500'
	dump -q -s "SELECT decode(repeat('7f', 65536), 'hex'), 0, 0, 0, 0"
	[ "$status" -eq 1 ]
	has 'copy, binary COPY format: after row 0: a tuple above 64 KiB'
	dump -q -s "SELECT decode(repeat('7f', 10000000), 'hex'), 0, 0, 0, 0
	    FROM generate_series(1, 3)"
	[ "$status" -eq 1 ]
	has 'a tuple above 64 KiB'
}

@test "where the snapshot stands: identifier, timeline, position, clock" {
	before=$(date +%s%6N)
	pg_psql -c 'CREATE TABLE advance (a int)'
	lsn=$(pg_psql -c 'SELECT pg_current_wal_insert_lsn()')
	dump -N
	has 'position=1'
	has "system=$(pg_run "$PG_BIN/pg_controldata" \
	    "$PG_ROOT/main/data" | sed -n 's/.*system identifier: *//p') "
	has 'timeline=1 '
	has 'standby=0 '
	[[ $output =~ now_usec=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ge "$before" ]
	[ "${BASH_REMATCH[1]}" -le "$(date +%s%6N)" ]
	[[ $output =~ wal=([0-9A-F]+/[0-9A-F]+) ]]
	first=${BASH_REMATCH[1]}
	[ "$(pg_psql -c "SELECT '$first'::pg_lsn >= '$lsn'::pg_lsn")" = t ]
	# A page's header is no position of its own.
	# The server itself writes now and then: it must not have in between.
	for i in {1..20}; do
		pg_psql -c 'SELECT pg_switch_wal()' >/dev/null
		dump -N
		[[ $(pg_psql -c 'SELECT pg_current_wal_insert_lsn()') != \
		    */*000028 ]] || break
	done
	[ "$i" -lt 20 ]
	[[ $output =~ wal=[0-9A-F]+/[0-9A-F]*000000' ' ]]
	# Privileges: the rest goes on without a position.
	pg_psql -c 'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC'
	dump -c user=reader -s "$(series 'generate_series(1, 5)')"
	pg_psql -c 'GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC'
	[ "$status" -eq 0 ]
	has 'position=0 system= timeline=0 wal=0/0'
	has 'rows 5'
	dump -c user=reader -N
	has 'position=1'
}

@test "a standby: its own position, its lag, its timeline after promotion" {
	pg_standby standby
	dump -N
	has 'standby=1'
	has 'timeline=1 '
	has 'position=1'
	pg_env main
	pg_psql -c 'CREATE TABLE replayed (a int)'
	pg_psql -c 'SELECT pg_switch_wal()' >/dev/null
	dump -N
	[[ $output =~ (system=[0-9]+) ]]
	system=${BASH_REMATCH[1]}
	[[ $output =~ wal=([0-9A-F]+/[0-9A-F]+) ]]
	primary=${BASH_REMATCH[1]}
	pg_env standby
	# Caught up means caught up, page headers or not.
	pg_wait "SELECT pg_last_wal_replay_lsn() >= '$primary'"
	dump -N
	has "$system "
	[[ $output =~ wal=([0-9A-F]+/[0-9A-F]+) ]]
	position=${BASH_REMATCH[1]}
	[ "$(pg_psql -c "SELECT '$position' >= '$primary'::pg_lsn")" = t ]
	# An idle primary is no lag, however old its last commit.
	sleep 2
	for i in 1 2 3; do
		dump -N
		# What the server writes by itself may be on its way.
		[[ ! $output =~ lag=0\.0 ]] || break
	done
	[[ $output =~ lag=0\.0 ]]
	# Replay stands still, the primary goes on.
	pg_psql -c 'SELECT pg_wal_replay_pause()'
	pg_env main
	pg_psql -c 'CREATE TABLE unseen (a int)'
	primary=$(pg_psql -c 'SELECT pg_current_wal_lsn()')
	PGHOST=$PG_ROOT/standby \
	    pg_wait "SELECT pg_last_wal_receive_lsn() >= '$primary'"
	sleep 2
	dump -N
	[[ $output =~ wal=([0-9A-F]+/[0-9A-F]+) ]]
	primary=${BASH_REMATCH[1]}
	pg_env standby
	dump -N
	[[ $output =~ wal=([0-9A-F]+/[0-9A-F]+) ]]
	position=${BASH_REMATCH[1]}
	[ "$(pg_psql -c "SELECT '$position' < '$primary'::pg_lsn")" = t ]
	[[ $output =~ lag=([0-9]+)\. ]]
	[ "${BASH_REMATCH[1]}" -ge 2 ]
	pg_psql -c 'SELECT pg_wal_replay_resume()'
	# A standby of the standby follows it to the new timeline.
	pg_standby second standby
	pg_env standby
	pg_psql -c 'SELECT pg_promote()' >/dev/null
	dump -N
	has 'timeline=2 '
	has 'standby=0 '
	has "$system "
	[[ $output =~ wal=([0-9A-F]+/[0-9A-F]+) ]]
	primary=${BASH_REMATCH[1]}
	pg_env second
	pg_wait "SELECT pg_last_wal_replay_lsn() >= '$primary'"
	dump -N
	has 'timeline=2 '
	has 'standby=1 '
	pg_stop second
	pg_stop standby
}

@test "the server dies by kill -9 in the middle of COPY" {
	pg_start dying
	dump_until reading -q -s "$(series 'generate_series(1, 5000000)')"
	pg_kill9 dying
	dump_end
	[ "$status" -eq 1 ]
	has "database postgres at $PG_ROOT/dying:5432: copy:"
	has 'status io'
	dump -N
	[ "$status" -eq 1 ]
	has 'Connection refused'
}
