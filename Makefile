# Proconsul: the commands of everyday work. `make run` and `make test` need nothing but a Swift toolchain and root or sudo.

PREFIX ?= /usr/local
# One configuration for run, test and conformance, so that everything is compiled once. Overflow checks and preconditions
# stay on. `make bench` measures without -enable-testing, in a build folder of its own.
FLAGS = -c release -Xswiftc -enable-testing
BINARY = .build/release/proconsul
BENCH_BINARY = .build-bench/release/proconsul
ARGUMENTS ?= -dev -ui

# Tests that run at a time: more than two for each core only wait for each other until their deadlines are over.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= $(shell expr 2 \* $$(nproc))
TEST_LOG = .build/test.log

# Seconds of fuzzing for each target.
FUZZ_SECONDS ?= 600

# How many datacenters `make simulation` simulates, and the seed of the first.
SEEDS ?= 2000
FIRST_SEED ?= 0

# Rounds of `make cluster-faults`.
ROUNDS ?= 100

.PHONY: build run test fuzz peers patroni simulation cluster-faults bench docs install format lint system clean

build: system
	swift build $(FLAGS) --product proconsul

run: build
	$(BINARY) agent $(ARGUMENTS)

test: system
	swift build $(FLAGS) --build-tests
	@{ swift test $(FLAGS) --skip-build 2>&1; echo $$? > $(TEST_LOG).status; } | tee $(TEST_LOG); \
	  status=$$(cat $(TEST_LOG).status); \
	  [ $$status -eq 0 ] || { printf '\nWhat failed:\n'; grep -E '^✘|recorded an issue' $(TEST_LOG) | head -40; }; \
	  exit $$status

# Random inputs for everything that reads bytes from outside. See Tests/Fuzz/Fuzz.swift.
fuzz: system
	swift build $(FLAGS) --product fuzz
	SWIFT_BACKTRACE=enable=no .build/release/fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_ARGUMENTS)

# HAProxy, nginx, Prometheus and an OpenID provider beside an agent; those that are not installed are skipped
# (`.ci/install-system-packages peers`, `.ci/install-python-peers`).
peers: build
	python3 -B Tests/Peers/run $(BINARY)

# PostgreSQL under Patroni on three servers, whose leader is killed, as is Patroni's.
patroni: build
	.ci/install-system-packages patroni
	python3 -B Tests/Cluster/patroni $(BINARY)

# Whole datacenters in virtual time, while machines crash and lose each other. See docs/testing.md.
simulation: system
	swift build $(FLAGS) --product simulate
	.build/release/simulate --first $(FIRST_SEED) --seeds $(SEEDS) --jobs $$(nproc) $(SIMULATION_ARGUMENTS)

# Three servers under load are killed and stopped; nothing that was acknowledged may be lost. See Tests/Cluster/faults.
cluster-faults: build
	python3 -B Tests/Cluster/linearizability_test.py
	python3 -B Tests/Cluster/faults $(BINARY) --rounds $(ROUNDS) $(FAULT_ARGUMENTS)

bench: system
	swift build -c release --scratch-path .build-bench --product proconsul
	Tests/bench $(BENCH_BINARY)

# The reference page of all options, from the table that the agent itself reads them by.
docs: system
	WRITE_DOCS=1 swift test $(FLAGS) --filter ReferencePageTests

install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 0755 -s $(BINARY) $(DESTDIR)$(PREFIX)/bin/proconsul
	ln -sf proconsul $(DESTDIR)$(PREFIX)/bin/consul

format:
	swift format --in-place --recursive Sources Tests Package.swift

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

# Libraries that the build needs, and the tools that the tests talk to.
system:
	@.ci/install-system-packages

clean:
	rm -rf .build .build-bench
