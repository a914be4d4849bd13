# SPDX-License-Identifier: ISC
#
# The S3 store by itself, on a real one and, for what that cannot be made to
# do, through a proxy that fails: puts on a condition, answers that are lost
# or cut off, refusals, what is read back, copies on disk.
#
# What is loaded sets $stub and the like:
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0
load ../lib/s3.bash

setup_file()
{
	s3_start
	s3_bucket crl
}

teardown_file()
{
	s3_stop
}

setup()
{
	s3_env
	cd "$BATS_TEST_TMPDIR" || return 1
	client=${CRLPRESS:-$S3_TREE/build/crlpress}
	client=${client%/*}/drivers/store_client
	prefix=t$BATS_TEST_NUMBER
	head -c 100000 /dev/urandom >one
	head -c 200000 /dev/urandom >two
	head -c 100000 /dev/urandom >three
	configure
}

teardown()
{
	stub_stop
	[ -z "${quoted_pid:-}" ] || kill "$quoted_pid" || true
}

# configure [LINE...]: more lines of [store], or others.
configure()
{
	{
		printf '%s\n' '[issuer]' 'certificate = c' 'key = k' \
		    '[source]' 'issuer_id = x' '[shards]' 'count = 2' \
		    'url = http://crl.example.com/{shard}.crl' \
		    '[state]' 'dir = state' '[store]'
		printf '%s\n' "url=s3://crl/$prefix" \
		    "endpoint=${stub_url:-$S3_ENDPOINT}" "region=$S3_REGION" \
		    retry_deadline=20s "$@" |
		    tac | awk -F= '!seen[$1]++ && $2 != ""'
	} >conf.cnf
}

# The store through the proxy that fails by the rules.
through_stub()
{
	stub_start "$S3_ENDPOINT"
	configure "$@"
}

into_file()
{
	"$@" >out
}

# store EXIT COMMAND...: the client, which must end so and say no secret.
store()
{
	local want=$1
	shift
	run --separate-stderr into_file "$client" conf.cnf "$@"
	[ "$status" -eq "$want" ] || {
		printf 'exit status %s, want %s\n%s\n' "$status" "$want" \
		    "$stderr"
		return 1
	}
	[[ "$stderr" != *"$S3_SECRET"* ]]
	version=${stderr##*version }
}

# What it said has this in it.
said()
{
	[[ $stderr == *"$1"* ]] || {
		printf 'want: %s\nhave: %s\n' "$1" "$stderr"
		return 1
	}
}

# What stands under a key is this file, as curl reads it.
stands()
{
	s3_curl "crl/$prefix/$1" -o fetched
	cmp fetched "$2"
}

requests()
{
	local have
	have=$(stub_count "$1" "$2")
	[ "$have" -eq "$3" ] || {
		printf '%s %s: want %s, have %s\n' "$1" "$2" "$3" "$have"
		cut -c 1-300 "$stub/log"
		return 1
	}
}

error()
{
	printf '"do":"reply","status":%s,"body":"<Error><Code>%s</Code>%s' \
	    "$1" "$2" '</Error>","headers":{"Content-Type":"application/xml"}'
}

@test "s3: what is put stands there, and replaces only what was judged" {
	store 7 get k
	store 0 sweep-put k one
	stands k one
	store 0 put k two "$version"
	stands k two
	store 0 get k
	local second=$version
	# Somebody else was faster.
	s3_put "crl/$prefix/k" three
	store 6 put k one "$second"
	stands k three
	store 6 put k one
	stands k three
	# What is to be replaced is gone.
	store 6 put gone one "$second"
	store 7 get gone
	# And bytes that are there already are as good as put.
	store 0 put k three "$second"
	stands k three
	# An empty object is one too.
	: >empty
	store 0 put empty empty
	store 0 get empty
	[ ! -s out ]
	stands empty empty
}

@test "s3: a store that nobody probed: the form of an ETag is found out" {
	store 0 put k one
	store 0 put k two "$version"
	[ ! -e state/store ]
	stands k two
	store 6 put k three 0123456789abcdef
	stands k two
}

@test "s3: keys with every character that is one in a URL" {
	local key="a+b=(1)~!*'@:;,\$&/#[x]?{y}%41|^\`<z>\".crl"
	store 0 sweep-put "$key" one
	"$client" conf.cnf get "$key" 2>/dev/null | cmp - one
	s3_client list crl | grep -F "$prefix/$key 100000"
}

@test "s3: quoted ETags, as Amazon has them" {
	mkdir quoted
	"$S3_TREE/tests/lib/s3-quoted" quoted 3>&- &
	quoted_pid=$!
	local i
	for ((i = 0; i < 1200; i++)); do
		[ ! -e quoted/port ] || break
		sleep 0.05
	done
	configure "endpoint=http://127.0.0.1:$(<quoted/port)"
	store 0 sweep-put k one
	grep -x 'conditions quoted' state/store
	: >quoted/conditions
	local first=$version
	store 0 sweep-put k two "$first"
	grep -x "\"$first\" None" quoted/conditions
	store 6 sweep-put k three "$first"
	store 6 sweep-put gone three "$first"
	store 6 sweep-put k three
	"$client" conf.cnf get k 2>/dev/null | cmp - two
	run ! grep -v '^"\|^None [*]$' quoted/conditions
	# Without a probe it is tried first.
	rm -r state
	store 0 get k
	store 0 put k three "$version"
	"$client" conf.cnf get k 2>/dev/null | cmp - three
}

@test "s3: what the probe showed is remembered for this place alone" {
	through_stub
	store 0 sweep-put k one
	grep -x 'conditions plain' state/store
	# Of the scratch object; another one shows that it may write.
	local probes hex="probe-[0-9a-f]"
	probes=$(stub_count PUT "$hex")
	[ "$probes" -ge 5 ]
	store 0 sweep-put l one
	requests PUT "$hex" "$probes"
	# Nothing of it is left there.
	[ "$(s3_client list crl | grep -c "^$prefix/")" -eq 2 ]
	configure "url=s3://crl/u${prefix#t}"
	store 0 sweep-put k one
	[ "$(stub_count PUT "$hex")" -gt "$probes" ]
	# Asked for, it is done again; and what fails then is not remembered.
	stub_rules '{"path":"probe",'"$(error 403 AccessDenied)"'}'
	store 1 probe
	said 'cannot put it: the answer is 403 AccessDenied'
	[ ! -e state/store ]
}

@test "s3: what a probe left that was killed is removed by the next" {
	through_stub
	stub_rules '{"method":"PUT","path":"probe","skip":1,"do":"hang"}'
	"$client" conf.cnf probe 2>/dev/null 3>&- &
	local pid=$! i left
	for ((i = 0; i < 1200; i++)); do
		[ "$(stub_count PUT probe)" -lt 2 ] || break
		sleep 0.05
	done
	kill -KILL "$pid"
	left=$(s3_client list crl | grep -c "^$prefix/.crlpress-probe-")
	[ "$left" -eq 1 ]
	stub_rules
	# Of another place nothing is known.
	configure "url=s3://crl/u${prefix#t}"
	cp -r state before
	store 0 probe
	requests DELETE probe 1
	[ "$(s3_client list crl | grep -c "^$prefix/.crlpress-probe-")" -eq 1 ]
	rm -r state
	mv before state
	configure
	store 0 probe
	[ "$(s3_client list crl | grep -c "^$prefix/")" -eq 0 ]
	[ ! -s state/scratch ]
}

@test "s3: a store without conditional puts is used by option alone" {
	through_stub
	stub_rules '{"method":"PUT","have":{"If-None-Match":""},'"$(
	    error 501 NotImplemented)"'}' '{"method":"PUT","have":{"If-Match":
	    ""},'"$(error 501 NotImplemented)"'}'
	store 1 sweep-put k one
	said 'it knows no conditional puts'
	said 'unconditional = yes'
	store 7 get k
	configure unconditional=yes
	store 0 sweep-put k one
	said 'the lock in the state directory is now the only guard'
	grep -x 'conditions none' state/store
	local probes
	probes=$(stub_count PUT probe)
	store 0 sweep-put k two "$version"
	said 'now the only guard'
	requests PUT probe "$probes"
	stands k two
	# It is looked at before, at least.
	s3_put "crl/$prefix/k" three
	store 6 sweep-put k one "$version"
	stands k three
	store 6 sweep-put k one
	stands k three
	store 0 sweep-put k three
	# With the option gone it is shown anew.
	configure unconditional=no
	store 1 sweep-put l one
}

@test "s3: a store that takes conditions and ignores them is found out" {
	local fine='"do":"reply","status":200,"headers":{"ETag":"\"x\""}'
	through_stub
	stub_rules '{"method":"PUT","path":"probe","skip":1,"have":{
	    "If-None-Match":""},'"$fine"'}'
	store 1 probe
	said 'it ignores If-None-Match'
	# The quoted form is refused, the plain one holds, an old one is taken.
	stub_rules '{"method":"PUT","path":"probe","skip":2,"times":1,"have":{
	    "If-Match":""},'"$fine"'}'
	store 1 probe
	said 'it ignores If-Match'
	# Eight at once, and more than one wins.
	stub_rules '{"method":"PUT","path":"probe","skip":3,"times":2,"have":{
	    "If-Match":""},'"$fine"'}'
	store 1 probe
	said 'more than one succeeds'
	# No form will do.
	stub_rules '{"method":"PUT","path":"probe","have":{"If-Match":""},'"$(
	    error 412 PreconditionFailed)"'}'
	store 1 probe
	said 'If-Match fails with the version that stands there'
	[ ! -e state/store ]
	stub_rules
	store 0 probe
}

@test "s3: metadata that a store does not keep is found out" {
	through_stub
	stub_rules '{"method":"HEAD","do":"forward",
	    "drop":["x-amz-meta-sha256"]}'
	store 1 probe
	said 'reads back with another x-amz-meta-sha256, have none'
	# What was read is something else than what was put.
	stub_rules '{"method":"GET","path":"probe","do":"forward","flip":3}'
	store 1 probe
	said 'reads as something else'
}

@test "s3: failures that heal are tried again" {
	through_stub
	local rule key=0
	for rule in "$(error 503 SlowDown)" "$(error 500 InternalError)" \
	    "$(error 502 '')" "$(error 504 '')" '"do":"reset"' \
	    '"do":"reply","status":429,"headers":{"Retry-After":"1"}' \
	    "$(error 400 RequestTimeout)" \
	    "$(error 409 ConditionalRequestConflict)"; do
		key=$((key + 1))
		stub_rules '{"method":"PUT","times":2,'"$rule"'}'
		store 0 put "k$key" one
		[ -z "${stderr%version*}" ]
		requests PUT "/k$key\$" 3
		stands "k$key" one
		rm -r state
		stub_rules '{"method":"GET","times":1,'"$rule"'}'
		store 0 get "k$key"
		cmp out one
		# No body comes with HEAD that could tell these two.
		[[ $rule != *400* && $rule != *409* ]] || continue
		stub_rules '{"method":"HEAD","times":1,'"$rule"'}'
		store 0 put "l$key" two
		stands "l$key" two
	done
}

@test "s3: a reply cut off is no object" {
	store 0 put k one
	rm -r state
	through_stub
	stub_rules '{"method":"GET","times":2,"do":"forward","cut":50000}'
	"$client" conf.cnf get k 2>err | cmp - one
	requests GET /k 3
}

@test "s3: bytes that were changed on their way are fetched again" {
	store 0 put k one
	rm -r state
	through_stub
	stub_rules '{"method":"GET","times":2,"do":"forward","flip":777}'
	store 0 get k
	cmp out one
	requests GET /k 3
	[ -z "${stderr%version*}" ]
	# Those that stay so are no copy to keep.
	rm -r state
	stub_rules '{"method":"GET","do":"forward","flip":777}'
	store 0 get k
	run ! cmp -s out one
	said 'has not the bytes that its x-amz-meta-sha256 says'
	[ -z "$(find state/cache -type f)" ]
	stub_rules
	store 0 get k
	cmp out one
	# Nor are those that nobody can say it of.
	s3_put "crl/$prefix/k" two
	store 0 get k
	cmp out two
	[ -z "$(find state/cache -name '*.tag')" ]
}

@test "s3: a put whose answer was lost is found to be done" {
	through_stub
	stub_rules '{"method":"PUT","times":1,"do":"forward","lose":true}'
	store 0 put k one
	requests PUT /k 2
	stands k one
	stub_rules '{"method":"PUT","times":1,"do":"forward","lose":true}'
	store 0 put k two "$version"
	stands k two
}

@test "s3: what will not heal is tried once, and said" {
	through_stub
	local code
	for code in '403 AccessDenied' '403 InvalidAccessKeyId' \
	    '403 SignatureDoesNotMatch' '403 RequestTimeTooSkewed' \
	    '403 QuotaExceeded' '400 InvalidArgument' '404 NoSuchBucket' \
	    '501 NotImplemented' '301 PermanentRedirect'; do
		: >"$stub/log"
		stub_rules "{$(error "${code% *}" "${code#* }")}"
		store 1 put k one
		said "cannot put it: the answer is $code"
		requests PUT /k 1
		store 1 get k
		said "cannot get it: the answer is $code"
		requests GET /k 1
	done
}

@test "s3: a refusal or a page of HTML is not 'not found'" {
	through_stub
	stub_rules "{$(error 403 AccessDenied)}"
	store 1 get k
	said 's3:ListBucket'
	stub_rules '{"do":"reply","status":404,"body":"<html>no</html>"}'
	store 1 get k
	said 'the answer is 404'
	stub_rules "{$(error 404 NoSuchBucket)}"
	store 1 get k
	said 'make the bucket'
	# An XML bomb is not set off.
	stub_rules '{"do":"reply","status":404,"body":"<!DOCTYPE x [<!ENTITY '\
'a \"aaaa\">]><Error><Code>NoSuchKey</Code></Error>"}'
	store 1 get k
	said 'the answer is 404'
	stub_rules '{"do":"reply","status":403,"body":"<Error><Code>Odd</Code>'\
'<Message>the reason \u001b[31m</Message></Error>"}'
	store 1 get k
	said 'the answer is 403 Odd: the reason \x1b[31m'
	stub_rules
	store 7 get k
}

@test "s3: no redirect is followed, and the region of the bucket is told" {
	through_stub
	stub_rules '{"do":"reply","status":307,"headers":{"Location":
	    "'"$stub_url"'/elsewhere"}}'
	store 1 get k
	said 'redirects are not followed'
	requests GET elsewhere 0
	stub_rules '{"do":"reply","status":400,"body":"<Error><Code>'\
'AuthorizationHeaderMalformed</Code><Region>eu-odd-1</Region></Error>"}'
	store 1 get k
	said 'the store says region eu-odd-1, [store] region is us-east-1'
}

@test "s3: at the end of its time a request fails" {
	through_stub retry_deadline=4s
	stub_rules "{$(error 503 SlowDown)}"
	store 4 put k one
	said 'the answer is 503 SlowDown, again and again'
	[ "$(stub_count PUT /k)" -ge 3 ]
	stub_rules '{"do":"reply","status":503,"headers":{"Retry-After":"60"}}'
	: >"$stub/log"
	store 4 put k one
	requests PUT /k 1
	# A server that is silent.
	configure retry_deadline=3s stall_timeout=1s
	stub_rules '{"do":"hang"}'
	store 1 get k
	said 'cannot get it: '
	stub_rules
	store 7 get k
}

@test "s3: a store that answers nothing is not asked for ever" {
	through_stub retry_deadline=2s
	# One key that fails is no reason to give up the others.
	store 0 put k one
	stub_rules "{$(error 403 AccessDenied)}"
	store 1 gets a b c
	requests GET '/[abc]$' 3
	: >"$stub/log"
	stub_rules "{$(error 503 SlowDown)}"
	store 1 gets a b c
	said 'a: store: cannot get it: the answer is 503 SlowDown'
	said 'b: store: not tried to get it: the store does not answer any more'
	said 'c: store: not tried to get it: the store does not answer any more'
	requests GET '/[bc]$' 0
}

@test "s3: nobody there, or not to be trusted" {
	configure endpoint=http://127.0.0.1:9 retry_deadline=1s
	store 1 get k
	said 'cannot get it: '
	configure endpoint=https://127.0.0.1:9 ca_file=absent.pem
	store 2 get k
	said 'absent.pem: http: the file of CA certificates cannot be read'
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
	    -addext subjectAltName=DNS:localhost 2>/dev/null
	cat key.pem cert.pem >tls.pem
	stub_start --tls "$PWD/tls.pem"
	stub_rules "{$(error 404 NoSuchKey)}"
	configure
	# Nobody trusts it; then it is trusted, under another name; then right.
	store 1 get k
	said 'ca_file say whom to trust'
	configure ca_file=cert.pem
	store 1 get k
	said 'ca_file say whom to trust'
	requests GET . 0
	configure ca_file=cert.pem "endpoint=${stub_url/127.0.0.1/localhost}"
	store 7 get k
	configure "endpoint=${stub_url/127.0.0.1/localhost}"
	AWS_CA_BUNDLE=$PWD/cert.pem store 7 get k
}

@test "s3: the bucket in the host name" {
	stub_start
	stub_rules "{$(error 404 NoSuchKey)}"
	configure "endpoint=${stub_url/127.0.0.1/localhost}" path_style=no
	store 7 get k
	grep -F "\"host\": \"crl.localhost:" "$stub/log"
	grep -F "\"path\": \"/$prefix/k\"" "$stub/log"
	configure "endpoint=${stub_url/127.0.0.1/localhost}"
	store 7 get k
	grep -F "\"path\": \"/crl/$prefix/k\"" "$stub/log"
}

@test "s3: ETags that are missing or weak" {
	through_stub
	stub_rules '{"method":"PUT","do":"forward","drop":["ETag"]}'
	store 0 put k one
	stands k one
	rm -r state
	stub_rules '{"method":"GET","do":"forward","drop":["ETag"]}'
	store 1 get k
	said 'without a usable ETag'
	stub_rules '{"method":"GET","do":"forward","set":{"ETag":"W/\"x\""}}'
	store 1 get k
	said 'without a usable ETag'
	stub_rules '{"method":"HEAD","do":"forward","drop":["ETag"]}'
	store 4 put l one
	said 'without a usable ETag'
}

@test "s3: what is put is read back" {
	through_stub
	# The store shows it late.
	stub_rules '{"method":"HEAD","times":2,'"$(error 404 '')"'}'
	store 0 put k one
	requests HEAD /k 3
	stub_rules '{"method":"HEAD","times":2,"do":"forward","set":{"ETag":
	    "\"'"$version"'\""}}'
	store 0 put k two "$version"
	# Something else stands there.
	stub_rules '{"method":"HEAD","do":"forward","set":{"ETag":"\"x\""}}'
	store 6 put l one
	stub_rules '{"method":"HEAD","do":"forward","set":{
	    "x-amz-meta-sha256":"00"}}'
	store 4 put m one
	said 'reads back with another x-amz-meta-sha256, have 00'
	stub_rules '{"method":"HEAD","do":"forward","set":{
	    "Content-Type":"text/html"}}'
	store 4 put n one
	said 'reads back with another Content-Type, have text/html'
	stub_rules '{"method":"HEAD","do":"forward","set":{
	    "Content-Length":"99999"}}'
	store 4 put o one
	said 'reads back with another size, have 99999, want 100000'
	# The bytes are looked at when asked for.
	stub_rules '{"method":"GET","do":"forward","flip":77777}'
	store 0 put p one
	configure read_back=object
	store 4 put q one
	said 'what was put reads back as something else'
	stub_rules
	store 0 put r one
}

@test "s3: a store that never shows the put has not got it" {
	through_stub retry_deadline=2s
	stub_rules '{"method":"HEAD",'"$(error 404 '')"'}'
	store 4 put k one
	said 'what was put does not read back'
}

# What the public URL serves: these headers, and this file.
serves()
{
	stub_rules '{"path":"^/public","do":"reply","status":'"${3:-200}"',
	    "headers":{'"$1"'},"body_file":"'"$PWD/$2"'"}'
}

@test "s3: what the public URL serves" {
	through_stub read_back=public public_age_most=1h
	local type='"Content-Type":"application/pkix-crl"'
	export URL=$stub_url/public/0.crl
	serves "$type" one
	store 0 put k one
	requests GET /public 1
	[ -z "${stderr%version*}" ]
	grep -F '"path": "/public/0.crl"' "$stub/log" >asked
	run ! grep -i 'authorization\|x-amz' asked
	# A copy of before, as old as it may be, and older.
	serves "$type"',"Age":"3600"' two
	store 0 put l one
	said 'public: serves a copy that is 1h old; up to 1h is let pass'
	serves "$type"',"Age":"3601"' two
	store 4 put m one
	said 'serves a copy that is too old, have 1h1s'
	stands m one
	serves "$type" two
	store 4 put n one
	said 'serves something else than the store'
	serves '"Content-Type":"text/plain"' one
	store 4 put o one
	said 'serves another Content-Type, have text/plain'
	serves '"Content-Type":"Application/Pkix-CRL; x=y"' one
	store 0 put p one
	serves "$type" one 404
	store 4 put q one
	said 'does not answer with 200, have 404'
	URL=http://127.0.0.1:9/0.crl
	configure read_back=public retry_deadline=3s
	store 4 put r one
	said 'cannot read it from http://127.0.0.1:9/0.crl'
	stands r one
	unset URL
	store 0 put s one
}

@test "s3: a copy on disk saves the download as long as it holds" {
	through_stub
	store 0 put k one
	[ "$(find state/cache -type f | wc -l)" -eq 2 ]
	# What was put is not fetched: the body of a reply would be cut off.
	stub_rules '{"method":"GET","do":"forward","cut":10}'
	configure retry_deadline=3s
	"$client" conf.cnf get k 2>err | cmp - one
	rm -r state
	store 1 get k
	configure
	stub_rules
	store 0 get k
	stub_rules '{"method":"GET","do":"forward","cut":10}'
	"$client" conf.cnf get k 2>err | cmp - one
	# A copy that is damaged is none.
	stub_rules
	printf x | dd of="$(echo state/cache/*.obj)" bs=1 seek=500 \
	    conv=notrunc status=none
	"$client" conf.cnf get k 2>err | cmp - one
	for tag in state/cache/*.tag; do
		sed -i 's/100000/100001/' "$tag"
	done
	"$client" conf.cnf get k 2>err | cmp - one
	echo nonsense >"$tag"
	"$client" conf.cnf get k 2>err | cmp - one
	# Nor is one of what somebody else has replaced, or removed.
	s3_put "crl/$prefix/k" two
	"$client" conf.cnf get k 2>err | cmp - two
	s3_client delete crl "$prefix/k"
	store 7 get k
}

@test "s3: copies on disk take no more room than they may" {
	configure cache=250k
	store 0 put k one
	store 0 put l three
	store 0 put m two
	[ "$(find state/cache -name '*.obj' | wc -l)" -eq 2 ]
	[ "$(find state/cache -name '*.tag' | wc -l)" -eq 2 ]
	# What is replaced gives its room back.
	store 0 get k
	store 0 put k three "$version"
	[ "$(find state/cache -name '*.tag' | wc -l)" -eq 2 ]
	# With less it begins anew; with none nothing is kept.
	configure cache=150k
	store 0 get m
	[ "$(find state/cache -name '*.obj' | wc -l)" -eq 0 ]
	store 0 get k
	[ "$(find state/cache -name '*.obj' | wc -l)" -eq 1 ]
	rm -r state
	configure cache=0
	store 0 put n one
	[ ! -e state/cache ]
	"$client" conf.cnf get n 2>err | cmp - one
}

@test "s3: without credentials nothing is asked" {
	stub_start
	configure
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	store 2 get k
	said 'AWS_ACCESS_KEY_ID'
	requests GET . 0
}

@test "s3: check-config --online tries the store, database or not" {
	local program=${client%/drivers/*}/crlpress
	"$BATS_TEST_DIRNAME/../../tools/make-ca" ca
	cp ca/issuer.pem c
	cp ca/issuer.key k
	through_stub
	run --separate-stderr "$program" check-config -c conf.cnf --online
	[ "$status" -eq 1 ]
	[[ $output == *"# s3://crl/$prefix: tried and found fit" ]]
	said database
	[ "$(grep -c . <<<"$stderr")" -eq 1 ]
	[ "$(s3_client list crl | grep -c "^$prefix/")" -eq 0 ]
	stub_rules "{$(error 403 AccessDenied)}"
	run --separate-stderr "$program" check-config -c conf.cnf --online -q
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	said AccessDenied
}
