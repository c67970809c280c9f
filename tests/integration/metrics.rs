//! What is served by HTTP: counters, readiness, and the page for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::lab::Lab;

/// A lab with metrics, and whatever `more` adds to its configuration.
fn lab_with(name: &str, more: &str) -> Lab {
    let section = "\n[metrics]\naddress = \"127.0.0.1:0\"\n";
    Lab::with_config(name, |config| config + section + more)
}

/// A response.
pub struct Got {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Sends bytes and reads until the server closes.
fn ask(port: u16, request: &[u8]) -> Got {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    stream.write_all(request).expect("it reads");
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    Got {
        status: head
            .get(9..12)
            .and_then(|s| s.parse().ok())
            .unwrap_or_default(),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

pub fn get(port: u16, path: &str) -> Got {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ask(port, request.as_bytes())
}

/// Reads Prometheus' text format, and fails at the first line that is not as it should be.
fn parse(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'));
    let is_name = |name: &str| {
        let mut chars = name.chars();
        chars
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let (mut samples, mut kinds) = (BTreeMap::new(), BTreeMap::new());
    let mut helped = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a text");
            assert!(helped.insert(name) && help.ends_with('.'), "{line}");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(
                helped.contains(name) && kinds.insert(name, kind).is_none(),
                "{line}"
            );
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        let (name, labels) = match series.split_once('{') {
            None => (series, ""),
            Some((name, labels)) => (name, labels.strip_suffix('}').expect("closed")),
        };
        assert!(is_name(name), "{line}");
        for label in labels.split(',').filter(|label| !label.is_empty()) {
            let (name, value) = label.split_once('=').expect("a value");
            assert!(
                is_name(name) && value.starts_with('"') && value.ends_with('"'),
                "{line}"
            );
        }
        let of_histogram = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .filter(|base| kinds.get(base) == Some(&"histogram"));
        let kind = kinds.get(of_histogram.unwrap_or(name));
        let kind = kind.unwrap_or_else(|| panic!("no type: {line}"));
        assert_eq!(*kind == "counter", name.ends_with("_total"), "{line}");
        assert!(value >= 0.0, "{line}");
        assert!(
            samples.insert(series.to_owned(), value).is_none(),
            "twice: {line}"
        );
    }
    samples
}

#[test]
fn what_happens_is_counted() {
    let lab = lab_with("counted", "");
    let port = lab.proxy.web();
    lab.blob_table("scan");
    let before = parse(&get(port, "/metrics").body);
    let mut client = lab.bytes();
    for n in 0..7 {
        client.ok(format!(
            "INSERT INTO scan (id, data) VALUES ({n}, 'mYm\\0{n}')"
        ));
    }
    client.ok("SELECT data FROM scan");
    client.error("INSERT INTO scan (id, data) VALUES (9, 'no blob')");
    client.ok("SELECT 1");
    let after = get(port, "/metrics");
    assert_eq!(after.status, 200);
    assert!(
        after
            .head
            .contains("content-type: text/plain; version=0.0.4"),
        "{}",
        after.head
    );
    let samples = parse(&after.body);
    let of = |samples: &BTreeMap<String, f64>, name: &str| {
        samples
            .get(&format!("codec_proxy_{name}"))
            .copied()
            .unwrap_or_default()
    };
    let grew = |name: &str| of(&samples, name) - of(&before, name);
    for (name, by) in [
        ("commands_total", 10.0),
        ("sessions_total", 1.0),
        ("statements_total{plan=\"write\"}", 8.0),
        ("statements_total{plan=\"read\"}", 1.0),
        ("refusals_total{error=\"1366\"}", 1.0),
        (
            "store_requests_total{operation=\"put\",outcome=\"ok\",store=\"main\"}",
            7.0,
        ),
        (
            "store_requests_total{operation=\"get\",outcome=\"ok\",store=\"main\"}",
            7.0,
        ),
        (
            "store_request_seconds_count{operation=\"put\",store=\"main\"}",
            7.0,
        ),
        // The last one is refused by its first bytes.
        ("statement_seconds_count{phase=\"encode\"}", 7.0),
        ("statement_seconds_count{phase=\"decode\"}", 1.0),
    ] {
        assert_eq!(grew(name), by, "{name}\n{}", after.body);
    }
    assert!(grew("client_bytes_total{direction=\"received\"}") > 400.0);
    assert!(of(&samples, "codec_columns{usable=\"yes\"}") >= 1.0);
    let sessions: f64 = ["login", "idle", "working", "running"]
        .iter()
        .map(|state| of(&samples, &format!("sessions{{state=\"{state}\"}}")))
        .sum();
    assert!(sessions >= 1.0);
    drop(client);
    // What it has counted stays.
    let later = parse(&get(port, "/metrics").body);
    assert!(of(&later, "commands_total") >= of(&samples, "commands_total"));
    checked_by_prometheus(&after.body);
}

/// Where Prometheus' own tool is there, it has no complaint.
fn checked_by_prometheus(text: &str) {
    let tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut tool) = tool else {
        return eprintln!("SKIPPED: promtool is not installed (Debian: prometheus)");
    };
    let mut input = tool.stdin.take().expect("piped");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let output = tool.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn ready_is_who_reaches_all() {
    let lab = lab_with("ready", "[limits]\nstore_seconds = 2\n");
    let port = lab.proxy.web();
    let health = get(port, "/health");
    assert_eq!((health.status, health.body.as_str()), (200, "alive\n"));
    let ready = get(port, "/ready");
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (200, "database: ok\nstore main: ok\n")
    );
    let away = lab.folder().join("away");
    fs::rename(&lab.store, &away).expect("moved");
    // The old answer holds for a few seconds.
    assert_eq!(get(port, "/ready").status, 200);
    let wait = |status| {
        let began = Instant::now();
        loop {
            let ready = get(port, "/ready");
            if ready.status == status {
                return ready.body;
            }
            assert!(began.elapsed() < Duration::from_secs(15), "{}", ready.body);
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let body = wait(503);
    assert!(
        body.starts_with("database: ok\nstore main: store 'main', put: "),
        "{body}"
    );
    // Alive is another question.
    assert_eq!(get(port, "/health").status, 200);
    fs::rename(&away, &lab.store).expect("moved back");
    wait(200);
    assert!(files(&lab.store).is_empty(), "{:?}", files(&lab.store));
}

/// What is left in a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn the_page_is_whole_and_text_stays_text() {
    let lab = lab_with("page", "");
    let port = lab.proxy.web();
    lab.table(
        "evil",
        "id INT PRIMARY KEY, `<script>alert(1)</script>` JSON COMMENT ':<blob@main>:x'",
    );
    let mut client = lab.bytes();
    client.error("INSERT INTO evil VALUES (1, 'no blob')");
    let page = get(port, "/");
    assert_eq!(page.status, 200);
    for part in [
        "content-type: text/html; charset=utf-8",
        "default-src 'none'",
        "no-store",
    ] {
        assert!(page.head.contains(part), "{part}: {}", page.head);
    }
    let text = &page.body;
    for part in [
        "<!doctype html>",
        "name=\"viewport\"",
        "<span>sessions, ",
        &format!("{} in {}", lab.user, lab.database),
        "evil.&lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;hash&gt;",
        "</html>",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // Nothing to run and nothing to load.
    for part in ["<script", "src=", "http://", "https://", "@import", "url("] {
        assert!(!text.contains(part), "{part}\n{text}");
    }
    for tag in ["table", "tbody", "div", "svg", "body"] {
        let (open, closed) = (format!("<{tag}"), format!("</{tag}>"));
        assert_eq!(
            text.matches(&open).count(),
            text.matches(&closed).count(),
            "{tag}"
        );
    }
}

#[test]
fn other_requests_are_turned_down() {
    let lab = lab_with("requests", "clients = 4\n");
    let port = lab.proxy.web();
    assert_eq!(get(port, "/nothing").status, 404);
    assert_eq!(get(port, "/../metrics").status, 404);
    let post = ask(
        port,
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(post.status, 405);
    assert!(post.head.contains("allow: get, head"), "{}", post.head);
    let head = ask(
        port,
        b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let long = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "y".repeat(40_000)
    );
    assert!(matches!(ask(port, long.as_bytes()).status, 0 | 400..=431));
    assert!(matches!(
        ask(port, b"\x16\x03\x01\0\xff\r\n\r\n").status,
        0 | 400
    ));
    // All places taken: the next one is closed, and clients of the database notice nothing.
    let taken: Vec<_> = (0..4)
        .map(|_| TcpStream::connect(("127.0.0.1", port)).expect("it listens"))
        .collect();
    let began = Instant::now();
    while get(port, "/health").status != 0 {
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(lab.bytes().text("SELECT 1"), "1");
    drop(taken);
    while get(port, "/health").status != 200 {
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_browser_shows_the_page() {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok());
    let Some(browser) = found else {
        return eprintln!("SKIPPED: no chromium here; `make test-page` installs it");
    };
    let lab = lab_with("browser", "");
    lab.blob_table("scan");
    let clients: Vec<_> = (0..12).map(|_| lab.bytes()).collect();
    for mut client in clients.iter().map(|_| lab.bytes()) {
        client.error("INSERT INTO scan (id, data) VALUES (1, 'no blob')");
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/page.py");
    let output = Command::new("python3")
        .arg(program)
        .arg(browser)
        .arg(format!("http://127.0.0.1:{}/", lab.proxy.web()))
        .args(std::env::var_os("CODEC_PROXY_TESTS_SCREENSHOTS"))
        .current_dir(lab.folder())
        .output()
        .expect("python3 runs");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
