# SPDX-License-Identifier: ISC
#
# --wait-public: what the public URLs serve, through an HTTP server that is
# behind, broken, or behind a cache.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/sunset.bash
load ../lib/publish.bash
load ../lib/faults.bash

# More than a slow machine needs, and never waited for where all is well.
LONG=5m

# The port stands in the URLs, so it is found once for the file.
setup_file()
{
	publish_setup
	PORT=$(free_port)
	export PORT
	export GOLD=$BATS_FILE_TMPDIR/gold
	mkdir -p "$GOLD"
	BATS_TEST_TMPDIR=$GOLD publish_new e1 shards.count=4 \
	    shards.url="http://127.0.0.1:$PORT/e1/{shard}.crl"
	make_rows 200 --shards 4 --since "$(date -u -d '2 days ago' +%FT%TZ)" \
	    --now "$(date -u -d '2 minutes ago' +%FT%TZ)"
	pg_psql -c 'CREATE TABLE kept AS TABLE crlpress.revocation'
	"$CRLPRESS" publish --quiet --config "$conf" \
	    --now "$(date -u -d '1 minute ago' +%FT%TZ)"
}

setup()
{
	publish_env
	unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
	publish_new e1 shards.count=4 \
	    shards.url="http://127.0.0.1:$PORT/e1/{shard}.crl"
	rm -rf "$store" "$state"
	cp -a "$GOLD/e1/store" "$GOLD/e1/state" "$work"
	pg_psql -c 'TRUNCATE crlpress.revocation;
	    INSERT INTO crlpress.revocation TABLE kept' >/dev/null
	dir=$(mktemp -d "${TMPDIR:-/tmp}/wait.XXXXXX")
	chmod 755 "$dir"
	waiting=
}

teardown()
{
	[ -z "$waiting" ] || kill "$waiting" 2>/dev/null || true
	sunset_stop
	rm -rf "$dir"
}

teardown_file()
{
	pg_stop
}

# recorded SERIAL SHARD
recorded()
{
	pg_psql -c "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    VALUES ('e1', '\\x$1', now() - interval '2 seconds', 1,
	    now() + interval '30 days', $2)" >/dev/null
}

# serve [PORT] [DIRECTORY]: as a web server that knows nothing of CRLs.
serve()
{
	server_start "${1:-$PORT}" "$dir/http.log" /usr/bin/python3 -u \
	    -m http.server --bind 127.0.0.1 --directory "${2:-$store}" \
	    "${1:-$PORT}"
}

# waits ARGUMENT...: a push in the background, ./out and ./err.
waits()
{
	"$CRLPRESS" push --config "$conf" "$@" >out 2>err 3>&- &
	waiting=$!
}

# until_said TEXT: the push has said so, within two minutes.
until_said()
{
	local i
	for ((i = 0; i < 1200; i++)); do
		! grep -qsF "$1" err || return 0
		kill -0 "$waiting" 2>/dev/null || break
		sleep 0.1
	done
	printf 'never said: %s\n' "$1"
	cat out err
	return 1
}

end_wait()
{
	status=0
	wait "$waiting" || status=$?
	waiting=
	output=$(<out) stderr=$(<err)
}

@test "it is there: several shards" {
	serve
	recorded 7a7a7a01 2
	recorded 7a7a7a02 3
	run --separate-stderr "$CRLPRESS" push --config "$conf" \
	    --serial 7a7a7a01 --serial 7a7a7a02 --wait-public="$LONG"
	ended 0
	number=$(crl_field "$store/e1/2.crl" number)
	same "$(sort <<<"$stderr")" "note: e1/shard 2: http://127.0.0.1:$PORT\
/e1/2.crl serves number $number
note: e1/shard 3: http://127.0.0.1:$PORT/e1/3.crl serves number $number" \
	    stderr
	run --separate-stderr "$CRLPRESS" push --quiet --config "$conf" \
	    --shard 1 --wait-public
	ended 0
	same "$output$stderr" '' 'a quiet one'
}

@test "first nobody, then an old copy, then it" {
	recorded 7a7a7a01 2
	cp -a "$store" old
	before=$(crl_field old/e1/2.crl number)
	waits --serial 7a7a7a01 --wait-public="$LONG"
	until_said "http://127.0.0.1:$PORT/e1/2.crl gives no answer: "
	number=$(crl_field "$store/e1/2.crl" number)
	serve "$PORT" "$PWD/old"
	until_said "serves number $before, want at least $number"
	# Not the issuer's, then not even a CRL, then gone.
	"$PUBLISH_TREE/tools/make-ca" --p256 other
	openssl crl -inform DER -in "$store/e1/2.crl" -outform DER -out one
	printf '\x00' | dd of=one bs=1 conv=notrunc status=none \
	    seek=$(($(stat -c %s one) - 1))
	mv one old/e1/2.crl
	until_said "serves a CRL that is not the issuer's: "
	echo '<html>' >page
	mv page old/e1/2.crl
	until_said 'serves no CRL with a number'
	rm old/e1/2.crl
	until_said 'answers with status 404'
	cp "$store/e1/2.crl" one
	mv one old/e1/2.crl
	end_wait
	ended 0
	has "$stderr" "serves number $number"
	# Each thing seen was said once.
	same "$(sort "$PWD/err" | uniq -d)" '' 'said twice'
}

@test "a newer one that does not list it will not do" {
	# Somebody else's run, from rows without it, into another store.
	cp -a "$store" other
	cp -a "$state" other-state
	sed -e "s|^url = $store|url = $PWD/other|" \
	    -e "s|^dir = .*|dir = $PWD/other-state|" "$conf" >other.cnf
	sed -i 's|^\[issuer\]|&\nname = e1|' other.cnf
	recorded 7a7a7a01 2
	waits --serial 7a7a7a01 --wait-public="$LONG"
	until_said 'gives no answer: '
	pg_psql -c "DELETE FROM crlpress.revocation
	    WHERE serial = '\\x7a7a7a01'"
	"$CRLPRESS" publish --quiet --config other.cnf
	newer=$(crl_field other/e1/2.crl number)
	[ "$newer" -ge "$(crl_field "$store/e1/2.crl" number)" ]
	serve "$PORT" "$PWD/other"
	until_said "serves number $newer, which lists 0 of 1 serials"
	cp "$store/e1/2.crl" one
	mv one other/e1/2.crl
	end_wait
	ended 0
}

@test "it never comes: exit status 4, and what stands there" {
	mkdir -p old
	cp -a "$store/e1" old
	before=$(crl_field old/e1/2.crl number)
	serve "$PORT" "$PWD/old"
	recorded 7a7a7a01 2
	run --separate-stderr "$CRLPRESS" push --config "$conf" \
	    --serial 7a7a7a01 --shard 0 --wait-public=3s --json
	ended 4
	number=$(crl_field "$store/e1/2.crl" number)
	same "$(faults_said | sort | sed 's|http[^ ]*|URL|')" \
	    "e1/shard 0: public: it is published, but after 3s URL still \
serves number $before, want at least $number
e1/shard 2: public: it is published, but after 3s URL still serves number \
$before, want at least $number" faults
	said '  hint: see what caches stand before the store'
	same "$(jq -c '[.status, .exit, (.runs[0].shards[1].state)]' \
	    <<<"$output")" '["partial",4,"published"]' JSON
	crl_field "$store/e1/2.crl" serials | grep -qx 7A7A7A01
	# Nor does revoke say that the next run will publish it.
	pg_psql -c 'GRANT crlpress_revoker TO cron'
	run --separate-stderr "$CRLPRESS" revoke --config "$conf" \
	    --serial 7a7a7a01 --reason 1 --wait-public=3s
	pg_psql -c 'REVOKE crlpress_revoker FROM cron'
	ended 4
	said 'public: it is published, but after 3s'
	said_not 'it is recorded'
}

@test "where nobody answers no cache is to blame" {
	recorded 7a7a7a02 2
	run --separate-stderr "$CRLPRESS" push --config "$conf" \
	    --serial 7a7a7a02 --wait-public=1s
	ended 4
	said 'still gives no answer: '
	said_not 'see what caches'
}

@test "a redirect is not followed" {
	cat >"$dir/site" <<-END
		server {
			listen 127.0.0.1:$PORT;
			location / { return 302 http://127.0.0.1:1/; }
		}
	END
	nginx_start "$PORT" "$dir/site"
	recorded 7a7a7a01 2
	run --separate-stderr "$CRLPRESS" push --config "$conf" \
	    --serial 7a7a7a01 --wait-public=3s
	ended 4
	one_line 'still answers with status 302'
}

@test "behind a cache: its age is said, and the end of it waited for" {
	local behind
	behind=$(free_port)
	serve "$behind"
	cat >"$dir/site" <<-END
		proxy_cache_path $dir/cache keys_zone=all:1m;
		server {
			listen 127.0.0.1:$PORT;
			location / {
				proxy_pass http://127.0.0.1:$behind;
				proxy_cache all;
				proxy_cache_valid 200 1h;
				add_header Age 77;
			}
		}
	END
	nginx_start "$PORT" "$dir/site"
	curl -sf --noproxy '*' -o /dev/null "http://127.0.0.1:$PORT/e1/2.crl"
	before=$(crl_field "$store/e1/2.crl" number)
	"$CRLPRESS" revoke --config "$conf" --serial 7a7a7a01 --reason 1 \
	    --not-after "$(date -u -d '9 days' +%FT%TZ)" --shard 2 \
	    --no-push --quiet 2>/dev/null && return 1
	pg_psql -c 'GRANT crlpress_revoker TO cron'
	"$CRLPRESS" revoke --config "$conf" --serial 7a7a7a01 --reason 1 \
	    --not-after "$(date -u -d '9 days' +%FT%TZ)" --shard 2 \
	    --wait-public="$LONG" >out 2>err 3>&- &
	waiting=$!
	until_said "serves number $before, want at least "
	has "$(<err)" ', Age 77 s'
	# As if its hour had passed.
	sed -i '/proxy_cache/d' "$dir/site"
	kill -HUP "$(<"$dir/nginx.$PORT/pid")"
	end_wait
	ended 0
	has "$stderr" "serves number $(crl_field "$store/e1/2.crl" number)"
}

@test "what a duration is" {
	local value
	for value in 0s -1 10 soon; do
		run --separate-stderr "$CRLPRESS" push --config "$conf" \
		    --shard 1 --wait-public="$value"
		ended 2
		one_line "--wait-public $value: "
	done
	run -0 "$CRLPRESS" push --help
	has "$output" '--wait-public[=DURATION]'
}
