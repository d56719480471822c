//! `lockerd bus prove`: leads a technician along the doors of a bus and writes down how they are wired.
//!
//! Every answer is one line on the keyboard, so that a script may give them too. What is known is saved
//! after each answer; `--resume` goes on from there. The bus runs here with its coil rules, so the server
//! must not be running.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use super::{Keyboard, say, say_json, with_bus};
use crate::bus::tools::prove::{Prober, ProveError};
use crate::bus::{Bus, PortLink};
use crate::config::Config;
use crate::domain::channel::BusName;
use crate::domain::commissioning::{Proof, Step};
use crate::domain::id::LockerId;
use crate::domain::locker::parse_locker_id;
use crate::service::commissioning::paper;
use crate::service::layout::LayoutFormat;
use crate::service::site::SiteFile;
use crate::store::proofs;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ProveArgs {
    /// The bus, as named in the configuration.
    bus: String,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Only the board with this address.
    #[arg(long)]
    board: Option<u8>,
    /// Go on with what this file knows; begins it when it is not there.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// A layout (TOML or CSV) with the numbers that are expected, to be rewired.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Where the layout goes at the end, for `lockerd bank import`; .csv for CSV.
    #[arg(long, value_name = "FILE")]
    layout: Option<PathBuf>,
    /// The place that new numbers stand at.
    #[arg(long, value_name = "NAME", default_value = "새 장소")]
    location: String,
    /// The bank that new numbers belong to.
    #[arg(long, value_name = "NAME", default_value = "새 사물함")]
    bank: String,
    /// Where the report goes beside the screen.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Where a page with door labels goes, to be printed.
    #[arg(long, value_name = "FILE.html")]
    labels: Option<PathBuf>,
    /// Print the report as one line of JSON, and what is asked on standard error.
    #[arg(long)]
    json: bool,
}

/// What a proof of the command line keeps.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    echo: Option<bool>,
    boards: Vec<Proof>,
}

/// The shape of [`Kept`] that this program writes.
const VERSION: u32 = 1;
/// How long the port may take to open.
const PORT_MAX: Duration = Duration::from_secs(3);
/// How often it is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) async fn run(args: &ProveArgs) -> anyhow::Result<()> {
    let name = BusName::parse(&args.bus)?;
    let mut buses = Config::load(&args.config)?.buses()?;
    buses.retain(|bus| bus.name == name);
    let Some(bus) = buses.first() else {
        bail!("there is no bus {name} in {}", args.config.display());
    };
    let addresses: Vec<u8> = bus.boards.iter().map(|board| board.address).collect();
    let addresses: Vec<u8> =
        addresses.into_iter().filter(|it| args.board.is_none_or(|only| only == *it)).collect();
    if addresses.is_empty() {
        bail!("bus {name} has no such board in {}", args.config.display());
    }
    let begin = args.expect.as_deref().map(read_layout).transpose()?;
    let file = match &args.resume {
        Some(file) => file.clone(),
        None => PathBuf::from(format!("prove-{name}.json")),
    };
    let known = read_kept(&file, args)?;
    let mut kept = known.unwrap_or(Kept { version: VERSION, echo: None, boards: Vec::new() });
    let mut talk = Talk { keyboard: Keyboard::new(), aside: args.json };
    let done = with_bus(buses, async |bus| {
        let mut session =
            Session { bus, name, file: &file, begin: begin.as_ref(), started: Instant::now() };
        session.run(&addresses, &mut kept, &mut talk).await
    })
    .await?;
    if !done {
        bail!("stopped: go on with --resume {}", file.display());
    }
    finish(args, &kept, begin)
}

fn read_layout(path: &Path) -> anyhow::Result<SiteFile> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    LayoutFormat::of(path).read(&text).map_err(|error| anyhow::anyhow!("{name}: {error}"))
}

fn read_kept(file: &Path, args: &ProveArgs) -> anyhow::Result<Option<Kept>> {
    let name = file.display();
    let kept: Option<Kept> =
        proofs::load(file).with_context(|| format!("{name} is no proof to go on with"))?;
    let Some(mut kept) = kept else { return Ok(None) };
    if args.resume.is_none() {
        bail!("{name} is there already: go on with --resume {name}, or remove it to begin anew");
    }
    if kept.version != VERSION {
        bail!("{name} was written by another version of lockerd");
    }
    if kept.boards.iter().any(|proof| proof.bus().as_str() != args.bus) {
        bail!("{name} is about another bus than {}", args.bus);
    }
    for proof in &mut kept.boards {
        *proof = proof.clone().resumed();
        // What was left out is asked again: that is why one goes on.
        proof.revisit();
    }
    Ok(Some(kept))
}

/// One line to the technician, and one back.
struct Talk {
    keyboard: Keyboard,
    /// Questions go to standard error: standard output is for a program.
    aside: bool,
}

enum Answer {
    Go,
    Number(i64),
    Repeat,
    Skip,
    Stop,
    Unclear(String),
}

impl Talk {
    fn tell(&self, text: &str) {
        use std::io::Write;
        if self.aside {
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        } else {
            say(text);
        }
    }

    async fn ask(&mut self, question: &str) -> Answer {
        self.tell(question);
        let Some(line) = self.keyboard.line().await else { return Answer::Stop };
        match line.trim() {
            "" => Answer::Go,
            "r" | "R" => Answer::Repeat,
            "s" | "S" => Answer::Skip,
            "q" | "Q" => Answer::Stop,
            text => text.parse().map_or_else(|_| Answer::Unclear(text.to_owned()), Answer::Number),
        }
    }
}

struct Session<'a> {
    bus: Bus,
    name: BusName,
    file: &'a Path,
    begin: Option<&'a SiteFile>,
    started: Instant,
}

impl Session<'_> {
    /// Leads through every board; false when the technician stopped.
    async fn run(
        &mut self,
        addresses: &[u8],
        kept: &mut Kept,
        talk: &mut Talk,
    ) -> anyhow::Result<bool> {
        self.wait_for_port().await?;
        for &address in addresses {
            let prober = Prober::new(&self.bus, &self.name, address)?;
            let known = kept.boards.iter().position(|proof| proof.board() == address);
            let place = known.unwrap_or(kept.boards.len());
            if known.is_none() {
                let (of, expected) = ((self.name.clone(), address), self.expected(address));
                kept.boards.push(Proof::new(of, prober.family(), prober.locks(), expected));
            }
            if kept.boards[place].locks() != prober.locks() {
                bail!(
                    "board {address} has {} locks in the configuration and {} in {}: begin anew",
                    prober.locks(),
                    kept.boards[place].locks(),
                    self.file.display()
                );
            }
            talk.tell(&format!("board {address} on bus {}: close all doors", self.name));
            while kept.boards[place].step() != Step::Done {
                let go_on = self.step(&prober, &mut kept.boards[place], talk).await?;
                kept.echo = prober.has_echo().await.or(kept.echo);
                proofs::save(self.file, kept)
                    .with_context(|| format!("cannot write {}", self.file.display()))?;
                if !go_on {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// A port that is away is told before the first question, not as its answer.
    async fn wait_for_port(&self) -> anyhow::Result<()> {
        let give_up = Instant::now() + PORT_MAX;
        loop {
            let away = self.away();
            let Some(reason) = away else { return Ok(()) };
            if Instant::now() >= give_up {
                bail!("{reason}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn away(&self) -> Option<String> {
        self.bus.health().into_iter().find_map(|port| match port.link {
            PortLink::Offline { reason, .. } => Some(reason),
            PortLink::Online => None,
        })
    }

    /// The numbers that the given layout has on a board.
    fn expected(&self, address: u8) -> BTreeMap<u8, LockerId> {
        let locations = self.begin.iter().flat_map(|file| &file.locations);
        let lockers = locations.flat_map(|it| &it.banks).flat_map(|it| &it.lockers);
        let here = lockers.filter(|it| {
            it.bus.as_deref() == Some(self.name.as_str()) && it.board == Some(address)
        });
        here.filter_map(|it| Some((it.lock?, LockerId(it.id)))).collect()
    }

    /// One question and what follows from its answer; false when the technician stops.
    async fn step(
        &self,
        prober: &Prober,
        proof: &mut Proof,
        talk: &mut Talk,
    ) -> anyhow::Result<bool> {
        let answer = talk.ask(&question(proof.step())).await;
        let done = match (proof.step(), answer) {
            (_, Answer::Stop) => return Ok(false),
            (_, Answer::Skip) => {
                proof.skip();
                return Ok(true);
            }
            (_, Answer::Repeat) => {
                proof.repeat();
                return Ok(true);
            }
            (_, Answer::Unclear(text)) => {
                talk.tell(&format!("{text:?} is no answer here"));
                return Ok(true);
            }
            (Step::Pulse { .. }, Answer::Go) => {
                let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
                prober.pulse(proof, now_ms).await
            }
            (Step::Close { .. }, Answer::Go) => prober.closed(proof).await,
            (Step::Number { proposed: Some(number), .. }, Answer::Go) => {
                proof.number(Some(number)).map_err(ProveError::from)
            }
            (Step::Number { .. }, Answer::Number(0)) => {
                proof.number(None).map_err(ProveError::from)
            }
            (Step::Number { .. }, Answer::Number(number)) => match parse_locker_id(number) {
                Ok(number) => proof.number(Some(number)).map_err(ProveError::from),
                Err(why) => {
                    talk.tell(&why);
                    return Ok(true);
                }
            },
            (_, Answer::Go | Answer::Number(_)) => {
                talk.tell("that is no answer here");
                return Ok(true);
            }
        };
        match done {
            Ok(()) => Self::tell_verdict(proof, talk),
            Err(error) => talk.tell(&self.explain(&error)),
        }
        Ok(true)
    }

    fn tell_verdict(proof: &Proof, talk: &Talk) {
        let Some(verdict) = proof.last() else { return };
        talk.tell(&format!("  {verdict}"));
        if !verdict.next().is_empty() {
            talk.tell(&format!("  → {}", verdict.next()));
        }
    }

    /// A line that is away says more about why.
    fn explain(&self, error: &ProveError) -> String {
        self.away().map_or_else(|| format!("  {error}"), |reason| format!("  {error}: {reason}"))
    }
}

fn question(step: Step) -> String {
    match step {
        Step::Pulse { lock } | Step::Wait { lock } => {
            format!("lock {lock}: Enter opens it (s skip, q quit)")
        }
        Step::Number { lock, proposed } => {
            let enter = proposed.map_or(String::new(), |number| format!("Enter = {number}, "));
            format!(
                "lock {lock}: which number is on the door that opened? \
                 ({enter}0 none, r repeat, s skip, q quit)"
            )
        }
        Step::Close { number, .. } => {
            format!("close door {number}, then Enter (r repeat, s skip, q quit)")
        }
        Step::Done => "done".to_owned(),
    }
}

/// Writes everything down; fails when a board is not as it must be.
fn finish(args: &ProveArgs, kept: &Kept, begin: Option<SiteFile>) -> anyhow::Result<()> {
    let write = |path: &Path, text: &str| {
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let text = paper::report(&kept.boards, kept.echo);
    let layout = paper::layout(&kept.boards, begin, (&args.location, &args.bank));
    let path = args.layout.clone().unwrap_or_else(|| format!("layout-{}.toml", args.bus).into());
    let written = LayoutFormat::of(&path).write(&layout);
    write(&path, &written.map_err(|error| anyhow::anyhow!("{}", error.detail))?)?;
    if let Some(path) = &args.report {
        write(path, &text)?;
    }
    if let Some(path) = &args.labels {
        write(path, &paper::labels(&kept.boards))?;
    }
    if args.json {
        say_json(&paper::report_json(&kept.boards, kept.echo))?;
    } else {
        say(&text);
        say(format!("the layout is in {0}: lockerd bank import {0} --update", path.display()));
    }
    let found: Vec<_> = kept.boards.iter().map(Proof::conclude).collect();
    let to_mend: usize =
        found.iter().map(|it| it.crossed.len() + it.odd.len() + it.unseen.len()).sum();
    if to_mend > 0 {
        bail!("{to_mend} sensors are to be mended: see the report");
    }
    Ok(())
}
