//! `/clock` of the control API: turning the clock of a demo forward. A simulator without a site has
//! none, and `lockerd serve` has no control API: time cannot be turned on a real site.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply};

use super::{Refusal, body, json, parse};
use crate::service::Services;

/// Furthest that one call turns the clock: ten years.
const ADVANCE_S_MAX: u64 = 10 * 366 * 86_400;

/// By how much, or to when.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Turn {
    By { advance_s: u64 },
    To { to: Timestamp },
}

#[derive(Serialize)]
struct Time {
    server_time: String,
}

pub(super) fn routes(site: Option<Arc<Services>>) -> BoxedFilter<(Response,)> {
    let with = move || site.clone();
    let show = warp::path!("clock")
        .and(warp::get())
        .map(with.clone())
        .map(|site: Option<Arc<Services>>| answer(of_demo(site).map(|site| time(&site))));
    let turn = warp::path!("clock").and(warp::post()).and(body()).then(move |asked: Bytes| {
        let site = of_demo(with());
        async move {
            match site {
                Ok(site) => answer(turn(&site, &asked).await),
                Err(refusal) => answer(Err(refusal)),
            }
        }
    });
    show.boxed().or(turn.boxed()).unify().boxed()
}

fn answer(result: Result<Time, Refusal>) -> Response {
    match result {
        Ok(time) => json(StatusCode::OK, &time).into_response(),
        Err(refusal) => super::reply(Err(refusal)),
    }
}

fn of_demo(site: Option<Arc<Services>>) -> Result<Arc<Services>, Refusal> {
    site.filter(|site| site.clock.can_be_turned()).ok_or_else(|| Refusal {
        status: StatusCode::NOT_FOUND,
        text: "these boards have no site: only the clock of `lockerd demo` can be turned"
            .to_owned(),
    })
}

async fn turn(site: &Services, asked: &[u8]) -> Result<Time, Refusal> {
    let words =
        "the body must be {\"advance_s\": SECONDS} or {\"to\": \"2026-09-01T10:00:00+09:00\"}";
    let by = match parse::<Turn>(asked).map_err(|_| Refusal::bad(words.to_owned()))? {
        Turn::By { advance_s } => Duration::from_secs(advance_s),
        Turn::To { to } => Duration::try_from(to.duration_since(site.clock.now()))
            .map_err(|_| Refusal::bad("time only goes forward".to_owned()))?,
    };
    if by > Duration::from_secs(ADVANCE_S_MAX) {
        return Err(Refusal::bad(format!("at most {ADVANCE_S_MAX} seconds at once")));
    }
    site.turn_clock(by).await;
    Ok(time(site))
}

fn time(site: &Services) -> Time {
    Time { server_time: site.clock.now().to_string() }
}
