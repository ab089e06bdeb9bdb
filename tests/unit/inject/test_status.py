"""Row IJ-07: an injected pod is taken apart before it is injected again."""

from __future__ import annotations

import json

from mizzen.inject.status import OVERRIDES, STATUS, overrides, status, stripped
from tests.unit.inject.pods import container, pod, run


def test_what_an_injection_added_is_named_and_taken_out_again() -> None:
    injected = run(pod())
    added = json.loads(injected["metadata"]["annotations"][STATUS])
    assert (added["containers"], added["initContainers"], added["revision"]) == (
        ["istio-proxy"],
        ["istio-init"],
        "default",
    )
    bare, _ = stripped(injected)
    assert [c["name"] for c in bare["spec"]["containers"]] == ["web"]
    assert not {"initContainers", "volumes"} & bare["spec"].keys()
    assert STATUS not in bare["metadata"]["annotations"]


def test_the_users_own_part_of_the_proxy_comes_back() -> None:
    mine = {"name": "istio-proxy", "image": "mine/proxy"}
    document = pod()
    document["spec"]["containers"].append(mine)
    bare, _ = stripped(run(document))
    assert container(bare, "istio-proxy") == mine
    assert OVERRIDES not in bare["metadata"]["annotations"]


def test_a_pod_without_a_status_or_with_one_that_is_no_json_stays_as_it_is() -> None:
    for document in (pod(), pod({STATUS: "{"})):
        assert stripped(document) == (document, {})


def test_empty_lists_are_null() -> None:
    assert json.loads(status({"spec": {"containers": [{"name": "p"}]}}, "r")) == {
        "initContainers": None,
        "containers": ["p"],
        "volumes": None,
        "imagePullSecrets": None,
        "revision": "r",
    }
    assert overrides({"containers": [], "initContainers": [{"name": "x"}]}) == '{"initContainers":[{"name":"x"}]}'
