//! Embedded files with their smaller copies: `x.js`, `x.js.br` and `x.js.gz` are one file in three forms.

use std::borrow::Cow;
use std::collections::HashMap;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use rust_embed::Embed;
use warp::http::HeaderValue;

use crate::http::encoding::Accepted;

/// Bytes of a file's hash in its tag: more than enough to tell two apart.
const TAG_BYTES: usize = 12;

/// A file as the build wrote it.
pub(super) struct Raw {
    pub(super) data: Cow<'static, [u8]>,
    /// SHA-256.
    pub(super) hash: [u8; 32],
    /// Its media type, by the ending of its name.
    pub(super) kind: String,
}

/// One form of a file.
pub(super) struct Form {
    pub(super) bytes: Bytes,
    /// Of these very bytes: each form has its own.
    pub(super) etag: HeaderValue,
}

impl Form {
    fn of(file: Raw) -> Self {
        let tag = HEXLOWER.encode(&file.hash[..TAG_BYTES]);
        let etag = HeaderValue::from_str(&format!("\"{tag}\""));
        let bytes = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Self { bytes, etag: etag.unwrap_or(HeaderValue::from_static("\"\"")) }
    }

    pub(super) fn tag(&self) -> &str {
        self.etag.to_str().unwrap_or_default()
    }
}

/// A file in every form that there is.
pub(super) struct File {
    plain: Form,
    brotli: Option<Form>,
    gzip: Option<Form>,
    pub(super) content_type: HeaderValue,
}

impl File {
    /// The smallest form that is taken, and its name in a Content-Encoding header.
    pub(super) fn choose(&self, accepted: Accepted) -> (&Form, Option<&'static str>) {
        match (&self.brotli, &self.gzip) {
            (Some(form), _) if accepted.brotli => (form, Some("br")),
            (_, Some(form)) if accepted.gzip => (form, Some("gzip")),
            _ => (&self.plain, None),
        }
    }

    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.plain.bytes)
    }

    pub(super) fn is_page(&self) -> bool {
        self.content_type.as_bytes().starts_with(b"text/html")
    }
}

/// Files by their path without a slash before it.
#[derive(Default)]
pub(super) struct Files(HashMap<String, File>);

impl Files {
    /// What was compiled in.
    pub(super) fn of<E: Embed>() -> Self {
        Self::new(E::iter().filter_map(|name| {
            let file = E::get(&name)?;
            let (hash, kind) = (file.metadata.sha256_hash(), file.metadata.mimetype().to_owned());
            Some((name.into_owned(), Raw { data: file.data, hash, kind }))
        }))
    }

    pub(super) fn new(all: impl IntoIterator<Item = (String, Raw)>) -> Self {
        let mut forms: HashMap<String, Raw> = all.into_iter().collect();
        let is_copy = |name: &String| {
            let whole = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz"));
            whole.is_some_and(|whole| forms.contains_key(whole))
        };
        let names: Vec<String> = forms.keys().filter(|name| !is_copy(name)).cloned().collect();
        let mut files = HashMap::new();
        for name in names {
            let Some(plain) = forms.remove(&name) else { continue };
            let content_type = content_type(&plain.kind);
            let mut copy = |ending: &str| forms.remove(&format!("{name}{ending}")).map(Form::of);
            let (brotli, gzip) = (copy(".br"), copy(".gz"));
            files.insert(name, File { plain: Form::of(plain), brotli, gzip, content_type });
        }
        Self(files)
    }

    pub(super) fn get(&self, name: &str) -> Option<&File> {
        self.0.get(name)
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Everything that the build writes is UTF-8.
fn content_type(kind: &str) -> HeaderValue {
    let charset = if kind.starts_with("text/") { "; charset=utf-8" } else { "" };
    let value = HeaderValue::from_str(&format!("{kind}{charset}"));
    value.unwrap_or(HeaderValue::from_static("application/octet-stream"))
}
