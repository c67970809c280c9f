//! One MariaDB server for all test processes of a run.
//!
//! `cargo test` runs all tests in one process, nextest one process per test. So that both share
//! a server, a keeper process of its own holds it: the first test that finds no keeper starts
//! this test binary again as one. The keeper listens on an abstract Unix socket, which is also
//! the lock (the name can be bound once and goes with the process). A test holds a connection to
//! it for as long as it lives; when the last one is gone the keeper stops the server and removes
//! its files. The server gets SIGKILL from the kernel should the keeper be killed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::server::Server;

/// Set in the environment of the keeper process only.
const KEEPER: &str = "CODEC_PROXY_TESTS_KEEPER";
/// How long the server outlives its last user: nextest leaves gaps between processes.
const LINGER: Duration = Duration::from_secs(3);

/// A claim on the shared server; the server may stop once all claims are dropped.
pub struct Claim {
    /// TCP port of the server on 127.0.0.1.
    pub port: u16,
    _held: UnixStream,
}

/// Connects to the keeper, starting one if there is none.
pub fn claim() -> Claim {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Ok(stream) = UnixStream::connect_addr(&socket_name()) {
            let mut line = String::new();
            let mut reader = BufReader::new(&stream);
            // An end of stream here is a keeper that was just leaving.
            if reader.read_line(&mut line).is_ok() && !line.is_empty() {
                let port = line.trim().parse().expect("the keeper sends a port");
                return Claim {
                    port,
                    _held: stream,
                };
            }
        } else {
            start();
        }
        assert!(Instant::now() < deadline, "no test database came up");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn socket_name() -> SocketAddr {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_TARGET_TMPDIR").hash(&mut hasher);
    let name = format!("codec-proxy-tests-{:016x}", hasher.finish());
    SocketAddr::from_abstract_name(name).expect("a short name")
}

fn start() {
    let binary = std::env::current_exe().expect("the test binary knows itself");
    let mut keeper = Command::new(binary)
        .args(["--exact", "support::keeper::keep", "--ignored"])
        .env(KEEPER, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A runner that kills the process group of one test must leave the others a server.
        .process_group(0)
        .spawn()
        .expect("the keeper starts");
    std::thread::spawn(move || keeper.wait());
}

/// The keeper's own process; no test, and does nothing when a runner includes ignored tests.
#[test]
#[ignore = "the keeper of the shared database, started by the tests that need it"]
fn keep() {
    if std::env::var_os(KEEPER).is_none() {
        return;
    }
    let Ok(listener) = UnixListener::bind_addr(&socket_name()) else {
        return; // another keeper was faster
    };
    let server = Server::start(&[]);
    let users = Arc::new(AtomicUsize::new(0));
    listener.set_nonblocking(true).expect("nonblocking");
    let mut idle_since = Instant::now();
    while idle_since.elapsed() < LINGER {
        match listener.accept() {
            Ok((stream, _)) => serve(stream, server.port, Arc::clone(&users)),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
        if users.load(Ordering::SeqCst) > 0 {
            idle_since = Instant::now();
        }
    }
}

fn serve(mut stream: UnixStream, port: u16, users: Arc<AtomicUsize>) {
    users.fetch_add(1, Ordering::SeqCst);
    std::thread::spawn(move || {
        stream.set_nonblocking(false).expect("blocking");
        if writeln!(stream, "{port}").is_ok() {
            // Ends when the test process does, in whatever way.
            let _ = stream.read(&mut [0]);
        }
        users.fetch_sub(1, Ordering::SeqCst);
    });
}
