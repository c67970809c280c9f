//! The socket to a worker: messages of a header in JSON and a body, as `worker/main.py` says.
//!
//! Whoever reads may block, until a time that is given. What has come in one piece is read in one
//! piece: a worker sends the answers to small calls together.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use serde_json::Value as Json;

/// The lengths of a header and a body: 4 and 8 bytes.
const LENGTHS: usize = 12;

/// The longest header, in bytes.
pub(super) const LONGEST_HEADER: u64 = 16 << 20;

/// Up to this many bytes a message is written at once, and so many are read ahead.
const SMALL: usize = 64 * 1024;

/// How often whoever waits for an answer looks up.
const TICK: Duration = Duration::from_millis(200);

/// Our end.
pub(super) struct Channel {
    /// Reads ahead.
    socket: BufReader<UnixStream>,
    /// The socket's read timeout.
    patience: Duration,
}

/// Why there is no message.
#[derive(Debug)]
pub(super) enum Broken {
    /// The time is up.
    Late,
    /// The process has ended, or closed its socket.
    Ended,
    /// The message makes no sense.
    Nonsense(String),
}

impl Channel {
    pub fn new(socket: UnixStream) -> Self {
        Self {
            socket: BufReader::with_capacity(SMALL, socket),
            patience: Duration::MAX,
        }
    }

    /// How long a write may block.
    pub fn set_write_timeout(&self, time: Duration) -> io::Result<()> {
        self.socket.get_ref().set_write_timeout(Some(time))
    }

    /// Sends a message, whose body is all of `bodies`.
    pub fn write(&mut self, header: &Json, bodies: &[&Bytes]) -> io::Result<()> {
        let header = serde_json::to_vec(header)?;
        let length: usize = bodies.iter().map(|body| body.len()).sum();
        let too_long = |_| io::Error::from(ErrorKind::InvalidInput);
        let mut head = Vec::with_capacity(LENGTHS + header.len());
        head.extend(u32::try_from(header.len()).map_err(too_long)?.to_be_bytes());
        head.extend((length as u64).to_be_bytes());
        head.extend(header);
        let mut socket = self.socket.get_ref();
        if length <= SMALL {
            bodies.iter().for_each(|body| head.extend_from_slice(body));
            return socket.write_all(&head);
        }
        socket.write_all(&head)?;
        bodies.iter().try_for_each(|body| socket.write_all(body))
    }

    /// The next header and body, of at most `most` bytes, within `time`. `waiting` is called now
    /// and then.
    pub fn read(
        &mut self,
        time: Duration,
        most: u64,
        mut waiting: impl FnMut(),
    ) -> Result<(Bytes, Bytes), Broken> {
        let until = Instant::now() + time;
        let lengths = self.read_exactly(LENGTHS, until, &mut waiting)?;
        let (header, body) = lengths.split_at(4);
        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, b| sum << 8 | u64::from(*b));
        let (header, body) = (number(header), number(body));
        if header > LONGEST_HEADER || body > most {
            let text = format!("an answer of {header} and {body} bytes");
            return Err(Broken::Nonsense(text));
        }
        let header = self.read_exactly(header as usize, until, &mut waiting)?;
        let body = self.read_exactly(body as usize, until, &mut waiting)?;
        Ok((header, body))
    }

    fn read_exactly(
        &mut self,
        length: usize,
        until: Instant,
        waiting: &mut impl FnMut(),
    ) -> Result<Bytes, Broken> {
        let mut whole = BytesMut::zeroed(length);
        let mut done = 0;
        while done < length {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Broken::Late);
            }
            let patience = left.min(TICK);
            if patience != self.patience {
                let set = self.socket.get_ref().set_read_timeout(Some(patience));
                set.map_err(|_| Broken::Ended)?;
                self.patience = patience;
            }
            match self.socket.read(&mut whole[done..]) {
                Ok(0) => return Err(Broken::Ended),
                Ok(count) => done += count,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => waiting(),
                    ErrorKind::Interrupted => {}
                    _ => return Err(Broken::Ended),
                },
            }
        }
        Ok(whole.freeze())
    }
}
