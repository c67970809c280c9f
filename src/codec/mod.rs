//! The codecs: type specs, chains, and the formats of what is stored.

mod chain;

pub use chain::{Chain, ChainError, Dtype};
