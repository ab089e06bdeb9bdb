"""Rows IP-01, IP-02, IP-10..12: the capture container and the proxy."""

import pytest

from mizzen.api.mesh_config import MeshConfig, ProxyConfig
from mizzen.inject import InjectSettings, ProxySettings
from tests.unit.inject.pods import container, env, pod, run


@pytest.mark.row("IP-01", "IP-10")
def test_the_capture_container():
    init = run(pod())["spec"]["initContainers"]
    assert [c["name"] for c in init] == ["istio-init"]
    expected = "istio-iptables -p 15001 -z 15006 -u 1337 -m REDIRECT -i * -x  -b * -d 15090,15021,15020 --log_output_level=default:info"
    assert init[0]["args"] == expected.split(" ")
    assert init[0]["securityContext"]["capabilities"] == {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]}
    assert init[0]["securityContext"]["runAsUser"] == 0


@pytest.mark.row("IP-01", "AN-10")
def test_what_else_capture_may_be_told():
    prefix = "traffic.sidecar.istio.io/"
    annotations = {
        prefix + "includeOutboundPorts": "9",
        prefix + "excludeOutboundPorts": "7",
        "istio.io/reroute-virtual-interfaces": "virt0",
        prefix + "excludeInterfaces": "eth9",
    }
    mesh = MeshConfig(default_config=ProxyConfig(proxy_metadata={"A": "1"}))
    settings = InjectSettings(mesh=mesh, proxy=ProxySettings(log_as_json=True, force_apply_iptables=True))
    injected = run(pod(annotations), settings)
    args = container(injected, "istio-init")["args"]
    level = args.index("--log_output_level=default:info")
    assert args[level - 8 : level] == ["-q", "9", "-o", "7", "-k", "virt0", "-c", "eth9"]
    assert args[level + 1 :] == ["--log_as_json", "--force-apply"]
    assert env(injected, "istio-init") == {"A": "1"}
    no_status = run(pod({"status.sidecar.istio.io/port": "0"}))
    args = container(no_status, "istio-init")["args"]
    assert args[args.index("-d") + 1] == "15090,15021"


@pytest.mark.row("IP-01", "IP-10")
def test_with_cni_only_the_rules_are_checked_and_without_capture_there_is_nothing():
    injected = run(pod(initContainers=[{"name": "mine", "image": "x"}]), InjectSettings(cni=True))
    assert [c["name"] for c in injected["spec"]["initContainers"]] == ["istio-validation", "mine"]
    validation = container(injected, "istio-validation")
    assert validation["args"][-2:] == ["--run-validation", "--skip-rule-apply"]
    assert validation["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert validation["securityContext"]["runAsUser"] == 1337
    assert validation["securityContext"]["readOnlyRootFilesystem"] is True
    assert "initContainers" not in run(pod({"sidecar.istio.io/interceptionMode": "NONE"}))["spec"]


@pytest.mark.row("IP-10")
def test_the_users_init_containers_come_before_capture():
    injected = run(pod(initContainers=[{"name": "mine", "image": "x"}]))
    assert [c["name"] for c in injected["spec"]["initContainers"]] == ["mine", "istio-init"]


@pytest.mark.row("IP-02", "IP-04", "IP-05")
def test_the_proxy_container():
    injected = run(pod())
    proxy = injected["spec"]["containers"][-1]
    assert proxy["name"] == "istio-proxy"
    assert proxy["args"][:4] == ["proxy", "sidecar", "--domain", "$(POD_NAMESPACE).svc.cluster.local"]
    assert proxy["securityContext"]["runAsUser"] == 1337
    assert proxy["securityContext"]["readOnlyRootFilesystem"] is True
    assert proxy["readinessProbe"]["httpGet"] == {"path": "/healthz/ready", "port": 15021}
    assert proxy["startupProbe"]["failureThreshold"] == 600
    assert proxy["resources"] == {
        "limits": {"cpu": "2", "memory": "1Gi"},
        "requests": {"cpu": "100m", "memory": "128Mi"},
    }
    mounted = {mount["name"]: mount["mountPath"] for mount in proxy["volumeMounts"]}
    assert mounted["istio-token"] == "/var/run/secrets/tokens"
    assert mounted == {
        "workload-socket": "/var/run/secrets/workload-spiffe-uds",
        "credential-socket": "/var/run/secrets/credential-uds",
        "workload-certs": "/var/run/secrets/workload-spiffe-credentials",
        "istiod-ca-cert": "/var/run/secrets/istio",
        "istio-ca-crl": "/var/run/secrets/istio/crl",
        "istio-data": "/var/lib/istio/data",
        "istio-envoy": "/etc/istio/proxy",
        "istio-token": "/var/run/secrets/tokens",
        "istio-podinfo": "/etc/istio/pod",
    }
    volumes = {volume.pop("name"): volume for volume in injected["spec"]["volumes"]}
    assert mounted.keys() == volumes.keys()
    token = {"path": "istio-token", "expirationSeconds": 43200, "audience": "istio-ca"}
    assert volumes["istio-token"] == {"projected": {"sources": [{"serviceAccountToken": token}]}}
    assert volumes["istio-envoy"] == {"emptyDir": {"medium": "Memory"}}
    assert volumes["istiod-ca-cert"] == {"configMap": {"name": "istio-ca-root-cert"}}
    assert volumes["istio-ca-crl"] == {"configMap": {"name": "istio-ca-crl", "optional": True}}
    assert proxy["args"][4:] == [
        "--proxyLogLevel=warning",
        "--proxyComponentLogLevel=misc:error",
        "--log_output_level=default:info",
    ]
    assert proxy["ports"] == [{"containerPort": 15090, "protocol": "TCP", "name": "http-envoy-prom"}]
    context = proxy["securityContext"]
    assert (context["runAsGroup"], context["runAsNonRoot"], context["allowPrivilegeEscalation"]) == (1337, True, False)
    assert context["capabilities"] == {"drop": ["ALL"]}
    get = {"path": "/healthz/ready", "port": 15021}
    assert proxy["startupProbe"] == {"httpGet": get, "periodSeconds": 1, "timeoutSeconds": 3, "failureThreshold": 600}
    assert proxy["readinessProbe"] == {
        "httpGet": get,
        "periodSeconds": 15,
        "timeoutSeconds": 3,
        "failureThreshold": 4,
    }
    assert (
        run(pod(), InjectSettings(proxy=ProxySettings(startup_probe=False)))["spec"]["containers"][-1].get(
            "startupProbe"
        )
        is None
    )


@pytest.mark.row("IP-02")
@pytest.mark.parametrize(
    ("annotation", "value", "added"),
    [("interceptionMode", "TPROXY", "NET_ADMIN"), ("capNetBindService", "true", "NET_BIND_SERVICE")],
)
def test_what_needs_a_capability_runs_as_root(annotation, value, added):
    context = container(run(pod({f"sidecar.istio.io/{annotation}": value})), "istio-proxy")["securityContext"]
    assert context["capabilities"] == {"add": [added], "drop": ["ALL"]}
    assert (context["runAsUser"], context["runAsGroup"], context["runAsNonRoot"]) == (0, 1337, False)


@pytest.mark.row("IP-10", "IP-11")
def test_native_sidecars_start_before_the_users_init_containers():
    injected = run(pod(initContainers=[{"name": "mine", "image": "x"}]), InjectSettings(native_sidecars=True))
    assert [c["name"] for c in injected["spec"]["initContainers"]] == ["istio-init", "istio-proxy", "mine"]
    assert container(injected, "istio-proxy")["restartPolicy"] == "Always"


@pytest.mark.row("IP-12")
@pytest.mark.parametrize("how", ["annotation", "mesh"])
def test_hold_application_puts_the_proxy_first(how):
    annotations = {"proxy.istio.io/config": "holdApplicationUntilProxyStarts: true"} if how == "annotation" else {}
    mesh = (
        MeshConfig(default_config=ProxyConfig(hold_application_until_proxy_starts=True))
        if how == "mesh"
        else MeshConfig()
    )
    injected = run(pod(annotations), InjectSettings(mesh=mesh))
    assert [c["name"] for c in injected["spec"]["containers"]] == ["istio-proxy", "web"]
    assert injected["spec"]["containers"][0]["lifecycle"]["postStart"]["exec"]["command"] == ["pilot-agent", "wait"]


@pytest.mark.row("AN-10")
def test_traffic_annotations_reach_the_capture_arguments():
    prefix = "traffic.sidecar.istio.io/"
    annotations = {
        prefix + "includeInboundPorts": "1,2",
        prefix + "excludeInboundPorts": "4",
        prefix + "excludeOutboundPorts": "7",
        prefix + "includeOutboundPorts": "9",
        prefix + "includeOutboundIPRanges": "10.0.0.0/8",
        prefix + "excludeInterfaces": "eth9",
    }
    args = container(run(pod(annotations)), "istio-init")["args"]
    found = {flag: args[args.index(flag) + 1] for flag in ("-b", "-d", "-o", "-q", "-i", "-c")}
    assert found == {"-b": "1,2", "-d": "15090,15021,4,15020", "-o": "7", "-q": "9", "-i": "10.0.0.0/8", "-c": "eth9"}
