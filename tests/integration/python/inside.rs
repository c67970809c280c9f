//! Python codecs as the console and the counters show them.

use super::{json_client, lab};
use crate::admin;
use crate::metrics::get;

#[test]
fn a_person_sees_codecs_and_workers() {
    let sections = admin::section() + "\n[metrics]\naddress = \"127.0.0.1:0\"\n";
    let lab = lab("inside", &sections);
    let mut console = admin::console(&lab);
    let codecs = console.query("SHOW CODECS LIKE 'act'").expect("a row");
    assert!(
        codecs.texts("Origin")[0].starts_with("python: lab-hostile"),
        "{codecs:?}"
    );
    let resolved = console.query("RESOLVE '<act@main>'").expect("a row");
    assert_eq!(resolved.texts("Store"), ["main"]);
    let mut client = json_client(&lab);
    client.ok("INSERT INTO t (act) VALUES ('5')");
    assert_eq!(client.text("SELECT act FROM t"), "5");
    let counted = |name: &str| -> f64 {
        let text = get(lab.proxy.web(), "/metrics").body;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let value = line.unwrap_or_else(|| panic!("{name}\n{text}"));
        value.trim().parse().expect("a number")
    };
    let calls = "codec_proxy_python_calls_total{codec=\"act\",outcome=\"answered\"}";
    assert!(counted(calls) >= 2.0);
    assert!(counted("codec_proxy_python_workers ") >= 1.0);
    assert!(counted("codec_proxy_python_workers_started_total ") >= 1.0);
    // Packages are looked for anew, and what was there works as before.
    let told = console.query("RELOAD").expect("rows");
    assert_eq!(told.texts("Section"), ["codecs.python"]);
    client.ok("INSERT INTO t (act) VALUES ('7')");
    assert_eq!(client.text("SELECT act FROM t WHERE id = 2"), "7");
}
