//! The answers to several statements as the answer to one text: a layer over the client's stream
//! while the session runs the statements of a text one by one.
//!
//! In the status flags of each answer but the last it says that more results follow, as the
//! server does. Everything else goes through as it is written.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::stream::Stream;
use crate::wire::command::Expect;
use crate::wire::packet::{Cutter, HEADER};
use crate::wire::reply;
use crate::wire::response::{Responses, Seen};

/// A stream on which the answers to several statements become one.
#[derive(Debug)]
pub struct Sequel {
    stream: Stream,
    responses: Responses,
    cutter: Cutter,
    /// Written, not looked at yet: the head of a packet.
    head: BytesMut,
    unsent: BytesMut,
    /// Another statement follows.
    more: bool,
    failed: bool,
    seq: u8,
}

impl Sequel {
    /// `responses` knows the shape of the session's answers; `seq` is that of the text's last
    /// packet.
    pub fn new(stream: Stream, responses: &Responses, seq: u8) -> Self {
        Self {
            stream,
            responses: Responses::new(responses.shape(), 0),
            cutter: Cutter::default(),
            head: BytesMut::new(),
            unsent: BytesMut::new(),
            more: false,
            failed: false,
            seq,
        }
    }

    /// The answer to a statement comes next; `more` says that it is not the last.
    pub fn begin(&mut self, more: bool) {
        self.more = more;
        self.responses.sent(Expect::Results);
    }

    /// Whether a statement has ended with an error, so that no other may run.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Sequence number of the last packet.
    pub fn seq(&self) -> u8 {
        self.seq
    }

    /// The stream below.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The stream below, with the layer gone.
    pub fn into_stream(self) -> Stream {
        self.stream
    }

    /// Looks at the packets that are there; what may go out moves to `unsent`.
    fn follow(&mut self) {
        let mut at = 0;
        while let Some(packet) = self.cutter.next(&self.head, &mut at, |_| reply::PREFIX) {
            let start = packet.start + HEADER;
            self.seq = self.head[packet.start + 3];
            let prefix = &self.head[start..start + packet.have.min(reply::PREFIX)];
            let is_error = prefix.first() == Some(&reply::ERR) && !packet.continued;
            let place = self.responses.status_place(packet.len, prefix);
            if self.responses.packet(packet.len, prefix) == Seen::End {
                self.failed |= is_error;
            }
            if let (true, Some(place)) = (self.more, place) {
                self.head[start + place] |= reply::MORE_RESULTS as u8;
            }
        }
        let done = self.head.split_to(at);
        self.unsent.unsplit(done);
    }

    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.unsent))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Sequel {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Sequel {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_unsent(cx))?;
        this.head.extend_from_slice(buf);
        this.follow();
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_unsent(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_unsent(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
