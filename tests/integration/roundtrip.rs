//! Random values between DataJoint 2.3.5, the `bytes` view and the `json` view.
//!
//! 200 values; 2,000 if CODEC_PROXY_TESTS_LONG is set. Another run of values comes from
//! CODEC_PROXY_TESTS_SEED, which a failure names.

use serde_json::json;

use crate::support::doors::Doors;

#[test]
fn random_values_there_and_back() {
    there_and_back(&Doors::file("roundtrip", &json!({})));
}

/// The same on a real MySQL, into which DataJoint writes without the proxy.
#[test]
fn random_values_there_and_back_on_mysql() {
    if let Some(doors) = Doors::on_mysql("roundtrip") {
        there_and_back(&doors);
    }
}

fn there_and_back(doors: &Doors) {
    let long = std::env::var_os("CODEC_PROXY_TESTS_LONG").is_some();
    let count = if long { 2000 } else { 200 };
    let seed = std::env::var("CODEC_PROXY_TESTS_SEED").unwrap_or_else(|_| "20260".to_owned());
    doors.run("roundtrip.py", &format!("{count} {seed}"));
}
