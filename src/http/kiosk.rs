//! `/api/v1/kiosk`: what a paired kiosk itself may do: show codes and counts, sign a member in and
//! out.
//!
//! A kiosk shows `Authorization: Kiosk CREDENTIAL`, or in a browser the cookie that pairing gave it;
//! the cookie is believed only with `X-Lockerd: 1` and from this site's own pages, as every other.
//! A kiosk never has rights of staff.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::HOST;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::NameReply;
use super::problem::Problem;
use super::totp::once_only;
use super::{Api, OrRoute, Routes, qr, with};
use crate::domain::id::BankId;
use crate::domain::kiosk::Kiosk;
use crate::service::error::Code;

pub(super) fn routes(api: &Api) -> Routes {
    pair(api)
        .or_route(find(api))
        .or_route(heartbeat(api))
        .or_route(presence(api))
        .or_route(sign_in(api))
        .or_route(sign_out(api))
}

/// The code that staff got for this kiosk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PairRequest {
    /// Eight letters and digits; spaces, hyphens and capitals do not matter.
    code: String,
}

/// A paired kiosk.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PairedReply {
    kiosk_id: i64,
    name: String,
    /// Send it as `Authorization: Kiosk …`. Left out for browsers: theirs is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
}

/// A bank beside the kiosk.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KioskBankReply {
    bank_id: i64,
    name: NameReply,
    /// Where it stands.
    location: NameReply,
    /// From where renters may open: anywhere or presence.
    open_from: &'static str,
    /// Lockers that are lent.
    in_service: u32,
    /// Of those, how many can be held now.
    free: u32,
}

/// What a kiosk knows of itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ThisKioskReply {
    kiosk_id: i64,
    name: String,
    banks: Vec<KioskBankReply>,
    /// How long a sign-in lasts without a touch, in seconds.
    idle_s: i64,
    /// How long it lasts at most, in seconds.
    session_s: i64,
    /// The server's clock, RFC 3339.
    server_time: String,
}

/// A sign of life.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HeartbeatRequest {
    /// What the kiosk runs; at most 100 characters.
    version: String,
}

/// The code that a kiosk shows for one of its banks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PresenceReply {
    bank_id: i64,
    /// Six digits.
    code: String,
    /// When the next one is due, RFC 3339.
    valid_until: String,
    /// The address behind the QR code: it opens the bank's page with the code filled in. `null` where
    /// the site does not know its own address (`http.public_url`).
    url: Option<String>,
    /// That address as a QR code.
    qr_svg: Option<String>,
}

/// The codes of a kiosk.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PresenceListReply {
    /// One for each bank.
    banks: Vec<PresenceReply>,
    /// The server's clock, RFC 3339.
    server_time: String,
}

/// A member at the kiosk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignInRequest {
    /// Student id.
    id: String,
    /// Of the authenticator app, or one that staff gave.
    code: String,
}

/// A member's short sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KioskLogInReply {
    /// Send it as `Authorization: Bearer …`. There is no refresh token.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// How long it lasts at most, in seconds.
    expires_in: i64,
    /// How long it lasts without a request, in seconds.
    idle_s: i64,
    /// The member's number.
    member_id: i64,
}

impl Head {
    /// The kiosk that asks; `changes` when it asks for more than a look.
    pub(super) fn kiosk(&self, api: &Api, changes: bool) -> Result<Kiosk, Problem> {
        let credential = match self.authorization("kiosk") {
            Some(credential) => Some(credential),
            None => self.kiosk_cookie(api, changes)?,
        };
        let Some(credential) = credential else {
            let detail = "this is for kiosks: pair the device first";
            return Err(Problem::new(Code::KioskUnknown, detail));
        };
        Ok(api.services().authenticate_kiosk(credential, &self.address(api))?)
    }
}

/// Where people find this site: as the configuration says, else by the host that the kiosk itself
/// asked for, unless that means this very machine.
fn site_address(public_origin: Option<&str>, host: Option<&str>) -> Option<String> {
    if let Some(origin) = public_origin {
        return Some(origin.to_owned());
    }
    let host = host?;
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
    let local = name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback());
    (!local).then(|| format!("http://{host}"))
}

fn pair(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosk" / "pair")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_pair)
}

/// Pair this device with the kiosk that the code is for.
///
/// The code is good once. A browser (`X-Lockerd: 1`) gets the credential in a cookie.
#[utoipa::path(
    post, path = "/api/v1/kiosk/pair", tag = "kiosk", request_body = PairRequest,
    responses(
        (status = 200, body = PairedReply), (status = 400), (status = 403), (status = 410),
        (status = 422), (status = 429), (status = 503),
    )
)]
pub(super) async fn handle_pair(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let browser = head.browser(&api)?;
    let request = body.json::<PairRequest>(&head).await?;
    let paired = api.services().pair_kiosk(&request.code, &head.address(&api)).await?;
    let reply = PairedReply {
        kiosk_id: paired.kiosk_id.0,
        name: paired.name,
        credential: browser.is_none().then(|| paired.credential.clone()),
    };
    let mut response = once_only(&reply, StatusCode::OK);
    if let Some(browser) = browser {
        browser.keep_kiosk(&mut response, &paired.credential);
    }
    Ok(response)
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosk")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// This kiosk: its name, its banks and how many of their lockers are free.
#[utoipa::path(
    get, path = "/api/v1/kiosk", tag = "kiosk",
    responses((status = 200, body = ThisKioskReply), (status = 401), (status = 403)),
    security(("kiosk" = []))
)]
pub(super) async fn handle_find(head: Head, api: Api) -> Result<Response, Problem> {
    let kiosk = head.kiosk(&api, false)?;
    let services = api.services();
    let mut banks = Vec::with_capacity(kiosk.banks.len());
    for (location, sums) in services.summary() {
        for sum in sums.into_iter().filter(|sum| kiosk.serves(sum.bank.id)) {
            banks.push(KioskBankReply {
                bank_id: sum.bank.id.0,
                open_from: sum.bank.policy.open_from.name(),
                name: sum.bank.name.into(),
                location: location.name.clone().into(),
                in_service: sum.in_service,
                free: sum.free,
            });
        }
    }
    Ok(warp::reply::json(&ThisKioskReply {
        kiosk_id: kiosk.id.0,
        name: kiosk.name,
        banks,
        idle_s: services.settings.kiosk.idle.as_secs(),
        session_s: services.settings.kiosk.session.as_secs(),
        server_time: services.clock.now().to_string(),
    })
    .into_response())
}

fn heartbeat(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosk" / "heartbeat")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_heartbeat)
}

/// Say that this kiosk is well; every 10 s is right.
#[utoipa::path(
    post, path = "/api/v1/kiosk/heartbeat", tag = "kiosk", request_body = HeartbeatRequest,
    responses((status = 204), (status = 400), (status = 401), (status = 403), (status = 422)),
    security(("kiosk" = []))
)]
pub(super) async fn handle_heartbeat(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let kiosk = head.kiosk(&api, true)?;
    let said = body.json::<HeartbeatRequest>(&head).await?;
    api.services().hear_kiosk(&kiosk, &head.address(&api), &said.version)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn presence(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosk" / "presence")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_presence)
}

fn landing(site: &str, bank: BankId, code: &str) -> String {
    // Behind the #: browsers do not send that part, so no log has the code.
    format!("{site}/p/{bank}#c={code}")
}

/// The codes that this kiosk shows now: whoever types one stands before its bank.
#[utoipa::path(
    get, path = "/api/v1/kiosk/presence", tag = "kiosk",
    responses(
        (status = 200, body = PresenceListReply), (status = 401), (status = 403), (status = 503),
    ),
    security(("kiosk" = []))
)]
pub(super) async fn handle_presence(head: Head, api: Api) -> Result<Response, Problem> {
    let kiosk = head.kiosk(&api, false)?;
    let codes = api.services().presence_codes(&kiosk).await?;
    let site = site_address(api.own_site().public_origin, head.text(HOST));
    let banks = codes.into_iter().map(|shown| {
        let url = site.as_deref().map(|site| landing(site, shown.bank_id, &shown.code));
        PresenceReply {
            bank_id: shown.bank_id.0,
            valid_until: Timestamp::from_millisecond(shown.valid_until_ms)
                .unwrap_or_default()
                .to_string(),
            qr_svg: url.as_deref().and_then(qr::svg),
            url,
            code: shown.code,
        }
    });
    let server_time = api.services().clock.now().to_string();
    let reply = PresenceListReply { banks: banks.collect(), server_time };
    Ok(once_only(&reply, StatusCode::OK))
}

fn sign_in(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosk" / "sign-in")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_sign_in)
}

/// Sign a member in for a moment.
///
/// The answer to a wrong one does not tell which of id and code was wrong, only how many tries are
/// left (`tries_left`) and when the next one makes sense. Whoever was signed in before is not any more.
#[utoipa::path(
    post, path = "/api/v1/kiosk/sign-in", tag = "kiosk", request_body = SignInRequest,
    responses(
        (status = 200, body = KioskLogInReply), (status = 400), (status = 401), (status = 403),
        (status = 429), (status = 503),
    ),
    security(("kiosk" = []))
)]
pub(super) async fn handle_sign_in(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let kiosk = head.kiosk(&api, true)?;
    let request = body.json::<SignInRequest>(&head).await?;
    let address = head.address(&api);
    let signed_in = api.services().sign_in_at(&kiosk, &request.id, &request.code, &address).await?;
    let reply = KioskLogInReply {
        access_token: signed_in.access_token,
        token_type: "Bearer",
        expires_in: signed_in.expires_in_s,
        idle_s: signed_in.idle_s,
        member_id: signed_in.member_id.0,
    };
    Ok(once_only(&reply, StatusCode::OK))
}

fn sign_out(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosk" / "sign-out")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_sign_out)
}

/// Sign whoever stands here out; nobody is fine.
#[utoipa::path(
    post, path = "/api/v1/kiosk/sign-out", tag = "kiosk",
    responses((status = 204), (status = 401), (status = 403), (status = 503)),
    security(("kiosk" = []))
)]
pub(super) async fn handle_sign_out(head: Head, api: Api) -> Result<Response, Problem> {
    let kiosk = head.kiosk(&api, true)?;
    api.services().sign_out_at(&kiosk).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_behind_the_code_is_one_that_phones_can_reach() {
        let public = Some("https://lockers.ac.kr");
        assert_eq!(site_address(public, Some("127.0.0.1:3000")).as_deref(), public);
        for (host, address) in [
            ("10.0.0.5:3000", Some("http://10.0.0.5:3000")),
            ("lockers.lan", Some("http://lockers.lan")),
            ("[2001:db8::1]:80", Some("http://[2001:db8::1]:80")),
            ("localhost:3000", None),
            ("127.0.0.1", None),
            ("[::1]:3000", None),
        ] {
            assert_eq!(site_address(None, Some(host)).as_deref(), address, "{host}");
        }
        let landing = landing("https://lockers.ac.kr", BankId(7), "123456");
        assert_eq!(landing, "https://lockers.ac.kr/p/7#c=123456");
    }
}
