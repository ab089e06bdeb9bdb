from __future__ import annotations

from typing import Any

import pytest

from mizzen.cli import changes
from mizzen.cli.failure import Exit

Json = dict[str, Any]
CREATED = {"kind": "VirtualService", "namespace": "default", "name": "reviews", "action": "created"}
VERDICT: Json = {
    "snapshot": 3,
    "done": True,
    "concerned": ["a", "b"],
    "acked": ["a", "b"],
    "refused": [],
    "disconnected": [],
    "waiting": [],
}
REFUSAL = {"proxy": "a", "type": "Cluster", "resource": "x", "reason": "no such thing"}


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("VirtualService", "virtualservice.networking.istio.io/x"),
        ("Service", "service/x"),
        ("Nothing", "nothing/x"),
    ],
)
def test_objects_are_named_as_kubectl_names_them(kind: str, title: str) -> None:
    assert changes.title({"kind": kind, "name": "x"}) == title


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, Exit.DONE),
        ({"refused": [REFUSAL]}, Exit.ERROR),
        ({"refused": [REFUSAL], "done": False}, Exit.ERROR),
        ({"disconnected": ["c"]}, Exit.NOT_READY),
        ({"waiting": ["deployment x: 0 of 1 pods ready"]}, Exit.NOT_READY),
        ({"done": False}, Exit.NOT_READY),
    ],
)
def test_the_exit_code_of_a_verdict(change: Json, code: Exit) -> None:
    assert changes.verdict_code({**VERDICT, **change}) == code


def test_a_refusal_names_proxy_resource_and_envoys_reason(capsys: pytest.CaptureFixture[str]) -> None:
    changes.show_verdict({**VERDICT, "acked": ["b"], "refused": [REFUSAL], "disconnected": ["c"]})
    assert capsys.readouterr().err.splitlines() == [
        "Error: proxy a refused Cluster x: no such thing",
        "Error: proxy c is concerned by the change and is not connected",
        "snapshot 3: 1 of 2 proxies concerned have acknowledged",
    ]


def test_who_has_not_answered_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    late = "sidecar~10.0.0.7~web-0.default~default.svc.cluster.local"
    changes.show_verdict({**VERDICT, "concerned": ["a", late], "acked": ["a"], "done": False})
    assert capsys.readouterr().err.splitlines() == [
        "Error: proxy web-0.default has not acknowledged yet; mizzen proxy-status shows where it stands",
        "snapshot 3: 1 of 2 proxies concerned have acknowledged",
    ]


def test_nobody_concerned_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    changes.show_verdict({**VERDICT, "concerned": [], "acked": []})
    assert capsys.readouterr().err == "snapshot 3: no connected proxy is concerned by this change\n"


def test_results_are_lines_and_what_was_left_out_because_of_another_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    changes.show_results([CREATED, {**CREATED, "action": "deleted"}], dry_run=True)
    changes.show_results([{**CREATED, "action": "refused"}, {**CREATED, "action": "configured"}], verb="edited")
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "virtualservice.networking.istio.io/reviews created (dry run)",
        'virtualservice.networking.istio.io "reviews" deleted (dry run)',
        "virtualservice.networking.istio.io/reviews edited",
    ]
    assert err == "virtualservice.networking.istio.io/reviews not applied: another object was refused\n"
