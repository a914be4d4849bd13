# SPDX-License-Identifier: ISC
#
# Several hosts share one run: each shard is published once by it, or the run
# says that it was not; numbers only rise; nothing is lost; nobody waits for
# ever. What is killed, stopped and cut off here waits for conditions, never
# for a time, but for leases, which have to pass.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/hosts.bash

setup_file()
{
	hosts_setup
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
	keeper=
}

teardown()
{
	hosts_end
}

# Opener and joiner, each with two of the shards, both about to say so.
two_hosts()
{
	gate_close made opener
	gate_close made joiner
	host a
	until_shards 2 "state = 'leased'"
	host b
	until_shards 4 "state = 'leased'"
}

@test 'two hosts make one run, and each tells of its own' {
	hosts_new two 8
	hosts_rows 800 8
	pg_psql -c "UPDATE crlpress.revocation SET not_after = now() +
	    interval '10 days' WHERE issuer = 'two' AND shard % 2 = 1"
	two_hosts
	gates_open
	host_ended a 0
	host_ended b 0
	manifest_holds
	# Who wrote it knows when the entries of the other's shards expire.
	same "$(sed -n 's/^# shard \([0-9]*\) .* entries=\([0-9]*\) .*'\
' expiring=\([^ ]*\)\/[0-9]* .*/\1 \2 \3/p' "$manifest" | awk '{
	    by = $1 % 2 ? $2 : 0
	    print $1, $3 == "0/0/0/0/0/0/" by "/" by }' | xargs)" \
	    '0 1 1 1 2 1 3 1 4 1 5 1 6 1 7 1' expiring
	export_rows
	compare 8
	same "$(ledgers | cut -d' ' -f2 | sort -n | xargs)" '0 1 2 3 4 5 6 7' \
	    'shards of all ledgers'
	[ "$(ledgers | cut -d' ' -f1 | sort -u | wc -l)" -eq 2 ]
	has "$(cat "$work"/?.err)" 'all 8 shards are published'
	# And once more, over what stands there, told as JSON.
	sleep 1
	hosts_rows 80 8 --seed 2
	# shellcheck disable=SC2016 # bash expands
	host_by=(bash -c 'exec "$@" --json' -)
	two_hosts
	gates_open
	host_ended a 0
	host_ended b 0
	versions '2 2 2 2 2 2 2 2'
	same "$(jq -r '.runs[0] | "\(.this_update) \(.next_update)"' \
	    "$work/a.out" "$work/b.out" | sort -u)" \
	    "$(manifest_field this-update) $(manifest_field next-update)" times
}

@test 'killed with shards that it leased: another makes them' {
	hosts_new leasing 8
	hosts_rows 200 8
	two_hosts
	host_kill a
	gates_open
	lease_passes a
	host_ended b 0
	versions '1 1 1 1 1 1 1 1'
}

@test 'killed before any of what was made is put: another makes it again' {
	hosts_new putting 6
	hosts_rows 200 6
	two_hosts
	store_hold
	gates_open
	until_attempts 6
	host_kill b
	store_release
	lease_passes b
	host_ended a 0
	versions '1 1 1 1 1 1'
}

@test 'killed after it put, before it said so: it is published once' {
	hosts_new silent 6
	hosts_rows 200 6
	two_hosts
	gate_close published opener
	pg_psql -c "DELETE FROM gate WHERE state = 'made'"
	until_run "(SELECT count(*) FROM pg_stat_activity WHERE query LIKE
	    '%state = u.state%' AND usename = 'cron') > 0"
	until_shards 6 "state IN ('made', 'published')"
	until [ "$(find "$store" -name '*.crl' | wc -l)" -eq 6 ]; do
		sleep 0.05
	done
	host_kill a
	hosts_cut "query LIKE '%state = u.state%'"
	gates_open
	lease_passes a
	host_ended b 0
	versions '1 1 1 1 1 1'
	has "$(cat "$work/b.err")" 'all 6 shards are published'
}

@test 'stopped for longer than its lease: its late put loses' {
	hosts_new late 6
	hosts_rows 200 6
	two_hosts
	store_hold
	gates_open
	until_attempts 6
	host_stop a
	store_release
	lease_passes a
	host_ended b 0
	kill -CONT "${pid[a]}"
	host_ended a 1 4
	has "$(cat "$work/a.err")" 'passed, and was taken over'
	versions '1 1 1 1 1 1'
}

# Whose put comes first counts; the other one finds it there.
@test 'stopped, its shards made again, then continued: one of both counts' {
	hosts_new both 4
	hosts_rows 200 4
	two_hosts
	host c
	until_run '(SELECT count(*) FROM crlpress.work_worker AS w
	    WHERE w.run = r.run) = 3'
	store_hold
	gates_open
	until_attempts 4
	host_stop a
	lease_passes a
	until_attempts 6
	kill -CONT "${pid[a]}"
	store_release
	host_ended b 0
	host_ended c 0
	host_ended a 1 4
	versions '1 1 1 1'
}

@test 'who opened it is killed alone: the next run does all of it' {
	hosts_new alone 4
	hosts_rows 100 4
	gate_close made opener
	# This one passes by itself.
	host a share.lease=2s
	until_shards 2 "state = 'leased'"
	host_kill a
	hosts_cut true
	gates_open
	until_run '(SELECT bool_and(w.until < clock_timestamp())
	    FROM crlpress.work_worker AS w WHERE w.run = r.run)'
	host b
	host_ended b 0
	has "$(cat "$work/b.err")" 'was left unfinished'
	versions '1 1 1 1'
}

@test 'the snapshot is gone: who comes later cannot join, others go on' {
	hosts_new gone 6
	hosts_rows 100 6
	two_hosts
	host_kill a
	hosts_cut "query LIKE '%u.state%'"
	until_true "SELECT count(*) = 0 FROM pg_stat_activity
	    WHERE usename = 'cron' AND state = 'idle in transaction'
	    AND backend_start = (SELECT min(backend_start)
	    FROM pg_stat_activity WHERE usename = 'cron'
	    AND state = 'idle in transaction')
	    AND query LIKE '%pg_export_snapshot%'"
	host c
	host_ended c 75
	has "$(cat "$work/c.err")" 'goes on without this host'
	gates_open
	lease_passes a
	host_ended b 0
	versions '1 1 1 1 1 1'
}

@test 'cut off from the store: another puts what it made' {
	command -v strace >/dev/null || skip 'no strace'
	strace -f -o probe true || skip 'strace may not trace here'
	hosts_new nostore 6
	hosts_rows 100 6
	gate_close made opener
	gate_close made joiner
	host a
	until_shards 2 "state = 'leased'"
	host_by=(strace -f -o "$work/trace" -P "$store/$name"
	    -e "trace=linkat,renameat,renameat2"
	    -e "inject=linkat,renameat,renameat2:error=EIO")
	host b
	until_shards 4 "state = 'leased'"
	gates_open
	host_ended b 1
	host_ended a 0
	has "$(cat "$work/b.err")" 'left to the other hosts'
	grep -q INJECTED "$work/trace"
	versions '1 1 1 1 1 1'
	same "$(ledgers | cut -d' ' -f1 | sort -u)" a 'hosts that published'
}

@test 'cut off from the database: it connects again, or another goes on' {
	hosts_new cut 6
	hosts_rows 100 6
	two_hosts
	# All connections of all hosts; who opened it has the rows.
	hosts_cut true
	gates_open
	host_ended a 0
	host_ended b 0 1 4
	versions '1 1 1 1 1 1'
}

@test 'the server is started anew under all' {
	hosts_new anew 6
	hosts_rows 100 6
	two_hosts
	pg_kill9 main
	pg_up main
	gates_open
	host_ended a 0
	host_ended b 0 1 4
	versions '1 1 1 1 1 1'
}

@test 'another configuration is refused' {
	hosts_new other 4
	hosts_rows 100 4
	cat >"$work/all.sql" <<-'SQL'
		SELECT serial, revoked_at, reason, not_after, shard
		FROM crlpress.revocation
		WHERE issuer = :'issuer' AND not_after >= :'lookback'
	SQL
	sed "\$s/\$/ AND shard = :'shard'::int/" "$work/all.sql" \
	    >"$work/one.sql"
	settings+=("source.query_file=$work/all.sql"
	    "source.shard_query_file=$work/one.sql")
	gate_close made opener
	host a
	until_shards 2 "state = 'leased'"
	host b crl.validity=8d
	host_ended b 3
	has "$(cat "$work/b.err")" 'with another configuration'
	# The statement for one shard is a part of it.
	sed "\$s/\$/ AND true/" "$work/one.sql" >"$work/two.sql"
	host c "source.shard_query_file=$work/two.sql"
	host_ended c 3
	has "$(cat "$work/c.err")" 'with another configuration'
	gates_open
	host_ended a 0
	versions '1 1 1 1'
}

@test 'a statement for one shard that forgets rows withholds it' {
	hosts_new forgets 6
	hosts_rows 120 6
	cat >"$work/all.sql" <<-'SQL'
		SELECT serial, revoked_at, reason, not_after, shard
		FROM crlpress.revocation
		WHERE issuer = :'issuer' AND not_after >= :'lookback'
	SQL
	sed "\$s/\$/ AND shard = :'shard'::int AND reason <> 1/" \
	    "$work/all.sql" >"$work/one.sql"
	pg_psql -c "UPDATE crlpress.revocation SET reason = 1
	    WHERE issuer = 'forgets' AND ctid IN (SELECT min(ctid)
	    FROM crlpress.revocation WHERE issuer = 'forgets' GROUP BY shard)"
	settings+=("source.query_file=$work/all.sql"
	    "source.shard_query_file=$work/one.sql")
	gate_close withheld joiner
	two_hosts
	gates_open
	host_ended a 0 3
	host_ended b 0 3
	has "$(cat "$work"/?.err)" 'yields other rows than that for all'
	has "$(cat "$work"/?.err)" 'are not published:'
	# What stands there is right all the same.
	[ "$(find "$store" -name '*.crl' | wc -l)" -ge 1 ]
	[ "$(find "$store" -name '*.crl' | wc -l)" -lt 6 ]
}

@test 'the floor is of all shards, whoever made them' {
	hosts_new floor 4 gates.shard_floor=0%
	hosts_rows 400 4
	host a
	host_ended a 0
	sleep 1
	# Nothing is foreseen without a manifest, and nobody knows of one.
	rm -r "$manifest" "$work/state-a"
	pg_psql -c "UPDATE crlpress.revocation SET not_after =
	    now() - interval '1 day' WHERE issuer = 'floor'
	    AND shard > 0"
	two_hosts
	gates_open
	host_ended a 3
	host_ended b 3
	has "$(cat "$work"/?.err)" 'far fewer entries than are published'
	versions_only '1 1 1 1'
}

@test 'what was pushed meanwhile is made again, and stays' {
	hosts_new pushed 4
	hosts_rows 100 4
	host a
	host_ended a 0
	sleep 1
	two_hosts
	hosts_rows 1 1 --seed 7
	"$CRLPRESS" push --config "$conf" --shard 0
	gates_open
	host_ended a 0
	host_ended b 0
	versions '3 2 2 2'
}

# Its rows are newer than the snapshot that the host reads in.
@test 'what was pushed before a host joined is made again, and stays' {
	hosts_new before 4
	hosts_rows 100 4
	host a
	host_ended a 0
	sleep 1
	gate_close made opener
	gate_close made joiner
	host a
	until_shards 2 "state = 'leased'"
	name=before
	revoke 7a7a7a01 3 "$(date +%s)" "$(date -d '1 year' +%s)"
	"$CRLPRESS" push --config "$conf" --shard 3
	host b
	until_shards 3 "state = 'leased'"
	gates_open
	host_ended a 0
	host_ended b 0
	versions '2 2 2 3'
}

# Two CRLs of two hosts may well have one number: what a run put is told by
# its bytes.
@test 'what was pushed under the number of an attempt is a push' {
	hosts_new same 1
	hosts_rows 50 1
	host a
	host_ended a 0
	sleep 1
	# Above the time, so that the push does not take that.
	pg_psql -c "UPDATE crlpress.work_issuer SET number = number + 100000
	    WHERE issuer = 'same'"
	gate_close made opener
	host a
	until_run "(SELECT count(*) FROM pg_stat_activity WHERE query LIKE
	    '%state = u.state%' AND usename = 'cron' AND state = 'active') > 0"
	publish_configure "${settings[@]}" state.dir="$work/state-c"
	mkdir -m 700 "$work/state-c" "$work/state-c/$name"
	pg_psql -c "SELECT number - 1 FROM crlpress.work_issuer
	    WHERE issuer = 'same'" >"$work/state-c/$name/number"
	revoke 7a7a7a01 0 "$(date +%s)" "$(date -d '1 year' +%s)"
	"$CRLPRESS" push --config "$conf" --shard 0
	gates_open
	host_ended a 0
	versions 3
}

@test 'overtaken, and its worker dies: the counts of the opener stay' {
	hosts_new counts 4
	hosts_rows 100 4
	host a
	host_ended a 0
	sleep 1
	gate_close made opener
	gate_close made joiner
	host a
	until_shards 2 "state = 'leased'"
	revoke 7a7a7a01 3 "$(date +%s)" "$(date -d '1 year' +%s)"
	"$CRLPRESS" push --config "$conf" --shard 3
	host b
	until_shards 4 "state = 'leased'"
	pg_psql -c "DELETE FROM gate WHERE who = 'joiner'"
	until_shards 2 "state = 'made'"
	host_kill b
	gates_open
	lease_passes b
	host_ended a 0
	versions '2 2 2 3'
}

# The server commits, and is cut off before it can say so.
# commits_wait: until a commit waits for a standby that there is not. The
# server's configuration is that of its checkpointer, which reads it when it
# comes to it.
commits_wait()
{
	local i pid
	for ((i = 0; i < 200; i++)); do
		PGOPTIONS='-c synchronous_commit=on' \
		    pg_psql -c "CREATE TABLE waits_$i ()" 3>&- &
		pid=$!
		while kill -0 "$pid" 2>/dev/null; do
			[ "$(pg_psql -c "SELECT count(*) = 1
			    FROM pg_stat_activity WHERE wait_event = 'SyncRep'
			    AND query LIKE '%TABLE waits%'")" != t ] || return 0
			sleep 0.05
		done
		sleep 0.1
	done
	echo 'no commit waits'
	return 1
}

@test 'the answer to a lease is lost: what was leased is made' {
	hosts_new answer 4
	hosts_rows 100 4
	gate_close leased opener
	host a
	until_run "(SELECT count(*) FROM pg_stat_activity WHERE query LIKE
	    '%SKIP LOCKED%' AND usename = 'cron' AND state = 'active') > 0"
	pg_psql -c "ALTER SYSTEM SET synchronous_standby_names = 'nobody'" \
	    -c 'SELECT pg_reload_conf()'
	commits_wait
	gates_open
	until_true "SELECT count(*) = 1 FROM pg_stat_activity
	    WHERE wait_event = 'SyncRep' AND query LIKE '%SKIP LOCKED%'"
	hosts_cut "query LIKE '%SKIP LOCKED%'"
	pg_psql -c 'ALTER SYSTEM RESET synchronous_standby_names' \
	    -c 'SELECT pg_reload_conf()'
	until_run "state = 'done'"
	host_ended a 0
	versions '1 1 1 1'
}

# Half a lease has to pass.
@test 'stopped while it enters: others enter' {
	hosts_new entering 2
	hosts_rows 20 2
	mkfifo "$work/hold"
	pg_psql <"$work/hold" >"$work/held" 3>&- &
	exec {hold}>"$work/hold"
	echo 'BEGIN; LOCK TABLE crlpress.work_run; SELECT 1;' >&"$hold"
	until [ -s "$work/held" ]; do
		sleep 0.02
	done
	host a share.lease=6s
	until_true "SELECT count(*) = 1 FROM pg_stat_activity
	    WHERE usename = 'cron' AND wait_event_type = 'Lock'"
	host_stop a
	echo "COMMIT;" >&"$hold"
	exec {hold}>&-
	host b
	host_ended b 0
	kill -CONT "${pid[a]}"
	host_ended a 1
	versions '1 1'
}

@test 'a lease that passed unseen is renewed' {
	hosts_new unseen 4
	hosts_rows 100 4
	pg_psql <<-'SQL'
		CREATE FUNCTION lease_pass() RETURNS trigger LANGUAGE plpgsql
		SECURITY DEFINER AS $$
		BEGIN
			UPDATE crlpress.work_worker SET until =
			    clock_timestamp() - interval '1 s'
			    WHERE worker = NEW.worker;
			RETURN NULL;
		END $$;
		CREATE TRIGGER lease_pass AFTER UPDATE ON crlpress.work_shard
		    FOR EACH ROW WHEN (NEW.state = 'made')
		    EXECUTE FUNCTION lease_pass();
	SQL
	host a
	host_ended a 0
	pg_psql -c 'DROP TRIGGER lease_pass ON crlpress.work_shard'
	versions '1 1 1 1'
}

@test 'rows of a standby, shared on the primary' {
	hosts_new standby 4
	hosts_rows 100 4
	pg_standby replica main
	settings+=("source.conninfo=host=$PGHOST port=$PGPORT \
dbname=postgres user=cron")
	pg_env main
	settings+=("share.conninfo=host=$PGHOST port=$PGPORT \
dbname=postgres user=cron")
	two_hosts
	gates_open
	host_ended a 0
	host_ended b 0
	versions '1 1 1 1'
	pg_stop replica
}

@test 'without the tables, or where not allowed, it says so' {
	hosts_new without 2 share.conninfo="host=$PGHOST port=$PGPORT \
dbname=template1 user=cron"
	hosts_rows 10 2
	host a
	host_ended a 1
	has "$(cat "$work/a.err")" 'hint: sharding-config/work.sql makes'
	same "$(grep -c hint: "$work/a.err")" 1 hints
	same "$(shards)" '' store
}
