//! `SET @codec_view = 'json'` and its like: what a session chooses for itself.
//!
//! The variables are plain user variables, so that the server keeps them and `SELECT
//! @codec_view` works; the proxy takes note of them on their way. It can do so only where a
//! `SET` gives them a literal; in every other place they would change and nothing would come of
//! it, so such a statement is refused.

use memchr::memchr_iter;

use super::statement::Statement;
use crate::codec::{NpyForm, ObjectForm};
use crate::refusal::Refusal;
use crate::sql::lexer::{Token, TokenKind};
use crate::sql::literal::Literal;
use crate::view::{Setting, View};

/// What the names of the variables begin with.
const PREFIX: &[u8] = b"codec_";

const ALONE: &str = "send SET @codec_… = … with a literal, as a statement of its own";

/// Whether a text may name one of the variables; false only if it names none.
pub(super) fn mentioned(text: &[u8]) -> bool {
    memchr_iter(b'@', text).any(|at| begins_name(&text[at + 1..]))
}

/// Whether what follows an `@` is the name of one of the variables, in quotes or without.
fn begins_name(rest: &[u8]) -> bool {
    let rest = match rest {
        [b'`' | b'\'' | b'"', rest @ ..] => rest,
        rest => rest,
    };
    let head = rest.get(..PREFIX.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(PREFIX))
}

/// The refusal of a statement that sets one of the variables in a way that is not followed.
pub(super) fn refuse(reason: &str) -> Refusal {
    Refusal::unsupported("@codec_…", reason, ALONE)
}
