# SPDX-License-Identifier: ISC
#
# The preset for Boulder's schema, ported to PostgreSQL, with its table and rows
# that show each of its traps. Boulder lists in a shard: the rows of the
# issuerID and the shardIdx whose notAfterHour has not passed.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2089,SC2090,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/presets.bash

PRESET=boulder
PRESET_CLEAN='DELETE FROM "revokedCertificates" WHERE id >= 1000'

setup_file()
{
	preset_setup
	# As Python counts it.
	ID=$(/usr/bin/python3 - "$BATS_FILE_TMPDIR/ca/issuer.pem" <<-'END'
	import hashlib, sys
	from cryptography import x509
	cert = x509.load_pem_x509_certificate(open(sys.argv[1], "rb").read())
	print(int.from_bytes(hashlib.sha1(
	    cert.subject.public_bytes()).digest()[:7], "big"))
	END
	)
	export ID PRESET_ID=$ID
	certificate 1 030000000000000000000000000000000001 1
	certificate 2 04ffffffffffffffffffffffffffffffffff 128 revokedReason=1 \
	    "revokedDate='2024-05-06 07:08:09.999999'"
	# A row twice.
	certificate 3 0300000000000000000000000000000000ab 7 revokedReason=5
	certificate 4 0300000000000000000000000000000000ab 7 revokedReason=5
	certificate 5 03000000000000000000000000000000000A 7 revokedReason=4
	# Another issuer's, and expired.
	certificate 6 030000000000000000000000000000000002 1 issuerID=1234
	certificate 7 030000000000000000000000000000000001 2 issuerID=1234
	certificate 8 030000000000000000000000000000000003 1 \
	    "notAfterHour='2020-01-01 00:00:00'"
}

setup()
{
	preset_begin
}

teardown_file()
{
	pg_stop
}

# certificate_sql ID SERIAL SHARD [COLUMN=VALUE...]: a row.
certificate_sql()
{
	local setting issuerID=$ID revokedReason=0
	local revokedDate="'2024-05-06 07:08:09'"
	local notAfterHour="'2090-01-01 00:00:00'"
	for setting in "${@:4}"; do
		local "${setting%%=*}=${setting#*=}"
	done
	echo "INSERT INTO \"revokedCertificates\" VALUES ($1, $issuerID, '$2',
	    $notAfterHour, $3, $revokedDate, $revokedReason)"
}

certificate()
{
	pg_psql -c "$(certificate_sql "$@")"
}

expected()
{
	preset_expect <<-'END'
	1 030000000000000000000000000000000001 2024-05-06T07:08:09Z 0
	128 04ffffffffffffffffffffffffffffffffff 2024-05-06T07:08:09Z 1
	7 0300000000000000000000000000000000ab 2024-05-06T07:08:09Z 5
	7 03000000000000000000000000000000000a 2024-05-06T07:08:09Z 4
	END
}

@test "Boulder: what is published is what Boulder calls revoked" {
	preset_configure
	expected
	publish_ok
	preset_compare 128
	[ ! -e crl/e1/0.crl ]
}

@test "Boulder: the documented command lines" {
	expected
	preset_documented Boulder 128
	grep -qx "issuer_id = $ID" e1.cnf
}

@test "Boulder: rows that no CRL can have are named" {
	local serial=0300000000000000000000000000000000ff
	preset_configure
	bad "$(certificate_sql 1000 $serial 3 revokedReason=7)" \
	    "e1/shard 3/row $serial" 'reason is 7'
	bad "$(certificate_sql 1000 $serial 3 revokedReason=-1)" \
	    "e1/shard 3/row $serial" 'reason is not 0 to 10'
	bad "$(certificate_sql 1000 $serial 3 "revokedDate='infinity'")" \
	    "e1/shard 3/row $serial" 'revoked_at is infinity'
	bad "$(certificate_sql 1000 $serial 3 "revokedDate='0001-01-01'")" \
	    "e1/shard 3/row $serial" 'revoked_at is before 1950'
	bad "$(certificate_sql 1000 $serial 3 "notAfterHour='0001-01-01'")" \
	    "e1/shard 3/row $serial" 'not_after is before 1950'
	bad "$(certificate_sql 1000 03xx 3)" 'e1/shard 3/row 03xx' \
	    'serial is not hex'
	# In the database of MariaDB 0 was none.
	bad "$(certificate_sql 1000 $serial 0)" 'e1: unplaced-rows'
	bad "$(certificate_sql 1000 $serial 129)" 'e1: unplaced-rows'
	bad "$(certificate_sql 1000 0300000000000000000000000000000000ab 7)" \
	    'e1/shard 7: duplicate'
	bad "$(certificate_sql 1000 0300000000000000000000000000000000ab 8 \
	    revokedReason=5)" 'set-disjoint'
}

@test "Boulder: on hold is a fault in tls, and listed in private" {
	preset_hold "$(certificate_sql 1000 \
	    0300000000000000000000000000000000ff 3 revokedReason=6)" \
	    0300000000000000000000000000000000ff e1/3.crl
}

@test "Boulder: a bad row withholds its shard, and the old one stands" {
	preset_configure
	preset_withholds "$(certificate_sql 1000 \
	    0300000000000000000000000000000000ff 3 revokedReason=7)" e1/3.crl
}

@test "Boulder: times without a zone are UTC, wherever the server stands" {
	local hour expiry
	preset_configure
	# In Kathmandu, where this server is, it was over hours ago.
	hour=$(date -u -d '1 hour' '+%F %H:00:00')
	pg_psql -c "$(certificate_sql 1000 \
	    0300000000000000000000000000000000ff 3 "notAfterHour='$hour'")"
	publish_ok
	pg_psql -c "$PRESET_CLEAN"
	[[ $(crl_field crl/e1/3.crl serials) == *FF ]]
}

@test "Boulder: a port with time zones is told by its types" {
	preset_configure
	pg_psql -c 'ALTER TABLE "revokedCertificates" ALTER "revokedDate"
	    TYPE timestamptz, ALTER "notAfterHour" TYPE timestamptz'
	run -2 --separate-stderr crlpress publish -c "$conf"
	has "$stderr" 'type of revoked_at, have timestamp without time zone'
	sed -i "s/ AT TIME ZONE 'UTC'//" boulder.sql
	run --separate-stderr crlpress publish --dry-run -c "$conf"
	pg_psql -c "SET timezone = 'Asia/Kathmandu';
	    ALTER TABLE \"revokedCertificates\" ALTER \"revokedDate\"
	    TYPE timestamp, ALTER \"notAfterHour\" TYPE timestamp"
	ended 0
}

@test "Boulder: the least role" {
	preset_configure
	preset_least '"revokedCertificates"'
}

@test "Boulder: the index, which is its own" {
	pg_psql -c "INSERT INTO \"revokedCertificates\"
	    SELECT i, 1234, lpad(i::text, 36, '0'), '2090-01-01', 1,
	    '2024-05-06', 0 FROM generate_series(100000, 120000) AS i"
	preset_plan "$ID" '"revokedCertificates"' \
	    '"issuerID_shardIdx_notAfterHour_idx"'
	pg_psql -c "$PRESET_CLEAN"
}
