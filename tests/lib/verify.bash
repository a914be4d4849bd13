# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# What the tests of crlpress verify share. Load it after publish.bash; $CRLPRESS
# is the program. A file of tests that wants sets of CRLs to judge says
#
#   setup_file() { verify_make_gold; }
#   setup() { verify_begin; }
#   teardown_file() { pg_stop; }
#
# Variables are those of publish.bash and of bats:
# shellcheck disable=SC2154

# As `run` does. 100 seconds are a hang.
verify()
{
	run --separate-stderr timeout 100 "$CRLPRESS" verify "$@"
}

# All is well, and nothing was said to the contrary.
fine()
{
	ended 0 && same "${stderr:-}" '' stderr
}

# faulty RULE TEXT...: exit status 5, this rule, and these texts on stderr.
faulty()
{
	local text
	ended 5 && has "$stderr" ": $1, " || return 1
	for text in "${@:2}"; do
		has "$stderr" "$text" || return 1
	done
}

ago()
{
	date -u -d "$1 ago" +%FT%TZ
}

publish_at()
{
	"$CRLPRESS" publish --quiet --config "$conf" --now "$(ago "$1")" \
	    "${@:2}"
}

# With a header, as the man page has it.
export_csv()
{
	PGTZ=UTC "$PG_BIN/psql" -X -q --csv -c "SELECT serial, revoked_at,
	    reason, not_after, shard FROM crlpress.revocation
	    WHERE issuer = '${2:-e1}' ORDER BY serial" >"$1"
}

# The serial (in lower case) or the shard of the Nth row of a CSV.
serial_of()
{
	sed -n "$(($2 + 1))s/^.x\([0-9a-f]*\),.*/\1/p" "$1"
}

shard_of()
{
	sed -n "$(($2 + 1))s/.*,//p" "$1"
}

# Two sets, one after the other, and the rows of each. Some certificates have
# expired by then, so that entries leave with the second.
verify_make_gold()
{
	export GOLD=$BATS_FILE_TMPDIR/gold
	publish_setup || return 1
	mkdir "$GOLD"
	BATS_TEST_TMPDIR=$GOLD publish_new e1 shards.count=4
	make_rows 2000 --shards 4 --now "$(ago '10 minutes')"
	publish_at '8 minutes'
	cp -a "$store" "$GOLD/first"
	export_csv "$GOLD/first.csv"
	make_rows 100 --shards 4 --seed 2 --since "$(ago '7 minutes')" \
	    --now "$(ago '6 minutes')"
	publish_at '4 minutes'
	cp -a "$store" "$GOLD/second"
	export_csv "$GOLD/second.csv"
}

# Copies of both for one test: ./first, ./second, first.csv, second.csv.
verify_begin()
{
	publish_env
	publish_new e1 shards.count=4
	cp -a "$GOLD/first" "$GOLD/second" .
	cp "$GOLD"/*.csv .
}
