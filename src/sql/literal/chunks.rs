//! Decodes a literal piece by piece.

use bytes::Bytes;
use memchr::memchr2;

use super::{Form, Literal, Part};

/// A run of this length or more is handed out as a slice of the statement.
const SLICE: usize = 4096;

/// The pieces of a literal's value; see [`Literal::chunks`].
#[derive(Debug, Clone)]
pub struct Chunks {
    literal: Literal,
    chunk: usize,
    /// The part that is being decoded, and how much of its body is done.
    part: usize,
    done: usize,
}

impl Chunks {
    pub(super) fn new(literal: Literal, chunk: usize) -> Self {
        Chunks {
            literal,
            chunk: chunk.max(1),
            part: 0,
            done: 0,
        }
    }
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let text = self.literal.text.clone();
        let mut piece = Vec::new();
        while piece.len() < self.chunk
            && let Some(Part { body, form }) = self.literal.parts.get(self.part)
        {
            let rest = &text[body.start + self.done..body.end];
            if rest.is_empty() {
                self.part += 1;
                self.done = 0;
                continue;
            }
            let room = self.chunk - piece.len();
            piece.reserve(room.min(rest.len()));
            match *form {
                Form::Digits { per_byte } => self.done += digits(&mut piece, rest, per_byte, room),
                Form::Text { quote, escape } => {
                    let run = run(&rest[..rest.len().min(room)], quote, escape);
                    if run < SLICE.min(self.chunk) {
                        self.done += strings(&mut piece, rest, quote, escape, self.chunk);
                    } else if piece.is_empty() {
                        let from = body.start + self.done;
                        self.done += run;
                        return Some(text.slice(from..from + run));
                    } else {
                        break;
                    }
                }
            }
        }
        (!piece.is_empty()).then(|| piece.into())
    }
}

/// How many bytes the body of a string stands for.
pub(super) fn text_len(body: &[u8], quote: u8, escape: u8) -> usize {
    let (mut len, mut at) = (0, 0);
    while at < body.len() {
        let plain = run(&body[at..], quote, escape);
        len += plain;
        at += plain;
        while let Some(&first) = body.get(at)
            && (first == quote || first == escape)
        {
            let (_, width) = unescape(&body[at..]);
            len += 1;
            at += width;
        }
    }
    len
}

/// Decodes part of a string into `piece`, until that has `chunk` bytes or a run comes that is
/// worth a slice. Returns how much of `rest` is done.
fn strings(piece: &mut Vec<u8>, rest: &[u8], quote: u8, escape: u8, chunk: usize) -> usize {
    let mut at = 0;
    while piece.len() < chunk && at < rest.len() {
        if rest[at] == quote || rest[at] == escape {
            let (byte, width) = unescape(&rest[at..]);
            piece.push(byte);
            at += width;
            continue;
        }
        let room = (chunk - piece.len()).min(rest.len() - at);
        let plain = run(&rest[at..at + room], quote, escape);
        if plain >= SLICE.min(chunk) {
            break;
        }
        piece.extend_from_slice(&rest[at..at + plain]);
        at += plain;
    }
    at
}

/// How many bytes stand for themselves before the next one that does not.
fn run(rest: &[u8], quote: u8, escape: u8) -> usize {
    memchr2(quote, escape, rest).unwrap_or(rest.len())
}

/// The byte that an escape or a doubled quote at the start of `rest` stands for, and the width
/// of what is thereby done. `\%` and `\_` keep their backslash, so there only that is done.
fn unescape(rest: &[u8]) -> (u8, usize) {
    match *rest {
        [b'\\', second, ..] => match second {
            b'0' => (0, 2),
            b'b' => (0x08, 2),
            b't' => (b'\t', 2),
            b'n' => (b'\n', 2),
            b'r' => (b'\r', 2),
            b'Z' => (0x1a, 2),
            b'%' | b'_' => (b'\\', 1),
            other => (other, 2),
        },
        [quote, _, ..] => (quote, 2),
        [last] => (last, 1),
        [] => (0, 1),
    }
}

/// Decodes digits into at most `room` bytes. Returns how much of `rest` is done.
fn digits(piece: &mut Vec<u8>, rest: &[u8], per_byte: usize, room: usize) -> usize {
    // Digits left over belong to the first byte, as if zeros stood before them.
    let leading = rest.len() % per_byte;
    if leading > 0 {
        piece.push(number(&rest[..leading], per_byte));
        return leading;
    }
    let done = rest.len().min(room * per_byte);
    let bytes = rest[..done].chunks_exact(per_byte);
    match per_byte {
        // The same in a form that compiles to vector instructions.
        2 => piece.extend(bytes.map(|pair| digit(pair[0]) << 4 | digit(pair[1]))),
        _ => piece.extend(bytes.map(|digits| number(digits, per_byte))),
    }
    done
}

fn number(digits: &[u8], per_byte: usize) -> u8 {
    let shift = 8 / per_byte;
    (digits.iter()).fold(0, |number, &byte| number << shift | digit(byte))
}

/// The value of a hexadecimal digit: letters have bit 6 set and begin at 1.
fn digit(byte: u8) -> u8 {
    (byte & 0x0f) + (byte >> 6) * 9
}
