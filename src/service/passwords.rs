//! Password hashing on a few threads of its own, each with one block of memory it keeps.
//!
//! argon2id is meant to be slow and large (19 MiB, 2 passes): unbounded, a hundred log-ins at once
//! would take 2 GB. Here at most [`THREADS_MAX`] run, [`QUEUE_MAX`] wait, and nobody waits longer
//! than [`WAIT_MAX`]. Whoever wants a password looked at takes a [`Ticket`] first, before anything
//! else is done for them: without one they are refused at once. The ticket goes into the work and
//! is given back when a thread is done with it. The memory is taken at the first password, and the
//! threads are nice: a door that is opened meanwhile comes first.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::error::{Code, Error};
use crate::domain::password::{self, Owner, WeakPassword, normalised};

/// Most hashing threads.
pub const THREADS_MAX: usize = 2;

/// Most passwords waiting for a thread.
pub const QUEUE_MAX: usize = 64;

/// Longest time between a ticket and its answer.
pub const WAIT_MAX: Duration = Duration::from_secs(2);

/// Longest password that is looked at, in bytes.
pub const PASSWORD_BYTES_MAX: usize = password::BYTES_MAX;

/// How much the hashing threads give way to the others (0 to 19).
const NICE: i32 = 10;

/// Memory, passes and lanes: the OWASP floor for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

/// What came of looking at a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// It is not the one.
    Wrong,
    /// It is the one.
    Right {
        /// The same password hashed anew, when the stored hash is weaker than today's.
        rehashed: Option<String>,
    },
}

enum Order {
    Hash { password: String, reply: oneshot::Sender<Result<String, Error>> },
    New { password: String, owner: Owner, reply: oneshot::Sender<Result<String, Error>> },
    Verify { password: String, hash: Option<String>, reply: oneshot::Sender<Verified> },
}

/// An order with the ticket that it was let in on.
struct Work {
    order: Order,
    ticket: Ticket,
}

/// The right to have passwords looked at, until [`WAIT_MAX`] is over.
pub struct Ticket {
    /// Held until the last part of the work lets go of it.
    permit: Arc<OwnedSemaphorePermit>,
    taken: Instant,
}

impl Ticket {
    fn again(&self) -> Self {
        Self { permit: Arc::clone(&self.permit), taken: self.taken }
    }

    fn is_stale(&self) -> bool {
        self.taken.elapsed() >= WAIT_MAX
    }
}

/// The hashing threads. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    tickets: Arc<Semaphore>,
    queue: Arc<OnceLock<SyncSender<Work>>>,
}

impl Default for Passwords {
    fn default() -> Self {
        let tickets = Arc::new(Semaphore::new(QUEUE_MAX + THREADS_MAX));
        Self { tickets, queue: Arc::default() }
    }
}

impl Passwords {
    /// Lets somebody in whose password is to be looked at, or refuses at once.
    pub fn enter(&self) -> Result<Ticket, Error> {
        let permit = Arc::clone(&self.tickets).try_acquire_owned().map_err(|_| busy())?;
        Ok(Ticket { permit: Arc::new(permit), taken: Instant::now() })
    }

    /// Hashes a password into PHC form, whatever it is.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let ticket = self.enter()?;
        let (reply, answer) = oneshot::channel();
        self.put(&ticket, Order::Hash { password, reply })?;
        wait(&ticket, answer).await?
    }

    /// Hashes a password that somebody chose for an account; one that is easy to guess is refused.
    pub async fn hash_new(
        &self,
        ticket: &Ticket,
        password: String,
        owner: Owner,
    ) -> Result<String, Error> {
        let (reply, answer) = oneshot::channel();
        self.put(ticket, Order::New { password, owner, reply })?;
        wait(ticket, answer).await?
    }

    /// Looks whether a password is the one behind a stored hash. Without a hash it takes as long
    /// and says no, so that the time does not tell who has an account.
    pub async fn verify(
        &self,
        ticket: &Ticket,
        password: String,
        hash: Option<String>,
    ) -> Result<Verified, Error> {
        let (reply, answer) = oneshot::channel();
        self.put(ticket, Order::Verify { password, hash, reply })?;
        wait(ticket, answer).await
    }

    fn put(&self, ticket: &Ticket, order: Order) -> Result<(), Error> {
        let queue = self.queue.get_or_init(start_threads);
        // There is room for every ticket: this only fails when the threads are gone.
        queue.try_send(Work { order, ticket: ticket.again() }).map_err(|error| {
            tracing::error!(area = "http", %error, "the hashing threads take no work");
            Error::new(Code::Internal, "something went wrong on our side; it was logged")
        })
    }
}

async fn wait<T>(ticket: &Ticket, answer: oneshot::Receiver<T>) -> Result<T, Error> {
    let left = WAIT_MAX.saturating_sub(ticket.taken.elapsed());
    match tokio::time::timeout(left, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) | Err(_) => Err(busy()),
    }
}

fn busy() -> Error {
    Error::new(Code::Overloaded, "many people are logging in: try again in a few seconds")
        .retry_after_ms(3_000)
}

/// The refusal of a password that is easy to guess.
pub(super) fn weak(error: &WeakPassword) -> Error {
    Error::new(Code::PasswordWeak, error.to_string()).with("reason", error.reason())
}

fn start_threads() -> SyncSender<Work> {
    let (sender, receiver) = sync_channel(QUEUE_MAX + THREADS_MAX);
    let receiver = Arc::new(Mutex::new(receiver));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for number in 0..cores.min(THREADS_MAX) {
        let receiver = Arc::clone(&receiver);
        let name = format!("hash-{number}");
        if let Err(error) = std::thread::Builder::new().name(name).spawn(move || work(&receiver)) {
            tracing::error!(area = "http", %error, "a hashing thread did not start");
        }
    }
    sender
}

fn work(receiver: &Mutex<Receiver<Work>>) {
    // On Linux this is about the calling thread alone.
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(area = "http", %error, "a hashing thread keeps its priority");
    }
    let mut hasher = Hasher::default();
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(work) if work.ticket.is_stale() => {}
            Ok(work) => hasher.carry_out(work.order),
            Err(_) => return,
        }
    }
}

/// One thread's memory.
#[derive(Default)]
struct Hasher {
    memory: Vec<Block>,
}

impl Hasher {
    fn carry_out(&mut self, order: Order) {
        match order {
            // Whoever gave up waiting left a closed channel: do not hash for nobody.
            Order::Hash { reply, .. } | Order::New { reply, .. } if reply.is_closed() => {}
            Order::Verify { reply, .. } if reply.is_closed() => {}
            Order::Hash { password, reply } => {
                let _ = reply.send(self.hash(&normalised(&password)));
            }
            Order::New { password, owner, reply } => {
                let password = normalised(&password);
                // Hashed in any case: the time does not tell a list from the rest.
                let hash = self.hash(&password);
                let fit = password::check(&password, &owner).map_err(|error| weak(&error));
                let _ = reply.send(fit.and(hash));
            }
            Order::Verify { password, hash, reply } => {
                let _ = reply.send(self.verify_any_form(&password, hash.as_deref()));
            }
        }
    }

    /// Looks at a password in its one form, then as it was typed: hashes of before are of that. Known and
    /// unknown accounts take the same steps.
    fn verify_any_form(&mut self, typed: &str, hash: Option<&str>) -> Verified {
        let password = normalised(typed);
        let found = self.verify(&password, hash);
        if found != Verified::Wrong || *password == *typed {
            return found;
        }
        match self.verify(typed, hash) {
            Verified::Right { .. } => Verified::Right { rehashed: self.hash(&password).ok() },
            Verified::Wrong => Verified::Wrong,
        }
    }

    fn raw(&mut self, params: &Params, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        self.memory.resize(params.block_count(), Block::default());
        let mut output = vec![0; params.output_len().unwrap_or(OUTPUT_BYTES)];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(password, salt, &mut output, &mut self.memory)
            .ok()?;
        Some(output)
    }

    fn hash(&mut self, password: &str) -> Result<String, Error> {
        self.hash_with(password, params()).ok_or_else(|| {
            tracing::error!(area = "http", "a password could not be hashed");
            Error::new(Code::Internal, "something went wrong on our side; it was logged")
        })
    }

    fn hash_with(&mut self, password: &str, params: Option<Params>) -> Option<String> {
        let params = params?;
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).ok()?;
        let output = self.raw(&params, password.as_bytes(), &salt)?;
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: (&params).try_into().ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(Output::new(&output).ok()?),
        };
        Some(phc.to_string())
    }

    fn verify(&mut self, password: &str, hash: Option<&str>) -> Verified {
        let Some(hash) = hash else {
            let _ = params().and_then(|params| self.raw(&params, password.as_bytes(), &[0; 16]));
            return Verified::Wrong;
        };
        match self.try_verify(password, hash) {
            Some(Strength::Todays) => Verified::Right { rehashed: None },
            // One that cannot be hashed anew stays as it is: the log-in is good all the same.
            Some(Strength::Weaker) => Verified::Right { rehashed: self.hash(password).ok() },
            None => Verified::Wrong,
        }
    }

    fn try_verify(&mut self, password: &str, hash: &str) -> Option<Strength> {
        let phc = PasswordHash::new(hash).ok()?;
        let params = Params::try_from(&phc).ok()?;
        let (salt, expected) = (phc.salt?, phc.hash?);
        let output = self.raw(&params, password.as_bytes(), salt.as_ref())?;
        // `Output` compares in constant time.
        (Output::new(&output).ok()? == expected).then(|| Strength::of(&params))
    }
}

/// How a stored hash compares with those made today.
enum Strength {
    Todays,
    Weaker,
}

impl Strength {
    fn of(params: &Params) -> Self {
        if params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES {
            Self::Weaker
        } else {
            Self::Todays
        }
    }
}

fn params() -> Option<Params> {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::member::Role;

    fn wrong(found: &Verified) -> bool {
        matches!(found, Verified::Wrong)
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_and_knows_its_password_only() {
        let passwords = Passwords::default();
        let hash = passwords.hash("맞는 비밀번호".to_owned()).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let ticket = passwords.enter().expect("room");
        let check = |password: &str, hash: Option<&str>| {
            passwords.verify(&ticket, password.to_owned(), hash.map(str::to_owned))
        };
        let right = check("맞는 비밀번호", Some(&hash)).await.expect("checked");
        assert_eq!(right, Verified::Right { rehashed: None });
        assert!(wrong(&check("틀린 비밀번호", Some(&hash)).await.expect("checked")));
        assert!(wrong(&check("맞는 비밀번호", None).await.expect("checked")));
        assert!(wrong(&check("맞는 비밀번호", Some("nonsense")).await.expect("checked")));
    }

    #[tokio::test]
    async fn a_weaker_hash_is_made_anew_for_the_right_password_only() {
        let old = Params::new(8 * 1024, 1, 1, Some(OUTPUT_BYTES)).ok();
        let old = Hasher::default().hash_with("the password", old).expect("hashed");
        let passwords = Passwords::default();
        let ticket = passwords.enter().expect("room");
        let verify = |password: &str, hash: &str| {
            passwords.verify(&ticket, password.to_owned(), Some(hash.to_owned()))
        };
        assert!(wrong(&verify("another", &old).await.expect("checked")));
        let Verified::Right { rehashed: Some(new) } =
            verify("the password", &old).await.expect("ok")
        else {
            panic!("not hashed anew")
        };
        assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
        let again = verify("the password", &new).await.expect("checked");
        assert_eq!(again, Verified::Right { rehashed: None });
    }

    #[tokio::test]
    async fn one_password_is_one_however_it_is_typed_and_old_hashes_are_made_anew() {
        let (whole, parts) = ("물개 우산", "\u{1106}\u{116e}\u{11af}\u{1100}\u{1162} 우산");
        let passwords = Passwords::default();
        let ticket = passwords.enter().expect("room");
        let verify = |password: &str, hash: &str| {
            passwords.verify(&ticket, password.to_owned(), Some(hash.to_owned()))
        };
        let hash = passwords.hash(parts.to_owned()).await.expect("hashed");
        for typed in [whole, parts] {
            let found = verify(typed, &hash).await.expect("checked");
            assert_eq!(found, Verified::Right { rehashed: None });
        }
        let old = Hasher::default().hash(parts).expect("hashed");
        assert!(wrong(&verify(whole, &old).await.expect("checked")));
        let found = verify(parts, &old).await.expect("checked");
        let Verified::Right { rehashed: Some(new) } = found else { panic!("not made anew") };
        let found = verify(whole, &new).await.expect("checked");
        assert_eq!(found, Verified::Right { rehashed: None });
    }

    #[tokio::test]
    async fn a_new_password_that_is_common_is_refused() {
        let passwords = Passwords::default();
        let ticket = passwords.enter().expect("room");
        let owner = || Owner { role: Role::Student, has_second_factor: false, words: Vec::new() };
        let hash = |password: &str| passwords.hash_new(&ticket, password.to_owned(), owner());
        let error = hash("password12").await.expect_err("common");
        assert_eq!(error.code, Code::PasswordWeak);
        hash("맞는 비밀번호 하나").await.expect("fine");
    }

    #[tokio::test]
    async fn more_than_the_queue_are_turned_away_at_once() {
        let passwords = Passwords::default();
        let let_in: Vec<Ticket> =
            std::iter::from_fn(|| passwords.enter().ok()).take(1_000).collect();
        assert_eq!(let_in.len(), QUEUE_MAX + THREADS_MAX);
        let refused = passwords.enter().err().expect("full");
        assert_eq!((refused.code, refused.retry_after_ms), (Code::Overloaded, Some(3_000)));
        drop(let_in);
        passwords.enter().expect("room again");
    }

    #[tokio::test]
    async fn a_ticket_is_given_back_when_the_work_is_done_not_when_nobody_waits() {
        let passwords = Passwords::default();
        let all = || QUEUE_MAX + THREADS_MAX;
        let ticket = passwords.enter().expect("room");
        let work = passwords.verify(&ticket, "x".to_owned(), None);
        // Sent, not waited for: as if the client had gone away.
        let mut work = Box::pin(work);
        let poll = std::future::poll_fn(|context| {
            std::task::Poll::Ready(work.as_mut().poll(context).is_pending())
        });
        assert!(poll.await, "it takes a while");
        drop(work);
        drop(ticket);
        let begun = Instant::now();
        while passwords.tickets.available_permits() < all() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the ticket is lost");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    #[tokio::test]
    async fn a_stale_ticket_is_refused_and_its_work_passed_over() {
        let passwords = Passwords::default();
        let mut ticket = passwords.enter().expect("room");
        ticket.taken = Instant::now().checked_sub(WAIT_MAX).expect("a machine that runs");
        let found = passwords.verify(&ticket, "x".to_owned(), None).await;
        assert!(matches!(found, Err(Error { code: Code::Overloaded, .. })));
    }

    #[test]
    fn a_hashing_thread_gives_way_and_no_other_does() {
        let nice = || rustix::process::getpriority_process(None).expect("known");
        let before = nice();
        let there = std::thread::spawn(move || {
            rustix::process::nice(NICE).expect("allowed");
            nice()
        });
        let there = there.join().expect("no panic");
        assert_eq!((there, nice()), ((before + NICE).min(19), before));
    }
}
