# SPDX-License-Identifier: ISC
#
# Rows read by several connections in one snapshot: the same CRLs as by one,
# byte for byte, and the same words; what happens when a connection is not to
# be had, or is another server's, or breaks.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

# RSA signs the same bytes twice alike.
setup_file()
{
	publish_setup
	pg_psql -c 'ALTER SYSTEM SET log_connections = on' \
	    -c 'ALTER SYSTEM SET synchronize_seqscans = off' \
	    -c 'SELECT pg_reload_conf()' >/dev/null
	"$PUBLISH_TREE/tools/make-ca" --rsa "$BATS_FILE_TMPDIR/rsa"
	# As large as is worth it: some 2200 blocks, the last half full.
	"$PUBLISH_TREE/tools/make-revocations" --quiet --count 190000 \
	    --issuer big --shards 5 --first 1
	pg_psql -c 'VACUUM ANALYZE crlpress.revocation'
	# Holds who asks until hold_end, so that the first reader cannot have
	# read everything before the others are there.
	pg_psql -c 'CREATE FUNCTION hold() RETURNS boolean
	    LANGUAGE plpgsql AS $$
	    BEGIN
	        WHILE NOT pg_try_advisory_lock_shared(1) LOOP
	            PERFORM pg_sleep(0.02);
	        END LOOP;
	        RETURN true;
	    END $$'
	export DUMP=${CRLPRESS%/*}/drivers/source_dump
	NOW=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	export NOW
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
	own_ca=$BATS_FILE_TMPDIR/rsa
}

# big NAME [SETTING...]: a configuration of the large issuer.
big()
{
	local as=$1
	shift
	publish_new "$as" source.issuer_id=big shards.count=5 shards.first=1 \
	    shards.url='http://crl.example.com/big/{shard}.crl' "$@"
}

# press JOBS [OPTION...]: publishes into a new store; the hashes of all CRLs
# stand in JOBS.sum, what was said in JOBS.err, and $opened says how many
# connections there were.
press()
{
	local jobs=$1 log=$PG_ROOT/${server:-main}/log before
	shift
	rm -rf "$store" "$state"
	mkdir "$store"
	before=$(authorized)
	publish --json --jobs "$jobs" --now "$NOW" "$@"
	pressed "$jobs"
}

authorized()
{
	grep -c 'connection authorized: user=cron' \
	    "$PG_ROOT/${server:-main}/log" || true
}

pressed()
{
	opened=$(($(authorized) - before))
	printf '%s\n' "$stderr" >"$1.err"
	(cd "$store" && find . -name '*.crl' -exec sha256sum {} + | sort) \
	    >"$1.sum"
	rows=$(/usr/bin/python3 -c 'import json, sys
run = json.load(sys.stdin)["runs"][0]
print(sorted(run.get("rows", {}).items()))' <<<"$output")
}

# press_held JOBS CONDITION...: the same, where part 0 is held until the
# command says so.
press_held()
{
	local jobs=$1 before i pid holder
	shift
	PGHOST=$PG_ROOT/${server:-main} pg_psql \
	    -c 'SELECT pg_advisory_lock(1)' -c '\echo held' \
	    -c 'SELECT pg_sleep(600)' >holder 2>&1 3>&- &
	holder=$!
	until_true grep -q held holder || return 1
	rm -rf "$store" "$state"
	mkdir "$store"
	before=$(authorized)
	"$CRLPRESS" publish --config "$conf" --json --jobs "$jobs" \
	    --now "$NOW" >out 2>err 3>&- &
	pid=$!
	until_true "$@" || true
	kill "$holder"
	PGHOST=$PG_ROOT/${server:-main} pg_psql -c "SELECT
	    pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
	    AND mode = 'ExclusiveLock'" >/dev/null
	status=0
	wait "$pid" || status=$?
	output=$(cat out)
	stderr=$(cat err)
	pressed "$jobs"
}

# Up to a minute.
until_true()
{
	local i
	for ((i = 0; i < 600; i++)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	echo "never true: $*" >&2
	return 1
}

# $before and this many more.
are_opened()
{
	[ $(($(authorized) - before)) -ge "$1" ]
}

# A statement that is read in parts, the first of which is held.
held_query()
{
	cat >held.sql <<-'SQL'
	SELECT serial, revoked_at, reason, not_after, shard, recorded_at
	FROM crlpress.revocation
	WHERE issuer = :'issuer' AND not_after >= :'lookback'
	    AND get_byte(serial, 9) % :'parts'::int = :'part'::int
	    AND (:'parts' = '1' OR :'part' <> '0' OR (SELECT hold()))
	SQL
	big e1 source.query_file="$PWD/held.sql" "$@"
}

# The CRLs of the large issuer, read by one connection, once for this file.
reference()
{
	local all=$BATS_FILE_TMPDIR/reference.sum
	if [ ! -e "$all" ]; then
		big reference
		press 1
		ended 0
		same "$opened" 1 'connections of one job'
		[ "$(wc -l <1.sum)" -eq 5 ]
		cp 1.sum "$all"
	fi
	cp "$all" reference.sum
}

# The last press made the very CRLs.
as_one()
{
	ended 0 || return 1
	has "$rows" "('listed', 190000)" || return 1
	has "$rows" "('read', 190000)" || return 1
	diff reference.sum "$1.sum"
}

@test "several connections: the same bytes as one, and not a word" {
	reference
	pg_psql -c "ALTER ROLE cron SET log_statement = 'all'"
	big e1
	for jobs in 2 4; do
		cp "$PG_ROOT/main/log" before.log
		press $jobs
		as_one $jobs
		same "$(cat $jobs.err)" '' stderr
		[ "$opened" -le $jobs ]
		# Whoever read them: all parts, which follow one another.
		comm -13 <(sort before.log) <(sort "$PG_ROOT/main/log") |
		    sed -n "s/.*ctid >=  '(\([0-9]*\),0)' .*/\1/p" |
		    sort -n | uniq >parts
		[ "$(wc -l <parts)" -ge 2 ]
	done
	pg_psql -c 'ALTER ROLE cron RESET ALL'
}

@test "as many as are configured, and as there are threads" {
	reference
	held_query source.connections=3
	press_held 8 are_opened 3
	as_one 8
	same "$opened" 3 connections
	held_query
	press_held 2 are_opened 2
	as_one 2
	same "$opened" 2 connections
	held_query source.connections=1
	press 4
	as_one 4
	same "$opened" 1 connections
}

@test "a small table is read by one" {
	publish_new small
	revoke 0a 0 "$(($(date +%s) - 100))" "$(($(date +%s) + 100000))"
	"$PG_BIN/psql" -X -q -c 'CREATE SCHEMA few' -c 'CREATE TABLE few.rows
	    AS SELECT * FROM crlpress.revocation LIMIT 0'
	press 4
	ended 0
	# Its rows are few, but the table that they stand in is large.
	[ "$opened" -ge 1 ]
	has "$rows" "('listed', 1)"
	cat >few.sql <<-'SQL'
	SELECT serial, revoked_at, reason, not_after, shard FROM few.rows
	SQL
	big e1 source.query_file="$PWD/few.sql" gates.allow_empty=yes
	pg_psql -c 'GRANT USAGE ON SCHEMA few TO cron'
	press 4
	ended 0
	same "$opened" 1 connections
	pg_psql -c 'DROP SCHEMA few CASCADE'
	pg_psql -c "DELETE FROM crlpress.revocation WHERE issuer = 'small'"
}

# Shards are made by threads, so what is said of them has no order.
spoken()
{
	grep -v ': duplicate, ' "$1.err"
	grep ': duplicate, ' "$1.err" | sort
}

@test "faulty rows, late ones and duplicates: the same lines in one order" {
	local column='serial, revoked_at, reason, not_after, shard'
	pg_psql -c "CREATE TABLE odd AS SELECT $column, recorded_at
	        FROM crlpress.revocation WHERE issuer = 'big'" \
	    -c "UPDATE odd SET reason = 7 WHERE get_byte(serial, 3) = 1
	        AND get_byte(serial, 4) < 20 AND shard < 3" \
	    -c "UPDATE odd SET revoked_at = 'infinity'
	        WHERE get_byte(serial, 3) = 2 AND shard = 3" \
	    -c "UPDATE odd SET revoked_at = timestamptz '$NOW' + interval '1 y'
	        WHERE get_byte(serial, 3) = 4 AND shard = 3" \
	    -c "UPDATE odd SET revoked_at = timestamptz '$NOW' + interval '1 s'
	        WHERE get_byte(serial, 3) = 5" \
	    -c "INSERT INTO odd SELECT $column FROM odd
	        WHERE get_byte(serial, 3) = 6" \
	    -c "INSERT INTO odd SELECT serial, revoked_at, CASE reason WHEN 4
	        THEN 5 ELSE 4 END, not_after, shard FROM odd
	        WHERE get_byte(serial, 3) = 7 AND shard = 4" \
	    -c 'GRANT SELECT ON odd TO cron'
	cat >odd.sql <<-'SQL'
	SELECT serial, revoked_at, reason, not_after, shard, recorded_at
	FROM odd WHERE (get_byte(serial, 9) % :'parts'::int) = :'part'::int
	SQL
	big e1 source.query_file="$PWD/odd.sql"
	press 1
	ended 3
	one=$rows
	has "$(cat 1.err)" 'reason is 7, which means nothing'
	has "$(cat 1.err)" 'more findings of rule rows'
	has "$(cat 1.err)" 'contradicting rows'
	[ "$(wc -l <1.sum)" -eq 1 ]
	for jobs in 2 4; do
		press $jobs
		ended 3
		same "$rows" "$one" rows
		diff <(spoken 1) <(spoken $jobs)
		diff 1.sum $jobs.sum
	done
	pg_psql -c "UPDATE odd SET shard = 99 WHERE get_byte(serial, 3) = 3"
	press 1
	ended 3
	has "$(cat 1.err)" 'no shard can be told for it'
	press 4
	ended 3
	diff 1.err 4.err
	pg_psql -c 'DROP TABLE odd'
}

@test "a statement of one's own: in parts where it says how" {
	reference
	cat >own.sql <<-'SQL'
	SELECT serial, revoked_at, reason, not_after, shard, recorded_at
	FROM crlpress.revocation
	WHERE issuer = :'issuer' AND not_after >= :'lookback'
	    AND get_byte(serial, 9) % :'parts'::int = :'part'::int
	SQL
	big e1 source.query_file="$PWD/own.sql"
	for jobs in 1 3; do
		press $jobs
		as_one $jobs
	done
	# It does not: one connection, as ever.
	sed -i '/:.parts/d' own.sql
	press 4
	as_one 4
	same "$opened" 1 connections
}

@test "a statement that loses rows in its parts, or has some twice" {
	local where
	for where in \
	    'hashtext(encode(serial, $$hex$$)) % :'\''parts'\''::int' \
	    'CASE WHEN shard <> 2 THEN get_byte(serial, 9)
	        % :'\''parts'\''::int END'; do
		echo "SELECT serial, revoked_at, reason, not_after, shard
		    FROM crlpress.revocation WHERE issuer = :'issuer'
		    AND not_after >= :'lookback'
		    AND ($where = :'part'::int OR :'parts' = '1')" >own.sql
		big e1 source.query_file="$PWD/own.sql"
		press 1
		ended 0
		press 4
		ended 3
		[[ $stderr =~ own.sql:\ parts,\ BR\ 4.9.7:\ rows\ of\ all\ 4 ]]
		has "$stderr" 'want the 190000 of the whole'
		has "$stderr" 'hint: every row has to be in exactly one part'
		same "$(cat 4.sum)" '' 'what was published'
	done
	echo "SELECT serial, revoked_at, reason, not_after, shard
	    FROM crlpress.revocation WHERE issuer = :'issuer'
	    AND not_after >= :'lookback' AND (shard <= :'part'::int + 1
	    OR :'parts' = '1')" >own.sql
	press 4
	ended 3
	has "$stderr" 'want the 190000 of the whole'
}

@test "part without parts, parts without part: not a configuration" {
	local one
	for one in part parts; do
		echo "SELECT serial, revoked_at, reason, not_after, shard
		    FROM crlpress.revocation WHERE shard = :'$one'::int" \
		    >own.sql
		big e1 source.query_file="$PWD/own.sql"
		publish
		ended 2
		has "$stderr" "and :'parts' go together"
	done
}

@test "partitions, and a table that inherits: each row once" {
	reference
	pg_psql <<-'SQL'
	ALTER TABLE crlpress.revocation RENAME TO kept;
	CREATE TABLE crlpress.revocation (LIKE crlpress.kept)
	    PARTITION BY LIST (shard);
	CREATE TABLE crlpress.p1 PARTITION OF crlpress.revocation
	    FOR VALUES IN (1, 2);
	CREATE TABLE crlpress.p2 PARTITION OF crlpress.revocation DEFAULT;
	INSERT INTO crlpress.revocation SELECT * FROM crlpress.kept;
	GRANT SELECT ON crlpress.revocation TO cron;
	SQL
	big e1
	press 4
	# Enough blocks in the larger one or not: no row is lost.
	as_one 4
	pg_psql <<-'SQL'
	DROP TABLE crlpress.revocation;
	CREATE TABLE crlpress.revocation (LIKE crlpress.kept);
	CREATE TABLE crlpress.child () INHERITS (crlpress.revocation);
	INSERT INTO crlpress.revocation SELECT * FROM crlpress.kept
	    WHERE shard = 1;
	INSERT INTO crlpress.child SELECT * FROM crlpress.kept
	    WHERE shard <> 1;
	GRANT SELECT ON crlpress.revocation TO cron;
	SQL
	press 3
	as_one 3
	# A view has no ctid, and may stand for anything.
	pg_psql <<-'SQL'
	DROP TABLE crlpress.revocation CASCADE;
	CREATE VIEW crlpress.revocation AS SELECT * FROM crlpress.kept;
	GRANT SELECT ON crlpress.revocation TO cron;
	SQL
	press 4
	as_one 4
	same "$opened" 1 'connections for a view'
	pg_psql <<-'SQL'
	DROP VIEW crlpress.revocation;
	ALTER TABLE crlpress.kept RENAME TO revocation;
	SQL
}

@test "where an index finds the rows: by ranges of shards" {
	reference
	pg_psql -c 'ALTER ROLE cron SET enable_tidscan = off' \
	    -c 'ALTER ROLE cron SET enable_seqscan = off' \
	    -c "ALTER SYSTEM SET log_statement = 'all'" \
	    -c 'SELECT pg_reload_conf()' >/dev/null
	big e1
	press 4
	pg_psql -c 'ALTER ROLE cron RESET ALL' \
	    -c 'ALTER SYSTEM RESET log_statement' \
	    -c 'SELECT pg_reload_conf()' >/dev/null
	as_one 4
	grep -q 'COPY.*shard >= CAST' "$PG_ROOT/main/log"
}

@test "rows without a shard are found by some part" {
	pg_psql -c "INSERT INTO crlpress.revocation (issuer, serial, revoked_at,
	    reason, not_after) SELECT issuer, serial || '\x01', revoked_at,
	    reason, not_after FROM crlpress.revocation WHERE issuer = 'big'
	    AND octet_length(serial) < 20 LIMIT 3" \
	    -c 'ALTER ROLE cron SET enable_tidscan = off' \
	    -c 'ALTER ROLE cron SET enable_seqscan = off'
	big e1
	press 1
	one=$rows
	press 4
	pg_psql -c 'ALTER ROLE cron RESET ALL' \
	    -c 'DELETE FROM crlpress.revocation WHERE shard IS NULL'
	ended 3
	same "$rows" "$one" rows
	diff 1.err 4.err
	has "$(cat 4.err)" 'no shard can be told for it'
	has "$rows" "('read', 190003)"
}

twice_refused()
{
	[ "$(grep -c 'too many connections for role' \
	    "$PG_ROOT/main/log")" -ge 2 ]
}

@test "connections that are not to be had: fewer read, and it is noted" {
	reference
	pg_psql -c 'ALTER ROLE cron CONNECTION LIMIT 2'
	held_query
	press_held 4 twice_refused
	pg_psql -c 'ALTER ROLE cron CONNECTION LIMIT -1'
	as_one 4
	has "$stderr" 'note: e1: rows are read by fewer connections: '
	has "$stderr" 'too many connections for role "cron"'
	[[ $stderr != *$'\n'"e1: "* ]]
}

@test "a server that does not let its snapshot be exported" {
	reference
	pg_psql -c 'REVOKE EXECUTE ON FUNCTION pg_export_snapshot FROM PUBLIC'
	big e1
	press 4
	pg_psql -c 'GRANT EXECUTE ON FUNCTION pg_export_snapshot TO PUBLIC'
	as_one 4
	same "$opened" 1 connections
	has "$stderr" 'note: database postgres at '
	has "$stderr" 'one connection reads all: permission denied for function'
}

@test "one that cannot begin gives back what it took" {
	reference
	# Whoever has part 0 may go on; others fail before their first row.
	pg_psql -c 'CREATE FUNCTION mine(part integer) RETURNS boolean
	    LANGUAGE plpgsql AS $$
	    BEGIN
	        IF part = 0 THEN
	            PERFORM pg_advisory_xact_lock_shared(7);
	        END IF;
	        WHILE NOT EXISTS (SELECT FROM pg_locks
	            WHERE locktype = '\''advisory'\'' AND objid = 7) LOOP
	            PERFORM pg_sleep(0.02);
	        END LOOP;
	        IF NOT EXISTS (SELECT FROM pg_locks WHERE objid = 7
	            AND locktype = '\''advisory'\'' AND pid = pg_backend_pid())
	        THEN
	            RAISE EXCEPTION '\''not mine'\'';
	        END IF;
	        RETURN true;
	    END $$'
	cat >mine.sql <<-'SQL'
	SELECT serial, revoked_at, reason, not_after, shard, recorded_at
	FROM crlpress.revocation
	WHERE issuer = :'issuer' AND not_after >= :'lookback'
	    AND get_byte(serial, 9) % :'parts'::int = :'part'::int
	    AND (:'parts' = '1' OR (SELECT mine(:'part'::int)))
	    AND (:'parts' = '1' OR :'part' <> '0' OR (SELECT hold()))
	SQL
	big e1 source.query_file="$PWD/mine.sql"
	press_held 3 said_twice 'not mine'
	as_one 3
	same "$opened" 3 connections
	same "$(grep -c 'note: e1: rows are read by fewer .*not mine' 3.err)" \
	    2 'notes'
}

said_twice()
{
	[ "$(grep -c "ERROR:  $1" "$PG_ROOT/main/log")" -ge 2 ]
}

@test "one connection fails with rows under way: one fault, and nothing" {
	cat >own.sql <<-'SQL'
	SELECT serial, revoked_at, reason, CASE WHEN :'part' = '2'
	    AND ctid > '(1000,0)'
	    THEN not_after + interval '1 y' * (1 / (shard - shard))
	    ELSE not_after END, shard
	FROM crlpress.revocation WHERE issuer = :'issuer'
	    AND not_after >= :'lookback'
	    AND get_byte(serial, 9) % :'parts'::int = :'part'::int
	SQL
	big e1 source.query_file="$PWD/own.sql"
	press 1
	ended 0
	press 4
	ended 1
	same "$(grep -vc '^ ' 4.err)" 1 'lines about it'
	has "$stderr" 'own.sql: copy: division by zero (SQLSTATE 22012)'
	same "$(cat 4.sum)" '' 'what was published'
}

@test "a backend is terminated while others read on: one fault" {
	local i
	cat >own.sql <<-'SQL'
	SELECT serial, revoked_at, reason, not_after, shard
	FROM crlpress.revocation WHERE issuer = :'issuer'
	    AND not_after >= :'lookback'
	    AND get_byte(serial, 9) % :'parts'::int = :'part'::int
	    AND CASE WHEN ctid > '(1000,0)' AND :'part' <> '0'
	        THEN pg_sleep(600) IS NOT NULL ELSE true END
	SQL
	big e1 source.query_file="$PWD/own.sql"
	rm -rf "$store" "$state"
	mkdir "$store"
	"$CRLPRESS" publish -c "$conf" --jobs 4 --now "$NOW" >out 2>err 3>&- &
	local pid=$!
	# Three of them sleep in the middle of their rows; the first is done and
	# waits for them.
	pg_wait "SELECT count(*) = 3 FROM pg_stat_activity
	    WHERE usename = 'cron' AND wait_event = 'PgSleep'
	    AND leader_pid IS NULL" ||
	    { kill $pid; cat err; return 1; }
	pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	    WHERE usename = 'cron' AND wait_event = 'PgSleep'
	    AND leader_pid IS NULL LIMIT 1" \
	    >/dev/null
	status=0
	wait $pid || status=$?
	cat err
	[ "$status" -eq 1 ]
	same "$(grep -c 'terminating connection' err)" 1 'lines about it'
	same "$(grep -vc '^ ' err)" 1 'all lines'
	same "$(find "$store" -name '*.crl')" '' 'what was published'
	# Nobody sleeps on for those that were called off.
	pg_wait "SELECT count(*) = 0 FROM pg_stat_activity
	    WHERE usename = 'cron'"
}

@test "a standby shares its snapshot too" {
	reference
	pg_standby standby
	held_query source.conninfo="host=$PG_ROOT/standby port=5432 \
dbname=postgres user=cron"
	server=standby
	press_held 4 are_opened 4
	pg_stop standby
	as_one 4
	same "$opened" 4 connections
	same "$(cat 4.err)" '' stderr
}

@test "behind an address that leads to two servers: one reads, the other not" {
	reference
	pg_standby other
	# Every other connection goes to the standby.
	cat >balance.py <<-'END'
	import os, socket, sys, threading
	def copy(a, b):
	    try:
	        while data := a.recv(65536):
	            b.sendall(data)
	    except OSError:
	        pass
	    for s in a, b:
	        try:
	            s.shutdown(socket.SHUT_RDWR)
	        except OSError:
	            pass
	server = socket.socket(socket.AF_UNIX)
	server.bind(sys.argv[1] + "/.s.PGSQL.5432")
	server.listen(64)
	print("ready", flush=True)
	for n in range(1000):
	    client, _ = server.accept()
	    back = socket.socket(socket.AF_UNIX)
	    back.connect(sys.argv[2 + n % 2] + "/.s.PGSQL.5432")
	    for pair in (client, back), (back, client):
	        threading.Thread(target=copy, args=pair, daemon=True).start()
	END
	mkdir "$PG_ROOT/balance"
	/usr/bin/python3 balance.py "$PG_ROOT/balance" "$PG_ROOT/main" \
	    "$PG_ROOT/other" >ready 2>&1 3>&- &
	balance=$!
	until_true grep -q ready ready
	held_query source.conninfo="host=$PG_ROOT/balance port=5432 \
dbname=postgres user=cron"
	press_held 2 grep -q 'SET TRANSACTION SNAPSHOT' "$PG_ROOT/other/log"
	kill "$balance"
	pg_stop other
	as_one 2
	has "$stderr" 'note: e1: rows are read by fewer connections: '
	has "$stderr" 'napshot'
}

@test "a snapshot by its text: the server, its start and its sight agree" {
	local share sql="SELECT serial, revoked_at, reason, not_after, shard
	    FROM crlpress.revocation WHERE issuer = 'big' AND shard = 1"
	pg_env main
	mkfifo go
	"$DUMP" -x -w -q -s "$sql" <go >first 2>&1 3>&- &
	local pid=$!
	exec 4>go
	until_true grep -q '^share ' first
	share=$(sed -n 's/^share //p' first)
	pg_psql -c "INSERT INTO crlpress.revocation (issuer, serial, revoked_at,
	    reason, not_after, shard) VALUES ('big', '\x11', now(), 1,
	    now() + interval '1 y', 1)"
	"$DUMP" -q -S "$share" -s "$sql" >second
	"$DUMP" -q -s "$sql" >third
	# The clock of the first is that of all.
	same "$(grep -o 'now_usec=[0-9]*' second)" \
	    "$(grep -o 'now_usec=[0-9]*' first)" 'the time'
	# Another start of the server, another sight, no such snapshot.
	# shellcheck disable=SC2086 # its words
	set -- $share
	run "$DUMP" -S "$1 $2 $(($3 + 1)) ${*:4}" -s "$sql"
	[ "$status" -eq 3 ]
	has "$output" 'snapshot, house rule: another server answered than'
	run "$DUMP" -S "$1 $2 $3 $(($4 ^ 1)) ${*:5}" -s "$sql"
	[ "$status" -eq 3 ]
	run "$DUMP" -S "${*:1:5} 1 ${*:7}" -s "$sql"
	[ "$status" -eq 3 ]
	run "$DUMP" -S "${*:1:7} 12 ${*:9}" -s "$sql"
	[ "$status" -eq 3 ]
	run "$DUMP" -S "${*:1:9} 18446744073709551615" -s "$sql"
	[ "$status" -eq 3 ]
	for share in '' "$1" "${*:1:9}" "$* more" "$1 x';-- ${*:3}"; do
		run "$DUMP" -S "$share" -s "$sql"
		[ "$status" -eq 1 ]
		has "$output" 'this is no shared snapshot'
	done
	echo go >&4
	exec 4>&-
	wait $pid
	# The one that exported it is gone, and its snapshot with it: once the
	# server has noticed.
	pg_wait "SELECT count(*) = 0 FROM pg_stat_activity
	    WHERE application_name = 'crlpress'"
	run "$DUMP" -S "$*" -s "$sql"
	[ "$status" -eq 3 ]
	has "$output" 'napshot'
	have=$(sed -n 's/^rows //p' second)
	same "$have" "$(sed -n 's/^rows //p' first)" 'rows in one snapshot'
	same "$(sed -n 's/^rows //p' third)" "$((have + 1))" 'rows in another'
	pg_psql -c "DELETE FROM crlpress.revocation WHERE serial = '\x11'"
}
