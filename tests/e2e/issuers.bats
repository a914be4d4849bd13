# SPDX-License-Identifier: ISC
#
# Many issuers in one directory of configurations: what is wrong with one is
# told of that one and stops no other, and what two of them cannot both have
# stops these two before anything is done.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

MANY=50
CAS=5

setup_file()
{
	publish_setup
	local i
	for ((i = 0; i < CAS; i++)); do
		"$PUBLISH_TREE/tools/make-ca" --p256 \
		    --subject "/C=XX/O=Example Trust/CN=Example Issuer E$i" \
		    "$BATS_FILE_TMPDIR/ca$i"
	done
}

setup()
{
	publish_env
	mkdir etc
	store=$PWD/store
	state=$PWD/state
	mkdir "$store"
	conf=$PWD/etc
	ca=$BATS_FILE_TMPDIR/ca
}

teardown_file()
{
	pg_stop
}

# issuer NAME [SECTION.KEY=VALUE...]: its configuration is in etc; all of them
# have one store, one state directory and one table.
issuer()
{
	name=$1
	shift
	# shellcheck disable=SC2059 # it is a format
	url=$(printf "$PUBLISH_URL" "$name")
	conf=$PWD/etc/$name.cnf publish_configure gates.allow_empty=yes "$@"
}

# rows_of NAME: three of them, in shard 0.
rows_of()
{
	pg_psql -c "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    SELECT '$1', decode('40' || substr(md5('$1' || n), 1, 30), 'hex'),
	    now() - interval '1 hour', 1, now() + interval '30 days', 0
	    FROM generate_series(1, 3) AS n ON CONFLICT DO NOTHING"
}

# The names that have been published, in one line.
published_names()
{
	find "$store" -maxdepth 1 -name 'crlpress-manifest-*.txt' |
	    sed 's/.*manifest-//; s/\.txt$//' | sort | xargs
}

# shares FILE FILE TEXT: both commands say in one line what these two share,
# and neither is published.
shares()
{
	local command
	for command in publish check-config; do
		run --separate-stderr "$CRLPRESS" "$command" --config "$conf"
		ended 2
		same "$(grep -c . <<<"$stderr")" 1 "lines: $stderr"
		has "$stderr" "etc/$2.cnf: config, house rule: the $3 is that \
of another file too, $conf/$1.cnf; neither is used"
	done
	[[ " $(published_names) " != *" $1 "* ]]
	[[ " $(published_names) " != *" $2 "* ]]
}

# well_formed: nothing is shared.
well_formed()
{
	run --separate-stderr "$CRLPRESS" check-config --quiet --config "$conf"
	ended 0
	same "$stderr" '' stderr
}

@test "fifty issuers with keys of their own: of four what is wrong is told" {
	local i n want=
	for ((i = 0; i < MANY; i++)); do
		n=$(printf 'e%02d' "$i")
		ca=$BATS_FILE_TMPDIR/ca$((i % CAS)) issuer "$n" shards.count=1
		[[ $n == e07 || $n == e13 || $n == e21 || $n == e34 ]] ||
		    want+=" $n"
	done
	for n in e06 e07 e08 e13 e49; do
		rows_of "$n"
	done
	echo 'no key' >broken.key
	chmod 600 broken.key
	sed -i "s,^key = .*,key = $PWD/broken.key," etc/e07.cnf
	sed -i 's,^conninfo = .*,conninfo = host=/nonexistent,' etc/e13.cnf
	sed -i 's,^count = .*,count 2,' etc/e21.cnf
	# The key of another one.
	sed -i "s,^key = .*,key = $BATS_FILE_TMPDIR/ca0/issuer.key," etc/e34.cnf
	publish
	ended 2
	same "$(published_names)" "${want# }" 'issuers published'
	# Each by its name, its file or its object; four faults in all.
	has "$stderr" "$PWD/broken.key: key"
	has "$stderr" /nonexistent
	has "$stderr" 'etc/e21.cnf:'
	has "$stderr" 'not the key of the issuer certificate'
	same "${#lines[@]}" $((MANY - 1)) 'summary lines'
	for n in e07 e13 e34; do
		grep -q "^$n: [a-z]*: nothing was made$" <<<"$output"
	done
	local ca_of
	for n in e06 e08 e49; do
		ca_of=$BATS_FILE_TMPDIR/ca$((10#${n#e} % CAS))
		same "$(crl_field "$store/$n/0.crl" serials | wc -l)" 3 \
		    "entries of $n"
		ca=$ca_of crl_verifies "$store/$n/0.crl"
	done
	# What was mended is all that was missing.
	for n in e07 e13 e21 e34; do
		ca=$BATS_FILE_TMPDIR/ca$((10#${n#e} % CAS)) issuer "$n"
	done
	publish_ok --issuer e07 --issuer e13 --issuer e21 --issuer e34
	same "${#lines[@]}" 4 'summary lines'
	same "$(published_names | wc -w)" "$MANY" 'issuers published'
}

@test "the worst exit status is that of the run, and each is told by name" {
	issuer a
	issuer b source.conninfo="host=$PGHOST port=$PGPORT dbname=nowhere \
user=cron"
	issuer c source.issuer_id=nine
	issuer d
	name=nine revoke 61 9 1700000000 $(($(date +%s) + 86400))
	publish --json
	ended 1
	echo "$output" >report.json
	/usr/bin/python3 - <<-'PY'
		import json
		report = json.load(open("report.json"))
		runs = {run["issuer"]: run["status"] for run in report["runs"]}
		assert runs == {"a": "ok", "b": "failed", "c": "refused",
		                "d": "ok"}, runs
	PY
	same "$(published_names)" 'a d' 'issuers published'
	rm etc/b.cnf
	publish
	ended 3
}

@test "one issuer name: neither is used, the others are" {
	issuer a
	issuer b issuer.name=a
	issuer c
	shares a b 'issuer name a'
	same "$(published_names)" c 'issuers published'
}

@test "one state directory for many, but no name twice" {
	issuer a
	issuer b
	publish_ok
	issuer b issuer.name=a store.url="$PWD" state.dir="$PWD/elsewhere"
	rm -r "$store"
	mkdir "$store"
	shares a b 'issuer name a'
}

@test "one manifest" {
	issuer a
	issuer b store.manifest=crlpress-manifest-a.txt
	shares a b 'manifest crlpress-manifest-a.txt'
}

@test "one store by several names" {
	ln -s "$store" link
	mkdir "$store/sub"
	issuer a
	issuer b store.url="$PWD/link/" store.manifest=crlpress-manifest-a.txt
	shares a b 'manifest crlpress-manifest-a.txt'
	issuer b store.url="file://$store" \
	    store.manifest=crlpress-manifest-a.txt
	shares a b 'manifest crlpress-manifest-a.txt'
	# A store inside of another.
	issuer a store.manifest=sub/m.txt
	issuer b store.url="$store/sub" store.manifest=m.txt
	shares a b 'manifest m.txt'
	issuer b store.url="$store/sub" store.manifest=n.txt
	well_formed
}

@test "objects of two issuers in one store" {
	issuer a shards.object='x/{shard}.crl' shards.count=20
	issuer b shards.object='x/1{shard}.crl' shards.count=4
	shares a b 'object x/10.crl'
	# The numbers of the first end before that.
	issuer a shards.object='x/{shard}.crl' shards.count=10
	well_formed
	issuer b shards.object='x/{shard:02}.crl' shards.first=8 shards.count=4
	well_formed
	issuer a shards.object='x/{shard}.crl' shards.first=11 shards.count=1
	shares a b 'object x/11.crl'
	issuer b shards.count=1 shards.object=x/11.crl \
	    shards.url=http://crl.example.com/b.crl
	shares a b 'object x/11.crl'
}

@test "a manifest that is an object of another issuer" {
	issuer a shards.object='x/{shard}.crl'
	issuer b store.manifest=x/1.crl
	shares a b 'object x/1.crl'
	issuer a store.manifest=b/1.crl
	issuer b
	shares a b 'object b/1.crl'
}

@test "a URL of two issuers, wherever it is stored" {
	mkdir other
	issuer a shards.url='http://crl.example.com/{shard}.crl' \
	    shards.first=0 shards.count=4
	issuer b shards.url='http://crl.example.com/{shard}.crl' \
	    shards.first=3 shards.count=4 store.url="$PWD/other"
	shares a b 'URL http://crl.example.com/3.crl'
	# Numbers of their own are enough.
	issuer b shards.url='http://crl.example.com/{shard}.crl' \
	    shards.first=4 shards.count=4
	publish_ok
	same "$(published_names)" 'a b' 'issuers published'
}

@test "a URL by several ways to write it" {
	local other
	issuer a shards.url='http://crl.example.com/a/{shard}.crl'
	for other in 'http://CRL.Example.com/a/{shard}.crl' \
	    'http://crl.example.com./a/{shard}.crl' \
	    'http://crl.example.com:80/a/{shard}.crl' \
	    'http://crl.example.com:/a/{shard}.crl' \
	    'http://crl.example.com/%61/{shard}%2ecrl'; do
		issuer b shards.url="$other" shards.object='b/{shard}.crl'
		shares a b 'URL http://crl.example.com/a/0.crl'
	done
	issuer a shards.url='http://crl.example.com:8080/a%2f{shard}.crl' \
	    shards.object='a/{shard}.crl'
	issuer b shards.url='http://crl.example.com:08080/a%2F%31.crl' \
	    shards.object='b/1.crl' shards.count=1
	shares a b 'URL http://crl.example.com:8080/a%2F1.crl'
	# A slash that is encoded is none, a path has two cases, and so on.
	for other in 'http://crl.example.com:8080/a/{shard}.crl' \
	    'http://crl.example.com:8080/A%2F{shard}.crl' \
	    'http://crl.example.com:80/a%2F{shard}.crl' \
	    'http://crl.example.com:808/a%2F{shard}.crl'; do
		issuer b shards.url="$other" shards.object='b/{shard}.crl'
		well_formed
	done
}

@test "a bucket by several names, and prefixes of it" {
	local s3='s3://bucket/crl'
	issuer a store.url="$s3" store.manifest=m.txt
	issuer b store.url="$s3/" store.manifest=m.txt
	run --separate-stderr "$CRLPRESS" check-config --config "$conf"
	ended 2
	has "$stderr" 'the manifest m.txt is that of another file too'
	issuer b store.url=s3://bucket store.manifest=crl/m.txt
	run --separate-stderr "$CRLPRESS" check-config --config "$conf"
	ended 2
	has "$stderr" 'the manifest crl/m.txt is that of another file too'
	local endpoint
	for endpoint in https://S3.example.com https://s3.example.com:443 \
	    http://s3.example.com; do
		issuer a store.url="$s3" store.manifest=m.txt \
		    store.endpoint=https://s3.example.com
		issuer b store.url="$s3" store.manifest=m.txt \
		    store.endpoint="$endpoint"
		run --separate-stderr "$CRLPRESS" check-config --config "$conf"
		ended 2
		has "$stderr" 'the manifest m.txt is that of another file too'
	done
	issuer b store.url="$s3" store.manifest=m.txt \
	    store.endpoint=https://s3.example.com:8443
	well_formed
	# Names of buckets are Amazon's, wherever they are asked for.
	issuer a store.url="$s3" store.manifest=m.txt
	issuer b store.url="$s3" store.manifest=m.txt \
	    store.endpoint=https://s3.eu-central-1.amazonaws.com
	run --separate-stderr "$CRLPRESS" check-config --config "$conf"
	ended 2
	has "$stderr" 'the manifest m.txt is that of another file too'
	# Another bucket, and the same one somewhere else.
	issuer b store.url=s3://bucket2/crl store.manifest=m.txt
	well_formed
	issuer b store.url="$s3" store.manifest=m.txt \
	    store.endpoint=https://s3.example.com
	well_formed
}

@test "three: each is held against all others" {
	issuer a shards.object='x/{shard}.crl' shards.count=2
	issuer b shards.object='x/{shard}.crl' shards.first=2 shards.count=2
	issuer c shards.object='x/{shard}.crl' shards.count=4
	publish
	ended 2
	has "$stderr" "etc/c.cnf: config, house rule: the object x/0.crl"
	has "$stderr" "etc/c.cnf: config, house rule: the object x/2.crl"
	same "$(published_names)" '' 'issuers published'
}

@test "what was not asked for is not held against one another" {
	issuer a
	issuer b issuer.name=a
	issuer c
	publish_ok --issuer c
	publish --issuer a
	ended 2
	same "$(published_names)" c 'issuers published'
	# A file by itself is what it was.
	conf=$PWD/etc/a.cnf publish_ok
}
