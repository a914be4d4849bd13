# SPDX-License-Identifier: ISC
#
# crlpress revoke: revocations into the native table by a role that may insert
# and nothing else, all or none, and from there onto the CRLs.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/faults.bash

setup_file()
{
	publish_setup
	pg_psql -c 'CREATE ROLE clerk LOGIN IN ROLE crlpress_revoker;
	    ALTER ROLE clerk SET search_path = nowhere'
	faults_make_gold
	export CERTS=$BATS_FILE_TMPDIR/certs
	mkdir "$CERTS"
	"$PUBLISH_TREE/tools/make-ca" --p256 "$CERTS/other"
	issue good "$ca" 7a7a7a01 30
	issue foreign "$CERTS/other" 7a7a7a04 30
	issue old "$ca" 7a7a7a05 -1
}

setup()
{
	faults_begin
	with_clerk
	pg_psql -c 'TRUNCATE crlpress.revocation;
	    INSERT INTO crlpress.revocation TABLE kept' >/dev/null
	later=$(date -u -d '30 days' +%FT00:00:00Z)
	holder=
}

teardown()
{
	[ -z "$holder" ] || kill "$holder" 2>/dev/null || true
}

teardown_file()
{
	pg_stop
}

# with_clerk SETTING...: the configuration, revoke's role of its own in it.
with_clerk()
{
	spoil "source.revoke_conninfo=host=$PGHOST port=$PGPORT \
dbname=postgres user=clerk" "$@"
}

# issue NAME CA SERIAL DAYS: $CERTS/NAME.pem of shard 2, valid so long.
issue()
{
	printf '%s\n' authorityKeyIdentifier=keyid \
	    'crlDistributionPoints=URI:http://crl.example.com/e1/2.crl' \
	    >"$CERTS/$1.ext"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -subj "/CN=$1" -keyout "$CERTS/$1.key" -out "$CERTS/$1.csr" \
	    2>/dev/null
	openssl x509 -req -in "$CERTS/$1.csr" -CA "$2/issuer.pem" \
	    -CAkey "$2/issuer.key" -set_serial "0x$3" -days "$4" \
	    -extfile "$CERTS/$1.ext" -out "$CERTS/$1.pem" 2>/dev/null
}

# revoke_cert ARGUMENT...: $status, $output, $stderr.
revoke_cert()
{
	run --separate-stderr "$CRLPRESS" revoke --config "$conf" "$@"
}

# The row of a serial: reason, seconds of its date, shard.
row()
{
	pg_psql -c "SELECT reason, floor(extract(epoch FROM revoked_at)),
	    coalesce(shard::text, '-') FROM crlpress.revocation
	    WHERE issuer = '$name' AND serial = '\\x$1'"
}

table()
{
	pg_psql -c "SELECT count(*), md5(string_agg(r::text, ' '
	    ORDER BY issuer, serial)) FROM crlpress.revocation AS r"
}

# revoke_refused STATUS TEXT ARGUMENT...: one line, and nothing changed.
revoke_refused()
{
	local want=$1 text=$2 rows
	shift 2
	rows=$(table)
	standing >before.tree
	revoke_cert "$@"
	ended "$want" && one_line "$text" || return 1
	same "$output" '' stdout || return 1
	same "$(table)" "$rows" 'the table' || return 1
	standing >after.tree
	diff before.tree after.tree || show 'the store changed'
}

# lists SHARD SERIAL [REASON]: as openssl reads it.
lists()
{
	crl_verifies "$store/$name/$1.crl" || return 1
	openssl crl -inform DER -in "$store/$name/$1.crl" -noout -text |
	    grep -i -A 4 "Serial Number: $2\$" | grep -q "${3:-Number}" ||
	    show "shard $1 does not list $2 ${3:-}"
}

@test "a serial: recorded and on its CRL; the same once more is no mistake" {
	local before after
	before=$(date +%s)
	revoke_cert --serial 7A:7A:7A:01 --reason keyCompromise \
	    --not-after "$later" --shard 2
	ended 0
	same "$stderr" '' stderr
	has "$output" 'e1: revoked: 1 recorded, 0 upgraded'
	has "$output" 'e1: serial 7a7a7a01: shard 2, '
	has "$output" 'e1: ok: 1 of 1 shards published'
	after=$(date +%s)
	IFS='|' read -r reason date shard < <(row 7a7a7a01)
	same "$reason $shard" '1 2' row
	[ "$date" -ge "$before" ] && [ "$date" -le "$after" ]
	lists 2 7A7A7A01 'Key Compromise'
	cmp "$GOLD/e1/store/e1/1.crl" "$store/e1/1.crl"
	manifest_holds
	# Nor does it need to be told again when it expires.
	revoke_cert --serial 7a7a7a01 --reason 1
	ended 0
	has "$output" '0 recorded, 0 upgraded to keyCompromise or moved earlier'
	has "$output" '1 already recorded'
	same "$(row 7a7a7a01)" "1|$date|2" 'the row, unchanged'
	revoke_cert --serial 7a7a7a01 --reason KEYCOMPROMISE --date \
	    "$(iso "$date")" --not-after "$later" --shard 2 --quiet
	ended 0
	same "$output$stderr" '' 'a quiet one'
}

@test "a certificate says it all" {
	revoke_cert --certificate "$CERTS/good.pem" --reason superseded \
	    --json
	ended 0
	same "$(jq -c '.revoked' <<<"$output")" \
	    '{"dry_run":false,"recorded":1,"upgraded":0,"already":0}' revoked
	same "$(jq -c '.runs[0].serials | map([.serial, .shard, .listed])' \
	    <<<"$output")" '[["7a7a7a01",2,true]]' serials
	lists 2 7A7A7A01 Superseded
	same "$(pg_psql -c "SELECT to_char(not_after AT TIME ZONE 'UTC',
	    'Mon FMDD HH24:MI:SS YYYY') || ' GMT' FROM crlpress.revocation
	    WHERE serial = '\\x7a7a7a01'")" \
	    "$(openssl x509 -in "$CERTS/good.pem" -noout -enddate |
	        sed 's/notAfter=//; s/  / /')" notAfter
	revoke_refused 2 \
	    'foreign.pem: certificate, RFC 5280, 4.1.2.4: it is not of issuer' \
	    --certificate "$CERTS/foreign.pem" --reason superseded
	revoke_refused 2 \
	    'old.pem: revoke, RFC 5280, 3.3: serial 7a7a7a05: the certif' \
	    --certificate "$CERTS/old.pem" --reason superseded
}

@test "upgrades: to keyCompromise, and earlier; nothing else" {
	local day
	day=$(date -u -d '1 day ago' +%FT10:00:00Z)
	revoke_cert --serial 7b01 --reason superseded --date "$day" \
	    --not-after "$later" --shard 1 --no-push
	ended 0
	same "$(row 7b01)" "4|$(sec "$day")|1" row
	cmp "$GOLD/e1/store/e1/1.crl" "$store/e1/1.crl"
	revoke_refused 3 'serial 7b01 is recorded already, and but for an '\
'upgrade' --serial 7b01 --reason cessationOfOperation
	has "$stderr" "have superseded since $day"
	revoke_refused 3 'serial 7b01 is recorded already' --serial 7b01 \
	    --reason superseded --date "$(iso $(($(sec "$day") - 1)))"
	revoke_refused 3 'serial 7b01 is recorded already' --serial 7b01 \
	    --reason keyCompromise --date "$(iso $(($(sec "$day") + 1)))"
	revoke_refused 3 'serial 7b01 is recorded already' --serial 7b01 \
	    --reason keyCompromise --shard 2
	revoke_refused 3 'serial 7b01 is recorded already' --serial 7b01 \
	    --reason keyCompromise --not-after "$(date -u -d '31 days' \
	    +%FT00:00:00Z)"
	revoke_cert --serial 7b01 --reason keyCompromise
	ended 0
	has "$output" '0 recorded, 1 upgraded'
	same "$(row 7b01)" "1|$(sec "$day")|1" 'the row, with its date'
	lists 1 7B01 'Key Compromise'
	revoke_cert --serial 7b01 --reason keyCompromise \
	    --date "$(iso $(($(sec "$day") - 3600)))"
	ended 0
	has "$output" '1 upgraded'
	same "$(row 7b01)" "1|$(($(sec "$day") - 3600))|1" 'an hour earlier'
	has "$output" ', listed already, with another date or reason, by '
	lists 1 7B01
	# There is no way back.
	revoke_refused 3 'have keyCompromise since' --serial 7b01 \
	    --reason superseded
}

@test "what cannot be recorded: a clear line, nothing changed" {
	local arguments=(--not-after "$later" --shard 2)
	revoke_refused 2 'have certificateHold (6), want one that the profile '\
'tls has: unspecified, keyCompromise, affiliationChanged, superseded, '\
'cessationOfOperation or privilegeWithdrawn' \
	    --serial 7c01 --reason certificateHold "${arguments[@]}"
	revoke_refused 2 '--reason, have none, want one of RFC 5280, 5.3.1: '\
'unspecified, keyCompromise, ' \
	    --serial 7c01 --reason none "${arguments[@]}"
	revoke_refused 2 '--reason, have 7, want' --serial 7c01 --reason 7 \
	    "${arguments[@]}"
	revoke_refused 2 'have removeFromCRL (8)' --serial 7c01 --reason 8 \
	    "${arguments[@]}"
	revoke_refused 2 'revoked_at lies in the future' --serial 7c01 \
	    --reason superseded --date "$(date -u -d '1 hour' +%FT%TZ)" \
	    "${arguments[@]}"
	revoke_refused 2 'the certificate has expired' --serial 7c01 \
	    --reason superseded --shard 2 --not-after 2026-01-01T00:00:00Z
	revoke_refused 2 'when it expires is not known; want --not-after' \
	    --serial 7c01 --reason superseded --shard 2
	revoke_refused 2 'row without a shard; want --shard or --certificate' \
	    --serial 7c01 --reason superseded --not-after "$later"
	revoke_refused 2 '--shard 4: ' --serial 7c01 --reason superseded \
	    --not-after "$later" --shard 4
	revoke_refused 2 '--serial 0: zero is no serial' --serial 0 \
	    --reason superseded "${arguments[@]}"
	revoke_refused 2 '--serial 0102' \
	    --serial 010203040506070809101112131415161718192021 \
	    --reason superseded "${arguments[@]}"
	revoke_refused 2 '--issuer e9: not configured' --issuer e9 \
	    --serial 7c01 --reason superseded "${arguments[@]}"
	revoke_refused 2 'want --reason' --serial 7c01 "${arguments[@]}"
	revoke_refused 2 'want --serial or --certificate, or else --csv' \
	    --reason superseded
	revoke_refused 2 'of one --serial' --reason superseded \
	    --certificate "$CERTS/good.pem" --shard 2
	# One of two.
	revoke_refused 2 'serial 7c02: when it expires is not known' \
	    --certificate "$CERTS/good.pem" --serial 7c02 --reason superseded
	# And of a table that is not ours.
	query "$FAULTS_ROWS"
	revoke_refused 2 'rows come from query_file' --serial 7c01 \
	    --reason superseded "${arguments[@]}"
	said '`crlpress push`'
}

@test "the role may insert, and nothing else" {
	local sql
	for sql in 'SELECT count(*) FROM crlpress.revocation' \
	    "UPDATE crlpress.revocation SET reason = 4" \
	    'DELETE FROM crlpress.revocation' \
	    'TRUNCATE crlpress.revocation' \
	    'SELECT 1 FROM crlpress.revocation FOR UPDATE' \
	    "INSERT INTO crlpress.revocation SELECT * FROM
	        crlpress.revocation" \
	    "INSERT INTO crlpress.revocation VALUES ('e1', '\\x01', now(), 1,
	        now(), 1) ON CONFLICT (issuer, serial) DO UPDATE
	        SET reason = 1"; do
		run pg_psql -U clerk -c "$sql"
		[ "$status" -ne 0 ] && has "$output" 'permission denied'
	done
	# Nor may another role use what it may use.
	run pg_psql -U cron -c "SELECT crlpress.revoke('e1', '\\x01', true,
	    true, now(), 1::smallint, now(), 1)"
	has "$output" 'permission denied for function revoke'
	# Nothing that a caller brings along is called in its place.
	pg_psql -c 'CREATE SCHEMA own AUTHORIZATION clerk'
	pg_psql -U clerk >/dev/null <<-'SQL'
		CREATE FUNCTION own.now() RETURNS timestamptz LANGUAGE sql
		    AS 'SELECT ''1999-01-01''::timestamptz';
		SET search_path = own, pg_catalog;
		SELECT crlpress.revoke('e1', '\x7c0d', true, false,
		    '2099-01-01', 1::smallint, '2099-01-01', 1);
	SQL
	[ "$(row 7c0d | cut -d'|' -f2)" -gt 1700000000 ]
	# The reader's role is not enough, and it is said what is.
	spoil
	revoke_refused 1 'permission denied' --serial 7c01 \
	    --reason superseded --not-after "$later" --shard 2
	said 'crlpress_revoker'
	# It has to be run again without harm.
	pg_psql -f "$PUBLISH_TREE/sharding-config/native.sql"
}

@test "schemes that tell the shard themselves" {
	name=m1 own_ca=$ca
	publish_new m1 shards.count=4 shards.scheme=serial-mod \
	    source.revoke_conninfo="host=$PGHOST dbname=postgres user=clerk"
	revoke 1001 NULL "$(sec '1 hour ago')" "$(sec "$later")" 1
	"$CRLPRESS" publish --quiet --config "$conf" \
	    --now "$(date -u -d '1 minute ago' +%FT%TZ)"
	revoke_cert --serial 2003 --reason 4 --not-after "$later"
	ended 0
	has "$output" 'm1: serial 2003: shard 3'
	same "$(row 2003 | cut -d'|' -f3)" - 'the column'
	crl_field "$store/m1/3.crl" serials | grep -qx 2003
	revoke_refused 2 'serial 2005: shard contradicts' --serial 2005 \
	    --reason 4 --not-after "$later" --shard 3
	# Of a certificate, whose URL has to agree with the scheme.
	revoke_refused 2 'no CRL URL in it is of a configured shard' \
	    --certificate "$CERTS/good.pem" --reason 4
	name=x1
	publish_new x1 shards.count=3 shards.scheme=expiry shards.chunk=10d \
	    shards.anchor=2026-01-01T00:00:00Z \
	    source.revoke_conninfo="host=$PGHOST dbname=postgres user=clerk"
	revoke_cert --serial 3001 --reason 4
	ended 2
	one_line 'when it expires is not known'
	revoke_cert --serial 3001 --reason 4 --not-after "$later" --no-push
	ended 0
	revoke_cert --serial 3001 --reason 1 --no-push
	ended 0
	has "$output" '1 upgraded'
}

@test "recorded, and not published: said so" {
	rm "$manifest"
	revoke_cert --serial 7d01 --reason superseded --not-after "$later" \
	    --shard 2
	ended 3
	said 'there is no manifest' 'it is recorded: the next'
	has "$output" '1 recorded'
	same "$(row 7d01 | cut -d'|' -f1)" 4 row
	with_clerk issuer.key=/nowhere/issuer.key
	revoke_cert --serial 7d02 --reason superseded --not-after "$later" \
	    --shard 2
	ended 4
	same "$(row 7d02 | cut -d'|' -f1)" 4 row
}

@test "a dry run records nothing" {
	local rows
	rows=$(table)
	standing >before.tree
	revoke_cert --dry-run --serial 7d01 --reason superseded \
	    --not-after "$later" --shard 2
	ended 0
	has "$output" 'e1: would be: 1 recorded'
	same "$(table)" "$rows" 'the table'
	standing >after.tree
	diff before.tree after.tree
}

# make_csv COUNT: rows.csv, serials from 7e000000 on.
make_csv()
{
	pg_psql --csv -c "SELECT '7e' || lpad(to_hex(i), 6, '0') AS serial,
	    date_trunc('second', now() AT TIME ZONE 'UTC' - interval '1 hour')
	        || '+00' AS revoked_at,
	    CASE i % 3 WHEN 0 THEN 4 WHEN 1 THEN 1 ELSE 0 END AS reason,
	    extract(epoch FROM timestamptz '$later')::bigint AS not_after,
	    i % 4 AS shard
	    FROM generate_series(0, $1 - 1) AS i ORDER BY md5(i::text)" \
	    -P tuples_only=off >rows.csv
	same "$(head -n 1 rows.csv)" serial,revoked_at,reason,not_after,shard \
	    header
}

@test "many rows: all recorded, all listed, the file in any order" {
	local shard
	make_csv 20000
	revoke_cert --csv rows.csv
	ended 0
	same "$stderr" '' stderr
	has "$output" 'e1: revoked: 20000 recorded, 0 upgraded'
	has "$output" 'e1: ok: 4 of 4 shards published'
	[ "$(wc -l <<<"$output")" -lt 10 ]
	for shard in 0 1 2 3; do
		crl_field "$store/e1/$shard.crl" serials
	done | grep -cE '^7E[0-9A-F]{6}$' | grep -qx 20000
	run --separate-stderr "$CRLPRESS" verify --config "$conf" \
	    --rows <(pg_psql --csv -c "SELECT serial,
	        floor(extract(epoch FROM revoked_at)), reason,
	        floor(extract(epoch FROM not_after)), shard
	        FROM crlpress.revocation WHERE issuer = 'e1'") "$store"
	ended 0
	# From stdin, CR LF, without a header, some of them known by now, some
	# twice, and an upgrade.
	{
		tail -n 100 rows.csv
		tail -n 10 rows.csv
		sed -n '2,$s/^\(7e[^,]*,[^,]*\),4,/\1,1,/p' rows.csv | head -n 5
		echo "7f01,2026-01-01T00:00:00Z,0,$later,1"
		echo
	} | sed 's/$/\r/' >more.csv
	run --separate-stderr "$CRLPRESS" revoke --config "$conf" --csv - \
	    <more.csv
	ended 0
	has "$output" 'e1: revoked: 1 recorded, 5 upgraded'
	lists 1 7F01
}

@test "one bad line of many: named, nothing changed" {
	local rows i
	make_csv 5000
	cp rows.csv good.csv
	sed -i '1234s/^7e/7g/' rows.csv
	revoke_refused 2 'rows.csv:1234: revoke: ' --csv rows.csv
	# Each kind of mistake, each by its line.
	rows=$(table)
	{
		head -n 3 good.csv
		echo "7f01,2026-01-01T00:00:00Z,6,$later,1"
		echo "7f02,2099-01-01T00:00:00Z,4,$later,1"
		echo "7f03,2026-01-01T00:00:00Z,4,2026-02-01T00:00:00Z,1"
		echo "7f04,2026-01-01T00:00:00Z,4,$later,4"
		echo "7f05,2026-01-01T00:00:00Z,4,$later,"
		echo "0,2026-01-01T00:00:00Z,4,$later,1"
		echo "010203040506070809101112131415161718192021,0,4,$later,1"
		echo "7f06,2026-01-01T00:00:00Z,4,$later"
	} >bad.csv
	revoke_cert --csv bad.csv
	ended 2
	same "$(faults_said | cut -d: -f1-2)" \
	    "$(printf 'bad.csv:%s\n' {4..11})" 'lines'
	said 'bad.csv:4: revoke, BR 7.2.2: reason, have certificateHold (6)' \
	    'bad.csv:5: revoke, RFC 5280, 5.1.2.6: revoked_at lies in the f' \
	    'bad.csv:6: revoke, RFC 5280, 3.3: the certificate has expired' \
	    'bad.csv:7: revoke, BR 4.9.7: shard out of range' \
	    'bad.csv:8: revoke, BR 4.9.7: row without a shard' \
	    'bad.csv:9: revoke: row 00: serial is zero' \
	    'bad.csv:11: revoke: fields, have 4, want serial,revoked_at'
	# What psql prints in another zone or style, or a person writes.
	{
		echo "7f07,2026-01-01 00:00:00,4,$later,1"
		echo "7f08,2026-01-01 00:00:00 IST,4,$later,1"
		echo "7f09,2026-01-01T00:00:00Z,none,$later,1"
		echo "7f0a,2026-01-01T00:00:00Z,certificateHold,$later,1"
	} >bad.csv
	revoke_cert --csv bad.csv
	ended 2
	said 'bad.csv:1: revoke: revoked_at, have "2026-01-01 00:00:00", want' \
	    'bad.csv:2: revoke: revoked_at, have "2026-01-01 00:00:00 IST"' \
	    'bad.csv:3: revoke: reason, have "none", want a number or name' \
	    'bad.csv:4: revoke, BR 7.2.2: reason, have certificateHold (6)'
	same "$(grep -c 'hint: PGTZ=UTC' <<<"$stderr")" 1 hints
	# More than can be read are counted.
	for i in {1..500}; do
		echo "$i,x"
	done >bad.csv
	revoke_cert --csv bad.csv
	ended 2
	same "$(faults_said | grep -c '^bad.csv:')" 10 'lines said'
	has "$stderr" 490
	# Twice the same serial, otherwise.
	{
		cat good.csv
		sed -n '7s/,4,\|,0,/,1,/; 7s/,[0-9]*-[^,]*,/,5,/p' good.csv
	} >bad.csv
	revoke_refused 2 'bad.csv:5002: revoke, house rule: serial 7e' \
	    --csv bad.csv
	has "$stderr" 'stands on line 7 too'
	: >bad.csv
	revoke_refused 2 'bad.csv: revoke: no row in it' --csv bad.csv
	revoke_refused 2 'none.csv: revoke: cannot be opened' --csv none.csv
	head -c 3000 /dev/zero | tr '\0' 7 >bad.csv
	revoke_refused 2 'bad.csv:1: revoke: longer than any row' --csv bad.csv
	revoke_refused 2 'with --csv' --csv good.csv --reason 1
	same "$(table)" "$rows" 'the table'
}

@test "rows as psql prints them, wherever, with reasons by name" {
	local since=2026-11-01T12:34:56Z
	PGTZ=Asia/Kathmandu "$PG_BIN/psql" -X --csv -c "SELECT
	    '\\x7e99'::bytea AS serial, '$since'::timestamptz AS revoked_at,
	    'superseded' AS reason, '$later'::timestamptz AS not_after,
	    2 AS shard" >rows.csv
	has "$(cat rows.csv)" '2026-11-01 18:19:56+05:45,superseded,'
	revoke_cert --csv rows.csv
	ended 0
	same "$(row 7e99)" "4|$(sec "$since")|2" 'the row'
	lists 2 7E99
}

@test "many rows of which one is recorded already, otherwise" {
	make_csv 3000
	revoke_cert --serial 7e000005 --reason 1 --not-after "$later" \
	    --shard 1 --no-push --date 2026-01-01T00:00:00Z
	ended 0
	line=$(grep -n '^7e000005,' rows.csv | cut -d: -f1)
	revoke_refused 3 "rows.csv:$line: revoke, BR 7.2.2: serial 7e000005" \
	    --csv rows.csv
	has "$stderr" 'have keyCompromise since 2026-01-01T00:00:00Z'
}

@test "eight times the same at once: it is new once" {
	local i pids=()
	for i in {1..8}; do
		"$CRLPRESS" revoke --config "$conf" --serial 7f01 --reason 4 \
		    --not-after "$later" --shard 1 --no-push >"said.$i" \
		    2>&1 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || {
			cat said.*
			return 1
		}
	done
	same "$(cat said.* | grep -c ' 1 recorded, ')" 1 recorded
	same "$(cat said.* | grep -c ' 1 already recorded')" 7 already
}

@test "somebody records the same rows at the same time" {
	make_csv 2000
	pg_psql -c "BEGIN; INSERT INTO crlpress.revocation VALUES
	    ('e1', '\\x7e000003', '2026-01-01', 4, '$later', 3);
	    SELECT pg_advisory_lock(7), pg_sleep(1000)" \
	    >/dev/null 2>&1 3>&- &
	holder=$!
	pg_wait "SELECT count(*) > 0 FROM pg_locks
	    WHERE locktype = 'advisory' AND granted"
	"$CRLPRESS" revoke --config "$conf" --csv rows.csv --no-push \
	    >said 2>&1 3>&- &
	pid=$!
	# It waits for the other to end, which does so without a trace.
	pg_wait "SELECT count(*) > 0 FROM pg_stat_activity
	    WHERE usename = 'clerk' AND wait_event_type = 'Lock'"
	pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_locks
	    WHERE locktype = 'advisory' AND granted" >/dev/null
	wait "$holder" || true
	holder=
	wait "$pid" || {
		cat said
		return 1
	}
	has "$(<said)" '2000 recorded'
}

@test "another configuration that is broken is no word on what was recorded" {
	mkdir all
	cp "$conf" all/e1.cnf
	echo '[nonsense' >all/e2.cnf
	conf=$PWD/all
	revoke_cert --dry-run --issuer e1 --certificate "$CERTS/good.pem" \
	    --reason superseded
	ended 2
	same "$(row 7a7a7a01)" '' 'no row'
	revoke_cert --issuer e1 --certificate "$CERTS/good.pem" \
	    --reason superseded
	ended 4
	has "$output" '1 recorded'
	has "$stderr" 'all/e2.cnf:1: config'
	lists 2 7A7A7A01 Superseded
}

@test "rows and the passphrase do not both come from standard input" {
	printf '7a7a7a01,%s,1,%s,2\n' "$(iso "$(date +%s)")" "$later" >rows.csv
	revoke_refused 2 '--csv - and --passphrase-fd 0' --csv - \
	    --passphrase-fd 0 <rows.csv
}

@test "what is recorded and on no CRL cannot be pushed: that is said before" {
	pg_psql -c "INSERT INTO crlpress.revocation VALUES
	    ('e1', '\\x7a7a7a01', now(), 4, '$later', NULL)"
	revoke_refused 2 'what is recorded is wrong: row without a shard' \
	    --serial 7a7a7a01 --reason keyCompromise
	has "$stderr" 'hint: set the column shard'
	# Many from a file, of which one is so: the same again, or an upgrade.
	make_csv 500
	local line reason
	for reason in 4 1; do
		pg_psql -c "TRUNCATE crlpress.revocation;
		    INSERT INTO crlpress.revocation TABLE kept;
		    INSERT INTO crlpress.revocation VALUES ('e1',
		    '\\x7e000006', now() - interval '1 hour', 4, '$later',
		    NULL)"
		sed "s/^\(7e000006,\)[^,]*,4,/\12026-01-01T00:00:00Z,$reason,/
		    " rows.csv >null.csv
		pg_psql -c "UPDATE crlpress.revocation
		    SET revoked_at = '2026-01-01T00:00:00Z'
		    WHERE serial = '\\x7e000006'"
		line=$(grep -n '^7e000006,' null.csv | cut -d: -f1)
		revoke_refused 2 "null.csv:$line: revoke, BR 4.9.7: serial \
7e000006: what is recorded is wrong: row without a shard" --csv null.csv
		has "$stderr" 'hint: set the column shard'
	done
}

@test "two at the same rows in two orders: neither fails" {
	local -a up=() down=()
	local i one other
	for i in {1000..1199}; do
		up+=(--serial "7b$i")
		down=(--serial "7b$i" "${down[@]}")
	done
	# Each row takes its time, so that both are at them at once.
	pg_psql -c "INSERT INTO crlpress.revocation
	    SELECT 'e1', decode('7b' || i, 'hex'), now(), 4, '$later', 1
	    FROM generate_series(1000, 1199) AS i;
	    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
	    'BEGIN PERFORM pg_sleep(0.002); RETURN new; END';
	    CREATE TRIGGER dawdle BEFORE UPDATE ON crlpress.revocation
	    FOR EACH ROW EXECUTE FUNCTION dawdle()"
	"$CRLPRESS" revoke --config "$conf" --no-push --reason keyCompromise \
	    "${up[@]}" >up 2>&1 &
	one=$!
	"$CRLPRESS" revoke --config "$conf" --no-push --reason keyCompromise \
	    "${down[@]}" >down 2>&1 &
	other=$!
	wait "$one" && wait "$other" || {
		cat up down
		false
	}
	pg_psql -c 'DROP TRIGGER dawdle ON crlpress.revocation;
	    DROP FUNCTION dawdle()'
	has "$(cat up down)" '200 upgraded'
	has "$(cat up down)" '200 already recorded'
}

@test "a connection that is lost at the end leaves it open" {
	pg_psql -c "CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS
	    'BEGIN PERFORM pg_terminate_backend(pg_backend_pid());
	    RETURN NULL; END' SECURITY DEFINER;
	    CREATE CONSTRAINT TRIGGER leave AFTER INSERT
	    ON crlpress.revocation DEFERRABLE INITIALLY DEFERRED
	    FOR EACH ROW EXECUTE FUNCTION leave()"
	revoke_cert --certificate "$CERTS/good.pem" --reason superseded
	pg_psql -c 'DROP TRIGGER leave ON crlpress.revocation;
	    DROP FUNCTION leave()'
	ended 1
	same "$output" '' stdout
	has "$stderr" 'hint: it may be recorded nevertheless'
}
