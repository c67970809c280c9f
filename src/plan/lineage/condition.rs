//! Comparisons of hash-addressed columns: the hash within the pointer stands for the value, so
//! that no object is read.
//!
//! Equal values have equal hashes, so `data = 'x'` becomes
//! `JSON_UNQUOTE(JSON_EXTRACT(data,'$.hash')) = 'hash of x'`; NULL stays NULL.

use std::ops::Range;

use md5::{Digest, Md5};
use sqlparser::ast::{Expr, Function, Value as Given};

use super::columns::{Value, is_hashed};
use super::scope::Scope;
use super::walk::{Walk, name_parts};
use crate::codec::hash;
use crate::plan::statement::CodecColumn;
use crate::sql::lexer::TokenKind;
use crate::sql::literal::introduced_charset;

/// The longest name that an expression is given in its own words, in bytes; servers cut longer.
const NAME: usize = 60;

impl Walk<'_> {
    /// A test whether expressions are equal: of the first with each of the others.
    pub fn compare<'e>(&mut self, operands: impl IntoIterator<Item = &'e Expr>, scope: &Scope) {
        let operands: Vec<&Expr> = operands.into_iter().collect();
        let values: Vec<Value> = operands.iter().map(|e| self.value_of(e, scope)).collect();
        let codec = values.iter().find_map(|value| match value {
            Value::Codec(column) => Some(column.clone()),
            _ => None,
        });
        let Some(column) = codec else {
            return;
        };
        let pairs = operands.iter().zip(&values);
        let hashes: Option<Vec<Hash>> = pairs.map(|(e, v)| self.hash_of(e, v)).collect();
        match hashes {
            Some(hashes) if self.can_edit() => hashes.into_iter().for_each(|h| self.put(h)),
            _ => self.not_comparable(&column),
        }
    }

    fn not_comparable(&mut self, column: &CodecColumn) {
        let hashed = is_hashed(column, self.statement.context.view);
        let (reason, way_out) = match hashed {
            true => (
                "it can be compared with a string, a parameter or another such column only",
                "write the value as a string or as X'…'",
            ),
            false => (
                "the query compares its value, and the database has only what is stored of it",
                "compare another column",
            ),
        };
        self.touch_but(column, reason, way_out);
    }

    /// Writes a codec column as its hash, if that is all the expression is.
    pub fn compare_by_hash(&mut self, expr: &Expr) -> bool {
        match self.tokens_of_name(expr) {
            Some(tokens) if self.can_edit() => {
                self.put(Hash::Column(tokens));
                true
            }
            _ => false,
        }
    }

    /// Whether the expression is no codec column, or is now written as its hash.
    pub fn is_by_hash(&mut self, value: &Value, expr: &Expr) -> bool {
        match value {
            Value::Codec(column) => {
                is_hashed(column, self.statement.context.view) && self.compare_by_hash(expr)
            }
            _ => true,
        }
    }

    /// Has `LENGTH(data)` read the length from the pointer, as a `bigint`.
    pub fn length_by_pointer(&mut self, value: &Value, function: &Function, arg: &Expr) -> bool {
        let of_pointer = |data: &str| format!("CAST(JSON_EXTRACT({data},'$.size') AS SIGNED)");
        self.by_pointer(value, function, arg, of_pointer)
    }

    /// Has `MD5(data)` read it from the pointer, which has it in base32. MySQL has no such
    /// function any more.
    pub fn md5_by_pointer(&mut self, value: &Value, function: &Function, arg: &Expr) -> bool {
        if !self.statement.index.is_mariadb() {
            return !matches!(value, Value::Codec(_));
        }
        self.by_pointer(value, function, arg, hexadecimal)
    }

    fn by_pointer(
        &mut self,
        value: &Value,
        function: &Function,
        arg: &Expr,
        of_pointer: impl FnOnce(&str) -> String,
    ) -> bool {
        let view = self.statement.context.view;
        let Value::Codec(column) = value else {
            return true;
        };
        if !is_hashed(column, view) || !self.can_edit() {
            return false;
        }
        let Some((call, name)) = self.tokens_of_call(function, arg) else {
            return false;
        };
        let Ok(data) = str::from_utf8(&self.statement.text[self.span(&name)]) else {
            return false;
        };
        let text = of_pointer(data);
        self.edit(self.span(&call), text);
        true
    }

    /// The tokens of `function(name)` and of the name, if the call is nothing more.
    fn tokens_of_call(
        &self,
        function: &Function,
        arg: &Expr,
    ) -> Option<(Range<usize>, Range<usize>)> {
        let name = self.tokens_of_name(arg)?;
        let called = function.name.0.first()?.as_ident()?;
        let first = self.token(called.span)?;
        let is_call = name_parts(&function.name).len() == 1
            && function.over.is_none()
            && self.statement.is_symbol(first + 1, b'(')
            && name.start == first + 2
            && self.statement.is_symbol(name.end, b')');
        is_call.then_some((first..name.end + 1, name))
    }

    /// The tokens of a column's name, if the expression is nothing more.
    fn tokens_of_name(&self, expr: &Expr) -> Option<Range<usize>> {
        let tokens = match expr {
            Expr::Identifier(name) => self.places.tokens([name])?,
            Expr::CompoundIdentifier(names) => self.places.tokens(names)?,
            Expr::Nested(inner) => return self.tokens_of_name(inner),
            _ => return None,
        };
        Some(*tokens.first()?..tokens.last()? + 1)
    }

    /// An operand as its hash; `None` if it has none.
    fn hash_of(&self, expr: &Expr, value: &Value) -> Option<Hash> {
        match (value, expr) {
            (_, Expr::Nested(inner)) => self.hash_of(inner, value),
            (Value::Codec(column), _) => {
                let hashed = is_hashed(column, self.statement.context.view);
                let tokens = self.tokens_of_name(expr).filter(|_| hashed)?;
                Some(Hash::Column(tokens))
            }
            (Value::Null, _) => Some(Hash::Null),
            (Value::Plain, Expr::Value(value)) => match &value.value {
                Given::SingleQuotedString(placeholder) => {
                    let tokens = self.with_introducer(self.places.literal(placeholder)?);
                    let literal = self.literal(tokens.clone())?;
                    let mut md5 = Md5::new();
                    literal.chunks(1 << 16).for_each(|chunk| md5.update(&chunk));
                    let name = hash::name_of(md5.finalize().into());
                    Some(Hash::Literal(tokens, name))
                }
                Given::Placeholder(_) => {
                    let at = self.token(value.span)?;
                    self.statement
                        .is_symbol(at, b'?')
                        .then_some(Hash::Parameter(at))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn with_introducer(&self, literal: Range<usize>) -> Range<usize> {
        let before = literal.start.checked_sub(1);
        let introduced = before.is_some_and(|at| {
            let token = &self.statement.tokens[at];
            token.kind == TokenKind::Word
                && introduced_charset(self.statement.text, token).is_some()
        });
        literal.start - usize::from(introduced)..literal.end
    }

    fn put(&mut self, hash: Hash) {
        match hash {
            Hash::Column(tokens) => {
                let span = self.span(&tokens);
                let mut text = b"JSON_UNQUOTE(JSON_EXTRACT(".to_vec();
                text.extend_from_slice(&self.statement.text[span.clone()]);
                text.extend_from_slice(b",'$.hash'))");
                self.edit(span, text);
            }
            Hash::Literal(tokens, name) => self.edit(self.span(&tokens), format!("'{name}'")),
            Hash::Parameter(at) => self.hash_parameter(at),
            Hash::Null => {}
        }
    }

    /// Names do not lie in other statements than this one.
    fn can_edit(&self) -> bool {
        self.views == 0
    }

    /// Gives the item with this number after the token `before` the name that it has without the
    /// edits: its own text.
    pub fn keep_name(&mut self, before: Option<usize>, number: usize) {
        let item = before.and_then(|before| self.item(before + 1, number));
        let name = item.clone().and_then(|item| {
            let text = &self.statement.text[self.span(&item)];
            let name = str::from_utf8(text).ok()?;
            let short = name.len() <= NAME && name.is_ascii();
            short.then(|| name.replace('`', "``"))
        });
        match (item, name) {
            (Some(item), Some(name)) => {
                let end = self.span(&item).end;
                self.edit(end..end, format!(" AS `{name}`"));
            }
            _ => self.lost("the name of a result column would change; name it with AS"),
        }
    }

    /// The tokens of an item of a list that begins at `from`.
    fn item(&self, from: usize, number: usize) -> Option<Range<usize>> {
        const MODIFIERS: [&str; 12] = [
            "ALL",
            "DISTINCT",
            "DISTINCTROW",
            "HIGH_PRIORITY",
            "STRAIGHT_JOIN",
            "SQL_SMALL_RESULT",
            "SQL_BIG_RESULT",
            "SQL_BUFFER_RESULT",
            "SQL_CACHE",
            "SQL_NO_CACHE",
            "SQL_CALC_FOUND_ROWS",
            "RETURNING",
        ];
        const AFTER: [&str; 14] = [
            "FROM",
            "INTO",
            "WHERE",
            "GROUP",
            "HAVING",
            "WINDOW",
            "ORDER",
            "LIMIT",
            "UNION",
            "EXCEPT",
            "INTERSECT",
            "FOR",
            "LOCK",
            "PROCEDURE",
        ];
        let statement = &self.statement;
        let mut at = from;
        while statement.is_any_word(at, &MODIFIERS) {
            at += 1;
        }
        let (mut start, mut passed, mut depth) = (at, 0, 0_usize);
        loop {
            let ends = at >= statement.tokens.len()
                || depth == 0
                    && (statement.is_symbol(at, b')') || statement.is_any_word(at, &AFTER));
            let parts = depth == 0 && !ends && statement.is_symbol(at, b',');
            if ends || parts {
                if passed == number {
                    return (start < at).then_some(start..at);
                }
                if ends {
                    return None;
                }
                passed += 1;
                start = at + 1;
            } else if statement.is_symbol(at, b'(') {
                depth += 1;
            } else if statement.is_symbol(at, b')') {
                depth -= 1;
            }
            at += 1;
        }
    }
}

/// An operand of a comparison that is made of hashes.
enum Hash {
    /// A codec column by its name.
    Column(Range<usize>),
    /// A literal, with the hash of its value.
    Literal(Range<usize>, String),
    /// A parameter of a prepared statement.
    Parameter(usize),
    Null,
}

/// The hexadecimal form of the hash in a pointer, which is 26 digits of base32: twice 12 digits
/// (60 bits), then two, of which the last two bits are none of the hash's.
fn hexadecimal(data: &str) -> String {
    // CONV has other digits, 0 to 9 and then A to V. First those that are letters afterwards.
    let mut digits = format!("CAST(JSON_UNQUOTE(JSON_EXTRACT({data},'$.hash')) AS BINARY)");
    let ours = ('2'..='7').zip('Q'..='V');
    let letters = ('a'..='z').zip(('0'..='9').chain('A'..='P'));
    for (from, to) in ours.chain(letters) {
        digits = format!("REPLACE({digits},'{from}','{to}')");
    }
    let long = |from| format!("LPAD(CONV(SUBSTR({digits},{from},12),32,16),15,'0')");
    let (first, second) = (long(1), long(13));
    let last = format!("LPAD(CONV(CONV(SUBSTR({digits},25,2),32,10) DIV 4,10,16),2,'0')");
    format!("LOWER(CONCAT({first},{second},{last}))")
}
