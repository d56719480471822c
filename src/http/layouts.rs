//! `/api/v1/banks/{bank_id}/layout`: a bank's lockers with their wires as one file, out and in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::domain::id::BankId;
use crate::service::commissioning::demand_admin;
use crate::service::error::Code;
use crate::service::layout::LayoutFormat;

/// Largest layout in bytes: twenty thousand lockers of a hundred bytes.
const LAYOUT_BYTES_MAX: usize = 2 << 20;

/// In which form.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormatQuery {
    format: Option<String>,
}

impl FormatQuery {
    fn format(&self) -> Result<LayoutFormat, Problem> {
        let text = self.format.as_deref().unwrap_or("toml");
        text.parse().map_err(|why: String| Problem::new(Code::Invalid, why))
    }
}

/// What a layout made or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TakenReply {
    /// Banks.
    banks: usize,
    /// Lockers.
    lockers: usize,
}

pub(super) fn routes(api: &Api) -> Routes {
    let export = path!("api" / "v1" / "banks" / BankId / "layout")
        .and(warp::get())
        .and(warp::query::<FormatQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_export);
    let import = path!("api" / "v1" / "banks" / BankId / "layout")
        .and(warp::put())
        .and(warp::query::<FormatQuery>())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_import);
    export.or_route(import)
}

/// The layout of a bank as a site file (toml) or a table (csv). For its staff.
#[utoipa::path(
    get, path = "/api/v1/banks/{bank_id}/layout", tag = "commissioning",
    params(("bank_id" = i64, Path), ("format" = Option<String>, Query, description = "toml or csv")),
    responses(
        (status = 200, body = String, content_type = "application/toml"), (status = 401),
        (status = 403), (status = 404), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_export(
    id: BankId,
    query: FormatQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let format = query.format()?;
    let text = format.write(&api.services().bank_layout(caller, id)?)?;
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    let content_type = match format {
        LayoutFormat::Toml => "application/toml; charset=utf-8",
        LayoutFormat::Csv => "text/csv; charset=utf-8",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    let name = format!("attachment; filename=\"bank-{id}.{}\"", format.name());
    if let Ok(value) = HeaderValue::from_str(&name) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Change a bank to a layout, all or nothing. For admins.
///
/// Lockers that it names are made or changed; those that it does not name stay as they are. The body is
/// the file, as `application/toml` or `text/csv`.
#[utoipa::path(
    put, path = "/api/v1/banks/{bank_id}/layout", tag = "commissioning",
    params(("bank_id" = i64, Path), ("format" = Option<String>, Query, description = "toml or csv")),
    request_body(content = String, content_type = "application/toml"),
    responses(
        (status = 200, body = TakenReply), (status = 401), (status = 403), (status = 404),
        (status = 408), (status = 411), (status = 413), (status = 415), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_import(
    id: BankId,
    query: FormatQuery,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let format = query.format()?;
    let media_type = match format {
        LayoutFormat::Toml => "application/toml",
        LayoutFormat::Csv => "text/csv",
    };
    let text = body.text_up_to(&head, media_type, LAYOUT_BYTES_MAX).await?;
    let taken = api.services().put_bank_layout(caller, id, format, &text).await?;
    let taken = TakenReply { banks: taken.banks, lockers: taken.lockers };
    Ok(warp::reply::json(&taken).into_response())
}
