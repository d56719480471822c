//! Why a use-case refused, free of transport: a stable code, a sentence for people, and data.
//!
//! Codes are part of the API: clients choose their text by them, so one is never renamed. The
//! status that HTTP gives a code stands in `http/problem.rs` and nowhere else.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::store::{Constraint, JobError, StoreError, Trouble};

macro_rules! codes {
    ($($variant:ident $text:literal $doc:literal),+ $(,)?) => {
        /// What went wrong, as clients know it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $doc] $variant),+
        }

        impl Code {
            /// Every code with what it means.
            pub const ALL: &[(Self, &'static str)] = &[$((Self::$variant, $doc)),+];

            /// The published name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

codes! {
    BadRequest "bad_request" "The request could not be read.",
    BadJson "bad_json" "The body is not the JSON that this call takes.",
    Invalid "invalid" "A value is not acceptable.",
    UnsupportedType "unsupported_type" "The body must be application/json.",
    LengthRequired "length_required" "The body's length must be given.",
    TooLarge "too_large" "The body or the headers are too large.",
    BodyTimeout "body_timeout" "The body did not arrive in time.",
    NotFound "not_found" "There is nothing at this address.",
    MethodNotAllowed "method_not_allowed" "This address does not take this method.",
    UpgradeRequired "upgrade_required" "This address speaks WebSocket only.",
    ForeignOrigin "foreign_origin" "A page of another site may not do this.",
    Misdirected "misdirected" "This server does not answer for that host name.",
    Unauthenticated "unauthenticated" "A valid access token is needed.",
    BadCredentials "bad_credentials" "Id, password or personal data do not match.",
    SessionEnded "session_ended" "The log-in has ended; log in again.",
    RefreshSuperseded "refresh_superseded" "A newer refresh token was issued a moment ago.",
    RosterLoginOff "roster_login_off" "This site does not log in by personal data.",
    PasswordNeeded "password_needed" "This needs a log-in with a password.",
    ProofNeeded "proof_needed" "The person must show once more who they are.",
    Forbidden "forbidden" "The account may not do this.",
    SecondFactorNeeded "second_factor_needed" "A code of the authenticator app is needed as well.",
    SecondFactorMissing "second_factor_missing" "The site wants this account to set up an authenticator app first.",
    CodeWrong "code_wrong" "The code is wrong.",
    CodeExpired "code_expired" "The code is too old, was used, or was missed too often.",
    PasswordWeak "password_weak" "The password is too short or too common.",
    ConsentNeeded "consent_needed" "The privacy notice in force must be agreed to.",
    RegistrationClosed "registration_closed" "People cannot make themselves an account here.",
    AccountDisabled "account_disabled" "Staff have disabled this account.",
    Leaving "leaving" "The account can only empty its locker and return it.",
    TooManyAttempts "too_many_attempts" "Too many tries failed; wait.",
    TooManyRequests "too_many_requests" "This was done too often in a short time; wait.",
    SessionNotFound "session_not_found" "There is no such log-in, or it is somebody else's.",
    MemberNotFound "member_not_found" "There is no such member.",
    StillRenting "still_renting" "The account still has a locker.",
    LastAdmin "last_admin" "The site would be left without an admin.",
    RosterShrinks "roster_shrinks" "People would leave the roster: this must be confirmed.",
    KeysRotating "keys_rotating" "The keys were rotated a moment ago.",
    KeysElsewhere "keys_elsewhere" "The site's keys are managed outside of the program.",
    TotpEnrolled "totp_enrolled" "An authenticator app is set up already.",
    TotpNotEnrolled "totp_not_enrolled" "No authenticator app is set up.",
    PresenceNeeded "presence_needed" "This bank opens only to people who stand before it.",
    PresenceWrong "presence_wrong" "The presence code is wrong or too old.",
    PresenceUsed "presence_used" "The account has used this presence code already.",
    KioskUnknown "kiosk_unknown" "This kiosk is not paired, or not any more.",
    KioskNotFound "kiosk_not_found" "There is no such kiosk.",
    NotAtKiosk "not_at_kiosk" "This cannot be done at a kiosk.",
    MailOff "mail_off" "This needs mail, and the site sends none.",
    MailNotFound "mail_not_found" "There is no such mail.",
    LimitNotFound "limit_not_found" "There is no such limit in force.",
    AuditRowNotFound "audit_row_not_found" "There is no such row of the audit log.",
    StudentIdTaken "student_id_taken" "Another account has this student id.",
    PhoneTaken "phone_taken" "Another account has this phone number.",
    EmailTaken "email_taken" "Another account has this e-mail address.",
    LockerNotFound "locker_not_found" "There is no locker with this number.",
    BankNotFound "bank_not_found" "There is no such bank.",
    LocationNotFound "location_not_found" "There is no such location.",
    TermNotFound "term_not_found" "There is no such term.",
    NameTaken "name_taken" "Another one has this name.",
    NumberTaken "number_taken" "A locker has or had this number.",
    ChannelTaken "channel_taken" "Another locker hangs on this lock.",
    StillInUse "still_in_use" "Something that is in use hangs on it.",
    TermGranted "term_granted" "People were granted lockers by this term: it changes for the future only.",
    BankClosed "bank_closed" "The bank is closed at this time.",
    BoardNotFound "board_not_found" "There is no such bus or board.",
    OpeningNotFound "opening_not_found" "There is no such opening, or it is somebody else's.",
    MassOpeningNotFound "mass_opening_not_found" "There is no such mass opening, or it is of other banks.",
    ScanNotFound "scan_not_found" "There is no such scan, or it was forgotten.",
    ProofNotFound "proof_not_found" "There is no such proof of a board.",
    ProofStep "proof_step" "The proof of the board awaits something else.",
    BoardRented "board_rented" "A locker on this board is rented.",
    BoardSilent "board_silent" "The board cannot be read.",
    CommissioningBusy "commissioning_busy" "Something else is under way on this bus.",
    AlarmNotFound "alarm_not_found" "There is no such alarm, or it is not the account's to see.",
    AlarmAcknowledged "alarm_acknowledged" "Somebody has acknowledged this alarm already.",
    OperationNotFound "operation_not_found" "Nothing was carried out under this key.",
    ClockUntrusted "clock_untrusted" "The server does not know the time for certain.",
    ClockDiffers "clock_differs" "The server's clock shows another time.",
    JobNotFound "job_not_found" "There is no such job.",
    JobUnderWay "job_under_way" "The job runs right now.",
    OutsideWindow "outside_window" "Lockers cannot be claimed at this time.",
    OutOfService "out_of_service" "The locker is not lent for now.",
    LockerTaken "locker_taken" "Somebody else has this locker.",
    NoFreeLocker "no_free_locker" "No locker of this bank is free.",
    AlreadyHolding "already_holding" "The account holds another locker.",
    AlreadyRenting "already_renting" "The account rents a locker already.",
    HoldExpired "hold_expired" "The account does not hold this locker, or not any more.",
    WrongMode "wrong_mode" "The bank does not lend its lockers in this way.",
    DatesRefused "dates_refused" "The bank takes no reservation for these days.",
    DayFull "day_full" "The bank is full on one of the days.",
    AlreadyReserved "already_reserved" "The account has a reservation on some of these days.",
    TooManyReservations "too_many_reservations" "The account has as many reservations in the bank as it may.",
    ReservationNotFound "reservation_not_found" "There is no such reservation, or it is somebody else's, or over.",
    CheckedIn "checked_in" "The reservation was checked in: it is a rental by now.",
    NotYourLocker "not_your_locker" "The account does not rent this locker.",
    OnlyHeld "only_held" "The locker is held but not yet confirmed.",
    OptionOff "option_off" "The bank does not offer this.",
    HoldExtended "hold_extended" "The hold was extended already.",
    ExtensionEarly "extension_early" "The rental cannot be extended yet.",
    ExtensionsUsed "extensions_used" "The rental was extended as often as the bank allows.",
    LastDayOver "last_day_over" "The last day of the rental is over.",
    OthersWait "others_wait" "Others wait for a locker of this bank.",
    LockerFree "locker_free" "A locker is free: there is nothing to wait for.",
    AlreadyWaiting "already_waiting" "The account waits for a locker already.",
    NotWaiting "not_waiting" "The account does not wait for a locker of this bank.",
    WaitingNotFound "waiting_not_found" "Nobody waits under this number.",
    Occupied "occupied" "Somebody has not emptied this locker yet.",
    NoShortage "no_shortage" "The locker can be had: there is nothing to replace.",
    NotReturned "not_returned" "The locker was not returned.",
    ReturnByDoorOff "return_by_door_off" "This locker is not returned by its door.",
    Penalty "penalty" "The account returned a locker late and may claim none for some days.",
    PenaltyNotFound "penalty_not_found" "There is no such penalty, or it is of other banks.",
    PenaltyWaived "penalty_waived" "The penalty was taken back already.",
    Overdue "overdue" "The rental is over and its renter may not open the locker any more.",
    OverdueCaseNotFound "overdue_case_not_found" "There is no such overdue case, or it is of other banks.",
    OverdueStep "overdue_step" "The overdue case does not stand where this step begins.",
    NotOpened "not_opened" "Staff have not opened the locker since the rental ended.",
    DoorOpen "door_open" "The door of the locker stands open.",
    RentalNotFound "rental_not_found" "There is no such rental, or it is of other banks.",
    RentalOver "rental_over" "The rental is over or was given back.",
    BulkEndNotFound "bulk_end_not_found" "There is no such ending of many rentals, or it is of other banks.",
    OutsideDates "outside_dates" "The rental is not for today.",
    NotWired "not_wired" "This locker has no electric lock.",
    LockCooling "lock_cooling" "The lock was opened a moment ago and must cool down.",
    OpeningUnderWay "opening_under_way" "This locker is being opened right now.",
    MassOpeningUnderWay "mass_opening_under_way" "The bank has a mass opening that runs.",
    KeyReused "key_reused" "This idempotency key was used for another request.",
    Overloaded "overloaded" "Too many requests at once.",
    Degraded "degraded" "The database fails: nothing can be changed for now.",
    StorageFull "storage_full" "The disk is full: nothing can be changed for now.",
    Internal "internal" "Something went wrong on our side.",
}

/// A refusal.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", code.name())]
pub struct Error {
    /// What, for programs.
    pub code: Code,
    /// What and what to do, for people.
    pub detail: Cow<'static, str>,
    /// What a client may want to show: a window, the member's own locker.
    pub data: Option<Box<Map<String, Value>>>,
    /// When trying again makes sense, in milliseconds.
    pub retry_after_ms: Option<u64>,
    source: Option<Box<StoreError>>,
}

impl Error {
    /// A refusal with a sentence for people.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), data: None, retry_after_ms: None, source: None }
    }

    /// Adds a value that clients may show.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.get_or_insert_default().insert(key.to_owned(), value.into());
        self
    }

    /// The same refusal under another code and in other words.
    #[must_use]
    pub fn reworded(self, code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), ..self }
    }

    /// Says when to try again.
    #[must_use]
    pub const fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

impl From<StoreError> for Error {
    fn from(source: StoreError) -> Self {
        let error = match &source {
            StoreError::Conflict(Constraint::RentalLocker) => {
                Self::new(Code::LockerTaken, "somebody else has this locker: pick another one")
            }
            StoreError::Conflict(Constraint::RentalMember) => {
                Self::new(Code::AlreadyRenting, "you have a locker already")
            }
            StoreError::Conflict(Constraint::Unique(columns)) => unique(columns),
            StoreError::Degraded(Trouble::Full) => Self::new(
                Code::StorageFull,
                "the disk is full: tell staff; doors can still be opened",
            )
            .retry_after_ms(10_000),
            StoreError::Degraded(trouble) => Self::new(
                Code::Degraded,
                format!("{}: tell staff; doors can still be opened", trouble.explain()),
            )
            .retry_after_ms(2_000),
            StoreError::Overloaded => {
                Self::new(Code::Overloaded, "too many requests at once: try again in a moment")
                    .retry_after_ms(1_000)
            }
            StoreError::Closed => {
                Self::new(Code::Overloaded, "the server is restarting: try again in a moment")
                    .retry_after_ms(3_000)
            }
            StoreError::Conflict(Constraint::Reference)
            | StoreError::Inconsistent { .. }
            | StoreError::Driver(_) => {
                tracing::error!(area = "store", error = %source, "a database operation failed");
                Self::new(Code::Internal, "something went wrong on our side; it was logged")
            }
        };
        Self { source: Some(Box::new(source)), ..error }
    }
}

fn unique(columns: &str) -> Error {
    match columns {
        "member.student_id" => {
            Error::new(Code::StudentIdTaken, "another account has this student id")
        }
        "member.phone" => Error::new(Code::PhoneTaken, "another account has this phone number"),
        "member.email" => Error::new(Code::EmailTaken, "another account has this e-mail address"),
        "location.name_ko" | "bank.location_id, bank.name_ko" | "term.name_ko" => {
            Error::new(Code::NameTaken, "another one has this Korean name: pick another name")
        }
        "locker.id" => Error::new(
            Code::NumberTaken,
            "a locker has or had this number: numbers are not used again, pick another one",
        ),
        "locker.bus, locker.board, locker.lock" => {
            Error::new(Code::ChannelTaken, "another locker hangs on this lock: take it off first")
        }
        "waiting.member_id, waiting.term_id" => {
            Error::new(Code::AlreadyWaiting, "you wait for a locker for these days already")
        }
        other => Error::new(Code::Invalid, format!("{other} is taken already")),
    }
}

impl JobError for Error {
    fn store_error(&self) -> Option<&StoreError> {
        self.source.as_deref()
    }
}
