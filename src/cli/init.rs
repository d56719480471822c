//! `lockerd init`: the data directory, its keys and the first admin.

use std::fs::DirBuilder;
use std::io::IsTerminal;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use anyhow::Context;

use super::member::{generated_password, password_from_stdin};
use super::{offline, say};
use crate::config::Config;
use crate::domain::member::{Profile, Role};
use crate::service::members::NewMember;
use crate::store::members;

#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// The id of the first admin.
    #[arg(long, value_name = "ID", default_value = "ADMIN")]
    admin: String,
    /// Read the admin's password from standard input instead of making one.
    #[arg(long)]
    password_stdin: bool,
}

pub(super) fn run(args: &InitArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let dir = &config.data_dir;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot make {}", dir.display()))?;
    let profile = Profile::parse(&args.admin, "Administrator", None, None)?;
    let (password, made) = if args.password_stdin {
        (password_from_stdin(Role::Admin)?, false)
    } else {
        (generated_password()?, true)
    };
    let shown = password.clone();
    let id = profile.student_id().to_owned();
    offline::with_services(&config, async move |services| {
        let people = services.store.read(members::count).await?;
        anyhow::ensure!(
            people == 0,
            "this site has {people} accounts already: init is for a new one"
        );
        let staff_of = Vec::new();
        let password = Some(password);
        services.add_member(NewMember { profile, role: Role::Admin, password, staff_of }).await?;
        Ok(())
    })?;
    say(format!("{} is ready.", dir.display()));
    if made {
        say(format!("Admin {id}, password {shown}"));
        say("It is shown this once and stored nowhere: write it down.");
        if !std::io::stdout().is_terminal() {
            say("This was not printed on a terminal: see that no log keeps it.");
        }
    }
    say("Next: lockerd bank import FILE.toml, lockerd member import FILE.csv, lockerd serve.");
    Ok(())
}
