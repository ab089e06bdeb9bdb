"""Every golden: the resources that its config gives are those written in it."""

from __future__ import annotations

import pytest

from mizzen.proto.constraints import broken
from tests.golden.runner import FOLDER, Golden, goldens, message_of, shown, translated


def _cases() -> list[object]:
    return [pytest.param(g, id=str(g.path.relative_to(FOLDER)), marks=pytest.mark.row(*g.rows)) for g in goldens()]


@pytest.mark.parametrize("golden", _cases())
def test_the_resources_are_those_of_the_golden(golden: Golden) -> None:
    assert golden.expected is not None, "no output yet: run python -m tests.golden.runner --regenerate"
    assert shown(golden.case) == golden.expected


@pytest.mark.parametrize("golden", _cases())
def test_the_resources_keep_within_the_limits_of_envoys_api(golden: Golden) -> None:
    for held in translated(golden.case).types.values():
        for resource in held.values():
            if resource.type_url.startswith("type.googleapis.com/envoy."):
                assert list(broken(message_of(resource), whole=True)) == []
