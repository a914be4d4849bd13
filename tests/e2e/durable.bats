# SPDX-License-Identifier: ISC
#
# What is on the disk when: read off the system calls of a publication, since
# no test can take the power away. And a dry run that is held up in the one
# moment that is too short to be hit otherwise.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

setup_file()
{
	publish_setup
}

setup()
{
	publish_env
	command -v strace >/dev/null || skip 'no strace'
	strace -f -o probe true || skip 'strace may not trace here'
	running=
}

teardown()
{
	[ -z "$running" ] || kill -KILL "$running" 2>/dev/null || true
}

teardown_file()
{
	pg_stop
}

# The calls of one process, a line each: its name, a blank, its arguments with
# the paths of descriptors. One during which another process did something
# stands in two parts: it counts where it ended.
calls()
{
	awk '/ <unfinished \.\.\.>$/ {
		sub(/ <unfinished \.\.\.>$/, "")
		begun[$1] = $0
		next
	}
	/^[0-9]+ +<\.\.\. [a-z0-9]+ resumed>/ {
		$0 = begun[$1] substr($0, index($0, "resumed>") + 8)
	}
	{ print }' trace |
	    sed -n 's/^[0-9]* *\([a-z0-9]*\)(\(.*\)) *= .*/\1 \2/p'
}

# line_of REGEX [AFTER]: where the first such call stands, after a line.
line_of()
{
	calls | awk -v re="$1" -v after="${2:-0}" '
		NR > after && $0 ~ re { print NR; found = 1; exit }
		END { exit !found }
	' || {
		echo "no call like $1 after line ${2:-0} of:"
		calls | cat -n
		return 1
	} >&2
}

@test "nothing is given out, or put, before what it rests on is on the disk" {
	local number signed shard link synced moved manifest
	publish_new e1
	make_rows 50 --shards 2
	publish_ok
	strace -f -y -o trace \
	    -e trace=fsync,rename,renameat,renameat2,linkat,sendmsg \
	    "$CRLPRESS" publish --config "$conf" --quiet --jobs 1

	# The number, and its name, before the first signature.
	number=$(line_of '^fsync .*/number\.tmp>')
	number=$(line_of '^renameat.*number\.tmp.* "number"' "$number")
	number=$(line_of "^fsync .*$state/e1>" "$number")
	signed=$(line_of '^sendmsg .*SCM_RIGHTS')
	[ "$number" -lt "$signed" ]

	# The bytes of a shard before their name in the store.
	for shard in 0 1; do
		synced=$(line_of "^fsync .*/stage/[0-9-]*/$shard\\.crl>")
		link=$(line_of "^linkat .*/stage/[0-9-]*/$shard\\.crl\"")
		[ "$synced" -lt "$link" ]
		moved=$(line_of "^renameat.* \"$shard\\.crl\"" "$link")
	done

	# The names of all shards before the manifest.
	manifest=$(line_of '^linkat .*/stage/[0-9-]*/manifest"')
	[ "$(line_of "^fsync .*$store/e1>" "$moved")" -lt "$manifest" ]
	[ "$(line_of '^fsync .*/stage/[0-9-]*/manifest>')" -lt "$manifest" ]
	moved=$(line_of '^renameat.* "crlpress-manifest-e1.txt"' "$manifest")

	# And the manifest's before it is taken for published.
	synced=$(line_of "^fsync .*$store>" "$moved")
	line_of '^fsync .*/published\.tmp>' "$synced"
}

# Delayed by strace after it opened the manifest, and before each shard.
@test "a manifest that is put while a dry run begins is no older one" {
	local i
	publish_new e2
	make_rows 50 --shards 2
	publish_ok
	# The first CRLs prove nothing of rows that have expired.
	publish_ok
	sleep 1
	strace -f -o trace -P crlpress-manifest-e2.txt -P 0.crl -P 1.crl \
	    -e inject=openat:delay_exit=3s "$CRLPRESS" publish --dry-run \
	    --config "$conf" >dry.out 2>dry.err 3>&- &
	running=$!
	for ((i = 0; i < 1200; i++)); do
		! grep -qs manifest trace || break
		sleep 0.1
	done
	grep manifest trace
	publish_ok
	status=0
	wait "$running" || status=$?
	running=
	output=$(<dry.out) stderr=$(<dry.err)
	ended 0
	same "$stderr" '' stderr
	has "$output" 'e2: ok: 2 of 2 shards would be published'
}
