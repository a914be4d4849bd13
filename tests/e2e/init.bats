# SPDX-License-Identifier: ISC
#
# crlpress init: a configuration for a database that is there, with what that
# said, and without what it cannot say. That each preset leads to a verified
# directory is tested in the file of each.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC1003,SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/presets.bash

setup_file()
{
	PRESET=cfssl
	preset_setup
	ca=$BATS_FILE_TMPDIR/ca
	AKI=$(openssl x509 -in "$ca/issuer.pem" -noout \
	    -ext subjectKeyIdentifier | tail -n 1 | tr -d ' :' |
	    tr '[:upper:]' '[:lower:]')
	export AKI
	# Twelve rows of this CA, three of which no CRL can have, and one of
	# another.
	pg_psql -c "INSERT INTO certificates (serial_number,
	    authority_key_identifier, status, reason, expiry, revoked_at, pem)
	    SELECT i::text::bytea, '$AKI', 'revoked',
	    (ARRAY[0, 0, 0, 0, 0, 1, 1, 4, 4, 6, 7, 7])[i],
	    '2090-01-01 00:00:00Z', now() - interval '1 hour', 'PEM'
	    FROM generate_series(1, 12) AS i;
	    UPDATE certificates SET expiry = now() - interval '1 day'
	    WHERE serial_number = '1';
	    UPDATE certificates SET serial_number =
	    '604462909807314587353087' WHERE serial_number = '2';
	    INSERT INTO certificates (serial_number, authority_key_identifier,
	    status, reason, expiry, revoked_at, pem)
	    VALUES ('1', 'abcdef', 'revoked', 0, '2090-01-01', now(), 'PEM')"
	# Certificates of this CA, each with its CRL.
	leaf one http://crl.example.com/e1.crl
	leaf seven http://crl.example.com/e1/7.crl
	leaf padded http://crl.example.com/e1/s-0007.crl
	leaf two http://crl.example.com/2026/7.crl
	leaf https https://crl.example.com/e1.crl
	"$PUBLISH_TREE/tools/make-ca" --p256 --subject '/CN=Another' \
	    "$BATS_FILE_TMPDIR/other"
	for PRESET in boulder xipki step-ca ejbca; do
		pg_psql -d postgres -c "CREATE DATABASE \"$PRESET\""
		pg_psql -d "$PRESET" -f \
		    "$PUBLISH_TREE/tests/sources/$PRESET.sql"
		PGDATABASE=$PRESET preset_run "$PRESET.grants.sql"
	done
}

teardown_file()
{
	pg_stop
}

# leaf NAME URL: a certificate whose CRL is there.
leaf()
{
	local dir=$BATS_FILE_TMPDIR
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$dir/leaf.key" -subj "/CN=$1" -out "$dir/leaf.csr" \
	    2>/dev/null
	printf 'crlDistributionPoints = URI:%s\n%s\n' "$2" \
	    'authorityKeyIdentifier = keyid' >"$dir/leaf.ext"
	openssl x509 -req -in "$dir/leaf.csr" -CA "$dir/ca/issuer.pem" \
	    -CAkey "$dir/ca/issuer.key" -set_serial 7 -days 30 \
	    -extfile "$dir/leaf.ext" -out "$dir/$1.pem" 2>/dev/null
}

setup()
{
	PRESET=cfssl
	preset_begin
	for PRESET in boulder xipki step-ca ejbca; do
		sed "1,5s/cfssl/$PRESET/" service.conf
	done >more.conf
	sed -n 1,5p service.conf >>more.conf
	mv more.conf service.conf
	# What is known of a place without shards.
	given=(--issuer-cert issuer.pem --key issuer.key --store crl
	    --state-dir state --out new/r1.cnf)
	mkdir new crl
}

init()
{
	run --separate-stderr crlpress init "$@"
}

# A key of the file that was written.
value()
{
	sed -n "s/^$1 = //p" "${2:-new/r1.cnf}"
}

# The file has this, wherever its lines end: said TEXT...
said()
{
	has "$(sed 's/^# //' "${file:-new/r1.cnf}" | tr '\n' ' ')" "$*"
}

nothing_written()
{
	same "$(ls -A new)" '' 'what was written'
}

@test "init: a whole file, which check-config takes as it is" {
	init --preset cfssl "${given[@]}" --url http://crl.example.com/r1.crl
	ended 0
	same "$output" '' stdout
	local warning='warning: new/r1.cnf: init, BR 4.9.7:'
	same "$stderr" "$warning 2 rows would be refused: reason is 7, which \
means nothing, as with 11
$warning 1 row would be refused: the profile has no such reason, as with 0a" \
	    stderr
	same "$(ls new)" $'r1.cnf\nr1.sql' files
	same "$(stat -c %a new/r1.cnf)" 644 mode
	cmp new/r1.sql "$presets/cfssl.sql"
	run -0 --separate-stderr crlpress check-config -c new/r1.cnf
	same "$stderr" '' 'stderr of check-config'
	has "$output" "query_file = $work/new/r1.sql"
	same "$(value name)" r1 name
	same "$(value certificate)" "$work/issuer.pem" certificate
	same "$(value key)" "$work/issuer.key" key
	same "$(value conninfo)" service=cfssl conninfo
	same "$(value query_file)" r1.sql query_file
	same "$(value issuer_id)" "$AKI" issuer_id
	same "$(value url)" $'http://crl.example.com/r1.crl\n'"$work/crl" url
	same "$(value dir)" "$work/state" dir
	# It is what the directory moves with.
	mv new moved
	run -0 --separate-stderr crlpress check-config -c moved
	same "$stderr" '' 'stderr of check-config'
}

@test "init: what the database said stands above what follows from it" {
	init --preset cfssl "${given[@]}" --url http://crl.example.com/r1.crl
	ended 0
	said 'Written by `crlpress init` on 20'
	said '12 revoked rows, of which 3 would be refused: 2: reason' \
	    'is 7, which means nothing, as with 11; 1: the profile' \
	    'has no such reason, as with 0a.'
	said "That of $work/issuer.pem; 12 revoked rows are of it. The" \
	    "database also has \"abcdef\" with 1 rows and no other."
	said 'Serials of 1 to 10 octets. serial_encoding = decimal'
	said 'to 2090-01-01T00:00:00Z; 1 rows have expired, and are' \
	    'read as the proof of that. lookback = 30d'
	said 'Reasons of the rows: 5 unspecified and 2 keyCompromise' \
	    'and 2 superseded and 1 certificateHold (refused) in all.' \
	    'profile = tls'
	# Ten that can be read: nine of 20 octets and one of 29, five of them
	# with a reason of 14: 279.
	said '10 entries of 28 octets each are 1 kB; 1 would keep each CRL' \
	    'below 1000 kB, which is kind to those who fetch it.'
	said 'tells what is to come. count = 1'
	said 'CN=Example Issuer E1,O=Example Trust,C=XX: EC prime256v1, until '
	run -1 grep -E '^.{81}' new/r1.cnf
	# What the preset says of a value stays.
	said 'CFSSL deletes no rows. Whoever does waits longer than' \
	    'this. Expiries'
	# As check-config counts them, and publish refuses them.
	run --separate-stderr crlpress check-config --online -c new/r1.cnf
	ended 3
	has "$output" '# r1: 12 rows, 3 to be refused'
	# Where holds are meant, they are none of these.
	rm new/*
	init --preset cfssl "${given[@]}" --profile private \
	    --url http://crl.example.com/r1.crl
	ended 0
	same "$(grep -c warning: <<<"$stderr")" 1 warnings
	said '12 revoked rows, of which 2 would be refused:'
	same "$(value profile)" private profile
}

@test "init: what it cannot know is left, told, and refused" {
	local left key
	init --preset cfssl --out new/r1.cnf
	ended 0
	for left in '\[issuer\] certificate' '\[issuer\] key' \
	    '\[source\] issuer_id' '\[shards\] url' '\[store\] url'; do
		same "$(grep -c "^warning: new/r1.cnf: init: $left is left to \
set: " <<<"$stderr")" 1 "warnings of $left"
	done
	same "$(grep -c warning: <<<"$stderr")" 5 warnings
	for key in issuer-cert key issuer-id url store; do
		has "$stderr" "  hint: --$key says it"
	done
	said "The database has \"$AKI\" with 12 rows and \"abcdef\"" \
	    "with 1 rows and no other. SET THIS:"
	said 'The rows were not looked at'
	run --separate-stderr crlpress check-config -c new/r1.cnf
	ended 2
	same "$(grep -c 'no value$' <<<"$stderr")" 5 'keys without a value'
	for left in issuer:certificate issuer:key source:issuer_id \
	    shards:url store:url; do
		has "$stderr" ": config: [${left%:*}] ${left#*:}: no value"
	done
	# Once set, it is as good as any.
	sed -i -e 's|^certificate =$|&../issuer.pem|' \
	    -e 's|^key =$|&../issuer.key|' \
	    -e "s|^issuer_id =$|& $AKI|; /^\[shards\]/,/^\[store\]/s|^url =\
$|& http://crl.example.com/r1.crl|; /^\[store\]/,\$s|^url =$|& $work/crl|" \
	    new/r1.cnf
	run -0 --separate-stderr crlpress check-config -c new/r1.cnf
	same "$stderr" '' stderr
}

@test "init: standard output has it with absolute paths" {
	init --preset cfssl "${given[@]:0:8}" --issuer-id "$AKI" \
	    --url http://crl.example.com/r1.crl
	ended 0
	printf '%s\n' "$output" >elsewhere.cnf
	same "$(value query_file elsewhere.cnf)" "$presets/cfssl.sql" query_file
	file=elsewhere.cnf said 'to be copied, for an update may change it.'
	run -1 grep '^name' elsewhere.cnf
	nothing_written
	run -0 --separate-stderr crlpress check-config -c elsewhere.cnf
	same "$stderr" '' stderr
	has "$output" 'name = elsewhere'
	init --preset cfssl "${given[@]:0:8}" --issuer-id "$AKI" --name r9 \
	    --url http://crl.example.com/r1.crl
	has "$output" $'\nname = r9\n'
	# Nor is what no file can have let out.
	init --preset cfssl --issuer-id $'two\nlines'
	ended 2
	same "$output" '' stdout
	has "$stderr" 'a value that cannot stand in a configuration'
	# Lost output is no success.
	run --separate-stderr bash -c 'crlpress init --preset cfssl >/dev/full'
	[ "$status" -ne 0 ]
}

@test "init: nothing is written over, and nothing is left of a failure" {
	local args=(--preset cfssl "${given[@]}" --url
	    http://crl.example.com/r1.crl)
	echo mine >new/r1.cnf
	init "${args[@]}"
	ended 1
	same "$stderr" 'new/r1.cnf: init: cannot be written: File exists' stderr
	same "$(cat new/r1.cnf)" mine r1.cnf
	same "$(ls new)" r1.cnf files
	rm new/r1.cnf
	# A statement of that name, which may be another issuer's.
	echo mine >new/r1.sql
	init "${args[@]}"
	ended 1
	has "$stderr" "$work/new/r1.sql: init: cannot be written: File exists"
	same "$(cat new/*)" mine r1.sql
	rm new/r1.sql
	# A link that leads nowhere yet.
	ln -s "$work/target" new/r1.cnf
	init "${args[@]}"
	ended 1
	[ ! -e target ]
	rm new/r1.cnf
	# A disk that is full after the first octets; then after the statement.
	run --separate-stderr bash -c 'ulimit -f 1; crlpress init "$@"' _ \
	    "${args[@]}"
	ended 1
	has "$stderr" 'r1.sql: init: cannot be written: File too large'
	nothing_written
	run --separate-stderr bash -c 'ulimit -f 2; crlpress init "$@"' _ \
	    "${args[@]}" --state-dir "$(printf 'x%.0s' {1..2000})"
	ended 1
	has "$stderr" 'r1.cnf: init: cannot be written: File too large'
	nothing_written
	init "${args[@]:0:10}" --out nowhere/r1.cnf --url http://a.example/1.crl
	ended 1
	has "$stderr" 'nowhere/r1.cnf: init: cannot find its directory'
	init "${args[@]:0:10}" --out new --url http://crl.example.com/r1.crl
	ended 1
	if [ "$(id -u)" -ne 0 ]; then
		chmod 500 new
		init "${args[@]}"
		chmod 700 new
		ended 1
		has "$stderr" 'Permission denied'
		nothing_written
	fi
}

@test "init: options that cannot be" {
	local bad conninfo
	for conninfo in 'dbname=cfssl password=hunter2' \
	    'postgresql://cron:hunter2@localhost/cfssl' \
	    "host=x sslpassword = 'hunter2'"; do
		init --preset cfssl "${given[@]}" --conninfo "$conninfo"
		ended 2
		has "$stderr" '--conninfo: init: a secret in the connection'
		has "$stderr" '  hint: a passfile'
		run -1 grep hunter2 <<<"$stderr$output"
		nothing_written
	done
	# A URI that carries its PIN is no less a secret.
	init --preset cfssl "${given[@]}" --key 'pkcs11:object=k?pin-value=1234'
	ended 2
	run -1 grep 1234 <<<"$stderr$output"
	for bad in --url=ftp.example.com --profile=tsl --shards=0 \
	    --shards=65537 --shards=many --issuer-id=$'two\nlines' \
	    --store=ftp://x '--url=http://a.example/{shard' --name=A/B \
	    --shards=4; do
		init --preset cfssl "${given[@]}" \
		    --url http://crl.example.com/r1.crl "$bad"
		ended 2
		[ -n "$stderr" ]
		nothing_written
	done
	has "$stderr" 'new/r1.cnf:'
	init --preset cfssl "${given[@]:0:8}" --out "new/R 1.cnf"
	ended 2
	has "$stderr" 'name of the file: init: not a name'
	has "$stderr" '--name gives the issuer another'
	nothing_written
	init --preset cfssl "${given[@]:0:8}" --out "new/R 1.cnf" --name r1 \
	    --url http://crl.example.com/r1.crl
	ended 0
	same "$(ls new)" $'R 1.cnf\nr1.sql' files
	init
	ended 2
	has "$stderr" 'init needs --preset NAME'
	init --preset cfssl extra
	ended 2
	init --preset cfssl --issuer-cert nowhere.pem
	[ "$status" -ne 0 ]
	has "$stderr" nowhere.pem
}

@test "init: presets are listed, and found by name, directory or path" {
	mkdir own
	cp "$presets/cfssl.cnf" own/ours.cnf
	cp "$presets/cfssl.sql" "$presets/cfssl.issuers.sql" own
	init --list
	ended 0
	same "$(wc -l <<<"$output")" 7 presets
	has "$output" "boulder         Boulder's schema, ported to PostgreSQL"
	init --list --preset-dir own
	ended 0
	same "$output" "ours            CFSSL's certdb" list
	CRLPRESS_PRESET_DIR=own init --list
	same "$output" "ours            CFSSL's certdb" list
	init --list --preset-dir nowhere
	ended 2
	has "$stderr" 'nowhere: config: cannot be opened'
	init --preset nobody
	ended 2
	has "$stderr" "$presets/nobody.cnf: preset: cannot be opened"
	has "$stderr" '`crlpress init --list` lists the presets'
	# Without a statement for its issuers there is a question.
	init --preset ours --preset-dir own
	ended 0
	has "$stderr" '[source] issuer_id is left to set'
	init --preset own/ours.cnf --issuer-id "$AKI"
	ended 0
	has "$output" $'\n'"issuer_id = $AKI"$'\n'
	# With it, by whatever name, there is none.
	mv own/cfssl.issuers.sql own/ours.issuers.sql
	cd own
	init --preset ours.cnf --issuer-cert ../issuer.pem
	ended 0
	has "$output" $'\n'"issuer_id = $AKI"$'\n'
	# A preset that is not well-formed says where.
	sed -i 's/^lookback.*/lookback = never/' ours.cnf
	init --preset ours.cnf
	ended 2
	has "$stderr" 'ours.cnf:'
}

@test "init: a preset's other statements and sections" {
	mkdir own
	cp "$presets/cfssl.sql" own
	{
		sed '/^\[store\]/,$d; /^certificate/d; /^serial_enc/a \
		serial_query_file = by.sql\ncertificate_query_file = all.sql' \
		    "$presets/cfssl.cnf"
	} >own/ours.cnf
	echo 'SELECT count(*) FROM certificates' >own/all.sql
	sed "/^WHERE/s/.*/WHERE serial_number = :'serial'::text::bytea AND/
	    s/^ *AND lower/    lower/" own/cfssl.sql >own/by.sql
	printf '%s\n' '[store]' 'url = /nowhere' >>own/ours.cnf
	sed -i '/^key = /d' own/ours.cnf
	printf '%s\n' "$(sed 's/^\[issuer\]/&\ncertificate = x\nkey = y/' \
	    own/ours.cnf)" >own/ours.cnf
	init --preset own/ours.cnf "${given[@]}" --issuer-id "$AKI" \
	    --url http://crl.example.com/r1.crl
	ended 0
	same "$(ls new)" \
	    $'r1.certificate.sql\nr1.cnf\nr1.serial.sql\nr1.sql' files
	same "$(value certificate_query_file)" r1.certificate.sql \
	    certificate_query_file
	cmp own/all.sql new/r1.certificate.sql
	same "$(value serial_query_file)" r1.serial.sql serial_query_file
	same "$(value key)" "$work/issuer.key" key
	same "$(value dir)" "$work/state" dir
	cmp own/by.sql new/r1.serial.sql
	crlpress check-config -q -c new/r1.cnf
}

@test "init: a database that is down, or has no such table, or no rights" {
	local kind
	init --preset cfssl "${given[@]}" --conninfo host=/nonexistent
	ended 1
	has "$stderr" /nonexistent
	nothing_written
	init --preset cfssl "${given[@]}" --conninfo 'service=cfssl user=nobody'
	ended 1
	nothing_written
	# Another product's database.
	for kind in --profile=tls "--issuer-id=$AKI"; do
		init --preset cfssl "${given[@]}" \
		    --conninfo 'service=cfssl dbname=xipki' "$kind"
		[ "$status" -eq 1 ] || [ "$status" -eq 2 ]
		has "$stderr" 'relation "certificates" does not exist'
		nothing_written
	done
	pg_psql -c 'REVOKE SELECT (status) ON certificates FROM crlpress_reader'
	for kind in --profile=tls "--issuer-id=$AKI"; do
		init --preset cfssl "${given[@]}" "$kind"
		ended 1
		has "$stderr" 'permission denied for table certificates'
		nothing_written
	done
	pg_psql -c 'GRANT SELECT (status) ON certificates TO crlpress_reader'
}

@test "init: no row at all is told, and the certificate still knows its name" {
	init --preset cfssl "${given[@]}" --conninfo 'service=cfssl' \
	    --issuer-cert "$BATS_FILE_TMPDIR/other/issuer.pem" \
	    --key "$BATS_FILE_TMPDIR/other/issuer.key" \
	    --url http://crl.example.com/r1.crl
	ended 0
	has "$stderr" 'no row is revoked, and `publish` will refuse that'
	has "$stderr" '[gates] allow_empty'
	said '0 revoked rows, of which 0 would be refused.'
	said '0 revoked rows are of it. The database also has'
	crlpress check-config -q -c new/r1.cnf
	run --separate-stderr crlpress publish -q -c new/r1.cnf
	ended 3
	has "$stderr" 'r1: db-scope'
	rm new/*
	# The database is the CA, and is empty.
	init --preset step-ca "${given[@]}" --url http://crl.example.com/r1.crl
	ended 0
	has "$stderr" 'no row is revoked'
	same "$(value issuer_id)" '' issuer_id
}

@test "init: whatever stands in the database ends no line of the file" {
	local id="\" x = \$y # \\'; DROP TABLE"
	pg_psql -v id="$id" <<-'SQL'
	INSERT INTO certificates (serial_number, authority_key_identifier,
	status, reason, expiry, revoked_at, pem) VALUES
	('1', E'\\x6e616d65203d2066616c73650a5b73746f72655d0a75726c203d202f5c',
	'revoked', 0, '2090-01-01', now(), 'PEM'),
	('2', convert_to(lower(:'id'), 'UTF8'), 'revoked', 0, '2090-01-01',
	now(), 'PEM');
	SQL
	init --preset cfssl "${given[@]}" --url http://crl.example.com/r1.crl
	ended 0
	same "$(grep -c '^\[store\]' new/r1.cnf)" 1 'sections [store]'
	run -1 grep -E '\\|^name = false' new/r1.cnf
	crlpress check-config -q -c new/r1.cnf
	rm new/*
	# One that has all that the syntax of the file makes something of.
	init --preset cfssl "${given[@]}" --url http://crl.example.com/r1.crl \
	    --issuer-id "$id"
	ended 0
	run -0 crlpress check-config -c new/r1.cnf
	run --separate-stderr crlpress check-config --online -c new/r1.cnf
	ended 3
	has "$stderr" "db-scope, house rule: the source has not one row of \
issuer_id $id"
	pg_psql -c "DELETE FROM certificates WHERE
	    octet_length(authority_key_identifier) NOT IN (6, 40)"
}

@test "init: shards that a column numbers" {
	local rows="INSERT INTO \"revokedCertificates\" (\"issuerID\", serial,
	    \"notAfterHour\", \"shardIdx\", \"revokedDate\", \"revokedReason\")
	    SELECT 77, lpad(to_hex(i), 6, '0'), '2090-01-01', i, '2026-01-01', 0
	    FROM generate_series(1, 9) AS i"
	given+=(--issuer-id 77 --url 'http://crl.example.com/e1/{shard}.crl')
	pg_psql -d boulder -c "$rows"
	# How many there are the rows cannot know.
	init --preset boulder "${given[@]}"
	ended 0
	has "$stderr" '[shards] count is left to set'
	same "$(grep -c warning: <<<"$stderr")" 1 warnings
	said 'The rows have 9 numbers of shards, from 1 to 9.'
	said 'with revoked ones among them or not.'
	run --separate-stderr crlpress check-config -c new/r1.cnf
	ended 2
	has "$stderr" '[shards] count: no value'
	rm new/*
	init --preset boulder "${given[@]}" --shards 16
	ended 0
	same "$stderr" '' stderr
	same "$(value count)" 16 count
	crlpress check-config --online -q -c new/r1.cnf
	rm new/*
	init --preset boulder "${given[@]}" --shards 7
	ended 0
	has "$stderr" '2 rows would be refused'
	said 'That is more than there are to be.'
	rm new/*
	# A CA that does not number its CRL.
	pg_psql -d boulder -c 'UPDATE "revokedCertificates" SET "shardIdx" = 0'
	init --preset boulder "${given[@]}" --shards 1
	ended 0
	same "$stderr" '' stderr
	same "$(value first)" 0 first
	said 'All rows have the number 0. first = 0'
	crlpress check-config --online -q -c new/r1.cnf
	rm new/*
	# With several of them it is a mistake of the rows.
	init --preset boulder "${given[@]}" --shards 3
	ended 0
	has "$stderr" '9 rows would be refused'
	same "$(value first)" 1 first
	pg_psql -d boulder -c 'TRUNCATE "revokedCertificates"'
}

@test "init: one issuer is taken, of several none is guessed" {
	local url='--url=http://crl.example.com/r1.crl'
	init --preset xipki "${given[@]}" "$url"
	ended 0
	has "$stderr" '[source] issuer_id is left to set'
	said 'The database has no issuer at all.'
	rm new/*
	pg_psql -d xipki -c "INSERT INTO CA (ID, NAME, STATUS, SUBJECT, CERT,
	    SIGNER_TYPE, SIGNER_CONF, CONF) VALUES
	    (1, 'only', 'active', 'CN=1', 'x', 'x', 'x', 'x')"
	init --preset xipki "${given[@]}" "$url"
	ended 0
	same "$(value issuer_id)" only issuer_id
	said 'The only one that the database has, with 0 revoked rows.'
	rm new/*
	pg_psql -d xipki -c "INSERT INTO CA (ID, NAME, STATUS, SUBJECT, CERT,
	    SIGNER_TYPE, SIGNER_CONF, CONF) SELECT i + 1, 'ca' || i, 'active',
	    'CN=1', 'x', 'x', 'x', 'x' FROM generate_series(1, 40) AS i"
	init --preset xipki "${given[@]}" "$url"
	ended 0
	same "$(value issuer_id)" '' issuer_id
	said "None of them is known to be $work/issuer.pem."
	said '"ca1" with 0 rows and "ca10" with 0 rows'
	said 'and more. SET THIS: '
	# One whose name is not the certificate's is not it, even if alone.
	rm new/*
	pg_psql -d ejbca -c "INSERT INTO CertificateData (fingerprint,
	    base64Cert, certificateProfileId, rowVersion, subjectDN, type,
	    issuerDN, serialNumber, status, revocationReason, revocationDate,
	    updateTime, expireDate) VALUES ('a', 'x', 1, 0, 'CN=x', 1,
	    'C=XX,O=Example Trust,CN=Example Issuer E1', '1', 40, 0, 1, 1, 1)"
	init --preset ejbca "${given[@]}" --shards 1 "$url"
	ended 0
	has "$stderr" '[source] issuer_id is left to set'
	said '"C=XX,O=Example Trust,CN=Example Issuer E1" with 1 rows'
}

@test "init: a certificate says where its CRL is" {
	local dir=$BATS_FILE_TMPDIR ids=(--issuer-id 77 --shards 9)
	init --preset cfssl "${given[@]}" --certificate "$dir/one.pem"
	ended 0
	has "$(value url)" http://crl.example.com/e1.crl
	said "$dir/one.pem names http://crl.example.com/e1.crl as its CRL."
	crlpress check-config -q -c new/r1.cnf
	rm new/*
	init --preset boulder "${given[@]}" "${ids[@]}" \
	    --certificate "$dir/seven.pem"
	ended 0
	has "$(value url)" 'http://crl.example.com/e1/{shard}.crl'
	said "$dir/seven.pem is of shard 7."
	crlpress check-config -q -c new/r1.cnf
	rm new/*
	init --preset boulder "${given[@]}" "${ids[@]}" \
	    --certificate "$dir/padded.pem"
	ended 0
	has "$(value url)" 'http://crl.example.com/e1/s-{shard:04}.crl'
	rm new/*
	# Which of two numbers it is nobody knows.
	init --preset boulder "${given[@]}" "${ids[@]}" \
	    --certificate "$dir/two.pem"
	ended 0
	has "$stderr" '[shards] url is left to set'
	said 'http://crl.example.com/2026/7.crl as its CRL. Which part' \
	    'of that is the number of the shard cannot be told.'
	rm new/*
	init --preset boulder "${given[@]}" "${ids[@]}" \
	    --certificate "$dir/two.pem" \
	    --url 'http://crl.example.com/2026/{shard}.crl'
	ended 0
	said "$dir/two.pem is of shard 7."
	rm new/*
	# What it names and what is given must be the same.
	init --preset boulder "${given[@]}" "${ids[@]}" \
	    --certificate "$dir/two.pem" \
	    --url 'http://crl.example.com/e1/{shard}.crl'
	ended 2
	has "$stderr" 'no CRL URL in it is of a configured shard'
	nothing_written
	init --preset boulder "${given[@]}" --issuer-id 77 --shards 6 \
	    --certificate "$dir/seven.pem"
	ended 2
	nothing_written
	# One that this issuer has not issued; one that has no CRL.
	init --preset cfssl "${given[@]}" --certificate \
	    "$dir/other/issuer.pem" --url http://crl.example.com/e1.crl
	ended 2
	has "$stderr" "not issued by $work/issuer.pem"
	init --preset cfssl "${given[@]}" --certificate "$dir/ca/issuer.key"
	ended 2
	init --preset cfssl "${given[@]}" --certificate "$dir/https.pem"
	ended 2
	has "$stderr" 'https://'
	nothing_written
}

@test "init: certificates in the rows, by the scheme cdp" {
	mkdir own
	sed "s/NULL::integer AS shard/convert_from(pem, 'UTF8') AS its/" \
	    "$presets/cfssl.sql" >own/ours.sql
	sed -i 's/AS its/AS certificate/' own/ours.sql
	sed -e 's/^query_file.*/query_file = ours.sql/' \
	    -e 's/^scheme.*/scheme = cdp/' -e 's/^count.*/count = 2/' \
	    -e 's|/e1.crl|/e1/{shard}.crl|' \
	    "$presets/cfssl.cnf" >own/ours.cnf
	init --preset own/ours.cnf "${given[@]}" --issuer-id "$AKI"
	ended 2
	has "$stderr" 'want --url'
	pg_psql -c 'GRANT SELECT (pem) ON certificates TO crlpress_reader'
	pg_psql -v pem="$(cat "$BATS_FILE_TMPDIR/seven.pem")" <<-'SQL'
	UPDATE certificates SET pem = convert_to(:'pem', 'UTF8')
	WHERE serial_number = '7';
	SQL
	init --preset own/ours.cnf "${given[@]}" --issuer-id "$AKI" \
	    --url 'http://crl.example.com/e1/{shard}.crl'
	pg_psql -c 'REVOKE SELECT (pem) ON certificates FROM crlpress_reader'
	ended 0
	has "$stderr" '[shards] count is left to set'
	# The dates of the row are not the certificate's; the others have none.
	has "$stderr" 'rows would be refused'
}
