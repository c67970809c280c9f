//! Column comments: where DataJoint keeps the type that SQL cannot say.
//!
//! Two forms occur. The database holds the marker of DataJoint 2.x, `:<blob@main>:raw traces`
//! or `:int32:age`. A client that knows no markers declares with `<blob@main> raw traces`.

use super::TypeSpec;

/// A comment taken apart at its marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker<'a> {
    /// The type as it was written at declaration, such as `<blob@main>` or `varchar(20)`.
    pub type_text: &'a str,
    /// What the user wrote; ends before the first newline.
    pub comment: &'a str,
}

/// Reads `:type:comment`.
///
/// It is the match of `:(?P<type>[^:]+):(?P<comment>.*)` by which DataJoint's heading reads
/// comments: the type ends at the next colon whatever is in it, and a newline ends the comment.
pub fn marker(comment: &str) -> Option<Marker<'_>> {
    let (type_text, comment) = comment.strip_prefix(':')?.split_once(':')?;
    let comment = comment.split('\n').next().unwrap_or_default();
    (!type_text.is_empty()).then_some(Marker { type_text, comment })
}

/// Reads `<codec@store> comment`, with the comment that remains.
///
/// A codec's name is a word; anything else in angle brackets is prose, as in `<5 mV>`. So is a
/// spec with a colon, which no marker could hold, and one that a marker would hold as another
/// (with a store named `<`).
pub fn declared(comment: &str) -> Option<(TypeSpec, &str)> {
    let comment = comment.trim_start();
    let end = comment.find('>')? + 1;
    let (text, rest) = comment.split_at(end);
    let spec = TypeSpec::parse(text)?;
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let named = !spec.codec.is_empty()
        && spec.codec.chars().all(word)
        && !spec.codec.starts_with(|c: char| c.is_numeric() || c == '-');
    let kept = || TypeSpec::parse(&spec.to_string()).as_ref() == Some(&spec);
    (named && !text.contains([':', '\n']) && kept()).then(|| (spec, rest.trim_start()))
}

/// Reads `<int32> comment`: a core type, which says no more than the column's own SQL type, with
/// the comment that remains.
pub fn declared_core(comment: &str) -> Option<(&str, &str)> {
    let (type_text, rest) = comment.trim_start().strip_prefix('<')?.split_once('>')?;
    let is_one = is_core_type(type_text) && !type_text.contains([':', '\n']);
    is_one.then(|| (type_text, rest.trim_start()))
}

/// The tag that declares a stored comment with a marker, `<blob@main>` for `:<blob@main>:raw`;
/// `None` if a comment that begins with it would be read as something else.
pub fn tag(comment: &str) -> Option<String> {
    let (type_text, rest) = comment.strip_prefix(':')?.split_once(':')?;
    let tag = match type_text.starts_with('<') {
        true => type_text.to_owned(),
        false => format!("<{type_text}>"),
    };
    let declaring = format!("{tag} {rest}");
    let same = match declared(&declaring) {
        Some((spec, kept)) if type_text.starts_with('<') => {
            spec.to_string() == type_text && kept == rest
        }
        _ => declared_core(&declaring) == Some((type_text, rest)),
    };
    (same && tag.is_ascii()).then_some(tag)
}

/// Whether a marker's type is a core type of DataJoint 2.x: one that says no more than how the
/// column's own SQL type was written. Case does not count.
pub fn is_core_type(type_text: &str) -> bool {
    let text = type_text.to_ascii_lowercase();
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => match rest.strip_suffix(')') {
            Some(arguments) => (name.trim_end(), Some(arguments)),
            None => return false,
        },
        None => (text.as_str(), None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    match (name, arguments) {
        ("float32" | "float64" | "int64" | "int32" | "int16" | "int8" | "bool", None) => true,
        ("uuid" | "json" | "jsonb" | "bytes" | "date" | "datetime", None) => true,
        ("datetime" | "char" | "varchar", Some(length)) => digits(length),
        ("decimal", Some(sizes)) => sizes
            .split_once(',')
            .is_some_and(|(p, s)| digits(p.trim_end()) && digits(s.trim_start())),
        ("enum", Some(values)) => !values.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(comment: &str) -> Option<(&str, &str)> {
        marker(comment).map(|m| (m.type_text, m.comment))
    }

    #[test]
    fn markers_are_read_as_the_heading_reads_them() {
        assert_eq!(
            parts(":<blob@main>:raw traces"),
            Some(("<blob@main>", "raw traces"))
        );
        assert_eq!(parts(":<blob@>:"), Some(("<blob@>", "")));
        assert_eq!(parts(":int32:a: b"), Some(("int32", "a: b")));
        assert_eq!(parts(":enum('a','b:c'):x"), Some(("enum('a','b", "c'):x")));
        assert_eq!(parts(":<blob>:one\ntwo"), Some(("<blob>", "one")));
        assert_eq!(parts(":<blob>:one\rtwo"), Some(("<blob>", "one\rtwo")));
        for plain in ["", ":", "::", "::x", ":half", "x :int32:y", "raw traces"] {
            assert_eq!(parts(plain), None, "{plain:?}");
        }
    }

    #[test]
    fn a_legacy_client_declares_in_plain_words() {
        let read = |text| declared(text).map(|(spec, rest)| (spec.to_string(), rest.to_owned()));
        let is = |spec: &str, rest: &str| Some((spec.to_owned(), rest.to_owned()));
        assert_eq!(
            read("<blob@main> raw traces"),
            is("<blob@main>", "raw traces")
        );
        assert_eq!(read(" <blob>raw"), is("<blob>", "raw"));
        assert_eq!(read("<hash@>"), is("<hash@>", ""));
        for prose in [
            "raw <blob>",
            "<5 mV> noise",
            "<>",
            "<@main> x",
            "<a b> x",
            "a > b",
            "<blob",
            "",
            "<blob@a:b> x",
            ":<blob>:x",
        ] {
            assert_eq!(read(prose), None, "{prose:?}");
        }
    }

    #[test]
    fn a_tag_declares_what_is_stored() {
        for (stored, expected) in [
            (":<blob@main>:raw", Some("<blob@main>")),
            (":<blob@>:", Some("<blob@>")),
            (":int32:id", Some("<int32>")),
            (":enum('a','b'):e", Some("<enum('a','b')>")),
            (":datetime(3):", Some("<datetime(3)>")),
            (":<blob@main>: blank", None),
            (":< blob >:x", None),
            (":<blob@\u{e9}>:x", None),
            (":enum('a>b'):x", None),
            (":enum('a:b'):x", None),
            (":uint8:x", None),
            ("plain", None),
        ] {
            assert_eq!(tag(stored).as_deref(), expected, "{stored}");
        }
        assert_eq!(declared_core("<int32> the key"), Some(("int32", "the key")));
        for prose in ["<5 mV> noise", "int32", "<blob> x", "<int32", ""] {
            assert_eq!(declared_core(prose), None, "{prose}");
        }
    }

    #[test]
    fn core_types() {
        for core in [
            "int32",
            "INT8",
            "uuid",
            "jsonb",
            "datetime",
            "datetime(3)",
            "datetime (6)",
            "date",
            "char(3)",
            "varchar (255)",
            "enum('a','b')",
            "decimal(8, 2)",
            "decimal (8 ,2)",
        ] {
            assert!(is_core_type(core), "{core}");
        }
        for other in [
            "",
            "uint8",
            "int",
            "varchar",
            "varchar()",
            "char(x)",
            "enum()",
            "decimal(8)",
            "<blob>",
            "external",
            "blob@store",
            "date(3)",
            "int32 unsigned",
            "varchar(3",
        ] {
            assert!(!is_core_type(other), "{other}");
        }
    }
}
