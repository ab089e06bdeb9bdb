from __future__ import annotations

import pytest

from mizzen.cli.proxyconfig.ecds import rows

LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"


@pytest.mark.row("EF-07")
def test_name_and_type_of_each_by_name() -> None:
    part = {
        "ecds_filters": [
            {"ecds_filter": {"name": "z", "typed_config": {"@type": LUA}}},
            {"ecds_filter": {"name": "a", "typed_config": {"@type": LUA}}},
        ]
    }
    assert rows(part) == [("a", LUA), ("z", LUA)]
    assert rows({}) == []
