# Short names for what people do; Meson does the work (see meson.build).

BUILD = build
ASAN = build-asan
FUZZ = build-fuzz
RELEASE = build-release
FUZZ_SECONDS ?= 60
# Debian's own: another python3 in PATH would not see Debian's packages.
PYTHON ?= /usr/bin/python3
MESON ?= meson
JOBS ?= 2
PYTEST_FLAGS ?=

# A sanitizer's finding is a failure, not a remark.
SANITIZER_ENV = ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
SANITIZER_SETUP = -Db_sanitize=address,undefined -Db_lundef=false \
	-Dc_args=-fno-sanitize-recover=all

# Both runs of a half happen whatever the first one finds, so that one `make check` tells all.
PYTEST = $(PYTHON) -B -m pytest -p no:cacheprovider $(PYTEST_FLAGS) tests/e2e
MESON_TEST = $(MESON) test --no-rebuild --num-processes $(JOBS) --print-errorlogs

# Meson looks for a test library that was installed after the first setup only when asked again.
reconfigure = $(MESON) setup --reconfigure $(1) >$(1)/setup.log || { tail -n 20 $(1)/setup.log; exit 1; }

.PHONY: all demo check test asan fuzz fuzz-smoke valgrind lint format bench install clean help
.PHONY: deps-build deps-check deps-lint deps-fuzz deps-bench deps-valgrind
.NOTPARALLEL:

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	$(MESON) setup $(BUILD)

$(ASAN)/build.ninja:
	$(MESON) setup $(ASAN) $(SANITIZER_SETUP)

$(RELEASE)/build.ninja:
	$(MESON) setup $(RELEASE) --buildtype=release -Db_lto=true -Dwerror=false

$(FUZZ)/build.ninja:
	CC=clang $(MESON) setup $(FUZZ) -Dfuzzers=true

deps-build:
	@tools/install-deps build

deps-check:
	@tools/install-deps build check

deps-lint:
	@tools/install-deps build check lint

deps-fuzz:
	@tools/install-deps build fuzz

deps-bench:
	@tools/install-deps build bench

deps-valgrind:
	@tools/install-deps build valgrind

demo: deps-build all
	$(BUILD)/fairlead demo

check: deps-check test asan
	@echo "make check: everything passed, plain and under ASan+UBSan"

test: $(BUILD)/build.ninja
	@$(call reconfigure,$(BUILD))
	ninja -C $(BUILD) all meson-test-prereq
	status=0; \
	$(MESON_TEST) -C $(BUILD) || status=1; \
	FAIRLEAD_BUILD=$(CURDIR)/$(BUILD) $(PYTEST) || status=1; \
	exit $$status

asan: $(ASAN)/build.ninja
	@$(call reconfigure,$(ASAN))
	ninja -C $(ASAN) all meson-test-prereq
	status=0; export $(SANITIZER_ENV); \
	$(MESON_TEST) --timeout-multiplier 3 -C $(ASAN) || status=1; \
	FAIRLEAD_BUILD=$(CURDIR)/$(ASAN) FAIRLEAD_SLOW=3 $(PYTEST) || status=1; \
	exit $$status

fuzz: deps-fuzz $(FUZZ)/build.ninja
	ninja -C $(FUZZ)
	tools/fuzz $(FUZZ) $(FUZZ_SECONDS)

fuzz-smoke:
	$(MAKE) fuzz FUZZ_SECONDS=10

valgrind: deps-valgrind $(BUILD)/build.ninja
	@$(call reconfigure,$(BUILD))
	ninja -C $(BUILD) all meson-test-prereq
	$(MESON_TEST) -C $(BUILD) --setup valgrind --suite unit --suite scenario

lint: deps-lint
	tools/lint

format: deps-lint
	find src tests -name '*.[ch]' -exec clang-format -i {} +

# As a release is built: what users run is what is measured.
bench: deps-bench $(RELEASE)/build.ninja
	ninja -C $(RELEASE)
	bench/run $(RELEASE)
	bench/check-bench $(RELEASE)
	bench/logon-bench $(RELEASE)

install: all
	$(MESON) install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(ASAN) $(FUZZ) $(RELEASE) build-clang build-analyzer

help:
	@echo "make             build the programs into $(BUILD)/"
	@echo "make demo        install what is missing, build, establish one session on this machine"
	@echo "make check       every test, plain and under ASan+UBSan"
	@echo "make test        every test, plain only;  make asan: under ASan+UBSan only"
	@echo "make fuzz        each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS);  make fuzz-smoke: 10 s each"
	@echo "make valgrind    unit tests and scenarios under valgrind"
	@echo "make lint        clang, clang-tidy, cppcheck, gcc -fanalyzer, layout"
	@echo "make format      lay the sources out as .clang-format says"
	@echo "make bench       measure against nginx, ripgrep and bare binds; writes bench/results.md"
	@echo "make install     programs, man pages, systemd units (DESTDIR and Meson's prefix apply)"
	@echo "make clean       remove the build folders"
