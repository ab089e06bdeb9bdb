"""Names with a meaning of their own in VirtualServices."""

CLAIM = "@request.auth.claims"
"""A header condition of this name looks at a claim of the validated token (row VS-19)."""
HOST_HEADERS = ("host", ":authority")
"""Setting one of these rewrites the host (row VS-30)."""
