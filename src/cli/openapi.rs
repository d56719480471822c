//! `lockerd openapi`: the API document without a server, for whoever makes a client from it.

use super::say;
use crate::http;

/// Prints the document as JSON on standard output.
pub(super) fn run() -> anyhow::Result<()> {
    say(http::api_document());
    Ok(())
}
