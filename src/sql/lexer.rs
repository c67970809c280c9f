//! Cuts the bytes of a statement into tokens, as the server's own lexer does.
//!
//! The rules are those of the MySQL manual's "Language Structure" chapter and of the behaviour
//! of MariaDB 10.11. Literal bodies are skipped at memory speed and never looked at twice.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

use super::letters::Letters;

/// What the session and its server have to do with how a statement is cut into tokens, and how
/// its literals are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dialect {
    /// `ANSI_QUOTES`: `"x"` is a name, not a string.
    pub ansi_quotes: bool,
    /// `NO_BACKSLASH_ESCAPES`: a backslash in a string is a byte like any other.
    pub no_backslash_escapes: bool,
    /// Which executable comments are code.
    pub server: Server,
    /// How characters are made of bytes in the client's character set.
    pub letters: Letters,
    /// The server converts strings without an introducer, since `character_set_connection` is not
    /// `character_set_client`.
    pub converts: bool,
}

/// The server that is to read a text, as far as that decides what is a comment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Server {
    /// Any.
    #[default]
    Unknown,
    /// MySQL; the version as its comments have it, `90700` for 9.7.0.
    MySql(u32),
    /// MariaDB, `101119` for 10.11.19.
    MariaDb(u32),
}

/// Whom an executable comment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// `/*! */`
    All,
    /// `/*M! */`
    MariaDb,
}

impl Server {
    /// By the version that a server greets with; MariaDB's may begin with `5.5.5-`, for the sake
    /// of old clients.
    pub fn of_version(version: &[u8]) -> Self {
        let text = String::from_utf8_lossy(version);
        let mariadb = text.contains("MariaDB");
        let text = match mariadb {
            true => text.strip_prefix("5.5.5-").unwrap_or(&text),
            false => &text,
        };
        let mut numbers = text.split(|c: char| !c.is_ascii_digit());
        let mut next = || numbers.next().and_then(|n| n.parse::<u32>().ok());
        match (next(), next(), next()) {
            (Some(major), Some(minor), Some(patch))
                if major < 1000 && minor < 100 && patch < 100 =>
            {
                let version = major * 10_000 + minor * 100 + patch;
                match mariadb {
                    true => Self::MariaDb(version),
                    false => Self::MySql(version),
                }
            }
            _ => Self::Unknown,
        }
    }

    fn is_mariadb(self) -> bool {
        matches!(self, Self::MariaDb(_))
    }

    /// Whether an executable comment of that version (0 for none) is code; `None` if that is not
    /// known. MariaDB takes versions from 50700 to 99999 for MySQL's own.
    fn runs(self, owner: Owner, version: u32) -> Option<bool> {
        match (self, owner) {
            (Self::Unknown, Owner::All) => (version == 0).then_some(true),
            (Self::Unknown, Owner::MariaDb) => None,
            (Self::MySql(own), Owner::All) => Some(version <= own),
            (Self::MySql(_), Owner::MariaDb) => Some(false),
            (Self::MariaDb(own), Owner::All) => {
                Some(version <= own && !(50_700..=99_999).contains(&version))
            }
            (Self::MariaDb(own), Owner::MariaDb) => Some(version <= own),
        }
    }
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or an unquoted name; also `\N`, the old way to write `NULL`.
    Word,
    /// `` `name` ``, or `"name"` under `ANSI_QUOTES`.
    QuotedName,
    /// `'text'` or `"text"`.
    Text,
    /// `X'1f'` or `0x1f`.
    Hex,
    /// `B'01'` or `0b01`.
    Bits,
    /// An unsigned number: `1`, `.5`, `1.`, `1e5`.
    Number,
    /// `@name`, `` @`name` ``, `@'name'`, `@@name` (a scope's name after `@@x` comes as `.` and a word).
    Variable,
    /// Any other byte; `:=` is one token, `Symbol(b':')`.
    Symbol(u8),
}

/// One token and the bytes it covers, `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    /// The token as it is written.
    pub fn bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        &text[self.start..self.end]
    }

    /// Whether this is an unquoted word equal to `keyword`, in whatever case.
    pub fn is_word(&self, text: &[u8], keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.bytes(text).eq_ignore_ascii_case(keyword.as_bytes())
    }

    /// Whether this is the given single-byte symbol.
    pub fn is_symbol(&self, symbol: u8) -> bool {
        self.kind == TokenKind::Symbol(symbol)
    }
}

/// All tokens of a text, and what must be known to rely on them.
#[derive(Debug, Clone, Default)]
pub struct Lexed {
    pub tokens: Vec<Token>,
    /// See [`Lexer::unterminated`].
    pub unterminated: bool,
    /// See [`Lexer::conditional`].
    pub conditional: bool,
}

/// Cuts a whole text at once.
pub fn lex(text: &[u8], dialect: Dialect) -> Lexed {
    let mut lexer = Lexer::new(text, dialect);
    let tokens = lexer.by_ref().collect();
    Lexed {
        tokens,
        unterminated: lexer.unterminated(),
        conditional: lexer.conditional(),
    }
}

/// A name without its quotes; every other token as it is written.
pub fn name_text<'a>(text: &'a [u8], token: &Token) -> Cow<'a, [u8]> {
    let written = token.bytes(text);
    if token.kind != TokenKind::QuotedName {
        return Cow::Borrowed(written);
    }
    let quote = written[0];
    let body = &written[1..];
    let body = body.strip_suffix(&[quote]).unwrap_or(body);
    if memchr(quote, body).is_none() {
        return Cow::Borrowed(body);
    }
    let mut name = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = memchr(quote, rest) {
        name.extend_from_slice(&rest[..=at]);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    name.extend_from_slice(rest);
    Cow::Owned(name)
}

/// The tokens of a statement, in order. Accepts any bytes and always ends.
///
/// Comments and white space are left out. The content of an executable comment (`/*! */`,
/// `/*M! */`, with or without a version) comes out as tokens where the server runs it, and is a
/// comment where it does not ([`Server::runs`]); all of it comes out if the server is not known.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    text: &'a [u8],
    dialect: Dialect,
    at: usize,
    /// Where the last unquoted word ended: a dot right there makes the next word a name.
    word_end: Option<usize>,
    /// Where the last qualifying dot ended: what begins right there is a name, even `1a`.
    dot_end: Option<usize>,
    in_executable: bool,
    unterminated: bool,
    conditional: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a [u8], dialect: Dialect) -> Self {
        Lexer {
            text,
            dialect,
            at: 0,
            word_end: None,
            dot_end: None,
            in_executable: false,
            unterminated: false,
            conditional: false,
        }
    }

    /// Whether a literal, a quoted name or a comment was still open where the text ended.
    /// True only once the iterator is used up; the server refuses such a text.
    pub fn unterminated(&self) -> bool {
        self.unterminated
    }

    /// Whether an executable comment was met of which it is not known whether the server runs
    /// it. The tokens are those of a server that does.
    pub fn conditional(&self) -> bool {
        self.conditional
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// Moves to the next byte that belongs to a token.
    fn skip_blanks_and_comments(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b' ' | b'\t'..=b'\r' => self.at += 1,
                b'#' => self.skip_line(),
                // Without a blank after it, `--` is two minus signs.
                b'-' if self.peek(1) == Some(b'-')
                    && self
                        .peek(2)
                        .is_none_or(|b| b == b' ' || b.is_ascii_control()) =>
                {
                    self.skip_line();
                }
                b'/' if self.peek(1) == Some(b'*') => self.skip_comment(),
                b'*' if self.in_executable && self.peek(1) == Some(b'/') => {
                    self.in_executable = false;
                    self.at += 2;
                }
                _ => return,
            }
        }
        self.unterminated |= self.in_executable;
    }

    /// The server ends a line comment at a NUL too.
    fn skip_line(&mut self) {
        let rest = &self.text[self.at..];
        self.at += memchr2(b'\n', 0, rest).unwrap_or(rest.len());
    }

    /// Skips `/* … */`, or only the opening of an executable comment that the server runs.
    fn skip_comment(&mut self) {
        let rest = &self.text[self.at..];
        let (opening, owner) = match rest {
            [b'/', b'*', b'!', ..] => (3, Owner::All),
            [b'/', b'*', b'M', b'!', ..] => (4, Owner::MariaDb),
            _ => return self.skip_plain_comment(),
        };
        let digits = rest[opening..]
            .iter()
            .take(6)
            .take_while(|b| b.is_ascii_digit())
            .count();
        // A version has five or six digits; fewer are content.
        let digits = if digits >= 5 { digits } else { 0 };
        let version = rest[opening..opening + digits]
            .iter()
            .fold(0, |version, digit| version * 10 + u32::from(digit - b'0'));
        match self.dialect.server.runs(owner, version) {
            Some(false) if owner == Owner::All => self.skip_foreign_comment(),
            Some(false) if self.dialect.server.is_mariadb() => self.skip_foreign_comment(),
            Some(false) => self.skip_plain_comment(),
            runs => {
                self.conditional |= runs.is_none();
                self.in_executable = true;
                self.at += opening + digits;
            }
        }
    }

    fn skip_plain_comment(&mut self) {
        match memmem::find(&self.text[self.at + 2..], b"*/") {
            Some(end) => self.at += end + 4,
            None => self.skip_all(),
        }
    }

    /// Skips an executable comment that is for other servers; it may hold comments.
    fn skip_foreign_comment(&mut self) {
        self.at += 2;
        while let Some(at) = memchr2(b'*', b'/', &self.text[self.at..]) {
            self.at += at;
            match self.text[self.at..] {
                [b'*', b'/', ..] => {
                    self.at += 2;
                    return;
                }
                [b'/', b'*', ..] => self.skip_plain_comment(),
                _ => self.at += 1,
            }
        }
        self.skip_all();
    }

    /// The text ends within a comment.
    fn skip_all(&mut self) {
        self.at = self.text.len();
        self.unterminated = true;
    }

    /// The end of the token that begins at `self.at` with `first`, and its kind.
    fn token(&mut self, first: u8) -> (TokenKind, usize) {
        let at = self.at;
        let single = (TokenKind::Symbol(first), at + 1);
        match first {
            _ if self.dot_end == Some(at) && is_name_byte(first) => self.word(),
            b'\'' => (TokenKind::Text, self.quoted_end(at)),
            b'"' if !self.dialect.ansi_quotes => (TokenKind::Text, self.quoted_end(at)),
            b'"' | b'`' => (TokenKind::QuotedName, self.quoted_end(at)),
            b'x' | b'X' if self.peek(1) == Some(b'\'') => (TokenKind::Hex, self.plain_end(at + 1)),
            b'b' | b'B' if self.peek(1) == Some(b'\'') => (TokenKind::Bits, self.plain_end(at + 1)),
            b'0'..=b'9' => self.number_or_word(),
            b'.' if self.word_end != Some(at) && self.is_digit(at + 1) => {
                (TokenKind::Number, self.fraction_end(at + 1))
            }
            b'.' => {
                self.dot_end = Some(at + 1);
                single
            }
            b'@' => (TokenKind::Variable, self.variable_end()),
            b':' if self.peek(1) == Some(b'=') => (TokenKind::Symbol(b':'), at + 2),
            b'\\' if self.peek(1) == Some(b'N') => (TokenKind::Word, at + 2),
            _ if is_name_byte(first) => self.word(),
            _ => single,
        }
    }

    fn word(&mut self) -> (TokenKind, usize) {
        let end = self.name_end(self.at, is_name_byte);
        self.word_end = Some(end);
        (TokenKind::Word, end)
    }

    /// A name may begin with a digit, so `1`, `1e5` and `0x1f` are numbers only if nothing
    /// follows that makes them a name. Unlike `X'…'`, `0x` is lower case only.
    fn number_or_word(&mut self) -> (TokenKind, usize) {
        let (text, at) = (self.text, self.at);
        for (prefix, kind) in [(b'x', TokenKind::Hex), (b'b', TokenKind::Bits)] {
            if text[at] == b'0' && self.peek(1) == Some(prefix) {
                let end = self.run_end(at + 2, |b| match prefix {
                    b'x' => b.is_ascii_hexdigit(),
                    _ => matches!(b, b'0' | b'1'),
                });
                let named = text.get(end).copied().is_some_and(is_name_byte);
                return match end > at + 2 && !named {
                    true => (kind, end),
                    false => self.word(),
                };
            }
        }
        let digits = self.digits_end(at);
        match text.get(digits) {
            Some(b'.') => (TokenKind::Number, self.fraction_end(digits + 1)),
            Some(b'e' | b'E') => match self.exponent_end(digits) {
                Some(end) => (TokenKind::Number, end),
                None => self.word(),
            },
            Some(&b) if is_name_byte(b) => self.word(),
            _ => (TokenKind::Number, digits),
        }
    }

    /// The end of a number whose digits after the point begin at `from`.
    fn fraction_end(&self, from: usize) -> usize {
        let digits = self.digits_end(from);
        match self.text.get(digits) {
            Some(b'e' | b'E') => self.exponent_end(digits).unwrap_or(digits),
            _ => digits,
        }
    }

    /// The end of the exponent whose `e` is at `e`; `None` if no digit follows.
    fn exponent_end(&self, e: usize) -> Option<usize> {
        let sign = matches!(self.text.get(e + 1), Some(b'+' | b'-'));
        let from = e + 1 + usize::from(sign);
        self.is_digit(from).then(|| self.digits_end(from))
    }

    fn variable_end(&mut self) -> usize {
        let system = self.peek(1) == Some(b'@');
        let name = self.at + 1 + usize::from(system);
        match self.text.get(name) {
            Some(b'`') => self.quoted_end(name),
            Some(b'\'' | b'"') if !system => self.quoted_end(name),
            _ if system => {
                let end = self.name_end(name, is_name_byte);
                self.word_end = Some(end);
                end
            }
            _ => self.name_end(name, |b| is_name_byte(b) || b == b'.'),
        }
    }

    /// The end of what is quoted by the byte at `open`, with its closing quote.
    fn quoted_end(&mut self, open: usize) -> usize {
        let quote = self.text[open];
        let is_text = quote == b'\'' || (quote == b'"' && !self.dialect.ansi_quotes);
        let escape = match is_text && !self.dialect.no_backslash_escapes {
            true => b'\\',
            false => quote,
        };
        let letters = self.dialect.letters;
        let mut at = open + 1;
        loop {
            match self.text.get(at) {
                Some(&b) if b == quote => {
                    if self.text.get(at + 1) != Some(&quote) {
                        return at + 1;
                    }
                    at += 2;
                }
                Some(&b) if b == escape => at += 2,
                Some(_) => at += run(&self.text[at..], usize::MAX, quote, escape, letters),
                None => {
                    self.unterminated = true;
                    return self.text.len();
                }
            }
        }
    }

    /// The end of a quoted body without escapes or doubled quotes.
    fn plain_end(&mut self, open: usize) -> usize {
        match memchr(b'\'', &self.text[open + 1..]) {
            Some(end) => open + end + 2,
            None => {
                self.unterminated = true;
                self.text.len()
            }
        }
    }

    fn is_digit(&self, at: usize) -> bool {
        self.text.get(at).is_some_and(u8::is_ascii_digit)
    }

    fn digits_end(&self, from: usize) -> usize {
        self.run_end(from, |b| b.is_ascii_digit())
    }

    /// As [`Self::run_end`], for a name, which is made of whole characters.
    fn name_end(&self, from: usize, belongs: impl Fn(u8) -> bool) -> usize {
        match self.dialect.letters {
            Letters::Plain => self.run_end(from, belongs),
            letters => {
                let rest = self.text.get(from..).unwrap_or_default();
                from + letters.before(rest, usize::MAX, |b| !belongs(b))
            }
        }
    }

    fn run_end(&self, from: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        from + rest.iter().position(|&b| !belongs(b)).unwrap_or(rest.len())
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blanks_and_comments();
        let start = self.at;
        let first = self.peek(0)?;
        let (kind, end) = self.token(first);
        self.at = end;
        Some(Token { kind, start, end })
    }
}

/// Whether a byte may stand in an unquoted name. Bytes from 0x80 are letters in every
/// character set a client may use.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// How many bytes of a string, about `most`, stand for themselves before a quote or an escape
/// comes; see [`Letters::before`].
///
/// Arrays of numbers have an escape every few bytes (`\0\0`), so the first bytes are looked at
/// one by one: a search costs more than it saves there.
pub(super) fn run(rest: &[u8], most: usize, quote: u8, escape: u8, letters: Letters) -> usize {
    const NEAR: usize = 4;
    if letters != Letters::Plain {
        return letters.before(rest, most, |b| b == quote || b == escape);
    }
    let rest = &rest[..rest.len().min(most)];
    let (near, far) = rest.split_at(rest.len().min(NEAR));
    (near.iter().position(|&b| b == quote || b == escape))
        .unwrap_or_else(|| near.len() + memchr2(quote, escape, far).unwrap_or(far.len()))
}

#[cfg(test)]
mod tests;
