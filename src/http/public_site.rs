//! `/api/v1/site`: what everybody may know of the site, logged in or not: its places with their numbers,
//! its clock and zone, how people get in, whom to call. `/api/v1/lockers/summary`: the numbers alone.
//!
//! Every page asks for the site at its start, in a rush all of them at once: the places are rendered
//! once for each published state and shared. Numbers name nobody.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::body::{SharedTail, Tail};
use super::extract::{Head, head};
use super::handled::HandledBy;
use super::lockers::{NameReply, WindowReply};
use super::problem::Problem;
use super::{Api, Routes, with};
use crate::domain::bank::{BankPolicy, Location};
use crate::domain::time::Monotonic;
use crate::service::Services;
use crate::service::accounts::{Registration, RosterLogin};
use crate::service::lockers::BankSummary;

pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "site").and(warp::get()).and(with(api)).handled_by(handle_site)
}

/// Who may make themselves an account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SignUpRule {
    /// Nobody; also where codes cannot be mailed.
    Closed,
    /// Whom the roster has.
    Roster,
    /// Everybody.
    Open,
}

impl From<Registration> for SignUpRule {
    fn from(registration: Registration) -> Self {
        match registration {
            Registration::Closed => Self::Closed,
            Registration::Roster => Self::Roster,
            Registration::Open => Self::Open,
        }
    }
}

/// How far student id, name and phone number open the site without a password.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RosterLoginRule {
    /// Not at all.
    Off,
    /// To claim a locker; to open one only before its bank.
    Claim,
    /// For everything a student does.
    Full,
}

impl From<RosterLogin> for RosterLoginRule {
    fn from(login: RosterLogin) -> Self {
        match login {
            RosterLogin::Off => Self::Off,
            RosterLogin::Claim => Self::Claim,
            RosterLogin::Full => Self::Full,
        }
    }
}

/// The site as everybody may know it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SiteReply {
    /// The server's clock, RFC 3339. That of the windows below may be a minute older.
    server_time: String,
    /// The zone in which the site counts its days, as Asia/Seoul.
    time_zone: String,
    /// The number to call for help, if the site gives one.
    phone: Option<String>,
    /// Who may make themselves an account.
    sign_up: SignUpRule,
    /// How far student id, name and phone number open the site without a password.
    roster_login: RosterLoginRule,
    /// Domains of which the address of a sign-up must be; empty: any.
    email_domains: Vec<String>,
    // Last: what is shared is sent in its place.
    /// Where lockers stand, with their numbers.
    locations: Vec<LocationSummaryReply>,
}

/// The site: its places and their numbers, its clock, how people get in.
///
/// Answers with and without a token, and is never to be kept: pages set their clock by it.
#[utoipa::path(
    get, path = "/api/v1/site", tag = "site", responses((status = 200, body = SiteReply))
)]
pub(super) async fn handle_site(api: Api) -> Result<Response, Problem> {
    let services = api.services();
    let places = api.0.parts().places.rendered(services);
    let reply = SiteReply {
        server_time: services.clock.now().to_string(),
        time_zone: services.clock.zone().iana_name().unwrap_or("UTC").to_owned(),
        phone: services.settings.phone.clone(),
        sign_up: services.registration().into(),
        roster_login: services.settings.roster_login.into(),
        email_domains: services.settings.email_domains.clone(),
        locations: Vec::new(),
    };
    let mut head = serde_json::to_string(&reply).unwrap_or_default();
    // The empty list makes room for the places that everybody shares.
    head.truncate(head.len().saturating_sub(EMPTY_END.len()));
    let mut response = Response::default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // No ETag: a browser that is told "not modified" shows the page a clock of long ago.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
        .extensions_mut()
        .insert(SharedTail { head: head.into(), tail: Arc::clone(&places.text) });
    Ok(response)
}

/// How a [`SiteReply`] without places ends.
const EMPTY_END: &str = "[]}";

/// The places with their numbers, the same for everybody, kept until they may look different.
#[derive(Default)]
pub(super) struct PlacesCache(ArcSwapOption<RenderedPlaces>);

struct RenderedPlaces {
    version: u64,
    stale_at: Monotonic,
    /// By a clock that is not trusted windows are shut and nobody is late.
    trusted: bool,
    /// `[…]}`
    text: Arc<Tail>,
}

impl PlacesCache {
    fn rendered(&self, services: &Services) -> Arc<RenderedPlaces> {
        let (version, now) = (services.store.snapshot().version, services.clock.monotonic());
        let trusted = services.clock_is_trusted();
        if let Some(kept) = self.0.load_full()
            && kept.version == version
            && kept.trusted == trusted
            && now < kept.stale_at
        {
            return kept;
        }
        let listing = services.listing();
        let (version, stale_at) = (listing.version(), listing.stale_at);
        let locations = locations(services.summary_of(&listing));
        let mut text = serde_json::to_string(&locations).unwrap_or_default();
        text.push('}');
        let rendered = RenderedPlaces { version, stale_at, trusted, text: Tail::new(text) };
        let rendered = Arc::new(rendered);
        self.0.store(Some(Arc::clone(&rendered)));
        rendered
    }
}

fn locations(summary: Vec<(Location, Vec<BankSummary>)>) -> Vec<LocationSummaryReply> {
    let of = |(location, banks): (Location, Vec<BankSummary>)| LocationSummaryReply {
        location_id: location.id.0,
        name: location.name.into(),
        banks: banks.into_iter().map(Into::into).collect(),
    };
    summary.into_iter().map(of).collect()
}

/// A location with its banks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LocationSummaryReply {
    location_id: i64,
    name: NameReply,
    banks: Vec<BankSummaryReply>,
}

/// What a bank offers to who rents there, and what being late costs.
#[expect(clippy::struct_excessive_bools, reason = "what a bank offers, each thing by itself")]
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankRulesReply {
    /// How long a hold keeps a locker, in seconds.
    hold_seconds: u32,
    /// Whether a hold may be extended, once.
    hold_extension: bool,
    /// How often a rental may be extended; 0: never.
    extensions_max: u16,
    /// Whether a renter may swap to another free locker.
    swaps: bool,
    /// Whether people may wait for a locker that gets free.
    waiting_list: bool,
    /// How long a locker is offered to who waits, in minutes.
    offer_minutes: u16,
    /// Whether a renter may have the door opened one last time, and its closing is the return.
    return_by_door: bool,
    /// How long a returned locker may be opened again, in minutes.
    grace_minutes: u32,
    /// After how many days late a renter cannot open any more; `null` where no day is set.
    seal_after_days: Option<u16>,
    /// Days without a claim for each day late; 0: none.
    penalty_factor: u16,
    /// Most days of one penalty.
    penalty_max_days: u16,
}

impl From<&BankPolicy> for BankRulesReply {
    fn from(policy: &BankPolicy) -> Self {
        let BankPolicy { options, returns, overdue, .. } = policy;
        Self {
            hold_seconds: policy.hold_seconds,
            hold_extension: options.hold_extension,
            extensions_max: options.extensions_max,
            swaps: options.swaps,
            waiting_list: options.waiting_list,
            offer_minutes: options.offer_minutes,
            return_by_door: returns.by_door,
            grace_minutes: returns.grace_minutes,
            seal_after_days: overdue.seal_after_days,
            penalty_factor: overdue.penalty_factor,
            penalty_max_days: overdue.penalty_max_days,
        }
    }
}

/// A bank's numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankSummaryReply {
    bank_id: i64,
    name: NameReply,
    /// How its lockers are lent: choose (held by number) or pool (reserved by days).
    mode: &'static str,
    /// Lockers that are lent.
    in_service: u32,
    /// Of those, how many can be held now.
    free: u32,
    /// Held for a minute.
    held: u32,
    /// Rented.
    taken: u32,
    /// Given back, but not free yet; these count as taken as well.
    returning: u32,
    /// Rented past the end of the rental; these count as taken or free as well.
    overdue: u32,
    /// How many people wait for a locker of it and were offered none yet.
    waiting: u32,
    /// Not lent for now.
    out_of_service: u32,
    /// In pool mode: reservations for today that were not checked in yet.
    reserved_today: u32,
    /// Whether people work on it: its doors raise no alarms meanwhile.
    maintenance: bool,
    /// From where renters may open: anywhere or presence (only when they stand before it).
    open_from: &'static str,
    /// What renters may expect.
    rules: BankRulesReply,
    /// Whether claims are accepted, and when.
    #[schema(value_type = WindowReply)]
    window: Value,
}

/// The numbers of the site.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SummaryReply {
    locations: Vec<LocationSummaryReply>,
}

impl From<BankSummary> for BankSummaryReply {
    fn from(sums: BankSummary) -> Self {
        Self {
            bank_id: sums.bank.id.0,
            mode: sums.bank.mode.name(),
            maintenance: sums.bank.maintenance.is_some(),
            open_from: sums.bank.policy.open_from.name(),
            rules: (&sums.bank.policy).into(),
            name: sums.bank.name.into(),
            in_service: sums.in_service,
            free: sums.free,
            held: sums.held,
            taken: sums.taken,
            returning: sums.returning,
            overdue: sums.overdue,
            waiting: sums.waiting,
            out_of_service: sums.out_of_service,
            reserved_today: sums.reserved_today,
            window: sums.window,
        }
    }
}

pub(super) fn summary(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / "summary")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_summary)
}

/// How many lockers are free, held, taken … by location and bank.
#[utoipa::path(
    get, path = "/api/v1/lockers/summary", tag = "lockers",
    responses((status = 200, body = SummaryReply), (status = 401)), security(("bearer" = []))
)]
pub(super) async fn handle_summary(head: Head, api: Api) -> Result<Response, Problem> {
    head.caller_at_kiosk_too(&api)?;
    let locations = locations(api.services().summary());
    Ok(warp::reply::json(&SummaryReply { locations }).into_response())
}
