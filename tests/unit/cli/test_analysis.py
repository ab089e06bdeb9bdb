from __future__ import annotations

from pathlib import Path

import pytest

from mizzen.analyze import chosen
from mizzen.cli.analysis import Request, line_of, origin_of, passed_over, reaches, run
from mizzen.model.finding import Finding, Level


def finding(**more: object) -> Finding:
    return Finding(**{"code": "IST0103", "level": Level.WARNING, "message": "m", **more})  # type: ignore[arg-type]


def test_the_form_of_a_line() -> None:
    assert line_of(finding(kind="Pod", namespace="a", name="p")) == "Warning [IST0103] (Pod a/p) m"
    assert (
        line_of(finding(kind="Namespace", name="n", file="f.yaml", line=3))
        == "Warning [IST0103] (Namespace n f.yaml:3) m"
    )
    assert line_of(finding(kind="Pod", name="n", file="f.json")) == "Warning [IST0103] (Pod n f.json) m"
    assert line_of(finding(kind="Pod", name="a\nb\x1b[31m")) == "Warning [IST0103] (Pod a\\nb\\x1b[31m) m"
    assert origin_of(finding(kind="Gateway.gateway.networking.k8s.io", namespace="a", name="g")) == "Gateway a/g"


def test_levels() -> None:
    assert [reaches(finding(), threshold) for threshold in ("Info", "Warning", "Error")] == [True, True, False]


@pytest.mark.row("IA-02")
def test_a_printed_line_is_shown_once(tmp_path: Path) -> None:
    ports = "[{port: 80, name: foo}, {port: 80, name: foo}]"
    text = f"apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{ports: {ports}}}\n"
    (tmp_path / "a.yaml").write_text(text)
    result = run(Request(paths=[str(tmp_path)], live=False, analyzers=chosen(["service.PortNameAnalyzer"])))
    assert len(result.findings) == 1


def test_files_that_are_passed_over(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.json", "c.yml", "d.txt"):
        (tmp_path / name).write_text("")
    assert passed_over([str(tmp_path), str(tmp_path / "d.txt"), "-"]) == [str(tmp_path / "d.txt")]
