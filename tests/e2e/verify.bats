# SPDX-License-Identifier: ISC
#
# crlpress verify over what publish made: the CRLs, the set, its manifest. What
# is wrong is named, and nothing else is.
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
	m=second/crlpress-manifest-e1.txt
}

# A manifest that says so: manifest_says SED.
manifest_says()
{
	sed -i -e "$1" -e '$d' "$m"
	echo "# end $(cksum <"$m")" >>"$m"
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
	# Under whatever name, it is one file.
	verify -c "$conf" .// ./e1/0.crl
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
		    "$(stat -c %s "$file")" \
		    "$(sha256sum <"$file" | cut -c -64)" \
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
		    {"set-complete", "file"}
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
	has "$stderr" \
	    "warning: e1: set-manifest, house rule: its manifest is not there"
	has "$stderr" "want ${m#*/}"
	same "$(grep -c . <<<"$stderr")" 2 findings
	cp first/e1/2.crl second/e1/2.crl
	cp second/e1/1.crl second/e1/again.crl
	verify -c "$conf" second
	faulty set-complete second/e1/again.crl 'shard 1 is there twice'
	same "$(grep -c . <<<"$stderr")" 2 findings
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
	faulty set-disjoint "serial $(serial_of second.csv 1) stands in" \
	    'stands in second/e1/0.crl too'
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
}

@test "a serial that two issuers list twice each" {
	own_ca=$BATS_FILE_TMPDIR/ca
	"$PUBLISH_TREE/tools/make-ca" --p256 --subject /CN=Other other
	publish_new a shards.count=1
	revoke 0123 0 "$(sec '1 day ago')" "$(sec '9 days')"
	publish_at '1 minute'
	for name in b c d; do
		[ "$name" = b ] || own_ca=$PWD/other
		publish_new "$name" source.issuer_id=a shards.count=1
		publish_at '1 minute'
	done
	# In turn, so that no two of one issuer are neighbours.
	for jobs in 1 4; do
		verify -j "$jobs" -i other/issuer.pem \
		    -i "$BATS_FILE_TMPDIR/ca/issuer.pem" a/store/a/0.crl \
		    c/store/c/0.crl b/store/b/0.crl d/store/d/0.crl
		faulty set-disjoint \
		    'b/store/b/0.crl: set-disjoint' \
		    'serial 0123 stands in a/store/a/0.crl too' \
		    'd/store/d/0.crl: set-disjoint' \
		    'serial 0123 stands in c/store/c/0.crl too'
		same "$(grep -c . <<<"$stderr")" 2 findings
	done
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
	same "$(grep -c . <<<"$stderr")" 1 findings
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
	faulty file second/e1/2.crl 'No such file'
}

@test "a shard that the manifest does not have" {
	local have number
	manifest_says '/^# shard 1 /,+1d; s/^# shards 4/# shards 3/'
	number=$(sed -n 's/^# number //p' "$m")
	have=$(crl_field second/e1/1.crl number)
	verify -c "$conf" second
	faulty set-manifest 'second/e1/1.crl: set-manifest' \
	    "the manifest does not have it, have number $have, want above" \
	    "above $number"
	same "$(grep -c . <<<"$stderr")" 1 findings
	# Published since, by a run or a push that did not come to its manifest.
	cp "$m" first/
	m=first/${m#*/}
	cp "$GOLD/$m" "$m"
	manifest_says '/^# shard 1 /,+1d; s/^# shards 4/# shards 3/'
	cp second/e1/1.crl first/e1/1.crl
	verify -c "$conf" first
	ended 0
	has "$stderr" "note: first/e1/1.crl: newer than the manifest: pushed \
since, number $have"
	same "$(grep -c . <<<"$stderr")" 1 findings
	# Another issuer's manifest has nothing to do with it.
	sed -i 's/^# issuer .*/# issuer e2/' "$m"
	manifest_says ''
	verify -c "$conf" first
	ended 0
	same "$(grep -c 'newer than' <<<"$stderr")" 0 notes
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

@test "a manifest in a directory of the store" {
	publish_configure shards.count=4 store.manifest=some/dir/m.txt
	mkdir -p second/some/dir
	mv "$m" second/some/dir/m.txt
	# Found, given, and given from where it stands.
	verify -c "$conf" second
	fine
	has "$output" '4 of 4 CRLs ok'
	verify -c "$conf" second/some/dir/m.txt
	fine
	has "$output" '4 of 4 CRLs ok'
	cd second
	verify -c "$conf" some/dir/m.txt
	fine
	verify -c "$conf" some/dir/m.txt .
	fine
	has "$output" '4 of 4 CRLs ok'
	cd some/dir
	verify -c "$conf" m.txt
	fine
	has "$output" '4 of 4 CRLs ok'
	cd ../../..
	verify -c "$conf" --previous first/e1 second
	ended 0
	# It is still held against the shards.
	cp first/e1/2.crl second/e1/2.crl
	verify -c "$conf" second
	faulty set-manifest second/e1/2.crl 'older than the manifest'
	# Without a configuration its keys begin where it stands.
	verify -i "$ca/issuer.pem" second/some/dir/m.txt
	faulty file 'second/some/dir/e1/0.crl: ' 'No such file'
	# A key that only ends alike is another.
	publish_configure shards.count=4 store.manifest=e/dir/m.txt
	verify -c "$conf" second/some/dir/m.txt
	faulty file 'second/some/dir/e1/0.crl: ' 'No such file'
}

@test "with manifests given only their issuers' sets must be whole" {
	local old=$conf other=second/crlpress-manifest-e2.txt
	publish_new e2 source.issuer_id=e1 shards.count=3
	verify -c "$old" -c "$conf" "$m"
	fine
	verify -c "$old" -c "$conf" second
	faulty set-complete 'e2: set-complete' 'shard 2 is missing'
	has "$stderr" \
	    'warning: e2: set-manifest, house rule: its manifest is not there'
	same "$(grep -c ' e1: ' <<<"$stderr")" 0 'findings of e1'
	# Of a manifest that lists fewer shards than are configured.
	publish_configure shards.count=5
	sed 's/^# issuer .*/# issuer e2/' "$m" | sed '$d' >"$other"
	echo "# end $(cksum <"$other")" >>"$other"
	verify -c "$conf" "$other"
	faulty set-complete 'e2: ' 'shard 4 is missing' 'shard 0 is missing'
	verify -c "$old" -c "$conf" "$m"
	fine
}

@test "another CA's CRL with the URL of a shard" {
	own_ca=$BATS_TEST_TMPDIR/other
	"$PUBLISH_TREE/tools/make-ca" --p256 --subject /CN=Other/O=O "$own_ca"
	local old=$conf
	# Made for the very URL, and right by itself.
	publish_new e3 source.issuer_id=e1 shards.count=4 \
	    'shards.url=http://crl.example.com/e1/{shard}.crl' \
	    'shards.object=e1/{shard}.crl'
	publish_at '3 minutes'
	cp "$store/e1/2.crl" second/e1/2.crl
	rm "$m"
	verify -i "$own_ca/issuer.pem" second/e1/2.crl
	fine
	# One fault, whoever is known.
	verify -c "$old" second/e1
	faulty issuer-bytes second/e1/2.crl \
	    'no issuer certificate that was given has this name' \
	    'have CN=Other,O=O'
	has "$stderr" '  hint: --issuer-cert takes the certificate of the CA'
	same "$(grep -c '2.crl: ' <<<"$stderr")" 1 findings
	verify -c "$old" -i "$own_ca/issuer.pem" second/e1
	faulty issuer-bytes second/e1/2.crl \
	    "another issuer than that of the shard with its URL" \
	    'have CN=Other,O=O, want e1'
	same "$(grep -c '2.crl: ' <<<"$stderr")" 1 findings
	# Whose profile is meant nobody knows: nothing else is said.
	verify -p tls-ca -i "$BATS_FILE_TMPDIR/ca/issuer.pem" second/e1/2.crl
	faulty issuer-bytes 'have CN=Other,O=O'
	same "$(grep -c '2.crl: ' <<<"$stderr")" 1 findings
}

@test "a manifest that is another CA's, or of another certificate of this one" {
	local sha zeros
	zeros=$(printf '%064d' 0)
	sha=$(openssl x509 -in "$ca/issuer.pem" -outform DER | sha256sum |
	    cut -c -64)
	manifest_says "s/^# issuer-sha256 .*/# issuer-sha256 $zeros/"
	verify -c "$conf" "$m"
	faulty set-manifest "$m: " 'its issuer-sha256 is of no certificate'\
" that was given of issuer e1, have $zeros, want $sha"
	has "$stderr" '  hint: --issuer-cert takes an older certificate'
	same "$(grep -c ': set-manifest, ' <<<"$stderr")" 1 findings
	verify -i "$ca/issuer.pem" second
	faulty set-manifest "$m: " 'of no certificate that was given, have 0'
	# One that the CA has beside it, with the same name and key.
	openssl x509 -in "$ca/issuer.pem" -signkey "$ca/issuer.key" -days 9 \
	    -set_serial 99 -out older.pem 2>x509.err
	sha=$(openssl x509 -in older.pem -outform DER | sha256sum | cut -c -64)
	manifest_says "s/^# issuer-sha256 .*/# issuer-sha256 $sha/"
	verify -c "$conf" "$m"
	faulty set-manifest "have $sha"
	verify -c "$conf" -i older.pem "$m"
	fine
	# One of another CA is none of it, known or not.
	"$PUBLISH_TREE/tools/make-ca" --p256 --subject /CN=Other/O=O other
	sha=$(openssl x509 -in other/issuer.pem -outform DER | sha256sum |
	    cut -c -64)
	manifest_says "s/^# issuer-sha256 .*/# issuer-sha256 $sha/"
	verify -c "$conf" -i other/issuer.pem "$m"
	faulty set-manifest "$m: " "have $sha"
	verify -i "$ca/issuer.pem" -i other/issuer.pem "$m"
	faulty set-manifest 'second/e1/0.crl: ' \
	    'is of another issuer than its manifest'
	[[ $stderr != *"$m: "* ]]
}

@test "two CRLs that were exchanged, without a manifest" {
	local path
	rm "$m"
	mv second/e1/0.crl x
	mv second/e1/1.crl second/e1/0.crl
	mv x second/e1/1.crl
	for path in second second/e1 ./second/e1/0.crl; do
		verify -q -c "$conf" "$path"
		faulty idp-url 'second/e1/0.crl: ' 'BR 7.2.2.1: stands at the'\
' key of shard 0 of e1, have the URL http://crl.example.com/e1/1.crl,'\
' want http://crl.example.com/e1/0.crl'
	done
	(cd second/e1 && verify -q -c "$conf" 1.crl &&
	    faulty idp-url '1.crl: ' 'stands at the key of shard 1 of e1')
	# Another issuer's key is no better; a name that is no key may be any.
	publish_new e2 shards.count=4
	mkdir second/e2
	mv second/e1/0.crl second/e2/0.crl
	mv second/e1/1.crl second/e1/one.crl
	verify -q -c "$work/../e1/e1.cnf" -c "$conf" second/e2/0.crl
	faulty idp-url 'stands at the key of shard 0 of e2, have the URL' \
	    'want http://crl.example.com/e2/0.crl'
	verify -q -c "$work/../e1/e1.cnf" -c "$conf" second/e1/*.crl
	fine
	# Where both have the same keys, each has a store.
	publish_new e2 shards.count=4 'shards.object=e1/{shard}.crl'
	verify -q -c "$work/../e1/e1.cnf" -c "$conf" second/e1/2.crl
	fine
}

@test "two that were exchanged, and no configuration to say so" {
	rm "$m"
	mv second/e1/0.crl x
	mv second/e1/1.crl second/e1/0.crl
	mv x second/e1/1.crl
	verify -i "$ca/issuer.pem" second
	ended 0
	same "$stderr" 'warning: second/e1/0.crl: idp-url, BR 7.2.2.1: names'\
' http://crl.example.com/e1/1.crl, and beside it stands second/e1/1.crl:'\
' exchanged?
warning: second/e1/1.crl: idp-url, BR 7.2.2.1: names'\
' http://crl.example.com/e1/0.crl, and beside it stands second/e1/0.crl:'\
' exchanged?' stderr
	# A name of one's own is nobody else's.
	mv second/e1/0.crl second/e1/a.crl
	mv second/e1/1.crl second/e1/b.crl
	verify -i "$ca/issuer.pem" second
	fine
}
