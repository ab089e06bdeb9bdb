"""What Envoy is told of an external authorizer; test_rbac_conformance compares the whole with Istio's."""

from __future__ import annotations

import pytest
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2 as http_pb2
from envoy.extensions.filters.network.ext_authz.v3 import ext_authz_pb2 as network_pb2

from mizzen.model.authorizer import Authorizer, HttpCheck
from mizzen.translate import ext_authz

HOST = "authz.a.svc.cluster.local"


@pytest.mark.row("AP-06")
def test_provider_a_is_not_asked_what_a_b_is_to_judge() -> None:
    config = http_pb2.ExtAuthz()
    assert ext_authz.http_filter(Authorizer("a", HOST, 9000)).typed_config.Unpack(config)
    matched = config.filter_enabled_metadata
    assert matched.value.string_match.prefix == "istio-ext-authz-a-ns["
    assert config.grpc_service.envoy_grpc.cluster_name == f"outbound|9000||{HOST}"
    assert not config.failure_mode_allow


@pytest.mark.row("AP-27")
def test_header_lists_ignore_case() -> None:
    config = http_pb2.ExtAuthz()
    check = HttpCheck(request_headers=("x-a", "x-*", "*-z"))
    assert ext_authz.http_filter(Authorizer("a", HOST, 8000, http=check)).typed_config.Unpack(config)
    found = [(p.WhichOneof("match_pattern"), p.ignore_case) for p in config.allowed_headers.patterns]
    assert found == [("exact", True), ("prefix", True), ("suffix", True)]


def test_bytes_are_judged_by_the_network_filter() -> None:
    config = network_pb2.ExtAuthz()
    assert ext_authz.network_filter(Authorizer("a", HOST, 9000)).typed_config.Unpack(config)
    assert config.filter_enabled_metadata.filter == "envoy.filters.network.rbac"
