//! A directory that is one value: from a tar archive or JSON, and back.
//!
//! A directory has regular files only, in folders that are there because files are in them:
//! object stores know neither links nor empty folders nor modes.

use std::collections::BTreeMap;
use std::io::Cursor;

use bytes::Bytes;
use data_encoding::BASE64;
use tar::{Archive, Builder, EntryType, Header};

use super::client;
use super::metadata;
use super::value::Value;
use super::{CodecError, ObjectPath, ValueLimits};

/// Bytes of a block of a tar archive.
const BLOCK: usize = 512;

/// A header for the whole archive, in which git names the commit.
const COMMENT: EntryType = EntryType::XGlobalHeader;

/// The files of a directory, by their paths within it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    files: BTreeMap<ObjectPath, Bytes>,
}

impl Directory {
    /// The files, in the order of their paths.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&ObjectPath, &Bytes)> {
        self.files.iter()
    }

    /// The bytes of all files.
    pub fn size(&self) -> u64 {
        self.files
            .values()
            .map(|content| content.len() as u64)
            .sum()
    }

    /// One file more, within the limits.
    pub fn insert(
        &mut self,
        path: ObjectPath,
        content: Bytes,
        limits: &ValueLimits,
    ) -> Result<(), CodecError> {
        check_count(self.files.len() + 1, limits)?;
        if self.files.insert(path, content).is_some() {
            let text = "the directory has two files of one name";
            return Err(CodecError::Value(text.to_owned()));
        }
        Ok(())
    }

    /// Reads a tar archive; the files stay views on it.
    ///
    /// Takes regular files and folders with relative paths, and an archive that is complete.
    pub fn from_tar(archive: &Bytes, limits: &ValueLimits) -> Result<Self, CodecError> {
        let mut directory = Self::default();
        let mut end = 0;
        let mut headers = 0;
        let mut reader = Archive::new(Cursor::new(archive));
        for entry in reader.entries().map_err(|_| no_archive())? {
            let mut entry = entry.map_err(|_| no_archive())?;
            // Folders are bounded, too: as many as files.
            headers += 1;
            check_count(headers / 2, limits)?;
            let kind = entry.header().entry_type();
            if !matches!(
                kind,
                EntryType::Regular | EntryType::Continuous | EntryType::Directory | COMMENT
            ) {
                return Err(not_a_file());
            }
            let start = usize::try_from(entry.raw_file_position()).map_err(|_| no_archive())?;
            let size = usize::try_from(entry.size()).map_err(|_| no_archive())?;
            end = start
                .checked_add(size)
                .and_then(|end| end.checked_next_multiple_of(BLOCK))
                .filter(|end| *end <= archive.len())
                .ok_or_else(no_archive)?;
            if kind == COMMENT {
                continue;
            }
            if is_sparse(&mut entry)? {
                return Err(not_a_file());
            }
            let path = member(&entry.path_bytes())?;
            if kind != EntryType::Directory {
                let path = path.ok_or_else(not_a_file)?;
                directory.insert(path, archive.slice(start..start + size), limits)?;
            }
        }
        // An archive ends with a block of zeros; without it, it may have been cut.
        match archive.get(end..end + BLOCK) {
            Some(block) if block.iter().all(|&byte| byte == 0) => directory.checked(),
            _ => Err(no_archive()),
        }
    }

    /// The archive of the directory: always the same bytes for the same files.
    pub fn to_tar(&self, limits: &ValueLimits) -> Result<Bytes, CodecError> {
        self.check_size(limits)?;
        let mut builder = Builder::new(Vec::new());
        for (path, content) in &self.files {
            let mut header = Header::new_gnu();
            header.set_entry_type(EntryType::Regular);
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            builder
                .append_data(&mut header, path.as_str(), &content[..])
                .map_err(|_| not_a_file())?;
        }
        let archive = builder.into_inner().map_err(|_| not_a_file())?;
        Ok(archive.into())
    }

    /// Reads what `{"files": […]}` has: dicts with `path` and `base64`.
    pub fn from_json(files: &Value, limits: &ValueLimits) -> Result<Self, CodecError> {
        let mut directory = Self::default();
        let Value::List(files) = files else {
            return Err(no_files());
        };
        for file in files {
            let (Some(Value::Str(path)), Some(Value::Str(base64))) =
                (file.field("path"), file.field("base64"))
            else {
                return Err(no_files());
            };
            let content = client::base64("object", base64)?;
            directory.insert(ObjectPath::parse(path)?, content.into(), limits)?;
        }
        directory.checked()
    }

    /// The files as a person reads them: `path`, `size` and `base64` of each.
    pub fn to_json(&self, limits: &ValueLimits) -> Result<Value, CodecError> {
        client::check_base64(self.size(), limits)?;
        let files = self.files.iter().map(|(path, content)| {
            metadata::dict([
                ("path", path.as_str().into()),
                ("size", metadata::count(content.len() as u64)),
                ("base64", Value::Str(BASE64.encode(content))),
            ])
        });
        Ok(Value::List(files.collect()))
    }

    /// The manifest beside the directory, as `put_folder` of DataJoint 2.3.5 writes it.
    pub fn manifest(&self, created: &str) -> Result<String, CodecError> {
        let files = self.files.iter().map(|(path, content)| {
            metadata::dict([
                ("path", path.as_str().into()),
                ("size", metadata::count(content.len() as u64)),
            ])
        });
        metadata::dumps_indented(&metadata::dict([
            ("files", Value::List(files.collect())),
            ("total_size", metadata::count(self.size())),
            ("item_count", metadata::count(self.files.len() as u64)),
            ("created", created.into()),
        ]))
    }

    /// Whether the files and their headers fit into a value.
    fn check_size(&self, limits: &ValueLimits) -> Result<(), CodecError> {
        let headers = (self.files.len() as u64 + 1).saturating_mul(2 * BLOCK as u64);
        if self.size().saturating_add(headers) <= limits.bytes {
            return Ok(());
        }
        Err(CodecError::Limit(format!(
            "the directory has more than {} bytes (limits.value_bytes)",
            limits.bytes
        )))
    }

    /// The directory, if none of its files is also a folder.
    fn checked(self) -> Result<Self, CodecError> {
        let is_folder = |path: &ObjectPath| {
            let folder = format!("{path}/");
            let below = self.files.range(path.clone()..).skip(1);
            // Names such as `a.txt` come between `a` and `a/b`.
            below
                .map(|(other, _)| other.as_str())
                .take_while(|other| other.starts_with(path.as_str()))
                .any(|other| other.starts_with(&folder))
        };
        if self.files.keys().any(is_folder) {
            let text = "the directory has a file and a folder of one name";
            return Err(CodecError::Value(text.to_owned()));
        }
        Ok(self)
    }
}

/// The path of a member of an archive; `None` for the directory itself (`./`, Python's `/`).
fn member(name: &[u8]) -> Result<Option<ObjectPath>, CodecError> {
    let text = std::str::from_utf8(name)
        .map_err(|_| CodecError::Value("the directory has a name that is not UTF-8".into()))?;
    let text = text.strip_prefix("./").unwrap_or(text);
    let text = text.strip_suffix('/').unwrap_or(text);
    match text {
        "" | "." => Ok(None),
        text => Ok(Some(ObjectPath::parse(text)?)),
    }
}

/// Whether a regular file is sparse in the way of newer GNU tars: then its bytes are not the
/// file's.
fn is_sparse(entry: &mut tar::Entry<'_, Cursor<&Bytes>>) -> Result<bool, CodecError> {
    let Some(extensions) = entry.pax_extensions().map_err(|_| no_archive())? else {
        return Ok(false);
    };
    for extension in extensions {
        let extension = extension.map_err(|_| no_archive())?;
        if extension.key_bytes().starts_with(b"GNU.sparse") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn check_count(files: usize, limits: &ValueLimits) -> Result<(), CodecError> {
    if files <= limits.files {
        return Ok(());
    }
    Err(CodecError::Limit(format!(
        "the directory has more than {} files (limits.directory_files)",
        limits.files
    )))
}

fn no_archive() -> CodecError {
    let text = "the bytes are no complete tar archive (SET @codec_object = 'dir' asks for one)";
    CodecError::Value(text.to_owned())
}

fn not_a_file() -> CodecError {
    let text = "the archive holds something that is neither a plain file nor a folder";
    CodecError::Value(text.to_owned())
}

fn no_files() -> CodecError {
    let text = r#"<object> takes "files" as a list of {"path": …, "base64": …}"#;
    CodecError::Type(text.to_owned())
}

#[cfg(test)]
mod tests;
