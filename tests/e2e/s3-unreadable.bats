# SPDX-License-Identifier: ISC
#
# One published shard that an S3 store does not give out: refused, broken for
# good, cut off. That shard alone waits, and says so; all others are
# published; what is let pass is put on the condition of what stands there.

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/s3.bash

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
}

teardown()
{
	stub_stop
}

# begin NAME [SETTING...]: four shards, published once by way of the stub.
begin()
{
	stub_start "$S3_ENDPOINT"
	s3_publish_new "$1" shards.count=4 "store.endpoint=$stub_url" \
	    store.retry_deadline=4s "${@:2}"
	make_rows 400 --shards 4 \
	    --since "$(date -u -d '2 days ago' +%FT%TZ)"
	publish_ok
	s3_fetch
	rm -rf before
	cp -a "$store" before
}

state_of()
{
	sed -n "s/^# shard $1 .* state=\([a-z]*\) .*/\1/p" "$manifest"
}

# number_of DIR
number_of()
{
	sed -n 's/^# number //p' "$1/${manifest##*/}"
}

# alone SHARD TEXT...: this one waits as it was, the others are new.
alone()
{
	local shard=$1 i want text
	shift
	ended 3
	has "$stderr" "$name/shard $shard: previous-readable, house rule: what \
is published as $name/$shard.crl cannot be read: "
	for text; do
		has "$stderr" "$text" || return 1
	done
	same "$(grep -c '^[^ ].*/shard .*: previous-readable' <<<"$stderr")" 1 \
	    'lines of faults'
	s3_fetch
	for i in 0 1 2 3; do
		want=published
		[ "$i" != "$shard" ] || want=withheld
		same "$(state_of "$i")" "$want" "state of shard $i"
		run cmp -s "before/$name/$i.crl" "$store/$name/$i.crl"
		[ "$status" -eq "$([ "$want" = withheld ]; echo $?)" ] || {
			echo "shard $i is not $want"
			return 1
		}
	done
	[ "$(number_of "$store")" -gt "$(number_of before)" ]
}

# The run ended well, and all there is is right.
all_new()
{
	ended 0
	s3_fetch
	export_rows
	compare 4
	manifest_holds
	run cmp -s "before/$name/$1.crl" "$store/$name/$1.crl"
	[ "$status" -eq 1 ]
}

# policy [KEY]: nobody may get this object, whoever owns it; none: anybody.
policy()
{
	/usr/bin/python3 - "$bucket" "$@" <<'END'
import json, os, sys
import boto3
s3 = boto3.client("s3", endpoint_url=os.environ["S3_ENDPOINT"],
                  region_name=os.environ["S3_REGION"],
                  aws_access_key_id=os.environ["S3_KEY"],
                  aws_secret_access_key=os.environ["S3_SECRET"])
bucket = sys.argv[1]
if len(sys.argv) == 2:
    s3.delete_bucket_policy(Bucket=bucket)
else:
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject"],
            "Resource": ["arn:aws:s3:::%s/%s" % (bucket, sys.argv[2])]}]}))
END
}

rule()
{
	printf '{"method":"%s","path":"/%s.crl$",%s}' "$@"
}

@test "a shard that the store refuses to give out" {
	begin refused
	policy refused/1.crl
	run s3_client get "$bucket" refused/1.crl
	[ "$status" -ne 0 ]
	publish
	policy
	alone 1 'the answer is 403 AccessDenied' 's3:GetObject' \
	    'hint: this shard alone waits' '--pass previous-readable:1'
	# What stands there has no name, and nothing is put over it.
	rm -rf before
	cp -a "$store" before
	policy refused/1.crl
	publish --pass previous-readable:1
	policy
	ended 4
	has "$stderr" 'let pass by --pass: what is published as refused/1.crl'
	s3_fetch
	cmp before/refused/1.crl "$store/refused/1.crl"
	publish
	all_new 1
}

@test "a refusal where nothing stands, as who may not list gets it" {
	local code='"body":"<Error><Code>AccessDenied</Code></Error>"'
	begin missing
	s3_client delete "$bucket" missing/2.crl
	s3_client delete "$bucket" "${manifest##*/}"
	rm -rf "$state" "$store/missing/2.crl"
	stub_rules "$(rule GET 2 '"do":"reply","status":403,'"$code")" \
	    "$(rule HEAD 2 '"times":1,"do":"reply","status":403')"
	publish
	ended 3
	has "$stderr" 'missing/shard 2: previous-readable'
	run s3_client get "$bucket" missing/2.crl
	[ "$status" -ne 0 ]
	stub_rules "$(rule GET 2 '"do":"reply","status":403,'"$code")" \
	    "$(rule HEAD 2 '"times":1,"do":"reply","status":403')"
	publish --pass previous-readable:2
	ended 0
	stub_rules
	publish
	all_new 2
}

@test "a shard that is broken for good, the last one and by one connection" {
	begin broken store.connections=1
	stub_rules "$(rule GET 3 '"do":"reply","status":500')"
	publish
	alone 3 'the answer is 500' 'again and again'
	# HEAD has its version, and the put is on that condition.
	rm -rf before
	cp -a "$store" before
	publish --pass previous-readable:3
	all_new 3
	same "$(manifest_field passed)" previous-readable:3 passed
}

@test "a body that is always cut off, and one that is always reset" {
	begin cut
	rm -rf "$state/cut/cache"
	stub_rules "$(rule GET 0 '"do":"forward","cut":99')"
	publish
	alone 0 'again and again'
	rm -rf before
	cp -a "$store" before
	rm -rf "$state/cut/cache"
	stub_rules "$(rule GET 2 '"do":"reset"')"
	publish
	alone 2 'again and again'
	publish --pass previous-readable:2
	all_new 2
}

@test "a body that drips is not waited for" {
	local drops
	begin drips store.stall_timeout=1s
	printf -v drops '%4000s' ''
	rm -rf "$state/drips/cache"
	stub_rules "$(rule GET 1 '"do":"drip","every":0.5,
	    "headers":{"ETag":"\"0123\""},"body":"'"$drops"'"')"
	publish
	alone 1 'again and again'
	stub_rules
	publish
	all_new 1
}

@test "what was let pass and then replaced by somebody is not overwritten" {
	begin other
	# The store says another version than the one that will stand there.
	stub_rules "$(rule GET 1 '"do":"reply","status":500')" \
	    "$(rule HEAD 1 '"do":"forward","set":{"ETag":"\"0123\""}')"
	publish --pass previous-readable:1
	ended 4
	stub_rules
	s3_fetch
	cmp before/other/1.crl "$store/other/1.crl"
	has "$stderr" 'other/1.crl'
	publish
	all_new 1
}

@test "several at once are told in the order of the shards" {
	begin order shards.count=12 store.connections=8
	stub_rules "$(rule GET '(2|3|5|7|11)' '"do":"reply","status":403,
	    "body":"<Error><Code>AccessDenied</Code></Error>"')"
	publish
	ended 3
	same "$(grep -o 'order/shard [0-9]*: previous' <<<"$stderr")" \
	    "$(printf 'order/shard %d: previous\n' 2 3 5 7 11)" order
	stub_rules
	publish
	ended 0
}

@test "keys that are refused altogether end the run, in one line" {
	begin keys store.connections=2
	stub_rules "$(rule GET '[0-3]' '"do":"reply","status":403,
	    "body":"<Error><Code>InvalidAccessKeyId</Code></Error>"')"
	publish
	ended 1
	has "$stderr" '403 InvalidAccessKeyId'
	[[ $stderr != *previous-readable* ]]
	s3_fetch
	diff -r before "$store"
}

@test "a store that stops answering while it is looked at ends the run" {
	begin stops
	stub_rules '{"path":"/[0-3].crl$","do":"reset"}' \
	    '{"path":"crlpress-probe","do":"reset"}'
	publish
	ended 1
	[[ $stderr != *previous-readable* ]]
	stub_rules
	s3_fetch
	diff -r before "$store"
	publish
	ended 0
}

@test "what was looked at is not asked for again while it is made" {
	begin asks
	: >"$stub/log"
	publish_ok
	same "$(stub_count GET '/[0-3].crl$')" 4 GETs
	same "$(stub_count PUT '/[0-3].crl$')" 4 PUTs
	same "$(stub_count HEAD '/[0-3].crl$')" 4 HEADs
}
