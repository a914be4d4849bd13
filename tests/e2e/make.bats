# SPDX-License-Identifier: ISC
#
# What tools/make-ca and tools/make-revocations make is what tests and the
# demo take it for.

bats_require_minimum_version 1.5.0

setup_file()
{
	load ../lib/postgres
	pg_start
	pg_psql -f "$BATS_TEST_DIRNAME/../../sharding-config/native.sql"
}

teardown_file()
{
	load ../lib/postgres
	pg_stop
}

setup()
{
	load ../lib/postgres
	tools=$BATS_TEST_DIRNAME/../../tools
	dir=$BATS_TEST_TMPDIR
	now=2026-11-22T00:00:00Z
}

# The certificate $1 as openssl prints it.
text()
{
	openssl x509 -in "$dir/$1.pem" -noout -text
}

revocations()
{
	pg_psql -c 'TRUNCATE crlpress.revocation'
	PATH=$PG_BIN:$PATH "$tools/make-revocations" --quiet --now "$now" "$@"
}

# The one value of a query.
value()
{
	pg_psql -c "SELECT $1 FROM crlpress.revocation"
}

digest()
{
	value "md5(string_agg(revocation::text, '' ORDER BY serial))"
}

@test "make-ca: each kind of key, an issuer that may sign CRLs" {
	local row
	for row in p256:prime256v1 p384:secp384r1 rsa:'(2048 bit)' \
	    ed25519:ED25519; do
		"$tools/make-ca" "--${row%%:*}" "$dir"
		[[ $(text issuer) == *"${row#*:}"* ]]
		openssl verify -no-CApath -CAfile "$dir/root.pem" \
		    "$dir/issuer.pem"
		cmp <(openssl x509 -in "$dir/issuer.pem" -noout -pubkey) \
		    <(openssl pkey -in "$dir/issuer.key" -pubout)
		run -0 text issuer
		[[ $output == *'Key Usage: critical'*'CRL Sign'* ]]
		[[ $output == *'Basic Constraints: critical'* ]]
		[[ $output == *'CA:TRUE, pathlen:0'* ]]
		[[ $output == *'Subject Key Identifier'* ]]
		[[ $output == *'Authority Key Identifier'* ]]
	done
	run -0 ls -A "$dir"
	[ "$output" = $'issuer.key\nissuer.pem\nroot.key\nroot.pem' ]
	[ "$(stat -c %a "$dir/issuer.key")" = 600 ]
}

@test "make-ca: times, subject, an encrypted key" {
	echo 'open sesame' >"$dir/pass"
	"$tools/make-ca" --from 20200101000000Z --to 20210101000000Z \
	    --subject '/C=XX/CN=Another' --encrypt "$dir/pass" "$dir"
	[[ $(text issuer) == *'Not After : Jan  1 00:00:00 2021 GMT'* ]]
	[[ $(text issuer) == *'Subject: C = XX, CN = Another'* ]]
	[ "$(head -n 1 "$dir/issuer.key")" = \
	    '-----BEGIN ENCRYPTED PRIVATE KEY-----' ]
	openssl pkey -in "$dir/issuer.key" -passin "file:$dir/pass" -noout
	run -2 "$tools/make-ca" --p521 "$dir"
	run -1 "$tools/make-ca" --encrypt /nonexistent "$dir/other"
	[[ $output == *'openssl pkcs8 failed'* ]]
}

@test "make-revocations: the same arguments, the same rows" {
	local first
	revocations --count 1000
	first=$(digest)
	revocations --count 1000
	[ "$(digest)" = "$first" ]
	revocations --count 1000 --seed other
	[ "$(digest)" != "$first" ]
}

@test "make-revocations: shares, lengths, shards and dates" {
	revocations --count 20000 --shards 7 --first 3 --issuer X
	[ "$(value "count(*) = 20000 AND min(issuer) = 'X'
	    AND max(issuer) = 'X'")" = t ]
	[ "$(value "string_agg(DISTINCT shard::text, ' ')")" = \
	    '3 4 5 6 7 8 9' ]
	[ "$(value "string_agg(DISTINCT octet_length(serial)::text, ' ')")" = \
	    '16 17 18' ]
	[ "$(value "string_agg(DISTINCT reason::text, ' ')")" = '0 1 3 4 5 9' ]
	[ "$(value "count(*) FILTER (WHERE reason = 0)
	    BETWEEN 14000 AND 14800")" = t ]
	[ "$(value "count(*) FILTER (WHERE reason = 4)
	    BETWEEN 2800 AND 3200")" = t ]
	[ "$(value "count(*) FILTER (WHERE not_after < '$now')
	    BETWEEN 140 AND 260")" = t ]
	[ "$(value "min(not_after) > '$now'::timestamptz
	    - interval '1 day 1 second'")" = t ]
	[ "$(value "bool_and(revoked_at < '$now' AND revoked_at < not_after
	    AND revoked_at > not_after - interval '90 days'
	    AND recorded_at >= revoked_at AND recorded_at <= '$now'
	    AND get_byte(serial, 0) BETWEEN 1 AND 127)")" = t ]
}

@test "make-revocations: --since" {
	revocations --count 2000 --since 2026-11-21T18:00:00Z
	[ "$(value "min(revoked_at) >= '2026-11-21T18:00:00Z'
	    AND max(revoked_at) < '$now' AND min(not_after) > '$now'")" = t ]
}

indexes()
{
	pg_psql <<-'END'
	SELECT indexdef FROM pg_indexes WHERE tablename = 'revocation'
	ORDER BY indexname;
	SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
	WHERE conrelid = 'crlpress.revocation'::regclass ORDER BY conname;
	END
}

@test "make-revocations: a million rows leave the indexes as they were" {
	local before
	before=$(indexes)
	[[ $before == *'UNIQUE INDEX'*'PRIMARY KEY'* ]]
	revocations --count 1000000
	[ "$(value 'count(*)')" = 1000000 ]
	[ "$(indexes)" = "$before" ]
}

@test "make-revocations: wrong arguments, no server" {
	run -2 "$tools/make-revocations" --count x
	run -2 "$tools/make-revocations" --shards 0
	run -2 "$tools/make-revocations" --colour
	PGHOST=/nonexistent run ! "$tools/make-revocations" --count 1
	[[ $output == *'/nonexistent'* ]]
}
