//! Prepared statements that are run as texts: rows must be looked at before, or a value is an
//! expression of parameters, which only the server computes.
//!
//! 1. The statement is prepared on the server for its id and its definitions; nothing of it is
//!    ever executed there. Values in pieces are [gathered](super::long).
//! 2. An execution is read, and each value written into the text as a literal of the same type: a
//!    number in digits, text in the client's character set, bytes as bytes. A value that has no
//!    such literal, or a text longer than `limits.statement_bytes`: refused, nothing was sent.
//! 3. The text is planned and run like any other ([`crate::session::write`]). It has no result, and
//!    the answer is the same in both protocols.

use bytes::Bytes;

use super::execute::malformed;
use super::long::{Come, LongData};
use super::{What, id};
use crate::refusal::Refusal;
use crate::session::context::SessionContext;
use crate::session::refuse;
use crate::session::relay::Relay;
use crate::session::shared::Shared;
use crate::session::write::is_plain;
use crate::sql::lexer::Dialect;
use crate::sql::literal;
use crate::wire::binary::{self, Layout};
use crate::wire::command;
use crate::wire::parameters::{Execute, Given, Kind, Known};

/// A statement that is run as a text.
#[derive(Debug)]
pub struct Inline {
    /// As the client wrote it.
    pub text: Bytes,
    /// Where its parameters stand.
    pub places: Vec<usize>,
    /// Their types, as the client has bound them last.
    pub kinds: Vec<Kind>,
    /// What has come before its next execution.
    pub long: LongData,
    /// What the meaning of the text depends on.
    pub context: SessionContext,
}

/// The command that is sent in place of an execution, its text from the second byte on.
pub async fn text(
    relay: &mut Relay,
    shared: &Shared,
    context: &SessionContext,
    payload: &Bytes,
) -> Result<Bytes, Refusal> {
    let named = relay.responses.shape().query_attributes;
    let record = id(payload).and_then(|id| relay.prepared.record(id));
    let Some(What::Inline(inline)) = record.map(|record| &mut record.what) else {
        return Err(Refusal::unknown_statement());
    };
    let long = std::mem::take(&mut inline.long);
    if payload.first() == Some(&command::STMT_BULK_EXECUTE) {
        return Err(Refusal::unsupported(
            "this statement",
            "each row of a bulk execution would be a statement of its own",
            "execute it row by row",
        ));
    }
    let before = &inline.context;
    if (&before.schema, &before.dialect, &before.charset)
        != (&context.schema, &context.dialect, &context.charset)
    {
        return Err(Refusal::unsupported(
            "this statement",
            "what its text means has changed since the statement was prepared: the client's \
             character set, the database or the SQL mode",
            "prepare it again",
        ));
    }
    let apart = long.numbers();
    let known = Known {
        count: inline.places.len(),
        kinds: &inline.kinds,
        named,
        apart: &apart,
    };
    let execute = Execute::parse(payload, known).map_err(malformed)?;
    inline.kinds = execute.kinds();
    let (text, places) = (inline.text.clone(), inline.places.clone());
    let come = long.come().await?;
    let limit = shared.limits.statement_bytes;
    let written = Spelling {
        dialect: context.dialect,
        charset: &context.charset,
    };
    let mut out = vec![command::QUERY];
    let mut done = 0;
    for (n, (place, parameter)) in places.iter().zip(&execute.parameters).enumerate() {
        out.extend_from_slice(&text[done..*place]);
        done = place + 1;
        match (&parameter.given, come.get(&n)) {
            (Given::Value { content, .. }, _) => {
                written.push(&mut out, parameter.kind, &payload[content.clone()])?;
            }
            (Given::Apart, Some(Come::Gathered(spooled))) => {
                let value = spooled.collect(limit).await.map_err(|error| {
                    tracing::error!(%error, "a value sent in pieces was lost");
                    refuse::internal("a parameter")
                })?;
                let value = value.ok_or_else(too_long)?;
                written.push(&mut out, parameter.kind, &value)?;
            }
            (Given::Null | Given::Apart, _) => out.extend_from_slice(b"NULL"),
        }
        if out.len() as u64 > limit {
            return Err(too_long());
        }
    }
    out.extend_from_slice(&text[done..]);
    Ok(out.into())
}

fn too_long() -> Refusal {
    Refusal::limit("the statement with its values is longer than limits.statement_bytes")
}

/// How values are written.
struct Spelling<'a> {
    dialect: Dialect,
    /// `character_set_client`
    charset: &'a str,
}

impl Spelling<'_> {
    /// Appends a value as a literal.
    fn push(&self, out: &mut Vec<u8>, kind: Kind, content: &[u8]) -> Result<(), Refusal> {
        let plain = is_plain(self.charset);
        if kind.is_string() && kind.is_binary() {
            literal::quote_bytes(out, content, self.dialect, plain);
            return Ok(());
        }
        if kind.is_string() {
            self.push_text(out, content);
            return Ok(());
        }
        let number = |text: &str| {
            let of_number = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
            !text.is_empty() && text.bytes().all(of_number)
        };
        let unknown = || {
            let reason = format!("a value of type {} has no literal", kind.name());
            Refusal::unsupported("this statement", &reason, "bind text")
        };
        let text = match kind.code {
            _ if kind.is_decimal() => str::from_utf8(content).ok().map(str::to_owned),
            // With an exponent, so that the server does not take them for decimals.
            0x04 => content.try_into().ok().map(|bytes| {
                let number = f64::from(f32::from_le_bytes(bytes));
                format!("{number:e}")
            }),
            0x05 => {
                (content.try_into().ok()).map(|bytes| format!("{:e}", f64::from_le_bytes(bytes)))
            }
            code => binary::text(code, kind.is_unsigned(), content),
        };
        let text = text.ok_or_else(unknown)?;
        if binary::layout(kind.code) == Layout::Temporal {
            // A zero date has no literal of its type.
            let is_time = matches!(kind.code, 0x0B | 0x13);
            let kind = match (content.len(), is_time) {
                (0, _) => "",
                (_, true) => "TIME",
                (4, false) => "DATE",
                (_, false) => "TIMESTAMP",
            };
            out.extend_from_slice(format!("{kind}'{text}'").as_bytes());
            return Ok(());
        }
        if !number(&text) {
            return Err(unknown());
        }
        // Two minus signs may begin a comment.
        if text.starts_with('-') && out.last() == Some(&b'-') {
            out.push(b' ');
        }
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// Text in the client's character set.
    fn push_text(&self, out: &mut Vec<u8>, text: &[u8]) {
        let is_special = |b: &u8| !b.is_ascii() || matches!(b, b'\'' | b'\\');
        if !is_plain(self.charset) && text.iter().any(is_special) {
            out.extend_from_slice(format!("_{} X'", self.charset).as_bytes());
            out.extend_from_slice(data_encoding::HEXLOWER.encode(text).as_bytes());
            out.push(b'\'');
            return;
        }
        let mark = out.len();
        literal::quote_bytes(out, text, self.dialect, true);
        // No introducer: the text is the connection's, as a bound one is.
        out.drain(mark..mark + INTRODUCER.len());
    }
}

const INTRODUCER: &str = "_binary";

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(charset: &str, code: u8, content: &[u8]) -> Option<String> {
        let spelling = Spelling {
            dialect: Dialect::default(),
            charset,
        };
        let mut out = Vec::new();
        let pushed = spelling.push(&mut out, Kind::plain(code), content);
        pushed.ok()?;
        String::from_utf8(out).ok()
    }

    #[test]
    fn values_are_written_as_literals_of_their_type() {
        for (charset, code, content, expected) in [
            ("utf8mb4", 0x03, &(-5_i32).to_le_bytes()[..], "-5"),
            ("utf8mb4", 0x05, &1.5e300_f64.to_le_bytes(), "1.5e300"),
            ("utf8mb4", 0x04, &0.5_f32.to_le_bytes(), "5e-1"),
            ("utf8mb4", 0xF6, b"-1.50", "-1.50"),
            ("utf8mb4", 0xFD, b"it's \\", "'it''s \\\\'"),
            ("utf8mb4", 0xFC, b"'", "_binary''''"),
            ("gbk", 0xFD, b"plain", "'plain'"),
            ("gbk", 0xFD, b"\xd5\\", "_gbk X'd55c'"),
            ("gbk", 0xFC, b"a", "X'61'"),
            ("utf8mb4", 0x0A, &[0xE8, 7, 2, 29], "DATE'2024-02-29'"),
            ("utf8mb4", 0x0C, &[], "'0000-00-00'"),
        ] {
            let found = spelled(charset, code, content);
            assert_eq!(found.as_deref(), Some(expected), "{code:#x} {charset}");
        }
        assert_eq!(spelled("utf8mb4", 0x05, &f64::NAN.to_le_bytes()), None);
        assert_eq!(spelled("utf8mb4", 0xF6, b"1;DROP"), None);
        assert_eq!(spelled("utf8mb4", 0x10, b"\x01"), None);
    }

    #[test]
    fn a_sign_does_not_begin_a_comment() {
        let spelling = Spelling {
            dialect: Dialect::default(),
            charset: "utf8mb4",
        };
        let mut out = b"a -".to_vec();
        spelling
            .push(&mut out, Kind::plain(0x01), &[0xFF])
            .expect("a number");
        assert_eq!(out, b"a - -1");
    }
}
