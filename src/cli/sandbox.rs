//! `codec-proxy sandbox`: see [`crate::sandbox`].

use std::path::PathBuf;
use std::process::ExitCode;

use crate::sandbox::{self, Options};

/// What the user may decide.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Port for programs of before, which see longblob columns [default: any free one]
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true
    )]
    port: u16,

    /// Port for DataJoint 2, which sees the columns as stored [default: any free one]
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true
    )]
    stored_port: u16,

    /// Folder that keeps the database and the store for the next time
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// File that is written, as JSON, once clients can connect: addresses, account and stores
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// Runs the sandbox until it is ended.
pub(super) fn run(arguments: Arguments) -> ExitCode {
    let Arguments {
        port,
        stored_port,
        data,
        ready_file,
    } = arguments;
    let options = Options {
        port,
        stored_port,
        data,
        ready_file,
    };
    match sandbox::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("codec-proxy: {error}");
            ExitCode::FAILURE
        }
    }
}
