//! In which forms a client takes an answer, by its Accept-Encoding header (RFC 9110 §12.5.3).

use warp::http::HeaderMap;
use warp::http::header::ACCEPT_ENCODING;

/// What a client takes beside the plain form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) brotli: bool,
    pub(super) gzip: bool,
}

impl Accepted {
    /// What a request says. Plain is always taken: there is no other form to fall back on.
    pub(super) fn by(headers: &HeaderMap) -> Self {
        let said = headers.get(ACCEPT_ENCODING).and_then(|it| it.to_str().ok()).unwrap_or_default();
        let takes = |name: &str| {
            let of = |wanted: &str| {
                weighted(said)
                    .find(|(it, _)| it.eq_ignore_ascii_case(wanted))
                    .map(|(_, taken)| taken)
            };
            of(name).or_else(|| of("*")).unwrap_or(false)
        };
        Self { brotli: takes("br"), gzip: takes("gzip") }
    }
}

/// The entries of an Accept header, each with whether its weight is above zero.
pub(super) fn weighted(header: &str) -> impl Iterator<Item = (&str, bool)> {
    header.split(',').map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|it| it.strip_prefix("q=").or_else(|| it.strip_prefix("Q=")));
        // What is not a number is not said.
        let taken = weight.and_then(|it| it.parse::<f32>().ok()).is_none_or(|it| it > 0.0);
        (name, taken)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_takes_is_read_with_weights() {
        for (said, brotli, gzip) in [
            ("", false, false),
            ("gzip, deflate, br, zstd", true, true),
            ("gzip", false, true),
            ("GZIP;q=0.5, BR;q=1", true, true),
            ("br;q=0, gzip", false, true),
            ("br; q=0.0, *", false, true),
            ("*", true, true),
            ("*;q=0", false, false),
            ("identity", false, false),
            ("brotli", false, false),
            ("gzip;q=x", false, true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, said.parse().expect("a header"));
            assert_eq!(Accepted::by(&headers), Accepted { brotli, gzip }, "{said}");
        }
        assert_eq!(Accepted::by(&HeaderMap::new()), Accepted::default());
    }
}
