//! The compressed protocol: frames around the packets, each of them compressed or as it is.
//!
//! A frame is three bytes of length, one of sequence number, three of what the contents come to
//! (0: they are not compressed), and the contents. Packets begin and end anywhere in frames.
//!
//! A frame may claim to come to 16 MiB - 1 byte at most, and that much is all that is ever made of
//! it: what is inflated goes to the caller's buffer, nothing is held but the state of the inflater.

use std::cell::RefCell;
use std::io;

use flate2::{Decompress, FlushDecompress};
use libdeflater::{CompressionLvl, Compressor};
use zstd::stream::raw::{Decoder, Operation};

/// Bytes before the contents of a frame.
pub const HEADER: usize = 7;
/// The longest contents of a frame, in bytes.
pub const CONTENTS: usize = 0xFF_FFFF;
/// Shorter contents are not compressed, as by the servers.
const MIN: usize = 50;
/// The level that MySQL takes by itself.
const ZSTD_LEVEL: i32 = 3;

/// How a connection is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `CLIENT_COMPRESS`
    Zlib,
    /// `CLIENT_ZSTD_COMPRESSION_ALGORITHM`, with the level that the client asks for.
    Zstd {
        /// 1 to 22; what lies outside is taken as 3.
        level: u8,
    },
}

/// Why a stream of frames ends.
#[derive(Debug, thiserror::Error)]
pub enum CompressError {
    /// The contents cannot be inflated.
    #[error("a compressed frame is broken: {0}")]
    Broken(String),
    /// They come to more or less than the header says.
    #[error("a compressed frame does not come to what it says")]
    Length,
}

impl From<CompressError> for io::Error {
    fn from(error: CompressError) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

/// Takes frames apart, as their bytes arrive.
pub struct Unpacker {
    algorithm: Algorithm,
    header: Vec<u8>,
    body: Body,
    next_seq: u8,
}

/// What of the current frame is still to come.
enum Body {
    /// Its header, or a part of that.
    Header,
    /// So many bytes as they are.
    Plain(usize),
    Packed(Packed),
}

struct Packed {
    /// Bytes of the frame.
    left: usize,
    /// Bytes that it still has to come to.
    claimed: usize,
    inflater: Inflater,
}

enum Inflater {
    Zlib(Box<Decompress>),
    Zstd(Box<Decoder<'static>>),
}

/// What one step of an inflater has done.
struct Step {
    used: usize,
    made: usize,
    ended: bool,
}

impl Unpacker {
    /// At the beginning of a frame.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            header: Vec::new(),
            body: Body::Header,
            next_seq: 0,
        }
    }

    /// The sequence number after that of the frame last begun: the answer's first.
    pub fn next_seq(&self) -> u8 {
        self.next_seq
    }

    /// Fills `out` from `raw` as far as both go; gives how many bytes of each are done. With
    /// room in `out`, nothing made means that all of `raw` is used up.
    pub fn read(&mut self, raw: &[u8], out: &mut [u8]) -> Result<(usize, usize), CompressError> {
        let (mut used, mut made) = (0, 0);
        loop {
            match &mut self.body {
                Body::Header => {
                    let wanted = HEADER - self.header.len();
                    let there = &raw[used..raw.len().min(used + wanted)];
                    self.header.extend_from_slice(there);
                    used += there.len();
                    if self.header.len() < HEADER {
                        return Ok((used, made));
                    }
                    self.begin()?;
                }
                Body::Plain(0) => self.body = Body::Header,
                Body::Plain(left) => {
                    let n = (*left).min(raw.len() - used).min(out.len() - made);
                    if n == 0 {
                        return Ok((used, made));
                    }
                    out[made..made + n].copy_from_slice(&raw[used..used + n]);
                    *left -= n;
                    used += n;
                    made += n;
                }
                Body::Packed(packed) => {
                    let step = packed.step(&raw[used..], &mut out[made..])?;
                    used += step.used;
                    made += step.made;
                    if step.ended {
                        self.body = Body::Header;
                    } else if step.used == 0 && step.made == 0 {
                        return Ok((used, made));
                    }
                }
            }
        }
    }

    /// The header is there.
    fn begin(&mut self) -> Result<(), CompressError> {
        let header = std::mem::take(&mut self.header);
        let number = |at: usize| {
            usize::from(header[at])
                | usize::from(header[at + 1]) << 8
                | usize::from(header[at + 2]) << 16
        };
        let (len, claimed) = (number(0), number(4));
        self.next_seq = header[3].wrapping_add(1);
        self.body = match claimed {
            0 => Body::Plain(len),
            _ if len == 0 => return Err(CompressError::Length),
            _ => Body::Packed(Packed {
                left: len,
                claimed,
                inflater: Inflater::new(self.algorithm)?,
            }),
        };
        Ok(())
    }
}

impl Packed {
    fn step(&mut self, raw: &[u8], out: &mut [u8]) -> Result<Step, CompressError> {
        let raw = &raw[..raw.len().min(self.left)];
        let room = out.len().min(self.claimed);
        // When all has come, one byte more would be one too many.
        let mut spare = [0];
        let into = match self.claimed {
            0 => &mut spare[..],
            _ => &mut out[..room],
        };
        if into.is_empty() {
            return Ok(Step {
                used: 0,
                made: 0,
                ended: false,
            });
        }
        let step = self.inflater.step(raw, into)?;
        if self.claimed == 0 && step.made > 0 {
            return Err(CompressError::Length);
        }
        self.left -= step.used;
        self.claimed -= step.made;
        let stuck = self.left == 0 && step.made == 0;
        match step.ended {
            true if self.left > 0 || self.claimed > 0 => Err(CompressError::Length),
            false if stuck => Err(CompressError::Length),
            _ => Ok(step),
        }
    }
}

impl Inflater {
    fn new(algorithm: Algorithm) -> Result<Self, CompressError> {
        Ok(match algorithm {
            Algorithm::Zlib => Self::Zlib(Box::new(Decompress::new(true))),
            // It refuses windows of more than 128 MiB; of a window only what is filled is in memory.
            Algorithm::Zstd { .. } => Self::Zstd(Box::new(Decoder::new().map_err(broken)?)),
        })
    }

    fn step(&mut self, raw: &[u8], out: &mut [u8]) -> Result<Step, CompressError> {
        match self {
            Self::Zlib(zlib) => {
                let (used, made) = (zlib.total_in(), zlib.total_out());
                let status = zlib.decompress(raw, out, FlushDecompress::None);
                let status = status.map_err(broken)?;
                Ok(Step {
                    // Differences within two slices.
                    used: (zlib.total_in() - used) as usize,
                    made: (zlib.total_out() - made) as usize,
                    ended: status == flate2::Status::StreamEnd,
                })
            }
            Self::Zstd(zstd) => {
                let status = zstd.run_on_buffers(raw, out).map_err(broken)?;
                Ok(Step {
                    used: status.bytes_read,
                    made: status.bytes_written,
                    ended: status.remaining == 0,
                })
            }
        }
    }
}

fn broken(error: impl ToString) -> CompressError {
    CompressError::Broken(error.to_string())
}

/// Appends a frame with these contents, of [`CONTENTS`] bytes at most.
pub fn push_frame(out: &mut Vec<u8>, seq: u8, contents: &[u8], algorithm: Algorithm) {
    debug_assert!(contents.len() <= CONTENTS, "longer ones are cut first");
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    let packed = match contents.len() >= MIN {
        true => push_packed(out, contents, algorithm),
        false => None,
    };
    let (len, claimed) = match packed {
        Some(len) if len < contents.len() => {
            out.truncate(start + HEADER + len);
            (len, contents.len())
        }
        _ => {
            out.truncate(start + HEADER);
            out.extend_from_slice(contents);
            (contents.len(), 0)
        }
    };
    out[start..start + 3].copy_from_slice(&len.to_le_bytes()[..3]);
    out[start + 3] = seq;
    out[start + 4..start + HEADER].copy_from_slice(&claimed.to_le_bytes()[..3]);
}

thread_local! {
    /// Their tables are some hundred KiB: one of each for all sessions of a thread.
    static ZLIB: RefCell<Compressor> = RefCell::new(Compressor::new(CompressionLvl::default()));
    static ZSTD: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

/// Appends the contents compressed, and gives their length; `None` if they do not get shorter.
fn push_packed(out: &mut Vec<u8>, contents: &[u8], algorithm: Algorithm) -> Option<usize> {
    let start = out.len();
    out.resize(start + contents.len(), 0);
    let into = &mut out[start..];
    match algorithm {
        Algorithm::Zlib => ZLIB.with_borrow_mut(|zlib| zlib.zlib_compress(contents, into).ok()),
        Algorithm::Zstd { level } => ZSTD.with_borrow_mut(|kept| {
            let level = match level {
                1..=22 => i32::from(level),
                _ => ZSTD_LEVEL,
            };
            let mut zstd = match kept.take() {
                Some(zstd) => zstd,
                None => zstd::bulk::Compressor::new(level).ok()?,
            };
            zstd.set_compression_level(level).ok()?;
            let len = zstd.compress_to_buffer(contents, into).ok();
            *kept = Some(zstd);
            len
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOTH: [Algorithm; 2] = [Algorithm::Zlib, Algorithm::Zstd { level: 3 }];

    /// What frames come to, given in pieces of `raw` bytes and taken in pieces of `out` bytes.
    fn unpacked(
        algorithm: Algorithm,
        frames: &[u8],
        raw: usize,
        out: usize,
    ) -> Result<Vec<u8>, CompressError> {
        let mut unpacker = Unpacker::new(algorithm);
        let (mut all, mut buffer) = (Vec::new(), vec![0; out]);
        for piece in frames.chunks(raw) {
            let mut rest = piece;
            loop {
                let (used, made) = unpacker.read(rest, &mut buffer)?;
                all.extend_from_slice(&buffer[..made]);
                rest = &rest[used..];
                if made == 0 {
                    assert!(rest.is_empty(), "there was room");
                    break;
                }
            }
        }
        Ok(all)
    }

    fn frame(seq: u8, claimed: usize, body: &[u8]) -> Vec<u8> {
        let mut frame = body.len().to_le_bytes()[..3].to_vec();
        frame.push(seq);
        frame.extend_from_slice(&claimed.to_le_bytes()[..3]);
        frame.extend_from_slice(body);
        frame
    }

    fn zlib(contents: &[u8]) -> Vec<u8> {
        let mut out = vec![0; contents.len() + 100];
        let len = Compressor::new(CompressionLvl::default()).zlib_compress(contents, &mut out);
        out.truncate(len.unwrap());
        out
    }

    proptest! {
        #[test]
        fn frames_read_back(
            parts in prop::collection::vec((0u8..4, 0usize..3000), 0..8),
            raw in 1usize..700,
            out in 1usize..700,
        ) {
            let (mut contents, mut seq) = (Vec::new(), 250);
            let mut frames = [Vec::new(), Vec::new()];
            for (step, len) in parts {
                let part: Vec<u8> = (0..len).map(|n| (n * usize::from(step) / 3) as u8).collect();
                for (frames, algorithm) in frames.iter_mut().zip(BOTH) {
                    push_frame(frames, seq, &part, algorithm);
                }
                seq = u8::wrapping_add(seq, 1);
                contents.extend(part);
            }
            for (frames, algorithm) in frames.iter().zip(BOTH) {
                prop_assert_eq!(&unpacked(algorithm, frames, raw, out).unwrap(), &contents);
            }
        }

        #[test]
        fn any_bytes_end(bytes: Vec<u8>, zstd: bool, claimed in 0usize..1000) {
            let algorithm = BOTH[usize::from(zstd)];
            let _ = unpacked(algorithm, &bytes, 7, 100);
            if let Ok(all) = unpacked(algorithm, &frame(0, claimed, &bytes), 7, 100) {
                prop_assert!(all.len() <= claimed.max(bytes.len()));
            }
        }
    }

    #[test]
    fn short_contents_and_noise_stay_as_they_are() {
        let noise: Vec<u8> = (0..600u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        for algorithm in BOTH {
            for contents in [&b"x"[..], &[7; 49], &noise[..60]] {
                let mut out = Vec::new();
                push_frame(&mut out, 3, contents, algorithm);
                assert_eq!(out, frame(3, 0, contents));
            }
            let mut out = Vec::new();
            push_frame(&mut out, 3, &[7; 50], algorithm);
            assert_eq!((out[3], &out[4..7]), (3, &[50, 0, 0][..]));
            assert!(out.len() < 50);
        }
    }

    #[test]
    fn a_frame_comes_to_what_it_says() {
        let body = zlib(&[1; 5000]);
        let read = |frame: &[u8]| unpacked(Algorithm::Zlib, frame, 1 << 20, 64);
        assert_eq!(read(&frame(0, 5000, &body)).unwrap().len(), 5000);
        for claimed in [1, 4999, 5001, 0xFF_FFFF] {
            assert!(read(&frame(0, claimed, &body)).is_err(), "{claimed}");
        }
        let longer = [&body[..], b"x"].concat();
        assert!(read(&frame(0, 5000, &longer)).is_err());
        assert!(read(&frame(0, 5000, &body[..body.len() - 1])).is_err());
        assert!(read(&frame(0, 5, b"")).is_err());
        assert_eq!(read(&frame(0, 0, b"")).unwrap(), b"");
    }

    #[test]
    fn the_answer_goes_on_where_the_command_ended() {
        let mut unpacker = Unpacker::new(Algorithm::Zlib);
        let frames = [frame(255, 0, b"ab"), frame(0, 0, b"c")].concat();
        assert_eq!(unpacker.next_seq(), 0);
        let mut out = [0; 10];
        assert_eq!(unpacker.read(&frames, &mut out).unwrap(), (frames.len(), 3));
        assert_eq!((&out[..3], unpacker.next_seq()), (&b"abc"[..], 1));
    }
}
