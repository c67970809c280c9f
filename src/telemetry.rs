//! Logs: human text on a terminal, one JSON object a line otherwise; always on stderr.
//!
//! No event may hold a value, a password or a store's key. Dependencies log at `warn` unless
//! they are named in the filter, since what they write at `debug` is not in our hands.

use std::io::{IsTerminal, stderr};

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// What is logged where nothing is said about it.
const DEFAULT: &str = "info";

/// Why there is no logging.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("log filter {text:?}: {source}; use a level, as in \"debug\", or \"target=level,…\"")]
    Filter {
        /// The filter as written.
        text: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// Somebody else in this process logs already.
    #[error("logging has been started before: {0}")]
    Started(#[from] TryInitError),
}

/// Starts logging for the whole process. `filter` is a level (`error`, `warn`, `info`, `debug`,
/// `trace`, `off`), or directives as in `codec_proxy=debug,mysql_async=info`.
pub fn start(filter: Option<&str>) -> Result<(), TelemetryError> {
    let filter = parse(filter.unwrap_or(DEFAULT))?;
    let registry = tracing_subscriber::registry().with(filter);
    if stderr().is_terminal() {
        let text = fmt::layer().with_target(false).with_writer(stderr);
        registry.with(text).try_init()?;
    } else {
        let json = fmt::layer().json().flatten_event(true).with_writer(stderr);
        registry.with(json).try_init()?;
    }
    Ok(())
}

fn parse(text: &str) -> Result<EnvFilter, TelemetryError> {
    let filter = directives(text);
    EnvFilter::try_new(filter).map_err(|source| TelemetryError::Filter {
        text: text.to_owned(),
        source,
    })
}

/// A bare level is meant for codec-proxy alone.
fn directives(text: &str) -> String {
    match text.trim() {
        "" => directives(DEFAULT),
        off if off.eq_ignore_ascii_case("off") => "off".to_owned(),
        level if level.parse::<Level>().is_ok() => format!("warn,codec_proxy={level}"),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_level_leaves_dependencies_at_warn() {
        assert_eq!(directives("debug"), "warn,codec_proxy=debug");
        assert_eq!(directives(" INFO "), "warn,codec_proxy=INFO");
        assert_eq!(directives(""), "warn,codec_proxy=info");
        assert_eq!(directives("off"), "off");
        assert_eq!(directives("mysql_async=debug"), "mysql_async=debug");
    }

    #[test]
    fn a_wrong_filter_is_named() {
        let error = parse("codec_proxy=loud").expect_err("there is no such level");
        assert!(error.to_string().contains("codec_proxy=loud"), "{error}");
        parse("codec_proxy=debug,info").expect("directives are taken as they are");
    }
}
