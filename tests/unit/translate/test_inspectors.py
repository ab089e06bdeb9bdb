from __future__ import annotations

import pytest
from envoy.config.listener.v3 import listener_components_pb2 as pb

from mizzen.api.mesh_config import MeshConfig
from mizzen.model.protocol import Protocol
from mizzen.model.service import Service
from mizzen.model.view import Inbound, InboundPort, MtlsMode
from mizzen.translate.inspectors import listener_filters

S, P, D = MtlsMode.STRICT, MtlsMode.PERMISSIVE, MtlsMode.DISABLE
HTTP, ANY = Protocol.HTTP, Protocol.UNSUPPORTED
WEB = Service(hostname="web.bar.svc.cluster.local", name="web", namespace="bar", ports=())


def ports_of(predicate: pb.ListenerFilterChainMatchPredicate) -> list[int]:
    rules = predicate.or_match.rules if predicate.HasField("or_match") else [predicate]
    assert all(rule.destination_port_range.end == rule.destination_port_range.start + 1 for rule in rules)
    return [rule.destination_port_range.start for rule in rules]


def found(
    mtls: MtlsMode, *ports: tuple[int, Protocol, MtlsMode], unlisted: tuple[tuple[int, MtlsMode], ...] = ()
) -> dict[str, tuple[str, list[int]]]:
    """Inspector to ("off" or "on", the ports for which it is)."""
    served = tuple(InboundPort(port=n, protocol=p, service=WEB, service_port=80, mtls=m) for n, p, m in ports)
    view = Inbound(key=0, mesh=MeshConfig(), namespace="bar", mtls=mtls, ports=served, unlisted=unlisted)
    original, *inspectors = listener_filters(view)
    assert original.name == "envoy.filters.listener.original_dst"
    result = {}
    for inspector in inspectors:
        disabled = inspector.filter_disabled
        only = disabled.HasField("not_match")
        ports_found = ports_of(disabled.not_match if only else disabled)
        result[inspector.name.rpartition(".")[2]] = ("on" if only else "off", ports_found)
    return result


@pytest.mark.row("PA-01")
def test_permissive_inspects_all_but_15006_and_declared_http() -> None:
    assert found(P, (8080, HTTP, P), (9000, ANY, P)) == {
        "tls_inspector": ("off", [15006]),
        "http_inspector": ("off", [8080, 15006]),
    }


@pytest.mark.row("PA-02")
def test_strict_needs_no_http_inspector() -> None:
    assert found(S, (8080, HTTP, S), (9000, ANY, S)) == {"tls_inspector": ("off", [15006])}


@pytest.mark.row("PA-03")
def test_a_disabled_port_has_no_tls_inspector() -> None:
    assert found(P, (8080, HTTP, D), (9000, ANY, D), unlisted=((7000, D),)) == {
        "tls_inspector": ("off", [7000, 8080, 9000, 15006]),
        "http_inspector": ("off", [8080, 15006]),
    }


@pytest.mark.row("PA-03")
def test_in_a_disabled_workload_it_is_on_only_where_needed() -> None:
    assert found(D, (8080, HTTP, S), (9000, ANY, D)) == {
        "tls_inspector": ("on", [8080]),
        "http_inspector": ("off", [8080, 15006]),
    }
    assert "tls_inspector" not in found(D, (9000, ANY, D))


def test_a_strict_workload_sniffs_http_only_on_its_open_ports() -> None:
    assert found(S, (8080, HTTP, S), (9000, ANY, P), (9001, ANY, D))["http_inspector"] == ("on", [9000, 9001])
