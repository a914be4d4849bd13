# SPDX-License-Identifier: ISC
#
# One published shard that cannot be read, in a directory: a directory, a
# socket, a link in its place, a file without rights. That shard alone waits,
# and says so; all others are published; what can be let pass can be.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/faults.bash

setup_file()
{
	publish_setup
	faults_make_gold
}

setup()
{
	faults_begin
	object=$store/e1/1.crl
	# Root without the capabilities by which it reads everything.
	[ "$(id -u)" -ne 0 ] || under=(setpriv
	    --bounding-set '-dac_override,-dac_read_search'
	    --inh-caps '-all')
}

teardown()
{
	chmod -R u+rwX . 2>/dev/null || true
	faults_end
}

teardown_file()
{
	pg_stop
}

# What stands there, whatever it is.
shape()
{
	stat -c '%F %i %s %a %Y' "$1"
}

# alone WHAT: shard 1 waits as it is, with one line, and the others are new.
alone()
{
	local before number
	before=$(shape "$object")
	number=$(manifest_field number)
	press
	ended 3
	one_line 'e1/shard 1: previous-readable, house rule: ' \
	    "what is published as e1/1.crl cannot be read: $1"
	same "$(shape "$object")" "$before" 'what stands there'
	same "$(shard_states | grep -vx '1 withheld')" \
	    $'0 published\n2 published\n3 published' 'other shards'
	same "$(shard_states | grep -x '1 .*')" '1 withheld' 'shard 1'
	same "$(shard_line "$manifest" 1)" \
	    "$(shard_line "before/${manifest##*/}" 1)" 'what is known of it'
	[ "$(manifest_field number)" -gt "$number" ]
	nothing_left
}

# Nothing that was let pass can put a CRL there.
never()
{
	with=(--pass previous-readable:1)
	alone "$1"
	with=()
	said 'hint: move it away and run again'
	said_not 'hint: this shard alone waits'
	rm -r "$object"
	# Gone is gone: there is a row for each of its entries.
	published
	said 'warning: e1/shard 1: previous-readable' 'made anew'
}

@test "a directory in the place of a shard" {
	rm "$object"
	mkdir "$object"
	alone 'is not a regular file'
	never 'is not a regular file'
}

@test "a symbolic link in the place of a shard, to it and to nothing" {
	mv "$object" there.crl
	ln -s "$PWD/there.crl" "$object"
	alone 'is a symbolic link, want a regular file'
	ln -sf "$PWD/none" "$object"
	never 'is a symbolic link'
	openssl crl -inform DER -in there.crl -noout
}

@test "a socket and a FIFO in the place of a shard" {
	rm "$object"
	/usr/bin/python3 -c '
import os, socket, sys
os.chdir(os.path.dirname(sys.argv[1]))
socket.socket(socket.AF_UNIX).bind(os.path.basename(sys.argv[1]))' "$object"
	alone 'is not a regular file'
	rm "$object"
	mkfifo "$object"
	never 'is not a regular file'
}

@test "a shard that may not be read: it waits, or is replaced as it stands" {
	local inode
	chmod 000 "$object"
	alone 'cannot open it: Permission denied'
	said 'hint: the user that crlpress runs as may not do this there' \
	    'hint: this shard alone waits; ' '--pass previous-readable:1'
	inode=$(stat -c %i "$object")
	with=(--pass previous-readable:1)
	press
	ended 0
	same "$(faults_said)" '' faults
	said 'warning: e1/shard 1: previous-readable' 'let pass by --pass:'
	passed previous-readable:1
	same "$(shard_states | grep -vc ' published$')" 0 'not published'
	[ "$(stat -c %i "$object")" -ne "$inode" ]
	manifest_holds
	export_rows
	compare 4
	with=()
	published
}

# exchange FILE: while the next run waits in its statement, this becomes
# shard 1. What stood there was looked at by then.
exchange()
{
	pg_psql -c 'SELECT pg_advisory_lock(42)' -c 'SELECT pg_sleep(600)' \
	    >/dev/null 2>&1 3>&- &
	pg_wait "SELECT count(*) = 1 FROM pg_locks
	    WHERE locktype = 'advisory'"
	(
		pg_wait "SELECT count(*) = 1 FROM pg_stat_activity
		    WHERE usename = 'cron' AND state = 'active'
		    AND query LIKE '%wait_for_42%'"
		mv "$1" "$object"
		pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_locks
		    WHERE locktype = 'advisory'" >/dev/null
	) 3>&- &
}

@test "what is let pass is replaced only while it stands there" {
	local inode
	pg_psql -c "CREATE FUNCTION wait_for_42() RETURNS void LANGUAGE plpgsql
	    AS \$\$ BEGIN
	    WHILE EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory') LOOP
	        PERFORM pg_sleep(0.05);
	    END LOOP; END \$\$"
	query "WITH gate AS MATERIALIZED (SELECT wait_for_42())
	    SELECT rows.* FROM gate, ($FAULTS_ROWS) AS rows"
	chmod 000 "$object"
	cp "$GOLD/e1/store/e1/1.crl" other.crl
	chmod 000 other.crl
	inode=$(stat -c %i other.crl)
	exchange other.crl
	with=(--pass previous-readable:1)
	press
	wait
	ended 4
	same "$(stat -c %i "$object")" "$inode" 'which one stands there'
	said "$object: store: cannot open it: Permission denied"
	same "$(shard_states | grep -vx '1 withheld')" \
	    $'0 published\n2 published\n3 published' 'other shards'
}

@test "a directory of shards that may not be entered" {
	chmod 000 "$store/e1"
	press
	chmod 755 "$store/e1"
	ended 3
	said 'e1/shard 0: previous-readable' 'e1/shard 3: previous-readable' \
	    'cannot open its directory: Permission denied'
	# In the order of the shards, whoever read them.
	same "$(grep -o 'e1/shard [0-9]: previous' <<<"$stderr")" \
	    "$(printf 'e1/shard %d: previous\n' 0 1 2 3)" 'order of the lines'
	nothing_left
}

@test "the number is above what the manifest has of what cannot be read" {
	local number want
	# The state directory is lost, the clock far behind the numbers.
	number=$(manifest_field number)
	want=$((number + 5000000))
	sed -i "/^# shard 1 /s/number=$number/number=$want/" "$manifest"
	/usr/bin/python3 - "$manifest" <<'END'
import subprocess, sys
path = sys.argv[1]
lines = open(path, "rb").read().splitlines(keepends=True)
body = b"".join(lines[:-1])
sum = subprocess.run(["cksum"], input=body, stdout=subprocess.PIPE).stdout
open(path, "wb").write(body + b"# end " + sum.strip() + b"\n")
END
	rm -rf "$state"
	chmod 000 "$object"
	press
	ended 3
	[ "$(manifest_field number)" -gt "$want" ]
	with=(--pass previous-readable:1)
	press
	ended 0
	chmod 644 "$object"
	[ "$(crl_field "$object" number)" -gt "$((want + 1))" ]
}
