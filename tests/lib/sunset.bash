# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# What the tests of ocsp-sunset have in common: the program, ports that are
# free, real servers of others, and requests as clients make them.

SUNSET_TREE=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
CRLPRESS=${CRLPRESS:-$SUNSET_TREE/build/crlpress}
OCSP_SUNSET=${OCSP_SUNSET:-${CRLPRESS%/*}/ocsp-sunset}

# Servers of this test, to be ended with it.
SUNSET_PIDS=()

sunset_env()
{
	[ -x "$OCSP_SUNSET" ] || {
		echo "$OCSP_SUNSET: no such program; run make" >&2
		return 1
	}
	export LC_ALL=C TZ=UTC
	unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
	# Not bats's own: servers that give up root must come here.
	dir=$(mktemp -d "${TMPDIR:-/tmp}/sunset.XXXXXX") || return 1
	chmod 755 "$dir"
	cd "$dir" || return 1
}

# Ends them: each is the head of a process group of its own.
sunset_stop()
{
	local pid
	for pid in "${SUNSET_PIDS[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null || true
	done
	for pid in "${SUNSET_PIDS[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	SUNSET_PIDS=()
}

# At the end of a test.
sunset_end()
{
	sunset_stop
	cd / || return 1
	[ -z "${dir:-}" ] || rm -rf "$dir"
}

# A port that nobody has, of those that no client is given: with thousands of
# them beside us another one would soon be taken again.
free_port()
{
	/usr/bin/python3 -c 'import random, socket
with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
    first = int(file.read().split()[0])
both = socket.has_dualstack_ipv6()
while True:
    port = random.randrange(10000, first) if first > 12000 else 0
    s = socket.socket(socket.AF_INET6 if both else socket.AF_INET)
    try:
        if both:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.bind(("::" if both else "0.0.0.0", port))
    except OSError:
        continue
    print(s.getsockname()[1])
    break'
}

# Waits until the process $3 listens there, two minutes at most; $2 is its
# log.
port_wait()
{
	local i
	for ((i = 0; i < 1200; i++)); do
		(exec 9<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		kill -0 "$3" 2>/dev/null || break
		sleep 0.1
	done
	echo "nothing listens on port $1" >&2
	cat "$2" >&2
	return 1
}

# server_start PORT LOG COMMAND...: in the background, until sunset_stop.
server_start()
{
	local port=$1 log=$2
	shift 2
	setsid "$@" >"$log" 2>&1 </dev/null 3>&- &
	SUNSET_PIDS+=($!)
	port_wait "$port" "$log" "$!"
}

# Whom servers that refuse to be root become.
server_user()
{
	id -un www-data 2>/dev/null || echo nobody
}

# nginx_start PORT FILE: with FILE in its http context.
nginx_start()
{
	local home=$dir/nginx.$1
	mkdir -p "$home" || return 1
	chmod 755 "$home"
	{
		[ "$(id -u)" -ne 0 ] || echo "user $(server_user);"
		printf '%s\n' 'daemon off;' "pid $home/pid;" \
		    'worker_processes 1;' 'error_log stderr warn;' \
		    'events { }' 'http {' 'access_log off;'
		local path
		for path in client_body proxy fastcgi uwsgi scgi; do
			echo "${path}_temp_path $home/$path;"
		done
		printf '%s\n' "include $2;" '}'
	} >"$home/nginx.conf"
	server_start "$1" "$home/log" /usr/sbin/nginx -p "$home" \
	    -e stderr -c "$home/nginx.conf"
}

# apache_start PORT FILE [MODULE...]: with FILE at the end.
apache_start()
{
	local home=$dir/apache.$1 port=$1 file=$2 module
	shift 2
	mkdir -p "$home" || return 1
	chmod 755 "$home"
	{
		printf '%s\n' "ServerRoot $home" "PidFile $home/pid" \
		    "DefaultRuntimeDir $home" 'ServerName localhost' \
		    'ErrorLog /dev/stderr' "Listen 127.0.0.1:$port"
		for module in mpm_event authz_core "$@"; do
			printf 'LoadModule %s_module %s/mod_%s.so\n' \
			    "$module" /usr/lib/apache2/modules "$module"
		done
		[ "$(id -u)" -ne 0 ] || printf 'User %s\nGroup %s\n' \
		    "$(server_user)" "$(id -gn "$(server_user)")"
		echo "Include $file"
	} >"$home/apache.conf"
	server_start "$port" "$home/log" /usr/sbin/apache2 \
	    -f "$home/apache.conf" -D FOREGROUND
}

haproxy_start()
{
	printf '%s\n' 'global' '	stats timeout 30s' 'defaults' \
	    '	timeout connect 5s' '	timeout server 15s' \
	    >"$dir/haproxy.$1.cfg"
	cat "$2" >>"$dir/haproxy.$1.cfg"
	server_start "$1" "$dir/haproxy.$1.log" /usr/sbin/haproxy -db \
	    -f "$dir/haproxy.$1.cfg"
}

# same HAVE WANT WHAT
same()
{
	[ "$1" = "$2" ] || {
		printf '%s, have: %s\nwant: %s\n' "$3" "$1" "$2" >&2
		return 1
	}
}

# has TEXT PART
has()
{
	[[ $1 == *"$2"* ]] || {
		printf 'want: %s\nhave: %s\n' "$2" "$1" >&2
		return 1
	}
}

# fetch CURL-ARGUMENT...: leaves $code, and the files head and body. Without
# a proxy, and with the path as it is given.
fetch()
{
	rm -f head body
	code=$(curl -sS --noproxy '*' --path-as-is --max-time 60 -D head \
	    -o body -w '%{http_code}' "$@") || {
		echo "curl: exit status $?" >&2
		return 1
	}
	[ -e body ] || : >body
}

# raw PORT TEXT: sends it as it is, printf's escapes for one, and prints all
# that comes until the server closes, a minute at most.
raw()
{
	local port=$1
	(
		exec 9<>"/dev/tcp/127.0.0.1/$port" || exit 1
		# shellcheck disable=SC2059 # it is a format
		printf "$2" >&9
		timeout 60 cat <&9
	)
}

# The value of a field of the last answer.
field()
{
	sed -n "s/^$1: *\(.*\)\r\$/\1/Ip" head
}

# The five bytes of an OCSP error response, in hex.
body_hex()
{
	od -An -v -tx1 body | tr -d ' \n'
}
