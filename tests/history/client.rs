//! One device of one member: asks, notes what it asked and was answered, and goes on after a kill.
//!
//! Two devices share a member, so that a member is in each other's way as well: one confirms what
//! the other gives up. What they ask is seeded; only time and the server decide the rest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::checker::Micros;
use super::record::{Answer, Call, Event};
use super::server::{Address, Server};
use crate::support::Dice;
use crate::support::http::{Client, Wire};

/// A connection that was idle for longer is not used again: the server may be closing it.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// The longest rest between two requests.
const REST_US_MAX: usize = 12_000;

/// How long before the deadline of a hold its member may try to confirm it, and how long after.
const LAST_MOMENT_US: usize = 6_000;

/// What the devices of a member believe; the server may know better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// Nothing is theirs.
    Nothing,
    /// This one is held.
    Held(i64),
    /// This one is held, and in this run of the program they let it lie until this instant.
    Idle {
        /// Which.
        locker: i64,
        /// A moment after the deadline.
        until: Instant,
        /// Which run.
        run: usize,
    },
    /// This one is rented.
    Rented(i64),
}

/// What both devices of a member share.
pub struct Member {
    /// Counted from 1.
    pub number: i64,
    /// Their log-in.
    pub token: String,
    belief: Mutex<Belief>,
}

impl Member {
    /// Somebody who has nothing.
    pub const fn new(number: i64, token: String) -> Self {
        Self { number, token, belief: Mutex::new(Belief::Nothing) }
    }

    fn belief(&self) -> MutexGuard<'_, Belief> {
        self.belief.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One device.
pub struct Device {
    /// Whose.
    pub member: Arc<Member>,
    /// Where it asks.
    pub server: Arc<Server>,
    /// What it chooses by.
    pub dice: Dice,
    /// How many lockers there are, numbered from 1.
    pub lockers: usize,
    /// A confirmation that is to meet the deadline of a hold.
    pub last_moment: Option<(i64, Instant)>,
    /// The run of the program that it last heard of.
    pub run: usize,
}

/// An event; of one that was cut off the end is not known yet, but the run of the program is.
pub struct Noted {
    /// The event.
    pub event: Event,
    /// During which run of the program.
    pub run: usize,
}

/// What became of a request.
enum Asked {
    /// It was answered; an error is an answer that no such request may get.
    Answered(Result<Event, String>),
    /// It was sent, perhaps in part, and not answered.
    Cut(Event),
    /// Nobody was there.
    NotSent,
}

impl Device {
    /// Asks until the history is over; everything that it noted.
    pub fn work(mut self) -> Result<Vec<Noted>, String> {
        let server = Arc::clone(&self.server);
        let (mut noted, mut kept, mut next) = (Vec::new(), None, 0);
        while let Some(Address { at, run }) = server.address(next)? {
            if run != self.run {
                (self.run, self.last_moment, kept) = (run, None, None);
            }
            next = run;
            let who = Client::nobody(at).with_token(&self.member.token);
            let chosen = self.choose();
            // Few changes may be under way when the server is killed: the others look meanwhile.
            let pass = if chosen.changes() { server.enter() } else { None };
            let call = if chosen.changes() && pass.is_none() { self.look() } else { chosen };
            let asked = self.ask(&who, &mut kept, call);
            if let (Asked::Cut(_), Some(pass)) = (&asked, pass) {
                pass.lose();
            }
            match asked {
                Asked::Answered(event) => {
                    let event = event?;
                    self.learn(call, &event.answer);
                    noted.push(Noted { event, run });
                    self.rest();
                }
                Asked::Cut(event) => {
                    noted.extend(call.changes().then_some(Noted { event, run }));
                    next = run + 1;
                }
                Asked::NotSent => next = run + 1,
            }
        }
        Ok(noted)
    }

    /// Asks on the connection that was kept, or on a new one; keeps it if that may be done.
    fn ask(&self, who: &Client, kept: &mut Option<(Wire, Instant)>, call: Call) -> Asked {
        let usable = kept.take().filter(|(_, used)| used.elapsed() < IDLE_MAX);
        let Some(mut wire) = usable.map(|(wire, _)| wire).or_else(|| connect(who)) else {
            return Asked::NotSent;
        };
        let (method, path, body) = call.request();
        let kind: &[&str] = if body.is_empty() { &[] } else { &["Content-Type: application/json"] };
        let request = who.request(method, &path, kind, body);
        let began = self.server.now();
        let reply = wire.call(request);
        let ended = self.server.now();
        let Ok(reply) = reply else {
            return Asked::Cut(self.event(call, Answer::Cut, began, ended));
        };
        if reply.header("connection") != Some("close") {
            *kept = Some((wire, Instant::now()));
        }
        Asked::Answered(call.answer(&reply).map(|answer| self.event(call, answer, began, ended)))
    }

    fn event(&self, call: Call, answer: Answer, began: Micros, ended: Micros) -> Event {
        Event { member: self.member.number, call, answer, began, ended }
    }

    fn choose(&mut self) -> Call {
        if let Some((locker, at)) = self.last_moment {
            if let Some(left) = at.checked_duration_since(Instant::now()).filter(|it| !it.is_zero())
            {
                if left > Duration::from_millis(20) {
                    return self.look();
                }
                sleep(left);
            }
            self.last_moment = None;
            return Call::Confirm(locker);
        }
        let belief = *self.member.belief();
        let anywhere = i64::try_from(self.dice.below(self.lockers)).unwrap_or(0) + 1;
        let luck = self.dice.below(100);
        match luck {
            0..15 => return self.look(),
            15..20 => return Call::Hold(anywhere),
            _ if self.lies(belief) => return self.look(),
            20..26 => return Call::Confirm(anywhere),
            26..28 => return Call::Return(anywhere),
            28..30 => return Call::GiveUp(anywhere),
            _ => {}
        }
        match belief {
            Belief::Nothing if luck < 65 => Call::Hold(anywhere),
            Belief::Nothing => Call::HoldAny,
            Belief::Held(locker) | Belief::Idle { locker, .. } => match luck {
                30..62 => Call::Confirm(locker),
                62..94 => Call::GiveUp(locker),
                _ => Call::Return(locker),
            },
            Belief::Rented(locker) => match luck {
                30..80 => Call::Return(locker),
                80..90 => Call::GiveUp(locker),
                _ => Call::Confirm(locker),
            },
        }
    }

    /// Whether a hold is to be left alone still.
    fn lies(&self, belief: Belief) -> bool {
        matches!(belief, Belief::Idle { until, run, .. } if run == self.run && Instant::now() < until)
    }

    fn look(&mut self) -> Call {
        if self.dice.below(3) == 0 { Call::List } else { Call::Mine }
    }

    fn learn(&mut self, call: Call, answer: &Answer) {
        let lying = self.lies(*self.member.belief());
        let believed = match (call, answer) {
            // What is only heard of again does not disturb a hold that is to lie.
            (_, Answer::Held { .. } | Answer::Mine(_)) if lying => return,
            (_, Answer::Held { locker, left_ms }) => {
                let deadline = Instant::now() + Duration::from_millis(*left_ms);
                let lies = self.dice.below(4) == 0 && self.server.may_lie(deadline);
                self.lay(*locker, deadline, lies)
            }
            (Call::Confirm(locker), Answer::Confirmed) => Belief::Rented(locker),
            (Call::GiveUp(_), Answer::GivenUp) | (Call::Return(_), Answer::Returned { .. }) => {
                Belief::Nothing
            }
            (_, Answer::Mine(None)) => Belief::Nothing,
            (_, Answer::Mine(Some((locker, state)))) if state == "held" => Belief::Held(*locker),
            (_, Answer::Mine(Some((locker, _)))) => Belief::Rented(*locker),
            _ => return,
        };
        *self.member.belief() = believed;
    }

    /// What is believed of a new hold: some are left alone until they die, or until the last moment.
    fn lay(&mut self, locker: i64, deadline: Instant, lies: bool) -> Belief {
        if !lies {
            return Belief::Held(locker);
        }
        if self.dice.below(2) == 0 {
            let moment = self.dice.below(2 * LAST_MOMENT_US);
            let late = Duration::from_micros(u64::try_from(moment).unwrap_or(0));
            let earliest = Duration::from_micros(u64::try_from(LAST_MOMENT_US).unwrap_or(0));
            self.last_moment = (deadline + late).checked_sub(earliest).map(|at| (locker, at));
        }
        Belief::Idle { locker, until: deadline + Duration::from_millis(50), run: self.run }
    }

    fn rest(&mut self) {
        if self.dice.below(3) != 0 {
            let us = self.dice.below(REST_US_MAX);
            sleep(Duration::from_micros(u64::try_from(us).unwrap_or(0)));
        }
    }
}

fn connect(who: &Client) -> Option<Wire> {
    std::net::TcpStream::connect(who.address).ok().map(|stream| {
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(crate::support::PATIENCE));
        Wire(stream)
    })
}
