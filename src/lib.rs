//! codec-proxy: a MySQL/MariaDB wire-protocol proxy that implements the DataJoint Codec API
//! at the storage layer.
//!
//! The rooms, from the bottom up; each knows only those before it in this list:
//! [`metrics`] (what is counted), [`refusal`] (what a client may be told), [`wire`] (the MySQL
//! protocol without sockets), [`sql`] (the syntax of statements), [`codec`] (types, chains and
//! formats), [`store`] (objects), [`catalog`] (which columns carry a codec), [`view`] (what a
//! client sees of them), [`python`] (codecs of Python packages, in processes of their own),
//! [`config`] (what the operator decides), [`listing`] (what people are told of codecs and
//! columns), [`plan`] (what becomes of a
//! statement), [`session`] (one client and its backend connection), [`admin`] (how a person looks
//! inside), [`server`] (listeners, threads, shutdown), [`sandbox`] (a complete one to try),
//! [`cli`]. [`telemetry`] (logs) stands beside them.

pub mod admin;
pub mod catalog;
pub mod cli;
pub mod codec;
pub mod config;
pub mod listing;
pub mod metrics;
pub mod plan;
pub mod python;
pub mod refusal;
pub mod sandbox;
pub mod server;
pub mod session;
pub mod sql;
pub mod store;
pub mod telemetry;
pub mod view;
pub mod wire;
