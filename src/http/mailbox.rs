//! `/mailbox`: the mails of a site whose `mail.transport` is `box`, for everybody to see: that is what
//! makes a demonstration without a mail server work, and why no real site may be set so. On any other
//! site there is nothing here.
//!
//! The HTML of a mail is shown in a frame of its own that may run nothing and load nothing.

use std::fmt::Write as _;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use warp::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::service::error::Code;
use crate::service::mails::Kept;

const STYLE: &str = include_str!("mailbox/page.css");

/// A mail may bring its own inline style and nothing else.
const MAIL_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'";

/// Which language the page is in.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    /// ko or en; what the browser prefers when left out.
    lang: Option<String>,
}

/// A mail in the box.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BoxedMailReply {
    /// Its number since the start.
    number: u64,
    /// When it was written, RFC 3339.
    written_at: String,
    /// Whom it is for.
    to: String,
    /// The subject.
    subject: String,
    /// The plain text.
    text: String,
    /// The same in HTML.
    html: String,
    /// The part of its Message-ID before the @.
    message_id: String,
}

/// The mails in the box.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MailboxReply {
    /// Newest first, at most 200.
    mails: Vec<BoxedMailReply>,
}

impl From<Kept> for BoxedMailReply {
    fn from(kept: Kept) -> Self {
        let letter = kept.letter;
        Self {
            number: kept.number,
            written_at: letter.date.to_string(),
            to: letter.to,
            subject: letter.subject,
            text: letter.text,
            html: letter.html,
            message_id: letter.message_id,
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    let list = path!("api" / "v1" / "mailbox").and(warp::get()).and(with(api)).map(handle_list);
    let find =
        path!("api" / "v1" / "mailbox" / u64).and(warp::get()).and(with(api)).map(handle_find);
    list.map(Reply::into_response).boxed().or_route(find.map(Reply::into_response).boxed())
}

/// The pages, which stand outside of the API.
pub(super) fn pages(api: &Api) -> Routes {
    let page = || warp::get().and(warp::query::<PageQuery>()).and(head()).and(with(api));
    let list = path!("mailbox").and(page()).map(list_page).map(Reply::into_response).boxed();
    let mail = path!("mailbox" / u64).and(page()).map(mail_page).map(Reply::into_response).boxed();
    let html = path!("mailbox" / u64 / "html").and(warp::get()).and(with(api)).map(html_of);
    list.or_route(mail).or_route(html.map(Reply::into_response).boxed())
}

fn kept(api: &Api) -> Result<Vec<Kept>, Problem> {
    api.services().mailbox().ok_or_else(|| {
        Problem::new(Code::NotFound, "this site has no mailbox: its mails go elsewhere")
    })
}

fn find(api: &Api, number: u64) -> Result<Kept, Problem> {
    let found = kept(api)?.into_iter().find(|mail| mail.number == number);
    found.ok_or_else(|| Problem::new(Code::MailNotFound, "the box does not hold this mail"))
}

/// The mails of a demonstration, newest first. 404 on a site that sends mails.
#[utoipa::path(
    get, path = "/api/v1/mailbox", tag = "mailbox",
    responses((status = 200, body = MailboxReply), (status = 404)), security(())
)]
#[expect(clippy::needless_pass_by_value, reason = "filters give their parts away")]
pub(super) fn handle_list(api: Api) -> Result<Response, Problem> {
    let mails = kept(&api)?.into_iter().map(Into::into).collect();
    Ok(warp::reply::json(&MailboxReply { mails }).into_response())
}

/// One mail of a demonstration.
#[utoipa::path(
    get, path = "/api/v1/mailbox/{number}", tag = "mailbox", params(("number" = u64, Path)),
    responses((status = 200, body = BoxedMailReply), (status = 404)), security(())
)]
#[expect(clippy::needless_pass_by_value, reason = "filters give their parts away")]
pub(super) fn handle_find(number: u64, api: Api) -> Result<Response, Problem> {
    Ok(warp::reply::json(&BoxedMailReply::from(find(&api, number)?)).into_response())
}

/// What the pages say, in one language.
struct Words {
    language: &'static str,
    title: &'static str,
    note: &'static str,
    empty: &'static str,
    back: &'static str,
    to: &'static str,
    written: &'static str,
    plain: &'static str,
    other: (&'static str, &'static str),
}

const KOREAN: Words = Words {
    language: "ko",
    title: "시험용 메일함",
    note: "이 사이트는 메일을 밖으로 보내지 않고 여기에 모아 둡니다. 누구나 볼 수 있습니다.",
    empty: "아직 메일이 없습니다. 가입하거나 비밀번호 찾기를 하면 여기에 나타납니다.",
    back: "← 모든 메일",
    to: "받는 사람",
    written: "시각",
    plain: "텍스트로 보기",
    other: ("en", "English"),
};

const ENGLISH: Words = Words {
    language: "en",
    title: "Test mailbox",
    note: "This site sends no mail: it is kept here instead, for everybody to see.",
    empty: "No mail yet. Sign up or ask for a new password, and it shows up here.",
    back: "← All mails",
    to: "To",
    written: "Time",
    plain: "Show as text",
    other: ("ko", "한국어"),
};

fn words(query: &PageQuery, head: &Head) -> &'static Words {
    let preferred = head.header(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let asked = query.lang.as_deref().or(preferred).unwrap_or("ko");
    if asked.starts_with("en") { &ENGLISH } else { &KOREAN }
}

#[expect(clippy::needless_pass_by_value, reason = "filters give their parts away")]
fn list_page(query: PageQuery, head: Head, api: Api) -> Result<Response, Problem> {
    let words = words(&query, &head);
    let mails = kept(&api)?;
    let mut rows = String::new();
    for mail in &mails {
        let _ = write!(
            rows,
            "<li><a href=\"/mailbox/{}?lang={}\"><span class=\"subject\">{}</span>\
             <span class=\"facts\"><span>{}</span><time datetime=\"{}\">{}</time></span></a></li>",
            mail.number,
            words.language,
            escape(&mail.letter.subject),
            escape(&mail.letter.to),
            mail.letter.date,
            local(&api, mail),
        );
    }
    let body = if rows.is_empty() {
        format!("<p class=\"empty\">{}</p>", words.empty)
    } else {
        format!("<ol>{rows}</ol>")
    };
    let body = format!("<p class=\"note\">{}</p>{body}", words.note);
    // Whoever waits for a code sees it come.
    Ok(page(words, "/mailbox", "<meta http-equiv=\"refresh\" content=\"5\">", &body))
}

#[expect(clippy::needless_pass_by_value, reason = "filters give their parts away")]
fn mail_page(number: u64, query: PageQuery, head: Head, api: Api) -> Result<Response, Problem> {
    let words = words(&query, &head);
    let mail = find(&api, number)?;
    let subject = escape(&mail.letter.subject);
    let body = format!(
        "<p class=\"note\"><a href=\"/mailbox?lang={}\">{}</a></p><h2>{subject}</h2>\
         <dl><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd><time datetime=\"{}\">{}</time></dd></dl>\
         <iframe sandbox src=\"/mailbox/{number}/html\" title=\"{subject}\"></iframe>\
         <details><summary>{}</summary><pre>{}</pre></details>",
        words.language,
        words.back,
        words.to,
        escape(&mail.letter.to),
        words.written,
        mail.letter.date,
        local(&api, &mail),
        words.plain,
        escape(&mail.letter.text),
    );
    Ok(page(words, &format!("/mailbox/{number}"), "", &body))
}

#[expect(clippy::needless_pass_by_value, reason = "filters give their parts away")]
fn html_of(number: u64, api: Api) -> Result<Response, Problem> {
    let mail = find(&api, number)?;
    Ok(html(mail.letter.html, HeaderValue::from_static(MAIL_POLICY)))
}

fn local(api: &Api, mail: &Kept) -> String {
    let zone = api.services().clock.zone().clone();
    mail.letter.date.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn page(words: &Words, here: &str, more: &str, body: &str) -> Response {
    let Words { language, title, other: (code, name), .. } = words;
    let text = format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{more}\
         <title>{title}</title><style>{STYLE}</style></head><body><main>\
         <header><h1>{title}</h1><a href=\"{here}?lang={code}\" lang=\"{code}\">{name}</a></header>\
         {body}</main></body></html>"
    );
    let style = BASE64.encode(&Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; frame-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
    html(text, policy)
}

fn html(text: String, policy: HeaderValue) -> Response {
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_mail_becomes_markup() {
        assert_eq!(escape("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
    }

    #[test]
    fn the_language_is_the_asked_one_then_the_browsers_then_korean() {
        let mut headers = warp::http::HeaderMap::new();
        let nothing = Head::of(headers.clone());
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en-GB,en;q=0.9"));
        let english = Head::of(headers);
        let asked = |lang: Option<&str>| PageQuery { lang: lang.map(str::to_owned) };
        assert_eq!(words(&asked(None), &nothing).language, "ko");
        assert_eq!(words(&asked(None), &english).language, "en");
        assert_eq!(words(&asked(Some("ko")), &english).language, "ko");
    }
}
