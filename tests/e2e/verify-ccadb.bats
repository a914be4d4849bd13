# SPDX-License-Identifier: ISC
#
# crlpress plan, and crlpress verify --ccadb: the URLs that the CCADB's field
# has are those of the shards, byte for byte.
#
# Each test is a subshell, and what it works with is set by what is loaded:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/verify.bash

setup_file()
{
	verify_make_gold
}

teardown_file()
{
	pg_stop
}

setup()
{
	verify_begin
}

plan()
{
	run --separate-stderr "$CRLPRESS" plan "$@"
}

# The URLs that the four shards of e1 have.
urls()
{
	printf 'http://crl.example.com/e1/%d.crl\n' 0 1 2 3
}

@test "plan prints what the shards name, in every form" {
	plan -c "$conf" --urls
	fine
	same "$output" "$(urls)" lines
	plan -c "$conf" --ccadb
	fine
	same "$output" "[$(urls | sed 's/.*/"&"/' | paste -s -d ,)]" array
	plan -c "$conf"
	fine
	has "$output" 'e1: 4 shards, 0 to 3'
	has "$output" 'first http://crl.example.com/e1/0.crl'
	has "$output" 'last  http://crl.example.com/e1/3.crl'
	plan -c "$conf" --json
	fine
	/usr/bin/python3 - "$output" <<-'PY'
		import json, sys
		said = json.loads(sys.argv[1])
		(e1,) = said["issuers"]
		assert e1["issuer"] == "e1"
		assert e1["first"] == 0 and e1["count"] == 4
		assert e1["urls"] == ["http://crl.example.com/e1/%d.crl" % i
		    for i in range(4)]
		assert said["status"] == "ok" and said["exit"] == 0
	PY
	publish_configure shards.first=9 shards.count=2 \
	    'shards.url=http://crl.example.com/{shard:03}'
	plan -c "$conf" --urls
	same "$output" "$(printf 'http://crl.example.com/%s\n' 009 010)" lines
}

@test "plan of several issuers, of one of them, of none" {
	mkdir both
	publish_configure shards.count=1
	cp "$conf" both/e1.cnf
	sed -e 's/issuer_id = e1/issuer_id = e2/' -e 's,/e1/,/e2/,' "$conf" \
	    >both/e2.cnf
	plan -c both --ccadb
	ended 0
	same "$output" \
	    "$(printf '["http://crl.example.com/e%d/0.crl"]\n' 1 2)" arrays
	same "$stderr" "$(printf 'note: e%d: line %d, 1 URLs\n' 1 1 2 2)" notes
	plan -c both -i e2 --urls
	fine
	same "$output" http://crl.example.com/e2/0.crl one
	plan -c both --issuer e3 --issuer e1 --urls
	ended 2
	has "$stderr" '--issuer e3: not configured'
	same "$output" http://crl.example.com/e1/0.crl one
	CRLPRESS_CONFIG=both/e2.cnf plan --urls
	fine
	same "$output" http://crl.example.com/e2/0.crl environment
	plan -c nowhere
	ended 2
	plan -c both --urls --ccadb
	ended 2
	has "$stderr" 'want one of --urls, --ccadb and --json'
	plan -c both both
	ended 2
}

# array SED...: the field, wrong as told, held against the set.
array()
{
	sed "$@" right.json >field.json
	verify -c "$conf" --ccadb field.json second
}

@test "the field as plan prints it is right, however it is written" {
	"$CRLPRESS" plan -c "$conf" --ccadb >right.json
	array ''
	fine
	/usr/bin/python3 - >field.json <<-'PY'
		import json
		urls = json.load(open("right.json"))
		print(json.dumps(urls[::-1], indent=4).replace("/", "\\/")
		    .replace("crl", "\\u0063rl"))
	PY
	verify -c "$conf" --ccadb field.json second
	fine
	# Without a configuration, and of some shards.
	verify -i "$ca/issuer.pem" --ccadb right.json second/e1/*.crl
	fine
	echo '["http://crl.example.com/e1/1.crl"]' >field.json
	verify -c "$conf" --ccadb field.json second/e1/1.crl first/e1/1.crl
	fine
	verify -c "$conf" --ccadb right.json --json second
	fine
}

@test "a URL that is missing, superfluous, twice, or written otherwise" {
	"$CRLPRESS" plan -c "$conf" --ccadb >right.json
	array 's,"http://crl.example.com/e1/2.crl"\,,,'
	faulty ccadb 'field.json: ccadb, CCADB 6.2: a URL is missing, want' \
	    'http://crl.example.com/e1/2.crl of second/e1/2.crl'
	same "$(grep -c . <<<"$stderr")" 1 findings
	array 's,\],\,"http://crl.example.com/e1/4.crl"],'
	faulty ccadb 'no CRL here has this URL' \
	    'have http://crl.example.com/e1/4.crl'
	same "$(grep -c . <<<"$stderr")" 1 findings
	array 's,\],\,"http://crl.example.com/e1/0.crl"],'
	faulty ccadb 'a URL stands there twice' \
	    'have http://crl.example.com/e1/0.crl'
	same "$(grep -c . <<<"$stderr")" 1 findings
	array -e 's,http://crl\.,HTTP://CRL.,' -e 's,com/e1/1,com:80/e1/1,' \
	    -e 's,e1/2,%651/./2,'
	faulty ccadb \
	    'a URL is written otherwise than in second/e1/0.crl, have' \
	    'HTTP://CRL.example.com/e1/0.crl, want http://crl.example.com' \
	    'have http://crl.example.com:80/e1/1.crl, want' \
	    'have http://crl.example.com/%651/./2.crl, want'
	same "$(grep -c . <<<"$stderr")" 3 findings
	# What names something else is no spelling of it.
	array -e 's,http://crl,https://crl,' -e 's,1.crl,1.CRL,'
	faulty ccadb 'have https://crl.example.com/e1/0.crl' \
	    'want http://crl.example.com/e1/0.crl of' \
	    'have http://crl.example.com/e1/1.CRL'
	same "$(grep -c . <<<"$stderr")" 4 findings
	echo '[""]' >field.json
	verify -c "$conf" --ccadb field.json second
	faulty ccadb 'an empty URL, which says that nothing was issued yet'
	same "$(grep -c 'a URL is missing' <<<"$stderr")" 4 missing
	echo '[]' >field.json
	verify -c "$conf" --ccadb field.json second
	faulty ccadb 'a URL is missing'
}

@test "what is no such field, and CRLs that have no place in it" {
	local text
	"$CRLPRESS" plan -c "$conf" --ccadb >right.json
	for text in '' '{}' '["a"' '[1]' '["a",]' $'["\xff"]'; do
		printf %s "$text" >field.json
		verify -c "$conf" --ccadb field.json second
		faulty ccadb 'field.json: ccadb, CCADB 6.2: offset '
		same "$(grep -c . <<<"$stderr")" 1 findings
	done
	verify -c "$conf" --ccadb nowhere second
	faulty file 'nowhere: ' 'No such file'
	verify -c "$conf" --ccadb . second
	faulty file 'not a regular file'
	mkfifo fifo
	verify -c "$conf" --ccadb fifo second
	faulty file 'not a regular file'
	truncate -s 65M field.json
	verify -c "$conf" --ccadb field.json second
	faulty file 'field.json: file, house rule: larger than it may be'
	# A CRL without a URL is no shard of anything.
	bad=$PUBLISH_TREE/tests/bad
	cp "$bad/idp-absent.der" "$bad/good-ca.der" .
	verify -i "$bad/issuer.pem" -p private --now 2026-03-01T12:00:00Z \
	    --ccadb right.json idp-absent.der
	faulty ccadb 'idp-absent.der: ccadb, ' 'names no URL that could stand'
	# Another issuer's has a field of its own.
	verify -i "$ca/issuer.pem" -i "$bad/issuer.pem" -p private \
	    --ccadb right.json second/e1 good-ca.der
	faulty ccadb 'good-ca.der: ccadb, ' \
	    "another issuer's CRL, want those of the one whose field"
}
