//! A TCP relay before a server, which can cut connections, let nothing through, or be slow.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Bytes that are passed on at once.
const PIECE: usize = 64 * 1024;

/// A relay; it ends when this is dropped.
pub struct Relay {
    port: u16,
    state: Arc<State>,
}

struct State {
    target: String,
    /// Bytes that still go through, both ways together; then all connections end.
    left: AtomicI64,
    /// Whether connections are taken when nothing is left.
    dead: AtomicBool,
    /// Whether nothing moves, while everything seems to be open.
    hanging: AtomicBool,
    /// Bytes a second on each way of each connection; 0 is as fast as it goes.
    rate: AtomicU64,
    over: AtomicBool,
}

impl Relay {
    /// A relay to `target`, through which everything goes.
    pub fn new(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let state = Arc::new(State {
            target: target.to_owned(),
            left: AtomicI64::new(i64::MAX),
            dead: AtomicBool::new(false),
            hanging: AtomicBool::new(false),
            rate: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.over.load(Ordering::SeqCst) {
                    return;
                }
                accept(&client, &shared);
            }
        });
        Self { port, state }
    }

    /// Its `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends all connections after `bytes` more, and takes no new ones.
    pub fn die_after(&self, bytes: i64) {
        self.state.dead.store(true, Ordering::SeqCst);
        self.state.left.store(bytes, Ordering::SeqCst);
    }

    /// Ends all connections after `bytes` more, and takes new ones, once.
    pub fn cut_after(&self, bytes: i64) {
        self.state.left.store(bytes, Ordering::SeqCst);
    }

    /// From now on nothing moves.
    pub fn hang(&self) {
        self.state.hanging.store(true, Ordering::SeqCst);
    }

    /// From now on at most `rate` bytes a second.
    pub fn slow_down(&self, rate: u64) {
        self.state.rate.store(rate, Ordering::SeqCst);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        self.state.hanging.store(false, Ordering::SeqCst);
        self.die_after(0);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn accept(client: &TcpStream, state: &Arc<State>) {
    if state.left.load(Ordering::SeqCst) <= 0 {
        if state.dead.load(Ordering::SeqCst) {
            return;
        }
        state.left.store(i64::MAX, Ordering::SeqCst);
    }
    let Ok(server) = TcpStream::connect(&state.target) else {
        return;
    };
    for (from, to) in [(client, &server), (&server, client)] {
        let _ = from.set_nodelay(true);
        let ends = (from.try_clone(), to.try_clone());
        let (Ok(from), Ok(to)) = ends else { return };
        let state = state.clone();
        std::thread::spawn(move || {
            pass(&from, &to, &state);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, state: &State) {
    let mut piece = vec![0; PIECE];
    while let Ok(n @ 1..) = from.read(&mut piece) {
        while state.hanging.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(10));
        }
        if let Some(seconds) = n_over(n, state.rate.load(Ordering::SeqCst)) {
            std::thread::sleep(Duration::from_secs_f64(seconds));
        }
        if state.left.fetch_sub(n as i64, Ordering::SeqCst) < n as i64 {
            return;
        }
        if to.write_all(&piece[..n]).is_err() {
            return;
        }
    }
}

fn n_over(n: usize, rate: u64) -> Option<f64> {
    (rate > 0).then(|| n as f64 / rate as f64)
}
