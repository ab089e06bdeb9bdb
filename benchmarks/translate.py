"""How long 2,000 VirtualServices of 5 routes take, and what a change to one of them touches.

``python -m benchmarks.translate [COUNT]`` prints seconds for a sidecar and a gateway, cold and after one change, and the
names of the resources and virtual hosts that the change touched.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from envoy.config.route.v3 import route_pb2

from mizzen.api.decode import decode
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.proxy import Proxy, ProxyType
from mizzen.model.resources import ROUTE, SHORT_NAMES, ResourceSet
from mizzen.resolve import build, view
from mizzen.translate import Memo, resources

ROUTES = 5


def _object(raw: dict[str, Any]) -> Object:
    found = decode(raw).object
    assert found is not None
    return found


def service(number: int) -> Object:
    spec = {
        "clusterIP": f"10.96.{number // 250}.{number % 250 + 1}",
        "selector": {"app": f"s{number}"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
    }
    meta = {"name": f"s{number}", "namespace": "load"}
    return _object({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})


def virtual_service(number: int, marker: str = "x") -> Object:
    host = f"s{number}.load.svc.cluster.local"
    destination = [{"destination": {"host": host}}]
    routes: list[dict[str, Any]] = [
        {
            "name": f"r{i}",
            "match": [{"uri": {"prefix": f"/{marker}{i}/"}, "headers": {"x-v": {"exact": "1"}}}],
            "route": destination,
        }
        for i in range(ROUTES - 1)
    ]
    spec = {
        "hosts": [host, f"s{number}.example.com"],
        "gateways": ["mesh", "istio-system/gw"],
        "http": [*routes, {"route": destination}],
    }
    meta = {"name": f"s{number}", "namespace": "load"}
    api = "networking.istio.io/v1"
    return _object({"apiVersion": api, "kind": "VirtualService", "metadata": meta, "spec": spec})


def gateway() -> Object:
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    spec = {"selector": {"istio": "ingressgateway"}, "servers": [server]}
    meta = {"name": "gw", "namespace": "istio-system"}
    return _object({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": meta, "spec": spec})


def proxy(kind: ProxyType) -> Proxy:
    namespace = "istio-system" if kind is ProxyType.ROUTER else "load"
    identity = f"{kind}~10.9.9.9~p.{namespace}~{namespace}.svc.cluster.local"
    labels = {"istio": "ingressgateway"} if kind is ProxyType.ROUTER else {"app": "client"}
    return Proxy(id=identity, type=kind, address="10.9.9.9", name="p", namespace=namespace, labels=labels)


def touched(before: ResourceSet, after: ResourceSet) -> list[str]:
    """The resources that differ, a route configuration by its virtual hosts."""
    found: list[str] = []
    for kind in {*before.types, *after.types}:
        old, new = before.get(kind), after.get(kind)
        for name in sorted({*old, *new}):
            one, other = old.get(name), new.get(name)
            if one is not None and other is not None and one.version == other.version:
                continue
            if kind == ROUTE and one is not None and other is not None:
                found += [f"RDS {name} {host}" for host in _hosts_that_differ(one.body, other.body)]
            else:
                found.append(f"{SHORT_NAMES[kind]} {name}")
    return found


def _hosts_that_differ(one: bytes, other: bytes) -> list[str]:
    old, new = ({h.name: h for h in route_pb2.RouteConfiguration.FromString(b).virtual_hosts} for b in (one, other))
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def run(count: int) -> dict[str, Any]:
    """Seconds and what was touched, by kind of proxy."""
    objects = [made for i in range(count) for made in (service(i), virtual_service(i))]
    config = Config().with_objects([gateway(), *objects])
    found: dict[str, Any] = {}
    started = time.perf_counter()
    snapshot = build(config)
    found["build, cold"] = time.perf_counter() - started
    started = time.perf_counter()
    changed = build(config.with_objects([virtual_service(count // 2, "changed")]), snapshot)
    found["build, one changed"] = time.perf_counter() - started
    for kind in ProxyType:
        memo = Memo()
        started = time.perf_counter()
        before = resources(view(snapshot, proxy(kind)), memo)
        found[f"{kind}, cold"] = time.perf_counter() - started
        started = time.perf_counter()
        after = resources(view(changed, proxy(kind)), memo)
        found[f"{kind}, one changed"] = time.perf_counter() - started
        found[f"{kind}, touched"] = touched(before, after)
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    for name, value in run(count).items():
        print(f"{name:28}", f"{value:8.2f} s" if isinstance(value, float) else ", ".join(value))


if __name__ == "__main__":
    main()
