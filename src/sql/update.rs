//! `UPDATE`, taken apart far enough to find the value of each assignment.
//!
//! The grammar is that of MySQL 9 and MariaDB 10.11 together, for one table or for several. A
//! statement is understood to its last token or not at all.

use std::ops::Range;

use super::cursor::Cursor;
use super::insert::{Assignment, assignments};
use super::lexer::Token;
use super::name::{ColumnName, TableName};

/// An `UPDATE`. Ranges of tokens are indices into the tokens it was parsed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The named tables, in the order of the text; derived tables are left out.
    pub tables: Vec<Target>,
    /// The tokens between `UPDATE` and its options, and `SET`.
    pub references: Range<usize>,
    /// Whether there is one table and nothing else that could be updated.
    pub single: bool,
    /// How many tables there are, derived ones included.
    pub all: usize,
    pub assignments: Vec<Assignment>,
    /// The tokens after `WHERE`; `None` without one.
    pub condition: Option<Range<usize>>,
    /// The tokens of `ORDER BY …` and `LIMIT …`, keywords included; empty without them.
    pub order_and_limit: Range<usize>,
}

/// A table whose rows are changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub table: TableName,
    pub alias: Option<String>,
}

impl Target {
    /// Whether a column with this qualifier can be one of this table's, for names that `same`
    /// compares.
    pub fn is_meant(&self, column: &ColumnName, same: impl Fn(&str, &str) -> bool) -> bool {
        let Some(qualifier) = &column.table else {
            return true;
        };
        match (&self.alias, &qualifier.schema) {
            (Some(alias), None) => same(alias, &qualifier.table),
            (Some(_), Some(_)) => false,
            (None, schema) => {
                let named = schema.as_ref().zip(self.table.schema.as_ref());
                same(&self.table.table, &qualifier.table) && named.is_none_or(|(a, b)| same(a, b))
            }
        }
    }
}

/// Parses the tokens of one statement; `None` if it is not one that this walker understands.
pub fn parse(text: &[u8], tokens: &[Token]) -> Option<Update> {
    let mut cursor = Cursor::new(text, tokens);
    if cursor.is_word("WITH") {
        cursor.skip_until(|at| at.is_word("UPDATE"));
    }
    if !cursor.word("UPDATE") {
        return None;
    }
    cursor.word("LOW_PRIORITY");
    cursor.word("IGNORE");
    let start = cursor.at();
    let mut found = References::default();
    references(&mut cursor, &mut found)?;
    let references = start..cursor.at();
    if !cursor.word("SET") {
        return None;
    }
    let assignments = assignments(&mut cursor, &["WHERE", "ORDER", "LIMIT", "RETURNING"])?;
    let condition = match cursor.word("WHERE") {
        true => {
            let end = |at: &Cursor| at.is_any_word(&["ORDER", "LIMIT", "RETURNING"]);
            let condition = cursor.skip_until(|at| end(at) || at.is_symbol(b';'));
            Some(Some(condition).filter(|condition| !condition.is_empty())?)
        }
        false => None,
    };
    let order_and_limit = cursor.skip_until(|at| at.is_symbol(b';') || at.is_word("RETURNING"));
    cursor.is_at_end().then_some(Update {
        single: found.tables.len() == 1 && found.factors == 1,
        all: found.factors,
        tables: found.tables,
        references,
        assignments,
        condition,
        order_and_limit,
    })
}

/// The tables of a FROM clause; `None` if it is not one that this walker understands. `tokens`
/// begin after FROM.
pub fn tables(text: &[u8], tokens: &[Token]) -> Option<Tables> {
    const AFTER: [&str; 8] = [
        "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "WINDOW", "FOR", "LOCK",
    ];
    let mut cursor = Cursor::new(text, tokens);
    let mut found = References::default();
    references(&mut cursor, &mut found)?;
    let ends = cursor.is_at_end() || cursor.is_any_word(&AFTER);
    ends.then_some(Tables {
        named: found.tables,
        all: found.factors,
    })
}

/// What a FROM clause names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    /// Tables with their aliases.
    pub named: Vec<Target>,
    /// How many there are, derived tables included.
    pub all: usize,
}

#[derive(Default)]
struct References {
    tables: Vec<Target>,
    /// Derived tables included.
    factors: usize,
    /// Open parentheses.
    depth: usize,
}

/// Parentheses around joins that are followed, one in another.
const DEPTH: usize = 32;

/// `a, b JOIN c ON …`
fn references(cursor: &mut Cursor, found: &mut References) -> Option<()> {
    loop {
        joined(cursor, found)?;
        if !cursor.symbol(b',') {
            return Some(());
        }
    }
}

/// `a LEFT JOIN b ON … NATURAL JOIN c`
fn joined(cursor: &mut Cursor, found: &mut References) -> Option<()> {
    factor(cursor, found)?;
    loop {
        let mut join = cursor.clone();
        while join.any_word(&["NATURAL", "LEFT", "RIGHT", "OUTER", "INNER", "CROSS"]) {}
        if !join.any_word(&["JOIN", "STRAIGHT_JOIN"]) {
            return Some(());
        }
        *cursor = join;
        factor(cursor, found)?;
        if cursor.word("ON") {
            let end = |at: &Cursor| at.is_symbol(b',') || at.is_any_word(&AFTER_CONDITION);
            (!cursor.skip_until(end).is_empty()).then_some(())?;
        } else if cursor.word("USING") {
            cursor.group()?;
        }
    }
}

const AFTER_CONDITION: [&str; 17] = [
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "WINDOW",
    "LOCK",
    "SET",
    "NATURAL",
    "LEFT",
    "RIGHT",
    "OUTER",
    "INNER",
    "CROSS",
    "JOIN",
    "STRAIGHT_JOIN",
    "WHERE",
    "ON",
];

/// A table, a derived table, or a join in parentheses.
fn factor(cursor: &mut Cursor, found: &mut References) -> Option<()> {
    if cursor.is_symbol(b'(') {
        let mut inside = cursor.clone();
        while inside.symbol(b'(') {}
        if inside.is_any_word(&["SELECT", "WITH", "VALUES", "TABLE"]) {
            cursor.group()?;
            found.factors += 1;
            cursor.word("AS");
            cursor.name()?;
            return Some(());
        }
        cursor.symbol(b'(');
        found.depth += 1;
        (found.depth <= DEPTH).then_some(())?;
        references(cursor, found)?;
        found.depth -= 1;
        return cursor.symbol(b')').then_some(());
    }
    let table = cursor.table_name()?;
    if cursor.word("PARTITION") {
        cursor.group()?;
    }
    let alias = match cursor.word("AS") {
        true => Some(cursor.name()?),
        false if is_alias(cursor) => cursor.name(),
        false => None,
    };
    while cursor.any_word(&["USE", "FORCE", "IGNORE"]) {
        cursor.any_word(&["INDEX", "KEY"]).then_some(())?;
        if cursor.word("FOR") {
            cursor.skip_until(|at| at.is_symbol(b'('));
        }
        cursor.group()?;
    }
    found.factors += 1;
    found.tables.push(Target { table, alias });
    Some(())
}

/// Whether a name stands here that is no keyword of what may follow a table.
fn is_alias(cursor: &Cursor) -> bool {
    const KEYWORDS: [&str; 21] = [
        "GROUP",
        "HAVING",
        "ORDER",
        "LIMIT",
        "WINDOW",
        "LOCK",
        "SET",
        "NATURAL",
        "LEFT",
        "RIGHT",
        "INNER",
        "CROSS",
        "JOIN",
        "STRAIGHT_JOIN",
        "ON",
        "USING",
        "USE",
        "FORCE",
        "IGNORE",
        "FOR",
        "WHERE",
    ];
    !cursor.is_any_word(&KEYWORDS) && cursor.clone().name().is_some()
}

#[cfg(test)]
mod tests {
    use super::super::lexer::{Dialect, lex};
    use super::*;

    fn parsed(text: &str) -> Option<(Update, Vec<Token>)> {
        let tokens = lex(text.as_bytes(), Dialect::default()).tokens;
        parse(text.as_bytes(), &tokens).map(|update| (update, tokens))
    }

    /// Tables, assigned columns with their values, condition, order and limit.
    fn parts(text: &str) -> String {
        let Some((update, tokens)) = parsed(text) else {
            return "not understood".to_owned();
        };
        let written = |range: &Range<usize>| match &tokens[range.clone()] {
            [] => "",
            [first, .., last] => &text[first.start..last.end],
            [only] => &text[only.start..only.end],
        };
        let tables = update.tables.iter().map(|target| match &target.alias {
            Some(alias) => format!("{} {alias}", target.table),
            None => target.table.to_string(),
        });
        let tables: Vec<_> = tables.collect();
        let assigned = update.assignments.iter().map(|a| {
            let value = &text[a.value.span.clone()];
            format!("{}={value}", a.column.column)
        });
        let assigned: Vec<_> = assigned.collect();
        format!(
            "{}{} | {} | {} | {}",
            tables.join(", "),
            if update.single { "" } else { " +" },
            assigned.join(", "),
            update.condition.as_ref().map_or("-", written),
            written(&update.order_and_limit),
        )
    }

    #[test]
    fn one_table() {
        for (text, expected) in [
            ("UPDATE t SET a = 1", "`t` | a=1 | - | "),
            (
                "UPDATE IGNORE s.t x SET x.a = f(1, 2), b := 'w' WHERE c = (3) ORDER BY a LIMIT 2",
                "`s`.`t` x | a=f(1, 2), b='w' | c = (3) | ORDER BY a LIMIT 2",
            ),
            (
                "UPDATE `d`.`t` SET `x`=X'00',`y`=DEFAULT WHERE  (`a`=1)AND(`s`=0)",
                "`d`.`t` | x=X'00', y=DEFAULT | (`a`=1)AND(`s`=0) | ",
            ),
            (
                "WITH c AS (SELECT 1) UPDATE t PARTITION (p0) FORCE INDEX (i) SET a=1 LIMIT 1",
                "`t` | a=1 | - | LIMIT 1",
            ),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn several_tables() {
        for (text, expected) in [
            (
                "UPDATE a JOIN b ON a.x = b.x AND (b.y, 1) = (2, 1) SET a.d = 'v' WHERE b.z = 1",
                "`a`, `b` + | d='v' | b.z = 1 | ",
            ),
            (
                "UPDATE a x, (b AS y NATURAL LEFT JOIN c) SET x.d = 1, c.e = 2",
                "`a` x, `b` y, `c` + | d=1, e=2 | - | ",
            ),
            (
                "UPDATE a JOIN (SELECT x FROM c) AS q USING (x) SET d = 1",
                "`a` + | d=1 | - | ",
            ),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    #[test]
    fn tables_of_a_from_clause() {
        let names = |text: &str| {
            let tokens = lex(text.as_bytes(), Dialect::default()).tokens;
            let tables = tables(text.as_bytes(), &tokens)?;
            let names = tables.named.iter().map(|t| match &t.alias {
                Some(alias) => format!("{} {alias}", t.table.table),
                None => t.table.table.clone(),
            });
            Some((names.collect::<Vec<_>>().join(", "), tables.all))
        };
        let found = |text: &str, all: usize| Some((text.to_owned(), all));
        assert_eq!(names("a WHERE x = 1"), found("a", 1));
        assert_eq!(names("s.a AS b LIMIT 1"), found("a b", 1));
        assert_eq!(
            names("a x JOIN b ON x.i = b.i GROUP BY i ORDER BY 1"),
            found("a x, b", 2)
        );
        assert_eq!(names("a, (SELECT 1) q"), found("a", 2));
        assert_eq!(names("a nonsense here"), None);
    }

    #[test]
    fn what_is_not_understood() {
        for text in [
            "UPDATE t FOR PORTION OF p FROM 1 TO 2 SET a = 1",
            "UPDATE t SET a",
            "UPDATE t SET a = 1 WHERE",
            "UPDATE SET a = 1",
            "UPDATE (SELECT 1) SET a = 1",
            "UPDATE t SET a = 1 RETURNING a",
            "SELECT 1",
        ] {
            assert_eq!(parts(text), "not understood", "{text}");
        }
    }

    #[test]
    fn qualifiers_mean_the_alias_where_there_is_one() {
        let (update, _) = parsed("UPDATE s.t JOIN t AS u SET t.a = 1").expect("an update");
        let of = |schema: Option<&str>, table: &str| ColumnName {
            table: Some(TableName {
                schema: schema.map(str::to_owned),
                table: table.to_owned(),
            }),
            column: "a".to_owned(),
        };
        let meant = |name: &ColumnName| {
            let tables = update.tables.iter();
            tables
                .map(|t| t.is_meant(name, |a, b| a == b))
                .collect::<Vec<_>>()
        };
        assert_eq!(meant(&of(None, "t")), [true, false]);
        assert_eq!(meant(&of(Some("s"), "t")), [true, false]);
        assert_eq!(meant(&of(Some("r"), "t")), [false, false]);
        assert_eq!(meant(&of(None, "u")), [false, true]);
        let bare = ColumnName {
            table: None,
            column: "a".to_owned(),
        };
        assert_eq!(meant(&bare), [true, true]);
    }
}
