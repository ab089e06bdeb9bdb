"""Istio's Bookinfo by the Gateway API, unchanged: the gateway is deployed, tells its state, and goes with its Gateway."""

from collections.abc import Callable

import pytest

from tests.e2e.mesh import Document, Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab
Samples = Callable[[str], list[Document]]


@pytest.mark.row("GA-03")
@pytest.mark.row("GA-19")
def test_bookinfo_behind_a_gateway_of_its_own(mesh: Mesh, istio_samples: Samples) -> None:
    mesh.apply(istio_samples("bookinfo/gateway-api/bookinfo-gateway.yaml"))

    def conditions(kind: str, name: str) -> dict[str, str]:
        status = mesh.json("get", kind, name, "-o", "json").get("status") or {}
        status = status if "parents" not in status else status["parents"][0]
        return {c["type"]: c["status"] for c in status.get("conditions") or []}

    eventually(lambda: conditions("gtw", "bookinfo-gateway"), lambda found: found.get("Programmed") == "True", 30)
    assert conditions("httproute", "bookinfo") == {"Accepted": "True", "ResolvedRefs": "True"}
    url = "http://bookinfo-gateway-istio.default/productpage"
    eventually(lambda: mesh.curl(url, workload="curl").code, lambda code: code == 200, 30)
    mesh.run("delete", "gtw", "bookinfo-gateway")
    eventually(
        lambda: mesh.json("get", "deploy,svc,sa", "-o", "json")["items"],
        lambda items: not any(item["metadata"]["name"] == "bookinfo-gateway-istio" for item in items),
        30,
    )
    mesh.run("delete", "httproute", "bookinfo")
