//! The control API as its callers see it: statuses, bodies, and what they change.

use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tempfile::TempDir;
use tower_service::Service as _;
use warp::http::{Method, Request};

use super::*;
use crate::sim::{SimBoard, SimBus, SimConfig};

fn start() -> (TempDir, Simulator) {
    let directory = tempfile::tempdir().expect("a directory");
    let bus = SimBus::new("east", directory.path().join("east"), 9_600)
        .with(SimBoard::modbus(1, 8))
        .with(SimBoard::modbus(2, 8));
    let config = SimConfig { pacing: false, buses: vec![bus], ..SimConfig::default() };
    let sim = Simulator::start(config).expect("started");
    (directory, sim)
}

async fn call(sim: &Simulator, method: Method, path: &str, body: &str) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-length", body.len())
        .body(Full::new(Bytes::from(body.to_owned())))
        .expect("a request");
    let mut service = warp::service(routes(sim.clone(), None));
    let response = service.call(request).await.expect("infallible");
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    (status, serde_json::from_slice(&bytes).expect("JSON"))
}

#[tokio::test]
async fn state_shows_what_doors_do() {
    let (_directory, sim) = start();
    let (status, state) = call(&sim, Method::GET, "/state", "").await;
    assert_eq!(status, 200);
    let board = &state["buses"][0]["boards"][0];
    assert_eq!(board["family"], "modbus-relay");
    assert_eq!(board["locks"][2]["door"], "closed");
    let (status, done) = call(&sim, Method::POST, "/doors/east/1/3", r#"{"action":"open"}"#).await;
    assert_eq!((status, &done["ok"]), (200, &Value::Bool(true)));
    let (_, state) = call(&sim, Method::GET, "/state", "").await;
    let lock = &state["buses"][0]["boards"][0]["locks"][2];
    assert_eq!((&lock["door"], &lock["forced"]), (&Value::from("open"), &Value::from(1)));
}

#[tokio::test]
async fn faults_are_set_listed_and_cleared() {
    let (_directory, sim) = start();
    let body = r#"{"bus":"east","board":1,"kind":"late","ms":300,"times":2}"#;
    let (status, done) = call(&sim, Method::POST, "/faults", body).await;
    assert_eq!((status, &done["id"]), (200, &Value::from(1)));
    let (_, state) = call(&sim, Method::GET, "/state", "").await;
    assert_eq!(state["faults"][0]["kind"], "late");
    assert_eq!(state["faults"][0]["left"], 2);
    assert_eq!(call(&sim, Method::DELETE, "/faults", "").await.0, 200);
    let (_, state) = call(&sim, Method::GET, "/state", "").await;
    assert_eq!(state["faults"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn the_plug_can_be_pulled_and_put_back() {
    let (directory, sim) = start();
    let link = directory.path().join("east");
    assert_eq!(call(&sim, Method::POST, "/buses/east/unplug", "").await.0, 200);
    assert!(!link.exists());
    assert_eq!(call(&sim, Method::POST, "/buses/east/replug", "").await.0, 200);
    assert!(link.exists());
    sim.stop().await;
    assert_eq!(call(&sim, Method::POST, "/buses/east/unplug", "").await.0, 503);
}

#[tokio::test]
async fn the_records_are_lists() {
    let (_directory, sim) = start();
    for path in ["/pulses", "/violations", "/bytes", "/bytes?after=7"] {
        let (status, list) = call(&sim, Method::GET, path, "").await;
        assert_eq!((status, list), (200, Value::Array(Vec::new())), "{path}");
    }
}

#[tokio::test]
async fn one_fault_of_several_is_ended() {
    let (_directory, sim) = start();
    for kind in ["silent", "duplicate"] {
        let body = format!(r#"{{"bus":"east","board":"1","kind":"{kind}"}}"#);
        assert_eq!(call(&sim, Method::POST, "/faults", &body).await.0, 200);
    }
    assert_eq!(call(&sim, Method::DELETE, "/faults/1", "").await.0, 200);
    assert_eq!(call(&sim, Method::DELETE, "/faults/1", "").await.0, 404);
    let (_, state) = call(&sim, Method::GET, "/state", "").await;
    assert_eq!(state["faults"].as_array().map(Vec::len), Some(1));
    assert_eq!(state["faults"][0]["kind"], "duplicate");
}

#[tokio::test]
async fn a_scenario_is_started_watched_and_stopped() {
    let (_directory, sim) = start();
    assert_eq!(call(&sim, Method::GET, "/scenario", "").await.0, 404);
    let text = r#"
        title = "a door, then a long wait"
        step = [
            { do = { door = { at = "east/2/3", action = "open" } } },
            { after_ms = 60000, do = "clear_faults" },
        ]
        expect = { violations = 0 }
    "#;
    assert_eq!(call(&sim, Method::POST, "/scenario", text).await.0, 200);
    assert_eq!(call(&sim, Method::POST, "/scenario?speed=2", text).await.0, 409, "one at a time");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
    loop {
        let (status, told) = call(&sim, Method::GET, "/scenario", "").await;
        assert_eq!((status, &told["state"]), (200, &Value::from("running")));
        if told["steps_done"] == 1 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{told}");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let (status, told) = call(&sim, Method::DELETE, "/scenario", "").await;
    assert_eq!((status, &told["state"]), (200, &Value::from("stopped")));
    let (_, said) = call(&sim, Method::GET, "/assertions", "").await;
    assert_eq!(told["assertions"]["locks"], said["locks"]);
    let (_, state) = call(&sim, Method::GET, "/state", "").await;
    assert_eq!(state["buses"][0]["boards"][1]["locks"][2]["door"], "open");
}

#[tokio::test]
async fn mistakes_are_explained() {
    let (_directory, sim) = start();
    let open = r#"{"action":"open"}"#;
    let long = format!(r#"{{"action":"{}"}}"#, "x".repeat(5_000));
    let cases = [
        (Method::POST, "/doors/north/1/1", open, 404, "known are east"),
        (Method::POST, "/doors/east/9/1", open, 404, "known are 1, 2"),
        (Method::POST, "/doors/east/1/9", open, 404, "1 to 8"),
        (Method::POST, "/doors/east/one/1", open, 404, "known are 1, 2"),
        (Method::POST, "/doors/east/1/one", open, 400, "no number"),
        (Method::POST, "/doors/east/1/1", r#"{"action":"kick"}"#, 400, "unjam"),
        (Method::POST, "/doors/east/1/1", "{", 400, "body"),
        (Method::POST, "/doors/east/1/1", long.as_str(), 413, "4096"),
        (Method::POST, "/faults", r#"{"bus":"east","kind":"late"}"#, 400, "ms"),
        (Method::POST, "/faults", r#"{"bus":"west","kind":"silent"}"#, 404, "known are east"),
        (Method::POST, "/buses/west/unplug", "", 404, "known are east"),
        (Method::GET, "/bytes?after=x", "", 400, "after"),
        (Method::POST, "/scenario", "title = 1", 400, "title"),
        (Method::POST, "/scenario?speed=0", "title = 'x'", 400, "speed"),
        (Method::POST, "/scenario", "title = 'x'\nstep = [{ do = { unplug = 'w' } }]", 404, "east"),
        (Method::GET, "/nothing", "", 404, "path"),
        (Method::PUT, "/faults", "{}", 405, "method"),
    ];
    for (method, path, body, status, says) in cases {
        let (got, answer) = call(&sim, method, path, body).await;
        let text = answer["error"].as_str().unwrap_or_default();
        assert_eq!(got, status, "{path}: {text}");
        assert!(text.contains(says), "{path}: {text}");
    }
}

#[tokio::test]
async fn boards_without_a_site_have_no_clock() {
    let (_directory, sim) = start();
    for method in [Method::GET, Method::POST] {
        let (status, refused) = call(&sim, method, "/clock", r#"{"advance_s":1}"#).await;
        assert_eq!(status, 404);
        assert!(refused["error"].as_str().is_some_and(|text| text.contains("demo")), "{refused}");
    }
}
