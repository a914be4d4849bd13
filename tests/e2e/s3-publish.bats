# SPDX-License-Identifier: ISC
#
# crlpress publish to a real S3 store: what stands there is what the database
# says, as boto3 reads it, with the metadata that it owes; and who may not
# write there changes nothing.

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/s3.bash

# Certificates of a name and of another, and a server that has the first.
make_tls()
{
	local tls=$BATS_FILE_TMPDIR/tls
	mkdir "$tls"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$tls/key.pem" -out "$tls/ca.pem" -days 2 -subj /CN=s3 \
	    -addext subjectAltName=DNS:localhost 2>/dev/null
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$tls/other.key" -out "$tls/other.pem" -days 2 \
	    -subj /CN=s3 2>/dev/null
	cat "$tls/key.pem" "$tls/ca.pem" >"$tls/server.pem"
}

setup_file()
{
	publish_setup
	make_tls
	s3_start --tls "$BATS_FILE_TMPDIR/tls/server.pem"
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
	tls=$BATS_FILE_TMPDIR/tls
}

teardown()
{
	stub_stop
}

# What stands in the bucket: keys, sizes, ETags, times.
standing()
{
	s3_curl "$bucket?list-type=2" | grep -o '<Contents>.*' || true
}

# refused STATUS TEXT...: a run ends so, says this, no secret, and nothing in
# the store has changed.
refused()
{
	local want=$1 text before
	shift
	before=$(standing)
	publish "${with[@]}"
	ended "$want" || return 1
	for text; do
		has "$stderr" "$text" || return 1
	done
	[[ $stderr$output != *"$S3_SECRET"* ]] || return 1
	same "$(standing)" "$before" 'what stands in the store'
}

# make_lasting_rows COUNT SHARDS: none of them expires meanwhile.
make_lasting_rows()
{
	make_rows "$1" --shards "$2" \
	    --since "$(date -u -d '2 days ago' +%FT%TZ)"
}

# header KEY NAME: of an object, as boto3 has it.
header()
{
	s3_client head "$bucket" "$1" | /usr/bin/python3 -c '
import json, sys
head = json.load(sys.stdin)
print(head["headers"].get(sys.argv[1], ""))' "$2"
}

@test "two runs say what the database says, to three readers" {
	local this gone
	s3_publish_new main shards.count=16
	make_rows 20000 --shards 14 --first 1
	publish_ok
	s3_fetch
	mkdir boto3
	s3_client fetch "$bucket" boto3
	diff -r boto3 "$store"
	export_rows
	compare 16
	manifest_holds
	same "$(manifest_sum added)" 20000 added
	this=$(all_have this)

	make_rows 300 --shards 14 --first 1 --seed 2 --since "$(iso "$this")"
	gone=$(pg_psql -c "SELECT count(*) FROM crlpress.revocation
	    WHERE issuer = 'main' AND not_after < to_timestamp($this)")
	[ "$gone" -gt 50 ]
	publish_ok
	s3_fetch
	export_rows "AND not_after >= to_timestamp($this)"
	compare 16
	manifest_holds
	same "$(manifest_sum removed)" "$gone" removed
	[ "$(all_have this)" -gt "$this" ]
	"$CRLPRESS" verify --config "$conf" "$store" >verify.out
	# Nothing but the shards and the manifest: no scratch is left.
	same "$(s3_client list "$bucket" | wc -l)" 17 objects

	# What is there is not lost when this machine is.
	rm -rf "$state"
	publish_ok
	s3_fetch
	compare 16
	same "$(manifest_sum removed)" 0 removed
}

@test "what stands with an object" {
	local key=meta/1.crl now expires
	now=$(date +%s)
	s3_publish_new meta crl.period=6h store.cache_margin=15m
	make_lasting_rows 500 2
	publish_ok
	s3_fetch
	same "$(header $key content-type)" application/pkix-crl Content-Type
	same "$(header $key content-encoding)" '' Content-Encoding
	same "$(header $key content-length)" "$(stat -c %s "$store/$key")" size
	same "$(header $key x-amz-meta-crl-number)" \
	    "$(crl_field "$store/$key" number)" number
	same "$(header $key x-amz-meta-this-update)" \
	    "$(iso "$(crl_field "$store/$key" this)")" thisUpdate
	same "$(header $key x-amz-meta-sha256)" \
	    "$(sha256sum "$store/$key" | cut -d ' ' -f 1)" sha256
	same "$(header $key etag)" \
	    "\"$(md5sum "$store/$key" | cut -d ' ' -f 1)\"" ETag
	has "$(header $key cache-control)" public
	# The next run, and the margin.
	expires=$(sec "$(header $key expires)")
	[ "$expires" -ge $((now + 6 * 3600 + 900)) ]
	[ "$expires" -le $(($(date +%s) + 6 * 3600 + 900)) ]
	same "$(header crlpress-manifest-meta.txt content-type)" \
	    'text/plain; charset=utf-8' 'the Content-Type of the manifest'
}

@test "below a prefix, with keys that need encoding, in either style" {
	local style
	for style in yes no; do
		s3_publish_new "style-$style" store.path_style=$style \
		    "store.url=s3://crl-style-$style/a+b/c~d=e,f@g" \
		    store.endpoint="${S3_ENDPOINT/127.0.0.1/localhost}"
		make_lasting_rows 300 2
		publish_ok
		publish_ok
		s3_fetch
		store+=/a+b/c~d=e,f@g
		manifest=$store/crlpress-manifest-$name.txt
		export_rows
		compare 2
		manifest_holds
	done
}

@test "wrong keys, a clock that is off, somebody else: nothing changes" {
	with=()
	s3_publish_new wrong gates.clock_skew=1d store.retry_deadline=10s
	make_lasting_rows 100 2
	AWS_SECRET_ACCESS_KEY=another refused 1 SignatureDoesNotMatch
	AWS_ACCESS_KEY_ID=nobody refused 1 InvalidAccessKeyId
	s3_admin user create --uid other --display-name other \
	    --access-key otherkey --secret othersecret >/dev/null
	AWS_ACCESS_KEY_ID=otherkey AWS_SECRET_ACCESS_KEY=othersecret \
	    refused 1 AccessDenied
	same "$(s3_client list "$bucket")" '' objects
	publish_ok
	AWS_SECRET_ACCESS_KEY=another refused 1 SignatureDoesNotMatch
	AWS_ACCESS_KEY_ID=otherkey AWS_SECRET_ACCESS_KEY=othersecret \
	    refused 1 AccessDenied
	env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY \
	    "$CRLPRESS" publish --config "$conf" 2>err && return 1
	has "$(<err)" 'credentials: credentials: none found'
	s3_settings[0]=store.url=s3://crl-nobody
	s3_configure
	publish
	ended 1
	has "$stderr" NoSuchBucket
}

@test "a clock that is off is the store's to refuse" {
	s3_publish_new skewed gates.clock_skew=1d store.retry_deadline=10s
	make_lasting_rows 100 2
	publish_ok
	run --separate-stderr faketime -f +1h "$CRLPRESS" publish \
	    --config "$conf"
	ended 1
	has "$stderr" RequestTimeTooSkewed
	has "$stderr" clock
}

@test "TLS: a CA file, a wrong name, another CA, none" {
	local port=$S3_TLS_PORT
	with=()
	s3_publish_new tls "store.endpoint=https://localhost:$port" \
	    store.path_style=yes store.ca_file="$tls/ca.pem" \
	    store.retry_deadline=10s
	make_lasting_rows 100 2
	publish_ok
	s3_fetch
	export_rows
	compare 2
	s3_configure "store.endpoint=https://127.0.0.1:$port"
	refused 1 'target host name' 127.0.0.1 'hint: [store] endpoint'
	s3_configure store.ca_file="$tls/other.pem"
	refused 1 certificate
	s3_configure store.ca_file=
	refused 1 certificate
	s3_configure store.ca_file="$tls/nothing.pem"
	refused 2 nothing.pem
	# TLS to what speaks none.
	s3_configure "store.endpoint=https://${S3_ENDPOINT#http://}"
	refused 1 SSL
}

@test "keys from a profile, a container, for the store itself" {
	s3_publish_new keys
	make_lasting_rows 100 2
	s3_no_env
	printf '[ca]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
	    "$S3_KEY" "$S3_SECRET" >credentials
	export AWS_SHARED_CREDENTIALS_FILE=$PWD/credentials
	publish
	ended 2
	s3_configure store.profile=ca
	publish_ok
	AWS_PROFILE=ca publish_ok
	s3_configure
	AWS_PROFILE=ca publish_ok
	stub_start
	stub_rules '{"do":"reply","body":"{\"AccessKeyId\":\"'"$S3_KEY"\
'\",\"SecretAccessKey\":\"'"$S3_SECRET"'\"}"}'
	AWS_CONTAINER_CREDENTIALS_FULL_URI=$stub_url publish_ok
	s3_fetch
	export_rows
	compare 2
}

@test "the quota: what was put stands, the rest follows when there is room" {
	local count
	s3_publish_new quota shards.count=12 store.connections=1 \
	    store.retry_deadline=10s
	make_lasting_rows 600 12
	s3_admin quota set --quota-scope=bucket --uid tester --max-objects 5
	s3_admin quota enable --quota-scope=bucket --uid tester
	publish
	s3_admin quota disable --quota-scope=bucket --uid tester
	ended 4
	has "$stderr" QuotaExceeded
	s3_fetch
	count=$(shards | wc -l)
	[ "$count" -ge 1 ]
	[ "$count" -lt 12 ]
	shards | while IFS= read -r file; do
		crl_verifies "$file"
	done
	[ ! -e "$manifest" ]
	publish
	ended 0
	s3_fetch
	export_rows
	compare 12
	manifest_holds
}

@test "a published shard that is corrupt stops its shard alone" {
	s3_publish_new corrupt
	make_lasting_rows 100 2
	publish_ok
	s3_fetch
	head -c 100 "$store/corrupt/0.crl" >part
	s3_put "$bucket/corrupt/0.crl" part
	publish
	ended 3
	has "$stderr" previous-readable
	s3_client get "$bucket" corrupt/0.crl | cmp - part
	cp "$store/corrupt/1.crl" one
	s3_fetch
	run cmp -s one "$store/corrupt/1.crl"
	ended 1
}

@test "a proxy of the environment is used, and no_proxy heeded" {
	stub_start "$S3_ENDPOINT"
	s3_publish_new proxy
	make_lasting_rows 100 2
	http_proxy=$stub_url publish_ok
	same "$(stub_count PUT "^$S3_ENDPOINT/$bucket/proxy/[01].crl$")" 2 \
	    'puts by way of it'
	: >"$stub/log"
	http_proxy=$stub_url no_proxy=127.0.0.1 publish_ok
	same "$(<"$stub/log")" '' 'requests by way of it'
	s3_configure store.retry_deadline=1s
	http_proxy=http://somebody:open-sesame@127.0.0.1:1 publish
	ended 1
	[[ $stderr$output != *open-sesame* ]]
}
