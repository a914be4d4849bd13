# SPDX-License-Identifier: ISC
#
# A store that goes back in time: what was put there from here is remembered
# for each shard, a push's too, so that an older copy is known by more than its
# own manifest. All shards gone at once are another file system in their
# place, and a time that is not yet is nothing to publish at.
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

# A revocation of shard 1, pushed; ./older is the store as it was before.
push_one()
{
	cp -a "$store" older
	change_rows "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    VALUES ('e1', '\\x7a01', now(), 1, now() + interval '9 days', 1)"
	"$CRLPRESS" push --config "$conf" --quiet --serial 7a01
	lists 7A01
}

# Shard 1 lists this serial.
lists()
{
	crl_field "$store/e1/1.crl" serials | grep -qx "$1"
}

lists_not()
{
	run lists "$1"
	[ "$status" -eq 1 ]
}

# The store and the database are what they were before; the state is not.
go_back()
{
	mv "$store" newer
	cp -a older "$store"
	pg_psql -c "DELETE FROM crlpress.revocation
	    WHERE issuer = 'e1' AND serial = '\\x7a01'"
}

# refused_push SHARD TEXT...: a push changes nothing, for this reason.
refused_push()
{
	standing >before.tree
	run --separate-stderr "$CRLPRESS" push --config "$conf" --shard "$1"
	ended 3
	one_line "${@:2}"
	standing >after.tree
	diff before.tree after.tree
}

@test "a store that was restored to before a push is refused" {
	push_one
	go_back
	refused 3 'e1: store-known' 'of 1 shards' 'of shard 1, want '
	said 'hint: it was restored from a backup'
	refused_push 1 'e1: store-known' 'of 1 shards'
	with=(--dry-run)
	refused 3 'e1: store-known'
	# Put back, it is held against the rows as ever.
	rm -r "$store"
	cp -a newer "$store"
	with=()
	withheld 1 'e1/shard 1: no-early-removal' 7a01
}

@test "let pass it is what stands there, and the next run finds nothing" {
	push_one
	go_back
	with=(--pass store-known)
	published
	passed store-known
	lists_not 7A01
	with=()
	published
	passed ''
}

@test "the same after a run of all shards, and where a shard came with it" {
	local before
	push_one
	rm -r older
	published
	before=$(crl_field "$store/e1/1.crl" number)
	cp -a "$store" older
	"$CRLPRESS" push --config "$conf" --quiet --shard 1 --shard 2
	[ "$(crl_field "$store/e1/1.crl" number)" -gt "$before" ]
	# The push of shard 2 alone is undone; that of 1 stands.
	cp "$store/e1/1.crl" one.crl
	rm -r "$store"
	cp -a older "$store"
	cp one.crl "$store/e1/1.crl"
	refused 3 'e1: store-known' 'of 1 shards' 'of shard 2, want '
	# One that is not there at all is older than anything.
	sed -i '/^# shard 2 /,+1d' "$manifest"
	rm "$store/e1/2.crl"
	press
	ended 3
}

@test "one object that goes back closes the gate of its shard, as ever" {
	push_one
	cp older/e1/1.crl "$store/e1/1.crl"
	withheld 1 'e1/shard 1: previous-readable' 'is older than'
}

# A push that ended before its manifest: nothing but the object has its number.
@test "an object that cannot be read stops its own shard, also after that" {
	push_one
	cp "older/${manifest##*/}" "$manifest"
	cp "$store/e1/1.crl" one.crl
	echo damaged >"$store/e1/1.crl"
	withheld 1 'e1/shard 1: previous-readable' 'is no CRL'
	# Let pass, what it listed is known to nobody.
	with=(--pass previous-readable:1)
	refused 3 'e1: store-known' 'of 1 shards' 'of shard 1, want '
	cp one.crl "$store/e1/1.crl"
	with=()
	published
	lists 7A01
}

@test "a state directory that is new knows nothing" {
	push_one
	go_back
	rm -r "$state"
	published
	lists_not 7A01
}

@test "what another host put is newer, and that it is gone is not known here" {
	local here=$state
	cp -a "$store" older
	spoil state.dir="$work/there"
	"$CRLPRESS" push --config "$conf" --quiet --shard 1
	spoil
	published
	rm -r "$store"
	cp -a older "$store"
	spoil state.dir="$work/there"
	state=$work/there
	with=()
	refused 3 'e1: store-known' 'of shard 1, want '
	state=$here
	spoil
	refused 3 'e1: store-known' 'has an older manifest'
}

@test "the file has a line for neighbours that were put with one number" {
	local file=$state/e1/shards all one
	all=$(manifest_field number)
	same "$(<"$file")" "0-3 $all" shards
	same "$(stat -c %a "$file")" 600 mode
	"$CRLPRESS" push --config "$conf" --quiet --shard 1
	one=$(crl_field "$store/e1/1.crl" number)
	same "$(<"$file")" "0-0 $all
1-1 $one
2-3 $all" shards
	published
	same "$(<"$file")" "0-3 $(manifest_field number)" shards
}

@test "damaged it says nothing, and removed it is begun anew" {
	local file=$state/e1/shards text
	for text in x '0-3' '0-3 7' '3-0 7
' '0-1 7
1-3 7
' '0-1 7
2-3 7
' '0-4294967296 7
' '0-4294967295 7
' '00-3 7
' '0-3 07
' '0-3 730750818665451459101842416358141509827966271488
'; do
		printf '%s' "$text" >"$file"
		refused 1 "$file: state: damaged"
		said 'hint: remove it'
	done
	rm "$file"
	published
	same "$(<"$file")" "0-3 $(manifest_field number)" shards
}

@test "all shards gone at once are not made anew: something is not mounted" {
	mv "$store/e1" away
	mkdir "$store/e1"
	refused 3 'e1: store-known' 'has the manifest and not one shard' \
	    'want the 4'
	said 'hint: see that what they lie in is mounted'
	refused_push 2 'e1: store-known' 'not one shard'
	with=(--dry-run)
	refused 3 'e1: store-known'
	# The state of another host, or a new one, sees it too.
	with=()
	mv "$state" kept
	refused 3 'e1: store-known' 'not one shard'
	rm -r "$state"
	mv kept "$state"
	# Mounted again.
	rmdir "$store/e1"
	mv away "$store/e1"
	published
}

@test "and by name they are" {
	rm "$store"/e1/*.crl
	with=(--pass store-known)
	published
	passed store-known
	said 'warning: e1/shard 3: previous-readable' 'is made anew'
	with=()
	published
	passed ''
}

@test "some that are gone are made anew; a push sees that others stand" {
	rm "$store"/e1/[123].crl
	"$CRLPRESS" push --config "$conf" --quiet --shard 2
	[ -e "$store/e1/2.crl" ]
	[ ! -e "$store/e1/1.crl" ]
	rm "$store/e1/2.crl"
	published
	said 'warning: e1/shard 1: previous-readable' 'is made anew'
}

@test "one shard in all is made anew as ever" {
	publish_new e3 shards.count=1
	revoke 2b01 0 $(($(date +%s) - 60)) $(($(date +%s) + 90 * 86400))
	# Recorded as the CRL was made it would not be known to be on it.
	pg_psql -c "UPDATE crlpress.revocation
	    SET recorded_at = now() - interval '1 day' WHERE issuer = 'e3'"
	publish_ok
	rm "$store/e3/0.crl"
	publish
	ended 0
	said 'warning: e3/shard 0: previous-readable' 'is made anew'
}

@test "a time to come is nothing to publish at" {
	local ahead
	ahead=$(iso $(($(date +%s) + 200)))
	with=(--now "$ahead")
	refused 3 'e1: clock' '--now is a time to come' \
	    "have $ahead, want at most"
	said 'hint: nothing is published that is not valid yet'
	run --separate-stderr "$CRLPRESS" push --config "$conf" --shard 1 \
	    --now "$ahead"
	ended 3
	one_line 'e1: clock' '--now is a time to come'
	# To look ahead is free.
	publish_ok --now "$ahead" --dry-run
	with=(--now "$ahead" --pass clock)
	published
	passed clock
	same "$(all_have this)" "$(sec "$ahead")" thisUpdate
}

@test "where all ran out it was an outage, or the clock is wrong" {
	local at last
	at=$(($(date +%s) - 20 * 86400))
	publish_new e2
	revoke 2a01 0 $((at - 86400)) $((at + 90 * 86400))
	publish_ok --now "$(iso "$at")"
	last=$(iso "$(all_have next)")
	publish
	ended 0
	said 'warning: e2: clock, RFC 5280, 5.1.2.5: all that is published' \
	    "ran out, the last of it $last" \
	    "and it is $(iso "$(all_have this)") now" \
	    'hint: where that was no outage, the clocks are wrong'
	publish_ok
}
