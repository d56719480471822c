//! Browsers: the refresh token and the device's secret in cookies that no script can read, believed
//! only when a page of this very site sends the request.
//!
//! A browser says so with `X-Lockerd: 1`, a header that pages of other sites cannot send without
//! being allowed to. `SameSite` alone would not do: other hosts of the campus domain are the same
//! site, and cookies ignore ports. Whoever reads a cookie asks [`Head::browser`] first; there is no
//! other way to one.

use warp::http::header::{COOKIE, HOST, HeaderName, HeaderValue, ORIGIN, SET_COOKIE};
use warp::reply::Response;

use super::Api;
use super::extract::{Head, ProxyRule};
use super::problem::Problem;
use crate::service::error::Code;
use crate::service::sessions::DEVICE_COOKIE_S;

const MARK: HeaderName = HeaderName::from_static("x-lockerd");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The refresh token's cookie over plain HTTP.
const REFRESH_COOKIE: &str = "lockerd_refresh";
/// The refresh token's cookie over TLS: browsers take this name over TLS only.
const SECURE_REFRESH_COOKIE: &str = "__Secure-lockerd_rt";
/// Nothing else needs the refresh token.
const REFRESH_PATH: &str = "/api/v1/auth";
const DEVICE_COOKIE: &str = "lockerd_device";
const DEVICE_PATH: &str = "/api/v1";
/// The credential of a browser that is a kiosk.
const KIOSK_COOKIE: &str = "lockerd_kiosk";
const KIOSK_PATH: &str = "/api/v1";
/// Ten years: a kiosk is paired until staff revoke it.
const KIOSK_COOKIE_S: i64 = 10 * 365 * 24 * 3_600;

/// What makes an origin this site's own.
#[derive(Clone, Copy)]
pub(super) struct OwnSite<'a> {
    /// The origin of `http.public_url`.
    pub(super) public_origin: Option<&'a str>,
    /// The proxies that may say how the request came to them.
    pub(super) proxies: ProxyRule<'a>,
}

/// The origin of an address that people type: scheme, host and port, as browsers write it.
pub(super) fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
    let scheme = scheme.to_ascii_lowercase();
    let usual_port = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.strip_suffix(usual_port).unwrap_or(&authority);
    Some(format!("{scheme}://{authority}"))
}

/// A browser in which a page of this site runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Browser {
    is_secure: bool,
}

impl Head {
    /// The browser that sent the request, if one says that it did; a refusal when it is not one of
    /// this site's own pages that asks.
    pub(super) fn browser(&self, api: &Api) -> Result<Option<Browser>, Problem> {
        self.browser_of(api.own_site())
    }

    fn browser_of(&self, site: OwnSite<'_>) -> Result<Option<Browser>, Problem> {
        if self.text(MARK) != Some("1") {
            return Ok(None);
        }
        let origin = self.text(ORIGIN).filter(|origin| self.is_own_origin(origin, site));
        let fetched_here = self.text(SEC_FETCH_SITE).is_none_or(|from| from == "same-origin");
        match origin {
            Some(origin) if fetched_here => {
                Ok(Some(Browser { is_secure: origin.starts_with("https://") }))
            }
            _ => {
                let detail = "only this site's own pages may use its cookies; behind a proxy, \
                              http.public_url must be the address that people type";
                Err(Problem::new(Code::ForeignOrigin, detail))
            }
        }
    }

    fn is_own_origin(&self, origin: &str, site: OwnSite<'_>) -> bool {
        if site.public_origin == Some(origin) {
            return true;
        }
        let Some((scheme, _)) = origin.split_once("://") else { return false };
        self.names_this_host(origin) && scheme == self.scheme(site)
    }

    /// Whether an origin has the host and port that the request was sent to.
    pub(super) fn names_this_host(&self, origin: &str) -> bool {
        match (origin.split_once("://"), self.text(HOST)) {
            (Some((_, authority)), Some(host)) => authority.eq_ignore_ascii_case(host),
            _ => false,
        }
    }

    /// How the browser sent the request: what a trusted proxy says, else what is known of the
    /// host. The server itself speaks plain HTTP.
    fn scheme<'a>(&'a self, site: OwnSite<'a>) -> &'a str {
        let told = self.told_by_proxy(FORWARDED_PROTO, site.proxies);
        if let Some(scheme) = told.and_then(|line| line.rsplit(',').next()) {
            return scheme.trim();
        }
        let public = site.public_origin.filter(|origin| self.names_this_host(origin));
        public.and_then(|origin| origin.split_once("://")).map_or("http", |(scheme, _)| scheme)
    }

    /// The value of a cookie. Two of one name are none: a neighbour of the host may have planted
    /// one of them.
    fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.text(COOKIE)?.split(';').filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none())
    }

    /// The refresh token that a browser keeps.
    pub(super) fn refresh_cookie(&self, browser: Browser) -> Option<&str> {
        self.cookie(browser.refresh_name())
    }

    /// The credential that the browser of a kiosk keeps. Browsers name no origin when a page only
    /// looks; the header, which other sites may not send, must do then.
    pub(super) fn kiosk_cookie(&self, api: &Api, changes: bool) -> Result<Option<&str>, Problem> {
        let looks = !changes && self.text(MARK) == Some("1") && self.header(ORIGIN).is_none();
        let trusted = if looks {
            self.text(SEC_FETCH_SITE).is_none_or(|from| from == "same-origin")
        } else {
            self.browser(api)?.is_some()
        };
        Ok(if trusted { self.cookie(KIOSK_COOKIE) } else { None })
    }

    /// The device's secret that a browser keeps.
    pub(super) fn device_cookie(&self, _: Browser) -> Option<&str> {
        self.cookie(DEVICE_COOKIE)
    }
}

impl Browser {
    const fn refresh_name(self) -> &'static str {
        if self.is_secure { SECURE_REFRESH_COOKIE } else { REFRESH_COOKIE }
    }

    /// Has the browser keep the refresh token for this many seconds.
    pub(super) fn keep_refresh(self, response: &mut Response, token: &str, lifetime_s: i64) {
        self.set(response, self.refresh_name(), token, REFRESH_PATH, lifetime_s);
    }

    /// Has the browser forget the refresh token.
    pub(super) fn forget_refresh(self, response: &mut Response) {
        self.set(response, self.refresh_name(), "", REFRESH_PATH, 0);
    }

    /// Has the browser keep its device's secret.
    pub(super) fn keep_device(self, response: &mut Response, secret: &str) {
        self.set(response, DEVICE_COOKIE, secret, DEVICE_PATH, DEVICE_COOKIE_S);
    }

    /// Has the browser of a kiosk keep its credential.
    pub(super) fn keep_kiosk(self, response: &mut Response, credential: &str) {
        self.set(response, KIOSK_COOKIE, credential, KIOSK_PATH, KIOSK_COOKIE_S);
    }

    fn set(self, response: &mut Response, name: &str, value: &str, path: &str, max_age_s: i64) {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let line = format!(
            "{name}={value}; Path={path}; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}"
        );
        // Tokens and secrets are letters, digits, dots, - and _: a header takes them as they are.
        if let Ok(line) = HeaderValue::from_str(&line) {
            response.headers_mut().append(SET_COOKIE, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderMap;

    use super::*;

    const SITE: OwnSite<'static> = OwnSite { public_origin: None, proxies: ProxyRule(&[]) };

    fn head(lines: &[(&'static str, &str)]) -> Head {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "lockers.example:3000".parse().expect("a header"));
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a header"));
        }
        Head::of(headers)
    }

    fn of(lines: &[(&'static str, &str)], site: OwnSite<'_>) -> Result<Option<Browser>, ()> {
        head(lines).browser_of(site).map_err(|_| ())
    }

    #[test]
    fn only_a_page_of_this_origin_is_a_browser() {
        let mark = ("x-lockerd", "1");
        let own = ("origin", "http://lockers.example:3000");
        assert_eq!(of(&[own], SITE), Ok(None));
        assert_eq!(of(&[own, ("x-lockerd", "2")], SITE), Ok(None));
        let browser = Ok(Some(Browser { is_secure: false }));
        assert_eq!(of(&[mark, own], SITE), browser);
        assert_eq!(of(&[mark, own, ("sec-fetch-site", "same-origin")], SITE), browser);
        for site in ["same-site", "cross-site", "none", ""] {
            assert_eq!(of(&[mark, own, ("sec-fetch-site", site)], SITE), Err(()), "{site}");
        }
        for origin in [
            "null",
            "http://lockers.example",
            "http://lockers.example:3001",
            "https://lockers.example:3000",
            "http://evil.lockers.example:3000",
            "lockers.example:3000",
        ] {
            assert_eq!(of(&[mark, ("origin", origin)], SITE), Err(()), "{origin}");
        }
        assert_eq!(of(&[mark], SITE), Err(()));
    }

    #[test]
    fn the_public_address_says_that_people_come_over_tls() {
        let mark = ("x-lockerd", "1");
        let site = |public_origin| OwnSite { public_origin: Some(public_origin), ..SITE };
        let secure = Ok(Some(Browser { is_secure: true }));
        let tls = ("origin", "https://lockers.example:3000");
        assert_eq!(of(&[mark, tls], site("https://lockers.example:3000")), secure);
        // The proxy may ask for another host than people type.
        let public = ("origin", "https://lockers.ac.kr");
        assert_eq!(of(&[mark, public], site("https://lockers.ac.kr")), secure);
        let plain = ("origin", "http://lockers.example:3000");
        assert_eq!(of(&[mark, plain], site("https://lockers.example:3000")), Err(()));
        // Nobody but a trusted proxy is believed about the scheme.
        assert_eq!(of(&[mark, tls, ("x-forwarded-proto", "https")], SITE), Err(()));
    }

    #[test]
    fn an_address_gives_its_origin() {
        for (url, origin) in [
            ("https://Lockers.ac.kr/", "https://lockers.ac.kr"),
            ("https://lockers.ac.kr:443/start?x", "https://lockers.ac.kr"),
            ("http://lockers.ac.kr:80", "http://lockers.ac.kr"),
            ("http://10.0.0.5:3000", "http://10.0.0.5:3000"),
        ] {
            assert_eq!(origin_of(url).as_deref(), Some(origin), "{url}");
        }
        assert_eq!(origin_of("lockers.ac.kr"), None);
    }

    #[test]
    fn a_cookie_that_stands_twice_is_none() {
        let head = head(&[("cookie", "a=1; lockerd_refresh=x.y; b=2;c=3; b=4")]);
        assert_eq!(head.cookie("a"), Some("1"));
        assert_eq!(head.cookie("c"), Some("3"));
        assert_eq!(head.cookie("lockerd_refresh"), Some("x.y"));
        assert_eq!(head.cookie("b"), None);
        assert_eq!(head.cookie("lockerd_device"), None);
    }
}
