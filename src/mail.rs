//! Floor 2: mails as they leave the house. Their texts ([`texts`]), how they are packed, and the ways
//! out: an SMTP server ([`smtp`]), a box in memory that the demo shows ([`kept`]), or none.
//!
//! Knows nothing of the outbox: what is sent when, and what becomes of a failure, is decided by
//! `service/mails`. A [`Letter`] has a fixed Message-ID and date, so that sending it twice shows.
//! Only this room names lettre and minijinja.

use std::str::FromStr;
use std::time::SystemTime;

use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

pub mod kept;
pub mod smtp;
pub mod texts;

use kept::Letterbox;
use smtp::{Smtp, SmtpSettings};
use texts::{TextSettings, Texts};

/// Where mails go.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Nowhere.
    Off,
    /// To a mail server.
    Smtp(SmtpSettings),
    /// Into a box in memory.
    Box,
}

/// What the configuration says about mails.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// Where they go.
    pub transport: Transport,
    /// Who they are from, as `lockers@example.ac.kr` or `Name <lockers@example.ac.kr>`.
    pub from: String,
    /// Where answers go, if elsewhere.
    pub reply_to: Option<String>,
    /// What they say.
    pub texts: TextSettings,
}

/// One mail to one person.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same in HTML.
    pub html: String,
    /// The part of its Message-ID before the @; the same for every attempt.
    pub message_id: String,
    /// When it was written.
    pub date: Timestamp,
}

/// Whether another attempt makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No: this mail will not be taken.
    Permanent,
    /// Yes, this mail was put off.
    Temporary,
    /// Yes, and the others would fare the same now: the server could not be reached, or does not
    /// let this site in.
    Unreachable,
}

/// Why a mail was not taken.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub struct SendError {
    /// Whether to try again.
    pub failure: Failure,
    /// What the server or the network said.
    pub text: String,
}

impl SendError {
    fn new(failure: Failure, text: impl Into<String>) -> Self {
        Self { failure, text: text.into() }
    }
}

/// Sends mails. Shared; whoever sends takes a [`Connection`].
#[derive(Debug)]
pub struct Mailer {
    way: Way,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    texts: Texts,
}

#[derive(Debug)]
enum Way {
    Off,
    Smtp(Box<Smtp>),
    Box(Letterbox),
}

impl Mailer {
    /// Checks the settings as a whole: addresses, certificates, and every text with sample data. An
    /// error is a line for people.
    pub fn new(settings: &MailSettings) -> Result<Self, String> {
        let way = match &settings.transport {
            Transport::Off => Way::Off,
            Transport::Smtp(smtp) => Way::Smtp(Box::new(Smtp::new(smtp)?)),
            Transport::Box => Way::Box(Letterbox::default()),
        };
        Ok(Self {
            way,
            from: mailbox("mail.from", &settings.from)?,
            reply_to: settings
                .reply_to
                .as_deref()
                .map(|text| mailbox("mail.reply_to", text))
                .transpose()?,
            texts: Texts::new(&settings.texts)?,
        })
    }

    /// Whether mails leave the house at all.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        !matches!(self.way, Way::Off)
    }

    /// The texts of mails.
    #[must_use]
    pub const fn texts(&self) -> &Texts {
        &self.texts
    }

    /// The box in memory, if mails go there.
    #[must_use]
    pub const fn kept(&self) -> Option<&Letterbox> {
        match &self.way {
            Way::Box(kept) => Some(kept),
            Way::Off | Way::Smtp(_) => None,
        }
    }

    /// A connection for a row of mails; nothing is opened before the first.
    #[must_use]
    pub const fn connection(&self) -> Connection<'_> {
        Connection { mailer: self, open: None }
    }

    fn pack(&self, letter: &Letter) -> Result<Message, SendError> {
        let permanent = |text: String| SendError::new(Failure::Permanent, text);
        let to = Address::from_str(&letter.to)
            .map_err(|error| permanent(format!("the address cannot be used: {error}")))?;
        let host = self.from.email.domain();
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .message_id(Some(format!("<{}@{host}>", letter.message_id)))
            .date(SystemTime::from(letter.date))
            // RFC 3834: no machine answers this.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let parts = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
        builder.multipart(parts).map_err(|error| permanent(format!("it cannot be packed: {error}")))
    }
}

/// Checks an address with or without a name before it.
fn mailbox(key: &str, text: &str) -> Result<Mailbox, String> {
    Mailbox::from_str(text).map_err(|error| {
        format!(
            "{key} {text:?} is no address ({error}): write it as Lockers <lockers@example.ac.kr>"
        )
    })
}

/// A row of mails over one connection. After a failure the next mail opens a new one: an answer that
/// comes late must not be taken for the answer to the next mail.
pub struct Connection<'a> {
    mailer: &'a Mailer,
    open: Option<smtp::Open>,
}

impl Connection<'_> {
    /// Sends a mail and tells what the server said to it.
    pub async fn send(&mut self, letter: &Letter) -> Result<String, SendError> {
        let message = self.mailer.pack(letter)?;
        match &self.mailer.way {
            Way::Off => Err(SendError::new(Failure::Permanent, "this site sends no mail")),
            Way::Box(kept) => {
                kept.put(letter.clone());
                Ok("kept in the box".to_owned())
            }
            Way::Smtp(smtp) => {
                let mut open = match self.open.take() {
                    Some(open) => open,
                    None => smtp.open().await?,
                };
                let said = smtp.send(&mut open, message.envelope(), &message.formatted()).await?;
                self.open = Some(open);
                Ok(said)
            }
        }
    }

    /// Says goodbye to the server.
    pub async fn close(self) {
        if let (Some(open), Way::Smtp(smtp)) = (self.open, &self.mailer.way) {
            smtp.quit(open).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer() -> Mailer {
        Mailer::new(&MailSettings {
            transport: Transport::Box,
            from: "사물함 <lockers@example.ac.kr>".to_owned(),
            reply_to: Some("help@example.ac.kr".to_owned()),
            texts: TextSettings::default(),
        })
        .expect("valid")
    }

    fn letter(to: &str) -> Letter {
        Letter {
            to: to.to_owned(),
            subject: "가입 코드".to_owned(),
            text: "안녕하세요".to_owned(),
            html: "<p>안녕하세요</p>".to_owned(),
            message_id: "0190-1".to_owned(),
            date: "2026-08-24T01:00:00Z".parse().expect("a time"),
        }
    }

    #[test]
    fn a_packed_mail_has_fixed_headers_and_is_plain_ascii_on_the_wire() {
        let bytes = mailer().pack(&letter("hong@example.ac.kr")).expect("packed").formatted();
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.is_ascii(), "{text}");
        for line in [
            "Message-ID: <0190-1@example.ac.kr>",
            "Date: Mon, 24 Aug 2026 01:00:00 +0000",
            "Auto-Submitted: auto-generated",
            "Reply-To: help@example.ac.kr",
            "To: hong@example.ac.kr",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(text.contains("multipart/alternative"), "{text}");
    }

    #[test]
    fn an_address_that_cannot_be_used_is_a_permanent_failure() {
        for bad in ["", "no-at", "a@b c", "x@y\r\nBcc: z@w"] {
            let error = mailer().pack(&letter(bad)).expect_err(bad);
            assert_eq!(error.failure, Failure::Permanent, "{bad}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_with_words() {
        let settings = MailSettings {
            transport: Transport::Box,
            from: "nobody".to_owned(),
            reply_to: None,
            texts: TextSettings::default(),
        };
        let error = Mailer::new(&settings).expect_err("no address");
        assert!(error.starts_with("mail.from \"nobody\""), "{error}");
    }

    #[tokio::test]
    async fn the_box_keeps_what_is_sent_and_off_refuses() {
        let mailer = mailer();
        mailer.connection().send(&letter("hong@example.ac.kr")).await.expect("kept");
        assert_eq!(mailer.kept().expect("a box").list().len(), 1);
        let off = Mailer { way: Way::Off, ..mailer };
        let error = off.connection().send(&letter("hong@example.ac.kr")).await.expect_err("off");
        assert_eq!(error.failure, Failure::Permanent);
        assert!(!off.is_on());
    }
}
