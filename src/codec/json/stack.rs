//! Room for values that are nested deeper than the stacks of most threads allow.

use std::panic::resume_unwind;
use std::thread;

use crate::codec::CodecError;

/// A thread of 2 MiB, which Rust and tokio make, is enough for so many containers.
const SHALLOW: usize = 100;

/// Stack for one container, twice of what an unoptimised build takes at most.
const LEVEL_BYTES: usize = 32 << 10;

/// Runs `work`, which goes `depth` containers deep, where the stack is large enough for it.
pub(super) fn with_room<T: Send>(
    depth: usize,
    work: impl FnOnce() -> Result<T, CodecError> + Send,
) -> Result<T, CodecError> {
    if depth <= SHALLOW {
        return work();
    }
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("json".into())
            .stack_size(depth * LEVEL_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|error| CodecError::Limit(format!("no thread for a deep value: {error}")))?;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}
