# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# What the tests of the presets share: a server with one CA's tables as that
# product creates them, and what is published from them. Load it after
# postgres.bash and publish.bash, and in a file of tests
#
#   PRESET=ejbca
#   setup_file() { preset_setup; pg_psql <<'SQL' ... SQL }
#   setup() { preset_begin; }
#   teardown_file() { pg_stop; }
#
# Each test then has a directory of its own, with the CA's certificate and key
# in it, and PGDATABASE and a service of libpq both named $PRESET; the service
# is that of the role that may only read.
#
# Variables are those of publish.bash and of bats:
# shellcheck disable=SC2034,SC2154

# A date that no certificate of these tests has reached, and one long gone.
PRESET_VALID='2090-01-01 00:00:00Z'
PRESET_EXPIRED='2019-12-31 23:59:59Z'
# The same in seconds.
PRESET_VALID_SEC=3786912000
PRESET_EXPIRED_SEC=1577836799
export PRESET_VALID PRESET_EXPIRED PRESET_VALID_SEC PRESET_EXPIRED_SEC

# The server, the database with the product's tables, and a CA.
preset_setup()
{
	[ -x "$CRLPRESS" ] || {
		echo "$CRLPRESS: no such program; run make" >&2
		return 1
	}
	pg_start || return 1
	pg_psql -c "CREATE DATABASE \"$PRESET\"" || return 1
	export PGDATABASE=$PRESET
	pg_psql -f "$PUBLISH_TREE/tests/sources/$PRESET.sql" || return 1
	pg_psql -c 'CREATE ROLE crlpress LOGIN' || return 1
	preset_run "$PRESET.grants.sql" || return 1
	pg_psql -c 'GRANT crlpress_reader TO crlpress' || return 1
	[ ! -e "$PUBLISH_TREE/sharding-config/presets/$PRESET.index.sql" ] ||
	    preset_run "$PRESET.index.sql" || return 1
	"$PUBLISH_TREE/tools/make-ca" --p256 "$BATS_FILE_TMPDIR/ca"
}

# A file of the presets, by the owner of the tables.
preset_run()
{
	pg_psql -f "$PUBLISH_TREE/sharding-config/presets/$1"
}

preset_begin()
{
	publish_env
	export PGDATABASE=$PRESET
	cat >service.conf <<-END
	[$PRESET]
	host=$PGHOST
	port=$PGPORT
	dbname=$PRESET
	user=crlpress
	END
	export PGSERVICEFILE=$PWD/service.conf
	export PATH=${CRLPRESS%/*}:$PG_BIN:$PATH
	export presets=$PUBLISH_TREE/sharding-config/presets
	export CRLPRESS_PRESET_DIR=$presets
	cp "$BATS_FILE_TMPDIR/ca/issuer.pem" "$BATS_FILE_TMPDIR/ca/issuer.key" .
	name=e1
	work=$PWD
	conf=$work/$PRESET.cnf
	store=$work/crl
	state=$work/state
	manifest=$store/crlpress-manifest-e1.txt
	ca=$BATS_FILE_TMPDIR/ca
}

# preset_configure [KEY=VALUE...]: the preset's statement and configuration,
# with directories of this test. `url` is that of the shards. $PRESET_ID is the
# issuer's, where it is not what stands in the preset.
preset_configure()
{
	local setting
	mkdir -p "$store"
	cp "$presets/$PRESET.sql" . || return 1
	sed "s|/srv/crl|$store|; s|/var/lib/crlpress|$state|" \
	    "$presets/$PRESET.cnf" >"$conf" || return 1
	for setting in ${PRESET_ID:+"issuer_id=$PRESET_ID"} "$@"; do
		grep -q "^${setting%%=*} = " "$conf" || return 1
		sed -i "/^\[store\]/,\$! \
		    s|^${setting%%=*} = .*|${setting%%=*} = ${setting#*=}|" \
		    "$conf"
	done
}

# The command lines that a section of docs/sources.md prints.
preset_document()
{
	awk -v section="## $1" '
	/^## / {
		inside = $0 == section
	}
	inside && /^    / {
		print substr($0, 5)
	}' "$PUBLISH_TREE/docs/sources.md"
}

# preset_expect <<END: what must be published, a line an entry: shard, serial
# in hex, date, reason.
preset_expect()
{
	local shard serial date reason
	while read -r shard serial date reason; do
		echo "$shard,$serial,$(sec "$date"),$reason"
	done >"$work/rows.csv"
	[ -s "$work/rows.csv" ]
}

# preset_compare SHARDS: the store against what was expected, entry by entry,
# as openssl, certtool and Python read it; and what expired long ago was not
# asked for. A single CRL without a number in its URL is shard 1 of the expected
# rows.
preset_compare()
{
	has "$output" " = $(wc -l <"$work/rows.csv") listed + 0 expired + " ||
	    return 1
	url=$(sed -n '/^\[shards\]/,/^\[store\]/s/^url = //p' "$conf")
	[[ $url == *'{shard'* ]] || url=${url/e1/'e{shard}'}
	compare "$1"
}

# What the documentation prints, exactly as it is there, in this directory and
# with neither roles nor indexes of ours; and what it published. $told is what
# it says on standard error, if anything.
preset_documented()
{
	pg_psql <<-'SQL' || return 1
	DROP OWNED BY crlpress_reader;
	DROP ROLE crlpress_reader, crlpress;
	SELECT format('DROP INDEX %s', oid::regclass) FROM pg_class
	    WHERE relkind = 'i' AND relname ~ '^crlpress_' \gexec
	SQL
	preset_document Roles | grep '^psql ' >commands || return 1
	preset_document "$1" >>commands
	# The last of them is one line, which does it all.
	same "$(sed -e ':a' -e '/\\$/N; s/ *\\\n */ /; ta' commands |
	    tail -n 1 |
	    grep -c "^mkdir crl && crlpress init --preset $PRESET .* && \
crlpress publish -c e1.cnf && crlpress verify -c e1.cnf crl\$")" \
	    1 'command lines that do it all' || return 1
	run --separate-stderr bash -euo pipefail commands
	ended 0 || return 1
	same "$(grep -v '^psql:.*: NOTICE: ' <<<"$stderr")" "${told:-}" \
	    stderr ||
	    return 1
	has "$output" ' + 0 withheld, ' || return 1
	conf=$work/e1.cnf
	preset_compare "$2" || return 1
	crlpress check-config --online -q -c e1.cnf || return 1
	cmp e1.sql "$presets/$PRESET.sql" || return 1
	preset_proves
}

# What crlpress(1) prints for verify --rows: the query file itself makes the
# CSV, wherever its reader lives, and each row of it counts.
preset_proves()
{
	local zone id
	id=$(sed -n '/^\[source\]/,/^\[shards\]/s/^issuer_id = //p' e1.cnf)
	id=${id#\"} id=${id%\"}
	for zone in Asia/Kathmandu UTC; do
		PGTZ=$zone "$PG_BIN/psql" -X --csv -v issuer="$id" \
		    -v lookback=2026-01-01 -f e1.sql >proof.csv || return 1
		proved 0 '' 0 || return 1
	done
	# The CSV's own header, and a row a line.
	same "$(sort -u proof.csv | wc -l)" "$(($(wc -l <rows.csv) + 1))" \
	    'lines of the CSV' || return 1
	cp proof.csv whole.csv
	sed 2d whole.csv >proof.csv
	proved 5 'is listed but no row revokes it' 1 || return 1
	{
		cat whole.csv
		sed -n '2s/^[^,]*,/99999,/p' whole.csv
	} >proof.csv
	proved 5 'is revoked by a row but not listed' 1 || return 1
	# What is no serial in this encoding.
	{
		cat whole.csv
		sed -n '2s/^[^,]*,/99999z,/p' whole.csv
	} >proof.csv
	proved 5 "line $(wc -l <proof.csv): row 99999z: serial is not " 1
}

# proved STATUS TEXT COUNT: verify --rows proof.csv ends so, and says that.
proved()
{
	run --separate-stderr crlpress verify -c e1.cnf --rows proof.csv crl
	ended "$1" && has "$stderr" "$2" &&
	    same "$(grep -c . <<<"$stderr")" "$3" findings
}

# bad SQL TEXT...: with the rows that the SQL makes, no run is well: it names
# what is wrong in these words. The rows are gone afterwards, by $PRESET_CLEAN.
bad()
{
	local text
	pg_psql -c "$1" || return 1
	run --separate-stderr crlpress publish --dry-run -c "$conf"
	pg_psql -c "$PRESET_CLEAN" || return 1
	if [ "$status" -ne 3 ]; then
		printf 'exit status %s with %s\n%s\n%s\n' "$status" "$1" \
		    "$output" "$stderr"
		return 1
	fi
	for text in "${@:2}"; do
		has "$stderr" "$text" || {
			echo "with $1"
			return 1
		}
	done
}

# good SQL: with the rows that the SQL makes, all is well, and they are read.
good()
{
	pg_psql -c "$1" || return 1
	run --separate-stderr crlpress publish --dry-run -c "$conf"
	pg_psql -c "$PRESET_CLEAN" || return 1
	ended 0 && same "$stderr" '' stderr
}

# preset_hold SQL SERIAL FILE: the certificate on hold that the SQL makes is a
# fault in the profile of the preset, and an entry in the profile private.
preset_hold()
{
	preset_configure
	bad "$1" ": reason, BR 4.9.1.1" "serial $2: have reason 6" || return 1
	preset_configure profile=private
	pg_psql -c "$1" || return 1
	run --separate-stderr crlpress publish -q -c "$conf"
	pg_psql -c "$PRESET_CLEAN" || return 1
	ended 0 || return 1
	same "$(openssl crl -inform DER -in "$store/$3" -noout -text |
	    grep -ic -A 4 "Serial Number: $2\$")" 1 "entries of $2" || return 1
	has "$(openssl crl -inform DER -in "$store/$3" -noout -text |
	    grep -i -A 4 "Serial Number: $2\$")" 'Certificate Hold'
}

# preset_withholds SQL FILE: the row that the SQL makes withholds its shard,
# and what was published stands.
preset_withholds()
{
	local before
	crlpress publish -q -c "$conf" --now "$(iso $(($(date +%s) - 60)))"
	before=$(sha256sum <"$store/$2")
	pg_psql -c "$1"
	run --separate-stderr crlpress publish -q -c "$conf"
	pg_psql -c "$PRESET_CLEAN"
	ended 3 && same "$(sha256sum <"$store/$2")" "$before" "$2"
}

# The role reads what the statement reads, and nothing else, and writes
# nothing; and each column that it was granted is needed.
preset_least()
{
	local table column kind
	local -a columns
	crlpress publish -q --dry-run -c "$conf" || return 1
	mapfile -t columns < <(pg_psql -F ' ' -c "
	    SELECT quote_ident(table_name), quote_ident(column_name)
	    FROM information_schema.column_privileges
	    WHERE grantee = 'crlpress_reader' ORDER BY 1, 2")
	[ "${#columns[@]}" -ge 2 ] || return 1
	for column in "${columns[@]}"; do
		read -r table column <<<"$column"
		pg_psql -c "REVOKE SELECT ($column) ON $table
		    FROM crlpress_reader"
		run --separate-stderr crlpress publish -q --dry-run -c "$conf"
		pg_psql -c "GRANT SELECT ($column) ON $table
		    TO crlpress_reader"
		ended 1 && has "$stderr" \
		    "permission denied for table ${table//\"/}" || {
			echo "without $table.$column"
			return 1
		}
	done
	crlpress publish -q --dry-run -c "$conf" || return 1
	# Whatever else there is: other columns, and all that writes.
	pg_psql -U crlpress -F ' ' >may <<-'SQL' || return 1
	SELECT c.oid::regclass, a.attname, p.kind
	FROM pg_class AS c
	JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
	CROSS JOIN unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[])
	    AS p (kind)
	WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
	    AND has_column_privilege(c.oid, a.attnum, p.kind)
	    AND NOT (p.kind = 'SELECT' AND EXISTS (
	        SELECT FROM information_schema.column_privileges AS g
	        WHERE g.grantee = 'crlpress_reader'
	            AND g.table_name = c.relname
	            AND g.column_name = a.attname))
	UNION ALL
	SELECT c.oid::regclass, '*', p.kind
	FROM pg_class AS c
	CROSS JOIN unnest('{DELETE,TRUNCATE,TRIGGER}'::text[]) AS p (kind)
	WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
	    AND has_table_privilege(c.oid, p.kind);
	SQL
	same "$(cat may)" '' 'may do more' || return 1
	for table in "$@"; do
		for kind in "DELETE FROM $table" "TRUNCATE $table" \
		    "INSERT INTO $table DEFAULT VALUES"; do
			run pg_psql -U crlpress -c "$kind"
			[ "$status" -ne 0 ] && has "$output" \
			    "permission denied for table" || return 1
		done
	done
}

# preset_plan ISSUER_ID TABLE INDEX [FACTOR]: the statement finds its rows by
# this index among many others, and would cost twice as much without it, or
# FACTOR times. psql reads the very file.
preset_plan()
{
	local with without
	pg_psql -c ANALYZE || return 1
	preset_explain "$1" >plan || return 1
	if ! grep -F -A 1 "$3" plan | grep -q 'Index Cond: ' ||
	    grep -q "Seq Scan on $2 " plan; then
		cat plan
		return 1
	fi
	with=$(preset_cost)
	preset_explain "$1" -c "BEGIN; DROP INDEX $3" >plan || return 1
	without=$(preset_cost)
	[ "$((${4:-2} * with))" -lt "$without" ] || {
		echo "cost $with with the index, $without without:"
		cat plan
		return 1
	}
}

# preset_explain ISSUER_ID [ARGUMENT...]: the plan, after whatever else psql is
# to do in the same session.
preset_explain()
{
	{
		echo EXPLAIN
		cat "$presets/$PRESET.sql"
	} >explain.sql
	pg_psql -v issuer="$1" -v lookback='2025-01-01T00:00:00Z' "${@:2}" \
	    -f explain.sql
}

# What the plan costs in all.
preset_cost()
{
	sed -n '1s/.*\.\.\([0-9]*\).*rows=.*/\1/p' plan
}
