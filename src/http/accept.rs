//! The accept loop: connections with a cap, timeouts and an orderly end.
//!
//! HTTP/1.1 only. A connection that is silent, or sends half a header, or is idle between requests
//! is closed after [`Limits::header_timeout`], one that takes nothing of its answer after
//! [`Limits::write_timeout`]; bodies have their own limit in `extract`. On stop
//! no new connection is accepted, idle ones close, and requests under way may finish until
//! [`Limits::drain`] is over.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

/// Where a request came from; travels as a request extension.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// How much and how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most connections at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// Longest wait for a whole request head; also how long an idle connection is kept.
    pub header_timeout: Duration,
    /// How long a client may take nothing of an answer before it is cut off.
    pub write_timeout: Duration,
    /// Largest request head in bytes.
    pub header_bytes_max: usize,
    /// How long requests under way may take to finish on stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            header_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(10),
            header_bytes_max: 16 << 10,
            drain: Duration::from_secs(2),
        }
    }
}

/// How long to wait after the system had no file descriptor or memory for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Binds the address; the error is one line that names it.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there: stop it or choose another address (http.listen)"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege: use a higher one"
            }
            _ => "check the address",
        };
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}; {hint}"))
    })
}

/// How often the accept loop shows that it is alive.
const BEAT_PERIOD: Duration = Duration::from_secs(1);

/// A bound server.
pub struct Server {
    listener: TcpListener,
    limits: Limits,
    beats: Arc<AtomicU64>,
}

impl Server {
    /// Takes over a bound listener.
    #[must_use]
    pub fn new(listener: TcpListener, limits: Limits) -> Self {
        Self { listener, limits, beats: Arc::default() }
    }

    /// A number that grows every second while the accept loop is alive.
    #[must_use]
    pub fn beats(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.beats)
    }

    /// Serves until `stop`, then drains. `service` is cloned for each connection.
    pub async fn run<S, B>(self, service: S, stop: CancellationToken)
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let permits = Arc::new(Semaphore::new(self.limits.connections_max));
        let connections = TaskTracker::new();
        let mut beat = tokio::time::interval(BEAT_PERIOD);
        loop {
            let next = async {
                // A permit first: what cannot be served stays in the kernel's queue.
                let permit = permits.clone().acquire_owned().await;
                (permit, self.listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                () = stop.cancelled() => break,
                _ = beat.tick() => {
                    self.beats.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                next = next => next,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let served =
                        connection(stream, peer, service.clone(), self.limits, stop.clone());
                    connections.spawn(async move {
                        served.await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(area = "http", %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.listener);
        connections.close();
        if tokio::time::timeout(self.limits.drain, connections.wait()).await.is_err() {
            tracing::warn!(area = "http", open = connections.len(), "connections were cut off");
        }
    }
}

async fn connection<S, B>(
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
    limits: Limits,
    stop: CancellationToken,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Answers are small and whole: waiting to fill a packet only adds delay.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes_max);
    let service = TowerToHyperService::new(WithPeer { service, peer: Peer(peer) });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write_timeout));
    let stream = TokioIo::new(Box::pin(stream));
    let mut serving = pin!(builder.serve_connection(stream, service).with_upgrades());
    let mut told = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(area = "http", %peer, %error, "a connection ended early");
                }
                return;
            }
            () = stop.cancelled(), if !told => {
                told = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Tells each request where it came from.
#[derive(Clone)]
struct WithPeer<S> {
    service: S,
    peer: Peer,
}

impl<S, B> Service<Request<B>> for WithPeer<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.service.call(request)
    }
}
