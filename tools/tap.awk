# SPDX-License-Identifier: ISC
#
# Counts what one test program said in TAP, as cmocka or bats write it:
#   awk -v name=NAME -v status=EXIT -v sec=SECONDS -v tally=FILE -f tap.awk LOG
# Prints one line, the reason of each skipped test, and, when anything failed,
# all of the log. Appends "passed failed skipped" to the tally. A program that
# ended badly, ran no test or not all of its tests has failed, whatever it
# said.

function wrong(why)
{
	failed++
	complaint = complaint "; " why
}

{
	log_line[NR] = $0
}

/^1\.\.[0-9]+$/ {
	planned += substr($0, 4)
	notes = ""
	next
}

# cmocka has "not ok 2 # SKIP name", bats "ok 2 name # skip reason".
/^(not )?ok [0-9]+ .*# ?[Ss][Kk][Ii][Pp]/ {
	skipped++
	sub(/^(not )?ok [0-9]+ (# SKIP )?/, "")
	sub(/ # skip( |$)/, ": ")
	reason[skipped] = $0 (notes != "" ? ": " notes : "")
	notes = ""
	next
}

/^not ok / {
	failed++
	notes = ""
	next
}

/^ok / {
	passed++
	notes = ""
	next
}

# What a test of cmocka printed before it was skipped is the reason.
/^[^#]/ {
	notes = notes (notes != "" ? " " : "") $0
}

END {
	ran = passed + failed + skipped
	if (status > 128)
		wrong("killed by signal " status - 128)
	else if (status == 124)
		wrong("took too long")
	else if (status != 0 && failed == 0)
		wrong("exit status " status)
	if (planned == 0)
		wrong("no test ran")
	else if (ran < planned)
		wrong("only " ran " of " planned " tests ran")
	printf "%-4s %s: %d passed", failed ? "FAIL" : "ok", name, passed
	if (failed)
		printf ", %d failed", failed
	if (skipped)
		printf ", %d skipped", skipped
	printf " (%d s)%s\n", sec, complaint
	for (i = 1; i <= skipped; i++)
		print "     SKIP " reason[i]
	for (i = 1; failed && i <= NR; i++)
		print "     | " log_line[i]
	print passed + 0, failed + 0, skipped + 0 >>tally
}
