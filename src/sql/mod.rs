//! The syntax of MySQL statements, over bytes and without a catalog.
//!
//! A client's statement is not text in one encoding: a blob is written into it as raw bytes.
//! So nothing here asks for UTF-8, nothing copies a value, and nothing fails on odd input:
//! what a walker does not understand it leaves alone.

pub mod alter_table;
pub mod create_table;
mod cursor;
pub mod edit;
pub mod fields;
pub mod insert;
pub mod letters;
pub mod lexer;
pub mod literal;
pub mod load_data;
pub mod name;
pub mod show;
pub mod skeleton;
pub mod statement;
pub mod update;

#[cfg(test)]
mod tests;
