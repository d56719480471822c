//! Password hashing on a few threads of its own, each with one block of memory it keeps.
//!
//! argon2id is meant to be slow and large (19 MiB, 2 passes): unbounded, a hundred log-ins at once
//! would take 2 GB. Here at most [`THREADS_MAX`] run, [`QUEUE_MAX`] wait, and nobody waits longer
//! than [`WAIT_MAX`]. The memory is taken at the first password, not before.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::oneshot;

use super::error::{Code, Error};

/// Most hashing threads.
pub const THREADS_MAX: usize = 2;

/// Most log-ins waiting for a thread.
pub const QUEUE_MAX: usize = 64;

/// Longest wait for a thread.
pub const WAIT_MAX: Duration = Duration::from_secs(2);

/// Longest password that is hashed, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Memory, passes and lanes: the OWASP floor for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

enum Work {
    Hash { password: String, reply: oneshot::Sender<Result<String, Error>> },
    Verify { password: String, hash: Option<String>, reply: oneshot::Sender<bool> },
}

/// The hashing threads. Cheap to clone.
#[derive(Clone, Default)]
pub struct Passwords {
    queue: Arc<OnceLock<SyncSender<Work>>>,
}

impl Passwords {
    /// Hashes a new password into PHC form.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let (reply, answer) = oneshot::channel();
        self.put(Work::Hash { password, reply })?;
        wait(answer).await?
    }

    /// Whether a password is the one behind a stored hash. Without a hash it takes as long and
    /// says no, so that the time does not tell who has an account.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        let (reply, answer) = oneshot::channel();
        self.put(Work::Verify { password, hash, reply })?;
        wait(answer).await
    }

    fn put(&self, work: Work) -> Result<(), Error> {
        let queue = self.queue.get_or_init(start_threads);
        queue.try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => busy(),
            TrySendError::Disconnected(_) => {
                tracing::error!(area = "http", "the hashing threads are gone");
                Error::new(Code::Internal, "something went wrong on our side; it was logged")
            }
        })
    }
}

async fn wait<T>(answer: oneshot::Receiver<T>) -> Result<T, Error> {
    match tokio::time::timeout(WAIT_MAX, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) | Err(_) => Err(busy()),
    }
}

fn busy() -> Error {
    Error::new(Code::Overloaded, "many people are logging in: try again in a few seconds")
        .retry_after_ms(3_000)
}

fn start_threads() -> SyncSender<Work> {
    let (sender, receiver) = sync_channel(QUEUE_MAX);
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
    let mut hasher = Hasher::default();
    loop {
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            // Whoever gave up waiting left a closed channel: do not hash for nobody.
            Ok(Work::Hash { reply, .. }) if reply.is_closed() => {}
            Ok(Work::Verify { reply, .. }) if reply.is_closed() => {}
            Ok(Work::Hash { password, reply }) => {
                let _ = reply.send(hasher.hash(&password));
            }
            Ok(Work::Verify { password, hash, reply }) => {
                let _ = reply.send(hasher.verify(&password, hash.as_deref()));
            }
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
    fn raw(&mut self, params: &Params, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        self.memory.resize(params.block_count(), Block::default());
        let mut output = vec![0; params.output_len().unwrap_or(OUTPUT_BYTES)];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(password, salt, &mut output, &mut self.memory)
            .ok()?;
        Some(output)
    }

    fn hash(&mut self, password: &str) -> Result<String, Error> {
        self.try_hash(password).ok_or_else(|| {
            tracing::error!(area = "http", "a password could not be hashed");
            Error::new(Code::Internal, "something went wrong on our side; it was logged")
        })
    }

    fn try_hash(&mut self, password: &str) -> Option<String> {
        let params = params()?;
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

    fn verify(&mut self, password: &str, hash: Option<&str>) -> bool {
        let Some(hash) = hash else {
            let _ = params().and_then(|params| self.raw(&params, password.as_bytes(), &[0; 16]));
            return false;
        };
        self.try_verify(password, hash).unwrap_or(false)
    }

    fn try_verify(&mut self, password: &str, hash: &str) -> Option<bool> {
        let phc = PasswordHash::new(hash).ok()?;
        let params = Params::try_from(&phc).ok()?;
        let (salt, expected) = (phc.salt?, phc.hash?);
        let output = self.raw(&params, password.as_bytes(), salt.as_ref())?;
        // `Output` compares in constant time.
        Some(Output::new(&output).ok()? == expected)
    }
}

fn params() -> Option<Params> {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_argon2id_and_knows_its_password_only() {
        let passwords = Passwords::default();
        let hash = passwords.hash("맞는 비밀번호".to_owned()).await.expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let check = |password: &str, hash: Option<&str>| {
            passwords.verify(password.to_owned(), hash.map(str::to_owned))
        };
        assert!(check("맞는 비밀번호", Some(&hash)).await.expect("checked"));
        assert!(!check("틀린 비밀번호", Some(&hash)).await.expect("checked"));
        assert!(!check("맞는 비밀번호", None).await.expect("checked"));
        assert!(!check("맞는 비밀번호", Some("nonsense")).await.expect("checked"));
    }

    #[tokio::test]
    async fn more_than_the_queue_are_turned_away_at_once() {
        let passwords = Passwords::default();
        let many = QUEUE_MAX + THREADS_MAX + 20;
        let tries = (0..many).map(|_| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.verify("x".to_owned(), None).await })
        });
        let tries: Vec<_> = tries.collect();
        let mut refused = 0;
        for task in tries {
            let result = task.await.expect("no panic");
            refused += usize::from(matches!(result, Err(Error { code: Code::Overloaded, .. })));
        }
        assert!(refused >= 10, "only {refused} of {many} were refused");
    }
}
