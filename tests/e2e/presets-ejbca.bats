# SPDX-License-Identifier: ISC
#
# The preset for EJBCA, with its tables and rows that show each of its traps.
# EJBCA lists on a complete CRL: the certificates of an issuerDN whose status is
# 40, of the partition, that have not expired; of NoConflictCertificateData the
# row with the newest updateTime. It archives (60) what has expired and stood on
# its CRL.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2089,SC2090,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/presets.bash

PRESET=ejbca
DN='CN=Example Issuer E1,O=Example Trust,C=XX'
PRESET_CLEAN="DELETE FROM CertificateData WHERE fingerprint ~ '^bad';
    DELETE FROM NoConflictCertificateData WHERE id ~ '^bad'"

setup_file()
{
	preset_setup
	certificate keep 10 1
	certificate keep 81985529216486895 2 revocationReason=1 \
	    revocationDate=1714979289999 updateTime=1714979290001
	certificate keep 255 3 revocationReason=4 revocationDate=1714979289000
	# 2^159 - 1, the last there can be.
	certificate keep 730750818665451459101842416358141509827966271487 3 \
	    revocationReason=9
	# Expired, and archived though it has not.
	certificate keep 256 1 "expireDate=${PRESET_EXPIRED_SEC}000"
	certificate keep 257 1 status=60 revocationReason=5
	# Not revoked: active, told of expiry, archived, another CA's.
	certificate keep 300 1 status=20 revocationReason=-1 revocationDate=-1
	certificate keep 301 1 status=21 revocationReason=-1 revocationDate=-1
	certificate keep 302 1 status=60 revocationReason=-1 revocationDate=-1
	certificate keep 303 1 "issuerDN='CN=Other'"
	certificate keep 10 2 "issuerDN='CN=Other'"
	# Released from hold: only delta CRLs say so.
	certificate keep 304 1 status=20 revocationReason=8
	# Append-only: the newest is revoked, or not, or another reason.
	conflict keep 400 1 status=20 revocationReason=-1 updateTime=1000
	conflict keep 400 1 revocationReason=3 updateTime=2000
	conflict keep 401 1 revocationReason=6 updateTime=1000
	conflict keep 401 1 status=20 revocationReason=8 updateTime=2000
	conflict keep 402 2 revocationReason=5 updateTime=1000
	conflict keep 402 2 revocationReason=1 updateTime=2000
	conflict keep 402 2 "issuerDN='CN=Other'" revocationReason=4 \
	    updateTime=3000
}

setup()
{
	preset_begin
}

teardown_file()
{
	pg_stop
}

# insert TABLE COLUMN VALUE... KIND SERIAL PARTITION [COLUMN=VALUE...]
columns()
{
	local setting issuerDN="'$DN'" status=40 revocationReason=0
	local revocationDate=1714979289123 updateTime=1714979289123
	local expireDate=${PRESET_VALID_SEC}000
	for setting in "${@:3}"; do
		local "${setting%%=*}=${setting#*=}"
	done
	echo "certificateProfileId, rowVersion, subjectDN, type, issuerDN,
	    serialNumber, crlPartitionIndex, status, revocationReason,
	    revocationDate, updateTime, expireDate) VALUES
	    ('$kind-' || gen_random_uuid(), 'f', 1, 0, 'CN=x', 1, $issuerDN,
	    '$1', $2, $status, $revocationReason, $revocationDate, $updateTime,
	    $expireDate)"
}

# certificate_sql KIND SERIAL PARTITION [COLUMN=VALUE...]: a row, revoked
# unless told otherwise, with its date 2024-05-06T07:08:09.123Z.
certificate_sql()
{
	local kind=$1
	echo "INSERT INTO CertificateData (fingerprint, base64Cert,
	    $(columns "${@:2}")"
}

conflict_sql()
{
	local kind=$1
	echo "INSERT INTO NoConflictCertificateData (id, fingerprint,
	    $(columns "${@:2}")"
}

certificate()
{
	pg_psql -c "$(certificate_sql "$@")"
}

conflict()
{
	pg_psql -c "$(conflict_sql "$@")"
}

expected()
{
	preset_expect <<-'END'
	1 0a 2024-05-06T07:08:09Z 0
	2 0123456789abcdef 2024-05-06T07:08:09Z 1
	3 ff 2024-05-06T07:08:09Z 4
	3 7fffffffffffffffffffffffffffffffffffffff 2024-05-06T07:08:09Z 9
	1 0101 2024-05-06T07:08:09Z 5
	1 0190 2024-05-06T07:08:09Z 3
	2 0192 2024-05-06T07:08:09Z 1
	END
}

@test "EJBCA: what is published is what EJBCA calls revoked" {
	preset_configure
	expected
	publish_ok
	preset_compare 3
	manifest_holds
}

@test "EJBCA: the documented command lines" {
	expected
	preset_documented EJBCA 3
}

@test "EJBCA: rows that no CRL can have are named" {
	preset_configure
	bad "$(certificate_sql bad 500 2 revocationDate=-1)" \
	    'e1/shard 2/row 500' 'revoked_at is NULL'
	bad "$(certificate_sql bad 500 2 revocationDate=0)" \
	    'e1/shard 2/row 500' 'revoked_at is NULL'
	bad "$(certificate_sql bad 500 2 revocationDate=9223372036854775807)" \
	    'e1/shard 2/row 500' 'revoked_at is after 9999'
	bad "$(certificate_sql bad 500 2 revocationReason=-1)" \
	    'e1/shard 2/row 500' 'reason is not 0 to 10'
	bad "$(certificate_sql bad 500 2 revocationReason=7)" \
	    'e1/shard 2/row 500' 'reason is 7'
	bad "$(certificate_sql bad 500 2 revocationReason=8)" \
	    'e1/shard 2/row 500' 'reason is 8 (removeFromCRL)'
	bad "$(certificate_sql bad 500 2 revocationReason=42)" \
	    'e1/shard 2/row 500' 'reason is not 0 to 10'
	bad "$(certificate_sql bad 500 2 expireDate=-1)" \
	    'e1/shard 2/row 500' 'not_after is NULL'
	bad "$(certificate_sql bad 500 2 expireDate=0 status=60)" \
	    'e1/shard 2/row 500' 'not_after is NULL'
	bad "$(certificate_sql bad 1f4 2)" \
	    'e1/shard 2/row 1f4' 'serial is not decimal'
	bad "$(certificate_sql bad -500 2)" \
	    'e1/shard 2/row -500' 'serial is negative'
	bad "$(certificate_sql bad \
	    730750818665451459101842416358141509827966271488 2)" \
	    'serial is 2^159 or above'
	bad "$(conflict_sql bad 500 2 revocationDate=-1)" \
	    'e1/shard 2/row 500' 'revoked_at is NULL'
}

@test "EJBCA: on hold is a fault in tls, and listed in private" {
	preset_hold "$(certificate_sql bad 500 2 revocationReason=6)" 01f4 \
	    e1/2.crl
}

@test "EJBCA: two newest rows that disagree, and both tables that do" {
	preset_configure
	bad "$(conflict_sql bad 500 2 revocationReason=1);
	    $(conflict_sql bad 500 2 revocationReason=4)" \
	    'e1/shard 2: duplicate' 'serial 01f4'
	bad "$(conflict_sql bad 10 1 revocationReason=1)" \
	    'e1/shard 1: duplicate' 'serial 0a'
	good "$(conflict_sql bad 500 2); $(conflict_sql bad 500 2)"
}

@test "EJBCA: a bad row withholds its shard, and the old one stands" {
	preset_configure
	preset_withholds "$(certificate_sql bad 500 2 revocationDate=-1)" \
	    e1/2.crl
}

@test "EJBCA: a row that was archived stays for one more CRL" {
	local now expiry
	now=$(date +%s)
	expiry=$((now - 300))
	preset_configure
	pg_psql -c "$(certificate_sql bad 500 2 revocationReason=4 \
	    expireDate=${expiry}999 "revocationDate=$((now - 3600))999" \
	    "updateTime=$((now - 3600))999")"
	publish_ok --now "$(iso $((now - 600)))"
	[[ $(crl_field crl/e1/2.crl serials) == *01F4* ]]
	# EJBCA publishes it a last time and archives it.
	pg_psql -c "UPDATE CertificateData SET status = 60,
	    updateTime = $((now - 250))000 WHERE fingerprint ~ '^bad'"
	publish_ok --now "$(iso $((now - 200)))"
	[[ $(crl_field crl/e1/2.crl serials) == *01F4* ]]
	publish_ok --now "$(iso $((now - 100)))"
	[[ $(crl_field crl/e1/2.crl serials) != *01F4* ]]
	# Whatever is written into the archive does not bring it back.
	pg_psql -c "UPDATE CertificateData SET updateTime = $((now - 90))000
	    WHERE fingerprint ~ '^bad'"
	publish_ok --now "$(iso $((now - 50)))"
	[[ $(crl_field crl/e1/2.crl serials) != *01F4* ]]
	pg_psql -c "$PRESET_CLEAN"
}

@test "EJBCA: one CRL, and what has a partition is refused there" {
	preset_configure count=1 first=0 url=http://crl.example.com/e1.crl
	run -3 --separate-stderr crlpress publish -c "$conf"
	has "$stderr" 'e1: unplaced-rows'
	pg_psql -c 'CREATE TABLE before AS TABLE CertificateData;
	    CREATE TABLE before2 AS TABLE NoConflictCertificateData;
	    UPDATE NoConflictCertificateData SET crlPartitionIndex = NULL;
	    UPDATE CertificateData SET crlPartitionIndex =
	        CASE crlPartitionIndex WHEN 1 THEN 0 WHEN 2 THEN -1 END'
	expected
	sed -i 's/^[123],/1,/' rows.csv
	publish_ok
	pg_psql -c 'TRUNCATE CertificateData, NoConflictCertificateData;
	    INSERT INTO CertificateData TABLE before;
	    INSERT INTO NoConflictCertificateData TABLE before2;
	    DROP TABLE before, before2'
	preset_compare 1
}

@test "EJBCA: partitions beside a main CRL are two configurations" {
	local row
	preset_configure
	for row in 1:NULL 2:0 3:-1; do
		certificate bad 60"${row%%:*}" "${row#*:}"
	done
	sed -i 's/-- \(AND crlPartitionIndex > 0\)/\1/' ejbca.sql
	expected
	publish_ok
	preset_compare 3
	sed 's/-- \(AND coalesce(crlPartitionIndex, 0) <= 0\)/\1/' \
	    "$presets/ejbca.sql" >main.sql
	sed -i 's/^name = .*/name = main/
	    s/^query_file = .*/query_file = main.sql/
	    s/^count = .*/count = 1/; s/^first = .*/first = 0/
	    s|^url = http.*|url = http://crl.example.com/e1.crl|' "$conf"
	publish_ok
	pg_psql -c "$PRESET_CLEAN"
	same "$(crl_field crl/e1.crl serials)" \
	    "$(printf '%s\n' 0259 025A 025B)" 'the main CRL'
}

@test "EJBCA: without NoConflictCertificateData, where it does not exist" {
	preset_configure
	sed -i '/-- \[ NoConflict/,/-- \] NoConflict/d' ejbca.sql
	pg_psql -c 'ALTER TABLE NoConflictCertificateData RENAME TO away'
	run --separate-stderr crlpress publish -c "$conf"
	pg_psql -c 'ALTER TABLE away RENAME TO NoConflictCertificateData'
	ended 0
	expected
	sed -i '/,0190,/d; /,0192,/d' rows.csv
	preset_compare 3
}

@test "EJBCA: the least role" {
	preset_configure
	preset_least CertificateData NoConflictCertificateData
}

@test "EJBCA: the index" {
	pg_psql -c "INSERT INTO CertificateData (fingerprint,
	    certificateProfileId, rowVersion, subjectDN, type, issuerDN,
	    serialNumber, status, revocationReason, revocationDate, updateTime,
	    expireDate) SELECT 'bad' || i, 0, 0, 'CN=' || i, 1,
	    CASE i % 7 WHEN 0 THEN '$DN' ELSE 'CN=Other' END, i,
	    CASE i % 10 WHEN 0 THEN 40 ELSE 20 END, -1, -1, 0,
	    ${PRESET_VALID_SEC}000
	    FROM generate_series(100000, 120000) AS i"
	preset_plan "$DN" certificatedata crlpress_certificatedata_idx
	pg_psql -c "$PRESET_CLEAN"
}
