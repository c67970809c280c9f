//! The object stores: their settings, and how values get in and out of them.

mod secret;
mod settings;

pub use secret::Secret;
pub use settings::{
    Layout, Place, S3Place, SettingsError, StoreSettings, StoreSpec, StoresSettings,
};
