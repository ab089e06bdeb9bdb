from __future__ import annotations

from typing import Any

import pytest

from mizzen.cli.failure import Failure
from mizzen.cli.targets import chosen_container, default_container, identify, pods_of, proxied_pods_of, split
from tests.unit.cli.fake_mesh import deployment, pod

Json = dict[str, Any]

OBJECTS: list[Json] = [
    deployment("reviews"),
    pod("reviews-b", {"app": "reviews"}),
    pod("reviews-a", {"app": "reviews"}, ready=False),
    pod("other", {"app": "other"}),
    pod("gw", {"app": "gw"}, namespace="istio-system"),
    {"kind": "Service", "metadata": {"name": "svc", "namespace": "default"}, "spec": {"selector": {"app": "other"}}},
]


def find(kind: str, namespace: str, name: str) -> list[Json]:
    def fits(raw: Json) -> bool:
        return (
            raw["kind"] == kind and raw["metadata"]["namespace"] == namespace and name in ("", raw["metadata"]["name"])
        )

    return [raw for raw in OBJECTS if fits(raw)]


@pytest.mark.row("IC-03")
def test_the_part_after_the_last_dot_is_the_namespace() -> None:
    assert split("reviews", None) == ("pod", "reviews", "default")
    assert split("reviews", "shop") == ("pod", "reviews", "shop")
    assert split("deploy/reviews.bank", "shop") == ("deploy", "reviews", "bank")


@pytest.mark.row("IC-03")
@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("reviews-a", "reviews-a"),
        ("deploy/reviews", "reviews-b"),
        ("reviews", "reviews-b"),
        ("service/svc", "other"),
        ("gw.istio-system", "gw"),
    ],
)
def test_the_pod_that_a_name_means(word: str, name: str) -> None:
    assert identify(pods_of(word, None, find)[0])[1] == name


def test_no_pod_is_an_error_with_the_next_step() -> None:
    with pytest.raises(Failure, match="no running pod for 'ghost'") as failure:
        pods_of("ghost", None, find)
    assert "mizzen get pods" in failure.value.hint


def test_a_pod_without_a_proxy_is_told_from_a_silent_one() -> None:
    bare = {
        "kind": "Pod",
        "metadata": {"name": "bare", "namespace": "default"},
        "spec": {"containers": [{"name": "app"}], "initContainers": [{"name": "istio-init"}]},
    }
    native = {
        "kind": "Pod",
        "metadata": {"name": "native", "namespace": "default"},
        "spec": {"containers": [{"name": "app"}], "initContainers": [{"name": "istio-proxy"}]},
    }
    assert proxied_pods_of("native", None, lambda *_: [bare, native]) == [native]
    with pytest.raises(Failure, match=r"bare\.default has no sidecar") as failure:
        proxied_pods_of("bare", None, lambda *_: [bare])
    assert "istio-injection=enabled" in failure.value.hint


def test_the_container_that_is_meant() -> None:
    raw = pod("a")
    raw["spec"]["containers"].reverse()
    assert default_container(raw) == "app"
    raw["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "istio-proxy"}
    assert default_container(raw) == "istio-proxy"
    assert chosen_container(raw, "app") == "app"
    with pytest.raises(Failure, match="no container 'x'"):
        chosen_container(raw, "x")
