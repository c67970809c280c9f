//! CREATE TABLE: columns that a client declares with `<codec@store>` in their comment become
//! what DataJoint 2.x declares for that type.

use super::ddl;
use super::statement::Statement;
use super::{Ddl, Declare, Plan};
use crate::codec::{Chain, ChainError, comment, registry};
use crate::refusal::Refusal;
use crate::sql::create_table::{self, ColumnDef, Comment, CreateTable};
use crate::sql::edit::{self, Edit};
use crate::sql::lexer::TokenKind;

pub(super) fn plan(statement: Statement, ddl: Ddl) -> Result<Plan, Refusal> {
    let dialect = statement.context.dialect;
    let Some(create) = create_table::parse(statement.text, statement.tokens, dialect) else {
        return not_understood(&statement, ddl);
    };
    let schema = create.table.schema.as_deref().or(statement.context.schema);
    if create.temporary {
        ddl::hides(&statement, schema, &create.table.table)?;
    }
    if create.select && !statement.tables().is_empty() {
        // The query's first token is a word outside of the columns' parentheses, or in its own.
        ddl_query(&statement)?;
    }
    let declaring = Declaring {
        statement: &statement,
        create: &create,
        path: format!("{}.{}", schema.unwrap_or("?"), create.table.table),
    };
    let mut edits = Vec::new();
    for column in &create.columns {
        edits.extend(declaring.column(column)?);
    }
    match edits.is_empty() {
        true => Ok(Plan::Ddl(ddl)),
        false => Ok(Plan::Declare(Declare { edits, ddl })),
    }
}

/// A CREATE TABLE in an unknown grammar passes if it declares no codec and copies none.
fn not_understood(statement: &Statement, ddl: Ddl) -> Result<Plan, Refusal> {
    let (schema, table) = ddl.tables.first().cloned().unwrap_or_default();
    let reason = "codec-proxy does not understand this CREATE TABLE";
    match ddl::declared_comment(statement) {
        Some(spec) => Err(Refusal::unsupported(
            &format!("{schema}.{table}"),
            &format!("{reason}, which declares {spec}"),
            "write it more plainly",
        )),
        None => {
            ddl_query(statement)?;
            Ok(Plan::Ddl(ddl))
        }
    }
}

fn ddl_query(statement: &Statement) -> Result<(), Refusal> {
    let query = (0..statement.tokens.len())
        .find(|&at| statement.is_any_word(at, &["SELECT", "WITH", "VALUES"]));
    match query {
        Some(at) => ddl::copies_none(statement.from(at)),
        None => Ok(()),
    }
}

struct Declaring<'a> {
    statement: &'a Statement<'a>,
    create: &'a CreateTable,
    path: String,
}

impl Declaring<'_> {
    /// The edits of a column's type and comment; none if it declares no codec.
    fn column(&self, column: &ColumnDef) -> Result<Vec<Edit>, Refusal> {
        let Some(comment) = &column.comment else {
            return Ok(Vec::new());
        };
        let Some((chain, rest)) = self.declared(column, comment)? else {
            return Ok(self.core(column, comment).into_iter().collect());
        };
        self.check(column, &chain)?;
        let mut text = format!(":{}:", chain.spec).into_bytes();
        text.extend_from_slice(&rest);
        Ok(vec![
            Edit {
                span: column.type_span.clone(),
                text: chain.stored_type().into_owned().into(),
            },
            Edit {
                span: comment.span.clone(),
                text: self.requoted(comment, &text),
            },
        ])
    }

    /// The chain that a comment declares, and the comment that remains.
    fn declared(
        &self,
        column: &ColumnDef,
        comment: &Comment,
    ) -> Result<Option<(Chain, Vec<u8>)>, Refusal> {
        let bytes: Vec<u8> = comment.literal.chunks(1 << 16).flatten().collect();
        // In the client's character set; the type itself is ASCII or it is none.
        let text = String::from_utf8_lossy(&bytes);
        let Some((spec, rest)) = comment::declared(&text) else {
            return Ok(None);
        };
        let chain = match spec.resolve() {
            Ok(chain) => chain,
            Err(ChainError::Unknown(_)) if spec.store.is_none() => return Ok(None),
            Err(error) => {
                let way_out = match error {
                    ChainError::RequiresStore(_) => "write the type with @ and a store".to_owned(),
                    _ => format!("this proxy has {}", names()),
                };
                return Err(Refusal::unsupported(
                    &self.column_path(column),
                    &error.to_string(),
                    &way_out,
                ));
            }
        };
        // What is before the rest is ASCII, so it is as long in bytes as in the text.
        let head = text.len() - rest.len();
        let is_ascii = text.as_bytes()[..head].is_ascii();
        match is_ascii {
            true => Ok(Some((chain, bytes[head..].to_vec()))),
            false => Err(Refusal::unsupported(
                &self.column_path(column),
                "the name of its store is not ASCII",
                "rename the store",
            )),
        }
    }

    fn check(&self, column: &ColumnDef, chain: &Chain) -> Result<(), Refusal> {
        let path = self.column_path(column);
        let refuse =
            |reason: &str, way_out: &str| Err(Refusal::unsupported(&path, reason, way_out));
        if chain.store.is_some()
            && let Err(reason) = (self.statement.context.stores)(chain)
        {
            return Err(Refusal::store(&path, &reason));
        }
        if self.create.temporary {
            return refuse(
                &format!("a temporary table cannot hold {}", chain.spec),
                "make it a plain table",
            );
        }
        let name = self.type_word(column);
        let is_among = |types: &[&[u8]]| types.contains(&name.as_slice());
        let is_blob = is_among(&[b"tinyblob", b"blob", b"mediumblob", b"longblob", b"json"]);
        let is_text = is_among(&[b"char", b"varchar", b"text", b"mediumtext", b"longtext"]);
        let fits = is_blob || (is_text && chain.is_text());
        if !fits {
            let (kind, way_out) = match chain.is_text() {
                true => ("no text and no blob", "declare it as varchar or longblob"),
                false => ("no blob", "declare it as longblob"),
            };
            let reason = format!("{} is declared for a column that is {kind}", chain.spec);
            return refuse(&reason, way_out);
        }
        if self.has_default(column) {
            return refuse(
                &format!("{} takes no default but NULL", chain.spec),
                "declare it with DEFAULT NULL or without a default",
            );
        }
        Ok(())
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

    /// The edit of a comment that begins with the tag of a core type, as SHOW CREATE TABLE gives
    /// it; none if the column is of another type: then it is prose.
    fn core(&self, column: &ColumnDef, comment: &Comment) -> Option<Edit> {
        let bytes: Vec<u8> = comment.literal.chunks(1 << 16).flatten().collect();
        let text = String::from_utf8_lossy(&bytes);
        let (type_text, rest) = comment::declared_core(&text)?;
        let head = text.len() - rest.len();
        if !text.as_bytes()[..head].is_ascii() || !is_of(type_text, &self.type_word(column)) {
            return None;
        }
        let marked = [format!(":{type_text}:").as_bytes(), &bytes[head..]].concat();
        Some(Edit {
            span: comment.span.clone(),
            text: self.requoted(comment, &marked),
        })
    }

    /// The first word of the declared type, in lower case.
    fn type_word(&self, column: &ColumnDef) -> Vec<u8> {
        let declared = &self.statement.text[column.type_span.clone()];
        let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let end = declared.iter().position(|b| !word(b));
        declared[..end.unwrap_or(declared.len())].to_ascii_lowercase()
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

    fn column_path(&self, column: &ColumnDef) -> String {
        format!("{}.{}", self.path, column.name)
    }
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
    let names = registry::codecs().map(|r| format!("<{}>", r.codec.name()));
    names.collect::<Vec<_>>().join(", ")
}
