//! The simulator's control API: look at the hardware, move doors, set faults, pull the plug.
//!
//! For tests, demos and a technician's dry run; the caller serves it on loopback only, as it has no
//! log-in. Everything is JSON; an error is `{"error": "..."}` with 400 for nonsense, 404 for an
//! unknown path, bus, board or lock (the known ones are named), 405, 411, 413, and 503 after the
//! simulator was stopped. Bodies are capped at 4 KiB. `docs/simulator.md` shows each call.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

use crate::service::Services;
use crate::sim::{DoorAction, Fault, Progress, Scenario, SimError, Simulator};

mod clock;

/// Largest body taken, in bytes.
const BODY_LEN_MAX: u64 = 4 * 1_024;
/// Largest scenario taken, in bytes.
const SCENARIO_LEN_MAX: u64 = 256 * 1_024;
/// Fastest a scenario may run.
const SPEED_MAX: u32 = 1_000;
/// Byte records in one answer; the next page starts after the last number.
const BYTE_RECORDS_PER_PAGE: usize = 5_000;

/// A filter of its own, for every request of the control API; with the site of a demo also for its
/// clock.
#[must_use]
pub fn routes(sim: Simulator, site: Option<Arc<Services>>) -> BoxedFilter<(Response,)> {
    views(&sim)
        .or(clock::routes(site))
        .unify()
        .or(door(&sim))
        .unify()
        .or(faults(&sim))
        .unify()
        .or(scenario(&sim))
        .unify()
        .or(plugs(sim))
        .unify()
        .recover(explain_rejection)
        .unify()
        .boxed()
}

fn views(sim: &Simulator) -> BoxedFilter<(Response,)> {
    let state = warp::path!("state")
        .and(warp::get())
        .and(with(sim))
        .map(|sim: Simulator| json(StatusCode::OK, &sim.state()));
    let pulses = warp::path!("pulses")
        .and(warp::get())
        .and(with(sim))
        .map(|sim: Simulator| json(StatusCode::OK, &sim.pulses()));
    let violations = warp::path!("violations")
        .and(warp::get())
        .and(with(sim))
        .map(|sim: Simulator| json(StatusCode::OK, &sim.violations()));
    let assertions = warp::path!("assertions")
        .and(warp::get())
        .and(with(sim))
        .map(|sim: Simulator| json(StatusCode::OK, &sim.assertions()));
    let bytes =
        warp::path!("bytes").and(warp::get()).and(warp::query::<BytesQuery>()).and(with(sim)).map(
            |query: BytesQuery, sim: Simulator| {
                json(StatusCode::OK, &sim.bytes_page(query.after, BYTE_RECORDS_PER_PAGE))
            },
        );
    state
        .boxed()
        .or(pulses.boxed())
        .unify()
        .or(violations.boxed())
        .unify()
        .or(assertions.boxed())
        .unify()
        .or(bytes.boxed())
        .unify()
        .boxed()
}

fn door(sim: &Simulator) -> BoxedFilter<(Response,)> {
    warp::path!("doors" / String / String / String)
        .and(warp::post())
        .and(body())
        .and(with(sim))
        .map(|bus: String, board: String, lock: String, body: Bytes, sim: Simulator| {
            reply(act(&sim, &bus, (&board, &lock), &body))
        })
        .boxed()
}

fn act(
    sim: &Simulator,
    bus: &str,
    (board, lock): (&str, &str),
    body: &[u8],
) -> Result<Done, Refusal> {
    let lock = lock
        .parse::<u8>()
        .map_err(|_| Refusal::bad(format!("lock {lock:?} is no number 0-255")))?;
    let order: DoorBody = parse(body)?;
    sim.door(bus, board, lock, order.action)?;
    Ok(Done { ok: true, id: None })
}

fn faults(sim: &Simulator) -> BoxedFilter<(Response,)> {
    let set = warp::path!("faults").and(warp::post()).and(body()).and(with(sim)).map(
        |body: Bytes, sim: Simulator| {
            let set = parse::<Fault>(&body).and_then(|fault| Ok(sim.fault(fault)?));
            reply(set.map(|id| Done { ok: true, id: Some(id) }))
        },
    );
    let clear = warp::path!("faults").and(warp::delete()).and(with(sim)).map(|sim: Simulator| {
        sim.clear_faults();
        reply(Ok(Done { ok: true, id: None }))
    });
    let clear_one = warp::path!("faults" / u64).and(warp::delete()).and(with(sim)).map(
        |id: u64, sim: Simulator| {
            let found = sim.clear_fault(id);
            reply(if found {
                Ok(Done { ok: true, id: Some(id) })
            } else {
                Err(Refusal::no_fault(id))
            })
        },
    );
    set.boxed().or(clear.boxed()).unify().or(clear_one.boxed()).unify().boxed()
}

fn scenario(sim: &Simulator) -> BoxedFilter<(Response,)> {
    let start = warp::path!("scenario")
        .and(warp::post())
        .and(warp::query::<SpeedQuery>())
        .and(warp::body::content_length_limit(SCENARIO_LEN_MAX).and(warp::body::bytes()))
        .and(with(sim))
        .map(|query: SpeedQuery, body: Bytes, sim: Simulator| {
            reply(start_scenario(&sim, query.speed, &body))
        });
    let show = warp::path!("scenario")
        .and(warp::get())
        .and(with(sim))
        .map(|sim: Simulator| progress(sim.scenario()));
    let stop = warp::path!("scenario")
        .and(warp::delete())
        .and(with(sim))
        .then(|sim: Simulator| async move { progress(sim.stop_scenario().await) });
    start.boxed().or(show.boxed()).unify().or(stop.boxed()).unify().boxed()
}

fn start_scenario(sim: &Simulator, speed: u32, body: &[u8]) -> Result<Done, Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|_| Refusal::bad("the scenario is no UTF-8 text".to_owned()))?;
    if !(1..=SPEED_MAX).contains(&speed) {
        return Err(Refusal::bad(format!("speed must be 1 to {SPEED_MAX}")));
    }
    sim.start_scenario(Scenario::parse(text)?, speed)?;
    Ok(Done { ok: true, id: None })
}

fn progress(progress: Option<Progress>) -> Response {
    match progress {
        Some(progress) => json(StatusCode::OK, &progress),
        None => reply(Err(Refusal {
            status: StatusCode::NOT_FOUND,
            text: "no scenario has been started".to_owned(),
        })),
    }
}

fn plugs(sim: Simulator) -> BoxedFilter<(Response,)> {
    let unplug = warp::path!("buses" / String / "unplug")
        .and(warp::post())
        .and(with(&sim))
        .then(|bus: String, sim: Simulator| async move { plugged(sim.unplug(&bus).await) });
    let replug = warp::path!("buses" / String / "replug")
        .and(warp::post())
        .and(warp::any().map(move || sim.clone()))
        .then(|bus: String, sim: Simulator| async move { plugged(sim.replug(&bus).await) });
    unplug.boxed().or(replug.boxed()).unify().boxed()
}

fn plugged(result: Result<(), SimError>) -> Response {
    reply(result.map(|()| Done { ok: true, id: None }).map_err(Refusal::from))
}

/// `?after=N`; without it from the oldest record kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BytesQuery {
    #[serde(default)]
    after: u64,
}

/// `?speed=N`; without it the scenario's own times.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpeedQuery {
    #[serde(default = "one")]
    speed: u32,
}

const fn one() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DoorBody {
    action: DoorAction,
}

#[derive(Serialize)]
struct Done {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
}

/// Why a request is refused: the status and the text of the `error` key.
struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    fn bad(text: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, text }
    }

    fn no_fault(id: u64) -> Self {
        Self { status: StatusCode::NOT_FOUND, text: format!("no fault {id} is in force") }
    }
}

impl From<SimError> for Refusal {
    fn from(error: SimError) -> Self {
        let status = match &error {
            SimError::UnknownBus { .. }
            | SimError::UnknownBoard { .. }
            | SimError::UnknownLock { .. } => StatusCode::NOT_FOUND,
            SimError::Fault(_) | SimError::Config(_) | SimError::Scenario(_) => {
                StatusCode::BAD_REQUEST
            }
            SimError::FaultsFull | SimError::ScenarioRunning => StatusCode::CONFLICT,
            SimError::Port { .. } | SimError::NoRuntime => StatusCode::INTERNAL_SERVER_ERROR,
            SimError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self { status, text: error.to_string() }
    }
}

fn with(
    sim: &Simulator,
) -> impl Filter<Extract = (Simulator,), Error = Infallible> + Clone + use<> {
    let sim = sim.clone();
    warp::any().map(move || sim.clone())
}

fn body() -> impl Filter<Extract = (Bytes,), Error = Rejection> + Clone {
    warp::body::content_length_limit(BODY_LEN_MAX).and(warp::body::bytes())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad(format!("body: {error}")))
}

fn reply(result: Result<Done, Refusal>) -> Response {
    match result {
        Ok(done) => json(StatusCode::OK, &done),
        Err(refusal) => json(refusal.status, &serde_json::json!({ "error": refusal.text })),
    }
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    warp::reply::with_status(warp::reply::json(value), status).into_response()
}

async fn explain_rejection(rejection: Rejection) -> Result<Response, Infallible> {
    use warp::reject::{InvalidQuery, LengthRequired, MethodNotAllowed, PayloadTooLarge};
    let (status, text) = if rejection.is_not_found() {
        (StatusCode::NOT_FOUND, "no such path; see docs/simulator.md".to_owned())
    } else if rejection.find::<PayloadTooLarge>().is_some() {
        (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body may have {BODY_LEN_MAX} bytes, a scenario {SCENARIO_LEN_MAX}"),
        )
    } else if rejection.find::<LengthRequired>().is_some() {
        (StatusCode::LENGTH_REQUIRED, "send a body with its length".to_owned())
    } else if rejection.find::<InvalidQuery>().is_some() {
        (
            StatusCode::BAD_REQUEST,
            "the only parameters are after=NUMBER of bytes and speed=NUMBER of a scenario"
                .to_owned(),
        )
    } else if rejection.find::<MethodNotAllowed>().is_some() {
        (StatusCode::METHOD_NOT_ALLOWED, "this path takes another method".to_owned())
    } else {
        tracing::debug!(area = "sim", ?rejection, "control request not understood");
        (StatusCode::BAD_REQUEST, "the request could not be read".to_owned())
    };
    Ok(reply(Err(Refusal { status, text })))
}

#[cfg(test)]
mod tests;
