# SPDX-License-Identifier: ISC
#
# crlpress publish against a real server: what is published is what the
# database says, in the eyes of openssl, certtool and Python cryptography.
#
# Each test is a subshell, and what it works with is set by what is loaded:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

setup_file()
{
	publish_setup
	# Serial numbers in other spellings, and what a scheme makes of one.
	pg_psql <<-'SQL'
		CREATE FUNCTION number_of(serial bytea) RETURNS numeric
		LANGUAGE plpgsql IMMUTABLE AS $$
		DECLARE
		    n numeric := 0;
		BEGIN
		    FOR i IN 0 .. octet_length(serial) - 1 LOOP
		        n := n * 256 + get_byte(serial, i);
		    END LOOP;
		    RETURN n;
		END
		$$;
		CREATE FUNCTION hex_of(serial bytea) RETURNS text
		LANGUAGE sql IMMUTABLE
		RETURN ltrim(encode(serial, 'hex'), '0');
	SQL
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
}

teardown()
{
	# What a failed test left running.
	[ -z "${running:-}" ] || kill "$running" 2>/dev/null || true
}

# A statement of our own instead of the native table.
query()
{
	cat >"$work/query.sql"
}

reasons_of_rows()
{
	cut -d , -f 4 "$work/rows.csv" | sort -u | tr '\n' ' '
}

# The shards that have no entry, by index.
empty_shards()
{
	manifest_field shard | sed -n 's/^\([0-9]*\) .* entries=0 .*/\1/p' |
	    tr '\n' ' '
}

@test "two runs say what the database says, to three readers" {
	local number this gone
	publish_new main shards.count=16
	# 0 and 15 stay empty.
	make_rows 20000 --shards 14 --first 1
	publish_ok
	export_rows
	same "$(reasons_of_rows)" '0 1 3 4 5 9 ' reasons
	same "$(wc -l <"$work/rows.csv")" 20000 rows
	compare 16
	manifest_holds
	same "$(empty_shards)" '0 15 ' 'empty shards'
	same "$(manifest_sum added)" 20000 added
	same "$(manifest_sum removed)" 0 removed
	same "$(summary_adds_up "$output")" '20000 rows = 20000 listed +'\
' 0 expired + 0 gone + 0 duplicate + 0 deferred + 0 withheld' summary
	number=$(all_have number)
	this=$(all_have this)
	same "$(all_have next)" $((this + 9 * 86400 - 1)) nextUpdate
	same "$(manifest_field number)" "$number" number
	same "$(manifest_field this-update)" "$(iso "$this")" thisUpdate
	same "$(<"$state/main/number")" "$number" 'number in the state'

	make_rows 300 --shards 14 --first 1 --seed 2 --since "$(iso "$this")"
	gone=$(pg_psql -c "SELECT count(*) FROM crlpress.revocation
	    WHERE issuer = 'main' AND not_after < to_timestamp($this)")
	[ "$gone" -gt 50 ]
	publish_ok
	export_rows "AND not_after >= to_timestamp($this)"
	same "$(wc -l <"$work/rows.csv")" $((20300 - gone)) rows
	compare 16
	manifest_holds
	same "$(manifest_sum added)" 300 added
	same "$(manifest_sum removed)" "$gone" removed
	has "$output" "$((20300 - gone)) entries (+300 -$gone)"
	summary_adds_up "$output"
	[ "$(all_have number)" -gt "$number" ]
	[ "$(all_have this)" -gt "$this" ]

	"$CRLPRESS" verify --config "$conf" "$store" >verify.out
}

# publish_key NAME ALGORITHM [SETTING...]: two shards with another key.
publish_key()
{
	local file
	publish_new "$1" "${@:3}"
	make_rows 200 --shards 2
	publish_ok
	export_rows
	compare 2
	for file in "$store/$name"/*.crl; do
		same "$(crl_field "$file" algorithm)" "$2" algorithm
		openssl crl -inform DER -in "$file" -out crl.pem
		run certtool --verify-crl --infile crl.pem \
		    --load-ca-certificate "$ca/issuer.pem"
		ended 0
		has "$output" 'Verification output: Verified.'
	done
	"$CRLPRESS" verify --config "$conf" "$store" >verify.out
}

# A CA with another kind of key, for this test.
make_own_ca()
{
	own_ca=$BATS_TEST_TMPDIR/ca
	"$PUBLISH_TREE/tools/make-ca" "$1" "$own_ca"
}

@test "RSA signs with PKCS #1 and with PSS" {
	make_own_ca --rsa
	publish_key rsa sha256WithRSAEncryption
	publish_key rsa-512 sha512WithRSAEncryption issuer.digest=sha512
	publish_key pss rsassaPss issuer.padding=pss
}

@test "P-256 signs, with SHA-256 unless told" {
	publish_key p256 ecdsa-with-SHA256
	publish_key p256-384 ecdsa-with-SHA384 issuer.digest=sha384
}

@test "P-384 signs with SHA-384" {
	make_own_ca --p384
	publish_key p384 ecdsa-with-SHA384
}

@test "Ed25519 signs" {
	make_own_ca --ed25519
	# Not for browsers.
	publish_key ed25519 ED25519 issuer.profile=private
}

@test "serial-mod: a row stands in the shard of its serial" {
	publish_new mod shards.count=7 shards.first=3 shards.scheme=serial-mod
	make_rows 1500 --seed mod
	pg_psql -c "UPDATE crlpress.revocation SET shard = NULL
	    WHERE issuer = 'mod'"
	publish_ok
	export_query "SELECT 3 + number_of(serial) % 7, serial,
	    extract(epoch FROM revoked_at), reason
	    FROM crlpress.revocation WHERE issuer = 'mod'"
	same "$(cut -d , -f 1 "$work/rows.csv" | sort -un | tr '\n' ' ')" \
	    '3 4 5 6 7 8 9 ' shards
	compare 7
	manifest_holds
}

@test "expiry: a row stands in the shard of its chunk of time" {
	publish_new expiry shards.count=5 shards.first=1 \
	    shards.scheme=expiry shards.anchor=2020-02-29T12:34:56Z \
	    shards.chunk=7d
	make_rows 1500 --seed expiry
	pg_psql -c "UPDATE crlpress.revocation SET shard = NULL
	    WHERE issuer = 'expiry'"
	publish_ok
	export_query "SELECT 1 + floor(extract(epoch FROM
	    not_after - '2020-02-29 12:34:56+00') / 604800)::bigint % 5,
	    serial, extract(epoch FROM revoked_at), reason
	    FROM crlpress.revocation WHERE issuer = 'expiry'"
	same "$(cut -d , -f 1 "$work/rows.csv" | sort -un | tr '\n' ' ')" \
	    '1 2 3 4 5 ' shards
	compare 5
	manifest_holds
}

# A table of another CA, with serials as text in two spellings.
make_foreign_table()
{
	make_rows 600 --shards 2 --seed foreign \
	    --since "$(iso $(($(date +%s) - 259200)))"
	# The ends of what there is, too.
	for serial in 01 0f 80 ff 0100 \
	    0fffffffffffffffffffffffffffffffffffffff \
	    7fffffffffffffffffffffffffffffffffffffff; do
		revoke "${serial#00}" 0 1700000000 \
		    $(($(date +%s) + 86400)) 4
	done
	pg_psql -c "CREATE TABLE foreign_ca AS SELECT hex_of(serial) AS hex,
	    number_of(serial)::text AS decimal, revoked_at, reason, not_after,
	    shard FROM crlpress.revocation WHERE issuer = '$name'"
}

@test "hex, of odd length too, and decimal through a statement of our own" {
	publish_new foreign source.serial_encoding=hex \
	    source.query_file=query.sql source.issuer_id=
	make_foreign_table
	echo 'SELECT hex, revoked_at, reason, not_after, shard
	    FROM foreign_ca' | query
	[ "$(pg_psql -c 'SELECT count(*) FROM foreign_ca
	    WHERE length(hex) % 2 = 1')" -gt 10 ]
	publish_ok
	# Hex of odd length is none for everybody.
	export_query "SELECT shard, lpad(hex, 40, '0'),
	    extract(epoch FROM revoked_at), reason FROM foreign_ca"
	same "$(wc -l <"$work/rows.csv")" 607 rows
	compare 2
	manifest_holds

	# None has expired: nothing changes.
	publish_configure source.serial_encoding=decimal \
	    source.query_file=query.sql source.issuer_id=
	echo 'SELECT decimal AS serial,
	    floor(extract(epoch FROM revoked_at))::bigint,
	    reason::bigint, extract(epoch FROM not_after)::bigint, shard
	    FROM foreign_ca -- in seconds' | query
	publish_ok
	export_query "SELECT shard, lpad(hex, 40, '0'),
	    extract(epoch FROM revoked_at), reason FROM foreign_ca"
	compare 2
	has "$output" '(+0 '
	same "$(manifest_sum added)" 0 added
}

# The manifest but for where the database stood.
manifest_of_rows()
{
	grep -v -e '^# position ' -e '^# end ' "$1"
}

@test "the same rows at the same time give the same bytes" {
	local first at
	make_own_ca --rsa
	publish_new same shards.count=8
	at=$(iso $(($(date +%s) - 3600)))
	make_rows 3000 --shards 8 --now "$at"
	publish_ok --now "$at" --jobs 1
	first=$store
	store=$work/again
	mkdir "$store"
	publish_configure store.url="$store" state.dir="$work/state.again" \
	    shards.count=8
	publish_ok --now "$at" --jobs 4
	diff -r "$first/same" "$store/same"
	same "$(shards | wc -l)" 8 shards
	diff <(manifest_of_rows "$first/crlpress-manifest-same.txt") \
	    <(manifest_of_rows "$store/crlpress-manifest-same.txt")
	same "$(all_have this)" "$(sec "$at")" thisUpdate
	# A row more is seen.
	revoke 0123 5 1700000000 $(($(date +%s) + 86400))
	store=$work/third
	mkdir "$store"
	publish_configure store.url="$store" state.dir="$work/state.third" \
	    shards.count=8
	publish_ok --now "$at"
	run diff -rq "$first/same" "$store/same"
	ended 1
	has "$output" 5.crl
	same "${#lines[@]}" 1 'shards that differ'
}

# The serials of shard 0, as one line.
listed()
{
	crl_field "$store/$name/0.crl" serials | sort | tr '\n' ' '
}

# publish_at SEC ADDED REMOVED [WARNING]: a run at this time, and what it is to
# do; with a warning it says that, and that all had run out, and nothing else.
publish_at()
{
	publish --now "$(iso "$1")"
	ended 0
	if [ $# -eq 4 ]; then
		same "$(grep -vc '^  hint: ' <<<"$stderr")" 2 'lines of stderr'
		has "$stderr" "$4"
		has "$stderr" 'all that is published here ran out'
	else
		same "$stderr" '' stderr
	fi
	has "$output" "(+$2 -$3)"
	summary_adds_up "$output"
	same "$(all_have this)" "$1" thisUpdate
}

@test "an entry leaves after it was listed past its expiry, and stays away" {
	local t p=21600
	publish_new retention
	t=$(($(date +%s) - 20 * 86400))
	revoke 11 0 $((t - 86400)) $((t - 1))
	revoke 12 0 $((t - 86400)) $((t))
	revoke 13 0 $((t - 86400)) $((t + 1))
	revoke 14 0 $((t - 86400)) $((t + p))
	revoke 15 0 $((t - 86400)) $((t + 2 * p))
	revoke 16 0 $((t - 86400)) $((t + 90 * 86400))
	publish_at "$t" 6 0
	same "$(listed)" '11 12 13 14 15 16 ' listed
	publish_at $((t + p)) 0 1
	same "$(listed)" '12 13 14 15 16 ' listed
	publish_at $((t + 2 * p)) 0 2
	same "$(listed)" '14 15 16 ' listed
	publish_at $((t + 3 * p)) 0 1
	same "$(listed)" '15 16 ' listed
	publish_at $((t + 4 * p)) 0 1
	same "$(listed)" '16 ' listed
	# The rows are still there: they are seen, and do not come back.
	for i in 5 6 7; do
		publish_at $((t + i * p)) 0 0
		same "$(listed)" '16 ' listed
		has "$output" \
		    '6 rows = 1 listed + 0 expired + 5 gone + 0 duplicate'
	done
	# Nor when the state directory is lost.
	rm -r "$state"
	publish_at $((t + 8 * p)) 0 0
	same "$(listed)" '16 ' listed
}

@test "retention after an outage of many periods, and with another period" {
	local t p=21600
	publish_new outage
	t=$(($(date +%s) - 25 * 86400))
	revoke 21 0 $((t - 86400)) $((t - 1))
	revoke 22 0 $((t - 86400)) $((t + 3600))
	revoke 23 0 $((t - 86400)) $((t + 50 * p - 1))
	revoke 24 0 $((t - 86400)) $((t + 50 * p))
	revoke 25 0 $((t - 86400)) $((t + 90 * 86400))
	publish_at "$t" 5 0
	# Twelve days without a run. 22 expired long ago, but was never listed
	# after that.
	publish_at $((t + 50 * p)) 0 1 'outage: period, house rule: the last '
	has "$stderr" "$(iso "$t"), have $(iso $((t + 50 * p))) now"
	same "$(listed)" '22 23 24 25 ' listed
	publish_configure crl.period=1h
	publish_at $((t + 50 * p + 3600)) 0 2
	same "$(listed)" '24 25 ' listed
	publish_configure crl.period=12h
	publish_at $((t + 52 * p)) 0 1
	same "$(listed)" '25 ' listed
}

@test "retention after an outage longer than the lookback" {
	local t
	publish_new long crl.period=6h source.lookback=12h
	t=$(($(date +%s) - 20 * 86400))
	revoke 26 0 $((t - 86400)) $((t + 3600))
	revoke 27 0 $((t - 86400)) $((t + 90 * 86400))
	publish_at "$t" 2 0
	publish_at $((t + 10 * 86400)) 0 0 'want a run every 6h'
	same "$(listed)" '26 27 ' listed
	# 26 was listed past its expiry only now; its row proves that, though
	# it expired longer ago than the lookback.
	publish_at $((t + 10 * 86400 + 21600)) 0 1
	same "$(listed)" '27 ' listed
	publish_at $((t + 10 * 86400 + 43200)) 0 0
}

@test "a row that is deleted too early withholds its shard alone" {
	local before other
	publish_new deleted
	make_rows 20 --shards 2
	revoke 31 0 1700000000 $(($(date +%s) + 86400))
	publish_ok
	before=$(sha256sum "$store/deleted/0.crl")
	other=$(crl_field "$store/deleted/1.crl" number)
	pg_psql -c "DELETE FROM crlpress.revocation
	    WHERE issuer = 'deleted' AND serial = '\x31'"
	publish
	ended 3
	has "$stderr" 'deleted/shard 0: no-early-removal, RFC 5280, 3.3: '
	has "$stderr" 'serial 31,'
	same "$(sha256sum "$store/deleted/0.crl")" "$before" 'shard 0'
	[ "$(crl_field "$store/deleted/1.crl" number)" -gt "$other" ]
	manifest_holds
	same "$(manifest_field shard | grep -c state=withheld)" 1 withheld
	# A decision of a person, once.
	publish --pass no-early-removal:0
	ended 0
	has "$stderr" 'let pass by --pass: serial 31,'
	same "$(manifest_field passed)" no-early-removal:0 passed
	[[ " $(listed)" != *" 31 "* ]]
	publish_ok
	same "$(manifest_field passed)" '' passed
}

@test "identical rows are one entry, contradicting ones withhold the shard" {
	publish_new twice source.query_file=query.sql source.issuer_id=
	make_rows 40 --shards 2
	revoke 41 1 1700000000 $(($(date +%s) + 86400)) 4
	pg_psql -c "CREATE TABLE twice AS SELECT serial, revoked_at, reason,
	    not_after, shard FROM crlpress.revocation WHERE issuer = 'twice'"
	pg_psql -c 'INSERT INTO twice SELECT * FROM twice WHERE shard = 0'
	echo 'SELECT * FROM twice' | query
	local doubled
	doubled=$(pg_psql -c 'SELECT count(*) / 2 FROM twice WHERE shard = 0')
	publish_ok
	same "$(summary_adds_up "$output")" "$((41 + doubled)) rows = \
41 listed + 0 expired + 0 gone + $doubled duplicate + 0 deferred + \
0 withheld" rows
	has "$(manifest_field rows)" " duplicate=$doubled "
	export_query 'SELECT shard, serial, extract(epoch FROM revoked_at),
	    reason FROM twice'
	compare 2
	manifest_holds

	pg_psql -c "INSERT INTO twice SELECT serial, revoked_at, 5, not_after,
	    shard FROM twice WHERE serial = '\x41'"
	publish
	ended 3
	has "$stderr" 'twice/shard 1: duplicate, house rule: serial 41 has'
	summary_adds_up "$output"
	same "$(manifest_field shard | grep -c state=withheld)" 1 withheld
	manifest_holds
}

# All there is of both, but for who last held the lock, and the number.
store_and_state()
{
	tree "$store"
	find "$state" | sort
	find "$state" -type f ! -name lock ! -name number \
	    -exec sha256sum {} + | sort
}

@test "--dry-run changes nothing, but uses up a number" {
	local before number
	publish_new dry
	make_rows 50 --shards 2
	# Not even where nothing is published yet.
	publish_ok --dry-run
	same "$(find "$store" -mindepth 1)" '' 'the store'
	same "$(find "$state/dry" -mindepth 1 -printf '%f\n' | sort | xargs)" \
	    'number number.lock stage' 'the state'
	has "$output" 'dry: ok: 2 of 2 shards would be published, '
	has "$output" '50 entries (+50 -0)'

	publish_ok
	make_rows 10 --shards 2 --seed 2 \
	    --since "$(iso "$(all_have this)")"
	before=$(store_and_state) number=$(<"$state/dry/number")
	sleep 1
	publish_ok --dry-run
	same "$(store_and_state)" "$before" 'store and state'
	[ "$(<"$state/dry/number")" -gt "$number" ]
	has "$output" '(+10 -'
	summary_adds_up "$output"
	publish_ok
	has "$output" '(+10 -'
}

@test "--quiet says nothing when all is well, and why when it is not" {
	publish_new quiet
	make_rows 20 --shards 2
	publish_ok --quiet
	same "$output" '' stdout
	same "$(shards | wc -l)" 2 shards
	revoke 51 7 1700000000 $(($(date +%s) + 86400))
	publish --quiet
	ended 3
	has "$stderr" 'quiet: unplaced-rows, BR 4.9.7: '
	has "$stderr" 'row 51: '
}

@test "--json is a report whose counts are the manifest's" {
	publish_new json shards.count=3
	make_rows 60 --shards 2
	publish_ok --json
	echo "$output" | /usr/bin/python3 -m json.tool >/dev/null
	echo "$output" >"$work/report.json"
	/usr/bin/python3 - "$work/report.json" "$manifest" "$conf" <<-'PY'
		import json, re, sys
		report = json.load(open(sys.argv[1]))
		text = open(sys.argv[2]).read()
		assert report["status"] == "ok" and report["exit"] == 0
		assert report["findings"] == [] and report["faults"] == 0
		[run] = report["runs"]
		assert run["issuer"] == "json" and run["status"] == "ok"
		assert run["config"] == sys.argv[3]
		assert run["dry_run"] is False
		field = dict(re.findall(r"^# (\S+) (.*)$", text, re.M))
		assert run["number"] == field["number"]
		assert run["this_update"] == field["this-update"]
		assert run["next_update"] == field["next-update"]
		rows = {k: int(v) for k, v in
		        re.findall(r"(\w+)=(\d+)", field["rows"])}
		assert run["rows"] == rows, (run["rows"], rows)
		assert rows["read"] == 60 == rows["listed"]
		shards = re.findall(r"^# shard (\d+) (.*)\n(\w+)  (\S+)$",
		                    text, re.M)
		assert len(shards) == len(run["shards"]) == 3
		for told, (index, values, sha256, key) in zip(
		        run["shards"], shards):
		    value = dict(v.split("=", 1) for v in values.split())
		    assert told["index"] == int(index)
		    assert told["sha256"] == sha256 and told["key"] == key
		    for name in "state", "url":
		        assert told[name] == value[name]
		    for name in "entries", "added", "removed", "size":
		        assert told[name] == int(value[name]), name
		assert sum(s["entries"] for s in run["shards"]) == 60
	PY
	# Faults stand in it too, and the whole is JSON still.
	revoke 52 9 1700000000 $(($(date +%s) + 86400))
	publish --json
	ended 3
	echo "$output" | /usr/bin/python3 -c 'import json, sys
report = json.load(sys.stdin)
assert report["exit"] == 3 and report["status"] == "refused"
assert any(f["rule"] == "unplaced-rows" and f["severity"] == "fault"
           for f in report["findings"])'
}

# The JSON of the last run has neither times nor a number: a monitor would
# take others for those of a CRL.
never_begun()
{
	same "$(jq -c '.runs[0] | [.number, .this_update, .next_update]' \
	    <<<"$output")" '[null,null,null]' 'number and times'
}

@test "JSON of a run that had no number has null there" {
	publish_new numberless
	make_rows 10 --shards 2
	publish_configure "source.conninfo=host=$PWD dbname=postgres"
	publish --json
	ended 1
	never_begun
	publish_configure
	publish --json --now "$(iso $(($(date +%s) + 7200)))"
	ended 3
	has "$stderr" 'numberless: clock'
	same "$(jq -c '.runs[0] | [.number, .this_update != null,
	    .next_update != null]' <<<"$output")" '[null,true,true]' times
	# Where none could be taken: there is none after 2^159 - 1.
	echo 730750818665451459101842416358141509827966271487 \
	    >"$state/numberless/number"
	publish --json
	ended 3
	same "$(jq -c '.runs[0] | [.number, .this_update != null]' \
	    <<<"$output")" '[null,true]' number
	rm "$state/numberless/number"
	publish --json
	ended 0
	same "$(jq -r '.runs[0].number' <<<"$output")" \
	    "$(manifest_field number)" number
}

# Two issuers, a and b, with a directory of configurations.
make_two()
{
	mkdir etc
	for which in a b; do
		publish_new "$which$BATS_TEST_NUMBER"
		make_rows 10 --shards 2
		cp "$conf" etc
	done
	a=a$BATS_TEST_NUMBER
	b=b$BATS_TEST_NUMBER
	conf=etc
}

# How many shards of an issuer there are.
shards_of()
{
	find "$BATS_TEST_TMPDIR/$1/store" -name '*.crl' | wc -l
}

@test "--issuer takes one of two configurations" {
	make_two
	publish_ok --issuer "$b"
	same "$(shards_of "$a") $(shards_of "$b")" '0 2' shards
	publish --issuer nobody --issuer "$b" --issuer "$b" --dry-run
	ended 2
	has "$stderr" "usage: --issuer nobody: not configured
  hint: configured: $a, $b"
	# One that cannot be read may be the one; that it cannot was said.
	printf '[issuer]\ncertificat = x\n' >etc/z.cnf
	publish --issuer nobody
	ended 2
	has "$stderr" 'etc/z.cnf:2: config: unknown key'
	[[ $stderr != *nobody* ]]
	rm etc/z.cnf
	same "$(shards_of "$a") $(shards_of "$b")" '0 2' shards
	publish_ok
	same "$(shards_of "$a") $(shards_of "$b")" '2 2' shards
	same "${#lines[@]}" 2 'summary lines'
}

@test "a broken configuration does not stop the others" {
	local bad
	local -A latest
	make_two
	for bad in 0-bad z-bad; do
		printf '[issuer]\ncertificat = x\n' >"etc/$bad.cnf"
		publish
		ended 2
		has "$stderr" "etc/$bad.cnf:2: config: unknown key"
		rm "etc/$bad.cnf"
		for name in "$a" "$b"; do
			store=$BATS_TEST_TMPDIR/$name/store
			same "$(shards_of "$name")" 2 shards
			[ "$(all_have number)" -gt "${latest[$name]:-0}" ]
			latest[$name]=$(all_have number)
		done
	done
}

@test "an issuer whose gate closes does not stop the next one" {
	make_two
	name=$a
	revoke 61 9 1700000000 $(($(date +%s) + 86400))
	publish
	ended 3
	same "$(shards_of "$a") $(shards_of "$b")" '0 2' shards
}

# A statement that takes a millisecond a row. The server sends some hundred
# rows at a time.
slow_issuer()
{
	publish_new "$1" source.query_file=query.sql
	make_rows 400 --shards 2
	query <<-'SQL'
		SELECT serial, revoked_at, reason, not_after, shard
		FROM crlpress.revocation
		WHERE issuer = :'issuer' AND pg_sleep(0.001)::text = ''
	SQL
}

@test "progress is drawn on a terminal only" {
	command -v script >/dev/null || skip 'no script (util-linux)'
	slow_issuer tty
	TERM=xterm script -qec \
	    "'$CRLPRESS' publish --config '$conf'" tty.out </dev/null >/dev/null
	cat -v tty.out
	grep -q $'\r\033\[Kreading rows: [0-9]*, [0-9]*/s' tty.out
	# What was drawn is wiped off before the summary.
	grep -aq $'\r\033\[Ktty: ok: 2 of 2 shards published' tty.out
	TERM=xterm script -qec "'$CRLPRESS' publish --quiet --config '$conf'" \
	    quiet.out </dev/null >/dev/null
	run cat quiet.out
	[[ $output != *$'\033'* && $output != *rows* ]]
	publish_ok
	[[ $output != *$'\033'* && $output != *$'\r'* ]]
}

@test "of two runs at once the second ends with 75" {
	publish_new locked source.query_file=query.sql source.issuer_id=
	make_rows 10 --shards 2
	pg_psql -c "CREATE TABLE held AS SELECT serial, revoked_at, reason,
	    not_after, shard FROM crlpress.revocation WHERE issuer = 'locked'"
	# The first one is kept busy by its statement, until it is let go.
	pg_psql -c "CREATE FUNCTION wait_for_it() RETURNS void
	    LANGUAGE plpgsql AS 'BEGIN
	    WHILE EXISTS (SELECT FROM pg_locks
	        WHERE locktype = ''advisory'') LOOP
	        PERFORM pg_sleep(0.05);
	    END LOOP; END'"
	pg_psql -c 'SELECT pg_advisory_lock(1)' -c 'SELECT pg_sleep(600)' \
	    >/dev/null 2>&1 3>&- &
	pg_wait "SELECT count(*) = 1 FROM pg_locks
	    WHERE locktype = 'advisory'"
	echo 'SELECT held.* FROM held, (SELECT wait_for_it()) AS slow' | query
	"$CRLPRESS" publish --config "$conf" >first.out 2>&1 3>&- &
	running=$!
	pg_wait "SELECT count(*) > 0 FROM pg_stat_activity
	    WHERE usename = 'cron' AND wait_event = 'PgSleep'"
	publish
	ended 75
	has "$stderr" "$state/locked/lock: lock: another run of this issuer"
	has "$stderr" "process $running"
	same "$output" '' stdout
	same "$(shards)" '' shards
	publish --json
	ended 75
	never_begun
	pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_locks
	    WHERE locktype = 'advisory'" >/dev/null
	wait "$running"
	running=
	has "$(<first.out)" 'locked: ok: 2 of 2 shards published'
	publish_ok
}

@test "runs one right after the other all succeed" {
	local last=0 number
	publish_new rapid
	make_rows 10 --shards 2
	for _ in 1 2 3; do
		publish_ok
		number=$(all_have number)
		[ "$number" -gt "$last" ]
		last=$number
	done
	# One at the very time of the last one is refused.
	publish --now "$(iso "$(all_have this)")"
	ended 3
	has "$stderr" 'rapid/shard 0: time-up, RFC 5280, 5.1.2.4: thisUpdate'
	same "$(all_have number)" "$last" number
}

@test "a number that was used is not used again, whatever is lost" {
	local number
	publish_new lost
	make_rows 10 --shards 2
	publish_ok
	# Far beyond the time.
	echo 99999999999 >"$state/lost/number"
	publish_ok
	same "$(all_have number)" 100000000000 number
	rm -r "$state"
	publish_ok
	same "$(all_have number)" 100000000001 number
}

@test "every command has its help, and the program its version" {
	local command
	run --separate-stderr "$CRLPRESS" help
	ended 0
	for command in publish verify check-config; do
		has "$output" "  $command "
	done
	run "$CRLPRESS" --help
	ended 0
	has "$output" 'usage: crlpress COMMAND'
	for command in publish verify check-config; do
		run --separate-stderr "$CRLPRESS" help "$command"
		ended 0
		same "$stderr" '' stderr
		has "$output" "usage: crlpress $command [OPTION...]"
		has "$output" '  -h, --help '
		has "$output" 'Exit status: 0 '
		same "$("$CRLPRESS" "$command" --help)" "$output" --help
		same "$("$CRLPRESS" "$command" -h)" "$output" -h
		run "$CRLPRESS" "$command" --no-such-option
		ended 2
		has "$output" 'usage: unknown option --no-such-option'
	done
	run --separate-stderr "$CRLPRESS" --version
	ended 0
	[[ $output =~ ^crlpress\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	run --separate-stderr "$CRLPRESS"
	ended 2
	same "$output" '' stdout
	has "$stderr" 'usage: crlpress COMMAND'
	run "$CRLPRESS" print
	ended 2
	has "$output" 'unknown command print'
	run "$CRLPRESS" publish operand
	ended 2
}

@test "output that is lost is a failure" {
	publish_new full
	make_rows 10 --shards 2
	status=0
	"$CRLPRESS" publish --config "$conf" --json >/dev/full 2>err ||
	    status=$?
	same "$status" 4 status
	has "$(<err)" 'standard output: cannot be written'
}

@test "a standard descriptor that is closed is nobody else's" {
	publish_new closed
	make_rows 10 --shards 2
	"$CRLPRESS" publish --config "$conf" <&- >&- 2>&-
	"$CRLPRESS" verify --quiet --config "$conf" "$store"
	[ "$(wc -l <"$state/closed/lock")" -le 1 ]
}
