# SPDX-License-Identifier: ISC
#
# The judge of the other tests, judged: tools/compare-entries over CRLs made
# by openssl, equal ones and ones with each kind of fault it is there to find.

bats_require_minimum_version 1.5.0

setup_file()
{
	export ca="$BATS_FILE_TMPDIR/ca"
	mkdir "$ca"
	local name
	for name in issuer other; do
		openssl req -x509 -newkey ec -pkeyopt \
		    ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Test' \
		    -keyout "$ca/$name.key" -out "$ca/$name.pem" 2>/dev/null
	done
}

setup()
{
	compare="$BATS_TEST_DIRNAME/../../tools/compare-entries"
	cd "$BATS_TEST_TMPDIR" || return 1
	issuer=issuer
	url='http://crl.example.com/{shard}.crl'
	cat >rows.csv <<-'ROWS'
		0,80,1700000000,1
		0,0fedcba9876543210fedcba9876543210fedcba8,1700000001,
		0,01,946684800,5
		1,7fffffffffffffffffffffffffffffffffffffff,1700000002,0
		1,ff01,1750000000,4
		1,03,1750000001,3
	ROWS
	revoked 0 01 000101000000Z,cessationOfOperation
	revoked 0 0FEDCBA9876543210FEDCBA9876543210FEDCBA8 231114221321Z
	revoked 0 80 231114221320Z,keyCompromise
	revoked 1 03 250615150641Z,affiliationChanged
	revoked 1 FF01 250615150640Z,superseded
	revoked 1 7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF 231114221322Z
	touch 2.index
	crl 0
	crl 1
	crl 2
}

# Revokes in the database of openssl: SHARD SERIAL TIME[,REASON].
revoked()
{
	printf 'R\t391122000000Z\t%s\t%s\tx\t/CN=%s\n' "$3" "$2" "$2" \
	    >>"$1.index"
}

# Makes SHARD.crl of SHARD.index; the number has 158 bits.
crl()
{
	printf '3fffffffffffffffffffffffffffffffffffff%02x\n' "$1" >"$1.number"
	cat >ca.cnf <<-CNF
		[ca]
		default_ca = d
		[d]
		database = $1.index
		crlnumber = $1.number
		unique_subject = no
		default_md = sha256
		crl_extensions = e
		[e]
		authorityKeyIdentifier = keyid
		issuingDistributionPoint = critical, @i
		[i]
		fullname = URI:${2:-http://crl.example.com/$1.crl}
		onlyuser = TRUE
	CNF
	openssl ca -config ca.cnf -gencrl -cert "$ca/$issuer.pem" \
	    -keyfile "$ca/$issuer.key" -crl_lastupdate 20261122000000Z \
	    -crl_nextupdate 20261201000000Z -out "$1.pem" 2>ca.log ||
	    { cat ca.log; return 1; }
	openssl crl -in "$1.pem" -outform DER -out "$1.crl"
}

# Signs a CRL anew with other entries: those of a Python expression, in which
# `old` is the CRL as it was and `entry` makes one.
rebuild()
{
	/usr/bin/python3 - "$ca/issuer.key" "$1" "$2" <<-'PYTHON'
		import datetime, sys
		from cryptography import x509
		from cryptography.hazmat.primitives import hashes, serialization

		def entry(serial, sec, reason):
		    date = datetime.datetime.utcfromtimestamp(sec)
		    made = x509.RevokedCertificateBuilder()
		    made = made.serial_number(serial).revocation_date(date)
		    return made.add_extension(x509.CRLReason(reason),
		        False).build()

		with open(sys.argv[1], "rb") as file:
		    key = serialization.load_pem_private_key(file.read(), None)
		with open(sys.argv[2], "rb") as file:
		    old = x509.load_der_x509_crl(file.read())
		new = x509.CertificateRevocationListBuilder(old.issuer,
		    old.last_update, old.next_update, list(old.extensions),
		    eval(sys.argv[3]))
		new = new.sign(key, hashes.SHA256())
		with open(sys.argv[2], "wb") as file:
		    file.write(new.public_bytes(serialization.Encoding.DER))
	PYTHON
}

judge()
{
	"$compare" --rows rows.csv --issuer "$ca/issuer.pem" \
	    --url-pattern "$url" "$@"
}

# The shards have the fault that these texts name, and no other.
expect()
{
	run -1 judge 0.crl 1.crl 2.crl
	echo "$output"
	[ "${#lines[@]}" -eq 2 ]
	local text
	for text; do
		[[ "${lines[0]}" == *"$text"* ]]
	done
	[ "${lines[1]}" = 'compare-entries: 1 differences' ]
}

# A reader in front of PATH that changes what the real one prints.
garble()
{
	mkdir bin
	cat >"bin/$1" <<-SCRIPT
		#!/bin/bash
		set -o pipefail
		"$(command -v "$1")" "\$@" | sed '$2'
	SCRIPT
	chmod +x "bin/$1"
	PATH="$PWD/bin:$PATH"
}

@test "equal CRLs pass, an empty one too" {
	run -0 judge --now 2026-11-23T00:00:00Z 0.crl 1.crl 2.crl
	[ "$output" = \
	    '3 shards, 6 entries equal in 3 readers and the rows' ]
}

@test "identical rows count once, fractions are cut off, \\x is taken" {
	cat >>rows.csv <<-'ROWS'
		0,80,1700000000.999999,1
		0,\x0080,1700000000,1
	ROWS
	run -0 judge 0.crl 1.crl 2.crl
}

@test "a row without an entry" {
	echo '0,81,1700000000,1' >>rows.csv
	expect '0.crl: serial 81: row without an entry'
}

@test "an entry without a row" {
	sed -i '/^1,03/d' rows.csv
	expect '1.crl: serial 3: entry without a row'
}

@test "another date" {
	sed -i 's/946684800/946684801/' rows.csv
	expect '0.crl: serial 1: the CRL has 2000-01-01T00:00:00Z reason 5,' \
	    'the row 2000-01-01T00:00:01Z reason 5'
}

@test "another reason" {
	sed -i 's/1750000001,3/1750000001,/' rows.csv
	expect '1.crl: serial 3: the CRL has 2025-06-15T15:06:41Z reason 3,' \
	    'the row 2025-06-15T15:06:41Z reason none'
}

@test "a reason of 0 that is encoded" {
	sed -i 's/,affiliationChanged/,unspecified/' 1.index
	sed -i 's/1750000001,3/1750000001,0/' rows.csv
	crl 1
	expect '1.crl: serial 3: the CRL has 2025-06-15T15:06:41Z reason 0,' \
	    'the row 2025-06-15T15:06:41Z reason none'
}

@test "an entry extension other than the reason" {
	sed -i 's/,keyCompromise/,keyTime,20200101000000Z/' 0.index
	crl 0
	expect '0.crl: python: serial 80: unexpected extension 2.5.29.24'
}

@test "every reason there is" {
	rebuild 2.crl '[entry(n, n, r) for n, r in enumerate([
	    x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise,
	    x509.ReasonFlags.affiliation_changed,
	    x509.ReasonFlags.superseded,
	    x509.ReasonFlags.cessation_of_operation,
	    x509.ReasonFlags.certificate_hold,
	    x509.ReasonFlags.remove_from_crl,
	    x509.ReasonFlags.privilege_withdrawn,
	    x509.ReasonFlags.aa_compromise], 946684800)]'
	local serial=946684800 reason
	for reason in 1 2 3 4 5 6 8 9 10; do
		printf '2,%x,%d,%d\n' "$serial" "$serial" "$reason"
		((++serial))
	done >>rows.csv
	run -0 judge 0.crl 1.crl 2.crl
	[[ "$output" == '3 shards, 15 entries equal '* ]]
}

@test "a serial twice" {
	rebuild 0.crl 'list(old) + [old[0]]'
	expect '0.crl: serial 1: listed twice'
}

@test "the signature of another key" {
	issuer=other
	crl 1
	expect '1.crl: signature: openssl says: '
}

@test "a changed octet of the signature" {
	/usr/bin/python3 -c 'import sys; d = bytearray(open("1.crl", "rb")
	    .read()); d[-1] ^= 1; open("1.crl", "wb").write(d)'
	expect '1.crl: signature: openssl says: verify failure'
}

@test "the shards of two rows swapped" {
	sed -i 's/^0,80/1,80/' rows.csv
	run -1 judge 0.crl 1.crl 2.crl
	[ "${lines[0]}" = '0.crl: serial 80: entry without a row' ]
	[ "${lines[1]}" = '1.crl: serial 80: row without an entry' ]
}

@test "a shard in two files" {
	cp 0.crl again.crl
	run -1 judge 0.crl again.crl 1.crl
	[ "${lines[0]}" = 'again.crl: shard 0: also in 0.crl' ]
}

@test "rows of a shard without a CRL" {
	run -1 judge 0.crl 2.crl
	[ "${lines[0]}" = 'shard 1: 3 rows and no CRL' ]
}

@test "URLs that are not of the pattern" {
	crl 2 http://crl.example.com/02.crl
	expect '2.crl: URL http://crl.example.com/02.crl is not of the pattern'
	url='http://crl.example.com/{shard:02}.crl'
	run -1 judge 2.crl
	[[ "$output" != *'2.crl: URL'* ]]
	[[ "$output" == *'shard 0: 3 rows and no CRL'* ]]
}

@test "a dot of the pattern is a dot" {
	crl 2 http://crl.example.com/2xcrl
	expect '2.crl: URL http://crl.example.com/2xcrl is not of the pattern'
}

@test "files that are no CRL" {
	head -c 100 2.crl >short
	mv short 2.crl
	expect '2.crl: ValueError: '
	rm 2.crl
	expect '2.crl: FileNotFoundError: '
}

@test "CRLs that are not valid at the time given" {
	run -1 judge --now 2026-11-21T23:59:59Z 0.crl 1.crl
	[ "${lines[0]}" = \
	    '0.crl: this_update 2026-11-22T00:00:00Z is after now' ]
	run -1 judge --now 2026-12-01T00:00:01Z 0.crl 1.crl
	[ "${lines[0]}" = \
	    '0.crl: next_update 2026-12-01T00:00:00Z is before now' ]
}

@test "many faults of a file are counted" {
	for serial in 10 11 12 13 14 15 16; do
		echo "0,$serial,1700000000,1" >>rows.csv
	done
	run -1 judge 0.crl 1.crl 2.crl
	[ "${#lines[@]}" -eq 7 ]
	[ "${lines[5]}" = '0.crl: ... and 2 more' ]
	[ "${lines[6]}" = 'compare-entries: 7 differences' ]
}

@test "openssl reads another serial" {
	garble openssl 's/Serial Number: FF01/Serial Number: FF02/'
	expect '1.crl: entry 1: python has serial ff01, openssl has ff02'
}

@test "openssl reads another date" {
	garble openssl 's/Date: Jan  1 00:00:00/Date: Jan  2 00:00:00/'
	expect '0.crl: serial 1: python has 2000-01-01T00:00:00Z reason 5,' \
	    'openssl has 2000-01-02T00:00:00Z reason 5'
}

@test "openssl reads another reason" {
	garble openssl 's/Key Compromise/CA Compromise/'
	expect '0.crl: serial 80: python has 2023-11-14T22:13:20Z reason 1,' \
	    'openssl has 2023-11-14T22:13:20Z reason 2'
}

@test "openssl prints what is not known" {
	garble openssl 's/CRL entry extensions:/X509v3 Other: /'
	run -1 judge 0.crl 1.crl 2.crl
	[ "${lines[0]}" = '0.crl: openssl: unexpected line: X509v3 Other:' ]
}

@test "certtool reads another serial" {
	garble certtool 's/(hex): 00ff01/(hex): ff01/'
	expect '1.crl: entry 1: python has serial ff01, certtool has -ff'
}

@test "certtool reads another date" {
	garble certtool 's/Jan 01 00:00:00 UTC 2000/Jan 01 00:00:00 UTC 2001/'
	expect '0.crl: serial 1: python has 2000-01-01T00:00:00Z' \
	    'certtool has 2001-01-01T00:00:00Z'
}

@test "certtool reads fewer entries" {
	garble certtool \
	    '/(hex): 03/,/Revoked at/d; s/certificates (3):/certificates (2):/'
	run -1 judge 0.crl 1.crl 2.crl
	grep -qF '1.crl: python has 3 entries, certtool has 2' <<<"$output"
}

@test "a reader reads another header" {
	garble certtool 's/Next at: Tue Dec 01/Next at: Tue Dec 02/'
	run -1 judge 2.crl
	[[ "${lines[0]}" == '2.crl: next_update: python has 2026-12-01T'*', '\
'certtool has 2026-12-02T00:00:00Z' ]]
	rm -r bin
	garble openssl 's/0x3FFFFF/0x2FFFFF/'
	run -1 judge 2.crl
	[[ "${lines[0]}" == '2.crl: number: python has '*', openssl has '* ]]
}

@test "a reader that fails" {
	garble certtool "\$q3"
	run -1 judge 2.crl
	[[ "${lines[0]}" == '2.crl: certtool: exit status 3: '* ]]
	rm -r bin
	garble openssl 1q
	run -1 judge 2.crl
	[[ "${lines[0]}" == '2.crl: openssl: '* ]]
}

@test "rows that cannot be read" {
	cp rows.csv good.csv
	for line in '0,80,1700000000,2' '0,zz,1,1' '0,80' 'x,80,1,1' \
	    '0,81,,1' '0,81,NaN,1' '0,81,1,x'; do
		{ cat good.csv; echo "$line"; } >rows.csv
		run -2 judge 0.crl 1.crl 2.crl
		[[ "$output" == 'compare-entries: rows.csv:7: '* ]]
	done
	rm rows.csv
	run -2 judge 0.crl
	run -2 judge --url-pattern http://crl.example.com/x.crl 0.crl
}
