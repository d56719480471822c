//! `lockerd member`: accounts, looked at while the server runs, changed while it is stopped; rosters.

use std::io::BufRead;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;

use super::{offline, say, say_json};
use crate::config::Config;
use crate::domain::id::BankId;
use crate::domain::member::{Profile, Role};
use crate::domain::password::{self, Owner};
use crate::service::members::NewMember;

mod change;
mod look;
mod roster;

/// Letters and digits that are not taken for each other on paper.
const PASSWORD_LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

#[derive(Debug, Subcommand)]
pub(super) enum MemberCommand {
    /// List accounts. Works while the server runs.
    ///
    /// Example: lockerd member list --role staff --json
    List(look::ListArgs),
    /// Find accounts by a part of id, name, phone or e-mail. Works while the server runs.
    ///
    /// Example: lockerd member search 홍길동
    Search(look::SearchArgs),
    /// Show one account. Works while the server runs.
    ///
    /// Example: lockerd member show 2023321234
    Show(look::ShowArgs),
    /// Print accounts as CSV, for Excel as well. Works while the server runs.
    ///
    /// Example: lockerd member export > members.csv
    Export(look::ExportArgs),
    /// Make one account. The server must not be running.
    ///
    /// Example: lockerd member add --id 2023321234 --name 홍길동 --phone 010-1234-5678
    Add(AddArgs),
    /// Change data of an account; rental and history stay. The server must not be running.
    ///
    /// Example: lockerd member change 2023321234 --phone 010-8765-4321
    Change(change::ChangeArgs),
    /// Keep somebody out; their rental stays. The server must not be running.
    ///
    /// Example: lockerd member disable 2023321234 --reason "lost the student card"
    Disable(change::ReasonArgs),
    /// Let somebody in again. The server must not be running.
    ///
    /// Example: lockerd member enable 2023321234
    Enable(change::WhoArgs),
    /// Make a code for a new password. The server must not be running.
    ///
    /// Example: lockerd member reset 2023321234
    Reset(change::WhoArgs),
    /// Take the authenticator app of somebody away who has lost the phone, also of the last admin. The
    /// server must not be running.
    ///
    /// Example: lockerd member reset-totp ADMIN --reason "phone lost"
    ResetTotp(change::ReasonArgs),
    /// End every log-in of somebody. The server must not be running.
    ///
    /// Example: lockerd member logout 2023321234
    Logout(change::WhoArgs),
    /// Close an account for good and blank it; it must not have a locker. The server must not be
    /// running.
    ///
    /// Example: lockerd member delete 2023321234 --reason "asked for it by letter"
    Delete(change::ReasonArgs),
    /// Give an account another role. The server must not be running.
    ///
    /// Example: lockerd member role S1234 staff --bank 1 --bank 2
    Role(change::RoleArgs),
    /// Take a roster (CSV in UTF-8 or CP949). The server must not be running.
    ///
    /// Example: lockerd member import roster.csv --dry-run
    Import(roster::ImportArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Student id: 3 to 20 letters and digits.
    #[arg(long)]
    id: String,
    /// Full name.
    #[arg(long)]
    name: String,
    /// Phone number.
    #[arg(long)]
    phone: Option<String>,
    /// E-mail address.
    #[arg(long)]
    email: Option<String>,
    /// student, staff or admin.
    #[arg(long, default_value = "student")]
    role: Role,
    /// A bank that a staff member looks after; may be given several times.
    #[arg(long = "bank", value_name = "NUMBER")]
    banks: Vec<i64>,
    /// Read the password from standard input (one line).
    #[arg(long, conflicts_with = "password_generate")]
    password_stdin: bool,
    /// Make a password and print it.
    #[arg(long)]
    password_generate: bool,
    /// Print what was made as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &MemberCommand) -> anyhow::Result<()> {
    match command {
        MemberCommand::List(args) => look::list(args),
        MemberCommand::Search(args) => look::search(args),
        MemberCommand::Show(args) => look::show(args),
        MemberCommand::Export(args) => look::export(args),
        MemberCommand::Add(args) => add(args),
        MemberCommand::Change(args) => change::change(args),
        MemberCommand::Disable(args) => change::disable(args),
        MemberCommand::Enable(args) => change::enable(args),
        MemberCommand::Reset(args) => change::reset(args),
        MemberCommand::ResetTotp(args) => change::reset_totp(args),
        MemberCommand::Logout(args) => change::log_out(args),
        MemberCommand::Delete(args) => change::delete(args),
        MemberCommand::Role(args) => change::role(args),
        MemberCommand::Import(args) => roster::import(args),
    }
}

fn add(args: &AddArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let profile =
        Profile::parse(&args.id, &args.name, args.phone.as_deref(), args.email.as_deref())?;
    if !args.banks.is_empty() && args.role != Role::Staff {
        bail!("--bank is for staff: admins look after every bank, students after none");
    }
    let password = if args.password_stdin {
        Some(password_from_stdin(args.role)?)
    } else if args.password_generate {
        Some(generated_password()?)
    } else {
        None
    };
    let made = args.password_generate.then(|| password.clone()).flatten();
    let id = profile.student_id().to_owned();
    let staff_of = args.banks.iter().copied().map(BankId).collect();
    let new = NewMember { profile, role: args.role, password, staff_of };
    offline::with_services(&config, async |services| {
        services.add_member(new).await.map_err(|error| anyhow::anyhow!("{}", error.detail))
    })?;
    if args.json {
        return say_json(&serde_json::json!({ "student_id": id, "password": made }));
    }
    match made {
        Some(password) => say(format!("added {id}, password {password}")),
        None => say(format!("added {id}")),
    }
    Ok(())
}

/// Reads one line and checks that it can be a password.
pub(super) fn password_from_stdin(role: Role) -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    password::check(&password, &Owner { role, has_second_factor: false, words: Vec::new() })?;
    Ok(password)
}

/// A password of four groups of five: about 99 bits.
pub(super) fn generated_password() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 64];
    let mut password = String::new();
    let mut letters = 0;
    while letters < 20 {
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
        // Bytes beyond a whole multiple of the alphabet would favour its first letters.
        let whole = 256 - 256 % PASSWORD_LETTERS.len();
        for byte in bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < whole) {
            if letters == 20 {
                break;
            }
            if letters > 0 && letters % 5 == 0 {
                password.push('-');
            }
            password.push(char::from(PASSWORD_LETTERS[byte % PASSWORD_LETTERS.len()]));
            letters += 1;
        }
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passwords_are_readable_and_differ() {
        let (one, two) =
            (generated_password().expect("random"), generated_password().expect("random"));
        assert_ne!(one, two);
        assert_eq!(one.split('-').map(str::len).collect::<Vec<_>>(), [5, 5, 5, 5]);
    }
}
