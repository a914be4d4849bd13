# SPDX-License-Identifier: ISC
#
# The rules of tools/check-style that need no other program. Runs under mawk
# and gawk, over C files and scripts given by paths below the root.

BEGIN {
	function_most = 80
	file_most = 800
	width_most = 80

	# Calls that src/ may not make, and the files that may.
	split("strcpy strcat sprintf vsprintf gets strtok atoi " \
	    "atol atoll alloca system popen mktemp tmpnam " \
	    "tempnam rand srand", name, " ")
	for (i in name)
		forbidden[name[i]] = "none"
	forbidden["time"] = "main.c signer_proc.c"
	forbidden["getenv"] = "main.c"
	forbidden["exit"] = "main.c"

	# Start of an include, and the only files it may stand in.
	library["libpq"] = "database.c"
	library["openssl/"] = \
	    "issuer.c hash.c signer_key.c signer_token.c config_file.c pem.c"
	library["curl/"] = "http.c"
	library["zlib.h"] = "gzip.c"

	type_alias = "(^|[^A-Za-z0-9_])typedef[ \t]+" \
	    "(struct|union|enum)([^A-Za-z0-9_]|$)"
	# Written so that this file does not find itself.
	left_over = "(^|[^A-Za-z0-9_])(TO" "DO|FIX" "ME|X" "XX)" \
	    "([^A-Za-z0-9_]|$)"
}

function violation_at(file, line, rule, text)
{
	print file ":" line ": " rule ": " text
	violations++
}

function violation(line, rule, text)
{
	violation_at(FILENAME, line, rule, text)
}

# Is `base` a word of `list`?
function among(base, list)
{
	return index(" " list " ", " " base " ") > 0
}

function columns(s,    n, at)
{
	n = 0
	while ((at = index(s, "\t")) > 0) {
		n += at - 1
		n += 8 - n % 8
		s = substr(s, at + 1)
	}
	gsub(/[\200-\277]/, "", s)
	return n + length(s)
}

# The line without comments and without what strings hold.
function strip(s,    out, at, c)
{
	out = ""
	while (s != "") {
		if (in_comment) {
			at = index(s, "*/")
			if (at == 0)
				return out
			s = substr(s, at + 2)
			in_comment = 0
		} else if (match(s, /\/\*|\/\/|["\047]/) == 0) {
			return out s
		} else {
			c = substr(s, RSTART, RLENGTH)
			out = out substr(s, 1, RSTART - 1)
			s = substr(s, RSTART + RLENGTH)
			if (c == "//")
				return out
			if (c == "/*")
				in_comment = 1
			else
				s = after_quote(s, c)
		}
	}
	return out
}

function after_quote(s, quote,    i, c)
{
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "\\")
			i++
		else if (c == quote)
			return substr(s, i + 1)
	}
	return ""
}

function file_start()
{
	is_c = FILENAME ~ /\.[ch]$/
	is_source = FILENAME ~ /^(src|include)\//
	base = FILENAME
	sub(/.*\//, "", base)
	in_comment = 0
	open_line = 0
	head_line = 0
	guard = ""
	guard_done = FILENAME !~ /\.h$/
	files++
}

# Of the file that went before.
function file_end()
{
	if (last_line > file_most && last_is_c)
		violation_at(last_file, last_line, "file-length", \
		    last_line " lines, at most " file_most)
	if (!last_guard_done)
		violation_at(last_file, 1, "header-guard", "none")
}

function function_end(    n)
{
	n = FNR - open_line + 1
	if (n > function_most)
		violation(open_line, "function-length", \
		    open_name ": " n " lines, at most " \
		    function_most)
	open_line = 0
	if (!is_c)
		return
	functions++
	of_length[n]++
	if (n > longest) {
		longest = n
		longest_name = FILENAME ": " open_name
	}
}

# A body is a brace in the first column below the name; nothing else
# in this style begins so.
function c_function(s)
{
	if (s ~ /^[A-Za-z_].*\(/ && s !~ /;[ \t]*$/) {
		head_line = FNR
		head_name = s
		sub(/\(.*/, "", head_name)
		sub(/[ \t]+$/, "", head_name)
		sub(/.*[ \t*]/, "", head_name)
	} else if (s ~ /^\{/ && head_line) {
		open_line = head_line
		open_name = head_name
		head_line = 0
	} else if (s ~ /^\}/) {
		if (open_line)
			function_end()
		head_line = 0
	}
}

function script_function(s)
{
	if (s ~ /^[A-Za-z_][A-Za-z0-9_]*[ \t]*\(\)/ ||
	    s ~ /^(function|@test) /) {
		open_line = FNR
		open_name = s
		sub(/[ \t]*(\(.*|\{)$/, "", open_name)
	} else if (s ~ /^\}/ && open_line) {
		function_end()
	}
}

function calls(s,    name, before)
{
	while (match(s, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
		name = substr(s, RSTART, RLENGTH - 1)
		sub(/[ \t]+$/, "", name)
		before = RSTART > 1 ? substr(s, RSTART - 1, 1) : ""
		s = substr(s, RSTART + RLENGTH)
		if (before == "." || before == ">")
			continue
		if (name in forbidden &&
		    !among(base, forbidden[name]))
			violation(FNR, "forbidden-call", name "()")
	}
}

function include(s,    header, start)
{
	header = s
	sub(/^[ \t]*#[ \t]*include[ \t]*[<"]/, "", header)
	for (start in library)
		if (index(header, start) == 1 &&
		    !among(base, library[start]))
			violation(FNR, "library", "<" start \
			    "...> belongs to " library[start])
}

function header_guard(s,    want)
{
	if (s !~ /^[ \t]*#/)
		return
	guard_done = 1
	want = toupper("CRLPRESS_" base)
	gsub(/[^A-Z0-9]/, "_", want)
	if (s != "#ifndef " want)
		violation(FNR, "header-guard", \
		    "want #ifndef " want)
	else
		guard = want
}

function spdx()
{
	if (is_c && FNR == 1 &&
	    $0 != "/* SPDX-License-Identifier: ISC */")
		violation(1, "spdx", "not on the first line")
	if (is_c || FNR > 2 || spdx_seen == FILENAME)
		return
	if ($0 == "# SPDX-License-Identifier: ISC")
		spdx_seen = FILENAME
	else if (FNR == 2)
		violation(2, "spdx", "not below the first line")
}

FNR == 1 {
	if (last_file != "")
		file_end()
	file_start()
}

{
	spdx()
	if ($0 ~ /[ \t\r]$/)
		violation(FNR, "trailing-space", "at the end")
	if ((n = columns($0)) > width_most)
		violation(FNR, "line-width", n " columns, at most " \
		    width_most)
	if ($0 ~ left_over)
		violation(FNR, "left-over", "unfinished work")
}

is_c {
	if ($0 ~ /^[ \t]*#[ \t]*include/ && is_source)
		include($0)
	code = strip($0)
	if (guard != "") {
		if (code != "#define " guard)
			violation(FNR, "header-guard", \
			    "want #define " guard)
		guard = ""
	} else if (!guard_done) {
		header_guard(code)
	}
	if (code ~ type_alias)
		violation(FNR, "typedef", "say struct, union, enum")
	if (is_source)
		calls(code)
	c_function(code)
}

!is_c {
	script_function($0)
}

{
	last_file = FILENAME
	last_line = FNR
	last_is_c = is_c
	last_guard_done = guard_done
}

# The shortest length that `share` of the functions do not exceed.
function percentile(share,    n, seen)
{
	for (n = 1; n <= longest; n++) {
		seen += of_length[n]
		if (seen >= share * functions)
			return n
	}
	return 0
}

END {
	if (last_file != "")
		file_end()
	print "check-style: " files " files, " functions + 0 \
	    " functions: median " percentile(0.5) \
	    ", 99th percentile " percentile(0.99) \
	    ", longest " longest + 0 " lines" \
	    (longest ? " (" longest_name ")" : "")
	exit violations > 0
}
