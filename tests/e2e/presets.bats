# SPDX-License-Identifier: ISC
#
# What all presets have: their files, their place in the documents, and that
# they are configurations to start from. What each reads is tested in a file of
# its own.

# Variables of bats:
# shellcheck disable=SC2154

bats_require_minimum_version 1.5.0
load ../lib/publish.bash

presets=$PUBLISH_TREE/sharding-config/presets

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
}

# The names of all presets.
names()
{
	local file
	for file in "$presets"/*.cnf; do
		basename "$file" .cnf
	done
}

# What the comment at the head of a statement says: said NAME FIELD
said()
{
	sed -n "s/^-- $2  *//p" "$presets/$1.sql"
}

# A key of a preset's configuration.
key()
{
	sed -n "s/^$2 = //p" "$presets/$1.cnf" | head -n 1
}

@test "there are seven, each with its files, its tests and its documents" {
	local name file
	same "$(names | wc -l)" 7 presets
	for name in $(names); do
		for file in "$presets/$name.sql" "$presets/$name.grants.sql" \
		    "$PUBLISH_TREE/tests/sources/$name.sql" \
		    "$PUBLISH_TREE/tests/e2e/presets-$name.bats"; do
			[ -s "$file" ]
			grep -q SPDX-License-Identifier "$file"
		done
		grep -q "^| \`$name\` | " "$PUBLISH_TREE/docs/sources.md"
		grep -q " crlpress init --preset $name " \
		    "$PUBLISH_TREE/docs/sources.md"
	done
	# And nothing else lies there.
	for file in "$presets"/*; do
		name=$(basename "$file")
		case ${name#*.} in
		sql | cnf | grants.sql | index.sql | issuers.sql)
			[ -e "$presets/${name%%.*}.cnf" ]
			;;
		*) false ;;
		esac
	done
}

@test "each configuration is well-formed and is what its statement asks for" {
	local name
	for name in $(names); do
		mkdir "$name"
		cp "$presets/$name.cnf" "$presets/$name.sql" "$name"
		run -0 --separate-stderr "$CRLPRESS" check-config -c "$name"
		# The certificate and the key are the operator's to put there.
		same "$(grep -vE ' file: \[issuer\] (certificate|key): ' \
		    <<<"$stderr")" '' "stderr of $name"
		same "$(key "$name" query_file)" "$name.sql" query_file
		same "$(key "$name" conninfo)" "service=$name" conninfo
		same "$(key "$name" serial_encoding)" \
		    "$(said "$name" serial_encoding)" serial_encoding
		case $(said "$name" scheme) in
		column*) same "$(key "$name" scheme)" column scheme ;;
		serial-mod\ with\ count\ =\ 1*)
			same "$(key "$name" scheme)" serial-mod scheme
			same "$(key "$name" count)" 1 count
			;;
		*) false ;;
		esac
		# Without an issuer only where none can be asked for.
		case $(said "$name" issuer_id) in
		none*) same "$(key "$name" issuer_id)" '' issuer_id ;;
		*)
			[ -n "$(key "$name" issuer_id)" ]
			grep -q ":'issuer'" "$presets/$name.sql"
			;;
		esac
		[ -n "$(key "$name" lookback)" ]
		has "$(cat "$presets/$name.cnf")" 'BR 4.9.13'
	done
}

@test "no product stands in the program by its name" {
	run -1 grep -rniE \
	    '"[^"]*(ejbca|cfssl|boulder|xipki|openxpki|step-ca|django)' \
	    "$PUBLISH_TREE/src" "$PUBLISH_TREE/include"
}

@test "statements and grants neither write nor give more than SELECT" {
	local name
	for name in $(names); do
		run -1 grep -E '^ *(INSERT|UPDATE|DELETE|CREATE|ALTER|DROP)' \
		    "$presets/$name.sql"
		run -0 grep -c '^GRANT' "$presets/$name.grants.sql"
		same "$(grep -c '^GRANT SELECT (' \
		    "$presets/$name.grants.sql")" "$output" grants
	done
}

@test "make install puts them where the document looks" {
	local file
	mkdir build
	: >build/crlpress
	: >build/ocsp-sunset
	make -s -C "$PUBLISH_TREE" BUILD="$PWD/build" DESTDIR="$PWD/dest" \
	    -o all install
	for file in "$presets"/*; do
		cmp "$file" "dest/usr/local/share/crlpress/presets/${file##*/}"
	done
	[ -e dest/usr/local/share/doc/crlpress/sharding-config/native.sql ]
	grep -qF "\`/usr/local/share/crlpress/presets\`" \
	    "$PUBLISH_TREE/docs/sources.md"
	# And where the program looks.
	run -0 "$CRLPRESS" help init
	has "$output" 'looked for in /usr/local/share/crlpress/presets,'
}
