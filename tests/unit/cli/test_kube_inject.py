from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.cli.conftest import Mizzen

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: hello}
spec:
  selector: {matchLabels: {app: hello}}
  template:
    metadata: {labels: {app: hello}}
    spec: {containers: [{name: hello, image: hello}]}
---
apiVersion: v1
kind: Service
metadata: {name: hello}
spec: {ports: [{port: 80}]}
"""


@pytest.mark.row("IX-08")
def test_workloads_get_the_sidecar_and_the_rest_stays(mizzen: Mizzen, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(DEPLOYMENT)
    result = mizzen("kube-inject", "-f", str(path))
    assert result.code == 0
    deployment, service = yaml.safe_load_all(result.out)
    pod = deployment["spec"]["template"]["spec"]
    assert {container["name"] for container in pod["containers"]} == {"hello", "istio-proxy"}
    assert service == list(yaml.safe_load_all(DEPLOYMENT))[1]


@pytest.mark.row("IX-08")
def test_to_a_file_and_not_from_a_broken_one(mizzen: Mizzen, tmp_path: Path) -> None:
    path, out = tmp_path / "a.yaml", tmp_path / "out.yaml"
    path.write_text(DEPLOYMENT)
    assert mizzen("kube-inject", "-f", str(path), "-o", str(out)) == (0, "", "")
    assert "istio-proxy" in out.read_text()
    path.write_text("kind: [")
    assert mizzen("kube-inject", "-f", str(path)).code == 1
