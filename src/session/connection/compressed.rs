//! A compressed connection to a client: a layer over its stream.
//!
//! The sequence numbers of frames go on from the client's last frame, as those of packets do.
//! Frames hold whole packets, as those of the servers do: MySQL's Connector for Python cannot
//! read a packet that lies in more than two. So what is written of a packet waits for its end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinHandle;

use super::stream::Stream;
use crate::wire::compress::{self, Algorithm, Unpacker};
use crate::wire::packet;

/// Bytes that are read at a time.
const READ: usize = 32 << 10;
/// Contents of this length in bytes make a frame, if they are whole packets.
const GATHERED: usize = 64 << 10;
/// Longer contents are compressed on a thread that may block.
const INLINE: usize = 256 << 10;

/// A stream of frames; what is read and written are the packets in them.
pub struct Compressed {
    stream: Stream,
    algorithm: Algorithm,
    unpacker: Unpacker,
    /// Received, not taken apart yet.
    raw: BytesMut,
    gathered: Gathered,
    /// A frame that is being made.
    packing: Option<JoinHandle<Vec<u8>>>,
    /// A frame on its way out.
    unsent: Bytes,
    /// Sequence number of the next frame.
    seq: u8,
    /// A frame has come since the last one went out.
    asked: bool,
}

/// Packets that wait for their frame.
#[derive(Default)]
struct Gathered {
    bytes: BytesMut,
    /// So many of the bytes are whole packets.
    whole: usize,
    /// Where the packet after those begins that are known.
    next: usize,
}

impl Gathered {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        while let Some((len, _)) = self.bytes.get(self.next..).and_then(packet::read_header) {
            self.next += packet::HEADER + len;
        }
        if self.next <= self.bytes.len() {
            self.whole = self.next;
        }
    }

    /// Takes the contents of a frame from the front.
    fn take(&mut self, len: usize) -> Bytes {
        self.whole = self.whole.saturating_sub(len);
        self.next -= len;
        let rest = self.bytes.split_off(len);
        std::mem::replace(&mut self.bytes, rest).freeze()
    }
}

impl std::fmt::Debug for Compressed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressed")
            .field("stream", &self.stream)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Compressed {
    /// Compresses from here on; `raw` are bytes that were received already.
    pub fn new(stream: Stream, algorithm: Algorithm, raw: BytesMut) -> Self {
        Self {
            stream,
            algorithm,
            unpacker: Unpacker::new(algorithm),
            raw,
            gathered: Gathered::default(),
            packing: None,
            unsent: Bytes::new(),
            seq: 0,
            asked: false,
        }
    }

    /// The stream that the frames go over.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Makes a frame of the first `len` bytes that have gathered; the one before is sent.
    fn frame(&mut self, len: usize) {
        if std::mem::take(&mut self.asked) {
            self.seq = self.unpacker.next_seq();
        }
        let (contents, seq, algorithm) = (self.gathered.take(len), self.seq, self.algorithm);
        self.seq = self.seq.wrapping_add(1);
        let pack = move || {
            let mut frame = Vec::new();
            compress::push_frame(&mut frame, seq, &contents, algorithm);
            frame
        };
        match len > INLINE {
            true => self.packing = Some(tokio::task::spawn_blocking(pack)),
            false => self.unsent = pack().into(),
        }
    }

    /// Sends the frame that is under way.
    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(packing) = &mut self.packing {
            let packed = ready!(Pin::new(packing).poll(cx));
            self.packing = None;
            self.unsent = packed.map_err(io::Error::other)?.into();
        }
        while !self.unsent.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.unsent))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(written);
        }
        self.unsent = Bytes::new();
        Poll::Ready(Ok(()))
    }

    /// Sends the whole packets that have gathered.
    fn poll_whole(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(cx))?;
        if self.gathered.whole > 0 {
            self.frame(self.gathered.whole);
            ready!(self.poll_unsent(cx))?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Compressed {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let (used, made) = this.unpacker.read(&this.raw, buf.initialize_unfilled())?;
            this.raw.advance(used);
            this.asked |= used > 0;
            buf.advance(made);
            if made > 0 {
                return Poll::Ready(Ok(()));
            }
            this.raw.reserve(READ);
            let read = tokio_util::io::poll_read_buf(Pin::new(&mut this.stream), cx, &mut this.raw);
            match read {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    // An idle session holds no buffer.
                    this.raw = BytesMut::new();
                    return Poll::Pending;
                }
            }
        }
    }
}

impl AsyncWrite for Compressed {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_unsent(cx))?;
        let gathered = &mut this.gathered;
        let taken = buf.len().min(compress::CONTENTS - gathered.bytes.len());
        gathered.push(&buf[..taken]);
        match gathered.bytes.len() {
            compress::CONTENTS => this.frame(compress::CONTENTS),
            GATHERED.. if gathered.whole > 0 => this.frame(this.gathered.whole),
            _ => {}
        }
        // What does not go out now goes with the next write, or the flush.
        match this.poll_unsent(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_whole(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_whole(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
