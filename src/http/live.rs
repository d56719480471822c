//! `/api/v1/ws`: the live socket (docs/ref/live.md). The first message says who listens to what;
//! then come `hello`, snapshots and deltas.
//!
//! This room lets sockets in and out: the origin, a place among [`super::HttpSettings::sockets_max`],
//! the deadline of the first message, the close code. [`said`] reads what clients say, [`conversation`]
//! goes on from `hello`. What is told, and to whom, is decided in `service/live.rs`; which role may
//! ask for which topic stands in [`super::access::TOPICS`].

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use warp::http::header::{HOST, ORIGIN};
use warp::reply::Response;
use warp::ws::{Message, WebSocket, Ws};
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::service::error::{Code, Error};
use crate::service::live::Resume;

mod conversation;
mod said;

use conversation::{Conversation, left_ms};
use said::{End, Said, Wanted, read};

/// The version of the protocol that `hello` names.
const PROTOCOL: u32 = 1;
/// How long a client may take to say who it is.
const AUTH_TIMEOUT: Duration = Duration::from_secs(5);
/// A longer message of a client ends its socket.
const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// How long a closing may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// When clients may come back after a stop: spread, so that they do not come all at once.
const RETRY_MS_MIN: u64 = 1_000;
const RETRY_MS_SPREAD: u64 = 3_000;

pub(super) fn routes(api: &Api) -> Routes {
    let socket = path!("api" / "v1" / "ws")
        .and(warp::ws())
        .and(head())
        .and(with(api))
        .then(handle_socket)
        .map(Reply::into_response)
        .boxed();
    let plain = path!("api" / "v1" / "ws").and(warp::get()).map(|| {
        let detail = "this address speaks WebSocket only (version 13): see docs/ref/live.md";
        Problem::new(Code::UpgradeRequired, detail).into_response()
    });
    socket.or_route(plain.boxed())
}

/// The live socket.
///
/// A WebSocket. The first message must be `auth` with an access token and topics; see the guide to
/// the live socket for every message.
#[utoipa::path(
    get, path = "/api/v1/ws", tag = "live",
    responses(
        (status = 101, description = "The socket is open."), (status = 403), (status = 426),
        (status = 503),
    )
)]
pub(super) async fn handle_socket(ws: Ws, head: Head, api: Api) -> Result<Response, Problem> {
    if !head.is_of_this_site() {
        let detail = "pages of other sites may not listen here";
        return Err(Problem::new(Code::ForeignOrigin, detail));
    }
    let Ok(place) = api.0.sockets.clone().try_acquire_owned() else {
        let full = Error::new(Code::Overloaded, "too many live sockets: try again in a moment");
        return Err(full.retry_after_ms(RETRY_MS_MIN + RETRY_MS_SPREAD).into());
    };
    let tracker = api.services().tracker.clone();
    let ws = ws.max_message_size(MESSAGE_BYTES_MAX).max_frame_size(MESSAGE_BYTES_MAX);
    let serve = move |socket| tracker.track_future(serve(socket, api, place));
    Ok(ws.on_upgrade(serve).into_response())
}

impl Head {
    /// Whether a browser says that a page of this very host opened the socket. Programs say nothing.
    fn is_of_this_site(&self) -> bool {
        let Some(origin) = self.header(ORIGIN) else { return true };
        let host = self.header(HOST).and_then(|host| host.to_str().ok());
        let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        match (authority, host) {
            (Some((_, authority)), Some(host)) => authority.eq_ignore_ascii_case(host),
            _ => false,
        }
    }
}

async fn serve(mut socket: WebSocket, api: Api, place: OwnedSemaphorePermit) {
    let end = match greet(&mut socket, &api).await {
        Ok(conversation) => conversation.run(&mut socket).await,
        Err(end) => end,
    };
    tracing::debug!(area = "http", ?end, "a live socket ended");
    if let Some((code, reason)) = end.close() {
        let parting = async {
            if end == End::Stopping {
                let bye = json!({ "type": "bye", "retry_after_ms": retry_after_ms() });
                let _ = socket.send(Message::text(bye.to_string())).await;
            }
            let _ = socket.send(Message::close_with(code, reason)).await;
            // The client's own close comes back; without waiting for it the last words may be lost.
            while let Some(Ok(_)) = socket.next().await {}
        };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, parting).await;
    }
    drop(place);
}

fn retry_after_ms() -> u64 {
    // Without randomness all come back at once; that is served, too.
    let drawn = getrandom::u32().unwrap_or_default();
    RETRY_MS_MIN + u64::from(drawn) % RETRY_MS_SPREAD
}

/// Hears who it is and answers `hello`.
async fn greet(socket: &mut WebSocket, api: &Api) -> Result<Conversation, End> {
    let stopping = api.services().stopping.clone();
    let first = tokio::select! {
        first = tokio::time::timeout(AUTH_TIMEOUT, first_words(socket)) => first,
        () = stopping.cancelled() => return Err(End::Stopping),
    };
    let Said::Auth { token, topics, resume } = first.map_err(|_| End::AuthLate)??;
    let services = api.services();
    let (caller, until) = services.authenticate_until(&token).map_err(|_| End::NotAuthenticated)?;
    let asked = Wanted::new(caller, topics.unwrap_or_default())?;
    let mut listener =
        services.listen(caller, asked.wishes.clone()).map_err(|_| End::TooManySockets)?;
    let resume = resume.map(|it| Resume { session: it.session, version: it.version });
    let resumed = resume.is_some_and(|resume| listener.resume(&resume));
    let hello = json!({
        "type": "hello",
        "protocol": PROTOCOL,
        "session": services.live.session(),
        "version": listener.version(),
        "resumed": resumed,
        "topics": asked.granted(),
        "refused": asked.refused,
        "server_time": services.clock.now(),
        "token_ends_in_ms": left_ms(until, services.clock.now()),
    });
    let mut conversation = Conversation::new(api.clone(), caller, until, listener, resumed);
    conversation.send(socket, hello.to_string()).await?;
    Ok(conversation)
}

async fn first_words(socket: &mut WebSocket) -> Result<Said, End> {
    loop {
        if let Some(said) = read(socket.next().await)? {
            return Ok(said);
        }
    }
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderMap;

    use super::*;

    #[test]
    fn only_pages_of_this_host_and_programs_may_listen() {
        let head = |origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "lockers.example:3000".parse().expect("a header"));
            if !origin.is_empty() {
                headers.insert(ORIGIN, origin.parse().expect("a header"));
            }
            Head::of(headers)
        };
        for origin in ["", "http://lockers.example:3000", "https://LOCKERS.example:3000"] {
            assert!(head(origin).is_of_this_site(), "{origin}");
        }
        for origin in ["null", "http://lockers.example", "http://evil.example:3000", "x"] {
            assert!(!head(origin).is_of_this_site(), "{origin}");
        }
    }
}
