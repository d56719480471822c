//! A mail server: aiosmtpd from the Python index, pinned by hash, in a virtual environment that
//! `tests/venv.sh` makes once; and certificates for it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

use super::until;

/// The log-in of servers that want one.
pub const USER: &str = "lockers";

/// Its password.
pub const PASSWORD: &str = "a b:c\"d";

/// How a server shows and bears itself.
#[derive(Debug, Clone, Default)]
pub struct Manners {
    /// `starttls`, `tls` or, when empty, none.
    pub security: &'static str,
    /// Whether it wants [`USER`].
    pub log_in: bool,
    /// More arguments: see `tests/mail/server.py`.
    pub more: &'static [&'static str],
}

/// A running mail server; ends when dropped.
pub struct MailServer {
    /// Where it listens.
    pub port: u16,
    manners: Manners,
    child: Option<Child>,
    place: TempDir,
}

impl MailServer {
    /// Starts one on a free port.
    #[track_caller]
    pub fn start(manners: Manners) -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        certificates(place.path());
        let mut server = Self { port: 0, manners, child: None, place };
        server.rise();
        server
    }

    /// Starts it, on the port that it had before if it had one.
    #[track_caller]
    pub fn rise(&mut self) {
        let path = |name: &str| self.place.path().join(name);
        let mut command = Command::new(python());
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail/server.py"));
        command.arg("--out").arg(self.out()).args(["--port", &self.port.to_string()]);
        if !self.manners.security.is_empty() {
            command.args(["--security", self.manners.security]);
            command.arg("--cert").arg(path("server.pem")).arg("--key").arg(path("server.key"));
        }
        if self.manners.log_in {
            command.args(["--user", USER, "--password", PASSWORD]);
        }
        let errors = std::fs::File::create(path("errors")).expect("made");
        command.args(self.manners.more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().expect("python starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        self.port = line.trim().parse().unwrap_or_else(|_| {
            let errors = std::fs::read_to_string(path("errors")).unwrap_or_default();
            panic!("the mail server did not start: {errors}")
        });
        self.child = Some(child);
    }

    /// Ends it; its port stays its own.
    pub fn fall(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Everything that it took or refused so far.
    pub fn records(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.out()).unwrap_or_default();
        let whole = text.lines().filter(|line| line.ends_with('}'));
        whole.filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The mails that it took so far.
    pub fn mails(&self) -> Vec<Value> {
        self.records().into_iter().filter(|it| it["message_id"].is_string()).collect()
    }

    /// Waits until it took this many mails.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Value> {
        until(&format!("{count} mails"), || {
            let mails = self.mails();
            (mails.len() >= count).then_some(mails)
        })
    }

    /// Lines of `[mail]` that lead to it.
    pub fn config(&self) -> String {
        let mut text = format!(
            "transport = 'smtp'\nhost = '127.0.0.1'\nport = {}\n\
             from = '사물함 <lockers@korea.ac.kr>'\nsite_name_ko = '고려 사물함'\n\
             site_name_en = 'Korea Lockers'\ntimeout_s = 10\n",
            self.port
        );
        match self.manners.security {
            "" => text += "security = 'none'\n",
            security => {
                let ca = self.place.path().join("ca.pem");
                let _ = write!(text, "security = '{security}'\nca_file = '{}'\n", ca.display());
            }
        }
        if self.manners.log_in {
            let path = self.place.path().join("password");
            std::fs::write(&path, format!("{PASSWORD}\n")).expect("written");
            let _ = write!(text, "user = '{USER}'\npassword_file = '{}'\n", path.display());
        }
        text
    }

    fn out(&self) -> PathBuf {
        self.place.path().join("mails.jsonl")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.fall();
    }
}

/// Writes an authority and a certificate of it for this machine.
fn certificates(place: &Path) {
    let mut ca = CertificateParams::new(Vec::new()).expect("valid");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().expect("a key");
    let ca_certificate = ca.self_signed(&ca_key).expect("signed");
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let server = CertificateParams::new(names).expect("valid");
    let certificate = server.signed_by(&key, &issuer).expect("signed");
    for (name, text) in [
        ("ca.pem", ca_certificate.pem()),
        ("server.pem", certificate.pem()),
        ("server.key", key.serialize_pem()),
    ] {
        std::fs::write(place.join(name), text).expect("written");
    }
}

/// The interpreter of the environment, which is made when it is not there.
#[track_caller]
fn python() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let house = Path::new(env!("CARGO_MANIFEST_DIR"));
        let done = Command::new("sh").arg(house.join("tests/venv.sh")).arg("mail").output();
        let done = done.expect("there is a shell");
        assert!(
            done.status.success(),
            "the mail server of these tests needs python3 with venv (sudo apt-get install \
             python3-venv) and PyPI: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        house.join("target/venv/mail/bin/python")
    })
}
