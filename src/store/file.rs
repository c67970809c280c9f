//! A directory as a store, with writes that survive a power cut.
//!
//! A value is written once, under a temporary name, while its hash is being computed, and
//! then published under the name of the hash:
//!
//! 1. For a value under [`SMALL`]: hash it first; if the object exists, go to 8.
//! 2. Make the schema's folder, and flush it into its parents.
//!    *Fails:* nothing is written.
//! 3. Create `.saving-…` with a random name in the schema's folder.
//!    *Fails:* nothing is left.
//! 4. Write the value; hash a large one at the same time.
//!    *Fails (disk full, say):* the temporary file is removed. *Killed:* it stays; nobody
//!    reads or lists it, and it may be deleted by hand.
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
//! So the statement that carries the pointer is sent only when the object is on the disk, and
//! an object under a hash's name is complete at any time.

use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use md5::{Digest, Md5};
use tempfile::NamedTempFile;

use super::content::{md5_of, slices};
use super::error::{Fault, blocking};
use super::naming::{Named, Naming};
use super::reader::Opened;
use super::{Content, error};
use crate::codec::ObjectPath;

/// Below this many bytes a value is hashed before it is written.
const SMALL: u64 = 1024 * 1024;

/// Bytes of a chunk that is read.
const CHUNK: u64 = 256 * 1024;

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
        let known = if content.is_shorter_than(SMALL) {
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
        file.as_file().sync_all()?;
        let target = self.location.join(named.path.as_str());
        let folder = parent(&target)?;
        self.make_folder(folder)?;
        match file.persist_noclobber(&target) {
            Ok(_) => sync_folder(folder)?,
            // The temporary file goes with the error.
            Err(refused) if refused.error.kind() == ErrorKind::AlreadyExists => {
                if !self.settle(&named.path, content.len())? {
                    return Err(refused.error.into());
                }
            }
            Err(refused) => return Err(refused.error.into()),
        }
        Ok(named)
    }

    /// Opens an object and reads it, if it has up to `whole` bytes; blocks.
    pub(super) fn open(&self, path: &ObjectPath, whole: u64) -> Result<Opened, Fault> {
        let (mut file, size) = self.file(path)?;
        if size > whole {
            let chunks = chunks(file).boxed();
            return Ok(Opened::Chunks { size, chunks });
        }
        // One more than there should be, to notice a file that grows.
        let value = read(&mut file, whole + 1)?;
        if value.len() as u64 != size {
            return Err(Fault::size(path.as_str(), size, value.len() as u64));
        }
        Ok(Opened::Whole(value))
    }

    fn file(&self, path: &ObjectPath) -> Result<(File, u64), Fault> {
        let file = File::open(self.location.join(path.as_str())).map_err(|e| lost(e, path))?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(Fault::missing(path.as_str()));
        }
        Ok((file, meta.len()))
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
                .prefix(".saving-")
                .rand_bytes(12)
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

/// The rest of the file, each chunk read on a thread that may block.
fn chunks(file: File) -> impl Stream<Item = Result<Bytes, Fault>> + Send {
    stream::try_unfold(file, |mut file| async {
        blocking(move || {
            let chunk = read(&mut file, CHUNK)?;
            Ok((!chunk.is_empty()).then_some((chunk, file)))
        })
        .await
    })
}

/// Up to `len` bytes; fewer only at the end of the file.
fn read(file: &mut File, len: u64) -> io::Result<Bytes> {
    let size = file.metadata()?.len().min(len);
    let mut buffer = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(len).read_to_end(&mut buffer)?;
    Ok(buffer.into())
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

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent()
        .ok_or_else(|| io::Error::other("a path without a folder"))
}

/// A file that is not there, or whose folder is not, or is none.
fn lost(error: io::Error, path: &ObjectPath) -> Fault {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Fault::missing(path.as_str()),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests;
