# SPDX-License-Identifier: ISC
#
# What all commands have in common: mistakes on the command line and what may
# have been meant, help, reports as JSON, output that cannot be written; and
# what check-config says of the files that a configuration names. No database:
# rows come from an index of `openssl ca`.
#
# Variables are those of publish.bash and of bats, and each test is a subshell
# of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/publish.bash

COMMANDS='publish push revoke sign verify plan archive init check-config
    ocsp-gate'

setup_file()
{
	[ -x "$CRLPRESS" ]
	export LC_ALL=C TZ=UTC
	"$PUBLISH_TREE/tools/make-ca" --p256 "$BATS_FILE_TMPDIR/ca"
	"$PUBLISH_TREE/tools/make-ca" --p256 --subject '/CN=Other' \
	    "$BATS_FILE_TMPDIR/ca2"
}

setup()
{
	export LC_ALL=C TZ=UTC
	unset CRLPRESS_CONFIG
	cd "$BATS_TEST_TMPDIR" || return 1
}

# issuer NAME CA [SETTING...]: with two rows, in a directory of all, $dir.
issuer()
{
	local next last
	next=$(date -u -d '+9 days' +%y%m%d%H%M%SZ)
	last=$(date -u -d '1 day ago' +%y%m%d%H%M%SZ)
	dir=$BATS_TEST_TMPDIR/etc
	mkdir -p "$dir"
	# shellcheck disable=SC2034 # publish.bash looks at it
	own_ca=$BATS_FILE_TMPDIR/$2
	printf 'R\t%s\t%s,superseded\t%s\tunknown\t/CN=%s\n' \
	    "$next" "$last" 10000001 a "$next" "$last" 10000002 b \
	    >"$BATS_TEST_TMPDIR/$1.txt"
	publish_new "$1" source.conninfo= source.issuer_id= \
	    source.source="index:$BATS_TEST_TMPDIR/$1.txt" \
	    shards.scheme=serial-mod "${@:3}"
	mv "$conf" "$dir"
	conf=$dir/$1.cnf
}

crlpress()
{
	run --separate-stderr "$CRLPRESS" "$@"
}

# json STATUS NAME ARGUMENT...: ends so, and says so in one document.
json()
{
	crlpress "${@:3}"
	ended "$1" || return 1
	same "$(jq -sr '"\(length) \(.[0].exit) \(.[0].status) " +
	    "\(.[0].findings != [])"' <<<"$output")" \
	    "1 $1 $2 $([ "$1" -eq 0 ] && echo false || echo true)" \
	    "documents, exit, status, findings of ${*:3}"
}

@test "a mistake on the command line has its hint, whichever it is" {
	issuer e1 ca
	while read -r line; do
		read -ra words <<<"$line"
		crlpress "${words[@]}"
		ended 2
		same "$output" '' "stdout of $line"
		has "${stderr_lines[0]}" 'usage: '
		same "${stderr_lines[1]}" \
		    "  hint: see \`crlpress ${words[0]} --help\`" \
		    "hint of $line"
		same "${#stderr_lines[@]}" 2 "lines of $line: $stderr"
	done <<-END
	publish --nonsense
	publish operand
	publish --now yesterday
	push -c $conf
	push -c $conf --serial zz
	push -c $conf --shard 9
	push -c $conf --pass nonsense
	revoke -c $conf --serial 1 --reason nonsense
	sign
	verify $conf
	verify --serial zz
	verify -c $conf
	verify -c $conf --profile nonsense x
	plan --check --sizes
	plan --horizon 1d
	archive
	archive list --older-than 9d
	archive prune --older-than 1s
	ocsp-gate -c $conf $conf
	END
	# One that says more keeps what it says.
	crlpress init
	ended 2
	has "${stderr_lines[1]}" "hint: \`crlpress init --list\` lists them"
	same "${#stderr_lines[@]}" 2 'lines of init'
	for command in publish plan check-config; do
		crlpress "$command" -c "$conf" -i e2
		ended 2
		same "${stderr_lines[1]}" '  hint: configured: e1' "of $command"
		same "${#stderr_lines[@]}" 2 "lines of $command"
	done
	# What went wrong otherwise is no mistake on the command line.
	crlpress publish -c /nonexistent
	ended 2
	same "$(grep -c hint <<<"$stderr")" 0 'hints'
}

@test "what may have been meant" {
	crlpress publsh
	ended 2
	has "$stderr" 'usage: unknown command publsh; did you mean publish?'
	has "$stderr" 'hint: `crlpress help` lists them'
	crlpress chek-config -c x
	has "$stderr" 'did you mean check-config?'
	crlpress frobnicate
	same "${stderr_lines[0]}" 'usage: unknown command frobnicate' stderr
	crlpress push --sereal=5
	has "$stderr" 'unknown option --sereal=5; did you mean --serial?'
	crlpress push --frobnicate
	same "${stderr_lines[0]}" 'usage: unknown option --frobnicate' stderr
	crlpress "$(printf 'a\033[2Jb')"
	[[ $stderr != *$'\033'* ]]
	has "$stderr" 'a\x1b[2Jb'
}

@test "help of one command, of several, of help" {
	local command
	for command in $COMMANDS help; do
		crlpress help "$command"
		ended 0
		same "${lines[0]%% \[OPTION*}" "usage: crlpress $command" usage
		one=$output
		crlpress "$command" --help
		ended 0
		same "$output" "$one" "--help of $command"
		has "$("$CRLPRESS" help)" "
  $command "
	done
	crlpress help publish push
	ended 0
	same "$(grep '^usage: ' <<<"$output")" "usage: crlpress publish \
[OPTION...]
usage: crlpress push [OPTION...]" 'usage lines'
	crlpress help publish pusj
	ended 2
	same "$output" '' stdout
	has "$stderr" 'unknown command pusj; did you mean push?'
	crlpress --help push
	ended 0
	same "$output" "$("$CRLPRESS" help push)" '--help push'
}

@test "with --json there is one document, whatever went wrong" {
	local command
	issuer e1 ca
	for command in $COMMANDS frobnicate; do
		json 2 usage "$command" --json --nonsense
		json 2 usage "$command" --nonsense --json
	done
	json 2 usage publish --json --now yesterday
	json 2 usage publish --now yesterday --json
	json 2 usage publish --json x.cnf
	json 2 usage plan --json --horizon foo
	json 2 usage plan --json --urls
	json 2 usage push --json -s 0
	json 2 usage push --json -c "$conf"
	json 2 usage verify --json
	json 2 usage verify --json -c "$conf"
	json 2 usage archive --json frobnicate
	json 2 usage sign --json
	json 2 usage check-config --json --keys
	for command in publish plan check-config ocsp-gate 'push -s 1' \
	    'archive list' 'sign x' 'verify x'; do
		# shellcheck disable=SC2086 # words
		json 2 config $command --json -c /nonexistent
		has "$output" '"text":"cannot be opened'
	done
	# What it is to say stands there as elsewhere.
	json 2 usage publish --json --nonsense
	same "$(jq -c .runs <<<"$output")" '[]' runs
	has "$(jq -r '.findings[0].text' <<<"$output")" --nonsense
	json 0 ok publish --json -c "$conf"
	same "$(jq '.runs | length' <<<"$output")" 1 runs
	json 0 ok verify --json -c "$conf" "$store"
	same "$(jq '.files | length' <<<"$output")" 2 files
	same "$(jq -c .serials <<<"$output")" '[]' serials
	json 0 ok verify --rules --json
	[ "$(jq '.rules | length' <<<"$output")" -gt 20 ]
	same "$(jq -r '.rules[0].severity.tls' <<<"$output")" fault severity
	json 0 ok plan --json -c "$conf"
}

into_pipe()
{
	"$CRLPRESS" "$@" >&"$pipe"
}

@test "output that cannot be written, and a reader that has enough" {
	issuer e1 ca
	while read -r line; do
		read -ra words <<<"$line"
		status=0
		"$CRLPRESS" "${words[@]}" >/dev/full 2>err || status=$?
		same "$status" 4 "exit status of $line"
		has "$(<err)" 'standard output: cannot be written: No space'
		has "$(<err)" '; all else was done'
		# Whoever reads is gone before a word is written.
		exec {pipe}> >(:)
		wait "$!"
		status=0
		into_pipe "${words[@]}" 2>err || status=$?
		exec {pipe}>&-
		same "$status $(<err)" '0 ' "$line with a pipe that is closed"
	done <<-END
	check-config --keys
	check-config -c $conf
	verify --rules
	help
	plan -c $conf
	publish -c $conf
	END
	# The verdict is the verdict.
	for file in "$store"/*.crl; do
		printf x >>"$file"
	done
	status=0
	"$CRLPRESS" verify -c "$conf" "$store" >/dev/full 2>err || status=$?
	same "$status" 5 'of faulty CRLs'
	has "$(<err)" 'standard output: cannot be written: No space left'
	[[ $(<err) != *'all else'* ]]
}

@test "verify goes on with the others where one configuration is wrong" {
	issuer e1 ca
	issuer e9 ca2
	mkdir both
	local name
	for name in e1 e9; do
		"$CRLPRESS" publish -q -c "$dir/$name.cnf"
		cp -r "$name"/store/. both
	done
	crlpress verify -c "$dir" both
	ended 0
	# What is wrong with e1 shows whatever is wrong with e9.
	crlpress verify -c "$dir" --now "$(date -u -d '+90 days' +%FT%TZ)" \
	    e1/store
	ended 5
	stale=$(grep -c '^e1/store/' <<<"$stderr")
	[ "$stale" -ge 2 ]
	sed -i 's/^url = /ulr = /' "$dir/e9.cnf"
	json 2 config verify --json -c "$dir" e1/store \
	    --now "$(date -u -d '+90 days' +%FT%TZ)"
	has "$stderr" 'e9.cnf:'
	same "$(grep -c '^e1/store/' <<<"$stderr")" "$stale" 'faults of e1'
	same "$(jq -c '[.files[].ok]' <<<"$output")" '[false,false]' verdicts
	crlpress verify -c "$dir" e1/store
	ended 2
	has "$output" '2 of 2 CRLs ok'
	has "$stderr" 'did you mean `url`?'
	# So it does without a certificate, and with one of several --config.
	issuer e9 ca2 issuer.certificate="$PWD/none.pem"
	crlpress verify -c "$dir" e1/store
	ended 2
	has "$output" '2 of 2 CRLs ok'
	has "$stderr" none.pem
	crlpress verify -c "$dir/none.cnf" -c "$dir/e1.cnf" e1/store
	ended 2
	has "$output" '2 of 2 CRLs ok'
	# With none of them there is nothing to judge by.
	crlpress verify -c "$dir/e9.cnf" e1/store
	ended 2
	same "$output" '' stdout
	[[ $stderr != *usage:* ]]
}

# warned STATUS TEXT: the plain check warns of it and is well, --online ends so.
warned()
{
	crlpress check-config -q -c "$conf"
	ended 0 || return 1
	same "$output" '' stdout || return 1
	same "$(wc -l <<<"$stderr")" 1 "lines of $stderr" || return 1
	has "$stderr" "warning: " && has "$stderr" "$2" || return 1
	crlpress check-config -q --online -c "$conf"
	ended "$1" || return 1
	[[ $stderr != *warning:* ]] && has "$stderr" "$2"
}

# refused TEXT: by the plain check, and by a run.
refused()
{
	crlpress check-config -q -c "$conf"
	ended 2 || return 1
	has "$stderr" "$1" || return 1
	crlpress publish -c "$conf"
	ended 2
}

@test "check-config looks at the files that are named" {
	local own=$BATS_FILE_TMPDIR/ca
	issuer e1 ca
	crlpress check-config --online -q -c "$conf"
	ended 0
	same "$output$stderr" '' 'what was said'
	issuer e1 ca issuer.key="$PWD/nokey"
	warned 2 "file: [issuer] key: $PWD/nokey: cannot be opened: No such"
	issuer e1 ca issuer.certificate="$PWD/none.pem"
	warned 2 "file: [issuer] certificate: $PWD/none.pem: cannot be opened"
	issuer e1 ca issuer.passphrase_file="$PWD/none"
	warned 2 "file: [issuer] passphrase_file: $PWD/none: cannot be opened"
	issuer e1 ca store.public_ca_file="$PWD/none"
	warned 2 "file: [store] public_ca_file: $PWD/none: cannot be opened"
	if [ "$(id -u)" -ne 0 ]; then
		install -m 000 "$own/issuer.pem" mine.pem
		issuer e1 ca issuer.certificate="$PWD/mine.pem"
		warned 2 'mine.pem: cannot be opened: Permission denied'
	fi
	# A key that is elsewhere is no file here.
	issuer e1 ca issuer.key=none
	crlpress check-config -q --online -c "$conf"
	ended 0
	same "$stderr" '' stderr
	issuer e1 ca issuer.key='pkcs11:token=t;object=crl'
	crlpress check-config -q --online -c "$conf"
	ended 0
	install -m 644 "$own/issuer.key" open.key
	issuer e1 ca issuer.key="$PWD/open.key"
	crlpress check-config -q --online -c "$conf"
	ended 0
	has "$stderr" 'open.key: may be read or written by others'
	# What is there and wrong is wrong everywhere.
	issuer e1 ca issuer.key="$PWD"
	refused "file: [issuer] key: $PWD: not a regular file"
	issuer e1 ca issuer.certificate="$PWD"
	refused "file: [issuer] certificate: $PWD: not a regular file"
	: >empty.pem
	issuer e1 ca issuer.certificate="$PWD/empty.pem"
	refused 'the file is empty'
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -subj /CN=x -addext keyUsage=critical,digitalSignature \
	    -keyout leaf.key -out leaf.pem 2>/dev/null
	issuer e1 ca issuer.certificate="$PWD/leaf.pem" \
	    issuer.key="$PWD/leaf.key"
	refused 'cRLSign'
	# A secret that comes out of a pipe is not read before it is asked for.
	mkfifo pipe
	issuer e1 ca issuer.passphrase_file="$PWD/pipe"
	crlpress check-config -q --online -c "$conf"
	ended 0
}

@test "check-config --online says what a run would refuse" {
	issuer e1 ca
	"$PUBLISH_TREE/tools/make-ca" --p256 --from 20200101000000Z \
	    --to 20210101000000Z old
	issuer e1 ca issuer.certificate="$PWD/old/issuer.pem" \
	    issuer.key="$PWD/old/issuer.key"
	warned 3 'e1: issuer-valid, RFC 5280, 6.3.3: issuer certificate expired'
	crlpress publish -c "$conf"
	ended 3
	has "$stderr" \
	    'e1: issuer-valid, RFC 5280, 6.3.3: issuer certificate expired'
	issuer e1 ca
	: >e1.txt
	crlpress check-config --online -c "$conf"
	ended 3
	has "$stderr" 'e1: db-scope, house rule: the source has not one row'
	has "$output" '# e1: 0 rows, 0 to be refused'
	crlpress publish -c "$conf"
	ended 3
	has "$stderr" 'e1: db-scope, house rule: the source has not one row'
	issuer e1 ca gates.allow_empty=yes
	: >e1.txt
	crlpress check-config --online -q -c "$conf"
	ended 0
	# Nobody makes a directory in one that is not there.
	issuer e1 ca state.dir="$PWD/no/state"
	crlpress check-config -q -c "$conf"
	ended 0
	crlpress check-config -q --online -c "$conf"
	ended 1
	has "$stderr" "file: [state] dir: nothing can be made in $PWD/no: No"
	crlpress publish -c "$conf"
	ended 1
	[ ! -e no ]
}

statuses()
{
	jq -c '[.configurations[] | [.issuer, .status]]' <<<"$output"
}

@test "check-config: one of several, and as JSON" {
	issuer e1 ca
	issuer e2 ca2
	crlpress check-config -i e2 -c "$dir"
	ended 0
	same "$(grep '^name = ' <<<"$output")" 'name = e2' 'what is printed'
	json 0 ok check-config --json --online -c "$dir"
	same "$(statuses)" '[["e1","ok"],["e2","ok"]]' configurations
	issuer e2 ca2 issuer.key="$PWD/nokey"
	echo 'frobnicate = yes' >>"$dir/e1.cnf"
	json 2 config check-config --json -c "$dir"
	same "$(statuses)" '[[null,"config"],["e2","ok"]]' configurations
	same "$(jq -r '.findings[] | select(.rule == "file") | .severity' \
	    <<<"$output")" warning 'what is missing'
	json 2 config check-config --json --online -i e2 -c "$dir"
	same "$(statuses)" '[[null,"config"],["e2","config"]]' configurations
}
