//! A relay that makes an HTTP server on this machine as slow to answer as one far away.
//!
//! On one HTTP/1.1 connection a request follows the answer to the one before it, so the first bytes from the client
//! after bytes from the server begin a request: they wait, everything else passes at once. The interim answer
//! `100 Continue` ends nothing. Connections wait each for itself: requests on several are held back in parallel.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::{Outcome, answer};

const READ_BUFFER: usize = 128 << 10;

/// Relays to `to` until it is killed.
pub async fn run(to: SocketAddr, milliseconds: u64) -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    answer(&listener.local_addr()?.port().to_string())?;
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(async move {
            if let Ok(server) = TcpStream::connect(to).await {
                let _ = client.set_nodelay(true);
                let _ = server.set_nodelay(true);
                let (client_read, client_write) = client.into_split();
                let (server_read, server_write) = server.into_split();
                let answered = Arc::new(AtomicBool::new(true));
                tokio::spawn(answers(server_read, client_write, Arc::clone(&answered)));
                requests(
                    client_read,
                    server_write,
                    &answered,
                    Duration::from_millis(milliseconds),
                )
                .await;
            }
        });
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    answered: &AtomicBool,
    delay: Duration,
) {
    let mut buffer = vec![0; READ_BUFFER];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if answered.swap(false, Ordering::Relaxed) {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, answered: Arc<AtomicBool>) {
    let mut buffer = vec![0; READ_BUFFER];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if !buffer.starts_with(b"HTTP/1.1 100") {
            answered.store(true, Ordering::Relaxed);
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
}
