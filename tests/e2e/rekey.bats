# SPDX-License-Identifier: ISC
#
# One issuer name, two keys: each key's certificates have CRLs of their own,
# told apart by URL, key identifier and signature, whatever has one name. What
# would mix them is refused. openssl and certtool say what clients make of it.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

# A serial of both keys, and one of each; all in shard 0.
BOTH=4d01
OLD=4d02
NEW=4d03

setup_file()
{
	publish_setup
	export OLD_CA=$BATS_FILE_TMPDIR/ca NEW_CA=$BATS_FILE_TMPDIR/new
	"$PUBLISH_TREE/tools/make-ca" --p256 "$NEW_CA"
	# The same name, and nothing else.
	same "$(subject "$OLD_CA")" "$(subject "$NEW_CA")" subject
	[ "$(key_id "$OLD_CA")" != "$(key_id "$NEW_CA")" ]
	cat "$OLD_CA/root.pem" "$NEW_CA/root.pem" >"$BATS_FILE_TMPDIR/roots.pem"
	cat "$OLD_CA/issuer.pem" "$NEW_CA/issuer.pem" \
	    >"$BATS_FILE_TMPDIR/issuers.pem"
	local serial
	for serial in $BOTH $OLD $NEW; do
		leaf "$OLD_CA" old "$serial"
		leaf "$NEW_CA" new "$serial"
	done
	local now
	now=$(date +%s)
	name=old revoke $BOTH 0 $((now - 86400)) $((now + 86400 * 90)) 1
	name=old revoke $OLD 0 $((now - 86400)) $((now + 86400 * 90)) 4
	name=new revoke $BOTH 0 $((now - 7200)) $((now + 86400 * 90)) 5
	name=new revoke $NEW 0 $((now - 7200)) $((now + 86400 * 90)) 3
}

setup()
{
	publish_env
	mkdir etc store
	store=$PWD/store
	state=$PWD/state
	keyed old "$OLD_CA"
	keyed new "$NEW_CA"
	conf=$PWD/etc
}

teardown_file()
{
	pg_stop
}

subject()
{
	openssl x509 -in "$1/issuer.pem" -noout -subject
}

# The subject's key identifier, in upper case hex with colons.
key_id()
{
	openssl x509 -in "$1/issuer.pem" -noout -ext subjectKeyIdentifier |
	    tail -n 1 | tr -d ' '
}

# leaf CA KEY SERIAL: a certificate of shard 0, KEY-SERIAL.pem.
leaf()
{
	local leaf=$BATS_FILE_TMPDIR/$2-$3
	[ -e "$BATS_FILE_TMPDIR/leaf.key" ] ||
	    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
		-out "$BATS_FILE_TMPDIR/leaf.key"
	openssl req -new -key "$BATS_FILE_TMPDIR/leaf.key" \
	    -subj "/CN=$3.example.com" -out "$leaf.csr"
	cat >"$leaf.ext" <<-END
		keyUsage = digitalSignature
		authorityKeyIdentifier = keyid:always
		crlDistributionPoints = URI:http://crl.example.com/$2/0.crl
	END
	openssl x509 -req -in "$leaf.csr" -CA "$1/issuer.pem" \
	    -CAkey "$1/issuer.key" -set_serial "0x$3" -days 90 \
	    -extfile "$leaf.ext" -out "$leaf.pem" 2>/dev/null
}

# keyed NAME CA [SECTION.KEY=VALUE...]: the configuration of one key.
keyed()
{
	name=$1
	ca=$2
	shift 2
	# shellcheck disable=SC2059 # it is a format
	url=$(printf "$PUBLISH_URL" "$name")
	conf=$PWD/etc/$name.cnf publish_configure gates.allow_empty=yes \
	    store.manifest="$name.txt" "$@"
}

# The serials of a CRL, in one line.
serials()
{
	crl_field "$store/$1" serials | sort | xargs
}

# crl_key FILE: the key identifier in it.
crl_key()
{
	openssl crl -inform DER -in "$store/$1" -noout -text |
	    sed -n '/Authority Key Identifier/{
		n
		s/ *\(keyid:\)\{0,1\}//p
	}' | head -n 1
}

# signed_by FILE CA: openssl and certtool take it for this key's.
signed_by()
{
	local said
	ca=$2 crl_verifies "$store/$1" || return 1
	openssl crl -inform DER -in "$store/$1" -out judged.pem
	said=$(certtool --verify-crl --infile judged.pem \
	    --load-ca-certificate "$2/issuer.pem" 2>&1) || true
	has "$said" 'Verification output: Verified'
}

# judge KEY-SERIAL CRL...: what openssl says of a certificate, with these CRLs:
# "ok", or the error's number.
judge()
{
	local leaf=$1 crl
	shift
	: >crls.pem
	for crl; do
		openssl crl -inform DER -in "$store/$crl" >>crls.pem
	done
	openssl verify -crl_check -no-CApath -CAfile \
	    "$BATS_FILE_TMPDIR/roots.pem" \
	    -untrusted "$BATS_FILE_TMPDIR/issuers.pem" -CRLfile crls.pem \
	    "$BATS_FILE_TMPDIR/$leaf.pem" 2>&1 |
	    sed -n 's/.*: OK$/ok/p; s/^error \([0-9]*\) at 0 .*/\1/p' |
	    head -n 1
}

# verifies ARGUMENT...: verify finds nothing.
verifies()
{
	run --separate-stderr "$CRLPRESS" verify --quiet "$@"
	ended 0
	same "$stderr" '' stderr
}

# faulty TEXT ARGUMENT...: verify finds this.
faulty()
{
	run --separate-stderr "$CRLPRESS" verify --quiet "${@:2}"
	ended 5
	has "$stderr" "$1"
}

# What stands in the store.
sums()
{
	find "$store" -type f ! -name '.*' -exec sha256sum {} + | sort
}

# refused_unchanged STATUS TEXT: the next run of both is, and the store stands.
refused_unchanged()
{
	local before
	before=$(sums)
	publish
	ended "$1"
	has "$stderr" "$2"
	same "$(sums)" "$before" 'the store'
}

@test "two keys, two configurations: each CRL is its own key's" {
	publish_ok
	local key crl
	for key in old new; do
		ca=$OLD_CA
		[ "$key" = old ] || ca=$NEW_CA
		for crl in "$key/0.crl" "$key/1.crl"; do
			signed_by "$crl" "$ca"
			same "$(crl_key "$crl")" "$(key_id "$ca")" "key of $crl"
		done
	done
	run ! signed_by old/0.crl "$NEW_CA"
	run ! signed_by new/0.crl "$OLD_CA"
	# A serial of both stands on both, with what each key's row says.
	same "$(serials old/0.crl)" '4D01 4D02' 'old serials'
	same "$(serials new/0.crl)" '4D01 4D03' 'new serials'
	openssl crl -inform DER -in "$store/old/0.crl" -noout -text |
	    grep -A 4 'Serial Number: 4D01' | grep -q 'Key Compromise'
	openssl crl -inform DER -in "$store/new/0.crl" -noout -text |
	    grep -A 4 'Serial Number: 4D01' | grep -q 'Cessation Of Operation'
	# Numbers are each name's own.
	[ -s "$state/old/number" ]
	[ -s "$state/new/number" ]
	publish_ok
}

@test "clients take each certificate for what its own key's CRL says" {
	publish_ok
	local both=(old/0.crl new/0.crl) turned=(new/0.crl old/0.crl)
	same "$(judge old-$BOTH "${both[@]}")" 23 'of both keys, old'
	same "$(judge new-$BOTH "${both[@]}")" 23 'of both keys, new'
	same "$(judge old-$OLD "${turned[@]}")" 23 'of the old key'
	same "$(judge new-$NEW "${turned[@]}")" 23 'of the new key'
	# The same serial under the other key is another certificate.
	same "$(judge new-$OLD "${both[@]}")" ok 'not revoked, new'
	same "$(judge old-$NEW "${both[@]}")" ok 'not revoked, old'
	# A CRL of the other key is none for it: 3, unable to get CRL.
	same "$(judge old-$OLD new/0.crl)" 3 'without a CRL of its key'
	same "$(judge new-$NEW old/0.crl)" 3 'without a CRL of its key'
}

@test "verify assigns each CRL to its key, not to its name" {
	publish_ok
	local old=(--issuer-cert "$OLD_CA/issuer.pem")
	local new=(--issuer-cert "$NEW_CA/issuer.pem")
	verifies "${old[@]}" "${new[@]}" "$store"
	verifies "${new[@]}" "${old[@]}" "$store"
	verifies --config etc "$store"
	faulty aki "${old[@]}" "$store"
	faulty signature "${new[@]}" "$store/old/0.crl"
	# Each in the place of the other.
	mkdir -p wrong/old
	keyed old "$NEW_CA"
	store=$PWD/wrong conf=etc/old.cnf publish_configure \
	    gates.allow_empty=yes issuer.name=old store.url="$PWD/wrong" \
	    state.dir="$PWD/wrong.state"
	"$CRLPRESS" publish --quiet --config etc/old.cnf
	rm etc/old.cnf
	keyed old "$OLD_CA"
	faulty 'another issuer than that of the shard with its URL' \
	    --config etc "$PWD/wrong/old/0.crl"
}

# bare CA DIR: a certificate of its key that tells no key identifier, under
# another name.
bare()
{
	mkdir "$2"
	cp "$1/issuer.key" "$2"
	printf '%s\n' '[req]' 'distinguished_name = dn' \
	    'x509_extensions = ca' '[dn]' '[ca]' \
	    'basicConstraints = critical, CA:TRUE' \
	    'keyUsage = critical, keyCertSign, cRLSign' \
	    'subjectKeyIdentifier = none' 'authorityKeyIdentifier = none' \
	    '[own]' 'default_ca = own' "database = $PWD/$2/index.txt" \
	    "crlnumber = $PWD/$2/number" 'default_md = sha256' \
	    'default_crl_days = 3' '[crl]' \
	    'issuingDistributionPoint = critical, @point' '[point]' \
	    'fullname = URI:http://crl.example.com/old/0.crl' \
	    'onlyuser = TRUE' >"$2/ca.cnf"
	: >"$2/index.txt"
	echo 01 >"$2/number"
	openssl req -x509 -new -key "$1/issuer.key" -days 30 \
	    -subj '/O=Example Trust/CN=Bare' -config "$2/ca.cnf" \
	    -out "$2/issuer.pem"
	run ! grep -q 'Key Identifier' <(openssl x509 -noout -text \
	    -in "$2/issuer.pem")
}

@test "certificates without a key identifier are told apart by signature" {
	local certs=(--profile private --issuer-cert new/issuer.pem
	    --issuer-cert old/issuer.pem)
	bare "$OLD_CA" old
	bare "$NEW_CA" new
	keyed old "$PWD/old" issuer.profile=private crl.scope=users
	keyed new "$PWD/new" issuer.profile=private crl.scope=users
	# RFC 5280, 5.2.1: CRLs that do not tell their key are not made.
	publish
	ended 3
	has "$stderr" 'aki, RFC 5280 5.2.1'
	for which in old new; do
		openssl ca -gencrl -name own -config "$which/ca.cnf" \
		    -crlexts crl -cert "$which/issuer.pem" \
		    -keyfile "$which/issuer.key" -out "$which.crl" 2>/dev/null
	done
	# Others' are no worse than that, whichever certificate comes first.
	for which in old new; do
		faulty aki "${certs[@]}" "$which.crl"
		same "$(grep -c . <<<"$stderr")" 1 "lines: $stderr"
	done
	# With the old key's URL, the new key's is another's.
	faulty 'another issuer than that of the shard with its URL' \
	    --config etc new.crl
	run --separate-stderr "$CRLPRESS" verify --quiet --config etc \
	    old.crl
	[[ $stderr != *'another issuer'* ]]
}

@test "the old key's URLs with the new key are refused, and stand" {
	publish_ok
	keyed old "$NEW_CA"
	rm etc/new.cnf
	refused_unchanged 3 'the published CRL has another authority key id'
	# The key alone, which is not the certificate's.
	keyed old "$OLD_CA" issuer.key="$NEW_CA/issuer.key"
	refused_unchanged 2 'is not the key of the issuer certificate'
}

@test "two keys for one set of URLs: refused before anything is made" {
	local urls='http://crl.example.com/old/{shard}.crl'
	keyed new "$NEW_CA" shards.url="$urls" shards.object='new/{shard}.crl'
	refused_unchanged 2 'the URL http://crl.example.com/old/0.crl is that'
	keyed new "$NEW_CA" shards.object='old/{shard}.crl'
	refused_unchanged 2 'the object old/0.crl is that of another file too'
	# One after the other, where neither sees the other's file.
	rm etc/new.cnf
	publish_ok
	keyed old "$OLD_CA"
	mv etc/old.cnf old.cnf
	keyed new "$NEW_CA" shards.object='old/{shard}.crl' shards.url="$urls"
	refused_unchanged 3 'the published CRL has another authority key id'
	has "$stderr" 'same-scope'
	conf=$PWD/old.cnf publish_ok
}

@test "in place, by name: the new key takes over the URLs" {
	publish_ok
	local last
	last=$(crl_field "$store/old/0.crl" number)
	keyed old "$NEW_CA"
	rm etc/new.cnf
	publish --pass same-scope:0 --pass same-scope:1 --issuer old
	ended 0
	signed_by old/0.crl "$NEW_CA"
	[ "$(crl_field "$store/old/0.crl" number)" -gt "$last" ]
	grep -qx '# passed same-scope:0' "$store/old.txt"
	publish_ok
	# What became of the certificates of the old key: no CRL of their key.
	same "$(judge old-$OLD old/0.crl)" 3 'of the old key'
}

@test "a push by certificate is the key's that signed it" {
	publish_ok
	local before
	before=$(sha256sum <"$store/new/0.crl")
	run --separate-stderr "$CRLPRESS" push --config etc --quiet \
	    --certificate "$BATS_FILE_TMPDIR/old-$BOTH.pem"
	ended 0
	same "$(sha256sum <"$store/new/0.crl")" "$before" "the new key's CRL"
	signed_by old/0.crl "$OLD_CA"
	# Not of the one that was named.
	run --separate-stderr "$CRLPRESS" push --config etc --quiet \
	    --issuer new --certificate "$BATS_FILE_TMPDIR/old-$BOTH.pem"
	ended 2
	same "$(sha256sum <"$store/new/0.crl")" "$before" "the new key's CRL"
}

@test "scheme cdp: a row of the other key has no shard here" {
	local which der
	publish_ok
	der=$(openssl x509 -in "$BATS_FILE_TMPDIR/old-$OLD.pem" -outform DER |
	    od -An -v -tx1 | tr -d ' \n')
	cat >cdp.sql <<-END
		SELECT decode('$OLD', 'hex') AS serial,
		    now() - interval '2 hours' AS revoked_at, 4 AS reason,
		    '$(openssl x509 -in "$BATS_FILE_TMPDIR/old-$OLD.pem" \
			-noout -enddate -dateopt iso_8601 |
			cut -d= -f2)'::timestamptz AS not_after,
		    decode('$der', 'hex') AS certificate
	END
	rm -rf "$store" "$state" etc/*
	mkdir "$store"
	keyed old "$OLD_CA" shards.scheme=cdp source.query_file="$PWD/cdp.sql" \
	    source.issuer_id=
	publish_ok
	same "$(serials old/0.crl)" 4D02 serials
	rm etc/*
	keyed new "$NEW_CA" shards.scheme=cdp source.query_file="$PWD/cdp.sql" \
	    source.issuer_id=
	publish
	ended 3
	has "$stderr" unplaced-rows
	[ ! -e "$store/new/0.crl" ]
}
