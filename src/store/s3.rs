//! The client of an S3 server.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use super::settings::S3Place;

/// Where an endpoint does not say, and the environment does not either.
const DEFAULT_REGION: &str = "us-east-1";

/// Idle connections that are kept for the next statement.
const IDLE_CONNECTIONS: usize = 64;

/// Makes the client; nothing is sent yet.
///
/// Requests use the path style, which every server takes. What fails is tried again with
/// growing pauses until `deadline`. The payload is signed only where the connection does not
/// protect it.
pub(super) fn client(place: &S3Place, deadline: Duration) -> object_store::Result<AmazonS3> {
    // The HTTP client takes the process's provider; a program that chose one keeps it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut options = ClientOptions::new()
        .with_allow_http(true)
        .with_connect_timeout(deadline.min(Duration::from_secs(5)))
        // A large object may take its time, as long as it moves.
        .with_timeout_disabled()
        .with_read_timeout(deadline)
        .with_pool_max_idle_per_host(IDLE_CONNECTIONS)
        .with_pool_idle_timeout(Duration::from_secs(30));
    if let Some(proxy) = &place.proxy_server {
        options = options.with_proxy_url(proxy);
    }
    let builder = match &place.credentials {
        Some((access_key, secret_key)) => AmazonS3Builder::new()
            .with_access_key_id(access_key.expose())
            .with_secret_access_key(secret_key.expose()),
        None => AmazonS3Builder::from_env(),
    };
    builder
        .with_endpoint(&place.endpoint)
        .with_bucket_name(&place.bucket)
        .with_region(region(&place.endpoint))
        .with_virtual_hosted_style_request(false)
        .with_unsigned_payload(place.endpoint.starts_with("https://"))
        .with_allow_http(true)
        .with_client_options(options)
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(50),
                max_backoff: Duration::from_secs(2),
                base: 2.0,
            },
            max_retries: 10,
            // Less than the deadline, so that it is the last failure that is told.
            retry_timeout: deadline.mul_f32(0.8),
        })
        .build()
}

/// The region that requests are signed for.
fn region(endpoint: &str) -> String {
    // Amazon's own endpoints are named `s3.<region>.amazonaws.com`.
    let host = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, host)| host);
    let of_amazon = host
        .strip_prefix("s3.")
        .and_then(|rest| rest.strip_suffix(".amazonaws.com"));
    if let Some(region) = of_amazon {
        return region.to_owned();
    }
    let from = |name| std::env::var(name).ok().filter(|region| !region.is_empty());
    from("AWS_REGION")
        .or_else(|| from("AWS_DEFAULT_REGION"))
        .unwrap_or_else(|| DEFAULT_REGION.to_owned())
}

/// The same, as a store of any kind.
pub(super) fn shared(
    place: &S3Place,
    deadline: Duration,
) -> object_store::Result<Arc<dyn object_store::ObjectStore>> {
    Ok(Arc::new(client(place, deadline)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_endpoints_name_their_region() {
        assert_eq!(region("https://s3.eu-west-1.amazonaws.com"), "eu-west-1");
    }
}
