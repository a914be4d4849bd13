# SPDX-License-Identifier: ISC
#
# Numbers that the store or the state have and no run gave out: a forged CRL
# with a huge one, one that the issuer signed with the last there is, a state
# at its end. One CRL stops no shard but its own, and what is to be done
# is said.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/faults.bash

# 2^159 - 1, in hex as openssl takes it.
last=7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF

setup_file()
{
	publish_setup
	faults_make_gold
	make_forger
}

setup()
{
	faults_begin
}

teardown()
{
	faults_end
}

teardown_file()
{
	pg_stop
}

# A key of somebody else's, in a certificate with the issuer's name and key
# identifier: all that a CRL shows but for its signature.
make_forger()
{
	local key_id
	key_id=$(openssl x509 -in "$ca/issuer.pem" -noout -ext \
	    subjectKeyIdentifier | tail -n 1 | tr -d ' ')
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$GOLD/forger.key" -out "$GOLD/forger.pem" -days 30 \
	    -subj '/C=XX/O=Example Trust/CN=Example Issuer E1' \
	    -addext keyUsage=critical,cRLSign \
	    -addext "subjectKeyIdentifier=$key_id" 2>/dev/null
}

# foreign_crl SHARD NUMBER CERTIFICATE KEY: into the store, a CRL as openssl
# makes it, empty and of two days ago.
foreign_crl()
{
	cat >x.cnf <<-END
	[ca]
	default_ca = x
	[x]
	database = x.txt
	crlnumber = x.number
	default_md = sha256
	[crl]
	authorityKeyIdentifier = keyid:always
	issuingDistributionPoint = critical, @idp
	[idp]
	fullname = URI:http://crl.example.com/e1/$1.crl
	onlyuser = TRUE
	END
	: >x.txt
	echo "$2" >x.number
	openssl ca -gencrl -config x.cnf -crlexts crl -cert "$3" -keyfile "$4" \
	    -crl_lastupdate "$(date -u -d '2 days ago' +%Y%m%d%H%M%SZ)" \
	    -crl_nextupdate "$(date -u -d '2 days' +%Y%m%d%H%M%SZ)" \
	    -out x.pem 2>/dev/null
	openssl crl -in x.pem -outform DER -out "$store/e1/$1.crl"
	has "$(openssl crl -in x.pem -noout -crlnumber)" "${2#0}"
}

forge()
{
	foreign_crl "$1" "$2" "$GOLD/forger.pem" "$GOLD/forger.key"
	run ! crl_verifies "$store/e1/$1.crl"
}

sign()
{
	foreign_crl "$1" "$2" "$ca/issuer.pem" "$ca/issuer.key"
	crl_verifies "$store/e1/$1.crl"
}

# All shards of the store but $1 have the number of the manifest, which is
# the time of the run, as ever.
number_is_the_time()
{
	local number shard
	number=$(manifest_field number)
	[ "${#number}" -lt 15 ] && [ "$number" -ge "$1" ] &&
	    [ "$number" -le "$(date +%s)" ] || show "number $number" || return 1
	same "$(<"$state/e1/number")" "$number" 'the number in the state' ||
	    return 1
	for shard in 0 1 2 3; do
		[ "$shard" = "${2:-}" ] ||
		    same "$(crl_field "$store/e1/$shard.crl" number)" \
		    "$number" "shard $shard" || return 1
	done
}

@test "a forged CRL with a huge number is named, and counts for nothing" {
	local number begin
	begin=$(date +%s)
	for number in $last 7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF0 \
	    4000000000000000000000000000000000000000 7AFFFFFFFF; do
		faults_again
		forge 1 "$number"
		withheld 1 'e1/shard 1: same-scope' 'the signature'
		same "$(grep -c '^warning: ' <<<"$stderr")" 1 warnings
		said 'warning: e1/shard 1: number-up, RFC 5280, 5.2.3: ' \
		    ': the crlNumber of e1/1.crl, ' \
		    ', does not count: the signature is not' \
		    'hint: somebody else put it there: '
		number_is_the_time "$begin" 1
	done
}

@test "a forged CRL is got rid of, by hand or by name" {
	local begin
	begin=$(date +%s)
	forge 1 $last
	withheld 1 'e1/shard 1: same-scope'
	# As the hint has it.
	rm "$store/e1/1.crl"
	published
	same "$(grep -v 'is gone from the store and is made anew' \
	    <<<"$stderr")" '' stderr
	number_is_the_time "$begin"
	rows_are listed=600

	faults_again
	forge 1 $last
	withheld 1 'e1/shard 1: same-scope'
	cp "$GOLD/e1/store/e1/1.crl" "$store/e1/1.crl"
	published
	same "$stderr" '' stderr

	faults_again
	forge 1 $last
	with=(--pass same-scope:1)
	published
	passed same-scope:1
	number_is_the_time "$begin"
	rows_are listed=600
	export_rows
	compare 4
}

@test "forged CRLs in every shard: nothing is raised, nothing is published" {
	local shard
	for shard in 0 1 2 3; do
		forge $shard $last
	done
	stands_still 3
	[ "$(faults_said | grep -c 'e1/shard [0-3]: same-scope')" -eq 4 ]
	[ "$(grep -c '^warning: .* does not count' <<<"$stderr")" -eq 4 ]
	[ "$(<"$state/e1/number")" -le "$(date +%s)" ]
}

@test "a forged CRL does not raise the number when the state is lost" {
	local begin
	begin=$(date +%s)
	rm -r "$state"
	forge 2 $last
	withheld 2 'e1/shard 2: same-scope' 'the signature'
	number_is_the_time "$begin" 2
}

@test "a forged number that would not matter is not spoken of" {
	echo 99999999999 >"$state/e1/number"
	forge 1 012A05F200
	withheld 1 'e1/shard 1: same-scope' 'the signature'
	said_not 'does not count'
	same "$(crl_field "$store/e1/0.crl" number)" 100000000000 number
}

@test "a forged CRL is not remembered where faulty rows kept it unjudged" {
	local number
	number=$(crl_field "$store/e1/1.crl" number)
	forge 1 "$(printf '%08X' $((number + 1)))"
	with_row "decode('0000', 'hex'), now(), 1::smallint,
	    now() + interval '9 days', 1"
	press
	ended 3
	said_not same-scope
	held 1
}

@test "one of the last numbers, truly signed, stops its own shard alone" {
	local begin number
	begin=$(date +%s)
	for number in $last 7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF0 \
	    7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000; do
		faults_again
		sign 1 "$number"
		withheld 1 'e1/shard 1: number-up' 'want above the published'
		said 'warning: e1/shard 1: number-up, BR 7.2.2: ' \
		    ': the crlNumber of e1/1.crl, ' \
		    ', does not count: hardly one is left after it' \
		    "hint: the issuer's key signed it: find out where;" \
		    '--pass number-up:1'
		number_is_the_time "$begin" 1
	done
	# As the hint has it.
	with=(--pass number-up:1)
	published
	passed number-up:1
	number_is_the_time "$begin"
	rows_are listed=600
	with=()
	published
	same "$stderr" '' stderr
	# Or without it.
	faults_again
	sign 1 $last
	rm "$store/e1/1.crl"
	published
	same "$(grep -v 'is gone from the store and is made anew' \
	    <<<"$stderr")" '' stderr
	number_is_the_time "$begin"
}

@test "a huge number with room above it, truly signed: all go on above" {
	sign 1 7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF
	published
	same "$(openssl crl -inform DER -in "$store/e1/3.crl" -noout \
	    -crlnumber)" crlNumber=0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000 \
	    'number of shard 3'
	published
}

@test "a state with the last number: what to do is said, and helps" {
	echo 730750818665451459101842416358141509827966271487 \
	    >"$state/e1/number"
	refused 3 "$state/e1/number: number, BR 7.2.2: the last number below" \
	    'was given out'
	said 'hint: write there the highest crlNumber of the published shards'
	crl_field "$store/e1/0.crl" number >"$state/e1/number"
	published
}
