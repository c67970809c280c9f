# codec-proxy: `make help` lists the targets. Each installs what it needs and is missing.

.DEFAULT_GOAL := help
SETUP := tests/setup
# A Rust that toolchain.sh has just installed is not yet on the PATH of this shell.
export PATH := $(HOME)/.cargo/bin:$(PATH)
CARGO_TARGET_DIR ?= target
export FUZZ_SECONDS ?= 600
TOOLS := $(or $(CODEC_PROXY_TOOLS),$(CARGO_TARGET_DIR)/tools)
PROXY := $(CARGO_TARGET_DIR)/debug/codec-proxy

.PHONY: help demo up build test test-page test-gib test-clients test-datajoint-2 test-datajoint-0 bench fuzz clean shapes

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

demo: ## shows the job step by step, on a database of its own that is gone afterwards
	@$(SETUP)/toolchain.sh
	@$(SETUP)/mariadb.sh
	@$(SETUP)/python.sh dj0 dj2 & python=$$!; \
	    cargo build --locked; built=$$?; wait $$python && exit $$built
	@python3 tests/demo/demo.py --proxy $(PROXY)

up: build ## starts the same parts and stays until Ctrl-C; SANDBOX="--port 6033" passes options
	@$(SETUP)/mariadb.sh
	@$(PROXY) sandbox $(SANDBOX)

build:
	@$(SETUP)/toolchain.sh
	@cargo build --locked

test: ## installs what is missing and runs every test
	@$(SETUP)/toolchain.sh
	@$(SETUP)/mariadb.sh
	@{ $(SETUP)/python.sh dj0 dj013 dj2 seaweedfs lab && $(SETUP)/packages.sh && $(SETUP)/azurite.sh; } & tools=$$!; \
	    cargo test --locked --no-run; built=$$?; wait $$tools && exit $$built
	@if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --locked --no-fail-fast; else cargo test --locked --no-fail-fast; fi

test-gib: ## writes and reads values of 1 GiB in every way: some minutes, 6 GiB of memory
	@$(SETUP)/toolchain.sh
	@$(SETUP)/mariadb.sh
	@cargo test --locked --test integration -- --ignored --exact sizes::one_gib --nocapture

test-page: build ## looks at the page in a real browser, at the widths of a phone and a desk
	@$(SETUP)/mariadb.sh
	@$(SETUP)/chromium.sh
	@cargo test --locked --test integration metrics

test-clients: build ## runs the drivers of ten languages directly and through codec-proxy, and compares
	@$(SETUP)/mariadb.sh
	@$(SETUP)/matrix.sh
	@$(TOOLS)/matrix/bin/python tests/clients/matrix/run.py --proxy $(PROXY)

test-datajoint-2: build ## DataJoint 2.3.5's own tests, directly and through the stored view; ten minutes
	@$(SETUP)/mariadb.sh
	@$(SETUP)/graphviz.sh
	@$(SETUP)/datajoint_sources.sh
	@tests/suites/run.py 2 --proxy $(PROXY) $(SUITE)

test-datajoint-0: build ## DataJoint 0.14's, directly and through the bytes view: DATAJOINT_0=its sources
	@$(SETUP)/mariadb.sh
	@$(SETUP)/graphviz.sh
	@$(SETUP)/python.sh suite0 seaweedfs
	@tests/suites/run.py 0 --proxy $(PROXY) $(if $(DATAJOINT_0),--sources $(DATAJOINT_0)) $(SUITE)

bench: ## compares with a direct connection, HAProxy and DataJoint; prints the table of the README
	@$(SETUP)/toolchain.sh
	@$(SETUP)/mariadb.sh
	@$(SETUP)/haproxy.sh
	@$(SETUP)/python.sh dj0 dj2 seaweedfs
	@$(SETUP)/packages.sh
	@benches/run

shapes: ## has tests/shapes and the README tell what becomes of each statement today; needs a MySQL
	@CODEC_PROXY_TESTS_SHAPES=write cargo test --locked --test integration shapes || true
	@cargo test --locked --test integration shapes

fuzz: ## fuzzes every parser, ten minutes each: FUZZ_SECONDS=30, FUZZ_TARGETS="blob npy"
	@$(SETUP)/toolchain.sh
	@$(SETUP)/cargo_fuzz.sh
	@fuzz/run $(FUZZ_TARGETS)

clean: ## removes what was built, the Python environments too
	@rm -rf $(CARGO_TARGET_DIR)
