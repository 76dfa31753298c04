# closeguard. Start with: make deps demo
#
# Targets that people and CI rely on: all, deps, demo, check, check-apps, check-distros, check-policy, coverage, bench,
# check-healthy, fuzz, asan, tsan, lint, aarch64, release, install, faults, storm.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
CFLAGS ?= -O2 -g
SANITIZE ?=
V ?= 0
ifeq ($(V),0)
Q = @
say = @printf '  %-7s %s\n' $(1) $(2)
endif

# On a machine where `make deps` is only about to install the compiler, the kernel has to answer.
ARCH := $(or $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1),$(shell uname -m))

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror
CPPFLAGS_ALL = -D_GNU_SOURCE -Ishim -Ipolicy $(CPPFLAGS)
# -fexceptions: a cancelled thread is unwound through our wrappers. Frame pointers: the fallback walks them.
CFLAGS_ALL = -std=gnu11 $(WARN) -fPIC -fvisibility=hidden -fexceptions -fno-omit-frame-pointer -fno-plt \
	-ftls-model=initial-exec -pthread $(CFLAGS) $(SANITIZE)
LDFLAGS_ALL = -pthread $(LDFLAGS) $(SANITIZE)
# now: no lazy binding inside somebody's signal handler. nodelete: our thread and atfork handlers outlive a dlclose.
SHARED = -shared -Wl,--as-needed -Wl,--no-undefined -Wl,-z,now -Wl,-z,relro -Wl,-z,text
SHARED_SHIM = $(SHARED) -Wl,-z,nodelete -Wl,--sort-section=name

LIB = $(BUILD)/libcloseguard.so
ANNEX_DW = $(BUILD)/libcloseguard-dw.so
ANNEX_CONFIG = $(BUILD)/libcloseguard-config.so
# Read by the library, where it stands beside it.
SUPPRESSIONS = $(BUILD)/libcloseguard-suppressions.cfg
ANNEXES = $(if $(SHIM_ANNEX),$(ANNEX_DW)) $(if $(POLICY_ANNEX),$(ANNEX_CONFIG))
COMMAND = $(BUILD)/closeguard

# What only makes sense inside the preloaded library; the unit tests link everything else.
SHIM_EDGE = $(wildcard shim/wrap_*.c shim/shim.c shim/bytes.c)
SHIM_ANNEX = $(wildcard shim/annex_*.c)
# The only user of libconfig; everything else in policy/ is part of the core.
POLICY_ANNEX = $(wildcard policy/parse*.c)
POLICY_CORE = $(filter-out $(POLICY_ANNEX),$(wildcard policy/*.c))
SHIM_CORE = $(filter-out $(SHIM_EDGE) $(SHIM_ANNEX),$(wildcard shim/*.c)) $(POLICY_CORE)
SHIM_ARCH = $(wildcard shim/*_$(ARCH).S)
# The page of `report --format html`, which pack.sh puts together.
PAGE = $(BUILD)/report_page.c
CLI_SRC = $(wildcard cli/*.c) $(PAGE)

obj = $(patsubst %,$(BUILD)/obj/%.o,$(1))
CORE_OBJ = $(call obj,$(SHIM_CORE))
EDGE_OBJ = $(call obj,$(SHIM_EDGE) $(SHIM_ARCH))
ANNEX_DW_OBJ = $(call obj,$(SHIM_ANNEX))
ANNEX_CONFIG_OBJ = $(call obj,$(POLICY_ANNEX))
POLICY_CORE_OBJ = $(call obj,$(POLICY_CORE))
CLI_OBJ = $(call obj,$(CLI_SRC))
CORE = $(BUILD)/libcore.a

.PHONY: all deps demo aarch64 aarch64-build install release clean
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

all: $(LIB) $(ANNEXES) $(COMMAND) $(SUPPRESSIONS)

$(SUPPRESSIONS): shim/suppressions.cfg
	$(Q)mkdir -p $(@D) && cp $< $@

# What to install follows from what else was asked for: the demo needs no JVM. DEPS="build demo test lint" overrides.
DEPS_WANTED = $(filter-out deps,$(MAKECMDGOALS))
DEPS ?= build demo $(if $(DEPS_WANTED),$(if $(filter-out all demo install lint aarch64,$(DEPS_WANTED)),test),test) \
	$(filter lint,$(DEPS_WANTED)) $(if $(filter check-healthy accuracy,$(DEPS_WANTED)),healthy)
deps:
	$(Q)CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)' tests/deps.sh $(DEPS)

# Rebuild when the flags change: this file's content is the flags. And `make -j deps check` builds nothing before deps
# is done.
FLAGS_NOW = $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(SHARED_SHIM)
$(BUILD)/flags: FORCE | $(filter deps,$(MAKECMDGOALS))
	$(Q)mkdir -p $(BUILD)
	$(Q)echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/obj/%.c.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Its checking functions are glibc's alone, and the library has to load beside musl.
$(CORE_OBJ) $(EDGE_OBJ): private CFLAGS_ALL += -U_FORTIFY_SOURCE -Wp,-U_FORTIFY_SOURCE

$(BUILD)/obj/%.S.o: %.S $(BUILD)/flags
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(CORE): $(CORE_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

# The exported symbols are the table's and nothing else.
$(BUILD)/exports.map: shim/exports.map.in shim/calls.def $(BUILD)/flags
	$(call say,GEN,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) -x c -E -P -DCG_NAMES_ONLY $< | sed 's/ *@ *//g' > $@

$(LIB): $(CORE_OBJ) $(EDGE_OBJ) $(BUILD)/exports.map
	$(call say,LD,$@)
	$(Q)$(CC) $(SHARED_SHIM) -Wl,-soname,$(@F) -Wl,--version-script=$(BUILD)/exports.map -o $@ \
		$(CORE_OBJ) $(EDGE_OBJ) $(LDFLAGS_ALL) -ldl

$(ANNEX_DW): $(ANNEX_DW_OBJ) $(call obj,shim/clock.c)
	$(call say,LD,$@)
	$(Q)$(CC) $(SHARED) -Wl,-soname,$(@F) -o $@ $^ $(LDFLAGS_ALL) -ldw -lelf -ldl

# It lives in a namespace of its own and cannot call the core there: it brings the policy's part of it along. Nor does a
# sanitizer's runtime follow it there, so that its own build of it is without.
ANNEX_CONFIG_OWN = $(if $(SANITIZE),$(patsubst %,$(BUILD)/plain/%.o,$(POLICY_ANNEX) $(POLICY_CORE)),\
	$(ANNEX_CONFIG_OBJ) $(POLICY_CORE_OBJ))
$(ANNEX_CONFIG): $(ANNEX_CONFIG_OWN)
	$(call say,LD,$@)
	$(Q)$(CC) $(SHARED) -Wl,-soname,$(@F) -o $@ $^ $(filter-out $(SANITIZE),$(LDFLAGS_ALL)) $(CONFIG_LIBS)

$(BUILD)/plain/%.c.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(filter-out $(SANITIZE),$(CFLAGS_ALL)) -MMD -MP -c -o $@ $<
-include $(patsubst %.o,%.d,$(filter $(BUILD)/plain/%,$(ANNEX_CONFIG_OWN)))

$(PAGE): $(wildcard cli/html/*) $(BUILD)/flags
	$(call say,GEN,$@)
	$(Q)cli/html/pack.sh > $@

# What parses policies; make release puts it into what needs it.
CONFIG_LIBS ?= -lconfig

# What the command needs beside the core; none of it comes into a watched process. `check` parses as the library does.
CLI_LIBS = -ljansson -lz -lncursesw $(if $(POLICY_ANNEX),$(CONFIG_LIBS))
$(COMMAND): $(CLI_OBJ) $(ANNEX_CONFIG_OBJ) $(CORE)
	$(call say,LD,$@)
	$(Q)$(CC) -Wl,--as-needed -o $@ $(CLI_OBJ) $(ANNEX_CONFIG_OBJ) $(CORE) $(LDFLAGS_ALL) $(CLI_LIBS) -ldl

-include $(patsubst %.o,%.d,$(CORE_OBJ) $(EDGE_OBJ) $(ANNEX_DW_OBJ) $(ANNEX_CONFIG_OBJ) $(CLI_OBJ))

# The annexes stand beside the library: that is where it looks for them.
TO = $(DESTDIR)$(PREFIX)
install: all
	install -d $(TO)/bin $(TO)/lib $(TO)/include $(TO)/share/closeguard/policies
	install -m 755 $(COMMAND) $(TO)/bin
	install -m 644 $(LIB) $(ANNEXES) $(SUPPRESSIONS) $(TO)/lib
	install -D -m 644 completion/closeguard.bash $(TO)/share/bash-completion/completions/closeguard
	install -D -m 644 completion/_closeguard $(TO)/share/zsh/site-functions/_closeguard
	$(if $(wildcard shim/closeguard.h),install -m 644 shim/closeguard.h $(TO)/include)
	install -m 644 shim/closeguard.supp $(TO)/share/closeguard
	$(if $(wildcard policy/*.cfg),install -m 644 $(wildcard policy/*.cfg) $(TO)/share/closeguard/policies)
	$(foreach page,$(wildcard man/*.[1-8]),install -D -m 644 $(page) \
		$(TO)/share/man/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page)) &&) :

# Does the other architecture still compile, and where its libc is installed, link? e2e/test_aarch64.py runs it.
AARCH64_CC ?= aarch64-linux-gnu-gcc
aarch64:
	$(Q)$(MAKE) --no-print-directory BUILD=build-aarch64 CC=$(AARCH64_CC) aarch64-build
CROSS_LIBC = echo 'int main(void) { return 0; }' | $(CC) -x c -o /dev/null - 2>/dev/null
aarch64-build: $(CORE_OBJ) $(EDGE_OBJ)
	$(Q)if $(CROSS_LIBC); then $(MAKE) --no-print-directory $(LIB); else echo 'aarch64: no libc to link with'; fi

# Built in the oldest release of Debian that is supported, in a folder of its own there: runs on all that are newer.
RELEASE = $(BUILD)/release
release:
	$(Q)tests/distros/release.sh $(RELEASE)

clean:
	rm -rf $(BUILD) build-aarch64 build-asan build-clang build-coverage build-fuzz build-tsan

include tests/tests.mk
include $(wildcard demo/*.mk)
