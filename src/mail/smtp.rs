//! Speaking SMTP, by lettre's connection and not its pool: the pool takes back a connection whose
//! conversation was cut off by a timeout, and then takes the late answer to one mail for the answer to
//! the next. Here one connection serves a row of mails and is dropped after any failure. lettre bounds
//! only the TCP connect, so every step gets its time here. A mail is handed over step by step, since
//! what a refusal is about depends on the step: up to the sender it is the site, behind it the mail.

use std::fmt;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

use super::{Failure, SendError};

/// How long saying goodbye may take: nobody waits for it.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Most characters of a server's words that are kept.
const SAID_CHARS_MAX: usize = 200;

/// Refusals that people can end without another mail: authentication is needed or failed, encryption
/// is needed (RFC 4954 §6, RFC 3207 §4). To a recipient it is what servers say that relay to nobody
/// outside.
const MENDABLE: [&str; 4] = ["530", "534", "535", "538"];

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The sender, who is the same for each mail.
    Sender,
    /// The recipient or what the mail says.
    Mail,
}

/// How the way to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// STARTTLS, and nothing is sent without it.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Nothing: for a server on the same machine.
    None,
}

/// A password; never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Its name, as its certificate has it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub security: Security,
    /// With whom to log in there, if at all.
    pub log_in: Option<(String, Password)>,
    /// A certificate authority to believe beside the machine's own, in PEM form.
    pub ca_pem: Option<Vec<u8>>,
    /// How long connecting with all that belongs to it may take, and how long one mail.
    pub patience: Duration,
}

/// A mail server that mails can be given to.
pub(super) struct Smtp {
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
    hello: ClientId,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

/// A connection that is ready for the next mail.
pub(super) struct Open(AsyncSmtpConnection);

impl Smtp {
    pub(super) fn new(settings: &SmtpSettings) -> Result<Self, String> {
        let tls = match settings.security {
            Security::None => None,
            Security::Starttls | Security::Tls => Some(tls(settings)?),
        };
        Ok(Self { settings: settings.clone(), tls, hello: ClientId::default() })
    }

    /// Connects, encrypts and logs in; whatever goes wrong may go right later.
    pub(super) async fn open(&self) -> Result<Open, SendError> {
        let place = format!("{}:{}", self.settings.host, self.settings.port);
        match tokio::time::timeout(self.settings.patience, self.connect()).await {
            Ok(Ok(connection)) => Ok(Open(connection)),
            Ok(Err(error)) => {
                let text = format!("{place}: {}", in_words(&error));
                Err(SendError::new(Failure::Unreachable, text))
            }
            Err(_) => {
                let text = format!("{place} did not let us in within {:?}", self.settings.patience);
                Err(SendError::new(Failure::Unreachable, text))
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, LettreError> {
        let SmtpSettings { host, port, security, patience, .. } = &self.settings;
        let from_start = self.tls.clone().filter(|_| *security == Security::Tls);
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (host.as_str(), *port),
            Some(*patience),
            &self.hello,
            from_start,
            None,
        )
        .await?;
        if let (Security::Starttls, Some(tls)) = (security, &self.tls) {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some((user, password)) = &self.settings.log_in {
            let credentials = Credentials::new(user.clone(), password.0.clone());
            connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
        }
        Ok(connection)
    }

    /// Gives a mail to the server; after a failure the connection must not be used again.
    pub(super) async fn send(
        &self,
        open: &mut Open,
        envelope: &Envelope,
        mail: &[u8],
    ) -> Result<String, SendError> {
        let options = options(&open.0, envelope, mail)?;
        let sending = hand_over(&mut open.0, envelope, options, mail);
        match tokio::time::timeout(self.settings.patience, sending).await {
            Ok(Ok(response)) => {
                let said: Vec<&str> = response.message().collect();
                Ok(shortened(&format!("{} {}", response.code(), said.join(" "))))
            }
            Ok(Err((refused, error))) => {
                // It is not used again; whether the goodbye is heard changes nothing.
                let _ = tokio::time::timeout(QUIT_TIMEOUT, open.0.abort()).await;
                Err(SendError::new(failure(refused, &error), in_words(&error)))
            }
            Err(_) => {
                let text =
                    format!("the server did not take it within {:?}", self.settings.patience);
                Err(SendError::new(Failure::Temporary, text))
            }
        }
    }

    pub(super) async fn quit(&self, mut open: Open) {
        // What it answers changes nothing: every mail had its answer.
        let _ = tokio::time::timeout(QUIT_TIMEOUT, open.0.quit()).await;
    }
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, String> {
    let mut builder = TlsParametersBuilder::new(settings.host.clone());
    let Some(pem) = &settings.ca_pem else {
        return builder.build().map_err(|error| {
            let why = in_words(&error);
            format!("mail: no certificates to believe ({why}): install ca-certificates")
        });
    };
    // lettre takes a text without any certificate for none to add.
    if !String::from_utf8_lossy(pem).contains("BEGIN CERTIFICATE") {
        return Err("mail.ca_file holds no certificate in PEM form".to_owned());
    }
    let unusable = |error: LettreError| {
        format!("mail.ca_file holds no certificate that can be used: {}", in_words(&error))
    };
    builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(unusable)?);
    builder.build().map_err(unusable)
}

/// What the server must be told about a mail in other letters than ASCII (RFC 6531, RFC 6152); a
/// refusal when it cannot take them.
fn options(
    connection: &AsyncSmtpConnection,
    envelope: &Envelope,
    mail: &[u8],
) -> Result<Vec<MailParameter>, SendError> {
    let plain_addresses = envelope.to().iter().chain(envelope.from()).all(|address| {
        let text: &str = address.as_ref();
        text.is_ascii()
    });
    let mut options = Vec::new();
    for (needed, extension, option) in [
        (!plain_addresses, Extension::SmtpUtfEight, MailParameter::SmtpUtfEight),
        (
            !mail.is_ascii(),
            Extension::EightBitMime,
            MailParameter::Body(MailBodyParameter::EightBitMime),
        ),
    ] {
        if needed && !connection.server_info().supports_feature(extension) {
            let text = "the mail server takes no address with such letters";
            return Err(SendError::new(Failure::Permanent, text));
        }
        options.extend(needed.then_some(option));
    }
    Ok(options)
}

async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    options: Vec<MailParameter>,
    mail: &[u8],
) -> Result<Response, (Refused, LettreError)> {
    let about = |refused| move |error| (refused, error);
    let sender = Mail::new(envelope.from().cloned(), options);
    connection.command(sender).await.map_err(about(Refused::Sender))?;
    for address in envelope.to() {
        let recipient = Rcpt::new(address.clone(), Vec::new());
        connection.command(recipient).await.map_err(about(Refused::Mail))?;
    }
    connection.command(Data).await.map_err(about(Refused::Mail))?;
    connection.message(mail).await.map_err(about(Refused::Mail))
}

fn failure(refused: Refused, error: &LettreError) -> Failure {
    let mendable = error.status().is_some_and(|code| MENDABLE.contains(&code.to_string().as_str()));
    let permanent = error.is_permanent() || error.is_client();
    match refused {
        Refused::Sender if permanent => Failure::Unreachable,
        Refused::Mail if permanent && !mendable => Failure::Permanent,
        Refused::Sender | Refused::Mail => Failure::Temporary,
    }
}

/// The error with its causes in one line.
fn in_words(error: &LettreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    shortened(&text)
}

/// One line without control characters, and not endless: it is stored and shown.
fn shortened(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().chars().take(SAID_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let settings = SmtpSettings {
            host: "mail.example.ac.kr".to_owned(),
            port: 587,
            security: Security::Starttls,
            log_in: Some(("lockers".to_owned(), Password("hunter2".to_owned()))),
            ca_pem: None,
            patience: Duration::from_secs(1),
        };
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn a_ca_file_that_is_none_is_refused_with_words() {
        let settings = SmtpSettings {
            host: "mail.example.ac.kr".to_owned(),
            port: 587,
            security: Security::Tls,
            log_in: None,
            ca_pem: Some(b"-----BEGIN CERTIFICATE-----\nnonsense\n".to_vec()),
            patience: Duration::from_secs(1),
        };
        let error = Smtp::new(&settings).expect_err("nonsense");
        assert!(error.contains("mail.ca_file"), "{error}");
    }

    #[test]
    fn what_a_server_says_is_kept_on_one_short_line() {
        assert_eq!(shortened(" a\r\nb\u{1b}c "), "a  b c");
        assert_eq!(shortened(&"x".repeat(500)).len(), SAID_CHARS_MAX);
    }
}
