//! Stores in memory, for the tests of codecs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use md5::{Digest, Md5};

use super::{
    Backend, BackendError, Backends, Key, Layout, Manner, ObjectPath, Pointer, Reading, Site, Step,
    Value, ValueLimits, Writing, hash,
};

/// The layout that DataJoint has by default.
pub(crate) fn layout() -> Layout {
    Layout {
        hash_prefix: ObjectPath::parse("_hash").ok(),
        schema_prefix: ObjectPath::parse("_schema").ok(),
        filepath_prefix: None,
        subfolding: Vec::new(),
        partition_pattern: None,
        token_length: 8,
    }
}

/// A path that is one.
pub(crate) fn path(text: &str) -> ObjectPath {
    ObjectPath::parse(text).unwrap()
}

/// A dict with keys of text.
pub(crate) fn dict(items: &[(&str, Value)]) -> Value {
    let items = items
        .iter()
        .map(|(key, value)| ((*key).into(), value.clone()));
    Value::Dict(items.collect())
}

/// A store.
pub(crate) struct Memory {
    name: String,
    layout: Layout,
    objects: Mutex<BTreeMap<ObjectPath, Bytes>>,
    order: Mutex<Vec<ObjectPath>>,
    after_list: Mutex<Option<(ObjectPath, Bytes)>>,
}

impl Memory {
    pub(crate) fn new(name: &str, layout: Layout) -> Self {
        Self {
            name: name.to_owned(),
            layout,
            objects: Mutex::default(),
            order: Mutex::default(),
            after_list: Mutex::default(),
        }
    }

    /// The paths, in the order in which they were put.
    pub(crate) fn paths(&self) -> Vec<ObjectPath> {
        self.order.lock().unwrap().clone()
    }

    /// Puts an object there, in place of another if there is one.
    pub(crate) fn plant(&self, path: &str, content: &[u8]) {
        let content = Bytes::copy_from_slice(content);
        self.objects
            .lock()
            .unwrap()
            .insert(self::path(path), content);
    }

    /// Puts an object there, in place of another if there is one, once a folder has been listed.
    pub(crate) fn plant_after_list(&self, path: &str, content: &'static [u8]) {
        *self.after_list.lock().unwrap() = Some((self::path(path), content.into()));
    }

    fn error(&self, operation: &str) -> BackendError {
        let told = format!("store '{}': {operation} failed", self.name);
        BackendError {
            source: told.clone().into(),
            told,
        }
    }
}

impl Backend for Memory {
    fn name(&self) -> &str {
        &self.name
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn put(&self, path: &ObjectPath, content: Bytes) -> Result<(), BackendError> {
        let mut objects = self.objects.lock().unwrap();
        if objects.insert(path.clone(), content).is_some() {
            return Err(self.error("put"));
        }
        self.order.lock().unwrap().push(path.clone());
        Ok(())
    }

    fn put_hashed(&self, schema: &str, content: Bytes) -> Result<Pointer, BackendError> {
        let hash = hash::name_of(Md5::digest(&content).into());
        let (prefix, folds) = (self.layout.hash_prefix.as_ref(), &self.layout.subfolding);
        let path = hash::path(prefix, schema, folds, &hash).map_err(|_| self.error("put"))?;
        let size = content.len() as u64;
        self.objects.lock().unwrap().insert(path.clone(), content);
        Ok(Pointer {
            hash,
            path,
            schema: Some(schema.to_owned()),
            store: self.name.clone(),
            size: Some(size),
        })
    }

    fn get(&self, path: &ObjectPath, max: u64) -> Result<Bytes, BackendError> {
        match self.objects.lock().unwrap().get(path) {
            Some(content) if content.len() as u64 <= max => Ok(content.clone()),
            _ => Err(self.error("get")),
        }
    }

    fn size(&self, path: &ObjectPath) -> Result<Option<u64>, BackendError> {
        let objects = self.objects.lock().unwrap();
        Ok(objects.get(path).map(|content| content.len() as u64))
    }

    fn list(
        &self,
        folder: &ObjectPath,
        max: usize,
    ) -> Result<Vec<(ObjectPath, u64)>, BackendError> {
        let mut objects = self.objects.lock().unwrap();
        let below = |path: &&ObjectPath| path.lies_in(folder) && *path != folder;
        let paths: Vec<_> = objects.keys().filter(below).collect();
        if paths.len() > max {
            return Err(self.error("list"));
        }
        let sized = paths
            .into_iter()
            .map(|path| (path.clone(), objects[path].len() as u64));
        let listed = sized.collect();
        objects.extend(self.after_list.lock().unwrap().take());
        Ok(listed)
    }
}

/// Stores, and a column that is written and read.
pub(crate) struct Place {
    stores: Vec<Arc<Memory>>,
    pub(crate) filepath_default: Option<String>,
    pub(crate) key: Key,
    pub(crate) manner: Manner,
    pub(crate) limits: ValueLimits,
    pub(crate) also: Vec<ObjectPath>,
}

/// The column of every test.
pub(crate) const SITE: Site<'_> = Site {
    schema: "lab",
    table: "scan",
    column: "data",
};

impl Place {
    /// A place whose default store `main` has the default layout.
    pub(crate) fn new() -> Self {
        Self::with_layout(layout())
    }

    /// A place whose default store `main` has this layout.
    pub(crate) fn with_layout(layout: Layout) -> Self {
        Self {
            stores: vec![Arc::new(Memory::new("main", layout))],
            filepath_default: None,
            key: Key {
                columns: vec![("id".to_owned(), Value::Int(7))],
            },
            manner: Manner::default(),
            limits: ValueLimits::default(),
            also: Vec::new(),
        }
    }

    /// The default store.
    pub(crate) fn store(&self) -> &Memory {
        &self.stores[0]
    }

    /// One store more.
    pub(crate) fn add(&mut self, name: &str, layout: Layout) {
        self.stores.push(Arc::new(Memory::new(name, layout)));
    }

    pub(crate) fn writing(&self) -> Writing<'_> {
        Writing {
            site: SITE,
            key: &self.key,
            store: Some(""),
            step: Step::default(),
            manner: self.manner,
            backends: self,
            limits: self.limits,
        }
    }

    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading {
            site: SITE,
            step: Step::default(),
            manner: self.manner,
            backends: self,
            also: &self.also,
            limits: self.limits,
        }
    }
}

impl Backends for Place {
    fn backend(&self, store: &str) -> Result<Arc<dyn Backend>, BackendError> {
        let found = match store {
            "" => self.stores.first(),
            name => self.stores.iter().find(|store| store.name == name),
        };
        match found {
            Some(store) => Ok(Arc::<Memory>::clone(store)),
            None => Err(BackendError {
                told: format!("Storage '{store}' is requested but not configured in stores"),
                source: "no such store".into(),
            }),
        }
    }

    fn filepath_default(&self) -> Option<String> {
        self.filepath_default.clone()
    }
}
