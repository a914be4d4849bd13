# SPDX-License-Identifier: ISC
#
# A published object that is gone from the store: there is nothing to hold rows
# against but the manifest. It is made anew, and said so, when there is a row
# for each entry that was to stay; rows that it cannot have listed, new ones or
# expired ones, do not stand in for those that are missing.
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
	faults_end
}

teardown_file()
{
	pg_stop
}

# A row of shard 1 is deleted, and a new one takes its place in the count.
swap_row()
{
	change_rows "DELETE FROM crlpress.revocation WHERE issuer = 'e1'
	    AND serial = (SELECT serial FROM crlpress.revocation
	    WHERE issuer = 'e1' AND shard = 1 ORDER BY serial LIMIT 1);
	    INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard, recorded_at)
	    VALUES ('e1', '\\x7a01', $1, 1, $2, 1, $3)"
}

# A run makes the other three, and shard 1 stays gone.
stays_gone()
{
	press
	ended 3
	one_line 'e1/shard 1: previous-readable' 'is gone from the store' \
	    'rows that it can have listed'
	[ ! -e "$store/e1/1.crl" ]
	known 1
	nothing_left
}

@test "it is made anew from its rows, with a warning" {
	local before
	before=$(crl_field "$store/e1/1.crl" number)
	rm "$store/e1/1.crl"
	published
	said 'warning: e1/shard 1: previous-readable' \
	    'is gone from the store and is made anew'
	[ "$(crl_field "$store/e1/1.crl" number)" -gt "$before" ]
	grep '"shard":1,' "$state/e1/ledger.jsonl" | tail -n 1 |
	    grep '"first":false,"remade":true'
}

@test "a new row does not stand in for one that is missing" {
	rm "$store/e1/1.crl"
	swap_row 'now()' "now() + interval '9 days'" 'now()'
	stays_gone
}

@test "nor does one that was dated back but recorded since" {
	rm "$store/e1/1.crl"
	swap_row "now() - interval '1 day'" "now() + interval '9 days'" 'now()'
	stays_gone
}

@test "nor does one that had expired before" {
	rm "$store/e1/1.crl"
	swap_row "now() - interval '9 days'" "now() - interval '1 hour'" \
	    "now() - interval '9 days'"
	stays_gone
}

@test "by name it is made of the rows that there are" {
	rm "$store/e1/1.crl"
	swap_row 'now()' "now() + interval '9 days'" 'now()'
	with=(--pass previous-readable:1)
	press
	ended 0
	held ''
	passed previous-readable:1
}

@test "its number and times are not gone back behind" {
	local number
	number=$(crl_field "$store/e1/1.crl" number)
	rm "$store/e1/1.crl"
	with=(--now "$(date -u -d '3 minutes ago' +%FT%TZ)")
	press
	ended 3
	said 'e1/shard 1: time-up' 'want after the published'
	# The state is lost as well, and the number had run ahead of the clock.
	faults_again
	echo 1999999999 >"$state/e1/number"
	published
	rm -r "$store/e1/1.crl" "$state"
	sleep 1
	published
	[ "$(crl_field "$store/e1/1.crl" number)" -gt 1999999999 ]
}

@test "without the manifest nothing tells what else is missing" {
	rm "$store/e1/1.crl" "$manifest"
	refused 3 'e1: store-known' 'has no manifest, which was published'
	with=(--pass store-known)
	press
	ended 0
	held ''
}

@test "a run that the floor stops says that nothing was published" {
	change_rows "UPDATE crlpress.revocation
	    SET not_after = now() - interval '1 hour' WHERE issuer = 'e1'"
	sed -i 's/ leaving=[0-9]*/ leaving=-/' "$manifest"
	with=(--dry-run --diff)
	press
	ended 3
	[[ $output != *'of 4 shards published'* ]]
}

@test "a dry run shows what the gates of a withheld shard saw" {
	change_rows "DELETE FROM crlpress.revocation WHERE issuer = 'e1'
	    AND shard = 1"
	with=(--dry-run --diff)
	press
	ended 3
	[ "$(grep -c '^- ' <<<"$output")" -eq "$(openssl crl -inform DER \
	    -in "$store/e1/1.crl" -noout -text | grep -c 'Serial Number')" ]
}
