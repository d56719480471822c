//! Picks the routes of a resource by the path before warp sees the request, and finishes answers. What is
//! neither of the API nor of its documents is the web app's.
//!
//! One `or` chain over all routes costs more with each route; a map from the resource's segment
//! costs the same for the last as for the first. Every answer leaves through here: problem
//! documents are written, the request's id is set, a foreign host name is refused.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use hyper::Request;
use tower_service::Service;
use warp::Filter;
use warp::http::StatusCode;
use warp::http::header::{ALLOW, HOST, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use warp::reply::Response;
use warp::{Reply, path};

use super::body::SiteBody;
use super::encoding::Accepted;
use super::problem::{self, Problem, recover};
use super::{
    Api, Demo, OrRoute, Routes, access, alarms, audit, auth, banks, buses, clock, commissioning,
    demo, exports, health, help, histories, jobs, keys, kiosk, kiosks, limits, live, locations,
    lockers, mailbox, mails, mass_openings, me, member_sessions, members, openapi, opening_list,
    openings, operations, overdue, packed, penalties, public_site, rentals, reservations,
    retention, returns, sign_up, statistics, terms, totp, waiting, web,
};
use crate::service::Services;
use crate::service::error::Code;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The trees by the segment that picks them.
fn trees(api: &Api, demo: Option<Demo>) -> Vec<(&'static str, Routes)> {
    let mut trees = vec![
        ("auth", auth::routes(api)),
        ("lockers", lockers::routes(api).or_route(histories::of_locker(api))),
        ("banks", banks::routes(api).or_route(exports::lockers(api))),
        ("locations", locations::routes(api)),
        ("terms", terms::routes(api)),
        ("buses", buses::routes(api)),
        ("locks", buses::lock_routes(api).or_route(exports::locks(api))),
        ("commissioning", commissioning::routes(api)),
        ("alarms", alarms::routes(api).or_route(exports::alarms(api))),
        ("me", me::routes(api).or_route(histories::mine(api))),
        ("site", public_site::routes(api)),
        ("kiosks", kiosks::routes(api)),
        ("kiosk", kiosk::routes(api).or_route(help::at_kiosk(api))),
        ("help", help::routes(api)),
        ("limits", limits::routes(api)),
        ("privacy-notice", sign_up::notice(api)),
        (
            "openings",
            openings::routes(api)
                .or_route(opening_list::routes(api))
                .or_route(exports::openings(api)),
        ),
        ("rentals", rentals::routes(api)),
        ("bulk-ends", rentals::bulk::routes(api)),
        ("statistics", statistics::routes(api)),
        ("reservations", reservations::routes(api)),
        ("returns", returns::routes(api).or_route(exports::returns(api))),
        ("shortages", returns::shortage_routes(api).or_route(exports::shortages(api))),
        ("waiting", waiting::routes(api).or_route(exports::waiting(api))),
        ("overdue", overdue::routes(api)),
        ("penalties", penalties::routes(api).or_route(exports::penalties(api))),
        ("mass-openings", mass_openings::routes(api)),
        (
            "members",
            members::routes(api)
                .or_route(member_sessions::routes(api))
                .or_route(totp::of_member(api))
                .or_route(kiosks::one_time_code(api))
                .or_route(histories::of_member(api)),
        ),
        ("sessions", member_sessions::everybody(api)),
        ("retention", retention::routes(api)),
        ("keys", keys::routes(api)),
        ("operations", operations::routes(api)),
        ("mails", mails::routes(api).or_route(exports::mails(api))),
        ("audit", audit::routes(api)),
        ("mailbox", mailbox::routes(api)),
        ("health", health::routes(api)),
        ("clock", clock::routes(api)),
        ("jobs", jobs::routes(api)),
        ("ws", live::routes(api)),
        ("docs", openapi::routes().or_route(problems()).or_route(mailbox::pages(api))),
        (PAGES, web::routes()),
    ];
    trees.extend(demo.map(|demo| (DEMO, demo::routes(demo))));
    trees
}

fn problems() -> Routes {
    path!("problems" / String)
        .and(warp::get())
        .map(|slug: String| match problem::describe(&slug) {
            Ok(document) => warp::reply::json(&document).into_response(),
            Err(problem) => problem.into_response(),
        })
        .boxed()
}

/// Names of trees that no resource can have.
const PAGES: &str = "/";
const DEMO: &str = "/demo";

/// The segment by which a path is dispatched.
fn segment(path: &str) -> &str {
    if let Some(rest) = path.strip_prefix("/api/v1/") {
        return rest.split('/').next().unwrap_or_default();
    }
    match path.strip_prefix('/').and_then(|rest| rest.split('/').next()) {
        Some("api" | "problems" | "mailbox") => "docs",
        Some("demo") => DEMO,
        Some(_) => PAGES,
        // `*` and the like: nobody's.
        None => "",
    }
}

/// The whole site as one service; with what a demonstration has beside it.
pub fn site(
    api: &Api,
    demo: Option<Demo>,
) -> Dispatch<
    impl Service<Request<hyper::body::Incoming>, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static,
> {
    let trees = trees(api, demo).into_iter().map(|(name, routes)| (name, seal(routes))).collect();
    Dispatch {
        shared: Arc::new(Shared {
            trees,
            rest: seal(warp::any().and_then(nowhere).boxed()),
            allowed_hosts: api.parts().settings.allowed_hosts.clone(),
            requests: AtomicU64::new(0),
            boot: api.parts().started.as_millisecond(),
        }),
    }
}

/// The control API of a simulator as a service; with the site of a demo, whose clock it turns.
#[must_use]
pub fn simulator_site(
    simulator: crate::sim::Simulator,
    site: Option<Arc<Services>>,
) -> impl Service<Request<hyper::body::Incoming>, Response = Response, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    seal(super::simulator::routes(simulator, site))
}

/// The one place that turns routes into a service, so that all trees have one type.
fn seal(
    routes: Routes,
) -> impl Service<Request<hyper::body::Incoming>, Response = Response, Error = Infallible, Future: Send>
+ Clone
+ Send
+ Sync
+ 'static {
    warp::service(routes.recover(recover).unify().boxed())
}

async fn nowhere() -> Result<Response, warp::Rejection> {
    Err(warp::reject::not_found())
}

struct Shared<S> {
    trees: HashMap<&'static str, S>,
    rest: S,
    allowed_hosts: Vec<String>,
    requests: AtomicU64,
    boot: i64,
}

/// See the module.
pub struct Dispatch<S> {
    shared: Arc<Shared<S>>,
}

impl<S> Clone for Dispatch<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S> Shared<S> {
    fn answers_for(&self, host: Option<&HeaderValue>) -> bool {
        if self.allowed_hosts.is_empty() {
            return true;
        }
        let Some(host) = host.and_then(|host| host.to_str().ok()) else { return false };
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        self.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
    }
}

impl<S, B> Service<Request<B>> for Dispatch<S>
where
    S: Service<Request<B>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = hyper::Response<SiteBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = &self.shared;
        let number = shared.requests.fetch_add(1, Ordering::Relaxed);
        let request_id = format!("{:x}-{number:x}", shared.boot);
        let path = request.uri().path().to_owned();
        if !shared.answers_for(request.headers().get(HOST)) {
            let detail = "this server does not answer for that host name: check http.allowed_hosts";
            let refused = Problem::new(Code::Misdirected, detail).into_response();
            let response = seal_answer(refused, &path, &request_id);
            return Box::pin(async move { Ok(SiteBody::of(response, false).await) });
        }
        let tree = shared.trees.get(segment(&path)).unwrap_or(&shared.rest);
        let packs = packed::may_pack(&path) && Accepted::by(request.headers()).gzip;
        let answer = tree.clone().call(request);
        Box::pin(async move {
            let Ok(response) = answer.await;
            Ok(SiteBody::of(seal_answer(response, &path, &request_id), packs).await)
        })
    }
}

fn seal_answer(response: Response, path: &str, request_id: &str) -> Response {
    let status = response.status();
    if status.is_server_error() {
        tracing::warn!(area = "http", path, request_id, status = status.as_u16(), "refused");
    }
    let mut response = problem::finish(response, path, request_id);
    let headers = response.headers_mut();
    if status == StatusCode::METHOD_NOT_ALLOWED {
        // What no route has is a file or a page.
        let allowed = Some(access::allowed(path)).filter(|it| !it.is_empty());
        let value = allowed.and_then(|it| HeaderValue::from_str(&it).ok());
        headers.insert(ALLOW, value.unwrap_or(HeaderValue::from_static("GET, HEAD")));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_segment_after_the_version_picks_the_tree() {
        for (path, picked) in [
            ("/api/v1/lockers", "lockers"),
            ("/api/v1/lockers/101/hold", "lockers"),
            ("/api/v1/", ""),
            ("/api", "docs"),
            ("/api/swagger/", "docs"),
            ("/api/v2/lockers", "docs"),
            ("/mailbox/3", "docs"),
            ("/demo", "/demo"),
            ("/demo/api/state", "/demo"),
            ("/", "/"),
            ("/lockers", "/"),
            ("/demography", "/"),
            ("/apis", "/"),
            ("", ""),
            ("*", ""),
        ] {
            assert_eq!(segment(path), picked, "{path}");
        }
    }
}
