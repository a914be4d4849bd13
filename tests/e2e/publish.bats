# SPDX-License-Identifier: ISC
#
# crlpress publish against a real server: what is published is what the
# database says, in the eyes of openssl, certtool and Python cryptography.

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash

setup_file()
{
	publish_setup
	# Serial numbers in other spellings, and what a scheme makes of one.
	pg_psql <<-'SQL'
		CREATE FUNCTION number_of(serial bytea) RETURNS numeric
		LANGUAGE plpgsql IMMUTABLE AS $$
		DECLARE
		    n numeric := 0;
		BEGIN
		    FOR i IN 0 .. octet_length(serial) - 1 LOOP
		        n := n * 256 + get_byte(serial, i);
		    END LOOP;
		    RETURN n;
		END
		$$;
		CREATE FUNCTION hex_of(serial bytea) RETURNS text
		LANGUAGE sql IMMUTABLE
		RETURN ltrim(encode(serial, 'hex'), '0');
	SQL
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
}

teardown()
{
	# What a failed test left running.
	[ -z "${running:-}" ] || kill "$running" 2>/dev/null || true
	[ -z "${holder:-}" ] || kill "$holder" 2>/dev/null || true
}

# A statement of our own instead of the native table.
query()
{
	cat >"$work/query.sql"
}

reasons_of_rows()
{
	cut -d , -f 4 "$work/rows.csv" | sort -u | tr '\n' ' '
}

# The shards that have no entry, by index.
empty_shards()
{
	manifest_field shard | sed -n 's/^\([0-9]*\) .* entries=0 .*/\1/p' |
	    tr '\n' ' '
}

@test "two runs say what the database says, to three readers" {
	local number this gone
	publish_new main shards.count=16
	# 0 and 15 stay empty.
	make_rows 20000 --shards 14 --first 1
	publish_ok
	export_rows
	same "$(reasons_of_rows)" '0 1 3 4 5 9 ' reasons
	same "$(wc -l <"$work/rows.csv")" 20000 rows
	compare 16
	manifest_holds
	same "$(empty_shards)" '0 15 ' 'empty shards'
	same "$(manifest_sum added)" 20000 added
	same "$(manifest_sum removed)" 0 removed
	same "$(summary_adds_up "$output")" '20000 rows = 20000 listed +'\
' 0 expired + 0 duplicate + 0 deferred + 0 withheld' summary
	number=$(all_have number)
	this=$(all_have this)
	same "$(all_have next)" $((this + 9 * 86400 - 1)) nextUpdate
	same "$(manifest_field number)" "$number" number
	same "$(manifest_field this-update)" "$(iso "$this")" thisUpdate
	same "$(<"$state/main/number")" "$number" 'number in the state'

	make_rows 300 --shards 14 --first 1 --seed 2 --since "$(iso "$this")"
	gone=$(pg_psql -c "SELECT count(*) FROM crlpress.revocation
	    WHERE issuer = 'main' AND not_after < to_timestamp($this)")
	[ "$gone" -gt 50 ]
	publish_ok
	export_rows "AND not_after >= to_timestamp($this)"
	same "$(wc -l <"$work/rows.csv")" $((20300 - gone)) rows
	compare 16
	manifest_holds
	same "$(manifest_sum added)" 300 added
	same "$(manifest_sum removed)" "$gone" removed
	has "$output" "$((20300 - gone)) entries (+300 -$gone)"
	summary_adds_up "$output"
	[ "$(all_have number)" -gt "$number" ]
	[ "$(all_have this)" -gt "$this" ]

	"$CRLPRESS" verify --config "$conf" "$store" >verify.out
}

# publish_key NAME ALGORITHM [SETTING...]: two shards with another key.
publish_key()
{
	local file
	publish_new "$1" "${@:3}"
	make_rows 200 --shards 2
	publish_ok
	export_rows
	compare 2
	for file in "$store/$name"/*.crl; do
		same "$(crl_field "$file" algorithm)" "$2" algorithm
		run certtool --verify-crl --inder --infile "$file" \
		    --load-ca-certificate "$ca/issuer.pem"
		ended 0
		has "$output" Verified
	done
	"$CRLPRESS" verify --config "$conf" "$store" >verify.out
}

# own_ca FLAG: a CA for the one test.
own_ca()
{
	# publish_new sets it to the one of the file.
	"$PUBLISH_TREE/tools/make-ca" "$1" "$BATS_TEST_TMPDIR/ca"
	publish_new()
	{
		local name=$1
		. "$PUBLISH_TREE/tests/lib/publish.bash"
		publish_new "$@"
	}
}
