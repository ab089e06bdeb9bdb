"""What is in force between two modes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mizzen.api.meta import Object
from mizzen.model.config import Config
from mizzen.model.snapshot import Snapshot
from mizzen.model.view import MtlsMode
from mizzen.resolve import build, stages, view
from mizzen.resolve.mtls import peer_policies
from tests.meshes import endpoint_slice, pod, service, sidecar
from tests.unit.resolve.test_mtls import policy

MESHED = {"app": "web", "security.istio.io/tlsMode": "istio"}
BASE = (
    service("web", "a", 1, [{"name": "http", "port": 80, "targetPort": 8080}]),
    pod("web-0", "a", 1, MESHED),
    endpoint_slice("web", "a", [{"name": "http", "port": 8080}], ["10.1.0.1"]),
)
D, P, S = MtlsMode.DISABLE, MtlsMode.PERMISSIVE, MtlsMode.STRICT


def config(mode: MtlsMode, namespace: str = "a", revision: int = 1, **spec: object) -> Config:
    objects: list[Object] = [*BASE, policy("x", namespace, mode.value, **spec)]
    return replace(Config().with_objects(objects), revision=revision)


def seen(snapshot: Snapshot) -> tuple[MtlsMode, bool, MtlsMode]:
    """The server's mode, whether clients use mTLS to its endpoint, and what they believe of its namespace."""
    served = view(snapshot, sidecar(1, "a", app="web")).inbound
    assert served is not None
    (endpoint,) = snapshot.endpoints[("a", "web.a.svc.cluster.local", 80)]
    believed = peer_policies(snapshot.peer_authentications, "istio-system").namespace("a")
    return served.mtls, endpoint.tls_mode == "istio", believed


@pytest.mark.row("PA-10")
@pytest.mark.parametrize(
    ("old", "new", "between"),
    [
        (P, D, [(P, False, D)]),
        (S, D, [(P, True, S), (P, False, D)]),
        (D, P, [(P, False, D)]),
        (D, S, [(P, False, D), (P, True, S)]),
        (P, S, []),
        (S, P, []),
        (D, D, []),
    ],
)
@pytest.mark.parametrize("namespace", ["a", "istio-system"])
def test_servers_take_both_while_clients_turn(
    old: MtlsMode, new: MtlsMode, between: list[tuple[MtlsMode, bool, MtlsMode]], namespace: str
) -> None:
    before, after = build(config(old, namespace)), config(new, namespace, revision=2)
    found = stages(before, after)
    snapshots = [before]
    for stage in found:
        assert stage.revision == 1, "who waits for the change waits for all of it"
        snapshots.append(build(stage, snapshots[-1]))
    assert [seen(snapshot) for snapshot in snapshots[1:]] == between
    assert seen(build(after, snapshots[-1])) == (new, new is not D, new)
    assert seen(build(after, snapshots[-1])) == seen(build(after)), "nothing of the stages is left"


@pytest.mark.row("PA-06", "PA-10")
def test_a_port_that_turns_is_lenient_and_the_others_are_as_they_will_be() -> None:
    web = {"selector": {"matchLabels": {"app": "web"}}}
    before = build(config(P, **web))
    after = config(S, revision=2, **web, portLevelMtls={"8080": {"mode": "DISABLE"}})
    (stage,) = stages(before, after)
    served = view(build(stage, before), sidecar(1, "a", app="web")).inbound
    assert served is not None
    assert served.mtls is S
    assert {port.port: port.mtls for port in served.ports}[8080] is P


def test_other_changes_have_no_stages() -> None:
    before = build(config(D))
    assert stages(before, before.config.with_objects([service("more", "a", 7, [{"port": 80}])])) == ()
    elsewhere = before.config.with_objects([policy("y", "b", "STRICT")])
    assert stages(before, elsewhere) == (), "nobody runs there"
