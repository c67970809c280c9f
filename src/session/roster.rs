//! Who is connected, and what each session is doing: for people, who ask the console or the
//! page, and to end a session.
//!
//! A session writes to its own [`Entry`] only, at the boundaries of its statements, and no other
//! thread writes there; so it costs some plain stores. The list is locked when a session
//! begins and ends, and when somebody asks.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::verb::Verb;
use crate::view::View;

/// All sessions of the process.
#[derive(Debug, Default)]
pub struct Roster {
    seats: Mutex<BTreeMap<u64, Arc<Entry>>>,
    /// Sessions that have begun.
    begun: AtomicU64,
    /// What the sessions that have ended have counted.
    ended: Traffic,
}

/// What a session has counted.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Commands of the client.
    commands: AtomicU64,
    /// Bytes from the client, without TLS and compression.
    received: AtomicU64,
    /// Bytes to the client, likewise.
    sent: AtomicU64,
}

/// The same at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Commands of clients.
    pub commands: u64,
    /// Bytes from clients.
    pub received: u64,
    /// Bytes to clients.
    pub sent: u64,
}

/// What is known of one session.
#[derive(Debug)]
pub struct Entry {
    /// Its number, from 1; never used again by the process.
    pub id: u64,
    /// The client's address.
    pub client: SocketAddr,
    began: Instant,
    account: Mutex<Account>,
    /// The database's own number of the connection.
    connection: AtomicU32,
    view: AtomicU8,
    state: AtomicU8,
    verb: AtomicU8,
    /// When the state began, in microseconds after `began`.
    since: AtomicU64,
    traffic: Traffic,
    stop: Notify,
}

#[derive(Debug, Default, Clone)]
struct Account {
    user: String,
    database: Option<String>,
}

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The client logs in.
    Login,
    /// Nothing: it waits for the client.
    Idle,
    /// codec-proxy works on a statement: it plans, encodes and stores.
    Working,
    /// The database has the statement, or the client gets its result.
    Running,
}

/// A session at one moment.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its number.
    pub id: u64,
    /// The account's name; empty before the login.
    pub user: String,
    /// The client's address.
    pub client: SocketAddr,
    /// The current database, as far as codec-proxy has seen it chosen.
    pub database: Option<String>,
    /// Its view.
    pub view: View,
    /// What it is doing.
    pub state: State,
    /// The kind of its statement, or of the last one.
    pub verb: &'static str,
    /// How long it has been in that state.
    pub since: Duration,
    /// How long it has been there.
    pub age: Duration,
    /// The database's own number of the connection; 0 before the login.
    pub connection: u32,
    /// What it has counted.
    pub counted: Counted,
}

/// A session's place on the roster, for as long as it lives.
#[derive(Debug)]
pub struct Seat {
    roster: Arc<Roster>,
    entry: Arc<Entry>,
}

impl Roster {
    /// A place for one more client; `None` if there are `most` already.
    pub fn enter(self: &Arc<Self>, client: SocketAddr, view: View, most: usize) -> Option<Seat> {
        let mut seats = self.seats();
        if seats.len() >= most {
            return None;
        }
        let id = self.begun.fetch_add(1, Relaxed) + 1;
        let entry = Arc::new(Entry::new(id, client, view));
        seats.insert(id, entry.clone());
        Some(Seat {
            roster: self.clone(),
            entry,
        })
    }

    /// All sessions, the oldest first.
    pub fn look(&self) -> Vec<Seen> {
        let entries: Vec<_> = self.seats().values().cloned().collect();
        entries.iter().map(|entry| entry.look()).collect()
    }

    /// Sessions that there are, and that have begun since the process started.
    pub fn count(&self) -> (usize, u64) {
        (self.seats().len(), self.begun.load(Relaxed))
    }

    /// What all sessions of the process have counted, those that have ended included.
    pub fn counted(&self) -> Counted {
        let seats = self.seats();
        let mut sum = self.ended.counted();
        for entry in seats.values() {
            sum.add(entry.traffic.counted());
        }
        sum
    }

    /// Ends a session; gives it as it was, or `None` if there is none of that number.
    pub fn kill(&self, id: u64) -> Option<Seen> {
        let entry = self.seats().get(&id).cloned()?;
        let seen = entry.look();
        // Kept until the session looks for it.
        entry.stop.notify_one();
        Some(seen)
    }

    fn seats(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Entry>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// What others see of the session.
    pub fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.roster.seats();
        seats.remove(&self.entry.id);
        // Under the lock, so that no sum misses or doubles it.
        let counted = self.entry.traffic.counted();
        let ended = &self.roster.ended;
        ended.commands.fetch_add(counted.commands, Relaxed);
        ended.received.fetch_add(counted.received, Relaxed);
        ended.sent.fetch_add(counted.sent, Relaxed);
    }
}

impl Traffic {
    fn counted(&self) -> Counted {
        Counted {
            commands: self.commands.load(Relaxed),
            received: self.received.load(Relaxed),
            sent: self.sent.load(Relaxed),
        }
    }
}

impl Counted {
    fn add(&mut self, other: Self) {
        self.commands += other.commands;
        self.received += other.received;
        self.sent += other.sent;
    }
}

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Login, Self::Idle, Self::Working, Self::Running];

    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Idle => "idle",
            Self::Working => "working",
            Self::Running => "running",
        }
    }
}

impl Entry {
    fn new(id: u64, client: SocketAddr, view: View) -> Self {
        Self {
            id,
            client,
            began: Instant::now(),
            account: Mutex::default(),
            connection: AtomicU32::new(0),
            view: AtomicU8::new(view as u8),
            state: AtomicU8::new(State::Login as u8),
            verb: AtomicU8::new(Verb::None as u8),
            since: AtomicU64::new(0),
            traffic: Traffic::default(),
            stop: Notify::new(),
        }
    }

    /// The client has logged in.
    pub fn logged_in(&self, user: &[u8], database: Option<&str>, connection: u32) {
        self.connection.store(connection, Relaxed);
        self.became(user, database);
        self.enter(State::Idle);
    }

    /// The session goes on as this account.
    pub fn became(&self, user: &[u8], database: Option<&str>) {
        *self.account() = Account {
            user: String::from_utf8_lossy(user).into_owned(),
            database: database.map(str::to_owned),
        };
    }

    /// The session has chosen this database.
    pub fn uses(&self, database: Option<&str>) {
        let mut account = self.account();
        if account.database.as_deref() != database {
            account.database = database.map(str::to_owned);
        }
    }

    /// The session sees codec columns so.
    pub fn sees(&self, view: View) {
        self.view.store(view as u8, Relaxed);
    }

    /// A command of this kind begins.
    pub fn begins(&self, verb: Verb, state: State) {
        self.verb.store(verb as u8, Relaxed);
        count(&self.traffic.commands, 1);
        self.enter(state);
    }

    /// The command is of this kind.
    pub fn is(&self, verb: Verb) {
        self.verb.store(verb as u8, Relaxed);
    }

    /// The statement is with the database now.
    pub fn is_sent(&self) {
        if self.state.load(Relaxed) == State::Working as u8 {
            self.state.store(State::Running as u8, Relaxed);
        }
    }

    /// No statement is under way.
    pub fn rests(&self) {
        if self.state.load(Relaxed) != State::Idle as u8 {
            self.enter(State::Idle);
        }
    }

    /// So many bytes came from the client.
    pub fn received(&self, bytes: usize) {
        count(&self.traffic.received, bytes as u64);
    }

    /// So many bytes went to the client.
    pub fn sent(&self, bytes: usize) {
        count(&self.traffic.sent, bytes as u64);
    }

    /// Ready when somebody has ended the session.
    pub async fn killed(&self) {
        self.stop.notified().await;
    }

    fn look(&self) -> Seen {
        let age = self.began.elapsed();
        let state = State::ALL[usize::from(self.state.load(Relaxed)) % State::ALL.len()];
        let since = Duration::from_micros(self.since.load(Relaxed));
        let account = self.account().clone();
        let view = self.view.load(Relaxed);
        Seen {
            id: self.id,
            user: account.user,
            client: self.client,
            database: account.database,
            view: *View::ALL
                .iter()
                .find(|v| **v as u8 == view)
                .unwrap_or(&View::Bytes),
            state,
            verb: Verb::name_of(self.verb.load(Relaxed)),
            since: age.saturating_sub(since),
            age,
            connection: self.connection.load(Relaxed),
            counted: self.traffic.counted(),
        }
    }

    fn enter(&self, state: State) {
        let since = self.began.elapsed().as_micros();
        self.since
            .store(u64::try_from(since).unwrap_or(u64::MAX), Relaxed);
        self.state.store(state as u8, Relaxed);
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No other thread adds to it, so it need not be one step.
fn count(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> SocketAddr {
        "192.0.2.7:4242".parse().unwrap()
    }

    #[test]
    fn what_has_ended_stays_in_the_sum() {
        let roster = Arc::new(Roster::default());
        let seat = roster.enter(address(), View::Bytes, 2).unwrap();
        let other = roster.enter(address(), View::Json, 2).unwrap();
        assert!(roster.enter(address(), View::Bytes, 2).is_none());
        seat.entry().begins(Verb::of(b"select 1"), State::Running);
        seat.entry().received(10);
        other.entry().sent(5);
        let sum = Counted {
            commands: 1,
            received: 10,
            sent: 5,
        };
        assert_eq!(roster.counted(), sum);
        drop(seat);
        assert_eq!(roster.counted(), sum);
        assert_eq!(roster.count(), (1, 2));
    }

    #[test]
    fn a_session_shows_what_it_does() {
        let roster = Arc::new(Roster::default());
        let seat = roster.enter(address(), View::Bytes, 9).unwrap();
        let entry = seat.entry();
        let look = || roster.look().remove(0);
        assert_eq!(
            (look().state, look().user.as_str(), look().verb),
            (State::Login, "", "")
        );
        entry.logged_in(b"lab", Some("mice"), 77);
        entry.sees(View::Json);
        entry.begins(Verb::of(b" insert into x"), State::Working);
        let seen = look();
        assert_eq!((seen.state, seen.verb), (State::Working, "INSERT"));
        assert_eq!(
            (seen.view, seen.connection, seen.counted.commands),
            (View::Json, 77, 1)
        );
        assert_eq!(
            (seen.user.as_str(), seen.database.as_deref()),
            ("lab", Some("mice"))
        );
        entry.is_sent();
        assert_eq!(look().state, State::Running);
        entry.rests();
        entry.is_sent();
        assert_eq!((look().state, look().verb), (State::Idle, "INSERT"));
    }

    #[tokio::test]
    async fn a_session_is_ended_whenever_it_looks() {
        let roster = Arc::new(Roster::default());
        let seat = roster.enter(address(), View::Bytes, 9).unwrap();
        assert!(roster.kill(seat.entry().id + 1).is_none());
        assert!(roster.kill(seat.entry().id).is_some());
        seat.entry().killed().await;
    }
}
