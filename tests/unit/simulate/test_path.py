from typing import Any

import pytest
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.simulate import Call
from mizzen.simulate.path import normalised

Hcm = hcm_pb2.HttpConnectionManager
UNESCAPE = {"path_with_escaped_slashes_action": Hcm.UNESCAPE_AND_FORWARD}


@pytest.mark.parametrize(
    ("fields", "path", "expected"),
    [
        ({}, "/a/../b", "/a/../b"),
        ({"normal": True}, "/a/../b?c=/../d", "/b?c=/../d"),
        ({"normal": True}, "/a/./b/.", "/a/b/"),
        ({"normal": True}, "/a/b/..", "/a/"),
        ({"normal": True}, "/../a", "/a"),
        ({"normal": True}, "/%61%2Fb\\c", "/a%2Fb/c"),
        ({"normal": True}, "//a", "//a"),
        ({"normal": True, "merge_slashes": True}, "//a///b", "/a/b"),
        ({"normal": True, "merge_slashes": True, **UNESCAPE}, "/a%2F%5cb", "/a/b"),
    ],
)
def test_paths(fields: dict[str, Any], path: str, expected: str) -> None:
    normal = fields.get("normal", False)
    manager = Hcm(**{k: v for k, v in fields.items() if k != "normal"})
    manager.normalize_path.value = normal
    assert normalised(manager, Call(port=1, path=path)).path == expected
