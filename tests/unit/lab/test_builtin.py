"""Objects of every mesh."""

from mizzen.lab.builtin import objects, sample_images


def test_both_gateways_have_account_deployment_and_service() -> None:
    found = {(each["kind"], each["metadata"]["name"]) for each in objects("node", "10.9.0.2")}
    for name in ("istio-ingressgateway", "istio-egressgateway"):
        assert {("ServiceAccount", f"{name}-service-account"), ("Deployment", name), ("Service", name)} <= found


def test_a_gateways_service_selects_its_pods_and_names_their_ports() -> None:
    made = {(each["kind"], each["metadata"]["name"]): each for each in objects("node", "10.9.0.2")}
    service = made["Service", "istio-ingressgateway"]["spec"]
    template = made["Deployment", "istio-ingressgateway"]["spec"]["template"]
    assert service["selector"].items() <= template["metadata"]["labels"].items()
    listening = {port["containerPort"] for port in template["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"] for port in service["ports"]} == listening


def test_the_node_has_its_address() -> None:
    (node,) = [each for each in objects("n", "10.9.0.2") if each["kind"] == "Node"]
    assert {"type": "InternalIP", "address": "10.9.0.2"} in node["status"]["addresses"]


def test_sample_programs_are_images() -> None:
    assert {"httpbin", "examples-bookinfo-reviews-v1"} <= sample_images().keys()
