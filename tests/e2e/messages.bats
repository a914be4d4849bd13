# SPDX-License-Identifier: ISC
#
# What the program says of a configuration, a database or a place that does not
# serve: no secret in it, whose it is, and a remedy that fits.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

setup_file()
{
	publish_setup
}

setup()
{
	publish_env
	publish_new m1
}

teardown_file()
{
	pg_stop
}

check()
{
	run --separate-stderr "$CRLPRESS" check-config --config "$conf" "$@"
	said="$output
$stderr"
}

hushed()
{
	[[ $said != *"$1"* ]] || {
		printf '"%s" is said in:\n%s\n' "$1" "$said"
		return 1
	}
}

server()
{
	echo "host=$PGHOST port=$PGPORT $*"
}

@test "credentials in the URL of a store are refused and not repeated" {
	local url
	for url in s3://AKIAX:geheim99@my-bucket/x https://u:geheim99@h/x \
	    s3://AKIAX:geheim99/my-bucket 's3://u:ge heim99@h' \
	    u:geheim99@h; do
		publish_configure "store.url=$url"
		check
		ended 2
		has "$stderr" 'credentials in the URL; they belong into the'
		has "$stderr" AWS_SECRET_ACCESS_KEY
		hushed heim99
		run --separate-stderr "$CRLPRESS" init --preset cfssl \
		    --preset-dir "$PUBLISH_TREE/sharding-config/presets" \
		    --conninfo "$(server dbname=postgres)" --store "$url" \
		    --issuer-id x
		said="$output
$stderr"
		[[ $url == *://* ]] || continue
		ended 2
		has "$stderr" '--store: init: credentials in the URL'
		hushed heim99
	done
	publish_configure store.url=s3://my-bucket \
	    store.endpoint=https://u:geheim99@h:9000
	check
	ended 2
	has "$stderr" '[store] endpoint: credentials in the URL'
	has "$stderr" 'have "https://***@h:9000"'
	hushed geheim99
}

@test "a connection string that libpq cannot read is found without it" {
	local key
	for key in source.conninfo source.revoke_conninfo share.conninfo; do
		publish_configure "$key=host=x passwrd=geheim99"
		check
		ended 2
		has "$stderr" "[${key%.*}] ${key#*.}: invalid connection option"
		has "$stderr" '"passwrd", is it to be "password"?'
		has "$stderr" "hint: the password belongs in libpq's passfile"
		hushed geheim99
	done
	publish_configure 'source.conninfo=postgresql://u:geheim99@h/db'
	check
	ended 2
	hushed geheim99
	publish_configure 'source.conninfo=u:geheim99@h/db'
	check --online
	ended 2
	hushed geheim99
}

@test "a connect that fails says whose it is, and what fits" {
	publish_configure "source.conninfo=$(server user=cron dbname=nope)"
	check --online --quiet
	ended 1
	has "$stderr" "database nope at $PGHOST:5432 ([source] conninfo of \
$conf): connect: "
	has "$stderr" 'database "nope" does not exist'
	has "$stderr" 'hint: `dbname` names the database'
	hushed passfile
	publish_configure source.conninfo=service=nope
	check --online --quiet
	ended 1
	has "$stderr" "database ([source] conninfo of $conf): connect: \
definition of service \"nope\" not found"
	has "$stderr" 'hint: services stand in'
	publish_configure "source.conninfo=$(server user=nope)"
	check --online --quiet
	ended 1
	has "$stderr" 'hint: `user` names the role'
	publish_configure source.conninfo=
	PGHOST=/nonexistent check --online --quiet
	ended 1
	has "$stderr" "(libpq's environment, for $conf): connect: "
}

@test "a password that is wrong, or missing" {
	local hba="$PG_ROOT/main/data/pg_hba.conf"
	[ -f "$hba" ] || hba=$(pg_psql -Atc 'SHOW hba_file')
	pg_psql -c "CREATE ROLE locked LOGIN PASSWORD 'right99'"
	cp "$hba" hba
	{
		echo 'local all locked scram-sha-256'
		cat hba
	} >hba.new
	# In place: the file is its server's.
	cat hba.new >"$hba"
	pg_psql -c 'SELECT pg_reload_conf()'
	publish_configure \
	    "source.conninfo=$(server user=locked dbname=postgres)"
	# The server has read it when it asks for a password.
	for ((i = 0; i < 600; i++)); do
		check --online --quiet
		[[ $stderr == *connect:* ]] && break
		sleep 0.1
	done
	ended 1
	has "$stderr" "hint: the password belongs in libpq's passfile"
	PGPASSWORD=geheim99 check --online --quiet
	cat hba >"$hba"
	pg_psql -c 'SELECT pg_reload_conf()'
	ended 1
	has "$stderr" 'password authentication failed for user "locked"'
	has "$stderr" "hint: the password belongs in libpq's passfile"
	hushed geheim99
}

@test "check-config --online tries the connections of revoke and of hosts" {
	revoke 01 0 1700000000 2000000000
	publish_configure \
	    "source.revoke_conninfo=$(server user=cron dbname=postgres)" \
	    "share.conninfo=$(server user=cron dbname=postgres)"
	check --online
	ended 0
	has "$output" "# [source] revoke_conninfo: database postgres at $PGHOST"
	has "$output" "# [share] conninfo: database postgres at $PGHOST"
	publish_configure \
	    "source.revoke_conninfo=$(server user=cron dbname=nope)"
	check --online --quiet
	ended 1
	has "$stderr" "([source] revoke_conninfo of $conf): connect: "
	publish_configure "share.conninfo=$(server user=cron dbname=nope)"
	check --online --quiet
	ended 1
	has "$stderr" "([share] conninfo of $conf): connect: "
	# What the source has found stays the gravest.
	publish_configure 'issuer.profile=tls' \
	    "source.revoke_conninfo=$(server user=cron dbname=postgres)"
	pg_psql -c "UPDATE crlpress.revocation SET reason = 2
	    WHERE issuer = 'm1'"
	check --online --quiet
	ended 3
}

@test "a table that is missing is the one that its file makes" {
	local native='sharding-config/native.sql makes the native table'
	publish_configure \
	    "source.conninfo=$(server user=cron dbname=template1)"
	check --online --quiet
	ended 1
	has "$stderr" "hint: is it the right database? $native"
	echo 'SELECT serial, revoked_at, reason, not_after, shard
	    FROM nowhere' \
	    >query.sql
	publish_configure "source.query_file=$PWD/query.sql"
	check --online --quiet
	ended 1
	has "$stderr" 'hint: is it the right database, and the schema'
	hushed native.sql
	echo 'SELECT serial, revoked_at, reason, not_after, shard
	    FROM crl_press.nowhere WHERE shard = :'"'shard'" >shard.sql
	publish_configure "source.shard_query_file=$PWD/shard.sql"
	check --online --quiet
	ended 1
	has "$stderr" 'hint: is it the right database, and the schema'
	hushed native.sql
	run --separate-stderr "$CRLPRESS" init --preset cfssl \
	    --preset-dir "$PUBLISH_TREE/sharding-config/presets" \
	    --conninfo "$(server user=cron dbname=postgres)" \
	    --issuer-cert "$ca/issuer.pem" --issuer-id x
	ended 1
	said=$stderr
	has "$stderr" 'SQLSTATE 42P01'
	hushed native.sql
}

@test "init: a connection that was given is not the preset's" {
	local cfssl="$PUBLISH_TREE/sharding-config/presets/cfssl.cnf"
	run --separate-stderr "$CRLPRESS" init --preset "$cfssl" \
	    --issuer-id x --conninfo 'host=x passwrd=geheim99'
	said="$output
$stderr"
	ended 2
	has "$stderr" 'database: connect: invalid connection option "passwrd"'
	has "$stderr" "hint: the password belongs in libpq's passfile"
	hushed geheim99
	hushed cfssl.cnf
	PGSERVICEFILE=/nonexistent run --separate-stderr "$CRLPRESS" init \
	    --preset "$cfssl" --issuer-id x
	ended 1
	has "$stderr" "([source] conninfo of $cfssl): connect: "
}

@test "a source without its word" {
	publish_configure source.source=issuer.crl source.issuer_id= \
	    source.conninfo=
	check
	ended 2
	has "$stderr" 'not crl:PATH, crl:URL or index:PATH'
	has "$stderr" 'hint: did you mean `crl:issuer.crl`?'
	hushed issuer_id
}

@test "another's key: the certificate is named" {
	"$PUBLISH_TREE/tools/make-ca" --p256 "$PWD/other"
	publish_configure "issuer.key=$PWD/other/issuer.key"
	revoke 02 0 1700000000 2000000000
	publish
	ended 2
	has "$stderr" "is not the key of the issuer certificate $ca/issuer.pem"
}

@test "an encrypted key: both ways to hand in the passphrase are named" {
	openssl pkcs8 -topk8 -v2 aes-256-cbc -in "$ca/issuer.key" \
	    -passout pass:geheim99 -out enc.key
	publish_configure "issuer.key=$PWD/enc.key"
	publish
	ended 2
	has "$stderr" 'hint: [issuer] passphrase_file names a file'
	has "$stderr" '--passphrase-fd'
}
