//! What a worker is asked, and what it answers. The other side is `worker/calls.py`.

use std::collections::HashMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::codec::{Site, ValueLimits};

/// One call of a codec, as the header of a frame has it.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    /// The codec's name.
    pub codec: String,
    pub what: What,
    /// Bytes of the value in the body of the frame, its key included.
    pub length: u64,
    /// What the value is.
    pub form: Form,
    /// What stands before the value: the packed key, so many bytes.
    pub key: Option<u64>,
    /// Schema, table and column.
    pub site: [String; 3],
    /// The real name of the store.
    pub store: Option<String>,
    /// Whether clients deal with the codec.
    pub outermost: bool,
    /// Whether what is decoded may come from another codec in Python.
    pub from_python: bool,
    /// What takes the result.
    pub next: Following,
    /// Whether the objects that the result names are told as well.
    pub references: bool,
    /// With [`Form::Object`]: the metadata and the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Json>,
    /// The longest result that is taken, in bytes.
    pub most: u64,
}

/// What an answer may have besides the value, in bytes.
pub(super) const SLACK: u64 = 64 << 10;

impl Asked {
    /// A call for a column without a value yet.
    pub fn new(codec: &str, what: What, site: &Site<'_>, limits: &ValueLimits) -> Self {
        Self {
            codec: codec.to_owned(),
            what,
            length: 0,
            form: Form::Packed,
            key: None,
            site: [site.schema, site.table, site.column].map(str::to_owned),
            store: None,
            outermost: false,
            from_python: false,
            next: Following {
                name: String::new(),
                takes: Takes::Value,
                files: limits.files,
            },
            references: false,
            object: None,
            most: limits.bytes.saturating_add(SLACK),
        }
    }
}

/// Which method of the codec is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum What {
    Encode,
    Decode,
    References,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// A packed blob.
    Packed,
    /// Bytes as they are.
    Bytes,
    /// An object of a store with its files (to the worker only).
    Object,
    /// A file with its name (to the worker only, which gives it a path).
    Attached,
    /// JSON text (from the worker only).
    Json,
    /// A file (from the worker only).
    File,
    /// A folder of files (from the worker only).
    Files,
}

/// What takes the result of `encode`, and what it takes.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Following {
    /// For errors: `<hash>`, `json`.
    pub name: String,
    pub takes: Takes,
    /// The most files of a folder.
    pub files: usize,
}

/// What the next step of a chain takes from Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Takes {
    /// What `blob.pack` takes.
    Blob,
    /// `bytes`.
    Bytes,
    /// What `json.dumps` takes.
    Json,
    /// `bytes`, an extension with `bytes`, or the path of a file or folder.
    Files,
    /// The path of a file.
    File,
    /// What a column of another type takes: a text or a number.
    Text,
    /// Any value.
    Value,
}

/// The header of an answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Header {
    /// What the body is.
    pub form: Option<Form>,
    /// The extension of a file.
    pub ext: Option<String>,
    /// The name of a file.
    pub name: Option<String>,
    /// Paths and sizes of the files of a folder.
    #[serde(default)]
    pub files: Vec<(String, u64)>,
    /// Paths and stores of the objects that the result names.
    #[serde(default)]
    pub references: Vec<(String, Option<String>)>,
    /// The class of an exception, or `limit`.
    pub error: Option<String>,
    /// Its text.
    #[serde(default)]
    pub message: String,
    /// For the log.
    #[serde(default)]
    pub traceback: String,
    /// Whether the worker ends now.
    #[serde(default)]
    pub last: bool,
}

/// What a worker has answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub header: Header,
    pub body: Bytes,
}

/// A codec of a package, as a worker describes it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Facts {
    pub name: String,
    /// Package, version, module and class.
    pub origin: String,
    /// What `get_dtype` says without and with a store.
    pub dtypes: [HashMap<String, String>; 2],
    /// Whether it writes to a store itself.
    pub writes: bool,
    /// Whether `encode` looks at the key.
    pub uses_key: bool,
    /// Whether it has `referenced_paths` of its own.
    pub own_references: bool,
}
