//! Ends the sandbox's processes when the sandbox ends, by whatever death.
//!
//! The guard is a shell that waits for the end of its input, a pipe whose other end only this
//! process holds. Also when this process is killed outright, the pipe closes, and the guard stops
//! the database and removes the folder. An orderly end takes the same way, so it is never untried.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{SandboxError, io_error};

/// Remembers the last process group it was told; at the end of input it stops that group, and by
/// force after 20 seconds, then removes the folder `$1` if that is not empty.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
group=
while read -r line; do group=$line; done
if [ -n "$group" ]; then
    kill -s TERM -- "-$group"
    tries=0
    while kill -s 0 -- "-$group" && [ "$tries" -lt 200 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -s KILL -- "-$group"
fi
[ -z "$1" ] || rm -rf -- "$1"
"#;

/// The guard of one sandbox; dropping it ends what it guards.
pub(super) struct Guard {
    shell: Child,
    guarded: Option<Child>,
}

impl Guard {
    /// A guard that at the end removes `folder`.
    pub(super) fn new(folder: Option<&Path>) -> Result<Self, SandboxError> {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "codec-proxy-sandbox-guard"])
            .arg(folder.unwrap_or(Path::new("")))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0) // Ctrl-C is for this process alone
            .spawn()
            .map_err(|source| io_error(Path::new("/bin/sh"), source))?;
        Ok(Self {
            shell,
            guarded: None,
        })
    }

    /// Starts a process that ends with the sandbox, together with those that it starts. It takes
    /// the place of the one before, which must have ended.
    pub(super) fn spawn(&mut self, command: &mut Command) -> Result<&mut Child, SandboxError> {
        let program = command.get_program().to_owned();
        let error = |source| io_error(Path::new(&program), source);
        let child = command.process_group(0).spawn().map_err(error)?;
        let group = child.id();
        let child = self.guarded.insert(child);
        if let Some(pipe) = &mut self.shell.stdin {
            writeln!(pipe, "{group}").map_err(error)?;
        }
        Ok(child)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Nothing can be done here about a process that cannot be waited for.
        if let Some(child) = &mut self.guarded {
            let _ = child.wait();
        }
        let _ = self.shell.wait();
    }
}
