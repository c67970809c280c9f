//! The columns of a result: what is done with each, and what the client is told of them.

use std::sync::Arc;

use bytes::Bytes;

use super::origin::{self, Origin};
use super::row::Shown;
use crate::catalog::Index;
use crate::plan::Lineage;
use crate::refusal::Refusal;
use crate::session::coded::{Coded, Text};
use crate::session::context::ResultCharset;
use crate::view::View;
use crate::wire::binary::{self, Layout};
use crate::wire::column::Column;

/// What tells where the columns of a result come from, and how they are shown.
#[derive(Clone, Copy)]
pub struct Meaning<'a> {
    /// What the statement says of it.
    pub lineage: &'a Lineage,
    /// The catalog.
    pub index: &'a Index,
    /// What the client sees.
    pub view: View,
    /// `character_set_results`
    pub charset: ResultCharset,
}

/// The columns of one result.
#[derive(Debug, Default)]
pub struct Columns {
    /// What is to be done with each; `None`: nothing.
    pub shown: Vec<Option<Arc<Shown>>>,
    /// Their types (`MYSQL_TYPE_…`), as the server sends them.
    pub kinds: Vec<u8>,
    /// A column that is not decoded can hold a pointer all the same.
    pub suspicious: bool,
}

/// Definitions in place of the server's; `None`: the same.
pub type Announced = Vec<Option<Vec<u8>>>;

impl Meaning<'_> {
    /// The columns that these packets define, all of a result; with what the client is told in
    /// place of each.
    pub fn columns(
        &self,
        packets: &[Bytes],
        extended_metadata: bool,
    ) -> Result<(Columns, Announced), Refusal> {
        let definitions = packets.iter().map(|p| Column::parse(p, extended_metadata));
        let definitions: Vec<Option<Column>> = definitions.collect();
        let mut columns = Columns {
            shown: self.shown(&definitions)?,
            kinds: definitions
                .iter()
                .map(|column| column.map_or(binary::BLOB, |c| c.kind()))
                .collect(),
            suspicious: false,
        };
        let mut announced = Vec::with_capacity(packets.len());
        for (column, shown) in definitions.into_iter().zip(&columns.shown) {
            announced.push(match (column, shown) {
                (Some(column), Some(shown)) => Some(origin::announced(&column, shown.text.shape)),
                (column, _) => {
                    columns.suspicious |= column.is_some_and(|c| c.can_hold_pointer());
                    None
                }
            });
        }
        Ok((columns, announced))
    }

    fn shown(&self, definitions: &[Option<Column>]) -> Result<Vec<Option<Arc<Shown>>>, Refusal> {
        let shown = |origin: Origin| -> Result<Arc<Shown>, Refusal> {
            Ok(Arc::new(Shown {
                column: Arc::new(Coded::new(&origin.table, origin.position)?),
                text: Text {
                    shape: origin.shape,
                    results: self.charset,
                },
            }))
        };
        let origins = self.origins(definitions)?.into_iter();
        origins
            .map(|origin| origin.map(shown).transpose())
            .collect()
    }

    fn origins(&self, definitions: &[Option<Column>]) -> Result<Vec<Option<Origin>>, Refusal> {
        let mut parsed = definitions.iter().flatten();
        if parsed.any(|column| self.may_be_another(column)) {
            return Err(Refusal::unsupported(
                "this result",
                "the server tells the names of columns in a character set that hides them",
                "SET NAMES utf8mb4",
            ));
        }
        origin::resolve(self.lineage, self.index, definitions, self.view)
    }

    /// Whether the column may be a codec column by names that the server has converted.
    fn may_be_another(&self, column: &Column) -> bool {
        let mut names = [column.schema, column.org_table, column.org_name].into_iter();
        // All of UTF-16 and UTF-32 has zeros in it.
        let all = names.clone().any(|name| name.contains(&0));
        all || self.index.has_non_ascii_names() && names.any(|name| !self.charset.keeps(name))
    }
}

impl Columns {
    /// An error if a value cannot be taken out of the rows of the binary protocol.
    pub fn check_binary(&self) -> Result<(), Refusal> {
        let columns = self.shown.iter().zip(&self.kinds);
        let shown = columns.filter_map(|(shown, kind)| Some((shown.as_ref()?, kind)));
        let mut odd = shown.filter(|(_, kind)| binary::layout(**kind) != Layout::Str);
        match odd.next() {
            None => Ok(()),
            Some((shown, _)) => Err(Refusal::unsupported(
                &shown.column.name,
                "its type is none that codec-proxy decodes in the binary protocol",
                "use the text protocol",
            )),
        }
    }
}
