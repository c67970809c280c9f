//! Statements that run what is written elsewhere: `CALL`, `PREPARE`, `EXECUTE` and `EXECUTE
//! IMMEDIATE`.
//!
//! A text that is known, as a literal or by the server's word ([`Plan::Ask`]), is planned like a
//! statement of its own. One that reads codec columns is run, its result decoded by that plan;
//! one that writes them is refused.

use std::ops::Range;

use bytes::Bytes;

use super::change;
use super::examine::{one, refuse_all, refuse_information};
use super::statement::Statement;
use super::{Ask, Context, Edit, Handler, Plan, Prepare, Read, Text, information};
use crate::refusal::Refusal;
use crate::sql::lexer::{Dialect, TokenKind, lex};
use crate::sql::literal::Literal;

pub(super) const NOT_DYNAMIC: &str = "codec-proxy translates PREPARE and EXECUTE IMMEDIATE only where they read \
                                      codec columns";
pub(super) const SENT_ITSELF: &str = "send the statement itself";

/// `CALL`: results are judged by their metadata.
pub(super) fn call(statement: Statement) -> Result<Plan, Refusal> {
    match change::expressions(statement)? {
        Plan::Pass if statement.context.view.translates_any(statement.index) => {
            Ok(Plan::Read(Read::announced()))
        }
        plan => Ok(plan),
    }
}

/// `PREPARE s FROM '…'`, `EXECUTE IMMEDIATE '…'` and `EXECUTE s`; `depth` counts the statements
/// around it.
pub(super) fn plan(statement: Statement, depth: usize) -> Result<Plan, Refusal> {
    let text_at = match statement.is_word(0, "EXECUTE") {
        true if statement.is_word(1, "IMMEDIATE") => Some(2),
        true => None,
        false => statement.find_word(1, &["FROM"]).map(|at| at + 1),
    };
    let Some(at) = text_at else {
        return execute(statement, depth);
    };
    let name = match statement.is_word(0, "PREPARE") {
        true => statement.name(1),
        false => None,
    };
    let name = name.map(|name| String::from_utf8_lossy(&name).into_owned());
    let end = statement.find_word(at, &["USING"]);
    let end = end.unwrap_or(statement.tokens.len());
    let context = statement.context;
    let tokens = &statement.tokens[at..end];
    let Some(literal) = Literal::parse(statement.text, tokens, context.dialect) else {
        return ask(statement, at..end, name, depth);
    };
    let text: Vec<u8> = literal.chunks(1 << 16).flatten().collect();
    let text = Bytes::from(text);
    let tokens = lex(&text, context.dialect).tokens;
    let inner = Statement {
        text: &text,
        tokens: &tokens,
        ..statement
    };
    if depth > 2 {
        return change::whole(inner, "PREPARE");
    }
    let plan = as_pass(one(inner, depth + 1)?);
    // What USING gives is not judged by the text.
    if end < statement.tokens.len() {
        change::expressions(statement.from(end))?;
    }
    let span = statement.tokens[at].start..statement.tokens[end - 1].end;
    let edits = |read: &Read| -> Result<Vec<Edit>, Refusal> {
        if !read.hashed.is_empty() {
            let reason = "a parameter is compared with it";
            return Err(refuse_all(&inner, reason, SENT_ITSELF));
        }
        match read.edits.as_slice() {
            [] => Ok(Vec::new()),
            edits => quoted(&super::rewritten(&text, edits), context)
                .map(|text| {
                    let span = span.clone();
                    vec![Edit { span, text }]
                })
                .ok_or_else(|| refuse_all(&inner, NOT_DYNAMIC, SENT_ITSELF)),
        }
    };
    let (read, mut prepare) = match plan {
        Plan::Pass if information::is_shown_otherwise(&inner) => return Err(refuse_information()),
        Plan::Pass => (None, Prepare::default()),
        Plan::Ddl(ddl) if name.is_none() => return Ok(Plan::Ddl(ddl)),
        Plan::Describe(describe) if name.is_none() => return Ok(Plan::Describe(describe)),
        Plan::Ddl(ddl) => {
            let ddl = Some(ddl);
            (
                None,
                Prepare {
                    ddl,
                    ..Prepare::default()
                },
            )
        }
        Plan::Describe(describe) => {
            let describe = Some(describe);
            (
                None,
                Prepare {
                    describe,
                    ..Prepare::default()
                },
            )
        }
        Plan::Read(read) => (Some(read), Prepare::default()),
        _ => return Err(refuse_all(&inner, NOT_DYNAMIC, SENT_ITSELF)),
    };
    match (name, read) {
        (None, None) => call(statement),
        (None, Some(read)) => Ok(Plan::Read(Read {
            edits: edits(&read)?,
            ..read
        })),
        (Some(name), read) => {
            prepare.name = name;
            if let Some(read) = read {
                prepare.edits = edits(&read)?;
                prepare.text = Some(Text::new(&text, context, read.edits));
            }
            Ok(Plan::Prepare(prepare))
        }
    }
}

/// `EXECUTE s`: what was prepared under that name, planned anew.
fn execute(statement: Statement, depth: usize) -> Result<Plan, Refusal> {
    let name = statement.name(1).unwrap_or_default();
    let name = String::from_utf8_lossy(&name);
    let Some(known) = statement.context.standing.text(&name) else {
        return call(statement);
    };
    change::expressions(statement.from(1))?;
    let context = Context {
        schema: known.schema.as_deref(),
        dialect: known.dialect,
        charset: &known.charset,
        ..*statement.context
    };
    let tokens = lex(&known.text, context.dialect).tokens;
    let inner = Statement {
        text: &known.text,
        tokens: &tokens,
        context: &context,
        index: statement.index,
    };
    match one(inner, depth + 1)? {
        Plan::Read(read) if read.hashed.is_empty() && read.edits == known.edits => {
            Ok(Plan::Read(Read {
                edits: Vec::new(),
                ..read
            }))
        }
        Plan::Pass if known.edits.is_empty() => call(statement),
        _ => Err(refuse_all(
            &inner,
            "its table has changed since the statement was prepared",
            "prepare it again",
        )),
    }
}

/// The text of a dynamic statement is what an expression gives. The server is asked for it, so
/// the expression must give the same twice and do nothing else.
fn ask(
    statement: Statement,
    expression: Range<usize>,
    name: Option<String>,
    depth: usize,
) -> Result<Plan, Refusal> {
    const PURE: [&str; 17] = [
        "CONCAT",
        "CONCAT_WS",
        "REPLACE",
        "QUOTE",
        "IF",
        "IFNULL",
        "NULLIF",
        "COALESCE",
        "UPPER",
        "LOWER",
        "CAST",
        "AS",
        "CHAR",
        "REPEAT",
        "DATABASE",
        "SCHEMA",
        "NULL",
    ];
    change::expressions(statement)?;
    let pure = expression
        .clone()
        .all(|at| match statement.tokens[at].kind {
            TokenKind::Symbol(symbol) => matches!(symbol, b'(' | b')' | b','),
            TokenKind::Word => statement.is_any_word(at, &PURE),
            TokenKind::QuotedName => false,
            _ => true,
        });
    let tokens = &statement.tokens[expression];
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) if pure && depth == 0 => Ok(Plan::Ask(Ask {
            expression: first.start..last.end,
            name,
        })),
        // The server does not take it either.
        (None, _) => Ok(Plan::Pass),
        _ => Err(Refusal::unsupported(
            "this statement",
            "the text that it runs is not known before",
            "put the text into a user variable by a statement of its own",
        )),
    }
}

/// A plan that comes to sending the statement as it is, as such.
pub(super) fn as_pass(plan: Plan) -> Plan {
    match plan {
        Plan::Handler(
            Handler::Open {
                has_codecs: false, ..
            }
            | Handler::Close { .. },
        ) => Plan::Pass,
        Plan::Prepare(Prepare {
            text: None,
            ddl: None,
            describe: None,
            ..
        }) => Plan::Pass,
        plan => plan,
    }
}

/// A text as a literal of the client's; `None` if its character set hides quotes.
fn quoted(text: &[u8], context: &Context) -> Option<Vec<u8>> {
    let is_plain = context.charset.starts_with("utf8") || text.is_ascii();
    let Dialect {
        no_backslash_escapes,
        ..
    } = context.dialect;
    is_plain.then(|| {
        let mut out = vec![b'\''];
        for byte in text {
            if *byte == b'\'' || *byte == b'\\' && !no_backslash_escapes {
                out.push(*byte);
            }
            out.push(*byte);
        }
        out.push(b'\'');
        out
    })
}

impl Text {
    /// As it is read in this session now.
    pub fn new(text: &Bytes, context: &Context, edits: Vec<Edit>) -> Self {
        Self {
            text: text.clone(),
            schema: context.schema.map(str::to_owned),
            dialect: context.dialect,
            charset: context.charset.to_owned(),
            edits,
        }
    }
}
