# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# The signer of a run while there is one: load it after faults.bash.
#
# Variables are those of faults.bash:
# shellcheck disable=SC2154

# In setup_file: what a statement waits by.
signer_setup()
{
	pg_psql -c "CREATE FUNCTION wait_for_42() RETURNS void LANGUAGE plpgsql
	    AS \$\$ BEGIN
	    WHILE EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory') LOOP
	        PERFORM pg_sleep(0.05);
	    END LOOP; END \$\$"
}

# Runs publish, and leaves in signer.status what the kernel says of each thread
# of its signer while the statement waits: the signer has its key by then.
# What the run said is in run.err.
signer_look()
{
	local run pid
	printf '%s\n' "WITH gate AS MATERIALIZED (SELECT wait_for_42())
	    SELECT rows.* FROM gate, ($FAULTS_ROWS) AS rows" >wait.sql
	sed -i '/^query_file/d
	    s,^\[source\]$,&\nquery_file = '"$PWD"'/wait.sql,' "$conf"
	pg_psql -c 'SELECT pg_advisory_lock(42)' -c 'SELECT pg_sleep(600)' \
	    >/dev/null 2>&1 3>&- &
	pg_wait "SELECT count(*) = 1 FROM pg_locks
	    WHERE locktype = 'advisory'"
	"$CRLPRESS" publish --quiet --config "$conf" \
	    >run.out 2>run.err 3>&- &
	run=$!
	pg_wait "SELECT count(*) = 1 FROM pg_stat_activity
	    WHERE usename = 'cron' AND state = 'active'
	    AND query LIKE '%wait_for_42%'" || cat run.err
	pid=$(pgrep -P "$run" -x crlpress-signer) || show 'no signer' ||
	    return 1
	cat "/proc/$pid/task"/*/status >signer.status
	readlink "/proc/$pid/fd"/* >signer.fds || true
	pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_locks
	    WHERE locktype = 'advisory'" >/dev/null
	wait "$run"
}

# signer_has NAME VALUE COUNT: as many threads say this of themselves.
signer_has()
{
	same "$(grep -c "^$1:	$2\$" signer.status)" "$3" "threads with $1 $2"
}

# Skips where the kernel has no seccomp, as what was said tells.
signer_needs_seccomp()
{
	! grep -q 'seccomp: the kernel does without it' <<<"$1" ||
	    skip 'the kernel has no seccomp'
}

# signer_was_ended HINT: the signer of the last run did what it may not: it was
# ended, the lines say so, and nothing was published.
signer_was_ended()
{
	signer_needs_seccomp "$stderr"
	ended 1 || return 1
	said 'signer: sandbox: died of a system call that its sandbox forbids' \
	    'while signing e1/' 'hint: the kernel' "$1" ||
	    return 1
	diff -r before "$store" && nothing_left
}
