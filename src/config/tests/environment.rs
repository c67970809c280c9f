//! What the environment adds and overrides.

use super::*;

#[test]
fn a_variable_overrides_the_file() {
    let config = load(
        PLAIN,
        &[
            ("CODEC_PROXY__DATABASE__PASSWORD", " spaces stay "),
            ("CODEC_PROXY__DATABASE__ADDRESS", "m.sock/x"),
            ("CODEC_PROXY__LISTEN__1__ADDRESS", "0.0.0.0:7000"),
            ("CODEC_PROXY__LISTEN__0__VIEW", "stored"),
            ("CODEC_PROXY__STORES__MAIN__LOCATION", "blobs"),
            ("CODEC_PROXY__STORES__MAIN__SUBFOLDING", "2, 2"),
            ("CODEC_PROXY__TLS__ENABLED", "False"),
            ("CODEC_PROXY__LIMITS__SESSIONS", "1_000"),
            ("CODEC_PROXY__CATALOG__MAX_AGE_SECONDS", "0.5"),
            ("CODEC_PROXY__THREADS", "4"),
        ],
    )
    .expect("all of it is right");
    assert_eq!(config.database.password.expose(), " spaces stay ");
    // Not relative to the file: a variable's paths are those of the working directory.
    assert_eq!(config.database.address, Address::Unix("m.sock/x".into()));
    assert_eq!(config.listen[0].address, "127.0.0.1:6033");
    assert_eq!(config.listen[0].view, View::Stored);
    assert_eq!(config.listen[1].address, "0.0.0.0:7000");
    let main = &config.stores.stores["main"];
    assert_eq!(main.location.as_deref(), Some("blobs"));
    assert_eq!(main.subfolding, Some(vec![2, 2]));
    assert!(!config.tls.enabled);
    assert_eq!(config.limits.sessions, 1000);
    assert_eq!(config.catalog.max_age_seconds, Duration::from_millis(500));
    assert_eq!(config.threads, Some(4));
}

#[test]
fn variables_alone_are_a_configuration() {
    let config = load(
        "",
        &[
            ("CODEC_PROXY__DATABASE__ADDRESS", "db:3306"),
            ("CODEC_PROXY__DATABASE__USER", "proxy"),
            ("CODEC_PROXY__LISTEN__0__ADDRESS", "0.0.0.0:6033"),
            ("CODEC_PROXY__LISTEN__1__ADDRESS", "0.0.0.0:6034"),
            ("CODEC_PROXY__LISTEN__1__VIEW", "stored"),
            ("CODEC_PROXY__STORES__DEFAULT", "main"),
            ("CODEC_PROXY__STORES__MAIN__PROTOCOL", "file"),
            ("CODEC_PROXY__STORES__MAIN__LOCATION", "/srv/blobs"),
            ("CODEC_PROXY__STORES__MAIN__SUBFOLDING__0", "2"),
            ("CODEC_PROXY__STORES__MAIN__SUBFOLDING__1", "3"),
        ],
    )
    .expect("nothing is missing");
    assert_eq!(config.listen.len(), 2);
    assert_eq!(config.listen[1].view, View::Stored);
    assert_eq!(config.stores.default.as_deref(), Some("main"));
    let main = &config.stores.stores["main"];
    assert_eq!(main.subfolding, Some(vec![2, 3]));
}

#[test]
fn listeners_come_in_the_order_of_their_numbers() {
    let variables: Vec<_> = (0..12)
        .rev()
        .map(|i| {
            let name = format!("CODEC_PROXY__LISTEN__{i}__ADDRESS");
            (name, format!("127.0.0.1:{}", 7000 + i))
        })
        .collect();
    let pairs: Vec<_> = variables
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let text = "database = { address = 'db:3306', user = 'proxy' }";
    let config = load(text, &pairs).expect("twelve listeners");
    let ports: Vec<_> = config.listen.iter().map(|l| l.address.clone()).collect();
    let expected: Vec<_> = (7000..7012)
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    assert_eq!(ports, expected);
}

#[test]
fn a_gap_in_a_list_is_refused() {
    for index in ["3", "x", ""] {
        let name = format!("CODEC_PROXY__LISTEN__{index}__ADDRESS");
        let error = error_with(PLAIN, &[(&name, "127.0.0.1:1")]);
        assert!(
            error.contains(&name) && error.contains("has 2 entries"),
            "{error}"
        );
    }
    let third = [("CODEC_PROXY__LISTEN__2__ADDRESS", "127.0.0.1:1")];
    assert_eq!(load(PLAIN, &third).expect("the next one").listen.len(), 3);
}

#[test]
fn a_store_is_found_whatever_its_case() {
    let names = |variable: &str, text: &str| {
        let variables = [(variable, "proj")];
        let config = load(text, &variables).unwrap_or_else(|error| panic!("{error}"));
        let set = |(name, s): (&String, &crate::store::StoreSettings)| {
            (s.bucket.as_deref() == Some("proj")).then(|| name.clone())
        };
        config
            .stores
            .stores
            .iter()
            .find_map(set)
            .expect("the store is set")
    };
    let mixed = PLAIN.replace("main", "rawData");
    assert_eq!(
        names("CODEC_PROXY__STORES__RAWDATA__BUCKET", &mixed),
        "rawData"
    );
    assert_eq!(
        names("CODEC_PROXY__STORES__rawData__bucket", &mixed),
        "rawData"
    );
    assert_eq!(names("CODEC_PROXY__STORES__MAIN__BUCKET", PLAIN), "main");
    assert_eq!(names("CODEC_PROXY__STORES__COLD__BUCKET", PLAIN), "cold");
    assert_eq!(
        names("CODEC_PROXY__stores__coldRaw__bucket", PLAIN),
        "coldRaw"
    );
    assert_eq!(names("CODEC_PROXY__STORES__7__BUCKET", PLAIN), "7");
}

#[test]
fn unknown_variables_are_errors() {
    for (name, message) in [
        (
            "CODEC_PROXY__DATABASE__PASWORD",
            "unknown key `database.pasword`: did you mean `passwo",
        ),
        (
            "CODEC_PROXY__DATABSE__USER",
            "unknown key `databse`: did you mean `database`",
        ),
        (
            "CODEC_PROXY__LISTEN__0__PORT",
            "unknown key `listen.0.port`",
        ),
        (
            "CODEC_PROXY__STORES__MAIN__LOCATON",
            "`stores.main.locaton`: did you mean `location`",
        ),
        (
            "CODEC_PROXY__STORES__DEFALT",
            "`stores.defalt`: did you mean `default`",
        ),
        ("CODEC_PROXY__DATABASE", "`database`: takes a table"),
        ("CODEC_PROXY__LISTEN", "`listen.0`: takes a table"),
        ("CODEC_PROXY__THREADS", "`threads`: takes a whole number"),
        (
            "CODEC_PROXY__DATABASE__USER__NAME",
            "`database.user`: takes a value, not keys",
        ),
        ("CODEC_PROXY__", "unknown key ``"),
    ] {
        let error = error_with(PLAIN, &[(name, "hunter2")]);
        assert!(
            error.contains(&format!("environment variable {name}:")),
            "{error}"
        );
        assert!(error.contains(message), "{error}\n  wants {message}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    load(
        PLAIN,
        &[("CODEC_PROXY_DATABASE", "x"), ("codec_proxy__x", "y")],
    )
    .expect("not ours");
}

#[test]
fn a_variable_that_is_not_text() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let bytes = || OsString::from_vec(vec![0xff]);
    let ours = OsString::from("CODEC_PROXY__DATABASE__PASSWORD");
    let error = Environment::collect([(ours, bytes())])
        .expect_err("not UTF-8")
        .to_string();
    assert!(
        error.contains("CODEC_PROXY__DATABASE__PASSWORD is not UTF-8"),
        "{error}"
    );
    let others = [(OsString::from("LANG"), bytes()), (bytes(), bytes())];
    Environment::collect(others).expect("others may be anything");
}

#[test]
fn a_secret_in_either_form_overrides_the_file_in_either_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    fs::write(&file, "from file\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    let direct = ("CODEC_PROXY__DATABASE__PASSWORD", "direct");
    let by_file = ("CODEC_PROXY__DATABASE__PASSWORD_FILE", file);

    let over_password = load(PLAIN, &[by_file]).expect("the variable holds");
    assert_eq!(over_password.database.password.expose(), "from file");
    let with_file = PLAIN.replace("password = \"\"", "password_file = '/gone'");
    let over_file = load(&with_file, &[direct]).expect("the variable holds");
    assert_eq!(over_file.database.password.expose(), "direct");
    let error = error_with(PLAIN, &[direct, by_file]);
    assert!(error.contains("are both given"), "{error}");
}
