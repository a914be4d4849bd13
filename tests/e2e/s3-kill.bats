# SPDX-License-Identifier: ISC
#
# kill -9 at any moment of a publication to a real S3 store: it holds whole,
# valid shards, none older than before and none missing, and the next run ends
# well. KILL_SEED repeats the moments of a run that failed.

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/ledger.bash
load ../lib/s3.bash

shards=6

setup_file()
{
	publish_setup
	s3_start
	export KILL_SEED=${KILL_SEED:-$(($(date +%s%N) / 1000 % 32768))}
	local name='kill'
	make_rows 12000 --shards "$shards"
}

teardown_file()
{
	s3_stop
	pg_stop
}

setup()
{
	publish_env
	s3_env
	s3_publish_new kill "shards.count=$shards" store.connections=2
	RANDOM=$KILL_SEED
	echo "KILL_SEED=$KILL_SEED"
	killed=0 partial=0 victim=
}

teardown()
{
	[ -z "$victim" ] || kill -KILL "$victim" 2>/dev/null || true
	stub_stop
}

publish_start()
{
	"$CRLPRESS" publish --quiet --config "$conf" >out 2>&1 3>&- &
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

# A machine that others use is faster now, and slower then: runs that are over
# too soon make the next moment an earlier one, and the reverse.
adapt()
{
	if [ "$status" -eq 137 ]; then
		duration_ms=$((duration_ms * 105 / 100 + 1))
	else
		duration_ms=$((duration_ms * 85 / 100 + 1))
	fi
}

# How long a publication takes: $duration_ms.
measure()
{
	local begin=${EPOCHREALTIME/./}
	publish_start
	publish_wait
	ended 0 || return 1
	duration_ms=$(((${EPOCHREALTIME/./} - begin) / 1000 + 20))
	echo "a run takes $duration_ms ms"
}

sleep_part()
{
	# A tenth longer than it takes: some are killed when they are done.
	local us=$((RANDOM * duration_ms * 1100 / 32768))
	sleep "$((us / 1000000)).$(printf '%06d' $((us % 1000000)))"
}

# "KEY NUMBER" of each shard in $store, which must be whole.
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
		echo "${file##*/} $((16#${BASH_REMATCH[1]}))"
	done
}

# What stands in the store, after $1 stood there.
store_holds()
{
	local have key number
	s3_fetch || return 1
	have=$(numbers) || return 1
	while read -r key number; do
		[ -n "$key" ] || continue
		[ "$(sed -n "s|^$key ||p" <<<"$have")" -ge "$number" ] || {
			printf '%s had %s:\n%s\n' "$key" "$number" "$have"
			return 1
		}
		# It was written down before it was signed.
		[ "$number" -le "$(<"$state/kill/number")" ] || return 1
	done < <(cat <<<"$1"; cat <<<"$have"; [ ! -e "$manifest" ] ||
	    manifest_field shard |
	    sed 's/^\([0-9]*\) number=\([0-9]*\) .*/\1.crl \2/')
	if [ "$(cut -d ' ' -f 2 <<<"$have" | sort -u | wc -l)" -gt 1 ] ||
	    [ "$(grep -c . <<<"$have")" -lt "$shards" ]; then
		partial=$((partial + 1))
	fi
}

# The next run ends well, sweeps up, and others agree.
next_run()
{
	publish
	ended 0 || return 1
	# The store may do what it was sent even now.
	same "$(grep -v -e 'but no manifest: ' \
	    -e ': somebody else published it meanwhile: ' <<<"$stderr")" '' \
	    'what the next run said' || return 1
	same "$(find "$state/kill/stage" -mindepth 1)" '' staged || return 1
	s3_fetch
	same "$(find "$store" -type f | wc -l)" $((shards + 1)) objects || {
		find "$store" -type f
		return 1
	}
	manifest_holds || return 1
	"$CRLPRESS" verify --quiet --config "$conf" "$store"
}

# What the killed one left is whole, and the next run ends well.
look()
{
	local after
	store_holds "$1" && after=$(numbers) && next_run && ledger_tells "$1
$after"
}

# rounds KILLS: until so many were killed, each then looked at.
rounds()
{
	local round before
	# On a busy machine the measure is off, and some run to their end.
	for ((round = 0; killed < $1 && round < 6 * $1; round++)); do
		[ "$2" != first ] || start_over "$round" || return 1
		# As the round before left it.
		before=$(numbers) || return 1
		publish_start
		sleep_part
		kill -KILL "$victim" 2>/dev/null || true
		publish_wait
		adapt
		look "$before" || return 1
	done
	echo "$killed of $round were killed, $partial left a part"
	[ "$killed" -eq "$1" ]
}

# Another bucket, and nothing here that knows of the one before.
start_over()
{
	bucket=crl-kill-$1
	s3_bucket "$bucket" || return 1
	s3_settings[0]=store.url=s3://$bucket
	rm -rf "${state:?}" "${store:?}"
	mkdir "$store"
	s3_configure
}

@test "kill -9 at 10 moments of the first publication" {
	measure
	rounds 10 first
}

@test "kill -9 at 20 moments of a publication over another" {
	measure
	s3_fetch
	rounds 20 over
}

@test "kill -9 while each put of a publication is under way" {
	local key before
	stub_start "$S3_ENDPOINT"
	s3_settings+=("store.endpoint=$stub_url" store.connections=1)
	s3_configure
	publish_start
	publish_wait
	s3_fetch
	for key in 0.crl 1.crl 3.crl 5.crl manifest-kill.txt; do
		before=$(numbers)
		partial=0
		: >"$stub/log"
		stub_rules '{"method":"PUT","path":"'"$key"'$","do":"hang"}'
		publish_start
		until [ "$(stub_count PUT "$key\$")" -ge 1 ]; do
			kill -0 "$victim"
			sleep 0.02
		done
		kill -KILL "$victim"
		publish_wait
		[ "$status" -eq 137 ]
		stub_rules
		look "$before"
		case $key in
		[1-5].crl) [ "$partial" -eq 1 ] ;;
		esac
	done
}
