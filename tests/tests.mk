# The tests, included by the Makefile.
#
#   tests/static/test_*.{py,sh} rules about the sources and the built library
#   tests/unit/test_*.c       programs linked with the core and Check
#   tests/e2e/test_*.{py,sh}  executables that look at the real library from outside
#   tests/e2e/prog_*.{c,cc}   what those run under the shim: built plainly, never linked with closeguard
#   tests/e2e/lib_*.{c,cc}    shared libraries that those load
#   tests/faults/             programs, and what lets system calls of the library fail in them
#   tests/storm/              everything at once, for a long time
#   tests/healthy/            daemons and pooled clients that are well
#   tests/html/               pages of reports: documents to make them of, a browser to look at them
#
# An e2e source may hold one comment line "build flags: ..." with flags of its own (-D_FORTIFY_SOURCE=2, -static).
# All print "ok NAME", "not ok NAME: why" or "skip NAME: why", which tests/run counts.

.PHONY: accuracy check check-apps check-healthy check-distros check-policy check-sanitized bench fuzz fuzz-run asan \
	tsan lint lint-build test-programs compatibility coverage coverage-run

TESTS_OUT = $(BUILD)/tests
RUN = tests/run --build $(BUILD)

STATIC_TESTS = $(wildcard tests/static/test_*.py tests/static/test_*.sh)
UNIT_PROGRAMS = $(patsubst tests/unit/%.c,$(TESTS_OUT)/unit/%,$(wildcard tests/unit/test_*.c))
E2E_TESTS = $(wildcard tests/e2e/test_*.py tests/e2e/test_*.sh)
E2E_PROGRAMS = $(patsubst tests/%.c,$(TESTS_OUT)/%,$(wildcard tests/e2e/prog_*.c)) \
	$(patsubst tests/%.cc,$(TESTS_OUT)/%,$(wildcard tests/e2e/prog_*.cc)) \
	$(patsubst tests/%.c,$(TESTS_OUT)/%.so,$(wildcard tests/e2e/lib_*.c)) \
	$(patsubst tests/%.cc,$(TESTS_OUT)/%.so,$(wildcard tests/e2e/lib_*.cc))
BENCH_PROGRAMS = $(patsubst tests/%.c,$(TESTS_OUT)/%,$(wildcard tests/bench/*.c))
FUZZERS = $(patsubst tests/%.c,$(TESTS_OUT)/%,$(wildcard tests/fuzz/fuzz_*.c))

# Makes pages from any document, as `closeguard report --format html` does from what it finds.
MAKE_PAGE = $(TESTS_OUT)/html/make_page

# Programs under fault injection, and what injects.
FAULTS = $(wildcard tests/faults/faults.py)
FAULT_PROGRAMS = $(patsubst tests/%.c,$(TESTS_OUT)/%,$(wildcard tests/faults/*.c))

STORM = $(wildcard tests/storm/storm.py)
STORM_PROGRAMS = $(addprefix $(TESTS_OUT)/storm/,storm lib_storm.so)

test-programs: $(UNIT_PROGRAMS) $(E2E_PROGRAMS) $(FAULT_PROGRAMS) $(STORM_PROGRAMS) $(MAKE_PAGE)

# A source says by what it includes which libraries it is linked with.
HEADER_LIBS = curl/curl.h:-lcurl jansson.h:-ljansson libconfig.h:-lconfig openssl/:-lssl:-lcrypto
parts = $(subst :, ,$(1))
libs_of = $(foreach entry,$(HEADER_LIBS),$(if $(shell grep -l '^#include <$(firstword $(call parts,$(entry)))' $(1)),\
	$(wordlist 2,9,$(call parts,$(entry)))))
flags_of = $(shell sed -n 's/^.*build flags: *//; T; s/ *\*\/ *$$//; p' $(1))

# What is called test_policy* or fuzz_policy* reads policies with the annex's own objects.
parser_of = $(if $(filter test_policy% fuzz_policy%,$(1)),$(ANNEX_CONFIG_OBJ))
parser_libs = $(if $(call parser_of,$(1)),-lconfig)
$(filter $(TESTS_OUT)/unit/test_policy% $(TESTS_OUT)/fuzz/fuzz_policy%,$(UNIT_PROGRAMS) $(FUZZERS)): $(ANNEX_CONFIG_OBJ)

# What is called test_cli_* has the command's own objects, but for its main.
command_of = $(if $(filter test_cli_%,$(1)),$(filter-out %/main.c.o,$(CLI_OBJ)) $(ANNEX_CONFIG_OBJ))
command_libs = $(if $(filter test_cli_%,$(1)),$(CLI_LIBS))
$(filter $(TESTS_OUT)/unit/test_cli_%,$(UNIT_PROGRAMS)): $(CLI_OBJ) $(ANNEX_CONFIG_OBJ)

$(UNIT_PROGRAMS): $(TESTS_OUT)/unit/%: $(BUILD)/obj/tests/unit/%.c.o $(CORE)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -o $@ $< $(call parser_of,$*) $(call command_of,$*) $(CORE) $(LDFLAGS_ALL) `pkg-config --libs check` \
		$(call libs_of,tests/unit/$*.c) $(call parser_libs,$*) $(call command_libs,$*) -ldl -lm

$(MAKE_PAGE): $(call obj,tests/html/make_page.c cli/report_html.c $(PAGE))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(LDFLAGS_ALL) -ljansson

# -D_GNU_SOURCE= is what "#define _GNU_SOURCE" says, so a source may also say it itself; g++ does by itself.
PLAIN_CC = $(CC) -D_GNU_SOURCE=
PLAIN_CXX = $(CXX)
plain_build = mkdir -p $(@D) && $(1) -Ishim -O2 -g -Wall -pthread -MMD -MP $(call flags_of,$<) -o $@ $< \
	$(call libs_of,$<) -ldl

$(TESTS_OUT)/%: tests/%.c $(BUILD)/flags
	$(call say,PROG,$@)
	$(Q)$(call plain_build,$(PLAIN_CC))

$(TESTS_OUT)/%: tests/%.cc $(BUILD)/flags
	$(call say,PROG,$@)
	$(Q)$(call plain_build,$(PLAIN_CXX))

$(TESTS_OUT)/%.so: tests/%.c $(BUILD)/flags
	$(call say,PROG,$@)
	$(Q)$(call plain_build,$(PLAIN_CC) -shared -fPIC)

$(TESTS_OUT)/%.so: tests/%.cc $(BUILD)/flags
	$(call say,PROG,$@)
	$(Q)$(call plain_build,$(PLAIN_CXX) -shared -fPIC)

-include $(patsubst tests/unit/%.c,$(BUILD)/obj/tests/unit/%.c.d,$(wildcard tests/unit/test_*.c))
-include $(wildcard $(TESTS_OUT)/e2e/*.d $(TESTS_OUT)/bench/*.d $(TESTS_OUT)/faults/*.d $(TESTS_OUT)/storm/*.d)

APPS = $(wildcard tests/apps.sh)
HEALTHY = tests/healthy/run.py
check: all test-programs
	$(Q)$(RUN) $(if $(BUDGET),--budget $(BUDGET)) $(STATIC_TESTS) $(UNIT_PROGRAMS) $(E2E_TESTS) \
		--timeout 600 $(FAULTS) $(STORM) $(if $(APPS),'$(APPS) quick')

check-apps: all test-programs
	$(Q)$(RUN) --timeout 3600 $(or $(APPS),tests/apps.sh) tests/suites/run.py

# Daemons and pooled clients that are well, for three minutes side by side. `make deps check-healthy` installs them.
check-healthy: all
	$(Q)$(RUN) --timeout 900 $(HEALTHY)

# How often the findings are right, as a document: programs with a fault and healthy ones, and the model test.
accuracy: all test-programs
	$(Q)CLOSEGUARD_TEST_BUILD=$(abspath $(BUILD)) tests/accuracy.py docs/accuracy.md

# The same suites, with versions and results as a document.
compatibility: all
	$(Q)CLOSEGUARD_TEST_BUILD=$(abspath $(BUILD)) tests/suites/run.py --document docs/compatibility.md

# What make release built, in other releases of Debian. Their root folders stay in build-roots/.
check-distros:
	$(Q)$(RUN) --timeout 3600 'tests/distros/check.sh $(BUILD)/release'

# Every system call of the library fails in turn with every error that it can have; a sample of it is in check.
.PHONY: faults
faults: all $(FAULT_PROGRAMS)
	$(Q)$(RUN) -j 1 --timeout 10000 \
		$(foreach workload,$(shell $(FAULTS) --list),'$(FAULTS) --whole --jobs 4 $(workload)')

# Threads that load, throw, allocate, connect, fork and execute while signals come, for STORM_SECONDS. A short
# one is in check.
STORM_SECONDS ?= 600
.PHONY: storm
storm: all $(STORM_PROGRAMS)
	$(Q)$(RUN) --timeout $$(($(STORM_SECONDS) + 400)) '$(STORM) $(STORM_SECONDS)'

# The policies' tests with 1,000 responses for each kind of server that drains.
check-policy: all test-programs
	$(Q)TEST_ROUNDS=1000 CLOSEGUARD_TEST_OPERATIONS=10000000 $(RUN) --timeout 1800 \
		$(wildcard tests/e2e/test_policy_*.py) tests/e2e/test_reap_storm.py

BENCH = $(firstword $(wildcard tests/bench/run.py tests/bench/run.sh))
bench: all $(BENCH_PROGRAMS)
	$(if $(BENCH),$(Q)CLOSEGUARD_TEST_BUILD=$(abspath $(BUILD)) $(BENCH) $(ARGS),\
		@echo 'bench: there are no benchmarks in tests/bench')

# Sanitizers. Unit tests are instrumented throughout; in e2e tests only the library is, and its runtime is preloaded
# into the plain programs before it (CLOSEGUARD_TEST_PRELOAD).
SANITIZE_asan = -fsanitize=address,undefined -fno-sanitize-recover=undefined
# TSan does not know fences (-Wno-tsan says that it is known).
SANITIZE_tsan = -fsanitize=thread -Wno-tsan
asan tsan:
	$(Q)$(MAKE) --no-print-directory BUILD=build-$@ SANITIZE='$(SANITIZE_$@)' SANITIZER=$@ check-sanitized
check-sanitized: all test-programs
	$(Q)$(RUN) --sanitize $(SANITIZER) --timeout 600 $(UNIT_PROGRAMS) $(E2E_TESTS)

# Which lines the tests run, by gcov. The tests' own results are make check's matter: with counters in it the library
# makes calls that some of them forbid.
SANITIZE_coverage = --coverage -fprofile-update=atomic
coverage:
	$(Q)$(MAKE) --no-print-directory BUILD=build-coverage CFLAGS='-O0 -g -Wno-error' \
		SANITIZE='$(SANITIZE_coverage)' coverage-run
coverage-run: all test-programs
	$(Q)find $(BUILD) -name '*.gcda' -delete
	$(Q)$(RUN) $(UNIT_PROGRAMS) $(E2E_TESTS) >$(BUILD)/tests.log || tail -n 1 $(BUILD)/tests.log
	$(Q)$(RUN) 'tests/coverage.py $(BUILD)'

# Fuzzers need clang's libFuzzer; each runs for FUZZ_SECONDS. NAME.seeds lists folders with inputs to begin with.
FUZZ_SECONDS ?= 30
SANITIZE_fuzz = -fsanitize=address,undefined,fuzzer-no-link
ifeq ($(FUZZERS),)
fuzz:
	@echo 'fuzz: there are no fuzzers in tests/fuzz'
else
fuzz:
	$(Q)$(MAKE) --no-print-directory BUILD=build-fuzz CC=clang SANITIZE='$(SANITIZE_fuzz)' fuzz-run
endif
# fuzz_log and fuzz_recorder read what the command reads, with its objects.
READERS = $(addprefix $(TESTS_OUT)/fuzz/,fuzz_log fuzz_recorder)
READERS_OBJ = $(filter-out $(call obj,cli/main.c),$(CLI_OBJ)) $(ANNEX_CONFIG_OBJ)
reader_of = $(if $(filter fuzz_log fuzz_recorder,$(1)),$(READERS_OBJ))
reader_libs = $(if $(call reader_of,$(1)),$(CLI_LIBS))
$(filter $(READERS),$(FUZZERS)): $(READERS_OBJ)
$(FUZZERS): $(TESTS_OUT)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.c.o $(CORE)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -o $@ $< $(call parser_of,$*) $(call reader_of,$*) $(CORE) $(LDFLAGS_ALL) -fsanitize=fuzzer \
		$(call libs_of,tests/fuzz/$*.c) $(call parser_libs,$*) $(call reader_libs,$*) -ldl
fuzz-run: $(FUZZERS)
	$(Q)for fuzzer in $(FUZZERS); do \
		echo "fuzz: $$fuzzer for $(FUZZ_SECONDS) s"; \
		mkdir -p $$fuzzer.corpus && $$fuzzer -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
			-artifact_prefix=$$fuzzer. $$fuzzer.corpus $(wildcard tests/fuzz/corpus) \
			$$(cat tests/fuzz/$${fuzzer##*/}.seeds 2>/dev/null) || exit 1; \
	done

lint:
	$(Q)tests/run -j 1 --timeout 3600 tests/lint.sh
# What tests/lint.sh builds with clang: everything compiled, nothing run.
lint-build: $(CORE_OBJ) $(EDGE_OBJ) $(ANNEX_DW_OBJ) $(ANNEX_CONFIG_OBJ) $(CLI_OBJ) \
	$(patsubst tests/unit/%.c,$(BUILD)/obj/tests/unit/%.c.o,$(wildcard tests/unit/test_*.c))
