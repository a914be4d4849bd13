# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# What the tests of refused runs share, on top of postgres.bash: a store that
# was published once, a configuration to spoil, and `refused`, which holds a
# run against everything that it must not have done.
#
#   setup_file() { pg_start; faults_make_gold; }
#   setup() { faults_begin; }
#   teardown() { faults_end; }
#   teardown_file() { pg_stop; }

faults_repository=$BATS_TEST_DIRNAME/../..

# A CA, 600 rows in 4 shards, and what a first run makes of them. The role of
# the runs may read the table and nothing else.
faults_make_gold()
{
	export CRLPRESS=${CRLPRESS:-$PWD/build/crlpress}
	export GOLD=$BATS_FILE_TMPDIR/gold
	mkdir -p "$GOLD/store"
	"$faults_repository/tools/make-ca" "$GOLD"
	pg_psql -f "$faults_repository/sharding-config/native.sql"
	pg_psql -c 'CREATE ROLE reader LOGIN IN ROLE crlpress_reader;
	    GRANT CREATE ON DATABASE postgres TO reader'
	"$faults_repository/tools/make-revocations" --count 600 --shards 4 \
	    --issuer e1 --since "$(date -u -d '2 days ago' +%FT%TZ)" \
	    --now "$(date -u -d '1 minute ago' +%FT%TZ)" --quiet
	pg_psql -c 'CREATE TABLE kept AS TABLE crlpress.revocation'
	cat >"$GOLD/e1.cnf" <<-END
	[issuer]
	certificate = issuer.pem
	key = issuer.key
	[source]
	issuer_id = e1
	[shards]
	count = 4
	url = http://crl.example.com/e1/{shard}.crl
	[crl]
	[store]
	url = @PWD@/store
	[state]
	dir = state
	[gates]
	END
	# As if it had been a while ago: --now may lie in the past.
	cd "$GOLD" || return 1
	sed "s|@PWD@|$GOLD|" e1.cnf >first.cnf
	PGUSER=reader "$CRLPRESS" publish --quiet -c first.cnf \
	    --now "$(date -u -d '30 seconds ago' +%FT%TZ)" || return 1
	rm first.cnf
}

# A copy of all that for one test, in its own directory, which is where it is.
# `with` are further arguments of a run, `under` is a command to run it by.
faults_begin()
{
	pg_env main
	export PGUSER=reader
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -a "$GOLD/." .
	conf store url "$PWD/store"
	with=()
	under=()
}

# conf SECTION KEY VALUE: sets a key of the configuration.
conf()
{
	awk -v section="[$1]" -v key="$2" -v value="$3" '
	/^\[/ { inside = $0 == section }
	inside && $1 == key { next }
	{ print }
	$0 == section { print key " = " value }' e1.cnf >e1.new &&
	    mv e1.new e1.cnf
}

# query SQL: the run reads this statement instead of the table.
query()
{
	printf '%s\n' "$1" >query.sql
	conf source query_file query.sql
}

# The rows of the table as a statement.
rows_sql="SELECT serial, revoked_at, reason, not_after, shard
FROM crlpress.revocation WHERE issuer = :'issuer'
AND not_after >= :'lookback'"

# with_row EXPRESSIONS: the rows of the table, and one more.
with_row()
{
	query "$rows_sql UNION ALL SELECT $1"
}

# change_rows SQL: changes the table until faults_end puts it back.
change_rows()
{
	rows_changed=1
	PGUSER=tester pg_psql -c "$1" >/dev/null
}

faults_end()
{
	[ -z "${rows_changed:-}" ] || PGUSER=tester pg_psql -c '
	    TRUNCATE crlpress.revocation;
	    INSERT INTO crlpress.revocation TABLE kept' >/dev/null
}

# What stands in a store: names, files, times, bytes.
faults_store()
{
	(
		cd "${1:-store}" || exit 1
		find . ! -name . -printf '%p %y %i %s %m %T@\n' |
		    grep -v '^\./\.crlpress\.lock ' | LC_ALL=C sort
		find . -type f -exec sha256sum {} + | LC_ALL=C sort
	)
}

# Runs publish as `run` does; stdout is in $output, stderr in $stderr.
press()
{
	run --separate-stderr "${under[@]}" "$CRLPRESS" publish \
	    -c "$PWD/e1.cnf" "${with[@]}" "$@"
}

show()
{
	printf '%s\n' "$1" "status $status" '-- stdout' "$output" \
	    '-- stderr' "${stderr:-}"
	return 1
}

# The faults of stderr: neither hints, nor warnings, nor notes.
faults_said()
{
	grep -v -e '^  hint: ' -e '^warning: ' -e '^note: ' <<<"${stderr:-}" ||
	    true
}

# said TEXT...: each stands on stderr.
said()
{
	local text
	for text; do
		[[ ${stderr:-} == *"$text"* ]] || show "not said: $text"
	done
}

said_not()
{
	local text
	for text; do
		[[ ${stderr:-}$output != *"$text"* ]] || show "said: $text"
	done
}

# one_line TEXT...: a single fault was told, in a line that has each text.
one_line()
{
	local text line
	line=$(faults_said)
	[ "$(grep -c . <<<"$line")" -eq 1 ] || show 'want one fault'
	for text; do
		[[ $line == *"$text"* ]] || show "not in the fault: $text"
	done
}

# Nothing is left of a run but what belongs there: no process, no temporary
# or staged file; and no secret in what it said.
nothing_left()
{
	local file
	sleep 0.02
	for file in /proc/[0-9]*/cmdline; do
		if tr '\0' ' ' <"$file" 2>/dev/null |
		    grep -qF -e "publish -c $PWD/e1.cnf"; then
			show "process left: $file"
		fi
	done
	[ -z "$(find . -path './st*/*' \( -name '*.tmp' \
	    -o -name '.crlpress-*' -o -name '.tmp-*' \
	    -o -path '*/stage/*' \))" ] ||
	    show "left: $(find . -path './st*/*')"
	said_not open-sesame
}

# refused STATUS TEXT...: a run fails with this status and one line with these
# texts, and the store is as it was, to the byte and the inode.
refused()
{
	local want=$1
	shift
	faults_store >before
	press
	[ "$status" -eq "$want" ] || show "want status $want"
	one_line "$@"
	faults_store >after
	diff before after || show 'the store changed'
	nothing_left
}

# The bytes of shards, as "0 1 2".
shard_sums()
{
	local shard
	for shard in $1; do
		printf '%s ' "$shard"
		sha256sum <"store/e1/$shard.crl"
	done
}

# withheld SHARDS TEXT...: a run ends with status 3 and one line with these
# texts; these shards are as they were, all others are new.
withheld()
{
	local held=$1 shard
	shift
	shard_sums "$held" >before
	press
	[ "$status" -eq 3 ] || show 'want status 3'
	one_line "$@"
	shard_sums "$held" >after
	diff before after || show 'a withheld shard changed'
	for shard in 0 1 2 3; do
		case " $held " in
		*" $shard "*) state=withheld ;;
		*) state=published ;;
		esac
		grep -q "^# shard $shard .* state=$state " \
		    store/crlpress-manifest-e1.txt ||
		    show "shard $shard is not $state in the manifest"
		[ "$state" = withheld ] ||
		    ! cmp -s "store/e1/$shard.crl" "$GOLD/store/e1/$shard.crl"
	done
	(cd store && sha256sum --quiet --strict -c crlpress-manifest-e1.txt)
	nothing_left
}

# published: a run ends well, and all shards are new.
published()
{
	local shard
	press
	[ "$status" -eq "${1:-0}" ] || show "want status ${1:-0}"
	[ -z "$(faults_said)" ] || show 'want no fault'
	for shard in 0 1 2 3; do
		! cmp -s "store/e1/$shard.crl" \
		    "$GOLD/store/e1/$shard.crl" ||
		    show "shard $shard was not published"
	done
	nothing_left
}

# passed GATE...: the manifest records what was let pass, and nothing else.
passed()
{
	diff <(printf '# passed %s\n' "$@") \
	    <(grep '^# passed ' store/crlpress-manifest-e1.txt)
}

# rows_are NAME=COUNT...: the account of rows in the manifest.
rows_are()
{
	local text
	for text; do
		grep -q "^# rows.* $text\( \|\$\)" \
		    store/crlpress-manifest-e1.txt || {
			grep '^# rows' store/crlpress-manifest-e1.txt
			echo "want $text"
			return 1
		}
	done
}

# lists SHARD SERIAL: openssl finds this serial in a shard.
lists()
{
	openssl crl -inform DER -in "store/e1/$1.crl" -noout -text |
	    grep -qi "Serial Number: $2\$"
}
