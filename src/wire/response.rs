//! Following the responses of a server: which packet belongs to which command, and where a
//! response ends.
//!
//! The session queues an [`Expect`] for each command it sends, pipelined ones too, and shows
//! each server packet's head to [`Responses::packet`]. Nothing is buffered here; a response of
//! any size costs a few words of state.

use std::collections::VecDeque;

use super::command::Expect;
use super::lenenc;
use super::packet::MAX_CHUNK;
use super::reply;

/// What the login agreed on, as far as it shapes responses and parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// `CLIENT_DEPRECATE_EOF`: rows end with an OK packet, definitions with nothing.
    pub deprecate_eof: bool,
    /// `MARIADB_CLIENT_CACHE_METADATA`: the column count is followed by a byte that says
    /// whether the definitions follow. MySQL's `CLIENT_OPTIONAL_RESULTSET_METADATA` is the same, and
    /// has that byte at the end of the answer to a prepare, too.
    pub cache_metadata: bool,
    /// `MARIADB_CLIENT_EXTENDED_METADATA`: column definitions carry one more string.
    pub extended_metadata: bool,
    /// `CLIENT_QUERY_ATTRIBUTES`: parameters have names, and there may be more than the statement
    /// has.
    pub query_attributes: bool,
}

/// What a packet means to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// One more packet of the response.
    More,
    /// The server asks the client for a local file: the client's next packets are its contents.
    Infile,
    /// The last packet of the response.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The next packet begins a response (or the next result of one).
    First,
    /// Definitions; then what follows them.
    Columns {
        left: u64,
        then: Then,
    },
    /// So many EOF packets after definitions that were left out, and no rows.
    Eofs(u8),
    /// The EOF packet after definitions.
    ColumnsEof {
        then: Then,
    },
    Rows,
    /// Definitions until EOF.
    Fields,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Rows,
    /// So many more definitions, and no rows: what follows a prepared statement's parameters.
    Columns(u64),
}

/// The responses that are under way or still to come on one backend connection.
#[derive(Debug)]
pub struct Responses {
    shape: Shape,
    queue: VecDeque<Expect>,
    state: State,
    status: u16,
    /// Some answer has said that the session's state has changed.
    changed: bool,
    /// The current packet continues a payload; its first bytes mean nothing.
    continues: bool,
}

impl Responses {
    /// `status` is that of the login's OK packet.
    pub fn new(shape: Shape, status: u16) -> Self {
        Self {
            shape,
            queue: VecDeque::new(),
            state: State::First,
            status,
            changed: false,
            continues: false,
        }
    }

    /// A command was sent.
    pub fn sent(&mut self, expect: Expect) {
        if self.queue.front() == Some(&Expect::Opaque) && self.queue.len() == 1 {
            self.queue.clear();
            self.state = State::First;
        }
        if expect == Expect::Nothing {
            return;
        }
        if self.queue.is_empty() {
            self.state = Self::initial(expect);
        }
        self.queue.push_back(expect);
    }

    /// No response is under way (an opaque one may be).
    pub fn idle(&self) -> bool {
        self.queue.is_empty()
            || self.queue.front() == Some(&Expect::Opaque) && self.queue.len() == 1
    }

    /// Status flags of the last OK or EOF packet.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether some answer since the last call has said that the session's state has changed: the
    /// database, or a variable that the server tracks. It says so where the client has negotiated
    /// that.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// What the login agreed on.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// True when the next packet is a column definition (its whole payload may be wanted).
    pub fn at_column(&self) -> bool {
        matches!(self.state, State::Columns { .. } | State::Fields) && !self.continues
    }

    /// True when the next packet begins a response, or the next result of one.
    pub fn at_first(&self) -> bool {
        self.state == State::First && !self.continues
    }

    /// True when the rows are the answer to `COM_STMT_FETCH`.
    pub fn in_fetch(&self) -> bool {
        self.queue.front() == Some(&Expect::Rows)
    }

    /// True when the next packet is a row, or the end of the rows.
    pub fn in_rows(&self) -> bool {
        self.state == State::Rows && !self.continues
    }

    /// True when the definitions are the answer to `COM_FIELD_LIST`.
    pub fn in_fields(&self) -> bool {
        self.state == State::Fields
    }

    /// Where in its payload the next packet has its status flags, if it has any; the arguments are
    /// those of [`Responses::packet`].
    pub fn status_place(&self, len: usize, prefix: &[u8]) -> Option<usize> {
        let first = *prefix.first()?;
        if self.continues || self.queue.is_empty() || reply::is_progress(prefix) {
            return None;
        }
        let is_eof = first == reply::EOF;
        match self.state {
            State::First if first == reply::OK => reply::ok_status_place(prefix),
            State::First | State::Fields if is_eof && len < 9 => Some(reply::EOF_STATUS),
            State::ColumnsEof { .. } if is_eof => Some(reply::EOF_STATUS),
            State::Rows if is_eof && self.shape.deprecate_eof && len < MAX_CHUNK => {
                reply::ok_status_place(prefix)
            }
            State::Rows if is_eof && len < 9 => Some(reply::EOF_STATUS),
            _ => None,
        }
    }

    /// Takes note of a packet of `len` payload bytes, of which `prefix` holds at least the first
    /// [`reply::PREFIX`] or all.
    pub fn packet(&mut self, len: usize, prefix: &[u8]) -> Seen {
        let continued = std::mem::replace(&mut self.continues, len == MAX_CHUNK);
        if continued {
            return Seen::More;
        }
        let first = prefix.first().copied();
        match self.queue.front() {
            None | Some(Expect::Opaque | Expect::Nothing) => return Seen::More,
            Some(_) if reply::is_progress(prefix) => return Seen::More,
            Some(Expect::One) => {
                match first {
                    Some(reply::OK) => self.note(reply::ok_status(prefix)),
                    Some(reply::EOF) => self.note(reply::eof_status(prefix)),
                    _ => {}
                }
                return self.end();
            }
            Some(_) => {}
        }
        if first == Some(reply::ERR) {
            return self.end();
        }
        match self.state {
            State::First => self.first(len, prefix),
            State::Columns { left, then } => {
                if left > 1 {
                    self.state = State::Columns {
                        left: left - 1,
                        then,
                    };
                    return Seen::More;
                }
                self.columns_done(then)
            }
            State::ColumnsEof { then } => {
                self.note(reply::eof_status(prefix));
                if then == Then::Rows && self.status & reply::CURSOR_EXISTS != 0 {
                    return self.end();
                }
                self.follow(then)
            }
            State::Eofs(left) => {
                self.note(reply::eof_status(prefix));
                match left {
                    0 | 1 => self.end(),
                    more => {
                        self.state = State::Eofs(more - 1);
                        Seen::More
                    }
                }
            }
            State::Rows => {
                let limit = if self.shape.deprecate_eof {
                    MAX_CHUNK
                } else {
                    9
                };
                if first != Some(reply::EOF) || len >= limit {
                    return Seen::More;
                }
                let status = if self.shape.deprecate_eof {
                    reply::ok_status(prefix)
                } else {
                    reply::eof_status(prefix)
                };
                self.note(status);
                self.result_end()
            }
            State::Fields => match first {
                Some(reply::EOF) if len < 9 => self.end(),
                _ => Seen::More,
            },
        }
    }

    /// As [`Responses::packet`], for a payload that was put together from its chunks.
    pub fn whole_packet(&mut self, payload: &[u8]) -> Seen {
        let seen = self.packet(
            payload.len().min(MAX_CHUNK),
            &payload[..payload.len().min(reply::PREFIX)],
        );
        self.continues = false;
        seen
    }

    fn first(&mut self, len: usize, prefix: &[u8]) -> Seen {
        let prepared = self.queue.front() == Some(&Expect::Prepared);
        match prefix.first() {
            Some(&reply::OK) if prepared => {
                let count = |at: usize| {
                    prefix
                        .get(at..at + 2)
                        .map_or(0, |b| u64::from(u16::from_le_bytes([b[0], b[1]])))
                };
                let (columns, params) = (count(5), count(7));
                // What MySQL appends to the twelve bytes.
                if self.shape.cache_metadata && prefix.get(12) == Some(&0) {
                    let eofs = u8::from(columns > 0) + u8::from(params > 0);
                    if self.shape.deprecate_eof || eofs == 0 {
                        return self.end();
                    }
                    self.state = State::Eofs(eofs);
                    return Seen::More;
                }
                match params {
                    0 => self.follow(Then::Columns(columns)),
                    left => {
                        self.state = State::Columns {
                            left,
                            then: Then::Columns(columns),
                        };
                        Seen::More
                    }
                }
            }
            Some(&reply::OK) => {
                self.note(reply::ok_status(prefix));
                self.result_end()
            }
            Some(&reply::LOCAL_INFILE) => Seen::Infile,
            // The server's EOF as a whole response: what COM_SET_OPTION's relatives send.
            Some(&reply::EOF) if len < 9 => {
                self.note(reply::eof_status(prefix));
                self.result_end()
            }
            _ => {
                let Some((columns, taken)) = lenenc::read_int(prefix) else {
                    return self.end();
                };
                let cached = self.shape.cache_metadata && prefix.get(taken) == Some(&0);
                if cached || columns == 0 {
                    return self.columns_done(Then::Rows);
                }
                self.state = State::Columns {
                    left: columns,
                    then: Then::Rows,
                };
                Seen::More
            }
        }
    }

    /// The definitions are through: an EOF packet follows, or not.
    fn columns_done(&mut self, then: Then) -> Seen {
        if self.shape.deprecate_eof {
            return self.follow(then);
        }
        self.state = State::ColumnsEof { then };
        Seen::More
    }

    fn follow(&mut self, then: Then) -> Seen {
        self.state = match then {
            Then::Rows => State::Rows,
            Then::Columns(0) => return self.end(),
            Then::Columns(left) => State::Columns {
                left,
                then: Then::Columns(0),
            },
        };
        Seen::More
    }

    fn result_end(&mut self) -> Seen {
        if self.status & reply::MORE_RESULTS != 0 && self.queue.front() == Some(&Expect::Results) {
            self.state = State::First;
            return Seen::More;
        }
        self.end()
    }

    fn end(&mut self) -> Seen {
        self.queue.pop_front();
        self.state = self
            .queue
            .front()
            .map_or(State::First, |next| Self::initial(*next));
        Seen::End
    }

    fn initial(expect: Expect) -> State {
        match expect {
            Expect::Rows => State::Rows,
            Expect::Fields => State::Fields,
            _ => State::First,
        }
    }

    fn note(&mut self, status: Option<u16>) {
        self.status = status.unwrap_or(self.status);
        self.changed |= self.status & reply::STATE_CHANGED != 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EOF: &[u8] = &[0xFE, 0, 0, 2, 0];
    const MORE: &[u8] = &[0xFE, 0, 0, 0x0A, 0];
    const CURSOR: &[u8] = &[0xFE, 0, 0, 0x42, 0];
    const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];
    const OK_END: &[u8] = &[0xFE, 0, 0, 2, 0, 0, 0];
    const ERR: &[u8] = &[0xFF, 0x15, 0x04];
    const PROGRESS: &[u8] = &[0xFF, 0xFF, 0xFF, 1, 1, 1, 0, 0, 0];
    const DEF: &[u8] = &[3, b'd', b'e', b'f'];
    const ROW: &[u8] = &[1, b'x'];

    fn seen(shape: Shape, expect: Expect, packets: &[&[u8]]) -> Vec<Seen> {
        let mut responses = Responses::new(shape, 2);
        responses.sent(expect);
        packets
            .iter()
            .map(|p| responses.packet(p.len(), p))
            .collect()
    }

    /// All but the last packet are `More`, the last one ends the response.
    fn ends(shape: Shape, expect: Expect, packets: &[&[u8]]) {
        let seen = seen(shape, expect, packets);
        let (last, rest) = seen.split_last().unwrap();
        assert!(
            rest.iter().all(|s| *s == Seen::More),
            "{expect:?} ended early: {seen:?}"
        );
        assert_eq!(*last, Seen::End, "{expect:?} did not end");
    }

    #[test]
    fn responses_end_where_they_end() {
        let old = Shape::default();
        let new = Shape {
            deprecate_eof: true,
            ..old
        };
        ends(old, Expect::Results, &[OK]);
        ends(old, Expect::Results, &[ERR]);
        ends(old, Expect::Results, &[PROGRESS, PROGRESS, OK]);
        ends(old, Expect::Results, &[&[2], DEF, DEF, EOF, ROW, ROW, EOF]);
        ends(new, Expect::Results, &[&[2], DEF, DEF, ROW, ROW, OK_END]);
        ends(old, Expect::Results, &[&[1], DEF, EOF, ROW, ERR]);
        ends(
            old,
            Expect::Results,
            &[&[1], DEF, EOF, ROW, MORE, &[1], DEF, EOF, EOF],
        );
        ends(old, Expect::Results, &[&[1], DEF, CURSOR]);
        ends(new, Expect::Results, &[&[1], DEF, OK_END]);
        ends(old, Expect::Rows, &[ROW, ROW, EOF]);
        ends(old, Expect::One, &[b"Up"]);
        ends(old, Expect::Fields, &[DEF, DEF, EOF]);
        ends(
            old,
            Expect::Prepared,
            &[&[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
        );
        ends(
            old,
            Expect::Prepared,
            &[
                &[0, 1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0],
                DEF,
                DEF,
                EOF,
                DEF,
                EOF,
            ],
        );
        ends(
            new,
            Expect::Prepared,
            &[&[0, 1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0], DEF, DEF, DEF],
        );
        ends(
            old,
            Expect::Prepared,
            &[&[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], DEF, EOF],
        );
    }

    #[test]
    fn status_flags_are_found() {
        let old = Shape::default();
        let new = Shape {
            deprecate_eof: true,
            ..old
        };
        let long_ok: &[u8] = &[0, 0xFC, 1, 2, 0xFD, 1, 2, 3, 2, 0, 0, 0];
        for (shape, packets, places) in [
            (old, &[OK][..], &[Some(3)][..]),
            (old, &[long_ok], &[Some(8)]),
            (old, &[ERR], &[None]),
            (
                old,
                &[&[1], DEF, MORE, &[0xFE, 9], MORE, OK],
                &[None, None, Some(3), None, Some(3), Some(3)],
            ),
            (new, &[&[1], DEF, ROW, OK_END], &[None, None, None, Some(3)]),
        ] {
            let mut responses = Responses::new(shape, 2);
            responses.sent(Expect::Results);
            for (packet, place) in packets.iter().zip(places) {
                let len = match packet {
                    // A row that begins with a long value.
                    [0xFE, 9] => 100,
                    other => other.len(),
                };
                assert_eq!(responses.status_place(len, packet), *place, "{packet:?}");
                responses.packet(len, packet);
            }
            assert!(responses.idle());
        }
    }

    #[test]
    fn cached_definitions_are_left_out() {
        let shape = Shape {
            cache_metadata: true,
            ..Shape::default()
        };
        ends(shape, Expect::Results, &[&[1, 0], EOF, ROW, EOF]);
        ends(shape, Expect::Results, &[&[1, 1], DEF, EOF, ROW, EOF]);
        let prepared =
            |columns, params, told| [0, 1, 0, 0, 0, columns, 0, params, 0, 0, 0, 0, told];
        ends(shape, Expect::Prepared, &[&prepared(1, 1, 0), EOF, EOF]);
        ends(shape, Expect::Prepared, &[&prepared(0, 1, 0), EOF]);
        ends(shape, Expect::Prepared, &[&prepared(0, 0, 0)]);
        ends(shape, Expect::Prepared, &[&prepared(1, 0, 1), DEF, EOF]);
        let new = Shape {
            deprecate_eof: true,
            ..shape
        };
        ends(new, Expect::Prepared, &[&prepared(1, 1, 0)]);
        ends(new, Expect::Results, &[&[1, 0], ROW, OK_END]);
    }

    #[test]
    fn a_local_file_is_asked_for_and_answered() {
        assert_eq!(
            seen(Shape::default(), Expect::Results, &[&[0xFB, b'f'], OK]),
            [Seen::Infile, Seen::End]
        );
    }

    #[test]
    fn pipelined_commands_each_have_their_response() {
        let mut responses = Responses::new(Shape::default(), 2);
        for expect in [Expect::Results, Expect::Nothing, Expect::One, Expect::Rows] {
            responses.sent(expect);
        }
        for packet in [OK, OK, ROW] {
            responses.packet(packet.len(), packet);
        }
        assert!(!responses.idle());
        responses.packet(EOF.len(), EOF);
        assert!(responses.idle());
    }

    #[test]
    fn a_row_over_16_mib_is_not_an_end() {
        let mut responses = Responses::new(
            Shape {
                deprecate_eof: true,
                ..Shape::default()
            },
            2,
        );
        responses.sent(Expect::Results);
        for packet in [&[1][..], DEF] {
            responses.packet(packet.len(), packet);
        }
        assert_eq!(
            responses.packet(MAX_CHUNK, &[0xFE, 0, 0, 0, 1, 0, 0, 0, 0]),
            Seen::More
        );
        assert_eq!(
            responses.packet(5, EOF),
            Seen::More,
            "the rest of the long row"
        );
        assert_eq!(responses.packet(OK_END.len(), OK_END), Seen::End);
    }

    #[test]
    fn an_unknown_response_lasts_until_the_next_command() {
        let mut responses = Responses::new(Shape::default(), 2);
        responses.sent(Expect::Opaque);
        assert_eq!(responses.packet(3, &[9, 9, 9]), Seen::More);
        assert!(responses.idle());
        responses.sent(Expect::One);
        assert_eq!(responses.packet(OK.len(), OK), Seen::End);
    }
}
