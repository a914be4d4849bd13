# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# A real S3 store for a file of tests: Ceph's RADOS Gateway, in memory, or
# OpenStack Swift. Load it, then
#
#   setup_file() { s3_start; s3_bucket crl; }
#   setup() { s3_env; }
#   teardown_file() { s3_stop; }
#
# s3_start sets S3_ENDPOINT, S3_REGION, S3_KEY, S3_SECRET; s3_env hands them
# to whatever reads the AWS variables, and keeps everybody's own out. A file
# whose store is not installed is skipped, and says so.

S3_TREE=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)

# The directory of the store. Short, for the sockets in it.
s3_root()
{
	if [ -z "${S3_ROOT:-}" ]; then
		S3_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/s3.XXXXXX")
		export S3_ROOT
	fi
}

# False when a program is missing; s3_env then skips each test and says so.
s3_have()
{
	local program
	export S3_MISSING=
	for program; do
		command -v "$program" >/dev/null || S3_MISSING+=" $program"
	done
	/usr/bin/python3 -c 'import importlib.util, sys
sys.exit(importlib.util.find_spec("boto3") is None)' ||
	    S3_MISSING+=' python3-boto3'
	[ -z "$S3_MISSING" ]
}

# Whether what the store needs is not installed; setup_file has no skip.
s3_missing()
{
	[ -n "${S3_MISSING:-}" ]
}

s3_take()
{
	local setting
	for setting in $1; do
		export "${setting?}"
	done
}

# s3_start [ARGUMENT...]: as of tools/start-radosgw before its directory.
s3_start()
{
	local said
	s3_have radosgw ceph-mon ceph-osd curl || return 0
	s3_root && export S3_KIND=radosgw || return 1
	said=$("$S3_TREE/tools/start-radosgw" "$@" "$S3_ROOT/rgw") || return 1
	s3_take "$said"
}

# s3_start_swift: the other one; it knows no conditional puts.
s3_start_swift()
{
	local said
	s3_have swift-proxy-server swift-account-server \
	    swift-container-server swift-object-server curl || return 0
	s3_root && export S3_KIND=swift || return 1
	said=$("$S3_TREE/tools/start-swift" "$S3_ROOT/swift") || return 1
	s3_take "$said"
}

s3_stop()
{
	[ -n "${S3_ROOT:-}" ] || return 0
	"$S3_TREE/tools/start-radosgw" --stop "$S3_ROOT/rgw" || true
	"$S3_TREE/tools/start-swift" --stop "$S3_ROOT/swift" || true
	rm -rf "$S3_ROOT"
	unset S3_ROOT
}

# The credentials of the store in the environment, and nothing else there
# that could lead a client elsewhere.
s3_env()
{
	s3_no_env
	! s3_missing || skip "not installed:$S3_MISSING"
	export AWS_ACCESS_KEY_ID=$S3_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET
}

# Nothing: no keys, no profiles, no metadata service, no proxy.
s3_no_env()
{
	# shellcheck disable=SC2086 # names
	unset -v ${!AWS_@} http_proxy https_proxy HTTPS_PROXY all_proxy \
	    ALL_PROXY no_proxy NO_PROXY
	export AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_CONFIG_FILE=/dev/null
	export AWS_EC2_METADATA_DISABLED=true
}

# Of no bytes. What is not given has this hash for the signature.
S3_NOTHING=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# s3_curl PATH [ARGUMENT...]: signed by curl; fails on an error status. The
# key is not on the command line. Not for Swift, whose key has a colon.
s3_curl()
{
	local path=$1 sum=${s3_sum:-$S3_NOTHING}
	shift
	curl -q -sS -f --noproxy '*' --max-time 60 -K - \
	    -H "x-amz-content-sha256: $sum" "$@" "$S3_ENDPOINT/$path" <<-END
		user = "$S3_KEY:$S3_SECRET"
		aws-sigv4 = "aws:amz:$S3_REGION:s3"
	END
}

s3_bucket()
{
	s3_missing && return 0
	if [ "$S3_KIND" = radosgw ]; then
		: >"$S3_ROOT/nothing"
		s3_curl "$1" -T "$S3_ROOT/nothing" >/dev/null
	else
		s3_client bucket "$1"
	fi
}

# boto3: see there.
s3_client()
{
	"$S3_TREE/tests/lib/s3-client" "$@"
}

# s3_put KEY FILE: what somebody else puts; KEY begins with the bucket.
s3_put()
{
	local s3_sum
	s3_sum=$(sha256sum "$2") || return 1
	s3_sum=${s3_sum%% *}
	s3_curl "$1" -T "$2" "${@:3}" >/dev/null
}

# radosgw-admin of the store: users, quotas.
s3_admin()
{
	radosgw-admin -c "$S3_ROOT/rgw/ceph.conf" -n client.rgw "$@" \
	    3>&- 2>>"$S3_ROOT/rgw/log/admin.err"
}

# s3_signal SIGNAL mon|osd|rgw: STOP and CONT make it hang and go on.
s3_signal()
{
	local pid
	read -r pid <"$S3_ROOT/rgw/$2.s3pid" || return 1
	kill "-$1" "$pid"
}

# stub_start [--tls PEM] [UPSTREAM]: see s3-stub; its directory is $stub, its
# URL $stub_url. stub_stop ends it.
stub_start()
{
	local i tls=()
	[ "${1:-}" != --tls ] || {
		tls=(--tls "$2")
		shift 2
	}
	stub=$(mktemp -d "${TMPDIR:-/tmp}/stub.XXXXXX") || return 1
	"$S3_TREE/tests/lib/s3-stub" "${tls[@]}" "$stub" "$@" \
	    >"$stub/out" 2>&1 </dev/null 3>&- &
	stub_pid=$!
	disown "$stub_pid"
	for ((i = 0; i < 1200; i++)); do
		[ ! -e "$stub/port" ] || break
		sleep 0.05
	done
	stub_url=http${tls:+s}://127.0.0.1:$(<"$stub/port") || {
		cat "$stub/out"
		return 1
	}
}

stub_stop()
{
	[ -n "${stub_pid:-}" ] || return 0
	kill "$stub_pid" 2>/dev/null || true
	rm -rf "$stub"
	stub_pid=
}

# stub_rules RULE...: JSON objects; they replace those before.
stub_rules()
{
	local IFS=,
	printf '[%s]\n' "$*" >"$stub/rules.new"
	mv "$stub/rules.new" "$stub/rules"
}

# stub_count METHOD PATH [DID]: how many requests the log has of these; the
# path is a regular expression.
stub_count()
{
	/usr/bin/python3 - "$stub/log" "$@" <<'END'
import json, os, re, sys
path, method, want = sys.argv[1:4]
did = sys.argv[4:]
count = 0
if os.path.exists(path):
    for line in open(path):
        entry = json.loads(line)
        count += (entry["method"] == method
                  and re.search(want, entry["path"]) is not None
                  and (not did or entry["did"] == did[0]))
print(count)
END
}

# s3_publish_new NAME [SETTING...]: as publish_new (publish.bash), with a
# bucket of its own, crl-NAME, behind it. $store is where s3_fetch puts what
# stands in the bucket, so that all that reads a directory can be used.
s3_publish_new()
{
	bucket=crl-$1
	s3_settings=("store.url=s3://$bucket" "store.endpoint=$S3_ENDPOINT"
	    "store.region=$S3_REGION" "${@:2}")
	s3_bucket "$bucket" || return 1
	publish_new "$1" "${s3_settings[@]}"
}

# s3_configure [SETTING...]: the configuration anew, with other settings.
s3_configure()
{
	publish_configure "${s3_settings[@]}" "$@"
}

# All that stands in the bucket, below $store. By curl, which starts in no
# time; who is to be an independent reader asks s3_client.
s3_fetch()
{
	local key list=
	rm -rf "${store:?}"
	mkdir "$store"
	[ "$S3_KIND" != radosgw ] || list=$(s3_curl "$bucket?list-type=2") ||
	    return 1
	# More than a page, or keys that would have to be encoded.
	if [[ $list != *'<IsTruncated>false<'* ||
	    $list == *'<Key>'*([A-Za-z0-9._/-])[^A-Za-z0-9._/\<-]* ]]; then
		s3_client fetch "$bucket" "$store"
		return
	fi
	{
		cat <<-END
			user = "$S3_KEY:$S3_SECRET"
			aws-sigv4 = "aws:amz:$S3_REGION:s3"
			header = "x-amz-content-sha256: $S3_NOTHING"
			create-dirs
		END
		while IFS= read -r key; do
			echo "url = \"$S3_ENDPOINT/$bucket/$key\""
			echo "output = \"$store/$key\""
		done < <(grep -o '<Key>[^<]*' <<<"$list" | sed 's/<Key>//')
	} >"$BATS_TEST_TMPDIR/fetch"
	! grep -q '^url' "$BATS_TEST_TMPDIR/fetch" ||
	    curl -q -sS -f --noproxy '*' --max-time 600 \
	        -K "$BATS_TEST_TMPDIR/fetch"
}

# The gateway alone, as it was, after it was killed; the objects are elsewhere.
s3_gateway_start()
{
	local i
	radosgw -c "$S3_ROOT/rgw/ceph.conf" -n client.rgw -f \
	    >>"$S3_ROOT/rgw/log/rgw.out" 2>&1 </dev/null 3>&- &
	echo $! >"$S3_ROOT/rgw/rgw.s3pid"
	disown
	for ((i = 0; i < 900; i++)); do
		! curl -q -s -o /dev/null --noproxy '*' "$S3_ENDPOINT/" ||
		    return 0
		sleep 0.1
	done
	return 1
}
