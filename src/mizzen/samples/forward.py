"""Which header fields a Bookinfo service hands on to the services it calls.

A proxy cannot join the spans of a request in and a request out: only the application knows that they belong together.
"""

from mizzen.samples.web import Headers

TRACE_HEADERS = (
    "x-request-id",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "b3",
    "traceparent",
    "tracestate",
    "x-ot-span-context",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-cloud-trace-context",
    "grpc-trace-bin",
    "sw8",
)
APPLICATION_HEADERS = ("user-agent", "cookie", "authorization", "jwt")


def forwarded(headers: Headers, *, end_user: str = "") -> list[tuple[str, str]]:
    """The fields to send on. ``end_user`` (from productpage's session) wins over a header ``end-user``."""
    fields = [(name, value) for name in TRACE_HEADERS + APPLICATION_HEADERS for value in headers.all(name)[:1] if value]
    user = end_user or headers.get("end-user")
    if user:
        fields.append(("end-user", user))
    return fields
