# SPDX-License-Identifier: ISC
#
# The public CRL disasters, replayed against a real PostgreSQL: most entries
# gone, entries dropped before expiry, old lists over new ones, another
# issuer's list at a URL, shards that were never there. Each is refused, the
# old shards stand byte for byte, and the line is the one to be woken up by.
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
	# Another CA, and its own revocations in the same table.
	"$PUBLISH_TREE/tools/make-ca" --p256 --subject \
	    '/C=XX/O=Example Trust/CN=Example Issuer E2' \
	    "$BATS_FILE_TMPDIR/ca2"
	local name=e2
	make_rows 600 --shards 4 --seed 2 \
	    --since "$(date -u -d '2 days ago' +%FT%TZ)" \
	    --now "$(date -u -d '2 minutes ago' +%FT%TZ)"
	pg_psql -c "INSERT INTO kept SELECT * FROM crlpress.revocation
	    WHERE issuer = 'e2'"
	# What the tables hold now is what the standby begins with.
	pg_standby standby
	pg_env main
}

setup()
{
	faults_begin
	pg_env main
}

teardown()
{
	pg_psql -c 'DROP POLICY IF EXISTS few ON crlpress.revocation' \
	    -c 'ALTER TABLE crlpress.revocation DISABLE ROW LEVEL SECURITY'
	faults_end
}

teardown_file()
{
	pg_stop
}

# all_stand TEXT: a run ends with status 3, the store as it was, and one line a
# shard, in which this follows the name of the shard.
all_stand()
{
	local shard
	stands_still 3 || return 1
	same "$(faults_said | wc -l)" 4 'lines of faults' || return 1
	for shard in 0 1 2 3; do
		grep -qE "^e1/shard $shard: $1" <<<"$stderr" ||
		    show "shard $shard does not say: $1" || return 1
	done
	has "$output" 'e1: refused: 0 of 4 shards '
}

# What is said of entries that have no row.
no_row='no-early-removal, RFC 5280, 3.3: [0-9]+ of [0-9]+ published entries '\
'have no row: nothing proves that their certificates expired; the first is '\
'serial [0-9a-f]+, revoked 20'

# What is said of more rows that expired than may have.
no_expiry='no-early-removal, RFC 5280, 3.3: more entries would leave as '\
'expired than had expired when the published CRL was made, have 1[0-9]+, want '\
'at most 0; the first is serial [0-9a-f]+, not_after 20'

@test "most entries gone: nine rows of ten deleted" {
	change_rows "DELETE FROM crlpress.revocation WHERE issuer = 'e1'
	    AND get_byte(serial, octet_length(serial) - 1) % 10 <> 0"
	all_stand "$no_row"
	# Nor when it is done again, or asked for as a dry run.
	all_stand "$no_row"
	with=(--dry-run)
	all_stand "$no_row"
}

@test "most entries gone: partitions detached" {
	local part
	pg_psql -c "CREATE TABLE parted (LIKE crlpress.revocation)
	    PARTITION BY HASH (serial)"
	for part in 0 1 2 3 4 5 6 7 8 9; do
		pg_psql -c "CREATE TABLE part_$part PARTITION OF parted
		    FOR VALUES WITH (MODULUS 10, REMAINDER $part)"
	done
	pg_psql -c 'INSERT INTO parted TABLE crlpress.revocation'
	query "${FAULTS_ROWS/crlpress.revocation/parted}"
	published
	for part in 1 2 3 4 5 6 7 8 9; do
		pg_psql -c "ALTER TABLE parted DETACH PARTITION part_$part"
	done
	all_stand "$no_row"
	for part in 1 2 3 4 5 6 7 8 9; do
		pg_psql -c "ALTER TABLE parted ATTACH PARTITION part_$part
		    FOR VALUES WITH (MODULUS 10, REMAINDER $part)"
	done
	published
	rows_are read=600 listed=600
}

@test "most entries gone: row-level security" {
	pg_psql \
	    -c 'ALTER TABLE crlpress.revocation ENABLE ROW LEVEL SECURITY' \
	    -c 'CREATE POLICY few ON crlpress.revocation
	    USING (get_byte(serial, octet_length(serial) - 1) % 10 = 0)'
	refused 1 'row-level security' revocation
	# Behind a view of its owner's, where nobody is told of it.
	pg_psql -c 'CREATE VIEW behind AS SELECT * FROM crlpress.revocation
	    WHERE get_byte(serial, octet_length(serial) - 1) % 10 = 0'
	query "${FAULTS_ROWS/crlpress.revocation/behind}"
	all_stand "$no_row"
}

@test "most entries gone: the issuer_id of another issuer, or of none" {
	spoil source.issuer_id=e2
	all_stand "$no_row"
	spoil source.issuer_id=E1
	refused 3 'e1: db-scope' \
	    'the source has not one row of issuer_id E1'
}

@test "most entries gone: not_after moved to the past" {
	# Nine of ten, as if they had expired yesterday, or just now.
	local some="issuer = 'e1'
	    AND get_byte(serial, octet_length(serial) - 1) % 10 <> 0"
	change_rows "UPDATE crlpress.revocation
	    SET not_after = now() - interval '1 day' WHERE $some"
	all_stand "$no_expiry"
	said 'hint: not_after was changed in the database'
	change_rows "UPDATE crlpress.revocation
	    SET not_after = now() - interval '10 minutes' WHERE $some"
	all_stand "$no_expiry"
	# Before what the statement asks for: these rows do not even come.
	change_rows "UPDATE crlpress.revocation
	    SET not_after = '2020-01-01' WHERE $some"
	all_stand "$no_row"
	change_rows "UPDATE crlpress.revocation SET not_after = '2020-01-01'"
	refused 3 'e1: db-scope' 'not one row'
}

@test "most entries gone: not_after moved, and no manifest to tell" {
	change_rows "UPDATE crlpress.revocation
	    SET not_after = now() - interval '1 day'
	    WHERE get_byte(serial, octet_length(serial) - 1) % 10 <> 0"
	rm "$manifest"
	refused 3 'e1: store-known' 'has no manifest, which was published'
	with=(--pass store-known)
	all_stand 'shard-floor, house rule: far fewer entries than are '\
'published, have [0-9]+, want at least 50% of 1'
}

@test "most entries gone: not_after moved, and the gate let pass" {
	change_rows "UPDATE crlpress.revocation
	    SET not_after = now() - interval '1 day'
	    WHERE get_byte(serial, octet_length(serial) - 1) % 10 <> 0"
	with=(--pass no-early-removal:0 --pass no-early-removal:1
	    --pass no-early-removal:2 --pass no-early-removal:3)
	all_stand 'shard-floor, house rule: far fewer entries than are'
}

@test "entries dropped a day before expiry" {
	local at
	at=$(($(date +%s) + 43200))
	change_rows "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    SELECT 'e1', decode('7e0' || n, 'hex'), now() - interval '1 hour',
	    4, to_timestamp($at), n FROM generate_series(0, 3) AS n"
	published
	rows_are listed=604
	query "SELECT serial, revoked_at, reason, not_after, shard
	    FROM crlpress.revocation WHERE issuer = :'issuer'
	    AND not_after > now() + interval '1 day'"
	all_stand 'no-early-removal, RFC 5280, 3.3: '
	# An expired row is asked for, too: the proof is a row, not its absence.
	query "SELECT serial, revoked_at, reason, not_after, shard
	    FROM crlpress.revocation WHERE issuer = :'issuer'
	    AND serial <> '\\x7e02'"
	withheld 2 'e1/shard 2: no-early-removal, RFC 5280, 3.3: ' \
	    'serial 7e02, revoked' 'is published but has no row'
	entry_of 2 7E02
}

@test "old lists over new ones: a replica that lags" {
	local before
	pg_psql -h "$PG_ROOT/standby" -c 'SELECT pg_wal_replay_pause()' \
	    >/dev/null
	change_rows "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    SELECT 'e1', decode('7f0' || n, 'hex'), now() - interval '1 hour',
	    1, now() + interval '30 days', n FROM generate_series(0, 3) AS n"
	published
	rows_are listed=604
	before=$(sha256sum "$store"/e1/*.crl)
	spoil "source.conninfo=host=$PG_ROOT/standby port=5432 \
dbname=postgres user=cron"
	refused 3 'e1: db-fresh, house rule: the database is behind the last '\
'manifest, have WAL position ' 'or later'
	with=(--pass db-fresh)
	all_stand 'no-early-removal, RFC 5280, 3.3: serial 7f0[0-3], revoked '\
'20.* is published but has no row'
	mv "$manifest" aside
	with=(--pass store-known)
	all_stand 'no-early-removal, RFC 5280, 3.3: serial 7f0[0-3], revoked '
	with=()
	same "$(sha256sum "$store"/e1/*.crl)" "$before" shards
	# The whole store too, put back from before.
	rm -r "$store"
	cp -a "$GOLD/e1/store" "$work"
	spoil
	refused 3 'e1: store-known' \
	    'has an older manifest than was published from here'
	pg_psql -h "$PG_ROOT/standby" -c 'SELECT pg_wal_replay_resume()' \
	    >/dev/null
}

# Publishes both issuers into stores whose objects have the same names.
two_stores()
{
	local same=(shards.count=4 'shards.object=crl/{shard}.crl'
	    store.manifest=manifest.txt)
	own_ca=$BATS_FILE_TMPDIR/ca2 publish_new e2 "${same[@]}"
	"$CRLPRESS" publish --quiet --config "$conf" || return 1
	other=$store
	publish_new e1 "${same[@]}"
	rm -rf "$store" "$state"
	mkdir "$store"
	"$CRLPRESS" publish --quiet --config "$conf" \
	    --now "$(date -u -d '1 minute ago' +%FT%TZ)"
}

@test "another issuer's list at a URL: the stores swapped" {
	local other
	two_stores
	publish_configure shards.count=4 'shards.object=crl/{shard}.crl' \
	    store.manifest=manifest.txt store.url="$other"
	store=$other
	refused 3 'manifest.txt: same-scope' \
	    "the manifest is another issuer's, have e2, want e1"
	rm "$store/manifest.txt"
	with=(--pass store-known)
	all_stand 'same-scope, house rule: the published CRL has another '\
'issuer name'
	# In a store where objects have names of their own, nothing is found.
	with=()
	publish_configure shards.count=4 "store.url=$other" store.manifest=m
	refused 3 'e1: store-known' "$other is empty"
}

@test "another issuer's list at a URL: the objects swapped" {
	local other shard
	two_stores
	for shard in 0 1 2 3; do
		cp "$other/crl/$shard.crl" "$store/crl/$shard.crl"
	done
	all_stand 'same-scope, house rule: the published CRL has another '\
'issuer name'
}

@test "another issuer's list at a URL: the configurations swapped" {
	# The other CA signs for these URLs, with its own rows or with these.
	spoil "issuer.certificate=$BATS_FILE_TMPDIR/ca2/issuer.pem" \
	    "issuer.key=$BATS_FILE_TMPDIR/ca2/issuer.key"
	all_stand 'same-scope, house rule: the published CRL has another '\
'issuer name'
	spoil "issuer.certificate=$BATS_FILE_TMPDIR/ca2/issuer.pem" \
	    "issuer.key=$BATS_FILE_TMPDIR/ca2/issuer.key" \
	    source.issuer_id=e2
	all_stand 'same-scope, house rule: the published CRL has another '\
'issuer name'
}

@test "another issuer's list at a URL: the key swapped" {
	spoil "issuer.key=$BATS_FILE_TMPDIR/ca2/issuer.key"
	refused 2 "$BATS_FILE_TMPDIR/ca2/issuer.key: " \
	    'not the key of the issuer certificate'
	# A new key under the old name, as after a renewal gone wrong.
	"$PUBLISH_TREE/tools/make-ca" --p256 --subject \
	    '/C=XX/O=Example Trust/CN=Example Issuer E1' renewed
	spoil "issuer.certificate=$PWD/renewed/issuer.pem" \
	    "issuer.key=$PWD/renewed/issuer.key"
	all_stand 'same-scope, house rule: the published CRL has another '\
'authority key identifier'
}

@test "shards that were never there: the count lowered" {
	query "$FAULTS_ROWS AND shard < 3" shards.count=3
	refused 3 'e1: set-complete, CCADB 6.2: shard 3 is published at '\
'http://crl.example.com/e1/3.crl but not configured, have 3 shards from 0'
}

@test "shards that were never there: the count raised" {
	# With a column the new shard is empty, and no harm is done.
	spoil shards.count=5
	press
	ended 0
	[ "$(find "$store" -name '*.crl' | wc -l)" -eq 5 ]
	# With serial-mod another shard becomes that of a serial.
	local shard text="${FAULTS_ROWS/, shard/, NULL::integer}"
	rm -r "$store" "$state"
	mkdir "$store"
	query "$text" shards.scheme=serial-mod shards.count=4 \
	    crl.validity=8d
	with=(--now "$(date -u -d '1 minute ago' +%FT%TZ)")
	press
	ended 0
	with=()
	query "$text" shards.scheme=serial-mod shards.count=8
	refused 3 'e1: set-complete, CCADB 6.2' \
	    'have serial-mod count=8 first=0, want serial-mod count=4 first=0'
	# Let pass, the entries that are published stay where they are.
	with=(--pass set-complete)
	press
	ended 3
	same "$(faults_said | wc -l)" 4 'lines of faults'
	same "$(faults_said | grep -cE "^e1/shard [0-3]: $no_row")" 4 \
	    'shards that say so'
	for shard in 0 1 2 3; do
		cmp "before/e1/$shard.crl" "$store/e1/$shard.crl"
	done
}

@test "shards that were never there: rows of one that is not configured" {
	with_row "'\\x7e01'::bytea, now(), 1::smallint,
	    now() + interval '9 days', 4"
	refused 3 'e1: unplaced-rows' '1 rows belong to no shard'
	said 'e1/row 7e01: unplaced-rows'
}

@test "shards that were never there: the URL changed" {
	spoil 'shards.url=http://crl.example.org/e1/{shard}.crl'
	refused 3 'e1: set-complete, CCADB 6.2: shard 0 is published for '\
'another URL, have http://crl.example.org/e1/0.crl, want '\
'http://crl.example.com/e1/0.crl, which certificates name'
	# And without a manifest, by what the CRLs themselves say.
	rm "$manifest"
	refused 3 'e1: store-known' 'has no manifest, which was published'
	with=(--pass store-known)
	all_stand 'same-scope, house rule: the published CRL does not name '\
'http://crl.example.org/e1/[0-3].crl as its distribution point'
}

@test "shards that were never there: objects deleted from the store" {
	# What is gone is made anew, where every row of it is there.
	rm "$store/e1/2.crl"
	published
	faults_again
	rm "$store/e1/2.crl"
	change_rows "DELETE FROM crlpress.revocation WHERE issuer = 'e1'
	    AND shard = 2 AND get_byte(serial, octet_length(serial) - 1) < 9"
	withheld_absent 2 'e1/shard 2: previous-readable' \
	    'e1/2.crl is gone from the store, have' \
	    'entries that the last manifest has'
}

# withheld_absent SHARD TEXT...: the same as withheld, of a shard that is gone.
withheld_absent()
{
	press
	ended 3 && one_line "${@:2}" && nothing_left || return 1
	[ ! -e "$store/e1/$1.crl" ]
}
