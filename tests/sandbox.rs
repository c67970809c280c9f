//! `codec-proxy sandbox`, and the demonstration that runs on it: what they leave behind is
//! nothing, whatever ends them.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const PROXY: &str = env!("CARGO_BIN_EXE_codec-proxy");

#[test]
fn the_demonstration_finds_no_difference() {
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo/demo.py"))
        .args(["--proxy", PROXY])
        .output()
        .expect("python3 starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
}

#[test]
fn ctrl_c_and_sigterm_end_it_in_order() {
    for signal in ["INT", "TERM"] {
        let mut sandbox = Sandbox::start();
        sandbox.signal(signal);
        let status = sandbox.process.wait().expect("it ends");
        assert!(status.success(), "{signal}: {status}");
        // In order means: already gone when the process is.
        assert_eq!(sandbox.left(), Vec::<String>::new(), "{signal}");
    }
}

#[test]
fn being_killed_outright_leaves_nothing_either() {
    let mut sandbox = Sandbox::start();
    sandbox.signal("KILL");
    sandbox.process.wait().expect("it ends");
    // Its guard may wait 20 s for a process that nobody reaps.
    let deadline = Instant::now() + Duration::from_secs(40);
    while !sandbox.left().is_empty() {
        assert!(Instant::now() < deadline, "left: {:?}", sandbox.left());
        std::thread::sleep(Duration::from_millis(100));
    }
}

struct Sandbox {
    process: Child,
    place: Value,
    _folder: TempDir,
}

/// A test that failed leaves no sandbox running: the guard of one that is killed cleans up.
impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Sandbox {
    fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let ready_file = folder.path().join("ready.json");
        let mut process = Command::new(PROXY)
            .args(["sandbox", "--ready-file"])
            .arg(&ready_file)
            .stdout(Stdio::null())
            .spawn()
            .expect("codec-proxy starts");
        let deadline = Instant::now() + Duration::from_secs(90);
        let text = loop {
            if let Ok(text) = std::fs::read_to_string(&ready_file) {
                break text;
            }
            let ended = process.try_wait().expect("its status");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "not ready: {ended:?}"
            );
            std::thread::sleep(Duration::from_millis(20));
        };
        let place = serde_json::from_str(&text).expect("JSON");
        let sandbox = Self {
            process,
            place,
            _folder: folder,
        };
        assert_eq!(sandbox.left().len(), 4, "before its end it is all there");
        sandbox
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.is_ok_and(|status| status.success()));
    }

    /// What of it is still there: the folder, and ports that are answered.
    fn left(&self) -> Vec<String> {
        let store = self.place["stores"]["main"]["location"]
            .as_str()
            .expect("a path");
        let home = PathBuf::from(store).parent().expect("a folder").to_owned();
        let mut left: Vec<String> = ["database", "bytes", "stored"]
            .into_iter()
            .filter(|door| self.answers(door))
            .map(str::to_owned)
            .collect();
        if home.exists() {
            left.push(home.display().to_string());
        }
        left
    }

    fn answers(&self, door: &str) -> bool {
        let port = self.place[door]["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok());
        TcpStream::connect(("127.0.0.1", port.expect("a port"))).is_ok()
    }
}
