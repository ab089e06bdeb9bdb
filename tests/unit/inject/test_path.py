"""The webhook's path: cluster, network and variables, and what they do to a pod."""

from __future__ import annotations

import pytest

from mizzen.inject import InjectSettings, located, parameters
from tests.unit.inject.pods import env, pod, run

CLUSTER, NETWORK = "ISTIO_META_CLUSTER_ID", "ISTIO_META_NETWORK"
LABEL = "topology.istio.io/network"


@pytest.mark.row("IJ-06")
@pytest.mark.parametrize(
    ("path", "variables", "ignored"),
    [
        ("", {}, []),
        ("cluster/east/net/n1", {CLUSTER: "east", NETWORK: "n1"}, []),
        ("foo_bar/a--slash--b/", {"FOO_BAR": "a/b"}, []),
        ("cluster/east/net", {CLUSTER: "east"}, ["net"]),
        ("/x/cluster/east", {CLUSTER: "east"}, ["/x"]),
        (":ENV:cluster=east:ENV:net=n1:ENV:a=b=c", {CLUSTER: "east", NETWORK: "n1", "A": "b=c"}, []),
        (":ENV:a=:ENV:=b:ENV:c", {"A": ""}, ["=b", "c"]),
    ],
)
def test_paths(path: str, variables: dict[str, str], ignored: list[str]) -> None:
    assert parameters(path) == (variables, ignored)


def by_path(path: str) -> InjectSettings:
    return located(InjectSettings(cluster_id="home", network="n0"), parameters(path)[0])


@pytest.mark.row("IJ-06")
def test_variables_take_the_place_of_those_of_the_same_name() -> None:
    mine = {"name": "istio-proxy", "env": [{"name": "COLOUR", "value": "red"}, {"name": CLUSTER, "value": "mine"}]}
    document = pod()
    document["spec"]["containers"].append(mine)
    done = run(document, by_path("cluster/east/colour/blue/net/n1"))
    assert env(done) | {CLUSTER: "east", NETWORK: "n1", "COLOUR": "blue"} == env(done)
    names = [item["name"] for item in done["spec"]["containers"][-1]["env"]]
    assert len(names) == len(set(names))
    assert done["metadata"]["labels"][LABEL] == "n1"
    assert "COLOUR" not in str(done["spec"]["containers"][0])


@pytest.mark.row("IJ-06")
def test_a_label_of_the_user_goes_over_the_network_of_the_path() -> None:
    done = run(pod(labels={LABEL: "own"}), by_path("net/n1"))
    assert done["metadata"]["labels"][LABEL] == "own"
    assert env(done)[NETWORK] == "own"


def test_without_a_path_the_settings_stay() -> None:
    done = run(pod(), by_path(""))
    assert (env(done)[CLUSTER], env(done)[NETWORK]) == ("home", "n0")
