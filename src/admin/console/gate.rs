//! What stands between a client and `opensrv-mysql` 0.7.0.
//!
//! - A packet goes in whole, and nothing of the next one before this one is answered: what it
//!   reads past the end of a packet it frees and reads again.
//! - A packet that it would choke on does not go in: one that is too long, out of order, or not
//!   UTF-8. Nor does a command that it does not know, to which it would say OK. A ping goes in
//!   instead, and what should be said comes out in place of the answer to that.
//! - A refused login is told as error 1045, and `caching_sha2_password` ends as its clients
//!   expect.
//! - Who sends nothing, or reads nothing, has so long and no longer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_util::io::poll_read_buf;

use crate::wire::command;
use crate::wire::packet::{self, HEADER, MAX_CHUNK};

/// The longest statement, in bytes; the longest of this console has some hundred.
const STATEMENT: usize = 64 << 10;
/// The longest packet of a login.
const LOGIN: usize = 16 << 10;
/// How often client and server may take turns in a login.
const LOGIN_TURNS: u8 = 16;
/// How long a client may say nothing: MySQL's own `wait_timeout`.
const IDLE: Duration = Duration::from_secs(8 * 3600);
/// How long a client may read nothing of an answer.
const UNREAD: Duration = Duration::from_secs(30);

const COM_STATISTICS: u8 = 0x09;
const COM_PING: u8 = 0x0e;

/// What the two directions, and the one who answers, know in common.
pub(super) struct Gate {
    state: Mutex<State>,
    statistics: Statistics,
}

/// What `COM_STATISTICS` is answered by, as people read it.
type Statistics = Box<dyn Fn() -> String + Send + Sync>;

#[derive(Default)]
struct State {
    /// The client has logged in.
    is_open: bool,
    /// Nothing more is read.
    closing: bool,
    instead: Option<Instead>,
}

/// What becomes of the next answer.
enum Instead {
    /// This payload goes out in its place.
    Payload(Vec<u8>),
    /// This payload goes out before it.
    First(Vec<u8>),
}

impl Gate {
    /// For one client.
    pub fn new(statistics: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self {
            state: Mutex::default(),
            statistics: Box::new(statistics),
        }
    }

    /// Whether the client has logged in.
    pub fn is_open(&self) -> bool {
        self.state().is_open
    }

    /// The client has logged in; `first` goes out before the OK.
    pub fn open(&self, first: Option<&[u8]>) {
        let mut state = self.state();
        state.is_open = true;
        state.instead = first.map(|payload| Instead::First(payload.to_vec()));
    }

    /// The next answer is this error instead.
    pub fn refuse(&self, code: u16, sqlstate: &str, text: &str) {
        self.state().instead = Some(Instead::Payload(err(code, sqlstate, text)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The payload of an ERR packet.
fn err(code: u16, sqlstate: &str, text: &str) -> Vec<u8> {
    let mut payload = vec![0xff];
    payload.extend_from_slice(&code.to_le_bytes());
    payload.push(b'#');
    payload.extend_from_slice(sqlstate.as_bytes());
    payload.extend_from_slice(text.as_bytes());
    payload
}

/// From the client, packet by packet.
pub(super) struct Reader<R> {
    stream: R,
    gate: Arc<Gate>,
    /// What has come and is not let in.
    come: BytesMut,
    /// The packet that is let in.
    inside: Bytes,
    /// Bytes of a packet that is too long, still to be thrown away.
    skip: usize,
    patience: Pin<Box<Sleep>>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads from `stream`.
    pub fn new(stream: R, gate: Arc<Gate>) -> Self {
        Self {
            stream,
            gate,
            come: BytesMut::new(),
            inside: Bytes::new(),
            skip: 0,
            patience: Box::pin(sleep(IDLE)),
        }
    }

    /// The next packet to let in; `None` at the end of the stream.
    fn poll_packet(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            if self.gate.state().closing {
                return Poll::Ready(Ok(None));
            }
            let thrown = self.skip.min(self.come.len());
            self.come.advance(thrown);
            self.skip -= thrown;
            if self.skip == 0
                && let Some((len, seq)) = packet::read_header(&self.come)
            {
                if len > STATEMENT {
                    self.skip = HEADER + len;
                    return Poll::Ready(self.too_long(len).map(Some));
                }
                if self.come.len() >= HEADER + len {
                    let packet = self.come.split_to(HEADER + len).freeze();
                    match self.admit(packet, seq)? {
                        Some(packet) => return Poll::Ready(Ok(Some(packet))),
                        None => continue,
                    }
                }
            }
            self.come.reserve(4096);
            let got = match poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.come) {
                Poll::Ready(got) => got?,
                Poll::Pending => {
                    ready!(self.patience.as_mut().poll(cx));
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            };
            if got == 0 {
                return Poll::Ready(Ok(None));
            }
            self.patience.as_mut().reset(Instant::now() + IDLE);
        }
    }

    fn too_long(&mut self, len: usize) -> io::Result<Bytes> {
        let mut state = self.gate.state();
        if !state.is_open {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the login is too long",
            ));
        }
        // What is longer than a packet goes on in the next one.
        state.closing = len == MAX_CHUNK;
        let text = "codec-proxy: a statement of the console is longer than 65536 bytes";
        state.instead = Some(Instead::Payload(err(1153, "08S01", text)));
        Ok(ping())
    }

    /// What goes in for a whole packet; `None` for one that has no answer.
    fn admit(&self, packet: Bytes, seq: u8) -> io::Result<Option<Bytes>> {
        let mut state = self.gate.state();
        let payload = &packet[HEADER..];
        if !state.is_open {
            return match payload.len() <= LOGIN && seq < LOGIN_TURNS {
                true => Ok(Some(packet)),
                false => Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "this is no login",
                )),
            };
        }
        let mut refuse = |code, sqlstate, text: &str| {
            let text = format!("codec-proxy: {text}");
            state.instead = Some(Instead::Payload(err(code, sqlstate, &text)));
            Ok(Some(ping()))
        };
        if seq != 0 {
            let refused = refuse(1156, "08S01", "packets out of order");
            state.closing = true;
            return refused;
        }
        match payload.first() {
            Some(&(command::QUERY | command::INIT_DB)) => match std::str::from_utf8(payload) {
                Ok(_) => Ok(Some(packet)),
                Err(_) => refuse(1300, "HY000", "the console reads UTF-8; SET NAMES utf8mb4"),
            },
            Some(&(command::QUIT | command::FIELD_LIST | COM_PING)) => Ok(Some(packet)),
            // There is nothing to set back, so OK is right.
            Some(&command::RESET_CONNECTION) => Ok(Some(ping())),
            Some(&COM_STATISTICS) => {
                let text = (self.gate.statistics)();
                state.instead = Some(Instead::Payload(text.into_bytes()));
                Ok(Some(ping()))
            }
            Some(&(command::STMT_CLOSE | command::STMT_SEND_LONG_DATA)) => Ok(None),
            Some(&command::STMT_PREPARE) => refuse(
                1295,
                "HY000",
                "the console has no prepared statements; send the text",
            ),
            _ => refuse(1047, "08S01", "the console does not know this command"),
        }
    }
}

/// A command that is answered by OK and does nothing.
fn ping() -> Bytes {
    Bytes::from_static(&[1, 0, 0, 0, COM_PING])
}

impl<R: AsyncRead + Unpin> AsyncRead for Reader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.inside.is_empty() {
            match ready!(self.poll_packet(cx))? {
                Some(packet) => self.inside = packet,
                None => return Poll::Ready(Ok(())),
            }
        }
        let now = self.inside.len().min(buf.remaining());
        buf.put_slice(&self.inside.split_to(now));
        Poll::Ready(Ok(()))
    }
}

/// To the client, answer by answer.
pub(super) struct Writer<W> {
    stream: W,
    gate: Arc<Gate>,
    /// The answer as far as it is there; its beginning is still here until it is flushed.
    answer: Vec<u8>,
    /// What is on its way.
    out: Bytes,
    unread: Option<Pin<Box<Sleep>>>,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Writes to `stream`.
    pub fn new(stream: W, gate: Arc<Gate>) -> Self {
        Self {
            stream,
            gate,
            answer: Vec::new(),
            out: Bytes::new(),
            unread: None,
        }
    }

    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.out) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.out.advance(written);
                    self.unread = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    let begin = || Box::pin(sleep_until(Instant::now() + UNREAD));
                    let unread = self.unread.get_or_insert_with(begin);
                    ready!(unread.as_mut().poll(cx));
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Writer<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.answer.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.out.is_empty() && !self.answer.is_empty() {
            let answer = std::mem::take(&mut self.answer);
            let instead = self.gate.state().instead.take();
            self.out = changed(answer, instead).into();
        }
        self.poll_out(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What goes out for an answer.
fn changed(answer: Vec<u8>, instead: Option<Instead>) -> Vec<u8> {
    let seq = answer.get(HEADER - 1).copied().unwrap_or_default();
    let one = |payload: &[u8]| {
        let mut wire = packet::header(payload.len(), seq).to_vec();
        wire.extend_from_slice(payload);
        wire
    };
    match instead {
        None => answer,
        Some(Instead::Payload(payload)) => one(&payload),
        Some(Instead::First(payload)) => {
            let mut wire = one(&payload);
            // An OK: one packet.
            let begin = wire.len();
            wire.extend(answer);
            wire[begin + HEADER - 1] = seq.wrapping_add(1);
            wire
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn packet(seq: u8, payload: &[u8]) -> Vec<u8> {
        let mut wire = packet::header(payload.len(), seq).to_vec();
        wire.extend_from_slice(payload);
        wire
    }

    async fn inside(sent: &[u8], open: bool) -> (Vec<Vec<u8>>, Arc<Gate>) {
        let gate = Arc::new(Gate::new(|| "Uptime: 1".to_owned()));
        if open {
            gate.open(None);
        }
        let mut reader = Reader::new(sent, gate.clone());
        let mut reads = Vec::new();
        let mut buf = vec![0; 1 << 20];
        while let Ok(got @ 1..) = reader.read(&mut buf).await {
            reads.push(buf[..got].to_vec());
        }
        (reads, gate)
    }

    #[tokio::test]
    async fn packets_go_in_one_by_one() {
        let (first, second) = (packet(0, b"\x03SELECT 1"), packet(0, b"\x0e"));
        let both = [first.clone(), second.clone()].concat();
        let (reads, _) = inside(&both, true).await;
        assert_eq!(reads, [first, second]);
    }

    #[tokio::test]
    async fn what_would_be_answered_wrongly_does_not_go_in() {
        for (payload, code) in [
            (&b"\x03SELECT \xff"[..], 1300u16),
            (b"\x16SELECT 1", 1295),
            (b"\x11root\0", 1047),
            (b"\x1b\0\0", 1047),
            (b"", 1047),
            (&[3; STATEMENT + 1][..], 1153),
        ] {
            let (reads, gate) = inside(&packet(0, payload), true).await;
            assert_eq!(reads, [ping().to_vec()], "{code}");
            let Some(Instead::Payload(said)) = gate.state().instead.take() else {
                panic!("{code}")
            };
            assert_eq!(said[1..3], code.to_le_bytes());
        }
        let (reads, gate) = inside(&[packet(9, b"\x0e"), packet(0, b"\x0e")].concat(), true).await;
        assert_eq!(reads.len(), 1);
        assert!(gate.state().closing);
        let (reads, _) = inside(&packet(0, b"\x19\x01\0\0\0"), true).await;
        assert!(reads.is_empty());
        let (reads, _) = inside(&packet(LOGIN_TURNS, b"login"), false).await;
        assert!(reads.is_empty());
    }

    #[tokio::test]
    async fn a_long_statement_does_not_hide_the_next() {
        let next = packet(0, b"\x0e");
        let sent = [packet(0, &[3; 200_000]), next.clone()].concat();
        let (reads, _) = inside(&sent, true).await;
        assert_eq!(reads, [ping().to_vec(), next]);
    }

    #[tokio::test]
    async fn answers_are_put_in_place() {
        let gate = Arc::new(Gate::new(|| "Uptime: 1".to_owned()));
        let mut out = std::io::Cursor::new(Vec::new());
        let mut writer = Writer::new(&mut out, gate.clone());
        gate.refuse(1045, "28000", "no");
        writer
            .write_all(&packet(2, b"\xff\xa2\x06other"))
            .await
            .unwrap();
        writer.flush().await.unwrap();
        gate.open(Some(&[1, 3]));
        writer.write_all(&packet(2, b"\0\0\0")).await.unwrap();
        writer.flush().await.unwrap();
        let expected = [
            packet(2, b"\xff\x15\x04#28000no"),
            packet(2, &[1, 3]),
            packet(3, b"\0\0\0"),
        ];
        assert_eq!(out.into_inner(), expected.concat());
    }
}
