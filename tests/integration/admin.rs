//! The console: what a person sees of the process by MySQL's own protocol.

mod clients;
mod hostile;
mod reload;
mod sessions;

use crate::support::client::{Client, Login};
use crate::support::lab::Lab;

pub const USER: &str = "admin";
pub const PASSWORD: &str = "open'the\"door";

/// A lab with a console, and whatever `more` adds to its configuration.
pub fn lab_with(name: &str, more: &str) -> Lab {
    Lab::with_config(name, |config| config + &section() + more)
}

/// The configuration of the console.
pub fn section() -> String {
    format!(
        "\n[admin]\naddress = \"127.0.0.1:0\"\nuser = \"{USER}\"\npassword = '''{PASSWORD}'''\n"
    )
}

/// A client of the lab's console.
pub fn console(lab: &Lab) -> Client {
    lab.connect(lab.proxy.console(), &Login::new(USER, PASSWORD))
}
