//! The file store: what is on the disk after success, failure and interruption.

use super::*;
use crate::codec::Layout;
use crate::store::StoreSettings;

fn layout(subfolding: Option<Vec<u32>>) -> Layout {
    let settings = StoreSettings {
        protocol: Some("file".to_owned()),
        location: Some("/".to_owned()),
        subfolding,
        ..Default::default()
    };
    settings.parse("main").unwrap().layout
}

fn naming(schema: &str, subfolding: Option<Vec<u32>>) -> Naming {
    Naming::new(&layout(subfolding), schema).unwrap()
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

#[test]
fn what_a_killed_put_left_is_removed_a_day_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::new(dir.path().to_owned());
    let day = std::time::Duration::from_secs(24 * 60 * 60 + 60);
    let old = std::time::SystemTime::now() - day;
    for folder in ["_hash/exp/ab", "_schema/exp/t/id=1", "mine"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
        for (name, is_old) in [
            (".saving-abcdefABCD12", true),
            (".saving-abcdefABCD13", false),
            (".saving-notes", true),
            ("object.saving", true),
        ] {
            let file = fs::File::create(dir.path().join(folder).join(name)).unwrap();
            if is_old {
                file.set_modified(old).unwrap();
            }
        }
    }
    assert_eq!(store.sweep(&layout(None)), 2);
    let left = files_in(dir.path());
    let old: Vec<_> = left.iter().filter(|name| name.ends_with("12")).collect();
    assert_eq!(old, ["mine/.saving-abcdefABCD12"], "no section of ours");
    assert_eq!(left.len(), 10);
    let listed = store
        .list(&ObjectPath::parse("_hash").unwrap(), 10)
        .unwrap();
    let names: Vec<_> = listed.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        names,
        ["_hash/exp/ab/.saving-notes", "_hash/exp/ab/object.saving"]
    );
}
