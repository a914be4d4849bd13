# SPDX-License-Identifier: ISC
#
# On a real S3 store: the archive, lists of more than a page, a manifest that
# is compressed, HTTP/2, and that the right to write is shown in every run.
#
# What is loaded sets $stub and the like:
# shellcheck disable=SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/sunset.bash
load ../lib/publish.bash
load ../lib/s3.bash

setup_file()
{
	publish_setup
	s3_start
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$BATS_FILE_TMPDIR/key.pem" -days 2 -subj /CN=web \
	    -out "$BATS_FILE_TMPDIR/cert.pem" \
	    -addext subjectAltName=IP:127.0.0.1 2>/dev/null
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
	dir=$(mktemp -d "${TMPDIR:-/tmp}/s3a.XXXXXX")
	chmod 755 "$dir"
	client=${CRLPRESS%/*}/drivers/store_client
}

teardown()
{
	sunset_stop
	stub_stop
	rm -rf "${dir:?}"
}

archive()
{
	run --separate-stderr "$CRLPRESS" archive --config "$conf" "$@"
}

# The store, as the configuration in $conf has it, by our own client.
client()
{
	"$client" "$conf" "$@"
}

# front SCHEME [LINE...]: nginx with TLS and HTTP/2 before the store, at
# $front; $dir/access has who asked. The Host header, and with it the
# signature, stays.
front()
{
	local port
	port=$(free_port)
	front=https://127.0.0.1:$port
	# shellcheck disable=SC2016 # nginx expands
	printf '%s\n' \
	    "log_format asked '\$request_method \$server_protocol \$status';" \
	    'server {' "listen 127.0.0.1:$port ssl http2;" \
	    "ssl_certificate $BATS_FILE_TMPDIR/cert.pem;" \
	    "ssl_certificate_key $BATS_FILE_TMPDIR/key.pem;" \
	    "access_log $dir/access asked;" 'client_max_body_size 0;' \
	    'location / {' "proxy_pass $S3_ENDPOINT;" \
	    'proxy_set_header Host $http_host;' "${@}" '}' '}' >"$dir/site"
	nginx_start "$port" "$dir/site"
}

@test "the archive in a bucket: boto3 reads it, fetch gives what stood there" {
	local run_1 key file
	s3_client bucket kept
	s3_publish_new main shards.count=3 gates.allow_empty=yes \
	    archive.url=s3://kept/some/where
	publish_ok
	s3_fetch
	cp -r "$store" one
	"$CRLPRESS" push --config "$conf" --shard 2 >push.out
	s3_fetch
	cp -r "$store" two
	archive list
	ended 0
	same "$(wc -l <<<"$output")" 2 sets
	run_1=$(head -n 1 <<<"$output" | awk '{ print $2 }')
	# Four CRLs and two sets, nothing else.
	same "$(s3_client list kept | wc -l)" 6 objects
	same "$(s3_client list kept | grep -c '^some/where/main/crls/')" 4 CRLs
	archive fetch "$run_1" fetched-1
	ended 0
	diff -r one fetched-1
	archive fetch fetched-2
	ended 0
	diff -r two fetched-2
	# As boto3 has it: a file of gzip, not an encoding of something else.
	key=$(s3_client list kept | sed -n 's|^\(.*/0.crl.gz\) .*|\1|p')
	s3_client get kept "$key" | zcat | cmp - one/main/0.crl
	s3_client head kept "$key" >head.json
	has "$(<head.json)" '"content-type": "application/gzip"'
	run ! grep -q content-encoding head.json
	archive prune --older-than 1d
	ended 0
	same "$output" 'main: 0 sets and 0 CRLs gone, 2 and 4 left' output
	# An old CRL that no set names goes.
	file=one/main/0.crl
	s3_client put kept some/where/main/crls/20200101T000000Z-1/x.gz "$file"
	archive prune --older-than 1d
	ended 0
	same "$output" 'main: 0 sets and 1 CRLs gone, 2 and 4 left' output
	same "$(s3_client list kept | wc -l)" 6 objects
}

@test "an archive that is down: the run ends with 4, the next makes up for it" {
	s3_client bucket late
	stub_start "$S3_ENDPOINT"
	stub_rules '{"path":"^/late","do":"reply","status":403,"body":
	    "<Error><Code>AccessDenied</Code></Error>"}'
	s3_publish_new late2 shards.count=2 gates.allow_empty=yes \
	    archive.url=s3://late/x "archive.endpoint=$stub_url"
	publish
	ended 4
	has "$stderr" 'published, but not all of it is in the archive'
	s3_fetch
	manifest_holds
	same "$(s3_client list late | wc -l)" 0 objects
	stub_rules
	publish_ok
	same "$(s3_client list late | wc -l)" 6 objects
	stub_stop
}

@test "lists of more than a page are whole, or a fault" {
	local whole='<IsTruncated>false</IsTruncated>'
	local token='<NextContinuationToken>x</NextContinuationToken>'
	local doctype='<!DOCTYPE x [<!ENTITY a>]>'
	s3_publish_new pages
	/usr/bin/python3 - "$bucket" <<'END'
import os, sys
sys.argv = ["s3-client", sys.argv[1]]
import boto3, botocore.config
from concurrent.futures import ThreadPoolExecutor
s3 = boto3.client(
    "s3", endpoint_url=os.environ["S3_ENDPOINT"],
    region_name=os.environ["S3_REGION"],
    aws_access_key_id=os.environ["S3_KEY"],
    aws_secret_access_key=os.environ["S3_SECRET"],
    config=botocore.config.Config(
        s3={"addressing_style": "path"}, proxies={}))
names = ["a/%04d&'<%%41+=~" % i + "x" * 200 for i in range(1500)]
names += ["b/x", "a/c d"]
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda key: s3.put_object(
        Bucket=sys.argv[1], Key=key, Body=b"x"), names))
END
	client list a/ >keys
	same "$(wc -l <keys)" 1500 keys
	s3_client list "$bucket" | sed -n 's| 1$||; /^a.[0-9]/p' | cmp - keys
	client list a/ "$(sed -n 1490p keys)" >rest
	tail -n 10 keys | cmp - rest
	client list '' >all
	same "$(wc -l <all)" 1501 'keys of all'
	client list c/ >none
	[ ! -s none ]
	# Removed, and gone for boto3; again is no fault.
	client remove "$(sed -n 7p keys)"
	client remove "$(sed -n 7p keys)"
	same "$(s3_client list "$bucket" | wc -l)" 1501 objects
	# What a store may get wrong.
	stub_start "$S3_ENDPOINT"
	s3_settings+=("store.endpoint=$stub_url")
	s3_configure
	# shellcheck disable=SC2089
	for body in '<ListBucketResult><Key>a/1</Key>' '' \
	    '<R><IsTruncated>true</IsTruncated><Key>a/1</Key></R>' \
	    "<R><IsTruncated>true</IsTruncated>$token</R>" \
	    '<R><Key>a/1</Key></R>' "$doctype<R>$whole</R>"
	do
		stub_rules "{\"method\":\"GET\",\"path\":\"list-type\",
		    \"do\":\"reply\",\"status\":200,\"body\":\"$body\"}"
		run --separate-stderr client list a/
		ended 1
		has "$stderr" 'cannot list it'
	done
	# And gets right.
	stub_rules "{\"method\":\"GET\",\"path\":\"list-type\",
	    \"do\":\"reply\",\"status\":200,\"body\":\"<R>$whole</R>\"}"
	run --separate-stderr client list a/
	ended 0
	stub_stop
}

@test "a manifest that is compressed: put, read by runs, by verify, by others" {
	s3_publish_new packed shards.count=2 gates.allow_empty=yes \
	    store.manifest_gzip=yes
	publish_ok
	s3_client head "$bucket" crlpress-manifest-packed.txt >head.json
	has "$(<head.json)" '"content-encoding": "gzip"'
	has "$(<head.json)" '"content-type": "text/plain; charset=utf-8"'
	# A CRL is never, whoever fetches it.
	s3_client head "$bucket" packed/0.crl >head.json
	run ! grep -q content-encoding head.json
	s3_fetch
	zcat <"$manifest" >plain
	(cd "$store" && sha256sum --strict --quiet -c "$OLDPWD/plain")
	"$CRLPRESS" verify --config "$conf" "$store" >verify.out
	# What it says counts there too.
	sed "s/^# shard 1 number=[0-9]*/# shard 1 number=7/" plain |
	    head -n -1 >wrong
	printf '# end %s\n' "$(cksum <wrong)" >>wrong
	gzip -c wrong >"$manifest"
	run "$CRLPRESS" verify --config "$conf" "$store"
	ended 5
	has "$output" 'set-manifest'
	# The next run follows it, and a push; without the key it is text again.
	publish_ok
	"$CRLPRESS" push --config "$conf" --shard 1 >push.out
	s3_configure shards.count=2 gates.allow_empty=yes store.manifest_gzip=no
	publish_ok
	s3_fetch
	manifest_holds
	# A bomb is none.
	head -c 100000000 /dev/zero | gzip -1 >bomb
	s3_client put "$bucket" crlpress-manifest-packed.txt bomb
	publish
	ended 3
	has "$stderr" 'larger than it may be when it is unpacked'
	# Where nothing says so nothing is.
	publish_configure store.manifest_gzip=yes
	run "$CRLPRESS" check-config --config "$conf"
	ended 2
	has "$output" 'only a store s3://'
}

@test "HTTP/2 where it is offered, and none where it is not wanted" {
	front
	s3_publish_new http2 shards.count=3 gates.allow_empty=yes \
	    "store.endpoint=$front" "store.ca_file=$BATS_FILE_TMPDIR/cert.pem"
	publish_ok
	s3_fetch
	manifest_holds
	[ "$(grep -c '^PUT HTTP/2.0 200' "$dir/access")" -ge 4 ]
	run ! grep -v 'HTTP/2.0' "$dir/access"
	: >"$dir/access"
	s3_configure shards.count=3 gates.allow_empty=yes \
	    "store.endpoint=$front" "store.ca_file=$BATS_FILE_TMPDIR/cert.pem" \
	    store.http2=no
	publish_ok
	[ "$(grep -c '^PUT HTTP/1.1 200' "$dir/access")" -ge 4 ]
	run ! grep -v 'HTTP/1.1' "$dir/access"
}

@test "what the public is served is read with public_ca_file" {
	local way
	way=$(free_port)
	# It has nothing, so what it answers can be told from what TLS says.
	printf '%s\n' 'server {' "listen 127.0.0.1:$way ssl;" \
	    "ssl_certificate $BATS_FILE_TMPDIR/cert.pem;" \
	    "ssl_certificate_key $BATS_FILE_TMPDIR/key.pem;" \
	    "root $dir;" '}' >"$dir/site"
	PUBLISH_URL="https://127.0.0.1:$way/%s/{shard}.crl"
	s3_publish_new public shards.count=1 gates.allow_empty=yes \
	    issuer.profile=private store.read_back=public \
	    "store.public_ca_file=$BATS_FILE_TMPDIR/cert.pem"
	nginx_start "$way" "$dir/site"
	publish
	ended 4
	has "$stderr" 'does not answer with 200, have 404'
	s3_configure shards.count=1 gates.allow_empty=yes \
	    issuer.profile=private store.read_back=public store.public_ca_file=
	publish
	ended 4
	has "$stderr" "cannot read it from https://127.0.0.1:$way/public/0.crl"
	has "$stderr" 'certificate'
}

# reader_may_read: another user reads all of the bucket and writes nothing.
reader_may_read()
{
	s3_admin user create --uid=reader --display-name=reader \
	    --access-key=readerkey --secret-key=readersecret >/dev/null
	/usr/bin/python3 - "$bucket" <<'END'
import json, os, sys
import boto3, botocore.config
s3 = boto3.client(
    "s3", endpoint_url=os.environ["S3_ENDPOINT"],
    region_name=os.environ["S3_REGION"],
    aws_access_key_id=os.environ["S3_KEY"],
    aws_secret_access_key=os.environ["S3_SECRET"],
    config=botocore.config.Config(
        s3={"addressing_style": "path"}, proxies={}))
bucket = "arn:aws:s3:::" + sys.argv[1]
s3.put_bucket_policy(Bucket=sys.argv[1], Policy=json.dumps({
    "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/reader"]},
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [bucket, bucket + "/*"]}]}))
END
}

@test "that it may write is shown in every run, before anything is signed" {
	local number
	s3_publish_new right shards.count=1 gates.allow_empty=yes
	publish_ok
	s3_client list "$bucket" >before
	reader_may_read
	number=$(<"$state/right/number")
	AWS_ACCESS_KEY_ID=readerkey AWS_SECRET_ACCESS_KEY=readersecret publish
	ended 1
	has "$stderr" 'cannot put anything there: the answer is 403'
	same "$(<"$state/right/number")" "$number" 'last number'
	same "$(s3_client list "$bucket")" "$(<before)" objects
	# Who may read needs no more for a dry run.
	AWS_ACCESS_KEY_ID=readerkey AWS_SECRET_ACCESS_KEY=readersecret \
	    publish --dry-run
	ended 0
	# Who may write leaves nothing by showing it.
	publish_ok
	same "$(s3_client list "$bucket" | wc -l)" 2 objects
}
