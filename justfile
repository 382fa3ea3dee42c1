# What this project does, by `just`. `just --list` shows it.

set positional-arguments
set ignore-comments

wasm := "--locked --package multichat --lib --target wasm32-unknown-unknown"

# Lists the recipes.
default:
    @just --list

# Runs the router; arguments go to it, such as `just serve check` or `just serve --config my.json`.
[no-exit-message]
serve *arguments:
    cargo run --locked --release --package multichat-server -- "$@"

# Builds the chat page and serves it; the line that is printed opens it. Arguments go to the router.
[no-exit-message]
demo *arguments: page
    cargo run --locked --release --package multichat-server -- serve --web-root web-demo/dist "$@"

# Builds the chat page, with the client and the npm package that are in it, as web-demo/dist.
page:
    ./scripts/with-tools npm --prefix sdk/npm run build
    ./scripts/with-tools npm --prefix web-demo run build

# Makes pictures of the chat page, in web-demo/build/pictures.
screenshots:
    ./scripts/with-tools --browser npm --prefix sdk/npm run build
    ./scripts/with-tools --browser npm --prefix web-demo run screenshots

# Runs all tests. They bring what they need, but for python3, npm and Chromium; if one is missing they say so.
test:
    ./scripts/with-tools --browser true
    cargo test --locked --workspace
    ./scripts/with-tools --browser ./scripts/test-wasm
    ./scripts/with-tools --browser npm --prefix sdk/npm test
    ./scripts/with-tools --browser npm --prefix web-demo run test
    ./scripts/with-tools --browser npm --prefix web-demo run test:browser

# Checks formatting, lints, documentation, and what each part may depend on.
lint:
    ./scripts/with-tools true
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings
    # As it is shipped: with the protocol alone.
    cargo clippy --locked --package multichat-server -- -D warnings
    cargo clippy {{ wasm }} --no-default-features -- -D warnings
    cargo clippy {{ wasm }} -- -D warnings
    cargo clippy {{ wasm }} --profile test -- -D warnings
    cargo clippy {{ wasm }} --features js -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items
    RUSTDOCFLAGS="-D warnings" cargo doc {{ wasm }} --features js --no-deps --document-private-items
    ./scripts/check-dependencies
    ./scripts/with-tools npm --prefix sdk/npm run lint
    ./scripts/with-tools npm --prefix web-demo run lint

# Builds the npm package, as sdk/npm/multichat-*.tgz.
package:
    ./scripts/with-tools npm --prefix sdk/npm run tarball

# Measures speed and memory beside yardsticks, on Linux; `just bench --help` tells what can be chosen.
bench *arguments:
    ./scripts/bench "$@"
