from __future__ import annotations

from typing import Any

import pytest

from mizzen.inject.probes import encode, rewrite


def one(container: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    (changed,), asked = rewrite([{"name": "web", **container}], 15020)
    return changed, asked


@pytest.mark.row("IP-13")
def test_every_sort_of_probe_asks_the_agent_who_asks_what_was_meant() -> None:
    changed, asked = one(
        {
            "ports": [{"name": "http", "containerPort": 8080}],
            "livenessProbe": {
                "httpGet": {
                    "port": "http",
                    "path": "/l",
                    "scheme": "HTTPS",
                    "httpHeaders": [{"name": "a", "value": "b"}],
                },
                "timeoutSeconds": 3,
            },
            "readinessProbe": {"tcpSocket": {"port": 9}, "periodSeconds": 2},
            "startupProbe": {"grpc": {"port": 7, "service": "s"}},
        }
    )
    assert asked == {
        "/app-health/web/livez": {
            "httpGet": {"path": "/l", "port": 8080, "scheme": "HTTPS", "httpHeaders": [{"name": "a", "value": "b"}]},
            "timeoutSeconds": 3,
        },
        "/app-health/web/readyz": {"tcpSocket": {"port": 9}},
        "/app-health/web/startupz": {"grpc": {"port": 7, "service": "s"}},
    }
    live = changed["livenessProbe"]["httpGet"]
    assert (live["path"], live["port"], live["scheme"]) == ("/app-health/web/livez", 15020, "HTTP")
    assert changed["readinessProbe"] == {
        "periodSeconds": 2,
        "httpGet": {"path": "/app-health/web/readyz", "port": 15020},
    }


@pytest.mark.row("IP-13")
def test_commands_the_proxy_itself_and_probes_of_the_agent_stay() -> None:
    probe = {"exec": {"command": ["true"]}}
    agents = {"httpGet": {"port": 15020, "path": "/x"}}
    changed, asked = one({"livenessProbe": probe, "readinessProbe": agents})
    assert (changed["livenessProbe"], changed["readinessProbe"], asked) == (probe, agents, {})
    proxy = {"name": "istio-proxy", "livenessProbe": {"httpGet": {"port": 1}}}
    assert rewrite([proxy], 15020) == ([proxy], {})


@pytest.mark.row("IP-13")
def test_hooks_too() -> None:
    changed, asked = one({"lifecycle": {"preStop": {"httpGet": {"port": 80, "path": "/s"}}}})
    assert changed["lifecycle"]["preStop"]["httpGet"]["path"] == "/app-lifecycle/web/prestopz"
    assert asked == {"/app-lifecycle/web/prestopz": {"httpGet": {"path": "/s", "port": 80}}}


def test_the_text_is_compact_and_in_order() -> None:
    assert encode({"b": {"x": 1}, "a": {}}) == '{"a":{},"b":{"x":1}}'
