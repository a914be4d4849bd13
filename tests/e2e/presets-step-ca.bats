# SPDX-License-Identifier: ISC
#
# The preset for step-ca, with its tables and rows that show each of its traps.
# step-ca calls revoked what stands in revoked_x509_certs, and lists what has
# not expired.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2089,SC2090,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/presets.bash

PRESET=step-ca
PRESET_CLEAN="DELETE FROM revoked_x509_certs
    WHERE nvalue IS NULL OR position('bad'::bytea IN nvalue) > 0"

setup_file()
{
	preset_setup
	certificate keep 10
	# Go writes up to nine digits, which PostgreSQL would round up.
	certificate keep 81985529216486895 code=1 \
	    revoked=2024-05-06T07:08:09.999999999Z
	certificate keep 255 code=5 revoked=2024-05-06T12:53:09.5+05:45
	certificate keep 730750818665451459101842416358141509827966271487 \
	    code=4 revoked=2024-05-06T07:08:09.1Z
	# Expired.
	certificate keep 302 expires=2019-12-31T23:59:59Z
	# Issued, and not revoked.
	pg_psql -c "INSERT INTO x509_certs VALUES ('303', 'DER')"
}

setup()
{
	preset_begin
}

teardown_file()
{
	pg_stop
}

# certificate_sql KIND SERIAL [NAME=VALUE...]: a row as step-ca writes it; a
# name with nothing behind its = is left out, as is all of `value`.
certificate_sql()
{
	local setting serial=$2 code=0 revoked=2024-05-06T07:08:09.123456789Z
	local expires=2090-01-01T00:00:00Z value
	for setting in "${@:3}"; do
		local "${setting%%=*}=${setting#*=}"
	done
	value="{\"Serial\":\"$serial\",\"ProvisionerID\":\"$1\""
	[ -z "$code" ] || value+=",\"ReasonCode\":$code"
	value+=",\"Reason\":\"it's \\\"lost\\\"\""
	[ -z "$revoked" ] || value+=",\"RevokedAt\":\"$revoked\""
	[ -z "$expires" ] || value+=",\"ExpiresAt\":\"$expires\""
	value+=',"TokenID":"x","MTLS":false,"ACME":false}'
	echo "INSERT INTO revoked_x509_certs VALUES (convert_to('$2', 'UTF8'),
	    convert_to(\$value\$$value\$value\$, 'UTF8'))"
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
	END
}

@test "step-ca: what is published is what step-ca calls revoked" {
	preset_configure
	expected
	publish_ok
	preset_compare 1
}

@test "step-ca: the documented command lines" {
	expected
	preset_documented step-ca 1
}

@test "step-ca: rows that no CRL can have are named" {
	local row='e1/shard 0/row 500'
	preset_configure
	bad "$(certificate_sql bad 500 expires=)" "$row" 'not_after is NULL'
	bad "$(certificate_sql bad 500 expires=0001-01-01T00:00:00Z)" "$row" \
	    'not_after is NULL'
	bad "$(certificate_sql bad 500 expires=never)" "$row" \
	    'not_after is NULL'
	bad "$(certificate_sql bad 500 revoked=)" "$row" 'revoked_at is NULL'
	bad "$(certificate_sql bad 500 revoked=0001-01-01T00:00:00Z)" "$row" \
	    'revoked_at is before 1950'
	bad "$(certificate_sql bad 500 revoked=2024-05-06)" "$row" \
	    'revoked_at is NULL'
	bad "$(certificate_sql bad 500 revoked=2024-05-06T07:08:09)" "$row" \
	    'revoked_at is NULL'
	bad "$(certificate_sql bad 500 code=)" "$row" 'reason is not 0 to 10'
	bad "$(certificate_sql bad 500 code=null)" "$row" 'not 0 to 10'
	bad "$(certificate_sql bad 500 code=-1)" "$row" 'not 0 to 10'
	bad "$(certificate_sql bad 500 code=99999999999)" "$row" 'not 0 to 10'
	bad "$(certificate_sql bad 500 'code="keyCompromise"')" "$row" \
	    'not 0 to 10'
	bad "$(certificate_sql bad 500 code=7)" "$row" 'reason is 7'
	bad "$(certificate_sql bad 500 serial=501)" \
	    'row 500 but Serial is 501' 'serial has a blank in it'
	bad "$(certificate_sql bad 0x1f4)" 'row 0x1f4' \
	    'serial has a 0x before it'
	bad "$(certificate_sql bad \
	    730750818665451459101842416358141509827966271488)" \
	    'serial is 2^159 or above'
	bad "INSERT INTO revoked_x509_certs VALUES ('500', NULL)" \
	    'row 500 but Serial is' 'serial has a blank in it'
}

@test "step-ca: a value that is no JSON ends the run" {
	preset_configure
	pg_psql -c "INSERT INTO revoked_x509_certs VALUES ('500', '{bad')"
	run -1 --separate-stderr crlpress publish -c "$conf"
	pg_psql -c "$PRESET_CLEAN"
	has "$stderr" 'invalid input syntax for type json'
}

@test "step-ca: without an expiry, for good, where that is meant" {
	preset_configure
	sed -i "s/^    not_after,/    \
	    coalesce(not_after, '9999-12-31 23:59:59Z'),/" step-ca.sql
	good "$(certificate_sql bad 500 expires=0001-01-01T00:00:00Z)"
	has "$output" '5 rows = 5 listed'
}

@test "step-ca: on hold is a fault in tls, and listed in private" {
	preset_hold "$(certificate_sql bad 500 code=6)" 01f4 e1.crl
}

@test "step-ca: a bad row withholds the CRL, and the old one stands" {
	preset_configure
	preset_withholds "$(certificate_sql bad 500 expires=)" e1.crl
}

@test "step-ca: the least role" {
	preset_configure
	preset_least revoked_x509_certs
	run pg_psql -U crlpress -c 'SELECT nkey FROM x509_certs'
	has "$output" 'permission denied'
}
