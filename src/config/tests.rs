//! The file's part: shapes, values, errors. The environment, DataJoint's own file and the
//! example each have a file of their own.

mod codecs;
mod datajoint;
mod declare;
mod environment;
mod example;

use super::*;
use std::fs;

/// The file of the issue that fixed its shape.
const PLAIN: &str = r#"
[database]
address = "127.0.0.1:3306"
user = "proxy"
password = ""

[[listen]]
address = "127.0.0.1:6033"
view = "bytes"

[[listen]]
address = "127.0.0.1:6034"
view = "stored"

[stores]
default = "main"
[stores.main]
protocol = "file"
location = "/srv/blobs"
"#;

/// What every configuration needs, to which a test adds its own keys.
const LEAST: &str = "listen = [{ address = '127.0.0.1:0' }]
database = { address = 'db:3306', user = 'proxy' }
";

type Variables<'a> = &'a [(&'a str, &'a str)];

fn load(text: &str, variables: Variables<'_>) -> Result<Config, ConfigError> {
    let path = Path::new("/etc/codec-proxy.toml");
    load_at(text, path, variables, Path::new("/nonexistent"))
}

fn load_at(
    text: &str,
    path: &Path,
    variables: Variables<'_>,
    system_secrets: &Path,
) -> Result<Config, ConfigError> {
    let environment = Environment::collect(variables.iter().copied())?;
    Config::assemble(file::parse(text, path)?, path, &environment, system_secrets)
}

fn config(text: &str) -> Config {
    load(text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> String {
    error_with(text, &[])
}

fn error_with(text: &str, variables: Variables<'_>) -> String {
    match load(text, variables) {
        Ok(config) => panic!("taken as {config:?}"),
        Err(error) => error.to_string(),
    }
}

/// [`LEAST`] with more keys; sections come after it.
fn least(more: &str) -> String {
    format!("{LEAST}{more}")
}

#[test]
fn the_fixed_shape_loads() {
    let config = config(PLAIN);
    let address = Address::Tcp {
        host: "127.0.0.1".into(),
        port: 3306,
    };
    assert_eq!(config.database.address, address);
    assert_eq!(config.database.user, "proxy");
    assert!(config.database.password.is_empty());
    assert_eq!(config.database.tls, DatabaseTls::Off);
    let listen = |address: &str, view| Listen {
        address: address.into(),
        view,
    };
    let expected = [
        listen("127.0.0.1:6033", View::Bytes),
        listen("127.0.0.1:6034", View::Stored),
    ];
    assert_eq!(config.listen, expected);
    assert_eq!(config.stores.default.as_deref(), Some("main"));
    let main = &config.stores.stores["main"];
    assert_eq!(main.protocol.as_deref(), Some("file"));
    assert_eq!(main.location.as_deref(), Some("/srv/blobs"));
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.catalog, Catalog::default());
    assert_eq!(config.tls, Tls::default());
    assert_eq!(config.threads, None);
}

#[test]
fn a_file_is_read_from_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("codec-proxy.toml");
    let none: [(&str, &str); 0] = [];
    let error = Config::load(&path, none)
        .expect_err("it is not there yet")
        .to_string();
    assert!(
        error.contains("codec-proxy.toml") && error.contains("--config"),
        "{error}"
    );
    fs::write(&path, PLAIN).expect("written");
    let variables = [("CODEC_PROXY__THREADS", "3"), ("HOME", "/root")];
    let config = Config::load(&path, variables).expect("it is right");
    assert_eq!(config.threads, Some(3));
}

#[test]
fn no_stores_at_all_is_a_configuration() {
    assert_eq!(config(LEAST).stores, StoresSettings::default());
    assert_eq!(config(LEAST).listen[0].view, View::Bytes);
    let json = config(&PLAIN.replace("\"stored\"", "\"json\""));
    assert_eq!(json.listen[1].view, View::Json);
}

#[test]
fn every_section_is_read() {
    let config = config(&least(
        "threads = 2
        [tls]
        enabled = false
        certificate = 'server.pem'
        key = '/keys/server.key'
        [limits]
        statement_bytes = 1
        row_bytes = 2
        store_parallel = 3
        prefetch_bytes = 4
        value_bytes = 9
        value_depth = 10
        json_bytes = 11
        directory_files = 12
        login_seconds = 5
        store_seconds = 6.5
        value_seconds = 13
        shutdown_seconds = 0
        sessions = 8
        prepared_statements = 14
        long_data_bytes = 15
        [pointers]
        also_readable = ['_hash/old_lab', 'legacy']
        [catalog]
        max_age_seconds = 0.25",
    ));
    assert_eq!(config.threads, Some(2));
    assert!(!config.tls.enabled);
    let identity = config.tls.identity.expect("both are given");
    assert_eq!(identity.certificate, Path::new("/etc/server.pem"));
    assert_eq!(identity.key, Path::new("/keys/server.key"));
    let expected = Limits {
        statement_bytes: 1,
        row_bytes: 2,
        store_parallel: 3,
        prefetch_bytes: 4,
        value_bytes: 9,
        value_depth: 10,
        json_bytes: 11,
        directory_files: 12,
        login_seconds: Duration::from_secs(5),
        store_seconds: Duration::from_millis(6500),
        value_seconds: Duration::from_secs(13),
        shutdown_seconds: Duration::ZERO,
        sessions: 8,
        prepared_statements: 14,
        long_data_bytes: 15,
    };
    assert_eq!(config.limits, expected);
    let also: Vec<_> = config
        .pointers
        .also_readable
        .iter()
        .map(|p| p.as_str())
        .collect();
    assert_eq!(also, ["_hash/old_lab", "legacy"]);
    assert_eq!(config.catalog.max_age_seconds, Duration::from_millis(250));
}

#[test]
fn every_key_of_a_store_is_read() {
    let stores = config(&least(
        "[stores]
        filepath_default = 'a'
        [stores.a]
        protocol = 's3'
        location = 'x/y'
        subfolding = [2, 3]
        partition_pattern = '{a}'
        token_length = 9
        hash_prefix = 'h'
        schema_prefix = 's'
        filepath_prefix = 'f'
        stage = 'st'
        endpoint = 'e'
        bucket = 'b'
        access_key = 'ak'
        secret_key = 'sk'
        secure = false
        proxy_server = 'p'
        token = 't'
        project = 'pr'
        container = 'c'
        account_name = 'an'
        account_key = 'acc'
        connection_string = 'cs'",
    ))
    .stores;
    assert_eq!(stores.default, None);
    assert_eq!(stores.filepath_default.as_deref(), Some("a"));
    let text = |text: &str| Some(text.to_owned());
    let secret = |text: &str| Some(Secret::new(text));
    let expected = crate::store::StoreSettings {
        protocol: text("s3"),
        location: text("x/y"),
        subfolding: Some(vec![2, 3]),
        partition_pattern: text("{a}"),
        token_length: Some(9),
        hash_prefix: text("h"),
        schema_prefix: text("s"),
        filepath_prefix: text("f"),
        stage: text("st"),
        endpoint: text("e"),
        bucket: text("b"),
        access_key: secret("ak"),
        secret_key: secret("sk"),
        secure: Some(false),
        proxy_server: text("p"),
        token: secret("t"),
        project: text("pr"),
        container: text("c"),
        account_name: text("an"),
        account_key: secret("acc"),
        connection_string: secret("cs"),
    };
    assert_eq!(stores.stores["a"], expected);
}

#[test]
fn addresses_of_a_database() {
    let address = |written: &str| {
        let text = format!(
            "listen = [{{ address = '127.0.0.1:0' }}]
            database = {{ address = '{written}', user = 'proxy' }}"
        );
        load(&text, &[]).map(|config| config.database.address.to_string())
    };
    for (written, read) in [
        ("db:3307", "db:3307"),
        ("db", "db:3306"),
        ("10.0.0.1", "10.0.0.1:3306"),
        ("[::1]:3307", "[::1]:3307"),
        ("[::1]", "[::1]:3306"),
        ("::1", "[::1]:3306"),
        ("/run/mysqld/mysqld.sock", "/run/mysqld/mysqld.sock"),
        ("./m.sock", "/etc/./m.sock"),
    ] {
        assert_eq!(address(written).expect(written), read);
    }
    for wrong in [
        "", ":3306", "db:", "db:0", "db:65536", "db:x", "a b:3306", "a:b:1",
    ] {
        let error = address(wrong).expect_err(wrong).to_string();
        assert!(error.contains("`database.address`"), "{error}");
        assert!(error.contains("host:port"), "{error}");
    }
}

#[test]
fn addresses_to_listen_on() {
    let text = |written: &str| {
        format!(
            "database = {{ address = 'db:3306', user = 'proxy' }}
            [[listen]]
            address = '{written}'"
        )
    };
    for right in [
        "127.0.0.1:0",
        "localhost:6033",
        "[::]:6033",
        "0.0.0.0:65535",
    ] {
        assert_eq!(config(&text(right)).listen[0].address, right);
    }
    for wrong in [
        "6033",
        ":6033",
        "localhost",
        "127.0.0.1:70000",
        "::1:6033",
        "",
    ] {
        let error = error(&text(wrong));
        assert!(error.contains(":3: `listen.0.address`"), "{error}");
    }
}

#[test]
fn two_listeners_on_one_address() {
    let error = error(&PLAIN.replace("6034", "6033"));
    assert!(
        error.contains("`listen.1.address`") && error.contains("already"),
        "{error}"
    );
    config(&PLAIN.replace("6034", "0").replace("6033", "0"));
}

#[test]
fn what_must_be_there() {
    for (line, key) in [
        (
            "address = \"127.0.0.1:3306\"",
            "`database.address` is missing",
        ),
        ("user = \"proxy\"", "`database.user` is missing"),
        (
            "address = \"127.0.0.1:6033\"",
            "`listen.0.address` is missing",
        ),
    ] {
        let error = error(&PLAIN.replace(line, ""));
        assert!(
            error.contains(key) && error.contains("/etc/codec-proxy.toml"),
            "{error}"
        );
    }
    let database = "database = { address = 'db:3306', user = 'proxy' }";
    assert!(error(database).contains("`listen` is missing"));
    assert!(error(&format!("listen = []\n{database}")).contains("`listen`: is empty"));
    assert!(error("").contains("`database.address` is missing"));
}

#[test]
fn unknown_keys_name_the_nearest() {
    for (text, message) in [
        (
            "thread = 2",
            "/etc/codec-proxy.toml:3: unknown key `thread`: did you mean `threads`?",
        ),
        (
            "[limit]\na = 1",
            "unknown key `limit`: did you mean `limits`?",
        ),
        (
            "[limits]\nsesions = 1",
            ":4: unknown key `limits.sesions`: did you mean `sessions`?",
        ),
        (
            "[tls]\ncertifcate = 'x'",
            "unknown key `tls.certifcate`: did you mean `certificate`?",
        ),
        (
            "[catalog]\nmax_age = 1",
            "`catalog.max_age`: did you mean `max_age_seconds`?",
        ),
        (
            "[stores.main]\nprotocol = 'file'\nlocaton = '/x'",
            ":5: unknown key `stores.main.locaton`: did you mean `location`?",
        ),
        (
            "[stores]\ndefalt = 'main'",
            "unknown key `stores.defalt`: did you mean `default`?",
        ),
    ] {
        let error = error(&least(text));
        assert!(error.contains(message), "{error}\n  wants {message}");
    }
    let inner = PLAIN.replace("user =", "usr =");
    assert!(error(&inner).contains("`database.usr`: did you mean `user`?"));
    let inner = PLAIN.replace("view = \"stored\"", "vew = \"stored\"");
    assert!(error(&inner).contains("`listen.1.vew`: did you mean `view`?"));
}

#[test]
fn values_that_a_key_does_not_take() {
    for (text, message) in [
        ("threads = 0", "`threads`: takes a whole number from 1"),
        ("threads = 1.5", "`threads`: takes a whole number"),
        ("threads = '4'", "`threads`: takes a whole number"),
        (
            "threads = 99999999999999999999",
            "`threads`: the number is too large",
        ),
        ("threads = 2020-01-01", "`threads`: no key takes a date"),
        ("datajoint = 3", "`datajoint`: takes the path of a file"),
        ("datajoint = ''", "`datajoint`: takes the path of a file"),
        ("stores = 'main'", "`stores`: takes a table"),
        ("tls = true", "`tls`: takes a table"),
        (
            "[tls]\nenabled = 'yes'",
            "`tls.enabled`: takes true or false",
        ),
        (
            "[limits]\nsessions = -1",
            "`limits.sessions`: takes a whole number",
        ),
        (
            "[limits]\nlogin_seconds = 0",
            "`limits.login_seconds`: takes a number of seconds, more",
        ),
        (
            "[limits]\nshutdown_seconds = -1",
            "takes a number of seconds, 0 or more",
        ),
        ("[limits]\nstore_seconds = inf", "takes a number of seconds"),
        ("[limits]\nstore_seconds = nan", "takes a number of seconds"),
        ("[limits]\nstore_seconds = 1e9", "at most a year"),
        (
            "[limits]\nvalue_depth = 0",
            "`limits.value_depth`: takes a whole number from 1 up",
        ),
        (
            "[pointers]\nalso_readable = ['a', '../b']",
            "`pointers.also_readable.1`: an object path has no segment '.' or '..'",
        ),
        (
            "[pointers]\nreadable = ['a']",
            "unknown key `pointers.readable`: did you mean `also_readable`?",
        ),
        (
            "[catalog]\nmax_age_seconds = 0",
            "`catalog.max_age_seconds`: takes",
        ),
        (
            "[stores.a]\nprotocol = 1",
            "`stores.a.protocol`: takes a text",
        ),
        (
            "[stores.a]\nsubfolding = 2",
            "`stores.a.subfolding`: takes a list",
        ),
        (
            "[stores.a]\nsubfolding = [2, 0]",
            "`stores.a.subfolding.1`: takes a whole number",
        ),
        (
            "[stores.default]\nprotocol = 'file'",
            "`stores.default`: takes a text",
        ),
    ] {
        let error = error(&least(text));
        assert!(error.contains(message), "{error}\n  wants {message}");
    }
    for (from, to, message) in [
        (
            "\"bytes\"",
            "\"jsn\"",
            "`listen.0.view`: unknown variant `jsn`, expected one of `bytes`, `stored`, `json`",
        ),
        (
            "user = \"proxy\"",
            "user = 1",
            "`database.user`: takes a text",
        ),
        (
            "password = \"\"",
            "password = ''\ntls = 'on'",
            "none of \"off\", \"follow\"",
        ),
    ] {
        let error = error(&PLAIN.replace(from, to));
        assert!(error.contains(message), "{error}\n  wants {message}");
    }
}

#[test]
fn a_default_store_must_be_there() {
    let missing = error(&PLAIN.replace("default = \"main\"", "default = \"mian\""));
    assert!(
        missing.contains("`stores.default`: there is no store \"mian\""),
        "{missing}"
    );
    assert!(missing.contains("did you mean \"main\"?"), "{missing}");
    let alone = error(&least("[stores]\nfilepath_default = 'raw'"));
    assert!(alone.contains("`stores.filepath_default`"), "{alone}");
    assert!(alone.contains("add a section [stores.raw]"), "{alone}");
}

#[test]
fn one_half_of_an_identity_is_refused() {
    let error_of = |line: &str| error(&least(&format!("[tls]\n{line}")));
    assert!(error_of("key = 'k'").contains("`tls.key`: needs `tls.certificate` too"));
    assert!(error_of("certificate = 'c'").contains("`tls.certificate`: needs `tls.key` too"));
}

#[test]
fn tls_to_the_database() {
    let with = |lines: &str| PLAIN.replace("password = \"\"", lines);
    for (word, tls) in [
        ("off", DatabaseTls::Off),
        ("follow", DatabaseTls::Follow),
        ("always", DatabaseTls::Always),
    ] {
        assert_eq!(config(&with(&format!("tls = '{word}'"))).database.tls, tls);
    }
    let database = config(&with("tls = 'always'\ntls_ca = 'ca.pem'")).database;
    assert_eq!(database.tls_ca.as_deref(), Some(Path::new("/etc/ca.pem")));
    let error = error(&with("tls_ca = 'ca.pem'"));
    assert!(
        error.contains("`database.tls_ca`: has no effect"),
        "{error}"
    );
}

#[test]
fn secrets_from_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("codec-proxy.toml");
    for name in ["password", "access", "secret"] {
        fs::write(folder.path().join(name), format!(" {name} of file \n")).expect("written");
    }
    let text = PLAIN
        .replace("password = \"\"", "password_file = 'password'")
        .replace(
            "location = \"/srv/blobs\"",
            "access_key_file = 'access'\nsecret_key_file = 'secret'",
        );
    let read = |text: &str| load_at(text, &path, &[], Path::new("/nonexistent"));
    let config = read(&text).expect("the files are there");
    assert_eq!(config.database.password.expose(), "password of file");
    let main = &config.stores.stores["main"];
    assert_eq!(main.access_key, Some(Secret::new("access of file")));
    assert_eq!(main.secret_key, Some(Secret::new("secret of file")));

    let both = text.replace("password_file", "password = ''\npassword_file");
    let error = read(&both).expect_err("both").to_string();
    let message = "`database.password` and `database.password_file` are both given";
    assert!(error.contains(message), "{error}");

    let gone = text.replace("'access'", "'gone'");
    let error = read(&gone).expect_err("it is not there").to_string();
    assert!(
        error.contains("gone") && error.contains("`stores.main.access_key_file`"),
        "{error}"
    );
}

#[test]
fn no_secret_shows() {
    let text = PLAIN.replace("password = \"\"", "password = 'hunter2'");
    assert!(!format!("{:?}", config(&text)).contains("hunter2"));
    for broken in [
        "password = 'hunter2",
        "password = hunter2",
        "password = ['hunter2']",
    ] {
        let error = error(&PLAIN.replace("password = \"\"", broken));
        assert!(!error.contains("hunter2"), "{error}");
        assert!(error.contains("/etc/codec-proxy.toml:5"), "{error}");
    }
}

#[test]
fn what_is_not_toml_names_its_line() {
    let error = error("[database]\naddress = \n");
    assert!(
        error.starts_with("/etc/codec-proxy.toml:2: not TOML"),
        "{error}"
    );
    assert!(error_twice().contains("duplicate key"));
}

fn error_twice() -> String {
    error("threads = 1\nthreads = 2")
}
