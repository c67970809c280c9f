//! One client connection: log in, send a command, read its response without keeping it.
//!
//! Only what the loads need: protocol 4.1 with EOF packets (as PyMySQL speaks it), mysql_native_password, one result
//! per command, no TLS.

use std::io::IoSlice;
use std::net::SocketAddr;

use mysql_common::scramble::scramble_native;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

/// CLIENT_LONG_PASSWORD, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, MULTI_RESULTS, PLUGIN_AUTH.
const CAPABILITIES: u32 = 1 | 1 << 9 | 1 << 13 | 1 << 15 | 1 << 17 | 1 << 19;
/// utf8mb4_general_ci, as PyMySQL announces it.
const CHARSET: u8 = 45;
/// The longest payload of one packet; a longer one goes on in the next.
const PACKET_MAX: usize = 0xff_ffff;
const COM_QUIT: u8 = 1;
const COM_QUERY: u8 = 3;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_EXECUTE: u8 = 0x17;
const COM_STMT_SEND_LONG_DATA: u8 = 0x18;
/// The types of parameters: a long integer, a blob of any length.
const TYPE_LONG: u16 = 3;
const TYPE_BLOB: u16 = 252;
const READ_BUFFER: usize = 256 << 10;

pub struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
    /// What was read and not yet consumed is `buffer[start..end]`.
    start: usize,
    end: usize,
}

/// What is known of a packet once it has been read over.
struct Packet {
    length: usize,
    /// Its first byte; 0 when it is empty.
    first: u8,
}

impl Connection {
    /// Connects and logs in.
    pub async fn open(address: SocketAddr, user: &str, password: &str) -> Outcome<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut connection = Connection {
            stream,
            buffer: vec![0; READ_BUFFER].into(),
            start: 0,
            end: 0,
        };
        let mut greeting = Vec::new();
        connection.packet(Some(&mut greeting)).await?;
        let salt = salt_of(&greeting).ok_or("not a greeting of protocol 10")?;
        connection.send(1, &[&login(user, password, &salt)]).await?;
        let mut reply = Vec::new();
        match connection.packet(Some(&mut reply)).await?.first {
            0 => Ok(connection),
            0xff => Err(error_text(&reply).into()),
            other => Err(format!(
                "login answered with a packet {other:#x}, which this client does not know"
            )
            .into()),
        }
    }

    /// Sends one query and reads its response to the end. Returns its number of rows.
    pub async fn query(&mut self, sql: &[u8]) -> Outcome<u64> {
        self.query_into(sql, None).await
    }

    /// Like [`Self::query`]; the payloads of the rows are appended to `rows`.
    pub async fn query_into(&mut self, sql: &[u8], rows: Option<&mut Vec<u8>>) -> Outcome<u64> {
        self.send_command(COM_QUERY, &[sql]).await?;
        self.result(rows).await
    }

    /// Has the server prepare a statement and returns its id.
    pub async fn prepare(&mut self, sql: &str) -> Outcome<u32> {
        self.send_command(COM_STMT_PREPARE, &[sql.as_bytes()])
            .await?;
        let mut head = Vec::new();
        if self.packet(Some(&mut head)).await?.first != 0 {
            return Err(error_text(&head).into());
        }
        let number = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        // Definitions of columns and of parameters, each with an EOF packet after them.
        for count in [number(5), number(7)] {
            for _ in 0..count + u16::from(count > 0) {
                self.packet(None).await?;
            }
        }
        Ok(u32::from(number(1)) | u32::from(number(3)) << 16)
    }

    /// Executes a statement whose first parameter is `id` and whose second, if it has one, is a value: bound here,
    /// or (`None` within) sent ahead with [`Self::long_data`]. Rows are those of the binary protocol.
    pub async fn execute(
        &mut self,
        statement: u32,
        id: u64,
        value: Option<Option<&[u8]>>,
        rows: Option<&mut Vec<u8>>,
    ) -> Outcome<u64> {
        let mut head = statement.to_le_bytes().to_vec();
        head.extend_from_slice(&[0, 1, 0, 0, 0]); // no cursor, one iteration
        head.extend_from_slice(&[0, 1]); // none is NULL, types follow
        head.extend_from_slice(&TYPE_LONG.to_le_bytes());
        if value.is_some() {
            head.extend_from_slice(&TYPE_BLOB.to_le_bytes());
        }
        head.extend_from_slice(&u32::try_from(id)?.to_le_bytes());
        let bound = value.flatten();
        if let Some(value) = bound {
            head.push(0xfe);
            head.extend_from_slice(&(value.len() as u64).to_le_bytes());
        }
        self.send_command(COM_STMT_EXECUTE, &[&head, bound.unwrap_or_default()])
            .await?;
        self.result(rows).await
    }

    /// Sends a piece of the second parameter ahead. There is no answer.
    pub async fn long_data(&mut self, statement: u32, piece: &[u8]) -> Outcome<()> {
        let mut head = statement.to_le_bytes().to_vec();
        head.extend_from_slice(&1_u16.to_le_bytes());
        self.send_command(COM_STMT_SEND_LONG_DATA, &[&head, piece])
            .await
    }

    /// Reads a response to the end. Returns its number of rows.
    async fn result(&mut self, mut rows: Option<&mut Vec<u8>>) -> Outcome<u64> {
        let mut head = Vec::new();
        let columns = match self.packet(Some(&mut head)).await?.first {
            0 => return Ok(0),
            0xff => return Err(error_text(&head).into()),
            count => count,
        };
        // The definitions, and the EOF packet after them.
        for _ in 0..=columns {
            self.packet(None).await?;
        }
        let mut count = 0;
        loop {
            let packet = self.packet(rows.as_deref_mut()).await?;
            match packet.first {
                0xfe if packet.length < 9 => return Ok(count),
                0xff => return Err("the server broke the result off with an error".into()),
                _ => count += 1,
            }
        }
    }

    /// Says goodbye and waits until the other side has closed.
    pub async fn quit(mut self) -> Outcome<()> {
        self.send(0, &[&[COM_QUIT]]).await?;
        while self.stream.read(&mut self.buffer).await? > 0 {}
        Ok(())
    }

    /// Sends a command whose text is in parts, in as many packets as it takes.
    async fn send_command(&mut self, command: u8, text: &[&[u8]]) -> Outcome<()> {
        let command = [command];
        let mut rest: Vec<&[u8]> = [&command[..]]
            .into_iter()
            .chain(text.iter().copied())
            .collect();
        for sequence in 0_u8..=u8::MAX {
            let packet = take(&mut rest, PACKET_MAX);
            let length: usize = packet.iter().map(|part| part.len()).sum();
            self.send(sequence, &packet).await?;
            if length < PACKET_MAX {
                return Ok(());
            }
        }
        Err("a command of more than 256 packets".into())
    }

    /// Sends one packet; as long as the socket takes it, with a single system call.
    async fn send(&mut self, sequence: u8, payload: &[&[u8]]) -> Outcome<()> {
        let length = payload.iter().map(|part| part.len()).sum();
        let header = header(length, sequence);
        let mut parts = vec![IoSlice::new(&header)];
        parts.extend(payload.iter().map(|part| IoSlice::new(part)));
        let mut left = parts.as_mut_slice();
        while !left.is_empty() {
            match self.stream.write_vectored(left).await? {
                0 => return Err("the server takes nothing more".into()),
                written => IoSlice::advance_slices(&mut left, written),
            }
        }
        Ok(())
    }

    /// Reads over one logical packet, appending its payload to `keep` if given.
    async fn packet(&mut self, mut keep: Option<&mut Vec<u8>>) -> Outcome<Packet> {
        let mut whole = Packet {
            length: 0,
            first: 0,
        };
        loop {
            self.fill(4).await?;
            let head = &self.buffer[self.start..];
            let length =
                usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
            self.start += 4;
            if whole.length == 0 && length > 0 {
                self.fill(1).await?;
                whole.first = self.buffer[self.start];
            }
            self.pass(length, keep.as_deref_mut()).await?;
            whole.length += length;
            if length < PACKET_MAX {
                return Ok(whole);
            }
        }
    }

    /// Consumes `length` bytes.
    async fn pass(&mut self, mut length: usize, mut keep: Option<&mut Vec<u8>>) -> Outcome<()> {
        loop {
            let here = length.min(self.end - self.start);
            if let Some(kept) = keep.as_deref_mut() {
                kept.extend_from_slice(&self.buffer[self.start..self.start + here]);
            }
            self.start += here;
            length -= here;
            if length == 0 {
                return Ok(());
            }
            self.fill(1).await?;
        }
    }

    /// Reads until at least `wanted` bytes (a few) are there to be consumed.
    async fn fill(&mut self, wanted: usize) -> Outcome<()> {
        while self.end - self.start < wanted {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            match self.stream.read(&mut self.buffer[self.end..]).await? {
                0 => return Err("the server closed the connection".into()),
                read => self.end += read,
            }
        }
        Ok(())
    }
}

/// Takes up to `length` bytes from the front of what is in parts.
fn take<'a>(parts: &mut Vec<&'a [u8]>, mut length: usize) -> Vec<&'a [u8]> {
    let mut taken = Vec::new();
    while length > 0 && !parts.is_empty() {
        let (here, later) = parts[0].split_at(parts[0].len().min(length));
        taken.push(here);
        length -= here.len();
        if later.is_empty() {
            parts.remove(0);
        } else {
            parts[0] = later;
        }
    }
    taken
}

fn header(length: usize, sequence: u8) -> [u8; 4] {
    [
        length as u8,
        (length >> 8) as u8,
        (length >> 16) as u8,
        sequence,
    ]
}

/// The 20 bytes that a greeting of protocol 10 gives to scramble the password with.
fn salt_of(greeting: &[u8]) -> Option<[u8; 20]> {
    let (10, rest) = greeting
        .split_first()
        .map(|(version, rest)| (*version, rest))?
    else {
        return None;
    };
    let version_end = rest.iter().position(|byte| *byte == 0)?;
    let after_id = rest.get(version_end + 5..)?;
    let mut salt = [0; 20];
    salt[..8].copy_from_slice(after_id.get(..8)?);
    // A filler, capabilities, charset, status, capabilities, length of the salt, ten reserved bytes: 19 in all.
    salt[8..].copy_from_slice(after_id.get(27..39)?);
    Some(salt)
}

fn login(user: &str, password: &str, salt: &[u8; 20]) -> Vec<u8> {
    let mut payload = CAPABILITIES.to_le_bytes().to_vec();
    payload.extend_from_slice(&(1_u32 << 30).to_le_bytes());
    payload.push(CHARSET);
    payload.extend_from_slice(&[0; 23]);
    payload.extend_from_slice(user.as_bytes());
    payload.push(0);
    match scramble_native(salt, password.as_bytes()) {
        Some(scramble) => {
            payload.push(scramble.len() as u8);
            payload.extend_from_slice(&scramble);
        }
        None => payload.push(0),
    }
    payload.extend_from_slice(b"mysql_native_password\0");
    payload
}

fn error_text(packet: &[u8]) -> String {
    String::from_utf8_lossy(packet.get(9..).unwrap_or_default()).into_owned()
}
