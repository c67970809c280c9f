//! The login packets: the server's greeting and the client's response, read and patched in place.
//!
//! Nothing is re-made: what the proxy does not understand stays as the peer wrote it, and only
//! capability bits change. A capability that the proxy cannot follow is cleared on both sides,
//! so that neither peer uses it.

use std::ops::Range;

use mysql_common::constants::{CapabilityFlags, MariadbCapabilities};

use super::compress::Algorithm;
use super::lenenc;
use super::response::Shape;

/// Capabilities that the relay follows on both legs.
pub const UNDERSTOOD: CapabilityFlags = CapabilityFlags::all()
    .difference(CapabilityFlags::CLIENT_SSL)
    .difference(COMPRESSION);

/// What is offered to clients where the server offers it, and spoken with them alone.
const COMPRESSION: CapabilityFlags =
    CapabilityFlags::CLIENT_COMPRESS.union(CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM);

/// MariaDB's extended capabilities that the relay follows.
const MARIADB_UNDERSTOOD: MariadbCapabilities = MariadbCapabilities::MARIADB_CLIENT_PROGRESS
    .union(MariadbCapabilities::MARIADB_CLIENT_STMT_BULK_OPERATIONS)
    .union(MariadbCapabilities::MARIADB_CLIENT_EXTENDED_METADATA)
    .union(MariadbCapabilities::MARIADB_CLIENT_CACHE_METADATA)
    .union(MariadbCapabilities::MARIADB_CLIENT_BULK_UNIT_RESULTS);

/// Length of an `SSLRequest`: the head of a handshake response, alone.
pub const SSL_REQUEST: usize = 32;

/// The server's first packet (`HandshakeV10`).
#[derive(Debug)]
pub struct Greeting {
    payload: Vec<u8>,
    caps_low: usize,
    /// The nonce of the default authentication plugin, without its final NUL.
    pub nonce: Vec<u8>,
    /// The default authentication plugin.
    pub plugin: Vec<u8>,
    version_end: usize,
}

impl Greeting {
    /// Parses the payload; `None` for another protocol version or a packet that ends early.
    pub fn parse(payload: Vec<u8>) -> Option<Self> {
        if payload.first() != Some(&10) {
            return None;
        }
        let version_end = 1 + payload[1..].iter().position(|b| *b == 0)?;
        let first_nonce = version_end + 5;
        let caps_low = first_nonce + 9;
        let fixed_end = caps_low + 2 + 1 + 2 + 2 + 1 + 10;
        if payload.len() < fixed_end {
            return None;
        }
        let nonce_len = usize::from(payload[caps_low + 7]).max(21) - 8;
        let nonce_end = payload.len().min(fixed_end + nonce_len);
        let mut nonce = payload[first_nonce..first_nonce + 8].to_vec();
        nonce.extend_from_slice(&payload[fixed_end..nonce_end]);
        nonce.truncate(20);
        let plugin = payload[nonce_end..]
            .split(|b| *b == 0)
            .next()
            .unwrap_or_default()
            .to_vec();
        Some(Self {
            payload,
            caps_low,
            nonce,
            plugin,
            version_end,
        })
    }

    /// The server's version, such as `5.5.5-10.11.19-MariaDB` or `9.7.0`.
    pub fn version(&self) -> &[u8] {
        &self.payload[1..self.version_end]
    }

    /// The server's own number of the connection.
    pub fn connection(&self) -> u32 {
        let at = self.version_end + 1;
        let bytes = self.payload.get(at..at + 4).and_then(|b| b.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    }

    /// Capabilities that the server offers.
    pub fn capabilities(&self) -> CapabilityFlags {
        let [a, b] = [self.payload[self.caps_low], self.payload[self.caps_low + 1]];
        let [c, d] = [
            self.payload[self.caps_low + 5],
            self.payload[self.caps_low + 6],
        ];
        CapabilityFlags::from_bits_retain(u32::from_le_bytes([a, b, c, d]))
    }

    /// True for a MariaDB server: it clears `CLIENT_LONG_PASSWORD` (`CLIENT_MYSQL`) to say that
    /// its extended capabilities are filled in.
    fn is_mariadb(&self) -> bool {
        !self
            .capabilities()
            .contains(CapabilityFlags::CLIENT_LONG_PASSWORD)
    }

    /// The payload for the client: only what both the server and the proxy understand, and TLS
    /// if the proxy offers it.
    pub fn for_client(mut self, offer_tls: bool) -> Vec<u8> {
        let mut caps = self.capabilities() & (UNDERSTOOD | COMPRESSION);
        caps.set(CapabilityFlags::CLIENT_SSL, offer_tls);
        let [a, b, c, d] = caps.bits().to_le_bytes();
        self.payload[self.caps_low..self.caps_low + 2].copy_from_slice(&[a, b]);
        self.payload[self.caps_low + 5..self.caps_low + 7].copy_from_slice(&[c, d]);
        if self.is_mariadb() {
            mask_mariadb(&mut self.payload, self.caps_low + 14..self.caps_low + 18);
        }
        self.payload
    }
}

/// The client's answer (`HandshakeResponse41`), patched for the server.
#[derive(Debug)]
pub struct Response {
    payload: Vec<u8>,
}

/// Why a client's first packet cannot be relayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Not a handshake response.
    #[error("the first packet is not a MySQL handshake response")]
    Malformed,
    /// A client older than MySQL 4.1.
    #[error("the client does not speak the protocol of MySQL 4.1 or later")]
    TooOld,
}

impl Response {
    /// Parses the client's packet.
    pub fn parse(payload: Vec<u8>) -> Result<Self, ResponseError> {
        if payload.len() < 4 {
            return Err(ResponseError::Malformed);
        }
        let response = Self { payload };
        let caps = response.capabilities();
        if !caps.contains(CapabilityFlags::CLIENT_PROTOCOL_41) {
            return Err(ResponseError::TooOld);
        }
        if response.payload.len() < SSL_REQUEST {
            return Err(ResponseError::Malformed);
        }
        Ok(response)
    }

    /// True when the client asks for TLS before it says who it is.
    pub fn is_ssl_request(&self) -> bool {
        self.payload.len() == SSL_REQUEST
            && self.capabilities().contains(CapabilityFlags::CLIENT_SSL)
    }

    /// Capabilities that the client uses.
    pub fn capabilities(&self) -> CapabilityFlags {
        let bytes = [
            self.payload[0],
            self.payload[1],
            self.payload[2],
            self.payload[3],
        ];
        CapabilityFlags::from_bits_retain(u32::from_le_bytes(bytes))
    }

    /// The account's name.
    pub fn user(&self) -> &[u8] {
        let rest = self.payload.get(SSL_REQUEST..).unwrap_or_default();
        rest.split(|b| *b == 0).next().unwrap_or_default()
    }

    /// The database that the client asks for; `None` if it asks for none, or cannot be read.
    pub fn database(&self) -> Option<&[u8]> {
        if !self
            .capabilities()
            .contains(CapabilityFlags::CLIENT_CONNECT_WITH_DB)
        {
            return None;
        }
        let name = self.behind_answer()?.split(|b| *b == 0).next()?;
        (!name.is_empty()).then_some(name)
    }

    /// How what follows the login is compressed, if it is.
    ///
    /// A client compresses if it has said so, whether that was offered or not: MySQL's Connector
    /// for Python does.
    pub fn compression(&self) -> Option<Algorithm> {
        let caps = self.capabilities();
        // Who says both means zlib.
        if caps.contains(CapabilityFlags::CLIENT_COMPRESS) {
            return Some(Algorithm::Zlib);
        }
        let zstd = caps.contains(CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM);
        zstd.then(|| Algorithm::Zstd {
            level: self.zstd_level().unwrap_or_default(),
        })
    }

    /// The last byte of a response whose sender compresses by zstd.
    fn zstd_level(&self) -> Option<u8> {
        let caps = self.capabilities();
        if !caps.contains(CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM) {
            return None;
        }
        let mut rest = self.behind_answer()?;
        for flag in [
            CapabilityFlags::CLIENT_CONNECT_WITH_DB,
            CapabilityFlags::CLIENT_PLUGIN_AUTH,
        ] {
            if caps.contains(flag) {
                rest = &rest[after_nul(rest)?..];
            }
        }
        if caps.contains(CapabilityFlags::CLIENT_CONNECT_ATTRS) {
            rest = &rest[lenenc::read_str(rest)?.1..];
        }
        match rest {
            [level] => Some(*level),
            _ => None,
        }
    }

    /// What follows the user and its answer to the challenge.
    fn behind_answer(&self) -> Option<&[u8]> {
        let caps = self.capabilities();
        let rest = self.payload.get(SSL_REQUEST..)?;
        let rest = &rest[after_nul(rest)?..];
        let answer = if caps.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA) {
            lenenc::read_str(rest)?.1
        } else if caps.contains(CapabilityFlags::CLIENT_SECURE_CONNECTION) {
            1 + usize::from(*rest.first()?)
        } else {
            after_nul(rest)?
        };
        rest.get(answer..)
    }

    /// The payload for the server, and what was agreed on.
    ///
    /// `tls` says whether the connection to the server is encrypted.
    pub fn for_server(mut self, offered: CapabilityFlags, tls: bool) -> (Vec<u8>, Shape) {
        if self.zstd_level().is_some() {
            self.payload.pop();
        }
        let mut caps = self.capabilities() & (UNDERSTOOD | CapabilityFlags::CLIENT_SSL);
        caps.set(CapabilityFlags::CLIENT_SSL, tls);
        self.payload[..4].copy_from_slice(&caps.bits().to_le_bytes());
        let mariadb = !caps.contains(CapabilityFlags::CLIENT_LONG_PASSWORD)
            && !offered.contains(CapabilityFlags::CLIENT_LONG_PASSWORD);
        let extended = match mariadb {
            true => mask_mariadb(&mut self.payload, SSL_REQUEST - 4..SSL_REQUEST),
            false => MariadbCapabilities::empty(),
        };
        let shape = Shape {
            deprecate_eof: (caps & offered).contains(CapabilityFlags::CLIENT_DEPRECATE_EOF),
            cache_metadata: extended.contains(MariadbCapabilities::MARIADB_CLIENT_CACHE_METADATA)
                || (caps & offered).contains(CapabilityFlags::CLIENT_OPTIONAL_RESULTSET_METADATA),
            extended_metadata: extended
                .contains(MariadbCapabilities::MARIADB_CLIENT_EXTENDED_METADATA),
            query_attributes: (caps & offered).contains(CapabilityFlags::CLIENT_QUERY_ATTRIBUTES),
        };
        (self.payload, shape)
    }
}

/// Where what follows a NUL-terminated string begins.
fn after_nul(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|b| *b == 0).map(|end| end + 1)
}

/// Clears the extended capabilities that are not understood; gives those that stay.
fn mask_mariadb(payload: &mut [u8], at: Range<usize>) -> MariadbCapabilities {
    let bytes = &mut payload[at];
    let bits = bytes
        .iter()
        .rev()
        .fold(0u32, |acc, b| acc << 8 | u32::from(*b));
    let kept = MariadbCapabilities::from_bits_retain(bits) & MARIADB_UNDERSTOOD;
    bytes.copy_from_slice(&kept.bits().to_le_bytes());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// MariaDB's greeting, capabilities all on, extended ones too.
    fn greeting(low: [u8; 2], high: [u8; 2]) -> Vec<u8> {
        let mut out = vec![10];
        out.extend_from_slice(b"5.5.5-10.11.19-MariaDB\0");
        out.extend_from_slice(&[7, 0, 0, 0]);
        out.extend_from_slice(b"saltsalt\0");
        out.extend_from_slice(&low);
        out.extend_from_slice(&[45, 2, 0]);
        out.extend_from_slice(&high);
        out.push(21);
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&[0xFF; 4]);
        out.extend_from_slice(b"peppersalt12\0");
        out.extend_from_slice(b"mysql_native_password\0");
        out
    }

    #[test]
    fn a_greeting_keeps_everything_but_capabilities() {
        let packet = greeting([0xFE, 0xFF], [0xFF, 0xFF]);
        let parsed = Greeting::parse(packet.clone()).unwrap();
        assert_eq!(parsed.nonce, b"saltsaltpeppersalt12");
        assert_eq!(parsed.plugin, b"mysql_native_password");
        let shown = parsed.for_client(true);
        let caps = Greeting::parse(shown.clone()).unwrap().capabilities();
        assert!(caps.contains(CapabilityFlags::CLIENT_SSL | CapabilityFlags::CLIENT_DEPRECATE_EOF));
        assert!(caps.contains(COMPRESSION));
        let changed = packet.iter().zip(&shown).filter(|(a, b)| a != b).count();
        assert!(changed <= 8 && packet.len() == shown.len());
    }

    #[test]
    fn compression_ends_at_the_proxy() {
        let read = |caps: u32, rest: &[u8]| {
            let mut payload = vec![0; SSL_REQUEST];
            payload[..4].copy_from_slice(&(0x0008_8208 | caps).to_le_bytes());
            payload.extend_from_slice(rest);
            let response = Response::parse(payload).unwrap();
            let algorithm = response.compression();
            let (patched, _) = response.for_server(CapabilityFlags::all(), false);
            let caps = Response::parse(patched.clone()).unwrap().capabilities();
            assert!(!caps.intersects(COMPRESSION));
            (algorithm, patched[SSL_REQUEST..].to_vec())
        };
        let (zlib, zstd, attributes) = (0x20, 1 << 26, 1 << 20);
        let rest = b"me\0\x02\0\0lab\0plugin\0".to_vec();
        let with = |more: &[u8]| [&rest[..], more].concat();
        assert_eq!(read(0, &rest), (None, rest.clone()));
        assert_eq!(read(zlib, &rest), (Some(Algorithm::Zlib), rest.clone()));
        let level = |level| Some(Algorithm::Zstd { level });
        assert_eq!(read(zstd, &with(b"\x07")), (level(7), rest.clone()));
        assert_eq!(read(zstd, &rest), (level(0), rest.clone()), "left out");
        assert_eq!(
            read(zstd | attributes, &with(b"\x04\x01a\x01b\x07")),
            (level(7), with(b"\x04\x01a\x01b"))
        );
        assert_eq!(
            read(zlib | zstd, &with(b"\x07")),
            (Some(Algorithm::Zlib), rest.clone())
        );
    }

    #[test]
    fn the_database_stands_behind_user_and_answer() {
        let read = |caps: u32, rest: &[u8]| {
            let mut payload = vec![0; SSL_REQUEST];
            payload[..4].copy_from_slice(&(0x0200 | caps).to_le_bytes());
            payload.extend_from_slice(rest);
            Response::parse(payload)
                .unwrap()
                .database()
                .map(<[u8]>::to_vec)
        };
        let lab = Some(b"lab".to_vec());
        assert_eq!(read(0x0020_8008, b"me\0\x02\0\0lab\0plugin\0"), lab);
        assert_eq!(read(0x0000_8008, b"me\0\x02\0\0lab\0plugin\0"), lab);
        assert_eq!(read(0x0000_0008, b"me\0xx\0lab"), lab);
        assert_eq!(read(0x0000_8008, b"me\0\0\0"), None);
        assert_eq!(read(0x0000_8000, b"me\0\0plugin\0"), None);
    }

    #[test]
    fn what_was_agreed_is_what_both_said() {
        let mut payload = vec![0xFF; 40];
        payload[..4].copy_from_slice(&0x0100_0200u32.to_le_bytes());
        let offered = CapabilityFlags::CLIENT_PROTOCOL_41 | CapabilityFlags::CLIENT_DEPRECATE_EOF;
        let (patched, shape) = Response::parse(payload).unwrap().for_server(offered, false);
        assert_eq!(
            shape,
            Shape {
                deprecate_eof: true,
                cache_metadata: true,
                extended_metadata: true,
                query_attributes: false,
            }
        );
        assert_eq!(patched[28..32], 0x3Du32.to_le_bytes());
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(mut bytes: Vec<u8>, tls: bool) {
            if let Ok(response) = Response::parse(bytes.clone()) {
                let _ = (response.database(), response.compression());
                response.for_server(CapabilityFlags::empty(), tls);
            }
            if let Some(first) = bytes.first_mut() {
                *first = 10;
            }
            if let Some(greeting) = Greeting::parse(bytes) {
                greeting.for_client(tls);
            }
        }
    }
}
