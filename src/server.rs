//! Listeners, threads, shutdown.
