# SPDX-License-Identifier: ISC
#
# Two publishers with the same issuer and the same store, and no lock in
# common, over and over: numbers in the store only ever rise, nothing newer is
# overwritten, and every GET of a third is a whole, valid CRL. RACE_SEC is for
# how long at the least.

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/s3.bash

shards=4

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
	stub_stop
}

# another NAME: the configuration as on another machine, ./NAME/$name.cnf.
another()
{
	mkdir "$1"
	sed "s|^dir = .*|dir = $PWD/$1/state|" "$conf" >"$1/$name.cnf"
}

# What losers say: that it is made again, or, in the end, that; or that the
# other's is of this very second; what to do, and a summary.
only_lost()
{
	grep -hvE -e ': somebody else published here since it was judged$' \
	    -e '^note: .*somebody else published it meanwhile: made again ' \
	    -e '^  hint: run again: theirs will be judged then$' \
	    -e ': (number-up|time-up), RFC 5280, 5\.[0-9.]*: [a-zA-Z]+, have ' \
	    -e "^$name: (ok|failed|refused|partial): " \
	    -e "^$name: (withheld|not published): " "$@"
}

# press_on CONFIG NAME: publishes again and again; one exit status a line.
press_on()
{
	local status
	while [ ! -e stop ]; do
		status=0
		"$CRLPRESS" publish --config "$1" >>"$2.said" 2>&1 3>&- ||
		    status=$?
		echo "$status" >>"$2"
	done
}

# "NUMBER SHA256" of each body of a key that the watcher saw, in order; each
# must be whole and of this issuer.
seen_of()
{
	local file said sum
	local want='^verify OK[[:space:]]crlNumber=0x([0-9A-F]{1,15})$'
	for file in "seen/$1"/*; do
		said=$(openssl crl -inform DER -in "$file" -noout -crlnumber \
		    -verify -CAfile "$ca/issuer.pem" -no-CApath \
		    -no-CAstore 2>&1) || true
		[[ $said =~ $want ]] || {
			echo "openssl: $file: $said" >&2
			return 1
		}
		sum=$(sha256sum <"$file")
		echo "$((16#${BASH_REMATCH[1]})) ${sum%% *}"
	done
}

# "NUMBER SHA256" of all that ever stood under a key, oldest first: the puts
# that the store took, each in the place of the one whose ETag it named.
stood()
{
	/usr/bin/python3 - "$stub/log" "/$1" <<'END'
import json, sys
next_of = {}
for line in open(sys.argv[1]):
    put = json.loads(line)
    if put["method"] != "PUT" or not put["path"].endswith(sys.argv[2]):
        continue
    if put.get("answer") != 200:
        continue
    headers = put["headers"]
    replaced = headers.get("if-match", "").strip('"')
    if not replaced and headers.get("if-none-match") != "*":
        sys.exit("a put without a condition")
    if replaced in next_of:
        sys.exit("two puts replaced %s" % replaced)
    next_of[replaced] = (put["etag"].strip('"'),
                         headers["x-amz-meta-crl-number"], put["sha256"])
etag = ""
while etag in next_of:
    etag, number, body = next_of.pop(etag)
    print(number, body)
if next_of:
    sys.exit("puts that replaced what never stood there: %s" % next_of)
END
}

# How often two publishers ended with a status: count STATUS.
count()
{
	cat one two | grep -cx "$1" || true
}

# Whether there was enough of a race: each has published, each shard was seen
# to change, and somebody was overtaken.
raced()
{
	local key
	grep -qsx 0 one && grep -qsx 0 two &&
	    grep -qs 'somebody else published it meanwhile' one.said \
	    two.said || return 1
	for key in "${keys[@]}"; do
		[ "$(find "seen/$key" -type f 2>/dev/null | wc -l)" -ge 3 ] ||
		    return 1
	done
}

@test "two publishers race for a while, and a third reads" {
	local key keys=() seen i
	stub_start "$S3_ENDPOINT"
	s3_publish_new race "shards.count=$shards" store.connections=2 \
	    "store.endpoint=$stub_url"
	# A few hundred KiB: a GET takes as long as a put.
	make_rows 40000 --shards "$shards" \
	    --since "$(date -u -d '2 days ago' +%FT%TZ)"
	# None leaves meanwhile.
	pg_psql -c "UPDATE crlpress.revocation SET not_after = greatest(
	    not_after, now() + interval '1 day') WHERE issuer = 'race'"
	publish_ok
	another other
	for ((key = 0; key < shards; key++)); do
		keys+=("race/$key.crl")
	done
	press_on "$conf" one &
	running+=($!)
	press_on "$PWD/other/race.cnf" two &
	running+=($!)
	s3_client watch "$bucket" seen stop "${keys[@]}" >watched 3>&- &
	running+=($!)
	sleep "${RACE_SEC:-60}"
	for ((i = 0; i < 300; i++)); do
		! raced || break
		sleep 1
	done
	touch stop
	wait "${running[@]}"
	running=()

	echo "ended: $(cat one two | sort | uniq -c | tr '\n' ';')" \
	    "$(<watched)"
	# Both went on; every loser knew it: neither failed in another way.
	[ "$(grep -cx 0 one)" -ge 1 ]
	[ "$(grep -cx 0 two)" -ge 1 ]
	grep -q 'somebody else published it meanwhile' one.said two.said
	same "$(cat one two | grep -vxE '0|1|3|4' || true)" '' 'other endings'
	same "$(cat one.said two.said | only_lost || true)" '' 'what they said'
	grep -qE '^gets [0-9]{2,} missing 0 short 0$' watched
	for key in "${keys[@]}"; do
		seen=$(seen_of "$key")
		echo "$key: $(wc -l <<<"$seen") seen"
		[ "$(wc -l <<<"$seen")" -ge 3 ]
		# Up, and no number for two bodies.
		sort -n -c -u -k 1,1 <<<"$seen"
		# The same of all that ever stood there, seen or not; and what
		# was seen had stood there.
		stood "$key" >versions
		echo "$key: $(wc -l <versions) stood there"
		sort -n -c -u -k 1,1 versions
		same "$(grep -vxFf versions <<<"$seen" || true)" '' 'never put'
	done

	# The end is like any other beginning.
	publish_ok
	s3_fetch
	export_rows
	compare "$shards"
	manifest_holds
	same "$(s3_client list "$bucket" | wc -l)" $((shards + 1)) objects
}

@test "16 publishers of the first shards: one writes each" {
	local i status wins=0 losses=0
	s3_publish_new first "shards.count=$shards"
	make_rows 400 --shards "$shards" \
	    --since "$(date -u -d '2 days ago' +%FT%TZ)"
	for ((i = 0; i < 16; i++)); do
		another "$i"
		"$CRLPRESS" publish --config "$PWD/$i/first.cnf" >"said.$i" \
		    2>&1 3>&- &
		running+=($!)
	done
	for i in "${!running[@]}"; do
		status=0
		wait "${running[$i]}" || status=$?
		case $status in
		0) wins=$((wins + 1)) ;;
		1 | 3 | 4) losses=$((losses + 1)) ;;
		*)
			echo "$i: status $status: $(<"said.$i")"
			return 1
			;;
		esac
	done
	running=()
	# Whoever was overtaken noticed. Who comes late finds shards, and the
	# manifest not yet.
	cat said.* | grep -q -e 'somebody else published' -e 'time-up'
	same "$(cat said.* | only_lost | grep -v 'but no manifest' || true)" \
	    '' 'what they said'
	echo "$wins won, $losses lost"
	[ "$wins" -ge 1 ]
	publish
	ended 0
	s3_fetch
	export_rows
	compare "$shards"
	manifest_holds
}
