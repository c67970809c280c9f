//! The client of Azure Blob Storage.
//!
//! Without a connection string and without a key, the credentials are the environment's: its
//! own connection string (`AZURE_STORAGE_CONNECTION_STRING`), else the other `AZURE_…` variables
//! (account key, shared access signature, client secret, workload identity), else the
//! machine's managed identity.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

use super::Secret;
use super::client::{self, Unusable};
use super::settings::AzurePlace;

/// What a connection string says of the blob service.
#[derive(Debug, Clone, PartialEq)]
pub struct AzureConnection {
    account: String,
    /// URL of the account's blobs; `None` is Azure's own.
    endpoint: Option<String>,
    credentials: Credentials,
}

#[derive(Debug, Clone, PartialEq)]
enum Credentials {
    Key(Secret),
    Signature(Secret),
    /// Those that everybody knows.
    Emulator,
}

/// Makes the client; nothing is sent yet.
pub(super) fn client(
    place: &AzurePlace,
    deadline: Duration,
) -> Result<Arc<dyn ObjectStore>, Unusable> {
    let environment = || {
        let text = std::env::var("AZURE_STORAGE_CONNECTION_STRING").ok()?;
        (place.key.is_none() && !text.is_empty()).then_some(Secret::new(text))
    };
    let connection = match (&place.connection, environment()) {
        (Some(connection), _) => Some(connection.clone()),
        (None, Some(text)) => {
            let connection = AzureConnection::parse(&text).map_err(|reason| Unusable {
                key: "connection_string",
                reason: format!("AZURE_STORAGE_CONNECTION_STRING: {reason}"),
            })?;
            Some(connection)
        }
        (None, None) => None,
    };
    let (builder, plain) = match &connection {
        Some(connection) => connection.builder(),
        None => (builder(place), false),
    };
    let store = builder
        .with_container_name(&place.container)
        .with_client_options(client::options(deadline, plain))
        .with_retry(client::retry(deadline))
        .build()
        .map_err(|error| Unusable::new("account_name", error))?;
    Ok(Arc::new(store))
}

/// The account and key of the settings over what the environment says.
fn builder(place: &AzurePlace) -> MicrosoftAzureBuilder {
    let mut builder = MicrosoftAzureBuilder::from_env();
    if let Some(account) = &place.account {
        builder = builder.with_account(account);
    }
    if let Some(key) = &place.key {
        builder = builder
            .with_access_key(key.expose())
            .with_credential_type("access_key");
    }
    builder
}

impl AzureConnection {
    /// Reads `key=value;…` as Azure's portal writes it. What is about other services is left
    /// alone. The error says what is wrong without showing any of it.
    pub fn parse(text: &Secret) -> Result<Self, String> {
        let mut protocol = "https";
        let (mut account, mut key, mut endpoint, mut suffix, mut signature) =
            (None, None, None, None, None);
        for pair in text.expose().split(';').map(str::trim) {
            if pair.is_empty() {
                continue;
            }
            // Keys and signatures have more of the same sign in them.
            let (name, value) = pair
                .split_once('=')
                .ok_or("takes pairs of a name, \"=\" and a value, with \";\" between them")?;
            match name.trim().to_ascii_lowercase().as_str() {
                "defaultendpointsprotocol" => protocol = value,
                "accountname" => account = Some(value.to_owned()),
                "accountkey" => key = Some(Secret::new(value)),
                "blobendpoint" => endpoint = Some(value.trim_end_matches('/').to_owned()),
                "endpointsuffix" => suffix = Some(value),
                "sharedaccesssignature" => signature = Some(Secret::new(value)),
                "usedevelopmentstorage" if value.eq_ignore_ascii_case("true") => {
                    return Ok(Self::emulator());
                }
                _ => {}
            }
        }
        if !matches!(protocol, "http" | "https") {
            return Err("DefaultEndpointsProtocol takes http or https".to_owned());
        }
        let account = account
            .or_else(|| account_of(endpoint.as_deref()?))
            .ok_or("has no AccountName")?;
        let endpoint = endpoint.or_else(|| match (suffix, protocol) {
            (None, "https") => None,
            (suffix, protocol) => {
                let suffix = suffix.unwrap_or("core.windows.net");
                Some(format!("{protocol}://{account}.blob.{suffix}"))
            }
        });
        let credentials = match (key, signature) {
            (Some(key), _) => Credentials::Key(key),
            (None, Some(signature)) => Credentials::Signature(signature),
            (None, None) => {
                return Err("has neither an AccountKey nor a SharedAccessSignature".to_owned());
            }
        };
        Ok(Self {
            account,
            endpoint,
            credentials,
        })
    }

    fn emulator() -> Self {
        Self {
            account: "devstoreaccount1".to_owned(),
            endpoint: None,
            credentials: Credentials::Emulator,
        }
    }

    /// And whether it goes over plain HTTP.
    fn builder(&self) -> (MicrosoftAzureBuilder, bool) {
        let mut builder = MicrosoftAzureBuilder::new().with_account(&self.account);
        let mut plain = false;
        if let Some(endpoint) = &self.endpoint {
            plain = endpoint.starts_with("http://");
            builder = builder.with_endpoint(endpoint.clone());
        }
        match &self.credentials {
            Credentials::Key(key) => (builder.with_access_key(key.expose()), plain),
            Credentials::Signature(signature) => {
                let signature = signature.expose().trim_start_matches('?');
                (
                    builder.with_config(AzureConfigKey::SasKey, signature),
                    plain,
                )
            }
            Credentials::Emulator => (builder.with_use_emulator(true), true),
        }
    }
}

/// `account` out of `https://account.blob.…`.
fn account_of(endpoint: &str) -> Option<String> {
    let (_, host) = endpoint.split_once("://")?;
    let (account, _) = host.split_once('.')?;
    Some(account.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<AzureConnection, String> {
        AzureConnection::parse(&Secret::new(text))
    }

    #[test]
    fn what_the_portal_shows_is_understood() {
        let portal = "DefaultEndpointsProtocol=https;AccountName=lab;AccountKey=QUJD+/==;\
                      EndpointSuffix=core.windows.net";
        let connection = parse(portal).unwrap();
        assert_eq!(connection.account, "lab");
        assert_eq!(
            connection.endpoint.as_deref(),
            Some("https://lab.blob.core.windows.net")
        );
        let key = Credentials::Key(Secret::new("QUJD+/=="));
        assert_eq!(connection.credentials, key);
        assert_eq!(
            parse("AccountName=lab;AccountKey=QUJD").unwrap().endpoint,
            None
        );
    }

    #[test]
    fn an_endpoint_of_its_own_wins() {
        let azurite = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=QUJD;\
                       BlobEndpoint=http://127.0.0.1:10000/a/;QueueEndpoint=http://127.0.0.1:1/a;";
        let connection = parse(azurite).unwrap();
        assert_eq!(
            connection.endpoint.as_deref(),
            Some("http://127.0.0.1:10000/a")
        );
        assert!(connection.builder().1);
        let signed = "BlobEndpoint=https://lab.blob.core.windows.net;\
                      SharedAccessSignature=sv=2024&sig=abc%3D";
        let connection = parse(signed).unwrap();
        assert_eq!(connection.account, "lab");
        let signature = Credentials::Signature(Secret::new("sv=2024&sig=abc%3D"));
        assert_eq!(connection.credentials, signature);
        assert!(!connection.builder().1);
        let emulator = parse("UseDevelopmentStorage=true").unwrap();
        assert_eq!(emulator.credentials, Credentials::Emulator);
    }

    #[test]
    fn what_is_wrong_is_told_without_a_secret() {
        for text in [
            "topsecret",
            "AccountName=lab;topsecret",
            "AccountKey=topsecret",
            "AccountName=lab",
            "DefaultEndpointsProtocol=topsecret;AccountName=lab;AccountKey=topsecret",
        ] {
            let reason = parse(text).unwrap_err();
            assert!(!reason.contains("topsecret"), "{reason}");
        }
        let connection = parse("AccountName=lab;AccountKey=topsecret").unwrap();
        assert!(!format!("{connection:?}").contains("topsecret"));
    }
}
