//! What the plain types of a client that knows no codecs become when it declares a table.
//!
//! Nothing, unless the configuration says so. Tables whose names begin with `~` are DataJoint's
//! own (`~log`, `~jobs`, `~external_*`, `~lineage`) and never marked.

use crate::codec::Chain;

/// Rules by the names of schemas and tables; the first that speaks of a type decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declaring {
    /// In their order.
    pub rules: Vec<Rule>,
}

/// What becomes of the plain types in some tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// A pattern of schema names: `*` is any text, `?` any character.
    pub schema: String,
    /// A pattern of table names, as the database has them: `#lookup`, `_imported`, `__computed`.
    pub table: String,
    /// What `longblob` becomes; `None` leaves it to the next rule.
    pub longblob: Option<Becomes>,
    /// What DataJoint 0.14's `attach` becomes.
    pub attach: Option<Becomes>,
}

/// What a plain type becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Becomes {
    /// It stays what it is.
    Plain,
    /// A column of that codec.
    Codec(Chain),
}

/// A type that a rule may speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainType {
    /// `longblob` without a marker.
    LongBlob,
    /// `longblob` with DataJoint 0.14's `:attach:`.
    Attach,
}

impl Declaring {
    /// The codec of a plain column in that table; `None` if it stays plain.
    pub fn codec(&self, plain: PlainType, schema: &str, table: &str) -> Option<&Chain> {
        if table.starts_with('~') {
            return None;
        }
        let rules = self.rules.iter().filter(|rule| rule.covers(schema, table));
        let becomes = rules.into_iter().find_map(|rule| rule.of(plain))?;
        match becomes {
            Becomes::Plain => None,
            Becomes::Codec(chain) => Some(chain),
        }
    }

    /// All codecs that some rule gives.
    pub fn codecs(&self) -> impl Iterator<Item = &Chain> {
        let becomes = self.rules.iter().flat_map(|r| [&r.longblob, &r.attach]);
        becomes.filter_map(|becomes| match becomes {
            Some(Becomes::Codec(chain)) => Some(chain),
            _ => None,
        })
    }
}

impl Rule {
    fn covers(&self, schema: &str, table: &str) -> bool {
        matches(&self.schema, schema) && matches(&self.table, table)
    }

    fn of(&self, plain: PlainType) -> Option<&Becomes> {
        match plain {
            PlainType::LongBlob => self.longblob.as_ref(),
            PlainType::Attach => self.attach.as_ref(),
        }
    }
}

/// Whether a name fits a pattern of `*` and `?`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on if the last `*` has to take one character more.
    let mut again = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                again = Some((p + 1, n + 1));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((after, from)) = again else {
                    return false;
                };
                (p, n) = (after, from);
                again = Some((after, from + 1));
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::TypeSpec;

    fn codec(spec: &str) -> Option<Becomes> {
        let chain = TypeSpec::parse(spec).and_then(|spec| spec.resolve().ok());
        Some(chain.map_or(Becomes::Plain, Becomes::Codec))
    }

    fn rule(schema: &str, table: &str, longblob: Option<Becomes>, attach: Option<Becomes>) -> Rule {
        Rule {
            schema: schema.into(),
            table: table.into(),
            longblob,
            attach,
        }
    }

    #[test]
    fn names_fit_patterns() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("*", "lab", true),
            ("lab", "lab", true),
            ("lab", "lab2", false),
            ("lab_*", "lab_a", true),
            ("lab_*", "lab", false),
            ("*_raw", "a_raw_raw", true),
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbx", false),
            ("l?b", "lüb", true),
            ("l?b", "lb", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn the_first_rule_that_speaks_of_a_type_decides() {
        let declaring = Declaring {
            rules: vec![
                rule("lab_*", "__*", codec("<blob@cold>"), None),
                rule("lab_old", "*", codec(""), codec("")),
                rule("*", "*", codec("<blob>"), codec("<attach@main>")),
            ],
        };
        let spec = |plain, schema, table| {
            let chain = declaring.codec(plain, schema, table);
            chain.map_or("", |chain| chain.spec.as_str())
        };
        use PlainType::{Attach, LongBlob};
        assert_eq!(spec(LongBlob, "lab_old", "__proc"), "<blob@cold>");
        assert_eq!(spec(Attach, "lab_old", "__proc"), "");
        assert_eq!(spec(LongBlob, "lab_old", "scan"), "");
        assert_eq!(spec(LongBlob, "lab_a", "scan"), "<blob>");
        assert_eq!(spec(Attach, "lab_a", "__proc"), "<attach@main>");
        for own in ["~log", "~jobs", "~external_main", "~lineage", "~~proc"] {
            assert_eq!(spec(LongBlob, "lab_a", own), "", "{own}");
        }
        assert_eq!(declaring.codecs().count(), 3);
        assert_eq!(Declaring::default().codec(LongBlob, "lab", "t"), None);
    }
}
