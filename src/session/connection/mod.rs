//! The two connections of a session: the client's and the database's, from the login on.
//!
//! [`stream`]: what carries bytes (TCP, a unix socket, [`tls`], [`compressed`] ones). [`link`]: a
//! stream with its packets. [`login`]: how both come about.

pub mod buffers;
pub mod compressed;
pub mod link;
pub mod login;
pub mod sequel;
pub mod stream;
pub mod tls;
