# SPDX-License-Identifier: ISC
#
# crlpress publish to a store that hangs, goes away and comes back, loses
# replies and answers with nonsense: what heals is survived, what does not is
# said, and every shard is a whole one throughout.

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/s3.bash
load ../lib/ledger.bash

# So many that a run can be caught in the middle, over one connection.
many=150

setup_file()
{
	publish_setup
	s3_start
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
	victim=
}

teardown()
{
	[ -z "$victim" ] || kill -KILL "$victim" 2>/dev/null || true
	stub_stop
	[ -z "${other_pid:-}" ] || kill "$other_pid" 2>/dev/null || true
	rm -rf "${other:-}"
	# What a failed test left hanging.
	s3_signal CONT osd 2>/dev/null || true
}

make_lasting_rows()
{
	make_rows "$1" --shards "$2" \
	    --since "$(date -u -d '2 days ago' +%FT%TZ)"
}

# Starts a publication, and waits until a shard of it stands there: $victim.
publish_start()
{
	local i
	"$CRLPRESS" publish --config "$conf" >out 2>err 3>&- &
	victim=$!
	for ((i = 0; i < 3000; i++)); do
		! s3_curl "$bucket/$name/$1.crl" -I >/dev/null 2>&1 || return 0
		sleep 0.02
	done
	echo "no shard $1: $(<err)"
	return 1
}

# It is not done yet.
still_runs()
{
	kill -0 "$victim" 2>/dev/null || {
		echo "it ended: $(<out) $(<err)"
		return 1
	}
}

publish_wait()
{
	status=0
	wait "$victim" || status=$?
	victim=
	output=$(<out)
	stderr=$(<err)
}

# Every shard that stands there is a whole one.
all_whole()
{
	local file
	s3_fetch
	for file in "$store/$name"/*.crl; do
		crl_verifies "$file" || return 1
	done
}

# The next run ends well, and all is there: it may take its time. What the
# manifest counts is for other tests: here are many shards, and often.
next_run()
{
	s3_configure store.request_timeout=1m store.retry_deadline=2m
	publish
	ended 0 || return 1
	s3_fetch
	export_rows
	compare "$1" || return 1
	(cd "$store" && sha256sum --strict --quiet -c "$manifest") || return 1
	same "$(manifest_field shards)" "$1" 'shards of the manifest'
}

@test "the store hangs for a while in the middle of a run" {
	s3_publish_new hang "shards.count=$many" store.connections=1 \
	    store.request_timeout=2s
	make_lasting_rows 3000 "$many"
	publish_start 0
	s3_signal STOP osd
	# More than one request's time.
	sleep 5
	still_runs
	s3_signal CONT osd
	publish_wait
	ended 0
	next_run "$many"
}

@test "the store hangs for longer than there is time" {
	s3_publish_new hung "shards.count=$many" store.connections=2 \
	    store.request_timeout=3s store.retry_deadline=5s
	make_lasting_rows 3000 "$many"
	publish_start 0
	s3_signal STOP osd
	still_runs
	publish_wait
	s3_signal CONT osd
	ended 4
	has "$stderr" "s3://$bucket"
	all_whole
	next_run "$many"
}

@test "the gateway is killed and comes back in the middle of a run" {
	s3_publish_new back "shards.count=$many" store.connections=1
	make_lasting_rows 3000 "$many"
	publish_start 0
	s3_signal KILL rgw
	sleep 1
	still_runs
	s3_gateway_start
	publish_wait
	ended 0
	next_run "$many"
}

@test "the gateway is gone before the run, or for good in its middle" {
	s3_publish_new gone "shards.count=$many" store.connections=2 \
	    store.retry_deadline=4s
	make_lasting_rows 3000 "$many"
	publish_start 0
	s3_signal KILL rgw
	still_runs
	publish_wait
	ended 4
	publish
	ended 1
	has "$stderr" "s3://$bucket"
	s3_gateway_start
	all_whole
	next_run "$many"
}

@test "SIGTERM and SIGINT in the middle of a run end it in order" {
	local signal
	s3_publish_new end "shards.count=$many" store.connections=1
	make_lasting_rows 3000 "$many"
	for signal in TERM INT; do
		bucket=crl-end-${signal,,}
		s3_bucket "$bucket"
		s3_settings[0]=store.url=s3://$bucket
		rm -rf "$state"
		s3_configure
		# In the background a shell's children ignore SIGINT.
		env --default-signal=INT "$CRLPRESS" publish --config "$conf" \
		    >out 2>err 3>&- &
		victim=$!
		until s3_curl "$bucket/end/0.crl" -I >/dev/null 2>&1; do
			still_runs
		done
		kill "-$signal" "$victim"
		publish_wait
		[ "$status" -eq 4 ] || {
			echo "$signal: $status $stderr"
			return 1
		}
		has "$stderr" interrupt
		all_whole
		[ "$(shards | wc -l)" -lt "$many" ]
		[ ! -e "$manifest" ]
		next_run "$many"
	done
}

# put_fault SHARD RULE: a fault of the puts of a shard.
put_fault()
{
	printf '{"method":"PUT","path":"/%s.crl$",%s}' "$1" "$2"
}

get_fault()
{
	printf '{"method":"GET","path":"%s",%s}' "$1" "$2"
}

@test "every kind of fault that heals, all in one run" {
	local slow='"body":"<Error><Code>SlowDown</Code></Error>"'
	stub_start "$S3_ENDPOINT"
	s3_publish_new heals shards.count=10 "store.endpoint=$stub_url"
	make_lasting_rows 3000 10
	stub_rules \
	    "$(put_fault 0 '"times":2,"do":"reply","status":500')" \
	    "$(put_fault 1 '"times":2,"do":"reply","status":503,'"$slow")" \
	    "$(put_fault 2 '"times":1,"do":"reply","status":429,
	        "headers":{"Retry-After":"1"}')" \
	    "$(put_fault 3 '"times":3,"do":"reset"')" \
	    "$(put_fault 4 '"times":1,"do":"forward","lose":true')" \
	    "$(put_fault 5 '"times":1,"do":"forward","drop":["ETag"]')" \
	    "$(put_fault 6 '"times":1,"do":"reply","status":502,
	        "body":"<html>Bad Gateway</html>"')" \
	    "$(put_fault 7 '"times":1,"do":"reply","status":504')" \
	    '{"method":"HEAD","path":"/8.crl$","times":2,"do":"reply",
	        "status":503}' \
	    '{"method":"PUT","path":"manifest","times":1,"do":"forward",
	        "lose":true}'
	publish
	ended 0
	same "$(stub_count PUT /0.crl)" 3 'puts of 0'
	same "$(stub_count PUT /1.crl)" 3 'puts of 1'
	same "$(stub_count PUT /2.crl)" 2 'puts of 2'
	[ "$(stub_count PUT /4.crl)" -ge 2 ]
	# What was sent again was the same.
	same "$(grep '"PUT".*heals/[0-9].crl"' "$stub/log" |
	    sed 's|.*\(/[0-9].crl\).*"sha256": "\([0-9a-f]*\)".*|\1 \2|' |
	    sort -u | wc -l)" 10 'different bodies put'
	s3_fetch
	export_rows
	compare 10
	manifest_holds
	# And of reading, with nothing in the cache.
	rm -rf "$state/heals/cache"
	stub_rules \
	    "$(get_fault /0.crl '"times":1,"do":"forward","cut":99')" \
	    "$(get_fault /1.crl '"times":2,"do":"reply","status":500')" \
	    "$(get_fault /2.crl '"times":3,"do":"reset"')" \
	    "$(get_fault manifest '"times":1,"do":"forward","cut":9')"
	publish
	ended 0
	s3_fetch
	compare 10
}

@test "a put that was done, and nobody said so: found before the manifest" {
	stub_start "$S3_ENDPOINT"
	s3_publish_new lost shards.count=3 "store.endpoint=$stub_url"
	make_lasting_rows 90 3
	publish_ok
	stub_rules "$(put_fault 1 '"times":1,"do":"forward","lose":true')" \
	    "$(put_fault 1 '"do":"reply","status":400')"
	publish
	ended 4
	stub_rules
	s3_fetch
	has "$(<"$manifest")" '# shard 1 number='
	# The manifest has it now, so that the next run will not find it.
	ledger_tells "lost/1.crl $(crl_field "$store/lost/1.crl" number)"
	next_run 3
	same "$(ledger found | wc -l)" 1 'found once'
}

@test "a put that cannot be read back is not called nothing" {
	stub_start "$S3_ENDPOINT"
	s3_publish_new blind shards.count=2 "store.endpoint=$stub_url" \
	    store.retry_deadline=4s store.connections=1
	make_lasting_rows 90 2
	publish_ok
	stub_rules "$(put_fault 1 '"do":"reply","status":400')" \
	    '{"method":"HEAD","path":"/0.crl$","do":"reply","status":400}'
	publish
	ended 4
	# No CRL is known to be out: the manifest is as it was.
	same "$(stub_count PUT manifest)" 1 'puts of the manifest'
	stub_rules
	next_run 2
}

@test "faults that do not heal are not tried again, and change nothing" {
	local code
	stub_start "$S3_ENDPOINT"
	s3_publish_new stays shards.count=2 "store.endpoint=$stub_url" \
	    store.connections=1 store.retry_deadline=5s
	make_lasting_rows 100 2
	publish_ok
	for code in 400 403 405 501; do
		stub_rules "$(put_fault '[01]' '"do":"reply","status":'$code',
		    "body":"<Error><Code>InvalidTest</Code></Error>"')"
		: >"$stub/log"
		publish
		ended 1
		has "$stderr" "$code InvalidTest"
		[ "$(stub_count PUT /0.crl)" -le 1 ]
	done
	stub_rules
	next_run 2
}

@test "nobody is followed elsewhere, with whatever code and header" {
	local code
	stub_start
	other=$stub other_url=$stub_url other_pid=$stub_pid
	stub_start "$S3_ENDPOINT"
	s3_publish_new follow shards.count=2 "store.endpoint=$stub_url"
	make_lasting_rows 100 2
	publish_ok
	for code in 301 302 307 308; do
		stub_rules '{"path":"follow/[01].crl","do":"reply",
		    "status":'$code',"headers":{"Location":"'"$other_url"'/x"},
		    "body":"<Error><Code>PermanentRedirect</Code></Error>"}'
		rm -rf "$state/follow/cache"
		publish
		[ "$status" -ne 0 ]
		has "$stderr" "$code PermanentRedirect"
	done
	[ ! -e "$other/log" ] || cat "$other/log"
	[ ! -e "$other/log" ]
	stub_rules
	next_run 2
}

@test "nonsense in error bodies is not believed, nor does it grow" {
	local bomb
	stub_start "$S3_ENDPOINT"
	s3_publish_new bomb shards.count=2 "store.endpoint=$stub_url"
	make_lasting_rows 100 2
	publish_ok
	# A billion laughs, deep nests, much of nothing, terminal escapes.
	{
		echo '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
		for i in {1..30}; do
			echo "<!ENTITY a$i \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
		done
		echo ']><Error><Code>&a30;</Code></Error>'
	} >bomb.1
	printf '<a>%.0s' {1..20000} >bomb.2
	head -c 100000000 /dev/zero >bomb.3
	printf '<Error><Code>\033[2J&#27;[2J\302\233</Code></Error>' >bomb.4
	printf '<Error><Code>NoSuchKey</Code></Error>' >bomb.5
	for bomb in bomb.[1-5]; do
		stub_rules '{"path":"bomb/[01].crl","do":"reply","status":403,
		    "body_file":"'"$PWD/$bomb"'"}'
		rm -rf "$state/bomb/cache"
		publish
		[ "$status" -ne 0 ]
		has "$stderr" 403
		[ "${#stderr}" -lt 4000 ]
		[[ $stderr != *[$'\033\302']* ]]
	done
	stub_rules
	next_run 2
}

@test "a published shard that arrives changed stops its shard" {
	stub_start "$S3_ENDPOINT"
	s3_publish_new flip shards.count=2 "store.endpoint=$stub_url"
	make_lasting_rows 100 2
	publish_ok
	s3_client get "$bucket" flip/0.crl >before
	rm -rf "$state/flip/cache"
	stub_rules '{"method":"GET","path":"flip/0.crl","do":"forward",
	    "flip":300}'
	publish
	[ "$status" -eq 3 ] || [ "$status" -eq 1 ]
	has "$stderr" 'flip/shard 0'
	s3_client get "$bucket" flip/0.crl | cmp - before
	stub_rules
	next_run 2
}

# container_keys KEY SECRET TIMES: what the container's endpoint answers.
container_keys()
{
	printf '{"path":"^/keys$","times":%s,"do":"reply",' "$3"
	printf '"body":"{\\"AccessKeyId\\":\\"%s\\",' "$1"
	printf '\\"SecretAccessKey\\":\\"%s\\"}"}' "$2"
}

@test "keys that end in the middle of a run are asked for anew" {
	stub_start "$S3_ENDPOINT"
	s3_publish_new renew shards.count=40 "store.endpoint=$stub_url"
	make_lasting_rows 800 40
	s3_admin key create --uid tester --key-type s3 --access-key old \
	    --secret oldsecret >/dev/null
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	export AWS_CONTAINER_CREDENTIALS_FULL_URI=$stub_url/keys
	stub_rules "$(container_keys old oldsecret 1)" \
	    "$(container_keys "$S3_KEY" "$S3_SECRET" 9)" \
	    '{"method":"PUT","path":"crl$","have":{"Authorization":
	    "Credential=old/"},"skip":10,"do":"reply","status":400,
	    "body":"<Error><Code>ExpiredToken</Code></Error>"}'
	publish
	ended 0
	same "$(stub_count GET '^/keys$')" 2 'questions for keys'
	[ "$(grep -c 'Credential=old/.*"method": "PUT"' "$stub/log")" -gt 10 ]
	[[ $stderr$output != *secret* ]]
	next_run 40
}
