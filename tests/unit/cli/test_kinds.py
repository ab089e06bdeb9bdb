from __future__ import annotations

import pytest

from mizzen.cli.failure import Exit, Failure
from mizzen.cli.kinds import kinds_of, named, plural, singular


@pytest.mark.parametrize("word", ["vs", "virtualservice", "VirtualServices", "virtualservices.networking.istio.io"])
def test_every_spelling_is_one_kind(word: str) -> None:
    assert [info.kind for info in kinds_of(word)] == ["VirtualService"]


def test_titles_have_the_group_and_core_kinds_have_none() -> None:
    istio, core = kinds_of("vs,po")
    assert (singular(istio), plural(core)) == ("virtualservice.networking.istio.io", "pods")
    assert [info.kind for info in kinds_of("all")][:2] == ["Pod", "Service"]


def test_kubectls_two_forms() -> None:
    assert [(target.kind.kind, target.name) for target in named(["vs,dr", "a"])] == [
        ("VirtualService", "a"),
        ("DestinationRule", "a"),
    ]
    assert [(target.kind.kind, target.name) for target in named(["vs/a", "deploy/b"])] == [
        ("VirtualService", "a"),
        ("Deployment", "b"),
    ]
    with pytest.raises(Failure) as failure:
        named(["vs/a", "b"])
    assert failure.value.code is Exit.USAGE
