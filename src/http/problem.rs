//! Refusals as RFC 9457 problem documents; the only place that knows which code has which status.
//!
//! A [`Problem`] travels as an extension of an empty response; the dispatcher writes the document
//! when it knows the request's id and address. Internals never reach the client: they were logged
//! where they happened.

use serde_json::{Map, Value, json};
use warp::Reply;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{Response as HttpResponse, StatusCode};
use warp::reject::{InvalidQuery, MethodNotAllowed, Rejection};
use warp::reply::Response;

use crate::service::error::{Code, Error};

/// A refusal on its way to the client.
#[derive(Debug)]
pub struct Problem(Error);

impl Problem {
    /// A refusal that HTTP itself makes.
    pub fn new(code: Code, detail: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self(Error::new(code, detail))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The status of a code.
#[expect(clippy::too_many_lines, reason = "one table")]
#[must_use]
pub const fn status(code: Code) -> StatusCode {
    match code {
        Code::BadRequest | Code::BadJson => StatusCode::BAD_REQUEST,
        Code::Invalid
        | Code::KeyReused
        | Code::CodeWrong
        | Code::PasswordWeak
        | Code::DatesRefused
        | Code::ConsentNeeded => StatusCode::UNPROCESSABLE_ENTITY,
        Code::CodeExpired => StatusCode::GONE,
        Code::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::LengthRequired => StatusCode::LENGTH_REQUIRED,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::NotFound
        | Code::LockerNotFound
        | Code::BankNotFound
        | Code::LocationNotFound
        | Code::TermNotFound
        | Code::BoardNotFound
        | Code::OpeningNotFound
        | Code::MassOpeningNotFound
        | Code::AlarmNotFound
        | Code::ScanNotFound
        | Code::ProofNotFound
        | Code::OperationNotFound
        | Code::SessionNotFound
        | Code::MemberNotFound
        | Code::KioskNotFound
        | Code::MailNotFound
        | Code::LimitNotFound
        | Code::AuditRowNotFound
        | Code::JobNotFound
        | Code::NotWaiting
        | Code::WaitingNotFound
        | Code::ReservationNotFound
        | Code::OverdueCaseNotFound
        | Code::PenaltyNotFound
        | Code::RentalNotFound
        | Code::BulkEndNotFound
        | Code::NotYourLocker => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
        Code::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        Code::Unauthenticated
        | Code::BadCredentials
        | Code::SecondFactorNeeded
        | Code::KioskUnknown
        | Code::SessionEnded => StatusCode::UNAUTHORIZED,
        Code::RosterLoginOff
        | Code::SecondFactorMissing
        | Code::RegistrationClosed
        | Code::AccountDisabled
        | Code::Leaving
        | Code::PresenceNeeded
        | Code::PresenceWrong
        | Code::NotAtKiosk
        | Code::PasswordNeeded
        | Code::ProofNeeded
        | Code::Forbidden
        | Code::ForeignOrigin
        | Code::OutsideWindow
        | Code::BankClosed
        | Code::OutsideDates
        | Code::Overdue => StatusCode::FORBIDDEN,
        Code::RefreshSuperseded
        | Code::ClockUntrusted
        | Code::ClockDiffers
        | Code::JobUnderWay
        | Code::StillRenting
        | Code::NameTaken
        | Code::NumberTaken
        | Code::ChannelTaken
        | Code::StillInUse
        | Code::TermGranted
        | Code::LastAdmin
        | Code::RosterShrinks
        | Code::KeysElsewhere
        | Code::KeysRotating
        | Code::TotpEnrolled
        | Code::TotpNotEnrolled
        | Code::PresenceUsed
        | Code::MailOff
        | Code::StudentIdTaken
        | Code::PhoneTaken
        | Code::EmailTaken
        | Code::OutOfService
        | Code::LockerTaken
        | Code::NoFreeLocker
        | Code::AlreadyHolding
        | Code::AlreadyRenting
        | Code::HoldExpired
        | Code::OnlyHeld
        | Code::OptionOff
        | Code::HoldExtended
        | Code::ExtensionEarly
        | Code::ExtensionsUsed
        | Code::LastDayOver
        | Code::OthersWait
        | Code::LockerFree
        | Code::AlreadyWaiting
        | Code::Occupied
        | Code::NoShortage
        | Code::WrongMode
        | Code::DayFull
        | Code::AlreadyReserved
        | Code::TooManyReservations
        | Code::CheckedIn
        | Code::NotReturned
        | Code::RentalOver
        | Code::ReturnByDoorOff
        | Code::Penalty
        | Code::PenaltyWaived
        | Code::OverdueStep
        | Code::NotOpened
        | Code::DoorOpen
        | Code::ProofStep
        | Code::BoardRented
        | Code::BoardSilent
        | Code::CommissioningBusy
        | Code::AlarmAcknowledged
        | Code::NotWired
        | Code::OpeningUnderWay
        | Code::MassOpeningUnderWay => StatusCode::CONFLICT,
        Code::LockCooling | Code::TooManyAttempts | Code::TooManyRequests => {
            StatusCode::TOO_MANY_REQUESTS
        }
        Code::Overloaded | Code::Degraded => StatusCode::SERVICE_UNAVAILABLE,
        Code::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What the dispatcher writes into the document.
#[derive(Clone)]
pub(super) struct ProblemParts {
    code: Code,
    detail: String,
    data: Map<String, Value>,
}

impl Reply for Problem {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let mut response = Response::default();
        *response.status_mut() = status(error.code);
        let headers = response.headers_mut();
        if response_wants_authenticate(error.code) {
            let challenge = HeaderValue::from_static(match error.code {
                Code::KioskUnknown => "Kiosk realm=\"lockerd\"",
                _ => "Bearer realm=\"lockerd\"",
            });
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        let mut data = error.data.map(|data| *data).unwrap_or_default();
        if let Some(ms) = error.retry_after_ms {
            headers.insert(RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000).max(1)));
            data.insert("retry_after_ms".to_owned(), ms.into());
        }
        let parts = ProblemParts { code: error.code, detail: error.detail.into_owned(), data };
        response.extensions_mut().insert(parts);
        response
    }
}

fn response_wants_authenticate(code: Code) -> bool {
    status(code) == StatusCode::UNAUTHORIZED
}

/// Writes the document of a refusal; other responses pass.
pub(super) fn finish(mut response: Response, path: &str, request_id: &str) -> Response {
    let Some(parts) = response.extensions_mut().remove::<ProblemParts>() else {
        return response;
    };
    let mut document = json!({
        "type": format!("/problems/{}", parts.code.name()),
        "title": title(parts.code),
        "status": response.status().as_u16(),
        "detail": parts.detail,
        "instance": path,
        "code": parts.code.name(),
        "request_id": request_id,
    });
    if let Value::Object(members) = &mut document {
        for (key, value) in parts.data {
            members.entry(key).or_insert(value);
        }
    }
    let (mut head, _) = response.into_parts();
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    HttpResponse::from_parts(head, document.to_string().into())
}

fn title(code: Code) -> &'static str {
    Code::ALL.iter().find(|(known, _)| *known == code).map_or("", |(_, title)| title)
}

/// Turns what no route took into a refusal.
pub(super) async fn recover(rejection: Rejection) -> Result<Response, std::convert::Infallible> {
    let problem = if rejection.is_not_found() {
        Problem::new(Code::NotFound, "there is nothing at this address: see /api/swagger/")
    // Only a route whose method fits reads the query: what its neighbours say comes after.
    } else if rejection.find::<InvalidQuery>().is_some() {
        Problem::new(Code::BadRequest, "the part of the address behind the ? could not be read")
    } else if rejection.find::<MethodNotAllowed>().is_some() {
        Problem::new(Code::MethodNotAllowed, "this address does not take this method")
    } else {
        tracing::error!(area = "http", ?rejection, "a rejection that no route should make");
        Problem::new(Code::Internal, "something went wrong on our side; it was logged")
    };
    Ok(problem.into_response())
}

/// The document behind a problem's `type`: what a code means.
pub(super) fn describe(slug: &str) -> Result<Value, Problem> {
    let found = Code::ALL.iter().find(|(code, _)| code.name() == slug);
    let (code, meaning) = found
        .ok_or_else(|| Problem::new(Code::NotFound, "there is no problem type of this name"))?;
    Ok(json!({ "code": code.name(), "status": status(*code).as_u16(), "title": meaning }))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_lower_case_and_have_an_error_status() {
        let mut seen = HashSet::new();
        for (code, meaning) in Code::ALL {
            let name = code.name();
            assert!(seen.insert(name), "{name} stands twice");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            assert!(status(*code).as_u16() >= 400, "{name}");
            assert!(meaning.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn the_reference_page_lists_every_code_as_it_is() {
        let page = include_str!("../../docs/ref/problems.md");
        for (code, meaning) in Code::ALL {
            let line = format!("| `{}` | {} | {meaning} |", code.name(), status(*code).as_u16());
            assert!(page.contains(&line), "docs/ref/problems.md lacks: {line}");
        }
        let listed = page.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(listed, Code::ALL.len(), "docs/ref/problems.md lists codes that are gone");
    }
}
