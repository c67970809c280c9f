//! The values of the corpus, and how a template becomes a statement.
//!
//! | in the template | in the statement | as a parameter |
//! |---|---|---|
//! | `{7}` | value 7 as a literal of the view | yes |
//! | `{h7}` | the same for a `<hash@>` column | yes |
//! | `{i7}` | the same for a column whose codec leaves it in the row | yes |
//! | `id = 3` | itself | the number |
//! | `{x7}` | its hexadecimal digits | |
//! | `{r7}` | its bytes, escaped with backslashes | |
//! | `{b7}` | its base64 | |
//! | `{j7}`, `{l7}` | its JSON, as the `json` view shows it, and more loosely | |
//! | `{p7}` | the pointer to it, as it is stored | |
//! | `{db}` | the name of the database | |
//! | `{<blob@main> note}` | type and comment of a codec column | |

use data_encoding::{BASE64, HEXLOWER};

use super::topic::View;
use crate::support::objects::{escaped, hash_name, hex, packed};

/// There are this many values, from 1.
pub const COUNT: u64 = 60;

/// Value `n` as a program of DataJoint 0.14 packs it.
pub fn bytes(n: u64) -> Vec<u8> {
    packed(n, length(n))
}

/// Value `n` as the `json` view shows it.
pub fn json(n: u64) -> String {
    let packed = bytes(n);
    let elements: Vec<_> = packed[packed.len() - length(n)..]
        .iter()
        .map(u8::to_string)
        .collect();
    format!(
        r#"{{"$array":"uint8","shape":[{}],"value":[{}]}}"#,
        length(n),
        elements.join(",")
    )
}

/// The same, written in another way.
fn loosely(n: u64) -> String {
    json(n).replace(',', " , ").replace(':', ": ")
}

/// Value `n` as the `json` view shows it in a `<hash@>` column.
pub fn hashed(n: u64) -> String {
    format!(r#"{{"$bytes":"{}"}}"#, BASE64.encode(&bytes(n)))
}

/// The pointer to value `n`, as DataJoint writes it.
pub fn pointer(n: u64, schema: &str) -> String {
    let hash = hash_name(&bytes(n));
    format!(
        r#"{{"hash": "{hash}", "path": "_hash/{schema}/{hash}", "schema": "{schema}", "store": "main", "size": {}}}"#,
        bytes(n).len()
    )
}

fn length(n: u64) -> usize {
    6 + (n % 5) as usize
}

/// Who a statement is for.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    pub view: View,
    /// The current database.
    pub database: &'a str,
    /// The schema that pointers name.
    pub schema: &'a str,
    pub is_twin: bool,
    /// A column with a codec is declared as it is stored, whatever the view.
    pub declares_stored: bool,
}

/// A parameter of a prepared statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parameter {
    Bytes(Vec<u8>),
    Text(Vec<u8>),
    Int(i64),
}

impl Side<'_> {
    /// The statement with every value written into it.
    pub fn text(&self, template: &str) -> Vec<u8> {
        self.fill(template, &mut None)
    }

    /// The statement with `?` for the values that can be, and these.
    pub fn lifted(&self, template: &str) -> (Vec<u8>, Vec<Parameter>) {
        let mut lifted = Some(Vec::new());
        let text = self.fill(template, &mut lifted);
        (text, lifted.unwrap_or_default())
    }

    fn fill(&self, template: &str, lifted: &mut Option<Vec<Parameter>>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut quote = None;
        let mut rest = template;
        while let Some(next) = rest.chars().next() {
            if let Some((inner, after)) = braces(rest) {
                match (self.value(inner), lifted.as_mut()) {
                    (Some(value), Some(lifted)) if quote.is_none() => {
                        lifted.push(value);
                        out.push(b'?');
                    }
                    (Some(value), _) => out.extend(value.literal()),
                    (None, _) => out.extend(self.piece(inner)),
                }
                rest = after;
                continue;
            }
            match (quote, next) {
                (None, '\'' | '"' | '`') => quote = Some(next),
                (Some(open), _) if open == next => quote = None,
                _ => {}
            }
            if let (None, Some(lifted), Some(after)) =
                (quote, lifted.as_mut(), rest.strip_prefix("id = "))
            {
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                if let Ok(number) = after[..digits].parse() {
                    lifted.push(Parameter::Int(number));
                    out.extend_from_slice(b"id = ?");
                    rest = &after[digits..];
                    continue;
                }
            }
            let (taken, after) = rest.split_at(next.len_utf8());
            out.extend_from_slice(taken.as_bytes());
            rest = after;
        }
        out
    }

    /// The value that stands for itself in a statement, or for a `?`.
    fn value(&self, inner: &str) -> Option<Parameter> {
        let kind = if inner.starts_with(['h', 'i']) {
            &inner[..1]
        } else {
            ""
        };
        let n = inner[kind.len()..].parse().ok()?;
        Some(match (self.view, kind) {
            (View::Json, "h") => Parameter::Text(hashed(n).into_bytes()),
            (View::Json, _) => Parameter::Text(json(n).into_bytes()),
            (View::Stored, "" | "h") => Parameter::Text(pointer(n, self.schema).into_bytes()),
            _ => Parameter::Bytes(bytes(n)),
        })
    }

    fn piece(&self, inner: &str) -> Vec<u8> {
        if inner == "db" {
            return self.database.as_bytes().to_vec();
        }
        if inner.starts_with('<') {
            let (codec, note) = inner
                .split_once("> ")
                .unwrap_or((&inner[..inner.len() - 1], ""));
            return self.column(&format!("{codec}>"), note).into_bytes();
        }
        let (form, n) = inner.split_at(1);
        let n = n.parse().unwrap_or_else(|_| panic!("{{{inner}}}"));
        match form {
            "x" => HEXLOWER.encode(&bytes(n)).into_bytes(),
            "r" => {
                let quoted = escaped(&bytes(n));
                quoted[1..quoted.len() - 1].to_vec()
            }
            "b" => BASE64.encode(&bytes(n)).into_bytes(),
            "p" => pointer(n, self.schema).into_bytes(),
            "j" => json(n).into_bytes(),
            "l" => loosely(n).into_bytes(),
            _ => panic!("{{{inner}}}"),
        }
    }

    /// Type and comment of a codec column.
    fn column(&self, codec: &str, note: &str) -> String {
        let stored = if codec.contains('@') {
            "JSON"
        } else {
            "LONGBLOB"
        };
        let shown = if self.view == View::Json {
            "LONGTEXT"
        } else {
            "LONGBLOB"
        };
        match (self.is_twin, self.view) {
            // DataJoint 0.14 is to see a type of its own.
            (true, View::Bytes) if codec.starts_with("<attach") => {
                format!("{shown} COMMENT ':attach:{note}'")
            }
            (true, View::Bytes | View::Json) => format!("{shown} COMMENT '{note}'"),
            (_, View::Stored) => format!("{stored} COMMENT ':{codec}:{note}'"),
            _ if self.declares_stored => format!("{stored} COMMENT ':{codec}:{note}'"),
            _ => format!("LONGBLOB COMMENT '{codec} {note}'"),
        }
    }
}

impl Parameter {
    fn literal(&self) -> Vec<u8> {
        match self {
            Self::Bytes(value) => hex(value),
            Self::Text(value) => [b"'", value.as_slice(), b"'"].concat(),
            Self::Int(value) => value.to_string().into_bytes(),
        }
    }
}

/// What stands in braces at the front, if it is one of the forms above, and what follows.
fn braces(text: &str) -> Option<(&str, &str)> {
    let (inner, after) = text.strip_prefix('{')?.split_once('}')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let value = digits(inner)
        || (inner.starts_with(['h', 'i', 'x', 'r', 'b', 'p', 'j', 'l']) && digits(&inner[1..]));
    (value || inner == "db" || inner.starts_with('<')).then_some((inner, after))
}
