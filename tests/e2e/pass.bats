# SPDX-License-Identifier: ISC
#
# Every gate can be let pass by name, and the manifest says so. Most are where
# they are shown to close (faults*.bats, disjoint.bats); here are those that
# need more for it, and the count: a gate that no test lets pass is a failure.
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
	meddler=
}

teardown()
{
	[ -z "$meddler" ] || wait "$meddler" || true
	faults_end
}

teardown_file()
{
	pg_stop
}

# gates: what there is, as the program says.
gates()
{
	"$CRLPRESS" publish --help | sed '1,/^Gates:$/d' |
	    sed -E 's/^ *([a-z-]+)(:SHARD(\|all)?)? .*/\1/'
}

# untested: those of stdin that no test finds in a manifest as let pass.
untested()
{
	local gate
	while read -r gate; do
		grep -qE "^[[:space:]]*passed( .*)? $gate(:| |\$)|\
# passed $gate(:|')" "$PUBLISH_TREE"/tests/e2e/*.bats || echo "$gate"
	done
}

@test "a test lets each gate pass, and sees that in the manifest" {
	[ "$(gates | wc -l)" -ge 19 ]
	same "$(gates | untested)" '' 'gates that no test lets pass'
	# And one that there is not would be missed.
	same "$(echo no-such-gate | untested)" no-such-gate 'none of the gates'
}

# meddle FILE: while the next run waits in its statement, this becomes shard 1.
# The number was chosen by then.
meddle()
{
	pg_psql -c 'SELECT pg_advisory_lock(42)' -c 'SELECT pg_sleep(600)' \
	    >/dev/null 2>&1 3>&- &
	pg_wait "SELECT count(*) = 1 FROM pg_locks
	    WHERE locktype = 'advisory'"
	(
		pg_wait "SELECT count(*) = 1 FROM pg_stat_activity
		    WHERE usename = 'cron' AND state = 'active'
		    AND query LIKE '%wait_for_42%'"
		cp "$1" "$store/e1/1.crl"
		pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_locks
		    WHERE locktype = 'advisory'" >/dev/null
	) 3>&- &
	meddler=$!
}

@test "a higher number was published meanwhile: made again above it" {
	# 2^100: no clock gets there.
	echo 1267650600228229401496703205376 >"$state/e1/number"
	with=(--now "$(date -u -d '10 seconds ago' +%FT%TZ)")
	press
	ended 0
	cp "$store/e1/1.crl" high.crl
	faults_again
	pg_psql -c "CREATE FUNCTION wait_for_42() RETURNS void LANGUAGE plpgsql
	    AS \$\$ BEGIN
	    WHILE EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory') LOOP
	        PERFORM pg_sleep(0.05);
	    END LOOP; END \$\$"
	query "WITH gate AS MATERIALIZED (SELECT wait_for_42())
	    SELECT rows.* FROM gate, ($FAULTS_ROWS) AS rows"
	meddle high.crl
	press
	ended 0
	# That shard is made again, above it, and no other shard is.
	said 'note: e1/shard 1: somebody else published it meanwhile'
	[ -z "$(faults_said)" ]
	held ''
	same "$(manifest_field shard | sed -n 's/ this-update.*//p' |
	    grep 1267650600228229401496703205376)" '' 'the number again'
	same "$(manifest_field shard |
	    grep -c 'number=12676506002282294014967')" 1 'shards above it'
	manifest_field shard |
	    grep -q '^1 number=1267650600228229401496703205378 '
}

@test "db-scope: an issuer that has no rows, this once" {
	rm -r "$store" "$state"
	mkdir "$store"
	spoil source.issuer_id=e9
	refused 3 'e1: db-scope' 'not one row of issuer_id e9'
	with=(--pass db-scope)
	published
	passed db-scope
	rows_are read=0 listed=0
	with=()
	refused 3 'e1: db-scope'
}

@test "store-known: what was published is not there" {
	rm -r "$store"
	mkdir "$store"
	refused 3 'e1: store-known' "$store is empty"
	with=(--pass store-known)
	published
	passed store-known
	with=()
	published
	passed ''
}
