//! A question of the proxy's own to the server, in the client's session: the client sees nothing
//! of it.

use std::io;

use bytes::Bytes;

use super::relay::Relay;
use crate::wire::command;
use crate::wire::reply;
use crate::wire::response::Seen;

/// An answer without rows is shorter.
const SHORT: u64 = 1 << 20;

/// What the server said at the end of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    /// How many warnings there are.
    pub warnings: u16,
}

/// Asks, and hands each row of the text protocol to `row`. `Ok(Err(packet))` is the server's ERR
/// packet. A row of more than `limit` bytes ends the session.
pub async fn ask(
    relay: &mut Relay,
    question: &[u8],
    limit: u64,
    mut row: impl FnMut(Bytes),
) -> io::Result<Result<End, Bytes>> {
    let command = [relay.query_head(), question].concat();
    relay.server.write_packet(0, &command).await?;
    relay.responses.sent(command::expect(command::QUERY));
    let mut done = Ok(End::default());
    loop {
        let in_rows = relay.responses.in_rows();
        let packet = relay.server.read_packet(limit).await?.payload;
        let seen = relay.responses.whole_packet(&packet);
        let is_error = packet.first() == Some(&reply::ERR) && !reply::is_progress(&packet);
        if is_error && seen == Seen::End {
            done = Err(packet);
        } else if in_rows && relay.responses.in_rows() && !reply::is_progress(&packet) {
            row(packet);
        } else if seen == Seen::End {
            let warnings = match in_rows && !relay.responses.shape().deprecate_eof {
                true => reply::eof_warnings(&packet),
                false => reply::ok_warnings(&packet),
            };
            done = Ok(End {
                warnings: warnings.unwrap_or_default(),
            });
        }
        if seen == Seen::End {
            break;
        }
    }
    relay.server.resume();
    Ok(done)
}

/// Sends a statement of the proxy's own that has no rows, such as `COMMIT`.
pub async fn run(relay: &mut Relay, statement: &str) -> io::Result<Result<End, Bytes>> {
    ask(relay, statement.as_bytes(), SHORT, |_| {}).await
}
