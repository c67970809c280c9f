//! One connection, whatever it runs over.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::compressed::Compressed;
use super::sequel::Sequel;

/// A plain or encrypted connection to a client or to the database.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A unix socket, to the database.
    Unix(UnixStream),
    /// TLS towards a client.
    ClientTls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    /// TLS towards the database.
    ServerTls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
    /// Compressed, over one of the others; towards a client.
    Compressed(Box<Compressed>),
    /// One of the others, while the statements of a text are run one by one; towards a client.
    Sequel(Box<Sequel>),
    /// Taken out while it is being wrapped; reads and writes fail.
    Taken,
}

impl Stream {
    /// True when what is sent cannot be read on the way.
    pub fn is_encrypted(&self) -> bool {
        match self {
            Self::ClientTls(_) | Self::ServerTls(_) => true,
            Self::Compressed(layer) => layer.stream().is_encrypted(),
            Self::Sequel(layer) => layer.stream().is_encrypted(),
            Self::Tcp(_) | Self::Unix(_) | Self::Taken => false,
        }
    }

    /// True where what is written may wait for a flush.
    pub fn is_buffered(&self) -> bool {
        self.is_encrypted() || matches!(self, Self::Compressed(_) | Self::Sequel(_))
    }

    /// True where MySQL servers take a clear-text password: encrypted, or a unix socket.
    pub fn is_secure(&self) -> bool {
        self.is_encrypted() || matches!(self, Self::Unix(_))
    }
}

/// Runs the same expression on whichever stream it is.
macro_rules! each {
    ($self:expr, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Tcp($stream) => $call,
            Stream::Unix($stream) => $call,
            Stream::ClientTls($stream) => $call,
            Stream::ServerTls($stream) => $call,
            Stream::Compressed($stream) => $call,
            Stream::Sequel($stream) => $call,
            Stream::Taken => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, s => Pin::new(s).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, s => Pin::new(s).poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, s => Pin::new(s).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, s => Pin::new(s).poll_shutdown(cx))
    }
}
