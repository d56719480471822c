//! Floor 4: the REST API over warp.
//!
//! One file per resource, each giving a [`Routes`] tree; [`dispatch`] picks the tree by the path,
//! [`accept`] owns the sockets. Handlers are plain functions: they take the request's head, call a
//! use-case and answer `Result<_, Problem>`. No rejection carries a decision: warp's rejections
//! only mean "not this route". Every route stands in [`access::ROUTES`]; what is none of them is a page
//! of the web app (`http/web.rs`).

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;
use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Rejection};

use crate::service::Services;

pub mod accept;
pub mod access;
mod alarms;

mod audit;
mod auth;
mod bank_admin;
mod bank_map;
mod banks;
mod body;
mod browser;
mod buses;
mod clock;
mod commissioning;
mod demo;
pub mod dispatch;
mod encoding;
mod exports;
mod extensions;
mod extract;
mod handled;
mod health;
mod help;
mod histories;
mod jobs;
mod keys;
mod kiosk;
mod kiosks;
mod layouts;
mod limits;
mod live;
mod locations;
mod locker_admin;
mod lockers;
mod mailbox;
mod mails;
mod mass_openings;
mod me;
mod member_sessions;
mod members;
mod openapi;
mod opening_list;
mod openings;
mod operations;
mod overdue;
mod own_account;
mod packed;
mod page;
mod penalties;
mod policies;
mod presence;
pub mod problem;
mod public_site;
mod qr;
mod rentals;
mod reservations;
mod retention;
mod returns;
mod roles;
mod sessions;
mod sign_up;
pub mod simulator;
mod statistics;
mod terms;
mod totp;
mod waiting;
mod web;

pub use accept::{Limits, Server};
pub use demo::{Demo, Person};
pub use dispatch::{simulator_site, site};
pub use openapi::document as api_document;

use browser::OwnSite;
use extract::{Head, ProxyRule, RawBody};
use handled::HandledBy;
use lockers::ListCache;
use problem::Problem;
use public_site::PlacesCache;

/// The only filter type that crosses a module boundary.
pub type Routes = BoxedFilter<(Response,)>;

/// What the configuration says to the web server.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Host names that are answered for; empty: any.
    pub allowed_hosts: Vec<String>,
    /// The address that people type, if the configuration says it.
    pub public_url: Option<String>,
    /// Proxies whose word about the client's address and scheme is taken.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// Most live sockets at once; one more is refused.
    pub sockets_max: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            public_url: None,
            trusted_proxies: Vec::new(),
            sockets_max: 512,
        }
    }
}

/// What every handler needs. Cheap to clone.
///
/// Behind a trait object on purpose: the type of each route has an `Api` in it many times over, and the
/// compiler would prove each time anew that all of the services may go from thread to thread.
#[derive(Clone)]
pub struct Api(Arc<dyn Parts>);

trait Parts: Send + Sync {
    fn parts(&self) -> &ApiParts;
}

impl Parts for ApiParts {
    fn parts(&self) -> &ApiParts {
        self
    }
}

struct ApiParts {
    services: Arc<Services>,
    settings: HttpSettings,
    /// The origin of the settings' public address.
    public_origin: Option<String>,
    lists: ListCache,
    places: PlacesCache,
    started: Timestamp,
    /// Places for live sockets: they outlive their connection's place.
    sockets: Arc<Semaphore>,
}

impl Api {
    /// Puts the API over the use-cases.
    #[must_use]
    pub fn new(services: Arc<Services>, settings: HttpSettings) -> Self {
        let started = services.clock.now();
        let sockets = Arc::new(Semaphore::new(settings.sockets_max));
        let public_origin = settings.public_url.as_deref().and_then(browser::origin_of);
        let (lists, places) = (ListCache::default(), PlacesCache::default());
        let parts = ApiParts { services, settings, public_origin, lists, places, started, sockets };
        Self(Arc::new(parts))
    }

    fn parts(&self) -> &ApiParts {
        self.0.parts()
    }

    fn services(&self) -> &Services {
        &self.parts().services
    }

    fn proxy_rule(&self) -> ProxyRule<'_> {
        ProxyRule(&self.parts().settings.trusted_proxies)
    }

    fn own_site(&self) -> OwnSite<'_> {
        let public_origin = self.parts().public_origin.as_deref();
        OwnSite { public_origin, proxies: self.proxy_rule() }
    }
}

/// Gives a handler its [`Api`].
fn with(
    api: &Api,
) -> impl Filter<Extract = (Api,), Error = std::convert::Infallible> + Clone + use<> {
    let api = api.clone();
    warp::any().map(move || api.clone())
}

/// Ends a route whose handler wants the body as well.
fn with_body<H, A>(
    api: &Api,
    route: impl Filter<Extract = (), Error = Rejection> + Clone + Send + Sync + 'static,
    handler: H,
) -> Routes
where
    H: Fn(Head, RawBody, Api) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    let asked = route.and(extract::head()).and(extract::body()).and(with(api));
    asked.handled_by(handler)
}

/// The same for a route with one part of its path to be read.
fn with_part_and_body<T, H, A>(
    api: &Api,
    route: impl Filter<Extract = (T,), Error = Rejection> + Clone + Send + Sync + 'static,
    handler: H,
) -> Routes
where
    T: Send + 'static,
    H: Fn(T, Head, RawBody, Api) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    let asked = route.and(extract::head()).and(extract::body()).and(with(api));
    asked.handled_by(handler)
}

/// Tries one route after the other without growing the type.
trait OrRoute {
    fn or_route(self, other: Routes) -> Routes;
}

impl OrRoute for Routes {
    fn or_route(self, other: Routes) -> Routes {
        self.or(other).unify().boxed()
    }
}
