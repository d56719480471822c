//! The program under the model: does each step over HTTP, then asks everything that can be asked and
//! keeps the worlds in which the answers are true. None left: the program or the model is wrong.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde_json::{Value, json};

use super::step::{Generator, Step};
use super::term_lines;
use super::world::{Ask, LOCKERS, MEMBERS, Seen, TERMS, World};
use crate::support::http::{Client, Reply, at_once};
use crate::support::inside::{Inside, start_ms};

/// Lists are made anew at the latest after so long when the wall clock was set (`service/lockers.rs`).
const LISTING_AGE_MAX_MS: u64 = 60_000;

/// The program with what it may be in.
pub struct Program {
    /// The site; it is replaced by a restart.
    site: Option<Inside>,
    /// Every world that explains what was seen so far.
    worlds: Vec<World>,
    /// Members who are logged in, at this wall time.
    clients: Vec<Client>,
    logged_in_ms: i64,
    /// Until when lists may be from before the wall clock was set, by the clock that nobody sets.
    lists_old_until_ms: u64,
    /// Keys given out so far: each is used once.
    keys: usize,
    /// What happened, for whoever reads a failure.
    story: Vec<String>,
}

/// Everything that the program says of itself at one moment.
struct Told {
    rows: BTreeMap<i64, String>,
    mine: Vec<Value>,
    listed: Vec<Option<i64>>,
    summary: Value,
    /// What is stored as not over: locker, member, state, first day.
    stored: Vec<(i64, usize, String, String)>,
}

impl Program {
    fn site(&self) -> &Inside {
        self.site.as_ref().expect("served")
    }

    fn started() -> Self {
        let windows = TERMS.map(|it| (it.opens_ms, it.closes_ms, it.first, it.last));
        let terms = |now| term_lines(now, &windows);
        let site = Inside::start(1..=LOCKERS, MEMBERS, terms);
        assert_eq!(site.clock.now().as_millisecond(), start_ms());
        Self {
            site: Some(site),
            worlds: vec![World::new(start_ms())],
            clients: Vec::new(),
            logged_in_ms: i64::MIN,
            lists_old_until_ms: 0,
            keys: 0,
            story: Vec::new(),
        }
    }

    /// Log-ins go by the wall clock: whenever it moved everybody logs in anew.
    fn log_in(&mut self) {
        let now_ms = self.site().clock.now().as_millisecond();
        if self.clients.is_empty() || now_ms != self.logged_in_ms {
            self.clients = (0..MEMBERS).map(|n| self.site().student(n)).collect();
            self.logged_in_ms = now_ms;
        }
    }

    fn request(&mut self, member: usize, ask: Ask, keyed: bool) -> String {
        let of = |locker: i64, what: &str| format!("/api/v1/lockers/{locker}/{what}");
        let (path, body) = match ask {
            Ask::Hold(locker) => (of(locker, "hold"), ""),
            Ask::HoldAny => ("/api/v1/banks/1/hold".to_owned(), ""),
            Ask::Confirm(locker) => (of(locker, "confirm"), ""),
            Ask::GiveUp(locker) => (of(locker, "release-hold"), ""),
            Ask::Return(locker) => (of(locker, "release"), r#"{"emptied":true}"#),
        };
        self.keys += 1;
        let key = format!("Idempotency-Key: step-{}", self.keys);
        let mut lines = vec!["Connection: close"];
        lines.extend(keyed.then_some(key.as_str()));
        lines.extend((!body.is_empty()).then_some("Content-Type: application/json"));
        self.clients[member].request("POST", &path, &lines, body)
    }

    /// Asks all at the same moment; the answers in the order of the questions.
    fn ask(&mut self, asks: &[(usize, Ask)], keyed: bool) -> Vec<Seen> {
        let requests: Vec<String> =
            asks.iter().map(|(member, ask)| self.request(*member, *ask, keyed)).collect();
        let replies = at_once(self.clients[0].address, requests);
        replies.iter().map(seen).collect()
    }

    fn do_step(&mut self, step: &Step) {
        self.log_in();
        let before = std::mem::take(&mut self.worlds);
        self.worlds = match step {
            Step::Asks { member, ask, keyed } => {
                let seen = self.ask(&[(*member, *ask)], *keyed).swap_remove(0);
                self.story.push(format!("{seen:?}"));
                before.iter().flat_map(|world| after(world, *member, *ask, &seen)).collect()
            }
            Step::AtOnce(pair) => {
                // With keys the writer alone decides, without the published state may refuse first.
                let seen = self.ask(pair, self.keys.is_multiple_of(2));
                self.story.push(format!("{seen:?}"));
                before.iter().flat_map(|world| after_both(world, *pair, &seen)).collect()
            }
            Step::Pass(_) | Step::Jump(_) | Step::Vouch(_) | Step::Tidy => {
                self.turn(step);
                before.into_iter().map(|world| Generator::apply(world, step)).collect()
            }
            Step::Restart => {
                self.site = self.site.take().map(Inside::again);
                self.clients.clear();
                before.iter().flat_map(World::restarted).collect()
            }
        };
        assert!(
            !self.worlds.is_empty(),
            "no world gives this answer to {step:?}: {}",
            self.story.join("\n")
        );
    }

    fn turn(&mut self, step: &Step) {
        if let Step::Jump(_) = step {
            self.lists_old_until_ms = self.site().clock.monotonic().0 + LISTING_AGE_MAX_MS;
        }
        let site = self.site();
        match step {
            Step::Pass(ms) => site.pass(*ms),
            Step::Jump(by_ms) => {
                site.clock.jump_to(site.clock.now() + SignedDuration::from_millis(*by_ms));
            }
            Step::Vouch(true) => site.clock.trust(),
            Step::Vouch(false) => site.clock.distrust(),
            _ => {
                site.run(site.services.expire_holds()).expect("stored");
            }
        }
    }

    fn told(&self) -> Told {
        let list = |who: &Client| who.get("/api/v1/lockers").expect(200).json();
        let lists: Vec<Value> = self.clients.iter().map(list).collect();
        let one = |locker: i64| {
            let page = self.clients[0].get(&format!("/api/v1/lockers/{locker}")).expect(200).json();
            (locker, page["state"].as_str().expect("a state").to_owned())
        };
        let rows: BTreeMap<i64, String> = (1..=LOCKERS).map(one).collect();
        if self.site().clock.monotonic().0 >= self.lists_old_until_ms {
            for row in lists.iter().flat_map(|list| list["lockers"].as_array().expect("rows")) {
                let locker = row["locker_id"].as_i64().expect("a number");
                assert_eq!(row["state"], rows[&locker], "{row}\nafter {}", self.story.join("\n"));
            }
        }
        let summary = self.clients[0].get("/api/v1/lockers/summary").expect(200).json();
        Told {
            rows,
            mine: self.clients.iter().map(Client::mine).collect(),
            listed: lists.iter().map(|list| list["my_locker_id"].as_i64()).collect(),
            summary: summary["locations"][0]["banks"][0].clone(),
            stored: self.stored(),
        }
    }

    fn stored(&self) -> Vec<(i64, usize, String, String)> {
        let conn = self.site().sql();
        let sql = "SELECT locker_id, CAST(substr(student_id, 5) AS INTEGER), state, starts_on
                   FROM rental JOIN member ON member.id = member_id WHERE ended_ms IS NULL";
        let mut statement = conn.prepare(sql).expect("good SQL");
        let rows = statement.query_map([], |row| {
            let member: u16 = row.get(1)?;
            Ok((row.get(0)?, usize::from(member), row.get(2)?, row.get(3)?))
        });
        rows.expect("readable").collect::<Result<_, _>>().expect("readable")
    }
}

/// What an answer says.
fn seen(reply: &Reply) -> Seen {
    match reply.status {
        201 => Seen::Held(reply.json()["locker_id"].as_i64().expect("a number")),
        200 => Seen::Done,
        status => {
            assert!(matches!(status, 403 | 404 | 409), "{status} {}", reply.text());
            Seen::Refused(reply.code())
        }
    }
}

/// The worlds in which a member is answered this.
fn after(world: &World, member: usize, ask: Ask, seen: &Seen) -> Vec<World> {
    let branches = world.ask(member, ask).into_iter();
    branches.filter(|(answer, _)| answer == seen).map(|(_, world)| world).collect()
}

/// The worlds in which two are answered this, in either order.
fn after_both(world: &World, pair: [(usize, Ask); 2], seen: &[Seen]) -> Vec<World> {
    let in_order = |order: [usize; 2]| {
        let [one, other] = order.map(|n| (pair[n].0, pair[n].1, &seen[n]));
        let next = after(world, one.0, one.1, one.2);
        next.into_iter().flat_map(move |world| after(&world, other.0, other.1, other.2))
    };
    let mut worlds: Vec<World> = in_order([0, 1]).chain(in_order([1, 0])).collect();
    worlds.dedup();
    worlds
}

/// What a world and the program do not agree on.
fn difference(world: &World, told: &Told) -> Option<String> {
    let overdue = world.overdue();
    lockers_differ(world, told)
        .or_else(|| (0..MEMBERS).find_map(|member| member_differs(world, told, member)))
        .or_else(|| stored_differs(world, told))
        .or_else(|| {
            (told.summary["overdue"] != overdue)
                .then(|| format!("{overdue} are overdue, not {}", told.summary))
        })
}

fn lockers_differ(world: &World, told: &Told) -> Option<String> {
    (1..=LOCKERS).find_map(|locker| {
        let (states, said) = (world.states_of(locker), &told.rows[&locker]);
        (!states.contains(&said.as_str()))
            .then(|| format!("locker {locker} is one of {states:?}, not {said}"))
    })
}

fn member_differs(world: &World, told: &Told, member: usize) -> Option<String> {
    let mine = world.mine(member);
    let expected = mine.map_or(Value::Null, |claim| {
        let left_ms = claim.until_ms.map(|until_ms| until_ms - world.counted_ms);
        json!({
            "locker_id": claim.locker,
            "state": if left_ms.is_some() { "held" } else { "active" },
            "hold_expires_in_ms": left_ms,
            "starts_on": TERMS[claim.term].first.to_string(),
            "ends_on": TERMS[claim.term].last.to_string(),
        })
    });
    let said = &told.mine[member];
    let same = match &expected {
        Value::Object(keys) => keys.iter().all(|(key, value)| said[key] == *value),
        _ => said.is_null(),
    };
    let listed = told.listed[member] == mine.map(|claim| claim.locker);
    (!same || !listed).then(|| format!("member {member} has {expected}, not {said}"))
}

/// Everything alive is stored; what is stored besides is a dead hold that nobody has written down.
fn stored_differs(world: &World, told: &Told) -> Option<String> {
    let mut left = told.stored.clone();
    for claim in world.alive() {
        let state = if claim.until_ms.is_some() { "held" } else { "active" };
        let first = TERMS[claim.term].first.to_string();
        let row = (claim.locker, claim.member, state.to_owned(), first);
        let Some(at) = left.iter().position(|it| *it == row) else {
            return Some(format!("{row:?} is not stored: {:?}", told.stored));
        };
        left.swap_remove(at);
    }
    let known = |row: &(i64, usize, String, String)| {
        world.claims.iter().any(|it| (it.locker, it.member) == (row.0, row.1)) && row.2 == "held"
    };
    let strange = left.iter().find(|row| !known(row));
    strange.map(|row| format!("{row:?} is stored and is over"))
}

/// No two of one locker or one member share a day: asked of the database itself.
fn demand_no_overlap(site: &Inside) {
    for column in ["locker_id", "member_id"] {
        let sql = format!(
            "SELECT count(*) FROM rental a JOIN rental b ON a.{column} = b.{column} AND a.id < b.id
             WHERE a.state IN ('held', 'active') AND b.state IN ('held', 'active')
               AND a.starts_on <= b.ends_on AND b.starts_on <= a.ends_on"
        );
        let overlaps: i64 = site.sql().query_row(&sql, [], |row| row.get(0)).expect("good SQL");
        assert_eq!(overlaps, 0, "two live rentals of one {column}");
    }
}

impl StateMachineTest for Program {
    type SystemUnderTest = Self;
    type Reference = Generator;

    fn init_test(_: &World) -> Self {
        Self::started()
    }

    fn apply(mut program: Self, _: &World, step: Step) -> Self {
        program.story.push(format!("{step:?}"));
        program.do_step(&step);
        program.log_in();
        let told = program.told();
        let differences: Vec<String> =
            program.worlds.iter().filter_map(|world| difference(world, &told)).collect();
        program.worlds.retain(|world| difference(world, &told).is_none());
        let story = program.story.join("\n");
        assert!(!program.worlds.is_empty(), "{}\nafter {story}", differences.join("\n"));
        let count = |state: &str| told.rows.values().filter(|it| *it == state).count();
        for (key, state) in [("free", "free"), ("held", "held"), ("taken", "taken")] {
            assert_eq!(told.summary[key], count(state), "{key}: {}\nafter {story}", told.summary);
        }
        demand_no_overlap(program.site());
        program
    }

    fn teardown(program: Self, _: World) {
        program.site().demand_clean();
    }
}
