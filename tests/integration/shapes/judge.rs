//! Whether what is really stored is what the twin holds, judged without the library's help.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::replies::renamed;
use super::topic::View;
use super::twins::{Row, Snapshot, Table};
use super::values;
use crate::support::objects::hash_name;

/// What lies in the codec columns of a database.
#[derive(Default)]
pub struct Codecs {
    /// Table and column.
    pub columns: BTreeSet<(String, String)>,
    /// Table, and a value as the twin has it.
    pub values: BTreeSet<(String, Vec<u8>)>,
}

/// Where the objects are, and what pointers to them must say.
pub struct Judge<'a> {
    pub store: &'a Path,
    pub schema: &'a str,
    /// The twin's name, which is as long.
    pub twin: &'a str,
    pub view: View,
}

impl Judge<'_> {
    /// Compares every table; gives what lies in codec columns, or tells a difference.
    pub fn compare(&self, ours: &Snapshot, theirs: &Snapshot) -> Result<Codecs, String> {
        let names = |tables: &Snapshot| tables.keys().cloned().collect::<Vec<_>>();
        if names(ours) != names(theirs) {
            return Err(format!(
                "the tables are {:?} and not {:?}",
                names(ours),
                names(theirs)
            ));
        }
        let mut codecs = Codecs::default();
        for (name, table) in ours {
            self.compare_table(name, table, &theirs[name], &mut codecs)
                .map_err(|told| format!("{name}: {told}"))?;
        }
        Ok(codecs)
    }

    fn compare_table(
        &self,
        name: &str,
        ours: &Table,
        theirs: &Table,
        codecs: &mut Codecs,
    ) -> Result<(), String> {
        let names = |table: &Table| {
            table
                .columns
                .iter()
                .map(|c| c.name.clone())
                .collect::<Vec<_>>()
        };
        if names(ours) != names(theirs) || ours.is_view != theirs.is_view {
            return Err(format!(
                "the columns are {:?} and not {:?}",
                names(ours),
                names(theirs)
            ));
        }
        let markers: Vec<Option<String>> = ours
            .columns
            .iter()
            .map(|c| marker(&ours.create, &c.name))
            .collect();
        let mut rows = Vec::new();
        for row in &ours.rows {
            let mut read = Row::new();
            for ((value, column), marker) in row.iter().zip(&ours.columns).zip(&markers) {
                read.push(match (value, marker) {
                    (Some(value), Some(marker)) if self.view != View::Stored => {
                        let value = self
                            .value(marker, value)
                            .map_err(|told| format!("{}: {told}", column.name))?;
                        codecs.values.insert((name.to_owned(), value.clone()));
                        Some(value)
                    }
                    (Some(value), _) => Some(renamed(value, self.schema, self.twin)),
                    (None, _) => None,
                });
            }
            rows.push(read);
        }
        for (column, _) in ours
            .columns
            .iter()
            .zip(&markers)
            .filter(|(_, marker)| marker.is_some())
        {
            codecs
                .columns
                .insert((name.to_owned(), column.name.clone()));
        }
        let mut their_rows = theirs.rows.clone();
        rows.sort();
        their_rows.sort();
        if rows == their_rows {
            return Ok(());
        }
        let at = rows
            .iter()
            .zip(&their_rows)
            .take_while(|(o, t)| o == t)
            .count();
        let show = |rows: &[Row]| {
            rows.get(at).map_or("nothing".to_owned(), |row| {
                let values = row
                    .iter()
                    .map(|v| String::from_utf8_lossy(v.as_deref().unwrap_or(b"NULL")).into_owned());
                format!("{:?}", values.collect::<Vec<_>>())
            })
        };
        Err(format!(
            "holds {} and not {}",
            show(&rows),
            show(&their_rows)
        ))
    }

    /// What the twin has in place of what a codec column holds.
    fn value(&self, marker: &str, held: &[u8]) -> Result<Vec<u8>, String> {
        let stored = match marker.split_once('@') {
            None => held.to_vec(),
            Some((codec, _)) => self.object(codec, held)?,
        };
        match self.view {
            View::Json => (1..=values::COUNT)
                .find(|n| values::bytes(*n) == stored)
                .map(|n| match marker.starts_with("<hash") {
                    true => values::hashed(n).into_bytes(),
                    false => values::json(n).into_bytes(),
                })
                .ok_or_else(|| {
                    format!(
                        "holds none of the values: {:?}",
                        String::from_utf8_lossy(&stored)
                    )
                }),
            _ => Ok(stored),
        }
    }

    /// The bytes of the object that a pointer names, which must be as it says.
    fn object(&self, codec: &str, pointer: &[u8]) -> Result<Vec<u8>, String> {
        let told = || format!("no pointer: {:?}", String::from_utf8_lossy(pointer));
        let fields: serde_json::Value = serde_json::from_slice(pointer).map_err(|_| told())?;
        let path = fields["path"].as_str().ok_or_else(told)?;
        let bytes = fs::read(self.store.join(path)).map_err(|fault| format!("{path}: {fault}"))?;
        if codec == "<object" || codec == "<npy" {
            return Ok(bytes);
        }
        let hash = hash_name(&bytes);
        let expected = serde_json::json!({
            "hash": hash, "path": format!("_hash/{}/{hash}", self.schema), "schema": self.schema,
            "store": "main", "size": bytes.len(),
        });
        (fields == expected).then_some(bytes).ok_or_else(told)
    }
}

/// The type that a column's comment names, as `<blob@main>`.
fn marker(create: &str, column: &str) -> Option<String> {
    let name = format!("  `{column}` ");
    let line = create.lines().find(|line| line.starts_with(&name))?;
    let (_, comment) = line.split_once("COMMENT ':<")?;
    let (codec, _) = comment.split_once(">:")?;
    Some(format!("<{codec}>"))
}
