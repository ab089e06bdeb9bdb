"""One object in, findings out."""

import pytest

from mizzen.api.kinds import KINDS
from mizzen.check import VALIDATORS, refused, validate
from tests.unit.check.judging import findings


def test_every_istio_kind_has_a_validator() -> None:
    assert set(VALIDATORS) >= {
        key for key, info in KINDS.items() if info.group.endswith(".istio.io") and info.payload == "spec"
    }


def test_all_findings_of_an_object() -> None:
    found = findings("DestinationRule", {"host": "", "subsets": [{"name": "A!"}]})
    assert [f.field for f in found] == ["spec.host", "spec.subsets[0].name", "spec.subsets[0].labels"]
    assert refused(found)
    assert not refused(found[2:])


@pytest.mark.parametrize("kind", sorted(VALIDATORS))
def test_nothing_raises_on_an_empty_spec(kind: str) -> None:
    assert isinstance(findings(kind, {}), list)


def test_kinds_without_rules() -> None:
    from mizzen.api.decode import decode

    obj = decode({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}).object
    assert obj is not None
    assert validate(obj) == []
