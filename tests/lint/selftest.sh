#!/bin/bash
# Shows that each check of lint.sh can fail: plants a small fault in a good tree and expects FAIL, for the reason meant.
set -u

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
tree=$work/tree
failed=0

# A small tree in which every check is content, but for those that need a build.
good_tree() {
	rm -rf "$tree"
	mkdir -p "$tree"/{lib/{base,store/sqlite,shape,school,web},cgi-bin,bin,conf,tests,build/share}
	cp "$here/../../lib/base/base.h" "$tree/lib/base/"
	cp "$here/../../.clang-format" "$tree/"
	echo '#include "base.h"' |
		tee "$tree"/lib/{base/arena,store/db,school/user,web/response}.h "$tree"/bin/okulctl.h >"$tree/cgi-bin/auth_codes.h"
	echo '#include "arena.h"' >"$tree/lib/base/text.h"
	echo '#include <sqlite3.h>' >"$tree/lib/store/sqlite/engine.h"
	echo '#include "db.h"' >"$tree/lib/store/sqlite/copy.c"
	echo '#include "auth_codes.h"' >"$tree/cgi-bin/auth.c"
	echo 'const char *s = "INSERT INTO audit (at) VALUES (?1)";' >"$tree/lib/school/audit.c"
	touch "$tree"/{Makefile,README.md,schema.sql}
}

# plant CHECK REASON FILE TEXT: with TEXT in FILE, CHECK must fail and say REASON (a pattern).
plant() {
	local said
	good_tree
	mkdir -p "$(dirname "$tree/$3")"
	printf '%b\n' "$4" >"$tree/$3"
	said=$("$here/lint.sh" -C "$tree" "$1")
	if [ $? = 1 ] && grep -qE "$2" <<<"$said"; then
		echo "ok $1 sees it: $2"
	else
		echo "FAIL selftest: $1 misses \"$2\" in $3: $said"
		failed=1
	fi
}

# plant_document CHECK REASON CHANGE: with that change of the build's own reference, a Python statement about d, CHECK must fail.
plant_document() {
	local said
	good_tree
	python3 - "$here/../../build/share/openapi.json" "$tree/build/share/openapi.json" "$3" <<-'END' || failed=1
		import json, sys
		d = json.load(open(sys.argv[1]))
		exec(sys.argv[3])
		json.dump(d, open(sys.argv[2], "w"))
	END
	said=$("$here/lint.sh" -C "$tree" "$1")
	if [ $? = 1 ] && grep -qE "$2" <<<"$said"; then
		echo "ok $1 sees it: $2"
	else
		echo "FAIL selftest: $1 misses \"$2\" in: $3: $said"
		failed=1
	fi
}

good_tree
for check in top layers owners wrapped banned headers documented sizes format suppressions cppcheck analyzer shell python tests packages; do
	"$here/lint.sh" -C "$tree" "$check" >"$work/said" || { echo "FAIL selftest: a good tree: $(cat "$work/said")"; failed=1; }
done

plant top 'notes.txt does not belong' notes.txt 'buy milk'
plant top 'src does not belong' src/a.c ''
plant layers 'text.h: includes db.h of lib/store, which is not below lib/base' lib/base/text.h '#include "db.h"'
plant layers 'db.h: includes response.h of lib/web' lib/store/db.h '#  include <response.h>'
plant layers 'user.h: includes response.h of lib/web, which is not below lib/school' lib/school/user.h '#include "response.h"'
plant layers 'response.h: includes user.h of lib/school' lib/web/response.h '#include "user.h"'
plant layers 'includes ../web/response.h by a path' lib/base/text.h '#include "../web/response.h"'
plant layers 'circle: (arena|text)' lib/base/arena.h '#include "text.h"'
plant layers 'includes okulctl.h, which is not of lib' lib/web/response.c '#include "okulctl.h"'
plant layers 'auth.c: includes okulctl.h of bin' cgi-bin/auth.c '#include "okulctl.h"'
plant layers 'users.c: includes auth_codes.h of another group' cgi-bin/users.c '#include "auth_codes.h"'
plant layers 'db.h: includes engine.h of lib/store/sqlite' lib/store/db.h '#include "engine.h"'
plant owners 'key.c: changes rows of users, which is for a module of lib/school' bin/key.c 'const char *s = "DELETE FROM users";'
plant owners 'auth.c: changes rows of audit, which lib/school/audit owns' cgi-bin/auth.c 'const char *s = "DELETE FROM audit";'
plant owners 'user.c: changes rows of audit, which lib/school/audit owns' lib/school/user.c 'const char *s = "UPDATE audit SET at = 1";'
plant wrapped 'text.c: includes sqlite3.h outside of lib/store/sqlite/' lib/base/text.c '#include <sqlite3.h>'
plant wrapped 'text.c:1: a word of one engine' lib/base/text.c 'const char *s = "PRAGMA optimize";'
plant wrapped 'includes curl.h beside mail_smtp.c and libcurl.h' bin/okulctl.h '#include <curl/curl.h>'
plant banned 'lib/store/sqlite/copy.c:2: strcpy' lib/store/sqlite/copy.c '/* strcat(a) */ const char *s = "gets(x)";\nvoid f(char *a) { strcpy(a, s); }'
plant banned 'cgi-bin/auth.c:1: free' cgi-bin/auth.c 'void f(void *p) { free(p); }'
plant headers 'unknown type name .bool' lib/base/text.h 'bool f(void);'
plant documented 'text.h:3: int f' lib/base/text.h '#include "base.h"\n\nint f(void);'
plant format 'text.c:2: run make format' lib/base/text.c 'int i;\nint  j;'
plant sizes 'text.c:3: a function of 61 lines' lib/base/text.c "int\nf(void)\n{\n$(printf '\\tg();\\n%.0s' {1..61})}"
plant sizes 'text.c: more than 700 lines' lib/base/text.c "$(printf 'int i;\\n%.0s' {1..701})"
plant suppressions 'no reason given' lib/store/sqlite/copy.c 'int a; // cppcheck-suppress unusedVariable'
plant suppressions '6 silenced warnings' lib/store/sqlite/copy.c "$(for i in 1 2 3 4 5 6; do echo "int a$i; // NOLINT - it is $i"; done)"
plant cppcheck 'out of bounds' lib/store/sqlite/copy.c 'int f(void) { int a[2] = { 1, 2 }; return a[2]; }'
plant analyzer 'double-.free' lib/store/sqlite/copy.c '#include <stdlib.h>\nvoid f(void *p) { free(p); free(p); }'
plant analyzer 'leak of .p' lib/store/sqlite/copy.c '#include <stdlib.h>\nint f(int n) { char *p = malloc(9); if (!p) return 0; *p = n; return *p; }'
plant shell 'SC2086' conf/do.sh "#!/bin/sh\nrm \$1"
plant shell 'SC2154' tests/do "#!/usr/bin/env bash\necho \"\$nothing\""
plant python 'undefined name .b' tests/a.py 'a = b'
plant python 'invalid syntax|syntax error' tests/run '#!/usr/bin/python3\nif:'
plant tests 'misc.c is named for no module' tests/unit/misc.c ''
plant tests 'a.py:1:from a import b .what test files share' tests/api/a.py 'from a import b'
plant example 'not built' conf/okul.conf.example ''
plant groups 'not there' README.md ''
plant groups 'lacks: . news . ./notes...' build/obj/routes 'program\nnews\tGET\t/notes\tpublic\t200\t-\t-\t-\tAll'
plant packages 'conf/a.sh:1:npx --yes' conf/a.sh 'npx --yes b@1'
plant packages '"a": "\^1' tests/lint/package.json '{"dependencies":{\n"a": "^1"}}'
plant packages 'is missing' tests/lint/package.json '{}'
plant packages 'a/package.json:1:"a": "~1' tests/bench/peers/a/package.json '"a": "~1"'
plant openapi 'security-defined' build/share/openapi.json '{"openapi":"3.1.0","info":{"title":"a","version":"1",
"license":{"name":"a","identifier":"MIT"}},"servers":[{"url":"/"}],"paths":{"/a":{"get":{"operationId":"a","summary":"a",
"responses":{"200":{"description":"a"},"400":{"description":"a"}}}}}}'
plant_document openapi 'not OpenAPI 3.1' 'd["paths"]["/me"]["get"]["parameters"][0] = {"name": "a"}'
plant_document clients "is possibly .undefined" 'd["components"]["schemas"]["UserProfileResponse"]["required"].remove("data")'
plant_document clients 'orval makes [0-9]+ enumerations' '
schemas = d["components"]["schemas"]
for shape in list(schemas.values()):
    for name, field in shape.get("properties", {}).items():
        named = schemas.get(str(next(iter(field.values()), "")).rpartition("/")[2], {})
        if "enum" in named: shape["properties"][name] = named'
plant clients '\(a cast\)' tests/lint/clients/fetch.ts 'const a = b as C;'
plant clients '\(a cast\)' tests/lint/clients/orval.ts 'const a = b!.c;'
exit $failed
