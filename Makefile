# okul: `make help` prints the targets.
#
# FLAVOUR=release (default) | test (settable clock) | asan (the same under AddressSanitizer and UBSan)

SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

FLAVOUR ?= release
BUILD_release := build
BUILD_test := build/test
BUILD_asan := build/asan
B := $(BUILD_$(FLAVOUR))

# The version that schema.sql sets; programs reject databases of other versions. Files that use it depend on schema.sql.
SCHEMA_VERSION := $(shell sed -n 's/^PRAGMA user_version = \([0-9]*\);$$/\1/p' schema.sql)

CC := gcc
PKG_CONFIG ?= pkg-config
LIB_PACKAGES := fcgi libcjson sqlite3 libjwt libsodium inih libutf8proc
CTL_PACKAGES := libcurl

WARN := -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith -Wwrite-strings
ifdef CI
WARN += -Werror
endif
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LINK_HARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack
OPTIMISE_release := -O2 -g
OPTIMISE_test := -O2 -g -DOKUL_TEST
OPTIMISE_asan := -O1 -g -DOKUL_TEST -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
HARDEN_asan := -fPIE -fstack-protector-strong
comma := ,
CFLAGS := -std=gnu17 $(OPTIMISE_$(FLAVOUR)) $(WARN) $(if $(filter asan,$(FLAVOUR)),$(HARDEN_asan),$(HARDEN))
LDFLAGS := $(LINK_HARDEN) $(if $(filter asan,$(FLAVOUR)),-fsanitize=address$(comma)undefined) -Wl,--as-needed
CPPFLAGS := -D_GNU_SOURCE -DDB_SCHEMA_VERSION=$(SCHEMA_VERSION)
# Only the header of libpq is needed: lib/store/postgres loads the library.
$(B)/obj/lib/store/postgres/%.o $(B)/obj/tests/unit/dialect.o build/fuzz/obj/lib/store/postgres/%.o: CPPFLAGS += $(shell $(PKG_CONFIG) --cflags libpq)
LIB_LIBS = $(shell $(PKG_CONFIG) --libs $(LIB_PACKAGES)) -lm
CTL_LIBS = $(shell $(PKG_CONFIG) --libs $(CTL_PACKAGES))

# The layers of lib/: the include path of a file is its own folder and those below it, so that includes of other layers do not
# compile. Programs and tests may include all.
LAYERS := base store shape school web
BELOW_base :=
BELOW_store := base
BELOW_shape := base
BELOW_school := base store shape
BELOW_web := base store shape
# The database engines of the store. Only their own files and tests may include their headers.
ENGINES := store/sqlite store/postgres
BELOW_store/sqlite := store base
BELOW_store/postgres := store base
layer = $(if $(filter lib/%,$(1)),$(patsubst lib/%/,%,$(dir $(1))))
includes = $(patsubst %,-Ilib/%,$(if $(call layer,$(1)),$(call layer,$(1)) $(BELOW_$(call layer,$(1))),$(LAYERS) $(if $(filter tests/%,$(1)),$(ENGINES))))

LIB_SOURCES := $(wildcard $(patsubst %,lib/%/*.c,$(LAYERS) $(ENGINES)))
LIB := $(B)/libokul.a
CGI_SOURCES := $(wildcard cgi-bin/*.c)
GROUPS_ := $(foreach s,$(CGI_SOURCES),$(if $(findstring _,$(notdir $(s))),,$(basename $(notdir $(s)))))
PROGRAMS := $(GROUPS_:%=$(B)/%.fcgi)
# Programs in bin/: okulctl, the demo that it runs, and the generator of the reference, which only the build needs.
CTL := $(B)/okulctl
CTL_SOURCES := $(wildcard bin/*.c)
DEMO := $(B)/okul-demo
DEMO_SOURCES := bin/ctl.c $(wildcard bin/demo/*.c)
WRITER := $(B)/okul-reference
WRITER_SOURCES := bin/ctl.c $(wildcard bin/reference/*.c)

object = $(patsubst %.c,$(B)/obj/%.o,$(1))

.PHONY: build clean help
build: $(PROGRAMS) $(CTL) $(DEMO) $(B)/share/.made $(B)/obj/web-app	## compile everything into build/

$(call object,$(shell grep -l DB_SCHEMA_VERSION $(LIB_SOURCES) bin/*.c) $(wildcard tests/unit/*.c)): schema.sql

# Files that the programs read at run time. They are beside the programs, so that a build folder can be moved or installed as a
# whole.
LOCATIONS := nginx/locations.conf apache/locations.conf apache/htaccess
SHARED := schema.sql $(filter-out $(LOCATIONS:%=conf/%),$(wildcard conf/migrate/* conf/postgres/*.sql conf/postgres/migrate/* conf/mail/* conf/nginx/* conf/apache/*))
$(B)/share/.made: $(SHARED) Makefile
	@mkdir -p $(@D)
	@for f in $(SHARED); do t=$(@D)/$${f#conf/}; mkdir -p $$(dirname $$t); cp $$f $$t; done
	@touch $@

# The web app, served from share/app: the files of htdocs/ as they are, and the library that draws plots.
APP := $(shell find htdocs -type f) /usr/share/javascript/chart.js/chart.min.js
$(B)/obj/web-app: $(APP) Makefile
	@rm -rf $(B)/share/app && mkdir -p $(B)/share/app $(@D) && cp -r htdocs/. $(B)/share/app
	@cp /usr/share/javascript/chart.js/chart.min.js $(B)/share/app/lib/
	@touch $@

# The path tables of the web servers, generated from the routes of the programs.
build: $(LOCATIONS:%=$(B)/share/%)

$(B)/obj/routes: $(PROGRAMS)
	@for p in $^; do $$p --routes || exit; done >$@

$(LOCATIONS:%=$(B)/share/%): $(B)/share/%: conf/% conf/locations.awk $(B)/obj/routes
	@mkdir -p $(@D)
	@awk -f conf/locations.awk $(B)/obj/routes $< >$@

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CPPFLAGS) $(call includes,$<) $(CFLAGS) -MMD -MP -c -o $@ $<

$(call object,$(DEMO_SOURCES) $(WRITER_SOURCES)): CPPFLAGS += -Ibin

$(LIB): $(call object,$(LIB_SOURCES))
	@echo "  AR    $@"
	@rm -f $@; $(AR) rcs $@ $^

# Prepares every statement of every program on a new database: the build fails if one does not compile, or scans a table that it
# is not marked for (db_explain()).
build: $(B)/obj/checked

$(B)/obj/checked: $(PROGRAMS) $(CTL) $(DEMO) $(B)/share/.made
	@folder=$$(mktemp -d $(B)/check.XXXXXX); trap "rm -rf $$folder" EXIT; \
	unset $${!OKUL_*}; export OKUL_DATA=$$folder/data; failed=0; \
	$(CTL) migrate >$$folder/plans || { cat $$folder/plans; exit 1; }; \
	for p in $(PROGRAMS) $(CTL) $(DEMO); do \
		$$p --check >$$folder/plans && continue; \
		failed=1; echo "$$p --check fails:"; \
		awk '/^[^\t]/ { sql = $$0 "\n" } /^\t.*FULL SCAN$$|^\tFAILS/ { printf "%s%s\n", sql, $$0; sql = "" }' $$folder/plans; \
	done; \
	[ $$failed -eq 0 ] && touch $@

define program
$(B)/$(1).fcgi: $(call object,$(wildcard cgi-bin/$(1).c cgi-bin/$(1)_*.c)) $(LIB)
	@echo "  LINK  $$@"
	@$(CC) $(LDFLAGS) -o $$@ $$^ $$(LIB_LIBS)
endef
$(foreach g,$(GROUPS_),$(eval $(call program,$(g))))

$(CTL): $(call object,$(CTL_SOURCES)) $(LIB)
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIB_LIBS) $(CTL_LIBS)

$(DEMO): $(call object,$(DEMO_SOURCES)) $(LIB)
$(WRITER): $(call object,$(WRITER_SOURCES)) $(LIB)
$(DEMO) $(WRITER):
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

# Programs that tests/api needs besides okulctl.
API_HELPERS := $(B)/tests/queue_mail $(B)/tests/grade

$(API_HELPERS): $(B)/tests/%: $(B)/obj/tests/api/%.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

# ---- install: programs and shared files, where the files in conf/ expect them

PREFIX ?= /usr/local
.PHONY: install
install: build	## copy programs and share/ to PREFIX/lib/okul, and link okulctl (PREFIX=/usr/local DESTDIR=)
	@mkdir -p $(DESTDIR)$(PREFIX)/lib/okul $(DESTDIR)$(PREFIX)/bin
	@install -s -m 755 -t $(DESTDIR)$(PREFIX)/lib/okul $(PROGRAMS) $(CTL) $(DEMO)
	@rm -rf $(DESTDIR)$(PREFIX)/lib/okul/share && cp -r $(B)/share $(DESTDIR)$(PREFIX)/lib/okul/share
	@chmod -R u=rwX,go=rX $(DESTDIR)$(PREFIX)/lib/okul
	@ln -sf ../lib/okul/okulctl $(DESTDIR)$(PREFIX)/bin/okulctl

# ---- unit tests: each tests/unit/NAME.c is a program

UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))

$(UNIT): $(B)/unit/%: $(B)/obj/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LIB_LIBS)

# The first runs the programs, the second simulates a slow disk.
$(B)/unit/okulctl: | $(CTL) $(DEMO)
$(B)/unit/writer_lock: $(B)/obj/tests/bench/slow_fsync.o

# A release build has no settable clock, so it is not tested. TESTS selects tests: names of files in tests/unit, or their paths.
.PHONY: unit
ifeq ($(FLAVOUR),release)
unit:	## run the unit tests (TESTS="otp mail" picks some)
	@$(MAKE) --no-print-directory FLAVOUR=test unit
else
# Other targets use TESTS in another way.
UNIT_NAMED := $(if $(filter unit,$(MAKECMDGOALS)),$(patsubst tests/unit/%.c,%,$(TESTS)))
unit: $(if $(UNIT_NAMED),$(UNIT_NAMED:%=$(B)/unit/%),$(UNIT))
	@passed=0; failed=0; \
	for t in $^; do \
		out=$$(CMOCKA_MESSAGE_OUTPUT=TAP $$t 2>&1); code=$$?; \
		good=$$(grep -c '^ok' <<<"$$out"); bad=$$(grep -c '^not ok' <<<"$$out"); \
		[ $$code -eq 0 ] || { echo "$$t:"; grep -v '^ok' <<<"$$out"; [ $$bad -gt 0 ] || bad=1; }; \
		passed=$$((passed + good)); failed=$$((failed + bad)); \
	done; \
	echo "unit: $$passed passed, $$failed failed"; [ $$failed -eq 0 ]
endif

# ---- fuzzing: each tests/fuzz/NAME.c is a libFuzzer target; its seed corpus is tests/fuzz/corpus/NAME

FUZZ_SECONDS ?= 10
FUZZ_CC := clang
FUZZ_B := build/fuzz
# In tables of statements, clang mistakes a string over two lines for a missing comma.
FUZZ_FLAGS := -std=gnu17 -O1 -g $(WARN) -Wno-string-concatenation -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ := $(patsubst tests/fuzz/%.c,$(FUZZ_B)/%,$(wildcard tests/fuzz/*.c))

$(FUZZ_B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(CPPFLAGS) $(call includes,$<) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_B)/libokul.a: $(LIB_SOURCES:%.c=$(FUZZ_B)/obj/%.o)
	@rm -f $@; $(AR) rcs $@ $^

$(FUZZ): $(FUZZ_B)/%: $(FUZZ_B)/obj/tests/fuzz/%.o $(FUZZ_B)/libokul.a
	@$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ -Wl,--as-needed $(LIB_LIBS)

# New inputs are kept in build/fuzz/found/NAME, from which the next run continues.
.PHONY: fuzz fuzz-run setup-fuzz
setup-fuzz:
	@conf/setup.sh build fuzz

fuzz: setup-fuzz	## run each fuzz target for FUZZ_SECONDS (10)
	@$(MAKE) --no-print-directory -j$$(nproc) fuzz-run

fuzz-run: $(FUZZ)
	@passed=0; failed=0; \
	for t in $^; do \
		name=$${t##*/}; found=$(FUZZ_B)/found/$$name; mkdir -p $$found; \
		if out=$$($$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 \
			-artifact_prefix=$(FUZZ_B)/$$name- $$found tests/fuzz/corpus/$$name 2>&1); then \
			passed=$$((passed + 1)); \
			echo "$$name: $$(sed -n 's/^stat::number_of_executed_units: *//p' <<<"$$out") inputs, no finding"; \
		else \
			failed=$$((failed + 1)); echo "$$name: FOUND"; tail -n 60 <<<"$$out"; \
		fi; \
	done; \
	echo "fuzz: $$passed passed, $$failed failed"; [ $$failed -eq 0 ]

-include $(shell find $(FUZZ_B)/obj -name '*.d' 2>/dev/null)

# ---- benchmarks, run manually on an idle machine; tests/bench/README.md has the results

.PHONY: bench
bench: $(BUILD_release)/bench/echo	## measure the cost of a request, compared with nginx alone and a bare FastCGI echo
	@conf/setup.sh build run bench
	@$(MAKE) --no-print-directory -j$$(nproc) FLAVOUR=release build
	@tests/bench/bench.py $(BENCH)

# As root in network namespaces, else on addresses of 127.0.2.0/24; seven minutes. CLUSTER has options of tests/cluster/run.py.
.PHONY: cluster
cluster:	## several machines: writers while the primary database and an application machine are killed and cut off
	@conf/setup.sh build run cluster
	@$(MAKE) --no-print-directory -j$$(nproc) FLAVOUR=release build
	@PYTHONDONTWRITEBYTECODE=1 tests/cluster/run.py $(CLUSTER)

.PHONY: corpus
corpus:	## make some hundred files with real encoders, and check that each is accepted (installs 1 GB of encoders)
	@conf/setup.sh build run test corpus
	@$(MAKE) --no-print-directory -j$$(nproc) FLAVOUR=test build
	@tests/bench/files.py

$(BUILD_release)/bench/echo: tests/bench/echo.c
	@mkdir -p $(@D)
	@$(CC) -O2 -o $@ $< -lfcgi

# Benchmark of the writer lock, run by tests/bench/writers.sh.

$(B)/bench/writers: $(B)/obj/tests/bench/writers.o $(LIB)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(B)/bench/slow_fsync.so: tests/bench/slow_fsync.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -D_GNU_SOURCE -fPIC -shared -o $@ $<

# ---- run and setup
PORT ?= 8080
DATA ?= var
LIMITS ?= on
DEVELOPMENT = OKUL_ENV=development OKUL_MAIL_TRANSPORT=file OKUL_LIMITS=$(LIMITS) OKUL_DELIVERY=x-accel \
	OKUL_BASE_URL=http://127.0.0.1:$(PORT)

.PHONY: run setup-run setup-test
setup-run:	## install the missing Debian packages that run needs
	@conf/setup.sh build run

setup-test:	## install the missing Debian packages that test needs
	@conf/setup.sh build run test

# The build is a separate make, since the libraries are installed only after setup-run.
run: setup-run	## build, then serve on 127.0.0.1:PORT until Ctrl-C (PORT=8080 DATA=var LIMITS=on)
	@$(MAKE) --no-print-directory -j$$(nproc) build
	@env $(DEVELOPMENT) $(CTL) -d "$(DATA)" migrate
	@exec env $(DEVELOPMENT) $(CTL) -d "$(DATA)" serve --port $(PORT)

# ---- API tests: through a real web server, on a real database file. A release build has no settable clock, so it is not tested.
# TESTS has arguments of pytest: files, FILE::TEST, options. Without a file, the options apply to all files.

# With DATABASE=postgres, a server of its own starts, and ends with the run.
DATABASE ?= sqlite

.PHONY: api check test
ifeq ($(FLAVOUR),release)
api:	## run the API tests (FLAVOUR=test or asan; DATABASE=sqlite or postgres; TESTS="tests/api/courses.py -k word" picks some)
	@$(MAKE) --no-print-directory FLAVOUR=test api
else
api: build $(API_HELPERS)
	@OKUL_BUILD=$(B) OKUL_TEST_DATABASE=$(DATABASE) PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -c tests/api/pytest.ini $(if $(findstring tests/,$(TESTS)),,tests/api) $(TESTS)
endif

.PHONY: s3-kills
s3-kills: build $(API_HELPERS)	## uploads to S3 while workers are killed 200 times (FLAVOUR=test or asan)
	@OKUL_KILL_ROUNDS=200 OKUL_BUILD=$(B) PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -rP -c tests/api/pytest.ini tests/api/s3.py -k killed

# The web app in Debian's Chromium, through nginx; screenshots are in build/web. TESTS has files of tests/web.
WEB_TESTS = $(if $(filter tests/web/%,$(TESTS)),$(filter tests/web/%,$(TESTS)),$(wildcard tests/web/*.test.js))
.PHONY: web setup-web
setup-web:
	@conf/setup.sh build run web $$(command -v npm >/dev/null || echo node)

ifeq ($(FLAVOUR),release)
web: setup-web	## run the tests of the web app in a browser (TESTS="tests/web/login.test.js" picks some)
	@$(MAKE) --no-print-directory -j$$(nproc) FLAVOUR=test web
else
web: build tests/web/node_modules/.locked
	@OKUL_BUILD=$(B) node --test --test-concurrency=1 --test-reporter=./tests/web/reporter.js $(WEB_TESTS)
endif

tests/web/node_modules/.locked: tests/web/package-lock.json
	@cd tests/web && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

check: setup-test	## in about a minute: the unit tests, and a valid request and one without token for every route
	@status=0; part() { $(MAKE) --no-print-directory -j$$(nproc) FLAVOUR=test "$$@" || status=1; }; \
	part unit TESTS=; part api TESTS="tests/api/rights.py -m quick"; exit $$status

.PHONY: replay
REQUESTS ?= 10000
replay:	## send the same requests to both engines, and compare the responses (REQUESTS=10000)
	@OKUL_REPLAY=$(REQUESTS) $(MAKE) --no-print-directory FLAVOUR=test DATABASE=postgres TESTS="tests/api/replay.py -s" api

# The clock of a test build can be set, so that the responses are those of one moment. MOVED has options of tests/bench/moved.py.
.PHONY: moved
moved:	## move a school of 1,000,000 results to PostgreSQL and back: the same responses, memory, times (MOVED="--results 20000")
	@conf/setup.sh build run test
	@$(MAKE) --no-print-directory -j$$(nproc) FLAVOUR=test build
	@OKUL_BUILD=$(BUILD_test) PYTHONDONTWRITEBYTECODE=1 tests/bench/moved.py $(MOVED)

# Both engines side by side: schemas, statements, counts, functions, answers, rights.
.PHONY: portable
portable: setup-test	## compare SQLite and PostgreSQL: schemas, statements and their answers, triggers, rights
	@$(MAKE) --no-print-directory -j$$(nproc) build
	@OKUL_BUILD=$(B) PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -c tests/portable/pytest.ini $(if $(findstring tests/,$(TESTS)),,tests/portable) $(TESTS)

# Every part runs, even after a failure; tests/count stores the numbers of tests for .ci/run. The API tests mostly wait for the
# server, so those on PostgreSQL, which take longest, run beside the others.
test: setup-test setup-web	## run all tests, without and with AddressSanitizer and UBSan, the API on both engines
	@status=0; part() { tests/count $$1-$$2-$$3 $(MAKE) --no-print-directory -j$$(nproc) FLAVOUR=$$2 DATABASE=$$3 TESTS= $$1; }; \
	part unit test sqlite || status=1; part unit asan sqlite || status=1; part portable test both || status=1; \
	part api test postgres >build/api-postgres.log 2>&1 & postgres=$$!; \
	part api asan sqlite || status=1; part api test sqlite || status=1; part web test sqlite || status=1; \
	wait $$postgres || status=1; cat build/api-postgres.log; exit $$status

# ---- reference: the OpenAPI output of the programs, joined into one document and one page

REFERENCE := $(B)/share/openapi.json $(B)/share/docs.html
# The reference for api_v1 = off in okul.conf.
REFERENCE_UNIFIED := $(B)/share/openapi-unified.json $(B)/share/docs-unified.html
REFERENCE_PARTS := $(GROUPS_:%=$(B)/obj/openapi/%.json)

build: $(REFERENCE) $(REFERENCE_UNIFIED)

$(B)/obj/openapi/%.json: $(B)/%.fcgi
	@mkdir -p $(@D)
	@$< --openapi >$@

$(REFERENCE) &: $(WRITER) conf/docs.html $(REFERENCE_PARTS)
	@mkdir -p $(B)/share
	@echo "  DOCS  $(REFERENCE)"
	@$(WRITER) $(REFERENCE) conf/docs.html $(REFERENCE_PARTS)

$(REFERENCE_UNIFIED) &: $(WRITER) conf/docs.html $(REFERENCE_PARTS)
	@mkdir -p $(B)/share
	@$(WRITER) --without /api/v1/ $(REFERENCE_UNIFIED) conf/docs.html $(REFERENCE_PARTS)

# ---- lint: checks that the compiler does not have

.PHONY: lint setup-lint format
setup-lint:	## install the missing Debian packages that lint needs
	@conf/setup.sh build run lint $$(command -v npm >/dev/null || echo node)

lint: setup-lint	## check layers, banned functions, headers, scripts, the reference, and the checks themselves
	@$(MAKE) --no-print-directory FLAVOUR=release build
	@tests/lint/selftest.sh && tests/lint/lint.sh

format:	## lay out the C files as .clang-format says
	@conf/setup.sh lint
	@git ls-files 'lib/*.c' 'bin/*.c' 'cgi-bin/*.c' | xargs clang-format -i

clean:	## remove build/
	rm -rf build

help:	## print this
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
