# Everything a newcomer needs: `make demo` to see it, `make test` to prove it.
CARGO ?= cargo
# How long each fuzz target runs.
FUZZ_SECONDS ?= 180

.PHONY: help demo ui types test test-ui test-e2e e2e-full perf lighthouse screenshots test-types test-api test-mutants lint release states bench soak soak-kiosk fuzz \
	tools ui-tools test-tools

help:
	@echo "make demo     build and start a site with simulated boards and sample people"
	@echo "make ui       the web app, which the next build takes in (part of demo, test, release)"
	@echo "make test     format, lints, documentation, all tests"
	@echo "make test-ui  the web app's own checks and tests (part of make test)"
	@echo "make test-e2e the web app in a real browser against the demo (part of make test)"
	@echo "make e2e-full all flows of the web app in a real browser (by hand)"
	@echo "make perf     how fast the web app's map is on a slow phone (by hand, quiet machine)"
	@echo "make lighthouse what Lighthouse says of four pages (by hand, quiet machine)"
	@echo "make screenshots a picture of every page into ui/screenshots (by hand)"
	@echo "make types    the web app's types from the API document"
	@echo "make test-api the API document against the demo, with schemathesis (part of make test)"
	@echo "make test-mutants wrong programs that the proofs must find out (part of make test)"
	@echo "make lint     format and lints alone"
	@echo "make release  the optimised binary in target/release"
	@echo "make fuzz     random bytes against the wire protocols, FUZZ_SECONDS=180 for each target"
	@echo "make bench    the semester rush, opening latency, start-up and more (minutes, by hand)"
	@echo "make states   docs/ref/states.md from the code's own tables"
	@echo "make soak     an hour of openings while everything fails (SOAK_SECONDS, SOAK_SEED)"
	@echo "make soak-kiosk a kiosk's memory over two hours of visits (SOAK_MINUTES)"

# Says exactly what is missing before a long build fails over it.
tools:
	@sh tests/tools.sh

ui-tools:
	@sh tests/tools.sh ui

test-tools:
	@sh tests/tools.sh test

# Only what changed is done again: a build of the same sources would have the program built anew.
ui: ui-tools
	@cd ui && if [ ! -e node_modules/.package-lock.json ] || \
		[ package-lock.json -nt node_modules/.package-lock.json ]; then \
		npm ci && touch node_modules/.package-lock.json; fi
	@cd ui && if [ ! -e build/index.html ] || [ -n "$$(find . -mindepth 1 -name node_modules -prune -o \
		-path ./build -prune -o -path ./build-demo -prune -o -path ./.svelte-kit -prune -o \
		-path ./lighthouse -prune -o -path ./screenshots -prune -o -newer build/index.html -print -quit)" ]; then \
		npm run build; fi

types: ui
	@mkdir -p target
	$(CARGO) run --locked --quiet -- openapi > target/openapi.json
	cd ui && npm run types

# Not optimised: that takes several times as long to build, and nobody would notice.
demo: tools ui
	$(CARGO) build --locked
	@exec $(CARGO) run --locked --quiet -- demo $(ARGS)

test: test-tools ui
	$(MAKE) test-ui
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items --locked
	$(CARGO) test --locked
	$(MAKE) test-types
	$(MAKE) test-e2e
	$(MAKE) test-mutants
	$(MAKE) test-api

test-ui: ui
	cd ui && npm run check && npm test

# Chromium, the real program, simulated doors.
test-e2e: test-tools ui
	$(CARGO) build --locked
	cd ui && npm run e2e

e2e-full perf screenshots: test-tools ui
	$(CARGO) build --locked
	cd ui && E2E=$(if $(filter e2e-full,$@),full,$(if $(filter perf,$@),perf,shots)) npm run e2e

soak-kiosk: SOAK_MINUTES ?= 120
soak-kiosk: test-tools ui
	$(CARGO) build --locked
	cd ui && E2E=soak SOAK_MINUTES=$(SOAK_MINUTES) npm run e2e

# Lighthouse brings two hundred packages: it has a lock of its own, and only this installs it.
lighthouse: test-tools ui
	@cd ui/e2e/lighthouse && if [ ! -e node_modules/.package-lock.json ] || \
		[ package-lock.json -nt node_modules/.package-lock.json ]; then \
		npm ci --ignore-scripts && touch node_modules/.package-lock.json; fi
	$(CARGO) build --locked
	cd ui && E2E=lighthouse npm run e2e

# The types that the web app is checked against are those of this very program.
test-types: ui
	@mkdir -p target
	$(CARGO) run --locked --quiet -- openapi > target/openapi.json
	cd ui && npx openapi-typescript ../target/openapi.json -o ../target/schema.d.ts
	@diff -u ui/src/lib/api/schema.d.ts target/schema.d.ts || \
		{ echo "the API is another than the web app knows: make types" >&2; exit 1; }

# Three programs that are wrong on purpose: the judge of histories must find each out.
test-mutants:
	$(CARGO) test --locked --features mutants --test history -- mutants

# The API document against the running demo, as nobody and as each role.
test-api: test-tools ui
	$(CARGO) build --locked
	@sh tests/venv.sh api
	target/venv/api/bin/python tests/api/run.py target/debug/lockerd

lint: tools
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings

release: tools ui
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
