# Each recipe is the plain command it runs; `just` is only shorter.

# Watch a cluster break and heal
demo:
    cargo run -- demo

# Every test
test:
    cargo test --workspace

# What CI runs
ci:
    bash .ci/run

# Format and lint
lint:
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings

# Advisories against the live database (needs the network)
advisories:
    cargo deny check advisories

# The echo sink with its page, on http://127.0.0.1:8081
sink:
    cargo run -p kpulse-testkit --bin echo-sink
