# syntax=docker/dockerfile:1

# The version is that of rust-toolchain.toml, which asks for more than a build needs.
FROM rust:1.95.0-slim-trixie AS build
ENV RUSTUP_TOOLCHAIN=1.95.0
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --locked --release --package multichat-server && \
    install -D target/release/multichat-server /image/usr/local/bin/multichat-server
# Beside the program, the libraries that it was tested with, and nothing else: no shell, no package manager.
RUN ldd /image/usr/local/bin/multichat-server | grep -o '/[^ ]*' | \
    xargs cp --parents --dereference --target-directory /image

FROM scratch
COPY --from=build /image /
# Any other user will do: `docker run --user` names one that may read your config file.
USER 65532:65532
WORKDIR /etc/multichat
ENV MULTICHAT_CONFIG=/etc/multichat/config.json
EXPOSE 6780
ENTRYPOINT ["/usr/local/bin/multichat-server"]
