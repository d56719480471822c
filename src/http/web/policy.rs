//! What a page may load and run: the Content-Security-Policy. The only script in a page itself is the one
//! that starts the app, known by its hash.

use std::fmt::Write as _;

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// For a page that loads nothing.
pub(super) const OF_NOTHING: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The policy of a page. The hash of a style is that of the router's own element which tells screen
/// readers of a new page; scripts may make markup only by Svelte's own templates.
pub(super) fn of(page: &str) -> String {
    let hashes = inline_scripts(page).fold(String::new(), |mut hashes, script| {
        let _ = write!(hashes, " 'sha256-{}'", BASE64.encode(&Sha256::digest(script)));
        hashes
    });
    format!(
        "default-src 'none'; script-src 'self'{hashes}; style-src 'self'; style-src-attr \
         'unsafe-hashes' 'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='; img-src 'self' data: \
         blob:; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; trusted-types svelte-trusted-html; require-trusted-types-for 'script'"
    )
}

/// What stands between the tags of each script without a file.
fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains(" src=")).then_some(script)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_in_a_page_are_known_by_their_hash_and_those_of_files_are_not() {
        let page = "<html><script src=\"/a.js\"></script><script>alert(1)</script>\n<script \
                    type=\"module\">\n\tlet a = 1 > 0;\n</script>";
        let scripts: Vec<&str> = inline_scripts(page).collect();
        assert_eq!(scripts, ["alert(1)", "\n\tlet a = 1 > 0;\n"]);
        let policy = of(page);
        // printf 'alert(1)' | openssl dgst -sha256 -binary | base64
        let known = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='";
        assert!(policy.contains(&format!("script-src 'self' {known} 'sha256-")), "{policy}");
        assert_eq!(of("").matches("sha256-").count(), 1, "none but the style's");
    }
}
