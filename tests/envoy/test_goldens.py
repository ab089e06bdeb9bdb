"""Every golden's resources, all of them at once, in the real Envoy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.core.v3 import config_source_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from mizzen.model.resources import CLUSTER, LISTENER, ROUTE, ResourceSet
from mizzen.translate import filters, tls
from tests.envoy.loopback import Authority, envoy_binary
from tests.golden.runner import FOLDER, Golden, goldens, message_of, translated


def bootstrap(made: ResourceSet) -> bootstrap_pb2.Bootstrap:
    """Every resource as a static one, in binary form, because JSON would lose what xds-protos lacks."""
    message = bootstrap_pb2.Bootstrap()
    message.node.id, message.node.cluster = "golden", "golden"
    source = message.dynamic_resources.ads_config
    source.api_type, source.transport_api_version = source.DELTA_GRPC, config_source_pb2.V3
    source.grpc_services.add().envoy_grpc.cluster_name = "xds-grpc"
    upstream = message.static_resources.clusters.add(name="xds-grpc")
    upstream.load_assignment.cluster_name = "xds-grpc"
    upstream.load_assignment.endpoints.add().lb_endpoints.add().endpoint.address.pipe.path = "/nowhere"
    message.static_resources.clusters.extend(message_of(r) for r in made.get(CLUSTER).values())
    message.static_resources.listeners.extend(message_of(r) for r in made.get(LISTENER).values())
    message.static_resources.listeners.extend(
        _route_listener(made, name, 1 + i) for i, name in enumerate(made.get(ROUTE))
    )
    return message


def _route_listener(made: ResourceSet, name: str, port: int) -> listener_pb2.Listener:
    """A listener that carries one route configuration inline: Envoy checks routes only inside one."""
    manager = hcm_pb2.HttpConnectionManager(
        stat_prefix="x", http_filters=[filters.fault(), filters.cors(), filters.router()]
    )
    manager.route_config.CopyFrom(message_of(made.get(ROUTE)[name]))
    listener = listener_pb2.Listener(name=f"routes of {name}")
    listener.bind_to_port.value = False
    listener.address.socket_address.address, listener.address.socket_address.port_value = "127.0.0.1", port
    listener.filter_chains.add().filters.append(
        filters.network("envoy.filters.network.http_connection_manager", manager)
    )
    return listener


@pytest.fixture(scope="module")
def sds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Authority().write(tmp_path_factory.mktemp("sds") / "sds", "spiffe://cluster.local/ns/default/sa/golden")


@pytest.mark.envoy
@pytest.mark.row("XD-24")
@pytest.mark.parametrize("golden", [pytest.param(g, id=str(g.path.relative_to(FOLDER))) for g in goldens()])
def test_envoy_accepts_every_resource(
    golden: Golden, sds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "SDS_DIRECTORY", str(sds))
    file = tmp_path / "bootstrap.pb"
    file.write_bytes(bootstrap(translated(golden.case)).SerializeToString())
    command = [str(envoy_binary()), "--mode", "validate", "-c", str(file), "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
