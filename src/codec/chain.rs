//! The codec chain of a column: from the type a user declares to the type that is stored.

/// A core type that ends a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// `bytes`: `longblob` in the database.
    Bytes,
    /// `json`: the pointer to an object in a store.
    Json,
}

/// A resolved chain, outermost codec first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The type spec as written, for example `<blob@main>`.
    pub spec: String,
    /// Codec names, outermost first, for example `["blob", "hash"]`.
    pub codecs: Vec<&'static str>,
    /// What the database column holds.
    pub dtype: Dtype,
    /// The store: `None` inline, `Some("")` the default store, else its name.
    pub store: Option<String>,
}

/// Why a type spec has no chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The name is not registered.
    #[error(
        "Unknown codec: {0}. Ensure the codec is defined (inherit from dj.Codec with name='{0}')."
    )]
    Unknown(String),
    /// The codec lives in a store only.
    #[error("<{0}> requires @ (in-store storage only)")]
    RequiresStore(String),
}
