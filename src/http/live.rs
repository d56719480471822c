//! `/api/v1/ws`: the live socket (docs/ref/live.md). The first message says who listens to what;
//! then come `hello`, snapshots and deltas.
//!
//! This room lets sockets in and out: the origin, a place among [`super::HttpSettings::sockets_max`],
//! the deadline of the first message, the close code. [`said`] reads what clients say, [`conversation`]
//! goes on from `hello`. What is told, and to whom, is decided in `service/live.rs`; which role may
//! ask for which topic stands in [`super::access::TOPICS`].

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use warp::http::StatusCode;
use warp::http::header::{
    CONNECTION, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::browser::OwnSite;
use super::extract::{Head, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, Routes, with};
use crate::service::error::{Code, Error};
use crate::service::live::Resume;

mod conversation;
mod said;

use conversation::{Conversation, left_ms};
use said::{End, Said, Wanted, read};

/// An open socket.
type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The version of the protocol that `hello` names.
const PROTOCOL: u32 = 1;
/// How long a client may take to say who it is.
const AUTH_TIMEOUT: Duration = Duration::from_secs(5);
/// A longer message of a client ends its socket.
const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// What a socket reads and writes at once; the library's own 128 KiB each would be most of what a
/// socket costs.
const BUFFER_BYTES: usize = 4 << 10;
/// How long a closing may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// When clients may come back after a stop: spread, so that they do not come all at once.
const RETRY_MS_MIN: u64 = 1_000;
const RETRY_MS_SPREAD: u64 = 3_000;

pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "ws")
        .and(warp::get())
        .and(head())
        .and(warp::ext::optional::<OnUpgrade>())
        .and(with(api))
        .handled_by(handle_socket)
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
pub(super) async fn handle_socket(
    head: Head,
    upgrade: Option<OnUpgrade>,
    api: Api,
) -> Result<Response, Problem> {
    let (Some(accept), Some(upgrade)) = (head.websocket_accept(), upgrade) else {
        let detail = "this address speaks WebSocket only (version 13): see docs/ref/live.md";
        return Err(Problem::new(Code::UpgradeRequired, detail));
    };
    if !head.is_of_this_site(api.own_site()) {
        let detail = "pages of other sites may not listen here";
        return Err(Problem::new(Code::ForeignOrigin, detail));
    }
    let Ok(place) = api.parts().sockets.clone().try_acquire_owned() else {
        let full = Error::new(Code::Overloaded, "too many live sockets: try again in a moment");
        return Err(full.retry_after_ms(RETRY_MS_MIN + RETRY_MS_SPREAD).into());
    };
    let tracker = api.services().tracker.clone();
    tracker.spawn(async move {
        match upgrade.await {
            Ok(upgraded) => {
                let stream = TokioIo::new(upgraded);
                let config = Some(socket_config());
                let socket = WebSocketStream::from_raw_socket(stream, Role::Server, config).await;
                serve(socket, api, place).await;
            }
            Err(error) => tracing::debug!(area = "http", %error, "a live socket did not open"),
        }
    });
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

/// Small buffers: clients say little, and there are many of them.
fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
}

impl Head {
    /// The answer to a client that asks for a WebSocket (RFC 6455 §4.2); `None` for any other
    /// request.
    fn websocket_accept(&self) -> Option<HeaderValue> {
        let says = |name, wanted: &str| {
            let value = self.header(name).and_then(|value| value.to_str().ok())?;
            value.split(',').any(|part| part.trim().eq_ignore_ascii_case(wanted)).then_some(())
        };
        says(CONNECTION, "upgrade")?;
        says(UPGRADE, "websocket")?;
        says(SEC_WEBSOCKET_VERSION, "13")?;
        let key = self.header(SEC_WEBSOCKET_KEY)?;
        HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok()
    }

    /// Whether a browser says that a page of this very host opened the socket. Programs say nothing.
    fn is_of_this_site(&self, site: OwnSite<'_>) -> bool {
        let Some(origin) = self.header(ORIGIN) else { return true };
        let is_own = |origin| self.names_this_host(origin) || site.public_origin == Some(origin);
        origin.to_str().is_ok_and(is_own)
    }
}

async fn serve(mut socket: Socket, api: Api, place: OwnedSemaphorePermit) {
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
            let _ = socket
                .send(Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() })))
                .await;
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
async fn greet(socket: &mut Socket, api: &Api) -> Result<Conversation, End> {
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

async fn first_words(socket: &mut Socket) -> Result<Said, End> {
    loop {
        if let Some(said) = read(socket.next().await)? {
            return Ok(said);
        }
    }
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderMap;
    use warp::http::header::HOST;

    use super::*;
    use crate::http::extract::ProxyRule;

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
        let public_origin = Some("https://lockers.ac.kr");
        let site = OwnSite { public_origin, proxies: ProxyRule(&[]) };
        for origin in [
            "",
            "https://lockers.ac.kr",
            "http://lockers.example:3000",
            "https://LOCKERS.example:3000",
        ] {
            assert!(head(origin).is_of_this_site(site), "{origin}");
        }
        for origin in ["null", "http://lockers.example", "http://evil.example:3000", "x"] {
            assert!(!head(origin).is_of_this_site(site), "{origin}");
        }
    }
}
