//! A codec of a package as one of this process: what its methods are given and return, on the
//! way between the value model and a worker.
//!
//! To encode: the value that the client has sent, packed as it is; the worker unpacks it,
//! validates it, and runs `encode`. What comes back is what the next step of the chain takes, or
//! an error, and nothing is stored yet. A codec that stores itself is the exception:
//!
//! 1. The worker runs `encode`, which writes its objects, and names them (`referenced_paths`).
//!    *Fails:* the statement fails; what was written by then nobody names.
//! 2. Each must lie where this column may read it, and is made durable.
//!    *Fails:* as before.
//!
//! To decode: what is stored; objects that it names are held against the column before. What
//! comes back is what the client gets, packed.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::Python;
use super::call::{self, Answer, Asked, Facts, Following, Form, Header, Takes, What};
use super::job::Failure;
use crate::codec::chain;
use crate::codec::section::{self, Section};
use crate::codec::value::Packed;
use crate::codec::{
    Addressing, Backend, BackendError, ChainError, Codec, CodecError, Dtype, Given, Manner, Next,
    ObjectPath, ObjectRef, Reading, Reference, Site, Value, ValueLimits, Writing, blob, metadata,
    object_files, registry,
};

/// The codecs that DataJoint has built in: what they take is known.
const BUILT_IN: [&str; 6] = ["attach", "blob", "filepath", "hash", "npy", "object"];

/// The longest text of an exception that a client sees, in characters.
const LONGEST_MESSAGE: usize = 400;

/// A codec of a package.
pub(super) struct PythonCodec {
    facts: Facts,
    python: Arc<Python>,
}

impl PythonCodec {
    pub fn new(facts: Facts, python: Arc<Python>) -> Self {
        Self { facts, python }
    }

    fn asked(&self, what: What, site: &Site<'_>, limits: &ValueLimits) -> Asked {
        Asked::new(&self.facts.name, what, site, limits)
    }

    /// Runs a call; the error of the codec is an error here.
    fn run(&self, asked: Asked, bodies: [Bytes; 2]) -> Result<Answer, CodecError> {
        let mut answers = self.run_many(vec![(asked, bodies)]);
        answers.pop().unwrap_or_else(|| Err(self.nonsense()))
    }

    /// Runs several; each has an outcome, in order.
    fn run_many(&self, mut calls: Vec<(Asked, [Bytes; 2])>) -> Vec<Result<Answer, CodecError>> {
        let writes = self.facts.writes;
        let mut repeatable = true;
        let mut bounds = Vec::with_capacity(calls.len());
        for (asked, bodies) in &mut calls {
            asked.length = bodies.iter().map(|body| body.len() as u64).sum();
            repeatable &= !writes || asked.what != What::Encode;
            bounds.push((asked.what, asked.most - call::SLACK));
        }
        let answers = self.python.pool(writes).run(calls, repeatable).into_iter();
        let checked = |(answer, (what, most))| self.checked(answer, what, most);
        answers.zip(bounds).map(checked).collect()
    }

    fn checked(
        &self,
        answer: Result<Answer, Failure>,
        what: What,
        most: u64,
    ) -> Result<Answer, CodecError> {
        let answer = answer.map_err(|failure| self.failed(failure))?;
        match &answer.header.error {
            None if answer.body.len() as u64 <= most => Ok(answer),
            Some(kind) if kind != "limit" => Err(self.raised(what, kind, &answer.header)),
            _ => Err(CodecError::Limit(format!(
                "<{}>: the value has more than {most} bytes (limits.value_bytes)",
                self.facts.name
            ))),
        }
    }

    /// An exception.
    fn raised(&self, what: What, kind: &str, header: &Header) -> CodecError {
        let Header {
            message, traceback, ..
        } = header;
        tracing::debug!(codec = self.facts.name, traceback, "a Python codec raised");
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        let message: String = message
            .chars()
            .map(printable)
            .take(LONGEST_MESSAGE)
            .collect();
        let text = format!("<{}>: {kind}: {message}", self.facts.name);
        match (what, kind) {
            (_, "TypeError" | "PermissionError") => CodecError::Type(text),
            (What::Encode, _) => CodecError::Value(text),
            _ => CodecError::Corrupt(text),
        }
    }

    fn failed(&self, failure: Failure) -> CodecError {
        let told = format!("<{}>: {failure}", self.facts.name);
        match failure {
            Failure::TooLarge => CodecError::Limit(told),
            failure => BackendError {
                told,
                source: format!("Python worker: {failure}").into(),
            }
            .into(),
        }
    }

    fn nonsense(&self) -> CodecError {
        self.failed(Failure::Nonsense)
    }

    /// The objects that a stored value names, where they must lie.
    fn references(
        &self,
        stored: &Value,
        from: &Reading<'_>,
    ) -> Result<Vec<(String, ObjectPath)>, CodecError> {
        let named = if self.facts.own_references {
            let asked = self.asked(What::References, &from.site, &from.limits);
            let packed = blob::pack_raw(stored, &from.limits)?.into_bytes();
            let answer = self.run(asked, [Bytes::new(), packed])?;
            answer.header.references
        } else {
            let reference = metadata::reference(stored);
            reference
                .map(|r| (r.path, Some(r.store)))
                .into_iter()
                .collect()
        };
        self.located(named)
    }

    fn located(
        &self,
        named: Vec<(String, Option<String>)>,
    ) -> Result<Vec<(String, ObjectPath)>, CodecError> {
        if named.is_empty() {
            return Err(CodecError::Corrupt(format!(
                "<{}> stores itself, and its referenced_paths names no object",
                self.facts.name
            )));
        }
        named
            .into_iter()
            .map(|(path, store)| Ok((store.unwrap_or_default(), ObjectPath::parse(&path)?)))
            .collect()
    }

    /// Step 2.
    fn settle(
        &self,
        named: Vec<(String, Option<String>)>,
        to: &Writing<'_>,
    ) -> Result<(), CodecError> {
        for (store, path) in self.located(named)? {
            let backend = to.backends.backend(&store)?;
            let layout = backend.layout();
            if !section::allows(Section::Schema, layout, to.site.schema, &[], &path) {
                return Err(CodecError::Value(format!(
                    "<{}> wrote to a path in store '{}' that is not its column's",
                    self.facts.name,
                    backend.name()
                )));
            }
            persist(&*backend, &path, &to.limits)?;
        }
        Ok(())
    }
}

impl Codec for PythonCodec {
    fn name(&self) -> &str {
        &self.facts.name
    }

    fn dtype(&self, is_store: bool) -> Result<Cow<'static, str>, CodecError> {
        let told = |is_store| &self.facts.dtypes[usize::from(is_store)];
        if let Some(dtype) = told(is_store).get("dtype") {
            return Ok(dtype.clone().into());
        }
        let error = told(is_store).get("error").cloned().unwrap_or_default();
        let has_other = told(!is_store).contains_key("dtype");
        Err(match (has_other, is_store) {
            (true, false) => ChainError::RequiresStore(error),
            (true, true) => ChainError::NoStore(error),
            (false, _) => ChainError::NoDtype(error),
        }
        .into())
    }

    fn addressing(&self) -> Addressing {
        match self.facts.writes {
            true => Addressing::Schema,
            false => Addressing::Inner,
        }
    }

    fn uses_key(&self) -> bool {
        self.facts.uses_key || self.facts.writes
    }

    fn takes_packed(&self) -> bool {
        true
    }

    fn encode(&self, value: Value, to: &Writing<'_>) -> Result<Value, CodecError> {
        let (asked, bodies) = self.to_encode(value, to)?;
        let answer = self.run(asked, bodies)?;
        self.encoded(answer, to)
    }

    fn encode_many(&self, values: Vec<(Value, Writing<'_>)>) -> Vec<Result<Value, CodecError>> {
        let to: Vec<_> = values.iter().map(|(_, to)| *to).collect();
        let calls = values.into_iter();
        let calls = calls
            .map(|(value, to)| self.to_encode(value, &to))
            .collect();
        let answers = chain::with_the_good(calls, |calls| self.run_many(calls));
        let answers = answers.into_iter().zip(&to);
        answers
            .map(|(answer, to)| self.encoded(answer?, to))
            .collect()
    }

    fn decode(&self, stored: Value, from: &Reading<'_>) -> Result<Value, CodecError> {
        let (asked, bodies) = self.to_decode(stored, from)?;
        self.run(asked, bodies)
            .and_then(|answer| self.decoded(answer))
    }

    fn decode_many(
        &self,
        stored: Vec<Value>,
        from: &Reading<'_>,
    ) -> Vec<Result<Value, CodecError>> {
        let calls = stored.into_iter();
        let calls = calls.map(|value| self.to_decode(value, from)).collect();
        chain::with_the_good(calls, |calls| {
            let answers = self.run_many(calls).into_iter();
            answers.map(|answer| self.decoded(answer?)).collect()
        })
    }

    /// As DataJoint's own schema-addressed codecs.
    fn referenced_paths(&self, stored: &Value) -> Vec<Reference> {
        let reference = metadata::reference(stored).filter(|_| self.facts.writes);
        reference.into_iter().collect()
    }
}

impl PythonCodec {
    fn to_encode(&self, value: Value, to: &Writing<'_>) -> Result<(Asked, [Bytes; 2]), CodecError> {
        let mut asked = self.asked(What::Encode, &to.site, &to.limits);
        let mut key = Bytes::new();
        if self.uses_key() {
            let columns = to.key.columns.iter();
            let columns = columns.map(|(name, value)| (name.as_str().into(), value.clone()));
            key = blob::pack_raw(&Value::Dict(columns.collect()), &to.limits)?.into_bytes();
            asked.key = Some(key.len() as u64);
        }
        let (form, body) = sent(value, &to.limits)?;
        asked.form = form;
        if to.store.is_some() {
            asked.store = Some(to.backend()?.name().to_owned());
        }
        asked.outermost = to.step.is_outermost;
        asked.next = following(to.step.next, &to.limits);
        asked.references = self.facts.writes;
        Ok((asked, [key, body]))
    }

    fn encoded(&self, answer: Answer, to: &Writing<'_>) -> Result<Value, CodecError> {
        let Answer { header, body } = answer;
        if self.facts.writes {
            self.settle(header.references, to)?;
        }
        let takes = following(to.step.next, &to.limits).takes;
        let packed = || Packed::new(body.clone()).ok_or_else(|| self.nonsense());
        match (header.form, takes) {
            (Some(Form::Packed), Takes::Blob) => packed().map(Value::Packed),
            (Some(Form::Packed), Takes::Value | Takes::Text) => {
                blob::unpack(&packed()?, &to.limits)
            }
            (Some(Form::Bytes), _) => Ok(Value::Bytes(body)),
            (Some(Form::Json), _) => metadata::loads_within(&body, &to.limits),
            (Some(Form::File), Takes::File) => {
                let mut framed = header.name.unwrap_or_default().into_bytes();
                framed.push(0);
                framed.extend_from_slice(&body);
                Ok(Value::Bytes(framed.into()))
            }
            (Some(Form::File), _) => {
                let ext = header.ext.map_or(Value::None, Value::Str);
                Ok(Value::Tuple(vec![ext, Value::Bytes(body)]))
            }
            (Some(Form::Files), _) => self.files(&header.files, &body),
            _ => Err(self.nonsense()),
        }
    }

    fn to_decode(
        &self,
        stored: Value,
        from: &Reading<'_>,
    ) -> Result<(Asked, [Bytes; 2]), CodecError> {
        if self.facts.writes {
            for (store, path) in self.references(&stored, from)? {
                from.backend(&store, Section::Schema, &path)?;
            }
        }
        let mut asked = self.asked(What::Decode, &from.site, &from.limits);
        asked.outermost = from.step.is_outermost;
        if let Next::Codec(next) = from.step.next {
            asked.from_python = !BUILT_IN.contains(&next);
        }
        let (form, body) = match (stored, from.step.next) {
            (Value::Object(object), Next::Codec("object")) => {
                let (described, body) = described(&object, from)?;
                asked.object = Some(described);
                (Form::Object, body)
            }
            (Value::Object(object), Next::Codec(next)) => (Form::Packed, read(next, object, from)?),
            (Value::Bytes(framed), Next::Codec("attach")) => (Form::Attached, framed),
            (stored, _) => sent(stored, &from.limits)?,
        };
        asked.form = form;
        Ok((asked, [Bytes::new(), body]))
    }

    fn decoded(&self, answer: Answer) -> Result<Value, CodecError> {
        let packed = Packed::new(answer.body).ok_or_else(|| self.nonsense())?;
        Ok(Value::Packed(packed))
    }

    /// A directory as `<object>` takes it.
    fn files(&self, files: &[(String, u64)], body: &Bytes) -> Result<Value, CodecError> {
        let mut at = 0;
        let mut all = Vec::with_capacity(files.len());
        for (path, size) in files {
            let end = usize::try_from(*size)
                .ok()
                .and_then(|size| size.checked_add(at));
            let end = end.filter(|end| *end <= body.len());
            let end = end.ok_or_else(|| self.nonsense())?;
            all.push((path.as_str().into(), Value::Bytes(body.slice(at..end))));
            at = end;
        }
        Ok(Value::Dict(all))
    }
}

/// A value on its way to a worker.
fn sent(value: Value, limits: &ValueLimits) -> Result<(Form, Bytes), CodecError> {
    Ok(match value {
        Value::Bytes(bytes) => (Form::Bytes, bytes),
        Value::Packed(packed) => (Form::Packed, packed.into_bytes()),
        value => (Form::Packed, blob::pack_raw(&value, limits)?.into_bytes()),
    })
}

fn following(next: Next<'_>, limits: &ValueLimits) -> Following {
    let (name, takes) = match next {
        Next::Codec(name) => {
            let takes = match name {
                "blob" => Takes::Blob,
                "hash" => Takes::Bytes,
                "object" => Takes::Files,
                "attach" => Takes::File,
                _ => Takes::Value,
            };
            (format!("<{name}>"), takes)
        }
        Next::Column(dtype) => {
            let takes = match dtype {
                Dtype::Bytes => Takes::Bytes,
                Dtype::Json => Takes::Json,
                Dtype::Other(_) => Takes::Text,
            };
            (dtype.to_string(), takes)
        }
    };
    Following {
        name,
        takes,
        files: limits.files,
    }
}

/// An object with its files, for a worker to see as DataJoint's `ObjectRef`.
fn described(
    object: &ObjectRef,
    from: &Reading<'_>,
) -> Result<(serde_json::Value, Bytes), CodecError> {
    let files = object_files(object, from)?;
    let metadata = metadata::dumps(&object.metadata)?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)
        .map_err(|_| CodecError::Corrupt("the object's metadata is no plain JSON".to_owned()))?;
    let listed = files.iter().map(|(path, content)| {
        let path = path.as_ref().map(ObjectPath::as_str);
        (path, content.len())
    });
    let listed: Vec<_> = listed.collect();
    let described = serde_json::json!({ "metadata": metadata, "files": listed });
    let body = match &*files {
        [(_, content)] => content.clone(),
        files => {
            let contents: Vec<_> = files.iter().map(|(_, content)| &content[..]).collect();
            contents.concat().into()
        }
    };
    Ok((described, body))
}

/// An object of another codec, as that codec gives it to a client.
fn read(codec: &str, object: ObjectRef, from: &Reading<'_>) -> Result<Bytes, CodecError> {
    let unknown = || ChainError::Unknown(codec.to_owned());
    let registry = registry::current();
    let codec = registry.find(codec).ok_or_else(unknown)?;
    match codec.give(Value::Object(object), &Manner::default(), from)? {
        Given::Bytes(packed) if Packed::has_header(&packed) => Ok(packed),
        Given::Bytes(_) | Given::Object(_) => Err(CodecError::Type(format!(
            "<{}> gives no value that Python takes",
            codec.name()
        ))),
    }
}

/// Makes an object durable, or all that is in a folder.
fn persist(
    backend: &dyn Backend,
    path: &ObjectPath,
    limits: &ValueLimits,
) -> Result<(), CodecError> {
    if backend.persist(path)? {
        return Ok(());
    }
    let listed = backend.list(path, limits.files)?;
    let mut there = !listed.is_empty();
    for (path, _) in listed {
        there &= backend.persist(&path)?;
    }
    match there {
        true => Ok(()),
        false => Err(CodecError::Value(format!(
            "encode named an object that is not in store '{}'",
            backend.name()
        ))),
    }
}
