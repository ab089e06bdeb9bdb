"""Mesh config inside a ConfigMap, down to the line."""

from mizzen.api.kubernetes import ConfigMap
from mizzen.sources.files import parse
from mizzen.sources.mesh import is_mesh_config, line_inside, read_mesh

TEXT = "data:\n  mesh: |\n    trustDomain: td\n    nonsense: 1\n"


def test_the_line_of_a_key_inside() -> None:
    (document,) = parse(TEXT).documents
    reading = read_mesh(ConfigMap(data=document.raw["data"]))
    assert reading.config.trust_domain == "td"
    assert line_inside(document, reading, reading.problems[0].path) == 4


def test_which_one_it_is() -> None:
    assert is_mesh_config("ConfigMap", "istio-system", "istio")
    assert not is_mesh_config("ConfigMap", "default", "istio")
    assert read_mesh(ConfigMap()).config.trust_domain == "cluster.local"
