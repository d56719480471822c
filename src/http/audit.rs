//! `/api/v1/audit`: the audit log, its signed head, verifying it, and taking it along as a table. For
//! admins.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use warp::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue, LINK};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::id::MemberId;
use crate::service::audit::{AuditFilter, AuditRow, BadRow, PAGE_MAX, SignedHead, Verdict, why};

/// Longest action or subject that is looked for.
const TEXT_BYTES_MAX: usize = 100;

/// Which rows are asked for. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// Done by this member, by number.
    actor: Option<String>,
    /// Actions that begin so, as `session.`
    action: Option<String>,
    /// Done to this, as `locker:101`.
    subject: Option<String>,
    /// At this time or later, RFC 3339.
    from: Option<String>,
    /// Before this time, RFC 3339.
    to: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most rows of the page, 1 to 200; 50 when left out.
    limit: Option<String>,
}

/// Which rows are taken along.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditExportQuery {
    /// Done by this member, by number.
    actor: Option<String>,
    /// Actions that begin so.
    action: Option<String>,
    /// Done to this.
    subject: Option<String>,
    /// At this time or later, RFC 3339.
    from: Option<String>,
    /// Before this time, RFC 3339.
    to: Option<String>,
    /// Only rows behind this number.
    after: Option<String>,
}

/// Against which head the chain is verified.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyQuery {
    /// A signed head, as the daily mail has it; left out: the chain alone.
    head: Option<String>,
}

/// A row of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditRowReply {
    /// Its number.
    audit_id: i64,
    /// When, RFC 3339.
    at: String,
    /// Who; `null` for the program itself and for the command line.
    actor_id: Option<i64>,
    /// Their student id, as it is now.
    actor_student_id: Option<String>,
    /// Their name, as it is now.
    actor_name: Option<String>,
    /// What, as `rental.confirm`.
    action: String,
    /// To what, as `locker:101`.
    subject: String,
    /// What else matters.
    #[schema(value_type = Object)]
    detail: Value,
    /// Its link of the chain, 64 hex digits.
    hash: String,
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditListReply {
    /// Newest first.
    rows: Vec<AuditRowReply>,
    /// Send it as `cursor` to go on; `null` when all rows were looked at. One look goes over 50,000
    /// rows at most, so a page may be short or empty and still not the last.
    next_cursor: Option<String>,
}

/// The newest head of the chain, signed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditHeadReply {
    /// How many rows there are.
    rows: i64,
    /// The newest row's link, 64 hex digits.
    hash: String,
    /// Both, signed: 210 hex digits. Kept elsewhere it proves later that no row was changed.
    head: String,
    /// The Ed25519 key to check the signature with, 64 hex digits.
    public_key: String,
}

/// The first row that is not as it was written.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BadRowReply {
    /// Its number, as it stands there.
    audit_id: i64,
    /// Its time, if it can be read, RFC 3339.
    at: Option<String>,
    /// Its action, if it can be read.
    action: Option<String>,
    /// What is wrong.
    reason: String,
}

/// What verifying the chain found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditVerifyReply {
    /// Whether every row is as it was written.
    intact: bool,
    /// How many rows there are; `null` when the chain is broken.
    rows: Option<i64>,
    /// The newest row's link, 64 hex digits.
    hash: Option<String>,
    /// The first row that is not as it was written.
    bad_row: Option<BadRowReply>,
}

impl From<AuditRow> for AuditRowReply {
    fn from(row: AuditRow) -> Self {
        let (actor_name, actor_student_id) = row.actor_name.unzip();
        Self {
            audit_id: row.id,
            at: time(row.at_ms),
            actor_id: row.actor.map(|id| id.0),
            actor_student_id,
            actor_name,
            action: row.action,
            subject: row.subject,
            // A row that somebody tampered with is shown as it is.
            detail: serde_json::from_str(&row.detail).unwrap_or(Value::String(row.detail)),
            hash: data_encoding::HEXLOWER.encode(&row.hash),
        }
    }
}

impl From<SignedHead> for AuditHeadReply {
    fn from(signed: SignedHead) -> Self {
        Self {
            rows: signed.head.rows,
            hash: data_encoding::HEXLOWER.encode(&signed.head.hash),
            head: signed.hex,
            public_key: signed.public_key.to_hex(),
        }
    }
}

impl From<BadRow> for BadRowReply {
    fn from(bad: BadRow) -> Self {
        let reason = why(&bad);
        Self { audit_id: bad.id, at: bad.at_ms.map(time), action: bad.action, reason }
    }
}

impl From<Verdict> for AuditVerifyReply {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Intact(head) => Self {
                intact: true,
                rows: Some(head.rows),
                hash: Some(data_encoding::HEXLOWER.encode(&head.hash)),
                bad_row: None,
            },
            Verdict::Broken(bad) => {
                Self { intact: false, rows: None, hash: None, bad_row: Some(bad.into()) }
            }
        }
    }
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

pub(super) fn routes(api: &Api) -> Routes {
    list(api).or_route(latest(api)).or_route(verify(api)).or_route(export(api)).or_route(find(api))
}

fn read_filter(
    actor: Option<&str>,
    action: Option<String>,
    subject: Option<String>,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<AuditFilter, Problem> {
    for (name, text) in [("action", &action), ("subject", &subject)] {
        if text.as_ref().is_some_and(|text| text.len() > TEXT_BYTES_MAX) {
            return Err(page::wrong(name, "at most 100 bytes long"));
        }
    }
    let moment = |text, name| -> Result<Option<i64>, Problem> {
        let at: Option<Timestamp> = page::value(text, name, "a time like 2026-09-01T10:00:00Z")?;
        Ok(at.map(Timestamp::as_millisecond))
    };
    Ok(AuditFilter {
        actor: page::value(actor, "actor", "a number")?.map(MemberId),
        action,
        subject,
        from_ms: moment(from, "from")?,
        to_ms: moment(to, "to")?,
    })
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "audit")
        .and(warp::get())
        .and(warp::query::<AuditQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Who did what, newest first. For admins.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit",
    params(
        ("actor" = Option<i64>, Query, description = "done by this member"),
        ("action" = Option<String>, Query, description = "actions that begin so"),
        ("subject" = Option<String>, Query, description = "done to this, as locker:101"),
        ("from" = Option<String>, Query, description = "then or later, RFC 3339"),
        ("to" = Option<String>, Query, description = "before then, RFC 3339"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 200; 50 when left out"),
    ),
    responses(
        (status = 200, body = AuditListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: AuditQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let (actor, from, to) = (query.actor.as_deref(), query.from.as_deref(), query.to.as_deref());
    let filter = read_filter(actor, query.action, query.subject, from, to)?;
    let before = page::cursor(query.cursor.as_deref())?;
    let limit = page::limit_up_to(query.limit.as_deref(), PAGE_MAX)?;
    let found = api.services().audit_rows(caller, filter, before, limit).await?;
    Ok(warp::reply::json(&AuditListReply {
        rows: found.rows.into_iter().map(Into::into).collect(),
        next_cursor: found.reached.map(|id| id.to_string()),
    })
    .into_response())
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "audit" / i64)
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// One row of the audit log. For admins.
#[utoipa::path(
    get, path = "/api/v1/audit/{audit_id}", tag = "audit", params(("audit_id" = i64, Path)),
    responses(
        (status = 200, body = AuditRowReply), (status = 401), (status = 403), (status = 404),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(id: i64, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let row: AuditRowReply = api.services().audit_row(caller, id).await?.into();
    Ok(warp::reply::json(&row).into_response())
}

fn latest(api: &Api) -> Routes {
    path!("api" / "v1" / "audit" / "head")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_head)
}

/// The newest head of the chain, signed, to be kept elsewhere. For admins.
#[utoipa::path(
    get, path = "/api/v1/audit/head", tag = "audit",
    responses((status = 200, body = AuditHeadReply), (status = 401), (status = 403)),
    security(("bearer" = []))
)]
pub(super) async fn handle_head(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let signed: AuditHeadReply = api.services().audit_head(caller).await?.into();
    Ok(warp::reply::json(&signed).into_response())
}

fn verify(api: &Api) -> Routes {
    path!("api" / "v1" / "audit" / "verify")
        .and(warp::get())
        .and(warp::query::<VerifyQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_verify)
}

/// Walk the whole chain and name the first row that is not as it was written. For admins.
///
/// Without a `head` that was kept elsewhere it cannot be seen that the newest rows were cut off or
/// written anew. 422 for a head that this site has not signed.
#[utoipa::path(
    get, path = "/api/v1/audit/verify", tag = "audit",
    params(("head" = Option<String>, Query, description = "a signed head, 210 hex digits")),
    responses(
        (status = 200, body = AuditVerifyReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_verify(
    query: VerifyQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let verdict = api.services().verify_audit(caller, query.head.as_deref()).await?;
    Ok(warp::reply::json(&AuditVerifyReply::from(verdict)).into_response())
}

fn export(api: &Api) -> Routes {
    path!("api" / "v1" / "audit" / "export")
        .and(warp::get())
        .and(warp::query::<AuditExportQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_export)
}

/// Rows as a table for a spreadsheet, oldest first. For admins; noted in the log itself.
///
/// CSV in UTF-8 with a byte order mark, at most 20,000 rows. If there is more, the header `Link` has
/// the address of the rest.
#[utoipa::path(
    get, path = "/api/v1/audit/export", tag = "audit",
    params(
        ("actor" = Option<i64>, Query, description = "done by this member"),
        ("action" = Option<String>, Query, description = "actions that begin so"),
        ("subject" = Option<String>, Query, description = "done to this, as locker:101"),
        ("from" = Option<String>, Query, description = "then or later, RFC 3339"),
        ("to" = Option<String>, Query, description = "before then, RFC 3339"),
        ("after" = Option<i64>, Query, description = "only rows behind this number"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_export(
    query: AuditExportQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let (actor, from, to) = (query.actor.as_deref(), query.from.as_deref(), query.to.as_deref());
    let filter = read_filter(actor, query.action.clone(), query.subject.clone(), from, to)?;
    let after = page::value(query.after.as_deref(), "after", "a number")?.unwrap_or(0);
    let export = api.services().export_audit(caller, filter, after).await?;
    let mut response = Response::new(export.csv.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let name = HeaderValue::from_static("attachment; filename=\"audit.csv\"");
    headers.insert(CONTENT_DISPOSITION, name);
    if let Some(next) = export.next
        && let Ok(link) = HeaderValue::from_str(&query.link_behind(next))
    {
        headers.insert(LINK, link);
    }
    Ok(response)
}

impl AuditExportQuery {
    /// The same question for what is behind a row, as a Link header (RFC 8288).
    fn link_behind(&self, row: i64) -> String {
        let mut link = format!("</api/v1/audit/export?after={row}");
        for (name, value) in [
            ("actor", &self.actor),
            ("action", &self.action),
            ("subject", &self.subject),
            ("from", &self.from),
            ("to", &self.to),
        ] {
            for byte in value.iter().flat_map(|value| {
                std::iter::once(format!("&{name}=")).chain(value.bytes().map(escaped))
            }) {
                link.push_str(&byte);
            }
        }
        link + ">; rel=\"next\""
    }
}

/// A byte of a value as a URL has it (RFC 3986 §2.3 names what stays).
fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_to_the_rest_asks_the_same_question() {
        let query = AuditExportQuery {
            action: Some("mail.".to_owned()),
            subject: Some("locker:1 가>".to_owned()),
            ..AuditExportQuery::default()
        };
        assert_eq!(
            query.link_behind(7),
            "</api/v1/audit/export?after=7&action=mail.&subject=locker%3A1%20%EA%B0%80%3E>; \
             rel=\"next\""
        );
    }
}
