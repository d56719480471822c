//! The body of an answer: what warp made, or parts of which one is shared, packed for clients that take it.
//!
//! The list of lockers is the same for everybody but for its head: sending the shared rows behind a
//! short head spares a copy of the whole for each request, and packing them again.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::Response as HyperResponse;
use warp::reply::Response;

use super::packed::{self, PACKED_FROM_BYTES};

/// Sends the shared part behind the head that a response carries as its only part.
#[derive(Clone)]
pub(super) struct SharedTail {
    pub(super) head: Bytes,
    pub(super) tail: Arc<Tail>,
}

/// The end of many answers, packed once for all.
pub(super) struct Tail {
    plain: Bytes,
    packed: OnceLock<Option<packed::Tail>>,
}

impl Tail {
    pub(super) fn new(text: String) -> Arc<Self> {
        Arc::new(Self { plain: text.into(), packed: OnceLock::new() })
    }

    fn packed(&self) -> Option<&packed::Tail> {
        self.packed.get_or_init(|| packed::Tail::of(&self.plain)).as_ref()
    }
}

/// warp keeps the type of its bodies to itself; this names it.
trait HasBody {
    type Body;
}

impl<B> HasBody for HyperResponse<B> {
    type Body = B;
}

type WarpBody = <Response as HasBody>::Body;

/// See the module.
pub struct SiteBody(Kind);

enum Kind {
    Warp(WarpBody),
    /// One after the other, those that were sent empty.
    Parts([Bytes; 3]),
}

impl SiteBody {
    /// Takes the body of a response, or the parts that it carries as an extension; packed where that may be
    /// and is worth it.
    pub(super) async fn of(response: Response, packs: bool) -> HyperResponse<Self> {
        let (mut head, body) = response.into_parts();
        if let Some(SharedTail { head: first, tail }) = head.extensions.remove::<SharedTail>() {
            let shared = if packs { tail.packed() } else { None };
            let parts = shared.and_then(|tail| packed::before(&first, tail));
            packed::mark(&mut head.headers, parts.is_some());
            let plain = || [first, tail.plain.clone(), Bytes::new()];
            let kind = Kind::Parts(parts.unwrap_or_else(plain));
            return HyperResponse::from_parts(head, Self(kind));
        }
        let is_worth_it = body.size_hint().exact().is_some_and(|it| it >= PACKED_FROM_BYTES);
        if !is_worth_it || !packed::is_text(&head.headers) {
            return HyperResponse::from_parts(head, Self(Kind::Warp(body)));
        }
        if !packs {
            packed::mark(&mut head.headers, false);
            return HyperResponse::from_parts(head, Self(Kind::Warp(body)));
        }
        // Its length is known, so all of it is there.
        let text =
            body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let parts = packed::whole(&text);
        packed::mark(&mut head.headers, parts.is_some());
        let plain = || [text.clone(), Bytes::new(), Bytes::new()];
        HyperResponse::from_parts(head, Self(Kind::Parts(parts.unwrap_or_else(plain))))
    }
}

impl Body for SiteBody {
    type Data = Bytes;
    type Error = warp::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, warp::Error>>> {
        match &mut self.0 {
            Kind::Warp(body) => Pin::new(body).poll_frame(context),
            Kind::Parts(parts) => {
                let next = parts.iter_mut().find(|part| !part.is_empty()).map(std::mem::take);
                Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Warp(body) => body.is_end_stream(),
            Kind::Parts(parts) => parts.iter().all(Bytes::is_empty),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Warp(body) => body.size_hint(),
            Kind::Parts(parts) => {
                SizeHint::with_exact(parts.iter().map(|it| it.len() as u64).sum())
            }
        }
    }
}
