# SPDX-License-Identifier: ISC
#
# crlpress verify over files that are wrong: every CRL of tests/bad, what is cut
# off, enormous, or no CRL at all, and directories with odd things in them.
#
# Each test is a subshell, and what it works with is set by what is loaded:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/publish.bash
load ../lib/verify.bash

setup()
{
	export LC_ALL=C TZ=UTC
	cd "$BATS_TEST_TMPDIR" || return 1
	bad=$PUBLISH_TREE/tests/bad
}

# What is only warned of.
is_warning()
{
	case $1 in
	entry-ext-hold-instruction.der | entry-ext-invalidity-date.der | \
	    entry-ext-unknown.der | extensions-aia.der | \
	    extensions-freshest.der | extensions-unknown.der | \
	    fresh-half.der | idp-indirect-private.der | \
	    idp-url-beside.der | order-swapped.der | reason-zero-private.der)
		return 0
		;;
	esac
	return 1
}

# The largest object is a matter of configuration.
bad_cnf()
{
	cat >bad.cnf <<-END
		[issuer]
		certificate = $bad/issuer.pem
		key = $bad/issuer.key
		[source]
		issuer_id = e1
		conninfo = host=nowhere
		[shards]
		count = 8
		url = http://crl.example.test/{shard}.crl
		[store]
		url = $PWD
		[gates]
		size_most = 1600
	END
}

@test "every CRL of tests/bad is told by its rule" {
	local file profile now rule count=0
	local -a by
	bad_cnf
	while read -r file profile now rule; do
		[ "$file" != '#' ] || continue
		by=(-i "$bad/issuer.pem" -u http://crl.example.test/7.crl)
		[ "$rule" != size ] || by=(-c bad.cnf)
		# PEM is no DER, but is read.
		[ "$file" != der-pem-text.der ] || rule=-
		verify "${by[@]}" -p "$profile" --now "$now" "$bad/$file"
		if [ "$rule" = - ]; then
			fine
		elif is_warning "$file"; then
			ended 0
			has "$stderr" "warning: $bad/$file: $rule, "
		else
			faulty "$rule" "$bad/$file: $rule, "
		fi
		same "$(grep -cve ": $rule, " -e '^  hint: ' <<<"$stderr")" \
		    "$([ "$rule" = - ] && echo 1 || echo 0)" "others of $file"
		count=$((count + 1))
	done <"$bad/EXPECT"
	[ "$count" -ge 150 ]
	verify --rules
	ended 0
	awk '!/^#/ && $4 != "-" { print $4 }' "$bad/EXPECT" | sort -u >want
	awk 'NR == 1 { next } $1 == "file" { exit } { print $1 }' \
	    <<<"$output" | sort >have
	diff want have
}

@test "the list of rules has those of sets, and the man page all of them" {
	local rule
	verify --rules
	ended 0
	awk 'NR > 1 { print $1 }' <<<"$output" >have
	same "$(sort have | uniq -d)" '' 'rules listed twice'
	# What verify reports stands there, and what stands there is reported.
	{
		grep -ohE '(RULE|GATE)_[A-Z_]+|"[a-z]+(-[a-z]+)+", *$|"file"' \
		    "$PUBLISH_TREE"/src/verify_{bytes,list,set,rows,disjoint}.c
		grep -ohE '"[a-z]+(-[a-z]+)*",? "(RFC|BR|CCADB|house)' \
		    "$PUBLISH_TREE"/src/verify_*.c
	} | grep -oE '[a-z]+(-[a-z]+)*' | grep -xE \
	    'file|(set|time|number|next|same|no|previous)-[a-z-]+' |
	    sort -u >said
	[ "$(wc -l <said)" -ge 9 ]
	while read -r rule; do
		grep -qxF "$rule" have ||
		    { echo "not listed: $rule"; return 1; }
	done <said
	sed -n '/^\.Sh RULES/,/^\.Sh /s/^\.It Cm //p' \
	    "$PUBLISH_TREE/docs/crlpress.1" >page
	diff have page
	# Each is a fault or a warning somewhere, and has a clause.
	same "$(awk 'NR > 1 && !/ (fault|warning) /' <<<"$output")" '' 'off'
	same "$(awk 'NR > 1 && !/: /' <<<"$output")" '' 'without a clause'
}

@test "every CRL of tests/bad at once: none stops the others" {
	local files
	files=$(find "$bad" -name '*.der' | wc -l)
	verify -i "$bad/issuer.pem" --json --now 2026-03-01T12:00:00Z "$bad"
	ended 5
	/usr/bin/python3 - "$files" "$output" <<-'PY'
		import json, sys
		said = json.loads(sys.argv[2])
		assert said["status"] == "faulty" and said["faults"] > 100
		ders = [f for f in said["files"] if f["file"].endswith(".der")]
		assert len(ders) == int(sys.argv[1])
		assert sum(f["ok"] for f in ders) > 5
	PY
}

@test "nothing to judge by, and nothing to judge" {
	verify "$bad/good-three.der"
	ended 2
	has "$stderr" 'want --config or --issuer-cert'
	verify -i "$bad/issuer.pem"
	ended 2
	has "$stderr" 'want a file, directory or manifest'
	verify -i "$bad/good-three.der" "$bad/good-three.der"
	ended 2
	mkdir empty
	verify -i "$bad/issuer.pem" empty
	faulty set-complete 'empty: ' 'no CRL to be found'
	verify -i "$bad/issuer.pem" nowhere
	faulty file 'nowhere: ' 'No such file'
	same "$(grep -c . <<<"$stderr")" 1 findings
	"$PUBLISH_TREE/tools/make-ca" --p256 ca
	verify -i ca/issuer.pem "$bad/good-three.der"
	faulty issuer-bytes
}

# not_a_crl FILE RULE TEXT: judged alone, it is at fault, and for this.
not_a_crl()
{
	verify -i "$bad/issuer.pem" -u http://crl.example.test/7.crl \
	    --now 2026-03-01T12:00:00Z "$1"
	faulty "$2" "$1: " "$3"
	has "$output" "0 of 1 CRLs ok"
}

@test "a nextUpdate that is not there is null, and a dash" {
	verify -i "$bad/issuer.pem" --now 2026-03-01T12:00:00Z \
	    "$bad/next-update-absent.der"
	faulty next-update "$bad/next-update-absent.der: "
	has "$output" ' 2026-03-01T06:00:00Z -  '
	verify -i "$bad/issuer.pem" --now 2026-03-01T12:00:00Z --json \
	    "$bad/next-update-absent.der" "$bad/good-three.der"
	ended 5
	same "$(jq -c '[.files[].next_update != null]' <<<"$output")" \
	    '[false,true]' next_update
}

@test "cut off, flipped, empty, enormous" {
	local i file size
	size=$(stat -c %s "$bad/good-three.der")
	for i in 1 2 5 50 100 $((size - 1)); do
		head -c "$i" "$bad/good-three.der" >short
		not_a_crl short der offset
	done
	for i in 40 60 90 $((size - 5)); do
		cp "$bad/good-three.der" flip
		printf '\377' |
		    dd of=flip bs=1 seek="$i" conv=notrunc 2>/dev/null
		verify -i "$bad/issuer.pem" --now 2026-03-01T12:00:00Z flip
		ended 5
	done
	: >none
	not_a_crl none der 'empty file'
	truncate -s 1G zeros
	# As much as its head says it has, and nothing in it.
	truncate -s 1G sequence
	printf '\060\204\077\377\377\372' |
	    dd of=sequence conv=notrunc 2>/dev/null
	truncate -s 1G pem
	printf -- '-----BEGIN X509 CRL-----\n' |
	    dd of=pem conv=notrunc 2>/dev/null
	truncate -s 3G huge
	not_a_crl huge der 'larger than 2 GiB'
	for file in zeros sequence pem; do
		run --separate-stderr timeout 20 /usr/bin/python3 - \
		    "$CRLPRESS" "$bad/issuer.pem" "$file" <<-'PY'
			import resource, subprocess, sys
			program, issuer, path = sys.argv[1:]
			with open(program, "rb") as f:
			    sanitized = b"__asan_init" in f.read()
			# Address space for the map itself and little more.
			if not sanitized:
			    resource.setrlimit(resource.RLIMIT_AS,
			        (1400 << 20, 1400 << 20))
			status = subprocess.call([program, "verify", "-j", "1",
			    "-i", issuer, path])
			peak = resource.getrusage(resource.RUSAGE_CHILDREN)
			assert peak.ru_maxrss < 100 << 10, peak
			sys.exit(status)
		PY
		faulty der "$file: "
	done
}

# A CRL of some megabytes: what to read takes a while.
large()
{
	"$PUBLISH_TREE/tools/make-ca" --p256 ca
	awk 'BEGIN {
		for (i = 1; i <= 150000; i++)
			printf "R\t300101000000Z\t260101000000Z\t%032X" \
			    "\tunknown\t/CN=x\n", i
	}' >index.txt
	echo 2A >number
	cat >ca.cnf <<-'END'
		[ca]
		default_ca = example
		[example]
		database = index.txt
		crlnumber = number
		default_md = sha256
		default_crl_days = 7
		unique_subject = no
		crl_extensions = extensions
		[extensions]
		authorityKeyIdentifier = keyid
		issuingDistributionPoint = critical, @idp
		[idp]
		fullname = URI:http://crl.example.com/f.crl
		onlyuser = TRUE
	END
	openssl ca -gencrl -config ca.cnf -keyfile ca/issuer.key \
	    -cert ca/issuer.pem -out large.pem 2>/dev/null
	openssl crl -in large.pem -outform DER -out large.der
}

@test "a file that is cut off and written again while it is read" {
	local i seen=
	large
	verify -i ca/issuer.pem -p private large.der
	fine
	has "$output" '1 of 1 CRLs ok, 150000 entries'
	verify -i ca/issuer.pem -p private large.pem
	fine
	has "$output" '1 of 1 CRLs ok, 150000 entries'
	# What is known by the head alone is not read, and told as ever.
	{ cat large.der; printf x; } >longer
	verify -i ca/issuer.pem longer
	faulty der "offset $(stat -c %s large.der): octets after the"
	head -c -1 large.der >shorter
	verify -i ca/issuer.pem shorter
	faulty der 'offset 0: length passes the end'
	{ cat large.pem; echo hello; } >behind
	verify -i ca/issuer.pem behind
	faulty der 'behind: ' 'does not end with'
	{ cat large.pem; echo hello-; } >behind
	verify -i ca/issuer.pem behind
	faulty der 'behind: ' 'does not end with'
	{ cat large.pem; printf '\r\n\n'; } >blank
	verify -i ca/issuer.pem -p private blank
	fine
	mkdir set
	cp large.der set/large.der
	# In place, not by rename, as nobody should.
	: >go
	bash -c 'while [ -e go ]; do
		truncate -s 1000 set/large.der
		cat large.der >set/large.der
	done' 3>&- &
	for ((i = 0; i < 1000; i++)); do
		[ "$i" -lt 40 ] || [[ $seen != *5* ]] || break
		status=0
		"$CRLPRESS" verify -q -i ca/issuer.pem -p private \
		    --previous set set 2>/dev/null || status=$?
		seen+=" $status"
	done
	rm go
	wait
	same "$(tr -d ' 05' <<<"$seen")" '' 'exit statuses but 0 and 5'
	# It was seen whole and otherwise, or this has shown nothing.
	[[ $seen == *5* ]]
	cp large.der set/large.der
	verify -i ca/issuer.pem -p private set
	fine
	# Written to without end, though always to the same.
	: >go
	/usr/bin/python3 -c 'import os
count = 0
while os.path.exists("go"):
    count += 1
    os.utime("set/large.der", ns=(count, count))' 3>&- &
	seen=
	for ((i = 0; i < 2000; i++)); do
		seen=$("$CRLPRESS" verify -q -i ca/issuer.pem -p private set \
		    2>&1) || break
	done
	rm go
	wait
	[ "$i" -lt 2000 ]
	has "$seen" 'file, house rule: was changed while it was read'
}

@test "PEM with something before, behind or in it" {
	openssl crl -inform DER -in "$bad/good-three.der" -out good.pem
	verify -i "$bad/issuer.pem" --now 2026-03-01T12:00:00Z good.pem
	fine
	{ cat good.pem; printf '\n\r\n\n'; } >blank.pem
	verify -i "$bad/issuer.pem" --now 2026-03-01T12:00:00Z blank.pem
	fine
	{ echo hello; cat good.pem; } >before.pem
	not_a_crl before.pem der 'does not begin with'
	{ cat good.pem; echo hello; } >behind.pem
	not_a_crl behind.pem der 'does not end with'
	cat good.pem good.pem >twice.pem
	not_a_crl twice.pem der 'more than one'
	sed '3i !!!!' good.pem >inside.pem
	not_a_crl inside.pem der base64
	sed '2i Proc-Type: 4,ENCRYPTED\n' good.pem >header.pem
	not_a_crl header.pem der base64
	sed '$d' good.pem >cut.pem
	not_a_crl cut.pem der 'does not end with'
	sed 's/X509 CRL/CERTIFICATE/' good.pem >other.pem
	not_a_crl other.pem der 'does not begin with'
	printf -- '-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n' >no.pem
	not_a_crl no.pem der base64
	{ echo '-----BEGIN X509 CRL-----'; base64 <"$bad/der-truncated.der"
	    echo '-----END X509 CRL-----'; } >bad.pem
	not_a_crl bad.pem der offset
}

@test "a directory with what is no file, and one that never ends" {
	local path i
	mkdir odd
	cp "$bad/good-three.der" odd/7.crl
	cp "$bad/good-three.der" odd/.hidden
	mkfifo odd/fifo
	ln -s fifo odd/link
	ln -s . odd/loop
	ln -s nowhere odd/dangling
	/usr/bin/python3 -c 'import socket
socket.socket(socket.AF_UNIX).bind("odd/socket")'
	verify -i "$bad/issuer.pem" --now 2026-03-01T12:00:00Z odd
	faulty file 'odd/fifo: ' 'odd/socket: ' 'not a regular file' \
	    'odd/link: ' 'odd/loop: ' 'odd/dangling: ' \
	    'a symbolic link, not followed'
	same "$(grep -c . <<<"$stderr")" 5 findings
	has "$output" '1 of 1 CRLs ok'
	not_a_crl odd/fifo file 'not a regular file'
	not_a_crl odd/socket file ''
	verify -i "$bad/issuer.pem" odd/dangling
	faulty file 'odd/dangling: ' 'No such file'
	path=deep
	for ((i = 0; i < 40; i++)); do
		path+=/d
	done
	mkdir -p "$path"
	cp "$bad/good-three.der" "$path/../../../../../../../../../7.crl"
	verify -i "$bad/issuer.pem" --now 2026-03-01T12:00:00Z deep
	faulty file 'too many directories deep'
	has "$output" '1 of 1 CRLs ok'
}

@test "files that may not be read, and names that rule the terminal" {
	local name
	name=$(printf 'new\nok\033[2J\200.crl')
	mkdir names
	cp "$bad/good-three.der" "names/$name"
	verify -i "$bad/issuer.pem" --now 2026-03-01T12:00:00Z -s 1 names
	ended 0
	has "$output" 'names/new\x0aok\x1b[2J\x80.crl'
	[[ $output != *$'\033'* ]]
	mkdir -p locked/in
	cp "$bad/good-three.der" locked/7.crl
	chmod 0 locked/7.crl locked/in
	as=()
	# Root reads everything, unless it gives that right away.
	[ "$(id -u)" -ne 0 ] ||
	    as=(setpriv '--bounding-set=-dac_override,-dac_read_search')
	run --separate-stderr "${as[@]}" "$CRLPRESS" verify \
	    -i "$bad/issuer.pem" --now 2026-03-01T12:00:00Z locked
	chmod 700 locked/in
	faulty file 'locked/7.crl: ' 'Permission denied'
	faulty file 'locked/in: ' 'Permission denied'
}
