//! Codecs of Python packages that misbehave, and what becomes of everybody else: nothing.
//!
//! `tests/packages/hostile` has a codec that does what its values ask for. Its environment is made
//! for each test from that of DataJoint 2.3.5, so that workers start fast.

mod inside;
mod load;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::lab::Lab;
use crate::support::objects::objects;
use crate::support::proxy::binary;
use crate::support::python;

/// A lab whose proxy has the hostile package; further keys of `[codecs.python]`.
fn lab(name: &str, settings: &str) -> Lab {
    let environment = environment(name);
    let interpreter = environment.join("bin/python");
    let lab = Lab::with_config(name, |config| {
        format!(
            "{config}\n[codecs.python]\ninterpreter = \"{}\"\nworkers = 2\n{settings}\n",
            interpreter.display()
        )
    });
    lab.table(
        "t",
        "id INT PRIMARY KEY AUTO_INCREMENT, act LONGBLOB COMMENT ':<act>:', \
         act_ext JSON COMMENT ':<act@main>:', told JSON COMMENT ':<told>:', \
         stray JSON COMMENT ':<stray@main>:', plain JSON COMMENT ':<blob@main>:'",
    );
    lab
}

/// An environment with DataJoint 2.3.5 and the package, without installing anything.
fn environment(name: &str) -> PathBuf {
    let base = python::environment("dj2");
    let folder = std::env::temp_dir().join(format!("codec-proxy-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).expect("a new folder");
    let real = fs::canonicalize(&base).expect("an interpreter");
    symlink(&base, bin.join("python")).expect("a new link");
    let config = format!("home = {}\n", real.parent().expect("a folder").display());
    fs::write(folder.join("pyvenv.cfg"), config).expect("a new file");
    let libraries = base.parent().and_then(Path::parent).expect("a folder");
    let version = fs::read_dir(libraries.join("lib")).expect("a folder");
    let version = version.flatten().next().expect("python3.x").file_name();
    let site = |root: &Path| root.join("lib").join(&version).join("site-packages");
    let own = site(&folder);
    let distribution = own.join("lab_hostile-0.0.1.dist-info");
    fs::create_dir_all(&distribution).expect("a new folder");
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages/hostile/src");
    let paths = format!("{}\n{}\n", packages.display(), site(libraries).display());
    fs::write(own.join("lab.pth"), paths).expect("a new file");
    let metadata = "Metadata-Version: 2.1\nName: lab-hostile\nVersion: 0.0.1\n";
    fs::write(distribution.join("METADATA"), metadata).expect("a new file");
    let points = "[datajoint.codecs]\nact = lab_hostile:ActCodec\n\
                  told = lab_hostile:ToldCodec\nstray = lab_hostile:StrayCodec\n\
                  broken = lab_hostile:NotThere\n";
    fs::write(distribution.join("entry_points.txt"), points).expect("a new file");
    folder
}

fn json_client(lab: &Lab) -> Client {
    let mut client = lab.bytes();
    client.ok("SET @codec_view = 'json'");
    client
}

/// The text of the error that a statement ends with.
#[track_caller]
fn error(client: &mut Client, sql: &str) -> String {
    let error = client.query(sql).expect_err("an error");
    error.to_string()
}

/// Processes that descend from the proxy or are in a group of one of its workers.
fn descendants(of: u32) -> BTreeSet<u32> {
    let table = Command::new("ps")
        .args(["-eo", "pid=,ppid=,pgid="])
        .output();
    let table = String::from_utf8(table.expect("ps runs").stdout).expect("numbers");
    let rows: Vec<Vec<u32>> = table
        .lines()
        .map(|line| line.split_whitespace().flat_map(str::parse).collect())
        .collect();
    let mut found = BTreeSet::from([of]);
    loop {
        let before = found.len();
        for row in &rows {
            if found.contains(&row[1]) || (row[2] != of && found.contains(&row[2])) {
                found.insert(row[0]);
            }
        }
        if found.len() == before {
            found.remove(&of);
            return found;
        }
    }
}

/// The workers, by their program.
fn workers(lab: &Lab) -> Vec<u32> {
    let is_worker = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("codec_proxy_worker/main.py")
    };
    let all = descendants(lab.proxy.pid());
    all.into_iter().filter(is_worker).collect()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_a_codec_is_told() {
    let lab = lab("told", "");
    let mut client = json_client(&lab);
    client.ok("INSERT INTO t (id, told) VALUES (7, '[1, 2]'), (8, NULL)");
    let text = client.text("SELECT told FROM t WHERE id = 7");
    let shown: Value = serde_json::from_str(&text).expect("JSON");
    let told = &shown["to a client"];
    assert_eq!(told["value"], json!(["from a client", [1, 2]]));
    assert_eq!(
        told["context"],
        json!({"schema": lab.database, "table": "t", "field": "told"})
    );
    assert_eq!(
        told["key"],
        json!({"id": "7", "_schema": lab.database, "_table": "t", "_field": "told"})
    );
    assert_eq!(
        (&told["store"], &told["stores"]),
        (&json!(null), &json!("{}"))
    );
    let variables: BTreeSet<_> = told["environment"]
        .as_object()
        .expect("variables")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        variables,
        BTreeSet::from([
            "HOME",
            "LANG",
            "MALLOC_MMAP_THRESHOLD_",
            "MALLOC_TRIM_THRESHOLD_",
            "MKL_NUM_THREADS",
            "NUMEXPR_MAX_THREADS",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "PATH",
            "TMPDIR",
        ])
    );
    assert_eq!(client.value("SELECT told FROM t WHERE id = 8"), None);
    // A key that the server counts up is not told, one of an UPDATE is looked up.
    client.ok("INSERT INTO t (told) VALUES ('3')");
    let keys = |client: &mut Client, id: u32| {
        let text = client.text(format!("SELECT told FROM t WHERE id = {id}"));
        let told: Value = serde_json::from_str(&text).expect("JSON");
        told["to a client"]["key"]["id"].clone()
    };
    assert_eq!(keys(&mut client, 9), Value::Null);
    client.ok("UPDATE t SET told = '4' WHERE id > 8");
    assert_eq!(keys(&mut client, 9), json!("9"));
    lab.proxy.wait_for_log("broken (lab_hostile:NotThere)");
}

#[test]
fn what_a_codec_raises() {
    let lab = lab("raises", "");
    let mut client = json_client(&lab);
    let insert =
        |column: &str, value: &str| format!("INSERT INTO t (id, {column}) VALUES (1, '{value}')");
    let text = error(
        &mut client,
        &insert("act", r#"{"encode": ["complain", "no\\nsuch thing"]}"#),
    );
    assert!(text.contains("<act>: ValueError: no such thing"), "{text}");
    assert!(!text.contains("Traceback"), "{text}");
    let mumble = |how: &str| insert("act", &format!(r#"{{"encode": ["mumble", "{how}"]}}"#));
    let text = error(&mut client, &mumble("by half"));
    assert!(text.contains("ValueError: half of a pair: ?"), "{text}");
    let text = error(&mut client, &mumble("not at all"));
    assert!(text.contains("Unspeakable: (RuntimeError"), "{text}");
    let text = error(
        &mut client,
        &insert("act_ext", r#"{"encode": ["exit_politely", 3]}"#),
    );
    assert!(text.contains("<act>: SystemExit: 3"), "{text}");
    let text = error(
        &mut client,
        &insert("act", r#"{"encode": ["unpickle", null]}"#),
    );
    assert!(text.contains("allow_pickle is false"), "{text}");
    let pickle = r#"{"@type": "pickle", "class": "x.Y", "data": {"$bytes": "gAQu"}}"#;
    let text = error(&mut client, &insert("act", pickle));
    assert!(text.contains("allow_pickle is false"), "{text}");
    // The path of a file of the machine is not what a client may have stored.
    for path in [
        "/etc/passwd",
        "../codec_proxy_worker/main.py",
        "/proc/self/environ",
    ] {
        let text = error(&mut client, &insert("stray", &format!("\"{path}\"")));
        assert!(text.contains("temporary folder"), "{text}");
    }
    let text = error(&mut client, &insert("stray", "5"));
    assert!(
        text.contains("<stray>: TypeError: encode returned int, <object> takes"),
        "{text}"
    );
    assert_eq!(lab.direct().text("SELECT COUNT(*) FROM t"), "0");
    assert_eq!(objects(&lab.store).len(), 0);
    // What is stored in ways that the codec does not understand.
    lab.direct()
        .ok("INSERT INTO t (id, act) VALUES (1, 'no blob'), (2, 0x646a30000402000000)");
    for id in [1, 2] {
        client
            .query(format!("SELECT act FROM t WHERE id = {id}"))
            .expect_err("no value");
    }
    client.ok(insert("plain", "1").replace("(1,", "(3,"));
}

#[test]
fn codecs_that_crash_hang_and_eat() {
    let lab = lab(
        "hostile",
        "deadline_seconds = 3\nmemory_bytes = 250_000_000",
    );
    let mut client = json_client(&lab);
    let insert = |id: u32, action: &str| {
        format!("INSERT INTO t (id, act_ext) VALUES ({id}, '{{\"encode\": {action}}}')")
    };
    client.ok(insert(100, "[\"sleep\", 0]"));

    // A call that hangs is ended; others use the other worker meanwhile.
    let mut other = json_client(&lab);
    let hanging = std::thread::scope(|scope| {
        let hanging = scope.spawn(|| {
            let begun = Instant::now();
            let text = error(&mut client, &insert(1, "[\"sleep\", 100]"));
            (text, begun.elapsed())
        });
        std::thread::sleep(Duration::from_millis(200));
        for id in 101..110 {
            let begun = Instant::now();
            other.ok(format!("INSERT INTO t (id, told) VALUES ({id}, '1')"));
            // The second worker may have to start first.
            assert!(
                id == 101 || begun.elapsed() < Duration::from_secs(2),
                "held up"
            );
        }
        hanging.join().expect("no panic")
    });
    assert!(
        hanging.0.contains("<act>: took more than 3 seconds"),
        "{}",
        hanging.0
    );
    assert!(hanging.1 < Duration::from_secs(8), "{:?}", hanging.1);

    let text = error(&mut client, &insert(2, "[\"eat\", 300000000]"));
    assert!(text.contains("<act>: MemoryError"), "{text}");
    for how in ["SIGSEGV", "SIGKILL"] {
        let text = error(&mut client, &insert(3, &format!("[\"crash\", \"{how}\"]")));
        assert!(text.contains("its Python process ended (signal "), "{text}");
    }
    let text = error(&mut client, &insert(3, "[\"leave\", 7]"));
    assert!(
        text.contains("its Python process ended (status 7)"),
        "{text}"
    );
    let text = error(&mut client, &insert(4, "[\"babble\", 0]"));
    assert!(text.contains("did not answer as it should"), "{text}");
    // One poisonous value among good ones fails the statement, and nothing is written.
    let values: Vec<_> = (10..40)
        .map(|id| match id {
            25 => format!("({id}, '{{\"encode\": [\"crash\", \"SIGABRT\"]}}')"),
            id => format!("({id}, '{id}')"),
        })
        .collect();
    let text = error(
        &mut client,
        &format!("INSERT INTO t (id, act) VALUES {}", values.join(", ")),
    );
    assert!(text.contains("signal 6"), "{text}");

    // These are strange, and work.
    client.ok(insert(5, "[\"chatter\", 1000]"));
    assert!(lab.proxy.wait_for_log("chatter beside the buffer"));
    assert!(lab.proxy.log().len() < 1_000_000, "the log is flooded");
    client.ok(insert(6, "[\"fork_twice\", 0]"));
    client.ok(insert(7, "[\"breed\", 20]"));
    client.ok(insert(8, "[\"sleep\", 0]"));
    let ids = "SELECT GROUP_CONCAT(id ORDER BY id) FROM t WHERE id < 100";
    assert_eq!(lab.direct().text(ids), "5,6,7,8");
    let text = client.text("SELECT act_ext FROM t WHERE id = 5");
    assert_eq!(text, r#"{"encode":["chatter",1000]}"#);
    // Reading fails as well as writing, and alone.
    client.ok("INSERT INTO t (id, act) VALUES (50, '{\"decode\": [\"crash\", \"SIGKILL\"]}')");
    let text = error(&mut client, "SELECT act FROM t WHERE id = 50");
    assert!(
        text.contains("its Python process ended (signal 9)"),
        "{text}"
    );
    client.ok("SELECT act_ext FROM t WHERE id = 8");

    client.ok(insert(9, "[\"breed\", 3]"));
    // With the proxy, killed outright, all go: workers and what they have started.
    assert!(workers(&lab).len() <= 2, "{:?}", workers(&lab));
    let all = descendants(lab.proxy.pid());
    assert!(all.len() >= 5, "{all:?}");
    let mut lab = lab;
    lab.proxy.kill();
    wait_until("processes are left", || {
        all.iter()
            .all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    });
}

#[test]
fn a_poisonous_value_ends_few_workers() {
    let lab = lab("poison", "");
    let mut client = json_client(&lab);
    let insert = |ids: std::ops::Range<u32>, value: &dyn Fn(u32) -> String| {
        let rows: Vec<_> = ids.map(|id| format!("({id}, '{}')", value(id))).collect();
        format!("INSERT INTO t (id, act) VALUES {}", rows.join(", "))
    };
    client.ok(insert(1..61, &|id| match id {
        20 => "{\"decode\": [\"sleep\", 1.5]}".to_owned(),
        30 => "{\"decode\": [\"leave\", 5]}".to_owned(),
        id => id.to_string(),
    }));
    let replaced = || {
        let log = lab.proxy.log();
        log.matches("a Python worker is replaced").count()
    };
    assert_eq!(replaced(), 0);
    // It is known which of the values of a frame it was: tried once among others and once alone.
    let text = error(&mut client, "SELECT act FROM t WHERE id > 20 ORDER BY id");
    assert!(
        text.contains("its Python process ended (status 5)"),
        "{text}"
    );
    wait_until("the log is late", || replaced() >= 2);
    assert_eq!(replaced(), 2);
    // One that takes long does not keep the others for long, nor is any of them lost.
    let rows = client
        .ok("SELECT id, act FROM t WHERE id <> 30 ORDER BY id")
        .rows;
    assert_eq!(rows.len(), 59);
    for row in &rows {
        let [Some(id), Some(act)] = row.as_slice() else {
            panic!("{row:?}");
        };
        assert!(id == act || id == b"20", "{row:?}");
    }
    assert_eq!(replaced(), 2);
}

#[test]
fn packages_are_listed() {
    let lab = lab("listed", "");
    let config = lab.folder().join("codec-proxy.toml");
    let run = |command: &[&str]| {
        let output = Command::new(binary())
            .args(command)
            .arg("--config")
            .arg(&config)
            .output()
            .expect("codec-proxy runs");
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    let (_, text) = run(&["check"]);
    assert!(
        text.contains("<act> of lab-hostile 0.0.1 (lab_hostile:ActCodec)"),
        "{text}"
    );
    assert!(text.contains("broken (lab_hostile:NotThere)"), "{text}");
    let (good, text) = run(&["columns", &lab.database]);
    assert!(good, "{text}");
    assert!(text.contains("<act> → <blob> → <hash> → json"), "{text}");
}
