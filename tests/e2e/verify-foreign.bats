# SPDX-License-Identifier: ISC
#
# crlpress verify over what others made: CRLs of openssl, certtool and Python
# cryptography.
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
	cd "$BATS_TEST_TMPDIR" || return 1
	cas=$BATS_FILE_TMPDIR
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
	    -sigopt rsa_padding_mode:pss \
	    -sigopt rsa_pss_saltlen:32 2>/dev/null
	foreign rsa crl.pem 3000
	# What is said too often is counted.
	sed -i -e '26,$d; s/Z,keyCompromise/Z/' \
	    -e 's/Z\t0/Z,CACompromise\t0/' index.txt
	openssl ca -gencrl -config ca.cnf -keyfile "$cas/rsa/issuer.key" \
	    -cert "$cas/rsa/issuer.pem" -out many.pem 2>/dev/null
	verify -p tls -i "$cas/rsa/issuer.pem" many.pem
	faulty reason 'note: many.pem: 15 more findings of the same rules'
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
		    --load-certificate all.pem --outfile crl.pem \
		    >/dev/null 2>&1
		verify -p private -i "$cas/$key/issuer.pem" \
		    -s 1234567890ABCDEF crl.pem
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
		        .revocation_date(datetime.datetime(2026, 1, 1)))
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

# wrong RULE FILE [OPTION...]: by the profile tls this rule is broken, and no
# other.
wrong()
{
	verify -i "$cas/p256/issuer.pem" "${@:3}" "$2"
	faulty "$1" "$2: $1, " && has "$output" 'FAULTY' || return 1
	same "$(grep -ve ": $1, " -e '^  hint: ' <<<"$stderr")" '' \
	    "others than $1"
}

# openssl_crl FILE [SED]: a right CRL in DER, but for what SED does to the
# configuration.
openssl_crl()
{
	sed "${2:-}" >ca.cnf <<-'END'
		[ca]
		default_ca = example
		[example]
		database = index.txt
		crlnumber = number
		default_md = sha256
		default_crl_days = 7
		unique_subject = no
		crl_extensions = point
		[point]
		authorityKeyIdentifier = keyid
		issuingDistributionPoint = critical, @idp
		[idp]
		fullname = URI:http://crl.example.com/f.crl
		onlyuser = TRUE
	END
	echo 2A >number
	openssl ca -gencrl -config ca.cnf -keyfile "$cas/p256/issuer.key" \
	    -cert "$cas/p256/issuer.pem" -out crl.pem "${@:3}" 2>/dev/null &&
	    openssl crl -in crl.pem -outform DER -out "$1"
}

@test "CRLs of openssl with one thing wrong" {
	local what rule
	printf 'R\t300101000000Z\t260101000000Z%s\t%s\tunknown\t/CN=x\n' \
	    '' 0A ,keyCompromise 0B ,superseded 0C >index.txt
	openssl_crl right.der
	verify -i "$cas/p256/issuer.pem" -u http://crl.example.com/f.crl \
	    right.der
	fine
	wrong idp-url right.der -u http://crl.example.com/F.crl
	while IFS='|' read -r rule what; do
		openssl_crl wrong.der "$what" && wrong "$rule" wrong.der ||
		    { echo "$rule $what"; return 1; }
	done <<-'END'
		sigalg-match|s/sha256/sha1/
		number|/^crlnumber/d
		next-update|s/days = 7/days = 11/
		aki|/^authorityKey/d
		aki|s/= keyid/= keyid, issuer:always/
		aki|s/= keyid/= critical, keyid/
		idp|/^issuingDist/d
		idp|s/= critical, @idp/= @idp/
		idp|/^onlyuser/d
		idp|s/^onlyuser/onlyCA/
		idp|s/^onlyuser/onlyAA/
		idp|$aonlyCA = TRUE
		idp|$aindirectCRL = TRUE
		idp|$aonlysomereasons = keyCompromise
		idp|s,http://,ldap://,
		idp|s/^fullname.*/fullname = dirName:dn\n[dn]\nCN = x\n[more]/
		extensions|/^authority/i2.5.29.27 = critical, DER:020101
		extensions|/^authority/i1.2.3.4 = critical, DER:0500
	END
	openssl_crl old.der '' -crl_lastupdate 20260101000000Z \
	    -crl_nextupdate 20260108000000Z
	wrong fresh old.der --now 2026-01-09T00:00:00Z
	wrong not-future right.der --now 2026-01-01T00:00:00Z
	{ cat right.der; printf '\0'; } >longer.der
	wrong der longer.der
	head -c -1 right.der >shorter.der
	wrong der shorter.der
	{ head -c -1 right.der; printf '\377'; } >flipped.der
	wrong signature flipped.der
	verify -i "$cas/p256/root.pem" right.der
	faulty issuer-bytes right.der
	same "$(grep -c . <<<"$stderr")" 2 'a fault and its hint'
	while IFS='|' read -r rule what; do
		printf 'R\t300101000000Z\t%s\t0A\tunknown\t/CN=x\n' \
		    "$what" >index.txt
		openssl_crl wrong.der
		wrong "$rule" wrong.der || { echo "$rule $what"; return 1; }
	done <<-'END'
		revoked-at|400101000000Z
		reason|260101000000Z,unspecified
		reason|260101000000Z,CACompromise
		reason|260101000000Z,certificateHold
	END
	# Without any extension openssl makes a CRL of v1.
	printf 'R\t300101000000Z\t260101000000Z\t0A\tunknown\t/CN=x\n' \
	    >index.txt
	openssl_crl v1.der '/^crlnumber/d; /^crl_ext/d'
	wrong version v1.der
}

@test "CRLs of Python cryptography with one thing wrong" {
	local file rule
	/usr/bin/python3 "$PUBLISH_TREE/tests/lib/foreign_crls.py" wrong \
	    "$cas/p256"
	for file in right*.der; do
		verify -i "$cas/p256/issuer.pem" "$file"
		fine
	done
	for file in *_?.der; do
		rule=${file%_*}
		[ "$rule" = right ] && continue
		wrong "$rule" "$file" || { echo "$file"; return 1; }
	done
}

@test "a hundred thousand entries, of openssl and of Python cryptography" {
	awk 'BEGIN {
		for (i = 1; i <= 100000; i++)
			printf "R\t300101000000Z\t260101000000Z%s" \
			    "\t%032X\tunknown\t/CN=x\n", \
			    i % 2 ? "" : ",superseded", i * 7919
	}' >index.txt
	openssl_crl many.der
	verify -i "$cas/p256/issuer.pem" -s c18b18 many.der
	fine
	has "$output" '1 of 1 CRLs ok, 100000 entries'
	/usr/bin/python3 "$PUBLISH_TREE/tests/lib/foreign_crls.py" many \
	    "$cas/p256"
	verify -i "$cas/p256/issuer.pem" python.der
	fine
	has "$output" '1 of 1 CRLs ok, 100000 entries'
	# Serials of both, in two CRLs that name one URL.
	verify -i "$cas/p256/issuer.pem" many.der python.der
	fine
	has "$output" '2 of 2 CRLs ok, 200000 entries'
}

@test "CRLs of certtool with nothing in them, with one entry, and wrong" {
	local key
	printf 'crl_next_update = 7\ncrl_number = 5\n' >template
	for key in $keys; do
		certtool --generate-crl --template template \
		    --load-ca-privkey "$cas/$key/issuer.key" \
		    --load-ca-certificate "$cas/$key/issuer.pem" \
		    --outfile crl.pem >/dev/null 2>&1
		# RFC 5280, 5.1.2.6: it writes an empty list all the same.
		verify -p private -i "$cas/$key/issuer.pem" crl.pem
		faulty entries-absent crl.pem
		same "$(grep -c . <<<"$stderr")" 1 findings
		certtool --generate-crl --template template --outder \
		    --load-ca-privkey "$cas/$key/issuer.key" \
		    --load-ca-certificate "$cas/$key/issuer.pem" \
		    --load-certificate "$cas/$key/root.pem" \
		    --outfile crl.der >/dev/null 2>&1
		foreign "$key" crl.der 1
		# It is no shard: it names no URL.
		verify -i "$cas/$key/issuer.pem" crl.der
		faulty idp crl.der
		verify -i "$cas/$key/issuer.pem" -p private \
		    --now "$(date -u -d '8 days' +%FT%TZ)" crl.der
		faulty fresh crl.der
		verify -i "$cas/$key/root.pem" -p private crl.der
		faulty issuer-bytes crl.der
	done
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
