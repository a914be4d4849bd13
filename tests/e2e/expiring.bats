# SPDX-License-Identifier: ISC
#
# When certificates expire is known years ahead, and the manifest keeps how many
# of a shard's entries do by when: a table whose not_after is changed is refused
# in that very run, before it can prove that anything may leave. What expires
# as it was to, late or early, closes nothing.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/ledger.bash

H=3600
D=86400

setup_file()
{
	publish_setup
}

setup()
{
	publish_env
	t=$(($(date +%s) - 60 * D))
}

teardown_file()
{
	pg_stop
}

# rows FIRST LAST NOT_AFTER: of shards 0 and 1 by turns.
rows()
{
	pg_psql -c "INSERT INTO crlpress.revocation (issuer, serial,
	    revoked_at, reason, not_after, shard, recorded_at)
	    SELECT '$name', decode('01' || lpad(to_hex(i), 4, '0'), 'hex'),
	    to_timestamp($((t - D))), 4, to_timestamp($3), i % 2,
	    to_timestamp($((t - D))) FROM generate_series($1, $2) AS i"
}

# moved TIME [CONDITION]: not_after of what was revoked becomes another.
moved()
{
	pg_psql -c "UPDATE crlpress.revocation SET not_after = to_timestamp($1)
	    WHERE issuer = '$name' AND ${2:-true}"
}

at()
{
	publish --now "$(iso "$1")" "${@:2}"
}

# quiet: the run closed no gate, and said nothing but that it was late, that all
# had run out, or what comes once more since nobody knows whether it was listed.
quiet()
{
	ended 0 || return 1
	same "$(grep -v -e ': period, ' -e 'of rule period$' \
	    -e 'all that is published here ran out' \
	    -e '^  hint: where that was no outage' \
	    -e 'rows that expired are listed once' <<<"$stderr")" '' stderr
}

# quiet_at TIME [LISTED]
quiet_at()
{
	at "$1"
	quiet || return 1
	[ -z "${2:-}" ] || same "$(listed)" "$2" "listed at $1"
}

listed()
{
	cat <(crl_field "$store/$name/0.crl" serials) \
	    <(crl_field "$store/$name/1.crl" serials) | wc -l
}

# refused_at TIME STEP HAVE WANT: both shards, and what stood there stands.
refused_at()
{
	local shard before
	before=$(cat "$store/$name"/?.crl | sha256sum)
	at "$1"
	ended 3 || return 1
	for shard in 0 1; do
		has "$stderr" "$name/shard $shard: no-early-removal, \
RFC 5280, 3.3: more entries expire by $(iso "$2") than was foreseen, have $3,\
 want at most $4; the first is serial 01" || return 1
	done
	has "$stderr" 'not_after was changed in the database' || return 1
	same "$(cat "$store/$name"/?.crl | sha256sum)" "$before" stands
}

# expiring SHARD: the counts that the manifest has; a sum stands behind them.
expiring()
{
	sed -n "s|^# shard $1 .* expiring=\([^ ]*\)/[0-9]* settled=.*|\1|p" \
	    "$manifest"
}

# The last run is taken back to the manifest that was saved as `first`, as if
# it had ended between the shards and the manifest.
half_done()
{
	cp first "$manifest"
	cp first.published "$state/$name/published"
}

save()
{
	cp "$manifest" first
	cp "$state/$name/published" first.published
}

@test "not_after of all set to now: refused at once, and as often" {
	publish_new now
	rows 1 20 $((t + 365 * D))
	quiet_at "$t"
	same "$(expiring 0)" 0/0/0/0/0/0/0/0 expiring
	quiet_at $((t + H)) 20
	moved $((t + 2 * H))
	refused_at $((t + 3 * H)) $((t + 7 * H)) 10 0
	refused_at $((t + 9 * H)) $((t + 7 * H)) 10 0
	# What is known of the CRL that stands is still known.
	same "$(expiring 1)" 0/0/0/0/0/0/0/0 expiring
	moved $((t + 365 * D))
	quiet_at $((t + 12 * H)) 20
}

@test "not_after moved into the future: an hour, two weeks, past the horizon" {
	publish_new future
	rows 1 20 $((t + 365 * D))
	quiet_at "$t"
	moved $((t + 3 * H))
	refused_at $((t + H)) $((t + 6 * H)) 10 0
	moved $((t + 14 * D))
	refused_at $((t + H)) $((t + 16 * D)) 10 0
	# Of one row alone.
	moved $((t + 365 * D)) "serial <> '\\x010003'"
	at $((t + H))
	ended 3
	has "$stderr" "future/shard 1: no-early-removal, RFC 5280, 3.3: more\
 entries expire by $(iso $((t + 16 * D))) than was foreseen, have 1, want at\
 most 0; the first is serial 010003, not_after $(iso $((t + 14 * D)))"
	[[ $stderr != *'future/shard 0'* ]]
}

# earlier_at TIME SHARD=LESS...: refused by the sum alone, and no shard more.
earlier_at()
{
	local one
	at "$1"
	ended 3 || return 1
	for one in "${@:2}"; do
		has "$stderr" "$name/shard ${one%=*}: no-early-removal, \
RFC 5280, 3.3: the 10 published entries expire earlier than when they were \
published, by ${one#*=} in all" || return 1
	done
	same "$(grep -c 'published entries expire earlier' <<<"$stderr")" \
	    $(($# - 1)) shards
}

@test "between two steps and past the last: the sum of all tells" {
	publish_new sum
	rows 1 20 $((t + 365 * D))
	rows 21 21 $((t + 5 * H))
	pg_psql -c "DELETE FROM crlpress.revocation
	    WHERE issuer = 'sum' AND serial = '\\x010001'"
	quiet_at "$t" 20
	# Of one row by a second, of all past the last step, between two steps.
	moved $((t + 365 * D - 1)) "serial = '\\x010004'"
	earlier_at $((t + H)) 0=1s
	moved $((t + 365 * D)) "serial = '\\x010004'"
	moved $((t + 40 * D)) "serial <> '\\x010015'"
	earlier_at $((t + 2 * H)) 0=3250d 1=2925d
	moved $((t + 365 * D)) "serial <> '\\x010015'"
	moved $((t + H + 60)) "serial = '\\x010015'"
	earlier_at $((t + 3 * H)) 1=3h59m
	moved $((t + 5 * H)) "serial = '\\x010015'"
	quiet_at $((t + 4 * H)) 20
	# Later is no fault, and what left is not in the sum.
	moved $((t + 366 * D)) "serial = '\\x010004'"
	quiet_at $((t + 6 * H)) 20
	quiet_at $((t + 7 * H)) 19
	moved $((t + 365 * D)) "serial = '\\x010004'"
	earlier_at $((t + 8 * H)) 0=1d
	at $((t + 9 * H)) --pass no-early-removal:0
	ended 0
	quiet_at $((t + 10 * H)) 19
}

@test "a manifest that was not put, and not_after moved to yesterday" {
	publish_new killed
	rows 1 200 $((t + 90 * D))
	quiet_at "$t"
	save
	quiet_at $((t + H))
	half_done
	moved $((t - D)) "serial < '\\x010011'"
	refused_at $((t + 2 * H)) $((t + 6 * H)) 8 0
	at $((t + 2 * H)) --pass no-early-removal:0 --pass no-early-removal:1
	ended 0
	has "$output" '(+0 -16)'
	# As ever when one was let pass, they come once more.
	quiet_at $((t + 3 * H)) 200
	quiet_at $((t + 4 * H)) 184
}

@test "--pass lets it go, and the run after is quiet" {
	publish_new passed
	rows 1 20 $((t + 365 * D))
	quiet_at "$t"
	moved $((t + H))
	at $((t + 2 * H)) --pass no-early-removal:0
	ended 3
	has "$stderr" 'warning: passed/shard 0: no-early-removal, '
	has "$stderr" 'passed/shard 1: no-early-removal, '
	at $((t + 3 * H)) --pass no-early-removal:1
	ended 0
	grep -qx '# passed no-early-removal:1' "$manifest"
	same "$(expiring 1)" 10/10/10/10/10/10/10/10 expiring
	quiet_at $((t + 4 * H)) 0
	quiet_at $((t + 5 * H)) 0
}

@test "what expires as it was to closes nothing, after outages either" {
	publish_new life crl.validity=9d
	rows 1 20 $((t + 7 * H))
	rows 21 40 $((t + 30 * H))
	rows 41 60 $((t + 6 * D))
	rows 61 80 $((t + 7 * D))
	rows 81 100 $((t + 30 * D))
	rows 101 200 $((t + 90 * D))
	quiet_at "$t" 200
	same "$(expiring 0)" 0/10/10/20/20/40/40/50 expiring
	# More come, which nobody foresaw.
	rows 201 220 $((t + 13 * H))
	quiet_at $((t + 6 * H)) 220
	quiet_at $((t + 12 * H)) 220
	quiet_at $((t + 18 * H)) 200
	# Three days, and forty.
	quiet_at $((t + 4 * D)) 180
	quiet_at $((t + 44 * D)) 160
	quiet_at $((t + 44 * D + H)) 100
}

@test "nor after a push, and a push that ended before its manifest" {
	publish_new push
	t=$(($(date +%s) - 2 * D))
	rows 1 20 $((t + 30 * H))
	rows 21 60 $((t + 90 * D))
	quiet_at "$t" 60
	quiet_at $((t + 42 * H)) 60
	save
	# Short-lived ones, which the manifest of the run does not know.
	rows 61 68 $((t + 2 * D + 5 * H))
	next_second
	"$CRLPRESS" push --config "$conf" --serial 01003d --serial 01003e
	same "$(listed)" 48 listed
	same "$(expiring 0)" 4/4/4/4/4/4/4/4 expiring
	half_done
	next_second
	publish
	quiet
	same "$(listed)" 48 listed
	next_second
	publish
	quiet
}

@test "nor after runs that were killed, of shards by expiry too" {
	publish_new chunks shards.scheme=expiry shards.count=2 \
	    shards.anchor="$(iso "$t")" shards.chunk=4d
	rows 1 40 $((t + 4 * D - 1))
	rows 41 60 $((t + 8 * D - 1))
	pg_psql -c "UPDATE crlpress.revocation SET shard = NULL
	    WHERE issuer = 'chunks'"
	quiet_at "$t" 60
	same "$(expiring 0) $(expiring 1)" \
	    '0/0/0/0/40/40/40/40 0/0/0/0/0/20/20/20' expiring
	save
	# All of a shard expire, and a run and another are killed.
	quiet_at $((t + 4 * D)) 60
	half_done
	quiet_at $((t + 4 * D + H)) 20
	has "$output" '(+0 -40)'
	half_done
	# They come once more, as nothing is known of what left before.
	quiet_at $((t + 4 * D + 2 * H)) 60
	quiet_at $((t + 4 * D + 3 * H)) 20
	quiet_at $((t + 40 * D)) 20
	quiet_at $((t + 40 * D + H)) 0
}

# without_expiring: the manifest, as it was before it had the value.
without_expiring()
{
	sed -i -e 's/ expiring=[^ ]*//' -e '$d' "$manifest"
	printf '# end %s\n' "$(cksum <"$manifest")" >>"$manifest"
}

@test "a manifest from before there was such a value" {
	publish_new old
	rows 1 20 $((t + 365 * D))
	quiet_at "$t"
	without_expiring
	moved $((t + 2 * H))
	# Nobody knows better.
	quiet_at $((t + H)) 20
	same "$(expiring 0)" 10/10/10/10/10/10/10/10 expiring
	without_expiring
	quiet_at $((t + 3 * H)) 20
	quiet_at $((t + 4 * H)) 0
}
