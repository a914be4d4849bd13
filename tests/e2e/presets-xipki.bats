# SPDX-License-Identifier: ISC
#
# The preset for XiPKI, with its tables and rows that show each of its traps.
# XiPKI lists on a complete CRL: the certificates of the CA with REV set that
# have not expired.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2089,SC2090,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/presets.bash

PRESET=xipki
PRESET_CLEAN='DELETE FROM CERT WHERE ID >= 1000'

setup_file()
{
	preset_setup
	pg_psql -c "INSERT INTO CA (ID, NAME, STATUS, SUBJECT, CERT,
	    SIGNER_TYPE, SIGNER_CONF, CONF) VALUES
	    (1, 'myca1', 'active', 'CN=1', 'x', 'x', 'x', 'x'),
	    (2, 'myca2', 'active', 'CN=2', 'x', 'x', 'x', 'x')"
	certificate 1 a
	certificate 2 123456789abcdef rr=1
	certificate 3 ff rr=4
	certificate 4 7fffffffffffffffffffffffffffffffffffffff rr=9
	# Of a CA, which stands in the same table.
	certificate 5 100 rr=5 ee=0
	# Not revoked, another CA's, expired.
	certificate 6 1a1 rev=0 rr=NULL rt=NULL
	certificate 7 1a2 ca_id=2
	certificate 8 a ca_id=2 rr=1
	certificate 9 1a3 "nafter=$PRESET_EXPIRED_SEC"
}

setup()
{
	preset_begin
}

teardown_file()
{
	pg_stop
}

# certificate_sql ID SN [COLUMN=VALUE...]: a row, revoked unless told
# otherwise, at 2024-05-06T07:08:09Z.
certificate_sql()
{
	local setting ca_id=1 rev=1 rr=0 rt=1714979289 ee=1
	local nafter=$PRESET_VALID_SEC lupdate=1714979290
	for setting in "${@:3}"; do
		local "${setting%%=*}=${setting#*=}"
	done
	echo "INSERT INTO CERT (ID, CA_ID, SN, PID, FP_S, LUPDATE, NBEFORE,
	    NAFTER, REV, RR, RT, EE, SUBJECT, CRL_SCOPE, SHA1, CERT,
	    PRIVATE_KEY) VALUES ($1, $ca_id, '$2', 1, 0, $lupdate, 1700000000,
	    $nafter, $rev, $rr, $rt, $ee, 'CN=x', 0, 'x', 'x', 'secret')"
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
	1 7fffffffffffffffffffffffffffffffffffffff 2024-05-06T07:08:09Z 9
	1 0100 2024-05-06T07:08:09Z 5
	END
}

@test "XiPKI: what is published is what XiPKI calls revoked" {
	preset_configure
	expected
	publish_ok
	preset_compare 1
}

@test "XiPKI: the name of the CA is the same one in capitals" {
	preset_configure issuer_id=MyCA1
	expected
	publish_ok
	preset_compare 1
}

@test "XiPKI: the documented command lines" {
	expected
	preset_documented XiPKI 1
}

@test "XiPKI: rows that no CRL can have are named" {
	preset_configure
	bad "$(certificate_sql 1000 1f4 rt=NULL)" \
	    'e1/shard 0/row 1f4' 'revoked_at is NULL'
	bad "$(certificate_sql 1000 1f4 rt=0)" \
	    'e1/shard 0/row 1f4' 'revoked_at is NULL'
	bad "$(certificate_sql 1000 1f4 rt=1714979289123)" \
	    'e1/shard 0/row 1f4' 'revoked_at is after 9999: are these seconds?'
	bad "$(certificate_sql 1000 1f4 nafter=0)" \
	    'e1/shard 0/row 1f4' 'not_after is NULL'
	bad "$(certificate_sql 1000 1f4 rr=NULL)" \
	    'e1/shard 0/row 1f4' 'reason is NULL'
	bad "$(certificate_sql 1000 1f4 rr=7)" 'row 1f4' 'reason is 7'
	bad "$(certificate_sql 1000 1f4 rr=8)" 'row 1f4' 'reason is 8'
	bad "$(certificate_sql 1000 1f4 rr=-1)" 'row 1f4' 'not 0 to 10'
	bad "$(certificate_sql 1000 1g4)" 'serial is not hex'
	bad "$(certificate_sql 1000 \
	    8000000000000000000000000000000000000000)" \
	    'serial is 2^159 or above'
	bad "$(certificate_sql 1000 A rr=1)" 'duplicate' 'serial 0a'
	# Whatever is neither 0 nor 1 is no "not revoked".
	good "$(certificate_sql 1000 1f4 rev=2)"
	has "$output" ' 6 rows = 6 listed'
}

@test "XiPKI: suspended is a fault in tls, and listed in private" {
	preset_hold "$(certificate_sql 1000 1f4 rr=6)" 01f4 e1.crl
}

@test "XiPKI: a bad row withholds the CRL, and the old one stands" {
	preset_configure
	preset_withholds "$(certificate_sql 1000 1f4 rt=NULL)" e1.crl
}

@test "XiPKI: a CA that is not there has no rows" {
	preset_configure issuer_id=myca3
	run -3 --separate-stderr crlpress publish -c "$conf"
	has "$stderr" 'e1: db-scope'
}

@test "XiPKI: CERT alone, by CA_ID" {
	preset_configure issuer_id=1
	sed -i "/^JOIN CA /d
	    s/lower(CA.NAME) = lower(:'issuer')/c.CA_ID = :'issuer'/" xipki.sql
	expected
	publish_ok
	preset_compare 1
}

@test "XiPKI: end entities and CAs, each for itself" {
	preset_configure
	echo 'AND c.EE <> 0' >>xipki.sql
	sed -i 's/bigint);$/bigint)/' xipki.sql
	expected
	sed -i '/,0100,/d' rows.csv
	pg_psql -c 'GRANT SELECT (EE) ON CERT TO crlpress_reader'
	publish_ok
	preset_compare 1
	sed -i 's/AND c.EE <> 0/AND c.EE = 0/' xipki.sql
	rm -r crl/* state
	run --separate-stderr crlpress publish --dry-run -c "$conf"
	pg_psql -c 'REVOKE SELECT (EE) ON CERT FROM crlpress_reader'
	has "$output" ' 1 rows = 1 listed'
}

@test "XiPKI: the least role" {
	preset_configure
	preset_least CERT CA
	run pg_psql -U crlpress -c 'SELECT PRIVATE_KEY FROM CERT'
	has "$output" 'permission denied'
}

@test "XiPKI: the index" {
	pg_psql -c "INSERT INTO CERT (ID, CA_ID, SN, PID, FP_S, LUPDATE,
	    NBEFORE, NAFTER, REV, EE, SUBJECT, CRL_SCOPE, SHA1, CERT)
	    SELECT i, CASE i % 7 WHEN 0 THEN 1 ELSE 2 END, to_hex(i), 1, i,
	    0, 0, $PRESET_VALID_SEC, (i % 10 = 0)::integer, 1, 'x', 0,
	    'x', 'x' FROM generate_series(100000, 120000) AS i"
	preset_plan myca1 cert crlpress_cert_idx
	pg_psql -c "$PRESET_CLEAN"
}
