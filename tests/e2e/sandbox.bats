# SPDX-License-Identifier: ISC
#
# The signer with a key from a file: what it gives up, and what becomes of code
# that got in and tries (tests/modules/faulty_crypto.c). token.bats has that of
# tokens.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/faults.bash
load ../lib/signer.bash

setup_file()
{
	publish_setup
	signer_setup
	export BROKEN=$BATS_FILE_TMPDIR/broken.so
	# shellcheck disable=SC2046 # several words
	cc -shared -fPIC -Wall -Werror -pthread -o "$BROKEN" \
	    $(pkg-config --cflags libcrypto) \
	    "$PUBLISH_TREE/tests/modules/faulty_crypto.c"
	faults_make_gold
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

# broken DEED: the next runs have a libcrypto that does this before it signs.
broken()
{
	under=(env "LD_PRELOAD=$BROKEN" "SIGN_DEED=$1")
}

# ended_by_deed DEED: who tries is ended, and nothing changes.
ended_by_deed()
{
	broken "$1"
	press
	signer_was_ended 'nothing needs it: please report this' ||
	    return 1
	# Where there is no module key_sandbox is no remedy.
	[[ $stderr != *key_sandbox* ]]
}

@test "no new rights, one filter for all threads, and no files" {
	spoil issuer.key_sessions=3
	signer_look
	signer_needs_seccomp "$(cat run.err)"
	same "$(cat run.err)" '' 'what the run said'
	signer_has NoNewPrivs 1 3
	signer_has Seccomp 2 3
	# What it has open is no file, but where faults are told.
	grep -v -e '^socket:' -e '^/dev/null$' -e "/run\.err$" signer.fds &&
	    return 1
	held ''
}

@test "without a sandbox, which is noted" {
	spoil issuer.key_sandbox=no
	signer_look
	signer_has NoNewPrivs 1 1
	signer_has Seccomp 0 1
	same "$(cat run.err)" \
	    'note: signer: the signer has no sandbox: key_sandbox = no' stderr
}

@test "it cannot open a file" {
	ended_by_deed open
}

@test "it cannot make a connection" {
	ended_by_deed connect
}

@test "it cannot become another program" {
	ended_by_deed exec
}

@test "it cannot start a process, nor a thread" {
	ended_by_deed fork
	ended_by_deed thread
}

@test "it cannot write to what is open" {
	ended_by_deed write
}

@test "it cannot send a signal" {
	broken kill
	press
	signer_needs_seccomp "$stderr"
	ended 0
	held ''
}

@test "without a sandbox it could" {
	spoil issuer.key_sandbox=no
	local deed
	for deed in open connect fork thread write; do
		faults_again
		broken "$deed"
		press
		ended 0
		held ''
	done
}

@test "the other sessions end with the one that tried" {
	spoil issuer.key_sessions=4
	with=(--jobs 4)
	ended_by_deed open
	# The fault is said once, the rest follows from it.
	same "$(grep -c 'sandbox forbids' <<<"$stderr")" 1 faults
}

@test "every kind of key signs in it" {
	local kind
	for kind in rsa p384 ed25519; do
		"$PUBLISH_TREE/tools/make-ca" "--$kind" "$PWD/$kind"
		rm -rf "$store" "$state"
		own_ca=$PWD/$kind publish_new e1 shards.count=4
		press
		ended 0
		crl_verifies "$store/e1/0.crl"
	done
}

@test "as many sessions as there can be, at work at the same time" {
	rm -rf "$store" "$state"
	publish_new e1 shards.count=128 issuer.key_sessions=16
	with=(--jobs 32)
	press
	ended 0
	same "$stderr" '' stderr
	crl_verifies "$store/e1/0.crl"
}
