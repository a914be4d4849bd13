# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# What the tests of refused runs share: a store that was published once, a
# configuration to spoil, and `refused`, `withheld` and `published`, which
# hold a run against everything that it must have done and must not. Load it
# after postgres.bash and publish.bash, and in a file of tests
#
#   setup_file() { publish_setup; faults_make_gold; }
#   setup() { faults_begin; }
#   teardown() { faults_end; }
#   teardown_file() { pg_stop; }
#
# A test sets `with`, further arguments of the run, and `under`, a command to
# run it by.
#
# Variables are those of publish.bash and of bats:
# shellcheck disable=SC2154

# The statement of the native table.
FAULTS_ROWS="SELECT serial, revoked_at, reason, not_after, shard
FROM crlpress.revocation WHERE issuer = :'issuer'
AND not_after >= :'lookback'"

# 600 rows in 4 shards, none of them expired, and what a run makes of them.
# That is dated back a little, so that the next may have a time of its own.
faults_make_gold()
{
	export GOLD=$BATS_FILE_TMPDIR/gold CRLPRESS
	mkdir -p "$GOLD"
	BATS_TEST_TMPDIR=$GOLD publish_new e1 shards.count=4
	make_rows 600 --shards 4 --since "$(date -u -d '2 days ago' +%FT%TZ)" \
	    --now "$(date -u -d '2 minutes ago' +%FT%TZ)"
	pg_psql -c 'CREATE TABLE kept AS TABLE crlpress.revocation'
	"$CRLPRESS" publish --quiet --config "$conf" \
	    --now "$(date -u -d '1 minute ago' +%FT%TZ)"
}

# A copy of that for one test.
faults_begin()
{
	publish_env
	publish_new e1 shards.count=4
	faults_again
	under=()
	rows_changed=
}

# The same once more, as if nothing had happened in between.
faults_again()
{
	rm -rf "$store" "$state"
	cp -a "$GOLD/e1/store" "$GOLD/e1/state" "$work"
	with=()
}

# spoil SETTING...: another configuration.
spoil()
{
	publish_configure shards.count=4 "$@"
}

# query SQL [SETTING...]: the run reads this statement instead of the table.
query()
{
	printf '%s\n' "$1" >query.sql
	spoil "source.query_file=$PWD/query.sql" "${@:2}"
}

# with_row EXPRESSIONS [SETTING...]: the rows of the table, and one more.
with_row()
{
	query "$FAULTS_ROWS UNION ALL SELECT $1" "${@:2}"
}

# change_rows SQL: changes the table until faults_end puts it back.
change_rows()
{
	rows_changed=1
	pg_psql -c "$1" >/dev/null
}

faults_end()
{
	[ -z "${rows_changed:-}" ] || pg_psql -c '
	    TRUNCATE crlpress.revocation;
	    INSERT INTO crlpress.revocation TABLE kept'
}

# Runs publish as `run` does, with `with` and under `under`; ./before is what
# stood in the store.
press()
{
	# Who is not root cannot remove what is in a read-only directory.
	chmod -R u+w before 2>/dev/null || true
	rm -rf before
	cp -a "$store" before 2>/dev/null || true
	run --separate-stderr "${under[@]}" "$CRLPRESS" publish \
	    --config "$conf" "${with[@]}"
}

show()
{
	printf '%s\n' "$1" "status $status" '-- stdout' "$output" \
	    '-- stderr' "${stderr:-}"
	return 1
}

# said TEXT...: each stands on stderr.
said()
{
	local text
	for text; do
		has "${stderr:-}" "$text" || return 1
	done
}

said_not()
{
	local text
	for text; do
		[[ ${stderr:-}$output != *"$text"* ]] ||
		    show "said: $text" || return 1
	done
}

# The faults of stderr: neither hints, nor warnings, nor notes.
faults_said()
{
	grep -v -e '^  hint: ' -e '^warning: ' -e '^note: ' \
	    <<<"${stderr:-}" || true
}

# one_line TEXT...: a single fault was told, in a line that has each text.
one_line()
{
	local text line
	line=$(faults_said)
	[ "$(grep -c . <<<"$line")" -eq 1 ] || show 'want one fault' || return 1
	for text; do
		has "$line" "$text" || return 1
	done
}

# What stands in the store, to the inode; its lock is nobody's business, nor
# is when a directory was last looked into.
standing()
{
	tree "$store" | grep -v -e '^\.crlpress-lock ' -e '/\.crlpress-lock$' \
	    -e '^[^ ]* d ' -e '^ d '
}

# Files that a run makes for itself and must not leave.
leftovers()
{
	find "$store" "$state" \( -name '*.tmp' -o -name '.tmp-*' \
	    -o -name '.crlpress-tmp-*' -o -path '*/stage/*' \) 2>/dev/null ||
	    true
}

# Nothing is left of a run but what belongs there: no process, no temporary
# or staged file; and no secret in what it said.
nothing_left()
{
	local left
	left=$(pgrep -f -- "publish --config $conf") || true
	[ -z "$left" ] || show "processes left: $left" || return 1
	left=$(leftovers)
	[ -z "$left" ] || show "files left: $left" || return 1
	said_not open-sesame 'BEGIN PRIVATE'
}

# refused STATUS TEXT...: a run fails with this status and one line with these
# texts, and the store is as it was, to the byte and the inode.
refused()
{
	local want=$1
	shift
	stands_still "$want"
	one_line "$@"
}

# stands_still STATUS: the same, however many lines it says.
stands_still()
{
	standing >before.tree || true
	press
	ended "$1" && nothing_left || return 1
	standing >after.tree || true
	diff before.tree after.tree || show 'the store changed'
}

# State of each shard in the manifest: "0 published".
shard_states()
{
	sed -n 's/^# shard \([0-9]*\) .* state=\([a-z]*\) .*/\1 \2/p' \
	    "$manifest"
}

# What a manifest says of a shard and may not change while it stands.
shard_line()
{
	sed -n "/^# shard $2 /{
		s/ added=.* size=/ size=/
		s/ state=[a-z]*//
		N
		p
	}" "$1"
}

# Shard $1 is the issuer's CRL and no older than the manifest had it.
is_good()
{
	local number before
	crl_verifies "$store/e1/$1.crl" >/dev/null || return 1
	openssl crl -inform DER -in "$store/e1/$1.crl" -noout -text |
	    grep -qF "URI:http://crl.example.com/e1/$1.crl" || return 1
	number=$(crl_field "$store/e1/$1.crl" number) || return 0
	before=$(shard_line "before/${manifest##*/}" "$1" |
	    sed -n 's/.* number=\([0-9]*\) .*/\1/p')
	[ "$number" -ge "${before:-0}" ]
}

# The manifest has what stands there of a withheld shard, or, where that is
# not to be had, what the manifest before had.
known()
{
	if is_good "$1"; then
		(cd "$store" && grep "  e1/$1\.crl$" "$manifest" |
		    sha256sum --quiet --strict -c)
	else
		same "$(shard_line "$manifest" "$1")" \
		    "$(shard_line "before/${manifest##*/}" "$1")" \
		    "what is known of shard $1"
	fi
}

# held SHARDS: these are as they were, and the manifest says so; all others
# are new.
held()
{
	local shard want
	for shard in 0 1 2 3; do
		want=published
		[[ " $1 " != *" $shard "* ]] || want=withheld
		if cmp -s "before/e1/$shard.crl" "$store/e1/$shard.crl"; then
			[ "$want" != published ]
		else
			[ "$want" = published ] &&
			    crl_verifies "$store/e1/$shard.crl"
		fi || show "shard $shard is not $want" || return 1
		shard_states | grep -qx "$shard $want" ||
		    show "the manifest: shard $shard is not $want" || return 1
		[ "$want" = published ] || known "$shard" || return 1
	done
	(cd "$store" && grep -v '^#' "$manifest" |
	    grep -v "  e1/[${1:-x}]\.crl\$" |
	    sha256sum --quiet --strict -c)
}

# withheld SHARDS TEXT...: a run ends with status 3 and one line with these
# texts; these shards stand and all others are new.
withheld()
{
	local shards=$1
	shift
	press
	ended 3 && one_line "$@" && held "$shards" && nothing_left
}

# A run ends well without a fault, and all shards are new.
published()
{
	press
	ended 0 && [ -z "$(faults_said)" ] || show 'want no fault' || return 1
	held '' && nothing_left
}

# passed GATE...: what the manifest says was let pass.
passed()
{
	same "$(manifest_field passed)" "$(printf '%s\n' "$@")" passed
}

# rows_are NAME=COUNT...: the account of rows in the manifest.
rows_are()
{
	local text
	for text; do
		has "$(manifest_field rows) " "$text " || return 1
	done
}

# entry_of SHARD SERIAL: the lines of openssl about this entry.
entry_of()
{
	openssl crl -inform DER -in "$store/e1/$1.crl" -noout -text |
	    grep -i -A 4 "Serial Number: $2\$"
}

# The serial of some row of a shard, in lower case hex.
some_serial()
{
	pg_psql -c "SELECT encode(serial, 'hex') FROM crlpress.revocation
	    WHERE issuer = 'e1' AND shard = $1 AND reason = ${2:-0}
	    ORDER BY serial LIMIT 1"
}
