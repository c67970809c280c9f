//! The codec columns of a database, and whether they can be used.

use serde_json::json;

use super::NOTHING;
use crate::catalog::{Listing, MarkedColumn};
use crate::codec::Chain;
use crate::config::placement;
use crate::store::StoresSettings;

/// One codec column.
pub struct Entry<'a> {
    /// Where it is.
    pub at: &'a MarkedColumn,
    /// `None` for a type that cannot be resolved.
    pub chain: Option<Chain>,
    /// The real name of its store if it needs one, or why the column cannot be used.
    pub store: Result<Option<String>, String>,
}

/// The codec columns, of all, a schema or a table, in the order of their names.
pub fn list<'a>(
    listing: &'a Listing,
    schema: Option<&str>,
    table: Option<&str>,
    stores: &StoresSettings,
) -> Vec<Entry<'a>> {
    let is = |name: &str, wanted: Option<&str>| {
        wanted.is_none_or(|wanted| listing.case.same(name, wanted))
    };
    let columns = listing.columns.iter();
    let columns = columns.filter(|at| is(&at.schema, schema) && is(&at.table, table));
    columns.map(|at| Entry::new(at, stores)).collect()
}

impl<'a> Entry<'a> {
    fn new(at: &'a MarkedColumn, stores: &StoresSettings) -> Self {
        let (chain, store) = match at.spec.resolve() {
            Ok(chain) => {
                let store = placement::store(&chain, stores)
                    .map(|store| store.map(str::to_owned))
                    .map_err(|error| error.to_string());
                (Some(chain), store)
            }
            Err(error) => (None, Err(error.to_string())),
        };
        Self { at, chain, store }
    }

    /// For tools.
    pub fn json(&self) -> serde_json::Value {
        let chain = self.chain.as_ref();
        json!({
            "schema": self.at.schema,
            "table": self.at.table,
            "column": self.at.column,
            "spec": self.at.spec.to_string(),
            "codecs": chain.map(|chain| chain.names().collect::<Vec<_>>()),
            "stored_type": chain.map(Chain::stored_type),
            "store": self.store(),
            "usable": self.store.is_ok(),
            "reason": self.store.as_ref().err(),
            "warning": self.warning(),
        })
    }

    /// What may happen to its objects elsewhere.
    pub fn warning(&self) -> Option<String> {
        let chain = self
            .chain
            .as_ref()
            .filter(|chain| chain.is_unknown_to_gc())?;
        Some(format!(
            "{}.{}.{}: DataJoint's own garbage collector does not know that {} keeps objects, and \
             takes them for orphans; never let it collect in this schema",
            self.at.schema, self.at.table, self.at.column, chain.spec
        ))
    }

    /// For people: where it is, the type, the steps, the stored type, the store, the state.
    pub fn row(&self) -> [String; 6] {
        let chain = self.chain.as_ref();
        let store = self.store().filter(|name| !name.is_empty());
        let told = [
            chain.map(placement::steps),
            chain.map(|chain| chain.stored_type().into_owned()),
            store.map(str::to_owned),
        ];
        let [steps, stored_type, store] = told.map(|told| told.unwrap_or(NOTHING.to_owned()));
        let state = self.store.as_ref().err();
        [
            format!("{}.{}.{}", self.at.schema, self.at.table, self.at.column),
            self.at.spec.to_string(),
            steps,
            stored_type,
            store,
            state.map_or("ok", String::as_str).to_owned(),
        ]
    }

    /// The real name of the store, or the one that is missing (empty: a default store).
    fn store(&self) -> Option<&str> {
        match &self.store {
            Ok(store) => store.as_deref(),
            Err(_) => self.chain.as_ref()?.store.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::NameCase;
    use crate::codec::TypeSpec;
    use crate::store::StoreSettings;

    fn listing(case: NameCase) -> Listing {
        let columns = [
            ("lab", "#mask", "m", "<blob@cold>"),
            ("lab", "scan", "b", "<blob@>"),
            ("lab", "scan", "a", "<blob>"),
            ("lab2", "scan", "g", "<graph>"),
        ];
        let columns = columns.map(|(schema, table, column, spec)| MarkedColumn {
            schema: schema.to_owned(),
            table: table.to_owned(),
            column: column.to_owned(),
            spec: TypeSpec::parse(spec).unwrap(),
        });
        Listing {
            columns: columns.into(),
            case,
            ..Listing::default()
        }
    }

    fn stores() -> StoresSettings {
        let main = StoreSettings {
            protocol: Some("file".to_owned()),
            location: Some("/srv".to_owned()),
            ..StoreSettings::default()
        };
        StoresSettings {
            default: Some("main".to_owned()),
            stores: [("main".to_owned(), main)].into(),
            ..StoresSettings::default()
        }
    }

    fn names(case: NameCase, within: Option<&str>) -> Vec<String> {
        let (listing, stores) = (listing(case), stores());
        let (schema, table) = match within.map(|names| (names, names.split_once('.'))) {
            None => (None, None),
            Some((schema, None)) => (Some(schema), None),
            Some((_, Some((schema, table)))) => (Some(schema), Some(table)),
        };
        let entries = list(&listing, schema, table, &stores);
        entries.iter().map(|entry| entry.row()[0].clone()).collect()
    }

    #[test]
    fn columns_come_in_order_and_from_where_they_are_asked() {
        let all = ["lab.#mask.m", "lab.scan.b", "lab.scan.a", "lab2.scan.g"];
        let strict = NameCase::Sensitive;
        assert_eq!(names(strict, None), all);
        assert_eq!(names(strict, Some("lab")), all[..3]);
        assert_eq!(names(strict, Some("lab.scan")), all[1..3]);
        assert!(names(strict, Some("Lab.scan")).is_empty());
        assert!(names(strict, Some("lab.sca")).is_empty());
        assert_eq!(names(NameCase::Insensitive, Some("LAB.Scan")), all[1..3]);
    }

    #[test]
    fn each_is_told_with_its_store_or_its_fault() {
        let (listing, stores) = (listing(NameCase::Sensitive), stores());
        let entries = list(&listing, None, None, &stores);
        let told: Vec<_> = entries
            .iter()
            .map(|e| (e.store(), e.store.is_ok()))
            .collect();
        let is = [
            (Some("cold"), false),
            (Some("main"), true),
            (None, true),
            (None, false),
        ];
        assert_eq!(told, is);
        assert_eq!(
            entries[0].json()["reason"],
            "Storage 'cold' is requested but not configured in stores (configured: main)"
        );
        assert_eq!(entries[2].json()["reason"], serde_json::Value::Null);
        let graph = entries[3].row();
        assert_eq!(graph[1..5], ["<graph>", NOTHING, NOTHING, NOTHING]);
        assert!(
            graph[5].starts_with("Unknown codec: <graph>. "),
            "{graph:?}"
        );
    }
}
