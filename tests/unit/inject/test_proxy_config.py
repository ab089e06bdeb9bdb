"""Row PC-02: a pod's own ProxyConfig."""

import json

import pytest

from mizzen.api.mesh_config import MeshConfig, ProxyConfig
from mizzen.inject import InjectSettings, inject
from tests.unit.inject.pods import NAMESPACE, env, pod, run


@pytest.mark.row("AN-11")
def test_the_config_annotation_goes_over_the_meshs_default():
    mesh = MeshConfig(default_config=ProxyConfig(proxy_metadata={"A": "1", "B": "1"}, concurrency=3))
    document = pod({"proxy.istio.io/config": "proxyMetadata: {B: '2'}\nterminationDrainDuration: 9s"})
    injected = run(document, InjectSettings(mesh=mesh))
    found = env(injected)
    expected = {"proxyMetadata": {"A": "1", "B": "2"}, "concurrency": 3, "terminationDrainDuration": "9s"}
    assert json.loads(found["PROXY_CONFIG"]) == expected
    assert (found["A"], found["B"]) == ("1", "2")
    assert env(injected, "istio-init") == {"A": "1", "B": "2"}


def test_an_unknown_field_of_the_config_annotation_is_a_warning():
    done = inject(pod({"proxy.istio.io/config": "concurency: 2"}), NAMESPACE, InjectSettings())
    assert done.injected
    assert "concurency" in str(done.warnings[0])
