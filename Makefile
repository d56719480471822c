# Everything a newcomer needs: `make demo` to see it, `make test` to prove it.
CARGO ?= cargo
# How long each fuzz target runs.
FUZZ_SECONDS ?= 180

.PHONY: help demo test test-api test-mutants lint release states bench soak fuzz tools test-tools

help:
	@echo "make demo     build and start a site with simulated boards and sample people"
	@echo "make test     format, lints, documentation, all tests"
	@echo "make test-api the API document against the demo, with schemathesis (part of make test)"
	@echo "make test-mutants wrong programs that the proofs must find out (part of make test)"
	@echo "make lint     format and lints alone"
	@echo "make release  the optimised binary in target/release"
	@echo "make fuzz     random bytes against the wire protocols, FUZZ_SECONDS=180 for each target"
	@echo "make bench    the semester rush, opening latency, start-up and more (minutes, by hand)"
	@echo "make states   docs/ref/states.md from the code's own tables"
	@echo "make soak     an hour of openings while everything fails (SOAK_SECONDS, SOAK_SEED)"

# Says exactly what is missing before a long build fails over it.
tools:
	@sh tests/tools.sh

test-tools:
	@sh tests/tools.sh test

demo: tools
	$(CARGO) build --release --locked
	@exec $(CARGO) run --release --locked --quiet -- demo $(ARGS)

test: test-tools
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items --locked
	$(CARGO) test --locked
	$(MAKE) test-mutants
	$(MAKE) test-api

# Three programs that are wrong on purpose: the judge of histories must find each out.
test-mutants:
	$(CARGO) test --locked --features mutants --test history -- mutants

# The API document against the running demo, as nobody and as each role.
test-api: test-tools
	$(CARGO) build --locked
	@sh tests/venv.sh api
	target/venv/api/bin/python tests/api/run.py target/debug/lockerd

lint: tools
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings

release: tools
	$(CARGO) build --release --locked

states: tools
	LOCKERD_WRITE_STATES=1 $(CARGO) test --locked --lib domain::states

bench: tools
	$(CARGO) bench --locked --bench rush
	$(CARGO) bench --locked --bench open_latency
	$(CARGO) bench --locked --bench bus
	$(CARGO) bench --locked --bench startup
	$(CARGO) bench --locked --bench login
	$(CARGO) bench --locked --bench calendar
	$(CARGO) bench --locked --bench overdue
	$(CARGO) bench --locked --bench history

# No sanitizer: the code has no unsafe block, and overflow checks and assertions are on anyway.
fuzz: tools
	@command -v cargo-fuzz >/dev/null || \
		{ echo "make fuzz needs cargo-fuzz: cargo install cargo-fuzz --locked" >&2; exit 1; }
	@command -v c++ >/dev/null || { echo "make fuzz needs a C++ compiler: g++" >&2; exit 1; }
	sh fuzz/seeds.sh
	@for target in scanner explain roundtrip; do \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --sanitizer none $$target -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=512 -rss_limit_mb=512 -print_final_stats=1 \
			|| exit 1; \
	done

soak: SOAK_SECONDS ?= 3600
soak: tools
	SOAK_SECONDS=$(SOAK_SECONDS) $(CARGO) bench --locked --bench soak
