# SPDX-License-Identifier: ISC
#
# crlpress plan --check: real web servers over a store, and every way in which
# a URL may not be what it must.

# What is loaded sets $store and the like:
# shellcheck disable=SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/sunset.bash
load ../lib/publish.bash

# A certificate of the web server, for 127.0.0.1.
setup_file()
{
	publish_setup
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$BATS_FILE_TMPDIR/key.pem" -days 2 -subj /CN=web \
	    -out "$BATS_FILE_TMPDIR/cert.pem" \
	    -addext subjectAltName=IP:127.0.0.1 2>/dev/null
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
	unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY
	# A server that gives up root must come here.
	dir=$(mktemp -d "${TMPDIR:-/tmp}/check.XXXXXX")
	chmod 755 "$dir"
}

teardown()
{
	sunset_stop
	rm -rf "${dir:?}"
}

# web_new NAME SCHEME [SETTING...]: an issuer with shards 1 to 3 whose URLs are
# served from its store, $dir/web, by nginx; $dir/place has what else is said
# of places, $dir/access who asked.
web_new()
{
	local scheme=$2 listen
	port=$(free_port)
	mkdir "$dir/web"
	: >"$dir/place"
	PUBLISH_URL="$scheme://127.0.0.1:$port/%s/{shard}.crl"
	settings=(shards.count=3 shards.first=1 gates.allow_empty=yes
	    "store.url=$dir/web")
	publish_new "$1" "${settings[@]}" "${@:3}"
	store=$dir/web
	manifest=$store/crlpress-manifest-$name.txt
	listen="listen 127.0.0.1:$port"
	[ "$scheme" = http ] || listen+=" ssl http2"
	# shellcheck disable=SC2016 # nginx expands
	printf '%s\n' 'types { application/pkix-crl crl; }' \
	    "log_format asked '\$request_method \$server_protocol \$status';" \
	    'server {' "$listen;" "root $dir/web;" \
	    "ssl_certificate $BATS_FILE_TMPDIR/cert.pem;" \
	    "ssl_certificate_key $BATS_FILE_TMPDIR/key.pem;" \
	    "access_log $dir/access asked;" "include $dir/place;" '}' \
	    >"$dir/site"
	[ "$scheme" != http ] || sed -i '/ssl_cert/d' "$dir/site"
	publish
	ended 0
}

# place LINE...: more of nginx's configuration, taken by a new nginx.
place()
{
	sunset_stop
	printf '%s\n' "$@" >"$dir/place"
	nginx_start "$port" "$dir/site"
}

check()
{
	run --separate-stderr "$CRLPRESS" plan --check --config "$conf" "$@"
}

# faulty TEXT...: the check ends so, and says this.
faulty()
{
	local text
	check
	ended 5 || return 1
	for text; do
		has "$stderr" "$text" || return 1
	done
}

@test "every shard is there, and none before or behind them" {
	web_new good http
	place
	check
	ended 0
	same "$stderr" '' stderr
	same "$(grep -c '^  ok      200 ' <<<"$output")" 3 shards
	same "$(grep -c '^  absent  404 ' <<<"$output")" 2 neighbours
	has "$output" "/good/0.crl"
	has "$output" "/good/4.crl"
	same "$(wc -l <"$dir/access")" 5 requests
	check -q
	ended 0
	same "$output" '' stdout
	check --quiet --json
	ended 0
	/usr/bin/python3 -c '
import json, sys
report = json.load(sys.stdin)
(issuer,) = report["issuers"]
answers = issuer["answers"]
assert [a["shard"] for a in answers] == [0, 1, 2, 3, 4], answers
assert [a["want"] for a in answers] == ["absent"] + ["crl"] * 3 + ["absent"]
assert [a["code"] for a in answers] == [404, 200, 200, 200, 404]
assert all(a["ok"] for a in answers)
assert answers[1]["number"] == sys.argv[1], answers
assert report["exit"] == 0, report' "$(manifest_field number)" <<<"$output"
	# The simplest of servers.
	sunset_stop
	server_start "$port" "$dir/log" /usr/bin/python3 -m http.server \
	    --bind 127.0.0.1 --directory "$store" "$port"
	check
	ended 0
	run "$CRLPRESS" plan --check --urls --config "$conf"
	ended 2
}

@test "a shard that is missing, another one's, damaged or expired is a fault" {
	local now
	web_new bad http
	place
	mv "$store/bad/2.crl" "$dir/2"
	faulty '/bad/2.crl: url, BR 4.9.7: the answer is 404, want 200'
	has "$output" '  FAULT   404 '
	check -q
	ended 5
	same "$output" '' stdout
	has "$stderr" '/bad/2.crl: url, BR 4.9.7: the answer is 404, want 200'
	cp "$store/bad/1.crl" "$store/bad/2.crl"
	faulty '/bad/2.crl: idp-url'
	head -c 100 "$dir/2" >"$store/bad/2.crl"
	faulty '/bad/2.crl: der'
	echo '<html>' >"$store/bad/2.crl"
	faulty '/bad/2.crl: der'
	cp "$PUBLISH_TREE/tests/bad/next-update-absent.der" "$store/bad/2.crl"
	faulty '/bad/2.crl: next-update'
	[[ $output != *1970* ]]
	check --json
	same "$(jq -c '[.issuers[0].answers[] | select(.want == "crl") |
	    .next_update != null]' <<<"$output")" '[true,false,true]' next
	# Another CA's, in its place.
	"$PUBLISH_TREE/tools/make-ca" --p256 "$dir/other"
	ca=$dir/other publish_configure "${settings[@]}"
	cp "$dir/2" "$store/bad/2.crl"
	faulty '/bad/2.crl: signature'
	publish_configure "${settings[@]}"
	check
	ended 0
	# From ten days ago.
	now=$(date +%s)
	rm -r "${store:?}/bad" "$manifest" "$state"
	publish_ok --now "$(iso $((now - 864000)))"
	faulty '/bad/1.crl: fresh' '/bad/2.crl: fresh' '/bad/3.crl: fresh'
}

@test "what is before or behind the shards is a fault; a refusal is a warning" {
	web_new near http
	place
	cp "$store/near/1.crl" "$store/near/0.crl"
	faulty '/near/0.crl: url, CCADB 6.2: something is there'
	rm "$store/near/0.crl"
	head -c 1000000 /dev/zero >"$store/near/4.crl"
	faulty '/near/4.crl: url, CCADB 6.2: something is there'
	rm "$store/near/4.crl"
	# As a bucket does that anybody may read and nobody list.
	place 'error_page 404 =403 /403; location = /403 { return 403; }'
	check
	ended 0
	has "$stderr" '/near/4.crl: url, CCADB 6.2: the answer is 403'
	place 'error_page 404 =410 /410; location = /410 { return 410; }'
	check
	ended 0
	same "$stderr" '' stderr
	place 'error_page 404 =302 http://127.0.0.1:1/;'
	faulty '/near/0.crl: url, CCADB 6.2: the answer is 302, want 404 or 410'
}

@test "a server that fails, redirects, says another type, or is not there" {
	web_new server http
	place 'location = /server/2.crl { return 503; }'
	faulty '/server/2.crl: url, BR 4.9.7: the answer is 503, want 200'
	# It was asked again.
	same "$(grep -c 503 "$dir/access")" 3 'requests for it'
	place 'location = /server/2.crl { return 301 /server/1.crl; }'
	faulty '/server/2.crl: url, BR 4.9.7: the answer is 301, want 200'
	place 'location = /server/2.crl { types { } default_type text/html; }'
	check
	ended 0
	has "$stderr" 'the Content-Type, have text/html, want application/'
	place 'location = /server/2.crl { add_header Content-Encoding gzip; }'
	check
	ended 0
	has "$stderr" 'has a Content-Encoding, gzip, that nobody asked for'
	sunset_stop
	faulty '/server/1.crl: url, BR 4.9.7: no answer' \
	    '/server/4.crl: url, BR 4.9.7: no answer'
}

@test "HTTPS with HTTP/2, by the CAs of public_ca_file alone" {
	web_new tls https issuer.profile=private \
	    "store.public_ca_file=$BATS_FILE_TMPDIR/cert.pem"
	place
	check
	ended 0
	same "$(sort "$dir/access" | uniq -c | tr -s ' ')" \
	    "$(printf ' 3 GET HTTP/2.0 200\n 2 GET HTTP/2.0 404')" requests
	publish_configure "${settings[@]}" issuer.profile=private
	faulty '/tls/1.crl: url, BR 4.9.7: no answer' 'certificate'
}
