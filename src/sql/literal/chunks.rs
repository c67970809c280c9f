//! Decodes a literal piece by piece.

use super::super::letters::Letters;
use super::super::lexer::run;
use super::{Form, Literal, Part};
use bytes::Bytes;

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
            if *form != Form::Plain {
                piece.reserve(room.min(rest.len()));
            }
            match *form {
                Form::Plain if piece.is_empty() => {
                    let from = body.start + self.done;
                    let len = rest.len().min(room);
                    self.done += len;
                    return Some(text.slice(from..from + len));
                }
                Form::Plain => break,
                Form::Digits { per_byte } => self.done += digits(&mut piece, rest, per_byte, room),
                Form::Text {
                    quote,
                    escape,
                    letters,
                } => {
                    let run = run(rest, room, quote, escape, letters);
                    if run < SLICE.min(self.chunk) {
                        self.done +=
                            strings(&mut piece, rest, (quote, escape, letters), self.chunk);
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
pub(super) fn text_len(body: &[u8], quote: u8, escape: u8, letters: Letters) -> usize {
    let (mut len, mut at) = (body.len(), 0);
    while let Some(&byte) = body.get(at) {
        if byte != quote && byte != escape {
            at += run(&body[at..], usize::MAX, quote, escape, letters);
            continue;
        }
        // Two bytes for one, but for `\%` and `\_`, which stand for both.
        let both = byte == b'\\' && matches!(body.get(at + 1), Some(b'%' | b'_'));
        len -= usize::from(!both);
        at += 2;
    }
    len
}

/// Decodes part of a string into `piece`, until that has `chunk` bytes or a run comes that is
/// worth a slice. Returns how much of `rest` is done.
fn strings(
    piece: &mut Vec<u8>,
    rest: &[u8],
    (quote, escape, letters): (u8, u8, Letters),
    chunk: usize,
) -> usize {
    let mut at = 0;
    while piece.len() < chunk && at < rest.len() {
        let byte = rest[at];
        if byte != quote && byte != escape {
            let room = chunk - piece.len();
            let plain = run(&rest[at..], room, quote, escape, letters);
            if plain >= SLICE.min(chunk) {
                break;
            }
            piece.extend_from_slice(&rest[at..at + plain]);
            at += plain;
            continue;
        }
        match rest.get(at + 1) {
            // The backslash is kept; what follows stands for itself.
            Some(b'%' | b'_') if byte == b'\\' => {
                piece.push(byte);
                at += 1;
            }
            Some(&second) if byte == b'\\' => {
                piece.push(ESCAPED[usize::from(second)]);
                at += 2;
            }
            _ => {
                piece.push(byte);
                at += 2;
            }
        }
    }
    // The lexer leaves no lone escape at the end of a body; were there one, it ends there.
    at.min(rest.len())
}

/// What a byte behind a backslash stands for: itself, but for these six. A table and not a
/// `match`, whose branches no processor can foresee in binary data.
const ESCAPED: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte as u8;
        byte += 1;
    }
    table[b'0' as usize] = 0x00;
    table[b'b' as usize] = 0x08;
    table[b't' as usize] = b'\t';
    table[b'n' as usize] = b'\n';
    table[b'r' as usize] = b'\r';
    table[b'Z' as usize] = 0x1a;
    table
};

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
