//! The conformance suite of the stores: what every kind has to do, on every kind.
//!
//! A directory, memory, S3 (SeaweedFS, a real server), Azure (Azurite, Microsoft's emulator) and
//! Google Cloud Storage (a fake, see `tests/servers/gcs_fake.py`). Each test starts its server,
//! runs all checks on it and tells which failed. `CODEC_PROXY_TESTS_LONG=1` makes the sizes
//! those of the long run: 1 GiB by parts, 10,000 objects.

mod bench;
mod checks;
mod faults;
mod hashed;
mod relay;
mod servers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::support::seaweed::{BUCKET, Seaweed};
use bench::{Bench, Server};

type Check = (&'static str, fn(&Bench));

fn conforms(server: Server) {
    let bench = Bench::new(server);
    let mut failed = Vec::new();
    for check in [hashed::CHECKS, checks::CHECKS].concat() {
        failed.extend(run(&bench, check));
    }
    // These mostly wait; each has a relay of its own to do its mischief in.
    std::thread::scope(|scope| {
        let bench = &bench;
        let threads: Vec<_> = faults::CHECKS
            .iter()
            .map(|&check| scope.spawn(move || run(bench, check)))
            .collect();
        for thread in threads {
            failed.extend(thread.join().expect("panics are caught"));
        }
    });
    assert!(failed.is_empty(), "these failed: {failed:?}");
}

/// Runs a check; gives its name if it fails, so that the others are run all the same.
fn run(bench: &Bench, (name, check): Check) -> Option<&'static str> {
    let began = Instant::now();
    let failed = catch_unwind(AssertUnwindSafe(|| check(bench))).is_err();
    eprintln!("{name}: {:.2} s", began.elapsed().as_secs_f32());
    failed.then_some(name)
}

#[test]
fn file() {
    conforms(Server::file());
}

#[test]
fn memory() {
    conforms(Server::Memory);
}

#[test]
fn s3() {
    conforms(Server::S3(Seaweed::start()));
}

#[test]
fn gcs_fake() {
    conforms(Server::Gcs(servers::GcsFake::start(BUCKET)));
}

#[test]
fn azure() {
    conforms(Server::azure());
}
