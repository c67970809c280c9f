//! Logging a client in: the database's own challenge goes to the client, the client's answer to
//! the database. Accounts and passwords stay there.
//!
//! 1. Connect to the database and read its greeting. No connection: the client gets error 2003.
//!    An error instead of a greeting (too many connections) is passed on.
//! 2. The greeting goes to the client, its capabilities reduced to those the relay follows, TLS
//!    added if the proxy offers it.
//! 3. The client may ask for TLS; then the rest comes encrypted.
//! 4. The client's response goes to the database, with capabilities reduced likewise; over TLS
//!    where that is configured.
//! 5. Authentication packets pass in both directions until OK or ERR. Each leg counts its own
//!    sequence numbers. In one case the proxy takes part ([`full_authentication`]).
//! 6. What follows OK is compressed towards a client that has asked for it, never towards the
//!    database.
//!
//! A failure in any step closes both connections; the login as a whole has a deadline.

use std::io;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, UnixStream};

use super::link::Link;
use super::stream::Stream;
use super::tls;
use crate::config::{Address, DatabaseTls};
use crate::refusal::Refusal;
use crate::sql::lexer;
use crate::wire::handshake::{Greeting, Response, SSL_REQUEST};
use crate::wire::packet::{self, HEADER};
use crate::wire::reply;
use crate::wire::response::Shape;
use mysql_common::constants::CapabilityFlags;

/// Authentication packets are short; certificates and tickets some kilobytes.
const PACKET: u64 = 1 << 20;
const CACHING_SHA2: &[u8] = b"caching_sha2_password";
/// In an authentication packet: "send your password".
const PERFORM_FULL: [u8; 2] = [0x01, 0x04];
/// From a client, or to the server: "send your public key".
const REQUEST_KEY: u8 = 0x02;

/// A client that the database let in.
#[derive(Debug)]
pub struct Login {
    /// Towards the client.
    pub client: Link,
    /// Towards the database.
    pub server: Link,
    /// What the two agreed on.
    pub shape: Shape,
    /// Status flags of the login's OK packet.
    pub status: u16,
    /// The client may send several statements at once.
    pub multi_statements: bool,
    /// The account's name.
    pub user: Vec<u8>,
    /// The current database.
    pub schema: Option<String>,
    /// The database's own number of the connection.
    pub connection: u32,
    /// For a later `COM_CHANGE_USER`.
    pub challenge: Challenge,
    /// By its own word.
    pub database: lexer::Server,
}

/// What an authentication plugin works on.
#[derive(Debug, Clone, Default)]
pub struct Challenge {
    plugin: Vec<u8>,
    nonce: Vec<u8>,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The database cannot be reached.
    #[error("cannot connect to the database at {0}: {1}")]
    Connect(Address, io::Error),
    /// The database is there, but does not take the connection, or the login.
    #[error("the database refused the login")]
    Refused,
    /// One of the two does not speak the protocol, or went away.
    #[error("login ended: {0}")]
    Protocol(String),
    /// A connection broke.
    #[error("login broke off: {0}")]
    Io(#[from] io::Error),
}

/// Logs one client in. Errors that a client may see have been sent to it.
pub async fn login(
    client: TcpStream,
    address: &Address,
    encryption: &tls::Tls,
) -> Result<Login, LoginError> {
    let mut client = Link::new(Stream::Tcp(client));
    let mut server = match connect(address).await {
        Ok(stream) => Link::new(stream),
        Err(error) => {
            let text = format!("codec-proxy: cannot connect to the database server at {address}");
            refuse_early(&mut client, 2003, &text).await?;
            return Err(LoginError::Connect(address.clone(), error));
        }
    };
    let first = server.read_packet(PACKET).await?;
    if first.payload.first() == Some(&reply::ERR) {
        client.write_packet(first.seq, &first.payload).await?;
        return Err(LoginError::Refused);
    }
    let greeting = Greeting::parse(first.payload.to_vec()).ok_or_else(|| {
        LoginError::Protocol("the database's greeting is not that of MySQL's protocol 10".into())
    })?;
    let offered = greeting.capabilities();
    let database = lexer::Server::of_version(greeting.version());
    let connection = greeting.connection();
    let mut challenge = Challenge {
        plugin: greeting.plugin.clone(),
        nonce: greeting.nonce.clone(),
    };
    client
        .write_packet(0, &greeting.for_client(encryption.acceptor.is_some()))
        .await?;

    let (mut client_seq, mut response) = client_response(&mut client).await?;
    if let (true, Some(acceptor)) = (response.is_ssl_request(), &encryption.acceptor) {
        let Stream::Tcp(plain) = std::mem::replace(&mut client.stream, Stream::Taken) else {
            return Err(LoginError::Protocol(
                "TLS over something else than TCP".into(),
            ));
        };
        client.stream = Stream::ClientTls(Box::new(acceptor.accept(plain).await?));
        (client_seq, response) = client_response(&mut client).await?;
    }
    let encrypt = match encryption.to_database {
        DatabaseTls::Off => false,
        DatabaseTls::Follow => client.stream.is_encrypted(),
        DatabaseTls::Always => true,
    };
    let multi_statements = response
        .capabilities()
        .contains(CapabilityFlags::CLIENT_MULTI_STATEMENTS);
    let user = response.user().to_vec();
    let schema = response
        .database()
        .map(|name| String::from_utf8_lossy(name).into_owned());
    let compression = response.compression();
    let (payload, shape) = response.for_server(offered, encrypt);
    let mut server_seq = 1;
    if encrypt {
        if !offered.contains(CapabilityFlags::CLIENT_SSL) {
            refuse(
                &mut client,
                client_seq,
                "the database offers no TLS, but database.tls asks for it",
            )
            .await?;
            return Err(LoginError::Protocol("the database offers no TLS".into()));
        }
        server_seq = server
            .write_packet(server_seq, &payload[..SSL_REQUEST])
            .await?;
        server.stream = encryption
            .connect(
                std::mem::replace(&mut server.stream, Stream::Taken),
                address,
            )
            .await?;
    }
    server_seq = server.write_packet(server_seq, &payload).await?;
    let seqs = Seqs {
        client: client_seq,
        server: server_seq,
    };
    match authenticate(&mut client, &mut server, seqs, &mut challenge).await? {
        Some(status) => Ok(Login {
            client: match compression {
                Some(algorithm) => client.compressed(algorithm),
                None => client,
            },
            server,
            shape,
            status,
            multi_statements,
            user,
            schema,
            connection,
            challenge,
            database,
        }),
        None => Err(LoginError::Refused),
    }
}

/// The next sequence number on each leg.
#[derive(Debug, Clone, Copy)]
pub struct Seqs {
    /// Of the next packet to the client.
    pub client: u8,
    /// Of the next packet to the server.
    pub server: u8,
}

/// Relays authentication packets until the server decides; gives the OK packet's status flags,
/// or `None` for ERR. Used for the login and for `COM_CHANGE_USER`.
pub async fn authenticate(
    client: &mut Link,
    server: &mut Link,
    mut seqs: Seqs,
    challenge: &mut Challenge,
) -> io::Result<Option<u16>> {
    loop {
        tokio::select! {
            packet = server.read_packet(PACKET) => {
                let packet = packet?;
                seqs.server = packet.seq.wrapping_add(1);
                if packet.payload[..] == PERFORM_FULL && challenge.plugin == CACHING_SHA2 && client.stream.is_encrypted() && !server.stream.is_secure() {
                    full_authentication(client, server, &mut seqs, &challenge.nonce).await?;
                    continue;
                }
                seqs.client = client.write_packet(seqs.client, &packet.payload).await?;
                match packet.payload.first() {
                    Some(&reply::OK) => return Ok(Some(reply::ok_status(&packet.payload).unwrap_or(0))),
                    Some(&reply::ERR) | None => return Ok(None),
                    Some(&reply::EOF) => *challenge = switched(&packet.payload),
                    _ => {}
                }
            }
            packet = client.read_packet(PACKET) => {
                let packet = packet?;
                seqs.client = packet.seq.wrapping_add(1);
                let asks_for_key = packet.payload[..] == [REQUEST_KEY] && challenge.plugin == CACHING_SHA2;
                if asks_for_key && server.stream.is_secure() && !client.stream.is_encrypted() {
                    refuse(client, seqs.client, "this account needs TLS between the client and codec-proxy (caching_sha2_password)").await?;
                    return Ok(None);
                }
                seqs.server = server.write_packet(seqs.server, &packet.payload).await?;
            }
        }
    }
}

/// The half of `caching_sha2_password` that the client leaves out: on an encrypted connection it
/// sends its password in clear, but the database, on a plain connection, wants it encrypted with
/// its public key. The password is not kept.
async fn full_authentication(
    client: &mut Link,
    server: &mut Link,
    seqs: &mut Seqs,
    nonce: &[u8],
) -> io::Result<()> {
    client.write_packet(seqs.client, &PERFORM_FULL).await?;
    let password = client.read_packet(PACKET).await?;
    seqs.client = password.seq.wrapping_add(1);
    server.write_packet(seqs.server, &[REQUEST_KEY]).await?;
    let key = server.read_packet(PACKET).await?;
    seqs.server = key.seq.wrapping_add(1);
    let pem = key
        .payload
        .strip_prefix(&[0x01])
        .filter(|pem| pem.starts_with(b"-----BEGIN PUBLIC KEY-----"));
    let Some(pem) = pem else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the database sent no public key",
        ));
    };
    let masked: Vec<u8> = password
        .payload
        .iter()
        .zip(nonce.iter().cycle())
        .map(|(a, b)| a ^ b)
        .collect();
    seqs.server = server
        .write_packet(seqs.server, &mysql_common::crypto::encrypt(&masked, pem))
        .await?;
    Ok(())
}

/// The plugin and nonce of an `AuthSwitchRequest`.
fn switched(payload: &[u8]) -> Challenge {
    let mut parts = payload[1..].splitn(2, |b| *b == 0);
    let plugin = parts.next().unwrap_or_default().to_vec();
    let nonce = parts.next().unwrap_or_default();
    Challenge {
        plugin,
        nonce: nonce.strip_suffix(&[0]).unwrap_or(nonce).to_vec(),
    }
}

async fn connect(address: &Address) -> io::Result<Stream> {
    match address {
        Address::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Ok(Stream::Tcp(stream))
        }
        Address::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
    }
}

/// The client's first packet, read to its last byte and not further: TLS may follow at once.
async fn client_response(client: &mut Link) -> Result<(u8, Response), LoginError> {
    let mut header = [0; HEADER];
    client.stream.read_exact(&mut header).await?;
    let (len, seq) = packet::read_header(&header).unwrap_or_default();
    if len as u64 > PACKET {
        return Err(LoginError::Protocol(
            "the client's first packet is not a handshake response".into(),
        ));
    }
    let mut payload = vec![0; len];
    client.stream.read_exact(&mut payload).await?;
    let seq = seq.wrapping_add(1);
    match Response::parse(payload) {
        Ok(response) => Ok((seq, response)),
        Err(error) => {
            refuse(client, seq, &error.to_string()).await?;
            Err(LoginError::Protocol(error.to_string()))
        }
    }
}

async fn refuse(client: &mut Link, seq: u8, text: &str) -> io::Result<()> {
    client
        .write_packet(seq, &reply::err(&Refusal::handshake(text)))
        .await
        .map(drop)
}

/// An error before the greeting: the client's capabilities are not known, so no SQLSTATE.
pub async fn refuse_early(client: &mut Link, code: u16, text: &str) -> io::Result<()> {
    let mut payload = vec![reply::ERR];
    payload.extend_from_slice(&code.to_le_bytes());
    payload.extend_from_slice(text.as_bytes());
    client
        .write_packet(0, &Bytes::from(payload))
        .await
        .map(drop)
}
