# SPDX-License-Identifier: ISC
#
# What `ocsp-sunset render` writes, read by the real nginx, Apache and HAProxy,
# and what these then answer.
#
# What a test works with is set by what is loaded:
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0
load ../lib/sunset.bash

setup()
{
	sunset_env
	port=$(free_port)
	url=http://127.0.0.1:$port
	# An OCSP request of openssl's, where / + and = stand for themselves.
	path='/MEIwQDA+MDwwOjAJBgUrDgMCGgUABBQ/KZa02T7xWQd3f7s6FBdgQc3+//AAQU'
	path+='eLPZZBHADeLE==/'
}

teardown()
{
	sunset_end
}

# The answer is that of the file $1, and says how it may be kept.
answered()
{
	same "$code" 200 status
	cmp body "r/$1"
	same "$(field content-type)" application/ocsp-response type
	same "$(field content-length)" 5 length
	same "$(field cache-control)" "${2:-no-cache}" cache-control
	same "$(field last-modified)$(field etag)$(field allow)" '' others
}

# Every way to ask, of a server that answers with the file $1.
ask_all()
{
	local name
	fetch "$url$path"
	answered "$1"
	fetch "$url//MEIw%2FQDA%2B//MDw%3D"
	answered "$1"
	fetch "$url/MEIw+QDA%20x?a=b"
	answered "$1"
	for name in / /MEIw; do
		fetch -H 'Content-Type: application/ocsp-request' \
		    --data-binary x "$url$name"
		answered "$1"
	done
	fetch -H 'Expect: 100-continue' --data-binary "$(printf '%01030d' 0)" \
	    "$url/"
	answered "$1"
	fetch -H 'Transfer-Encoding: chunked' --data-binary xyz "$url/"
	answered "$1"
	fetch --http1.0 "$url$path"
	answered "$1"
	# Nothing to revalidate, no part of it.
	fetch -H 'If-Modified-Since: Sun, 22 Nov 2099 00:00:00 GMT' \
	    -H 'If-None-Match: *' -H 'Range: bytes=0-1' "$url$path"
	answered "$1"
	raw "$port" "HEAD $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
\r\n" >'head'
	has "$(head -n 1 head)" ' 200 '
	same "$(field content-type)" application/ocsp-response 'type of HEAD'
	same "$(tail -n 1 head)" $'\r' 'the end of HEAD'
}

# What is no OCSP request.
ask_others()
{
	fetch "$url/"
	same "$code $(cat body)" '200 ok' health
	has "$(field content-type)" text/plain
	same "$(field cache-control)" no-store 'health is not kept'
	fetch -X PUT --data-binary x "$url$path"
	same "$code" 405 PUT
	has "$(field allow)" GET
	has "$(field allow)" POST
	# As the server itself answers.
	fetch -X OPTIONS "$url$path"
	same "$code $(cat body)" '200 ' OPTIONS
	same "$(field allow | tr -d ' ' | tr , '\n' | grep -vx TRACE | sort |
	    tr '\n' ' ')" 'GET HEAD OPTIONS POST ' 'what is allowed'
	fetch -X DELETE "$url$path"
	same "$code" 405 DELETE
	head -c 11000 /dev/zero >big
	fetch --data-binary @big "$url/" || true
	same "$code" 413 'a large body'
}

start()
{
	case $1 in
	nginx) nginx_start "$port" "$PWD/r/nginx.conf" ;;
	apache) apache_start "$port" "$PWD/r/apache.conf" rewrite headers ;;
	haproxy) haproxy_start "$port" r/haproxy.cfg ;;
	esac
}

# Modes of which the answer is no OCSP response.
ask_http()
{
	local mode
	for mode in 410 404 503; do
		rm -rf r
		"$OCSP_SUNSET" render --port "$port" --mode "$mode" \
		    --retry-after 2h r
		start "$1"
		fetch "$url$path"
		same "$code" "$mode" mode
		same "$(field retry-after)" \
		    "$([ "$mode" != 503 ] || echo 7200)" retry-after
		fetch --data-binary x "$url/"
		same "$code" "$mode" "mode by POST"
		fetch "$url/"
		same "$code $(cat body)" '200 ok' health
		sunset_stop
	done
}

@test "render: the bodies are the bytes of RFC 6960, 4.2.1, and parse as such" {
	"$OCSP_SUNSET" render r
	same "$(od -An -v -tx1 r/unauthorized.der)" ' 30 03 0a 01 06' der
	same "$(od -An -v -tx1 r/trylater.der)" ' 30 03 0a 01 03' der
	same "$(od -An -v -tx1 r/internalerror.der)" ' 30 03 0a 01 02' der
	run ! openssl ocsp -respin r/unauthorized.der
	has "$output" 'Responder Error: unauthorized (6)'
	run ! openssl ocsp -respin r/trylater.der
	has "$output" 'Responder Error: trylater (3)'
	run ! openssl ocsp -respin r/internalerror.der
	has "$output" 'Responder Error: internalerror (2)'
	# Every file is there and said.
	"$OCSP_SUNSET" render --force r | sort >said
	find "$(realpath r)" -type f | sort >found
	diff said found
}

@test "render: nginx takes it and answers" {
	"$OCSP_SUNSET" render --port "$port" r >said
	start nginx
	ask_all unauthorized.der
	ask_others
	[ ! -s "nginx.$port/log" ]
}

@test "render: Apache takes it and answers" {
	"$OCSP_SUNSET" render --port "$port" r >said
	start apache
	ask_all unauthorized.der
	ask_others
}

@test "render: HAProxy takes it and answers" {
	"$OCSP_SUNSET" render --port "$port" r >said
	start haproxy
	ask_all unauthorized.der
	ask_others
}

@test "render: other modes, caching, in each server" {
	local server
	for server in nginx apache haproxy; do
		rm -rf r
		"$OCSP_SUNSET" render --port "$port" --mode trylater \
		    --max-age 1h r
		start "$server"
		fetch "$url$path"
		answered trylater.der max-age=3600
		fetch --data-binary x "$url/"
		answered trylater.der max-age=3600
		sunset_stop
	done
}

@test "render: HTTP statuses instead, nginx" {
	ask_http nginx
}

@test "render: HTTP statuses instead, Apache" {
	ask_http apache
}

@test "render: HTTP statuses instead, HAProxy" {
	ask_http haproxy
}

@test "render: close, where a server can" {
	local server
	run --separate-stderr "$OCSP_SUNSET" render --port "$port" \
	    --mode close r
	same "$status" 0 status
	has "$stderr" 'apache.conf: not written'
	[ ! -e r/apache.conf ] && [ ! -e r/varnish.vcl ]
	for server in nginx haproxy; do
		start "$server"
		run ! fetch "$url$path"
		[ ! -s head ]
		fetch "$url/"
		same "$code" 200 health
		sunset_stop
	done
}

@test "render: hosts, others are not answered by it" {
	local server
	for server in nginx apache haproxy; do
		rm -rf r
		"$OCSP_SUNSET" render --port "$port" --host a.example.net \
		    --host b.example.net r
		cat >r/other.conf <<-END
		server { listen $port default_server; return 418; }
		END
		cp r/nginx.conf r/alone.conf
		cat r/other.conf >>r/nginx.conf
		start "$server"
		for host in a.example.net "B.example.net:$port"; do
			fetch -H "Host: $host" "$url$path"
			answered unauthorized.der
		done
		case $server in
		nginx) want=418 ;;
		haproxy) want=421 ;;
		# The only site is everybody's.
		apache) want=200 ;;
		esac
		fetch -H 'Host: c.example.net' "$url$path"
		same "$code" "$want" "another host at $server"
		sunset_stop
	done
}

@test "render: nothing is replaced without being told to" {
	mkdir r
	echo mine >r/haproxy.cfg
	run --separate-stderr "$OCSP_SUNSET" render r
	same "$status" 1 status
	has "$stderr" 'haproxy.cfg: render: is there already'
	has "$stderr" 'nothing was written; --force'
	same "$(ls r)" haproxy.cfg 'other files'
	same "$(cat r/haproxy.cfg)" mine contents
	"$OCSP_SUNSET" render --force r
	grep -q '^frontend' r/haproxy.cfg
	# A link is not followed.
	echo far >far
	ln -sf ../far r/nginx.conf
	run ! "$OCSP_SUNSET" render r
	"$OCSP_SUNSET" render --force r
	[ ! -L r/nginx.conf ]
	same "$(cat far)" far 'behind a link'
}

@test "render: wrong options, a directory that would need quoting" {
	local bad
	for bad in '--mode health' '--mode malformed' '--mode 200' \
	    '--port 0' '--port 65536' '--max-age 10' '--max-age 53w' \
	    '--host A.example.net' '--host a:80' '--host a;b' \
	    '--host other' '--no-such'; do
		# shellcheck disable=SC2086 # two words
		run --separate-stderr "$OCSP_SUNSET" render $bad r
		same "$status" 2 "status of $bad"
		has "$stderr" usage:
		[ ! -e r ]
	done
	run "$OCSP_SUNSET" render
	same "$status" 2 'without a directory'
	run "$OCSP_SUNSET" render r s
	same "$status" 2 'two directories'
	run --separate-stderr "$OCSP_SUNSET" render 'r;s'
	same "$status" 2 'a strange name'
	has "$stderr" 'would need quoting'
	same "$(ls 'r;s')" '' 'files there'
	run --separate-stderr "$OCSP_SUNSET" render --help
	same "$status" 0 help
	has "$output" 'usage: ocsp-sunset render'
}
