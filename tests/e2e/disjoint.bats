# SPDX-License-Identifier: ISC
#
# One serial with rows in two shards: its certificate names one of them, and
# nothing tells which; both are withheld, the others are published.
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

# twin FROM TO: the first serial of one shard, with a row in another as well.
twin()
{
	serial=$(pg_psql -At -c "SELECT encode(serial, 'hex')
	    FROM crlpress.revocation WHERE shard = $1 ORDER BY serial LIMIT 1")
	echo "serial, revoked_at, reason, not_after, $2
	    FROM crlpress.revocation WHERE serial = '\\x$serial'"
}

@test "both shards of a serial are withheld, the others are published" {
	twin=$(twin 1 3)
	serial=$(sed -n "s/.*'.x\(.*\)'/\1/p" <<<"$twin")
	query "$FAULTS_ROWS UNION ALL SELECT $twin"
	press
	ended 3
	said "e1/shard 1: set-disjoint, house rule: serial $serial has rows \
in shard 3 too" "e1/shard 3: set-disjoint, house rule: serial $serial has \
rows in shard 1 too"
	held '1 3'
	nothing_left
}

@test "a serial in every shard withholds them all" {
	query "$FAULTS_ROWS UNION ALL
	    SELECT '\\x7a01'::bytea, now() - interval '1 hour', 1::smallint,
	    now() + interval '9 days', n FROM generate_series(0, 3) AS n"
	stands_still 3
	said 'shard 0: set-disjoint' 'shard 1: set-disjoint' \
	    'shard 2: set-disjoint' 'shard 3: set-disjoint'
}

@test "the same row twice in one shard is no such serial" {
	query "$FAULTS_ROWS UNION ALL $FAULTS_ROWS"
	published
}

@test "each of both may be let pass by name, and the manifest says so" {
	twin=$(twin 1 3)
	query "$FAULTS_ROWS UNION ALL SELECT $twin"
	with=(--pass set-disjoint:1)
	press
	ended 3
	held 3
	grep -x '# passed set-disjoint:1' "$manifest"
	faults_again
	with=(--pass set-disjoint:1 --pass set-disjoint:3)
	press
	ended 0
	grep -x '# passed set-disjoint:3' "$manifest"
}

@test "with the scheme serial-mod rows cannot be in two shards" {
	rm -rf "$store" "$state"
	mkdir "$store"
	query "SELECT serial, revoked_at, reason, not_after, NULL::integer
	    FROM crlpress.revocation WHERE issuer = :'issuer'" \
	    shards.scheme=serial-mod
	publish_ok
}
