"""One agent with a real Envoy on loopback (rows AG-01, 04..06, 08, 10, CW-01, 03, 04, PO-01, 06, 07, 09)."""

import json
import os
import signal
import socket
import stat
from pathlib import Path

import pytest

from tests.envoy.agent_world import TOKEN, World, children

pytestmark = pytest.mark.envoy


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path)
    yield found
    found.close()


def ready(world):
    return world.ask("ready", "/healthz/ready")[0] == 200


@pytest.mark.row("AG-01", "AG-05", "PO-01", "PO-07")
def test_ready_only_when_configuration_has_come(world):
    world.start()
    world.until(lambda: world.ask("admin", "/ready")[0])
    status, reason = world.until(lambda: (found := world.ask("status", "/healthz/ready"))[0] and found)
    assert status == 503
    assert "config not received" in reason
    world.discovery.answering.set()
    world.until(lambda: ready(world))
    node = world.discovery.nodes[0]
    assert node.id == "sidecar~127.0.0.1~web-1.shop~shop.svc.cluster.local"
    assert node.cluster == "web.shop"
    assert dict(node.metadata["LABELS"]) == {"app": "web", "version": "v1"}
    assert node.metadata["NAMESPACE"] == "shop"
    assert world.discovery.identities[0] == [b"spiffe://cluster.local/ns/shop/sa/web-sa"]


@pytest.mark.row("AG-17")
@pytest.mark.parametrize("as_json", [False, True])
def test_every_line_of_the_log_has_one_form(world, as_json):
    world.discovery.answering.set()
    options = ("--proxyLogLevel=info", *(["--log_as_json"] if as_json else []))
    world.start(options=options)
    world.until(lambda: ready(world))
    # Until Envoy has read its bootstrap it writes in its own form.
    lines = [line for line in world.log().splitlines() if line.strip() and not line.startswith("[")]
    if not as_json:
        envoys = [line.split("\t") for line in lines if "\tenvoy " in line]
        assert envoys
        assert all(len(parts) == 5 and parts[4].startswith("thread=") for parts in envoys if len(parts) > 4)
        return
    found = [json.loads(line) for line in lines]
    assert {"agent"} < {line["scope"] for line in found}
    envoy = next(line for line in found if line["scope"].startswith("envoy "))
    assert set(envoy) == {"time", "level", "scope", "msg", "caller", "thread"}


@pytest.mark.row("AG-04", "CW-01")
def test_the_key_stays_in_the_pod_and_only_its_owner_reads_it(world):
    world.discovery.answering.set()
    world.start()
    world.until(lambda: ready(world))
    (request,) = world.authority.requests
    assert request["authorization"] == f"Bearer {TOKEN}"
    assert request["path"] == "/agent/v1/certificate"
    assert "PRIVATE" not in json.dumps(request)
    for name in ("default", "ROOTCA"):
        assert stat.S_IMODE((world.path / "proxy/sds" / f"{name}.json").stat().st_mode) == 0o600
    assert "PRIVATE" not in world.log()
    assert TOKEN not in world.log()


@pytest.mark.row("CW-03", "CW-04")
def test_rotation_at_half_life_without_a_restart_and_the_old_kept_on_failure(world):
    world.authority.seconds = 10
    world.discovery.answering.set()
    world.start()
    world.until(lambda: ready(world))
    first = world.until(world.serials)
    envoy = children(world.process.pid)
    world.authority.failing = True
    asked = len(world.authority.requests)
    world.until(lambda: len(world.authority.requests) >= asked + 2, 12)
    assert world.serials() == first
    assert ready(world)
    world.authority.failing = False
    world.until(lambda: (now := world.serials()) and now != first, 12)
    assert envoy[0] in children(world.process.pid)


@pytest.mark.row("AG-08", "MC-23", "ME-13", "ME-17", "PO-06", "PO-09")
def test_metrics_of_agent_and_envoy(world):
    world.discovery.answering.set()
    world.start()
    world.until(lambda: ready(world))
    for port in ("status", "metrics"):
        status, text = world.ask(port, "/stats/prometheus")
        assert status == 200
        assert 'istio_build{component="proxy",tag="' in text
        assert "envoy_server_live" in text
        assert "envoy_istio_" not in text
    assert "istio_agent_cert_expiry_seconds" in world.ask("status", "/metrics")[1]
    assert world.ask("status", "/app-health/web/livez")[0] == 400
    assert world.ask("status", "/quitquitquit")[0] == 405
    assert world.ask("status", "/nothing")[0] == 404


@pytest.mark.row("AG-06", "PC-04")
def test_sigterm_drains_first_and_ends_with_0(world):
    world.discovery.answering.set()
    world.start()
    world.until(lambda: ready(world))
    envoy = children(world.process.pid)[0]
    world.process.send_signal(signal.SIGTERM)
    world.until(lambda: world.ask("status", "/healthz/ready")[0] == 503, 3)
    assert Path(f"/proc/{envoy}").exists(), "killed before it was drained"
    assert world.process.wait(10) == 0
    assert not Path(f"/proc/{envoy}").exists()
    assert "does not answer" not in world.log()


@pytest.mark.row("AG-06", "PC-04")
def test_after_drain_sigterm_ends_at_once(world):
    world.discovery.answering.set()
    world.start(PROXY_CONFIG=world.config(terminationDrainDuration="60s"))
    world.until(lambda: ready(world))
    assert world.ask("status", "/drain", "POST")[0] == 200
    assert world.ask("admin", "/ready")[0] == 200
    world.process.send_signal(signal.SIGTERM)
    assert world.process.wait(5) == 0


@pytest.mark.row("AG-06", "PC-04")
def test_exit_on_zero_connections_does_not_wait_for_the_drain_duration(world):
    world.discovery.answering.set()
    config = world.config(terminationDrainDuration="60s")
    world.start(PROXY_CONFIG=config, EXIT_ON_ZERO_ACTIVE_CONNECTIONS="true", MINIMUM_DRAIN_DURATION="1s")
    world.until(lambda: ready(world))
    world.process.send_signal(signal.SIGTERM)
    assert world.process.wait(10) == 0


@pytest.mark.row("AG-10")
def test_quitquitquit_ends_at_once(world):
    world.discovery.answering.set()
    world.start(MIZZEN_X="1")
    world.until(lambda: ready(world))
    assert world.ask("status", "/quitquitquit", "POST")[0] == 200
    assert world.process.wait(3) == 0


def test_envoys_own_end_is_the_agents_exit_code(world):
    world.discovery.answering.set()
    world.start()
    world.until(lambda: ready(world))
    os.kill(children(world.process.pid)[0], signal.SIGKILL)
    assert world.process.wait(5) == 128 + signal.SIGKILL


def test_small_and_standard_library_only(world):
    """Decision 2: PSS of 20 MB or less, and no library beside Python's own."""
    world.discovery.answering.set()
    world.start()
    world.until(lambda: ready(world))
    for _ in range(5):
        world.ask("status", "/stats/prometheus")
    fields = dict(
        line.split(":") for line in Path(f"/proc/{world.process.pid}/smaps_rollup").read_text().splitlines()[1:]
    )
    assert int(fields["Pss"].split()[0]) <= 20 * 1024
    maps = Path(f"/proc/{world.process.pid}/maps").read_text()
    assert "site-packages" not in maps
    assert "_ssl" not in maps


def test_no_envoy_is_a_clear_message(world):
    world.start(MIZZEN_ENVOY_BINARY="/nonexistent/envoy")
    assert world.process.wait(10) == 1
    assert "cannot start /nonexistent/envoy" in world.log()


def test_a_taken_status_port_is_a_clear_message(world):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", world.ports["status"]))
        taken.listen()
        world.start()
        assert world.process.wait(10) == 1
    assert "address already in use" in world.log()
