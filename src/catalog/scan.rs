//! The questions that the catalog asks the server.
//!
//! What they cost (MariaDB 10.11, 10,000 tables): one table by constant names opens that table
//! only, well under a millisecond; the scan for markers reads every table definition, 0.17 s;
//! the views another 0.1 s; the change token and the process list none of them, under a
//! millisecond.

use std::collections::HashSet;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};

use super::NameCase;
use super::index::{Column, Table, TableKind};
use super::key::KeyType;
use super::known::{Facts, Found, Name, Scan, ViewText};
use super::marker::Markers;

/// Schemas that no user declares tables in.
pub(super) const SYSTEM: &str = "('information_schema', 'performance_schema', 'mysql', 'sys')";

/// Counters of statements that can change which columns carry a codec. They move when such a
/// statement begins, in whatever session and way it runs (text, prepared, in a procedure, from
/// a replication source); `Uptime` going back tells another server or a restarted one.
const COUNTERS: [&str; 12] = [
    "Com_alter_db",
    "Com_alter_db_upgrade",
    "Com_alter_table",
    "Com_create_db",
    "Com_create_table",
    "Com_create_view",
    "Com_drop_db",
    "Com_drop_table",
    "Com_drop_view",
    "Com_rename_table",
    "Com_alter_view",
    "Uptime",
];

/// A state of the server's DDL counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    counters: Vec<(String, String)>,
    uptime: u64,
}

impl Token {
    /// Whether nothing can have been declared between `earlier` and this.
    pub fn unmoved_since(&self, earlier: &Token) -> bool {
        self.counters == earlier.counters && self.uptime >= earlier.uptime
    }

    pub async fn read(conn: &mut Conn) -> Result<Self, mysql_async::Error> {
        let names = COUNTERS.map(|c| format!("'{c}'")).join(",");
        let query = format!("SHOW GLOBAL STATUS WHERE Variable_name IN ({names})");
        let mut counters: Vec<(String, String)> = conn.query(query).await?;
        counters.sort();
        let is_uptime = |(name, _): &(String, String)| name == "Uptime";
        let uptime = counters.iter().find(|c| is_uptime(c));
        let uptime = uptime.and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
        counters.retain(|c| !is_uptime(c));
        Ok(Self { counters, uptime })
    }
}

/// Whether a statement that may declare something is being run right now, as far as the
/// account may see (`PROCESS`). The counters moved when it began.
pub(super) async fn is_declaring(conn: &mut Conn) -> Result<bool, mysql_async::Error> {
    let own = u64::from(conn.id());
    let rows: Vec<Row> = conn.query("SHOW PROCESSLIST").await?;
    Ok(rows.iter().any(|row| {
        let id = row.get_opt::<u64, _>("Id").and_then(Result::ok);
        let info = row.get_opt::<Option<Vec<u8>>, _>("Info");
        let info = info.and_then(Result::ok).flatten().unwrap_or_default();
        id != Some(own) && may_declare(&info)
    }))
}

fn may_declare(statement: &[u8]) -> bool {
    let skip = |b: &u8| !(b.is_ascii_alphabetic() || matches!(b, b'/' | b'-' | b'#'));
    let Some(start) = statement.iter().position(|b| !skip(b)) else {
        return false;
    };
    let statement = &statement[start..];
    let begins = |word: &str| {
        let head = statement.get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
    };
    // A comment may hide anything; a routine or a dynamic statement too.
    [
        "CREATE", "ALTER", "DROP", "RENAME", "CALL", "EXECUTE", "BEGIN", "SET", "/", "-", "#",
    ]
    .iter()
    .any(|word| begins(word))
}

/// What never changes while the server runs.
pub(super) async fn facts(conn: &mut Conn) -> Result<Facts, mysql_async::Error> {
    let row: Option<(u8, String)> = conn
        .query_first("SELECT @@lower_case_table_names, VERSION()")
        .await?;
    let (lower_case, version) = row.unwrap_or_default();
    let described: Vec<String> = conn
        .query(
            "SELECT UPPER(COLUMN_NAME) FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = 'COLUMNS' \
             ORDER BY ORDINAL_POSITION",
        )
        .await?;
    Ok(Facts {
        case: match lower_case {
            0 => NameCase::Sensitive,
            _ => NameCase::Insensitive,
        },
        mariadb: version.contains("MariaDB"),
        described: described.into(),
    })
}

/// Everything, from the whole server.
pub(super) async fn all(
    conn: &mut Conn,
    markers: &Markers,
    known_columns: &HashSet<String>,
) -> Result<Scan, mysql_async::Error> {
    let mut scan = Scan::default();
    let mut asked = known_columns.clone();
    loop {
        let (marked, namesakes) = candidates(conn, &asked).await?;
        // The columns of a view have the comments of those that they show.
        scan.views = match marked.is_empty() {
            true => Vec::new(),
            false => views(conn, None).await?,
        };
        let shown: HashSet<&Name> = scan.views.iter().map(|view| &view.name).collect();
        scan.tables.clear();
        for name in marked.into_iter().filter(|name| !shown.contains(name)) {
            if let Some(table) = table(conn, markers, &name).await? {
                scan.tables.insert(name, table);
            }
        }
        let tables = &scan.tables;
        let names =
            |t: &Table| -> Vec<String> { t.codecs().map(|i| t.columns[i].name.clone()).collect() };
        let columns: HashSet<String> = tables.values().flat_map(names).collect();
        let has_codec =
            |(s, t, _): &(String, String, String)| tables.contains_key(&Name::new(s, t));
        if columns.is_subset(&asked) {
            let kept = namesakes.into_iter().filter(|n| !has_codec(n));
            scan.namesakes = kept.filter(|(_, _, c)| columns.contains(c)).collect();
            return Ok(scan);
        }
        // Once more with the names that were not known: seldom, on the first scan mostly.
        asked.extend(columns);
    }
}

/// One table or view by name.
pub(super) async fn one(
    conn: &mut Conn,
    markers: &Markers,
    name: &Name,
) -> Result<Found, mysql_async::Error> {
    if let Some(view) = views(conn, Some(name)).await?.into_iter().next() {
        return Ok(Found::View(view));
    }
    let table = table(conn, markers, name).await?;
    Ok(table.map_or(Found::Nothing, Found::Table))
}

/// The codec tables of one schema, by a scan of that schema only.
pub(super) async fn names_in_schema(
    conn: &mut Conn,
    schema: &str,
) -> Result<Vec<Name>, mysql_async::Error> {
    let schema = quoted(schema);
    let query = format!(
        "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = {schema} AND COLUMN_COMMENT LIKE ':<%' \
         UNION SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.VIEWS \
         WHERE TABLE_SCHEMA = {schema}"
    );
    let rows: Vec<(String, String)> = conn.query(query).await?;
    Ok(rows.iter().map(|(s, t)| Name::new(s, t)).collect())
}

type Namesake = (String, String, String);

/// The tables with a marked column, and the columns whose name is one of `names`.
async fn candidates(
    conn: &mut Conn,
    names: &HashSet<String>,
) -> Result<(Vec<Name>, Vec<Namesake>), mysql_async::Error> {
    let names: Vec<String> = names.iter().map(|n| quoted(n)).collect();
    let or_named = match names.is_empty() {
        true => String::new(),
        false => format!(" OR COLUMN_NAME IN ({})", names.join(",")),
    };
    let query = format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_COMMENT LIKE ':<%' \
         FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA NOT IN {SYSTEM} AND (COLUMN_COMMENT LIKE ':<%'{or_named})"
    );
    let rows: Vec<(String, String, String, bool)> = conn.query(query).await?;
    let mut marked: Vec<Name> = Vec::new();
    let mut namesakes = Vec::new();
    for (schema, table, column, is_marked) in rows {
        if is_marked {
            marked.push(Name::new(&schema, &table));
        }
        namesakes.push((schema, table, column));
    }
    marked.sort();
    marked.dedup();
    Ok((marked, namesakes))
}

/// A table, not a view, by constant names; `None` if it has no codec column (or is none).
async fn table(
    conn: &mut Conn,
    markers: &Markers,
    name: &Name,
) -> Result<Option<Table>, mysql_async::Error> {
    let table = any_table(conn, markers, name).await?;
    Ok(table.filter(|table| table.codecs().next().is_some()))
}

/// Whether a table has no rows, also none that are not committed yet.
pub(super) async fn is_empty(conn: &mut Conn, name: &Name) -> Result<bool, mysql_async::Error> {
    conn.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
        .await?;
    let [schema, table] = [&name.schema, &name.table].map(|n| n.replace('`', "``"));
    let query = format!("SELECT 1 FROM `{schema}`.`{table}` LIMIT 1");
    let row: Option<u8> = conn.query_first(query).await?;
    Ok(row.is_none())
}

/// A table or view, with codec columns or without; `None` if there is none of that name.
pub(super) async fn any_table(
    conn: &mut Conn,
    markers: &Markers,
    name: &Name,
) -> Result<Option<Table>, mysql_async::Error> {
    let query = format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_COMMENT, EXTRA, COLUMN_KEY, \
         DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} \
         ORDER BY ORDINAL_POSITION",
        quoted(&name.schema),
        quoted(&name.table)
    );
    type Definition = (String, String, String, String, String, String, String);
    let rows: Vec<Definition> = conn.query(query).await?;
    let Some((schema, table, ..)) = rows.first().cloned() else {
        return Ok(None);
    };
    Markers::look_for(rows.iter().map(|row| &*row.3)).await;
    let columns = rows.into_iter().map(|row| {
        let (_, _, name, comment, extra, column_key, data_type) = row;
        let (marker, codec) = markers.read(&comment, || format!("{schema}.{table}.{name}"));
        let key = KeyType::of(&name, &column_key, &data_type, &extra, marker.as_deref());
        Column {
            name,
            invisible: extra.to_ascii_uppercase().contains("INVISIBLE"),
            marker,
            codec,
            key,
        }
    });
    Ok(Some(Table {
        columns: columns.collect(),
        schema,
        name: table,
        kind: TableKind::Base,
    }))
}

async fn views(conn: &mut Conn, only: Option<&Name>) -> Result<Vec<ViewText>, mysql_async::Error> {
    let which = match only {
        None => format!("TABLE_SCHEMA NOT IN {SYSTEM}"),
        Some(name) => format!(
            "TABLE_SCHEMA = {} AND TABLE_NAME = {}",
            quoted(&name.schema),
            quoted(&name.table)
        ),
    };
    let query = format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS \
         WHERE {which}"
    );
    let rows: Vec<(String, String, Option<String>)> = conn.query(query).await?;
    let text = |(schema, table, definition): (String, String, Option<String>)| {
        ViewText::new(Name::new(&schema, &table), definition.as_deref())
    };
    Ok(rows.into_iter().map(text).collect())
}

/// A text as a literal; the connection's `sql_mode` is empty.
fn quoted(text: &str) -> String {
    Value::Bytes(text.as_bytes().to_vec()).as_sql(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_may_declare_are_seen() {
        for yes in [
            "ALTER TABLE t",
            " create table",
            "/* x */ alter",
            "CALL p()",
            "(create",
        ] {
            assert!(may_declare(yes.as_bytes()), "{yes}");
        }
        for no in [
            "",
            "SELECT 1",
            "INSERT INTO alter_log",
            "SHOW CREATE TABLE t",
        ] {
            assert!(!may_declare(no.as_bytes()), "{no}");
        }
    }

    #[test]
    fn a_token_moves_with_its_counters_and_when_uptime_falls() {
        let token = |n: &str, uptime| Token {
            counters: vec![("Com_create_table".into(), n.into())],
            uptime,
        };
        assert!(token("4", 9).unmoved_since(&token("4", 7)));
        assert!(!token("5", 9).unmoved_since(&token("4", 7)));
        assert!(!token("4", 2).unmoved_since(&token("4", 7)));
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted(r"a'b\c"), r"'a\'b\\c'");
    }
}
