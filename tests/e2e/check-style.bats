# SPDX-License-Identifier: ISC
#
# Every rule of tools/check-style, seen to fire on a tree that breaks it and
# to keep silent on one that does not.

bats_require_minimum_version 1.5.0

setup()
{
	check="$BATS_TEST_DIRNAME/../../tools/check-style"
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/src" "$tree/include/crlpress" "$tree/tests/unit" \
	    "$tree/tools"
	printf 'int\none(void)\n{\n\treturn 1;\n}\n' | write_c src/good.c
}

write()
{
	cat >"$tree/$1"
}

# A C file with the licence line and then standard input.
write_c()
{
	{
		echo '/* SPDX-License-Identifier: ISC */'
		cat
	} >"$tree/$1"
}

# The check fails, with this one line and nothing else but the lengths.
expect()
{
	run -1 "$check" "$tree"
	echo "$output"
	[ "$(grep -vc '^check-style: ' <<<"$output")" -eq 1 ]
	grep -qxF -e "$1" <<<"$output"
}

expect_clean()
{
	run -0 "$check" "$tree"
	! grep -v '^check-style: ' <<<"$output"
}

# A function with a body that makes it $1 lines long, as measured.
long_function()
{
	printf 'int\nlong_one(void)\n{\n'
	yes '	one();' | head -n $(($1 - 4)) || true
	printf '\treturn 1;\n}\n'
}

@test "check-style: a clean tree passes and is measured" {
	expect_clean
	[[ $output == *"1 files, 1 functions: median 4, "* ]]
	[[ $output == *"longest 4 lines (src/good.c: one)"* ]]
}

@test "check-style: an empty tree is a failure, not a pass" {
	rm -r "$tree/src/good.c"
	run -1 "$check" "$tree"
	[[ $output == *"nothing to measure"* ]]
}

@test "check-style: function-length" {
	long_function 80 | write_c src/a.c
	expect_clean
	long_function 81 | write_c src/a.c
	expect 'src/a.c:3: function-length: long_one: 81 lines, at most 80'
}

@test "check-style: function-length of a script" {
	{
		printf '#!/bin/sh\n# SPDX-License-Identifier: ISC\nf()\n{\n'
		yes '	:' | head -n 100 || true
		printf '}\n'
	} >"$tree/tools/long"
	expect 'tools/long:3: function-length: f: 103 lines, at most 80'
}

@test "check-style: file-length" {
	yes 'extern int x;' | head -n 799 | write_c src/a.c
	expect_clean
	yes 'extern int x;' | head -n 800 | write_c src/a.c
	expect 'src/a.c:801: file-length: 801 lines, at most 800'
}

@test "check-style: line-width, a tab being eight columns" {
	write_c src/a.c <<<"extern int $(printf 'x%.0s' {1..68});"
	expect_clean
	write_c src/a.c <<<"extern int $(printf 'x%.0s' {1..69});"
	expect 'src/a.c:2: line-width: 81 columns, at most 80'
	write_c src/a.c <<<$'\t'"extern int $(printf 'x%.0s' {1..61});"
	expect 'src/a.c:2: line-width: 81 columns, at most 80'
}

@test "check-style: forbidden-call, each of them" {
	local call
	for call in strcpy strcat sprintf gets strtok atoi atol alloca \
	    system popen mktemp tmpnam time getenv exit; do
		write_c src/a.c <<<"int x = $call (1);"
		expect "src/a.c:2: forbidden-call: $call()"
	done
}

@test "check-style: a forbidden name in its file, a comment, a string" {
	write_c src/main.c <<-'END'
	int x = time(0) + getenv(0) + exit(0);
	END
	write_c src/signer_proc.c <<<'int y = time(0);'
	write_c src/a.c <<-'END'
	/* system(1) and
	 * popen(2) */
	const char *x = "system(\"3\") " "popen('";
	int quote = '"', call = my_system(1) + ops->time(2); // exit(1)
	END
	write_c tests/unit/core_a.c <<<'int x = exit(1);'
	expect_clean
	write_c src/a.c <<<'int quote = '\''"'\'', call = atoi("1");'
	expect 'src/a.c:2: forbidden-call: atoi()'
}

@test "check-style: library, each in its own file alone" {
	local row file
	for row in 'libpq-fe.h database.c' 'zlib.h gzip.c' \
	    'openssl/x509.h issuer.c' 'openssl/x509.h hash.c' \
	    'openssl/x509.h signer_key.c' 'openssl/x509.h config_file.c' \
	    'curl/curl.h http.c'; do
		file=src/${row#* }
		write_c "$file" <<<"#include <${row% *}>"
		expect_clean
		mv "$tree/$file" "$tree/src/a.c"
		run -1 "$check" "$tree"
		[[ $output == *'src/a.c:2: library: <'*' belongs to '* ]]
		rm "$tree/src/a.c"
	done
}

@test "check-style: library, in a header too" {
	write_c include/crlpress/a.h <<-'END'
	#ifndef CRLPRESS_A_H
	#define CRLPRESS_A_H
	#include <libpq-fe.h>
	#endif
	END
	expect 'include/crlpress/a.h:4: library: <libpq...> belongs to '\
'database.c'
}

@test "check-style: spdx" {
	write src/a.c <<<'int x;'
	expect 'src/a.c:1: spdx: not on the first line'
	rm "$tree/src/a.c"
	printf '#!/bin/sh\n:\n' >"$tree/tools/a"
	expect 'tools/a:2: spdx: not below the first line'
}

@test "check-style: header-guard" {
	write_c include/crlpress/a.h <<<'int x;'
	expect 'include/crlpress/a.h:1: header-guard: none'
	write_c include/crlpress/a.h <<-'END'
	#ifndef CRLPRESS_B_H
	#define CRLPRESS_B_H
	#endif
	END
	expect 'include/crlpress/a.h:2: header-guard: want #ifndef'\
' CRLPRESS_A_H'
	write_c include/crlpress/a.h <<-'END'
	#ifndef CRLPRESS_A_H
	#define CRLPRESS_B_H
	#endif
	END
	expect 'include/crlpress/a.h:3: header-guard: want #define'\
' CRLPRESS_A_H'
}

@test "check-style: typedef" {
	write_c src/a.c <<<'typedef struct a b;'
	expect 'src/a.c:2: typedef: say struct, union, enum'
	write_c src/a.c <<<'typedef int (*compare)(int);'
	expect_clean
}

@test "check-style: left-over, each word" {
	local word
	for word in "TO""DO" "FIX""ME" "X""XX"; do
		write_c src/a.c <<<"/* $word: later */"
		expect 'src/a.c:2: left-over: unfinished work'
	done
	write_c src/a.c <<<'const char *x = "/tmp/x.XXXXXX";'
	expect_clean
}

@test "check-style: trailing-space" {
	write_c src/a.c <<<'int x; '
	expect 'src/a.c:2: trailing-space: at the end'
	printf '# SPDX-License-Identifier: ISC\n:\t\n' >"$tree/tools/a.bash"
	rm "$tree/src/a.c"
	expect 'tools/a.bash:2: trailing-space: at the end'
}

@test "check-style: format" {
	cp "$BATS_TEST_DIRNAME/../../.clang-format" "$tree"
	expect_clean
	[[ $output != *'not compared'* ]] ||
	    skip 'no clang-format of the release asked for'
	write_c src/a.c <<<'int  x;'
	expect 'src/a.c:2: format: not as clang-format has it'
}
