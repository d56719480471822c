//! `lockerd member`: accounts, one by one and from a roster file.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;

use super::{offline, say, say_json};
use crate::config::Config;
use crate::domain::id::BankId;
use crate::domain::member::{Profile, Role};
use crate::domain::password::{self, Owner};
use crate::service::members::{NewMember, ROWS_MAX, RosterRow};

/// Largest roster file.
const ROSTER_BYTES_MAX: u64 = 32 << 20;

/// Letters and digits that are not taken for each other on paper.
const PASSWORD_LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

#[derive(Debug, Subcommand)]
pub(super) enum MemberCommand {
    /// Make one account. The server must not be running.
    ///
    /// Example: lockerd member add --id 2023321234 --name 홍길동 --phone 010-1234-5678
    Add(AddArgs),
    /// Make student accounts from a CSV file (`student_id,name,phone,email`; UTF-8).
    ///
    /// Example: lockerd member import roster.csv
    Import(ImportArgs),
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
}

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The roster file.
    file: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Print the report as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &MemberCommand) -> anyhow::Result<()> {
    match command {
        MemberCommand::Add(args) => add(args),
        MemberCommand::Import(args) => import(args),
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
    match made {
        Some(password) => say(format!("added {id}, password {password}")),
        None => say(format!("added {id}")),
    }
    Ok(())
}

fn import(args: &ImportArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let rows = read_roster(&args.file)?;
    let report = offline::with_services(&config, async |services| {
        services.import_roster(rows).await.map_err(|error| anyhow::anyhow!("{}", error.detail))
    })?;
    if args.json {
        say_json(&report)?;
    } else {
        say(format!("added {}, known before {}", report.added, report.known));
        for error in &report.errors {
            say(format!("line {}: {}", error.line, error.error));
        }
    }
    if !report.errors.is_empty() {
        bail!("{} lines were not taken; mend them and import again", report.errors.len());
    }
    Ok(())
}

/// Reads a roster; columns are found by the names in the head, others are passed over.
fn read_roster(path: &Path) -> anyhow::Result<Vec<(usize, RosterRow)>> {
    let name = path.display();
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
    let read = file.take(ROSTER_BYTES_MAX + 1).read_to_string(&mut text);
    read.with_context(|| format!("{name} is not UTF-8 text: save it as \"CSV UTF-8\""))?;
    if text.len() as u64 > ROSTER_BYTES_MAX {
        bail!("{name} is larger than {} MiB", ROSTER_BYTES_MAX >> 20);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let head = reader.headers().with_context(|| format!("{name}"))?;
    for column in ["student_id", "name"] {
        if !head.iter().any(|known| known == column) {
            bail!("{name} has no column {column}: its first line must name the columns");
        }
    }
    let mut rows = Vec::new();
    for (number, row) in reader.deserialize().enumerate() {
        let line = number + 2;
        rows.push((line, row.with_context(|| format!("{name}, line {line}"))?));
        if rows.len() > ROWS_MAX {
            bail!("{name} has more than {ROWS_MAX} lines");
        }
    }
    Ok(rows)
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

    #[test]
    fn a_roster_with_a_byte_order_mark_and_extra_columns_is_read() {
        let file = tempfile::NamedTempFile::new().expect("a place");
        std::fs::write(
            file.path(),
            "\u{feff}student_id,department,name,phone\n2023321234,컴퓨터,홍길동,010-1234-5678\n",
        )
        .expect("written");
        let rows = read_roster(file.path()).expect("readable");
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].0, rows[0].1.name.as_str()), (2, "홍길동"));
        std::fs::write(file.path(), "id,name\n1,x\n").expect("written");
        let error = read_roster(file.path()).expect_err("no such column").to_string();
        assert!(error.contains("student_id"), "{error}");
    }
}
