//! Makes one history: a site of its own, its devices, and `kill -9` at a moment nobody chose.

use std::sync::Arc;
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use super::client::{Device, Member, Noted};
use super::partition::{Finding, judge};
use super::record::{Answer, Call, Event, History, Restart};
use super::server::Server;
use crate::support::Dice;
use crate::support::http::Client;
use crate::support::site::{Plan, Site};

/// Most requests of a history of which nobody knows whether they took effect.
pub const UNKNOWN_MAX: usize = 8;

/// The shortest hold that a bank may have.
const HOLD_SECONDS: u32 = 10;

/// How a history is to be.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Devices that ask at the same time; two share a member.
    pub clients: usize,
    /// When to kill the server, each some time within.
    pub kills_ms: Vec<(u64, u64)>,
    /// How long it goes on.
    pub length: Duration,
}

impl Shape {
    /// Long enough for holds to die by themselves, before and after kills.
    pub fn whole(clients: usize) -> Self {
        let kills_ms = vec![(300, 1_500), (12_500, 15_000)];
        Self { clients, kills_ms, length: Duration::from_millis(16_500) }
    }
}

/// A finished history and what else was asked of its site.
pub struct Made {
    /// The history.
    pub history: History,
    /// What `lockerd check` found, and how many live rentals overlap.
    pub findings: Vec<String>,
}

/// What there was in a history: one that is too thin proves nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Requests.
    pub requests: usize,
    /// Holds, confirmations and returns that were granted.
    pub granted: usize,
    /// Requests that met a hold that was over.
    pub met_dead: usize,
    /// Holds that died by themselves, as the database has them.
    pub expired: usize,
    /// Requests that were never answered.
    pub unknown: usize,
}

impl Made {
    /// Two live rentals at one time, or answers that cannot all be true.
    pub fn verdict(&self) -> Result<(), String> {
        match judge(&self.history) {
            Err(Finding { story, .. }) => Err(story),
            Ok(()) if !self.findings.is_empty() => Err(self.findings.join("\n")),
            Ok(()) => Ok(()),
        }
    }

    /// What there was.
    pub fn counts(&self) -> Counts {
        let of = |wanted: fn(&Event) -> bool| {
            self.history.events.iter().filter(|event| wanted(event)).count()
        };
        Counts {
            requests: self.history.events.len(),
            granted: of(|it| {
                use Answer::{Confirmed, GivenUp, Held, Returned};
                matches!(it.answer, Held { .. } | Confirmed | GivenUp | Returned { .. })
            }),
            met_dead: of(
                |it| matches!(&it.answer, Answer::Refused { code, .. } if code == "hold_expired"),
            ),
            expired: 0,
            unknown: of(|it| it.answer == Answer::Cut),
        }
    }
}

/// Makes the history of a seed; `mutant` is for a program that was built with them.
pub fn make(shape: &Shape, seed: u64, mutant: Option<&str>) -> Result<(Made, Counts), String> {
    let members = shape.clients.div_ceil(2);
    let lockers = i64::try_from(members).expect("few");
    let plan = Plan::default().lockers(1, 1..=lockers).students(members).hold_seconds(HOLD_SECONDS);
    let mut site = Site::prepare(&plan);
    serve(&mut site, mutant);
    let server = Arc::new(Server::new(members / 2));
    let people: Vec<Arc<Member>> = (0..members)
        .zip(1..)
        .map(|(n, number)| {
            let token = site.student(n).token.expect("logged in");
            Arc::new(Member::new(number, token))
        })
        .collect();
    let mut history = History {
        hold_us: u64::from(HOLD_SECONDS) * 1_000_000,
        lockers: (1..=lockers).collect(),
        members: lockers,
        ..History::default()
    };
    let began = Instant::now();
    let devices = start(shape, seed, &people, &server);
    server.rise(site.nobody().address);
    let mut dice = Dice::new(seed ^ 0xDEAD);
    let mut killed_at = Vec::new();
    for (from_ms, to_ms) in &shape.kills_ms {
        let spread = usize::try_from(to_ms - from_ms).expect("short");
        let moment_ms = from_ms + u64::try_from(dice.below(spread)).expect("small");
        sleep(Duration::from_millis(moment_ms).saturating_sub(began.elapsed()));
        server.narrow(UNKNOWN_MAX / shape.kills_ms.len());
        sleep(Duration::from_micros(u64::try_from(dice.below(60_000)).expect("small")));
        site.kill();
        killed_at.push(server.now());
        let restarted = server.now();
        serve(&mut site, mutant);
        history.restarts.push(Restart { began: restarted, ended: server.now() });
        history.events.extend(look_around(&site, &people, &server)?);
        server.rise(site.nobody().address);
    }
    sleep(shape.length.saturating_sub(began.elapsed()));
    server.end();
    for device in devices {
        let noted = device.join().map_err(|_| "a device panicked".to_owned())??;
        history.events.extend(noted.into_iter().map(|it| settled(it, &killed_at)));
    }
    history.events.extend(look_around(&site, &people, &server)?);
    history.events.sort_by_key(|event| event.began);
    let made = Made { findings: findings(&site), history };
    let expired = site.number("SELECT count(*) FROM rental WHERE end_reason = 'hold_expired'");
    let counts = Counts { expired: usize::try_from(expired).unwrap_or(0), ..made.counts() };
    assert!(counts.unknown <= UNKNOWN_MAX, "{counts:?}");
    Ok((made, counts))
}

fn serve(site: &mut Site, mutant: Option<&str>) {
    let mut command = site.serve_command();
    match mutant {
        Some(name) => command.env("MUTANT", name),
        None => command.env_remove("MUTANT"),
    };
    site.serve_by(command);
}

fn start(
    shape: &Shape,
    seed: u64,
    people: &[Arc<Member>],
    server: &Arc<Server>,
) -> Vec<JoinHandle<Result<Vec<Noted>, String>>> {
    let device = |number: usize| {
        let own = seed.wrapping_mul(1_000) + u64::try_from(number).expect("few");
        let device = Device {
            member: Arc::clone(&people[number % people.len()]),
            server: Arc::clone(server),
            dice: Dice::new(own),
            lockers: people.len(),
            last_moment: None,
            run: 0,
        };
        std::thread::spawn(move || device.work())
    };
    (0..shape.clients).map(device).collect()
}

/// Everybody looks at what is theirs, while nobody changes anything: what was acknowledged is there.
fn look_around(site: &Site, people: &[Arc<Member>], server: &Server) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    for member in people {
        let who = Client { token: Some(member.token.clone()), ..site.nobody() };
        for call in [Call::Mine, Call::List] {
            let began = server.now();
            let reply = who.get(&call.request().1);
            let answer = call.answer(&reply)?;
            events.push(Event { member: member.number, call, answer, began, ended: server.now() });
        }
    }
    Ok(events)
}

/// What was cut off by a kill had happened at the latest when the process was gone.
fn settled(noted: Noted, killed_at: &[u64]) -> Event {
    let Noted { mut event, run } = noted;
    if let (Answer::Cut, Some(gone)) = (&event.answer, killed_at.get(run)) {
        event.ended = event.began.max(*gone);
    }
    event
}

/// What the database says.
fn findings(site: &Site) -> Vec<String> {
    let mut found = site.findings();
    // What was given back keeps others from the locker, but not its member from another one.
    for (column, live) in [("locker_id", "<> 'ended'"), ("member_id", "IN ('held', 'active')")] {
        let sql = format!(
            "SELECT count(*) FROM rental a JOIN rental b ON a.{column} = b.{column} AND a.id < b.id
             WHERE a.state {live} AND b.state {live}
               AND a.starts_on <= b.ends_on AND b.starts_on <= a.ends_on"
        );
        let overlaps = site.number(&sql);
        if overlaps > 0 {
            found.push(format!("{overlaps} overlapping pairs of live rentals by {column}"));
        }
    }
    found
}
