# SPDX-License-Identifier: ISC
#
# ocsp-sunset report: from counts files to a table, JSON, a page, and a
# verdict that a script can act upon.
#
# What a test works with is set by what is loaded:
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0
load ../lib/sunset.bash

setup()
{
	sunset_env
	now=2026-12-01T13:30:00Z
	now_sec=$(date -u -d "$now" +%s)
}

teardown()
{
	sunset_end
}

# day AGO COUNT [HOUR-OF-RECORDS]: one day with requests, counted in full.
day()
{
	local date hour
	printf -v date '%(%F)T' $((now_sec - $1 * 86400))
	for ((hour = 0; hour < 24; hour++)); do
		printf '%sT%02dZ up=3600\n' "$date" "$hour"
	done
	[ "$2" -eq 0 ] || printf '%sT%02dZ host=%s issuer=r10 method=get %s\n' \
	    "$date" "${3:-12}" "${host:-ocsp.example.net}" \
	    "mode=unauthorized nonce=no hash=sha1 count=$2"
}

# days FIRST LAST COUNT
days()
{
	local ago
	for ((ago = $2; ago >= $1; ago--)); do
		day "$ago" "$3"
	done
}

report()
{
	run --separate-stderr "$OCSP_SUNSET" report --now "$now" "$@"
}

ended()
{
	[ "$status" -eq "$1" ] || {
		printf 'exit status %s, want %s\n%s\n%s\n' "$status" "$1" \
		    "$output" "$stderr" >&2
		return 1
	}
}

@test "report: below the threshold on every day: the name may go" {
	days 1 31 99 >counts
	report counts
	ended 0
	same "$stderr" '' stderr
	same "$(tail -n 1 <<<"$output")" \
	    'may retire: below 100 requests on each of the last 30 days' verdict
	# The same by another threshold, and for longer.
	report --threshold 99/day counts
	ended 3
	has "$output" '30 of the last 30 days had 99 requests or more'
	report --for 31d counts
	ended 0
	report --for 32d counts
	ended 3
	has "$output" 'not counted in full, the last 2026-10-30'
	report --for 32d --assume-complete counts
	ended 0
}

@test "report: one day above is enough, and so is one that nobody counted" {
	days 1 30 5 >counts
	day 12 95 3 >>counts
	report counts
	ended 3
	has "$output" \
	    'not yet: 1 of the last 30 days had 100 requests or more, the last'
	has "$output" '2026-11-19 with 100'
	days 1 30 5 | grep -v 2026-11-19 >counts
	report counts
	ended 3
	has "$output" '1 of the last 30 days were not counted in full'
	: >empty
	report empty
	ended 3
	has "$output" '30 of the last 30 days were not counted in full'
}

@test "report: several servers add up" {
	days 1 30 60 >one
	days 1 30 60 >two
	report one
	ended 0
	report one two
	ended 3
	has "$output" 'the last 2026-11-30 with 120'
}

@test "report: a server that died is not made up for by another" {
	days 1 40 60 >one
	days 31 40 500 >two
	report one
	ended 0
	report two one
	ended 3
	has "$output" '30 of the last 30 days were not counted in full'
	# One that came later is no fault; its first day is half a day.
	days 1 10 5 | sed 1,12d >two
	report one two
	ended 0
}

@test "report: the table, by host, issuer, mode and client" {
	{
		days 8 30 10
		days 1 7 5
		host=b.example.net day 2 1 | grep -v up=
	} >counts
	sed 's/^/2026-12-01T09Z host=other issuer=other /' >>counts <<-'END'
	method=other mode=malformed nonce=no hash=none count=4
	method=get mode=health nonce=no hash=none count=3
	method=post mode=410 nonce=yes hash=sha256 count=2
	method=post mode=410 nonce=no hash=none count=1
	END
	report --days 3 counts
	diff - <(printf '%s\n' "$output") <<'END'
2026-11-01 to 2026-12-01: 269 requests, 268 of them OCSP
beside them: 4 malformed, 3 health checks

day            requests      of OCSP    malformed  counted
2026-11-29            6            6            0   24:00
2026-11-30            5            5            0   24:00
2026-12-01            3            2            4    0:00  today

                              30 days    share     7 days   change  last seen
host
  ocsp.example.net                265   99.6 %         35    -50 %  2026-11-30
  b.example.net                     1    0.4 %          1      new  2026-11-29
  other                             0    0.0 %          0           2026-12-01
issuer
  r10                             266  100.0 %         36    -49 %  2026-11-30
  other                             0    0.0 %          0           2026-12-01
mode
  unauthorized                    266  100.0 %         36    -49 %  2026-11-30
  410                               0    0.0 %          0           2026-12-01
client
  GET sha1                        266  100.0 %         36    -49 %  2026-11-30
  POST sha256 nonce                 0    0.0 %          0           2026-12-01
  POST unreadable                   0    0.0 %          0           2026-12-01

may retire: below 100 requests on each of the last 30 days
END
	ended 0
}

@test "report: JSON holds every day and the verdict" {
	days 8 30 1000 >counts
	days 1 7 500 >>counts
	report --json counts
	ended 3
	printf '%s\n' "$output" >json
	/usr/bin/python3 - <<-'END'
	import json
	r = json.load(open("json"))
	assert r["made"] == "2026-12-01T13:30:00Z"
	assert len(r["days"]) == 31
	assert r["days"][0] == {"day": "2026-11-01", "requests": 1000,
	    "ocsp": 1000, "malformed": 0, "health": 0, "counted_sec": 86400}
	assert r["by"]["host"] == [{"name": "ocsp.example.net",
	    "requests": 26500, "period": 26500, "week": 3500,
	    "week_before": 7000, "last_seen": "2026-11-30"}]
	assert list(r["by"]) == ["host", "issuer", "mode", "client"]
	assert r["threshold"] == {"below": 100, "days": 30,
	    "ocsp_only": False, "assume_complete": False}
	v = r["verdict"]
	assert v["may_retire"] is False and v["days_above"] == 30
	assert v["weeks_left"] == 3 and v["days_below"] == 0
	END
}

@test "report: the page is whole, holds no script and asks for nothing" {
	days 40 90 5000 >counts
	days 1 30 50 >>counts
	report --html page.html counts
	ended 0
	same "$(stat -c %a page.html)" 644 mode
	same "$(find . -name 'page.html.*')" '' 'what is left beside it'
	/usr/bin/python3 - <<-'END'
	import re
	from html.parser import HTMLParser
	import xml.dom.minidom
	page = open("page.html").read()
	class Check(HTMLParser):
	    stack = []
	    void = {"meta"}
	    tags = set()
	    def handle_starttag(self, tag, attrs):
	        self.tags.add(tag)
	        for name, value in attrs:
	            assert not name.startswith("on"), name
	            assert name not in ("src", "href", "srcset", "action"), name
	        if tag not in self.void:
	            self.stack.append(tag)
	    def handle_endtag(self, tag):
	        assert self.stack.pop() == tag, tag
	check = Check()
	# What ends itself in SVG is nothing special in HTML.
	check.feed(re.sub(r"<(line|path|rect)[^>]*/>", "", page))
	assert check.stack == [], check.stack
	assert not check.tags & {"script", "link", "img", "iframe", "object",
	    "embed", "form", "base"}, check.tags
	for word in ("http:", "https:", "//", "url(", "@import", "javascript"):
	    assert word not in page, word
	assert "default-src 'none'" in page
	assert "prefers-color-scheme: dark" in page
	svg = page[page.index("<svg"):page.index("</svg>") + 6]
	dom = xml.dom.minidom.parseString(svg)
	paths = [p.getAttribute("d") for p in dom.getElementsByTagName("path")]
	# One line broken by the days that were not counted: two strokes.
	assert len(paths) == 2 and paths[1].count("M") == 2, paths
	assert paths[1].count("L") == 51 + 31 - 2 - 1, paths
	gaps = [r for r in dom.getElementsByTagName("rect")
	    if r.getAttribute("class") == "gap"]
	assert len(gaps) == 1
	titles = [t.firstChild.data for t in dom.getElementsByTagName("title")]
	assert "2026-11-30: 50 requests, 50 of them OCSP" in titles
	# All of it lies within its box.
	for d in paths:
	    for x, y in re.findall(r"([0-9.-]+) ([0-9.-]+)", d):
	        assert 60 <= float(x) <= 950 and 10 <= float(y) <= 280, (x, y)
	# Powers of ten stand where the logarithm of one more puts them.
	from math import log2
	labels = dict((t.firstChild.data, float(t.getAttribute("y")) - 4)
	    for t in dom.getElementsByTagName("text")
	    if t.getAttribute("class") == "y")
	assert list(labels) == ["1", "10", "100", "1k"], labels
	for label, count in ("1", 1), ("10", 10), ("100", 100), ("1k", 1000):
	    want = 276 - log2(count + 1) / log2(5001) * 260
	    assert abs(labels[label] - want) < 0.2, (label, want, labels)
	assert page.count("<tr><td>2026-") == 91
	assert "may retire" in page
	END
}

@test "report: nobody ever, one day, twenty years: a page all the same" {
	: >empty
	report --html page.html empty
	ended 3
	grep -q '</svg>' page.html
	day 1 1 >counts
	report --html page.html counts
	ended 3
	grep -q '</svg>' page.html
	echo '2007-01-01T00Z host=a issuer=b method=get mode=404 nonce=no' \
	    'hash=none count=18446744073709551615' >counts
	report --html page.html counts
	ended 3
	run ! grep -qE 'nan|inf' page.html
	grep -q '2007-01-01' page.html
}

@test "report: bad lines are named, each, and there is no verdict" {
	days 1 30 5 >counts
	sed -i -e '7s/Z/z/' -e '101s/up=/up=0/' counts
	report --html page.html counts
	ended 1
	has "$stderr" 'counts: counts: line 7: no hour like 2026-12-01T13Z'
	has "$stderr" 'counts: line 101: a count with a zero'
	same "$output" '' output
	[ ! -e page.html ]
	# What a clock wrote that was ahead, or behind, says nothing of a day.
	{
		days 1 30 5
		echo '1970-01-01T00Z up=3600'
		echo '2026-12-02T00Z host=a issuer=b method=get mode=404' \
		    'nonce=no hash=none count=9000'
		echo '2027-12-02T00Z up=5'
	} >counts
	report counts
	ended 0
	has "$stderr" 'passed over: 3; a clock was wrong'
	run ! grep -q '9000\|2027' <<<"$output"
	# What a crash left is no fault.
	days 1 30 5 >counts
	printf '2026-12-01T13Z ho' >>counts
	report counts
	ended 0
	has "$stderr" 'torn lines left out: 1'
	report nowhere
	ended 1
	has "$stderr" 'nowhere: counts: cannot be opened'
}

@test "report: --ocsp-only leaves out what holds no OCSP request" {
	days 1 30 5 >counts
	days 1 30 500 | sed 's/hash=sha1/hash=none/' | grep -v up= >>counts
	report counts
	ended 3
	report --ocsp-only counts
	ended 0
}

@test "report: threshold and file of a configuration, the options go before" {
	days 1 3 60 >counts
	cat >sunset.cnf <<-END
	[server]
	listen = 127.0.0.1:80
	counts = $PWD/counts
	[report]
	retire_below = 61
	retire_days = 3
	END
	report --config sunset.cnf
	ended 0
	has "$output" 'below 61 requests on each of the last 3 days'
	report --config sunset.cnf --threshold 60/day
	ended 3
	report --config sunset.cnf --for 4d
	ended 3
	report --config nowhere.cnf
	[ "$status" -ne 0 ] && [ "$status" -ne 3 ]
}

@test "report: wrong options, a place that cannot be written" {
	local bad
	days 1 30 5 >counts
	for bad in '--threshold 100' '--threshold 0/day' '--threshold x/day' \
	    '--threshold 100/week' '--threshold /day' '--for 0d' \
	    '--for 36h' '--for 3651d' '--for x' '--days 0' '--now today' \
	    '--no-such' '--threshold 99999999999999999999999999/day'; do
		# shellcheck disable=SC2086 # two words
		report $bad counts
		ended 2
		has "$stderr" usage:
		same "$output" '' output
	done
	report
	ended 2
	has "$stderr" 'no counts file'
	report --html no/such/place counts
	ended 1
	has "$stderr" 'no/such/place: html: cannot be written'
	mkdir dir
	report --html dir counts
	ended 1
	same "$(find . -name 'dir.*')" '' 'what is left'
	run "$OCSP_SUNSET" report --help
	same "$status" 0 help
	has "$output" 'Exit status: 0 the name may go; 3 not yet'
}
