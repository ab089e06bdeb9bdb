from __future__ import annotations

from mizzen.cli.proxyconfig.patches import of_pod, rows

ANSWER = {
    "sidecar~10.1.0.1~web-1.shop~shop.svc.cluster.local": [
        {
            "namespace": "shop",
            "name": "f",
            "index": 1,
            "apply_to": "HTTP_FILTER",
            "status": "refused",
            "reason": "no",
        }
    ],
    "sidecar~10.1.0.2~web-1.shop2~shop2.svc.cluster.local": [],
}


def test_the_outcomes_of_one_pod() -> None:
    assert rows(of_pod(ANSWER, "shop", "web-1")) == [("f.shop", "configPatches[1]", "HTTP_FILTER", "refused", "no")]
    assert of_pod(ANSWER, "shop2", "web-1") == []
    assert of_pod(ANSWER, "shop", "web") == []
