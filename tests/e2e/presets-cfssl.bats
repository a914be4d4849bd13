# SPDX-License-Identifier: ISC
#
# The preset for CFSSL's certdb, with its table and rows that show each of its
# traps. CFSSL calls revoked the certificates whose status is 'revoked', and
# lists those that have not expired.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2089,SC2090,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/presets.bash

PRESET=cfssl
PRESET_CLEAN="DELETE FROM certificates WHERE ca_label = 'bad'"

setup_file()
{
	preset_setup
	# As Python reads it, and CFSSL writes it.
	AKI=$(/usr/bin/python3 - "$BATS_FILE_TMPDIR/ca/issuer.pem" <<-'END'
	import sys
	from cryptography import x509
	cert = x509.load_pem_x509_certificate(open(sys.argv[1], "rb").read())
	print(cert.extensions.get_extension_for_class(
	    x509.SubjectKeyIdentifier).value.digest.hex())
	END
	)
	export AKI PRESET_ID=$AKI
	certificate keep 10
	certificate keep 81985529216486895 reason=1 \
	    "revoked_at='2024-05-06 07:08:09.999999+00'"
	certificate keep 255 reason=5 "revoked_at='2024-05-06 12:53:09+05:45'"
	certificate keep 730750818665451459101842416358141509827966271487 \
	    reason=4
	# The key identifier in capitals is the same one.
	certificate keep 256 "aki='${AKI^^}'"
	# Not revoked, another CA's (and of a serial of ours), expired.
	certificate keep 300 "status='good'" "revoked_at='0001-01-01 00:00:00Z'"
	certificate keep 301 "aki='00112233445566778899aabbccddeeff00112233'"
	certificate keep 10 "aki='00112233445566778899aabbccddeeff00112233'" \
	    reason=1
	certificate keep 302 "expiry='$PRESET_EXPIRED'"
}

setup()
{
	preset_begin
}

teardown_file()
{
	pg_stop
}

# certificate_sql KIND SERIAL [COLUMN=VALUE...]: a row, revoked unless told
# otherwise.
certificate_sql()
{
	local setting status="'revoked'" reason=0 expiry="'$PRESET_VALID'"
	local revoked_at="'2024-05-06 07:08:09Z'" aki="'$AKI'"
	for setting in "${@:3}"; do
		local "${setting%%=*}=${setting#*=}"
	done
	echo "INSERT INTO certificates (ca_label, serial_number,
	    authority_key_identifier, status, reason, created_at, expiry,
	    revoked_at, pem) VALUES ('$1', '$2', $aki, $status, $reason, now(),
	    $expiry, $revoked_at, 'PEM')"
}

certificate()
{
	pg_psql -c "$(certificate_sql "$@")"
}

expected()
{
	preset_expect <<-'END'
	1 0a 2024-05-06T07:08:09Z 0
	1 0123456789abcdef 2024-05-06T07:08:09Z 1
	1 ff 2024-05-06T07:08:09Z 5
	1 7fffffffffffffffffffffffffffffffffffffff 2024-05-06T07:08:09Z 4
	1 0100 2024-05-06T07:08:09Z 0
	END
}

@test "CFSSL: what is published is what CFSSL calls revoked" {
	preset_configure
	expected
	publish_ok
	preset_compare 1
}

@test "CFSSL: the documented command lines" {
	expected
	preset_documented CFSSL 1
	grep -qx "issuer_id = $AKI" e1.cnf
}

@test "CFSSL: rows that no CRL can have are named" {
	preset_configure
	bad "$(certificate_sql bad 500 revoked_at=NULL)" \
	    'e1/shard 0/row 500' 'revoked_at is NULL'
	# The date of a certificate that was put in as revoked, without one.
	bad "$(certificate_sql bad 500 "revoked_at='0001-01-01 00:00:00Z'")" \
	    'e1/shard 0/row 500' 'revoked_at is before 1950'
	bad "$(certificate_sql bad 500 expiry=NULL)" \
	    'e1/shard 0/row 500' 'not_after is NULL'
	bad "$(certificate_sql bad 500 "expiry='0001-01-01 00:00:00Z'")" \
	    'e1/shard 0/row 500' 'not_after is before 1950'
	bad "$(certificate_sql bad 500 "expiry='infinity'")" \
	    'e1/shard 0/row 500' 'not_after is infinity'
	bad "$(certificate_sql bad 500 reason=NULL)" \
	    'e1/shard 0/row 500' 'reason is NULL'
	bad "$(certificate_sql bad 500 reason=7)" 'row 500' 'reason is 7'
	bad "$(certificate_sql bad 500 reason=8)" 'row 500' 'reason is 8'
	bad "$(certificate_sql bad 500 reason=-1)" 'row 500' 'not 0 to 10'
	bad "$(certificate_sql bad 500 reason=65536)" 'row 500' 'not 0 to 10'
	# With one CRL the shard of a row without a serial is not told.
	bad "$(certificate_sql bad 1f4)" 'serial is not decimal'
	bad "$(certificate_sql bad \
	    730750818665451459101842416358141509827966271488)" \
	    'serial is 2^159 or above'
	bad "$(certificate_sql bad '')" 'serial is empty'
	bad "$(certificate_sql bad 10 "aki='${AKI^^}'" reason=1)" \
	    'e1/shard 0: duplicate' 'serial 0a'
}

@test "CFSSL: on hold is a fault in tls, and listed in private" {
	preset_hold "$(certificate_sql bad 500 reason=6)" 01f4 e1.crl
}

@test "CFSSL: a bad row withholds the CRL, and the old one stands" {
	preset_configure
	preset_withholds "$(certificate_sql bad 500 reason=NULL)" e1.crl
}

@test "CFSSL: another CA's identifier has none of these rows" {
	preset_configure issuer_id=ffffffffffffffffffffffffffffffffffffffff
	run -3 --separate-stderr crlpress publish -c "$conf"
	has "$stderr" 'e1: db-scope'
}

@test "CFSSL: the least role" {
	preset_configure
	preset_least certificates
	run pg_psql -U crlpress -c 'SELECT pem FROM certificates'
	has "$output" 'permission denied'
}

@test "CFSSL: the index" {
	pg_psql -c "INSERT INTO certificates (ca_label, serial_number,
	    authority_key_identifier, status, reason, expiry, pem)
	    SELECT 'bad', convert_to(i::text, 'UTF8'),
	    CASE i % 7 WHEN 0 THEN '$AKI' ELSE 'other' END::bytea,
	    CASE i % 10 WHEN 0 THEN 'revoked' ELSE 'good' END::bytea, 0,
	    '$PRESET_VALID', 'PEM' FROM generate_series(100000, 120000) AS i"
	preset_plan "$AKI" certificates crlpress_certificates_idx
	pg_psql -c "$PRESET_CLEAN"
}
