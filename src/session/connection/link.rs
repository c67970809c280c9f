//! One leg of a session: its stream, what has arrived but is not used yet, and what is still to
//! be written. Both the relay (by polls) and the statement handlers (by packets) work on it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::buffers;
use super::compressed::Compressed;
use super::stream::Stream;
use crate::session::roster::Entry;
use crate::wire::compress::Algorithm;
use crate::wire::packet::{self, Cutter, HEADER, MAX_CHUNK};

/// A connection to the client or to the database.
#[derive(Debug)]
pub struct Link {
    /// The connection itself.
    pub stream: Stream,
    /// Received bytes that begin with an incomplete packet, or that wait for their turn.
    pub carry: BytesMut,
    /// `carry` may hold packets that nobody has looked at: look there before reading on.
    pub replay: bool,
    /// Cuts what this leg receives.
    pub cutter: Cutter,
    unsent: VecDeque<Piece>,
    /// Where the bytes of a client are counted.
    counted: Option<Arc<Entry>>,
}

/// Bytes on their way out.
#[derive(Debug)]
enum Piece {
    /// A read buffer, from and to where it is to be sent; goes back to its thread afterwards.
    Pooled(Vec<u8>, usize, usize),
    Shared(Bytes),
}

/// One logical packet, its chunks put together.
#[derive(Debug)]
pub struct Packet {
    /// Sequence number of the last chunk.
    pub seq: u8,
    /// The payload, whole.
    pub payload: Bytes,
}

impl Link {
    /// A fresh connection.
    pub fn new(stream: Stream) -> Self {
        Self {
            stream,
            carry: BytesMut::new(),
            replay: false,
            cutter: Cutter::default(),
            unsent: VecDeque::new(),
            counted: None,
        }
    }

    /// The same connection, whose bytes are counted there from here on.
    pub fn counted(self, entry: Arc<Entry>) -> Self {
        Self {
            counted: Some(entry),
            ..self
        }
    }

    fn was_sent(&self, bytes: usize) {
        if let Some(entry) = &self.counted {
            entry.sent(bytes);
        }
    }

    /// So many bytes were read from the stream.
    pub fn received(&self, bytes: usize) {
        if let Some(entry) = &self.counted {
            entry.received(bytes);
        }
    }

    /// The same connection, compressed from here on.
    pub fn compressed(self, algorithm: Algorithm) -> Self {
        let layer = Compressed::new(self.stream, algorithm, self.carry);
        Self::new(Stream::Compressed(Box::new(layer)))
    }

    /// Writes from a read buffer as much as the peer takes now; keeps the rest to be sent.
    pub fn send_pooled(
        &mut self,
        cx: &mut Context<'_>,
        buffer: Vec<u8>,
        end: usize,
    ) -> io::Result<()> {
        self.unsent.push_back(Piece::Pooled(buffer, 0, end));
        match self.poll_unsent(cx) {
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// Queues bytes to be sent by the next [`Link::poll_unsent`].
    pub fn queue(&mut self, bytes: Bytes) {
        self.unsent.push_back(Piece::Shared(bytes));
    }

    /// Writes what is waiting; ready when all of it is with the operating system.
    pub fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self {
            stream,
            unsent,
            counted,
            ..
        } = self;
        while let Some(piece) = unsent.front_mut() {
            while !piece.left().is_empty() {
                let written = ready!(Pin::new(&mut *stream).poll_write(cx, piece.left()))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                piece.advance(written);
                if let Some(entry) = counted {
                    entry.sent(written);
                }
            }
            if let Some(Piece::Pooled(buffer, ..)) = unsent.pop_front() {
                buffers::give(buffer);
            }
        }
        if stream.is_buffered() {
            ready!(Pin::new(stream).poll_flush(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes all that is waiting.
    pub async fn flush_unsent(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_unsent(cx)).await
    }

    /// Puts bytes back in front of what is still carried.
    pub fn put_back(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let behind = std::mem::take(&mut self.carry);
        self.carry.extend_from_slice(bytes);
        self.carry.extend_from_slice(&behind);
    }

    /// Reads until at least `n` bytes are carried. Cancel safe.
    pub async fn fill(&mut self, n: usize) -> io::Result<()> {
        while self.carry.len() < n {
            self.carry.reserve((n - self.carry.len()).max(64 << 10));
            self.read_on().await?;
        }
        Ok(())
    }

    /// The first bytes of the next packet's payload, at most `n`; they stay where they are.
    pub async fn peek_packet(&mut self, n: usize) -> io::Result<Vec<u8>> {
        self.fill(HEADER).await?;
        let len = packet::read_header(&self.carry).map_or(0, |(len, _)| len);
        let n = len.min(n);
        self.fill(HEADER + n).await?;
        Ok(self.carry[HEADER..HEADER + n].to_vec())
    }

    /// The next bytes, at least one and at most `most`, which is not 0.
    pub async fn piece(&mut self, most: usize) -> io::Result<Bytes> {
        self.fill(1).await?;
        Ok(self.carry.split_to(most.min(self.carry.len())).freeze())
    }

    /// The next packet, put together from its chunks. Cancel safe.
    ///
    /// A payload of more than `limit` bytes is an error of kind `FileTooLarge`.
    pub async fn read_packet(&mut self, limit: u64) -> io::Result<Packet> {
        loop {
            if let Some(packet) = self.packet_in_carry(limit)? {
                return Ok(packet);
            }
            self.carry.reserve(64 << 10);
            self.read_on().await?;
        }
    }

    async fn read_on(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.carry).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            got => {
                self.received(got);
                Ok(())
            }
        }
    }

    /// Writes a payload as one packet or more and flushes; gives the next sequence number.
    pub async fn write_packet(&mut self, seq: u8, payload: &[u8]) -> io::Result<u8> {
        let mut out = Outgoing::new(self, seq);
        out.packet(payload).await?;
        out.flush().await
    }

    /// Hands the link back to the relay after packets were read one by one.
    pub fn resume(&mut self) {
        if self.carry.is_empty() {
            self.carry = BytesMut::new();
        }
        self.replay = !self.carry.is_empty();
    }

    fn packet_in_carry(&mut self, limit: u64) -> io::Result<Option<Packet>> {
        let (mut at, mut total) = (0, 0u64);
        loop {
            let Some((len, seq)) = packet::read_header(&self.carry[at.min(self.carry.len())..])
            else {
                return Ok(None);
            };
            total += len as u64;
            if total > limit {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "a packet is longer than the limit",
                ));
            }
            at += HEADER + len;
            if at > self.carry.len() {
                return Ok(None);
            }
            if len < MAX_CHUNK {
                return Ok(Some(Packet {
                    seq,
                    payload: self.take_payload(at),
                }));
            }
        }
    }

    /// Takes the first `len` bytes, chunk headers included, as one payload.
    fn take_payload(&mut self, len: usize) -> Bytes {
        let mut chunks = self.carry.split_to(len);
        if len <= HEADER + MAX_CHUNK {
            chunks.advance(HEADER);
            return chunks.freeze();
        }
        let mut payload = BytesMut::with_capacity(len);
        for chunk in chunks.chunks(HEADER + MAX_CHUNK) {
            payload.extend_from_slice(&chunk[HEADER..]);
        }
        payload.freeze()
    }
}

impl Piece {
    fn left(&self) -> &[u8] {
        match self {
            Self::Pooled(buffer, from, to) => &buffer[*from..*to],
            Self::Shared(bytes) => bytes,
        }
    }

    fn advance(&mut self, written: usize) {
        match self {
            Self::Pooled(_, from, _) => *from += written,
            Self::Shared(bytes) => bytes.advance(written),
        }
    }
}

/// Lays payloads out as packets on a link; small ones gather until [`Outgoing::flush`].
pub struct Outgoing<'a> {
    link: &'a mut Link,
    buf: Vec<u8>,
    seq: u8,
    /// Bytes that the current chunk still takes.
    chunk_left: usize,
    /// Bytes that the current payload still takes.
    left: u64,
    /// The current chunk is as long as a chunk can be: another one follows it.
    full: bool,
}

/// Gathered bytes are written when there are more than this.
const GATHER: usize = 64 << 10;

impl<'a> Outgoing<'a> {
    /// `seq` is the sequence number of the next packet.
    pub fn new(link: &'a mut Link, seq: u8) -> Self {
        Self {
            link,
            buf: Vec::new(),
            seq,
            chunk_left: 0,
            left: 0,
            full: false,
        }
    }

    /// A whole payload.
    pub async fn packet(&mut self, payload: &[u8]) -> io::Result<()> {
        self.begin(payload.len() as u64);
        self.part(payload).await
    }

    /// Begins a payload of `len` bytes that is given in parts.
    pub fn begin(&mut self, len: u64) {
        debug_assert!(
            self.left == 0 && self.chunk_left == 0,
            "the payload before is complete"
        );
        self.left = len;
        self.chunk_header();
    }

    /// The next part of the payload.
    pub async fn part(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        loop {
            let (now, rest) = bytes.split_at(bytes.len().min(self.chunk_left));
            self.write(now).await?;
            self.chunk_left -= now.len();
            self.left -= now.len() as u64;
            bytes = rest;
            if self.chunk_left > 0 || !self.full {
                return Ok(());
            }
            self.chunk_header();
        }
    }

    /// Writes what has gathered; gives the next sequence number.
    pub async fn flush(&mut self) -> io::Result<u8> {
        self.write_gathered().await?;
        self.link.stream.flush().await?;
        Ok(self.seq)
    }

    fn chunk_header(&mut self) {
        self.chunk_left = usize::try_from(self.left).map_or(MAX_CHUNK, |left| left.min(MAX_CHUNK));
        self.full = self.chunk_left == MAX_CHUNK;
        self.buf
            .extend_from_slice(&packet::header(self.chunk_left, self.seq));
        self.seq = self.seq.wrapping_add(1);
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.buf.len() + bytes.len() <= GATHER {
            self.buf.extend_from_slice(bytes);
            return Ok(());
        }
        self.write_gathered().await?;
        if bytes.len() < GATHER {
            self.buf.extend_from_slice(bytes);
            return Ok(());
        }
        self.link.stream.write_all(bytes).await?;
        self.link.was_sent(bytes.len());
        Ok(())
    }

    async fn write_gathered(&mut self) -> io::Result<()> {
        self.link.stream.write_all(&self.buf).await?;
        self.link.was_sent(self.buf.len());
        self.buf.clear();
        Ok(())
    }
}
