"""Row AG-09: gRPC's health protocol against grpcio's server."""

from concurrent import futures

import grpc
import pytest

from tests.unit.agent.serving import get, probes


@pytest.mark.row("AG-09")
@pytest.mark.parametrize(("answer", "status"), [(b"\x08\x01", 200), (b"\x08\x02", 500), (None, 500)])
async def test_grpc_probes_against_a_real_grpc_server(answer, status):
    asked = []

    def check(request, context):
        asked.append(request)
        if answer is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return answer

    method = grpc.unary_unary_rpc_method_handler(check)
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        found = probes(readyz={"grpc": {"port": port, "service": "shop"}, "timeoutSeconds": 5})
        assert (await found.relay(get("/app-health/web/readyz"))).status == status
    finally:
        server.stop(None).wait()
    assert asked == [b"\x0a\x04shop"]
