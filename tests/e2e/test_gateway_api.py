"""Istio's Bookinfo by the Gateway API, unchanged: the gateway is deployed, tells its state, and goes with its Gateway."""

from collections.abc import Callable

import pytest

from tests.e2e.mesh import Document, Mesh
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.lab
Samples = Callable[[str], list[Document]]
MADE = "bookinfo-gateway-istio"


@pytest.mark.row("GA-03")
@pytest.mark.row("GA-19")
def test_bookinfo_behind_a_gateway_of_its_own(mesh: Mesh, istio_samples: Samples) -> None:
    documents = istio_samples("bookinfo/gateway-api/bookinfo-gateway.yaml")

    def conditions(kind: str, name: str) -> dict[str, str]:
        status = mesh.run("get", kind, name, "-o", "json").json()["status"]
        told = status["parents"][0] if "parents" in status else status
        return {entry["type"]: entry["status"] for entry in told["conditions"]}

    def made() -> list[str]:
        items = mesh.run("get", "deploy,svc,sa", "-o", "json").json()["items"]
        return [item["kind"] for item in items if item["metadata"]["name"] == MADE]

    try:
        mesh.apply(documents)
        eventually(lambda: conditions("gtw", "bookinfo-gateway").get("Programmed"), lambda held: held == "True", 30)
        assert conditions("httproute", "bookinfo") == {"Accepted": "True", "ResolvedRefs": "True"}
        url = f"http://{MADE}.default/productpage"
        eventually(lambda: mesh.curl(url).code, lambda code: code == 200, 30)
        assert sorted(made()) == ["Deployment", "Service", "ServiceAccount"]
    finally:
        mesh.delete(documents)
    eventually(made, lambda kinds: not kinds, 30)
