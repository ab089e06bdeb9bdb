"""``retries`` (rows VS-39 to VS-46)."""

from __future__ import annotations

from envoy.config.route.v3 import route_components_pb2 as route
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from envoy.extensions.retry.priority.previous_priorities.v3 import previous_priorities_config_pb2

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.virtual_service import HTTPRetry
from mizzen.model.protocol import Protocol
from mizzen.translate.messages import any_of
from mizzen.translate.scalars import duration

DEFAULT_ON = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
INBOUND_ON = "reset-before-request"
_DEFAULT_ATTEMPTS = 2
_STATUS_CODES = "retriable-status-codes"


def retry_policy(own: HTTPRetry | None, mesh: MeshConfig, *, hashed: bool = False) -> route.RetryPolicy | None:
    """The route's own policy, else the mesh's, else two retries of what never reached the app (row VS-45).

    None switches retries off. ``hashed``: the route has one destination, chosen by a hash (row VS-43).
    """
    retry = own or mesh.default_http_retry_policy or HTTPRetry(attempts=_DEFAULT_ATTEMPTS)
    if retry.attempts <= 0:
        return None
    message = route.RetryPolicy(host_selection_retry_max_attempts=5)
    message.num_retries.value = retry.attempts
    message.retry_on, codes = _conditions(retry.retry_on or DEFAULT_ON)
    message.retriable_status_codes.extend(codes)
    if retry.per_try_timeout is not None:
        message.per_try_timeout.CopyFrom(duration(retry.per_try_timeout))
    ignore = retry.retry_ignore_previous_hosts
    if ignore or (ignore is None and not hashed):
        message.retry_host_predicate.add(
            name="envoy.retry_host_predicates.previous_hosts",
            typed_config=any_of(previous_hosts_pb2.PreviousHostsPredicate()),
        )
    if retry.retry_remote_localities:
        config = previous_priorities_config_pb2.PreviousPrioritiesConfig(update_frequency=2)
        message.retry_priority.name = "envoy.retry_priorities.previous_priorities"
        message.retry_priority.typed_config.CopyFrom(any_of(config))
    if retry.backoff is not None:
        message.retry_back_off.base_interval.CopyFrom(duration(retry.backoff))
    return message


def inbound_policy(mesh: MeshConfig, protocol: Protocol) -> route.RetryPolicy | None:
    """What a server's sidecar retries towards its app: a request that the app never got, but for gRPC (row VS-46).

    Of the mesh's ``defaultInboundHttpRetryPolicy`` only attempts, conditions and back-off count; 0 attempts is none.
    """
    if protocol in (Protocol.GRPC, Protocol.GRPC_WEB):
        return None
    retry = mesh.default_inbound_http_retry_policy or HTTPRetry(attempts=_DEFAULT_ATTEMPTS)
    if retry.attempts <= 0:
        return None
    message = route.RetryPolicy()
    message.num_retries.value = retry.attempts
    message.retry_on, codes = _conditions(retry.retry_on or INBOUND_ON)
    message.retriable_status_codes.extend(codes)
    if retry.backoff is not None:
        message.retry_back_off.base_interval.CopyFrom(duration(retry.backoff))
    return message


def _conditions(text: str) -> tuple[str, list[int]]:
    """Envoy's ``retry_on`` and the bare status codes, which go to their own list (row VS-41)."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    codes = [int(word) for word in words if word.isdigit()]
    kept = [word for word in words if not word.isdigit()]
    if codes and _STATUS_CODES not in kept:
        kept.append(_STATUS_CODES)
    return ",".join(kept), codes
