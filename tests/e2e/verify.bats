# SPDX-License-Identifier: ISC
#
# crlpress verify over what publish made: the set, its manifest, the rows it
# came from, the set before it. What is wrong is named, and nothing else is.
#
# Each test is a subshell, and what it works with is set by what is loaded:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/verify.bash

# Two sets, one after the other, and the rows of each. Some certificates have
# expired by then, so that entries leave with the second.
setup_file()
{
	export GOLD=$BATS_FILE_TMPDIR/gold
	publish_setup
	mkdir "$GOLD"
	BATS_TEST_TMPDIR=$GOLD publish_new e1 shards.count=4
	make_rows 2000 --shards 4 --now "$(ago '10 minutes')"
	publish_at '8 minutes'
	cp -a "$store" "$GOLD/first"
	export_csv "$GOLD/first.csv"
	make_rows 100 --shards 4 --seed 2 --since "$(ago '7 minutes')" \
	    --now "$(ago '6 minutes')"
	publish_at '4 minutes'
	cp -a "$store" "$GOLD/second"
	export_csv "$GOLD/second.csv"
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
	publish_new e1 shards.count=4
	cp -a "$GOLD/first" "$GOLD/second" .
	cp "$GOLD"/*.csv .
	m=second/crlpress-manifest-e1.txt
}

ago()
{
	date -u -d "$1 ago" +%FT%TZ
}

publish_at()
{
	"$CRLPRESS" publish --quiet --config "$conf" --now "$(ago "$1")" \
	    "${@:2}"
}

# With a header, as the man page has it.
export_csv()
{
	PGTZ=UTC "$PG_BIN/psql" -X -q --csv -c "SELECT serial, revoked_at,
	    reason, not_after, shard FROM crlpress.revocation
	    WHERE issuer = '${2:-e1}' ORDER BY serial" >"$1"
}

# A manifest that says so: manifest_says SED.
manifest_says()
{
	sed -i -e "$1" -e '$d' "$m"
	echo "# end $(cksum <"$m")" >>"$m"
}

# The shard, serial (lower case), of the Nth row of a CSV.
serial_of()
{
	sed -n "$(($2 + 1))s/^.x\([0-9a-f]*\),.*/\1/p" "$1"
}

shard_of()
{
	sed -n "$(($2 + 1))s/.*,//p" "$1"
}

@test "a whole store, its manifest, one file and several are fine" {
	local path
	for path in second second/ "$m" second/e1/0.crl; do
		verify -c "$conf" "$path"
		fine
	done
	has "$output" '1 of 1 CRLs ok'
	cd second
	verify -c "$conf" "${m#*/}" . ./e1/1.crl
	fine
	verify -c "$conf" e1/*.crl
	fine
	has "$output" '4 of 4 CRLs ok'
	verify -i "$ca/issuer.pem" .
	fine
	has "$output" '4 of 4 CRLs ok'
	openssl crl -inform DER -in e1/0.crl -out ../0.pem
	verify -c "$conf" ../0.pem
	fine
	verify -q -c "$conf" .
	fine
	same "$output" '' stdout
}

@test "the table and the JSON say what openssl says" {
	local file
	verify -c "$conf" --json second
	fine
	/usr/bin/python3 -m json.tool <<<"$output" >tool.json
	/usr/bin/python3 - tool.json >files.txt <<-'PY'
		import json, sys
		said = json.load(open(sys.argv[1]))
		assert said["status"] == "ok" and said["exit"] == 0
		assert said["findings"] == [] and said["faults"] == 0
		for f in said["files"]:
		    assert f["ok"] and f["issuer"] == "e1"
		    print(f["shard"], f["file"], f["entries"], f["number"],
		        f["this_update"], f["next_update"], f["size"],
		        f["sha256"], f["url"])
	PY
	for file in second/e1/*.crl; do
		echo "$(basename "$file" .crl) $file" \
		    "$(crl_field "$file" serials | wc -l)" \
		    "$(crl_field "$file" number)" \
		    "$(iso "$(crl_field "$file" this)")" \
		    "$(iso "$(crl_field "$file" next)")" \
		    "$(stat -c %s "$file")" "$(sha256sum <"$file" | cut -c -64)" \
		    "http://crl.example.com/e1/$(basename "$file")"
	done >want.txt
	diff want.txt files.txt
	verify -c "$conf" second
	while read -r _ file entries number this next _; do
		grep -Eq "^ok +$entries +$this +$next +$number +$file\$" \
		    <<<"$output"
	done <want.txt
	has "$output" "4 of 4 CRLs ok, $(awk '{ n += $3 } END { print n }' \
	    want.txt) entries, $(awk '{ n += $7 } END { print n }' \
	    want.txt) bytes, 0 faults, 0 warnings"
}

@test "JSON names faults, and answers about serials stand in it" {
	rm second/e1/2.crl
	verify -c "$conf" --json -s "$(serial_of second.csv 1)" -s 77 second
	ended 5
	/usr/bin/python3 - "$output" "$(serial_of second.csv 1)" <<-'PY'
		import json, sys
		said = json.loads(sys.argv[1])
		assert said["status"] == "faulty" and said["exit"] == 5
		assert said["faults"] == len(said["findings"]) == 2
		assert {f["rule"] for f in said["findings"]} == \
		    {"set-complete", "der"}
		assert [f["ok"] for f in said["files"]].count(False) == 1
		a, b = said["serials"]
		assert a["serial"] == sys.argv[2], a
		assert [e["file"] for e in a["listed"]] == \
		    ["second/e1/0.crl"]
		assert a["listed"][0]["reason"] == "unspecified"
		assert b["listed"] == []
		assert b["serial"] == "77" and b["homes"] == []
	PY
	has "$stderr" 'No such file'
}

@test "a shard that is missing, superfluous or there twice" {
	rm second/e1/2.crl "$m"
	verify -c "$conf" second
	faulty set-complete 'e1: ' 'shard 2 is missing' \
	    http://crl.example.com/e1/2.crl
	same "$(grep -c . <<<"$stderr")" 1 findings
	cp first/e1/2.crl second/e1/2.crl
	cp second/e1/1.crl second/e1/again.crl
	verify -c "$conf" second
	faulty set-complete second/e1/again.crl 'shard 1 is there twice'
	same "$(grep -c . <<<"$stderr")" 1 findings
	rm second/e1/again.crl
	publish_configure shards.count=3
	verify -c "$conf" second
	faulty idp-url second/e1/3.crl 'no configured shard has this URL'
	publish_configure shards.count=5
	verify -c "$conf" second
	faulty set-complete 'shard 4 is missing'
	# A single file is no set.
	verify -c "$conf" second/e1/0.crl
	fine
}

@test "no serial in two shards of an issuer" {
	local old=$conf
	publish_new dup source.issuer_id=e1 shards.count=4
	publish_at '3 minutes'
	verify -c "$old" -c "$conf" second "$store"
	faulty set-disjoint "serial $(serial_of second.csv 1) stands in second/e1/0.crl too"
	same "$(grep -c ' more findings of rule set-disjoint' \
	    <<<"$stderr")" 1 'bounded'
	same "$(grep -v set-disjoint <<<"$stderr")" '' 'other findings'
	verify -i "$ca/issuer.pem" "$store/dup/1.crl" second/e1/1.crl
	faulty set-disjoint
	# One shard at two times is not two shards.
	verify -i "$ca/issuer.pem" first/e1/1.crl second/e1/1.crl
	fine
	# With one processor and with many.
	for jobs in 1 7; do
		verify -j "$jobs" -c "$old" -c "$conf" second "$store"
		faulty set-disjoint
	done
	# Two issuers may well have the same serial.
	own_ca=$BATS_TEST_TMPDIR/other
	"$PUBLISH_TREE/tools/make-ca" --p256 --subject /CN=Other "$own_ca"
	publish_new two source.issuer_id=e1 shards.count=4
	publish_at '2 minutes'
	verify -c "$old" -c "$conf" second "$store"
	fine
	# A third between two of one issuer hides nothing.
	verify -i "$ca/issuer.pem" -i "$own_ca/issuer.pem" second/e1/1.crl \
	    "$store/two/1.crl" "$BATS_TEST_TMPDIR/dup/store/dup/1.crl"
	faulty set-disjoint
}

# said_of WHAT: the manifest's line of shard 1 is not true of it.
said_of()
{
	verify -c "$conf" second
	faulty set-manifest second/e1/1.crl "$@"
	cp "$GOLD/second/${m#*/}" "$m"
}

@test "a manifest that is not true" {
	local hash
	manifest_says '/^# shard 1 /s/number=/number=1/'
	said_of number
	manifest_says '/^# shard 1 /s/number=1/number=/'
	said_of number
	manifest_says '/^# shard 1 /s/ size=/ size=1/'
	said_of size
	manifest_says '/^# shard 1 /s/ entries=/ entries=1/'
	said_of 'entry count'
	manifest_says '/^# shard 1 /s/\(this-update=\)..../\12020/'
	said_of thisUpdate
	manifest_says '/^# shard 1 /s/\(next-update=\)..../\12090/'
	said_of nextUpdate
	manifest_says '/^# shard 1 /s/$/x/'
	said_of URL
	hash=$(sha256sum <second/e1/1.crl | cut -c -64)
	manifest_says "s/$hash/${hash//[0-9]/0}/"
	said_of 'other bytes'
	openssl crl -inform DER -in second/e1/1.crl -out pem
	mv pem second/e1/1.crl
	said_of PEM
	sed -i 's/rows read=/rows read=1/' "$m"
	verify -c "$conf" second
	faulty set-manifest "$m: " 'line 8: '
	truncate -s -3 "$m"
	verify -c "$conf" "$m"
	faulty set-manifest "$m: "
}

@test "newer than the manifest is a push, older is a fault" {
	cp second/e1/3.crl first/e1/3.crl
	verify -c "$conf" first
	ended 0
	has "$stderr" 'note: first/e1/3.crl: newer than the manifest'
	same "$(grep -c . <<<"$stderr")" 1 findings
	cp "$GOLD/first/e1/2.crl" second/e1/2.crl
	verify -c "$conf" second
	faulty set-manifest second/e1/2.crl 'older than the manifest' \
	    "have number $(crl_field "$GOLD/first/e1/2.crl" number)," \
	    "want $(crl_field "$GOLD/second/e1/2.crl" number)"
	same "$(grep -c . <<<"$stderr")" 1 findings
	# Who lists a file that is not there.
	rm second/e1/2.crl
	verify -i "$ca/issuer.pem" "$m"
	faulty der second/e1/2.crl 'No such file'
}

@test "URL, profile and time are judged as told" {
	local file=second/e1/0.crl
	verify -i "$ca/issuer.pem" -u http://crl.example.com/e1/0.crl "$file"
	fine
	verify -i "$ca/issuer.pem" -u http://crl.example.com/e1/1.crl "$file"
	faulty idp-url "$file" http://crl.example.com/e1/0.crl
	verify -c "$conf" -u http://crl.example.com/E1/0.crl "$file"
	faulty idp-url
	verify -c "$conf" -p tls-ca "$file"
	faulty idp "$file"
	verify -c "$conf" -p private "$file"
	fine
	verify -c "$conf" -p nonsense "$file"
	ended 2
	has "$stderr" '--profile nonsense: no such profile'
	verify -c "$conf" --now 2020-01-01T00:00:00Z "$file"
	faulty not-future "$file"
	verify -c "$conf" --now "$(date -u -d '5 days' +%FT%TZ)" "$file"
	faulty fresh "$file"
	verify -c "$conf" -p private --now "$(date -u -d '10 days' +%FT%TZ)" \
	    "$file"
	faulty fresh "$file" 'want it not before now'
	verify -c "$conf" --now tomorrow "$file"
	ended 2
}

@test "rows: all of them, one more, one less, one elsewhere, one changed" {
	local serial
	verify -c "$conf" --rows second.csv --previous first second
	fine
	sed 1d first.csv | shuf --random-source=first.csv >rows.csv
	verify -c "$conf" --rows rows.csv first
	fine
	serial=$(serial_of first.csv 700)
	sed '701d' first.csv >rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty set-cover "first/e1/$(shard_of first.csv 700).crl" \
	    "serial $serial is listed but no row"
	same "$(grep -c . <<<"$stderr")" 1 findings
	{
		cat first.csv
		echo '\x0123456789,2026-01-01 00:00:00+00,0,2099-01-01 00:00:00+00,2'
	} >rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty set-cover first/e1/2.crl 'serial 0123456789 is revoked by a row'
	same "$(grep -c . <<<"$stderr")" 1 findings
	# Expired long ago: it may have left.
	sed -i '$s/2099/2020/' rows.csv
	verify -c "$conf" --rows rows.csv first
	fine
	# Revoked since.
	sed -i '$s/2026-01-01/2098-01-01/; $s/2020/2099/' rows.csv
	verify -c "$conf" --rows rows.csv first
	fine
	sed '701s/,[^,]*$/,'$((3 - $(shard_of first.csv 700)))'/' first.csv \
	    >rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty set-cover "serial $serial is listed but no row" \
	    "serial $serial is revoked by a row"
	sed '701s/\(+00\),[0-9]*,/\1,2,/' first.csv >rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty set-cover "serial $serial is listed with another date or reason"
	sed '701s/,[0-9]*-/,2001-/' first.csv >rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty set-cover "serial $serial is listed with another date or reason"
	{
		cat first.csv
		sed -n '701s/,[0-9]*-/,2001-/p' first.csv
	} >rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty duplicate "$serial"
}

@test "rows that are none are named with their line" {
	sed '42s/+00,/+05:45,/' first.csv >rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty set-cover 'rows.csv: ' 'line 42: revoked_at is not'
	sed '1d; 42s/,[^,]*$/,4/' first.csv >rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty set-cover 'line 41: shard out of range'
	# Endless lines, directories, nothing: said once, and no more is judged.
	rm rows.csv
	truncate -s 1G rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty set-cover 'line 1: longer than any row'
	same "$(grep -c . <<<"$stderr")" 1 findings
	verify -c "$conf" --rows . first
	faulty set-cover 'Is a directory'
	same "$(grep -c . <<<"$stderr")" 1 findings
	verify -c "$conf" --rows nowhere first
	faulty file 'nowhere: ' 'No such file'
	same "$(grep -c . <<<"$stderr")" 1 findings
	: >rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty set-cover 'more findings'
	verify -i "$ca/issuer.pem" --rows first.csv first
	ended 2
	has "$stderr" '--rows goes with one configuration, have 0'
}

@test "a set follows the one before, and not the reverse" {
	verify -c "$conf" --previous first second
	ended 0
	has "$stderr" 'warning: second/e1/0.crl: no-early-removal, '
	has "$stderr" ' entries of first/e1/0.crl left'
	same "$(grep -cv no-early-removal <<<"$stderr")" 0 'other findings'
	verify -c "$conf" --previous second second
	fine
	verify -c "$conf" --previous second first
	faulty number-up \
	    "have $(crl_field first/e1/0.crl number), want above the" \
	    "the $(crl_field second/e1/0.crl number) of second/e1/0.crl"
	faulty time-up first/e1/0.crl
	verify -c "$conf" --previous second/e1/0.crl first/e1/0.crl
	faulty number-up
	verify -i "$ca/issuer.pem" --previous first/e1/0.crl second/e1/1.crl
	faulty same-scope first/e1/0.crl
	rm second/e1/1.crl "$m"
	verify -i "$ca/issuer.pem" --previous first second
	faulty set-complete first/e1/1.crl 'was published and is gone'
	echo junk >first/e1/2.crl
	verify -i "$ca/issuer.pem" --previous first second
	faulty previous-readable first/e1/2.crl CertificateList
	mkdir empty
	for path in empty nowhere; do
		verify -c "$conf" --previous "$path" second/e1/0.crl
		faulty previous-readable "$path: "
	done
}

@test "an entry that left early, and one that changed" {
	local serial shard
	publish_new left shards.count=2 gates.floor=1% gates.shard_floor=1%
	for i in 1 2 3 4; do
		revoke "0$i" $((i % 2)) "$(sec '1 day ago')" "$(sec '9 days')"
	done
	publish_at '8 minutes'
	cp -a "$store" before
	pg_psql -c "DELETE FROM crlpress.revocation
	    WHERE issuer = 'left' AND serial = '\\x03'"
	publish_at '7 minutes' --pass no-early-removal:1
	export_csv rows.csv left
	verify -c "$conf" --rows rows.csv --previous before "$store"
	faulty no-early-removal "$store/left/1.crl" 'serial 3'
	verify -c "$conf" --previous before "$store"
	ended 0
	has "$stderr" 'no-early-removal, RFC 5280, 3.3: 1 entries of '
	rm -r before
	cp -a "$store" before
	pg_psql -c "UPDATE crlpress.revocation SET reason = 4
	    WHERE issuer = 'left' AND serial = '\\x02'"
	publish_at '6 minutes' --pass change:0
	for rows in '' '--rows rows.csv'; do
		export_csv rows.csv left
		# shellcheck disable=SC2086
		verify -c "$conf" $rows --previous before "$store"
		faulty change "$store/left/0.crl" 'serial 2 changed'
	done
	rm -r before
	cp -a "$store" before
	pg_psql -c "UPDATE crlpress.revocation SET reason = 1
	    WHERE issuer = 'left' AND serial = '\\x04'"
	publish_at '5 minutes'
	export_csv rows.csv left
	verify -c "$conf" --rows rows.csv --previous before "$store"
	fine
}

@test "serials: found, not found, with colons, at home" {
	local serial
	publish_new home shards.scheme=serial-mod shards.count=4
	for i in 0a 0b 0c0d0e; do
		revoke "$i" NULL "$(sec 2026-01-01)" "$(sec '9 days')" 1
	done
	publish_at '1 minute'
	verify -c "$conf" -s 0A -s 0c:0d:0E -s 12 "$store"
	ended 0
	has "$output" "0a: listed in $store/home/2.crl \
(http://crl.example.com/home/2.crl), revoked 2026-01-01T00:00:00Z, \
reason keyCompromise, as of $(iso "$(crl_field "$store/home/2.crl" this)")"
	has "$output" "0c0d0e: listed in $store/home/2.crl"
	has "$output" '12: not listed in any of 4 CRLs'
	has "$output" 'of home it would stand in shard 2'
	verify -q -c "$conf" -s b "$store"
	same "$(grep -c . <<<"$output")" 1 lines
	for serial in '' : xyz 0x0a -1 "$(printf '%041d' 1)1" \
	    8000000000000000000000000000000000000000; do
		verify -c "$conf" -s "$serial" "$store"
		ended 2
		has "$stderr" "usage: --serial $serial: "
		same "$output" '' stdout
	done
}
