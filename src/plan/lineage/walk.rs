//! The walk over a query that follows its codec columns.
//!
//! It is made so that what the parser or the walk does not see is noticed: each token that
//! spells the name of a codec column, or a name that the query gives one, must have been met
//! where it is understood, or the query is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};
use sqlparser::tokenizer::Span;

use super::columns::{Columns, Value};
use super::parsed::Places;
use super::scope::{Found, Scope};
use crate::catalog::{ColumnCodec, fold_case};
use crate::plan::Edit;
use crate::plan::statement::{CodecColumn, Statement};
use crate::refusal::Refusal;
use crate::sql::literal::Literal;

/// How deep queries, expressions and views may lie in each other.
const DEPTH: usize = 100;

/// What was found of a query on the way.
pub(super) struct Walk<'a> {
    pub statement: Statement<'a>,
    pub places: Places,
    /// The common tables that can be named here, the nearest last.
    pub ctes: Vec<(String, Columns)>,
    /// Views around this query.
    pub views: usize,
    /// Queries and expressions around this place.
    depth: usize,
    /// Tokens of names that are understood.
    explained: Vec<bool>,
    /// Names of codec columns, folded: their own and those that the query gives them.
    names: BTreeSet<String>,
    /// What is put into the text, by its bytes (start, end).
    edits: BTreeMap<(usize, usize), Vec<u8>>,
    hashed: Vec<usize>,
    touched: Option<Refusal>,
}

/// What the walk leaves behind.
#[derive(Default)]
pub(super) struct Done {
    pub edits: Vec<Edit>,
    pub hashed: Vec<usize>,
}

impl<'a> Walk<'a> {
    /// A walk over a statement; `columns` are the codec columns of its tables.
    pub fn new(statement: Statement<'a>, places: Places, columns: &[CodecColumn]) -> Self {
        let names = columns.iter().map(|c| fold_case(c.name()).into_owned());
        Self {
            statement,
            places,
            ctes: Vec::new(),
            views: 0,
            depth: 0,
            explained: vec![false; statement.tokens.len()],
            names: names.collect(),
            edits: BTreeMap::new(),
            hashed: Vec::new(),
            touched: None,
        }
    }

    /// The refusal, if there is reason for one. `within` are the tokens that were walked over.
    pub fn finish(
        mut self,
        within: Range<usize>,
        columns: &[CodecColumn],
    ) -> Result<Done, Refusal> {
        if let Some(at) = within.into_iter().find(|at| self.is_unexplained(*at)) {
            let all = columns.iter();
            let mut spelt = all.filter(|c| self.statement.column_at(at, &[(*c).clone()]).is_some());
            if let Some(column) = spelt.next().or(columns.first()).cloned() {
                self.touch(&column, "codec-proxy does not understand where it is used");
            }
        }
        if let Some(refusal) = self.touched {
            return Err(refusal);
        }
        let edit = |((start, end), text)| Edit {
            span: start..end,
            text,
        };
        self.hashed.sort_unstable();
        self.hashed.dedup();
        Ok(Done {
            edits: self.edits.into_iter().map(edit).collect(),
            hashed: self.hashed,
        })
    }

    fn is_unexplained(&self, at: usize) -> bool {
        !self.explained[at]
            && self.statement.name(at).is_some_and(|name| {
                let name = String::from_utf8_lossy(&name);
                self.names.contains(&*fold_case(&name))
            })
    }

    /// Notes a use that makes the query refused.
    pub fn touch(&mut self, column: &CodecColumn, reason: &str) {
        let way_out = format!("select {} plainly from its table", column.name());
        self.touch_but(column, reason, &way_out);
    }

    /// The same with another way out.
    pub fn touch_but(&mut self, column: &CodecColumn, reason: &str, way_out: &str) {
        self.touched
            .get_or_insert_with(|| column.refuse(reason, way_out));
    }

    pub fn refuse(&mut self, refusal: Refusal) {
        self.touched.get_or_insert(refusal);
    }

    /// A use of the value itself, which the server does not have.
    pub fn used(&mut self, value: &Value) {
        if let Value::Codec(column) = value {
            self.touch(
                column,
                "the query uses its value, and the database has only what is stored of it",
            );
        }
    }

    /// Goes one level deeper, unless that is too deep.
    pub fn deeper<T>(&mut self, otherwise: T, walk: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth >= DEPTH {
            self.touched.get_or_insert_with(|| {
                let reason = "it is nested too deep";
                Refusal::unsupported("this query", reason, "write it in a simpler way")
            });
            return otherwise;
        }
        self.depth += 1;
        let done = walk(self);
        self.depth -= 1;
        done
    }

    /// What a column's name means here.
    pub fn column(&mut self, name: &[Ident], scope: &Scope) -> Value {
        self.explain(name);
        let parts: Vec<&str> = name.iter().map(|n| n.value.as_str()).collect();
        match scope.find(&parts, self.statement.index) {
            Found::Value(value) => value,
            Found::Ambiguous(column) => {
                let reason = "codec-proxy cannot tell whether it is meant";
                self.touch_but(&column, reason, "write the name of the table before it");
                Value::Plain
            }
            Found::NoTable => {
                let known = name.last().is_some_and(|n| self.is_codec_name(&n.value));
                if known {
                    self.lost("codec-proxy does not know the table that it is said to be of");
                }
                Value::Plain
            }
        }
    }

    /// A column of the result.
    pub fn check_usable(&mut self, column: &CodecColumn) {
        if let Some(ColumnCodec::Unusable { spec, reason }) =
            &column.table.columns[column.column].codec
        {
            let reason = format!("its type is {spec} and {reason}");
            self.touch_but(column, &reason, "leave it out of the query");
        }
    }

    /// Something that cannot be followed.
    pub fn lost(&mut self, reason: &str) {
        let tables = self.statement.tables();
        match self.statement.translated(&tables).first() {
            Some(column) => self.touch(&column.clone(), reason),
            None => self.refuse(Refusal::unsupported(
                "this query",
                reason,
                "select the columns plainly from their tables",
            )),
        }
    }

    /// A name that the query gives a codec column.
    pub fn name_codec(&mut self, name: &str) {
        self.names.insert(fold_case(name).into_owned());
    }

    pub fn is_codec_name(&self, name: &str) -> bool {
        self.names.contains(&*fold_case(name))
    }

    /// Accounts for names.
    pub fn explain<'n>(&mut self, names: impl IntoIterator<Item = &'n Ident>) {
        for name in names {
            if let Some(at) = self.places.token(name.span) {
                self.explained[at] = true;
            }
        }
    }

    pub fn explain_object(&mut self, name: &ObjectName) {
        for part in &name.0 {
            if let ObjectNamePart::Identifier(name) = part {
                self.explain([name]);
            }
        }
    }

    /// The bytes of the text that these tokens cover.
    pub fn span(&self, tokens: &Range<usize>) -> Range<usize> {
        let (first, last) = (tokens.start, tokens.end.saturating_sub(1));
        self.statement.tokens[first].start..self.statement.tokens[last].end
    }

    pub fn edit(&mut self, span: Range<usize>, text: impl Into<Vec<u8>>) {
        self.edits.insert((span.start, span.end), text.into());
    }

    /// How much has been edited.
    pub fn edits(&self) -> usize {
        self.edits.len()
    }

    /// The parameter that stands at a token is one whose value is to be hashed.
    pub fn hash_parameter(&mut self, at: usize) {
        let start = self.statement.tokens[at].start;
        self.hashed.push(start);
    }

    /// The token that something begins with.
    pub fn token(&self, span: Span) -> Option<usize> {
        self.places.token(span)
    }

    /// The literal at these tokens.
    pub fn literal(&self, tokens: Range<usize>) -> Option<Literal> {
        let tokens = self.statement.tokens.get(tokens)?;
        Literal::parse(self.statement.text, tokens, self.statement.context.dialect)
    }

    /// A name that may be written as a string.
    pub fn name_of(&self, alias: &Ident) -> Option<String> {
        let is_text = alias.quote_style.is_some_and(|quote| quote != '`');
        match is_text {
            true => self.text_of(&alias.value),
            false => Some(alias.value.clone()),
        }
    }

    /// The text of the literal with this placeholder, if it is UTF-8.
    pub fn text_of(&self, placeholder: &str) -> Option<String> {
        let literal = self.literal(self.places.literal(placeholder)?)?;
        let text: Vec<u8> = literal.chunks(1 << 10).take(2).flatten().collect();
        String::from_utf8(text).ok()
    }
}

/// The parts of a name.
pub(super) fn name_parts(name: &ObjectName) -> Vec<&str> {
    let parts = name.0.iter();
    parts
        .filter_map(|part| match part {
            ObjectNamePart::Identifier(name) => Some(name.value.as_str()),
            ObjectNamePart::Function(_) => None,
        })
        .collect()
}
