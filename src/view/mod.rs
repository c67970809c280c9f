//! What the clients of a listener see of codec columns.
//!
//! [`column`]: how such a column of a result is announced. [`describe`]: what `SHOW COLUMNS` says.

pub mod describe;

use serde::Deserialize;

/// How codec columns are presented to the clients of one listener.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// Packed DataJoint bytes in a `longblob`: what DataJoint 0.x and MATLAB expect.
    #[default]
    Bytes,
    /// Exactly what is stored: for DataJoint 2.x, which runs the codecs itself.
    Stored,
}

impl std::fmt::Display for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Stored => "stored",
        })
    }
}
