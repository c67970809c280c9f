//! The binary protocol on codec columns: what is stored, and what comes back.

mod bulk;
mod codecs;
mod inline;
mod long_data;
mod reads;
pub mod statement;
mod writes;
