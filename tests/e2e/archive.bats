# SPDX-License-Identifier: ISC
#
# The archive in a directory: what was public is kept, listed, fetched as it
# was, and pruned, and no failure of the archive stops a publication.

# What is loaded sets $store and the like:
# shellcheck disable=SC2154

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

# archive_new NAME [SETTING...]: an issuer whose archive is $archive.
archive_new()
{
	archive=$BATS_TEST_TMPDIR/$1/archive
	mkdir -p "$archive"
	publish_new "$1" "archive.url=$archive" "${@:2}"
}

archive()
{
	run --separate-stderr "$CRLPRESS" archive --config "$conf" "$@"
}

# The names of the sets, oldest first.
sets()
{
	"$CRLPRESS" archive --config "$conf" list | awk '{ print $2 }'
}

# Each file of the archive, below the issuer.
archived()
{
	(cd "$archive/$name" && find . -type f | sort)
}

# snapshot DIR: the store as it is now.
snapshot()
{
	mkdir "$1"
	cp -a "$store/." "$1"
	rm -f "$1"/.crlpress-*
}

# Two directories have the same files: names and bytes.
same_files()
{
	diff -r "$1" "$2"
}

# make_old NAME DAYS: a set gets that much older, by its name.
make_old()
{
	local stamp
	stamp=$(date -u -d "$2 days ago" +%Y%m%dT%H%M%SZ)
	mv "$archive/$name/sets/$1.txt.gz" \
	    "$archive/$name/sets/$stamp-${1#*-}.txt.gz"
}

# ago DAYS: a time for --now.
ago()
{
	date -u -d "$1 days ago" +%FT%TZ
}

# spooled: how many objects wait for the archive.
spooled()
{
	find "$state/$name/spool" -name '*.gz' | wc -l
}

@test "runs, a push and a withheld shard are fetched as they were" {
	local now run_1 run_2 run_3
	archive_new main shards.count=3
	now=$(date +%s)
	revoke 01 0 $((now - 1000)) $((now + 864000))
	revoke 02 1 $((now - 1000)) $((now + 864000))
	revoke 03 2 $((now - 1000)) $((now + 864000))
	publish_ok
	snapshot one
	run_1=$(sets)
	same "$(wc -w <<<"$run_1")" 1 sets

	# A push: one shard of three.
	revoke 04 1 $((now - 500)) $((now + 864000))
	"$CRLPRESS" push --config "$conf" --serial 04 >push.out
	snapshot two
	run_2=$(sets | tail -n 1)

	# A shard that is withheld, and two that are not.
	pg_psql -c "DELETE FROM crlpress.revocation
	    WHERE issuer = 'main' AND serial = '\\x03'"
	revoke 05 0 $((now - 400)) $((now + 864000))
	publish
	ended 3
	snapshot three
	run_3=$(sets | tail -n 1)
	same "$(sets | wc -l)" 3 sets

	# Six CRLs were published: 3, 1 and 2, and nothing is there twice.
	same "$(archived | grep -c crls/)" 6 CRLs
	archive fetch "$run_1" fetched-1
	ended 0
	same_files one fetched-1
	archive fetch "$run_2" fetched-2
	ended 0
	same_files two fetched-2
	archive fetch fetched-3
	ended 0
	same_files three fetched-3
	has "$output" "$run_3"

	# By others: gzip reads them, openssl too.
	while read -r file; do
		zcat "$archive/$name/$file" >x.crl
		crl_verifies x.crl
	done < <(archived | grep crls/)
	zcat "$archive/$name/sets/$run_2.txt.gz" | cmp - \
	    "two/crlpress-manifest-main.txt"
	(cd fetched-2 &&
	    sha256sum --strict --quiet -c crlpress-manifest-main.txt)

	# What was fetched is a set to be followed.
	"$CRLPRESS" verify --config "$conf" --previous fetched-2 fetched-3 \
	    >verify.out
	"$CRLPRESS" verify --config "$conf" --previous fetched-1 fetched-2 \
	    >verify.out
}

@test "a set is found by time, number and the beginning of its name" {
	local run_1 number
	archive_new find shards.count=1 gates.allow_empty=yes
	publish_ok
	run_1=$(sets)
	number=$(manifest_field number)
	make_old "$run_1" 30
	run_1=$(sets)
	publish_ok
	archive fetch --at "$(ago 20)" at
	ended 0
	has "$output" "$run_1"
	same "$(crl_field at/find/0.crl number)" "$number" number
	archive fetch "$number" by-number
	ended 0
	same_files at by-number
	archive fetch "${run_1%%-*}" by-time
	ended 0
	same_files at by-time
	# What is no set, two sets, or before all of them.
	archive fetch 20 both
	ended 1
	has "$stderr" '2 sets are named 20, want one'
	archive fetch --at "$(ago 40)" none
	ended 1
	has "$stderr" 'no set in the archive is as old as'
	[ ! -e none ] && [ ! -e both ]
	# Nothing is written over.
	archive fetch "$number" at
	ended 2
	has "$stderr" 'is not empty'
	# The list of one, and JSON.
	archive list "$number"
	ended 0
	has "$output" "shard 0  number $number"
	archive --json list "$number"
	ended 0
	/usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
(run,) = report["archives"]
(shard,) = run["shards"]
assert run["run"] == sys.argv[1], run
assert run["number"] == shard["number"] == sys.argv[2], shard
assert report["exit"] == 0' "$run_1" "$number" <<<"$output"
	archive fetch "$number" as-json --json
	ended 0
	has "$output" "\"number\":\"$number\""
	# Without a word, but for what was asked for.
	archive fetch -q "$number" quietly
	ended 0
	same "$output$stderr" '' 'what was said'
	[ -n "$(ls quietly)" ]
	archive prune -q --older-than 400d
	ended 0
	same "$output$stderr" '' 'what was said'
	archive prune -q -n --older-than 400d
	has "$output" ' would go, '
	archive list -q
	has "$output" "$run_1"
}

@test "an archive that fails stops nothing, and the next run makes up for it" {
	local run_1
	archive_new fails shards.count=3 gates.allow_empty=yes
	rm -r "$archive"
	run --separate-stderr "$CRLPRESS" check-config --online --config "$conf"
	ended 1
	has "$stderr" 'archive: store: cannot be opened as a directory'
	publish
	ended 4
	has "$stderr" 'archive: store: cannot be opened as a directory'
	has "$stderr" 'published, but not all of it is in the archive'
	has "$stderr" "what waits in $state/fails/spool"
	manifest_holds
	snapshot one
	same "$(spooled)" 4 'objects that wait'
	# Beside what an earlier one left, another one waits.
	run "$CRLPRESS" push --config "$conf" --shard 2
	ended 4
	snapshot two
	same "$(spooled)" 6 'objects that wait'
	mkdir "$archive"
	publish_ok
	same "$(spooled)" 0 'objects that wait'
	[ -z "$(ls "$state/fails/spool")" ]
	same "$(sets | wc -l)" 3 sets
	run --separate-stderr "$CRLPRESS" check-config --online --config "$conf"
	ended 0
	has "$output" "# $archive: read, 3 sets"
	archive fetch "$(sets | sed -n 1p)" fetched-1
	ended 0
	same_files one fetched-1
	archive fetch "$(sets | sed -n 2p)" fetched-2
	ended 0
	same_files two fetched-2
	archive fetch fetched-3
	ended 0
	rm -f "$store"/.crlpress-*
	same_files "$store" fetched-3
}

@test "a run killed while it archives loses nothing that a set names" {
	local when killed=0 set
	command -v strace >/dev/null || skip 'no strace'
	strace -f -o probe true || skip 'strace may not trace here'
	archive_new killed shards.count=2 gates.allow_empty=yes
	publish_ok
	# Two shards and the manifest into the store, then into the spool, then
	# from there: nine links, by one thread.
	for when in 4 5 6 7 8 9; do
		strace -f -qq -o /dev/null -e trace=linkat \
		    -e inject=linkat:signal=KILL:when="$when" \
		    "$CRLPRESS" publish --config "$conf" --jobs 1 \
		    >run.out 2>&1 || killed=$((killed + 1))
		# What a set names is there, whatever else is not yet.
		for set in $(sets | tail -n 2); do
			rm -rf fetched
			archive fetch "$set" fetched
			ended 0
		done
		publish_ok
		same "$(spooled)" 0 'objects that wait'
	done
	same "$killed" 6 'runs that were killed'
	# The manifest was put by those killed from the fourth link on, and kept
	# by those that got as far as the spool with it: the sixth.
	[ "$(sets | wc -l)" -ge 10 ]
	rm -rf fetched
	archive fetch fetched
	ended 0
	rm -f "$store"/.crlpress-*
	same_files "$store" fetched
}

@test "what was published before there was an archive comes along" {
	archive_new before shards.count=4 gates.allow_empty=yes archive.url=
	publish_ok
	# Without one nothing is kept for one.
	[ ! -e "$state/before/spool" ]
	publish_configure shards.count=4 gates.allow_empty=yes \
	    "archive.url=$archive"
	"$CRLPRESS" push --config "$conf" --shard 1 >push.out
	same "$(archived | grep -c crls/)" 4 CRLs
	archive fetch fetched
	ended 0
	rm -f "$store"/.crlpress-*
	same_files "$store" fetched
}

@test "nothing in the archive is replaced" {
	local file
	archive_new twice shards.count=2 gates.allow_empty=yes
	mv "$archive" "$archive.away"
	publish
	ended 4
	# One is there already, compressed by somebody else's program; at the
	# place of the other is something else.
	mv "$archive.away" "$archive"
	cp -r "$state"/twice/spool/*/twice "$archive"
	rm -r "$archive/twice/sets"
	file=$(find "$archive" -name 0.crl.gz)
	zcat "$file" | gzip -1 >other.gz
	run ! cmp -s other.gz "$file"
	cp other.gz "$file"
	file=$(find "$archive" -name 1.crl.gz)
	echo something else | gzip >"$file"
	find "$archive" -name '*.gz' -exec sha256sum {} + >before
	publish
	ended 4
	has "$stderr" 'something else stands there in the archive'
	sha256sum --strict --quiet -c before
	# It waits with its set, and what others of the set needed is there.
	same "$(spooled)" 2 'objects that wait'
	# Once it is gone all is well.
	rm "$file"
	publish_ok
	same "$(spooled)" 0 'objects that wait'
	for set in $(sets); do
		rm -rf fetched
		archive fetch "$set" fetched
		ended 0
	done
}

@test "the spool is bounded, and an archive inside of the store refused" {
	archive_new bound shards.count=2 gates.allow_empty=yes archive.spool=0
	publish
	ended 4
	has "$stderr" 'is not kept: more waits for the archive than'
	manifest_holds
	same "$(archived 2>/dev/null | grep -c sets/)" 0 sets
	publish_configure "archive.url=$store/archive"
	run "$CRLPRESS" check-config --config "$conf"
	ended 2
	has "$output" '[archive] url: inside of the store'
	publish_configure "archive.url=$store/.archive"
	run "$CRLPRESS" check-config --config "$conf"
	ended 0
	publish_configure archive.region=x
	run "$CRLPRESS" check-config --config "$conf"
	ended 2
	has "$output" '[archive] region: without a url there is no archive'
	publish_configure "archive.url=$archive" archive.region=x
	run "$CRLPRESS" check-config --config "$conf"
	ended 2
	has "$output" '[archive] region: only an archive s3://... has it'
	run "$CRLPRESS" archive --config "$conf" list
	ended 2
}

@test "what is fetched is what was published, or it is a fault" {
	local file what
	archive_new fetch shards.count=3 gates.allow_empty=yes
	publish_ok
	file=$(find "$archive" -name 1.crl.gz)
	cp "$file" saved.gz
	# A bomb, a cut, another CRL, one octet, something behind, nothing.
	head -c 200000000 /dev/zero | gzip -1 >bad.bomb
	head -c 60 saved.gz >bad.cut
	cp "${file%1.crl.gz}2.crl.gz" bad.other
	zcat saved.gz | sed 's/crl/CRL/' | gzip >bad.octet
	cat saved.gz saved.gz >bad.twice
	: >bad.empty
	for what in bomb cut other octet twice empty; do
		cp "bad.$what" "$file"
		rm -rf fetched
		archive fetch fetched
		ended 1
		has "$stderr" 'fetch/1.crl.gz: archive, house rule: '
		[ ! -e fetched/fetch/1.crl ]
		cmp fetched/fetch/0.crl "$store/fetch/0.crl"
	done
	rm "$file"
	rm -rf fetched
	archive fetch fetched
	ended 1
	has "$stderr" 'this CRL of the set is not in the archive'
	cp saved.gz "$file"
	# A set whose manifest is another one, or none.
	file=$(find "$archive" -path '*/sets/*')
	cp "$file" saved.gz
	zcat saved.gz | sed 's/fetch/fetcH/' | gzip >"$file"
	archive fetch another
	ended 1
	has "$stderr" 'is not the manifest that its name says'
	[ ! -e another ]
	head -c 200000000 /dev/zero | gzip -1 >"$file"
	archive fetch another
	ended 1
	has "$stderr" 'larger than it may be'
	cp saved.gz "$file"
	archive fetch another
	ended 0
}

@test "prune takes what was followed long ago and no set names" {
	local now old first
	archive_new old shards.count=2 gates.allow_empty=yes
	now=$(date +%s)
	revoke 01 0 $((now - 30000000)) $((now + 864000))
	revoke 02 1 $((now - 30000000)) $((now + 864000))
	for old in 300 250 210 190 3; do
		publish --now "$(ago "$old")"
		[ "$status" -eq 0 ] || ended 3
		make_old "$(sets | tail -n 1)" "$old"
		# From then on the second shard is withheld: its first stands.
		[ "$old" -ne 300 ] || pg_psql -c "UPDATE crlpress.revocation
		    SET issuer = 'gone' WHERE issuer = 'old' AND shard = 1"
	done
	same "$(sets | wc -l)" 5 sets
	same "$(archived | grep -c crls/)" 6 CRLs
	first=$(archived | grep '/1\.crl')
	# What a killed process left, and what is not ours to judge.
	mkdir -p "$archive/old/crls/20200101T000000Z-7/old"
	echo x >"$archive/old/crls/20200101T000000Z-7/old/0.crl.gz"
	echo x >"$archive/old/crls/README"
	echo x >"$archive/old/crls/.crlpress-tmp-1"
	tree "$archive" >before
	archive prune --older-than 200d --dry-run
	ended 0
	same "$output" 'old: 2 sets and 3 CRLs would go, 3 and 5 left' out
	same "$(tree "$archive")" "$(<before)" archive
	archive prune --older-than 200d --json
	ended 0
	has "$output" '"sets":2'
	has "$output" '"crls":3'
	same "$(sets | wc -l)" 3 sets
	same "$(archived | grep -c '/[01]\.crl')" 4 CRLs
	has "$(archived)" "$first"
	has "$(archived)" README
	[ ! -e "$archive/old/crls/.crlpress-tmp-1" ]
	for old in 210 190 3; do
		rm -rf fetched
		archive fetch --at "$(ago $((old - 1)))" fetched
		ended 0
		same "$(find fetched -name '*.crl' | wc -l)" 2 CRLs
	done
	# The newest stays whatever its age, with all that it names.
	archive prune --older-than 1d
	ended 0
	same "$(sets | wc -l)" 1 sets
	same "$(archived | grep -c '/[01]\.crl')" 2 CRLs
	archive prune --older-than 1d
	ended 0
	same "$output" 'old: 0 sets and 0 CRLs gone, 1 and 3 left' output
	rm -rf fetched
	archive fetch fetched
	ended 0
	# Where a set cannot be read nobody knows what it names.
	echo x >"$archive/old/sets/$(sets).txt.gz"
	mkdir -p "$archive/old/crls/20200101T000000Z-7/old"
	echo x >"$archive/old/crls/20200101T000000Z-7/old/0.crl.gz"
	archive prune --older-than 1d
	ended 1
	has "$stderr" 'what these sets name cannot be told'
	[ -e "$archive/old/crls/20200101T000000Z-7/old/0.crl.gz" ]
	# How old is not to be guessed.
	archive prune
	ended 2
	archive prune --older-than 1h
	ended 2
	archive list --older-than 5d
	ended 2
}

@test "prune leaves a CRL whose set comes while it looks" {
	local set crl pid=
	command -v strace >/dev/null || skip 'no strace'
	strace -f -o probe true || skip 'strace may not trace here'
	archive_new late shards.count=1 gates.allow_empty=yes
	publish --now "$(ago 3)"
	ended 0
	publish
	ended 0
	# The first set waited for days, in somebody's spool.
	set=$(sets | head -n 1)
	mv "$archive/late/sets/$set.txt.gz" set.gz
	crl=$(archived | grep crls/ | head -n 1)
	mv "$archive/late/$crl" crl.gz
	# Stopped once the sets were listed.
	strace -f -o trace -P "$archive/late/sets" -e trace=getdents64 \
	    -e inject=getdents64:signal=STOP:when=2 \
	    "$CRLPRESS" archive --config "$conf" prune --older-than 1d \
	    >prune.out 2>&1 3>&- &
	until grep -q 'stopped by SIGSTOP' trace 2>/dev/null; do
		kill -0 "$!" 2>/dev/null || {
			cat prune.out trace
			return 1
		}
		sleep 0.05
	done
	pid=$(sed -n '/stopped by SIGSTOP/{s/ .*//p;q}' trace)
	mkdir -p "$archive/late/${crl%/*}"
	cp crl.gz "$archive/late/$crl"
	cp set.gz "$archive/late/sets/$set.txt.gz"
	kill -CONT "$pid"
	wait "$!"
	archive fetch "$set" fetched
	ended 0
}

@test "a push beside shards that were configured away" {
	archive_new away shards.count=2 gates.allow_empty=yes
	publish_ok
	publish_configure shards.first=1 shards.count=1 \
	    gates.allow_empty=yes "archive.url=$archive"
	run "$CRLPRESS" push --config "$conf" --shard 1 --pass set-complete
	ended 0
	# Both are in the set still.
	archive fetch fetched
	ended 0
	rm -f "$store"/.crlpress-*
	same_files "$store" fetched
}

@test "of two sets of one second the last is what stood then" {
	local first last stamp
	archive_new second shards.count=2 gates.allow_empty=yes
	publish_ok
	next_second
	"$CRLPRESS" push --config "$conf" --shard 1 >push.out
	rm -f "$store"/.crlpress-*
	make_old "$(sets | tail -n 1)" 3
	last=$(sets | head -n 1)
	# By its name the first one comes behind it.
	stamp=${last%%-*}
	first=$(sets | tail -n 1)
	mv "$archive/second/sets/$first.txt.gz" \
	    "$archive/second/sets/$stamp-99999999999-${first##*-}.txt.gz"
	has "$(sets | tail -n 1)" -99999999999-
	archive fetch fetched
	ended 0
	same_files "$store" fetched
	archive fetch --at "$(ago 2)" earlier
	ended 0
	same_files "$store" earlier
	# Which of them was followed is not known by the name.
	archive prune --older-than 1d
	ended 0
	has "$output" ': 0 sets and 0 CRLs gone, 2 and 3 left'
}
