//! `SHOW STATUS` and `/metrics`: the counters, and what is counted by looking.

use prometheus::core::Collector;
use prometheus::proto::{MetricFamily, MetricType};
use prometheus::{
    Counter, Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use super::process::{Process, start_time};
use crate::admin::House;
use crate::admin::table::{Column, Table, text};
use crate::catalog::ColumnCodec;
use crate::codec::registry;
use crate::metrics::metrics;
use crate::session::roster::State;

const STATUS: &[Column] = &[text("Variable_name"), text("Value")];

/// The counters with their values.
pub(in crate::admin) fn status(house: &House) -> Table {
    let mut table = Table::new(STATUS);
    table.row([
        "uptime_seconds".to_owned(),
        house.uptime().as_secs().to_string(),
    ]);
    for family in families(house) {
        let name = family.name();
        let name = name.strip_prefix("codec_proxy_").unwrap_or(name);
        for metric in family.get_metric() {
            let mut name = name.to_owned();
            for label in metric.get_label() {
                name = format!("{name}.{}", label.value());
            }
            match family.get_field_type() {
                MetricType::HISTOGRAM => {
                    let histogram = metric.get_histogram();
                    let count = histogram.get_sample_count();
                    table.row([format!("{name}.count"), count.to_string()]);
                    let sum = histogram.get_sample_sum();
                    table.row([format!("{name}.sum"), format!("{sum:.6}")]);
                }
                MetricType::COUNTER => {
                    table.row([name, metric.get_counter().get_value().to_string()]);
                }
                _ => table.row([name, metric.get_gauge().get_value().to_string()]),
            }
        }
    }
    table
}

/// All that is counted.
pub(in crate::admin) fn families(house: &House) -> Vec<MetricFamily> {
    let mut families = metrics().registry.gather();
    // Without an error: every name is a constant of this file, and the tests gather them.
    families.extend(looked(house).unwrap_or_default());
    families.sort_by(|a, b| a.name().cmp(b.name()));
    families
}

/// What is counted by looking, at this moment.
fn looked(house: &House) -> prometheus::Result<Vec<MetricFamily>> {
    let registry = Registry::new();
    let shared = house.shared();
    let build = IntGaugeVec::new(
        named("build_info", "The version that runs; always 1."),
        &["version"],
    )?;
    build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    add(&registry, build)?;

    let sessions = IntGaugeVec::new(
        named(
            "sessions",
            "Clients that are connected, by what they are doing.",
        ),
        &["state"],
    )?;
    for state in State::ALL {
        sessions.with_label_values(&[state.name()]).set(0);
    }
    for seen in shared.roster.look() {
        sessions.with_label_values(&[seen.state.name()]).inc();
    }
    add(&registry, sessions)?;
    let (_, begun) = shared.roster.count();
    counter(
        &registry,
        "sessions_total",
        "Clients that have connected.",
        begun,
    )?;

    let counted = shared.roster.counted();
    let help = "Commands that clients have sent.";
    counter(&registry, "commands_total", help, counted.commands)?;
    let bytes = IntCounterVec::new(
        named(
            "client_bytes_total",
            "Bytes from clients (received) and to them (sent), without TLS and compression.",
        ),
        &["direction"],
    )?;
    bytes
        .with_label_values(&["received"])
        .inc_by(counted.received);
    bytes.with_label_values(&["sent"]).inc_by(counted.sent);
    add(&registry, bytes)?;

    let columns = IntGaugeVec::new(
        named(
            "codec_columns",
            "Codec columns in the catalog, by whether their codec can be run.",
        ),
        &["usable"],
    )?;
    let usable = ["yes", "no"].map(|usable| columns.with_label_values(&[usable]));
    usable.iter().for_each(|gauge| gauge.set(0));
    for table in shared.catalog.index().tables() {
        for codec in table
            .columns
            .iter()
            .filter_map(|column| column.codec.as_ref())
        {
            usable[usize::from(matches!(codec, ColumnCodec::Unusable { .. }))].inc();
        }
    }
    add(&registry, columns)?;
    let codecs = IntGauge::with_opts(named("codecs", "Codecs that columns can have."))?;
    codecs.set(registry::current().entries().count() as i64);
    add(&registry, codecs)?;
    process(&registry, house)?;
    Ok(registry.gather())
}

/// Under the names that every process has.
fn process(registry: &Registry, house: &House) -> prometheus::Result<()> {
    let Process {
        cpu_seconds,
        resident_bytes,
        open_fds,
    } = Process::now();
    let start = Gauge::new(
        "process_start_time_seconds",
        "When the process began to serve, in seconds after 1970.",
    )?;
    start.set(start_time(house.uptime()));
    add(registry, start)?;
    if let Some(seconds) = cpu_seconds {
        let cpu = Counter::new(
            "process_cpu_seconds_total",
            "Processor time of all threads.",
        )?;
        cpu.inc_by(seconds);
        add(registry, cpu)?;
    }
    for (name, help, value) in [
        (
            "process_resident_memory_bytes",
            "Memory in use.",
            resident_bytes,
        ),
        ("process_open_fds", "Open files and sockets.", open_fds),
    ] {
        if let Some(value) = value {
            let gauge = IntGauge::new(name, help)?;
            gauge.set(value);
            add(registry, gauge)?;
        }
    }
    Ok(())
}

fn counter(registry: &Registry, name: &str, help: &str, value: u64) -> prometheus::Result<()> {
    let counter = IntCounter::with_opts(named(name, help))?;
    counter.inc_by(value);
    add(registry, counter)
}

fn add(registry: &Registry, made: impl Collector + 'static) -> prometheus::Result<()> {
    registry.register(Box::new(made))
}

fn named(name: &str, help: &str) -> Opts {
    Opts::new(format!("codec_proxy_{name}"), help)
}
