# SPDX-License-Identifier: ISC
#
# Keys that never leave their token: SoftHSM behind OpenSSL's PKCS#11 engine,
# with what goes wrong with tokens made by tests/modules/faulty_token.c.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/faults.bash
load ../lib/signer.bash

PIN=271828

setup_file()
{
	publish_setup
	signer_setup
	export FAULTY=$BATS_FILE_TMPDIR/faulty.so
	# shellcheck disable=SC2046 # several words
	cc -shared -fPIC -Wall -Werror -o "$FAULTY" \
	    $(pkg-config --cflags p11-kit-1) \
	    "$PUBLISH_TREE/tests/modules/faulty_token.c"
	TOKEN_MODULE=$(find /usr/lib -name libsofthsm2.so | head -n 1)
	[ -n "$TOKEN_MODULE" ]
	export TOKEN_MODULE
	export SOFTHSM2_CONF=$BATS_FILE_TMPDIR/softhsm2.conf
	mkdir "$BATS_FILE_TMPDIR/tokens"
	cat >"$SOFTHSM2_CONF" <<-END
		directories.tokendir = $BATS_FILE_TMPDIR/tokens
		objectstore.backend = file
		log.level = ERROR
	END
	softhsm2-util --init-token --free --label 'CRL signing' \
	    --so-pin 12345678 --pin "$PIN"
	export RSA=$BATS_FILE_TMPDIR/rsa
	"$PUBLISH_TREE/tools/make-ca" --rsa "$RSA"
	token_import "$BATS_FILE_TMPDIR/ca" p256 01
	token_import "$RSA" rsa 02
	faults_make_gold
}

# token_import CA LABEL ID
token_import()
{
	openssl pkcs8 -topk8 -nocrypt -in "$1/issuer.key" -out "$1/import.key"
	softhsm2-util --import "$1/import.key" --token 'CRL signing' \
	    --pin "$PIN" --label "$2" --id "$3"
	rm "$1/import.key"
}

setup()
{
	faults_begin
	export TOKEN_LOG=$PWD/token.log
	: >token.log
	unset TOKEN_FAULT
	echo "$PIN" >pin
	chmod 600 pin
}

teardown()
{
	faults_end
}

teardown_file()
{
	pg_stop
}

# token SETTING...: the key is the token's.
token()
{
	spoil "issuer.key=${uri:-pkcs11:token=CRL%20signing;object=p256}" \
	    "issuer.key_module=$FAULTY" "issuer.passphrase_file=$PWD/pin" "$@"
}

logins()
{
	grep -c '^login$' token.log
}

# Every shard is new, signed by the token, and holds the rows.
signed()
{
	published || return 1
	[ "$(grep -c '^sign$' token.log)" -eq 4 ] || show 'want 4 signatures' ||
	    return 1
	same "$(logins)" 1 logins
	export_rows
	compare 4
	said_not "$PIN"
	run ! grep -rqF "$PIN" "$state" "$store"
}

@test "ECDSA: every shard is signed in the token" {
	token
	signed
}

@test "RSA: PKCS#1 and PSS" {
	own_ca=$RSA
	rm -rf "$store" "$state"
	publish_new e1 shards.count=4
	uri='pkcs11:token=CRL%20signing;id=%02;type=private'
	token
	# The first run of a store; there is none of this CA's to compare with.
	press
	ended 0
	same "$(crl_field "$store/e1/0.crl" algorithm)" \
	    sha256WithRSAEncryption algorithm
	token issuer.padding=pss issuer.digest=sha384
	press
	ended 0
	same "$(crl_field "$store/e1/3.crl" algorithm)" rsassaPss algorithm
	crl_verifies "$store/e1/3.crl"
	export_rows
	compare 4
}

@test "the PIN by a descriptor, and by the URI" {
	token issuer.passphrase_file=
	with=(--passphrase-fd 7)
	press 7<pin
	ended 0
	with=()
	: >token.log
	uri="pkcs11:token=CRL%20signing;object=p256?pin-source=file:$PWD/pin" \
	    token issuer.passphrase_file=
	signed
}

@test "an engine and a provider by their own names" {
	uri='org.openssl.engine:pkcs11:pkcs11:token=CRL%20signing;object=p256' \
	    token
	signed
	uri="file:$ca/issuer.key" token issuer.key_provider=default \
	    issuer.key_module= issuer.passphrase_file=
	published
}

@test "the URI must name one key, and no PIN" {
	uri='pkcs11:token=CRL%20signing;object=p256?pin-value=271828' token
	refused 2 'a PIN in the text'
	said_not "$PIN"
	uri='org.openssl.engine:pkcs11:pkcs11:object=p256;pin-value=271828' \
	    token
	refused 2 'a PIN in the text'
	said_not "$PIN"
	uri='pkcs11:object=p256' token
	refused 2 'no token is named'
	uri='pkcs11:token=a;objekt=p256' token
	refused 2 'RFC 7512'
	uri='tpm2:0x81000001' token
	refused 2 'key_provider'
}

@test "a wrong PIN is tried once, whatever runs after it" {
	echo 314159 >pin
	token
	refused 2 'the token refused the PIN'
	same "$(logins)" 1 logins
	refused 2 'refused this PIN before' pkcs11:token
	same "$(logins)" 1 logins
	said_not 314159
	# Another one may be tried.
	echo "$PIN" >pin
	: >token.log
	signed
}

@test "a wrong PIN is tried once for all issuers of a token" {
	echo 314159 >pin
	token
	mkdir all
	cp "$conf" all/e1.cnf
	sed 's,/e1/{shard},/e2/{shard},; s,= e1$,= e2,' "$conf" >all/e2.cnf
	uri='pkcs11:object=rsa;token=CRL%20signing' token \
	    issuer.name=e3 "shards.url=http://crl.example.com/e3/{shard}.crl"
	cp "$conf" all/e3.cnf
	conf=$PWD/all press
	ended 2
	same "$(logins)" 1 logins
	same "$(grep -c 'refused this PIN before' <<<"$stderr")" 2 refusals
	has "$stderr" "remove $state/e1/pin-refused"
	# Another token may have this PIN.
	softhsm2-util --init-token --free --label other --so-pin 12345678 \
	    --pin 314159
	softhsm2-util --import "$ca/issuer.key" --token other --pin 314159 \
	    --label p256 --id 01
	rm -rf "$state/e3"
	uri='pkcs11:token=other;object=p256' token issuer.name=e3 \
	    "shards.url=http://crl.example.com/e3/{shard}.crl"
	press
	ended 0
}

@test "a wrong PIN from no file is not tried again, either" {
	token issuer.passphrase_file=
	with=(--passphrase-fd 7)
	press 7< <(echo 314159)
	ended 2
	press 7< <(echo "$PIN")
	ended 2
	one_line 'refused this PIN before'
	has "$stderr" "remove $state/e1/pin-refused"
	rm "$state/e1/pin-refused"
	press 7< <(echo "$PIN")
	ended 0
}

@test "no PIN: nobody is asked for one" {
	token issuer.passphrase_file=
	refused 2 'wants a PIN, have none'
	same "$(logins)" 0 logins
}

@test "no such module, token, key, engine, provider" {
	token issuer.key_module=/nonexistent/p11.so
	refused 2 'cannot load the module' /nonexistent/p11.so
	uri='pkcs11:token=elsewhere;object=p256' token
	refused 2 'cannot be found'
	said 'hint: `pkcs11-tool --module MODULE -L` lists the tokens'
	uri='pkcs11:token=CRL%20signing;object=p384' token
	refused 2 'cannot be found'
	said 'hint: `pkcs11-tool --module MODULE -L` lists the tokens'
	token
	SOFTHSM2_CONF=$PWD/none refused 2
	said 'hint: `pkcs11-tool --module MODULE -L`, as this user' \
	    SOFTHSM2_CONF
	echo "directories.tokendir = $PWD/none" >softhsm2.conf
	SOFTHSM2_CONF=$PWD/softhsm2.conf refused 2
	said 'hint: `pkcs11-tool --module MODULE -L`, as this user' \
	    SOFTHSM2_CONF
	uri='org.openssl.engine:nothing:key' token
	refused 2 'no engine nothing'
	uri='file:/key.pem' token issuer.key_provider=nothing \
	    issuer.passphrase_file=
	refused 2 'no provider nothing'
	said_not pkcs11-tool
}

@test "the key is held against the certificate" {
	uri='pkcs11:token=CRL%20signing;object=rsa' token
	refused 2 'not the key of the issuer certificate'
}

@test "a token that is removed: what was signed is published, the rest stands" {
	token
	export TOKEN_FAULT=gone:3
	press --jobs 1
	ended 4
	same "$(shard_states | cut -d' ' -f2 | sort | uniq -c | xargs)" \
	    '2 published 2 withheld' states
	said 'Device removed' 'signer'
	nothing_left
	# The next run does without any help.
	unset TOKEN_FAULT
	published
}

@test "a session that is lost" {
	token
	export TOKEN_FAULT=lost:1
	press
	ended 1
	said 'signer'
	nothing_left
	diff -r before "$store"
}

@test "a signature that is wrong is not published" {
	token
	export TOKEN_FAULT=lie
	press
	[ "$status" -ne 0 ]
	said 'signature'
	diff -r before "$store"
	nothing_left
}

@test "a token that does not answer is not waited for" {
	token issuer.key_timeout=3s
	export TOKEN_FAULT=slow:600
	press
	ended 1
	said 'want one within 3 s'
	diff -r before "$store"
	nothing_left
}

@test "several signatures at a time, after one login" {
	token issuer.key_sessions=4
	with=(--jobs 4)
	# None is given before four are asked for.
	export TOKEN_FAULT=meet:4
	signed
}

@test "what a module may do is what modules need" {
	token issuer.key_sessions=2
	signer_look
	signer_needs_seccomp "$(cat run.err)"
	same "$(cat run.err)" '' 'what the run said'
	signer_has NoNewPrivs 1 2
	signer_has Seccomp 2 2
	held ''
	faults_again
	token
	export TOKEN_FAULT=connect:2
	: >token.log
	signed
}

@test "a module that starts a program is ended, and a key tells how it is not" {
	token
	export TOKEN_FAULT=exec:1
	press
	signer_was_ended 'wants [issuer] key_sandbox = no'
	token issuer.key_sandbox=no
	: >token.log
	signed
	said 'note: signer: the signer has no sandbox: key_sandbox = no'
}

@test "a program that is started in the middle: what was signed is published" {
	token
	export TOKEN_FAULT=exec:3
	press
	signer_needs_seccomp "$stderr"
	ended 4
	same "$(shard_states | cut -d' ' -f2 | sort | uniq -c | xargs)" \
	    '2 published 2 withheld' states
	nothing_left
}
