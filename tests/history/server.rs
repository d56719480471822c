//! What the devices and the one who kills share: where the server is, since when it is gone, and
//! how many changes may be under way.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::checker::Micros;
use crate::support::PATIENCE;

/// Where the server is.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    /// Its address.
    pub at: SocketAddr,
    /// Which run of the program, counted from 0.
    pub run: usize,
}

/// One site's server over all its runs.
pub struct Server {
    began: Instant,
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    runs: usize,
    address: Option<SocketAddr>,
    over: bool,
    changes_max: usize,
    changes: usize,
    /// When the holds die that are left alone.
    idle: Vec<Instant>,
    idle_max: usize,
}

/// The right to have a change under way.
pub struct Pass<'a> {
    server: &'a Server,
    runs: usize,
}

impl Pass<'_> {
    /// The change was cut off: nobody may have another one in its place until the server is back.
    pub fn lose(mut self) {
        self.runs = usize::MAX;
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut inner = self.server.lock();
        if inner.runs == self.runs {
            inner.changes -= 1;
            drop(inner);
            self.server.changed.notify_all();
        }
    }
}

impl Server {
    /// A server that is not there yet; so many holds may be left alone at once.
    pub fn new(idle_max: usize) -> Self {
        let inner = Inner {
            runs: 0,
            address: None,
            over: false,
            changes_max: usize::MAX,
            changes: 0,
            idle: Vec::new(),
            idle_max,
        };
        Self { began: Instant::now(), inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// The time since the history began.
    pub fn now(&self) -> Micros {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// It listens again.
    pub fn rise(&self, at: SocketAddr) {
        let mut inner = self.lock();
        inner.runs += 1;
        inner.address = Some(at);
        (inner.changes, inner.changes_max) = (0, usize::MAX);
        inner.idle.clear();
        drop(inner);
        self.changed.notify_all();
    }

    /// Nobody asks any more.
    pub fn end(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    /// Where it is in a run of this number or a later one; waits for that. `None`: it is over.
    pub fn address(&self, run: usize) -> Result<Option<Address>, String> {
        let missing = |inner: &mut Inner| !inner.over && inner.runs <= run;
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, missing);
        let (inner, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return Err(format!("a request was cut off, and nobody killed run {}", inner.runs));
        }
        let at = inner.address.filter(|_| !inner.over);
        Ok(at.map(|at| Address { at, run: inner.runs - 1 }))
    }

    /// Asks for a change to be under way; `None` when enough are.
    pub fn enter(&self) -> Option<Pass<'_>> {
        let mut inner = self.lock();
        if inner.changes >= inner.changes_max {
            return None;
        }
        inner.changes += 1;
        Some(Pass { server: self, runs: inner.runs })
    }

    /// Lets no more than `most` changes be under way, and waits until no more are.
    pub fn narrow(&self, most: usize) {
        self.lock().changes_max = most;
        let many = |inner: &mut Inner| inner.changes > most;
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, many);
        let (inner, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "{} changes never end", inner.changes);
    }

    /// Whether one more hold may be left alone until it dies then.
    pub fn may_lie(&self, deadline: Instant) -> bool {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.idle.retain(|until| now < *until + Duration::from_millis(100));
        if inner.idle.len() >= inner.idle_max {
            return false;
        }
        inner.idle.push(deadline);
        true
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
