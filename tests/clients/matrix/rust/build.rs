//! Tells the programs the versions of their drivers, as Cargo.lock has them.

use std::fs;

fn main() {
    println!("cargo::rerun-if-changed=Cargo.lock");
    let lock = fs::read_to_string("Cargo.lock").expect("Cargo.lock is there");
    for name in ["sqlx", "mysql_async"] {
        let entry = format!("name = \"{name}\"\nversion = \"");
        let (_, rest) = lock.split_once(&entry).expect("the driver is in Cargo.lock");
        let version = rest.split('"').next().unwrap_or_default();
        println!("cargo::rustc-env={}_VERSION={version}", name.to_uppercase());
    }
}
