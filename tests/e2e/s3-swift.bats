# SPDX-License-Identifier: ISC
#
# A store without conditional puts, OpenStack Swift: it is not used but by the
# option that says so, and then like any other.

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/s3.bash

setup_file()
{
	publish_setup
	s3_start_swift
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

guard='the lock in the state directory is now the only guard'

@test "without the option nothing is put there" {
	s3_publish_new refused store.retry_deadline=10s
	make_rows 100 --shards 2
	publish
	[ "$status" -ne 0 ]
	has "$stderr" 'unconditional = yes'
	same "$(s3_client list "$bucket")" '' objects
}

@test "with it two runs say what the database says, and that it is used" {
	local this gone
	s3_publish_new main shards.count=8 store.unconditional=yes
	make_rows 4000 --shards 8
	publish
	ended 0
	has "$stderr" "$guard"
	s3_fetch
	export_rows
	compare 8
	manifest_holds
	this=$(all_have this)
	make_rows 100 --shards 8 --seed 2 --since "$(iso "$this")"
	publish
	ended 0
	# At every run.
	has "$stderr" "$guard"
	s3_fetch
	export_rows "AND not_after >= to_timestamp($this)"
	compare 8
	manifest_holds
	same "$(s3_client list "$bucket" | wc -l)" 9 objects
}

@test "wrong key and wrong region are refused" {
	s3_publish_new wrong store.unconditional=yes store.retry_deadline=10s
	make_rows 100 --shards 2
	AWS_SECRET_ACCESS_KEY=another publish
	ended 1
	has "$stderr" SignatureDoesNotMatch
	s3_configure store.region=eu-west-9
	publish
	ended 1
	has "$stderr" 'the answer is 400'
	same "$(s3_client list "$bucket")" '' objects
}
