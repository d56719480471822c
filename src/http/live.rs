//! `/api/v1/ws`: the live socket (docs/ref/live.md). The first message says who listens to what;
//! then come `hello`, snapshots and deltas.
//!
//! This room owns the manners of a socket: its place among [`super::HttpSettings::sockets_max`], the
//! deadline of the first message, pings, the end of a token or a log-in, and the orderly end. What is
//! told, and to whom, is decided in `service/live.rs`; which role may ask for which topic stands in
//! [`super::access::TOPICS`].

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior};
use warp::http::header::{HOST, ORIGIN};
use warp::reply::Response;
use warp::ws::{Message, WebSocket, Ws};
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::problem::Problem;
use super::{Api, OrRoute, Routes, access, with};
use crate::domain::id::BankId;
use crate::service::error::{Code, Error};
use crate::service::live::topic::{Topic, Wish};
use crate::service::live::{Listener, News, Resume};
use crate::service::tokens::Caller;

/// The version of the protocol that `hello` names.
const PROTOCOL: u32 = 1;
/// How long a client may take to say who it is.
const AUTH_TIMEOUT: Duration = Duration::from_secs(5);
/// A longer message of a client ends its socket.
const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// Most messages of a client within [`MESSAGES_WINDOW`]; each may cost a set of snapshots.
const MESSAGES_MAX: usize = 20;
const MESSAGES_WINDOW: Duration = Duration::from_secs(10);
/// Most wishes of one client: each topic for a few banks.
const WISHES_MAX: usize = 64;
/// How often a client is asked whether it is there, and how long it may take to say so.
const PING_PERIOD: Duration = Duration::from_secs(20);
const PONG_TIMEOUT: Duration = Duration::from_secs(20);
/// How long before its end a client is asked for a new token.
const REAUTH_AHEAD_MS: i64 = 30_000;
/// How often the end of a token or a log-in is looked for.
const LOOK_PERIOD: Duration = Duration::from_millis(500);
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

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Said {
    /// Who it is; the first message, and again before the token ends.
    Auth {
        token: String,
        /// What it wants to hear; in a later message: from now on, instead.
        topics: Option<Vec<Asked>>,
        /// Where it was when it lost the socket; in the first message only.
        resume: Option<AskedResume>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Asked {
    Topic(String),
    OfBank { topic: String, bank: i64 },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedResume {
    session: String,
    version: u64,
}

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client left, or cannot be reached.
    Gone,
    Stopping,
    BadMessage,
    TooLong,
    NotAuthenticated,
    LoggedOut,
    TokenEnded,
    OtherMember,
    AuthLate,
    Silent,
    TooManySockets,
    TooManyMessages,
}

impl End {
    /// The close code (RFC 6455 §7.4; 4000 and above are ours) and reason; `None` when there is
    /// nobody to tell.
    const fn close(self) -> Option<(u16, &'static str)> {
        Some(match self {
            Self::Gone => return None,
            Self::Stopping => (1001, "the server is stopping"),
            Self::TooLong => (1009, "a message is too long"),
            Self::BadMessage => (4400, "a message could not be read"),
            Self::NotAuthenticated => (4401, "the access token is not good"),
            Self::LoggedOut => (4401, "the log-in has ended"),
            Self::TokenEnded => (4401, "the access token has ended"),
            Self::OtherMember => (4401, "the new token is another member's"),
            Self::AuthLate => (4408, "no auth message came in time"),
            Self::Silent => (4408, "pings were not answered"),
            Self::TooManySockets => (4429, "too many sockets of this account"),
            Self::TooManyMessages => (4429, "too many messages"),
        })
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
    let mut ticks = tokio::time::interval(LOOK_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let api = api.clone();
    let watch =
        Watch { api, caller, until, reauth_said: false, pinged: Instant::now(), unanswered: false };
    let mut conversation =
        Conversation { listener, watch, ticks, snapshots_due: !resumed, heard: Vec::new() };
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

/// Reads what came in; `None` for what the protocol itself sends.
fn read(incoming: Option<Result<Message, warp::Error>>) -> Result<Option<Said>, End> {
    let message = match incoming {
        Some(Ok(message)) => message,
        Some(Err(error)) if is_too_long(&error) => return Err(End::TooLong),
        None | Some(Err(_)) => return Err(End::Gone),
    };
    if message.is_close() {
        return Err(End::Gone);
    }
    if message.is_ping() || message.is_pong() {
        return Ok(None);
    }
    let text = message.to_str().map_err(|()| End::BadMessage)?;
    serde_json::from_str(text).map(Some).map_err(|_| End::BadMessage)
}

/// warp keeps the kind of an error to itself.
fn is_too_long(error: &warp::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.to_string().contains("too long") {
            return true;
        }
        cause = inner.source();
    }
    false
}

fn left_ms(until: Timestamp, now: Timestamp) -> i64 {
    (until.as_millisecond() - now.as_millisecond()).max(0)
}

/// What a client asked for, and what of it it may hear.
struct Wanted {
    wishes: Vec<Wish>,
    refused: Vec<String>,
}

impl Wanted {
    /// Topics that this server does not have are refused like those that the role may not hear: a
    /// newer page still works with an older server.
    fn new(caller: Caller, asked: Vec<Asked>) -> Result<Self, End> {
        if asked.len() > WISHES_MAX {
            return Err(End::BadMessage);
        }
        let mut wanted = Self { wishes: Vec::new(), refused: Vec::new() };
        for asked in asked {
            let (name, bank) = match asked {
                Asked::Topic(name) => (name, None),
                Asked::OfBank { topic, bank } => (topic, Some(BankId(bank))),
            };
            match Topic::from_name(&name) {
                Some(topic) if access::may_hear(caller.role, topic) => {
                    wanted.wishes.push(Wish { topic, bank });
                }
                _ => wanted.refused.push(name),
            }
        }
        Ok(wanted)
    }

    fn granted(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.wishes.iter().map(|wish| wish.topic.name()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// What ends a socket by itself.
struct Watch {
    api: Api,
    caller: Caller,
    until: Timestamp,
    reauth_said: bool,
    pinged: Instant,
    unanswered: bool,
}

impl Watch {
    fn over(&self) -> Result<(), End> {
        let services = self.api.services();
        if services.stopping.is_cancelled() {
            Err(End::Stopping)
        } else if services.store.snapshot().session_ended(self.caller.session_id) {
            Err(End::LoggedOut)
        } else if self.until <= services.clock.now() {
            Err(End::TokenEnded)
        } else if self.unanswered && self.pinged.elapsed() >= PONG_TIMEOUT {
            Err(End::Silent)
        } else {
            Ok(())
        }
    }

    /// Whether it is time to ask for a new token; once for each.
    fn wants_reauth(&mut self) -> bool {
        let due = left_ms(self.until, self.api.services().clock.now()) <= REAUTH_AHEAD_MS;
        due && !std::mem::replace(&mut self.reauth_said, due)
    }

    /// Whether it is time to ask whether the client is there.
    fn wants_ping(&mut self) -> bool {
        let due = !self.unanswered && self.pinged.elapsed() >= PING_PERIOD;
        if due {
            self.pinged = Instant::now();
            self.unanswered = true;
        }
        due
    }
}

/// A client that has said who it is.
struct Conversation {
    listener: Listener,
    watch: Watch,
    ticks: Interval,
    snapshots_due: bool,
    /// When its last messages came.
    heard: Vec<Instant>,
}

impl Conversation {
    async fn run(mut self, socket: &mut WebSocket) -> End {
        let stopping = self.watch.api.services().stopping.clone();
        loop {
            let went = tokio::select! {
                () = stopping.cancelled() => Err(End::Stopping),
                incoming = socket.next() => self.hear(socket, incoming).await,
                _ = self.ticks.tick() => self.look(socket).await,
                () = self.listener.changed(), if !self.snapshots_due => self.tell(socket).await,
                () = std::future::ready(()), if self.snapshots_due => self.show(socket).await,
            };
            if let Err(end) = went {
                return end;
            }
        }
    }

    async fn hear(
        &mut self,
        socket: &mut WebSocket,
        incoming: Option<Result<Message, warp::Error>>,
    ) -> Result<(), End> {
        // Whatever it says shows that it is there.
        self.watch.unanswered = false;
        let Some(Said::Auth { token, topics, resume }) = read(incoming)? else { return Ok(()) };
        let now = Instant::now();
        self.heard.retain(|at| now.duration_since(*at) < MESSAGES_WINDOW);
        self.heard.push(now);
        if self.heard.len() > MESSAGES_MAX {
            return Err(End::TooManyMessages);
        }
        if resume.is_some() {
            return Err(End::BadMessage);
        }
        let services = self.watch.api.services();
        let (caller, until) =
            services.authenticate_until(&token).map_err(|_| End::NotAuthenticated)?;
        if caller.member_id != self.watch.caller.member_id {
            return Err(End::OtherMember);
        }
        self.watch.caller = caller;
        self.watch.until = until;
        self.watch.reauth_said = false;
        self.listener.is_now(caller);
        let mut renewed = json!({
            "type": "renewed",
            "token_ends_in_ms": left_ms(until, services.clock.now()),
        });
        if let Some(topics) = topics {
            let wanted = Wanted::new(caller, topics)?;
            renewed["topics"] = json!(wanted.granted());
            renewed["refused"] = json!(wanted.refused);
            self.listener.wish(wanted.wishes);
            self.snapshots_due = true;
        }
        self.send(socket, renewed.to_string()).await
    }

    async fn look(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        self.watch.over()?;
        if self.watch.wants_reauth() {
            let left_ms = left_ms(self.watch.until, self.watch.api.services().clock.now());
            let reauth = json!({ "type": "reauth", "token_ends_in_ms": left_ms });
            self.send(socket, reauth.to_string()).await?;
        }
        if self.watch.wants_ping() {
            self.deliver(socket, Message::ping("")).await?;
        }
        Ok(())
    }

    /// Shows everything as it is.
    async fn show(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        self.snapshots_due = false;
        for snapshot in self.listener.snapshots() {
            self.send(socket, snapshot).await?;
        }
        Ok(())
    }

    /// Tells what is new.
    async fn tell(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        loop {
            match self.listener.news() {
                News::None => return Ok(()),
                News::Delta(delta) => self.send(socket, delta).await?,
                News::Lost => {
                    self.snapshots_due = true;
                    return self.send(socket, json!({ "type": "resync" }).to_string()).await;
                }
            }
        }
    }

    async fn send(&mut self, socket: &mut WebSocket, text: String) -> Result<(), End> {
        self.deliver(socket, Message::text(text)).await
    }

    /// Sends one message; a client that takes nothing holds only its own socket up, and not beyond
    /// its rights. The connection itself is cut when nothing is taken at all (`Limits::write_timeout`).
    async fn deliver(&mut self, socket: &mut WebSocket, message: Message) -> Result<(), End> {
        let stopping = self.watch.api.services().stopping.clone();
        let mut sending = std::pin::pin!(socket.send(message));
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => return sent.map_err(|_| End::Gone),
                () = stopping.cancelled() => return Err(End::Stopping),
                _ = self.ticks.tick() => self.watch.over()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderMap;

    use super::*;
    use crate::domain::id::{MemberId, SessionId};
    use crate::domain::member::Role;
    use crate::service::tokens::Method;

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

    #[test]
    fn messages_are_read_strictly() {
        let said = |text: &str| serde_json::from_str::<Said>(text);
        let whole = r#"{"type":"auth","token":"t","topics":["lockers",{"topic":"doors","bank":3}],
            "resume":{"session":"s","version":7}}"#;
        assert!(said(whole).is_ok());
        assert!(said(r#"{"type":"auth","token":"t"}"#).is_ok());
        for bad in [
            r#"{"type":"auth"}"#,
            r#"{"type":"else","token":"t"}"#,
            r#"{"type":"auth","token":"t","more":1}"#,
            r#"{"type":"auth","token":"t","topics":[3]}"#,
            "[]",
        ] {
            assert!(said(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_role_may_not_hear_and_what_is_unknown_is_refused_by_name() {
        let caller = |role| Caller {
            member_id: MemberId(1),
            role,
            session_id: SessionId(1),
            method: Method::Password,
        };
        let asked = || {
            let names = ["lockers", "doors", "openings", "health", "weather"];
            names.map(|name| Asked::Topic(name.to_owned())).into_iter().collect()
        };
        let student = Wanted::new(caller(Role::Student), asked()).expect("few");
        assert_eq!(student.granted(), ["lockers", "openings"]);
        assert_eq!(student.refused, ["doors", "health", "weather"]);
        let staff = Wanted::new(caller(Role::Staff), asked()).expect("few");
        assert_eq!(staff.refused, ["weather"]);
        let many = (0..=WISHES_MAX).map(|_| Asked::Topic("lockers".to_owned())).collect();
        assert!(Wanted::new(caller(Role::Admin), many).is_err());
    }
}
