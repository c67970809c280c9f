//! Objects under paths of their own.

use std::sync::Arc;

use bytes::Bytes;
use codec_proxy::codec::{Backend, BackendError, Backends, ObjectPath};
use codec_proxy::store::ErrorKind;

use super::Check;
use super::bench::{Bench, at, noise, wait};

pub const CHECKS: &[Check] = &[
    ("a put creates and never replaces", a_put_never_replaces),
    ("of many writers one wins", of_many_writers_one_wins),
    ("an object comes in chunks", an_object_comes_in_chunks),
    ("ranges", ranges),
    ("lists", lists),
    ("what is deleted is gone", what_is_deleted_is_gone),
    ("a missing object is named", a_missing_object_is_named),
    ("keys of every character", keys_of_every_character),
    ("codecs reach the store", codecs_reach_the_store),
];

fn a_put_never_replaces(bench: &Bench) {
    for len in [0, 10, 2 << 20, 17 << 20] {
        let path = format!("_schema/exp/t/id=1/a_{len}.dat");
        let value = noise(len);
        assert_eq!(bench.size(&path), None);
        bench.put(&path, &value).unwrap();
        assert_eq!(bench.size(&path), Some(len as u64));
        let error = bench.put(&path, &noise(len + 1)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Exists, "{error}");
        assert!(!error.for_client().contains("a_"), "{error}");
        assert!(bench.get(&path).unwrap() == value, "{len} bytes");
    }
}

fn of_many_writers_one_wins(bench: &Bench) {
    let path = at("_schema/exp/t/id=2/race.dat");
    let puts = (0..16_usize).map(|n| {
        let (store, path) = (bench.store(), path.clone());
        async move { (n, store.put(&path, noise(1000 + n)).await) }
    });
    let done = wait(futures_util::future::join_all(puts));
    let winners: Vec<usize> = done
        .into_iter()
        .filter_map(|(n, put)| match put {
            Ok(()) => Some(n),
            Err(error) => {
                assert_eq!(error.kind, ErrorKind::Exists, "{error}");
                None
            }
        })
        .collect();
    let [winner] = winners[..] else {
        panic!("these won: {winners:?}");
    };
    assert_eq!(bench.get(path.as_str()).unwrap(), noise(1000 + winner));
}

fn an_object_comes_in_chunks(bench: &Bench) {
    let path = at("_schema/exp/t/id=3/chunks.dat");
    let value = noise(20 << 20);
    bench.put(path.as_str(), &value).unwrap();
    wait(async {
        let mut reader = bench.store().open_object(&path).await.unwrap();
        assert_eq!(reader.size(), 20 << 20);
        let mut read = Vec::new();
        let mut longest = 0;
        while let Some(chunk) = reader.next().await.unwrap() {
            longest = longest.max(chunk.len());
            read.extend_from_slice(&chunk);
        }
        assert!(read == value);
        // A store in memory has it in one piece anyway.
        let in_memory = longest == value.len() && bench.server.address().is_none();
        assert!(longest < 4 << 20 || in_memory, "a chunk of {longest} bytes");
        // One who loses interest holds up nobody.
        let mut reader = bench.store().open_object(&path).await.unwrap();
        assert!(reader.next().await.unwrap().is_some());
    });
}

fn ranges(bench: &Bench) {
    let path = at("_schema/exp/t/id=4/range.dat");
    let value = noise(3 << 20);
    let len = value.len() as u64;
    bench.put(path.as_str(), &value).unwrap();
    let range = |from, to| wait(bench.store().range(&path, from..to));
    for (from, to) in [
        (0, 1),
        (0, len),
        (1, 2),
        (1 << 20, 2 << 20),
        (len - 5, len),
        (7, 7),
    ] {
        let expected = &value[from as usize..to as usize];
        assert!(range(from, to).unwrap() == expected, "{from}..{to}");
    }
    assert_eq!(range(len - 3, len + 10).unwrap(), &value[value.len() - 3..]);
    assert_eq!(range(len, len + 1).unwrap(), Bytes::new());
    let error = range(len + 1, len + 2).unwrap_err();
    assert!(error.cause.contains("after the end"), "{error}");
    let missing = wait(bench.store().range(&at("_schema/none"), 0..1));
    assert_eq!(missing.unwrap_err().kind, ErrorKind::Missing);
}

fn lists(bench: &Bench) {
    for (name, len) in [("b/c", 3), ("a", 1), ("b/a/x", 2), ("b.c", 4), ("c", 0)] {
        bench
            .put(&format!("listed/dir/{name}"), &noise(len))
            .unwrap();
    }
    // Neighbours that only begin alike.
    bench.put("listed/dir2/a", &noise(1)).unwrap();
    bench.put("listed/di", &noise(1)).unwrap();
    let expected = [
        ("listed/dir/a", 1),
        ("listed/dir/b.c", 4),
        ("listed/dir/b/a/x", 2),
        ("listed/dir/b/c", 3),
        ("listed/dir/c", 0),
    ];
    let expected = expected.map(|(path, size)| (path.to_owned(), size));
    assert_eq!(bench.list("listed/dir"), expected);
    assert_eq!(bench.list("listed").len(), 7);
    assert_eq!(bench.list("listed/nothing"), []);
    let list = |max| wait(bench.store().list(&at("listed/dir"), max));
    assert_eq!(list(5).unwrap().len(), 5);
    let error = list(4).unwrap_err();
    let text = "store 'main', list: the folder holds more than 4 objects";
    assert_eq!(error.for_client(), text);
}

fn what_is_deleted_is_gone(bench: &Bench) {
    let path = at("_schema/exp/t/id=5/gone.dat");
    bench.put(path.as_str(), &noise(10)).unwrap();
    wait(bench.store().delete(&path)).unwrap();
    assert_eq!(bench.size(path.as_str()), None);
    let error = bench.get(path.as_str()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Missing);
    assert_eq!(bench.list("_schema/exp/t/id=5"), []);
    bench.put(path.as_str(), &noise(11)).unwrap();
    assert_eq!(bench.get(path.as_str()).unwrap(), noise(11));
}

fn a_missing_object_is_named(bench: &Bench) {
    let error = bench.get("_schema/exp/none.dat").unwrap_err();
    let text = "store 'main', get: Missing external file _schema/exp/none.dat";
    assert_eq!(error.to_string(), text);
    assert!(!error.for_client().contains("none.dat"), "{error}");
    let mut pointer = bench.put_hashed(&noise(12)).unwrap();
    pointer.path = ObjectPath::parse(&format!("{}x", pointer.path)).unwrap();
    let error = bench.fetch(&pointer).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Missing, "{error}");
}

/// Each by itself in a segment, all of them in one, and what looks like an escape.
fn keys_of_every_character(bench: &Bench) {
    let printable: Vec<char> = (' '..='~').filter(|c| !matches!(c, '/' | '\\')).collect();
    let mut keys: Vec<String> = printable.iter().map(|c| format!("x{c}x/y{c}y")).collect();
    keys.push(printable.iter().collect::<String>() + "/end");
    keys.extend(
        [
            "a%2Fb/c%20d%",
            "ü/漢字/🦀.dat",
            "a+b c/?x=1&y=2#z",
            ".hidden/..x",
        ]
        .map(String::from),
    );
    for (n, key) in keys.iter().enumerate() {
        let path = format!("keys/{key}");
        bench.put(&path, &noise(n)).unwrap();
        assert_eq!(bench.get(&path).unwrap(), noise(n), "{key}");
        assert_eq!(bench.size(&path), Some(n as u64), "{key}");
    }
    let mut expected: Vec<(String, u64)> = keys
        .iter()
        .enumerate()
        .map(|(n, key)| (format!("keys/{key}"), n as u64))
        .collect();
    expected.sort();
    assert_eq!(bench.list("keys"), expected);
    for key in keys {
        wait(bench.store().delete(&at(&format!("keys/{key}")))).unwrap();
    }
    assert_eq!(bench.list("keys"), []);
}

/// As the codecs see a store: calls that block, on a thread that may.
fn codecs_reach_the_store(bench: &Bench) {
    let stores = Arc::new(bench.stores.clone());
    let work = move || -> Result<(), BackendError> {
        let backend = stores.backend("")?;
        assert_eq!(backend.name(), "main");
        let path = at("_schema/exp/t/id=6/backend.dat");
        backend.put(&path, noise(100))?;
        assert_eq!(backend.size(&path)?, Some(100));
        assert_eq!(backend.get(&path, 100)?, noise(100));
        let told = backend.get(&path, 99).unwrap_err().told;
        assert_eq!(told, "store 'main', get: the object has more than 99 bytes");
        let told = backend.put(&path, noise(1)).unwrap_err().told;
        assert!(
            told.starts_with("store 'main', put: an object of that path"),
            "{told}"
        );
        let listed = backend.list(&at("_schema/exp/t/id=6"), 10)?;
        assert_eq!(listed, [(path, 100)]);
        for (folder, is) in [("_schema/exp/t", true), ("_schema/exp/t/id", false)] {
            assert_eq!(backend.has_folder(&at(folder))?, is, "{folder}");
        }
        many_at_once(&*backend)?;
        let pointer = backend.put_hashed("exp", noise(7))?;
        assert_eq!(backend.get(&pointer.path, 7)?, noise(7));
        let told = stores.backend("elsewhere").err().map(|error| error.told);
        assert!(told.is_some_and(|told| told.contains("configured: main")));
        Ok(())
    };
    let blocking = bench.runtime.spawn_blocking(work);
    bench.runtime.block_on(blocking).unwrap().unwrap();
}

fn many_at_once(backend: &dyn Backend) -> Result<(), BackendError> {
    let file = |n: usize| (at(&format!("_schema/exp/t/id=7/{n:03}")), noise(n));
    let (paths, contents): (Vec<_>, Vec<_>) = (0..100).map(file).unzip();
    backend.put_all((0..100).map(file).collect())?;
    assert!(backend.has_folder(&at("_schema/exp/t/id=7"))?);
    let total = 99 * 100 / 2;
    assert_eq!(backend.get_all(&paths, total)?, contents);
    assert!(backend.get_all(&paths, total - 1).is_err());
    // What is there stays; what is not there is not made up.
    assert!(backend.put_all(vec![file(1000), file(7)]).is_err());
    let gone = [paths[0].clone(), at("_schema/exp/t/id=7/gone")];
    let told = backend.get_all(&gone, total).unwrap_err().told;
    assert!(told.contains("Missing external file"), "{told}");
    Ok(())
}
