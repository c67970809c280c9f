//! Errors as clients see them.

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Source(&'static str);

fn generic(text: &'static str) -> Fault {
    Fault::from(ObjectError::Generic {
        store: "S3",
        source: Box::new(Source(text)),
    })
}

#[test]
fn an_answer_is_cut_to_status_and_code() {
    let fault = generic(
        "Server returned non-2xx status code: 403 Forbidden: <?xml?><Error>\
         <Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIATOP</AWSAccessKeyId></Error>",
    );
    assert_eq!(
        fault.cause,
        "the server answered 403 Forbidden (SignatureDoesNotMatch)"
    );
    assert_eq!(
        generic("status code: 503: busy").cause,
        "the server answered 503"
    );
}

#[test]
fn urls_lose_what_is_secret() {
    let fault = generic("error for url (https://me:pw@h/b/k?X-Amz-Signature=beef) <b>x</b>");
    assert_eq!(fault.kind, ErrorKind::Unavailable);
    assert!(fault.cause.contains("https://h/b/k"), "{}", fault.cause);
    for secret in ["pw", "Signature", "<b>"] {
        assert!(!fault.cause.contains(secret), "{}", fault.cause);
    }
}

#[test]
fn a_missing_store_is_told_as_datajoint_tells_it() {
    let error = Fault::new(ErrorKind::NotConfigured, "Storage 'x' is requested")
        .at("x", Operation::Resolve);
    assert_eq!(error.to_string(), "Storage 'x' is requested");
    let error = Fault::missing("_hash/s/h").at("main", Operation::Get);
    assert_eq!(
        error.to_string(),
        "store 'main', get: Missing external file _hash/s/h"
    );
}
