# shellcheck shell=bash
# SPDX-License-Identifier: ISC
#
# Publications end to end: a CA, a configuration, a store and a state
# directory for each, and what stands in the store as others read it. Load it
# after postgres.bash, and in a file of tests
#
#   setup_file() { publish_setup; }
#   teardown_file() { pg_stop; }
#   setup() { publish_env; }
#
# publish_new NAME then makes $work, $conf, $store, $state of one issuer, whose
# rows are those of issuer_id NAME in the native table. Tests leave their
# rows: each has names of its own. $own_ca is the CA to use instead of the
# file's.

# Where the tools are; no test depends on where it is run from.
PUBLISH_TREE=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
CRLPRESS=${CRLPRESS:-$PUBLISH_TREE/build/crlpress}
PUBLISH_URL='http://crl.example.com/%s/{shard}.crl'

# A server with the native table, a role that may only read, and a CA.
publish_setup()
{
	[ -x "$CRLPRESS" ] || {
		echo "$CRLPRESS: no such program; run make" >&2
		return 1
	}
	pg_start || return 1
	pg_psql -f "$PUBLISH_TREE/sharding-config/native.sql" || return 1
	pg_psql -c 'CREATE ROLE cron LOGIN IN ROLE crlpress_reader;
	    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO cron' ||
	    return 1
	"$PUBLISH_TREE/tools/make-ca" --p256 "$BATS_FILE_TMPDIR/ca"
}

publish_env()
{
	pg_env main
	export LC_ALL=C TZ=UTC
	unset CRLPRESS_CONFIG
	cd "$BATS_TEST_TMPDIR" || return 1
}

# publish_new NAME [SECTION.KEY=VALUE...]: the directories and configuration of
# an issuer; a key with nothing behind its = is left out.
publish_new()
{
	name=$1
	shift
	work=$BATS_TEST_TMPDIR/$name
	conf=$work/$name.cnf
	store=$work/store
	state=$work/state
	ca=${own_ca:-$BATS_FILE_TMPDIR/ca}
	# shellcheck disable=SC2059 # it is a format
	url=$(printf "$PUBLISH_URL" "$name")
	manifest=$store/crlpress-manifest-$name.txt
	mkdir -p "$store" || return 1
	publish_configure "$@"
}

# Writes $conf anew.
publish_configure()
{
	local setting section key
	local -A value=(
		[issuer.certificate]=$ca/issuer.pem
		[issuer.key]=$ca/issuer.key
		[source.conninfo]="host=$PGHOST port=$PGPORT dbname=postgres \
user=cron"
		[source.issuer_id]=$name
		[shards.count]=2
		[shards.url]=$url
		[store.url]=$store
		[state.dir]=$state
	)
	for setting; do
		value[${setting%%=*}]=${setting#*=}
	done
	for section in issuer source shards crl store \
	    archive share state ocsp gates; do
		echo "[$section]"
		for key in "${!value[@]}"; do
			[ "${key%%.*}" = "$section" ] || continue
			[ -z "${value[$key]}" ] ||
			    echo "${key#*.} = ${value[$key]}"
		done
	done >"$conf"
}

# crlpress publish, its exit status not judged: $status, $output, $stderr.
# --separate-stderr needs bats_require_minimum_version 1.5.0.
publish()
{
	run --separate-stderr "$CRLPRESS" publish --config "$conf" "$@"
}

# The program ended so.
ended()
{
	# shellcheck disable=SC2154 # run sets them
	[ "$status" -eq "$1" ] || {
		printf 'exit status %s, want %s\n%s\n%s\n' "$status" "$1" \
		    "$output" "${stderr:-}"
		return 1
	}
}

# The program must end well, and without a word on stderr.
publish_ok()
{
	publish "$@"
	ended 0 || return 1
	same "$stderr" '' stderr
}

# A text has this in it, or shows itself: has TEXT PART.
has()
{
	[[ $1 == *"$2"* ]] || {
		printf 'no "%s" in:\n%s\n' "$2" "$1"
		return 1
	}
}

# Two texts are the same: same HAVE WANT WHAT.
same()
{
	[ "$1" = "$2" ] || {
		printf '%s: have\n%s\nwant\n%s\n' "$3" "$1" "$2"
		return 1
	}
}

# Seconds since 1970 as a time, and the reverse.
iso()
{
	date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ
}

sec()
{
	date -u -d "$1" +%s
}

# revoke SERIAL SHARD REVOKED_SEC NOT_AFTER_SEC [REASON]: a row of $name.
revoke()
{
	pg_psql -c "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard)
	    VALUES ('$name', '\\x$1', to_timestamp($3), ${5:-0},
	    to_timestamp($4), $2)"
}

# make_rows COUNT [ARGUMENT...]: rows of $name as a large CA has them.
make_rows()
{
	"$PUBLISH_TREE/tools/make-revocations" --quiet --issuer "$name" \
	    --count "$@"
}

# Every shard that stands in the store.
shards()
{
	find "$store" -name '*.crl' | sort -V
}

# crl_field FILE number|this|next|serials|algorithm: as openssl reads it.
crl_field()
{
	local text
	case $2 in
	number)
		text=$(openssl crl -inform DER -in "$1" -noout -crlnumber) ||
		    return 1
		text=${text#*=0x}
		[ "${#text}" -le 15 ] || return 1
		echo $((16#$text))
		;;
	this)
		text=$(openssl crl -inform DER -in "$1" -noout -lastupdate) ||
		    return 1
		sec "${text#*=}"
		;;
	next)
		text=$(openssl crl -inform DER -in "$1" -noout -nextupdate) ||
		    return 1
		sec "${text#*=}"
		;;
	serials)
		openssl crl -inform DER -in "$1" -noout -text |
		    sed -n 's/^ *Serial Number: //p'
		;;
	algorithm)
		openssl crl -inform DER -in "$1" -noout -text |
		    sed -n 's/^ *Signature Algorithm: \([^ ]*\).*/\1/p' |
		    sort -u
		;;
	esac
}

# Every shard has the same number, or the same time; prints it.
all_have()
{
	local file values
	values=$(shards | while IFS= read -r file; do
		crl_field "$file" "$1"
	done | sort -u)
	if [ -z "$values" ] || [ "$(wc -l <<<"$values")" -ne 1 ]; then
		echo "the shards differ in $1: $values" >&2
		return 1
	fi
	echo "$values"
}

# openssl takes a file for a whole CRL of this issuer.
crl_verifies()
{
	local said
	said=$(openssl crl -inform DER -in "$1" -noout -verify \
	    -CAfile "$ca/issuer.pem" -no-CApath -no-CAstore 2>&1) || true
	[ "$said" = 'verify OK' ] || {
		echo "openssl: $1: $said"
		return 1
	}
}

# A query whose rows are shard, serial in hex, revoked in seconds, reason.
export_query()
{
	pg_psql --csv -c "$1" >"$work/rows.csv"
}

# The rows of the native table; further conditions may follow.
export_rows()
{
	export_query "SELECT shard, serial, extract(epoch FROM revoked_at),
	    reason FROM crlpress.revocation WHERE issuer = '$name' ${1:-}"
}

# The store against what was exported, by three readers; $1 shards in all.
compare()
{
	local -a files
	mapfile -t files < <(shards)
	same "${#files[@]}" "$1" 'shards in the store' || return 1
	"$PUBLISH_TREE/tools/compare-entries" --rows "$work/rows.csv" \
	    --issuer "$ca/issuer.pem" --url-pattern "$url" --jobs 2 \
	    "${files[@]}"
}

# A field of the manifest's head, as in "# rows ..."; all of its values.
manifest_field()
{
	sed -n "s/^# $1 //p" "$manifest"
}

# sum NAME: of a count in the lines of all shards of the manifest.
manifest_sum()
{
	manifest_field shard | grep -o " $1=[0-9]*" |
	    awk -F= '{ n += $2 } END { print n + 0 }'
}

# Its checksums hold, its counts are those of the store, its rows add up.
manifest_holds()
{
	local index entries key
	(cd "$store" && sha256sum --strict --quiet -c "$manifest") || return 1
	same "$(head -n -1 "$manifest" | cksum)" \
	    "$(sed -n '$s/^# end //p' "$manifest")" 'closing line' || return 1
	same "$(manifest_field shards)" "$(shards | wc -l)" shards || return 1
	while read -r index entries; do
		key=$store/$name/$index.crl
		same "$entries" "$(crl_field "$key" serials | wc -l)" \
		    "entries of shard $index" || return 1
	done < <(manifest_field shard |
	    sed 's/^\([0-9]*\) .* entries=\([0-9]*\) .*/\1 \2/')
	manifest_field rows | awk '{
		gsub(/[a-z]+=/, "")
		for (i = 2; i <= NF; i++)
			sum += $i
		exit NF != 7 || $1 != sum
	}' || {
		echo "rows do not add up: $(manifest_field rows)"
		return 1
	}
}

# The summary line's rows add up; prints the part with them.
summary_adds_up()
{
	sed -n 's/.*, \([0-9]* rows = .*withheld\), .*/\1/p' <<<"$1" | awk '{
		print
		sum = 0
		for (i = 4; i <= NF; i += 3)
			sum += $i
		lines++
		if (sum != $1)
			exit 1
	} END {
		exit lines != 1
	}'
}

# Everything in a directory: names, kinds, times, identities, contents.
tree()
{
	find "$1" -printf '%P %y %m %s %i %T@\n' | sort
	find "$1" -type f -print0 | sort -z | xargs -0 -r sha256sum --
}

# Processes that have $1 in their command line. They come and go meanwhile.
processes_with()
{
	grep -slaF -f <(printf '%s\n' "$1") /proc/[0-9]*/cmdline |
	    sed 's|/proc/\([0-9]*\)/cmdline|\1|'
}
