"""``fault``: injected delays and aborts (rows VS-47, VS-48)."""

from __future__ import annotations

from envoy.extensions.filters.http.fault.v3 import fault_pb2
from envoy.type.v3 import percent_pb2

from mizzen.api.grpc_status import GRPC_STATUSES
from mizzen.api.match import Percent
from mizzen.api.virtual_service import HTTPFaultInjection
from mizzen.translate.scalars import duration

FILTER = "envoy.filters.http.fault"
_MILLION = 1_000_000


def fault(injection: HTTPFaultInjection) -> fault_pb2.HTTPFault | None:
    """The per-route config of the fault filter; None when there is nothing to inject. No percentage means none (VS-47)."""
    message = fault_pb2.HTTPFault()
    delay = injection.delay
    if delay is not None and delay.fixed_delay is not None:
        message.delay.fixed_delay.CopyFrom(duration(delay.fixed_delay))
        message.delay.percentage.CopyFrom(fraction(delay.percentage or Percent(value=delay.percent)))
    abort = injection.abort
    if abort is not None:
        if abort.grpc_status in GRPC_STATUSES:
            message.abort.grpc_status = GRPC_STATUSES.index(abort.grpc_status)
        elif abort.http_status is not None:
            message.abort.http_status = abort.http_status
        if message.abort.WhichOneof("error_type") is not None:
            message.abort.percentage.CopyFrom(fraction(abort.percentage or Percent()))
    return message if message.ByteSize() else None


def fraction(percent: Percent) -> percent_pb2.FractionalPercent:
    """``percent`` in millionths, so that 0.0001 still counts."""
    return percent_pb2.FractionalPercent(
        numerator=round(percent.value * _MILLION / 100), denominator=percent_pb2.FractionalPercent.MILLION
    )
