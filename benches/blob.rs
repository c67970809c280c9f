//! The packer of `make bench`: values through [`codec_proxy::codec::blob`].
//!
//! It reads what `datajoint_blob.py` has packed into a folder, says `ready`, and obeys the
//! orders of [`Values::run`]. Each is answered with the seconds that it took and, where it packs,
//! the MD5 of what it made. (In the `bytes` view packed values pass through as they are; those
//! that are read or written as JSON, and arrays of `<npy@>`, go this way.)

use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use codec_proxy::codec::value::{Data, Packed};
use codec_proxy::codec::{Value, ValueLimits, blob};
use md5::{Digest, Md5};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let folder = std::env::args().nth(1).ok_or("usage: blob FOLDER")?;
    let values = Values::load(folder.as_ref())?;
    answer("ready")?;
    for order in io::stdin().lock().lines() {
        values.obey(order?.trim())?;
    }
    Ok(())
}

/// The same values packed and unpacked.
struct Values {
    limits: ValueLimits,
    each: Vec<Value>,
    packed_each: Vec<Packed>,
    list: Value,
    packed_list: Packed,
    array: Value,
    packed_array: Packed,
}

impl Values {
    fn load(folder: &Path) -> Outcome<Self> {
        let limits = ValueLimits::default();
        let read = |name: &str| -> Outcome<Packed> {
            let bytes = Bytes::from(std::fs::read(folder.join(name))?);
            Packed::new(bytes).ok_or_else(|| format!("{name} is not packed").into())
        };
        let (packed_list, packed_array) = (read("dicts")?, read("array")?);
        let list = blob::unpack(&packed_list, &limits)?;
        let array = blob::unpack(&packed_array, &limits)?;
        let Value::List(each) = list.clone() else {
            return Err("dicts holds no list".into());
        };
        let packed_each = each.iter().map(|value| blob::pack(value, &limits));
        Ok(Self {
            packed_each: packed_each.collect::<Result<_, _>>()?,
            limits,
            each,
            list,
            packed_list,
            array,
            packed_array,
        })
    }

    fn obey(&self, order: &str) -> Outcome<()> {
        let begin = Instant::now();
        let made = self.run(order)?;
        let seconds = begin.elapsed().as_secs_f64();
        let mut md5 = Md5::new();
        made.iter().for_each(|packed| md5.update(packed.bytes()));
        match order.starts_with("pack ") {
            true => {
                let md5 = data_encoding::HEXLOWER.encode(&md5.finalize());
                answer(&format!("{{\"seconds\": {seconds}, \"md5\": \"{md5}\"}}"))
            }
            false => answer(&format!("{{\"seconds\": {seconds}}}")),
        }
    }

    /// What was made, to be looked at and dropped when the time has been taken.
    fn run(&self, order: &str) -> Outcome<Vec<Packed>> {
        let limits = &self.limits;
        match order {
            "pack each" => {
                let packed = self.each.iter().map(|value| blob::pack(value, limits));
                return Ok(packed.collect::<Result<_, _>>()?);
            }
            "unpack each" => {
                for packed in &self.packed_each {
                    black_box(blob::unpack(packed, limits)?);
                }
            }
            "pack list" => return Ok(vec![blob::pack_raw(&self.list, limits)?]),
            "unpack list" => {
                black_box(blob::unpack(&self.packed_list, limits)?);
            }
            "pack array" => {
                let packed = blob::pack_raw(&self.array, limits)?;
                black_box(Md5::digest(packed.bytes()));
                return Ok(vec![packed]);
            }
            "unpack array" => {
                black_box(Md5::digest(self.packed_array.bytes()));
                let array = blob::unpack(&self.packed_array, limits)?;
                black_box(sum(&array)?);
            }
            "copy array" => {
                let copy = self.packed_array.bytes().to_vec();
                black_box(Md5::digest(&copy));
                // So that giving the memory back does not count, as with what is packed.
                return Ok(Packed::new(copy.into()).into_iter().collect());
            }
            other => return Err(format!("unknown order {other}").into()),
        }
        Ok(Vec::new())
    }
}

/// Touches every element.
fn sum(array: &Value) -> Outcome<f64> {
    match array {
        Value::Array(array) => match &array.data {
            Data::Plain(bytes) => {
                let (elements, _) = bytes.as_chunks::<8>();
                Ok(elements.iter().map(|e| f64::from_le_bytes(*e)).sum())
            }
            Data::Planes(..) => Err("not float64".into()),
        },
        other => Err(format!("{} is no array", other.type_name()).into()),
    }
}

fn answer(line: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
