//! All codec columns of a database, for people to see.
//!
//! Other than the [`Index`](super::Index), which holds what a session must look out for, this has
//! the columns with an unknown codec, too, which pass as they are stored.

use mysql_async::OptsBuilder;
use mysql_async::prelude::Queryable;

use super::{CatalogError, NameCase, Programs, pool, scan, within};
use crate::codec::{TypeSpec, comment};

/// What a database has, as far as the account may see it.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// In the order of their names; those of one table in the table's order.
    pub columns: Vec<MarkedColumn>,
    /// How the server compares schema and table names.
    pub case: NameCase,
    /// Stored programs that may write to their tables.
    pub programs: Programs,
}

/// A column whose comment carries the type spec of a codec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedColumn {
    /// Database name.
    pub schema: String,
    /// Table name, with DataJoint's tier prefix.
    pub table: String,
    /// Column name.
    pub column: String,
    /// The type spec, whether it can be resolved or not.
    pub spec: TypeSpec,
}

impl Listing {
    /// Asks the server, once.
    pub async fn read(options: OptsBuilder) -> Result<Self, CatalogError> {
        let pool = pool(options);
        let listing = within(async {
            let mut conn = pool.get_conn().await?;
            let case = scan::facts(&mut conn).await?.case;
            let query = format!(
                "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_COMMENT \
                 FROM information_schema.COLUMNS \
                 WHERE TABLE_SCHEMA NOT IN {} AND COLUMN_COMMENT LIKE ':<%' \
                 ORDER BY ORDINAL_POSITION",
                scan::SYSTEM
            );
            let rows: Vec<(String, String, String, String)> = conn.query(query).await?;
            let mut columns: Vec<_> = rows.into_iter().filter_map(marked).collect();
            columns.sort_by(|a, b| (&a.schema, &a.table).cmp(&(&b.schema, &b.table)));
            let programs = Programs::read(&mut conn, &columns).await?;
            Ok(Self {
                columns,
                case,
                programs,
            })
        });
        let listing = listing.await?;
        pool.disconnect().await?;
        Ok(listing)
    }
}

fn marked(
    (schema, table, column, comment): (String, String, String, String),
) -> Option<MarkedColumn> {
    let spec = TypeSpec::parse(comment::marker(&comment)?.type_text)?;
    Some(MarkedColumn {
        schema,
        table,
        column,
        spec,
    })
}
