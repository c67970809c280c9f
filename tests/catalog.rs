//! The catalog against a real MariaDB, started in a temporary directory.
//!
//! Skipped with a line on standard error where no MariaDB server is installed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use codec_proxy::catalog::{Catalog, KeyType, TableKind};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};

const MAX_AGE: Duration = Duration::from_secs(1);

/// A private server; stopped and removed when dropped.
struct Server {
    child: Child,
    directory: tempfile::TempDir,
}

impl Server {
    fn start() -> Option<Self> {
        let binary = ["/usr/sbin/mariadbd", "/usr/bin/mariadbd"];
        let Some(binary) = binary.into_iter().find(|b| Path::new(b).exists()) else {
            eprintln!("SKIPPED: no MariaDB server is installed");
            return None;
        };
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        let user = owner(directory.path());
        // In a folder that they share, servers remove each other's temporary tables.
        let tmpdir = format!("--tmpdir={}", directory.path().display());
        let installed = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal"])
            .args(["--skip-test-db", "--skip-name-resolve", &user])
            .arg(format!("--datadir={}", data.display()))
            .arg(&tmpdir)
            .output()
            .expect("mariadb-install-db runs");
        assert!(
            installed.status.success(),
            "{}",
            String::from_utf8_lossy(&installed.stderr)
        );
        let child = Command::new(binary)
            .args(["--no-defaults", "--skip-networking", &user])
            .args(["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", directory.path().join("s").display()))
            .arg(tmpdir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mariadbd runs");
        Some(Self { child, directory })
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("s")
    }

    async fn connect(&self) -> Conn {
        let opts = OptsBuilder::default()
            .user(Some("root"))
            .prefer_socket(false)
            .socket(Some(self.socket().display().to_string()));
        let started = Instant::now();
        loop {
            match Conn::new(opts.clone()).await {
                Ok(conn) => return conn,
                Err(error) => assert!(started.elapsed().as_secs() < 60, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn catalog(&self) -> Arc<Catalog> {
        let socket = self.socket().to_string_lossy().into_owned();
        let options = OptsBuilder::default()
            .user(Some("root"))
            .socket(Some(socket));
        let catalog = Catalog::connect(options, MAX_AGE).await;
        catalog.expect("the catalog is read")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The argument that names the account the server runs as; as root that is not root itself.
fn owner(directory: &Path) -> String {
    let chowned = Command::new("chown")
        .arg("mysql")
        .arg(directory)
        .stderr(Stdio::null())
        .status();
    match chowned.is_ok_and(|status| status.success()) {
        true => "--user=mysql".into(),
        false => "--loose-skip-grant-cache".into(),
    }
}

/// Waits until `holds`, at most a little longer than the catalog's age may be.
async fn soon(catalog: &Catalog, what: &str, holds: impl Fn(&Catalog) -> bool) {
    let started = Instant::now();
    while !holds(catalog) {
        assert!(started.elapsed() < MAX_AGE * 3, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn has(catalog: &Catalog, table: &str) -> bool {
    catalog.index().table(b"lab", table.as_bytes()).is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_follows_the_server() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut other = server.connect().await;
    let declare = |table: &str| {
        let table = table.replace('`', "``");
        format!(
            "CREATE TABLE lab.`{table}` (id int PRIMARY KEY, traces json COMMENT ':<blob@main>:raw', \
             sig longblob COMMENT ':<blob>:', hidden int INVISIBLE, g json COMMENT ':<graph@main>:', \
             u longblob COMMENT ':<graph>:')"
        )
    };
    for query in [
        "CREATE DATABASE lab",
        &declare("first"),
        &declare("größe `1`"),
    ] {
        other.query_drop(query).await.expect(query);
    }
    let catalog = server.catalog().await;
    assert!(catalog.index().is_mariadb());
    let index = catalog.index();
    let table = index
        .table(b"lab", b"first")
        .expect("the first scan finds it");
    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["id", "traces", "sig", "hidden", "g", "u"]);
    assert_eq!(table.external().collect::<Vec<_>>(), [1, 4]);
    assert_eq!(table.codecs().collect::<Vec<_>>(), [1, 2, 4]);
    assert!(table.columns[3].invisible && !table.columns[0].invisible);
    let keys: Vec<_> = table.columns.iter().map(|c| c.key).collect();
    assert_eq!(keys, [Some(KeyType::Int), None, None, None, None, None]);
    assert!(index.table(b"lab", "größe `1`".as_bytes()).is_some());

    // Through this proxy: seen at once, before the watch could have.
    other.query_drop(declare("second")).await.expect("a table");
    let names = [("lab".to_owned(), "second".to_owned())];
    catalog.refresh_tables(&names).await.expect("a look");
    assert!(has(&catalog, "second"));
    other
        .query_drop("DROP TABLE lab.second")
        .await
        .expect("dropped");
    catalog.refresh_tables(&names).await.expect("a look");
    assert!(!has(&catalog, "second"));

    // Elsewhere, in every way a statement can be run.
    other.query_drop(declare("third")).await.expect("a table");
    soon(&catalog, "CREATE TABLE elsewhere", |c| has(c, "third")).await;
    other
        .exec_drop("RENAME TABLE lab.third TO lab.fourth", ())
        .await
        .expect("renamed");
    soon(&catalog, "a prepared RENAME", |c| {
        has(c, "fourth") && !has(c, "third")
    })
    .await;
    other
        .query_drop("CREATE PROCEDURE lab.p() ALTER TABLE lab.fourth DROP traces, DROP g, DROP sig")
        .await
        .expect("a procedure");
    other.query_drop("CALL lab.p()").await.expect("called");
    soon(&catalog, "ALTER in a procedure", |c| !has(c, "fourth")).await;

    // Views that show a codec column, and the tables that NATURAL JOIN would compare with.
    for query in [
        "CREATE VIEW lab.shows AS SELECT traces AS x FROM lab.first",
        "CREATE VIEW lab.keys_only AS SELECT id FROM lab.first",
        "CREATE VIEW lab.inline AS SELECT sig FROM lab.first",
        "CREATE TABLE lab.keys (n bigint AUTO_INCREMENT, day date, at timestamp(3), \
         name varchar(20), e enum('a', 'b'), u binary(16) COMMENT ':uuid:', b binary(16), \
         d decimal(8, 2), f float, t time, _hidden tinyint, x longblob COMMENT ':<blob>:', \
         PRIMARY KEY (name, n, day, at, e, u, b, d, f, t, _hidden), KEY (n))",
        "CREATE TABLE lab.namesake (traces int)",
    ] {
        other.query_drop(query).await.expect(query);
    }
    soon(&catalog, "views elsewhere", |c| has(c, "shows")).await;
    let index = catalog.index();
    let view = index.table(b"lab", b"shows").expect("an opaque view");
    assert_eq!(view.kind, TableKind::View);
    assert!(index.table(b"lab", b"keys_only").is_none());
    assert!(index.has_namesake(b"lab", b"namesake", "TRACES"));
    let inline = index.table(b"lab", b"inline").expect("a view of blobs");
    assert_eq!(inline.kind, TableKind::InlineView);
    let keys = index.table(b"lab", b"keys").expect("a table");
    let keys: Vec<_> = keys.columns.iter().filter_map(|c| c.key).collect();
    let expected = [
        KeyType::AutoIncrement,
        KeyType::Date,
        KeyType::DateTime,
        KeyType::Text,
        KeyType::Choice,
        KeyType::Uuid,
        KeyType::Bytes,
        KeyType::Decimal,
        KeyType::Float,
        KeyType::Time,
    ];
    assert_eq!(keys, expected);

    // A slow statement moves the counters when it begins and changes the table when it ends.
    let mut blocker = server.connect().await;
    blocker.query_drop("BEGIN").await.expect("a transaction");
    blocker
        .query_drop("SELECT * FROM lab.namesake")
        .await
        .expect("a lock");
    let mut slow = server.connect().await;
    let alter = tokio::spawn(async move {
        slow.query_drop("ALTER TABLE lab.namesake MODIFY traces json COMMENT ':<blob@main>:'")
            .await
    });
    tokio::time::sleep(MAX_AGE * 3).await;
    assert!(!has(&catalog, "namesake"));
    blocker.query_drop("COMMIT").await.expect("unlocked");
    alter.await.expect("no panic").expect("altered");
    soon(&catalog, "a slow ALTER", |c| has(c, "namesake")).await;

    other
        .query_drop("DROP DATABASE lab")
        .await
        .expect("dropped");
    catalog.refresh_schema("lab").await.expect("a look");
    assert!(catalog.index().is_empty());
}
