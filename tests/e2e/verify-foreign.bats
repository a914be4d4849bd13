# SPDX-License-Identifier: ISC
#
# crlpress verify over what others made: CRLs of openssl, certtool and Python
# cryptography, every CRL of tests/bad, and files that are none at all.
#
# Each test is a subshell, and what it works with is set by what is loaded:
# shellcheck disable=SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/publish.bash
load ../lib/verify.bash

keys='p256 p384 rsa ed25519'

setup_file()
{
	local key
	for key in $keys; do
		"$PUBLISH_TREE/tools/make-ca" "--$key" \
		    "$BATS_FILE_TMPDIR/$key"
	done
}

setup()
{
	export LC_ALL=C TZ=UTC
	cd "$BATS_TEST_TMPDIR"
	cas=$BATS_FILE_TMPDIR
	bad=$PUBLISH_TREE/tests/bad
}

# Says how many entries, and that they are all right: foreign KEY FILE COUNT.
foreign()
{
	verify -p private -i "$cas/$1/issuer.pem" "$2"
	fine && has "$output" "1 of 1 CRLs ok, $3 entries" ||
	    { echo "$1 $2 $3"; return 1; }
}

@test "CRLs of openssl: every key, with and without IDP, PEM and DER" {
	local key count point
	cat >ca.cnf <<-'END'
		[ca]
		default_ca = example
		[example]
		database = index.txt
		crlnumber = number
		default_md = sha256
		default_crl_days = 7
		unique_subject = no
		[plain]
		authorityKeyIdentifier = keyid
		[point]
		authorityKeyIdentifier = keyid
		issuingDistributionPoint = critical, @idp
		[idp]
		fullname = URI:http://crl.example.com/f.crl
		onlyuser = TRUE
	END
	for count in 0 1 3000; do
		awk -v n="$count" 'BEGIN {
			for (i = 1; i <= n; i++)
				printf "R\t300101000000Z\t260101000000Z%s" \
				    "\t%024X\tunknown\t/CN=x\n", i % 3 ? "" : \
				    ",keyCompromise", i * 7919 % 100003 + 1
		}' >index.txt
		for key in $keys; do
			for point in plain point; do
				echo 2A >number
				openssl ca -gencrl -config ca.cnf \
				    -keyfile "$cas/$key/issuer.key" \
				    -cert "$cas/$key/issuer.pem" \
				    -crlexts "$point" -out crl.pem 2>/dev/null
				foreign "$key" crl.pem "$count"
			done
			openssl crl -in crl.pem -outform DER -out crl.der
			foreign "$key" crl.der "$count"
		done
	done
	openssl ca -gencrl -config ca.cnf -keyfile "$cas/rsa/issuer.key" \
	    -cert "$cas/rsa/issuer.pem" -crlexts plain -out crl.pem \
	    -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 2>/dev/null
	foreign rsa crl.pem 3000
	# Made by another key of the same name.
	verify -p private -i "$cas/p256/issuer.pem" crl.pem
	faulty signature crl.pem
}

@test "CRLs of certtool" {
	local key
	printf 'crl_next_update = 7\ncrl_number = 5\n' >template
	for key in $keys; do
		openssl req -x509 -new -key "$cas/$key/issuer.key" -subj /CN=x \
		    -days 9 -set_serial 0x1234567890ABCDEF -out x.pem
		cp "$cas/$key/root.pem" y.pem
		cat x.pem y.pem >all.pem
		certtool --generate-crl --template template \
		    --load-ca-privkey "$cas/$key/issuer.key" \
		    --load-ca-certificate "$cas/$key/issuer.pem" \
		    --load-certificate all.pem --outfile crl.pem >/dev/null 2>&1
		verify -p private -i "$cas/$key/issuer.pem" -s 1234567890ABCDEF \
		    crl.pem
		ended 0
		has "$output" '1 of 1 CRLs ok, 2 entries'
		has "$output" '1234567890abcdef: listed in crl.pem (no URL)'
	done
}

@test "CRLs of Python cryptography: unsorted ones are warned of" {
	local key count point
	cat >make.py <<-'PY'
		import datetime, sys
		from cryptography import x509
		from cryptography.hazmat.primitives import hashes, serialization
		ca, out, count, point = sys.argv[1:]
		with open(ca + "/issuer.key", "rb") as f:
		    key = serialization.load_pem_private_key(f.read(), None)
		with open(ca + "/issuer.pem", "rb") as f:
		    cert = x509.load_pem_x509_certificate(f.read())
		now = datetime.datetime.utcnow().replace(microsecond=0)
		ski = cert.extensions.get_extension_for_class(
		    x509.SubjectKeyIdentifier).value
		crl = (x509.CertificateRevocationListBuilder()
		    .issuer_name(cert.subject)
		    .last_update(now - datetime.timedelta(hours=1))
		    .next_update(now + datetime.timedelta(days=7))
		    .add_extension(x509.CRLNumber(17), False)
		    .add_extension(x509.AuthorityKeyIdentifier
		        .from_issuer_subject_key_identifier(ski), False))
		if point == "point":
		    crl = crl.add_extension(x509.IssuingDistributionPoint(
		        [x509.UniformResourceIdentifier(
		            "http://crl.example.com/f.crl")],
		        None, True, False, None, False, False), True)
		for i in range(int(count)):
		    entry = (x509.RevokedCertificateBuilder()
		        .serial_number(i * 2654435761 % (1 << 64) + 1
		            if point != "unsorted" else 9000 - i)
		        .revocation_date(now - datetime.timedelta(days=1)))
		    if i % 2:
		        entry = entry.add_extension(
		            x509.CRLReason(x509.ReasonFlags.superseded), False)
		    crl = crl.add_revoked_certificate(entry.build())
		digest = None if "ed25519" in ca else hashes.SHA384()
		with open(out, "wb") as f:
		    f.write(crl.sign(key, digest).public_bytes(
		        serialization.Encoding.DER))
	PY
	for key in $keys; do
		for count in 0 1 2500; do
			for point in plain point; do
				/usr/bin/python3 make.py "$cas/$key" crl.der \
				    "$count" "$point"
				foreign "$key" crl.der "$count"
			done
		done
	done
	/usr/bin/python3 make.py "$cas/p256" crl.der 20 unsorted
	verify -p private -i "$cas/p256/issuer.pem" crl.der
	ended 0
	has "$stderr" 'warning: crl.der: order, '
	# Held against rows and a set before all the same.
	/usr/bin/python3 make.py "$cas/p256" then.der 19 unsorted
	verify -p private -i "$cas/p256/issuer.pem" --previous then.der crl.der
	faulty number-up 'have 17, want above the 17'
	same "$(grep -c -e no-early-removal -e change <<<"$stderr")" 0 removals
}

@test "one issuer's name, two keys, CRLs that do not tell which" {
	local key
	printf '[ca]\ndefault_ca=e\n[e]\ndatabase=i\ncrlnumber=n\n' >ca.cnf
	printf 'default_md=sha256\ndefault_crl_days=7\n' >>ca.cnf
	: >i
	for key in p256 rsa; do
		echo 01 >n
		openssl ca -gencrl -config ca.cnf -out "$key.pem" \
		    -keyfile "$cas/$key/issuer.key" \
		    -cert "$cas/$key/issuer.pem" 2>/dev/null
	done
	verify -p private -i "$cas/p256/issuer.pem" -i "$cas/rsa/issuer.pem" \
	    -i "$cas/p384/issuer.pem" p256.pem rsa.pem
	ended 5
	# RFC 5280, 5.2.1: it should tell; but the signature is right.
	same "$(grep -c ': signature, ' <<<"$stderr")" 0 signatures
	same "$(grep -c ': aki, ' <<<"$stderr")" 2 'key identifiers'
	verify -p private -i "$cas/p384/issuer.pem" rsa.pem
	faulty signature rsa.pem
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
		verify "${by[@]}" -p "$profile" --now "$now" "$bad/$file"
		if [ "$rule" = - ]; then
			fine
		elif is_warning "$file"; then
			ended 0
			has "$stderr" "warning: $bad/$file: $rule, "
		else
			faulty "$rule" "$bad/$file: $rule, "
		fi
		same "$(grep -cv ": $rule, " <<<"$stderr")" \
		    "$([ "$rule" = - ] && echo 1 || echo 0)" "others of $file"
		count=$((count + 1))
	done <"$bad/EXPECT"
	[ "$count" -ge 150 ]
	verify --rules
	ended 0
	awk '!/^#/ && $4 != "-" { print $4 }' "$bad/EXPECT" | sort -u >want
	awk 'NR > 1 { print $1 }' <<<"$output" | sort >have
	diff want have
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
	verify -i "$cas/p256/issuer.pem" "$bad/good-three.der"
	faulty issuer-bytes
}

# Every hostile file below ./bad, judged alone: not_a_crl FILE RULE TEXT.
not_a_crl()
{
	verify -i "$bad/issuer.pem" -u http://crl.example.test/7.crl \
	    --now 2026-03-01T12:00:00Z "$1"
	faulty "$2" "$1: " "$3"
	has "$output" "0 of 1 CRLs ok"
}

@test "cut off, flipped, empty, enormous" {
	local i file size
	size=$(stat -c %s "$bad/good-three.der")
	for i in 1 2 5 50 100 $((size - 1)); do
		head -c "$i" "$bad/good-three.der" >cut
		not_a_crl cut der offset
	done
	for i in 40 60 90 $((size - 5)); do
		cp "$bad/good-three.der" flip
		printf '\377' | dd of=flip bs=1 seek="$i" conv=notrunc 2>/dev/null
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
		run --separate-stderr timeout 20 /usr/bin/python3 - "$CRLPRESS" \
		    "$bad/issuer.pem" "$file" <<-'PY'
			import resource, subprocess, sys
			program, issuer, path = sys.argv[1:]
			# Address space for the map itself and little more.
			resource.setrlimit(resource.RLIMIT_AS,
			    (1400 << 20, 1400 << 20))
			sys.exit(subprocess.call(
			    [program, "verify", "-j", "1", "-i", issuer, path]))
		PY
		faulty der "$file: "
	done
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
	not_a_crl behind.pem der 'something stands behind'
	cat good.pem good.pem >twice.pem
	not_a_crl twice.pem der 'something stands behind'
	sed '3i !!!!' good.pem >inside.pem
	not_a_crl inside.pem der base64
	sed '2i Proc-Type: 4,ENCRYPTED\n' good.pem >header.pem
	not_a_crl header.pem der base64
	sed '$d' good.pem >cut.pem
	not_a_crl cut.pem der 'without -----END'
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
	for path in odd/fifo odd/socket; do
		not_a_crl "$path" der ''
	done
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
	    as=(setpriv --bounding-set=-dac_override,-dac_read_search)
	run --separate-stderr "${as[@]}" "$CRLPRESS" verify \
	    -i "$bad/issuer.pem" --now 2026-03-01T12:00:00Z locked
	chmod 700 locked/in
	faulty der 'locked/7.crl: ' 'Permission denied'
	faulty file 'locked/in: ' 'Permission denied'
}
