# SPDX-License-Identifier: ISC
#
# crlpress verify over what publish made: held against the rows that it came
# from and the set before it, and asked for serials.
#
# Each test is a subshell, and what it works with is set by what is loaded:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/verify.bash

setup_file()
{
	verify_make_gold
}

teardown_file()
{
	pg_stop
}

setup()
{
	verify_begin
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
		printf '%s,' '\x0123456789' '2026-01-01 00:00:00+00' 0 \
		    '2099-01-01 00:00:00+00'
		echo 2
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
	sed '42s/+00,/ UTC,/; 43s/+00,/,/' first.csv >rows.csv
	verify -c "$conf" --rows rows.csv first
	faulty set-cover 'rows.csv: ' 'line 42: revoked_at, have "20' \
	    ' UTC", want a time with its offset, like' 'line 43: revoked_at, '
	same "$(grep -c 'hint: PGTZ=UTC' <<<"$stderr")" 1 hints
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
	faulty time-up 'first/e1/0.crl: time-up, RFC 5280, 5.1.2.4' \
	    'first/e1/0.crl: next-update-up, RFC 5280, 5.1.2.5'
	verify -c "$conf" --previous second/e1/0.crl first/e1/0.crl
	faulty number-up
	verify -i "$ca/issuer.pem" --previous first/e1/0.crl second/e1/1.crl
	faulty same-scope first/e1/0.crl
	rm second/e1/1.crl second/*.txt
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

@test "a set that nobody signed is no witness" {
	local at
	at=$(($(stat -c %s first/e1/1.crl) - 5))
	printf '\0\0' | dd of=first/e1/1.crl bs=1 seek="$at" conv=notrunc \
	    2>/dev/null
	for rows in '' '--rows second.csv'; do
		# shellcheck disable=SC2086
		verify -c "$conf" $rows --previous first second
		faulty same-scope 'first/e1/1.crl: same-scope' 'the signature'
	done
	same "$(grep -c . <<<"$stderr")" 1 findings
	# Of the very same CRL it is told that of the one now.
	verify -c "$conf" --previous first first/e1/1.crl
	faulty signature first/e1/1.crl
	same "$(grep -c . <<<"$stderr")" 1 findings
}

@test "a shard that is replaced between two looks at it" {
	local i
	cp -a second set
	# Either set follows from these rows, but not a mixture of both.
	: >go
	/usr/bin/python3 -c 'import itertools, os
for name in itertools.cycle(("first", "second")):
    if not os.path.exists("go"):
        break
    for shard in range(4):
        os.link(f"{name}/e1/{shard}.crl", "set/next")
        os.rename("set/next", f"set/e1/{shard}.crl")' 3>&- &
	for ((i = 0; i < 1000; i++)); do
		verify -q -c "$conf" --rows second.csv set/e1/{0,1,2,3}.crl
		[[ $stderr != *'was replaced while it was verified'* &&
		    $stderr != *set-cover* ]] || break
	done
	rm go
	wait
	faulty file 'was replaced while it was verified' 'verify once more'
	[[ $stderr != *set-cover* ]]
}

@test "an entry that left early, and one that changed" {
	local i rows
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
	faulty no-early-removal "$store/left/1.crl" 'serial 03'
	# The manifest then knew how many might leave, rows or not.
	verify -c "$conf" --previous before "$store"
	faulty no-early-removal "$store/left/1.crl: " 'more entries of before/'\
'left/1.crl left than had expired when it was made, have 1, want at most 0'
	rm before/crlpress-manifest-left.txt
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
		faulty change "$store/left/0.crl" 'serial 02 changed'
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

@test "a not_after that was moved to the past, with rows and without" {
	local rows
	publish_new moved shards.count=1 gates.floor=1% gates.shard_floor=1%
	# One that may leave next time, and two that may not.
	revoke 01 0 "$(sec '1 day ago')" "$(sec '9 minutes ago')"
	revoke 02 0 "$(sec '1 day ago')" "$(sec '9 days')"
	revoke 03 0 "$(sec '1 day ago')" "$(sec '9 days')"
	publish_at '8 minutes'
	cp -a "$store" before
	pg_psql -c "UPDATE crlpress.revocation SET not_after = now()
	    - interval '1 hour' WHERE issuer = 'moved' AND serial = '\\x02'"
	publish_at '7 minutes' --pass no-early-removal:0
	export_csv rows.csv moved
	verify -c "$conf" --rows rows.csv --previous before "$store"
	faulty no-early-removal "$store/moved/0.crl: " 'more entries would'\
' leave as expired than had expired when the published CRL was made, have 2,'\
' want at most 1'
	verify -c "$conf" --previous before "$store"
	faulty no-early-removal 'have 2, want at most 1'
	# Of a manifest that is of another CRL nothing is known.
	sed -i 's/^[0-9a-f]*  /'"$(printf '%064d' 0)"'  /' \
	    before/crlpress-manifest-moved.txt
	sed -i '$d' before/crlpress-manifest-moved.txt
	echo "# end $(cksum <before/crlpress-manifest-moved.txt)" \
	    >>before/crlpress-manifest-moved.txt
	verify -c "$conf" --previous before "$store"
	ended 0
	has "$stderr" 'no-early-removal, RFC 5280, 3.3: 2 entries of '
}

@test "a not_after that was moved to the future, with a set in between" {
	publish_new ahead shards.count=1
	revoke 01 0 "$(sec '1 day ago')" "$(sec '9 days')"
	revoke 02 0 "$(sec '1 day ago')" "$(sec '40 days')"
	publish_at '8 minutes'
	cp -a "$store" before
	publish_at '7 minutes'
	publish_at '6 minutes'
	export_csv rows.csv ahead
	verify -c "$conf" --rows rows.csv --previous before "$store"
	fine
	pg_psql -c "UPDATE crlpress.revocation SET not_after = now()
	    + interval '3 days' WHERE issuer = 'ahead' AND serial = '\\x02'"
	export_csv rows.csv ahead
	verify -c "$conf" --rows rows.csv --previous before "$store"
	faulty no-early-removal "$store/ahead/0.crl: " ' than was foreseen,'\
' have 1, want at most 0; the first is serial 02, '
}

@test "with a set in between, how many may have left is not known" {
	publish_new between shards.count=1
	revoke 01 0 "$(sec '1 day ago')" "$(sec '470 seconds ago')"
	revoke 02 0 "$(sec '1 day ago')" "$(sec '9 days')"
	publish_at '8 minutes'
	cp -a "$store" before
	publish_at '7 minutes'
	publish_at '6 minutes'
	same "$(manifest_sum removed)" 1 removed
	verify -c "$conf" --previous before "$store"
	ended 0
	has "$stderr" 'no-early-removal, RFC 5280, 3.3: 1 entries of '
}

@test "serials: found, not found, with colons, at home" {
	local i serial
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
	for serial in serial=0C0D0E 0x0c0d0e 0c:0d:0e dec:789774; do
		verify -q -c "$conf" -s "$serial" "$store"
		has "$output" "0c0d0e: listed in $store/home/2.crl"
	done
	for serial in '' : xyz 0 dec:0a 0c0:d0:e -1 \
	    8000000000000000000000000000000000000000; do
		verify -c "$conf" -s "$serial" "$store"
		ended 2
		has "$stderr" "usage: --serial $serial: "
		same "$output" '' stdout
	done
}
