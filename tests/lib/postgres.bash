# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# A real PostgreSQL for a file of tests. Load it, then
#
#   setup_file() { pg_start; }
#   teardown_file() { pg_stop; }
#
# Each server has a name ("main" unless told), a directory of its own below
# one temporary directory, and listens on a unix socket there and nowhere else.
# pg_start sets PGHOST, PGPORT, PGUSER and PGDATABASE to the one just started.
# As root the server runs as postgres, or as nobody where there is none.
# tools/run-e2e names a place in PG_TEMPLATE where an empty one is made once,
# which each file's first server begins as a copy of.

# Where the server's programs are: not on PATH in Debian. The newest wins.
pg_bin()
{
	local dir path
	if [ -n "${PG_BIN:-}" ]; then
		return 0
	fi
	path=$(command -v initdb) || true
	for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) \
	    "${path%/*}"; do
		if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
			export PG_BIN=$dir
			return 0
		fi
	done
	echo 'no PostgreSQL server programs (initdb, postgres)' >&2
	return 1
}

# Runs a program as the user that the servers run as; postgres refuses root.
pg_run()
{
	local user
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
		return
	fi
	user=postgres
	id "$user" >/dev/null 2>&1 || user=nobody
	# Descriptor 3 is bats's own: a server that held it would hang the run.
	(
		cd /
		exec setpriv --reuid "$user" --regid "$(id -g "$user")" \
		    --clear-groups env HOME=/ PATH="$PATH" LC_ALL=C "$@" 3>&-
	)
}

# The directory of all servers of this file. Short: a socket's path ends at
# 107 bytes.
pg_root()
{
	if [ -z "${PG_ROOT:-}" ]; then
		PG_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/pg.XXXXXX")
		export PG_ROOT
		chmod 711 "$PG_ROOT"
	fi
}

# Makes the directory of a server; the socket stands in it.
pg_make_dir()
{
	pg_bin && pg_root || return 1
	install -d -m 755 "$PG_ROOT/$1" || return 1
	if [ "$(id -u)" -eq 0 ]; then
		local user=postgres
		id "$user" >/dev/null 2>&1 || user=nobody
		chown "$user" "$PG_ROOT/$1"
	fi
}

pg_env()
{
	export PGHOST=$PG_ROOT/$1 PGPORT=5432 PGUSER=tester PGDATABASE=postgres
	# Nobody's own settings.
	unset PGSERVICE PGSERVICEFILE PGPASSWORD PGOPTIONS PGAPPNAME PGHOSTADDR
	export PGPASSFILE=$PG_ROOT/pgpass
	export PSQLRC=/dev/null
}

# Starts the server whose data stands in $PG_ROOT/NAME/data; further arguments
# are settings. Minutes are for a machine that is busy with other tests.
pg_up()
{
	local name=$1 setting
	shift
	local -a options=(-c "unix_socket_directories=$PG_ROOT/$name"
	    -c listen_addresses= -c port=5432 -c fsync=off
	    -c synchronous_commit=off
	    -c shared_buffers=32MB -c max_connections=60
	    -c log_min_messages=warning -c timezone=Asia/Kathmandu
	    -c autovacuum=off -c "external_pid_file=$PG_ROOT/$name/pid")
	for setting; do
		options+=(-c "$setting")
	done
	pg_run "$PG_BIN/pg_ctl" -D "$PG_ROOT/$name/data" -s -w -t 300 \
	    -l "$PG_ROOT/$name/log" -o "$(printf "'%s' " "${options[@]}")" \
	    start >/dev/null || {
		cat "$PG_ROOT/$name/log" >&2
		return 1
	}
	pg_env "$name"
}

# pg_init DIR: the data of an empty server.
pg_init()
{
	local said
	said=$(pg_run "$PG_BIN/initdb" -D "$1" -U tester -A trust -E UTF8 \
	    --locale=C --no-sync 2>&1) || {
		echo "$said" >&2
		return 1
	}
}

# Makes what others copy, if nobody has. What a killed one left is made anew.
pg_make_template()
{
	local lock status=0
	exec {lock}>>"$PG_TEMPLATE.lock" || return 1
	flock "$lock" || return 1
	if [ ! -e "$PG_TEMPLATE.made" ]; then
		rm -rf "$PG_TEMPLATE" &&
		    PG_ROOT=${PG_TEMPLATE%/*} pg_make_dir \
		        "${PG_TEMPLATE##*/}" &&
		    pg_init "$PG_TEMPLATE/data" &&
		    : >"$PG_TEMPLATE.made" || status=1
	fi
	exec {lock}>&-
	return "$status"
}

# pg_start [NAME [SETTING...]]: a new, empty server. A second one in a file is
# another cluster, with a system identifier of its own: no copy.
pg_start()
{
	local name=${1:-main}
	[ $# -eq 0 ] || shift
	if [ -n "${PG_TEMPLATE:-}" ] && [ -z "${PG_ROOT:-}" ]; then
		pg_bin && pg_make_template && pg_make_dir "$name" &&
		    pg_run cp -a "$PG_TEMPLATE/data" "$PG_ROOT/$name/data" ||
		    return 1
	else
		pg_make_dir "$name" && pg_init "$PG_ROOT/$name/data" ||
		    return 1
	fi
	pg_up "$name" "$@"
}

# pg_standby NAME [FROM]: a streaming standby of a server, caught up.
pg_standby()
{
	local name=$1 from=${2:-main}
	pg_make_dir "$name" || return 1
	pg_run "$PG_BIN/pg_basebackup" -h "$PG_ROOT/$from" -p 5432 -U tester \
	    -D "$PG_ROOT/$name/data" -R --no-sync -c fast || return 1
	pg_up "$name"
}

pg_pid()
{
	head -n 1 "$PG_ROOT/${1:-main}/data/postmaster.pid"
}

# pg_gone PID: it has ended, whether or not anybody has asked about it.
pg_gone()
{
	! grep -qs '^State:.[^ZX]' "/proc/$1/status"
}

# As a power cut would: the postmaster and all its children at once. The last
# of them gives the shared memory back, without which none is started anew.
pg_kill9()
{
	local pid children child
	pid=$(pg_pid "${1:-main}") || return 1
	children=$(ps -o pid= --ppid "$pid") || true
	# shellcheck disable=SC2086 # one word a process
	kill -KILL "$pid" $children 2>/dev/null || true
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.05
	done
	for child in $children; do
		until pg_gone "$child"; do
			sleep 0.05
		done
	done
}

# pg_stop [NAME]: one server; without a name all of them, and what they had.
pg_stop()
{
	local pidfile
	[ -n "${PG_ROOT:-}" ] || return 0
	for pidfile in "$PG_ROOT"/${1:-*}/data/postmaster.pid; do
		[ -e "$pidfile" ] || continue
		pg_run "$PG_BIN/pg_ctl" -D "${pidfile%/*}" -s -m immediate \
		    -t 60 stop >/dev/null 2>&1 || true
	done
	if [ $# -eq 0 ]; then
		rm -rf "$PG_ROOT"
		unset PG_ROOT
	fi
}

# psql, quiet, unaligned, ending at the first error.
pg_psql()
{
	"$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# Waits until a query yields "t"; false after two minutes.
pg_wait()
{
	local i
	for ((i = 0; i < 1200; i++)); do
		[ "$(pg_psql -c "$1" 2>/dev/null)" != t ] || return 0
		sleep 0.1
	done
	echo "never true: $1" >&2
	return 1
}
