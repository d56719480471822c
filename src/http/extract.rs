//! What handlers read of a request: its head, who sent it, its JSON body. No rejections: whatever
//! is wrong comes back as a [`Problem`] from the handler, in the order the handler asks.

use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use warp::Filter;
use warp::http::HeaderMap;
use warp::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, USER_AGENT,
};

use super::Api;
use super::accept::Peer;
use super::encoding::Accepted;
use super::problem::Problem;
use crate::service::Services;
use crate::service::error::{Code, Error};
use crate::service::idempotency::RequestKey;
use crate::service::sessions::{Device, device_hash};
use crate::service::tokens::Caller;

/// A larger JSON body is refused unless a call says otherwise: a log-in is the usual largest.
pub const BODY_BYTES_MAX: usize = 4 << 10;

/// How long a body may take to arrive.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies whose word is taken.
#[derive(Clone, Copy)]
pub(super) struct ProxyRule<'a>(pub(super) &'a [IpAddr]);

/// A request without its body.
#[derive(Clone)]
pub(super) struct Head {
    headers: HeaderMap,
    peer: Option<Peer>,
}

/// Extracts the head.
pub(super) fn head()
-> impl Filter<Extract = (Head,), Error = std::convert::Infallible> + Clone + use<> {
    warp::header::headers_cloned()
        .and(warp::ext::optional::<Peer>())
        .map(|headers, peer| Head { headers, peer })
}

impl Head {
    /// A head without a connection behind it.
    #[cfg(test)]
    pub(super) fn of(headers: HeaderMap) -> Self {
        Self { headers, peer: None }
    }

    /// The first header of this name.
    pub(super) fn header(
        &self,
        name: impl warp::http::header::AsHeaderName,
    ) -> Option<&warp::http::HeaderValue> {
        self.headers.get(name)
    }

    /// In which forms the client takes an answer.
    pub(super) fn accepted(&self) -> Accepted {
        Accepted::by(&self.headers)
    }

    pub(super) fn text(&self, name: impl warp::http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Who is calling; a refusal when the access token is missing or not good. Only whole log-ins
    /// pass: none at a kiosk, none without a second factor that the site demands.
    pub(super) fn caller(&self, api: &Api) -> Result<Caller, Problem> {
        Ok(api.services().authenticate_until(self.access_token()?)?.0)
    }

    /// The same for what can also be done at a kiosk.
    pub(super) fn caller_at_kiosk_too(&self, api: &Api) -> Result<Caller, Problem> {
        let caller = self.caller_of_any_kind(api)?;
        api.services().demand_second_factor(caller)?;
        Ok(caller)
    }

    /// The same for what must be possible before the second factor that the site demands is set up.
    pub(super) fn caller_setting_up(&self, api: &Api) -> Result<Caller, Problem> {
        let caller = self.caller_of_any_kind(api)?;
        Services::refuse_at_kiosk(caller)?;
        Ok(caller)
    }

    /// The same for whatever live log-in.
    pub(super) fn caller_of_any_kind(&self, api: &Api) -> Result<Caller, Problem> {
        Ok(api.services().identify(self.access_token()?)?.0)
    }

    fn access_token(&self) -> Result<&str, Problem> {
        self.authorization("bearer").ok_or_else(|| {
            let detail = "log in first and send the access token as Authorization: Bearer …";
            Problem::new(Code::Unauthenticated, detail)
        })
    }

    /// What the Authorization header holds for a scheme.
    pub(super) fn authorization(&self, wanted: &str) -> Option<&str> {
        let (scheme, value) = self.text(AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case(wanted).then(|| value.trim())
    }

    /// Who is calling and the JSON that they sent; the body of whom `may` refuses is not read.
    pub(super) async fn asked<T: DeserializeOwned>(
        &self,
        body: RawBody,
        api: &Api,
        may: impl FnOnce(Caller) -> Result<(), Error>,
    ) -> Result<(Caller, T), Problem> {
        let caller = self.caller(api)?;
        may(caller)?;
        Ok((caller, body.json(self).await?))
    }

    /// Who is calling, if anybody known.
    pub(super) fn caller_if_any(&self, api: &Api) -> Option<Caller> {
        self.caller(api).ok()
    }

    /// The client's key for this request, bound to what is asked for.
    pub(super) fn request_key(&self, asked: &str) -> Result<Option<RequestKey>, Problem> {
        let Some(value) = self.headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
        let key = value.to_str().unwrap_or_default();
        Ok(Some(RequestKey::parse(key, Sha256::digest(asked).into())?))
    }

    /// What is kept of the device that logs in; a refusal when a page of another site asks.
    pub(super) fn device(&self, api: &Api) -> Result<Device, Problem> {
        let browser = self.browser(api)?;
        let secret = browser.and_then(|browser| self.device_cookie(browser));
        Ok(Device {
            user_agent: self.text(USER_AGENT).unwrap_or_default().to_owned(),
            address: self.address(api),
            secret_hash: secret.and_then(device_hash),
            is_browser: browser.is_some(),
        })
    }

    /// The client's address; empty when nobody knows it.
    pub(super) fn address(&self, api: &Api) -> String {
        self.client_address(api.proxy_rule()).map_or_else(String::new, |ip| ip.to_string())
    }

    /// A header that is believed from a trusted proxy only.
    pub(super) fn told_by_proxy(
        &self,
        name: impl warp::http::header::AsHeaderName,
        rule: ProxyRule<'_>,
    ) -> Option<&str> {
        self.peer.filter(|peer| rule.0.contains(&peer.0.ip().to_canonical()))?;
        self.text(name)
    }

    /// The client's address: the peer's, or what a trusted proxy says it is. Of a chain, the last
    /// address that is no trusted proxy counts: everything before it is hearsay.
    fn client_address(&self, rule: ProxyRule<'_>) -> Option<IpAddr> {
        let peer = self.peer?.0.ip().to_canonical();
        if !rule.0.contains(&peer) {
            return Some(peer);
        }
        // A proxy may add a line of its own instead of to the client's: all lines make the chain.
        let lines =
            self.headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok());
        let chain: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
        let hops = chain.iter().rev().map_while(|hop| hop.trim().parse::<IpAddr>().ok());
        Some(hops.into_iter().find(|hop| !rule.0.contains(hop)).unwrap_or(peer))
    }

    /// Whether the client has this very version already. A proxy that packed it may have made its tag a
    /// weak one.
    pub(super) fn has_version(&self, etag: &str) -> bool {
        self.text(warp::http::header::IF_NONE_MATCH).is_some_and(|tags| {
            let mut tags = tags.split(',').map(str::trim);
            tags.any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == etag)
        })
    }
}

/// A body that has not been read yet.
pub(super) struct RawBody(
    Pin<Box<dyn Stream<Item = Result<bytes::Bytes, warp::Error>> + Send + Sync>>,
);

/// Extracts the body unread.
pub(super) fn body() -> impl Filter<Extract = (RawBody,), Error = warp::Rejection> + Clone + use<> {
    warp::body::stream().map(|stream| RawBody(Box::pin(StreamExt::map(stream, to_bytes))))
}

fn to_bytes(part: Result<impl Buf, warp::Error>) -> Result<bytes::Bytes, warp::Error> {
    part.map(|mut part| part.copy_to_bytes(part.remaining()))
}

impl RawBody {
    /// Reads the body as JSON of a given shape.
    pub(super) async fn json<T: DeserializeOwned>(self, head: &Head) -> Result<T, Problem> {
        self.json_up_to(head, BODY_BYTES_MAX).await
    }

    /// Reads the body as JSON of a given shape; none at all is fine.
    pub(super) async fn json_if_any<T>(self, head: &Head) -> Result<T, Problem>
    where
        T: DeserializeOwned + Default,
    {
        let chunked = head.headers.contains_key(TRANSFER_ENCODING);
        let empty = head.text(CONTENT_LENGTH).is_none_or(|length| length.trim() == "0");
        if empty && !chunked { Ok(T::default()) } else { self.json(head).await }
    }

    /// Reads a body that may be longer than others.
    pub(super) async fn json_up_to<T: DeserializeOwned>(
        self,
        head: &Head,
        bytes_max: usize,
    ) -> Result<T, Problem> {
        let bytes = self.bytes_of(head, "application/json", bytes_max).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Problem::new(Code::BadJson, format!("the body is not what this call takes: {error}"))
        })
    }

    /// Reads a body of another kind as text.
    pub(super) async fn text_up_to(
        self,
        head: &Head,
        media_type: &'static str,
        bytes_max: usize,
    ) -> Result<String, Problem> {
        let bytes = self.bytes_of(head, media_type, bytes_max).await?;
        String::from_utf8(bytes.to_vec())
            .map_err(|_| Problem::new(Code::BadRequest, "the body is not UTF-8"))
    }

    /// Reads a body of another kind as it is.
    pub(super) async fn bytes_up_to(
        self,
        head: &Head,
        media_type: &'static str,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Problem> {
        Ok(self.bytes_of(head, media_type, bytes_max).await?.into())
    }

    async fn bytes_of(
        self,
        head: &Head,
        media_type: &'static str,
        bytes_max: usize,
    ) -> Result<BytesMut, Problem> {
        demand_type(head, media_type, bytes_max)?;
        let read = tokio::time::timeout(BODY_TIMEOUT, self.collect(bytes_max));
        read.await.map_err(|_| {
            Problem::new(Code::BodyTimeout, "the body did not arrive within 10 seconds")
        })?
    }

    async fn collect(mut self, bytes_max: usize) -> Result<BytesMut, Problem> {
        let mut bytes = BytesMut::new();
        while let Some(part) = self.0.next().await {
            let part =
                part.map_err(|_| Problem::new(Code::BadRequest, "the body could not be read"))?;
            if bytes.len() + part.len() > bytes_max {
                return Err(too_large(bytes_max));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }
}

/// A missing type is refused like a wrong one: a form of another site can send a body without one,
/// but not this one without asking first.
fn demand_type(head: &Head, awaited: &'static str, bytes_max: usize) -> Result<(), Problem> {
    let content_type = head.text(CONTENT_TYPE).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(awaited) {
        let detail = format!("send the body as Content-Type: {awaited}");
        return Err(Problem::new(Code::UnsupportedType, detail));
    }
    let Some(length) = head.text(CONTENT_LENGTH) else {
        let detail = "send the body with a Content-Length";
        return Err(Problem::new(Code::LengthRequired, detail));
    };
    match length.parse::<usize>() {
        Ok(length) if length <= bytes_max => Ok(()),
        _ => Err(too_large(bytes_max)),
    }
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("the body may have at most {bytes_max} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(peer: &str, forwarded: &str) -> Head {
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED_FOR, forwarded.parse().expect("a header"));
        Head { headers, peer: Some(Peer(peer.parse().expect("an address"))) }
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_hop() {
        let proxies = ["10.0.0.1".parse().expect("an address")];
        let rule = ProxyRule(&proxies);
        let address = |peer, forwarded| {
            head(peer, forwarded).client_address(rule).expect("known").to_string()
        };
        assert_eq!(address("192.0.2.9:1", "203.0.113.5"), "192.0.2.9");
        assert_eq!(address("10.0.0.1:1", "203.0.113.5"), "203.0.113.5");
        assert_eq!(address("10.0.0.1:1", "1.1.1.1, 203.0.113.5, 10.0.0.1"), "203.0.113.5");
        assert_eq!(address("10.0.0.1:1", "nonsense"), "10.0.0.1");
        assert_eq!(address("[::ffff:10.0.0.1]:1", "203.0.113.5"), "203.0.113.5");
    }
}
