//! The site's own secrets: where they come from, and what is made with them.
//!
//! Each secret is a file of 32 bytes. systemd may hand it over as a credential (`LoadCredential=`),
//! else it lies in the data directory, made at the first start and readable by its owner only.
//! [`Vault`] seals what must be read again (second factors, presence keys, mailed codes on their
//! way) and hashes what must only be recognised (codes). Whoever has the database alone can do
//! neither.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::error::{Code, Error};

/// Bytes of a secret.
pub const KEY_BYTES: usize = 32;

/// Bytes of the random nonce before a sealed text (XChaCha20-Poly1305).
const NONCE_BYTES: usize = 24;

/// Letters and digits that are not taken for each other on paper.
const PAPER_LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// Where secrets are found.
#[derive(Debug, Clone)]
pub struct Secrets {
    dir: PathBuf,
    credentials: Option<PathBuf>,
}

impl Secrets {
    /// Secrets of a data directory; `credentials` is systemd's directory, if it gave one.
    pub fn new(dir: impl Into<PathBuf>, credentials: Option<PathBuf>) -> Self {
        Self { dir: dir.into(), credentials }
    }

    /// The same, with what systemd says in `CREDENTIALS_DIRECTORY`.
    pub fn of(dir: impl Into<PathBuf>) -> Self {
        Self::new(dir, std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from))
    }

    /// The secret of this file name; made when there is none. An error says what to do.
    pub fn load_or_create(&self, name: &str) -> io::Result<[u8; KEY_BYTES]> {
        if let Some(key) = self.credential(name)? {
            return Ok(key);
        }
        let path = self.dir.join(name);
        match fs::read(&path) {
            Ok(bytes) => of_right_size(&path, &bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = random::<KEY_BYTES>()?;
                self.replace(name, &key)?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }

    /// The bytes of a secret that may be missing, from wherever it would come.
    pub fn find(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let handed_over = self.credentials.as_ref().map(|dir| dir.join(name));
        for path in handed_over.into_iter().chain([self.dir.join(name)]) {
            match fs::read(path) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether systemd hands this secret over: then it is not this program's to change.
    #[must_use]
    pub fn is_handed_over(&self, name: &str) -> bool {
        self.credentials.as_ref().is_some_and(|dir| dir.join(name).exists())
    }

    /// Puts a secret into the data directory in the place of any older one; after a power cut it is
    /// the old or the new one, whole.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.dir.join(name);
        let temporary = self.dir.join(format!("{name}.new"));
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        // A command that root runs must not leave a key that the server cannot read.
        let owner = fs::metadata(&self.dir)?;
        if file.metadata()?.uid() != owner.uid() {
            fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        self.sync()
    }

    /// Removes a secret from the data directory, if it is there.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.dir.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.sync(),
        }
    }

    /// The data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A new name is on the disk only when its directory is.
    fn sync(&self) -> io::Result<()> {
        fs::File::open(&self.dir)?.sync_all()
    }

    fn credential(&self, name: &str) -> io::Result<Option<[u8; KEY_BYTES]>> {
        let Some(path) = self.credentials.as_ref().map(|dir| dir.join(name)) else {
            return Ok(None);
        };
        match fs::read(&path) {
            Ok(bytes) => of_right_size(&path, &bytes).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn of_right_size(path: &Path, bytes: &[u8]) -> io::Result<[u8; KEY_BYTES]> {
    bytes.try_into().map_err(|_| {
        let text =
            format!("{} must hold {KEY_BYTES} bytes: remove it to make a new one", path.display());
        io::Error::new(io::ErrorKind::InvalidData, text)
    })
}

/// Bytes that nobody can guess.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// [`random`] for a use-case.
pub fn draw<const N: usize>() -> Result<[u8; N], Error> {
    random().map_err(|error| {
        tracing::error!(area = "http", %error, "the system gave no random bytes");
        Error::new(Code::Internal, "something went wrong on our side; it was logged")
    })
}

/// A code of `digits` decimal digits, each equally likely.
pub fn draw_digits(digits: usize) -> Result<String, Error> {
    draw_from(b"0123456789", digits)
}

/// A code of letters and digits that survive being written down.
pub fn draw_letters(letters: usize) -> Result<String, Error> {
    draw_from(PAPER_LETTERS, letters)
}

fn draw_from(alphabet: &[u8], length: usize) -> Result<String, Error> {
    // Bytes beyond a whole multiple of the alphabet would favour its first letters.
    let whole = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let bytes = draw::<64>()?;
        let fair = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < whole);
        text.extend(
            fair.take(length - text.len()).map(|byte| char::from(alphabet[byte % alphabet.len()])),
        );
    }
    Ok(text)
}

/// Seals and hashes with a key that is not in the database. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
    hashing: [u8; 32],
}

impl Vault {
    /// A vault with this key; its two uses get keys of their own.
    #[must_use]
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        let sealing = keyed(key, &[b"lockerd seal"]);
        Self {
            cipher: XChaCha20Poly1305::new(&sealing.into()),
            hashing: keyed(key, &[b"lockerd hash"]),
        }
    }

    /// Seals `plain` so that it opens only for the same `purpose` (as `totp:7`): a row copied to
    /// another place stays shut.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = draw::<NONCE_BYTES>()?;
        let payload = Payload { msg: plain, aad: purpose.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| {
            Error::new(Code::Internal, "something went wrong on our side; it was logged")
        })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Vault::seal`] made; `None` when it was made with another key or for another
    /// purpose, or was changed.
    #[must_use]
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()
    }

    /// What is stored of a code that must only be recognised; `purpose` keeps equal codes apart.
    #[must_use]
    pub fn keyed_hash(&self, purpose: &str, text: &str) -> [u8; 32] {
        let length = (purpose.len() as u64).to_be_bytes();
        keyed(&self.hashing, &[&length, purpose.as_bytes(), text.as_bytes()])
    }
}

fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0; 64];
    // A key shorter than a block of SHA-256 is filled up with zeros (RFC 2104 §2).
    block[..key.len()].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_is_its_owners_only() {
        let place = tempfile::tempdir().expect("a place");
        let secrets = Secrets::new(place.path(), None);
        let first = secrets.load_or_create("token.key").expect("made");
        assert_eq!(secrets.load_or_create("token.key").expect("read"), first);
        let path = place.path().join("token.key");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&path, b"short").expect("written");
        let error = secrets.load_or_create("token.key").expect_err("too short").to_string();
        assert!(error.contains("32 bytes"), "{error}");
    }

    #[test]
    fn a_secret_is_replaced_whole_and_stays_its_owners_only() {
        let place = tempfile::tempdir().expect("a place");
        let secrets = Secrets::new(place.path(), None);
        // What a power cut left of an earlier attempt is in nobody's way.
        fs::write(place.path().join("token.key.new"), b"half").expect("written");
        fs::set_permissions(place.path().join("token.key.new"), fs::Permissions::from_mode(0o600))
            .expect("set");
        for byte in [1, 2] {
            secrets.replace("token.key", &[byte; 32]).expect("written");
            assert_eq!(secrets.load_or_create("token.key").expect("read"), [byte; 32]);
        }
        let mode = fs::metadata(place.path().join("token.key")).expect("there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let files = fs::read_dir(place.path()).expect("readable").count();
        assert_eq!(files, 1, "nothing is left beside it");
        secrets.remove("token.key").expect("removed");
        secrets.remove("token.key").expect("it was not there");
        assert_eq!(secrets.find("token.key").expect("readable"), None);
    }

    #[test]
    fn what_systemd_hands_over_comes_first_and_nothing_is_made_beside_it() {
        let (place, handed) =
            (tempfile::tempdir().expect("a place"), tempfile::tempdir().expect("a place"));
        fs::write(handed.path().join("vault.key"), [7; 32]).expect("written");
        let secrets = Secrets::new(place.path(), Some(handed.path().to_path_buf()));
        assert_eq!(secrets.load_or_create("vault.key").expect("read"), [7; 32]);
        assert!(!place.path().join("vault.key").exists());
        secrets.load_or_create("token.key").expect("made in the data directory");
        assert!(place.path().join("token.key").exists());
    }

    #[test]
    fn sealed_text_opens_for_its_purpose_and_key_only() {
        let vault = Vault::new(&[1; 32]);
        let sealed = vault.seal("totp:7", b"secret").expect("sealed");
        assert_eq!(vault.open("totp:7", &sealed).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(vault.open("totp:8", &sealed), None);
        assert_eq!(Vault::new(&[2; 32]).open("totp:7", &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(vault.open("totp:7", &changed), None, "byte {at}");
        }
        assert_eq!(vault.open("totp:7", b""), None);
    }

    #[test]
    fn a_keyed_hash_depends_on_key_purpose_and_text() {
        let vault = Vault::new(&[1; 32]);
        let hash = vault.keyed_hash("code", "12345678");
        assert_eq!(hash, vault.keyed_hash("code", "12345678"));
        assert_ne!(hash, vault.keyed_hash("code1", "2345678"));
        assert_ne!(hash, Vault::new(&[2; 32]).keyed_hash("code", "12345678"));
    }

    #[test]
    fn drawn_codes_have_their_length_and_letters() {
        let code = draw_digits(8).expect("random");
        assert!(code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        assert_ne!(draw_letters(20).expect("random"), draw_letters(20).expect("random"));
    }
}
