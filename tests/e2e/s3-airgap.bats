# SPDX-License-Identifier: ISC
#
# A key that no network reaches, and a real S3 store: publish --stage-tbs,
# sign, publish --signed.
#
# Each test is a subshell, and variables are those of tests/lib:
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/s3.bash
load ../lib/airgap.bash

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
	machines_new=s3_publish_new
	victim=
}

teardown()
{
	[ -z "$victim" ] || kill -KILL "$victim" 2>/dev/null || true
	stub_stop
}

# What stands in the bucket is what was signed, and what the rows say.
bucket_holds()
{
	local i
	s3_fetch || return 1
	for i in 0 1; do
		cmp "$box/$i.crl" "$store/$name/$i.crl" || return 1
	done
	export_rows "${1:-}"
	compare 2 || return 1
	manifest_holds || return 1
	same "$(manifest_field number)" \
	    "$(sed -n 's/^# number //p' "$box/request.txt")" number || return 1
	same "$(s3_client list "$bucket" | wc -l)" 3 objects
}

# Keys, sizes, ETags and times of all objects.
standing()
{
	s3_curl "$bucket?list-type=2" | grep -o '<Contents>.*' || true
}

# signed_set NAME [SETTING...]: one set that is published, the next one signed.
signed_set()
{
	machines "$@"
	press_all "$at"
	revoke 0badcafe 0 "$(sec '5 minutes ago')" "$(sec '90 days')" 1
	rm -rf "$box"
	stage
	ended 0
	sign
	ended 0
}

@test "two sets: staged, signed, published" {
	local before
	machines two
	press_all "$at"
	bucket_holds
	# What stands in the bucket is carried along, for the signer to compare.
	revoke 0badcafe 0 "$(sec '5 minutes ago')" "$(sec '90 days')" 1
	rm -rf "$box"
	before=$(standing)
	stage
	ended 0
	same "$(standing)" "$before" 'what stands, after stage'
	cmp "$box/0.previous.crl" "$store/two/0.crl"
	cmp "$box/1.previous.crl" "$store/two/1.crl"
	sign
	ended 0
	grep -Eq '^ +0 +[0-9]+ +1 +0 +0 ' <<<"$output"
	same "$(standing)" "$before" 'what stands, after sign'
	bring
	ended 0
	same "$stderr" '' stderr
	bucket_holds
	crl_field "$store/two/0.crl" serials | grep -qx 0BADCAFE
	# By a reader of its own, with the headers that a run gives.
	s3_client head "$bucket" two/0.crl | grep -q 'application/pkix-crl'
	# Once more changes nothing.
	before=$(standing)
	bring
	ended 0
	has "$stderr" 'published already'
	same "$(standing)" "$before" 'what stands, after once more'
}

@test "what somebody else published in between makes it stale" {
	local before
	signed_set stale
	# Of this state directory, so that its number is higher.
	s3_configure issuer.key="$ca/issuer.key"
	publish_ok
	before=$(standing)
	bring
	ended 3
	has "$stderr" 'stale: number'
	same "$(standing)" "$before" 'what stands'
}

@test "what stands for another shard is not published over" {
	local before
	signed_set swapped
	# A put by somebody who is not crlpress.
	s3_fetch
	s3_put "$bucket/swapped/0.crl" "$store/swapped/1.crl"
	before=$(standing)
	bring
	ended 3
	has "$stderr" 'swapped/shard 0: '
	s3_fetch
	cmp "$box/1.crl" "$store/swapped/1.crl"
	cmp "$box/1.previous.crl" "$store/swapped/0.crl"
}

@test "an answer that is lost, and a store that ends it: once more is whole" {
	stub_start "$S3_ENDPOINT"
	signed_set lost "store.endpoint=$stub_url" store.connections=1 \
	    store.retry_deadline=1s
	# The first put arrives and nobody hears of it, the other one does not.
	stub_rules \
	    '{"method":"PUT","path":"/0.crl$","times":1,"do":"forward",
	    "lose":true}' \
	    '{"method":"PUT","path":"/1.crl$","do":"reply","status":400}'
	bring
	ended 4
	s3_fetch
	cmp "$box/0.crl" "$store/lost/0.crl"
	cmp "$box/1.previous.crl" "$store/lost/1.crl"
	stub_rules
	bring
	ended 0
	bucket_holds
}

@test "kill -9 while each put is under way: once more, and all stands" {
	local key number=0
	stub_start "$S3_ENDPOINT"
	machines killed "store.endpoint=$stub_url" store.connections=1
	press_all "$at"
	for key in 0.crl 1.crl manifest-killed.txt; do
		number=$((number + 1))
		revoke "0badcaf$number" 0 "$(sec '5 minutes ago')" \
		    "$(sec '90 days')" 1
		rm -rf "$box"
		stage
		ended 0
		sign
		ended 0
		: >"$stub/log"
		stub_rules '{"method":"PUT","path":"'"$key"'$","do":"hang"}'
		"$CRLPRESS" publish --quiet --config "$conf" --signed "$box" \
		    >out 2>&1 3>&- &
		victim=$!
		until [ "$(stub_count PUT "$key\$")" -ge 1 ]; do
			kill -0 "$victim" || {
				cat out
				return 1
			}
			sleep 0.05
		done
		kill -KILL "$victim"
		wait "$victim" 2>/dev/null || true
		victim=
		stub_rules
		bring
		ended 0
		bucket_holds
	done
}
