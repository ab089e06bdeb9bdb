"""Proxies of pods that do not run; the whole path is in test_expand."""

from mizzen.lab.offline import proxy_of
from mizzen.model.proxy import ProxyType


def test_a_gateway_and_its_locality_label() -> None:
    proxy = {
        "name": "istio-proxy",
        "args": ["proxy", "router"],
        "env": [{"name": "ISTIO_META_CLUSTER_ID", "value": "c1"}],
    }
    labels = {"topology.istio.io/locality": "r.z"}
    found = proxy_of({"metadata": {"name": "g", "namespace": "n", "labels": labels}, "spec": {"containers": [proxy]}})
    assert (found.type, found.cluster_id, found.locality.region, found.locality.zone) == (
        ProxyType.ROUTER,
        "c1",
        "r",
        "z",
    )
