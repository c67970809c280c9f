//! What is fuzzed: each function takes any bytes, and panics where something is wrong.
//!
//! The functions are the fuzz targets of cargo-fuzz, and `tests/corpus.rs` runs them over the
//! inputs that are kept in the repository.

use bytes::Bytes;
use codec_proxy::codec::configured::steps::{
    Base64, Cast, Charset, Deflate, Differences, Direction, Json, Reshape, Text, Wrapper, Zstd,
};
use codec_proxy::codec::configured::{Kind, Step, Terms};
use codec_proxy::codec::npy_file::NpyFile;
use codec_proxy::codec::value::{Array, Element, Packed};
use codec_proxy::codec::{Dtype, Pointer, TypeSpec, Value, ValueLimits};
use codec_proxy::codec::{blob as blobs, comment, json as texts, metadata};
use codec_proxy::wire::binary;
use codec_proxy::wire::compress::{self, Algorithm, Unpacker};
use codec_proxy::wire::parameters::{self as wire, Bulk, Execute, Given, Known, Sent};

/// Small enough that an input that asks for memory is refused, not served.
const LIMITS: ValueLimits = ValueLimits {
    bytes: 4 << 20,
    depth: 40,
    json_bytes: 4 << 20,
    files: 100,
};

/// A blob. What unpacks packs again, to a blob that unpacks to the same, and so does its text.
pub fn blob(data: &[u8]) {
    let Some(packed) = Packed::new(Bytes::copy_from_slice(data)) else {
        return;
    };
    if let Ok(value) = blobs::unpack(&packed, &LIMITS) {
        lossless(&value);
    }
}

/// The json notation. What parses prints, and reads as the same value.
pub fn json(data: &[u8]) {
    if let Ok(value) = texts::parse(data, &LIMITS) {
        let _ = texts::print(&value, Some(2), &LIMITS);
        lossless(&value);
    }
}

/// A `.npy` file. What parses is written as a file that parses to the same; what becomes a value
/// becomes a file again, of the same value.
pub fn npy(data: &[u8]) {
    let Ok(file) = NpyFile::parse(&Bytes::copy_from_slice(data)) else {
        return;
    };
    let bytes = file.to_bytes();
    let again = NpyFile::parse(&bytes).expect("a file of ours");
    assert_eq!((again.dtype(), again.shape()), (file.dtype(), file.shape()));
    assert_eq!(again.to_bytes(), bytes);
    if let Ok(value) = file.to_value(LIMITS.bytes) {
        lossless(&value);
        if let Ok(of_value) = NpyFile::of_value(&value, LIMITS.bytes) {
            let value = packed(&value);
            let again = of_value.to_value(LIMITS.bytes).expect("it was a value");
            assert_eq!(packed(&again), value);
        }
    }
}

/// Frames of the compressed protocol; the first byte says which, and how they are cut. What is made
/// of a frame is never more than its header says, and does not depend on how its bytes arrive.
pub fn frames(data: &[u8]) {
    let Some((choice, raw)) = data.split_first() else {
        return;
    };
    let algorithm = match choice & 1 {
        0 => Algorithm::Zlib,
        _ => Algorithm::Zstd { level: 3 },
    };
    let most = raw.len() + raw.chunks(compress::HEADER).count() * compress::CONTENTS;
    let whole = unpacked(algorithm, raw, raw.len().max(1));
    let cut = unpacked(algorithm, raw, usize::from(choice >> 1) + 1);
    assert!(whole.0.len() <= most);
    let shorter = whole.0.len().min(cut.0.len());
    assert_eq!(whole.0[..shorter], cut.0[..shorter]);
    if whole.1 && cut.1 {
        assert_eq!(whole.0.len(), cut.0.len());
    }
}

/// What frames come to, at most a MiB; false if they are broken.
fn unpacked(algorithm: Algorithm, raw: &[u8], piece: usize) -> (Vec<u8>, bool) {
    let mut unpacker = Unpacker::new(algorithm);
    let (mut all, mut out) = (Vec::new(), [0; 1000]);
    for mut rest in raw.chunks(piece) {
        loop {
            let Ok((used, made)) = unpacker.read(rest, &mut out) else {
                return (all, false);
            };
            all.extend_from_slice(&out[..made]);
            rest = &rest[used..];
            if made == 0 {
                assert!(rest.is_empty(), "there was room");
                break;
            }
            if all.len() > 1 << 20 {
                return (all, false);
            }
        }
    }
    (all, true)
}

fn packed(value: &Value) -> Option<Packed> {
    blobs::pack(value, &LIMITS).ok()
}

/// The pointer in a `json` column. What parses is written as a pointer that means the same; other
/// metadata, as text that reads and writes as itself.
pub fn pointer(data: &[u8]) {
    if let Ok(value) = metadata::loads(data) {
        let text = metadata::dumps(&value).expect("it was JSON");
        assert!(text.is_ascii());
        let again = metadata::loads(text.as_bytes()).expect("it is JSON");
        assert_eq!(metadata::dumps(&again).expect("as before"), text);
    }
    if let Ok(pointer) = Pointer::parse(data) {
        let text = pointer.to_json();
        assert!(text.is_ascii());
        assert_eq!(Pointer::parse(text.as_bytes()), Ok(pointer));
    }
}

/// Type specs and column comments.
pub fn types(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Some(spec) = TypeSpec::parse(text) {
        resolved(&spec);
    }
    if let Some(marker) = comment::marker(text) {
        assert!(!marker.type_text.is_empty() && !marker.type_text.contains(':'));
        assert!(text.contains(marker.type_text) && text.contains(marker.comment));
        comment::is_core_type(marker.type_text);
    }
    if let Some((spec, rest)) = comment::declared(text) {
        assert!(text.ends_with(rest));
        // What a client declares must read back from the marker that it becomes.
        let marked = format!(":{spec}:{rest}");
        let marker = comment::marker(&marked).expect("a marker");
        assert_eq!(TypeSpec::parse(marker.type_text), Some(spec));
    }
}

fn resolved(spec: &TypeSpec) {
    if let Ok(chain) = spec.resolve() {
        assert_eq!(chain.outermost_name(), Some(spec.codec.as_str()));
        assert!(chain.dtype == Dtype::Json || spec.store.is_none());
    }
}

/// What is stored for a codec of the configuration; the first byte chooses a step, the second the
/// elements of an array. What decodes is no larger than the limit, and encodes again to what decodes
/// to the same.
pub fn steps(data: &[u8]) {
    let Some(([step, element], stored)) = data.split_first_chunk::<2>() else {
        return;
    };
    let all = every_step();
    let step = &all[usize::from(*step) % all.len()];
    let stored = match step.gives() {
        Kind::Bytes => Some(Value::Bytes(Bytes::copy_from_slice(stored))),
        Kind::Text | Kind::Value => std::str::from_utf8(stored).ok().map(Value::from),
        Kind::Array => {
            let element = Element::all()
                .nth(usize::from(element % 35))
                .expect("35 kinds");
            let whole = stored.len() / element.size() * element.size();
            let data = Bytes::copy_from_slice(&stored[..whole]);
            Array::vector(element, data).ok().map(Value::Array)
        }
    };
    let terms = Terms {
        codec: "fuzzed",
        limits: &LIMITS,
        lossy: false,
    };
    let Some(Ok(value)) = stored.map(|stored| step.decode(stored, &terms)) else {
        return;
    };
    if let Value::Bytes(bytes) = &value {
        assert!(bytes.len() as u64 <= LIMITS.bytes);
    }
    let again = step.encode(value.clone(), &terms);
    if !step.may_lose() {
        let again = again.expect("what was decoded");
        assert_eq!(step.decode(again, &terms).expect("what was encoded"), value);
    }
}

fn every_step() -> Vec<Box<dyn Step>> {
    let deflate = |wrapper: Wrapper| Deflate { wrapper, level: 1 };
    let differences = |stored, to| Differences {
        stored,
        to,
        from: None,
    };
    vec![
        Box::new(Json),
        Box::new(deflate(Wrapper::Zlib)),
        Box::new(deflate(Wrapper::Gzip)),
        Box::new(Zstd { level: 1 }),
        Box::new(Base64),
        Box::new(Text {
            charset: Charset::Utf8,
        }),
        Box::new(Text {
            charset: Charset::Utf16Be,
        }),
        Box::new(differences(Direction::Differences, Some(Element::Float32))),
        Box::new(differences(Direction::Sums, None)),
        Box::new(Cast {
            to: Element::Float32,
            from: Element::Int16,
        }),
        Box::new(Reshape::new(&[2, -1], &[-1]).expect("a shape")),
    ]
}

/// A value's blob and text each come back to the very same blob and text.
///
/// Blobs are compared, not values: a NaN is not equal to itself.
fn lossless(value: &Value) {
    let text = texts::print(value, None, &LIMITS);
    if let Ok(text) = &text {
        let again = texts::parse(text.as_bytes(), &LIMITS);
        let again = again.unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(
            &texts::print(&again, None, &LIMITS).expect("as before"),
            text
        );
    }
    let Ok(packed) = blobs::pack(value, &LIMITS) else {
        return;
    };
    let unpacked = blobs::unpack(&packed, &LIMITS);
    let unpacked = unpacked.unwrap_or_else(|error| panic!("{error}: {packed:?}"));
    assert_eq!(blobs::pack(&unpacked, &LIMITS).expect("as before"), packed);
    if let Ok(text) = &text {
        let parsed = texts::parse(text.as_bytes(), &LIMITS).expect("as before");
        assert_eq!(
            blobs::pack(&parsed, &LIMITS).expect("as before"),
            packed,
            "{text}"
        );
    }
}

/// A command on a prepared statement: its parameters. What is read is written as the same
/// parameters, and of a row of results the cells lie within it.
///
/// The input begins with the number of parameters, whether they have names, one that came before,
/// and the number of remembered types.
pub fn parameters(data: &[u8]) {
    let Some(([count, named, apart, known], payload)) = data.split_first_chunk::<4>() else {
        return;
    };
    let count = usize::from(count % 8);
    let kinds: Vec<wire::Kind> = payload
        .iter()
        .take(usize::from(known % 8))
        .map(|code| wire::Kind::plain(*code))
        .collect();
    let payload = Bytes::copy_from_slice(payload);
    let codes: Vec<u8> = kinds.iter().map(|kind| kind.code).collect();
    for cell in binary::cells(&payload, &codes).flatten() {
        assert!(cell.encoded.end <= payload.len());
        if let Some(value) = cell.value {
            assert!(cell.encoded.start <= value.start && value.end == cell.encoded.end);
        }
    }
    let known = Known {
        count,
        kinds: &kinds,
        named: named % 2 == 1,
        apart: &[usize::from(*apart)],
    };
    if let Ok(execute) = Execute::parse(&payload, known) {
        let same: Vec<Sent> = (0..count).map(Sent::Same).collect();
        let written = Bytes::from(execute.rebuilt(&payload, &same, count).concat());
        let again = Execute::parse(&written, known).expect("what was written");
        let contents = |payload: &Bytes, execute: &Execute| -> Vec<Option<Bytes>> {
            let content = |given: &Given| match given {
                Given::Value { content, .. } => Some(payload.slice(content.clone())),
                Given::Null | Given::Apart => None,
            };
            (execute.parameters.iter())
                .map(|parameter| content(&parameter.given))
                .collect()
        };
        assert_eq!(contents(&payload, &execute), contents(&written, &again));
        assert_eq!(execute.kinds(), again.kinds());
    }
    if let Ok(mut bulk) = Bulk::parse(&payload, count, &kinds) {
        let mut written = bulk.rebuilt(&bulk.kinds);
        let mut rows = 0;
        while let Ok(Some(row)) = bulk.row() {
            row.iter().for_each(|value| written.same(value));
            rows += 1;
        }
        let written = Bytes::from(written.finish().concat());
        let mut again = Bulk::parse(&written, count, &kinds).expect("what was written");
        for _ in 0..rows {
            assert!(matches!(again.row(), Ok(Some(_))));
        }
        assert_eq!(again.row(), Ok(None));
    }
}
