//! The client of Google Cloud Storage.
//!
//! Where it asks: at the `gcs_base_url` that a service account's JSON may have, else at
//! `STORAGE_EMULATOR_HOST` (which gcsfs, DataJoint's way to Google, takes too), else at Google.
//! Plain HTTP is spoken only where one of the two says so.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::gcp::GoogleCloudStorageBuilder;
use serde_json::Value;

use super::client::{self, Unusable};
use super::settings::{GcsPlace, GcsToken};

/// Makes the client; nothing is sent yet.
pub(super) fn client(
    place: &GcsPlace,
    deadline: Duration,
) -> Result<Arc<dyn ObjectStore>, Unusable> {
    let new = GoogleCloudStorageBuilder::new;
    let (builder, own_url) = match &place.token {
        GcsToken::Environment => (GoogleCloudStorageBuilder::from_env(), None),
        GcsToken::Anonymous => {
            // A bearer token that is never sent keeps it from looking for another.
            let builder = new().with_bearer_token("").with_skip_signature(true);
            (builder, None)
        }
        GcsToken::Json(json) => service_account(json.expose())?,
        GcsToken::File(path) => from_file(path)?,
    };
    let url = own_url.or_else(|| emulator(std::env::var("STORAGE_EMULATOR_HOST").ok()?));
    let plain = url.as_deref().is_some_and(|url| url.starts_with("http://"));
    let builder = match url {
        Some(url) => builder.with_base_url(&url),
        None => builder,
    };
    let store = builder
        .with_bucket_name(&place.bucket)
        .with_client_options(client::options(deadline, plain))
        .with_retry(client::retry(deadline))
        .build()
        .map_err(|error| Unusable::new("token", error))?;
    Ok(Arc::new(store))
}

type Account = (GoogleCloudStorageBuilder, Option<String>);

/// The credentials in a file: a service account's, or those that `gcloud` has written.
fn from_file(path: &Path) -> Result<Account, Unusable> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        unusable(&format!(
            "is taken for a file, which cannot be read: {error}"
        ))
    })?;
    let is_user = parse(&text)?.get("type").and_then(Value::as_str) == Some("authorized_user");
    if !is_user {
        return service_account(&text);
    }
    let path = path
        .to_str()
        .ok_or_else(|| unusable("is a path that is not UTF-8"))?;
    let builder = GoogleCloudStorageBuilder::new().with_application_credentials(path);
    Ok((builder, None))
}

/// A service account, and the URL it is for, if it says.
fn service_account(json: &str) -> Result<Account, Unusable> {
    let parsed = parse(json)?;
    // The errors of others about these would show them.
    for key in ["client_email", "private_key", "private_key_id"] {
        if !parsed.get(key).is_some_and(Value::is_string) {
            return Err(unusable(&format!("is JSON without a text \"{key}\"")));
        }
    }
    let url = parsed.get("gcs_base_url").and_then(Value::as_str);
    let builder = GoogleCloudStorageBuilder::new().with_service_account_key(json);
    Ok((builder, url.map(str::to_owned)))
}

fn parse(json: &str) -> Result<Value, Unusable> {
    serde_json::from_str(json).map_err(|_| unusable("is neither JSON nor the file of one"))
}

fn unusable(reason: &str) -> Unusable {
    Unusable {
        key: "token",
        reason: reason.to_owned(),
    }
}

/// The URL of an emulator, which may be given without a scheme.
fn emulator(host: String) -> Option<String> {
    let host = host.trim_end_matches('/');
    match host {
        "" => None,
        url if url.contains("://") => Some(url.to_owned()),
        host => Some(format!("http://{host}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Secret;

    fn reason(token: GcsToken) -> String {
        let place = GcsPlace {
            bucket: "lab".to_owned(),
            location: None,
            token,
        };
        let unusable = client(&place, Duration::from_secs(1))
            .map(drop)
            .unwrap_err();
        assert_eq!(unusable.key, "token");
        unusable.reason
    }

    #[test]
    fn credentials_that_are_none_are_told_without_them() {
        let json = |text: &str| reason(GcsToken::Json(Secret::new(text)));
        let told = json("{\"private_key\": 5, \"client_email\": \"topsecret\"}");
        assert_eq!(told, "is JSON without a text \"private_key\"");
        let told = json(
            "{\"private_key\": \"topsecret\", \"private_key_id\": \"x\", \"client_email\": \"x\"}",
        );
        assert!(!told.contains("topsecret"), "{told}");
        assert!(json("{topsecret").contains("neither JSON"));
        let file = reason(GcsToken::File("/no/such/file".into()));
        assert!(file.contains("cannot be read"), "{file}");
    }

    #[test]
    fn nobody_needs_no_credentials() {
        let place = GcsPlace {
            bucket: "lab".to_owned(),
            location: None,
            token: GcsToken::Anonymous,
        };
        assert!(client(&place, Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn an_emulator_needs_no_scheme() {
        let url = |host: &str| emulator(host.to_owned());
        assert_eq!(url("127.0.0.1:4443").unwrap(), "http://127.0.0.1:4443");
        assert_eq!(url("https://h:1/").unwrap(), "https://h:1");
        assert_eq!(url(""), None);
    }
}
