//! The privacy notice that people agree to when they sign up.
//!
//! A site writes its own (`privacy.notice_ko`, `privacy.notice_en`); without one there is a general
//! text that names what is kept and how long, with the numbers that the retention job goes by.

use jiff::SignedDuration;

use super::Retention;
use super::retention::UNSEEN_TERMS;

/// The notice in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivacyNotice {
    /// Which one; a sign-up agrees to it by this name.
    pub version: String,
    /// The text in Korean.
    pub ko: String,
    /// The text in English.
    pub en: String,
}

impl PrivacyNotice {
    /// The notice of a site; what it has not written itself is the general text.
    #[must_use]
    pub fn new(
        version: &str,
        ko: Option<String>,
        en: Option<String>,
        retention: &Retention,
    ) -> Self {
        Self {
            version: version.to_owned(),
            ko: ko.unwrap_or_else(|| general_ko(retention)),
            en: en.unwrap_or_else(|| general_en(retention)),
        }
    }
}

fn days(duration: SignedDuration) -> i64 {
    duration.as_hours() / 24
}

fn general_ko(kept: &Retention) -> String {
    format!(
        "개인정보 처리 안내\n\n\
         사물함 대여를 위해 다음 정보를 보관합니다.\n\
         - 학번, 이름, 전화번호, 이메일 주소, 소속, 비밀번호(되돌릴 수 없는 형태): 탈퇴하거나 \
         명단에서 빠진 뒤 {members}일까지\n\
         - 로그인 기록(시각, 기기, 주소): 로그아웃한 뒤 {sessions}일까지\n\
         - 사물함을 연 기록: {openings}일까지\n\
         - 알림과 조치 기록: 끝난 뒤 {alarms}일까지(아무도 확인하지 않은 것은 {unseen}일까지)\n\
         - 연체와 회수한 물건 기록: 끝난 뒤 {overdue}일까지\n\
         - 보낸 메일: {mails}일까지\n\
         기간이 지나면 개인을 알아볼 수 없도록 지우고, 수만 통계로 남깁니다.\n\
         정보는 이 기기에만 저장되며 사물함 운영 외의 목적으로 쓰지 않습니다.\n\
         내 정보를 파일로 받거나, 고치거나, 계정을 지울 수 있습니다. 동의하지 않으면 계정을 만들 수 \
         없으니 사물함은 담당 직원에게 문의해 주세요.\n",
        members = days(kept.members),
        sessions = days(kept.sessions),
        openings = days(kept.openings),
        alarms = days(kept.alarms),
        unseen = days(kept.alarms) * i64::from(UNSEEN_TERMS),
        overdue = days(kept.overdue),
        mails = days(kept.mails),
    )
}

fn general_en(kept: &Retention) -> String {
    format!(
        "How your data is used\n\n\
         To lend lockers, this site keeps:\n\
         - student id, name, phone number, e-mail address, department and password (in a form that \
         cannot be turned back): until {members} days after you left or the roster dropped you\n\
         - log-ins (time, device, address): until {sessions} days after they ended\n\
         - openings of your locker: {openings} days\n\
         - alarms and what was done about them: until {alarms} days after they are over ({unseen} if \
         nobody acknowledged them)\n\
         - late returns and what was collected then: until {overdue} days after they are closed\n\
         - mails to you: {mails} days\n\
         After that everything that names you is removed; only counts stay.\n\
         The data stays on this machine and is used for the lockers alone.\n\
         You can get your data as a file, correct it, and delete your account. You cannot have an \
         account without agreeing: ask staff about a locker then.\n",
        members = days(kept.members),
        sessions = days(kept.sessions),
        openings = days(kept.openings),
        alarms = days(kept.alarms),
        unseen = days(kept.alarms) * i64::from(UNSEEN_TERMS),
        overdue = days(kept.overdue),
        mails = days(kept.mails),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_general_text_names_every_term_and_a_sites_own_text_replaces_it() {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let kept = Retention {
            openings: days(91),
            members: days(366),
            sessions: days(92),
            alarms: days(367),
            overdue: days(368),
            mails: days(31),
        };
        let notice = PrivacyNotice::new("2", None, None, &kept);
        for text in [&notice.ko, &notice.en] {
            for term in ["91", "366", "92", "367", "734", "368", "31"] {
                assert!(text.contains(term), "{term}: {text}");
            }
        }
        let own = PrivacyNotice::new("2", Some("우리 글".to_owned()), None, &kept);
        assert_eq!((own.ko.as_str(), own.en), ("우리 글", notice.en));
    }
}
