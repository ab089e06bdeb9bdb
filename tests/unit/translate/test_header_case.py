"""Row PC-13: the case of header names is kept on both sides of a proxy."""

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions

from mizzen.api.mesh_config import MeshConfig, ProxyConfig
from mizzen.model.conduct import Conduct
from mizzen.model.protocol import Protocol
from mizzen.model.service import Service
from mizzen.model.view import Inbound, InboundPort, MtlsMode
from mizzen.translate import header_case, inbound

KEPT = ProxyConfig(proxy_headers={"preserveHttp1HeaderCase": True})


def options(cluster: cluster_pb2.Cluster) -> HttpProtocolOptions:
    found = HttpProtocolOptions()
    for packed in cluster.typed_extension_protocol_options.values():
        assert packed.Unpack(found)
    return found


@pytest.mark.row("PC-13")
def test_it_is_asked_for() -> None:
    assert header_case.kept(KEPT)
    assert not header_case.kept(ProxyConfig())
    assert not header_case.kept(ProxyConfig(proxy_headers={"preserveHttp1HeaderCase": "x"}))
    manager = hcm_pb2.HttpConnectionManager()
    header_case.keep_in_requests(manager)
    assert manager.http_protocol_options.header_key_format.stateful_formatter.name == "preserve_case"


@pytest.mark.row("PC-13")
def test_clusters_to_the_app_keep_it_but_those_of_bytes_and_http2() -> None:
    service = Service(hostname="web.bar.svc.cluster.local", name="web", namespace="bar", ports=())
    ports = tuple(
        InboundPort(port=number, protocol=protocol, service=service, service_port=number, mtls=MtlsMode.PERMISSIVE)
        for number, protocol in (
            (80, Protocol.HTTP),
            (81, Protocol.HTTP2),
            (82, Protocol.UNSUPPORTED),
            (83, Protocol.TCP),
        )
    )
    view = Inbound(key=0, mesh=MeshConfig(), namespace="bar", ports=ports, conduct=Conduct(KEPT))
    found = {cluster.name: options(cluster) for cluster in inbound.clusters(view)}
    one = found["inbound|80||"].explicit_http_config.http_protocol_options
    assert one.header_key_format.stateful_formatter.name == "preserve_case"
    assert found["inbound|81||"].explicit_http_config.HasField("http2_protocol_options")
    for name in ("inbound|82||", "InboundPassthroughCluster"):
        both = found[name].use_downstream_protocol_config
        assert both.http_protocol_options.header_key_format.stateful_formatter.name == "preserve_case"
        assert both.HasField("http2_protocol_options")
    assert not found["inbound|83||"].ByteSize()
