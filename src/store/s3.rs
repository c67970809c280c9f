//! The client of an S3 server.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;

use super::client::{self, Unusable};
use super::settings::S3Place;

/// Where an endpoint does not say, and the environment does not either.
const DEFAULT_REGION: &str = "us-east-1";

/// Makes the client; nothing is sent yet.
///
/// Requests use the path style, which every server takes. The payload is signed only where the connection does not
/// protect it.
pub(super) fn client(
    place: &S3Place,
    deadline: Duration,
) -> Result<Arc<dyn ObjectStore>, Unusable> {
    let options = client::options(deadline, true);
    let options = match &place.proxy_server {
        Some(proxy) => options.with_proxy_url(proxy),
        None => options,
    };
    let builder = match &place.credentials {
        Some((access_key, secret_key)) => AmazonS3Builder::new()
            .with_access_key_id(access_key.expose())
            .with_secret_access_key(secret_key.expose()),
        None => AmazonS3Builder::from_env(),
    };
    let store = builder
        .with_endpoint(&place.endpoint)
        .with_bucket_name(&place.bucket)
        .with_region(region(&place.endpoint))
        .with_virtual_hosted_style_request(false)
        .with_unsigned_payload(place.endpoint.starts_with("https://"))
        .with_allow_http(true)
        .with_client_options(options)
        .with_retry(client::retry(deadline))
        .build()
        .map_err(|error| Unusable::new("endpoint", error))?;
    Ok(Arc::new(store))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_endpoints_name_their_region() {
        assert_eq!(region("https://s3.eu-west-1.amazonaws.com"), "eu-west-1");
    }
}
