# SPDX-License-Identifier: ISC
#
# ocsp-sunset(8) and ocsp-sunset.cnf(5) say what the program has: every
# command, option, key, mode and exit status, and no other; the units are what
# systemd takes.
#
# What a test works with is set by what is loaded:
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0
load ../lib/sunset.bash
load ../lib/serve.bash

setup()
{
	sunset_env
	page=$SUNSET_TREE/docs/ocsp-sunset.8
	keys=$SUNSET_TREE/docs/ocsp-sunset.cnf.5
}

teardown()
{
	sunset_end
}

# Both lists the same, or the lines that only one has: < page, > program.
agree()
{
	[ -s program.txt ]
	diff page.txt program.txt
}

commands()
{
	"$OCSP_SUNSET" --help | sed -nE 's/^  ([a-z][a-z-]*)  .*/\1/p'
}

# The options of a command, all their names, --help aside.
options()
{
	"$OCSP_SUNSET" "$1" --help | grep -E '^  ' |
	    grep -oE -e '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,' |
	    grep -vxE -e '-h|--help' | sort -u
}

@test "ocsp-sunset(8) has every command and every option, and no other" {
	commands | sort >program.txt
	awk '/^\.Sh SYNOPSIS/, /^\.Sh DESCRIPTION/' "$page" |
	    sed -n 's/^\.Cm //p' | sort >page.txt
	agree
	for command in $(commands); do
		options "$command" >program.txt
		awk -v head=".Ss $command" '
		/^\.S[sh] / { inside = 0 }
		$0 == head { inside = 1 }
		inside && /^\.It Fl / {
			gsub(/ Ar .*| Ns .*/, "")
			sub(/^\.It /, "")
			n = split($0, part, / , /)
			for (i = 1; i <= n; i++) {
				gsub(/Fl Fl /, "--", part[i])
				gsub(/Fl /, "-", part[i])
				print part[i]
			}
		}' "$page" | sort -u >page.txt
		agree
	done
}

@test "ocsp-sunset(8) has every mode and every exit status" {
	for mode in unauthorized trylater internalerror 410 404 503 close; do
		awk '/^\.Sh MODES/, /^\.Sh CLIENTS/' "$page" |
		    grep -E '^\.It Cm ' | grep -qw -e "$mode"
		"$OCSP_SUNSET" render --force --mode "$mode" r >said 2>&1
	done
	{
		for command in serve report render; do
			"$OCSP_SUNSET" "$command" --help | tr '\n' ' ' |
			    sed 's/.*Exit status: //' |
			    grep -oE '(^|; )[0-9]+' | tr -dc '0-9\n'
		done
	} | sort -un >program.txt
	awk '/^\.Sh EXIT STATUS/, /^\.Sh EXAMPLES/' "$page" |
	    sed -n 's/^\.It //p' | sort -un >page.txt
	agree
}

@test "ocsp-sunset(8) has every metric, and the limits" {
	serve_start
	fetch "http://127.0.0.1:$port/MFQ"
	fetch "http://127.0.0.1:$metrics/metrics"
	sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' body | sort >program.txt
	awk '/^\.Sh METRICS/, /^\.Sh LIMITS/' "$page" |
	    sed -n 's/^\.It Li //p' | sort >page.txt
	agree
	sed -nE 's/^#define HTTP_(LINE|HEAD|FIELDS|BODY|CHUNK_OVERHEAD|'\
'CHUNK_LINE)_MOST ([0-9]+)$/\2/p' "$SUNSET_TREE/src/sunset/http_request.h" |
	    sort >program.txt
	[ "$(wc -l <program.txt)" -eq 6 ]
	awk '/^\.Sh LIMITS/, /^\.Sh FILES/' "$page" |
	    grep -v '^\.Pq\|^Methods' | grep -oE '\b[0-9]{3,5}\b' |
	    grep -vxE '40[58]|41[17]|50[15]' | sort -u >page.txt
	agree
}

@test "ocsp-sunset.cnf(5) has every key, and no other" {
	"$OCSP_SUNSET" check-config --keys >keys.txt
	awk '
	/^\[/ {
		section = $1
		gsub(/[][]/, "", section)
	}
	/^[a-z_]+ = / {
		# Of a host and an issuer the default is the wider rule.
		note = section == "server" || section == "report" ? $3 : ""
		print section, $1, note == "(none)" ? "" : note
	}' keys.txt >program.txt
	awk '
	/^\.S[sh] / {
		section = $2
		gsub(/[][]/, "", section)
	}
	/^\.It Cm [a-z_]+ = / {
		print section, $3, $7 == "Pq" ? $8 : ""
	}' "$keys" >page.txt
	sort -o program.txt program.txt
	sort -o page.txt page.txt
	agree
}

@test "ocsp-sunset.cnf(5): its example is read" {
	awk '/^\.Bd -literal/, /^\.Ed/' "$keys" | grep -v '^\.' >example.cnf
	grep -q 'window = 02:00-03:00' example.cnf
	run "$OCSP_SUNSET" check-config example.cnf
	same "$status" 0 'exit status'
	has "$output" 'from = '
}

@test "the systemd units are sound" {
	command -v systemd-analyze >/dev/null || skip 'no systemd-analyze'
	local unit
	for unit in "$SUNSET_TREE"/docs/systemd/*; do
		sed "s|/usr/local/bin/ocsp-sunset|$OCSP_SUNSET|" "$unit" \
		    >"${unit##*/}"
	done
	run systemd-analyze verify --man=no ./ocsp-sunset.service \
	    ./ocsp-sunset.socket
	same "$output" '' verify
	same "$status" 0 'exit status'
}
