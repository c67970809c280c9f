//! One client and its backend connection, from login to goodbye.
//!
//! A session relays (`relay.rs`) until a statement needs a closer look. Then the responses under
//! way are let through, a query on `information_schema.columns` gets another text, the statement is
//! planned ([`crate::plan`]) and handled: passed on after all, refused, or run by one of `write`,
//! `read`, `prepare`, `describe`, `declare`, `choose`, `dynamic`, `handler` and `several`.
//! After that it relays again. Everything a session knows is gone with it.

mod batches;
mod choose;
mod coded;
mod connection;
mod context;
mod declare;
mod describe;
mod dynamic;
mod handler;
mod prepare;
mod question;
mod read;
mod refuse;
mod relay;
pub mod roster;
mod several;
mod shared;
mod verb;
mod write;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::WaitForCancellationFutureOwned;

pub use connection::tls;
pub use shared::{Live, Shared};

use self::connection::link::{self, Link};
use self::connection::login::{self, Challenge, LoginError, Seqs};
use self::connection::stream::Stream;
use self::context::SessionContext;
use self::read::{guard, origin};
use self::refuse::Failure;
use self::relay::{Event, Relay, Statement};
use self::roster::{Entry, Seat, State};
use self::verb::Verb;
use self::write::infile;
use crate::catalog::Index;
use crate::codec::{Addressing, late};
use crate::metrics::{Phase, metrics};
use crate::plan::{self, Handler, Plan};
use crate::refusal::Refusal;
use crate::sql::lexer;
use crate::view::View;
use crate::wire::column::Column;
use crate::wire::command;
use crate::wire::reply;
use crate::wire::response::{Responses, Seen};

/// How long a client that is being left may take to read what was sent to it.
const GOODBYE: Duration = Duration::from_secs(1);

/// Serves one client to the end.
pub async fn run(client: TcpStream, view: View, live: &Live, seat: Seat) {
    let (entry, shared) = (seat.entry(), live.load_full());
    let peer = entry.client;
    let login = login::login(client, &shared.database, &shared.tls);
    let login = timeout(shared.limits.login_seconds, login);
    let login = tokio::select! {
        login = login => login,
        () = entry.killed() => return tracing::info!(%peer, "no session: ended by KILL"),
        () = shared.ending.cancelled() => return tracing::info!(%peer, "no session: the proxy ends"),
    };
    let rejected = || metrics().turned_away.with_label_values(&["login"]).inc();
    let login = match login {
        Ok(Ok(login)) => login,
        Ok(Err(error @ LoginError::Connect(..))) => {
            rejected();
            return tracing::error!(%peer, %error, "no session");
        }
        Ok(Err(error)) => {
            rejected();
            return tracing::info!(%peer, %error, "no session");
        }
        Err(_) => {
            rejected();
            return tracing::info!(%peer, "no session: the login took too long");
        }
    };
    tracing::debug!(%peer, "session begins");
    entry.logged_in(&login.user, login.schema.as_deref(), login.connection);
    let ending = Box::pin(shared.ending.clone().cancelled_owned());
    let mut session = Box::new(Session {
        relay: Relay::new(
            login.client.counted(entry.clone()),
            login.server,
            Responses::new(login.shape, login.status),
            view,
            login.multi_statements,
            entry.clone(),
            shared.limits.statement_bytes,
        ),
        context: SessionContext {
            schema: login.schema,
            ..SessionContext::default()
        },
        challenge: login.challenge,
        database: login.database,
        altered: None,
        shared,
        live,
        ending,
        ended: false,
    });
    let served = tokio::select! {
        served = session.serve() => served,
        () = entry.killed() => return tracing::info!(%peer, session = entry.id, "ended by KILL"),
    };
    match served {
        Ok(()) => tracing::debug!(%peer, "session ends"),
        Err(error) => {
            tracing::debug!(%peer, %error, "session breaks off");
            session.explain(&error).await;
        }
    }
    let _ = timeout(GOODBYE, session.relay.client.flush_unsent()).await;
}

/// Tells a client that there is no room for it.
pub async fn turn_away(client: TcpStream) {
    metrics().turned_away.with_label_values(&["limit"]).inc();
    let mut link = Link::new(Stream::Tcp(client));
    let _ = timeout(
        GOODBYE,
        login::refuse_early(&mut link, 1040, "codec-proxy: too many connections"),
    )
    .await;
}

/// Counts a plan, and the time that it took.
fn note_plan(since: Instant, plan: Result<&Plan, &Refusal>) {
    metrics().spent(Phase::Plan, since.elapsed());
    let kind = plan.map_or("refuse", Plan::kind);
    metrics().statements.with_label_values(&[kind]).inc();
}

struct Session<'a> {
    relay: Relay,
    context: SessionContext,
    challenge: Challenge,
    database: lexer::Server,
    /// The table of the ALTER TABLE under way.
    altered: Option<plan::Altered>,
    /// As they were when the statement under way began.
    shared: Arc<Shared>,
    live: &'a Live,
    ending: Pin<Box<WaitForCancellationFutureOwned>>,
    ended: bool,
}

impl Session<'_> {
    async fn serve(&mut self) -> io::Result<()> {
        loop {
            let Self {
                relay,
                shared,
                ending,
                ended,
                ..
            } = self;
            let event = relay
                .run(&shared.catalog, |cx| {
                    *ended = *ended || ending.as_mut().poll(cx).is_ready();
                    *ended
                })
                .await?;
            // Boxed, so that an idle session does not hold room for them.
            match event {
                Event::Closed => return Ok(()),
                Event::Statement(statement) => Box::pin(self.statement(statement)).await?,
                Event::Command { seq, payload } => {
                    Box::pin(self.settle()).await?;
                    match payload.first() {
                        Some(&command::CHANGE_USER) => Box::pin(self.change_user(&payload)).await?,
                        Some(&command::RESET_CONNECTION) => {
                            choose::reset(&mut self.relay, seq, &payload).await?;
                            self.relay.client.resume();
                        }
                        _ => Box::pin(self.field_list(seq, &payload)).await?,
                    }
                }
                Event::Prepared => Box::pin(self.prepared()).await?,
                Event::Leak { seq, column } => Box::pin(self.leak(seq, &column)).await?,
            }
        }
    }

    /// Lets the responses through that are under way.
    async fn settle(&mut self) -> io::Result<()> {
        while let Some(event) = self.relay.settle(&self.shared.catalog).await? {
            match event {
                Event::Leak { seq, column } => self.leak(seq, &column).await?,
                _ => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        Ok(())
    }

    /// A command that is not just passed on begins.
    fn begin(&mut self, verb: Verb) {
        let newest = self.live.load();
        if !Arc::ptr_eq(&newest, &self.shared) {
            self.relay.limit = newest.limits.statement_bytes;
            self.shared = Arc::clone(&newest);
        }
        self.entry().begins(verb, State::Working);
    }

    fn entry(&self) -> &Entry {
        &self.relay.entry
    }

    async fn statement(&mut self, statement: Statement) -> io::Result<()> {
        self.settle().await?;
        self.begin(Verb::of(&statement.payload[1..]));
        self.relay.note_changes();
        let index = self.shared.catalog.index();
        if !self.relay.context_valid {
            let concerns = index.mentions(&statement.payload)
                || plan::mentions_information(&statement.payload);
            if self.relay.schema_known && !concerns {
                let status = self.relay.responses.status();
                self.context.dialect = context::with_mode_of(self.context.dialect, status);
            } else {
                match context::ask(&mut self.relay).await? {
                    Ok(context) => self.context = context,
                    Err(packet) => return self.answer(statement.seq, &packet).await,
                }
            }
        }
        let (command, seq) = (statement.command, statement.seq);
        let statement = match self.informed(statement, &index) {
            Ok(statement) => statement,
            Err(refusal) => {
                if command == command::STMT_PREPARE {
                    self.relay.prepared.refused();
                }
                return self.refuse(seq, &refusal).await;
            }
        };
        let text = statement.payload.slice(1..);
        self.look_for_codecs(&text).await;
        self.altered = self.look(&text, &index).await;
        let planning = Instant::now();
        if statement.command == command::STMT_PREPARE {
            return self.prepare(statement, &index).await;
        }
        let plan = self.planned(|context| {
            if self.relay.prepared.names_others() {
                plan::refuse_named(&text, context)?;
            }
            plan::examine(&text, context, &index)
        });
        note_plan(planning, plan.as_ref());
        if self.relay.context_valid {
            self.entry().uses(self.context.schema.as_deref());
        }
        if let Ok(Plan::Ask(ask)) = plan {
            return self.dynamic(statement, ask, &index).await;
        }
        if let Ok(Plan::Prepare(prepare)) = plan {
            return self.name(statement, prepare).await;
        }
        if let Ok(Plan::Several) = plan {
            return match self.relay.multi_statements {
                true => self.several(statement).await,
                // The server takes one statement only, and says so.
                false => self.pass(statement),
            };
        }
        let relay = &mut self.relay;
        let done = match plan {
            Err(refusal) => return self.refuse(statement.seq, &refusal).await,
            Ok(Plan::Pass | Plan::Ask(_) | Plan::Prepare(_) | Plan::Several | Plan::Inline) => {
                return self.pass(statement);
            }
            Ok(Plan::Handler(Handler::Open { name, table, .. })) => {
                match relay.standing.open(&name, table, &self.shared.limits) {
                    Ok(()) => return self.pass(statement),
                    Err(refusal) => return self.refuse(statement.seq, &refusal).await,
                }
            }
            Ok(Plan::Handler(Handler::Close { name })) => {
                relay.standing.close(&name);
                return self.pass(statement);
            }
            Ok(Plan::Handler(Handler::Read {
                read,
                table,
                index: key,
            })) => {
                if let Err(failure) = handler::check(relay, &table, &key).await? {
                    return self.fail(statement.seq, &failure).await;
                }
                let results = self.context.results;
                read::run(relay, &self.shared, &index, results, statement, &read).await
            }
            Ok(Plan::Write(write)) => {
                drop(text);
                let seq = statement.seq;
                match write::run(relay, &self.shared, &self.context, &index, statement, write)
                    .await?
                {
                    Ok(()) => Ok(()),
                    Err(failure) => return self.fail(seq, &failure).await,
                }
            }
            Ok(Plan::Load(load)) => {
                let seq = statement.seq;
                match infile::run(relay, &self.shared, statement, &load).await? {
                    Ok(()) => Ok(()),
                    Err(failure) => return self.fail(seq, &failure).await,
                }
            }
            Ok(Plan::Read(read)) => {
                let results = self.context.results;
                read::run(relay, &self.shared, &index, results, statement, &read).await
            }
            Ok(Plan::Describe(plan)) => describe::run(relay, statement, &plan).await,
            Ok(Plan::Declare(plan)) => {
                declare::declare(relay, &self.shared.catalog, statement, &plan).await
            }
            Ok(Plan::Choose(settings)) => choose::run(relay, &statement, &settings).await,
            Ok(Plan::Ddl(ddl)) => declare::ddl(relay, &self.shared.catalog, statement, &ddl).await,
        };
        self.relay.client.resume();
        done
    }

    /// The statement with what the view has in place of `information_schema.columns`.
    fn informed(&self, statement: Statement, index: &Index) -> Result<Statement, Refusal> {
        let text = statement.payload.slice(1..);
        let informed = self.planned(|context| plan::information(&text, context, index))?;
        Ok(match informed {
            None => statement,
            Some(text) => Statement {
                payload: [&statement.payload[..1], &text].concat().into(),
                packet: None,
                ..statement
            },
        })
    }

    /// Has codecs looked for that the text names and nobody knows. An error is logged, and then
    /// they are unknown.
    async fn look_for_codecs(&self, text: &[u8]) {
        if late::misses(text) {
            let _ = tokio::task::spawn_blocking(late::look).await;
        }
    }

    /// The table that a statement alters, where its plan depends on more than the index has.
    ///
    /// If it cannot be looked at, the index alone decides: about codecs that is as good, but
    /// what is a core type's loses its marker, and no table is known to be empty.
    async fn look(&self, text: &Bytes, index: &Index) -> Option<plan::Altered> {
        let (schema, table) = self.planned(|context| plan::altered(text, context, index))?;
        match self.shared.catalog.look(&schema, &table).await {
            Ok(found) => found.map(|(table, is_empty)| plan::Altered {
                table: Arc::new(table),
                is_empty,
            }),
            Err(error) => {
                tracing::warn!(%error, "a table could not be looked at");
                None
            }
        }
    }

    /// `COM_STMT_PREPARE`.
    async fn prepare(&mut self, statement: Statement, index: &Index) -> io::Result<()> {
        let text = statement.payload.slice(1..);
        let planning = Instant::now();
        let prepared = self.planned(|context| {
            let plan = plan::examine_prepared(&text, context, index)?;
            let concerns = index.mentions(&text) || plan::reads_information(&text, context, index);
            Ok((plan, plan::parameters(&text, context), concerns))
        });
        note_plan(planning, prepared.as_ref().map(|(plan, ..)| plan));
        let (plan, parameters, concerns) = match prepared {
            Ok(planned) => planned,
            Err(refusal) => {
                self.relay.prepared.refused();
                return self.refuse(statement.seq, &refusal).await;
            }
        };
        if matches!(plan, Plan::Pass) && !concerns {
            self.relay.prepared.other();
            return self.pass(statement);
        }
        drop(text);
        let preparing = prepare::Preparing {
            index,
            context: &self.context,
            parameters,
            limits: &self.shared.limits,
        };
        let seq = statement.seq;
        match prepare::prepare(&mut self.relay, preparing, statement, plan).await? {
            Ok(()) => self.relay.client.resume(),
            Err(refusal) => {
                self.relay.prepared.refused();
                self.refuse(seq, &refusal).await?;
            }
        }
        Ok(())
    }

    /// A command on a prepared statement that something is known of.
    async fn prepared(&mut self) -> io::Result<()> {
        self.settle().await?;
        self.begin(Verb::Prepared);
        self.relay.note_changes();
        let head = self.relay.client.peek_packet(prepare::HEAD).await?;
        if !self.relay.context_valid && self.relay.prepared.asks_for_context(&head) {
            match context::ask(&mut self.relay).await? {
                Ok(context) => self.context = context,
                Err(packet) => {
                    let limit = self.shared.limits.statement_bytes;
                    let seq = self.relay.client.read_packet(limit).await?.seq;
                    return self.answer(seq, &packet).await;
                }
            }
        }
        let index = self.shared.catalog.index();
        if self.relay.prepared.is_inline(&head) {
            return self.inline().await;
        }
        let running = prepare::Running {
            shared: &self.shared,
            index: &index,
            context: &self.context,
        };
        prepare::run(&mut self.relay, running).await?;
        self.relay.client.resume();
        Ok(())
    }

    /// Executes a prepared statement as the text that it is with its values.
    async fn inline(&mut self) -> io::Result<()> {
        let limit = self.shared.limits.statement_bytes;
        let packet = self.relay.client.read_packet(limit).await?;
        let seq = packet.seq;
        let relay = &mut self.relay;
        let text = prepare::inline::text(relay, &self.shared, &self.context, &packet.payload).await;
        drop(packet);
        let head = self.relay.query_head();
        match text {
            Err(refusal) => self.refuse(seq, &refusal).await,
            Ok(text) => {
                let statement = Statement {
                    command: command::QUERY,
                    payload: text,
                    seq,
                    packet: None,
                    attributes: Bytes::from_static(&head[1..]),
                };
                Box::pin(self.statement(statement)).await
            }
        }
    }

    /// Plans with what is known of the session.
    fn planned<T>(&self, plan: impl FnOnce(&plan::Context) -> T) -> T {
        let stores = |chain: &crate::codec::Chain| {
            let stores = &self.shared.stores;
            let named = chain.store.as_deref().filter(|name| !name.is_empty());
            let of_filepath = match chain.addressing() {
                Addressing::Reference => stores.filepath_default(),
                _ => None,
            };
            stores
                .resolve(named.or(of_filepath).unwrap_or_default())
                .map(|s| s.name().to_owned())
                .map_err(|e| e.to_string())
        };
        plan(&plan::Context {
            schema: self.context.schema.as_deref(),
            dialect: lexer::Dialect {
                server: self.database,
                ..self.context.dialect
            },
            charset: &self.context.charset,
            view: self.relay.choice.view,
            declare: &self.shared.declare,
            altered: self.altered.as_ref(),
            views: &[],
            standing: &self.relay.standing,
            stores: &stores,
        })
    }

    /// A statement that runs a text which only the server knows.
    async fn dynamic(
        &mut self,
        statement: Statement,
        ask: plan::Ask,
        index: &Index,
    ) -> io::Result<()> {
        if !self.relay.context_valid {
            match context::ask(&mut self.relay).await? {
                Ok(context) => self.context = context,
                Err(packet) => return self.answer(statement.seq, &packet).await,
            }
        }
        let limit = self.shared.limits.statement_bytes;
        let expression = &statement.payload[1..][ask.expression];
        let text = match dynamic::ask(&mut self.relay, expression, limit).await? {
            Ok(text) => text,
            Err(packet) => return self.answer(statement.seq, &packet).await,
        };
        self.look_for_codecs(&text).await;
        let plan = self.planned(|context| plan::examine_dynamic(&text, context, index));
        let (plan, known) = match plan {
            Ok(plan) => plan,
            Err(refusal) => return self.refuse(statement.seq, &refusal).await,
        };
        if let Some(name) = ask.name {
            let mut prepare = plan::Prepare {
                name,
                text: known,
                ..plan::Prepare::default()
            };
            match plan {
                Plan::Ddl(ddl) => prepare.ddl = Some(ddl),
                Plan::Describe(describe) => prepare.describe = Some(describe),
                _ => {}
            }
            return self.name(statement, prepare).await;
        }
        let (relay, results) = (&mut self.relay, self.context.results);
        let done = match Ok::<_, Refusal>(plan) {
            Err(refusal) => return self.refuse(statement.seq, &refusal).await,
            Ok(Plan::Read(read)) => {
                read::run(relay, &self.shared, index, results, statement, &read).await
            }
            Ok(Plan::Ddl(ddl)) => declare::ddl(relay, &self.shared.catalog, statement, &ddl).await,
            Ok(Plan::Describe(plan)) => describe::run(relay, statement, &plan).await,
            Ok(_) if relay.choice.view.translates_any(index) => {
                let read = plan::Read::announced();
                read::run(relay, &self.shared, index, results, statement, &read).await
            }
            Ok(_) => return self.pass(statement),
        };
        self.relay.client.resume();
        done
    }

    /// `PREPARE`: what the name stands for from now on is noted, and the statement sent.
    async fn name(&mut self, statement: Statement, prepare: plan::Prepare) -> io::Result<()> {
        let standing = &mut self.relay.standing;
        let noted = standing.prepare(&prepare.name, prepare.text, &self.shared.limits);
        if let Err(refusal) = noted {
            return self.refuse(statement.seq, &refusal).await;
        }
        let (relay, catalog) = (&mut self.relay, &self.shared.catalog);
        match (prepare.ddl, prepare.describe) {
            (Some(ddl), _) => declare::ddl(relay, catalog, statement, &ddl).await?,
            (None, Some(describe)) => describe::run(relay, statement, &describe).await?,
            (None, None) if prepare.edits.is_empty() => return self.pass(statement),
            (None, None) => {
                let text = plan::rewritten(&statement.payload[1..], &prepare.edits);
                return self.pass(Statement {
                    payload: [&statement.payload[..1], &text].concat().into(),
                    packet: None,
                    ..statement
                });
            }
        }
        self.relay.client.resume();
        Ok(())
    }

    fn pass(&mut self, statement: Statement) -> io::Result<()> {
        self.relay.forward(&statement);
        self.relay.client.resume();
        Ok(())
    }

    async fn refuse(&mut self, seq: u8, refusal: &Refusal) -> io::Result<()> {
        tracing::info!(error = %refusal, "statement refused");
        self.relay.tell_refused(refusal);
        self.answer(seq, &reply::err(refusal)).await
    }

    async fn fail(&mut self, seq: u8, failure: &Failure) -> io::Result<()> {
        match failure {
            Failure::Refusal(refusal) => self.refuse(seq, refusal).await,
            Failure::Server(packet) => self.answer(seq, packet).await,
        }
    }

    /// Answers a command of the client in place of the server.
    async fn answer(&mut self, seq: u8, payload: &[u8]) -> io::Result<()> {
        self.relay
            .client
            .write_packet(seq.wrapping_add(1), payload)
            .await?;
        self.relay.client.resume();
        Ok(())
    }

    /// A codec column where none was expected: the client gets an error in its place.
    async fn leak(&mut self, seq: u8, column: &str) -> io::Result<()> {
        let refusal = guard::refusal(column);
        tracing::info!(error = %refusal, "result refused");
        self.relay.tell_refused(&refusal);
        let Relay {
            client,
            server,
            responses,
            ..
        } = &mut self.relay;
        client.flush_unsent().await?;
        client.write_packet(seq, &reply::err(&refusal)).await?;
        loop {
            let packet = server.read_packet(self.shared.limits.row_bytes).await?;
            if responses.whole_packet(&packet.payload) == Seen::End {
                break;
            }
        }
        self.relay.seq_shift = 0;
        self.relay.server.resume();
        Ok(())
    }

    async fn change_user(&mut self, payload: &[u8]) -> io::Result<()> {
        let relay = &mut self.relay;
        relay.entry.begins(Verb::Other, State::Running);
        relay.server.write_packet(0, payload).await?;
        let seqs = Seqs {
            client: 1,
            server: 1,
        };
        let status = login::authenticate(
            &mut relay.client,
            &mut relay.server,
            seqs,
            &mut self.challenge,
        )
        .await?;
        relay.responses = Responses::new(relay.responses.shape(), status.unwrap_or_default());
        relay.begin_anew();
        relay.schema_known = false;
        if status.is_some() {
            relay.entry.became(
                payload[1..].split(|b| *b == 0).next().unwrap_or_default(),
                None,
            );
        }
        relay.client.resume();
        relay.server.resume();
        Ok(())
    }

    /// `COM_FIELD_LIST`: codec columns are listed as what the client sees of them.
    async fn field_list(&mut self, seq: u8, payload: &[u8]) -> io::Result<()> {
        let view = self.relay.choice.view;
        let Relay {
            client,
            server,
            responses,
            ..
        } = &mut self.relay;
        let index = self.shared.catalog.index();
        server.write_packet(0, payload).await?;
        responses.sent(command::expect(command::FIELD_LIST));
        let mut out = link::Outgoing::new(client, seq.wrapping_add(1));
        loop {
            let packet = server.read_packet(self.shared.limits.row_bytes).await?;
            let column = Column::parse(&packet.payload, responses.shape().extended_metadata);
            let found = column.and_then(|c| Some((c, origin::translated(&index, &c, view)?)));
            match found {
                Some((column, origin)) => {
                    out.packet(&origin::announced(&column, origin.shape))
                        .await?;
                }
                None => out.packet(&packet.payload).await?,
            }
            if responses.whole_packet(&packet.payload) == Seen::End {
                break;
            }
        }
        out.flush().await?;
        self.relay.client.resume();
        self.relay.server.resume();
        Ok(())
    }

    /// Tells the client, where it can still be told, why the session ends.
    async fn explain(&mut self, error: &io::Error) {
        if error.kind() == io::ErrorKind::FileTooLarge && self.relay.responses.idle() {
            let refusal = Refusal::limit(&error.to_string());
            let _ = timeout(
                GOODBYE,
                self.relay.client.write_packet(1, &reply::err(&refusal)),
            )
            .await;
        }
    }
}
