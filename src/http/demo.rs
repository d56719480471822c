//! `/demo`: the front page of a demonstration with the sample log-ins, and below it the simulated boards
//! with the clock (`simulator.rs`), so that one page shows all of the product. A server that is no
//! demonstration has no such tree, and nothing at these addresses.

use std::sync::Arc;

use serde::Serialize;
use warp::http::Method;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::problem::Problem;
use super::web::Folder;
use super::{OrRoute, Routes, simulator};
use crate::service::Services;
use crate::service::error::Code;
use crate::sim::Simulator;

/// The faces of the web app that this program has.
const FACES: &[&str] = &["student"];

/// Somebody as whom a visitor may log in.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    /// student, staff or admin.
    pub role: &'static str,
    /// What is typed first.
    pub id: String,
    /// The sample password.
    pub password: String,
    /// The name.
    pub name: String,
}

/// What a demonstration has beside a site.
pub struct Demo {
    /// The boards that play the hardware.
    pub simulator: Simulator,
    /// The site, whose clock can be turned.
    pub site: Arc<Services>,
    /// Whom a visitor may be.
    pub people: Vec<Person>,
}

#[derive(Serialize)]
struct DemoSiteReply {
    people: Vec<Person>,
    faces: &'static [&'static str],
}

pub(super) fn routes(demo: Demo) -> Routes {
    let front = Arc::new(Folder::demo());
    let reply = Arc::new(DemoSiteReply { people: demo.people, faces: FACES });
    let people = path!("demo" / "api" / "site")
        .and(warp::method())
        .map(move |method| people(&method, &reply))
        .map(Reply::into_response);
    let boards =
        path("demo").and(path("api")).and(simulator::routes(demo.simulator, Some(demo.site)));
    let files = path::full()
        .and(warp::method())
        .and(head())
        .map(move |path: path::FullPath, method: Method, head: Head| {
            // The page stands at the address of the folder.
            let path = path.as_str();
            front.answer(
                if path.trim_end_matches('/') == "/demo" { "/" } else { path },
                &method,
                &head,
            )
        })
        .map(Reply::into_response);
    people.boxed().or_route(boards.boxed()).or_route(files.boxed())
}

fn people(method: &Method, reply: &DemoSiteReply) -> Result<Response, Problem> {
    if *method != Method::GET {
        return Err(Problem::new(Code::MethodNotAllowed, "this is only read: GET"));
    }
    let mut response = warp::reply::json(reply).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
