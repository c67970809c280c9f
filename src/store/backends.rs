//! The stores as the codecs see them: calls that block.
//!
//! A codec runs on a thread that may block, and its calls wait there for the stores' own
//! runtime. **On a thread that drives asynchronous work they panic**, as
//! [`Handle::block_on`](tokio::runtime::Handle::block_on) does.

use std::sync::Arc;

use bytes::Bytes;

use super::error::Fault;
use super::{ErrorKind, Operation, Store, StoreError, Stores};
use crate::codec::{Backend, BackendError, Backends, Layout, ObjectPath, Pointer};

impl Backends for Stores {
    fn backend(&self, store: &str) -> Result<Arc<dyn Backend>, BackendError> {
        Ok(Arc::new(self.resolve(store)?))
    }

    fn filepath_default(&self) -> Option<String> {
        self.filepath_default().map(str::to_owned)
    }
}

impl Backend for Store {
    fn name(&self) -> &str {
        self.name()
    }

    fn layout(&self) -> &Layout {
        self.layout()
    }

    fn put(&self, path: &ObjectPath, content: Bytes) -> Result<(), BackendError> {
        Ok(self.runtime().block_on(self.put(path, content))?)
    }

    fn put_hashed(&self, schema: &str, content: Bytes) -> Result<Pointer, BackendError> {
        let put = self.put_hashed(schema, Arc::new(content));
        Ok(self.runtime().block_on(put)?)
    }

    fn get(&self, path: &ObjectPath, max: u64) -> Result<Bytes, BackendError> {
        let get = async {
            let reader = self.open_object(path).await?;
            if reader.size() > max {
                let cause = format!("the object has more than {max} bytes");
                return Err(Fault::new(ErrorKind::TooLarge, cause).at(self.name(), Operation::Get));
            }
            reader.collect().await
        };
        Ok(self.runtime().block_on(get)?)
    }

    fn size(&self, path: &ObjectPath) -> Result<Option<u64>, BackendError> {
        Ok(self.runtime().block_on(self.size(path))?)
    }

    fn list(
        &self,
        folder: &ObjectPath,
        max: usize,
    ) -> Result<Vec<(ObjectPath, u64)>, BackendError> {
        Ok(self.runtime().block_on(self.list(folder, max))?)
    }
}

impl From<StoreError> for BackendError {
    fn from(error: StoreError) -> Self {
        Self {
            told: error.for_client(),
            source: Box::new(error),
        }
    }
}
