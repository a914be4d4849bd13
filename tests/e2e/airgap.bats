# SPDX-License-Identifier: ISC
#
# A key that no network reaches: publish --stage-tbs, sign, publish --signed.
# The two machines are in tests/lib/airgap.bash.
#
# Each test is a subshell, and variables are those of tests/lib:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/airgap.bash

setup_file()
{
	publish_setup
	"$PUBLISH_TREE/tools/make-ca" --p256 "$BATS_FILE_TMPDIR/foreign"
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
}

# refused STATUS TEXT...: it ended so, said so, and the store is as it was.
refused()
{
	local text
	ended "$1" || return 1
	shift
	for text; do
		has "$stderr" "$text" || return 1
	done
}

# Nothing was signed, or if so, is not in the directory.
unsigned()
{
	run ! ls "$offline"/box/*[0-9].crl "$offline/box/signed.txt"
}

# What stands is what the rows say, and the manifest agrees.
stands()
{
	export_rows "${1:-}"
	compare 2 && manifest_holds
}

# relist FILE: the closing line of a list that was changed.
relist()
{
	head -n -1 "$1" >"$1.new"
	printf '# end %s\n' "$(cksum <"$1.new")" >>"$1.new"
	mv "$1.new" "$1"
}

# recorded SERIAL WHEN
recorded()
{
	pg_psql -c "UPDATE crlpress.revocation
	    SET recorded_at = to_timestamp($(date -d "$2" +%s))
	    WHERE issuer = '$name' AND serial = '\\x$1'"
}

# tbs FILE OUT: what is signed of a CRL, as openssl cuts it out.
tbs()
{
	openssl asn1parse -inform DER -in "$1" -strparse \
	    "$(openssl asn1parse -inform DER -in "$1" |
	        sed -n '2s/^ *\([0-9]*\):.*/\1/p')" -noout -out "$2"
}

@test "three steps make what one run makes" {
	machines round
	stage --now "$at"
	ended 0
	same "$(ls "$box")" "$(printf '%s\n' 0.tbs 1.tbs request.txt)" staged
	(cd "$box" && sha256sum --strict --quiet -c request.txt)
	same "$(head -n -1 "$box/request.txt" | cksum)" \
	    "$(sed -n '$s/^# end //p' "$box/request.txt")" 'closing line'
	same "$(shards)" '' 'the store before it is signed'
	has "$output" "request $(sha256sum <"$box/request.txt" | cut -d' ' -f1)"
	sign
	ended 0
	has "$output" "$(sha256sum <"$box/request.txt" | cut -d' ' -f1)"
	(cd "$box" && sha256sum --strict --quiet -c signed.txt)
	crl_verifies "$box/0.crl"
	bring
	ended 0
	same "$stderr" '' stderr
	stands
	cmp "$box/0.crl" "$store/round/0.crl"
	cmp "$box/1.crl" "$store/round/1.crl"
	# The same bytes as of a run with the key, but for the signature.
	same "$(crl_field "$box/0.crl" number)" "$(<"$state/round/number")" \
	    number
	publish_configure state.dir="$work/state2" store.url="$work/store2"
	mkdir "$work/store2"
	publish_ok --now "$at"
	tbs "$work/store2/round/0.crl" direct
	cmp direct "$box/0.tbs"
	tbs "$store/round/0.crl" carried
	cmp carried "$box/0.tbs"
}

@test "the next set: what was added and removed is shown and agrees" {
	machines next
	press_all "$at"
	revoke 0badcafe 0 "$(date -d '5 minutes ago' +%s)" \
	    "$(date -d '90 days' +%s)" 1
	rm -rf "$box"
	stage
	ended 0
	cmp "$box/0.previous.crl" "$store/next/0.crl"
	cp -r "$box" kept
	mv "$offline/state" state.kept
	cp "$box/1.previous.crl" "$box/0.previous.crl"
	sign
	refused 3 'shard 0' 'the CRL before is not the one of the request'
	rm -rf "$box" "$offline/state"
	cp -r kept "$box"
	sed -i '/^# shard 0 /s/ removed=0/ removed=1/' "$box/request.txt"
	relist "$box/request.txt"
	sign
	refused 3 'shard 0' 'against the CRL before'
	# From the directory alone.
	rm -rf "$box" "$offline/state"
	cp -r kept "$box"
	sign --dry-run
	ended 0
	grep -Eq '^ +0 +[0-9]+ +1 +0 +0 ' <<<"$output"
	rm -rf "$offline/state"
	mv state.kept "$offline/state"
	grep -q '^# shard 0 .* added=1 removed=0 ' "$box/request.txt"
	# From what it remembers, also where the CRLs before were not carried.
	rm "$box"/*.previous.crl
	sign --dry-run
	ended 0
	has "$output" "$(sed -n 's/^# number //p' "$box/request.txt"), after $(
	    sed -n 's/.* previous=\([0-9]*\) .*/\1/p;q' \
	        <(grep '^# shard' "$box/request.txt"))"
	grep -Eq '^ +0 +[0-9]+ +1 +0 +0 ' <<<"$output"
	unsigned
	sign
	ended 0
	bring
	ended 0
	stands
	same "$(manifest_field 'shard 0' | grep -o 'added=[0-9]*')" added=1 \
	    manifest
}

@test "what expired leaves as in one run, and what came late is listed" {
	machines expired
	revoke 0ead 0 "$(date -d '3 days ago' +%s)" \
	    "$(date -d '1 hour ago' +%s)"
	recorded 0ead '3 days ago'
	press_all "$(ago '30 minutes ago')"
	grep -q '^0EAD$' <(crl_field "$store/expired/0.crl" serials)
	# It was listed once after it had expired.
	rm -rf "$box"
	stage --now "$at"
	ended 0
	grep -q '^# shard 0 .* added=0 removed=1 ' "$box/request.txt"
	sign
	ended 0
	grep -Eq '^ +0 +[0-9]+ +0 +1 +0 ' <<<"$output"
	# Expired too, and recorded only now: the next one lists it.
	revoke 0eae 0 "$(date -d '3 days ago' +%s)" \
	    "$(date -d '1 hour ago' +%s)"
	recorded 0eae '5 minutes ago'
	bring
	ended 0
	manifest_holds
	grep -q ' expired=1 ' <<<"$(manifest_field rows)"
	run ! grep -q '^0EA[DE]$' <(crl_field "$store/expired/0.crl" serials)
	press_all "$(ago '2 minutes ago')"
	same "$(crl_field "$store/expired/0.crl" serials | grep '^0EA')" 0EAE \
	    'listed once'
}

@test "staged twice at one time under one number: the same bytes" {
	machines twice
	stage --now "$at"
	ended 0
	mv "$box" first
	cp -a "$state/twice/number" number
	echo $(($(<number) - 1)) >"$state/twice/number"
	stage --now "$at"
	ended 0
	same "$(<"$state/twice/number")" "$(<number)" number
	cmp first/0.tbs "$box/0.tbs"
	cmp first/1.tbs "$box/1.tbs"
	# The database may have written something of its own.
	diff <(grep -v -e '^# position' -e '^# end' first/request.txt) \
	    <(grep -v -e '^# position' -e '^# end' "$box/request.txt")
	rm -rf "$box"
	stage --now "$at"
	ended 0
	run ! cmp -s first/0.tbs "$box/0.tbs"
	# What was staged before is stale.
	rm -rf "$box"
	cp -r first "$box"
	sign
	ended 0
	bring
	refused 3 'not the request that was staged last'
	same "$(shards)" '' store
}

@test "a directory that has something, or cannot be, is left alone" {
	machines full
	mkdir "$box"
	: >"$box/left"
	stage
	refused 1 'not empty, have left'
	same "$(ls "$box")" left directory
	box=$work/none/such
	stage
	refused 1 'cannot be made or opened'
	box=$work/refused
	pg_psql -c "UPDATE crlpress.revocation SET shard = 9
	    WHERE issuer = 'full' AND serial = (SELECT serial
	    FROM crlpress.revocation WHERE issuer = 'full' LIMIT 1)"
	stage
	refused 3 unplaced
	[ ! -e "$box" ]
}

@test "a key is wanted where something is signed, and there alone" {
	machines keyless
	publish
	refused 2 '[issuer] key: none' '--stage-tbs'
	sed -i 's/^key = .*/key = none/' "$offline/sign.cnf"
	stage
	ended 0
	sign
	refused 2 '[issuer] key: none'
	sed -i '/^key/d' "$offline/sign.cnf"
	sign
	refused 2 '[issuer] key: missing'
	publish --stage-tbs a --signed b
	refused 2 'without each other'
	publish --stage-tbs a --dry-run
	refused 2 'without each other'
}

@test "a TBSCertList that was changed is not signed" {
	machines bytes
	stage
	ended 0
	cp -r "$box" kept
	printf '\001' |
	    dd of="$box/1.tbs" bs=1 seek=200 conv=notrunc status=none
	sign
	refused 3 '1.tbs' 'not the bytes that were staged'
	unsigned
	rm -rf "$box"
	cp -r kept "$box"
	echo >>"$box/0.tbs"
	sign
	refused 3 '0.tbs' 'too large'
	unsigned
	# With a request that fits: the bytes speak for themselves.
	rm -rf "$box"
	cp -r kept "$box"
	cp "$box/0.tbs" "$box/1.tbs"
	sed -i "s/^.*  1\.tbs$/$(sed -n 's/  0\.tbs$/  1.tbs/p' \
	    "$box/request.txt")/" "$box/request.txt"
	sed -i "/^# shard 1 /{
		s/ size=[0-9]*/ size=$(stat -c %s "$box/1.tbs")/
	}" "$box/request.txt"
	relist "$box/request.txt"
	sign
	refused 3 'shard 1' 'another distribution point'
	unsigned
}

@test "a request that was changed is not signed" {
	machines list
	stage
	ended 0
	cp -r "$box" kept
	sed -i 's/^# next-update 20../# next-update 2099/' "$box/request.txt"
	sign
	refused 3 'request.txt' 'checksum'
	relist "$box/request.txt"
	sign
	refused 3 'another thisUpdate or nextUpdate'
	cp kept/request.txt "$box"
	sed -i 's/^\(# shard 0 entries=\)/\11/' "$box/request.txt"
	relist "$box/request.txt"
	sign
	refused 3 'shard 0' 'entries, have'
	cp kept/request.txt "$box"
	sed -i 's/ added=[0-9]*/ added=1/' "$box/request.txt"
	relist "$box/request.txt"
	sign
	refused 3 'shard 0' 'against the CRL before'
	cp kept/request.txt "$box"
	sed -i 's/^# algorithm .*/# algorithm 300506032b6570/' \
	    "$box/request.txt"
	relist "$box/request.txt"
	sign
	refused 3 'shard 0' 'another signature algorithm'
	cp kept/request.txt "$box"
	sed -i 's/^# number .*/&0/' "$box/request.txt"
	relist "$box/request.txt"
	sign
	refused 3 'shard 0' 'another crlNumber'
	cp kept/request.txt "$box"
	sed -i 's/^# issuer list/# issuer other/' "$box/request.txt"
	relist "$box/request.txt"
	sign
	refused 3 'for another issuer'
	cp kept/request.txt "$box"
	sed -i 's,/list/,/lost/,g' "$box/request.txt"
	relist "$box/request.txt"
	sign
	refused 3 'another distribution point'
	printf '[shards]\nurl = %s\ncount = 2\n' "$url" >>"$offline/sign.cnf"
	sign
	refused 3 'for other URLs'
	unsigned
	same "$(find "$offline/state" -name signed-number)" '' 'numbers signed'
}

# strip: shard 0 is left one entry, and the request says that it is the first.
strip()
{
	/usr/bin/python3 "$PUBLISH_TREE/tests/lib/tbs_strip.py" "$box" 0
	relist "$box/request.txt"
}

@test "a request that leaves out what was signed here is told" {
	machines strip
	press_all "$at"
	rm -rf "$box"
	stage
	ended 0
	cp -r "$box" kept
	strip
	sign --dry-run
	ended 0
	has "$stderr" 'shard 0: request, house rule: 23 serials are missing'
	has "$stderr" "compare the request's SHA-256"
	# Where it was staged that is another one.
	rm -rf "$box"
	cp -r kept "$box"
	sign
	ended 0
	same "$stderr" '' stderr
	# A set that comes to nothing is nothing to follow, nor to be missed.
	rm -rf "$box"
	stage --now "$(ago now)"
	ended 0
	sign
	ended 0
	same "$stderr" '' stderr
	bring
	ended 0
}

@test "another signature under the number before: the one that stands counts" {
	machines other-half
	stage
	ended 0
	cp -r "$box" kept
	sign
	ended 0
	bring
	ended 0
	# ECDSA: the machine that took over made another one of the same.
	rm -rf "$box" "$offline/state"
	cp -r kept "$box"
	sign
	ended 0
	run ! cmp "$box/0.crl" "$store/other-half/0.crl"
	rm -rf "$box"
	stage
	ended 0
	sign
	ended 0
	bring
	ended 0
}

@test "signed but not carried is partly signed" {
	machines partly
	stage
	ended 0
	mkdir -p "$box/0.crl/in the way"
	sign
	ended 4
	[ -e "$offline/state/partly/signed-number" ]
	rm -rf "$box/0.crl"
	cp "$offline"/state/partly/signed/*/0.crl first
	sign
	ended 0
	cmp first "$box/0.crl"
}

@test "a shard that is withheld keeps no other from being signed" {
	machines withheld
	press_all "$at"
	rm -rf "$box"
	pg_psql -c "DELETE FROM crlpress.revocation WHERE issuer = 'withheld'
	    AND serial = (SELECT serial FROM crlpress.revocation
	    WHERE issuer = 'withheld' AND shard = 0 LIMIT 1)"
	cp "$store/withheld/0.crl" kept.crl
	stage
	ended 3
	has "$stderr" 'withheld/shard 0: no-early-removal'
	same "$(ls "$box")" $'1.previous.crl\n1.tbs\nrequest.txt' staged
	sign
	ended 0
	bring
	ended 3
	has "$stderr" 'withheld/shard 0: signed, house rule: not in the request'
	cmp "$box/1.crl" "$store/withheld/1.crl"
	cmp kept.crl "$store/withheld/0.crl"
}

@test "a shard that cannot be written is not asked for, and the others are" {
	rowless=1 machines noroom
	make_rows 400 --shards 2 --since "$(ago '2 days ago')" \
	    --now "$(ago '2 hours ago')"
	pg_psql -c "UPDATE crlpress.revocation SET shard = 1
	    WHERE issuer = 'noroom' AND serial NOT IN (SELECT serial
	    FROM crlpress.revocation WHERE issuer = 'noroom' AND shard = 0
	    LIMIT 5)"
	# As where there is room for the small one only.
	run --separate-stderr bash -c 'ulimit -f 8; exec "$@"' - "$CRLPRESS" \
	    publish --config "$conf" --stage-tbs "$box" --now "$at"
	refused 4 'File too large'
	has "$output" $'noroom: not staged: 1\nnoroom: partial: '
	has "$output" 'noroom: to be signed: '
	same "$(ls "$box")" $'0.tbs\nrequest.txt' staged
	# What was asked for is signed and published; the rest is told.
	sign
	ended 0
	bring
	ended 3
	has "$stderr" 'noroom/shard 1: signed, house rule: not in the request'
	cmp "$box/0.crl" "$store/noroom/0.crl"
	[ ! -e "$store/noroom/1.crl" ]
}

@test "a file too few or too many" {
	machines files
	mkdir empty
	publish --signed empty
	refused 3 'empty/request.txt: signed, ' \
	    "hint: no set was staged here: \`crlpress publish --stage-tbs DIR\`"
	stage
	ended 0
	bring
	refused 3 "$box/signed.txt: signed, " \
	    "hint: not signed yet: \`crlpress sign\`, where the key is, " \
	    "all of that is expected in $box"
	cp -r "$box" kept
	rm "$box/1.tbs"
	sign
	refused 3 '1.tbs' 'not there'
	cp kept/1.tbs "$box"
	cp kept/1.tbs "$box/2.tbs"
	sign
	refused 3 'does not name, have 2.tbs'
	rm "$box/2.tbs" "$box/request.txt"
	sign
	refused 3 'request.txt' 'not there'
	cp kept/request.txt "$box"
	mkdir "$box/3"
	sign
	refused 3 'does not name, have 3'
	rmdir "$box/3"
	unsigned
	sign
	ended 0
	cp -r "$box" signed
	rm "$box/0.crl"
	bring
	refused 3 '0.crl' 'cannot be opened'
	same "$(shards | wc -l)" 1 'shards published'
	rm -rf "$box"
	cp -r signed "$box"
	rm "$box/signed.txt"
	bring
	refused 3 'signed.txt'
}

@test "another key, another certificate" {
	machines wrong
	stage
	ended 0
	own_key=$BATS_FILE_TMPDIR/foreign/issuer.key offline_configure
	sign
	refused 2 'not the key of the issuer certificate'
	unsigned
	own_key=$BATS_FILE_TMPDIR/foreign/issuer.key \
	    own_certificate=$BATS_FILE_TMPDIR/foreign/issuer.pem \
	    offline_configure
	rm -rf "$offline/state"
	sign
	refused 3 'another issuer certificate'
	unsigned
	offline_configure issuer.digest=sha512
	sign
	refused 3 'another signature algorithm' 'same on both machines'
	unsigned
}

@test "signed again: what was signed before, and nothing else" {
	machines again
	stage
	ended 0
	sign
	ended 0
	cp -r "$box" first
	rm "$box"/*.crl "$box/signed.txt"
	# Without the key: nothing is signed again.
	own_key=/nonexistent/key offline_configure
	sign
	ended 0
	has "$output" 'begun before'
	diff -r first "$box"
	offline_configure
	# Under this number nothing else is signed, and nothing below it.
	cp -r "$box" second
	sed -i 's/ settled=-/ settled=2026-01-01T00:00:00Z/' "$box/request.txt"
	relist "$box/request.txt"
	sign
	refused 3 'another request was signed under this number'
	rm -rf "$box"
	stage
	ended 0
	mv "$box" later
	cp -r first "$box"
	rm -rf "$box"
	cp -r later "$box"
	sign
	ended 0
	rm -rf "$box"
	cp -r first "$box"
	sign
	refused 3 'the number does not rise'
}

@test "an issuer certificate that is not valid now: told where it is signed" {
	local own_ca to from
	to=$(date -u -d yesterday +%Y%m%d%H%M%SZ)
	from=$(date -u -d tomorrow +%Y%m%d%H%M%SZ)
	"$PUBLISH_TREE/tools/make-ca" --p256 --to "$to" over
	"$PUBLISH_TREE/tools/make-ca" --p256 --from "$from" early
	for own_ca in "$PWD/over" "$PWD/early"; do
		rowless=1 machines "${own_ca##*/}" gates.allow_empty=yes
		stage
		refused 3 'issuer-valid'
		stage --pass issuer-valid
		ended 0
		sign
		ended 0
		has "$stderr" "issuer, house rule: thisUpdate "
		has "$stderr" 'is not within the validity of the issuer'
		bring --pass issuer-valid
		ended 0
	done
	# Of one that is valid nothing is said.
	unset own_ca
	machines valid
	stage
	sign
	ended 0
	same "$stderr" '' stderr
}

@test "a person is asked, and shown what" {
	machines asked
	stage
	ended 0
	for answer in no '' yes-please; do
		run --separate-stderr "$CRLPRESS" sign \
		    --config "$offline/sign.cnf" "$box" <<<"$answer"
		refused 3 'nothing was signed'
		[ ! -e "$box/signed.txt" ]
	done
	run --separate-stderr "$CRLPRESS" sign --config "$offline/sign.cnf" \
	    "$box" </dev/null
	refused 3 'nothing was signed'
	# What is asked for is shown, however quiet.
	run --separate-stderr "$CRLPRESS" sign --quiet \
	    --config "$offline/sign.cnf" "$box" <<<no
	refused 3 'nothing was signed'
	has "$output" 'nextUpdate'
	run --separate-stderr "$CRLPRESS" sign -nqy \
	    --config "$offline/sign.cnf" "$box"
	ended 0
	has "$output" 'nextUpdate'
	[ ! -e "$box/signed.txt" ]
	run --separate-stderr "$CRLPRESS" sign --config "$offline/sign.cnf" \
	    "$box" <<<yes
	ended 0
	has "$output" 'nextUpdate'
	has "$output" 'asked: signed, see '
	has "$output" http://crl.example.com/asked/1.crl
	[ -e "$box/signed.txt" ]
	rm "$box/signed.txt"
	run --separate-stderr "$CRLPRESS" sign -qy \
	    --config "$offline/sign.cnf" "$box"
	ended 0
	same "$output$stderr" '' 'what a quiet one says'
	[ -e "$box/signed.txt" ]
	run --separate-stderr "$CRLPRESS" sign --json --yes \
	    --config "$offline/sign.cnf" "$box"
	ended 0
	same "$(/usr/bin/python3 -c 'import json, sys
report = json.load(sys.stdin)
request = report["requests"][0]
print(report["status"], request["issuer"], len(request["shards"]),
    all(s["sha256"] for s in request["shards"]))' <<<"$output")" \
	    'ok asked 2 True' JSON
}

@test "a revocation in between is told, and owed" {
	machines between
	stage --now "$at"
	ended 0
	sign
	ended 0
	revoke 0badcafe 0 "$(date -d '1 minute ago' +%s)" \
	    "$(date -d '90 days' +%s)"
	# One that is dated back to before it was staged.
	revoke 0badcaff 1 "$(date -d '1 day ago' +%s)" \
	    "$(date -d '90 days' +%s)"
	# One became a key compromise.
	pg_psql -c "UPDATE crlpress.revocation SET reason = 1
	    WHERE issuer = 'between' AND serial = (SELECT serial
	    FROM crlpress.revocation WHERE issuer = 'between' AND shard = 1
	    AND reason = 4 LIMIT 1)"
	bring
	ended 0
	has "$stderr" 'not yet listed: 2 rows'
	has "$stderr" 'and 1 changed entries'
	manifest_holds
	grep -q ' deferred=2 ' <<<"$(manifest_field rows)"
	run ! grep -qi badcaf <(crl_field "$store/between/0.crl" serials)
	rm -rf "$box"
	press_all "$(ago now)"
	stands
}

@test "a row that went or changed in between is not published over" {
	machines gone
	stage
	ended 0
	sign
	ended 0
	pg_psql -c "CREATE TABLE kept_gone AS SELECT * FROM crlpress.revocation
	    WHERE issuer = 'gone' AND serial = (SELECT serial
	    FROM crlpress.revocation WHERE issuer = 'gone' AND shard = 0
	    ORDER BY serial DESC LIMIT 1);
	    DELETE FROM crlpress.revocation r USING kept_gone k
	    WHERE r.issuer = k.issuer AND r.serial = k.serial"
	bring
	refused 3 'shard 0' 'signed but has no row'
	same "$(shards)" "$store/gone/1.crl" 'what is published'
	pg_psql -c "INSERT INTO crlpress.revocation SELECT * FROM kept_gone;
	    UPDATE crlpress.revocation r SET revoked_at =
	    r.revoked_at - interval '1 hour', reason = 5 FROM kept_gone k
	    WHERE r.issuer = k.issuer AND r.serial = k.serial"
	bring
	refused 3 'shard 0' 'has changed since it was staged'
	pg_psql -c "UPDATE crlpress.revocation r SET revoked_at = k.revoked_at,
	    reason = k.reason FROM kept_gone k
	    WHERE r.issuer = k.issuer AND r.serial = k.serial"
	bring
	ended 0
	stands
}

@test "let go by --pass, and revoked again in between" {
	local date minutes
	machines back-again issuer.profile=private
	revoke 0badcafe 0 "$(date -d '3 hours ago' +%s)" \
	    "$(date -d '90 days' +%s)" 6
	press_all "$at"
	# By its old date, or by a new one, which is after thisUpdate.
	for minutes in 2 1; do
		date=now
		[ "$minutes" -eq 1 ] || date='3 hours ago'
		rm -rf "$box"
		pg_psql -c "DELETE FROM crlpress.revocation
		    WHERE issuer = 'back-again' AND serial = '\\x0badcafe'"
		stage --now "$(ago "$minutes minutes ago")" \
		    --pass no-early-removal:0
		ended 0
		sign
		ended 0
		revoke 0badcafe 0 "$(date -d "$date" +%s)" \
		    "$(date -d '90 days' +%s)" 1
		bring --pass no-early-removal:0
		ended 3
		has "$stderr" 'back-again/shard 0: no-early-removal'
		has "$stderr" 'they may be revoked again'
		grep -q 0BADCAFE \
		    <(crl_field "$store/back-again/0.crl" serials)
	done
	pg_psql -c "DELETE FROM crlpress.revocation
	    WHERE issuer = 'back-again' AND serial = '\\x0badcafe'"
	bring --pass no-early-removal:0
	ended 0
	run ! grep 0BADCAFE <(crl_field "$store/back-again/0.crl" serials)
}

@test "what was published in between makes it stale" {
	machines stale
	press_all "$at"
	rm -rf "$box"
	stage
	ended 0
	sign
	ended 0
	# The key was there after all.
	publish_configure
	publish_ok
	cp -a "$store" before
	publish_configure issuer.key=none
	bring
	refused 3 'stale: number' 'stage again'
	diff -r before "$store"
	# One shard is enough.
	rm -rf "$box"
	stage
	ended 0
	sign
	ended 0
	publish_configure
	run --separate-stderr "$CRLPRESS" push --config "$conf" --shard 1
	ended 0
	cp -a "$store" before2
	publish_configure issuer.key=none
	bring
	refused 3 'shard 1' 'stale: number'
	diff -r before2 "$store"
}

# closed_as FILE: what signed.txt says of shard 0 is this file.
closed_as()
{
	cp "$1" "$box/0.crl"
	sed -i "/^# shard 0 /{
		s/ size=.*/ size=$(stat -c %s "$1")/
		n
		s/.*/$(sha256sum <"$1" | cut -d' ' -f1)  0.crl/
	}" "$box/signed.txt"
	relist "$box/signed.txt"
}

@test "what comes back changed is not published" {
	machines back
	stage
	ended 0
	sign
	ended 0
	cp -r "$box" kept
	cp -a "$state" state.kept
	head -c -1 kept/0.crl >flipped
	tail -c 1 kept/0.crl | tr '\000-\377' '\001-\377\000' >>flipped
	cp flipped "$box/0.crl"
	bring
	refused 3 'shard 0' 'SHA-256 differs'
	[ ! -e "$store/back/0.crl" ]
	# With a list that agrees.
	again()
	{
		rm -rf "$box" "$state" "$store"
		mkdir "$store"
		cp -r kept "$box"
		cp -a state.kept "$state"
	}
	again
	closed_as flipped
	bring
	refused 3 'shard 0' signature
	[ ! -e "$store/back/0.crl" ]
	again
	closed_as kept/1.crl
	bring
	refused 3 'shard 0' 'not the TBSCertList that was staged'
	[ ! -e "$store/back/0.crl" ]
	again
	sed -i 's/^# request-sha256 ./&0/;s/^\(# request-sha256 .*\)./\1/' \
	    "$box/signed.txt"
	relist "$box/signed.txt"
	bring
	refused 3 'signed.txt is of another request'
	# A database that is behind the one that was staged from.
	again
	sed -i 's,^\(# position .*/\).*,\1FFFFFFFF,' "$box/request.txt" \
	    "$state/back/staged"
	relist "$box/request.txt"
	cp "$box/request.txt" "$state/back/staged"
	sed -i "s/^# request-sha256 .*/# request-sha256 $(
	    sha256sum <"$box/request.txt" | cut -d' ' -f1)/" "$box/signed.txt"
	relist "$box/signed.txt"
	bring
	refused 3 'not the database that was staged from'
	same "$(shards)" '' store
	again
	bring
	ended 0
	stands
}

@test "another CRL than the one it was judged against" {
	machines other
	press_all "$at"
	rm -rf "$box"
	stage
	ended 0
	sign
	ended 0
	# Of the same number, and the issuer's own word: it is not the same.
	cp -a "$store" kept
	cp -a "$state" kept.state
	key=$ca/issuer.key ca_pem=$ca/issuer.pem \
	    /usr/bin/python3 - "$store/other/0.crl" <<-'END'
		import datetime, os, sys
		from cryptography import x509
		from cryptography.hazmat.primitives import hashes
		from cryptography.hazmat.primitives import serialization
		path = sys.argv[1]
		old = x509.load_der_x509_crl(open(path, 'rb').read())
		key = serialization.load_pem_private_key(
		    open(os.environ['key'], 'rb').read(), None)
		new = x509.CertificateRevocationListBuilder().issuer_name(
		    old.issuer).last_update(old.last_update).next_update(
		    old.next_update - datetime.timedelta(minutes=1))
		for extension in old.extensions:
		    new = new.add_extension(extension.value, extension.critical)
		for entry in old:
		    new = new.add_revoked_certificate(entry)
		signed = new.sign(key, hashes.SHA256())
		open(path, 'wb').write(
		    signed.public_bytes(serialization.Encoding.DER))
	END
	bring
	refused 3 'shard 0' 'another CRL stands here'
	rm -rf "$store" "$state"
	mv kept "$store"
	mv kept.state "$state"
	rm -rf "$box"
	press_all "$(ago now)"
	stands
}

@test "expired on the way, and too old" {
	days_ago=5 machines late crl.validity=3d
	stage --now "$(ago '4 days ago')"
	ended 0
	sign
	refused 3 'expired: nextUpdate'
	sign --now "$(ago '2 days ago')"
	ended 0
	bring
	refused 3 'expired: nextUpdate'
	same "$(shards)" '' store
	# The clock of the signing machine is behind.
	rm -rf "$box"
	stage
	ended 0
	sign --now "$(ago '1 day ago')"
	refused 3 'after the clock here'
	unsigned
}

@test "BR 4.9.7: a set that came too late is refused by age" {
	days_ago=6 machines old crl.validity=9d
	stage --now "$(ago '5 days ago')"
	ended 0
	sign
	refused 3 fresh
	unsigned
	sign --now "$(ago '4 days ago')"
	ended 0
	bring
	refused 3 fresh
	same "$(shards)" '' store
}

# Kills at the Nth system call of a kind; what it was at then is whatever it
# is, and in the end it was not killed any more.
killed_at()
{
	command -v strace >/dev/null || skip 'no strace'
	strace -f -o probe true || skip 'strace may not trace here'
	under=(strace -f -qq -o /dev/null -e "trace=/^($2)"
	    -e "inject=/^($2):signal=SIGKILL:when=$1")
}

@test "kill -9 while it signs: once more, and all is one set" {
	machines killsign
	stage
	ended 0
	cp -r "$box" staged
	killed=()
	for ((n = 1; ; n++)); do
		killed_at "$n" rename
		rm -rf "$box"
		cp -r staged "$box"
		rm -rf "$offline/state"
		sign
		[ "$status" -ne 0 ] || break
		killed=("${killed[@]}" "$n")
		# A CRL that left before the kill is the one that is made.
		mkdir "left.$n"
		cp "$box"/[01].crl "left.$n" 2>/dev/null || true
		under=()
		sign
		ended 0
		for file in "left.$n"/*.crl; do
			[ ! -e "$file" ] || cmp "$file" "$box/${file##*/}"
		done
		same "$(ls "$box")" "$(printf '%s\n' 0.crl 0.tbs 1.crl 1.tbs \
		    request.txt signed.txt)" directory
		(cd "$box" && sha256sum --strict --quiet -c signed.txt)
	done
	# The request, two CRLs twice, the list.
	[ "${#killed[@]}" -ge 6 ]
	under=()
	bring
	ended 0
	stands
}

@test "kill -9 while it is published: once more, and all stands" {
	machines killput
	press_all "$at"
	rm -rf "$box"
	stage
	ended 0
	sign
	ended 0
	cp -a "$store" store.kept
	cp -a "$state" state.kept
	count=0
	for ((n = 1; n < 40; n++)); do
		killed_at "$n" 'rename|link'
		rm -rf "$store" "$state"
		cp -a store.kept "$store"
		cp -a state.kept "$state"
		run --separate-stderr "${under[@]}" "$CRLPRESS" publish \
		    --config "$conf" --signed "$box" --jobs 1
		[ "$status" -ne 0 ] || break
		count=$((count + 1))
		bring
		ended 0
		cmp "$box/0.crl" "$store/killput/0.crl"
		cmp "$box/1.crl" "$store/killput/1.crl"
		manifest_holds
		same "$(manifest_field number)" \
		    "$(sed -n 's/^# number //p' "$box/request.txt")" number
		same "$(manifest_field shard | grep -o ' state=[a-z]*' |
		    sort | uniq -c | xargs)" '2 state=published' states
	done
	same "$status" 0 'the last one'
	[ "$count" -ge 4 ] || {
		echo "killed $count times"
		return 1
	}
	# Once more changes nothing.
	cp -a "$store" finished
	bring
	ended 0
	has "$stderr" 'published already'
	diff -r finished "$store"
	stands
}

@test "an offline root: one CRL of all CA certificates, for 12 months" {
	rowless=1 machines root issuer.profile=tls-ca shards.count=1 \
	    shards.url=http://crl.example.com/root/root.crl \
	    crl.validity=364d crl.period=180d source.lookback=400d
	revoke 1001 0 "$(date -d '10 days ago' +%s)" \
	    "$(date -d '900 days' +%s)" 4
	revoke 1002 0 "$(date -d '9 days ago' +%s)" \
	    "$(date -d '900 days' +%s)" 2
	# Signed on another day than it was staged, and published on a third.
	stage --now "$(ago '6 days ago')"
	ended 0
	sign --now "$(ago '5 days ago')"
	ended 0
	bring
	ended 0
	crl=$store/root/root.crl
	crl_verifies "$crl"
	same "$(crl_field "$crl" serials | xargs)" '1001 1002' serials
	same $(($(crl_field "$crl" next) - $(crl_field "$crl" this))) \
	    $((364 * 86400 - 1)) validity
	openssl crl -inform DER -in "$crl" -noout -text >text
	grep -q 'Only CA Certificates' text
	"$CRLPRESS" verify --profile tls-ca --issuer "$ca/issuer.pem" "$crl"
}

@test "crlpress(1): its example is good for a root that revoked nothing yet" {
	rowless=1 machines newroot issuer.profile=tls-ca
	sed -n '/^For the CRL of a root/,/^\.Ed/p' \
	    "$PUBLISH_TREE/docs/crlpress.1" >example
	{
		sed -e '1,/^\.Bd/d; /^\.Ed/d' -e "s|root.pem|$ca/issuer.pem|" \
		    -e "s|/srv/crl|$store|" -e 's|= root$|= newroot|' example
		printf '[state]\ndir = %s\n' "$state"
	} >"$conf"
	grep -q '^key = none$' "$conf"
	stage
	ended 0
	sign
	ended 0
	bring
	ended 0
	same "$(crl_field "$store/root.crl" serials)" '' serials
}

@test "a key in a token signs the same" {
	module=$(find /usr/lib -name libsofthsm2.so | head -n 1)
	[ -n "$module" ]
	export SOFTHSM2_CONF=$PWD/softhsm2.conf
	mkdir tokens
	printf 'directories.tokendir = %s\nobjectstore.backend = file\n' \
	    "$PWD/tokens" >"$SOFTHSM2_CONF"
	softhsm2-util --init-token --free --label offline --so-pin 12345678 \
	    --pin 271828 >/dev/null
	machines token
	openssl pkcs8 -topk8 -nocrypt -in "$ca/issuer.key" -out import.key
	softhsm2-util --import import.key --token offline --pin 271828 \
	    --label root --id 01 >/dev/null
	rm import.key
	echo 271828 >pin
	chmod 600 pin
	own_key='pkcs11:token=offline;object=root' offline_configure \
	    "issuer.key_module=$module" "issuer.passphrase_file=$PWD/pin"
	press_all "$at"
	stands
}
