"""Services and their ports."""

from mizzen.model.protocol import Protocol
from mizzen.model.service import Port, Resolution, Service


def test_ports_and_headless() -> None:
    port = Port("http", 80, Protocol.HTTP)
    service = Service(hostname="a", name="a", namespace="n", ports=(port,))
    assert service.port(80) is port
    assert service.port(81) is None
    assert not service.headless
    assert Service(hostname="a", name="a", namespace="n", ports=(), resolution=Resolution.PASSTHROUGH).headless
