//! SeaweedFS, a real S3 server: signatures are checked, conditional writes are kept.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::python;
use super::server::free_port;

/// The bucket that a new server has.
pub const BUCKET: &str = "lab";
/// The access key.
pub const ACCESS: &str = "tests";
/// The secret key.
pub const SECRET: &str = "a secret of the tests";

/// An S3 server that is killed, and its files removed, when this is dropped.
pub struct Seaweed {
    folder: tempfile::TempDir,
    ports: [u16; 8],
    process: Child,
}

impl Seaweed {
    pub fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("codec-proxy-seaweed-")
            .tempdir()
            .expect("a temporary directory");
        fs::create_dir(folder.path().join("data")).expect("a folder");
        let identity = serde_json::json!({"identities": [{
            "name": "tests",
            "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }]});
        fs::write(folder.path().join("s3.json"), identity.to_string()).expect("a file");
        let ports = std::array::from_fn(|_| free_port());
        let process = spawn(&folder, ports);
        let server = Self {
            folder,
            ports,
            process,
        };
        server.wait_until_writable();
        let made = server.http(server.filer(), &format!("POST /buckets/{BUCKET}/"));
        assert!(made.starts_with(b"HTTP/1.0 20") || made.starts_with(b"HTTP/1.1 20"));
        server
    }

    /// SIGKILL, in the middle of whatever it is doing.
    pub fn kill(&mut self) {
        self.process.kill().expect("a child");
        self.process.wait().expect("a child");
    }

    /// Starts it again on the same ports, with what it had written.
    pub fn restart(&mut self) {
        self.process = spawn(&self.folder, self.ports);
        self.wait_until_writable();
    }

    /// Its `host:port`, as `endpoint` of a store.
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.ports[0])
    }

    /// The bytes of an object, read past S3.
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        let answer = self.http(self.filer(), &format!("GET /buckets/{BUCKET}/{key}"));
        let body = memchr::memmem::find(&answer, b"\r\n\r\n")? + 4;
        let found = answer.starts_with(b"HTTP/1.0 200") || answer.starts_with(b"HTTP/1.1 200");
        found.then(|| answer[body..].to_vec())
    }

    fn filer(&self) -> u16 {
        self.ports[2]
    }

    /// It answers 403 until a volume can be written.
    fn wait_until_writable(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let assigned = self.http(self.ports[4], "GET /dir/assign");
            let filer = self.http(self.filer(), "GET /");
            let s3 = TcpStream::connect(("127.0.0.1", self.ports[0])).is_ok();
            if memchr::memmem::find(&assigned, b"\"fid\"").is_some() && !filer.is_empty() && s3 {
                return;
            }
            assert!(Instant::now() < deadline, "SeaweedFS does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// One request; nothing at all where nobody answers.
    fn http(&self, port: u16, request: &str) -> Vec<u8> {
        let ask = || -> std::io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            write!(stream, "{request} HTTP/1.0\r\nContent-Length: 0\r\n\r\n")?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        };
        ask().unwrap_or_default()
    }
}

impl Drop for Seaweed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        // Killed, it leaves the sockets that it has made in /tmp, named by its ports.
        for port in self.ports {
            for part in ["s3", "filer", "master", "volume"] {
                for kind in ["", "-grpc"] {
                    let _ = fs::remove_file(format!("/tmp/seaweedfs-{part}{kind}-{port}.sock"));
                }
            }
        }
    }
}

fn spawn(folder: &tempfile::TempDir, ports: [u16; 8]) -> Child {
    let [
        s3,
        s3_grpc,
        filer,
        filer_grpc,
        master,
        master_grpc,
        volume,
        volume_grpc,
    ] = ports;
    let path = |name: &str| folder.path().join(name).display().to_string();
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL"])
        .arg(weed())
        .arg(format!("-logdir={}", folder.path().display()))
        .args([
            "server",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-filer",
            "-s3",
        ])
        .arg(format!("-dir={}", path("data")))
        .arg(format!("-s3.config={}", path("s3.json")))
        .arg(format!("-s3.port={s3}"))
        .arg(format!("-s3.port.grpc={s3_grpc}"))
        .arg(format!("-filer.port={filer}"))
        .arg(format!("-filer.port.grpc={filer_grpc}"))
        .arg(format!("-master.port={master}"))
        .arg(format!("-master.port.grpc={master_grpc}"))
        .arg(format!("-volume.port={volume}"))
        .arg(format!("-volume.port.grpc={volume_grpc}"))
        // As Amazon does: nobody makes a bucket by writing into it.
        .arg("-s3.autoCreateBucket=false")
        // Without these it dies when someone else has their usual ports.
        .args(["-s3.port.iceberg=0", "-s3.port.lance=0"])
        .args(["-master.volumeSizeLimitMB=64", "-volume.max=60"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("weed starts")
}

fn weed() -> PathBuf {
    python::environment("seaweedfs").with_file_name("weed")
}
