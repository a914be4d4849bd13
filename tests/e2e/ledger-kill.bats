# SPDX-License-Identifier: ISC
#
# What the ledger says of a run that was killed: what it was about to publish,
# and, once the next run has looked, what it did.
#
# Each test is a subshell, and what it works with is set by what is loaded:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/ledger.bash

setup_file()
{
	publish_setup
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
	command -v strace >/dev/null || skip 'no strace'
	strace -f -o probe true || skip 'strace may not trace here'
}

# revoked SERIAL SHARD [DAYS_TO_LIVE]: a row of an hour ago.
revoked()
{
	revoke "$1" "$2" "$(sec '1 hour ago')" "$(sec "${3:-30} days")"
}

# killed_at N COMMAND...: a run that is killed as it writes line N of its
# ledger.
killed_at()
{
	status=0
	strace -f -o trace -P "$state/$name/ledger.jsonl" \
	    -e trace=writev -e inject=writev:signal=KILL:when="$1" \
	    "$CRLPRESS" "${@:2}" --config "$conf" --jobs 1 >killed.out 2>&1 \
	    3>&- || status=$?
	same "$status" 137 "exit status, killed at line $1"
}

@test "killed between a put and its line: said before, and found after" {
	local number
	publish_new gap
	make_rows 40 --shards 2
	publish_ok
	next_second
	revoked 31 0
	revoked 32 1
	# Lines 1 to 3: start and publishing; the fourth is of the first put.
	killed_at 4 publish
	same "$(events)" 'start publishing publishing published published end '\
'start publishing publishing ' events
	number=$(crl_field "$store/gap/0.crl" number)
	[ "$number" -gt "$(manifest_field number)" ]
	same "$(crl_field "$store/gap/1.crl" number)" \
	    "$(manifest_field number)" 'number of the other'
	ledger publishing | tail -n 2 | grep '"shard":0,' >line
	same "$(field number <line) $(field sha256 <line)" \
	    "$number $(sha256sum <"$store/gap/0.crl" | cut -c -64)" said
	has "$(<line)" '["31","'
	publish_ok
	has "$(events)" 'start publishing publishing start found publishing'\
' publishing published published end '
	ledger found >line
	same "$(field shard <line) $(field number <line)" "0 $number" found
	same "$(field key <line) $(field url <line)" \
	    'gap/0.crl http://crl.example.com/gap/0.crl' 'found where'
	same "$(field this_update <line)" "$(ledger publishing |
	    grep "\"number\":\"$number\"" | tail -n 1 |
	    field this_update)" thisUpdate
	# It is known then.
	publish_ok
	same "$(ledger found | wc -l)" 1 'found once'
}

@test "killed before the first put, and when all was done" {
	publish_new finished
	make_rows 40 --shards 2
	publish_ok
	# Before the first put nothing is found, for nothing was done.
	killed_at 3 publish
	publish_ok
	same "$(ledger found)" '' found
	# Line 6 is the end: the manifest was put.
	killed_at 6 publish
	publish_ok
	same "$(ledger found)" '' found
}

@test "a push that is killed behind its put, and one behind its line" {
	local number
	publish_new pushed
	make_rows 40 --shards 2
	publish_ok
	# Its lines: start, publishing, published, end.
	killed_at 3 push --shard 1
	number=$(crl_field "$store/pushed/1.crl" number)
	same "$(ledger | tail -n 1 | field event)" publishing 'last line'
	killed_at 3 push --shard 1
	# Each finds what stands there before it puts another.
	same "$(ledger found | field number)" "$number" 'found by a push'
	number=$(crl_field "$store/pushed/1.crl" number)
	publish_ok
	same "$(ledger found | tail -n 1 | field number)" "$number" \
	    'found by a run'
	same "$(ledger found | field shard | tr '\n' ' ')" '1 1 ' shards
	# Whatever stood there was said before, with the very number.
	ledger found | field number | while read -r number; do
		ledger publishing | grep '"shard":1,' |
		    grep -qF "\"number\":\"$number\"" || {
			echo "nobody said $number"
			exit 1
		}
	done
}
