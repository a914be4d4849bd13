# SPDX-License-Identifier: ISC
#
# What README.md and docs/ print to be typed, copied or seen is run as it is
# printed, with the places of the system in a directory of this test: the way
# from nothing to a published set, the cron lines, the end of OCSP, the
# questions to the ledger, the web servers, the diagnostics.
#
# Variables are those of tests/lib, and each test is a subshell of its own:
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

bats_require_minimum_version 1.5.0
load ../lib/postgres.bash
load ../lib/publish.bash
load ../lib/sunset.bash
load ../lib/serve.bash

setup_file()
{
	publish_setup
	# The database and the role of the documents are still to be made.
	pg_psql -c 'CREATE DATABASE ca' -c 'CREATE DATABASE ejbca'
	sed -i '1i local all crlpress scram-sha-256' \
	    "$PG_ROOT/main/data/pg_hba.conf"
	pg_psql -c 'SELECT pg_reload_conf()'
	pg_wait "SELECT count(*) = 1 FROM pg_hba_file_rules
	    WHERE auth_method = 'scram-sha-256'"
}

teardown_file()
{
	pg_stop
}

setup()
{
	publish_env
	# Also for servers that are not root.
	sunset_env
	root=$dir/root
	mkdir -p "$root/etc/crlpress" "$root/etc/postgresql-common" \
	    "$root/var/lib" "$root/srv"
	docs=$PUBLISH_TREE/docs
	readme=$PUBLISH_TREE/README.md
	export PATH=${CRLPRESS%/*}:$PG_BIN:$PATH
}

teardown()
{
	sunset_end
}

# section FILE HEADING: its lines, to the next heading.
section()
{
	awk -v head="## $2" '
	/^## / {
		inside = $0 == head
	}
	inside' "$1"
}

# block FIRST: of standard input, the block that is set off and begins with this
# line, without what sets it off; one ends where text begins.
block()
{
	awk -v first="    $1" '
	index($0, first) == 1 {
		inside = 1
	}
	/^[^ ]/ {
		inside = 0
		blank = ""
	}
	inside && /^$/ {
		blank = blank "\n"
	}
	inside && /^    / {
		printf "%s%s\n", blank, substr($0, 5)
		blank = ""
	}'
}

# What is printed, in $root, by a user who owns all there and is nobody else,
# and with the server of this test; a standard input each.
here()
{
	sed -e "s, /etc/, $root/etc/,g; s,=/etc/,=$root/etc/,g" \
	    -e "s,/var/lib/,$root/var/lib/,g; s,/srv/,$root/srv/,g" \
	    -e "s,db\\.example\\.com,$PGHOST,g" \
	    -e '/^useradd /d' -e 's/ -o [a-z-]* / /' -e '/^chown -R /d' \
	    -e 's/^chown [a-z]* [^ ]* && //'
}

# As the user has it whom the documents make: no home, no settings.
as_crlpress()
{
	run --separate-stderr env -i PATH="$PATH" HOME=/nonexistent \
	    PGSYSCONFDIR="$root/etc/postgresql-common" \
	    CRLPRESS_PRESET_DIR="$PUBLISH_TREE/sharding-config/presets" \
	    CRLPRESS_CONFIG="$root/etc/crlpress" bash -c "$1" </dev/null
}

# leaf URL: leaked.pem, which names this CRL.
leaf()
{
	local ca=$root/etc/crlpress/e1
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout leaf.key -subj /CN=leaked -out leaf.csr 2>/dev/null
	printf 'crlDistributionPoints = URI:%s\n%s\n' "$1" \
	    'authorityKeyIdentifier = keyid' >leaf.ext
	openssl x509 -req -in leaf.csr -CA "$ca.pem" -CAkey "$ca.key" \
	    -set_serial 77 -days 30 -extfile leaf.ext -out leaked.pem \
	    2>/dev/null
}

@test "README: from nothing to a published set, a push and a revocation" {
	local line count=0 key=$root/etc/crlpress/pgpass
	section "$readme" 'Use it' >page
	export PGDATABASE=ca
	cp "$BATS_FILE_TMPDIR/ca/issuer.pem" "$root/etc/crlpress/e1.pem"
	cp "$BATS_FILE_TMPDIR/ca/issuer.key" "$root/etc/crlpress/e1.key"
	block '# /etc/crlpress/e1.cnf' <page | here >"$root/etc/crlpress/e1.cnf"
	printf '\n[state]\ndir = %s\n' "$root/var/lib/crlpress" \
	    >>"$root/etc/crlpress/e1.cnf"
	# The database, then the user, as root and as the database's owner.
	block 'psql -v' <page | here >commands
	block 'useradd ' <page | here >>commands
	same "$(grep -c -e '^psql ' -e '^install ' -e '^chmod ' commands)" 5 \
	    commands
	(cd "$PUBLISH_TREE" && bash -eu "$dir/commands") >said 2>&1 || {
		cat said
		return 1
	}
	same "$(stat -c %a "$root/etc/crlpress/e1.key")" 600 'mode of the key'
	same "$(stat -c %a "$root/var/lib/crlpress")" 700 'mode of the state'
	block '# /etc/postgresql-common/pg_service.conf' <page | here \
	    >"$root/etc/postgresql-common/pg_service.conf"
	block '# /etc/crlpress/pgpass' <page | here >"$key"
	chmod 600 "$key"
	psql -X -q -c "ALTER ROLE crlpress PASSWORD '$(sed -n \
	    '2s/.*://p' "$key")'"
	psql -X -q -c "INSERT INTO crlpress.revocation
	    (issuer, serial, revoked_at, reason, not_after, shard) VALUES
	    ('E1', '\\x0a1b2c', now() - interval '1 h', 4, '2090-01-01', 3)"
	leaf http://crl.example.com/e1/9.crl
	# It is the passfile that lets it in.
	mv "$key" away
	as_crlpress 'crlpress publish --dry-run'
	ended 1
	has "$stderr" 'no password supplied'
	mv away "$key"
	block 'crlpress init --list' <page | here >lines
	while IFS= read -r line; do
		as_crlpress "$line"
		ended 0 || {
			echo "$line"
			return 1
		}
		count=$((count + 1))
	done <lines
	same "$count" 7 'lines of crlpress'
	has "$output" '128 of 128 CRLs ok, 2 entries'
	crl_field "$root/srv/crl/e1/3.crl" serials | grep -qix 0A1B2C
	crl_field "$root/srv/crl/e1/9.crl" serials | grep -qix 4D
}

@test "docs/sources.md: an entry of pg_service.conf, and its passfile" {
	section "$docs/sources.md" Roles >page
	local key=$root/etc/crlpress/pgpass
	block '[ejbca]' <page | here \
	    >"$root/etc/postgresql-common/pg_service.conf"
	block 'db.example.com:' <page | here >"$key"
	chmod 600 "$key"
	pg_psql -d ejbca -c "CREATE ROLE crlpress LOGIN" || true
	pg_psql -c "ALTER ROLE crlpress PASSWORD '$(sed 's/.*://' "$key")'"
	as_crlpress 'psql -X -A -t service=ejbca -c "SELECT current_user"'
	ended 0
	same "$output" crlpress user
	chmod 644 "$key"
	as_crlpress 'psql -X -w service=ejbca -c "SELECT 1"'
	[ "$status" -ne 0 ]
	# And where it is looked for, on Debian.
	[ ! -e /etc/debian_version ] || ! command -v pg_config >/dev/null ||
	    same "$(pg_config --sysconfdir)" /etc/postgresql-common sysconfdir
}

@test "lines for cron and units name the program where it is installed" {
	local line count=0
	mkdir build
	: >build/crlpress
	: >build/ocsp-sunset
	make -s -C "$PUBLISH_TREE" BUILD="$PWD/build" DESTDIR="$PWD/dest" \
	    -o all install
	# Whatever runs for the user crlpress by the clock.
	grep -hE '^(    |\.Dl )[0-9*]+ [0-9*/]+ \* \* [0-9*]+ crlpress ' \
	    "$readme" "$docs"/*.md "$docs"/*.[158] |
	    sed -E 's/^(    |\.Dl )([^ ]+ ){5}crlpress //' >lines
	grep -hoE '^ *ExecStart=.*' "$docs"/*.md "$docs"/systemd/*.service |
	    sed 's/^ *ExecStart=//' >>lines
	while IFS= read -r line; do
		[ -e "dest${line%% *}" ] || {
			echo "not where make install puts it: $line"
			return 1
		}
		line=${line//\/usr\/local\/bin/${CRLPRESS%/*}}
		# As cron has it; what it lacks is the configuration alone.
		run --separate-stderr env -i PATH=/usr/bin:/bin \
		    CRLPRESS_CONFIG=/nonexistent sh -c "${line//\/etc\//\
/nonexistent/}" </dev/null
		ended 2
		has "$stderr" '/nonexistent'
		has "$stderr" 'cannot be opened'
		count=$((count + 1))
	done <lines
	same "$count" 6 'lines of cron and units'
}

@test "docs/hosts.md: its systemd units are sound" {
	command -v systemd-analyze >/dev/null || skip 'no systemd-analyze'
	local unit
	for unit in crlpress.service crlpress.timer; do
		block "# /etc/systemd/system/$unit" <"$docs/hosts.md" |
		    awk 'NR > 1 && /^# \/etc\// { exit } { print }' |
		    sed "s|/usr/local/bin/crlpress|$CRLPRESS|" >"$unit"
		grep -q '^\[Unit\]' "$unit"
	done
	run systemd-analyze verify --man=no ./crlpress.service ./crlpress.timer
	same "$output" '' verify
	same "$status" 0 'exit status'
}

@test "README: what the build needs is what tools/deps installs" {
	section "$readme" 'Use it' | tr '\n' ' ' |
	    sed 's/.*on Debian \(.*\); elsewhere.*/\1/; s/ and / /' |
	    tr -s ', ' '\n' | grep . | sort >page.txt
	sed -n "/^packages\[build\]='/,/'\$/p" "$PUBLISH_TREE/tools/deps" |
	    sed "s/.*='//; s/'//" | tr ' ' '\n' | sort >deps.txt
	[ "$(wc -l <deps.txt)" -ge 8 ]
	diff page.txt deps.txt
}

# serves COMMAND...: the server, started by this, reads all again, is asked and
# ends, without a warning.
serves()
{
	# That of the server before is not to speak for this one.
	: >"$dir/log"
	setsid "$@" "$OCSP_SUNSET" serve "$root/etc/ocsp-sunset.cnf" \
	    >"$dir/log" 2>&1 </dev/null 3>&- &
	server=$!
	SUNSET_PIDS+=("$server")
	serve_wait 'server: ready'
	kill -HUP "$server"
	serve_wait 'ocsp-sunset.cnf: in force'
	port=$(sed -n 's/.*listens on 127.0.0.1:\([0-9]*\)$/\1/p' "$dir/log" |
	    head -n 1)
	fetch "http://127.0.0.1:$port/MFQ"
	serve_stop
	same "$status" 0 'exit status'
	run -1 grep -E 'warning|denied' "$dir/log"
}

@test "README: OCSP ends, by hand and as the unit does it" {
	local line file
	section "$readme" 'When OCSP has ended' >page
	name=e1
	store=$root/srv/crl
	ca=$BATS_FILE_TMPDIR/ca
	state=$root/var/lib/crlpress
	conf=$root/etc/crlpress/e1.cnf
	url=http://crl.example.com/e1.crl
	publish_configure shards.count=1
	# The user of crlpress is one, and the server's another.
	install -d -m 700 "$state"
	{
		sed '/^\[ocsp\]$/d' "$conf"
		block '[ocsp]' <page | here
	} >"$conf.new"
	mv "$conf.new" "$conf"
	cp "$PUBLISH_TREE/sharding-config/ocsp-expiry.sql" "${conf%/*}"
	pg_psql -c 'CREATE TABLE certificate (not_after timestamptz,
	    ocsp_url text, must_staple boolean);
	    REVOKE ALL ON certificate FROM cron'
	run --separate-stderr crlpress ocsp-gate "$conf"
	ended 1
	has "$stderr" 'permission denied'
	sed -n '/^-- *GRANT/,/;/s/^-- *//p' "${conf%/*}/ocsp-expiry.sql" \
	    >grant.sql
	pg_psql -f grant.sql
	pg_psql -c "INSERT INTO certificate VALUES
	    ('2026-01-02 03:04:05Z', 'http://ocsp.example.com', false),
	    ('2025-01-02 03:04:05Z', NULL, true), ('2090-01-01', NULL, false)"
	block 'install ' <page | here >commands
	same "$(grep -c . commands)" 3 commands
	bash -eu commands
	[ -e "$root/var/lib/ocsp-sunset/counts.hour" ]
	block '[server]' <page | here | sed -e "s/^listen = .*:80$/listen = \
127.0.0.1:0/" >"$root/etc/ocsp-sunset.cnf"
	if [ "$(id -u)" -eq 0 ]; then
		sed -i 's/^user = .*/user = nobody/' "$root/etc/ocsp-sunset.cnf"
		chown -R nobody "$root/var/lib/ocsp-sunset"
	else
		sed -i "s/^user = .*/user = $(id -un)/" \
		    "$root/etc/ocsp-sunset.cnf"
	fi
	block 'crlpress ocsp-gate' <page >lines
	same "$(wc -l <lines)" 4 lines
	line=$(grep '^crlpress ocsp-gate' lines | here)
	bash -eu -c "$line" >said
	has "$(<said)" 'last expiry 2026-01-02T03:04:05Z, OCSP may end'
	serves env
	# As the unit starts it, in the same directories; then by hand again.
	if [ "$(id -u)" -eq 0 ]; then
		serves setpriv --reuid nobody \
		    --regid "$(id -g nobody)" --clear-groups
		serves env
	fi
	cp "$root/var/lib/ocsp-sunset/counts" .
	same "$(counted)" "$([ "$(id -u)" -eq 0 ] && echo 3 || echo 1)" counted
	line=$(grep '^ocsp-sunset report' lines | here)
	run bash -eu -c "$line"
	same "$status" 3 'of the report'
	has "$output" 'not yet'
	line=$(grep '^ocsp-sunset render' lines)
	bash -eu -c "DIR=rendered; ${line/ DIR/ \"\$DIR\"}"
	[ -s rendered/nginx.conf ]
	# The unit has that user and that directory, and the pages the paths.
	file=$docs/systemd/ocsp-sunset.service
	same "$(sed -n 's/^User=//p' "$file")" \
	    "$(sed -n 's/^    user = //p' page)" 'user of the unit'
	same "/var/lib/$(sed -n 's/^StateDirectory=//p' "$file")/counts" \
	    "$(sed -n 's/^    counts = //p' page)" 'counts of the unit'
	line=$(sed -n 's/^    expiry_file = \([^ ]*\)$/\1/p' page)
	for file in "$docs/ocsp-sunset.cnf.5" "$docs/ocsp-sunset.8" \
	    "$docs/crlpress.cnf.5" "$PUBLISH_TREE/sharding-config/example.cnf"
	do
		grep -qF "$line" "$file"
	done
}

@test "docs/ledger.md: its questions, before and after it was put aside" {
	local line count round
	publish_new q1 gates.allow_empty=
	section "$docs/ledger.md" Questions >page
	# Each block is one question; a backslash or a pipe goes on.
	awk '/^    / { print substr($0, 5); next }
	    /./ { print "#" }' page |
	    awk -v RS='#\n' 'NF { printf "%s", $0 > ("question." ++n) }'
	same "$(find . -name 'question.*' | wc -l)" 4 questions
	publish --quiet --pass db-scope --now "$(iso $(($(date +%s) - 120)))"
	revoke 0a1b2c 1 "$(($(date +%s) - 3600))" "$(sec 2090-01-01)"
	publish --quiet --now "$(iso $(($(date +%s) - 60)))"
	ended 0
	for round in 1 2; do
		for count in 1 2 3 4; do
			(cd "$state/q1" && bash -euo pipefail \
			    "$dir/question.$count") >"answer.$round.$count" \
			    2>&1 || {
				cat "question.$count" "answer.$round.$count"
				return 1
			}
		done
		# As a ledger that has grown is.
		mv "$state/q1/ledger.jsonl" \
		    "$state/q1/ledger-20261122T050949Z.jsonl"
		publish --quiet
		ended 0
	done
	has "$(<answer.1.1)" '{"entry":["0a1b2c",'
	has "$(<answer.1.2)" '"event":"passed"'
	has "$(<answer.1.2)" db-scope
	grep -qE '^-?[0-9]+$' answer.1.3
	same "$(wc -l <answer.1.4)" 4 'CRLs of two runs'
	for count in 1 2 3; do
		cmp "answer.1.$count" "answer.2.$count"
	done
	same "$(wc -l <answer.2.4)" 6 'CRLs of three runs'
}

# The documented server of $1 (its first line), with a set of this test.
serving()
{
	port=$(free_port)
	publish_new "$2"
	store=$root/srv/crl
	mkdir -p "$store"
	url="http://127.0.0.1:$port/$name/{shard}.crl"
	publish_configure shards.url="$url"
	revoke 0a1b2c 1 "$(($(date +%s) - 3600))" "$(sec 2090-01-01)"
	publish --quiet
	ended 0
	section "$docs/operations.md" 'Serving a directory' | block "$1" |
	    sed -e "s,/srv/crl,$store,; s/\\*:80/127.0.0.1:$port/" \
	    -e "s/listen 80;/listen 127.0.0.1:$port;/; /listen \\[::\\]/d" \
	    >server.conf
	same "$(grep -c "127.0.0.1:$port" server.conf)" 1 addresses
}

# As long as a client may keep it, whatever the hour.
served()
{
	local path from
	export no_proxy='*'
	run --separate-stderr crlpress plan --check --config "$conf"
	ended 0
	same "$stderr" '' 'stderr of plan --check'
	fetch -H 'Accept-Encoding: gzip, br' \
	    "http://127.0.0.1:$port/$name/1.crl"
	same "$code" 200 status
	cmp body "$store/$name/1.crl"
	same "$(field content-type)" application/pkix-crl type
	same "$(field content-encoding)" '' encoding
	has "$(field cache-control)" 'public, no-transform'
	has "$(field cache-control)" max-age=2
	from=$(sec "$(field last-modified)")
	same "$(($(sec "$(field expires)") - from))" $((6 * 3600 + 15 * 60)) \
	    'from the file to its end'
	fetch -H "If-None-Match: $(field etag)" \
	    "http://127.0.0.1:$port/$name/1.crl"
	same "$code" 304 'the same again'
	# One that is overdue is not to be kept.
	touch -d '2 days ago' "$store/$name/1.crl"
	fetch "http://127.0.0.1:$port/$name/1.crl"
	same "$code" 200 status
	grep -qE 'no-cache|max-age=0' <<<"$(field cache-control)"
	# What is no shard.
	cp "$store/$name/1.crl" "$store/.crlpress-tmp-1.crl"
	[ -e "$store/.crlpress-lock" ]
	[ -s "$store/crlpress-manifest-$name.txt" ]
	for path in .crlpress-lock .crlpress-tmp-1.crl \
	    "crlpress-manifest-$name.txt" '' "$name/" "$name"; do
		fetch "http://127.0.0.1:$port/$path"
		case $code in
		403 | 404) ;;
		*)
			echo "/$path: $code"
			return 1
			;;
		esac
	done
}

@test "docs/operations.md: nginx serves the shards, and nothing else" {
	serving 'server {' w1
	nginx_start "$port" "$PWD/server.conf"
	served
}

@test "docs/operations.md: Apache serves the shards, and nothing else" {
	serving '<VirtualHost' w2
	same "$(section "$docs/operations.md" 'Serving a directory' |
	    sed -n 's/^Apache, .*`a2enmod \(.*\)`:$/\1/p')" \
	    'expires headers' modules
	apache_start "$port" "$PWD/server.conf" expires headers
	served
}

# diagnosed LINE SECTION TEXT: what is said of a file whose section has this in
# that line.
diagnosed()
{
	local -A keys=(
		[issuer]=$'certificate = r1.pem\nkey = r1.key'
		[source]='issuer_id = r1'
		[shards]=$'count = 1\nurl = http://crl.example.com/r1.crl'
		[store]='url = /srv/crl'
	)
	local section
	{
		for ((i = 2; i < $1; i++)); do
			echo
		done
		printf '[%s]\n%s\n' "$2" "$3"
		# Of [store] it is the same key.
		[ "$2" = store ] || printf '%s\n' "${keys[$2]:-}"
		unset 'keys[$2]'
		for section in "${!keys[@]}"; do
			printf '[%s]\n%s\n' "$section" "${keys[$section]}"
		done
	} >r1.cnf
	run --separate-stderr crlpress check-config -c r1.cnf
	ended 2
}

@test "crlpress.cnf(5): its diagnostics are the program's" {
	local line at text count=0
	sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh SEE/s/^\.It "\(.*\)"$/\1/p' \
	    "$docs/crlpress.cnf.5" | sed 's/\\(dq/"/g' >page.txt
	while IFS= read -r line; do
		at=${line#r1.cnf:}
		at=${at%%:*}
		case $line in
		*validty*) diagnosed "$at" crl 'validty = 9d' ;;
		*conninfo*)
			diagnosed "$at" source \
			    'conninfo = host=db1 password=secret'
			;;
		*'[store] url'*)
			diagnosed "$at" store \
			    'url = s3://AKIA:secret@my-bucket/x'
			;;
		*)
			echo "not tried: $line"
			return 1
			;;
		esac
		# What is left out is three dots.
		text=$(printf '%s' "$line" |
		    sed 's/[][?*\\]/\\&/g; s/\.\.\./*/')
		# shellcheck disable=SC2053 # it is a pattern
		[[ ${stderr%%$'\n'*} == $text ]] ||
		    same "$stderr" "$line" diagnostic
		run -1 grep -F 'secret@' <<<"$stderr"
		count=$((count + 1))
	done <page.txt
	[ "$count" -ge 2 ]
}

@test "crlpress(1): whom CRLPRESS_CONFIG tells the configuration" {
	local command
	local -A given=(
		[push]='--serial 01'
		[revoke]='--serial 01 --reason superseded'
		[archive]=list
		[sign]=.
		[verify]=.
		[init]='--preset cfssl'
	)
	# Those with --config, but for those that the page excepts.
	awk '/^\.It Ev CRLPRESS_CONFIG$/ { inside = 1; next }
	    /^\.It / { inside = 0 }
	    inside' "$docs/crlpress.1" >page
	grep -q '^\.Fl Fl config' page
	sed -n '/but for/,$s/^\.Cm \([a-z-]*\).*/\1/p' page >except.txt
	for command in $("$CRLPRESS" help |
	    sed -nE 's/^  ([a-z][a-z-]*)  .*/\1/p'); do
		! "$CRLPRESS" help "$command" | grep -q -e ' --config ' ||
		    grep -qxF "$command" except.txt || echo "$command"
	done >page.txt
	for command in $("$CRLPRESS" help |
	    sed -nE 's/^  ([a-z][a-z-]*)  .*/\1/p'); do
		# shellcheck disable=SC2086 # several words
		CRLPRESS_CONFIG=/nonexistent/here run "$CRLPRESS" "$command" \
		    ${given[$command]:-}
		[[ $output != *'/nonexistent/here'* ]] || echo "$command"
	done >program.txt
	[ "$(wc -l <program.txt)" -ge 7 ]
	diff page.txt program.txt
}
