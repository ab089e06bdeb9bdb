"""Which retries a route gets, towards other services and towards the own app."""

from __future__ import annotations

import pytest

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Duration
from mizzen.api.virtual_service import HTTPRetry
from mizzen.model.protocol import Protocol
from mizzen.translate.http.retry import DEFAULT_ON, inbound_policy, retry_policy

MESH = MeshConfig()
PREVIOUS = "envoy.retry_host_predicates.previous_hosts"


@pytest.mark.row("VS-45")
def test_without_any_policy_two_retries_of_what_never_reached_the_app() -> None:
    policy = retry_policy(None, MESH)
    assert policy is not None
    assert (policy.num_retries.value, policy.retry_on) == (2, DEFAULT_ON)
    assert not policy.retriable_status_codes
    assert policy.host_selection_retry_max_attempts == 5


@pytest.mark.row("VS-43")
@pytest.mark.parametrize(
    ("ignore", "hashed", "other_hosts"),
    [(None, False, True), (None, True, False), (True, True, True), (False, False, False)],
)
def test_whether_hosts_tried_before_are_avoided(ignore: bool | None, hashed: bool, other_hosts: bool) -> None:
    policy = retry_policy(HTTPRetry(attempts=1, retry_ignore_previous_hosts=ignore), MESH, hashed=hashed)
    assert policy is not None
    assert [p.name for p in policy.retry_host_predicate] == ([PREVIOUS] if other_hosts else [])
    assert policy.host_selection_retry_max_attempts == 5


@pytest.mark.row("VS-41")
def test_status_codes_have_a_list_of_their_own() -> None:
    policy = retry_policy(HTTPRetry(attempts=1, retry_on="5xx,429,409"), MESH)
    assert policy is not None
    assert policy.retry_on == "5xx,retriable-status-codes"
    assert list(policy.retriable_status_codes) == [429, 409]


@pytest.mark.row("VS-44")
def test_the_base_of_the_back_off() -> None:
    policy = retry_policy(HTTPRetry(attempts=1, backoff=Duration.parse("75ms")), MESH)
    assert policy is not None
    assert policy.retry_back_off.base_interval.ToMilliseconds() == 75
    assert not policy.retry_back_off.HasField("max_interval")


@pytest.mark.row("VS-46")
def test_towards_the_own_app_what_it_never_got_is_sent_again() -> None:
    policy = inbound_policy(MESH, Protocol.HTTP)
    assert policy is not None
    assert (policy.num_retries.value, policy.retry_on) == (2, "reset-before-request")
    assert not policy.retry_host_predicate
    assert inbound_policy(MESH, Protocol.HTTP2) is not None
    assert inbound_policy(MESH, Protocol.GRPC) is None
    assert inbound_policy(MESH, Protocol.GRPC_WEB) is None


@pytest.mark.row("VS-46")
def test_the_mesh_may_choose_other_retries_towards_the_app() -> None:
    own = HTTPRetry(attempts=4, retry_on="503", backoff=Duration.parse("1s"), per_try_timeout=Duration.parse("9s"))
    policy = inbound_policy(MeshConfig(default_inbound_http_retry_policy=own), Protocol.HTTP)
    assert policy is not None
    assert (policy.num_retries.value, list(policy.retriable_status_codes)) == (4, [503])
    assert policy.retry_back_off.base_interval.seconds == 1
    assert not policy.HasField("per_try_timeout")
    assert inbound_policy(MeshConfig(default_inbound_http_retry_policy=HTTPRetry()), Protocol.HTTP) is None
