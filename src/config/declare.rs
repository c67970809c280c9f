//! `[declare]`: what the plain types of clients that know no codecs become.

use super::ConfigError;
use super::section::{Field, Section};
use crate::codec::TypeSpec;
use crate::codec::registry::Registry;
use crate::view::{Becomes, Declaring, Rule};

pub(super) const KEYS: &[&str] = &["longblob", "attach", "rules"];
pub(super) const RULE: &[&str] = &["schema", "table", "longblob", "attach"];

/// The rules in their order; what stands outside of them comes last, and covers all tables. Their
/// codecs are among the `known` ones.
pub(super) fn read(mut section: Section, known: &Registry) -> Result<Declaring, ConfigError> {
    let mut rules = Vec::new();
    if let Some(field) = section.take("rules") {
        for field in field.list()? {
            let nothing = field.invalid("takes `longblob` or `attach`, or both");
            let rule = rule(field.section(RULE)?, known)?;
            if rule.longblob.is_none() && rule.attach.is_none() {
                return Err(nothing);
            }
            rules.push(rule);
        }
    }
    let rest = rule(section, known)?;
    if rest.longblob.is_some() || rest.attach.is_some() {
        rules.push(rest);
    }
    Ok(Declaring { rules })
}

fn rule(mut section: Section, known: &Registry) -> Result<Rule, ConfigError> {
    let pattern = |field: Option<Field>| match field {
        Some(field) => match field.text()? {
            "" => Err(field.invalid("takes a name, in which * is any text")),
            text => Ok(text.to_owned()),
        },
        None => Ok("*".to_owned()),
    };
    Ok(Rule {
        schema: pattern(section.take("schema"))?,
        table: pattern(section.take("table"))?,
        longblob: section
            .take("longblob")
            .map(|field| becomes(&field, false, known))
            .transpose()?,
        attach: section
            .take("attach")
            .map(|field| becomes(&field, true, known))
            .transpose()?,
    })
}

/// Reads `"<codec@store>"`; an empty text leaves the type plain.
fn becomes(field: &Field, attach: bool, known: &Registry) -> Result<Becomes, ConfigError> {
    let text = field.text()?;
    if text.is_empty() {
        return Ok(Becomes::Plain);
    }
    let example = if attach {
        "<attach@main>"
    } else {
        "<blob@main>"
    };
    let Some(spec) = TypeSpec::parse(text) else {
        return Err(field.invalid(&format!("{text:?} is no type such as {example:?}")));
    };
    if spec.to_string() != text || text.contains(':') || !text.is_ascii() {
        return Err(field.invalid(&format!(
            "{text:?} is not how such a type is written: {example:?}"
        )));
    }
    let chain = spec
        .resolve_in(known)
        .map_err(|error| field.invalid(&error.to_string()))?;
    let is_attach = chain.outermost_name() == Some("attach");
    if is_attach != attach || chain.is_text() {
        let reason = format!("takes another codec than that of {text:?}, for example {example:?}");
        return Err(field.invalid(&reason));
    }
    Ok(Becomes::Codec(chain))
}
