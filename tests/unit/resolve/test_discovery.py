"""What discovery selectors leave in the mesh."""

import pytest

from mizzen.api.decode import decode, decode_mesh
from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.resolve import build
from mizzen.resolve.discovery import namespaces
from tests.meshes import rule, service

PORTS = [{"name": "http", "port": 80}]


def namespace(name: str, **labels: str) -> Object:
    found = decode({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    assert found.object is not None
    return found.object


OBJECTS = [
    namespace("a", mesh="yes"),
    namespace("b"),
    service("web", "a", 1, PORTS),
    service("db", "b", 2, PORTS),
    rule("web", "a", host="web"),
    rule("db", "b", host="db"),
]


def config(*selectors: object) -> Config:
    return Config(mesh=decode_mesh({"discoverySelectors": list(selectors)})[0]).with_objects(OBJECTS)


@pytest.mark.row("CM-13", "MC-18")
def test_only_selected_namespaces_are_there() -> None:
    snapshot = build(config({"matchLabels": {"mesh": "yes"}}))
    assert {s.namespace for s in snapshot.services} == {"a"}
    assert {o.namespace for o in snapshot.destination_rules} == {"a"}
    either = build(config({"matchLabels": {"mesh": "yes"}}, {"matchLabels": {"kubernetes.io/metadata.name": "b"}}))
    assert {s.namespace for s in either.services} == {"a", "b"}


@pytest.mark.row("CM-13", "MC-18")
def test_without_selectors_all_are_and_a_changed_label_counts_at_once() -> None:
    assert namespaces(config().mesh, config().of("Namespace")) is None
    before = config({"matchLabels": {"mesh": "yes"}})
    old = build(before)
    new = build(before.with_objects([namespace("a")]), old)
    assert not new.services
    same = build(before.with_objects([namespace("a", mesh="yes", more="x")]), old)
    assert same.services is old.services
