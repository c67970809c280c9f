//! `[codecs]`.

use std::fs;

use super::{config, error, least, load_at};
use crate::codec::registry::{Entry, Registry};
use crate::codec::{Codec, TypeSpec};
use std::path::Path;

#[test]
fn a_codec_is_made_of_its_keys() {
    let codecs = config(&least(
        "[codecs.zjson]\nchain = ['json', { step = 'zlib', level = 9 }]\ndtype = '<blob>'\n\
         [codecs.python]\ninterpreter = '/opt/python'\n\
         [codecs.spikes]\nchain = [{ step = 'diff', to = 'float32', from = 'float64' }]\n\
         dtype = '<blob>'\nlossy = true\n\
         validate = [{ type = 'array', message = 'no' }, { ndim = 1 }, { sorted = true }]\n\
         [codecs.small]\nstore_dtype = '<npy>'\nvalidate = { dtype = ['int8', 'uint8'] }\n\
         chain = [{ step = 'reshape', to = [-1, 3], from = [-1] }]\n",
    ))
    .codecs;
    let summaries: Vec<_> = codecs.iter().map(|codec| codec.codec.summary()).collect();
    assert_eq!(
        summaries,
        [
            "reshape → <npy>",
            "diff → <blob>",
            "json → text → zlib → <blob>"
        ]
    );
    assert_eq!(codecs[2].origin, "configuration /etc/codec-proxy.toml:3");
    let registry = Registry::with(codecs.iter().map(Entry::from)).unwrap();
    let chain = TypeSpec::parse("<zjson@main>")
        .unwrap()
        .resolve_in(&registry);
    assert!(chain.unwrap().names().eq(["zjson", "blob", "hash"]));
    assert!(registry.find("python").is_none());
}

#[test]
fn a_codec_may_be_what_plain_types_become() {
    let declare = "[declare]\nlongblob = '<zjson@main>'\n[codecs.zjson]\ndtype = '<blob>'\n";
    let config = config(&least(declare));
    assert_eq!(config.declare.codecs().count(), 1);
}

#[test]
fn errors_name_the_line_the_key_and_what_is_near() {
    for (keys, told) in [
        (
            "dtyp = '<blob>'",
            "unknown key `codecs.x.dtyp`: did you mean `dtype`?",
        ),
        (
            "chain = []",
            "`codecs.x.dtype` is missing: say what is stored",
        ),
        (
            "dtype = 'blob'",
            "`codecs.x.dtype`: \"blob\" is neither a codec",
        ),
        (
            "dtype = '<npy>'\nchain = ['json']",
            "`codecs.x.dtype`: \"<npy>\" holds an array, and json",
        ),
        (
            "dtype = '<blob>'\nchain = ['zlip']",
            "`codecs.x.chain.0`: no step \"zlip\": did you mean \"zlib\"?",
        ),
        (
            "dtype = '<blob>'\nchain = ['json', 'cast']",
            "`codecs.x.chain.1.to` is missing: set it to a NumPy dtype",
        ),
        (
            "dtype = '<blob>'\nchain = [{ step = 'zlib', lvl = 1 }]",
            "unknown key `codecs.x.chain.0.lvl`: did you mean `level`?",
        ),
        (
            "dtype = '<blob>'\nchain = [{ step = 'zlib', level = 10 }]",
            "`codecs.x.chain.0.level`: takes a whole number from 1 to 9",
        ),
        (
            "dtype = '<blob>'\nchain = [{ level = 1 }]",
            "`codecs.x.chain.0`: takes a step",
        ),
        (
            "dtype = '<blob>'\nchain = [{ step = 'text', charset = 'ebcdic' }]",
            "`codecs.x.chain.0.charset`: is none of the character sets utf-8, latin-1",
        ),
        (
            "dtype = '<blob>'\nchain = [{ step = 'diff', to = 'flaot32' }]",
            "`codecs.x.chain.0.to`: no dtype \"flaot32\": did you mean \"float32\"?",
        ),
        (
            "dtype = '<blob>'\nchain = [{ step = 'reshape', to = [-1, -1], from = [-1] }]",
            "`codecs.x.chain.0`: takes lengths",
        ),
        (
            "dtype = '<blob>'\nchain = ['zlib', 'diff']",
            "`codecs.x.chain`: diff takes an array, and zlib gives bytes",
        ),
        (
            "dtype = '<blob>'\nvalidate = { type = 'ndaray' }",
            "`codecs.x.validate.type`: no type \"ndaray\": did you mean \"ndarray\"?",
        ),
        (
            "dtype = '<blob>'\nvalidate = {}",
            "`codecs.x.validate`: has no condition",
        ),
        (
            "dtype = '<blob>'\nschema = 'no.json'",
            "cannot read /etc/no.json: ",
        ),
    ] {
        let text = least(&format!("[codecs.x]\n{keys}\n"));
        let error = error(&text);
        assert!(error.contains(told), "{keys}: {error}");
        assert!(error.contains("/etc/"), "{keys}: {error}");
    }
    let taken = error(&least("[codecs.blob]\ndtype = 'bytes'\n"));
    assert!(
        taken.contains("`codecs.blob`: Codec <blob> already registered by"),
        "{taken}"
    );
    let odd = error(&least("[codecs.'a@b']\ndtype = 'bytes'\n"));
    assert!(odd.contains("a codec's name has letters"), "{odd}");
}

#[test]
fn a_schema_lies_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("codec-proxy.toml");
    let text = least("[codecs.config]\ndtype = 'json'\nschema = 'config.json'\n");
    let load = || load_at(&text, &file, &[], Path::new("/nonexistent"));
    fs::write(folder.path().join("config.json"), "{\"type\": 1}").unwrap();
    let error = load().unwrap_err().to_string();
    assert!(error.contains("config.json is no JSON Schema: "), "{error}");
    fs::write(folder.path().join("config.json"), "{\"type\": \"object\"}").unwrap();
    let codecs = load().unwrap().codecs;
    assert!(codecs[0].codec.validate(&"text".into()).is_err());
}
