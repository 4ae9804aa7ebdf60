# The two commands of the README, and a developer's few. Everything is made below build/.
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
PROGRAMS = sealtape sealtaped sealtape-accessd sealtape-keyhelper
FUZZ_SECONDS ?= 30
SOAK_SECONDS ?= 3600
export BUILD FUZZ_SECONDS

.DEFAULT_GOAL := help
.PHONY: help demo check check-fast check-fresh e2e bench bench-scale soak rotation faults kill-sweep power-cuts outage fuzz lint format deb check-container install clean

help: ## show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: ## record, seal, verify and open a visit of 20 s, in front of your eyes
	@tools/setup build runtime demo
	@PROGRAMS="$(PROGRAMS)" tools/build $(BUILD)/demo
	@tools/demo.sh $(BUILD)/demo

check: ## everything that must hold, cheapest first; installs what it needs
	@tools/check all

check-fast: ## lint and the plain tests only
	@tools/check fast

check-fresh: ## `make demo` and `make check` of the last commit on a bare Debian 12 (needs root)
	@tests/check_fresh.sh

e2e: ## only the tests from end to end
	@tools/setup all
	@tools/build $(BUILD)/gcc
	@tools/run_tests $(BUILD)/gcc --suite e2e

bench: ## measure; see docs/ for what the numbers should be
	@tools/setup build runtime demo test bench
	@tools/build $(BUILD)/bench --buildtype=release
	@tools/bench $(BUILD)/bench

bench-scale: ## how many publishers this machine records without losing a packet
	@tools/setup build runtime demo test
	@tools/build $(BUILD)/bench --buildtype=release
	@SEALTAPE_BIN_DIR=$(BUILD)/bench PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/bench/scale_bench.py

soak: ## record for SOAK_SECONDS (3600) and see that memory stays flat
	@tools/setup build runtime demo test
	@tools/build $(BUILD)/bench --buildtype=release
	@SEALTAPE_SOAK_S=$(SOAK_SECONDS) SEALTAPE_BIN_DIR=$(BUILD)/bench PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 tests/bench/soak.py

faults: ## break everything under a recording, one thing at a time; the table is build/faults.md (needs root)
	@tools/faults $(BUILD)/gcc --table $(BUILD)/faults.md

kill-sweep: ## SIGKILL at every system call of a recording and of a recovery (needs root)
	@tools/faults $(BUILD)/gcc --kill-sweep 1 --table $(BUILD)/kill-sweep.md

power-cuts: ## 200 simulated power cuts, on ext4 and xfs (needs root)
	@tools/faults $(BUILD)/gcc --power-cuts 200 --table $(BUILD)/power-cuts.md

outage: ## 200 publishers record on while the store is away; SEALTAPE_OUTAGE_S (180)
	@tools/faults $(BUILD)/gcc --outage

rotation: ## rotate the keys of 10,000 sessions on a Ceph gateway, killed 20 times (needs root)
	@tools/setup build runtime demo test
	@tools/build $(BUILD)/gcc -Dwerror=true
	@SEALTAPE_ROTATION_SESSIONS=10000 SEALTAPE_ROTATION_KILLS=20 SEALTAPE_BIN_DIR=$(BUILD)/gcc PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 tests/e2e/test_rotation.py

fuzz: ## each fuzz target for FUZZ_SECONDS (30)
	@tools/setup build lint
	@tools/fuzz $(BUILD)/fuzz

lint: ## format, layers, mistakes, sizes, clang-tidy
	@tools/check lint

format: ## lay out every .c and .h as .clang-format says
	@tools/format write

deb: ## the Debian package, in build/deb
	@tools/setup build runtime package
	@tools/make_deb $(BUILD)/deb

check-container: deb ## the package under a real systemd: installed, recording, upgraded, purged (needs root)
	@tools/setup container
	@tests/container/make_root $(BUILD)/container/root
	@tests/container/check.sh $(BUILD)/container/root $(BUILD)/deb/sealtape_*.deb

install: ## build and install below PREFIX (/usr/local) and DESTDIR
	@tools/setup build runtime
	@PROGRAMS="$(PROGRAMS)" tools/build $(BUILD)/install --prefix=$(PREFIX) --buildtype=release
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD)/install --no-rebuild

clean: ## remove everything that was built
	rm -rf $(BUILD)
