//! The decision about a statement that [`glance`](super::glance()) did not let pass.

use std::sync::Arc;

use bytes::Bytes;

use super::charset;
use super::dynamic::{self, NOT_DYNAMIC, SENT_ITSELF};
use super::information::{self, information};
use super::statement::{Statement, codecs, refuse_table, through_views};
use super::{
    Context, Ddl, Edit, Handler, Plan, Text, Write, alter, change, ddl, delete, glance, handler,
    insert, load, select, settings, update,
};
use crate::catalog::{Index, Table, TableKind};
use crate::refusal::Refusal;
use crate::sql::letters::Letters;
use crate::sql::lexer::{Dialect, TokenKind, lex};
use crate::sql::name::TableName;
use crate::sql::show::{self, Show};
use crate::sql::statement::{keyword, split};
use crate::view::View;
use crate::view::describe::{Describe, Subject};

const TEXT_PROTOCOL: &str = "send it as one statement of the text protocol";

/// Decides about a statement of the text protocol; an error is for the client, and nothing of
/// the statement may be sent.
pub fn examine(text: &Bytes, context: &Context, index: &Index) -> Result<Plan, Refusal> {
    match examine_with_parameters(text, context, index)? {
        Plan::Write(write) if write.takes_parameters() => {
            let cell = write.cells.first();
            let path = cell.map_or_else(
                || "this statement".to_owned(),
                |cell| cell.table.column_path(cell.column),
            );
            let reason = "a ? stands for a value in prepared statements only";
            Err(Refusal::unsupported(&path, reason, "write the value"))
        }
        Plan::Read(read) | Plan::Handler(Handler::Read { read, .. }) if !read.hashed.is_empty() => {
            let reason = "a ? stands for a value in prepared statements only";
            Err(Refusal::unsupported(
                "this query",
                reason,
                "write the value",
            ))
        }
        plan => Ok(plan),
    }
}

/// As [`examine`], for a statement that is to be prepared: values may be parameters.
pub fn examine_with_parameters(
    text: &Bytes,
    context: &Context,
    index: &Index,
) -> Result<Plan, Refusal> {
    let lexed = lex(text, context.dialect);
    let all = Statement {
        text,
        tokens: &lexed.tokens,
        context,
        index,
    };
    if context.view != View::Stored {
        check_names(&all)?;
    }
    let statements: Vec<Statement> = split(text, &lexed.tokens)
        .map(|tokens| Statement { tokens, ..all })
        .collect();
    let settings = match settings::mentioned(text) {
        true => settings::plan(&statements, lexed.conditional)?,
        false => Vec::new(),
    };
    let mut plan = match statements.as_slice() {
        [] => Plan::Pass,
        [only] => one(*only, 0)?,
        several => multi(several)?,
    };
    match &mut plan {
        Plan::Write(write) => write.number_parameters(&lexed.tokens),
        Plan::Read(read) | Plan::Handler(Handler::Read { read, .. }) => {
            read.number_parameters(&lexed.tokens);
        }
        _ => {}
    }
    if !settings.is_empty() {
        // A SET that does anything else with codec columns has been refused above.
        return Ok(Plan::Choose(settings));
    }
    let touches = matches!(
        plan,
        Plan::Write(_) | Plan::Load(_) | Plan::Read(_) | Plan::Declare(_)
    );
    let reads = lexed.conditional && matches!(plan, Plan::Pass) && names_translated(&all);
    if !touches && !reads {
        return Ok(plan);
    }
    if lexed.conditional && !matches!(plan, Plan::Declare(_)) && !all.tables().is_empty() {
        let reason = "a part of the statement is run by some server versions only (it is not known which this is)";
        return Err(refuse_all(&all, reason, "leave the versioned comment out"));
    }
    Ok(plan)
}

/// The schema and name of the table that a statement alters, where its columns should be looked
/// at before it is examined, in [`Context::altered`].
pub fn altered(text: &Bytes, context: &Context, index: &Index) -> Option<(String, String)> {
    if context.view == View::Stored || !glance::is_alter(text) {
        return None;
    }
    let tokens = lex(text, context.dialect).tokens;
    let statement = split(text, &tokens).next()?;
    alter::altered(&Statement {
        text,
        tokens: statement,
        context,
        index,
    })
}

/// Decides about a statement that is to be prepared: as [`examine_with_parameters`], but for
/// what can be sent as text only.
pub fn examine_prepared(text: &Bytes, context: &Context, index: &Index) -> Result<Plan, Refusal> {
    match as_prepared(text, context, index) {
        Err(_) if is_written_with_values(text, context, index) => Ok(Plan::Inline),
        plan => plan,
    }
}

/// Whether a statement can be run as a text, once the values of its parameters stand in it, and
/// has no result that the binary protocol would show otherwise.
fn is_written_with_values(text: &Bytes, context: &Context, index: &Index) -> bool {
    // As good as a value of which nothing is known yet; the latter can be compared with a column.
    const VALUES: [&[u8]; 2] = [b"@p", b"'0'"];
    let places = parameters(text, context);
    VALUES.iter().any(|value| {
        let edit = |place: &usize| Edit {
            span: *place..place + 1,
            text: value.to_vec(),
        };
        let edits: Vec<Edit> = places.iter().map(edit).collect();
        let text = Bytes::from(super::rewritten(text, &edits));
        let plan = examine(&text, context, index);
        matches!(plan, Ok(Plan::Write(Write { returned: None, .. })))
    })
}

fn as_prepared(text: &Bytes, context: &Context, index: &Index) -> Result<Plan, Refusal> {
    let plan = examine_with_parameters(text, context, index)?;
    if let Plan::Write(Write { lookup, copied, .. }) = &plan {
        let table = lookup.as_ref().map(|lookup| (&lookup.table, lookup.column));
        let copied = copied.first().map(|copied| (&copied.table, copied.column));
        if let Some((table, column)) = table.or(copied) {
            let reason = "its rows must be looked at before, which codec-proxy does not do for \
                          prepared statements with a result";
            let path = table.column_path(column);
            return Err(Refusal::unsupported(&path, reason, TEXT_PROTOCOL));
        }
    }
    if let Plan::Write(write) = &plan
        && let Some(cell) = write
            .cells
            .iter()
            .find(|cell| !is_indexed(index, &cell.table))
    {
        let path = cell.table.column_path(cell.column);
        let reason = "codec-proxy does not write views by prepared statements with a result";
        return Err(Refusal::unsupported(&path, reason, TEXT_PROTOCOL));
    }
    match plan {
        Plan::Choose(_) => Err(settings::refuse(
            "codec-proxy does not take it from prepared statements yet",
        )),
        Plan::Load(_)
        | Plan::Ask(_)
        | Plan::Handler(
            Handler::Read { .. }
            | Handler::Open {
                has_codecs: true, ..
            },
        ) => {
            let tokens = lex(text, context.dialect).tokens;
            let statement = Statement {
                text,
                tokens: &tokens,
                context,
                index,
            };
            let reason = "codec-proxy does not translate it in prepared statements";
            Err(refuse_all(&statement, reason, TEXT_PROTOCOL))
        }
        // The server takes one statement only, and says so.
        Plan::Several => Ok(Plan::Pass),
        plan => Ok(plan),
    }
}

/// Whether a table is one of the catalog, and no view that stands for one.
fn is_indexed(index: &Index, table: &Arc<Table>) -> bool {
    let known = index.table(table.schema.as_bytes(), table.name.as_bytes());
    known.is_some_and(|known| Arc::ptr_eq(known, table))
}

/// The places of all parameters in the text of a statement that is to be prepared.
pub fn parameters(text: &[u8], context: &Context) -> Vec<usize> {
    let tokens = lex(text, context.dialect).tokens;
    let parameters = tokens.iter().filter(|token| token.is_symbol(b'?'));
    parameters.map(|token| token.start).collect()
}

/// Decides about a statement that the server has been [asked](Plan::Ask) for, in UTF-8: what it
/// changes or reads, or [`Plan::Pass`] if the statement that runs it can go to the server; with the
/// text, if a name that stands for it must be known.
pub fn examine_dynamic(
    text: &Bytes,
    context: &Context,
    index: &Index,
) -> Result<(Plan, Option<Text>), Refusal> {
    let context = Context {
        charset: "utf8mb4",
        dialect: Dialect {
            letters: Letters::Plain,
            converts: false,
            ..context.dialect
        },
        ..*context
    };
    match dynamic::as_pass(examine(text, &context, index)?) {
        Plan::Pass if information(text, &context, index)?.is_some() => Err(refuse_information()),
        plan @ (Plan::Pass | Plan::Ddl(_) | Plan::Describe(_)) => Ok((plan, None)),
        // What is edited is not the client's to send.
        plan if is_as_it_is(&plan) => Ok((plan, Some(Text::new(text, &context, Vec::new())))),
        _ => {
            let tokens = lex(text, context.dialect).tokens;
            let statement = Statement {
                text,
                tokens: &tokens,
                context: &context,
                index,
            };
            Err(refuse_all(&statement, NOT_DYNAMIC, SENT_ITSELF))
        }
    }
}

fn is_as_it_is(plan: &Plan) -> bool {
    matches!(plan, Plan::Read(read) if read.edits.is_empty() && read.hashed.is_empty())
}

/// Refuses what runs a statement prepared under a name, in a session where the name may stand
/// for one that was prepared in another view.
pub fn refuse_named(text: &Bytes, context: &Context) -> Result<(), Refusal> {
    let tokens = lex(text, context.dialect).tokens;
    let named = split(text, &tokens).any(|tokens| match tokens {
        [first, second, ..] => first.is_word(text, "EXECUTE") && !second.is_word(text, "IMMEDIATE"),
        _ => false,
    });
    match named {
        false => Ok(()),
        true => Err(Refusal::unsupported(
            "this statement",
            "it may have been prepared before the session chose another view",
            "choose the view first, in a new connection",
        )),
    }
}

/// The plan of one statement; `depth` counts the statements around it.
pub(super) fn one(statement: Statement, depth: usize) -> Result<Plan, Refusal> {
    match show::parse(statement.text, statement.tokens) {
        Some(Show::Columns { table, .. }) => {
            filters_none(&statement, &table)?;
            return Ok(describe(&statement, &table, Subject::Columns));
        }
        Some(Show::Create(table)) => {
            let subject = Subject::Create(statement.context.dialect);
            return Ok(describe(&statement, &table, subject));
        }
        Some(Show::Other) | None => {}
    }
    let keyword = keyword(statement.text, statement.tokens);
    let is_ddl = matches!(keyword.as_str(), "CREATE" | "ALTER" | "DROP" | "RENAME");
    if statement.context.view == View::Stored {
        return match is_ddl {
            true => Ok(ddl::stored(statement)),
            false => Ok(Plan::Pass),
        };
    }
    match keyword.as_str() {
        _ if is_ddl => ddl::plan(statement),
        "WITH" if statement.find_word(1, &["UPDATE"]).is_some() => {
            through_views(statement, update::plan)
        }
        "WITH" if statement.find_word(1, &["DELETE"]).is_some() => change::delete(statement),
        "SELECT" | "WITH" | "VALUES" | "TABLE" => select::plan(statement),
        "INSERT" | "REPLACE" => through_views(statement, insert::plan),
        "UPDATE" => through_views(statement, update::plan),
        "DELETE" => through_views(statement, delete::plan),
        "LOAD" => load::plan(statement),
        "CALL" => dynamic::call(statement),
        "EXECUTE" | "PREPARE" => dynamic::plan(statement, depth),
        "HANDLER" => handler::plan(statement),
        "SET" if statement.is_word(1, "STATEMENT") => match statement.find_word(2, &["FOR"]) {
            Some(at) => one(statement.from(at + 1), depth),
            None => change::whole(statement, "SET STATEMENT"),
        },
        "SET" | "DO" | "KILL" | "SIGNAL" | "RESIGNAL" => change::expressions(statement),
        "ANALYZE" => analyze(statement),
        "SHOW" | "DESC" | "DESCRIBE" | "EXPLAIN" | "USE" | "HELP" | "START" | "COMMIT"
        | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "XA" | "LOCK" | "UNLOCK" | "FLUSH" | "RESET"
        | "GRANT" | "REVOKE" | "TRUNCATE" | "OPTIMIZE" | "CHECK" | "CHECKSUM" | "REPAIR"
        | "DEALLOCATE" | "PURGE" | "CHANGE" | "STOP" | "INSTALL" | "UNINSTALL" | "CACHE"
        | "BACKUP" | "SHUTDOWN" => Ok(Plan::Pass),
        "" => change::whole(statement, "this statement"),
        other => change::whole(statement, other),
    }
}

/// Refuses a condition of SHOW COLUMNS that the server would judge by what is stored.
fn filters_none(statement: &Statement, name: &TableName) -> Result<(), Refusal> {
    const SHOWN_OTHERWISE: [&str; 3] = ["TYPE", "COLLATION", "COMMENT"];
    let Some(table) = statement.table(name.schema.as_deref(), &name.table) else {
        return Ok(());
    };
    let condition = statement.find_word(1, &["WHERE"]);
    let mut condition = condition.unwrap_or(statement.tokens.len())..statement.tokens.len();
    let named = condition.any(|at| {
        let name = statement.name(at).unwrap_or_default();
        let is = |field: &&str| name.eq_ignore_ascii_case(field.as_bytes());
        SHOWN_OTHERWISE.iter().any(is)
    });
    match named && statement.context.view != View::Stored {
        false => Ok(()),
        true => Err(refuse_table(
            table,
            "the condition would be judged by types and comments as they are stored",
            "leave the condition out, or ask by Field",
        )),
    }
}

fn describe(statement: &Statement, name: &TableName, subject: Subject) -> Plan {
    let view = statement.context.view;
    let mariadb = statement.index.is_mariadb();
    let mends = mariadb && matches!(subject, Subject::Columns);
    if view == View::Stored && !mends {
        return Plan::Pass;
    }
    let table = statement.table(name.schema.as_deref(), &name.table);
    Plan::Describe(Describe {
        view,
        subject,
        table: table.filter(|t| t.kind == TableKind::Base).cloned(),
        mariadb,
    })
}

/// MariaDB's ANALYZE runs the statement after it, and shows how it went.
fn analyze(statement: Statement) -> Result<Plan, Refusal> {
    if statement.is_any_word(1, &["TABLE", "LOCAL", "NO_WRITE_TO_BINLOG"]) {
        return Ok(Plan::Pass);
    }
    const WRITES: [&str; 4] = ["INSERT", "REPLACE", "UPDATE", "DELETE"];
    let written = statement.find_word(
        1,
        &["SELECT", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE"],
    );
    match written {
        Some(at) if statement.is_any_word(at, &WRITES) => match one(statement.from(at), 1)? {
            Plan::Pass => Ok(Plan::Pass),
            _ => change::whole(statement, "ANALYZE"),
        },
        _ => Ok(Plan::Pass),
    }
}

/// Several statements pass together if each passes alone. Else each is run by itself, unless one
/// is refused.
fn multi(statements: &[Statement]) -> Result<Plan, Refusal> {
    let stored = statements[0].context.view == View::Stored;
    let mut ddl = Ddl::default();
    let (mut changes, mut handled) = (false, false);
    let mut schema: Option<String> = statements[0].context.schema.map(str::to_owned);
    for (at, statement) in statements.iter().enumerate() {
        if changes_lexing(&statements[..at]) {
            // Where the others end, only the server's state will tell.
            handled |= !stored;
            break;
        }
        let context = Context {
            schema: schema.as_deref(),
            ..*statement.context
        };
        let statement = Statement {
            text: statement.text,
            tokens: statement.tokens,
            context: &context,
            index: statement.index,
        };
        match one(statement, 0)? {
            Plan::Pass => {}
            Plan::Ddl(more) => {
                changes = true;
                ddl.tables.extend(more.tables);
                ddl.schemas.extend(more.schemas);
            }
            Plan::Describe(describe) if describe.table.is_none() => {}
            _ => handled = true,
        }
        handled |= information::is_shown_otherwise(&statement);
        if statement.is_word(0, "USE") {
            let name = statement.name(1);
            schema = name.map(|n| String::from_utf8_lossy(&n).into_owned());
        }
    }
    let load = statements.iter().find(|s| s.is_word(0, "LOAD"));
    match (handled || changes && !stored, load) {
        (false, _) if changes => Ok(Plan::Ddl(ddl)),
        (false, _) => Ok(Plan::Pass),
        (true, None) => Ok(Plan::Several),
        (true, Some(_)) => Err(refuse_all(
            &statements[0],
            "LOAD DATA stands among statements that are run one by one",
            TEXT_PROTOCOL,
        )),
    }
}

/// Whether some of the statements changes `sql_mode` or the client's character set.
fn changes_lexing(statements: &[Statement]) -> bool {
    const CHANGES: [&str; 7] = [
        "SQL_MODE",
        "NAMES",
        "CHARSET",
        "CHARACTER",
        "CHARACTER_SET_CLIENT",
        "@@SQL_MODE",
        "@@CHARACTER_SET_CLIENT",
    ];
    statements.iter().any(|statement| {
        let is = |token: &crate::sql::lexer::Token| {
            let written = token.bytes(statement.text);
            CHANGES
                .iter()
                .any(|c| written.eq_ignore_ascii_case(c.as_bytes()))
        };
        statement.is_word(0, "SET") && statement.tokens.iter().any(is)
    })
}

/// Refuses names that cannot be told from a codec table's or column's: those that are not ASCII
/// in a character set other than UTF-8.
fn check_names(statement: &Statement) -> Result<(), Refusal> {
    let context = statement.context;
    if !statement.index.has_non_ascii_names() || charset::is_utf8(context.charset) {
        return Ok(());
    }
    let strange = statement.tokens.iter().any(|token| {
        let name = matches!(token.kind, TokenKind::Word | TokenKind::QuotedName);
        name && !token.bytes(statement.text).is_ascii()
    });
    match statement
        .index
        .tables()
        .find(|t| statement.sees(t) && !is_ascii(t))
    {
        Some(table) if strange => {
            let reason = format!("it may be meant by a name written in {}", context.charset);
            Err(refuse_table(table, &reason, "SET NAMES utf8mb4"))
        }
        _ => Ok(()),
    }
}

/// Whether the statement names a translated codec column, in whatever way.
fn names_translated(statement: &Statement) -> bool {
    let columns = statement.translated(&statement.tables());
    let mut all = 0..statement.tokens.len();
    statement.context.view != View::Stored
        && all.any(|at| statement.column_at(at, &columns).is_some())
}

fn is_ascii(table: &Table) -> bool {
    table.schema.is_ascii()
        && table.name.is_ascii()
        && table.codecs().all(|i| table.columns[i].name.is_ascii())
}

/// A query on `information_schema.columns` in a text that another statement runs.
pub(super) fn refuse_information() -> Refusal {
    Refusal::unsupported(
        "information_schema.columns",
        "it would tell of codec columns as they are stored, in a text that another statement runs",
        SENT_ITSELF,
    )
}

/// A refusal that names the first codec column in the statement.
pub(super) fn refuse_all(statement: &Statement, reason: &str, way_out: &str) -> Refusal {
    let tables = statement.tables();
    let columns: Vec<_> = tables.iter().flat_map(codecs).collect();
    let all = 0..statement.tokens.len();
    match statement.mention(all, &columns).or(columns.first()) {
        Some(column) => column.refuse(reason, way_out),
        None => match tables.first() {
            Some(table) => refuse_table(table, reason, way_out),
            None => Refusal::unsupported("this statement", reason, way_out),
        },
    }
}
