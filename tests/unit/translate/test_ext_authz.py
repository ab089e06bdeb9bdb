"""What Envoy is told of an external authorizer; test_rbac_conformance compares the whole with Istio's."""

from __future__ import annotations

import pytest
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2 as http_pb2
from envoy.extensions.filters.network.ext_authz.v3 import ext_authz_pb2 as network_pb2
from google.protobuf.json_format import MessageToDict

from mizzen.api.meta import Duration
from mizzen.model.authorizer import Authorizer, BodyInCheck, HttpCheck
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


@pytest.mark.row("AP-27", "MC-07")
def test_every_option_of_an_http_provider_has_its_place() -> None:
    check = HttpCheck(
        path_prefix="/check",
        request_headers=("x-in",),
        added_headers=(("x-add", "v"),),
        upstream_on_allow=("x-up",),
        downstream_on_allow=("x-ok",),
        downstream_on_deny=("x-no",),
    )
    body = BodyInCheck(7, partial=True, as_bytes=True)
    provider = Authorizer("a", HOST, 8000, Duration(2_000_000_000), True, 503, True, body, check)
    config = http_pb2.ExtAuthz()
    assert ext_authz.http_filter(provider).typed_config.Unpack(config)
    found = MessageToDict(config)
    del found["filterEnabledMetadata"], found["transportApiVersion"]

    def only(name: str) -> dict[str, object]:
        return {"patterns": [{"exact": name, "ignoreCase": True}]}

    assert found == {
        "failureModeAllow": True,
        "clearRouteCache": True,
        "statusOnError": {"code": "ServiceUnavailable"},
        "withRequestBody": {"maxRequestBytes": 7, "allowPartialMessage": True, "packAsBytes": True},
        "allowedHeaders": only("x-in"),
        "httpService": {
            "serverUri": {"uri": f"http://{HOST}", "cluster": f"outbound|8000||{HOST}", "timeout": "2s"},
            "pathPrefix": "/check",
            "authorizationRequest": {"headersToAdd": [{"key": "x-add", "value": "v"}]},
            "authorizationResponse": {
                "allowedUpstreamHeaders": only("x-up"),
                "allowedClientHeadersOnSuccess": only("x-ok"),
                "allowedClientHeaders": only("x-no"),
            },
        },
    }


@pytest.mark.row("AP-27", "MC-07")
def test_a_grpc_provider_has_a_service_and_ten_minutes_unless_it_says_otherwise() -> None:
    config = http_pb2.ExtAuthz()
    assert ext_authz.http_filter(Authorizer("a", HOST, 9000)).typed_config.Unpack(config)
    assert config.grpc_service.timeout.seconds == 600
    assert config.grpc_service.envoy_grpc.authority == HOST
    assert not config.HasField("status_on_error")
    assert not config.HasField("with_request_body")
