# SPDX-License-Identifier: ISC
#
# A dry run is in nobody's way: a publication goes on beside it, and it tells
# what it would have done as of its beginning, whatever is published
# meanwhile. Cron does not notice.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

setup_file()
{
	publish_setup
	pg_psql -c "CREATE FUNCTION wait_for_it() RETURNS void
	    LANGUAGE plpgsql AS 'BEGIN
	    WHILE NOT pg_try_advisory_lock_shared(1) LOOP
	        PERFORM pg_sleep(0.05);
	    END LOOP; END'"
}

# rows COUNT PREFIX: of $name, revoked now, none of them expired.
rows()
{
	pg_psql -c "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    SELECT '$name', decode('$2' || lpad(to_hex(i), 30, '0'), 'hex'),
	    date_trunc('second', now()), 1, now() + interval '30 days', i % 2
	    FROM generate_series(1, $1) AS i"
}

# A run of $slow waits in its statement for what `hold` takes and `let_go`
# gives back; one of $conf does not.
setup()
{
	publish_env
	publish_new dry
	rows 50 '01'
	cat >slow.sql <<-'SQL'
		SELECT serial, revoked_at, reason, not_after, shard
		FROM crlpress.revocation, (SELECT wait_for_it()) AS waits
		WHERE issuer = :'issuer' AND not_after >= :'lookback'
	SQL
	mkdir slow
	slow=$PWD/slow/dry.cnf
	sed "s|^conninfo.*|&\nquery_file = $PWD/slow.sql|" "$conf" >"$slow"
	grep -q query_file "$slow"
	holder='' running=''
}

teardown()
{
	[ -z "$running" ] || kill -KILL "$running" 2>/dev/null || true
	[ -z "$holder" ] || let_go
	pg_psql -c 'TRUNCATE crlpress.revocation'
}

teardown_file()
{
	pg_stop
}

hold()
{
	pg_psql -c 'SELECT pg_advisory_lock(1), pg_sleep(600)' \
	    >/dev/null 2>&1 3>&- &
	holder=$!
	pg_wait "SELECT count(*) > 0 FROM pg_locks
	    WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
	    AND granted"
}

let_go()
{
	pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_locks
	    WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
	    AND granted" >/dev/null
	wait "$holder" || true
	holder=
}

# Starts a run that waits in its statement: start_slow ARGUMENT...
start_slow()
{
	hold
	"$CRLPRESS" publish --config "$slow" "$@" >slow.out 2>slow.err 3>&- &
	running=$!
	pg_wait "SELECT count(*) > 0 FROM pg_stat_activity
	    WHERE usename = 'cron' AND wait_event = 'PgSleep'" || {
		cat slow.out slow.err
		return 1
	}
}

# It goes on and ends: $status, $output, $stderr.
end_slow()
{
	let_go
	status=0
	wait "$running" || status=$?
	running=
	output=$(<slow.out) stderr=$(<slow.err)
}

staged()
{
	find "$state/dry/stage" -mindepth 1
}

@test "a dry run beside a publication that is under way" {
	start_slow
	publish_ok --dry-run
	has "$output" 'dry: ok: 2 of 2 shards would be published, '
	has "$output" '50 entries (+50 -0)'
	same "$(shards)" '' 'what is published'
	# Its directory was left alone.
	same "$(staged)" "$state/dry/stage/$running-0" 'what is staged'
	# Another publication has to wait, as ever.
	publish
	ended 75
	end_slow
	ended 0
	same "$stderr" '' stderr
	has "$output" 'dry: ok: 2 of 2 shards published'
	manifest_holds
	same "$(staged)" '' 'what is staged'
}

@test "cron publishes beside a dry run, which tells of its own beginning" {
	publish_ok
	rows 10 02
	start_slow --dry-run
	rows 10 03
	publish_ok --quiet
	same "$output" '' stdout
	manifest_holds
	same "$(manifest_sum entries)" 70 'what is published'
	rows 10 04
	publish_ok --quiet
	same "$(manifest_sum entries)" 80 'what is published'
	end_slow
	ended 0
	same "$stderr" '' stderr
	# To what stood there, of the rows there were: neither 20 nor 30.
	has "$output" '60 entries (+10 -0)'
	same "$(staged)" '' 'what is staged'
	publish_ok
	has "$output" '80 entries (+0 -0)'
}

@test "cron publishes for the first time beside a dry run" {
	start_slow --dry-run
	publish_ok --quiet
	manifest_holds
	end_slow
	ended 0
	same "$stderr" '' stderr
	has "$output" '50 entries (+50 -0)'
	publish_ok
}

@test "a dry run that begins when shards are out and the manifest is not" {
	publish_ok
	rows 10 02
	# As a publication that was killed leaves it, or one under way.
	cp "$manifest" before.txt
	cp "$state/dry/published" .
	publish_ok
	cp before.txt "$manifest"
	cp published "$state/dry/published"
	publish_ok --dry-run
	has "$output" '60 entries (+0 -0)'
}

@test "a number that a dry run signed under is nobody else's" {
	local first
	publish_ok --dry-run
	# It is not told, so that it is given out again unless it was taken.
	first=$(<"$state/dry/number")
	# It is the time, unless another was taken in this second.
	while [ "$(date +%s)" -lt "$first" ]; do
		sleep 0.1
	done
	publish_ok --now "$(iso "$first")"
	[ "$(all_have number)" -gt "$first" ]
	echo 99999999999 >"$state/dry/number"
	publish_ok --dry-run
	publish_ok
	same "$(all_have number)" 100000000001 number
}

@test "a dry run that is killed or stopped is in nobody's way either" {
	local dead
	publish_ok
	start_slow --dry-run
	kill -STOP "$running"
	publish_ok
	same "$(staged)" "$state/dry/stage/$running-0" 'what is staged'
	dead=$running
	kill -KILL "$running"
	wait "$running" || true
	running=
	let_go
	same "$(staged)" "$state/dry/stage/$dead-0" 'what is staged'
	: >"$(staged)/0.crl"
	publish_ok --dry-run
	same "$(staged)" '' 'what is staged'
	publish_ok
}

@test "a dry run whose gate closes says so, with 3, and publishes nothing" {
	publish_ok
	pg_psql -c 'DELETE FROM crlpress.revocation WHERE shard = 1'
	sleep 1
	publish --dry-run
	ended 3
	has "$stderr" 'dry/shard 1: no-early-removal'
	same "$(manifest_sum entries)" 50 'what is published'
	same "$(staged)" '' 'what is staged'
}
