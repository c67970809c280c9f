//! What a value is read with: its bounds, and where an error was.

use std::fmt::Write;

use serde::de::Error;
use serde_json::error::Category;

use crate::codec::json::most_levels;
use crate::codec::{CodecError, ValueLimits};

pub(super) struct Context {
    /// Containers that may still be entered.
    depth: usize,
    /// Bytes of memory that values may still take.
    bytes: u64,
    /// The path of an error, innermost first. Only gathered when there is one.
    path: Vec<Segment>,
    refusal: Option<CodecError>,
    /// Whether a number looked like an integer beyond 64 bits, which comes as a float.
    saw_wide: bool,
}

/// A step of a JSON path.
pub(super) enum Segment {
    Key(String),
    Index(usize),
}

impl Segment {
    pub(super) fn key(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl Context {
    pub(super) fn new(limits: &ValueLimits) -> Self {
        Self {
            depth: most_levels(limits),
            bytes: limits.bytes,
            path: Vec::new(),
            refusal: None,
            saw_wide: false,
        }
    }

    /// Goes into what counts as so many containers.
    pub(super) fn enter<E: Error>(&mut self, levels: usize) -> Result<(), E> {
        match self.depth.checked_sub(levels) {
            Some(depth) => self.depth = depth,
            None => return Err(self.limit("the value is nested deeper than limits.value_depth")),
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, levels: usize) {
        self.depth += levels;
    }

    /// Counts memory that is not in proportion to the text.
    pub(super) fn charge<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        match self.bytes.checked_sub(bytes as u64) {
            Some(left) => self.bytes = left,
            None => {
                return Err(self.limit("the value takes more memory than limits.value_bytes"));
            }
        }
        Ok(())
    }

    /// The error that stands for `said`.
    pub(super) fn refuse<E: Error>(&mut self, said: impl Into<String>) -> E {
        self.refusal.get_or_insert(CodecError::Value(said.into()));
        E::custom("refused")
    }

    fn limit<E: Error>(&mut self, said: &str) -> E {
        self.refusal.get_or_insert(CodecError::Limit(said.into()));
        E::custom("refused")
    }

    /// Remembers that an error came from there.
    pub(super) fn at<T, E>(
        &mut self,
        result: Result<T, E>,
        segment: impl FnOnce() -> Segment,
    ) -> Result<T, E> {
        if result.is_err() {
            self.path.push(segment());
        }
        result
    }

    /// The error as the client sees it.
    pub(super) fn error(&mut self, error: &serde_json::Error) -> CodecError {
        let place = self.place(error.line(), error.column());
        match self.refusal.take() {
            Some(CodecError::Limit(said)) => CodecError::Limit(format!("{said}; {place}")),
            Some(said) => CodecError::Value(format!("json notation: {said}; {place}")),
            None => CodecError::Value(match error.classify() {
                // Quotes what it found, in front of what one of our visitors takes instead.
                Category::Data => match error.to_string().rsplit_once(", expected ") {
                    Some((_, expected)) => {
                        let expected = expected.split(" at line ").next().unwrap_or_default();
                        format!("json notation: here comes {expected}; {place}")
                    }
                    None => format!("json notation: an unexpected value; {place}"),
                },
                _ => format!("not JSON: {error}"),
            }),
        }
    }

    /// `at $.key[3] (line 1, column 17)`
    fn place(&self, line: usize, column: usize) -> String {
        let mut place = "at $".to_owned();
        // Deep paths are of no use to anybody.
        for segment in self.path.iter().rev().take(20) {
            // Writing to a String does not fail.
            let _ = match segment {
                Segment::Index(index) => write!(place, "[{index}]"),
                Segment::Key(key) if is_word(key) => write!(place, ".{key}"),
                Segment::Key(_) => write!(place, "[…]"),
            };
        }
        let _ = write!(place, " (line {line}, column {column})");
        place
    }

    /// To be told of floats where integers may stand.
    pub(super) fn note_float(&mut self, number: f64) {
        // What exceeds 64 bits is a float to serde_json, whether written as one or not.
        self.saw_wide |=
            number >= 18_446_744_073_709_551_616.0 || number <= -9.223_372_036_854_775e18;
    }

    /// Refuses integers beyond 64 bits that came as floats.
    pub(super) fn check_integers(&self, text: &str) -> Result<(), CodecError> {
        if self.saw_wide && has_wide_integer(text) {
            return Err(CodecError::Value(
                "json notation: an integer beyond 64 bits is written {\"$int\":\"…\"} (or, as a \
                 float, with .0)"
                    .into(),
            ));
        }
        Ok(())
    }
}

/// Whether a JSON text has an integer that serde_json takes for a float.
fn has_wide_integer(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(start) = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'-' | b'0'..=b'9'))
    {
        rest = &rest[start..];
        if rest[0] == b'"' {
            rest = after_string(&rest[1..]);
            continue;
        }
        let end = rest
            .iter()
            .position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'));
        let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
        let is_integer = !number.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
        let digits = std::str::from_utf8(number).unwrap_or_default();
        if is_integer && digits.parse::<i64>().is_err() && digits.parse::<u64>().is_err() {
            return true;
        }
        rest = after;
    }
    false
}

/// What comes after the closing quote.
fn after_string(mut text: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', text) {
        if text[at] == b'"' {
            return &text[at + 1..];
        }
        text = text.get(at + 2..).unwrap_or_default();
    }
    &[]
}

/// A key that can stand in a path as it is, and cannot be mistaken for a text.
fn is_word(key: &str) -> bool {
    (1..=32).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
}
