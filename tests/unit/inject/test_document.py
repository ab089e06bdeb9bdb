"""Row IJ-13: kube-inject."""

import pytest

from mizzen.inject import InjectSettings, workload

POD = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "x"}]}}


def document(kind, template=POD):
    api = {
        "Pod": "v1",
        "Job": "batch/v1",
        "CronJob": "batch/v1",
        "ReplicationController": "v1",
        "DeploymentConfig": "apps.openshift.io/v1",
    }.get(kind, "apps/v1")
    head = {"apiVersion": api, "kind": kind, "metadata": {"name": "web", "namespace": "shop"}}
    if kind == "Pod":
        return {**head, "spec": template["spec"]}
    if kind == "CronJob":
        return {**head, "spec": {"jobTemplate": {"spec": {"template": template}}}}
    return {**head, "spec": {"template": template}}


def template_of(found):
    if found["kind"] == "Pod":
        return found
    spec = found["spec"]
    return spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"]


@pytest.mark.row("IJ-13")
@pytest.mark.parametrize(
    "kind",
    [
        "Pod",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
        "ReplicationController",
        "DeploymentConfig",
    ],
)
def test_every_kind_with_a_pod_template(kind):
    done = workload(document(kind), InjectSettings())
    assert done.injected
    proxy = template_of(done.document)["spec"]["containers"][-1]
    env = {item["name"]: item.get("value") for item in proxy["env"]}
    assert proxy["name"] == "istio-proxy"
    assert env["ISTIO_META_OWNER"].endswith(f"/namespaces/shop/{kind.lower()}s/web")


@pytest.mark.row("IJ-13")
def test_lists_and_other_kinds():
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    done = workload({"apiVersion": "v1", "kind": "List", "items": [service, document("Deployment")]}, InjectSettings())
    assert done.injected
    assert done.document["items"][0] == service
    assert workload(service, InjectSettings()).document == service


@pytest.mark.row("IJ-13")
def test_host_network_passes_with_a_warning():
    host = document("Deployment", {"spec": {"hostNetwork": True, "containers": []}})
    done = workload(host, InjectSettings())
    assert not done.injected
    assert done.document == host
    assert "host's network" in str(done.warnings[0])
