# SPDX-License-Identifier: ISC
#
# Rows that no CRL can list: each is named, its shard is withheld and the
# others are published; where the shard cannot be told, none is. An operator
# lets one pass by name, and the manifest says so.
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
	faults_make_gold
}

setup()
{
	faults_begin
}

teardown()
{
	faults_end
}

teardown_file()
{
	pg_stop
}

# row COLUMN=SQL...: the expressions of a row of shard 2; the others are good.
row()
{
	local setting
	local serial="'\\x7a01'::bytea" shard=2 reason=1::smallint
	local revoked_at="now() - interval '1 hour'"
	local not_after="now() + interval '9 days'"
	for setting; do
		local "${setting%%=*}=${setting#*=}"
	done
	echo "$serial, $revoked_at, $reason, $not_after, $shard"
}

@test "a good row more is listed" {
	with_row "$(row)"
	published
	rows_are read=601 listed=601
	entry_of 2 7A01 | grep 'Key Compromise'
}

@test "rows that cannot be listed withhold their shard" {
	local column value want
	while IFS='|' read -r column value want; do
		faults_again
		with_row "$(row "$column=$value")"
		withheld 2 'e1/shard 2/row ' ': rows, BR 4.9.7: ' "$want" ||
		    show "$column = $value"
		rows_are read=601 withheld="$(($(pg_psql -c '
		    SELECT count(*) FROM crlpress.revocation
		    WHERE shard = 2') + 1))"
	done <<'END'
serial|NULL::bytea|(no serial): rows, BR 4.9.7: serial is NULL
serial|''::bytea|serial is empty
serial|'\x00'::bytea|row 00: rows, BR 4.9.7: serial is zero
serial|decode(repeat('11', 21), 'hex')|1111: rows, BR 4.9.7: serial is 2^159
serial|set_byte(decode(repeat('11', 20), 'hex'), 0, 128)|is 2^159 or
revoked_at|NULL::timestamptz|row 7a01: rows, BR 4.9.7: revoked_at is NULL
revoked_at|'infinity'::timestamptz|revoked_at is infinity
revoked_at|'-infinity'::timestamptz|revoked_at is -infinity
revoked_at|'2020-01-01 00:00:00Z BC'::timestamptz|revoked_at is before 1950
revoked_at|'10000-01-01 00:00:00Z'::timestamptz|revoked_at is after 9999
revoked_at|now() + interval '1 hour'|row 7a01: rows, BR 4.9.7: revoked_at lies
reason|NULL::smallint|reason is NULL
reason|7::smallint|reason is 7, which means nothing
reason|8::smallint|reason is 8 (removeFromCRL)
reason|42::smallint|reason is not 0 to 10
reason|(-1)::smallint|reason is not 0 to 10
not_after|NULL::timestamptz|not_after is NULL
not_after|'infinity'::timestamptz|not_after is infinity
not_after|'10000-01-01 00:00:00Z'::timestamptz|not_after is after 9999
END
}

@test "reasons that the profile does not allow withhold their shard too" {
	local reason
	for reason in 2 6 10; do
		faults_again
		with_row "$(row "reason=$reason::smallint")"
		withheld 2 'e1/shard 2' 'reason, ' || show "reason $reason"
	done
}

@test "rows whose shard cannot be told withhold all" {
	local value want
	while IFS='|' read -r value want; do
		faults_again
		with_row "$(row "shard=$value")"
		refused 3 'e1: unplaced-rows' '1 rows belong to no shard' ||
		    show "shard = $value"
		said 'warning: e1/row 7a01: unplaced-rows' "$want"
	done <<'END'
NULL::integer|shard
4|shard
-1|shard
2147483647|shard
END
}

@test "serials in text that are none" {
	local value want rows
	rows="SELECT encode(serial, 'hex'), ${FAULTS_ROWS#*,}"
	while IFS='|' read -r value want; do
		faults_again
		query "$rows UNION ALL SELECT $(row "serial='$value'")" \
		    source.serial_encoding=hex
		withheld 2 'e1/shard 2/row ' "$want" || show "$value"
	done <<'END'
0x7a01|has a 0x before it
7a:01|has colons in it
7a 01|has a blank in it
-7a01|is negative
7g01|is not hex
END
	faults_again
	query "$rows UNION ALL SELECT $(row "serial='7A01'")" \
	    source.serial_encoding=hex
	published
	entry_of 2 7A01
}

@test "serial-mod: a row without a serial withholds all, a bad date one" {
	local mod='get_byte(serial, length(serial) - 1) % 4'
	# A store of that scheme first.
	rm -r "$store" "$state"
	mkdir "$store"
	query "${FAULTS_ROWS/shard/NULL::integer}" shards.scheme=serial-mod
	press
	ended 0
	query "${FAULTS_ROWS/shard/$mod} UNION ALL SELECT $(row \
	    "serial='\\x7a02'" "revoked_at='infinity'" shard=NULL)" \
	    shards.scheme=serial-mod
	withheld 2 'e1/shard 2/row 7a02' 'revoked_at is infinity'
	query "${FAULTS_ROWS/shard/$mod} UNION ALL SELECT $(row \
	    "serial=NULL" shard=NULL)" shards.scheme=serial-mod
	refused 3 'e1: unplaced-rows'
	said 'warning: e1/row (no serial): unplaced-rows' 'serial is NULL'
	query "${FAULTS_ROWS/shard/$mod} UNION ALL SELECT $(row shard=2)" \
	    shards.scheme=serial-mod
	refused 3 'e1: unplaced-rows'
	said 'warning: e1/row 7a01: unplaced-rows'
}

@test "--pass rows:2 leaves a row out, this once, on the record" {
	with_row "$(row reason=42::smallint)"
	with=(--pass rows:1)
	withheld 2 'e1/shard 2/row 7a01' 'reason is not 0 to 10'
	! grep '^# passed' "$manifest" || return 1
	with=(--pass rows:2)
	published
	said 'warning: e1/shard 2/row 7a01: rows' 'let pass by --pass' \
	    'reason is not 0 to 10'
	passed rows:2
	rows_are read=601 listed=600 withheld=1
	[ -z "$(entry_of 2 7A01)" ]
	with=()
	withheld 2 'e1/shard 2/row 7a01'
}

@test "--pass unplaced-rows publishes all without that row" {
	with_row "$(row shard=NULL::integer)"
	with=(--pass unplaced-rows)
	published
	passed unplaced-rows
	rows_are read=601 listed=600 withheld=1
}

@test "twenty bad rows: ten are named, the rest is counted" {
	query "$FAULTS_ROWS UNION ALL
	    SELECT decode(lpad(i::text, 4, '7'), 'hex'), now(), 42::smallint,
	    now(), 2 FROM generate_series(1, 20) AS i"
	press
	ended 3
	held 2
	[ "$(faults_said | grep -c 'e1/shard 2/row 7.*: rows')" -eq 10 ]
	[ "$(faults_said | grep -c '10 more findings of rule rows')" -eq 1 ]
}

@test "rows that say the same count once; rows that do not withhold" {
	with_row "$(row) UNION ALL SELECT $(row)"
	published
	rows_are read=602 listed=601 duplicate=1
	faults_again
	with_row "$(row) UNION ALL SELECT $(row reason=4::smallint)"
	withheld 2 'e1/shard 2: duplicate' 'serial 7a01' 'reason 1' 'reason 4'
	with=(--pass duplicate:2)
	published
	passed duplicate:2
	entry_of 2 7A01 | grep 'Key Compromise'
	faults_again
	with_row "$(row) UNION ALL
	    SELECT $(row "revoked_at=now() - interval '2 hours'")"
	withheld 2 'e1/shard 2: duplicate'
}

@test "a revocation dated a moment ahead is deferred, and listed next time" {
	local at
	at=$(($(date +%s) - 10))
	with=(--now "$(iso $((at - 10)))")
	with_row "$(row "revoked_at=to_timestamp($at)")"
	published
	rows_are read=601 listed=600 deferred=1 withheld=0
	has "$output" '1 deferred'
	[ -z "$(entry_of 2 7A01)" ]
	with=()
	published
	rows_are read=601 listed=601 deferred=0
	entry_of 2 7A01
}
