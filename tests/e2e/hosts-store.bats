# SPDX-License-Identifier: ISC
#
# Hosts that share a run share one store: one that sees another directory under
# that name (a file system that is not mounted), or an older store, takes no
# part, and what it put elsewhere is not said to be published. A host opens its
# store when it starts, so that another directory can be put in its place for
# those that start later.
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

# store_new NAME: an issuer of six shards, with rows.
store_new()
{
	publish_new "$1" shards.count=6
	settings=(shards.count=6)
	hosts=() pid=()
	hosts_rows 60 6
}

# A first run of one host, and rows for the next one.
published_once()
{
	store_new "$1"
	host a
	host_ended a 0
	hosts_rows 30 6 --seed 2
	sleep 1
}

# From now on who opens the store has an empty directory.
store_unmount()
{
	mv "$store" "$work/real"
	mkdir "$store"
}

store_mount()
{
	mv "$store" "$work/other"
	mv "$work/real" "$store"
}

store_is_whole()
{
	manifest_holds && export_rows && compare 6
}

none_in()
{
	[ -z "$(find "$1" -name '*.crl')" ]
}

@test 'a host without the store joins: it takes no shard' {
	published_once joining
	gate_close made opener
	host a
	until_shards 2 "state = 'leased'"
	store_unmount
	host b
	host_ended b 3
	has "$(cat "$work/b.err")" 'store-known'
	has "$(cat "$work/b.err")" 'does not see what the others put'
	has "$(cat "$work/b.err")" 'is the store mounted here'
	none_in "$store"
	store_mount
	gates_open
	host_ended a 0
	has "$(cat "$work/a.err")" 'all 6 shards are published'
	store_is_whole
}

@test 'a host without the store opens a run: nothing of it is made' {
	published_once opening
	store_unmount
	host b
	host_ended b 3
	has "$(cat "$work/b.err")" 'does not see what the others put'
	none_in "$store"
	store_mount
	host a
	host_ended a 0
	store_is_whole
}

# Nothing was known of the store when it joined: who closes looks.
@test 'a first run, published into two stores, is not said to be published' {
	store_new first
	gate_close made opener
	host a
	until_shards 2 "state = 'leased'"
	store_unmount
	host b
	until_shards 4 "state = 'made'"
	gate_close published opener
	pg_psql -c "DELETE FROM gate WHERE state = 'made'"
	until_shards 4 "state = 'published'"
	host_stop b
	gates_open
	host_ended a 4
	has "$(cat "$work/a.err")" 'as this host sees it has not got them'
	has "$(cat "$work/a.err")" '4 are not published'
	! grep -q 'all 6 shards are published' "$work/a.err" || false
	kill -CONT "${pid[b]}"
	host_ended b 0 1 4
	store_mount
	# They are not known to be published: the next run does all of it.
	host a
	host_ended a 0
	store_is_whole
}

@test 'one shard is put back to an older one: it alone is withheld' {
	store_new older
	host a
	host_ended a 0
	cp "$store/older/3.crl" "$work/3.crl"
	sleep 1
	host a
	host_ended a 0
	cp "$work/3.crl" "$store/older/3.crl"
	sleep 1
	hosts_rows 30 6 --seed 2
	host c
	host_ended c 3
	has "$(cat "$work/c.err")" 'shard 3: previous-readable'
	has "$(cat "$work/c.err")" 'is gone or older than'
	has "$(cat "$work/c.err")" 'of the 6 shards of run'
	cmp "$work/3.crl" "$store/older/3.crl"
	for shard in 0 1 2 4 5; do
		[ "$(crl_field "$store/older/$shard.crl" number)" -gt \
		    "$(crl_field "$work/3.crl" number)" ]
	done
	# The remedy: made anew by one host alone, from the rows.
	publish_configure issuer.name=older shards.count=6 \
	    "state.dir=$work/state-alone"
	sleep 1
	"$CRLPRESS" publish --config "$conf" --pass previous-readable:3
	host d
	host_ended d 0
	store_is_whole
}

# The tables' numbers run ahead of the time: a run of many leases is enough.
@test 'a store is made anew under lower numbers: all take part again' {
	local shard far=4000000000
	store_new anew
	pg_psql -c "INSERT INTO crlpress.work_issuer (issuer, number)
	    VALUES ('anew', $far)"
	host a
	host_ended a 0
	store_unmount
	host b
	host_ended b 3
	has "$(cat "$work/b.err")" 'without --share makes it anew'
	publish_configure issuer.name=anew shards.count=6 \
	    "state.dir=$work/state-alone"
	sleep 1
	"$CRLPRESS" publish --config "$conf"
	for shard in 0 1 2 3 4 5; do
		[ "$(crl_field "$store/anew/$shard.crl" number)" -lt "$far" ]
	done
	# Both who opens the next run and who joins it.
	sleep 1
	gate_close made opener
	host c
	until_shards 2 "state = 'leased'"
	host d
	until_shards 4 "state = 'made'"
	gates_open
	host_ended c 0
	host_ended d 0
	for shard in 0 1 2 3 4 5; do
		[ "$(crl_field "$store/anew/$shard.crl" number)" -gt "$far" ]
	done
	store_is_whole
	# What was there before is older by both.
	store_mount
	host e
	host_ended e 3
	has "$(cat "$work/e.err")" 'does not see what the others put'
}
