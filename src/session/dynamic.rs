//! `EXECUTE IMMEDIATE @text` and `PREPARE … FROM @text`: what runs is not in what the client sends.
//!
//! 1. The server is asked for the text, in the same session. It is text of UTF-8, whatever the
//!    client's character set.
//! 2. The text is planned as if the client had sent it. If it would have to be translated: refused.
//! 3. The client's statement is sent as it is; its result is judged by its metadata.

use std::io;

use bytes::Bytes;

use super::relay::Relay;
use crate::refusal::Refusal;
use crate::wire::command;
use crate::wire::reply;
use crate::wire::response::Seen;
use crate::wire::row;

/// Asks the server for the value of an expression; `Ok(Err(packet))` is an ERR packet for the
/// client. `limit` is the longest answer, in bytes.
pub async fn ask(
    relay: &mut Relay,
    expression: &[u8],
    limit: u64,
) -> io::Result<Result<Bytes, Vec<u8>>> {
    // Binary, so that it is not converted to `character_set_results`.
    let question = [
        relay.query_head(),
        b"SELECT CAST(CONVERT((",
        expression,
        b") USING utf8mb4) AS BINARY)",
    ];
    relay.server.write_packet(0, &question.concat()).await?;
    relay.responses.sent(command::expect(command::QUERY));
    let mut text = None;
    let mut error = None;
    loop {
        let in_rows = relay.responses.in_rows();
        let packet = relay.server.read_packet(limit).await?;
        let seen = relay.responses.whole_packet(&packet.payload);
        if packet.payload.first() == Some(&reply::ERR) && seen == Seen::End {
            error = Some(packet.payload.to_vec());
        } else if in_rows && relay.responses.in_rows() {
            let cell = row::cells(&packet.payload).next().flatten();
            let value = cell.and_then(|cell| cell.value);
            text = value.map(|range| packet.payload.slice(range));
        }
        if seen == Seen::End {
            break;
        }
    }
    relay.server.resume();
    let unknown = || {
        reply::err(&Refusal::unsupported(
            "this statement",
            "the server does not say which text it runs",
            "send the statement itself",
        ))
    };
    Ok(match error {
        Some(packet) => Err(packet),
        None => text.ok_or_else(unknown),
    })
}
