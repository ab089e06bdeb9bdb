from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh

ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: x
spec:
  hosts: [a]
  http:
  - route:
    - destination:
        host: {host}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: a}
spec:
  ports:
  - {name: foo, port: 80}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one bad route and one service with a doubtful port."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "route.yaml").write_text(ROUTE.format(host="ghost"))
    (tmp_path / "service.yaml").write_text(SERVICE)
    return tmp_path


@pytest.mark.row("IX-06", "IA-02", "IA-06")
def test_findings_of_files(mizzen: Mizzen, place: Path) -> None:
    result = mizzen("analyze", "-f", ".")
    assert result.code == 3
    first, second = result.out.splitlines()
    assert first == 'Error [IST0101] (VirtualService default/x route.yaml:10) no such host: "ghost"'
    assert second.startswith("Info [IST0118] (Service default/a service.yaml:6) ")
    assert result.err == ""


@pytest.mark.row("IA-02")
def test_nothing_to_say(mizzen: Mizzen, place: Path) -> None:
    (place / "route.yaml").write_text(ROUTE.format(host="a"))
    result = mizzen("analyze", "-f", "route.yaml", "-f", "service.yaml", "--output-threshold", "warning")
    assert (result.code, result.out) == (0, "")
    assert result.err == "✔ No validation issues found when analyzing namespace: default.\n"
    everywhere = mizzen("analyze", "-A", "--use-kube=false", "route.yaml", "service.yaml", "--output-threshold=Error")
    assert everywhere.err == "✔ No validation issues found when analyzing all namespaces.\n"


@pytest.mark.row("IA-02")
def test_documents(mizzen: Mizzen, place: Path) -> None:
    found = json.loads(mizzen("analyze", "-f", ".", "-o", "json").out)
    assert found[0] == {
        "code": "IST0101",
        "level": "Error",
        "origin": "VirtualService default/x",
        "reference": "route.yaml:10",
        "message": 'no such host: "ghost"',
        "documentationUrl": "https://istio.io/latest/docs/reference/config/analysis/ist0101/",
    }
    assert yaml.safe_load(mizzen("analyze", "-f", ".", "-o", "yaml").out) == found
    assert json.loads(mizzen("analyze", "-f", "service.yaml", "-o", "json", "-S", "IST0118=*").out) == []


@pytest.mark.row("IA-02", "IC-05")
def test_thresholds(mizzen: Mizzen, place: Path) -> None:
    assert mizzen("analyze", "-f", "service.yaml").code == 0
    assert mizzen("analyze", "-f", "service.yaml", "--failure-threshold=Info").code == 3
    hidden = mizzen("analyze", "-f", "service.yaml", "--failure-threshold", "Info", "--output-threshold", "Error")
    assert (hidden.code, hidden.out) == (3, "")
    assert mizzen("analyze", "-f", ".", "-o", "json").code == 3


@pytest.mark.row("IA-03")
def test_suppressions(mizzen: Mizzen, place: Path) -> None:
    result = mizzen("analyze", "-f", ".", "-S", "IST0101=VirtualService x.default", "--suppress", "IST0118=Service d*")
    assert (result.code, result.out) == (0, "")
    unknown = mizzen("analyze", "-f", "service.yaml", "-S", "IST9999=*")
    assert (unknown.code, "IST9999" in unknown.err) == (0, True)
    assert mizzen("analyze", "-f", "service.yaml", "-S", "IST0118").code == 2


@pytest.mark.row("IA-01")
def test_namespaces(mizzen: Mizzen, place: Path) -> None:
    (place / "route.yaml").write_text(ROUTE.format(host="ghost").replace("name: x", "name: x\n  namespace: shop"))
    (place / "space.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")

    def codes(*arguments: str) -> list[str]:
        return [found["code"] for found in json.loads(mizzen("analyze", "-o", "json", "-f", ".", *arguments).out)]

    assert codes() == ["IST0118"]
    assert codes("-n", "shop") == ["IST0101", "IST0102", "IST0118"]
    assert codes("-A") == ["IST0101", "IST0102", "IST0118"]


@pytest.mark.row("IA-01")
def test_text_that_cannot_be_read(mizzen: Mizzen, place: Path) -> None:
    (place / "bad.yaml").write_text("a: [\n")
    result = mizzen("analyze", "-f", "bad.yaml", "-f", "service.yaml")
    assert result.code == 3
    assert "bad.yaml" in result.err
    assert "IST0118" in result.out
    passed = mizzen("analyze", "-f", "bad.yaml", "-f", "service.yaml", "--ignore-unknown")
    assert (passed.code, passed.err) == (0, "")


@pytest.mark.row("IA-01", "IA-04")
def test_what_is_accepted_and_changes_nothing(mizzen: Mizzen, place: Path) -> None:
    (place / "README.md").write_text("x")
    (place / "deep").mkdir()
    (place / "service.yaml").rename(place / "deep" / "service.yaml")
    result = mizzen("analyze", "-R", "-k=false", "--timeout", "30s", "--remote-contexts", "a", ".")
    assert "IST0118" in result.out
    for word in ("-R changes nothing", "--remote-contexts has no effect", "README.md is not read"):
        assert word in result.err


@pytest.mark.row("IA-04")
def test_analyzers(mizzen: Mizzen, place: Path) -> None:
    listed = mizzen("analyze", "-L")
    assert listed.code == 0
    assert listed.out.startswith("* annotations.K8sAnalyzer:\n    ")
    only = mizzen("analyze", "-f", ".", "--analyzer", "service.PortNameAnalyzer")
    assert (only.code, "IST0101" in only.out, "IST0118" in only.out) == (0, False, True)


@pytest.mark.row("IA-04")
def test_what_was_done(mizzen: Mizzen, place: Path) -> None:
    (place / "foo.yaml").write_text("apiVersion: x/v1\nkind: Foo\nmetadata: {name: f}\n")
    told = mizzen("analyze", "-f", ".", "-v").err
    for word in ("  Service default/a\n", "  Foo f: of a kind that is not analysed\n", "  service.PortNameAnalyzer\n"):
        assert word in told


@pytest.mark.row("IA-04")
def test_mesh_config(mizzen: Mizzen, place: Path) -> None:
    (place / "policy.yaml").write_text(
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p}\nspec: {}\n"
    )
    (place / "mesh").write_text("rootNamespace: default\n")
    assert "IST0127" in mizzen("analyze", "-f", "policy.yaml").out
    assert "IST0127" not in mizzen("analyze", "-f", "policy.yaml", "--meshConfigFile", "mesh").out
    assert mizzen("analyze", "-f", "policy.yaml", "--meshConfigFile", "ghost").code == 1


@pytest.mark.row("IA-02")
def test_colours(mizzen: Mizzen, place: Path) -> None:
    assert "\x1b[31mError\x1b[0m [IST0101]" in mizzen("analyze", "-f", ".", "--color").out
    assert "\x1b" not in mizzen("analyze", "-f", ".").out + mizzen("analyze", "-f", ".", "--color=false").out


@pytest.mark.row("IA-01", "IX-06")
def test_files_over_the_running_mesh(mizzen: Mizzen, place: Path, mesh: FakeMesh) -> None:
    mesh.put(yaml.safe_load(ROUTE.format(host="a").replace("name: x", "name: x\n  namespace: default")))
    mesh.put(yaml.safe_load(SERVICE.replace("{name: a}", "{name: a, namespace: default}")))
    live = mizzen("analyze")
    assert live.code == 0
    assert live.out.startswith("Info [IST0118] (Service default/a) ")
    assert "IST0101" in mizzen("analyze", "route.yaml").out
    assert "IST0101" not in mizzen("analyze", "service.yaml").out
    assert "IST0118" not in mizzen("analyze", "-f", "route.yaml").out
    assert "IST0118" in mizzen("analyze", "-k", "-f", "route.yaml").out


@pytest.mark.row("IA-01")
def test_without_a_mesh(mizzen: Mizzen, place: Path) -> None:
    result = mizzen("analyze", "route.yaml")
    assert result.code == 3
    assert "only the files are analysed" in result.err
    assert mizzen("analyze").code == 1
    assert mizzen("analyze", "-k", "route.yaml").code == 1
    assert mizzen("analyze", "--use-kube=false").code == 2


def test_standard_input(mizzen: Mizzen, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    stream = io.TextIOWrapper(io.BytesIO(SERVICE.encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert "(Service default/a <stdin>:6)" in mizzen("analyze", "-f", "-").out


@pytest.mark.row("IA-04")
def test_a_revision(mizzen: Mizzen, place: Path) -> None:
    labelled = ROUTE.format(host="ghost").replace("name: x", "name: x\n  labels: {istio.io/rev: canary}")
    (place / "route.yaml").write_text(labelled)
    assert "IST0101" in mizzen("analyze", "-f", "route.yaml", "-r", "canary").out
    assert mizzen("analyze", "-f", "route.yaml", "--revision", "stable").out == ""


@pytest.mark.row("IA-01")
def test_what_every_installation_has_is_supposed_of_files_alone(mizzen: Mizzen, place: Path, mesh: FakeMesh) -> None:
    servers = [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]
    gateway = {"selector": {"istio": "ingressgateway"}, "servers": servers}
    head = {"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "g"}}
    (place / "gateway.yaml").write_text(yaml.safe_dump({**head, "spec": gateway}))
    assert "IST0101" not in mizzen("analyze", "-f", "gateway.yaml").out
    assert "(Gateway default/g gateway.yaml:" in mizzen("analyze", "-A", "gateway.yaml").out, "the mesh has no such pod"
