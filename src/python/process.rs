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
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::call::{Answer, Asked, Facts};
use super::channel::{Broken, Channel, LONGEST_HEADER};
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

/// The file in which a worker notes the number of its frame and that of its call in it, 4 bytes
/// each: for when it does not come to its answer.
const PROGRESS: &str = "progress";

/// What a worker may keep of the memory that it does not need any more, in bytes.
const KEPT: u32 = 64 << 20;

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
    channel: Channel,
    folder: Arc<Folder>,
    own: PathBuf,
    progress: Progress,
}

/// How far a worker has come.
pub(super) struct Progress {
    /// See [`PROGRESS`].
    file: PathBuf,
    /// How many frames the worker was sent.
    frames: u32,
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
            channel: Channel::new(ours),
            folder: folder.clone(),
            progress: Progress {
                file: own.path().join(PROGRESS),
                frames: 0,
            },
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
            "progress": worker.progress.file,
            "stores": stores,
        });
        let channel = &mut worker.channel;
        channel.set_write_timeout(settings.start)?;
        let listing = match channel.write(&header, &[]) {
            Ok(()) => channel.read(settings.start, LONGEST_HEADER, || {}),
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
        self.progress.frames = self.progress.frames.wrapping_add(1);
        // A worker reads all of a frame at once.
        self.channel
            .write(&json!({ "calls": calls }), bodies)
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
        mut waiting: impl FnMut(&Progress),
    ) -> Result<Answer, Broken> {
        let (header, body) = self.channel.read(time, most, || waiting(&self.progress))?;
        match serde_json::from_slice(&header) {
            Ok(header) => Ok(Answer { header, body }),
            Err(error) => Err(Broken::Nonsense(error.to_string())),
        }
    }

    /// How far it has come.
    pub fn progress(&self) -> &Progress {
        &self.progress
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
}

impl Progress {
    /// The number, from 0, of the call of the last frame that the worker has come to. It may have
    /// done those before without their answers being here: it sends small ones together.
    pub fn call(&self) -> usize {
        let told = fs::read(&self.file).unwrap_or_default();
        match *told.as_slice() {
            [a, b, c, d, e, f, g, h] if u32::from_be_bytes([a, b, c, d]) == self.frames => {
                u32::from_be_bytes([e, f, g, h]) as usize
            }
            _ => 0,
        }
    }
}

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
) -> [(&'static str, std::ffi::OsString); 10] {
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
        // Memory of one large value is there for the next: to get it anew costs as much as to fill
        // it. Up to so many bytes, half of them in one piece; other C libraries know no such.
        ("MALLOC_TRIM_THRESHOLD_", KEPT.to_string().into()),
        ("MALLOC_MMAP_THRESHOLD_", (KEPT / 2).to_string().into()),
    ]
}
