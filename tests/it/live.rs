//! The live socket: who may listen, what is told, coming back, and every way it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lockerd::http::access::{Hearers, TOPICS};
use lockerd::sim::{SimBoard, SimBus};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use serde_json::{Value, json};

use crate::support::boards::{Boards, bus_toml, modbus_toml};
use crate::support::http::Client;
use crate::support::inside::{Inside, open_now};
use crate::support::live::{Closed, Socket, heard, items};
use crate::support::site::{Plan, Site};
use crate::support::until;

/// What a listener knows of lockers from what it was told.
#[derive(Debug, Default, Clone, PartialEq)]
struct Picture {
    version: u64,
    lockers: BTreeMap<i64, String>,
    /// How often each locker was told of in deltas.
    told: usize,
}

impl Picture {
    fn take(&mut self, message: &Value) {
        let kind = message["type"].as_str().expect("a type");
        if !matches!(kind, "snapshot" | "delta") {
            return;
        }
        let version = message["version"].as_u64().expect("a version");
        assert!(version >= self.version, "{message}");
        let groups = if kind == "snapshot" { "groups" } else { "changes" };
        for group in message[groups].as_array().expect("groups") {
            if kind == "delta" {
                let own = group["version"].as_u64().expect("a version");
                assert!(own > self.version && own <= version, "told twice: {message}");
            }
            for item in group["items"].as_array().expect("items") {
                self.told += usize::from(kind == "delta");
                let state = item["state"].as_str().expect("a state").to_owned();
                self.lockers.insert(item["locker_id"].as_i64().expect("a number"), state);
            }
        }
        self.version = version;
    }

    /// Listens until it knows something.
    #[track_caller]
    fn until(&mut self, socket: &mut Socket, locker: i64, state: &str) {
        while self.lockers.get(&locker).map(String::as_str) != Some(state) {
            self.take(&socket.message());
        }
    }
}

fn lockers() -> Value {
    json!(["lockers"])
}

fn quiet_site(students: usize) -> Site {
    Site::start(&Plan::default().lockers(1, 1..=20).lockers(2, 21..=25).students(students))
}

#[test]
fn what_others_do_is_told_at_once() {
    let site = quiet_site(2);
    let (mine, other) = (site.student(0), site.student(1));
    let (mut socket, hello) = Socket::listen(&mine, &lockers());
    assert_eq!((&hello["protocol"], &hello["resumed"]), (&json!(1), &json!(false)), "{hello}");
    assert_eq!((&hello["topics"], &hello["refused"]), (&json!(["lockers"]), &json!([])));
    assert!(hello["server_time"].as_str().is_some_and(|it| it.ends_with('Z')), "{hello}");
    assert!(hello["token_ends_in_ms"].as_i64().is_some_and(|ms| ms > 60_000), "{hello}");
    let mut picture = Picture::default();
    picture.take(&socket.message());
    assert_eq!(picture.lockers.len(), 25);
    assert!(picture.lockers.values().all(|state| state == "free"));
    for (what, state) in [("hold", "held"), ("confirm", "taken")] {
        let reply = other.locker(7, what);
        assert!(reply.status < 300, "{}", reply.text());
        picture.until(&mut socket, 7, state);
    }
    other.give_back(7);
    picture.until(&mut socket, 7, "free");
    // Nobody's name or number goes with it.
    other.locker(8, "hold").expect(201);
    let delta = socket.message();
    assert_eq!(
        delta["changes"][0]["items"],
        json!([{ "locker_id": 8, "state": "held" }]),
        "{delta}"
    );
    assert_eq!(delta["changes"][0]["bank"], 1);
}

#[test]
fn a_listener_may_ask_for_one_bank() {
    let site = quiet_site(2);
    let (mine, other) = (site.student(0), site.student(1));
    let topics = json!([{ "topic": "lockers", "bank": 2 }]);
    let (mut socket, _) = Socket::listen(&mine, &topics);
    let snapshot = socket.message();
    assert_eq!(snapshot["groups"].as_array().map(Vec::len), Some(1), "{snapshot}");
    assert_eq!(snapshot["groups"][0]["bank"], 2);
    other.locker(3, "hold").expect(201);
    other.locker(3, "release-hold").expect(200);
    other.locker(22, "hold").expect(201);
    let delta = socket.message();
    assert_eq!(delta["changes"].as_array().map(Vec::len), Some(1), "{delta}");
    assert_eq!(delta["changes"][0]["items"][0]["locker_id"], 22, "{delta}");
    // From now on something else: all is shown anew.
    socket.say(&json!({ "type": "auth", "token": mine.token, "topics": ["lockers"] }));
    let renewed = socket.message();
    assert_eq!((&renewed["type"], &renewed["topics"]), (&json!("renewed"), &lockers()));
    let snapshot = socket.message();
    assert_eq!(snapshot["groups"].as_array().map(Vec::len), Some(2), "{snapshot}");
}

#[test]
fn whoever_comes_back_misses_nothing_and_hears_nothing_twice() {
    let site = quiet_site(6);
    let crowd = site.crowd(6);
    let (mut steady, hello) = Socket::listen(&crowd[0], &lockers());
    let mut truth = Picture::default();
    truth.take(&steady.message());
    let mut mine = truth.clone();
    let session = &hello["session"];
    for round in 0..4 {
        // While nobody listens.
        for (n, who) in crowd.iter().enumerate().skip(1) {
            let locker = i64::try_from(n).expect("small");
            let what = if round % 2 == 0 { "hold" } else { "release-hold" };
            assert!(who.locker(locker, what).status < 300);
        }
        let wanted = if round % 2 == 0 { "held" } else { "free" };
        for locker in 1..=5 {
            truth.until(&mut steady, locker, wanted);
        }
        let (mut socket, hello) = Socket::resume(&crowd[0], &lockers(), session, mine.version);
        assert_eq!(hello["resumed"], true, "{hello}");
        assert_eq!(hello["version"], mine.version);
        for locker in 1..=5 {
            mine.until(&mut socket, locker, wanted);
        }
        assert_eq!(mine, truth);
    }
    // Nothing was missed: there is nothing to hear.
    let (mut socket, _) = Socket::resume(&crowd[0], &lockers(), session, mine.version);
    assert!(socket.is_silent_for(Duration::from_millis(300)));
}

#[test]
fn whoever_cannot_take_up_again_is_shown_everything() {
    let mut site = quiet_site(2);
    let (mine, other) = (site.student(0), site.student(1));
    let (mut socket, hello) = Socket::listen(&mine, &lockers());
    let version = socket.message()["version"].as_u64().expect("a version");
    // A version that never was, or of another run.
    for (session, version) in
        [(hello["session"].clone(), version + 1_000), (json!("somebody else's"), version)]
    {
        let (mut socket, hello) = Socket::resume(&mine, &lockers(), &session, version);
        assert_eq!(hello["resumed"], false, "{hello}");
        assert_eq!(socket.message()["type"], "snapshot");
    }
    other.rent(5);
    site.stop();
    site.serve();
    let mine = site.again(&mine);
    let (mut socket, after) = Socket::resume(&mine, &lockers(), &hello["session"], version);
    assert_ne!(after["session"], hello["session"]);
    assert_eq!(after["resumed"], false, "{after}");
    let mut picture = Picture::default();
    picture.take(&socket.message());
    assert_eq!(picture.lockers[&5], "taken");
}

#[test]
fn whoever_does_not_say_who_it_is_is_shown_out() {
    let site = quiet_site(1);
    let (nobody, mine) = (site.nobody(), site.student(0));
    let opened = Instant::now();
    let mut late = Socket::open(nobody.address);
    for (said, code) in [
        (json!({ "type": "auth", "token": "garbage", "topics": ["lockers"] }), 4401),
        (json!({ "type": "auth" }), 4400),
        (json!({ "type": "hello" }), 4400),
        (json!([1]), 4400),
        (json!({ "type": "auth", "token": "x".repeat(8_000) }), 1009),
    ] {
        let mut socket = Socket::open(nobody.address);
        socket.say(&said);
        assert_eq!(socket.closed(), Closed::With(code), "{said}");
    }
    let mut socket = Socket::open(nobody.address);
    socket.say_bytes(b"\x00\x01");
    assert_eq!(socket.closed(), Closed::With(4400));
    // A good start excuses nothing later.
    let (mut socket, _) = Socket::listen(&mine, &lockers());
    socket.say_text("{");
    assert_eq!(socket.closed(), Closed::With(4400));
    let (mut socket, _) = Socket::listen(&mine, &lockers());
    socket.say(&json!({ "type": "auth", "token": "garbage" }));
    assert_eq!(socket.closed(), Closed::With(4401));
    assert_eq!(late.closed(), Closed::With(4408));
    assert!(opened.elapsed() >= Duration::from_secs(5), "{:?}", opened.elapsed());
}

#[test]
fn a_page_of_another_site_and_a_plain_request_are_refused() {
    let site = quiet_site(1);
    let nobody = site.nobody();
    let refused = Socket::try_open(nobody.address, Some("http://evil.example")).err();
    assert_eq!(refused.map(|status| status.as_u16()), Some(403));
    let own = format!("http://{}", nobody.address);
    Socket::try_open(nobody.address, Some(&own)).expect("a page of ours");
    nobody.get("/api/v1/ws").refused(426, "upgrade_required");
    nobody.post("/api/v1/ws").refused(405, "method_not_allowed");
}

#[test]
fn sockets_have_their_own_cap_and_leave_connections_alone() {
    let plan = Plan::default()
        .lockers(1, 1..=3)
        .students(2)
        .http("connections_max = 8\nsockets_max = 12\n");
    let site = Site::start(&plan);
    let (one, two) = (site.student(0), site.student(1));
    let mut open: Vec<_> = (0..8).map(|_| Socket::listen(&one, &lockers()).0).collect();
    // One account has its share only.
    let mut more = Socket::open(one.address);
    more.say(&json!({ "type": "auth", "token": one.token }));
    assert_eq!(more.closed(), Closed::With(4429));
    drop(more);
    open.extend((0..4).map(|_| Socket::listen(&two, &lockers()).0));
    let refused = Socket::try_open(one.address, None).err();
    assert_eq!(refused.map(|status| status.as_u16()), Some(503));
    // More sockets than connections are open, and requests are answered all the same.
    assert_eq!(one.state_of(1), "free");
    two.locker(2, "hold").expect(201);
    open.truncate(2);
    until("places are free again", || Socket::try_open(one.address, None).ok());
}

#[test]
fn a_log_out_ends_its_sockets_and_no_others() {
    let site = quiet_site(2);
    let (mine, elsewhere, other) = (site.student(0), site.student(0), site.student(1));
    let (mut ended, _) = Socket::listen(&mine, &lockers());
    let (mut kept, _) = Socket::listen(&elsewhere, &lockers());
    ended.message();
    kept.message();
    mine.post("/api/v1/auth/logout").expect(204);
    let begun = Instant::now();
    assert_eq!(ended.closed(), Closed::With(4401));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    other.locker(9, "hold").expect(201);
    assert_eq!(kept.message()["type"], "delta");
}

#[test]
fn a_token_is_renewed_in_time_or_the_socket_ends() {
    let inside = Inside::start(1..=3, 2, open_now);
    let (mine, other) = (inside.student(0), inside.student(1));
    let (mut renewing, hello) = Socket::listen(&mine, &json!([]));
    let (mut idle, _) = Socket::listen(&other, &json!([]));
    let left_ms = hello["token_ends_in_ms"].as_u64().expect("ms");
    inside.pass(left_ms - 31_000);
    assert!(renewing.is_silent_for(Duration::from_millis(900)), "too early");
    inside.pass(2_000);
    for socket in [&mut renewing, &mut idle] {
        let reauth = socket.message();
        assert_eq!(reauth["type"], "reauth", "{reauth}");
        assert_eq!(reauth["token_ends_in_ms"], 29_000);
    }
    // Somebody else's token is no renewal.
    let fresh = inside.student(0);
    renewing.say(&json!({ "type": "auth", "token": fresh.token }));
    let renewed = renewing.message();
    assert_eq!(renewed["type"], "renewed", "{renewed}");
    assert_eq!(renewed["token_ends_in_ms"], left_ms);
    inside.pass(30_000);
    assert_eq!(idle.closed(), Closed::With(4401));
    assert!(renewing.is_silent_for(Duration::from_millis(900)), "asked for a token again");
    renewing.say(&json!({ "type": "auth", "token": inside.student(1).token }));
    assert_eq!(renewing.closed(), Closed::With(4401));
}

/// Asks for everything anew; false when the server is gone.
fn ask_again(deaf: &mut Socket, who: &Client) -> bool {
    deaf.try_say(&json!({ "type": "auth", "token": who.token, "topics": ["lockers"] }))
}

/// A client that asks for everything anew, again and again, and takes nothing of it.
fn deaf(who: &Client) -> Socket {
    let (mut deaf, _) = Socket::listen(who, &lockers());
    // With a small window, the server's words find no place.
    set_socket_recv_buffer_size(deaf.wire(), 4_096).expect("settable");
    for _ in 0..10 {
        assert!(ask_again(&mut deaf, who));
    }
    deaf
}

#[test]
fn a_client_that_does_not_read_costs_nothing_and_holds_nobody_up() {
    const STUDENTS: usize = 12;
    let mut site = Site::start(&Plan::default().lockers(1, 1..=1_000).students(STUDENTS));
    let crowd = site.crowd(STUDENTS);
    let deaf: Vec<Socket> = (0..8).map(|_| deaf(&crowd[0])).collect();
    let (mut keen, _) = Socket::listen(&crowd[1], &lockers());
    let mut picture = Picture::default();
    picture.take(&keen.message());
    let (before_kb, _) = site.process().usage();
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = crowd[2..]
        .iter()
        .cloned()
        .enumerate()
        .map(|(n, who)| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let locker = i64::try_from(n).expect("small") * 7 + 1;
                while !stop.load(Ordering::Relaxed) {
                    who.locker(locker, "hold").expect(201);
                    who.locker(locker, "release-hold").expect(200);
                }
            })
        })
        .collect();
    let begun = Instant::now();
    let mut messages = 0;
    while begun.elapsed() < Duration::from_secs(3) {
        picture.take(&keen.message());
        messages += 1;
    }
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("no panic");
    }
    // Changes are gathered: at most one message per 50 ms, and the rest of a moment.
    assert!((3..=70).contains(&messages), "{messages} messages in three seconds");
    assert!(picture.told >= messages, "{picture:?}");
    let (after_kb, _) = site.process().usage();
    assert!(after_kb < before_kb + 16_000, "{before_kb} kB became {after_kb} kB");
    drop(deaf);
}

#[test]
fn a_client_that_takes_nothing_at_all_is_cut_off() {
    let site = Site::start(&Plan::default().lockers(1, 1..=20_000).students(2));
    let crowd = site.crowd(2);
    let mut deaf = deaf(&crowd[0]);
    let (mut keen, _) = Socket::listen(&crowd[1], &lockers());
    assert_eq!(keen.message()["type"], "snapshot");
    let mut asked = Instant::now();
    until("the deaf client is gone", || {
        // Questions that come in one go may have had one answer. Too many would end it, too.
        if asked.elapsed() < Duration::from_secs(1) {
            return None;
        }
        asked = Instant::now();
        (!ask_again(&mut deaf, &crowd[0])).then_some(())
    });
    crowd[1].locker(9_999, "hold").expect(201);
    Picture::default().until(&mut keen, 9_999, "held");
}

#[test]
fn a_stop_says_when_to_come_back() {
    let mut site = quiet_site(1);
    let mine = site.student(0);
    let (mut socket, _) = Socket::listen(&mine, &lockers());
    socket.message();
    let mut unknown = Socket::open(mine.address);
    let stopping = Instant::now();
    let listening = std::thread::spawn(move || {
        let bye = socket.message();
        (bye, socket.closed(), unknown.closed())
    });
    site.stop();
    assert!(stopping.elapsed() < Duration::from_secs(5), "{:?}", stopping.elapsed());
    let (bye, closed, unknown) = listening.join().expect("no panic");
    assert_eq!(bye["type"], "bye", "{bye}");
    assert!(bye["retry_after_ms"].as_u64().is_some_and(|ms| (1_000..4_000).contains(&ms)), "{bye}");
    assert_eq!((closed, unknown), (Closed::With(1001), Closed::With(1001)));
}

/// Two banks on one board, with staff of each.
pub struct Wired {
    pub site: Site,
    pub boards: Boards,
}

impl Wired {
    pub fn start() -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let bus = SimBus::new("east", place.path().join("east"), 9_600);
        let boards = Boards::start(vec![bus.with(SimBoard::modbus(1, 8))]);
        let plan = Plan::default()
            .wired(1, 101, ("east", 1, 3))
            .wired(2, 201, ("east", 1, 5))
            .students(2)
            .admin()
            .staff("STAFF01", 1)
            .staff("STAFF02", 2)
            .bus(&bus_toml("east", 9_600, &[&modbus_toml(1)]));
        let mut site = Site::prepare_in(place, &plan);
        site.serve();
        let admin = site.account("ADMIN");
        until("the boards are online", || {
            let health = admin.health();
            (health["status"] == "ok" && !health.to_string().contains("unknown")).then_some(())
        });
        Self { site, boards }
    }
}

#[test]
fn an_opening_is_told_to_its_owner_and_to_staff_of_the_bank_alone() {
    let wired = Wired::start();
    let site = &wired.site;
    let (renter, other) = (site.student(0), site.student(1));
    renter.rent(101);
    let all = json!(["lockers", "doors", "openings", "health"]);
    let (mut of_renter, hello) = Socket::listen(&renter, &all);
    assert_eq!(hello["topics"], json!(["lockers", "openings"]), "{hello}");
    assert_eq!(hello["refused"], json!(["doors", "health"]), "{hello}");
    let (mut of_other, _) = Socket::listen(&other, &all);
    let (mut of_staff, hello) = Socket::listen(&site.account("STAFF01"), &all);
    assert_eq!(hello["refused"], json!([]), "{hello}");
    let (mut of_others_staff, _) = Socket::listen(&site.account("STAFF02"), &all);
    let operation = renter.locker(101, "open").expect(202).json()["operation_id"].clone();
    renter.outcome(operation.as_str().expect("an id"));
    until("the door is open", || wired.boards.is_open("east", 1, 3).then_some(()));
    wired.boards.close("east", 1, 3);

    let has_closed = |message: &Value| message.to_string().contains("\"phase\":\"closed\"");
    for socket in [&mut of_renter, &mut of_staff] {
        let messages = heard(socket, has_closed);
        let steps = items(&messages, "openings");
        assert!(steps.iter().all(|it| it["operation_id"] == operation), "{steps:?}");
        let last = steps.last().expect("steps");
        assert_eq!((&last["outcome"], &last["locker_id"]), (&json!("opened"), &json!(101)));
        let phases: Vec<_> = last["phases"].as_array().expect("phases").iter().collect();
        let names: Vec<_> = phases.iter().map(|it| it["phase"].as_str().expect("text")).collect();
        assert_eq!(names, ["requested", "sent", "acknowledged", "opened", "closed"]);
        assert!(!Value::from(messages).to_string().contains("member"), "names nobody");
    }
    // Whoever hears nothing of it hears of the hold that comes afterwards, and of nothing between.
    other.locker(201, "hold").expect(201);
    let told = |message: &Value| {
        message["type"] == "delta" && message.to_string().contains("\"locker_id\":201,\"state\"")
    };
    let of_other = heard(&mut of_other, told);
    assert!(items(&of_other, "openings").is_empty(), "{of_other:?}");
    assert!(items(&of_other, "doors").is_empty(), "{of_other:?}");
    let of_others_staff = heard(&mut of_others_staff, told);
    assert!(items(&of_others_staff, "openings").is_empty(), "{of_others_staff:?}");
    let doors = items(&of_others_staff, "doors");
    assert!(doors.iter().all(|it| it["locker_id"] == 201), "{doors:?}");
}

#[test]
fn staff_hear_doors_and_links_as_they_change() {
    let wired = Wired::start();
    let (mut socket, _) =
        Socket::listen(&wired.site.account("STAFF01"), &json!(["doors", "health"]));
    // The port and a first reading of the door may come a moment later.
    let mut shown = Vec::new();
    let online = |it: &&Value| it["bus"] == "east" && it["status"] == "online";
    while !items(&shown, "health").iter().any(online)
        || items(&shown, "doors").last().is_none_or(|it| it["door"] != "closed")
    {
        shown.push(socket.message());
    }
    let doors = items(&shown, "doors");
    let last = doors.last().expect("a door");
    assert_eq!((&last["locker_id"], &last["door"]), (&json!(101), &json!("closed")));
    assert!(last["since"].is_string(), "{doors:?}");
    let links = items(&shown, "health");
    assert!(links.iter().any(|it| it["database"] == "ok"), "{links:?}");
    assert!(links.iter().any(|it| it["bus"] == "east" && it["status"] == "online"), "{links:?}");
    wired.boards.door("east", 1, 3, lockerd::sim::DoorAction::Open);
    let opened = heard(&mut socket, |it| !items(std::slice::from_ref(it), "doors").is_empty());
    assert_eq!(items(&opened, "doors")[0]["door"], "open");
    wired.boards.unplug("east");
    let gone = |it: &Value| it.to_string().contains("\"bus\":\"east\",\"reason\"");
    let messages = heard(&mut socket, gone);
    let links = items(&messages, "health");
    let link = links.last().expect("told");
    assert_eq!(link["status"], "offline", "{link}");
    assert!(link["reason"].as_str().is_some_and(|it| !it.is_empty()), "{link}");
}

/// Walks the table: each topic is granted to, and refused to, whom it says.
#[test]
fn the_table_of_topics_holds() {
    let wired = Wired::start();
    let who: [(&str, Client); 3] = [
        ("student", wired.site.student(0)),
        ("staff", wired.site.account("STAFF01")),
        ("admin", wired.site.account("ADMIN")),
    ];
    for (topic, hearers) in TOPICS {
        for (role, client) in &who {
            let (_socket, hello) = Socket::listen(client, &json!([topic.name()]));
            let may = match hearers {
                Hearers::Members | Hearers::Owners | Hearers::OwnersAndStaff => true,
                Hearers::StaffOfTheBank | Hearers::Staff => *role != "student",
            };
            let granted = hello["topics"] == json!([topic.name()]);
            assert_eq!(granted, may, "{} {role}: {hello}", topic.name());
            assert_eq!(hello["refused"] == json!([topic.name()]), !may, "{hello}");
        }
    }
}
