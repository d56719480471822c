//! A database that really fails: nobody can change anything, everybody can read, and whoever rents
//! still gets at their things. When it works again it is noticed without a restart.

use std::process::Command;
use std::time::Duration;

use lockerd::sim::{SimBoard, SimBus};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::support::boards::{Boards, bus_toml, modbus_toml};
use crate::support::http::Client;
use crate::support::site::{Plan, Site, student};
use crate::support::until;

/// The idempotency key of the renter's opening.
const OPEN_KEY: &str = "open-while-degraded";

const REFRESH: &str = "/api/v1/auth/refresh";

/// A served site with one wired locker and its renter.
struct Wired {
    site: Site,
    boards: Boards,
    renter: Client,
    /// Of the renter's log-in.
    refresh_token: String,
    other: Client,
}

impl Wired {
    fn prepare() -> (Site, Boards) {
        let place = tempfile::tempdir().expect("a temporary place");
        let bus = SimBus::new("east", place.path().join("east"), 9_600);
        let boards = Boards::start(vec![bus.with(SimBoard::modbus(1, 8))]);
        let plan = Plan::default()
            .wired(1, 101, ("east", 1, 3))
            .lockers(1, 102..=104)
            .students(2)
            .bus(&bus_toml("east", 9_600, &[&modbus_toml(1)]));
        (Site::prepare_in(place, &plan), boards)
    }

    fn serve(mut site: Site, boards: Boards, command: Option<Command>) -> Self {
        match command {
            Some(command) => site.serve_by(command),
            None => site.serve(),
        }
        let pair = site.nobody().post_json("/api/v1/auth/login", &student(0)).expect(200).json();
        let text = |name: &str| pair[name].as_str().expect("a token").to_owned();
        let renter = site.nobody().with_token(text("access_token"));
        let (refresh_token, other) = (text("refresh_token"), site.student(1));
        renter.rent(101);
        until("the door is known", || (renter.mine()["door"] == "closed").then_some(()));
        Self { site, boards, renter, refresh_token, other }
    }

    /// Opens the renter's locker; how it went.
    #[track_caller]
    fn open(&self) -> Value {
        let renter = self.site.again(&self.renter);
        let opened = renter.post_keyed("/api/v1/lockers/101/open", OPEN_KEY).expect(202).json();
        renter.outcome(opened["operation_id"].as_str().expect("an id"))
    }

    /// Demands that changes are refused, and what goes on all the same.
    #[track_caller]
    fn demand_degraded(&self) {
        let (renter, other) = (self.site.again(&self.renter), self.site.again(&self.other));
        let refused = other.locker(102, "hold");
        refused.refused(503, "degraded");
        assert!(refused.header("retry-after").is_some());
        renter.locker(101, "release").refused(503, "degraded");
        let health = self.site.nobody().health();
        assert_eq!(
            (&health["status"], &health["database"]),
            (&"degraded".into(), &"degraded".into())
        );
        assert_eq!(other.state_of(101), "taken");
        assert_eq!(other.state_of(102), "free");
        assert_eq!(renter.mine()["locker_id"], 101);
        other.locker(101, "open").refused(404, "not_your_locker");
        let opening = self.open();
        // The answer may have been lost: the repeat is the same opening, not a second pulse.
        let path = "/api/v1/lockers/101/open";
        let repeat = renter.post_keyed(path, OPEN_KEY).expect(202);
        assert_eq!(repeat.header("idempotency-replayed"), Some("true"));
        assert_eq!(opening["outcome"], "opened", "{opening}");
        assert_eq!(self.boards.pulses("east", 1, 3).len(), 1);
        let spill = std::fs::read_to_string(self.site.data_dir().join("openings.spill"));
        let spill = spill.expect("the opening is in the spill");
        assert!(spill.lines().all(|line| line.contains("\"locker_id\":101")), "{spill}");
    }

    /// Demands that who is logged in goes on, with the same refresh token, and can open with what they get.
    #[track_caller]
    fn demand_logged_in(&self) {
        let nobody = self.site.nobody();
        let refresh = |token: &str| nobody.post_json(REFRESH, &json!({ "refresh_token": token }));
        for _ in 0..2 {
            let got = refresh(&self.refresh_token).expect(200).json();
            assert_eq!(got["refresh_token"], *self.refresh_token, "no other one can be kept");
            assert_eq!(got["expires_in"], 300);
            let token = got["access_token"].as_str().expect("a token");
            assert_eq!(nobody.with_token(token).mine()["locker_id"], 101);
        }
        let unknown = self.refresh_token.replace(|it: char| it.is_ascii_lowercase(), "b");
        refresh(&unknown).refused(401, "session_ended");
    }

    /// Waits until the database is in use again, and demands that nothing was forgotten.
    #[track_caller]
    fn demand_healed(&self) {
        until("the database is in use again", || {
            (self.site.nobody().health()["database"] == "ok").then_some(())
        });
        until("the spilled opening is stored", || {
            let sql = "SELECT count(*) FROM opening WHERE locker_id = 101 AND outcome = 'opened'";
            (self.site.number(sql) == 1).then_some(())
        });
        until("the spill is gone", || {
            (!self.site.data_dir().join("openings.spill").exists()).then_some(())
        });
        let other = self.site.again(&self.other);
        other.rent(102);
        self.site.demand_clean();
    }
}

#[test]
fn another_program_that_holds_the_database_stops_changes_but_no_door() {
    let (site, boards) = Wired::prepare();
    let wired = Wired::serve(site, boards, None);
    let tool = wired.site.sql();
    tool.execute_batch("BEGIN EXCLUSIVE").expect("free");
    // The writer waits for it for a while before it gives up.
    let first = wired.other.locker(103, "hold");
    first.refused(503, "degraded");
    wired.demand_degraded();
    wired.demand_logged_in();
    tool.execute_batch("ROLLBACK").expect("done");
    wired.demand_healed();
    // It was not used up meanwhile: the first after the trouble is traded as ever.
    let body = json!({ "refresh_token": wired.refresh_token });
    let next = wired.site.nobody().post_json(REFRESH, &body).expect(200).json();
    assert_ne!(next["refresh_token"], *wired.refresh_token);
    assert_eq!(wired.site.number("SELECT count(*) FROM rental WHERE locker_id = 103"), 0);
}

#[test]
fn a_write_that_fails_halfway_stops_changes_but_no_door() {
    let (site, boards) = Wired::prepare();
    // The kernel is to refuse what is beyond the limit, not to end the program: that is how a
    // disk that takes no more looks to it.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" serve --config \"$1\""]);
    command.arg(crate::support::process::lockerd().get_program()).arg(site.config());
    command.current_dir(site.path("."));
    let mut wired = Wired::serve(site, boards, Some(command));
    let wal = wired.site.data_dir().join("lockerd.db-wal");
    let length = std::fs::metadata(wal).expect("there").len();
    let pid = i32::try_from(wired.site.process().pid()).ok().and_then(Pid::from_raw);
    let limit = |current| {
        let limit = Rlimit { current, maximum: None };
        prlimit(pid, Resource::Fsize, limit).expect("our own child");
    };
    limit(Some(length));
    let first = wired.other.locker(103, "hold");
    first.refused(503, "degraded");
    wired.demand_degraded();
    assert!(wired.site.process().runs());
    limit(None);
    wired.demand_healed();
}

#[test]
fn a_damaged_database_is_started_from_the_saved_state() {
    let (site, boards) = Wired::prepare();
    let mut wired = Wired::serve(site, boards, None);
    let saved = wired.site.data_dir().join("snapshot.json");
    until("the state with the rental is saved", || {
        std::fs::read_to_string(&saved).ok()?.contains("\"locker_id\":101").then_some(())
    });
    wired.site.stop();
    let database = wired.site.database();
    let whole = std::fs::read(&database).expect("readable");
    let length = u64::try_from(whole.len()).expect("small");
    std::fs::write(&database, "no database ".repeat(whole.len() / 12)).expect("written");
    assert!(length > 4_096);
    wired.site.serve();
    wired.demand_degraded();
    let health = wired.site.nobody().health();
    assert!(health["uptime_s"].as_u64().is_some_and(|it| it < 60), "{health}");
    // Somebody puts the file back: no restart is needed.
    std::fs::write(&database, &whole).expect("written");
    wired.demand_healed();
}

#[test]
fn without_a_saved_state_a_damaged_database_is_one_line() {
    let mut site = Site::start(&Plan::default().lockers(1, [1]));
    site.stop();
    std::fs::remove_file(site.data_dir().join("snapshot.json")).ok();
    std::fs::write(site.database(), "no database ".repeat(999)).expect("written");
    let done = site.command(&["serve"], "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.took < Duration::from_secs(5), "{done:?}");
    let last = done.err.trim_end().lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("lockerd: ") && last.contains("damaged"), "{done:?}");
    // A saved state that was tampered with counts for nothing.
    std::fs::write(site.data_dir().join("snapshot.json"), "00\n{}").expect("written");
    assert_eq!(site.command(&["serve"], "").code, Some(1));
}
