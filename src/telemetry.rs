//! The log: to the journal with its fields when systemd started us, to standard error otherwise.
//!
//! Every line has a field `area` (http, store, bus, jobs, mail, audit), so that
//! `journalctl -u lockerd AREA=bus` shows one room of the house. Secrets and personal data never
//! go in.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging; `filter` is what the configuration says, `RUST_LOG` wins over it.
pub fn start(filter: &str) -> Result<(), String> {
    let text = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| filter.to_owned());
    // The migration tool's own lines have no area; what it did is logged by the store.
    let filter = EnvFilter::try_new(format!("refinery_core=warn,{text}"))
        .map_err(|error| format!("log.filter {text:?} is not understood: {error}"))?;
    let registry = tracing_subscriber::registry().with(filter);
    let under_systemd = std::env::var_os("JOURNAL_STREAM").is_some();
    let journal = if under_systemd { tracing_journald::layer().ok() } else { None };
    let started = if let Some(journal) = journal {
        registry.with(journal.with_field_prefix(None)).try_init()
    } else {
        let colours = std::io::stderr().is_terminal();
        let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        registry.with(layer.with_target(false).with_ansi(colours)).try_init()
    };
    started.map_err(|error| format!("logging was started twice: {error}"))
}
