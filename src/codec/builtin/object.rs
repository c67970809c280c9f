//! `<object@store>`: a file or a directory, named by its place in the database.
//!
//! - **Inline**: no. **In a store**: `json`, with path, store, size, ext, is_dir, item_count
//!   and timestamp.
//! - **Takes** the content of a file, or with `SET @codec_object = 'dir'` a tar archive; in the
//!   json notation `{"base64": …}`, with `"ext"` if there is one, or
//!   `{"files": [{"path": …, "base64": …}]}`. A path within the store is never taken: it could
//!   be another table's.
//! - **Gives** the content of the file, or a tar archive; in the json notation the metadata and
//!   the content.
//! - **Source**: `builtin_codecs/object.py` of DataJoint 2.3.5.

use std::borrow::Cow;

use bytes::Bytes;
use data_encoding::BASE64;

use super::json_in_store;
use crate::codec::directory::Directory;
use crate::codec::section::Section;
use crate::codec::{
    Addressing, Backend, Codec, CodecError, Given, Manner, Notation, ObjectForm, ObjectPath,
    ObjectRef, Reading, Reference, Value, ValueLimits, Writing, client, json, metadata,
    schema_path, timestamp,
};

/// The codec.
struct Object;

crate::register_codec!(Object);

impl Codec for Object {
    fn name(&self) -> &str {
        "object"
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        json_in_store(is_store, "<object> requires @ (store only)")
    }

    fn addressing(&self) -> Addressing {
        Addressing::Schema
    }

    fn validate(&self, value: &Value) -> Result<(), CodecError> {
        Content::of(value.clone()).map(drop)
    }

    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        match Content::of(value)? {
            Content::File { ext, content } => write_file(ext, content, to),
            Content::Directory(directory) => write_directory(&directory, to),
        }
    }

    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        ObjectRef::checked(stored, Section::Schema, from).map(Value::Object)
    }

    /// The object, and for a directory its manifest.
    fn referenced_paths(&self, stored: &Value) -> Vec<Reference> {
        let Some(object) = metadata::reference(stored) else {
            return Vec::new();
        };
        let manifest = Reference {
            store: object.store.clone(),
            path: format!("{}.manifest.json", object.path),
        };
        let is_dir = stored.field("is_dir") == Some(&Value::Bool(true));
        let mut paths = vec![object];
        paths.extend(is_dir.then_some(manifest));
        paths
    }

    fn take(
        &self,
        sent: Bytes,
        manner: &Manner,
        limits: &ValueLimits,
    ) -> Result<Value, CodecError> {
        match (manner.notation, manner.object) {
            (Notation::Bytes, ObjectForm::File) => Ok(Value::Bytes(sent)),
            (Notation::Bytes, ObjectForm::Directory) => {
                Ok(Directory::from_tar(&sent, limits)?.into())
            }
            (Notation::Json, _) => from_json(json::parse(&sent, limits)?, limits),
        }
    }

    fn give(&self, value: Value, manner: &Manner, from: &Reading<'_>) -> Result<Given, CodecError> {
        let Value::Object(object) = value else {
            return client::give(value, manner, &from.limits);
        };
        match (manner.notation, object.is_dir) {
            (Notation::Bytes, false) => Ok(Given::Object(object)),
            (Notation::Bytes, true) => {
                let archive = read_directory(&object, from, from.limits.bytes)?;
                archive.to_tar(&from.limits).map(Given::Bytes)
            }
            (Notation::Json, _) => {
                let value = to_json(object, from)?;
                client::give(value, manner, &from.limits)
            }
        }
    }
}

/// What the codec stores.
enum Content {
    /// `bytes`, or a tuple of an extension and `bytes`.
    File { ext: Value, content: Bytes },
    /// In the value model a dict: for each path a file's content.
    Directory(Directory),
}

impl Content {
    fn of(value: Value) -> Result<Self, CodecError> {
        let error = CodecError::Type(format!(
            "<object> expects bytes or path, got {}",
            value.type_name()
        ));
        match value {
            Value::Bytes(content) => Ok(Self::File {
                ext: Value::None,
                content,
            }),
            Value::Tuple(parts) => match <[Value; 2]>::try_from(parts) {
                Ok([ext @ (Value::Str(_) | Value::None), Value::Bytes(content)]) => {
                    Ok(Self::File { ext, content })
                }
                _ => Err(error),
            },
            Value::Dict(files) => {
                let mut directory = Directory::default();
                for file in files {
                    let (Value::Str(path), Value::Bytes(content)) = file else {
                        return Err(error);
                    };
                    // They have been counted when the value was taken.
                    directory.insert(ObjectPath::parse(&path)?, content, &unlimited())?;
                }
                Ok(Self::Directory(directory))
            }
            _ => Err(error),
        }
    }
}

impl From<Directory> for Value {
    fn from(directory: Directory) -> Self {
        let files = directory.files();
        Self::Dict(
            files
                .map(|(path, content)| (path.as_str().into(), Self::Bytes(content.clone())))
                .collect(),
        )
    }
}

fn unlimited() -> ValueLimits {
    ValueLimits {
        bytes: u64::MAX,
        files: usize::MAX,
        ..ValueLimits::default()
    }
}

fn write_file(ext: Value, content: Bytes, to: &Writing<'_>) -> Result<Value, CodecError> {
    let (backend, path) = schema_path::place(to, ext.as_str())?;
    let size = content.len() as u64;
    backend.put(&path, content)?;
    Ok(described(&*backend, &path, size, ext, None))
}

/// Writes the manifest last: whoever sees it sees all of the directory.
fn write_directory(directory: &Directory, to: &Writing<'_>) -> Result<Value, CodecError> {
    let (backend, folder) = schema_path::place(to, None)?;
    // All paths are made before anything is written: one may be too long.
    let files: Result<Vec<_>, _> = directory
        .files()
        .map(|(path, content)| {
            let path = ObjectPath::parse(&format!("{folder}/{path}"))?;
            Ok::<_, CodecError>((path, content.clone()))
        })
        .collect();
    let (files, manifest_path) = (files?, manifest_path(&folder)?);
    backend.put_all(files)?;
    let manifest = directory.manifest(&timestamp::now())?;
    backend.put(&manifest_path, manifest.into())?;
    let count = Some(directory.files().len() as u64);
    let size = directory.size();
    Ok(described(&*backend, &folder, size, Value::None, count))
}

/// Where the list of a directory's files is.
fn manifest_path(folder: &ObjectPath) -> Result<ObjectPath, CodecError> {
    Ok(ObjectPath::parse(&format!("{folder}.manifest.json"))?)
}

/// The metadata; `files` for a directory.
fn described(
    backend: &dyn Backend,
    path: &ObjectPath,
    size: u64,
    ext: Value,
    files: Option<u64>,
) -> Value {
    metadata::dict([
        ("path", path.as_str().into()),
        ("store", backend.name().into()),
        ("size", metadata::count(size)),
        ("ext", ext),
        ("is_dir", Value::Bool(files.is_some())),
        ("item_count", files.map_or(Value::None, metadata::count)),
        ("timestamp", Value::Str(timestamp::now())),
    ])
}

/// The files of an object with their paths within it; for a file that is itself, without one.
pub(crate) fn files(
    object: &ObjectRef,
    from: &Reading<'_>,
) -> Result<Vec<(Option<ObjectPath>, Bytes)>, CodecError> {
    let max = from.limits.bytes;
    if !object.is_dir {
        let backend = from.backend(&object.store, Section::Schema, &object.path)?;
        return Ok(vec![(None, backend.get(&object.path, max)?)]);
    }
    let directory = read_directory(object, from, max)?;
    let files = directory.files();
    Ok(files
        .map(|(path, content)| (Some(path.clone()), content.clone()))
        .collect())
}

fn read_directory(
    object: &ObjectRef,
    from: &Reading<'_>,
    max: u64,
) -> Result<Directory, CodecError> {
    let backend = from.backend(&object.store, Section::Schema, &object.path)?;
    let listed = backend.list(&object.path, from.limits.files)?;
    // A directory without files has its manifest all the same.
    if listed.is_empty() && backend.size(&manifest_path(&object.path)?)?.is_none() {
        let name = backend.name();
        return Err(CodecError::Corrupt(format!(
            "Missing directory in store '{name}'"
        )));
    }
    let total = listed
        .iter()
        .fold(0, |sum: u64, (_, size)| sum.saturating_add(*size));
    if total > max {
        return Err(CodecError::Limit(format!(
            "the directory has {total} bytes, more than the limit of {max}"
        )));
    }
    let paths: Vec<_> = listed.into_iter().map(|(path, _)| path).collect();
    // What was listed may have grown since: the bytes are counted again.
    let contents = backend.get_all(&paths, max)?;
    let mut directory = Directory::default();
    for (path, content) in paths.iter().zip(contents) {
        let below = path.as_str().strip_prefix(object.path.as_str());
        if let Some(name) = below.and_then(|rest| rest.strip_prefix('/')) {
            directory.insert(ObjectPath::parse(name)?, content, &from.limits)?;
        }
    }
    Ok(directory)
}

/// A client's JSON: only `ext`, `base64` and `files` count.
fn from_json(value: Value, limits: &ValueLimits) -> Result<Value, CodecError> {
    let takes = |what: &str| CodecError::Type(format!("<object> takes {what}"));
    if let Value::Bytes(_) = value {
        return Ok(value);
    }
    match (value.field("base64"), value.field("files")) {
        (Some(Value::Str(base64)), None) => {
            let content = Value::Bytes(client::base64("object", base64)?.into());
            match value.field("ext") {
                None | Some(Value::None) => Ok(content),
                Some(ext @ Value::Str(_)) => Ok(Value::Tuple(vec![ext.clone(), content])),
                Some(_) => Err(takes(r#""ext" as a text"#)),
            }
        }
        (None, Some(files)) => Ok(Directory::from_json(files, limits)?.into()),
        _ => Err(takes(
            r#"{"base64": …}, with "ext" if there is one, or {"files": […]}"#,
        )),
    }
}

fn to_json(object: ObjectRef, from: &Reading<'_>) -> Result<Value, CodecError> {
    // Four characters stand for three bytes.
    let max = (from.limits.json_bytes / 4).saturating_mul(3);
    let (key, content) = if object.is_dir {
        let directory = read_directory(&object, from, max)?;
        ("files", directory.to_json(&from.limits)?)
    } else {
        let backend = from.backend(&object.store, Section::Schema, &object.path)?;
        let content = backend.get(&object.path, max)?;
        ("base64", Value::Str(BASE64.encode(&content)))
    };
    let mut json = *object.metadata;
    if let Value::Dict(items) = &mut json {
        items.retain(|(name, _)| !matches!(name.as_str(), Some("base64" | "files")));
        items.push((key.into(), content));
    }
    Ok(json)
}

#[cfg(test)]
mod tests;
