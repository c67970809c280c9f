//! `config/codec-proxy.toml` says the truth: it loads, shows every key, and its defaults are
//! the built-in ones.

use super::*;
use crate::python::Settings;
use crate::store::StoreSettings;

const EXAMPLE: &str = include_str!("../../../config/codec-proxy.toml");

#[test]
fn the_example_is_the_fixed_shape() {
    assert_eq!(config(EXAMPLE), config(PLAIN));
}

#[test]
fn every_key_is_shown() {
    let shown = |key: &str| {
        EXAMPLE.lines().any(|line| {
            let line = line.trim_start_matches('#');
            line.strip_prefix(key)
                .is_some_and(|rest| rest.starts_with(" = "))
                || is_section(line, key)
        })
    };
    fn is_section(line: &str, key: &str) -> bool {
        line.starts_with('[')
            && line
                .trim_matches(['[', ']'])
                .split('.')
                .any(|name| name == key)
    }
    let sections = [
        read::ROOT,
        read::DATABASE,
        read::LISTEN,
        read::POINTERS,
        super::super::codecs::CODEC,
        super::super::declare::KEYS,
        super::super::declare::RULE,
        super::super::python::KEYS,
        read::TLS,
        read::LIMITS,
        read::CATALOG,
        read::ADMIN,
        read::METRICS,
    ];
    for key in sections.into_iter().flatten() {
        assert!(shown(key), "{key}");
    }
    for key in StoreSettings::keys().chain(stores::SECRET_FILES) {
        assert!(shown(key), "{key}");
    }
}

#[test]
fn the_defaults_shown_are_the_built_in_ones() {
    let (text, count) = with_defaults();
    assert_eq!(count, 22, "{text}");
    let shown = config(&text);
    let mut built_in = config(PLAIN);
    // Where a store's defaults are known is where its paths are made.
    let (shown_main, main) = (
        &shown.stores.stores["main"],
        &built_in.stores.stores["main"],
    );
    assert_eq!(layout(shown_main), layout(main));
    assert_ne!(shown_main, main);
    built_in.stores = shown.stores.clone();
    assert_eq!(shown, built_in);
}

#[test]
fn the_commented_codec_is_right() {
    let start = EXAMPLE.find("#[codecs.zjson]").expect("it is shown");
    let section: String = EXAMPLE[start..]
        .lines()
        .take_while(|line| !line.is_empty())
        // There is no such file here.
        .filter(|line| !line.starts_with("# ") && !line.starts_with("#schema"))
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect();
    let codecs = config(&least(&section)).codecs;
    assert_eq!(codecs[0].codec.summary(), "json → text → zlib → <blob>");
}

#[test]
fn the_commented_stores_are_right() {
    for name in ["google", "azure", "scratch"] {
        commented(name).parse(name).expect("it holds together");
    }
    let bucket = commented("bucket");
    let without_default = StoreSettings {
        secure: None,
        ..bucket.clone()
    };
    assert_eq!(bucket.secure, Some(true));
    assert_eq!(bucket.parse("bucket"), without_default.parse("bucket"));
    bucket.parse("bucket").expect("it holds together");
}

/// A store of the example that is commented out.
fn commented(name: &str) -> StoreSettings {
    let section = section(&format!("stores.{name}"));
    config(&least(&section)).stores.stores[name].clone()
}

/// The text of a section that is commented out, without its comments.
fn section(name: &str) -> String {
    let start = EXAMPLE.find(&format!("#[{name}]"));
    EXAMPLE[start.expect("it is shown")..]
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("# ") && !line.contains("_file = "))
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect()
}

#[test]
fn the_commented_packages_are_right() {
    let section = section("codecs.python");
    let python = config(&least(&section)).python.expect("a section");
    assert_eq!(
        python,
        Settings {
            workers: 2,
            ..Settings::new("/opt/labenv/bin/python".into())
        }
    );
}

/// The example with the defaults it shows taken in, and how many these are. Those of sections
/// that are commented out stay out.
fn with_defaults() -> (String, usize) {
    let mut count = 0;
    let mut above = "";
    let mut is_out = false;
    let mut text = String::new();
    for line in EXAMPLE.lines() {
        if line.starts_with("#[") || line.starts_with('[') {
            is_out = line.starts_with('#');
        }
        let is_default = above.ends_with("Default:") && !is_out;
        if is_default {
            count += 1;
        }
        text += if is_default { &line[1..] } else { line };
        text.push('\n');
        above = line;
    }
    (text, count)
}

fn layout(settings: &StoreSettings) -> crate::codec::Layout {
    let settings = StoreSettings {
        location: Some("/".into()),
        ..settings.clone()
    };
    settings.parse("main").expect("it holds together").layout
}
