//! `RELOAD`: what changes while a session stays, and what does not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{console, lab_with};
use crate::support::lab::{Lab, PASSWORD};

/// Changes the lab's configuration file.
fn edit(lab: &Lab, change: impl FnOnce(String) -> String) {
    let file = lab.folder().join("codec-proxy.toml");
    let text = fs::read_to_string(&file).expect("it is there");
    fs::write(&file, change(text)).expect("it can be written");
}

#[test]
fn a_store_and_a_rule_come_while_a_session_stays() {
    let lab = lab_with("reload", "");
    let mut console = console(&lab);
    let mut client = lab.bytes();
    let id = client.text("SELECT CONNECTION_ID()");
    client.ok("CREATE TABLE plain (id INT PRIMARY KEY, data LONGBLOB COMMENT 'raw')");
    client.ok("SET @mine = 7");
    let insert = "INSERT INTO cold (id, data) VALUES (1, 'mYm\\0x')";
    lab.table(
        "cold",
        "id INT PRIMARY KEY, data JSON COMMENT ':<blob@cold>:raw'",
    );
    assert!(client.error(insert).message.contains("cold"));

    let cold = lab.folder().join("cold");
    fs::create_dir(&cold).expect("a new folder");
    edit(&lab, |text| {
        format!(
            "{text}\n[stores.cold]\nprotocol = \"file\"\nlocation = \"{}\"\n\
             [declare]\nlongblob = \"<blob@cold>\"\n[limits]\nsessions = 77\n",
            cold.display()
        )
    });
    let told = console.query("RELOAD").expect("rows");
    assert_eq!(told.texts("Section"), ["stores", "declare", "limits"]);
    assert_eq!(told.texts("Outcome"), ["added cold", "changed", "changed"]);
    assert_eq!(
        console.query("SHOW STORES").expect("rows").texts("Name"),
        ["cold", "main"]
    );
    let shown = console
        .query("SHOW CONFIG LIKE 'limits.sessions'")
        .expect("rows");
    assert_eq!(shown.texts("Value"), ["77"]);

    // The same session, with what it had.
    client.ok(insert);
    assert_eq!(
        client.value("SELECT data FROM cold"),
        Some(b"mYm\0x".to_vec())
    );
    assert!(cold.join("_hash").exists());
    client.ok("CREATE TABLE declared (id INT PRIMARY KEY, data LONGBLOB COMMENT 'raw')");
    let comment = |table: &str| {
        lab.direct().text(format!(
            "SELECT COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = \
             '{}' AND TABLE_NAME = '{table}' AND COLUMN_NAME = 'data'",
            lab.database
        ))
    };
    assert_eq!(comment("declared"), ":<blob@cold>:raw");
    assert_eq!(comment("plain"), "raw");
    assert_eq!(client.text("SELECT @mine"), "7");
    assert_eq!(client.text("SELECT CONNECTION_ID()"), id);

    // A codec comes, and what was unusable is not any more.
    lab.table(
        "packed",
        "id INT PRIMARY KEY, data JSON COMMENT ':<zjson@>:x'",
    );
    let insert = "INSERT INTO packed (id, data) VALUES (1, 'mYm\\0x')";
    assert!(client.error(insert).message.contains("zjson"));
    edit(&lab, |text| {
        text + "\n[codecs.zjson]\nchain = [\"json\", \"zlib\"]\ndtype = \"<blob>\"\n"
    });
    let told = console.query("RELOAD").expect("rows");
    assert_eq!(told.texts("Section"), ["codecs"]);
    client.ok("SET @codec_view = 'json'");
    client.ok("INSERT INTO packed (id, data) VALUES (1, '{\"a\": 5}')");
    assert_eq!(client.text("SELECT data FROM packed"), "{\"a\":5}");
    let codecs = console.query("SHOW CODECS LIKE 'zjson'").expect("a row");
    assert!(
        codecs.texts("Origin")[0].contains("codec-proxy.toml:"),
        "{codecs:?}"
    );

    // Nothing has changed since.
    let told = console.query("RELOAD").expect("rows");
    assert_eq!(told.texts("Outcome"), ["read; nothing has changed"]);
}

#[test]
fn a_faulty_file_changes_nothing() {
    let lab = lab_with("faulty", "");
    let mut console = console(&lab);
    let file = lab.folder().join("codec-proxy.toml");
    let good = fs::read_to_string(&file).expect("it is there");
    for (fault, told) in [
        ("\n[limits]\nsesions = 5\n", "`limits.sesions`"),
        ("\n[stores.cold]\nprotocol = \"file\"\n", "location"),
        (
            "\n[tls]\ncertificate = \"no.pem\"\nkey = \"no.key\"\n",
            "no.pem",
        ),
        ("\n[", "TOML"),
    ] {
        fs::write(&file, format!("{good}{fault}")).expect("written");
        let error = console.error("RELOAD");
        assert_eq!(error.code, 1296);
        assert!(
            error.message.contains("nothing was changed"),
            "{}",
            error.message
        );
        assert!(error.message.contains(told), "{told}: {}", error.message);
        assert_eq!(
            console.query("SHOW STORES").expect("rows").texts("Name"),
            ["main"]
        );
    }
    fs::remove_file(&file).expect("it is there");
    assert_eq!(console.error("RELOAD").code, 1296);
    assert_eq!(lab.bytes().text("SELECT 1"), "1");
    // What needs a restart is said, and the rest of the file holds.
    let other = good.replacen("127.0.0.1:0", "127.0.0.1:1", 1) + "\n[limits]\nsessions = 5\n";
    fs::write(&file, format!("threads = 1\n{other}")).expect("written");
    let told = console.query("RELOAD").expect("rows");
    assert_eq!(told.texts("Section"), ["threads", "listen", "limits"]);
    assert!(told.texts("Outcome")[1].contains("after a restart"));
    assert_eq!(lab.bytes().text("SELECT 2"), "2");
    let status = console
        .query("SHOW STATUS LIKE 'reloads_total.%'")
        .expect("rows");
    assert_eq!(status.texts("Value"), ["5", "1"]);
}

/// Makes a certificate for 127.0.0.1 in this file, with its key beside it.
fn make_certificate(file: &Path) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
    fs::write(file, made.cert.pem()).expect("written");
    fs::write(file.with_extension("key"), made.signing_key.serialize_pem()).expect("written");
}

/// Whether the proxy's certificate is this one, for a client that begins now.
fn shows(lab: &Lab, certificate: &Path) -> bool {
    let output = Command::new("mariadb")
        .args([
            "--no-defaults",
            "--protocol=tcp",
            "--host=127.0.0.1",
            "--ssl",
        ])
        .arg("--ssl-verify-server-cert")
        .arg(format!("--ssl-ca={}", certificate.display()))
        .arg(format!("--port={}", lab.proxy.port("bytes")))
        .arg(format!("--user={}", lab.user))
        .arg(format!("--password={PASSWORD}"))
        .args(["-e", "SELECT 1"])
        .output();
    output.expect("mariadb runs").status.success()
}

#[test]
fn a_new_certificate_is_shown_to_new_clients() {
    let files = tempfile::tempdir().expect("a folder");
    let file = |name: &str| -> PathBuf { files.path().join(name) };
    let (used, old, new) = (file("server.pem"), file("old.pem"), file("new.pem"));
    make_certificate(&old);
    make_certificate(&new);
    let take = |certificate: &Path| {
        fs::copy(certificate, &used).expect("copied");
        let key = certificate.with_extension("key");
        fs::copy(key, used.with_extension("key")).expect("copied");
    };
    take(&old);
    let tls = format!(
        "[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        used.display(),
        used.with_extension("key").display()
    );
    let lab = lab_with("certificates", &tls);
    let mut client = lab.bytes();
    assert!(shows(&lab, &old) && !shows(&lab, &new));
    take(&new);
    assert!(shows(&lab, &old));
    let told = console(&lab).query("RELOAD").expect("rows");
    assert_eq!(told.texts("Section"), ["tls"]);
    assert!(!shows(&lab, &old) && shows(&lab, &new));
    assert_eq!(client.text("SELECT 1"), "1");
    // Half of a pair: the old one stays.
    fs::copy(old.with_extension("key"), used.with_extension("key")).expect("copied");
    assert_eq!(console(&lab).error("RELOAD").code, 1296);
    assert!(shows(&lab, &new));
}
