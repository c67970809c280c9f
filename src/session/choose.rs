//! `SET @codec_… = …`: a session chooses how it sees codec columns.
//!
//! 1. The statement goes to the server, which keeps the variables as any others.
//! 2. Its answer is relayed. If it is an OK, the choice holds for all that the client sends
//!    afterwards; otherwise nothing has changed.
//! 3. Statements on codec tables that were prepared in another view are closed; those that were
//!    prepared under a name are refused from now on.
//!
//! `COM_RESET_CONNECTION` and `COM_CHANGE_USER`, with which the server forgets the variables,
//! bring the listener's view back.

use std::io;

use super::prepare;
use super::relay::{Relay, Statement};
use crate::session::connection::link::Outgoing;
use crate::view::Setting;
use crate::wire::command;
use crate::wire::reply;
use crate::wire::response::Seen;

/// The answer is an OK or an ERR packet.
const PACKET: u64 = 16 << 20;

/// Sends the statement and relays its answer; the choices hold if the server has taken it.
pub async fn run(relay: &mut Relay, statement: &Statement, settings: &[Setting]) -> io::Result<()> {
    relay.forward(statement);
    relay.server.flush_unsent().await?;
    let before = relay.choice.view;
    if respond(relay, statement.seq).await? {
        for setting in settings {
            relay.choice.set(setting);
        }
        relay.entry.sees(relay.choice.view);
        prepare::close_others(relay, before).await?;
    }
    Ok(())
}

/// Runs `COM_RESET_CONNECTION`.
pub async fn reset(relay: &mut Relay, seq: u8, payload: &[u8]) -> io::Result<()> {
    relay.server.write_packet(0, payload).await?;
    relay
        .responses
        .sent(command::expect(command::RESET_CONNECTION));
    if respond(relay, seq).await? {
        relay.begin_anew();
    }
    Ok(())
}

/// Relays an answer; whether it was an OK.
async fn respond(relay: &mut Relay, seq: u8) -> io::Result<bool> {
    let Relay {
        client,
        server,
        responses,
        ..
    } = relay;
    let mut out = Outgoing::new(client, seq.wrapping_add(1));
    let mut done = true;
    loop {
        let packet = server.read_packet(PACKET).await?;
        done &= packet.payload.first() == Some(&reply::OK);
        out.packet(&packet.payload).await?;
        if responses.whole_packet(&packet.payload) == Seen::End {
            break;
        }
    }
    out.flush().await?;
    relay.seq_shift = 0;
    relay.server.resume();
    Ok(done)
}
