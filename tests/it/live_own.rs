//! What the live socket tells a member of their own: rentals, doors, reservations and alarms, each heard
//! by nobody else; and what it tells everybody of the server.

use lockerd::domain::member::Role;
use lockerd::sim::DoorAction;
use serde_json::{Value, json};

use crate::live::Wired;
use crate::support::http::Client;
use crate::support::inside::{Inside, open_now};
use crate::support::live::{Socket, heard, items};
use crate::support::until;

fn mine() -> Value {
    json!(["mine"])
}

/// Listens to the topic of one's own, of which nothing is there yet.
#[track_caller]
fn listen(who: &Client) -> Socket {
    let (mut socket, hello) = Socket::listen(who, &mine());
    assert_eq!(hello["topics"], mine(), "{hello}");
    let shown = socket.message();
    assert_eq!((&shown["topic"], &shown["groups"]), (&json!("mine"), &json!([])), "{shown}");
    socket
}

/// The next thing that is told, which must be one.
#[track_caller]
fn next(socket: &mut Socket) -> Value {
    let message = socket.message();
    let messages = [message];
    let told = items(&messages, "mine");
    assert_eq!(told.len(), 1, "{messages:?}");
    told[0].clone()
}

#[test]
fn a_rental_is_told_to_its_member_from_hold_to_end_and_to_nobody_else() {
    let site = Inside::start(1..=3, 2, open_now);
    site.add("STAFF01", Role::Staff, &[1]);
    site.add("ADMIN", Role::Admin, &[]);
    site.publish();
    let (renter, other) = (site.student(0), site.student(1));
    let mut of_renter = listen(&renter);
    let mut strangers =
        [listen(&other), listen(&site.account("STAFF01")), listen(&site.account("ADMIN"))];

    renter.locker(2, "hold").expect(201);
    let held = next(&mut of_renter);
    let id = held["rental_id"].as_i64().expect("a number");
    let wanted = json!({
        "rental_id": id, "locker_id": 2, "bank_id": 1, "state": "held", "starts_on": "2020-01-01",
        "ends_on": "2090-12-31", "waits_for": null, "door": "unknown",
    });
    assert_eq!(held, wanted);
    renter.locker(2, "confirm").expect(200);
    assert_eq!(next(&mut of_renter)["state"], "active");
    // Whoever comes now is shown what is there.
    let (mut later, _) = Socket::listen(&renter, &mine());
    let shown = [later.message()];
    let of_later = items(&shown, "mine");
    assert_eq!((of_later.len(), &of_later[0]["state"]), (1, &json!("active")), "{shown:?}");
    assert_eq!(shown[0]["groups"][0]["bank"], Value::Null);
    // It was in use, so it waits for somebody's word.
    renter.post("/api/v1/lockers/2/release").expect(200);
    let returned = next(&mut of_renter);
    assert_eq!((&returned["state"], &returned["rental_id"]), (&json!("returned"), &json!(id)));
    assert_eq!(
        returned["waits_for"],
        renter.get("/api/v1/lockers/me").json()["locker"]["waits_for"]
    );
    assert!(returned["waits_for"].is_string(), "{returned}");
    let free = json!({ "reason": "empty" });
    site.account("STAFF01").post_json("/api/v1/lockers/2/free", &free).expect(200);
    let over = json!({ "rental_id": id, "locker_id": 2, "state": "over" });
    assert_eq!(next(&mut of_renter), over);
    // And forgotten after the next look.
    until("nothing of it is shown", || {
        let (mut socket, _) = Socket::listen(&renter, &mine());
        (socket.message()["groups"] == json!([])).then_some(())
    });
    for stranger in &mut strangers {
        assert!(stranger.is_silent_for(std::time::Duration::from_millis(200)));
    }
    // They were not deaf.
    other.locker(3, "hold").expect(201);
    assert_eq!(next(&mut strangers[0])["locker_id"], 3);
}

#[test]
fn a_hold_whose_time_is_up_is_over() {
    let site = Inside::start(1..=3, 1, open_now);
    site.publish();
    let renter = site.student(0);
    let mut socket = listen(&renter);
    renter.locker(1, "hold").expect(201);
    assert_eq!(next(&mut socket)["state"], "held");
    site.pass(60_001);
    let over = heard(&mut socket, |it| it.to_string().contains("\"over\""));
    assert_eq!(items(&over, "mine").last().expect("told")["locker_id"], 1);
}

#[test]
fn the_door_and_alarms_of_a_locker_are_told_to_its_renter_alone() {
    let wired = Wired::start();
    let site = &wired.site;
    let (renter, other, admin) = (site.student(0), site.student(1), site.account("ADMIN"));
    renter.rent(101);
    let (mut of_renter, _) = Socket::listen(&renter, &mine());
    let mut of_other = listen(&other);
    let mut of_admin = listen(&admin);
    // A door that was open when it was first seen is no alarm.
    until("the door is seen closed", || {
        let mine = renter.get("/api/v1/lockers/me").expect(200).json();
        (mine["locker"]["door"] == "closed").then_some(())
    });
    // Nobody ordered it: that is an alarm, too.
    wired.boards.door("east", 1, 3, DoorAction::Open);
    let mut told = Vec::new();
    let find = |told: &[Value], what: &dyn Fn(&Value) -> bool| {
        items(told, "mine").into_iter().find(|it| what(it)).cloned()
    };
    let is_alarm = |it: &Value| it["alarm_id"].is_i64();
    while find(&told, &|it| it["door"] == "open").is_none() || find(&told, &is_alarm).is_none() {
        told.push(of_renter.message());
    }
    let alarm = find(&told, &is_alarm).expect("told");
    let id = alarm["alarm_id"].as_i64().expect("a number");
    let wanted =
        json!({ "alarm_id": id, "locker_id": 101, "kind": "forced_open", "state": "live" });
    assert_eq!(alarm, wanted);
    let known = renter.get("/api/v1/me/alarms").expect(200).json();
    assert_eq!(known["alarms"][0]["alarm_id"], id, "{known}");
    wired.boards.close("east", 1, 3);
    heard(&mut of_renter, |it| it.to_string().contains("\"door\":\"closed\""));
    let note = json!({ "note": "seen" });
    admin.post_json(&format!("/api/v1/alarms/{id}/acknowledge"), &note).expect(200);
    let over = heard(&mut of_renter, |it| {
        items(std::slice::from_ref(it), "mine")
            .iter()
            .any(|it| it["alarm_id"] == id && it["state"] == "over")
    });
    assert!(!over.is_empty());
    for stranger in [&mut of_other, &mut of_admin] {
        assert!(stranger.is_silent_for(std::time::Duration::from_millis(200)));
    }
}

#[test]
fn everybody_hears_whether_the_server_knows_the_time() {
    let site = Inside::start(1..=2, 1, open_now);
    site.publish();
    let (mut socket, hello) = Socket::listen(&site.student(0), &json!(["site"]));
    assert_eq!(hello["topics"], json!(["site"]), "{hello}");
    let shown = [socket.message()];
    let told = items(&shown, "site");
    assert_eq!(told, [&json!({ "database": "ok" }), &json!({ "clock_trusted": true })]);
    site.clock.distrust();
    let delta = [socket.message()];
    assert_eq!(items(&delta, "site"), [&json!({ "clock_trusted": false })]);
}
