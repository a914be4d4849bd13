# SPDX-License-Identifier: ISC
#
# Disks that are full or read-only, directories that are not there, and clocks
# that are wrong: one clear line, the exit status of the manual, and a store
# as it was.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

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
}

teardown()
{
	# Whoever is not root could not remove it otherwise.
	chmod -R u+w .
	faults_end
}

teardown_file()
{
	pg_stop
}

# Runs as somebody who gets no further than the modes of files allow: root
# without the capabilities that let it, or who runs the tests.
unprivileged()
{
	[ "$(id -u)" -ne 0 ] || under=(setpriv
	    --bounding-set '-dac_override,-dac_read_search,-fowner'
	    --inh-caps '-all')
}

# press_in SCRIPT: a run where mounts are its own, after the script; what
# stood in the store before and after is in before.tree and after.tree, and
# what stands there goes to where it stood without the mounts.
press_in()
{
	local how=-Urm
	[ "$(id -u)" -ne 0 ] || how=-m
	unshare "$how" true 2>/dev/null ||
	    skip 'no mount namespaces here (unshare)'
	unshare "$how" bash -euc "$(declare -p store state conf work GOLD \
	    CRLPRESS with; declare -f tree standing leftovers)
	    $1
	    cp -a \"\$store\" before
	    standing >before.tree
	    status=0
	    \"\$CRLPRESS\" publish --config \"\$conf\" \"\${with[@]}\" \
	        >out 2>err || status=\$?
	    standing >after.tree
	    leftovers >left
	    cp -a \"\$store\" after
	    echo \$status >status" 3>&-
	status=$(<status) output=$(<out) stderr=$(<err)
	[ ! -s left ] || show "files left: $(<left)"
}

# refused_in SCRIPT STATUS TEXT...
refused_in()
{
	press_in "$1"
	ended "$2"
	one_line "${@:3}"
	diff before.tree after.tree
	nothing_left
}

@test "a store that is a file, that is missing, that was never mounted" {
	: >file
	spoil "store.url=$PWD/file"
	refused 1 "$PWD/file: store:" 'as a directory: Not a directory'
	spoil "store.url=$PWD/none"
	refused 1 "$PWD/none: store:" 'No such file or directory'
	said 'hint: make the directory, or mount'
	[ ! -e none ]
	mkdir empty
	spoil "store.url=$PWD/empty"
	refused 3 'e1: store-known' "$PWD/empty is empty"
	[ -z "$(find empty -name '*.crl')" ]
}

@test "a store that may not be written to" {
	chmod 555 "$store"
	unprivileged
	refused 1 "$store: store: cannot write there: Permission denied"
	said 'hint: the user that crlpress runs as'
	chmod 755 "$store"
	chmod 555 "$store/e1"
	stands_still 1
	said "$store/e1/0.crl: " "$store/e1/3.crl: " 'Permission denied'
	chmod 755 "$store/e1"
	published
}

@test "a store on a read-only file system" {
	refused_in 'mount --bind "$store" "$store"
	    mount -o remount,bind,ro "$store"' \
	    1 "$store: store: cannot write there: Read-only file system"
	said 'hint: the file system is mounted read-only'
}

# The store on a file system of its own, with this much left: on_small SIZE.
on_small()
{
	echo "mount -t tmpfs -o size=256k none \"\$store\"
	    cp -a \"\$GOLD/e1/store/.\" \"\$store\"
	    dd if=/dev/zero of=\"\$store/fill\" bs=4k 2>/dev/null || true
	    truncate -s -$1 \"\$store/fill\""
}

@test "a store that is full" {
	press_in "$(on_small 0)"
	ended 1
	diff before.tree after.tree
	nothing_left
	said "$store/e1/0.crl: store: " "$store/e1/3.crl: store: " \
	    'No space left on device' 'hint: free some space there'
	has "$output" 'e1: not published: 0-3
e1: failed: 0 of 4 shards published'
	said_not ': published:'
}

@test "a store with room for three shards of four" {
	query "$FAULTS_ROWS UNION ALL
	    SELECT decode(lpad(to_hex(i), 30, '1'), 'hex'),
	        now() - interval '1 hour', 4::smallint,
	        now() + interval '9 days', 2
	    FROM generate_series(1, 3000) AS i"
	# Two at a time would fill it together.
	with=(--jobs 1)
	press_in "$(on_small 40k)"
	ended 4
	one_line "$store/e1/2.crl: store: cannot write it" \
	    'No space left on device'
	has "$output" 'e1: not published: 2
e1: partial: 3 of 4 shards published'
	store=$PWD/after manifest=$PWD/after/crlpress-manifest-e1.txt
	held 2
	nothing_left
	faults_begin
	published
	rows_are read=600 listed=600
}

@test "a state directory that is full" {
	# No room is left in the last page of the ledger either.
	refused_in 'mount -t tmpfs -o size=32k none "$state"
	    cp -a "$GOLD/e1/state/." "$state"
	    yes "" | head -c $((4096 - $(stat -c %s \
	        "$state/e1/ledger.jsonl") % 4096)) >>"$state/e1/ledger.jsonl"
	    dd if=/dev/zero of="$state/fill" bs=4k 2>/dev/null || true' \
	    1 "$state/e1/" 'No space left on device'
	said 'hint: free some space there'
}

@test "a state directory with room for a number, but for no shard" {
	press_in 'mount -t tmpfs -o size=64k none "$state"
	    cp -a "$GOLD/e1/state/." "$state"
	    dd if=/dev/zero of="$state/fill" bs=4k 2>/dev/null || true
	    truncate -s -4k "$state/fill"'
	ended 1
	diff before.tree after.tree
	nothing_left
	said "$state/e1/stage/" '/0.crl: state: cannot write it: ' '/3.crl: ' \
	    'No space left on device'
}

@test "a state directory that may not be written to, that is a file" {
	unprivileged
	chmod 500 "$state/e1"
	refused 1 "$state/e1/" 'Permission denied'
	chmod 700 "$state/e1"
	chmod 600 "$state/e1"
	refused 1 "$state/e1" 'Permission denied'
	chmod 700 "$state/e1"
	rm -r "$state/e1"
	chmod 500 "$state"
	refused 1 "$state/e1" 'Permission denied'
	chmod 700 "$state"
	rm -r "$state"
	: >"$state"
	refused 1 "$state: state: " 'Not a directory'
}

@test "a state that is damaged" {
	echo 12x >"$state/e1/number"
	refused 1 "$state/e1/number" damaged
	said 'hint: write there the highest'
	[ "$(<"$state/e1/number")" = 12x ]
	: >"$state/e1/number"
	refused 1 "$state/e1/number" damaged
}

@test "a state that was lost: the number still rises" {
	local before
	before=$(crl_field "$store/e1/0.crl" number)
	rm -r "$state"
	published
	[ "$(all_have number)" -gt "$before" ]
}

@test "another run holds the lock" {
	exec 8<"$state/e1/lock"
	flock 8
	refused 75 "$state/e1/lock" 'another run of this issuer holds it'
	exec 8<&-
	published
}

@test "a clock in 1970, and one a day ahead" {
	under=(faketime '1970-01-02 00:00:00')
	refused 3 'e1: clock' 'behind the database' \
	    'have 1970-01-02T00:00:0' 'within 5m'
	under=(faketime -f +1d)
	refused 3 'e1: clock' 'ahead of the database'
	# A little ahead is all right; the times of files stay what they are.
	under=(env NO_FAKE_STAT=1 faketime -f +60s)
	published
}

@test "--now ahead of the clock, without and with --pass clock" {
	local later
	later=$(date -u -d '1 hour' +%FT%TZ)
	with=(--now "$later")
	refused 3 'e1: clock' '--now is a time to come' "have $later"
	with=(--now "$later" --pass clock)
	published
	passed clock
	[ "$(all_have this)" -eq "$(sec "$later")" ]
	# What is out there is later than now: nothing follows it today.
	with=()
	stands_still 3
	[ "$(faults_said | grep -c 'e1/shard [0-3]: time-up, .*thisUpdate')" \
	    -eq 4 ]
}

@test "--now before what is published" {
	with=(--now "$(iso $(($(all_have this) - 10)))")
	stands_still 3
	[ "$(faults_said | grep -c 'e1/shard [0-3]: time-up, .*thisUpdate')" \
	    -eq 4 ]
}
