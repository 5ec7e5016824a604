# Each recipe is the plain command it runs; `just` is only shorter.

# Watch a cluster break and heal
demo:
    cargo run -- demo

# kpulse without a cluster, built and run anew on each save
dev:
    sh dev/watch.sh

# What is missing for the development loop, and what mends it
doctor:
    sh dev/doctor.sh

# A recording becomes a test case: just new-case volume-lost night.jsonl
new-case NAME RECORDING=(NAME + ".jsonl"):
    sh dev/new-case.sh {{NAME}} {{RECORDING}}

# How long a change in a channel takes to a new program
measure-loop:
    sh dev/measure-loop.sh

# Every test
test:
    cargo test --workspace

# What Tilt makes of the Tiltfile (compiles a Starlark interpreter first)
tiltfile:
    CARGO_TARGET_DIR=target/tiltfile cargo test --manifest-path dev/tiltfile/Cargo.toml

# Mail to a server that is not ours (installs aiosmtpd under target/)
mail:
    bash kpulse-notify/tests/real_smtp/install.sh
    cargo test -p kpulse-notify --test real_smtp

# What is under deploy/ on a real cluster: kubectl's current context, k3d-… and to be thrown away (needs helm too)
cluster:
    cargo test -p kpulse-bin --test cluster -- --ignored --nocapture

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
