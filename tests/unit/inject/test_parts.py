"""Rows IP-03..06: what both templates share."""

import json

import pytest

from mizzen.api.mesh_config import MeshConfig, ProxyConfig
from mizzen.inject import InjectSettings
from tests.unit.inject.pods import container, env, pod, run

ENVIRONMENT = (
    "PILOT_CERT_PROVIDER CA_ADDR POD_NAME POD_NAMESPACE INSTANCE_IP SERVICE_ACCOUNT HOST_IP ISTIO_CPU_LIMIT PROXY_CONFIG "
    "ISTIO_META_POD_PORTS ISTIO_META_APP_CONTAINERS GOMEMLIMIT ISTIO_META_CLUSTER_ID ISTIO_META_NODE_NAME "
    "ISTIO_META_INTERCEPTION_MODE ISTIO_META_WORKLOAD_NAME ISTIO_META_OWNER ISTIO_META_MESH_ID TRUST_DOMAIN"
)


@pytest.mark.row("IP-03")
def test_the_environment_in_istios_order():
    found = env(run(pod()))
    assert list(found) == ENVIRONMENT.split()
    assert found["PILOT_CERT_PROVIDER"] == "istiod"
    assert found["INSTANCE_IP"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert found["SERVICE_ACCOUNT"] == {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}
    assert found["ISTIO_CPU_LIMIT"]["resourceFieldRef"]["resource"] == "limits.cpu"
    assert found["GOMEMLIMIT"]["resourceFieldRef"]["resource"] == "limits.memory"
    assert (found["ISTIO_META_APP_CONTAINERS"], found["ISTIO_META_CLUSTER_ID"]) == ("web", "Kubernetes")
    assert (found["ISTIO_META_MESH_ID"], found["TRUST_DOMAIN"]) == ("cluster.local", "cluster.local")
    mesh = MeshConfig(default_config=ProxyConfig(proxy_metadata={"Z": "1", "B": "2"}))
    more = env(run(pod(), InjectSettings(mesh=mesh, network="n1", mesh_id="m")))
    assert list(more)[-2:] == ["B", "Z"]
    assert (more["ISTIO_META_NETWORK"], more["ISTIO_META_MESH_ID"]) == ("n1", "m")


@pytest.mark.row("IP-03", "IP-08")
def test_the_environment_names_the_deployment():
    found = env(run(pod()))
    assert found["ISTIO_META_WORKLOAD_NAME"] == "web"
    assert found["ISTIO_META_OWNER"] == "kubernetes://apis/apps/v1/namespaces/shop/deployments/web"
    assert found["POD_NAME"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert json.loads(found["ISTIO_META_POD_PORTS"]) == [{"name": "http", "containerPort": 8080}]
    assert found["PROXY_CONFIG"] == "{}\n"
    assert found["CA_ADDR"] == "istiod.istio-system.svc:15012"
    assert "ISTIO_KUBE_APP_PROBERS" not in found


@pytest.mark.row("AN-03", "AN-09")
def test_log_levels_and_readiness():
    annotations = {
        "sidecar.istio.io/logLevel": "debug",
        "status.sidecar.istio.io/port": "15999",
        "readiness.status.sidecar.istio.io/periodSeconds": "2",
    }
    proxy = container(run(pod(annotations)), "istio-proxy")
    assert "--proxyLogLevel=debug" in proxy["args"]
    assert proxy["readinessProbe"]["periodSeconds"] == 2
    assert "readinessProbe" not in container(run(pod({"status.sidecar.istio.io/port": "0"})), "istio-proxy")
