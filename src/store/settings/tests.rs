//! Settings as DataJoint takes and refuses them.

use super::*;

fn store(text: &str) -> StoreSettings {
    toml::from_str(text).unwrap()
}

fn refusal(text: &str) -> String {
    store(text).parse("main").unwrap_err().to_string()
}

#[test]
fn a_file_store_needs_no_more_than_its_directory() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("protocol = 'file'\nlocation = '{}'", dir.path().display());
    let spec = store(&text).parse("main").unwrap();
    assert_eq!(
        spec.place,
        Place::File {
            location: dir.path().to_owned()
        }
    );
    assert_eq!(spec.layout.hash_prefix.unwrap().as_str(), "_hash");
    assert_eq!(spec.layout.schema_prefix.unwrap().as_str(), "_schema");
    assert_eq!(spec.layout.token_length, 8);
    assert!(spec.layout.subfolding.is_empty());
}

#[test]
fn an_s3_endpoint_is_https_unless_told_otherwise() {
    let base = "protocol='s3'\nbucket='b'\nlocation='/proj/a/'\nendpoint=";
    let endpoint = |rest: &str| match store(&format!("{base}{rest}")).parse("main").unwrap().place {
        Place::S3(s3) => (s3.endpoint, s3.location.unwrap().to_string()),
        other => unreachable!("protocol is s3: {other:?}"),
    };
    assert_eq!(
        endpoint("'h:9000'"),
        ("https://h:9000".into(), "proj/a".into())
    );
    assert_eq!(endpoint("'h:9000'\nsecure=false").0, "http://h:9000");
    assert_eq!(endpoint("'http://h:9000/'\nsecure=true").0, "http://h:9000");
}

#[test]
fn a_google_token_is_a_word_json_or_a_file() {
    let base = "protocol='gcs'\nbucket='b'\nlocation='x'\nproject='p'\n";
    let token = |line: &str| match store(&format!("{base}{line}")).parse("main").unwrap().place {
        Place::Gcs(gcs) => gcs.token,
        other => unreachable!("protocol is gcs: {other:?}"),
    };
    assert_eq!(token(""), GcsToken::Environment);
    assert_eq!(token("token=''"), GcsToken::Environment);
    assert_eq!(token("token='google_default'"), GcsToken::Environment);
    assert_eq!(token("token='anon'"), GcsToken::Anonymous);
    assert_eq!(token("token='{}'"), GcsToken::Json(Secret::new("{}")));
    assert_eq!(token("token='/k.json'"), GcsToken::File("/k.json".into()));
    assert!(refusal(&format!("{base}token='browser'")).contains("stores.main.token"));
}

#[test]
fn an_azure_account_is_named_or_in_one_string() {
    let base = "protocol='azure'\ncontainer='c'\nlocation=''\n";
    let azure = |line: &str| match store(&format!("{base}{line}")).parse("main").unwrap().place {
        Place::Azure(azure) => azure,
        other => unreachable!("protocol is azure: {other:?}"),
    };
    let named = azure("account_name='lab'\naccount_key='QUJD'");
    assert_eq!(named.account.as_deref(), Some("lab"));
    assert_eq!(named.key, Some(Secret::new("QUJD")));
    assert_eq!(azure("").account, None);
    let one = azure("connection_string='AccountName=lab;AccountKey=QUJD'");
    assert!(one.connection.is_some());
    let told = refusal(&format!("{base}connection_string='topsecret'"));
    assert!(
        told.starts_with("stores.main.connection_string: "),
        "{told}"
    );
    assert!(!told.contains("topsecret"), "{told}");
}

#[test]
fn the_rules_of_datajoint_hold() {
    assert_eq!(
        refusal("protocol='s3'\nlocation=''"),
        "stores.main is missing: endpoint, bucket"
    );
    assert_eq!(
        refusal("protocol='file'\nlocation='/tmp'\nbucket='b'"),
        "Invalid key(s) in stores.main: bucket"
    );
    assert!(refusal("location='/tmp'").starts_with("Unknown protocol \"\""));
    assert!(refusal("protocol='ftp'").starts_with("Unknown protocol \"ftp\""));
    let half = "protocol='s3'\nendpoint='h'\nbucket='b'\nlocation=''\naccess_key='a'";
    assert!(refusal(half).contains("Incomplete S3 credentials"));
    assert!(
        refusal("protocol='file'\nlocation='/no/such'").contains("Inaccessible local directory")
    );
    assert_eq!(
        refusal("protocol='gcs'\nlocation=''\ntoken='t'"),
        "stores.main is missing: bucket"
    );
    assert_eq!(
        refusal("protocol='azure'\ncontainer='c'"),
        "stores.main is missing: location"
    );
}

#[test]
fn sections_stay_apart_and_inside() {
    let file = "protocol='file'\nlocation='/tmp'\n";
    assert!(refusal(&format!("{file}hash_prefix='a'\nschema_prefix='a/b'")).contains("overlap"));
    assert!(refusal(&format!("{file}hash_prefix='x'\nfilepath_prefix='x/'")).contains("overlap"));
    assert!(refusal(&format!("{file}hash_prefix='../x'")).contains("hash_prefix"));
    // The root is no section, and a common beginning of a name is no overlap.
    store(&format!("{file}hash_prefix=''"))
        .parse("main")
        .unwrap();
    store(&format!("{file}hash_prefix='_s'\nschema_prefix='_sx'"))
        .parse("main")
        .unwrap();
}

#[test]
fn a_fold_always_has_a_name() {
    let folds = |list: &str| {
        store(&format!(
            "protocol='file'\nlocation='/tmp'\nsubfolding={list}"
        ))
        .parse("main")
    };
    assert_eq!(folds("[2, 2]").unwrap().layout.subfolding, [2, 2]);
    assert_eq!(folds("[20, 20]").unwrap().layout.subfolding, [20, 20]);
    assert!(folds("[26, 1]").is_err());
    assert!(folds("[0]").is_err());
    assert!(folds("[4294967295, 4294967295]").is_err());
}

#[test]
fn every_key_but_the_defaults_is_a_store() {
    let text = r#"{"default": "main", "main": {"protocol": "file", "location": "/a", "subfolding": null}}"#;
    let all: StoresSettings = serde_json::from_str(text).unwrap();
    assert_eq!(all.default.as_deref(), Some("main"));
    assert_eq!(all.stores["main"].location.as_deref(), Some("/a"));
    assert!(serde_json::from_str::<StoresSettings>(r#"{"main": {"protocl": "file"}}"#).is_err());
}

#[test]
fn the_list_of_keys_is_the_struct() {
    let all = StoreSettings::keys()
        .map(|key| {
            let value = match key {
                "subfolding" => "[2]",
                "token_length" => "8",
                "secure" => "true",
                _ => "'x'",
            };
            format!("{key} = {value}")
        })
        .collect::<Vec<_>>();
    let presence = store(&all.join("\n")).presence();
    assert!(presence.into_iter().all(|(_, is)| is));
}

#[test]
fn a_secret_does_not_show() {
    let settings = store("access_key='topsecret'");
    assert!(!format!("{settings:?}").contains("topsecret"));
}
