//! TLS on both legs, with rustls.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::stream::Stream;
use crate::config::{Address, Config, DatabaseTls, Identity};

/// What a session needs for encryption.
#[derive(Clone)]
pub struct Tls {
    /// Offered to clients, if at all.
    pub acceptor: Option<TlsAcceptor>,
    /// When the database is spoken to over TLS.
    pub to_database: DatabaseTls,
    connector: TlsConnector,
}

/// Why encryption cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file that cannot be read or holds something else.
    #[error("{0}: {1}")]
    Pem(String, String),
    /// Certificate and key do not fit, or cannot be used.
    #[error("cannot use the certificate: {0}")]
    Certificate(String),
}

impl Tls {
    /// Reads certificates, or makes a self-signed one.
    pub fn new(config: &Config) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let acceptor = match (config.tls.enabled, &config.tls.identity) {
            (false, _) => None,
            (true, Some(identity)) => Some(acceptor(&provider, read_identity(identity)?)?),
            (true, None) => Some(acceptor(&provider, self_signed()?)?),
        };
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| TlsError::Certificate(e.to_string()))?;
        let client = match &config.database.tls_ca {
            Some(path) => {
                let name = path.display().to_string();
                let pem = |e: &dyn ToString| TlsError::Pem(name.clone(), e.to_string());
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_file_iter(path).map_err(|e| pem(&e))? {
                    roots
                        .add(certificate.map_err(|e| pem(&e))?)
                        .map_err(|e| pem(&e))?;
                }
                builder.with_root_certificates(roots).with_no_client_auth()
            }
            None => {
                let any = Arc::new(AnyCertificate(provider));
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(any)
                    .with_no_client_auth()
            }
        };
        Ok(Self {
            acceptor,
            to_database: config.database.tls,
            connector: TlsConnector::from(Arc::new(client)),
        })
    }

    /// Encrypts a connection to the database, after the `SSLRequest`.
    pub async fn connect(&self, plain: Stream, address: &Address) -> io::Result<Stream> {
        let (Stream::Tcp(plain), Address::Tcp { host, .. }) = (plain, address) else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "TLS to the database needs TCP",
            ));
        };
        let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
        Ok(Stream::ServerTls(Box::new(
            self.connector.connect(name, plain).await?,
        )))
    }
}

type KeyPair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn acceptor(
    provider: &Arc<CryptoProvider>,
    (chain, key): KeyPair,
) -> Result<TlsAcceptor, TlsError> {
    let config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| TlsError::Certificate(e.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read_identity(identity: &Identity) -> Result<KeyPair, TlsError> {
    let pem = |path: &std::path::Path, e: &dyn ToString| {
        TlsError::Pem(path.display().to_string(), e.to_string())
    };
    let chain = CertificateDer::pem_file_iter(&identity.certificate)
        .and_then(Iterator::collect)
        .map_err(|e| pem(&identity.certificate, &e))?;
    let key = PrivateKeyDer::from_pem_file(&identity.key).map_err(|e| pem(&identity.key, &e))?;
    Ok((chain, key))
}

fn self_signed() -> Result<KeyPair, TlsError> {
    let made =
        rcgen::generate_simple_self_signed(["localhost".to_owned(), "codec-proxy".to_owned()])
            .map_err(|e| TlsError::Certificate(e.to_string()))?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    Ok((vec![made.cert.der().clone()], key.into()))
}

/// Takes any certificate: encryption without knowing who is at the other end, which is what
/// MySQL clients do unless they are given an authority (`--ssl-mode=REQUIRED`).
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
