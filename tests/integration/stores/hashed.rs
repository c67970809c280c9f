//! Values under the names of their hashes.

use std::sync::Arc;

use bytes::Bytes;
use codec_proxy::codec::ObjectPath;
use codec_proxy::store::{ErrorKind, PathRule};

use super::Check;
use super::bench::{Bench, Chunks, RULE, SCHEMA, Server, at, long, noise, wait};

pub const CHECKS: &[Check] = &[
    ("what is put comes back, once", what_is_put_comes_back),
    (
        "content in chunks is one value",
        content_in_chunks_is_one_value,
    ),
    ("a large value by parts", a_large_value_by_parts),
    ("many small values", many_small_values),
    ("a corrupt object has no end", a_corrupt_object_has_no_end),
    ("an object of another size", an_object_of_another_size),
    ("many writers of one value", many_writers_of_one_value),
    (
        "a pointer stays in its column",
        a_pointer_stays_in_its_column,
    ),
    ("a schema is a folder", a_schema_is_a_folder),
    ("a probe leaves nothing", a_probe_leaves_nothing),
];

fn what_is_put_comes_back(bench: &Bench) {
    for len in [0, 1, 1000, 131_073, 1 << 20, (1 << 20) + 1, 20 << 20] {
        let value = noise(len);
        let pointer = bench.put_hashed(&value).unwrap();
        assert_eq!(pointer.size, Some(len as u64));
        assert_eq!(pointer.store, "main");
        assert_eq!(pointer.schema.as_deref(), Some(SCHEMA));
        let path = format!("_hash/{SCHEMA}/{}", pointer.hash);
        assert_eq!(pointer.path.as_str(), path);
        assert!(bench.fetch(&pointer).unwrap() == value, "{len} bytes");
        let before = bench.list(&format!("_hash/{SCHEMA}")).len();
        assert_eq!(bench.put_hashed(&value).unwrap(), pointer);
        assert_eq!(bench.list(&format!("_hash/{SCHEMA}")).len(), before);
    }
}

fn content_in_chunks_is_one_value(bench: &Bench) {
    for (len, chunk) in [(5000, 7), (3 << 20, 999_983), (17 << 20, 1 << 20)] {
        let chunk = noise(chunk);
        let content = Arc::new(Chunks {
            len,
            chunk: chunk.clone(),
        });
        let pointer = wait(bench.store().put_hashed(SCHEMA, content)).unwrap();
        let read = bench.fetch(&pointer).unwrap();
        assert_eq!(read.len() as u64, len);
        let mut pieces = read.chunks(chunk.len());
        assert!(pieces.all(|piece| piece == &chunk[..piece.len()]));
    }
}

/// The value is made while it goes up and dropped as it comes: never there as a whole, but in a
/// store in memory.
fn a_large_value_by_parts(bench: &Bench) {
    let len = if long() { 1 << 30 } else { 64 << 20 };
    let before = peak_memory();
    let chunk = noise(1_000_003);
    let content = Arc::new(Chunks { len, chunk });
    let pointer = wait(bench.store().put_hashed(SCHEMA, content)).unwrap();
    assert_eq!(bench.size(pointer.path.as_str()), Some(len));
    let read = wait(async {
        let mut reader = bench.store().open(&pointer, &RULE).await.unwrap();
        assert_eq!(reader.size(), len);
        let mut read = 0;
        while let Some(chunk) = reader.next().await.unwrap() {
            read += chunk.len() as u64;
        }
        read
    });
    // Whose MD5 was compared with the name before the last chunk was handed out.
    assert_eq!(read, len);
    // In a process with other tests, theirs counts too.
    let alone = std::env::var_os("NEXTEST").is_some();
    if alone && !matches!(bench.server, Server::Memory) {
        let grown = peak_memory() - before;
        assert!(grown < 200 << 20, "{grown} bytes more were needed");
    }
    wait(bench.store().delete(&pointer.path)).unwrap();
}

/// The most memory that this process has ever had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() * 1024
}

fn many_small_values(bench: &Bench) {
    let count: u64 = if long() { 10_000 } else { 500 };
    let schema = "many";
    let value = |n: u64| Bytes::from(format!("value {n}"));
    let rule = PathRule { schema, also: &[] };
    let work = |n: u64| {
        let store = bench.store();
        async move {
            let pointer = store.put_hashed(schema, Arc::new(value(n))).await.unwrap();
            assert_eq!(store.fetch(&pointer, &rule).await.unwrap(), value(n));
        }
    };
    wait(async {
        use futures_util::StreamExt;
        let all = futures_util::stream::iter(0..count).map(work);
        all.buffer_unordered(32).collect::<()>().await;
    });
    let listed = bench.list(&format!("_hash/{schema}"));
    assert_eq!(listed.len() as u64, count);
    assert!(listed.is_sorted());
    let sizes: u64 = listed.iter().map(|(_, size)| size).sum();
    assert_eq!(
        sizes,
        (0..count).map(|n| value(n).len() as u64).sum::<u64>()
    );
    let store = bench.store();
    let error = wait(store.list(&at("_hash/many"), 100)).unwrap_err();
    assert!(error.cause.contains("more than 100 objects"), "{error}");
}

fn a_corrupt_object_has_no_end(bench: &Bench) {
    for len in [10, (1 << 20) + 1, 5 << 20] {
        let pointer = bench.put_hashed(&noise(len)).unwrap();
        let mut corrupt = noise(len).to_vec();
        corrupt[0] ^= 1;
        bench.replace(&pointer.path, &corrupt.into());
        let (handed_out, error) = wait(async {
            let mut handed_out = 0;
            let mut reader = match bench.store().open(&pointer, &RULE).await {
                Ok(reader) => reader,
                Err(error) => return (0, error),
            };
            loop {
                match reader.next().await {
                    Ok(Some(chunk)) => handed_out += chunk.len(),
                    Ok(None) => panic!("a corrupt value came to its end"),
                    Err(error) => return (handed_out, error),
                }
            }
        });
        assert!(handed_out < len);
        assert_eq!(error.kind, ErrorKind::Corrupt);
        let text = format!("Hash mismatch: expected {}, got ", pointer.hash);
        assert!(error.cause.starts_with(&text), "{error}");
        assert!(!error.for_client().contains(pointer.path.as_str()));
        wait(bench.store().delete(&pointer.path)).unwrap();
    }
}

fn an_object_of_another_size(bench: &Bench) {
    let value = noise(100);
    let pointer = bench.put_hashed(&value).unwrap();
    bench.replace(&pointer.path, &value.slice(..50));
    let error = bench.put_hashed(&value).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Corrupt);
    wait(bench.store().delete(&pointer.path)).unwrap();
}

fn many_writers_of_one_value(bench: &Bench) {
    for len in [60_000, 2 << 20] {
        let value = noise(len);
        let puts = (0..32).map(|_| {
            let (store, content) = (bench.store(), Arc::new(value.clone()));
            async move { store.put_hashed(SCHEMA, content).await.unwrap() }
        });
        let pointers = wait(futures_util::future::join_all(puts));
        assert!(pointers.windows(2).all(|pair| pair[0] == pair[1]));
        assert!(bench.fetch(&pointers[0]).unwrap() == value);
    }
}

fn a_pointer_stays_in_its_column(bench: &Bench) {
    let mut pointer = bench.put_hashed(&noise(10)).unwrap();
    let read = |schema: &str, also: &[ObjectPath]| {
        let rule = PathRule { schema, also };
        wait(bench.store().fetch(&pointer, &rule))
    };
    for schema in ["another", "ex", "..", ""] {
        let error = read(schema, &[]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::OutOfBounds);
        assert!(!error.for_client().contains(pointer.path.as_str()));
    }
    let also = [at(&format!("_hash/{SCHEMA}"))];
    assert_eq!(read("another", &also).unwrap(), noise(10));
    pointer.path = at("_schema/exp/t/x.npy");
    let error = bench.fetch(&pointer).unwrap_err();
    assert_eq!(error.kind, ErrorKind::OutOfBounds);
}

fn a_schema_is_a_folder(bench: &Bench) {
    for schema in ["", "..", "a/../b", "a/b"] {
        let store = bench.store();
        wait(store.put_hashed(schema, Arc::new(noise(1)))).unwrap_err();
    }
}

fn a_probe_leaves_nothing(bench: &Bench) {
    wait(bench.store().probe()).unwrap();
    wait(bench.store().probe()).unwrap();
    assert_eq!(bench.list("_hash/.codec-proxy-probe"), []);
}
