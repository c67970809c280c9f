//! The json notation: values as text that a person understands.
//!
//! What JSON has is written as plain JSON: null, booleans, integers that every JSON reader keeps
//! (±(2^53-1)), finite floats (always with a point or an exponent), strings, lists, and dicts
//! whose keys are strings, of which none begins with `$` and none comes twice. Everything else
//! is an object whose first key begins with `$`:
//!
//! ```text
//! {"$int":"9223372036854775808"}           integers beyond 2^53-1
//! {"$float":"nan"}                         nan, inf, -inf; "0x7ff8000000000001": another NaN
//! {"$complex":[1.0,-2.0]}                  parts as in "$float" where they are not finite
//! {"$bytes":"AAH/"}                        base64
//! {"$decimal":"12.3400"}                   {"$uuid":"12345678-1234-5678-1234-567812345678"}
//! {"$date":"2020-02-29"}                   {"$time":"03:04:05.678901"}
//! {"$datetime":"2020-02-29T13:04:05"}
//! {"$tuple":[1,2]}                         {"$set":[5,3]}, in the stored order
//! {"$dict":[[1,"a"],["$b",2]]}             any dict
//! {"$array":"float64","shape":[2,2],"value":[[0.0,1.0],["nan",-0.0]]}
//! {"$scalar":"int32","value":-2}           an array without dimensions, as NumPy's scalars are
//! {"$record":[["a",{"$array":…}],["b",{"$array":…}]]}       a structured array, by its fields
//! {"$cell":[1,2],"value":[[1,"x"]]}                         after the tag: the shape
//! {"$struct":{"x":1,"y":2}}                                 a 1x1 struct
//! {"$struct":["x","y"],"shape":[1,2],"value":[[{"x":1,"y":2},{"x":3,"y":4}]]}
//! {"$sparse":"float64","shape":[2,2],"starts":[0,1,1],"rows":[0],"value":[5.0]}
//! ```
//!
//! Rows are nested as NumPy prints them, the last index running fastest, in whichever order the
//! bytes are. A value without elements is `[]`, whatever its shape. Elements of arrays:
//! * integers beyond 2^53-1 are strings of digits;
//! * floats that are not finite are `"nan"`, `"inf"`, `"-inf"` or, as bits, `"0x…"`;
//! * complex numbers are `[re,im]`; MATLAB's complex integers have the dtypes `complex-int8` to
//!   `complex-uint64`;
//! * rows of `char` arrays are strings; rows that are no text (half of a surrogate pair) are
//!   lists of UTF-16 units;
//! * `datetime64[…]` is ISO text in its unit, or `"NaT"`, or, outside of the years 0 to 9999, an
//!   integer of ticks since 1970;
//! * `object` arrays have any values. Their `shape` comes before `value`; without it they have
//!   one dimension.
//!
//! An array, cell or struct that was cut for display has a key `cut` and its first elements in a
//! flat list. It cannot be read back.
//!
//! When read, white space, the order of the keys after the tag, integers in place of floats and
//! a `shape` that is left out where the nesting tells it are all fine. Arrays come back in
//! [`Order::First`](super::value::Order::First) and complex ones in planes, as blobs have them:
//! `parse(print(v))` equals `v` but for that, and packs to the same bytes.

mod order;
mod parse;
mod print;
mod stack;
mod tags;
#[cfg(test)]
mod tests;
mod ticks;
mod time;

use std::borrow::Cow;
use std::fmt::Write;

use super::ValueLimits;
use super::blob::MAX_DEPTH;

pub use parse::parse;
pub use print::print;

/// The `dtype` of object arrays, which are no [`Element`](super::value::Element).
const OBJECT: &str = "object";

/// The same JSON with everything outside of ASCII escaped, for clients whose character set is
/// not UTF-8.
pub fn to_ascii(json: &str) -> Cow<'_, str> {
    if json.is_ascii() {
        return Cow::Borrowed(json);
    }
    let mut ascii = String::with_capacity(json.len() + json.len() / 2);
    let mut units = [0; 2];
    for char in json.chars() {
        if char.is_ascii() {
            ascii.push(char);
            continue;
        }
        for unit in char.encode_utf16(&mut units) {
            // Writing to a String does not fail.
            let _ = write!(ascii, "\\u{unit:04x}");
        }
    }
    Cow::Owned(ascii)
}

/// How many containers within containers the limits allow.
fn most_levels(limits: &ValueLimits) -> usize {
    limits.depth.min(MAX_DEPTH)
}

/// How many containers a grid of so many dimensions counts as: its rows nest, too. A matrix
/// counts as one, so that only what is rare counts more.
fn nesting(dimensions: usize) -> usize {
    dimensions.saturating_sub(1).max(1)
}
