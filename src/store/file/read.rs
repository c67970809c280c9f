//! Reading and looking around in a directory.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};

use super::FileStore;
use super::sweep::is_temporary;
use crate::codec::ObjectPath;
use crate::store::error::{Fault, blocking};
use crate::store::{self, reader::Opened};

/// Bytes of a chunk that is read.
const CHUNK: u64 = 256 * 1024;

impl FileStore {
    /// Opens an object and reads it, if it has up to `whole` bytes; blocks.
    pub(in crate::store) fn open(&self, path: &ObjectPath, whole: u64) -> Result<Opened, Fault> {
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

    /// A part of an object; blocks.
    pub(in crate::store) fn range(
        &self,
        path: &ObjectPath,
        range: Range<u64>,
    ) -> Result<Bytes, Fault> {
        let (mut file, size) = self.file(path)?;
        if range.start > size {
            return Err(Fault::beyond());
        }
        file.seek(SeekFrom::Start(range.start))?;
        Ok(read(&mut file, range.end.saturating_sub(range.start))?)
    }

    /// The size of an object, if there is one; blocks.
    pub(in crate::store) fn size(&self, path: &ObjectPath) -> Result<Option<u64>, Fault> {
        match fs::metadata(self.location.join(path.as_str())) {
            Ok(meta) => Ok(meta.is_file().then_some(meta.len())),
            Err(error) => match lost(error, path) {
                fault if fault.kind == store::ErrorKind::Missing => Ok(None),
                fault => Err(fault),
            },
        }
    }

    /// The objects below `folder`, sorted; blocks.
    ///
    /// A symbolic link to a file is an object, one to a folder is not looked into: it could
    /// lead in circles.
    pub(in crate::store) fn list(
        &self,
        folder: &ObjectPath,
        max: usize,
    ) -> Result<Vec<(ObjectPath, u64)>, Fault> {
        let (mut objects, mut folders) = (Vec::new(), vec![folder.clone()]);
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(self.location.join(folder.as_str())) {
                Ok(entries) => entries,
                Err(error) => match lost(error, &folder) {
                    // Not there, or removed since it was found.
                    fault if fault.kind == store::ErrorKind::Missing => continue,
                    fault => return Err(fault),
                },
            };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name();
                if is_temporary(&name) {
                    continue;
                }
                let path = name
                    .to_str()
                    .and_then(|name| ObjectPath::parse(&format!("{folder}/{name}")).ok())
                    .ok_or_else(Fault::odd_name)?;
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                    continue;
                }
                let Some(size) = self.size(&path)? else {
                    continue;
                };
                if objects.len() == max {
                    return Err(Fault::too_many(max));
                }
                objects.push((path, size));
            }
        }
        objects.sort_unstable();
        Ok(objects)
    }

    /// An object that is opened, and its size.
    pub(super) fn file(&self, path: &ObjectPath) -> Result<(File, u64), Fault> {
        let file = File::open(self.location.join(path.as_str())).map_err(|e| lost(e, path))?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(Fault::missing(path.as_str()));
        }
        Ok((file, meta.len()))
    }
}

/// A file that is not there, or whose folder is not, or is none.
pub(super) fn lost(error: io::Error, path: &ObjectPath) -> Fault {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Fault::missing(path.as_str()),
        _ => error.into(),
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
