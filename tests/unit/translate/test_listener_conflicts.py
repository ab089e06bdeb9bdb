from __future__ import annotations

import pytest

from mizzen.model.finding import LISTENER_TAKEN, PORTS_DIFFER, PROTOCOLS_DIFFER
from tests.scenes import Scene, listener


def entry(name: str, year: int) -> str:
    return f"""
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: shop, creationTimestamp: "{year}-01-01T00:00:00Z"}}
spec: {{hosts: [{name}.test], ports: [{{number: 7000, name: tcp, protocol: TCP}}], resolution: DNS}}
"""


HTTP = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: shop}
spec: {hosts: [web.test], ports: [{number: 7000, name: http, protocol: HTTP}], resolution: DNS}
"""
ALSO = """
---
apiVersion: v1
kind: Service
metadata: {name: also, namespace: shop, creationTimestamp: "2026-02-01T00:00:00Z"}
spec: {clusterIP: 10.96.0.71, selector: {app: web}, ports: [{name: PROTOCOL, port: 81, targetPort: 8080}]}
"""


@pytest.mark.row("PR-11", "OL-08")
def test_of_two_services_that_cannot_be_told_apart_the_older_gets_the_connections() -> None:
    held = Scene(entry("young", 2022) + entry("old", 2021)).resources()
    (chain,) = listener(held, "0.0.0.0_7000").filter_chains
    assert "old.test" in str(chain)
    assert "young.test" not in str(chain)
    (finding,) = held.findings
    assert (finding.code, finding.kind, finding.name) == (LISTENER_TAKEN, "ServiceEntry", "young.test")
    assert "old.test, which is older" in finding.message


@pytest.mark.row("PR-11", "OL-08")
@pytest.mark.parametrize("text", [entry("tcp", 2021) + HTTP, HTTP + entry("tcp", 2030)])
def test_http_and_bytes_on_one_port_are_told_apart_by_what_they_are(text: str) -> None:
    held = Scene(text).resources()
    message = listener(held, "0.0.0.0_7000")
    assert [list(c.filter_chain_match.application_protocols) for c in message.filter_chains] == [["http/1.1", "h2c"]]
    assert "tcp.test" in str(message.default_filter_chain)
    assert not held.findings


@pytest.mark.row("IL-03")
def test_two_services_of_one_container_port_are_told_where_they_differ() -> None:
    same = Scene(ALSO.replace("PROTOCOL", "http")).resources().findings
    assert [(f.code, f.name) for f in same] == [(PORTS_DIFFER, "also")]
    other = Scene(ALSO.replace("PROTOCOL", "tcp")).resources().findings
    assert {f.code for f in other} == {PROTOCOLS_DIFFER, PORTS_DIFFER}
    assert not Scene().resources().findings
