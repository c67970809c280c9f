//! The console: `mysql -P 6032` shows the process itself.
//!
//! The protocol is `opensrv-mysql`'s, for which the [`gate`] stands between it and the client: one
//! packet at a time goes in, and what it would answer wrongly is answered here.
//!
//! 1. A client is accepted if fewer than `admin.clients` are there; else it gets error 1040.
//! 2. It logs in within `limits.login_seconds`, with the account of `[admin]` ([`account`]); else
//!    it gets error 1045, or nothing if it was too slow.
//! 3. Each statement is read ([`command`]) and answered ([`answers`]). What is no command is an
//!    error with the command that looks most like it.
//! 4. One that sends no whole packet for hours, or does not read its answer, is left. Whatever
//!    goes wrong ends this client's connection and nothing else.

mod account;
mod answers;
mod command;
mod gate;
mod values;

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use opensrv_mysql::AsyncMysqlIntermediary;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::account::Account;
use self::answers::Answers;
use self::gate::Gate;
use super::House;
use crate::config::Admin;
use crate::wire::packet;

/// How long a client that is turned away may take to read why.
const GOODBYE: Duration = Duration::from_secs(1);

/// Accepts clients for as long as it is polled.
pub(super) async fn serve(listener: StdListener, admin: Admin, house: Arc<House>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the console's listener was lost"),
    };
    let room = Arc::new(Semaphore::new(admin.clients));
    let account = Arc::new(Account::new(admin.user, admin.password));
    loop {
        match listener.accept().await {
            Ok((client, peer)) => match room.clone().try_acquire_owned() {
                Ok(place) => {
                    let one = serve_client(client, peer, account.clone(), house.clone(), place);
                    tokio::spawn(one);
                }
                Err(_) => drop(tokio::spawn(turn_away(client))),
            },
            Err(error) => {
                tracing::error!(%error, "the console cannot accept a client");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve_client(
    client: TcpStream,
    peer: SocketAddr,
    account: Arc<Account>,
    house: Arc<House>,
    _place: OwnedSemaphorePermit,
) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let id = COUNT.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    if client.set_nodelay(true).is_err() {
        return;
    }
    let patience = house.shared().limits.login_seconds;
    let counters = house.clone();
    let gate = Arc::new(Gate::new(move || statistics(&counters)));
    let (from, to) = client.into_split();
    let (reader, writer) = (
        gate::Reader::new(from, gate.clone()),
        gate::Writer::new(to, gate.clone()),
    );
    let answers = match Answers::new(house, account, gate.clone(), id, peer) {
        Ok(answers) => answers,
        Err(error) => return tracing::error!(%error, "no console session"),
    };
    let served = AsyncMysqlIntermediary::run_on(answers, reader, writer);
    let too_late = async {
        tokio::time::sleep(patience).await;
        if gate.is_open() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = served => match served {
            Ok(()) => tracing::debug!(%peer, "console session ends"),
            Err(error) => tracing::info!(%peer, %error, "console session breaks off"),
        },
        () = too_late => tracing::info!(%peer, "no console session: the login took too long"),
    }
}

/// As `\s` of the `mysql` prompt reads it: the uptime first.
fn statistics(house: &House) -> String {
    let roster = &house.shared().roster;
    let ((now, begun), counted) = (roster.count(), roster.counted());
    format!(
        "Uptime: {}  Sessions: {now}  Sessions since start: {begun}  Commands: {}",
        house.uptime().as_secs(),
        counted.commands
    )
}

/// An error before the greeting: the client's capabilities are not known, so no SQLSTATE.
async fn turn_away(mut client: TcpStream) {
    let mut payload = vec![0xff];
    payload.extend_from_slice(&1040u16.to_le_bytes());
    payload.extend_from_slice(b"codec-proxy: too many clients of the console (admin.clients)");
    let mut wire = packet::header(payload.len(), 0).to_vec();
    wire.extend(payload);
    let _ = tokio::time::timeout(GOODBYE, client.write_all(&wire)).await;
}
