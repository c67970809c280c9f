//! One column's definition, and what of it is rewritten.
//!
//! What a column becomes is said, in this order, by the tag in its comment (`<blob@main> raw`),
//! by the codec or core type that the column has already, and by `[declare]` of the
//! configuration.

use super::super::statement::Statement;
use crate::catalog::{Column, ColumnCodec, same_name};
use crate::codec::{Chain, ChainError, comment, registry};
use crate::refusal::Refusal;
use crate::sql::create_table::{ColumnDef, Comment};
use crate::sql::edit::{self, Edit};
use crate::sql::lexer::TokenKind;
use crate::view::{PlainType, View};

/// The table whose columns are declared.
pub(in crate::plan) struct Declaring<'a> {
    pub statement: &'a Statement<'a>,
    pub schema: Option<&'a str>,
    pub table: &'a str,
    pub temporary: bool,
    /// Whether the statement itself fills the columns.
    pub filled: bool,
}

/// What becomes of a definition.
#[derive(Debug, Default)]
pub(in crate::plan) struct Declared {
    pub edits: Vec<Edit>,
    /// The codec, if it is declared by this.
    pub chain: Option<Chain>,
}

/// A column's present state, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Present<'a> {
    pub column: Option<&'a Column>,
    /// Whether the table is known to have no rows.
    pub is_empty: bool,
}

impl Declaring<'_> {
    /// A column that is new.
    pub fn added(&self, column: &ColumnDef) -> Result<Declared, Refusal> {
        if let Some((chain, rest)) = self.tag(column)? {
            return self.coded(column, chain, &rest);
        }
        if let Some(edit) = self.core_tag(column) {
            return Ok(Declared {
                edits: vec![edit],
                chain: None,
            });
        }
        match self.by_rule(column) {
            Some((chain, rest)) => self.coded(column, chain, &rest),
            None => Ok(Declared::default()),
        }
    }

    /// A column that there is already, under the same name or another.
    pub fn changed(&self, column: &ColumnDef, present: Present) -> Result<Declared, Refusal> {
        let (comment, tag) = (comment_bytes(column), self.tag(column)?);
        let marker = comment::marker(&String::from_utf8_lossy(&comment))
            .map(|marker| marker.type_text.to_owned());
        let codec = present.column.and_then(|column| column.codec.as_ref());
        match codec {
            None => match tag {
                // What is packed in the row already only gets its name.
                Some((chain, rest)) if chain.store.is_none() || present.is_empty => {
                    self.coded(column, chain, &rest)
                }
                Some((chain, _)) => Err(self.refuse_change(column, "no codec", &chain.spec)),
                None => Ok(self.kept_core(column, present.column, marker.is_some())),
            },
            Some(ColumnCodec::Unusable { spec, .. }) => match marker {
                Some(marker) if marker == *spec => Ok(Declared::default()),
                _ => Err(self.refuse_change(column, spec, "another type")),
            },
            Some(ColumnCodec::Chain(chain)) => {
                let written = present.column.and_then(|c| c.marker.as_deref());
                let own_attach = chain.outermost_name() == Some("attach");
                match (tag, marker.as_deref()) {
                    (Some((tag, rest)), _) if tag.spec == chain.spec || present.is_empty => {
                        self.coded(column, tag, &rest)
                    }
                    (Some((tag, _)), _) => Err(self.refuse_change(column, &chain.spec, &tag.spec)),
                    // The stored form, from a client that knows it.
                    (None, Some(marker)) if Some(marker) == written => Ok(Declared::default()),
                    (None, Some("attach")) if own_attach => {
                        let rest = comment.splitn(3, |b| *b == b':').nth(2);
                        self.coded(column, chain.clone(), rest.unwrap_or_default())
                    }
                    (None, None) if self.fits(column, chain) => {
                        self.coded(column, chain.clone(), &comment)
                    }
                    (None, _) if present.is_empty => Ok(Declared::default()),
                    (None, _) => Err(self.refuse_change(column, &chain.spec, "another type")),
                }
            }
        }
    }

    /// Refuses the statement if one of these codec columns is used in an expression or a key:
    /// the server would work with what is stored.
    pub fn uses_none<'c>(&self, codecs: impl IntoIterator<Item = &'c str>) -> Result<(), Refusal> {
        let used = codecs.into_iter().find(|name| self.is_used(name));
        match used {
            None => Ok(()),
            Some(name) => Err(Refusal::unsupported(
                &format!("{}.{name}", self.path()),
                "a key, a check or an expression would use what is stored and not the value",
                "leave the column out of it, or use a listener with view = \"stored\"",
            )),
        }
    }

    /// Whether a column's name stands within parentheses other than those of a list of
    /// definitions.
    fn is_used(&self, name: &str) -> bool {
        let statement = self.statement;
        let creates = statement.is_word(0, "CREATE");
        let mut listed = false;
        let mut depth = 0_usize;
        // For each open parenthesis whether it is a list's.
        let mut lists = Vec::new();
        (0..statement.tokens.len()).any(|at| {
            if statement.is_symbol(at, b'(') {
                let is_list = depth == 0
                    && match creates {
                        true => !std::mem::replace(&mut listed, true),
                        false => statement.is_any_word(at - 1, &["ADD", "COLUMN", "EXISTS"]),
                    };
                lists.push(is_list);
                depth += usize::from(!is_list);
            } else if statement.is_symbol(at, b')') {
                depth -= usize::from(lists.pop() == Some(false));
            }
            depth > 0
                && statement
                    .name(at)
                    .is_some_and(|n| same_name(&String::from_utf8_lossy(&n), name))
        })
    }

    fn refuse_change(&self, column: &ColumnDef, from: &str, to: &str) -> Refusal {
        Refusal::unsupported(
            &self.column_path(column),
            &format!("it is {from}, and its rows would not become {to}"),
            "add a column of the new type, write the values to it, and drop this one; \
             or use a listener with view = \"stored\"",
        )
    }

    /// The codec that the comment's tag declares, and the comment that remains.
    fn tag(&self, column: &ColumnDef) -> Result<Option<(Chain, Vec<u8>)>, Refusal> {
        let comment = comment_bytes(column);
        // DataJoint 0.14 writes the marker of its own `attach` before what the user wrote.
        let own_attach = comment.strip_prefix(b":attach:");
        let bytes = own_attach.unwrap_or(&comment);
        // In the client's character set; the type itself is ASCII or it is none.
        let text = String::from_utf8_lossy(bytes);
        let Some((spec, rest)) = comment::declared(&text) else {
            return Ok(None);
        };
        let chain = match spec.resolve() {
            Ok(chain) => chain,
            Err(ChainError::Unknown(_)) if spec.store.is_none() => return Ok(None),
            Err(error) => {
                let way_out = match error {
                    ChainError::RequiresStore(_) => "write the type with @ and a store".to_owned(),
                    ChainError::NoStore(_) => "write the type without @".to_owned(),
                    ChainError::Circular(_) => "mend the codecs' dtypes".to_owned(),
                    _ => format!("this proxy has {}", names()),
                };
                return Err(self.refuse(column, &error.to_string(), &way_out));
            }
        };
        if own_attach.is_some() && chain.outermost_name() != Some("attach") {
            let reason = format!("{} is declared for an attachment", chain.spec);
            return Err(self.refuse(column, &reason, "write <attach> or <attach@store>"));
        }
        match after_tag(bytes, &text, rest) {
            Some(rest) => Ok(Some((chain, rest))),
            None => Err(self.refuse(
                column,
                "the name of its store is not ASCII",
                "rename the store",
            )),
        }
    }

    /// The edit of a comment that begins with the tag of a core type, as SHOW CREATE TABLE gives
    /// it; none if the column is of another type: then it is prose.
    fn core_tag(&self, column: &ColumnDef) -> Option<Edit> {
        let bytes = comment_bytes(column);
        let text = String::from_utf8_lossy(&bytes);
        let (core, rest) = comment::declared_core(&text)?;
        let rest = after_tag(&bytes, &text, rest)?;
        is_of(core, &self.type_word(column)).then(|| self.marked(column, core, &rest))
    }

    /// A column without a codec keeps the marker of its core type while it is of that type.
    fn kept_core(&self, column: &ColumnDef, present: Option<&Column>, marked: bool) -> Declared {
        let kept = || {
            let marker = present?.marker.as_deref()?;
            let word = self.type_word(column);
            if marked || !comment::is_core_type(marker) || !is_of(marker, &word) {
                return None;
            }
            // `varchar(20)` may have become `varchar(40)`.
            let written = String::from_utf8_lossy(&self.statement.text[column.type_span.clone()]);
            let marker = match marker.contains('(') {
                false => marker,
                true if comment::is_core_type(&written) && !written.contains(':') => &*written,
                true => return None,
            };
            Some(self.marked(column, marker, &comment_bytes(column)))
        };
        Declared {
            edits: self.core_tag(column).or_else(kept).into_iter().collect(),
            chain: None,
        }
    }

    /// The codec that the configuration makes of a plain type; only where a codec is possible.
    fn by_rule(&self, column: &ColumnDef) -> Option<(Chain, Vec<u8>)> {
        let context = self.statement.context;
        let possible = context.view == View::Bytes
            && !self.temporary
            && !self.filled
            && self.type_word(column) == b"longblob"
            && !self.has_default(column);
        if !possible {
            return None;
        }
        let bytes = comment_bytes(column);
        let text = String::from_utf8_lossy(&bytes);
        let marker = comment::marker(&text).map(|marker| marker.type_text);
        let (plain, rest) = match marker {
            None => (PlainType::LongBlob, bytes.as_slice()),
            Some("attach") => {
                let rest = bytes.splitn(3, |b| *b == b':').nth(2);
                (PlainType::Attach, rest.unwrap_or_default())
            }
            Some(_) => return None,
        };
        let chain = context.declare.codec(plain, self.schema?, self.table)?;
        (!self.is_used(&column.name)).then(|| (chain.clone(), rest.to_vec()))
    }

    /// A column of that codec, as it is stored.
    fn coded(&self, column: &ColumnDef, chain: Chain, rest: &[u8]) -> Result<Declared, Refusal> {
        self.check(column, &chain)?;
        let edits = vec![
            Edit {
                span: column.text_type_span.clone(),
                text: chain.stored_type().into_owned().into(),
            },
            self.marked(column, &chain.spec, rest),
        ];
        Ok(Declared {
            edits,
            chain: Some(chain),
        })
    }

    fn check(&self, column: &ColumnDef, chain: &Chain) -> Result<(), Refusal> {
        if chain.store.is_some()
            && let Err(reason) = (self.statement.context.stores)(chain)
        {
            return Err(Refusal::store(&self.column_path(column), &reason));
        }
        if self.temporary {
            let reason = format!("a temporary table cannot hold {}", chain.spec);
            return Err(self.refuse(column, &reason, "make it a plain table"));
        }
        if self.filled {
            let reason = format!("a query would fill {} with values as they are", chain.spec);
            let way_out = "create the table first, then INSERT the values";
            return Err(self.refuse(column, &reason, way_out));
        }
        if !self.fits(column, chain) {
            let (kind, way_out) = match chain.is_text() {
                true => ("no text and no blob", "declare it as varchar or longblob"),
                false => ("no blob", "declare it as longblob"),
            };
            let reason = format!("{} is declared for a column that is {kind}", chain.spec);
            return Err(self.refuse(column, &reason, way_out));
        }
        if self.has_default(column) {
            return Err(self.refuse(
                column,
                &format!("{} takes no default but NULL", chain.spec),
                "declare it with DEFAULT NULL or without a default",
            ));
        }
        Ok(())
    }

    /// Whether the declared type is one by which a client may mean that codec.
    fn fits(&self, column: &ColumnDef, chain: &Chain) -> bool {
        let word = self.type_word(column);
        let is_among = |types: &[&[u8]]| types.contains(&word.as_slice());
        let is_blob = is_among(&[b"tinyblob", b"blob", b"mediumblob", b"longblob", b"json"]);
        let is_text = is_among(&[b"char", b"varchar", b"text", b"mediumtext", b"longtext"]);
        is_blob || (is_text && chain.is_text())
    }

    /// Whether the definition gives a default other than NULL, or computes the column.
    fn has_default(&self, column: &ColumnDef) -> bool {
        let tokens = self.statement.tokens;
        let start = tokens.partition_point(|t| t.start < column.type_span.end);
        let end = tokens.partition_point(|t| t.start < column.span.end);
        (start..end).any(|at| {
            let default = self.statement.is_word(at, "DEFAULT");
            (default && !self.statement.is_word(at + 1, "NULL"))
                || self.statement.is_any_word(at, &["AS", "GENERATED"])
        })
    }

    /// The first word of the declared type, in lower case.
    fn type_word(&self, column: &ColumnDef) -> Vec<u8> {
        let declared = &self.statement.text[column.type_span.clone()];
        let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let end = declared.iter().position(|b| !word(b));
        declared[..end.unwrap_or(declared.len())].to_ascii_lowercase()
    }

    /// The edit by which the comment is `:type:rest`; a column without a comment gets one.
    fn marked(&self, column: &ColumnDef, type_text: &str, rest: &[u8]) -> Edit {
        let text = [format!(":{type_text}:").as_bytes(), rest].concat();
        match &column.comment {
            Some(comment) => Edit {
                span: comment.span.clone(),
                text: self.requoted(comment, &text),
            },
            None => {
                let at = column.text_type_span.end;
                let quoted = edit::quoted(&text, b'\'', self.statement.context.dialect);
                Edit {
                    span: at..at,
                    text: [b" COMMENT ", quoted.as_slice()].concat(),
                }
            }
        }
    }

    /// A literal of the given bytes with the quotes and the introducer of another.
    fn requoted(&self, comment: &Comment, bytes: &[u8]) -> Vec<u8> {
        let written = &self.statement.text[comment.span.clone()];
        let in_span = |start: usize| comment.span.contains(&start);
        let mut tokens = self.statement.tokens.iter();
        let text = tokens.find(|t| in_span(t.start) && t.kind == TokenKind::Text);
        let (quote, introducer) = match text {
            Some(token) => {
                let introducer = &written[..token.start - comment.span.start];
                (self.statement.text[token.start], introducer)
            }
            None => (b'\'', &b""[..]),
        };
        let quoted = edit::quoted(bytes, quote, self.statement.context.dialect);
        [introducer, &quoted].concat()
    }

    fn refuse(&self, column: &ColumnDef, reason: &str, way_out: &str) -> Refusal {
        Refusal::unsupported(&self.column_path(column), reason, way_out)
    }

    fn column_path(&self, column: &ColumnDef) -> String {
        format!("{}.{}", self.path(), column.name)
    }

    fn path(&self) -> String {
        format!("{}.{}", self.schema.unwrap_or("?"), self.table)
    }
}

/// The comment in the client's character set; empty where there is none.
fn comment_bytes(column: &ColumnDef) -> Vec<u8> {
    let literal = column.comment.as_ref().map(|comment| &comment.literal);
    literal.map_or(Vec::new(), |l| l.chunks(1 << 16).flatten().collect())
}

/// The bytes of the comment after its tag, of which `text` is the text and `rest` that of those;
/// `None` if the tag is not ASCII. Then it would not be as long in bytes as in the text.
fn after_tag(bytes: &[u8], text: &str, rest: &str) -> Option<Vec<u8>> {
    let head = text.len() - rest.len();
    let is_ascii = text.as_bytes()[..head].is_ascii();
    is_ascii.then(|| bytes[head..].to_vec())
}

/// Whether a column of that SQL type is what DataJoint declares for a core type.
fn is_of(core: &str, sql_type: &[u8]) -> bool {
    let name: String = core.chars().take_while(|c| c.is_alphanumeric()).collect();
    let types: &[&[u8]] = match name.to_ascii_lowercase().as_str() {
        "float32" => &[b"float"],
        "float64" => &[b"double"],
        "int64" => &[b"bigint"],
        "int32" => &[b"int", b"integer"],
        "int16" => &[b"smallint"],
        "int8" => &[b"tinyint"],
        "bool" => &[b"tinyint", b"bool", b"boolean"],
        "uuid" => &[b"binary"],
        "json" | "jsonb" => &[b"json", b"longtext"],
        "bytes" => &[b"longblob"],
        other => return other.as_bytes() == sql_type,
    };
    types.contains(&sql_type)
}

/// The codecs that there are, for messages.
fn names() -> String {
    let registry = registry::current();
    let names = registry.entries().map(|e| format!("<{}>", e.codec.name()));
    names.collect::<Vec<_>>().join(", ")
}
