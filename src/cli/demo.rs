//! `lockerd demo`: a whole site on temporary data, with simulated boards and sample people.
//!
//! Without load options it is a small campus with an open application window, on which each way to
//! lend a locker can be tried; with any of them a bare load site: everything free, the window open, no
//! history. docs/guide/walk.md goes through it, by a clock that begins on a fixed day.

mod sample;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use jiff::civil::DateTime;
use jiff::{Span, Timestamp, Unit};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::simulate::control;
use super::{runtime, say, say_json};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{
    AlarmsConfig, AuthConfig, ClockConfig, Config, HttpConfig, KioskConfig, LimitsConfig,
    LogConfig, MailConfig, MailTransport, PrivacyConfig, RetentionConfig, SiteConfig,
};
use crate::domain::id::{MemberId, SessionId};
use crate::domain::member::Role;
use crate::http::{Demo, Person};
use crate::service::Services;
use crate::service::accounts::{Registration, RosterLogin};
use crate::service::tokens::{Caller, Method};
use crate::sim::Simulator;
use crate::{lifecycle, telemetry};

use sample::Plan;

/// Years in which a demo can begin: its clock can be turned on for decades from there.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2100;

#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Where the site listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Keep the data in this directory instead of a temporary one. It must be new or empty.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A bare load site with this many lockers (1 to 4800).
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4_800))]
    lockers: Option<u32>,
    /// A bare load site with this many students (1 to 100000).
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    students: Option<u32>,
    /// Seed of the simulator's random choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Let its clock begin at this time of the site (2026-09-01T10:00) instead of now.
    #[arg(long, value_name = "TIME")]
    begins_at: Option<DateTime>,
    /// Write one {"`student_id","token`"} a line for every sample student, for load drivers.
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Print the address and the log-ins as one line of JSON when ready.
    #[arg(long)]
    json: bool,
    /// Threads that serve requests.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    worker_threads: u8,
    /// What is logged.
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    log: String,
}

pub(super) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    telemetry::start(&args.log).map_err(anyhow::Error::msg)?;
    runtime(usize::from(args.worker_threads))?.block_on(demo(args))
}

async fn demo(args: &DemoArgs) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    lifecycle::stop_on_signals(&stop)?;
    let place = Place::make(args.data.as_deref())?;
    let plan = if args.lockers.is_some() || args.students.is_some() {
        sample::load(args.lockers.unwrap_or(1_000), args.students.unwrap_or(2_000))
    } else {
        sample::campus()
    };
    let buses = place.path.join("buses");
    std::fs::create_dir_all(&buses).with_context(|| format!("cannot make {}", buses.display()))?;
    let simulator = Simulator::start(plan.simulator(args.seed, &buses))?;
    let sim_listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = config(args, &place.path, &plan, &buses);
    let clock = Clock::shifted(config.zone()?, begin(args, &config)?);
    let mut app = App::build(&config, clock).await?;
    let site = Some(Arc::clone(app.services()));
    let (sim_address, sim_server) = control(&simulator, site, sim_listen, stop.clone()).await?;
    let people = fill(app.services(), &plan).await?;
    if let Some(path) = &args.tokens {
        write_tokens(app.services(), path).await?;
    }
    let host = host(&people)?;
    let people: Vec<Person> = people.into_iter().map(|(_, person)| person).collect();
    app.demonstrate(Demo {
        simulator: simulator.clone(),
        site: Arc::clone(app.services()),
        people: people.clone(),
        host,
    });
    announce(args, app.address()?, sim_address, &people)?;
    let sim_task = tokio::spawn(sim_server);
    let served = app.run(stop).await;
    simulator.stop().await;
    sim_task.await?;
    Ok(served?)
}

fn begin(args: &DemoArgs, config: &Config) -> anyhow::Result<Option<Timestamp>> {
    let Some(wanted) = args.begins_at else { return Ok(None) };
    anyhow::ensure!(
        YEARS.contains(&wanted.year()),
        "the demo's clock can begin in the years {} to {}",
        YEARS.start(),
        YEARS.end()
    );
    Ok(Some(wanted.to_zoned(config.zone()?)?.timestamp()))
}

/// The demo's directory; a temporary one goes when the demo ends.
struct Place {
    path: PathBuf,
    temporary: bool,
}

impl Place {
    fn make(wanted: Option<&Path>) -> anyhow::Result<Self> {
        let (path, temporary) = if let Some(path) = wanted {
            (path.to_path_buf(), false)
        } else {
            let name = format!("lockerd-demo-{}", uuid::Uuid::now_v7().simple());
            (std::env::temp_dir().join(name), true)
        };
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        let mut entries =
            std::fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::ensure!(
            entries.next().is_none(),
            "{} is not empty: the demo starts from nothing, name a new directory",
            path.display()
        );
        Ok(Self { path, temporary })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.temporary {
            return;
        }
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(area = "store", path = %self.path.display(), %error, "left behind");
        }
    }
}

fn config(args: &DemoArgs, data_dir: &Path, plan: &Plan, buses: &Path) -> Config {
    Config {
        data_dir: data_dir.to_path_buf(),
        time_zone: "Asia/Seoul".to_owned(),
        site: SiteConfig { phone: Some("02-000-0000".to_owned()) },
        clock: ClockConfig { rtc: true, ..ClockConfig::default() },
        http: HttpConfig {
            listen: args.listen,
            worker_threads: usize::from(args.worker_threads),
            ..HttpConfig::default()
        },
        auth: AuthConfig {
            roster_login: RosterLogin::Full,
            registration: Registration::Open,
            ..AuthConfig::default()
        },
        kiosk: KioskConfig::default(),
        limits: LimitsConfig::default(),
        privacy: PrivacyConfig::default(),
        retention: RetentionConfig::default(),
        mail: MailConfig {
            transport: MailTransport::Box,
            site_name_ko: "캠퍼스 사물함".to_owned(),
            site_name_en: "Campus Lockers".to_owned(),
            ..MailConfig::default()
        },
        alarms: AlarmsConfig::default(),
        log: LogConfig::default(),
        buses: plan.bus_entries(buses),
    }
}

/// The sample admin, without a log-in: in whose name the front page sets a kiosk up.
fn host(people: &[(MemberId, Person)]) -> anyhow::Result<Caller> {
    let admin = people.iter().find(|(_, person)| person.role == Role::Admin.name());
    let (member_id, _) = admin.context("the sample people have no admin")?;
    let (role, session_id) = (Role::Admin, SessionId(0));
    let (member_id, method) = (*member_id, Method::Issued);
    Ok(Caller { member_id, role, session_id, method, strong: false })
}

async fn fill(services: &Services, plan: &Plan) -> anyhow::Result<Vec<(MemberId, Person)>> {
    let now = services.clock.now().round(Unit::Minute)?;
    let window = (now - Span::new().hours(24), now + Span::new().hours(24 * 14));
    let today = services.clock.today();
    let site = plan.site(window, (today, today.saturating_add(Span::new().days(120))));
    services.import_site(site).await?;
    plan.fill(services).await
}

async fn write_tokens(services: &Services, path: &Path) -> anyhow::Result<()> {
    let tokens = services.issue_student_tokens().await?;
    let mut text = Vec::new();
    for (student_id, token) in tokens {
        serde_json::to_writer(&mut text, &json!({ "student_id": student_id, "token": token }))?;
        text.push(b'\n');
    }
    let mut file =
        std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(&text)?;
    Ok(())
}

fn announce(
    args: &DemoArgs,
    address: SocketAddr,
    sim_address: SocketAddr,
    people: &[Person],
) -> anyhow::Result<()> {
    let (url, sim_url) = (format!("http://{address}"), format!("http://{sim_address}"));
    if args.json {
        let accounts = people
            .iter()
            .map(|it| (it.role.to_owned(), json!({ "id": it.id, "password": it.password })));
        let accounts: serde_json::Map<_, _> = accounts.collect();
        return say_json(&json!({
            "url": url,
            "demo_url": format!("{url}/demo"),
            "sim_url": sim_url,
            "mailbox_url": format!("{url}/mailbox"),
            "accounts": accounts,
        }));
    }
    say(format!("lockerd demo: {url}/demo"));
    say(format!("the web app: {url}/   API: {url}/api/swagger/"));
    for Person { role, id, password, .. } in people {
        say(format!("  {role:<8} {id:<12} {password}"));
    }
    say(format!("mails instead of being sent: {url}/mailbox"));
    say(format!("simulated boards and the demo's clock: {sim_url}   (docs/simulator.md)"));
    say("Ctrl-C ends it.");
    Ok(())
}
