//! What the elements of a file are: the `descr` of its header.

use super::super::value::{Element, TimeUnit};
use super::NpyError;
use super::literal::{self, Literal};

/// A dtype of NumPy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Descr {
    /// `'<f8'`
    Plain(Plain),
    /// `[('a', '<i4'), …]`
    Fields(Vec<Field>),
}

/// A dtype without fields: `<M8[ns]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) is_big_endian: bool,
    /// The kind: `f` of `<f8`.
    pub(super) code: char,
    /// The number after it: bytes, or of `U` characters.
    pub(super) number: usize,
    /// What is in brackets: `ns`, also `25s`; empty without.
    pub(super) unit: String,
}

/// A field of a structured array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Empty, of the kind `V`, where bytes are left out.
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) descr: Descr,
    /// Of each element; empty if it is no array.
    pub(super) shape: Vec<u64>,
}

impl Descr {
    /// Reads a descr. Arrays of objects are refused, deep within fields as well.
    pub(super) fn parse(literal: &Literal) -> Result<Self, NpyError> {
        match literal {
            Literal::Str(text) => Plain::parse(text).map(Self::Plain),
            Literal::List(fields) if !fields.is_empty() => {
                let fields: Result<Vec<Field>, _> = fields.iter().map(Field::parse).collect();
                fields.map(Self::Fields)
            }
            _ => Err(NpyError::Header),
        }
    }

    /// The descr of an element that NumPy has.
    pub(super) fn of_element(element: Element) -> Self {
        let (code, unit) = match element {
            Element::Bool => ('b', ""),
            Element::Int8 | Element::Int16 | Element::Int32 | Element::Int64 => ('i', ""),
            Element::UInt8 | Element::UInt16 | Element::UInt32 | Element::UInt64 => ('u', ""),
            Element::Float32 | Element::Float64 => ('f', ""),
            Element::Complex64 | Element::Complex128 => ('c', ""),
            Element::DateTime64(unit) => ('M', unit.letters()),
            // Callers make these into what NumPy has.
            Element::Char | Element::ComplexInt(_) => ('V', ""),
        };
        Self::Plain(Plain {
            is_big_endian: false,
            code,
            number: element.size(),
            unit: unit.to_owned(),
        })
    }

    /// Texts of so many characters at most.
    pub(super) fn of_texts(number: usize) -> Self {
        Self::Plain(Plain {
            is_big_endian: false,
            code: 'U',
            number,
            unit: String::new(),
        })
    }

    /// Bytes of an element; `None` beyond what any memory has.
    pub(super) fn size(&self) -> Option<usize> {
        match self {
            Self::Plain(plain) => plain.size(),
            Self::Fields(fields) => fields
                .iter()
                .try_fold(0, |sum: usize, field| sum.checked_add(field.size()?)),
        }
    }

    /// As it stands in a header.
    pub(super) fn to_literal(&self) -> String {
        match self {
            Self::Plain(plain) => literal::repr(&plain.to_text()),
            Self::Fields(fields) => list(fields, |descr| descr.to_literal()),
        }
    }

    /// `str(dtype)`
    pub(super) fn name(&self) -> String {
        match self {
            Self::Plain(plain) => plain.name(),
            Self::Fields(fields) if fields.iter().any(Field::is_padding) => offsets(fields),
            Self::Fields(fields) => list(fields, Self::short),
        }
    }

    /// `repr` of a dtype within another.
    fn short(&self) -> String {
        match self {
            Self::Plain(plain) => literal::repr(&plain.short()),
            Self::Fields(_) => self.name(),
        }
    }
}

impl Plain {
    fn parse(text: &str) -> Result<Self, NpyError> {
        let (order, rest) = match text.chars().next() {
            Some(order @ ('<' | '>' | '|' | '=')) => (order, &text[1..]),
            _ => ('=', text),
        };
        let code = rest.chars().next().ok_or(NpyError::Header)?;
        let rest = &rest[code.len_utf8()..];
        let (number, unit) = match rest.split_once('[') {
            Some((number, unit)) => (number, unit.strip_suffix(']').ok_or(NpyError::Header)?),
            None => (rest, ""),
        };
        if code == 'O' {
            return Err(NpyError::Objects);
        }
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let plain = Self {
            is_big_endian: order == '>',
            code,
            number: number.parse().map_err(|_| NpyError::Header)?,
            unit: unit.to_owned(),
        };
        if is_number && plain.is_numpys() {
            Ok(plain)
        } else {
            Err(NpyError::Header)
        }
    }

    /// Whether NumPy has this.
    fn is_numpys(&self) -> bool {
        let has_number = match self.code {
            'b' => self.number == 1,
            'i' | 'u' => matches!(self.number, 1 | 2 | 4 | 8),
            'f' => matches!(self.number, 2 | 4 | 8 | 16),
            'c' => matches!(self.number, 8 | 16 | 32),
            'M' | 'm' => self.number == 8,
            'S' | 'U' | 'V' => true,
            _ => false,
        };
        let has_unit = match self.code {
            'M' | 'm' => {
                let letters = self.unit.trim_start_matches(|c: char| c.is_ascii_digit());
                self.unit.is_empty() || TimeUnit::ALL.iter().any(|unit| unit.letters() == letters)
            }
            _ => self.unit.is_empty(),
        };
        has_number && has_unit
    }

    pub(super) fn size(&self) -> Option<usize> {
        match self.code {
            'U' => self.number.checked_mul(4),
            _ => Some(self.number),
        }
    }

    /// The element that stands for this in a value, without regard to the order of its bytes.
    pub(super) fn element(&self) -> Option<Element> {
        let name = self.little_endian_name();
        match self.code {
            'S' | 'U' | 'V' | 'm' => None,
            _ => Element::parse_name(&name),
        }
    }

    fn to_text(&self) -> String {
        let order = if matches!(self.code, 'S' | 'V') || self.size() == Some(1) {
            '|'
        } else if self.is_big_endian {
            '>'
        } else {
            '<'
        };
        let unit = if self.unit.is_empty() {
            String::new()
        } else {
            format!("[{}]", self.unit)
        };
        format!("{order}{}{}{unit}", self.code, self.number)
    }

    fn short(&self) -> String {
        let text = self.to_text();
        match text.strip_prefix('|') {
            Some("b1") => "?".to_owned(),
            Some(short) => short.to_owned(),
            None => text,
        }
    }

    fn name(&self) -> String {
        let text = self.to_text();
        if text.starts_with('>') {
            return text;
        }
        self.little_endian_name()
    }

    fn little_endian_name(&self) -> String {
        let kind = match self.code {
            'b' => return "bool".to_owned(),
            'i' => "int",
            'u' => "uint",
            'f' => "float",
            'c' => "complex",
            'M' => "datetime",
            'm' => "timedelta",
            _ => return self.to_text(),
        };
        let bits = 8 * self.number;
        if self.unit.is_empty() {
            format!("{kind}{bits}")
        } else {
            format!("{kind}{bits}[{}]", self.unit)
        }
    }
}

impl Field {
    fn parse(literal: &Literal) -> Result<Self, NpyError> {
        let Literal::Tuple(parts) = literal else {
            return Err(NpyError::Header);
        };
        let (name, descr, shape) = match &parts[..] {
            [name, descr] => (name, descr, Vec::new()),
            [name, descr, Literal::Tuple(shape)] => {
                let shape = literal::lengths(shape).ok_or(NpyError::Header)?;
                (name, descr, shape)
            }
            _ => return Err(NpyError::Header),
        };
        let (name, title) = match name {
            Literal::Str(name) => (name, None),
            Literal::Tuple(names) => match &names[..] {
                [Literal::Str(title), Literal::Str(name)] => (name, Some(title.clone())),
                _ => return Err(NpyError::Header),
            },
            _ => return Err(NpyError::Header),
        };
        Ok(Self {
            name: name.clone(),
            title,
            descr: Descr::parse(descr)?,
            shape,
        })
    }

    /// A field of elements without a shape of their own.
    pub(super) fn plain(name: &str, descr: Descr) -> Self {
        Self {
            name: name.to_owned(),
            title: None,
            descr,
            shape: Vec::new(),
        }
    }

    /// Bytes of the field; `None` beyond what any memory has.
    pub(super) fn size(&self) -> Option<usize> {
        let size = self.descr.size()?;
        let count = super::count_elements(&self.shape, size)?;
        count.checked_mul(size)
    }

    /// Whether the field only keeps others apart.
    pub(super) fn is_padding(&self) -> bool {
        self.name.is_empty() && matches!(&self.descr, Descr::Plain(plain) if plain.code == 'V')
    }

    /// The name as it stands in a list of fields.
    fn name_literal(&self) -> String {
        let name = literal::repr(&self.name);
        match &self.title {
            Some(title) => format!("({}, {name})", literal::repr(title)),
            None => name,
        }
    }
}

/// `[('a', '<i4'), ('b', '<f8', (3,))]`
fn list(fields: &[Field], descr: impl Fn(&Descr) -> String) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|field| {
            let (name, descr) = (field.name_literal(), descr(&field.descr));
            if field.shape.is_empty() {
                format!("({name}, {descr})")
            } else {
                format!("({name}, {descr}, {})", literal::tuple(&field.shape))
            }
        })
        .collect();
    format!("[{}]", fields.join(", "))
}

/// How NumPy names a dtype some of whose bytes belong to no field.
fn offsets(fields: &[Field]) -> String {
    let mut parts: [Vec<String>; 3] = Default::default();
    let mut offset = 0;
    for field in fields {
        if !field.is_padding() {
            let [names, formats, offsets] = &mut parts;
            names.push(literal::repr(&field.name));
            formats.push(if field.shape.is_empty() {
                field.descr.short()
            } else {
                format!(
                    "({}, {})",
                    field.descr.short(),
                    literal::tuple(&field.shape)
                )
            });
            offsets.push(offset.to_string());
        }
        offset += field.size().unwrap_or_default();
    }
    let [names, formats, offsets] = parts.map(|part| part.join(", "));
    format!(
        "{{'names': [{names}], 'formats': [{formats}], 'offsets': [{offsets}], 'itemsize': {offset}}}"
    )
}
