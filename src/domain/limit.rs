//! How often something may fail or be done before the next try has to wait.
//!
//! Two rules: a ladder of waits for failures in a row, which ends in a lock that only people open,
//! and a number within a window. What is counted and for whom stands in [`LimitKind`]; a [`Tally`]
//! is what is stored of it. A wall clock that was set back never lengthens a wait.

use super::id::MemberId;

/// Waits after the first failure in a row, the second and so on; the last one repeats.
pub const LADDER_MS: [i64; 4] = [1_000, 3_000, 5_000, 10_000];

/// Failures in a row after which only people help (NIST SP 800-63B §3.2.2: at most 100).
pub const FAILURES_MAX: u32 = 100;

/// What a locked limit answers to "when again?": there is no time, an hour is a fair next look.
pub const LOCKED_RETRY_MS: i64 = 3_600_000;

/// Minutes and hours of the windows, in milliseconds.
const TEN_MINUTES_MS: i64 = 600_000;
const HOUR_MS: i64 = 3_600_000;

/// Calls for staff within ten minutes: each is one more line for them to read.
const HELP_MAX: u32 = 10;

/// The numbers that a site may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitRules {
    /// Failures from one address, or at one kiosk, within ten minutes: a whole campus may be behind it.
    pub address_failures: u32,
    /// Sign-ups begun from one address within an hour, and codes for a forgotten password asked for.
    pub sign_ups: u32,
    /// Mails with a code to one account or address within an hour.
    pub mails: u32,
    /// Refused openings of one account within ten minutes.
    pub refused_openings: u32,
}

impl Default for LimitRules {
    fn default() -> Self {
        Self { address_failures: 2_000, sign_ups: 2_000, mails: 5, refused_openings: 30 }
    }
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitKind {
    /// Wrong passwords for an id, from devices that its account does not know.
    LogIn,
    /// Wrong passwords from one device that the account knows.
    LogInDevice,
    /// Wrong personal data for a student id.
    RosterLogIn,
    /// A wrong password where somebody who is logged in types it again.
    PasswordAgain,
    /// Wrong codes of an authenticator app, and wrong recovery codes.
    SecondFactor,
    /// Wrong presence codes of a member.
    Presence,
    /// Wrong codes of a member, or for an id, at whatever kiosk.
    KioskCode,
    /// Every wrong code at one kiosk: people take turns there, so nobody is held back soon.
    Kiosk,
    /// Wrong pairing codes of kiosks from one address.
    KioskPairing,
    /// Wrong registration codes of banks.
    RegistrationCode,
    /// Every failure from one address.
    Address,
    /// Codes for a forgotten password asked for from one address.
    Forgotten,
    /// Sign-ups begun from one address.
    SignUp,
    /// Mails with a code.
    Mail,
    /// Mails to the owner of an account about sign-ups that others tried with its id or address:
    /// strangers do not use up the owner's codes.
    SignUpKnown,
    /// Refused openings.
    RefusedOpening,
    /// Calls for staff, of one account or one kiosk.
    Help,
}

impl LimitKind {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::LogIn,
        Self::LogInDevice,
        Self::RosterLogIn,
        Self::PasswordAgain,
        Self::SecondFactor,
        Self::Presence,
        Self::KioskCode,
        Self::Kiosk,
        Self::KioskPairing,
        Self::RegistrationCode,
        Self::Address,
        Self::Forgotten,
        Self::SignUp,
        Self::Mail,
        Self::SignUpKnown,
        Self::RefusedOpening,
        Self::Help,
    ];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LogIn => "log_in",
            Self::LogInDevice => "log_in_device",
            Self::RosterLogIn => "roster_log_in",
            Self::PasswordAgain => "password_again",
            Self::SecondFactor => "second_factor",
            Self::Presence => "presence",
            Self::KioskCode => "kiosk_code",
            Self::Kiosk => "kiosk",
            Self::KioskPairing => "kiosk_pairing",
            Self::RegistrationCode => "registration_code",
            Self::Address => "address",
            Self::Forgotten => "forgotten",
            Self::SignUp => "sign_up",
            Self::Mail => "mail",
            Self::SignUpKnown => "sign_up_known",
            Self::RefusedOpening => "refused_opening",
            Self::Help => "help",
        }
    }

    /// Finds a kind by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it counts tries that failed, not things that were done.
    #[must_use]
    pub const fn is_of_failures(self) -> bool {
        !matches!(
            self,
            Self::Forgotten
                | Self::SignUp
                | Self::Mail
                | Self::SignUpKnown
                | Self::RefusedOpening
                | Self::Help
        )
    }

    /// Whether it is a ladder: a success ends it.
    #[must_use]
    pub const fn is_a_ladder(self) -> bool {
        self.is_of_failures() && !matches!(self, Self::Address | Self::Kiosk | Self::KioskPairing)
    }

    /// Whether all failures of one member count together towards the lock. A device stands for
    /// itself: what others did is neither held against it nor forgiven with it.
    #[must_use]
    pub const fn counts_by_member(self) -> bool {
        self.is_a_ladder() && !matches!(self, Self::LogInDevice)
    }

    /// How it is counted on a site with these numbers.
    #[must_use]
    pub const fn rule(self, rules: &LimitRules) -> Rule {
        match self {
            Self::LogIn
            | Self::LogInDevice
            | Self::RosterLogIn
            | Self::PasswordAgain
            | Self::SecondFactor
            | Self::Presence
            | Self::KioskCode
            | Self::RegistrationCode => Rule::Ladder,
            Self::Address | Self::Kiosk | Self::KioskPairing => {
                Rule::Window { most: rules.address_failures, window_ms: TEN_MINUTES_MS }
            }
            Self::Forgotten | Self::SignUp => {
                Rule::Window { most: rules.sign_ups, window_ms: HOUR_MS }
            }
            Self::Mail | Self::SignUpKnown => {
                Rule::Window { most: rules.mails, window_ms: HOUR_MS }
            }
            Self::RefusedOpening => {
                Rule::Window { most: rules.refused_openings, window_ms: TEN_MINUTES_MS }
            }
            Self::Help => Rule::Window { most: HELP_MAX, window_ms: TEN_MINUTES_MS },
        }
    }
}

/// Who is limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    text: String,
    member: Option<MemberId>,
}

impl Subject {
    /// An account.
    #[must_use]
    pub fn member(id: MemberId) -> Self {
        Self { text: format!("member:{id}"), member: Some(id) }
    }

    /// What somebody typed to say who they are, as a keyed hash; whose it is, if anybody's. All
    /// failures of one member are counted together, whatever was typed.
    #[must_use]
    pub fn typed(hash: &[u8; 32], member: Option<MemberId>) -> Self {
        Self { text: format!("typed:{}", hex(hash)), member }
    }

    /// A device (the hash of its secret) with the account that it is known for.
    #[must_use]
    pub fn device(secret_hash: &[u8; 32], member: MemberId) -> Self {
        Self { text: format!("device:{}", hex(secret_hash)), member: Some(member) }
    }

    /// The address of a client; of IPv6 the network, since everybody has very many of its addresses.
    #[must_use]
    pub fn address(address: &str) -> Self {
        let network = match address.parse::<std::net::Ipv6Addr>() {
            Ok(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::")
            }
            Err(_) => address.to_owned(),
        };
        Self { text: format!("address:{network}"), member: None }
    }

    /// A mail address, as a keyed hash.
    #[must_use]
    pub fn recipient(hash: &[u8; 32]) -> Self {
        Self { text: format!("recipient:{}", hex(hash)), member: None }
    }

    /// Anything else that has a number of its own, as `kiosk` 3.
    #[must_use]
    pub fn numbered(noun: &'static str, number: i64) -> Self {
        Self { text: format!("{noun}:{number}"), member: None }
    }

    /// As it is stored.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whose account it is about.
    #[must_use]
    pub const fn member_id(&self) -> Option<MemberId> {
        self.member
    }
}

/// 64 bits of a hash are enough to keep subjects apart.
fn hex(hash: &[u8; 32]) -> String {
    data_encoding::HEXLOWER.encode(&hash[..8])
}

/// How a limit is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Waits of [`LADDER_MS`] after failures in a row, a lock after [`FAILURES_MAX`].
    Ladder,
    /// So many within a window that begins with the first.
    Window {
        /// How many.
        most: u32,
        /// Its length.
        window_ms: i64,
    },
}

/// What is stored of a limit. Times are unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Since when `count` counts.
    pub since_ms: i64,
    /// When it was counted last.
    pub last_ms: i64,
    /// How often.
    pub count: u32,
    /// Until when the next try is refused; 0: not at all, [`Tally::LOCKED`]: until people help.
    pub until_ms: i64,
}

/// That the next try has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// For so many milliseconds, at least 1.
    For(i64),
    /// Until staff release it (for an account also: until its password is reset).
    Locked,
}

impl Tally {
    /// `until_ms` of a limit that only people release.
    pub const LOCKED: i64 = i64::MAX;

    /// Whether the next try has to wait.
    #[must_use]
    pub const fn hold(&self, now_ms: i64) -> Option<Hold> {
        if self.until_ms == Self::LOCKED {
            return Some(Hold::Locked);
        }
        // A clock that was set back: nobody waits for a time that may be years away.
        if now_ms < self.last_ms || now_ms >= self.until_ms {
            return None;
        }
        Some(Hold::For(self.until_ms - now_ms))
    }
}

impl Rule {
    /// Counts one more.
    #[must_use]
    pub fn count(self, before: Option<Tally>, now_ms: i64) -> Tally {
        let fresh = Tally { since_ms: now_ms, last_ms: now_ms, count: 1, until_ms: 0 };
        match self {
            Self::Ladder => {
                let count = before.map_or(1, |tally| tally.count.saturating_add(1));
                let step = usize::try_from(count - 1).unwrap_or(usize::MAX);
                let wait_ms = LADDER_MS[step.min(LADDER_MS.len() - 1)];
                let locked = count >= FAILURES_MAX;
                let until_ms = if locked { Tally::LOCKED } else { now_ms + wait_ms };
                let since_ms = before.map_or(now_ms, |tally| tally.since_ms);
                Tally { since_ms, count, until_ms, ..fresh }
            }
            Self::Window { most, window_ms } => {
                let running = before
                    .filter(|tally| (tally.since_ms..tally.since_ms + window_ms).contains(&now_ms));
                let (since_ms, count) = running
                    .map_or((now_ms, 1), |tally| (tally.since_ms, tally.count.saturating_add(1)));
                let until_ms = if count >= most { since_ms + window_ms } else { 0 };
                Tally { since_ms, count, until_ms, ..fresh }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000_000;

    #[test]
    fn the_ladder_climbs_and_locks_at_a_hundred() {
        let (mut tally, mut now) = (None, NOW);
        let mut waits = Vec::new();
        for _ in 0..FAILURES_MAX {
            let next = Rule::Ladder.count(tally, now);
            tally = Some(next);
            match next.hold(now) {
                Some(Hold::For(ms)) => {
                    waits.push(ms);
                    assert_eq!(next.hold(now + ms - 1), Some(Hold::For(1)));
                    assert_eq!(next.hold(now + ms), None);
                    now += ms;
                }
                other => {
                    assert_eq!((other, waits.len()), (Some(Hold::Locked), 99));
                    assert_eq!(next.hold(now + 1_000 * HOUR_MS), Some(Hold::Locked));
                }
            }
        }
        assert_eq!(waits[..5], [1_000, 3_000, 5_000, 10_000, 10_000]);
    }

    #[test]
    fn a_window_takes_its_number_and_begins_anew() {
        let rule = Rule::Window { most: 2, window_ms: 100 };
        let first = rule.count(None, NOW);
        assert_eq!(first.hold(NOW), None);
        let second = rule.count(Some(first), NOW + 10);
        assert_eq!(second.hold(NOW + 10), Some(Hold::For(90)));
        assert_eq!(second.hold(NOW + 100), None);
        let third = rule.count(Some(second), NOW + 100);
        assert_eq!((third.count, third.hold(NOW + 100)), (1, None));
    }

    #[test]
    fn a_clock_set_back_keeps_nobody_waiting() {
        let tally = Rule::Ladder.count(None, NOW);
        assert_eq!(tally.hold(NOW - 1), None);
        let rule = Rule::Window { most: 1, window_ms: 100 };
        let tally = rule.count(None, NOW);
        assert_eq!(tally.hold(NOW - 50), None);
        assert_eq!(rule.count(Some(tally), NOW - 50).since_ms, NOW - 50);
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        for kind in LimitKind::ALL {
            assert_eq!(LimitKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(LimitKind::from_name("nonsense"), None);
    }

    #[test]
    fn addresses_of_one_network_are_one_subject() {
        let one = Subject::address("2001:db8:1:2:3:4:5:6");
        assert_eq!(one, Subject::address("2001:db8:1:2::9"));
        assert_ne!(one, Subject::address("2001:db8:1:3::9"));
        assert_ne!(Subject::address("10.0.0.1"), Subject::address("10.0.0.2"));
    }
}
