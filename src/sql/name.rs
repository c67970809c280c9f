//! Names of tables and columns as a statement writes them.

use std::fmt;

/// A table, with its schema if the statement names one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    pub schema: Option<String>,
    pub table: String,
}

/// A column, with its table if the statement names one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ColumnName {
    pub table: Option<TableName>,
    pub column: String,
}

impl fmt::Display for TableName {
    /// As SQL: every part in backticks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "`{}`.", schema.replace('`', "``"))?;
        }
        write!(f, "`{}`", self.table.replace('`', "``"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_as_sql() {
        let mut name = TableName {
            schema: Some("a`b".into()),
            table: "#t".into(),
        };
        assert_eq!(name.to_string(), "`a``b`.`#t`");
        name.schema = None;
        assert_eq!(name.to_string(), "`#t`");
    }
}
