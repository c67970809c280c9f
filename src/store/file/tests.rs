//! The file store: what is on the disk after success, failure and interruption.

use super::*;
use crate::store::StoreSettings;

fn naming(schema: &str, subfolding: Option<Vec<u32>>) -> Naming {
    let settings = StoreSettings {
        protocol: Some("file".to_owned()),
        location: Some("/".to_owned()),
        subfolding,
        ..Default::default()
    };
    Naming::new(&settings.parse("main").unwrap().layout, schema).unwrap()
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                names.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    names.sort();
    names
}

#[test]
fn objects_lie_where_datajoint_looks_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::new(dir.path().to_owned());
    let hello = Bytes::from_static(b"hello");
    store.put_hashed(&naming("exp", None), &hello).unwrap();
    store
        .put_hashed(&naming("exp", Some(vec![2, 3])), &hello)
        .unwrap();
    assert_eq!(
        files_in(dir.path()),
        [
            "_hash/exp/lv/aua/lvauakv4jmvhnolrtwiraf6fsi",
            "_hash/exp/lvauakv4jmvhnolrtwiraf6fsi"
        ]
    );
}

#[test]
fn others_may_read_what_the_umask_lets_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::new(dir.path().to_owned());
    let named = store
        .put_hashed(&naming("exp", None), &Bytes::from_static(b"x"))
        .unwrap();
    fs::write(dir.path().join("plain"), b"x").unwrap();
    let mode = |path: &str| {
        fs::metadata(dir.path().join(path))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode(named.path.as_str()), mode("plain"));
}

#[test]
fn a_failed_put_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::new(dir.path().to_owned());
    // The name of the hash is taken by a folder, so that publishing fails.
    let blocked = dir.path().join("_hash/exp/lvauakv4jmvhnolrtwiraf6fsi");
    fs::create_dir_all(blocked.join("x")).unwrap();
    let hello = Bytes::from_static(b"hello");
    store.put_hashed(&naming("exp", None), &hello).unwrap_err();
    assert_eq!(files_in(dir.path()), Vec::<String>::new());
}

#[test]
fn a_writer_that_was_killed_is_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::new(dir.path().to_owned());
    fs::create_dir_all(dir.path().join("_hash/exp")).unwrap();
    fs::write(dir.path().join("_hash/exp/.saving-abc"), b"hel").unwrap();
    let hello = Bytes::from_static(b"hello");
    store.put_hashed(&naming("exp", None), &hello).unwrap();
    assert_eq!(
        fs::read(dir.path().join("_hash/exp/lvauakv4jmvhnolrtwiraf6fsi")).unwrap(),
        b"hello"
    );
}

#[test]
fn an_object_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::new(dir.path().to_owned());
    for size in [5usize, SMALL as usize + 1] {
        let content = Bytes::from(vec![7; size]);
        let named = store.put_hashed(&naming("exp", None), &content).unwrap();
        let target = dir.path().join(named.path.as_str());
        let before = fs::metadata(&target).unwrap();
        store.put_hashed(&naming("exp", None), &content).unwrap();
        let after = fs::metadata(&target).unwrap();
        assert_eq!(before.modified().unwrap(), after.modified().unwrap());

        fs::write(&target, b"cut").unwrap();
        let fault = store
            .put_hashed(&naming("exp", None), &content)
            .unwrap_err();
        assert_eq!(fault.kind, error::ErrorKind::Corrupt);
        assert_eq!(fs::read(&target).unwrap(), b"cut");
    }
    assert_eq!(files_in(dir.path()).len(), 2, "no temporary file stays");
}

#[test]
fn a_folder_that_vanishes_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::new(dir.path().to_owned());
    for content in ["one", "two"] {
        let content = Bytes::from_static(content.as_bytes());
        store.put_hashed(&naming("exp", None), &content).unwrap();
        fs::remove_dir_all(dir.path().join("_hash")).unwrap();
    }
}
