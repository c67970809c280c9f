//! `SET @codec_view = 'json'` and its like: what a session chooses for itself.
//!
//! The variables are plain user variables, so that the server keeps them and `SELECT
//! @codec_view` works; the proxy takes note of them on their way. It can do so only where a
//! `SET` gives them a literal. In every other place they would change and nothing would come of
//! it, so such a statement is refused.

use std::ops::Range;

use memchr::memchr_iter;

use super::statement::Statement;
use crate::codec::{NpyForm, ObjectForm};
use crate::refusal::Refusal;
use crate::sql::lexer::TokenKind;
use crate::sql::literal::Literal;
use crate::sql::statement::keyword;
use crate::view::{Setting, View};

/// What the names of the variables begin with.
const PREFIX: &[u8] = b"codec_";

const ALONE: &str = "set it to a literal by a SET of its own, in the text protocol";

/// Whether a text may name one of the variables; false only if it names none.
pub(super) fn mentioned(text: &[u8]) -> bool {
    memchr_iter(b'@', text).any(|at| begins_name(&text[at + 1..]))
}

/// How a variable that [`begins_name`] knows can begin.
pub(super) const BEGINNINGS: [&str; 6] = ["@c", "@C", "@`", "@'", "@\"", "@\\"];

/// Whether what follows an `@` is the name of one of the variables, in quotes or without; in a
/// string the quotes may be doubled or escaped, and so may the letters.
pub(super) fn begins_name(mut rest: &[u8]) -> bool {
    while let [b'`' | b'\'' | b'"' | b'\\', inner @ ..] = rest {
        rest = inner;
    }
    let letters = rest.iter().filter(|b| **b != b'\\');
    let head = letters.take(PREFIX.len()).map(u8::to_ascii_lowercase);
    head.eq(PREFIX.iter().copied())
}

/// What the statements of a text choose, in order; nothing of it if there is a refusal.
/// `conditional` says that the server may skip a part of them.
pub(super) fn plan(statements: &[Statement], conditional: bool) -> Result<Vec<Setting>, Refusal> {
    let mut settings = Vec::new();
    for statement in statements {
        let found = of_one(statement)?;
        if !found.is_empty() && statements.len() > 1 {
            return Err(refuse("it stands among other statements"));
        }
        if !found.is_empty() && conditional {
            return Err(refuse("it stands in a versioned comment"));
        }
        settings.extend(found);
    }
    Ok(settings)
}

/// The refusal of a statement that sets one of the variables in a way that is not followed.
pub(super) fn refuse(reason: &str) -> Refusal {
    Refusal::unsupported("@codec_…", reason, ALONE)
}

fn of_one(statement: &Statement) -> Result<Vec<Setting>, Refusal> {
    let all = 0..statement.tokens.len();
    let keyword = keyword(statement.text, statement.tokens);
    let reads = match keyword.as_str() {
        "SET" if !statement.is_word(1, "STATEMENT") => return set(statement),
        "SELECT" | "WITH" | "VALUES" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "DO" => {
            !assigns(statement, all)
        }
        // The text of a statement that is prepared stands in a string.
        "PREPARE" | "EXECUTE" => !all.into_iter().any(|at| {
            let token = &statement.tokens[at];
            mentioned(token.bytes(statement.text))
        }),
        // Anything else may hand the variable to somebody who sets it.
        _ => !all.into_iter().any(|at| name(statement, at).is_some()),
    };
    match reads {
        true => Ok(Vec::new()),
        false => Err(refuse(
            "it is set, or may be, by another statement than SET",
        )),
    }
}

/// The assignments of a SET.
fn set(statement: &Statement) -> Result<Vec<Setting>, Refusal> {
    let mut settings = Vec::new();
    for item in items(statement, 1) {
        let target = name(statement, item.start).filter(|_| {
            let next = item.start + 1;
            statement.is_symbol(next, b'=') || statement.is_symbol(next, b':')
        });
        let value = match target {
            Some(_) => item.start + 2..item.end,
            None => item.clone(),
        };
        if assigns(statement, value.clone()) {
            return Err(refuse("it is set within an expression"));
        }
        if let Some(name) = target {
            settings.push(setting(&name, &Given::read(statement, value)?)?);
        }
    }
    Ok(settings)
}

/// The parts of a list, between the commas outside of parentheses.
fn items(statement: &Statement, from: usize) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    let mut start = from;
    let mut depth = 0_usize;
    for (at, token) in statement.tokens.iter().enumerate().skip(from) {
        match token.kind {
            TokenKind::Symbol(b'(') => depth += 1,
            TokenKind::Symbol(b')') => depth = depth.saturating_sub(1),
            TokenKind::Symbol(b',') if depth == 0 => {
                items.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(start..statement.tokens.len());
    items
}

/// Whether one of the variables is set in `range`: by `:=`, or by INTO.
fn assigns(statement: &Statement, range: Range<usize>) -> bool {
    let is_variable = |at: usize| statement.tokens[at].kind == TokenKind::Variable;
    range.into_iter().any(|at| {
        if name(statement, at).is_none() {
            return false;
        }
        let mut first = at;
        while first >= 2 && statement.is_symbol(first - 1, b',') && is_variable(first - 2) {
            first -= 2;
        }
        let into = first > 0 && statement.is_word(first - 1, "INTO");
        into || statement.is_symbol(at + 1, b':')
    })
}

/// The name of one of the variables at a token, without its prefix and in lower case.
fn name(statement: &Statement, at: usize) -> Option<String> {
    let token = statement.tokens.get(at)?;
    if token.kind != TokenKind::Variable {
        return None;
    }
    let written = token.bytes(statement.text).get(1..)?;
    if !begins_name(written) {
        return None;
    }
    let name = String::from_utf8_lossy(written).to_ascii_lowercase();
    let name = name.replace('\\', "");
    let name = name.trim_matches(['`', '\'', '"']);
    name.strip_prefix("codec_").map(str::to_owned)
}

/// What a SET gives a variable.
enum Given {
    Null,
    Text(String),
}

impl Given {
    fn read(statement: &Statement, value: Range<usize>) -> Result<Self, Refusal> {
        let tokens = statement.tokens.get(value).unwrap_or_default();
        if let [token] = tokens {
            let written = String::from_utf8_lossy(token.bytes(statement.text));
            if token.is_word(statement.text, "NULL") || written == "\\N" {
                return Ok(Self::Null);
            }
            if token.kind == TokenKind::Number {
                return Ok(Self::Text(written.into_owned()));
            }
        }
        let dialect = statement.context.dialect;
        let literal = Literal::parse(statement.text, tokens, dialect)
            .ok_or_else(|| refuse("its value is no literal"))?;
        // None of the values is as long.
        let text = literal.head(64);
        Ok(Self::Text(String::from_utf8_lossy(&text).into_owned()))
    }

    /// Whether it is that word.
    fn is(&self, word: &str) -> bool {
        matches!(self, Self::Text(text) if text.eq_ignore_ascii_case(word))
    }
}

fn setting(name: &str, given: &Given) -> Result<Setting, Refusal> {
    let is_null = matches!(given, Given::Null);
    let (setting, allowed) = match name {
        "view" => {
            let view = View::ALL.into_iter().find(|view| given.is(view.name()));
            let setting = (is_null || view.is_some()).then_some(Setting::View(view));
            (
                setting,
                "'bytes', 'stored' or 'json'; NULL is the listener's view",
            )
        }
        "npy" => {
            let setting = match given {
                _ if is_null || given.is("array") => Some(NpyForm::Array),
                _ if given.is("npy") => Some(NpyForm::File),
                _ => None,
            };
            (
                setting.map(Setting::Npy),
                "'array' or 'npy'; NULL is 'array'",
            )
        }
        "object" => {
            let setting = match given {
                _ if is_null || given.is("file") => Some(ObjectForm::File),
                _ if given.is("dir") => Some(ObjectForm::Directory),
                _ => None,
            };
            (
                setting.map(Setting::Object),
                "'file' or 'dir'; NULL is 'file'",
            )
        }
        "json_limit" => {
            let limit = match given {
                Given::Null => Some(0),
                Given::Text(text) => text.parse::<u64>().ok(),
            };
            let setting = limit.map(|limit| Setting::JsonLimit((limit > 0).then_some(limit)));
            (setting, "a number of elements; 0 or NULL is no limit")
        }
        _ => {
            return Err(Refusal::setting(
                "there is no such variable; @codec_view, @codec_npy, @codec_object and \
                 @codec_json_limit are there",
            ));
        }
    };
    setting.ok_or_else(|| Refusal::setting(&format!("@codec_{name} takes {allowed}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_quotes_are_found() {
        for (name, is) in [
            ("@codec_view", true),
            ("@@Codec_view", true),
            ("@`codec_view`", true),
            ("@'@c@\"c\\odec_view\"'", true),
            ("@\\'codec_view\\'", true),
            ("@coded_view", false),
            ("@ codec_view", false),
            ("codec_view", false),
            ("@", false),
        ] {
            assert_eq!(mentioned(name.as_bytes()), is, "{name}");
            let begins = BEGINNINGS.iter().any(|pair| name.contains(pair));
            assert!(begins || !is, "{name}");
        }
    }
}
