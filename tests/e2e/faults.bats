# SPDX-License-Identifier: ISC
#
# What a run does that cannot be done: files, disks, clocks, keys and
# databases that are not as they should be. Each time one clear line, the exit
# status of the manual, and a store as it was.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/faults.bash

setup_file()
{
	publish_setup
	sed -i '1i local all locked scram-sha-256' \
	    "$PG_ROOT/main/data/pg_hba.conf"
	pg_psql -c 'SELECT pg_reload_conf()' >/dev/null
	pg_psql -c "CREATE ROLE locked LOGIN PASSWORD 'right-one'
	    IN ROLE crlpress_reader; CREATE ROLE stranger LOGIN"
	faults_make_gold
	printf 'open-sesame\n' >"$GOLD/pass"
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

# A run as somebody who gets no further than the modes of files allow: root
# without the capabilities that let it, or who runs the tests.
unprivileged()
{
	[ "$(id -u)" -ne 0 ] || under=(setpriv
	    --bounding-set '-dac_override,-dac_read_search,-fowner'
	    --inh-caps '-all')
}

conninfo()
{
	echo "source.conninfo=host=$PGHOST port=5432 dbname=postgres user=$1"
}

@test "a run with nothing spoilt publishes, so that the rest means something" {
	published
	rows_are read=600 listed=600 withheld=0
}

@test "wrong password: nothing of it is repeated" {
	echo '*:*:*:*:open-sesame' >pgpass
	chmod 600 pgpass
	export PGPASSFILE=$PWD/pgpass
	spoil "$(conninfo locked)"
	refused 1 'database postgres at' connect 'password authentication' \
	    locked
	said 'hint: the password belongs in'
	echo '*:*:*:*:right-one' >pgpass
	published
}

@test "no password, no server, no such role, no such database" {
	export PGPASSFILE=$PWD/none
	spoil "$(conninfo locked)"
	refused 1 connect 'no password supplied'
	spoil "source.conninfo=host=$PWD port=5432 dbname=postgres user=cron"
	refused 1 "at $PWD:5432" connect 'No such file'
	spoil "$(conninfo nobody-such)"
	refused 1 connect 'role "nobody-such" does not exist'
	spoil "source.conninfo=host=$PGHOST dbname=elsewhere user=cron"
	refused 1 'database elsewhere' connect \
	    'database "elsewhere" does not exist'
}

@test "table, column or permission missing, a type that is none" {
	query 'SELECT serial, revoked_at, reason, not_after, shard
	    FROM crlpress.revoked'
	refused 1 query.sql 'line 2' 'relation "crlpress.revoked"' 42P01
	query 'SELECT serial, revoked, reason, not_after, shard
	    FROM crlpress.revocation'
	refused 1 query.sql 'column "revoked" does not exist' 42703
	query 'SELECT serial, revoked_at, reason, not_after
	    FROM crlpress.revocation'
	refused 2 query.sql columns 'have 4, want 5'
	query 'SELECT serial, revoked_at::timestamp, reason, not_after, shard
	    FROM crlpress.revocation'
	refused 2 query.sql revoked_at 'timestamp without time zone'
	query 'SELECT 1::numeric, revoked_at, reason, not_after, shard
	    FROM crlpress.revocation'
	refused 2 query.sql serial numeric
	spoil "$(conninfo stranger)"
	refused 1 'native statement: ' 'permission denied' 42501
	said 'hint: the role needs'
}

@test "the whole native table missing" {
	pg_psql -c 'CREATE DATABASE bare'
	spoil "source.conninfo=host=$PGHOST dbname=bare user=cron"
	refused 1 'native statement: ' \
	    'relation "crlpress.revocation" does not exist'
}

# Rows without an end, and not too fast.
endless_sql="SELECT serial, revoked_at, reason, not_after, shard
FROM (SELECT *, generate_series(1, 1000000000) AS i
    FROM crlpress.revocation WHERE issuer = :'issuer') AS r
WHERE i % 1000 <> 0 OR pg_sleep(0.01)::text IS NOT NULL"

@test "statement_timeout in the middle of COPY" {
	query "$endless_sql" source.statement_timeout=3s
	refused 1 query.sql copy 'statement timeout' 57014
	said 'hint: raise statement_timeout'
}

# A run in the background, until the server has sent some thousands of rows.
press_endless()
{
	query "$endless_sql"
	standing >before
	"$CRLPRESS" publish --config "$conf" >out 2>err 3>&- &
	publisher=$!
	pg_wait "SELECT tuples_processed > 5000 FROM pg_stat_progress_copy"
}

press_ends()
{
	status=0
	wait "$publisher" || status=$?
	output=$(<out) stderr=$(<err)
	ended 1
	one_line copy "$@"
	standing | diff before -
	nothing_left
}

@test "the backend terminated in the middle of COPY" {
	press_endless
	pg_psql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	    WHERE application_name = 'crlpress'" >/dev/null
	press_ends 'terminating connection' 57P01
	spoil
	published
}

@test "the server killed in the middle of COPY" {
	press_endless
	pg_kill9
	press_ends "database postgres at $PGHOST:5432" \
	    'server closed the connection'
	rm "$PG_ROOT/main/data/postmaster.pid"
	pg_up main
	spoil
	published
}

@test "no rows: refused, unless the issuer has never revoked anything" {
	spoil source.issuer_id=e2
	refused 3 e1 db-scope 'not one row'
	spoil source.issuer_id=e2 gates.allow_empty=yes
	press
	ended 3
	said no-early-removal
	rm -r "$store" "$state"
	mkdir "$store"
	published
	rows_are read=0 listed=0
}

@test "a key that is not the issuer's" {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
	    -out other.key 2>/dev/null
	spoil "issuer.key=$PWD/other.key"
	refused 2 "$PWD/other.key" 'not the key of the issuer certificate'
	openssl genpkey -algorithm RSA -out other.key 2>/dev/null
	refused 2 "$PWD/other.key" 'not the key of the issuer certificate'
}

@test "an issuer certificate that may not sign CRLs" {
	openssl req -x509 -new -key "$ca/issuer.key" -days 30 -out weak.pem \
	    -subj '/C=XX/O=Example Trust/CN=Example Issuer E1' \
	    -addext keyUsage=critical,keyCertSign 2>/dev/null
	spoil "issuer.certificate=$PWD/weak.pem"
	refused 2 "$PWD/weak.pem" 'keyUsage without cRLSign'
}

# certificate_of FROM TO FILE: the issuer's key and name at other times.
certificate_of()
{
	cat >x.cnf <<-'END'
	[ca]
	default_ca = x
	[x]
	database = x.txt
	new_certs_dir = .
	policy = any
	rand_serial = yes
	[any]
	countryName = optional
	organizationName = optional
	commonName = supplied
	[req]
	distinguished_name = any
	string_mask = utf8only
	[v3]
	basicConstraints = critical, CA:TRUE
	keyUsage = critical, cRLSign
	subjectKeyIdentifier = hash
	END
	: >x.txt
	openssl req -new -config x.cnf -key "$ca/issuer.key" -out x.csr \
	    -subj '/C=XX/O=Example Trust/CN=Example Issuer E1' 2>/dev/null
	openssl ca -batch -notext -config x.cnf -selfsign -md sha256 \
	    -extensions v3 -keyfile "$ca/issuer.key" -in x.csr \
	    -startdate "$1" -enddate "$2" -out "$3" 2>/dev/null
}

@test "an issuer that has expired, and one that is not valid yet" {
	certificate_of 20240101000000Z 20250101000000Z old.pem
	spoil "issuer.certificate=$PWD/old.pem"
	refused 3 e1 issuer-valid expired 'up to 2025-01-01T00:00:00Z'
	with=(--pass issuer-valid)
	published
	said 'warning: e1: issuer-valid' 'let pass by --pass'
	passed issuer-valid
	certificate_of 20400101000000Z 20410101000000Z new.pem
	spoil "issuer.certificate=$PWD/new.pem"
	with=()
	refused 3 e1 issuer-valid 'not yet valid' 'from 2040-01-01T00:00:00Z'
}

@test "an encrypted key and its passphrase" {
	openssl pkcs8 -topk8 -v2 aes-256-cbc -in "$ca/issuer.key" \
	    -passout "file:$GOLD/pass" -out enc.key
	spoil "issuer.key=$PWD/enc.key"
	refused 2 "$PWD/enc.key" 'encrypted, have no passphrase'
	spoil "issuer.key=$PWD/enc.key" "issuer.passphrase_file=$PWD/none"
	refused 2 "$PWD/none" 'No such file'
	printf 'wrong-open-sesame\n' >pass
	chmod 600 pass
	spoil "issuer.key=$PWD/enc.key" "issuer.passphrase_file=$PWD/pass"
	refused 2 "$PWD/enc.key" 'wrong passphrase'
	: >pass
	refused 2 "$PWD/pass" 'first line is empty'
	printf 'open-sesame\n' >pass
	chmod 000 pass
	unprivileged
	refused 2 "$PWD/pass" 'Permission denied'
	chmod 600 pass
	published
}

@test "a key missing, unreadable, garbage" {
	spoil "issuer.key=$PWD/none.key"
	refused 2 "$PWD/none.key" 'No such file'
	spoil "issuer.key=$PWD/x.key"
	head -c 300 /dev/zero | tr '\0' '\377' >x.key
	refused 2 "$PWD/x.key" 'not a private key'
	: >x.key
	refused 2 "$PWD/x.key" 'not a private key'
	spoil "issuer.key=$ca/issuer.pem"
	refused 2 "$ca/issuer.pem" 'not a private key'
	spoil "issuer.key=$PWD"
	refused 2 "$PWD" 'directory'
	cp "$ca/issuer.key" x.key
	chmod 000 x.key
	spoil "issuer.key=$PWD/x.key"
	unprivileged
	refused 2 "$PWD/x.key" 'Permission denied'
}

@test "a certificate missing, garbage, one of two" {
	spoil "issuer.certificate=$PWD/none.pem"
	refused 2 "$PWD/none.pem" 'No such file'
	spoil "issuer.certificate=$PWD/x.pem"
	head -c 300 /dev/zero | tr '\0' '\377' >x.pem
	refused 2 "$PWD/x.pem"
	: >x.pem
	refused 2 "$PWD/x.pem"
	head -n 5 "$ca/issuer.pem" >x.pem
	refused 2 "$PWD/x.pem"
	cat "$ca/issuer.pem" "$ca/root.pem" >x.pem
	refused 2 "$PWD/x.pem" 'more than one certificate'
	spoil "issuer.certificate=$ca/issuer.key"
	refused 2 "$ca/issuer.key"
}
