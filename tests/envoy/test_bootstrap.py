"""A real Envoy takes the bootstrap with everything that ProxyConfig can put into it."""

import json
import subprocess
from pathlib import Path

import pytest

from mizzen.agent.bootstrap import bootstrap
from mizzen.agent.settings import Settings
from tests.envoy.loopback import Authority, envoy_binary

pytestmark = pytest.mark.envoy

EVERYTHING = {
    "tracing": {"zipkin": {"address": "zipkin.istio-system:9411"}, "tlsSettings": {"mode": "SIMPLE"}},
    "envoyAccessLogService": {"address": "als.istio-system:15000"},
    "envoyMetricsService": {"address": "ms.istio-system:15000"},
    "statsdUdpAddress": "127.0.0.1:8125",
    "runtimeValues": {"overload.global_downstream_max_connections": "500"},
    "extraStatTags": ["team"],
    "proxyStatsMatcher": {"inclusionPrefixes": ["cluster.outbound"], "inclusionRegexps": [".*upstream.*"]},
}


@pytest.mark.row("PC-06", "PC-08", "PC-09", "PC-12")
def test_envoy_takes_it(tmp_path: Path) -> None:
    Authority().write(tmp_path / "sds", "spiffe://cluster.local/ns/a/sa/a")
    path = tmp_path / "bootstrap.json"
    path.write_text(json.dumps(bootstrap(Settings(proxy_config=EVERYTHING, config_path=tmp_path))))
    command = [str(envoy_binary()), "--mode", "validate", "-c", str(path), "--allow-unknown-static-fields"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
