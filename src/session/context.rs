//! What a statement's meaning depends on besides its text: the current database, the SQL mode
//! and the character sets of what the client sends and gets.
//!
//! The server is asked, in the same session, before a statement on a codec table when the answer
//! may have changed; the relay keeps track of that ([`Relay::context_valid`]) by the statements
//! that go by, and by what the server's answers say of it ([`Relay::note_changes`]). For statements on
//! other tables (any DDL, `SHOW COLUMNS`) what the relay has seen go by is enough as long as
//! [`Relay::schema_known`]: the question would show in the client's `FOUND_ROWS()`.

use std::io;

use super::relay::Relay;
use crate::refusal::Refusal;
use crate::sql::letters::Letters;
use crate::sql::lexer::Dialect;
use crate::wire::command;
use crate::wire::reply;
use crate::wire::response::Seen;
use crate::wire::row;

/// `BINARY` because the server would convert text to `character_set_results`: a name with the
/// loss of what that lacks, and all of it if it is UTF-16.
const QUESTION: &[u8] = b"SELECT CAST(DATABASE() AS BINARY), CAST(@@sql_mode AS BINARY), \
    CAST(@@character_set_client AS BINARY), CAST(@@character_set_results AS BINARY), \
    CAST(@@character_set_connection AS BINARY)";
/// The answer is a few hundred bytes.
const ANSWER: u64 = 1 << 20;

/// The session's state on the server, as far as the proxy must know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionContext {
    /// The current database.
    pub schema: Option<String>,
    /// How literals are written.
    pub dialect: Dialect,
    /// `character_set_client`
    pub charset: String,
    /// `character_set_results`
    pub results: ResultCharset,
}

/// What text the client can be given, by its `character_set_results`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResultCharset {
    /// All of UTF-8: `utf8mb4`; also `binary` and NULL, which have nothing converted.
    #[default]
    Utf8,
    /// UTF-8 of at most three bytes a character: `utf8mb3`, also called `utf8`.
    Utf8Mb3,
    /// ASCII, which all other character sets contain.
    Ascii,
}

impl ResultCharset {
    fn new(charset: Option<&[u8]>) -> Self {
        match charset {
            None | Some(b"utf8mb4" | b"binary") => Self::Utf8,
            Some(b"utf8mb3" | b"utf8") => Self::Utf8Mb3,
            Some(_) => Self::Ascii,
        }
    }

    /// Whether the client can be given this text as it is.
    pub fn take(self, text: &[u8]) -> bool {
        match self {
            Self::Utf8 => true,
            // No shorter character has a byte from here on.
            Self::Utf8Mb3 => text.iter().all(|b| *b < 0xF0),
            Self::Ascii => text.is_ascii(),
        }
    }

    /// Whether the server has sent this text as it is stored, for sure.
    ///
    /// It converts the text of a column, also of MySQL's type JSON: a character that
    /// `character_set_results` lacks arrives as a question mark, any other in bytes that are not
    /// UTF-8, or are it by chance.
    pub fn keeps(self, text: &[u8]) -> bool {
        match self {
            Self::Utf8 => true,
            Self::Utf8Mb3 => !text.contains(&b'?'),
            Self::Ascii => text.iter().all(|b| b.is_ascii() && !matches!(b, 0 | b'?')),
        }
    }
}

/// Asks the server. `Ok(Err(packet))` is an ERR packet for the client.
pub async fn ask(relay: &mut Relay) -> io::Result<Result<SessionContext, Vec<u8>>> {
    let question = [relay.query_head(), QUESTION].concat();
    relay.server.write_packet(0, &question).await?;
    relay.responses.sent(command::expect(command::QUERY));
    let mut context = None;
    loop {
        let in_rows = relay.responses.in_rows();
        let packet = relay.server.read_packet(ANSWER).await?;
        let seen = relay.responses.whole_packet(&packet.payload);
        if packet.payload.first() == Some(&reply::ERR) {
            return Ok(Err(packet.payload.to_vec()));
        }
        if seen == Seen::End {
            break;
        }
        if in_rows && relay.responses.in_rows() {
            context = parse(&packet.payload);
        }
    }
    relay.server.resume();
    relay.context_valid = context.is_some();
    relay.context_status = relay.responses.status();
    relay.schema_known = context.is_some();
    let silent = || {
        let reason = "the server does not say which database and SQL mode are current";
        reply::err(&Refusal::unsupported(
            "this session",
            reason,
            "SQL_SELECT_LIMIT must not be 0",
        ))
    };
    Ok(context.ok_or_else(silent))
}

/// Whether what is remembered stays right after this statement: true for the ordinary ones that
/// begin with their keyword. Anything else may set the database or a variable.
pub fn outlives(text: &[u8]) -> bool {
    const ORDINARY: [&[u8]; 12] = [
        b"SELECT",
        b"INSERT",
        b"REPLACE",
        b"UPDATE",
        b"DELETE",
        b"SHOW",
        b"DESC",
        b"DESCRIBE",
        b"EXPLAIN",
        b"START",
        b"COMMIT",
        b"ROLLBACK",
    ];
    let keyword = first_word(text);
    ORDINARY
        .iter()
        .any(|ordinary| keyword.eq_ignore_ascii_case(ordinary))
}

/// Whether the current database stays what it is.
pub fn keeps_schema(text: &[u8]) -> bool {
    const CHANGING: [&[u8]; 6] = [b"", b"USE", b"DROP", b"EXECUTE", b"CALL", b"BEGIN"];
    let keyword = first_word(text);
    !CHANGING
        .iter()
        .any(|changing| keyword.eq_ignore_ascii_case(changing))
}

/// Whether it is a `PREPARE`.
pub fn prepares(text: &[u8]) -> bool {
    first_word(text).eq_ignore_ascii_case(b"PREPARE")
}

fn first_word(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_start();
    &text[..text
        .iter()
        .position(|b| !b.is_ascii_alphabetic())
        .unwrap_or(text.len())]
}

/// The SQL mode as far as the status flags of the last answer tell it (MySQL does not tell
/// `ANSI_QUOTES`); the rest as it was.
pub fn with_mode_of(dialect: Dialect, status: u16) -> Dialect {
    Dialect {
        ansi_quotes: status & reply::ANSI_QUOTES != 0,
        no_backslash_escapes: status & reply::NO_BACKSLASH_ESCAPES != 0,
        ..dialect
    }
}

fn parse(payload: &[u8]) -> Option<SessionContext> {
    let cells: Vec<_> = row::cells(payload).collect::<Option<_>>()?;
    let text = |n: usize| {
        cells
            .get(n)
            .and_then(|cell: &row::Cell| cell.value.clone())
            .map(|range| &payload[range])
    };
    let schema = text(0).map(|name| String::from_utf8_lossy(name).into_owned());
    let modes: Vec<&[u8]> = text(1).unwrap_or_default().split(|b| *b == b',').collect();
    let dialect = Dialect {
        ansi_quotes: modes.contains(&&b"ANSI_QUOTES"[..]),
        no_backslash_escapes: modes.contains(&&b"NO_BACKSLASH_ESCAPES"[..]),
        ..Dialect::default()
    };
    let charset = String::from_utf8_lossy(text(2).unwrap_or_default()).into_owned();
    let dialect = Dialect {
        letters: Letters::of(&charset),
        converts: text(4) != text(2),
        ..dialect
    };
    Some(SessionContext {
        schema,
        dialect,
        charset,
        results: ResultCharset::new(text(3)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::lenenc;

    fn answer(fields: [Option<&str>; 5]) -> Vec<u8> {
        let mut payload = Vec::new();
        for field in fields {
            match field {
                Some(text) => lenenc::push_str(&mut payload, text.as_bytes()),
                None => payload.push(row::NULL),
            }
        }
        payload
    }

    #[test]
    fn the_answer_is_read() {
        let fields = [
            Some("lab"),
            Some("ANSI_QUOTES,X"),
            Some("gbk"),
            Some("latin1"),
            Some("gbk"),
        ];
        let context = parse(&answer(fields)).unwrap();
        assert_eq!(context.schema.as_deref(), Some("lab"));
        assert!(context.dialect.ansi_quotes && !context.dialect.no_backslash_escapes);
        assert_eq!(
            (context.charset.as_str(), context.results),
            ("gbk", ResultCharset::Ascii)
        );
        assert!(context.dialect.letters == Letters::Gbk && !context.dialect.converts);
        let none = [None, Some(""), Some("utf8mb3"), None, Some("utf8mb4")];
        let none = parse(&answer(none)).unwrap();
        assert!(none.dialect.letters == Letters::Plain && none.dialect.converts);
        assert_eq!((none.schema, none.results), (None, ResultCharset::Utf8));
    }

    #[test]
    fn what_text_a_client_takes() {
        for (charset, plain, accent, smile) in [
            (None, true, true, true),
            (Some("binary"), true, true, true),
            (Some("utf8mb4"), true, true, true),
            (Some("utf8mb3"), true, true, false),
            (Some("utf8"), true, true, false),
            (Some("latin1"), true, false, false),
        ] {
            let results = ResultCharset::new(charset.map(str::as_bytes));
            let taken = ["a", "é", "😀"].map(|text| results.take(text.as_bytes()));
            assert_eq!(taken, [plain, accent, smile], "{charset:?}");
            let kept = [&b"a"[..], "é".as_bytes(), b"?"].map(|text| results.keeps(text));
            assert_eq!(kept, [plain, accent, smile], "{charset:?}");
        }
    }
}
