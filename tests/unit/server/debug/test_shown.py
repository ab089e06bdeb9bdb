"""Objects as they were written."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from mizzen.api.decode import decode
from mizzen.api.meta import Duration
from mizzen.server.debug import shown

VIRTUAL_SERVICE: dict[str, Any] = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"a": "b"}},
    "spec": {
        "hosts": ["web"],
        "http": [
            {
                "match": [{"uri": {"prefix": "/x"}, "headers": {"end-user": {"exact": "jason"}}}],
                "timeout": "1.5s",
                "route": [{"destination": {"host": "web", "subset": "v1", "port": {"number": 80}}, "weight": 90}],
            }
        ],
    },
}


@pytest.mark.row("DBG-05")
def test_an_object_is_shown_as_it_was_written() -> None:
    decoded = decode(VIRTUAL_SERVICE)
    assert decoded.object is not None
    assert shown.document(decoded.object) == VIRTUAL_SERVICE


def test_kubernetes_own_objects_keep_their_form() -> None:
    raw = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "m", "namespace": "shop"},
        "data": {"mesh": "{}"},
    }
    decoded = decode(raw)
    assert decoded.object is not None
    assert shown.document(decoded.object) == raw


class Word(StrEnum):
    ONE = "one"


def test_plain_values() -> None:
    assert shown.plain({Word.ONE: (Duration.parse("2s"), Word.ONE, None, 1.5, b"x")}) == {
        "one": ["2s", "one", None, 1.5, "b'x'"]
    }
