# SPDX-License-Identifier: ISC
#
# Retention, exactly: RFC 5280, 3.3 lets an entry leave when it stood on a CRL
# whose thisUpdate lies after notAfter, not a second earlier. Certificates
# that expire a second before, at and after each run, and periods later; runs
# late, early and withheld; rows that come when the certificate has expired.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/ledger.bash

# The period that all is measured in: six hours.
P=21600

setup_file()
{
	publish_setup
}

setup()
{
	publish_env
	t=$(($(date +%s) - 30 * 86400))
}

teardown_file()
{
	pg_stop
}

# expiries TIME...: of certificates around each of these times.
expiries()
{
	local time
	for time; do
		printf '%s\n' $((time - 1)) "$time" $((time + 1)) \
		    $((time + P)) $((time + 2 * P))
	done | sort -nu
}

# revoke_all: a row of shard 0 for each expiry of stdin, which its serial has.
revoke_all()
{
	local expiry rows=
	while read -r expiry; do
		rows+=$(printf "%s('%s', '\\\\x%x', to_timestamp(%d), 4,
		    to_timestamp(%d), 0, to_timestamp(%d))" "${rows:+,}" \
		    "$name" "$expiry" $((t - 86400)) "$expiry" $((t - 86400)))
	done
	pg_psql -c "INSERT INTO crlpress.revocation (issuer, serial,
	    revoked_at, reason, not_after, shard, recorded_at) VALUES $rows"
}

# Expiries of what shard 0 lists.
listed()
{
	crl_field "$store/$name/0.crl" serials |
	    while read -r serial; do
		echo $((16#$serial))
	    done | sort -n
}

# A value of shard 0's line in the manifest.
line()
{
	sed -n "s/^# shard 0 .* $1=\([^ ]*\) .*/\1/p" "$manifest"
}

# run_at TIME [PUBLISHED]: a run at this time lists what it must, when the CRL
# that is published has the other one as its thisUpdate; none: all.
run_at()
{
	local leaving
	leaving=$(line leaving 2>/dev/null) || true
	publish --now "$(iso "$1")"
	ended 0 || return 1
	same "$(crl_field "$store/$name/0.crl" this)" "$1" thisUpdate ||
	    return 1
	same "$(listed)" "$(awk -v from="${2:-0}" '$1 >= from' due)" \
	    "listed at $1" || return 1
	# All that left was to leave, as the manifest had it.
	[ -z "${2:-}" ] ||
	    same "$(line removed)" "$leaving" "removed at $1" || return 1
	same "$(line leaving)" "$(listed | awk -v to="$1" '$1 < to' | wc -l)" \
	    "leaving after $1" || return 1
	manifest_holds
}

# run_all TIME...: one run after the other.
run_all()
{
	local time before=
	expiries "$@" >due
	revoke_all <due
	for time; do
		run_at "$time" "$before" || return 1
		before=$time
	done
}

@test "around each run: -1 s, 0, +1 s, +1 period, +2 periods" {
	publish_new periods
	run_all $((t)) $((t + P)) $((t + 2 * P)) $((t + 3 * P)) $((t + 4 * P)) \
	    $((t + 5 * P)) $((t + 6 * P)) $((t + 7 * P))
	# All but the last ones have expired, and left.
	same "$(listed | wc -l)" 7 'entries left'
	[[ $(manifest_field rows) =~ ' expired='[1-9].*' gone='[1-9] ]]
}

@test "with a period that changes: an hour, a second, half a day" {
	publish_new changing
	run_all $((t)) $((t + P)) $((t + P + 3600)) $((t + P + 7200)) \
	    $((t + P + 7201)) $((t + P + 7202)) $((t + 3 * P)) $((t + 5 * P))
}

@test "after outages of several periods, the second longer than lookback" {
	publish_new outages source.lookback=1d crl.validity=9d
	run_all $((t)) $((t + P)) $((t + 6 * P)) $((t + 7 * P)) \
	    $((t + 60 * P)) $((t + 61 * P)) $((t + 62 * P))
}

@test "a shard withheld for periods: what stands is the witness" {
	local k
	publish_new withheld
	expiries $((t)) $((t + P)) $((t + 2 * P)) $((t + 3 * P)) \
	    $((t + 4 * P)) >due
	revoke_all <due
	run_at "$t"
	run_at $((t + P)) "$t"
	cp "$store/withheld/0.crl" stands.crl
	local leaving
	leaving=$(line leaving)
	[ "$leaving" -gt 0 ]
	# A reason that the profile does not know; the other shard goes on.
	revoke 7a 0 $((t - 86400)) $((t + 90 * 86400)) 2
	for k in 2 3 4; do
		publish --now "$(iso $((t + k * P)))"
		ended 3
		cmp "$store/withheld/0.crl" stands.crl
		same "$(line state)" withheld state
		# What is known of the CRL that stands is still known.
		same "$(line leaving)" "$leaving" leaving
	done
	pg_psql -c "DELETE FROM crlpress.revocation WHERE issuer = 'withheld'
	    AND serial = '\\x7a'"
	run_at $((t + 5 * P)) $((t + P))
	run_at $((t + 6 * P)) $((t + 5 * P))
}

@test "a CRL whose manifest was never put: the one before says nothing" {
	publish_new lost shards.count=1
	expiries $((t)) $((t + P)) >due
	for i in {1..90}; do
		echo $((t + 80 * 86400 + i))
	done >>due
	revoke_all <due
	run_at "$t"
	same "$(line leaving)" 1 leaving
	cp "$manifest" first
	cp "$state/lost/published" first.published
	run_at $((t + P)) "$t"
	same "$(line leaving)" 3 leaving
	# As if it had ended between the shard and the manifest.
	cp first "$manifest"
	cp first.published "$state/lost/published"
	publish --now "$(iso $((t + 2 * P)))"
	ended 0
	same "$(line removed)" 3 removed
	# Nothing is known of what the first let out, so what had left it comes
	# once more.
	same "$(listed)" "$(awk -v left=$((t - 1)) -v from=$((t + P)) \
	    '$1 == left || $1 >= from' due)" listed
}

# late SERIAL RECORDED: a row of a certificate that expired a day before, and
# was revoked a week before.
late()
{
	pg_psql -c "INSERT INTO crlpress.revocation (issuer, serial,
	    revoked_at, reason, not_after, shard, recorded_at)
	    VALUES ('$name', '\\x$1', to_timestamp($((t - 7 * 86400))), 4,
	    to_timestamp($((t - 86400))), 0, to_timestamp($2))"
}

# serials_at TIME LISTED EXPIRED GONE: a run, and what it lists.
serials_at()
{
	publish_ok --now "$(iso "$1")"
	same "$(crl_field "$store/$name/0.crl" serials | tr '\n' ' ')" "$2" \
	    "listed at $1"
	has "$output" " $3 expired + $4 gone"
}

@test "revocations recorded after expiry are listed once" {
	publish_new late
	t=$(($(date +%s) - 3 * 86400))
	revoke 11 0 $((t - 86400)) $((t + 90 * 86400))
	serials_at $((t - 3600)) '11 ' 0 0
	serials_at "$t" '11 ' 0 0
	same "$(line settled)" "$(iso $((t - 3600)))" settled
	# The CRL before last could have had the first, which may have left.
	late 20 $((t - 3601))
	late 21 $((t - 3600))
	late 22 "$t"
	late 23 $((t + 1))
	serials_at $((t + 3600)) '11 21 22 23 ' 0 1
	late 19 $((t - 1))
	late 24 $((t + 3599))
	late 25 $((t + 3600))
	serials_at $((t + 7200)) '11 24 25 ' 3 2
	serials_at $((t + 10800)) '11 ' 2 5
	serials_at $((t + 14400)) '11 ' 0 7
}

@test "after an outage of ten days late rows are still known by their times" {
	publish_new tardy
	t=$(($(date +%s) - 12 * 86400))
	revoke 11 0 $((t - 86400)) $((t + 90 * 86400))
	serials_at $((t - P)) '11 ' 0 0
	serials_at "$t" '11 ' 0 0
	late 20 $((t - P - 1))
	late 21 $((t - P + 1))
	publish --now "$(iso $((t + 10 * 86400)))"
	ended 0
	same "$(crl_field "$store/tardy/0.crl" serials | tr '\n' ' ')" \
	    '11 21 ' listed
}

@test "a transaction that a CRL was made beside" {
	local now
	publish_new slow
	revoke 11 0 "$(sec '2 days ago')" "$(sec '30 days')"
	now=$(sec '4 minutes ago')
	publish_ok --now "$(iso $((now - 60)))"
	publish_ok --now "$(iso "$now")"
	mkfifo say
	"$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 <say >said 2>&1 3>&- &
	exec 7>say
	cat >&7 <<-'END'
	BEGIN;
	INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    VALUES ('slow', '\x21', now() - interval '2 days', 0,
	    now() - interval '1 day', 0);
	SELECT 'inserted';
	END
	until grep -q inserted said; do
		sleep 0.05
	done
	next_second
	publish_ok
	same "$(crl_field "$store/slow/0.crl" serials)" 11 'while it is open'
	echo 'COMMIT;' >&7
	exec 7>&-
	wait "$!"
	publish_ok
	same "$(crl_field "$store/slow/0.crl" serials | tr '\n' ' ')" '11 21 ' \
	    'committed'
	publish_ok
	same "$(crl_field "$store/slow/0.crl" serials)" 11 'in the end'
	publish_ok
	same "$(crl_field "$store/slow/0.crl" serials)" 11 'for good'
}

@test "a row that was let out, and is mended when it has expired" {
	publish_new mended
	revoke 11 0 $((t - 86400)) $((t + 90 * 86400))
	revoke 12 0 $((t - 86400)) $((t + 1))
	# Revoked in a year that is to come.
	revoke 7a 0 $((t + 365 * 86400)) $((t + 3600))
	pg_psql -c "UPDATE crlpress.revocation SET
	    recorded_at = to_timestamp($((t - 86400))) WHERE issuer = 'mended'"
	publish --now "$(iso "$t")" --pass rows:0
	ended 0
	publish --now "$(iso $((t + P)))" --pass rows:0
	ended 0
	publish --now "$(iso $((t + 2 * P)))" --pass rows:0
	ended 0
	has "$output" ' 1 expired + 0 gone '
	same "$(line settled)" - settled
	publish --now "$(iso $((t + 3 * P)))"
	ended 3
	# Of the CRL that stands that is still not known.
	same "$(line settled)" - settled
	pg_psql -c "UPDATE crlpress.revocation
	    SET revoked_at = revoked_at - interval '366 days'
	    WHERE issuer = 'mended' AND serial = '\\x7a'"
	publish --now "$(iso $((t + 4 * P)))"
	ended 0
	same "$(grep -v ': period, ' <<<"$stderr")" "warning: mended/shard 0:\
 no-early-removal, RFC 5280, 3.3: rows that expired are listed once, since\
 nothing proves that they were before, have 2; the first is serial 12,\
 not_after $(iso $((t + 1)))" stderr
	# The one that had left comes once more: nobody knows which is which.
	same "$(crl_field "$store/mended/0.crl" serials | tr '\n' ' ')" \
	    '11 12 7A ' listed
	same "$(line settled)" "$(iso $((t + 2 * P)))" settled
	publish --now "$(iso $((t + 5 * P)))"
	ended 0
	has "$output" ' 2 expired + 0 gone '
	publish --now "$(iso $((t + 6 * P)))"
	ended 0
	has "$output" ' 0 expired + 2 gone '
	same "$(crl_field "$store/mended/0.crl" serials)" 11 'in the end'
}

# recorded_early: the rows of $name, as if they had been recorded early.
recorded_early()
{
	pg_psql -c "UPDATE crlpress.revocation SET
	    recorded_at = to_timestamp($((t - 86400)))
	    WHERE issuer = '$name'"
}

@test "a row that was let out twice, of a CRL whose manifest was not put too" {
	publish_new twice shards.count=1
	revoke 11 0 $((t - 86400)) $((t + 90 * 86400))
	revoke 7a 0 $((t + 365 * 86400)) $((t + 3600))
	recorded_early
	publish --now "$(iso "$t")" --pass rows:0
	ended 0
	publish --now "$(iso $((t + P)))" --pass rows:0
	ended 0
	cp "$manifest" second
	cp "$state/twice/published" second.published
	publish --now "$(iso $((t + 2 * P)))" --pass rows:0
	ended 0
	# As if it had ended between the shard and the manifest.
	cp second "$manifest"
	cp second.published "$state/twice/published"
	pg_psql -c "UPDATE crlpress.revocation
	    SET revoked_at = revoked_at - interval '366 days'
	    WHERE issuer = 'twice' AND serial = '\\x7a'"
	publish --now "$(iso $((t + 3 * P)))"
	ended 0
	same "$(crl_field "$store/twice/0.crl" serials | tr '\n' ' ')" \
	    '11 7A ' listed
}

@test "what was let leave too early is listed again when nobody knows" {
	publish_new early shards.count=1 gates.floor=0% gates.shard_floor=0%
	revoke 11 0 $((t - 86400)) $((t + 90 * 86400))
	revoke 12 0 $((t - 86400)) $((t + 2 * P + 60))
	recorded_early
	publish --now "$(iso "$t")"
	ended 0
	publish --now "$(iso $((t + P)))"
	ended 0
	pg_psql -c "UPDATE crlpress.revocation
	    SET not_after = to_timestamp($((t + 60)))
	    WHERE issuer = 'early' AND serial = '\\x12'"
	publish --now "$(iso $((t + 2 * P)))"
	ended 3
	publish --now "$(iso $((t + 2 * P)))" --pass no-early-removal:0
	ended 0
	same "$(line settled)" - settled
	# It expired, and has not stood on a CRL since.
	publish --now "$(iso $((t + 3 * P)))"
	ended 0
	same "$(crl_field "$store/early/0.crl" serials | tr '\n' ' ')" \
	    '11 12 ' listed
	publish --now "$(iso $((t + 4 * P)))"
	ended 0
	same "$(crl_field "$store/early/0.crl" serials)" 11 'in the end'
}

@test "where the source does not tell when, what expired is not new" {
	publish_new late
	t=$(($(date +%s) - 3 * 86400))
	revoke 31 0 $((t - 86400)) $((t + 90 * 86400))
	cat >query.sql <<-'END'
	SELECT serial, revoked_at, reason, not_after, shard
	FROM crlpress.revocation WHERE issuer = :'issuer'
	AND serial > '\x30'
	END
	publish_configure "source.query_file=$PWD/query.sql"
	serials_at "$t" '31 ' 0 0
	# The first CRL had all there was: what it lacks was on none.
	late 41 $((t + 1))
	publish --now "$(iso $((t + 3600)))"
	ended 0
	has "$stderr" 'are listed once, since nothing proves that they were'\
' before, have 1; the first is serial 41, '
	same "$(crl_field "$store/late/0.crl" serials | tr '\n' ' ')" '31 41 ' \
	    listed
	late 42 $((t + 3601))
	serials_at $((t + 7200)) '31 ' 1 1
	serials_at $((t + 10800)) '31 ' 0 2
}
