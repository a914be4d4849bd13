# SPDX-License-Identifier: ISC
#
# Rows for which the budget has no memory: the same CRLs, byte for byte, the
# same gates, and what happens when the scratch file cannot grow.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

# With the least budget 8 MiB of rows stay in memory, 262144 of them.
ROWS=350000

# RSA signs the same bytes twice alike.
setup_file()
{
	publish_setup
	"$PUBLISH_TREE/tools/make-ca" --rsa "$BATS_FILE_TMPDIR/rsa"
	"$PUBLISH_TREE/tools/make-revocations" --quiet --count "$ROWS" \
	    --issuer big --shards 5 --first 1 \
	    --now "$(date -u -d '2 minutes ago' +%Y-%m-%dT%H:%M:%SZ)"
	NOW=$(date -u -d '1 minute ago' +%Y-%m-%dT%H:%M:%SZ)
	THEN=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	export NOW THEN
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
	own_ca=$BATS_FILE_TMPDIR/rsa
	publish_new e1 source.issuer_id=big shards.count=5 shards.first=1 \
	    shards.url='http://crl.example.com/big/{shard}.crl'
}

# press BUDGET [OPTION...]: publishes with it; BUDGET.sum has the hashes of all
# CRLs, BUDGET.err what was said, $scratch is what went to the file.
press()
{
	local budget=$1
	shift
	publish_configure source.issuer_id=big shards.count=5 shards.first=1 \
	    shards.url='http://crl.example.com/big/{shard}.crl' \
	    state.memory_budget="$budget"
	publish --json "$@"
	printf '%s\n' "$stderr" >"$budget.err"
	(cd "$store" && find . -name '*.crl' -exec sha256sum {} + | sort) \
	    >"$budget.sum"
	scratch=$(/usr/bin/python3 -c 'import json, sys
print(json.load(sys.stdin)["runs"][0]["scratch_bytes"])' <<<"$output")
	rows=$(/usr/bin/python3 -c 'import json, sys
print(sorted(json.load(sys.stdin)["runs"][0]["rows"].items()))' <<<"$output")
}

afresh()
{
	rm -rf "$store" "$state"
	mkdir "$store"
}

# What does not fit went to the file, more or less; and no file has a name.
has_spilled()
{
	[ "$scratch" -ge $(((ROWS - 262144) * 32)) ] &&
	    [ "$scratch" -le $((ROWS * 33)) ] || {
		echo "$scratch bytes in the scratch file"
		return 1
	}
	same "$(find "$state" -name 'rows*')" '' 'scratch files'
}

@test "a small budget: the same bytes, first and again" {
	local jobs
	press 1G --now "$NOW" --jobs 2
	ended 0
	same "$scratch" 0 'scratch with a large budget'
	cp 1G.sum first.sum
	press 1G --now "$THEN" --jobs 2
	ended 0
	for jobs in 1 3; do
		afresh
		press 64M --now "$NOW" --jobs $jobs
		ended 0
		has_spilled
		diff first.sum 64M.sum
		has "$rows" "('listed', $ROWS)"
		press 64M --now "$THEN" --jobs $jobs
		ended 0
		has_spilled
		diff 1G.sum 64M.sum
	done
}

@test "gates see the rows in the file" {
	# Twice in one shard, and in two, of rows from all over the table.
	pg_psql -c "CREATE TABLE twins AS SELECT * FROM crlpress.revocation
	    WHERE get_byte(serial, 3) = 9 AND get_byte(serial, 4) < 16
	    AND shard < 5" \
	    -c 'ALTER TABLE crlpress.revocation DROP CONSTRAINT
	        revocation_pkey' \
	    -c 'INSERT INTO crlpress.revocation SELECT * FROM twins
	        WHERE shard > 2' \
	    -c 'UPDATE twins SET shard = 3 - shard' \
	    -c 'INSERT INTO crlpress.revocation SELECT * FROM twins
	        WHERE shard IN (1, 2)'
	press 1G --now "$NOW" --jobs 2
	ended 3
	one=$rows
	afresh
	press 64M --now "$NOW" --jobs 2
	pg_psql -c "DELETE FROM crlpress.revocation r USING twins t
	        WHERE r.serial = t.serial" \
	    -c 'UPDATE twins SET shard = 3 - shard' \
	    -c 'INSERT INTO crlpress.revocation SELECT * FROM twins' \
	    -c 'ALTER TABLE crlpress.revocation ADD CONSTRAINT revocation_pkey
	        PRIMARY KEY (issuer, serial)' \
	    -c 'DROP TABLE twins'
	ended 3
	[ "$scratch" -gt 1000000 ]
	same "$rows" "$one" rows
	diff 1G.err 64M.err
	diff 1G.sum 64M.sum
	has "$stderr" 'set-disjoint'
	[ "$(wc -l <64M.sum)" -eq 3 ]
	[[ $rows != *"('duplicate', 0)"* ]]
}

@test "the scratch file cannot grow: a clear fault, and nothing changed" {
	publish_configure source.issuer_id=big shards.count=5 shards.first=1 \
	    shards.url='http://crl.example.com/big/{shard}.crl' \
	    state.memory_budget=64M
	run --separate-stderr bash -c \
	    'trap "" XFSZ; ulimit -f 1024; exec "$@"' sh \
	    "$CRLPRESS" publish -c "$conf" --jobs 2
	ended 1
	has "$stderr" "e1: scratch file in $state: File too large"
	has "$stderr" 'hint: rows beyond memory_budget'
	same "$(grep -c scratch <<<"$stderr")" 1 'lines about it'
	same "$(find "$store" -name '*.crl')" '' 'what was published'
	# With room it goes on.
	publish --jobs 2
	ended 0
}
