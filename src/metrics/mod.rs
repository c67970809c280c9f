//! What the process counts, for `SHOW STATUS`, `/metrics` and the page.
//!
//! A room at the bottom: whoever does something counts it here, and nobody is told. What happens
//! for every command of a client is not counted here but in the session's own entry
//! ([`crate::session::roster`]), which no other thread writes to; here is what happens once a
//! statement that is looked into, a store request or a scan. Names and units are those that
//! Prometheus recommends: `_total`, `_seconds`, `_bytes`.

mod refused;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
};

pub use refused::{Refusals, Refused};

/// Upper bounds of the histograms' buckets, in seconds: from what planning takes to what a large
/// object takes.
const BUCKETS: [f64; 14] = [
    0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0,
];

/// The counters of the process.
pub struct Metrics {
    /// All of them, to be gathered.
    pub registry: Registry,
    /// Statements that were looked into, by what was planned.
    pub statements: IntCounterVec,
    /// The part of a statement's time that is codec-proxy's own, by phase.
    phases: HistogramVec,
    /// Errors of codec-proxy's own that clients were sent, by MySQL error number.
    refused: IntCounterVec,
    /// Clients that got no session, by reason.
    pub turned_away: IntCounterVec,
    /// Requests to stores: store, operation, outcome.
    store_requests: IntCounterVec,
    /// How long they took: store, operation.
    store_seconds: HistogramVec,
    /// How long full scans of the catalog took.
    pub catalog_scans: Histogram,
    /// Looks at the catalog that failed.
    pub catalog_failures: IntCounter,
    /// Calls of codecs in Python: codec, outcome.
    python_calls: IntCounterVec,
    /// How long they took, for a free worker included.
    python_seconds: HistogramVec,
    /// Python workers that are ready or at work.
    pub python_workers: IntGauge,
    /// Python workers that have become ready.
    pub python_starts: IntCounter,
    /// Reloads of the configuration, by outcome.
    pub reloads: IntCounterVec,
    /// The newest refusals.
    pub refusals: Refusals,
}

/// A part of a statement's time that is codec-proxy's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// From the text to the plan.
    Plan,
    /// Until all values of a statement are encoded and stored.
    Encode,
    /// While the rows of a result wait for their values.
    Decode,
}

/// The counters.
pub fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);
    &METRICS
}

impl Metrics {
    fn new() -> Self {
        let registry = Registry::new();
        let made = Making(&registry);
        Self {
            statements: made.counters(
                "statements_total",
                "Statements that were looked into, by what was planned.",
                &["plan"],
            ),
            phases: made.histograms(
                "statement_seconds",
                "The part of a statement's time that is codec-proxy's own, by phase.",
                &["phase"],
            ),
            refused: made.counters(
                "refusals_total",
                "Errors of codec-proxy's own that clients were sent, by MySQL error number.",
                &["error"],
            ),
            turned_away: made.counters(
                "sessions_rejected_total",
                "Clients that got no session, by reason.",
                &["reason"],
            ),
            store_requests: made.counters(
                "store_requests_total",
                "Requests to stores, by outcome.",
                &["store", "operation", "outcome"],
            ),
            store_seconds: made.histograms(
                "store_request_seconds",
                "How long requests to stores took, retries included.",
                &["store", "operation"],
            ),
            catalog_scans: made
                .histograms(
                    "catalog_scan_seconds",
                    "How long full scans of the column comments took.",
                    &[],
                )
                .with_label_values::<&str>(&[]),
            catalog_failures: made
                .counters(
                    "catalog_failures_total",
                    "Looks at the catalog that failed.",
                    &[],
                )
                .with_label_values::<&str>(&[]),
            python_calls: made.counters(
                "python_calls_total",
                "Calls of codecs in Python, by outcome.",
                &["codec", "outcome"],
            ),
            python_seconds: made.histograms(
                "python_call_seconds",
                "How long calls of codecs in Python took, the wait for a worker included.",
                &["codec"],
            ),
            python_workers: made.gauge(
                "python_workers",
                "Python workers that are ready or at work.",
            ),
            python_starts: made
                .counters(
                    "python_workers_started_total",
                    "Python workers that have become ready.",
                    &[],
                )
                .with_label_values::<&str>(&[]),
            reloads: made.counters(
                "reloads_total",
                "Reloads of the configuration, by outcome.",
                &["outcome"],
            ),
            refusals: Refusals::default(),
            registry,
        }
    }

    /// A statement spent so long in this phase.
    pub fn spent(&self, phase: Phase, time: Duration) {
        let name = match phase {
            Phase::Plan => "plan",
            Phase::Encode => "encode",
            Phase::Decode => "decode",
        };
        let phase = self.phases.with_label_values(&[name]);
        phase.observe(time.as_secs_f64());
    }

    /// A request to a store that began at `since` has ended.
    pub fn asked_store(&self, store: &str, operation: &str, outcome: &str, since: Instant) {
        let requests = &self.store_requests;
        requests
            .with_label_values(&[store, operation, outcome])
            .inc();
        let seconds = self.store_seconds.with_label_values(&[store, operation]);
        seconds.observe(since.elapsed().as_secs_f64());
    }

    /// A call of a codec in Python that began at `since` has ended.
    pub fn called_python(&self, codec: &str, outcome: &str, since: Instant) {
        self.python_calls.with_label_values(&[codec, outcome]).inc();
        let seconds = self.python_seconds.with_label_values(&[codec]);
        seconds.observe(since.elapsed().as_secs_f64());
    }

    /// A client is sent an error of codec-proxy's own.
    pub fn refused(&self, session: u64, code: u16, message: &str) {
        self.refused.with_label_values(&[&code.to_string()]).inc();
        self.refusals.push(session, code, message);
    }
}

/// Makes counters and registers them.
struct Making<'a>(&'a Registry);

impl Making<'_> {
    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(options(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.register(IntGauge::with_opts(options(name, help)))
    }

    fn histograms(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        let options = HistogramOpts::from(options(name, help)).buckets(BUCKETS.to_vec());
        self.register(HistogramVec::new(options, labels))
    }

    fn register<C: prometheus::core::Collector + Clone + 'static>(
        &self,
        made: prometheus::Result<C>,
    ) -> C {
        // All names are constants of this file, and a test makes them.
        let made = made.expect("names and labels are well-formed");
        let registered = self.0.register(Box::new(made.clone()));
        registered.expect("names are registered once");
        made
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(format!("codec_proxy_{name}"), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_counts() {
        let metrics = Metrics::new();
        metrics.spent(Phase::Plan, Duration::from_micros(20));
        metrics.asked_store("main", "put", "ok", Instant::now());
        metrics.refused(7, 1235, "codec-proxy: lab.scan.traces: no");
        metrics.statements.with_label_values(&["read"]).inc();
        let families = metrics.registry.gather();
        let text = prometheus::TextEncoder::new()
            .encode_to_string(&families)
            .unwrap();
        for line in [
            "codec_proxy_statement_seconds_bucket{phase=\"plan\",le=\"0.00003\"} 1",
            "codec_proxy_statement_seconds_bucket{phase=\"plan\",le=\"0.00001\"} 0",
            "codec_proxy_store_requests_total{operation=\"put\",outcome=\"ok\",store=\"main\"} 1",
            "codec_proxy_refusals_total{error=\"1235\"} 1",
            "codec_proxy_statements_total{plan=\"read\"} 1",
            "codec_proxy_catalog_scan_seconds_count 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
        assert_eq!(metrics.refusals.newest().len(), 1);
    }
}
