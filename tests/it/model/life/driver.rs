//! The program in a sequence: does each step, over HTTP where somebody asks, and compares.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::SignedDuration;
use lockerd::domain::bank::Mode;
use lockerd::domain::id::{BankId, LocationId, LockerId};
use lockerd::domain::member::Role;
use lockerd::domain::name::Name;
use lockerd::domain::returning;
use lockerd::service::jobs::JOBS;
use lockerd::service::members::Actor;
use lockerd::service::places::banks::NewBank;
use lockerd::service::places::lockers::NewLockers;
use lockerd::store::{Change, Lane, StoreError, rentals};
use proptest_state_machine::StateMachineTest;

use super::super::term_lines;
use super::book::Book;
use super::changes::{Happened, demand_done, demand_legal};
use super::deed::{Deed, Own};
use super::plan::{CHOOSE, LOCKERS, MEMBERS, POOL, Plan, SPARE, TERMS};
use super::promises::{demand_after, demand_always};
use super::rules::View;
use super::step::{Ask, Course, Step};
use crate::support::http::{Client, Reply, at_once};
use crate::support::inside::{Inside, start_ms};

/// The account of whoever acts for staff.
const ADMIN: &str = "ADMIN1";

/// Runs of all jobs after which nothing may be left to do.
const ROUNDS: usize = 2;

/// The program with what is known of it.
pub struct Program {
    plan: Plan,
    /// The site; it is replaced by a restart.
    site: Option<Inside>,
    /// The state after the last step.
    book: Book,
    /// Who is logged in, students by their numbers, behind them staff; and at which wall time.
    clients: Vec<Option<(i64, Client)>>,
    /// Keys given out so far: each is used once.
    keys: usize,
    /// What happened, for whoever reads a failure.
    story: Vec<String>,
}

impl Program {
    fn site(&self) -> &Inside {
        self.site.as_ref().expect("served")
    }

    fn started(plan: Plan) -> Self {
        let windows = TERMS.map(|it| (it.opens_ms, it.closes_ms, it.first, it.last));
        let of_choose = LOCKERS.into_iter().filter(|id| *id < 10);
        let site = Inside::start(of_choose, MEMBERS, |now| term_lines(now, &windows));
        site.add(ADMIN, Role::Admin, &[]);
        let services = &site.services;
        let policy = plan.policy(Mode::Choose);
        let put = services.put_policy(Actor::CommandLine, BankId(CHOOSE), policy, None);
        site.run(put).expect("settings that fit together");
        let new = NewBank {
            location_id: LocationId(1),
            name: Name::parse("예약", None).expect("a name"),
            mode: Mode::Pool,
            policy: plan.policy(Mode::Pool),
        };
        let made = site.run(services.add_bank(Actor::CommandLine, new, None)).expect("made");
        assert_eq!(made.value, BankId(POOL));
        for id in LOCKERS.into_iter().filter(|id| *id > 10) {
            let one = NewLockers {
                from: id,
                to: id,
                channel: None,
                in_service: true,
                run: None,
                level: None,
                accessible: false,
            };
            let add = services.add_lockers(Actor::CommandLine, BankId(POOL), one, None);
            site.run(add).expect("made");
        }
        let spare = LockerId(SPARE);
        let put = services.put_service(Actor::CommandLine, spare, plan.spare, "문", None);
        site.run(put).expect("done");
        let book = Book::read(&site);
        let (clients, story) = (vec![None; MEMBERS + 1], vec![format!("{plan:?}")]);
        Self { plan, site: Some(site), book, clients, keys: 0, story }
    }

    fn view<'a>(&'a self, book: &'a Book) -> View<'a> {
        let site = self.site();
        View {
            plan: &self.plan,
            book,
            today: site.clock.today(),
            since_ms: site.clock.now().as_millisecond() - start_ms(),
            counted_ms: site.clock.monotonic().0,
            trusted: site.services.clock_is_trusted(),
        }
    }

    /// Log-ins go by the wall clock: whenever it moved, whoever asks logs in anew.
    fn client(&mut self, who: Option<i64>) -> Client {
        let now_ms = self.site().clock.now().as_millisecond();
        let place = who.map_or(MEMBERS, |id| usize::try_from(id - 1).expect("a student"));
        let known = self.clients[place].take().filter(|(since_ms, _)| *since_ms == now_ms);
        let (_, client) = known.unwrap_or_else(|| {
            let site = self.site();
            let new = if who.is_some() { site.student(place) } else { site.account(ADMIN) };
            (now_ms, new)
        });
        self.clients[place] = Some((now_ms, client.clone()));
        client
    }

    fn request(&mut self, deed: &Deed, keyed: bool) -> String {
        let (who, method, path, body) = deed.request();
        self.keys += 1;
        let key = format!("Idempotency-Key: step-{}", self.keys);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut lines = vec!["Connection: close"];
        lines.extend(keyed.then_some(key.as_str()));
        lines.extend((!body.is_empty()).then_some("Content-Type: application/json"));
        self.client(who).request(method, &path, &lines, &body)
    }

    /// Asks all at the same moment; what each means in the state as it was, and its answer.
    fn ask(&mut self, asks: &[Ask]) -> Vec<(Deed, Reply)> {
        let view = self.view(&self.book);
        let deeds: Vec<Deed> = asks.iter().map(|ask| Deed::of(ask, &view)).collect();
        let requests: Vec<String> =
            deeds.iter().zip(asks).map(|(deed, ask)| self.request(deed, ask.keyed)).collect();
        let address = self.site().nobody().address;
        let replies = at_once(address, requests);
        for (deed, reply) in deeds.iter().zip(&replies) {
            self.story.push(format!("  {deed:?}: {} {}", reply.status, reply.code()));
            let known = matches!(reply.status, 200..=204 | 403 | 404 | 409 | 422);
            assert!(known, "{deed:?}: {} {}", reply.status, reply.text());
        }
        // Orders to end many go on behind the answer.
        if deeds.iter().any(|deed| matches!(deed, Deed::BulkEnd(..))) {
            let site = self.site();
            site.run(site.services.carry_on_bulk_ends()).expect("it works");
        }
        deeds.into_iter().zip(replies).collect()
    }

    fn do_asks(&mut self, asks: &[Ask]) -> Happened {
        let answered = self.ask(asks);
        if let [(deed, reply)] = &answered[..] {
            self.compare(deed, reply);
        }
        let granted = answered.into_iter().filter(|(deed, reply)| {
            let opened = matches!(deed, Deed::Open(_)) && reply.code() == "not_wired";
            reply.status < 300 || opened
        });
        let deeds: Vec<Deed> = granted.map(|(deed, _)| deed).collect();
        for deed in &deeds {
            if let Deed::Open(own) = deed {
                self.open(own);
            }
        }
        Happened { deeds, ..Happened::default() }
    }

    /// Demands that a request was answered as foretold.
    fn compare(&self, deed: &Deed, reply: &Reply) {
        let before = self.view(&self.book);
        let Some(reasons) = before.reasons(deed) else { return };
        let code = reply.code();
        if reasons.is_empty() {
            assert!(reply.status < 300, "{deed:?} was refused: {}", reply.text());
        } else {
            let known = reasons.contains(code.as_str());
            assert!(known, "{deed:?}: {reasons:?}, not {} {code}", reply.status);
        }
        // Whatever was reserved can be had as long as nothing broke and nobody stays too long.
        let short = matches!(deed, Deed::CheckIn(..)) && reasons.iter().eq(&["no_free_locker"]);
        assert!(!short || !before.is_whole(), "{deed:?} was promised");
    }

    /// Tells the program what a board would tell of an opening: no locker here has an electric lock.
    fn open(&self, own: &Own) {
        let (site, locker, today) = (self.site(), LockerId(own.locker), self.site().clock.today());
        let noted = site.services.store.write::<_, StoreError, _>(Lane::Opening, move |tx| {
            let snapshot = tx.snapshot();
            let first = || snapshot.of_locker(locker).min_by_key(|it| it.dates.first());
            let Some(rental) = snapshot.occupant(locker, today).or_else(first).copied() else {
                return Ok(());
            };
            let moved = returning::moved(rental, tx.monotonic);
            rentals::update_known(tx.conn, &moved, tx.now_ms())?;
            tx.apply(&Change::Rental(moved));
            Ok(())
        });
        site.run(noted).expect("stored");
    }

    fn run_job(&self, index: usize) {
        let site = self.site();
        let run = site.run(site.services.run_woken_job(index));
        let failed = run.and_then(|run| run.result.err());
        assert_eq!(failed, None, "{}", JOBS[index].name);
    }

    fn do_step(&mut self, step: &Step) -> Happened {
        match step {
            Step::Asks(ask) => return self.do_asks(&[*ask]),
            Step::AtOnce(pair) => return self.do_asks(pair),
            Step::Pass(ms) => self.site().pass(*ms),
            Step::Jump(by_ms) => {
                let clock = &self.site().clock;
                clock.jump_to(clock.now() + SignedDuration::from_millis(*by_ms));
            }
            Step::Vouch(true) => self.site().clock.trust(),
            Step::Vouch(false) => self.site().clock.distrust(),
            Step::Job(index) => {
                let index = index % JOBS.len();
                self.run_job(index);
                return Happened { jobs: vec![JOBS[index].name], ..Happened::default() };
            }
            Step::AllJobs => {
                for index in (0..ROUNDS).flat_map(|_| 0..JOBS.len()) {
                    self.run_job(index);
                }
                let jobs = JOBS.iter().map(|job| job.name).collect();
                return Happened { jobs, ..Happened::default() };
            }
            Step::Restart => {
                self.site = self.site.take().map(Inside::again);
                self.clients.fill(None);
                return Happened { restarted: true, ..Happened::default() };
            }
        }
        Happened::default()
    }

    /// Runs all jobs once more: nothing is left to do.
    fn demand_at_rest(&self, after: &Book) {
        for index in 0..JOBS.len() {
            self.run_job(index);
        }
        assert_eq!(Book::read(self.site()), *after, "jobs that ran do something when run again");
    }

    fn check(&mut self, step: &Step, what: &Happened, after: Book) {
        let before = self.view(&self.book);
        demand_legal(&before, &after, what);
        if let (Step::Asks(_), [deed]) = (step, &what.deeds[..]) {
            demand_done(&before, &after, deed);
        }
        if what.deeds.is_empty()
            && what.jobs.is_empty()
            && !matches!(step, Step::Asks(_) | Step::AtOnce(_))
        {
            assert_eq!(self.book.stored(), after.stored(), "{step:?} changes nothing");
        }
        let view = self.view(&after);
        demand_always(self.site(), &view);
        demand_after(&before, &view, &what.jobs);
        if matches!(step, Step::AllJobs) {
            self.demand_at_rest(&after);
        }
        self.book = after;
    }
}

impl StateMachineTest for Program {
    type SystemUnderTest = Self;
    type Reference = Course;

    fn init_test(course: &Course) -> Self {
        Self::started(course.plan)
    }

    fn apply(mut program: Self, _: &Course, step: Step) -> Self {
        program.story.push(format!("{step:?}"));
        let taken = catch_unwind(AssertUnwindSafe(|| {
            let what = program.do_step(&step);
            let after = Book::read(program.site());
            program.check(&step, &what, after);
        }));
        if let Err(panic) = taken {
            let text = panic.downcast_ref::<String>().map_or("a panic", String::as_str);
            panic!("{text}\nafter {}", program.story.join("\n"));
        }
        program
    }

    fn teardown(program: Self, _: Course) {
        program.site().demand_clean();
    }
}
