//! The body of an answer: what warp made, or two parts of which the second is shared.
//!
//! The list of lockers is the same for everybody but for its head: sending the shared rows behind a
//! short head spares a copy of the whole for each request.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::Response as HyperResponse;
use warp::reply::Response;

/// Sends `rows` behind the head that a response carries as its only part.
#[derive(Clone)]
pub(super) struct SharedTail {
    pub(super) head: Bytes,
    pub(super) tail: Bytes,
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
    Parts { head: Option<Bytes>, tail: Option<Bytes> },
}

impl SiteBody {
    /// Takes the body of a response, or the two parts that it carries as an extension.
    pub(super) fn of(response: Response) -> HyperResponse<Self> {
        let (mut head, body) = response.into_parts();
        let kind = match head.extensions.remove::<SharedTail>() {
            Some(parts) => Kind::Parts { head: Some(parts.head), tail: Some(parts.tail) },
            None => Kind::Warp(body),
        };
        HyperResponse::from_parts(head, Self(kind))
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
            Kind::Parts { head, tail } => {
                let next = head.take().or_else(|| tail.take());
                Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Warp(body) => body.is_end_stream(),
            Kind::Parts { head, tail } => head.is_none() && tail.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Warp(body) => body.size_hint(),
            Kind::Parts { head, tail } => {
                let length = |part: &Option<Bytes>| part.as_ref().map_or(0, Bytes::len) as u64;
                SizeHint::with_exact(length(head) + length(tail))
            }
        }
    }
}
