//! The part of Python's literals that headers are made of.

/// A literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Bool(bool),
    Int(u64),
    Str(String),
    Tuple(Vec<Literal>),
    List(Vec<Literal>),
    /// With keys of text.
    Dict(Vec<(String, Literal)>),
}

/// Tuples within lists and so on.
const MAX_DEPTH: usize = 32;

impl Literal {
    /// The literal that `text` is, with blanks around it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { rest: text };
        let literal = parser.literal(0)?;
        parser.space();
        parser.rest.is_empty().then_some(literal)
    }
}

/// The lengths that a shape has.
pub(super) fn lengths(shape: &[Literal]) -> Option<Vec<u64>> {
    shape
        .iter()
        .map(|length| match length {
            Literal::Int(length) => Some(*length),
            _ => None,
        })
        .collect()
}

/// A tuple as Python writes it.
pub(super) fn tuple(lengths: &[u64]) -> String {
    match lengths {
        [length] => format!("({length},)"),
        lengths => {
            let lengths: Vec<String> = lengths.iter().map(u64::to_string).collect();
            format!("({})", lengths.join(", "))
        }
    }
}

/// A text as Python's `repr` writes it, but that characters beyond ASCII are never escaped.
pub(super) fn repr(text: &str) -> String {
    let mark = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(mark);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' | '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => {
                if c == mark || c == '\\' {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
    out.push(mark);
    out
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn literal(&mut self, depth: usize) -> Option<Literal> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.space();
        match self.rest.chars().next()? {
            '\'' | '"' => self.text().map(Literal::Str),
            '0'..='9' => self.int(),
            '[' => Some(Literal::List(self.items(']', depth)?.0)),
            '(' => {
                let (mut items, has_comma) = self.items(')', depth)?;
                // Parentheses around a single literal make no tuple.
                if items.len() == 1 && !has_comma {
                    return items.pop();
                }
                Some(Literal::Tuple(items))
            }
            '{' => self.dict(depth),
            _ => [("True", true), ("False", false)]
                .into_iter()
                .find(|(word, _)| self.take(word))
                .map(|(_, value)| Literal::Bool(value)),
        }
    }

    /// What is between two brackets, and whether there was a comma at its end.
    fn items(&mut self, end: char, depth: usize) -> Option<(Vec<Literal>, bool)> {
        self.rest = &self.rest[1..];
        let mut items = Vec::new();
        let mut has_comma = true;
        loop {
            self.space();
            if self.take_char(end) {
                return Some((items, has_comma));
            }
            if !has_comma {
                return None;
            }
            items.push(self.literal(depth + 1)?);
            self.space();
            has_comma = self.take_char(',');
        }
    }

    fn dict(&mut self, depth: usize) -> Option<Literal> {
        self.rest = &self.rest[1..];
        let mut items = Vec::new();
        let mut has_comma = true;
        loop {
            self.space();
            if self.take_char('}') {
                return Some(Literal::Dict(items));
            }
            if !has_comma {
                return None;
            }
            let key = self.text()?;
            self.space();
            if !self.take_char(':') {
                return None;
            }
            items.push((key, self.literal(depth + 1)?));
            self.space();
            has_comma = self.take_char(',');
        }
    }

    fn text(&mut self) -> Option<String> {
        let mark = self
            .rest
            .chars()
            .next()
            .filter(|c| matches!(c, '\'' | '"'))?;
        let mut chars = self.rest[1..].chars();
        let mut out = String::new();
        loop {
            match chars.next()? {
                '\\' => match chars.next()? {
                    c @ ('\\' | '\'' | '"') => out.push(c),
                    'n' => out.push('\n'),
                    'r' => out.push('\r'),
                    't' => out.push('\t'),
                    'x' => out.push(escaped(&mut chars, 2)?),
                    'u' => out.push(escaped(&mut chars, 4)?),
                    'U' => out.push(escaped(&mut chars, 8)?),
                    _ => return None,
                },
                c if c == mark => break,
                '\n' => return None,
                c => out.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(out)
    }

    /// Python 2 marked long integers with an `L`.
    fn int(&mut self) -> Option<Literal> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.strip_prefix('L').unwrap_or(rest);
        digits.parse().ok().map(Literal::Int)
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
    }

    fn take_char(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn take(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

fn escaped(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let hex = chars.as_str().get(..digits)?;
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    *chars = chars.as_str()[digits..].chars();
    char::from_u32(u32::from_str_radix(hex, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read() {
        assert_eq!(
            Literal::parse(
                " {'a': (2, 3L), 'b': [(\"x\\x41\\n\", ('<i4'))], 'c': True, 'd': ()} \n"
            ),
            Some(Literal::Dict(vec![
                (
                    "a".into(),
                    Literal::Tuple(vec![Literal::Int(2), Literal::Int(3)])
                ),
                (
                    "b".into(),
                    Literal::List(vec![Literal::Tuple(vec![
                        Literal::Str("xA\n".into()),
                        Literal::Str("<i4".into())
                    ])])
                ),
                ("c".into(), Literal::Bool(true)),
                ("d".into(), Literal::Tuple(vec![])),
            ]))
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "{",
            "{'a'}",
            "{1: 2}",
            "(1 2)",
            "[1",
            "'a",
            "'a\\",
            "'\\u12'",
            "'\\U00110000'",
            "-1",
            "1.5",
            "None",
            "a",
            "(,)",
            "[1,,2]",
            "{'a': 1} x",
            "'\n'",
            "99999999999999999999",
            "__import__('os')",
        ] {
            assert_eq!(Literal::parse(text), None, "{text}");
        }
        assert_eq!(Literal::parse(&"(".repeat(60_000)), None);
    }

    #[test]
    fn texts_are_written_as_by_python() {
        // repr(x)
        for (text, expected) in [
            ("a", "'a'"),
            ("it's", "\"it's\""),
            ("'\"", r#"'\'"'"#),
            ("a\\\n\u{1}é", r"'a\\\n\x01é'"),
        ] {
            assert_eq!(repr(text), expected);
            assert_eq!(Literal::parse(expected), Some(Literal::Str(text.into())));
        }
        assert_eq!(tuple(&[]), "()");
        assert_eq!(tuple(&[3]), "(3,)");
        assert_eq!(tuple(&[2, 3]), "(2, 3)");
    }
}
