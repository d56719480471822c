//! What the machine could do at most: the same accept loop with nothing behind it.
//!
//! The benchmark starts itself again as a server with [`lockerd::http::Server`] over two tiny warp
//! routes, and drives it with the same client as everything else.

use std::net::SocketAddr;
use std::process::Command;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use lockerd::http::{Limits, Server};
use tokio_util::sync::CancellationToken;
use warp::http::HeaderValue;
use warp::http::header::CONTENT_TYPE;
use warp::reply::Response;
use warp::{Filter, Reply};

use crate::client::request;
use crate::figures::{Kind, Spent, Timings, each, number};
use crate::process::Process;
use crate::run::{Plan, drive};
use crate::server::address;

/// Threads that serve, as many as `lockerd` has by default.
const WORKER_THREADS: usize = 2;

/// The figures of a server that does nothing.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Limit {
    /// What it answers.
    pub name: &'static str,
    /// Requests a second.
    pub per_s: f64,
    /// Server CPU for each request, milliseconds.
    pub server_cpu_ms: f64,
    /// Client CPU for each request, milliseconds.
    pub client_cpu_ms: f64,
    /// One request in a hundred is slower, milliseconds.
    pub p99_ms: f64,
}

/// The child's side: serves `/hello` and a body of so many bytes until it is killed.
pub fn serve(body_bytes: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = lockerd::http::accept::bind(any_port).await?;
        crate::report::say(&listener.local_addr()?.to_string())?;
        let hello = warp::path!("hello").and(warp::get()).map(|| "hello".into_response()).boxed();
        let prepared = Bytes::from(vec![b' '; body_bytes]);
        let body = warp::path!("body").and(warp::get()).map(move || {
            let mut response = Response::new(prepared.clone().into());
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        });
        let routes = hello.or(body.boxed()).unify().boxed();
        let server = Server::new(listener, Limits::default());
        server.run(warp::service(routes), CancellationToken::new()).await;
        Ok(())
    })
}

/// Drives the empty handler and the prepared body.
pub fn measure(plan: &Plan, body_bytes: usize) -> anyhow::Result<Vec<Limit>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--serve-body-bytes").arg(body_bytes.to_string());
    let (process, line) = Process::start(&mut command)?;
    let address = address(&line)?;
    let mut limits = Vec::new();
    for (name, path) in [("empty handler", "/hello"), ("prepared body", "/body")] {
        let timings = Rc::new(std::cell::RefCell::new(Timings::default()));
        let get = Rc::new(request("GET", path, ""));
        let until = Instant::now() + plan.window;
        let spent = drive(process.0.id(), address, plan.connections, |_, mut connection| {
            let (timings, get) = (Rc::clone(&timings), Rc::clone(&get));
            async move {
                while Instant::now() < until {
                    let asked = Instant::now();
                    let reply = connection.call(&get).await?;
                    anyhow::ensure!(reply.status == 200, "{}", reply.status);
                    timings.borrow_mut().record(Kind::Plain, asked.elapsed());
                }
                Ok(())
            }
        })?;
        limits.push(limit(name, &spent, &timings.borrow()));
    }
    Ok(limits)
}

fn limit(name: &'static str, spent: &Spent, timings: &Timings) -> Limit {
    let count = timings.count();
    Limit {
        name,
        per_s: number(count) / spent.wall.as_secs_f64(),
        server_cpu_ms: each(number(spent.server.cpu_ns()) / 1e6, count),
        client_cpu_ms: each(number(spent.client_cpu_ns) / 1e6, count),
        p99_ms: timings.latencies().get(&Kind::Plain).map_or(0.0, |latency| latency.p99_ms),
    }
}
