# `make demo` and `make test` are all that a newcomer needs; Rust, Node and npm must be present.

CARGO_BUILD := cargo build --locked --release
BIN := $(or $(CARGO_TARGET_DIR),target)/release/monitor-backend

.PHONY: demo run build frontend test test-rust test-frontend test-browser lint cluster-binaries monitoring-tools bench bench-cluster fuzz clean

demo: build
	$(BIN) demo

run: build
	$(BIN) serve

build: frontend
	$(CARGO_BUILD)

frontend: frontend/dist/assets

# Only when a source is newer: the binary embeds the result, and would be built again as well.
FRONTEND_SOURCES := $(shell find frontend -type f -not -path '*/node_modules/*' -not -path '*/dist/*')

frontend/dist/assets: $(FRONTEND_SOURCES) | frontend/node_modules
	npm --prefix frontend run build
	touch $@

frontend/node_modules: frontend/package-lock.json
	npm --prefix frontend ci
	touch $@

test: lint test-frontend test-rust test-browser

lint: frontend
	cargo fmt --check
	cargo clippy --locked --all-targets -- --deny warnings
	npm --prefix frontend run lint

test-frontend: frontend
	npm --prefix frontend test

test-rust: frontend cluster-binaries monitoring-tools
	cargo test --locked

# The binary is the one that the Rust tests run: built with their features, not once more without.
test-browser: frontend monitoring-tools
	cargo test --locked --no-run
	npm --prefix frontend run test:browser

# The API server and etcd that the cluster tests run against; built once, kept outside the checkout.
cluster-binaries:
	tests/cluster/build.sh

# The Prometheus and Alertmanager that the tests show; brought once, kept outside the checkout.
monitoring-tools:
	tests/monitoring/build.sh

# Ratios against references, in one run: a quarter of an hour, 12 GiB below BENCH_DIR (else TMPDIR).
# Compares with ripgrep and nginx where they are installed.
BENCHES := --manifest-path benches/Cargo.toml --target-dir $(or $(CARGO_TARGET_DIR),target) --locked
bench: export CRITERION_HOME := $(abspath $(or $(CARGO_TARGET_DIR),target))/bench
bench: build
	rm -rf $(CRITERION_HOME)
	cargo bench $(BENCHES) --bench append --bench durable --bench read
	cargo run --release $(BENCHES) --bin served $(abspath $(BIN))
	cargo run --release $(BENCHES) --bin table

# Whole clusters on a real API server, ten minutes: churn, an idle one, one of ten thousand pods.
bench-cluster: frontend cluster-binaries
	CHURN_PODS=1000 CHURN_SECONDS=60 cargo test --locked --release --test cluster_churn -- \
	  --include-ignored --nocapture --test-threads=1

# Each target for so many seconds; needs cargo-fuzz and a nightly toolchain. What is found worth
# keeping goes into a folder beside the corpus, which `cargo fuzz cmin` joins.
FUZZ_SECONDS := 60
FUZZ_TARGETS := journal recovery backup event
fuzz:
	set -e; for target in $(FUZZ_TARGETS); do \
	  mkdir -p tests/fuzz/found/$$target; \
	  cargo +nightly fuzz run --fuzz-dir tests/fuzz $$target \
	    tests/fuzz/found/$$target tests/fuzz/corpus/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=20; \
	done

clean:
	cargo clean
	rm -rf frontend/dist frontend/node_modules
