"""The control plane's environment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mizzen.errors import MeshError
from mizzen.settings import Settings


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.of({}) == Settings()
    assert Settings.of({"POD_NAMESPACE": "", "TOKEN_AUDIENCES": ""}) == Settings()


def test_each_variable_is_read() -> None:
    found = Settings.of(
        {
            "DEFAULT_WORKLOAD_CERT_TTL": "90m",
            "TOKEN_AUDIENCES": "a, b,",
            "POD_NAMESPACE": "mesh",
            "PILOT_ENABLE_XDS_IDENTITY_CHECK": "false",
            "ENABLE_DEBUG_ENDPOINT_AUTH": "0",
            "BLOCKED_CIDRS_IN_JWKS_URIS": "10.0.0.0/8,::1",
            "PILOT_DEBOUNCE_AFTER": "0s",
            "PILOT_MAX_REQUESTS_PER_SECOND": "7",
        }
    )
    assert found.default_workload_cert_ttl == timedelta(minutes=90)
    assert (found.token_audiences, found.namespace) == (("a", "b"), "mesh")
    assert (found.identity_check, found.debug_auth) == (False, False)
    assert found.jwks_blocked == ("10.0.0.0/8", "::1/128")
    assert (found.coalesce, found.stream_rate) == (timedelta(0), 7)


@pytest.mark.row("CA-04")
def test_no_certificate_lives_longer_than_the_longest() -> None:
    found = Settings.of({"DEFAULT_WORKLOAD_CERT_TTL": "48h", "MAX_WORKLOAD_CERT_TTL": "1h"})
    assert found.default_workload_cert_ttl == found.max_workload_cert_ttl == timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEFAULT_WORKLOAD_CERT_TTL", "soon"),
        ("MAX_WORKLOAD_CERT_TTL", "0s"),
        ("MAX_WORKLOAD_CERT_TTL", "-1h"),
        ("ENABLE_DEBUG_ENDPOINT_AUTH", "maybe"),
        ("BLOCKED_CIDRS_IN_JWKS_URIS", "10.0.0.1/8"),
        ("PILOT_MAX_REQUESTS_PER_SECOND", "many"),
    ],
)
def test_a_value_of_another_type_stops_the_start_and_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(MeshError, match=name):
        Settings.of({name: value})


def test_streams_grow_with_the_cores_up_to_a_hundred() -> None:
    assert 20 <= Settings().stream_rate <= 100
