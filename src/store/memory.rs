//! A store in the memory of the process, for tests: `protocol = "memory"`.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;

/// An empty store. What is put there is gone when the process ends, while the tables keep
/// pointing to it; so it is said aloud.
pub(super) fn client(store: &str) -> Arc<dyn ObjectStore> {
    tracing::warn!(
        store,
        "a store in memory: its values are lost when codec-proxy ends"
    );
    Arc::new(InMemory::new())
}
