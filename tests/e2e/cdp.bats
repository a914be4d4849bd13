# SPDX-License-Identifier: ISC
#
# The scheme cdp: rows bring their certificates, made by Python cryptography,
# and what those say of their CRL is the shard, byte for byte.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

CERTIFICATES=$PUBLISH_TREE/tests/lib/cdp-certificates
SELECT="SELECT serial, revoked_at, 1 AS reason, not_after, pem AS certificate
FROM certificate"

setup_file()
{
	publish_setup
	pg_psql -c "CREATE TABLE certificate (serial bytea, shard int,
	    not_after timestamptz, pem text,
	    revoked_at timestamptz DEFAULT now() - interval '1 hour')"
	"$CERTIFICATES" "$BATS_FILE_TMPDIR/ca" \
	    'http://crl.example.com/c1/{shard}.crl' 3 4 200 | add
}

# Rows of tests/lib/cdp-certificates.
add()
{
	pg_psql -c 'COPY certificate (serial, shard, not_after, pem) FROM STDIN'
}

setup()
{
	publish_env
	publish_new c1
	query "$SELECT"
}

teardown()
{
	pg_psql -c 'DELETE FROM certificate WHERE shard < 0'
}

teardown_file()
{
	pg_stop
}

# query SQL [SETTING...]
query()
{
	printf '%s\n' "$1" >query.sql
	publish_configure "source.query_file=$PWD/query.sql" \
	    shards.scheme=cdp shards.first=3 shards.count=4 "${@:2}"
}

# refused TEXT: one row is a fault, and no shard is published, for none can be
# told to be whole.
refused()
{
	publish
	ended 3 || return 1
	has "$stderr" "$1" || return 1
	has "$stderr" unplaced-rows || return 1
	[ -z "$(find "$store" -name '*.crl')" ]
}

listed()
{
	publish_ok
	export_query "SELECT shard, serial, extract(epoch FROM
	    date_trunc('second', revoked_at)), 1 FROM certificate"
	compare 4
}

# export_csv ZONE: rows.csv, as crlpress(1) has it.
export_csv()
{
	PGTZ=$1 "$PG_BIN/psql" -X --csv -f query.sql >rows.csv
}

# proved STATUS [TEXT...]: what verify says of rows.csv, a finding a text.
proved()
{
	local text
	run --separate-stderr "$CRLPRESS" verify -c "$conf" --rows rows.csv \
	    "$store"
	ended "$1" || return 1
	same "$(grep -c . <<<"$stderr")" $(($# - 1)) findings || return 1
	for text in "${@:2}"; do
		has "$stderr" "$text" || return 1
	done
}

@test "PEM in text: each row is in the shard that its certificate names" {
	listed
}

@test "DER in bytea" {
	pg_psql -c "ALTER TABLE certificate ADD COLUMN der bytea;
	    UPDATE certificate SET der = decode(regexp_replace(pem,
	    '-----[A-Z ]+-----|\s', '', 'g'), 'base64')"
	query "${SELECT/pem AS/der AS}"
	listed
	export_csv UTC
	proved 0
	same "$(wc -l <rows.csv)" 201 'a row a line'
	sed -i '2s/,.x30/,\\x31/' rows.csv
	proved 5 "line 2: row $(sed -n '2s/..\([^,]*\).*/\1/p' rows.csv): \
certificate is not DER" 'is listed but no row revokes it'
}

@test "verify --rows: certificates as psql prints them" {
	local length serial
	publish_ok
	export_csv Asia/Kathmandu
	proved 0
	length=$(wc -l <rows.csv)
	[ "$length" -gt 2000 ]
	cp rows.csv whole.csv
	# Without the first, which takes a line more for each of its PEM.
	serial=$(sed -n '2s/..\([^,]*\).*/\1/p' whole.csv)
	sed '2,/^"$/d' whole.csv >rows.csv
	proved 5 "serial $serial is listed but no row revokes it"
	# In its place another one, which is of another shard.
	"$CERTIFICATES" "$ca" --one "$serial" \
	    http://crl.example.com/c1/4.crl | add
	export_csv UTC
	sed -i '2,/^"$/d' rows.csv
	proved 5 "/3.crl: set-cover, BR 4.9.7: serial $serial is listed but " \
	    "/4.crl: set-cover, BR 4.9.7: serial $serial is revoked by a row"
	teardown
	# One that is not listed.
	"$CERTIFICATES" "$ca" --one 0a http://crl.example.com/c1/3.crl | add
	export_csv UTC
	proved 5 'serial 0a is revoked by a row but not listed'
	pg_psql -c "UPDATE certificate SET serial = '\x0b' WHERE shard < 0"
	export_csv UTC
	proved 5 "line $((length + 1)): row 0b: certificate has another serial"
	pg_psql -c "UPDATE certificate SET pem = NULL WHERE shard < 0"
	export_csv UTC
	proved 5 "line $((length + 1)): row 0b: certificate is NULL"
	# Of another issuer, whoever signed it.
	teardown
	"$PUBLISH_TREE/tools/make-ca" --subject /CN=Other other
	"$CERTIFICATES" other --one 0a http://crl.example.com/c1/3.crl | add
	export_csv UTC
	proved 5 'row 0a: certificate is of another issuer'
	# A quote that is lost takes the rest with it.
	sed '3,$s/"//' whole.csv >rows.csv
	run --separate-stderr "$CRLPRESS" verify -c "$conf" --rows rows.csv \
	    "$store"
	ended 5
	has "$stderr" 'rows.csv: set-cover'
	head -n 5 whole.csv >rows.csv
	proved 5 'line 2: a quote that nothing closes'
}

@test "a certificate without a CRL, with two, with another host's" {
	local base=http://crl.example.com/c1
	"$CERTIFICATES" "$ca" --one 0a | add
	refused 'certificate names no CRL'
	teardown
	"$CERTIFICATES" "$ca" --one 0a "$base/3.crl" "$base/4.crl" | add
	refused 'certificate names several CRLs'
	teardown
	"$CERTIFICATES" "$ca" --one 0a "$base/3.crl $base/4.crl" | add
	refused 'certificate names several CRLs'
	teardown
	"$CERTIFICATES" "$ca" --one 0a ldap://x/y | add
	refused 'certificate names a CRL of no shard'
	local url
	for url in http://crl.example.net/c1/3.crl "$base/2.crl" "$base/7.crl" \
	    "$base/03.crl" "$base/3.crl?" "https${base#http}/3.crl" \
	    HTTP://crl.example.com/c1/3.crl; do
		teardown
		"$CERTIFICATES" "$ca" --one 0a "$url" | add
		refused 'certificate names a CRL of no shard'
	done
}

@test "a certificate that is not the row's" {
	"$CERTIFICATES" "$ca" --one 0a http://crl.example.com/c1/3.crl | add
	pg_psql -c "UPDATE certificate SET serial = '\x0b' WHERE shard < 0"
	refused 'another serial than the row'
	pg_psql -c "UPDATE certificate SET serial = '\x0a',
	    not_after = not_after + interval '1 second' WHERE shard < 0"
	refused 'expires at another time than the row'
	teardown
	"$PUBLISH_TREE/tools/make-ca" --subject /CN=Other other
	"$CERTIFICATES" other --one 0a http://crl.example.com/c1/3.crl | add
	refused 'of another issuer'
}

@test "what is no certificate" {
	"$CERTIFICATES" "$ca" --one 0a http://crl.example.com/c1/3.crl | add
	pg_psql -c "UPDATE certificate SET pem = NULL WHERE shard < 0"
	refused 'certificate is NULL'
	pg_psql -c "UPDATE certificate SET pem = 'none' WHERE shard < 0"
	refused 'certificate is not PEM'
	pg_psql -c "UPDATE certificate SET pem = '-----BEGIN CERTIFICATE-----
	    AAAA
	    -----END CERTIFICATE-----' WHERE shard < 0"
	refused 'certificate is not'
}

@test "the columns and the scheme go together" {
	query 'SELECT serial, revoked_at, 1 AS reason, not_after, shard
	    FROM certificate'
	publish
	ended 2
	has "$stderr" 'column 5, have shard, want certificate'
	query "$SELECT" shards.scheme=column
	publish
	ended 2
	has "$stderr" 'column 5, have certificate, want shard'
	query "${SELECT/pem AS/shard AS}"
	publish
	ended 2
	has "$stderr" 'want bytea with DER or text with PEM'
	publish_configure shards.scheme=cdp
	publish
	ended 2
	has "$stderr" 'cdp wants a query_file'
}

@test "check-config --online tells of them beforehand" {
	"$CERTIFICATES" "$ca" --one 0a | add
	run --separate-stderr "$CRLPRESS" check-config --config "$conf" --online
	ended 3
	has "$stderr" '1 row would be refused: certificate names no CRL'
	has "$output" '201 rows, 1 to be refused'
}
