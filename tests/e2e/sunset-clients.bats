# SPDX-License-Identifier: ISC
#
# ocsp-sunset and the clients that go on asking: OpenSSL, GnuTLS, curl, nginx
# and Apache that staple, Java. What each does with each mode stands in
# ocsp-sunset(8), CLIENTS.
#
# What a test works with is set by what is loaded:
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0
load ../lib/sunset.bash

setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem \
	    -subj '/O=Example/CN=Sunset Test CA' -days 30 -batch \
	    -addext 'basicConstraints=critical,CA:TRUE' \
	    -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
	openssl req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr \
	    -subj /CN=localhost -batch 2>/dev/null
}

setup()
{
	sunset_env
	ca=$BATS_FILE_TMPDIR/ca.pem
	cp "$BATS_FILE_TMPDIR/leaf.key" .
	port=$(free_port)
	url=http://127.0.0.1:$port/
	leaf_make
}

teardown()
{
	sunset_end
}

# A certificate that names the responder of this test.
leaf_make()
{
	printf '%s\n' "authorityInfoAccess=OCSP;URI:$url" \
	    'subjectAltName=DNS:localhost,IP:127.0.0.1' \
	    'basicConstraints=CA:FALSE' 'extendedKeyUsage=serverAuth' >leaf.ext
	openssl x509 -req -in "$BATS_FILE_TMPDIR/leaf.csr" -CA "$ca" \
	    -CAkey "$BATS_FILE_TMPDIR/ca.key" -set_serial "0x$(openssl rand \
	    -hex 15)" -days 20 -extfile leaf.ext -out leaf.pem 2>/dev/null
	cat leaf.pem "$ca" >chain.pem
}

# sunset_start MODE: the server, at $port.
sunset_start()
{
	{
		printf '%s\n' '[server]' "listen = 127.0.0.1:$port" \
		    "counts = $PWD/counts" \
		    'last_expiry = 2020-01-01T00:00:00Z' "mode = $1"
		[ "$(id -u)" -ne 0 ] || echo "user = $(server_user)"
	} >sunset.cnf
	: >sunset.log
	server_start "$port" sunset.log "$OCSP_SUNSET" serve sunset.cnf
}

# A request for the certificate as DER, with openssl's arguments.
request()
{
	openssl ocsp -issuer "$ca" -cert leaf.pem -reqout request.der "$@"
}

# s_client's view of the stapled response of port $1.
stapled()
{
	openssl s_client -connect "127.0.0.1:$1" -servername localhost \
	    -CAfile "$ca" -status </dev/null 2>&1
}

# log_wait FILE TEXT: until the text is there, two minutes at most.
log_wait()
{
	local i
	for ((i = 0; i < 1200; i++)); do
		! grep -q -e "$2" "$1" || return 0
		sleep 0.1
	done
	echo "not in $1: $2" >&2
	cat "$1" >&2
	return 1
}

@test "openssl ocsp, POST and GET: the error it is told" {
	local mode want
	while read -r mode want; do
		sunset_start "$mode"
		run ! openssl ocsp -issuer "$ca" -cert leaf.pem -url "$url" \
		    -CAfile "$ca"
		has "$output" "Responder Error: $want"
		# By GET, as RFC 6960, A.1 wants the path, and as browsers
		# write it.
		request -no_nonce
		path=$(openssl base64 -A -in request.der)
		for path in "$path" "$(sed 's|/|%2F|g; s|+|%2B|g; s|=|%3D|g' \
		    <<<"$path")"; do
			fetch "$url$path"
			same "$code" 200 status
			same "$(field content-type)" \
			    application/ocsp-response type
			run ! openssl ocsp -respin body
			has "$output" "Responder Error: $want"
		done
		sunset_stop
	done <<-'END'
	unauthorized unauthorized (6)
	trylater trylater (3)
	internalerror internalerror (2)
	END
}

@test "openssl ocsp: HTTP statuses and a closed connection are errors, too" {
	local mode
	for mode in 410 404 503 close; do
		sunset_start "$mode"
		run ! openssl ocsp -issuer "$ca" -cert leaf.pem -url "$url" \
		    -CAfile "$ca"
		has "$output" 'Error querying OCSP responder'
		sunset_stop
	done
}

@test "GnuTLS: ocsptool --ask is told the status" {
	local mode
	for mode in unauthorized trylater internalerror; do
		sunset_start "$mode"
		run ! ocsptool --ask="$url" --load-issuer "$ca" \
		    --load-cert leaf.pem
		has "${output,,}" "response status: ${mode/error/ error}" ||
		    has "${output,,}" "response status: $mode"
		sunset_stop
	done
	for mode in 410 close; do
		sunset_start "$mode"
		run ! ocsptool --ask="$url" --load-issuer "$ca" \
		    --load-cert leaf.pem
		run ! grep -i 'response status' <<<"$output"
		sunset_stop
	done
}

@test "what the libraries reveal is counted, and nobody is" {
	sunset_start unauthorized
	openssl ocsp -issuer "$ca" -cert leaf.pem -url "$url" >said 2>&1 || true
	openssl ocsp -no_nonce -sha256 -issuer "$ca" -cert leaf.pem \
	    -url "$url" >said 2>&1 || true
	request -no_nonce
	fetch "$url$(openssl base64 -A -in request.der)"
	fetch "$url"
	sunset_stop
	sed -E -e 's/^[^ ]+Z host=other issuer=other //' -e '/ up=/d' counts |
	    sort >have
	diff have - <<-'END'
	method=get mode=health nonce=no hash=none count=1
	method=get mode=unauthorized nonce=no hash=sha1 count=1
	method=post mode=unauthorized nonce=no hash=sha256 count=1
	method=post mode=unauthorized nonce=yes hash=sha1 count=1
	END
	serial=$(openssl x509 -in leaf.pem -noout -serial)
	run ! grep -ri -e "${serial#serial=}" -e 127.0.0.1 counts
	run ! grep -i -e "${serial#serial=}" sunset.log
	# And the report reads what the server writes.
	run --separate-stderr "$OCSP_SUNSET" report counts
	same "$status" 3 'exit status'
	has "$output" ': 3 requests, 3 of them OCSP'
	has "$output" 'beside them: 0 malformed, 1 health'
}

# nginx_stapling PORT
nginx_stapling()
{
	cat >staple.conf <<-END
	server {
		listen 127.0.0.1:$1 ssl;
		ssl_certificate $PWD/chain.pem;
		ssl_certificate_key $PWD/leaf.key;
		ssl_trusted_certificate $ca;
		ssl_stapling on;
		ssl_stapling_verify on;
		return 200;
	}
	END
	nginx_start "$1" "$PWD/staple.conf"
}

@test "nginx staples nothing, whatever the mode, and mostly says why" {
	local mode want tls
	while read -r mode want; do
		rm -f counts
		tls=$(free_port)
		sunset_start "$mode"
		nginx_stapling "$tls"
		# It asks when the first client comes.
		has "$(stapled "$tls")" 'OCSP response: no response sent'
		[ -z "$want" ] || log_wait "nginx.$tls/log" "$want"
		has "$(stapled "$tls")" 'OCSP response: no response sent'
		# And the connection is good.
		fetch --cacert "$ca" "https://127.0.0.1:$tls/"
		same "$code" 200 status
		# An HTTP status is not worth a line to it.
		[ -n "$want" ] || run ! grep OCSP "nginx.$tls/log"
		sunset_stop
		grep -q "method=get mode=$mode nonce=no hash=sha1 count=[1-9]" \
		    counts
	done <<-'END'
	unauthorized OCSP response not successful (6: unauthorized)
	trylater OCSP response not successful (3: trylater)
	internalerror OCSP response not successful (2: internalerror)
	close OCSP responder prematurely closed connection
	410
	404
	503
	END
}

# apache_stapling PORT [DIRECTIVE...]
apache_stapling()
{
	local tls=$1
	shift
	{
		echo "SSLStaplingCache shmcb:$PWD/stapling(32768)"
		printf '%s\n' "SSLSessionCache none" \
		    "<VirtualHost 127.0.0.1:$tls>" 'SSLEngine on' \
		    "SSLCertificateFile $PWD/chain.pem" \
		    "SSLCertificateKeyFile $PWD/leaf.key" 'SSLUseStapling on' \
		    "$@" '</VirtualHost>'
	} >staple.conf
	apache_start "$tls" "$PWD/staple.conf" socache_shmcb ssl
}

@test "Apache with its defaults staples the error itself" {
	local mode want tls
	while read -r mode want; do
		tls=$(free_port)
		sunset_start "$mode"
		apache_stapling "$tls"
		has "$(stapled "$tls")" "OCSP Response Status: $want"
		# A client that only asks whether there is one goes on.
		fetch --cacert "$ca" "https://127.0.0.1:$tls/" || true
		[ -n "$code" ] && [ "$code" != 000 ]
		sunset_stop
	done <<-'END'
	unauthorized unauthorized (0x6)
	trylater trylater (0x3)
	internalerror internalerror (0x2)
	410 trylater (0x3)
	close trylater (0x3)
	END
}

@test "Apache told not to staple errors staples nothing" {
	local mode tls
	for mode in unauthorized trylater 503; do
		tls=$(free_port)
		sunset_start "$mode"
		apache_stapling "$tls" 'SSLStaplingReturnResponderErrors off' \
		    'SSLStaplingFakeTryLater off'
		has "$(stapled "$tls")" 'OCSP response: no response sent'
		sunset_stop
	done
}

@test "curl --cert-status: refused with every mode, stapled or not" {
	local mode tls
	for mode in unauthorized trylater 410; do
		tls=$(free_port)
		sunset_start "$mode"
		apache_stapling "$tls"
		# 91: the status is not that of a good certificate.
		run -91 curl -sS --noproxy '*' --cert-status --cacert "$ca" \
		    --max-time 60 "https://127.0.0.1:$tls/"
		sunset_stop
	done
	tls=$(free_port)
	sunset_start unauthorized
	nginx_stapling "$tls"
	run -91 curl -sS --noproxy '*' --cert-status --cacert "$ca" \
	    --max-time 60 "https://127.0.0.1:$tls/"
	has "$output" 'No OCSP response received'
}

@test "GnuTLS: gnutls-cli --ocsp asks by itself, and fails hard in every mode" {
	local mode tls
	for mode in unauthorized trylater 410 close; do
		tls=$(free_port)
		sunset_start "$mode"
		nginx_stapling "$tls"
		run -1 timeout 120 gnutls-cli --ocsp --x509cafile "$ca" \
		    -p "$tls" localhost </dev/null
		has "$output" 'Connecting to OCSP server'
		# Without the option the same certificate is fine.
		timeout 120 gnutls-cli --x509cafile "$ca" -p "$tls" localhost \
		    </dev/null >said
		sunset_stop
	done
}

@test "Java: PKIX with SOFT_FAIL tolerates trylater and HTTP errors only" {
	command -v javac >/dev/null && command -v java >/dev/null ||
	    skip 'no Java: apt-get install default-jdk-headless'
	cp "$SUNSET_TREE/tests/lib/Check.java" .
	javac Check.java
	local mode want
	while read -r mode want; do
		sunset_start "$mode"
		has "$(java -cp . Check "$ca" leaf.pem soft)" "$want"
		has "$(java -cp . Check "$ca" leaf.pem)" refused
		sunset_stop
	done <<-'END'
	unauthorized refused
	trylater valid
	internalerror valid
	410 valid
	503 valid
	close valid
	END
}
