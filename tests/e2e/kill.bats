# SPDX-License-Identifier: ISC
#
# kill -9 at any moment of a publication: the store holds whole, valid shards,
# none older than before and none missing, and the next run ends well. KILL_SEED
# repeats the moments of a run that failed.
#
# Each test is a subshell, and what it works with is set by what is loaded:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/ledger.bash

rows=30000
shards=8

setup_file()
{
	publish_setup
	export KILL_SEED=${KILL_SEED:-$(($(date +%s%N) / 1000 % 32768))}
	# Of all tests.
	# shellcheck disable=SC2034
	local name='kill'
	make_rows "$rows" --shards "$shards"
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
	publish_new kill "shards.count=$shards"
	RANDOM=$KILL_SEED
	echo "KILL_SEED=$KILL_SEED"
	killed=0 partial=0 victim='' dry=()
}

teardown()
{
	kill -KILL ${victim:+"$victim"} "${dry[@]}" 2>/dev/null || true
}

now_ms()
{
	echo $((${EPOCHREALTIME/./} / 1000))
}

# Starts a publication: $victim.
publish_start()
{
	"$CRLPRESS" publish --quiet --config "$conf" "$@" >out 2>&1 3>&- &
	victim=$!
}

# Waits for it: $status. bash's word of the kill is not of interest.
publish_wait()
{
	status=0
	{ wait "$victim"; } 2>/dev/null || status=$?
	victim=
	[ "$status" -ne 137 ] || killed=$((killed + 1))
}

# How long a publication takes: $duration_ms, at least 20.
measure()
{
	local begin
	begin=$(now_ms)
	publish_start
	publish_wait
	ended 0
	duration_ms=$(($(now_ms) - begin))
	[ "$duration_ms" -ge 20 ] || duration_ms=20
	echo "a run takes $duration_ms ms"
}

# A machine that others use is faster now, and slower then: runs that are over
# too soon make the next moment an earlier one, and the reverse.
adapt()
{
	if [ "$status" -eq 0 ]; then
		duration_ms=$((duration_ms * 85 / 100 + 1))
	else
		duration_ms=$((duration_ms * 105 / 100 + 1))
	fi
}

sleep_part()
{
	# A tenth longer than it takes: some are killed when they are done.
	local us=$((RANDOM * duration_ms * 1100 / 32768))
	sleep "$((us / 1000000)).$(printf '%06d' $((us % 1000000)))"
}

# Waits until a shard drawn by lot was replaced, or the run is over.
await_shard()
{
	local file=$store/kill/$((RANDOM % shards)).crl
	while [ ! "$file" -nt mark ] && kill -0 "$victim" 2>/dev/null; do
		:
	done
}

# The process that holds the key; nothing when there is none yet.
signer_of()
{
	local child
	read -r child _ <"/proc/$1/task/$1/children" || true
	[ -z "${child:-}" ] || echo "$child"
}

# "FILE NUMBER" of each shard, which must be whole and of this issuer.
numbers()
{
	local file said want
	shards | while IFS= read -r file; do
		said=$(openssl crl -inform DER -in "$file" -noout -crlnumber \
		    -verify -CAfile "$ca/issuer.pem" -no-CApath \
		    -no-CAstore 2>&1) || true
		want='^verify OK[[:space:]]crlNumber=0x([0-9A-F]{1,15})$'
		[[ $said =~ $want ]] || {
			echo "openssl: $file: $said" >&2
			exit 1
		}
		echo "$file $((16#${BASH_REMATCH[1]}))"
	done
}

# What stands in the store, after $1 stood in it.
store_holds()
{
	local file number have different
	have=$(numbers) || return 1
	# The manifest comes last: what it names is there, or something newer.
	while read -r file number; do
		[ "$(sed -n "s|^$store/kill/$file ||p" <<<"$have")" -ge \
		    "$number" ] || {
			printf '%s is to have %s:\n%s\n' "$file" "$number" \
			    "$have"
			return 1
		}
	done < <([ ! -e "$manifest" ] || manifest_field shard |
	    sed 's/^\([0-9]*\) number=\([0-9]*\) .*/\1.crl \2/')
	while read -r file number; do
		[ -n "$file" ] || continue
		[ "$(sed -n "s|^$file ||p" <<<"$have")" -ge "$number" ] || {
			printf '%s had %s:\n%s\n' "$file" "$number" "$have"
			return 1
		}
		# It was written down before it was signed.
		[ "$number" -le "$(<"$state/kill/number")" ] || {
			echo "$file has $number, the state has less"
			return 1
		}
	done < <(cat <<<"$1"; cat <<<"$have")
	different=$(cut -d ' ' -f 2 <<<"$have" | sort -u | wc -l)
	if [ "$different" -gt 1 ] || { [ -n "$have" ] &&
	    [ "$(wc -l <<<"$have")" -lt "$shards" ]; }; then
		partial=$((partial + 1))
	fi
}

# No process of that run, once it had the time that an exit may take.
none_is_left()
{
	local i left
	for ((i = 0; i < 1200; i++)); do
		left=$(processes_with "$conf")
		[ -n "$left" ] || return 0
		sleep 0.05
	done
	echo "still running: $left"
	return 1
}

# The next run ends well, sweeps up, and a stranger agrees.
next_run()
{
	local may_say='^$'
	# Shards that a first run left without a manifest are worth a word.
	[ -e "$manifest" ] || may_say='^kill: ok: | but no manifest: '
	# So are rows that expired, when the manifest is of the first CRLs,
	# which prove nothing of them, and newer ones were left without one.
	! grep -qs ' settled=-' "$manifest" ||
	    may_say='^kill: ok: |: rows that expired are listed once, '
	# To be sure that there is something to sweep up. Names of their own:
	# what is staged may be the very file that is published.
	[ ! -d "$store/kill" ] || : >"$store/kill/.crlpress-tmp-1-1"
	[ ! -d "$state/kill/stage" ] || {
		: >"$state/kill/stage/left.crl"
		mkdir "$state/kill/stage/1-0"
		: >"$state/kill/stage/1-0/0.crl"
		: >"$state/kill/stage/1-0/.tmp-1.crl"
	}
	publish_start
	publish_wait
	ended 0 || {
		cat out
		return 1
	}
	same "$(grep -vE "$may_say" out)" '' 'what the next run said' ||
	    return 1
	same "$(find "$store" -name '.crlpress-tmp-*')" '' leftovers ||
	    return 1
	same "$(find "$state/kill/stage" -mindepth 1)" '' staged || return 1
	same "$(shards | wc -l)" "$shards" shards || return 1
	same "$(manifest_sum entries)" "$(manifest_field rows |
	    sed 's/.* listed=\([0-9]*\) .*/\1/')" entries || return 1
	"$CRLPRESS" verify --quiet --config "$conf" "$store"
}

# One round: publishes, kills by $1, and looks.
kill_round()
{
	local before after
	before=$(numbers) || return 1
	touch mark
	publish_start "${@:2}"
	"$1"
	publish_wait
	adapt
	none_is_left && store_holds "$before" && after=$(numbers) &&
	    next_run && ledger_tells "$before
$after" || return 1
}

kill_sometime()
{
	sleep_part
	kill -KILL "$victim" 2>/dev/null || true
}

kill_while_uploading()
{
	await_shard
	kill -KILL "$victim" 2>/dev/null || true
}

kill_signer_sometime()
{
	local signer=
	sleep_part
	while [ -z "$signer" ] && kill -0 "$victim" 2>/dev/null; do
		signer=$(signer_of "$victim" 2>/dev/null)
	done
	# It was somebody's at that moment; a number is not given out again
	# so soon.
	[ -z "$signer" ] || kill -KILL "$signer" 2>/dev/null || true
}

# Everything gone that a run leaves behind.
start_over()
{
	rm -rf "${store:?}"/* "${state:?}"
}

@test "kill -9 at 10 moments of the first publication" {
	measure
	# On a busy machine the measure is off, and some run to their end.
	for ((round = 0; killed < 10 && round < 40; round++)); do
		start_over
		kill_round kill_sometime
	done
	echo "$killed of $round were killed, $partial left a part"
	[ "$killed" -eq 10 ]
}

@test "kill -9 at 14 moments of a publication over another" {
	measure
	for ((round = 0; killed < 14 && round < 56; round++)); do
		kill_round kill_sometime
	done
	echo "$killed of $round were killed, $partial left a part"
	[ "$killed" -eq 14 ]
}

@test "kill -9 at 6 moments between the first shard and the manifest" {
	measure
	# On a busy machine some are over before they are killed.
	for ((round = 0; round < 60; round++)); do
		[ "$killed" -lt 6 ] || [ "$partial" -eq 0 ] || break
		[ $((round % 2)) -eq 0 ] || start_over
		kill_round kill_while_uploading --jobs 1
	done
	echo "$killed of $round were killed, $partial left a part"
	[ "$killed" -ge 6 ]
	[ "$partial" -ge 1 ]
}

# Two dry runs beside the publication, all killed in the same moment.
kill_all_sometime()
{
	local i
	for i in 1 2; do
		"$CRLPRESS" publish --dry-run --config "$conf" >"dry$i" 2>&1 \
		    3>&- &
		dry+=($!)
	done
	sleep_part
	kill -KILL "$victim" "${dry[@]}" 2>/dev/null || true
	{ wait "${dry[@]}"; } 2>/dev/null || true
	dry=()
}

@test "kill -9 at 8 moments of a publication and two dry runs beside it" {
	measure
	for ((round = 0; killed < 8 && round < 32; round++)); do
		[ $((round % 3)) -eq 0 ] || start_over
		kill_round kill_all_sometime
	done
	echo "$killed of $round were killed, $partial left a part"
	[ "$killed" -eq 8 ]
}

@test "dry runs that are killed are not noticed by a publication" {
	local i
	measure
	for i in 1 2 3 4 5 6 7 8; do
		[ "$i" -ne 5 ] || start_over
		publish_start
		"$CRLPRESS" publish --dry-run --config "$conf" >dry1 2>&1 3>&- &
		dry=($!)
		sleep_part
		kill -KILL "${dry[0]}" 2>/dev/null || true
		{ wait "${dry[0]}"; } 2>/dev/null || true
		publish_wait
		ended 0
		same "$(<out)" '' 'what the publication said'
		next_run
	done
}

@test "a publication whose signer is killed ends, and with a word" {
	measure
	local without=0 before
	for ((round = 0; without < 3 && round < 40 || round < 10; round++)); do
		[ $((round % 2)) -eq 0 ] || start_over
		before=$(numbers)
		publish_start
		kill_signer_sometime
		publish_wait
		adapt
		# Killed after its last signature, it is not missed.
		case $status in
		0) ;;
		1 | 4)
			without=$((without + 1))
			has "$(<out)" signer
			;;
		*) ended 1 ;;
		esac
		none_is_left
		store_holds "$before"
		next_run
	done
	echo "$without of $round had no signer"
	[ "$without" -ge 3 ]
}

@test "the signer ends with its parent, and in no other way" {
	local signer
	pg_psql -c 'CREATE TABLE IF NOT EXISTS waits AS
	    SELECT serial, revoked_at, reason, not_after, shard
	    FROM crlpress.revocation LIMIT 100'
	publish_configure "shards.count=$shards" source.issuer_id= \
	    source.query_file=query.sql
	echo 'SELECT serial, revoked_at, reason, not_after, shard FROM waits
	    WHERE pg_sleep(1)::text = '"''" >"$work/query.sql"
	publish_start
	pg_wait "SELECT count(*) > 0 FROM pg_stat_activity
	    WHERE usename = 'cron' AND wait_event = 'PgSleep'"
	signer=$(signer_of "$victim")
	same "$(<"/proc/$signer/comm")" crlpress-signer 'the child'
	kill -TERM "$signer"
	kill -INT "$signer"
	kill -HUP "$signer"
	# It sleeps on: it is not even dead and not yet asked about.
	while grep -qs $'^State:\t[^SZ]' "/proc/$signer/status"; do
		sleep 0.05
	done
	sleep 0.2
	grep -q $'^State:\tS' "/proc/$signer/status"
	kill -KILL "$victim"
	publish_wait
	same "$status" 137 'exit status'
	none_is_left
	# Gone, or dead and waiting for an init that takes no notice.
	until pg_gone "$signer"; do
		sleep 0.05
	done
	same "$(shards)" '' shards
}
