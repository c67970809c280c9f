//! What the tests stand on: the database, the proxy in front of it, and clients of both.

pub mod answer;
pub mod client;
pub mod doors;
pub mod keeper;
pub mod lab;
pub mod mysql;
pub mod objects;
pub mod proxy;
pub mod python;
pub mod recorder;
pub mod seaweed;
pub mod server;
pub mod wire;
