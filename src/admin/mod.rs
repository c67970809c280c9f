//! How a person looks into a running codec-proxy: the [`console`] (MySQL's protocol) and the
//! [`web`] page (HTTP, with the counters for Prometheus).
//!
//! Both show the same [`tables`], made from what is published elsewhere: the sessions' roster, the
//! counters, the configuration. They live on a thread of their own, which is started only if one
//! of them is configured; whoever keeps it busy keeps nobody else waiting. [`reload`] is the one
//! way by which the process changes what it was started with.

pub mod console;
mod house;
mod pulse;
mod reload;
mod table;
mod tables;
pub mod web;

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime;
use tokio::task::LocalSet;

pub use house::House;

use crate::config::{Admin, Config, Metrics};

/// The listeners of the console and the page, where they are configured.
pub struct Doors {
    console: Option<(StdListener, Admin)>,
    web: Option<(StdListener, Metrics)>,
}

impl Doors {
    /// Binds them; an error comes with the address that cannot be bound.
    pub fn bind(config: &Config) -> Result<Self, (String, io::Error)> {
        let bind = |address: &str| {
            let bound = StdListener::bind(address);
            let bound = bound.and_then(|s| s.set_nonblocking(true).map(|()| s));
            bound.map_err(|error| (address.to_owned(), error))
        };
        let console = config.admin.as_ref();
        let console = console.map(|admin| Ok((bind(&admin.address)?, admin.clone())));
        let web = config.metrics.as_ref();
        let web = web.map(|metrics| Ok((bind(&metrics.address)?, metrics.clone())));
        Ok(Self {
            console: console.transpose()?,
            web: web.transpose()?,
        })
    }

    /// Serves them from a thread of their own until the server ends; `None` if there is nothing
    /// to serve.
    pub fn open(self, house: Arc<House>) -> io::Result<Option<JoinHandle<()>>> {
        let Self { console, web } = self;
        if console.is_none() && web.is_none() {
            return Ok(None);
        }
        if let Some((listener, _)) = &console {
            tracing::info!(address = %listener.local_addr()?, "the console listens");
        }
        if let Some((listener, _)) = &web {
            tracing::info!(address = %listener.local_addr()?, "metrics are served");
        }
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let work = move || {
            let local = LocalSet::new();
            local.block_on(&runtime, async {
                if let Some((listener, admin)) = console {
                    local.spawn_local(console::serve(listener, admin, house.clone()));
                }
                if let Some((listener, metrics)) = web {
                    local.spawn_local(pulse::beat(house.clone()));
                    local.spawn_local(web::serve(listener, metrics, house.clone()));
                }
                let ending = house.shared().ending.clone();
                ending.cancelled().await;
            });
        };
        thread::Builder::new()
            .name("attendant".to_owned())
            .spawn(work)
            .map(Some)
    }
}
