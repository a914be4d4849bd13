# SPDX-License-Identifier: ISC
#
# crlpress ocsp-gate: what it asks the database, what it refuses to write, and
# what it does write.
#
# What a test works with is set by what is loaded:
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

setup_file()
{
	publish_setup
	# Every kind of certificate: with an OCSP URL, Must-Staple, neither.
	pg_psql -c "CREATE TABLE certificate (issuer text,
	    not_after timestamptz, ocsp_url text, must_staple boolean);
	    GRANT SELECT ON certificate TO cron"
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
	publish_new "$(printf 'g%s' "$BATS_TEST_NUMBER")"
	file=$work/expiry
	query "SELECT max(not_after) FROM certificate
	    WHERE issuer = :'issuer' AND (ocsp_url IS NOT NULL OR must_staple)"
	now=2026-11-22T09:00:00Z
	gate_config
}

gate_config()
{
	publish_configure ocsp.query_file="$work/ocsp.sql" \
	    ocsp.expiry_file="$file" gates.clock_skew=1d "$@"
}

query()
{
	printf '%s\n' "$1" >"$work/ocsp.sql"
}

# certificate NOT-AFTER URL MUST-STAPLE, of this test's issuer.
certificate()
{
	pg_psql -c "INSERT INTO certificate
	    VALUES ('$name', $1, $2, $3)"
}

gate()
{
	run --separate-stderr "$CRLPRESS" ocsp-gate "$@" "$conf"
}

# Seconds of a time.
sec()
{
	date -u -d "$1" +%s
}

@test "ocsp-gate: the last expiry of those with an OCSP URL or Must-Staple" {
	certificate "now() - '3 days'::interval" "'http://o'" false
	certificate "'2026-01-02 03:04:05+00'" NULL true
	certificate "now() + '90 days'::interval" NULL false
	want=$(pg_psql -c "SELECT to_char(max(not_after) AT TIME ZONE 'UTC',
	    'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM certificate
	    WHERE issuer = '$name' AND ocsp_url IS NOT NULL")
	gate
	ended 0
	has "$output" 'OCSP may end'
	same "$stderr" '' stderr
	same "$(sed -n 1p "$file")" 'crlpress-ocsp-expiry 1' 'first line'
	# A fraction counts as a whole second.
	last=$(sed -n 's/^last-expiry //p' "$file")
	[ "$(sec "$last")" -eq $(($(sec "$want") + 1)) ]
	made=$(sec "$(sed -n 's/^made //p' "$file")")
	[ "$made" -le "$(date +%s)" ]
	[ "$made" -ge $(($(date +%s) - 60)) ]
	same "$(sed -n 's/^statement-sha256 //p' "$file")" \
	    "$(sha256sum <"$work/ocsp.sql" | cut -d ' ' -f 1)" hash
	has "$(sed -n 's/^position //p' "$file")" \
	    "$(pg_psql -c 'SELECT system_identifier
	    FROM pg_control_system()') 1 "
	same "$(sed -n 's/^end //p' "$file")" "$(head -n -1 "$file" | cksum)" \
	    'closing line'
	same "$(stat -c %a "$file")" 644 mode
	same "$(cd "$work" && ls -A)" "$(printf '%s\n' expiry "$name.cnf" \
	    ocsp.sql store)" 'files beside it'
}

@test "ocsp-gate: a certificate not expired yet is written down, and exit 3" {
	certificate "'2030-01-02 03:04:05+00'" "'http://o'" false
	gate
	ended 3
	has "$stderr" 'BR 4.9.9: a certificate that may name the responder has'
	has "$stderr" 'have last expiry 2030-01-02T03:04:05Z'
	grep -qx 'last-expiry 2030-01-02T03:04:05Z' "$file"
	# Another day the same file is replaced.
	pg_psql -c "UPDATE certificate SET not_after = now() - '1 s'::interval
	    WHERE issuer = '$name'"
	sleep 2
	gate -q
	ended 0
	same "$output$stderr" '' output
	run ! grep -q 2030 "$file"
}

@test "ocsp-gate: seconds since 1970 are as good" {
	query "SELECT max(extract(epoch FROM not_after))::bigint
	    FROM certificate WHERE issuer = :'issuer'"
	certificate "'2020-01-02 03:04:05+00'" "'http://o'" false
	gate
	ended 0
	grep -qx 'last-expiry 2020-01-02T03:04:05Z' "$file"
}

@test "ocsp-gate: no such certificate must have been said before" {
	gate
	ended 3
	has "$stderr" 'the database knows no certificate that names a responder'
	has "$stderr" 'allow_none = yes'
	[ ! -e "$file" ]
	gate_config ocsp.allow_none=yes
	gate
	ended 0
	grep -qx 'last-expiry none' "$file"
	has "$output" 'last expiry none, OCSP may end'
}

@test "ocsp-gate: an answer that is none leaves the old file" {
	local bad want
	certificate "now() - '1 day'::interval" "'http://o'" false
	gate
	ended 0
	cp "$file" "$work/old"
	while IFS='|' read -r bad want; do
		query "$bad"
		gate
		[ "$status" -ne 0 ]
		has "$stderr" "$want"
		cmp "$file" "$work/old"
	done <<-'END'
	SELECT not_after FROM certificate WHERE false|have 0, want 1
	SELECT now() UNION ALL SELECT now()|have 2, want 1
	SELECT now(), now()|columns: have 2, want 1
	SELECT 'never'::text|want timestamptz or bigint
	SELECT 1|max(not_after)::bigint
	SELECT now()::timestamp|AT TIME ZONE 'UTC'
	SELECT 'infinity'::timestamptz|no date that a certificate
	SELECT '-infinity'::timestamptz|no date that a certificate
	SELECT 99999999999999|no date that a certificate
	SELECT $1::timestamptz|parameters like $1
	SELECT :'nobody'|nobody
	SELECT now(); SELECT now()|more than one SQL statement
	SELECT max(x) FROM nowhere|nowhere
	WITH d AS (DELETE FROM certificate RETURNING 1) SELECT now()|read-only
	-- nothing|config: line 1
	END
	[ "$(pg_psql -c 'SELECT count(*) FROM certificate')" -gt 0 ]
}

@test "ocsp-gate: clocks that do not agree" {
	certificate "now() - '1 day'::interval" "'http://o'" false
	gate_config gates.clock_skew=5m
	gate --now "$(date -u -d '-10 minutes' +%Y-%m-%dT%H:%M:%SZ)"
	ended 3
	has "$stderr" 'clock, RFC 5280, 5.1.2.4: the clock here is behind'
	gate --now "$(date -u -d '+10 minutes' +%Y-%m-%dT%H:%M:%SZ)"
	ended 3
	has "$stderr" "the clock here is ahead of the database's, have "
	[ ! -e "$file" ]
	# The earlier of two that do is when it was made.
	before=$(date -u -d '-2 minutes' +%Y-%m-%dT%H:%M:%SZ)
	gate --now "$before"
	ended 0
	grep -qx "made $before" "$file"
	gate --now "$(date -u -d '+2 minutes' +%Y-%m-%dT%H:%M:%SZ)"
	ended 0
	[ "$(sec "$(sed -n 's/^made //p' "$file")")" -le "$(date +%s)" ]
}

@test "ocsp-gate: --dry-run prints, several configurations, the worst speaks" {
	certificate "now() - '1 day'::interval" "'http://o'" false
	gate --dry-run
	ended 0
	[ ! -e "$file" ]
	same "$(head -n 1 <<<"$output")" 'crlpress-ocsp-expiry 1' 'first line'
	first=$conf
	publish_new "other$BATS_TEST_NUMBER"
	file=$work/expiry
	gate_config ocsp.query_file="${first%/*}/ocsp.sql"
	run --separate-stderr "$CRLPRESS" ocsp-gate "$conf" "$first"
	ended 3
	[ -e "${first%/*}/expiry" ]
	has "$stderr" 'knows no certificate'
}

@test "ocsp-gate: two that would write one file, however it is called" {
	local one=$conf sql=$work/ocsp.sql
	certificate "now() - '1 day'::interval" "'http://o'" false
	ln -s "$work" linked
	publish_new "two$BATS_TEST_NUMBER"
	file=$PWD/linked/expiry
	gate_config ocsp.query_file="$sql" source.issuer_id="g$BATS_TEST_NUMBER"
	local two=$conf
	# One beside them, of its own.
	publish_new "own$BATS_TEST_NUMBER"
	file=$work/expiry
	gate_config ocsp.query_file="$sql" source.issuer_id="g$BATS_TEST_NUMBER"
	run --separate-stderr "$CRLPRESS" ocsp-gate "$one" "$two" "$conf"
	ended 2
	has "$stderr" "$two: config, house rule: the expiry_file \
$PWD/linked/expiry is that of another file too, $one; neither is used"
	same "$(wc -l <<<"$stderr")" 1 'lines of faults'
	[ ! -e linked/expiry ]
	[ -s "$file" ]
	# Named twice it is the same.
	rm "$file"
	run --separate-stderr "$CRLPRESS" ocsp-gate "$conf" "$conf"
	ended 2
	[ ! -e "$file" ]
	# Nothing is written by a dry run, and each alone may.
	run --separate-stderr "$CRLPRESS" ocsp-gate -n "$one" "$two"
	ended 0
	same "$(grep -c '^crlpress-ocsp-expiry 1$' <<<"$output")" 2 printed
	"$CRLPRESS" ocsp-gate -q "$two"
	[ -s linked/expiry ]
}

@test "ocsp-gate: what is missing in the configuration, or cannot be written" {
	certificate "now() - '1 day'::interval" "'http://o'" false
	gate_config ocsp.query_file=
	gate
	ended 2
	has "$stderr" '[ocsp] query_file: missing'
	gate_config ocsp.expiry_file=
	gate
	ended 2
	has "$stderr" '[ocsp] expiry_file: missing'
	gate_config ocsp.query_file="$work/none.sql"
	gate
	ended 2
	has "$stderr" none.sql
	gate_config source.issuer_id=x
	sed -i '/issuer_id/d' "$conf"
	gate
	ended 2
	has "$stderr" "issuer_id"
	gate_config ocsp.expiry_file="$work/no/such/place"
	gate
	ended 1
	has "$stderr" 'cannot make a file beside it'
	mkdir "$work/dir"
	gate_config ocsp.expiry_file="$work/dir"
	gate
	ended 1
	has "$stderr" 'cannot rename it into place'
	same "$(cd "$work" && find . -name '*.??????')" '' 'what is left'
	run --separate-stderr "$CRLPRESS" ocsp-gate -c "$conf" "$conf"
	ended 2
	has "$stderr" 'want --config or configurations one by one, not both'
}

@test "ocsp-gate: --config, a directory, --json" {
	local one=$conf both=$BATS_TEST_TMPDIR/both
	certificate "now() - '1 day'::interval" "'http://o'" false
	# As everywhere: an option, the environment, a directory.
	run -0 "$CRLPRESS" ocsp-gate --config "$one"
	CRLPRESS_CONFIG=$one run -0 "$CRLPRESS" ocsp-gate
	has "$output" "$name: last expiry "
	publish_new plain
	mkdir "$both"
	cp "$one" "$conf" "$both"
	run -0 --separate-stderr "$CRLPRESS" ocsp-gate "$both"
	same "$(wc -l <<<"$output")$stderr" 1 answers
	# One that says where but not what is a mistake, wherever it is.
	publish_configure ocsp.expiry_file="$work/other"
	cp "$conf" "$both"
	run --separate-stderr "$CRLPRESS" ocsp-gate -c "$both"
	ended 2
	has "$stderr" 'plain.cnf: config: [ocsp] query_file: missing'
	has "$output" ': last expiry '
	# And so is a directory in which nobody asks.
	publish_configure
	cp "$conf" "$both"
	rm "$both/${one##*/}"
	publish_new other
	cp "$conf" "$both"
	run --separate-stderr "$CRLPRESS" ocsp-gate -c "$both"
	ended 2
	has "$stderr" 'no issuer here has [ocsp] query_file'
	# What was found, and by the exit status what follows.
	file_before=$(<"$file")
	run --separate-stderr "$CRLPRESS" ocsp-gate -n --json -c "$one"
	ended 0
	same "$(jq -r '.answers[0] | .issuer, .may_end' <<<"$output")" \
	    "g$BATS_TEST_NUMBER"$'\ntrue' answer
	same "$(jq -r .exit <<<"$output")" 0 exit
	same "$(<"$file")" "$file_before" 'what was written'
	pg_psql -c "INSERT INTO certificate VALUES ('g$BATS_TEST_NUMBER',
	    '2090-01-01Z', 'http://o', false)"
	run --separate-stderr "$CRLPRESS" ocsp-gate --json -c "$one"
	ended 3
	same "$(jq -r '.answers[0] | .last_expiry, .may_end' <<<"$output")" \
	    $'2090-01-01T00:00:00Z\nfalse' answer
}
