# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# Several hosts that share a run: processes with a configuration and a state
# directory of their own, over one store. Load it after publish.bash.
#
# A worker can be made to wait in the database where its shards come to a state
# (`gate_close making|... opener|joiner`), and all of them where something is
# put (`store_hold`), so that nothing here depends on who is how fast.
#
# Variables are those of publish.bash and s3.bash:
# shellcheck disable=SC2034,SC2154

# Long: a lease that is to pass is made to, by lease_passes.
HOSTS_LEASE=60s

hosts_setup()
{
	publish_setup || return 1
	pg_psql -f "$PUBLISH_TREE/sharding-config/work.sql" || return 1
	pg_psql <<-'SQL'
		GRANT crlpress_worker TO cron;
		CREATE TABLE gate (state text, who text);
		CREATE FUNCTION gate_wait() RETURNS trigger LANGUAGE plpgsql
		SECURITY DEFINER AS $$
		DECLARE
			me text := CASE WHEN NEW.worker = (SELECT opener
			    FROM crlpress.work_run WHERE run = NEW.run)
			    THEN 'opener' ELSE 'joiner' END;
		BEGIN
			WHILE EXISTS (SELECT FROM public.gate AS g
			    WHERE g.state = NEW.state AND g.who = me) LOOP
				PERFORM pg_sleep(0.02);
			END LOOP;
			RETURN NEW;
		END $$;
		CREATE TRIGGER gate BEFORE UPDATE ON crlpress.work_shard
		    FOR EACH ROW EXECUTE FUNCTION gate_wait();
	SQL
}

# hosts_new NAME SHARDS [SECTION.KEY=VALUE...]: the issuer, and its store is
# watched from now on.
hosts_new()
{
	local shards=$2
	publish_new "$1" "shards.count=$2" "${@:3}" || return 1
	settings=("shards.count=$shards" "${@:3}")
	kept=$work/kept
	hosts=() pid=()
	"$PUBLISH_TREE/tests/lib/keep-versions" "$store" "$kept" 3>&- &
	keeper=$!
	until [ -e "$kept/ready" ]; do
		sleep 0.02
	done
}

# hosts_rows COUNT SHARDS [ARGUMENT...]: rows that stay for long.
hosts_rows()
{
	make_rows "$1" --shards "$2" "${@:3}" || return 1
	pg_psql -c "UPDATE crlpress.revocation
	    SET not_after = now() + interval '1 year' WHERE issuer = '$name'"
}

# host NAME [SECTION.KEY=VALUE...]: starts one: ${pid[NAME]}; by the command
# ${host_by[@]}, if that is set.
declare -gA pid
host_by=()
host()
{
	local host=$1
	local conf=$work/$host.cnf state=$work/state-$host
	publish_configure "issuer.name=$name" "share.lease=$HOSTS_LEASE" \
	    crl.period=1s "${settings[@]}" "${@:2}"
	"${host_by[@]}" "$CRLPRESS" publish --share --jobs 2 --config "$conf" \
	    >"$work/$host.out" 2>"$work/$host.err" 3>&- &
	pid[$host]=$!
	hosts+=("$host")
}

# host_ended NAME STATUS...: waits for it; it ended with one of these.
host_ended()
{
	local host=$1 status=0 want
	shift
	{ wait "${pid[$host]}"; } 2>/dev/null || status=$?
	unset "pid[$host]"
	for want; do
		[ "$status" -ne "$want" ] || return 0
	done
	echo "$host: exit status $status, want $*"
	cat "$work/$host.out" "$work/$host.err"
	hosts_show
	return 1
}

hosts_show()
{
	pg_psql -c 'TABLE crlpress.work_run' -c 'TABLE crlpress.work_worker' \
	    -c 'SELECT run, shard, state, worker, number
	    FROM crlpress.work_shard ORDER BY 1, 2'
}

# Waits until a query says t, as long as pg_wait does.
until_true()
{
	pg_wait "$1" || {
		hosts_show
		tail "$work"/*.err
		return 1
	}
}

# The last run of $name: until_run "CONDITION".
until_run()
{
	until_true "SELECT $1 FROM crlpress.work_run AS r
	    WHERE issuer = '$name' ORDER BY run DESC LIMIT 1"
}

# Shards of the last run that are so: until_shards COUNT CONDITION.
until_shards()
{
	until_run "(SELECT count(*) FROM crlpress.work_shard AS s
	    WHERE s.run = r.run AND $2) >= $1"
}

# Something is about to be put so often in the last run: until_attempts COUNT.
until_attempts()
{
	until_run "(SELECT count(*) FROM crlpress.work_attempt AS a
	    WHERE a.run = r.run) >= $1"
}

gate_close()
{
	pg_psql -c "INSERT INTO gate VALUES ('$1', '$2')"
}

gates_open()
{
	pg_psql -c 'DELETE FROM gate'
}

# Nothing can be put into the store until store_release.
store_hold()
{
	exec {store_lock}<>"$store/.crlpress-lock"
	flock "$store_lock"
}

store_release()
{
	exec {store_lock}>&-
}

# Stops a host, for good: no thread of it does anything when this returns.
host_stop()
{
	kill -STOP "${pid[$1]}"
	until ! grep -hs '^State:' "/proc/${pid[$1]}"/task/*/status |
	    grep -qv stopped; do
		sleep 0.01
	done
}

# By the server's clock the lease of a host has passed, and another noticed.
lease_passes()
{
	local i me="host LIKE '%process ${pid[$1]}'"
	for ((i = 0; i < 1200; i++)); do
		[ "$(pg_psql -c "UPDATE crlpress.work_worker SET until =
		    clock_timestamp() - interval '1 s' WHERE $me
		    RETURNING lost" 2>/dev/null)" != t ] || return 0
		sleep 0.05
	done
	hosts_show
	return 1
}

# Kills a host as a power cut would.
host_kill()
{
	kill -KILL "${pid[$1]}"
	{ wait "${pid[$1]}"; } 2>/dev/null || true
}

# Connections of one host, by the process at their other end, cannot be told
# apart by name: all of a kind are ended. hosts_cut CONDITION.
hosts_cut()
{
	pg_psql -c "SELECT count(pg_terminate_backend(pid))
	    FROM pg_stat_activity WHERE usename = 'cron' AND $1" >/dev/null
}

# Every shard had so many versions: versions_only "1 1 1".
versions_only()
{
	touch "$kept/stop"
	wait "$keeper"
	keeper=
	versions_checked "$1"
}

# The versions of the CRLs of a bucket are kept from now on.
bucket_watch()
{
	local i
	local -a keys=()
	for ((i = 0; i < $1; i++)); do
		keys+=("$name/$i.crl")
	done
	kept=$work/kept
	mkdir "$kept"
	"$PUBLISH_TREE/tests/lib/s3-client" watch "$bucket" "$work/watched" \
	    "$kept/stop" "${keys[@]}" >"$work/watch" 3>&- &
	keeper=$!
	until [ -d "$work/watched/${keys[-1]}" ]; do
		kill -0 "$keeper" || return 1
		sleep 0.05
	done
}

# bucket_seen COUNT: so many versions were seen, of all shards together.
bucket_seen()
{
	until [ "$(find "$work/watched" -type f | wc -l)" -ge "$1" ]; do
		kill -0 "$keeper" || return 1
		sleep 0.1
	done
}

# The same as `versions`, of a bucket.
bucket_versions()
{
	local file name_of
	touch "$kept/stop"
	wait "$keeper" || return 1
	keeper=
	while IFS= read -r file; do
		name_of=${file#"$work/watched/"}
		name_of=${name_of%/*}
		ln "$file" "$kept/${name_of//\//_}.${file##*/}"
	done < <(find "$work/watched" -type f)
	versions_checked "$1" || return 1
	s3_fetch && manifest_holds || return 1
	export_rows && compare "$(wc -w <<<"$1")"
}

versions_checked()
{
	local have
	have=$("$PUBLISH_TREE/tests/lib/check-versions" "$kept" \
	    "$(wc -w <<<"$1")") || return 1
	[ "$1" = "${1//[!0-9 ]/}" ] || return 0
	same "$have" "$1" 'versions of each shard'
}

# And the store is whole.
versions()
{
	versions_only "$1" || return 1
	manifest_holds || return 1
	export_rows && compare "$(wc -w <<<"$1")"
}

# What the ledgers of all hosts say was published: "HOST SHARD" a line.
ledgers()
{
	local host
	for host in "${hosts[@]}"; do
		sed -n 's/^{"event":"published".*"shard":\([0-9]*\),.*/\1/p' \
		    "$work/state-$host/$name/ledger.jsonl" |
		    sed "s/^/$host /"
	done
}

hosts_end()
{
	gates_open
	kill -KILL "${pid[@]}" ${keeper:+"$keeper"} 2>/dev/null || true
	{ wait; } 2>/dev/null
}
