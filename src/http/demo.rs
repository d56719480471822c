//! `/demo`: the front page of a demonstration with the sample log-ins and a kiosk to pair, and below it the
//! simulated boards with the clock (`simulator.rs`), so that one page shows all of the product. A server
//! that is no demonstration has no such tree, and nothing at these addresses.

use std::sync::Arc;

use serde::Serialize;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::http::{Method, StatusCode};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::kiosks::pairing_reply;
use super::problem::Problem;
use super::web::Folder;
use super::{OrRoute, Routes, simulator};
use crate::domain::bank::{Bank, OpenFrom};
use crate::service::Services;
use crate::service::error::Code;
use crate::service::kiosks::PAGE_MAX;
use crate::service::tokens::Caller;
use crate::sim::Simulator;

/// The faces of the web app that this program has.
const FACES: &[&str] = &["student", "kiosk", "staff"];

/// The kiosk that the front page pairs its browser with.
const KIOSK_NAME: &str = "Demo";

/// How many banks it stands beside: those that open in presence before the others.
const KIOSK_BANKS: usize = 2;

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
    /// The admin in whose name a kiosk is set up.
    pub host: Caller,
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
    let (site, host) = (Arc::clone(&demo.site), demo.host);
    let kiosk = path!("demo" / "api" / "kiosk").and(warp::method()).then(move |method| {
        let site = Arc::clone(&site);
        async move { kiosk(&method, &site, host).await.into_response() }
    });
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
    people.boxed().or_route(kiosk.boxed()).or_route(boards.boxed()).or_route(files.boxed())
}

fn people(method: &Method, reply: &DemoSiteReply) -> Result<Response, Problem> {
    if *method != Method::GET {
        return Err(Problem::new(Code::MethodNotAllowed, "this is only read: GET"));
    }
    let mut response = warp::reply::json(reply).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A fresh pairing code for the demo's kiosk, which is made when it is first asked for.
async fn kiosk(method: &Method, site: &Services, host: Caller) -> Result<Response, Problem> {
    if *method != Method::POST {
        return Err(Problem::new(Code::MethodNotAllowed, "this makes a pairing code: POST"));
    }
    let (kiosks, _) = site.kiosks(host, None, PAGE_MAX).await?;
    let made = if let Some(view) = kiosks.iter().find(|view| view.kiosk.name == KIOSK_NAME) {
        site.new_pairing_code(host, view.kiosk.id).await?
    } else {
        let banks = site.summary().into_iter().flat_map(|(_, banks)| banks);
        let mut banks: Vec<Bank> = banks.map(|sum| sum.bank).collect();
        banks.sort_by_key(|bank| bank.policy.open_from != OpenFrom::Presence);
        let banks = banks.iter().map(|bank| bank.id).take(KIOSK_BANKS).collect();
        site.add_kiosk(host, KIOSK_NAME, banks).await?
    };
    Ok(pairing_reply(made, StatusCode::CREATED))
}
