# SPDX-License-Identifier: ISC
#
# A push to a bucket: one object and the manifest change. Pushes from several
# machines at once, which have no state directory in common.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2154

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
	running=()
}

teardown()
{
	kill -KILL "${running[@]}" 2>/dev/null || true
}

# first NAME [SETTING...]: 400 rows in 4 shards, published a minute ago.
first()
{
	s3_publish_new "$1" shards.count=4 "${@:2}"
	make_rows 400 --shards 4 --since "$(date -u -d '2 days ago' +%FT%TZ)" \
	    --now "$(date -u -d '2 minutes ago' +%FT%TZ)"
	publish_ok --now "$(date -u -d '1 minute ago' +%FT%TZ)"
	s3_fetch
	cp -a "$store" before
}

recorded()
{
	revoke "$1" "$2" "$(date -u -d '2 seconds ago' +%s)" \
	    "$(date -u -d '30 days' +%s)" 1
}

@test "a push to a bucket changes one object and the manifest" {
	local shard
	first one
	recorded 7a7a7a01 2
	run --separate-stderr "$CRLPRESS" push --config "$conf" \
	    --serial 7a7a7a01
	ended 0
	same "$stderr" '' stderr
	has "$output" 'one: serial 7a7a7a01: shard 2, '
	s3_fetch
	crl_verifies "$store/one/2.crl"
	crl_field "$store/one/2.crl" serials | grep -qx 7A7A7A01
	for shard in 0 1 3; do
		cmp "before/one/$shard.crl" "$store/one/$shard.crl"
	done
	manifest_holds
	export_rows
	compare 4
	publish_ok
	s3_fetch
	manifest_holds
	export_rows
	compare 4
}

@test "pushes from eight machines at once: every serial stands there" {
	local i overtaken=()
	first many
	for i in {0..7}; do
		mkdir "$i"
		sed "s|^dir = .*|dir = $PWD/$i/state|" "$conf" >"$i/many.cnf"
		recorded "7a7a7b0$i" $((i % 2))
		"$CRLPRESS" push --config "$PWD/$i/many.cnf" \
		    --serial "7a7a7b0$i" >"said.$i" 2>&1 3>&- &
		running+=($!)
	done
	# Of eight in two shards some may be overtaken five times over.
	for i in {0..7}; do
		wait "${running[$i]}" && continue
		grep -q 'somebody else published here\|time-up' "said.$i"
		overtaken+=("$i")
	done
	running=()
	for i in "${overtaken[@]}"; do
		"$CRLPRESS" push --quiet --config "$PWD/$i/many.cnf" \
		    --serial "7a7a7b0$i"
	done
	s3_fetch
	for i in {0..7}; do
		crl_field "$store/many/$((i % 2)).crl" serials |
		    grep -qx "7A7A7B0$i"
	done
	manifest_holds
	export_rows
	compare 4
}

@test "in a store without conditions a push needs the lock" {
	first lone
	# A store that has no conditions, as far as the configuration says.
	sed -i 's|^endpoint = .*|&\nunconditional = yes|' "$conf"
	recorded 7a7a7a01 2
	(
		exec 9>"$state/lone/lock"
		flock 9
		run --separate-stderr "$CRLPRESS" push --config "$conf" \
		    --serial 7a7a7a01 9>&-
		ended 75
		has "$stderr" 'lock: another run of this issuer holds it'
	)
	run --separate-stderr "$CRLPRESS" push --config "$conf" \
	    --serial 7a7a7a01
	ended 0
}
