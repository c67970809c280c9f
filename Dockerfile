# codec-proxy as an image, and (target `test`) its integration tests against a running one.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# The dependencies first, in a layer that stays while only our own code changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo 'fn main() {}' >src/main.rs && touch src/lib.rs \
    && cargo build --release --locked
COPY src src
# Newer than what was built from the empty ones.
RUN touch src/main.rs src/lib.rs \
    && cargo build --release --locked \
    && strip target/release/codec-proxy

FROM debian:bookworm-slim AS test
WORKDIR /src
COPY tests/setup tests/setup
RUN apt-get update \
    && apt-get install -y --no-install-recommends mariadb-client python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && CODEC_PROXY_TOOLS=/tools tests/setup/python.sh dj0 dj2
COPY tests/demo tests/demo
ENV CODEC_PROXY_TOOLS=/tools
USER nobody
CMD ["/tools/dj2/bin/python", "tests/demo/demo.py", "--at", "/etc/codec-proxy/place.json"]

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home codec-proxy
COPY --from=build /src/target/release/codec-proxy /usr/local/bin/
USER codec-proxy
# For clients; and the page, where [metrics] is configured so.
EXPOSE 6033 6034 6035
ENV CODEC_PROXY_CONFIG=/etc/codec-proxy/codec-proxy.toml
# Healthy is who reaches the database and every store: a probe object is put, read and deleted.
HEALTHCHECK --interval=10s --timeout=20s --start-period=30s \
    CMD ["codec-proxy", "check"]
ENTRYPOINT ["codec-proxy"]
CMD ["serve"]
