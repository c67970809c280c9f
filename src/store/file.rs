//! A directory as a store, with writes that survive a power cut.
//!
//! A value is written once, under a temporary name, while its hash is being computed, and
//! then published under the name of the hash:
//!
//! 1. For a value under [`SMALL`], or one whose hash is known: hash it first; if the object
//!    exists, go to 8.
//! 2. Make the schema's folder, and flush it into its parents.
//!    *Fails:* nothing is written.
//! 3. Create `.saving-…` with a random name in the schema's folder.
//!    *Fails:* nothing is left.
//! 4. Write the value; hash a large one at the same time.
//!    *Fails (disk full, say):* the temporary file is removed. *Killed:* it stays; nobody
//!    reads or lists it, and a store that is opened a day later removes it (see `sweep`).
//! 5. Flush the file.
//!    *Fails:* as 4.
//! 6. Rename the file to its hash, unless that name exists; then remove the temporary file
//!    and go to 8. An existing object is never replaced.
//!    *Fails:* as 4. *Killed before 7:* the object is there or not, but it is whole.
//! 7. Flush the folder. Only now is the put a success.
//!    *Fails:* the put fails, although the object may be there; it is whole.
//! 8. An object that exists may be another writer's that is between 6 and 7, or one written
//!    without a flush: compare its size, flush it and its folder.
//!    *Fails:* the put fails; with another size the object is corrupt.
//!
//! An object that is put under a path of its own takes steps 2 to 7 in the folder of that path;
//! one that is there already is an error and stays as it is.
//!
//! So the statement that carries the pointer is sent only when the object is on the disk, and
//! an object is complete at any time that its name is there.

mod read;
mod sweep;

use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use bytes::Bytes;
use md5::{Digest, Md5};
use tempfile::NamedTempFile;

use super::content::{md5_of, slices};
use super::error::Fault;
use super::naming::{Named, Naming};
use super::{Content, error};
use crate::codec::ObjectPath;
use read::lost;

/// What the names of temporary files begin with.
const SAVING: &str = ".saving-";

/// Random characters behind it.
const RANDOM: usize = 12;

/// Below this many bytes a value is hashed before it is written.
const SMALL: u64 = 1024 * 1024;

/// Slices between the hashing and the writing thread.
const PIPE: usize = 8;

/// Bytes after which a large value is flushed while more of it is written.
const FLUSH: usize = 16 * 1024 * 1024;

/// Folders that are remembered as flushed; above, they are forgotten and flushed again.
const KNOWN_FOLDERS: usize = 10_000;

/// A directory as a store.
#[derive(Debug)]
pub(super) struct FileStore {
    location: PathBuf,
    /// Folders whose names are known to be on the disk.
    flushed: Mutex<HashSet<PathBuf>>,
}

impl FileStore {
    pub(super) fn new(location: PathBuf) -> Self {
        Self {
            location,
            flushed: Mutex::default(),
        }
    }

    /// Stores `content` under its hash; blocks.
    pub(super) fn put_hashed(
        &self,
        naming: &Naming,
        content: &dyn Content,
    ) -> Result<Named, Fault> {
        let known = if content.md5().is_some() || content.is_shorter_than(SMALL) {
            Some(naming.name(md5_of(content))?)
        } else {
            None
        };
        if let Some(named) = &known
            && self.settle(&named.path, content.len())?
        {
            return Ok(named.clone());
        }
        let mut file = self.saving(&self.location.join(naming.section.as_str()))?;
        let named = match known {
            Some(named) => {
                for slice in slices(content) {
                    file.write_all(&slice)?;
                }
                named
            }
            None => naming.name(write_hashing(file.as_file_mut(), content)?)?,
        };
        content.check()?;
        file.as_file().sync_all()?;
        let target = self.location.join(named.path.as_str());
        self.make_folder(parent(&target)?)?;
        match publish(file, &target) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if !self.settle(&named.path, content.len())? {
                    return Err(error.into());
                }
            }
            done => done?,
        }
        Ok(named)
    }

    /// Stores an object under a path of its own; blocks.
    pub(super) fn put(&self, path: &ObjectPath, content: &Bytes) -> Result<(), Fault> {
        let target = self.location.join(path.as_str());
        if target.symlink_metadata().is_ok() {
            return Err(Fault::exists(path.as_str()));
        }
        let mut file = self.saving(parent(&target)?)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        publish(file, &target).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Fault::exists(path.as_str()),
            _ => error.into(),
        })
    }

    /// Flushes an object that others have written, and the folders to it; `false` if there is
    /// none. Blocks.
    pub(super) fn persist(&self, path: &ObjectPath) -> Result<bool, Fault> {
        if self.size(path)?.is_none() {
            return Ok(false);
        }
        let (file, _) = self.file(path)?;
        file.sync_all()?;
        let target = self.location.join(path.as_str());
        let folder = parent(&target)?;
        self.make_folder(folder)?;
        sync_folder(folder)?;
        Ok(true)
    }

    /// Removes an object, and its folder if it was the last in it; blocks.
    pub(super) fn delete(&self, path: &ObjectPath) -> Result<(), Fault> {
        let target = self.location.join(path.as_str());
        fs::remove_file(&target).map_err(|e| lost(e, path))?;
        // A folder with something in it is not removed, and that is all right.
        let _ = fs::remove_dir(parent(&target)?);
        Ok(())
    }

    /// Steps 2 and 3: a temporary file in `folder`, which is made if need be.
    fn saving(&self, folder: &Path) -> io::Result<NamedTempFile> {
        self.make_folder(folder)?;
        let create = || {
            tempfile::Builder::new()
                .prefix(SAVING)
                .rand_bytes(RANDOM)
                // As any program would create it: for others to read where the umask says so.
                .permissions(Permissions::from_mode(0o666))
                .tempfile_in(folder)
        };
        match create() {
            // Somebody has removed a folder that we remember.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.flushed().clear();
                self.make_folder(folder)?;
                create()
            }
            done => done,
        }
    }

    /// Step 8: whether the object exists, and then that it is whole and on the disk.
    fn settle(&self, path: &ObjectPath, size: u64) -> Result<bool, Fault> {
        let (file, actual) = match self.file(path) {
            Ok(opened) => opened,
            Err(fault) if fault.kind == error::ErrorKind::Missing => return Ok(false),
            Err(fault) => return Err(fault),
        };
        if actual != size {
            return Err(Fault::size(path.as_str(), size, actual));
        }
        file.sync_all()?;
        sync_folder(parent(&self.location.join(path.as_str()))?)?;
        Ok(true)
    }

    /// Makes a folder within the location, each new name flushed into its parent.
    ///
    /// A folder that exists is flushed all the same when it is first met: whoever made it may
    /// not have done so yet.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        if folder == self.location || self.flushed().contains(folder) {
            return Ok(());
        }
        let above = parent(folder)?;
        self.make_folder(above)?;
        match fs::create_dir(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        sync_folder(above)?;
        let mut flushed = self.flushed();
        if flushed.len() >= KNOWN_FOLDERS {
            flushed.clear();
        }
        flushed.insert(folder.to_owned());
        Ok(())
    }

    fn flushed(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        // A set of names is sound whatever happened to the thread that held it.
        self.flushed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hashes in this thread, which is the slowest part; meanwhile a second one unpacks the content
/// and writes it, and a third flushes what is written, so that the disk does not begin only at
/// the end.
fn write_hashing(file: &mut File, content: &dyn Content) -> Result<[u8; 16], Fault> {
    let (slices_in, slices_out) = mpsc::sync_channel::<Bytes>(PIPE);
    let (flush, flushes) = mpsc::sync_channel::<()>(1);
    let disk = file.try_clone()?;
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || -> io::Result<()> {
            let mut unflushed = 0;
            for slice in slices(content) {
                file.write_all(&slice)?;
                unflushed += slice.len();
                // While one flush runs, the next waits; a third has nothing to add.
                if unflushed >= FLUSH && flush.try_send(()).is_ok() {
                    unflushed = 0;
                }
                if slices_in.send(slice).is_err() {
                    return Err(io::Error::other("the hashing thread ended early"));
                }
            }
            Ok(())
        });
        let flusher = scope.spawn(move || flushes.iter().try_for_each(|()| disk.sync_data()));
        let mut md5 = Md5::new();
        for slice in slices_out {
            md5.update(&slice);
        }
        // An error of the disk is told once, so it must not be lost here; a hash of what was
        // written before it is worth nothing.
        for thread in [writer, flusher] {
            thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a writing thread panicked")))?;
        }
        Ok(md5.finalize().into())
    })
}

/// Steps 6 and 7. What is not published is removed.
fn publish(file: NamedTempFile, target: &Path) -> io::Result<()> {
    file.persist_noclobber(target)
        .map_err(|refused| refused.error)?;
    sync_folder(parent(target)?)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::other("a path without a folder"))
}

#[cfg(test)]
mod tests;
