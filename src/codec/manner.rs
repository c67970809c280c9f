//! How a client wants to send and receive the values of codec columns.

/// The wishes of one session: its view, and its `@codec_…` variables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// What stands for a value.
    pub notation: Notation,
    /// `@codec_npy`
    pub npy: NpyForm,
    /// `@codec_object`
    pub object: ObjectForm,
    /// `@codec_json_limit`: arrays with more elements are cut in the json notation.
    pub json_limit: Option<u64>,
}

/// What stands for a value in statements and results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Notation {
    /// Bytes, as legacy programs send and expect them: for most codecs a packed blob.
    #[default]
    Bytes,
    /// JSON text in UTF-8 that a person understands ([`json`](super::json)).
    Json,
}

/// `@codec_npy`: how `<npy@>` columns read in the bytes notation. Both are taken when written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NpyForm {
    /// `'array'`: a packed DataJoint array.
    #[default]
    Array,
    /// `'npy'`: the `.npy` file.
    File,
}

/// `@codec_object`: what bytes written to an `<object@>` column are. What is read depends on
/// what is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ObjectForm {
    /// `'file'`: the content of a file.
    #[default]
    File,
    /// `'dir'`: a tar archive of a directory.
    Directory,
}
