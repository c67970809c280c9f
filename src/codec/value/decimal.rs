//! The text of a decimal number as Python's `decimal` module reads and writes it.
//!
//! Source: the numeric strings of the General Decimal Arithmetic Specification, which Python's
//! `Decimal` implements.

/// The most that an exponent can be (`decimal.MAX_EMAX`); the least is a little below twice
/// its negative.
const MAX_EXPONENT: i64 = 999_999_999_999_999_999;

/// `str(Decimal(text))`: `1e5` is `1E+5`, `007` is `7`. `None` if Python has no such number,
/// or has it only because it overlooks spaces and underscores.
pub fn normal_decimal(text: &str) -> Option<String> {
    let (sign, number) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let lower = number.to_ascii_lowercase();
    let name = match lower.as_str() {
        "inf" | "infinity" => Some(("Infinity", "")),
        other => [("snan", "sNaN"), ("nan", "NaN")]
            .into_iter()
            .find_map(|(prefix, name)| Some((name, other.strip_prefix(prefix)?))),
    };
    if let Some((name, payload)) = name {
        let payload = is_digits(payload).then(|| payload.trim_start_matches('0'))?;
        return Some(format!("{sign}{name}{payload}"));
    }
    let (mantissa, exponent) = match lower.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (lower.as_str(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let digits = [whole, fraction].concat();
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let exponent = exponent - fraction.len() as i64;
    Some(format!("{sign}{}", print(digits, exponent)?))
}

/// Plain notation for what is neither large nor small, else one digit before the point.
fn print(digits: &str, exponent: i64) -> Option<String> {
    let before_point = exponent + digits.len() as i64;
    if before_point > MAX_EXPONENT + 1 || exponent < 1 - 2 * MAX_EXPONENT {
        return None;
    }
    if exponent > 0 || before_point <= -6 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return Some(match before_point - 1 {
            0 => digits.to_owned(),
            scale => format!("{first}{point}{rest}E{scale:+}"),
        });
    }
    Some(match usize::try_from(before_point) {
        Ok(before) if before >= digits.len() => digits.to_owned(),
        Ok(before) if before > 0 => format!("{}.{}", &digits[..before], &digits[before..]),
        // At most five zeros.
        _ => format!("0.{}{digits}", "0".repeat(-before_point as usize)),
    })
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !is_digits(digits) {
        return None;
    }
    let exponent: i64 = text.parse().ok()?;
    // Leaves room for adding the lengths of texts.
    (exponent.abs() <= 3 * MAX_EXPONENT).then_some(exponent)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right sides are what Python 3.11 prints.
    #[test]
    fn python_writes_them_so() {
        for (text, expected) in [
            ("12.3400", "12.3400"),
            ("1e5", "1E+5"),
            ("1E+10", "1E+10"),
            ("007", "7"),
            ("+1.", "1"),
            (".5", "0.5"),
            ("-0.0", "-0.0"),
            ("0E-7", "0E-7"),
            ("0.0000000", "0E-7"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1E-7"),
            ("123E-10", "1.23E-8"),
            ("12E2", "1.2E+3"),
            ("12E0", "12"),
            ("0e3", "0E+3"),
            ("00.10E1", "1.0"),
            ("nan", "NaN"),
            ("-sNaN007", "-sNaN7"),
            ("INF", "Infinity"),
            ("-infinity", "-Infinity"),
            ("1E+999999999999999999", "1E+999999999999999999"),
            ("1E-1999999999999999997", "1E-1999999999999999997"),
        ] {
            assert_eq!(normal_decimal(text).as_deref(), Some(expected), "{text}");
            assert_eq!(normal_decimal(expected).as_deref(), Some(expected));
        }
    }

    #[test]
    fn python_has_no_such_number() {
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e+",
            "--1",
            "1.2.3",
            "one",
            "infin",
            "nanx",
            "1 ",
            "1E+1000000000000000000",
            "1E-1999999999999999998",
            "1_0",
            "1E99999999999999999999",
            "١",
        ] {
            assert_eq!(normal_decimal(text), None, "{text}");
        }
    }
}
