//! What becomes of a statement, and what a file says of it.
//!
//! An expectation is a line for MariaDB's text protocol, and further ones where others differ:
//!
//! ```text
//! -> decoded
//! -> prepared: refused: codec-proxy does not …
//! -> mysql: error 1064
//! -> mysql prepared: unprepared
//! ```

use std::fmt;

/// What became of a statement, right or refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A value that was not there before lies in a codec column.
    Encoded,
    /// A value of a codec column is in the result.
    Decoded,
    /// A column that was declared has a codec.
    Declared,
    /// Anything else that is right.
    Passed,
    /// The server's own error, as the twin has it.
    Error(u16),
    /// The server prepares no such statement.
    Unprepared,
    /// A refusal, by its reason. `named` if it says which table or column.
    Refused { reason: String, named: bool },
}

/// What was found: an outcome, or what is wrong.
pub type Found = Result<Outcome, String>;

/// Where a statement was run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    pub mysql: bool,
    pub prepared: bool,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = if self.mysql { "mysql" } else { "mariadb" };
        let protocol = if self.prepared { "prepared" } else { "text" };
        write!(f, "{server} {protocol}")
    }
}

/// Where a statement may run.
pub const SLOTS: [Slot; 4] = [
    Slot {
        mysql: false,
        prepared: false,
    },
    Slot {
        mysql: false,
        prepared: true,
    },
    Slot {
        mysql: true,
        prepared: false,
    },
    Slot {
        mysql: true,
        prepared: true,
    },
];
/// How lines about them begin.
const LABELS: [&str; 4] = ["", "prepared: ", "mysql: ", "mysql prepared: "];

/// The outcomes that a file tells of an entry.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Expected {
    told: [Option<Outcome>; 4],
}

impl Expected {
    /// Takes over a line of the file.
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        let (at, outcome) = (0..LABELS.len())
            .rev()
            .find_map(|at| Some((at, line.strip_prefix(LABELS[at])?)))
            .unwrap_or((0, line));
        self.told[at] = Some(Outcome::parse(outcome)?);
        Ok(())
    }

    /// The lines of the file.
    pub fn lines(&self) -> Vec<String> {
        let told = self.told.iter().zip(LABELS);
        told.filter_map(|(outcome, label)| Some(format!("{label}{}", outcome.as_ref()?)))
            .collect()
    }

    /// The outcome that is expected in a place.
    pub fn of(&self, slot: Slot) -> Option<&Outcome> {
        let [text, prepared, mysql, mysql_prepared] = &self.told;
        match (slot.mysql, slot.prepared) {
            (false, false) => text.as_ref(),
            (false, true) => prepared.as_ref().or(text.as_ref()),
            (true, false) => mysql.as_ref().or(text.as_ref()),
            (true, true) => mysql_prepared
                .as_ref()
                .or(mysql.as_ref())
                .or(prepared.as_ref())
                .or(text.as_ref()),
        }
    }

    /// What is wrong with an outcome, if anything is.
    pub fn complaint(&self, slot: Slot, found: &Found) -> Option<String> {
        match (found, self.of(slot)) {
            (Err(wrong), _) => Some(format!("NEITHER right nor refused: {wrong}")),
            (Ok(found), None) => Some(format!("is {found}; nothing is expected")),
            (Ok(found), Some(expected)) if found != expected => {
                Some(format!("is {found}; the file says {expected}"))
            }
            _ => None,
        }
    }

    /// Has this say what was found, as shortly as it can; what was wrong stays as it was.
    pub fn learn(&mut self, found: &[(Slot, Found)]) {
        let outcomes: Vec<(Slot, Outcome)> = SLOTS
            .iter()
            .filter_map(|slot| {
                let found = found.iter().find(|(at, _)| at == slot);
                match found {
                    Some((_, Ok(outcome))) => Some((*slot, outcome.clone())),
                    _ => self.of(*slot).map(|outcome| (*slot, outcome.clone())),
                }
            })
            .collect();
        *self = Self::default();
        for (slot, outcome) in outcomes {
            if self.of(slot) != Some(&outcome) {
                let at = SLOTS.iter().position(|s| *s == slot);
                self.told[at.expect("one of them")] = Some(outcome);
            }
        }
    }
}

impl Outcome {
    fn parse(text: &str) -> Result<Self, String> {
        let refused = |reason: &str, named| Self::Refused {
            reason: reason.to_owned(),
            named,
        };
        if let Some(reason) = text.strip_prefix("refused: ") {
            return Ok(refused(reason, true));
        }
        if let Some(reason) = text.strip_prefix("refused unnamed: ") {
            return Ok(refused(reason, false));
        }
        if let Some(code) = text.strip_prefix("error ") {
            return code.parse().map(Self::Error).map_err(|_| text.to_owned());
        }
        match text {
            "encoded" => Ok(Self::Encoded),
            "decoded" => Ok(Self::Decoded),
            "declared" => Ok(Self::Declared),
            "passed" => Ok(Self::Passed),
            "unprepared" => Ok(Self::Unprepared),
            other => Err(format!("no outcome is called {other:?}")),
        }
    }

    /// In one or two words.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Encoded => "encoded",
            Self::Decoded => "decoded",
            Self::Declared => "declared",
            Self::Passed => "passed",
            Self::Error(_) => "the server's error",
            Self::Unprepared => "unprepared",
            Self::Refused { .. } => "refused",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(code) => write!(f, "error {code}"),
            Self::Refused {
                reason,
                named: true,
            } => write!(f, "refused: {reason}"),
            Self::Refused { reason, .. } => write!(f, "refused unnamed: {reason}"),
            other => f.write_str(other.word()),
        }
    }
}
