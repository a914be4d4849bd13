# SPDX-License-Identifier: ISC
#
# What the manifest remembers of a shard whose object was lost, damaged or
# replaced by somebody: however often cron runs, nothing that was listed is
# forgotten, until the shard is put back or an operator lets it pass.
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

# The rows of shard 1 are gone too, all but a few.
lose_rows()
{
	change_rows "DELETE FROM crlpress.revocation WHERE issuer = 'e1'
	    AND shard = 1 AND get_byte(serial, octet_length(serial) - 1) > 9"
}

# The runs of a day refuse what the first refused; then the old shard is put
# back, and that helps no more than before, since its rows are still gone.
stays_withheld()
{
	local i
	for i in 1 2 3 4; do
		press
		ended 3
		one_line 'e1/shard 1: previous-readable' 'is gone from the' \
		    'entries that the last manifest has'
		[ ! -e "$store/e1/1.crl" ]
		known 1
	done
	cp "$GOLD/e1/store/e1/1.crl" "$store/e1/1.crl"
	press
	ended 3
	said 'e1/shard 1: no-early-removal'
	held 1
	# By name, and once.
	rm "$store/e1/1.crl"
	with=(--pass previous-readable:1)
	press
	ended 0
	held ''
	passed previous-readable:1
}

@test "a shard that was damaged, and then removed" {
	echo garbage >"$store/e1/1.crl"
	withheld 1 'e1/shard 1: previous-readable' 'is no CRL'
	withheld 1 'e1/shard 1: previous-readable' 'is no CRL'
	rm "$store/e1/1.crl"
	lose_rows
	stays_withheld
}

@test "a shard that was lost" {
	rm "$store/e1/1.crl"
	lose_rows
	stays_withheld
}

@test "a shard in whose place somebody put another's, which was removed" {
	cp "$store/e1/2.crl" "$store/e1/1.crl"
	withheld 1 'e1/shard 1: same-scope'
	rm "$store/e1/1.crl"
	lose_rows
	stays_withheld
}

@test "a shard that was lost while its rows were faulty, so not looked at" {
	rm "$store/e1/1.crl"
	with_row "decode('0000', 'hex'), now(), 1::smallint,
	    now() + interval '9 days', 1"
	press
	ended 3
	known 1
	spoil
	lose_rows
	stays_withheld
}

@test "a shard that is an older copy, however often cron runs" {
	local i
	published
	for i in 1 2 3; do
		cp "$GOLD/e1/store/e1/1.crl" "$store/e1/1.crl"
		withheld 1 'e1/shard 1: previous-readable' 'is older than'
	done
	with=(--pass previous-readable:1)
	published
	passed previous-readable:1
}

@test "an older copy while its rows are faulty, so not looked at" {
	published
	cp "$GOLD/e1/store/e1/1.crl" "$store/e1/1.crl"
	with_row "decode('0000', 'hex'), now(), 1::smallint,
	    now() + interval '9 days', 1"
	press
	ended 3
	held 1
	spoil
	withheld 1 'e1/shard 1: previous-readable' 'is older than'
}

# An entry that expired between the last two CRLs of a shard is proved by its
# row as long as that shard may be put back, however short the lookback is.
@test "a shard that is put back after days: its proofs are still asked for" {
	local t day=86400
	publish_new e9 source.lookback=12h shards.count=2
	t=$(($(date +%s) - 20 * day))
	revoke 26 0 $((t - day)) $((t + 3600))
	revoke 27 0 $((t - day)) $((t + 90 * day))
	revoke 28 1 $((t - day)) $((t + 90 * day))
	publish --now "$(iso $t)"
	ended 0
	publish --now "$(iso $((t + day)))"
	ended 0
	mv "$store/e9/0.crl" .
	# Lost, and not made anew: the row of 27 is gone for a while.
	pg_psql -c "UPDATE crlpress.revocation SET issuer = 'none'
	    WHERE issuer = 'e9' AND shard = 0"
	publish --now "$(iso $((t + 2 * day)))"
	ended 3
	publish --now "$(iso $((t + 3 * day)))"
	ended 3
	pg_psql -c "UPDATE crlpress.revocation SET issuer = 'e9'
	    WHERE issuer = 'none'"
	mv 0.crl "$store/e9"
	publish --now "$(iso $((t + 4 * day)))"
	ended 0
	same "$(crl_field "$store/e9/0.crl" serials)" 27 'what is listed'
}

@test "a shard that was lost and is put back: nothing was forgotten" {
	mv "$store/e1/1.crl" kept.crl
	with_row "decode('0000', 'hex'), now(), 1::smallint,
	    now() + interval '9 days', 1"
	press
	ended 3
	spoil
	mv kept.crl "$store/e1/1.crl"
	published
	rows_are listed=600
	export_rows
	compare 4
}
