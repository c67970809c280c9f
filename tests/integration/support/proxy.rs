//! A codec-proxy process: the real binary with a configuration file of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// The binary under test: the one just built, unless the environment names another.
pub fn binary() -> String {
    let built = env!("CARGO_BIN_EXE_codec-proxy").to_owned();
    std::env::var("CODEC_PROXY_TESTS_BINARY").unwrap_or(built)
}

/// A running proxy; stopped by SIGTERM when dropped, and then it must exit with 0.
pub struct Proxy {
    process: Child,
    log: Arc<Log>,
    program: String,
    config: PathBuf,
    /// False once a test has killed it or taken its exit status.
    expect_clean_exit: bool,
}

impl Proxy {
    /// Starts `serve` of a program and waits until it listens as often as the configuration says.
    pub fn of_binary(program: &str, config: &Path, listeners: usize) -> Self {
        let mut process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", program, "serve", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("codec-proxy starts");
        let log = Log::follow(process.stderr.take().expect("piped"));
        let mut proxy = Self {
            process,
            log,
            program: program.to_owned(),
            config: config.to_owned(),
            expect_clean_exit: true,
        };
        proxy.wait_until_ready(listeners);
        proxy
    }

    fn wait_until_ready(&mut self, listeners: usize) {
        let ready = self.log.wait(Duration::from_secs(20), |lines| {
            ports(lines).len() >= listeners
        });
        if !ready {
            self.expect_clean_exit = false;
            panic!("codec-proxy does not listen:\n{}", self.log.text());
        }
    }

    /// The port of the listener with this view.
    pub fn port(&self, view: &str) -> u16 {
        let ports = ports(&self.log.lines());
        let found = ports.iter().find(|(name, _)| name == view);
        found.unwrap_or_else(|| panic!("no {view} listener")).1
    }

    /// The port of the console.
    pub fn console(&self) -> u16 {
        self.port_in("the console listens")
    }

    /// The port that metrics are served at.
    pub fn web(&self) -> u16 {
        self.port_in("metrics are served")
    }

    fn port_in(&self, message: &str) -> u16 {
        let port = |line: &String| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            (line["message"] == message).then_some(())?;
            let (_, port) = line["address"].as_str()?.rsplit_once(':')?;
            port.parse().ok()
        };
        let lines = self.log.lines();
        let found = lines.iter().find_map(port);
        found.unwrap_or_else(|| panic!("no line {message:?}:\n{}", self.log.text()))
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until it has logged a line with this text.
    pub fn wait_for_log(&self, text: &str) -> bool {
        self.log.wait(Duration::from_secs(10), |lines| {
            lines.iter().any(|line| line.contains(text))
        })
    }

    pub fn terminate(&self) {
        signal("TERM", self.pid());
    }

    /// Waits for the end of the process.
    pub fn wait(&mut self) -> ExitStatus {
        self.expect_clean_exit = false;
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            if let Some(status) = self.process.try_wait().expect("a child") {
                return status;
            }
            if Instant::now() > deadline {
                let _ = self.process.kill();
                panic!("codec-proxy does not stop:\n{}", self.log.text());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL, in the middle of whatever it is doing.
    pub fn kill(&mut self) {
        self.expect_clean_exit = false;
        self.process.kill().expect("a child");
        self.process.wait().expect("a child");
    }

    /// Starts it again with the same configuration (and new ports).
    pub fn restart(&mut self) {
        let listeners = ports(&self.log.lines()).len();
        *self = Self::of_binary(&self.program.clone(), &self.config.clone(), listeners);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if !self.expect_clean_exit || std::thread::panicking() {
            let _ = self.process.kill();
            let _ = self.process.wait();
            if std::thread::panicking() {
                eprintln!("codec-proxy logged:\n{}", self.log.text());
            }
            return;
        }
        self.terminate();
        let status = self.wait();
        assert!(status.success(), "{status} after:\n{}", self.log.text());
    }
}

/// Sends a signal by name.
pub fn signal(name: &str, pid: u32) {
    let status = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status();
    assert!(status.expect("kill runs").success());
}

/// View and port of each line that says "listening".
fn ports(lines: &[String]) -> Vec<(String, u16)> {
    let port = |line: &String| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        let fields = line.get("fields").unwrap_or(&line);
        (fields["message"] == "listening").then_some(())?;
        let address = fields["address"].as_str()?;
        let (_, port) = address.rsplit_once(':')?;
        Some((fields["view"].as_str()?.to_owned(), port.parse().ok()?))
    };
    lines.iter().filter_map(port).collect()
}

/// The lines that a process writes, gathered while it runs.
struct Log {
    lines: Mutex<Vec<String>>,
    /// The stream is at its end: the process is, too.
    ended: AtomicBool,
    grown: Condvar,
}

impl Log {
    fn follow(stream: impl std::io::Read + Send + 'static) -> Arc<Self> {
        let log = Arc::new(Self {
            lines: Mutex::new(Vec::new()),
            ended: AtomicBool::new(false),
            grown: Condvar::new(),
        });
        let writer = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                writer.lines.lock().expect("not poisoned").push(line);
                writer.grown.notify_all();
            }
            writer.ended.store(true, Ordering::SeqCst);
            writer.grown.notify_all();
        });
        log
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("not poisoned").clone()
    }

    fn text(&self) -> String {
        self.lines().join("\n")
    }

    fn wait(&self, limit: Duration, enough: impl Fn(&[String]) -> bool) -> bool {
        let lines = self.lines.lock().expect("not poisoned");
        let pending =
            |lines: &mut Vec<String>| !enough(lines) && !self.ended.load(Ordering::SeqCst);
        let waited = self.grown.wait_timeout_while(lines, limit, pending);
        enough(&waited.expect("not poisoned").0)
    }
}
