from __future__ import annotations

import pytest

from mizzen.model import locality
from mizzen.model.service import Locality


@pytest.mark.row("LO-01")
@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"istio-locality": "r.z.s"}, Locality("r", "z", "s")),
        ({"istio-locality": "r.z"}, Locality("r", "z")),
        ({"istio-locality": "r"}, Locality("r")),
        ({"istio-locality": "a.b", "topology.istio.io/locality": "r.z.s"}, Locality("r", "z", "s")),
        ({"istio-locality": "r/z.1/s"}, Locality("r", "z.1", "s")),
        ({"istio-locality": ""}, None),
        ({"topology.kubernetes.io/region": "r"}, None),
    ],
)
def test_a_workload_s_own_labels(labels: dict[str, str], expected: Locality | None) -> None:
    assert locality.of_labels(labels) == expected


@pytest.mark.row("LO-01")
def test_a_node_s_labels_new_ones_first() -> None:
    old = {"failure-domain.beta.kubernetes.io/region": "o", "failure-domain.beta.kubernetes.io/zone": "oz"}
    assert locality.of_machine(old) == Locality("o", "oz")
    assert locality.of_machine({**old, locality.REGION: "r", locality.ZONE: "z", locality.SUBZONE: "s"}) == Locality(
        "r", "z", "s"
    )
    assert locality.of_machine({}) == Locality()


@pytest.mark.row("LO-05")
def test_the_labels_of_a_place() -> None:
    assert locality.labels_of(Locality("r", "z", "s")) == {
        "topology.kubernetes.io/region": "r",
        "topology.kubernetes.io/zone": "z",
        "topology.istio.io/subzone": "s",
    }
    assert locality.topology("n", "", "node-1") == {
        "topology.istio.io/network": "n",
        "kubernetes.io/hostname": "node-1",
    }
