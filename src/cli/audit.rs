//! `lockerd audit`: the signed head of the audit chain, and whether the chain is as it was written.
//! Only looks: works beside a running server, and on a copy of the database elsewhere.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{say, say_json};
use crate::config::Config;
use crate::service::audit::{AuditKey, AuditPublicKey, Verdict, describe, why};
use crate::service::secrets::{KEY_BYTES, Secrets};
use crate::store::{DataDir, check};

/// The file of the key that signs heads.
const KEY_FILE: &str = "audit.key";

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Print the newest head of the audit chain, signed: keep it where nobody at the site can change it.
    ///
    /// Example: lockerd audit head --config /etc/lockerd/config.toml
    Head(HeadArgs),
    /// Walk the audit chain and name the first row that is not as it was written.
    ///
    /// Example: lockerd audit verify --head 01000000... --config /etc/lockerd/config.toml
    Verify(VerifyArgs),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Look at this database file instead of the configured one's.
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// The site's audit.key, where it is not beside the database.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print what was found as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct HeadArgs {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    place: Place,
    /// A signed head that was kept elsewhere, as the daily mail has it. Without one it cannot be seen
    /// that the newest rows were cut off or written anew.
    #[arg(long, value_name = "HEX")]
    head: Option<String>,
    /// Check the head's signature with this key (`audit head --json` prints it) instead of audit.key.
    #[arg(long, value_name = "HEX", conflicts_with = "key")]
    public_key: Option<String>,
}

pub(super) fn run(command: &AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Head(args) => head(args),
        AuditCommand::Verify(args) => verify(args),
    }
}

/// Where to look, and with which calendar times are told.
struct Found {
    database: PathBuf,
    zone: TimeZone,
    data_dir: Option<PathBuf>,
}

impl Place {
    /// With a database named, the configuration need not be there.
    fn find(&self) -> anyhow::Result<Found> {
        let found = if let Some(path) = &self.database {
            Found { database: path.clone(), zone: TimeZone::UTC, data_dir: None }
        } else {
            let config = Config::load(&self.config)?;
            let database = DataDir::new(&config.data_dir).database();
            let zone = config.zone()?;
            Found { database, zone, data_dir: Some(config.data_dir) }
        };
        let there = found.database.try_exists();
        let there = there.with_context(|| {
            format!("cannot look at {}: run as its owner", found.database.display())
        })?;
        anyhow::ensure!(there, "{} does not exist", found.database.display());
        Ok(found)
    }

    fn audit_key(&self, found: &Found) -> anyhow::Result<AuditKey> {
        let bytes = if let Some(path) = &self.key {
            Some(std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?)
        } else {
            let dir = found.data_dir.as_deref().or_else(|| found.database.parent());
            Secrets::of(dir.unwrap_or(Path::new("."))).find(KEY_FILE)?
        };
        let bytes = bytes.with_context(|| {
            format!("there is no {KEY_FILE} beside {}: give --key", found.database.display())
        })?;
        let seed: [u8; KEY_BYTES] = bytes
            .try_into()
            .map_err(|_| anyhow::anyhow!("{KEY_FILE} must hold {KEY_BYTES} bytes"))?;
        AuditKey::new(&seed).map_err(anyhow::Error::msg)
    }
}

fn head(args: &HeadArgs) -> anyhow::Result<()> {
    let found = args.place.find()?;
    let key = args.place.audit_key(&found)?;
    let head = check::audit_head(&found.database)?;
    let signed = key.sign(&head);
    if args.place.json {
        return say_json(&json!({
            "rows": head.rows,
            "hash": data_encoding::HEXLOWER.encode(&head.hash),
            "head": signed,
            "public_key": key.public().to_hex(),
        }));
    }
    say(signed);
    Ok(())
}

fn verify(args: &VerifyArgs) -> anyhow::Result<()> {
    let found = args.place.find()?;
    let known = match &args.head {
        Some(text) => {
            let key = match &args.public_key {
                Some(hex) => AuditPublicKey::parse(hex).map_err(anyhow::Error::msg)?,
                None => args.place.audit_key(&found)?.public(),
            };
            Some(key.read(text).map_err(anyhow::Error::msg)?)
        }
        None => None,
    };
    match check::verify_audit(&found.database, known.as_ref())? {
        Verdict::Intact(head) => {
            if args.place.json {
                let hash = data_encoding::HEXLOWER.encode(&head.hash);
                return say_json(&json!({
                    "intact": true,
                    "rows": head.rows,
                    "hash": hash,
                    "head_rows": known.map(|head| head.rows),
                }));
            }
            say(match known {
                Some(known) => format!(
                    "intact: {} rows, of which the signed head proves the first {}",
                    head.rows, known.rows
                ),
                None => format!(
                    "intact: {} rows; only a head that was kept elsewhere proves that the newest \
                     are all there (--head)",
                    head.rows
                ),
            });
            Ok(())
        }
        Verdict::Broken(bad) => {
            if args.place.json {
                let at = bad.at_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
                say_json(&json!({
                    "intact": false,
                    "bad_row": {
                        "audit_id": bad.id,
                        "at": at.map(|at| at.to_string()),
                        "action": bad.action,
                        "reason": why(&bad),
                    },
                }))?;
            }
            bail!("the audit log is not as it was written: {}", describe(&bad, &found.zone))
        }
    }
}
