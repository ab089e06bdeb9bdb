"""The cases of ``simulation.json``: configuration and a proxy, and where its calls must end."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

import yaml
from envoy.config.route.v3 import route_pb2

from mizzen.api.decode import decode, decode_mesh
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.proxy import BOTH_FAMILIES, Proxy, ProxyType
from mizzen.model.resources import ROUTE, ResourceSet
from mizzen.resolve import build, view
from mizzen.simulate import Call, Entry, Outcome, Simulation, Speech, Tls
from mizzen.translate import resources
from tests.conformance_data import data

Json = dict[str, Any]

_SPEECH = {"http": Speech.HTTP1, "http2": Speech.HTTP2, "tcp": Speech.TCP, "": Speech.TCP}
_MESH_ALPN = {"http": "istio-http/1.1", "http2": "istio-h2", "tcp": "istio", "": "istio"}
_TLS_ALPN = {"http": "http/1.1", "http2": "h2", "tcp": "", "": ""}
_ANY_ADDRESS = "1.3.3.7"
_DOMAIN = ".svc.cluster.local"


def problems(case: Json) -> list[str]:
    """What is wrong with our answer to a case, a line each; nothing when it holds."""
    made = resources_of(case)
    if case["kind"] == "route-table":
        return list(_route_table(case, made))
    simulation = Simulation(made)
    found = []
    for entry in case["calls"]:
        call = call_of(entry["call"], case["proxy"])
        found += [f"{entry['name']}: {p}" for p in _differences(entry["expect"], simulation.run(call))]
    return found


def resources_of(case: Json) -> ResourceSet:
    """What the proxy of a case gets."""
    documents = [d for text in (case["config"], case["kube"]) for d in yaml.safe_load_all(text) if d]
    objects = [o for d in documents if (o := _decoded(d)) is not None]
    mesh, _ = decode_mesh(dict((case.get("options") or {}).get("mesh", {})))
    return resources(view(build(Config(mesh=mesh).with_objects(objects)), _proxy(case["proxy"])))


def _decoded(document: Json) -> Object | None:
    return decode(document, namespace="default").object


def _proxy(given: Json) -> Proxy:
    """The proxy of a case: a gateway is in istio-system, everything else in default, at the address of the fixtures."""
    router = given.get("Type") == "router"
    metadata = given.get("Metadata") or {}
    namespace = given.get("ConfigNamespace") or metadata.get("Namespace") or "default"
    addresses = given.get("IPAddresses") or ["1.1.1.1"]
    address = addresses[0]
    both = len({ipaddress.ip_address(one).version for one in addresses}) > 1
    kind = ProxyType.ROUTER if router else ProxyType.SIDECAR
    return Proxy(
        id=f"{kind}~{address}~app.{namespace}~{namespace}.svc.cluster.local",
        type=kind,
        address=address,
        name="app",
        namespace=namespace,
        labels=given.get("Labels") or {},
        flags={"IP_FAMILIES": BOTH_FAMILIES} if both else {},
    )


def call_of(given: Json, proxy: Json) -> Call:
    """A call with the defaults that the cases count on: SNI and ALPN as a client of that sort sends them."""
    protocol = given.get("protocol", "")
    tls = given.get("tls", "tls" if "sni" in given else "plaintext")
    default = {"tls": _TLS_ALPN, "mtls": _MESH_ALPN}.get(tls, {}).get(protocol, "")
    alpn = given.get("alpn") or default
    host = given.get("hostHeader", "")
    return Call(
        port=given["port"],
        address=given.get("address") or _ANY_ADDRESS,
        entry=_entry(given, proxy),
        speech=_SPEECH[protocol],
        tls={"plaintext": Tls.PLAIN, "tls": Tls.TLS, "mtls": Tls.MUTUAL}[tls],
        sni=given.get("sni") or (host if tls == "tls" else ""),
        alpn=(alpn,) if alpn else (),
        host=host,
        path=given.get("path", "/"),
    )


def _entry(given: Json, proxy: Json) -> Entry:
    if given.get("callMode") == "inbound":
        return Entry.INBOUND
    return Entry.DIRECT if proxy.get("Type") == "router" else Entry.OUTBOUND


_FIELDS = ("listener", "filter_chain", "route_config", "virtual_host", "route", "cluster", "error")


def _differences(expected: Json, outcome: Outcome) -> Iterator[str]:
    """``strict``: what is not expected must be empty."""
    for name in _FIELDS:
        wanted = expected.get(name, "")
        seen = str(getattr(outcome, name) or "")
        if name == "error" and outcome.targets:
            seen = ""  # The cases have no clusters for most destinations, and do not ask.
        if name == "cluster" and not wanted.endswith(_DOMAIN):
            seen = seen.removesuffix(_DOMAIN)  # Some come from a control plane without a domain: a.default.
        if (wanted or expected.get("strict") or name == "error") and wanted != seen:
            yield f"{name} is {seen!r}, not {wanted!r}"


def _route_table(case: Json, made: ResourceSet) -> Iterator[str]:
    """Which clusters each virtual host of one route configuration leads to; None: there is no such virtual host."""
    resource = made.get(ROUTE).get(str(case["route_config"]))
    hosts = (
        {v.name: v for v in route_pb2.RouteConfiguration.FromString(resource.body).virtual_hosts} if resource else {}
    )
    for name, wanted in case["expect_virtual_hosts"].items():
        host = hosts.get(f"{name}:{case['route_config']}")
        seen = [r.route.cluster for r in host.routes] if host is not None else None
        if seen != wanted:
            yield f"virtual host {name} leads to {seen}, not {wanted}"


def main() -> None:
    """``python -m tests.conformance_data.simulation``: a line a case, in the form that ``tests.conformance.report`` reads."""
    for case in data.cases("simulation.json"):
        found = problems(case)
        print(f"FAIL {case['id']} {'; '.join(found)}" if found else f"ok {case['id']}")


if __name__ == "__main__":
    main()
