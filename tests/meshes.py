"""Random meshes: subsets of a pool of objects that know each other, with some that do not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from mizzen.api.decode import decode
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.proxy import Proxy, ProxyType

NETWORKING, SECURITY = "networking.istio.io/v1", "security.istio.io/v1"
TELEMETRY, EXTENSIONS = "telemetry.istio.io/v1", "extensions.istio.io/v1alpha1"
GATEWAY_API = "gateway.networking.k8s.io/v1"


def new(api: str, kind: str, namespace: str, name: str, spec: dict[str, Any], **more: Any) -> Object:
    meta = {"name": name, "namespace": namespace, **more.pop("meta", {})}
    result = decode({"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec, **more})
    assert result.object is not None, result.problems
    return result.object


def service(name: str, namespace: str, number: int, ports: list[dict[str, Any]], **spec: Any) -> Object:
    body = {"clusterIP": f"10.96.0.{number}", "selector": {"app": name}, "ports": ports, **spec}
    return new("v1", "Service", namespace, name, body)


def pod(name: str, namespace: str, number: int, labels: dict[str, str]) -> Object:
    spec = {"serviceAccountName": labels.get("app", "x"), "containers": [{"name": "a", "image": "x"}]}
    status = {"podIP": f"10.1.0.{number}", "phase": "Running"}
    return new("v1", "Pod", namespace, name, spec, meta={"labels": labels}, status=status)


def endpoint_slice(of: str, namespace: str, ports: list[dict[str, Any]], addresses: list[str]) -> Object:
    raw = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{of}-1", "namespace": namespace, "labels": {"kubernetes.io/service-name": of}},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": [a], "conditions": {"ready": True}} for a in addresses],
    }
    result = decode(raw)
    assert result.object is not None, result.problems
    return result.object


def rule(name: str, namespace: str, **spec: Any) -> Object:
    return new(NETWORKING, "DestinationRule", namespace, name, spec)


def routes(name: str, namespace: str, **spec: Any) -> Object:
    return new(NETWORKING, "VirtualService", namespace, name, spec)


_HTTP = [{"name": "http", "port": 80, "targetPort": 8080}]
_MANY = [{"name": "tcp", "port": 5432}, {"name": "odd", "port": 9000}, {"name": "grpc", "port": 50051}]
_MESHED = {"security.istio.io/tlsMode": "istio"}
_SUBSETS = [{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": "v2"}}]

POOL: tuple[Object, ...] = (
    service("web", "a", 1, _HTTP),
    service("reviews", "a", 2, _HTTP),
    service("reviews", "b", 3, _HTTP),
    service("db", "b", 4, _MANY),
    service("peers", "b", 5, _MANY, clusterIP="None"),
    service("alias", "a", 6, _HTTP, type="ExternalName", externalName="reviews.b.svc.cluster.local"),
    pod("web-0", "a", 1, {"app": "web", **_MESHED}),
    pod("reviews-v1", "a", 2, {"app": "reviews", "version": "v1", **_MESHED}),
    pod("reviews-v2", "a", 3, {"app": "reviews", "version": "v2"}),
    pod("edge-0", "istio-system", 9, {"istio": "ingressgateway"}),
    endpoint_slice("reviews", "a", [{"name": "http", "port": 8080}], ["10.1.0.2", "10.1.0.3"]),
    endpoint_slice("peers", "b", [{"name": "tcp", "port": 5432}, {"name": "odd", "port": 9000}], ["10.1.0.2", "10.1.0.3"]),
    rule("reviews", "a", host="reviews", subsets=_SUBSETS),
    rule("more", "a", host="reviews", subsets=[{"name": "v3", "labels": {"version": "v3"}}]),
    rule("all", "istio-system", host="*.local", trafficPolicy={"tls": {"mode": "ISTIO_MUTUAL"}}),
    rule("hash", "b", host="db", trafficPolicy={"loadBalancer": {"consistentHash": {"useSourceIp": True}}}),
    routes("reviews", "a", hosts=["reviews"], http=[{"route": [{"destination": {"host": "reviews", "subset": "v1"}}]}]),
    routes("again", "b", hosts=["reviews.a.svc.cluster.local"], http=[{"route": [{"destination": {"host": "alias.a.svc.cluster.local"}}]}]),
    routes("wild", "a", hosts=["*.svc.cluster.local", "x.example"], http=[{"match": [{"sourceLabels": {"app": "web"}}], "route": [{"destination": {"host": "gone"}}]}]),
    routes("edge", "a", hosts=["*"], gateways=["istio-system/gw"], http=[{"route": [{"destination": {"host": "web"}}]}]),
    new(NETWORKING, "Gateway", "istio-system", "gw", {"selector": {"istio": "ingressgateway"}, "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]}),
    new(NETWORKING, "ServiceEntry", "a", "out", {"hosts": ["out.example"], "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}], "resolution": "DNS"}),
    new(NETWORKING, "Sidecar", "a", "default", {"egress": [{"hosts": ["./*", "b/db.b.svc.cluster.local"]}]}),
    new(SECURITY, "PeerAuthentication", "a", "default", {"mtls": {"mode": "STRICT"}}),
    new(SECURITY, "PeerAuthentication", "a", "own", {"selector": {"matchLabels": {"app": "reviews"}}, "mtls": {"mode": "DISABLE"}}),
    new(SECURITY, "AuthorizationPolicy", "a", "deny", {"action": "DENY", "rules": [{"to": [{"operation": {"methods": ["POST"]}}]}]}),
    new(TELEMETRY, "Telemetry", "istio-system", "mesh", {"accessLogging": [{"providers": [{"name": "envoy"}]}]}),
    new(TELEMETRY, "Telemetry", "a", "web", {"selector": {"matchLabels": {"app": "web"}}, "metrics": [{"overrides": [{"disabled": True}]}]}),
    new(EXTENSIONS, "WasmPlugin", "a", "plugin", {"url": "file:///filter.wasm"}),
    new(EXTENSIONS, "TrafficExtension", "istio-system", "script", {"lua": {"inlineCode": "function envoy_on_request(h) end"}, "match": [{"mode": "CLIENT"}]}),
    service("edge", "istio-system", 7, _HTTP, selector={"istio": "ingressgateway"}),
    new(GATEWAY_API, "Gateway", "istio-system", "api", {"gatewayClassName": "istio", "addresses": [{"type": "Hostname", "value": "edge"}], "listeners": [{"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}]}),
    new(GATEWAY_API, "HTTPRoute", "a", "api", {"parentRefs": [{"name": "api", "namespace": "istio-system"}], "rules": [{"backendRefs": [{"name": "reviews", "port": 80}]}]}),
    new(GATEWAY_API, "HTTPRoute", "a", "mesh", {"parentRefs": [{"kind": "Service", "group": "", "name": "web"}], "rules": [{"backendRefs": [{"name": "reviews", "namespace": "b", "port": 80}]}]}),
)  # fmt: skip

objects = st.lists(st.sampled_from(POOL), unique_by=id)


def config(found: list[Object]) -> Config:
    return Config().with_objects(found)


def sidecar(number: int = 1, namespace: str = "a", **labels: str) -> Proxy:
    address = f"10.1.0.{number}"
    name = f"pod-{number}"
    return Proxy(
        id=f"sidecar~{address}~{name}.{namespace}~{namespace}.svc.cluster.local",
        type=ProxyType.SIDECAR,
        address=address,
        name=name,
        namespace=namespace,
        labels=labels or {"app": "web"},
    )


def router() -> Proxy:
    return Proxy(
        id="router~10.1.0.9~edge-0.istio-system~istio-system.svc.cluster.local",
        type=ProxyType.ROUTER,
        address="10.1.0.9",
        name="edge-0",
        namespace="istio-system",
        labels={"istio": "ingressgateway"},
    )


PROXIES = (sidecar(), sidecar(2, "b", app="other"), sidecar(3, app="reviews", version="v2"), router())
