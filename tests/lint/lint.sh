#!/bin/bash
# Checks that no compiler makes. Prints a line a check, `ok NAME` or `FAIL NAME: WHAT`; ends with 1 when one failed.
# usage: tests/lint/lint.sh [-C FOLDER] [CHECK...]
#
# Each check is a function that prints what is wrong, one line a fault; silence is good. selftest.sh feeds each of them
# a bad example.
set -u -o pipefail
export LC_ALL=C.UTF-8

here=$(cd "$(dirname "$0")" && pwd)
[ "${1-}" = -C ] && { cd "$2" || exit 64; shift 2; }

cc=${CC:-gcc}
flags=(-std=gnu17 -D_GNU_SOURCE -DDB_SCHEMA_VERSION=1 -Ilib/base -Ilib/store -Ilib/store/sqlite -Ilib/store/postgres -I/usr/include/postgresql -Ilib/shape -Ilib/school -Ilib/web -Ibin -Wall -Wextra -Wno-missing-field-initializers)

checks=(top layers owners wrapped banned headers documented sizes format suppressions cppcheck analyzer shell python tests example groups packages openapi clients)

need() {
	command -v "$1" >/dev/null || { echo "$1 is not installed; run conf/setup.sh lint"; return 1; }
}

# What people wrote: all files but those that the build and the run make.
files() {
	find . \( -path ./build -o -path ./var -o -name .git -o -name node_modules -o -name __pycache__ \) -prune \
		-o -type f -print | sed 's,^\./,,'
}

c_files() {
	files | grep -E "^(lib|bin|cgi-bin)/.*\\.$1\$"
}

# The top-level names, and nothing beside them but dotfiles and what git ignores.
check_top() {
	local name
	for name in *; do
		case $name in
		Makefile|README.md|schema.sql|cgi-bin|lib|conf|tests|bin|htdocs|build|var) ;;
		*) echo "$name does not belong at the top" ;;
		esac
	done
}

# FILE INCLUDED for each include of a header of ours, however it is quoted.
includes() {
	c_files '[ch]' | xargs -r grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<][^">]+' |
		sed -E 's/:[^"<]*["<]/ /'
}

# Lines "FILE: what" for a wrong include; for one between modules of lib/ "edge A B". The build holds the layers by the include
# path of each file; here it is what goes round that path, and what no path can hold.
layer_faults() {
	awk -v own="$(c_files h)" '
	BEGIN {
		n = split("base store shape school web", name, " ")
		for (i = 1; i <= n; i++) sees["lib/" name[i]] = name[i]
		sees["lib/store/sqlite"] = "store/sqlite store base"; sees["lib/store/postgres"] = "store/postgres store base"
		sees["lib/store"] = sees["lib/shape"] = "base"; sees["lib/school"] = sees["lib/web"] = "base store shape"
		n = split(own, path, "\n")
		for (i = 1; i <= n; i++) { file = path[i]; sub(/.*\//, "", file); room[file] = layer(path[i]) }
	}
	function layer(path) { if (path ~ /^lib\//) sub(/\/[^\/]*$/, "", path); else sub(/\/.*/, "", path); return path }
	function module(path) { sub(/.*\//, "", path); sub(/\.[ch]$/, "", path); return path }
	{
		file = $1; to = $2; from = layer(file)
		if (to ~ /\//) { if (to ~ /\.\./ || to ~ /^(base|store|shape|school|web)\//) print file ": includes " to " by a path"; next }
		if (!(to in room)) next
		if (from ~ /^lib\//) {
			layer_to = room[to]; sub(/^lib\//, "", layer_to)
			if (room[to] == from) { if (module(to) != module(file)) print "edge", module(file), module(to) }
			else if (room[to] !~ /^lib\//) print file ": includes " to ", which is not of lib/"
			else if (index(" " sees[from] " ", " " layer_to " ") == 0) print file ": includes " to " of " room[to] ", which is not below " from
		} else if (from == "cgi-bin" && room[to] == "cgi-bin") {
			group = module(file); sub(/_.*/, "", group); other = module(to); sub(/_.*/, "", other)
			if (group != other) print file ": includes " to " of another group"
		} else if (room[to] !~ /^lib\// && room[to] != from) {
			print file ": includes " to " of " room[to]
		}
	}'
}

# FILE TABLE for each statement that changes rows of a table.
writes() {
	c_files '[ch]' | xargs -r grep -HoE '"[^"]*\b(INSERT( OR [A-Z]+)? INTO|UPDATE|DELETE FROM) [a-z_]+' | sed -E 's/:.* / /' | sort -u
}

# Rows of a table are changed by one module: of lib/school, or the group that alone uses the table. The store is not counted: what
# lib/store/sql.h has for a table under a name, and tables of an engine; nor is bin/database.c, which moves whole tables.
check_owners() {
	writes | sort -k1.1,1.1r -k1,1 | awk '
	$1 ~ /^lib\/store\// || $1 == "bin/database.c" { next }
	$1 !~ /^(lib\/school|cgi-bin)\// { print $1 ": changes rows of " $2 ", which is for a module of lib/school"; next }
	{ module = $1; sub(/\.[ch]$/, "", module) }
	$2 in owner && owner[$2] != module { print $1 ": changes rows of " $2 ", which " owner[$2] " owns" }
	{ owner[$2] = module }'
}

check_layers() {
	local faults
	faults=$(includes | layer_faults)
	grep -v '^edge ' <<<"$faults"
	sed -n 's/^edge //p' <<<"$faults" | tsort 2>&1 >/dev/null | sed -nE 's/^tsort: ([^-].*)/circle: \1/p'
}

# Third-party headers stand in the one file that wraps them, and in no header: another transport must be able to slide in
# underneath. cJSON is the exception: json.h wraps it by naming it. SQLite, and what only it has, stands in the folder of its
# engine, and in lib/store/sql.h; libsodium's secrets in random.c, its encodings in encode.c.
check_wrapped() {
	local header users
	for header in fcgiapp.h fcgi_stdio.h fcgi_config.h jwt.h magic.h ini.h cJSON.h; do
		users=$(users_of "$header")
		[ -n "$users" ] || continue
		[ "$(wc -l <<<"$users")" = 1 ] || echo "$header is included by more than one file: ${users//$'\n'/ }"
		[ "$header" = cJSON.h ] || grep '\.h$' <<<"$users" | sed "s,\$,: a header includes $header,"
	done
	users_of sodium.h | grep -vE '^lib/base/(random|encode)\.c$' | sed 's,$,: includes sodium.h,'
	users_of curl.h | grep -vE '^(bin/mail_smtp\.c|lib/base/libcurl\.h)$' | sed 's,$,: includes curl.h beside mail_smtp.c and libcurl.h,'
	users_of libcurl.h | grep -vE '^lib/base/(libcurl|s3)\.c$' | sed 's,$,: includes libcurl.h; ask lib/base/s3.h,'
	users_of libpq-fe.h | grep -v '^lib/store/postgres/' | sed 's,$,: includes libpq-fe.h outside of lib/store/postgres/,'
	users_of sqlite3.h | grep -v '^lib/store/sqlite/' | sed 's,$,: includes sqlite3.h outside of lib/store/sqlite/,'
	c_files '[ch]' | grep -v '^lib/store/[sp]' | xargs -r grep -nwHE 'WAL|wal|PRAGMA|[Cc]heckpoints?|rowid' |
		sed -E 's/^([^:]*:[0-9]+):.*/\1: a word of one engine/'
}

# Files that include a header of that name.
users_of() {
	includes | awk -v h="$1" '{ n = split($2, part, "/"); if (part[n] == h) print $1 }' | sort -u
}

# Calls of the functions that lib/base/base.h poisons, seen where a file escapes base.h too; in handlers also of the heap.
check_banned() {
	local file poisoned heap='malloc calloc realloc reallocarray free strdup strndup asprintf vasprintf'
	poisoned=$(sed -n 's/^#pragma GCC poison //p' lib/base/base.h)
	[ -n "$poisoned" ] || echo "lib/base/base.h: no list of banned functions"
	for file in $(c_files '[ch]'); do
		case $file in cgi-bin/*) names="$poisoned alloca $heap" ;; *) names="$poisoned alloca" ;; esac
		# Without comments, and with numbers of lines.
		"$cc" -fpreprocessed -dD -E -x c "$file" 2>/dev/null | awk -v names="$names" -v file="$file" '
		BEGIN { n = split(names, name, " ") }
		/^# [0-9]+ "/ { line = $2; next }
		{
			gsub(/'\''([^'\''\\]|\\.)+'\''/, "0"); gsub(/"([^"\\]|\\.)*"/, "\"\"")
			for (i = 1; i <= n; i++)
				if ($0 ~ ("(^|[^A-Za-z0-9_.>])" name[i] "[ \t]*\\("))
					print file ":" line ": " name[i]
			line++
		}'
	done
}

# Every header is its own: it includes what it needs.
check_headers() {
	local header
	for header in $(c_files h); do
		"$cc" "${flags[@]}" -Werror -fsyntax-only -x c "$header" 2>&1 | grep -m1 -E 'error|warning'
	done
}

# Each function that a header exports stands behind a comment, its own or that of its group, or has one on its line.
check_documented() {
	local header
	for header in $(c_files h); do
		awk -v file="$header" '
		/^$/ { documented = 0 }
		/\*\/$/ { documented = 1 }
		/^[a-z].*[a-z0-9_]\(/ && !/^(static|struct [a-z_]+ \{|typedef|enum [a-z_]+ \{|extern "C")/ && !documented { print file ":" FNR ": " $0 }
		' "$header"
	done
}

# A function has at most 60 lines, a file 700.
check_sizes() {
	c_files '[ch]' | xargs -r awk '
		/^\{/ { start = FNR }
		/^\}/ && start { if (FNR - start > 61) print FILENAME ":" start ": a function of " FNR - start - 1 " lines"; start = 0 }
		FNR == 701 { print FILENAME ": more than 700 lines" }'
}

# The layout of .clang-format.
check_format() {
	need clang-format || return
	c_files c | xargs -r clang-format --dry-run -Werror 2>&1 | sed -nE 's/^([^:]+:[0-9]+):[0-9]+: error: .*/\1: run make format/p' | uniq
}

# Warnings that somebody silenced: at most five in all, each with its reason behind it.
check_suppressions() {
	local found mark='cppcheck-suppress|NOLINT|GCC diagnostic ignored|shellcheck disable|noqa'
	found=$(files | grep -E '\.([ch]|sh|py)$' | grep -v '^tests/lint/' | xargs -r grep -nHE "$mark")
	[ -n "$found" ] || return 0
	[ "$(wc -l <<<"$found")" -le 5 ] || echo "$(wc -l <<<"$found") silenced warnings, at most 5 are allowed"
	grep -vE "($mark)[^ ]*( [^ ]+)? *[;#-] *[^ ]" <<<"$found" | sed 's/$/ (no reason given)/'
}

check_cppcheck() {
	need cppcheck || return
	c_files c | xargs -r cppcheck --quiet --inline-suppr --std=c11 --enable=warning,performance,portability \
		--include="$here/cppcheck.h" --template='{file}:{line}: {message} ({id})' -D_GNU_SOURCE -DDB_SCHEMA_VERSION=1 -Ilib/base -Ilib/store -Ilib/store/sqlite -Ilib/store/postgres -I/usr/include/postgresql -Ilib/shape -Ilib/school -Ilib/web -Ibin 2>&1
}

# Of a leak that has no name gcc 12 has lost the track itself, in a struct: AddressSanitizer watches over those.
check_analyzer() {
	c_files c | xargs -r -n1 -P2 "$cc" "${flags[@]}" -O1 -fanalyzer -include "$here/analyzer.h" -c -o /dev/null 2>&1 |
		grep -E 'Wanalyzer|error:' | grep -v 'leak of .<unknown>'
}

check_shell() {
	local scripts
	need shellcheck || return
	scripts=$(files | while read -r file; do head -n1 "$file" | grep -aqE '^#!.*[ /](ba|da)?sh' && echo "$file"; done)
	# SC2317: these functions are called by name.
	[ -z "$scripts" ] || xargs shellcheck -f gcc -e SC2317 <<<"$scripts"
}

check_python() {
	local scripts
	scripts=$(files | while read -r file; do
		case $file in *.py) echo "$file" ;; *) head -n1 "$file" | grep -aqE '^#!.*python3' && echo "$file" ;; esac
	done)
	/usr/bin/python3 -c 'import pyflakes' 2>/dev/null || { echo "pyflakes3 is not installed; run conf/setup.sh lint"; return; }
	[ -z "$scripts" ] || xargs /usr/bin/python3 -m pyflakes <<<"$scripts" 2>&1
}

# Files of unit tests that carry the name of no module, and why.
several_modules=(
	power	# what store and the disk keep when the power goes off
)

# A file of unit tests is found by the name of what it tests, in lib/ or bin/, and no file of API tests by another one: what they
# share is in tests/api/helpers.
check_tests() {
	local file name modules
	modules=$(files | sed -nE 's,^(lib|bin|cgi-bin)/(.*/)?([^/]+)\.[ch]$,\3,p')
	for file in tests/unit/*.c; do
		[ -e "$file" ] || continue
		name=$(basename "$file" .c)
		[[ " ${several_modules[*]} " == *" $name "* ]] || grep -qx "$name" <<<"$modules" ||
			echo "$file is named for no module; if it tests several, tests/lint/lint.sh lists it with the reason"
	done
	for name in "${several_modules[@]}"; do
		[ -e "tests/unit/$name.c" ] || [ ! -d tests/unit ] || echo "tests/lint/lint.sh lists tests/unit/$name.c, which is not there"
	done
	for file in tests/api/*.py; do
		[ -e "$file" ] || continue
		name=$(basename "$file" .py)
		grep -nHE "^ *(import $name( |$)|from $name import )" tests/api/*.py tests/api/helpers/*.py 2>/dev/null |
			sed 's/$/ (what test files share belongs into tests\/api\/helpers)/'
	done
}

# The shipped example is what the program itself says of its settings.
check_example() {
	[ -x build/okulctl ] || { echo "build/okulctl is not built; run make"; return; }
	diff <(build/okulctl check --settings) conf/okul.conf.example >/dev/null ||
		echo "conf/okul.conf.example is old; run: build/okulctl check --settings >conf/okul.conf.example"
}

# README.md names each group whose paths are not just those below its own name, and all of them.
check_groups() {
	[ -e build/obj/routes ] || { echo "build/obj/routes is not there; run make"; return; }
	diff <(awk -f "$here/../../conf/locations.awk" build/obj/routes <(echo @README@)) \
		<(sed -n '/^| group | paths |$/,/^$/p' README.md | sed 1,2d | sed '/^$/d') |
		sed -n 's/^< /README.md: the table of groups lacks: /p; s/^> /README.md: no program says: /p'
}

# Nothing comes from the npm registry but what a package-lock.json names by its hash, and versions are exact.
check_packages() {
	local lock manifest
	files | grep -E '^(Makefile$|\.ci/|conf/|tests/)' | grep -vE '^tests/lint/.*\.(sh|json)$' |
		xargs -r grep -nHE '\b(npx +[-@a-z]|npm +(i|install|exec|add)\b)' | grep -v '^conf/docs.html:'
	for manifest in $(files | grep -E '(^|/)package\.json$' | grep -v '^build/'); do
		lock=${manifest%.json}-lock.json
		grep -nHE '": "[\^~><*]|"latest"' "$manifest"
		[ -e "$lock" ] || { echo "$lock is missing; npm install --package-lock-only --ignore-scripts makes it"; continue; }
		awk '/^    "node_modules\// { name = $1; hash = 0 } /"integrity"/ { hash = 1 }
			/^    },?$/ && name { if (!hash) print name " has no hash"; name = "" }' "$lock"
	done
}

# What package-lock.json says, whole and nothing else, and no script of any package is run. Done once a lock.
node_packages() {
	need node && need npm || return
	cmp -s "$here/package-lock.json" "$here/node_modules/.locked" && return
	timeout 300 npm ci --prefix "$here" --ignore-scripts --no-audit --no-fund >"$work/npm" 2>&1 || { tail -n5 "$work/npm"; return 1; }
	cp "$here/package-lock.json" "$here/node_modules/.locked"
}

check_openapi() {
	local document
	node_packages || return
	for document in build/share/openapi*.json; do
		REDOCLY_TELEMETRY=off node "$here/openapi.mjs" "$document" 2>&1 | sed "s,^,${document##*/}: ,"
	done
}

# What a front end does with the reference: three generators make a client, with which the whole journey of a user and of an
# admin (clients/*.ts) compiles under the strictest rules, without a cast, and runs against a server.
check_clients() {
	local out=build/lint/clients journeys=tests/lint/clients count
	[ -d "$journeys" ] || journeys=$here/clients
	grep -nE '[^*] as [A-Za-z{]|: any\b|<any\b|[]A-Za-z0-9_)]![^=]|@ts-|eslint-' "$journeys"/*.ts | sed 's/$/ (a cast)/' | grep . && return
	node_packages || return
	rm -rf "$out" && mkdir -p "$out/generated" && cp "$journeys"/*.ts "$here"/clients/{tsconfig.json,orval.config.cjs} "$out" &&
		cp build/share/openapi.json "$out" && ln -s "$here/node_modules" "$out/node_modules" || return
	(
		cd "$out" || exit
		node node_modules/openapi-typescript/bin/cli.js openapi.json -o generated/fetch.d.ts >types 2>&1 || cat types &
		node node_modules/orval/dist/bin/orval.js --config orval.config.cjs >orval 2>&1 || tail -n5 orval &
		wait
		node node_modules/swagger-typescript-api/dist/cli.js generate -p openapi.json -o generated -n swagger.ts >swagger 2>&1 ||
			tail -n5 swagger
	)
	count=$(grep -l '} as const' "$out"/generated/orval/model/* | wc -l)
	[ "$count" -le 30 ] || { echo "orval makes $count enumerations, one of each field; lib/web/openapi_schema.c names them"; return; }
	node "$out/node_modules/typescript/bin/tsc" -p "$out" || return
	[ ! -x build/okulctl ] || node "$here/clients/run.cjs" build "$out/out"
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
for check in "${@:-${checks[@]}}"; do
	declare -F "check_$check" >/dev/null || { echo "lint.sh: there is no check $check"; exit 64; }
	what=$("check_$check")
	if [ -z "$what" ]; then
		echo "ok $check"
	else
		failed=1
		echo "FAIL $check: $what"
	fi
done
exit $failed
