# SPDX-License-Identifier: ISC
#
# What was published against what would be: objects that are not what was put
# there, entries that are gone or changed, far too few of them. The shard
# stands, the others go on, and an operator lets one pass by name.
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
	# A CRL for the same URL by another CA, and by another key of this one.
	other_crl '/C=XX/O=Example Trust/CN=Example Issuer E2' name.crl
	other_crl '/C=XX/O=Example Trust/CN=Example Issuer E1' key.crl
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

# other_crl SUBJECT FILE: shard 1 as a CA of this name makes it.
other_crl()
{
	local own_ca=$BATS_FILE_TMPDIR/${2%.crl}
	"$PUBLISH_TREE/tools/make-ca" --subject "$1" "$own_ca"
	BATS_TEST_TMPDIR=$own_ca publish_new e1 shards.count=4
	"$CRLPRESS" publish --quiet --config "$conf"
	cp "$store/e1/1.crl" "$GOLD/$2"
}

# own_crl FILE ARGUMENT...: shard 1 as another run makes it, into FILE; the
# store is then as before.
own_crl()
{
	with=("${@:2}")
	press
	ended 0
	cp "$store/e1/1.crl" "$1"
	faults_again
}

@test "a published object that is garbage, or empty, or cut off" {
	echo garbage >"$store/e1/1.crl"
	press
	ended 3
	one_line 'e1/shard 1: previous-readable' 'e1/1.crl is published but' \
	    'is no CRL'
	held 1
	with=(--pass previous-readable:1)
	press
	ended 0
	held ''
	[ "$(grep -c '^warning: .*previous-readable' <<<"$stderr")" -eq 1 ]
	passed previous-readable:1
	faults_again
	: >"$store/e1/1.crl"
	press
	ended 3
	one_line 'e1/shard 1: previous-readable' 'is no CRL'
	held 1
	faults_again
	truncate -s -1 "$store/e1/1.crl"
	press
	ended 3
	one_line 'e1/shard 1: previous-readable' 'is no CRL'
	held 1
}

@test "a published object of another issuer, or of another key" {
	cp "$GOLD/name.crl" "$store/e1/1.crl"
	withheld 1 'e1/shard 1: same-scope' 'another issuer name'
	faults_again
	cp "$GOLD/key.crl" "$store/e1/1.crl"
	withheld 1 'e1/shard 1: same-scope' 'another authority key identifier'
	faults_again
	cp "$GOLD/name.crl" "$store/e1/1.crl"
	with=(--pass same-scope:1)
	published
	passed same-scope:1
	# That one test was let pass keeps none of the others from being told.
	said 'let pass by --pass: the published CRL has another issuer name' \
	    'let pass by --pass: the published CRL has another authority key' \
	    'let pass by --pass: the signature of the published CRL: '
}

@test "a published object damaged in the middle: how far it is compared" {
	local octets offset
	octets=$(crl_field "$store/e1/1.crl" serials | sed -n 43p |
	    sed 's/../\\x&/g')
	# The tag of the 43rd serial; its length stands between.
	offset=$(grep -aboP "$octets" "$store/e1/1.crl" | head -n 1 |
	    cut -d : -f 1)
	printf '\5' | dd of="$store/e1/1.crl" bs=1 conv=notrunc status=none \
	    seek=$((offset - 2))
	withheld 1 'e1/shard 1: same-scope' 'signature'
	faults_again
	printf '\5' | dd of="$store/e1/1.crl" bs=1 conv=notrunc status=none \
	    seek=$((offset - 2))
	with=(--pass same-scope:1)
	withheld 1 'e1/shard 1: previous-readable' \
	    ': only the 42 entries before it can be compared, and none behind'
	with=(--pass same-scope:1 --pass previous-readable:1)
	published
	said 'let pass by --pass: published CRL, offset' 'only the 42 entries'
	passed same-scope:1 previous-readable:1
}

@test "a published object that the issuer never signed" {
	printf '\1' | dd of="$store/e1/1.crl" bs=1 conv=notrunc status=none \
	    seek=$(($(stat -c %s "$store/e1/1.crl") - 1))
	withheld 1 'e1/shard 1: same-scope' 'signature'
	with=(--pass same-scope:1)
	published
}

@test "a published object of another shard" {
	cp "$store/e1/0.crl" "$store/e1/1.crl"
	withheld 1 'e1/shard 1: same-scope' \
	    'does not name http://crl.example.com/e1/1.crl'
}

@test "a published number above ours: all go on above it" {
	local huge=1427247692705959881058285969449495136382746624
	echo $huge >"$state/e1/number"
	own_crl huge.crl
	cp huge.crl "$store/e1/1.crl"
	published
	[ "$(manifest_field number)" = "${huge%4}6" ]
	[ "$(openssl crl -inform DER -in "$store/e1/3.crl" -noout -crlnumber)" \
	    = "$(printf 'crlNumber=0x4%036d2' 0)" ]
}

@test "the last number there is" {
	local last=730750818665451459101842416358141509827966271486
	echo $last >"$state/e1/number"
	own_crl last.crl
	cp last.crl "$store/e1/1.crl"
	withheld 1 'e1/shard 1: number-up' 'want above the published'
	said 'hardly one is left after it below 2^159'
	with=(--pass number-up:1)
	published
	passed number-up:1
	[ "$(all_have number)" -lt 2000000000000 ]
}

@test "a published object from the future" {
	own_crl future.crl --pass clock --now "$(date -u -d 1hour +%FT%TZ)"
	cp future.crl "$store/e1/1.crl"
	press
	ended 3
	held 1
	[ "$(faults_said | wc -l)" -eq 2 ]
	said 'e1/shard 1: time-up, RFC 5280, 5.1.2.4: thisUpdate' \
	    'e1/shard 1: next-update-up, RFC 5280, 5.1.2.5: nextUpdate'
	with=(--pass time-up:1)
	withheld 1 'e1/shard 1: next-update-up'
	faults_again
	cp future.crl "$store/e1/1.crl"
	with=(--pass time-up:1 --pass next-update-up:1)
	published
	passed time-up:1 next-update-up:1
}

@test "a validity that was shortened: nextUpdate would go back" {
	spoil crl.validity=8d
	stands_still 3
	[ "$(faults_said |
	    grep -c 'e1/shard [0-3]: next-update-up, .*nextUpdate')" -eq 4 ]
	with=(--pass next-update-up:0 --pass next-update-up:1
	    --pass next-update-up:2 --pass next-update-up:3)
	published
	passed next-update-up:0 next-update-up:1 next-update-up:2 \
	    next-update-up:3
	# One decision, told once; what guards entries is decided by shard.
	faults_again
	with=()
	stands_still 3
	said 'hint: where [crl] validity was shortened, '\
'--pass next-update-up:all; without that'
	has "$output" 'e1: withheld: 0-3'
	with=(--pass next-update-up:all)
	published
	passed next-update-up:all
	same "$(jq -c 'select(.event == "passed") | [.gate, .all, .shard]' \
	    "$state/e1/ledger.jsonl")" '["next-update-up",true,null]' ledger
	with=(--pass no-early-removal:all)
	stands_still 2
	said 'usage: --pass no-early-removal:all: this gate guards entries'
	# And it passes nothing else.
	faults_again
	cp "$store/e1/0.crl" "$store/e1/1.crl"
	with=(--pass next-update-up:all)
	withheld 1 'e1/shard 1: same-scope'
}

@test "a manifest that is garbage, cut off, empty, gone" {
	echo garbage >"$manifest"
	refused 3 "${manifest##*/}: previous-readable" 'line 1: '
	said 'hint: the shards themselves are judged without it'
	head -n 8 "$GOLD/e1/store/${manifest##*/}" >"$manifest"
	refused 3 "${manifest##*/}: previous-readable" line
	sed 's/entries=1/entries=2/' "$GOLD/e1/store/${manifest##*/}" \
	    >"$manifest"
	refused 3 "${manifest##*/}: previous-readable" line
	: >"$manifest"
	refused 3 "${manifest##*/}: previous-readable"
	rm "$manifest"
	refused 3 'e1: store-known' 'has no manifest'
	with=(--pass store-known)
	published
	passed store-known
	said 'warning: crlpress-manifest-e1.txt: db-fresh' 'no manifest'
}

@test "a shard that somebody removed is made anew" {
	rm "$store/e1/1.crl"
	published
}

@test "a shard that is gone, and a row of it too: the manifest remembers" {
	rm "$store/e1/2.crl"
	pg_psql -c "DELETE FROM crlpress.revocation WHERE serial = (SELECT
	    serial FROM crlpress.revocation WHERE issuer = 'e1' AND shard = 2
	    LIMIT 1)"
	rows_changed=yes
	publish
	ended 3
	has "$stderr" 'e1/shard 2: previous-readable'
	has "$stderr" 'e1/2.crl is gone from the store'
	[ ! -e "$store/e1/2.crl" ]
}

@test "a store, or a shard, that is an older copy" {
	cp -a "$store" "$work/older"
	publish
	ended 0
	cp "$work/older/e1/2.crl" "$store/e1/2.crl"
	publish
	ended 3
	has "$stderr" 'e1/shard 2: previous-readable'
	has "$stderr" 'is older than the last manifest has it'
	rm -rf "$store"
	cp -a "$work/older" "$store"
	publish
	ended 3
	has "$stderr" 'e1: store-known'
	has "$stderr" 'has an older manifest than was published from here'
}

@test "fewer shards configured than are published" {
	query "$FAULTS_ROWS AND shard < 3" shards.count=3
	refused 3 'e1: set-complete' 'shard 3 is published' \
	    'have 3 shards from 0'
	query "$FAULTS_ROWS AND shard > 0" shards.count=3 shards.first=1
	refused 3 'e1: set-complete' 'shard 0 is published'
	with=(--pass set-complete)
	press
	ended 0
	[ -z "$(faults_said)" ]
	passed set-complete
	cmp "$store/e1/0.crl" before/e1/0.crl
	! cmp -s "$store/e1/1.crl" before/e1/1.crl || return 1
}

@test "a row deleted: its shard stands until somebody lets it go" {
	local serial
	serial=$(some_serial 1)
	change_rows "DELETE FROM crlpress.revocation
	    WHERE serial = '\\x$serial'"
	withheld 1 'e1/shard 1: no-early-removal, RFC 5280, 3.3: ' \
	    "serial $serial" 'has no row'
	entry_of 1 "$serial"
	with=(--pass no-early-removal:0)
	withheld 1 'e1/shard 1: no-early-removal' "serial $serial"
	with=(--pass no-early-removal:1)
	published
	said 'warning: e1/shard 1: no-early-removal' 'let pass by --pass' \
	    "serial $serial"
	passed no-early-removal:1
	grep '^# shard 1 .* removed=1 ' "$manifest"
	[ -z "$(entry_of 1 "$serial")" ]
}

@test "a row moved to another shard is missed in its own" {
	local serial
	serial=$(some_serial 1)
	change_rows "UPDATE crlpress.revocation SET shard = 2
	    WHERE serial = '\\x$serial'"
	withheld 1 'e1/shard 1: no-early-removal' "serial $serial"
}

@test "an expired row may leave, once it was listed past its expiry" {
	local at serial
	# So that it has expired since, however slow this machine is.
	at=$(($(date +%s) - 10))
	with=(--now "$(iso $((at - 10)))")
	serial=$(printf '7e%x' "$at")
	change_rows "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard, recorded_at)
	    VALUES ('e1', '\\x$serial', now() - interval '1 hour', 4,
	    to_timestamp($at), 1, to_timestamp($at - 60))"
	published
	rows_are read=601 listed=601 expired=0
	grep '^# shard 1 .* leaving=0 ' "$manifest"
	with=()
	# Expired since: it is listed once more, and may leave after that.
	published
	rows_are read=601 listed=601 expired=0
	entry_of 1 "$serial"
	grep '^# shard 1 .* leaving=1 ' "$manifest"
	published
	rows_are read=601 listed=600 expired=1 gone=0
	grep '^# shard 1 .* removed=1 leaving=0 ' "$manifest"
	[ -z "$(entry_of 1 "$serial")" ]
	published
	rows_are read=601 listed=600 expired=0 gone=1
}

@test "a date or a reason changed" {
	local serial
	serial=$(some_serial 1)
	change_rows "UPDATE crlpress.revocation
	    SET revoked_at = revoked_at - interval '1 second'
	    WHERE serial = '\\x$serial'"
	withheld 1 'e1/shard 1: change, BR 7.2.2: ' "serial $serial changed"
	change_rows "UPDATE crlpress.revocation
	    SET revoked_at = revoked_at + interval '1 second', reason = 4
	    WHERE serial = '\\x$serial'"
	faults_again
	withheld 1 'e1/shard 1: change, BR 7.2.2: ' "serial $serial changed" \
	    'reason 4' 'reason 0 as published'
	with=(--pass change:1)
	published
	passed change:1
	entry_of 1 "$serial" | grep Superseded
}

@test "a reason changed to keyCompromise, with an earlier date" {
	local serial
	serial=$(some_serial 1)
	change_rows "UPDATE crlpress.revocation
	    SET revoked_at = revoked_at - interval '1 hour', reason = 1
	    WHERE serial = '\\x$serial'"
	published
	entry_of 1 "$serial" | grep 'Key Compromise'
	faults_again
	change_rows "UPDATE crlpress.revocation
	    SET revoked_at = revoked_at + interval '2 hours'
	    WHERE serial = '\\x$serial'"
	withheld 1 'e1/shard 1: change' "serial $serial changed" 'reason 1'
}

@test "95 of 100 rows deleted: no gate alone lets it through" {
	local shard
	change_rows "DELETE FROM crlpress.revocation WHERE serial NOT IN (
	    SELECT serial FROM kept ORDER BY serial LIMIT 30)"
	stands_still 3
	# A line a shard, not a line an entry.
	[ "$(faults_said | wc -l)" -eq 4 ]
	[ "$(faults_said | grep -c 'e1/shard [0-3]: no-early-removal, '\
'RFC 5280, 3.3: 1[0-9]* of 1[0-9]* published entries have no row: ')" -eq 4 ]
	for shard in 0 1 2 3; do
		with+=(--pass "no-early-removal:$shard")
	done
	stands_still 3
	[ "$(faults_said | grep -c 'e1/shard [0-3]: shard-floor')" -eq 4 ]
	for shard in 0 1 2 3; do
		with+=(--pass "shard-floor:$shard")
	done
	refused 3 'e1: floor' 'have 30, want at least 90% of 600'
	with+=(--pass floor)
	published
	rows_are read=30 listed=30
	passed no-early-removal:{0,1,2,3} shard-floor:{0,1,2,3} floor
}

@test "half of a shard deleted, and let pass: its floor" {
	change_rows "DELETE FROM crlpress.revocation WHERE shard = 1
	    AND serial NOT IN (SELECT serial FROM kept WHERE shard = 1
	    ORDER BY serial LIMIT 60)"
	with=(--pass no-early-removal:1)
	withheld 1 'e1/shard 1: shard-floor' 'have 60, want at least 50%'
}

@test "a CRL larger than size_most" {
	query "$FAULTS_ROWS UNION ALL
	    SELECT decode(lpad(to_hex(i), 30, '1'), 'hex'),
	        now() - interval '1 hour', 4::smallint,
	        now() + interval '9 days', 2
	    FROM generate_series(1, 1000) AS i" gates.size_most=20k
	withheld 2 'e1/shard 2: size' 'have'
}

@test "--pass: a gate that is none, a shard too many or too few" {
	local gate
	for gate in nonsense floor:1 change change:x change: :1 ''; do
		with=(--pass "$gate")
		refused 2 "--pass $gate: " || show "--pass $gate"
	done
}

@test "a manifest of another issuer, which this one would overwrite" {
	sed -i 's/^# issuer e1$/# issuer e2/' "$store"/crlpress-manifest-e1.txt
	# Its closing line is what cksum says of all before.
	local manifest=$store/crlpress-manifest-e1.txt body
	body=$(grep -v '^# end ' "$manifest"; echo .)
	printf '%s' "${body%.}" >"$manifest"
	printf '# end %s\n' "$(cksum <"$manifest")" >>"$manifest"
	refused 3 'crlpress-manifest-e1.txt: same-scope' 'have e2, want e1'
}

@test "another URL or key for a shard that is published" {
	spoil 'shards.url=http://crl.example.com/e1/r{shard}.crl'
	refused 3 'e1: set-complete' 'http://crl.example.com/e1/r'
	spoil 'shards.object=elsewhere/{shard}.crl'
	refused 3 'e1: set-complete' 'have elsewhere/'
	with=(--pass set-complete)
	publish "${with[@]}"
	ended 0
	has "$stderr" 'let pass'
}
