# SPDX-License-Identifier: ISC
#
# ocsp-sunset serve as its clients and its operator meet it: real requests of
# curl and openssl, plain sockets for what these would never send, signals.
#
# Each test is a subshell, and what it works with is set by what is loaded:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/sunset.bash
load ../lib/serve.bash

# A server that runs from the first test to the last, which looks at what it
# wrote after a minute.
setup_file()
{
	sunset_env
	serve_start
	fetch "http://127.0.0.1:$port/MFQ"
	export OLD_SERVER=$server OLD_CHILD=$child OLD_DIR=$dir
	disown "$server"
}

teardown_file()
{
	kill -KILL -- "-$OLD_SERVER" 2>/dev/null || true
	rm -rf "$OLD_DIR"
}

setup()
{
	sunset_env
}

teardown()
{
	sunset_end
}

# get PATH [CURL-ARGUMENT...]
get()
{
	fetch "${@:2}" "http://127.0.0.1:$port$1"
}

@test "help, version, usage" {
	run -0 "$OCSP_SUNSET" --help
	[[ $output == *serve*check-config*report*render* ]]
	run -0 "$OCSP_SUNSET" --version
	[[ $output =~ ^'ocsp-sunset '[0-9]+\.[0-9]+ ]]
	run -0 "$OCSP_SUNSET" serve --help
	[[ $output == *--threads*--last-expiry*'Exit status'* ]]
	run -2 "$OCSP_SUNSET"
	run -2 "$OCSP_SUNSET" frobnicate
	[[ $output == *'unknown command frobnicate'* ]]
	run -2 "$OCSP_SUNSET" serve
	[[ $output == *'serve takes one CONFIG, have 0'* ]]
	run -2 timeout 60 "$OCSP_SUNSET" serve --threads 0 x.cnf
	run -2 "$OCSP_SUNSET" check-config
}

@test "check-config: what is printed is read as the same" {
	serve_configure 'mode = trylater' 'from = 2026-12-01 mode = 410' \
	    '[host ocsp.example.net]' 'mode = 404'
	"$OCSP_SUNSET" check-config "$conf" >one
	"$OCSP_SUNSET" check-config one >two
	cmp one two
	grep -q '^from = 2026-12-01T00:00:00Z mode = 410$' one
	run -0 "$OCSP_SUNSET" check-config --quiet "$conf"
	[ -z "$output" ]
	echo 'mode = 410' >>"$conf"
	run -2 "$OCSP_SUNSET" check-config "$conf"
	[[ $output == *'`mode` stands in line '*' too'* ]]
	run -2 "$OCSP_SUNSET" check-config nowhere
	run -0 "$OCSP_SUNSET" check-config --keys
	[[ $output == *'idle_timeout = 30s'* ]]
}

@test "gate: no date, a date to come, the override" {
	serve_configure 'last_expiry = 2999-01-01'
	run -3 timeout 60 "$OCSP_SUNSET" serve "$conf"
	run -3 timeout 60 "$OCSP_SUNSET" serve --last-expiry 2020-01-01 \
	    "$conf"
	sed -i '/^last_expiry/d' "$conf"
	run -3 timeout 60 "$OCSP_SUNSET" serve "$conf"
	run -3 timeout 60 "$OCSP_SUNSET" serve \
	    --last-expiry 2999-01-01T00:00:00Z "$conf"
	run -2 timeout 60 "$OCSP_SUNSET" serve --last-expiry soon "$conf"
	serve_again --last-expiry 2020-01-01
	serve_stop
	[ "$status" -eq 0 ]
	serve_start 'last_expiry = 2999-01-01' \
	    'override = certificates-may-still-name-this-responder'
	grep -q '^warning: .*2999-01-01' "$dir/log"
	get /MFQx
	[ "$code" = 200 ]
}

# expiry_file LAST MADE: as `crlpress ocsp-gate` writes it.
expiry_file()
{
	{
		printf '%s\n' 'crlpress-ocsp-expiry 1' "last-expiry $1" \
		    "made $2" \
		    "statement-sha256 $(sha256sum </dev/null | cut -c 1-64)" \
		    'position none'
	} >expiry
	echo "end $(cksum <expiry)" >>expiry
}

# ago TIME: as date(1) understands it, as the file has it.
ago()
{
	date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ
}

@test "gate: the file of crlpress ocsp-gate, missing, torn, old, good" {
	serve_configure "expiry_file = $dir/expiry" 'expiry_max_age = 2d'
	sed -i '/^last_expiry/d' "$conf"
	run -3 timeout 60 "$OCSP_SUNSET" serve "$conf"
	has "$output" 'cannot be opened'
	expiry_file 2020-01-01T00:00:00Z "$(ago '-1 day')"
	cp expiry whole
	head -n -1 whole >expiry
	run -3 timeout 60 "$OCSP_SUNSET" serve "$conf"
	has "$output" 'no closing line'
	expiry_file 2020-01-01T00:00:00Z "$(ago '-3 days')"
	cp expiry old
	run -3 timeout 60 "$OCSP_SUNSET" serve "$conf"
	has "$output" 'too old'
	has "$output" 'run `crlpress ocsp-gate` again'
	expiry_file "$(ago '+1 day')" "$(ago now)"
	run -3 timeout 60 "$OCSP_SUNSET" serve "$conf"
	cp whole expiry
	serve_again
	# A reload that finds it old changes nothing; a newer one lets it be.
	cp old expiry
	sed -i 's/^\[server\]$/&\nmode = 410/' "$conf"
	kill -HUP "$server"
	serve_wait 'the configuration in force stays'
	get /MFQ
	same "$code" 200 'after the old one'
	cp whole expiry
	kill -HUP "$server"
	serve_wait 'in force'
	serve_wait "$conf: in force"
	get /MFQ
	same "$code" 410 'after the good one'
}

# mode_is MODE CODE BODY-IN-HEX: GET, POST and HEAD.
mode_is()
{
	serve_start "mode = $1"
	get /MFQx
	same "$code $(body_hex)" "$2 $3" "GET, mode $1"
	same "$(field Cache-Control)" no-cache 'Cache-Control'
	same "$(field Connection)" '' 'Connection'
	[[ $(field Date) == ???', '*' GMT' ]]
	if [ "$2" = 200 ]; then
		same "$(field Content-Type)" application/ocsp-response type
	else
		same "$(field Content-Type)" '' type
	fi
	get / -H 'Content-Type: application/ocsp-request' --data-binary x
	same "$code $(body_hex)" "$2 $3" "POST, mode $1"
	get /MFQx --head
	same "$code $(field Content-Length)" "$2 $((${#3} / 2))" \
	    "HEAD, mode $1"
	# GET / is no question about a certificate.
	get /
	same "$code $(cat body)" '200 ok' "GET /, mode $1"
	serve_stop
	same "$status" 0 'exit status'
}

@test "answers: unauthorized, tryLater, internalError" {
	mode_is unauthorized 200 30030a0106
	mode_is trylater 200 30030a0103
	mode_is internalerror 200 30030a0102
}

@test "answers: 410, 404, 503" {
	mode_is 410 410 ''
	mode_is 404 404 ''
	mode_is 503 503 ''
}

@test "answers: close, Retry-After, max-age" {
	serve_start 'mode = close' '[host a.example]' 'mode = 503' \
	    '[host b.example]' 'mode = trylater'
	run -52 curl -sS --noproxy '*' "http://127.0.0.1:$port/MFQx"
	run -52 curl -sS --noproxy '*' -d x "http://127.0.0.1:$port/"
	get /MFQx -H 'Host: a.example'
	same "$code $(field Retry-After)" '503 86400' Retry-After
	{
		sed '/^\[host a/,$d' "$conf"
		printf '%s\n' 'max_age = 5m' 'retry_after = 90s' \
		    '[host a.example]' 'mode = 503' '[host b.example]' \
		    'mode = trylater'
	} >new
	mv new "$conf"
	kill -HUP "$server"
	serve_wait 'in force'
	get /MFQx -H 'Host: a.example'
	same "$(field Retry-After)" 90 Retry-After
	get /MFQx -H 'Host: b.example'
	same "$(field Cache-Control)" max-age=300 Cache-Control
}

@test "the very bytes of an answer" {
	serve_start
	raw "$port" 'GET /MFQ HTTP/1.0\r\n\r\n' >have
	sed -n 's/^Date: \(.*\)\r$/\1/p' have >'date'
	date -u -d "$(cat date)" '+%a, %d %b %Y %H:%M:%S GMT' | cmp - date
	{
		printf 'HTTP/1.1 200 OK\r\nDate: %s\r\n' "$(cat date)"
		printf '%s\r\n' 'Content-Type: application/ocsp-response' \
		    'Cache-Control: no-cache' 'Content-Length: 5' \
		    'Connection: close' ''
		printf '0\003\n\001\006'
	} >want
	cmp have want
}

# A CA whose requests openssl makes, and its keys' hashes.
make_issuer()
{
	"$SUNSET_TREE/tools/make-ca" --p256 ca >/dev/null
	local digest
	for digest in sha1 sha256; do
		openssl ocsp -no_nonce "-$digest" -issuer ca/issuer.pem \
		    -serial 0x1234 -reqout "$digest.der"
		openssl asn1parse -inform der -in "$digest.der" |
		    sed -n 's/.*OCTET STRING *\[HEX DUMP\]:\(.*\)$/\1/p' |
		    sed -n 2p >"$digest.key"
		[ -s "$digest.key" ]
	done
	openssl ocsp -issuer ca/issuer.pem -serial 0x1234 -reqout nonce.der
}

@test "openssl ocsp reads what it gets" {
	make_issuer
	serve_start '[host localhost]' 'mode = trylater'
	run openssl ocsp -issuer ca/issuer.pem -serial 1 \
	    -url "http://127.0.0.1:$port/ocsp"
	has "$output" 'Responder Error: unauthorized (6)'
	run openssl ocsp -issuer ca/issuer.pem -serial 1 -no_nonce \
	    -url "http://localhost:$port/"
	has "$output" 'Responder Error: trylater (3)'
	get "/$(base64 -w 0 sha1.der)"
	run openssl ocsp -respin body -issuer ca/issuer.pem -serial 1
	has "$output" 'Responder Error: unauthorized (6)'
}

@test "issuers: by either hash, in GET and POST, before the host" {
	make_issuer
	serve_start 'mode = unauthorized' '[host a.example]' 'mode = trylater' \
	    '[issuer r1]' "key_hash = $(cat sha1.key)" \
	    "key_hash = $(cat sha256.key)" 'mode = 410' \
	    '[issuer r2]' "key_hash = $(printf '00%.0s' {1..20})"
	local request path
	for request in sha1 sha256 nonce; do
		get / --data-binary "@$request.der"
		same "$code" 410 "POST $request"
		path=$(base64 -w 0 "$request.der")
		get "/$path" -H 'Host: a.example'
		same "$code" 410 "GET $request"
		path=${path//+/%2B} path=${path//'/'/%2f} path=${path//=/%3D}
		get "/ocsp/r1/$path"
		same "$code" 410 "GET $request, escaped"
		get "//${path//%2B/%20}"
		same "$code" 410 "GET $request, blanks"
		path=$(base64 -w 0 "$request.der")
		run raw "$port" "GET /o.d/r1/${path//+/ } HTTP/1.0\\r\\n\\r\\n"
		has "$output" 'HTTP/1.1 410 Gone'
	done
	get /MFQ -H 'Host: a.example'
	same "$code $(body_hex)" '200 30030a0103' 'no issuer'
	serve_stop
	same "$(counted issuer=r1 mode=410)" 15 'counts of r1'
	same "$(counted issuer=r1 method=get hash=sha1)" 8 'GET, SHA-1'
	same "$(counted issuer=r1 method=post hash=sha256)" 1 'POST, SHA-256'
	same "$(counted nonce=yes hash=sha1 method=post)" 1 'POST, nonce'
	same "$(counted nonce=yes)" 5 'nonces'
	same "$(counted issuer=other host=a.example hash=none)" 1 'no issuer'
	# Nothing of the certificate asked about.
	run ! grep -qi '1234' "$dir/counts"
}

@test "hosts: in any case, with a port, in the target" {
	serve_start '[host a.example]' 'mode = 410' '[host [::1]]' 'mode = 404'
	local host
	for host in a.example A.Example a.example. a.example:80; do
		get /MFQ -H "Host: $host"
		same "$code" 410 "$host"
	done
	for host in b.example a.example.net example ''; do
		get /MFQ -H "Host: $host" -H 'X: y'
		same "$code" 200 "$host"
	done
	get /MFQ -H 'Host: [::1]:8080'
	same "$code" 404 '[::1]'
	run raw "$port" 'GET http://a.example/MFQ HTTP/1.0\r\nHost: x\r\n\r\n'
	has "$output" 'HTTP/1.1 410 Gone'
	run raw "$port" 'GET /MFQ HTTP/1.0\r\n\r\n'
	has "$output" 'HTTP/1.1 200 OK'
}

@test "phases: a share, a window, what is over and what is to come" {
	local now open shut
	now=$(date +%s)
	open=$(date -u -d "@$((now - 3600))" +%H:%M)-$(
		date -u -d "@$((now + 3600))" +%H:%M)
	shut=$(date -u -d "@$((now + 7200))" +%H:%M)-$(
		date -u -d "@$((now + 10800))" +%H:%M)
	serve_configure '[host half.example]' 'mode = trylater' \
	    'from = 2020-01-01 mode = 410 share = 50%' \
	    '[host open.example]' \
	    "from = 2020-01-01 mode = 410 window = $open" \
	    '[host shut.example]' \
	    "from = 2020-01-01 mode = 410 window = $shut" \
	    '[host past.example]' 'from = 2020-01-01 mode = 410' \
	    'from = 2021-01-01 mode = 404' 'from = 2999-01-01 mode = close'
	# A share is counted by each thread for itself.
	serve_again --threads 1
	local i gone=0 later=0
	for ((i = 0; i < 20; i++)); do
		get /MFQ -H 'Host: half.example'
		case $code in
		410) gone=$((gone + 1)) ;;
		200) later=$((later + 1)) ;;
		esac
	done
	same "$gone $later" '10 10' 'of twenty'
	get /MFQ -H 'Host: open.example'
	same "$code" 410 'within the window'
	get /MFQ -H 'Host: shut.example'
	same "$code" 200 'outside the window'
	get /MFQ -H 'Host: past.example'
	same "$code" 404 'the last phase that has begun'
}

@test "methods: HEAD, OPTIONS, and what is not answered" {
	serve_start
	get /x -X OPTIONS
	same "$code $(field Allow) $(field Content-Length)" \
	    '200 GET, HEAD, POST, OPTIONS 0' OPTIONS
	get / --request-target '*' -X OPTIONS
	same "$code" 200 'OPTIONS *'
	get / --head
	same "$code $(field Content-Length)" '200 3' 'HEAD /'
	local method
	for method in PUT DELETE PATCH TRACE PROPFIND get; do
		get /x -X "$method"
		same "$code $(field Allow) $(field Connection)" \
		    '405 GET, HEAD, POST, OPTIONS close' "$method"
	done
	serve_stop
	same "$(counted mode=malformed)" 6 'refused methods'
	same "$(counted mode=health)" 3 'health'
}

@test "100-continue and chunks, as curl sends them" {
	head -c 2000 /dev/zero >body.in
	serve_start
	get / -v -H 'Expect: 100-continue' --data-binary @body.in 2>said
	grep -q '^< HTTP/1.1 100 Continue' said
	same "$code $(body_hex)" '200 30030a0106' 'Expect'
	get / -H 'Transfer-Encoding: chunked' --data-binary @body.in
	same "$code $(body_hex)" '200 30030a0106' 'chunked'
	get / -H 'Transfer-Encoding: chunked' -H 'Expect: 100-continue' \
	    --data-binary @body.in
	same "$code" 200 'both'
	# Refused before the body is sent.
	head -c 20000 /dev/zero >body.in
	get / -v -H 'Expect: 100-continue' --data-binary @body.in 2>said
	same "$code" 413 'too large'
	run ! grep -q '100 Continue' said
	# And with it on its way: the answer arrives, not a reset.
	head -c 200000 /dev/zero >body.in
	get / -H 'Expect:' --data-binary @body.in
	same "$code" 413 'too large, sent all the same'
	run -0 "$TORTURE" unread "$port"
}

@test "keep-alive: HTTP/1.1 and 1.0, and when it ends" {
	serve_start
	run -0 curl -sS --noproxy '*' -o /dev/null -o /dev/null \
	    -w '%{num_connects} ' "http://127.0.0.1:$port/M" \
	    "http://127.0.0.1:$port/M"
	same "$output" '1 0 ' 'connections of two requests'
	run raw "$port" 'GET /M HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'
	has "$output" $'\r\nConnection: close\r\n'
	run raw "$port" 'GET /M HTTP/1.0\r\n\r\n'
	has "$output" $'\r\nConnection: close\r\n'
	run raw "$port" 'GET /M HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'\
'GET /M HTTP/1.0\r\n\r\n'
	has "$output" $'\r\nConnection: keep-alive\r\n'
	[ "$(grep -o 'HTTP/1.1 200' <<<"$output" | wc -l)" -eq 2 ]
}

@test "what is refused is answered, closed, and nothing behind it is read" {
	serve_start
	run -0 "$TORTURE" check "$port" <<-'END'
		400 GET /~~
		400 GET / HTTP/1.1\n\n
		400 GET / HTTP/1.1~~
		400 GET / HTTP/1.1~Host: a~Host: a~~
		400 GET / HTTP/1.1~Host : a~~
		400 GET / HTTP/1.1~Host: a~ b~~
		400 GET / HTTP/1.1~Host: a~X: \x00~~
		400 GET / HTTP/1.1~Host: a~X: y\rz~~
		400 GET /x y HTTP/1.1~Host: a~~
		400 \x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03~~
		405 CONNECT a:443 HTTP/1.1~Host: a~~
		405 PUT / HTTP/1.1~Host: a~Content-Length: 5~~GET /
		505 GET / HTTP/2.0~~
		400 +Content-Length: 5~Content-Length: 6~~
		400 +Content-Length: 5~Transfer-Encoding: chunked~~0~~
		400 +Transfer-Encoding: chunked~~5\nGET /~0~~
		400 +Transfer-Encoding: chunked~~00000005~
		501 +Transfer-Encoding: gzip~~
		411 +~
		413 +Content-Length: 10241~~
		417 +Expect: x~Content-Length: 1~~
	END
	same "$output" '21 refused' 'check'
	get "/$(head -c 9000 /dev/zero | tr '\0' a)"
	same "$code" 414 'a long target'
	get / -H "X: $(head -c 13000 /dev/zero | tr '\0' a)"
	same "$code" 431 'a long field'
	serve_stop
	same "$(counted mode=malformed)" 23 'counts'
}

@test "requests in pieces, in a row, half closed, on two threads and one" {
	serve_start 'write_timeout = 2m' 'request_timeout = 2m'
	run -0 "$TORTURE" split "$port"
	run -0 "$TORTURE" pipeline "$port" 3000
	same "$output" '21001 answers' 'pipeline'
	run -0 "$TORTURE" half "$port"
	run -0 "$TORTURE" deaf "$port" 50000
	same "$output" '50000 answers' 'deaf'
	serve_stop
	same "$(counted mode=unauthorized host=other)" \
	    "$(counted mode=unauthorized)" 'hosts'
}

@test "slow clients cannot hold it" {
	serve_start 'idle_timeout = 1s' 'request_timeout = 1s' \
	    'write_timeout = 1s'
	run -0 "$TORTURE" drip "$port"
	run -0 "$TORTURE" quiet "$port"
	run -0 "$TORTURE" empty "$port"
	run -0 "$TORTURE" stuck "$port"
	metric_becomes ocsp_sunset_connections_timed_out_total -ge 4
	metric_becomes ocsp_sunset_connections_open -eq 0
}

@test "whoever reads no answers gives way to those who ask" {
	serve_configure 'write_timeout = 1m' 'request_timeout = 1m'
	serve_again --threads 1
	run -0 "$TORTURE" hog "$port" 600
}

@test "more requests begun than connections fit: the longest ones make room" {
	serve_configure 'connections = 16' 'request_timeout = 1m'
	serve_again --threads 1
	run -0 "$TORTURE" mob "$port" 64 "$metrics"
	metric_becomes ocsp_sunset_connections_open -le 16
}

@test "more connections than fit: the longest idle ones make room" {
	serve_start 'connections = 32'
	run -0 "$TORTURE" crowd "$port" 100 69
	[[ $output =~ ^([0-9]+)' of 100 gone'$ ]]
	[ "${BASH_REMATCH[1]}" -ge 69 ]
	metric_becomes ocsp_sunset_connections_open -le 32
	metric_becomes ocsp_sunset_connections_refused_total -ge 69
}

@test "ten thousand idle connections" {
	serve_start 'idle_timeout = 10m'
	local before
	before=$(serve_rss)
	run "$TORTURE" idle "$port" 10000 cp "/proc/$child/status" "$dir/busy"
	[ "$status" -ne 77 ] || skip "$output"
	[ "$status" -eq 0 ]
	# A few words each.
	[ "$(awk '/^VmRSS:/ { print $2 }' busy)" -lt $((before + 2048)) ]
}

@test "a million requests, and memory stays what it was" {
	serve_start
	run -0 "$TORTURE" million "$port" 100000
	local before
	before=$(serve_rss)
	run -0 "$TORTURE" million "$port" 1000000
	# An octet a request would be more; the kernel counts in rough steps.
	[ "$(serve_rss)" -le $((before + 512)) ]
	# All of it, both processes: eight megabytes.
	[ "$(($(serve_rss) + $(awk '/^VmRSS:/ { print $2 }' \
	    "/proc/$server/status")))" -lt 8192 ]
	[ "$(metric ocsp_sunset_requests_total)" -gt 1100000 ]
	serve_stop
	[ "$(counted mode=unauthorized)" -gt 1100000 ]
}

@test "it is linked with the C library alone" {
	readelf -d "$OCSP_SUNSET" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
	    grep -v -e '^libasan' -e '^libubsan' -e '^libtsan' >needed
	same "$(cat needed)" libc.so.6 libraries
}

@test "what answers calls no allocator" {
	local objects=${OCSP_SUNSET%/*}/sunset file
	[ -d "$objects" ] || skip 'not beside what it was built from'
	for file in worker worker_list connection http_request http_field \
	    ocsp_request answer choice schedule; do
		nm -u "$objects/$file.o" >symbols
		run ! grep -E -w 'U (malloc|calloc|realloc|free|strdup)' \
		    symbols
	done
	# The search finds what is there.
	nm -u "$objects/generation.o" | grep -E -w 'U (calloc|free)'
}

@test "SIGHUP: another answer, or the old one when the file is wrong" {
	serve_start
	get /MFQ
	same "$code" 200 before
	sed -i 's/^\[server\]$/&\nmode = 410/' "$conf"
	kill -HUP "$server"
	serve_wait 'in force'
	get /MFQ
	same "$code" 410 after
	echo 'mode = nonsense' >>"$conf"
	kill -HUP "$server"
	serve_wait 'the configuration in force stays'
	get /MFQ
	same "$code" 410 'after a wrong one'
	# So does one that the gate refuses.
	sed -i '$d; s/^last_expiry.*/last_expiry = 2999-01-01/' "$conf"
	kill -HUP "$server"
	serve_wait 'the configuration in force stays' 2
	get /MFQ
	same "$code" 410 'after the gate'
	serve_stop
	same "$status" 0 'exit status'
	same "$(counted mode=unauthorized) $(counted mode=410)" '1 3' counts
}

@test "SIGHUP: what takes a restart is said; metrics go on" {
	serve_start '[host a.example]'
	get /MFQ -H 'Host: a.example'
	sed -i 's/^threads = 2$/threads = 1/; s/^\[host a/[host b/' "$conf"
	kill -HUP "$server"
	serve_wait 'in force'
	grep -q '`threads` changes only when' "$dir/log"
	get /MFQ -H 'Host: b.example'
	same "$(metric ocsp_sunset_requests_total 'host="b.example"')" 1 new
	# What has left the configuration is still counted, as other.
	same "$(metric ocsp_sunset_requests_total)" 2 sum
	serve_stop
	same "$(counted host=a.example) $(counted host=b.example)" '1 1' counts
}

@test "SIGHUP under load: no answer is dropped" {
	serve_start
	run -0 "$TORTURE" hangup "$port" "$server" 25
	same "$output" 'none dropped' hangup
	serve_wait 'in force'
}

@test "SIGTERM: what was begun is answered, what was counted is kept" {
	# Who is idle then has an eighth of it.
	serve_start 'drain_timeout = 10m'
	# Shorter than a second is not counted as time.
	sleep 1.1
	run -0 "$TORTURE" late "$port" "$server"
	status=0
	wait "$server" || status=$?
	same "$status" 0 'exit status'
	same "$(counted mode=unauthorized)" 3 counts
	grep -q '^....-..-..T..Z up=' "$dir/counts"
}

@test "counts that cannot be written: nobody was counted, not silence" {
	local i
	conf=$dir/sunset.cnf
	serve_configure
	for ((i = 0; i < 20; i++)); do
		echo "[host h$i.example.net]"
	done >>"$conf"
	# A kilobyte holds half of them.
	(ulimit -f 1; exec setsid "$OCSP_SUNSET" serve "$conf") \
	    >"$dir/log" 2>&1 </dev/null 3>&- &
	server=$!
	SUNSET_PIDS+=("$server")
	serve_wait 'server: ready'
	port=$(sed -n 's/.*server: listens on 127.0.0.1:\([0-9]*\)$/\1/p' \
	    "$dir/log")
	sleep 1.1
	for ((i = 0; i < 20; i++)); do
		get / -X POST -d x -H "Host: h$i.example.net" -o /dev/null
	done
	serve_stop
	grep -q 'cannot be written' "$dir/log"
	grep -q count= "$dir/counts"
	run -1 grep up= "$dir/counts"
}

@test "either process ends without the other" {
	serve_start
	kill -KILL "$server"
	local i
	for ((i = 0; i < 600; i++)); do
		kill -0 "$child" 2>/dev/null || break
		sleep 0.1
	done
	run ! kill -0 "$child"
	serve_again
	# What it had counted a minute ago is kept.
	printf 'crlpress-hour %s\n%s\nend 1\n' \
	    "$(stat -c %s "$dir/counts")" '2026-01-01T00Z up=60' \
	    >"$dir/counts.hour"
	kill -KILL "$child"
	status=0
	wait "$server" || status=$?
	same "$status" 1 'exit status'
	grep -q 'was ended by signal 9' "$dir/log"
	same "$(tail -n 1 "$dir/counts")" '2026-01-01T00Z up=60' 'kept counts'
	[ ! -s "$dir/counts.hour" ]
}

@test "neither process is root any more, and SIGHUP works all the same" {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	serve_start
	local pid
	for pid in "$server" "$child"; do
		grep -q '^CapEff:	0*$' "/proc/$pid/status"
		grep -q '^NoNewPrivs:	1$' "/proc/$pid/status"
		same "$(awk '/^[UG]id:/ { print $2, $3, $4, $5 }' \
		    "/proc/$pid/status" | tr ' ' '\n' | sort -u | grep -cx 0)" \
		    0 "root in $pid"
	done
	sed -i 's/^\[server\]$/&\nmode = 410/' "$conf"
	kill -HUP "$server"
	serve_wait 'in force'
	get /MFQ
	same "$code" 410 'after SIGHUP'
	serve_stop
	same "$(counted mode=410)" 1 'counts'
	# What nobody but root can read is said at the start.
	chmod 600 "$conf"
	serve_again
	grep -q 'SIGHUP will not be able to read it' "$dir/log"
}

@test "the process that answers is locked in" {
	serve_start
	local task
	for task in "/proc/$child/task"/*; do
		grep -q '^NoNewPrivs:	1$' "$task/status"
		grep -q '^CapEff:	0*$' "$task/status"
		[ "$(awk '/^Uid:/ { print $3 }' "$task/status")" -ne 0 ]
		grep -q "sandbox: seccomp" "$dir/log" ||
		    grep -q '^Seccomp:	2$' "$task/status"
	done
	[ "$(find "/proc/$child/task" -mindepth 1 -maxdepth 1 | wc -l)" -eq 3 ]
	# No file is open but where it was started from.
	if [ "$(id -u)" -eq 0 ]; then
		run bash -c "readlink /proc/$child/fd/* | grep '^/' |
		    grep -v -e ^/dev/null -e ^$dir/log"
		same "$output" '' 'open files'
	fi
}

@test "root has to become somebody" {
	[ "$(id -u)" -eq 0 ] || skip 'not root'
	serve_configure
	sed -i '/^user/d' "$conf"
	run -2 timeout 60 "$OCSP_SUNSET" serve "$conf"
	has "$output" 'nobody to become'
	sed -i 's/^\[server\]$/&\nuser = no-such-user/' "$conf"
	run -2 timeout 60 "$OCSP_SUNSET" serve "$conf"
	has "$output" 'no such user'
}

@test "addresses: IPv6, several, one that is taken" {
	grep -qs '^0*1 ' /proc/net/if_inet6 || skip 'no IPv6 here'
	serve_start 'listen = [::1]:0'
	local six
	six=$(sed -n 's/.*listens on \[::1\]:\([0-9]*\)$/\1/p' "$dir/log")
	fetch "http://[::1]:$six/MFQ"
	same "$code" 200 'IPv6'
	get /MFQ
	same "$code" 200 'IPv4'
	# Only what shares a port as we do may have it too.
	/usr/bin/python3 -c 'import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(1)
print(s.getsockname()[1], flush=True)
time.sleep(600)' >taken 3>&- &
	local holder=$!
	while [ ! -s taken ]; do sleep 0.1; done
	serve_stop
	serve_configure
	sed -i "s/^listen = .*/listen = 127.0.0.1:$(cat taken)/" "$conf"
	run -1 timeout 60 "$OCSP_SUNSET" serve "$conf"
	kill "$holder"
	has "$output" "127.0.0.1:$(cat taken): listen: Address already in use"
}

@test "metrics: text for Prometheus, and nothing else" {
	serve_start
	get /MFQ
	fetch "http://127.0.0.1:$metrics/metrics"
	same "$code" 200 metrics
	[[ $(field Content-Type) == 'text/plain; version=0.0.4'* ]]
	grep -q '^ocsp_sunset_requests_total{.*mode="unauthorized".*} 1$' body
	fetch --head "http://127.0.0.1:$metrics/metrics"
	same "$code" 200 HEAD
	fetch "http://127.0.0.1:$metrics/"
	same "$code" 404 /
	fetch -d x "http://127.0.0.1:$metrics/metrics"
	same "$code" 405 POST
	run raw "$metrics" 'nonsense\r\n\r\n'
	has "$output" 'HTTP/1.1 400'
}

@test "metrics: whoever asks slowly, or does not read, keeps nobody waiting" {
	serve_start
	run -0 "$TORTURE" scrape "$metrics" "$port" 20
	same "$output" '20 slow ones' scrape
	[ "$(metric ocsp_sunset_requests_total)" -eq 1 ]
}

@test "threads pinned to processors answer what these receive" {
	serve_start 'pin_threads = yes'
	local i
	for ((i = 0; i < 20; i++)); do
		get /MFQ
		same "$code" 200 "request $i"
	done
	# The last two tasks are those that answer.
	/usr/bin/python3 - "$child" <<-'END'
	import os, sys
	tasks = os.listdir("/proc/%s/task" % sys.argv[1])
	tasks = sorted(int(t) for t in tasks)
	left = os.sched_getaffinity(tasks[0])
	for i, task in enumerate(tasks[1:]):
	    mine = {c for c in left if c % 2 == i} or left
	    assert os.sched_getaffinity(task) == mine, (i, mine, left)
	END
	run -0 "$TORTURE" pipeline "$port" 50
	run ! grep 'pin_threads' "$dir/log"
	serve_stop
	same "$(counted mode=unauthorized)" 271 counts
}

@test "sockets handed over: restart under load, none refused, none dropped" {
	serve_configure
	sed -i '/^listen/d; /^metrics/d' "$conf"
	run -0 "$TORTURE" restart 0 5 "$OCSP_SUNSET" serve "$conf"
	same "$output" 'none dropped' restart
	# Without one, and without `listen`, there is nothing to answer on.
	run -2 timeout 60 "$OCSP_SUNSET" serve "$conf"
	has "$output" 'neither `listen` nor a socket handed over'
	# A descriptor that is not a listening socket is refused.
	run -2 bash -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve "$1" \
	    3</dev/null' "$OCSP_SUNSET" "$conf"
	has "$output" 'not a listening stream socket'
}

@test "two servers do not count into one file" {
	serve_start
	run -75 timeout 60 "$OCSP_SUNSET" serve "$conf"
}

@test "each minute what was counted is kept, and both may be killed" {
	local i dir=$OLD_DIR
	for ((i = 0; i < 900; i++)); do
		[ ! -s "$dir/counts.hour" ] || break
		sleep 0.1
	done
	grep -q 'mode=unauthorized.* count=1$' "$dir/counts.hour" ||
	    grep -q 'mode=unauthorized.* count=1$' "$dir/counts"
	kill -KILL "$OLD_SERVER" "$OLD_CHILD"
	for ((i = 0; i < 300; i++)); do
		kill -0 "$OLD_SERVER" 2>/dev/null || break
		sleep 0.1
	done
	conf=$dir/sunset.cnf
	serve_again
	same "$(counted mode=unauthorized)" 1 'counts after both were killed'
	grep -q ' up=[1-9]' "$dir/counts"
	serve_stop
	same "$(counted mode=unauthorized)" 1 'counts at the end'
}
