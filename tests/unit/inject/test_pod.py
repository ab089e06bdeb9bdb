"""Rows IP-01..14, AN-02..11, IT-05: what an injected pod looks like."""

import copy
import json

import pytest

from mizzen.api.mesh_config import MeshConfig, ProxyConfig
from mizzen.inject import InjectNamespace, InjectSettings, ProxySettings, inject
from mizzen.inject.owner import owner_of

NAMESPACE = InjectNamespace("shop", {"istio-injection": "enabled"})


def pod(annotations=None, labels=None, **spec):
    container = {"name": "web", "image": "shop/web", "ports": [{"name": "http", "containerPort": 8080}]}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7d4b9c", "controller": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "web-7d4b9c-",
            "labels": {"app": "web", "pod-template-hash": "7d4b9c", **(labels or {})},
            "annotations": annotations or {},
            "ownerReferences": [owner],
        },
        "spec": {"containers": [container], **spec},
    }


def run(document, settings=None):
    before = copy.deepcopy(document)
    done = inject(document, NAMESPACE, settings or InjectSettings())
    assert document == before, "the argument was changed"
    assert done.injected, done
    assert inject(done.pod, NAMESPACE, settings or InjectSettings()).pod == done.pod, "injecting twice differs"
    return done.pod


def container(document, name):
    spec = document["spec"]
    return next(c for c in [*spec.get("initContainers", []), *spec["containers"]] if c["name"] == name)


def env(document, name="istio-proxy"):
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in container(document, name)["env"]}


def refusal(annotations, settings=None):
    done = inject(pod(annotations), NAMESPACE, settings or InjectSettings())
    assert not done.injected
    assert done.errors
    return str(done.errors[0])


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


@pytest.mark.row("IP-08")
@pytest.mark.parametrize(
    ("labels", "owner", "expected"),
    [
        ({}, {"kind": "Job", "name": "tidy-29123456", "apiVersion": "batch/v1"}, ("tidy", "CronJob")),
        ({}, {"kind": "Job", "name": "tidy-12", "apiVersion": "batch/v1"}, ("tidy-12", "Job")),
        ({}, {"kind": "ReplicaSet", "name": "web-1"}, ("web-1", "ReplicaSet")),
        ({"rollouts-pod-template-hash": "x1"}, {"kind": "ReplicaSet", "name": "web-x1"}, ("web", "Rollout")),
        ({"deploymentconfig": "web"}, {"kind": "ReplicationController", "name": "web-1"}, ("web", "DeploymentConfig")),
        ({}, {"kind": "StatefulSet", "name": "db"}, ("db", "StatefulSet")),
    ],
)
def test_owners(labels, owner, expected):
    document = {
        "metadata": {"generateName": "x-", "labels": labels, "ownerReferences": [{**owner, "controller": True}]}
    }
    found = owner_of(document)
    assert (found.name, found.kind) == expected


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


@pytest.mark.row("IP-06", "IP-07")
def test_labels_and_annotations():
    metadata = run(pod(labels={"version": "v2"}))["metadata"]
    assert metadata["labels"]["security.istio.io/tlsMode"] == "istio"
    assert metadata["labels"]["service.istio.io/canonical-name"] == "web"
    assert metadata["labels"]["service.istio.io/canonical-revision"] == "v2"
    assert "istio.io/rev" not in metadata["labels"]
    assert metadata["annotations"]["istio.io/rev"] == "default"
    assert metadata["annotations"]["kubectl.kubernetes.io/default-container"] == "web"
    assert metadata["annotations"]["kubectl.kubernetes.io/default-logs-container"] == "web"
    chosen = run(pod({"kubectl.kubernetes.io/default-container": "mine"}))["metadata"]["annotations"]
    assert chosen["kubectl.kubernetes.io/default-container"] == "mine"
    told = run(pod(), InjectSettings(cni=True))["metadata"]["annotations"]
    assert told["sidecar.istio.io/interceptionMode"] == "REDIRECT"
    assert told["traffic.sidecar.istio.io/includeInboundPorts"] == "*"
    status = json.loads(metadata["annotations"]["sidecar.istio.io/status"])
    assert list(status) == ["initContainers", "containers", "volumes", "imagePullSecrets", "revision"]
    assert (status["initContainers"], status["containers"], status["imagePullSecrets"]) == (
        ["istio-init"],
        ["istio-proxy"],
        None,
    )


@pytest.mark.row("IP-09")
def test_the_users_own_proxy_container_is_merged_over_ours():
    own = {
        "name": "istio-proxy",
        "image": "auto",
        "securityContext": {"runAsUser": 1234},
        "env": [{"name": "A", "value": "b"}],
    }
    app = {"name": "web", "image": "shop/web"}
    injected = run(pod(containers=[own, app]))
    proxy = container(injected, "istio-proxy")
    assert proxy["image"] != "auto"
    assert proxy["securityContext"]["runAsUser"] == 1234
    assert env(injected)["A"] == "b"
    args = container(injected, "istio-init")["args"]
    assert args[args.index("-u") + 1] == "1234"
    assert (
        json.loads(injected["metadata"]["annotations"]["proxy.istio.io/overrides"])["containers"][0]["name"]
        == "istio-proxy"
    )


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


@pytest.mark.row("IP-13")
def test_probes_are_rewritten_and_remembered():
    app = {
        "name": "web",
        "image": "x",
        "ports": [{"name": "http", "containerPort": 8080}],
        "livenessProbe": {"httpGet": {"path": "/live", "port": "http", "scheme": "HTTPS"}, "periodSeconds": 7},
        "readinessProbe": {"tcpSocket": {"port": 9000}},
        "startupProbe": {"grpc": {"port": 9001}, "timeoutSeconds": 4},
        "lifecycle": {"preStop": {"httpGet": {"path": "/bye", "port": 8080}}},
    }
    injected = run(pod(containers=[app]))
    web = container(injected, "web")
    assert web["livenessProbe"] == {
        "httpGet": {"path": "/app-health/web/livez", "port": 15020, "scheme": "HTTP"},
        "periodSeconds": 7,
    }
    assert web["readinessProbe"] == {"httpGet": {"path": "/app-health/web/readyz", "port": 15020}}
    assert web["startupProbe"] == {"httpGet": {"path": "/app-health/web/startupz", "port": 15020}, "timeoutSeconds": 4}
    assert web["lifecycle"]["preStop"]["httpGet"]["path"] == "/app-lifecycle/web/prestopz"
    assert json.loads(env(injected)["ISTIO_KUBE_APP_PROBERS"]) == {
        "/app-health/web/livez": {"httpGet": {"path": "/live", "port": 8080, "scheme": "HTTPS"}},
        "/app-health/web/readyz": {"tcpSocket": {"port": 9000}},
        "/app-health/web/startupz": {"grpc": {"port": 9001}, "timeoutSeconds": 4},
        "/app-lifecycle/web/prestopz": {"httpGet": {"path": "/bye", "port": 8080}},
    }


@pytest.mark.row("IP-13")
def test_probe_rewriting_is_switched_off_by_annotation_and_reaches_init_containers():
    probe = {"httpGet": {"path": "/live", "port": 8080}}
    app = {"name": "web", "image": "x", "livenessProbe": probe}
    off = run(pod({"sidecar.istio.io/rewriteAppHTTPProbers": "false"}, containers=[app]))
    assert container(off, "web")["livenessProbe"] == probe
    assert "ISTIO_KUBE_APP_PROBERS" not in env(off)
    helper = {"name": "helper", "image": "x", "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": 1}}}
    injected = run(pod(containers=[app], initContainers=[helper]))
    assert container(injected, "helper")["startupProbe"]["httpGet"]["path"] == "/app-health/helper/startupz"


@pytest.mark.row("IP-14")
def test_prometheus_annotations_move_into_the_agent():
    injected = run(pod({"prometheus.io/scrape": "true", "prometheus.io.port": "9080"}))
    annotations = injected["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == "15020"
    assert annotations["prometheus.io/path"] == "/stats/prometheus"
    assert "prometheus.io.port" not in annotations
    assert json.loads(env(injected)["ISTIO_PROMETHEUS_ANNOTATIONS"])["port"] == "9080"
    off = run(pod({"prometheus.io/scrape": "false"}))
    assert off["metadata"]["annotations"]["prometheus.io/scrape"] == "false"
    assert "15090" in refusal({"prometheus.io/port": "15090"})


@pytest.mark.row("AN-02")
def test_one_annotated_resource_drops_all_defaults():
    injected = run(pod({"sidecar.istio.io/proxyCPU": "4000m"}))
    for name in ("istio-proxy", "istio-init"):
        assert container(injected, name)["resources"] == {"requests": {"cpu": "4"}}
    assert "proxyMemory" in refusal({"sidecar.istio.io/proxyMemory": "plenty"})


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


@pytest.mark.row("AN-04", "AN-07", "AN-10")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("traffic.sidecar.istio.io/includeOutboundIPRanges", "10.0.0.0/99"),
        ("traffic.sidecar.istio.io/excludeOutboundIPRanges", "*"),
        ("traffic.sidecar.istio.io/excludeInboundPorts", "http"),
        ("traffic.sidecar.istio.io/excludeOutboundPorts", "70000"),
        ("sidecar.istio.io/interceptionMode", "MAGIC"),
        ("sidecar.istio.io/userVolume", "[1]"),
        ("status.sidecar.istio.io/port", "-1"),
        ("proxy.istio.io/config", "concurrency: many"),
        ("proxy.istio.io/config", "{"),
    ],
)
def test_a_bad_annotation_refuses_the_pod(name, value):
    assert name in refusal({name: value})


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


@pytest.mark.row("IT-05")
def test_the_gateway_template():
    annotations = {"inject.istio.io/templates": "gateway"}
    container_ = {"name": "istio-proxy", "image": "auto", "ports": [{"containerPort": 8443}]}
    injected = run(pod(annotations, containers=[container_]), InjectSettings(proxy=ProxySettings(image="x/proxyv2:1")))
    assert "initContainers" not in injected["spec"]
    (proxy,) = injected["spec"]["containers"]
    assert proxy["args"][:2] == ["proxy", "router"]
    assert proxy["image"] == "x/proxyv2:1"
    assert {p["containerPort"] for p in proxy["ports"]} == {15090, 8443}
    assert "startupProbe" not in proxy
    assert injected["spec"]["securityContext"]["sysctls"][0]["name"] == "net.ipv4.ip_unprivileged_port_start"


def test_an_unknown_template_refuses_the_pod():
    assert "there is no template 'mine'" in refusal({"inject.istio.io/templates": "mine"})
