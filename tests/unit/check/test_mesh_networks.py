"""What is said of MeshNetworks: every problem at once, with its path."""

from typing import Any

import pytest

from mizzen.api.decode import decode_mesh_networks
from mizzen.check.mesh_networks import notes_on_networks

GOOD = {
    "networks": {
        "east": {
            "endpoints": [{"fromRegistry": "c1"}, {"fromCidr": "10.0.0.0/8"}],
            "gateways": [
                {"address": "1.2.3.4", "port": 15443},
                {"registryServiceName": "a.b.svc.cluster.local", "port": 1},
            ],
        }
    }
}


def notes(raw: dict[str, Any]) -> dict[str, bool]:
    networks, problems = decode_mesh_networks(raw)
    assert not problems
    return {problem.path: problem.fatal for problem in notes_on_networks(networks)}


@pytest.mark.row("MC-30")
def test_what_is_right_gives_no_note() -> None:
    assert notes(GOOD) == {}


@pytest.mark.row("MC-30")
def test_every_problem_is_told_with_its_path() -> None:
    bad = {
        "endpoints": [{}, {"fromCidr": "10.0.0.0/255.0.0.0"}, {"fromCidr": "10.0.0.0/8", "fromRegistry": "c1"}],
        "gateways": [{"port": 15443}, {"address": "1.2.3.4"}, {"address": "1.2.3.4", "port": 70000}],
    }
    assert notes({"networks": {"east": bad}}) == {
        "networks.east.endpoints[0]": True,
        "networks.east.endpoints[1].fromCidr": True,
        "networks.east.endpoints[2]": True,
        "networks.east.gateways[0]": True,
        "networks.east.gateways[1].port": True,
        "networks.east.gateways[2].port": True,
    }


@pytest.mark.row("MC-30", "MN-02")
def test_what_changes_nothing_is_told_and_leaves_the_rest_in_force() -> None:
    odd = {
        "endpoints": [{"fromCidr": "10.0.0.0/8"}],
        "gateways": [
            {"registryServiceName": "a.b.svc.cluster.local", "port": 15443},
            {"address": "1.2.3.4", "port": 15443, "locality": "r1/z1"},
        ],
    }
    assert notes({"networks": {"east": odd}}) == {
        "networks.east.gateways[0].registryServiceName": False,
        "networks.east.gateways[1].locality": False,
    }


def test_unknown_keys_are_named() -> None:
    _, problems = decode_mesh_networks({"networks": {"east": {"gateway": []}}})
    assert [problem.path for problem in problems] == ["networks.east.gateway"]
