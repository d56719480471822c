//! Answers of the API in gzip (RFC 1952), for clients that take it: lists repeat themselves, and a phone at the
//! far end of a full hall's radio waits for each kilobyte.
//!
//! What many share is deflated once, and put behind a head of each one's own: deflated parts (RFC 1951) that end
//! on whole bytes may follow one another, and their sums can be put together. Answers of `/api/v1/auth` stay
//! plain: they have secrets in them beside what the caller sent, and their length must not tell of either.

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};
use warp::http::HeaderValue;
use warp::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, VARY};

/// What is shorter fits into one packet anyway.
pub(super) const PACKED_FROM_BYTES: u64 = 1 << 10;

/// The secrets' tree.
const PLAIN: &str = "/api/v1/auth/";

/// Magic, deflate, no flags, no time, the fastest algorithm, system unknown (RFC 1952 §2.3).
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// Whether answers on a path may be packed at all.
pub(super) fn may_pack(path: &str) -> bool {
    path.starts_with("/api/") && !path.starts_with(PLAIN)
}

/// Whether an answer is a text of the API that nobody has packed yet.
pub(super) fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    kind.starts_with("application/json") && !headers.contains_key(CONTENT_ENCODING)
}

/// Says of an answer that it has two forms, and which this one is.
pub(super) fn mark(headers: &mut HeaderMap, packed: bool) {
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    if !packed {
        return;
    }
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    // The tag is that of the text, not of these very bytes (RFC 9110 §8.8.1).
    let weak = headers.get(ETAG).and_then(|it| it.to_str().ok()).map(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        HeaderValue::from_str(&format!("W/{tag}"))
    });
    if let Some(Ok(weak)) = weak {
        headers.insert(ETAG, weak);
    }
}

/// The end of many answers, deflated.
pub(super) struct Tail {
    deflated: Bytes,
    sum: Crc,
}

impl Tail {
    /// `None` when the compressor fails, which costs nothing but length.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let deflated = deflated(text, FlushCompress::Finish)?.into();
        Some(Self { deflated, sum: sum_of(text) })
    }
}

/// A whole answer: its head, and the end that others have, too.
pub(super) fn before(head: &[u8], tail: &Tail) -> Option<[Bytes; 3]> {
    let mut first = HEAD.to_vec();
    first.extend(deflated(head, FlushCompress::Sync)?);
    let mut sum = sum_of(head);
    sum.combine(&tail.sum);
    Some([first.into(), tail.deflated.clone(), end(&sum)])
}

/// An answer that nobody shares.
pub(super) fn whole(text: &[u8]) -> Option<[Bytes; 3]> {
    Some([
        Bytes::from_static(&HEAD),
        deflated(text, FlushCompress::Finish)?.into(),
        end(&sum_of(text)),
    ])
}

fn sum_of(text: &[u8]) -> Crc {
    let mut sum = Crc::new();
    sum.update(text);
    sum
}

fn end(sum: &Crc) -> Bytes {
    [sum.sum().to_le_bytes(), sum.amount().to_le_bytes()].concat().into()
}

/// One part in deflate without a frame; `None` when the compressor fails.
fn deflated(text: &[u8], flush: FlushCompress) -> Option<Vec<u8>> {
    let mut compressor = Compress::new(Compression::fast(), false);
    let mut out = Vec::with_capacity(text.len() / 4 + 64);
    loop {
        let taken = usize::try_from(compressor.total_in()).ok()?;
        compressor.compress_vec(text.get(taken..)?, &mut out, flush).ok()?;
        if out.len() < out.capacity() {
            return Some(out);
        }
        out.reserve(out.len());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn unpacked(parts: &[Bytes; 3]) -> String {
        let mut text = String::new();
        let bytes = parts.concat();
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).expect("gzip");
        text
    }

    fn rows(count: usize) -> String {
        let row = |it| format!("{{\"locker_id\":{},\"state\":\"free\"}}", it * 7919);
        (0..count).map(row).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        for text in [String::new(), "{}".to_owned(), rows(1), rows(5_000)] {
            assert_eq!(unpacked(&whole(text.as_bytes()).expect("packed")), text);
        }
    }

    #[test]
    fn heads_of_each_ones_own_stand_before_one_tail() {
        let shared = rows(1_000);
        let tail = Tail::of(shared.as_bytes()).expect("packed");
        for head in ["", "{\"mine\":1,", &rows(300)] {
            let parts = before(head.as_bytes(), &tail).expect("packed");
            assert_eq!(unpacked(&parts), format!("{head}{shared}"));
        }
    }

    #[test]
    fn secrets_and_pages_stay_plain() {
        assert!(may_pack("/api/v1/lockers"));
        assert!(!may_pack("/api/v1/auth/login"));
        assert!(!may_pack("/_app/version.json"));
    }

    #[test]
    fn the_tag_of_a_packed_answer_is_a_weak_one() {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static("\"a1\""));
        mark(&mut headers, false);
        assert_eq!(headers[ETAG], "\"a1\"");
        mark(&mut headers, true);
        assert_eq!(headers[ETAG], "W/\"a1\"");
    }
}
