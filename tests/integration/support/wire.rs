//! The bytes of a connection, as they are or in the frames of the compressed protocol.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// A connection; written and read are packets, in frames or not.
pub enum Wire {
    Plain(TcpStream),
    Framed(Framed),
}

impl Wire {
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Framed(framed) => &framed.tcp,
        }
    }

    /// The same connection with frames from here on.
    pub fn frame(&mut self, zstd: bool) {
        let tcp = self.tcp().try_clone().expect("a socket");
        *self = Self::Framed(Framed {
            tcp,
            zstd,
            seq: 0,
            cut: usize::MAX,
            unread: Vec::new(),
            at: 0,
            open: 0,
            compressed: (0, 0),
        });
    }
}

/// Frames as MySQL's and MariaDB's own programs write and check them.
pub struct Framed {
    pub tcp: TcpStream,
    pub zstd: bool,
    /// Of the next frame, whoever sends it.
    pub seq: u8,
    /// The longest contents of a frame that is written.
    pub cut: usize,
    unread: Vec<u8>,
    at: usize,
    /// Bytes that the packet still takes which the last frame left open.
    open: usize,
    /// Frames sent and received whose contents were compressed.
    pub compressed: (usize, usize),
}

/// The longest contents of a frame.
const LONGEST: usize = 0xff_ffff;

impl Framed {
    fn packed(&self, contents: &[u8]) -> Vec<u8> {
        if self.zstd {
            return zstd::bulk::compress(contents, 3).expect("zstd");
        }
        let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(contents).expect("memory");
        packed.finish().expect("memory")
    }

    /// MySQL's Connector for Python takes no packet from more than two frames.
    fn walk(&mut self, contents: &[u8]) -> io::Result<()> {
        let mut at = self.open;
        while at < contents.len() && at + 4 <= contents.len() {
            at += 4 + u32::from_le_bytes([contents[at], contents[at + 1], contents[at + 2], 0])
                as usize;
        }
        let split = self.open > contents.len();
        self.open = at.saturating_sub(contents.len());
        match split || at < contents.len() {
            true => Err(io::Error::other(
                "a packet in more than two frames, or a header in two",
            )),
            false => Ok(()),
        }
    }

    fn unpacked(&self, packed: &[u8], len: usize) -> Vec<u8> {
        let mut contents = Vec::with_capacity(len);
        if self.zstd {
            return zstd::bulk::decompress(packed, len).expect("zstd");
        }
        flate2::read::ZlibDecoder::new(packed)
            .read_to_end(&mut contents)
            .expect("zlib");
        contents
    }
}

impl Write for Framed {
    /// A write that begins with packet 0 begins a command.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.get(3) == Some(&0) {
            self.seq = 0;
        }
        for contents in bytes.chunks(self.cut.min(LONGEST)) {
            let packed = match contents.len() >= 50 {
                true => self.packed(contents),
                false => Vec::new(),
            };
            let as_it_is = packed.is_empty() || packed.len() >= contents.len();
            let (body, len) = match as_it_is {
                true => (contents, 0),
                false => (&packed[..], contents.len()),
            };
            self.compressed.0 += usize::from(!as_it_is);
            let mut frame = body.len().to_le_bytes()[..3].to_vec();
            frame.push(self.seq);
            frame.extend_from_slice(&len.to_le_bytes()[..3]);
            frame.extend_from_slice(body);
            self.seq = self.seq.wrapping_add(1);
            self.tcp.write_all(&frame)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Framed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.unread.len() {
            let mut header = [0; 7];
            if let Err(error) = self.tcp.read_exact(&mut header) {
                return match error.kind() {
                    io::ErrorKind::UnexpectedEof => Ok(0),
                    _ => Err(error),
                };
            }
            let number = |at| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], 0]);
            if header[3] != self.seq {
                let text = format!("frame {} and not {}", header[3], self.seq);
                return Err(io::Error::other(text));
            }
            self.seq = self.seq.wrapping_add(1);
            let mut body = vec![0; number(0) as usize];
            self.tcp.read_exact(&mut body)?;
            if number(4) > 0 {
                self.compressed.1 += 1;
                body = self.unpacked(&body, number(4) as usize);
                assert_eq!(body.len(), number(4) as usize, "what a frame comes to");
            }
            self.walk(&body)?;
            (self.unread, self.at) = (body, 0);
        }
        let n = into.len().min(self.unread.len() - self.at);
        into[..n].copy_from_slice(&self.unread[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(into),
            Self::Framed(framed) => framed.read(into),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Framed(framed) => framed.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp().flush()
    }
}
