//! The command line: what the subcommands are, and what their exit codes mean.
//!
//! 0: done; 1: a fault, which has been printed or logged; 2: arguments that make no sense.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::codec::late;
use crate::codec::registry::{self, Entry};
use crate::config::Config;
use crate::{python, server, telemetry};

mod check;
mod codecs;
mod columns;
mod print;
mod resolve;
mod sandbox;

const EXAMPLES: &str = "\
Where to begin:
  1. Copy config/codec-proxy.toml, the example with every key explained. Set the database, an
     account that may read the schemas with codec columns, and a store.
  2. codec-proxy check --config codec-proxy.toml
     tells what works and what does not, without serving anybody.
  3. codec-proxy serve --config codec-proxy.toml
     serves until SIGTERM; it is ready when it logs \"listening\", with the address.
  4. Point a program at that address in place of the database's. It keeps its account and its
     password. DataJoint 0.x and MATLAB use a port with view = \"bytes\", DataJoint 2.x one with
     view = \"stored\".
  5. codec-proxy codecs, codec-proxy resolve '<blob@main>' and codec-proxy columns tell which
     types there are, what one comes to, and which columns of the database have one.

Every key of the configuration can also come from the environment:
  CODEC_PROXY__DATABASE__PASSWORD=secret codec-proxy serve --config codec-proxy.toml";

/// Stores the arrays of DataJoint programs in object stores, between the program and its
/// MySQL or MariaDB server, with DataJoint's own codecs and formats.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// What is logged (to stderr): error, warn, info, debug, trace, off, or target=level,…
    #[arg(long, global = true, env = "RUST_LOG", value_name = "FILTER")]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve clients until SIGTERM or Ctrl-C
    Serve(Configuration),
    /// Try the configuration, the database and every store, and print what was found
    ///
    /// One line for each finding, "ok" or "FAIL" first; a store is tried by storing a small
    /// object, reading it back and deleting it. Exits with 1 if anything failed.
    Check(Configuration),
    /// List the codecs that columns can have
    #[command(after_help = codecs::HELP)]
    Codecs(codecs::Arguments),
    /// Tell what a type comes to: its codecs, the stored type and the store
    #[command(after_help = resolve::HELP)]
    Resolve(resolve::Arguments),
    /// List the codec columns of the database, and whether they can be used
    #[command(after_help = columns::HELP)]
    Columns(columns::Arguments),
    /// Start a private MariaDB, a folder as the store and a proxy between them, to try it all
    ///
    /// Needs MariaDB's server programs, and nothing else: no server that runs already is touched.
    /// Prints the line to connect with, stays until Ctrl-C, and then removes
    /// everything (--data keeps it).
    Sandbox(sandbox::Arguments),
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
struct Configuration {
    /// The TOML file with the configuration
    #[arg(long, value_name = "FILE", env = "CODEC_PROXY_CONFIG")]
    config: PathBuf,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = match (&cli.log, &cli.command) {
        // What it finds is printed; the log is for what goes on behind that.
        (None, Command::Serve(_)) => None,
        (None, _) => Some("warn"),
        (log, _) => log.as_deref(),
    };
    if let Err(error) = telemetry::start(filter) {
        eprintln!("codec-proxy: {error}");
        return ExitCode::FAILURE;
    }
    if let Err(error) = registry::check() {
        eprintln!("codec-proxy: {error}");
        return ExitCode::FAILURE;
    }
    match cli.command {
        Command::Serve(at) => serve(&at.config),
        Command::Check(at) => check::run(&at.config),
        Command::Codecs(arguments) => codecs::run(&arguments),
        Command::Resolve(arguments) => resolve::run(&arguments),
        Command::Columns(arguments) => columns::run(&arguments),
        Command::Sandbox(arguments) => sandbox::run(arguments),
    }
}

/// The configuration in `file`; from then on the process knows its codecs.
fn load(file: &Path) -> Result<Config, Box<dyn Error>> {
    let config = Config::load(file, std::env::vars_os())?;
    registry::install(config.codecs.iter().map(Entry::from))?;
    python::install(config.python.as_ref(), &config.stores);
    Ok(config)
}

/// The configuration in `file`; the process knows all codecs, also those of Python packages. What
/// keeps it from looking for these is logged.
fn load_all(file: &Path) -> Result<Config, Box<dyn Error>> {
    let config = load(file)?;
    let _ = late::look();
    Ok(config)
}

fn serve(file: &Path) -> ExitCode {
    let config = match load(file) {
        Ok(config) => config,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::FAILURE;
        }
    };
    match server::serve(config, file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_and_check_take_a_file() {
        for (name, log) in [("serve", None), ("check", Some("debug"))] {
            let mut arguments = vec!["codec-proxy", name, "--config", "a.toml"];
            arguments.extend(log.map(|level| ["--log", level]).into_iter().flatten());
            let cli = Cli::try_parse_from(arguments).expect("it is right");
            if log.is_some() {
                assert_eq!(cli.log.as_deref(), log);
            }
            match (name, cli.command) {
                ("serve", Command::Serve(at)) | ("check", Command::Check(at)) => {
                    assert_eq!(at.config, Path::new("a.toml"));
                }
                (_, other) => panic!("{name} became {other:?}"),
            }
        }
        assert!(Cli::try_parse_from(["codec-proxy"]).is_err());
        assert!(Cli::try_parse_from(["codec-proxy", "serve", "a.toml"]).is_err());
    }

    #[test]
    fn help_teaches() {
        let help = Cli::command().render_long_help().to_string();
        for word in [
            "Where to begin",
            "check --config",
            "\"listening\"",
            "CODEC_PROXY__",
        ] {
            assert!(help.contains(word), "{help}");
        }
    }
}
