# SPDX-License-Identifier: ISC
#
# crlpress push: one revoked certificate onto the CRL of its shard, now, and
# nothing else changes; beside runs and other pushes no update is lost.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/faults.bash

# A full run of $slow waits in its statement, its snapshot taken, for what
# `hold` takes and `let_go` gives back.
setup_file()
{
	publish_setup
	pg_psql <<-'SQL'
		CREATE FUNCTION wait_for_it() RETURNS int VOLATILE
		LANGUAGE plpgsql AS $$
		BEGIN
			WHILE NOT pg_try_advisory_lock_shared(1) LOOP
				PERFORM pg_sleep(0.05);
			END LOOP;
			RETURN 1;
		END $$;
	SQL
	faults_make_gold
	certificate
}

setup()
{
	faults_begin
	pg_psql -c 'TRUNCATE crlpress.revocation;
	    INSERT INTO crlpress.revocation TABLE kept' >/dev/null
	holder=
	running=()
}

teardown()
{
	[ -z "$holder" ] || let_go
	kill -KILL "${running[@]}" 2>/dev/null || true
}

teardown_file()
{
	pg_stop
}

# A certificate of the CA with CRL URLs; and one of another CA of that name.
certificate()
{
	export CERTS=$BATS_FILE_TMPDIR/certs
	mkdir "$CERTS"
	"$PUBLISH_TREE/tools/make-ca" --p256 "$CERTS/other"
	issue good "$ca" 7a7a7a01 'http://crl.example.com/e1/2.crl'
	issue astray "$ca" 7a7a7a02 'http://crl.example.com/e1/9.crl'
	issue none "$ca" 7a7a7a03 ''
	issue foreign "$CERTS/other" 7a7a7a04 'http://crl.example.com/e1/2.crl'
	issue two "$ca" 7a7a7a05 'http://crl.example.com/e1/2.crl'\
',URI:http://crl.example.com/e1/3.crl'
}

# issue NAME CA SERIAL URL: $CERTS/NAME.pem.
issue()
{
	{
		echo authorityKeyIdentifier=keyid
		[ -z "$4" ] || echo "crlDistributionPoints=URI:$4"
	} >"$CERTS/$1.ext"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -subj "/CN=$1" -keyout "$CERTS/$1.key" -out "$CERTS/$1.csr" \
	    2>/dev/null
	openssl x509 -req -in "$CERTS/$1.csr" -CA "$2/issuer.pem" \
	    -CAkey "$2/issuer.key" -set_serial "0x$3" -days 30 \
	    -extfile "$CERTS/$1.ext" -text -out "$CERTS/$1.pem" 2>/dev/null
}

# recorded SERIAL SHARD: a row written now.
recorded()
{
	pg_psql -c "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    VALUES ('e1', '\\x$1', now() - interval '2 seconds', 1,
	    now() + interval '30 days', $2)" >/dev/null
}

# push ARGUMENT...: $status, $output, $stderr; ./before is the store before.
push()
{
	rm -rf before
	cp -a "$store" before
	run --separate-stderr "${under[@]}" "$CRLPRESS" push --config "$conf" \
	    "$@"
}

# The serial stands in the shard, under a CRL that openssl takes.
lists()
{
	crl_verifies "$store/e1/$2.crl" || return 1
	crl_field "$store/e1/$2.crl" serials | grep -qixF "$1" ||
	    show "shard $2 does not list $1"
}

# others_stand SHARDS: all shards but these are as before, to the inode.
others_stand()
{
	local shard
	for shard in 0 1 2 3; do
		[[ " $1 " != *" $shard "* ]] || continue
		same "$(stat -c '%i %s %Y' "$store/e1/$shard.crl")" \
		    "${stood[$shard]}" "shard $shard"
		cmp "before/e1/$shard.crl" "$store/e1/$shard.crl"
	done
}

renewed()
{
	crl_verifies "$store/e1/$1.crl" || return 1
	if cmp -s "before/e1/$1.crl" "$store/e1/$1.crl"; then
		show "shard $1 is not new"
	fi
}

# What `others_stand` holds against.
note_shards()
{
	local shard
	for shard in 0 1 2 3; do
		stood[shard]=$(stat -c '%i %s %Y' "$store/e1/$shard.crl")
	done
}

# The manifest is true, and verify finds nothing, nor against what was before.
all_true()
{
	manifest_holds || return 1
	run --separate-stderr "$CRLPRESS" verify --config "$conf" \
	    "${@---previous=before}" "$store"
	ended 0 && same "$stderr" '' 'what verify says'
}

# push_refused STATUS TEXT ARGUMENT...: one line with the text, and nothing
# changed.
push_refused()
{
	local want=$1 text=$2 published
	shift 2
	published=$(ls -A "$state/e1" && cat "$state/e1/published")
	standing >before.tree
	push "$@"
	ended "$want" && one_line "$text" && nothing_left || return 1
	standing >after.tree
	diff before.tree after.tree || show 'the store changed' || return 1
	same "$(ls -A "$state/e1" && cat "$state/e1/published")" \
	    "$published" 'the state'
}

hold()
{
	pg_psql -c 'SELECT pg_advisory_lock(1), pg_sleep(600)' \
	    >/dev/null 2>&1 3>&- &
	holder=$!
	pg_wait "SELECT count(*) > 0 FROM pg_locks
	    WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
	    AND granted"
}

let_go()
{
	pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_locks
	    WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
	    AND granted" >/dev/null
	wait "$holder" || true
	holder=
}

# start_slow CONFIG: a full run that waits in its statement.
start_slow()
{
	hold
	"$CRLPRESS" publish --config "$1" >slow.out 2>slow.err 3>&- &
	running=($!)
	pg_wait "SELECT count(*) > 0 FROM pg_stat_activity
	    WHERE usename = 'cron' AND wait_event = 'PgSleep'" || {
		cat slow.out slow.err
		return 1
	}
}

end_slow()
{
	[ -z "$holder" ] || let_go
	status=0
	wait "${running[0]}" || status=$?
	running=()
	output=$(<slow.out) stderr=$(<slow.err)
}

# A second configuration with a statement that waits, ./slow/e1.cnf.
make_slow()
{
	cat >slow.sql <<-'SQL'
		SELECT serial, revoked_at, reason, not_after, shard, recorded_at
		FROM crlpress.revocation, (SELECT wait_for_it()) AS waits
		WHERE issuer = :'issuer' AND not_after >= :'lookback'
	SQL
	cat >shard.sql <<-'SQL'
		SELECT serial, revoked_at, reason, not_after, shard, recorded_at
		FROM crlpress.revocation WHERE issuer = :'issuer'
		AND not_after >= :'lookback' AND shard = :'shard'
	SQL
	mkdir -p slow
	slow=$PWD/slow/e1.cnf
	sed "s|^conninfo.*|&\nquery_file = $PWD/slow.sql\n\
shard_query_file = $PWD/shard.sql|" "$conf" >"$slow"
}

@test "a push lists a new serial, and nothing else changes" {
	local -a stood
	local header
	note_shards
	header=$(grep -v -e '^# shard 2 ' -e '  e1/2.crl$' -e '^# end ' \
	    -e '^# replaced ' "$manifest")
	recorded 7a7a7a01 2
	push --serial 7A:7A:7A:01
	ended 0
	same "$stderr" '' stderr
	has "$output" 'e1: serial 7a7a7a01: shard 2, '\
'http://crl.example.com/e1/2.crl, recorded 20'
	has "$output" ' s later'
	has "$output" 'e1: ok: 1 of 1 shards published'
	summary_adds_up "$output"
	lists 7A7A7A01 2
	others_stand 2
	[ "$(crl_field "$store/e1/2.crl" number)" -gt \
	    "$(crl_field before/e1/2.crl number)" ]
	same "$(grep -v -e '^# shard 2 ' -e '  e1/2.crl$' -e '^# end ' \
	    -e '^# replaced ' "$manifest")" "$header" 'other lines'
	shard_states | grep -qx '2 published'
	# The first run replaced nothing.
	same "$(manifest_field replaced)" \
	    "$(iso "$(crl_field before/e1/2.crl this)")" replaced
	all_true
	nothing_left
	# And the next run goes on from there.
	rm -rf before
	cp -a "$store" before
	publish_ok
	lists 7A7A7A01 2
	all_true
}

@test "spellings, several serials and shards, JSON, the ledger" {
	local -a stood
	note_shards
	recorded 7a7a7a11 0
	recorded 7a7a7a12 3
	printf '# today\n\n  7a7a7a11 # one\r\n7a7a7a11\n' >list
	push --json --serial-file list --serial dec:2054846994 --shard 1
	ended 0
	same "$(jq -c '.runs[0].serials | map([.serial, .shard, .listed])' \
	    <<<"$output")" '[["7a7a7a11",0,true],["7a7a7a12",3,true]]' serials
	same "$(jq -c '.runs[0].shards | map([.index, .state, .added])' \
	    <<<"$output")" \
	    '[[0,"published",1],[1,"published",0],[3,"published",1]]' shards
	[ "$(jq -r '.runs[0].serials[0] | (.published_at | fromdate)
	    - (.recorded_at | fromdate)' <<<"$output")" -ge 0 ]
	lists 7A7A7A11 0
	lists 7A7A7A12 3
	others_stand '0 1 3'
	all_true
	same "$(jq -c 'select(.push) | .event' "$state/e1/ledger.jsonl")" \
	    '"start"' start
	same "$(jq -c 'select(.event == "published") | .shard' \
	    "$state/e1/ledger.jsonl" | tail -3 | sort | tr '\n' ' ')" \
	    '0 1 3 ' 'published in the ledger'
	same "$(jq -rc '.serials[]? | select(.[0] == "7a7a7a11") | .[3]' \
	    "$state/e1/ledger.jsonl")" added 'serial in the ledger'
	# From stdin, and again: listed already is fine.
	run --separate-stderr "$CRLPRESS" push --quiet --config "$conf" \
	    --serial - <list
	ended 0
	same "$output$stderr" '' 'a quiet push'
}

# told MEMBERS: these of the one serial of the last report.
told()
{
	jq -c ".runs[0].serials[0] | [$1]" <<<"$output"
}

# about SERIAL: what the text of the last push says of it.
about()
{
	sed -n "s/^e1: serial $1: shard 0, [^ ]*, //p" <<<"$output"
}

# BR 4.9.7 counts the time to the first CRL: any other would look like a
# breach of it.
@test "what is listed already is told as that, without a latency" {
	local number this
	recorded 7a7a7a21 0
	pg_psql -c "UPDATE crlpress.revocation SET reason = 4,
	    recorded_at = now() - interval '15 days'
	    WHERE serial = '\\x7a7a7a21'" >/dev/null
	# The first time it is one that came late.
	push --json --serial 7a7a7a21
	ended 0
	same "$(told '.listed, .listed_before, .changed, .before_number,
	    .before_this_update')" '[true,false,false,null,null]' first
	[ "$(jq '.runs[0].serials[0] | (.published_at | fromdate)
	    - (.recorded_at | fromdate)' <<<"$output")" -ge 1296000 ]
	number=$(crl_field "$store/e1/0.crl" number)
	this=$(iso "$(crl_field "$store/e1/0.crl" this)")
	push --json --serial 7a7a7a21
	ended 0
	same "$(told '.listed, .listed_before, .changed, .before_number,
	    .before_this_update, .published_at')" \
	    "[true,true,false,\"$number\",\"$this\",null]" second
	number=$(crl_field "$store/e1/0.crl" number)
	this=$(iso "$(crl_field "$store/e1/0.crl" this)")
	push --dry-run --serial 7a7a7a21
	ended 0
	has "$(about 7a7a7a21)" \
	    ", listed already by number $number of $this, number "
	has "$(about 7a7a7a21)" ' would be published'
	push --serial 7a7a7a21
	ended 0
	has "$(about 7a7a7a21)" ", listed already by number $number of $this, \
number $(crl_field "$store/e1/0.crl" number) published 20"
	[[ $output != *'s later'* ]]
	# An entry that changes is listed already, too.
	pg_psql -c "UPDATE crlpress.revocation SET reason = 1
	    WHERE serial = '\\x7a7a7a21'" >/dev/null
	push --json --serial 7a7a7a21
	ended 0
	same "$(told '.listed_before, .changed, .published_at')" \
	    '[true,true,null]' changed
	# Of a CRL that is gone nobody knows what it listed.
	rm "$store/e1/0.crl"
	push --json --serial 7a7a7a21
	ended 0
	same "$(told '.listed, .listed_before, .changed, .before_number,
	    .before_this_update, .published_at')" \
	    '[true,null,false,null,null,null]' gone
	rm "$store/e1/0.crl"
	push --serial 7a7a7a21
	ended 0
	has "$(about 7a7a7a21)" \
	    ', whether it was listed before is not known, published 20'
	[[ $output != *'s later'* ]]
}

# What was let pass is not the issuer's word.
@test "whether a foreign CRL lists it says nothing" {
	local serial
	serial=$(some_serial 0)
	"$PUBLISH_TREE/tools/make-ca" --p256 astray
	sed -e "s|^certificate.*|certificate = $PWD/astray/issuer.pem|" \
	    -e "s|^key.*|key = $PWD/astray/issuer.key|" \
	    -e "s|$store|$PWD/other|" -e "s|$state|$PWD/otherstate|" \
	    "$conf" >other.cnf
	mkdir other
	"$CRLPRESS" publish --quiet --config other.cnf \
	    --now "$(date -u -d '30 seconds ago' +%FT%TZ)"
	cp other/e1/0.crl "$store/e1/0.crl"
	push --json --serial "$serial" --pass same-scope:0
	ended 0
	same "$(told '.listed, .listed_before, .published_at')" \
	    '[true,null,null]' foreign
}

@test "a certificate says its serial, issuer and shard itself" {
	local -a stood
	note_shards
	push_refused 3 \
	    'e1/shard 2: push, house rule: serial 7a7a7a01 is not revoked' \
	    --certificate "$CERTS/good.pem"
	recorded 7a7a7a01 2
	push --certificate "$CERTS/good.pem"
	ended 0
	lists 7A7A7A01 2
	others_stand 2
	# DER, and the right one of two configurations.
	openssl x509 -in "$CERTS/good.pem" -outform DER -out good.der
	mkdir both
	cp "$conf" both/
	sed -e "s|^certificate.*|certificate = $CERTS/other/issuer.pem|" \
	    -e "s|^key.*|key = $CERTS/other/issuer.key|" \
	    -e 's|/e1/|/e2/|' "$conf" >both/e2.cnf
	run --separate-stderr "$CRLPRESS" push --config both \
	    --certificate good.der
	ended 0
	same "$stderr" '' stderr
	has "$output" 'e1: ok: 1 of 1 shards'
	run --separate-stderr "$CRLPRESS" push --config both --serial 7a7a7a01
	ended 2
	one_line 'there are several issuers; name one with --issuer'
	run --separate-stderr "$CRLPRESS" push --config both --issuer e1 \
	    --serial 7a7a7a01
	ended 0
	all_true
}

@test "wrong certificates: a clear line, nothing changed" {
	recorded 7a7a7a02 2
	recorded 7a7a7a03 2
	recorded 7a7a7a04 2
	recorded 7a7a7a05 2
	push_refused 2 'no CRL URL in it is of a configured shard, have '\
'http://crl.example.com/e1/9.crl, want' \
	    --certificate "$CERTS/astray.pem"
	push_refused 2 'no CRL URL in it is of a configured shard, have none' \
	    --certificate "$CERTS/none.pem"
	push_refused 2 \
	    'foreign.pem: certificate, RFC 5280, 4.1.2.4: it is not of issuer' \
	    --certificate "$CERTS/foreign.pem"
	push_refused 2 'it names two shards, have 2 and 3' \
	    --certificate "$CERTS/two.pem"
	cat "$CERTS/good.pem" "$CERTS/none.pem" >double.pem
	push_refused 2 'double.pem: certificate: more than one certificate' \
	    --certificate double.pem
	push_refused 2 'no -----BEGIN CERTIFICATE----- in it' \
	    --certificate "$CERTS/good.key"
	head -c 100 "$CERTS/good.pem" >cut.pem
	push_refused 2 'cut.pem: certificate: no -----BEGIN' \
	    --certificate cut.pem
	push_refused 2 'gone.pem: certificate: ' --certificate gone.pem
	# One wrong of two: not even the right one is pushed.
	recorded 7a7a7a01 2
	push_refused 2 'none.pem: certificate' --certificate "$CERTS/good.pem" \
	    --certificate "$CERTS/none.pem"
	# Of the shard's URL, but the scheme knows better.
	spoil shards.scheme=serial-mod
	push_refused 2 'its CRL URL is of shard 2: shard contradicts' \
	    --certificate "$CERTS/good.pem"
}

@test "wrong serials, shards, issuers: a clear line, nothing changed" {
	push_refused 3 \
	    'e1: push, house rule: serial 7b7b7b is not revoked in the data' \
	    --serial 7b7b7b
	push_refused 2 '--serial' \
	    --serial 010203040506070809101112131415161718192021
	push_refused 2 '--serial 0: zero is no serial' --serial 0
	push_refused 2 '--serial xyz: ' --serial xyz
	push_refused 2 '--shard 4: ' --shard 4
	has "$stderr" 'e1 has 4 shards from 0'
	push_refused 2 '--issuer e9: not configured' --issuer e9 --shard 1
	has "$stderr" 'hint: configured: e1'
	push_refused 2 'want --serial, --certificate or --shard'
	recorded 7a7a7a01 2
	printf '7a7a7a01\n# fine\n7a7a7a0g\n7a7a7a01\n' >list
	push_refused 2 'list: serial: line 3: ' --serial-file list
	push_refused 2 'none: serial: cannot be opened' --serial-file none
	: >empty
	push_refused 2 'no serial in the list' --serial-file empty
	# Of two serials one is unknown.
	push_refused 3 'serial 7b7b7b is not revoked' --serial 7a7a7a01 \
	    --serial 7b7b7b
	# Its row names another shard than its certificate.
	recorded 7a7a7a03 1
	issue elsewhere "$ca" 7a7a7a03 'http://crl.example.com/e1/2.crl'
	push_refused 3 'e1/shard 2: push, house rule: serial 7a7a7a03 is not' \
	    --certificate "$CERTS/elsewhere.pem"
}

@test "revoked after thisUpdate: not now, but said" {
	pg_psql -c "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    VALUES ('e1', '\\x7a7a7a01', now() + interval '2 minutes', 1,
	    now() + interval '30 days', 2)" >/dev/null
	push_refused 3 'serial 7a7a7a01 is revoked after this thisUpdate' \
	    --serial 7a7a7a01
	said 'push again in a moment'
}

@test "a store without a manifest is for a run first" {
	rm "$manifest"
	recorded 7a7a7a01 2
	push_refused 3 'push, house rule: there is no manifest' \
	    --serial 7a7a7a01
	said '`crlpress publish` makes the first CRL'
}

@test "a dry run publishes nothing" {
	recorded 7a7a7a01 2
	standing >before.tree
	push --dry-run --serial 7a7a7a01
	ended 0
	has "$output" 'would be published'
	has "$output" '7a7a7a01'
	standing >after.tree
	diff before.tree after.tree
	nothing_left
}

@test "the gates are those of a run" {
	local -a stood
	note_shards
	# Rows that are gone.
	pg_psql -c "DELETE FROM crlpress.revocation WHERE serial = (
	    SELECT serial FROM crlpress.revocation WHERE shard = 2
	    ORDER BY serial LIMIT 1)" >/dev/null
	push_refused 3 'e1/shard 2: no-early-removal' --shard 2
	# Its neighbour is none the worse.
	push --shard 1
	ended 0
	others_stand 1
	push --shard 2 --shard 0
	ended 3
	one_line 'e1/shard 2: no-early-removal'
	cmp before/e1/2.crl "$store/e1/2.crl"
	renewed 0
	push --shard 2 --pass no-early-removal:2
	ended 0
	passed no-early-removal:2
	all_true --quiet
}

@test "a shard with far fewer entries, or an empty one" {
	pg_psql -c "UPDATE crlpress.revocation SET not_after =
	    now() - interval '1 hour' WHERE shard = 2" >/dev/null
	push --shard 2
	ended 3
	cmp before/e1/2.crl "$store/e1/2.crl"
	# Rows of the others say that the issuer is known.
	faults_again
	spoil gates.shard_floor=1% gates.floor=1%
	pg_psql -c 'DELETE FROM crlpress.revocation WHERE shard = 2' >/dev/null
	push --shard 2
	ended 3
	said_not db-scope
	said 'no-early-removal'
	said_not 'push, house rule'
}

@test "a faulty row withholds its shard alone" {
	local -a stood
	note_shards
	make_slow
	recorded 7a7a7a01 2
	sed "s/shard = :/shard >= :/" shard.sql >wrong.sql
	spoil source.shard_query_file="$PWD/wrong.sql"
	push --shard 2
	ended 3
	said 'e1/shard 2/row' \
	    'rows, BR 4.9.7: a row of shard 3, which was not asked for'
	others_stand ''
}

@test "without a statement for one shard all rows are read" {
	local -a stood
	note_shards
	recorded 7a7a7a01 2
	query "$FAULTS_ROWS"
	push --serial 7a7a7a01
	ended 0
	has "$output" ' elsewhere'
	lists 7A7A7A01 2
	others_stand 2
	all_true
	# Nor a row: an unknown serial.
	push_refused 3 'serial 7b7b7b is not revoked' --serial 7b7b7b
	# A row that no shard can be told for closes it, as it does a run.
	with_row "'\\x7c'::bytea, now(), 1::smallint, now() + '1 day', 77"
	push --serial 7a7a7a01
	ended 3
	said 'e1: unplaced-rows'
	# With own statements for one shard and one serial.
	make_slow
	sed "s/AND not_.*/AND serial = decode(:'serial', 'hex')/" \
	    shard.sql >serial.sql
	query "SELECT 1/0, now(), 1, now(), 1" \
	    source.shard_query_file="$PWD/shard.sql" \
	    source.serial_query_file="$PWD/serial.sql"
	recorded 7a7a7a21 1
	push --serial 7a7a7a21
	ended 0
	lists 7A7A7A21 1
	# A statement without its placeholder is no statement for that.
	spoil source.query_file="$PWD/query.sql" \
	    source.shard_query_file="$PWD/query.sql"
	push_refused 2 "the statement has no :'shard'" --shard 1
}

@test "the scheme serial-mod tells the shard by the serial, its column NULL" {
	name=m1 own_ca=$ca
	publish_new m1 shards.count=4 shards.scheme=serial-mod
	pg_psql -c "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after)
	    SELECT 'm1', decode(to_hex(4096 + i), 'hex'),
	    now() - interval '1 hour', 1, now() + interval '9 days'
	    FROM generate_series(1, 40) AS i" >/dev/null
	"$CRLPRESS" publish --quiet --config "$conf" \
	    --now "$(date -u -d '1 minute ago' +%FT%TZ)"
	pg_psql -c "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after)
	    VALUES ('m1', '\\x2003', now() - interval '1 second', 1,
	    now() + interval '9 days')" >/dev/null
	push --serial 2003
	ended 0
	has "$output" 'm1: serial 2003: shard 3'
	crl_field "$store/m1/3.crl" serials | grep -qx 2003
	manifest_holds
}

@test "a push during a full run, whose snapshot was taken before" {
	make_slow
	start_slow "$slow"
	recorded 7a7a7a01 2
	push --serial 7a7a7a01
	ended 0
	lists 7A7A7A01 2
	pushed=$(crl_field "$store/e1/2.crl" number)
	recorded 7a7a7a02 0
	end_slow
	ended 0
	said 'e1/shard 2: somebody else published it meanwhile'
	[ -z "$(faults_said)" ]
	has "$output" 'e1: ok: 4 of 4 shards published'
	# Its rows are those that it was made of in the end.
	summary_adds_up "$output"
	has "$output" ' + 0 withheld, '
	has "$(manifest_field rows)" " listed=$(manifest_sum entries) "
	has "$(manifest_field rows)" ' withheld=0'
	# Not overwritten: made again, with a higher number.
	lists 7A7A7A01 2
	[ "$(crl_field "$store/e1/2.crl" number)" -gt "$pushed" ]
	for shard in 0 1 3; do
		renewed "$shard"
	done
	all_true
	nothing_left
	publish_ok
	lists 7A7A7A02 0
}

# stop_judged: a full run, stopped when all is judged and nothing is put: when
# what it is about to put is in the ledger, and that on the disk.
stop_judged()
{
	local inodes
	inodes=$(stat -c %i "$store"/e1/*.crl)
	strace -f -o trace -P "$state/e1/ledger.jsonl" -e trace=fsync \
	    -e inject=fsync:signal=STOP:when=2 "$CRLPRESS" publish \
	    --config "$conf" >slow.out 2>slow.err 3>&- &
	running=($!)
	until grep -qs 'stopped by SIGSTOP' trace; do
		kill -0 "${running[0]}" 2>/dev/null ||
		    show 'it was not stopped there' || return 1
		sleep 0.05
	done
	stopped=$(sed -n '/stopped by SIGSTOP/{s/ .*//p;q}' trace)
	running+=("$stopped")
	same "$(find "$state/e1/stage" -name '*.crl' | wc -l)" 4 staged &&
	    same "$(tail -n 4 "$state/e1/ledger.jsonl" |
	        grep -c '^{"event":"publishing"')" 4 'in the ledger' &&
	    same "$(stat -c %i "$store"/e1/*.crl)" "$inodes" 'the store'
}

@test "a push while a full run has judged and not yet put" {
	local stopped
	command -v strace >/dev/null || skip 'no strace'
	strace -f -o probe true || skip 'strace may not trace here'
	stop_judged
	recorded 7a7a7a01 2
	push --serial 7a7a7a01
	ended 0
	pushed=$(crl_field "$store/e1/2.crl" number)
	kill -CONT "$stopped"
	end_slow
	ended 0
	[ -z "$(faults_said)" ]
	said 'e1/shard 2: somebody else published it meanwhile'
	lists 7A7A7A01 2
	[ "$(crl_field "$store/e1/2.crl" number)" -gt "$pushed" ]
	all_true --quiet
}

@test "a push that meets a full run at its manifest" {
	# The full run ends while the push waits, and the reverse.
	make_slow
	sed -i "s|, (SELECT wait_for_it()) AS waits||" slow.sql
	sed "s|FROM crlpress.revocation|&, (SELECT wait_for_it()) AS waits|" \
	    shard.sql >slow-shard.sql
	sed "s|^shard_query_file.*|shard_query_file = $PWD/slow-shard.sql|" \
	    "$slow" >slow/push.cnf
	sed -i 's|^\[issuer\]|&\nname = e1|' slow/push.cnf
	recorded 7a7a7a01 2
	hold
	"$CRLPRESS" push --config slow/push.cnf --serial 7a7a7a01 \
	    >slow.out 2>slow.err 3>&- &
	running=($!)
	pg_wait "SELECT count(*) > 0 FROM pg_stat_activity
	    WHERE usename = 'cron' AND wait_event = 'PgSleep'"
	recorded 7a7a7a02 2
	publish_ok
	full=$(manifest_field number)
	let_go
	# It had overtaken the push's shard: the push makes it again.
	pg_psql -c 'SELECT 1' >/dev/null
	end_slow
	ended 0
	lists 7A7A7A01 2
	lists 7A7A7A02 2
	same "$(manifest_field number)" "$full" 'number of the header'
	[ "$(crl_field "$store/e1/2.crl" number)" -gt "$full" ]
	rm -rf before
	cp -a "$GOLD/e1/store" before
	all_true
}

@test "published while the shard of a serial is looked up: newer rows" {
	make_slow
	sed -e "s|FROM crlpress.revocation|&, (SELECT wait_for_it()) AS w|" \
	    -e "s/AND not_after.*/AND serial = decode(:'serial', 'hex')/" \
	    shard.sql >serial.sql
	sed -e "s|^query_file.*|&\nserial_query_file = $PWD/serial.sql|" \
	    -e 's|^\[issuer\]|&\nname = e1|' "$slow" >slow/push.cnf
	recorded 7a7a7a01 2
	hold
	"$CRLPRESS" push --config slow/push.cnf --serial 7a7a7a01 \
	    >slow.out 2>slow.err 3>&- &
	running=($!)
	pg_wait "SELECT count(*) > 0 FROM pg_stat_activity
	    WHERE usename = 'cron' AND wait_event = 'PgSleep'"
	# Its answer is from before this; what is listed may not be.
	recorded 7a7a7a02 2
	publish_ok
	lists 7A7A7A02 2
	end_slow
	ended 0
	[ -z "$(faults_said)" ]
	lists 7A7A7A01 2
	lists 7A7A7A02 2
	rm -rf before
	cp -a "$GOLD/e1/store" before
	all_true
}

@test "two pushes of one shard at once: both serials stand there" {
	local round one two
	for round in {1..20}; do
		one=$(printf '7d%04x01' "$round")
		two=$(printf '7d%04x02' "$round")
		recorded "$one" 1
		"$CRLPRESS" push --quiet --config "$conf" --serial "$one" \
		    >one.out 2>&1 3>&- &
		running=($!)
		recorded "$two" 1
		"$CRLPRESS" push --quiet --config "$conf" --serial "$two" \
		    >two.out 2>&1 3>&- &
		running+=($!)
		for pid in "${running[@]}"; do
			wait "$pid" || {
				cat one.out two.out
				return 1
			}
		done
		running=()
		lists "${one^^}" 1
		lists "${two^^}" 1
	done
	rm -rf before
	cp -a "$GOLD/e1/store" before
	all_true
	nothing_left
}

@test "pushes of all shards at once: the manifest has every one" {
	local shard pid
	for shard in 0 1 2 3; do
		recorded "7e000$shard" "$shard"
	done
	for shard in 0 1 2 3 0 1 2 3; do
		"$CRLPRESS" push --quiet --config "$conf" \
		    --serial "7e000$shard" >"said.$shard" 2>&1 3>&- &
		running+=($!)
	done
	for pid in "${running[@]}"; do
		wait "$pid" || {
			cat said.*
			return 1
		}
	done
	running=()
	for shard in 0 1 2 3; do
		lists "7E000$shard" "$shard"
	done
	cp -a "$GOLD/e1/store" before
	all_true
}

@test "killed anywhere, the next push and the next run end well" {
	local round serial pid
	for round in {1..25}; do
		serial=$(printf '7f%04x' "$round")
		recorded "$serial" 1
		setsid "$CRLPRESS" push --quiet --config "$conf" \
		    --serial "$serial" >said 2>&1 3>&- &
		pid=$!
		sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
		kill -KILL -- "-$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		crl_verifies "$store/e1/1.crl"
		if [ $((round % 2)) -eq 0 ]; then
			push --quiet --serial "$serial"
		else
			publish --quiet
		fi
		ended 0
		[ -z "$(faults_said)" ]
		lists "${serial^^}" 1
		manifest_holds
	done
	rm -rf before
	cp -a "$GOLD/e1/store" before
	all_true
	nothing_left
}

@test "a shard that changes without end: in the end that is a fault" {
	local pid
	command -v strace >/dev/null || skip 'no strace'
	strace -f -o probe true || skip 'strace may not trace here'
	recorded 7a7a7a01 2
	recorded 7a7a7a02 1
	/usr/bin/python3 -c 'import os, sys, time
while True:
    os.utime(sys.argv[1])
    time.sleep(0.005)' "$store/e1/2.crl" 3>&- &
	running=($!)
	# Between the look at it and its put it is held up, where that is
	# written down, until it must have changed.
	under=(strace -f -o /dev/null -P "$state/e1/ledger.jsonl"
	    -e trace=fsync -e inject=fsync:delay_enter=1s)
	push --serial 7a7a7a01 --serial 7a7a7a02
	under=()
	kill "${running[0]}"
	wait "${running[0]}" || true
	running=()
	ended 4
	one_line 'e1/shard 2: store, house rule: somebody else published here'
	has "$output" 'e1: serial 7a7a7a01: not published, shard 2'
	lists 7A7A7A02 1
	cmp before/e1/2.crl "$store/e1/2.crl"
	all_true
	push --serial 7a7a7a01
	ended 0
	lists 7A7A7A01 2
	all_true
}
