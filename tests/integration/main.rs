//! The integration tests: the real binary in front of a real MariaDB.
//!
//! One test binary, so that it is linked once; one module per subject. `support` has what they
//! stand on. Every test makes a [`support::lab::Lab`]: a database of its own on a server that
//! all tests share, a store folder and a proxy process.

mod admin;
mod alter;
mod attributes;
mod both_ways;
mod catalog;
mod charsets;
mod codecs;
mod command_line;
mod compression;
mod connections;
mod datajoint;
mod declare;
mod describe;
mod dump;
mod faults;
mod fidelity;
mod handler;
mod information;
mod literals;
mod login;
mod metrics;
mod modes;
mod mysql;
mod own_codecs;
mod packages;
mod prepared;
mod python;
mod reads;
mod refusals;
mod roundtrip;
mod s3;
mod secrecy;
mod several;
mod shapes;
mod show_create;
mod sizes;
mod stores;
mod support;
mod views;
mod writes;
