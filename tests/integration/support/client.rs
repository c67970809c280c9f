//! A small blocking MySQL client that hides nothing: it sends any command, and keeps every
//! packet of the answer as it came.
//!
//! It logs in with `mysql_native_password`, an empty password, or `caching_sha2_password` where the
//! server remembers it, and without TLS; for the other ways to log in the tests use the `mariadb`
//! command line.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use mysql_common::scramble::{scramble_native, scramble_sha256};

use super::answer::{Answer, Column, ServerError, Take};
use super::wire::{Framed, Wire};

/// Capability bits, as the protocol names them.
pub mod caps {
    pub const LONG_PASSWORD: u64 = 1;
    pub const LONG_FLAG: u64 = 1 << 2;
    pub const CONNECT_WITH_DB: u64 = 1 << 3;
    pub const COMPRESS: u64 = 1 << 5;
    pub const LOCAL_FILES: u64 = 1 << 7;
    pub const PROTOCOL_41: u64 = 1 << 9;
    pub const TRANSACTIONS: u64 = 1 << 13;
    pub const SECURE_CONNECTION: u64 = 1 << 15;
    pub const MULTI_STATEMENTS: u64 = 1 << 16;
    pub const MULTI_RESULTS: u64 = 1 << 17;
    pub const PS_MULTI_RESULTS: u64 = 1 << 18;
    pub const PLUGIN_AUTH: u64 = 1 << 19;
    pub const SESSION_TRACK: u64 = 1 << 23;
    pub const DEPRECATE_EOF: u64 = 1 << 24;
    pub const OPTIONAL_METADATA: u64 = 1 << 25;
    pub const ZSTD: u64 = 1 << 26;
    pub const QUERY_ATTRIBUTES: u64 = 1 << 27;
    /// MariaDB's own that are answered at once: bulk execution, extended and cached metadata,
    /// results of bulk execution. (Progress reports come when the server likes.)
    pub const MARIADB: u64 = 0x3f << 34;
    /// MariaDB: EXECUTE may leave out the column definitions that PREPARE gave.
    pub const CACHE_METADATA: u64 = 1 << 36;

    /// What every client of today asks for.
    pub const COMMON: u64 = LONG_PASSWORD
        | LONG_FLAG
        | LOCAL_FILES
        | PROTOCOL_41
        | TRANSACTIONS
        | SECURE_CONNECTION
        | MULTI_STATEMENTS
        | MULTI_RESULTS
        | PS_MULTI_RESULTS
        | PLUGIN_AUTH;
}

/// Command bytes, as the protocol names them.
pub mod com {
    pub const QUIT: u8 = 0x01;
    pub const INIT_DB: u8 = 0x02;
    pub const QUERY: u8 = 0x03;
    pub const FIELD_LIST: u8 = 0x04;
    pub const STATISTICS: u8 = 0x09;
    pub const PROCESS_KILL: u8 = 0x0c;
    pub const DEBUG: u8 = 0x0d;
    pub const PING: u8 = 0x0e;
    pub const CHANGE_USER: u8 = 0x11;
    pub const STMT_PREPARE: u8 = 0x16;
    pub const STMT_EXECUTE: u8 = 0x17;
    pub const STMT_SEND_LONG_DATA: u8 = 0x18;
    pub const STMT_CLOSE: u8 = 0x19;
    pub const STMT_RESET: u8 = 0x1a;
    pub const SET_OPTION: u8 = 0x1b;
    pub const STMT_FETCH: u8 = 0x1c;
    pub const RESET_CONNECTION: u8 = 0x1f;
}

/// The largest payload of one packet; a longer one goes on in the next.
pub const MAX_PAYLOAD: usize = 0xff_ffff;

const MORE_RESULTS: u16 = 0x0008;
const CURSOR_EXISTS: u16 = 0x0040;

/// Who logs in, and how.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: String,
    pub database: Option<String>,
    pub capabilities: u64,
    /// Collation id; 45 is `utf8mb4_general_ci`.
    pub charset: u8,
}

impl Login {
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            database: None,
            capabilities: caps::COMMON | caps::DEPRECATE_EOF,
            charset: 45,
        }
    }

    pub fn root() -> Self {
        Self::new("root", "")
    }

    pub fn database(mut self, name: &str) -> Self {
        self.database = Some(name.to_owned());
        self
    }

    pub fn capabilities(mut self, bits: u64) -> Self {
        self.capabilities = bits;
        self
    }
}

/// What the server says first.
#[derive(Clone, Default)]
pub struct Greeting {
    pub protocol: u8,
    pub version: Vec<u8>,
    pub connection: u32,
    pub salt: Vec<u8>,
    pub capabilities: u64,
    pub charset: u8,
    pub status: u16,
    pub plugin: Vec<u8>,
}

/// One packet as it was on the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    pub sequence: u8,
    pub body: Vec<u8>,
}

/// What shape of answer a command brings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// OK, ERR, result sets, LOCAL INFILE: COM_QUERY, COM_STMT_EXECUTE and what answers like them.
    Results,
    /// The answer of COM_STMT_PREPARE.
    Prepare,
    /// Column definitions and an EOF.
    Fields,
    /// Rows and an EOF: COM_STMT_FETCH.
    Rows,
    /// One packet, whatever it is: COM_STATISTICS, COM_SET_OPTION.
    Single,
    /// None at all: COM_STMT_CLOSE, COM_STMT_SEND_LONG_DATA.
    Nothing,
}

/// A logged-in connection.
pub struct Client {
    stream: BufReader<Wire>,
    pub greeting: Greeting,
    pub capabilities: u64,
    frames: Vec<Frame>,
    /// Sent before the text of a statement, where the connection has query attributes.
    pub attributes: Vec<u8>,
    /// What LOAD DATA LOCAL INFILE is answered with.
    pub infile: Vec<u8>,
}

impl Client {
    /// The first packet that a port of this machine sends.
    pub fn greet(port: u16) -> io::Result<Vec<u8>> {
        Ok(Self::open(port)?.packet()?.1)
    }

    /// Connects to a port of this machine and logs in.
    pub fn connect(port: u16, login: &Login) -> Result<Self, ServerError> {
        let mut client = Self::open(port)?;
        let (_, first) = client.packet()?;
        if first.first() == Some(&0xff) {
            return Err(ServerError::parse(&first));
        }
        client.greeting = Greeting::parse(&first);
        client.log_in(login)?;
        Ok(client)
    }

    /// Connects and logs in with capabilities that the server may not have offered.
    pub fn connect_saying(port: u16, login: &Login, bits: u64) -> Self {
        let mut client = Self::open(port).expect("a connection");
        let (_, first) = client.packet().expect("a greeting");
        client.greeting = Greeting::parse(&first);
        client.greeting.capabilities |= bits;
        let bits = login.capabilities | bits;
        let done = client.log_in(&login.clone().capabilities(bits));
        done.unwrap_or_else(|error| panic!("{}: {error}", login.user));
        client
    }

    fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self {
            stream: BufReader::with_capacity(1 << 16, Wire::Plain(stream)),
            greeting: Greeting::default(),
            capabilities: 0,
            frames: Vec::new(),
            attributes: vec![0, 1],
            infile: Vec::new(),
        })
    }

    fn log_in(&mut self, login: &Login) -> Result<(), ServerError> {
        self.capabilities = login.capabilities & self.greeting.capabilities;
        if login.database.is_some() {
            self.capabilities |= caps::CONNECT_WITH_DB;
        }
        let response = self.handshake_response(login);
        self.write_packet(1, &response)?;
        self.finish_auth(&login.password)?;
        if self.capabilities & (caps::COMPRESS | caps::ZSTD) != 0 {
            let zstd = self.capabilities & caps::COMPRESS == 0;
            self.stream.get_mut().frame(zstd);
        }
        Ok(())
    }

    fn handshake_response(&self, login: &Login) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&(self.capabilities as u32).to_le_bytes());
        out.extend_from_slice(&(1u32 << 30).to_le_bytes());
        out.push(login.charset);
        out.extend_from_slice(&[0; 19]);
        out.extend_from_slice(&((self.capabilities >> 32) as u32).to_le_bytes());
        out.extend_from_slice(login.user.as_bytes());
        out.push(0);
        let proof = proof(&self.greeting.salt, &login.password);
        out.push(proof.len() as u8);
        out.extend_from_slice(&proof);
        if let Some(database) = &login.database {
            out.extend_from_slice(database.as_bytes());
            out.push(0);
        }
        out.extend_from_slice(b"mysql_native_password\0");
        if self.capabilities & caps::ZSTD != 0 {
            out.push(3);
        }
        out
    }

    /// The layer of frames, where there is one.
    pub fn frames(&mut self) -> &mut Framed {
        match self.stream.get_mut() {
            Wire::Framed(framed) => framed,
            Wire::Plain(_) => panic!("the connection is not compressed"),
        }
    }

    /// Reads until OK or ERR, answering a switch to another way to log in.
    pub fn finish_auth(&mut self, password: &str) -> Result<(), ServerError> {
        loop {
            let (sequence, packet) = self.packet()?;
            match packet.first() {
                Some(0x00) => return Ok(()),
                Some(0xff) => return Err(ServerError::parse(&packet)),
                // caching_sha2_password: what the server remembers was right.
                Some(0x01) if packet == [0x01, 0x03] => {}
                Some(0xfe) => {
                    let mut take = Take(&packet[1..]);
                    let plugin = take.until_nul();
                    let salt = take.until_nul();
                    let proof = match plugin {
                        b"mysql_native_password" => proof(salt, password),
                        b"caching_sha2_password" => scramble_sha256(salt, password.as_bytes())
                            .map_or_else(Vec::new, |proof| proof.to_vec()),
                        other => {
                            let plugin = String::from_utf8_lossy(other).into_owned();
                            return Err(ServerError::client(&format!("asked for {plugin}")));
                        }
                    };
                    self.write_packet(sequence.wrapping_add(1), &proof)?;
                }
                other => return Err(ServerError::client(&format!("login answer {other:?}"))),
            }
        }
    }

    /// Sends bytes as they are; the caller has made the packets.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).expect("the peer takes bytes");
    }

    /// Sends one command, in as many packets as it needs.
    pub fn send(&mut self, command: u8, body: &[u8]) {
        self.try_send(command, body).expect("the peer takes bytes");
    }

    pub fn try_send(&mut self, command: u8, body: &[u8]) -> io::Result<()> {
        let mut payload = Vec::with_capacity(body.len() + 1);
        payload.push(command);
        if command == com::QUERY && self.capabilities & caps::QUERY_ATTRIBUTES != 0 {
            payload.extend_from_slice(&self.attributes);
        }
        payload.extend_from_slice(body);
        self.write_packet(0, &payload)
    }

    fn write_packet(&mut self, sequence: u8, payload: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(&packets(sequence, payload))
    }

    /// Sends a command and returns every packet of its answer; empty after a lost connection.
    pub fn command(&mut self, command: u8, body: &[u8], expect: Expect) -> Vec<Frame> {
        self.send(command, body);
        self.answer(expect)
    }

    /// Reads one answer and returns its packets.
    pub fn answer(&mut self, expect: Expect) -> Vec<Frame> {
        self.frames.clear();
        // A connection that ends within an answer leaves the packets up to there.
        let _ = self.read_answer(expect);
        std::mem::take(&mut self.frames)
    }

    /// Runs a statement; the last result of several wins.
    pub fn query(&mut self, sql: impl AsRef<[u8]>) -> Result<Answer, ServerError> {
        self.try_send(com::QUERY, sql.as_ref())?;
        self.frames.clear();
        self.read_answer(Expect::Results)
    }

    /// Runs a statement that must succeed, and returns its rows (none for an OK).
    pub fn rows(&mut self, sql: impl AsRef<[u8]>) -> Vec<Vec<Option<Vec<u8>>>> {
        self.ok(sql).rows
    }

    /// Runs a statement that must succeed.
    pub fn ok(&mut self, sql: impl AsRef<[u8]>) -> Answer {
        let sql = sql.as_ref();
        self.query(sql)
            .unwrap_or_else(|error| panic!("{}: {error}", shorten(sql)))
    }

    /// The one value of a statement that gives one.
    pub fn value(&mut self, sql: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        let sql = sql.as_ref();
        let mut rows = self.rows(sql);
        assert_eq!(rows.len(), 1, "{}", shorten(sql));
        rows.remove(0).remove(0)
    }

    /// The one value of a statement, as text.
    pub fn text(&mut self, sql: impl AsRef<[u8]>) -> String {
        let value = self.value(sql).expect("a value, not NULL");
        String::from_utf8(value).expect("UTF-8")
    }

    /// Runs a statement that must fail.
    pub fn error(&mut self, sql: impl AsRef<[u8]>) -> ServerError {
        let sql = sql.as_ref();
        match self.query(sql) {
            Err(error) => error,
            Ok(answer) => panic!("{} succeeded: {answer:?}", shorten(sql)),
        }
    }

    /// Every byte of the last answer that was read with [`Client::query`].
    pub fn last_frames(&self) -> &[Frame] {
        &self.frames
    }

    /// A statement of the binary protocol: prepares it and returns the statement's id.
    pub fn prepare(&mut self, sql: impl AsRef<[u8]>) -> Result<u32, ServerError> {
        self.try_send(com::STMT_PREPARE, sql.as_ref())?;
        self.frames.clear();
        let answer = self.read_answer(Expect::Prepare)?;
        Ok(answer.insert_id as u32)
    }

    fn read_answer(&mut self, expect: Expect) -> Result<Answer, ServerError> {
        match expect {
            Expect::Nothing => Ok(Answer::default()),
            Expect::Single => self.fallible().map(|_| Answer::default()),
            Expect::Prepare => self.read_prepare(),
            Expect::Fields => {
                while !is_end(&self.fallible()?) {}
                Ok(Answer::default())
            }
            Expect::Rows => {
                while !is_end(&self.fallible()?) {}
                Ok(Answer::default())
            }
            Expect::Results => loop {
                let answer = self.read_result()?;
                if answer.status & MORE_RESULTS == 0 {
                    return Ok(answer);
                }
            },
        }
    }

    fn read_result(&mut self) -> Result<Answer, ServerError> {
        let first = self.fallible()?;
        match first[0] {
            0x00 => Ok(Answer::ok(&first)),
            0xfb => {
                self.send_infile()?;
                self.read_result()
            }
            _ => {
                let mut take = Take(&first);
                let columns = take.lenenc() as usize;
                let optional = caps::CACHE_METADATA | caps::OPTIONAL_METADATA;
                let cached = self.capabilities & optional != 0 && take.u8() == 0;
                self.read_rows(columns, !cached)
            }
        }
    }

    fn send_infile(&mut self) -> io::Result<()> {
        let content = std::mem::take(&mut self.infile);
        let mut sequence = self.frames.last().map_or(0, |f| f.sequence).wrapping_add(1);
        for chunk in content.chunks(4000) {
            self.write_packet(sequence, chunk)?;
            sequence = sequence.wrapping_add(1);
        }
        self.write_packet(sequence, b"")
    }

    fn read_rows(&mut self, columns: usize, defined: bool) -> Result<Answer, ServerError> {
        let mut answer = Answer::default();
        for _ in 0..if defined { columns } else { 0 } {
            let packet = self.fallible()?;
            answer.columns.push(Column::parse(&packet));
        }
        if self.capabilities & caps::DEPRECATE_EOF == 0 {
            let end = self.fallible()?;
            answer.status = u16::from_le_bytes([end[3], end[4]]);
            if answer.status & CURSOR_EXISTS != 0 {
                return Ok(answer);
            }
        }
        loop {
            let packet = self.fallible()?;
            if is_end(&packet) {
                answer.end(&packet, self.capabilities & caps::DEPRECATE_EOF != 0);
                return Ok(answer);
            }
            answer.rows.push(Answer::text_row(&packet, columns));
        }
    }

    fn read_prepare(&mut self) -> Result<Answer, ServerError> {
        let first = self.fallible()?;
        let id = u32::from_le_bytes([first[1], first[2], first[3], first[4]]);
        let columns = u16::from_le_bytes([first[5], first[6]]);
        let parameters = u16::from_le_bytes([first[7], first[8]]);
        let end = u16::from(self.capabilities & caps::DEPRECATE_EOF == 0);
        let left_out = first.get(12) == Some(&0);
        for count in [parameters, columns] {
            if count > 0 {
                let count = if left_out { 0 } else { count };
                for _ in 0..count + end {
                    self.fallible()?;
                }
            }
        }
        Ok(Answer {
            insert_id: u64::from(id),
            ..Answer::default()
        })
    }

    /// The next packet, or the error it holds.
    fn fallible(&mut self) -> Result<Vec<u8>, ServerError> {
        let (_, packet) = self.packet()?;
        match packet.first() {
            Some(0xff) => Err(ServerError::parse(&packet)),
            Some(_) => Ok(packet),
            None => Err(ServerError::client("an empty packet")),
        }
    }

    /// The next payload with the sequence id of its last packet; all its packets are kept.
    fn packet(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut payload = Vec::new();
        loop {
            let mut header = [0; 4];
            self.stream.read_exact(&mut header)?;
            let length = u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize;
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body)?;
            payload.extend_from_slice(&body);
            self.frames.push(Frame {
                sequence: header[3],
                body,
            });
            if length < MAX_PAYLOAD {
                return Ok((header[3], payload));
            }
        }
    }

    /// Ends the connection without a word.
    pub fn cut(&mut self) {
        let _ = self
            .stream
            .get_ref()
            .tcp()
            .shutdown(std::net::Shutdown::Both);
    }

    /// True when the peer has closed the connection (after what is still unread).
    pub fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).is_ok()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.try_send(com::QUIT, b"");
    }
}

impl Greeting {
    /// Reads a protocol 10 greeting; MariaDB's own capabilities become bits 32 and up.
    pub fn parse(packet: &[u8]) -> Self {
        let mut take = Take(packet);
        let protocol = take.u8();
        let version = take.until_nul().to_vec();
        let connection = take.u32();
        let mut salt = take.bytes(8).to_vec();
        take.u8();
        let low = take.u16();
        let charset = take.u8();
        let status = take.u16();
        let high = take.u16();
        let salt_length = usize::from(take.u8());
        take.bytes(6);
        let extended = take.u32();
        salt.extend_from_slice(take.bytes(12.max(salt_length.saturating_sub(9))));
        take.u8();
        Self {
            protocol,
            version,
            connection,
            salt,
            capabilities: u64::from(low) | u64::from(high) << 16 | u64::from(extended) << 32,
            charset,
            status,
            plugin: take.until_nul().to_vec(),
        }
    }
}

/// A payload as packets, numbered from `sequence`.
pub fn packets(mut sequence: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 8);
    let mut rest = payload;
    loop {
        let (body, after) = rest.split_at(rest.len().min(MAX_PAYLOAD));
        out.extend_from_slice(&(body.len() as u32).to_le_bytes()[..3]);
        out.push(sequence);
        out.extend_from_slice(body);
        if body.len() < MAX_PAYLOAD {
            return out;
        }
        rest = after;
        sequence = sequence.wrapping_add(1);
    }
}

/// The answer to a salt; nothing for an empty password.
pub fn proof(salt: &[u8], password: &str) -> Vec<u8> {
    scramble_native(salt, password.as_bytes()).map_or_else(Vec::new, |proof| proof.to_vec())
}

/// EOF, or the OK packet that stands in its place.
fn is_end(packet: &[u8]) -> bool {
    packet[0] == 0xfe && packet.len() < MAX_PAYLOAD
}

/// A statement short enough for a message.
pub fn shorten(sql: &[u8]) -> String {
    let text = String::from_utf8_lossy(&sql[..sql.len().min(200)]).into_owned();
    format!("{text:?} ({} bytes)", sql.len())
}
