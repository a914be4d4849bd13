# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# The ledger of $name, as tests read it. Load it after publish.bash.
#
# Variables are those of publish.bash:
# shellcheck disable=SC2154

# The lines of the ledger, of one event or all, as they were written.
ledger()
{
	cat "$state/$name"/ledger-*.jsonl "$state/$name/ledger.jsonl" \
	    2>/dev/null | grep "^{\"event\":\"${1:-}" || true
}

# field NAME: of every line of JSON on stdin; a missing one is "-".
field()
{
	/usr/bin/python3 -c '
import json, sys
for line in sys.stdin:
    value = json.loads(line).get(sys.argv[1], "-")
    print(value if isinstance(value, str) else json.dumps(value))' "$1"
}

# Events of the ledger in their order, on one line.
events()
{
	ledger | field event | tr '\n' ' '
}

# Two runs of one second wait for each other; times of rows are cut off.
next_second()
{
	local now
	now=$(date +%s)
	while [ "$(date +%s)" = "$now" ]; do
		sleep 0.05
	done
}

# ledger_tells CRLS: of each CRL that stood in the store, a line "PATH NUMBER",
# the ledger has that it was about to be put, and that it was, or was found.
ledger_tells()
{
	ledger | /usr/bin/python3 -c '
import json, sys
said = {"publishing": set(), "published": set(), "found": set()}
for line in sys.stdin:
    event = json.loads(line)
    if event["event"] in said:
        said[event["event"]].add("%s.crl %s" %
            (event["shard"], event["number"]))
for line in filter(None, sys.argv[1].splitlines()):
    crl = line.split("/")[-1]
    assert crl in said["publishing"], crl + " was not said before"
    assert crl in said["published"] | said["found"], crl + " was not told"
' "$1"
}
