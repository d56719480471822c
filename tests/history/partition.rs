//! A history cut into parts that are judged alone: one for each locker and one for each member.
//!
//! Linearizability is local: a history of many things is linearizable if that of each is. A hold
//! ties a locker and a member, so each part is a view of the whole, and what a part cannot know
//! (why a member was refused, seen from another locker) it does not claim.

use std::fmt::{self, Display, Write as _};

use super::checker::{Micros, Misfit, Op, check};
use super::record::{Answer, Call, Event, History};
use super::rental::{Hold, RentalStep, State, View};

/// How far the server's whole milliseconds may be from the test's time.
const SLACK_US: Micros = 2_000;

/// Most lines of a finding that tell what came before.
const STORY_LINES_MAX: usize = 40;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// One locker over its members.
    Locker(i64),
    /// One member over their lockers.
    Member(i64),
}

/// Two things that cannot both be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub part: Part,
    /// How many operations of the part came before: the smallest finding is shown.
    pub size: usize,
    /// The story for people.
    pub story: String,
}

impl Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locker(id) => write!(f, "locker {id}"),
            Self::Member(id) => write!(f, "member {id}"),
        }
    }
}

/// Judges every part; of what does not fit, the part with the fewest operations before it.
pub fn judge(history: &History) -> Result<(), Finding> {
    let lockers = history.lockers.iter().copied().map(Part::Locker);
    let parts = lockers.chain((1..=history.members).map(Part::Member));
    let findings = parts.filter_map(|part| judge_part(history, part).err());
    findings.min_by_key(|finding| finding.size).map_or(Ok(()), Err)
}

/// Judges one part.
pub fn judge_part(history: &History, part: Part) -> Result<(), Finding> {
    let ops = operations(history, part);
    let Err(misfit) = check(State::Free, &ops) else { return Ok(()) };
    let answered = ops[misfit.op].ended;
    let size = ops.iter().filter(|op| op.began <= answered).count();
    Err(Finding { part, size, story: story(part, &ops, &misfit) })
}

fn story(part: Part, ops: &[Op<RentalStep>], misfit: &Misfit<State>) -> String {
    let (last, mut text) = (&ops[misfit.op], String::new());
    let states: Vec<String> = misfit.states.iter().map(State::to_string).collect();
    let other = match part {
        Part::Locker(_) => "members",
        Part::Member(_) => "lockers",
    };
    let _ = writeln!(
        text,
        "{part}, seen with {other}: no order of what happened explains this answer:"
    );
    let _ = writeln!(text, "  {}", line(last));
    let _ = writeln!(text, "until then it can only have been: {}", states.join(", or "));
    let _ = writeln!(text, "since all was settled last:");
    let told = |op: &&Op<RentalStep>| misfit.since <= op.ended && op.began <= last.ended;
    let mut lines: Vec<&Op<RentalStep>> = ops.iter().filter(told).collect();
    lines.sort_by_key(|op| op.began);
    for op in lines.iter().skip(lines.len().saturating_sub(STORY_LINES_MAX)) {
        let _ = writeln!(text, "  {}", line(op));
    }
    text
}

fn line(op: &Op<RentalStep>) -> String {
    let ms = |at: Micros| format!("{}.{:03}", at / 1_000, at % 1_000);
    format!("{:>10} .. {:>10} ms  {}", ms(op.began), ms(op.ended), op.step)
}

/// What a part sees of a history.
pub fn operations(history: &History, part: Part) -> Vec<Op<RentalStep>> {
    let mut ops = Vec::new();
    for (token, event) in history.events.iter().enumerate() {
        let first = ops.len();
        let steps = Seen { history, part, event, token }.steps();
        ops.extend(steps.into_iter().map(|step| Op {
            began: event.began,
            ended: event.ended,
            step,
        }));
        for at in first..ops.len() {
            let dies = deaths(&ops[at].step, event, history.hold_us);
            ops.extend(dies);
        }
    }
    for (number, restart) in history.restarts.iter().enumerate() {
        let token = history.events.len() + number;
        let until = restart.ended + history.hold_us + SLACK_US;
        ops.push(Op {
            began: restart.began,
            ended: restart.ended,
            step: RentalStep::Restart { token, until },
        });
        let began = restart.began + history.hold_us - SLACK_US;
        ops.push(Op { began, ended: until, step: RentalStep::Expire(token) });
    }
    ops
}

/// The end of each hold that a step may have begun.
fn deaths(step: &RentalStep, event: &Event, hold_us: Micros) -> Vec<Op<RentalStep>> {
    match step {
        RentalStep::Hold { hold, full: true } => vec![Op {
            began: event.began + hold_us - SLACK_US,
            ended: hold.until,
            step: RentalStep::Expire(hold.token),
        }],
        RentalStep::Maybe(steps) => {
            steps.iter().flat_map(|step| deaths(step, event, hold_us)).take(1).collect()
        }
        _ => Vec::new(),
    }
}

/// One event as a part sees it.
struct Seen<'a> {
    history: &'a History,
    part: Part,
    event: &'a Event,
    token: usize,
}

impl Seen<'_> {
    fn steps(&self) -> Vec<RentalStep> {
        let saw = |view: Option<View>| view.map(RentalStep::Saw).into_iter().collect();
        match (&self.event.answer, self.event.call) {
            (Answer::Held { locker, left_ms }, _) => {
                let full = left_ms * 1_000 >= self.history.hold_us;
                self.who(*locker).map(|who| self.hold(who, full)).into_iter().collect()
            }
            (Answer::Cut, Call::HoldAny) => {
                let any = self.history.lockers.iter().filter_map(|locker| self.who(*locker));
                let holds: Vec<RentalStep> = any.map(|who| self.hold(who, true)).collect();
                if holds.is_empty() { Vec::new() } else { vec![RentalStep::Maybe(holds)] }
            }
            (Answer::Cut, call) => {
                self.done(call).map(|step| RentalStep::Maybe(vec![step])).into_iter().collect()
            }
            (Answer::Confirmed | Answer::GivenUp | Answer::Returned { .. }, call) => {
                self.done(call).into_iter().collect()
            }
            (Answer::Refused { code, locker }, call) => self.refusal(code, *locker, call),
            (Answer::Mine(mine), _) => saw(self.mine(mine.as_ref())),
            (Answer::List { rows, mine }, _) => saw(self.list(rows, *mine)),
        }
    }

    /// The other side of an operation on a locker, if this part takes part in it.
    fn who(&self, locker: i64) -> Option<i64> {
        match self.part {
            Part::Locker(id) => (id == locker).then_some(self.event.member),
            Part::Member(id) => (id == self.event.member).then_some(locker),
        }
    }

    fn hold(&self, who: i64, full: bool) -> RentalStep {
        let until = self.event.ended + self.history.hold_us + SLACK_US;
        RentalStep::Hold { hold: Hold { who, token: self.token, until }, full }
    }

    /// What a call does when it is granted.
    fn done(&self, call: Call) -> Option<RentalStep> {
        match call {
            Call::Hold(locker) => self.who(locker).map(|who| self.hold(who, true)),
            Call::Confirm(locker) => self.who(locker).map(RentalStep::Confirm),
            Call::GiveUp(locker) => self.who(locker).map(RentalStep::GiveUp),
            Call::Return(locker) => {
                let freed = self.event.answer != Answer::Returned { freed: false };
                self.who(locker).map(|who| RentalStep::Return { who, freed })
            }
            Call::HoldAny | Call::Mine | Call::List => None,
        }
    }

    fn refusal(&self, code: &str, in_the_way: Option<i64>, call: Call) -> Vec<RentalStep> {
        let of = |locker: Option<i64>| locker.and_then(|locker| self.who(locker));
        let asked = match call {
            Call::Hold(id) | Call::Confirm(id) | Call::GiveUp(id) | Call::Return(id) => Some(id),
            Call::HoldAny | Call::Mine | Call::List => None,
        };
        let is_locker = matches!(self.part, Part::Locker(_));
        let view = match (code, call) {
            ("already_holding", _) => of(in_the_way).map(View::HeldBy),
            ("already_renting", _) => of(in_the_way).map(View::RentedBy),
            ("locker_taken", _) if is_locker => of(asked).map(View::OfAnother),
            ("no_free_locker", _) if is_locker => Some(View::NotFree),
            ("hold_expired", Call::Confirm(_)) => {
                return of(asked).map(RentalStep::ConfirmDead).into_iter().collect();
            }
            ("hold_expired" | "not_your_locker", _) => of(asked).map(View::NotOfThis),
            ("only_held", _) => of(asked).map(View::NoMoreThanHeldBy),
            _ => None,
        };
        view.map(RentalStep::Saw).into_iter().collect()
    }

    fn mine(&self, mine: Option<&(i64, String)>) -> Option<View> {
        match (self.part, mine) {
            (Part::Member(id), None) => (id == self.event.member).then_some(View::Free),
            (_, Some((locker, state))) => self.who(*locker).and_then(|who| match state.as_str() {
                "held" => Some(View::HeldBy(who)),
                "active" => Some(View::RentedBy(who)),
                _ => None,
            }),
            (Part::Locker(_), None) => None,
        }
    }

    fn list(&self, rows: &[(i64, String)], mine: Option<i64>) -> Option<View> {
        match self.part {
            Part::Locker(id) => {
                let (_, state) = rows.iter().find(|(locker, _)| *locker == id)?;
                match state.as_str() {
                    "free" => Some(View::Free),
                    "held" => Some(View::Held),
                    "taken" => Some(View::Rented),
                    _ => None,
                }
            }
            Part::Member(id) if id == self.event.member => match mine {
                Some(locker) => self.who(locker).map(View::OfThis),
                None => Some(View::Free),
            },
            Part::Member(_) => None,
        }
    }
}
