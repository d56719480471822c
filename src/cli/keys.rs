//! `lockerd keys`: a new key for access tokens, whether the server runs or not.
//!
//! A server that runs owns its keys: it is asked by a file in the data directory, rotates without a
//! restart and answers by another one.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;

use super::{offline, say};
use crate::config::Config;
use crate::service::token_keys::RotationRequest;
use crate::store::{DataDir, OpenError};

/// Longest wait for the server's answer; it looks every 2 seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
const LOOK_PERIOD: Duration = Duration::from_millis(100);

#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Sign access tokens with a new key from now on; a server that runs needs no restart.
    ///
    /// Log-ins go on. Tokens of the key before stay good until they are dead by themselves.
    ///
    /// Example: lockerd keys rotate
    Rotate(RotateArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct RotateArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// The key was stolen: access tokens that are out die at once (clients refresh and go on).
    #[arg(long)]
    at_once: bool,
}

pub(super) fn run(command: &KeysCommand) -> anyhow::Result<()> {
    let KeysCommand::Rotate(args) = command;
    let config = Config::load(&args.config)?;
    let request = RotationRequest { at_once: args.at_once };
    let dir = DataDir::new(&config.data_dir);
    match dir.lock() {
        Err(OpenError::InUse(_)) => return ask_the_server(request, dir.path()),
        Err(error) => return Err(error.into()),
        Ok(lock) => drop(lock),
    }
    let rotated = offline::with_services(&config, async |services| {
        services
            .rotate_keys(None, request.at_once)
            .await
            .map_err(|error| anyhow::anyhow!("{}", error.detail))
    })?;
    say(rotated.to_string());
    Ok(())
}

fn ask_the_server(request: RotationRequest, dir: &std::path::Path) -> anyhow::Result<()> {
    let (asked, answer) = (request.path(dir), RotationRequest::answer_path(dir));
    match std::fs::remove_file(&answer) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", answer.display()));
        }
        _ => {}
    }
    std::fs::write(&asked, []).with_context(|| format!("cannot write {}", asked.display()))?;
    super::runtime(1)?.block_on(async {
        let waited = tokio::time::timeout(ANSWER_TIMEOUT, async {
            while !answer.exists() {
                tokio::time::sleep(LOOK_PERIOD).await;
            }
        });
        if waited.await.is_err() {
            let _ = std::fs::remove_file(&asked);
            bail!("the server did not answer within {} s: see its log", ANSWER_TIMEOUT.as_secs());
        }
        Ok(())
    })?;
    let line = std::fs::read_to_string(&answer)
        .with_context(|| format!("cannot read {}", answer.display()))?;
    let _ = std::fs::remove_file(&answer);
    if !line.starts_with("rotated: ") {
        bail!("{line}");
    }
    say(line);
    Ok(())
}
