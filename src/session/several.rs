//! Several statements in one text, of which some touch codec columns.
//!
//! 1. All of them have been planned ([`crate::plan::examine`]) as far as that can be done
//!    beforehand: if one is refused, none runs.
//! 2. Each goes its own way, as if it had come alone: cut off the text, planned again with what the
//!    ones before it have changed (the database, the SQL mode, the character set, a table), and
//!    run by its handler. Its answer says that more follow, but for the last ([`Sequel`]).
//! 3. The first that fails ends it, as on the server. What the ones before it did stays done.

use std::io;

use bytes::{BufMut, BytesMut};

use super::relay::Statement;
use super::{Session, context};
use crate::session::connection::sequel::Sequel;
use crate::session::connection::stream::Stream;
use crate::sql::statement;
use crate::wire::command;

impl Session<'_> {
    /// Runs the statements of a text one by one.
    pub(super) async fn several(&mut self, whole: Statement) -> io::Result<()> {
        let link = &mut self.relay.client;
        let stream = std::mem::replace(&mut link.stream, Stream::Taken);
        let layer = Sequel::new(stream, &self.relay.responses, whole.seq);
        self.relay.client.stream = Stream::Sequel(Box::new(layer));
        self.one_by_one(&whole).await?;
        let link = &mut self.relay.client;
        if let Stream::Sequel(layer) = std::mem::replace(&mut link.stream, Stream::Taken) {
            link.stream = layer.into_stream();
        }
        Ok(())
    }

    async fn one_by_one(&mut self, whole: &Statement) -> io::Result<()> {
        let mut rest = whole.payload.slice(1..);
        loop {
            self.relay.note_changes();
            if !self.relay.context_valid {
                match context::ask(&mut self.relay).await? {
                    Ok(context) => self.context = context,
                    Err(packet) => return self.answer(self.seq(whole), &packet).await,
                }
            }
            let dialect = self.planned(|context| context.dialect);
            let (end, next) = statement::cut(&rest, dialect);
            let seq = self.seq(whole);
            if let Stream::Sequel(layer) = &mut self.relay.client.stream {
                layer.begin(next.is_some());
            }
            let mut payload = BytesMut::with_capacity(1 + end);
            payload.put_u8(command::QUERY);
            payload.extend_from_slice(&rest[..end]);
            let one = Statement {
                command: command::QUERY,
                payload: payload.freeze(),
                seq,
                packet: None,
                attributes: whole.attributes.clone(),
            };
            Box::pin(self.statement(one)).await?;
            self.settle().await?;
            self.relay.seq_shift = 0;
            match (next, &self.relay.client.stream) {
                (Some(next), Stream::Sequel(layer)) if !layer.failed() => {
                    rest = rest.slice(next..);
                }
                _ => return Ok(()),
            }
        }
    }

    /// The number of the packet that the client has last seen.
    fn seq(&self, whole: &Statement) -> u8 {
        match &self.relay.client.stream {
            Stream::Sequel(layer) => layer.seq(),
            _ => whole.seq,
        }
    }
}
