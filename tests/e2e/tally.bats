# SPDX-License-Identifier: ISC
#
# The counting of tests: whatever goes wrong in a test program must end as a
# failure in the last line.

bats_require_minimum_version 1.5.0

setup()
{
	tools=$BATS_TEST_DIRNAME/../../tools
	dir=$BATS_TEST_TMPDIR
	mkdir "$dir/programs"
}

# A test program that says its standard input and ends with status $2.
program()
{
	{
		printf '#!/bin/sh\ncat <<"END"\n'
		cat
		printf 'END\n%s\n' "${2:-exit 0}"
	} >"$dir/programs/$1"
	chmod +x "$dir/programs/$1"
}

# run-unit ends with status $1 and this last line.
expect()
{
	run "-$1" "$tools/run-unit" "$dir/programs"
	echo "$output"
	[ "${lines[-1]}" = "$2" ]
}

good()
{
	printf '1..2\nok 1 - a\nok 2 - b\n# ok - group\n'
}

@test "tally: programs and their groups are added up" {
	good | program a
	{
		good
		good
	} | program b
	expect 0 '6 passed, 0 failed, 0 skipped'
}

@test "tally: no program, no test, nothing but skipped tests: failures" {
	expect 1 '0 passed, 0 failed, 0 skipped'
	printf '' | program a
	expect 1 '0 passed, 1 failed, 0 skipped'
	printf '1..1\nnot ok 1 # SKIP a\n' | program a
	expect 1 '0 passed, 0 failed, 1 skipped'
}

@test "tally: a test that fails, with all that was said" {
	printf '1..2\nok 1 - a\nhave 1, want 2\nnot ok 2 - b\n' |
	    program a 'exit 1'
	expect 1 '1 passed, 1 failed, 0 skipped'
	[[ $output == *'| have 1, want 2'* ]]
	printf '1..2\nok 1 - a\nok 2 - b\n' | program a 'exit 0'
	expect 0 '2 passed, 0 failed, 0 skipped'
	[[ $output != *'|'* ]]
}

@test "tally: a skipped test, with its reason" {
	printf '1..2\nok 1 - a\nno server\nnot ok 2 # SKIP b\n' | program a
	expect 0 '1 passed, 0 failed, 1 skipped'
	[[ $output == *'SKIP b: no server'* ]]
}

@test "tally: killed by a signal, in the middle and after the last test" {
	printf '1..2\nok 1 - a\n' | program a "kill -ABRT \$\$"
	expect 1 '1 passed, 2 failed, 0 skipped'
	[[ $output == *'killed by signal 6; only 1 of 2 tests ran'* ]]
	good | program a "kill -SEGV \$\$"
	expect 1 '2 passed, 1 failed, 0 skipped'
}

@test "tally: an exit status that no test explains" {
	good | program a 'exit 23'
	expect 1 '2 passed, 1 failed, 0 skipped'
	[[ $output == *'exit status 23'* ]]
}

@test "tally: tests that were planned and never ran" {
	printf '1..3\nok 1 - a\nok 2 - b\n' | program a
	expect 1 '2 passed, 1 failed, 0 skipped'
}

@test "tally: a group whose set-up failed" {
	printf '1..3\nnot ok 0 - g [  FAILED  ] GROUP SETUP\n' |
	    program a 'exit 1'
	expect 1 '0 passed, 2 failed, 0 skipped'
}

@test "tally: end-to-end files are counted alike" {
	printf '@test "a" { true; }\n@test "b" { skip "no b"; }\n' \
	    >"$dir/a.bats"
	printf '@test "c" { false; }\n' >"$dir/b.bats"
	printf 'setup_file() { false; }\n@test "d" { true; }\n' >"$dir/c.bats"
	CRLPRESS=/bin/true run -0 "$tools/run-e2e" "$dir/a.bats"
	[ "${lines[-1]}" = '1 passed, 0 failed, 1 skipped' ]
	[[ $output == *'SKIP b: no b'* ]]
	CRLPRESS=/bin/true run -1 "$tools/run-e2e" "$dir"/[abc].bats
	echo "$output"
	[ "${lines[-1]}" = '1 passed, 2 failed, 1 skipped' ]
	CRLPRESS=/nowhere run -1 "$tools/run-e2e" "$dir/a.bats"
	[[ $output == *'no such program'* ]]
}
