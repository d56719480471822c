//! Many people log in at the same moment while staff open lockers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;

use crate::wire::{Answer, Wire, student};
use crate::{PASSWORD, histogram, micros, millis, say};

/// Lockers of the site; staff open one after the other.
const LOCKERS: usize = 160;

/// How long staff wait between two openings.
const OPENING_PAUSE: Duration = Duration::from_millis(5);

/// How long the site rests between two rounds.
const REST: Duration = Duration::from_secs(1);

/// What was seen.
pub struct Told {
    people: usize,
    rounds: usize,
    /// Time of the answers by status.
    answers: BTreeMap<u16, Histogram<u64>>,
    /// Refusals that did not say when to come back.
    without_retry_after: usize,
    /// Openings meanwhile, and on the quiet site.
    openings: Histogram<u64>,
    quiet: Histogram<u64>,
}

struct Seen {
    after: Duration,
    answer: Answer,
}

/// Several rounds of `people` log-ins at once.
pub fn run(address: SocketAddr, people: usize, rounds: usize) -> anyhow::Result<Told> {
    let quiet = opener(address, || false, rounds * 200)?;
    let mut told = Told {
        people,
        rounds,
        answers: BTreeMap::new(),
        without_retry_after: 0,
        openings: histogram()?,
        quiet,
    };
    for _ in 0..rounds {
        let over = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&over);
        let opening =
            thread::spawn(move || opener(address, || ending.load(Ordering::SeqCst), usize::MAX));
        thread::sleep(REST);
        let seen = round(address, people)?;
        over.store(true, Ordering::SeqCst);
        told.openings.add(opening.join().ok().context("the opener panicked")??)?;
        for one in seen {
            let times = match told.answers.entry(one.answer.status) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => entry.insert(histogram()?),
            };
            times.record(micros(one.after))?;
            let refused = one.answer.status >= 400;
            told.without_retry_after += usize::from(refused && one.answer.retry_after_s.is_none());
        }
    }
    Ok(told)
}

fn round(address: SocketAddr, people: usize) -> anyhow::Result<Vec<Seen>> {
    let together = Arc::new(Barrier::new(people));
    let threads: Vec<_> = (0..people)
        .map(|number| {
            let together = Arc::clone(&together);
            thread::Builder::new().stack_size(256 << 10).spawn(move || {
                let wire = Wire::connect(address);
                together.wait();
                let began = Instant::now();
                let answer = wire?.log_in(&student(number), PASSWORD)?;
                anyhow::Ok(Seen { after: began.elapsed(), answer })
            })
        })
        .collect::<Result<_, _>>()?;
    threads.into_iter().map(|thread| thread.join().ok().context("a client panicked")?).collect()
}

/// Staff who open lockers until it is over; the time until each opening is stored and answered.
fn opener(
    address: SocketAddr,
    over: impl Fn() -> bool,
    most: usize,
) -> anyhow::Result<Histogram<u64>> {
    let mut wire = Wire::connect(address)?;
    let authorization = format!("Authorization: Bearer {}\r\n", wire.token("ADMIN")?);
    let mut times = histogram()?;
    for number in 0..most {
        if over() {
            break;
        }
        let path = format!("/api/v1/lockers/{}/open", 1 + number % LOCKERS);
        let began = Instant::now();
        let answer = wire.post(&path, &authorization, "")?;
        times.record(micros(began.elapsed()))?;
        anyhow::ensure!(matches!(answer.status, 202 | 409), "{path}: {}", answer.body);
        thread::sleep(OPENING_PAUSE);
    }
    Ok(times)
}

impl Told {
    /// Prints it.
    pub fn say(&self, before_kib: f64, after_kib: f64) -> anyhow::Result<()> {
        let Self { people, rounds, .. } = self;
        say(&format!("{rounds} rounds of {people} log-ins at once, 512 MB"))?;
        let of = |times: &Histogram<u64>, quantile| {
            millis(Duration::from_micros(times.value_at_quantile(quantile)))
        };
        for (status, times) in &self.answers {
            say(&format!(
                "  {status}: {} answers, median {:.0} ms, p99 {:.0} ms, at most {:.0} ms",
                times.len(),
                of(times, 0.5),
                of(times, 0.99),
                millis(Duration::from_micros(times.max()))
            ))?;
        }
        say(&format!("  refusals without Retry-After: {}", self.without_retry_after))?;
        say(&format!(
            "  openings: p99 {:.1} ms of {} (limit 300), on the quiet site {:.1} ms",
            of(&self.openings, 0.99),
            self.openings.len(),
            of(&self.quiet, 0.99)
        ))?;
        say(&format!(
            "  peak memory {:.1} MB (limit 150), {:.1} MB before the first round",
            after_kib / 1e3 * 1.024,
            before_kib / 1e3 * 1.024
        ))
    }
}
