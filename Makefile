# crlpress: build, check, install. `make help` lists the targets.
#
# Everything is built below $(BUILD); `make asan` and `make tsan` build and
# check in directories of their own.

VERSION := 0.1.0

prefix      = /usr/local
exec_prefix = $(prefix)
bindir      = $(exec_prefix)/bin
datarootdir = $(prefix)/share
datadir     = $(datarootdir)
mandir      = $(datarootdir)/man
docdir      = $(datarootdir)/doc/crlpress
# What `crlpress init` reads: presets are no documentation.
presetdir   = $(datadir)/crlpress/presets
INSTALL         = install
INSTALL_PROGRAM = $(INSTALL)
INSTALL_DATA    = $(INSTALL) -m 644

BUILD  ?= build
CC     ?= cc
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config

# `make V=1` shows the commands.
V ?= 0
Q_0 = @echo '  $(1) $@';
Q_1 =
say = $(call Q_$(V),$(1))

WARN = -Wall -Wextra -Wconversion -Wshadow -Wvla -Wstrict-prototypes \
       -Wmissing-prototypes -Wformat=2 -Werror
# _FORTIFY_SOURCE means nothing without -O and quarrels with the sanitizers.
FORTIFY ?= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
HARDEN  = -fstack-protector-strong -fPIE
HARDEN_LD = -pie -Wl,-z,relro,-z,now
SANITIZE ?=

LIBS_PC = libpq libcrypto libcurl zlib
PC_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS_PC) 2>/dev/null)
PC_LIBS   := $(shell $(PKG_CONFIG) --libs $(LIBS_PC) 2>/dev/null)

ALL_CPPFLAGS = -Iinclude -D_GNU_SOURCE -DCRLPRESS_VERSION='"$(VERSION)"' \
               $(FORTIFY) $(PC_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   = -std=c11 -pthread $(WARN) $(HARDEN) $(SANITIZE) $(CFLAGS)
ALL_LDFLAGS  = -pthread $(HARDEN_LD) $(SANITIZE) $(LDFLAGS)

# The core knows no library; unit tests core_*.c link it alone, which is the
# proof. Every other file of src/ but main.c goes into libcrlpress.a too.
CORE = archive_name aws_profile base64 ccadb ccadb_url certificate_read config_text crl_build \
       crl_entry crl_extension crl_read csv_record database_message decimal der_read der_write expiring expiry fd_io forecast gate \
       gate_listed gate_merge gate_unique hash_text hex index_read json json_read \
       json_text key_uri list_read list_take list_write manifest manifest_join manifest_parse name_nearest option quantity reason \
       report request request_parse retry row row_csv row_set row_spill s3_url sandbox sandbox_call serial_list serial_text shard \
       source_certificate source_column source_kind source_row source_sql status uint160 utc \
       url_text utf8 xml_read
SRC  = $(filter-out main,$(basename $(notdir $(wildcard src/*.c))))
CORE_OBJ = $(CORE:%=$(BUILD)/%.o)
LIB_OBJ  = $(SRC:%=$(BUILD)/%.o)

# ocsp-sunset knows the core and no library either.
SUNSET     = $(filter-out main,$(basename $(notdir $(wildcard src/sunset/*.c))))
SUNSET_OBJ = $(SUNSET:%=$(BUILD)/sunset/%.o)

CORE_TESTS = $(basename $(notdir $(wildcard tests/unit/core_*.c)))
FULL_TESTS = $(basename $(notdir $(wildcard tests/unit/full_*.c)))
SUNSET_TESTS = $(basename $(notdir $(wildcard tests/unit/sunset_*.c)))
TESTS      = $(CORE_TESTS) $(FULL_TESTS) $(SUNSET_TESTS)
FUZZERS    = $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c)))
DRIVERS    = $(basename $(notdir $(wildcard tests/drivers/*.c)))

.PHONY: all help check unit e2e asan tsan lint fuzz format install uninstall \
        clean programs tests drivers
.SUFFIXES:
.SECONDARY:

all: programs

help:
	@echo 'all        build/crlpress'
	@echo 'check      style check, unit tests, end-to-end tests'
	@echo 'unit e2e   one of them'
	@echo 'asan tsan  the unit tests under the sanitizers'
	@echo 'lint       style, shellcheck, mandoc, cppcheck, clang-tidy'
	@echo 'fuzz       fuzz targets with libFuzzer (clang)'
	@echo 'install uninstall clean format'

programs: $(BUILD)/crlpress $(BUILD)/ocsp-sunset
tests: $(TESTS:%=$(BUILD)/tests/%)
drivers: $(DRIVERS:%=$(BUILD)/drivers/%)

$(BUILD)/crlpress: $(BUILD)/main.o $(BUILD)/libcrlpress.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PC_LIBS)

$(BUILD)/libcore.a: $(CORE_OBJ)
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libcrlpress.a: $(LIB_OBJ)
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libsunset.a: $(SUNSET_OBJ)
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/ocsp-sunset: $(BUILD)/sunset/main.o $(BUILD)/libsunset.a \
    $(BUILD)/libcore.a
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^

# The one object that knows where it will be installed, made again when that
# is another place: make install prefix=/usr.
$(BUILD)/cmd_init.o: ALL_CPPFLAGS += -DCRLPRESS_PRESET_DIR='"$(presetdir)"'
$(BUILD)/cmd_init.o: $(BUILD)/presetdir.txt
.PHONY: presetdir
$(BUILD)/presetdir.txt: presetdir | $(BUILD)
	@echo '$(presetdir)' | cmp -s - $@ || echo '$(presetdir)' >$@

$(BUILD)/%.o: src/%.c Makefile | $(BUILD) $(BUILD)/sunset
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/core_%: tests/unit/core_%.c $(BUILD)/libcore.a Makefile | $(BUILD)/tests
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< \
	    $(BUILD)/libcore.a -lcmocka
$(BUILD)/tests/full_%: tests/unit/full_%.c $(BUILD)/libcrlpress.a Makefile | $(BUILD)/tests
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< \
	    $(BUILD)/libcrlpress.a $(PC_LIBS) -lcmocka
$(BUILD)/tests/sunset_%: tests/unit/sunset_%.c $(BUILD)/libsunset.a $(BUILD)/libcore.a Makefile | $(BUILD)/tests
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< \
	    $(BUILD)/libsunset.a $(BUILD)/libcore.a -lcmocka

# Programs for the end-to-end tests, each of them one module from outside.
$(BUILD)/drivers/%: tests/drivers/%.c $(BUILD)/libcrlpress.a Makefile | $(BUILD)/drivers
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< \
	    $(BUILD)/libcrlpress.a $(PC_LIBS)

$(BUILD) $(BUILD)/sunset $(BUILD)/tests $(BUILD)/drivers $(BUILD)/fuzz:
	mkdir -p $@

check: lint-style unit e2e

.PHONY: lint-style
lint-style:
	tools/check-style

# Each program prints its own tally; tools/test adds them up.
unit: tests
	@tools/run-unit $(BUILD)/tests

e2e: programs drivers
	@CRLPRESS=$(abspath $(BUILD))/crlpress tools/run-e2e

# make asan ASAN_GOALS=tests only builds them.
ASAN_GOALS = programs unit
asan:
	$(MAKE) BUILD=build-asan FORTIFY= CFLAGS='-O1 -g -fno-omit-frame-pointer' \
	    SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' \
	    $(ASAN_GOALS)

tsan:
	$(MAKE) BUILD=build-tsan FORTIFY= CFLAGS='-O1 -g' \
	    SANITIZE='-fsanitize=thread' programs unit

lint:
	tools/lint

# libFuzzer, or AFL++: make fuzz FUZZ_BUILD=build-afl FUZZ_CC=afl-clang-fast
FUZZ_BUILD = build-fuzz
FUZZ_CC = clang
fuzz:
	$(MAKE) BUILD=$(FUZZ_BUILD) CC=$(FUZZ_CC) FORTIFY= \
	    SANITIZE='-fsanitize=address,undefined,fuzzer-no-link' \
	    $(FUZZERS:%=$(FUZZ_BUILD)/fuzz/%)
$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/libcrlpress.a $(BUILD)/libsunset.a | $(BUILD)/fuzz
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer \
	    -o $@ $< $(BUILD)/libsunset.a $(BUILD)/libcrlpress.a $(PC_LIBS)

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man1 \
	    $(DESTDIR)$(mandir)/man5 $(DESTDIR)$(mandir)/man8 \
	    $(DESTDIR)$(docdir)/sharding-config $(DESTDIR)$(presetdir) \
	    $(DESTDIR)$(docdir)/systemd
	$(INSTALL_PROGRAM) $(BUILD)/crlpress $(DESTDIR)$(bindir)/crlpress
	$(INSTALL_PROGRAM) $(BUILD)/ocsp-sunset $(DESTDIR)$(bindir)/ocsp-sunset
	$(INSTALL_DATA) docs/crlpress.1 $(DESTDIR)$(mandir)/man1/crlpress.1
	$(INSTALL_DATA) docs/crlpress.cnf.5 \
	    $(DESTDIR)$(mandir)/man5/crlpress.cnf.5
	$(INSTALL_DATA) docs/ocsp-sunset.cnf.5 \
	    $(DESTDIR)$(mandir)/man5/ocsp-sunset.cnf.5
	$(INSTALL_DATA) docs/ocsp-sunset.8 \
	    $(DESTDIR)$(mandir)/man8/ocsp-sunset.8
	$(INSTALL_DATA) docs/systemd/* $(DESTDIR)$(docdir)/systemd
	$(INSTALL_DATA) README.md CHANGELOG.md LICENSE docs/*.md \
	    $(DESTDIR)$(docdir)
	$(INSTALL_DATA) sharding-config/*.* $(DESTDIR)$(docdir)/sharding-config
	$(INSTALL_DATA) sharding-config/presets/* $(DESTDIR)$(presetdir)

uninstall:
	rm -f $(DESTDIR)$(bindir)/crlpress $(DESTDIR)$(bindir)/ocsp-sunset
	rm -f $(DESTDIR)$(mandir)/man1/crlpress.1
	rm -f $(DESTDIR)$(mandir)/man5/crlpress.cnf.5
	rm -f $(DESTDIR)$(mandir)/man5/ocsp-sunset.cnf.5
	rm -f $(DESTDIR)$(mandir)/man8/ocsp-sunset.8
	rm -rf $(DESTDIR)$(docdir) $(DESTDIR)$(presetdir)

clean:
	rm -rf build build-asan build-tsan build-fuzz

-include $(wildcard $(BUILD)/*.d $(BUILD)/sunset/*.d $(BUILD)/tests/*.d \
    $(BUILD)/drivers/*.d)
