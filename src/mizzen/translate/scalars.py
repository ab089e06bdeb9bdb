"""Our scalar types as protobuf's."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration as DurationMessage

from mizzen.api.meta import Duration


def duration(value: Duration) -> DurationMessage:
    """``value`` as a protobuf duration, to the nanosecond."""
    message = DurationMessage()
    message.FromNanoseconds(value.nanos)
    return message


def seconds(value: float) -> DurationMessage:
    """``value`` seconds as a protobuf duration."""
    return duration(Duration(round(value * 1e9)))
