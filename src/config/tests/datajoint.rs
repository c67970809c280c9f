//! The stores of DataJoint's own file, by DataJoint's own precedence.

use super::*;

/// A project as DataJoint lays it out, with a system's folder of secrets beside it.
struct Project(tempfile::TempDir);

impl Project {
    fn new(json: &str) -> Self {
        let project = Self(tempfile::tempdir().expect("a folder"));
        project.write("datajoint.json", json);
        project
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn load(&self, variables: Variables<'_>) -> Result<StoresSettings, ConfigError> {
        let text = least("datajoint = 'datajoint.json'");
        let path = self.0.path().join("codec-proxy.toml");
        load_at(&text, &path, variables, &self.0.path().join("system")).map(|c| c.stores)
    }

    fn stores(&self) -> StoresSettings {
        self.load(&[]).unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(&self, variables: Variables<'_>) -> String {
        self.load(variables).expect_err("it is wrong").to_string()
    }
}

/// As DataJoint documents it, with much that is not for us.
const NESTED: &str = r#"{
    "database": {"host": "db", "user": "alice", "password": "hunter2"},
    "database.port": 3306, "loglevel": "INFO", "unknown": [1, null],
    "stores": {
        "default": "main", "filepath_default": "raw",
        "main": {"protocol": "s3", "endpoint": "s3:9000", "bucket": "lab", "location": "p/a",
                 "secure": false, "subfolding": null, "token_length": 10},
        "raw": {"protocol": "file", "location": "data/raw", "subfolding": [2, 2]}
    }
}"#;

#[test]
fn nested_stores() {
    let stores = Project::new(NESTED).stores();
    assert_eq!(stores.default.as_deref(), Some("main"));
    assert_eq!(stores.filepath_default.as_deref(), Some("raw"));
    let main = &stores.stores["main"];
    assert_eq!(main.endpoint.as_deref(), Some("s3:9000"));
    assert_eq!(main.location.as_deref(), Some("p/a"));
    assert_eq!(main.secure, Some(false));
    assert_eq!(main.subfolding, None);
    assert_eq!(main.token_length, Some(10));
    let raw = &stores.stores["raw"];
    // As DataJoint takes it: not relative to the file.
    assert_eq!(raw.location.as_deref(), Some("data/raw"));
    assert_eq!(raw.subfolding, Some(vec![2, 2]));
    assert_eq!(stores.stores.len(), 2);
}

#[test]
fn flat_stores_and_a_mixture() {
    let flat = Project::new(
        r#"{"stores.default": "main", "stores.main.protocol": "file",
            "stores.main.location": "/a", "database.host": "db", "stores.a.b.c": 1}"#,
    );
    let stores = flat.stores();
    assert_eq!(stores.default.as_deref(), Some("main"));
    assert_eq!(stores.stores["main"].location.as_deref(), Some("/a"));
    assert_eq!(stores.stores.len(), 1);

    // One key after the other: what comes later holds.
    let later = r#"{"stores": {"main": {"protocol": "file", "location": "/a"}},
                    "stores.main.location": "/b"}"#;
    let stores = Project::new(later).stores();
    assert_eq!(stores.stores["main"].location.as_deref(), Some("/b"));
    let earlier = r#"{"stores.main.bucket": "b",
                      "stores": {"main": {"protocol": "file", "location": "/a"}}}"#;
    assert_eq!(Project::new(earlier).stores().stores["main"].bucket, None);
}

#[test]
fn dj_stores_replaces_them_all() {
    let json = r#"{"default": "other", "other": {"protocol": "file", "location": "/o"}}"#;
    let project = Project::new(NESTED);
    let stores = project.load(&[("DJ_STORES", json)]).expect("it is right");
    assert_eq!(stores.default.as_deref(), Some("other"));
    assert_eq!(stores.filepath_default, None);
    assert_eq!(stores.stores.keys().collect::<Vec<_>>(), ["other"]);

    let empty = project
        .load(&[("DJ_STORES", "")])
        .expect("an empty one is none");
    assert_eq!(empty.stores.len(), 2);
    let none = project.load(&[("DJ_STORES", "{}")]).expect("no stores");
    assert_eq!(none, StoresSettings::default());
}

#[test]
fn dj_stores_is_of_no_concern_without_datajoint() {
    let config = load(PLAIN, &[("DJ_STORES", "not even JSON")]).expect("it is not read");
    assert_eq!(config.stores.default.as_deref(), Some("main"));
}

#[test]
fn secrets_fill_what_is_missing() {
    let project = Project::new(NESTED);
    project.write(".secrets/stores.main.access_key", "  key\n");
    project.write(".secrets/stores.main.secret_key", "secret\n");
    project.write(".secrets/stores.main.bucket", "not this one");
    project.write(".secrets/stores.main.token_length", "12");
    project.write(".secrets/stores.main.hash_prefix", "_h");
    project.write(".secrets/database.password", "hunter2");
    project.write(".secrets/stores.elsewhere.secret_key", "of another program");
    project.write(".secrets/stores.default.x", "no store");
    project.write(".secrets/.gitignore", "*");
    project.write(
        "system/stores.main.proxy_server",
        "of a folder that comes second",
    );
    let stores = project.stores();
    let main = &stores.stores["main"];
    assert_eq!(main.access_key, Some(Secret::new("key")));
    assert_eq!(main.secret_key, Some(Secret::new("secret")));
    assert_eq!(main.bucket.as_deref(), Some("lab"));
    assert_eq!(main.token_length, Some(10));
    assert_eq!(main.hash_prefix.as_deref(), Some("_h"));
    assert_eq!(main.proxy_server, None);
    assert_eq!(stores.stores.len(), 2);
}

#[test]
fn secrets_of_the_system_without_a_folder_of_its_own() {
    let project = Project::new(NESTED);
    project.write("system/stores.main.access_key", "key");
    project.write("system/stores.main.secret_key", "secret");
    let main = &project.stores().stores["main"];
    assert_eq!(main.access_key, Some(Secret::new("key")));
}

#[test]
fn secrets_fill_dj_stores_and_may_be_a_whole_store() {
    let project = Project::new("{}");
    project.write(".secrets/stores.main.secret_key", "secret");
    project.write(".secrets/stores.cold.protocol", "file");
    project.write(".secrets/stores.cold.location", "/cold");
    let json = r#"{"main": {"protocol": "s3", "access_key": "key"}}"#;
    let stores = project.load(&[("DJ_STORES", json)]).expect("it is right");
    assert_eq!(
        stores.stores["main"].secret_key,
        Some(Secret::new("secret"))
    );
    assert_eq!(stores.stores["cold"].location.as_deref(), Some("/cold"));
}

#[test]
fn errors_name_the_place() {
    let error = Project::new("{").error(&[]);
    assert!(error.contains("datajoint.json: not JSON"), "{error}");
    let error = Project::new("[]").error(&[]);
    assert!(
        error.contains("datajoint.json: not JSON: must be an object"),
        "{error}"
    );
    let error = Project::new(r#"{"stores": 3}"#).error(&[]);
    assert!(
        error.contains("datajoint.json: `stores`: takes an object"),
        "{error}"
    );
    let error = Project::new(r#"{"stores": {"main": {"locaton": "/a"}}}"#).error(&[]);
    assert!(
        error.contains("datajoint.json: unknown key `stores.main.locaton`"),
        "{error}"
    );
    assert!(error.contains("did you mean `location`?"), "{error}");
    let error = Project::new(r#"{"stores": {"main": {"location": 5}}}"#).error(&[]);
    assert!(
        error.contains("datajoint.json: `stores.main.location`: takes a text"),
        "{error}"
    );
    let error = Project::new(r#"{"stores.default": "a", "stores.default.x": 1}"#).error(&[]);
    assert!(
        error.contains("`stores.default.x`: `stores.default` is set to a value"),
        "{error}"
    );

    let project = Project::new(NESTED);
    let error = project.error(&[("DJ_STORES", "[")]);
    assert!(
        error.contains("environment variable DJ_STORES: not JSON"),
        "{error}"
    );
    let error = project.error(&[("DJ_STORES", "[]")]);
    assert!(
        error.contains("DJ_STORES: not JSON: must be an object"),
        "{error}"
    );
    project.write(".secrets/stores.main.hash_prefx", "x");
    let error = project.error(&[]);
    assert!(
        error.contains(".secrets/stores.main.hash_prefx: unknown key"),
        "{error}"
    );
}

#[test]
fn a_datajoint_json_that_is_not_there() {
    let error = error(&least("datajoint = 'gone.json'"));
    assert!(error.contains("/etc/gone.json"), "{error}");
    assert!(
        error.contains("`datajoint` (/etc/codec-proxy.toml:3) names it"),
        "{error}"
    );
}

#[test]
fn datajoint_and_stores_exclude_each_other() {
    let text = format!("datajoint = 'datajoint.json'\n{PLAIN}");
    let error = error(&text);
    assert!(
        error.contains("`datajoint` and `stores` are both given"),
        "{error}"
    );
    let error = error_with(PLAIN, &[("CODEC_PROXY__DATAJOINT", "x.json")]);
    assert!(
        error.contains("environment variable CODEC_PROXY__DATAJOINT:"),
        "{error}"
    );
}
