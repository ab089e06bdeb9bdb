"""Resources of proxies with IPv6, in the real Envoy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mizzen.model.proxy import BOTH_FAMILIES, IPV6_ONLY
from mizzen.translate import tls
from tests.envoy.loopback import Authority, envoy_binary
from tests.envoy.test_goldens import bootstrap
from tests.unit.translate.test_families import made


@pytest.mark.envoy
@pytest.mark.row("XD-09", "OL-24")
@pytest.mark.parametrize("where", ["shop/web-0", "istio-system/edge-0"])
@pytest.mark.parametrize("families", [IPV6_ONLY, BOTH_FAMILIES])
def test_envoy_accepts_them(families: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sds = Authority().write(tmp_path / "sds", "spiffe://cluster.local/ns/shop/sa/web")
    monkeypatch.setattr(tls, "SDS_DIRECTORY", str(sds))
    file = tmp_path / "bootstrap.pb"
    file.write_bytes(bootstrap(made(families, where)).SerializeToString())
    command = [str(envoy_binary()), "--mode", "validate", "-c", str(file), "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
