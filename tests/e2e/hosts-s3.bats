# SPDX-License-Identifier: ISC
#
# Several hosts share a run into a bucket, of which every version that is seen
# is kept: RADOS Gateway.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/s3.bash
load ../lib/hosts.bash

setup_file()
{
	hosts_setup
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
	keeper='' rgw=''
	s3_env
}

teardown()
{
	[ -z "$rgw" ] || kill -CONT "$rgw"
	hosts_end
}

# bucket_new NAME SHARDS [SECTION.KEY=VALUE...]
bucket_new()
{
	s3_publish_new "$1" "shards.count=$2" "${@:3}"
	settings=("shards.count=$2" "${s3_settings[@]}")
	hosts=() pid=()
	hosts_rows 200 "$2"
	bucket_watch "$2"
}

two_hosts()
{
	gate_close made opener
	gate_close made joiner
	host a
	until_shards 2 "state = 'leased'"
	host b
	until_shards 4 "state = 'leased'"
}

@test 'two hosts make one run into a bucket, and one of them is killed' {
	bucket_new two 6
	two_hosts
	gates_open
	host_ended a 0
	host_ended b 0
	bucket_seen 6
	sleep 1
	two_hosts
	host_kill a
	gates_open
	lease_passes a
	host_ended b 0
	bucket_versions '2 2 2 2 2 2'
}

@test 'killed after it put into a bucket, before it said so' {
	bucket_new silent 6
	two_hosts
	gate_close published opener
	pg_psql -c "DELETE FROM gate WHERE state = 'made'"
	until [ "$(s3_client list "$bucket" | grep -c '[.]crl ')" -eq 6 ]; do
		sleep 0.1
	done
	until_true "SELECT count(*) > 0 FROM pg_stat_activity
	    WHERE query LIKE '%state = u.state%' AND state = 'active'
	    AND usename = 'cron'"
	host_kill a
	hosts_cut "query LIKE '%state = u.state%'"
	gates_open
	lease_passes a
	host_ended b 0
	bucket_versions '1 1 1 1 1 1'
}

@test 'the store stands still under all: the next run does what is left' {
	bucket_new still 4 store.request_timeout=4s store.stall_timeout=4s \
	    store.retry_deadline=6s store.connect_timeout=4s
	read -r rgw <"$S3_ROOT/rgw/rgw.s3pid"
	two_hosts
	kill -STOP "$rgw"
	gates_open
	host_ended a 1 4
	host_ended b 1 4
	has "$(cat "$work"/?.err)" 'left to the other hosts'
	kill -CONT "$rgw"
	rgw=
	# What was sent may be put even now: it is a run's of its own.
	host c store.request_timeout=1m store.stall_timeout=1m \
	    store.retry_deadline=2m store.connect_timeout=1m
	host_ended c 0
	# Those that were put before are put twice, by two runs.
	bucket_versions 'x x x x'
}
