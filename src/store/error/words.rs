//! What of a server's or a client library's words may be repeated.

use std::error::Error;

/// The text of the first cause: the one that does not repeat the others.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// A server's answer, from its status and the `<Code>` in its body. The rest of the body is
/// dropped: it may repeat the access key and what was signed.
pub(super) fn answer(text: &str) -> String {
    match (status(text), error_code(text)) {
        (Some(status), Some(code)) => format!("the server answered {status} ({code})"),
        (Some(status), None) => format!("the server answered {status}"),
        (None, Some(code)) => format!("the server answered {code}"),
        (None, None) => "the server refused".to_owned(),
    }
}

/// `403 Forbidden` out of `… status code: 403 Forbidden: <body>`.
pub(super) fn status(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("status code: ")?;
    let status = rest.split([':', '<', '\n']).next()?.trim();
    status
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(status)
}

/// Whether it is the bucket (Azure: the container) that is not there, and not just an object.
pub(super) fn names_no_bucket(text: &str) -> bool {
    matches!(error_code(text), Some("NoSuchBucket" | "ContainerNotFound"))
}

pub(super) fn error_code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let plain =
        !code.is_empty() && code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then_some(code)
}

/// Cuts user names and queries from URLs, and anything that looks like a body.
pub(super) fn without_secrets(text: &str) -> String {
    let text = text.split('<').next().unwrap_or_default();
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let Some((scheme, rest)) = word.split_once("://") else {
            words.push(word.to_owned());
            continue;
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        words.push(format!("{scheme}://{host}{path}"));
    }
    words.join(" ")
}
