//! Reads the value of a `json` column, as Python's `json.loads` does.
//!
//! Unlike `serde_json` it keeps integers of any length and takes `NaN` and `Infinity`, which
//! Python writes.

use num_bigint::BigInt;

use super::super::value::Value;
use super::super::{CodecError, ValueLimits};

/// Arrays and objects within each other, whatever the limits say: each takes some of the stack.
pub const MAX_DEPTH: usize = 100;

/// The value of a JSON text in UTF-8. Of a key that is there twice the last value counts.
pub fn loads(text: &[u8]) -> Result<Value, CodecError> {
    loads_within(text, &ValueLimits::default())
}

/// As [`loads`], of a text that may be anything: a value that would take more memory than
/// `limits.value_bytes`, or is nested deeper than `limits.value_depth`, is an error.
pub fn loads_within(text: &[u8], limits: &ValueLimits) -> Result<Value, CodecError> {
    let text = std::str::from_utf8(text).map_err(|_| no_json())?;
    let mut parser = Parser {
        text,
        at: 0,
        depth: limits.depth.min(MAX_DEPTH),
        room: limits.bytes,
    };
    parser.space();
    let value = parser.value(0)?;
    parser.space();
    if parser.at < text.len() {
        return Err(no_json());
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Bytes that the value may still take.
    room: u64,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, CodecError> {
        if depth > self.depth {
            let text = format!("the column's JSON is nested more than {} deep", self.depth);
            return Err(CodecError::Corrupt(text));
        }
        self.charge(size_of::<Value>())?;
        match self.peek().ok_or_else(no_json)? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string().map(Value::Str),
            _ => {
                const WORDS: [(&str, Value); 6] = [
                    ("null", Value::None),
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("NaN", Value::Float(f64::NAN)),
                    ("Infinity", Value::Float(f64::INFINITY)),
                    ("-Infinity", Value::Float(f64::NEG_INFINITY)),
                ];
                for (word, value) in WORDS {
                    if self.rest().starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                self.number()
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, CodecError> {
        let mut items: Vec<(Value, Value)> = Vec::new();
        // Where each key is, so that an object of many keys costs no quadratic time.
        let mut places = std::collections::HashMap::new();
        self.items(b'}', |parser| {
            let key = parser.string()?;
            parser.space();
            parser.expect(b':')?;
            parser.space();
            let value = parser.value(depth + 1)?;
            match places.get(&key) {
                Some(&place) => {
                    let (_, old): &mut (Value, Value) = &mut items[place];
                    *old = value;
                }
                None => {
                    // The key lies here twice, and in a value of its own.
                    parser.charge(size_of::<Value>() + 2 * key.len())?;
                    places.insert(key.clone(), items.len());
                    items.push((Value::Str(key), value));
                }
            }
            Ok(())
        })?;
        Ok(Value::Dict(items))
    }

    fn array(&mut self, depth: usize) -> Result<Value, CodecError> {
        let mut items = Vec::new();
        self.items(b']', |parser| {
            items.push(parser.value(depth + 1)?);
            Ok(())
        })?;
        Ok(Value::List(items))
    }

    /// What is between two brackets, separated by commas.
    fn items(
        &mut self,
        end: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), CodecError>,
    ) -> Result<(), CodecError> {
        self.at += 1;
        self.space();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            item(self)?;
            self.space();
            if self.peek() == Some(end) {
                self.at += 1;
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Result<String, CodecError> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest
                .find(|c: char| c == '"' || c == '\\' || c < ' ')
                .ok_or_else(no_json)?;
            out.push_str(&rest[..plain]);
            self.at += plain + 1;
            match rest.as_bytes()[plain] {
                b'"' => {
                    self.charge(out.len())?;
                    return Ok(out);
                }
                b'\\' => out.push(self.escape()?),
                _ => return Err(no_json()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, CodecError> {
        let letter = self.peek().ok_or_else(no_json)?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                if let Some(c) = char::from_u32(u32::from(first)) {
                    return Ok(c);
                }
                // One half of a character beyond the first plane; the other must follow.
                self.expect(b'\\')?;
                self.expect(b'u')?;
                let second = self.unit()?;
                match char::decode_utf16([first, second]).next() {
                    Some(Ok(c)) => c,
                    _ => return Err(no_json()),
                }
            }
            _ => return Err(no_json()),
        })
    }

    fn unit(&mut self) -> Result<u16, CodecError> {
        let digits = self.rest().get(..4).ok_or_else(no_json)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(no_json());
        }
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|_| no_json())
    }

    fn number(&mut self) -> Result<Value, CodecError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.peek();
        let digits = self.digits()?;
        if digits > 1 && first == Some(b'0') {
            return Err(no_json());
        }
        let mut is_float = false;
        if self.peek() == Some(b'.') {
            is_float = true;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_float = true;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        if is_float {
            return text.parse().map(Value::Float).map_err(|_| no_json());
        }
        // Python's own bound; to read digits takes quadratic time.
        if digits > 4300 {
            return Err(no_json());
        }
        match text.parse() {
            Ok(number) => Ok(Value::Int(number)),
            Err(_) => {
                let number: Result<BigInt, _> = text.parse();
                number.map(Value::BigInt).map_err(|_| no_json())
            }
        }
    }

    /// How many there are; none is an error.
    fn digits(&mut self) -> Result<usize, CodecError> {
        let rest = self.rest().as_bytes();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(no_json());
        }
        self.at += count;
        Ok(count)
    }

    fn charge(&mut self, bytes: usize) -> Result<(), CodecError> {
        self.room = self.room.checked_sub(bytes as u64).ok_or_else(|| {
            CodecError::Limit("the value takes more than limits.value_bytes".to_owned())
        })?;
        Ok(())
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), CodecError> {
        if self.peek() != Some(byte) {
            return Err(no_json());
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// `at` is always between two characters.
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
}

fn no_json() -> CodecError {
    CodecError::Corrupt("the column holds no JSON".into())
}
