//! `lockerd member import`: the same roster import as over HTTP. It needs the server stopped.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::cli::{offline, say, say_json};
use crate::config::Config;
use crate::service::members::Actor;
use crate::service::members::import::{ImportOptions, RosterReport};
use crate::service::members::roster_file::{BYTES_MAX, Field, LineNote};

/// What becomes of people whom the file does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Leavers {
    /// They stay as they are.
    Keep,
    /// They can only empty their locker and return it.
    Mark,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ImportArgs {
    /// The roster: CSV with columns `student_id` (학번) and name (이름), and perhaps phone (전화번호),
    /// email (이메일) and department (학과).
    file: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Say what it would do; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// What becomes of students whom the last roster had and this one has not.
    #[arg(long, value_enum, default_value_t = Leavers::Keep)]
    leavers: Leavers,
    /// The number of leavers that the dry run named, where it asks for that.
    #[arg(long, value_name = "NUMBER")]
    confirm_leavers: Option<usize>,
    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn import(args: &ImportArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let bytes = read(&args.file)?;
    let options = ImportOptions {
        dry_run: args.dry_run,
        mark_leavers: args.leavers == Leavers::Mark,
        confirm_leavers: args.confirm_leavers,
    };
    let name = args.file.display();
    let report = offline::with_services(&config, async |services| {
        let taken = services.import_roster_file(Actor::CommandLine, bytes, options).await;
        taken.map_err(|error| anyhow::anyhow!("{name}: {}", error.detail))
    })?;
    if args.json {
        say_json(&report)?;
    } else {
        print(&report);
    }
    if report.refused > 0 {
        bail!("{} lines were left out; mend them and import again", report.refused);
    }
    Ok(())
}

fn print(report: &RosterReport) {
    if let Some(encoding) = report.encoding {
        say(format!("{} rows, {}", report.rows, encoding.name()));
    }
    let RosterReport { new, changed, unchanged, returning, leavers, .. } = report;
    let would = if report.dry_run { "would be: " } else { "" };
    say(format!(
        "{would}{new} new, {changed} changed, {unchanged} unchanged, {returning} returning, \
         {leavers} leaving"
    ));
    if let Some(number) = report.confirm_leavers {
        say(format!("they leave only with --confirm-leavers {number}"));
    }
    for id in &report.leaving {
        say(format!("{id}: leaves"));
    }
    for change in &report.changes {
        for field in &change.fields {
            let given =
                |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
            let (before, after) = (given(&field.before), given(&field.after));
            say(format!("{}: {} {before} -> {after}", change.student_id, field.field));
        }
    }
    for note in report.errors.iter().chain(&report.notes) {
        let LineNote { line, field, error, .. } = note;
        let field = field.map_or("", Field::name);
        say(format!("line {line}: {field}: {error}"));
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let name = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
    let mut bytes = Vec::new();
    let limit = BYTES_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    Ok(bytes)
}
