//! Temporary files that a killed process has left behind.
//!
//! They are in nobody's way but cost space. Those older than a day are removed when a store is
//! opened: a put that is still under way is not that old. The search is a courtesy and must cost
//! next to nothing in a store of millions, so it looks at so many names and no further, and what
//! it does not reach may be deleted by hand.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{FileStore, RANDOM, SAVING};
use crate::codec::{Layout, ObjectPath};

/// How old a temporary file must be.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Names that are looked at, at most.
const NAMES: usize = 100_000;

impl FileStore {
    /// Removes old temporary files from the two sections that are written to; blocks. Folders
    /// near the top come first. What fails is left alone.
    pub(in crate::store) fn sweep(&self, layout: &Layout) -> usize {
        let folder = |section: &Option<ObjectPath>| match section {
            Some(section) => self.location.join(section.as_str()),
            None => self.location.clone(),
        };
        let mut folders = VecDeque::from([folder(&layout.hash_prefix)]);
        let schema = folder(&layout.schema_prefix);
        if !folders.contains(&schema) {
            folders.push_back(schema);
        }
        let Some(before) = SystemTime::now().checked_sub(AGE) else {
            return 0;
        };
        let (mut left, mut removed) = (NAMES, 0);
        while let Some(entries) = folders.pop_front().map(fs::read_dir) {
            for entry in entries.into_iter().flatten().flatten() {
                if left == 0 {
                    return removed;
                }
                left -= 1;
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push_back(entry.path()),
                    Ok(kind) if kind.is_file() => {
                        removed += usize::from(remove(&entry, before).is_some());
                    }
                    _ => {}
                }
            }
        }
        removed
    }
}

/// Removes a file if it is a temporary one from before then.
fn remove(entry: &DirEntry, before: SystemTime) -> Option<()> {
    if !is_temporary(&entry.file_name()) || entry.metadata().ok()?.modified().ok()? >= before {
        return None;
    }
    let path: PathBuf = entry.path();
    fs::remove_file(&path).ok()?;
    tracing::info!(path = %path.display(), "removed what a killed put had left");
    Some(())
}

/// Whether it is the name of a temporary file of ours; nobody else's is touched.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    let random = name.as_encoded_bytes().strip_prefix(SAVING.as_bytes());
    random.is_some_and(|random| {
        random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric)
    })
}
