//! What can be wrong with a configuration: where, which key, and what to do about it.

use std::path::PathBuf;

use super::tree::Origin;

/// Why there is no configuration. No message holds a password, a key or a whole line of a file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file with the configuration, or one that it names, cannot be read.
    #[error("cannot read {}: {source}; {hint}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
        /// What to do.
        hint: String,
    },
    /// A file or variable that is not TOML or JSON at all.
    #[error("{place}: not {format}: {message}")]
    Syntax {
        /// File and line, or environment variable.
        place: String,
        /// `TOML` or `JSON`.
        format: &'static str,
        /// What the parser says, without the text it read.
        message: String,
    },
    /// A key that does not exist.
    #[error("{origin}: unknown key `{key}`: did you mean `{nearest}`? (known here: {})", known.join(", "))]
    UnknownKey {
        /// Where it is written.
        origin: Origin,
        /// Its full path.
        key: String,
        /// The known key that looks most like it.
        nearest: String,
        /// All keys known at that place.
        known: Vec<&'static str>,
    },
    /// A key without which nothing works.
    #[error("{place}: `{key}` is missing: {hint}")]
    Missing {
        /// File (and line of the section, where there is one).
        place: String,
        /// Its full path.
        key: String,
        /// What to write there.
        hint: &'static str,
    },
    /// A value that its key does not take.
    #[error("{origin}: `{key}`: {reason}")]
    Invalid {
        /// Where it is written.
        origin: Origin,
        /// The full path of its key.
        key: String,
        /// What is wrong, and what it takes.
        reason: String,
    },
    /// Two keys of which only one may be given.
    #[error("{origin}: `{key}` and `{other}` are both given; remove one of them")]
    Conflict {
        /// Where `key` is written.
        origin: Origin,
        /// The full path of the one.
        key: String,
        /// The full path of the other.
        other: String,
    },
    /// An environment variable whose value is not UTF-8.
    #[error("environment variable {0} is not UTF-8 text; set it anew or unset it")]
    NotText(String),
}
