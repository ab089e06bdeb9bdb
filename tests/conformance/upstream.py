"""Cases in the form that Istio's own integration tests were extracted in, said in our vocabulary, and their fixture."""

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.conformance.fixture import (
    MESH,
    Document,
    Fixture,
    caller,
    mesh_config,
    namespace,
    secret,
    service,
    workload,
)
from tests.conformance.world import merged

PORTS = {
    "http": (80, 18080, "http"),
    "auto-http": (81, 18081, "http"),
    "http-instance": (82, 18082, "http"),
    "http-localhost": (84, 18084, "http"),
    "http2": (85, 18085, "http"),
    "https": (443, 18443, "https"),
    "grpc": (7070, 17070, "http"),
    "auto-grpc": (7071, 17071, "http"),
    "tcp": (9090, 19090, "tcp"),
    "tcp-server": (9091, 16060, "first"),
    "auto-tcp-server": (9092, 16061, "first"),
    "auto-tcp": (9093, 19093, "tcp"),
}
"""Istio's echo application: port name, service port, pod port, what listens."""
_BOUND = {18082: "@pod", 18084: "@127.0.0.1"}
_LISTEN = (
    *tuple(f"{kind}:{target}{_BOUND.get(target, '')}" for _, target, kind in PORTS.values()),
    "http:18083",
    "tcp:19092",
)
_SERVICE = tuple((name, port, target) for name, (port, target, _) in PORTS.items())
_AT_PODS = tuple((name, target, target) for name, (_, target, _) in PORTS.items())
"""A headless service's ports are those of its pods."""
KEY = "k1"
"""The runner's key that takes the place of Istio's test key."""
_JWT_SERVER = "http://jwt-server.servers.svc.cluster.local:8000/jwks"
_TOKEN = re.compile(r"\b[\w-]{10,}\.[\w-]{10,}\.[\w-]{20,}")
_WORKLOADS = (
    ("a", "echo"),
    ("b", "echo"),
    ("c", "echo"),
    ("headless", "echo"),
    ("a", "echo1"),
    ("b", "echo1"),
    ("headless", "echo1"),
    ("a", "echo2"),
    ("external", "external"),
)
_FAKE = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: external-service, namespace: echo}
spec:
  exportTo: [.]
  hosts: [fake.external.com]
  location: MESH_EXTERNAL
  resolution: DNS
  endpoints: [{address: external.external.svc.cluster.local}]
  ports:
  - {name: http-tls-origination, number: 8888, protocol: http, targetPort: 443}
  - {name: http2-tls-origination, number: 8882, protocol: http2, targetPort: 443}
"""


def is_upstream(case: Document) -> bool:
    return "config_yaml" in case or "configs" in case


_MESH = merged(MESH, {"defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}})
_MACHINE = "vm-machine"
"""The app label of the machine's pod. No Service selects it: the mesh knows the machine by its WorkloadEntry alone."""
_MACHINES = f"""
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: vm, namespace: echo}}
spec: {{address: '${{ip:{_MACHINE}.echo}}', serviceAccount: {_MACHINE}, labels: {{app: vm, version: v1}}}}
"""


def fixture(ledger: Path, server: str, authorities: str) -> Fixture:
    """Namespaces echo, echo1, echo2 (injected) and external (not), as Istio's tests have them.

    ``vm`` is a pod with a sidecar that no Service selects, registered by a WorkloadEntry; ``tproxy`` one whose traffic is captured by TPROXY.
    """
    documents = [mesh_config(_MESH)]
    for place in ("echo", "echo1", "echo2", "external", "outside"):
        documents += [namespace(place, place.startswith("echo")), secret(place, server, authorities)]
    for name, place in _WORKLOADS:
        labels = {} if name in ("headless", "external") else {"test.istio.io/class": "standard"}
        documents += workload(name, place, ledger=ledger, listen=_LISTEN, labels=labels)
        headless = name == "headless"
        documents.append(service(name, place, headless=headless, ports=_AT_PODS if headless else _SERVICE))
    notes = {"sidecar.istio.io/interceptionMode": "TPROXY"}
    documents += workload("tproxy", "echo", ledger=ledger, listen=_LISTEN, annotations=notes)
    documents += workload(_MACHINE, "echo", ledger=ledger, listen=_LISTEN, service="vm")
    documents += [service(name, "echo", ports=_SERVICE) for name in ("tproxy", "vm")]
    documents += [yaml.safe_load(_FAKE), *caller("gateway-client", "outside")]
    return Fixture(
        documents,
        {},
        mesh=_MESH,
        namespace="echo",
        documents_url="http://external.external.svc.cluster.local:80/documents",
        late=[yaml.safe_load(_MACHINES)],
    )


def translated(case: Document) -> Document:
    """The case in our words."""
    own = {"namespace": case.get("config_namespace", "echo"), "yaml": case.get("config_yaml", "")}
    texts = case.get("configs", [own])
    config = [
        _placed(_with_keys(document), text["namespace"])
        for text in texts
        for document in yaml.safe_load_all(text["yaml"])
        if document
    ]
    calls = []
    for entry in case["calls"]:
        entry = signed(entry)
        call = _call(entry["call"])
        calls.append({"call": call, "expect": _expect(entry, call)})
    area = str(case.get("corpus_group") or case.get("test") or "")
    return {"id": case["id"], "area": area, "config": config, "calls": calls}


def _with_keys(document: Document) -> Document:
    """Istio's test keys are not part of the data: the runner's own take their place, here and in :func:`signed`.

    Principals: the data writes them with the scheme, which Istio's API does not take (``SpiffeIdentity`` in its tests has none).
    """
    text = (
        re.sub(r'"spiffe://(?=[^"]*/ns/[^"]*/sa/)', '"', json.dumps(document)) if _is_authorization(document) else None
    )
    document = json.loads(text) if text else document
    for rule in (document.get("spec") or {}).get("jwtRules") or []:
        if rule.get("jwks") == "":
            rule["jwks"] = f"${{jwks:{KEY}}}"
        elif rule.get("jwksUri") == _JWT_SERVER:
            rule["jwksUri"] = f"${{jwks_uri:{KEY}}}"
    return document


def _is_authorization(document: Document) -> bool:
    return document.get("kind") == "AuthorizationPolicy"


def signed(value: Any) -> Any:
    """A copy in which each literal token is made of the same claims with the runner's key; a token that is no RS256 JWT stays."""
    if isinstance(value, str):
        return _TOKEN.sub(_own_token, value)
    if isinstance(value, list):
        return [signed(item) for item in value]
    return {name: signed(item) for name, item in value.items()} if isinstance(value, dict) else value


def _own_token(match: re.Match[str]) -> str:
    try:
        header, claims = (
            json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in match[0].split(".")[:2]
        )
    except ValueError:
        return match[0]
    if header.get("alg") != "RS256" or not isinstance(claims, dict):
        return match[0]
    return "${jwt:" + json.dumps({"_key": KEY, "_exact": True, **claims}) + "}"


def _placed(document: Document, place: str) -> Document:
    meta = document["metadata"]
    return document if meta.get("namespace") else {**document, "metadata": {**meta, "namespace": place}}


def _call(asked: Document) -> Document:
    source, target = asked["from"], asked.get("to") or {}
    gateway = source["app"] == "ingressgateway"
    app = _MACHINE if source["app"] == "vm" else source["app"]
    call: Document = {"from": "gateway-client" if gateway else f"{app}.{source['namespace']}"}
    if "timeout_ms" in asked:
        call["timeout"] = max(asked["timeout_ms"] / 1000, 3)
    address = asked.get("address") or f"{target.get('app')}.{target.get('namespace')}.svc.cluster.local"
    if asked.get("scheme") == "dns":
        return call | _dns(address)
    port, name = asked.get("port") or {}, (asked.get("port") or {}).get("name", "")
    protocol = str(port.get("protocol") or "").lower()
    listed = {service: target for service, target, _ in PORTS.values()}
    number = port.get("servicePort") or (PORTS[name][0] if name in PORTS else 443 if protocol == "https" else 80)
    if target.get("app") == "headless":
        number = listed.get(number, number)
    scheme = asked.get("scheme") or _scheme(name, protocol)
    return call | _spoken(asked, scheme, f"{address}:{number}", name)


def _scheme(name: str, protocol: str) -> str:
    if "tcp" in name or protocol == "tcp":
        return "tcp"
    if "grpc" in name or protocol == "grpc":
        return "grpc"
    return "https" if protocol == "https" or name == "https" else "http"


def _spoken(asked: Document, scheme: str, place: str, name: str) -> Document:
    http = asked.get("http") or {}
    count = {"count": int(asked.get("count") or 3)}
    if scheme == "tcp":
        return count | {
            "tcp": str(asked.get("message") or "hello"),
            "address": place,
            "greeted": "server" in name,
        }
    if scheme == "grpc":
        return count | {
            "grpc": {"address": place},
            "host": (http.get("headers") or {}).get("Host") or place.rpartition(":")[0],
        }
    path = http.get("path") or "/"
    call: Document = count | {"url": f"{scheme}://{place}{path if path.startswith('/') else '/' + path}"}
    for theirs, ours in (
        ("headers", "headers"),
        ("method", "method"),
        ("http2", "http2"),
        ("follow_redirects", "follow"),
    ):
        if http.get(theirs):
            call[ours] = http[theirs]
    if asked.get("propagate_cookies"):
        call["keep_cookies"] = True
    if scheme == "https":
        call["tls"] = {"insecure": True}
    return call


def _dns(address: str) -> Document:
    name, _, query = address.partition("?")
    wish = {key: values[0] for key, values in parse_qs(query).items()}
    found = {"dns": name, "proto": wish.get("protocol", "udp")}
    return {**found, "server": wish["server"]} if wish.get("server") else found


def _expect(entry: Document, call: Document) -> Document:
    expect: Document = {}
    target = (entry["call"].get("to") or {}).get("app")
    for check in entry["expect"]:
        ((word, value),) = check.items()
        expect.update(_word(word, value, call, target))
    return expect


def _word(word: str, value: Any, call: Document, target: Any) -> Document:
    plain = {
        "status": "status",
        "mtls": "mtls",
        "host_seen": "host",
        "protocol_seen": "protocol_seen",
        "url_seen": "path",
        "alpn": "alpn_seen",
        "dns_answers": "dns",
        "body_contains": "body_has",
        "location": "location",
        "same_backend_for_all": "same_pod",
    }
    if word in plain:
        return {plain[word]: _value(value, call)}
    if word == "ok":
        return {"grpc": 0} if "grpc" in call else {"error": False} if "tcp" in call else {"status": 200}
    if word == "error":
        return {"error_or_status": [502, 503]}
    if word == "forbidden":
        return {"grpc": 7} if value == "GRPC" else {"error": True} if value == "TCP" else {"status": 403}
    if word == "reached":
        return {"service": target} if target else {}
    if word == "request_headers":
        absent = [name for name, text in value.items() if text == ""]
        seen = {name: text for name, text in value.items() if text != ""}
        return {**({"saw": seen} if seen else {}), **({"saw_not": absent} if absent else {})}
    return {word: value}


def _value(value: Any, call: Document) -> Any:
    """``{{.Hostname}}`` is the name that was called."""
    if isinstance(value, list):
        return [_value(item, call) for item in value]
    if isinstance(value, str) and "{{.Hostname}}" in value:
        return value.replace("{{.Hostname}}", str(urlsplit(call.get("url", "")).hostname))
    return value
