//! The web app: files that the build of `ui/` made, inside the binary. `npm run build` also makes their
//! smaller copies; nothing is compressed here.
//!
//! An address that names no file is a place within the app, for which the app's one page is sent
//! ([`Folder::answer`]). Files whose name changes with their content are kept by browsers for ever, all
//! others are asked for again and mostly answered with 304. What a page may load is in its policy
//! (`web/policy.rs`). Without `ui/build` the program has no app, and its first page says so.

use std::sync::Arc;

use rust_embed::Embed;
use warp::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, REFERRER_POLICY, VARY,
};
use warp::http::{Method, StatusCode};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::Routes;
use super::encoding::weighted;
use super::extract::{Head, head};
use super::problem::Problem;
use crate::service::error::Code;

mod files;
mod policy;

use files::{File, Files};

/// The page of every address.
const PAGE: &str = "index.html";

/// What a program without the app says, in the policy of no script and no style.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>lockerd</title>\
    <h1>The web app is not in this program</h1><p>Build it with <code>make ui</code> (Node 20.19 or \
    newer), then build the program again. The API is at <a href=\"/api/swagger/\">/api/swagger/</a>.";

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// What the app never asks a browser for.
const NO_PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), \
    encrypted-media=(), fullscreen=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), \
    idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), \
    picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), \
    xr-spatial-tracking=()";

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

#[derive(Embed)]
#[folder = "ui/build"]
#[allow_missing = true]
struct App;

#[derive(Embed)]
#[folder = "ui/build-demo"]
#[allow_missing = true]
struct DemoFront;

/// The files of one build.
pub(super) struct Folder {
    files: Files,
    /// What its page may load; `None` when it was not built.
    policy: Option<HeaderValue>,
    /// Below this, a file never changes: its name does.
    immutable: &'static str,
    /// Where nothing but files is, and no place within the app.
    closed: &'static str,
}

/// Every address outside of the API.
pub(super) fn routes() -> Routes {
    let app = Arc::new(Folder::app());
    path::full()
        .and(warp::method())
        .and(head())
        .map(move |path: path::FullPath, method: Method, head: Head| {
            app.answer(path.as_str(), &method, &head)
        })
        .map(Reply::into_response)
        .boxed()
}

impl Folder {
    /// The app.
    pub(super) fn app() -> Self {
        Self::new(Files::of::<App>(), "_app/immutable/", "_app/")
    }

    /// The front page of a demonstration.
    pub(super) fn demo() -> Self {
        Self::new(Files::of::<DemoFront>(), "demo/", "")
    }

    fn new(files: Files, immutable: &'static str, closed: &'static str) -> Self {
        let page = files.get(PAGE).map(File::text);
        let policy = page.and_then(|page| HeaderValue::from_str(&policy::of(&page)).ok());
        Self { files, policy, immutable, closed }
    }

    /// Answers a request for an address: a file, the app's page for a place within it, or 404.
    pub(super) fn answer(
        &self,
        path: &str,
        method: &Method,
        head: &Head,
    ) -> Result<Response, Problem> {
        let name = path.strip_prefix('/').unwrap_or(path);
        let file = self.files.get(name);
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if !reads && (name.is_empty() || file.is_some()) {
            let detail = "pages and files are only read: GET or HEAD";
            return Err(Problem::new(Code::MethodNotAllowed, detail));
        }
        if let Some(file) = file {
            return Ok(self.file(name, file, head));
        }
        let is_place = reads && self.policy.is_some() && self.is_place(name) && takes_pages(head);
        if name.is_empty() || is_place {
            return Ok(self.page(head));
        }
        let detail = "there is nothing at this address: the API is at /api/swagger/";
        Err(Problem::new(Code::NotFound, detail))
    }

    /// The page of every address.
    pub(super) fn page(&self, head: &Head) -> Response {
        if let Some(page) = self.files.get(PAGE) {
            return self.file(PAGE, page, head);
        }
        let mut response = warp::reply::html(NOT_BUILT).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy::OF_NOTHING));
        response
    }

    /// Whether an address that names no file may be a place within the app.
    fn is_place(&self, name: &str) -> bool {
        let last = name.rsplit('/').next().unwrap_or_default();
        !name.starts_with(self.closed) && !last.contains('.')
    }

    fn file(&self, name: &str, file: &File, head: &Head) -> Response {
        let (copy, encoding) = file.choose(head.accepted());
        let mut response = Response::default();
        let headers = response.headers_mut();
        let lasting = if name.starts_with(self.immutable) { IMMUTABLE } else { "no-cache" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(lasting));
        headers.insert(ETAG, copy.etag.clone());
        headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
        if file.is_page() {
            self.secure(&mut response);
        }
        if head.has_version(copy.tag()) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, file.content_type.clone());
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        *response.body_mut() = copy.bytes.clone().into();
        response
    }

    fn secure(&self, response: &mut Response) {
        let headers = response.headers_mut();
        if let Some(policy) = &self.policy {
            headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
        }
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(NO_PERMISSIONS));
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    }
}

/// Whether somebody asks for pages by name, as browsers do; programs that take anything want the truth.
fn takes_pages(head: &Head) -> bool {
    let accept = head.text(ACCEPT).unwrap_or_default();
    weighted(accept).any(|(kind, taken)| taken && kind.eq_ignore_ascii_case("text/html"))
}

#[cfg(test)]
mod tests;
