//! Ends the workers when this process ends, by whatever death.
//!
//! The guard is a shell that waits for the end of its input, a pipe whose other end only this
//! process holds. Also when this process is killed outright, the pipe closes, and the guard kills
//! the process groups that it was told of and removes the folder.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Reads `+ GROUP` and `- GROUP`; at the end of input kills the groups that are left, and removes
/// the folder `$1`.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=' '
while read -r sign group; do
    case $sign in
        +) groups="$groups$group " ;;
        -) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
    esac
done
for group in $groups; do
    kill -s KILL -- "-$group"
done
rm -rf -- "$1"
"#;

/// The guard of one pool; dropping it ends what it guards.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Mutex<Child>,
}

impl Guard {
    /// A guard that at the end removes `folder`.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "codec-proxy-python-guard"])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for this process alone.
            .process_group(0)
            .spawn()?;
        Ok(Self {
            shell: Mutex::new(shell),
        })
    }

    /// A group begins to be guarded.
    pub fn begin(&self, group: u32) -> io::Result<()> {
        self.tell('+', group)
    }

    /// A group is no more; its number may be another's soon.
    pub fn end(&self, group: u32) {
        // A guard that is gone guards nothing that could be forgotten.
        let _ = self.tell('-', group);
    }

    fn tell(&self, sign: char, group: u32) -> io::Result<()> {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        match shell.stdin.as_mut() {
            Some(input) => input.write_all(format!("{sign} {group}\n").as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let shell = self.shell.get_mut();
        let shell = shell.unwrap_or_else(PoisonError::into_inner);
        drop(shell.stdin.take());
        let _ = shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_last_is_killed_and_the_folder_goes() {
        let folder = tempfile::tempdir().unwrap().keep();
        let guard = Guard::new(&folder).unwrap();
        let sleep = || {
            let mut command = Command::new("sleep");
            command.arg("60").process_group(0).spawn().unwrap()
        };
        let [mut first, mut second, mut third] = [sleep(), sleep(), sleep()];
        for child in [&first, &second, &third] {
            guard.begin(child.id()).unwrap();
        }
        guard.end(second.id());
        drop(guard);
        assert!(!folder.exists());
        assert!(!first.wait().unwrap().success());
        assert!(!third.wait().unwrap().success());
        assert!(second.try_wait().unwrap().is_none(), "it is not guarded");
        second.kill().unwrap();
        second.wait().unwrap();
    }
}
