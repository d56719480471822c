//! The part of the configuration about mails: where they go, who they are from, what they say.
//!
//! The password comes from the first that is there: systemd's credential `mail.password`, the file
//! `password_file`, the key `password`. It is read once, at the start, and never shown.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Time;
use serde::Deserialize;

use super::{Config, ConfigError, in_range};
use crate::mail::smtp::{Password, Security, SmtpSettings};
use crate::mail::texts::TextSettings;
use crate::mail::{MailSettings, Mailer, Transport};

/// The name under which systemd may hand the password over.
const CREDENTIAL: &str = "mail.password";

/// Where mails go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTransport {
    /// Nowhere: codes cannot be mailed.
    #[default]
    Off,
    /// To a mail server.
    Smtp,
    /// Into a box in memory that everybody can look into: for demonstrations.
    Box,
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// STARTTLS, and nothing is sent without it.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None; only for a server on this machine.
    None,
}

/// Mails.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// Where they go: off, smtp or box.
    pub transport: MailTransport,
    /// The mail server's name, as its certificate has it.
    pub host: String,
    /// Its port; left out: 587 for starttls, 465 for tls, 25 for none.
    pub port: Option<u16>,
    /// How the way there is protected: starttls, tls or none.
    pub security: MailSecurity,
    /// With whom to log in there; left out: not at all.
    pub user: Option<String>,
    /// The password of that user.
    pub password: Option<String>,
    /// A file that holds the password.
    pub password_file: Option<PathBuf>,
    /// A certificate authority to believe beside the machine's own, in PEM form.
    pub ca_file: Option<PathBuf>,
    /// How long connecting may take, and how long one mail, in seconds; 5 to 600.
    pub timeout_s: u32,
    /// Who mails are from.
    pub from: String,
    /// Where answers go, if elsewhere.
    pub reply_to: Option<String>,
    /// The site's name in Korean mails.
    pub site_name_ko: String,
    /// The site's name in English mails.
    pub site_name_en: String,
    /// A directory with texts of the site's own.
    pub templates: Option<PathBuf>,
    /// When the daily mail to admins is written, site time.
    pub daily_at: String,
}

impl std::fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the password.
        f.debug_struct("MailConfig")
            .field("transport", &self.transport)
            .field("host", &self.host)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            transport: MailTransport::Off,
            host: String::new(),
            port: None,
            security: MailSecurity::Starttls,
            user: None,
            password: None,
            password_file: None,
            ca_file: None,
            timeout_s: 60,
            from: String::new(),
            reply_to: None,
            site_name_ko: "사물함".to_owned(),
            site_name_en: "Lockers".to_owned(),
            templates: None,
            daily_at: "07:00".to_owned(),
        }
    }
}

impl MailConfig {
    /// `listen`: where the pages of the site are served, with the box among them.
    pub(super) fn check(&self, listen: SocketAddr) -> Result<(), ConfigError> {
        let bad = |text: &str| Err(ConfigError::Value(text.to_owned()));
        in_range("mail.timeout_s", self.timeout_s, 5, 600)?;
        self.daily_at()?;
        for (key, name) in
            [("site_name_ko", &self.site_name_ko), ("site_name_en", &self.site_name_en)]
        {
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                return bad(&format!("mail.{key} must not be empty and is one line"));
            }
        }
        if self.transport == MailTransport::Box && !listen.ip().is_loopback() {
            return bad(
                "mail.transport is box: everybody who reaches the site could read every mail, codes \
                 too; set http.listen to 127.0.0.1 to try it on this machine, or use smtp",
            );
        }
        if self.transport != MailTransport::Smtp {
            return Ok(());
        }
        if self.host.is_empty() {
            return bad("mail.transport is smtp: mail.host must say where the mail server is");
        }
        if self.from.is_empty() {
            return bad("mail.transport is smtp: mail.from must say who mails are from");
        }
        if self.security == MailSecurity::None && !is_loopback(&self.host) {
            return bad(
                "mail.security = \"none\" is for a mail server on this machine (mail.host = \
                 \"localhost\"): use \"starttls\" or \"tls\"",
            );
        }
        if self.password.is_some() && self.password_file.is_some() {
            return bad("mail.password and mail.password_file are both set: leave one out");
        }
        if self.user.is_none() && (self.password.is_some() || self.password_file.is_some()) {
            return bad("mail.password is set: mail.user must say whose it is");
        }
        Ok(())
    }

    /// When the daily mail is written, on the site's clock.
    pub fn daily_at(&self) -> Result<Time, ConfigError> {
        self.daily_at.parse().map_err(|_| {
            let text = format!("mail.daily_at is {:?}: write it as 07:00", self.daily_at);
            ConfigError::Value(text)
        })
    }

    fn smtp(&self) -> Result<SmtpSettings, ConfigError> {
        let (security, usual_port) = match self.security {
            MailSecurity::Starttls => (Security::Starttls, 587),
            MailSecurity::Tls => (Security::Tls, 465),
            MailSecurity::None => (Security::None, 25),
        };
        let log_in = match &self.user {
            Some(user) => Some((user.clone(), self.find_password()?)),
            None => None,
        };
        Ok(SmtpSettings {
            host: self.host.clone(),
            port: self.port.unwrap_or(usual_port),
            security,
            log_in,
            ca_pem: self.ca_file.as_deref().map(|path| read("mail.ca_file", path)).transpose()?,
            patience: Duration::from_secs(u64::from(self.timeout_s)),
        })
    }

    fn find_password(&self) -> Result<Password, ConfigError> {
        let handed = std::env::var_os("CREDENTIALS_DIRECTORY")
            .map(|dir| PathBuf::from(dir).join(CREDENTIAL))
            .filter(|path| path.exists());
        let file = handed.as_ref().or(self.password_file.as_ref());
        let text = match (file, &self.password) {
            (Some(path), _) => {
                let bytes = read("mail.password_file", path)?;
                String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()
            }
            (None, Some(password)) => password.clone(),
            (None, None) => String::new(),
        };
        if text.is_empty() {
            let text = "mail.user is set: give its password by mail.password_file, mail.password \
                        or the systemd credential mail.password";
            return Err(ConfigError::Value(text.to_owned()));
        }
        Ok(Password(text))
    }
}

impl Config {
    /// What sends mails; reads the files that the configuration names and tries every text.
    pub fn mailer(&self) -> Result<Mailer, ConfigError> {
        let mail = &self.mail;
        let transport = match mail.transport {
            MailTransport::Off => Transport::Off,
            MailTransport::Smtp => Transport::Smtp(mail.smtp()?),
            MailTransport::Box => Transport::Box,
        };
        // Whoever sends nothing need not say from whom.
        let from = if mail.from.is_empty() { "lockerd@localhost" } else { &mail.from };
        let settings = MailSettings {
            transport,
            from: from.to_owned(),
            reply_to: mail.reply_to.clone(),
            texts: TextSettings {
                site_ko: mail.site_name_ko.clone(),
                site_en: mail.site_name_en.clone(),
                url: self.http.public_url.clone().unwrap_or_default(),
                zone: self.zone()?,
                dir: mail.templates.clone(),
            },
        };
        Mailer::new(&settings).map_err(ConfigError::Value)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    std::fs::read(path)
        .map_err(|error| ConfigError::Value(format!("{key} {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_of(mail: &str) -> Result<Config, ConfigError> {
        Config::parse(&format!("data_dir = '/x'\n[mail]\n{mail}"), "the test", [])
    }

    #[test]
    fn a_site_without_mail_needs_no_word_about_it() {
        let config = Config::parse("data_dir = '/x'", "the test", []).expect("valid");
        assert!(!config.mailer().expect("valid").is_on());
    }

    #[test]
    fn a_box_that_everybody_may_look_into_is_for_this_machine_alone() {
        let boxed = |listen: &str| {
            let text = format!(
                "data_dir = '/x'\n[http]\nlisten = '{listen}'\n[mail]\ntransport = 'box'\n"
            );
            Config::parse(&text, "the test", [])
        };
        for listen in ["127.0.0.1:3000", "[::1]:3000"] {
            let config = boxed(listen).expect("valid");
            assert!(config.mailer().expect("valid").kept().is_some());
        }
        for listen in ["0.0.0.0:3000", "[::]:3000", "10.0.0.7:3000"] {
            let error = boxed(listen).expect_err(listen).to_string();
            assert!(error.contains("http.listen") && error.contains("smtp"), "{error}");
        }
        let error = config_of("transport = 'box'\n").expect_err("the usual address").to_string();
        assert!(error.contains("mail.transport"), "{error}");
    }

    #[test]
    fn what_cannot_work_is_refused_with_words() {
        let smtp = "transport = 'smtp'\nhost = 'mail.example.ac.kr'\nfrom = 'a@example.ac.kr'\n";
        for (mail, says) in [
            ("transport = 'smtp'\n".to_owned(), "mail.host"),
            ("transport = 'smtp'\nhost = 'x'\n".to_owned(), "mail.from"),
            (format!("{smtp}security = 'none'\n"), "on this machine"),
            (format!("{smtp}password = 'x'\n"), "mail.user"),
            (format!("{smtp}user = 'u'\npassword = 'x'\npassword_file = '/y'\n"), "both"),
            (format!("{smtp}timeout_s = 1\n"), "mail.timeout_s is 1; 5 to 600"),
            ("daily_at = '25:00'\n".to_owned(), "mail.daily_at"),
            ("site_name_ko = ' '\n".to_owned(), "mail.site_name_ko"),
        ] {
            let error = config_of(&mail).expect_err(&mail).to_string();
            assert!(error.contains(says), "{mail}: {error}");
        }
        for (mail, says) in [
            (format!("{smtp}user = 'u'\n"), "give its password"),
            (format!("{smtp}user = 'u'\npassword_file = '/nowhere'\n"), "/nowhere"),
            (format!("{smtp}ca_file = '/nowhere'\n"), "mail.ca_file"),
            (smtp.replace("a@example.ac.kr", "nobody"), "mail.from"),
            ("templates = '/nowhere'\n".to_owned(), "mail.templates"),
        ] {
            let error =
                config_of(&mail).expect("well-formed").mailer().expect_err(&mail).to_string();
            assert!(error.contains(says), "{mail}: {error}");
        }
        let local = smtp.replace("mail.example.ac.kr", "127.0.0.1") + "security = 'none'\n";
        assert!(config_of(&local).expect("valid").mailer().expect("valid").is_on());
    }

    #[test]
    fn the_password_is_never_shown_and_may_look_like_a_number() {
        let smtp = "transport = 'smtp'\nhost = 'localhost'\nfrom = 'a@b.kr'\nuser = 'u'\n\
                    security = 'none'\n";
        let text = format!("data_dir = '/x'\n[mail]\n{smtp}");
        let password = ("LOCKERD_MAIL__PASSWORD".to_owned(), "0_1".to_owned());
        let config = Config::parse(&text, "the test", [password.clone()]).expect("valid");
        assert_eq!(config.mail.password.as_deref(), Some("0_1"));
        let password = (password.0, "123".to_owned());
        let config = Config::parse(&text, "the test", [password]).expect("valid");
        assert_eq!(config.mail.password.as_deref(), Some("123"));
        let mailer = config.mailer().expect("valid");
        assert!(!format!("{config:?} {mailer:?}").contains("123"));
    }
}
