"""Teaches schemathesis the media types of this API that it does not know: TOML and CSV as text."""

import schemathesis


@schemathesis.serializer("application/toml", "text/csv", "text/plain")
def text(context, value):
    """Sends whatever was generated as its text."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
