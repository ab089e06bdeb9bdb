"""Rows IP-06, AN-02: names and resources of one pod."""

import pytest

from tests.unit.inject.pods import container, pod, refusal, run


@pytest.mark.row("IP-06")
@pytest.mark.parametrize(
    ("labels", "name", "revision"),
    [
        ({"service.istio.io/canonical-name": "own", "service.istio.io/canonical-revision": "r"}, "own", "r"),
        ({"app.kubernetes.io/name": "k8s", "app.kubernetes.io/version": "2"}, "k8s", "2"),
        ({"app": "a" * 62 + "-b"}, "a" * 62, "latest"),
    ],
)
def test_canonical_names(labels, name, revision):
    found = run(pod(labels=labels))["metadata"]["labels"]
    assert found["service.istio.io/canonical-name"] == name
    assert found["service.istio.io/canonical-revision"] == revision
    assert (
        run(pod(labels={"security.istio.io/tlsMode": "disabled"}))["metadata"]["labels"]["security.istio.io/tlsMode"]
        == "disabled"
    )


@pytest.mark.row("AN-02")
def test_one_annotated_resource_drops_all_defaults():
    injected = run(pod({"sidecar.istio.io/proxyCPU": "4000m"}))
    for name in ("istio-proxy", "istio-init"):
        assert container(injected, name)["resources"] == {"requests": {"cpu": "4"}}
    assert "proxyMemory" in refusal({"sidecar.istio.io/proxyMemory": "plenty"})


def test_a_name_is_cut_to_what_a_label_may_hold():
    name = "a" * 62 + "-b"
    assert run(pod(labels={"app": name}))["metadata"]["labels"]["service.istio.io/canonical-name"] == "a" * 62
