//! Which columns carry a codec: read from the column comments, cached, kept fresh.
//!
//! What it costs on a server with many tables: every session looks at one shared [`Index`]
//! without a lock and without a question to the server. A task polls a change token, the
//! server's own counters of DDL statements (under a millisecond, whatever the number of
//! tables), and only when one has moved scans the column comments: one query over
//! `information_schema.COLUMNS`, 0.17 s of the server for 10,000 tables, then one constant
//! look for each table with a codec column. A DDL statement that came through this proxy
//! refreshes just the tables that it names, before its answer is sent on.

mod index;
mod key;
mod known;
mod listing;
mod marker;
mod matcher;
mod programs;
mod scan;

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use tokio::runtime::Handle;

pub use index::{Column, ColumnCodec, Index, NameCase, Table, TableKind, fold_case, same_name};
pub use key::KeyType;
pub use listing::{Listing, MarkedColumn};
pub use programs::Programs;

use crate::codec::late;
use crate::metrics::metrics;
use known::{Known, Name};
use marker::Markers;
use scan::Token;

/// Longest time that a question to the server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The codec columns of one database server, kept fresh while it lives.
#[derive(Debug)]
pub struct Catalog {
    index: ArcSwap<Index>,
    known: Mutex<Known>,
    markers: Markers,
    pool: Pool,
    /// Where questions to the server run: callers may live on runtimes that come and go.
    runtime: Handle,
    /// Looks are made and taken one after the other, so that an older never follows a newer.
    looks: tokio::sync::Mutex<()>,
}

/// Why the catalog cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The server cannot be reached or refused the account or a question.
    #[error("the catalog of codec columns cannot be read: {0}")]
    Database(#[from] mysql_async::Error),
    /// The server did not answer.
    #[error("the catalog of codec columns cannot be read: no answer within {} s", PATIENCE.as_secs())]
    Silent,
    /// The process is about to end.
    #[error("the catalog of codec columns is closed")]
    Closed,
}

impl Catalog {
    /// Reads the whole catalog once and keeps it fresh from a task on the current runtime,
    /// until the last reference is dropped. A change made elsewhere is seen within `max_age`.
    pub async fn connect(
        options: OptsBuilder,
        max_age: Duration,
    ) -> Result<Arc<Self>, CatalogError> {
        let pool = pool(options);
        let facts = within(async { Ok(scan::facts(&mut pool.get_conn().await?).await?) }).await?;
        let known = Known::new(facts);
        let catalog = Arc::new(Self {
            index: ArcSwap::from_pointee(known.index()),
            known: Mutex::new(known),
            markers: Markers::default(),
            pool,
            runtime: Handle::current(),
            looks: tokio::sync::Mutex::new(()),
        });
        let generation = late::generation();
        let token = within(async {
            let mut conn = catalog.pool.get_conn().await?;
            let token = Token::read(&mut conn).await?;
            catalog.scan(&mut conn).await?;
            Ok(token)
        });
        let token = token.await?;
        let watch = Watch {
            token: Some(token),
            settled: false,
            generation,
        };
        let pause = max_age / 2;
        tokio::spawn(watch.run(Arc::downgrade(&catalog), pause));
        Ok(catalog)
    }

    /// The newest snapshot.
    pub fn index(&self) -> Arc<Index> {
        self.index.load_full()
    }

    /// Looks at these tables (schema, name) anew, after a DDL statement that may have made,
    /// changed or dropped them; each as a statement names it, in UTF-8.
    pub async fn refresh_tables(
        self: &Arc<Self>,
        tables: &[(String, String)],
    ) -> Result<(), CatalogError> {
        let names = tables.iter().map(|(s, t)| Name::new(s, t)).collect();
        self.refresh(names, None).await
    }

    /// Looks at all tables of a schema anew.
    pub async fn refresh_schema(self: &Arc<Self>, schema: &str) -> Result<(), CatalogError> {
        let known = self.known().names_in(schema);
        self.refresh(known, Some(schema.to_owned())).await
    }

    /// A table as the server has it now, with codec columns or without, and whether it has no
    /// rows; `None` if there is no such table.
    pub async fn look(
        self: &Arc<Self>,
        schema: &str,
        table: &str,
    ) -> Result<Option<(Table, bool)>, CatalogError> {
        let (this, name) = (self.clone(), Name::new(schema, table));
        let look = async move {
            within(async {
                let mut conn = this.pool.get_conn().await?;
                let Some(table) = scan::any_table(&mut conn, &this.markers, &name).await? else {
                    return Ok(None);
                };
                let is_empty = scan::is_empty(&mut conn, &name).await?;
                Ok(Some((table, is_empty)))
            })
            .await
        };
        let look = self.runtime.spawn(look);
        look.await.unwrap_or(Err(CatalogError::Closed))
    }

    /// Reads all of it anew: the codecs that there are have changed.
    pub async fn rescan(self: &Arc<Self>) -> Result<(), CatalogError> {
        let this = self.clone();
        let scan = async move {
            let _one_at_a_time = this.looks.lock().await;
            within(async {
                let mut conn = this.pool.get_conn().await?;
                this.scan(&mut conn).await
            })
            .await
        };
        let scan = self.runtime.spawn(scan);
        scan.await.unwrap_or(Err(CatalogError::Closed))
    }

    /// Whether the server answers the account.
    pub async fn ping(self: &Arc<Self>) -> Result<(), CatalogError> {
        let this = self.clone();
        let ping =
            async move { within(async { Ok(this.pool.get_conn().await?.ping().await?) }).await };
        let ping = self.runtime.spawn(ping);
        ping.await.unwrap_or(Err(CatalogError::Closed))
    }

    /// Has the server end a connection of its own; it refuses unless the account may.
    pub async fn kill(self: &Arc<Self>, connection: u32) -> Result<(), CatalogError> {
        let this = self.clone();
        let kill = async move {
            within(async {
                let mut conn = this.pool.get_conn().await?;
                Ok(conn.query_drop(format!("KILL {connection}")).await?)
            })
            .await
        };
        let kill = self.runtime.spawn(kill);
        kill.await.unwrap_or(Err(CatalogError::Closed))
    }

    async fn refresh(
        self: &Arc<Self>,
        mut names: Vec<Name>,
        schema: Option<String>,
    ) -> Result<(), CatalogError> {
        let this = self.clone();
        let look = async move {
            let _one_at_a_time = this.looks.lock().await;
            within(async {
                let mut conn = this.pool.get_conn().await?;
                if let Some(schema) = schema {
                    names.extend(scan::names_in_schema(&mut conn, &schema).await?);
                    names.sort();
                    names.dedup();
                }
                for name in names {
                    let found = scan::one(&mut conn, &this.markers, &name).await?;
                    this.known().take(name, found);
                }
                Ok(())
            })
            .await?;
            this.publish();
            Ok(())
        };
        // On the catalog's own runtime, and to its end even if the caller is dropped meanwhile.
        let look = self.runtime.spawn(look);
        look.await.unwrap_or(Err(CatalogError::Closed))
    }

    /// A full scan.
    async fn scan(&self, conn: &mut Conn) -> Result<(), CatalogError> {
        let columns = {
            let mut known = self.known();
            known.begin_scan();
            known.codec_columns()
        };
        let since = Instant::now();
        let scan = scan::all(conn, &self.markers, &columns).await?;
        metrics()
            .catalog_scans
            .observe(since.elapsed().as_secs_f64());
        self.known().end_scan(scan);
        self.publish();
        Ok(())
    }

    fn publish(&self) {
        // Under the lock, so that an older index never replaces a newer one.
        let known = self.known();
        self.index.store(Arc::new(known.index()));
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that watches the change token.
struct Watch {
    /// The token that the last successful scan began with.
    token: Option<Token>,
    /// Whether that scan saw the end of every statement that had moved the token.
    settled: bool,
    /// Which codecs there were at that scan.
    generation: u64,
}

impl Watch {
    async fn run(mut self, catalog: Weak<Catalog>, pause: Duration) {
        let mut failing = false;
        loop {
            tokio::time::sleep(pause).await;
            let Some(catalog) = catalog.upgrade() else {
                return;
            };
            match within(self.step(&catalog)).await {
                Ok(()) if failing => {
                    failing = false;
                    tracing::info!("the catalog of codec columns is read again");
                }
                Ok(()) => {}
                Err(error) => {
                    metrics().catalog_failures.inc();
                    if !failing {
                        tracing::error!(%error, "the catalog of codec columns may be outdated");
                    }
                    failing = true;
                    // Whatever answers next may be another server.
                    self.token = None;
                }
            }
        }
    }

    /// The counters move when a statement begins, so one scan may come too early: after a move
    /// the catalog is scanned once more at the next poll, and on until no statement that may
    /// declare something is running.
    async fn step(&mut self, catalog: &Catalog) -> Result<(), CatalogError> {
        let mut conn = catalog.pool.get_conn().await?;
        let token = Token::read(&mut conn).await?;
        let moved = match &self.token {
            Some(earlier) => !token.unmoved_since(earlier),
            None => true,
        };
        let generation = late::generation();
        let moved = moved || generation != self.generation;
        if !moved && self.settled {
            return Ok(());
        }
        let declaring = scan::is_declaring(&mut conn).await?;
        catalog.scan(&mut conn).await?;
        self.settled = !moved && !declaring;
        self.token = Some(token);
        self.generation = generation;
        Ok(())
    }
}

/// A small pool of its own: one connection for the watch, one for looks.
fn pool(options: OptsBuilder) -> Pool {
    let constraints = PoolConstraints::new(1, 2).unwrap_or_default();
    let options = options
        .setup(vec!["SET sql_mode = ''"])
        .pool_opts(PoolOpts::default().with_constraints(constraints));
    Pool::new(options)
}

async fn within<T>(work: impl Future<Output = Result<T, CatalogError>>) -> Result<T, CatalogError> {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or(Err(CatalogError::Silent))
}
