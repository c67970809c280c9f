//! `<csv@store>`: a codec with files of its own, named by their place in the database.
//!
//! - **Stores** `np.savetxt(file, table, delimiter=",", fmt="%r")`, and the table's shape.
//! - **Takes** and gives an array of `float64` with two dimensions.

use bytes::Bytes;
use codec_proxy::codec::metadata::{count, float_repr};
use codec_proxy::codec::value::{Array, Data, Element, Numbers, Order};
use codec_proxy::codec::{CodecError, File, FileFormat, SchemaCodec, Value, ValueLimits};

struct Csv;

codec_proxy::register_codec!(SchemaCodec(Csv));

impl FileFormat for Csv {
    fn name(&self) -> &str {
        "csv"
    }

    fn extension(&self) -> &str {
        ".csv"
    }

    fn write(&self, value: Value, _limits: &ValueLimits) -> Result<File, CodecError> {
        let (shape, numbers) = match &value {
            Value::Array(array) if array.shape.len() == 2 => {
                (&array.shape, array.in_order(Order::Last).numbers())
            }
            other => {
                let text = format!("Expected a table of numbers, got {}", other.type_name());
                return Err(CodecError::Type(text));
            }
        };
        let Some(Numbers::Float64(numbers)) = numbers else {
            return Err(CodecError::Type("Expected a table of float64".to_owned()));
        };
        let columns = shape[1].max(1) as usize;
        let rows = numbers.chunks(columns).map(|row| {
            let cells: Vec<_> = row.iter().map(|number| float_repr(*number)).collect();
            cells.join(",") + "\n"
        });
        Ok(File {
            content: rows.collect::<String>().into(),
            metadata: vec![(
                "shape",
                Value::List(shape.iter().map(|n| count(*n)).collect()),
            )],
        })
    }

    fn read(
        &self,
        content: Bytes,
        _metadata: &Value,
        limits: &ValueLimits,
    ) -> Result<Value, CodecError> {
        let corrupt = || CodecError::Corrupt("the file is no table of numbers".to_owned());
        // A cell of two bytes becomes a number of eight.
        if content.len() as u64 > limits.bytes / 4 {
            let text = "the table has more than limits.value_bytes";
            return Err(CodecError::Limit(text.to_owned()));
        }
        let text = str::from_utf8(&content).map_err(|_| corrupt())?;
        let mut bytes = Vec::new();
        let (mut rows, mut columns) = (0, None);
        for line in text.lines() {
            let before = bytes.len();
            for cell in line.split(',') {
                let number: f64 = cell.parse().map_err(|_| corrupt())?;
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            let width = (bytes.len() - before) / 8;
            if *columns.get_or_insert(width) != width {
                return Err(corrupt());
            }
            rows += 1;
        }
        let shape = vec![rows, columns.unwrap_or(0) as u64];
        let array = Array::new(
            Element::Float64,
            shape,
            Order::Last,
            Data::Plain(bytes.into()),
        );
        let array = array.map_err(|_| corrupt())?;
        Ok(Value::Array(array.in_order(Order::First)))
    }
}
