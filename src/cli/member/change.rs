//! `lockerd member change|disable|enable|reset|reset-totp|logout|delete|role`: the same use-cases as over HTTP,
//! without anybody's name in the audit log. They need the server stopped.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;

use crate::cli::{offline, say, say_json};
use crate::config::Config;
use crate::domain::id::{BankId, MemberId};
use crate::domain::member::Role;
use crate::service::Services;
use crate::service::error::Error;
use crate::service::members::Actor;
use crate::service::members::change::TypedChanges;
use crate::store::members;

/// Who.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct WhoArgs {
    /// The student id.
    id: String,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Print what was done as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ReasonArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// Why.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ChangeArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// Another student id.
    #[arg(long)]
    student_id: Option<String>,
    /// Another name.
    #[arg(long)]
    name: Option<String>,
    /// Another phone number; empty takes it away.
    #[arg(long)]
    phone: Option<String>,
    /// Another e-mail address; empty takes it away.
    #[arg(long)]
    email: Option<String>,
    /// Another faculty or office; empty takes it away.
    #[arg(long)]
    department: Option<String>,
    /// The language of mails: ko or en.
    #[arg(long)]
    language: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RoleArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// student, staff or admin.
    role: Role,
    /// A bank that a staff member looks after; may be given several times.
    #[arg(long = "bank", value_name = "NUMBER")]
    banks: Vec<i64>,
}

pub(super) fn change(args: &ChangeArgs) -> anyhow::Result<()> {
    let typed = TypedChanges {
        student_id: args.student_id.clone(),
        name: args.name.clone(),
        phone: args.phone.clone(),
        email: args.email.clone(),
        department: args.department.clone(),
        language: args.language.clone(),
    };
    let fields = with_member(&args.who, async |services, id| {
        services.change_member(Actor::CommandLine, id, typed).await
    })?;
    if args.who.json {
        return say_json(&serde_json::json!({ "changed": fields }));
    }
    say(if fields.is_empty() {
        "nothing was different".to_owned()
    } else {
        format!("changed {}", fields.join(", "))
    });
    Ok(())
}

pub(super) fn disable(args: &ReasonArgs) -> anyhow::Result<()> {
    with_member(&args.who, async |services, id| {
        services.disable_member(Actor::CommandLine, id, args.reason.clone()).await
    })?;
    done(&args.who, "disabled")
}

pub(super) fn enable(args: &WhoArgs) -> anyhow::Result<()> {
    with_member(args, async |services, id| services.enable_member(Actor::CommandLine, id).await)?;
    done(args, "enabled")
}

pub(super) fn reset(args: &WhoArgs) -> anyhow::Result<()> {
    let reset = with_member(args, async |services, id| {
        services.reset_member_password(Actor::CommandLine, id).await
    })?;
    if args.json {
        return say_json(&serde_json::json!({
            "reset_id": reset.sent.id, "expires_in": reset.sent.expires_in_s, "code": reset.code,
        }));
    }
    match reset.code {
        Some(code) => say(format!("code {code} for reset {}", reset.sent.id)),
        None => say("a code is mailed as soon as the server runs"),
    }
    Ok(())
}

pub(super) fn reset_totp(args: &ReasonArgs) -> anyhow::Result<()> {
    with_member(&args.who, async |services, id| {
        services.reset_totp(Actor::CommandLine, id, &args.reason).await
    })?;
    done(&args.who, "authenticator app taken away")
}

pub(super) fn log_out(args: &WhoArgs) -> anyhow::Result<()> {
    let ended = with_member(args, async |services, id| services.log_out_member(id).await)?;
    if args.json {
        return say_json(&serde_json::json!({ "ended": ended }));
    }
    say(format!("{ended} log-ins ended"));
    Ok(())
}

pub(super) fn delete(args: &ReasonArgs) -> anyhow::Result<()> {
    with_member(&args.who, async |services, id| {
        services.delete_member(Actor::CommandLine, id, args.reason.clone()).await
    })?;
    done(&args.who, "deleted")
}

pub(super) fn role(args: &RoleArgs) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.banks.is_empty() || args.role == Role::Staff,
        "--bank is for staff: admins look after every bank, students after none"
    );
    let banks: Vec<BankId> = args.banks.iter().copied().map(BankId).collect();
    with_member(&args.who, async |services, id| {
        services.set_role(Actor::CommandLine, id, args.role).await?;
        if banks.is_empty() {
            return Ok(());
        }
        services.set_staff_banks(Actor::CommandLine, id, banks).await
    })?;
    done(&args.who, args.role.name())
}

fn done(who: &WhoArgs, what: &str) -> anyhow::Result<()> {
    let id = who.id.to_ascii_uppercase();
    if who.json {
        return say_json(&serde_json::json!({ "student_id": id, "done": what }));
    }
    say(format!("{id}: {what}"));
    Ok(())
}

/// Finds somebody by their student id and does something to them.
fn with_member<T>(
    who: &WhoArgs,
    work: impl AsyncFnOnce(Arc<Services>, MemberId) -> Result<T, Error>,
) -> anyhow::Result<T> {
    let path: &Path = &who.config;
    let (config, id) = (Config::load(path)?, who.id.to_ascii_uppercase());
    offline::with_services(&config, async |services| {
        let wanted = id.clone();
        let found =
            services.store.read(move |conn| members::find_by_student_id(conn, &wanted)).await?;
        let row = found.ok_or_else(|| anyhow!("there is no member {id}"))?;
        work(services, row.id).await.map_err(|error| anyhow!("{}", error.detail))
    })
}
