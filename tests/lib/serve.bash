# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# A running ocsp-sunset of our own configuration, for tests of the server
# itself. Load it after sunset.bash.

TORTURE=$SUNSET_TREE/tests/lib/sunset-torture

# serve_configure [LINE...]: $conf with these lines, all else small and local.
# Lines without a section belong to [server].
serve_configure()
{
	conf=$dir/sunset.cnf
	{
		printf '%s\n' '[server]' 'listen = 127.0.0.1:0' \
		    'metrics = 127.0.0.1:0' 'threads = 2' \
		    "counts = $dir/counts"
		[[ "$*" == *drain_timeout* ]] || echo 'drain_timeout = 1m'
		[ "$(id -u)" -ne 0 ] || echo 'user = nobody'
		[[ "$*" == *last_expiry* ]] || echo 'last_expiry = 2020-01-01'
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$conf"
}

# serve_wait TEXT [TIMES]: until the log says so so many times.
serve_wait()
{
	local i count
	for ((i = 0; i < 900; i++)); do
		# A program just started may not have its log yet.
		count=$(grep -csF -e "$1" "$dir/log") || true
		[ "${count:-0}" -lt "${2:-1}" ] || return 0
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	echo "the log does not say: $1" >&2
	cat "$dir/log" >&2
	return 1
}

# serve_start [LINE...]: configures and starts it; $port, $metrics, $server
# (the process started), $child (the one that answers).
serve_start()
{
	serve_configure "$@"
	serve_again
}

# The same configuration again, with more options before it.
serve_again()
{
	: >"$dir/log"
	setsid "$OCSP_SUNSET" serve "$@" "$conf" >>"$dir/log" 2>&1 \
	    </dev/null 3>&- &
	server=$!
	SUNSET_PIDS+=("$server")
	serve_wait 'server: ready' || return 1
	port=$(sed -n 's/.*server: listens on 127.0.0.1:\([0-9]*\)$/\1/p' \
	    "$dir/log")
	metrics=$(sed -n 's/.*server: metrics on 127.0.0.1:\([0-9]*\)$/\1/p' \
	    "$dir/log")
	child=$(pgrep -P "$server")
}

# serve_stop: ends it and leaves its exit status in $status.
serve_stop()
{
	status=0
	kill -TERM "$server"
	wait "$server" || status=$?
}

# Resident memory of the process that answers, in KiB.
serve_rss()
{
	awk '/^VmRSS:/ { print $2 }' "/proc/$child/status"
}

# counted FIELDS: the sum of the counts of lines with these words.
counted()
{
	awk -v want="$*" 'BEGIN { n = split(want, word, " ") }
	    /count=/ {
		for (i = 1; i <= n; i++)
			if (index(" " $0 " ", " " word[i] " ") == 0)
				next
		sub(/.*count=/, "")
		sum += $0
	    }
	    END { print sum + 0 }' "$dir/counts"
}

# metric NAME [LABEL...]: its sum over the lines that have these labels.
metric()
{
	local name=$1
	shift
	curl -sS --noproxy '*' --max-time 60 \
	    "http://127.0.0.1:$metrics/metrics" |
	    awk -v name="$name" -v want="$*" '
	    BEGIN { n = split(want, label, " ") }
	    index($1, name) == 1 {
		for (i = 1; i <= n; i++)
			if (index($1, label[i]) == 0)
				next
		sum += $2
	    }
	    END { print sum + 0 }'
}

# metric_becomes NAME -OP VALUE: waits until it is so, as test(1) has it.
metric_becomes()
{
	local i have
	for ((i = 0; i < 900; i++)); do
		have=$(metric "$1")
		test "$have" "$2" "$3" && return 0
		sleep 0.1
	done
	echo "$1, have: $have, want: $2 $3" >&2
	return 1
}
