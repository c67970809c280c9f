//! The bytes of a blob, taken step by step: lengths, counts, views.

use bytes::Bytes;

use super::{Dimensions, MYM, corrupt, invalid, too_large};
use crate::codec::{CodecError, ValueLimits};

/// Where unpacking is.
pub(super) struct Reader<'a> {
    bytes: &'a Bytes,
    at: usize,
    /// Where the value that is being read must end.
    end: usize,
    pub(super) dimensions: Dimensions,
    /// How many more bytes the values may take that are no views on the blob.
    memory: u64,
    pub(super) limits: &'a ValueLimits,
}

impl<'a> Reader<'a> {
    /// Behind the header.
    pub(super) fn new(raw: &'a Bytes, dimensions: Dimensions, limits: &'a ValueLimits) -> Self {
        Self {
            bytes: raw,
            at: MYM.len(),
            end: raw.len(),
            dimensions,
            memory: limits.bytes,
            limits,
        }
    }

    /// The next byte, which stays.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes[self.at..self.end].first().copied()
    }

    /// From here on only the next bytes are there; the result is for [`leave`](Self::leave).
    pub(super) fn enter(&mut self, len: usize) -> Result<usize, CodecError> {
        self.expect(len, 1)?;
        Ok(std::mem::replace(&mut self.end, self.at + len))
    }

    /// Back to where the bytes around end; none may be left of those within.
    pub(super) fn leave(&mut self, outer: usize) -> Result<(), CodecError> {
        self.finish()?;
        self.end = outer;
        Ok(())
    }

    /// A text that ends with a zero byte.
    pub(super) fn name(&mut self) -> Result<String, CodecError> {
        let len = memchr::memchr(0, &self.bytes[self.at..self.end]).ok_or_else(invalid)?;
        let name = self.string(len)?;
        self.at += 1;
        Ok(name)
    }

    pub(super) fn string(&mut self, len: usize) -> Result<String, CodecError> {
        self.allot(len, 1)?;
        let bytes = self.slice(len)?;
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| corrupt("a text in the blob is not UTF-8"))
    }

    /// A mark that must be 0 or 1.
    pub(super) fn flag(&mut self) -> Result<bool, CodecError> {
        match u32::from_le_bytes(self.take()?) {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(corrupt("a flag in the blob is neither 0 nor 1")),
        }
    }

    /// A length or a count of things that are in memory.
    pub(super) fn count(&mut self) -> Result<usize, CodecError> {
        usize::try_from(self.word()?).map_err(|_| invalid())
    }

    pub(super) fn word(&mut self) -> Result<u64, CodecError> {
        Ok(match self.dimensions {
            Dimensions::Bits64 => u64::from_le_bytes(self.take()?),
            Dimensions::Bits32 => u32::from_le_bytes(self.take()?).into(),
        })
    }

    pub(super) fn word_len(&self) -> usize {
        match self.dimensions {
            Dimensions::Bits64 => 8,
            Dimensions::Bits32 => 4,
        }
    }

    /// That so many things of at least so many bytes can still come.
    pub(super) fn expect(&self, count: usize, size: usize) -> Result<(), CodecError> {
        match count.checked_mul(size) {
            Some(len) if len <= self.end - self.at => Ok(()),
            _ => Err(invalid()),
        }
    }

    /// Takes from the memory that the values may have.
    pub(super) fn allot(&mut self, count: usize, size: usize) -> Result<(), CodecError> {
        self.memory = (count as u64)
            .checked_mul(size as u64)
            .and_then(|bytes| self.memory.checked_sub(bytes))
            .ok_or_else(|| too_large(self.limits))?;
        Ok(())
    }

    pub(super) fn take<const LEN: usize>(&mut self) -> Result<[u8; LEN], CodecError> {
        match self.bytes[self.at..self.end].first_chunk() {
            Some(bytes) => {
                self.at += LEN;
                Ok(*bytes)
            }
            None => Err(invalid()),
        }
    }

    pub(super) fn slice(&mut self, len: usize) -> Result<&[u8], CodecError> {
        self.expect(len, 1)?;
        let from = self.at;
        self.at += len;
        Ok(&self.bytes[from..self.at])
    }

    pub(super) fn view(&mut self, len: usize) -> Result<Bytes, CodecError> {
        self.expect(len, 1)?;
        let from = self.at;
        self.at += len;
        Ok(self.bytes.slice(from..self.at))
    }

    /// That nothing is left of the value.
    pub(super) fn finish(&self) -> Result<(), CodecError> {
        if self.at == self.end {
            Ok(())
        } else {
            Err(invalid())
        }
    }
}
