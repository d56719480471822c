//! Floor 4: the REST API over warp.
//!
//! One file per resource, each giving a [`Routes`] tree; [`dispatch`] picks the tree by the path,
//! [`accept`] owns the sockets. Handlers are plain functions: they take the request's head, call a
//! use-case and answer `Result<_, Problem>`. No rejection carries a decision: warp's rejections
//! only mean "not this route". Every route stands in [`access::ROUTES`].

use std::sync::Arc;

use jiff::Timestamp;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::service::Services;

pub mod accept;
pub mod access;
mod alarms;
mod auth;
mod banks;
mod body;
pub mod dispatch;
mod extract;
mod health;
mod lockers;
mod openapi;
mod openings;
mod operations;
pub mod problem;
pub mod simulator;

pub use accept::{Limits, Server};
pub use dispatch::{simulator_site, site};

use extract::ProxyRule;
use lockers::ListCache;

/// The only filter type that crosses a module boundary.
pub type Routes = BoxedFilter<(Response,)>;

/// What the configuration says to the web server.
#[derive(Debug, Clone, Default)]
pub struct HttpSettings {
    /// Host names that are answered for; empty: any.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose word about the client's address is taken.
    pub trusted_proxies: Vec<std::net::IpAddr>,
}

/// What every handler needs. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<ApiParts>);

struct ApiParts {
    services: Arc<Services>,
    settings: HttpSettings,
    lists: ListCache,
    started: Timestamp,
}

impl Api {
    /// Puts the API over the use-cases.
    #[must_use]
    pub fn new(services: Arc<Services>, settings: HttpSettings) -> Self {
        let started = services.clock.now();
        Self(Arc::new(ApiParts { services, settings, lists: ListCache::default(), started }))
    }

    fn services(&self) -> &Services {
        &self.0.services
    }

    fn proxy_rule(&self) -> ProxyRule<'_> {
        ProxyRule(&self.0.settings.trusted_proxies)
    }
}

/// Gives a handler its [`Api`].
fn with(
    api: &Api,
) -> impl Filter<Extract = (Api,), Error = std::convert::Infallible> + Clone + use<> {
    let api = api.clone();
    warp::any().map(move || api.clone())
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
