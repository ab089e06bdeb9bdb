"""Which gateways stand for which endpoints, and by how much weights grow."""

import pytest

from mizzen.model.networks import NetworkGateway, Networks

EAST = NetworkGateway("east", "c1", "10.0.0.1", 15443)
EAST_TOO = NetworkGateway("east", "c2", "10.0.0.2", 15443)
EAST_THREE = NetworkGateway("east", "c2", "10.0.0.3", 15443)
WEST = NetworkGateway("west", "", "10.0.1.1", 15443)


@pytest.mark.row("MN-03")
def test_the_gateways_of_a_cluster_come_before_the_others_of_its_network() -> None:
    networks = Networks((EAST, EAST_TOO, EAST_THREE, WEST))
    assert networks.to("east", "c2") == (EAST_TOO, EAST_THREE)
    assert networks.to("east", "c1") == (EAST,)
    assert networks.to("east", "c9") == (EAST, EAST_TOO, EAST_THREE)
    assert networks.to("north", "c1") == ()


@pytest.mark.row("MN-03")
def test_weights_can_be_split_among_any_group_of_gateways() -> None:
    assert Networks().scale == 1
    assert Networks((EAST, WEST)).scale == 1
    assert Networks((EAST, EAST_TOO, EAST_THREE, WEST)).scale == 6
