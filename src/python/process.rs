//! One worker: a Python process in a group of its own, at the other end of a socket.
//!
//! 1. `start` makes its folder, starts the interpreter with an environment of a few variables,
//!    and tells the guard of it.
//! 2. It is sent its settings, and answers with what codecs there are, within `start_seconds`.
//!    *Fails:* it is killed; the error says how far it came.
//! 3. `send` gives it a frame of calls; `receive` takes one answer after the other.
//!    *Fails* (it ends, hangs, or answers nonsense): whoever uses it drops it.
//! 4. Dropped, it is killed with all that it has started, and its folder goes.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::call::{Answer, Asked, Facts};
use super::guard::Guard;
use super::{Settings, output};

/// The Python side: the files of a package of this name.
const PACKAGE: &str = "codec_proxy_worker";
const FILES: [(&str, &str); 6] = [
    ("__init__.py", include_str!("worker/__init__.py")),
    ("main.py", include_str!("worker/main.py")),
    ("calls.py", include_str!("worker/calls.py")),
    ("clients.py", include_str!("worker/clients.py")),
    ("files.py", include_str!("worker/files.py")),
    ("found.py", include_str!("worker/found.py")),
];

/// The lengths of a header and a body: 4 and 8 bytes.
const LENGTHS: usize = 12;

/// The longest header of an answer, in bytes.
const LONGEST_HEADER: usize = 16 << 20;

/// How long a process may take to be gone once it has closed its socket.
const LAST_MOMENTS: Duration = Duration::from_millis(200);

/// The folder of a pool, which no other user can look into. Removed by the guard.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    guard: Guard,
}

/// A worker.
pub(super) struct Worker {
    child: Child,
    socket: UnixStream,
    folder: Arc<Folder>,
    own: PathBuf,
}

/// What the environment of a worker has.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Listing {
    pub codecs: Vec<Facts>,
    /// Entry points that cannot be loaded, and why.
    pub failures: Vec<String>,
}

/// Why there is no worker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The interpreter, or a folder for it.
    #[error("cannot be started: {0}")]
    Spawn(#[from] io::Error),
    /// It took too long.
    #[error("was not ready within {} seconds (codecs.python.start_seconds)", .0.as_secs())]
    Slow(Duration),
    /// It ended first; what it has printed is in the log.
    #[error("ended at its start ({0}); is datajoint installed there?")]
    Ended(End),
    /// It answered something else.
    #[error("does not speak as a worker of this codec-proxy does: {0}")]
    Nonsense(String),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum End {
    /// Somebody killed it, itself perhaps.
    #[error("signal {0}")]
    Signal(i32),
    /// It exited.
    #[error("status {0}")]
    Status(i32),
    /// It is still there, and has closed its socket.
    #[error("its socket closed")]
    Closed,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// The time is up.
    Late,
    /// The process has ended, or closed its socket.
    Ended,
    /// The answer makes no sense.
    Nonsense(String),
}

impl Folder {
    /// A new folder with the worker's files in it.
    pub fn new() -> io::Result<Arc<Self>> {
        let folder = tempfile::Builder::new()
            .prefix("codec-proxy-python-")
            .tempdir()?;
        let package = folder.path().join(PACKAGE);
        fs::create_dir(&package)?;
        for (name, content) in FILES {
            fs::write(package.join(name), content)?;
        }
        let guard = Guard::new(folder.path())?;
        let path = folder.keep();
        Ok(Arc::new(Self { path, guard }))
    }
}

impl Worker {
    /// Steps 1 and 2; blocks. `stores` are told to it, keys and all.
    pub fn start(
        settings: &Settings,
        folder: &Arc<Folder>,
        stores: Option<&Json>,
    ) -> Result<(Self, Listing), StartError> {
        let own = tempfile::Builder::new()
            .prefix("worker-")
            .tempdir_in(&folder.path)?;
        let scratch = own.path().join("tmp");
        fs::create_dir(&scratch)?;
        let (ours, theirs) = UnixStream::pair()?;
        let (output, printed) = io::pipe()?;
        let mut command = Command::new(&settings.interpreter);
        command
            // Neither variables nor the user's own folders nor the current folder count.
            .args(["-I", "-X", "utf8"])
            .arg(folder.path.join(PACKAGE).join("main.py"))
            .env_clear()
            .envs(environment(&settings.interpreter, own.path(), &scratch))
            .current_dir(own.path())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stderr(printed.try_clone()?)
            .stdout(printed)
            .process_group(0);
        let child = command.spawn()?;
        // The command holds the other ends.
        drop(command);
        let group = child.id();
        let mut worker = Self {
            child,
            socket: ours,
            folder: folder.clone(),
            own: own.keep(),
        };
        folder.guard.begin(group)?;
        thread::Builder::new()
            .name("python-output".to_owned())
            .spawn(move || output::log(output, group))?;
        let header = json!({
            "memory_bytes": settings.memory_bytes,
            "allow_pickle": settings.allow_pickle,
            "scratch": scratch,
            "stores": stores,
        });
        worker.socket.set_write_timeout(Some(settings.start))?;
        let listing = match worker.write(&header, &[]) {
            Ok(()) => worker.read(settings.start, LONGEST_HEADER as u64, || {}),
            Err(_) => Err(Broken::Ended),
        };
        match listing {
            Ok((header, _)) => match serde_json::from_slice(&header) {
                Ok(listing) => {
                    tracing::info!(worker = group, "a Python worker is ready");
                    Ok((worker, listing))
                }
                Err(error) => Err(StartError::Nonsense(error.to_string())),
            },
            Err(Broken::Late) => Err(StartError::Slow(settings.start)),
            Err(Broken::Ended) => Err(StartError::Ended(worker.end())),
            Err(Broken::Nonsense(what)) => Err(StartError::Nonsense(what)),
        }
    }

    /// Step 3: a frame of calls with their bodies.
    pub fn send(&mut self, calls: &[&Asked], bodies: &[&Bytes]) -> Result<(), Broken> {
        // A worker reads all of a frame at once.
        self.write(&json!({ "calls": calls }), bodies)
            .map_err(|error| match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Broken::Late,
                _ => Broken::Ended,
            })
    }

    /// One answer, within `time` and of at most `most` bytes. `waiting` is called now and then.
    pub fn receive(
        &mut self,
        time: Duration,
        most: u64,
        waiting: impl FnMut(),
    ) -> Result<Answer, Broken> {
        let (header, body) = self.read(time, most, waiting)?;
        match serde_json::from_slice(&header) {
            Ok(header) => Ok(Answer { header, body }),
            Err(error) => Err(Broken::Nonsense(error.to_string())),
        }
    }

    /// Whether it still runs, as far as one can see.
    pub fn is_alive(&self) -> bool {
        matches!(self.ended(), Ok(None))
    }

    /// How it ended, if it has. It is not waited for: until then its number is no other's.
    fn ended(&self) -> io::Result<Option<WaitIdStatus>> {
        let process = WaitId::Pid(Pid::from_child(&self.child));
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(process, options)?)
    }

    /// How it ended; what has only closed its socket is killed.
    pub fn end(&self) -> End {
        let until = Instant::now() + LAST_MOMENTS;
        loop {
            match self.ended() {
                Ok(Some(status)) => {
                    let signal = status.terminating_signal().map(End::Signal);
                    let status = || status.exit_status().map(End::Status);
                    return signal.or_else(status).unwrap_or(End::Closed);
                }
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
                _ => return End::Closed,
            }
        }
    }

    fn write(&mut self, header: &Json, bodies: &[&Bytes]) -> io::Result<()> {
        let header = serde_json::to_vec(header)?;
        let length: usize = bodies.iter().map(|body| body.len()).sum();
        let too_long = |_| io::Error::from(ErrorKind::InvalidInput);
        let mut head = Vec::with_capacity(LENGTHS + header.len());
        head.extend(u32::try_from(header.len()).map_err(too_long)?.to_be_bytes());
        head.extend((length as u64).to_be_bytes());
        head.extend(header);
        if length <= SMALL {
            bodies.iter().for_each(|body| head.extend_from_slice(body));
            return self.socket.write_all(&head);
        }
        self.socket.write_all(&head)?;
        bodies
            .iter()
            .try_for_each(|body| self.socket.write_all(body))
    }

    fn read(
        &mut self,
        time: Duration,
        most: u64,
        mut waiting: impl FnMut(),
    ) -> Result<(Bytes, Bytes), Broken> {
        let until = Instant::now() + time;
        let lengths = self.read_exactly(LENGTHS, until, &mut waiting)?;
        let (header, body) = lengths.split_at(4);
        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, b| sum << 8 | u64::from(*b));
        let (header, body) = (number(header), number(body));
        if header > LONGEST_HEADER as u64 || body > most {
            let text = format!("an answer of {header} and {body} bytes");
            return Err(Broken::Nonsense(text));
        }
        let header = self.read_exactly(header as usize, until, &mut waiting)?;
        let body = self.read_exactly(body as usize, until, &mut waiting)?;
        Ok((header, body))
    }

    fn read_exactly(
        &mut self,
        length: usize,
        until: Instant,
        waiting: &mut impl FnMut(),
    ) -> Result<Bytes, Broken> {
        let mut buffer = BytesMut::zeroed(length);
        let mut done = 0;
        while done < length {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Broken::Late);
            }
            let patience = left.min(TICK);
            let ended = |_: io::Error| Broken::Ended;
            self.socket
                .set_read_timeout(Some(patience))
                .map_err(ended)?;
            match self.socket.read(&mut buffer[done..]) {
                Ok(0) => return Err(Broken::Ended),
                Ok(count) => done += count,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => waiting(),
                    ErrorKind::Interrupted => {}
                    _ => return Err(Broken::Ended),
                },
            }
        }
        Ok(buffer.freeze())
    }
}

/// Up to this many bytes a message is written at once.
const SMALL: usize = 64 * 1024;

/// How often whoever waits for an answer looks up.
const TICK: Duration = Duration::from_millis(200);

impl Drop for Worker {
    fn drop(&mut self) {
        let group = self.child.id();
        // Before it is waited for: until then no other group can have its number.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.folder.guard.end(group);
        let _ = fs::remove_dir_all(&self.own);
    }
}

/// What a worker knows of the world: nothing that is secret.
fn environment<'a>(
    interpreter: &Path,
    own: &'a Path,
    scratch: &'a Path,
) -> [(&'static str, std::ffi::OsString); 8] {
    let mut path = std::ffi::OsString::from(interpreter.parent().unwrap_or(Path::new("/")));
    path.push(":/usr/local/bin:/usr/bin:/bin");
    let one = || "1".into();
    [
        ("PATH", path),
        ("HOME", own.into()),
        ("TMPDIR", scratch.into()),
        ("LANG", "C.UTF-8".into()),
        // The workers are side by side as it is.
        ("OMP_NUM_THREADS", one()),
        ("OPENBLAS_NUM_THREADS", one()),
        ("MKL_NUM_THREADS", one()),
        ("NUMEXPR_MAX_THREADS", one()),
    ]
}
