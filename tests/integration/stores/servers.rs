//! The servers behind the stores, besides SeaweedFS: Azurite, and the fake of Google's.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::python;
use crate::support::server::free_port;

/// The account of Azurite that it is started with.
pub const ACCOUNT: &str = "lab";
/// Its key, in base64.
pub const ACCOUNT_KEY: &str = "YSBzZWNyZXQgb2YgdGhlIHRlc3Rz";

/// Azurite, Microsoft's emulator; killed, and its files removed, when this is dropped.
pub struct Azurite {
    port: u16,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Azurite {
    pub fn start() -> Self {
        let program = installed("azurite.sh", "azurite/node_modules/.bin/azurite-blob");
        let folder = folder("azurite");
        let port = free_port();
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry"])
            .args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()])
            .arg("--location")
            .arg(folder.path())
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{ACCOUNT_KEY}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("azurite starts");
        let server = Self {
            port,
            process,
            _folder: folder,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "Azurite does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// Its `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The fake of Google Cloud Storage in `tests/servers`; ends when this is dropped.
pub struct GcsFake {
    port: u16,
    /// The JSON of the only service account it knows.
    pub account: serde_json::Value,
    process: Child,
    _input: ChildStdin,
    _folder: tempfile::TempDir,
}

impl GcsFake {
    pub fn start(bucket: &str) -> Self {
        let folder = folder("gcs");
        let mut process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(python::environment("dj2"))
            .arg(root().join("tests/servers/gcs_fake.py"))
            .arg(folder.path())
            .arg(bucket)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let input = process.stdin.take().expect("piped");
        let mut line = String::new();
        let output = process.stdout.take().expect("piped");
        let mut output = BufReader::new(output);
        output.read_line(&mut line).expect("a line");
        let told: serde_json::Value = serde_json::from_str(&line).expect("what it serves");
        Self {
            port: told["port"].as_u64().expect("a port") as u16,
            account: told["account"].clone(),
            process,
            _input: input,
            _folder: folder,
        }
    }

    /// Its `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Another key, which the fake does not know.
    pub fn another_key() -> String {
        let program = "from cryptography.hazmat.primitives import serialization as s\n\
                       from cryptography.hazmat.primitives.asymmetric import rsa\n\
                       key = rsa.generate_private_key(public_exponent=65537, key_size=2048)\n\
                       print(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, \
                       s.NoEncryption()).decode())";
        let output = Command::new(python::environment("dj2"))
            .args(["-c", program])
            .output()
            .expect("Python runs");
        String::from_utf8(output.stdout).expect("PEM")
    }
}

impl Drop for GcsFake {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes a container, which needs a client of Azure's: DataJoint's environment has none, so the
/// request is signed here, by the shared key of the account.
pub fn make_container(server: &Azurite, container: &str) {
    let program = "import base64, email.utils, hashlib, hmac, sys, urllib.request\n\
        address, account, key, container = sys.argv[1:]\n\
        date = email.utils.formatdate(usegmt=True)\n\
        head = f'x-ms-date:{date}\\nx-ms-version:2021-12-02'\n\
        path = f'/{account}/{account}/{container}\\nrestype:container'\n\
        text = 'PUT' + '\\n' * 12 + head + '\\n' + path\n\
        mac = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()\n\
        signature = base64.b64encode(mac).decode()\n\
        request = urllib.request.Request(\n\
            f'http://{address}/{account}/{container}?restype=container', method='PUT', headers={\n\
            'x-ms-date': date, 'x-ms-version': '2021-12-02',\n\
            'Authorization': f'SharedKey {account}:{signature}'})\n\
        urllib.request.urlopen(request).read()\n";
    let output = Command::new(python::environment("dj2"))
        .args(["-c", program])
        .args([&server.address(), ACCOUNT, ACCOUNT_KEY, container])
        .output()
        .expect("Python runs");
    let _ = std::io::stderr().write_all(&output.stderr);
    assert!(output.status.success(), "no container was made");
}

/// A program that a script of `tests/setup` installs, below the folder of the tools.
fn installed(script: &str, program: &str) -> PathBuf {
    let output = Command::new(root().join("tests/setup").join(script)).output();
    let output = output.expect("a shell");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::env::var_os("CODEC_PROXY_TOOLS")
        .map_or(root().join("target/tools"), PathBuf::from)
        .join(program)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder(name: &str) -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix(&format!("codec-proxy-{name}-"))
        .tempdir()
        .expect("a temporary directory")
}
