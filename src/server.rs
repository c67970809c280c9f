//! Listeners, threads, shutdown.
//!
//! 1. Codecs are checked, certificates, stores and the catalog are set up; a fault here ends the process.
//! 2. Each listener is bound, the console's and the page's too, then announced with a log line
//!    `listening`; the server is ready when all are out.
//! 3. Each worker thread has a runtime of its own and accepts from every listener. A session
//!    lives on the thread that accepted it.
//! 4. SIGTERM or SIGINT: nothing more is accepted, sessions end when no statement of theirs
//!    runs, at the latest after `limits.shutdown_seconds`.

use std::io;
use std::net::TcpListener as StdListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::{self, House};
use crate::catalog::{Catalog, CatalogError};
use crate::codec::{self, registry::RegistryError};
use crate::config::{Config, Listen};
use crate::python;
use crate::session::roster::Roster;
use crate::session::{self, Live, Shared, tls};
use crate::store::{SettingsError, Stores};
use crate::view::View;

/// Why the server does not start, or stops.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The codecs that this program was built with.
    #[error(transparent)]
    Codecs(#[from] RegistryError),
    /// A listener's address cannot be bound.
    #[error("cannot listen on {0}: {1}")]
    Bind(String, io::Error),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The database account of the catalog.
    #[error("cannot read the catalog: {0}")]
    Catalog(#[from] CatalogError),
    /// The stores.
    #[error(transparent)]
    Store(#[from] SettingsError),
    /// The operating system refuses threads or signals.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Serves until a signal ends it; `file` is where the configuration was read from.
pub fn serve(config: Config, file: &Path) -> Result<(), ServeError> {
    serve_until(config, file, |_| {}, CancellationToken::new())
}

/// As [`serve`], also until `stop` is cancelled; `ready` is called with the bound addresses, in
/// the order of the configuration.
pub fn serve_until(
    config: Config,
    file: &Path,
    ready: impl FnOnce(&[std::net::SocketAddr]),
    stop: CancellationToken,
) -> Result<(), ServeError> {
    codec::registry::check()?;
    // Libraries that make TLS configurations of their own find the provider here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Stores and the catalog work here, apart from the threads that relay.
    let background = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("store")
        .enable_all()
        .build()?;
    let listeners = bind(&config.listen)?;
    let doors =
        admin::Doors::bind(&config).map_err(|(address, error)| ServeError::Bind(address, error))?;
    let ending = CancellationToken::new();
    let live: Live = Arc::new(ArcSwap::from_pointee(Shared {
        database: config.database.address.clone(),
        tls: tls::Tls::new(&config)?,
        declare: config.declare.clone(),
        stores: Stores::open(
            &config.stores,
            config.limits.store(),
            background.handle().clone(),
        )?,
        catalog: background.block_on(Catalog::connect(
            config.database.connection_options(),
            config.catalog.max_age_seconds,
        ))?,
        limits: config.limits.clone(),
        also_readable: config.pointers.also_readable.as_slice().into(),
        roster: Arc::new(Roster::default()),
        ending: ending.clone(),
    }));
    let sessions = TaskTracker::new();
    let workers = start_workers(&config, &listeners, &live, &sessions)?;
    let house = House::new(
        live.clone(),
        config.clone(),
        file,
        background.handle().clone(),
    );
    let attendant = doors.open(Arc::new(house))?;

    let addresses: Vec<_> = listeners
        .iter()
        .map(|(l, _)| l.local_addr())
        .collect::<io::Result<_>>()?;
    for (address, listen) in addresses.iter().zip(&config.listen) {
        tracing::info!(%address, view = %listen.view, "listening");
    }
    ready(&addresses);
    background.block_on(async {
        let (mut terminate, mut interrupt) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stop.cancelled() => {}
        }
        tracing::info!("ending: no new clients, running statements may finish");
        ending.cancel();
        sessions.close();
        let patience = live.load().limits.shutdown_seconds;
        if tokio::time::timeout(patience, sessions.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                sessions = sessions.len(),
                "statements still ran and were cut off"
            );
        }
        Ok::<_, io::Error>(())
    })?;
    drop((workers, attendant));
    // With their last codec the Python processes end.
    python::install(None, &config.stores);
    background.shutdown_background();
    Ok(())
}

fn bind(listen: &[Listen]) -> Result<Vec<(StdListener, View)>, ServeError> {
    let bind = |l: &Listen| {
        let listener =
            StdListener::bind(&l.address).and_then(|s| s.set_nonblocking(true).map(|()| s));
        listener
            .map(|s| (s, l.view))
            .map_err(|e| ServeError::Bind(l.address.clone(), e))
    };
    listen.iter().map(bind).collect()
}

/// Starts the threads that accept and relay. They end with the process, or once they are told
/// to end and their sessions have.
fn start_workers(
    config: &Config,
    listeners: &[(StdListener, View)],
    live: &Live,
    sessions: &TaskTracker,
) -> Result<Vec<thread::JoinHandle<()>>, ServeError> {
    let threads = config
        .threads
        .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let mut workers = Vec::with_capacity(threads);
    for n in 0..threads {
        let clones: Vec<_> = listeners
            .iter()
            .map(|(l, view)| Ok((l.try_clone()?, *view)))
            .collect::<io::Result<_>>()?;
        let (live, sessions) = (live.clone(), sessions.clone());
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let work = move || {
            let local = LocalSet::new();
            local.block_on(&runtime, async {
                for (listener, view) in clones {
                    match TcpListener::from_std(listener) {
                        Ok(listener) => drop(sessions.spawn_local(accept(
                            listener,
                            view,
                            live.clone(),
                            sessions.clone(),
                        ))),
                        Err(error) => tracing::error!(%error, "a listener was lost"),
                    }
                }
                let ending = live.load().ending.clone();
                ending.cancelled().await;
                sessions.wait().await;
            });
        };
        workers.push(
            thread::Builder::new()
                .name(format!("relay-{n}"))
                .spawn(work)?,
        );
    }
    Ok(workers)
}

/// Accepts clients until the server ends.
async fn accept(listener: TcpListener, view: View, live: Live, sessions: TaskTracker) {
    let ending = live.load().ending.clone();
    loop {
        let client = tokio::select! {
            () = ending.cancelled() => return,
            client = listener.accept() => client,
        };
        match client {
            Ok((client, peer)) => {
                let live = live.clone();
                sessions.spawn_local(async move {
                    if let Err(error) = client.set_nodelay(true) {
                        return tracing::info!(%error, "a client was gone at once");
                    }
                    let shared = live.load_full();
                    match shared.roster.enter(peer, view, shared.limits.sessions) {
                        Some(seat) => session::run(client, view, &live, seat).await,
                        None => {
                            tracing::warn!("a client was turned away: limits.sessions");
                            session::turn_away(client).await;
                        }
                    }
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: wait for sessions to end.
                tracing::error!(%error, "cannot accept a client");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}
