# SPDX-License-Identifier: ISC
#
# Sources that are no database: the index of a real `openssl ca`, CRLs of it
# and of others, from files and from web servers, and files that are neither.
#
# Variables are those of tests/lib:
# shellcheck disable=SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/sunset.bash
load ../lib/publish.bash

# `openssl ca` as in its manual, with the issuer of tools/make-ca.
ca_configuration()
{
	cat <<-END
	[ca]
	default_ca = this
	[this]
	dir = $1
	database = \$dir/index.txt
	new_certs_dir = \$dir/certs
	serial = \$dir/serial
	crlnumber = \$dir/crlnumber
	certificate = $2/issuer.pem
	private_key = $2/issuer.key
	default_md = sha256
	default_days = 30
	default_crl_days = 7
	policy = policy
	unique_subject = no
	crl_extensions = crl
	[crl]
	authorityKeyIdentifier = keyid
	[policy]
	commonName = supplied
	END
}

openssl_ca()
{
	openssl ca -batch -config "$OSSL/ca.cnf" "$@" >"$OSSL/log" 2>&1 || {
		cat "$OSSL/log"
		return 1
	}
}

# issue NAME [OPTION...]
issue()
{
	openssl req -new -key "$OSSL/key.pem" -subj "/CN=$1" \
	    -out "$OSSL/request.pem"
	openssl_ca -in "$OSSL/request.pem" -notext -out "$OSSL/$1.pem" "${@:2}"
}

# withdraw NAME [OPTION...]
withdraw()
{
	openssl_ca -revoke "$OSSL/$1.pem" "${@:2}"
}

# Certificates revoked for every reason that OpenSSL has, and two that are not.
setup_file()
{
	local ca=$BATS_FILE_TMPDIR/ca reason
	[ -x "$CRLPRESS" ]
	export LC_ALL=C TZ=UTC OSSL=$BATS_FILE_TMPDIR/ossl
	"$PUBLISH_TREE/tools/make-ca" --p256 "$ca"
	mkdir -p "$OSSL/certs" "$BATS_FILE_TMPDIR/crls"
	: >"$OSSL/index.txt"
	echo 0FFE >"$OSSL/serial"
	echo 0100 >"$OSSL/crlnumber"
	ca_configuration "$OSSL" "$ca" >"$OSSL/ca.cnf"
	openssl ecparam -name prime256v1 -genkey -noout -out "$OSSL/key.pem"
	for reason in none unspecified keyCompromise CACompromise \
	    affiliationChanged superseded cessationOfOperation \
	    certificateHold; do
		issue "$reason"
		[ "$reason" = none ] || withdraw "$reason" -crl_reason "$reason"
	done
	withdraw none
	issue hold
	withdraw hold -crl_hold holdInstructionReject
	issue keyTime
	withdraw keyTime -crl_compromise 20260101000000Z
	issue CAkeyTime
	withdraw CAkeyTime -crl_CA_compromise 20260101000000Z
	# What expires is made expired by a run's --now.
	issue short -startdate 20260101000000Z \
	    -enddate "$(date -u -d '+1 day' +%Y%m%d%H%M%SZ)"
	withdraw short -crl_reason superseded
	issue valid
	issue old -startdate 20250101000000Z -enddate 20260101000000Z
	issue old-revoked -startdate 20250101000000Z -enddate 20260101000000Z
	withdraw old-revoked
	openssl_ca -updatedb
	openssl_ca -gencrl -out "$OSSL/crl.pem"
	openssl crl -in "$OSSL/crl.pem" -outform DER -out "$OSSL/crl.der"
	/usr/bin/python3 "$PUBLISH_TREE/tests/lib/source_crls.py" "$ca" \
	    "$BATS_FILE_TMPDIR/crls"
}

setup()
{
	export LC_ALL=C TZ=UTC
	unset CRLPRESS_CONFIG http_proxy HTTP_PROXY https_proxy HTTPS_PROXY \
	    all_proxy ALL_PROXY
	cd "$BATS_TEST_TMPDIR" || return 1
	CRLS=$BATS_FILE_TMPDIR/crls
	dir=$(mktemp -d "${TMPDIR:-/tmp}/source.XXXXXX")
	chmod 755 "$dir"
}

teardown()
{
	sunset_stop
	rm -rf "${dir:?}"
}

# source_new SOURCE [SETTING...]: an issuer f1 with it.
source_new()
{
	settings=(source.conninfo= source.issuer_id= issuer.profile=private
	    shards.scheme=serial-mod "source.source=$1" "${@:2}")
	publish_new f1 "${settings[@]}"
}

# entries FILE...: serial, date and reason of each, as `openssl crl` reads.
entries()
{
	local file form
	for file; do
		form=DER
		! grep -q BEGIN "$file" || form=PEM
		openssl crl -inform "$form" -in "$file" -noout -text
	done | awk '
	function flush()
	{
		if (serial != "")
			print serial "|" date "|" reason
		serial = reason = ""
	}
	/Serial Number: / {
		flush()
		serial = $3
	}
	/Revocation Date: / {
		sub(/.*Date: /, "")
		date = $0
	}
	/CRL Reason Code:/ {
		getline
		sub(/^ */, "")
		reason = $0 == "Unspecified" ? "" : $0
	}
	/Signature/ {
		flush()
	}
	END {
		flush()
	}' | sort
}

# The shards have what the CRL has, each entry where its serial belongs.
published_is()
{
	local serial
	entries "$1" >want
	[ -s want ]
	entries "$store"/f1/*.crl >have
	diff want have
	for serial in $(crl_field "$store/f1/1.crl" serials); do
		((16#$serial % 2 == 1)) || return 1
	done
	for serial in $(crl_field "$store/f1/0.crl" serials); do
		((16#$serial % 2 == 0)) || return 1
	done
	run "$CRLPRESS" verify --config "$conf" "$store"
	ended 0
}

nothing_published()
{
	same "$(find "$store" -name '*.crl' -o -name '*.txt')" '' store
}

# refused TEXT [STATUS]: a run publishes nothing, and says this.
refused()
{
	publish
	ended "${2:-3}"
	has "$stderr" "$1"
	nothing_published
}

@test "the index of openssl ca: every entry, with each reason" {
	grep -q '^E' "$OSSL/index.txt"
	[ "$(grep -c '^R' "$OSSL/index.txt")" -eq 13 ]
	source_new "index:$OSSL/index.txt" source.lookback=36500d
	publish
	ended 0
	same "$stderr" "note: $OSSL/index.txt: 2 revocations have an \
invalidity date, which is left out: revocationDate alone is published" stderr
	has "$output" '13 rows = 13 listed'
	published_is "$OSSL/crl.pem"
	has "$(<"$manifest")" '# edition index 15 '
	[[ $(<"$manifest") != *'# position '* ]]
	# Of these one has expired, which this run proves: RFC 5280, 3.3.
	publish
	ended 0
	has "$output" '13 rows = 12 listed + 1 expired'
}

@test "an index tells when certificates expire, and so they leave" {
	local after
	source_new "index:$OSSL/index.txt" source.lookback=20d
	# What expired before the lookback is not asked for.
	publish
	ended 0
	has "$output" '12 rows = 12 listed'
	serial=$(openssl x509 -in "$OSSL/short.pem" -noout -serial)
	serial=${serial#serial=}
	grep -q "^$serial|" <(entries "$store"/f1/*.crl)
	after=$(($(date +%s) + 2 * 86400))
	publish --now "$(iso "$after")" --pass clock
	ended 0
	grep -q "^$serial|" <(entries "$store"/f1/*.crl)
	publish --now "$(iso $((after + 3600)))" --pass clock
	ended 0
	has "$output" '11 listed + 1 expired'
	! grep -q "^$serial|" <(entries "$store"/f1/*.crl) || return 1
	# And others stay.
	[ "$(entries "$store"/f1/*.crl | wc -l)" -eq 11 ]
}

@test "a revocation that a late copy brings is listed, if expired long ago" {
	local line='R\t%s\t%s\t%s\tunknown\t/CN=a\n' when
	short_ago()
	{
		date -u -d "$1 ago" +%y%m%d%H%M%SZ
	}
	listed()
	{
		same "$(crl_field "$store/f1/0.crl" serials)" "$1" 'shard 0'
	}
	source_new index:index.txt
	# shellcheck disable=SC2059
	printf "$line" 301231000000Z "$(short_ago '2 days')" 02 >f1/index.txt
	for when in 6 5 4; do
		publish --now "$(iso $(($(date +%s) - when * 3600)))"
		ended 0
	done
	# Revoked before the CRL that stands, and expired before that, too.
	# shellcheck disable=SC2059
	printf "$line" "$(short_ago '7 hours')" "$(short_ago '8 hours')" 04 \
	    >>f1/index.txt
	publish --now "$(iso $(($(date +%s) - 3 * 3600)))"
	ended 0
	listed $'02\n04'
	# Once, and then it has left for good.
	for when in 2 1 0; do
		publish --now "$(iso $(($(date +%s) - when * 3600)))"
		ended 0
		listed 02
	done
	# Of a shard that was withheld when it came, as well.
	# shellcheck disable=SC2059
	printf "$line" "$(short_ago '4 hours')" "$(short_ago '5 hours')" 06 \
	    301231000000Z 20491231000000Z 08 >>f1/index.txt
	publish
	ended 3
	listed 02
	sed -i '$d' f1/index.txt
	publish --pass db-fresh
	ended 0
	grep -q '^06$' <(crl_field "$store/f1/0.crl" serials)
	publish
	ended 0
	listed 02
}

@test "a date in the future is a fault of its row, not of the next index" {
	source_new index:index.txt
	printf 'R\t301231000000Z\t%s\t%s\tunknown\t/CN=a\n' \
	    260101000000Z 02 20491231000000Z 03 >f1/index.txt
	publish
	ended 3
	has "$stderr" 'f1/shard 1/row 03: rows, BR 4.9.7: revoked_at lies in'
	has "$(<"$manifest")" '# edition index 2 2026-01-01T00:00:00Z'
	sed -i 's/20491231000000Z/260102000000Z/' f1/index.txt
	publish
	ended 0
	has "$(<"$manifest")" '# edition index 2 2026-01-02T00:00:00Z'
}

@test "the scheme expiry goes with an index" {
	source_new "index:$OSSL/index.txt" shards.scheme=expiry \
	    shards.anchor=2026-01-01T00:00:00Z shards.chunk=90d
	publish
	ended 0
	[ "$(entries "$store"/f1/*.crl | wc -l)" -eq 12 ]
}

@test "a CRL of openssl ca: DER, PEM and a file URL, every entry" {
	local place
	for place in "$OSSL/crl.der" "$OSSL/crl.pem" "file://$OSSL/crl.der" \
	    relative.crl; do
		rm -rf f1
		source_new "crl:$place"
		cp "$OSSL/crl.der" f1/relative.crl
		publish
		ended 0
		has "$output" '13 rows = 13 listed'
		published_is "$OSSL/crl.pem"
		has "$(<"$manifest")" '# edition crl 256 '
	done
	# The other strangers read the same.
	/usr/bin/python3 - "$OSSL/crl.der" <<-'END' >rows
	import calendar, sys
	from cryptography import x509
	crl = x509.load_der_x509_crl(open(sys.argv[1], "rb").read())
	names = ["unspecified", "keyCompromise", "cACompromise",
	         "affiliationChanged", "superseded", "cessationOfOperation",
	         "certificateHold"]
	for entry in crl:
	    try:
	        reason = entry.extensions.get_extension_for_class(
	            x509.CRLReason).value.reason.value
	    except x509.ExtensionNotFound:
	        reason = "unspecified"
	    print("%d,%x,%d,%s" % (
	        entry.serial_number % 2, entry.serial_number,
	        calendar.timegm(entry.revocation_date.timetuple()),
	        names.index(reason) or ""))
	END
	[ "$(wc -l <rows)" -eq 13 ]
	"$PUBLISH_TREE/tools/compare-entries" --rows rows \
	    --issuer "$ca/issuer.pem" --url-pattern "$url" \
	    "$store/f1/0.crl" "$store/f1/1.crl"
}

@test "an entry of a CRL never expires, and one that vanishes closes its gate" {
	source_new "crl:$CRLS/good.crl"
	publish_ok
	publish --now "$(iso $(($(date +%s) + 5 * 86400)))" --pass clock
	ended 0
	has "$output" '2 listed + 0 expired'
	rm -rf f1
	source_new "crl:f.crl"
	cp "$CRLS/good.crl" f1/f.crl
	publish_ok
	cp "$CRLS/fewer.crl" f1/f.crl
	publish
	ended 3
	has "$stderr" 'f1/shard 0: no-early-removal, RFC 5280, 3.3: serial 1000'
	same "$(crl_field "$store/f1/0.crl" serials)" 1000 'shard 0'
	publish --pass no-early-removal:0 --pass shard-floor:0 --pass floor
	ended 0
	same "$(crl_field "$store/f1/0.crl" serials)" '' 'shard 0'
	same "$(crl_field "$store/f1/1.crl" serials)" 1001 'shard 1'
}

@test "a source that went back, or is out of date, closes db-fresh" {
	local file
	source_new crl:f.crl
	cp "$CRLS/good.crl" f1/f.crl
	publish_ok
	has "$(<"$manifest")" '# edition crl 7 '
	for file in older-number older-time numberless expired; do
		cp "$CRLS/$file.crl" f1/f.crl
		publish
		ended 3
		has "$stderr" 'f1: db-fresh, house rule: '
		has "$stderr" f.crl
	done
	has "$stderr" 'is out of date, have nextUpdate'
	# A trial says so beforehand.
	run "$CRLPRESS" check-config -q --online --config "$conf"
	ended 3
	has "$output" 'f1: db-fresh, house rule: '
	has "$output" 'f.crl is out of date, have nextUpdate '
	cp "$CRLS/newer.crl" f1/f.crl
	publish_ok
	cp "$CRLS/good.crl" f1/f.crl
	publish
	ended 3
	has "$stderr" 'is behind the last manifest, have crlNumber 7, want at '
	publish --pass db-fresh
	ended 0
	has "$(<"$manifest")" '# passed db-fresh'
	has "$(<"$manifest")" '# edition crl 7 '
	cp "$CRLS/older-time.crl" f1/f.crl
	publish
	ended 3
	has "$stderr" 'is behind the last manifest, have thisUpdate '
	cp "$CRLS/future.crl" f1/f.crl
	publish
	ended 3
	has "$stderr" 'f1: clock, RFC 5280, 5.1.2.4: the clock here is behind'
	run "$CRLPRESS" check-config -q --online --config "$conf"
	ended 3
	has "$output" 'f1: clock, RFC 5280, 5.1.2.4: the clock here is behind'
	# Another kind of source than the one before.
	publish_configure "${settings[@]}" "source.source=index:$OSSL/index.txt"
	publish
	ended 3
	has "$stderr" 'another kind of source, have index, want the crl'
	# A server that does not tell its position leaves neither line.
	publish_configure "${settings[@]}"
	sed -i '/^# edition /d;$d' "$manifest"
	printf '# end %s\n' "$(cksum <"$manifest")" >>"$manifest"
	cp "$CRLS/newer.crl" f1/f.crl
	publish
	ended 3
	has "$stderr" 'another kind of source, have crl, want the database'
}

@test "an index that lost a line or a revocation closes db-fresh" {
	source_new index:index.txt
	cp "$OSSL/index.txt" f1/index.txt
	publish
	ended 0
	sed -i '/CN=valid$/d' f1/index.txt
	publish
	ended 3
	has "$stderr" 'behind the last manifest, have certificates 14, want at '
	sed 's/^R\([^Z]*Z.\).*Z\(.*CN=old-revoked\)$/E\1\2/' \
	    "$OSSL/index.txt" >f1/index.txt
	sed -E -i 's/\t2[0-9]*Z((,[^\t]*)?\t[0-9A-F]+\tu)/\t261101000000Z\1/' \
	    f1/index.txt
	publish
	ended 3
	has "$stderr" 'behind the last manifest, have latest revocation 2026-'
}

@test "CRLs that nothing may be taken from" {
	local file text count=0
	while IFS='|' read -r file text; do
		rm -rf f1
		source_new "crl:$CRLS/$file.crl"
		refused "$CRLS/$file.crl: source, $text"
		count=$((count + 1))
	done <<-'END'
	delta|RFC 5280, 5.2.4: a delta CRL
	users|RFC 5280, 5.2.5: a CRL for certificates of one type only
	cas|RFC 5280, 5.2.5: a CRL for certificates of one type only
	indirect|RFC 5280, 5.2.5: an indirect CRL
	reasons|RFC 5280, 5.2.5: a CRL for some reasons only
	point|RFC 5280, 5.2.5: the CRL of one distribution point
	critical|RFC 5280, 5.2: a critical extension
	entry-issuer|RFC 5280, 5.3.3: the entry of serial 1000 names another
	entry-critical|RFC 5280, 5.3: the entry of serial 1000 has a critical
	root|RFC 5280, 6.3.3 (b): another issuer's CRL, have CN=
	forged|RFC 5280, 6.3.3 (f): its signature is not that of
	flipped|RFC 5280, 6.3.3 (f): its signature is not that of
	truncated|
	trailing|
	zeros|
	empty|RFC 5280, 5.1: it is empty
	END
	[ "$count" -eq 16 ]
	for file in harmless numberless; do
		rm -rf f1
		source_new "crl:$CRLS/$file.crl"
		publish_ok
	done
	rm -rf f1
	source_new "crl:$CRLS/invalidity.crl"
	publish
	ended 0
	same "$stderr" "note: $CRLS/invalidity.crl: 1 entries have an \
invalidityDate, which is left out: revocationDate alone is published" stderr
}

@test "a CRL of another signer is read by crl_issuer" {
	source_new "crl:$CRLS/root.crl" "source.crl_issuer=$BATS_FILE_TMPDIR/\
ca/root.pem"
	publish_ok
	[ "$(entries "$store"/f1/*.crl | wc -l)" -eq 2 ]
	publish_configure "${settings[@]}" \
	    "source.crl_issuer=$BATS_FILE_TMPDIR/crls/good.crl"
	publish
	ended 2
}

@test "PEM that is not one CRL" {
	source_new crl:f.crl
	{ cat "$OSSL/crl.pem" "$OSSL/crl.pem"; } >f1/f.crl
	refused 'RFC 7468, 6: not a CRL: more than one PEM text'
	cp "$BATS_FILE_TMPDIR/ca/issuer.pem" f1/f.crl
	refused 'RFC 7468, 6: not a CRL: PEM text does not begin with'
	head -n -2 "$OSSL/crl.pem" >f1/f.crl
	refused 'RFC 7468, 6: not a CRL: '
}

@test "lines that are not of an index stop all of it" {
	local line text count=0
	source_new index:index.txt
	while IFS='|' read -r line text; do
		# shellcheck disable=SC2059 # escapes are what is wanted
		{ cat "$OSSL/index.txt"; printf "$line"; } >f1/index.txt
		refused "index.txt: source, openssl-ca(1): line 16: $text"
		count=$((count + 1))
	done <<-'END'
	V\t271122050949Z\t\t2000\tunknown\t/CN=a|the last line has no end
	\n|fewer than six fields
	V\t271122050949Z\t\t2000\tunknown\t/CN=a\0b\n|a NUL
	V\t271122050949Z\t\t2000\tunknown\t/CN=a\r\n|a control character
	S\t271122050949Z\t\t2000\tunknown\t/CN=a\n|a state that is not
	V\t27112205094Z\t\t2000\tunknown\t/CN=a\n|a notAfter that is no time
	V\t271122050949Z\t\t20x0\tunknown\t/CN=a\n|a serial that is not hex
	R\t271122050949Z\t\t2000\tunknown\t/CN=a\n|revoked without
	R\t271122050949Z\t261122050949Z,1\t2000\tunknown\t/CN=a\n|a reason that
	V\t271122050949Z\t\t2000\tunknown\tCN=a\n|a subject that
	END
	[ "$count" -eq 10 ]
	# In two lines, whichever states they have.
	{ cat "$OSSL/index.txt"; printf \
	    'V\t271122050949Z\t\t01000\tunknown\t/CN=a\n'; } >f1/index.txt
	refused 'RFC 5280, 4.1.2.2: serial 1000 stands in two lines, 3 and 16'
	# A comment, an odd serial, a tab in a name, years of four digits.
	{
		cat "$OSSL/index.txt"
		printf '# a comment\n'
		printf '%s\t' R 20271122050949Z 20251122050949Z abc unknown
		printf '/CN=a\\\tb\n'
	} >f1/index.txt
	publish
	ended 0
	grep -q '^0ABC|Nov 22 05:09:49 2025 GMT|$' <(entries "$store"/f1/0.crl)
}

@test "a row that no CRL can have withholds its shard" {
	source_new index:index.txt
	sed 's/,superseded/,removeFromCRL/' "$OSSL/index.txt" >f1/index.txt
	publish
	ended 3
	has "$stderr" 'reason is 8 (removeFromCRL), for delta CRLs'
	run "$CRLPRESS" check-config --online --config "$conf"
	ended 3
	has "$output" '2 rows would be refused: reason is 8 (removeFromCRL)'
}

@test "files that are none" {
	source_new crl:f.crl
	refused 'f.crl: source: cannot be opened: No such file' 1
	mkdir f1/f.crl
	refused 'f.crl: source, house rule: not a regular file'
	rmdir f1/f.crl
	mkfifo f1/f.crl
	refused 'f.crl: source, house rule: not a regular file'
	rm f1/f.crl
	ln -s f.crl f1/f.crl
	refused 'f.crl: source: cannot be opened: Too many levels of symbolic' 1
	ln -sf /dev/zero f1/f.crl
	refused 'f.crl: source, house rule: not a regular file'
	rm f1/f.crl
	truncate -s 1G f1/f.crl
	refused 'f.crl: source, house rule: larger than it may be, want at'
	cp "$OSSL/crl.der" f1/f.crl
	truncate -s 2K f1/f.crl
	publish_configure "${settings[@]}" source.size_most=1024
	refused 'larger than it may be, want at most 1024 octets'
	# An index without a certificate is one.
	: >f1/empty
	publish_configure "${settings[@]}" source.source=index:empty
	refused 'f1: db-scope, house rule: '
	publish_configure "${settings[@]}" source.source=index:empty \
	    gates.allow_empty=yes
	publish_ok
}

@test "a URL: redirects, other answers and other servers are faults" {
	local port tls file
	port=$(free_port)
	mkdir "$dir/web"
	cp "$OSSL/crl.der" "$OSSL/crl.pem" "$dir/web"
	cp "$CRLS/forged.crl" "$dir/web"
	: >"$dir/web/nothing"
	chmod -R a+rX "$dir"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$dir/key.pem" -days 2 -subj /CN=web -out "$dir/cert.pem" \
	    -addext subjectAltName=IP:127.0.0.1 2>/dev/null
	cat >"$dir/site" <<-END
	server {
		listen 127.0.0.1:$port;
		root $dir/web;
		location = /moved { return 302 /crl.der; }
	}
	END
	nginx_start "$port" "$dir/site"
	for file in crl.der crl.pem; do
		rm -rf f1
		source_new "crl:http://127.0.0.1:$port/$file"
		publish
		ended 0
		published_is "$OSSL/crl.pem"
	done
	rm -rf f1
	source_new "crl:http://127.0.0.1:$port/moved"
	refused 'cannot be fetched: have HTTP status 302, want 200' 1
	has "$stderr" 'redirects are not followed'
	publish_configure "${settings[@]}" "source.source=crl:http://127.0.0.1:\
$port/missing"
	refused 'cannot be fetched: have HTTP status 404, want 200' 1
	publish_configure "${settings[@]}" "source.source=crl:http://127.0.0.1:\
$port/nothing"
	refused 'source, RFC 5280, 5.1: it is empty'
	publish_configure "${settings[@]}" "source.source=crl:http://127.0.0.1:\
$port/forged.crl"
	refused 'its signature is not that of'
	publish_configure "${settings[@]}" "source.source=crl:http://127.0.0.1:\
$port/crl.pem" source.size_most=1024
	refused 'larger than it may be, want at most 1024 octets'
	publish_configure "${settings[@]}" \
	    "source.source=crl:http://127.0.0.1:$(free_port)/crl.der"
	refused 'cannot be fetched: ' 1
	tls=$(free_port)
	sed "s/:$port;/:$tls ssl;\n\tssl_certificate \
${dir//\//\\/}\/cert.pem;\n\tssl_certificate_key \
${dir//\//\\/}\/key.pem;/" "$dir/site" >"$dir/tls"
	nginx_start "$tls" "$dir/tls"
	publish_configure "${settings[@]}" \
	    "source.source=crl:https://127.0.0.1:$tls/crl.der"
	refused 'cannot be fetched: ' 1
	publish_configure "${settings[@]}" \
	    "source.source=crl:https://127.0.0.1:$tls/crl.der" \
	    "source.crl_ca_file=$dir/cert.pem"
	publish
	ended 0
	published_is "$OSSL/crl.pem"
}

push_serial()
{
	run --separate-stderr "$CRLPRESS" push --config "$conf" --serial "$@"
}

@test "a push reads the file again" {
	source_new index:index.txt
	cp "$OSSL/index.txt" f1/index.txt
	publish
	ended 0
	valid=$(openssl x509 -in "$OSSL/valid.pem" -noout -serial)
	valid=${valid#serial=}
	push_serial "$valid"
	ended 3
	has "$stderr" "serial ${valid,,} is not revoked"
	sed -i "s/^V\(\t[0-9]*Z\t\)\(\t$valid\t\)/R\1$(date -u -d \
'1 minute ago' +%y%m%d%H%M%SZ),superseded\2/" f1/index.txt
	grep -q "superseded.$valid" f1/index.txt
	push_serial "$valid"
	ended 0
	grep -q "^$valid|.*|Superseded$" <(entries "$store"/f1/*.crl)
	# A CRL, too.
	rm -rf f1
	source_new crl:f.crl
	cp "$CRLS/fewer.crl" f1/f.crl
	sed -i 's/^source = .*/source = crl:f.crl/' "$conf"
	publish_ok
	same "$(crl_field "$store/f1/0.crl" serials)" '' 'shard 0'
	cp "$CRLS/good.crl" f1/f.crl
	push_serial 1000
	ended 3
	has "$stderr" 'have crlNumber 7, want at least 9'
	push_serial 1000 --pass db-fresh
	ended 0
	same "$(crl_field "$store/f1/0.crl" serials)" 1000 'shard 0'
}

@test "what a file cannot do is refused" {
	local key
	source_new "crl:$CRLS/good.crl"
	for key in shards.scheme=column shards.scheme=cdp \
	    source.query_file=a.sql source.issuer_id=f1 \
	    source.connections=2 source.lookback=9d \
	    ocsp.query_file=a.sql source.source=index:http://a/b \
	    source.source=good.crl source.source=crl: \
	    source.source=database:x source.source=crl:ftp://a/b \
	    source.source=crl:http://u:secret@a/b \
	    source.source=crl:http://a; do
		publish_configure "${settings[@]}" "$key"
		run "$CRLPRESS" check-config --config "$conf"
		ended 2
		[[ $output != *secret* ]]
	done
	publish_configure "${settings[@]}" shards.scheme=expiry \
	    shards.anchor=2026-01-01T00:00:00Z shards.chunk=90d
	run "$CRLPRESS" check-config --config "$conf"
	ended 2
	has "$output" 'a CRL does not tell when certificates expire'
	publish_configure "${settings[@]}" source.source= \
	    source.crl_issuer="$ca/issuer.pem"
	run "$CRLPRESS" check-config --config "$conf"
	ended 2
	has "$output" '[source] crl_issuer: a source that is a database has no '
	publish_configure "${settings[@]}"
	run "$CRLPRESS" revoke --config "$conf" --serial 77 --reason superseded
	ended 2
	has "$output" 'rows come from a file, have crl:'
	run "$CRLPRESS" publish --share --config "$conf"
	ended 2
	has "$output" 'hosts share the snapshot of a database, and the source'
	nothing_published
}

@test "a trial and a dry run tell what there is" {
	source_new "crl:$OSSL/crl.pem"
	run --separate-stderr "$CRLPRESS" check-config --online --config "$conf"
	ended 0
	has "$output" "# crl:$OSSL/crl.pem"
	has "$output" '#   crlNumber 256, thisUpdate 20'
	has "$output" '# f1: 13 rows, 0 to be refused'
	publish --dry-run
	ended 0
	has "$output" '13 rows = 13 listed'
	nothing_published
	publish_configure "${settings[@]}" "source.source=index:$OSSL/index.txt"
	run --separate-stderr "$CRLPRESS" check-config --online --config "$conf"
	ended 0
	has "$output" "# index:$OSSL/index.txt
#   15 certificates"
}

# Lines of the document that are set off, from the heading on.
documented()
{
	sed -n '/^## No database/,$s/^    //p' "$PUBLISH_TREE/docs/sources.md"
}

@test "docs/sources.md, as it stands there: from either to a verified store" {
	local place line count
	grep -E '^V|superseded' "$OSSL/index.txt" >index.txt
	for place in "crl:$CRLS/good.crl" "index:$PWD/index.txt"; do
		rm -rf srv lib
		mkdir srv
		cp "$BATS_FILE_TMPDIR/ca"/issuer.* .
		documented | grep -v '^crlpress ' | sed "
		    s|crl:/var/lib/ca/issuer.crl|$place|
		    s|/srv/crl|$PWD/srv|
		    s|/var/lib/crlpress|$PWD/lib|" >issuer.cnf
		grep -qF "$place" issuer.cnf
		count=0
		while read -r line; do
			line=${line/#crlpress/"$CRLPRESS"}
			run bash -c "${line/\/srv\/crl/$PWD\/srv}"
			ended 0
			count=$((count + 1))
		done < <(documented | grep '^crlpress ')
		[ "$count" -eq 3 ]
		[ "$(find srv -name '*.crl' | wc -l)" -eq 16 ]
		[ "$(entries srv/issuer/*.crl | wc -l)" -eq 2 ]
	done
}

@test "what is signed elsewhere comes back to a source that is no older" {
	source_new crl:f.crl issuer.key=none
	printf '%s\n' '[issuer]' 'name = f1' 'profile = private' \
	    "certificate = $ca/issuer.pem" "key = $ca/issuer.key" \
	    '[state]' "dir = $work/there" >f1/sign.cnf
	cp "$CRLS/newer.crl" f1/f.crl
	publish --stage-tbs box
	ended 0
	has "$(<box/request.txt)" '# edition crl 8 '
	run "$CRLPRESS" sign --yes --config f1/sign.cnf box
	ended 0
	cp "$CRLS/good.crl" f1/f.crl
	publish --signed box
	ended 3
	has "$stderr" 'is behind the request, have crlNumber 7, want at least 8'
	nothing_published
	cp "$CRLS/newer.crl" f1/f.crl
	publish --signed box
	ended 0
	has "$(<"$manifest")" '# edition crl 8 '
	[ "$(entries "$store"/f1/*.crl | wc -l)" -eq 2 ]
}

@test "what comes late while it is signed elsewhere is listed by the next" {
	local line='R\t%s\t%s\t%s\tunknown\t/CN=a\n' now
	now=$(date +%s)
	utc()
	{
		date -u -d "@$((now - $1 * 3600))" +%y%m%d%H%M%SZ
	}
	source_new index:index.txt
	printf '%s\n' '[issuer]' 'name = f1' 'profile = private' \
	    "certificate = $ca/issuer.pem" "key = $ca/issuer.key" \
	    '[state]' "dir = $work/there" >f1/sign.cnf
	# shellcheck disable=SC2059
	printf "$line" 301231000000Z "$(utc 48)" 02 >f1/index.txt
	publish --now "$(iso $((now - 6 * 3600)))"
	ended 0
	publish --now "$(iso $((now - 5 * 3600)))"
	ended 0
	publish --stage-tbs box --now "$(iso $((now - 4 * 3600)))"
	ended 0
	run "$CRLPRESS" sign --yes --config f1/sign.cnf box
	ended 0
	# shellcheck disable=SC2059
	printf "$line" "$(utc 7)" "$(utc 8)" 04 >>f1/index.txt
	publish --signed box
	ended 0
	# What the CRLs were made of.
	has "$(<"$manifest")" '# edition index 1 '
	publish
	ended 0
	same "$(crl_field "$store/f1/0.crl" serials)" $'02\n04' 'shard 0'
}

@test "what proves what was signed elsewhere is current now, not then" {
	source_new crl:f.crl issuer.key=none
	printf '%s\n' '[issuer]' 'name = f1' 'profile = private' \
	    "certificate = $ca/issuer.pem" "key = $ca/issuer.key" \
	    '[state]' "dir = $work/there" >f1/sign.cnf
	cp "$CRLS/expired.crl" f1/f.crl
	publish --stage-tbs box --now "$(iso $(($(date +%s) - 45 * 60)))"
	ended 0
	run "$CRLPRESS" sign --yes --config f1/sign.cnf box
	ended 0
	publish --signed box
	ended 3
	has "$stderr" 'f1: db-fresh, house rule: '
	has "$stderr" 'is out of date, have nextUpdate'
	nothing_published
	cp "$CRLS/good.crl" f1/f.crl
	publish --signed box
	ended 0
}

@test "a CRL of GnuTLS" {
	printf '%s\n' 'crl_next_update = 7' 'crl_number = 9' >template
	certtool --generate-crl --outfile gnutls.pem --template template \
	    --load-ca-privkey "$BATS_FILE_TMPDIR/ca/issuer.key" \
	    --load-ca-certificate "$BATS_FILE_TMPDIR/ca/issuer.pem" \
	    --load-certificate "$OSSL/valid.pem" 2>log || {
		cat log
		return 1
	}
	source_new "crl:$PWD/gnutls.pem"
	# Its thisUpdate is now, and a clock has no fractions here.
	publish
	ended 0
	published_is gnutls.pem
}
