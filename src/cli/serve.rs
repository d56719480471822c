//! `lockerd serve`: the server itself.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::{runtime, say};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::{lifecycle, telemetry};

pub(super) fn run(path: &Path) -> anyhow::Result<()> {
    let config = Config::load(path)?;
    telemetry::start(&config.log.filter).map_err(anyhow::Error::msg)?;
    runtime(config.http.worker_threads)?.block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    lifecycle::stop_on_signals(&stop)?;
    let signs = config.clock.clone();
    let clock = Clock::watched(config.zone()?, signs.rtc, Some(signs.synchronised_file));
    let app = App::build(&config, clock).await?;
    say(format!("lockerd listens on http://{}", app.address()?));
    app.run(stop).await?;
    Ok(())
}
