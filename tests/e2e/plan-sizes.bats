# SPDX-License-Identifier: ISC
#
# crlpress plan --sizes: the sizes are those that publish then writes, to the
# octet; what is warned of, when, and what is advised.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

DAY=86400

setup_file()
{
	local key
	publish_setup
	for key in rsa ed25519; do
		"$PUBLISH_TREE/tools/make-ca" "--$key" "$BATS_FILE_TMPDIR/$key"
	done
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
	now=$(date +%s)
}

sizes()
{
	run --separate-stderr "$CRLPRESS" plan --sizes --config "$conf" "$@"
}

# ask EXPRESSION: of the first issuer, as Python has it.
ask()
{
	/usr/bin/python3 -c 'import json, sys
issuer = json.load(sys.stdin)["issuers"][0]
shards = {shard["shard"]: shard for shard in issuer["shards"]}
print(eval(sys.argv[1]))' "$1" <<<"$output"
}

# many COUNT SHARD REVOKED_SEC NOT_AFTER_SEC: rows of $name with serials of 16
# octets and a reason.
many()
{
	pg_psql -c "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    SELECT '$name', decode('7f' || md5(i || ' $*'), 'hex'),
	    to_timestamp($3), 1, to_timestamp($4), $2
	    FROM generate_series(1, $1) i"
}

# same_as_published [LESS]: each shard is in the store with just that size, or
# up to LESS octets less.
same_as_published()
{
	sizes --json
	ended 0 || return 1
	ask 'json.dumps({n: s["bytes"] for n, s in shards.items()})' >bytes
	/usr/bin/python3 - "$store/$name" "${1:-0}" <<'END'
import json, os, sys
store, less = sys.argv[1], int(sys.argv[2])
want = json.load(open("bytes"))
have = {name[:-4]: os.path.getsize(os.path.join(store, name))
        for name in os.listdir(store)}
assert have.keys() == want.keys(), (have, want)
for shard in want:
    assert 0 <= want[shard] - have[shard] <= less, (shard, have, want)
assert len(set(want.values())) > len(want) / 2, want
END
}

# known_rows: 3000 valid rows of $name.
known_rows()
{
	make_rows 3000 --shards 5 --first 7 \
	    --since "$(iso $((now - 20 * DAY)))" --now "$(iso $((now - 60)))"
}

@test "sizes are what publish writes: column, RSA" {
	own_ca=$BATS_FILE_TMPDIR/rsa
	publish_new column shards.count=5 shards.first=7
	known_rows
	publish_ok
	same_as_published
	same "$(ask 'sum(s["entries"] for s in shards.values())')" 3000 entries
	same "$(ask 'issuer["rows"]')" 3000 rows
}

@test "sizes are what publish writes: RSA with PSS" {
	own_ca=$BATS_FILE_TMPDIR/rsa
	publish_new pss shards.count=5 shards.first=7 issuer.padding=pss
	known_rows
	publish_ok
	same_as_published
}

@test "sizes are what publish writes: serial-mod, Ed25519" {
	own_ca=$BATS_FILE_TMPDIR/ed25519
	publish_new mod shards.count=11 shards.scheme=serial-mod
	known_rows
	pg_psql -c "UPDATE crlpress.revocation SET shard = NULL
	    WHERE issuer = 'mod'"
	publish
	ended 0
	same_as_published
}

@test "sizes are what publish writes: expiry, ECDSA to some octets" {
	publish_new expiry shards.count=9 shards.scheme=expiry \
	    "shards.anchor=2026-01-01T00:00:00Z" shards.chunk=5d
	known_rows
	pg_psql -c "UPDATE crlpress.revocation SET shard = NULL
	    WHERE issuer = 'expiry'"
	publish_ok
	# Two INTEGERs, each an octet shorter once in 256 times.
	same_as_published 8
}

@test "sizes are what publish writes: cdp" {
	own_ca=$BATS_FILE_TMPDIR/ca
	pg_psql -c "CREATE TABLE certificate (serial bytea, shard int,
	    not_after timestamptz, pem text,
	    revoked_at timestamptz DEFAULT now() - interval '1 hour')"
	"$PUBLISH_TREE/tests/lib/cdp-certificates" "$BATS_FILE_TMPDIR/ca" \
	    'http://crl.example.com/cdp/{shard}.crl' 3 4 60 |
	    pg_psql -c 'COPY certificate (serial, shard, not_after, pem)
	        FROM STDIN'
	echo 'SELECT serial, revoked_at, 1 AS reason, not_after,
	    pem AS certificate FROM certificate' >query.sql
	publish_new cdp "source.query_file=$PWD/query.sql" shards.scheme=cdp \
	    shards.first=3 shards.count=4
	publish_ok
	sizes --json
	ended 0
	same "$(ask 'sum(s["entries"] for s in shards.values())')" 60 entries
	for i in 3 4 5 6; do
		have=$(stat -c %s "$store/cdp/$i.crl")
		want=$(ask "shards[$i]['bytes']")
		[ "$((want - have))" -ge 0 ] && [ "$((want - have))" -le 8 ]
	done
}

@test "sizes are what publish writes: an index of openssl ca" {
	own_ca=$BATS_FILE_TMPDIR/rsa
	for i in {16..99}; do
		printf 'R\t301231235959Z\t260901000000Z,superseded\t%s\t%s\n' \
		    "$i$i" "unknown	/CN=$i"
	done >index.txt
	publish_new index "source.source=index:$PWD/index.txt" \
	    source.conninfo= source.issuer_id= shards.scheme=serial-mod \
	    shards.count=3
	publish
	ended 0
	sizes --json
	ended 0
	same "$(ask 'sum(s["entries"] for s in shards.values())')" 84 entries
	for i in 0 1 2; do
		same "$(ask "shards[$i]['bytes']")" \
		    "$(stat -c %s "$store/index/$i.crl")" "size of $i"
	done
}

@test "what expired is counted, and no part of the size" {
	own_ca=$BATS_FILE_TMPDIR/rsa
	publish_new gone shards.count=3
	many 40 0 $((now - 9 * DAY)) $((now - 3600))
	many 30 1 $((now - 9 * DAY)) $((now - 3600))
	many 50 1 $((now - 9 * DAY)) $((now + DAY))
	# The first publication lists all; the second leaves out what it did.
	publish_ok
	publish --pass shard-floor:0
	ended 0
	sizes --json
	ended 0
	same "$(ask 'issuer["expired"]')" 70 expired
	same "$(ask '[shards[i]["entries"] for i in range(3)]')" \
	    '[0, 50, 0]' entries
	for i in 0 1 2; do
		same "$(ask "shards[$i]['bytes']")" \
		    "$(stat -c %s "$store/gone/$i.crl")" "size of $i"
	done
}

@test "no row at all, and one shard" {
	own_ca=$BATS_FILE_TMPDIR/rsa
	publish_new none shards.count=1 gates.allow_empty=yes
	publish_ok
	sizes --json
	ended 0
	same "$stderr" '' stderr
	same "$(ask 'shards[0]["bytes"]')" \
	    "$(stat -c %s "$store/none/0.crl")" size
	same "$(ask 'shards[0]["then_bytes"]')" "$(ask 'shards[0]["bytes"]')" \
	    'at the horizon'
	same "$(ask 'issuer["recommended"]')" 1 recommended
	same "$(ask 'shards[0]["beyond_warning"]')" None beyond
	sizes
	ended 0
	has "$output" 'none: 1 shards, 0 to 0'
	has "$output" '1 shards would do, by what comes until then; there are 1'
}

# A hundred rows a day in shard 0 for ten days, each valid for less than three
# more from its revocation: as many stay listed.
@test "the trend: what comes, and what leaves" {
	publish_new trend shards.count=2
	for i in {0..9}; do
		many 100 0 $((now - i * DAY - DAY / 2)) \
		    $((now - i * DAY - DAY / 2 + DAY * 11 / 4))
	done
	many 1 1 $((now - 30 * DAY)) $((now + 300 * DAY))
	sizes --json --trend 10d --horizon 30d
	ended 0
	same "$(ask 'shards[0]["entries"]')" 300 now
	same "$(ask 'shards[0]["recent"]')" 1000 recent
	then=$(ask 'shards[0]["then_entries"]')
	[ "$then" -ge 240 ] && [ "$then" -le 280 ]
	same "$(ask 'shards[1]["then_entries"]')" 1 'the other shard'
	same "$(ask 'shards[0]["beyond_warning"]')" None beyond
	# Certificates that live on are all there at the end.
	pg_psql -c "UPDATE crlpress.revocation SET not_after =
	    not_after + interval '90 days' WHERE issuer = 'trend'"
	sizes --json --trend 10d --horizon 30d
	ended 0
	same "$(ask 'shards[0]["entries"]')" 1000 now
	then=$(ask 'shards[0]["then_entries"]')
	[ "$then" -ge 3990 ] && [ "$then" -le 4010 ]
	# By the last two days alone it is the same; by one day of none, none.
	sizes --json --trend 2d --horizon 30d
	then=$(ask 'shards[0]["then_entries"]')
	[ "$then" -ge 3990 ] && [ "$then" -le 4010 ]
	sizes --json --trend 1h --horizon 30d
	same "$(ask 'shards[0]["then_entries"]')" 1000 'nothing comes'
}

@test "a shard outgrows size_warning, by the trend and by name" {
	publish_new warned shards.count=4 gates.size_warning=20k
	many 300 2 $((now - 9 * DAY)) $((now + 300 * DAY))
	sizes --trend 10d --horizon 60d
	ended 0
	has "$stderr" "warned: size, house rule: 1 of 4 shards outgrow \
size_warning, want at most 20480 bytes; the first is shard 2, "
	has "$stderr" 'have 1'
	has "$stderr" 'count may grow, and new certificates can name the new'
	# 300 entries of 50 octets in nine days, since there is no row before
	# that: the 5 kB that are left take three.
	sizes --json --trend 10d --horizon 60d
	when=$(ask 'shards[2]["beyond_warning"]')
	when=$((($(sec "$when") - now) / 3600))
	[ "$when" -ge 66 ] && [ "$when" -le 80 ]
	same "$(ask '[shards[i]["beyond_warning"] for i in (0, 1, 3)]')" \
	    '[None, None, None]' 'the others'
	# With the horizon before that there is nothing to say.
	sizes --trend 10d --horizon 2d
	ended 0
	same "$stderr" '' stderr
	# It is so large already.
	publish_configure shards.count=4 gates.size_warning=10k
	sizes
	ended 0
	has "$stderr" 'the first is shard 2, already, have 1'
	publish
	ended 0
	has "$stderr" "warned: size, house rule: 1 of 4 shards are larger than \
size_warning; the largest is shard 2, have 1"
	same "$(grep -c size_warning <<<"$stderr")" 1 'warnings'
	publish --quiet
	has "$stderr" size_warning
	publish_configure shards.count=4
	publish_ok
}

@test "a shard that a run will refuse is a fault" {
	publish_new refused shards.count=2 gates.size_warning=10k \
	    gates.size_most=20k shards.scheme=serial-mod
	many 600 NULL $((now - 9 * DAY)) $((now + 300 * DAY))
	sizes --trend 10d
	ended 5
	has "$stderr" "refused: size, house rule: 2 of 2 shards outgrow \
size_most, want at most 20480 bytes"
	has "$stderr" 'for new certificates alone'
	has "$stderr" 'another configuration'
	# The table is there all the same, but for whom it is noise.
	has "$output" 'refused: 2 shards'
	sizes -q --trend 10d
	ended 5
	same "$output" '' output
	has "$stderr" 'refused: size, house rule: 2 of 2 shards outgrow'
	sizes --trend 10d
	same "$(grep -cE '^ +[01] +[0-9]+ ' <<<"$output")" 2 lines
	sizes --json --trend 10d
	ended 5
	[ "$(ask 'shards[0]["beyond_most"] > shards[0]["beyond_warning"]')" = \
	    True ]
	sizes --trend 10d --horizon 1d
	ended 0
	# And it was right.
	many 700 NULL $((now - DAY)) $((now + 300 * DAY))
	sizes --horizon 1d
	ended 5
	publish
	ended 3
	has "$stderr" 20480
}

@test "every certificate revoked: as a query, or the operator, tells" {
	publish_new worst shards.count=4 shards.first=1
	many 10 1 $((now - DAY)) $((now + DAY))
	sizes --certificates 4000000
	ended 0
	has "$stderr" "worst: size, house rule: if every certificate were \
revoked, 4 of 4 shards would be larger than size_warning, 10485760 bytes"
	has "$stderr" '32 shards would do: count may grow'
	has "$output" '32 shards would do, by all certificates; there are 4'
	sizes --json --certificates 4000001
	same "$(ask '[shards[i]["certificates"] for i in range(1, 5)]')" \
	    '[1000001, 1000000, 1000000, 1000000]' spread
	# 17 octets of serial, and a reason.
	base=$(ask 'shards[2]["bytes"]')
	worst=$(ask 'shards[2]["all_revoked_bytes"]')
	[ $((worst - base)) -ge 50000000 ] && [ $((worst - base)) -le 50000020 ]
	same "$(ask 'issuer["recommended"]')" 32 recommended
	sizes --certificates 400000
	ended 0
	same "$stderr" '' stderr
	# By shard, some spread over all, in the snapshot.
	echo "SELECT CASE WHEN n > 3 THEN NULL ELSE n END::smallint, n::bigint
	    FROM (VALUES (1), (3), (1000)) AS v (n)
	    WHERE :'issuer' = 'worst' AND :'lookback' > '2020'" >count.sql
	publish_configure shards.count=4 shards.first=1 \
	    "source.certificate_query_file=$PWD/count.sql"
	sizes --json
	ended 0
	same "$(ask '[shards[i]["certificates"] for i in range(1, 5)]')" \
	    '[251, 250, 253, 250]' certificates
	sizes --json --certificates 0
	same "$(ask 'shards[3]["certificates"]')" 0 'the operator'
	same "$(ask 'shards[1]["all_revoked_bytes"]')" \
	    "$(ask 'shards[1]["bytes"]')" 'no less than what is listed'
}

@test "statements that count what they should not" {
	local sql code what
	publish_new odd shards.count=4
	while IFS='|' read -r sql code what; do
		echo "$sql" >count.sql
		publish_configure shards.count=4 \
		    "source.certificate_query_file=$PWD/count.sql"
		sizes
		ended "$code"
		has "$stderr" "$what"
	done <<-'END'
		SELECT 0, -1::bigint|1|row 1 is no count of certificates
		SELECT 0, NULL::int|1|row 1 is no count of certificates
		SELECT 4, 1|1|shard that is not configured, have 4, want 0 to 3
		SELECT -1, 1|1|a shard that is not configured, have -1
		SELECT 1|2|have 1, want 2: shard, certificates
		SELECT 1, 1.5|2|type of certificates, have OID 1700, want bigint
		SELECT 'a', 1|2|type of shard, have OID 25, want bigint
		SELECT 1, 9000000000000000000|1|want at most
		SELECT 1, 1 / 0|1|division by zero
		SELECT 1, count(*) FROM missing|1|missing
	END
	echo 'SELECT 1,' >count.sql
	sizes
	[ "$status" -ne 0 ]
	# Rows that a run refuses are not in the sizes.
	publish_configure shards.count=4
	many 5 9 $((now - DAY)) $((now + DAY))
	many 6 1 $((now - DAY)) $((now + DAY))
	sizes --json
	ended 0
	has "$stderr" '5 rows are not counted, and would be refused'
	same "$(ask 'issuer["not_counted"]')" 5 'not counted'
	same "$(ask 'shards[1]["entries"]')" 6 entries
	publish_configure shards.count=4 source.conninfo=host=/nonexistent
	sizes
	ended 1
	same "$output" '' output
}

@test "how it is not called" {
	publish_new usage
	for args in '--horizon 9d' '--trend 9d' '--certificates 1' \
	    '--sizes --check' '--sizes --urls' '--sizes --ccadb' \
	    '--sizes --horizon 0d' '--sizes --horizon 99999d' \
	    -q '--urls -q' '--ccadb -q' '--sizes --trend x' \
	    '--sizes --certificates -1' \
	    '--sizes --certificates 999999999999999999'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$CRLPRESS" plan --config "$conf" $args
		ended 2
		[ -n "$stderr" ]
		same "$output" '' output
	done
}
