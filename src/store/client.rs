//! What the clients of all servers have in common: how they connect and how they try again.

use std::time::Duration;

use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use super::error::Fault;

/// Idle connections that are kept for the next statement.
const IDLE_CONNECTIONS: usize = 64;

/// Why settings give no client.
#[derive(Debug)]
pub(super) struct Unusable {
    /// The key that is to be looked at.
    pub key: &'static str,
    /// What is wrong with it, without its value.
    pub reason: String,
}

impl Unusable {
    pub(super) fn new(key: &'static str, error: object_store::Error) -> Self {
        let reason = Fault::from(error).cause;
        Self { key, reason }
    }
}

/// How to connect. TLS is that of `rustls` with ring, and the system's certificates.
pub(super) fn options(deadline: Duration, allow_http: bool) -> ClientOptions {
    // The HTTP client takes the process's provider; a program that chose one keeps it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ClientOptions::new()
        .with_allow_http(allow_http)
        .with_connect_timeout(deadline.min(Duration::from_secs(5)))
        // A large object may take its time, as long as it moves.
        .with_timeout_disabled()
        .with_read_timeout(deadline)
        .with_pool_max_idle_per_host(IDLE_CONNECTIONS)
        .with_pool_idle_timeout(Duration::from_secs(30))
}

/// What fails is tried again, with growing pauses, for most of `deadline`: less than all of it,
/// so that it is the last failure that is told and not just the time that has passed.
pub(super) fn retry(deadline: Duration) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: 10,
        retry_timeout: deadline.mul_f32(0.8),
    }
}
