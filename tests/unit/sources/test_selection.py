"""Objects for other revisions, and kinds that are not read."""

from __future__ import annotations

from typing import Any

import pytest

from mizzen.api.meta import Origin
from mizzen.model.config import Config
from mizzen.model.finding import Level
from mizzen.sources.config import Assembly, judge
from mizzen.sources.files import Document
from mizzen.sources.selection import EVERYTHING, Selection

NETWORKING = "networking.istio.io/v1"


def _config(selection: Selection, *documents: dict[str, Any]) -> Config:
    assembly = Assembly(selection=selection)
    for raw in documents:
        assembly.put(judge(Document(raw, Origin("f", 1))))
    return assembly.config(1)


def _rule(name: str, revision: str = "") -> dict[str, Any]:
    labels = {"istio.io/rev": revision} if revision else {}
    meta = {"name": name, "namespace": "a", "labels": labels}
    return {"apiVersion": NETWORKING, "kind": "DestinationRule", "metadata": meta, "spec": {"host": "x"}}


def _names(config: Config) -> list[str]:
    return [name for _, name in config.of("DestinationRule")]


@pytest.mark.row("CM-12")
def test_a_revision_reads_its_own_objects_and_those_without_a_label() -> None:
    rules = [_rule("bare"), _rule("mine", "blue"), _rule("theirs", "green"), _rule("tag", "prod")]
    found = _config(Selection("blue"), *rules)
    assert _names(found) == ["bare", "mine"]
    told = [f for f in found.findings if f.level is Level.INFO]
    assert sorted((f.name, "revision" in f.message) for f in told) == [("tag", True), ("theirs", True)]
    assert len(_names(_config(EVERYTHING, *rules))) == 4


@pytest.mark.row("CM-12")
def test_a_changed_label_counts_at_once() -> None:
    assembly = Assembly(selection=Selection("blue"))
    for raw, count in ((_rule("r", "blue"), 1), (_rule("r", "green"), 0), (_rule("r"), 1)):
        assembly.put(judge(Document(raw, Origin("f", 1))))
        assert len(_names(assembly.config(1))) == count


@pytest.mark.row("CM-12")
def test_a_pod_s_label_is_about_its_proxy() -> None:
    meta = {"name": "p", "namespace": "a", "labels": {"istio.io/rev": "green"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [{"name": "a", "image": "x"}]}}
    assert len(_config(Selection("blue"), pod).of("Pod")) == 1


@pytest.mark.row("CM-14")
@pytest.mark.parametrize(
    ("ignored", "included", "read"),
    [
        (("destinationrules.networking.istio.io",), (), False),
        (("*.networking.istio.io",), (), False),
        (("*.istio.io",), (), False),
        (("*.istio.io",), ("destinationrules.networking.istio.io",), True),
        (("*.security.istio.io",), (), True),
        ((), ("virtualservices.networking.istio.io",), True),
        (("virtualservices.networking.istio.io",), (), True),
    ],
)
def test_kinds_that_are_not_read(ignored: tuple[str, ...], included: tuple[str, ...], read: bool) -> None:
    found = _config(Selection(ignored=ignored, included=included), _rule("r"))
    assert bool(_names(found)) is read
    assert any("PILOT_IGNORE_RESOURCES" in f.message for f in found.findings) is not read
