//! `SHOW CONFIG`: the configuration as it holds.

use crate::admin::House;
use crate::admin::table::{Column, Table, text};

const CONFIG: &[Column] = &[text("Key"), text("Value")];

/// Every key with its value; secrets are hidden.
pub(in crate::admin) fn config(house: &House) -> Table {
    let mut table = Table::new(CONFIG);
    for (key, value) in house.config.load().shown() {
        table.row([key, value]);
    }
    table
}
