//! Archives of all kinds, good and bad.

use proptest::prelude::*;

use super::*;
use crate::codec::testing::path;

fn limits() -> ValueLimits {
    ValueLimits::default()
}

fn directory(files: &[(&str, &str)]) -> Directory {
    let files = files
        .iter()
        .map(|(name, content)| (path(name), Bytes::copy_from_slice(content.as_bytes())));
    Directory {
        files: files.collect(),
    }
}

/// An archive of these members, also of such as `tar` itself would not write.
fn archive(members: &[(&[u8], EntryType, &str)]) -> Bytes {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, content) in members {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        if *kind == EntryType::Symlink || *kind == EntryType::Link {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().into()
}

const FILE: EntryType = EntryType::Regular;

#[test]
fn files_and_folders_are_read() {
    let archive = archive(&[
        (b"./", EntryType::Directory, ""),
        // Python's tarfile, where the directory itself is to have no name.
        (b"/", EntryType::Directory, ""),
        (b"./b/", EntryType::Directory, ""),
        (b"./b/c.txt", FILE, "see"),
        (b"./a.txt", FILE, ""),
        (b"empty/", EntryType::Directory, ""),
    ]);
    let found = Directory::from_tar(&archive, &limits()).unwrap();
    assert_eq!(found, directory(&[("a.txt", ""), ("b/c.txt", "see")]));
    assert_eq!(found.size(), 3);
}

#[test]
fn an_empty_archive_is_an_empty_directory() {
    let empty = Directory::from_tar(&vec![0; 1024].into(), &limits()).unwrap();
    assert_eq!(empty, Directory::default());
}

#[test]
fn what_is_no_file_or_leaves_the_directory_is_refused() {
    for (name, kind) in [
        (&b"../x"[..], FILE),
        (b"/etc/passwd", FILE),
        (b"/", FILE),
        (b"a/../../x", FILE),
        (b".//x", FILE),
        (b"./../x", FILE),
        (b"a\\b", FILE),
        (b"a\nb", FILE),
        (b"\xff", FILE),
        (b"./", FILE),
        (b"..", EntryType::Directory),
        (b"/a/", EntryType::Directory),
        (b"link", EntryType::Symlink),
        (b"link", EntryType::Link),
        (b"device", EntryType::Char),
        (b"device", EntryType::Block),
        (b"pipe", EntryType::Fifo),
        (b"sparse", EntryType::GNUSparse),
        (b"odd", EntryType::new(b'Z')),
    ] {
        let archive = archive(&[(name, kind, "")]);
        let found = Directory::from_tar(&archive, &limits());
        assert!(found.is_err(), "{name:?} {kind:?}");
    }
}

#[test]
fn a_name_is_there_once() {
    for names in [["a", "a"], ["a", "./a"], ["a", "a/b"], ["a/b", "a"]] {
        let members = names.map(|name| (name.as_bytes(), FILE, ""));
        let found = Directory::from_tar(&archive(&members), &limits());
        assert!(found.is_err(), "{names:?}");
    }
    let between = [&b"a"[..], b"a.b", b"a.b/c"].map(|name| (name, FILE, ""));
    assert!(Directory::from_tar(&archive(&between), &limits()).is_err());
    let fine = [&b"a.b"[..], b"a/c", b"a.b.c"].map(|name| (name, FILE, ""));
    assert!(Directory::from_tar(&archive(&fine), &limits()).is_ok());
}

#[test]
fn an_archive_that_was_cut_is_refused() {
    let whole = archive(&[(b"a", FILE, "hello"), (b"b", FILE, "world")]);
    assert_eq!(whole.len(), 3072);
    for length in [0, 1, 512, 600, 1024, 1500, 1600, 2047, 2048, 2559] {
        let found = Directory::from_tar(&whole.slice(..length), &limits());
        assert!(found.is_err(), "{length} bytes");
    }
    assert!(Directory::from_tar(&whole.slice(..2560), &limits()).is_ok());
    for other in [&b"dj0\0\xff"[..], &[0xff; 4096], b"PK\x03\x04"] {
        let bytes = Bytes::copy_from_slice(other);
        assert!(Directory::from_tar(&bytes, &limits()).is_err());
    }
}

#[test]
fn a_sparse_file_is_refused() {
    let mut builder = Builder::new(Vec::new());
    builder
        .append_pax_extensions([("GNU.sparse.major", &b"1"[..])])
        .unwrap();
    let mut header = Header::new_ustar();
    header.set_size(0);
    header.set_mode(0o644);
    builder.append_data(&mut header, "a", &b""[..]).unwrap();
    let archive = builder.into_inner().unwrap().into();
    let error = Directory::from_tar(&archive, &limits()).unwrap_err();
    assert!(error.to_string().contains("plain file"), "{error}");
}

#[test]
fn limits_hold() {
    let few = ValueLimits {
        files: 2,
        ..limits()
    };
    let members = ["a", "b", "c"].map(|name| (name.as_bytes(), FILE, ""));
    assert!(Directory::from_tar(&archive(&members[..2]), &few).is_ok());
    let error = Directory::from_tar(&archive(&members), &few).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the directory has more than 2 files (limits.directory_files)"
    );
    let folders = ["a", "b", "c", "d", "e", "f"];
    let folders = folders.map(|name| (name.as_bytes(), EntryType::Directory, ""));
    assert!(Directory::from_tar(&archive(&folders), &few).is_err());
    let small = ValueLimits {
        bytes: 2000,
        ..limits()
    };
    assert!(directory(&[("a", "")]).to_tar(&limits()).is_ok());
    assert!(directory(&[("a", "")]).to_tar(&small).is_err());
}

#[test]
fn the_manifest_is_laid_out_as_by_datajoint() {
    // json.dumps({"files": [...], "total_size": 8, "item_count": 2, "created": now}, indent=2)
    let manifest = directory(&[("é.txt", "hello"), ("b/c", "see")]).manifest("now");
    assert_eq!(
        manifest.unwrap(),
        r#"{
  "files": [
    {
      "path": "b/c",
      "size": 3
    },
    {
      "path": "\u00e9.txt",
      "size": 5
    }
  ],
  "total_size": 8,
  "item_count": 2,
  "created": "now"
}"#
    );
}

#[test]
fn json_is_read_as_it_is_written() {
    let directory = directory(&[("a/b.txt", "hello"), ("c", "")]);
    let json = directory.to_json(&limits()).unwrap();
    assert_eq!(
        metadata::dumps(&json).unwrap(),
        concat!(
            r#"[{"path": "a/b.txt", "size": 5, "base64": "aGVsbG8="}, "#,
            r#"{"path": "c", "size": 0, "base64": ""}]"#
        )
    );
    assert_eq!(Directory::from_json(&json, &limits()).unwrap(), directory);
    for bad in [
        r#"[{"path": "../x", "base64": ""}]"#,
        r#"[{"path": "x"}]"#,
        r#"[{"path": "x", "base64": "?"}]"#,
        r#"[{"path": "x", "base64": ""}, {"path": "x", "base64": ""}]"#,
        r#"[{"path": "x", "base64": ""}, {"path": "x/y", "base64": ""}]"#,
        r#"{"path": "x", "base64": ""}"#,
    ] {
        let value = metadata::loads(bad.as_bytes()).unwrap();
        assert!(Directory::from_json(&value, &limits()).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_archived_is_read(
        files in prop::collection::btree_map(
            "[a-zé ._]{1,9}x(/[a-z]{1,60}y){0,4}",
            prop::collection::vec(any::<u8>(), 0..1500),
            0..8,
        )
    ) {
        let files = files.iter().map(|(name, content)| (path(name), content.clone().into()));
        let directory = Directory { files: files.collect() };
        if let Ok(directory) = directory.checked() {
            let archive = directory.to_tar(&limits()).unwrap();
            prop_assert_eq!(&directory.to_tar(&limits()).unwrap(), &archive);
            prop_assert_eq!(Directory::from_tar(&archive, &limits()).unwrap(), directory);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = Directory::from_tar(&bytes.into(), &limits());
    }
}
