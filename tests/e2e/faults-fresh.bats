# SPDX-License-Identifier: ISC
#
# A database that is behind what was published from it: a restored backup, a
# standby that lags, another cluster. Nothing of it is published. A standby
# that has caught up, and one that was promoted, are as good as the primary.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/faults.bash

# Main is published from; "old" is a backup of before the last publication,
# "standby" follows main. Tests share the servers and go on from each other's
# rows: each begins with a publication of its own.
setup_file()
{
	publish_setup
	faults_make_gold
	pg_make_dir old
	pg_run "$PG_BIN/pg_basebackup" -h "$PG_ROOT/main" -p 5432 -U tester \
	    -D "$PG_ROOT/old/data" --no-sync -c fast
	pg_standby standby
	pg_env main
}

setup()
{
	faults_begin
	pg_env main
}

teardown()
{
	pg_psql -h "$PG_ROOT/standby" -c 'SELECT pg_wal_replay_resume()
	    WHERE pg_is_in_recovery()' >/dev/null || true
}

teardown_file()
{
	pg_stop
}

# use SERVER [SETTING...]: the run reads this one.
use()
{
	spoil "source.conninfo=host=$PG_ROOT/$1 port=5432 dbname=postgres \
user=cron" "${@:2}"
}

# More rows of main, one a shard and more of them.
more_rows()
{
	make_rows 400 --shards 4 --seed "$BATS_TEST_NUMBER-${1:-1}" \
	    --since "$(date -u -d '1 hour ago' +%FT%TZ)" \
	    --now "$(date -u -d '2 minutes ago' +%FT%TZ)"
}

# Publishes from main, by which the store gets ahead of whatever is older.
publish_main()
{
	more_rows
	use main
	published
}

# stands_behind POSITION: so much has come to the standby and is not replayed,
# for longer than a second.
stands_behind()
{
	PGHOST=$PG_ROOT/standby pg_wait "SELECT
	    pg_last_wal_receive_lsn() >= '$1' AND
	    pg_last_wal_replay_lsn() < '$1' AND clock_timestamp() -
	    pg_last_xact_replay_timestamp() > interval '2 s'"
}

# The standby has replayed all that main has written.
catch_up()
{
	local position
	position=$(pg_psql -c 'SELECT pg_current_wal_lsn()')
	PGHOST=$PG_ROOT/standby \
	    pg_wait "SELECT pg_last_wal_replay_lsn() >= '$position'"
}

@test "a restored backup is behind what was published" {
	publish_main
	pg_up old
	pg_env main
	use old
	refused 3 'e1: db-fresh' 'the database is behind the last manifest' \
	    "have WAL position" 'or later'
	# Let pass, the rows that it has not are still missed.
	with=(--pass db-fresh)
	stands_still 3
	said 'warning: e1: db-fresh' 'let pass by --pass'
	[ "$(faults_said | grep -c 'no-early-removal, .*have no row')" -eq 4 ]
	# With no manifest to tell, the entries alone hold it back.
	rm "$manifest"
	with=()
	refused 3 'e1: store-known' 'has no manifest'
	with=(--pass store-known)
	stands_still 3
	said 'warning: crlpress-manifest-e1.txt: db-fresh'
	[ "$(faults_said | grep -c 'no-early-removal, .*have no row')" -eq 4 ]
	pg_stop old
}

@test "a standby whose replay stands still is behind what was published" {
	pg_psql -h "$PG_ROOT/standby" -c 'SELECT pg_wal_replay_pause()' \
	    >/dev/null
	publish_main
	use standby
	refused 3 'e1: db-fresh' 'the database is behind the last manifest'
	# What was published then is no help against what was not: its age.
	stands_behind "$(pg_psql -c 'SELECT pg_current_wal_lsn()')"
	use standby gates.replay_lag=1s
	refused 3 'e1: db-fresh' 'the standby lags' 'within 1s'
	pg_psql -h "$PG_ROOT/standby" -c 'SELECT pg_wal_replay_resume()' \
	    >/dev/null
	catch_up
	use standby
	published
	has "$output" ' 4 of 4 shards published'
}

@test "a push is held against the same" {
	pg_psql -h "$PG_ROOT/standby" -c 'SELECT pg_wal_replay_pause()' \
	    >/dev/null
	publish_main
	use standby
	standing >before.tree
	run --separate-stderr "$CRLPRESS" push --config "$conf" --shard 1
	ended 3
	one_line 'e1: db-fresh' 'the database is behind the last manifest'
	stands_behind "$(pg_psql -c 'SELECT pg_current_wal_lsn()')"
	use standby gates.replay_lag=1s
	run --separate-stderr "$CRLPRESS" push --config "$conf" --shard 1
	ended 3
	one_line 'e1: db-fresh' 'the standby lags' 'within 1s'
	standing >after.tree
	diff before.tree after.tree
	pg_psql -h "$PG_ROOT/standby" -c 'SELECT pg_wal_replay_resume()' \
	    >/dev/null
	catch_up
	use standby
	run --separate-stderr "$CRLPRESS" push --config "$conf" --shard 1
	ended 0
}

@test "a standby of an idle primary does not lag" {
	publish_main
	catch_up
	sleep 2
	use standby gates.replay_lag=1s
	# What the server writes by itself now and then may be on its way.
	published || published || published
}

@test "another cluster with the same rows" {
	publish_main
	pg_start other
	pg_psql -f "$PUBLISH_TREE/sharding-config/native.sql"
	pg_psql -c 'CREATE ROLE cron LOGIN IN ROLE crlpress_reader'
	pg_psql -h "$PG_ROOT/main" \
	    -c 'COPY crlpress.revocation TO STDOUT' |
	    pg_psql -c 'COPY crlpress.revocation FROM STDIN'
	pg_env main
	use other
	refused 3 'e1: db-fresh' 'another database cluster' \
	    'have system identifier' 'want'
	with=(--pass db-fresh)
	published
	passed db-fresh
	# That one counts from now on.
	with=()
	use main
	refused 3 'e1: db-fresh' 'another database cluster'
	pg_stop other
}

@test "a role that may not see the position, after one that might" {
	publish_main
	pg_psql -c 'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC'
	refused 3 'e1: db-fresh' 'does not tell its position'
	pg_psql -c 'GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC'
	published
}

# The last: it changes what the servers are.
@test "a standby that was promoted is published from; the old primary not" {
	publish_main
	catch_up
	pg_run "$PG_BIN/pg_ctl" -D "$PG_ROOT/standby/data" -s -w promote
	use standby
	published
	[[ $(manifest_field position) == *' 2 '* ]]
	# Split brain: however far it gets, it is on the older timeline.
	more_rows 2
	use main
	refused 3 'e1: db-fresh' 'an older timeline, have 1, want 2'
}
