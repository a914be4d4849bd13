# SPDX-License-Identifier: ISC
#
# What may never change once certificates name a shard: the scope of its CRL,
# and the way from a certificate to it. A revoked certificate that its client
# looks for elsewhere is revoked for nobody.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/airgap.bash

setup_file()
{
	publish_setup
	pg_psql -f "$PUBLISH_TREE/sharding-config/work.sql"
	pg_psql -c 'GRANT crlpress_worker TO cron'
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
}

# listed SHARD|NULL SERIAL...: rows that stay for long, of certificates that
# expire in 90 days.
listed()
{
	local shard=$1 serial now
	shift
	now=$(date +%s)
	for serial; do
		revoke "$serial" "$shard" $((now - 3600)) \
		    $((now + 90 * 86400)) "${reason:-0}"
	done
}

# refused TEXT...: the whole set is, with these words, and nothing was put.
refused()
{
	local text
	publish "${with[@]}"
	ended 3 || return 1
	for text; do
		has "$stderr" "$text" || return 1
	done
	same "$(tree "$store")" "$before" store
}

# Nothing changes from here on.
still()
{
	before=$(tree "$store")
	with=()
}

# passed_once GATE...: these are let pass, with a warning and a line of the
# manifest each; the run after has nothing to say.
passed_once()
{
	local gate
	with=()
	for gate; do
		with+=(--pass "$gate")
	done
	publish "${with[@]}"
	ended 0 || return 1
	has "$stderr" 'let pass by --pass: '
	for gate; do
		manifest_field passed | grep -qxF "$gate" || return 1
	done
	manifest_holds && publish_ok && manifest_holds
}

# The manifest with sed's arguments, and a closing line to match.
manifest_edit()
{
	sed -i '$d' "$manifest"
	sed -i "$@" "$manifest"
	printf '# end %s\n' "$(cksum <"$manifest")" >>"$manifest"
}

# error 23: revoked; 44: the CRL is not about it.
client()
{
	openssl crl -inform DER -in "$store/$name/0.crl" -out "$work/crl.pem"
	run -2 openssl verify -partial_chain -trusted "$ca/issuer.pem" \
	    -CRLfile "$work/crl.pem" -crl_check -extended_crl "$work/ee.pem"
	has "$output$stderr" "error $1 "
}

# A certificate of an end entity that names shard 0, with this serial.
certificate()
{
	local url_0=${url/'{shard}'/0}
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$work/ee.key" -subj /CN=ee -out "$work/ee.csr" 2>/dev/null
	printf 'basicConstraints=CA:FALSE\ncrlDistributionPoints=URI:%s\n' \
	    "$url_0" >"$work/ee.ext"
	openssl x509 -req -in "$work/ee.csr" -CA "$ca/issuer.pem" \
	    -CAkey "$ca/issuer.key" -set_serial "0x$1" -days 30 \
	    -extfile "$work/ee.ext" -out "$work/ee.pem" 2>/dev/null
}

# other_idp WORD: shard 0 as another program of this CA makes it, with this in
# its issuing distribution point.
other_idp()
{
	/usr/bin/python3 - "$store/$name/0.crl" "$ca" "${url/'{shard}'/0}" \
	    "$1" <<-'PYTHON'
		import sys
		from cryptography import x509
		from cryptography.hazmat.primitives import hashes
		from cryptography.hazmat.primitives import serialization

		path, ca, url = sys.argv[1:4]
		with open(path, 'rb') as f:
		    old = x509.load_der_x509_crl(f.read())
		with open(ca + '/issuer.key', 'rb') as f:
		    key = serialization.load_pem_private_key(f.read(), None)
		point = dict.fromkeys(('only_contains_user_certs',
		    'only_contains_ca_certs', 'indirect_crl',
		    'only_contains_attribute_certs'), False)
		point['only_some_reasons'] = None
		point[sys.argv[4]] = True
		if point['only_some_reasons']:
		    point['only_some_reasons'] = frozenset(
		        [x509.ReasonFlags.key_compromise])
		idp = x509.IssuingDistributionPoint(
		    full_name=[x509.UniformResourceIdentifier(url)],
		    relative_name=None, **point)
		new = x509.CertificateRevocationListBuilder(
		    old.issuer, old.last_update, old.next_update,
		    [x509.Extension(e.oid, e.critical,
		         idp if isinstance(e.value,
		             x509.IssuingDistributionPoint) else e.value)
		     for e in old.extensions], list(old))
		with open(path, 'wb') as f:
		    f.write(new.sign(key, hashes.SHA256()).public_bytes(
		        serialization.Encoding.DER))
	PYTHON
}

@test "a profile of another scope does not take revoked certificates away" {
	publish_new tls
	reason=1 listed 0 0110 0111
	certificate 0110
	publish_ok
	client 23
	publish_configure issuer.profile=tls-ca
	publish
	ended 3
	has "$stderr" 'tls/shard 0: same-scope'
	has "$stderr" 'tls/shard 1: same-scope'
	has "$stderr" 'have onlyContainsCACerts, want onlyContainsUserCerts'
	has "$stderr" 'hint: put [crl] scope, or [issuer] profile'
	has "$stderr" '--pass same-scope:0'
	client 23
	publish --pass same-scope:0
	ended 3
	has "$stderr" 'tls/shard 1: same-scope'
	client 44
	passed_once same-scope:1
}

@test "a narrower scope is refused, a wider one is told" {
	local scope
	publish_new wide issuer.profile=private crl.scope=all
	listed 0 0110
	certificate 0110
	publish_ok
	client 23
	for scope in users cas; do
		publish_configure issuer.profile=private crl.scope=$scope
		publish
		ended 3
		has "$stderr" 'wide/shard 0: same-scope'
		has "$stderr" 'want all certificates'
		run -3 --separate-stderr "$CRLPRESS" push --config "$conf" \
		    --shard 0
		has "$stderr" 'wide/shard 0: same-scope'
	done
	passed_once same-scope:0 same-scope:1
	client 44
	# users in place of cas is a narrower scope too.
	publish_configure issuer.profile=private crl.scope=users
	publish
	ended 3
	has "$stderr" 'have onlyContainsUserCerts, want onlyContainsCACerts'
	# And the way back takes nothing away.
	publish_configure issuer.profile=private crl.scope=all
	publish
	ended 0
	has "$stderr" 'warning: wide/shard 0: same-scope, RFC 5280, 5.2.5: '
	has "$stderr" 'have all certificates, was onlyContainsCACerts'
	client 23
	publish_ok
	manifest_holds
}

@test "a published CRL of some reasons, of other issuers, of attributes" {
	local word want
	publish_new point issuer.profile=private
	listed 0 0110
	publish_ok
	cp "$store/point/0.crl" whole.crl
	while read -r word want; do
		cp whole.crl "$store/point/0.crl"
		other_idp "$word"
		publish
		ended 3
		has "$stderr" 'point/shard 0: same-scope'
		has "$stderr" ", want $want"
	done <<-'POINTS'
		only_some_reasons onlySomeReasons
		indirect_crl indirectCRL
		only_contains_attribute_certs onlyContainsAttributeCerts
	POINTS
}

@test "serial-mod, another count: no revocation goes where nobody looks" {
	publish_new mod shards.scheme=serial-mod
	listed NULL 04 05 08 09
	publish_ok
	same "$(manifest_field sharding)" 'serial-mod count=2 first=0' sharding
	still
	publish_configure shards.scheme=serial-mod shards.count=4
	refused 'mod: set-complete, CCADB 6.2' \
	    'have serial-mod count=4 first=0, want serial-mod count=2 first=0' \
	    'hint: put [shards] back' '--pass set-complete'
	with=(--dry-run)
	refused 'mod: set-complete'
	run -3 --separate-stderr "$CRLPRESS" push --config "$conf" --serial 04
	has "$stderr" 'mod: set-complete'
	publish_configure shards.scheme=serial-mod shards.first=1 \
	    shards.count=1
	with=()
	refused 'mod: set-complete'
	publish_configure
	refused 'have column, want serial-mod count=2 first=0'
	# Each row says what the scheme said: nothing else changes by it.
	pg_psql -c "UPDATE crlpress.revocation
	    SET shard = get_byte(serial, 0) % 2 WHERE issuer = 'mod'"
	passed_once set-complete
	same "$(manifest_field sharding)" column sharding
}

@test "serial-mod, let pass before certificates were issued" {
	publish_new none shards.scheme=serial-mod gates.allow_empty=yes
	publish_ok
	publish_configure shards.scheme=serial-mod gates.allow_empty=yes \
	    shards.count=4
	still
	refused 'none: set-complete'
	passed_once set-complete
	same "$(manifest_field sharding)" 'serial-mod count=4 first=0' sharding
	listed NULL 06
	publish_ok
	crl_field "$store/none/2.crl" serials | grep -qx 06
}

@test "expiry: count, anchor, chunk and scheme stay" {
	local -a as=(shards.scheme=expiry shards.count=4
		shards.anchor=2026-01-01T00:00:00Z shards.chunk=30d)
	local want='want expiry count=4 first=0 anchor=2026-01-01T00:00:00Z'
	publish_new chunk "${as[@]}" gates.allow_empty=yes
	publish_ok
	still
	publish_configure "${as[@]}" shards.count=8
	refused 'chunk: set-complete' 'have expiry count=8' \
	    "$want chunk=2592000"
	publish_configure "${as[@]}" shards.anchor=2026-01-02T00:00:00Z
	refused 'anchor=2026-01-02T00:00:00Z chunk=2592000, want' "$want"
	publish_configure "${as[@]}" shards.chunk=31d
	refused 'chunk=2678400, want' "$want"
	publish_configure shards.count=4 shards.scheme=serial-mod
	refused 'have serial-mod count=4 first=0, want' "$want"
	publish_configure "${as[@]}" gates.allow_empty=yes
	publish_ok
}

@test "column: more shards, and nobody says a word" {
	publish_new column
	listed 0 0110
	listed 1 0111
	publish_ok
	same "$(manifest_field sharding)" column sharding
	publish_configure shards.count=4
	listed 3 0112
	publish_ok
	same "$(manifest_field shards)" 4 shards
	manifest_holds
}

@test "a manifest from before it said how shards are found" {
	publish_new older shards.scheme=serial-mod
	listed NULL 04 05
	publish_ok
	manifest_edit '/^# sharding /d'
	cp "$manifest" without.txt
	still
	publish_configure shards.scheme=serial-mod shards.count=4
	refused 'older: set-complete' 'have 4 shards from 0, want 0 to 1'
	publish_configure shards.scheme=serial-mod
	publish_ok
	same "$(manifest_field sharding)" 'serial-mod count=2 first=0' sharding
	cp "$manifest" with.txt
	# A push leaves the header as it is.
	cp without.txt "$manifest"
	echo 1 >"$state/older/published"
	run -0 --separate-stderr "$CRLPRESS" push --config "$conf" --serial 05
	same "$(manifest_field sharding)" '' sharding
	# A column says itself what its range does not matter for.
	publish_new plain
	listed 0 0110
	publish_ok
	manifest_edit '/^# sharding /d'
	publish_configure shards.count=3
	publish_ok
}

@test "over the air gap: the request has it, and the manifest that follows" {
	rowless=yes machines gap shards.scheme=serial-mod
	listed NULL 04 05
	stage
	ended 0
	grep -qx '# sharding serial-mod count=2 first=0' "$box/request.txt"
	sign
	ended 0
	# Between the two halves the way to the shards changed.
	cp "$conf" right.cnf
	publish_configure issuer.key=none shards.scheme=expiry \
	    shards.anchor=2026-01-01T00:00:00Z shards.chunk=30d
	bring
	ended 3
	has "$stderr" 'number of shards or scheme differ'
	cp right.cnf "$conf"
	bring
	ended 0
	same "$(manifest_field sharding)" 'serial-mod count=2 first=0' sharding
	publish_configure issuer.key=none shards.scheme=serial-mod \
	    shards.count=4
	rm -rf "$box"
	stage
	ended 3
	has "$stderr" 'gap: set-complete'
	[ ! -e "$box/request.txt" ]
}

@test "a run that hosts share says it too, and refuses" {
	publish_new hosts shards.scheme=serial-mod
	listed NULL 04 05
	publish --share
	ended 0
	same "$(manifest_field sharding)" 'serial-mod count=2 first=0' sharding
	still
	publish_configure shards.scheme=serial-mod shards.count=4
	with=(--share)
	refused 'hosts: set-complete'
}

@test "another name for the same shards leaves none of them behind" {
	publish_new named shards.count=4
	listed 0 0110
	listed 3 0111
	publish_ok
	pg_psql -c "DELETE FROM crlpress.revocation
	    WHERE issuer = 'named' AND shard = 3"
	publish_configure issuer.name=renamed shards.object='named/{shard}.crl'
	still
	refused 'renamed: set-complete, CCADB 6.2: named/0.crl is published' \
	    'crlpress-manifest-named.txt' 'with 4 shards in all' \
	    'have renamed, want named' 'hint: put [issuer] name back'
	manifest=$store/crlpress-manifest-renamed.txt
	publish --pass set-complete
	ended 0
	has "$stderr" 'let pass by --pass: named/0.crl'
	publish_ok
	# A neighbour's name in the same state directory is nothing to say.
	publish_new neighbour store.url="$store" state.dir="$state"
	listed 0 0120
	publish_ok
	rm "$work/../named/store/crlpress-manifest-neighbour.txt"
	publish --pass store-known
	ended 0
	[[ $stderr != *'under another name'* ]]
}
