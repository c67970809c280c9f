//! `[codecs]`: codecs that are defined in the configuration.
//!
//! The key `codecs.python` is not a codec's name: `python` reads it.

use std::sync::Arc;

use super::section::{Field, Section, nearest};
use super::tree::{Table, Value};
use super::{ConfigError, python};
use crate::codec::configured::steps::{
    Base64, Cast, Charset, Deflate, Differences, Direction, Json, Reshape, Text, Wrapper, Zstd,
};
use crate::codec::configured::{
    Configured, Definition, DefinitionError, Rule, Schema, Step, TYPES,
};
use crate::codec::registry::{Entry, Handle, Registry};
use crate::codec::value::Element;
use crate::python::Settings;

/// The keys of a codec.
pub(super) const CODEC: &[&str] = &[
    "chain",
    "dtype",
    "store_dtype",
    "validate",
    "schema",
    "lossy",
];
const RULE: &[&str] = &["type", "dtype", "ndim", "sorted", "message"];
/// What is no codec of its own.
const PYTHON: &str = "python";

/// The names of the steps, with their options.
const STEPS: &[(&str, &[&str])] = &[
    ("json", &["step"]),
    ("zlib", &["step", "level"]),
    ("gzip", &["step", "level"]),
    ("zstd", &["step", "level"]),
    ("base64", &["step"]),
    ("text", &["step", "charset"]),
    ("diff", &["step", "to", "from"]),
    ("cumsum", &["step", "to", "from"]),
    ("cast", &["step", "to", "from"]),
    ("reshape", &["step", "to", "from"]),
];

/// A codec of the configuration, and where it is defined.
#[derive(Debug, Clone, PartialEq)]
pub struct CodecDefinition {
    /// The codec.
    pub codec: Arc<Configured>,
    /// `configuration codec-proxy.toml:12`
    pub origin: String,
}

impl From<&CodecDefinition> for Entry {
    fn from(definition: &CodecDefinition) -> Self {
        Self {
            codec: Handle::Shared(definition.codec.clone()),
            origin: definition.origin.clone(),
        }
    }
}

/// All of the section by name, and `python`.
pub(super) fn read(
    section: Option<Field>,
) -> Result<(Vec<CodecDefinition>, Option<Settings>), ConfigError> {
    let Some(section) = section else {
        return Ok((Vec::new(), None));
    };
    let mut packages = None;
    let key = section.key.clone();
    let mut codecs: Vec<CodecDefinition> = Vec::new();
    for (name, node) in section.table()? {
        let field = Field {
            key: super::section::join(&key, &name),
            node,
        };
        if name == PYTHON {
            packages = Some(python::read(field.section(python::KEYS)?)?);
            continue;
        }
        let place = copy(&field);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(place.invalid("a codec's name has letters, digits and underscores"));
        }
        let origin = format!("configuration {}", place.node.origin);
        let codec = codec(name, field.section(CODEC)?, &place)?;
        codecs.push(CodecDefinition {
            codec: Arc::new(codec),
            origin,
        });
        Registry::with(codecs.iter().map(Entry::from))
            .map_err(|error| place.invalid(&error.to_string()))?;
    }
    Ok((codecs, packages))
}

fn codec(name: String, mut section: Section, place: &Field) -> Result<Configured, ConfigError> {
    let mut steps: Vec<Box<dyn Step>> = Vec::new();
    let chain = section.take("chain");
    let dtype = section.take("dtype");
    let store_dtype = section.take("store_dtype");
    let of_chain = chain.as_ref().map(copy);
    for field in chain.map(Field::list).transpose()?.unwrap_or_default() {
        steps.push(step(field)?);
    }
    let text = |field: &Option<Field>| -> Result<Option<String>, ConfigError> {
        field
            .as_ref()
            .map(|field| field.text().map(str::to_owned))
            .transpose()
    };
    let definition = Definition {
        name,
        steps,
        dtype: text(&dtype)?,
        store_dtype: text(&store_dtype)?,
        rules: section
            .take("validate")
            .map(rules)
            .transpose()?
            .unwrap_or_default(),
        schema: section
            .take("schema")
            .map(|field| schema(&field))
            .transpose()?,
        lossy: section
            .take("lossy")
            .map(|field| field.boolean())
            .transpose()?
            .unwrap_or_default(),
    };
    Configured::new(definition).map_err(|error| match &error {
        DefinitionError::NoDtype => ConfigError::Missing {
            place: place.node.origin.to_string(),
            key: super::section::join(&place.key, "dtype"),
            hint: "say what is stored, for example \"<blob>\"",
        },
        DefinitionError::Dtype(written) | DefinitionError::Holds { dtype: written, .. } => {
            let is_it = |field: &&Field| field.text().is_ok_and(|text| text == written);
            let field = [&dtype, &store_dtype].into_iter().flatten().find(is_it);
            field.unwrap_or(place).invalid(&error.to_string())
        }
        DefinitionError::Mixed | DefinitionError::Takes { .. } => of_chain
            .as_ref()
            .unwrap_or(place)
            .invalid(&error.to_string()),
    })
}

/// A field to name in an error, once the first is used up.
fn copy(field: &Field) -> Field {
    Field {
        key: field.key.clone(),
        node: field.node.clone(),
    }
}

/// `"zlib"`, or `{ step = "zlib", level = 9 }`.
fn step(field: Field) -> Result<Box<dyn Step>, ConfigError> {
    let place = copy(&field);
    let written = match &field.node.value {
        Value::Table(table) => match table.get("step").map(|node| &node.value) {
            Some(Value::Text(name)) => name.clone(),
            _ => return Err(place.invalid("takes a step: { step = \"zlib\", level = 9 }")),
        },
        _ => field.text()?.to_owned(),
    };
    let Some((name, known)) = STEPS.iter().find(|(name, _)| *name == written) else {
        let names = || STEPS.iter().map(|(name, _)| *name);
        let nearest = nearest(&written, names()).unwrap_or_default();
        let names = names().collect::<Vec<_>>().join(", ");
        let reason = format!("no step {written:?}: did you mean {nearest:?}? (there are {names})");
        return Err(place.invalid(&reason));
    };
    let options = match field.node.value {
        Value::Table(options) => options,
        _ => Table::new(),
    };
    let mut options = Section::open(&place.key, &place.node.origin, options, known)?;
    Ok(match *name {
        "json" => Box::new(Json),
        "zlib" => deflate(Wrapper::Zlib, &mut options)?,
        "gzip" => deflate(Wrapper::Gzip, &mut options)?,
        "zstd" => Box::new(Zstd {
            level: level(&mut options, 3, 19)?,
        }),
        "base64" => Box::new(Base64),
        "text" => Box::new(Text {
            charset: charset(&mut options)?,
        }),
        "diff" => differences(Direction::Differences, &mut options)?,
        "cumsum" => differences(Direction::Sums, &mut options)?,
        "cast" => Box::new(Cast {
            to: element(&options.require("to", ELEMENT)?)?,
            from: element(&options.require("from", ELEMENT)?)?,
        }),
        _ => {
            let hint = "set it to the lengths, for example [-1, 3]";
            let to = lengths(options.require("to", hint)?)?;
            let from = lengths(options.require("from", hint)?)?;
            let reshape = Reshape::new(&to, &from);
            Box::new(reshape.map_err(|error| place.invalid(&error.to_string()))?)
        }
    })
}

fn deflate(wrapper: Wrapper, options: &mut Section) -> Result<Box<dyn Step>, ConfigError> {
    let level = level(options, wrapper.default_level(), 9)?;
    Ok(Box::new(Deflate { wrapper, level }))
}

fn level<T>(options: &mut Section, default: T, most: T) -> Result<T, ConfigError>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    let Some(field) = options.take("level") else {
        return Ok(default);
    };
    let level = field.whole(1)?;
    match level <= most {
        true => Ok(level),
        false => Err(field.invalid(&format!("takes a whole number from 1 to {most}"))),
    }
}

fn charset(options: &mut Section) -> Result<Charset, ConfigError> {
    let Some(field) = options.take("charset") else {
        return Ok(Charset::Utf8);
    };
    Charset::parse(field.text()?).ok_or_else(|| {
        // The others are other names of these.
        let names = Charset::NAMES[..5].iter().map(|(name, _)| *name);
        let names = names.collect::<Vec<_>>().join(", ");
        field.invalid(&format!("is none of the character sets {names}"))
    })
}

fn differences(stored: Direction, options: &mut Section) -> Result<Box<dyn Step>, ConfigError> {
    let mut take = |option| {
        options
            .take(option)
            .map(|field| element(&field))
            .transpose()
    };
    Ok(Box::new(Differences {
        stored,
        to: take("to")?,
        from: take("from")?,
    }))
}

const ELEMENT: &str = "set it to a NumPy dtype, for example \"float32\"";

fn element(field: &Field) -> Result<Element, ConfigError> {
    let text = field.text()?;
    Element::parse_name(text).ok_or_else(|| {
        let nearest = nearest(text, Element::all().map(Element::name)).unwrap_or_default();
        field.invalid(&format!("no dtype {text:?}: did you mean {nearest:?}?"))
    })
}

fn lengths(field: Field) -> Result<Vec<i64>, ConfigError> {
    field
        .list()?
        .iter()
        .map(|length| length.whole(-1))
        .collect()
}

/// One table of conditions, or a list of such.
fn rules(field: Field) -> Result<Vec<Rule>, ConfigError> {
    match field.node.value {
        Value::Table(_) => Ok(vec![rule(field)?]),
        _ => field.list()?.into_iter().map(rule).collect(),
    }
}

fn rule(field: Field) -> Result<Rule, ConfigError> {
    let place = copy(&field);
    let mut section = field.section(RULE)?;
    let rule = Rule {
        types: section
            .take("type")
            .map(types)
            .transpose()?
            .unwrap_or_default(),
        elements: match section.take("dtype") {
            Some(field) => one_or_many(field)?
                .iter()
                .map(element)
                .collect::<Result<_, _>>()?,
            None => Vec::new(),
        },
        dimensions: section
            .take("ndim")
            .map(|field| field.whole(0))
            .transpose()?,
        sorted: section
            .take("sorted")
            .map(|field| field.boolean())
            .transpose()?
            .unwrap_or_default(),
        message: section
            .take("message")
            .map(|field| field.text().map(str::to_owned))
            .transpose()?,
    };
    let none = Rule {
        message: rule.message.clone(),
        ..Rule::default()
    };
    match rule == none {
        true => Err(place.invalid("has no condition: type, dtype, ndim or sorted = true")),
        false => Ok(rule),
    }
}

fn types(field: Field) -> Result<Vec<String>, ConfigError> {
    let name = |field: &Field| {
        let text = field.text()?;
        // What everybody but Python calls it.
        let name = if text == "array" { "ndarray" } else { text };
        if TYPES.contains(&name) {
            return Ok(name.to_owned());
        }
        let nearest = nearest(name, TYPES.into_iter()).unwrap_or_default();
        Err(field.invalid(&format!("no type {text:?}: did you mean {nearest:?}?")))
    };
    one_or_many(field)?.iter().map(name).collect()
}

fn one_or_many(field: Field) -> Result<Vec<Field>, ConfigError> {
    match field.node.value {
        Value::List(_) => field.list(),
        _ => Ok(vec![field]),
    }
}

fn schema(field: &Field) -> Result<Schema, ConfigError> {
    let file = field.path()?;
    let text = std::fs::read_to_string(&file).map_err(|source| ConfigError::Read {
        hint: format!("`{}` ({}) names it", field.key, field.node.origin),
        file: file.clone(),
        source,
    })?;
    Schema::parse(&text).map_err(|error| field.invalid(&format!("{} is {error}", file.display())))
}
