# What this project does, by `just`. `just --list` shows it.

set positional-arguments

# Lists the recipes.
default:
    @just --list

# Runs the router; arguments go to it, such as `just serve check` or `just serve --config my.json`.
serve *arguments:
    cargo run --locked --release --package multichat-server -- "$@"

# Runs all tests. They bring what they need, but for python3 and npm; if one of these is missing they say so.
test:
    cargo test --locked --workspace

# Checks formatting, lints, documentation, and what each part may depend on.
lint:
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings
    cargo clippy --locked --package multichat --target wasm32-unknown-unknown -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items
    ./scripts/check-dependencies

# Measures speed and memory beside two yardsticks, on Linux; `just bench --help` tells what can be chosen.
bench *arguments:
    cargo bench --locked --package multichat-server --bench router -- "$@"
