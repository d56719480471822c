//! The same parts inside the test process, on a clock that is moved by hand.
//!
//! The background jobs are not started: what a test sees happens because somebody asked.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lockerd::app::{App, AppError};
use lockerd::clock::Clock;
use lockerd::config::Config;
use lockerd::domain::bank::BankPolicy;
use lockerd::domain::id::{BankId, MemberId};
use lockerd::domain::member::{Profile, Role};
use lockerd::domain::options::Options;
use lockerd::http::{Limits, Server};
use lockerd::service::Services;
use lockerd::service::error::{Code, Error};
use lockerd::service::members::{Actor, NewMember, RosterRow};
use lockerd::store::OpenError;
use lockerd::store::check::check;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::http::Client;
use super::site::{PASSWORD, student, student_id, student_name, student_phone};

/// How often a new account is asked for while the server is busy; it makes each wait for a while.
const BUSY_TRIES: usize = 20;

/// When the clock starts: ten in the morning in Seoul.
const START: &str = "2026-08-24T01:00:00Z";

/// [`START`] in unix milliseconds.
#[track_caller]
pub fn start_ms() -> i64 {
    START.parse::<Timestamp>().expect("a time").as_millisecond()
}

/// A site without a process of its own.
pub struct Inside {
    /// Its clock; starts at [`START`] and stands still.
    pub clock: Clock,
    /// The use-cases.
    pub services: Arc<Services>,
    address: SocketAddr,
    stop: CancellationToken,
    runtime: Runtime,
    app: Option<App>,
    config: Config,
    place: TempDir,
}

impl Inside {
    /// A site of one bank with these lockers, an open window and `students` students; `term`
    /// gives the term's lines of the site file for the moment at which the clock stands.
    #[track_caller]
    pub fn start(
        lockers: impl IntoIterator<Item = i64>,
        students: usize,
        term: impl FnOnce(Timestamp) -> String,
    ) -> Self {
        Self::configured("[auth]\nroster_login = 'full'\n", lockers, students, term)
    }

    /// The same with other settings: lines of a configuration behind `[http]`.
    #[track_caller]
    pub fn configured(
        settings: &str,
        lockers: impl IntoIterator<Item = i64>,
        students: usize,
        term: impl FnOnce(Timestamp) -> String,
    ) -> Self {
        Self::at(("Asia/Seoul", START), settings, lockers, students, term)
    }

    /// The same in another zone and at another time.
    #[track_caller]
    pub fn at(
        (zone, start): (&str, &str),
        settings: &str,
        lockers: impl IntoIterator<Item = i64>,
        students: usize,
        term: impl FnOnce(Timestamp) -> String,
    ) -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let zone = TimeZone::get(zone).expect("bundled");
        let clock = Clock::manual(start.parse().expect("a time"), zone);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let config = format!(
            "data_dir = '{}'\n[http]\nlisten = '127.0.0.1:0'\n{settings}",
            place.path().display()
        );
        let config = Config::parse(&config, "the test", []).expect("valid");
        let app = runtime.block_on(App::build(&config, clock.clone())).expect("built");
        let services = Arc::clone(app.services());
        let mut site =
            "[[location]]\nname_ko = '정보관'\n[[location.bank]]\nname_ko = '사물함'\n".to_owned();
        for id in lockers {
            let _ = writeln!(site, "[[location.bank.locker]]\nid = {id}");
        }
        site += &term(clock.now());
        let file = toml::from_str(&site).expect("a site file");
        runtime.block_on(async {
            services.import_site(file).await.expect("taken");
            let row = |n: usize| RosterRow {
                student_id: student_id(n),
                name: student_name(n),
                phone: Some(student_phone(n)),
                email: None,
            };
            let rows = (0..students).map(|n| (n, row(n))).collect();
            services.import_roster(rows).await.expect("taken");
        });
        let (address, stop) = serve(&runtime, &app);
        Self { clock, services, address, stop, runtime, app: Some(app), config, place }
    }

    /// The same site after a restart of the program, on the same clock.
    #[track_caller]
    pub fn again(mut self) -> Self {
        self.stop.cancel();
        // A second writer beside one that still commits would not know its newest audit row.
        if let Some(app) = self.app.take() {
            app.close();
        }
        // A process that another test is just starting bears the lock with it for a moment.
        let app = super::until("the data directory", || {
            let built = App::build(&self.config, self.clock.clone());
            match self.runtime.block_on(built) {
                Err(AppError::Open(OpenError::InUse(_))) => None,
                built => Some(built.expect("built again")),
            }
        });
        self.services = Arc::clone(app.services());
        (self.address, self.stop) = serve(&self.runtime, &app);
        self.app = Some(app);
        self
    }

    /// The n-th student, logged in at the clock's time.
    #[track_caller]
    pub fn student(&self, n: usize) -> Client {
        Client::nobody(self.address).log_in(&student(n))
    }

    /// Somebody who is not logged in.
    pub fn nobody(&self) -> Client {
        Client::nobody(self.address)
    }

    /// Makes an account whose password is [`PASSWORD`]; staff look after these banks.
    #[track_caller]
    pub fn add(&self, id: &str, role: Role, banks: &[i64]) -> MemberId {
        let profile = || Profile::parse(id, "이직원", None, Some(&format!("{id}@korea.ac.kr")));
        let new = || NewMember {
            profile: profile().expect("valid"),
            role,
            password: Some(PASSWORD.to_owned()),
            staff_of: banks.iter().copied().map(BankId).collect(),
        };
        // On a busy machine many tests hash passwords at once: those that are told to come back do.
        let is_busy =
            |made: &Result<_, Error>| matches!(made, Err(error) if error.code == Code::Overloaded);
        let mut tries =
            std::iter::repeat_with(|| self.run(self.services.add_member(new()))).take(BUSY_TRIES);
        tries.find(|made| !is_busy(made)).expect("not busy for ever").expect("a new account")
    }

    /// Switches on what a bank offers beyond the plain rental.
    #[track_caller]
    pub fn offer(&self, bank: i64, options: Options) {
        let bank = BankId(bank);
        let had = self.services.store.snapshot().site.banks[&bank].policy.clone();
        let policy = BankPolicy { options, ..had };
        let done = self.services.put_policy(Actor::CommandLine, bank, policy, None);
        self.run(done).expect("settings that fit together");
    }

    /// The payloads of mails of a kind, oldest first.
    #[track_caller]
    pub fn mails(&self, kind: &str) -> Vec<Value> {
        let conn = self.sql();
        let sql = "SELECT payload FROM outbox WHERE kind = ?1 ORDER BY id";
        let mut statement = conn.prepare(sql).expect("good SQL");
        let rows = statement.query_map([kind], |row| row.get::<_, String>(0)).expect("readable");
        rows.map(|text| serde_json::from_str(&text.expect("text")).expect("JSON")).collect()
    }

    /// Logs in with [`PASSWORD`].
    #[track_caller]
    pub fn account(&self, id: &str) -> Client {
        self.nobody().log_in(&json!({ "id": id, "password": PASSWORD }))
    }

    /// A connection to the database beside the server's own.
    #[track_caller]
    pub fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.place.path().join("lockerd.db")).expect("there")
    }

    /// What was sealed into the newest mail of a kind (its code), for whomever it is.
    #[track_caller]
    pub fn mailed(&self, kind: &str) -> Value {
        let sql = "SELECT message_id, sealed FROM outbox WHERE kind = ?1 ORDER BY id DESC LIMIT 1";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (id, sealed): (String, Vec<u8>) =
            self.sql().query_row(sql, [kind], row).expect("such a mail with a secret");
        let text = self.services.vault.open(&format!("outbox:{id}"), &sealed).expect("sealed here");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// Lets live sockets hear what happens from now on.
    pub fn publish(&self) {
        let publishing = Arc::clone(&self.services).publish_live(self.stop.clone());
        self.runtime.spawn(publishing);
    }

    /// Turns the clock forward.
    pub fn pass(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }

    /// Runs a use-case to its end.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Every rental as `locker member state reason`, oldest first.
    #[track_caller]
    pub fn history(&self) -> Vec<String> {
        let conn = self.sql();
        let sql = "SELECT coalesce(locker_id, '-') || ' ' || student_id || ' ' || state || ' '
                     || coalesce(end_reason, '-')
                   FROM rental JOIN member ON member.id = member_id ORDER BY rental.id";
        let mut statement = conn.prepare(sql).expect("good SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("readable");
        rows.collect::<Result<_, _>>().expect("readable")
    }

    /// One number out of the database.
    #[track_caller]
    pub fn number(&self, sql: &str) -> i64 {
        self.sql().query_row(sql, [], |row| row.get(0)).expect(sql)
    }

    /// Demands that the database keeps its promises.
    #[track_caller]
    pub fn demand_clean(&self) {
        let found = check(&self.place.path().join("lockerd.db")).expect("readable");
        assert_eq!(found, Vec::<String>::new());
    }
}

/// Serves the API on a free port of its own.
fn serve(runtime: &Runtime, app: &App) -> (SocketAddr, CancellationToken) {
    let stop = CancellationToken::new();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = runtime.block_on(lockerd::http::accept::bind(listen)).expect("bound");
    let address = listener.local_addr().expect("bound");
    let server = Server::new(listener, Limits::default());
    runtime.spawn(server.run(lockerd::http::site(app.api(), None), stop.clone()));
    (address, stop)
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.stop.cancel();
        self.services.store.close();
    }
}

/// A term that is open now and whose rentals begin today.
pub fn open_now(now: Timestamp) -> String {
    term(now - jiff::SignedDuration::from_hours(1), now + jiff::SignedDuration::from_hours(48))
}

/// A term with a given window.
pub fn term(opens_at: Timestamp, closes_at: Timestamp) -> String {
    format!(
        "[[term]]\nname_ko = '학기'\nopens_at = '{opens_at}'\ncloses_at = '{closes_at}'\n\
         starts_on = '2020-01-01'\nends_on = '2090-12-31'\n"
    )
}
