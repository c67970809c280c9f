//! The tags: keys that begin with `$` and say what an object stands for.

use super::OBJECT;
use crate::codec::value::Element;

/// All tags.
const TAGS: [&str; 18] = [
    "$int",
    "$float",
    "$complex",
    "$bytes",
    "$decimal",
    "$date",
    "$time",
    "$datetime",
    "$uuid",
    "$tuple",
    "$set",
    "$dict",
    "$array",
    "$scalar",
    "$record",
    "$cell",
    "$struct",
    "$sparse",
];

/// Whether a key would be taken for a tag.
pub(super) fn is_tag(key: &str) -> bool {
    key.starts_with('$')
}

/// The refusal of a tag that does not exist.
pub(super) fn unknown(tag: &str) -> String {
    format!(
        "unknown tag, the nearest known one is {} (a dict with such a key is written \
         {{\"$dict\":[[key,value]]}})",
        nearest(tag, TAGS)
    )
}

/// The refusal of a `dtype` that does not exist.
pub(super) fn unknown_dtype(name: &str) -> String {
    let names = Element::all().map(Element::name).chain([OBJECT]);
    format!(
        "unknown dtype, the nearest known one is {}",
        nearest(name, names)
    )
}

/// The name that is most like `given`.
fn nearest(given: &str, names: impl IntoIterator<Item = &'static str>) -> &'static str {
    // Long words are no misspelling, and comparing them would take long.
    let given: String = given.chars().take(40).collect();
    names
        .into_iter()
        .min_by_key(|name| strsim::damerau_levenshtein(name, &given))
        .unwrap_or_default()
}
