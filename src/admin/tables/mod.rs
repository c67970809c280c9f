//! The listings: what there is to see, one file for each subject.

mod codecs;
mod columns;
mod config;
pub(super) mod process;
mod refusals;
mod sessions;
pub(super) mod status;
mod stores;

pub(super) use codecs::{codecs, resolve};
pub(super) use columns::columns;
pub(super) use config::config;
pub(super) use refusals::refusals;
pub(super) use sessions::sessions;
pub(super) use status::status;
pub(super) use stores::{probe, stores};
