//! Passing packets through: the state of a session in which nothing is changed.
//!
//! 1. Bytes of the server are cut at packet boundaries, shown to [`Responses`] (so that the end
//!    of each response is known) and written to the client as they came.
//! 2. Bytes of the client are cut into commands. A command that no codec can concern goes to
//!    the server as it came. A statement is looked at whole ([`plan::glance`]); one that needs a
//!    closer look ends the relay with [`Event::Statement`], and what the client sent after it
//!    waits in its link.
//! 3. A result that shows a codec column although no statement handler expected it ([`guard`])
//!    ends the relay with [`Event::Leak`], before the pointer reaches the client.
//!
//! A peer that does not read stops its own session only: nothing is read from one side while
//! bytes wait to be written to the other. An error of either connection ends the session.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::context;
use super::prepare::{self, Prepared};
use super::roster::{Entry, State};
use super::verb::Verb;
use crate::catalog::Catalog;
use crate::metrics::metrics;
use crate::plan::{self, Glance, Standing};
use crate::refusal::Refusal;
use crate::session::connection::buffers;
use crate::session::connection::link::Link;
use crate::session::read::guard::{self, Guard};
use crate::view::{Choice, View};
use crate::wire::attributes;
use crate::wire::command;
use crate::wire::packet::{self, HEADER, MAX_CHUNK};
use crate::wire::reply;
use crate::wire::response::{Responses, Seen};

/// The longest column definition that is looked at; names and aliases keep real ones far below.
const COLUMN: usize = 16 << 10;
/// Bytes that are read from a client at a time: what begins a longer statement is copied once.
const CLIENT_READ: usize = 64 << 10;
/// Reads in a row before other sessions of the thread have their turn.
const TURNS: usize = 16;

/// Why the relay stopped.
#[derive(Debug)]
pub enum Event {
    /// A statement to look into; nothing of it was sent.
    Statement(Statement),
    /// Another command that a handler takes; `payload` begins with the command byte.
    Command { seq: u8, payload: Bytes },
    /// A command on a prepared statement that something is known of; its packets are next in the
    /// client's link.
    Prepared,
    /// An unexpected result shows a codec column; its definition, or the row with the pointer, is
    /// next in the server's link.
    Leak { seq: u8, column: String },
    /// One of the two is gone, or the session was told to end and is between statements.
    Closed,
}

/// A text command of the client.
#[derive(Debug)]
pub struct Statement {
    /// `COM_QUERY` or `COM_STMT_PREPARE`.
    pub command: u8,
    /// The whole payload, command byte first.
    pub payload: Bytes,
    /// Sequence number of its last chunk.
    pub seq: u8,
    /// The same with its packet header in front, where it was collected that way.
    pub packet: Option<Bytes>,
    /// MySQL's query attributes, which stand between the command byte and the text, and are not in
    /// `payload`; empty where they are not in use.
    pub attributes: Bytes,
}

/// Both legs of a session and what is under way on them.
#[derive(Debug)]
pub struct Relay {
    /// Towards the client.
    pub client: Link,
    /// Towards the database.
    pub server: Link,
    /// Responses under way.
    pub responses: Responses,
    /// False once a command may have changed what [`super::context`] remembers.
    pub context_valid: bool,
    /// The status flags that were there when it was asked for.
    pub context_status: u16,
    /// False once a command may have changed the current database.
    pub schema_known: bool,
    /// Added to the sequence numbers of the response under way, where the proxy sent the
    /// command in another number of packets than the client.
    pub seq_shift: u8,
    /// The prepared statements that something is known of.
    pub prepared: Prepared,
    /// What stands open in the session under a name.
    pub standing: Standing,
    /// What the session has chosen to see.
    pub choice: Choice,
    guard: Guard,
    /// The client's packets are the contents of a local file.
    infile: bool,
    collecting: Option<Collecting>,
    /// The view that its listener gives.
    listener: View,
    /// The client may send several statements at once.
    pub multi_statements: bool,
    /// What others see of the session.
    pub entry: Arc<Entry>,
    /// The database that the statement under way chooses, if it is not refused.
    chosen: Option<String>,
    /// The longest statement, in bytes.
    pub limit: u64,
}

/// A statement that does not fit into a read buffer. The header of its first packet is kept in
/// front, so that a statement of one packet is sent on as it lies in memory.
#[derive(Debug)]
struct Collecting {
    wire: BytesMut,
    /// Bytes of the current chunk that are still to come.
    left: usize,
    /// The current chunk is continued by another.
    full: bool,
    /// The statement takes more than one packet.
    long: bool,
    seq: u8,
    /// What has arrived of the next chunk's header.
    header: BytesMut,
}

/// Unwraps `Poll::Ready`, returns `Ok(Poll::Pending)`.
macro_rules! ready_ok {
    ($poll:expr) => {
        match $poll {
            Poll::Ready(value) => value,
            Poll::Pending => return Ok(Poll::Pending),
        }
    };
}

impl Relay {
    /// `limit` is the longest statement, in bytes.
    pub fn new(
        client: Link,
        server: Link,
        responses: Responses,
        view: View,
        multi_statements: bool,
        entry: Arc<Entry>,
        limit: u64,
    ) -> Self {
        Self {
            client,
            server,
            responses,
            context_valid: false,
            context_status: 0,
            schema_known: true,
            seq_shift: 0,
            prepared: Prepared::default(),
            standing: Standing::default(),
            guard: Guard::default(),
            infile: false,
            collecting: None,
            choice: Choice::new(view),
            listener: view,
            multi_statements,
            entry,
            chosen: None,
            limit,
        }
    }

    /// The client is sent an error of codec-proxy's own.
    pub fn tell_refused(&self, refusal: &Refusal) {
        metrics().refused(self.entry.id, refusal.code, &refusal.message);
    }

    /// The server has forgotten what the session had set.
    pub fn begin_anew(&mut self) {
        self.choice = Choice::new(self.listener);
        self.entry.sees(self.listener);
        self.prepared = Prepared::default();
        self.standing = Standing::default();
        self.context_valid = false;
    }

    /// Takes note of what the answers since the last time have said: what a stored program has
    /// changed shows nowhere else.
    pub fn note_changes(&mut self) {
        const MODE: u16 = reply::ANSI_QUOTES | reply::NO_BACKSLASH_ESCAPES;
        if self.responses.take_changed() {
            self.context_valid = false;
            self.schema_known = false;
        }
        self.context_valid &= (self.responses.status() ^ self.context_status) & MODE == 0;
    }

    /// Relays until something needs the session's attention. `ending` says that the session is
    /// to end as soon as no statement runs; it is asked again whenever the task is woken.
    pub async fn run(
        &mut self,
        catalog: &Catalog,
        mut ending: impl FnMut(&mut Context<'_>) -> bool,
    ) -> io::Result<Event> {
        poll_fn(|cx| {
            let down = self.poll_down(cx, catalog)?;
            if let Poll::Ready(event) = down {
                return Poll::Ready(Ok(event));
            }
            let up = self.poll_up(cx, catalog)?;
            if let Poll::Ready(event) = up {
                return Poll::Ready(Ok(event));
            }
            if self.responses.idle() {
                self.entry.rests();
            }
            if ending(cx) && self.between_statements() {
                return Poll::Ready(Ok(Event::Closed));
            }
            Poll::Pending
        })
        .await
    }

    /// Relays the server's side alone until every response under way has reached the client.
    pub async fn settle(&mut self, catalog: &Catalog) -> io::Result<Option<Event>> {
        poll_fn(|cx| {
            ready!(self.server.poll_unsent(cx))?;
            loop {
                if self.responses.idle() {
                    ready!(self.client.poll_unsent(cx))?;
                    return Poll::Ready(Ok(None));
                }
                if let Poll::Ready(event) = self.poll_down(cx, catalog)? {
                    return Poll::Ready(Ok(Some(event)));
                }
                if !self.responses.idle() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Queues a text command for the server, laid out as the client's packets were.
    pub fn forward(&mut self, statement: &Statement) {
        self.note_keyword(&statement.payload[1..], true);
        self.entry.is_sent();
        let head = [&statement.payload[..1], &statement.attributes].concat();
        let len = statement.payload.len() + statement.attributes.len();
        if let Some(packet) = &statement.packet {
            self.server.queue(packet.clone());
        } else if len < buffers::SIZE {
            let mut wire = Vec::with_capacity(HEADER + len);
            wire.extend_from_slice(&packet::header(len, 0));
            wire.extend_from_slice(&head);
            wire.extend_from_slice(&statement.payload[1..]);
            self.server.queue(wire.into());
        } else {
            let mut rest = [Bytes::from(head), statement.payload.slice(1..)];
            for (seq, len) in chunks(len) {
                self.server
                    .queue(Bytes::copy_from_slice(&packet::header(len, seq)));
                let first = rest[0].split_to(len.min(rest[0].len()));
                let second = rest[1].split_to(len - first.len());
                self.server.queue(first);
                self.server.queue(second);
            }
        }
        // Not 0 where the client's packet was another: see `several`.
        let sent = packet::chunks(len as u64) as u8;
        self.seq_shift = statement.seq.wrapping_add(1).wrapping_sub(sent);
        self.responses.sent(command::expect(statement.command));
    }

    fn between_statements(&self) -> bool {
        self.responses.idle()
            && !self.infile
            && self.collecting.is_none()
            && self.client.cutter.at_boundary()
    }

    /// Server to client.
    fn poll_down(&mut self, cx: &mut Context<'_>, catalog: &Catalog) -> io::Result<Poll<Event>> {
        for _ in 0..TURNS {
            if self.client.poll_unsent(cx)?.is_pending() {
                return Ok(Poll::Pending);
            }
            let Some((mut buffer, end)) = ready_ok!(read(cx, &mut self.server, buffers::SIZE)?)
            else {
                return Ok(Poll::Ready(Event::Closed));
            };
            let (used, event) = self.follow(&mut buffer[..end], catalog);
            self.server.put_back(&buffer[used..end]);
            self.client.send_pooled(cx, buffer, used)?;
            if let Some(event) = event {
                self.server.replay = true;
                return Ok(Poll::Ready(event));
            }
        }
        cx.waker().wake_by_ref();
        Ok(Poll::Pending)
    }

    /// Takes note of the packets in `buf`; gives how many bytes may go to the client.
    fn follow(&mut self, buf: &mut [u8], catalog: &Catalog) -> (usize, Option<Event>) {
        let view = self.choice.view;
        let guarded = view != View::Stored;
        let mut at = 0;
        let mut index = None;
        loop {
            let in_rows = self.responses.in_rows();
            let searched = guarded && in_rows && self.guard.searches_rows(&self.responses);
            if in_rows && !searched && self.seq_shift == 0 && self.server.cutter.at_boundary() {
                at = packet::skip_while(buf, at, |first| first < reply::EOF);
            }
            let definition = guarded && self.responses.at_column();
            let need = |len: usize| match () {
                () if definition => len.min(COLUMN),
                () if searched => len.min(guard::ROW),
                () => reply::PREFIX,
            };
            let Some(head) = self.server.cutter.next(buf, &mut at, need) else {
                return (at, None);
            };
            buf[head.start + 3] = buf[head.start + 3].wrapping_add(self.seq_shift);
            let payload = &buf[head.start + HEADER..head.start + HEADER + head.have];
            let leak = match () {
                () if head.continued => None,
                () if definition => {
                    let index = index.get_or_insert_with(|| catalog.index());
                    self.guard.definition(index, view, payload, &self.responses)
                }
                () if searched && guard::shows_pointer(payload) => Some("this result".to_owned()),
                () => None,
            };
            if let (Some(column), false) = (leak, self.responses.in_fields()) {
                // Not relayed any further: the handler reads from here, whole packets.
                self.server.cutter = packet::Cutter::default();
                let seq = buf[head.start + 3];
                return (head.start, Some(Event::Leak { seq, column }));
            }
            match self.responses.packet(head.len, payload) {
                Seen::More => {}
                Seen::Infile => self.infile = true,
                Seen::End => {
                    self.seq_shift = 0;
                    if let Some(schema) = self.chosen.take()
                        && payload.first() == Some(&reply::OK)
                    {
                        self.entry.uses(Some(&schema));
                    }
                }
            }
            if self.responses.at_first() {
                self.guard.begin(self.responses.shape().cache_metadata);
            }
        }
    }

    /// Client to server.
    fn poll_up(&mut self, cx: &mut Context<'_>, catalog: &Catalog) -> io::Result<Poll<Event>> {
        for _ in 0..TURNS {
            if self.server.poll_unsent(cx)?.is_pending() {
                return Ok(Poll::Pending);
            }
            if self.collecting.is_some() {
                let Some(statement) = ready_ok!(self.collect(cx)?) else {
                    return Ok(Poll::Ready(Event::Closed));
                };
                let text = &statement.payload[1..];
                if self.glance(statement.command, text, catalog) == Glance::Examine {
                    return Ok(Poll::Ready(Event::Statement(statement)));
                }
                self.entry.begins(Verb::Other, State::Running);
                self.forward(&statement);
                continue;
            }
            let Some((buffer, end)) = ready_ok!(read(cx, &mut self.client, CLIENT_READ)?) else {
                return Ok(Poll::Ready(Event::Closed));
            };
            let (used, sent, event) = self.commands(&buffer[..end], catalog)?;
            self.client.put_back(&buffer[used..end]);
            self.server.send_pooled(cx, buffer, sent)?;
            if let Some(event) = event {
                self.client.replay = true;
                return Ok(Poll::Ready(event));
            }
        }
        cx.waker().wake_by_ref();
        Ok(Poll::Pending)
    }

    /// Looks at the commands in `buf`; gives how many bytes are used up, how many of them go to
    /// the server as they are, and what needs the session's attention.
    fn commands(
        &mut self,
        buf: &[u8],
        catalog: &Catalog,
    ) -> io::Result<(usize, usize, Option<Event>)> {
        let mut at = 0;
        loop {
            self.client.cutter.pass(buf, &mut at);
            let fresh = self.client.cutter.at_boundary() && !self.infile;
            let whole = fresh && self.is_looked_into(&buf[at..], catalog);
            let begin = at;
            let need = |len: usize| match () {
                () if whole => len,
                () if self.prepared.any() => prepare::HEAD,
                () => 1,
            };
            let Some(head) = self.client.cutter.next(buf, &mut at, need) else {
                if whole && self.collect_from(&buf[begin..]) {
                    return Ok((buf.len(), begin, None));
                }
                return Ok((at, at, None));
            };
            if self.infile {
                self.infile = head.len != 0 || head.continued;
                continue;
            }
            if head.continued {
                continue;
            }
            let payload = &buf[head.start + HEADER..head.start + HEADER + head.have];
            let Some(&command) = payload.first() else {
                continue;
            };
            if whole {
                let seq = buf[head.start + 3];
                let event = match command {
                    command::QUERY | command::STMT_PREPARE => {
                        let text = self.text_at(payload)?;
                        let examined =
                            self.glance(command, &payload[text..], catalog) == Glance::Examine;
                        examined.then(|| {
                            Event::Statement(Statement {
                                command,
                                payload: [&[command], &payload[text..]].concat().into(),
                                seq,
                                packet: None,
                                attributes: Bytes::copy_from_slice(&payload[1..text]),
                            })
                        })
                    }
                    command::SET_OPTION => None,
                    _ => Some(Event::Command {
                        seq,
                        payload: Bytes::copy_from_slice(payload),
                    }),
                };
                if event.is_some() {
                    return Ok((at, head.start, event));
                }
            }
            if command::is_on_statement(command) && self.prepared.any() {
                if self.prepared.takes(payload) {
                    self.client.cutter = packet::Cutter::default();
                    return Ok((head.start, head.start, Some(Event::Prepared)));
                }
                if command == command::STMT_CLOSE {
                    self.prepared.closed(payload);
                }
            }
            if !matches!(command::expect(command), command::Expect::Nothing) {
                self.entry.begins(Verb::Other, State::Running);
            }
            if command == command::QUERY {
                // Of a long command only the beginning is here, perhaps not the text.
                let text = self.text_at(payload).map_or(payload.len(), |at| at);
                self.note_keyword(&payload[text..], head.have == head.len && !head.continues);
            } else if matches!(
                command,
                command::INIT_DB | command::STMT_EXECUTE | command::STMT_BULK_EXECUTE
            ) {
                self.context_valid = false;
                self.schema_known &= command != command::INIT_DB;
                match command {
                    command::INIT_DB => self.note_database(&payload[1..]),
                    _ => self.entry.is(Verb::Prepared),
                }
            } else if command == command::STMT_PREPARE {
                self.entry.is(Verb::Prepare);
                self.prepared.other();
            } else if command == command::SET_OPTION {
                // It switches multi-statements on (0) or off (1), which no server refuses.
                self.multi_statements = payload.get(1) != Some(&1);
            }
            self.responses.sent(command::expect(command));
        }
    }

    /// Whether the command that begins `packet` is looked at whole, or taken by a handler.
    ///
    /// Where no statement can concern a codec but DDL and `SHOW`, which are short, long ones
    /// are not held up.
    fn is_looked_into(&self, packet: &[u8], catalog: &Catalog) -> bool {
        let (Some((len, _)), Some(command)) = (packet::read_header(packet), packet.get(HEADER))
        else {
            return false;
        };
        match *command {
            command::QUERY | command::STMT_PREPARE => {
                HEADER + len <= buffers::SIZE
                    || self.choice.view != View::Stored && !catalog.index().is_empty()
            }
            command::CHANGE_USER | command::RESET_CONNECTION | command::SET_OPTION => true,
            command::FIELD_LIST => self.choice.view != View::Stored,
            _ => false,
        }
    }

    /// Where the text of a command begins.
    fn text_at(&self, payload: &[u8]) -> io::Result<usize> {
        if !self.responses.shape().query_attributes || payload[0] != command::QUERY {
            return Ok(1);
        }
        let attributes = attributes::len(&payload[1..]).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "query attributes that cannot be read",
            )
        })?;
        Ok(1 + attributes)
    }

    /// What a `COM_QUERY` of the proxy's own begins with.
    pub fn query_head(&self) -> &'static [u8] {
        const WITH: [u8; 3] = [command::QUERY, attributes::NONE[0], attributes::NONE[1]];
        match self.responses.shape().query_attributes {
            true => &WITH,
            false => &WITH[..1],
        }
    }

    fn glance(&self, command: u8, text: &[u8], catalog: &Catalog) -> Glance {
        let index = catalog.index();
        // What is prepared on a codec table must be known when the view is changed.
        if command == command::STMT_PREPARE
            && (index.mentions(text) || plan::mentions_information(text))
        {
            return Glance::Examine;
        }
        plan::glance(text, &index, self.choice.view, self.multi_statements)
    }

    /// A statement that may set variables or the database makes the remembered context stale.
    fn note_keyword(&mut self, text: &[u8], whole: bool) {
        self.note_verb(text);
        let single = !self.multi_statements || whole && memchr::memchr(b';', text).is_none();
        if !context::outlives(text) && context::prepares(text) {
            self.prepared.name();
        }
        self.context_valid &= single && context::outlives(text);
        self.schema_known &= single && context::keeps_schema(text);
    }

    /// For those who look: what kind of statement it is, and the database that it chooses.
    fn note_verb(&mut self, text: &[u8]) {
        let verb = Verb::of(text);
        self.entry.is(verb);
        if verb == Verb::Use {
            let words = text.trim_ascii_start();
            let name = words.strip_prefix(b"USE").or(words.strip_prefix(b"use"));
            self.note_database(name.unwrap_or_default());
        }
    }

    fn note_database(&mut self, name: &[u8]) {
        let name = String::from_utf8_lossy(name);
        let name = name.trim().trim_end_matches(';').trim().trim_matches('`');
        self.chosen = (!name.is_empty()).then(|| name.to_owned());
    }

    /// Begins to collect the statement whose first bytes are `buf`, header included, unless it
    /// will fit into one read buffer.
    fn collect_from(&mut self, buf: &[u8]) -> bool {
        let Some((len, seq)) = packet::read_header(buf) else {
            return false;
        };
        let text = matches!(
            buf.get(HEADER),
            Some(&(command::QUERY | command::STMT_PREPARE))
        );
        if HEADER + len <= buffers::SIZE || !text {
            return false;
        }
        let mut wire = BytesMut::with_capacity(HEADER + len);
        wire.extend_from_slice(buf);
        self.collecting = Some(Collecting {
            left: HEADER + len - wire.len(),
            wire,
            full: len == MAX_CHUNK,
            long: len == MAX_CHUNK,
            seq,
            header: BytesMut::new(),
        });
        true
    }

    fn collect(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<Option<Statement>>> {
        let Some(collecting) = self.collecting.as_mut() else {
            return Ok(Poll::Pending);
        };
        loop {
            let missing = HEADER - collecting.header.len();
            let (into, wanted) = match collecting.left {
                0 if !collecting.full => break,
                0 => (&mut collecting.header, missing),
                left => (&mut collecting.wire, left),
            };
            let Some(got) = ready_ok!(fill(cx, &mut self.client, into, wanted)?) else {
                return Ok(Poll::Ready(None));
            };
            if collecting.left > 0 {
                collecting.left -= got;
            } else if let Some((len, seq)) = packet::read_header(&collecting.header) {
                collecting.header.clear();
                collecting.left = len;
                collecting.full = len == MAX_CHUNK;
                collecting.seq = seq;
            }
            if (collecting.wire.len() + collecting.left) as u64
                > self.limit.saturating_add(HEADER as u64)
            {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "a statement is longer than limits.statement_bytes",
                ));
            }
        }
        let Some(mut collected) = self.collecting.take() else {
            return Ok(Poll::Ready(None));
        };
        let command = collected.wire[HEADER];
        let text = self.text_at(&collected.wire[HEADER..])?;
        let attributes = Bytes::copy_from_slice(&collected.wire[HEADER + 1..HEADER + text]);
        // Right before the text, where the last of the attributes was.
        collected.wire[HEADER + text - 1] = command;
        let wire = collected.wire.freeze();
        Ok(Poll::Ready(Some(Statement {
            command,
            payload: wire.slice(HEADER + text - 1..),
            seq: collected.seq,
            packet: (!collected.long && attributes.is_empty()).then_some(wire),
            attributes,
        })))
    }
}

/// The chunks of a command: their sequence numbers and lengths.
fn chunks(len: usize) -> impl Iterator<Item = (u8, usize)> {
    (0..packet::chunks(len as u64)).map(move |n| {
        let start = n as usize * MAX_CHUNK;
        (n as u8, (len - start).min(MAX_CHUNK))
    })
}

/// A buffer of the thread, and how many bytes of it are filled.
type Filled = (Vec<u8>, usize);

/// Reads at most `most` bytes into a buffer of the thread, behind what the link still carries;
/// `None` at the end.
fn read(cx: &mut Context<'_>, link: &mut Link, most: usize) -> io::Result<Poll<Option<Filled>>> {
    let mut buffer = buffers::take();
    let carried = link.carry.len().min(buffers::SIZE);
    if std::mem::take(&mut link.replay) && carried > 0 {
        buffer[..carried].copy_from_slice(&link.carry[..carried]);
        link.carry.advance(carried);
        link.replay = !link.carry.is_empty();
        return Ok(Poll::Ready(Some((buffer, carried))));
    }
    let end = buffers::SIZE.min(carried + most);
    let mut free = ReadBuf::new(&mut buffer[carried..end]);
    let read = Pin::new(&mut link.stream).poll_read(cx, &mut free);
    let got = free.filled().len();
    link.received(got);
    match read {
        Poll::Ready(Ok(())) if got > 0 => {
            buffer[..carried].copy_from_slice(&link.carry);
            link.carry = BytesMut::new();
            Ok(Poll::Ready(Some((buffer, carried + got))))
        }
        other => {
            buffers::give(buffer);
            match other {
                Poll::Ready(read) => read.map(|()| Poll::Ready(None)),
                Poll::Pending => Ok(Poll::Pending),
            }
        }
    }
}

/// Reads at most `wanted` bytes to the end of `into`; `None` at the end of the stream.
fn fill(
    cx: &mut Context<'_>,
    link: &mut Link,
    into: &mut BytesMut,
    wanted: usize,
) -> io::Result<Poll<Option<usize>>> {
    if into.capacity() == into.len() {
        into.reserve(wanted);
    }
    let got = ready_ok!(poll_read_buf(
        Pin::new(&mut link.stream),
        cx,
        &mut into.limit(wanted)
    )?);
    link.received(got);
    Ok(Poll::Ready((got > 0).then_some(got)))
}
