//! `/api/v1/keys`: the keys that sign access tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, Routes, with};

/// How keys are rotated.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RotateBody {
    /// True, for a key that was stolen: every access token that is out is dead at once. Clients
    /// refresh and go on.
    at_once: bool,
}

/// What a rotation led to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RotatedReply {
    /// The name of the key that signs from now on (`kid` in the tokens).
    key_id: String,
    /// Until when tokens of the key before are good, RFC 3339; `null`: not any more.
    previous_until: Option<String>,
}

/// Below `keys`.
pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "keys" / "rotate")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_rotate)
}

/// Sign access tokens with a new key from now on.
///
/// Log-ins go on. The key before is believed until the tokens that it signed are dead.
#[utoipa::path(
    post, path = "/api/v1/keys/rotate", tag = "keys", request_body = Option<RotateBody>,
    responses(
        (status = 200, body = RotatedReply), (status = 400), (status = 401), (status = 403),
        (status = 409), (status = 413), (status = 415), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_rotate(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let RotateBody { at_once } = body.json_if_any(&head).await?;
    let rotated = api.services().rotate_keys(Some(caller), at_once).await?;
    Ok(warp::reply::json(&RotatedReply {
        key_id: rotated.key_id,
        previous_until: rotated.previous_until.map(|until| until.to_string()),
    })
    .into_response())
}
