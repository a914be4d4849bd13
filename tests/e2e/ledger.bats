# SPDX-License-Identifier: ISC
#
# The ledger, the rule `period` and the difference of a dry run: what they say
# is what the database and the CRLs say.
#
# Each test is a subshell, and what it works with is set by what is loaded:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/ledger.bash

setup_file()
{
	publish_setup
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
}

teardown()
{
	# What a failed test left running.
	[ -z "${running:-}" ] || kill "$running" 2>/dev/null || true
}

# Lines of both kinds with what they have in common.
without_serials()
{
	sed 's/^{"event":"[a-z]*","time":"[^"]*",//; s/,"serials":.*/}/'
}

# The serials that the last run said were added or changed, as
# "shard serial revoked recorded how", sorted.
told_serials()
{
	local last
	last=$(ledger start | tail -n 1 | field run)
	ledger | /usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    if event["run"] == sys.argv[1]:
        for serial in event.get("serials", []):
            print(event["shard"], *serial)' "$last" | sort
}

# How to_char writes a time as the ledger has it.
iso_format='YYYY-MM-DD"T"HH24:MI:SS"Z"'

# The same out of the table; $1 are further conditions, $2 how.
known_serials()
{
	pg_psql -F ' ' -c "SELECT shard, encode(serial, 'hex'),
	    to_char(revoked_at AT TIME ZONE 'UTC', '$iso_format'),
	    to_char(recorded_at AT TIME ZONE 'UTC', '$iso_format'), '$2'
	    FROM crlpress.revocation WHERE issuer = '$name' $1" | sort
}

# recorded SERIAL WHEN: changes when a row was written, to an SQL expression.
recorded()
{
	pg_psql -c "UPDATE crlpress.revocation SET recorded_at = $2
	    WHERE issuer = '$name' AND serial = '\\x$1'"
}

# revoked SERIAL SHARD [DAYS_TO_LIVE]: a row of an hour ago.
revoked()
{
	revoke "$1" "$2" "$(sec '1 hour ago')" "$(sec "${3:-30} days")"
}

@test "what is published is told: the shards, and what is new in them" {
	local five index shard
	publish_new told shards.count=3
	# Shard 2 stays empty.
	make_rows 300 --shards 2
	publish_ok
	same "$(events)" 'start publishing publishing publishing published'\
' published published end ' events
	same "$(ledger | field issuer | sort -u)" told issuers
	same "$(ledger | field run | sort -u | wc -l)" 1 runs
	same "$(ledger published | field first | sort -u)" true first
	same "$(ledger published | field serials | sort -u)" - serials
	same "$(stat -c %a "$state/told/ledger.jsonl")" 600 mode

	pg_psql -c "CREATE TABLE told AS SELECT serial
	    FROM crlpress.revocation WHERE issuer = 'told'"
	next_second
	make_rows 40 --shards 2 --seed 2 --since "$(iso "$(all_have this)")"
	five=$(pg_psql -c "SELECT string_agg(quote_literal(serial), ', ')
	    FROM (SELECT serial FROM crlpress.revocation
	    WHERE issuer = 'told' AND serial IN (SELECT serial FROM told)
	    AND not_after > now() AND reason <> 1
	    ORDER BY serial LIMIT 5) AS few")
	pg_psql -c "UPDATE crlpress.revocation SET reason = 1,
	    recorded_at = now() - interval '3 days'
	    WHERE issuer = 'told' AND serial IN ($five)"
	# One that was written in no time that the ledger reaches.
	revoked 0123 1
	recorded 0123 "'2020-01-01'"
	publish
	ended 0
	same "$(events)" "$(printf '%s' '' 'start publishing publishing '\
'publishing published published published end '{,})" events
	# What was said before is what was said afterwards.
	same "$(ledger publishing | sort | without_serials)" \
	    "$(ledger published | sort | without_serials)" 'said twice'
	same "$(ledger published | tail -n 3 | field first | sort -u)" false \
	    first
	known_serials "AND serial NOT IN (SELECT serial FROM told) AND
	    serial <> '\\x0123'" added >want
	known_serials "AND serial IN ($five)" changed >>want
	told_serials >have
	sort want | diff - <(grep -v ' 0123 ' have)
	same "$(grep ' 0123 ' have | cut -d ' ' -f 4,5)" 'None added' 0123
	for index in 0 1 2; do
		ledger published | tail -n 3 | grep "\"shard\":$index," >line
		shard=$store/told/$index.crl
		same "$(field sha256 <line) $(field size <line)" \
		    "$(sha256sum <"$shard" | cut -c 1-64) $(stat -c %s \
		    "$shard")" "bytes of $index"
		same "$(field number <line)" "$(crl_field "$shard" number)" \
		    number
		same "$(field this_update <line)" \
		    "$(iso "$(crl_field "$shard" this)")" this_update
		same "$(field next_update <line)" \
		    "$(iso "$(crl_field "$shard" next)")" next_update
		same "$(field url <line) $(field key <line)" \
		    "http://crl.example.com/told/$index.crl told/$index.crl" \
		    'url and key'
		has "$(manifest_field shard | grep "^$index ")" \
		    " entries=$(field entries <line) added=$(field added \
		    <line) removed=$(field removed <line) "
	done
	same "$(ledger published | tail -n 3 | field changed |
	    awk '{ n += $1 } END { print n }')" 5 'changed, summed'
	same "$(ledger end | tail -n 1 | field status)" ok status
	same "$(ledger end | tail -n 1 | field exit)" 0 exit
	same "$(ledger end | tail -n 1 | field shards)" '{"published": 3,'\
' "withheld": 0, "failed": 0, "not-uploaded": 0}' shards
	has "$(ledger end | tail -n 1 | field rows)" '"read": 341, "listed": '
}

@test "more serials than a line may have" {
	publish_new many shards.count=1
	make_rows 50 --shards 1
	publish_ok
	pg_psql -c "CREATE TABLE before AS SELECT serial
	    FROM crlpress.revocation WHERE issuer = 'many'"
	next_second
	make_rows 25000 --shards 1 --seed 2 \
	    --since "$(iso "$(all_have this)")"
	publish_ok
	same "$(events)" 'start publishing published end '\
'start publishing serials serials published end ' events
	same "$(ledger published | tail -n 1 | field added)" 25000 added
	same "$(ledger serials | field number | sort -u)" \
	    "$(all_have number)" number
	told_serials >have
	known_serials 'AND serial NOT IN (SELECT serial FROM before)' added |
	    diff - have
	same "$(wc -l <have)" 25000 serials
}

@test "a shard that is withheld, and a gate that is let pass" {
	local number
	publish_new held
	make_rows 40 --shards 2
	revoked 31 0
	publish_ok
	number=$(all_have number)
	pg_psql -c "DELETE FROM crlpress.revocation WHERE issuer = 'held'
	    AND serial = '\\x31'"
	publish
	ended 3
	same "$(events)" 'start publishing publishing published published end '\
'start publishing published withheld end ' events
	ledger withheld >line
	same "$(field shard <line) $(field gates <line)" \
	    '0 ["no-early-removal"]' gates
	same "$(field standing <line)" "$number" standing
	same "$(field until <line)" "$(iso "$(crl_field "$store/held/0.crl" \
	    next)")" until
	same "$(ledger end | tail -n 1 | field status)" refused status
	same "$(ledger end | tail -n 1 | field exit)" 3 exit
	same "$(ledger end | tail -n 1 | field gates)" '[]' gates

	publish --pass no-early-removal:0 --pass floor
	ended 0
	same "$(ledger passed | field gate)" no-early-removal passed
	same "$(ledger passed | field shard)" 0 'passed shard'
	# It is said before anything is published by it.
	has "$(events)" \
	    'start passed publishing publishing published published end '
	same "$(ledger published | tail -n 2 | grep '"shard":0,' |
	    field removed)" 1 removed
}

@test "a run that a gate stops, and one that fails" {
	publish_new stopped
	make_rows 40 --shards 2
	publish_ok
	pg_psql -c "UPDATE crlpress.revocation SET shard = 9
	    WHERE serial = (SELECT serial FROM crlpress.revocation
	    WHERE issuer = 'stopped' LIMIT 1)"
	publish
	ended 3
	has "$(events)" 'published end start end '
	same "$(ledger end | tail -n 1 | field gates)" '["unplaced-rows"]' gates
	same "$(ledger end | tail -n 1 | field number)" - number
	publish_configure source.conninfo='host=/nowhere'
	publish
	ended 1
	has "$(events)" 'start end start end '
	same "$(ledger end | tail -n 1 | field status)" failed status
}

@test "a dry run says nothing in the ledger" {
	publish_new dry
	make_rows 40 --shards 2
	publish_ok --dry-run
	[ ! -e "$state/dry/ledger.jsonl" ]
	publish_ok
	cp "$state/dry/ledger.jsonl" before
	next_second
	make_rows 10 --shards 2 --seed 2 --since "$(iso "$(all_have this)")"
	publish_ok --dry-run --diff
	cmp before "$state/dry/ledger.jsonl"
}

@test "what cannot be written down is not begun" {
	local before
	publish_new unwritable
	make_rows 40 --shards 2
	publish_ok
	before=$(tree "$store")
	mv "$state/unwritable/ledger.jsonl" kept
	ln -s "$PWD/kept" "$state/unwritable/ledger.jsonl"
	publish
	ended 1
	has "$stderr" "/unwritable/ledger.jsonl: ledger: cannot open it: "
	same "$(wc -l <<<"$stderr")" 1 'lines of stderr'
	same "$(tree "$store")" "$before" 'the store'
	rm "$state/unwritable/ledger.jsonl"
	mkdir "$state/unwritable/ledger.jsonl"
	publish
	ended 1
	same "$(tree "$store")" "$before" 'the store'
	rmdir "$state/unwritable/ledger.jsonl"
	publish_ok
}

@test "a ledger that is full after the first line unpublishes nothing" {
	local number
	publish_new full
	make_rows 40 --shards 2
	publish_ok
	number=$(all_have number)
	# Room for the start of a run and for no more.
	head -c 64512 /dev/zero | tr '\0' '\n' >>"$state/full/ledger.jsonl"
	truncate -s $((65536 - 300)) "$state/full/ledger.jsonl"
	printf '%*s\n' 30 '' >>"$state/full/ledger.jsonl"
	run --separate-stderr bash -c 'ulimit -f 64; exec "$@"' - \
	    "$CRLPRESS" publish --config "$conf"
	ended 1
	has "$stderr" '/full/ledger.jsonl: ledger: cannot write to it: '
	has "$output" 'full: failed: 0 of 2 shards published'
	same "$(all_have number)" "$number" number
	# Nothing of a line that did not fit is left.
	same "$(tail -n 1 "$state/full/ledger.jsonl" | field event)" start last
	publish_ok
	has "$(events)" 'start start publishing publishing published published'
}

@test "a ledger that is full once shards are out unpublishes nothing" {
	local number room
	publish_new brim
	make_rows 40 --shards 2
	publish_ok
	publish_ok
	number=$(all_have number)
	# Room for what comes before the first put, and some, but no line more.
	room=$(ledger | tail -n 6 | head -n 3 | wc -c)
	head -c 64512 /dev/zero | tr '\0' '\n' >>"$state/brim/ledger.jsonl"
	truncate -s $((65536 - room - 200)) "$state/brim/ledger.jsonl"
	printf '%*s\n' 100 '' >>"$state/brim/ledger.jsonl"
	run --separate-stderr bash -c 'ulimit -f 64; exec "$@"' - \
	    "$CRLPRESS" publish --config "$conf"
	ended 4
	has "$stderr" '/brim/ledger.jsonl: ledger: cannot write to it: '
	has "$output" 'brim: partial: 2 of 2 shards published'
	[ "$(all_have number)" -gt "$number" ]
	same "$(manifest_field number)" "$(all_have number)" manifest
	manifest_holds
	same "$(tail -n 1 "$state/brim/ledger.jsonl" | field event)" \
	    publishing last
	publish_ok
	has "$(events)" 'start publishing publishing start publishing'
}

@test "a line that a crash cut off does not spoil the next" {
	publish_new torn
	make_rows 40 --shards 2
	publish_ok
	printf '{"event":"published","time":"2026-11' \
	    >>"$state/torn/ledger.jsonl"
	publish_ok
	same "$(grep -c '^{"event":"published","time":"2026-11$' \
	    "$state/torn/ledger.jsonl")" 1 'the torn line'
	same "$(grep -c '^{"event":"end"' "$state/torn/ledger.jsonl")" 2 ends
}

@test "a run that is killed leaves a start without an end" {
	publish_new killed
	make_rows 40 --shards 2
	publish_ok
	publish_configure source.query_file=query.sql
	cat >killed/query.sql <<-'SQL'
	SELECT '\x01'::bytea, now(), 1, now(), 0 FROM pg_sleep(600)
	SQL
	"$CRLPRESS" publish --config "$conf" >killed.out 2>&1 3>&- &
	running=$!
	pg_wait "SELECT count(*) = 1 FROM pg_stat_activity
	    WHERE usename = 'cron' AND wait_event = 'PgSleep'"
	kill -KILL "$running"
	pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	    WHERE usename = 'cron'" >/dev/null
	publish_configure
	publish_ok
	has "$(events)" 'end start start publishing publishing published'
}

@test "the ledger is put aside when it is large, and all of it is kept" {
	local i
	publish_new large state.ledger_size=4k
	make_rows 40 --shards 2
	for i in 1 2 3 4 5; do
		publish_ok
	done
	[ "$(find "$state/large" -name 'ledger-*.jsonl' | wc -l)" -ge 1 ]
	same "$(ledger start | wc -l) $(ledger publishing | wc -l) $(ledger \
	    published | wc -l) $(ledger end | wc -l)" '5 10 10 5' lines
	find "$state/large" -name 'ledger*' -size +4k >larger
	same "$(<larger)" '' 'larger than 4k'
	find "$state/large" -name 'ledger-*' -printf '%f\n' >names
	[[ $(head -n 1 names) =~ \
	    ^ledger-[0-9]{8}T[0-9]{6}Z(-[0-9]+)?\.jsonl$ ]]
}

@test "what was recorded more than a day ago is told by serial" {
	local i
	publish_new late shards.count=1
	# Old ones of the first publication are not news.
	revoked 10 0
	recorded 10 "now() - interval '9 days'"
	publish_ok
	for i in 11 12 13 14 15 16; do
		revoked "$i" 0
	done
	next_second
	recorded 11 "now() - interval '23 hours 59 minutes'"
	recorded 12 "now() - interval '24 hours 1 minute'"
	recorded 13 "now() - interval '3 days 23 hours'"
	recorded 14 "now() - interval '4 days 1 minute'"
	recorded 15 "now() + interval '4 minutes'"
	publish --dry-run
	ended 0
	same "$(grep -c 'period, BR 4.9.7' <<<"$stderr")" 3 'of the dry run'
	publish
	ended 0
	same "$(wc -l <<<"$stderr")" 3 'lines of stderr'
	has "$stderr" 'warning: late/shard 0: period, BR 4.9.7: serial 12 is'\
' listed first now, have recorded_at 20'
	has "$stderr" 'serial 13 is listed first now, have recorded_at 20'
	has "$stderr" 'serial 14 is listed first now, have no recorded_at since'
	same "$(ledger published | tail -n 1 | field late)" 3 late
	# What is listed already is not late a second time.
	publish_ok
}

@test "after an outage, when something was recorded is told from its start" {
	publish_new outage shards.count=1
	revoke 10 0 "$(sec '9 days ago')" "$(sec '30 days')"
	publish_ok --now "$(iso "$(sec '8 days ago')")"
	revoke 11 0 "$(sec '7 days ago')" "$(sec '30 days')"
	recorded 11 "now() - interval '7 days'"
	publish
	ended 0
	same "$(wc -l <<<"$stderr")" 2 'lines of stderr'
	has "$stderr" 'outage: period, house rule: the last run published '
	has "$stderr" 'serial 11 is listed first now, have recorded_at 20'
	same "$(told_serials)" "$(known_serials "AND serial = '\\x11'" added)" \
	    told
}

@test "of two rows of a serial the one that was recorded first counts" {
	publish_new double shards.count=1 source.query_file=query.sql
	cat >double/query.sql <<-'SQL'
	SELECT serial, revoked_at, reason, not_after, shard, recorded_at
	FROM crlpress.revocation WHERE issuer = :'issuer'
	AND not_after >= :'lookback'
	UNION ALL SELECT serial, revoked_at, reason, not_after, shard, now()
	FROM crlpress.revocation WHERE issuer = :'issuer'
	SQL
	revoked 10 0
	publish_ok
	next_second
	revoked 11 0
	recorded 11 "now() - interval '2 days'"
	publish
	ended 0
	has "$stderr" 'serial 11 is listed first now, have recorded_at 20'
	same "$(told_serials)" "$(known_serials "AND serial = '\\x11'" added)" \
	    told
}

@test "of many that are late ten are named and the rest is counted" {
	publish_new crowd shards.count=1
	revoked 10 0
	publish_ok
	next_second
	make_rows 50 --shards 1 --since "$(iso "$(all_have this)")"
	pg_psql -c "UPDATE crlpress.revocation SET recorded_at = now()
	    - interval '2 days' WHERE issuer = 'crowd' AND serial <> '\\x10'"
	publish
	ended 0
	same "$(grep -c 'is listed first now, have recorded_at' \
	    <<<"$stderr")" 10 named
	has "$stderr" 'and 40 more findings of rule period'
	same "$(ledger published | tail -n 1 | field late)" 50 late
}

# A statement whose rows are these pairs of serial and recorded_at.
odd_rows()
{
	cat >odd/query.sql <<-SQL
	SELECT decode(s, 'hex'), '2026-01-01 00:00:00Z'::timestamptz, 1,
	    '2046-01-01 00:00:00Z'::timestamptz, 0, r
	FROM (VALUES $1) AS rows(s, r)
	SQL
}

@test "recorded_at that is no time, not known, or yet to come" {
	publish_new odd shards.count=1 source.query_file=query.sql \
	    source.issuer_id=
	odd_rows "('0a', NULL::timestamptz)"
	publish_ok
	next_second
	odd_rows "('0a', NULL), ('0b', 'infinity'::timestamptz),
	    ('0c', '-infinity'), ('0d', NULL),
	    ('0e', now() + interval '10 minutes')"
	publish
	ended 0
	has "$stderr" 'warning: odd/shard 0: period, BR 4.9.7: serial 0b:'\
' recorded_at is infinity'
	has "$stderr" 'serial 0c is listed first now, have no recorded_at since'
	has "$stderr" 'serial 0e: recorded_at lies in the future, have 20'
	has "$stderr" 'serial 0d is listed first now, have no recorded_at since'
	same "$(crl_field "$store/odd/0.crl" serials | tr '\n' ' ')" \
	    '0A 0B 0C 0D 0E ' listed
	same "$(ledger published | tail -n 1 | field late)" 3 late
}

# It is asked for around the statement, and from when on it matters.
@test "recorded_at is told by statements of any form" {
	local five='serial, revoked_at, reason, not_after, shard' form n=0
	local from="FROM crlpress.revocation WHERE issuer = :'issuer'"
	for form in \
	    "SELECT $five, recorded_at AS written $from ORDER BY 2 LIMIT 9" \
	    "SELECT $five, extract(epoch FROM recorded_at)::bigint $from" \
	    "WITH a AS (SELECT $five, recorded_at $from) TABLE a -- all of it" \
	    "(SELECT $five, recorded_at $from AND serial < '\\x11') UNION ALL
	    (SELECT $five, recorded_at $from AND serial >= '\\x11'); /* all */"
	do
		n=$((n + 1))
		publish_new form$n shards.count=1 source.query_file=query.sql
		printf '%s\n' "$form" >form$n/query.sql
		revoked 10 0
		recorded 10 "now() - interval '9 days'"
		publish_ok
		next_second
		revoked 11 0
		recorded 11 "now() - interval '3 days'"
		publish
		ended 0
		has "$stderr" 'serial 11 is listed first now, have recorded_at '
		same "$(crl_field "$store/form$n/0.crl" serials | xargs)" \
		    '10 11' listed
	done
}

@test "a source of five columns knows of no lateness" {
	publish_new five shards.count=1 source.query_file=query.sql
	cat >five/query.sql <<-'SQL'
	SELECT serial, revoked_at, reason, not_after, shard
	FROM crlpress.revocation WHERE issuer = :'issuer'
	AND not_after >= :'lookback'
	SQL
	revoked 10 0
	publish_ok
	next_second
	revoked 11 0
	recorded 11 "now() - interval '3 days'"
	publish_ok
	same "$(told_serials | cut -d ' ' -f 1,2,4,5)" '0 11 None added' told
	same "$(ledger published | tail -n 1 | field late)" 0 late
	# The same with the sixth.
	sed -i 's/not_after, shard$/&, recorded_at/' five/query.sql
	revoked 12 0
	recorded 12 "now() - interval '3 days'"
	publish
	ended 0
	has "$stderr" 'serial 12 is listed first now, have recorded_at '
}

@test "a run that comes later than the period says so" {
	local t
	publish_new period shards.count=1 crl.period=6h
	t=$(($(date +%s) - 86400 * 5))
	revoke 10 0 $((t - 60)) $((t + 86400 * 90))
	publish_ok --now "$(iso "$t")"
	# An hour of grace.
	publish_ok --now "$(iso $((t + 7 * 3600)))"
	publish --now "$(iso $((t + 14 * 3600 + 1)))"
	ended 0
	same "$stderr" "warning: period: period, house rule: the last run\
 published $(iso $((t + 7 * 3600))), have $(iso $((t + 14 * 3600 + 1))) now,\
 want a run every 6h" stderr
	publish_configure shards.count=1 crl.period=4m
	publish_ok --now "$(iso $((t + 14 * 3600 + 1 + 300)))"
	publish --now "$(iso $((t + 14 * 3600 + 1 + 601)))"
	has "$stderr" 'want a run every 4m'
}

@test "a revocation that was committed late is listed once, though expired" {
	local this
	publish_new slow shards.count=1
	revoked 10 0
	revoke 11 0 "$(sec '2 hours ago')" "$(sec '1 hour ago')"
	recorded 11 "now() - interval '2 hours'"
	publish_ok --now "$(iso "$(sec '3 minutes ago')")"
	publish_ok --now "$(iso "$(sec '2 minutes ago')")"
	publish_ok
	same "$(crl_field "$store/slow/0.crl" serials | tr '\n' ' ')" '10 ' \
	    listed
	this=$(all_have this)
	next_second
	# Revoked and expired before that CRL, and written after it; and one
	# that had been there and left before.
	revoke 12 0 $((this - 7200)) $((this - 3600))
	revoke 13 0 $((this - 7200)) $((this - 3600))
	recorded 13 "to_timestamp($this) - interval '1 hour'"
	# One that is to be written tomorrow would come and go until then.
	revoke 14 0 $((this - 7200)) $((this - 3600))
	recorded 14 "now() + interval '1 day'"
	# Else it might have been recorded after the snapshot, for all we know.
	next_second
	publish
	ended 0
	same "$(wc -l <<<"$stderr")" 1 'lines of stderr'
	has "$stderr" 'serial 14: recorded_at lies in the future, have 20'
	same "$(crl_field "$store/slow/0.crl" serials | tr '\n' ' ')" '10 12 ' \
	    listed
	same "$(told_serials | cut -d ' ' -f 2,5)" '12 added' told
	pg_psql -c "DELETE FROM crlpress.revocation
	    WHERE issuer = 'slow' AND serial = '\\x14'"
	publish_ok
	same "$(crl_field "$store/slow/0.crl" serials | tr '\n' ' ')" '10 ' \
	    listed
	publish_ok
	same "$(crl_field "$store/slow/0.crl" serials | tr '\n' ' ')" '10 ' \
	    'listed in the end'
}

@test "the difference, entry by entry" {
	local at end gone
	publish_new diff shards.count=2
	at=$(sec '2 days ago')
	end=$(sec '20 days')
	gone=$(sec '1 hour ago')
	revoke 10 0 "$at" "$end" 4
	revoke 11 0 "$at" "$gone"
	revoke 12 0 "$at" "$end"
	revoke 20 1 "$at" "$end"
	publish_ok --dry-run
	has "$output" '
diff/shard 0: first publication, 3 entries
diff/shard 1: first publication, 1 entries
diff: ok: 2 of 2 shards would be published, '
	publish_ok
	next_second
	revoke 13 0 "$at" "$end" 5
	pg_psql -c "UPDATE crlpress.revocation SET reason = 1,
	    revoked_at = revoked_at - interval '1 hour'
	    WHERE issuer = 'diff' AND serial = '\\x10';
	    DELETE FROM crlpress.revocation WHERE issuer = 'diff'
	    AND serial = '\\x12'"
	publish --dry-run --pass no-early-removal:0
	ended 0
	has "$output" "
diff/shard 0:
~ 10 $(iso "$at") superseded -> $(iso $((at - 3600))) keyCompromise
- 11 expired $(iso "$gone")
- 12 let pass without a row, was $(iso "$at") unspecified
+ 13 $(iso "$at") cessationOfOperation
diff: ok: 2 of 2 shards would be published, "
	publish --dry-run --json --pass no-early-removal:0
	/usr/bin/python3 - "$(iso "$at")" "$(iso $((at - 3600)))" \
	    "$(iso "$end")" "$(iso "$gone")" 3<<<"$output" <<-'PYTHON'
	import json, os, sys
	at, earlier, end, gone = sys.argv[1:]
	shards = json.load(os.fdopen(3))["runs"][0]["shards"]
	assert shards[0]["first"] is False
	assert shards[1]["changes"] == [], shards[1]
	assert shards[0]["changes"] == [
	    {"change": "changed", "serial": "10", "revoked_at": earlier,
	     "reason": "keyCompromise", "not_after": end,
	     "was": {"revoked_at": at, "reason": "superseded"}},
	    {"change": "removed", "serial": "11", "revoked_at": at,
	     "reason": "unspecified", "not_after": gone},
	    {"change": "lost", "serial": "12", "revoked_at": at,
	     "reason": "unspecified"},
	    {"change": "added", "serial": "13", "revoked_at": at,
	     "reason": "cessationOfOperation", "not_after": end},
	], shards[0]["changes"]
	PYTHON
	# A run that is none says so only when asked, and then does it.
	publish --diff --quiet --pass no-early-removal:0
	ended 0
	has "$output" '- 11 expired'
	publish
	[[ $output != *'expired 20'* ]]
}

@test "ten lines of a shard, or all of them" {
	publish_new long shards.count=2
	revoked 10 0
	publish_ok
	next_second
	make_rows 60 --shards 1 --first 1 --since "$(iso "$(all_have this)")"
	publish_ok --dry-run
	same "$(grep -c '^+ ' <<<"$output")" 10 lines
	has "$output" '
and 50 more; --diff shows them
'
	publish_ok --dry-run --diff
	same "$(grep -c '^+ ' <<<"$output")" 60 lines
	[[ $output != *' more;'* && $output != *'long/shard 0:'* ]]
	publish_ok --dry-run --json
	same "$(grep -o '"change":"added"' <<<"$output" | wc -l)" 60 objects
}
