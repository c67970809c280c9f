//! Expressions that stand where a codec wants a value: the server says what they are.
//!
//! 1. The server is asked for all of them, in the client's session and in their order, before
//!    anything is stored or sent: `SELECT HEX(CAST(CONCAT((expression)) AS BINARY)), …`. So each is evaluated
//!    once, with the session's variables and character sets, and its result is what is written.
//!    An error is the client's, but for a name that the question does not know: then the
//!    expression is made of the row's own columns, and is refused.
//! 2. If the server warns, the client could not be told, since the statement itself comes after:
//!    refused with the text of the warning.
//!
//! The question leaves LAST_INSERT_ID() as it is (unless the expression sets it), but afterwards
//! FOUND_ROWS() is 1 and ROW_COUNT() -1 until the statement itself has run; a statement that asks
//! for either beside such an expression is refused when it is planned. `LIMIT 1` stands against
//! an `SQL_SELECT_LIMIT` of the client's.

use std::io;

use bytes::Bytes;
use data_encoding::HEXUPPER;

use crate::refusal::Refusal;
use crate::session::question;
use crate::session::refuse::Failure;
use crate::session::relay::Relay;
use crate::sql::literal::Literal;
use crate::wire::row;

/// How a result is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it would be stored in a column of bytes.
    Bytes,
    /// As text in UTF-8.
    Text,
}

/// One expression.
#[derive(Debug, Clone)]
pub struct Expression {
    /// As the client wrote it.
    pub text: Bytes,
    /// How its result is wanted.
    pub form: Form,
    /// The column that it is for, for messages.
    pub column: String,
}

/// Columns that one question may have; the server takes 4096.
const AT_ONCE: usize = 1000;
/// `ER_BAD_FIELD_ERROR`, `ER_UNKNOWN_TABLE`
const UNKNOWN_COLUMN: [u16; 2] = [1054, 1109];
/// `ER_WARN_DEPRECATED_SYNTAX`
const DEPRECATED: &[u8] = b"1287";
/// `ER_INVALID_CHARACTER_STRING`: the bytes of a value that is written as a string are no text.
/// They are its bytes all the same.
const NO_TEXT: &[u8] = b"1300";

/// The values of the expressions, `None` for NULL. `limit` bounds what the server answers at
/// once, in bytes.
pub async fn ask(
    relay: &mut Relay,
    expressions: &[Expression],
    limit: u64,
) -> io::Result<Result<Vec<Option<Literal>>, Failure>> {
    let mut values = Vec::with_capacity(expressions.len());
    for some in expressions.chunks(AT_ONCE) {
        let mut answer = None;
        let question = question_for(some);
        let asked = question::ask(relay, &question, limit, |row| answer = Some(row));
        let end = match asked.await? {
            Ok(end) => end,
            Err(packet) => return Ok(Err(failure(packet, &some[0]))),
        };
        let is_text = some.iter().any(|e| e.form == Form::Text);
        let harmless: &[&[u8]] = match is_text {
            true => &[DEPRECATED],
            false => &[DEPRECATED, NO_TEXT],
        };
        if end.warnings > 0
            && let Some(warning) = warning(relay, harmless).await?
        {
            let reason = format!("the server warns of its value: {warning}");
            return Ok(Err(refuse(&some[0], &reason)));
        }
        let found = answer
            .map(|answer| cells(&answer, some))
            .unwrap_or_default();
        if found.len() != some.len() {
            let reason = "the server does not say what its value is";
            return Ok(Err(refuse(&some[0], reason)));
        }
        values.extend(found);
    }
    Ok(Ok(values))
}

fn question_for(expressions: &[Expression]) -> Vec<u8> {
    let mut question = b"SELECT ".to_vec();
    for (number, Expression { text, form, .. }) in expressions.iter().enumerate() {
        if number > 0 {
            question.extend_from_slice(b", ");
        }
        // CONCAT makes text of what has a type of its own, such as MariaDB's UUID, as a column of
        // bytes does. HEX, because a server may convert constants to `character_set_results` that
        // have been cast to BINARY all the same.
        let (before, after): (&[u8], &[u8]) = match form {
            Form::Bytes => (b"HEX(CAST(CONCAT((", b"\n)) AS BINARY))"),
            Form::Text => (b"HEX(CONVERT((", b"\n) USING utf8mb4))"),
        };
        question.extend_from_slice(before);
        question.extend_from_slice(text);
        question.extend_from_slice(after);
    }
    question.extend_from_slice(b" LIMIT 1");
    question
}

fn cells(answer: &Bytes, expressions: &[Expression]) -> Vec<Option<Literal>> {
    let cells = row::cells(answer).map_while(|cell| cell);
    let values = cells.zip(expressions).map_while(|(cell, expression)| {
        let charset = match expression.form {
            Form::Bytes => "binary",
            Form::Text => "utf8mb4",
        };
        let Some(value) = cell.value else {
            return Some(None);
        };
        let value = HEXUPPER.decode(&answer[value]).ok()?;
        Some(Some(Literal::plain(value.into(), Some(charset))))
    });
    values.collect()
}

/// The first warning of the last question whose number is not among the `harmless`; without
/// what it quotes, which may be the value.
async fn warning(relay: &mut Relay, harmless: &[&[u8]]) -> io::Result<Option<String>> {
    let mut found = None;
    let asked = question::ask(relay, b"SHOW WARNINGS LIMIT 64", 1 << 20, |row| {
        let cells = row::cells(&row).map_while(|cell| cell?.value);
        let texts: Vec<&[u8]> = cells.map(|value| &row[value]).collect();
        if let [_, code, text] = texts[..]
            && !harmless.contains(&code)
            && found.is_none()
        {
            let words = text.split(|byte| *byte == b'\'').next().unwrap_or_default();
            let words = String::from_utf8_lossy(words);
            let code = String::from_utf8_lossy(code);
            found = Some(format!("{code} {}", words.trim_end_matches([' ', ':'])));
        }
    });
    match asked.await? {
        Ok(_) => Ok(found),
        Err(_) => Ok(Some("(SHOW WARNINGS fails)".to_owned())),
    }
}

fn failure(packet: Bytes, first: &Expression) -> Failure {
    let code = packet.get(1..3).map(|b| u16::from_le_bytes([b[0], b[1]]));
    match code {
        Some(code) if UNKNOWN_COLUMN.contains(&code) => {
            refuse(first, "a value is made of other columns")
        }
        _ => Failure::Server(packet),
    }
}

fn refuse(expression: &Expression, reason: &str) -> Failure {
    let way_out = "write the value as a literal, or use a listener with view = \"stored\"";
    Refusal::unsupported(&expression.column, reason, way_out).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::lenenc;

    fn expression(text: &'static str, form: Form) -> Expression {
        Expression {
            text: Bytes::from_static(text.as_bytes()),
            form,
            column: "s.t.c".to_owned(),
        }
    }

    #[test]
    fn one_question_asks_for_all() {
        let expressions = [
            expression("UNHEX('00') -- x", Form::Bytes),
            expression("@a", Form::Text),
        ];
        assert_eq!(
            String::from_utf8_lossy(&question_for(&expressions)),
            "SELECT HEX(CAST(CONCAT((UNHEX('00') -- x\n)) AS BINARY)), \
             HEX(CONVERT((@a\n) USING utf8mb4)) LIMIT 1"
        );
        let mut answer = Vec::new();
        lenenc::push_str(&mut answer, b"00");
        answer.push(row::NULL);
        let values = cells(&answer.into(), &expressions);
        let heads = values.iter().map(|v| v.as_ref().map(|v| v.head(9)));
        assert_eq!(heads.collect::<Vec<_>>(), [Some(vec![0]), None]);
    }

    #[test]
    fn a_name_that_the_question_does_not_know_is_refused() {
        let packet = |code: u16| {
            let code = code.to_le_bytes();
            Bytes::from([&[0xFF], &code[..], b"#42S22Unknown column"].concat())
        };
        let failed = |code| failure(packet(code), &expression("a", Form::Bytes));
        assert!(matches!(failed(1054), Failure::Refusal(r) if r.code == 1235));
        assert!(matches!(failed(1305), Failure::Server(p) if p == packet(1305)));
    }
}
