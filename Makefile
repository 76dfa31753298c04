# closeguard. Start with: make deps demo
#
# Targets that people and CI rely on: all, deps, demo, check, check-apps, bench, fuzz, asan, tsan, lint, install.

BUILD ?= build
PREFIX ?= /usr/local
CC ?= cc
CFLAGS ?= -O2 -g
SANITIZE ?=
V ?= 0
ifeq ($(V),0)
Q = @
say = @printf '  %-7s %s\n' $(1) $(2)
endif

ARCH := $(shell $(CC) -dumpmachine | cut -d- -f1)

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror
CPPFLAGS_ALL = -D_GNU_SOURCE -Ishim -Ipolicy $(CPPFLAGS)
# -fexceptions: a cancelled thread is unwound through our wrappers. Frame pointers: the fallback walks them.
CFLAGS_ALL = -std=gnu11 $(WARN) -fPIC -fvisibility=hidden -fexceptions -fno-omit-frame-pointer -fno-plt \
	-ftls-model=initial-exec -pthread $(CFLAGS) $(SANITIZE)
LDFLAGS_ALL = -pthread $(LDFLAGS) $(SANITIZE)

LIB = $(BUILD)/libcloseguard.so
ANNEX_DW = $(BUILD)/libcloseguard-dw.so
COMMAND = $(BUILD)/closeguard

# What only makes sense inside the preloaded library; the unit tests link everything else.
SHIM_EDGE = $(wildcard shim/wrap_*.c) shim/shim.c
SHIM_ANNEX = $(wildcard shim/annex_*.c)
SHIM_CORE = $(filter-out $(SHIM_EDGE) $(SHIM_ANNEX),$(wildcard shim/*.c))
SHIM_ARCH = $(wildcard shim/*_$(ARCH).S)
CLI_SRC = $(wildcard cli/*.c)

obj = $(patsubst %,$(BUILD)/obj/%.o,$(1))
CORE_OBJ = $(call obj,$(SHIM_CORE))
EDGE_OBJ = $(call obj,$(SHIM_EDGE) $(SHIM_ARCH))
ANNEX_OBJ = $(call obj,$(SHIM_ANNEX))
CLI_OBJ = $(call obj,$(CLI_SRC))
CORE = $(BUILD)/libcore.a

.PHONY: all deps demo check check-apps bench fuzz asan tsan lint install clean
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

all: $(LIB) $(ANNEX_DW) $(COMMAND)

# Rebuild when the flags change: this file's content is the flags.
FLAGS_NOW = $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)
$(BUILD)/flags: FORCE
	$(Q)mkdir -p $(BUILD)
	$(Q)echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/obj/%.c.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

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
	$(Q)$(CC) -shared -Wl,-soname,libcloseguard.so -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete \
		-Wl,--version-script=$(BUILD)/exports.map -Wl,--no-undefined \
		-o $@ $(CORE_OBJ) $(EDGE_OBJ) $(LDFLAGS_ALL) -ldl

$(ANNEX_DW): $(ANNEX_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-soname,libcloseguard-dw.so -Wl,-z,now -Wl,-z,relro -Wl,--no-undefined -o $@ $^ \
		$(LDFLAGS_ALL) -ldw -lelf

$(COMMAND): $(CLI_OBJ) $(CORE)
	$(call say,LD,$@)
	$(Q)$(CC) -o $@ $(CLI_OBJ) $(CORE) $(LDFLAGS_ALL) -ldl

-include $(patsubst %.o,%.d,$(CORE_OBJ) $(EDGE_OBJ) $(ANNEX_OBJ) $(CLI_OBJ))

clean:
	rm -rf $(BUILD)

include tests/tests.mk
