//! `lockerd simulate`: simulated boards alone, for dry runs, scripted runs and client tests.
//!
//! Without a scenario it runs until it is stopped. With one it ends with it, prints what was found,
//! and fails if something was not as expected; Ctrl-C ends it early and judges what there is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{runtime, say, say_json};
use crate::http::{self, Limits, Server};
use crate::service::Services;
use crate::sim::{Physics, Progress, Scenario, ScenarioState, SimConfig, Simulator};
use crate::{lifecycle, telemetry};

mod record;

use record::Record;

const MEBIBYTE: u64 = 1_024 * 1_024;

#[derive(Debug, clap::Args)]
pub(super) struct SimulateArgs {
    /// Which buses and boards (docs/simulator.md shows a file); a scenario may bring its own.
    #[arg(long, value_name = "FILE", required_unless_present = "scenario")]
    config: Option<PathBuf>,
    /// What happens to them: a scripted run (docs/simulator.md), whose end ends the program.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Doors and the scenario's times run so many times as fast; the wire does not.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    speed: u32,
    /// Where the control API listens; loopback only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3900")]
    listen: SocketAddr,
    /// Write every byte, fault and broken rule to this file as lines of JSON.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Most space of the log and its predecessor together.
    #[arg(long, value_name = "MIB", default_value_t = 64, requires = "log", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    log_max_mb: u64,
    /// Print where everything is, and what a scenario found, as lines of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    let scenario = args.scenario.as_deref().map(read_scenario).transpose()?;
    let config = match (&args.config, &scenario) {
        (Some(path), _) => {
            toml::from_str(&read(path)?).with_context(|| path.display().to_string())?
        }
        (None, Some(scenario)) => scenario.simulator.clone().context(
            "the scenario names no hardware of its own: give it some with --config FILE",
        )?,
        (None, None) => anyhow::bail!("--config FILE is needed"),
    };
    let config = faster(config, args.speed);
    telemetry::start("info").map_err(anyhow::Error::msg)?;
    runtime(1)?.block_on(simulate(args, config, scenario))
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn read_scenario(path: &Path) -> anyhow::Result<Scenario> {
    Scenario::parse(&read(path)?).with_context(|| path.display().to_string())
}

/// The same hardware with doors that move so many times as fast.
fn faster(config: SimConfig, speed: u32) -> SimConfig {
    let Physics { release_ms, opens_after_ms, bounce_ms, auto_close_ms } = config.physics;
    let auto_close_ms =
        auto_close_ms.map(|ms| (ms / speed).max(crate::sim::AUTO_CLOSE_MS_MIN.min(ms)));
    let physics = Physics {
        release_ms: release_ms / speed,
        opens_after_ms: opens_after_ms / speed,
        bounce_ms: bounce_ms / speed,
        auto_close_ms,
    };
    SimConfig { physics, ..config }
}

async fn simulate(
    args: &SimulateArgs,
    config: SimConfig,
    scenario: Option<Scenario>,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    lifecycle::stop_on_signals(&stop)?;
    let simulator = Simulator::start(config)?;
    let (address, server) = control(&simulator, None, args.listen, stop.clone()).await?;
    let end_log = CancellationToken::new();
    let log = match &args.log {
        Some(path) => {
            let record = Record::create(path, args.log_max_mb * MEBIBYTE, &simulator)?;
            Some(tokio::spawn(record.follow(simulator.clone(), end_log.clone())))
        }
        None => None,
    };
    announce(args, &simulator, address)?;
    let server = tokio::spawn(server);
    let found = match scenario {
        Some(scenario) => {
            simulator.start_scenario(scenario, args.speed)?;
            let found = tokio::select! {
                found = simulator.scenario_ended() => found,
                () = stop.cancelled() => simulator.stop_scenario().await,
            };
            stop.cancel();
            found
        }
        None => None,
    };
    server.await?;
    simulator.stop().await;
    end_log.cancel();
    if let Some(log) = log {
        log.await??;
    }
    found.map_or(Ok(()), |found| report(args, &found))
}

fn announce(args: &SimulateArgs, simulator: &Simulator, address: SocketAddr) -> anyhow::Result<()> {
    let state = simulator.state();
    let places = state.buses.iter().map(|bus| {
        let link = bus.link.as_ref().map(|link| link.display().to_string());
        let place = link.or_else(|| bus.tcp.map(|address| format!("tcp:{address}")));
        (bus.name.clone(), place.unwrap_or_default())
    });
    if args.json {
        let buses: serde_json::Map<_, _> =
            places.map(|(name, place)| (name, json!(place))).collect();
        return say_json(&json!({ "sim_url": format!("http://{address}"), "buses": buses }));
    }
    for (name, place) in places {
        say(format!("bus {name}: {place}"));
    }
    say(format!("control API: http://{address}/state"));
    Ok(())
}

/// Prints what a scenario found; an error if something was not as expected.
fn report(args: &SimulateArgs, found: &Progress) -> anyhow::Result<()> {
    if args.json {
        say_json(&json!(found))?;
    } else {
        say(format!("{}: {:?} after {} actions", found.title, found.state, found.actions));
        if let Some(said) = &found.assertions {
            say(serde_json::to_string_pretty(said)?);
        }
        for failure in &found.failures {
            say(format!("NOT AS EXPECTED: {failure}"));
        }
    }
    anyhow::ensure!(
        found.state != ScenarioState::Failed,
        "{} of the scenario's expectations are not met",
        found.failures.len()
    );
    Ok(())
}

/// The control API of a simulator, bound to loopback and not yet serving; with the site of a demo.
pub(super) async fn control(
    simulator: &Simulator,
    site: Option<Arc<Services>>,
    listen: SocketAddr,
    stop: CancellationToken,
) -> anyhow::Result<(SocketAddr, impl Future<Output = ()> + use<>)> {
    anyhow::ensure!(
        listen.ip().is_loopback(),
        "the simulator's control API listens on loopback only, not on {listen}"
    );
    let listener = http::accept::bind(listen).await?;
    let address = listener.local_addr()?;
    let service = http::simulator_site(simulator.clone(), site);
    let limits = Limits { connections_max: 64, ..Limits::default() };
    Ok((address, Server::new(listener, limits).run(service, stop)))
}
