# SPDX-License-Identifier: ISC
#
# The preset for OpenXPKI, with its table and rows that show each of its traps.
# OpenXPKI lists on a CRL: the certificates of the issuer that are REVOKED, on
# HOLD, or CRL_ISSUANCE_PENDING, which become one of those with its next CRL.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2089,SC2090,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/presets.bash

PRESET=openxpki
PRESET_CLEAN="DELETE FROM certificate WHERE subject = 'bad'"

setup_file()
{
	preset_setup
	# As OpenXPKI makes it of its certificate: SHA-1 in base64url.
	ISSUER=$(openssl x509 -in "$BATS_FILE_TMPDIR/ca/issuer.pem" \
	    -outform DER | openssl dgst -sha1 -binary | base64 | tr -d = |
	    tr +/ -_)
	export ISSUER PRESET_ID=$ISSUER
	certificate keep 10
	certificate keep 81985529216486895 "reason_code='keyCompromise'"
	certificate keep 255 "status='CRL_ISSUANCE_PENDING'" \
	    "reason_code='superseded'"
	certificate keep 730750818665451459101842416358141509827966271487 \
	    "reason_code='cessationOfOperation'"
	# Above any integer type, and what another realm keeps.
	certificate keep 100000000000000000000000000000000000000 \
	    "reason_code='affiliationChanged'" "realm='other'"
	certificate keep 256 "reason_code='privilegeWithdrawn'"
	# Not revoked, another issuer's, expired.
	certificate keep 300 "status='ISSUED'" revocation_time=NULL \
	    reason_code=NULL
	certificate keep 301 "issuer='other'"
	certificate keep 10 "issuer='other'" "reason_code='keyCompromise'"
	certificate keep 302 "notafter=$PRESET_EXPIRED_SEC"
	# Of the certificate that the CA had before it was renewed.
	certificate keep 303 "issuer='0AbCdEfGhIjKlMnOpQrStUvWxY_'"
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
# otherwise, at 2024-05-06T07:08:09Z.
certificate_sql()
{
	local setting issuer="'$ISSUER'" status="'REVOKED'" realm="'democa'"
	local reason_code="'unspecified'" revocation_time=1714979289
	local notafter=$PRESET_VALID_SEC
	for setting in "${@:3}"; do
		local "${setting%%=*}=${setting#*=}"
	done
	echo "INSERT INTO certificate (pki_realm, cert_key, issuer_identifier,
	    subject, status, notafter, revocation_time, reason_code, data)
	    VALUES ($realm, $2, $issuer, '$1', $status, $notafter,
	    $revocation_time, $reason_code, 'PEM')"
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
	1 ff 2024-05-06T07:08:09Z 4
	1 7fffffffffffffffffffffffffffffffffffffff 2024-05-06T07:08:09Z 5
	1 4b3b4ca85a86c47a098a224000000000 2024-05-06T07:08:09Z 3
	1 0100 2024-05-06T07:08:09Z 9
	END
}

@test "OpenXPKI: what is published is what OpenXPKI calls revoked" {
	preset_configure
	expected
	publish_ok
	preset_compare 1
}

@test "OpenXPKI: the documented command lines" {
	expected
	# What the CA revoked before it was renewed must not go unnoticed.
	local out='are left out: it may be this issuer, by an older certificate'
	told="warning: e1.cnf: init, BR 4.9.7: 2 revoked rows of \"other\" $out
warning: e1.cnf: init, BR 4.9.7: 1 revoked rows of \
\"0AbCdEfGhIjKlMnOpQrStUvWxY_\" $out
  hint: all that have its name and its key belong into [source] issuer_id"
	preset_documented OpenXPKI 1
}

@test "OpenXPKI: a CA that was renewed has several identifiers" {
	preset_configure "issuer_id=\"$ISSUER 0AbCdEfGhIjKlMnOpQrStUvWxY_\""
	expected
	echo "1,012f,$(sec 2024-05-06T07:08:09Z),0" >>rows.csv
	publish_ok
	preset_compare 1
}

@test "OpenXPKI: rows that no CRL can have are named" {
	local row='e1/shard 0/row 500'
	preset_configure
	bad "$(certificate_sql bad 500 revocation_time=NULL)" "$row" \
	    'revoked_at is NULL'
	bad "$(certificate_sql bad 500 revocation_time=0)" "$row" \
	    'revoked_at is NULL'
	bad "$(certificate_sql bad 500 revocation_time=1714979289123)" "$row" \
	    'revoked_at is after 9999: are these seconds?'
	bad "$(certificate_sql bad 500 \
	    revocation_time=99999999999999999999999999)" "$row" \
	    'revoked_at is NULL'
	bad "$(certificate_sql bad 500 revocation_time=NULL \
	    "status='CRL_ISSUANCE_PENDING'")" "$row" 'revoked_at is NULL'
	bad "$(certificate_sql bad 500 notafter=NULL)" "$row" \
	    'not_after is NULL'
	bad "$(certificate_sql bad 500 notafter=0)" "$row" 'not_after is NULL'
	bad "$(certificate_sql bad 500 reason_code=NULL)" "$row" \
	    'reason is NULL'
	bad "$(certificate_sql bad 500 "reason_code=''")" "$row" \
	    'reason is not 0 to 10'
	bad "$(certificate_sql bad 500 "reason_code='lost'")" "$row" \
	    'reason is not 0 to 10'
	# Waits to be released from hold.
	bad "$(certificate_sql bad 500 "status='CRL_ISSUANCE_PENDING'" \
	    "reason_code='removeFromCRL'")" "$row" 'reason is 8'
	bad "$(certificate_sql bad 500 "status='HOLD'" \
	    "reason_code='superseded'")" "$row" 'reason is not 0 to 10'
	bad "$(certificate_sql bad -1)" 'serial is negative'
	bad "$(certificate_sql bad \
	    730750818665451459101842416358141509827966271488)" \
	    'serial is 2^159 or above'
	bad "$(certificate_sql bad 500 "reason_code='CACompromise'")" \
	    'reason, ' 'have reason 2'
	bad "$(certificate_sql bad 500 "reason_code='aACompromise'")" \
	    'reason, ' 'have reason 10'
}

@test "OpenXPKI: on hold is a fault in tls, and listed in private" {
	preset_hold "$(certificate_sql bad 500 "status='HOLD'" \
	    "reason_code='certificateHold'")" 01f4 e1.crl
	rm -r crl state
	preset_hold "$(certificate_sql bad 500 "status='HOLD'" \
	    reason_code=NULL)" 01f4 e1.crl
	rm -r crl state
	preset_hold "$(certificate_sql bad 500 "status='CRL_ISSUANCE_PENDING'" \
	    "reason_code='certificateHold'")" 01f4 e1.crl
}

@test "OpenXPKI: a bad row withholds the CRL, and the old one stands" {
	preset_configure
	preset_withholds "$(certificate_sql bad 500 revocation_time=NULL)" \
	    e1.crl
}

@test "OpenXPKI: the least role" {
	preset_configure
	preset_least certificate
	run pg_psql -U crlpress -c 'SELECT data FROM certificate'
	has "$output" 'permission denied'
}

# Its own indexes do as well, nearly.
@test "OpenXPKI: the index" {
	pg_psql -c "INSERT INTO certificate (cert_key, issuer_identifier,
	    subject, status, notafter, data) SELECT i,
	    CASE i % 10 WHEN 0 THEN '$ISSUER' ELSE 'other' END, 'bad',
	    CASE i / 10 % 10 WHEN 0 THEN 'REVOKED' ELSE 'ISSUED' END,
	    $PRESET_VALID_SEC, repeat('x', 1500)
	    FROM generate_series(100000, 120000) AS i"
	preset_plan "$ISSUER" certificate crlpress_certificate_idx 1
	pg_psql -c "$PRESET_CLEAN"
}
