//! A live socket from `hello` on: snapshots, deltas, pings, renewals, and whatever ends it.
//!
//! Nothing is queued: one message is on its way at a time, and while a slow client takes it, news
//! gather in the shared stream. The end of a token, of a log-in or of the program is noticed also
//! then.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Socket;
use super::said::{End, Said, Wanted, read};
use crate::http::Api;
use crate::service::live::{Listener, News};
use crate::service::tokens::Caller;

/// Most messages of a client within [`MESSAGES_WINDOW`]; each may cost a set of snapshots.
const MESSAGES_MAX: usize = 20;
const MESSAGES_WINDOW: Duration = Duration::from_secs(10);
/// How often a client is asked whether it is there, and how long it may take to say so.
const PING_PERIOD: Duration = Duration::from_secs(20);
const PONG_TIMEOUT: Duration = Duration::from_secs(20);
/// How long before its end a client is asked for a new token.
const REAUTH_AHEAD_MS: i64 = 30_000;
/// How often the end of a token or a log-in is looked for.
const LOOK_PERIOD: Duration = Duration::from_millis(500);

pub(super) fn left_ms(until: Timestamp, now: Timestamp) -> i64 {
    (until.as_millisecond() - now.as_millisecond()).max(0)
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
pub(super) struct Conversation {
    listener: Listener,
    watch: Watch,
    ticks: Interval,
    snapshots_due: bool,
    /// When its last messages came.
    heard: Vec<Instant>,
}

impl Conversation {
    pub(super) fn new(
        api: Api,
        caller: Caller,
        until: Timestamp,
        listener: Listener,
        resumed: bool,
    ) -> Self {
        let mut ticks = tokio::time::interval(LOOK_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (reauth_said, unanswered) = (false, false);
        let watch = Watch { api, caller, until, reauth_said, pinged: Instant::now(), unanswered };
        Self { listener, watch, ticks, snapshots_due: !resumed, heard: Vec::new() }
    }

    pub(super) async fn run(mut self, socket: &mut Socket) -> End {
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
        socket: &mut Socket,
        incoming: Option<Result<Message, Error>>,
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

    async fn look(&mut self, socket: &mut Socket) -> Result<(), End> {
        self.watch.over()?;
        if self.watch.wants_reauth() {
            let left_ms = left_ms(self.watch.until, self.watch.api.services().clock.now());
            let reauth = json!({ "type": "reauth", "token_ends_in_ms": left_ms });
            self.send(socket, reauth.to_string()).await?;
        }
        if self.watch.wants_ping() {
            self.deliver(socket, Message::Ping(Bytes::new())).await?;
        }
        Ok(())
    }

    /// Shows everything as it is.
    async fn show(&mut self, socket: &mut Socket) -> Result<(), End> {
        self.snapshots_due = false;
        for snapshot in self.listener.snapshots() {
            self.send(socket, snapshot).await?;
        }
        Ok(())
    }

    /// Tells what is new.
    async fn tell(&mut self, socket: &mut Socket) -> Result<(), End> {
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

    pub(super) async fn send(&mut self, socket: &mut Socket, text: String) -> Result<(), End> {
        self.deliver(socket, Message::text(text)).await
    }

    /// Sends one message; a client that takes nothing holds only its own socket up, and not beyond
    /// its rights. The connection itself is cut when nothing is taken at all (`Limits::write_timeout`).
    async fn deliver(&mut self, socket: &mut Socket, message: Message) -> Result<(), End> {
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
