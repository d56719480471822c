//! The use-cases without a server: for commands that set a site up while nothing serves it.

use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::Bus;
use crate::clock::Clock;
use crate::config::Config;
use crate::service::audit::AuditKey;
use crate::service::secrets::{Secrets, Vault};
use crate::service::token_keys::TokenKeys;
use crate::service::{Parts, Services};
use crate::store::{DataDir, Store};

/// Opens the data directory, runs the work and closes it again. No bus is touched.
pub(super) fn with_services<T>(
    config: &Config,
    work: impl AsyncFnOnce(Arc<Services>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    crate::telemetry::start("warn").map_err(anyhow::Error::msg)?;
    super::runtime(1)?.block_on(async {
        let dir = DataDir::new(&config.data_dir);
        let _lock = dir.lock()?;
        let clock = Clock::system(config.zone()?);
        let (store, writer) = Store::open(&dir, &clock)?;
        let secrets = Secrets::of(dir.path());
        let vault = Vault::new(&secrets.load_or_create("vault.key").context("a key")?);
        let audit_key = secrets.load_or_create("audit.key").context("a key")?;
        let tracker = TaskTracker::new();
        let services = Services::new(Parts {
            bus: Bus::start(Vec::new(), &tracker, &CancellationToken::new()),
            token_keys: TokenKeys::load(secrets, clock.now()).context("a key")?,
            vault,
            mailer: config.mailer()?,
            audit_key: AuditKey::new(&audit_key).map_err(anyhow::Error::msg)?,
            settings: config.settings()?,
            store,
            clock,
            tracker: tracker.clone(),
        });
        let done = work(Arc::clone(&services)).await;
        tracker.close();
        tracker.wait().await;
        let saved = services.save_state().await;
        services.store.close();
        tokio::task::spawn_blocking(move || writer.join()).await?;
        saved.map_err(|error| anyhow::anyhow!("{}", error.detail))?;
        done
    })
}
