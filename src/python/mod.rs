//! Codecs of installed DataJoint packages, run by Python in processes of its own.
//!
//! `[codecs.python]` names an interpreter. Packages of its environment that register codecs under
//! the entry-point groups `datajoint.codecs` and `datajoint.types` work as they are. They are
//! looked for once a type names a codec that the proxy does not have ([`Late`]).
//!
//! - `settings`: what the operator decides.
//! - `codec`: a codec of a package, as a [`Codec`](crate::codec::Codec) of this process.
//! - `call`: what a worker is asked, and what it answers.
//! - `pool`: the workers, and the calls (`job`) that wait for one (`queue`).
//! - `process`: one worker: started, asked, killed. `guard` ends them all with this process,
//!   whatever its end; `channel` is the socket to it; `output` logs what they print.
//! - `worker/`: the Python side, part of the binary.
//!
//! There are two pools. The workers of codecs that write to a store themselves (subclasses of
//! `SchemaCodec`) are told the stores and their keys; those of all others know neither.

mod call;
mod channel;
mod codec;
mod guard;
mod job;
mod output;
mod pool;
mod process;
mod queue;
mod settings;

use std::sync::Arc;

pub use settings::Settings;

use crate::codec::late::{Late, Source};
use crate::codec::registry::{self, Entry, Handle};
use crate::store::StoresSettings;
use codec::PythonCodec;
use pool::Pool;
use process::{Listing, StartError};

/// What the origin of each of its codecs begins with.
pub const ORIGIN: &str = "python: ";

/// An environment with its workers, which end when the last codec of it is dropped.
pub(crate) struct Python {
    /// For codecs that leave storing to others.
    plain: Pool,
    /// For those that do it themselves.
    writing: Pool,
}

/// Has the process look for codecs in this environment; in none without settings.
pub fn install(settings: Option<&Settings>, stores: &StoresSettings) {
    registry::install_late(settings.map(|settings| {
        let python = Environment {
            settings: settings.clone(),
            stores: stores.clone(),
        };
        Arc::new(Late::new(python))
    }));
}

/// An environment that nobody has looked into.
struct Environment {
    settings: Settings,
    stores: StoresSettings,
}

impl Source for Environment {
    fn find(&self) -> Result<Vec<Entry>, String> {
        let failed = |error: StartError| {
            let interpreter = self.settings.interpreter.display();
            format!("{interpreter}: {error}")
        };
        let plain = Pool::new(self.settings.clone(), None);
        let stores = self.stores.for_datajoint();
        let writing = Pool::new(self.settings.clone(), Some(stores));
        let Listing { codecs, failures } = plain.listing().map_err(failed)?;
        for failure in failures {
            tracing::warn!(failure, "a Python package with codecs cannot be loaded");
        }
        let python = Arc::new(Python { plain, writing });
        tracing::info!(
            interpreter = %self.settings.interpreter.display(),
            codecs = %codecs.iter().map(|c| &*c.name).collect::<Vec<_>>().join(", "),
            "codecs of Python packages"
        );
        let entries = codecs.into_iter().map(|facts| Entry {
            origin: format!("{ORIGIN}{}", facts.origin),
            codec: Handle::Shared(Arc::new(PythonCodec::new(facts, python.clone()))),
        });
        Ok(entries.collect())
    }
}

impl Python {
    fn pool(&self, writes: bool) -> &Pool {
        if writes { &self.writing } else { &self.plain }
    }
}
