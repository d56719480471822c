//! What the commands about places share: reading them beside a running server, changing them without
//! one, tables and JSON.

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use comfy_table::Table;
use serde_json::{Value, json};

use super::{offline, say, say_json};
use crate::config::Config;
use crate::domain::id::BankId;
use crate::domain::name::Name;
use crate::service::Services;
use crate::service::error::Error;
use crate::store::{DataDir, Site, check};

/// Which configuration, and how the answer is printed.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    pub(super) config: PathBuf,
    /// Print one line of JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// A name on the command line.
#[derive(Debug, clap::Args)]
pub(super) struct NameArgs {
    /// Korean name.
    #[arg(long, value_name = "NAME")]
    pub(super) name_ko: String,
    /// English name; the Korean one when left out.
    #[arg(long, value_name = "NAME")]
    pub(super) name_en: Option<String>,
}

impl NameArgs {
    pub(super) fn read(&self) -> anyhow::Result<Name> {
        Name::parse(&self.name_ko, self.name_en.as_deref()).map_err(anyhow::Error::msg)
    }
}

/// A place as the database has it now; a server may be working with it.
pub(super) struct Kept {
    /// The places.
    pub(super) site: Site,
    /// The configuration that led there.
    pub(super) config: Config,
    /// The database file.
    pub(super) path: PathBuf,
}

/// Reads the places.
pub(super) fn read(config: &std::path::Path) -> anyhow::Result<Kept> {
    let config = Config::load(config)?;
    let path = DataDir::new(&config.data_dir).database();
    if !path.try_exists().with_context(|| format!("cannot look at {}", path.display()))? {
        bail!("{} is not there yet: run lockerd init", path.display());
    }
    let site = check::site(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Kept { site, config, path })
}

impl Kept {
    /// A bank by its number.
    pub(super) fn bank(&self, number: i64) -> anyhow::Result<&crate::domain::bank::Bank> {
        self.site.banks.get(&BankId(number)).ok_or_else(|| anyhow!("there is no bank {number}"))
    }
}

/// Changes something; the server must not be running.
pub(super) fn change<T>(
    args: &ListArgs,
    work: impl AsyncFnOnce(&Services) -> Result<T, Error>,
) -> anyhow::Result<T> {
    let config = Config::load(&args.config)?;
    offline::with_services(&config, async |services| {
        work(&services).await.map_err(|error| anyhow!("{}", error.detail))
    })
}

/// Says what was done.
pub(super) fn done(args: &ListArgs, text: &str, value: &Value) -> anyhow::Result<()> {
    if args.json {
        return say_json(value);
    }
    say(text);
    Ok(())
}

/// Prints rows as a table, or as JSON.
pub(super) fn list(
    args: &ListArgs,
    head: &[&str],
    rows: &[(Vec<String>, Value)],
) -> anyhow::Result<()> {
    if args.json {
        return say_json(&rows.iter().map(|(_, value)| value).collect::<Vec<_>>());
    }
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(head);
    for (cells, _) in rows {
        table.add_row(cells);
    }
    say(table.to_string());
    Ok(())
}

pub(super) fn name(name: &Name) -> Value {
    json!({ "ko": name.ko, "en": name.en })
}
