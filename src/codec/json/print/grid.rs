//! Grids of values: object arrays, cells, structs; and structured arrays.

use std::fmt::Write;

use super::array::mismatch;
use super::{Printed, Printer, are_distinct};
use crate::codec::Value;
use crate::codec::json::order::Rows;
use crate::codec::json::{OBJECT, nesting};
use crate::codec::value::{Grid, Order, Record, Struct, count_elements};

impl Printer {
    pub(super) fn objects(&mut self, grid: &Grid) -> Printed {
        if grid.shape.is_empty() {
            write!(self.out, "{{\"$scalar\":\"{OBJECT}\",")?;
        } else {
            write!(self.out, "{{\"$array\":\"{OBJECT}\",\"shape\":")?;
            self.shape(&grid.shape)?;
            self.out.write_char(',')?;
        }
        self.grid(grid)?;
        Ok(self.out.write_char('}')?)
    }

    pub(super) fn cell(&mut self, grid: &Grid) -> Printed {
        self.out.write_str("{\"$cell\":")?;
        self.shape(&grid.shape)?;
        self.out.write_char(',')?;
        self.grid(grid)?;
        Ok(self.out.write_char('}')?)
    }

    fn grid(&mut self, grid: &Grid) -> Printed {
        let count = count_elements(&grid.shape, 1).filter(|&count| count == grid.elements.len());
        let rows = Rows::new(&grid.shape, Order::First, count.ok_or_else(mismatch)?);
        let dimensions = grid.shape.len();
        self.nested(nesting(dimensions), |printer| {
            printer.rows(rows, dimensions, |printer, at| {
                printer.value(&grid.elements[at])
            })
        })
    }

    pub(super) fn record(&mut self, record: &Record) -> Printed {
        self.out.write_str("{\"$record\":")?;
        self.separated(&record.fields, |printer, (name, array)| {
            printer.out.write_char('[')?;
            printer.out.quote(name)?;
            printer.out.write_char(',')?;
            printer.value(array)?;
            Ok(printer.out.write_char(']')?)
        })?;
        Ok(self.out.write_char('}')?)
    }

    pub(super) fn structs(&mut self, structs: &Struct) -> Printed {
        let Struct {
            shape,
            fields,
            elements,
        } = structs;
        let count = count_elements(shape, 1)
            .filter(|count| count.checked_mul(fields.len()) == Some(elements.len()))
            .ok_or_else(mismatch)?;
        let names: Vec<&str> = fields.iter().map(String::as_str).collect();
        let distinct = are_distinct(&names);
        let dimensions = shape.len();
        self.nested(nesting(dimensions), |printer| {
            if shape == &[1, 1] && distinct {
                printer.out.write_str("{\"$struct\":")?;
                printer.element(fields, elements, true)?;
                return Ok(printer.out.write_char('}')?);
            }
            printer.out.write_str("{\"$struct\":")?;
            printer.separated(fields, |printer, name| Ok(printer.out.quote(name)?))?;
            printer.out.write_str(",\"shape\":")?;
            printer.shape(shape)?;
            printer.out.write_char(',')?;
            // Elements without fields are as good as none.
            let count = if fields.is_empty() { 0 } else { count };
            let rows = Rows::new(shape, Order::First, count);
            printer.rows(rows, dimensions, |printer, at| {
                let values = &elements[at * fields.len()..][..fields.len()];
                printer.element(fields, values, distinct)
            })?;
            Ok(printer.out.write_char('}')?)
        })
    }

    /// An element of a struct: an object, or the values alone where a field's name comes twice.
    fn element(&mut self, fields: &[String], values: &[Value], distinct: bool) -> Printed {
        if !distinct {
            return self.separated(values, |printer, value| printer.value(value));
        }
        self.out.write_char('{')?;
        for (index, (name, value)) in fields.iter().zip(values).enumerate() {
            if index > 0 {
                self.out.write_char(',')?;
            }
            self.out.quote(name)?;
            self.out.write_char(':')?;
            self.value(value)?;
        }
        Ok(self.out.write_char('}')?)
    }
}
