# SPDX-License-Identifier: ISC
#
# The manual pages say what the program has: every key, option, gate and exit
# status stands there, and nothing else does.
#
# What a test works with is set by what is loaded:
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0
load ../lib/publish.bash

setup()
{
	cd "$PUBLISH_TREE" || return 1
	page=docs/crlpress.1
}

# Both lists the same, or the lines that only one has: < man, > program.
agree()
{
	[ -s "$BATS_TEST_TMPDIR/program" ]
	diff "$BATS_TEST_TMPDIR/page" "$BATS_TEST_TMPDIR/program"
}

page_is()
{
	cat >"$BATS_TEST_TMPDIR/page"
}

program_is()
{
	cat >"$BATS_TEST_TMPDIR/program"
}

# The lines between two headings of crlpress(1).
part()
{
	awk -v head="$1" '
	/^\.S[hs] / {
		inside = 0
	}
	$0 == head {
		inside = 1
	}
	inside' "$page"
}

# The part of the synopsis that is of one command, .Nm to .Nm.
synopsis()
{
	part '.Sh SYNOPSIS' | awk -v name="$1" '
	/^\.Nm/ {
		inside = 0
	}
	$1 == ".Cm" && $2 == name {
		inside = 1
	}
	inside'
}

# Options in mdoc as words, clusters apart: -n -q --json.
mdoc_options()
{
	grep -oE 'Fl (Fl )?[a-z][a-z-]*' | awk '
	$2 == "Fl" {
		print "--" $3
		next
	}
	{
		for (i = 1; i <= length($2); i++)
			print "-" substr($2, i, 1)
	}' | sort -u
}

# The options of a command, one line each, --help aside: "-c --config", with
# a third word for an argument.
options()
{
	"$CRLPRESS" help "$1" |
	    sed -nE -e '/^  -h, --help /d' \
	    -e 's/^  (-[a-z]), (--[a-z-]+)( [^ ]+)?  .*/\1 \2\3/p' \
	    -e 's/^      (--[a-z-]+)( [^ ]+)?  .*/\1\2/p' \
	    -e 's/^      (--[a-z-]+)\[=([^ ]+)\]  .*/\1 \2/p'
}

commands()
{
	"$CRLPRESS" help | sed -nE 's/^  ([a-z][a-z-]*)  .*/\1/p'
}

@test "crlpress.cnf(5) has every key, its kind and its default, and no other" {
	"$CRLPRESS" check-config --keys | cut -f 1-4 | program_is
	awk '
	/^\.S[hs] / {
		section = ""
	}
	/^\.Ss \[.*\]$/ {
		section = substr($2, 2, length($2) - 2)
	}
	section != "" && /^\.It Cm [a-z0-9_]+ = Ar / {
		note = $0
		sub(/^.* Pq /, "", note)
		sub(/^Cm /, "", note)
		print section "\t" $3 "\t" $6 "\t" note
	}' docs/crlpress.cnf.5 | page_is
	agree
	# Each kind of value is explained.
	"$CRLPRESS" check-config --keys | cut -f 3 | sort -u | program_is
	sed -n 's/^\.It Ar \([a-z]*\)$/\1/p' docs/crlpress.cnf.5 |
	    sort -u | page_is
	agree
	# And a key has a line of help.
	[ -z "$("$CRLPRESS" check-config --keys | awk -F '\t' '$5 == ""')" ]
}

@test "example.cnf has every key, and what is commented out is the default" {
	"$CRLPRESS" check-config --keys | cut -f 1,2 | program_is
	awk '
	/^\[.*\]$/ {
		section = substr($0, 2, length($0) - 2)
	}
	/^#?[a-z0-9_]+ = / {
		sub(/^#/, "")
		print section "\t" $1
	}' sharding-config/example.cnf | page_is
	agree
	"$CRLPRESS" check-config --keys | awk -F '\t' '
	FNR == NR {
		note[$1 "." $2] = $4
		next
	}
	/^\[.*\]$/ {
		section = substr($0, 2, length($0) - 2)
	}
	/^#[a-z0-9_]+ = / {
		split(substr($0, 2), word, " = ")
		if (word[1] == "anchor" || word[1] == "chunk")
			next
		want = note[section "." word[1]]
		# "by profile" and the like is no value.
		if (want == "none" || want ~ / /)
			next
		seen++
		if (word[2] != want) {
			print section "." word[1], word[2], want
			wrong = 1
		}
	}
	END {
		exit wrong || seen < 10
	}' - sharding-config/example.cnf
}

@test "crlpress(1) has every command and every option, and no other" {
	local command option
	commands | program_is
	part '.Sh SYNOPSIS' | sed -n 's/^\.Cm //p' | page_is
	agree
	for command in $(commands); do
		[ "$command" != help ] || continue
		# In the synopsis each once: by its letter if it has one.
		options "$command" | awk '{ print $1 }' | sort -u | program_is
		synopsis "$command" | mdoc_options | page_is
		agree
		# In the description by its whole name.
		while read -r option; do
			has "$(part ".Ss $command" | mdoc_options)" "$option"
		done < <(options "$command" | grep -oE -e '--[a-z-]+' |
		    grep -vxE -e '--(config|quiet)')
	done
	# None there but those.
	{
		echo --version
		for command in $(commands); do
			options "$command" | tr ' ' '\n' | grep '^-'
		done
	} | sort -u >"$BATS_TEST_TMPDIR/program"
	mdoc_options <"$page" | page_is
	agree
}

@test "crlpress(1) has every gate, and no other" {
	# Of the table in the code, with whether a shard goes with it, or all.
	awk '
	/^static const struct gate_row/ {
		table = 1
	}
	/^};/ {
		table = 0
	}
	table' src/gate.c | tr '\n\t' '  ' |
	    grep -oE '\[GATE_[A-Z_]+\] = \{[^}]*\}' |
	    sed -E 's/[^"]*"([^"]*)".*, *(OF_[A-Z]+)\}/\1 \2/' |
	    sort | program_is
	part '.Sh GATES' | awk '
	/^\.It Cm / {
		reach = /: Ns Ar shard$/ ? "OF_SHARD" : "OF_RUN"
		if (/: Ns Ar shard \| .*: Ns Cm all$/)
			reach = "OF_SHARDS"
		print $3, reach
	}' | sort | page_is
	agree
	# And the program takes each by that name.
	while read -r gate reach; do
		[ "$reach" = OF_RUN ] || gate=$gate:0
		[ "$reach" != OF_SHARDS ] || gate+=" --pass ${gate%0}all"
		# shellcheck disable=SC2086 # several options
		run "$CRLPRESS" publish --config /nonexistent --pass $gate
		has "$output" 'config: cannot be opened'
	done <"$BATS_TEST_TMPDIR/program"
	run "$CRLPRESS" publish --config /nonexistent --pass no-such-gate
	has "$output" '--pass no-such-gate: no gate has this name'
}

@test "crlpress(1) has every exit status, and help and README agree" {
	sed -nE 's/^.*"[^"]*", ([0-9]+), [0-9]+\},$/\1/p' src/status.c |
	    sort -un | program_is
	same "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/program")" '0 1 2 3 4 5 75 ' \
	    'exit statuses'
	part '.Sh EXIT STATUS' | sed -n 's/^\.It //p' | sort -un | page_is
	agree
	sed -nE 's/^\| ([0-9]+) \| .*/\1/p' README.md | sort -un | page_is
	agree
	# What the help of a command names is among them.
	for command in publish verify check-config; do
		"$CRLPRESS" help "$command" | tr '\n' ' ' |
		    sed 's/.*Exit status: //' | grep -oE '(^|; )[0-9]+' |
		    tr -dc '0-9\n' | sort -un | page_is
		[ -s "$BATS_TEST_TMPDIR/page" ]
		[ -z "$(comm -23 <(sort "$BATS_TEST_TMPDIR/page") \
		    <(sort "$BATS_TEST_TMPDIR/program"))" ]
	done
}
