//! `lockerd member list|search|show|export`: looking at accounts. They only read, so they work while
//! the server runs; what they print is not written into the audit log.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use comfy_table::Table;
use serde_json::{Value, json};

use crate::cli::{say, say_json};
use crate::config::Config;
use crate::domain::id::{LockerId, MemberId};
use crate::domain::member::{MemberState, Role};
use crate::service::members::list::{EXPORT_ROWS_MAX, csv_head, csv_row};
use crate::store::members::list::{self, MemberFilter};
use crate::store::members::{self, MemberRow};
use crate::store::{DataDir, StoreError, accounts, banks, check, rentals};

/// Most people of a list that nobody limits.
const LIST_MAX: usize = 1_000;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Only of this role: student, staff or admin.
    #[arg(long)]
    role: Option<Role>,
    /// Only in this state: active, `not_signed_up`, leaving, disabled or left.
    #[arg(long, value_parser = state)]
    state: Option<MemberState>,
    /// Most people.
    #[arg(long, value_name = "NUMBER", default_value_t = LIST_MAX)]
    limit: usize,
    /// Print one line of JSON for each.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SearchArgs {
    /// A part of the student id, name, phone number or e-mail address.
    text: String,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ShowArgs {
    /// The student id.
    id: String,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExportArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Only of this role: student, staff or admin.
    #[arg(long)]
    role: Option<Role>,
    /// Only in this state: active, `not_signed_up`, leaving, disabled or left.
    #[arg(long, value_parser = state)]
    state: Option<MemberState>,
}

fn state(name: &str) -> Result<MemberState, String> {
    let known = MemberState::ALL.map(MemberState::name).join(", ");
    MemberState::from_name(name).ok_or_else(|| format!("unknown state; known are {known}"))
}

pub(super) fn list(args: &ListArgs) -> anyhow::Result<()> {
    print_list(args, None)
}

pub(super) fn search(args: &SearchArgs) -> anyhow::Result<()> {
    print_list(&args.list, Some(args.text.clone()))
}

fn print_list(args: &ListArgs, text: Option<String>) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let filter =
        MemberFilter { text, role: args.role, state: args.state, ..MemberFilter::default() };
    let (rows, total) = look(&config, |conn| {
        Ok((list::list(conn, &filter, None, args.limit)?, list::count(conn, &filter)?))
    })?;
    if args.json {
        return rows.iter().try_for_each(|row| say_json(&object(row)));
    }
    let mut table = Table::new();
    table.set_header(["id", "name", "role", "state", "phone", "e-mail"]);
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    for row in &rows {
        table.add_row([
            row.student_id.clone(),
            row.name.clone(),
            row.role.name().to_owned(),
            row.state().name().to_owned(),
            given(&row.phone),
            given(&row.email),
        ]);
    }
    say(table.to_string());
    say(format!("{} of {total}", rows.len()));
    Ok(())
}

pub(super) fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let id = args.id.to_ascii_uppercase();
    let found = look(&config, |conn| {
        let Some(row) = members::find_by_student_id(conn, &id)? else { return Ok(None) };
        let second_factor = accounts::has_second_factor(conn, row.id)?;
        let banks: Vec<i64> = banks::list_staff(conn)?
            .into_iter()
            .filter_map(|(member, bank)| (member == row.id).then_some(bank.0))
            .collect();
        let lockers = lockers_of(rentals::list_taken(conn)?).remove(&row.id).unwrap_or_default();
        Ok(Some((row, second_factor, banks, lockers)))
    })?;
    let Some((row, second_factor, banks, lockers)) = found else {
        bail!("there is no member {id}: look with `lockerd member search`");
    };
    let mut shown = object(&row);
    shown["second_factor"] = second_factor.into();
    shown["banks"] = json!(banks);
    shown["lockers"] = json!(lockers);
    if args.json {
        return say_json(&shown);
    }
    for (name, value) in shown.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        say(format!("{name:<18}{text}"));
    }
    Ok(())
}

pub(super) fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let filter = MemberFilter { role: args.role, state: args.state, ..MemberFilter::default() };
    let mut out = std::io::stdout().lock();
    out.write_all(csv_head().as_bytes())?;
    let mut written = Ok(());
    look(&config, |conn| {
        let lockers = lockers_of(rentals::list_taken(conn)?);
        list::visit(conn, &filter, EXPORT_ROWS_MAX, |row| {
            let taken = lockers.get(&row.id).into_iter().flatten().map(LockerId::to_string);
            let line = csv_row(row, taken.collect::<Vec<_>>().join(" "));
            if written.is_ok() {
                written = out.write_all(line.as_bytes());
            }
        })
    })?;
    written.and_then(|()| out.flush()).context("standard output")
}

/// Asks the configured site's database.
fn look<T, C>(config: &Config, question: C) -> anyhow::Result<T>
where
    C: FnOnce(&check::Looking) -> Result<T, StoreError>,
{
    let path = DataDir::new(&config.data_dir).database();
    let name = path.display();
    if !path.try_exists().with_context(|| format!("cannot look at {name}: run as its owner"))? {
        bail!("{name} is not there yet: run lockerd init");
    }
    check::look(&path, question).with_context(|| format!("cannot look at {name}"))
}

fn lockers_of(taken: Vec<(MemberId, LockerId)>) -> HashMap<MemberId, Vec<LockerId>> {
    let mut lockers: HashMap<MemberId, Vec<LockerId>> = HashMap::new();
    for (member, locker) in taken {
        lockers.entry(member).or_default().push(locker);
    }
    lockers
}

/// An account without its secrets.
fn object(row: &MemberRow) -> Value {
    let at = |ms: Option<i64>| {
        ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|at| at.to_string())
    };
    json!({
        "member_id": row.id,
        "student_id": row.student_id,
        "name": row.name,
        "phone_number": row.phone,
        "email": row.email,
        "email_verified_at": at(row.email_verified_ms),
        "department": row.department,
        "language": row.language,
        "role": row.role.name(),
        "state": row.state().name(),
        "on_roster": row.on_roster,
        "signed_up": row.password_hash.is_some(),
        "joined_at": at(Some(row.joined_ms)),
        "last_login_at": at(row.last_login_ms),
        "leaving_since": at(row.leaving_ms),
        "disabled_since": at(row.disabled.as_ref().map(|(since_ms, _)| *since_ms)),
        "disabled_reason": row.disabled.as_ref().map(|(_, reason)| reason),
    })
}
