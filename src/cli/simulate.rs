//! `lockerd simulate`: simulated boards alone, for dry runs of a commissioning.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{runtime, say, say_json};
use crate::http::{self, Limits, Server};
use crate::sim::{SimConfig, Simulator};
use crate::{lifecycle, telemetry};

#[derive(Debug, clap::Args)]
pub(super) struct SimulateArgs {
    /// Which buses and boards (docs/simulator.md shows a file).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where the control API listens; loopback only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3900")]
    listen: SocketAddr,
    /// Print where everything is as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &SimulateArgs) -> anyhow::Result<()> {
    let name = args.config.display();
    let text =
        std::fs::read_to_string(&args.config).with_context(|| format!("cannot read {name}"))?;
    let config: SimConfig = toml::from_str(&text).with_context(|| format!("{name}"))?;
    telemetry::start("info").map_err(anyhow::Error::msg)?;
    runtime(1)?.block_on(simulate(args, config))
}

async fn simulate(args: &SimulateArgs, config: SimConfig) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    lifecycle::stop_on_signals(&stop)?;
    let simulator = Simulator::start(config)?;
    let (address, server) = control(&simulator, args.listen, stop).await?;
    let state = simulator.state();
    let places = state.buses.iter().map(|bus| {
        let link = bus.link.as_ref().map(|link| link.display().to_string());
        let place = link.or_else(|| bus.tcp.map(|address| format!("tcp:{address}")));
        (bus.name.clone(), place.unwrap_or_default())
    });
    if args.json {
        let buses: serde_json::Map<_, _> =
            places.map(|(name, place)| (name, json!(place))).collect();
        say_json(&json!({ "sim_url": format!("http://{address}"), "buses": buses }))?;
    } else {
        for (name, place) in places {
            say(format!("bus {name}: {place}"));
        }
        say(format!("control API: http://{address}/state"));
    }
    server.await;
    simulator.stop().await;
    Ok(())
}

/// The control API of a simulator, bound to loopback and not yet serving.
pub(super) async fn control(
    simulator: &Simulator,
    listen: SocketAddr,
    stop: CancellationToken,
) -> anyhow::Result<(SocketAddr, impl Future<Output = ()> + use<>)> {
    anyhow::ensure!(
        listen.ip().is_loopback(),
        "the simulator's control API listens on loopback only, not on {listen}"
    );
    let listener = http::accept::bind(listen).await?;
    let address = listener.local_addr()?;
    let service = http::simulator_site(simulator.clone());
    let limits = Limits { connections_max: 64, ..Limits::default() };
    Ok((address, Server::new(listener, limits).run(service, stop)))
}
