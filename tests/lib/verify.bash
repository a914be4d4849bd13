# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# What the tests of crlpress verify share. Load it after publish.bash; $CRLPRESS
# is the program.
#
# run sets these: shellcheck disable=SC2154

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
