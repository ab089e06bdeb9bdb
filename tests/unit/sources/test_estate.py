from __future__ import annotations

from typing import Any

import pytest

from mizzen.analyze import analyze
from mizzen.sources.estate import Survey, mesh_text, survey
from mizzen.sources.files import parse
from mizzen.sources.selection import Selection

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: a}
spec:
  ports:
  - name: http
    port: 80
  - {name: foo, port: 81}
"""


def read(text: str, file: str = "f.yaml", **options: Any) -> Survey:
    return survey(parse(text, file).documents, **options)


def lines(text: str, file: str = "f.yaml") -> list[tuple[str, int]]:
    """(code, line) of everything that is found."""
    survey_ = read(text, file)
    return [(finding.code, finding.line) for finding in map(survey_.located, analyze(survey_.estate))]


@pytest.mark.row("IA-06")
def test_a_finding_has_the_line_of_its_field() -> None:
    assert lines("---\n" + SERVICE) == [("IST0118", 9)]
    assert ("IST0118", 1) in lines(SERVICE.replace(", port: 81", ""))


@pytest.mark.row("IA-02", "IA-06")
def test_json_has_no_lines() -> None:
    text = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"},\n "spec": {"ports": [{"port": 81}]}}'
    assert lines(text, "f.json") == [("IST0118", 0)]


@pytest.mark.row("IA-06")
def test_annotations_have_the_line_of_the_object() -> None:
    text = "# comment\napiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  annotations:\n    x.istio.io/y: z\n"
    assert lines(text) == [("IST0108", 2)]


@pytest.mark.row("IM-06", "IM-20")
def test_what_a_validator_says_has_the_line_of_its_field() -> None:
    text = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec:\n  selector: {istio: ingressgateway}\n  servers: []\n  serverz: 1\n"
    assert ("IST0106", 7) in lines(text)


@pytest.mark.row("IA-01")
def test_namespaces_that_are_never_read() -> None:
    for space in ("kube-system", "kube-public", "kube-node-lease", "local-path-storage"):
        found = read(SERVICE.replace("{name: a}", f"{{name: a, namespace: {space}}}"), files_only=False)
        assert not found.estate.of("Service")
        assert [skipped.name for skipped in found.skipped] == [f"Service {space}/a"]
        assert not read(f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {space}}}\n").estate.of("Namespace")


@pytest.mark.row("IA-01")
def test_lists_and_unknown_kinds() -> None:
    text = f"apiVersion: v1\nkind: List\nitems:\n- {{apiVersion: x/v1, kind: Foo, metadata: {{name: f}}}}\n- {SERVICE.replace(chr(10), chr(10) + '  ')}"
    found = read(text, files_only=False)
    assert [s.full_name for s in found.estate.of("Service")] == ["default/a"]
    assert [skipped.reason for skipped in found.skipped] == ["of a kind that is not analysed"]


@pytest.mark.row("IA-01")
def test_the_later_document_counts_and_names_get_a_namespace() -> None:
    both = [*parse(SERVICE, "").documents, *parse(SERVICE.replace("name: http", "name: foo"), "mine.yaml").documents]
    found = survey(both, files_only=False, namespace="shop")
    (service,) = found.estate.of("Service")
    assert (service.full_name, service.origin is not None) == ("shop/a", True)
    assert [s.full_name for s in read(SERVICE, namespace="", files_only=False).estate.of("Service")] == ["a"]


@pytest.mark.row("IA-01")
def test_refused_objects_are_still_looked_at() -> None:
    text = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: {hosts: ['*'], http: [{route: [{destination: {host: ghost}}]}]}\n"
    codes = [code for code, _ in lines(text)]
    assert codes == ["IST0101", "IST0106"]


def test_what_can_be_read_of_a_broken_object_counts() -> None:
    text = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: Upper-Case}\nspec: {hosts: [a], x: 1, http: [{timeout: soon, route: [{destination: {host: ghost}}]}]}\n"
    assert [code for code, _ in lines(text)] == ["IST0101", "IST0106", "IST0106", "IST0106"]
    deep = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s}\nspec: [1]\n"
    assert read(deep).estate.of("Sidecar")[0].body is None


def test_the_mesh_config_of_the_documents_and_over_it() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n    rootNamespace: root\n    ingressClass: mine\n"
    assert read(text).estate.mesh.root_namespace == "root"
    over = read(text, mesh=mesh_text("rootNamespace: other"))
    assert (over.estate.mesh.root_namespace, over.estate.mesh.ingress_class) == ("other", "mine")
    assert read(text, mesh_maps=("istio-x",)).estate.mesh.root_namespace == "istio-system"
    assert mesh_text(text) == {"rootNamespace": "root", "ingressClass": "mine"}
    with pytest.raises(ValueError, match="not an object"):
        mesh_text("[1]")


def test_findings_of_the_mesh_config_have_their_own_line() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n    ingressClass: mine\n    connectTimeout: soon\n"
    assert lines(text) == [("IST0106", 7)]


@pytest.mark.row("IA-01")
def test_findings_of_networks() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  meshNetworks: |\n    networks: 5\n"
    estate = read(text).estate
    assert [(f.code, f.kind) for f in analyze(estate)] == [("IST0106", "MeshNetworks")]


def test_what_every_installation_has() -> None:
    def names(**options: Any) -> set[str]:
        found = read("", **options).estate
        return {f"{kind} {s.full_name}" for kind in found.kinds for s in found.of(kind)}

    webhook = "MutatingWebhookConfiguration istio-sidecar-injector"
    gateway = {"Pod istio-system/istio-ingressgateway-dummypod", "Service istio-system/istio-ingressgateway"}
    assert names() == {webhook, *gateway}
    assert names(files_only=False) == names(mesh={"ingressControllerMode": "OFF"}) == {webhook}


def test_another_revisions_objects() -> None:
    labelled = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s, labels: {istio.io/rev: canary}}\nspec: {}\n"
    found = read(labelled, selection=Selection(revision="default"))
    assert not found.estate.of("Sidecar")
    assert "canary" in found.skipped[0].reason
    assert read(labelled, selection=Selection(revision="canary")).estate.of("Sidecar")
