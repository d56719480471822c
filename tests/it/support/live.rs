//! A live socket from the client's side: blocking, every message as JSON.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::HandshakeError;
use tungstenite::http::StatusCode;
use tungstenite::{Error, Message, WebSocket};

use super::PATIENCE;
use super::http::Client;

/// An open socket.
pub struct Socket(WebSocket<TcpStream>);

/// What ended a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// With a code.
    With(u16),
    /// Without a word.
    Silently,
}

impl Socket {
    /// Opens a socket; the status when that is refused.
    pub fn try_open(address: SocketAddr, origin: Option<&str>) -> Result<Self, StatusCode> {
        let mut request =
            format!("ws://{address}/api/v1/ws").into_client_request().expect("a request");
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().expect("a header"));
        }
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status()),
            Err(error) => panic!("no socket and no answer: {error}"),
        }
    }

    /// Opens a socket.
    #[track_caller]
    pub fn open(address: SocketAddr) -> Self {
        Self::try_open(address, None).expect("a socket")
    }

    /// Opens a socket and listens to these topics; with what was said to it, `hello` first.
    #[track_caller]
    pub fn listen(who: &Client, topics: &Value) -> (Self, Value) {
        let mut socket = Self::open(who.address);
        socket.say(&json!({ "type": "auth", "token": who.token, "topics": topics }));
        let hello = socket.message();
        assert_eq!(hello["type"], "hello", "{hello}");
        (socket, hello)
    }

    /// Comes back to where it was.
    #[track_caller]
    pub fn resume(who: &Client, topics: &Value, session: &Value, version: u64) -> (Self, Value) {
        let mut socket = Self::open(who.address);
        socket.say(&json!({
            "type": "auth", "token": who.token, "topics": topics,
            "resume": { "session": session, "version": version },
        }));
        let hello = socket.message();
        assert_eq!(hello["type"], "hello", "{hello}");
        (socket, hello)
    }

    /// Says something.
    #[track_caller]
    pub fn say(&mut self, what: &Value) {
        self.say_text(&what.to_string());
    }

    /// Says something that may be no JSON.
    #[track_caller]
    pub fn say_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).expect("it takes a message");
    }

    /// Says something in bytes.
    #[track_caller]
    pub fn say_bytes(&mut self, bytes: &'static [u8]) {
        self.0.send(Message::binary(bytes)).expect("it takes a message");
    }

    /// The next message, or how the socket ended.
    #[track_caller]
    pub fn next(&mut self) -> Result<Value, Closed> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Pings come in between for ever.
            assert!(Instant::now() < deadline, "nothing came within {PATIENCE:?}");
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Close(frame)) => {
                    let code = frame.map_or(1005, |frame| frame.code.into());
                    // The answer to the close goes out with the next reads.
                    while self.0.read().is_ok() {}
                    return Err(Closed::With(code));
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("nothing came within {PATIENCE:?}")
                }
                Err(_) => return Err(Closed::Silently),
            }
        }
    }

    /// The next message.
    #[track_caller]
    pub fn message(&mut self) -> Value {
        match self.next() {
            Ok(message) => message,
            Err(closed) => panic!("the socket ended: {closed:?}"),
        }
    }

    /// Reads until it is closed; with which code.
    #[track_caller]
    pub fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next() {
                return closed;
            }
        }
    }

    /// Whether nothing comes for a while.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        self.0.get_ref().set_read_timeout(Some(time)).expect("settable");
        let read = self.0.read();
        self.0.get_ref().set_read_timeout(Some(PATIENCE)).expect("settable");
        matches!(read, Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Says something to a server that may be gone, without reading anything.
    pub fn try_say(&mut self, what: &Value) -> bool {
        self.0.send(Message::text(what.to_string())).is_ok()
    }

    /// The bare connection, for clients that do not read.
    pub fn wire(&self) -> &TcpStream {
        self.0.get_ref()
    }
}

/// Every message up to the first that satisfies.
#[track_caller]
pub fn heard(socket: &mut Socket, enough: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut messages = Vec::new();
    loop {
        let message = socket.message();
        let done = enough(&message);
        messages.push(message);
        if done {
            return messages;
        }
    }
}

/// What was said of a topic in these messages, oldest first.
pub fn items<'a>(messages: &'a [Value], topic: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    for message in messages {
        if message["type"] == "snapshot" && message["topic"] == topic {
            let groups = message["groups"].as_array().expect("groups");
            found.extend(groups.iter().flat_map(|it| it["items"].as_array().expect("items")));
        }
        for change in message["changes"].as_array().unwrap_or(&Vec::new()) {
            if change["topic"] == topic {
                let of = message["changes"].as_array().expect("changes").iter();
                let of = of.filter(|it| it["topic"] == topic && *it == change);
                found.extend(of.flat_map(|it| it["items"].as_array().expect("items")));
            }
        }
    }
    found
}
