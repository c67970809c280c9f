//! The primary key of a row, read from the literals of an INSERT.
//!
//! Schema-addressed objects have the key in their path, so it must be known before the statement
//! runs. Each value becomes what a DataJoint program would have at hand for a column of that
//! type, as `encode_pk_value` in `storage.py` of DataJoint 2.3.5 would print it. What is not
//! certain is an error.
//!
//! [`of`] does the same for what a client binds to a parameter.

use num_bigint::BigInt;

use super::statement::Statement;
use super::{KeySource, charset};
use crate::catalog::KeyType;
use crate::codec::Value;
use crate::codec::value::{Date, Time};
use crate::sql::insert::Item;
use crate::sql::lexer::TokenKind;
use crate::sql::literal::{self, Literal};

/// Longest value of a key column, in bytes: InnoDB takes no longer keys.
const LONGEST: u64 = 3072;

/// Where the value comes from that a row gives a key column; the error says what is wrong with
/// it. A parameter is named by its place in the text.
pub(super) fn source(
    statement: &Statement,
    item: &Item,
    kind: KeyType,
) -> Result<KeySource, &'static str> {
    match statement.parameter(item) {
        Some(place) => Ok(KeySource::Parameter(place)),
        None => of(kind, &Written::read(statement, item)?).map(KeySource::Known),
    }
}

/// The value of a key column of this kind that is written so; the error says what is wrong with
/// it, as the end of a sentence that begins with the column.
pub fn of(kind: KeyType, written: &Written) -> Result<Value, &'static str> {
    match kind {
        KeyType::Int => int(written),
        KeyType::AutoIncrement => match int(written)? {
            Value::Int(0) => Err("is left to the server, which counts it up"),
            value => Ok(value),
        },
        KeyType::Float => float(written.text()?),
        KeyType::Decimal => decimal(written.text()?),
        KeyType::Date => date(written.quoted()?).map(Value::Date),
        KeyType::DateTime => datetime(written.quoted()?),
        KeyType::Time => time(written.quoted()?),
        KeyType::Text => text(written),
        KeyType::Choice => Ok(Value::from(written.quoted()?)),
        KeyType::Uuid => match <[u8; 16]>::try_from(written.bytes()?) {
            Ok(uuid) => Ok(Value::Uuid(uuid)),
            Err(_) => Err("is not 16 bytes long"),
        },
        KeyType::Bytes => Ok(Value::Bytes(written.bytes()?.to_vec().into())),
        KeyType::Other => Err("has a type that no object's path is made of"),
    }
}

/// What is neither a literal nor a parameter.
pub(super) const NO_LITERAL: &str = "is not given as a literal";
const NO_TEXT: &str = "is not text in UTF-8";
const NO_INT: &str = "is not written as a whole number";

/// A value as a statement has it, or as a client binds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A number, with its sign.
    Number(String),
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// A string, or bytes in digits.
    Quoted {
        /// What it stands for.
        bytes: Vec<u8>,
        /// Whether it is a string; `X'31'` is none, and the number 49 to a numeric column.
        is_string: bool,
        /// Whether it is in UTF-8, by its introducer or the client's character set.
        is_utf8: bool,
    },
}

impl Written {
    fn read(statement: &Statement, item: &Item) -> Result<Self, &'static str> {
        let text = statement.text;
        let tokens = &statement.tokens[item.tokens.clone()];
        let (sign, number) = match tokens {
            [sign, number] if sign.is_symbol(b'-') => ("-", Some(number)),
            [sign, number] if sign.is_symbol(b'+') => ("", Some(number)),
            [number] => ("", Some(number)),
            _ => ("", None),
        };
        if let Some(number) = number.filter(|token| token.kind == TokenKind::Number) {
            let digits = String::from_utf8_lossy(number.bytes(text));
            return Ok(Self::Number(format!("{sign}{digits}")));
        }
        if let [word] = tokens {
            match () {
                () if word.is_word(text, "NULL") || word.is_word(text, "DEFAULT") => {
                    return Err("is left to the server");
                }
                () if word.is_word(text, "TRUE") => return Ok(Self::Bool(true)),
                () if word.is_word(text, "FALSE") => return Ok(Self::Bool(false)),
                () => {}
            }
        }
        let literal = Literal::parse(text, tokens, statement.context.dialect).ok_or(NO_LITERAL)?;
        if literal.decoded_len() > LONGEST {
            return Err("is too long for a key");
        }
        let introducer = tokens.iter().find(|token| !token.is_symbol(b'('));
        let introducer = introducer.and_then(|token| literal::introduced_charset(text, token));
        let charset = introducer.unwrap_or(statement.context.charset);
        let is_string = tokens.iter().any(|token| token.kind == TokenKind::Text);
        Ok(Self::Quoted {
            is_string,
            bytes: literal.chunks(LONGEST as usize).flatten().collect(),
            is_utf8: is_string && charset::is_utf8(charset),
        })
    }

    fn bytes(&self) -> Result<&[u8], &'static str> {
        match self {
            Self::Quoted { bytes, .. } => Ok(bytes),
            _ => Err(NO_LITERAL),
        }
    }

    /// The text of a string.
    fn quoted(&self) -> Result<&str, &'static str> {
        match self {
            Self::Quoted {
                is_string: true, ..
            } => self.utf8(),
            _ => Err("is not given as a string"),
        }
    }

    /// The text that its bytes are.
    fn utf8(&self) -> Result<&str, &'static str> {
        match self {
            Self::Quoted { bytes, is_utf8, .. } if *is_utf8 || bytes.is_ascii() => {
                str::from_utf8(bytes).map_err(|_| NO_TEXT)
            }
            _ => Err(NO_TEXT),
        }
    }

    /// A number, or the text of a string.
    fn text(&self) -> Result<&str, &'static str> {
        match self {
            Self::Number(text) => Ok(text),
            Self::Bool(true) => Ok("1"),
            Self::Bool(false) => Ok("0"),
            Self::Quoted { .. } => self.quoted(),
        }
    }
}

fn int(written: &Written) -> Result<Value, &'static str> {
    let text = written.text()?;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NO_INT);
    }
    match text.parse::<i64>() {
        Ok(number) => Ok(Value::Int(number)),
        Err(_) => match text.parse::<BigInt>() {
            Ok(number) => Ok(Value::BigInt(number)),
            Err(_) => Err(NO_INT),
        },
    }
}

fn float(text: &str) -> Result<Value, &'static str> {
    let is_number = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-');
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && text.bytes().all(is_number) => Ok(Value::Float(number)),
        _ => Err("is not written as a number"),
    }
}

/// As Python's `str` writes a `Decimal` that was made of the text.
fn decimal(text: &str) -> Result<Value, &'static str> {
    const NO_DECIMAL: &str = "is not written as a plain decimal number";
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() == 0 {
        return Err(NO_DECIMAL);
    }
    let whole = whole.trim_start_matches('0');
    // From the seventh place on Python writes an exponent.
    let leading = fraction.bytes().take_while(|b| *b == b'0').count();
    if whole.is_empty() && leading >= 6 {
        return Err(NO_DECIMAL);
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Ok(Value::Decimal(format!("{sign}{whole}{point}{fraction}")))
}

/// `2020-02-29`
fn date(text: &str) -> Result<Date, &'static str> {
    let parts: Vec<&str> = text.split('-').collect();
    let date = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => {
            let number = |part| digits(part, 2);
            let year = digits(year, 4).and_then(|year| u16::try_from(year).ok());
            let month = number(month).and_then(|month| u8::try_from(month).ok());
            let day = number(day).and_then(|day| u8::try_from(day).ok());
            year.zip(month).zip(day)
        }
        _ => None,
    };
    date.and_then(|((year, month), day)| Date::new(year, month, day))
        .ok_or("is no date written as YYYY-MM-DD")
}

/// `2020-02-29`, `2020-02-29 13:04:05`, `2020-02-29T13:04:05.678901`
fn datetime(text: &str) -> Result<Value, &'static str> {
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let time = time_of_day(time).ok_or("is no time written as YYYY-MM-DD hh:mm:ss");
    Ok(Value::DateTime(date(day)?, time?))
}

/// `13:04:05`, `13:04:05.678901`
fn time_of_day(text: &str) -> Option<Time> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else {
        return None;
    };
    let part = |text| u8::try_from(digits(text, 2)?).ok();
    let places = u32::try_from(fraction.len()).ok()?;
    let microsecond = digits(fraction, 6)? * 10_u32.pow(6_u32.checked_sub(places)?);
    Time::new(part(hour)?, part(minute)?, part(second)?, microsecond)
}

/// A number of at most `most` digits, and at least one.
fn digits(text: &str, most: usize) -> Option<u32> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= most;
    is_number.then(|| text.parse().ok())?
}

/// DataJoint hands a time on as the text that it was given.
fn time(text: &str) -> Result<Value, &'static str> {
    let is_time = |b: u8| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'-');
    match !text.is_empty() && text.bytes().all(is_time) {
        true => Ok(Value::from(text)),
        false => Err("is no time written as hh:mm:ss"),
    }
}

/// A whole number in a text's place is stored as its digits.
fn text(written: &Written) -> Result<Value, &'static str> {
    match written {
        Written::Quoted { .. } => Ok(Value::from(written.utf8()?)),
        Written::Number(number) => match int(written) {
            Ok(Value::Int(value)) if value.to_string() == *number => Ok(Value::from(&**number)),
            _ => Err("is not given as a string"),
        },
        Written::Bool(_) => Err("is not given as a string"),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::super::{Context, tests};
    use super::*;
    use crate::sql::lexer::lex;

    fn value_in(written: &str, kind: KeyType, context: &Context) -> Result<Value, &'static str> {
        let text = Bytes::copy_from_slice(written.as_bytes());
        let tokens = lex(&text, context.dialect).tokens;
        let index = tests::index();
        let statement = Statement {
            text: &text,
            tokens: &tokens,
            context,
            index: &index,
        };
        let item = Item {
            tokens: 0..tokens.len(),
            span: 0..text.len(),
        };
        match source(&statement, &item, kind)? {
            KeySource::Known(value) => Ok(value),
            KeySource::Parameter(_) | KeySource::Expression(_) => Err(NO_LITERAL),
        }
    }

    fn read(written: &str, kind: KeyType) -> Result<Value, &'static str> {
        value_in(written, kind, &tests::context())
    }

    fn datetime(time: (u8, u8, u8, u32)) -> Value {
        let date = Date::new(2020, 2, 29).expect("a leap year");
        let time = Time::new(time.0, time.1, time.2, time.3).expect("a time");
        Value::DateTime(date, time)
    }

    #[test]
    fn values_are_what_a_program_would_have() {
        let big = "18446744073709551615";
        for (written, kind, expected) in [
            ("7", KeyType::Int, Value::Int(7)),
            ("'-07'", KeyType::Int, Value::Int(-7)),
            ("-9", KeyType::AutoIncrement, Value::Int(-9)),
            ("TRUE", KeyType::Int, Value::Int(1)),
            (
                big,
                KeyType::Int,
                Value::BigInt(big.parse().expect("digits")),
            ),
            ("1.50", KeyType::Float, Value::Float(1.5)),
            ("'1e3'", KeyType::Float, Value::Float(1000.0)),
            ("'1.50'", KeyType::Decimal, Value::Decimal("1.50".into())),
            ("-.5", KeyType::Decimal, Value::Decimal("-0.5".into())),
            ("007", KeyType::Decimal, Value::Decimal("7".into())),
            ("'12:30:00'", KeyType::Time, Value::from("12:30:00")),
            ("'a' 'b'", KeyType::Text, Value::from("ab")),
            (r"'Zo\'ë'", KeyType::Text, Value::from("Zo'ë")),
            ("12", KeyType::Text, Value::from("12")),
            ("X'6162'", KeyType::Text, Value::from("ab")),
            ("'red'", KeyType::Choice, Value::from("red")),
            ("X'00ff'", KeyType::Bytes, Value::Bytes(vec![0, 255].into())),
            (
                "_binary'0123456789abcdef'",
                KeyType::Uuid,
                Value::Uuid(*b"0123456789abcdef"),
            ),
            (
                "'2020-02-29'",
                KeyType::Date,
                Value::Date(Date::new(2020, 2, 29).expect("a leap year")),
            ),
            ("'2020-02-29'", KeyType::DateTime, datetime((0, 0, 0, 0))),
            (
                "'2020-02-29 13:04:05.6'",
                KeyType::DateTime,
                datetime((13, 4, 5, 600_000)),
            ),
            (
                "'2020-02-29T13:04:05'",
                KeyType::DateTime,
                datetime((13, 4, 5, 0)),
            ),
        ] {
            assert_eq!(read(written, kind), Ok(expected), "{written} as {kind:?}");
        }
    }

    #[test]
    fn what_is_not_certain_is_refused() {
        for (written, kind) in [
            ("NULL", KeyType::Int),
            ("DEFAULT", KeyType::Text),
            ("0", KeyType::AutoIncrement),
            ("'0'", KeyType::AutoIncrement),
            ("1 + 1", KeyType::Int),
            ("@a", KeyType::Int),
            ("uuid()", KeyType::Text),
            ("'abc'", KeyType::Int),
            ("''", KeyType::Int),
            ("1.0", KeyType::Int),
            ("X'31'", KeyType::Float),
            ("'nan'", KeyType::Float),
            ("1e400", KeyType::Float),
            ("1e3", KeyType::Decimal),
            ("'.'", KeyType::Decimal),
            ("0.0000001", KeyType::Decimal),
            ("'2020-02-30'", KeyType::Date),
            ("'2020-1-2 '", KeyType::Date),
            ("20200102", KeyType::Date),
            ("'0000-00-00'", KeyType::Date),
            ("'2020-02-29 25:00:00'", KeyType::DateTime),
            ("'2020-02-29 13:04'", KeyType::DateTime),
            ("'2020-02-29 13:04:05.'", KeyType::DateTime),
            ("'noon'", KeyType::Time),
            ("007", KeyType::Text),
            ("1.5", KeyType::Text),
            ("1", KeyType::Choice),
            ("X'ff'", KeyType::Text),
            ("_latin1'é'", KeyType::Text),
            ("'short'", KeyType::Uuid),
            ("1", KeyType::Bytes),
            ("'x'", KeyType::Other),
        ] {
            assert!(read(written, kind).is_err(), "{written} as {kind:?}");
        }
        let long = format!("'{}'", "x".repeat(4000));
        assert!(read(&long, KeyType::Text).is_err());
    }

    proptest! {
        #[test]
        fn moments_are_read_back(
            (year, month, day) in (1_u16..=9999, 1_u8..=12, 1_u8..=28),
            (hour, minute, second) in (0_u8..24, 0_u8..60, 0_u8..60),
            (fraction, places) in (0_u32..1_000_000, 1_usize..=6),
        ) {
            let digits = format!("{fraction:06}")[..places].to_owned();
            let date = Date::new(year, month, day).expect("months have 28 days");
            let written = format!("'{year:04}-{month:02}-{day:02}'");
            prop_assert_eq!(read(&written, KeyType::Date), Ok(Value::Date(date)));
            let clock = format!("{hour:02}:{minute:02}:{second:02}.{digits}");
            let written = format!("'{year:04}-{month:02}-{day:02} {clock}'");
            let micro = format!("{digits:0<6}").parse().expect("six digits");
            let time = Time::new(hour, minute, second, micro).expect("a time");
            prop_assert_eq!(read(&written, KeyType::DateTime), Ok(Value::DateTime(date, time)));
        }

        #[test]
        fn numbers_are_read_back(int: i64, float: f64) {
            prop_assert_eq!(read(&format!("{int}"), KeyType::Int), Ok(Value::Int(int)));
            prop_assert_eq!(read(&format!("'{int}'"), KeyType::Int), Ok(Value::Int(int)));
            prop_assume!(float.is_finite());
            prop_assert_eq!(read(&format!("{float:?}"), KeyType::Float), Ok(Value::Float(float)));
        }

        #[test]
        fn nothing_that_is_written_panics(written in "[a-z0-9@' .:-]{0,20}") {
            for kind in [KeyType::DateTime, KeyType::Date, KeyType::Decimal, KeyType::Time] {
                let _ = read(&format!("'{}'", written.replace('\'', "")), kind);
                let _ = read(&written, kind);
            }
        }
    }

    #[test]
    fn texts_in_other_character_sets_are_refused_unless_they_are_ascii() {
        let latin1 = Context {
            charset: "latin1",
            ..tests::context()
        };
        assert!(value_in("'é'", KeyType::Text, &latin1).is_err());
        assert_eq!(
            value_in("'e'", KeyType::Text, &latin1),
            Ok(Value::from("e"))
        );
        let introduced = value_in("_utf8mb4'é'", KeyType::Text, &latin1);
        assert_eq!(introduced, Ok(Value::from("é")));
    }
}
